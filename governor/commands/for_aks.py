"""How to make an AKS cluster that complies in a subnet: what is known of the subnet in, flags and what else out.

Whoever makes the cluster reads this before he does: AKS refuses a type whose subnet is not ready for it.
"""

from collections.abc import Iterator
from typing import Final

from governor.commands import words
from governor.commands.explaining import Explained
from governor.commands.for_aks_proxy import PROXY_FILE, proxy_lines
from governor.core import ids, outbound_type, ranges
from governor.core.cluster import Cluster
from governor.core.facts import Subnet
from governor.core.occupancy import SPECIAL
from governor.core.outbound_type import NONE, OWN_NAT, ROUTED
from governor.core.plan import Gate, Remediation, Withheld
from governor.core.policy import PathKind, Policy
from governor.core.step import WriteCluster, WriteSubnet
from governor.core.verdict import Result, Verdict

# facts/azure.md 4.4, public cloud; what the add-ons of a cluster need comes on top of it.
_NAMES: Final = (
    *("*.hcp.{region}.azmk8s.io", "mcr.microsoft.com", "*.data.mcr.microsoft.com", "mcr-0001.mcr-msedge.net"),
    *("management.azure.com", "login.microsoftonline.com", "packages.microsoft.com", "packages.aks.azure.com"),
    "acs-mirror.azureedge.net",
)
_JOIN: Final = "Microsoft.Network/virtualNetworks/subnets/join/action"
# `az aks create` makes three nodes, and one more comes for an upgrade; each with 30 pods, if these live in the subnet.
_NODES: Final = 4
_WITH_PODS: Final = 31
_NEEDED: Final = f"and three nodes with one more for upgrades need {_NODES}, with their pods {_NODES * _WITH_PODS}"
# Of each prefix of a subnet Azure keeps the first four addresses and the last.
_AZURES: Final = 5
Lines = Iterator[tuple[str, str]]


def lines(one: Explained) -> Lines:
    """A subnet with all that is known of it in; lines for people, what and the text, out."""
    subnet, policy, why = one.judged.subnet, one.judged.policy, _unfit(one)
    if policy is None or why:
        yield "for AKS", why or "no policy governs it: it asks for no outboundType"
        return
    wanted = _type(policy)
    if taken := one.judged.occupants.clusters:
        yield "taken", f"by cluster {', '.join(map(ids.name, taken))}: give each cluster its own subnets"
    if policy.clusters.private_api_server == "audit" and policy.egress.proxy is None:
        yield "private", "add --enable-private-cluster, or its API server is told as a violation of cluster-private-api"
    if policy.clusters.node_public_ips != "allow":
        yield "not", "--enable-node-public-ip, --node-public-ip-prefix-id: no public addresses on nodes"
    if wanted:
        yield from _first(one, wanted)
    if policy.egress.proxy is not None:
        yield from proxy_lines(policy.egress.proxy)
    if (left := _room(subnet)) is not None and left < _NODES * _WITH_PODS:
        yield "room", f"{left} addresses left, {_NEEDED}: here pods get theirs from an overlay"
    yield from _identity(subnet.id, wanted)
    if policy.egress.proxy is None:
        yield from _allow(one, wanted)


def _unfit(one: Explained) -> str:
    """Why no cluster should be made in a subnet, or nothing is asked of one there; "" where neither is so."""
    subnet, egress = one.judged.subnet, _egress(one)
    servers = [c for c in one.estate.all(Cluster) if ids.same(c.api_server.subnet_id or "", subnet.id)]
    if subnet.name.casefold() in SPECIAL:
        return "no cluster can live in it: it is a subnet of Azure's own"
    if servers:
        return f"no nodes can live in it: the API server of cluster {ids.name(servers[0].id)} does, and needs it alone"
    if [one.casefold() for one in subnet.delegated_to] == [ids.CLUSTER]:
        return "no nodes can live in it: it is delegated to AKS, for pods (--pod-subnet-id) or an API server"
    if subnet.delegated_to:
        return f"no cluster can live in it: it is delegated to {', '.join(subnet.delegated_to)}"
    if (left := _room(subnet)) is not None and left < _NODES:
        return f"no cluster can live in it: {left} addresses left, {_NEEDED}"
    if egress is not None and egress.result is Result.EXEMPT:
        return f"it is exempt from its policy and asks for no outboundType: {egress.seen}"
    if one.judged.policy is None and egress is not None and egress.result is Result.UNKNOWN:
        return f"which outboundType it asks for is not known: {egress.seen}"
    return ""


def _room(subnet: Subnet) -> int | None:
    """A subnet in, how many addresses are left in it out; None where its prefixes are not known."""
    spaces = [space for prefix in subnet.prefixes if (space := ranges.parsed(prefix)) and space.version == 4]
    if not spaces:
        return None
    return sum(space.num_addresses - _AZURES for space in spaces) - len(subnet.properties.ip_configurations or ())


