"""What a run reads: what the rules look at, nothing twice, nothing more."""

from datetime import timedelta
from typing import Any

import pytest

from governor.core import ids, needs
from governor.core.estate import Gap, clusters, deployments, list_of, permissions
from governor.core.judged import judge
from governor.core.needs import Needs
from governor.core.occupancy import clusters_known, elsewhere_unlisted
from governor.core.policy import PathKind, Policies, Policy
from governor.core.policy import Select as Conditions
from governor.core.routing import NETWORK_TAG
from governor.core.standing import KnownClusters, Standing
from governor.core.verdict import Result
from tests.core.test_guard import next_to_an_appliance
from tests.core.world import (
    AT,
    GROUP,
    OWN,
    OWN_GROUP,
    SUB,
    Azure,
    Body,
    address,
    address_id,
    allowing,
    balancer,
    config_id,
    estate,
    firewall,
    group,
    hub_policy,
    isolated_policy,
    nat,
    nat_id,
    nat_policy,
    network,
    nic,
    nic_id,
    peering,
    pool_id,
    refs,
    route,
    subnet,
    table,
    table_id,
    vnet,
    vnet_id,
)

PIP = address_id()
NG = nat_id("ng-spoke", OWN)
CLUSTERS = clusters(SUB)
DONE = subnet(natGateway=nat_id(), defaultOutboundAccess=False)
INHABITED: dict[str, Any] = {"ipConfigurations": refs(config_id())}
BEHIND = subnet(**INHABITED, defaultOutboundAccess=False)
ROUTED = subnet(routeTable=table_id(), defaultOutboundAccess=False)
FIREWALL = network("azureFirewalls", "fw")
TO_HUB = table("rt", route("0.0.0.0/0", "VirtualAppliance", "10.1.0.4"))
LISTS = [list_of(what, f"/subscriptions/{SUB}") for what in ("publicIpAddresses", "loadBalancers")]
CLOSED = network("routeTables", "rt-isolated-spoke")

# Besides the clusters that may live there.
READS: list[tuple[Policy, list[Body], list[str]]] = [
    # Compliant: the gateway, and nothing about repairs.
    (nat_policy(), [vnet(DONE), nat("ng", PIP), address()], [nat_id()]),
    # A new network: its own gateway and group are looked for.
    (nat_policy(), [vnet(subnet())], [NG, OWN_GROUP]),
    # A neighbour's gateway is adopted: our own is not looked for.
    (nat_policy(), [vnet(DONE, subnet("new")), nat("ng", PIP)], [nat_id()]),
    # Somebody lives there: their interface, and all addresses of the subscription, the old and the new one among them;
    # who manages its group, and whether its address may be taken off.
    (
        nat_policy(),
        [vnet(subnet(**INHABITED)), nic(public=PIP), address(), nat("ng-spoke", address_id("new"), group=OWN)],
        [nic_id(), NG, address_id("new"), GROUP, permissions(nic_id()), *LISTS],
    ),
    # Load balancers stand in their list.
    (
        allowing(PathKind.LOAD_BALANCER),
        [vnet(BEHIND), nic("nic", pool_id()), balancer(public=PIP, rule=True)],
        [nic_id(), *LISTS],
    ),
    # What a policy selects by.
    (nat_policy(select=Conditions(tags={"env": "x"})), [vnet(DONE), nat("ng", PIP)], [GROUP, f"/subscriptions/{SUB}"]),
    (nat_policy(select=Conditions(subscriptions=("x-*",))), [vnet(DONE), nat("ng", PIP)], [f"/subscriptions/{SUB}"]),
    (nat_policy(select=Conditions(virtual_networks=("other",))), [vnet(DONE, subnet("b"))], []),
    (
        nat_policy(select=Conditions(management_groups=("x",))),
        [vnet(DONE), nat("ng", PIP), {"id": ids.entity(SUB), "properties": {"parentNameChain": ["root"]}}],
        [ids.entity(SUB)],
    ),
    (hub_policy(firewall={"westeurope": FIREWALL}), [vnet(ROUTED), TO_HUB, firewall()], [table_id(), FIREWALL]),
    (isolated_policy(), [vnet(subnet())], [CLOSED]),
    (isolated_policy("off"), [vnet(subnet())], []),
    # Nothing can be read that says what was learned.
    (nat_policy(), [vnet(subnet(), virtualNetworkPeerings=[peering(useRemoteGateways=True)])], []),
    # Azure's own subnets ask for nothing.
    (nat_policy(), [vnet(subnet("AzureBastionSubnet", **INHABITED))], []),
]


@pytest.mark.parametrize(("policy", "bodies", "reads"), READS)
def test_exactly_what_the_rules_look_at_is_read_once(policy: Policy, bodies: list[Body], reads: list[str]) -> None:
    azure = Azure(*bodies)
    azure.observe(Policies((policy,)))
    assert sorted(map(ids.key, azure.asked)) == sorted(map(ids.key, [*reads, CLUSTERS]))


@pytest.mark.parametrize(
    ("touched", "asks"),
    [(None, False), (AT - timedelta(hours=1), True), (AT - timedelta(hours=25), False)],
)
def test_deployments_are_listed_only_after_somebody_wrote(touched: Any, asks: bool) -> None:
    azure = Azure(vnet(subnet()))
    azure.observe(standing=Standing(touched=touched))
    assert (deployments(GROUP) in azure.asked) is asks


