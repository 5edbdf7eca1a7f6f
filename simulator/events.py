"""Events of Microsoft.Resources: a finished write or delete in, what Azure tells the world about it out."""

from datetime import datetime
from typing import Literal

import msgspec

from simulator.identity import Principal
from simulator.wire import Body

Schema = Literal["EventGridSchema", "CloudEventSchemaV1_0"]
Ending = Literal["Success", "Failure", "Cancel"]
STATUS: dict[Ending, str] = {"Success": "Succeeded", "Failure": "Failed", "Cancel": "Canceled"}


class Caller(msgspec.Struct, frozen=True):
    """Who asked for a write and how: what an event tells about its cause."""

    principal: Principal
    correlation_id: str
    client_request_id: str
    method: str
    url: str


class Event(msgspec.Struct, frozen=True):
    """One event of Microsoft.Resources, before it is put into a schema."""

    id: str
    type: str
    moment: datetime
    subject: str
    subscription: str
    data: Body

    @property
    def time(self) -> str:
        return precise(self.moment)

    def payload(self, schema: Schema) -> Body:
        """A schema in, the event as it is delivered out."""
        source = f"/subscriptions/{self.subscription}"
        if schema == "CloudEventSchemaV1_0":
            return {
                "specversion": "1.0",
                "id": self.id,
                "source": source,
                "type": self.type,
                "subject": self.subject,
                "time": self.time,
                "data": self.data,
            }
        return {
            "subject": self.subject,
            "eventType": self.type,
            "eventTime": self.time,
            "id": self.id,
            "data": self.data,
            "dataVersion": "2",
            "metadataVersion": "1",
            "topic": source,
        }


def event_of(
    event_id: str,
    target: str,
    type_name: str,
    *,
    deleted: bool,
    updated: bool,
    ending: Ending,
    action: str = "",
    caller: Caller,
    now: datetime,
) -> Event:
    """A finished write, delete or `action` on `target` (an id) in, the event that tells of it out."""
    subject = target if deleted else target.replace("/resourceGroups/", "/resourcegroups/", 1)
    kind = "Microsoft.Resources/subscriptions/resourceGroups" if type_name.endswith("/resourceGroups") else type_name
    verb = "delete" if deleted else "write"
    name = f"{kind}/{action}/action" if action else f"{kind}/{verb}"
    subscription = target.split("/")[2]
    principal = caller.principal
    data: Body = {
        "authorization": {
            "scope": subject,
            "action": name,
            "evidence": {
                "role": "Owner",
                "roleAssignmentScope": f"/subscriptions/{subscription}",
                "principalId": principal.object_id,
                "principalType": principal.type,
            },
        },
        "claims": {
            "aud": "https://management.azure.com/",
            "iss": f"https://sts.windows.net/{principal.tenant_id}/",
            "appid": principal.application_id,
            "http://schemas.microsoft.com/identity/claims/objectidentifier": principal.object_id,
            "http://schemas.microsoft.com/identity/claims/tenantid": principal.tenant_id,
        },
        "correlationId": caller.correlation_id,
        "resourceProvider": type_name.partition("/")[0],
        "resourceUri": subject,
        "operationName": name,
        "status": STATUS[ending],
        "subscriptionId": subscription,
        "tenantId": principal.tenant_id,
    }
    if deleted or updated or action:
        data["httpRequest"] = {
            "clientRequestId": caller.client_request_id,
            "clientIpAddress": "127.0.0.1",
            "method": caller.method,
            "url": caller.url,
        }
    outcome = f"{'Action' if action else verb.capitalize()}{ending}"
    return Event(event_id, f"Microsoft.Resources.Resource{outcome}", now, subject, subscription, data)


def precise(moment: datetime) -> str:
    """A time in, Event Grid's text of it out: seven digits."""
    return f"{moment.strftime('%Y-%m-%dT%H:%M:%S.%f')}0Z"
