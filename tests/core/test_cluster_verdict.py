"""Verdicts about AKS clusters: type and what their subnets do, addresses on nodes, API server, proxy, who governs."""

import base64
from datetime import date
from typing import Any

import pytest
from msgspec.structs import replace

from governor.core import ids
from governor.core.estate import Estate, Gap, clusters
from governor.core.judged import judge
from governor.core.policy import (
    AllowedAddress,
    Clusters,
    Egress,
    Exemption,
    HubPolicy,
    IsolatedPolicy,
    PathKind,
    Policies,
    Policy,
    ProxyPolicy,
    PublicIps,
    Requirement,
)
from governor.core.policy import Select as Conditions
from governor.core.secret import Concealed, Secret
from governor.core.verdict import Result, Verdict
from tests.core.world import (
    SUB,
    Body,
    address,
    address_id,
    allowing,
    cluster,
    delegated,
    estate,
    found,
    hub_policy,
    isolated_policy,
    nat,
    nat_id,
    nat_policy,
    network,
    refs,
    route,
    subnet,
    subnet_id,
    table,
    table_id,
    vnet,
)

NODES, PODS = subnet_id("nodes"), subnet_id("pods")
NODE_GROUP = "MC_rg-net_aks_westeurope"
FIREWALL_HOP = "10.1.0.4"
PIP = address_id("pip-out", NODE_GROUP)
OUT = {**address("pip-out", "20.0.0.1"), "id": PIP}


def vmss(pool: str = "pool0", number: int = 0) -> str:
    """The id of an ip configuration of a node's interface."""
    scale_set = f"/subscriptions/{SUB}/resourceGroups/{NODE_GROUP}/providers/Microsoft.Compute/virtualMachineScaleSets"
    return f"{scale_set}/aks-{pool}-12345678-vmss/virtualMachines/{number}/networkInterfaces/{pool}/ipConfigurations/c1"


def aks(*subnets: str, outbound: str | None = None, profile: Body | None = None, **properties: Any) -> Body:
    network_profile = {**({"outboundType": outbound} if outbound else {}), **(profile or {})}
    given = {"nodeResourceGroup": NODE_GROUP, "networkProfile": network_profile}
    return cluster(*(subnets or (NODES,)), **{**given, **properties})


def balanced(*subnets: str, **properties: Any) -> Body:
    """A cluster that leaves by its own load balancer."""
    return aks(*subnets, profile={"loadBalancerProfile": {"effectiveOutboundIPs": refs(PIP)}}, **properties)


def nodes(name: str = "nodes", *members: str, **properties: Any) -> Body:
    return subnet(name, defaultOutboundAccess=False, ipConfigurations=refs(*(members or (vmss(),))), **properties)


WITH_NAT: dict[str, Any] = {"natGateway": nat_id()}
ROUTED: dict[str, Any] = {"routeTable": table_id()}
NAT = nat("ng", address_id())
TO_HUB = table("rt", route("0.0.0.0/0", "VirtualAppliance", FIREWALL_HOP))
HUB = hub_policy(next_hop={"westeurope": FIREWALL_HOP})


def about(requirement: Requirement, policy: Policy, *bodies: Body) -> Verdict:
    verdicts = judge(estate(*bodies), Policies((policy,)))
    (one,) = [v for v in verdicts if v.requirement == requirement and ids.kind(v.resource) == ids.CLUSTER]
    return one


def typed(policy: Policy, *bodies: Body) -> Verdict:
    return about(Requirement.CLUSTER_OUTBOUND_TYPE, policy, *bodies)


