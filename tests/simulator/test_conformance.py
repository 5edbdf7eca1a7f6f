"""Recorded exchanges of the real Azure are replayed; what differs must stand in the table of differences.

Statuses, header names, members, types, codes, texts and defaults are compared; guids, addresses and counters by form.
"""

import base64
import json
import re
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, NamedTuple
from urllib.parse import parse_qs, urlsplit

import pytest

from simulator.arm import Arm, ManualClock, Request, bearer
from simulator.wire import Body

ZERO = "00000000-0000-0000-0000-000000000000"
GUID = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}", re.IGNORECASE)
TIME = re.compile(r"^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?Z$")
HOST = re.compile(r"-[0-9a-z]{8}\.(?=(portal\.)?hcp\.)")
UID = re.compile(r"^[0-9a-f]{24}$")
CLUSTERS = "microsoft.containerservice/managedclusters"
COMPARED = re.compile(
    r"azure-asyncoperation|azure-asyncnotification|location|retry-after|etag|x-ms-failure-cause|"
    r"x-ms-operation-identifier|x-ms-ratelimit-.*|x-ms-user-quota-.*"
)
URLS = ("azure-asyncoperation", "location")


class Difference(NamedTuple):
    """Where an answer may differ from the recording, and why. All three are regular expressions or text."""

    scenario: str
    where: str
    reason: str


OLD = "(ps|py|c7n)_.*"
DIFFERENCES = (
    Difference(
        ".*",
        r"extra header x-ms-ratelimit-remaining-subscription-(global-)?(reads|writes|deletes)",
        "both families of rate-limit headers are always sent; recorders drop one of them, and 2020 had no global ones",
    ),
    Difference(
        "cpa_(subnet|publicip_basic|routetable|nsg|loadbalancer)_.*|py_.*|ps_.*",
        r"extra header x-ms-operation-identifier",
        "sent by the network provider since April 2025; these recordings are older",
    ),
    Difference(
        "cli_.*",
        r"extra header x-ms-operation-identifier",
        "the remaining headers of that answer were not read when it was transcribed",
    ),
    Difference(
        "(ps|py_route)_.*",
        r"extra header azure-asyncnotification",
        "sent since April 2020; these recordings are older",
    ),
    Difference(OLD, r"extra body.*\.?sku\.tier", "the tier of a sku is shown since 2021"),
    Difference(OLD, r"extra body\.(value\[\d+\]\.)?properties\.type", "a NAT gateway's type is shown since 2025"),
    Difference(OLD, r"extra body\.properties\.ddosSettings", "protection settings are shown since 2022"),
    Difference(OLD, r"extra body\.properties\.privateEndpointVNetPolicies", "shown since 2024"),
    Difference("ps_.*", r"missing body\.properties\.enableVmProtection", "no longer shown in 2025"),
    Difference(
        "ps_.*",
        r"differs body\.error\.message: \"(?P<said>.*)\. For more details please go to [^\"]*\" for \"(?P=said)\.\"",
        "the text of ResourceNotFound had no second sentence in 2020",
    ),
    Difference(
        "c7n_.*",
        r"extra body\.properties\.(auxiliaryMode|auxiliarySku|allowPort25Out)",
        "a network interface shows these since 2023",
    ),
    Difference(
        "c7n_resourcegraph_table",
        r"differs body\.(totalRecords|count)",
        "the recording was cut to its first row after it had been made",
    ),
    Difference(
        ".*_aks_.*",
        r"extra body\.(value\[\d+\]\.)?(properties\.agentPoolProfiles\[\d+\]\.)?eTag",
        "documented since 2025; these recordings are older",
    ),
    Difference(
        "cpa_aks_crud",
        r"differs body\.(value\[\d+\]\.)?identity\.tenantId",
        "the recorder puts the word tenantid in its place",
    ),
    Difference(
        "cpa_aks_crud",
        r"missing body\.properties\.agentPoolProfiles\[\d+\]\.nodeLabels",
        "an empty object that answers to a PUT show and no GET does",
    ),
    Difference(
        "cpa_aks_crud",
        r"missing body\.error",
        "the delete had succeeded and told all the same of a goal that was not saved: a fault of that day",
    ),
    Difference(
        "cli_aks_.*",
        r"differs header azure-asyncoperation",
        "the api-version of AKS's operations was 2016-03-30 in 2023 and is 2017-08-31 in 2025",
    ),
    Difference(
        "cli_aks_.*",
        r"differs body\.properties\.(k|currentK|agentPoolProfiles\[0\]\.(o|currentO|nodeI))\w+Version",
        "the default version and the image of 2023",
    ),
    Difference(
        "cli_aks_.*",
        r"extra body\.properties\.(autoUpgradeProfile|metricsProfile|resourceUID|"
        r"agentPoolProfiles\[0\]\.(scaleDownMode|securityProfile))",
        "shown since 2025",
    ),
    Difference(
        "cli_aks_.*",
        r"differs body\.properties\.servicePrincipalProfile\.clientId",
        "the recorder puts a made-up id in its place",
    ),
    Difference(
        "cli_aks_.*",
        r"differs body\.properties\.networkProfile\.loadBalancerSku",
        "in 2023 it was Standard once the cluster was there, in 2025 it stays as it was sent",
    ),
)

