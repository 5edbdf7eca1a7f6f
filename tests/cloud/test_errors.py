"""Azure's errors become the five words: every recorded answer, and every code that is known."""

import json
from pathlib import Path
from typing import Any

import pytest
from azure.core.exceptions import (
    ClientAuthenticationError,
    HttpResponseError,
    IncompleteReadError,
    ServiceResponseTimeoutError,
)

from governor.cloud import errors
from governor.cloud.errors import SignedOut, Throttled, Unclear
from governor.ports import Absent, Changed, Refused, Terminal, Transient, Trouble
from tests.support.transport import lost

RECORDED: dict[int, type[Trouble]] = {
    0: Terminal,  # CannotDeleteNatGatewayAssociatedToSubnet
    1: Terminal,  # InUseSubnetCannotBeDeleted
    2: Terminal,
    3: Terminal,  # PublicIPAddressCannotBeDeleted
    4: Transient,  # 409 AnotherOperationInProgress
    5: Transient,  # 429 RetryableError / ReferencedResourceNotProvisioned
    6: Throttled,  # 429 SubscriptionRequestsThrottled
    7: Refused,  # 403 RequestDisallowedByPolicy
    8: Refused,  # 409 ScopeLocked
    9: Transient,  # 409 OperationNotAllowed, flat
    10: Terminal,  # 400 ExistingRouteTableNotAssociatedWithSubnet, flat
    11: Transient,  # 429 RetryableError / RetryableErrorDueToAnotherOperation
}


def translated(status: int, body: object, headers: dict[str, str] | None = None) -> Trouble:
    return errors.trouble(status, headers or {}, json.dumps(body).encode())


def enveloped(code: str, message: str = "why", *details: str) -> dict[str, Any]:
    return {"error": {"code": code, "message": message, "details": [{"code": d, "message": ""} for d in details]}}


def test_every_recorded_error(shared: Path) -> None:
    exchanges = json.loads((shared / "recordings" / "errors_catalogue.json").read_text())["exchanges"]
    found = {e["n"]: translated(e["status"], e["response_body"], e["headers"]) for e in exchanges}
    assert {n: type(trouble) for n, trouble in found.items()} == RECORDED
    throttled, retryable = found[6], found[11]
    assert isinstance(throttled, Transient)
    assert throttled.after == 10.0
    assert isinstance(retryable, Transient)
    assert retryable.after == 12.0
    policy, lock = found[7], found[8]
    assert isinstance(policy, Refused)
    assert str(policy).startswith(
        "Azure Policy forbids it: Enforce Jobs on Automation Hybrid Runbook Workers, assigned"
    )
    assert str(policy).endswith("/fd5e2cb3842d4eefbc857917 (RequestDisallowedByPolicy)")
    assert policy.scope.endswith("/policyAssignments/fd5e2cb3842d4eefbc857917")
    assert isinstance(lock, Refused)
    assert (lock.code, lock.action, lock.scope) == (
        "ScopeLocked",
        "delete",
        "/subscriptions/00000000-0000-0000-0000-000000000000",
    )
    assert all("\n" not in str(trouble) and len(str(trouble)) < 800 for trouble in found.values())


@pytest.mark.parametrize(
    ("status", "body", "word"),
    [
        (429, enveloped("RetryableErrorDueToAnotherOperation"), Transient),
        (429, enveloped("RetryableError", "", "RetryableErrorDueToTooManyCalls"), Throttled),
        (429, {}, Throttled),
        (408, {}, Transient),
        (500, enveloped("InternalServerError"), Unclear),
        (502, {}, Unclear),
        (503, enveloped("ServiceUnavailable"), Unclear),
        (504, enveloped("GatewayTimeout"), Unclear),
        (501, enveloped("NotModelled"), Terminal),
        (409, enveloped("AnotherOperationInProgress"), Transient),
        (409, {"code": "AKSOperationPreempted", "details": None, "message": "newer", "subcode": ""}, Transient),
        (409, enveloped("MissingSubscriptionRegistration"), Terminal),
        (409, enveloped("ResourceGroupBeingDeleted"), Terminal),
        (400, enveloped("ReferencedResourceNotProvisioned", "Resource is in Failed state"), Terminal),
        (400, enveloped("ReferencedResourceNotProvisioned", "Resource is in Updating state and the last"), Transient),
        (400, enveloped("RetryableError", "", "ReferencedResourceNotProvisioned"), Transient),
        (409, enveloped("Canceled", "CanceledAndSupersededDueToAnotherOperation"), Transient),
        (400, enveloped("InUseSubnetCannotBeUpdated"), Terminal),
        (400, enveloped("NatGatewayCannotBeUsedBySubnetsBelongingToDifferentVirtualNetworks"), Terminal),
        (400, enveloped("SubnetWithNatGatewayAndBasicSkuResourceNotAllowed"), Terminal),
        (400, enveloped("InvalidApiVersionParameter"), Terminal),
        (404, enveloped("ResourceNotFound"), Absent),
        (404, enveloped("ResourceGroupNotFound"), Absent),
        (404, enveloped("NotFound"), Absent),
        (404, enveloped("ParentResourceNotFound"), Absent),
        (404, enveloped("DeploymentNotFound"), Absent),
        # Not one of these says that a resource is gone.
        (404, enveloped("SubscriptionNotFound"), Refused),
        (404, enveloped("MissingSubscription"), Terminal),
        (404, {}, Terminal),
        (400, enveloped("NotFound"), Terminal),
        (412, enveloped("PreconditionFailed", "", "PreconditionFailedEtagMismatch"), Changed),
        (412, {}, Changed),
        (403, enveloped("AuthorizationFailed"), Refused),
        (403, {}, Refused),
        (401, enveloped("ExpiredAuthenticationToken"), SignedOut),
        (302, {}, Terminal),
    ],
)
def test_words(status: int, body: object, word: type[Trouble]) -> None:
    assert type(translated(status, body)) is word


