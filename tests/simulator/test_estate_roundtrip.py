"""What was written through Resource Manager goes out as an estate, into another simulator, and out of that the same."""

import json
from pathlib import Path
from typing import Any, TypeAlias

from hypothesis import given, settings
from hypothesis import strategies as st

from simulator.arm import Arm, ManualClock, Request, bearer
from simulator.ids import CLUSTERS_SHOWN, parse_id
from tests.simulator.cloud import GROUP, NETWORK, SUBSCRIPTION, Cloud, link, nic_properties, without_etags

Write: TypeAlias = tuple[str, str, object]
"""A method, a path and a body."""

SCOPE = f"/subscriptions/{SUBSCRIPTION}"
TOPIC = f"{GROUP}/providers/Microsoft.EventGrid/systemTopics/t"
HOOK = {"endpointType": "WebHook", "properties": {"endpointUrl": "http://127.0.0.1:1/hook?code=secret"}}
READER, OWN_ROLE = "acdd72a7-3385-48ef-bd42-f606fba81ae7", "00000000-0000-4000-8000-0000000000aa"
MANAGEMENT = "/providers/Microsoft.Management/managementGroups"
STANDARD: dict[str, Any] = {"location": "eastus", "sku": {"name": "Standard"}}
names = st.sampled_from(["a", "b", "C"])
tags: st.SearchStrategy[dict[str, Any]] = st.sampled_from([{}, {"tags": {"Team": "x"}}])


def write(path: str, properties: dict[str, Any] | None = None, **members: Any) -> Write:
    return "PUT", path, {"properties": properties or {}, **members}


def subnet(name: str, number: int, links: list[str], *, private: bool) -> dict[str, Any]:
    named = {"n": ("natGateway", "natGateways/a"), "t": ("routeTable", "routeTables/a")}
    named["g"] = ("networkSecurityGroup", "networkSecurityGroups/a")
    linked = {named[one][0]: link(named[one][1]) for one in links}
    access = {"defaultOutboundAccess": False} if private else {}
    return {"name": name, "properties": {"addressPrefix": f"10.{number}.{ord(name) % 7}.0/24", **linked, **access}}


def _at(special: str, address: str) -> dict[str, Any]:
    return {
        "subnet": link(f"virtualNetworks/a/subnets/{special}"),
        "publicIPAddress": link(f"publicIPAddresses/{address}"),
    }


def _interfaces(pooled: bool) -> list[dict[str, Any]]:
    pools = {"loadBalancerBackendAddressPools": [link("loadBalancers/a/backendAddressPools/p")]} if pooled else {}
    inner = {"name": "c", "properties": {"subnet": link("virtualNetworks/a/subnets/a"), **pools}}
    return [{"name": "i", "properties": {"ipConfigurations": [inner]}}]


