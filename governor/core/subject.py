"""What policies select by: a resource and the facts above it in, its Subject out."""

from collections.abc import Iterable

from msgspec.structs import replace

from governor.core import facts, ids
from governor.core.estate import Estate, clusters
from governor.core.selection import Subject


def subject_of(network: facts.VirtualNetwork, estate: Estate) -> Subject:
    """A network in, what policies select by out: its place, and tags that fall back to its group and subscription."""
    about = of_resource(network.id, network.location, network.tags, estate)
    return replace(about, kind=ids.VIRTUAL_NETWORK, virtual_network=network.name, subnet=None, occupants=None)


def of_subnet(subnet: facts.Subnet, kinds: frozenset[str] | None, about: Subject) -> Subject:
    """A subnet, its kinds of occupants (None: not known) and its network's Subject in, its own Subject out."""
    return replace(about, resource_id=subnet.id, kind=ids.SUBNET, subnet=subnet.name, occupants=kinds)


def within(resource_id: str, tags: facts.Tags | None, around: Subject) -> Subject:
    """Something that lives in a subnet or network, its tags and the Subject of that in; its own Subject out."""
    own = {name.casefold(): value for name, value in (tags or {}).items()}
    return replace(around, resource_id=resource_id, kind=ids.kind(resource_id), tags={**(around.tags or {}), **own})


def of_resource(resource_id: str, location: str, tags: facts.Tags | None, estate: Estate) -> Subject:
    """Something that lives in no network in, its Subject out: no condition on networks or subnets holds."""
    parts = ids.parse(resource_id)
    subscription = estate.find(f"/subscriptions/{parts.subscription}", facts.Subscription)
    group = estate.find(ids.group_of(resource_id), facts.ResourceGroup)
    known = subscription if isinstance(subscription, facts.Subscription) else None
    entity = estate.find(ids.entity(parts.subscription), facts.Entity)
    layers = (known.tags if known else None, group.tags if isinstance(group, facts.ResourceGroup) else None, tags)
    return Subject(
        resource_id=resource_id,
        kind=parts.type,
        subscription=parts.subscription,
        resource_group=parts.resource_group,
        region=location,
        subscription_name=known.display_name if known else None,
        management_groups=entity.properties.parent_name_chain if isinstance(entity, facts.Entity) else None,
        virtual_network="",
        subnet="",
        occupants=frozenset({""}),
        tags=_together(layers),
        tags_complete=known is not None and isinstance(group, facts.ResourceGroup),
    )


def _together(layers: Iterable[facts.Tags | None]) -> facts.Tags:
    """Tags, the nearest last, in; by key in lower case the nearest value out."""
    return {name.casefold(): value for layer in layers for name, value in (layer or {}).items()}


def read_for(missing: tuple[str, ...], resource_id: str) -> tuple[str, ...]:
    """Conditions of a policy that could not be decided about a resource in, what must be read to decide them out."""
    subscription = ids.parse(resource_id).subscription
    read: dict[str, None] = {}
    for condition in (name.removeprefix("except.") for name in missing):
        if condition.startswith("tags."):
            read[ids.group_of(resource_id)] = None
        if condition.startswith("tags.") or condition == "subscriptions":
            read[f"/subscriptions/{subscription}"] = None
        if condition == "managementGroups":
            read[ids.entity(subscription)] = None
        if condition == "occupants":
            read[clusters(subscription)] = None
    return tuple(read)
