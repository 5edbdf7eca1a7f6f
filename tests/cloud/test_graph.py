"""Resource Graph and management groups: every row comes, in Resource Manager's shape, or what is missing is said."""

import math
from collections.abc import Callable
from functools import partial
from typing import Any

import msgspec
import pytest

from governor.cloud import graph
from governor.cloud.surveyor import MEMBERS
from governor.core import facts, ids, needs
from governor.core.cause import VirtualNetwork
from governor.core.cluster import Cluster
from governor.core.estate import ABSENT, Estate, Gap, clusters, deployments
from governor.core.judged import judge
from governor.core.needs import Needs
from governor.core.policy import Policies
from governor.core.policy import Select as Conditions
from governor.core.sighting import Cut, Rest, Seen, Sheet
from governor.core.verdict import Verdict
from governor.ports import Absent, Refused, Transient
from simulator.wire import Request, Response
from tests.cloud.world import ADDRESS, ESTATE, GATEWAY, GROUP, SUBSCRIPTION, VNET, Azure
from tests.core.world import nat_policy

OTHER = "22222222-2222-2222-2222-222222222222"
THIRD = "33333333-3333-3333-3333-333333333333"
GRAPH = "/providers/Microsoft.ResourceGraph/resources"
MANAGEMENT = "2020-05-01"
Body = dict[str, Any]
Part = Seen | Sheet | Rest | Cut


def network(number: int, subscription: str = SUBSCRIPTION, subnets: int = 1) -> Body:
    name = f"spoke-{number:04d}"
    inside = [
        {"name": f"s{n}", "properties": {"addressPrefix": f"10.{n // 250}.{n % 250}.0/24"}} for n in range(subnets)
    ]
    return {
        "id": ids.network(subscription, "rg", "virtualNetworks", name),
        "name": name,
        "type": "Microsoft.Network/virtualNetworks",
        "location": "westeurope",
        "properties": {"addressSpace": {"addressPrefixes": ["10.0.0.0/8"]}, "subnets": inside},
    }


def nothing(_: Estate) -> Needs:
    return Needs()


async def surveyed(
    azure: Azure, *subscriptions: str, needs: Callable[[Estate], Needs] = nothing
) -> tuple[list[Part], list[Sheet]]:
    """Everything that comes of a survey, and the Sheets of it."""
    parts = [part async for part in azure.cloud.survey(subscriptions or (SUBSCRIPTION,), needs)]
    return parts, [part for part in parts if isinstance(part, Sheet)]


def asked(azure: Azure) -> list[Body]:
    """The bodies of all questions to Resource Graph about networks."""
    bodies = [msgspec.json.decode(r.body) for r in azure.transport.requests if r.path == GRAPH]
    return [body for body in bodies if "virtualnetworks" in body["query"]]


def sizes(azure: Azure) -> list[int]:
    return [body["options"]["$top"] for body in asked(azure)]


def answering(change: Callable[[Body, Body], object]) -> Callable[..., Response | None]:
    """A hook that changes what is answered about networks: (question, answer) in, the answer is changed."""

    def hook(moment: str, request: Request, response: Response | None) -> Response | None:
        question = msgspec.json.decode(request.body) if request.path == GRAPH else {}
        if moment == "before" or response is None or "virtualnetworks" not in question.get("query", ""):
            return None
        body = response.json()
        change(question, body)
        return Response(response.status, response.headers, msgspec.json.encode(body))

    return hook


# ---- pages ----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("page", [1000, 7, 1])
async def test_every_network_comes_once_however_small_the_pages_are(page: int) -> None:
    azure = Azure(estate=[*ESTATE, *(network(n) for n in range(20))], graph_page=page)
    parts, sheets = await surveyed(azure)
    assert parts[0] == Seen((SUBSCRIPTION,))
    assert [n for sheet in sheets for n in sheet.networks] == [VNET, *(network(n)["id"] for n in range(20))]
    assert len(sheets) == math.ceil(21 / page)
    assert all([n.id for n in sheet.estate.networks] == list(sheet.networks) for sheet in sheets)


async def test_a_page_is_observed_when_it_was_asked_for() -> None:
    azure = Azure(estate=[network(n) for n in range(4)], graph_page=2)
    started = azure.clock.now()
    times = []
    async for part in azure.cloud.survey((SUBSCRIPTION,), nothing):
        if isinstance(part, Sheet):
            times.append((part.estate.observed_at - started).total_seconds())
        azure.clock.advance(60)
    assert times == [60, 120]


