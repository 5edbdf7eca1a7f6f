"""Routes and peerings: written once, with what others put there left alone."""

import asyncio
from collections.abc import Callable
from typing import Any

import msgspec
import pytest

from governor.cloud import versions
from governor.cloud.arm import Tuning
from governor.cloud.azure import connect
from governor.core.peering import DeletePeering, WritePeering
from governor.core.record import Became
from governor.core.routing import CreateRouteTable, DeleteRoute, RouteTo, WritePropagation, WriteRoute
from governor.core.step import Step
from governor.ports import Applied
from simulator.wire import Request, Response
from tests.cloud.hub_world import (
    CLOSED,
    DEFAULT,
    DELETES,
    HUB,
    NEW_TABLE,
    OF_OTHER,
    OLD,
    OPEN,
    OTHER,
    STEPS,
    TABLE,
    THEIRS,
    TO_HUB,
    TO_OTHER,
    TO_SPOKE,
    peering,
    put,
    remove,
    route_of,
    with_hub,
)
from tests.cloud.world import ENDPOINT, VNET, Azure
from tests.support.transport import InProcessTransport, Moment

EACH = pytest.mark.parametrize("step", STEPS.values(), ids=STEPS.keys())
FOREIGN = RouteTo("foreign", "10.7.0.0/16", "Internet")


def told(applied: Applied) -> tuple[Became, str]:
    return applied.outcome.became, applied.outcome.detail


def method(step: Step) -> str:
    return "DELETE" if isinstance(step, DELETES) else "PUT"


def writes(azure: Azure) -> list[Request]:
    return [request for request in azure.transport.requests if request.method != "GET"]


async def routes(azure: Azure, table: str = TABLE) -> dict[str, str]:
    """By name, where the routes of a table go."""
    body = await azure.body(table)
    return {
        one["name"]: one["properties"].get("nextHopIpAddress") or one["properties"]["nextHopType"]
        for one in body["properties"]["routes"]
    }


async def level(azure: Azure, side: str) -> tuple[str, str]:
    properties = (await azure.body(side))["properties"]
    return properties["peeringState"], properties["peeringSyncLevel"]


def meanwhile(azure: Azure, act: Callable[[], None]) -> None:
    """Somebody else acts between what we read and our first write."""

    def hook(moment: Moment, request: Request, _: Response | None) -> None:
        if moment == "before" and request.method != "GET" and len(writes(azure)) == 1:
            act()

    azure.transport.hooks.append(hook)


# ---- what is written --------------------------------------------------------------------------------------------


@EACH
async def test_each_step_and_again(step: Step) -> None:
    azure = with_hub()
    first, again = await azure.apply(step), await azure.apply(step)
    assert told(first) == (Became.DONE, "")
    assert told(again) == (Became.UNCHANGED, "")
    assert [(request.method, request.path) for request in writes(azure)] == [(method(step), step.target)]
    assert first.after == again.before == again.after
    # The generated client writes with the version that we read with.
    versions_used = {request.query["api-version"] for request in azure.transport.requests}
    assert versions_used == {versions.version(step.target)} == {versions.NETWORK}


@EACH
async def test_a_write_says_over_what_it_goes(step: Step) -> None:
    azure = with_hub()
    applied = await azure.apply(step)
    (sent,) = writes(azure)
    if applied.before is None:
        assert (sent.header("If-Match"), sent.header("If-None-Match")) == (None, "*")
    else:
        assert sent.header("If-Match") == msgspec.json.decode(applied.before)["etag"]
        assert sent.header("If-None-Match") is None


async def test_a_new_route_leaves_the_others_alone() -> None:
    azure = with_hub()
    assert told(await azure.apply(STEPS["new route"])) == (Became.DONE, "")
    assert await routes(azure) == {"default": "10.1.0.4", "old": "10.1.0.4", "theirs": "Internet"}


async def test_a_changed_route_forgets_its_appliance() -> None:
    azure = with_hub()
    assert told(await azure.apply(STEPS["changed route"])) == (Became.DONE, "")
    assert await routes(azure) == {"old": "Internet", "theirs": "Internet"}
    assert "nextHopIpAddress" not in (await azure.body(f"{TABLE}/routes/old"))["properties"]


async def test_propagation_is_written_with_everything_that_is_in_the_table() -> None:
    azure = with_hub()
    before = await azure.body(TABLE)
    assert told(await azure.apply(STEPS["propagation"])) == (Became.DONE, "")
    after = await azure.body(TABLE)
    assert after["tags"] == before["tags"] == {"kept": "yes"}
    assert after["properties"].pop("disableBgpRoutePropagation") is True
    assert before["properties"].pop("disableBgpRoutePropagation") is False
    for body in (before, after):
        for route in body["properties"]["routes"]:
            del route["etag"]
    assert after["properties"] == before["properties"]


