"""A Service and its policy in, what is put on it out, row by row; and what is asked, from the bytes of a review."""

import base64
import json
from typing import Any, Final

import msgspec
import pytest

from governor.core import admission
from governor.core.admission import MOST_BYTES, NotAReviewError
from governor.core.policy import Clusters, Mode, Policy, ServiceAnnotations
from governor.core.service_annotations import Change, Edit, Leave, Metadata, Service, Spec, annotate

INTERNAL: Final = "service.beta.kubernetes.io/azure-load-balancer-internal"
SUBNET: Final = "service.beta.kubernetes.io/azure-load-balancer-internal-subnet"
ESCAPED: Final = INTERNAL.replace("/", "~1")
FREE: Final = Leave(Mode.ENFORCE)
WEB: Final = {"app": "web"}


def policy(*rules: ServiceAnnotations, **changes: Any) -> Policy:
    given = rules or (ServiceAnnotations({INTERNAL: "true"}, WEB),)
    settled: dict[str, Any] = {"mode": Mode.ENFORCE, "occupied": Mode.ENFORCE, **changes}
    return Policy(name="spokes", clusters=Clusters(services=given), **settled)


def service(
    annotations: dict[str, str] | None = None,
    labels: dict[str, str] | None = WEB,
    kind: str | None = "LoadBalancer",
    gone: str | None = None,
) -> Service:
    return Service(Metadata(labels, annotations, gone), Spec(kind))


def operations(edit: Edit) -> list[tuple[str, object]]:
    return [(one.path, one.value) for one in edit.patch]


def why(edit: Edit) -> list[str]:
    return [warning.rpartition("not put: ")[2] for warning in edit.warnings]


PUT = [
    ("no annotations yet", service(), [("/metadata/annotations", {INTERNAL: "true"})]),
    ("an empty map", service({}), [(f"/metadata/annotations/{ESCAPED}", "true")]),
    ("others beside it", service({"team": "a"}), [(f"/metadata/annotations/{ESCAPED}", "true")]),
    (
        "more labels than asked for",
        service(labels={**WEB, "tier": "1"}),
        [("/metadata/annotations", {INTERNAL: "true"})],
    ),
    ("it is there", service({INTERNAL: "true"}), []),
    ("another label", service(labels={"app": "api"}), []),
    ("no labels", service(labels=None), []),
    ("another type", service(kind="ClusterIP"), []),
    ("no type", service(kind=None), []),
    ("no spec", Service(Metadata(WEB)), []),
    ("being deleted", service(gone="2026-11-21T10:00:00Z"), []),
]


@pytest.mark.parametrize(("given", "expected"), [row[1:] for row in PUT], ids=[row[0] for row in PUT])
def test_what_is_put(given: Service, expected: list[tuple[str, object]]) -> None:
    edit = annotate(Change(given), policy(), FREE)
    assert operations(edit) == expected
    assert edit.warnings == ()


def test_an_annotation_with_another_value_stays() -> None:
    edit = annotate(Change(service({INTERNAL: "false"})), policy(), FREE)
    assert edit.patch == ()
    said = f"egress-governor: policy spokes wants annotation {INTERNAL}=true, not put: "
    assert edit.warnings == (f"{said}it is there with another value, which stays",)


def test_every_rule_that_fits_counts_and_of_two_values_the_first() -> None:
    rules = (
        ServiceAnnotations({INTERNAL: "true"}, {"app": "api"}),
        ServiceAnnotations({SUBNET: "snet-web"}, WEB),
        ServiceAnnotations({SUBNET: "snet-any", "a~b/c": "x"}),
    )
    edit = annotate(Change(service({})), policy(*rules), FREE)
    assert sorted(operations(edit), key=str) == [
        ("/metadata/annotations/a~0b~1c", "x"),
        (f"/metadata/annotations/{SUBNET.replace('/', '~1')}", "snet-web"),
    ]


WITHHELD: list[tuple[str, dict[str, Mode], Leave, str]] = [
    ("the policy reports", {"mode": Mode.AUDIT}, FREE, "mode audit"),
    ("nobody can be asked", {"mode": Mode.PROPOSE}, FREE, "mode propose"),
    ("the deployment reports", {}, Leave(Mode.AUDIT), "mode audit"),
    ("everything is paused", {}, Leave(Mode.ENFORCE, paused=True), "everything is paused"),
]


@pytest.mark.parametrize(
    ("changes", "leave", "reason"), [row[1:] for row in WITHHELD], ids=[row[0] for row in WITHHELD]
)
def test_what_holds_it_back(changes: dict[str, Mode], leave: Leave, reason: str) -> None:
    edit = annotate(Change(service()), policy(**changes), leave)
    assert edit.patch == ()
    assert why(edit) == [reason]


EXISTS = "the Service exists, and `occupied` is propose"
CHANGED: list[tuple[str, Service, list[str]]] = [
    ("it was one already", service(), [EXISTS]),
    ("it had another label", service(labels={"app": "api"}), [EXISTS]),
    ("it had another value", service({INTERNAL: "false"}), [EXISTS]),
    ("it becomes one", service(kind="ClusterIP"), []),
    ("the annotation was taken off", service({INTERNAL: "true"}), []),
]