# The type, how its subnet leaves, the policy; whether it complies, and the evidence.
OWN: list[tuple[str | None, dict[str, Any], Policy, Result, str]] = [
    ("userAssignedNATGateway", WITH_NAT, nat_policy(), Result.COMPLIANT, "outboundType userAssignedNATGateway"),
    ("UserAssignedNatGateway", WITH_NAT, nat_policy(), Result.COMPLIANT, "outboundType userAssignedNATGateway"),
    (
        "loadBalancer",
        WITH_NAT,
        nat_policy(),
        Result.VIOLATION,
        "outboundType loadBalancer, but nodes leaves by NAT gateway ng",
    ),
    (None, {}, nat_policy(), Result.VIOLATION, "outboundType loadBalancer"),
    (None, {}, allowing(PathKind.LOAD_BALANCER), Result.COMPLIANT, "outboundType loadBalancer"),
    ("userDefinedRouting", ROUTED, HUB, Result.COMPLIANT, "outboundType userDefinedRouting"),
    (
        "userDefinedRouting",
        {},
        HUB,
        Result.VIOLATION,
        "outboundType userDefinedRouting, but nodes leaves by no way out",
    ),
    (
        "loadBalancer",
        ROUTED,
        HUB,
        Result.VIOLATION,
        "outboundType loadBalancer, but nodes leaves by route to appliance 10.1.0.4",
    ),
    (
        "userAssignedNATGateway",
        WITH_NAT,
        allowing(PathKind.HUB, PathKind.NAT_GATEWAY),
        Result.COMPLIANT,
        "outboundType userAssignedNATGateway",
    ),
    ("none", {}, isolated_policy("off"), Result.COMPLIANT, "outboundType none"),
    ("userDefinedRouting", ROUTED, allowing(PathKind.ON_PREMISES), Result.COMPLIANT, "outboundType userDefinedRouting"),
    ("block", {}, nat_policy(), Result.VIOLATION, "outboundType block"),
    ("managedNATGateway", {}, nat_policy(), Result.VIOLATION, "outboundType managedNATGateway, but nodes leaves by no"),
    (None, {}, allowing(), Result.NOT_APPLICABLE, "the policy names no way out"),
    (None, {}, nat_policy(clusters=Clusters("ignore")), Result.NOT_APPLICABLE, "the policy does not look at"),
    (
        "userDefinedRouting",
        WITH_NAT,
        nat_policy(clusters=Clusters("userDefinedRouting")),
        Result.COMPLIANT,
        "outboundType userDefinedRouting, but nodes leaves by NAT gateway ng",
    ),
    (
        None,
        WITH_NAT,
        nat_policy(egress=Egress(proxy=ProxyPolicy(https="http://proxy:8080"))),
        Result.NOT_APPLICABLE,
        "the policy does not look at outboundType",
    ),
]


@pytest.mark.parametrize(("outbound", "properties", "policy", "result", "seen"), OWN)
def test_a_type_belongs_to_the_way_that_the_policy_allows_and_the_subnets_take(
    outbound: str | None, properties: dict[str, Any], policy: Policy, result: Result, seen: str
) -> None:
    made = balanced() if outbound in (None, "loadBalancer") else aks(outbound=outbound)
    verdict = typed(policy, vnet(nodes(**properties)), made, NAT, address(), TO_HUB, OUT)
    assert (verdict.result, verdict.seen[: len(seen)]) == (result, seen)


def test_the_addresses_that_a_cluster_leaves_from_are_told() -> None:
    assert typed(nat_policy(), vnet(nodes()), balanced(), OUT).addresses == ("20.0.0.1",)
    verdict = typed(nat_policy(), vnet(nodes(**WITH_NAT)), aks(outbound="userAssignedNATGateway"), NAT, address())
    assert (verdict.addresses, verdict.expected) == (("203.0.113.1",), "userAssignedNATGateway")
    assert not verdict.more
    # Of an appliance nobody knows them; nor does it matter whether the policy looks at the type.
    assert typed(HUB, vnet(nodes(**ROUTED)), aks(outbound="userDefinedRouting"), TO_HUB).more
    ignored = nat_policy(clusters=Clusters(outbound_type="ignore"))
    verdict = typed(ignored, vnet(nodes()), balanced(), OUT)
    assert (verdict.result, verdict.addresses, verdict.more) == (Result.NOT_APPLICABLE, ("20.0.0.1",), False)


def managed(*subnets: Body, **properties: Any) -> Body:
    """A network that Azure made for a cluster, in the group of its nodes."""
    body = vnet(*subnets, name="aks-vnet-1", **properties)
    body["id"] = network("virtualNetworks", "aks-vnet-1", NODE_GROUP)
    for one in body["properties"]["subnets"]:
        one["id"] = f"{body['id']}/subnets/{one['name']}"
    return body


def in_managed(outbound: str | None = None, **profile: Any) -> Body:
    """A cluster that names no subnet."""
    made = aks(outbound=outbound, profile=profile)
    made["properties"]["agentPoolProfiles"] = [{"name": "pool0"}]
    return made