async def test_both_sides_of_a_peering() -> None:
    azure = with_hub()
    assert told(await azure.apply(WritePeering(TO_SPOKE, VNET, OPEN))) == (Became.DONE, "")
    assert (await level(azure, TO_SPOKE))[0] == "Initiated"
    assert told(await azure.apply(WritePeering(TO_HUB, HUB, OPEN))) == (Became.DONE, "")
    for side in (TO_SPOKE, TO_HUB):
        assert await level(azure, side) == ("Connected", "FullyInSync")
        assert (await azure.body(side))["properties"]["allowForwardedTraffic"] is True


@pytest.mark.parametrize("step", ["new route", "new table"])
async def test_what_somebody_else_wrote_after_us_is_stale_and_no_failure(step: str) -> None:
    azure = with_hub(seconds=0)

    def hook(moment: Moment, request: Request, _: Response | None) -> None:
        if moment == "after" and request.method == "PUT":
            (other_route if step == "new route" else other_table)(azure)

    azure.transport.hooks.append(hook)
    became, detail = told(await azure.apply(STEPS[step]))
    assert became is Became.STALE
    assert ("is 0.0.0.0/0 -> Internet now" if step == "new route" else "has other routes") in detail


@pytest.mark.parametrize("to", [OPEN, CLOSED], ids=["flags too", "flags hold"])
async def test_a_side_that_is_behind_is_written_and_told_to_synchronise(to: Any) -> None:
    azure = with_hub(seconds=0)
    azure.edit(OTHER, lambda body: body["properties"]["addressSpace"]["addressPrefixes"].append("10.3.0.0/16"))
    assert await level(azure, TO_OTHER) == ("Connected", "LocalNotInSync")
    assert await level(azure, OF_OTHER) == ("Connected", "RemoteNotInSync")
    step = WritePeering(TO_OTHER, OTHER, to, CLOSED, sync=True)
    # Whose address space changed knows the other's: its side is not the one to be written.
    assert told(await azure.apply(WritePeering(OF_OTHER, HUB, CLOSED, CLOSED, sync=True))) == (Became.UNCHANGED, "")
    assert told(await azure.apply(step)) == (Became.DONE, "")
    (sent,) = writes(azure)
    assert sent.query["syncremoteaddressspace"] == "true"
    assert await level(azure, TO_OTHER) == await level(azure, OF_OTHER) == ("Connected", "FullyInSync")
    assert told(await azure.apply(step)) == (Became.UNCHANGED, "")


async def test_a_side_that_is_not_behind_is_not_told_to_synchronise() -> None:
    azure = with_hub()
    await azure.apply(STEPS["changed peering"])
    assert "syncremoteaddressspace" not in writes(azure)[0].query


async def test_a_side_whose_other_side_was_deleted_is_made_whole_again() -> None:
    azure = with_hub(seconds=0)
    remove(azure, OF_OTHER)
    azure.clock.advance(1)
    assert (await level(azure, TO_OTHER))[0] == "Disconnected"
    assert told(await azure.apply(WritePeering(OF_OTHER, HUB, CLOSED)))[1].startswith("RemotePeeringIsDisconnected")
    assert told(await azure.apply(WritePeering(TO_OTHER, OTHER, CLOSED, CLOSED))) == (Became.DONE, "")
    assert (await level(azure, TO_OTHER))[0] == "Initiated"
    assert told(await azure.apply(WritePeering(OF_OTHER, HUB, CLOSED))) == (Became.DONE, "")
    assert await level(azure, TO_OTHER) == await level(azure, OF_OTHER) == ("Connected", "FullyInSync")


async def test_a_side_that_stays_behind_is_failed() -> None:
    azure = with_hub(seconds=0)
    azure.edit(OTHER, lambda body: body["properties"]["addressSpace"]["addressPrefixes"].append("10.3.0.0/16"))
    still = Response(200, {}, msgspec.json.encode(await azure.body(TO_OTHER)))

    def hook(moment: Moment, request: Request, _: Response | None) -> Response | None:
        is_read = moment == "after" and request.method == "GET" and request.path == TO_OTHER
        return still if is_read and writes(azure) else None

    azure.transport.hooks.append(hook)
    became, detail = told(await azure.apply(WritePeering(TO_OTHER, OTHER, CLOSED, CLOSED, sync=True)))
    assert became is Became.FAILED
    assert detail == (
        'the write did not hold: properties.peeringSyncLevel should be "FullyInSync" and is "LocalNotInSync"'
    )


