"""ARM's refusals: what went wrong in, an ArmError with the exact status, code and envelope out."""

from collections.abc import Mapping
from typing import Literal

from simulator.wire import Body, Response, answer

Envelope = Literal["gateway", "provider", "cluster"]


class ArmError(Exception):
    """An answer that is an error. Who answers decides the envelope: ARM itself, a provider, or AKS (flat)."""

    def __init__(
        self,
        status: int,
        code: str,
        message: str,
        *,
        envelope: Envelope = "provider",
        details: list[Body] | None = None,
        headers: Mapping[str, str] | None = None,
        beside: Body | None = None,
    ) -> None:
        super().__init__(f"{status} {code}: {message}")
        self.status = status
        self.code = code
        self.message = message
        self.envelope = envelope
        self.details = details or []
        self.headers = dict(headers or {})
        self.beside = beside or {}

    @property
    def error(self) -> Body:
        """The error object as a failed operation shows it."""
        return {"code": self.code, "message": self.message, "details": self.details}

    def response(self) -> Response:
        """The whole answer, in the envelope of who gives it."""
        match self.envelope:
            case "gateway":
                body: Body = {"error": {"code": self.code, "message": self.message, **self.beside}}
                return answer(self.status, body, {"x-ms-failure-cause": "gateway", **self.headers})
            case "provider":
                return answer(self.status, {"error": self.error}, self.headers)
            case "cluster":
                body = {"code": self.code, "details": None, "message": self.message, "subcode": ""}
                return answer(self.status, body, self.headers)


def gateway(status: int, code: str, message: str, headers: Mapping[str, str] | None = None) -> ArmError:
    """An error that ARM gives before any provider sees the request."""
    return ArmError(status, code, message, envelope="gateway", headers=headers)


# --- what ARM itself says -------------------------------------------------------------------------


def unauthenticated() -> ArmError:
    why = "The authentication failed because of missing 'Authorization' header."
    challenge = (
        f'Bearer authorization_uri="https://login.windows.net/", error="invalid_token", error_description="{why}"'
    )
    return gateway(
        401,
        "AuthenticationFailed",
        "Authentication failed. The 'Authorization' header is missing.",
        {"WWW-Authenticate": challenge},
    )


def no_arm_path() -> ArmError:
    return gateway(
        404,
        "MissingSubscription",
        "The request did not have a subscription or a valid tenant level resource provider.",
    )


def missing_api_version() -> ArmError:
    return gateway(
        400,
        "MissingApiVersionParameter",
        "The api-version query parameter (?api-version=) is required for all requests.",
    )


def invalid_content(why: str) -> ArmError:
    return gateway(
        400, "InvalidRequestContent", f"The request content was invalid and could not be deserialized: '{why}'."
    )


def content_too_large(size: int, limit: int) -> ArmError:
    return gateway(
        413,
        "RequestContentTooLarge",
        f"Request body size '{size}' is too large. The maximum size allowed is '{limit}'.",
    )


def invalid_subscription(subscription: str) -> ArmError:
    return gateway(
        400,
        "InvalidSubscriptionId",
        f"The provided subscription identifier '{subscription}' is malformed or invalid.",
    )


def subscription_not_found(subscription: str) -> ArmError:
    return gateway(404, "SubscriptionNotFound", f"The subscription '{subscription}' could not be found.")


def group_not_found(group: str) -> ArmError:
    return gateway(404, "ResourceGroupNotFound", f"Resource group '{group}' could not be found.")


def group_being_deleted(group: str) -> ArmError:
    return gateway(
        409,
        "ResourceGroupBeingDeleted",
        f"The resource group '{group}' is in deprovisioning state and cannot perform this operation.",
    )


def group_location(group: str, given: str, existing: str) -> ArmError:
    return gateway(
        409,
        "InvalidResourceGroupLocation",
        f"Invalid resource group location '{given}'. The Resource group already exists in location '{existing}'.",
    )


def resource_not_found(type_name: str, group: str) -> ArmError:
    """ARM's own index never held it: `type_name` is `Microsoft.Network/natGateways/x`."""
    return gateway(
        404,
        "ResourceNotFound",
        f"The Resource '{type_name}' under resource group '{group}' was not found. "
        "For more details please go to https://aka.ms/ARMResourceNotFoundFix",
    )


