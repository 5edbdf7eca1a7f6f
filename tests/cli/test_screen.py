"""Tables for people: names stay whole where the terminal is wide enough, and nothing is ever cut off."""

import io
from collections import Counter

import pytest
from rich.console import Console

from governor.commands import screen

NAMES = ("spoke-factory/snet-plc", "rt-isolated-spoke-vault:")
SENTENCE = "waits for approval: it leaves from an address of Azure's own now, and would leave from 20.50.0.9"


def shown(width: int, *rows: tuple[str, str, str]) -> list[str]:
    made = screen.table("what", "would", "because")
    for row in rows:
        made.add_row(*row)
    file = io.StringIO()
    Console(file=file, width=width, highlight=False).print(made)
    return [line.rstrip() for line in file.getvalue().splitlines()]


@pytest.mark.parametrize("width", [80, 100, 120])
def test_names_are_whole_and_sentences_wrap(width: int) -> None:
    lines = shown(width, (f"{NAMES[0]}\n2a6d9cab8a4e370a", f"attach route table {NAMES[1]} set private", SENTENCE))
    assert all(len(line) <= width for line in lines)
    for name in (*NAMES, "2a6d9cab8a4e370a", "approval:", "20.50.0.9"):
        assert any(name in line for line in lines), name


def test_one_id_that_is_too_long_is_broken_and_the_names_beside_it_are_not() -> None:
    long = "/subscriptions/" + "x" * 150
    lines = shown(80, (NAMES[0], NAMES[1], long))
    assert all(len(line) <= 80 for line in lines)
    assert NAMES[0] in lines[1]
    assert NAMES[1] in lines[1]
    start = lines[0].index("because")
    assert "".join(line[start:] for line in lines[1:]) == long


@pytest.mark.parametrize("width", [12, 40])
def test_where_there_is_no_room_nothing_is_lost(width: int) -> None:
    lines = shown(width, (NAMES[0], NAMES[1], "short"))
    assert all(len(line) <= width for line in lines)
    letters = Counter("".join("".join(lines).split()))
    assert letters == Counter("".join(("what", "would", "because", *NAMES, "short")))


def test_a_table_that_fits_is_as_narrow_as_it_can_be() -> None:
    assert shown(100, ("a", "b", "c")) == ["what  would  because", "a     b      c"]


@pytest.mark.parametrize("width", [60, 80, 100])
def test_a_column_that_is_not_to_wrap_stays_whole(width: int) -> None:
    made = screen.table("time", "because", "why")
    made.columns[0].no_wrap = True
    made.add_row("2026-11-21 14:47:39Z", SENTENCE, SENTENCE)
    file = io.StringIO()
    Console(file=file, width=width, highlight=False).print(made)
    assert "2026-11-21 14:47:39Z  " in file.getvalue()


def test_what_others_wrote_cannot_be_obeyed_by_a_terminal(capsys: pytest.CaptureFixture[str]) -> None:
    made = screen.table("because")
    made.add_row("paused by \x1b[31mmallory\x9b2J\x07 \u202ecod\n\ttab")
    screen.out().print(made)
    screen.out().print("\x1b]0;title\x07")
    said = capsys.readouterr().out
    assert "mallory" in said
    assert not set(said) & set("\x1b\x9b\x07\u202e")
