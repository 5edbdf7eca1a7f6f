"""An Estate is read whole, or says what is missing and why."""

import subprocess
import sys
from collections.abc import Callable
from typing import Any

import pytest

from governor.cloud import versions
from governor.core import estate as estates
from governor.core import facts, ids
from governor.core.cause import Remainder, VirtualNetwork
from governor.core.cluster import Cluster
from governor.core.estate import ABSENT, Estate, Gap
from governor.core.needs import Needs
from governor.ports import Transient
from simulator.faults import Fault
from simulator.wire import Response
from tests.cloud.world import ADDRESS, ESTATE, GATEWAY, GROUP, SUBSCRIPTION, VNET, Azure

SCOPE = VirtualNetwork(VNET)
CLUSTERS = estates.clusters(SUBSCRIPTION)
DEPLOYMENTS = estates.deployments(GROUP)


def always(*resources: str, lists: tuple[str, ...] = ()) -> Callable[[Estate], Needs]:
    return lambda _: Needs(resources, lists)


def denied(path: str) -> Fault:
    message = "The client 'c' does not have authorization to perform action 'x/read' over scope '/s' or the scope is"
    return Fault(path=path, count=None, status=403, code="AuthorizationFailed", message=message)


async def test_reads_the_network_then_what_is_needed() -> None:
    azure = Azure()
    started = azure.clock.now()
    asked: list[Estate] = []

    def needs(seen: Estate) -> Needs:
        asked.append(seen)
        gateway = seen.find(GATEWAY, facts.NatGateway)
        if isinstance(gateway, facts.NatGateway):
            return Needs((GATEWAY.upper(), *(ref.id for ref in gateway.properties.public_ip_addresses or ())))
        return Needs((GATEWAY,), (CLUSTERS, DEPLOYMENTS))

    seen = await azure.cloud.observe(SCOPE, needs)
    assert [network.id for network in seen.networks] == [VNET]
    assert isinstance(seen.find(ADDRESS, facts.PublicIp), facts.PublicIp)
    assert seen.has_listed(CLUSTERS)
    assert seen.has_listed(DEPLOYMENTS)
    assert seen.gaps == ()
    assert seen.observed_at == started
    assert len(asked) == 3
    assert len(azure.arm.requests) == 5  # VNet; gateway and two lists; address. A need that is met is not asked again.


async def test_an_absent_network_is_absent() -> None:
    azure = Azure()
    gone = VNET + "-gone"
    seen = await azure.cloud.observe(VirtualNetwork(gone), always(GATEWAY + "-gone"))
    assert seen.networks == ()
    assert seen.find(gone, facts.VirtualNetwork) is ABSENT
    assert seen.find(GATEWAY + "-gone", facts.NatGateway) is ABSENT
    assert seen.gaps == ()


async def test_of_the_remainder_the_subscription_itself_is_read() -> None:
    azure = Azure()
    seen = await azure.cloud.observe(Remainder(SUBSCRIPTION), always(ADDRESS, VNET))
    assert seen.networks == ()
    assert {ids.key(ADDRESS), ids.key(VNET), f"/subscriptions/{SUBSCRIPTION}"} == set(seen.known)


async def test_what_may_not_be_read_is_a_gap() -> None:
    azure = Azure()
    azure.arm.faults += [denied("natGateways"), denied("managedClusters")]
    seen = await azure.cloud.observe(SCOPE, always(GATEWAY, ADDRESS, lists=(CLUSTERS, "firewalls(x)")))
    assert seen.find(GATEWAY, facts.NatGateway) is None
    assert isinstance(seen.find(ADDRESS, facts.PublicIp), facts.PublicIp)
    assert not seen.has_listed(CLUSTERS)
    assert seen.gaps == (
        Gap(ids.key(GATEWAY), "no permission for x/read on /s (AuthorizationFailed)"),
        Gap(CLUSTERS, "no permission for x/read on /s (AuthorizationFailed)"),
        Gap("firewalls(x)", "there is no such list"),
    )


async def test_what_has_no_address_is_a_gap_without_a_request() -> None:
    azure = Azure()
    machine = f"{GROUP}/providers/Microsoft.Compute/virtualMachineScaleSets/s/virtualMachines/0/networkInterfaces/n"
    seen = await azure.cloud.observe(SCOPE, always(machine, "no id at all"))
    assert {gap.about: gap.why for gap in seen.gaps} == {
        ids.key(machine): "it cannot be read by id",
        "no id at all": "it cannot be read by id",
    }
    assert len(azure.arm.requests) == 1


async def test_a_body_about_something_else_is_a_gap() -> None:
    azure = Azure()
    other = {"id": ADDRESS, "type": "Microsoft.Network/publicIPAddresses"}
    azure.arm.faults.append(Fault(path="natGateways", count=None, status=200, body=other))
    seen = await azure.cloud.observe(SCOPE, always(GATEWAY))
    assert seen.gaps == (Gap(ids.key(GATEWAY), "what was read is no fact about it"),)


async def test_lists_are_read_to_their_last_page() -> None:
    clusters: list[dict[str, Any]] = [
        {
            "id": f"{GROUP}/providers/Microsoft.ContainerService/managedClusters/c{n}",
            "type": "Microsoft.ContainerService/ManagedClusters",
            "name": f"c{n}",
            "location": "westeurope",
            "properties": {"provisioningState": "Succeeded"},
        }
        for n in range(7)
    ]
    azure = Azure(page_size=2, estate=ESTATE + clusters)
    seen = await azure.cloud.observe(SCOPE, always(lists=(CLUSTERS,)))
    assert len(seen.all(Cluster)) == 7
    # Four pages hold them, and AKS ends its lists with an empty one.
    assert azure.transport.of("GET")[1:] == [azure.transport.of("GET")[1]] * 5


