"""Who may do what: ARM refuses what no role allows, also on what a body names, and says beforehand what it allows."""

import base64
from typing import Any

import msgspec
import pytest

from simulator.arm import Request, Response, bearer
from simulator.identity import EVERYBODY, OWNER_APPLICATION, OWNER_OBJECT, object_id_of
from tests.simulator.cloud import GROUP, NETWORK, SUBSCRIPTION, Cloud, link
from tests.support.roles import Roles

SCOPE = f"/subscriptions/{SUBSCRIPTION}"
HUB = f"{NETWORK}/virtualNetworks/hub"
SPOKE = f"{NETWORK}/virtualNetworks/spoke"
TO_SPOKE = f"{HUB}/virtualNetworkPeerings/to-spoke"
PEERINGS = "Microsoft.Network/virtualNetworks/virtualNetworkPeerings"
PEER = "Microsoft.Network/virtualNetworks/peer/action"
AUTHORIZATION = "/providers/Microsoft.Authorization"
SOMEBODY = object_id_of("somebody")
CLIENT = f"The client '{SOMEBODY}' with object id '{SOMEBODY}'"


class Limited(Cloud):
    """A cloud whose calls come from somebody with the roles that `roles` gives, once it is set up by its owner."""

    def __init__(self) -> None:
        super().__init__(roles="assigned")
        self.token = "simulator"
        self.roles = Roles(self.arm, "somebody")
        self.vnet("hub", "10.1.0.0/16")
        self.vnet("spoke", "10.2.0.0/16")
        self.put("routeTables/rt")
        self.put("networkSecurityGroups/guard")
        self.gateway("ng", self.address("ip"))
        self.token = self.roles.token

    def call(self, method: str, path: str, body: object = None, version: str = "", **headers: str) -> Response:
        return super().call(method, path, body, version, **headers, **bearer(self.token))

    def told(self, method: str, path: str, body: object = None) -> tuple[int, str, str]:
        answer = self.call(method, path, body)
        answered = answer.json() if answer.status >= 400 else {"code": "", "message": ""}
        error = answered.get("error", answered)  # AKS wraps nothing
        return answer.status, error["code"], error["message"]


@pytest.fixture
def cloud() -> Limited:
    return Limited()


def denial(scope: str, *actions: str, **properties: Any) -> dict[str, Any]:
    """A deny assignment for everybody, as an entry of an estate."""
    return {
        "id": f"{scope}{AUTHORIZATION}/denyAssignments/d1",
        "type": "Microsoft.Authorization/denyAssignments",
        "properties": {
            "denyAssignmentName": "hands off",
            "permissions": [{"actions": list(actions), "notActions": []}],
            "principals": [{"id": EVERYBODY, "type": "SystemDefined"}],
            "excludePrincipals": [],
            **properties,
        },
    }


# ---- roles ----------------------------------------------------------------------------------------------------------


def test_without_a_role_everything_is_refused_and_the_action_is_named(cloud: Limited) -> None:
    before = cloud.arm.export()
    asked = [
        ("GET", SCOPE, "Microsoft.Resources/subscriptions/read", SCOPE),
        ("GET", f"{SCOPE}/resourcegroups", "Microsoft.Resources/subscriptions/resourceGroups/read", SCOPE),
        ("GET", GROUP, "Microsoft.Resources/subscriptions/resourceGroups/read", GROUP),
        ("DELETE", GROUP, "Microsoft.Resources/subscriptions/resourceGroups/delete", GROUP),
        ("GET", HUB, "Microsoft.Network/virtualNetworks/read", HUB),
        ("PUT", HUB, "Microsoft.Network/virtualNetworks/write", HUB),
        ("PATCH", HUB, "Microsoft.Network/virtualNetworks/write", HUB),
        ("DELETE", HUB, "Microsoft.Network/virtualNetworks/delete", HUB),
        ("GET", f"{NETWORK}/none/none", "Microsoft.Network/none/read", f"{NETWORK}/none/none"),
        (
            "GET",
            f"{NETWORK}/routeTables/rt/routes",
            "Microsoft.Network/routeTables/routes/read",
            f"{NETWORK}/routeTables/rt",
        ),
        (
            "GET",
            f"{SCOPE}/providers/Microsoft.Network/virtualNetworks",
            "Microsoft.Network/virtualNetworks/read",
            SCOPE,
        ),
        (
            "POST",
            f"{NETWORK}/networkInterfaces/n/effectiveRouteTable",
            "Microsoft.Network/networkInterfaces/effectiveRouteTable/action",
            f"{NETWORK}/networkInterfaces/n",
        ),
        (
            "GET",
            f"{SCOPE}/providers/Microsoft.Network/locations/eastus/operations/x",
            "Microsoft.Network/locations/operations/read",
            f"{SCOPE}/providers/Microsoft.Network/locations/eastus/operations/x",
        ),
        (
            "PUT",
            f"{GROUP}/providers/Microsoft.Resources/tags/default",
            "Microsoft.Resources/tags/write",
            f"{GROUP}/providers/Microsoft.Resources/tags/default",
        ),
    ]
    for method, path, action, scope in asked:
        assert cloud.told(method, path, {}) == (
            403,
            "AuthorizationFailed",
            (
                f"{CLIENT} does not have authorization to perform action '{action}' over scope '{scope}' or the scope "
                "is invalid. If access was recently granted, please refresh your credentials."
            ),
        )
    assert cloud.arm.export() == before


