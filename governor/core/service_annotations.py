"""Annotations that a policy wants on Services of type LoadBalancer: a Service and its policy in, what is put on it out.

A Service that is there already listens at an address that somebody uses, and an annotation may move it. So what exists
is asked for with the policy's `occupied`, as everything that carries something is; only what is new needs just `mode`.
"""

from typing import Final, Literal

from msgspec import Struct

from governor.core.policy import Mode, Policy, weakest

_LOAD_BALANCER: Final = "LoadBalancer"


class Metadata(Struct, frozen=True, rename="camel"):
    labels: dict[str, str] | None = None
    annotations: dict[str, str] | None = None
    deletion_timestamp: str | None = None


class Spec(Struct, frozen=True):
    type: str | None = None


class Service(Struct, frozen=True):
    """The members of a Kubernetes Service that deciding needs."""

    metadata: Metadata
    spec: Spec | None = None

    @property
    def is_balancer(self) -> bool:
        """Whether it is of type LoadBalancer, and not on its way out."""
        balancer = self.spec is not None and self.spec.type == _LOAD_BALANCER
        return balancer and self.metadata.deletion_timestamp is None

    @property
    def annotations(self) -> dict[str, str]:
        return self.metadata.annotations or {}


class Change(Struct, frozen=True):
    """A Service as it would be, and as it was (None: there was none)."""

    service: Service
    before: Service | None = None


class Leave(Struct, frozen=True):
    """How far the deployment lets policies go, and whether everything is paused."""

    ceiling: Mode
    paused: bool = False


class Add(Struct, frozen=True):
    """One operation of a JSON Patch (RFC 6902)."""

    path: str
    value: str | dict[str, str]
    op: Literal["add"] = "add"


class Edit(Struct, frozen=True):
    """What is put on a Service, and what is not, in words for whoever wrote it."""

    patch: tuple[Add, ...] = ()
    warnings: tuple[str, ...] = ()


def annotate(change: Change, policy: Policy, leave: Leave) -> Edit:
    """A Service and the policy that governs its cluster in; what is put on it, and what is not and why, out."""
    if not change.service.is_balancer:
        return Edit()
    there, put, warnings = change.service.annotations, dict[str, str](), list[str]()
    for name, value in _wanted(change.service, policy).items():
        if there.get(name) == value:
            continue
        if name in there:
            why = "it is there with another value, which stays"
        else:
            why = _withheld(_moves(change, name, value), policy, leave)
        if why:
            warnings.append(f"egress-governor: policy {policy.name} wants annotation {name}={value}, not put: {why}")
        else:
            put[name] = value
    return Edit(_patch(change.service, put), tuple(warnings))


def _wanted(service: Service, policy: Policy) -> dict[str, str]:
    """The annotations of every rule whose labels the Service has; of two values for one name the first rule's."""
    labels = service.metadata.labels or {}
    wanted: dict[str, str] = {}
    for rule in policy.clusters.services:
        if rule.selector.items() <= labels.items():
            wanted = rule.annotations | wanted
    return wanted


def _moves(change: Change, name: str, value: str) -> bool:
    """Whether it is a change of a Service that people may use: it was one already, without this."""
    return change.before is not None and change.before.is_balancer and change.before.annotations.get(name) != value


def _withheld(occupied: bool, policy: Policy, leave: Leave) -> str:
    """Why nothing may be put, in words; empty where it may."""
    if leave.paused:
        return "everything is paused"
    mode = weakest(leave.ceiling, policy.mode)
    if mode is not Mode.ENFORCE:
        return f"mode {mode}"
    if policy.mode_for(occupied) is not Mode.ENFORCE:
        return f"the Service exists, and `occupied` is {policy.occupied}"
    return ""


def _patch(service: Service, put: dict[str, str]) -> tuple[Add, ...]:
    if not put:
        return ()
    if service.metadata.annotations is None:
        return (Add("/metadata/annotations", put),)
    return tuple(Add(f"/metadata/annotations/{_escaped(name)}", value) for name, value in put.items())


def _escaped(name: str) -> str:
    """The name of a member in, as it stands in a JSON Pointer (RFC 6901) out."""
    return name.replace("~", "~0").replace("/", "~1")
