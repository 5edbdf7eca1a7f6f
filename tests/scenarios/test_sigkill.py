"""The same with real processes and a real SIGKILL: what dies between two writes is taken over."""

import asyncio
import sys
from pathlib import Path

import pytest

from governor.core import ids
from governor.core.record import Became
from governor.local.clock import SystemClock
from governor.local.ledger import SqliteLedger
from simulator.arm import Arm
from simulator.clock import SystemClock as SimulatorClock
from simulator.server import serve
from tests.scenarios.world import REGION, SUB, gateway, subnet, vnet, vnet_body

CHECKOUT = Path(__file__).parents[2]


async def process(*arguments: str) -> tuple[int, str, str]:
    """A governor's process to its end: its exit code and what it said."""
    child = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "tests.scenarios.dying", *arguments, cwd=CHECKOUT, stdout=-1, stderr=-1
    )
    out, err = await child.communicate()
    return child.returncode or 0, out.decode(), err.decode()


@pytest.mark.parametrize(
    ("point", "times", "interrupted"),
    [
        ("after ledger.intend", 1, 1),
        (f"PUT Microsoft.Network/natGateways/{ids.name(gateway('spoke-1'))}", 1, 1),
        ("before ledger.end", 1, 0),
    ],
)
async def test_a_process_killed_with_sigkill_is_taken_over(
    tmp_path: Path, point: str, times: int, interrupted: int
) -> None:
    arm = Arm(SimulatorClock(), throttle="off")
    body = vnet_body(("app", "10.0.1.0/24"))
    arm.load(
        [
            {"id": f"/subscriptions/{SUB}/resourceGroups/rg-net", "type": "Microsoft.Resources/resourceGroups"},
            {"id": vnet("spoke-1"), "name": "spoke-1", "type": "Microsoft.Network/virtualNetworks"} | body,
        ]
    )
    server = await serve(arm)
    endpoint = f"http://127.0.0.1:{server.port}"
    try:
        died, said, _ = await process(str(tmp_path), endpoint, vnet("spoke-1"), point, str(times))
        assert died == -9, said
        ended, _, trouble = await process(str(tmp_path), endpoint, vnet("spoke-1"))
        assert ended == 0, trouble
    finally:
        await server.close()
    found = {body["id"]: body for body in arm.export()}
    attached = {
        s["name"]: ids.name(s["properties"]["natGateway"]["id"])
        for s in found[vnet("spoke-1")]["properties"]["subnets"]
    }
    assert attached == {"app": "ng-spoke-1"}
    assert found[vnet("spoke-1")]["location"] == REGION
    ledger = SqliteLedger(tmp_path / "ledger.db", SystemClock())
    records = (await ledger.records()).records
    outcomes = [o for r in records for o in r.outcomes]
    assert len([o for o in outcomes if o.became is Became.INTERRUPTED]) == interrupted
    written = {ids.key(r.path) for r in arm.requests if r.method == "PUT"}
    assert written == {ids.key(o.step.target) for o in outcomes} >= {ids.key(subnet("spoke-1", "app"))}
    await ledger.close()
