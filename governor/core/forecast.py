"""What the world would look like: an Estate and steps in, the Estate after them out, or why Azure would refuse."""

from typing import Final

from msgspec import UNSET, Struct
from msgspec.structs import replace

from governor.core import address_effects, cluster_effects, effects, facts, ids, proxy_effects, request_effects
from governor.core.estate import AnyFact, Estate
from governor.core.occupancy import SPECIAL
from governor.core.step import (
    Attachment,
    DeleteAddress,
    DeleteNatGateway,
    DeletePeering,
    DeleteRoute,
    Step,
    WriteAzurePolicy,
    WriteCluster,
    WriteInterface,
    WritePeering,
    WritePropagation,
    WriteProxy,
    WriteRoute,
    WriteSubnet,
    WriteTag,
)

MAX_SUBNETS: Final = 800
_SQL: Final = "microsoft.sql/managedinstances"


class Refusal(Struct, frozen=True):
    """Azure would refuse this step, and why, in words."""

    step: Step
    why: str


def forecast(estate: Estate, steps: tuple[Step, ...]) -> Estate | Refusal:
    """An Estate and steps in; the Estate as it would be after them, or the first step Azure would refuse, out.

    What is made comes first and what is deleted comes last, as in every Plan; clusters come after their subnets.
    """
    known, absent = dict(estate.known), set(estate.absent)
    written: dict[str, dict[str, Attachment]] = {}
    deleted: list[DeleteNatGateway] = []
    clusters: list[WriteCluster] = []
    for step in steps:
        match step:
            case WriteSubnet():
                key = ids.key(step.target)
                written.setdefault(ids.parent(key), {})[key] = step.to
            case WriteCluster():
                clusters.append(step)
            case WriteProxy():
                if why := proxy_effects.write(step, known, estate.secrets):
                    return Refusal(step, why)
            case DeleteNatGateway():
                deleted.append(step)
            case WriteInterface() | WriteTag() | DeleteAddress():
                if why := address_effects.write(step, known, absent):
                    return Refusal(step, why)
            case WriteAzurePolicy():
                if why := request_effects.write(step, known, absent):
                    return Refusal(step, why)
            case WriteRoute() | DeleteRoute() | WritePropagation():
                if why := effects.route(step, known):
                    return Refusal(step, why)
            case WritePeering() | DeletePeering():
                if why := effects.peer(step, known):
                    return Refusal(step, why)
            case _:
                if why := effects.make(step, known, absent):
                    return Refusal(step, why)
    places: dict[str, tuple[facts.Subnet, facts.VirtualNetwork]] = {}
    for key, attachments in written.items():
        if isinstance(network := known.get(key), facts.VirtualNetwork):
            known[key] = _with(network, attachments, places)
    for cluster in clusters:
        if why := cluster_effects.write(cluster, known):
            return Refusal(cluster, why)
    judged = (known.get(ids.key(network.id), network) for network in estate.networks)
    networks = tuple(network for network in judged if isinstance(network, facts.VirtualNetwork))
    after = replace(estate, networks=networks, known=known, absent=frozenset(absent))
    served: dict[str, str] = {}
    for step in steps:
        if not isinstance(step, WriteSubnet):
            continue
        place = places.get(ids.key(step.target))
        why = refused(step, *place, after) if place else "the subnet does not exist"
        if why := why or _second_network(step, served):
            return Refusal(step, why)
    for step in deleted:
        if why := _delete(step, known):
            return Refusal(step, why)
    if deleted:
        gone = {ids.key(step.target) for step in deleted}
        known = {key: fact for key, fact in known.items() if key not in gone}
        after = replace(after, known=known, absent=after.absent | gone)
    return after


def with_subnet(subnet: facts.Subnet, to: Attachment) -> facts.Subnet:
    """A subnet and what is written into it in, the subnet after the write out."""
    properties = subnet.properties
    if to.nat_gateway is not UNSET:
        properties = replace(properties, nat_gateway=facts.Ref(to.nat_gateway) if to.nat_gateway else None)
    if to.route_table is not UNSET:
        properties = replace(properties, route_table=facts.Ref(to.route_table) if to.route_table else None)
    if to.default_outbound_access is not UNSET:
        properties = replace(properties, default_outbound_access=to.default_outbound_access)
    return replace(subnet, properties=properties)