COVERED: list[tuple[str, str, bool]] = [
    (TO_SPOKE, f"{PEERINGS}/write", True),
    (HUB, f"{PEERINGS}/write", True),
    (HUB.upper(), f"{PEERINGS}/WRITE".lower(), True),
    (GROUP, "Microsoft.Network/*/write", True),
    (SCOPE, "*", True),
    ("", "*/write", True),
    (f"/providers/Microsoft.Management/managementGroups/{'5e000000-0000-4000-8000-000000000001'}", "*", True),
    (TO_SPOKE, "*/read", False),
    (HUB, f"{PEERINGS}/delete", False),
    (HUB, "Microsoft.Network/virtualNetworks/write", False),
    (HUB, "write", False),
    (SPOKE, f"{PEERINGS}/write", False),
    (HUB[:-1], "*", False),
]


@pytest.mark.parametrize(("scope", "pattern", "allowed"), COVERED)
def test_a_role_holds_at_its_scope_and_below(cloud: Limited, scope: str, pattern: str, allowed: bool) -> None:
    cloud.roles.give(scope, pattern)
    cloud.roles.give(SPOKE, PEER)
    status, code, _ = cloud.told("PUT", TO_SPOKE, {"properties": {"remoteVirtualNetwork": {"id": SPOKE}}})
    assert (status, code) == ((201, "") if allowed else (403, "AuthorizationFailed"))


def test_what_one_role_leaves_out_another_may_allow(cloud: Limited) -> None:
    cloud.roles.give(SCOPE, "*", less=("*/delete",))
    assert cloud.told("DELETE", HUB)[0] == 403
    cloud.roles.give(GROUP, "Microsoft.Network/virtualNetworks/delete")
    assert cloud.told("DELETE", HUB)[0] == 202


def test_a_role_that_is_taken_away_is_gone_at_once(cloud: Limited) -> None:
    cloud.roles.give(GROUP, "*/read")
    assert cloud.told("GET", HUB)[0] == 200
    cloud.roles.take(GROUP)
    assert cloud.told("GET", HUB)[0] == 403


def test_a_role_of_a_group_is_its_members(cloud: Limited) -> None:
    claims = msgspec.json.encode({"oid": "11111111-aaaa-4000-8000-000000000001", "groups": [SOMEBODY.upper()]})
    cloud.token = f"e30.{base64.urlsafe_b64encode(claims).decode().rstrip('=')}."
    assert cloud.told("GET", HUB)[0] == 403
    cloud.roles.give(HUB, "*/read")
    assert cloud.told("GET", HUB)[0] == 200


def test_a_management_group_passes_its_roles_on_to_what_is_moved_into_it(cloud: Limited) -> None:
    groups = "/providers/Microsoft.Management/managementGroups"
    for name, parent in (("corp", ""), ("lab", "corp")):
        details = {"details": {"parent": {"id": f"{groups}/{parent}"}}} if parent else {}
        asked = Request(
            "PUT", f"{groups}/{name}?api-version=2020-05-01", bearer(), msgspec.json.encode({"properties": details})
        )
        assert cloud.arm.handle(asked).status == 200
    cloud.roles.give(f"{groups}/corp", "*/read")
    assert cloud.told("GET", HUB)[0] == 403
    member = Request("PUT", f"{groups}/lab/subscriptions/{SUBSCRIPTION}?api-version=2020-05-01", bearer())
    assert cloud.arm.handle(member).status == 200
    assert cloud.told("GET", HUB)[0] == 200
    assert [group["name"] for group in cloud.get(groups)["value"]] == ["corp", "lab"]


