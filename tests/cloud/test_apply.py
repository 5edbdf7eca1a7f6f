"""One step: it is written once, or said why not; and nothing but what it means to change is changed."""

import re
from collections.abc import Mapping
from typing import Any

import msgspec
import pytest

from governor.cloud import versions
from governor.core import ids
from governor.core.record import Became
from governor.core.step import (
    Attachment,
    CreateNatGateway,
    CreatePublicIp,
    CreatePublicIpPrefix,
    CreateResourceGroup,
    CreateRouteTable,
    DeleteNatGateway,
    Step,
    WriteSubnet,
)
from governor.ports import Applied, Lost
from simulator.wire import Request, Response
from tests.cloud.world import ADDRESS, ATTACH, GATEWAY, GROUP, SUBNET, SUBNET_PROPERTIES, SUBSCRIPTION, VNET, Azure
from tests.support.transport import Hook, Moment, lost

NEW = ids.network(SUBSCRIPTION, "rg", "natGateways", "new")
TABLE = ids.network(SUBSCRIPTION, "rg", "routeTables", "nowhere")
PREFIX = ids.network(SUBSCRIPTION, "rg", "publicIPPrefixes", "range")
CREATE = CreateNatGateway(NEW, "westeurope", "Standard", public_ip_prefixes=(PREFIX,), tags={"by": "governor"})


def told(applied: Applied) -> tuple[Became, str]:
    return applied.outcome.became, applied.outcome.detail


def answering(pattern: str, method: str, response: Response) -> Hook:
    """A pattern of paths and a method in, a hook that puts this response in the place of the simulator's out."""

    def hook(moment: Moment, request: Request, _: Response | None) -> Response | None:
        matches = moment == "after" and request.method == method and re.search(pattern, request.path)
        return response if matches else None

    return hook


def without(*headers: str, method: str = "PUT", adding: Mapping[str, str] | None = None) -> Hook:
    """Headers in, a hook that takes them out of the answers to a method (and puts others in) out."""

    def hook(moment: Moment, request: Request, response: Response | None) -> Response | None:
        if moment == "before" or request.method != method or response is None:
            return None
        kept = {name: value for name, value in response.headers.items() if name not in headers}
        return Response(response.status, {**kept, **(adding or {})}, response.body)

    return hook


# ---- what is written --------------------------------------------------------------------------------------------


async def test_attaching_a_gateway() -> None:
    azure = Azure()
    before = await azure.body(SUBNET)
    applied = await azure.apply(ATTACH)
    assert told(applied) == (Became.DONE, "")
    assert (applied.outcome.remediation, applied.outcome.step) == ("d1", ATTACH)
    assert applied.outcome.started is not None
    assert applied.outcome.finished is not None
    assert (applied.outcome.finished - applied.outcome.started).total_seconds() == 5
    assert applied.before is not None
    assert applied.after is not None
    assert msgspec.json.decode(applied.before) == before
    after = msgspec.json.decode(applied.after)
    assert after == await azure.body(SUBNET)
    assert ids.same(after["properties"].pop("natGateway")["id"], GATEWAY)
    # A member nobody knows, the guard, the endpoints, the delegation: all of them are still there.
    assert SUBNET_PROPERTIES.items() <= after["properties"].items()
    assert after["properties"] == before["properties"]


async def test_what_is_sent() -> None:
    azure = Azure()
    before = await azure.body(SUBNET)
    await azure.apply(ATTACH)
    sent = next(request for request in azure.transport.requests if request.method == "PUT")
    assert sent.header("If-Match") == before["etag"]
    assert sent.header("User-Agent") == "egress-governor/0.1.0"
    body = msgspec.json.decode(sent.body)
    assert "etag" not in body
    assert "provisioningState" not in body["properties"]
    assert "ipConfigurations" not in body["properties"]
    assert body["properties"] == {**SUBNET_PROPERTIES, "natGateway": {"id": GATEWAY}}
    # The generated client writes with the version that we read with: one older would lose members.
    assert {request.query["api-version"] for request in azure.transport.requests} == {versions.NETWORK}


async def test_a_write_costs_two_reads_of_the_resource_and_the_polls() -> None:
    azure = Azure(seconds=0)
    await azure.apply(ATTACH)
    assert [request.method for request in azure.arm.requests] == ["GET", "PUT", "GET", "GET"]
    assert "/operations/" in azure.transport.requests[2].path


