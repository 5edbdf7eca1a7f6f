"""What is denied at a scope: ARM refuses it, also on what a body names, and says beforehand what it would refuse."""

from typing import Any

import pytest

from simulator.arm import Request
from simulator.identity import OWNER_APPLICATION, OWNER_OBJECT
from tests.simulator.cloud import GROUP, NETWORK, SUBSCRIPTION, Cloud, link

SCOPE = f"/subscriptions/{SUBSCRIPTION}"
HUB = f"{NETWORK}/virtualNetworks/hub"
SPOKE = f"{NETWORK}/virtualNetworks/spoke"
PEERINGS = "Microsoft.Network/virtualNetworks/virtualNetworkPeerings"
TO_HUB = {"properties": {"remoteVirtualNetwork": {"id": HUB}, "allowForwardedTraffic": True}}
PEER = "Microsoft.Network/virtualNetworks/peer/action"
CLIENT = f"The client '{OWNER_APPLICATION}' with object id '{OWNER_OBJECT}'"


def denying(**denied: Any) -> Cloud:
    """Two networks, a route table, a gateway and a security group, and what is denied at which scope."""
    cloud = Cloud()
    cloud.vnet("hub", "10.1.0.0/16")
    cloud.vnet("spoke", "10.2.0.0/16")
    cloud.put("routeTables/rt")
    cloud.put("networkSecurityGroups/guard")
    cloud.gateway("ng", cloud.address("ip"))
    cloud.arm.denied.update(denied)
    return cloud


def told(cloud: Cloud, method: str, path: str, body: object = None) -> tuple[int, str, str]:
    answer = cloud.call(method, path, body)
    error = answer.json()["error"] if answer.status >= 400 else {"code": "", "message": ""}
    return answer.status, error["code"], error["message"]


COVERED: list[tuple[str, str, bool]] = [
    (HUB, f"{PEERINGS}/write", True),
    (HUB.upper(), f"{PEERINGS}/WRITE".lower(), True),
    (f"{HUB}/", f"{PEERINGS}/write", True),
    (GROUP, "Microsoft.Network/*/write", True),
    (SCOPE, "*", True),
    (SCOPE, "*/write", True),
    (f"{HUB}/virtualNetworkPeerings/to-spoke", f"{PEERINGS}/*", True),
    (HUB, f"{PEERINGS}/delete", False),
    (HUB, "Microsoft.Network/virtualNetworks/write", False),
    (HUB, "write", False),
    (SPOKE, f"{PEERINGS}/write", False),
    (HUB[:-1], "*", False),
]


@pytest.mark.parametrize(("scope", "pattern", "refused"), COVERED)
def test_a_write_is_refused_at_the_scope_and_below(scope: str, pattern: str, refused: bool) -> None:
    cloud = denying(**{scope: [pattern]})
    target = f"{HUB}/virtualNetworkPeerings/to-spoke"
    before = cloud.arm.export()
    status, code, message = told(cloud, "PUT", target, {"properties": {"remoteVirtualNetwork": {"id": SPOKE}}})
    if not refused:
        assert status == 201
        return
    assert (status, code) == (403, "AuthorizationFailed")
    assert message == (
        f"{CLIENT} does not have authorization to perform action '{PEERINGS}/write' over scope '{target}' or the scope "
        "is invalid. If access was recently granted, please refresh your credentials."
    )
    assert cloud.arm.export() == before


def test_every_verb_has_its_action() -> None:
    cloud = denying(**{HUB: ["*/delete"], f"{NETWORK}/routeTables/rt": ["*/read"]})
    assert told(cloud, "DELETE", HUB)[0] == 403
    assert told(cloud, "GET", HUB)[0] == 200
    status, _, message = told(cloud, "GET", f"{NETWORK}/routeTables/rt/routes")
    assert status == 403
    assert f"'Microsoft.Network/routeTables/routes/read' over scope '{NETWORK}/routeTables/rt'" in message


JOINED = [
    ("routeTable", "routeTables/rt", "Microsoft.Network/routeTables/join/action"),
    ("natGateway", "natGateways/ng", "Microsoft.Network/natGateways/join/action"),
    ("networkSecurityGroup", "networkSecurityGroups/guard", "Microsoft.Network/networkSecurityGroups/join/action"),
]