MANAGED: list[tuple[Body, dict[str, Any], Policy, Result, str]] = [
    (in_managed(), {}, nat_policy(), Result.VIOLATION, "managedNATGateway"),
    (in_managed("managedNATGateway"), WITH_NAT, nat_policy(), Result.COMPLIANT, "managedNATGateway"),
    (in_managed("managedNATGatewayV2"), WITH_NAT, nat_policy(), Result.COMPLIANT, "managedNATGateway"),
    (
        in_managed("managedNATGateway", natGatewayProfile={"sku": "standardV2"}),
        WITH_NAT,
        nat_policy(),
        Result.COMPLIANT,
        "managedNATGateway",
    ),
    (in_managed("block"), {}, isolated_policy("off"), Result.COMPLIANT, "none or block"),
    (in_managed("none"), {}, isolated_policy("off"), Result.COMPLIANT, "none or block"),
    (
        in_managed(),
        {},
        HUB,
        Result.VIOLATION,
        "userDefinedRouting, which a cluster in a network that Azure manages cannot have",
    ),
    (in_managed(), {}, allowing(PathKind.LOAD_BALANCER), Result.COMPLIANT, "loadBalancer"),
]


@pytest.mark.parametrize(("made", "properties", "policy", "result", "expected"), MANAGED)
def test_a_cluster_in_a_network_that_azure_made_is_governed_by_what_selects_that_network(
    made: Body, properties: dict[str, Any], policy: Policy, result: Result, expected: str
) -> None:
    gateway = {**NAT, "id": nat_id()}
    profile = made["properties"]["networkProfile"]
    if profile.get("outboundType") is None:
        profile["loadBalancerProfile"] = {"effectiveOutboundIPs": refs(PIP)}
    verdict = typed(policy, managed(nodes("aks-subnet", **properties)), made, gateway, address(), OUT)
    assert (verdict.result, verdict.expected) == (result, expected)


def test_the_policy_of_the_node_subnets_governs_and_two_govern_nothing() -> None:
    other = nat_policy(name="other", priority=200, select=Conditions(subnets=("other",)))
    here = nat_policy(select=Conditions(subnets=("nodes", "pods")))
    network_ = vnet(nodes(**WITH_NAT), nodes("other", **WITH_NAT), nodes("pods", **WITH_NAT), subnet("third"))
    context = (network_, NAT, address())

    def verdicts(*subnets: str, **properties: Any) -> list[Verdict]:
        seen = estate(*context, aks(*subnets, outbound="userAssignedNATGateway", **properties))
        return [v for v in judge(seen, Policies((here, other))) if ids.kind(v.resource) == ids.CLUSTER]

    assert [(v.policy, v.result) for v in verdicts(NODES)][:2] == [("nat", Result.COMPLIANT)] * 2
    both = verdicts(NODES, subnet_id("other"))
    assert {(v.result, v.seen) for v in both} == {(Result.UNKNOWN, "pools governed by nat and other")}
    assert len(both) == 4
    half = verdicts(NODES, subnet_id("third"))
    assert {v.seen for v in half} == {"pools governed by nat and nobody"}
    assert [(v.result, v.requirement) for v in verdicts(subnet_id("third"))] == [
        (Result.UNGOVERNED, "cluster-outbound-type")
    ]
    assert {v.seen for v in verdicts(subnet_id("gone"))} == {"the subnets of its nodes were not found"}
    # Who governs the pods' subnet alone decides nothing.
    pools = [{"name": "pool0", "vnetSubnetID": NODES, "podSubnetID": subnet_id("third")}]
    assert verdicts(NODES, agentPoolProfiles=pools)[1].result is Result.COMPLIANT


def test_while_it_is_not_known_which_policy_governs_nothing_is() -> None:
    policy = nat_policy(select=Conditions(tags={"env": "x"}))
    verdicts = judge(estate(vnet(nodes()), balanced(), listed=[clusters(SUB)]), Policies((policy,)))
    assert {v.result for v in verdicts} == {Result.UNKNOWN}
    about = [v for v in verdicts if v.requirement.startswith("cluster-")]
    assert "policy nat may govern it; not read" in about[-1].seen


