"""Simulators in one process share nothing: neither what they hold nor what their modules do."""

import copy
import importlib
import pkgutil
import types
from typing import Any

import simulator
from simulator.arm import Fault
from tests.simulator.cloud import GROUP, SUBSCRIPTION, VERSION, Cloud, link, nic_properties

NAMES = [f"simulator.{found.name}" for found in pkgutil.iter_modules(simulator.__path__) if found.name != "__main__"]
GRAPH = "/providers/Microsoft.ResourceGraph/resources"
LOCK = f"{GROUP}/providers/Microsoft.Authorization/locks/keep"


def _state() -> dict[str, Any]:
    """What the modules of the simulator hold that could change, by the names of module and member."""
    held: dict[str, Any] = {}
    for module in map(importlib.import_module, NAMES):
        for name, value in vars(module).items():
            if not name.startswith("__") and isinstance(value, dict | list | set | bytearray):
                held[f"{module.__name__}.{name}"] = value
            elif isinstance(value, type) and value.__module__ == module.__name__:
                held |= {
                    f"{module.__name__}.{name}.{member}": inner
                    for member, inner in vars(value).items()
                    if not member.startswith("__") and isinstance(inner, dict | list | set)
                }
    return held


def _story(cloud: Cloud) -> list[int]:
    """Something of everything, and how each call was answered."""
    answered: list[int] = []

    def call(method: str, path: str, body: object = None) -> None:
        answered.append(cloud.call(method, path, body).status)

    space = {"addressSpace": {"addressPrefixes": ["10.0.0.0/16"]}}
    named = {"natGateway": link("natGateways/n"), "routeTable": link("routeTables/t")}
    standard = {"location": "eastus", "sku": {"name": "Standard"}}
    call("PUT", "publicIPAddresses/p", standard)
    call("PUT", "publicIPPrefixes/x", standard | {"properties": {"prefixLength": 30}})
    call("PUT", "natGateways/n", standard | {"properties": {"publicIpAddresses": [link("publicIPAddresses/p")]}})
    call("PUT", "routeTables/t", {"location": "eastus"})
    call("PUT", "networkSecurityGroups/g", {"location": "eastus"})
    call("PUT", "virtualNetworks/v", {"location": "eastus", "properties": space})
    call("PUT", "virtualNetworks/v/subnets/s", {"properties": {"addressPrefix": "10.0.0.0/24", **named}})
    call(
        "PUT",
        "networkInterfaces/i",
        {"location": "eastus", "properties": nic_properties("virtualNetworks/v/subnets/s")},
    )
    frontend = {"name": "in", "properties": {"subnet": link("virtualNetworks/v/subnets/s")}}
    balancer = {"frontendIPConfigurations": [frontend], "inboundNatRules": [{"name": "r"}], "probes": [{"name": "p"}]}
    call("PUT", "loadBalancers/l", standard | {"properties": balancer})
    call("PUT", "firewallPolicies/f", {"location": "eastus"})
    call(
        "PUT", "azureFirewalls/f", {"location": "eastus", "properties": {"firewallPolicy": link("firewallPolicies/f")}}
    )
    call("PUT", "virtualNetworks/w", {"location": "eastus", "properties": space})
    call(
        "PUT",
        "virtualNetworks/v/virtualNetworkPeerings/w",
        {"properties": {"remoteVirtualNetwork": link("virtualNetworks/w")}},
    )
    call("PATCH", "natGateways/n", {"tags": {"a": "b"}})
    call("DELETE", "natGateways/n")
    call("PUT", LOCK, {"properties": {"level": "CanNotDelete"}})
    call("DELETE", "loadBalancers/l")
    call("DELETE", LOCK)
    call("DELETE", "loadBalancers/l")
    call(
        "POST",
        GRAPH,
        {"query": "resources | where type =~ 'microsoft.network/natgateways'", "subscriptions": [SUBSCRIPTION]},
    )
    call("GET", "/providers/Microsoft.Management/managementGroups")
    cloud.arm.faults.append(Fault(method="GET", status=500))
    call("GET", GROUP)
    cloud.arm.load([{"id": f"{GROUP}/providers/Microsoft.Network/natGateways/loaded", "location": "eastus"}])
    call("GET", f"{GROUP}/resources")
    return answered


def test_what_modules_hold_is_never_changed() -> None:
    before = copy.deepcopy(_state())
    assert "simulator.shapes.DEFAULTS" in before
    answered = _story(Cloud())
    assert {200, 201, 202, 400, 409, 500} == set(answered)
    after = _state()
    assert after.keys() == before.keys()
    assert [name for name in before if after[name] != before[name]] == []


VALUES = (str, int, float, bool, bytes, tuple, frozenset, type(None), types.ModuleType, types.FunctionType, type)
ALIASES = ("typing", "re", "types", "datetime", "collections.abc")
"""Where the types of annotations, patterns and times come from."""
UNCHANGING = {
    "parsed": "the cache of a pure function",
    "_compiled": "the cache of a pure function",
    "_PARSER": "a grammar that was read once; what it parses is in its answers",
    "OWNER": "a frozen value",
    "AKS": "a frozen value",
    "PLAIN": "a frozen value",
    "annotations": "an import from the future",
}


def test_modules_hold_constants_and_nothing_that_collects() -> None:
    others: set[str] = set()
    for module in map(importlib.import_module, NAMES):
        for name, value in vars(module).items():
            plain = isinstance(value, (*VALUES, dict, list, set)) or type(value).__module__ in ALIASES
            if not name.startswith("__") and not plain:
                others.add(name)
    assert others <= UNCHANGING.keys()


def test_a_simulator_answers_alike_whatever_another_does() -> None:
    alone, busy = Cloud(seed=7), Cloud(seed=7)
    first = _story(alone)
    other = Cloud(seed=7)
    _story(other)
    other.arm.reset()
    second = _story(busy)
    assert first == second
    assert alone.arm.export() == busy.arm.export()
    assert [(entry.method, entry.path, entry.status) for entry in alone.arm.requests] == [
        (entry.method, entry.path, entry.status) for entry in busy.arm.requests
    ]
    assert [event.payload("EventGridSchema") for event in alone.arm.events] == [
        event.payload("EventGridSchema") for event in busy.arm.events
    ]


def test_interleaved_simulators_keep_apart() -> None:
    clouds = [Cloud(seed=1, durations={"": 5}), Cloud(seed=1, durations={"": 5}), Cloud(seed=1, durations={"": 5})]
    for cloud in clouds:
        assert cloud.call("PUT", "routeTables/t", {"location": "eastus"}).status == 201
    clouds[0].clock.advance(5)
    clouds[1].arm.faults.append(Fault(method="GET", status=503))
    states = [cloud.call("GET", "routeTables/t") for cloud in clouds]
    assert [state.status for state in states] == [200, 503, 200]
    assert states[0].json()["properties"]["provisioningState"] == "Succeeded"
    assert states[2].json()["properties"]["provisioningState"] == "Updating"
    left = [
        cloud.call("GET", GROUP, version=VERSION).headers.get("x-ms-ratelimit-remaining-subscription-reads")
        for cloud in clouds
    ]
    assert left == ["248", "249", "248"]