# ---- what is not written ----------------------------------------------------------------------------------------


def other_route(azure: Azure) -> None:
    put(azure, f"{TABLE}/routes/default", route_of(RouteTo("default", "0.0.0.0/0", "Internet")))


def old_is_another(azure: Azure) -> None:
    put(azure, f"{TABLE}/routes/old", route_of(RouteTo("old", OLD.prefix, "VirtualAppliance", "10.1.0.9")))


def other_table(azure: Azure) -> None:
    put(azure, NEW_TABLE, {"location": "westeurope", "properties": {"routes": [route_of(FOREIGN)]}})


def other_peering(azure: Azure) -> None:
    put(azure, TO_SPOKE, peering("to-spoke", OTHER))


def no_other_peering(azure: Azure) -> None:
    remove(azure, TO_OTHER)


def no_table(azure: Azure) -> None:
    remove(azure, TABLE)


def leads_elsewhere(azure: Azure) -> None:
    no_other_peering(azure)
    azure.clock.advance(1)
    put(azure, TO_OTHER, peering("to-other", VNET))


STALE: list[tuple[str, Callable[[Azure], None], str]] = [
    (
        "new route",
        other_route,
        "route default was absent when the plan was made and is 0.0.0.0/0 -> Internet now",
    ),
    (
        "changed route",
        old_is_another,
        "route old was 10.8.0.0/16 -> 10.1.0.4 when the plan was made and is 10.8.0.0/16 -> 10.1.0.9 now",
    ),
    (
        "route taken out",
        old_is_another,
        "route old was 10.8.0.0/16 -> 10.1.0.4 when the plan was made and is 10.8.0.0/16 -> 10.1.0.9 now",
    ),
    ("propagation", no_table, "the route table is gone"),
    ("new table", other_table, "a route table of this name has other routes"),
    ("changed peering", no_other_peering, "the peering is gone"),
    ("changed peering", leads_elsewhere, "a peering of this name leads to spoke"),
    ("peering taken away", leads_elsewhere, "a peering of this name leads to spoke"),
]


@pytest.mark.parametrize("when", ["before we read", "before we write"])
@pytest.mark.parametrize(("name", "act", "why"), STALE, ids=[f"{name}: {act.__name__}" for name, act, _ in STALE])
async def test_what_others_did_meanwhile_makes_a_step_stale(
    name: str, act: Callable[[Azure], None], why: str, when: str
) -> None:
    azure = with_hub(seconds=0)
    if when == "before we read":
        act(azure)
        azure.clock.advance(1)
    else:
        meanwhile(azure, lambda: act(azure))
    applied = await azure.apply(STEPS[name])
    assert told(applied) == (Became.STALE, why)
    assert applied.before == applied.after
    assert not any(each.method in ("PUT", "DELETE") and each.status < 300 for each in ours(azure))


def ours(azure: Azure) -> list[Any]:
    """What the simulator answered to our own writes, newest last."""
    asked = [(request.method, request.path) for request in writes(azure)]
    logged = [each for each in azure.arm.requests if (each.method, each.path) in asked]
    return logged[-len(asked) :] if asked else []


async def test_a_peering_that_already_leads_elsewhere_is_stale() -> None:
    azure = with_hub()
    step = WritePeering(TO_OTHER, VNET, OPEN)
    assert told(await azure.apply(step)) == (Became.STALE, "a peering of this name leads to other")
    assert writes(azure) == []


async def test_what_is_gone_already_is_not_deleted_again() -> None:
    azure = with_hub()
    for step in (DeleteRoute(f"{TABLE}/routes/never", DEFAULT), DeletePeering(TO_SPOKE, VNET)):
        assert told(await azure.apply(step)) == (Became.UNCHANGED, "")
    assert writes(azure) == []


# ---- what others write meanwhile --------------------------------------------------------------------------------


@pytest.mark.parametrize("name", ["new route", "changed route", "route taken out", "propagation"])
async def test_a_foreign_route_survives(name: str) -> None:
    azure = with_hub(seconds=0)
    meanwhile(azure, lambda: put(azure, f"{TABLE}/routes/foreign", route_of(FOREIGN)))
    assert told(await azure.apply(STEPS[name])) == (Became.DONE, "")
    # Over a table that has changed nothing is written before it is read again; a new route goes over nothing.
    assert [answer.status >= 400 for answer in ours(azure)] == ([False] if name == "new route" else [True, False])
    left = await routes(azure)
    assert left["foreign"] == left["theirs"] == "Internet"


