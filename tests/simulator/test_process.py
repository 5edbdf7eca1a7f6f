"""`python -m simulator` as a process: it says where it listens, and its certificate can be trusted."""

import asyncio
import json
import re
import signal
import ssl
import sys
from pathlib import Path

import aiohttp
import pytest

from simulator.__main__ import Unusable, options, simulator
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


def test_documents_name_every_option(capsys: pytest.CaptureFixture[str], checkout: Path) -> None:
    with pytest.raises(SystemExit, match="0"):
        options(["--help"])
    told = set(re.findall(r"^  (--[a-z-]+)", capsys.readouterr().out, re.MULTILINE))
    documented = (
        (checkout / "docs" / "simulator.md").read_text().partition("python -m simulator")[2].partition("```")[0]
    )
    assert set(re.findall(r"--[a-z-]+", documented)) == told


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["--port", "70000"], "'70000' is no port"),
        (["--graph-lag", "-1"], "'-1' is no number of seconds"),
        (["--network-lag", "nan"], "'nan' is no number of seconds"),
        (["--event-duplicates", "7"], "'7' is no share from 0 to 1"),
        (["--latency", "some"], "invalid choice"),
        (["--wings"], "unrecognized arguments: --wings"),
    ],
)
def test_process_says_in_one_line_what_is_wrong_with_an_option(
    capsys: pytest.CaptureFixture[str], arguments: list[str], said: str
) -> None:
    with pytest.raises(SystemExit, match="2"):
        options(arguments)
    err = capsys.readouterr().err
    assert err.startswith("simulator: ")
    assert (said in err, err.count("\n"), err.endswith("(see --help)\n")) == (True, 1, True)


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ('[{"id": 5}]', "entry 0: not the id of a resource: ''"),
        ('[{"id": "/subscriptions/s/resourceGroups/g/providers/A.B/c/d"}, 7]', "entry 1: not the id of a resource: ''"),
        ('{"value": []}', 'an estate is a list of resources, or {"data": [...]}'),
        ('[\n  {},\n  {"id"}\n]', "no JSON (line 3, column 8): "),
        ("", "no JSON (line 1, column 1): "),
        ("[" * 100_000, "no JSON: "),
        ("\xff", "no JSON: "),
        (None, "cannot be read: No such file or directory"),
    ],
)
def test_wrong_estate_is_told_with_its_file_and_where_it_is_wrong(tmp_path: Path, text: str | None, said: str) -> None:
    estate = tmp_path / "estate.json"
    if text is not None:
        estate.write_bytes(text.encode("latin-1"))
    with pytest.raises(Unusable) as caught:
        simulator(options(["--estate", str(estate)]))
    assert str(caught.value).startswith(f"{estate}: {said}")


async def ended(checkout: Path, *arguments: str) -> tuple[int | None, str]:
    """Arguments that cannot work in, how the process ended and what it said out."""
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "simulator", *arguments), cwd=checkout, stderr=asyncio.subprocess.PIPE
    )
    _, said = await process.communicate()
    return process.returncode, said.decode()


async def test_process_ends_with_one_line_that_names_the_file(tmp_path: Path, checkout: Path) -> None:
    estate, data = tmp_path / "estate.json", tmp_path / "data"
    estate.write_text('[{"id": 5}]')
    said = f"simulator: {estate}: entry 0: not the id of a resource: ''\n"
    assert await ended(checkout, "--http", "--port", "0", "--estate", str(estate)) == (2, said)
    data.touch()
    said = f"simulator: --data {data}: cannot be written: File exists\n"
    assert await ended(checkout, "--port", "0", "--data", str(data)) == (2, said)
    chaos = tmp_path / "chaos.yaml"
    chaos.write_text("- status: 503\n- satus: 503\n")
    said = f"simulator: {chaos}: rule 2 of 2: Object contains unknown field `satus`\n"
    assert await ended(checkout, "--port", "0", "--data", str(tmp_path), "--chaos", str(chaos)) == (2, said)


async def test_chaos_of_a_file_strikes(tmp_path: Path, checkout: Path) -> None:
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


CHAOS = """
- {method: PUT, probability: 0.3, count: null, status: 503}
- {method: GET, probability: 0.2, count: null, drop: after}
- {method: PUT, probability: 0.3, count: null, later: true}
- {method: GET, probability: 0.3, count: null, stale: 3600}
"""


async def told_to_one_of_them(checkout: Path, chaos: Path, seed: int) -> list[tuple[int, dict[str, str], bytes]]:
    """A seed in, all that a process of its own answers to the same requests out."""
    options = ["--http", "--port", "0", "--throttle", "off", "--seed", str(seed), "--chaos", str(chaos)]
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "simulator", *options), cwd=checkout, stdout=asyncio.subprocess.PIPE
    )
    answers: list[tuple[int, dict[str, str], bytes]] = []
    try:
        assert process.stdout is not None
        url = (await process.stdout.readline()).decode().strip()
        once = aiohttp.TCPConnector(force_close=True)  # on one that is kept, aiohttp would ask a second time by itself
        async with aiohttp.ClientSession(url, headers=bearer() | {"Host": "azure"}, connector=once) as session:

            async def ask(method: str, path: str, body: object = None) -> None:
                try:
                    async with session.request(method, f"{path}?api-version=2024-05-01", json=body) as response:
                        headers = {name: value for name, value in response.headers.items() if name != "Date"}
                        answers.append((response.status, headers, await response.read()))
                except aiohttp.ClientError:
                    answers.append((0, {}, b""))

            await ask("PUT", GROUP, {"location": "eastus"})
            await ask("PUT", GROUP, {"location": "eastus"})
            for number in range(40):
                gateway = f"{NETWORK}/natGateways/n{number % 5}"
                await ask("PUT", gateway, {"location": "eastus", "tags": {"n": str(number)}})
                await ask("GET", gateway)
                await ask("DELETE", f"{NETWORK}/natGateways/n{(number + 2) % 5}")
    finally:
        process.send_signal(signal.SIGTERM)
        await process.wait()
    return answers


async def test_two_processes_with_one_seed_answer_the_same(tmp_path: Path, checkout: Path) -> None:
    chaos = tmp_path / "chaos.yaml"
    chaos.write_text(CHAOS)
    first = await told_to_one_of_them(checkout, chaos, 7)
    assert first == await told_to_one_of_them(checkout, chaos, 7)
    assert {0, 200, 201, 202, 503} <= {status for status, _, _ in first}
    other = await told_to_one_of_them(checkout, chaos, 8)
    assert [status for status, _, _ in first] != [status for status, _, _ in other]
