"""Public addresses of services that `publicIps.allow` does not name (`attachedTo`): a network in, Verdicts out.

The services are those that let the internet in, each by its own address in a subnet of its own; so it is `ingress-path`
that says it, of the address. A NAT gateway lets nobody in, and its address is allowed with the way out.
"""

from typing import Final

from governor.core import facts, ids
from governor.core.address_verdict import allowed
from governor.core.ddos_verdict import Held
from governor.core.estate import list_of
from governor.core.ground import NOTHING, Audited, Ground, lodgers, together
from governor.core.holder import known
from governor.core.policy import Policies, Policy, Requirement
from governor.core.policy_terms import Attachment
from governor.core.verdict import Result, Verdict, exempted

_REQUIREMENT: Final = Requirement.INGRESS_PATH
_EXPECTED: Final = "an address that publicIps.allow names"
# Of a gateway its body says for what it is, and the lists of addresses do not: either word allows it.
_KINDS: Final[dict[str, tuple[Attachment, ...]]] = {
    ids.FIREWALL: ("azureFirewall",),
    ids.APPLICATION_GATEWAY: ("applicationGateway",),
    ids.VIRTUAL_NETWORK_GATEWAY: ("vpnGateway", "expressRouteGateway"),
    "microsoft.network/bastionhosts": ("bastion",),
    "microsoft.network/virtualhubs": ("routeServer", "virtualHub"),
}


def wanted(policies: Policies) -> bool:
    """Whether any policy leaves out one of the services that may have addresses."""
    return any(_is_strict(policy) for policy in policies)


def _is_strict(policy: Policy) -> bool:
    free = {kind for one in policy.public_ips.allow if not (one.names or one.tags) for kind in one.attached_to}
    judged = {kind for kinds in _KINDS.values() for kind in kinds}
    return policy.public_ips.default != "allow" and not judged <= free


def of_network(ground: Ground, held: Held) -> Audited:
    """A network and who has public addresses in; those of services in it that its policies do not allow out."""
    return together(
        _of_subnet(subnet, policy, ground, held)
        for subnet in ground.subnets
        if (policy := ground.governs(ids.key(subnet.id))) is not None and _is_strict(policy)
    )


def _of_subnet(subnet: facts.Subnet, policy: Policy, ground: Ground, held: Held) -> Audited:
    services = {ids.key(one): one for one in lodgers(subnet) if ids.kind(one) in _KINDS}
    if not services:
        return NOTHING
    name = list_of("publicIpAddresses", f"/subscriptions/{ids.parse(subnet.id).subscription}")
    if not ground.estate.has_listed(name):
        seen = f"public addresses of {', '.join(map(ids.name, services.values()))}: {ground.estate.why(name)}"
        return Audited((Verdict(subnet.id, _REQUIREMENT, Result.UNKNOWN, policy.name, seen),), (name,))
    found = (
        _verdict(address, service, policy, ground)
        for key, service in sorted(services.items())
        for address in held.addresses.get(key, ())
    )
    return Audited(tuple(one for one in found if one is not None))


def _verdict(address: facts.PublicIp, service: str, policy: Policy, ground: Ground) -> Verdict | None:
    kinds = _KINDS[ids.kind(service)]
    if allowed(known(address), policy.public_ips.allow, kinds):
        return None
    ip = address.properties.ip_address
    named = " or ".join(kinds)
    seen = f"{ip or 'no address yet'} ({ids.name(address.id)}) on {ids.name(service)}; no entry allows it as {named}"
    result, seen = exempted(address.id, _REQUIREMENT, policy, ground.estate, seen)
    return Verdict(address.id, _REQUIREMENT, result, policy.name, seen, _EXPECTED, (ip,) if ip else ())
