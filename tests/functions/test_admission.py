"""The admission webhook as a cluster's API server asks it: over HTTP through devhost, and on Microsoft's runtime."""

import asyncio
import base64
import io
import json
import logging
from collections.abc import AsyncIterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import aiohttp
import pytest

from devhost import functions as hosted
from devhost.host import Host
from governor import wiring
from governor.admission import hashed
from governor.core.admission import MOST_BYTES
from governor.core.cause import VirtualNetwork
from governor.core.sighting import Sighting
from governor.core.standing import Pause
from governor.core.verdict import Result, Verdict
from governor.local.ledger import SqliteLedger
from governor.ports import Ledger
from tests.functions.microsoft import ASKED_FOR, driven
from tests.support.clock import START, FakeClock

CHECKOUT: Final = Path(__file__).parents[2]
SUB: Final = "11111111-1111-1111-1111-111111111111"
CLUSTER: Final = f"/subscriptions/{SUB}/resourceGroups/rg/providers/Microsoft.ContainerService/managedClusters/aks-1"
NETWORK: Final = f"/subscriptions/{SUB}/resourceGroups/rg/providers/Microsoft.Network/virtualNetworks/spoke"
TOKEN: Final = "a-token-of-aks-1-that-nobody-can-guess"
INTERNAL: Final = "service.beta.kubernetes.io/azure-load-balancer-internal"
POLICY: Final = f"""
name: spokes
mode: enforce
egress: {{natGateway: {{}}}}
clusters:
  services:
    - {{selector: {{app: web}}, annotations: {{{INTERNAL}: "true"}}}}
---
name: others
egress: {{natGateway: {{}}}}
"""
PATCH: Final = [{"op": "add", "path": "/metadata/annotations", "value": {INTERNAL: "true"}}]


def review(**changes: Any) -> dict[str, Any]:
    request = {
        "uid": "uid-1",
        "kind": {"group": "", "version": "v1", "kind": "Service"},
        "operation": "CREATE",
        "namespace": "shop",
        "name": "web",
        "object": {"metadata": {"name": "web", "labels": {"app": "web"}}, "spec": {"type": "LoadBalancer"}},
        "oldObject": None,
    }
    return {"apiVersion": "admission.k8s.io/v1", "kind": "AdmissionReview", "request": {**request, **changes}}


def verdict(policy: str | None = "spokes", result: Result = Result.COMPLIANT, seen: str = "") -> Verdict:
    return Verdict(CLUSTER.upper(), "cluster-outbound-type", result, policy, seen)


async def surveyed(ledger: Ledger, *verdicts: Verdict, network: str = NETWORK) -> None:
    await ledger.surveyed([Sighting(VirtualNetwork(network), START, verdicts)])


def settings(folder: Path) -> dict[str, str]:
    """A deployment in a folder, with one cluster that may ask. Nobody listens where Azure would be."""
    (folder / "policies").mkdir()
    (folder / "policies" / "spokes.yaml").write_text(POLICY)
    return {
        "EGRESS_GOVERNOR_STORE": f"sqlite:{folder / 'store'}",
        "EGRESS_GOVERNOR_POLICIES": str(folder / "policies"),
        "EGRESS_GOVERNOR_MODE_CEILING": "enforce",
        "EGRESS_GOVERNOR_ARM_ENDPOINT": "http://127.0.0.1:1",
        "EGRESS_GOVERNOR_SWEEP_SCHEDULE": "0 0 0 1 1 *",
        "EGRESS_GOVERNOR_ADMISSION_TOKENS": f"{CLUSTER}={hashed(TOKEN)}",
    }


@dataclass
class Site:
    """devhost with the function app, and a client that is the API server of a cluster."""

    url: str
    http: aiohttp.ClientSession

    @property
    def ledger(self) -> Ledger:
        return wiring.worker().ports.ledger

    async def ask(self, body: object, token: str = TOKEN) -> tuple[int, Any]:
        raw = io.BytesIO(body if isinstance(body, bytes) else json.dumps(body).encode())
        async with self.http.post(f"{self.url}/api/admission/{token}", data=raw) as answer:
            return answer.status, await answer.json()

    async def patch(self, **changes: Any) -> Any:
        """What is put on the Service of a request that must be allowed."""
        status, answer = await self.ask(review(**changes))
        response = answer["response"]
        assert (status, response["uid"], response["allowed"]) == (200, "uid-1", True)
        return json.loads(base64.b64decode(response["patch"])) if "patch" in response else None


@pytest.fixture
async def site(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Site]:
    values = settings(tmp_path)
    for name, value in values.items():
        monkeypatch.setenv(name, value)
    wiring.worker.cache_clear()
    host = Host(hosted.load(CHECKOUT), CHECKOUT, values)
    port = await host.start(0)
    async with aiohttp.ClientSession() as http:
        yield Site(f"http://127.0.0.1:{port}", http)
    await host.stop()
    await wiring.worker().close()
    wiring.worker.cache_clear()