async def test_pages_are_halved_when_they_get_heavy_and_the_rest_comes() -> None:
    azure = Azure(estate=[network(n) for n in range(500)])

    def heavy(question: Body, body: Body) -> None:
        if "$skipToken" not in question["options"]:
            body["padding"] = "x" * (6 * 1024 * 1024)

    azure.transport.hooks.append(answering(heavy))
    _, sheets = await surveyed(azure)
    assert sizes(azure) == [200, 100, 100, 100]
    assert len({n for sheet in sheets for n in sheet.networks}) == 500


async def test_an_answer_that_azure_finds_too_large_is_asked_for_in_halves() -> None:
    azure = Azure(estate=[network(n) for n in range(60)])
    azure.transport.hooks.append(too_large(25))
    _, sheets = await surveyed(azure)
    assert sizes(azure) == [200, 100, 50, 25, 25, 25]
    assert len({n for sheet in sheets for n in sheet.networks}) == 60


async def test_one_network_that_is_too_large_alone_is_said_to_be_missing() -> None:
    azure = Azure(estate=[network(n) for n in range(3)])
    azure.transport.hooks.append(too_large(0))
    parts, sheets = await surveyed(azure)
    assert sizes(azure)[-2:] == [3, 1]
    assert sheets == []
    assert isinstance(parts[-1], Cut)
    assert "Response payload" in parts[-1].why


def too_large(most: int) -> Callable[..., Response | None]:
    """Azure's own refusal of a page of more rows than this."""

    def hook(moment: str, request: Request, response: Response | None) -> Response | None:
        question: Body = msgspec.json.decode(request.body) if request.path == GRAPH else {"query": ""}
        if moment != "after" or "virtualnetworks" not in question["query"] or question["options"]["$top"] <= most:
            return None
        details = [{"code": "ResponsePayloadTooLarge", "message": "Response payload size is 20000000, too large."}]
        error = {"code": "BadRequest", "message": "Please provide below info.", "details": details}
        return Response(400, {}, msgspec.json.encode({"error": error}))

    return hook


@pytest.mark.parametrize(
    "wrong",
    [
        {"resultTruncated": "true", "$skipToken": None},
        {"totalRecords": 7, "$skipToken": None},
        {"data": []},
        {"data": [{"name": "no id"}]},
        {"data": "no rows"},
    ],
)
async def test_fewer_rows_than_there_are_are_never_silently_all(wrong: Body) -> None:
    azure = Azure(estate=[network(n) for n in range(4)], graph_page=2)

    def cut(question: Body, body: Body) -> None:
        if "$skipToken" not in question["options"]:
            body.update(wrong)

    azure.transport.hooks.append(answering(cut))
    parts, _ = await surveyed(azure)
    assert isinstance(parts[-1], Cut)
    assert "Resource Graph" in parts[-1].why


# ---- pace -----------------------------------------------------------------------------------------------------------


async def test_questions_are_asked_as_fast_as_the_quota_allows_and_no_faster() -> None:
    azure = Azure(estate=[network(n) for n in range(40)], graph_page=1)
    started = azure.clock.now()
    _, sheets = await surveyed(azure)
    assert len(sheets) == 40
    assert {r.status for r in azure.arm.requests} == {200}
    assert (azure.clock.now() - started).total_seconds() == 10  # 41 questions, 15 in 5 seconds


async def test_a_quota_that_somebody_else_used_up_is_waited_for() -> None:
    azure = Azure()
    while azure.transport.arm.handle(query("resources | take 1")).status == 200:
        pass
    _, sheets = await surveyed(azure)
    assert [sheet.networks for sheet in sheets] == [(VNET,)]
    assert 429 in {r.status for r in azure.arm.requests}


async def test_who_is_throttled_for_long_waits_elsewhere() -> None:
    azure = Azure()
    azure.strikes("POST", "ResourceGraph", status=429, code="RateLimiting", count=None, retry_after=600)
    with pytest.raises(Transient) as found:
        await surveyed(azure)
    assert found.value.after == 600


def query(text: str) -> Request:
    body = msgspec.json.encode({"query": text, "subscriptions": [SUBSCRIPTION]})
    headers = {"Authorization": "Bearer simulator", "Content-Type": "application/json"}
    return Request("POST", f"{GRAPH}?api-version=2021-03-01", headers, body)


# ---- what is seen ---------------------------------------------------------------------------------------------------


async def test_subscriptions_that_cannot_be_read_are_named() -> None:
    azure = Azure(estate=[*ESTATE, network(1, OTHER)], limited=True)
    azure.roles.limit_to(SUBSCRIPTION)
    parts, _ = await surveyed(azure, SUBSCRIPTION, OTHER, THIRD)
    assert isinstance(parts[0], Seen)
    assert parts[0].subscriptions == (SUBSCRIPTION,)
    assert set(parts[0].unseen) == {OTHER, THIRD}
    assert all("no row of it" in why for why in parts[0].unseen.values())


