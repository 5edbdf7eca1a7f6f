"""A survey and a run that reads Resource Manager judge alike, whatever the facts and however they come in pages."""

import asyncio
from functools import partial
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from governor.cloud.azure import AzureCloud, connect
from governor.core import ids, needs
from governor.core.cause import VirtualNetwork
from governor.core.estate import Estate
from governor.core.judged import judge
from governor.core.policy import Policies
from governor.core.sighting import Sheet
from governor.core.standing import Standing
from governor.core.verdict import Result, Verdict
from simulator.arm import Arm
from tests.core.world import AT, SUB, Body
from tests.properties import estates
from tests.support.clock import FakeClock
from tests.support.transport import InProcessTransport


@given(estates.azures(), estates.policies(), st.sampled_from([1, 1000]))
def test_a_survey_says_what_a_run_says(bodies: list[Body], policies: Policies, page: int) -> None:
    networks = [body["id"] for body in bodies if ids.kind(body["id"]) == ids.VIRTUAL_NETWORK]

    async def both() -> None:
        cloud = connected(bodies, page)
        surveyed = await surveying(cloud, policies)
        governed = [v for network in networks for v in judge(await run(cloud, network, policies), policies)]
        unheld = {place(v) for v in surveyed if "Resource Graph does not hold it" in v.seen}
        assert told(surveyed, unheld) == told(governed, unheld)
        assert {place(v) for v in surveyed} == {place(v) for v in governed}

    asyncio.run(both())


async def surveying(cloud: AzureCloud, policies: Policies) -> list[Verdict]:
    """All verdicts of a survey."""
    wanted = partial(needs.for_evidence, policies=policies)
    sheets = [part async for part in cloud.survey((SUB,), wanted) if isinstance(part, Sheet)]
    return [verdict for sheet in sheets for verdict in judge(sheet.estate, policies)]


async def run(cloud: AzureCloud, network: str, policies: Policies) -> Estate:
    """What a run sees: first what a repair needs, then the evidence."""
    scope = VirtualNetwork(network)
    seen = await cloud.observe(scope, partial(needs.for_repair, policies=policies, standing=Standing()))
    return await cloud.observe(scope, partial(needs.for_evidence, policies=policies), seen)


def place(verdict: Verdict) -> tuple[str, str]:
    return ids.key(verdict.resource), verdict.requirement


def told(verdicts: list[Verdict], but: set[tuple[str, str]]) -> dict[tuple[str, str], Any]:
    """Verdicts by place. Why something is Unknown may be said in other words: Graph never says that it is not there."""
    return {
        place(v): (v.result, v.policy) if v.result is Result.UNKNOWN else v for v in verdicts if place(v) not in but
    }


def connected(bodies: list[Body], page: int) -> AzureCloud:
    """Bodies that exist, and a Cloud to read them with."""
    clock = FakeClock(AT)
    groups = {"type": "Microsoft.Resources/resourceGroups"}
    estate = [groups | body if ids.kind(body["id"]) == ids.RESOURCE_GROUP else body for body in bodies]
    arm = Arm(clock, throttle="off", graph_page=page, estate=estate)
    return connect(clock, arm_endpoint="http://127.0.0.1:8443", transport=InProcessTransport(arm, clock=clock))
