"""System topics: what Event Grid takes and refuses, and what the events of an event subscription are about."""

from simulator import errors
from simulator.identity import TENANT
from simulator.ids import SYSTEM_TOPIC, parent_key, parse_id
from simulator.store import Store
from simulator.wire import Body, members, text

OF_SUBSCRIPTION, OF_GROUP = "Microsoft.Resources.Subscriptions", "Microsoft.Resources.ResourceGroups"


def check_topic(store: Store, topic_id: str, sent: Body, before: Body | None) -> None:
    """A system topic as it would be in; refused unless it is the only one of its source, and fits it."""
    properties = members(sent.get("properties"))
    source, kind = text(properties.get("source")).rstrip("/"), text(properties.get("topicType"))
    if not source or not kind:
        raise _invalid("The source and the topic type of a system topic must be given.")
    if before is not None and _source_of(before) != source.casefold():
        raise _invalid("System topic source cannot be modified.")
    if source.casefold().split("/")[2:3] != topic_id.casefold().split("/")[2:3]:
        raise _invalid(f"System topic {topic_id} and its source {source} must be in the same subscription.")
    fitting = {2: OF_SUBSCRIPTION, 4: OF_GROUP}.get(source.count("/"), kind)
    if kind.casefold() != fitting.casefold():
        raise _invalid(f"Topic type {kind} does not fit the source {source}, which is of type {fitting}.")
    if source.count("/") in (2, 4) and text(sent.get("location")).casefold() != "global":
        raise _invalid(f"The location of a system topic of type {kind} must be global.")
    for other_key in _topics(store, source):
        other = store.get(other_key)
        if other is not None and other_key != topic_id.casefold() and _source_of(other.content) == source.casefold():
            raise _invalid(
                f"There is an existing tracked system topic for the given source {source}. Only one system topic is "
                "allowed per source."
            )


def scope_of(store: Store, key: str) -> str:
    """The key of an event subscription in, the key of what its events are about out; empty when they are not ARM's.

    That is the subscription, group or resource it hangs on, or the source of its topic.
    """
    if f"/{SYSTEM_TOPIC}/" not in key:
        return key.rpartition("/providers/")[0]
    topic = store.get(parent_key(key))
    properties = members(topic.content.get("properties")) if topic is not None else {}
    ours = text(properties.get("topicType")).casefold() in (OF_SUBSCRIPTION.casefold(), OF_GROUP.casefold())
    return text(properties.get("source")).rstrip("/").casefold() if ours else ""


def holder_of(store: Store, event_subscription: str) -> str:
    """The id (or key) of an event subscription in, the id of the topic, resource, group or subscription it is of."""
    address = parse_id(event_subscription)
    if address is None:
        return ""
    above = address.scope if address.parent is None else address.parent.text
    found = store.get(above.casefold())
    return found.id if found is not None else above


def completed(sent: Body, before: Body | None, principal: str) -> Body:
    """A topic's body in, the same with the ids of its own identity out: those it has, or a new `principal`."""
    identity = members(sent.get("identity"))
    if "systemassigned" not in text(identity.get("type")).lower():
        return sent
    known = members(before.get("identity")) if before is not None else {}
    ids = {"principalId": text(known.get("principalId")) or principal, "tenantId": TENANT}
    return sent | {"identity": identity | ids}


def _topics(store: Store, source: str) -> list[str]:
    """The keys of all system topics of a source's subscription."""
    subscription = "/".join(source.casefold().split("/")[:3])
    groups = store.keys_in(f"{subscription}/resourcegroups")
    return [key for group in groups for key in store.keys_in(f"{group}/providers/{SYSTEM_TOPIC}")]


def _source_of(topic: Body) -> str:
    return text(members(topic.get("properties")).get("source")).rstrip("/").casefold()


def _invalid(why: str) -> errors.ArmError:
    return errors.ArmError(400, "InvalidRequest", why)
