"""What went wrong in, what people are told out: one line that says what, where and what to do."""

import sqlite3


class CommandError(Exception):
    """A person did or has something that a command cannot work with. `str()` is the line; the exit code is 1."""


def told(error: Exception) -> str:
    """Any error in, its words for people out; one that is nobody's mistake says how to see where it came from."""
    from governor.decisions import DecisionError
    from governor.policy_files import PolicyErrors
    from governor.ports import Trouble
    from governor.settings import SettingsError

    match error:
        case CommandError() | DecisionError() | PolicyErrors() | SettingsError() | Trouble():
            return str(error)
        case sqlite3.DatabaseError():
            return f"the ledger cannot be used: {error}"
        case OSError() if error.filename:
            return f"{error.filename}: {error.strerror}"
        case _:
            return f"a defect: {type(error).__name__}: {' '.join(str(error).split())} (--debug shows where)"
