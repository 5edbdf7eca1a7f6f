"""Simulators in one process share nothing: neither what they hold nor what their modules do."""

import copy
import functools
import importlib
import pkgutil
import types
from collections.abc import Iterator
from typing import Any

import pytest

import simulator
from simulator.arm import Fault
from tests.simulator.cloud import GROUP, SUBSCRIPTION, VERSION, Cloud, link, nic_properties

DATA = (str, int, float, bool, bytes, tuple, frozenset, type(None), dict, list, set, bytearray)
DESCRIPTORS = (types.MemberDescriptorType, types.GetSetDescriptorType, functools.cached_property)
ALIASES = ("typing", "re", "types", "datetime", "collections.abc", "_abc", "_collections")
"""Where the types of annotations, patterns, times, protocols and the fields of named tuples come from."""
WRAPPED = ("__func__", "fget", "base_func")
"""Where static methods, properties and the rules of a grammar have their function."""
UNCHANGING = {
    "parsed": "the cache of a pure function",
    "_compiled": "the cache of a pure function",
    "_hidden": "the cache of a pure function",
    "urlsplit": "the cache of a pure function",
    "_PARSER": "a grammar that was read once; what it parses is in its answers",
    "OTHERS": "a frozen value",
    "OWNER": "a frozen value",
    "AKS": "a frozen value",
    "PLAIN": "a frozen value",
    "RESOURCE_MANAGER": "a frozen value",
    "_IPV4": "a range of addresses, which nothing changes",
    "_IPV6": "a range of addresses, which nothing changes",
    "annotations": "an import from the future",
}
NAMES = [f"simulator.{found.name}" for found in pkgutil.iter_modules(simulator.__path__) if found.name != "__main__"]
GRAPH = "/providers/Microsoft.ResourceGraph/resources"
LOCK = f"{GROUP}/providers/Microsoft.Authorization/locks/keep"


def _members(module: types.ModuleType) -> Iterator[tuple[str, Any]]:
    """A module in, all it and its classes hold out, by name; functions without what is wrapped around them."""
    waiting = [(f"{module.__name__}.{name}", value) for name, value in vars(module).items()]
    for name, value in waiting:
        if name.rpartition(".")[2].startswith("__"):
            continue
        if isinstance(value, type) and value.__module__ == module.__name__:
            waiting += [(f"{name}.{member}", inner) for member, inner in vars(value).items()]
        else:
            yield name, next((inner for part in WRAPPED if (inner := getattr(value, part, None)) is not None), value)


def _state(module: types.ModuleType) -> dict[str, Any]:
    """What a module, its classes and its functions hold that could change, by name."""
    held: dict[str, Any] = {}
    for name, value in _members(module):
        if isinstance(value, types.FunctionType):
            cells = [cell.cell_contents for cell in value.__closure__ or ()]
            held[name] = [value.__defaults__, value.__kwdefaults__, vars(value), cells]
        elif isinstance(value, DATA):
            held[name] = value
    return copy.deepcopy(held)


def _collecting(module: types.ModuleType) -> set[str]:
    """The names in a module and its classes of what is neither data that `_state` sees nor a function or type."""
    return {
        name.rpartition(".")[2]
        for name, value in _members(module)
        if not isinstance(value, (*DATA, types.ModuleType, types.FunctionType, type, *DESCRIPTORS))
        and type(value).__module__ not in ALIASES
    }


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
    before = {name: _state(importlib.import_module(name)) for name in NAMES}
    assert "simulator.shapes.DEFAULTS" in before["simulator.shapes"]
    answered = _story(Cloud())
    assert {200, 201, 202, 400, 409, 500} == set(answered)
    for name in NAMES:
        after = _state(importlib.import_module(name))
        assert after.keys() == before[name].keys()
        assert [held for held in after if after[held] != before[name][held]] == []


def test_modules_hold_constants_and_nothing_that_collects() -> None:
    others = {name for module in map(importlib.import_module, NAMES) for name in _collecting(module)}
    assert others <= UNCHANGING.keys()


LEAKS = {
    "dictionary": "SEEN = {}\ndef touch(): SEEN[len(SEEN)] = 1",
    "number": "made = 0\ndef touch():\n    global made\n    made += 1",
    "number of a class": "class A:\n    made = 0\ndef touch(): A.made += 1",
    "list of a class": "class A:\n    seen = []\ndef touch(): A.seen.append(1)",
    "default value": "def touch(seen=[]): seen.append(1)",
    "default value of a method": "class A:\n    def f(self, *, seen={}): seen[1] = 1\ndef touch(): A().f()",
    "default value of a static method": "class A:\n    @staticmethod\n    def f(s=[]): s.append(1)\ndef touch(): A.f()",
    "member of a function": "def touch(): touch.calls = 1",
    "closure": "def made():\n    seen = []\n    return lambda: seen.append(1)\ntouch = made()",
}
COLLECTORS = {
    "kept": "import functools\n@functools.cache\ndef kept(x): return x",
    "f": "import functools\nclass A:\n    @functools.lru_cache\n    def f(self): return 1",
    "COUNT": "import itertools\nCOUNT = itertools.count()",
    "DICE": "import random\nDICE = random.Random(1)",
    "LAST": "import collections\nLAST = collections.deque()",
    "KNOWN": "import weakref\nclass A:\n    KNOWN = weakref.WeakValueDictionary()",
}


def _made_of(source: str) -> types.ModuleType:
    module = types.ModuleType("planted")
    exec(source, vars(module))
    return module


@pytest.mark.parametrize("source", LEAKS.values(), ids=LEAKS)
def test_what_a_module_could_keep_would_be_seen(source: str) -> None:
    module = _made_of(source)
    before = _state(module)
    assert _state(module) == before
    module.touch()
    assert _state(module) != before


@pytest.mark.parametrize(("name", "source"), COLLECTORS.items())
def test_what_collects_would_be_seen(name: str, source: str) -> None:
    assert name in _collecting(_made_of(source))


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