async def test_detaching_and_making_private() -> None:
    azure = Azure()
    await azure.apply(ATTACH)
    back = WriteSubnet(
        SUBNET,
        to=Attachment(nat_gateway=None, default_outbound_access=True),
        was=Attachment(nat_gateway=GATEWAY, default_outbound_access=False),
    )
    assert told(await azure.apply(back)) == (Became.DONE, "")
    properties = (await azure.body(SUBNET))["properties"]
    assert "natGateway" not in properties
    assert properties["defaultOutboundAccess"] is True


@pytest.mark.parametrize(
    "step",
    [
        CreateResourceGroup(ids.group(SUBSCRIPTION, "new"), "westeurope", {"by": "governor"}),
        CreatePublicIp(ids.network(SUBSCRIPTION, "rg", "publicIPAddresses", "n"), "westeurope", "Standard", ("1",)),
        CreatePublicIpPrefix(PREFIX, "West Europe", "Standard", 30),
        CreateNatGateway(NEW, "westeurope", "Standard", tags={"by": "governor"}),
        CreateRouteTable(TABLE, "westeurope"),
        DeleteNatGateway(GATEWAY),
    ],
    ids=lambda step: type(step).__name__,
)
async def test_every_other_step_and_again(step: Step) -> None:
    azure = Azure()
    first, again = await azure.apply(step), await azure.apply(step)
    assert told(first) == (Became.DONE, "")
    assert told(again) == (Became.UNCHANGED, "")
    assert [request.method for request in azure.transport.requests if request.method != "GET"] == [
        "DELETE" if isinstance(step, DeleteNatGateway) else "PUT"
    ]
    # The generated client writes with the version that we read with.
    assert {r.query["api-version"] for r in azure.transport.requests} == {versions.version(step.target)}
    assert (first.before is None) != (first.after is None)
    assert first.after == again.before == again.after


# ---- what is not written ----------------------------------------------------------------------------------------


async def test_what_holds_is_not_written() -> None:
    azure = Azure()
    await azure.apply(ATTACH)
    assert told(await azure.apply(ATTACH)) == (Became.UNCHANGED, "")
    assert len(azure.transport.of("PUT")) == 1


async def test_another_gateway_meanwhile_is_stale() -> None:
    azure = Azure(seconds=0)
    assert told(await azure.apply(CreateNatGateway(NEW, "westeurope", "Standard")))[0] is Became.DONE
    azure.edit(SUBNET, lambda body: body["properties"].update(natGateway={"id": NEW}))
    applied = await azure.apply(ATTACH)
    assert told(applied) == (Became.STALE, "nat_gateway was absent when the plan was made and is new now")
    assert azure.transport.of("PUT") == [NEW]


async def test_a_subnet_that_is_gone_is_stale() -> None:
    azure = Azure()
    gone = WriteSubnet(SUBNET + "-gone", ATTACH.to, ATTACH.was)
    applied = await azure.apply(gone)
    assert told(applied) == (Became.STALE, "the subnet is gone")
    assert (applied.before, applied.after) == (None, None)


async def test_a_network_that_is_gone_while_we_write_is_stale() -> None:
    azure = Azure()
    azure.strikes("PUT", "subnets", status=404, code="ParentResourceNotFound", message="gone")
    assert told(await azure.apply(ATTACH)) == (Became.STALE, "ParentResourceNotFound: gone")


async def test_an_updating_subnet_is_left_alone() -> None:
    azure = Azure()
    azure.edit(SUBNET, lambda body: body["properties"].update(defaultOutboundAccess=True))
    assert told(await azure.apply(ATTACH)) == (Became.PENDING, "work is Updating")
    assert azure.transport.of("PUT") == []


async def test_what_is_being_created_is_waited_for_by_a_later_run() -> None:
    azure = Azure(seconds=100, deadline=10)
    create = CreateRouteTable(TABLE, "westeurope")
    assert told(await azure.apply(create)) == (Became.PENDING, "not finished after 10 s")
    assert told(await azure.apply(create)) == (Became.PENDING, "nowhere is Updating")
    azure.clock.advance(100)
    assert told(await azure.apply(create)) == (Became.UNCHANGED, "")


