"""GET eventtypes/management/values: a call with a `$filter` in, a page of the activity log out, latest first."""

import re
import uuid
from datetime import UTC, datetime, timedelta
from http import HTTPStatus

import msgspec

from simulator import errors
from simulator.activity_log import Record
from simulator.calls import Call
from simulator.events import precise
from simulator.lists import paged
from simulator.wire import Body, Response
from simulator.world import World

LOG = "microsoft.insights/eventtypes/values"
SUBMITTED_AFTER = timedelta(seconds=19)
"""So long after a step its record can be read."""
CONDITION = re.compile(r"^(?P<name>\w+)\s+(?P<operator>ge|le|eq)\s+(?P<quote>'?)(?P<value>[^']*)(?P=quote)$", re.I)
NAMES = ("resourcegroupname", "resourceuri", "resourceprovider", "correlationid")


class Wanted(msgspec.Struct, frozen=True):
    """What a `$filter` asks for: a span of time and values by name, in lower case."""

    since: datetime
    until: datetime | None
    values: dict[str, str]

    def fits(self, record: Record) -> bool:
        """Whether it asks for a record."""
        if record.time < self.since or (self.until is not None and record.time > self.until):
            return False
        known = {
            "resourcegroupname": group_of(record.scope),
            "resourceuri": record.scope,
            "resourceprovider": record.operation.partition("/")[0],
            "correlationid": record.caller.correlation_id,
        }
        return all(known[name].casefold() == value for name, value in self.values.items())


def activity(world: World, call: Call) -> Response:
    """The records of a subscription that its `$filter` asks for."""
    wanted = _wanted(call.request.query.get("$filter", ""))
    mine = f"{call.address.scope}/".casefold()
    visible = world.now() - SUBMITTED_AFTER
    found = [
        record
        for record in world.log.latest_first()
        if record.time <= visible and f"{record.scope}/".casefold().startswith(mine) and wanted.fits(record)
    ]
    chosen = [name.strip().lower() for name in call.request.query.get("$select", "").split(",") if name.strip()]

    def shown(record: Record) -> Body:
        body = record_body(record)
        return {name: value for name, value in body.items() if not chosen or name.lower() in chosen}

    return paged(world, call, found, shown)


def group_of(scope: str) -> str:
    """The id of what was written in, the name of its resource group out; empty when it is in none."""
    parts = scope.split("/")
    return parts[4] if len(parts) > 4 and parts[3].lower() == "resourcegroups" else ""


def record_body(record: Record) -> Body:
    """A record in, its body out, with the members that Azure Monitor documents."""
    caller, principal = record.caller, record.caller.principal
    scope = re.sub("/resourceGroups/", "/resourcegroups/", record.scope, count=1)
    kind, _, _ = record.operation.rpartition("/")
    made = f"{caller.correlation_id} {record.operation} {scope} {record.status} {record.time.isoformat()}"
    data_id = str(uuid.uuid5(uuid.NAMESPACE_URL, made))
    ticks = (record.time - datetime(1, 1, 1, tzinfo=UTC)) // timedelta(microseconds=1) * 10
    answered = HTTPStatus(record.http) if record.http else None
    said = answered.phrase.replace(" ", "") if answered else ""
    ends = record.status in ("Succeeded", "Failed", "Canceled")
    return {
        "authorization": {"action": record.operation, "scope": scope},
        "caller": principal.object_id,
        "channels": "Operation",
        "claims": {
            "aud": "https://management.azure.com/",
            "appid": principal.application_id,
            "http://schemas.microsoft.com/identity/claims/objectidentifier": principal.object_id,
            "http://schemas.microsoft.com/identity/claims/tenantid": principal.tenant_id,
        },
        "correlationId": caller.correlation_id,
        "description": "",
        "eventDataId": data_id,
        "eventName": _named("EndRequest" if ends else "BeginRequest", "End request" if ends else "Begin request"),
        "category": _named("Administrative"),
        "eventTimestamp": precise(record.time),
        "httpRequest": {
            "clientRequestId": caller.client_request_id,
            "clientIpAddress": "127.0.0.1",
            "method": caller.method,
        },
        "id": f"{scope}/events/{data_id}/ticks/{ticks}",
        "level": "Error" if record.status == "Failed" else "Informational",
        "operationId": caller.correlation_id,
        "operationName": _named(record.operation),
        "resourceGroupName": group_of(scope),
        "resourceProviderName": _named(record.operation.partition("/")[0]),
        "resourceType": _named(kind.rpartition("/")[0] if record.operation.endswith("/action") else kind),
        "resourceId": scope,
        "status": _named(record.status),
        "subStatus": _named(said, f"{answered.phrase} (HTTP Status Code: {record.http})" if answered else ""),
        "submissionTimestamp": precise(record.time + SUBMITTED_AFTER),
        "subscriptionId": scope.split("/")[2],
        "tenantId": principal.tenant_id,
        "properties": {"statusCode": said, "entity": scope, "eventCategory": "Administrative"},
    }


def _named(value: str, localized: str | None = None) -> Body:
    return {"value": value, "localizedValue": value if localized is None else localized}


def _wanted(condition: str) -> Wanted:
    """A `$filter` in, what it asks for out; only conditions joined by `and` are known, and a start is needed."""
    times: dict[str, datetime] = {}
    values: dict[str, str] = {}
    for part in re.split(r"\s+and\s+", condition.strip(), flags=re.IGNORECASE) if condition.strip() else ():
        match = CONDITION.match(part.strip())
        name, operator = (match["name"].lower(), match["operator"].lower()) if match else ("", "")
        if match and name == "eventtimestamp" and operator in ("ge", "le"):
            times[operator] = _moment(match["value"])
        elif match and name in NAMES and operator == "eq" and not values:
            values[name] = match["value"].casefold().rstrip("/")
        elif not match or name != "eventchannels" or operator != "eq":
            raise _bad(f"The $filter condition '{part.strip()}' is not supported.")
    if "ge" not in times:
        raise _bad("The $filter must give the start of a time range: eventTimestamp ge '...'.")
    return Wanted(times["ge"], times.get("le"), values)


def _moment(value: str) -> datetime:
    try:
        found = datetime.fromisoformat(re.sub(r"(\.\d{6})\d+", r"\1", value))
    except ValueError:
        raise _bad(f"The time '{value}' of the $filter is not valid.") from None
    return found if found.tzinfo else found.replace(tzinfo=UTC)


def _bad(why: str) -> errors.ArmError:
    return errors.ArmError(400, "BadRequest", why)
