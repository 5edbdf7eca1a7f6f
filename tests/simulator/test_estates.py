"""Estates go in and come out the same; what they say about strangers stays true."""

import json
from pathlib import Path
from typing import Any

import pytest

from simulator.arm import Arm, ManualClock
from simulator.estates import BadEstate
from tests.simulator.cloud import GROUP, NETWORK, SUBSCRIPTION, Cloud, link, without_etags


def test_export_loads_to_the_same(cloud: Cloud) -> None:
    vnet = cloud.vnet()
    gateway = cloud.gateway("n", cloud.address("p"))
    cloud.put(
        "routeTables/t",
        {"routes": [{"name": "r", "properties": {"addressPrefix": "0.0.0.0/0", "nextHopType": "Internet"}}]},
    )
    cloud.subnet(f"{vnet}/subnets/s", natGateway=gateway, routeTable=link("routeTables/t"))
    cloud.nic("nic", f"{vnet}/subnets/s")
    topic = f"{GROUP}/providers/Microsoft.EventGrid/systemTopics/t"
    source = {"source": f"/subscriptions/{SUBSCRIPTION}", "topicType": "Microsoft.Resources.Subscriptions"}
    cloud.put(topic, source, location="global")
    cloud.put(
        f"{topic}/eventSubscriptions/e",
        {"destination": {"endpointType": "WebHook", "properties": {"endpointUrl": "http://127.0.0.1:1/"}}},
    )
    cloud.put(f"{NETWORK}/virtualNetworks/v/providers/Microsoft.Authorization/locks/l", {"level": "ReadOnly"})
    exported = cloud.arm.export()
    other = Arm(ManualClock(), seed=9)
    other.load(exported)
    assert other.export() == exported
    assert {body["type"] for body in exported} >= {
        "Microsoft.Authorization/locks",
        "Microsoft.EventGrid/systemTopics/eventSubscriptions",
    }
    assert other.events == []


def test_recorded_estate_goes_round(shared: Path) -> None:
    estate = json.loads((shared / "samples" / "estate_recorded.json").read_text())
    first = Arm(ManualClock())
    first.load({"data": estate})
    second = Arm(ManualClock(), seed=9)
    second.load(first.export())
    assert second.export() == first.export()
    assert {body["id"].casefold() for body in estate} <= {body["id"].casefold() for body in first.export()}


def test_minimal_entries_get_what_azure_would_show(cloud: Cloud) -> None:
    subnet = {"name": "s", "properties": {"addressPrefix": "10.0.0.0/24"}}
    cloud.arm.load([{"id": f"{NETWORK}/virtualNetworks/v", "location": "East US", "properties": {"subnets": [subnet]}}])
    found = cloud.get("virtualNetworks/v/subnets/s")
    assert found["properties"]["provisioningState"] == "Succeeded"
    assert found["properties"]["delegations"] == []
    assert found["etag"] == cloud.get("virtualNetworks/v")["etag"]


def test_configurations_of_interfaces_get_what_azure_would_show(cloud: Cloud) -> None:
    cloud.subnet(f"{cloud.vnet()}/subnets/s")
    inner = {"subnet": link("virtualNetworks/v/subnets/s"), "privateIPAddress": "10.0.0.9"}
    nic = f"{NETWORK}/networkInterfaces/n"
    cloud.arm.load([{"id": nic, "properties": {"ipConfigurations": [{"name": "c", "properties": inner}]}}])
    (before,) = cloud.get(nic)["properties"]["ipConfigurations"]
    assert before["properties"].items() >= {"primary": True, "privateIPAddressVersion": "IPv4"}.items()


def test_occupants_that_are_not_in_the_estate_still_occupy(cloud: Cloud) -> None:
    stranger = link("networkInterfaces/stranger/ipConfigurations/one")
    subnet = {"name": "s", "properties": {"addressPrefix": "10.0.0.0/24", "ipConfigurations": [stranger]}}
    cloud.arm.load([{"id": f"{NETWORK}/virtualNetworks/v", "location": "eastus", "properties": {"subnets": [subnet]}}])
    assert cloud.get("virtualNetworks/v/subnets/s")["properties"]["ipConfigurations"] == [stranger]
    assert cloud.refused("DELETE", "virtualNetworks/v/subnets/s") == (400, "InUseSubnetCannotBeDeleted")


