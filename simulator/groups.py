"""Subscriptions and resource groups: calls on them in, answers out."""

import base64

import msgspec

from simulator import errors
from simulator.calls import Call
from simulator.ids import group_id, location_key
from simulator.limits import check_groups
from simulator.names import check_group
from simulator.operations import Operation
from simulator.regions import REGIONS, group_location_not_available
from simulator.scopes import GROUP_TYPE, group_body
from simulator.shapes import ENVELOPE
from simulator.store import Stored
from simulator.wire import Body, Response, answer, members, text
from simulator.world import World


def stored_group(subscription: str, name: str, sent: Body) -> Stored:
    """A group's parts in, the group as it is kept out."""
    content = {key: value for key, value in sent.items() if key not in (*ENVELOPE, "properties") and value is not None}
    content["location"] = location_key(text(sent.get("location")))
    return Stored(group_id(subscription, name), GROUP_TYPE, msgspec.json.encode(content), "Succeeded")


def put(world: World, call: Call, name: str) -> Response:
    """A location and tags in; the group is there at once."""
    key = call.address.scope.casefold()
    old = world.store.get(key)
    sent = call.content()
    if old is None:
        check_group(name)
        check_groups(world.store, call.address.subscription or "", name)
    location = location_key(text(sent.get("location")))
    if not location:
        raise errors.location_required()
    if old is None and location not in REGIONS:
        raise group_location_not_available(text(sent.get("location")))
    if old is not None:
        refuse_deleting(old)
        existing = text(old.content.get("location"))
        if existing != location:
            raise errors.group_location(old.name, location, existing)
        sent = {"tags": old.content.get("tags"), **sent}
    stored = stored_group(call.address.subscription or "", old.name if old is not None else name, sent)
    world.store.put(key, stored)
    world.publish(stored.id, GROUP_TYPE, call.caller, deleted=False, updated=old is not None)
    return answer(200 if old is not None else 201, group_body(stored))


def patch(world: World, call: Call, stored: Stored) -> Response:
    """New tags in; they replace the old ones."""
    refuse_deleting(stored)
    content = stored.content | {"tags": members(call.content().get("tags"))}
    world.store.changing(call.address.scope.casefold())
    stored.body = msgspec.json.encode(content)
    world.publish(stored.id, GROUP_TYPE, call.caller, deleted=False, updated=True)
    return answer(200, group_body(stored))


def delete(world: World, call: Call, stored: Stored) -> Response:
    """A group in; its contents go with it when the operation ends, which its Location tells."""
    key = call.address.scope.casefold()
    running = world.operations.running(key)
    if running is None:
        location = text(stored.content.get("location"))
        now = world.now()
        running = Operation(
            id=job_id(stored.name, location),
            namespace="Microsoft.Resources",
            location=location,
            api_version=call.api_version,
            effect="delete_group",
            label="DeleteResourceGroup",
            target=key,
            target_id=stored.id,
            type_name=GROUP_TYPE,
            lock=key,
            touched=(),
            started=now,
            due=now + world.settings.duration(GROUP_TYPE.lower()),
            caller=call.caller,
        )
        world.store.changing(key)
        stored.state = "Deleting"
        world.operations.start(running)
    headers = {"Location": call.request.base + running.path("operationResults")}
    return answer(202, None, headers | world.settings.wait("delete_group"))


def refuse_deleting(group: Stored) -> None:
    """A group that is on its way out takes nothing in."""
    if group.state == "Deleting":
        raise errors.group_being_deleted(group.name)


def job_id(name: str, location: str) -> str:
    """A group in, the name of the job that deletes it out, as ARM encodes it."""
    escaped = "".join(char if char.isalnum() else f":{ord(char):02X}" for char in name.upper())
    job = {"jobId": f"RESOURCEGROUPDELETIONJOB-{escaped}-{location.upper()}", "jobLocation": location}
    return base64.urlsafe_b64encode(msgspec.json.encode(job)).decode().rstrip("=")
