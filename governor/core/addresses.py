"""Who holds public addresses: an Estate in; the holders in a network, or in none, and what must be read to know them.

A list of all addresses of a subscription says where each is attached, so machines without one are not read at all.
"""

from collections.abc import Iterable, Iterator
from typing import Final

from msgspec import Struct

from governor.core import facts, ids
from governor.core.address_facts import InstanceAddresses, ScaleSet
from governor.core.cluster import Cluster
from governor.core.estate import NOT_READ, Estate, clusters, list_of
from governor.core.nodes import Nodes, pool_of
from governor.core.occupancy import SPECIAL, clusters_known
from governor.core.policy import Policies, Requirement


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


NOBODY: Final = Found()


class Places(Struct, frozen=True):
    """An Estate by where things are attached. holding: public addresses by key of the ip configuration that has them.

    reached: load balancers with a public frontend, by key of an ip configuration behind them, or of a network.
    """

    holding: dict[str, facts.PublicIp]
    interfaces: dict[str, facts.NetworkInterface]
    reached: dict[str, dict[str, facts.LoadBalancer]]
    placeless: tuple[facts.LoadBalancer, ...]


def wanted(policies: Policies) -> bool:
    """Whether any policy asks who has public addresses."""
    return any(policy.public_ips.default != "allow" for policy in policies)


def places(estate: Estate) -> Places:
    """An Estate in, what is attached where out."""
    holding: dict[str, facts.PublicIp] = {}
    interfaces: dict[str, facts.NetworkInterface] = {}
    reached: dict[str, dict[str, facts.LoadBalancer]] = {}
    placeless: list[facts.LoadBalancer] = []
    for _, fact in sorted(estate.known.items()):
        match fact:
            case facts.PublicIp() if fact.properties.ip_configuration:
                holding[ids.key(fact.properties.ip_configuration.id)] = fact
            case facts.NetworkInterface():
                for one in fact.properties.ip_configurations or ():
                    if one.properties.public_ip_address:
                        interfaces[ids.key(one.id)] = fact
            case facts.LoadBalancer() if public_frontends(fact):
                behind = tuple(map(ids.key, reaches(fact)))
                for key in behind:
                    reached.setdefault(key, {})[ids.key(fact.id)] = fact
                if not behind:
                    placeless.append(fact)
            case _:
                pass
    return Places(holding, interfaces, reached, tuple(placeless))


def public_frontends(balancer: facts.LoadBalancer) -> tuple[facts.IpConfiguration, ...]:
    """A load balancer in, its frontends with a public address or prefix out."""
    frontends = balancer.properties.frontend_ip_configurations or ()
    return tuple(one for one in frontends if one.properties.public_ip_address or one.properties.public_ip_prefix)


def reaches(balancer: facts.LoadBalancer) -> Iterator[str]:
    """The ids of ip configurations behind a load balancer, and of networks that it names."""
    properties = balancer.properties
    for frontend in properties.frontend_ip_configurations or ():
        if frontend.properties.subnet:
            yield ids.parent(frontend.properties.subnet.id)
    for pool in properties.backend_address_pools or ():
        yield from (ref.id for ref in pool.properties.backend_ip_configurations or ())
        if pool.properties.virtual_network:
            yield pool.properties.virtual_network.id
        for one in pool.properties.load_balancer_backend_addresses or ():
            if one.properties.virtual_network:
                yield one.properties.virtual_network.id
            if one.properties.subnet:
                yield ids.parent(one.properties.subnet.id)
    for rule in properties.inbound_nat_rules or ():
        if rule.properties.backend_ip_configuration:
            yield rule.properties.backend_ip_configuration.id


def of_network(network: facts.VirtualNetwork, places: Places, estate: Estate) -> Found:
    """A network in, who in it has public addresses out; nobody where nobody lives."""
    lodging = {
        ids.key(ref.id): (ref.id, ids.key(subnet.id))
        for subnet in network.properties.subnets or ()
        if subnet.name.casefold() not in SPECIAL
        for ref in subnet.properties.ip_configurations or ()
    }
    if not any(_may_hold(key) for key in lodging):
        return Found()
    subscription = _subscription(network.id)
    lists = (list_of("publicIpAddresses", subscription), list_of("loadBalancers", subscription))
    missing = [name for name in lists if not estate.has_listed(name)]
    balancers = dict(places.reached.get(ids.key(network.id), {}))
    machines: dict[str, tuple[str, str]] = {}
    nodes, known = Nodes(estate), clusters_known(network, estate)
    for key, (configuration, subnet) in sorted(lodging.items()):
        holder = ids.top_level(configuration)
        kind = ids.kind(holder)
        named = kind == ids.NETWORK_INTERFACE and (key in places.holding or key in places.interfaces)
        if named or (kind == ids.SCALE_SET and not _is_plain(holder, nodes.cluster(holder))):
            machines.setdefault(ids.key(holder), (holder, subnet))
        balancers.update(places.reached.get(key, {}))
    name = clusters(ids.parse(network.id).subscription)
    if not known and estate.why(name) == NOT_READ and any(ids.kind(one) == ids.SCALE_SET for one in machines):
        # Its cluster may say what a scale set gives its instances.
        machines = {key: one for key, one in machines.items() if ids.kind(key) != ids.SCALE_SET}
        missing.append(name)
    found = [
        (_of_scale_set if ids.kind(holder) == ids.SCALE_SET else _of_interface)(holder, subnet, estate)
        for holder, subnet in machines.values()
    ]
    for balancer in balancers.values():
        subnet = next((lodging[key][1] for key in sorted(map(ids.key, reaches(balancer))) if key in lodging), "")
        found.append(_of_balancer(balancer, subnet, estate))
    return _joined(found, missing, estate)