@pytest.mark.parametrize(("tags", "asks"), [({}, True), ({NETWORK_TAG: vnet_id()}, False)])
def test_permissions_are_asked_for_only_where_others_own_what_would_be_written(tags: Any, asks: bool) -> None:
    story = next_to_an_appliance(subnet(routeTable={"id": table_id()}), {**table(), "tags": tags}, group())
    azure = Azure(*story.bodies)
    azure.observe(Policies((story.policy,)))
    assert [one for one in azure.asked if one.startswith("permissions(")] == [permissions(table_id())] * asks


def test_what_cannot_be_read_is_tried_once() -> None:
    azure = Azure(vnet(subnet(**INHABITED)), unreadable=[nic_id(), CLUSTERS, NG])
    azure.observe()
    assert sorted(azure.asked) == sorted(set(azure.asked))


def test_ids_that_nobody_can_read_are_not_asked_for() -> None:
    held = f"{GROUP}/providers/Microsoft.Compute/virtualMachineScaleSets/s/virtualMachines/0/networkInterfaces/n"
    azure = Azure(vnet(subnet(ipConfigurations=refs(f"{held}/ipConfigurations/c"))))
    azure.observe()
    assert sorted(azure.asked) == sorted([CLUSTERS, *LISTS, held.partition("/virtualMachines/")[0]])


def test_the_closing_read_also_names_the_addresses() -> None:
    policies = Policies((nat_policy(),))
    azure = Azure(vnet(DONE), nat("ng", PIP), address())
    azure.read(lambda seen: needs.for_evidence(seen, policies))
    assert azure.asked == [nat_id(), CLUSTERS, PIP]


def test_the_closing_read_also_lists_what_policies_select_by() -> None:
    policies = Policies((nat_policy(select=Conditions(occupants=("empty",))),))
    azure = Azure(vnet(DONE), nat("ng", PIP), address())
    azure.read(lambda seen: needs.for_evidence(seen, policies))
    assert azure.asked == [CLUSTERS, nat_id(), PIP]


def test_an_estate_with_gaps_for_all_that_is_missing_needs_nothing() -> None:
    policies = Policies((nat_policy(),))
    seen = estate(vnet(subnet(natGateway=nat_id())), gaps=[Gap(ids.key(nat_id()), "x"), Gap(CLUSTERS, "y")])
    assert needs.for_evidence(seen, policies) == Needs()
    assert needs.for_repair(seen, policies, Standing()) == Needs()


def test_targets_of_interrupted_steps_are_read_too_and_once() -> None:
    seen = estate(vnet(DONE), nat("ng", PIP), absent=[NG])
    wanted = needs.with_targets(Needs((PIP,), (CLUSTERS,)), (PIP, nat_id(), NG, OWN_GROUP, OWN_GROUP), seen)
    assert wanted == Needs((PIP, OWN_GROUP), (CLUSTERS,))


# ---- clusters of other subscriptions --------------------------------------------------------------------------------

OTHER = SUB[:-1] + "b"
NODE = (
    f"/subscriptions/{OTHER}/resourceGroups/nodes/providers/Microsoft.Compute/virtualMachineScaleSets/s"
    "/virtualMachines/0/networkInterfaces/n/ipConfigurations/c"
)


def asked_clusters(azure: Azure, standing: Standing) -> list[str]:
    azure.observe(Policies((nat_policy(),)), standing)
    return sorted(one for one in azure.asked if one.startswith("clusters("))


def test_whose_nodes_live_in_a_network_is_asked_in_their_own_subscription() -> None:
    there = vnet(subnet(natGateway=nat_id(), ipConfigurations=refs(NODE)))
    assert asked_clusters(Azure(there, nat("ng", PIP), address()), Standing()) == [CLUSTERS, f"clusters({OTHER})"]


def test_a_cluster_that_a_run_knows_is_asked_for_before_it_has_nodes() -> None:
    standing = Standing(clusters=KnownClusters(subscriptions=(OTHER,)))
    assert asked_clusters(Azure(vnet(subnet())), standing) == [CLUSTERS, f"clusters({OTHER})"]
    assert asked_clusters(Azure(vnet(subnet())), Standing()) == [CLUSTERS]


def test_what_was_not_read_of_another_subscription_is_said_and_holds_back() -> None:
    there = vnet(subnet(ipConfigurations=refs(NODE)))
    azure = Azure(there, unreadable=[f"clusters({OTHER})"])
    seen = azure.observe()
    assert clusters_known(seen.networks[0], seen) is False
    assert elsewhere_unlisted(seen.networks[0], seen).startswith(f"the clusters of subscription {OTHER}, whose nodes")
    (told,) = [v for v in judge(seen, Policies((nat_policy(),))) if v.requirement == "cluster-outbound-type"]
    assert told.result is Result.UNKNOWN
    here = Azure(vnet(subnet(ipConfigurations=refs(NODE.replace(OTHER, SUB))))).observe()
    assert elsewhere_unlisted(here.networks[0], here) == ""
