"""A cluster changes as a whole: its API server lets new addresses in, its subnets are attached, its type follows."""

import json
from typing import Any

import pytest
from msgspec.structs import replace

from governor.core import cluster_step, guard, ids
from governor.core.cluster import Cluster
from governor.core.cluster_step import WriteCluster
from governor.core.estate import Estate
from governor.core.forecast import Refusal, forecast
from governor.core.judged import judge, look
from governor.core.plan import Gate, Plan, Reason, Remediation
from governor.core.policy import Clusters, Policies, Policy
from governor.core.propose import proposal, propose
from governor.core.standing import Standing
from governor.core.step import Reversibility, WriteSubnet, conflict, edit, inverse, name, reversibility
from governor.core.verdict import Result
from tests.core.hub_world import HOP, hub_network, side, spoke, the_firewall
from tests.core.hub_world import HUB as HUB_NETWORK
from tests.core.test_cluster_verdict import NODE_GROUP, NODES, OUT, PIP, aks, balanced, in_managed, managed, nodes, vmss
from tests.core.world import (
    OWN,
    Azure,
    Body,
    address,
    address_id,
    around,
    balancer,
    config_id,
    delegated,
    freely,
    group,
    hub_policy,
    isolated_policy,
    nat,
    nat_id,
    nat_policy,
    network,
    nic,
    refs,
    route,
    subnet,
    subnet_id,
    table,
    table_id,
    vnet,
)

NAT = freely(nat_policy())
HUB = freely(
    hub_policy(
        next_hop={"westeurope": HOP}, hub_virtual_network={"westeurope": HUB_NETWORK}, peering="ignore", ready="assumed"
    )
)
# A gateway of the governor's that is there, and its address.
GATEWAY = nat("ng-spoke", address_id("pip-ng"), group=OWN)
GATEWAY_ADDRESS = address("pip-ng", "20.0.0.9")
READY = (GATEWAY, GATEWAY_ADDRESS, OUT, group())
HUB_READY = (hub_network(), the_firewall(), address("pip-fw", "20.0.0.7"), OUT, group(), group(OWN))


def planned(azure: Azure, policy: Policy, standing: Standing | None = None) -> Plan:
    policies = Policies((policy,))
    seen = azure.observe(policies, standing)
    return guard.withhold(propose(seen, look(seen, policies)), around(seen, policies, standing))


def of_cluster(plan: Plan) -> tuple[Remediation, tuple[Reason, ...]]:
    """The Remediation of the one cluster, and why it is withheld."""
    found: list[tuple[Remediation, tuple[Reason, ...]]] = []
    found += [(r, ()) for r in plan.remediations if ids.kind(r.resource) == ids.CLUSTER]
    held = [(w.remediation, w.reasons) for w in plan.withheld if ids.kind(w.remediation.resource) == ids.CLUSTER]
    (one,) = [*found, *held]
    return one


def steps(remediation: Remediation) -> list[str]:
    return [name(step) for step in remediation.steps]


def results(azure: Azure, policy: Policy) -> dict[tuple[str, str], Result]:
    policies = Policies((policy,))
    verdicts = judge(azure.observe(policies), policies)
    return {(ids.name(v.resource), v.requirement): v.result for v in verdicts}


def spoke_with(*subnets: Body) -> Body:
    return spoke(*subnets, peerings=(side("spoke", "hub"),))


def test_subnets_are_attached_and_the_type_follows_in_one_remediation() -> None:
    azure = Azure(vnet(nodes()), balanced(), *READY)
    plan = planned(azure, NAT)
    remediation, reasons = of_cluster(plan)
    assert (steps(remediation), reasons) == (["WriteSubnet", "WriteCluster"], ())
    assert remediation.requirements == ("cluster-outbound-type", "subnet-egress")
    assert set(remediation.disruptions) == {"address", "outage"}
    assert (remediation.old_addresses, remediation.new_addresses) == (("20.0.0.1",), ("20.0.0.9",))
    assert [r.resource for r in plan.remediations] == [remediation.resource]
    for step in remediation.steps:
        azure.apply(step)
    assert results(azure, NAT) == {
        ("nodes", "subnet-egress"): Result.COMPLIANT,
        ("nodes", "subnet-private"): Result.COMPLIANT,
        ("aks", "cluster-outbound-type"): Result.COMPLIANT,
        ("aks", "cluster-node-public-ip"): Result.COMPLIANT,
        ("aks", "cluster-private-api"): Result.VIOLATION,
        ("aks", "cluster-proxy"): Result.NOT_APPLICABLE,
    }
    assert planned(azure, NAT).remediations == ()