async def test_a_new_service_gets_what_the_policy_of_its_cluster_wants(site: Site) -> None:
    await surveyed(site.ledger, verdict())
    assert await site.patch() == PATCH
    assert await site.patch(operation="DELETE", object=None) is None
    assert await site.patch(namespace="kube-system") is None


async def test_a_pause_stops_it_and_says_so(site: Site) -> None:
    await surveyed(site.ledger, verdict())
    await site.ledger.pause(Pause("ann", START, "incident"), "ann", "incident")
    status, answer = await site.ask(review())
    assert status == 200
    assert "patch" not in answer["response"]
    assert answer["response"]["warnings"][0].endswith("not put: everything is paused")


@pytest.mark.parametrize(
    "verdicts", [(verdict(None, Result.UNGOVERNED),), (verdict("others"),)], ids=["nobody's", "without rules"]
)
async def test_a_cluster_without_rules_is_left_alone(site: Site, verdicts: tuple[Verdict, ...]) -> None:
    await surveyed(site.ledger, *verdicts)
    assert await site.patch() is None


UNDECIDED: list[tuple[str, tuple[Verdict, ...], str]] = [
    ("nobody has looked", (), "nobody has looked at it yet"),
    ("two policies", (verdict(None, Result.UNKNOWN, "pools governed by a and b"),), "is not known: pools governed by"),
    ("a policy that is gone", (verdict("former"),), "policy former, which governed"),
]


@pytest.mark.parametrize(("verdicts", "words"), [row[1:] for row in UNDECIDED], ids=[row[0] for row in UNDECIDED])
async def test_an_undecided_cluster_is_left_to_the_failure_policy(
    site: Site, verdicts: tuple[Verdict, ...], words: str
) -> None:
    await surveyed(site.ledger, *verdicts)
    status, answer = await site.ask(review())
    assert status == 503
    assert words in answer["error"]
    # What no policy could be about needs none.
    assert await site.patch(object={"metadata": {}, "spec": {"type": "ClusterIP"}}) is None


async def test_two_verdicts_that_name_two_policies_leave_it_undecided(site: Site) -> None:
    await surveyed(site.ledger, verdict())
    await surveyed(site.ledger, verdict("others"), network=f"{NETWORK}-2")
    assert (await site.ask(review()))[0] == 503


async def test_policies_that_are_not_valid_are_left_to_the_failure_policy(site: Site, tmp_path: Path) -> None:
    (tmp_path / "policies" / "spokes.yaml").write_text("name: [")
    status, answer = await site.ask(review())
    assert (status, answer["error"].partition(":")[0]) == (503, "no valid policies")


async def test_what_is_wrong_is_said_in_one_line(site: Site) -> None:
    for body in (b"{junk", {"kind": "AdmissionReview"}):
        status, answer = await site.ask(body)
        assert (status, answer["error"].partition(":")[0]) == (400, "not an AdmissionReview of admission.k8s.io/v1")
    status, answer = await site.ask(b" " * (MOST_BYTES + 1))
    assert (status, "at most" in answer["error"]) == (413, True)


async def test_only_who_has_a_token_is_heard_and_no_token_is_logged(
    site: Site, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    await surveyed(site.ledger, verdict())
    for token in (TOKEN[:-1], hashed(TOKEN), "%20"):
        status, answer = await site.ask(b"{junk", token)
        assert (status, answer["error"].partition(":")[0]) == (404, "no cluster has this token")
    assert await site.patch() == PATCH
    ours = [record.getMessage() for record in caplog.records if record.name in ("governor", "devhost")]
    assert any("Service 'shop'/'web' of" in line and "policy spokes: 1 edits" in line for line in ours)
    assert any("POST /api/admission/{cluster_token}" in line for line in ours)
    assert not any(TOKEN in line for line in ours)


class TestMicrosoftsRuntime:
    __test__ = ASKED_FOR

    def test_it_answers_the_same(self, tmp_path: Path) -> None:
        given = settings(tmp_path)
        asyncio.run(self._told(tmp_path / "store"))
        asked = {"method": "POST", "body": json.dumps(review())}
        ended = driven(
            CHECKOUT,
            [
                {"function": "admission", "wake": {"request": asked, "route": {"cluster_token": token}}}
                for token in (TOKEN, "another")
            ],
            given,
        )
        assert [ended["failure"], *(one["failure"] for one in ended["ended"])] == [None] * 3
        (kind, found), (_, refused) = (one["returned"] for one in ended["ended"])
        assert (kind, found["status"], refused["status"]) == ("http", 200, 404)
        response = json.loads(found["text"])["response"]
        assert (response["uid"], response["allowed"], response["patchType"]) == ("uid-1", True, "JSONPatch")
        assert json.loads(base64.b64decode(response["patch"])) == PATCH

    async def _told(self, store: Path) -> None:
        ledger = SqliteLedger(store / "ledger.db", FakeClock())
        await surveyed(ledger, verdict())
        await ledger.close()