RULE = {
    **dict.fromkeys(
        ("sourceAddressPrefix", "sourcePortRange", "destinationAddressPrefix", "destinationPortRange"), "*"
    ),
    "protocol": "*",
    "access": "Deny",
    "priority": 100,
    "direction": "Outbound",
}
subnets = st.builds(
    subnet, names, st.integers(0, 2), st.lists(st.sampled_from("ntg"), unique=True), private=st.booleans()
)
spaces = {"a": 0, "b": 1, "C": 2}
WRITES: st.SearchStrategy[Write] = st.one_of(
    st.builds(
        lambda name, inline, more: write(
            f"virtualNetworks/{name}",
            {
                "addressSpace": {"addressPrefixes": [f"10.{spaces[name]}.0.0/16"]},
                **({"subnets": list({one["name"]: one for one in inline}.values())} if inline else {}),
            },
            location="East US",
            **more,
        ),
        names,
        st.lists(subnets, max_size=2),
        tags,
    ),
    st.builds(
        lambda name, one: write(f"virtualNetworks/{name}/subnets/{one['name']}", one["properties"]), names, subnets
    ),
    st.builds(
        lambda mine, other: write(
            f"virtualNetworks/{mine}/virtualNetworkPeerings/{other}",
            {"remoteVirtualNetwork": link(f"virtualNetworks/{other}"), "allowForwardedTraffic": True},
        ),
        names,
        names,
    ),
    st.builds(lambda name, more: write(f"publicIPAddresses/{name}", **STANDARD, **more), names, tags),
    st.builds(lambda name: write(f"publicIPPrefixes/{name}", {"prefixLength": 30}, **STANDARD), names),
    st.builds(
        lambda name, address, more: write(
            f"natGateways/{name}",
            {"publicIpAddresses": [link(f"publicIPAddresses/{address}")]} if address else {},
            **STANDARD,
            **more,
        ),
        names,
        st.sampled_from(["", "a", "b"]),
        tags,
    ),
    st.builds(
        lambda name, prefixes: write(
            f"routeTables/{name}",
            {
                "routes": [
                    {"name": f"r{number}", "properties": {"addressPrefix": prefix, "nextHopType": "Internet"}}
                    for number, prefix in enumerate(prefixes)
                ]
            },
            location="eastus",
        ),
        names,
        st.lists(st.sampled_from(["0.0.0.0/0", "10.9.0.0/16", "Storage"]), unique=True),
    ),
    st.builds(
        lambda name: write(f"routeTables/{name}/routes/own", {"addressPrefix": "1.0.0.0/8", "nextHopType": "None"}),
        names,
    ),
    st.builds(lambda name: write(f"networkSecurityGroups/{name}", location="eastus"), names),
    st.builds(
        lambda name, network, inner: write(
            f"networkInterfaces/{name}", nic_properties(f"virtualNetworks/{network}/subnets/{inner}"), location="eastus"
        ),
        names,
        names,
        names,
    ),
    st.builds(
        lambda name, network, inner: write(
            f"loadBalancers/{name}",
            {
                "frontendIPConfigurations": [
                    {"name": "in", "properties": {"subnet": link(f"virtualNetworks/{network}/subnets/{inner}")}}
                ],
                "backendAddressPools": [{"name": "p"}],
            },
            **STANDARD,
        ),
        names,
        names,
        names,
    ),
    st.builds(lambda name: write(f"firewallPolicies/{name}", location="eastus"), names),
    st.builds(
        lambda policy: write(
            "azureFirewalls/f",
            {
                "ipConfigurations": [{"name": "c", "properties": _at("AzureFirewallSubnet", "b")}],
                **({"firewallPolicy": link(f"firewallPolicies/{policy}")} if policy else {}),
            },
            location="eastus",
        ),
        st.sampled_from(["", "a"]),
    ),
    st.just(
        write(
            "virtualNetworkGateways/w",
            {
                "gatewayType": "Vpn",
                "ipConfigurations": [{"name": "c", "properties": _at("GatewaySubnet", "b")}],
            },
            location="eastus",
        )
    ),
    st.builds(
        lambda name: write(f"networkSecurityGroups/{name}/securityRules/r", RULE),
        names,
    ),
    st.builds(
        lambda capacity, pool: write(
            f"{GROUP}/providers/Microsoft.Compute/virtualMachineScaleSets/s",
            {"virtualMachineProfile": {"networkProfile": {"networkInterfaceConfigurations": _interfaces(pool)}}},
            location="eastus",
            sku={"name": "Standard_B1s", "capacity": capacity},
        ),
        st.integers(0, 2),
        st.booleans(),
    ),
    st.builds(
        lambda name: write(
            f"{GROUP}/providers/Microsoft.Compute/virtualMachines/{name}",
            {"networkProfile": {"networkInterfaces": [link(f"networkInterfaces/{name}")]}},
            location="eastus",
        ),
        names,
    ),
    st.builds(
        lambda name: write(f"{GROUP}/providers/Microsoft.ContainerService/managedClusters/{name}", location="eastus"),
        names,
    ),
    st.builds(
        lambda name, level: write(
            f"{NETWORK}/virtualNetworks/{name}/providers/Microsoft.Authorization/locks/l", {"level": level}
        ),
        names,
        st.sampled_from(["CanNotDelete", "ReadOnly"]),
    ),
    st.builds(
        lambda scope, who: write(
            f"{scope}/providers/Microsoft.Authorization/roleAssignments/{who}",
            {
                "roleDefinitionId": f"{SCOPE}/providers/Microsoft.Authorization/roleDefinitions/{READER}",
                "principalId": who,
                "principalType": "ServicePrincipal",
            },
        ),
        st.sampled_from([SCOPE, GROUP, f"{NETWORK}/virtualNetworks/a"]),
        st.sampled_from([f"00000000-0000-4000-8000-00000000000{number}" for number in range(3)]),
    ),
    st.just(
        write(
            f"{SCOPE}/providers/Microsoft.Authorization/roleDefinitions/{OWN_ROLE}",
            {
                "roleName": "Mine",
                "type": "CustomRole",
                "assignableScopes": [SCOPE],
                "permissions": [{"actions": ["*/read"], "notActions": []}],
            },
        )
    ),
    st.just(write(f"{GROUP}/providers/Microsoft.Authorization/locks/l", {"level": "CanNotDelete"})),
    st.just(write(TOPIC, {"source": SCOPE, "topicType": "Microsoft.Resources.Subscriptions"}, location="global")),
    st.just(write(f"{TOPIC}/eventSubscriptions/e", {"destination": HOOK})),
    st.just(write(f"{SCOPE}/providers/Microsoft.EventGrid/eventSubscriptions/e", {"destination": HOOK})),
    st.builds(
        lambda name: write(f"{GROUP}/providers/Microsoft.Resources/deployments/{name}", {"mode": "Incremental"}), names
    ),
    st.builds(lambda name: write(f"{GROUP}-{name}", location="westus", tags={"a": "b"}), names),
    st.builds(lambda name: write(f"{GROUP}-{name}/providers/Microsoft.Network/natGateways/n", **STANDARD), names),
    st.builds(lambda name: write(f"{MANAGEMENT}/{name}", {"displayName": f"The {name}"}), names),
    st.builds(lambda name: ("PUT", f"{MANAGEMENT}/{name}/subscriptions/{SUBSCRIPTION}", {}), names),
    st.builds(
        lambda scope: (
            "PATCH",
            f"{scope}/providers/Microsoft.Resources/tags/default",
            {"operation": "Merge", "properties": {"tags": {"merged": "yes"}}},
        ),
        st.sampled_from([SCOPE, GROUP, f"{NETWORK}/virtualNetworks/a", f"{NETWORK}/natGateways/a"]),
    ),
    st.builds(
        lambda kind, name: ("DELETE", f"{kind}/{name}", None),
        st.sampled_from(
            ["virtualNetworks", "virtualNetworks/a/subnets", "natGateways", "routeTables", "loadBalancers"]
        ),
        names,
    ),
    st.builds(lambda name: ("DELETE", f"{GROUP}-{name}", None), names),
    *(st.builds(lambda seconds: ("WAIT", str(seconds), None), st.sampled_from([1, 3, 6])) for _ in range(4)),
)