async def test_a_foreign_route_put_over_a_route_of_ours_is_not_written_over() -> None:
    azure = with_hub(seconds=0)
    meanwhile(azure, lambda: other_route(azure))
    assert told(await azure.apply(STEPS["new route"]))[0] is Became.STALE
    assert (await routes(azure))["default"] == "Internet"


async def test_a_table_made_meanwhile_keeps_its_routes() -> None:
    azure = with_hub(seconds=0)
    meanwhile(azure, lambda: other_table(azure))
    assert told(await azure.apply(STEPS["new table"]))[0] is Became.STALE
    assert await routes(azure, NEW_TABLE) == {"foreign": "Internet"}


async def test_a_table_made_meanwhile_with_the_same_routes_is_taken() -> None:
    azure = with_hub(seconds=0)
    same = {"location": "westeurope", "properties": {"routes": [route_of(DEFAULT), route_of(THEIRS)]}}
    meanwhile(azure, lambda: put(azure, NEW_TABLE, same))
    assert told(await azure.apply(STEPS["new table"])) == (Became.UNCHANGED, "")
    assert [answer.status for answer in ours(azure)] == [412]


@pytest.mark.parametrize("seed", range(10))
@pytest.mark.parametrize("busy", ["conflict", "retryable"])
async def test_two_writers_of_one_hub_both_get_their_peering(seed: int, busy: Any) -> None:
    azure = with_hub(seconds=4, busy=busy)

    async def write(number: int, step: Step) -> Applied:
        transport = InProcessTransport(azure.arm, clock=azure.clock, seed=seed * 10 + number, turns=3, latency=(0, 0.4))
        cloud = connect(azure.clock, arm_endpoint=ENDPOINT, transport=transport, tuning=Tuning(seed=number))
        return await cloud.apply("d", step, azure.renew)

    found = await asyncio.gather(
        write(1, WritePeering(TO_SPOKE, VNET, OPEN)),
        write(2, WritePeering(TO_OTHER, OTHER, OPEN, CLOSED)),
        write(3, WritePeering(TO_HUB, HUB, OPEN)),
    )
    assert [told(each) for each in found] == [(Became.DONE, "")] * 3
    for side in (TO_SPOKE, TO_OTHER):
        assert (await azure.body(side))["properties"]["allowForwardedTraffic"] is True
    assert await level(azure, TO_SPOKE) == await level(azure, TO_HUB) == ("Connected", "FullyInSync")


# ---- what hinders a write ---------------------------------------------------------------------------------------


@EACH
@pytest.mark.parametrize("seconds", [0, 5])
async def test_a_write_whose_answer_was_lost_is_not_written_twice(step: Step, seconds: float) -> None:
    azure = with_hub(seconds=seconds)
    azure.strikes(method(step), ".*", drop="after")
    assert told(await azure.apply(step)) == (Became.DONE, "")
    assert len(writes(azure)) == 1


@EACH
async def test_a_write_that_was_lost_on_the_way_is_sent_again(step: Step) -> None:
    azure = with_hub()
    azure.strikes(method(step), ".*", drop="before")
    assert told(await azure.apply(step)) == (Became.DONE, "")
    assert len(writes(azure)) == 2


# Somebody else's writes of what holds a route or a peering, or of the network that a peering leads to.
BUSY: dict[str, Callable[[dict[str, Any]], None]] = {
    f"{TABLE}/routes/theirs": lambda body: body["properties"].update(addressPrefix="10.9.0.0/17"),
    f"{HUB}/subnets/GatewaySubnet": lambda body: body["properties"].update(defaultOutboundAccess=False),
    VNET: lambda body: body.update(tags={"more": "yes"}),
}


@pytest.mark.parametrize(
    ("name", "busy"),
    [
        ("new route", f"{TABLE}/routes/theirs"),
        ("changed route", f"{TABLE}/routes/theirs"),
        ("route taken out", f"{TABLE}/routes/theirs"),
        ("new peering", f"{HUB}/subnets/GatewaySubnet"),
        ("changed peering", f"{HUB}/subnets/GatewaySubnet"),
        ("peering taken away", f"{HUB}/subnets/GatewaySubnet"),
        ("new peering", VNET),
    ],
)
@pytest.mark.parametrize(("deadline", "became"), [(300, Became.DONE), (10, Became.PENDING)])
async def test_what_is_being_written_is_waited_for(name: str, busy: str, deadline: float, became: Became) -> None:
    azure = with_hub(seconds=20, deadline=deadline)
    azure.edit(busy, BUSY[busy])
    applied = await azure.apply(STEPS[name])
    assert applied.outcome.became is became, applied.outcome.detail
    assert azure.renewals == len(azure.clock.slept)