def writing_first(azure: Azure, times: int, **members: Any) -> Hook:
    """Somebody else, who is faster so many times, in; the hook that lets them out."""

    def interfere(moment: Moment, request: Request, _: Response | None) -> None:
        if moment == "before" and request.method == "PUT" and len(azure.transport.of("PUT")) <= times:
            azure.edit(SUBNET, lambda body: body["properties"].update(members, more=len(azure.transport.of("PUT"))))

    return interfere


async def test_somebody_else_wrote_something_else_first() -> None:
    azure = Azure(seconds=0)
    azure.transport.hooks.append(writing_first(azure, 2, defaultOutboundAccess=True))
    assert told(await azure.apply(ATTACH)) == (Became.DONE, "")
    properties = (await azure.body(SUBNET))["properties"]
    assert (properties["defaultOutboundAccess"], properties["more"]) == (True, 2)
    assert len(azure.transport.of("PUT")) == 3


async def test_somebody_else_wrote_the_same_member_first() -> None:
    azure = Azure(seconds=0)
    await azure.apply(CreateNatGateway(NEW, "westeurope", "Standard"))
    azure.transport.hooks.append(writing_first(azure, 9, natGateway={"id": NEW}))
    became, detail = told(await azure.apply(ATTACH))
    assert (became, detail) == (Became.STALE, "nat_gateway was absent when the plan was made and is new now")
    assert ids.same((await azure.body(SUBNET))["properties"]["natGateway"]["id"], NEW)


async def test_somebody_else_who_does_not_stop_writing_wins() -> None:
    azure = Azure(seconds=0)
    azure.transport.hooks.append(writing_first(azure, 99))
    became, detail = told(await azure.apply(ATTACH))
    assert became is Became.STALE
    assert detail.startswith("PreconditionFailed")


@pytest.mark.parametrize(
    ("status", "code", "message", "detail"),
    [
        (
            403,
            "LinkedAuthorizationFailed",
            "it has no permission to perform action(s) 'natGateways/join/action' on the linked scope(s) '/g' (re",
            "no permission for natGateways/join/action on /g (LinkedAuthorizationFailed)",
        ),
        (
            409,
            "ScopeLocked",
            "The scope '/s' cannot perform write operation because following scope(s) are locked: '/rg'. Please",
            "a lock on /rg forbids every write (ScopeLocked)",
        ),
        (400, "SubnetWithNatGatewayAndBasicSkuResourceNotAllowed", "no", None),
    ],
)
async def test_what_azure_refuses_is_failed(status: int, code: str, message: str, detail: str | None) -> None:
    azure = Azure()
    azure.strikes("PUT", "subnets", status=status, code=code, message=message)
    assert told(await azure.apply(ATTACH)) == (Became.FAILED, detail or f"{code}: {message}")
    assert len(azure.transport.of("PUT")) == 1


async def test_a_gateway_in_use_is_not_deleted() -> None:
    azure = Azure()
    await azure.apply(ATTACH)
    became, detail = told(await azure.apply(DeleteNatGateway(GATEWAY)))
    assert became is Became.FAILED
    assert "CannotDeleteNatGatewayAssociatedToSubnet" in detail or "InUseNatGateway" in detail


# ---- what hinders a write ---------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "fault",
    [
        {"status": 429, "code": "SubscriptionRequestsThrottled", "retry_after": 30},
        {"status": 429, "code": "SubscriptionRequestsThrottled"},
        {"status": 409, "code": "AnotherOperationInProgress"},
        {"status": 500},
        {"status": 503, "retry_after": 5},
        {"drop": "before"},
    ],
    ids=str,
)
@pytest.mark.parametrize("step", [ATTACH, DeleteNatGateway(GATEWAY)], ids=lambda step: type(step).__name__)
async def test_a_hindered_write_is_tried_again(fault: dict[str, Any], step: Step) -> None:
    azure = Azure()
    method = "DELETE" if isinstance(step, DeleteNatGateway) else "PUT"
    azure.strikes(method, ".*", count=2, **fault)
    assert told(await azure.apply(step)) == (Became.DONE, "")
    assert len(azure.transport.of(method)) == 3
    assert azure.clock.slept[0] >= fault.get("retry_after", 0.5)
    assert azure.renewals == len(azure.clock.slept)


