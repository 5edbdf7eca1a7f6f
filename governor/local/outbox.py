"""Notices that wait until they are sent: in with the Record that they tell of, out when they have gone."""

from typing import Final

from governor.core.notice import Notice
from governor.local import chain, keys
from governor.local.rows import Transaction

_TABLE: Final = "ledger"


def put(tx: Transaction, notice: Notice) -> None:
    tx.put(_TABLE, notice.scope.subscription, _row(notice), notice)


def waiting(tx: Transaction, subscription: str | None) -> tuple[Notice, ...]:
    """A subscription (None: all of them) in, what waits there out, the oldest first."""
    wanted = chain.subscriptions(tx) if subscription is None else [subscription.casefold()]
    found = (notice for each in wanted for notice in tx.all(Notice, _TABLE, each, "out|"))
    return tuple(sorted(found, key=lambda notice: notice.time))


def sent(tx: Transaction, notice: Notice) -> None:
    """A Notice that has gone in; it waits no more."""
    tx.delete(_TABLE, notice.scope.subscription, _row(notice))


def _row(notice: Notice) -> str:
    return f"out|{keys.rising(keys.micros(notice.time))}|{notice.id}"
