"""Resource Graph: a query and its scope in, a page of rows out."""

import base64
import binascii
from typing import Annotated, Literal

import msgspec

from simulator import errors, graph_errors
from simulator.calls import Call
from simulator.graph_query import BadQuery, parsed
from simulator.graph_rows import COLUMNS, COLUMNS_OF_2019, ColumnType, Rows
from simulator.graph_search import TABLES, Scope, rows_for
from simulator.graph_table import Table
from simulator.hierarchy import GROUPS, ROOT
from simulator.policy_states import policy_states
from simulator.wire import Body, Response, answer
from simulator.world import World

QUERIES = "microsoft.resourcegraph/resources"
MOST_ROWS = 1000
MOST_SUBSCRIPTIONS = 1000
MOST_UNDER_SCOPE = 10_000
MOST_BYTES = 16 * 1024 * 1024
CLUSTER = "https://arg-wus2-three-sf.arg.core.windows.net"


class Options(msgspec.Struct, frozen=True):
    """The options of a query; the names with a dollar are Azure's."""

    top: Annotated[int, msgspec.Meta(ge=1, le=MOST_ROWS)] | None = msgspec.field(default=None, name="$top")
    skip: Annotated[int, msgspec.Meta(ge=0)] | None = msgspec.field(default=None, name="$skip")
    token: str | None = msgspec.field(default=None, name="$skipToken")
    result_format: Literal["objectArray", "table"] | None = msgspec.field(default=None, name="resultFormat")
    partial_scopes: bool = msgspec.field(default=False, name="allowPartialScopes")


class Asked(msgspec.Struct, frozen=True):
    """What the body of a query says."""

    query: str
    subscriptions: list[str] | None = None
    groups: list[str] | None = msgspec.field(default=None, name="managementGroups")
    options: Options = Options()
    facets: list[Body] = []


class SkipToken(msgspec.Struct, frozen=True, kw_only=True):
    """Where the next page begins, as Azure wraps it."""

    id: str = msgspec.field(default="1", name="$id")
    rows: Annotated[int, msgspec.Meta(ge=1)] = msgspec.field(name="MaxRows")
    skip: Annotated[int, msgspec.Meta(ge=0)] = msgspec.field(name="RowsToSkip")
    cluster: str = msgspec.field(default=CLUSTER, name="KustoClusterUrl")


def answered(world: World, call: Call) -> Response:
    """A POST of a query in, its page out."""
    if call.address.type_key != QUERIES:
        raise errors.not_modelled(f"{call.address.type} of Resource Graph")
    if call.request.method != "POST":
        raise errors.method_not_allowed(call.request.method)
    asked = _asked(world, call)
    headers: dict[str, str] = {}
    rows = Rows(world.store)
    scope = _scope(world, call, rows, asked, headers)
    old = call.api_version < "2020"
    try:
        table = _evaluated(world, call, rows, asked.query, scope, COLUMNS_OF_2019 if old else COLUMNS)
        body = _page(world, asked.options, table)
    except BadQuery as problem:
        raise graph_errors.bad_query(world, problem) from None
    if (asked.options.result_format or ("table" if old else "objectArray")) == "table":
        columns = [{"name": name, "type": kind} for name, kind in table.types.items()]
        body["data"] = {"columns": columns, "rows": [list(row.values()) for row in body["data"]]}
    response = answer(200, body, headers)
    if len(response.body) > MOST_BYTES:
        raise graph_errors.bad_request(
            world,
            "ResponsePayloadTooLarge",
            f"Response payload size is {len(response.body)}, and has exceeded the limit of {MOST_BYTES}. "
            "Please consider querying less data at a time and make paginated call if needed.",
        )
    return response


def _asked(world: World, call: Call) -> Asked:
    try:
        asked = msgspec.convert(call.content(), Asked)
    except msgspec.ValidationError as problem:
        raise graph_errors.bad_request(world, "InvalidPayload", f"The request is invalid: {problem}.") from None
    if asked.facets:
        raise graph_errors.bad_request(world, "InvalidPayload", "The simulator does not model facets.")
    return asked