# What existed before a recording began, as its notes and first answers tell.
PIP1 = f"/subscriptions/{ZERO}/resourceGroups/aks-cit-NatGateway/providers/Microsoft.Network/publicIPAddresses/pip1"


def _group(name: str, location: str, **members: Any) -> dict[str, Any]:
    resource_id = f"/subscriptions/{ZERO}/resourceGroups/{name}"
    return {"id": resource_id, "type": "Microsoft.Resources/resourceGroups", "location": location, **members}


BEFORE: dict[str, list[dict[str, Any]]] = {
    "cpa_natgateway_crud": [
        _group("aks-cit-NatGateway", "eastus2", tags={"Created": "2001-02-03T04:05:06Z"}),
        {
            "id": PIP1,
            "location": "eastus2",
            "sku": {"name": "Standard"},
            "properties": {"resourceGuid": ZERO, "ipAddress": "172.200.53.164", "idleTimeoutInMinutes": 10},
        },
    ],
    "ps_natgateway_vnet_subnet": [_group("ps394", "westcentralus")],
    "py_natgateway_patch_tags": [_group("test_cli_mgmt_network_nat_test_network33b20fce", "eastus")],
    "py_route_child": [_group("test_mgmt_network_test_routesb6760c2d", "westus")],
    "cli_natgateway_2025_headers": [_group("clitest.rg000001", "eastus2")],
    "cli_aks_managed_natgateway": [_group("clitest000001", "westus2")],
}


def _rows_around(page: Body) -> list[Body]:
    """A recorded page in, its rows with as many before and after them as its $skipToken and totalRecords tell out."""
    rows = [{"location": "eastus", **row} for row in page["data"]]
    wrapped = json.loads(base64.b64decode(page["$skipToken"]))
    before = wrapped["RowsToSkip"] - wrapped["MaxRows"]
    after = page["totalRecords"] - before - len(rows)
    scope = f"/subscriptions/{ZERO}/resourceGroups"
    others = [f"a/providers/Microsoft.Storage/storageAccounts/{n}" for n in range(before)]
    others += [f"z/providers/Microsoft.Storage/storageAccounts/{n}" for n in range(after)]
    return rows + [{"id": f"{scope}/{other}", "location": "eastus"} for other in others]


def _resources_of(table: Body) -> list[Body]:
    """A recorded table in, the resources in its rows out."""
    names = [column["name"] for column in table["columns"]]
    rows = [dict(zip(names, row, strict=True)) for row in table["rows"]]
    return [{name: value for name, value in row.items() if value is not None} for row in rows]


def _locks_before(exchanges: list[Body]) -> list[Body]:
    """A recording of locks in, those that it lists and nobody made out."""
    made = {exchange["response_body"]["id"] for exchange in exchanges if exchange["method"] == "PUT"}
    listed = [lock for exchange in exchanges for lock in (exchange["response_body"] or {}).get("value", [])]
    return list({lock["id"]: lock for lock in listed if lock["id"] not in made}.values())


