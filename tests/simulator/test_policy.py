"""Azure Policy: what definitions and assignments have to be, which requests they refuse, and in which words."""

import json
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from simulator.arm import Arm, ManualClock
from simulator.estates import BadEstate
from tests.simulator.cloud import GROUP, NETWORK, SUBSCRIPTION, Cloud, link, nic_properties

SCOPE = f"/subscriptions/{SUBSCRIPTION}"
AUTHORIZATION = "providers/Microsoft.Authorization"
TOP = "/providers/Microsoft.Management/managementGroups/top"
NICS, SUBNETS, TYPES = (
    f"/{AUTHORIZATION}/policyDefinitions/{name}"
    for name in (
        "83a86a26-fd1f-447c-b59d-e51f44264114",
        "7bca8353-aa3b-429b-904a-9229c4385837",
        "6c112d4e-5bc7-47ae-a041-ea2d9dccd749",
    )
)
CLUSTER = f"{GROUP}/providers/Microsoft.ContainerService/managedClusters/c"
DENIED = (403, "RequestDisallowedByPolicy")
Properties = dict[str, Any]


def defined(cloud: Cloud, condition: object, effect: str = "deny", **properties: Any) -> str:
    """A condition in, the id of a definition of it out."""
    definition = f"{SCOPE}/{AUTHORIZATION}/policyDefinitions/d"
    cloud.put(definition, {"policyRule": {"if": condition, "then": {"effect": effect}}, **properties})
    return definition


def assigned(cloud: Cloud, definition: str, scope: str = SCOPE, name: str = "a", **properties: Any) -> str:
    """A definition in, the id of an assignment of it out."""
    assignment = f"{scope}/{AUTHORIZATION}/policyAssignments/{name}"
    cloud.put(assignment, {"policyDefinitionId": definition, **properties})
    return assignment


def values(**parameters: Any) -> Properties:
    return {name: {"value": value} for name, value in parameters.items()}


def outcome(cloud: Cloud, path: str, properties: Properties, **beside: Any) -> bool:
    """Whether a PUT is let through; anything but success and the refusal of a policy is an error."""
    body = {"properties": properties, **({"location": "eastus"} if path.count("/") != 3 else {}), **beside}
    response = cloud.call("PUT", path, body)
    assert response.status in (200, 201, 403), response.body
    return response.status != 403


# --- the built-in definitions ---------------------------------------------------------------------


def network(**subnet: Any) -> Properties:
    subnets = [{"name": "s", "properties": {"addressPrefix": "10.0.0.0/24", **subnet}}]
    return {"addressSpace": {"addressPrefixes": ["10.0.0.0/16"]}, "subnets": subnets}


def nic_with(**configuration: Any) -> Properties:
    return nic_properties("virtualNetworks/there/subnets/s", **configuration)


BUILT_IN: list[tuple[str, Properties, str, Properties, bool]] = [
    (NICS, {}, "networkInterfaces/n", nic_with(), True),
    (NICS, {}, "networkInterfaces/n", nic_with(publicIPAddress=link("publicIPAddresses/ip")), False),
    (SUBNETS, {"effect": "Deny"}, "virtualNetworks/v", network(), False),
    (SUBNETS, {"effect": "Deny"}, "virtualNetworks/v", network(defaultOutboundAccess=True), False),
    (SUBNETS, {"effect": "Deny"}, "virtualNetworks/v", network(defaultOutboundAccess=False), True),
    (SUBNETS, {"effect": "Deny"}, "virtualNetworks/v", {"addressSpace": {"addressPrefixes": ["10.0.0.0/16"]}}, True),
    (SUBNETS, {"effect": "Deny"}, "virtualNetworks/there/subnets/t", {"addressPrefix": "10.9.1.0/24"}, False),
    (
        SUBNETS,
        {"effect": "Deny"},
        "virtualNetworks/there/subnets/t",
        {"addressPrefix": "10.9.1.0/24", "defaultOutboundAccess": False},
        True,
    ),
    (SUBNETS, {}, "virtualNetworks/v", network(), True),  # it audits when nobody says otherwise
    (
        TYPES,
        {"listOfResourceTypesNotAllowed": ["microsoft.network/PublicIPAddresses"]},
        "publicIPAddresses/p",
        {},
        False,
    ),
    (TYPES, {"listOfResourceTypesNotAllowed": ["Microsoft.Network/publicIPPrefixes"]}, "publicIPAddresses/p", {}, True),
    (
        TYPES,
        {"listOfResourceTypesNotAllowed": ["Microsoft.Network/publicIPAddresses"], "effect": "Disabled"},
        "publicIPAddresses/p",
        {},
        True,
    ),
]