def test_an_open_simulator_asks_nobody() -> None:
    cloud = Cloud()
    answer = cloud.arm.handle(Request("GET", f"{GROUP}?api-version=2021-04-01", bearer("anybody")))
    assert answer.status == 200


# ---- what a body names ----------------------------------------------------------------------------------------------

JOINED = [
    ("routeTable", "routeTables/rt", "Microsoft.Network/routeTables/join/action"),
    ("natGateway", "natGateways/ng", "Microsoft.Network/natGateways/join/action"),
    ("networkSecurityGroup", "networkSecurityGroups/guard", "Microsoft.Network/networkSecurityGroups/join/action"),
]


@pytest.mark.parametrize(("member", "path", "action"), JOINED, ids=[member for member, _, _ in JOINED])
def test_what_a_subnet_names_must_be_joined(cloud: Limited, member: str, path: str, action: str) -> None:
    subnet = {"name": "app", "properties": {"addressPrefix": "10.2.1.0/24", member: link(path)}}
    cloud.roles.give(GROUP, "*/read", "*/write")
    assert cloud.told("PUT", f"{SPOKE}/subnets/app", subnet) == (
        403,
        "LinkedAuthorizationFailed",
        (
            f"{CLIENT} has permission to perform action 'Microsoft.Network/virtualNetworks/subnets/write' on scope "
            f"'{SPOKE}/subnets/app'; however, it does not have permission to perform action(s) '{action}' on the "
            f"linked scope(s) '{NETWORK}/{path}' (respectively) or the linked scope(s) are invalid."
        ),
    )
    space = {"addressPrefixes": ["10.2.0.0/16"]}
    whole = {"location": "eastus", "properties": {"addressSpace": space, "subnets": [subnet]}}
    assert cloud.told("PUT", SPOKE, whole)[1] == "LinkedAuthorizationFailed"
    cloud.roles.give(f"{NETWORK}/{path}", action)
    assert cloud.told("PUT", SPOKE, whole)[0] == 200
    # What was there before needs it as well, when the whole body is sent back.
    cloud.roles.give(f"{NETWORK}/{path}", "*/read")
    cloud.clock.advance(60)
    assert (
        cloud.told("PUT", f"{SPOKE}/subnets/app", cloud.get(f"{SPOKE}/subnets/app"))[1] == "LinkedAuthorizationFailed"
    )


def configuration(**named: Any) -> dict[str, Any]:
    return {"properties": {"ipConfigurations": [{"name": "c", "properties": named}]}}


NAMED: list[tuple[str, dict[str, Any], str]] = [
    (
        "natGateways/new",
        {"properties": {"publicIpAddresses": [link("publicIPAddresses/ip")]}},
        "publicIPAddresses/join",
    ),
    ("natGateways/new", {"properties": {"publicIpPrefixes": [link("publicIPPrefixes/x")]}}, "publicIPPrefixes/join"),
    ("publicIPAddresses/new", {"properties": {"publicIPPrefix": link("publicIPPrefixes/x")}}, "publicIPPrefixes/join"),
    (
        "networkInterfaces/new",
        configuration(subnet=link("virtualNetworks/hub/subnets/s")),
        "virtualNetworks/subnets/join",
    ),
    ("networkInterfaces/new", configuration(publicIPAddress=link("publicIPAddresses/ip")), "publicIPAddresses/join"),
    (
        "networkInterfaces/new",
        configuration(loadBalancerBackendAddressPools=[link("loadBalancers/l/backendAddressPools/p")]),
        "loadBalancers/backendAddressPools/join",
    ),
    (
        "networkInterfaces/new",
        configuration(applicationSecurityGroups=[link("applicationSecurityGroups/a")]),
        "applicationSecurityGroups/joinIpConfiguration",
    ),
    (
        "networkInterfaces/new",
        {"properties": {"networkSecurityGroup": link("networkSecurityGroups/guard")}},
        "networkSecurityGroups/join",
    ),
    ("azureFirewalls/new", {"properties": {"firewallPolicy": link("firewallPolicies/p")}}, "firewallPolicies/join"),
    (
        "virtualNetworks/new",
        {"properties": {"ddosProtectionPlan": link("ddosProtectionPlans/d")}},
        "ddosProtectionPlans/join",
    ),
    (
        "virtualNetworks/spoke/virtualNetworkPeerings/p",
        {"properties": {"remoteVirtualNetwork": link("virtualNetworks/hub")}},
        "virtualNetworks/peer",
    ),
    (
        "virtualNetworks/spoke/subnets/p",
        {"properties": {"serviceEndpointPolicies": [link("serviceEndpointPolicies/s")]}},
        "serviceEndpointPolicies/join",
    ),
    (
        "virtualNetworks/spoke/subnets/p",
        {"properties": {"networkIntentPolicies": [link("networkIntentPolicies/s")]}},
        "networkIntentPolicies/join",
    ),
    (
        "virtualNetworks/spoke/subnets/p",
        {"properties": {"ipamPoolPrefixAllocations": [{"pool": link("networkManagers/m/ipamPools/p")}]}},
        "networkManagers/ipamPools/associateResourcesToPool",
    ),
    (
        "virtualNetworks/spoke/subnets/p",
        {"properties": {"serviceEndpoints": [{"service": "Microsoft.Storage"}]}},
        "virtualNetworks/subnets/joinViaServiceEndpoint",
    ),
    (
        f"{GROUP}/providers/Microsoft.ContainerService/managedClusters/k",
        {"properties": {"agentPoolProfiles": [{"vnetSubnetID": f"{HUB}/subnets/s"}]}},
        "virtualNetworks/subnets/join",
    ),
]