def test_what_the_cluster_needs_is_made_first() -> None:
    azure = Azure(vnet(nodes()), balanced(), OUT, group())
    plan = planned(azure, NAT)
    made = [name(step) for _, step in plan.steps]
    assert made == ["CreateResourceGroup", "CreatePublicIp", "CreateNatGateway", "WriteSubnet", "WriteCluster"]
    assert of_cluster(plan)[0].new_addresses == ("address of pip-ng-spoke-1",)


@pytest.mark.parametrize("there", [[], [route("10.9.0.0/16", "None")]])
def test_a_route_to_the_hub_comes_with_the_type(there: list[Body]) -> None:
    if there:
        spoke_ = spoke_with(nodes(routeTable=table_id()))
        azure = Azure(spoke_, balanced(), table("rt", *there), *HUB_READY)
    else:
        azure = Azure(spoke_with(nodes()), balanced(), *HUB_READY)
    plan = planned(azure, HUB)
    remediation, reasons = of_cluster(plan)
    assert reasons == ()
    assert steps(remediation) == (["WriteRoute", "WriteCluster"] if there else ["WriteSubnet", "WriteCluster"])
    assert remediation.steps[-1] == WriteCluster(remediation.resource, "userDefinedRouting", "loadBalancer")
    assert "outage" in remediation.disruptions
    for _, step in plan.steps:
        azure.apply(step)
    assert results(azure, HUB)[("aks", "cluster-outbound-type")] is Result.COMPLIANT
    assert results(azure, HUB)[("nodes", "subnet-egress")] is Result.COMPLIANT


def test_where_the_subnets_are_right_the_type_alone_follows() -> None:
    azure = Azure(vnet(nodes(natGateway=nat_id("ng-spoke", OWN))), balanced(), *READY)
    remediation, reasons = of_cluster(planned(azure, NAT))
    assert (steps(remediation), reasons) == (["WriteCluster"], ())
    assert remediation.disruptions == ("outage",)


def test_where_the_type_is_right_the_subnets_alone_follow() -> None:
    azure = Azure(vnet(nodes()), aks(outbound="userAssignedNATGateway"), *READY)
    remediation, reasons = of_cluster(planned(azure, NAT))
    assert (steps(remediation), reasons) == (["WriteSubnet"], ())


def test_a_policy_that_ignores_types_attaches_and_leaves_the_type() -> None:
    policy = replace(NAT, clusters=Clusters("ignore"))
    remediation, _ = of_cluster(planned(Azure(vnet(nodes()), balanced(), *READY), policy))
    assert steps(remediation) == ["WriteSubnet"]


def test_what_was_approved_stays_approved_when_a_run_stopped_halfway() -> None:
    azure = Azure(vnet(nodes()), balanced(), *READY)
    whole, _ = of_cluster(planned(azure, NAT))
    azure.apply(whole.steps[0])
    rest, _ = of_cluster(planned(azure, NAT))
    assert steps(rest) == ["WriteCluster"]
    assert rest.digest == whole.digest
    other = Azure(vnet(nodes()), balanced(), *READY, group("rg-other"))
    assert of_cluster(planned(other, replace(NAT, name="other")))[0].digest != whole.digest


@pytest.mark.parametrize("there", [(), (route("0.0.0.0/0", "VirtualAppliance", "10.9.9.9"),)])
def test_what_was_approved_stays_approved_when_its_table_has_its_routes_already(there: tuple[Body, ...]) -> None:
    policy = replace(HUB, egress=replace(HUB.egress, replace="propose"))
    made = table("rt", *(there or (route("10.9.0.0/16", "None"),)))
    azure = Azure(spoke_with(nodes(routeTable=table_id())), balanced(), made, *HUB_READY)
    whole, _ = of_cluster(planned(azure, policy))
    assert steps(whole) == ["WriteRoute", "WriteCluster"]
    azure.apply(whole.steps[0])
    rest, _ = of_cluster(planned(azure, policy))
    assert steps(rest) == ["WriteCluster"]
    # Whoever agreed that a route of others goes is asked again: he has seen that one and no other.
    assert (rest.digest == whole.digest) is not bool(there)