@pytest.mark.parametrize(("definition", "parameters", "path", "properties", "passes"), BUILT_IN)
def test_built_in_definitions(
    cloud: Cloud, definition: str, parameters: Properties, path: str, properties: Properties, passes: bool
) -> None:
    cloud.vnet("there", "10.9.0.0/16")
    cloud.subnet("virtualNetworks/there/subnets/s", "10.9.0.0/24")
    cloud.address("ip")
    assigned(cloud, definition, parameters=values(**parameters))
    sku = {"sku": {"name": "Standard"}} if path.startswith("publicIPAddresses") else {}
    assert outcome(cloud, path, properties, **sku) is passes
    assert (cloud.call("GET", path).status == 200) is passes


# --- definitions as they were published -----------------------------------------------------------

WRITTEN = {
    "AllInternetViaAzureFirewall": 201,
    "Deny-Subnet-Without-Udr": 201,
    "Deny-UDR-With-Specific-NextHop": 201,
    "K8s_InternalLoadBalancers": 201,
    "Modify-UDR": 201,
    "NetworkPublicIPNic_Deny": 201,
    "NotAllowedResourceTypes": 201,
    "PrivateSubnetOnly": 201,
    "adds-the-default-route-table-to-subnets": 201,
    "aks-prevent-node-public-ip": 201,
    "enforce-aks-outbound-type": 201,
}


def published(shared: Path, name: str) -> Properties:
    """The name of a sample in, its properties as a PUT sends them out: templates write `[[` for a bracket."""
    found = (shared / "samples" / "azure-policies" / f"{name}.json").read_text().replace('"[[', '"[')
    properties: Properties = json.loads(found)["properties"]
    return properties | {"policyType": "Custom"}


@pytest.mark.parametrize(("name", "status"), WRITTEN.items())
def test_published_definitions(cloud: Cloud, shared: Path, name: str, status: int) -> None:
    path = f"{SCOPE}/{AUTHORIZATION}/policyDefinitions/d"
    assert cloud.call("PUT", path, {"properties": published(shared, name)}).status == status


def test_every_published_definition_is_tried(shared: Path) -> None:
    assert sorted(WRITTEN) == sorted(path.stem for path in (shared / "samples" / "azure-policies").iterdir())


@pytest.mark.parametrize(("name", "status"), [("Modify-UDR", 501), ("adds-the-default-route-table-to-subnets", 501)])
def test_what_would_change_requests_is_not_assigned(cloud: Cloud, shared: Path, name: str, status: int) -> None:
    properties = published(shared, name)
    definition = f"{SCOPE}/{AUTHORIZATION}/policyDefinitions/d"
    cloud.put(definition, properties)
    given = {
        parameter: {} if spec["type"] == "Object" else "None"
        for parameter, spec in properties["parameters"].items()
        if parameter != "effect"
    }
    body = {"properties": {"policyDefinitionId": definition, "parameters": values(**given)}}
    assert cloud.call("PUT", f"{SCOPE}/{AUTHORIZATION}/policyAssignments/a", body).status == status


@pytest.mark.parametrize(
    ("wanted", "asked", "passes"),
    [
        ("userDefinedRouting", "userDefinedRouting", True),
        ("userDefinedRouting", "UserDefinedRouting", True),
        ("userDefinedRouting", "loadBalancer", False),
        ("userDefinedRouting", None, False),
        ("loadBalancer", "loadBalancer", True),
    ],
)
def test_outbound_type_of_clusters(cloud: Cloud, shared: Path, wanted: str, asked: str | None, passes: bool) -> None:
    definition = f"{SCOPE}/{AUTHORIZATION}/policyDefinitions/d"
    cloud.put(definition, published(shared, "enforce-aks-outbound-type"))
    assigned(cloud, definition, parameters=values(OUTBOUNDTYPE=wanted, effect="Deny"))
    profile = {"outboundType": asked} if asked is not None else {}
    body = {"location": "eastus", "properties": {"networkProfile": profile}}
    # What is let through comes to AKS, which wants more than this.
    assert cloud.call("PUT", CLUSTER, body).status == (400 if passes else 403)


@pytest.mark.parametrize(
    ("name", "path", "properties", "passes"),
    [
        ("Deny-Subnet-Without-Udr", "virtualNetworks/v", network(), False),
        ("Deny-Subnet-Without-Udr", "virtualNetworks/v", network(routeTable=link("routeTables/t")), True),
        ("Deny-Subnet-Without-Udr", "virtualNetworks/there/subnets/RouteServerSubnet", {}, True),
        ("Deny-Subnet-Without-Udr", "virtualNetworks/there/subnets/other", {}, False),
        ("Deny-UDR-With-Specific-NextHop", "routeTables/t/routes/r", {"nextHopType": "Internet"}, False),
        ("Deny-UDR-With-Specific-NextHop", "routeTables/t/routes/r", {"nextHopType": "None"}, True),
    ],
)
def test_definitions_of_landing_zones(
    cloud: Cloud, shared: Path, name: str, path: str, properties: Properties, passes: bool
) -> None:
    cloud.vnet("there", "10.9.0.0/16")
    cloud.put("routeTables/t")
    definition = f"{SCOPE}/{AUTHORIZATION}/policyDefinitions/d"
    cloud.put(definition, published(shared, name))
    assigned(cloud, definition)
    prefix = {"addressPrefix": "10.9.0.0/24"} if path.count("/") == 3 else {}
    assert outcome(cloud, path, prefix | properties) is passes


