"""What operators do to a table: rows and a query in, the rows and columns that remain out."""

from collections.abc import Callable
from typing import Any, assert_never

import msgspec

from simulator.graph_query import BadQuery
from simulator.graph_rows import ColumnType, Row
from simulator.graph_syntax import (
    And,
    Check,
    Checked,
    Column,
    Compared,
    Comparison,
    Condition,
    Count,
    Extend,
    Literal,
    Membership,
    Not,
    Operand,
    Operator,
    Or,
    Order,
    Path,
    Project,
    SortKey,
    Take,
    Where,
    Within,
)
from simulator.wire import Body

Value = Callable[[Row], Any]
Test = Callable[[Row], bool]


class Table:
    """Rows with columns that are looked up in them, so that a row is rendered only when a page shows it."""

    def __init__(self, rows: list[Row], columns: dict[str, ColumnType]) -> None:
        self.rows = rows
        self.types = dict(columns)
        self.taken = False
        self._sources = {name: Path(name) for name in columns}

    def apply(self, operator: Operator) -> None:
        """An operator in; the table is what remains after it."""
        match operator:
            case Where(condition):
                test = self._test(condition)
                self.rows = [row for row in self.rows if test(row)]
            case Project(columns):
                self._sources, self.types = self._named(columns)
            case Extend(columns):
                sources, types = self._named(columns)
                self._sources |= sources
                self.types |= types
            case Order(keys):
                for key in reversed(keys):
                    self._sort(key)
            case Take(rows):
                self.taken = True
                self.rows = self.rows[:rows]
            case Count():
                counted = {"Count": len(self.rows)}
                self.rows = [Row("", "", "", lambda _: counted)]
                self.types = {"Count": "integer"}
                self._sources = {"Count": Path("Count")}
            case never:
                assert_never(never)

    def page(self, start: int, size: int) -> list[Body]:
        """Where a page begins and how long it is in, its rows with their columns out."""
        values = {name: _at(source) for name, source in self._sources.items()}
        return [{name: value(row) for name, value in values.items()} for row in self.rows[start : start + size]]

    def _sort(self, key: SortKey) -> None:
        """Texts are sorted by their code points; what is missing stands first going up, and last going down."""
        source = self._source(key.source)
        if source.steps or self._type(key.source) == "object":
            raise BadQuery(f"order operator: key can't be of dynamic type ({key.source.column})")
        value = _at(source)
        self.rows = sorted(self.rows, key=lambda row: _sortable(value(row)), reverse=not key.ascending)

    def _named(self, columns: tuple[Column, ...]) -> tuple[dict[str, Path], dict[str, ColumnType]]:
        sources = {column.name: self._source(column.source) for column in columns}
        return sources, {column.name: self._type(column.source) for column in columns}

    def _source(self, path: Path) -> Path:
        """A path into this table in, where it leads in its rows out."""
        source = self._sources.get(path.column)
        if source is None:
            raise BadQuery(f"Failed to resolve column or scalar expression named '{path.column}'")
        return Path(source.column, source.steps + path.steps)

    def _type(self, path: Path) -> ColumnType:
        return "object" if path.steps else self.types[path.column]

    # --- conditions ---------------------------------------------------------------------------------

    def _test(self, condition: Condition) -> Test:
        match condition:
            case And(parts):
                tests = [self._test(part) for part in parts]
                return lambda row: all(test(row) for test in tests)
            case Or(parts):
                tests = [self._test(part) for part in parts]
                return lambda row: any(test(row) for test in tests)
            case Not(part):
                inner = self._test(part)
                return lambda row: not inner(row)
            case Compared(left, comparison, right):
                one, other = self._value(left), self._value(right)
                return lambda row: _holds(one(row), comparison, other(row))
            case Within(operand, operator, options):
                value = self._value(operand)
                return _membership(value, operator, [option.value for option in options])
            case Checked(check, operand):
                value = self._value(operand)
                return lambda row: _checked(check, value(row))
            case never:
                assert_never(never)

    def _value(self, operand: Operand) -> Value:
        match operand:
            case Literal(value):
                return lambda _: value
            case Path():
                return _at(self._source(operand))
            case never:
                assert_never(never)


def _at(path: Path) -> Value:
    """A path in rows in, what looks it up in a row out."""
    column, steps = path.column, path.steps
    if not steps:
        return lambda row: row.value(column)

    def value(row: Row) -> Any:
        found = row.value(column)
        for step in steps:
            if isinstance(found, dict):
                found = found.get(step)
            elif isinstance(found, list) and isinstance(step, int) and step < len(found):
                found = found[step]
            else:
                return None
        return found

    return value


def _holds(left: Any, operator: Comparison, right: Any) -> bool:
    """Two values in, whether the comparison holds out, by Kusto's rules for what is missing and for texts."""
    if operator in ("==", "!=") and (left is None or right is None):
        return operator == "!=" and left is not right
    if isinstance(left, str) or isinstance(right, str):
        return _texts_compare(_text(left), operator, _text(right))
    match operator:
        case "==":
            return _same(left, right)
        case "!=":
            return not _same(left, right)
        case "<" | "<=" | ">" | ">=":
            return _is_number(left) and _is_number(right) and _ordered(left, operator, right)
        case "=~" | "!~" | "startswith" | "endswith" | "contains":
            return _texts_compare(_text(left), operator, _text(right))
        case never:
            assert_never(never)


def _texts_compare(left: str, operator: Comparison, right: str) -> bool:
    match operator:
        case "==":
            return left == right
        case "!=":
            return left != right
        case "=~":
            return left.casefold() == right.casefold()
        case "!~":
            return left.casefold() != right.casefold()
        case "startswith":
            return left.casefold().startswith(right.casefold())
        case "endswith":
            return left.casefold().endswith(right.casefold())
        case "contains":
            return right.casefold() in left.casefold()
        case "<" | "<=" | ">" | ">=":
            return _ordered(left, operator, right)
        case never:
            assert_never(never)


def _ordered(left: Any, operator: Comparison, right: Any) -> bool:
    below, above = bool(left < right), bool(left > right)
    return {"<": below, "<=": not above, ">": above, ">=": not below}[operator]


def _same(left: Any, right: Any) -> bool:
    """Whether two values are the same; true is not 1."""
    return isinstance(left, bool) == isinstance(right, bool) and bool(left == right)


def _is_number(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)


def _text(value: Any) -> str:
    """A value in, what Kusto's tostring makes of it out."""
    match value:
        case None:
            return ""
        case str():
            return value
        case _:
            return msgspec.json.encode(value).decode()


def _membership(value: Value, operator: Membership, options: list[Any]) -> Test:
    """A value and the options in, what tests a row for it out."""
    wanted = not operator.startswith("!")
    if operator.endswith("~"):
        texts = {_text(option).casefold() for option in options}
        return lambda row: (_text(value(row)).casefold() in texts) == wanted

    def test(row: Row) -> bool:
        found = value(row)
        return any(_holds(found, "==", option) for option in options) == wanted

    return test


def _checked(check: Check, value: Any) -> bool:
    match check:
        case "isnull":
            return value is None
        case "isnotnull":
            return value is not None
        case "isempty":
            return value is None or value == ""
        case "isnotempty":
            return value is not None and value != ""
        case never:
            assert_never(never)


def _sortable(value: Any) -> tuple[bool, Any]:
    return (value is not None, value if value is not None else "")