@pytest.mark.parametrize("policy", [nat_policy(), HUB])
def test_pods_leave_by_their_own_subnet_and_the_api_server_by_none(policy: Policy) -> None:
    way = WITH_NAT if policy.builds is PathKind.NAT_GATEWAY else ROUTED
    kind = "userAssignedNATGateway" if policy.builds is PathKind.NAT_GATEWAY else "userDefinedRouting"
    pools = [{"name": "pool0", "vnetSubnetID": NODES, "podSubnetID": PODS}]
    api = {"subnetId": subnet_id("api")}
    made = aks(outbound=kind, agentPoolProfiles=pools, apiServerAccessProfile=api)
    server = subnet("api", delegations=delegated("Microsoft.ContainerService/managedClusters"))
    context = (made, NAT, address(), TO_HUB)
    whole = typed(policy, vnet(nodes(**way), nodes("pods", **way), server), *context)
    assert whole.result is Result.COMPLIANT
    half = typed(policy, vnet(nodes(**way), nodes("pods"), server), *context)
    assert (half.result, half.seen) == (Result.VIOLATION, f"outboundType {kind}, but pods leaves by no way out")


@pytest.mark.parametrize(
    ("state", "pool", "waits"),
    [
        ("Creating", None, True),
        ("Upgrading", None, True),
        ("Failed", None, False),
        ("Succeeded", "Scaling", True),
        ("Canceled", None, False),
    ],
)
def test_a_cluster_that_is_not_at_rest_is_not_judged(state: str, pool: str | None, waits: bool) -> None:
    pools = [{"name": "pool0", "vnetSubnetID": NODES, **({"provisioningState": pool} if pool else {})}]
    made = balanced(provisioningState=state, agentPoolProfiles=pools)
    verdicts = judge(estate(vnet(nodes()), made), Policies((nat_policy(),)))
    mine = [v for v in verdicts if ids.kind(v.resource) == ids.CLUSTER]
    assert {(v.result, v.waits) for v in mine} == {(Result.UNKNOWN, waits)}
    assert {v.seen for v in mine} == {f"pool pool0 is {pool}" if pool else f"cluster aks is {state}"}


def test_a_subnet_that_is_not_known_leaves_the_cluster_unknown_unless_its_type_is_wrong_anyway() -> None:
    lost = vnet(nodes(natGateway=nat_id("gone")))
    right = typed(nat_policy(), lost, aks(outbound="userAssignedNATGateway"))
    assert (right.result, right.seen) == (Result.UNKNOWN, "how nodes leaves is not known: gone: not read")
    assert typed(nat_policy(), lost, balanced()).result is Result.VIOLATION
    writing = vnet(nodes(provisioningState="Updating"))
    assert typed(nat_policy(), writing, aks(outbound="userAssignedNATGateway")).result is Result.UNKNOWN


def test_clusters_that_nobody_could_list_are_told_of_every_network() -> None:
    seen = estate(vnet(subnet()), listed=(), gaps=[Gap(clusters(SUB), "no permission")])
    last = judge(seen, Policies((nat_policy(),)))[-1]
    assert (ids.kind(last.resource), last.requirement) == (ids.VIRTUAL_NETWORK, "cluster-outbound-type")
    assert (last.result, last.seen) == (
        Result.UNKNOWN,
        "the clusters of the subscription were not read: no permission",
    )


def test_addresses_left_over_in_the_node_group_are_named() -> None:
    idle = {**address("pip-idle"), "id": address_id("pip-idle", NODE_GROUP)}
    used = {**address("pip-in", ipConfiguration={"id": "x"}), "id": address_id("pip-in", NODE_GROUP)}
    made = aks(outbound="userDefinedRouting", profile={"loadBalancerProfile": {"effectiveOutboundIPs": refs(PIP)}})
    verdict = typed(HUB, vnet(nodes(**ROUTED)), made, TO_HUB, OUT, idle, used, address())
    assert verdict.result is Result.COMPLIANT
    assert verdict.seen.endswith(f"; public addresses left over in {NODE_GROUP}: pip-idle, pip-out")


def pools(*profiles: Body) -> Body:
    return aks(outbound="none", agentPoolProfiles=[{"vnetSubnetID": NODES, **one} for one in profiles])