# --- the language ---------------------------------------------------------------------------------

POOL = "Microsoft.ContainerService/managedClusters/agentPoolProfiles[*]"
OUTBOUND = "Microsoft.ContainerService/managedClusters/networkProfile.outboundType"
PRIVATE = "Microsoft.ContainerService/managedClusters/apiServerAccessProfile.enablePrivateCluster"
BODY: Properties = {
    "location": "East US",
    "tags": {"Env": "Prod", "cost": "7"},
    "properties": {
        "networkProfile": {"outboundType": "loadBalancer"},
        "apiServerAccessProfile": {"enablePrivateCluster": True},
        "agentPoolProfiles": [{"name": "a", "enableNodePublicIP": True}, {"name": "b"}],
    },
}

CONDITIONS: list[tuple[Properties, bool]] = [
    ({"field": OUTBOUND, "equals": "LOADBALANCER"}, True),
    ({"field": OUTBOUND, "notEquals": "loadBalancer"}, False),
    ({"field": OUTBOUND, "in": ["none", "LoadBalancer"]}, True),
    ({"field": OUTBOUND, "notIn": ["none"]}, True),
    ({"field": OUTBOUND, "like": "load*"}, True),
    ({"field": OUTBOUND, "like": "oad*"}, False),
    ({"field": OUTBOUND, "notLike": "*balancer"}, False),
    ({"field": OUTBOUND, "contains": "BALANCE"}, True),
    ({"field": OUTBOUND, "notContains": "nat"}, True),
    ({"field": OUTBOUND, "exists": "true"}, True),
    ({"field": OUTBOUND, "exists": False}, False),
    ({"field": PRIVATE, "equals": "true"}, True),
    ({"field": PRIVATE, "notEquals": "false"}, True),
    ({"field": "type", "equals": "microsoft.containerservice/managedclusters"}, True),
    ({"field": "name", "equals": "C"}, True),
    ({"field": "fullName", "equals": "c"}, True),
    ({"field": "id", "like": f"{SCOPE}/*"}, True),
    ({"field": "location", "equals": "eastus"}, True),
    ({"field": "kind", "exists": True}, False),
    ({"field": "kind", "equals": ""}, False),
    ({"field": "kind", "notEquals": "x"}, True),
    ({"field": "kind", "in": ["x"]}, False),
    ({"field": "kind", "notIn": ["x"]}, True),
    ({"field": "kind", "like": "*"}, False),
    ({"field": "kind", "notLike": "*"}, True),
    ({"field": "kind", "contains": ""}, False),
    ({"field": "tags['env']", "equals": "prod"}, True),
    ({"field": "tags.cost", "equals": 7}, True),
    ({"field": "tags", "containsKey": "ENV"}, True),
    ({"field": "tags", "notContainsKey": "owner"}, True),
    ({"field": f"{POOL}.enableNodePublicIP", "equals": True}, False),  # one of them says nothing
    ({"not": {"field": f"{POOL}.enableNodePublicIP", "notEquals": True}}, True),
    ({"count": {"field": POOL}, "equals": 2}, True),
    ({"count": {"field": POOL}, "greater": 2}, False),
    ({"count": {"field": POOL}, "greaterOrEquals": 2}, True),
    ({"count": {"field": POOL}, "less": 2}, False),
    ({"count": {"field": POOL}, "lessOrEquals": 2}, True),
    ({"count": {"field": POOL, "where": {"field": f"{POOL}.enableNodePublicIP", "equals": True}}, "equals": 1}, True),
    ({"value": "[resourceGroup().managedBy]", "exists": False}, True),
    ({"value": "[resourcegroup()['name']]", "equals": "rg"}, True),
    ({"value": "[subscription().subscriptionId]", "equals": SUBSCRIPTION}, True),
    ({"value": "[concat('a', '''', field('name'))]", "equals": "a'c"}, True),
    ({"value": "[empty(field('kind'))]", "equals": True}, True),
    ({"value": "[[x]", "equals": "[[x]"}, True),
    ({"allOf": [{"field": "name", "equals": "c"}, {"field": "name", "equals": "d"}]}, False),
    ({"anyOf": [{"field": "name", "equals": "c"}, {"field": "name", "equals": "d"}]}, True),
    ({"not": {"field": "name", "equals": "c"}}, False),
]


@pytest.mark.parametrize(("condition", "holds"), CONDITIONS)
def test_conditions(cloud: Cloud, condition: Properties, holds: bool) -> None:
    assigned(cloud, defined(cloud, condition), GROUP)
    assert (cloud.call("PUT", CLUSTER, BODY).status == 403) is holds