@pytest.mark.parametrize(("path", "body", "action"), NAMED, ids=[f"{path} {action}" for path, _, action in NAMED])
def test_whatever_is_named_asks_for_its_action(cloud: Limited, path: str, body: dict[str, Any], action: str) -> None:
    cloud.roles.give(GROUP, "*/read", "*/write")
    status, code, message = cloud.told("PUT", path, {"location": "eastus", **body})
    assert (status, code) == (403, "LinkedAuthorizationFailed")
    assert f"'Microsoft.Network/{action}/action'" in message
    cloud.roles.give(GROUP, "*/read", "*/write", f"Microsoft.Network/{action}/action")
    assert cloud.told("PUT", path, {"location": "eastus", **body})[1] != "LinkedAuthorizationFailed"


def test_an_exemption_asks_for_its_action_on_the_assignment(cloud: Limited) -> None:
    provider = "/providers/Microsoft.Authorization"
    nics = f"{provider}/policyDefinitions/83a86a26-fd1f-447c-b59d-e51f44264114"
    assignment, exempt = f"{GROUP}{provider}/policyAssignments/a", f"{SPOKE}{provider}/policyExemptions/e"
    body = {"properties": {"policyAssignmentId": assignment, "exemptionCategory": "Waiver"}}
    cloud.roles.give(GROUP, "*/read", "*/write")
    assert cloud.told("PUT", assignment, {"properties": {"policyDefinitionId": nics}})[0] == 201
    status, code, message = cloud.told("PUT", exempt, body)
    assert (status, code) == (403, "LinkedAuthorizationFailed")
    assert "'Microsoft.Authorization/policyAssignments/exempt/action'" in message
    cloud.roles.give(GROUP, "*/read", "*/write", "Microsoft.Authorization/policyAssignments/exempt/action")
    assert cloud.told("PUT", exempt, body)[0] == 201


def test_what_azure_fills_in_and_what_is_inside_asks_for_nothing(cloud: Limited) -> None:
    cloud.token = "simulator"
    cloud.subnet("virtualNetworks/spoke/subnets/app", "10.2.1.0/24", natGateway=link("natGateways/ng"))
    cloud.clock.advance(60)
    gateway = cloud.get("natGateways/ng")
    assert gateway["properties"]["subnets"]
    cloud.token = "somebody"
    cloud.roles.give(GROUP, "*/read", "*/write", "Microsoft.Network/publicIPAddresses/join/action")
    assert cloud.told("PUT", "natGateways/ng", gateway)[0] == 200
    balancer = {
        "frontendIPConfigurations": [{"name": "f", "properties": {"publicIPAddress": link("publicIPAddresses/other")}}],
        "loadBalancingRules": [
            {
                "name": "r",
                "properties": {
                    "frontendIPConfiguration": link("loadBalancers/l/frontendIPConfigurations/f"),
                    "backendAddressPool": link("loadBalancers/l/backendAddressPools/p"),
                    "protocol": "Tcp",
                    "frontendPort": 80,
                    "backendPort": 80,
                },
            }
        ],
        "backendAddressPools": [{"name": "p"}],
    }
    cloud.address("other")
    body = {"location": "eastus", "sku": {"name": "Standard"}, "properties": balancer}
    assert cloud.told("PUT", "loadBalancers/l", body)[0] == 201