# Of Resource Graph, what a recording shows is what there was; what was asked is filled in where a recorder dropped it.
GRAPH: dict[str, tuple[Callable[[Body], list[Body]], Body]] = {
    "arg_paged_objectarray": (_rows_around, {"subscriptions": [ZERO]}),
    "c7n_resourcegraph_table": (
        lambda body: _resources_of(body["data"]),
        {"subscriptions": [ZERO], "query": "where type =~ 'Microsoft.Storage/storageAccounts'"},
    ),
}
SCENARIOS = (
    "cpa_resourcegroup_crud",
    "cpa_subnet_crud",
    "cpa_natgateway_crud",
    "cpa_publicip_basic_crud",
    "cpa_routetable_crud",
    "cpa_loadbalancer_public_frontend",
    "cpa_nsg_crud",
    "ps_natgateway_vnet_subnet",
    "py_natgateway_patch_tags",
    "py_route_child",
    "cli_natgateway_2025_headers",
    "c7n_backreferences",
    "c7n_locks",
    "cpa_aks_crud",
    "cli_aks_managed_natgateway",
    *GRAPH,
)
LEFT_OUT = {
    "errors_catalogue": "single answers without what led to them: test_error_texts.py provokes them",
}
"""Every other recording there is, and why it is not replayed."""


class Replay:
    """A recording being asked again of a simulator."""

    def __init__(self, recording: dict[str, Any]) -> None:
        self.clock = ManualClock()
        # Only the PowerShell recorder keeps Retry-After.
        latency: Any = "real" if recording["scenario"].startswith("ps_") else "none"
        self.arm = Arm(self.clock, latency=latency, durations={CLUSTERS: 300})
        self.arm.load([{"id": f"/subscriptions/{ZERO}", "type": "Microsoft.Resources/subscriptions"}])
        self.arm.load(BEFORE.get(recording["scenario"], []))
        self._asked: Body | None = None
        if recording["scenario"] in GRAPH:
            existing, self._asked = GRAPH[recording["scenario"]]
            self.arm.load(existing(recording["exchanges"][0]["response_body"]))
        elif recording["scenario"] == "c7n_locks":
            self.arm.load(_locks_before(recording["exchanges"]))
        elif recording["scenario"].startswith("c7n_"):
            for exchange in recording["exchanges"]:
                body = exchange["response_body"]
                self.arm.load(body.get("value", [body]))
        self._known: dict[str, str] = {}

    def differences(self, exchange: dict[str, Any]) -> Iterator[str]:
        """One recorded exchange in, all that is different this time out."""
        target = self._known.get(_place(exchange["path"]), exchange["path"])
        polled = "operation" in exchange["path"].lower() and exchange["method"] == "GET"
        if polled and exchange["status"] != 202 and (exchange["response_body"] or {}).get("status") != "InProgress":
            self.clock.advance(600)
        sent = exchange["request_body"]
        if sent is None and exchange["method"] == "PUT":  # these recorders put "mock_body" in its place
            sent = {"properties": exchange["response_body"]["properties"]}
        if self._asked is not None:
            sent = (sent or {}) | self._asked
        response = self.arm.handle(
            Request(
                exchange["method"],
                target,
                bearer() | exchange.get("request_headers", {}),
                json.dumps(sent).encode() if sent is not None else b"",
            )
        )
        if response.status != exchange["status"]:
            yield f"differs status: {response.status} for {exchange['status']} {response.body.decode()}"
        mine = {name.lower(): value for name, value in response.headers.items() if COMPARED.fullmatch(name.lower())}
        theirs = {name.lower(): value for name, value in exchange["headers"].items()}
        for name in sorted(mine.keys() | theirs.keys()):
            if name not in mine or name not in theirs:
                yield f"{'missing' if name in theirs else 'extra'} header {name}"
            elif _header(name, mine[name]) != _header(name, theirs[name]):
                yield f"differs header {name}: {mine[name]} for {theirs[name]}"
            if name in URLS and name in mine and name in theirs:
                self._knows(theirs[name], mine[name])
        body = response.json()
        if "nextLink" in (exchange["response_body"] or {}) and "nextLink" in (body or {}):
            self._knows(exchange["response_body"]["nextLink"], body["nextLink"])
        yield from _compared("body", body, exchange["response_body"])

    def _knows(self, theirs: str, mine: str) -> None:
        """Where a recorded answer led and where this one does in; whoever follows the one is led to the other."""
        self._known[_place(theirs)] = mine.removeprefix("https://management.azure.com")


