"""A query as values: a table and the operators on it, with their conditions."""

from typing import Literal as OneOf
from typing import TypeAlias

import msgspec

Comparison: TypeAlias = OneOf["==", "!=", "=~", "!~", "<", "<=", ">", ">=", "startswith", "contains", "endswith"]
Membership: TypeAlias = OneOf["in", "in~", "!in", "!in~"]
Check: TypeAlias = OneOf["isnull", "isnotnull", "isempty", "isnotempty"]


class Path(msgspec.Struct, frozen=True):
    """A column and the way into its value: `properties.subnets[0].name`."""

    column: str
    steps: tuple[str | int, ...] = ()


class Literal(msgspec.Struct, frozen=True):
    """A value written in the query."""

    value: str | int | float | bool | None


Operand: TypeAlias = Path | Literal


class Compared(msgspec.Struct, frozen=True):
    left: Operand
    operator: Comparison
    right: Operand


class Within(msgspec.Struct, frozen=True):
    value: Operand
    operator: Membership
    options: tuple[Literal, ...]


class Checked(msgspec.Struct, frozen=True):
    check: Check
    value: Operand


class Not(msgspec.Struct, frozen=True):
    part: "Condition"


class And(msgspec.Struct, frozen=True):
    parts: tuple["Condition", ...]


class Or(msgspec.Struct, frozen=True):
    parts: tuple["Condition", ...]


Condition: TypeAlias = Compared | Within | Checked | Not | And | Or


class Where(msgspec.Struct, frozen=True):
    condition: Condition


class Column(msgspec.Struct, frozen=True):
    """A column's new name and where its value comes from."""

    name: str
    source: Path


class Project(msgspec.Struct, frozen=True):
    columns: tuple[Column, ...]


class Extend(msgspec.Struct, frozen=True):
    columns: tuple[Column, ...]


class SortKey(msgspec.Struct, frozen=True):
    source: Path
    ascending: bool


class Order(msgspec.Struct, frozen=True):
    keys: tuple[SortKey, ...]


class Take(msgspec.Struct, frozen=True):
    rows: int


class Count(msgspec.Struct, frozen=True):
    pass


Operator: TypeAlias = Where | Project | Extend | Order | Take | Count


class Query(msgspec.Struct, frozen=True):
    """Tables (in lower case), whose rows are put together, and what is done to them, in order."""

    tables: tuple[str, ...]
    operators: tuple[Operator, ...]