def parent_not_found(parent_name: str) -> ArmError:
    return gateway(
        404,
        "ParentResourceNotFound",
        f"Can not perform requested operation on nested resource. Parent resource '{parent_name}' not found.",
    )


def location_required() -> ArmError:
    return gateway(400, "LocationRequired", "The location property is required for this definition.")


def location_changed(name: str, existing: str, group: str, given: str) -> ArmError:
    return gateway(
        409,
        "InvalidResourceLocation",
        f"The resource '{name}' already exists in location '{existing}' in resource group '{group}'. "
        f"A resource with the same name cannot be created in location '{given}'. Please select a new resource name.",
    )


def method_not_allowed(method: str) -> ArmError:
    return gateway(405, "MethodNotAllowed", f"The HTTP method '{method}' is not supported at this scope.")


def not_modelled(what: str) -> ArmError:
    """Not an answer of Azure: it says plainly that the simulator knows nothing of this."""
    return ArmError(501, "NotModelledBySimulator", f"The simulator does not model {what}.", envelope="gateway")


# --- what the Network provider says ---------------------------------------------------------------


def not_found(resource_id: str) -> ArmError:
    """The provider looked and has it not: a child, or a resource just deleted."""
    return ArmError(404, "NotFound", f"Resource {resource_id} not found.")


def reference_not_found(named: str, holder: str) -> ArmError:
    """A resource names another that is not there, or not near enough."""
    return ArmError(
        400,
        "InvalidResourceReference",
        f"Resource {named} referenced by resource {holder} was not found. Please make sure that the referenced "
        "resource exists, and that both resources are in the same region.",
    )


def etag_mismatch(given: str, current: str, resource_id: str) -> ArmError:
    detail = {
        "code": "PreconditionFailedEtagMismatch",
        "message": f"Etag provided in if-match header {given} does not match etag {current} "
        f"of resource {resource_id} in NRP data store.",
    }
    return ArmError(412, "PreconditionFailed", "Precondition failed.", details=[detail])


def already_exists(resource_id: str) -> ArmError:
    detail = {
        "code": "PreconditionFailedResourceExists",
        "message": f"Resource {resource_id} already exists and the if-none-match header is *.",
    }
    return ArmError(412, "PreconditionFailed", "Precondition failed.", details=[detail])


def another_operation(uri: str) -> ArmError:
    return ArmError(
        409,
        "AnotherOperationInProgress",
        "Another operation on this or dependent resource is in progress. "
        f"To retrieve status of the operation use uri: {uri}.",
    )


def retry_another_operation(operation: str, operation_id: str, resource_id: str, seconds: int) -> ArmError:
    detail = {
        "code": "RetryableErrorDueToAnotherOperation",
        "message": f"Operation {operation} ({operation_id}) is updating resource {resource_id}. "
        f"The call can be retried in {seconds} seconds.",
    }
    return try_again(detail, {"Retry-After": str(seconds)})


def not_provisioned(used: str, user: str, state: str, operation: str, *, retryable: bool = True) -> ArmError:
    """A referenced resource is not Succeeded: a busy one may be retried, a failed one must be mended."""
    detail = {
        "code": "ReferencedResourceNotProvisioned",
        "message": f"Cannot proceed with operation because resource {used} used by resource {user} is not in "
        f"Succeeded state. Resource is in {state} state and the last operation that updated/is updating the resource "
        f"is {operation}.",
    }
    if state == "Failed" or not retryable:
        return ArmError(400, detail["code"], detail["message"])
    return try_again(detail)


def bad(code: str, message: str) -> ArmError:
    """A rule of the Network provider was broken."""
    return ArmError(400, code, message)


def cluster(status: int, code: str, message: str) -> ArmError:
    """AKS refuses, in its flat envelope."""
    return ArmError(status, code, message, envelope="cluster")


def property_change_not_allowed(name: str) -> ArmError:
    return cluster(400, "PropertyChangeNotAllowed", f"Changing property '{name}' is not allowed.")


def bad_format(code: str, message: str) -> ArmError:
    """A body that the Network provider cannot read."""
    detail = {"code": code, "message": message}
    return ArmError(400, "InvalidRequestFormat", "Cannot parse the request.", details=[detail])


def try_again(detail: Body, headers: Mapping[str, str] | None = None) -> ArmError:
    """The network provider's wrapping of what may be tried again."""
    return ArmError(429, "RetryableError", "A retryable error occurred.", details=[detail], headers=headers)