def test_nodes_and_pods_move_together() -> None:
    pools = [{"name": "pool0", "vnetSubnetID": NODES, "podSubnetID": subnet_id("pods")}]
    # AKS delegates the subnets of pods to itself.
    pods = nodes("pods", delegations=delegated("Microsoft.ContainerService/managedClusters"))
    azure = Azure(vnet(nodes(), pods), balanced(agentPoolProfiles=pools), *READY)
    remediation, reasons = of_cluster(planned(azure, NAT))
    assert (steps(remediation), reasons) == (["WriteSubnet", "WriteSubnet", "WriteCluster"], ())
    assert {ids.name(step.target) for step in remediation.steps} == {"nodes", "pods", "aks"}


# ---- a network that Azure manages -----------------------------------------------------------------------------------


def azures_own(made: Body, *context: Body, **properties: Any) -> Azure:
    made["properties"]["networkProfile"].setdefault("loadBalancerProfile", {"effectiveOutboundIPs": refs(PIP)})
    return Azure(managed(nodes("aks-subnet", **properties)), made, *context, OUT, group(), group(NODE_GROUP))


def test_a_cluster_in_a_network_of_azure_changes_its_type_and_nothing_in_its_node_group() -> None:
    plan = planned(azures_own(in_managed()), NAT)
    remediation, reasons = of_cluster(plan)
    assert reasons == ()
    assert remediation.steps == (WriteCluster(remediation.resource, "managedNATGateway", "loadBalancer", managed=True),)
    assert set(remediation.disruptions) == {"outage", "address", "irreversible"}
    assert [step.target for _, step in plan.steps] == [remediation.resource]


@pytest.mark.parametrize(
    ("made", "policy", "words"),
    [
        (in_managed(), HUB, "a cluster in a network that Azure manages cannot have outboundType userDefinedRouting"),
        (in_managed("managedNATGatewayV2"), freely(isolated_policy("off")), "does not change outboundType"),
        (
            in_managed("block"),
            replace(NAT, clusters=Clusters("userAssignedNATGateway")),
            "cannot have outboundType userAssignedNATGateway",
        ),
    ],
)
def test_what_the_matrix_does_not_allow_is_refused_with_the_way_out(made: Body, policy: Policy, words: str) -> None:
    context = (*HUB_READY[:3], GATEWAY_ADDRESS)
    properties = {"natGateway": nat_id("ng-spoke", OWN)} if "NAT" in str(made) else {}
    azure = azures_own(made, *context, GATEWAY, **properties)
    plan = planned(azure, policy)
    remediation, (reason, *_) = of_cluster(plan)
    assert (reason.gate, reason.after) == (Gate.CLUSTER, None)
    assert words in reason.text
    assert "create it anew" in reason.text
    assert remediation.new_addresses == ()
    assert plan.remediations == ()


# ---- what holds it back ---------------------------------------------------------------------------------------------

HINDRANCES: list[tuple[Body, Policy, Gate, str, float | None]] = [
    (balanced(provisioningState="Updating"), NAT, Gate.CLUSTER, "cluster aks is Updating", 60.0),
    (balanced(provisioningState="Failed"), NAT, Gate.CLUSTER, "is Failed: somebody must mend it first", None),
    (balanced(powerState={"code": "Stopped"}), NAT, Gate.CLUSTER, "cluster aks is stopped", None),
    (
        aks(profile={"loadBalancerSku": "basic", "loadBalancerProfile": {"effectiveOutboundIPs": refs(PIP)}}),
        NAT,
        Gate.CLUSTER,
        "its load balancer is Basic",
        None,
    ),
    (
        aks(profile={"networkPlugin": "kubenet", "loadBalancerProfile": {"effectiveOutboundIPs": refs(PIP)}}),
        NAT,
        Gate.CLUSTER,
        "it is a kubenet cluster",
        None,
    ),
    (
        aks(profile={"networkPlugin": "kubenet", "loadBalancerProfile": {"effectiveOutboundIPs": refs(PIP)}}),
        HUB,
        Gate.CLUSTER,
        "give it a user-assigned identity first",
        None,
    ),
    (balanced(), freely(isolated_policy()), Gate.CLUSTER, "bootstrapProfile.artifactSource is not Cache", None),
    (
        aks(outbound="block"),
        NAT,
        Gate.CLUSTER,
        "does not change outboundType block to userAssignedNATGateway: create it anew",
        None,
    ),
]