async def test_clusters_are_kept_for_ten_seconds() -> None:
    azure = Azure()

    async def requests() -> int:
        before = len(azure.arm.requests)
        seen = await azure.cloud.observe(SCOPE, always(lists=(CLUSTERS,)))
        assert seen.has_listed(CLUSTERS)
        return len(azure.arm.requests) - before

    assert await requests() == 2
    azure.clock.advance(9)
    assert await requests() == 1
    azure.clock.advance(1)
    assert await requests() == 2


async def test_a_group_that_is_gone_runs_no_deployments() -> None:
    azure = Azure()
    gone = estates.deployments(GROUP + "-gone")
    seen = await azure.cloud.observe(SCOPE, always(lists=(gone,)))
    assert seen.has_listed(gone)
    assert seen.gaps == ()


async def test_only_running_deployments_are_asked_for() -> None:
    azure = Azure()
    await azure.cloud.observe(SCOPE, always(lists=(DEPLOYMENTS,)))
    assert azure.transport.requests[-1].query["$filter"] == "provisioningState eq 'Running'"


async def test_what_cannot_be_read_now_sends_the_run_back() -> None:
    azure = Azure()
    azure.arm.faults.append(Fault(path="natGateways", count=None, status=503, retry_after=600))
    with pytest.raises(Transient) as found:
        await azure.cloud.observe(SCOPE, always(ADDRESS, GATEWAY))
    assert found.value.after == 600
    assert azure.clock.slept == []


async def test_a_list_that_leads_elsewhere_is_not_followed() -> None:
    azure = Azure()
    body = {"value": [], "nextLink": "https://elsewhere.example/subscriptions?api-version=1"}
    azure.arm.faults.append(Fault(path="managedClusters", count=None, status=200, body=body))
    seen = await azure.cloud.observe(SCOPE, always(lists=(CLUSTERS,)))
    assert seen.gaps == (Gap(CLUSTERS, "a link leads away from https://127.0.0.1:8443"),)
    assert {request.header("Host") for request in azure.transport.requests} == {"127.0.0.1:8443"}


@pytest.mark.parametrize("body", [b"<html>sign in</html>", b"", b"[]", b'{"name": "spoke"}', b"\xff"])
async def test_what_is_no_resource_is_a_gap(body: bytes) -> None:
    azure = Azure()
    azure.transport.hooks.append(lambda *_: Response(200, {}, body))
    seen = await azure.cloud.observe(SCOPE, always(GATEWAY, lists=(CLUSTERS,)))
    assert seen.networks == ()
    assert [gap.about for gap in seen.gaps if "is no resource" in gap.why] == [ids.key(GATEWAY), ids.key(VNET)]
    assert seen.has_listed(CLUSTERS) == (body == b'{"name": "spoke"}')  # an object without elements is an empty list


async def test_a_list_of_something_else_is_a_gap() -> None:
    azure = Azure()
    azure.arm.faults.append(Fault(path="managedClusters", count=None, status=200, body={"value": ["x"]}))
    seen = await azure.cloud.observe(SCOPE, always(lists=(CLUSTERS,)))
    assert not seen.has_listed(CLUSTERS)
    assert seen.why(CLUSTERS).startswith("what was read as the list ")


async def test_a_list_without_end_is_a_gap() -> None:
    azure = Azure()
    path = f"/subscriptions/{SUBSCRIPTION}/providers/Microsoft.ContainerService/managedClusters"
    body = {"value": [], "nextLink": azure.client.url(path, versions.CLUSTERS)}
    azure.arm.faults.append(Fault(path="managedClusters", count=None, status=200, body=body))
    seen = await azure.cloud.observe(SCOPE, always(lists=(CLUSTERS,)))
    assert seen.why(CLUSTERS) == f"the list {path} does not end"


async def test_an_id_that_climbs_is_not_read() -> None:
    azure = Azure()
    seen = await azure.cloud.observe(VirtualNetwork(VNET.replace("/rg/", "/../")), always())
    assert [gap.why.endswith(" cannot be read by id") for gap in seen.gaps] == [True]
    assert azure.transport.requests == []


async def test_ids_are_quoted() -> None:
    azure = Azure()
    odd = ids.network(SUBSCRIPTION, "rg (töst)?x=1#y", "natGateways", "a b")
    seen = await azure.cloud.observe(SCOPE, always(odd))
    assert seen.find(odd, facts.NatGateway) is ABSENT
    assert azure.transport.requests[-1].target.endswith(
        "/resourceGroups/rg%20(t%C3%B6st)%3Fx%3D1%23y/providers/Microsoft.Network/natGateways/a%20b?api-version=2026-03-01"
    )


def test_reading_imports_no_generated_client() -> None:
    script = """
import asyncio, sys
from tests.cloud.test_observe import *

async def main():
    azure = Azure()
    await azure.cloud.observe(SCOPE, always(GATEWAY, lists=(CLUSTERS,)))
    assert len(azure.arm.requests) == 3

asyncio.run(main())
heavy = [m for m in sys.modules if m.startswith(("azure.mgmt.network", "azure.mgmt.resource", "azure.identity"))]
assert not heavy, heavy
"""
    subprocess.run([sys.executable, "-c", script], check=True, timeout=60)
