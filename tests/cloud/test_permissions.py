"""What we may do somewhere is read with one question, page by page, and never guessed."""

from typing import Any

import msgspec
import pytest

from governor.core import estate as estates
from governor.core import facts, ids
from governor.core.cause import VirtualNetwork
from governor.core.estate import Estate
from governor.core.needs import Needs
from simulator.wire import Request, Response
from tests.cloud.hub_world import HUB, TABLE, with_hub
from tests.cloud.world import VNET, Azure
from tests.support.transport import Moment

NAME = estates.permissions(HUB)
PATH = f"{ids.key(HUB)}/providers/Microsoft.Authorization/permissions"


async def observed(azure: Azure, *names: str) -> Estate:
    return await azure.cloud.observe(VirtualNetwork(VNET), lambda _: Needs(lists=names or (NAME,)))


def asked(azure: Azure) -> list[str]:
    """What was asked for, without the read of the network."""
    return [f"{request.method} {request.path}" for request in azure.transport.requests if request.path != VNET]


def said(seen: Estate, scope: str = HUB) -> tuple[facts.Permission, ...] | None:
    found = seen.find(ids.permissions(scope), facts.Permissions)
    return found.value if isinstance(found, facts.Permissions) else None


async def test_what_we_may_do_is_a_fact() -> None:
    azure = with_hub(limited=True)
    azure.roles.give("", "*/read")
    azure.roles.give(HUB, "*", less=("*/peer/action",))
    seen = await observed(azure, NAME, estates.permissions(TABLE))
    assert said(seen) == (facts.Permission(("*/read",), ()), facts.Permission(("*",), ("*/peer/action",)))
    assert said(seen, TABLE) == (facts.Permission(("*/read",), ()),)
    assert seen.has_listed(NAME)
    assert seen.gaps == ()
    assert sorted(asked(azure)) == sorted([f"GET {PATH}", f"GET {PATH.replace(ids.key(HUB), ids.key(TABLE))}"])


async def test_the_question_has_a_version_of_its_own() -> None:
    azure = with_hub()
    await observed(azure)
    (question,) = (request for request in azure.transport.requests if request.path == PATH)
    assert question.query == {"api-version": "2022-04-01"}


async def test_every_page_is_read() -> None:
    azure = with_hub()
    more = f"https://127.0.0.1:8443{PATH}?api-version=2022-04-01&$skiptoken=2"
    pages = {
        "": {"value": [{"actions": ["*/read"], "notActions": [], "condition": None}], "nextLink": more},
        "2": {"value": [{"actions": ["Microsoft.Network/*"]}]},
    }

    def hook(moment: Moment, request: Request, _: Response | None) -> Response | None:
        if moment != "before" or request.path != PATH:
            return None
        return Response(200, {}, msgspec.json.encode(pages[request.query.get("$skiptoken", "")]))

    azure.transport.hooks.append(hook)
    seen = await observed(azure)
    assert said(seen) == (facts.Permission(("*/read",), ()), facts.Permission(("Microsoft.Network/*",)))
    assert len(asked(azure)) == 2


async def test_it_is_asked_once_in_ten_seconds() -> None:
    azure = with_hub(limited=True)
    await observed(azure)
    azure.roles.give("", "*/read")
    assert said(await observed(azure)) == (facts.Permission(("*",), ()),)
    assert len(asked(azure)) == 1
    azure.clock.advance(10)
    assert said(await observed(azure)) == (facts.Permission(("*/read",), ()),)
    assert len(asked(azure)) == 2


async def test_nothing_may_be_done_where_nothing_is() -> None:
    azure = with_hub()
    gone = estates.permissions(f"{HUB}-gone")
    seen = await observed(azure, gone)
    assert seen.has_listed(gone)
    assert seen.all(facts.Permissions) == []
    assert seen.gaps == ()


async def test_permissions_that_are_denied_are_a_gap() -> None:
    azure = with_hub(limited=True)
    azure.roles.give("", "*", less=("Microsoft.Authorization/*",))
    seen = await observed(azure)
    assert said(seen) is None
    assert not seen.has_listed(NAME)
    (gap,) = seen.gaps
    assert gap.about == NAME
    assert gap.why.startswith("no permission for Microsoft.Authorization/permissions/read on ")


@pytest.mark.parametrize(
    ("body", "about", "why"),
    [
        ({"value": {"no": "list"}}, NAME, "what was read as the list "),
        ({"value": [{"actions": "*"}]}, ids.key(ids.permissions(HUB)), "its body cannot be understood: "),
        ({"value": ["*"]}, ids.key(ids.permissions(HUB)), "its body cannot be understood: "),
    ],
    ids=str,
)
async def test_what_cannot_be_understood_is_a_gap(body: Any, about: str, why: str) -> None:
    azure = with_hub()
    azure.strikes("GET", "Microsoft.Authorization/permissions", status=200, body=body)
    seen = await observed(azure)
    assert said(seen) is None
    (gap,) = seen.gaps
    assert gap.about == about
    assert gap.why.startswith(why)
