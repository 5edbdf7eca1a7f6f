"""Microsoft's own client library for Resource Graph, unmodified, against the simulator over real loopback."""

import asyncio
from collections.abc import AsyncIterator
from typing import Any

import pytest
from azure.core.exceptions import HttpResponseError
from azure.mgmt.resourcegraph import ResourceGraphClient
from azure.mgmt.resourcegraph.models import QueryRequest, QueryRequestOptions

from simulator.arm import Arm, SystemClock
from simulator.server import Server, serve
from tests.simulator.cloud import NETWORK, SUBSCRIPTION
from tests.simulator.graph import NETWORKS
from tests.simulator.test_sdk import Bearer, Credential


@pytest.fixture
async def server() -> AsyncIterator[Server]:
    arm = Arm(SystemClock())
    arm.load([{"id": f"{NETWORK}/virtualNetworks/v{n}", "location": "eastus"} for n in range(5)])
    running = await serve(arm)
    yield running
    await running.close()


def _story(client: ResourceGraphClient) -> None:
    query = f"{NETWORKS} | project id, name | order by name asc"
    found: list[Any] = []
    token = None
    while True:
        options = QueryRequestOptions(top=2, skip_token=token)
        page = client.resources(QueryRequest(subscriptions=[SUBSCRIPTION], query=query, options=options))
        assert (page.total_records, page.result_truncated) == (5, "false")
        found += page.data
        token = page.skip_token
        if token is None:
            break
    assert [row["name"] for row in found] == [f"v{n}" for n in range(5)]
    with pytest.raises(HttpResponseError) as refused:
        client.resources(QueryRequest(query="resources | summarize count()"))
    assert refused.value.status_code == 400
    assert refused.value.error is not None
    assert refused.value.error.code == "BadRequest"


async def test_client_pages_through_networks(server: Server) -> None:
    address = f"http://127.0.0.1:{server.port}"
    with ResourceGraphClient(Credential(), base_url=address, authentication_policy=Bearer()) as client:
        await asyncio.to_thread(_story, client)
