"""Policy x resource x requirement: what holds, with the evidence."""

from enum import StrEnum

from msgspec import Struct


class Result(StrEnum):
    COMPLIANT = "Compliant"
    VIOLATION = "Violation"
    EXEMPT = "Exempt"
    UNKNOWN = "Unknown"
    NOT_APPLICABLE = "NotApplicable"
    UNGOVERNED = "Ungoverned"


class Verdict(Struct, frozen=True, omit_defaults=True, gc=False):
    """One judgement. `seen` and `expected` are words for people; `addresses` are the public addresses it leaves from."""

    resource: str
    requirement: str
    result: Result
    policy: str | None = None
    seen: str = ""
    expected: str = ""
    addresses: tuple[str, ...] = ()