def test_elements_of_an_empty_array_are_all_alike(cloud: Cloud) -> None:
    assigned(cloud, defined(cloud, {"field": f"{POOL}.enableNodePublicIP", "equals": True}), GROUP)
    assert cloud.call("PUT", CLUSTER, {**BODY, "properties": {"agentPoolProfiles": []}}).status == 403


REFUSED_RULES: list[tuple[object, int, str]] = [
    (None, 400, "InvalidRequestContent"),
    ({"if": {"field": "name", "equals": "x"}}, 400, "InvalidPolicyRule"),
    ({"if": {}, "then": {"effect": "deny"}, "description": "x"}, 400, "InvalidPolicyRule"),
    ({"if": {"field": "name", "equals": "x"}, "then": {}}, 400, "InvalidPolicyRule"),
    ({"if": {"field": "name"}, "then": {"effect": "deny"}}, 400, "InvalidPolicyRule"),
    ({"if": {"field": "name", "equals": "x", "like": "y"}, "then": {"effect": "deny"}}, 400, "InvalidPolicyRule"),
    ({"if": {"field": "name", "equal": "x"}, "then": {"effect": "deny"}}, 400, "InvalidPolicyRule"),
    ({"if": {"field": "name", "like": "*x*"}, "then": {"effect": "deny"}}, 400, "InvalidPolicyRule"),
    ({"if": {"allOf": {"field": "name", "equals": "x"}}, "then": {"effect": "deny"}}, 400, "InvalidPolicyRule"),
    ({"if": {"not": {}, "anyOf": []}, "then": {"effect": "deny"}}, 400, "InvalidPolicyRule"),
    ({"if": {"count": {"field": "name"}, "equals": 1}, "then": {"effect": "deny"}}, 400, "InvalidPolicyRule"),
    ({"if": {"value": "[field(]", "equals": 1}, "then": {"effect": "deny"}}, 400, "InvalidPolicyRule"),
    ({"if": {"value": "[field('name') 1]", "equals": 1}, "then": {"effect": "deny"}}, 400, "InvalidPolicyRule"),
    ({"if": {"value": "[field()]", "equals": 1}, "then": {"effect": "deny"}}, 400, "InvalidPolicyRule"),
    ({"if": {"value": "[%]", "equals": 1}, "then": {"effect": "deny"}}, 400, "InvalidPolicyRule"),
    ({"if": {"field": "name", "equals": "x"}, "then": {"effect": "perhaps"}}, 400, "InvalidPolicyRuleEffect"),
    (
        {"if": {"field": "name", "equals": "[parameters('p')]"}, "then": {"effect": "deny"}},
        400,
        "InvalidPolicyParameters",
    ),
    ({"if": {"field": "name", "match": "x"}, "then": {"effect": "deny"}}, 501, "NotModelledBySimulator"),
    ({"if": {"field": "Microsoft.X/y/z", "equals": 1}, "then": {"effect": "deny"}}, 501, "NotModelledBySimulator"),
    (
        {"if": {"value": "[field('Microsoft.X/y')]", "equals": 1}, "then": {"effect": "deny"}},
        501,
        "NotModelledBySimulator",
    ),
    ({"if": {"value": "[utcNow()]", "equals": 1}, "then": {"effect": "deny"}}, 501, "NotModelledBySimulator"),
    ({"if": {"count": {"value": [1]}, "equals": 1}, "then": {"effect": "deny"}}, 501, "NotModelledBySimulator"),
    ({"if": {"field": "name", "equals": "x"}, "then": {"effect": "modify"}}, 501, "NotModelledBySimulator"),
]


@pytest.mark.parametrize(("rule", "status", "code"), REFUSED_RULES)
def test_rules_that_mean_nothing_are_refused(cloud: Cloud, rule: object, status: int, code: str) -> None:
    path = f"{SCOPE}/{AUTHORIZATION}/policyDefinitions/d"
    assert cloud.refused("PUT", path, {"properties": {"policyRule": rule}}) == (status, code)
    assert cloud.refused("GET", path) == (404, "PolicyDefinitionNotFound")


RULE = {"if": {"field": "name", "equals": "x"}, "then": {"effect": "deny"}}


@pytest.mark.parametrize(
    ("properties", "code"),
    [
        ({"mode": "Foo"}, "InvalidPolicyDefinitionMode"),
        ({"policyType": "BuiltIn"}, "InvalidRequestContent"),
        ({"parameters": {"p": {"type": "String"}}}, "UnusedPolicyParameters"),
    ],
)
def test_definitions_are_refused(cloud: Cloud, properties: Properties, code: str) -> None:
    path = f"{SCOPE}/{AUTHORIZATION}/policyDefinitions/d"
    assert cloud.refused("PUT", path, {"properties": {"policyRule": RULE, **properties}}) == (400, code)