def _place(url: str) -> str:
    """A URL in any spelling in, where it leads out."""
    parts = urlsplit(url)
    return f"{parts.path}?{sorted(parse_qs(parts.query).items())}"


def _asked(url: str) -> tuple[str, set[str]]:
    """A link to a next page in, what it asks for but for the place it goes on from out."""
    parts = urlsplit(url)
    return parts.path, set(parse_qs(parts.query))


def _header(name: str, value: str) -> object:
    """A header's value in, what must be equal of it out."""
    if name in URLS:
        parts = urlsplit(value)
        return GUID.sub("<guid>", parts.path), parse_qs(parts.query)
    if name == "etag":
        return GUID.sub("<guid>", value)
    if name.startswith("x-ms-ratelimit"):
        return value.isdecimal()
    if name == "x-ms-operation-identifier":
        return re.sub(r"\{?[\w-]+\}?", "x", value)
    return value


def _compared(where: str, mine: Any, theirs: Any) -> Iterator[str]:
    if isinstance(mine, dict) and isinstance(theirs, dict):
        for name in sorted(mine.keys() | theirs.keys()):
            if name not in mine or name not in theirs:
                yield f"{'missing' if name in theirs else 'extra'} {where}.{name}"
            else:
                yield from _compared(f"{where}.{name}", mine[name], theirs[name])
    elif isinstance(mine, list) and isinstance(theirs, list) and len(mine) == len(theirs):
        for number, (one, other) in enumerate(zip(mine, theirs, strict=True)):
            yield from _compared(f"{where}[{number}]", one, other)
    elif where.endswith(".nextLink"):
        if _asked(mine) != _asked(theirs):
            yield f"differs {where}: {mine!r} for {theirs!r}"
    elif where.endswith((".ipAddress", ".ipPrefix")):
        if type(mine) is not type(theirs):
            yield f"differs {where}: {mine!r} for {theirs!r}"
    elif _masked(mine) != _masked(theirs):
        yield f"differs {where}: {mine!r} for {theirs!r}"


def _masked(value: Any) -> Any:
    if not isinstance(value, str):
        return value
    for pattern, shown in ((GUID, "<guid>"), (TIME, "<time>"), (HOST, "-<random>."), (UID, "<uid>")):
        value = pattern.sub(shown, value)
    return value


def _excuse(scenario: str, difference: str) -> Difference | None:
    for known in DIFFERENCES:
        if re.fullmatch(known.scenario, scenario) and re.match(f"{known.where}(:|$)", difference):
            return known
    return None


def _replayed(shared: Path, scenario: str) -> Iterator[tuple[int, str]]:
    recording = json.loads((shared / "recordings" / f"{scenario}.json").read_text())
    replay = Replay(recording)
    for exchange in recording["exchanges"]:
        for difference in replay.differences(exchange):
            yield exchange["n"], difference


def test_every_recording_is_replayed_or_left_out_with_a_reason(shared: Path) -> None:
    recorded = {file.stem for file in (shared / "recordings").glob("*.json")}
    assert recorded == {*SCENARIOS, *LEFT_OUT}
    assert not set(SCENARIOS) & set(LEFT_OUT)


@pytest.mark.parametrize("scenario", SCENARIOS)
def test_recorded_exchanges_are_answered_as_azure_did(shared: Path, scenario: str) -> None:
    unexcused = [
        f"exchange {number}: {difference}"
        for number, difference in _replayed(shared, scenario)
        if _excuse(scenario, difference) is None
    ]
    assert not unexcused, "\n".join(unexcused)


def test_every_deliberate_difference_is_met(shared: Path) -> None:
    met = {_excuse(scenario, difference) for scenario in SCENARIOS for _, difference in _replayed(shared, scenario)}
    assert [known for known in DIFFERENCES if known not in met] == []