WAIT: Write = ("WAIT", "6", None)
BEFORE: list[Write] = [
    write("publicIPAddresses/a", **STANDARD),
    WAIT,
    write("publicIPAddresses/b", **STANDARD),
    WAIT,
    write("natGateways/a", {"publicIpAddresses": [link("publicIPAddresses/a")]}, **STANDARD),
    write("routeTables/a", location="eastus"),
    write("networkSecurityGroups/a", location="eastus"),
    WAIT,
    *(
        write(
            f"virtualNetworks/{name}",
            {
                "addressSpace": {"addressPrefixes": [f"10.{number}.0.0/16"]},
                "subnets": [subnet("a", number, ["t"], private=False)],
            },
            location="eastus",
        )
        for name, number in spaces.items()
        if name != "C"
    ),
    WAIT,
    write("networkInterfaces/a", nic_properties("virtualNetworks/a/subnets/a"), location="eastus"),
    *(
        made
        for number, name in enumerate(("AzureFirewallSubnet", "GatewaySubnet"))
        for made in (write(f"virtualNetworks/a/subnets/{name}", {"addressPrefix": f"10.0.20{number}.0/24"}), WAIT)
    ),
    write("virtualNetworks/a/virtualNetworkPeerings/b", {"remoteVirtualNetwork": link("virtualNetworks/b")}),
    WAIT,
    write("virtualNetworks/b/virtualNetworkPeerings/a", {"remoteVirtualNetwork": link("virtualNetworks/a")}),
    WAIT,
    write(TOPIC, {"source": SCOPE, "topicType": "Microsoft.Resources.Subscriptions"}, location="global"),
]
"""So that much of what is drawn has what it needs."""


def written(writes: list[Write]) -> Cloud:
    """Writes in, a simulator in which they were made, some of their operations still running, out."""
    cloud = Cloud(durations={"": 5}, throttle="off")
    for method, path, body in writes:
        if method == "WAIT":
            cloud.clock.advance(float(path))
        else:
            version = "2023-04-01" if path.startswith("/providers") else "2024-05-01"
            version = "2022-04-01" if "Microsoft.Authorization/role" in path else version
            cloud.call(method, path, body, version)
    cloud.arm.settle()
    return cloud


def copy_of(cloud: Cloud, estate: object) -> Arm:
    """A simulator and an estate in, another at the same time that holds the estate out."""
    return Arm(ManualClock(cloud.clock.now()), throttle="off", seed=9, estate=json.loads(json.dumps(estate)))


