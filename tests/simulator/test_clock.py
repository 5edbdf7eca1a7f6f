"""Clocks that are moved: forward, and no further than what is due later can be told."""

import json

import pytest

from simulator.arm import AdjustableClock, Arm, ManualClock, Request, SystemClock

TEN_YEARS = 3650 * 86_400


def moved(arm: Arm, seconds: float) -> int:
    """Seconds in, the status of POST /simulator/clock out."""
    return arm.handle(Request("POST", "/simulator/clock", {}, json.dumps({"advance": seconds}).encode())).status


@pytest.mark.parametrize("seconds", [-1, 1e300, 20 * 366 * 86_400])
def test_a_step_back_or_too_far_is_refused(seconds: float) -> None:
    clock = ManualClock()
    before = clock.now()
    assert (moved(Arm(clock), seconds), clock.now()) == (400, before)


@pytest.mark.parametrize("clock", [ManualClock(), SystemClock()])
def test_many_steps_end_before_time_does(clock: AdjustableClock) -> None:
    arm = Arm(clock)
    assert [moved(arm, TEN_YEARS) for _ in range(1000)][-1] == 400
    assert arm.handle(Request("GET", "/simulator/clock")).json()["now"] < "9000"
