"""The write of a cluster's proxy: what it changes of a body, what it leaves, when it no longer fits, what undoes it."""

from typing import Any

import pytest

from governor.core import proxy_step
from governor.core import step as steps
from governor.core.proxy_step import OFF, Proxy, WriteProxy, filled
from governor.core.step import Reversibility

AKS = "/subscriptions/s/resourceGroups/g/providers/Microsoft.ContainerService/managedClusters/aks"
NEW = Proxy(True, None, "http://new:1", None, ("a", "b"), ("http://new:1",))


def body(**config: Any) -> dict[str, Any]:
    return {"id": AKS, "properties": {"kept": 1, **({"httpProxyConfig": config} if config else {})}}


EDITS: list[tuple[WriteProxy, dict[str, Any], dict[str, Any]]] = [
    (WriteProxy(AKS, NEW), body(), body(httpsProxy="http://new:1", noProxy=["a", "b"])),
    (
        WriteProxy(AKS, NEW),
        body(enabled=False, httpProxy="http://old:1", noProxy=["x"]),
        body(enabled=True, httpProxy="http://old:1", httpsProxy="http://new:1", noProxy=["x", "a", "b"]),
    ),
    # What AKS lets past by itself need not be asked for, and an address may end with a slash.
    (
        WriteProxy(AKS, NEW),
        body(enabled=True, httpsProxy="http://new:1/", noProxy=["B"], effectiveNoProxy=["a"]),
        body(enabled=True, httpsProxy="http://new:1/", noProxy=["B"], effectiveNoProxy=["a"]),
    ),
    (WriteProxy(AKS, OFF, NEW), body(enabled=True, httpProxy="p"), body(enabled=False, httpProxy="p")),
    (WriteProxy(AKS, OFF, NEW), body(), body()),
    (
        WriteProxy(AKS, Proxy(True, "http://old:1", no_proxy=("x",)), NEW, without=("A", "b")),
        body(httpProxy="http://new:1", noProxy=["x", "a", "b", "theirs"]),
        body(httpProxy="http://old:1", noProxy=["x", "theirs"]),
    ),
]


@pytest.mark.parametrize(("step", "before", "after"), EDITS)
def test_only_what_is_named_is_written_and_once(
    step: WriteProxy, before: dict[str, Any], after: dict[str, Any]
) -> None:
    assert steps.edit(step, before) == after
    assert steps.edit(step, after) == after


def test_a_reference_is_never_sent() -> None:
    step = WriteProxy(AKS, Proxy(True, https="@keyvault:kv1/a/" + "0" * 32))
    with pytest.raises(ValueError, match="filled in first"):
        steps.edit(step, body())
    full = filled(step, {step.to.named[0]: "http://u:p@h:1"})
    assert steps.edit(full, body()) == body(httpsProxy="http://u:p@h:1")
    assert "u:p" not in repr(step)


CONFLICTS: list[tuple[WriteProxy, dict[str, Any] | None, str | None]] = [
    (WriteProxy(AKS, NEW), None, "the cluster is gone"),
    (WriteProxy(AKS, NEW), body(), None),
    (WriteProxy(AKS, NEW), body(enabled=False, httpProxy="http://old:1"), None),
    (WriteProxy(AKS, NEW), body(httpsProxy="http://x:y@new:1/"), None),
    (
        WriteProxy(AKS, NEW),
        body(httpProxy="http://u:pa55@old:1"),
        "its proxy was none when the plan was made and is http://old:1 now",
    ),
]


@pytest.mark.parametrize(("step", "there", "why"), CONFLICTS)
def test_a_step_fits_what_the_plan_saw_or_what_it_wants(
    step: WriteProxy, there: dict[str, Any] | None, why: str | None
) -> None:
    assert steps.conflict(step, there) == why


def test_what_was_there_comes_back_unless_no_record_holds_it() -> None:
    first = WriteProxy(AKS, NEW)
    assert steps.inverse(first) == WriteProxy(AKS, OFF, NEW, without=("a", "b"))
    old = Proxy(True, "http://old:1", no_proxy=("a",), shown=("http://old:1",))
    assert steps.inverse(WriteProxy(AKS, NEW, old)) == WriteProxy(AKS, old, NEW, without=("b",))
    lost = WriteProxy(AKS, NEW, old, lost=True)
    assert (steps.inverse(lost), steps.reversibility(lost)) == (None, Reversibility.IRREVERSIBLE)
    assert steps.reversibility(first) is Reversibility.REVERSIBLE
    assert proxy_step.gone(lost).startswith("the proxy that aks had (http://old:1) cannot be put back")