@pytest.mark.parametrize(("member", "path", "action"), JOINED, ids=[member for member, _, _ in JOINED])
def test_what_a_subnet_names_must_be_joined(member: str, path: str, action: str) -> None:
    cloud = denying(**{f"{NETWORK}/{path}": [action]})
    subnet = {"name": "app", "properties": {"addressPrefix": "10.2.1.0/24", member: link(path)}}
    status, code, message = told(cloud, "PUT", f"{SPOKE}/subnets/app", subnet)
    assert (status, code) == (403, "LinkedAuthorizationFailed")
    assert message == (
        f"{CLIENT} has permission to perform action 'Microsoft.Network/virtualNetworks/subnets/write' on scope "
        f"'{SPOKE}/subnets/app'; however, it does not have permission to perform action(s) '{action}' on the linked "
        f"scope(s) '{NETWORK}/{path}' (respectively) or the linked scope(s) are invalid."
    )
    space = {"addressPrefixes": ["10.2.0.0/16"]}
    whole = {"location": "eastus", "properties": {"addressSpace": space, "subnets": [subnet]}}
    assert told(cloud, "PUT", SPOKE, whole)[1] == "LinkedAuthorizationFailed"
    cloud.arm.denied.clear()
    assert told(cloud, "PUT", SPOKE, whole)[0] == 200


def test_a_peering_needs_its_action_on_the_remote_network() -> None:
    cloud = denying(**{HUB: [PEER]})
    status, code, message = told(cloud, "PUT", f"{SPOKE}/virtualNetworkPeerings/to-hub", TO_HUB)
    assert (status, code) == (403, "LinkedAuthorizationFailed")
    assert f"action '{PEERINGS}/write' on scope '{SPOKE}/virtualNetworkPeerings/to-hub'" in message
    assert f"action(s) '{PEER}' on the linked scope(s) '{HUB}'" in message
    back = {"properties": {"remoteVirtualNetwork": {"id": SPOKE}}}
    assert told(cloud, "PUT", f"{HUB}/virtualNetworkPeerings/to-spoke", back)[0] == 201


@pytest.mark.parametrize(
    ("scope", "not_actions"),
    [
        (SCOPE, ["*/delete"]),
        (GROUP, ["*/delete"]),
        (HUB, ["*/delete", PEER]),
        (HUB.replace("resourceGroups/rg", "RESOURCEGROUPS/RG"), ["*/delete", PEER]),
        (SPOKE, ["*/delete"]),
    ],
)
def test_what_may_be_done_somewhere_can_be_asked(scope: str, not_actions: list[str]) -> None:
    cloud = denying(**{SCOPE: ["*/delete"], HUB: [PEER, "*/delete"]})
    answer = cloud.call("GET", f"{scope}/providers/Microsoft.Authorization/permissions", version="2022-04-01")
    assert answer.status == 200
    expected = {"actions": ["*"], "notActions": not_actions, "dataActions": [], "notDataActions": []}
    assert answer.json() == {"value": [expected]}


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
def test_nothing_may_be_asked_of_what_is_not_there(scope: str, code: str) -> None:
    assert denying().refused("GET", f"{scope}/providers/Microsoft.Authorization/permissions") == (404, code)


def test_permissions_are_only_read() -> None:
    assert told(denying(), "PUT", f"{HUB}/providers/Microsoft.Authorization/permissions", {})[0] == 405


def test_who_may_not_read_permissions_is_told_so() -> None:
    cloud = denying(**{HUB: ["Microsoft.Authorization/*/read"]})
    status, _, message = told(cloud, "GET", f"{HUB}/providers/Microsoft.Authorization/permissions")
    assert status == 403
    assert f"'Microsoft.Authorization/permissions/read' over scope '{HUB}'" in message


def test_it_changes_while_the_simulator_runs() -> None:
    cloud = Cloud(denied={GROUP: ("*/write",)})
    network = {"location": "eastus", "properties": {"addressSpace": {"addressPrefixes": ["10.1.0.0/16"]}}}
    assert told(cloud, "PUT", HUB, network)[0] == 403
    assert cloud.arm.handle(Request("POST", "/simulator/denied", {}, b'{"scopes": {}}')).status == 200
    assert told(cloud, "PUT", HUB, network)[0] == 201
    body = b'{"scopes": {"' + HUB.encode() + b'": ["*/delete"]}}'
    assert cloud.arm.handle(Request("POST", "/simulator/denied", {}, body)).status == 200
    assert told(cloud, "DELETE", HUB)[0] == 403
    cloud.arm.reset()
    assert cloud.arm.denied == {GROUP: ["*/write"]}
