"""Faults by rule: a request in, the fault that strikes it (or none) out."""

import re
from typing import Any, Literal

import msgspec

from simulator.wire import Body, Request, Response, answer


class Fault(msgspec.Struct):
    """Strikes requests whose method and path match, `count` times (None: always).

    With `status` it answers itself; with `drop` the connection is lost, before the request is seen or after it took
    effect; with `later` the request is accepted and its operation fails with `code` and `message`. `path` is a regular
    expression searched in the path, without regard to case.
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

    def __post_init__(self) -> None:
        try:
            re.compile(self.path)
        except re.error as problem:
            raise ValueError(f"path is no regular expression: {problem}") from None

    def strikes(self, request: Request) -> bool:
        """Whether it matches and is not used up."""
        if self.count == 0 or self.method not in ("*", request.method):
            return False
        return re.search(self.path, request.path, re.IGNORECASE) is not None

    @property
    def failure(self) -> Body | None:
        """The error its operation ends with, when it strikes later."""
        return {"code": self.code, "message": self.message, "details": []} if self.later else None

    def response(self) -> Response:
        """The answer it gives in place of ARM's."""
        headers = {"Retry-After": str(self.retry_after)} if self.retry_after is not None else {}
        body = self.body if self.body is not None else {"error": {"code": self.code, "message": self.message}}
        return answer(self.status, body, headers)


def striking(faults: list[Fault], request: Request) -> Fault | None:
    """The first fault that strikes the request; its count is one less then."""
    for fault in faults:
        if fault.strikes(request):
            if fault.count is not None:
                fault.count -= 1
            return fault
    return None
