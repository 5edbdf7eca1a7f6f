"""Kubernetes asks before it stores something: an AdmissionReview's bytes in, the Service it is about out; and back.

Everything is allowed, always: what the API server does without an answer says the configuration of the webhook.
"""

import base64
from typing import Annotated, Final, Literal, TypeVar

import msgspec
from msgspec import UNSET, Meta, Raw, Struct, UnsetType

from governor.core.service_annotations import Change, Edit, Service

# The API server takes objects of up to 3 MiB, and a review holds one as it was and one as it would be.
MOST_BYTES: Final = 8 * 1024 * 1024
# Kubernetes' own; those of AKS are known by labels of theirs, which the configuration of the webhook leaves out.
SYSTEM_NAMESPACES: Final = ("kube-system", "kube-public", "kube-node-lease")
_NULL: Final = b"null"
_V1: Final = "admission.k8s.io/v1"
T = TypeVar("T")


class NotAReviewError(ValueError):
    """What was sent is no AdmissionReview of this version: one clear line."""


class Kind(Struct, frozen=True):
    group: str = ""
    version: str = ""
    kind: str = ""


class Request(Struct, frozen=True, rename="camel"):
    """What somebody asks of the API server."""

    uid: Annotated[str, Meta(min_length=1)]
    kind: Kind
    operation: str
    namespace: str = ""
    name: str = ""
    sub_resource: str | None = None
    object: Raw = Raw(_NULL)
    old_object: Raw = Raw(_NULL)


class _Asked(Struct, frozen=True, rename="camel"):
    request: Request
    api_version: Literal["admission.k8s.io/v1"]
    kind: Literal["AdmissionReview"]


class Response(Struct, frozen=True, rename="camel"):
    uid: str
    allowed: bool = True
    patch_type: Literal["JSONPatch"] | UnsetType = UNSET
    patch: str | UnsetType = UNSET
    warnings: tuple[str, ...] | UnsetType = UNSET


class Answer(Struct, frozen=True, rename="camel"):
    """An AdmissionReview as the API server wants it back."""

    response: Response
    api_version: str = _V1
    kind: str = "AdmissionReview"


def read(raw: bytes) -> Request:
    """The body of a request in, what it asks out; NotAReviewError says what is wrong with it."""
    if len(raw) > MOST_BYTES:
        raise NotAReviewError(f"an AdmissionReview has at most {MOST_BYTES} bytes, and this has {len(raw)}")
    return _decoded(raw, _Asked, f"not an AdmissionReview of {_V1}").request


def change(request: Request) -> Change | None:
    """A request in; the Service that it makes or changes, or None when it is about anything else, out."""
    if request.kind != Kind("", "v1", "Service") or request.sub_resource or request.namespace in SYSTEM_NAMESPACES:
        return None
    if request.operation not in ("CREATE", "UPDATE") or bytes(request.object) == _NULL:
        return None
    service = _decoded(request.object, Service, "request.object is no Service")
    if bytes(request.old_object) == _NULL:
        return Change(service)
    return Change(service, _decoded(request.old_object, Service, "request.oldObject is no Service"))


def answer(request: Request, edit: Edit) -> Answer:
    """A request and what is put on its Service in, the answer out."""
    response = Response(request.uid, warnings=edit.warnings or UNSET)
    if edit.patch:
        patch = base64.b64encode(msgspec.json.encode(edit.patch)).decode()
        response = msgspec.structs.replace(response, patch_type="JSONPatch", patch=patch)
    return Answer(response)


def _decoded(raw: bytes | Raw, kind: type[T], what: str) -> T:
    try:
        return msgspec.json.decode(raw, type=kind)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as wrong:
        raise NotAReviewError(f"{what}: {wrong}") from wrong
