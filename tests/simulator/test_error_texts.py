"""Refusals that logs and issues of the real Azure quote: each is provoked, and must read exactly the same."""

import json
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from simulator.arm import Arm, ManualClock, Request, Response, bearer

ZERO = "00000000-0000-0000-0000-000000000000"
VERSION = "api-version=2022-07-01"
Entry = dict[str, Any]


def _network(subscription: str, group: str) -> str:
    return f"/subscriptions/{subscription}/resourceGroups/{group}/providers/Microsoft.Network"


def _ask(arm: Arm, method: str, path: str, body: object = None) -> Response:
    sent = json.dumps(body).encode() if body is not None else b""
    return arm.handle(Request(method, f"{path}?{VERSION}", bearer(), sent))


def _vnet(vnet_id: str, *subnets: Entry) -> Entry:
    space = {"addressPrefixes": ["10.0.0.0/16"]}
    return {"id": vnet_id, "location": "eastus2", "properties": {"addressSpace": space, "subnets": list(subnets)}}


def _gateway_in_use() -> Response:
    network = _network(ZERO, "rg-bbxbe")
    gateway = {"id": f"{network}/natGateways/failover-nat-gateway"}
    subnets = [
        {"name": name, "properties": {"addressPrefix": prefix, "natGateway": gateway}}
        for name, prefix in (("a", "10.0.0.0/24"), ("b", "10.0.1.0/24"))
    ]
    arm = Arm(ManualClock())
    arm.load([{**gateway, "location": "eastus2"}, _vnet(f"{network}/virtualNetworks/v", *subnets)])
    return _ask(arm, "DELETE", gateway["id"])


def _subnet_in_use(path: str = "/subnets/DATA") -> Response:
    network = _network("ed570a34-a090-4e9b-934b-1d201de1f7c4", "BCDRIaaSPrimarySite")
    vnet = f"{network}/virtualNetworks/v"
    frontend = {"name": "LoadBalancerFrontend", "properties": {"subnet": {"id": f"{vnet}/subnets/DATA"}}}
    arm = Arm(ManualClock())
    arm.load(
        [
            _vnet(vnet, {"name": "DATA", "properties": {"addressPrefix": "10.0.0.0/24"}}),
            {"id": f"{network}/loadBalancers/SQLAOGILB", "properties": {"frontendIPConfigurations": [frontend]}},
        ]
    )
    return _ask(arm, "DELETE", vnet + path)


def _address_in_use() -> Response:
    network = _network("0282681f-7a9e-424b-80b2-96babd57a8a1", "server-rg52e815a9")
    address = f"{network}/publicIPAddresses/vm-webserver-ipcbd245ea"
    configuration = {"name": "webserveripcfg", "properties": {"publicIPAddress": {"id": address}}}
    arm = Arm(ManualClock())
    arm.load(
        [
            {"id": address, "location": "eastus2"},
            {
                "id": f"{network}/networkInterfaces/vm-webserver-nic80520646",
                "properties": {"ipConfigurations": [configuration]},
            },
        ]
    )
    return _ask(arm, "DELETE", address)


def _busy(shape: Any) -> Response:
    vnet = _network("cba339b6-ea03-48de-912f-7213c3f451ae", "rg") + "/virtualNetworks/v"
    arm = Arm(ManualClock(), busy=shape, durations={"microsoft.network/virtualnetworks/subnets": 12})
    arm.load([_vnet(vnet)])
    assert _ask(arm, "PUT", f"{vnet}/subnets/a", {"properties": {"addressPrefix": "10.0.0.0/24"}}).status == 201
    return _ask(arm, "PUT", f"{vnet}/subnets/b", {"properties": {"addressPrefix": "10.0.1.0/24"}})


def _reference_updating() -> Response:
    network = _network("4df9b22d-85c6-440a-a1ab-f230d65e619c", "kuberneteslabs")
    subnet = f"{network}/virtualNetworks/KubeVNET/subnets/etcd"
    arm = Arm(ManualClock(), durations={"": 5})
    arm.load([_vnet(f"{network}/virtualNetworks/KubeVNET")])
    assert _ask(arm, "PUT", subnet, {"properties": {"addressPrefix": "10.0.0.0/24"}}).status == 201
    configuration = {"name": "a", "properties": {"subnet": {"id": subnet}}}
    body = {"location": "eastus2", "properties": {"ipConfigurations": [configuration]}}
    return _ask(arm, "PUT", f"{network}/networkInterfaces/etcd-0-nic", body)


def _throttled() -> Response:
    arm = Arm(ManualClock())
    arm.load([{"id": f"/subscriptions/{ZERO}", "type": "Microsoft.Resources/subscriptions"}])
    for _ in range(250):
        assert _ask(arm, "GET", f"/subscriptions/{ZERO}/resourceGroups").status == 200
    return _ask(arm, "GET", f"/subscriptions/{ZERO}/resourceGroups")


