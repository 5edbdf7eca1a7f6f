"""Tags apart from what has them: calls on `{scope}/providers/Microsoft.Resources/tags/default` in, answers out."""

import msgspec

from simulator import errors
from simulator.calls import Call, empty
from simulator.ids import parse_id
from simulator.names import check_tags
from simulator.network import missing
from simulator.store import Stored
from simulator.wire import Body, Response, answer, members, text
from simulator.world import World

TAGS_TYPE = "Microsoft.Resources/tags"
TAGS = TAGS_TYPE.lower()


def answered(world: World, call: Call) -> Response:
    """The tags of a subscription, group or resource are read, replaced, merged with others or taken away; at once."""
    method = call.request.method
    target = _target(world, call)
    if call.address.names != ("default",):
        raise errors.no_arm_path()
    old: Body = members(target.content.get("tags"))
    match method:
        case "GET":
            return answer(200, _body(target, old))
        case "PUT":
            new = _sent(call.content())
        case "PATCH":
            new = _patched(call, old)
        case "DELETE":
            _write(world, call, target, {})
            return empty(200, {})
        case _:
            raise errors.method_not_allowed(method)
    _write(world, call, target, new)
    return answer(200, _body(target, new))


def _target(world: World, call: Call) -> Stored:
    scope = call.address.scope
    found, asked = world.store.get(scope.casefold()), parse_id(scope)
    if found is None:
        raise errors.no_arm_path() if asked is None else missing(world.store, asked)
    if asked is not None and len(asked.types) > 1:
        raise errors.gateway(
            400, "TagsNotSupportedForResourceType", f"Resources of type '{asked.type}' do not support tags."
        )
    return found


def _sent(body: Body) -> Body:
    properties = members(body.get("properties"))
    check_tags(properties)
    return members(properties.get("tags"))


def _patched(call: Call, old: Body) -> Body:
    """The tags there are in, what the operation that was asked for makes of them out."""
    body = call.content()
    sent, asked = _sent(body), text(body.get("operation"))
    known = {name.casefold(): name for name in old}
    match asked.lower():
        case "replace":
            new = sent
        case "merge":
            new = old | {known.get(name.casefold(), name): value for name, value in sent.items()}
        case "delete":
            going = {known.get(name.casefold()) for name in sent}
            new = {name: value for name, value in old.items() if name not in going}
        case _:
            raise errors.invalid_content(f"'{asked}' is none of the operations Merge, Replace and Delete.")
    check_tags({"tags": new})
    return new


def _write(world: World, call: Call, target: Stored, tags: Body) -> None:
    key = target.id.casefold()
    content = target.content | {"tags": tags}
    etag = world.etag() if target.etag else ""
    world.store.put(key, msgspec.structs.replace(target, body=msgspec.json.encode(content), etag=etag))
    world.publish(_id(target), TAGS_TYPE, call.caller, deleted=call.request.method == "DELETE", updated=True)


def _body(target: Stored, tags: Body) -> Body:
    return {"id": _id(target), "name": "default", "type": TAGS_TYPE, "properties": {"tags": tags}}


def _id(target: Stored) -> str:
    return f"{target.id}/providers/{TAGS_TYPE}/default"