# ---- lists, Graph and management groups -----------------------------------------------------------------------------

OTHER = "AAAAAAAA-0000-0000-0000-000000000000"
HIDDEN = f"/subscriptions/{OTHER}/resourceGroups/rg/providers/Microsoft.Network/virtualNetworks/hidden"
GRAPH = "/providers/Microsoft.ResourceGraph/resources"


def graph(cloud: Cloud, query: str, **asked: object) -> Response:
    return cloud.call("POST", GRAPH, {"query": query, **asked}, version="2021-03-01")


def names(answer: Response) -> list[str]:
    return [row["name"] for row in answer.json()["data"]]


def test_lists_leave_out_what_cannot_be_read(cloud: Limited) -> None:
    cloud.arm.load(
        [
            {"id": HIDDEN, "location": "eastus"},
            {"id": f"{SCOPE}/resourceGroups/two", "location": "eastus", "type": "Microsoft.Resources/resourceGroups"},
        ]
    )
    networks = "resources | where type =~ 'microsoft.network/virtualnetworks'"
    assert cloud.get("/subscriptions")["value"] == []
    assert graph(cloud, networks).json()["error"]["code"] == "AccessDenied"
    cloud.roles.give(HUB, "*/read")
    assert [one["subscriptionId"] for one in cloud.get("/subscriptions")["value"]] == [SUBSCRIPTION]
    assert cloud.get(f"{SCOPE}/resourcegroups")["value"] == []
    assert [one["name"] for one in cloud.get(f"{SCOPE}/resources")["value"]] == ["hub"]
    assert names(graph(cloud, networks)) == ["hub"]
    cloud.roles.give(GROUP, "*/read")
    assert [one["name"] for one in cloud.get(f"{SCOPE}/resourcegroups")["value"]] == ["rg"]
    assert names(graph(cloud, networks, subscriptions=[SUBSCRIPTION, OTHER])) == ["hub", "spoke"]
    assert names(graph(cloud, "resourcecontainers")) == ["rg"]
    refused = graph(cloud, networks, subscriptions=[OTHER])
    assert (refused.status, refused.json()["error"]["code"]) == (403, "AccessDenied")


def test_management_groups_name_what_entities_leave_out(cloud: Limited) -> None:
    cloud.arm.load([{"id": HIDDEN, "location": "eastus"}])
    cloud.roles.limit_to(SUBSCRIPTION)
    root = "/providers/Microsoft.Management/managementGroups/5e000000-0000-4000-8000-000000000001"
    assert {one["name"] for one in cloud.get(f"{root}/descendants")["value"]} == {SUBSCRIPTION, OTHER}
    entities = cloud.call("POST", "/providers/Microsoft.Management/getEntities", version="2020-05-01").json()["value"]
    assert {one["name"] for one in entities} == {root.rpartition("/")[2], SUBSCRIPTION}
    cloud.roles.take("")
    assert cloud.told("GET", root)[:2] == (403, "AuthorizationFailed")
    assert cloud.get("/providers/Microsoft.Management/managementGroups")["value"] == []


def test_unknown_subscriptions_are_not_found_whoever_asks(cloud: Limited) -> None:
    assert cloud.told("GET", "/subscriptions/bbbbbbbb-0000-0000-0000-000000000000")[:2] == (404, "SubscriptionNotFound")


# ---- permissions ----------------------------------------------------------------------------------------------------


def permissions(cloud: Cloud, scope: str) -> list[tuple[list[str], list[str]]]:
    answer = cloud.call("GET", f"{scope}{AUTHORIZATION}/permissions", version="2022-04-01")
    assert answer.status == 200, answer.body
    assert all(one["dataActions"] == one["notDataActions"] == [] for one in answer.json()["value"])
    return [(one["actions"], one["notActions"]) for one in answer.json()["value"]]