@pytest.mark.parametrize(
    "step", [ATTACH, DeleteNatGateway(GATEWAY), CreateRouteTable(TABLE, "westeurope")], ids=lambda s: type(s).__name__
)
@pytest.mark.parametrize("seconds", [0, 5])
async def test_a_write_whose_answer_was_lost_is_not_written_twice(step: Step, seconds: float) -> None:
    azure = Azure(seconds=seconds)
    method = "DELETE" if isinstance(step, DeleteNatGateway) else "PUT"
    azure.strikes(method, ".*", drop="after")
    applied = await azure.apply(step)
    assert told(applied) == (Became.DONE, "")
    assert len(azure.transport.of(method)) == 1
    assert applied.before != applied.after


async def test_the_version_that_somebody_else_left_is_compared_with() -> None:
    """Hindered, then the delegation is gone: that was not our write."""
    azure = Azure(seconds=0)

    def interfere(moment: Moment, request: Request, _: Response | None) -> Response | None:
        if moment == "after" or request.method != "PUT" or len(azure.transport.of("PUT")) > 1:
            return None
        azure.edit(SUBNET, lambda body: body["properties"].update(delegations=[]))
        return Response(409, {}, b'{"error": {"code": "AnotherOperationInProgress", "message": ""}}')

    azure.transport.hooks.append(interfere)
    applied = await azure.apply(ATTACH)
    assert told(applied) == (Became.DONE, "")
    assert applied.before is not None
    assert msgspec.json.decode(applied.before)["properties"]["delegations"] == []


async def test_a_busy_network_is_pending_in_the_end() -> None:
    azure = Azure(deadline=60)
    azure.strikes("PUT", ".*", count=None, status=409, code="AnotherOperationInProgress", message="busy")
    assert told(await azure.apply(ATTACH)) == (Became.PENDING, "AnotherOperationInProgress: busy")
    assert azure.renewals == len(azure.clock.slept) > 3


async def test_a_throttle_beyond_the_deadline_is_pending_at_once() -> None:
    azure = Azure(deadline=60)
    azure.strikes("PUT", ".*", status=429, code="SubscriptionRequestsThrottled", message="later", retry_after=61)
    assert told(await azure.apply(ATTACH)) == (Became.PENDING, "SubscriptionRequestsThrottled: later")
    assert azure.clock.slept == []


async def test_what_cannot_be_read_is_pending_or_failed() -> None:
    azure = Azure()
    azure.strikes("GET", ".*", status=503, message="down", retry_after=600)
    assert told(await azure.apply(ATTACH)) == (
        Became.PENDING,
        "work could not be read: InternalServerError: down",
    )
    azure.strikes("GET", ".*", status=403, code="AuthorizationFailed", message="no")
    assert told(await azure.apply(ATTACH)) == (Became.FAILED, "work could not be read: AuthorizationFailed: no")


async def test_a_long_wait_keeps_the_lease() -> None:
    azure = Azure()
    azure.strikes("PUT", ".*", status=429, code="SubscriptionRequestsThrottled", retry_after=110)
    assert told(await azure.apply(ATTACH)) == (Became.DONE, "")
    assert max(azure.clock.slept) <= 30
    assert azure.renewals == len(azure.clock.slept)


# ---- waiting ----------------------------------------------------------------------------------------------------


async def test_pauses_between_polls_grow_and_every_poll_renews() -> None:
    azure = Azure(seconds=60)
    assert told(await azure.apply(ATTACH)) == (Became.DONE, "")
    assert azure.clock.slept[:5] == [2.0, 3.0, 4.5, 6.75, 10.0]
    polls = [path for path in azure.transport.of("GET") if "/operations/" in path]
    assert azure.renewals == len(polls) == len(azure.clock.slept)


async def test_retry_after_of_the_write_and_of_the_polls_is_obeyed() -> None:
    azure = Azure(seconds=25, retry_after={"write": 7, "poll": 12})
    assert told(await azure.apply(ATTACH)) == (Became.DONE, "")
    assert azure.clock.slept == [7.0, 12.0, 12.0]


async def test_a_retry_after_of_zero_is_none() -> None:
    azure = Azure(seconds=5, retry_after={"write": 0, "poll": 0})
    assert told(await azure.apply(ATTACH)) == (Became.DONE, "")
    assert azure.clock.slept == [2.0, 3.0]