@pytest.mark.parametrize(("made", "policy", "gate", "words", "after"), HINDRANCES)
def test_a_cluster_that_must_not_be_changed_now_keeps_its_subnets(
    made: Body, policy: Policy, gate: Gate, words: str, after: float | None
) -> None:
    # Where nodes live in it already, a subnet of a cluster that is being written is Unknown, and nothing is proposed.
    inside = nodes() if made["properties"]["provisioningState"] == "Succeeded" else subnet("nodes")
    home = spoke_with(inside) if policy is HUB else vnet(inside)
    plan = planned(Azure(home, made, *READY, *HUB_READY[:3], group(OWN)), policy)
    _, (reason, *_) = of_cluster(plan)
    assert (reason.gate, reason.after) == (gate, after)
    assert words in reason.text
    assert [r for r in plan.remediations if r.requirements] == []


def test_a_kubenet_cluster_with_an_identity_of_its_own_keeps_the_routes_of_its_nodes() -> None:
    pods = route("10.244.1.0/24", "VirtualAppliance", "10.2.0.5")
    made = aks(profile={"networkPlugin": "kubenet", "loadBalancerProfile": {"effectiveOutboundIPs": refs(PIP)}})
    made["identity"] = {"type": "UserAssigned", "userAssignedIdentities": {"/x": {}}}
    azure = Azure(spoke_with(nodes(routeTable=table_id())), made, table("rt", pods), *HUB_READY)
    plan = planned(azure, HUB)
    assert of_cluster(plan)[1] == ()
    for _, step in plan.steps:
        azure.apply(step)
    kept = azure.bodies[ids.key(table_id())]["properties"]["routes"]
    assert pods in kept
    assert "0.0.0.0/0" in {one["properties"]["addressPrefix"] for one in kept}


def test_a_kubenet_table_in_the_node_group_is_never_touched() -> None:
    theirs = network("routeTables", "aks-routetable", NODE_GROUP)
    made = aks(profile={"networkPlugin": "kubenet", "loadBalancerProfile": {"effectiveOutboundIPs": refs(PIP)}})
    made["identity"] = {"type": "UserAssigned"}
    kept = {**table("aks-routetable"), "id": theirs}
    azure = Azure(spoke_with(nodes(routeTable=theirs)), made, kept, *HUB_READY)
    plan = planned(azure, HUB)
    _, (reason, *_) = of_cluster(plan)
    assert "node resource group" in reason.text
    assert [r for r in plan.remediations if r.requirements] == []


def test_clusters_that_share_a_subnet_would_have_to_change_at_once() -> None:
    other = {**balanced(), "id": balanced()["id"] + "-2"}
    plan = planned(Azure(vnet(nodes()), balanced(), other, *READY), NAT)
    assert plan.remediations == ()
    texts = {r.text for w in plan.withheld for r in w.reasons if r.gate is Gate.CLUSTER}
    assert texts == {
        "cluster aks-2 uses its subnets, too: both would have to change at once; give each its own",
        "cluster aks uses its subnets, too: both would have to change at once; give each its own",
    }


def test_a_table_that_serves_others_as_well_is_not_changed_with_a_cluster() -> None:
    spoke_ = spoke_with(nodes(routeTable=table_id()), subnet("vms", routeTable=table_id()))
    plan = planned(Azure(spoke_, balanced(), table("rt"), *HUB_READY), HUB)
    _, (reason, *_) = of_cluster(plan)
    assert (reason.gate, reason.text) == (
        Gate.SHARED,
        "its route table serves vms as well, which would change with it",
    )


def test_public_services_would_lose_their_replies_to_an_appliance() -> None:
    kubernetes = balancer("kubernetes", address_id("pip-in"))
    kubernetes["id"] = network("loadBalancers", "kubernetes", NODE_GROUP)
    azure = Azure(spoke_with(nodes()), balanced(), kubernetes, *HUB_READY)
    _, (reason, *_) = of_cluster(planned(azure, HUB))
    assert "public Services would lose their replies to the appliance: 1 frontends" in reason.text
    # Behind a NAT gateway what comes in by a load balancer goes back the same way.
    kept = Azure(vnet(nodes()), balanced(), kubernetes, *READY)
    assert of_cluster(planned(kept, NAT))[1] == ()
    # The addresses of its own way out are no Services.
    own = balancer("kubernetes", PIP)
    own["id"] = kubernetes["id"]
    alone = Azure(spoke_with(nodes()), balanced(), own, *HUB_READY)
    assert of_cluster(planned(alone, HUB))[1] == ()
    lost = Azure(spoke_with(nodes()), balanced(), *HUB_READY, unreadable=[own["id"]])
    assert of_cluster(planned(lost, HUB))[1][0].gate is Gate.UNSEEN