def test_definitions_live_at_subscriptions_and_management_groups(cloud: Cloud) -> None:
    body = {"properties": {"policyRule": RULE}}
    assert cloud.refused("PUT", f"{GROUP}/{AUTHORIZATION}/policyDefinitions/d", body)[0] == 405
    assert cloud.refused("PUT", f"/{AUTHORIZATION}/policyDefinitions/d", body)[0] == 405
    assert cloud.refused("PUT", NICS, body)[0] == 405
    assert cloud.call("DELETE", NICS).status == 204
    assert cloud.get(NICS)["properties"]["policyType"] == "BuiltIn"
    assert cloud.refused("PUT", f"{TOP}/{AUTHORIZATION}/policyDefinitions/d", body) == (404, "ManagementGroupNotFound")


# --- assignments ----------------------------------------------------------------------------------

REFUSED_ASSIGNMENTS: list[tuple[Properties, int, str]] = [
    ({}, 400, "InvalidRequestContent"),
    ({"policyDefinitionId": NICS[:-1]}, 400, "PolicyDefinitionNotFound"),
    ({"policyDefinitionId": f"{SCOPE}/{AUTHORIZATION}/policySetDefinitions/x"}, 400, "PolicySetDefinitionNotFound"),
    ({"policyDefinitionId": NICS, "parameters": values(effect="Deny")}, 400, "UndefinedPolicyParameter"),
    ({"policyDefinitionId": TYPES}, 400, "MissingPolicyParameter"),
    (
        {"policyDefinitionId": TYPES, "parameters": values(listOfResourceTypesNotAllowed="x")},
        400,
        "InvalidPolicyParameterType",
    ),
    ({"policyDefinitionId": SUBNETS, "parameters": values(effect="Modify")}, 400, "PolicyParameterValueNotAllowed"),
    ({"policyDefinitionId": NICS, "enforcementMode": "Off"}, 400, "InvalidRequestContent"),
    ({"policyDefinitionId": NICS, "notScopes": ["/subscriptions/other"]}, 400, "InvalidPolicyAssignmentNotScopes"),
    ({"policyDefinitionId": NICS, "overrides": [{"kind": "policyEffect"}]}, 501, "NotModelledBySimulator"),
]


@pytest.mark.parametrize(("properties", "status", "code"), REFUSED_ASSIGNMENTS)
def test_assignments_are_refused(cloud: Cloud, properties: Properties, status: int, code: str) -> None:
    path = f"{SCOPE}/{AUTHORIZATION}/policyAssignments/a"
    assert cloud.refused("PUT", path, {"properties": properties}) == (status, code)
    assert cloud.refused("GET", path) == (404, "PolicyAssignmentNotFound")


def test_names_of_assignments_are_shorter_at_management_groups(cloud: Cloud) -> None:
    cloud.call("PUT", TOP, {})
    body = {"properties": {"policyDefinitionId": NICS}}
    for scope, longest in ((TOP, 24), (SCOPE, 64)):
        path = f"{scope}/{AUTHORIZATION}/policyAssignments/{'x' * longest}"
        assert cloud.call("PUT", path, body).status == 201
        assert cloud.refused("PUT", f"{path}x", body) == (400, "InvalidPolicyAssignmentName")


def test_a_definition_is_assigned_at_its_scope_and_below(cloud: Cloud) -> None:
    cloud.call("PUT", TOP, {})
    own = defined(cloud, {"field": "name", "equals": "x"})
    above = f"{TOP}/{AUTHORIZATION}/policyDefinitions/above"
    cloud.put(above, {"policyRule": RULE})
    body = {"properties": {"policyDefinitionId": own}}
    refused = (400, "InvalidCreatePolicyAssignmentRequest")
    assert cloud.refused("PUT", f"{TOP}/{AUTHORIZATION}/policyAssignments/a", body) == refused
    body = {"properties": {"policyDefinitionId": above}}
    path = f"{GROUP}/{AUTHORIZATION}/policyAssignments/b"
    assert cloud.refused("PUT", path, body) == refused  # the subscription is not below that group yet
    cloud.call("PUT", f"{TOP}/subscriptions/{SUBSCRIPTION}")
    assert cloud.call("PUT", path, body).status == 201
    assert assigned(cloud, own, GROUP)


@pytest.mark.parametrize("scope", [TOP, SCOPE, GROUP])
def test_assignments_hold_below_their_scope(cloud: Cloud, scope: str) -> None:
    cloud.call("PUT", TOP, {})
    cloud.call("PUT", f"{TOP}/subscriptions/{SUBSCRIPTION}")
    assigned(cloud, TYPES, scope, parameters=values(listOfResourceTypesNotAllowed=["Microsoft.Network/natGateways"]))
    assert cloud.refused("PUT", "natGateways/n", {"location": "eastus"}) == DENIED
    other = f"{SCOPE}/resourceGroups/other"
    assert cloud.call("PUT", other, {"location": "eastus"}).status == 201
    path = f"{other}/providers/Microsoft.Network/natGateways/n"
    body = {"location": "eastus", "sku": {"name": "Standard"}}
    assert (cloud.call("PUT", path, body).status == 201) is (scope == GROUP)