async def test_a_table_that_is_being_written_is_left_to_a_later_run() -> None:
    azure = with_hub(seconds=20)
    put(azure, f"{TABLE}/routes/foreign", route_of(FOREIGN))
    assert told(await azure.apply(STEPS["propagation"])) == (Became.PENDING, "rt is Updating")
    assert writes(azure) == []


async def test_what_is_not_finished_in_time_is_pending_and_found_done_later() -> None:
    for step in STEPS.values():
        azure = with_hub(seconds=100, deadline=30)
        assert told(await azure.apply(step)) == (Became.PENDING, "not finished after 30 s")
        azure.clock.advance(100)
        assert told(await azure.apply(step)) == (Became.UNCHANGED, "")


@pytest.mark.parametrize(
    ("step", "code"),
    [
        (WriteRoute(f"{TABLE}/routes/default", RouteTo("default", "nonsense 1", "Internet")), "InvalidAddressPrefix"),
        (WriteRoute(f"{TABLE}/routes/twin", RouteTo("twin", OLD.prefix, "Internet")), "RouteConflict"),
        (WritePeering(f"{VNET}/virtualNetworkPeerings/x", VNET, OPEN), "PeeringCannotReferenceItsOwnVirtualNetwork"),
        (WritePeering(TO_SPOKE, f"{VNET}-gone", OPEN), "InvalidResourceReference"),
        (
            CreateRouteTable(NEW_TABLE, "westeurope", routes=(DEFAULT, RouteTo("b", "0.0.0.0/0", "None"))),
            "RouteConflict",
        ),
    ],
    ids=["no prefix", "prefix twice", "itself", "network gone", "prefix twice in a new table"],
)
async def test_what_azure_refuses_is_failed(step: Step, code: str) -> None:
    azure = with_hub()
    became, detail = told(await azure.apply(step))
    assert became is Became.FAILED
    assert detail.startswith(code)
    assert len(writes(azure)) == 1


async def test_a_peering_without_permission_on_the_other_network_says_what_is_missing() -> None:
    azure = with_hub()
    message = (
        "The client has permission to perform action 'Microsoft.Network/virtualNetworks/virtualNetworkPeerings/write' "
        f"on scope '{TO_HUB}', however, it does not have permission to perform action(s) "
        f"'Microsoft.Network/virtualNetworks/peer/action' on the linked scope(s) '{HUB}' (respectively)"
    )
    azure.strikes("PUT", "virtualNetworkPeerings", status=403, code="LinkedAuthorizationFailed", message=message)
    assert told(await azure.apply(WritePeering(TO_HUB, HUB, OPEN))) == (
        Became.FAILED,
        f"no permission for Microsoft.Network/virtualNetworks/peer/action on {HUB} (LinkedAuthorizationFailed)",
    )


async def test_a_peering_that_failed_can_still_be_taken_away() -> None:
    azure = with_hub(seconds=0)
    body = await azure.body(TO_OTHER)
    body["properties"]["provisioningState"] = "Failed"
    failed = Response(200, {}, msgspec.json.encode(body))

    def hook(moment: Moment, request: Request, _: Response | None) -> Response | None:
        is_read = moment == "after" and request.method == "GET" and request.path == TO_OTHER
        return failed if is_read and not writes(azure) else None

    azure.transport.hooks.append(hook)
    assert told(await azure.apply(WritePeering(TO_OTHER, OTHER, OPEN, CLOSED))) == (
        Became.PENDING,
        "to-other is Failed",
    )
    assert told(await azure.apply(DeletePeering(TO_OTHER, OTHER))) == (Became.DONE, "")


async def test_propagation_that_others_changed_along_is_not_written_twice() -> None:
    azure = with_hub(seconds=0)

    def disable(body: dict[str, Any]) -> None:
        body["properties"]["disableBgpRoutePropagation"] = True

    meanwhile(azure, lambda: azure.edit(TABLE, disable))
    assert told(await azure.apply(WritePropagation(TABLE, disabled=True, was=False))) == (Became.UNCHANGED, "")
    assert [answer.status for answer in ours(azure)] == [412]
