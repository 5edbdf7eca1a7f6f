"""Faults by rule: a request in, the fault that strikes it (or none) out."""

import random
import re
from fnmatch import fnmatchcase
from pathlib import Path
from typing import Any, Literal

import msgspec

from simulator.ids import parse
from simulator.wire import Body, Request, Response, answer


class BadFaults(ValueError):  # noqa: N818
    """Rules that mean nothing."""


class Fault(msgspec.Struct, forbid_unknown_fields=True):
    """Strikes requests that match in all that is given, `count` times (None: always), each with a `probability`.

    `path` is a regular expression searched in the path, `type` a resource type, `name` a pattern with `*` and `?` for
    the last name in it; none minds case.

    With `status` it answers itself; with `drop` the connection is lost, before the request is seen or after it took
    effect; with `later` the request is accepted and its operation fails with `code` and `message`; with `stale` a GET
    of a resource shows it as it was before the latest write, until so many seconds after that write's end; with `delay`
    the answer comes so many seconds late.
    """

    method: str = "*"
    path: str = ".*"
    count: int | None = 1
    status: int = 0
    code: str = "InternalServerError"
    message: str = "Encountered internal server error."
    body: dict[str, Any] | None = None
    retry_after: int | None = None
    drop: Literal["before", "after"] | None = None
    later: bool = False
    type: str = ""
    name: str = "*"
    probability: float = 1.0
    stale: float = 0.0
    delay: float = 0.0

    def __post_init__(self) -> None:
        try:
            re.compile(self.path)
        except (re.error, OverflowError, RecursionError) as problem:
            raise ValueError(f"path is no regular expression: {problem}") from None
        if not 0 <= self.probability <= 1:
            raise ValueError("probability is a number from 0 to 1")
        if self.status and not 200 <= self.status <= 599:
            raise ValueError("status is a number from 200 to 599")
        if (self.count is not None and self.count < 0) or (self.retry_after is not None and self.retry_after < 0):
            raise ValueError("count and retry_after are not negative")
        if not all(0 <= seconds <= 86_400 for seconds in (self.stale, self.delay)):
            raise ValueError("stale and delay are from 0 to 86400 seconds")
        if not (self.status or self.drop or self.later or self.stale or self.delay):
            raise ValueError("a fault needs a status, drop, later, stale or delay")

    def matches(self, request: Request) -> bool:
        """Whether it is about such requests, and is not used up."""
        if self.count == 0 or self.method.upper() not in ("*", request.method):
            return False
        return re.search(self.path, request.path, re.IGNORECASE) is not None and self._matches_address(request)

    @property
    def failure(self) -> Body | None:
        """The error its operation ends with, when it strikes later."""
        return {"code": self.code, "message": self.message, "details": []} if self.later else None

    def response(self) -> Response:
        """The answer it gives in place of ARM's."""
        headers = {"Retry-After": str(self.retry_after)} if self.retry_after is not None else {}
        body = self.body if self.body is not None else {"error": {"code": self.code, "message": self.message}}
        return answer(self.status, body, headers)

    def _matches_address(self, request: Request) -> bool:
        if not self.type and self.name == "*":
            return True
        address = parse(request.path)
        if address is None or (self.type and address.type_key != self.type.lower()):
            return False
        return fnmatchcase((address.names or ("",))[-1].lower(), self.name.lower())


def striking(faults: list[Fault], request: Request, dice: random.Random) -> Fault | None:
    """The first fault that strikes the request; its count is one less then."""
    for fault in faults:
        if fault.matches(request) and (fault.probability == 1 or dice.random() < fault.probability):
            if fault.count is not None:
                fault.count -= 1
            return fault
    return None


def faults_in(rules: object) -> list[Fault]:
    """A list of rules as JSON has it in, the faults out; what is wrong is told with the number of its rule."""
    if not isinstance(rules, list):
        raise BadFaults("expected a list of rules")
    faults = []
    for number, rule in enumerate(rules, start=1):
        try:
            faults.append(msgspec.convert(rule, Fault))
        except msgspec.ValidationError as problem:
            raise BadFaults(f"rule {number} of {len(rules)}: {problem}") from None
    return faults


def read_faults(file: Path) -> list[Fault]:
    """A file with a list of rules in YAML or JSON in, the faults out; BadFaults names the file and the rule."""
    try:
        return faults_in(msgspec.yaml.decode(file.read_bytes()))
    except OSError as problem:
        raise BadFaults(f"{file}: cannot be read: {problem.strerror}") from None
    except msgspec.DecodeError as problem:
        said = " ".join(str(problem).split()).replace('in "<byte string>", line', "at line")
        raise BadFaults(f"{file}: {said}") from None
    except BadFaults as problem:
        raise BadFaults(f"{file}: {problem}") from None