@pytest.mark.parametrize("below", [SCOPE, GROUP, f"{NETWORK}/natGateways/n"])
def test_what_is_excluded_or_not_enforced_passes(cloud: Cloud, below: str) -> None:
    given = values(listOfResourceTypesNotAllowed=["Microsoft.Network/natGateways"])
    body = {"location": "eastus", "sku": {"name": "Standard"}}
    assigned(cloud, TYPES, parameters=given, notScopes=[below])
    assert cloud.call("PUT", "natGateways/n", body).status == 201
    assigned(cloud, TYPES, parameters=given, notScopes=[f"{NETWORK}/natGateways/other"])
    assert cloud.refused("PUT", "natGateways/n", body) == DENIED
    assigned(cloud, TYPES, parameters=given, enforcementMode="DoNotEnforce")
    assert cloud.call("PUT", "natGateways/n", body).status == 200


def test_indexed_definitions_leave_out_what_has_no_tags(cloud: Cloud) -> None:
    condition = {"field": "name", "equals": "x"}
    cloud.vnet("x")
    definition = defined(cloud, condition, mode="Indexed")
    assigned(cloud, definition)
    assert outcome(cloud, "virtualNetworks/x/subnets/x", {"addressPrefix": "10.0.0.0/24"})
    assert cloud.call("PUT", f"{SCOPE}/resourceGroups/x", {"location": "eastus"}).status == 201
    assert not outcome(cloud, "virtualNetworks/x", {"addressSpace": {"addressPrefixes": ["10.0.0.0/16"]}})
    defined(cloud, condition, mode="All")
    assert not outcome(cloud, "virtualNetworks/x/subnets/x", {"addressPrefix": "10.0.0.0/24"})
    assert cloud.refused("PUT", f"{SCOPE}/resourceGroups/x", {"location": "eastus"}) == DENIED
    defined(cloud, condition, mode="Microsoft.Kubernetes.Data")
    assert outcome(cloud, "virtualNetworks/x/subnets/x", {"addressPrefix": "10.0.0.0/24"})


def test_a_patch_is_judged_by_what_it_would_leave(cloud: Cloud) -> None:
    cloud.vnet()
    condition = {"allOf": [{"field": "tags['env']", "exists": False}, {"field": "location", "equals": "eastus"}]}
    assigned(cloud, defined(cloud, condition))
    assert cloud.refused("PATCH", "virtualNetworks/v", {"tags": {"a": "b"}}) == DENIED
    assert cloud.call("PATCH", "virtualNetworks/v", {"tags": {"env": "b"}}).status == 200
    assert cloud.refused("PATCH", GROUP, {"tags": {"a": "b"}}) == DENIED


def test_groups_that_somebody_manages_are_told_apart(cloud: Cloud) -> None:
    condition = {
        "allOf": [
            {"field": "type", "equals": "Microsoft.Network/publicIPAddresses"},
            {"value": "[resourceGroup().managedBy]", "exists": False},
        ]
    }
    assigned(cloud, defined(cloud, condition))
    node_group = f"{SCOPE}/resourceGroups/anything"
    assert cloud.call("PUT", node_group, {"location": "eastus", "managedBy": CLUSTER}).status == 201
    body = {"location": "eastus", "sku": {"name": "Standard"}, "properties": {"publicIPAllocationMethod": "Static"}}
    assert cloud.call("PUT", f"{node_group}/providers/Microsoft.Network/publicIPAddresses/p", body).status == 201
    assert cloud.refused("PUT", "publicIPAddresses/p", body) == DENIED


def test_identities_need_a_location_and_keep_their_ids(cloud: Cloud) -> None:
    path = f"{SCOPE}/{AUTHORIZATION}/policyAssignments/a"
    body: Properties = {"properties": {"policyDefinitionId": NICS}, "identity": {"type": "SystemAssigned"}}
    assert cloud.refused("PUT", path, body) == (400, "LocationRequired")
    body["location"] = "eastus"
    first, again = cloud.call("PUT", path, body).json(), cloud.call("PUT", path, body).json()
    assert first["identity"]["principalId"] == again["identity"]["principalId"]
    assert first["location"] == "eastus"


def test_who_wrote_it_is_kept(cloud: Cloud) -> None:
    assignment = assigned(cloud, NICS, metadata={"category": "x"})
    first = cloud.get(assignment)["properties"]
    assert (first["enforcementMode"], first["scope"], first["parameters"]) == ("Default", SCOPE, {})
    cloud.clock.advance(60)
    assigned(cloud, NICS)
    later = cloud.get(assignment)["properties"]["metadata"]
    assert (first["metadata"]["updatedOn"], first["metadata"]["category"]) == (None, "x")
    assert later["createdOn"] == first["metadata"]["createdOn"] < later["updatedOn"]


