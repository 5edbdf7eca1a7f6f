"""What was written, and how far it is proven that it is so: steps and the Estate afterwards in, Proofs out.

The words are those of safety.md 14. A NAT gateway is no route and is seen in no effective routes: it is proven by its
attachment, and by no route that wins over it. A route is proven by the effective routes of a running machine.
"""

from collections.abc import Iterable
from enum import StrEnum
from typing import Final

from msgspec import Struct

from governor.core import facts, ids
from governor.core.cluster import Cluster
from governor.core.egress import nat_gateway_of
from governor.core.estate import NOT_READ, Estate, effective_routes
from governor.core.judged import Judged, look
from governor.core.path import EgressPath, Method, describe
from governor.core.policy import Policies
from governor.core.step import (
    DeleteRoute,
    Step,
    WriteCluster,
    WriteInterface,
    WriteProxy,
    WriteRoute,
    WriteSubnet,
)

_EVERYTHING: Final = "0.0.0.0/0"
# The halves of the internet are more specific than 0.0.0.0/0, and win over it.
_DEFAULTS: Final = (("0.0.0.0/1", "128.0.0.0/1"), (_EVERYTHING,))


class Word(StrEnum):
    """How far something is proven; nothing else is said of it."""

    ROUTE = "route proven"
    CONFIGURATION = "configuration proven"
    TRAFFIC = "traffic seen"
    NOT = "not provable"


class Proof(Struct, frozen=True):
    """A subnet, the word for how it leaves now, and what that word stands on."""

    resource: str
    word: Word
    seen: str


def proofs(steps: Iterable[Step], estate: Estate, policies: Policies) -> tuple[Proof, ...]:
    """Steps that were done and what was read after them in; the Proof of each subnet whose way out they touch out."""
    return tuple(_of(one, estate) for one in _touched(steps, estate, policies))


def asked(steps: Iterable[Step], estate: Estate, policies: Policies) -> tuple[str, ...]:
    """Steps that were done in; what must be read to prove them out: interfaces, and of each table one's routes."""
    done = tuple(steps)
    witnesses: dict[str, str] = {}
    for judged in _touched(done, estate, policies):
        routed = judged.path is not None and Method.APPLIANCE in judged.path.methods
        if routed and (witness := _witness(judged, estate)):
            witnesses.setdefault(_table_of(judged), witness)
    written = (step.target for step in done if isinstance(step, WriteInterface))
    return (*written, *(effective_routes(nic) if _is_known(nic, estate) else nic for nic in witnesses.values()))


def _touched(steps: Iterable[Step], estate: Estate, policies: Policies) -> list[Judged]:
    """The judged subnets whose way out a step has changed: its own, those of a table, cluster or interface."""
    keys: set[str] = set()
    tables: set[str] = set()
    for step in steps:
        match step:
            case WriteSubnet():
                keys.add(ids.key(step.target))
            case WriteRoute() | DeleteRoute():
                tables.add(ids.key(ids.parent(step.target)))
            case WriteCluster() | WriteProxy():
                cluster = estate.find(step.target, Cluster)
                keys |= {ids.key(one) for one in cluster.subnets} if isinstance(cluster, Cluster) else set()
            case WriteInterface():
                nic = estate.find(step.target, facts.NetworkInterface)
                inside = (nic.properties.ip_configurations or ()) if isinstance(nic, facts.NetworkInterface) else ()
                keys |= {ids.key(one.properties.subnet.id) for one in inside if one.properties.subnet}
            case _:
                pass
    if not (keys or tables):
        return []
    return [one for one in look(estate, policies) if ids.key(one.subnet.id) in keys or _table_of(one) in tables]


def _is_known(nic: str, estate: Estate) -> bool:
    return isinstance(estate.find(nic, facts.NetworkInterface), facts.NetworkInterface)


def _table_of(judged: Judged) -> str:
    named = judged.subnet.properties.route_table
    return ids.key(named.id) if named else ""


def _of(judged: Judged, estate: Estate) -> Proof:
    subnet, path = judged.subnet, judged.path
    if path is None or not path.ways:
        why = path.unsettled[0] if path and path.unsettled else judged.verdicts[0].seen if judged.verdicts else ""
        return Proof(subnet.id, Word.NOT, why or "how it leaves is not known")
    said = describe(path)
    if judged.policy and judged.policy.egress.proxy and path.methods == {Method.NONE} and judged.occupants.clusters:
        return Proof(
            subnet.id, Word.CONFIGURATION, f"{said} but the proxy of its clusters; whether that answers is not seen"
        )
    if path.methods == {Method.APPLIANCE}:
        return _routed(judged, path, said, estate)
    if path.methods == {Method.NAT_GATEWAY} and nat_gateway_of(subnet, judged.network):
        seen = f"{said} is attached and no route wins over it; it is in no effective routes"
        return Proof(subnet.id, Word.CONFIGURATION, seen)
    return Proof(subnet.id, Word.CONFIGURATION, said)


def _routed(judged: Judged, path: EgressPath, said: str, estate: Estate) -> Proof:
    """A subnet that leaves by an appliance: what a running machine behind its route table says of its routes."""
    subnet = judged.subnet
    nic = _witness(judged, estate)
    if not nic:
        seen = f"{said} is attached; no machine in it has effective routes to ask for"
        return Proof(subnet.id, Word.CONFIGURATION, seen)
    told = estate.find(ids.effective_routes(nic), facts.EffectiveRoutes)
    if not isinstance(told, facts.EffectiveRoutes):
        why = estate.why(effective_routes(nic))
        seen = f"{said} is attached; the effective routes of {ids.name(nic)}: {why}"
        return Proof(subnet.id, Word.CONFIGURATION, seen)
    hops = _default_hops(told)
    shown = ", ".join(sorted(hops)) or "nothing"
    if hops == {way.via for way in path.ways}:
        return Proof(subnet.id, Word.ROUTE, f"{_EVERYTHING} -> {shown} in the effective routes of {ids.name(nic)}")
    seen = f"{said} is attached, and the effective routes of {ids.name(nic)} lead {_EVERYTHING} to {shown}"
    return Proof(subnet.id, Word.NOT, seen)


def _default_hops(told: facts.EffectiveRoutes) -> set[str]:
    """Effective routes in, where the active ones for the internet lead out."""
    active = [one for one in told.value if (one.state or "").casefold() == "active"]
    for prefixes in _DEFAULTS:
        winning = [one for one in active if not set(prefixes).isdisjoint(one.address_prefix or ())]
        if winning:
            return {hop for one in winning for hop in one.next_hop_ip_address or (one.next_hop_type or "nothing",)}
    return set()


def _witness(judged: Judged, estate: Estate) -> str:
    """The interface in a subnet whose effective routes can be asked for: a machine's, or one not read yet; "" if none.

    Of instances of a scale set the interfaces are no resources of their own.
    """
    found = {
        ids.key(ids.parent(one.id)): ids.parent(one.id) for one in judged.subnet.properties.ip_configurations or ()
    }
    for _, nic in sorted(found.items()):
        if ids.kind(nic) != ids.NETWORK_INTERFACE:
            continue
        fact = estate.find(nic, facts.NetworkInterface)
        if fact is None and estate.why(ids.key(nic)) == NOT_READ:
            return nic
        if isinstance(fact, facts.NetworkInterface) and fact.properties.virtual_machine is not None:
            return nic
    return ""
