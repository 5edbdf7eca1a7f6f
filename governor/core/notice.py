"""What people are told without asking: a Record and what it changed in, one Notice with its text out."""

from collections.abc import Iterable
from datetime import datetime
from typing import Final

import msgspec
from msgspec import Struct
from msgspec.structs import replace

from governor.core import ids
from governor.core.cause import VERSION, Scope
from governor.core.register import Entry, Move

# A stored property of Azure Tables holds 64 KiB, and Event Grid counts an event by as many.
MAX_BYTES: Final = 48 * 1024
_SHOWN: Final = 20


class AddressesChanged(Struct, frozen=True, omit_defaults=True, tag="AddressesChanged"):
    """Whence something leaves is other than it was. left_out: so many more, for which there was no room."""

    moves: tuple[Move, ...]
    left_out: int = 0


class Notice(Struct, frozen=True):
    """One notice of one run. id: the same however often it is sent. record: the Record that says what was done."""

    id: str
    time: datetime
    scope: Scope
    record: str
    what: AddressesChanged
    text: str
    v: int = VERSION

    @property
    def type(self) -> str:
        """What kind of event it is to those who subscribe."""
        return f"EgressGovernor.{type(self.what).__name__}"


def addresses_changed(scope: Scope, record: str, moves: tuple[Move, ...], at: datetime) -> Notice:
    """A Scope, the Record of a run on it and what has moved in, the Notice out."""
    what = AddressesChanged(moves)
    while True:
        notice = Notice(f"addresses-{record}", at, scope, record, what, _text(what, record))
        if len(msgspec.json.encode(notice)) <= MAX_BYTES or len(what.moves) <= 1:
            return notice
        kept = what.moves[: len(what.moves) * 3 // 4]
        what = replace(what, moves=kept, left_out=len(moves) - len(kept))


def _text(what: AddressesChanged, record: str) -> str:
    """What to allow, line by line, and where more stands."""
    lines = [_line(move) for move in what.moves[:_SHOWN]]
    more = what.left_out + max(0, len(what.moves) - _SHOWN)
    if more:
        lines.append(f"and {more} more: egress-governor addresses lists them all")
    policies = sorted({move.now.policy for move in what.moves if move.now.policy})
    lines.append(f"by {', '.join(policies) or 'nobody'}, record {record}")
    return "\n".join(lines)


def _line(move: Move) -> str:
    kind = "AKS cluster" if move.now.is_cluster else "subnet"
    said = f"{kind} {_place(move.now.resource)} leaves from {_from(move.now)}"
    if move.before is not None:
        said += f"; before: {_from(move.before)}"
    new = _without(move.now.addresses, move.before)
    return f"{said}; allow {', '.join(new)} where its addresses are listed" if new else said


def _from(entry: Entry) -> str:
    if entry.addresses:
        return ", ".join(entry.addresses) + ("" if entry.whole else " and others that are not known")
    return "nowhere: it has no way out" if entry.whole else "addresses that are not known, or change"


def _without(addresses: Iterable[str], before: Entry | None) -> list[str]:
    return [one for one in addresses if before is None or one not in before.addresses]


def _place(resource: str) -> str:
    names = ids.parse(resource).names
    return "/".join(names[-2:])