def _locked() -> Response:
    environment = f"/subscriptions/{ZERO}/resourceGroups/some-rg/providers/Microsoft.App/managedEnvironments/some-env"
    lock = f"/subscriptions/{ZERO}/providers/Microsoft.Authorization/locks/keep"
    arm = Arm(ManualClock())
    arm.load([{"id": environment}, {"id": lock, "properties": {"level": "CanNotDelete"}}])
    return _ask(arm, "DELETE", environment)


def _cluster(subscription: str, group: str, subnet: str, outbound: str = "loadBalancer") -> tuple[str, Entry]:
    path = (
        f"/subscriptions/{subscription}/resourceGroups/{group}/providers/Microsoft.ContainerService/managedClusters/c"
    )
    pool = {"name": "system", "mode": "System", "vnetSubnetID": subnet}
    network = {"outboundType": outbound}
    return path, {"location": "eastus2", "properties": {"agentPoolProfiles": [pool], "networkProfile": network}}


def _pool_busy() -> Response:
    vnet = _network(ZERO, "rg") + "/virtualNetworks/v"
    arm = Arm(ManualClock(), durations={"microsoft.containerservice/managedclusters/agentpools": 60})
    arm.load([_vnet(vnet, {"name": "s", "properties": {"addressPrefix": "10.0.0.0/24"}})])
    path, body = _cluster(ZERO, "rg", f"{vnet}/subnets/s")
    assert _ask(arm, "PUT", path, body).status == 201
    pool = {"properties": {"count": 2, "mode": "System"}}
    assert _ask(arm, "PUT", f"{path}/agentPools/system", pool).status == 200
    return _ask(arm, "PUT", f"{path}/agentPools/system", pool)


def _no_route_table() -> Response:
    subscription = "4ae8fd93-d084-481f-ba6e-370b7d4d8d0d"
    vnet = _network(subscription, "NNUHFT-SDE-Networking") + "/virtualNetworks/NNUHFT-SDE-vnet1"
    name = "snet-ff-uks-gp-system"
    arm = Arm(ManualClock())
    arm.load([_vnet(vnet, {"name": name, "properties": {"addressPrefix": "10.0.0.0/24"}})])
    group = f"/subscriptions/{subscription}/resourceGroups/rg"
    arm.load([{"id": group, "type": "Microsoft.Resources/resourceGroups", "location": "eastus2"}])
    path, body = _cluster(subscription, "rg", f"{vnet}/subnets/{name}", "userDefinedRouting")
    return _ask(arm, "PUT", path, body)


PROVOKED: dict[int, Callable[[], Response]] = {
    0: _gateway_in_use,
    1: _subnet_in_use,
    2: lambda: _subnet_in_use(""),
    3: _address_in_use,
    4: lambda: _busy("conflict"),
    5: _reference_updating,
    6: _throttled,
    8: _locked,
    9: _pool_busy,
    10: _no_route_table,
    11: lambda: _busy("retryable"),
}
LEFT_OUT = {
    7: "its rule names an alias of Automation accounts; test_policy.py has the newer shape of this refusal",
}
"""Refusals of the catalogue that are not provoked, and why."""
# Names the catalogue leaves open, and values that differ every time.
OPEN = (
    (re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}"), "<guid>"),
    (re.compile(r"/subscriptions/[^ ]*/subnets/a\b"), "{resourceId}"),
    (re.compile(r"in use by [^ ]+ and"), "in use by {ipConfigurationId} and"),
    (re.compile(r"Subnet DATA"), "Subnet {subnet}"),
    # Azure mended its spelling about 2018, and waits differ.
    (re.compile(r"occured"), "occurred"),
    (re.compile(r"after '\d+' seconds"), "after '<n>' seconds"),
    (re.compile(r"started on UTC [0-9TZ:-]+"), "started on UTC <time>"),
)


def _closed(body: object) -> Any:
    shown = json.dumps(body)
    for pattern, word in OPEN:
        shown = pattern.sub(word, shown)
    return json.loads(shown)


def test_every_refusal_is_provoked_or_left_out_with_a_reason(shared: Path) -> None:
    catalogue = json.loads((shared / "recordings" / "errors_catalogue.json").read_text())
    assert sorted([*PROVOKED, *LEFT_OUT]) == [entry["n"] for entry in catalogue["exchanges"]]


@pytest.mark.parametrize("number", PROVOKED)
def test_refusals_read_as_azure_wrote_them(shared: Path, number: int) -> None:
    catalogue = json.loads((shared / "recordings" / "errors_catalogue.json").read_text())
    entry = catalogue["exchanges"][number]
    answer = PROVOKED[number]()
    assert answer.status == entry["status"]
    assert _closed(answer.json()) == _closed(entry["response_body"])
    assert ("Retry-After" in answer.headers) == ("Retry-After" in entry["headers"])