def reads(arm: Arm, estate: list[Any]) -> dict[str, Any]:
    """All that a client can read of what an estate holds: each resource with its children, lists, rows of the graph."""
    paths = {"/subscriptions", f"{SCOPE}/resources", f"{SCOPE}/resourceGroups", MANAGEMENT}
    for body in estate:
        resource_id = body["id"]
        paths.add(resource_id)
        address = parse_id(resource_id)
        if address is None:
            paths.add(f"{resource_id}/resources" if "resourceGroups" in resource_id else resource_id)
            continue
        paths.add(resource_id.rpartition("/")[0])
        for array in ("subnets", "virtualNetworkPeerings", "routes", "securityRules"):
            children = body.get("properties", {}).get(array, ())
            if resource_id.startswith(NETWORK) and address.type.rpartition("/")[2] != "natGateways":
                paths |= {f"{resource_id}/{array}/{child['name']}" for child in children if "name" in child}
    answers: dict[str, Any] = {}
    for path in sorted(paths):
        version = "2023-04-01" if path.startswith("/providers") else "2024-05-01"
        answer = arm.handle(Request("GET", f"{path}?api-version={version}", bearer()))
        body = answer.json()
        if path.endswith("/roleAssignments"):  # listed in the order in which they were made, wherever they hang
            body["value"].sort(key=lambda entry: entry["id"])
        answers[path] = (answer.status, answer.headers.get("ETag"), body)
    for table in ("resources", "resourcecontainers"):
        query = json.dumps({"query": table, "subscriptions": [SUBSCRIPTION]}).encode()
        target = "/providers/Microsoft.ResourceGraph/resources?api-version=2021-03-01"
        answers[table] = arm.handle(Request("POST", target, bearer(), query)).json()
    return answers


@settings(max_examples=100)
@given(st.lists(WRITES, max_size=20))
def test_what_was_written_goes_round(writes: list[Write]) -> None:
    cloud = written([*BEFORE, *writes])
    estate = cloud.arm.export()
    other = copy_of(cloud, estate)
    assert other.export() == estate
    ours, theirs = reads(cloud.arm, estate), reads(other, estate)
    assert {path: answer for path, answer in ours.items() if theirs[path] != answer} == {}
    assert all(answer[0] in (200, 404) for path, answer in ours.items() if path.startswith("/"))
    as_graph = copy_of(cloud, {"count": len(estate), "data": estate, "total_records": len(estate)})
    assert as_graph.export() == estate


def test_rows_of_resource_graph_are_an_estate() -> None:
    """All that a GET shows but the etag is the same after it went through the rows of Resource Graph."""
    cluster = f"{GROUP}/providers/Microsoft.ContainerService/managedClusters/k"
    machine = f"{GROUP}/providers/Microsoft.Compute/virtualMachines/m"
    profile = {"networkProfile": {"networkInterfaces": [link("networkInterfaces/a")]}}
    pools = {"agentPoolProfiles": [{"name": "p", "count": 1}]}
    own = [write(cluster, pools, location="eastus", tags={"a": "b"}), write(machine, profile, location="eastus"), WAIT]
    cloud = written([*BEFORE, *own])
    cloud.arm.load(
        [{"id": SCOPE, "type": "Microsoft.Resources/subscriptions", "displayName": "Mine", "tags": {"t": "u"}}]
    )
    answers = reads(cloud.arm, [])
    rows = [row for table in ("resources", "resourcecontainers") for row in answers[table]["data"]]
    copy = copy_of(cloud, {"count": len(rows), "data": rows, "skip_token": None, "total_records": len(rows)})
    ours, theirs = reads(cloud.arm, cloud.arm.export()), reads(copy, cloud.arm.export())
    assert without_etags(_shown(theirs)) == without_etags(_shown(ours))
    assert (
        f'"type":"{CLUSTERS_SHOWN}"'.encode()
        in copy.handle(Request("GET", f"{cluster}?api-version=2024-05-01", bearer())).body
    )


def test_recorded_bodies_read_the_same_in_a_copy(shared: Path) -> None:
    recorded = json.loads((shared / "samples" / "estate_recorded.json").read_text())
    first = Arm(ManualClock(), throttle="off", estate={"data": recorded})
    second = Arm(ManualClock(), throttle="off", seed=9, estate=first.export())
    assert second.export() == first.export()
    assert reads(second, first.export()) == reads(first, first.export())


def _shown(answers: dict[str, Any]) -> dict[str, Any]:
    """Answers in, their bodies out, lists in the order of their ids: rows come so."""
    bodies = {path: answer[2] if isinstance(answer, tuple) else answer for path, answer in answers.items()}
    for body in bodies.values():
        if "value" in body:
            body["value"].sort(key=lambda entry: entry["id"])
    return bodies


def test_a_number_that_an_estate_holds_is_not_given_again() -> None:
    before = Cloud()
    for name in ("a", "b"):
        before.put(f"publicIPAddresses/{name}", {"publicIPAllocationMethod": "Static"}, sku={"name": "Standard"})
    after = Cloud()
    after.arm.load(before.arm.export())
    after.put("publicIPAddresses/c", {"publicIPAllocationMethod": "Static"}, sku={"name": "Standard"})
    given = [after.get(f"publicIPAddresses/{name}")["properties"]["ipAddress"] for name in ("a", "b", "c")]
    assert len(set(given)) == 3