@pytest.mark.parametrize(("before", "reasons"), [row[1:] for row in CHANGED], ids=[row[0] for row in CHANGED])
def test_what_exists_is_moved_only_where_occupied_says_so(before: Service, reasons: list[str]) -> None:
    change = Change(service(), before)
    careful = annotate(change, policy(occupied=Mode.PROPOSE), FREE)
    assert why(careful) == reasons
    assert bool(careful.patch) is not bool(reasons)
    assert operations(annotate(change, policy(), FREE)) == [("/metadata/annotations", {INTERNAL: "true"})]


# ---- what is asked ------------------------------------------------------------------------------------------------


def review(**changes: Any) -> dict[str, Any]:
    request = {
        "uid": "705ab4f5-6393-11e8-b7cc-42010a800002",
        "kind": {"group": "", "version": "v1", "kind": "Service"},
        "resource": {"group": "", "version": "v1", "resource": "services"},
        "operation": "CREATE",
        "namespace": "shop",
        "name": "web",
        "object": {"metadata": {"labels": WEB, "name": "web"}, "spec": {"type": "LoadBalancer", "ports": []}},
        "oldObject": None,
        "dryRun": False,
    }
    return {"apiVersion": "admission.k8s.io/v1", "kind": "AdmissionReview", "request": {**request, **changes}}


def asked(**changes: Any) -> Change | None:
    return admission.change(admission.read(json.dumps(review(**changes)).encode()))


def test_a_new_service_is_read() -> None:
    assert asked() == Change(service())


def test_a_changed_service_comes_with_what_it_was() -> None:
    old = {"metadata": {"annotations": {INTERNAL: "false"}}, "spec": {"type": "ClusterIP"}}
    before = Service(Metadata(annotations={INTERNAL: "false"}), Spec("ClusterIP"))
    assert asked(operation="UPDATE", oldObject=old) == Change(service(), before)


@pytest.mark.parametrize(
    "changes",
    [
        {"kind": {"group": "", "version": "v1", "kind": "Pod"}},
        {"kind": {"group": "serving.knative.dev", "version": "v1", "kind": "Service"}},
        {"operation": "DELETE", "object": None},
        {"operation": "CONNECT"},
        {"object": None},
        {"subResource": "status"},
        {"namespace": "kube-system"},
        {"namespace": "kube-public"},
    ],
    ids=str,
)
def test_anything_else_is_left_alone(changes: dict[str, Any]) -> None:
    assert asked(**changes) is None


NESTED = b'{"more": ' + b"[" * 200_000
WRONG: list[tuple[str, bytes, str]] = [
    ("nothing", b"", "truncated"),
    ("no JSON", b"uid=1", "malformed"),
    ("a list", b"[]", "Expected `object`, got `array`"),
    ("no request", b'{"apiVersion": "admission.k8s.io/v1", "kind": "AdmissionReview"}', "missing required field"),
    ("an older version", json.dumps({**review(), "apiVersion": "admission.k8s.io/v1beta1"}).encode(), "$.apiVersion"),
    ("another kind", json.dumps({**review(), "kind": "List"}).encode(), "$.kind"),
    ("no uid", json.dumps(review(uid="")).encode(), "$.request.uid"),
    ("no text", b'{"kind": "\xff"}', "codec can't decode"),
    ("very deep", NESTED, "recursion"),
    ("a Service without metadata", json.dumps(review(object={})).encode(), "request.object is no Service"),
    ("labels that are none", json.dumps(review(object={"metadata": {"labels": []}})).encode(), "$.metadata.labels"),
    ("it was no Service", json.dumps(review(oldObject=5)).encode(), "request.oldObject is no Service"),
    ("too much", b" " * (MOST_BYTES + 1), f"at most {MOST_BYTES} bytes"),
]


@pytest.mark.parametrize(("raw", "words"), [row[1:] for row in WRONG], ids=[row[0] for row in WRONG])
def test_what_is_no_review_is_one_clear_line(raw: bytes, words: str) -> None:
    with pytest.raises(NotAReviewError) as found:
        admission.change(admission.read(raw))
    assert words in str(found.value)
    assert "\n" not in str(found.value)


# ---- what is answered ---------------------------------------------------------------------------------------------


def answered(edit: Edit) -> Any:
    request = admission.read(json.dumps(review()).encode())
    return json.loads(msgspec.json.encode(admission.answer(request, edit)))


def test_an_answer_without_a_patch_names_no_kind_of_patch() -> None:
    assert answered(Edit()) == {
        "apiVersion": "admission.k8s.io/v1",
        "kind": "AdmissionReview",
        "response": {"uid": "705ab4f5-6393-11e8-b7cc-42010a800002", "allowed": True},
    }


def test_an_answer_holds_the_patch_in_base64_and_the_warnings() -> None:
    given = annotate(Change(service()), policy(ServiceAnnotations({INTERNAL: "true"})), FREE)
    response = answered(Edit(given.patch, ("left alone",)))["response"]
    assert (response["allowed"], response["patchType"], response["warnings"]) == (True, "JSONPatch", ["left alone"])
    assert json.loads(base64.b64decode(response["patch"])) == [
        {"op": "add", "path": "/metadata/annotations", "value": {INTERNAL: "true"}}
    ]
