"""Requests nobody sane would send: each gets an answer that is no 500, and all stays readable and whole."""

import json
from typing import Any

from hypothesis import example, given
from hypothesis import strategies as st

from simulator.arm import Arm, Dropped, ManualClock, Request, Response, bearer
from tests.simulator.cloud import GROUP, NETWORK, SUBSCRIPTION, Cloud, link

GRID = "Microsoft.EventGrid"
WORLD: list[dict[str, Any]] = [
    {"id": f"/subscriptions/{SUBSCRIPTION}", "type": "Microsoft.Resources/subscriptions"},
    {"id": GROUP, "type": "Microsoft.Resources/resourceGroups", "location": "eastus"},
    {
        **link("virtualNetworks/v"),
        "location": "eastus",
        "properties": {
            "addressSpace": {"addressPrefixes": ["10.0.0.0/16"]},
            "subnets": [
                {"name": name, "properties": {"addressPrefix": f"10.0.{number}.0/24"}}
                for number, name in enumerate(("s", "GatewaySubnet", "AzureFirewallSubnet"))
            ],
        },
    },
    {
        **link("virtualNetworks/w"),
        "location": "eastus",
        "properties": {"addressSpace": {"addressPrefixes": ["10.1.0.0/16"]}},
    },
    {**link("natGateways/n"), "location": "eastus"},
    {**link("publicIPAddresses/p"), "location": "eastus", "sku": {"name": "Standard"}},
    {**link("routeTables/t"), "location": "eastus"},
    {
        **link("networkInterfaces/i"),
        "location": "eastus",
        "properties": {
            "ipConfigurations": [{"name": "c", "properties": {"subnet": link("virtualNetworks/v/subnets/s")}}]
        },
    },
    {
        "id": f"{GROUP}/providers/Microsoft.Compute/virtualMachines/m",
        "properties": {"networkProfile": {"networkInterfaces": [link("networkInterfaces/i")]}},
    },
]
SEGMENTS = st.sampled_from(
    [
        *(
            "subscriptions",
            SUBSCRIPTION,
            "resourceGroups",
            "rg",
            "providers",
            "Microsoft.Network",
            "virtualNetworks",
            "v",
        ),
        *("subnets", "s", "virtualNetworkPeerings", "natGateways", "n", "networkInterfaces", "i", "routeTables", "t"),
        *("routes", "effectiveRouteTable", "getLearnedRoutes", "virtualNetworkGateways", "locations", "operations"),
        *("Microsoft.Insights", "eventtypes", "management", "values", GRID, "eventSubscriptions", "systemTopics"),
        *(
            "Microsoft.Management",
            "managementGroups",
            "descendants",
            "getEntities",
            "Microsoft.ResourceGraph",
            "resources",
        ),
        *(
            "simulator",
            "faults",
            "clock",
            "estate",
            "deadletters",
            "Microsoft.Authorization",
            "roleAssignments",
            "roleDefinitions",
            "denyAssignments",
            "permissions",
            "requests",
            "",
            ".",
            "..",
            "%2F",
            "%",
            "ß",
        ),
    ]
)
KNOWN_PATHS = st.sampled_from(
    [
        *(GROUP, "/subscriptions", f"/subscriptions/{SUBSCRIPTION}/resources", f"{GROUP}/resources"),
        *(f"{NETWORK}/{path}" for path in ("virtualNetworks", "virtualNetworks/v", "virtualNetworks/v/subnets/s")),
        *(f"{NETWORK}/{path}" for path in ("virtualNetworks/v/virtualNetworkPeerings/p", "routeTables/t/routes/r")),
        *(
            f"{NETWORK}/{path}"
            for path in ("natGateways/n", "publicIPAddresses/p", "networkInterfaces/i", "routeTables/t")
        ),
        *(f"{NETWORK}/{path}" for path in ("networkInterfaces/i/effectiveRouteTable", "virtualNetworkGateways/g")),
        *(
            f"{NETWORK}/{path}"
            for path in ("azureFirewalls/f", "loadBalancers/l", "networkSecurityGroups/g", "bastionHosts/b")
        ),
        *(f"{NETWORK}/{path}" for path in ("virtualNetworkGateways/g/getLearnedRoutes", "publicIPPrefixes/x")),
        f"{GROUP}/providers/Microsoft.Compute/virtualMachines/m",
        f"{GROUP}/providers/Microsoft.ContainerService/managedClusters/k",
        f"{GROUP}/providers/{GRID}/systemTopics/topic",
        f"{GROUP}/providers/{GRID}/systemTopics/topic/eventSubscriptions/e",
        f"/subscriptions/{SUBSCRIPTION}/providers/{GRID}/eventSubscriptions/e",
        f"/subscriptions/{SUBSCRIPTION}/providers/Microsoft.Insights/eventtypes/management/values",
        "/providers/Microsoft.Management/managementGroups/g",
        f"/providers/Microsoft.Management/managementGroups/g/subscriptions/{SUBSCRIPTION}",
        "/providers/Microsoft.ResourceGraph/resources",
        *(f"{GROUP}/providers/Microsoft.Authorization/{kind}/x" for kind in ("roleAssignments", "denyAssignments")),
        *(f"/providers/Microsoft.Authorization/{kind}" for kind in ("roleDefinitions/x", "roleAssignments")),
        *(f"/simulator/{path}" for path in ("faults", "clock", "requests", "deadletters", "estate")),
    ]
)
PATHS = KNOWN_PATHS | st.lists(SEGMENTS, max_size=12).map(lambda parts: "/" + "/".join(parts)) | st.text(max_size=20)
QUERIES = st.sampled_from(
    [
        *("api-version=2024-05-01",) * 8,
        *(
            "",
            "api-version=",
            "api-version=x",
            "API-Version=2022-01-01&api-version=2024-05-01",
            "api-version=2024-05-01&$top=0",
        ),
        *("api-version=2024-05-01&$skiptoken=9999", "api-version=2024-05-01&$skiptoken=%00&$top=-1"),
        "api-version=2024-05-01&$filter=eventTimestamp ge '2026-01-01T00:00:00Z'",
        "api-version=2024-05-01&$filter=eventTimestamp ge '0001-01-01' and eventTimestamp le '9999-12-31T23-14:00'",
        "api-version=2024-05-01&$filter=resourceType eq 'x'&$expand=children&$recurse=true",
    ]
)
HEADERS = st.dictionaries(
    st.sampled_from(
        ["Authorization", "If-Match", "If-None-Match", "Host", "x-ms-correlation-request-id", "Content-Type"]
    ),
    st.sampled_from(
        ["Bearer simulator", "Bearer a.b.c", "Bearer a.e30.c", "Bearer", "*", 'W/"x"', "", "\u00e9", "[::1"]
    ),
    max_size=3,
)
NAMES = st.sampled_from(
    [
        *(
            "id",
            "name",
            "type",
            "location",
            "tags",
            "sku",
            "properties",
            "zones",
            "simulator",
            "learnedRoutes",
            "network",
        ),
        *(
            "addressSpace",
            "addressPrefixes",
            "addressPrefix",
            "subnets",
            "virtualNetworkPeerings",
            "routes",
            "natGateway",
        ),
        *("remoteVirtualNetwork", "remoteAddressSpace", "useRemoteGateways", "allowGatewayTransit", "peeringState"),
        *("routeTable", "networkSecurityGroup", "nextHopType", "nextHopIpAddress", "ipConfigurations", "subnet"),
        *("publicIPAddress", "publicIpAddresses", "gatewayType", "bgpSettings", "networkProfile", "networkInterfaces"),
        *(
            "instanceView",
            "statuses",
            "code",
            "provisioningState",
            "source",
            "topicType",
            "destination",
            "endpointType",
        ),
        *("endpointUrl", "filter", "advancedFilters", "operatorType", "key", "values", "value", "includedEventTypes"),
        *(
            "retryPolicy",
            "maxDeliveryAttempts",
            "deadLetterDestination",
            "resourceId",
            "details",
            "parent",
            "displayName",
        ),
        *(
            "advance",
            "subscriptions",
            "query",
            "options",
            "$top",
            "data",
            "capacity",
            "managementGroups",
            "sku",
            "path",
        ),
    ]
)
LEAVES = st.sampled_from(
    [
        *(
            "10.0.9.0/24",
            "10.0.0.0/16",
            "::/0",
            "0.0.0.0/0",
            "x",
            "",
            "eastus",
            "Connected",
            "Updating",
            "Vpn",
            "WebHook",
        ),
        *(
            f"{NETWORK}/virtualNetworks/v/subnets/s",
            f"{NETWORK}/virtualNetworks/w",
            f"{NETWORK}/natGateways/n",
            "/",
            "//[",
        ),
        *(
            f"{NETWORK}/routeTables/t",
            GROUP,
            f"/subscriptions/{SUBSCRIPTION}",
            "Internet",
            "VirtualAppliance",
            "StringIn",
        ),
        *(0, 1, -1, 28, 10**30, 0.5, True, False, None, "\ud7ff", "resources | count"),
    ]
)
JSON = st.recursive(
    LEAVES, lambda inner: st.lists(inner, max_size=3) | st.dictionaries(NAMES, inner, max_size=4), max_leaves=20
)
BODIES = (
    JSON.map(lambda value: json.dumps(value).encode())
    | st.dictionaries(NAMES, JSON, max_size=4).map(
        lambda inner: json.dumps({"location": "eastus", "properties": inner}).encode()
    )
    | st.sampled_from([b"", b"{", b"[" * 5000, b"\xff", b"null", b'"x"', b'{"properties":null}'])
)
METHODS = st.sampled_from(["GET", "PUT", "PUT", "PUT", "DELETE", "PATCH", "POST", "HEAD", "OPTIONS", "BREW", ""])
REQUESTS = st.builds(
    lambda method, path, query, headers, body: Request(method, f"{path}?{query}", bearer() | headers, body),
    *(METHODS, PATHS, QUERIES, HEADERS, BODIES),
)