def test_machines_among_the_nodes_must_be_plain() -> None:
    among = (vmss(), config_id("vm"))
    plain = Azure(vnet(nodes("nodes", *among)), balanced(), nic("vm"), *READY)
    assert of_cluster(planned(plain, NAT))[1] == ()
    odd = Azure(vnet(nodes("nodes", *among)), balanced(), nic("vm", enableIPForwarding=True), *READY)
    _, (reason, *_) = of_cluster(planned(odd, NAT))
    assert (reason.gate, reason.text) == (
        Gate.OCCUPANTS,
        "hazards not read: virtual machine vm may depend on the way out as it is",
    )


def test_a_change_that_nobody_approved_waits() -> None:
    _, (reason, *_) = of_cluster(planned(Azure(vnet(nodes()), balanced(), *READY), nat_policy()))
    assert reason.gate is Gate.APPROVAL
    assert "it leaves from 20.0.0.1 now, and would leave from 20.0.0.9" in reason.text


# ---- authorized ranges ----------------------------------------------------------------------------------------------

SHUT = {"authorizedIPRanges": ["198.51.100.0/24"]}


def test_new_addresses_are_let_in_before_anything_moves() -> None:
    azure = Azure(vnet(nodes()), balanced(apiServerAccessProfile=SHUT), *READY)
    remediation, reasons = of_cluster(planned(azure, NAT))
    assert (steps(remediation), reasons) == (["WriteCluster", "WriteSubnet", "WriteCluster"], ())
    assert remediation.steps[0] == WriteCluster(remediation.resource, authorize=("20.0.0.9/32",))
    for step in remediation.steps:
        azure.apply(step)
    body = azure.bodies[ids.key(remediation.resource)]
    # The old ranges stay: who relies on them is asked, and takes them out by hand.
    assert body["properties"]["apiServerAccessProfile"]["authorizedIPRanges"] == ["198.51.100.0/24", "20.0.0.9/32"]
    assert results(azure, NAT)[("aks", "cluster-outbound-type")] is Result.COMPLIANT


@pytest.mark.parametrize(
    "api",
    [None, {"enablePrivateCluster": True}, {"authorizedIPRanges": ["20.0.0.0/24"]}, {"authorizedIPRanges": []}],
)
def test_an_api_server_that_lets_them_in_already_is_left_alone(api: Body | None) -> None:
    azure = Azure(vnet(nodes()), balanced(**({"apiServerAccessProfile": api} if api else {})), *READY)
    assert steps(of_cluster(planned(azure, NAT))[0]) == ["WriteSubnet", "WriteCluster"]


def test_addresses_that_are_not_known_yet_cannot_be_let_in() -> None:
    azure = Azure(vnet(nodes()), balanced(apiServerAccessProfile=SHUT), OUT, group(), group(OWN))
    plan = planned(azure, NAT)
    _, (reason, *_) = of_cluster(plan)
    assert reason.gate is Gate.CLUSTER
    assert "address of pip-ng-spoke-1 is not known yet: make the NAT gateway first" in reason.text
    assert plan.remediations == ()


# ---- the step -------------------------------------------------------------------------------------------------------

TARGET = balanced()["id"]
TO_NAT = WriteCluster(TARGET, "userAssignedNATGateway", "loadBalancer")
FINAL = WriteCluster(TARGET, "managedNATGateway", "loadBalancer", managed=True)


def test_a_write_edits_the_type_and_its_profile_and_nothing_else() -> None:
    body = balanced(agentPoolProfiles=[{"name": "a", "count": 7}])
    wanted = edit(TO_NAT, body)
    assert wanted is not None
    profile = wanted["properties"]["networkProfile"]
    assert (profile["outboundType"], profile["loadBalancerProfile"]) == ("userAssignedNATGateway", None)
    assert wanted["properties"]["agentPoolProfiles"] == body["properties"]["agentPoolProfiles"]
    assert edit(TO_NAT, wanted) == wanted
    assert edit(WriteCluster(TARGET, "loadBalancer", "none"), body) == body
    assert edit(TO_NAT, None) is None
    open_ = edit(WriteCluster(TARGET, authorize=("1.2.3.4/32",)), body)
    assert open_ == body  # everybody is let in


