"""Who holds an address in a hub: an address and the hub's network in; its Owner, and what is wrong with him, out."""

from collections.abc import Iterator

from msgspec import Struct

from governor.core import facts, ids, ranges
from governor.core.egress import trace
from governor.core.estate import Estate


class Owner(Struct, frozen=True):
    """Who holds an address: words for people, what is wrong with him, what must be read to know."""

    name: str = ""
    wrong: str = ""
    missing: tuple[str, ...] = ()
    unsettled: tuple[str, bool] | None = None


def owner_of(hop: str, network: facts.VirtualNetwork, estate: Estate) -> Owner:
    """Who holds an address in the hub: a firewall, an appliance that forwards, or a load balancer before some."""
    subnet = next((one for one in network.properties.subnets or () if ranges.holds(one.prefixes, hop)), None)
    nobody = Owner(wrong=f"{hop} is nobody's address in {network.name}")
    if subnet is None:
        return nobody
    missing: dict[str, None] = {}
    for holder in dict.fromkeys(ids.parent(one.id) for one in subnet.properties.ip_configurations or ()):
        match ids.kind(holder):
            case ids.FIREWALL:
                firewall = estate.find(holder, facts.Firewall)
                if isinstance(firewall, facts.Firewall) and hop in private_addresses(firewall):
                    return of_firewall(firewall, hop)
                missing.update({holder: None} if firewall is None else {})
            case ids.NETWORK_INTERFACE:
                nic = estate.find(holder, facts.NetworkInterface)
                if isinstance(nic, facts.NetworkInterface) and _has(nic.properties.ip_configurations, hop):
                    return _appliance(nic)
                missing.update({holder: None} if nic is None else {})
            case ids.LOAD_BALANCER:
                balancer = estate.find(holder, facts.LoadBalancer)
                if isinstance(balancer, facts.LoadBalancer):
                    if _has(balancer.properties.frontend_ip_configurations, hop):
                        return _behind(balancer, estate)
                elif balancer is None:
                    missing[holder] = None
            case _:
                pass
    return Owner(missing=tuple(missing)) if missing else nobody


def shut_in(hop: str, network: facts.VirtualNetwork, estate: Estate) -> str:
    """Why an appliance could not send anything on: where it lives there is no way out."""
    subnet = next((one for one in network.properties.subnets or () if ranges.holds(one.prefixes, hop)), None)
    path = trace(subnet, network, estate) if subnet else None
    shut = path is not None and bool(path.ways) and not path.works
    return f"{network.name}/{subnet.name}, where {hop} lives, has no way out" if subnet and shut else ""


def of_firewall(firewall: facts.Firewall, hop: str) -> Owner:
    name, state = ids.name(firewall.id), firewall.properties.provisioning_state
    if state is not None and state != facts.SUCCEEDED:
        return Owner(unsettled=(f"firewall {name} is {state}", state.casefold() in facts.WRITING))
    if hop not in private_addresses(firewall):
        return Owner(wrong=f"{hop} is not the address of firewall {name}")
    return Owner(f"firewall {name}")


def private_addresses(firewall: facts.Firewall) -> Iterator[str]:
    for configuration in firewall.properties.ip_configurations or ():
        if configuration.properties.private_ip_address:
            yield configuration.properties.private_ip_address


def _appliance(nic: facts.NetworkInterface) -> Owner:
    if not nic.properties.enable_ip_forwarding:
        return Owner(wrong=f"network interface {ids.name(nic.id)} does not forward (enableIPForwarding)")
    machine = nic.properties.virtual_machine
    if machine is None:
        return Owner(wrong=f"network interface {ids.name(nic.id)} is no machine's")
    return Owner(f"appliance {ids.name(machine.id)}")


def _behind(balancer: facts.LoadBalancer, estate: Estate) -> Owner:
    """An internal load balancer in: the appliances behind it must be there, and forward."""
    name = ids.name(balancer.id)
    members = [
        ids.parent(one.id)
        for pool in balancer.properties.backend_address_pools or ()
        for one in pool.properties.backend_ip_configurations or ()
    ]
    if not members:
        return Owner(wrong=f"load balancer {name} has nobody behind it")
    missing: list[str] = []
    for member in dict.fromkeys(members):
        if ids.kind(member) != ids.NETWORK_INTERFACE:
            continue  # instances of a scale set: their interfaces cannot be read by id
        nic = estate.find(member, facts.NetworkInterface)
        if isinstance(nic, facts.NetworkInterface):
            if not nic.properties.enable_ip_forwarding:
                return Owner(wrong=f"{ids.name(member)} behind load balancer {name} does not forward")
        elif nic is None:
            missing.append(member)
    return Owner(f"appliances behind load balancer {name}", missing=tuple(missing))


def _has(configurations: tuple[facts.IpConfiguration, ...] | None, hop: str) -> bool:
    return any(one.properties.private_ip_address == hop for one in configurations or ())
