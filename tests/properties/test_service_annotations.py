"""Whatever is asked: a Service gets exactly the annotations that are wanted and missing, and nothing else changes."""

import base64
import copy
import json
from typing import Any

import msgspec
from hypothesis import event, given
from hypothesis import strategies as st

from governor.core import admission
from governor.core.policy import Clusters, Mode, Policy, ServiceAnnotations
from governor.core.service_annotations import Edit, Leave, annotate

# Few enough that rules, labels and annotations meet; and all that a JSON Pointer escapes.
NAMES = st.sampled_from(["app", "a/b", "a~b", "~1", "~0/", "", "é/ü"])
TEXTS = st.sampled_from(["true", "false", "", 'a "quoted" \\ text'])
MAPS = st.dictionaries(NAMES, TEXTS, max_size=3)
ANYTHING = st.recursive(
    st.none() | st.booleans() | st.integers(-9, 9) | st.text(max_size=3),
    lambda inner: st.lists(inner, max_size=2) | st.dictionaries(st.text(max_size=3), inner, max_size=2),
    max_leaves=5,
)
RULES = st.lists(st.builds(ServiceAnnotations, MAPS, MAPS), max_size=3)
TYPES = st.sampled_from(["LoadBalancer", "LoadBalancer", "LoadBalancer", "ClusterIP", "NodePort", "ExternalName", None])


@st.composite
def services(draw: st.DrawFn) -> dict[str, Any]:
    """A Service with members that nobody has heard of."""
    metadata = draw(st.dictionaries(st.sampled_from(["name", "uid", "managedFields"]), ANYTHING))
    for member in ("labels", "annotations"):
        if draw(st.booleans()):
            metadata[member] = draw(st.none() | MAPS)
    if draw(st.integers(0, 9)) == 0:
        metadata["deletionTimestamp"] = "2026-11-21T10:00:00Z"
    spec = draw(st.dictionaries(st.sampled_from(["ports", "selector"]), ANYTHING))
    spec["type"] = draw(TYPES)
    return {"apiVersion": "v1", "kind": "Service", "metadata": metadata, "spec": spec, "status": draw(ANYTHING)}


KINDS = st.sampled_from(
    [("", "v1", "Service")] * 4 + [("", "v1", "Pod"), ("", "v2", "Service"), ("x", "v1", "Service")]
)
OPERATIONS = st.sampled_from(["CREATE", "CREATE", "UPDATE", "UPDATE", "DELETE", "CONNECT"])
PLACES = st.sampled_from(["shop", "shop", "shop", "kube-system"])
SUB_RESOURCES = st.sampled_from(["", "", "", None, "status"])


@st.composite
def requests(draw: st.DrawFn) -> dict[str, Any]:
    group, version, kind = draw(KINDS)
    return {
        "uid": draw(st.text(min_size=1, max_size=5)),
        "kind": {"group": group, "version": version, "kind": kind},
        "operation": draw(OPERATIONS),
        "namespace": draw(PLACES),
        "subResource": draw(SUB_RESOURCES),
        "object": draw(services()),
        "oldObject": draw(st.none() | services()),
    }


def answered(request: dict[str, Any], policy: Policy, leave: Leave) -> tuple[dict[str, Any], list[dict[str, Any]]]:
    """A request as it comes over the wire; the response and the operations of its patch."""
    raw = {"apiVersion": "admission.k8s.io/v1", "kind": "AdmissionReview", "request": request}
    asked = admission.read(json.dumps(raw).encode())
    change = admission.change(asked)
    edit = annotate(change, policy, leave) if change else Edit()
    response = json.loads(msgspec.json.encode(admission.answer(asked, edit)))["response"]
    return response, json.loads(base64.b64decode(response.get("patch", "W10=")))


def patched(document: dict[str, Any], operations: list[dict[str, Any]]) -> dict[str, Any]:
    """A document after a JSON Patch of additions to objects (RFC 6902, 4.1)."""
    changed = copy.deepcopy(document)
    for operation in operations:
        assert set(operation) == {"op", "path", "value"}
        assert operation["op"] == "add"
        *above, last = (part.replace("~1", "/").replace("~0", "~") for part in operation["path"].split("/")[1:])
        holder = changed
        for part in above:
            holder = holder[part]
        holder[last] = operation["value"]
    return changed


def is_asked_for(request: dict[str, Any]) -> bool:
    about = request["kind"] == {"group": "", "version": "v1", "kind": "Service"} and not request["subResource"]
    made = request["operation"] in ("CREATE", "UPDATE") and request["namespace"] != "kube-system"
    return about and made and is_balancer(request["object"])


def is_balancer(service: dict[str, Any]) -> bool:
    return service["spec"]["type"] == "LoadBalancer" and "deletionTimestamp" not in service["metadata"]


def wanted(service: dict[str, Any], rules: list[ServiceAnnotations]) -> dict[str, str]:
    """The oracle: rule by rule, the first that says something counts."""
    labels, found = service["metadata"].get("labels") or {}, dict[str, str]()
    for rule in rules:
        if all(name in labels and labels[name] == value for name, value in rule.selector.items()):
            for name, value in rule.annotations.items():
                found.setdefault(name, value)
    return found


@given(requests(), RULES)
def test_a_service_gets_the_annotations_that_are_missing_and_nothing_else_changes(
    request: dict[str, Any], rules: list[ServiceAnnotations]
) -> None:
    policy = Policy(name="p", mode=Mode.ENFORCE, occupied=Mode.ENFORCE, clusters=Clusters(services=tuple(rules)))
    response, operations = answered(request, policy, Leave(Mode.ENFORCE))
    assert (response["uid"], response["allowed"]) == (request["uid"], True)
    expected = copy.deepcopy(request["object"])
    if is_asked_for(request) and (found := wanted(request["object"], rules)):
        event("wanted")
        expected["metadata"]["annotations"] = {**found, **(expected["metadata"].get("annotations") or {})}
    after = patched(request["object"], operations)
    assert after == expected
    assert ("patchType" in response) is (after != request["object"])
    # Once it is so, nothing is put again.
    assert answered({**request, "object": after}, policy, Leave(Mode.ENFORCE))[1] == []


@given(requests(), RULES, st.sampled_from(Mode), st.sampled_from(Mode), st.sampled_from(Mode))
def test_nothing_is_put_beyond_what_the_modes_allow(
    request: dict[str, Any], rules: list[ServiceAnnotations], mode: Mode, occupied: Mode, ceiling: Mode
) -> None:
    policy = Policy(name="p", mode=mode, occupied=occupied, clusters=Clusters(services=tuple(rules)))
    _, operations = answered(request, policy, Leave(ceiling))
    if Mode.AUDIT in (mode, ceiling) or Mode.PROPOSE in (mode, ceiling):
        assert operations == []
    old = request["oldObject"]
    if occupied is not Mode.ENFORCE and old is not None and is_balancer(old):
        # Only what was there is put back.
        after = patched(request["object"], operations)["metadata"].get("annotations") or {}
        put = {name for name in after if name not in (request["object"]["metadata"].get("annotations") or {})}
        event("kept" if put else "nothing")
        assert all((old["metadata"].get("annotations") or {}).get(name) == after[name] for name in put)
