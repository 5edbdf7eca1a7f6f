"""The simulator's own paths under /simulator: a request in, what was asked of the simulator itself out."""

from __future__ import annotations

from typing import TYPE_CHECKING

import msgspec

from simulator.clock import AdjustableClock
from simulator.deliveries import DeadLetter
from simulator.estates import Estate
from simulator.events import precise
from simulator.faults import faults_in
from simulator.wire import Body, Request, Response, answer

if TYPE_CHECKING:
    from simulator.arm import Arm


class Advance(msgspec.Struct):
    """What POST /simulator/clock says."""

    advance: float


def answered(arm: Arm, request: Request, path: list[str]) -> Response:
    """A path below /simulator in, its answer out; 404 for what is none."""
    try:
        match request.method, path:
            case "POST", ["reset"]:
                arm.reset()
                return answer(200, {})
            case "GET", ["requests"]:
                return answer(200, arm.requests)
            case "GET", ["clock"]:
                return _clock(arm)
            case "POST", ["clock"]:
                if not isinstance(arm.clock, AdjustableClock):
                    return _refused("this clock cannot be advanced")
                arm.clock.advance(msgspec.json.decode(request.body, type=Advance).advance)
                arm.settle()
                return _clock(arm)
            case "GET", ["estate"]:
                return answer(200, arm.export())
            case "POST", ["estate"]:
                estate: Estate = msgspec.json.decode(request.body)
                arm.load(estate)
                return answer(200, {})
            case "POST", ["faults"]:
                arm.faults += faults_in(msgspec.json.decode(request.body))
                return answer(200, {})
            case "GET", ["faults"]:
                return answer(200, [fault for fault in arm.faults if fault.count != 0])
            case "DELETE", ["faults"]:
                arm.faults.clear()
                return answer(200, {})
            case "GET", ["topics", name]:
                return answer(200, arm.published(name))
            case "GET", ["deadletters"]:
                return answer(200, [_dead_letter(letter) for letter in arm.dead_letters()])
            case _:
                return answer(
                    404, {"error": {"code": "NotFound", "message": "There is no such path below /simulator."}}
                )
    except (msgspec.DecodeError, ValueError, RecursionError) as problem:
        return _refused(str(problem))


def _dead_letter(letter: DeadLetter) -> Body:
    return {
        "container": letter.container,
        "eventSubscription": letter.subscription,
        "written": precise(letter.written),
        "event": letter.event,
    }


def _clock(arm: Arm) -> Response:
    return answer(200, {"now": arm.clock.now().isoformat().replace("+00:00", "Z")})


def _refused(why: str) -> Response:
    return answer(400, {"error": {"code": "BadRequest", "message": why}})
