"""`python -m simulator` as a process: it says where it listens, and its certificate can be trusted."""

import asyncio
import json
import signal
import ssl
import sys
from pathlib import Path

import aiohttp

from simulator.arm import bearer
from tests.simulator.cloud import GROUP, NETWORK


async def test_process_listens_with_a_certificate_of_its_own(tmp_path: Path, checkout: Path) -> None:
    estate = tmp_path / "estate.json"
    estate.write_text(json.dumps([{"id": f"{NETWORK}/natGateways/n", "location": "eastus"}]))
    arguments = ["-m", "simulator", "--port", "0", "--data", str(tmp_path / "data"), "--estate", str(estate)]
    process = await asyncio.create_subprocess_exec(
        sys.executable, *arguments, cwd=checkout, stdout=asyncio.subprocess.PIPE
    )
    try:
        assert process.stdout is not None
        url = (await process.stdout.readline()).decode().strip()
        assert url.startswith("https://127.0.0.1:")
        trusted = ssl.create_default_context(cafile=str(tmp_path / "data" / "ca.pem"))
        path = f"{url}{GROUP}/resources?api-version=2021-04-01"
        async with aiohttp.ClientSession(headers=bearer()) as session, session.get(path, ssl=trusted) as response:
            assert [entry["name"] for entry in (await response.json())["value"]] == ["n"]
    finally:
        process.send_signal(signal.SIGTERM)
    assert await process.wait() == 0


async def test_options_reach_the_simulator(checkout: Path) -> None:
    options = ["--graph-lag", "3600", "--roles", "assigned"]
    arguments = ["-m", "simulator", "--http", "--port", "0", *options]
    process = await asyncio.create_subprocess_exec(
        sys.executable, *arguments, cwd=checkout, stdout=asyncio.subprocess.PIPE
    )
    try:
        assert process.stdout is not None
        url = (await process.stdout.readline()).decode().strip()
        query = {"query": "resourcecontainers | where type endswith 'resourcegroups' | count"}
        async with aiohttp.ClientSession(url, headers=bearer()) as session:
            async with session.put(f"{GROUP}?api-version=2021-04-01", json={"location": "eastus"}) as response:
                assert response.status == 201
            stranger = bearer("somebody")
            async with session.delete(f"{GROUP}?api-version=2021-04-01", headers=stranger) as response:
                assert response.status == 403
            graph = "/providers/Microsoft.ResourceGraph/resources?api-version=2021-03-01"
            async with session.post(graph, json=query) as response:
                assert (await response.json())["data"] == [{"Count": 0}]
    finally:
        process.send_signal(signal.SIGTERM)
    assert await process.wait() == 0


async def test_process_says_what_is_wrong_with_an_estate(tmp_path: Path, checkout: Path) -> None:
    estate = tmp_path / "estate.json"
    estate.write_text('[{"id": 5}]')
    process = await asyncio.create_subprocess_exec(
        sys.executable,
        *("-m", "simulator", "--http", "--port", "0", "--estate", str(estate)),
        cwd=checkout,
        stderr=asyncio.subprocess.PIPE,
    )
    _, said = await process.communicate()
    assert process.returncode == 2
    assert said.decode().startswith("simulator: entry 0:")


async def test_chaos_of_a_file_strikes_and_a_bad_file_is_refused(tmp_path: Path, checkout: Path) -> None:
    chaos = tmp_path / "chaos.yaml"
    arguments = ["-m", "simulator", "--http", "--port", "0", "--chaos", str(chaos), "--network-lag", "5"]
    arguments += ["--event-duplicates", "0.5", "--event-delay", "3"]
    chaos.write_text("- path: resourceGroups\n  status: 503\n  count: null\n")
    process = await asyncio.create_subprocess_exec(
        sys.executable, *arguments, cwd=checkout, stdout=asyncio.subprocess.PIPE
    )
    try:
        assert process.stdout is not None
        url = (await process.stdout.readline()).decode().strip()
        async with aiohttp.ClientSession(url, headers=bearer()) as session:
            for path, status in ((GROUP, 503), ("/subscriptions", 200)):
                async with session.get(f"{path}?api-version=2021-04-01") as response:
                    assert response.status == status
    finally:
        process.send_signal(signal.SIGTERM)
    assert await process.wait() == 0
    chaos.write_text("- satus: 503\n")
    process = await asyncio.create_subprocess_exec(
        sys.executable, *arguments, cwd=checkout, stderr=asyncio.subprocess.PIPE
    )
    _, said = await process.communicate()
    assert (process.returncode, said.decode().startswith("simulator: Object contains unknown field `satus`")) == (
        2,
        True,
    )
