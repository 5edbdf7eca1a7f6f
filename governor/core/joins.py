"""What the body of an interface or an address names, and who writes it must be allowed to join: facts in, Rights out.

Azure asks for it again with every write, also for what was there before (facts/azure.md 9).
"""

from collections.abc import Iterator
from typing import Final

from msgspec import Struct

from governor.core import facts, ids
from governor.core.address_step import WriteInterface

_NETWORK: Final = "Microsoft.Network"
ADDRESS: Final = f"{_NETWORK}/publicIPAddresses/join/action"


class Right(Struct, frozen=True):
    """An action, and the id of the resource on which it is needed."""

    action: str
    scope: str


def of_interface(step: WriteInterface, nic: facts.NetworkInterface) -> tuple[Right, ...]:
    """A write of an interface and the interface before it in, what its body names after it out."""
    return tuple(dict.fromkeys(_of_interface(step, nic)))


def _of_interface(step: WriteInterface, nic: facts.NetworkInterface) -> Iterator[Right]:
    if nic.properties.network_security_group:
        yield Right(f"{_NETWORK}/networkSecurityGroups/join/action", nic.properties.network_security_group.id)
    for configuration in nic.properties.ip_configurations or ():
        inside = configuration.properties
        if inside.subnet:
            yield Right(f"{_NETWORK}/virtualNetworks/subnets/join/action", inside.subnet.id)
        present = inside.public_ip_address.id if inside.public_ip_address else None
        if address := step.to.get(configuration.name, present):
            yield Right(ADDRESS, address)
        for group in inside.application_security_groups or ():
            yield Right(f"{_NETWORK}/applicationSecurityGroups/joinIpConfiguration/action", group.id)
        # Whoever may join a part is told at the whole.
        for parts, kind in (
            (inside.load_balancer_backend_address_pools, "loadBalancers/backendAddressPools"),
            (inside.load_balancer_inbound_nat_rules, "loadBalancers/inboundNatRules"),
            (inside.application_gateway_backend_address_pools, "applicationGateways/backendAddressPools"),
        ):
            yield from (Right(f"{_NETWORK}/{kind}/join/action", ids.top_level(part.id)) for part in parts or ())


def of_address(address: facts.PublicIp | facts.PublicIpPrefix) -> tuple[Right, ...]:
    """A public address or prefix in, what its body names of its own choice out: the prefix it is from, a plan."""
    if isinstance(address, facts.PublicIpPrefix):
        return ()
    prefix, ddos = address.properties.public_ip_prefix, address.properties.ddos_settings
    named = [Right(f"{_NETWORK}/publicIPPrefixes/join/action", prefix.id)] if prefix else []
    if ddos and ddos.ddos_protection_plan:
        named.append(Right(f"{_NETWORK}/ddosProtectionPlans/join/action", ddos.ddos_protection_plan.id))
    return tuple(named)