NODES = "/subscriptions/s/resourceGroups/MC_rg_aks_westeurope"
DENY_ASSIGNED = (
    "The client 'c' with object id 'o' has permission to perform action 'Microsoft.Network/routeTables/routes/write' "
    f"on scope '{NODES}/r'; however, the access is denied because of the deny assignment with name 'Deny assignment '1"
    f"' created by Deployment Stack 'x'.' and Id '11111f740ce95642' at scope '{NODES}'."
)
DENY_ASSIGNED_THERE = (
    "The client 'c' with object id 'o' has permission to perform action 'Microsoft.Network/virtualNetworks/write' on "
    "scope '/v'; however, it does not have permission to perform action "
    "'Microsoft.Network/networkSecurityGroups/join/action' on the '0' linked scope(s) '' or the linked scope(s) are "
    f"invalid and is blocked by deny assignments on the '2' linked scope(s) '{NODES}/a,{NODES}/b'."
)
DENY_ASSIGNMENTS = [
    (
        "DenyAssignmentAuthorizationFailed",
        DENY_ASSIGNED,
        ("Microsoft.Network/routeTables/routes/write", f"{NODES}/r"),
        f": Deny assignment '1' created by Deployment Stack 'x'., at {NODES}",
    ),
    (
        "LinkedAuthorizationFailed",
        DENY_ASSIGNED_THERE,
        ("Microsoft.Network/networkSecurityGroups/join/action", f"{NODES}/a,{NODES}/b"),
        "",
    ),
]


@pytest.mark.parametrize(("code", "message", "what", "by"), DENY_ASSIGNMENTS, ids=[d[0] for d in DENY_ASSIGNMENTS])
def test_a_deny_assignment_is_named_with_what_it_forbids(
    code: str, message: str, what: tuple[str, str], by: str
) -> None:
    found = translated(403, enveloped(code, message))
    assert isinstance(found, Refused)
    assert (found.action, found.scope) == what
    assert str(found) == f"a deny assignment forbids {what[0]} on {what[1]}{by} ({code})"


def test_who_may_not_do_what_is_said() -> None:
    plain = translated(
        403,
        enveloped(
            "AuthorizationFailed",
            "The client 'c' with object id 'o' does not have authorization to perform action "
            "'Microsoft.Network/virtualNetworks/read' over scope '/subscriptions/s' or the scope is invalid. If access "
            "was recently granted, please refresh your credentials.",
        ),
    )
    linked = translated(
        403,
        enveloped(
            "LinkedAuthorizationFailed",
            "The client 'c' with object id 'o' has permission to perform action 'Microsoft.Network/loadBalancers/write'"
            " on scope '/a'; however, it does not have permission to perform action(s) 'Microsoft.Network/natGateways/"
            "join/action' on the linked scope(s) '/b' (respectively) or the linked scope(s) are invalid.",
        ),
    )
    assert isinstance(plain, Refused)
    assert (plain.action, plain.scope) == ("Microsoft.Network/virtualNetworks/read", "/subscriptions/s")
    assert (
        str(plain)
        == "no permission for Microsoft.Network/virtualNetworks/read on /subscriptions/s (AuthorizationFailed)"
    )
    assert isinstance(linked, Refused)
    assert (linked.action, linked.scope) == ("Microsoft.Network/natGateways/join/action", "/b")


def test_a_failed_operation_is_read_like_any_error() -> None:
    busy = {"code": "AnotherOperationInProgress", "message": "busy", "details": []}
    superseded = {"code": "CanceledAndSupersededDueToAnotherOperation", "message": "", "details": []}
    broken = {"code": "InternalServerError", "message": "broken"}
    assert [type(errors.failed_operation(e)) for e in (busy, superseded, broken)] == [Transient, Transient, Terminal]


@pytest.mark.parametrize("body", [b"", b"<html>502</html>", b"\xff", b"[]", b'"text"', b'{"error": "text"}', b"null"])
def test_whatever_a_proxy_sends_is_one_line(body: bytes) -> None:
    found = errors.trouble(400, {}, body)
    assert type(found) is Terminal
    assert str(found)


@pytest.mark.parametrize(
    ("value", "after"), [("7", 7.0), ("0", 0.0), ("", None), ("Wed, 21 Oct 2026", None), ("-1", None)]
)
def test_retry_after(value: str, after: float | None) -> None:
    assert errors.retry_after({"Retry-After": value}) == after


def test_what_azure_core_raises() -> None:
    assert type(errors.of_sdk(lost())) is Unclear
    assert type(errors.of_sdk(IncompleteReadError("half"))) is Unclear
    assert type(errors.of_sdk(ServiceResponseTimeoutError("late"))) is Unclear
    assert type(errors.of_sdk(ClientAuthenticationError("no login"))) is SignedOut
    assert type(errors.of_sdk(HttpResponseError("no answer at all"))) is Terminal