async def test_the_deadline_leaves_it_pending_and_a_takeover_finds_it_done() -> None:
    azure = Azure(seconds=100, deadline=30)
    applied = await azure.apply(ATTACH)
    assert told(applied) == (Became.PENDING, "not finished after 30 s")
    assert applied.after is not None
    assert msgspec.json.decode(applied.after)["properties"]["provisioningState"] == "Updating"
    azure.clock.advance(100)
    assert told(await azure.apply(ATTACH)) == (Became.UNCHANGED, "")


async def test_who_lost_the_claim_stops() -> None:
    azure = Azure()

    async def renew() -> None:
        raise Lost

    with pytest.raises(Lost):
        await azure.cloud.apply("d1", ATTACH, renew)
    assert len(azure.transport.of("PUT")) == 1


@pytest.mark.parametrize(
    ("error", "became", "detail"),
    [
        (
            {"code": "AnotherOperationInProgress", "message": "busy"},
            Became.PENDING,
            "AnotherOperationInProgress: busy",
        ),
        (
            {"code": "Canceled", "message": "CanceledAndSupersededDueToAnotherOperation"},
            Became.PENDING,
            "Canceled: CanceledAndSupersededDueToAnotherOperation",
        ),
        ({"code": "InternalServerError", "message": "broken"}, Became.FAILED, "InternalServerError: broken"),
        (None, Became.FAILED, "the operation ended Failed and gives no reason"),
    ],
)
async def test_an_operation_that_fails(error: dict[str, str] | None, became: Became, detail: str) -> None:
    azure = Azure()
    body = {"status": "Failed", **({"error": error} if error else {})}
    azure.strikes("GET", "/operations/", status=200, body=body)
    applied = await azure.apply(ATTACH)
    assert told(applied) == (became, detail)
    assert applied.after is not None
    assert applied.before != applied.after


async def test_status_alone_says_how_an_operation_ended() -> None:
    azure = Azure()
    body = {"status": "Succeeded", "error": {"code": "NotLatestOperation"}}
    azure.strikes("GET", "/operations/", status=200, body=body)
    assert told(await azure.apply(ATTACH)) == (Became.DONE, "")


@pytest.mark.parametrize("status", [404, 403, 400])
async def test_an_operation_that_cannot_be_read_leaves_the_resource_to_tell(status: int) -> None:
    azure = Azure()
    azure.strikes("GET", "/operations/", status=status, code="NotFound")
    assert told(await azure.apply(ATTACH)) == (Became.DONE, "")
    assert (await azure.body(SUBNET))["properties"]["provisioningState"] == "Succeeded"


async def test_a_poll_that_fails_for_now_is_repeated() -> None:
    azure = Azure(patience=0)
    azure.strikes("GET", "/operations/", count=3, status=503)
    assert told(await azure.apply(ATTACH)) == (Became.DONE, "")


async def test_without_an_operation_the_resource_is_polled() -> None:
    azure = Azure()
    azure.transport.hooks.append(without("Azure-AsyncOperation"))
    assert told(await azure.apply(ATTACH)) == (Became.DONE, "")
    assert azure.transport.of("GET") == [SUBNET] * 4


async def test_a_resource_that_does_not_come_to_rest_is_pending() -> None:
    azure = Azure(seconds=100, deadline=30)
    azure.transport.hooks.append(without("Azure-AsyncOperation"))
    assert told(await azure.apply(ATTACH)) == (Became.PENDING, "not finished after 30 s")


async def test_location_alone_is_enough() -> None:
    azure = Azure()
    azure.transport.hooks.append(without("Azure-AsyncOperation", method="DELETE"))
    assert told(await azure.apply(DeleteNatGateway(GATEWAY))) == (Became.DONE, "")
    assert [p for p in azure.transport.of("GET") if "/operationResults/" in p]


async def test_location_that_ends_with_an_error() -> None:
    azure = Azure()
    azure.transport.hooks.append(without("Azure-AsyncOperation", method="DELETE"))
    azure.strikes("GET", "/operationResults/", status=400, code="InUse", message="used")
    assert told(await azure.apply(DeleteNatGateway(GATEWAY))) == (Became.FAILED, "InUse: used")


async def test_a_deleted_gateway_is_gone_only_when_it_is_not_found() -> None:
    azure = Azure(seconds=20)
    azure.strikes("GET", "/operations/", status=200, body={"status": "Succeeded"})
    assert told(await azure.apply(DeleteNatGateway(GATEWAY))) == (Became.DONE, "")
    assert azure.transport.of("GET").count(GATEWAY) > 2


