"""Apps with VNet integration (`app-route-all`): a network in, whether its subnets carry all that its apps send, out.

Without it, only traffic to private ranges goes through the subnet, so its egress holds for nothing that goes to the
internet.
"""

from typing import Final

from governor.core import facts, ids
from governor.core.app_facts import Site
from governor.core.estate import NOT_READ, Estate, list_of
from governor.core.ground import NOTHING, Audited, Ground, together, undecided
from governor.core.policy import Policy, Requirement
from governor.core.selection import Selected, Undecided, Ungoverned
from governor.core.verdict import Result, Verdict, exempted

_REQUIREMENT: Final = Requirement.APP_ROUTE_ALL
_DELEGATION: Final = "microsoft.web/serverfarms"
_EXPECTED: Final = "all that the app sends goes through the subnet"
_LEAVES: Final = "what it sends to the internet does not go through the subnet"


def has_apps(network: facts.VirtualNetwork) -> bool:
    """Whether a plan of App Service lives in a subnet of the network."""
    return any(_plans(subnet) for subnet in network.properties.subnets or ())


def by_subnet(estate: Estate) -> dict[str, list[Site]]:
    """An Estate in; by key of a subnet, the apps that leave by it out."""
    found: dict[str, list[Site]] = {}
    for app in estate.all(Site):
        found.setdefault(ids.key(app.properties.virtual_network_subnet_id or ""), []).append(app)
    return found


def of_network(ground: Ground, apps: dict[str, list[Site]]) -> Audited:
    """A network and apps by key of their subnet in, what holds of those that leave by its subnets out."""
    return together(
        _of_subnet(subnet, plans, apps.get(ids.key(subnet.id), []), ground)
        for subnet in ground.subnets
        if (plans := _plans(subnet))
    )


def _plans(subnet: facts.Subnet) -> tuple[str, ...]:
    """The ids of the plans that live in a subnet; "" for one that the subnet does not name."""
    if _DELEGATION not in (service.casefold() for service in subnet.delegated_to):
        return ()
    links = (link.properties for link in subnet.properties.service_association_links or ())
    return tuple((one.link or "") for one in links if (one.linked_resource_type or "").casefold() == _DELEGATION)


def _of_subnet(subnet: facts.Subnet, plans: tuple[str, ...], apps: list[Site], ground: Ground) -> Audited:
    policy = ground.governs(ids.key(subnet.id))
    if policy is None or not policy.allowed:
        return NOTHING  # nobody governs it, or says how it is to leave
    estate = ground.estate
    # An app may live in another subscription than the subnet; its plan says where.
    homes = sorted({ids.parse(one if ids.kind(one) else subnet.id).subscription for one in plans})
    missing = tuple(n for n in (list_of("sites", f"/subscriptions/{one}") for one in homes) if not estate.has_listed(n))
    if missing:
        lost = next((why for name in missing if (why := estate.why(name)) != NOT_READ), NOT_READ)
        told = Verdict(subnet.id, _REQUIREMENT, Result.UNKNOWN, policy.name, f"its apps were not seen: {lost}")
        return Audited((told,), missing)
    if not apps:
        shown = ", ".join(ids.name(one) or "?" for one in plans)
        seen = f"plan {shown} lives in it, and none of the apps that were seen does"
        return Audited((Verdict(subnet.id, _REQUIREMENT, Result.UNKNOWN, policy.name, seen),))
    return together(_of_app(app, subnet, ground) for app in apps)


def _of_app(app: Site, subnet: facts.Subnet, ground: Ground) -> Audited:
    match ground.ask(app.id, app.tags, ids.key(subnet.id)):
        case Ungoverned():
            return NOTHING
        case Undecided() as answer:
            return undecided(answer, app.id, _REQUIREMENT)
        case Selected(policy=policy):
            return Audited((_verdict(app, subnet, policy, ground),)) if policy.allowed else NOTHING


def _verdict(app: Site, subnet: facts.Subnet, policy: Policy, ground: Ground) -> Verdict:
    result, why = _routed(app)
    seen = f"leaves by subnet {subnet.name}: {why}"
    if result is Result.VIOLATION:
        result, seen = exempted(app.id, _REQUIREMENT, policy, ground.estate, seen)
    return Verdict(app.id, _REQUIREMENT, result, policy.name, seen, _EXPECTED)


def _routed(app: Site) -> tuple[Result, str]:
    """An app in, whether its own traffic goes through its subnet and what else of it does not, out."""
    routing, properties = app.properties.outbound_vnet_routing, app.properties
    if routing is not None and routing.all_traffic:
        return Result.COMPLIANT, "with all its traffic"
    older = properties.site_config.vnet_route_all_enabled if properties.site_config else None
    newer = routing.application_traffic if routing else None
    said = [one for one in (newer, properties.vnet_route_all_enabled, older) if one is not None]
    if not said:
        return Result.UNKNOWN, "whether with all its traffic is not said"
    if True in said and False in said:
        return Result.UNKNOWN, "its settings contradict each other"
    if not said[0]:
        return Result.VIOLATION, _LEAVES
    if routing is None:
        return Result.COMPLIANT, "with all its own traffic"
    others = (
        ("its content share", routing.content_share_traffic),
        ("pulled images", routing.image_pull_traffic),
        ("backups", routing.backup_restore_traffic),
    )
    beside = " and ".join(name for name, through in others if not through)
    return Result.COMPLIANT, "with all its own traffic" + (f"; not with {beside}" if beside else "")