NODE_POOLS: list[tuple[Body, Policy, Result, str]] = [
    (pools({"name": "a"}), nat_policy(), Result.COMPLIANT, "no pool has any"),
    (
        pools({"name": "a", "enableNodePublicIP": True}, {"name": "b"}),
        nat_policy(),
        Result.VIOLATION,
        "every node of pool a has a public address",
    ),
    (
        pools({"name": "a", "nodePublicIPPrefixID": "/x/publicIPPrefixes/pre"}),
        nat_policy(clusters=Clusters(node_public_ips="audit")),
        Result.VIOLATION,
        "every node of pool a has a public address (of prefix pre)",
    ),
    (
        pools({"name": "a", "enableNodePublicIP": True}),
        nat_policy(clusters=Clusters(node_public_ips="allow")),
        Result.NOT_APPLICABLE,
        "the policy allows public addresses on nodes",
    ),
    (
        pools({"name": "gw", "mode": "Gateway", "gatewayProfile": {"publicIPPrefixSize": 30}}),
        nat_policy(),
        Result.COMPLIANT,
        "pool gw is a static egress gateway with a /30 of public addresses",
    ),
    (
        pools({"name": "gw", "mode": "gateway"}),
        nat_policy(public_ips=PublicIps(allow=(AllowedAddress(attached_to=("natGateway",)),))),
        Result.VIOLATION,
        "pool gw is a static egress gateway, which the policy does not allow",
    ),
]


@pytest.mark.parametrize(("made", "policy", "result", "seen"), NODE_POOLS)
def test_public_addresses_on_nodes_are_judged_pool_by_pool(
    made: Body, policy: Policy, result: Result, seen: str
) -> None:
    verdict = about(Requirement.CLUSTER_NODE_PUBLIC_IP, policy, vnet(nodes()), made)
    assert (verdict.result, verdict.seen) == (result, seen)


def test_public_addresses_on_nodes_get_past_a_cluster_without_a_way_out() -> None:
    made = pools({"name": "a", "enableNodePublicIP": True}, {"name": "b"})
    members = (vmss("a"), vmss("b", 1))
    verdict = typed(isolated_policy("off"), vnet(nodes("nodes", *members)), made)
    assert verdict.result is Result.VIOLATION
    assert "public IP addresses on the nodes of pool a" in verdict.seen
    assert verdict.seen.endswith("public addresses on the nodes of a get out all the same")


API: list[tuple[Body | None, str, Result, str]] = [
    (None, "audit", Result.VIOLATION, "public API server, open to everybody"),
    ({"authorizedIPRanges": ["1.2.3.4/32"]}, "deny", Result.VIOLATION, "public API server, open to 1.2.3.4/32"),
    ({"enablePrivateCluster": True}, "audit", Result.COMPLIANT, "private"),
    (
        {"enablePrivateCluster": True, "enablePrivateClusterPublicFQDN": True},
        "audit",
        Result.COMPLIANT,
        "private, with a public name",
    ),
    (None, "off", Result.NOT_APPLICABLE, "the policy does not look at API servers"),
]


@pytest.mark.parametrize(("profile", "stance", "result", "seen"), API)
def test_the_api_server(profile: Body | None, stance: Any, result: Result, seen: str) -> None:
    policy = nat_policy(clusters=Clusters(private_api_server=stance))
    made = balanced(**({"apiServerAccessProfile": profile} if profile else {}))
    verdict = about(Requirement.CLUSTER_PRIVATE_API, policy, vnet(nodes()), made)
    assert (verdict.result, verdict.seen) == (result, seen)


