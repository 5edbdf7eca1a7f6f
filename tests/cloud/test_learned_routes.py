"""What a gateway has learned is asked for once, waited for, and never guessed."""

from typing import Any

import pytest

from governor.core import estate as estates
from governor.core import facts, ids
from governor.core.cause import VirtualNetwork
from governor.core.estate import Estate, Gap
from governor.core.needs import Needs
from governor.ports import Transient
from simulator.wire import Request, Response
from tests.cloud.hub_world import GATEWAY, HUB, with_hub
from tests.cloud.world import VNET, Azure
from tests.support.transport import Moment

NAME = estates.learned_routes(GATEWAY)
LEARNED = ids.learned_routes(GATEWAY)


async def observed(azure: Azure, name: str = NAME) -> Estate:
    return await azure.cloud.observe(VirtualNetwork(VNET), lambda _: Needs(lists=(name,)))


def asked(azure: Azure) -> list[str]:
    """What was asked of the gateway, without the read of the network."""
    return [request.method for request in azure.transport.requests if request.path != VNET]


async def test_what_was_learned_is_a_fact() -> None:
    azure = with_hub()
    seen = await observed(azure)
    learned = seen.find(LEARNED, facts.LearnedRoutes)
    assert isinstance(learned, facts.LearnedRoutes)
    assert [(route.network, route.next_hop, route.origin) for route in learned.value] == [
        ("10.1.0.0/16", "", "Network"),
        ("0.0.0.0/0", "10.99.0.1", "EBgp"),
    ]
    assert seen.has_listed(NAME)
    assert seen.gaps == ()


async def test_it_costs_the_question_and_its_polls() -> None:
    azure = with_hub(seconds=12, retry_after={"action": 7})
    await observed(azure)
    post, *polls = [request for request in azure.transport.requests if request.path != VNET]
    assert (post.method, ids.key(post.path)) == ("POST", ids.key(f"{GATEWAY}/getLearnedRoutes"))
    assert [poll.method for poll in polls] == ["GET"] * 3
    assert all("/operationResults/" in poll.path for poll in polls)
    assert azure.clock.slept == [7.0, 3.0, 4.5]


async def test_many_spokes_ask_once_in_ten_seconds() -> None:
    azure = with_hub(seconds=4)
    first = await observed(azure)
    questions = len(asked(azure))
    again = await azure.cloud.observe(VirtualNetwork(HUB), lambda _: Needs(lists=(NAME,)))
    assert again.find(LEARNED, facts.LearnedRoutes) == first.find(LEARNED, facts.LearnedRoutes)
    assert asked(azure).count("POST") == 1
    azure.clock.advance(10)
    await observed(azure)
    assert asked(azure).count("POST") == 2
    assert questions < len(asked(azure))


async def test_a_gateway_that_is_gone_has_learned_nothing() -> None:
    azure = with_hub()
    gone = estates.learned_routes(f"{GATEWAY}-gone")
    seen = await observed(azure, gone)
    assert seen.has_listed(gone)
    assert seen.all(facts.LearnedRoutes) == []
    assert seen.gaps == ()


@pytest.mark.parametrize(
    ("fault", "why"),
    [
        ({"status": 403, "code": "AuthorizationFailed", "message": "no"}, "AuthorizationFailed: no"),
        ({"status": 400, "code": "VirtualNetworkGatewayNotProvisioned", "message": "no"}, None),
        ({"status": 409, "code": "ScopeLocked", "message": "no"}, "ScopeLocked: no"),
        ({"status": 202, "body": {}}, "Azure does not say where it will answer"),
        ({"status": 200, "body": {}}, "what vpn answers to getLearnedRoutes is no list: Object missing required"),
        ({"status": 200, "body": []}, "what vpn answers to getLearnedRoutes is no list: Expected `object`"),
    ],
    ids=str,
)
async def test_what_azure_does_not_tell_is_a_gap(fault: dict[str, Any], why: str | None) -> None:
    azure = with_hub()
    azure.strikes("POST", "getLearnedRoutes", **fault)
    seen = await observed(azure)
    assert seen.find(LEARNED, facts.LearnedRoutes) is None
    assert not seen.has_listed(NAME)
    (gap,) = seen.gaps
    assert gap.about == NAME
    assert gap.why.startswith(why or f"{fault['code']}: no")
    assert asked(azure) == ["POST"]


async def test_an_answer_that_comes_as_an_error_is_a_gap() -> None:
    azure = with_hub()
    azure.strikes("GET", "/operationResults/", status=400, code="GatewayBroken", message="no")
    assert (await observed(azure)).gaps == (Gap(NAME, "GatewayBroken: no"),)


async def test_a_list_that_cannot_be_understood_is_a_gap_about_the_routes() -> None:
    azure = with_hub()
    azure.strikes("POST", "getLearnedRoutes", status=200, body={"value": {"no": "list"}})
    (gap,) = (await observed(azure)).gaps
    assert gap.about == ids.key(LEARNED)
    assert gap.why.startswith("its body cannot be understood: ")


async def test_only_a_virtual_network_gateway_is_asked() -> None:
    azure = with_hub()
    for other in (VNET, f"{VNET}/subnets/work", "nonsense"):
        name = estates.learned_routes(other)
        (gap,) = (await observed(azure, name)).gaps
        assert gap.about == name
        assert gap.why.endswith("is no virtual network gateway and cannot be asked what it learned")
    assert asked(azure) == []


async def test_a_busy_gateway_is_asked_again_and_then_by_a_later_run() -> None:
    azure = with_hub()
    azure.strikes("POST", "getLearnedRoutes", count=2, status=429, code="RetryableErrorDueToAnotherOperation")
    assert (await observed(azure)).gaps == ()
    assert asked(azure).count("POST") == 3

    azure = with_hub(patience=30)
    azure.strikes("POST", "getLearnedRoutes", count=None, status=409, code="AnotherOperationInProgress", message="busy")
    with pytest.raises(Transient, match="AnotherOperationInProgress: busy"):
        await observed(azure)


async def test_a_gateway_that_is_too_slow_is_asked_by_a_later_run() -> None:
    azure = with_hub(seconds=200)
    with pytest.raises(Transient, match="vpn has not answered getLearnedRoutes within 90 s"):
        await observed(azure)
    assert sum(azure.clock.slept) <= 90


async def test_a_poll_that_fails_for_now_is_repeated() -> None:
    azure = with_hub(patience=0)
    azure.strikes("GET", "/operationResults/", count=3, status=503)
    assert (await observed(azure)).gaps == ()


async def test_an_answer_that_comes_at_once_is_taken() -> None:
    azure = with_hub()
    told = Response(200, {}, b'{"value": [{"network": "10.0.0.0/8", "unknown": {"x": 1}}]}')

    def hook(moment: Moment, request: Request, _: Response | None) -> Response | None:
        return told if moment == "before" and request.method == "POST" else None

    azure.transport.hooks.append(hook)
    learned = (await observed(azure)).find(LEARNED, facts.LearnedRoutes)
    assert learned == facts.LearnedRoutes(ids.key(GATEWAY) + "/learnedRoutes/all", (facts.LearnedRoute("10.0.0.0/8"),))
    assert asked(azure) == ["POST"]