def _type(policy: Policy) -> str:
    """The type that belongs to what the policy builds, or to the first way it allows; "" where it asks for none."""
    if policy.clusters.outbound_type != "match":
        return "" if policy.clusters.outbound_type == "ignore" else policy.clusters.outbound_type
    kinds: tuple[PathKind, ...] = (*((policy.builds,) if policy.builds else ()), *policy.allowed)
    return next((one for kind in kinds for one in outbound_type.of_path(kind, managed=False)), "")


def command(one: Explained) -> tuple[str, ...]:
    """A subnet with all that is known of it in, the lines of the command that makes a cluster there out."""
    subnet, policy = one.judged.subnet, one.judged.policy
    if policy is None or _unfit(one):
        return ()
    wanted = _type(policy)
    made = f"az aks create --resource-group <group> --name <name> --location {one.judged.network.region}"
    flags = [made, f"--vnet-subnet-id {subnet.id}"]
    if wanted:
        flags.append(f"--outbound-type {wanted}")
    if wanted == NONE:
        flags.append("--bootstrap-artifact-source Cache --bootstrap-container-registry-resource-id <registry>")
    # Behind a proxy alone, nodes lose an API server that is public.
    if policy.clusters.private_api_server == "deny" or policy.egress.proxy is not None:
        flags.append("--enable-private-cluster")
    if policy.egress.proxy is not None:
        flags.append(f"--http-proxy-config {PROXY_FILE}")
    if (left := _room(subnet)) is not None and left < _NODES * _WITH_PODS:
        flags.append("--network-plugin-mode overlay")
    flags.append("--network-plugin azure --load-balancer-sku standard --assign-identity <identity>")
    return (*(f"{flag} \\" for flag in flags[:1]), *(f"  {flag} \\" for flag in flags[1:-1]), f"  {flags[-1]}")


def _first(one: Explained, wanted: str) -> Lines:
    """What must be on the subnet before AKS takes the type."""
    properties = one.judged.subnet.properties
    egress = _egress(one)
    if egress is not None and egress.result is Result.COMPLIANT:
        there = properties.nat_gateway if wanted == OWN_NAT else properties.route_table if wanted == ROUTED else None
        yield "ready", f"yes: {f'{ids.name(there.id)} is attached' if there else egress.seen}"
        return
    if egress is not None and egress.result is Result.UNKNOWN:
        yield "ready", f"not known: {egress.seen}"
        return
    attached = [(r, "") for r in one.repairs] + [(w.remediation, _because(w)) for w in one.withheld]
    found = next(((r, why) for r, why in attached if _attaches(r)), None)
    if found is None:
        why = next((held.reasons[0].text for held in one.withheld), "nothing here would attach it")
        yield "ready", f"no, what it must leave by is not attached: {why}"
        return
    remediation, why = found
    steps = "; ".join(words.does(step) for step in remediation.steps if not isinstance(step, WriteCluster))
    yield "ready", f"not yet, first: {steps}{f' (withheld: {why})' if why else ' (the next run does it)'}"


def _because(held: Withheld) -> str:
    """Why a repair is withheld, and what to approve where that is all that it waits for."""
    first = held.reasons[0]
    waits = f"; digest {held.remediation.digest}" if first.gate is Gate.APPROVAL else ""
    passes = ", then it is done by itself" if first.after is not None else ""
    return f"{first.text}{waits}{passes}"


def _egress(one: Explained) -> Verdict | None:
    return next((v for v in one.judged.verdicts if v.requirement == "subnet-egress"), None)


def _complies(one: Explained) -> bool:
    egress = _egress(one)
    return egress is not None and egress.result is Result.COMPLIANT


def _attaches(remediation: Remediation) -> bool:
    return any(isinstance(step, WriteSubnet) for step in remediation.steps)


def _identity(subnet: str, wanted: str) -> Lines:
    yield "identity", f"the cluster's identity needs {_JOIN} on {subnet}"
    if wanted == ROUTED:
        yield "", "with kubenet, a user-assigned one that may also write routes: Microsoft.Network/routeTables/*"


def _allow(one: Explained, wanted: str) -> Lines:
    # Where the way out is still to change, so are the addresses: those of today are not the cluster's.
    if one.addresses and (not wanted or _complies(one)):
        yield "leaves from", f"{', '.join(one.addresses)}: for the allow-lists of others, and for authorized IP ranges"
    elif wanted:
        yield "leaves from", "not known yet: ask again when it is ready"
    if wanted == ROUTED:
        region = one.judged.network.region
        names = ", ".join(name.format(region=region) for name in _NAMES)
        yield "let out", f"by the firewall, TCP 443: {names} (FQDN tag AzureKubernetesService), and what add-ons need"
        yield "", f"UDP 1194 and TCP 9000 to AzureCloud.{region}, unless the cluster is private"