def test_what_may_be_done_somewhere_can_be_asked(cloud: Limited) -> None:
    cloud.roles.give(SCOPE, "*/read")
    cloud.roles.give(HUB, "*", less=(PEER,))
    assert permissions(cloud, SCOPE) == [(["*/read"], [])]
    assert permissions(cloud, GROUP) == [(["*/read"], [])]
    assert permissions(cloud, SPOKE) == [(["*/read"], [])]
    assert permissions(cloud, HUB.replace("resourceGroups/rg", "RESOURCEGROUPS/RG")) == [
        (["*/read"], []),
        (["*"], [PEER]),
    ]
    assert cloud.told("PUT", f"{HUB}{AUTHORIZATION}/permissions", {})[0] == 405
    cloud.token = "simulator"
    assert permissions(cloud, HUB) == [(["*"], [])]


@pytest.mark.parametrize(
    ("scope", "code"),
    [
        (f"{NETWORK}/virtualNetworks/none", "ResourceNotFound"),
        (f"{HUB}/subnets/none", "NotFound"),
        (f"{GROUP}x", "ResourceGroupNotFound"),
        ("/subscriptions/bbbbbbbb-0000-0000-0000-000000000000", "SubscriptionNotFound"),
        ("", "MissingSubscription"),
    ],
)
def test_nothing_may_be_asked_of_what_is_not_there(cloud: Limited, scope: str, code: str) -> None:
    cloud.roles.give("", "*")
    assert cloud.told("GET", f"{scope}{AUTHORIZATION}/permissions")[:2] == (404, code)


def test_who_may_not_read_permissions_is_told_so(cloud: Limited) -> None:
    cloud.roles.give("", "*", less=("Microsoft.Authorization/*/read",))
    status, _, message = cloud.told("GET", f"{HUB}{AUTHORIZATION}/permissions")
    assert status == 403
    assert f"'Microsoft.Authorization/permissions/read' over scope '{HUB}'" in message


# ---- deny assignments -----------------------------------------------------------------------------------------------


def test_a_deny_assignment_refuses_even_the_owner(cloud: Limited) -> None:
    cloud.token = "simulator"
    cloud.arm.load([denial(GROUP, "Microsoft.Network/*/delete")])
    owner = f"The client '{OWNER_APPLICATION}' with object id '{OWNER_OBJECT}'"
    assert cloud.told("DELETE", HUB) == (
        403,
        "DenyAssignmentAuthorizationFailed",
        (
            f"{owner} has permission to perform action 'Microsoft.Network/virtualNetworks/delete' on scope '{HUB}'; "
            "however, the access is denied because of the deny assignment with name 'hands off' and Id 'd1' at scope "
            f"'{GROUP}'."
        ),
    )
    assert cloud.told("GET", HUB)[0] == 200
    assert permissions(cloud, HUB) == [(["*"], [])]


def test_a_deny_assignment_leaves_out_whom_it_names_and_what_lies_below(cloud: Limited) -> None:
    cloud.token = "simulator"
    cloud.arm.load([denial(GROUP, "*/delete", excludePrincipals=[{"id": OWNER_OBJECT.upper(), "type": "User"}])])
    assert cloud.told("DELETE", "networkSecurityGroups/guard")[0] == 202
    cloud.arm.load([denial(GROUP, "*/delete", doNotApplyToChildScopes=True)])
    assert cloud.told("DELETE", GROUP)[1] == "DenyAssignmentAuthorizationFailed"
    assert cloud.told("DELETE", "routeTables/rt")[0] == 202
    cloud.arm.load([denial(GROUP, "*/delete", principals=[{"id": SOMEBODY, "type": "ServicePrincipal"}])])
    assert cloud.told("DELETE", "natGateways/ng")[0] == 202


def test_a_join_can_be_denied(cloud: Limited) -> None:
    cloud.token = "simulator"
    cloud.arm.load([denial(f"{NETWORK}/routeTables/rt", "*/join/action")])
    subnet = {"properties": {"addressPrefix": "10.2.1.0/24", "routeTable": link("routeTables/rt")}}
    status, code, message = cloud.told("PUT", f"{SPOKE}/subnets/app", subnet)
    assert (status, code) == (403, "LinkedAuthorizationFailed")
    assert message.endswith(
        "it does not have permission to perform action 'Microsoft.Network/routeTables/join/action' on the '0' linked "
        "scope(s) '' or the linked scope(s) are invalid and is blocked by deny assignments on the '1' linked scope(s) "
        f"'{NETWORK}/routeTables/rt'."
    )
