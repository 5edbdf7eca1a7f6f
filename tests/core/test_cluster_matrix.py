"""What the governor makes of every pair of the migration matrix: a write, nothing, or a refusal with the way out."""

from typing import Any, get_args, get_type_hints

import pytest
from msgspec.structs import replace

from governor.core.cluster_step import WriteCluster
from governor.core.outbound_type import (
    BLOCK,
    LOAD_BALANCER,
    MANAGED_NAT,
    MANAGED_NAT_V2,
    NONE,
    OWN_NAT,
    ROUTED,
    meets,
    refusal,
)
from governor.core.plan import Gate
from governor.core.policy import Clusters, Egress, NatGatewayPolicy, PathKind, Policy
from tests.core.hub_world import HOP
from tests.core.test_cluster_repair import HUB, HUB_READY, NAT, READY, azures_own, of_cluster, planned, spoke_with
from tests.core.test_cluster_verdict import NODES, PIP, aks, in_managed, nodes
from tests.core.test_outbound_type import ACROSS, PAIRS
from tests.core.world import (
    OWN,
    Azure,
    Body,
    freely,
    group,
    isolated_policy,
    nat_id,
    refs,
    route,
    table,
    table_id,
    vnet,
)

CACHE: dict[str, Any] = {"bootstrapProfile": {"artifactSource": "Cache"}}
BEHIND_NAT: dict[str, Any] = {"natGateway": nat_id("ng-spoke", OWN)}
CLOSED = freely(isolated_policy("off"))
BALANCED = replace(
    NAT,
    egress=Egress(allow=(PathKind.NAT_GATEWAY, PathKind.LOAD_BALANCER), nat_gateway=NatGatewayPolicy(sku="Standard")),
)
# A policy that builds the way out which belongs to a type.
BUILDS: dict[str, Policy] = {ROUTED: HUB, NONE: CLOSED, BLOCK: CLOSED, LOAD_BALANCER: BALANCED}
# Its subnets leave as the type wants it already, so that nothing but the type is to change.
LEAVING: dict[str, dict[str, Any]] = {
    OWN_NAT: BEHIND_NAT,
    MANAGED_NAT: BEHIND_NAT,
    LOAD_BALANCER: BEHIND_NAT,
    ROUTED: {"routeTable": table_id()},
}


def asks(wanted: str) -> Policy:
    return replace(BUILDS.get(wanted, NAT), clusters=Clusters(wanted))  # type: ignore[arg-type]


def of_type(now: str, wanted: str, *, managed: bool) -> Azure:
    profile: Body = {"outboundType": now}
    if now == LOAD_BALANCER:
        profile["loadBalancerProfile"] = {"effectiveOutboundIPs": refs(PIP)}
    if managed:
        made = in_managed()
        made["properties"].update(CACHE, networkProfile=profile)
        kept = BEHIND_NAT if now in (MANAGED_NAT, MANAGED_NAT_V2) else {}
        return azures_own(made, *READY[:2], *HUB_READY[:3], group(OWN), **kept)
    made = aks(NODES, profile=profile, **CACHE)
    to_hub = table("rt", route("0.0.0.0/0", "VirtualAppliance", HOP))
    home = spoke_with if wanted == ROUTED else vnet
    there = (made, to_hub, *READY, *HUB_READY[:3], group(OWN))
    return Azure(home(nodes(**LEAVING.get(wanted, {}))), *there)


# A policy cannot ask for the second version: since 2026-06 it is a SKU of managedNATGateway.
ASKED = [
    *(pair for pair in PAIRS if pair[2] != MANAGED_NAT_V2),
    *((managed, now, wanted, "n") for managed, now, wanted in ACROSS if wanted != MANAGED_NAT_V2),
]


@pytest.mark.parametrize(("managed", "now", "wanted", "allowed"), ASKED)
def test_every_pair_is_written_or_refused_with_the_way_out(managed: bool, now: str, wanted: str, allowed: str) -> None:
    plan = planned(of_type(now, wanted, managed=managed), asks(wanted))
    writes = [step for _, step in plan.steps if isinstance(step, WriteCluster)]
    if meets(now, wanted):
        assert writes == []
        assert not any(isinstance(s, WriteCluster) for w in plan.withheld for s in w.remediation.steps)
        return
    remediation, reasons = of_cluster(plan)
    if allowed == "y":
        assert reasons == ()
        assert writes == [WriteCluster(remediation.resource, wanted, now, managed)]
    else:
        assert [(r.gate, r.text, r.after) for r in reasons] == [
            (Gate.CLUSTER, refusal(now, wanted, managed=managed), None)
        ]
        assert [r for r in plan.remediations if r.requirements] == []


def test_what_a_policy_can_ask_for_is_all_but_the_second_version() -> None:
    named = set(get_args(get_type_hints(Clusters)["outbound_type"])) - {"match", "ignore"}
    assert named == {wanted for _, _, wanted, _ in ASKED}
