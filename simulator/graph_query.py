"""The query language of Resource Graph, as far as it is modelled: a query's text in, its operators as values out."""

import re
from typing import cast

from lark import Lark, Token, Transformer, v_args
from lark.exceptions import UnexpectedInput, UnexpectedToken

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
    Query,
    SortKey,
    Take,
    Where,
    Within,
)


class BadQuery(ValueError):  # noqa: N818
    """A query cannot be understood; `token` stands where that was seen (lines from 1, characters from 0)."""

    def __init__(self, message: str, *, line: int = 0, character: int = 0, token: str = "") -> None:
        super().__init__(message)
        self.line = line
        self.character = character
        self.token = token

    @property
    def detail(self) -> dict[str, str | int]:
        """What Resource Graph would say about it, in the details of its error."""
        if not self.line:
            return {"code": "InvalidQuery", "message": str(self)}
        return {
            "code": "ParserFailure",
            "message": str(self),
            "line": self.line,
            "characterPositionInLine": self.character,
            "token": self.token,
        }


# Word operators are keywords only where an operator can stand, so columns and members may bear their names.
GRAMMAR = r"""
start: (table | operator) ("|" union)* ("|" operator)*
table: NAME
union: "union" NAME
?operator: "where" condition                         -> where
         | "project" column ("," column)*            -> project
         | "extend" assignment ("," assignment)*     -> extend
         | ("order" | "sort") "by" key ("," key)*    -> order
         | ("take" | "limit") INT                    -> take
         | "count"                                   -> count
?column: NAME                                        -> same
       | assignment
assignment: NAME "=" textual
key: path (ASC | DESC)?
?condition: conjunction | conjunction ("or" conjunction)+   -> either
?conjunction: unit | unit ("and" unit)+                     -> both
?unit: "(" condition ")"
     | "not" "(" condition ")"                       -> negated
     | operand COMPARISON operand                    -> compared
     | operand MEMBERSHIP "(" literal ("," literal)* ")"    -> within
     | CHECK "(" operand ")"                         -> checked
?operand: textual | literal
?textual: path | _TOSTRING "(" path ")"
path: NAME step*
step: "." NAME | "[" STRING "]" | "[" INT "]"
literal: STRING | NUMBER | INT | TRUE | FALSE | NULL

COMPARISON: "==" | "!=" | "=~" | "!~" | "<=" | ">=" | "<" | ">" | "startswith" | "contains" | "endswith"
MEMBERSHIP: "in~" | "!in~" | "in" | "!in"
CHECK.2: /(isnull|isnotnull|isempty|isnotempty)\b/
_TOSTRING.2: /tostring\b/
ASC: "asc"
DESC: "desc"
TRUE: "true"
FALSE: "false"
NULL: "null"
NAME: /[A-Za-z_]\w*/
STRING: /'(\\.|[^'\\\n])*'|"(\\.|[^"\\\n])*"/
NUMBER: /-\d+(\.\d+)?|\d+\.\d+/
INT: /\d+/
%ignore /\s+/
%ignore /\/\/[^\n]*/
"""


@v_args(inline=True)
class _Values(Transformer[Token, Query]):
    """Rules of the grammar in, the values above out."""

    def start(self, *parts: str | Operator) -> Query:
        tables = tuple(part for part in parts if isinstance(part, str))
        operators = tuple(part for part in parts if not isinstance(part, str))
        return Query(tables if isinstance(parts[0], str) else ("resources", *tables), operators)

    def table(self, name: Token) -> str:
        return str(name).lower()

    def union(self, name: Token) -> str:
        return str(name).lower()

    def where(self, condition: Condition) -> Where:
        return Where(condition)

    def project(self, *columns: Column) -> Project:
        return Project(columns)

    def extend(self, *columns: Column) -> Extend:
        return Extend(columns)

    def order(self, *keys: SortKey) -> Order:
        return Order(keys)

    def take(self, rows: Token) -> Take:
        return Take(int(rows))

    def count(self) -> Count:
        return Count()

    def same(self, name: Token) -> Column:
        return Column(str(name), Path(str(name)))

    def assignment(self, name: Token, source: Path) -> Column:
        return Column(str(name), source)

    def key(self, source: Path, direction: Token | None = None) -> SortKey:
        return SortKey(source, ascending=direction == "asc")  # Kusto sorts down unless told otherwise

    def either(self, *parts: Condition) -> Or:
        return Or(parts)

    def both(self, *parts: Condition) -> And:
        return And(parts)

    def negated(self, part: Condition) -> Not:
        return Not(part)

    def compared(self, left: Operand, operator: Token, right: Operand) -> Compared:
        return Compared(left, cast(Comparison, operator.value), right)

    def within(self, value: Operand, operator: Token, *options: Literal) -> Within:
        return Within(value, cast(Membership, operator.value), options)

    def checked(self, check: Token, value: Operand) -> Checked:
        return Checked(cast(Check, check.value), value)

    def path(self, column: Token, *steps: str | int) -> Path:
        return Path(str(column), steps)

    def step(self, token: Token) -> str | int:
        match token.type:
            case "INT":
                return int(token)
            case "STRING":
                return _unquoted(token)
            case _:
                return str(token)

    def literal(self, token: Token) -> Literal:
        match token.type:
            case "STRING":
                return Literal(_unquoted(token))
            case "INT":
                return Literal(int(token))
            case "NUMBER":
                return Literal(float(token))
            case kind:
                return Literal({"TRUE": True, "FALSE": False}.get(kind))


_PARSER = Lark(GRAMMAR, parser="lalr", transformer=_Values())
_KNOWN = "where, project, extend, order by, sort by, take, limit and count"


def parsed(text: str) -> Query:
    """A query's text in, the query out; BadQuery says where it stops being one that is modelled."""
    try:
        # With a transformer the parser gives what `start` gives, which its types do not know.
        return cast(Query, _PARSER.parse(text))
    except UnexpectedInput as problem:
        ended = isinstance(problem, UnexpectedToken) and problem.token.type == "$END"
        place = len(text) if ended else problem.pos_in_stream or 0
        before = text[:place]
        seen = re.match(r"[\w-]+|\S", text[place:])
        token = seen[0] if seen is not None else "<EOF>"
        line, character = before.count("\n") + 1, place - (before.rfind("\n") + 1)
        raise BadQuery(
            f"The simulator does not model {token!r} at line {line}, character {character}: of Resource Graph's "
            f"language it knows the operators {_KNOWN}, with comparisons of columns and values.",
            line=line,
            character=character,
            token=token,
        ) from None


def _unquoted(token: Token) -> str:
    """A quoted text in, what it stands for out."""
    return re.sub(r"\\(.)", lambda found: {"n": "\n", "t": "\t", "r": "\r"}.get(found[1], found[1]), token.value[1:-1])