@pytest.mark.parametrize(("which", "why"), [(OTHER, "Access is denied"), (THIRD, "at least one subscription")])
async def test_when_none_can_be_read_that_is_said_of_all(which: str, why: str) -> None:
    azure = Azure(estate=[network(1, OTHER)], limited=True)
    azure.roles.limit_to()
    ((seen,), _) = await surveyed(azure, which)
    assert isinstance(seen, Seen)
    assert seen.subscriptions == ()
    assert why in seen.unseen[which]
    assert "timestamp" not in seen.unseen[which]


async def test_a_row_is_the_same_fact_as_the_body_it_shows() -> None:
    azure = Azure()
    wanted = (GATEWAY, ADDRESS, GROUP, f"/subscriptions/{SUBSCRIPTION}", ids.entity(SUBSCRIPTION))
    lists = (clusters(SUBSCRIPTION),)
    _, (sheet,) = await surveyed(azure, needs=lambda _: Needs(wanted, lists))
    live = await azure.cloud.observe(VirtualNetwork(VNET), lambda _: Needs(wanted, lists))
    assert sheet.estate.gaps == live.gaps == ()
    assert sheet.estate.known == live.known
    assert sheet.estate.networks == live.networks
    assert sheet.estate.listed == live.listed


def test_all_that_is_known_of_networks_is_asked_for() -> None:
    names = {field.encode_name for field in msgspec.structs.fields(facts.VirtualNetworkProperties)}
    assert names <= set(MEMBERS)


async def test_what_graph_does_not_show_may_exist_all_the_same() -> None:
    azure = Azure()
    lists = (deployments(GROUP), f"learnedRoutes({VNET})")
    gone = GATEWAY + "-gone"
    _, (sheet,) = await surveyed(azure, needs=lambda _: Needs((gone, ids.group(THIRD, "rg")), lists))
    assert sheet.estate.find(gone, facts.NatGateway) is not ABSENT
    assert {gap.about for gap in sheet.estate.gaps} == {ids.key(gone), ids.key(ids.group(THIRD, "rg")), *lists}
    assert Gap(ids.key(gone), "Resource Graph does not show it") in sheet.estate.gaps


async def test_context_is_read_in_whatever_subscription_it_lives_and_in_few_questions() -> None:
    far = ids.network(OTHER, "rg", "natGateways", "far")
    body = {
        "id": far,
        "type": "Microsoft.Network/natGateways",
        "name": "far",
        "location": "westeurope",
        "properties": {},
    }
    azure = Azure(estate=[*ESTATE, body, *(network(n) for n in range(5))])
    many = tuple(f"{far}-{n}" for n in range(450))
    _, (sheet,) = await surveyed(azure, needs=lambda seen: Needs((far, *many) if seen.networks else ()))
    assert isinstance(sheet.estate.find(far, facts.NatGateway), facts.NatGateway)
    assert len([r for r in azure.transport.requests if r.path == GRAPH]) == 2 + 3


async def test_clusters_of_all_subscriptions_of_a_page_come_with_one_question() -> None:
    cluster = {
        "id": f"{ids.group(OTHER, 'rg')}/providers/Microsoft.ContainerService/managedClusters/k1",
        "type": "Microsoft.ContainerService/managedClusters",
        "name": "k1",
        "location": "westeurope",
        "properties": {"agentPoolProfiles": [{"name": "p", "vnetSubnetID": f"{VNET}/subnets/work"}]},
    }
    azure = Azure(estate=[*ESTATE, network(1, OTHER), cluster])
    lists = (clusters(SUBSCRIPTION), clusters(OTHER))
    wanted = Needs((), lists)
    _, (sheet,) = await surveyed(azure, SUBSCRIPTION, OTHER, needs=lambda seen: wanted if seen.networks else Needs())
    assert [c.subnets for c in sheet.estate.all(Cluster)] == [(f"{VNET}/subnets/work",)]
    assert sheet.estate.listed == set(lists)
    assert len([r for r in azure.transport.requests if r.path == GRAPH]) == 3


async def test_context_that_cannot_be_asked_for_is_a_gap() -> None:
    azure = Azure(estate=[*ESTATE, network(1, THIRD)], limited=True)
    azure.roles.limit_to(SUBSCRIPTION)
    far = ids.network(THIRD, "rg", "natGateways", "far")
    lists = (clusters(THIRD),)
    _, (sheet,) = await surveyed(azure, needs=lambda _: Needs((far,), lists))
    assert {gap.about for gap in sheet.estate.gaps} == {ids.key(far), *lists}
    assert all("Access is denied" in gap.why for gap in sheet.estate.gaps)