SECRET = "http://user:hunter2@proxy.corp:3128/"
LITERAL = ProxyPolicy(https=SECRET.rstrip("/"), no_proxy=("10.0.0.0/8", "corp.local"))
PROXY, CA, GONE = "@keyvault:corp/proxy", "@keyvault:corp/ca", "@keyvault:corp/gone"
VAULTED = ProxyPolicy(http=PROXY)
PEM = "-----BEGIN CERTIFICATE-----\nTUlJ\n-----END CERTIFICATE-----"
PEM_64 = base64.b64encode(PEM.encode()).decode()
VAULT = {
    f"secret(corp/{name})": Secret(f"secret(corp/{name})", "0" * 32, Concealed(value))
    for name, value in (("proxy", f"{SECRET}\n"), ("ca", PEM))
}
PROXIES: list[tuple[Body | None, ProxyPolicy | None, Result, str]] = [
    (None, None, Result.NOT_APPLICABLE, "the policy names no proxy"),
    (None, LITERAL, Result.VIOLATION, "no proxy is configured"),
    ({"enabled": False, "httpsProxy": SECRET}, LITERAL, Result.VIOLATION, "its proxy is turned off"),
    ({"httpsProxy": SECRET, "noProxy": ["10.0.0.0/8"]}, LITERAL, Result.VIOLATION, "noProxy lacks corp.local"),
    ({"httpsProxy": SECRET + "x", "noProxy": ["10.0.0.0/8", "CORP.local"]}, LITERAL, Result.VIOLATION, "httpsProxy is"),
    (
        {"httpsProxy": SECRET, "noProxy": ["10.0.0.0/8", "CORP.local"]},
        LITERAL,
        Result.COMPLIANT,
        "proxy http://proxy.corp:3128; whether that gets out is not looked at (proxyHost)",
    ),
    ({"httpProxy": SECRET}, VAULTED, Result.COMPLIANT, "proxy http://proxy.corp:3128; whether"),
    ({"httpProxy": SECRET}, replace(VAULTED, trusted_ca=CA), Result.VIOLATION, "trustedCa is not set"),
    ({"httpProxy": SECRET, "trustedCa": PEM_64}, replace(VAULTED, trusted_ca=CA), Result.COMPLIANT, "proxy "),
    (
        {"httpProxy": "http://user:old@proxy.corp:3128"},
        VAULTED,
        Result.VIOLATION,
        "httpProxy is http://proxy.corp:3128 with",
    ),
    ({"httpProxy": "http://a:b/c@d@other:1"}, VAULTED, Result.VIOLATION, "httpProxy is http://other:1"),
    (
        {"httpProxy": SECRET},
        replace(VAULTED, http=GONE),
        Result.UNKNOWN,
        "secret gone of vault corp could not be read: not",
    ),
    (
        {"httpProxy": SECRET},
        replace(VAULTED, http=CA),
        Result.UNKNOWN,
        "secret ca of vault corp is no address http://HOST",
    ),
    (
        {"httpProxy": SECRET},
        replace(VAULTED, trusted_ca=PROXY),
        Result.UNKNOWN,
        "secret proxy of vault corp is no certi",
    ),
    # What AKS says it lets past by itself is there, whoever asked for it.
    (
        {"httpProxy": SECRET, "effectiveNoProxy": ["A.corp"]},
        replace(VAULTED, no_proxy=("a.corp",)),
        Result.COMPLIANT,
        "proxy",
    ),
]


@pytest.mark.parametrize(("there", "wanted", "result", "seen"), PROXIES)
def test_the_proxy_is_compared_and_never_shown(
    there: Body | None, wanted: ProxyPolicy | None, result: Result, seen: str
) -> None:
    policy = nat_policy(egress=Egress(proxy=wanted)) if wanted else nat_policy()
    made = balanced(**({"httpProxyConfig": there} if there else {}))
    seen_of = replace(estate(vnet(nodes()), made), secrets=VAULT)
    (verdict,) = [v for v in judge(seen_of, Policies((policy,))) if v.requirement == Requirement.CLUSTER_PROXY]
    assert (verdict.result, verdict.seen[: len(seen)]) == (result, seen)
    assert "hunter2" not in repr(verdict)


@pytest.mark.parametrize(
    ("requirement", "made"),
    [
        (Requirement.CLUSTER_OUTBOUND_TYPE, balanced()),
        (Requirement.CLUSTER_PRIVATE_API, balanced()),
        (Requirement.CLUSTER_NODE_PUBLIC_IP, pools({"name": "a", "enableNodePublicIP": True})),
    ],
)
def test_a_cluster_may_be_exempt(requirement: Requirement, made: Body) -> None:
    exemption = Exemption(f"*/managedClusters/{'aks'}", requirement, "team", "old", date(2027, 1, 1))
    verdict = about(requirement, nat_policy(exemptions=(exemption,)), vnet(nodes()), made)
    assert verdict.result is Result.EXEMPT
    assert about(requirement, nat_policy(), vnet(nodes()), made).result is Result.VIOLATION


def egress(seen: Estate) -> Verdict:
    return next(v for v in judge(seen, Policies((nat_policy(),))) if v.requirement == "subnet-egress")