# --- exemptions and sets --------------------------------------------------------------------------


def test_exemptions_let_pass_until_they_expire(cloud: Cloud) -> None:
    given = values(listOfResourceTypesNotAllowed=["Microsoft.Network/natGateways"])
    assignment = assigned(cloud, TYPES, parameters=given)
    gateway: Properties = {"location": "eastus", "sku": {"name": "Standard"}}
    until = cloud.clock.now() + timedelta(seconds=60)
    cloud.put(
        f"{GROUP}/{AUTHORIZATION}/policyExemptions/e",
        {"policyAssignmentId": assignment, "exemptionCategory": "Waiver", "expiresOn": until.isoformat()},
    )
    assert cloud.call("PUT", "natGateways/n", gateway).status == 201
    cloud.clock.advance(61)
    assert cloud.refused("PUT", "natGateways/n", gateway) == DENIED
    other = f"{SCOPE}/resourceGroups/other"
    cloud.put(
        f"{GROUP}/{AUTHORIZATION}/policyExemptions/e",
        {"policyAssignmentId": assignment, "exemptionCategory": "Mitigated"},
    )
    assert cloud.call("PUT", "natGateways/n", gateway).status == 200
    cloud.call("PUT", other, {"location": "eastus"})
    assert cloud.refused("PUT", f"{other}/providers/Microsoft.Network/natGateways/n", gateway) == DENIED


@pytest.mark.parametrize(
    ("changes", "code"),
    [
        ({"policyAssignmentId": ""}, "InvalidRequestContent"),
        ({"exemptionCategory": "Because"}, "InvalidRequestContent"),
        (
            {"policyAssignmentId": f"{SCOPE}/{AUTHORIZATION}/policyAssignments/none"},
            "InvalidCreatePolicyExemptionRequest",
        ),
        ({"policyDefinitionReferenceIds": ["x"]}, "InvalidPolicyDefinitionReference"),
        ({"expiresOn": "tomorrow"}, "InvalidRequestContent"),
    ],
)
def test_exemptions_are_refused(cloud: Cloud, changes: Properties, code: str) -> None:
    properties = {"policyAssignmentId": assigned(cloud, NICS), "exemptionCategory": "Waiver"}
    path = f"{GROUP}/{AUTHORIZATION}/policyExemptions/e"
    assert cloud.refused("PUT", path, {"properties": properties | changes}) == (400, code)
    cloud.put(path, properties)
    other = properties | {"policyAssignmentId": assigned(cloud, NICS, name="b")}
    assert cloud.refused("PUT", path, {"properties": other}) == (400, "InvalidPolicyAssignmentIdUpdate")


def test_sets_are_stored_and_not_assigned(cloud: Cloud) -> None:
    path = f"{SCOPE}/{AUTHORIZATION}/policySetDefinitions/s"
    assert cloud.refused("PUT", path, {"properties": {}}) == (400, "InvalidCreatePolicySetDefinitionRequest")
    one: Properties = {"properties": {"policyDefinitions": [{"policyDefinitionId": f"{NICS}x"}]}}
    assert cloud.refused("PUT", path, one) == (400, "PolicyDefinitionNotFound")
    own = defined(cloud, RULE["if"])
    cloud.put(path, {"policyDefinitions": [{"policyDefinitionId": own.upper()}]})
    assert cloud.refused("DELETE", own) == (400, "InvalidDeletePolicyDefinitionRequest")
    body = {"properties": {"policyDefinitionId": path}}
    assert cloud.refused("PUT", f"{SCOPE}/{AUTHORIZATION}/policyAssignments/a", body)[0] == 501
    assert cloud.call("DELETE", path).status == 200
    assignment = assigned(cloud, own)
    assert cloud.refused("DELETE", own) == (400, "InvalidDeletePolicyDefinitionRequest")
    assert cloud.call("DELETE", assignment).json()["id"] == assignment
    assert cloud.call("DELETE", own).status == 200


def test_lists_show_what_holds_at_a_scope(cloud: Cloud) -> None:
    cloud.call("PUT", TOP, {})
    cloud.call("PUT", f"{TOP}/subscriptions/{SUBSCRIPTION}")
    defined(cloud, RULE["if"])
    for scope, name in ((TOP, "top"), (SCOPE, "sub"), (GROUP, "group")):
        assigned(cloud, NICS, scope, name)

    def names(scope: str, kind: str = "policyAssignments", condition: str = "") -> list[str]:
        return [one["name"] for one in cloud.get(f"{scope}/{AUTHORIZATION}/{kind}?$filter={condition}")["value"]]

    assert names(SCOPE) == ["top", "sub", "group"]
    assert names(SCOPE, condition="atScope()") == ["top", "sub"]
    assert names(SCOPE, condition="atExactScope()") == ["sub"]
    assert names(GROUP) == ["top", "sub", "group"]
    assert names(SCOPE, condition=f"policyDefinitionId eq '{SUBNETS}'") == []
    assert names(SCOPE, "policyDefinitions", "policyType eq 'Custom'") == ["d"]
    assert len(names("", "policyDefinitions")) == 4
    assert names(SCOPE, "policySetDefinitions") == []


