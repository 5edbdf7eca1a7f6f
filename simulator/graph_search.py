"""Where a query begins: its table and scope in, the rows that can matter to it out, in the order of their ids."""

from collections.abc import Iterator

import msgspec

from simulator.graph_rows import MANAGEMENT_GROUP, RESOURCE_GROUP, Row, Rows, is_shown
from simulator.graph_syntax import And, Compared, Condition, Literal, Path, Query, Where, Within
from simulator.hierarchy import GROUPS
from simulator.ids import SUBSCRIPTION
from simulator.wire import Body

TABLES = ("resources", "resourcecontainers", "policyresources")


class Scope(msgspec.Struct, frozen=True):
    """Where a query looks: the keys of subscriptions and of management groups (None: all of the tenant)."""

    subscriptions: frozenset[str]
    groups: frozenset[str] | None

    def holds(self, key: str) -> bool:
        """Whether a row is inside, whose key is given."""
        if key.startswith(f"{GROUPS}/"):
            return self.groups is None or key in self.groups
        return "/".join(key.split("/", 3)[:3]) in self.subscriptions


class Wanted(msgspec.Struct, frozen=True):
    """What the first conditions of a query ask for, in lower case; None is anything. It may be more than asked for."""

    types: frozenset[str] | None = None
    ids: frozenset[str] | None = None

    def narrowed(self, name: str, values: frozenset[str]) -> "Wanted":
        known = self.types if name == "type" else self.ids
        both = values if known is None else values & known
        return Wanted(both, self.ids) if name == "type" else Wanted(self.types, both)


def rows_for(rows: Rows, past: dict[str, bytes | None], query: Query, scope: Scope) -> list[Row]:
    """A query in, the rows that can match it out: those of now, but for those that Graph still shows as they were."""
    wanted = wanted_by(query)
    tables = {"resources": _resources, "resourcecontainers": _containers}
    found = {
        row.key: row
        for table in query.tables
        if table in tables
        for row in tables[table](rows, scope, wanted)
        if row.key not in past
    }
    for key, shown in past.items():
        if shown is not None and scope.holds(key):
            body: Body = msgspec.json.decode(shown)
            if _table_of(body["type"]) in query.tables:
                found[key] = Row(key, body["id"], body["type"], rows.row, body)
    return [found[key] for key in sorted(found)]


def wanted_by(query: Query) -> Wanted:
    """A query in, the types and ids that its first conditions leave out of all others out."""
    wanted = Wanted()
    for operator in query.operators:
        if not isinstance(operator, Where):
            break
        for name, values in _demands(operator.condition):
            wanted = wanted.narrowed(name, values)
    return wanted


def _demands(condition: Condition) -> Iterator[tuple[str, frozenset[str]]]:
    """A condition in, the values it demands of the columns type and id out."""
    match condition:
        case And(parts):
            for part in parts:
                yield from _demands(part)
        case Compared(Path("type" | "id" as name, ()), "==" | "=~", Literal(str(value))):
            yield name, frozenset((value.casefold(),))
        case Within(Path("type" | "id" as name, ()), "in" | "in~", options):
            yield name, frozenset(str(option.value).casefold() for option in options)
        case _:
            return


def _resources(rows: Rows, scope: Scope, wanted: Wanted) -> Iterator[Row]:
    store, show = rows.store, rows.row
    for key in _resource_keys(rows, scope, wanted):
        stored = store.get(key)
        if stored is not None and _table_of(stored.type.lower()) == "resources":
            yield Row(key, stored.id, stored.type.lower(), show)


def _resource_keys(rows: Rows, scope: Scope, wanted: Wanted) -> Iterator[str]:
    store = rows.store
    if wanted.ids is not None:
        # A top-level resource of a group: /subscriptions/s/resourcegroups/g/providers/namespace/type/name
        yield from (key for key in wanted.ids if key.count("/") == 8 and scope.holds(key))
        return
    for subscription in scope.subscriptions:
        for group in store.keys_in(f"{subscription}/resourcegroups"):
            if wanted.types is None:
                yield from store.top_level(group)
            else:
                for type_key in wanted.types:
                    yield from store.keys_in(f"{group}/providers/{type_key}")


def _containers(rows: Rows, scope: Scope, wanted: Wanted) -> Iterator[Row]:
    for key in _container_keys(rows, scope, wanted):
        if key.startswith(f"{GROUPS}/"):
            group = rows.hierarchy.groups[key.rpartition("/")[2]]
            yield Row(key, group.id, MANAGEMENT_GROUP, rows.row)
        elif (stored := rows.store.get(key)) is not None:
            type_key = SUBSCRIPTION if key.count("/") == 2 else RESOURCE_GROUP
            yield Row(key, stored.id, type_key, rows.row)


def _container_keys(rows: Rows, scope: Scope, wanted: Wanted) -> Iterator[str]:
    types = wanted.types if wanted.types is not None else {SUBSCRIPTION, RESOURCE_GROUP, MANAGEMENT_GROUP}
    if MANAGEMENT_GROUP in types:
        yield from filter(scope.holds, (f"{GROUPS}/{name}" for name in rows.hierarchy.groups))
    for subscription in scope.subscriptions:
        if SUBSCRIPTION in types:
            yield subscription
        if RESOURCE_GROUP in types:
            yield from rows.store.keys_in(f"{subscription}/resourcegroups")


def _table_of(type_key: str) -> str:
    """A type in, the table that holds its rows out; none for what Azure does not show, or elsewhere."""
    if type_key in (SUBSCRIPTION, RESOURCE_GROUP, MANAGEMENT_GROUP):
        return "resourcecontainers"
    return "resources" if is_shown(type_key) else ""
