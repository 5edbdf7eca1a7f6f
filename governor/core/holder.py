"""What holds public addresses: an interface, scale set, load balancer or address of nobody in, Holders out."""

from msgspec import Struct

from governor.core import facts, ids
from governor.core.address_facts import InstanceAddresses, ScaleSet
from governor.core.estate import Estate, list_of
from governor.core.policy import Requirement


class Address(Struct, frozen=True):
    """A public address or prefix. ip: 203.0.113.1, or "" with why there is none. tags: None where it was not read."""

    id: str
    ip: str
    why: str = ""
    basic: bool = False
    tags: facts.Tags | None = None


class Holder(Struct, frozen=True):
    """What has public addresses, or is one that is attached to nothing. shown: what it is, for people.

    subnet: the key of the one it lives in, "" where that is not known. model: every new instance gets one as well.
    only_outbound: a frontend that lets nobody in.
    """

    id: str
    requirement: Requirement
    shown: str
    addresses: tuple[Address, ...]
    tags: facts.Tags | None = None
    subnet: str = ""
    location: str = ""
    state: str | None = None
    forwards: bool = False
    model: bool = False
    only_outbound: bool = False


class Found(Struct, frozen=True):
    """Holders, and what must be read to know all of them: lists by name, resources by id."""

    holders: tuple[Holder, ...] = ()
    missing: tuple[str, ...] = ()


def public_frontends(balancer: facts.LoadBalancer) -> tuple[facts.IpConfiguration, ...]:
    """A load balancer in, its frontends with a public address or prefix out."""
    frontends = balancer.properties.frontend_ip_configurations or ()
    return tuple(one for one in frontends if one.properties.public_ip_address or one.properties.public_ip_prefix)


def letting_in(balancer: facts.LoadBalancer) -> set[str]:
    """A load balancer in, the keys of its frontends by which a rule lets somebody in out."""
    properties = balancer.properties
    rules = (*(properties.inbound_nat_rules or ()), *(properties.inbound_nat_pools or ()))
    named = (
        *(rule.properties.frontend_ip_configuration for rule in properties.load_balancing_rules or ()),
        *(rule.properties.frontend_ip_configuration for rule in rules),
    )
    return {ids.key(ref.id) for ref in named if ref is not None}


def is_unattached(address: facts.PublicIp | facts.PublicIpPrefix) -> bool:
    """An address or prefix in, whether its own body names nobody who has it out."""
    properties = address.properties
    if isinstance(properties, facts.PublicIpProperties):
        return properties.ip_configuration is None and properties.nat_gateway is None
    return not (
        properties.public_ip_addresses or properties.load_balancer_frontend_ip_configuration or properties.nat_gateway
    )


def of_interface(holder: str, subnet: str, estate: Estate) -> Found:
    nic = estate.find(holder, facts.NetworkInterface)
    if not isinstance(nic, facts.NetworkInterface):
        return Found(missing=(holder,))
    properties = nic.properties
    given = (one.properties.public_ip_address for one in properties.ip_configurations or ())
    held = tuple(_address(ref.id, estate) for ref in given if ref is not None)
    if not held:
        return Found()  # it was taken off since the addresses were listed
    machine = properties.virtual_machine
    shown = f"virtual machine {ids.name(machine.id)}" if machine else f"network interface {ids.name(nic.id)}"
    found = Holder(
        nic.id,
        Requirement.NIC_PUBLIC_IP,
        shown,
        held,
        nic.tags,
        subnet,
        nic.location,
        properties.provisioning_state,
        forwards=bool(properties.enable_ip_forwarding),
    )
    return Found((found,))


def of_scale_set(holder: str, subnet: str, estate: Estate) -> Found:
    """The instances of a scale set are asked only where its model says that there are addresses."""
    model = estate.find(holder, ScaleSet)
    if not isinstance(model, ScaleSet):
        return Found(missing=(holder,))
    if not model.gives_addresses:
        return Found()
    name = list_of("instanceAddresses", model.id)
    told = estate.find(ids.instance_addresses(model.id), InstanceAddresses)
    found = Holder(
        model.id,
        Requirement.VMSS_PUBLIC_IP,
        f"scale set {ids.name(model.id)}",
        tuple(known(one) for one in told.value) if isinstance(told, InstanceAddresses) else (),
        model.tags,
        subnet,
        model.location,
        model.properties.provisioning_state,
        forwards=model.forwards,
        model=True,
    )
    return Found((found,), () if estate.has_listed(name) else (name,))


def of_balancer(balancer: facts.LoadBalancer, subnet: str, estate: Estate) -> Found:
    properties = balancer.properties
    inbound = letting_in(balancer)
    outbound = {
        ids.key(ref.id)
        for rule in properties.outbound_rules or ()
        for ref in rule.properties.frontend_ip_configurations or ()
    }
    found: list[Holder] = []
    for frontend in public_frontends(balancer):
        refs = (frontend.properties.public_ip_address, frontend.properties.public_ip_prefix)
        found.append(
            Holder(
                frontend.id,
                Requirement.LOAD_BALANCER_PUBLIC_FRONTEND,
                f"load balancer {ids.name(balancer.id)}",
                tuple(_address(ref.id, estate) for ref in refs if ref is not None),
                balancer.tags,
                subnet,
                balancer.location,
                properties.provisioning_state,
                only_outbound=ids.key(frontend.id) in outbound - inbound,
            )
        )
    return Found(tuple(found))


def alone(fact: facts.PublicIp | facts.PublicIpPrefix) -> Holder:
    return Holder(
        fact.id,
        Requirement.PUBLIC_IP_UNATTACHED,
        "nothing",
        (known(fact),),
        fact.tags,
        location=fact.location,
        state=fact.properties.provisioning_state,
    )


def _address(ref: str, estate: Estate) -> Address:
    """The id of an address or prefix in, what is known of it out."""
    fact = estate.known.get(ids.key(ref))
    if isinstance(fact, facts.PublicIp | facts.PublicIpPrefix):
        return known(fact)
    return Address(ref, "", f"an address that was not read: {estate.why(ids.key(ref))}")


def known(fact: facts.PublicIp | facts.PublicIpPrefix) -> Address:
    """A public address or prefix that was read in, what is known of it out."""
    properties = fact.properties
    ip = properties.ip_address if isinstance(properties, facts.PublicIpProperties) else properties.ip_prefix
    basic = (fact.sku.name or "").casefold() == "basic"
    return Address(fact.id, ip or "", "no address yet", basic, fact.tags or {})