def of_remainder(subscription: str, places: Places, estate: Estate) -> Found:
    """A subscription in, what has or is a public address and lives in none of its networks out."""
    scope = f"/subscriptions/{subscription}"
    lists = [list_of(what, scope) for what in ("publicIpAddresses", "publicIpPrefixes", "loadBalancers")]
    missing = [name for name in lists if not estate.has_listed(name)]
    here = f"{scope.casefold()}/"
    found = [_of_balancer(one, "", estate) for one in places.placeless if ids.key(one.id).startswith(here)]
    known: list[facts.PublicIp | facts.PublicIpPrefix] = [*estate.all(facts.PublicIp)]
    known += estate.all(facts.PublicIpPrefix)
    alone = (one for one in known if ids.key(one.id).startswith(here) and is_unattached(one))
    found.append(Found(tuple(_alone(one) for one in alone)))
    return _joined(found, missing, estate)


def is_unattached(address: facts.PublicIp | facts.PublicIpPrefix) -> bool:
    """An address or prefix in, whether its own body names nobody who has it out."""
    properties = address.properties
    if isinstance(properties, facts.PublicIpProperties):
        return properties.ip_configuration is None and properties.nat_gateway is None
    return not (
        properties.public_ip_addresses or properties.load_balancer_frontend_ip_configuration or properties.nat_gateway
    )


def _is_plain(scale_set: str, cluster: Cluster | None) -> bool:
    """Whether a scale set is that of a pool which gives its nodes no public addresses, as its cluster says.

    The addresses of a pool of mode Gateway are there to be left by, and are the cluster's.
    """
    if cluster is None:
        return False
    pool = pool_of(cluster, ids.name(scale_set))
    if pool is not None:
        return not pool.has_public_nodes
    return not any(one.has_public_nodes for one in cluster.pools)


def _may_hold(configuration: str) -> bool:
    return ids.kind(configuration).startswith((ids.NETWORK_INTERFACE, ids.SCALE_SET, ids.LOAD_BALANCER))


def _subscription(resource: str) -> str:
    return f"/subscriptions/{ids.parse(resource).subscription}"


def _joined(parts: Iterable[Found], missing: list[str], estate: Estate) -> Found:
    """What was found in, all of it out, in the order of ids; addresses that are named and were not read are missing."""
    holders: dict[str, Holder] = {}
    for part in parts:
        holders.update({ids.key(one.id): one for one in part.holders})
        missing += part.missing
    named = (one.id for holder in holders.values() for one in holder.addresses if one.tags is None)
    missing += [one for one in named if ids.kind(one) in (ids.PUBLIC_IP, ids.PUBLIC_IP_PREFIX)]
    return Found(tuple(holders[key] for key in sorted(holders)), tuple(dict.fromkeys(missing)))


def _address(ref: str, estate: Estate) -> Address:
    """The id of an address or prefix in, what is known of it out."""
    fact = estate.known.get(ids.key(ref))
    if isinstance(fact, facts.PublicIp | facts.PublicIpPrefix):
        return _known(fact)
    return Address(ref, "", f"an address that was not read: {estate.why(ids.key(ref))}")


def _known(fact: facts.PublicIp | facts.PublicIpPrefix) -> Address:
    properties = fact.properties
    ip = properties.ip_address if isinstance(properties, facts.PublicIpProperties) else properties.ip_prefix
    basic = (fact.sku.name or "").casefold() == "basic"
    return Address(fact.id, ip or "", "no address yet", basic, fact.tags or {})


def _alone(fact: facts.PublicIp | facts.PublicIpPrefix) -> Holder:
    return Holder(
        fact.id,
        Requirement.PUBLIC_IP_UNATTACHED,
        "nothing",
        (_known(fact),),
        fact.tags,
        location=fact.location,
        state=fact.properties.provisioning_state,
    )


def _of_interface(holder: str, subnet: str, estate: Estate) -> Found:
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


def _of_scale_set(holder: str, subnet: str, estate: Estate) -> Found:
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
        tuple(_known(one) for one in told.value) if isinstance(told, InstanceAddresses) else (),
        model.tags,
        subnet,
        model.location,
        model.properties.provisioning_state,
        forwards=model.forwards,
        model=True,
    )
    return Found((found,), () if estate.has_listed(name) else (name,))


def _of_balancer(balancer: facts.LoadBalancer, subnet: str, estate: Estate) -> Found:
    properties = balancer.properties
    rules = (*(properties.inbound_nat_rules or ()), *(properties.inbound_nat_pools or ()))
    letting_in = (
        *(rule.properties.frontend_ip_configuration for rule in properties.load_balancing_rules or ()),
        *(rule.properties.frontend_ip_configuration for rule in rules),
    )
    inbound = {ids.key(ref.id) for ref in letting_in if ref is not None}
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