def answered(arm: Arm, request: Request) -> Response | None:
    """A request in, its answer out; None for a connection that a fault has cut."""
    try:
        return arm.handle(request)
    except Dropped:
        return None


@given(st.lists(REQUESTS, min_size=1, max_size=8))
@example([Request("GET", "//[", bearer())])
def test_no_request_gets_a_500(requests: list[Request]) -> None:
    arm = Arm(ManualClock(), throttle="off", estate=WORLD)
    for request in requests:
        answer = answered(arm, request)
        assert answer is None or answer.status < 500 or answer.status == 501, request
    arm.settle()
    arm.take_events()
    exported = arm.export()
    for entry in exported:
        path = f"{entry['id']}?api-version=2024-05-01"
        assert arm.handle(Request("GET", path, bearer())).status != 500
    other = Arm(ManualClock(), throttle="off", estate=exported)
    assert len(other.export()) == len(exported)


def script(arm: Arm, requests: list[Request]) -> list[tuple[int, dict[str, str], bytes]]:
    """Requests in, what one simulator answers to them out."""
    answers = [answered(arm, request) for request in requests]
    return [(answer.status, answer.headers, answer.body) if answer is not None else (0, {}, b"") for answer in answers]


@given(st.lists(REQUESTS, min_size=1, max_size=6), st.lists(REQUESTS, min_size=1, max_size=6))
def test_two_simulators_in_one_program_share_nothing(mine: list[Request], theirs: list[Request]) -> None:
    alone = script(Arm(ManualClock(), seed=1, estate=WORLD), mine)
    arm, other = Arm(ManualClock(), seed=1, estate=WORLD), Arm(ManualClock(), seed=2, estate=WORLD)
    beside = []
    for number, request in enumerate(mine):
        script(other, theirs[number : number + 1])
        beside += script(arm, [request])
    assert beside == alone


@given(st.lists(REQUESTS, min_size=1, max_size=6))
def test_reset_leaves_nothing_of_what_was(requests: list[Request]) -> None:
    arm = Arm(ManualClock(), estate=WORLD)
    script(arm, requests)
    arm.reset()
    assert arm.export() == Arm(ManualClock(), estate=WORLD).export()
    assert (arm.events, arm.requests, arm.faults, arm.next_due()) == ([], [], [], None)


def test_the_world_of_these_tests_is_whole() -> None:
    arm = Arm(ManualClock(), estate=WORLD)
    assert len(arm.export()) == len(WORLD)
    assert isinstance(Cloud(estate=WORLD).get("networkInterfaces/i"), dict)