async def test_an_answer_that_is_no_json_leaves_the_resource_to_tell() -> None:
    azure = Azure()
    azure.transport.hooks.append(answering(SUBNET, "PUT", Response(200, {}, b"<html>")))
    assert told(await azure.apply(ATTACH)) == (Became.DONE, "")
    assert len(azure.transport.of("PUT")) == 1


async def test_a_status_that_is_no_json_says_nothing() -> None:
    azure = Azure(deadline=30)
    azure.transport.hooks.append(answering("/operations/", "GET", Response(200, {}, b"<html>")))
    assert told(await azure.apply(ATTACH)) == (Became.PENDING, "not finished after 30 s")


# ---- comparing afterwards ---------------------------------------------------------------------------------------


async def test_a_member_that_changed_along_is_named_with_both_values() -> None:
    azure = Azure()
    body = await azure.body(SUBNET)
    properties = {**body["properties"], "natGateway": {"id": GATEWAY}, "serviceEndpoints": []}
    changed = msgspec.json.encode({**body, "properties": properties})

    def later(moment: Moment, request: Request, _: Response | None) -> Response | None:
        is_last = moment == "after" and request.method == "GET" and request.path == SUBNET and azure.transport.of("PUT")
        return Response(200, {}, changed) if is_last else None

    azure.transport.hooks.append(later)
    endpoints = '[{"service":"Microsoft.Storage","locations":["westeurope"]}]'
    said = f"the write changed more than it should: properties.serviceEndpoints was {endpoints} and is []"
    assert told(await azure.apply(ATTACH)) == (Became.FAILED, said)


async def test_a_write_that_did_not_hold_is_failed() -> None:
    azure = Azure(seconds=0)
    unchanged = Response(200, {}, msgspec.json.encode(await azure.body(SUBNET)))
    azure.transport.hooks.append(answering("subnets/work$", "GET", unchanged))
    became, detail = told(await azure.apply(ATTACH))
    assert became is Became.FAILED
    assert detail == f'the write did not hold: properties.natGateway should be {{"id":"{GATEWAY}"}} and is absent'


async def test_something_created_otherwise_is_failed() -> None:
    azure = Azure(seconds=0)

    def smaller(moment: Moment, request: Request, response: Response | None) -> Response | None:
        if moment == "before" or response is None or request.method != "GET" or response.status != 200:
            return None
        return Response(200, {}, response.body.replace(b'"idleTimeoutInMinutes":4', b'"idleTimeoutInMinutes":9'))

    azure.transport.hooks.append(smaller)
    assert told(await azure.apply(CreateNatGateway(NEW, "westeurope", "Standard"))) == (
        Became.FAILED,
        "properties.idleTimeoutInMinutes should be 4 and is 9",
    )


async def test_something_that_ends_failed_is_failed() -> None:
    azure = Azure(seconds=0)
    body = {"id": TABLE, "name": "nowhere", "properties": {"provisioningState": "Failed"}}
    create = CreateRouteTable(TABLE, "westeurope")

    def failed(moment: Moment, request: Request, _: Response | None) -> Response | None:
        is_last = moment == "after" and request.path == TABLE and azure.transport.of("PUT") and request.method == "GET"
        return Response(200, {}, msgspec.json.encode(body)) if is_last else None

    azure.transport.hooks.append(failed)
    assert told(await azure.apply(create)) == (Became.FAILED, "nowhere is Failed")


async def test_a_lost_connection_while_reading_back_is_asked_again() -> None:
    azure = Azure()

    def once(moment: Moment, request: Request, _: Response | None) -> None:
        if moment == "after" and request.path == SUBNET and azure.transport.of("PUT") and len(azure.clock.slept) == 2:
            raise lost()

    azure.transport.hooks.append(once)
    assert told(await azure.apply(ATTACH)) == (Became.DONE, "")


@pytest.mark.parametrize("resource", [VNET, SUBNET, GATEWAY, ADDRESS, TABLE, PREFIX])
def test_reads_and_writes_of_networks_share_a_version(resource: str) -> None:
    assert versions.version(resource) == versions.NETWORK
    assert versions.version(GROUP) == versions.RESOURCE_GROUPS