def _scope(world: World, call: Call, rows: Rows, asked: Asked, headers: dict[str, str]) -> Scope:
    """What was asked about and can be read. What cannot be is left out without a word, unless nothing remains."""
    if asked.subscriptions and asked.groups:
        raise graph_errors.bad_request(
            world, "InvalidPayload", "Subscriptions and management groups cannot be given together."
        )
    if asked.subscriptions:
        return Scope(frozenset(_readable(world, call, _known(world, asked.subscriptions))), frozenset())
    tree, tops = rows.hierarchy, [name.casefold() for name in asked.groups or (ROOT,)]
    if not all(top in tree.groups for top in tops):
        raise graph_errors.access_denied(world)
    below = list(dict.fromkeys(key for top in tops for key in tree.subscriptions_below(top)))
    readable = _readable(world, call, below) if below else []
    if len(readable) > MOST_UNDER_SCOPE:
        if not asked.options.partial_scopes:
            raise graph_errors.bad_request(
                world,
                "TooManySubscriptionsUnderScope",
                "The number of subscriptions under provided tenant or management groups in the request has exceeded "
                f"the allowed limit {MOST_UNDER_SCOPE}. Please select a more granular scope or allow partial scopes "
                "results by passing AllowPartialScopes flag in the query options.",
            )
        headers["x-ms-tenant-subscription-limit-hit"] = "true"
    groups = None
    if asked.groups:
        groups = frozenset(f"{GROUPS}/{name}" for top in tops for name in (top, *(g.key for g in tree.below(top))))
    return Scope(frozenset(readable[:MOST_UNDER_SCOPE]), groups)


def _known(world: World, subscriptions: list[str]) -> list[str]:
    if len(subscriptions) > MOST_SUBSCRIPTIONS:
        raise graph_errors.bad_request(
            world,
            "TooManySubscriptions",
            f"The request names {len(subscriptions)} subscriptions: at most {MOST_SUBSCRIPTIONS} can be named.",
        )
    keys = [f"/subscriptions/{subscription}".casefold() for subscription in subscriptions]
    known = [key for key in keys if key in world.store]
    if not known:
        raise graph_errors.bad_request(
            world,
            "NoValidSubscriptionsInQueryRequest",
            "There must be at least one subscription that is eligible to contain resources. "
            f"Given: '{', '.join(subscriptions)}'.",
        )
    return known


def _readable(world: World, call: Call, subscriptions: list[str]) -> list[str]:
    readable = [key for key in subscriptions if world.access.sees(call.caller.principal, key)]
    if not readable:
        raise graph_errors.access_denied(world)
    return readable


def _evaluated(world: World, call: Call, rows: Rows, text: str, scope: Scope, columns: dict[str, ColumnType]) -> Table:
    query = parsed(text)
    for table in query.tables:
        if table not in TABLES:
            raise BadQuery(f"The simulator does not model the table '{table}': it knows {' and '.join(TABLES)}.")
    if len(set(query.tables)) < len(query.tables):
        raise BadQuery("The simulator does not model a union of a table with itself.")
    found = rows_for(rows, world.past.rows(world.now()), query, scope)
    if "policyresources" in query.tables:
        found += sorted(policy_states(world, scope.subscriptions), key=lambda row: row.key)
    principal = call.caller.principal
    if not world.access.is_unlimited(principal):
        found = [row for row in found if world.access.may(principal, f"{row.type}/read", row.id)]
    shown = Table(found, columns)
    for operator in query.operators:
        shown.apply(operator)
    return shown


def _page(world: World, options: Options, table: Table) -> Body:
    """A table in, the page that was asked for out. Only rows that show their id can be paged through."""
    token = _token(world, options.token)
    largest = min(MOST_ROWS, world.settings.graph_page)
    size = min(options.top or (token.rows if token is not None else largest), largest)
    start = options.skip if options.skip is not None else token.skip if token is not None else 0
    data = table.page(start, size)
    more = start + size < len(table.rows)
    pageable = "id" in table.types and not table.taken
    body: Body = {
        "totalRecords": len(table.rows),
        "count": len(data),
        "data": data,
        "facets": [],
        "resultTruncated": "true" if more and not pageable else "false",
    }
    if more and pageable:
        body["$skipToken"] = _wrapped(SkipToken(rows=size, skip=start + size))
    return body


def _wrapped(token: SkipToken) -> str:
    shown = msgspec.json.format(msgspec.json.encode(token), indent=2)
    return base64.b64encode(shown.replace(b"\n", b"\r\n")).decode()


def _token(world: World, text: str | None) -> SkipToken | None:
    if not text:
        return None
    try:
        token = msgspec.json.decode(base64.b64decode(text, validate=True), type=SkipToken)
    except (binascii.Error, msgspec.DecodeError, ValueError) as problem:
        raise graph_errors.bad_request(world, "InvalidPayload", f"The $skipToken is invalid: {problem}.") from None
    return token
