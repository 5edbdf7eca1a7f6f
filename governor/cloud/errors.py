"""Azure's errors in, one of the five words out: Transient, Absent, Changed, Refused, Terminal.

The code decides, then the status; a busy network, a locked one and a busy cluster all answer 409.
Nothing else in this project looks at a status or a code.
"""

import re
from collections.abc import Mapping
from typing import Any, Final

import msgspec
from azure.core.exceptions import AzureError, ClientAuthenticationError, HttpResponseError, IncompleteReadError
from azure.core.pipeline.transport import AsyncHttpResponse as OlderResponse
from azure.core.rest import AsyncHttpResponse

from governor.ports import Absent, Changed, Refused, Terminal, Transient, Trouble


class Throttled(Transient):
    """Too many requests: other calls of the same kind had better wait too."""


class Unclear(Transient):
    """The connection was lost, or the server failed on the way: nobody knows whether the request took effect."""


class TooLarge(Terminal):
    """The answer would be longer than Azure sends: fewer rows may fit."""


class SignedOut(Transient):
    """No token, or not one that is accepted: tells nothing about the resources, and trying again at once is useless."""


# AKS counts the writes of each cluster: nobody else has to wait.
_OF_ONE_CLUSTER: Final = "Throttled"
_WORDS: Final[tuple[tuple[type[Trouble], tuple[str, ...]], ...]] = (
    (
        Transient,
        (
            "AnotherOperationInProgress",
            "ReferencedResourceNotProvisioned",
            "CanceledAndSupersededDueToAnotherOperation",
            # AKS: the cluster or pool is busy, or was until a newer request took over.
            "OperationNotAllowed",
            "AKSOperationPreempted",
            _OF_ONE_CLUSTER,
            "SubscriptionRequestsThrottled",
            "TooManyRequests",
        ),
    ),
    (
        Absent,
        (
            "ResourceNotFound",
            "ResourceGroupNotFound",
            "NotFound",
            "ParentResourceNotFound",
            "DeploymentNotFound",
            "PolicyDefinitionNotFound",
            "PolicyAssignmentNotFound",
            "PolicyExemptionNotFound",
        ),
    ),
    (Changed, ("PreconditionFailed", "PreconditionFailedEtagMismatch")),
    (
        Refused,
        # A subscription that the identity may not see answers 404: its networks are not gone.
        (
            "AuthorizationFailed",
            "LinkedAuthorizationFailed",
            "DenyAssignmentAuthorizationFailed",
            "RequestDisallowedByPolicy",
            "ScopeLocked",
            "SubscriptionNotFound",
            # Resource Graph: none of the subscriptions asked about can be read.
            "NoValidSubscriptionsInQueryRequest",
        ),
    ),
)
_BY_CODE: Final = {code.casefold(): word for word, codes in _WORDS for code in codes}
_RETRYABLE: Final = "retryableerror"
_TOO_LARGE: Final = "responsepayloadtoolarge"
_TOO_MANY: Final = "retryableerrorduetotoomanycalls"
_SUPERSEDED: Final = "canceledandsupersededduetoanotheroperation"
_NOT_PROVISIONED: Final = "referencedresourcenotprovisioned"
# A peering with a network that is being written is refused with 400 where others are told to try again (429).
_UPDATING: Final = "resource is in updating state"
_TRANSIENT_STATUS: Final = frozenset({408, 429, 500, 502, 503, 504})

_DENIED: Final = re.compile(
    r"perform action(?:\(s\))? '(?P<action>[^']*)' (?:over scope|on the linked scope\(s\)) '(?P<scope>[^']*)'"
)
# Names of deny assignments hold apostrophes themselves.
_DENY_ASSIGNED: Final = re.compile(
    r"perform action '(?P<action>[^']*)' on scope '(?P<scope>[^']*)'; however, the access is denied because of the "
    r"deny assignment with name '(?P<name>.*)' and Id '[^']*' at scope '(?P<place>[^']*)'",
    re.DOTALL,
)
_DENY_ASSIGNED_THERE: Final = re.compile(
    r"perform action '(?P<action>[^']*)' on the '\d+' linked scope\(s\) .* blocked by deny assignments on the '\d+' "
    r"linked scope\(s\) '(?P<scope>[^']*)'",
    re.DOTALL,
)
_LOCKED: Final = re.compile(r"cannot perform (?P<action>\w+) operation .* locked: '(?P<scope>[^']*)'", re.DOTALL)
# What Resource Graph puts before what is wrong; it is another one every time.
_FOR_SUPPORT: Final = re.compile(r"Please provide below info when asking for support: [^,]*, correlationId = [^.]*\. ?")
_TEXT_LIMIT: Final = 600


class _Told(msgspec.Struct, frozen=True):
    """What an error body says, whichever envelope it came in."""

    code: str
    message: str
    details: tuple[str, ...]
    policies: tuple[Mapping[str, Any], ...]

    @property
    def codes(self) -> tuple[str, ...]:
        return tuple(code.casefold() for code in (self.code, *self.details))


def trouble(status: int, headers: Mapping[str, str], body: bytes) -> Trouble:
    """An answer that is an error in, its Trouble out."""
    after = retry_after(headers)
    if after is None and status == 429:
        after = quota_reset(headers)
    return _translate(status, _told(_decoded(body)), after)


def failed_operation(error: object) -> Trouble:
    """The `error` member of a long operation that ended Failed or Canceled in, its Trouble out."""
    return _translate(200, _told(error), None)


