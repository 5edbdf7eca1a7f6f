"""A Cause that is put is a message that says the same, visible when it was asked for."""

from pathlib import Path

from governor import messages
from governor.core.cause import SURVEYS, Survey
from governor.ports import Inbox
from tests.local.worlds import NOON, SUBSCRIPTION, Message, Store, event
from tests.support.clock import FakeClock


async def test_a_cause_waits_as_long_as_it_was_told(
    inbox: Inbox, store: Store, tmp_path: Path, clock: FakeClock
) -> None:
    await inbox.put(event())
    await inbox.put(event(), after=900)
    found = store.messages(tmp_path, clock)
    assert found == [Message(messages.encode(event()), 0), Message(messages.encode(event()), 900)]
    assert messages.decode(found[0].body) == event()


async def test_a_message_is_put_back_as_it_is(inbox: Inbox, store: Store, tmp_path: Path, clock: FakeClock) -> None:
    raw = '{"v": 2,  "source":"dream", "name":"Zoë"}'.encode()
    await inbox.put_back(raw, after=60)
    assert store.messages(tmp_path, clock) == [Message(raw, 60)]


async def test_surveys_have_a_queue_of_their_own(inbox: Inbox, store: Store, tmp_path: Path, clock: FakeClock) -> None:
    survey = Survey((SUBSCRIPTION,), NOON)
    await inbox.put(event())
    await inbox.put(survey, after=5)
    await inbox.put_back(b"{}", 60, SURVEYS)
    assert store.messages(tmp_path, clock) == [Message(messages.encode(event()), 0)]
    assert store.messages(tmp_path, clock, SURVEYS) == [Message(messages.encode(survey), 5), Message(b"{}", 60)]


async def test_messages_outlive_the_inbox(inbox: Inbox, store: Store, tmp_path: Path, clock: FakeClock) -> None:
    await inbox.put(event())
    await inbox.close()
    again = store.inbox(tmp_path, clock)
    await again.put(event())
    await again.close()
    assert len(store.messages(tmp_path, clock)) == 2
