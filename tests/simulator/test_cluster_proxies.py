"""The HTTP proxy of a cluster in the simulator: what is kept, what is refused, and when nodes are reimaged."""

from typing import Any

import pytest

from tests.simulator.aks import CLUSTER, Aks, body, told

PROXY = {"httpProxy": "http://user:pw@proxy:3128", "noProxy": ["corp.example"]}
PEM = "LS0tLS1CRUdJTiBDRVJUSUZJQ0FURS0tLS0t"


def config(cloud: Aks) -> dict[str, Any]:
    found: dict[str, Any] = cloud.get(CLUSTER)["properties"].get("httpProxyConfig", {})
    return found


def reimages(cloud: Aks) -> int:
    (exported,) = [one for one in cloud.arm.export() if one["id"].lower() == CLUSTER.lower()]
    return int(exported.get("simulator", {}).get("reimages", 0))


def test_aks_adds_what_goes_past_every_proxy() -> None:
    cloud = Aks()
    shown = cloud.made(httpProxyConfig=PROXY)
    there = config(cloud)
    assert (there["enabled"], there["httpProxy"]) == (True, PROXY["httpProxy"])
    assert {"corp.example", "localhost", "168.63.129.16", "konnectivity"} <= set(there["noProxy"])
    assert shown["properties"]["fqdn"] in there["effectiveNoProxy"]
    assert set(there["effectiveNoProxy"]) == set(there["noProxy"])
    # A body that was read can be written back.
    assert cloud.aks("PUT", CLUSTER, shown).status == 200
    cloud.settle()
    assert (config(cloud), reimages(cloud)) == (there, 0)


def test_a_change_reimages_all_nodes_and_takes_its_time() -> None:
    cloud = Aks(durations={"microsoft.containerservice/managedclusters": 60})
    cloud.made()
    assert (config(cloud), reimages(cloud)) == ({}, 0)
    assert cloud.cluster(httpProxyConfig=PROXY).status == 200
    profile = cloud.get(CLUSTER)["properties"]["agentPoolProfiles"][0]
    assert profile["provisioningState"] == "Updating"
    assert "simulator" not in cloud.get(CLUSTER)
    cloud.settle()
    assert reimages(cloud) == 1
    assert cloud.cluster(httpProxyConfig=PROXY | {"httpProxy": "http://user:new@proxy:3128"}).status == 200
    cloud.settle()
    assert reimages(cloud) == 2
    # Turned off, it is kept; a copy of the estate knows how often nodes were made anew.
    assert cloud.cluster(httpProxyConfig={"enabled": False}).status == 200
    cloud.settle()
    assert (config(cloud)["enabled"], config(cloud)["httpProxy"]) == (False, "http://user:new@proxy:3128")
    copy = Aks()
    copy.arm.load(cloud.arm.export())
    assert (reimages(cloud), reimages(copy)) == (3, 3)


REFUSED: list[tuple[dict[str, Any], str]] = [
    ({"noProxy": ["a"]}, "HTTPProxyConfigInputError"),
    ({"httpProxy": "https://proxy:3128"}, "HTTPProxyWrongUrlError"),
    ({"httpsProxy": "proxy:3128"}, "HTTPProxyWrongUrlError"),
    (PROXY | {"noProxy": ["*.corp.example"]}, "HTTPProxyConfigInputError"),
    (PROXY | {"trustedCa": "no base64"}, "HTTPProxyConfigCADecodeError"),
    (PROXY | {"trustedCa": "bm90IGE="}, "HTTPProxyConfigCADecodeError"),
    (PROXY | {"noProxy": "a"}, "UnmarshalError"),
]


@pytest.mark.parametrize(("given", "code"), REFUSED)
def test_what_aks_does_not_take_is_refused(given: dict[str, Any], code: str) -> None:
    cloud = Aks()
    cloud.made(httpProxyConfig=PROXY | {"trustedCa": PEM})
    before = config(cloud)
    assert told(cloud.cluster(httpProxyConfig=given)) == (400, code)
    assert (config(cloud), reimages(cloud)) == (before, 0)


def test_windows_nodes_have_no_proxy() -> None:
    cloud = Aks()
    wanted = body(httpProxyConfig=PROXY)
    wanted["properties"]["agentPoolProfiles"].append({"name": "w", "count": 1, "osType": "Windows", "mode": "User"})
    assert told(cloud.aks("PUT", CLUSTER, wanted)) == (400, "HTTPProxyConfigFeatureNotSupported")