async def test_the_split_into_pages_does_not_change_a_verdict() -> None:
    policies = Policies(
        (
            nat_policy(name="corp", select=Conditions(management_groups=("corp",)), priority=200),
            nat_policy(name="tagged", select=Conditions(tags={"env": "prod"}), priority=150),
            nat_policy(select=Conditions(occupants=("empty",))),
        )
    )

    async def verdicts(page: int) -> list[Verdict]:
        azure = Azure(
            estate=[*ESTATE, *(network(n, s) for n in range(5) for s in (SUBSCRIPTION, OTHER))], graph_page=page
        )
        wanted = partial(needs.for_evidence, policies=policies)
        _, sheets = await surveyed(azure, SUBSCRIPTION, OTHER, needs=wanted)
        return [verdict for sheet in sheets for verdict in judge(sheet.estate, policies)]

    whole = await verdicts(1000)
    assert len(whole) == 21  # nobody governs the one subnet that somebody lives in
    assert await verdicts(3) == await verdicts(1) == whole


def test_texts_in_a_query_stay_texts() -> None:
    assert graph.listed(["a'b", "c\\d", "e"]) == r"('a\'b', 'c\\d', 'e')"


# ---- management groups ----------------------------------------------------------------------------------------------


def grouped(azure: Azure, name: str, parent: str | None = None, *subscriptions: str) -> None:
    """A management group with subscriptions in it."""
    properties = {"details": {"parent": {"id": f"/providers/Microsoft.Management/managementGroups/{parent}"}}}
    put(azure, f"/providers/Microsoft.Management/managementGroups/{name}", {"properties": properties if parent else {}})
    for subscription in subscriptions:
        put(azure, f"/providers/Microsoft.Management/managementGroups/{name}/subscriptions/{subscription}", {})


def put(azure: Azure, path: str, body: Body) -> None:
    request = Request(
        "PUT",
        f"{path}?api-version={MANAGEMENT}",
        {"Authorization": "Bearer simulator", "Content-Type": "application/json"},
        msgspec.json.encode(body),
    )
    answer = azure.arm.handle(request)
    assert answer.status in (200, 201, 202, 204), answer.body


def tenant(**arm: Any) -> Azure:
    azure = Azure(estate=[*ESTATE, network(1, OTHER), network(1, THIRD)], **arm)
    grouped(azure, "corp", None, SUBSCRIPTION)
    grouped(azure, "online", "corp", OTHER)
    return azure


@pytest.mark.parametrize(
    ("scopes", "found"),
    [
        ([], {SUBSCRIPTION, THIRD}),
        (["corp"], {SUBSCRIPTION, OTHER}),
        (["/providers/Microsoft.Management/managementGroups/online"], {OTHER}),
        ([THIRD.upper(), f"/subscriptions/{THIRD}"], {THIRD}),
        (["online", THIRD], {OTHER, THIRD}),
    ],
)
async def test_subscriptions_in_reach(scopes: list[str], found: set[str]) -> None:
    azure = tenant(limited=True)
    azure.roles.limit_to(SUBSCRIPTION, THIRD)
    assert set(await azure.cloud.subscriptions(scopes)) == found


async def test_descendants_come_page_by_page() -> None:
    azure = tenant(page_size=1)
    assert set(await azure.cloud.subscriptions(["corp"])) == {SUBSCRIPTION, OTHER}


async def test_a_group_that_is_not_there_is_no_empty_group() -> None:
    with pytest.raises((Absent, Refused)):
        await tenant().cloud.subscriptions(["nowhere"])


@pytest.mark.parametrize("how", ["live", "graph"])
async def test_the_groups_above_a_subscription(how: str) -> None:
    azure, wanted = tenant(), ids.entity(OTHER)
    if how == "live":
        seen = await azure.cloud.observe(VirtualNetwork(network(1, OTHER)["id"]), lambda _: Needs((wanted,)))
    else:
        seen = (await surveyed(azure, OTHER, needs=lambda _: Needs((wanted,))))[1][0].estate
    entity = seen.find(wanted, facts.Entity)
    assert isinstance(entity, facts.Entity)
    assert entity.properties.parent_name_chain is not None
    assert entity.properties.parent_name_chain[1:] == ("corp", "online")


async def test_groups_that_are_not_shown_are_a_gap() -> None:
    azure, wanted = tenant(), ids.entity(SUBSCRIPTION)
    azure.strikes("POST", "getEntities", status=200, body={"value": []})
    seen = await azure.cloud.observe(VirtualNetwork(VNET), lambda _: Needs((wanted,)))
    assert seen.gaps == (Gap(ids.key(wanted), "the management groups above it are not shown"),)
    azure.strikes("POST", "getEntities", status=403, code="AuthorizationFailed", message="no")
    seen = await azure.cloud.observe(VirtualNetwork(VNET), lambda _: Needs((wanted,)))
    assert [gap.about for gap in seen.gaps] == [ids.key(wanted)]