def refused(step: WriteSubnet, subnet: facts.Subnet, network: facts.VirtualNetwork, after: Estate) -> str | None:
    """A write, its subnet and network, and the Estate afterwards in; why Azure would refuse it out.

    Rules: facts/azure.md 2.1, 1.1.
    """
    if subnet.name.casefold() in SPECIAL:
        return f"{subnet.name} is a subnet of Azure's own"
    for target in (step.to.nat_gateway, step.to.route_table):
        if not isinstance(target, str):
            continue
        fact = after.known.get(ids.key(target))
        if not isinstance(fact, facts.NatGateway | facts.RouteTable):
            return f"{ids.name(target)} does not exist"
        if _place(fact.id, fact.location) != _place(network.id, network.location):
            return f"{ids.name(target)} is in another subscription or region than the network"
        if isinstance(fact, facts.NatGateway) and (why := _gateway_refused(fact, subnet, network, after)):
            return why
    return None


def _gateway_refused(
    gateway: facts.NatGateway, subnet: facts.Subnet, network: facts.VirtualNetwork, after: Estate
) -> str | None:
    name = ids.name(gateway.id)
    if _SQL in (service.casefold() for service in subnet.delegated_to):
        return "a NAT gateway cannot serve a subnet of SQL managed instances"
    others = [r.id for r in gateway.properties.subnets or () if not ids.same(ids.parent(r.id), network.id)]
    if others:
        return f"NAT gateway {name} serves subnets of {ids.name(ids.parent(others[0]))}, and cannot serve two networks"
    served = {ids.key(r.id) for r in gateway.properties.subnets or ()} | {ids.key(subnet.id)}
    if len(served) > MAX_SUBNETS:
        return f"NAT gateway {name} serves {MAX_SUBNETS} subnets already"
    if basic := _basic(subnet, after):
        return f"a NAT gateway cannot serve a subnet with a Basic public IP address or load balancer: {basic}"
    return None


def _second_network(step: WriteSubnet, served: dict[str, str]) -> str | None:
    """A write of a subnet, and the network that each gateway serves before it, in; why it is one too many out."""
    if not isinstance(step.to.nat_gateway, str):
        return None
    network = ids.key(ids.parent(step.target))
    first = served.setdefault(ids.key(step.to.nat_gateway), network)
    if first == network:
        return None
    return (
        f"NAT gateway {ids.name(step.to.nat_gateway)} would serve {ids.name(first)} too, and cannot serve two networks"
    )


def _basic(subnet: facts.Subnet, estate: Estate) -> str | None:
    for reference in subnet.properties.ip_configurations or ():
        nic = estate.find(ids.parent(reference.id), facts.NetworkInterface)
        if not isinstance(nic, facts.NetworkInterface):
            continue
        for configuration in nic.properties.ip_configurations or ():
            holder = configuration.properties.public_ip_address
            address = estate.find(holder.id, facts.PublicIp) if holder else None
            pools = configuration.properties.load_balancer_backend_address_pools or ()
            balancers = (estate.find(ids.top_level(pool.id), facts.LoadBalancer) for pool in pools)
            for one in (address, *balancers):
                if isinstance(one, facts.PublicIp | facts.LoadBalancer) and (one.sku.name or "").casefold() == "basic":
                    return ids.name(one.id)
    return None


def _delete(step: DeleteNatGateway, known: dict[str, AnyFact]) -> str | None:
    key = ids.key(step.target)
    gateway = known.get(key)
    if not isinstance(gateway, facts.NatGateway):
        return None
    used = [s for s in gateway.properties.subnets or () if _still_attached(s.id, key, known)]
    return f"NAT gateway {ids.name(step.target)} is still used by {len(used)} subnets" if used else None


def _still_attached(subnet_id: str, gateway_key: str, known: dict[str, AnyFact]) -> bool:
    network = known.get(ids.key(ids.parent(subnet_id)))
    if not isinstance(network, facts.VirtualNetwork):
        return True
    for subnet in network.properties.subnets or ():
        if ids.same(subnet.id, subnet_id):
            return (
                subnet.properties.nat_gateway is not None and ids.key(subnet.properties.nat_gateway.id) == gateway_key
            )
    return False


def _with(
    network: facts.VirtualNetwork,
    written: dict[str, Attachment],
    places: dict[str, tuple[facts.Subnet, facts.VirtualNetwork]],
) -> facts.VirtualNetwork:
    """A network and what is written into it in, the network afterwards out; `places` learns what was written."""
    subnets = []
    for subnet in network.properties.subnets or ():
        key = ids.key(subnet.id)
        if to := written.get(key):
            subnet = with_subnet(subnet, to)
            places[key] = (subnet, network)
        subnets.append(subnet)
    return replace(network, properties=replace(network.properties, subnets=tuple(subnets)))


def _place(resource_id: str, location: str) -> tuple[str, str]:
    return ids.parse(resource_id).subscription.casefold(), location.casefold().replace(" ", "")
