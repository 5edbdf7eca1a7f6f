"""Every cluster, interface, public address, load balancer and route table that Azure recorded: its verdict, and why.

Networks were not recorded: what interfaces say of theirs is put there, as Azure would have filled it in.
"""

import json
from pathlib import Path
from typing import Any

from governor.core import ids
from governor.core.estate import EVERYTHING, Estate, Reading, add, list_of
from governor.core.judged import judge
from governor.core.policy import Egress, NatGatewayPolicy, Policies
from governor.core.verdict import Result
from tests.core.world import AT, Body, encoded, estate, nat_policy, refs

V, U = Result.VIOLATION, Result.UNKNOWN
NOBODY = "nothing is said of it: it has no public address, and its way out is said of its subnet"
# Where policies want a NAT gateway, and allow no public address by name or tag. By name of the resource: what is said
# of it and of the subnet it lives in, and why that is right.
JUDGED: dict[str, tuple[dict[str, Result], str]] = {
    # Told in test_recorded_clusters.py, with networks made up for them.
    "managedClusters/cctestaks": ({}, "Unknown while it is Creating; kubenet, and never repaired"),
    "managedClusters/clustername1": (
        {},
        "by its type: a load balancer, or a NAT gateway of nobody",
    ),
    "routeTables/cctestroutetable": ({}, "lacks 0.0.0.0/0 to the hub; it is added to, never replaced"),
    "routeTables/k8s-master-C02B7042-routetable": ({}, "the same, and the routes of nodes in it stay"),
    # A machine that leaves by an address of its own, of the retired SKU, and that everybody reaches.
    "networkInterfaces/myVMNic": (
        {"nic-public-ip": V, "subnet-egress": V, "ingress-path": V},
        "23.102.173.223 is on its interface",
    ),
    "publicIPAddresses/myPublicIP": ({}, "it is said of the interface that has it"),
    # No machine, no address, no load balancer: whoever comes will leave by default outbound access.
    "networkInterfaces/cctestnic": ({"subnet-egress": V}, NOBODY),
    # Three agents without an address and a master behind two load balancers that were not recorded: how the subnet
    # leaves depends on these, so nobody knows, and nobody is accused.
    **{f"networkInterfaces/k8s-agent-C02B7042-nic-{n}": ({"subnet-egress": U}, NOBODY) for n in range(3)},
    "networkInterfaces/k8s-master-C02B7042-nic-0": ({"subnet-egress": U}, "its load balancers were not recorded"),
    # It is on a frontend of one of those: not unattached, and nobody's who was seen.
    "publicIPAddresses/k8s-master-ip-cctestacsdnsmgmt-C02B7042": ({}, "what has it was not recorded"),
    # Public frontends without anybody behind them. They have no number yet: it is dynamic and comes with a machine.
    "loadBalancers/cctestdiagnostic_loadbalancer": ({"load-balancer-public-frontend": V}, "a public frontend"),
    "loadBalancers/cctestloadbalancer": ({"load-balancer-public-frontend": V}, "a public frontend"),
    "publicIPAddresses/cctestdiagnostic_loadbalancer_public_ip": ({}, "it is said of the frontend that has it"),
    "publicIPAddresses/cctestloadbalancer_public_ip": ({}, "it is said of the frontend that has it"),
}
KINDS = ("managedclusters", "networkinterfaces", "publicipaddresses", "loadbalancers", "routetables")


def recorded(shared: Path) -> list[Body]:
    """Every body of the samples, out of the cassettes that hold some of them."""
    found: list[Body] = []
    for path in sorted((shared / "samples" / "resources").glob("*.json")):
        content: Any = json.loads(path.read_text(encoding="utf-8"))
        for body in [one["response"]["body"] for one in content.get("interactions", ())] or [content]:
            found += body.get("value", [body])
    return found


def name(body: Body) -> str:
    return "/".join(body["id"].split("/")[-2:])


def test_every_recorded_resource_has_its_verdict_here(shared: Path) -> None:
    there = {name(body) for body in recorded(shared) if name(body).partition("/")[0].casefold() in KINDS}
    assert there == JUDGED.keys()
    assert all(why for _, why in JUDGED.values())


def test_what_was_recorded_is_judged_as_it_stands_here(shared: Path) -> None:
    bodies = [body for body in recorded(shared) if name(body) in JUDGED and "/Microsoft.Network/" in body["id"]]
    bodies = [body for body in bodies if "/routeTables/" not in body["id"]]
    interfaces = [body for body in bodies if "/networkInterfaces/" in body["id"]]
    living: dict[str, list[Body]] = {}
    for body in interfaces:
        living.setdefault(body["properties"]["ipConfigurations"][0]["properties"]["subnet"]["id"], []).append(body)
    networks = [_network(subnet, bodies) for subnet, bodies in living.items()]
    owner = ids.parse(bodies[0]["id"]).subscription
    scope = f"/subscriptions/{owner}"
    lists = (EVERYTHING, *(list_of(w, scope) for w in ("publicIpAddresses", "publicIpPrefixes", "loadBalancers")))
    policies = Policies((nat_policy(egress=Egress(nat_gateway=NatGatewayPolicy())),))
    rest = add(Estate(AT, remainders=(owner,)), Reading(encoded(*bodies), listed=lists))
    verdicts = [*judge(estate(*bodies, *networks, listed=lists), policies), *judge(rest, policies)]
    told = {"subnet-egress", "nic-public-ip", "load-balancer-public-frontend", "public-ip-unattached", "ingress-path"}
    for body in bodies:
        homes = {subnet for subnet, there in living.items() if body in there}
        about = {
            v.requirement: v.result
            for v in verdicts
            if v.requirement in told and (ids.same(ids.top_level(v.resource), body["id"]) or v.resource in homes)
        }
        assert about == JUDGED[name(body)][0], name(body)
    shown = {v.addresses for v in verdicts if v.requirement == "nic-public-ip"}
    assert shown == {("23.102.173.223",)}


def _network(subnet: str, interfaces: list[Body]) -> Body:
    held = [one["id"] for body in interfaces for one in body["properties"]["ipConfigurations"]]
    inside = {"id": subnet, "name": ids.name(subnet), "properties": {"ipConfigurations": refs(*held)}}
    return {
        "id": ids.parent(subnet),
        "name": ids.name(ids.parent(subnet)),
        "type": "Microsoft.Network/virtualNetworks",
        "location": "southcentralus",
        "properties": {"subnets": [inside]},
    }