def test_back_references_to_what_is_in_the_estate_come_from_there(cloud: Cloud) -> None:
    """The gateway claims a subnet that does not name it: the subnet knows better."""
    claimed = {"subnets": [link("virtualNetworks/v/subnets/s")]}
    subnet = {"name": "s", "properties": {"addressPrefix": "10.0.0.0/24"}}
    cloud.arm.load(
        [
            {"id": f"{NETWORK}/natGateways/n", "location": "eastus", "properties": claimed},
            {"id": f"{NETWORK}/virtualNetworks/v", "location": "eastus", "properties": {"subnets": [subnet]}},
        ]
    )
    assert "subnets" not in cloud.get("natGateways/n")["properties"]


def test_given_states_are_kept(cloud: Cloud) -> None:
    cloud.arm.load(
        [{"id": f"{NETWORK}/natGateways/n", "location": "eastus", "properties": {"provisioningState": "Failed"}}]
    )
    assert cloud.get("natGateways/n")["properties"]["provisioningState"] == "Failed"


def test_starting_estate_comes_back_with_a_reset() -> None:
    arm = Arm(ManualClock(), estate=[{"id": GROUP, "type": "Microsoft.Resources/resourceGroups", "location": "eastus"}])
    before = arm.export()
    arm.load([{"id": f"{NETWORK}/natGateways/n"}])
    arm.reset()
    assert arm.export() == before


NOWHERE = {"addressPrefix": "nowhere"}


@pytest.mark.parametrize(
    "entry",
    [
        {},
        {"id": 5},
        {"id": "relative"},
        {"id": f"{NETWORK}/natGateways"},
        {"id": "/subscriptions/x", "type": "Microsoft.Resources/resourceGroups"},
        {"type": "Microsoft.Resources/subscriptions"},
        {"id": f"{NETWORK}/virtualNetworks/v", "properties": {"subnets": [{}]}},
        {"id": f"{NETWORK}/virtualNetworks/v", "properties": {"subnets": [{"name": "s", "properties": NOWHERE}]}},
        {"id": f"{NETWORK}/virtualNetworks/v/subnets/s", "properties": NOWHERE},
        {
            "id": f"{NETWORK}/routeTables/t",
            "properties": {"routes": [{"name": "r", "properties": NOWHERE | {"nextHopType": 7}}]},
        },
        {"id": f"{NETWORK}/natGateways/n", "properties": {"publicIpAddresses": "none"}},
        [],
    ],
)
def test_entries_that_are_no_resources_are_named(entry: object) -> None:
    with pytest.raises(BadEstate, match="entry 0"):
        Arm(ManualClock()).load([entry])


def test_estate_must_be_a_list() -> None:
    with pytest.raises(BadEstate, match="list"):
        Arm(ManualClock()).load({"value": []})


def test_loading_a_network_again_replaces_its_subnets_if_it_lists_them(cloud: Cloud) -> None:
    vnet = cloud.vnet()
    cloud.subnet(f"{vnet}/subnets/s")
    entry: dict[str, Any] = {"id": f"{NETWORK}/{vnet}", "location": "eastus", "properties": {}}
    cloud.arm.load([entry])
    assert len(cloud.get(f"{vnet}/subnets")["value"]) == 1
    cloud.arm.load([entry | {"properties": {"subnets": []}}])
    assert cloud.get(f"{vnet}/subnets")["value"] == []


def test_writing_back_what_was_read_changes_nothing_but_etags(cloud: Cloud) -> None:
    """The round trip every client makes: read the whole body, write it back."""
    vnet = cloud.vnet()
    gateway = cloud.gateway("n", cloud.address("p"))
    cloud.put(
        "routeTables/t",
        {"routes": [{"name": "r", "properties": {"addressPrefix": "0.0.0.0/0", "nextHopType": "Internet"}}]},
    )
    cloud.subnet(f"{vnet}/subnets/s", natGateway=gateway, routeTable=link("routeTables/t"))
    cloud.nic("nic", f"{vnet}/subnets/s", publicIPAddress=cloud.address("q"))
    before = {body["id"]: body for body in cloud.arm.export() if body["type"].startswith("Microsoft.Network/")}
    for resource_id, body in before.items():
        answer = cloud.call("PUT", resource_id, body)
        assert answer.status in (200, 201), answer.body
        assert answer.json()["properties"]["provisioningState"] == "Succeeded"
    after = {body["id"]: body for body in cloud.arm.export() if body["id"] in before}
    assert without_etags(after) == without_etags(before)
