"""What is judged and never repaired: ways in, and apps. An Estate and policies in; by network what was found out."""

from typing import Final

from governor.core import app_verdict, attached_verdict, ddos_verdict, ids, ingress_verdict
from governor.core.address_verdict import SeenAddresses
from governor.core.estate import Estate
from governor.core.front_doors import takes_links
from governor.core.fronts import gateways_in
from governor.core.ground import Audited, ground, together
from governor.core.occupancy import clusters_by_subnet
from governor.core.policy import Policies, Requirement
from governor.core.selection import by_network

REQUIREMENTS: Final = frozenset(
    {
        Requirement.INGRESS_PATH,
        Requirement.INGRESS_WAF,
        Requirement.INGRESS_NSG,
        Requirement.PUBLIC_IP_DDOS,
        Requirement.APP_ROUTE_ALL,
    }
)
_NOBODY: Final = SeenAddresses()


def audits_of(estate: Estate, policies: Policies, public: dict[str, SeenAddresses]) -> dict[str, Audited]:
    """An Estate, policies and who has public addresses in; by key of a network what audits found out."""
    ddos, attached = ddos_verdict.wanted(policies), attached_verdict.wanted(policies)
    held = ddos_verdict.held(estate) if ddos or attached else None
    apps = app_verdict.by_subnet(estate) if any(map(app_verdict.has_apps, estate.networks)) else {}
    using = {} if by_network(policies) else clusters_by_subnet(estate)
    found: dict[str, Audited] = {}
    for network in estate.networks:
        key = ids.key(network.id)
        seen = public.get(key, _NOBODY)
        has_apps = app_verdict.has_apps(network)
        leads_in = seen.judged or gateways_in(network) or takes_links(network)
        if held is None and not leads_in and not has_apps:
            continue  # nothing leads in, and no app out
        around = ground(network, using, estate, policies)
        parts = [ingress_verdict.of_network(around, seen)]
        if has_apps:
            parts.append(app_verdict.of_network(around, apps))
        if held is not None and ddos:
            parts.append(ddos_verdict.of_network(around, held))
        if held is not None and attached:
            parts.append(attached_verdict.of_network(around, held))
        found[key] = together(parts)
    return found