def test_the_subnet_of_a_cluster_leaves_as_its_cluster_says() -> None:
    verdict = egress(estate(vnet(nodes()), balanced(), OUT))
    assert (verdict.result, verdict.seen) == (Result.VIOLATION, "load balancer of cluster aks")
    assert verdict.addresses == ("20.0.0.1",)
    # Of a scale set that is nobody's nothing is known.
    assert "instances of scale set" in egress(estate(vnet(nodes()))).seen
    # Whose it is, is not known before the clusters are listed.
    unlisted = egress(estate(vnet(nodes()), listed=()))
    assert (unlisted.result, unlisted.seen) == (Result.UNKNOWN, "clusters of the subscription: not read")
    busy = egress(estate(vnet(nodes()), balanced(provisioningState="Updating")))
    assert (busy.result, busy.waits) == (Result.UNKNOWN, True)
    other = egress(estate(vnet(nodes("nodes", vmss("other"))), pools({"name": "a", "enableNodePublicIP": True})))
    assert other.result is Result.UNKNOWN


def test_a_cluster_is_judged_once_and_only_in_its_own_network() -> None:
    elsewhere = vnet(subnet("app"), name="other")
    verdicts = judge(estate(vnet(nodes()), elsewhere, balanced(), OUT), Policies((nat_policy(),)))
    assert sum(v.requirement == "cluster-outbound-type" for v in verdicts) == 1
    only = judge(estate(elsewhere, balanced()), Policies((nat_policy(),)))
    assert not any(ids.kind(v.resource) == ids.CLUSTER for v in only)
    bare = judge(estate(vnet(), balanced()), Policies((nat_policy(),)))
    assert found(bare)[("aks", "cluster-outbound-type")] is Result.UNKNOWN


def test_hub_policies_ask_for_routes_of_their_clusters() -> None:
    policy = nat_policy(egress=Egress(allow=(PathKind.NAT_GATEWAY,), hub=HubPolicy()))
    made = aks(outbound="userDefinedRouting")
    assert typed(policy, vnet(nodes()), made).result is Result.VIOLATION
    closed = nat_policy(egress=Egress(isolated=IsolatedPolicy("off")))
    assert typed(closed, vnet(nodes()), made).expected == "none"


# ---- pods in a subnet of their own ----------------------------------------------------------------------------------

DELEGATED = "Microsoft.ContainerService/managedClusters"
AKS_OWN: dict[str, Any] = {"delegations": delegated(DELEGATED)}
WITH_PODS: dict[str, Any] = {"agentPoolProfiles": [{"name": "pool0", "vnetSubnetID": NODES, "podSubnetID": PODS}]}


def of_pods(made: Body, policy: Policy = nat_policy(), **properties: Any) -> Verdict:  # noqa: B008
    there = vnet(nodes(), subnet("pods", **AKS_OWN, **properties))
    verdicts = judge(estate(there, made, NAT, address(), OUT), Policies((policy,)))
    return next(v for v in verdicts if v.requirement == "subnet-egress" and ids.name(v.resource) == "pods")


@pytest.mark.parametrize(
    ("made", "policy", "properties", "result", "seen"),
    [
        (balanced(**WITH_PODS), nat_policy(), {}, Result.VIOLATION, "load balancer of cluster aks"),
        (balanced(**WITH_PODS), allowing(PathKind.LOAD_BALANCER), {}, Result.COMPLIANT, "load balancer of cluster aks"),
        (balanced(**WITH_PODS), nat_policy(), WITH_NAT, Result.COMPLIANT, "NAT gateway ng"),
        (
            balanced(**WITH_PODS, provisioningState="Updating"),
            nat_policy(),
            {},
            Result.UNKNOWN,
            "cluster aks is Updating",
        ),
        # An API server's subnet has the same delegation.
        (
            balanced(),
            nat_policy(),
            {},
            Result.NOT_APPLICABLE,
            "delegated to Microsoft.ContainerService/managedClusters",
        ),
    ],
)
def test_a_subnet_of_pods_leaves_with_the_nodes_though_it_is_delegated(
    made: Body, policy: Policy, properties: dict[str, Any], result: Result, seen: str
) -> None:
    verdict = of_pods(made, policy, **properties)
    assert (verdict.result, verdict.seen) == (result, seen)


def test_whose_pods_live_there_is_not_known_before_the_clusters_are_listed() -> None:
    there = vnet(subnet("pods", **AKS_OWN))
    (verdict, *_) = judge(estate(there, listed=()), Policies((nat_policy(),)))
    assert (verdict.result, verdict.seen) == (Result.UNKNOWN, "clusters of the subscription: not read")
