"""The query language: what is understood does what Kusto does, what is not understood is refused with its place."""

from typing import Any

import pytest

from simulator.graph_query import BadQuery, parsed
from simulator.graph_rows import Row
from simulator.graph_search import Wanted, wanted_by
from simulator.graph_syntax import Query
from simulator.graph_table import Table

COLUMNS: Any = {
    "id": "string",
    "name": "string",
    "type": "string",
    "kind": "string",
    "tags": "object",
    "properties": "object",
}
SHOWN: list[dict[str, Any]] = [
    {
        "id": "/b",
        "name": "Alpha",
        "type": "a/x",
        "kind": "",
        "tags": {"egress": "nat", "in": "dev"},
        "properties": {"count": 3, "on": True, "list": [{"b": "first"}, {"b": "second"}], "text": "Ab"},
    },
    {
        "id": "/a",
        "name": "beta",
        "type": "a/y",
        "kind": "k",
        "tags": None,
        "properties": {"count": 10, "on": False, "list": [], "text": "", "price": 1.5},
    },
    {"id": "/C", "name": "gamma", "type": "a/y", "kind": "", "tags": {}, "properties": {}},
]


def evaluated(text: str) -> Table:
    """A query in, what it makes of the rows above out."""
    table = Table([Row("", row["id"], row["type"], lambda _: None, row) for row in SHOWN], COLUMNS)
    for operator in parsed(text).operators:
        table.apply(operator)
    return table


def ids(text: str) -> str:
    """A query in, the ids it leaves, in order, without their slashes out."""
    return "".join(row["id"][1:] for row in evaluated(text).page(0, 100))


@pytest.mark.parametrize(
    ("condition", "left"),
    [
        ("name == 'Alpha'", "b"),
        ("name == 'alpha'", ""),
        ("name =~ 'ALPHA'", "b"),
        ("name != 'Alpha'", "aC"),
        ("name !~ 'ALPHA'", "aC"),
        ('"beta" == name', "a"),
        ("name in ('beta', 'ALPHA')", "a"),
        ("name in~ ('beta', 'ALPHA')", "ba"),
        ("name !in ('beta')", "bC"),
        ("name !in~ ('BETA', 'alpha')", "C"),
        ("name startswith 'AL'", "b"),
        ("name endswith 'A'", "baC"),
        ("name contains 'MM'", "C"),
        ("name < 'b'", "b"),
        ("name >= 'beta'", "aC"),
        ("properties.count > 3", "a"),
        ("properties.count >= 3", "ba"),
        ("properties.count <= 3.0", "b"),
        ("properties.count == 10", "a"),
        ("properties.count != 10", "bC"),
        ("properties.price < 2", "a"),
        ("properties.count > -1", "ba"),
        ("properties.on == true", "b"),
        ("properties.on == false", "a"),
        ("properties.on != true", "aC"),
        ("properties.on == 1", ""),
        ("properties.on == 'true'", "b"),
        ("properties.count == '3'", "b"),
        ("properties.text == ''", "a"),
        ("properties.text =~ ''", "aC"),
        ("properties.list == '[]'", "a"),
        ("properties['text'] == 'Ab'", "b"),
        ("properties.list[1].b == 'second'", "b"),
        ("properties.list[9].b == 'second'", ""),
        ("properties.text.more == 'x'", ""),
        ("tags['egress'] == 'nat'", "b"),
        ("tags.egress =~ 'NAT'", "b"),
        ("tags.egress != 'nat'", "aC"),
        ("tags.in == 'dev'", "b"),
        ("isnull(tags)", "a"),
        ("isnotnull(tags)", "bC"),
        ("isempty(tags.egress)", "aC"),
        ("isnotempty(properties.text)", "b"),
        ("isempty(kind)", "bC"),
        ("properties.count == null", ""),
        ("properties.count != null", "ba"),
        ("name == 'beta' or name == 'gamma' and kind == 'no'", "a"),
        ("(name == 'beta' or name == 'gamma') and kind == ''", "C"),
        ("not(name == 'beta')", "bC"),
        ("not(name == 'beta' or kind == '') or name =~ 'alpha'", "b"),
        ('name != "a\\"b" and name != "c\\\\d"', "baC"),
    ],
)
def test_conditions(condition: str, left: str) -> None:
    assert ids(f"resources | where {condition}") == left