def test_a_write_is_stale_when_somebody_chose_another_type() -> None:
    assert conflict(TO_NAT, balanced()) is None
    assert conflict(TO_NAT, aks(outbound="USERASSIGNEDNATGATEWAY")) is None
    assert "is none now" in (conflict(TO_NAT, aks(outbound="none")) or "")
    assert conflict(TO_NAT, None) == "the cluster is gone"


def test_a_type_goes_back_where_azure_lets_it() -> None:
    assert inverse(TO_NAT) == WriteCluster(TARGET, "loadBalancer", "userAssignedNATGateway")
    assert reversibility(TO_NAT) is Reversibility.REVERSIBLE
    assert inverse(FINAL) is None
    assert reversibility(FINAL) is Reversibility.IRREVERSIBLE
    let_in = WriteCluster(TARGET, authorize=("1.2.3.4/32",))
    assert inverse(let_in) is None
    assert reversibility(let_in) is Reversibility.LIMITED


def test_what_moves_by_itself_is_no_change_of_ours() -> None:
    paths = cluster_step.intended(TO_NAT)
    assert ("properties", "agentPoolProfiles", "3", "count") in paths
    assert ("properties", "agentPoolProfiles", "3", "vnetSubnetID") not in paths
    assert ("properties", "networkProfile", "outboundType") in paths


# ---- forecast -------------------------------------------------------------------------------------------------------


def seen(*bodies: Body) -> Estate:
    return Azure(*bodies).observe(Policies((NAT,)))


def test_aks_looks_at_the_subnets_before_it_changes_a_type() -> None:
    bare = seen(vnet(nodes()), balanced(), *READY)
    refused = forecast(bare, (TO_NAT,))
    assert isinstance(refused, Refusal)
    assert refused.why == "subnet nodes has no NAT gateway, which userAssignedNATGateway needs"
    routed = forecast(bare, (WriteCluster(TARGET, "userDefinedRouting", "loadBalancer"),))
    assert isinstance(routed, Refusal)
    assert "no default route to an appliance" in routed.why
    gone = forecast(bare, (WriteCluster(TARGET + "x", "none", "loadBalancer"),))
    assert isinstance(gone, Refusal)
    final = forecast(bare, (WriteCluster(TARGET, "block", "loadBalancer"),))
    assert isinstance(final, Refusal)


def test_order_of_steps_does_not_matter_to_the_forecast_of_a_cluster() -> None:
    bare = seen(vnet(nodes()), balanced(), *READY)
    plan = planned(Azure(vnet(nodes()), balanced(), *READY), NAT)
    remediation, _ = of_cluster(plan)
    assert isinstance(remediation.steps[0], WriteSubnet)
    forth, back = forecast(bare, remediation.steps), forecast(bare, remediation.steps[::-1])
    assert not isinstance(forth, Refusal)
    assert not isinstance(back, Refusal)
    assert forth.all(Cluster) == back.all(Cluster)
    assert forth.all(Cluster)[0].outbound_type == "userAssignedNATGateway"


# ---- what a firewall must let out -----------------------------------------------------------------------------------

DEPENDENCIES = "outboundNetworkDependenciesEndpoints"
UNPROVEN = freely(
    hub_policy(next_hop={"westeurope": HOP}, hub_virtual_network={"westeurope": HUB_NETWORK}, peering="ignore")
)


def needed(*categories: str) -> Body:
    def endpoint(host: str) -> Body:
        return {"domainName": host, "endpointDetails": [{"port": 443, "protocol": "Https"}]}

    value = [{"category": one, "endpoints": [endpoint(f"{n}.{one}") for n in range(5)]} for one in categories]
    return {"id": ids.outbound_dependencies(TARGET), "value": value}


def firewall_rules(azure: Azure, policy: Policy = UNPROVEN) -> str:
    (reason,) = [r for r in of_cluster(planned(azure, policy))[1] if r.gate is Gate.HUB]
    return reason.text