def of_sdk(error: AzureError) -> Trouble:
    """What azure-core or azure-identity raised in, its Trouble out."""
    response: object = error.response if isinstance(error, HttpResponseError) else None
    if isinstance(response, AsyncHttpResponse):
        return trouble(response.status_code, response.headers, response.content)
    if isinstance(response, OlderResponse):
        return trouble(response.status_code, response.headers, response.body())
    if isinstance(error, ClientAuthenticationError):
        return SignedOut(f"cannot sign in to Azure: {_line(error.message)}")
    if isinstance(error, HttpResponseError) and not isinstance(error, IncompleteReadError):
        return Terminal(_line(error.message))
    return Unclear(f"the connection to Azure was lost: {_line(str(error))}")


def retry_after(headers: Mapping[str, str]) -> float | None:
    """Headers in, the seconds of Retry-After out; None when it is missing or no number."""
    value = headers.get("Retry-After") or ""
    return float(value) if value.isdecimal() else None


def quota_reset(headers: Mapping[str, str]) -> float | None:
    """Headers of Resource Graph in, the seconds until its quota is whole again out; None when they do not say."""
    parts = (headers.get("x-ms-user-quota-resets-after") or "").split(":")
    if len(parts) != 3 or not all(part.isdecimal() for part in parts):
        return None
    hours, minutes, seconds = (int(part) for part in parts)
    return float(hours * 3600 + minutes * 60 + seconds)


def _translate(status: int, told: _Told, after: float | None) -> Trouble:
    text = (
        f"{told.code}: {_line(told.message)}" if told.code else f"HTTP {status}: {_line(told.message) or 'no reason'}"
    )
    word = _word(status, told)
    if word is Transient:
        kind = Unclear if status >= 500 else Throttled if _is_throttling(status, told) else Transient
        return kind(text, after)
    if word is Refused:
        return _refused(status, told, text)
    if word is Terminal:
        too_large = status == 413 or _TOO_LARGE in told.codes
        return (TooLarge if too_large else Terminal)(text, told.code or str(status))
    return word(text)


def _word(status: int, told: _Told) -> type[Trouble]:
    for code in told.codes:
        word = Transient if code.startswith(_RETRYABLE) else _BY_CODE.get(code)
        if word is Absent and status != 404:
            continue
        if code == _NOT_PROVISIONED and status == 400 and _UPDATING not in told.message.casefold():
            return Terminal  # what is referred to has failed: it will not become ready by waiting
        if word is not None:
            return word
    if _SUPERSEDED in told.message.casefold() or status in _TRANSIENT_STATUS:
        return Transient
    return {401: SignedOut, 403: Refused, 412: Changed}.get(status, Terminal)


def _is_throttling(status: int, told: _Told) -> bool:
    """429 is also how the network provider says that something else is being written."""
    busy = any(code.startswith(_RETRYABLE) or _BY_CODE.get(code) is Transient for code in told.codes[1:])
    named = {_TOO_MANY, "subscriptionrequeststhrottled", "toomanyrequests"}.intersection(told.codes)
    if told.code.casefold() == _OF_ONE_CLUSTER.casefold():
        return False
    return status == 429 and (bool(named) or not (busy or told.codes[0].startswith(_RETRYABLE)))


def _refused(status: int, told: _Told, text: str) -> Refused:
    found = _DENIED.findall(told.message)
    if found:
        # LinkedAuthorizationFailed names first what is allowed, last what is missing.
        action, scope = found[-1]
        return Refused(f"no permission for {action} on {scope} ({told.code})", told.code, action, scope)
    if denied := _DENY_ASSIGNED.search(told.message):
        action, scope = denied["action"], denied["scope"]
        by = f"{denied['name']}, at {denied['place']}"
        said = f"a deny assignment forbids {action} on {scope}: {by} ({told.code})"
        return Refused(said, told.code, action, scope)
    if denied := _DENY_ASSIGNED_THERE.search(told.message):
        action, scope = denied["action"], denied["scope"]
        return Refused(f"a deny assignment forbids {action} on {scope} ({told.code})", told.code, action, scope)
    if locked := _LOCKED.search(told.message):
        action, scope = locked["action"], locked["scope"]
        return Refused(f"a lock on {scope} forbids every {action} ({told.code})", told.code, action, scope)
    if told.policies:
        info = told.policies[0]
        names = ("policyAssignmentDisplayName", "policyDefinitionDisplayName", "policyAssignmentName")
        name = next((info[member] for member in names if info.get(member)), "of no name")
        assignment = str(info.get("policyAssignmentId", ""))
        said = f"Azure Policy forbids it: {name}, assigned as {assignment} ({told.code})"
        return Refused(said, told.code, "write", assignment)
    return Refused(text, told.code or str(status))


def _told(error: object) -> _Told:
    """Three envelopes: {"error": {...}}, the same without it (AKS), and the bare error of a failed operation."""
    inner = error.get("error", error) if isinstance(error, dict) else {}
    inner = inner if isinstance(inner, dict) else {"message": inner}
    details = [d for d in inner.get("details") or () if isinstance(d, dict)]
    additions = [a for a in inner.get("additionalInfo") or () if isinstance(a, dict)]
    parts = [str(inner.get("message") or ""), *(str(detail.get("message") or "") for detail in details)]
    return _Told(
        code=str(inner.get("code") or ""),
        message=_FOR_SUPPORT.sub("", " ".join(part for part in parts if part)),
        details=tuple(str(detail.get("code") or "") for detail in details),
        policies=tuple(
            a["info"] for a in additions if a.get("type") == "PolicyViolation" and isinstance(a.get("info"), dict)
        ),
    )


def _decoded(body: bytes) -> object:
    try:
        return msgspec.json.decode(body)
    except msgspec.DecodeError:  # a proxy's page of HTML, or nothing at all
        return {"message": body.decode("utf-8", "replace")}


def _line(text: str) -> str:
    """Any text in, one line of bounded length out."""
    return " ".join(text.split())[:_TEXT_LIMIT]