@pytest.mark.parametrize(
    ("query", "order"),
    [
        ("resources | order by id asc", "Cab"),
        ("resources | sort by id", "baC"),
        ("resources | order by type asc, id desc", "baC"),
        ("resources | order by kind desc, name asc", "abC"),
        ("resources | order by id asc | take 2", "Ca"),
        ("resources | limit 1", "b"),
        ("resources | take 0", ""),
        ("where kind == 'k'", "a"),
        ("RESOURCES // all of them\n | where kind == 'k' // but not these", "a"),
        ("resources | project id, now = name | where now == 'beta'", "a"),
        ("resources | extend n = properties.count | where n == 10", "a"),
        ("resources | extend list = properties.list | extend b = list[0].b | where b == 'first'", "b"),
    ],
)
def test_operators_come_after_each_other(query: str, order: str) -> None:
    assert ids(query) == order


def test_project_chooses_names_and_order() -> None:
    table = evaluated("resources | where name =~ 'alpha' | project count = properties.count, id, name, t = tags")
    assert table.page(0, 1) == [{"count": 3, "id": "/b", "name": "Alpha", "t": {"egress": "nat", "in": "dev"}}]
    assert list(table.page(0, 1)[0]) == ["count", "id", "name", "t"]
    assert table.types == {"count": "object", "id": "string", "name": "string", "t": "object"}


def test_values_are_texts_where_they_are_told_to_be() -> None:
    table = evaluated(
        "resources | extend t = tostring(properties.text) | where tostring(t) startswith 'a' | project id, t"
    )
    assert table.page(0, 9) == [{"id": "/b", "t": "Ab"}]


def test_extend_adds_to_what_is_there() -> None:
    table = evaluated("resources | project id | extend same = id")
    assert table.page(0, 9) == [{"id": row["id"], "same": row["id"]} for row in SHOWN]


def test_count_is_one_row() -> None:
    table = evaluated("resources | where type == 'a/y' | count")
    assert (table.page(0, 9), table.types) == ([{"Count": 2}], {"Count": "integer"})
    assert evaluated("resources | count | where Count > 3").page(0, 9) == []


@pytest.mark.parametrize(
    ("query", "line", "character", "token"),
    [
        ("resources | summarize count() by type", 1, 12, "summarize"),
        ("resources | mv-expand properties.subnets", 1, 12, "mv-expand"),
        ("resources\n| where a == 1\n| join (resources) on id", 3, 2, "join"),
        ("resources | where tolower(name) == 'a'", 1, 25, "("),
        ("resources | where name has 'a'", 1, 23, "has"),
        ("resources | where name ==", 1, 25, "<EOF>"),
        ("resources | where name == 'a", 1, 26, "'"),
        ("resources | where name in ()", 1, 27, ")"),
        ("resources | project properties.count", 1, 30, "."),
        ("resources | order id", 1, 18, "id"),
        ("resources | take many", 1, 17, "many"),
        ("resources | WHERE name == 'a'", 1, 12, "WHERE"),
        ("resources |", 1, 11, "<EOF>"),
        ("", 1, 0, "<EOF>"),
    ],
)
def test_what_is_not_understood_is_said_with_its_place(query: str, line: int, character: int, token: str) -> None:
    with pytest.raises(BadQuery) as refused:
        parsed(query)
    assert (refused.value.line, refused.value.character, refused.value.token) == (line, character, token)
    assert repr(token) in str(refused.value)


@pytest.mark.parametrize(
    ("query", "why"),
    [
        ("resources | where size == 1", "named 'size'"),
        ("resources | project id | where name == 'a'", "named 'name'"),
        ("resources | count | project id", "named 'id'"),
        ("resources | order by tags asc", "dynamic type"),
        ("resources | order by properties.count asc", "dynamic type"),
    ],
)
def test_columns_must_be_there_and_sortable(query: str, why: str) -> None:
    with pytest.raises(BadQuery, match=why):
        evaluated(query)


@pytest.mark.parametrize(
    ("conditions", "wanted"),
    [
        ("type =~ 'A/X'", Wanted(types=frozenset({"a/x"}))),
        ("id in~ ('/A', '/b') and type in ('a/x')", Wanted(frozenset({"a/x"}), frozenset({"/a", "/b"}))),
        ("type == 'a/x' | where type == 'a/y'", Wanted(types=frozenset())),
        ("type =~ 'a/x' or name == 'b'", Wanted()),
        ("not(type =~ 'a/x')", Wanted()),
        ("type != 'a/x'", Wanted()),
        ("name == 'a' | project type = name | where type == 'a'", Wanted()),
    ],
)
def test_first_conditions_say_which_rows_need_not_be_looked_at(conditions: str, wanted: Wanted) -> None:
    assert wanted_by(parsed(f"resources | where {conditions}")) == wanted


def test_table_is_resources_unless_another_is_named() -> None:
    assert parsed("project id") == Query(("resources",), parsed("resources | project id").operators)
    assert parsed("ResourceContainers").tables == ("resourcecontainers",)
    assert parsed("ResourceContainers | union Resources | take 1").tables == ("resourcecontainers", "resources")