def asked_what_it_needs(azure: Azure) -> bool:
    return any(one.startswith("outboundDependencies(") for one in azure.asked)


def test_what_a_cluster_has_to_reach_is_named_for_whoever_owns_the_firewall() -> None:
    azure = Azure(spoke_with(nodes()), balanced(), needed("images", "time"), *HUB_READY)
    assert firewall_rules(azure) == (
        "firewall rules not read: whether they let cluster aks out is not known. Let out what it says it needs "
        "(images: 0.images, 1.images, 2.images and 2 more; time: 0.time, 1.time, 2.time and 2 more; "
        "`explain` of the cluster lists it all), then `ready: assumed` in policy hub takes it for granted"
    )
    many = Azure(spoke_with(nodes()), balanced(), needed(*map(str, range(30))), *HUB_READY)
    assert "; 26 more categories;" in firewall_rules(many)


def test_where_that_cannot_be_read_it_says_so() -> None:
    azure = Azure(spoke_with(nodes()), balanced(), *HUB_READY, unreadable=[f"outboundDependencies({ids.key(TARGET)})"])
    assert "Let out what it says it needs (not known: " in firewall_rules(azure)


def test_nodes_and_pods_are_one_reason() -> None:
    pools = [{"name": "pool0", "vnetSubnetID": NODES, "podSubnetID": subnet_id("pods")}]
    made = balanced(agentPoolProfiles=pools)
    azure = Azure(spoke_with(nodes(), nodes("pods")), made, needed("images"), *HUB_READY)
    assert firewall_rules(azure).startswith("nodes, pods: firewall rules not read")


@pytest.mark.parametrize(
    ("policy", "properties"),
    [
        (HUB, {}),
        (replace(UNPROVEN, egress=NAT.egress), {}),
        # Something else holds it back, and it would be asked in vain.
        (UNPROVEN, {"provisioningState": "Updating"}),
    ],
)
def test_it_is_asked_only_where_somebody_must_be_told(policy: Policy, properties: Body) -> None:
    azure = Azure(spoke_with(subnet("nodes")), balanced(**properties), needed("images"), *READY, *HUB_READY[:3])
    planned(azure, policy)
    assert not asked_what_it_needs(azure)
    azure.bodies[ids.key(TARGET)]["properties"]["provisioningState"] = "Succeeded"
    planned(azure, UNPROVEN)
    assert asked_what_it_needs(azure)


# ---- its own address ------------------------------------------------------------------------------------------------


def kubernetes(public: str, *, rule: bool = False) -> Body:
    made = balancer("kubernetes", public, outbound=True, rule=rule)
    own = network("loadBalancers", "kubernetes", NODE_GROUP)
    text = json.dumps(made).replace(made["id"], own)
    found: Body = json.loads(text)
    found["properties"]["frontendIPConfigurations"][0]["properties"]["subnet"] = {"id": NODES}
    found["properties"]["backendAddressPools"][0]["properties"]["backendIPConfigurations"] = refs(vmss())
    return found


OTHERS = {**address("pip-svc", "20.0.0.5"), "id": address_id("pip-svc", NODE_GROUP)}


@pytest.mark.parametrize(
    ("balanced_by", "goes_with_it"),
    [
        (kubernetes(PIP), True),
        # Somebody comes in by it, or it is the address of somebody else: that does not go with the type.
        (kubernetes(PIP, rule=True), False),
        (kubernetes(OTHERS["id"]), False),
    ],
)
def test_its_own_way_out_is_told_with_the_cluster_and_no_second_thing_to_decide(
    balanced_by: Body, goes_with_it: bool
) -> None:
    policies = Policies((NAT,))
    seen = Azure(vnet(nodes()), balanced(), balanced_by, OTHERS, *READY).observe(policies)
    proposed = proposal(seen, policies)
    (repair,) = [r for r in proposed.plan.remediations if ids.kind(r.resource) == ids.CLUSTER]
    frontends = [w for w in proposed.plan.withheld if ids.kind(w.remediation.resource) == ids.FRONTEND]
    assert (not frontends) is goes_with_it
    assert ("; with it goes 20.0.0.1 (pip-out) on load balancer kubernetes" in repair.reason) is goes_with_it
    # What is told does not change what was approved.
    assert repair.digest == of_cluster(planned(Azure(vnet(nodes()), balanced(), *READY), NAT))[0].digest