# --- the refusal ----------------------------------------------------------------------------------


def test_the_refusal_reads_as_azure_writes_it(cloud: Cloud) -> None:
    cloud.put("publicIPAddresses/ip", sku={"name": "Standard"})
    given = values(listOfResourceTypesNotAllowed=["Microsoft.Network/natGateways"])
    assignment = assigned(cloud, TYPES, GROUP, parameters=given, displayName="No gateways")
    response = cloud.call("PUT", "natGateways/n", {"location": "eastus"})
    identifiers = [
        {
            "policyAssignment": {"name": "No gateways", "id": assignment},
            "policyDefinition": {"name": "Not allowed resource types", "id": TYPES, "version": "2.0.0"},
        }
    ]
    compact = json.dumps(identifiers, separators=(",", ":"))
    expression = {"result": "True", "expressionKind": "Field", "expression": "type", "path": "type"}
    assert (response.status, response.headers["x-ms-failure-cause"]) == (403, "gateway")
    assert response.json() == {
        "error": {
            "code": "RequestDisallowedByPolicy",
            "target": "n",
            "message": f"Resource 'n' was disallowed by policy. Policy identifiers: '{compact}'.",
            "additionalInfo": [
                {
                    "type": "PolicyViolation",
                    "info": {
                        "evaluationDetails": {
                            "evaluatedExpressions": [
                                expression
                                | {
                                    "expressionValue": "Microsoft.Network/natGateways",
                                    "targetValue": ["Microsoft.Network/natGateways"],
                                    "operator": "In",
                                },
                                {
                                    "result": "True",
                                    "expressionKind": "Value",
                                    "expression": "[field('type')]",
                                    "expressionValue": "Microsoft.Network/natGateways",
                                    "targetValue": True,
                                    "operator": "Exists",
                                },
                            ]
                        },
                        "policyDefinitionId": TYPES,
                        "policyDefinitionName": TYPES.rpartition("/")[2],
                        "policyDefinitionDisplayName": "Not allowed resource types",
                        "policyDefinitionVersion": "2.0.0",
                        "policyDefinitionEffect": "Deny",
                        "policyAssignmentId": assignment,
                        "policyAssignmentName": "a",
                        "policyAssignmentDisplayName": "No gateways",
                        "policyAssignmentScope": GROUP,
                        "policyAssignmentParameters": given,
                        "policyExemptionIds": [],
                        "policyEnrollmentIds": [],
                    },
                }
            ],
        }
    }


def test_everything_that_refuses_is_named(cloud: Cloud) -> None:
    given = values(listOfResourceTypesNotAllowed=["Microsoft.Network/natGateways"])
    assigned(cloud, TYPES, parameters=given)
    assigned(cloud, TYPES, GROUP, "b", parameters=given, nonComplianceMessages=[{"message": "Ask the network team"}])
    error = cloud.call("PUT", "natGateways/n", {"location": "eastus"}).json()["error"]
    assert [one["info"]["policyAssignmentName"] for one in error["additionalInfo"]] == ["a", "b"]
    assert "Reasons: 'Ask the network team'. See error details for policy resource IDs." in error["message"]


# --- estates --------------------------------------------------------------------------------------


def test_policies_of_an_estate_hold_and_come_back(cloud: Cloud) -> None:
    assigned(cloud, defined(cloud, {"field": "name", "equals": "n"}))
    exported = cloud.arm.export()
    other = Cloud()
    other.arm.load(exported)
    assert other.refused("PUT", "natGateways/n", {"location": "eastus"}) == DENIED


def test_an_estate_says_when_a_rule_of_it_is_not_modelled() -> None:
    path = f"{SCOPE}/{AUTHORIZATION}/policyDefinitions/d"
    rule = {"if": {"field": "name", "match": "x"}, "then": {"effect": "deny"}}
    with pytest.raises(BadEstate, match="does not model the condition 'match'"):
        Arm(ManualClock()).load([{"id": path, "properties": {"policyRule": rule}}])


def test_an_assignment_without_its_definition_refuses_nothing(cloud: Cloud) -> None:
    path = f"{SCOPE}/{AUTHORIZATION}/policyAssignments/a"
    cloud.arm.load([{"id": path, "properties": {"policyDefinitionId": "/providers/none"}}])
    assert cloud.call("PUT", "natGateways/n", {"location": "eastus", "sku": {"name": "Standard"}}).status == 201
