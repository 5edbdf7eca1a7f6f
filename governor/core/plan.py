"""What would be done: Remediations in order, and those withheld with reasons people can read."""

import hashlib
from enum import StrEnum
from typing import Any

import msgspec
from msgspec import Struct

from governor.core import ids
from governor.core.step import Step


class Remediation(Struct, frozen=True, omit_defaults=True):
    """One resource's repair. needs: digests of what must be done first; disruptions: the classes of its steps.

    replaces: what somebody else has put there and would go, for people; a person is asked whatever the mode.
    """

    resource: str
    policy: str
    requirements: tuple[str, ...]
    steps: tuple[Step, ...]
    reason: str
    disruptions: tuple[str, ...]
    digest: str
    old_addresses: tuple[str, ...] = ()
    new_addresses: tuple[str, ...] = ()
    needs: tuple[str, ...] = ()
    replaces: str = ""


class Gate(StrEnum):
    """What can hold a Remediation back."""

    CLUSTER = "cluster"
    SETTLE = "settle"
    OCCUPANTS = "occupants"
    UNDO = "undo"
    BRAKES = "brakes"
    UNSEEN = "unseen"
    MODE = "mode"
    APPROVAL = "approval"
    REPLACE = "replace"
    SHARED = "shared"
    HUB = "hub"
    RIGHTS = "rights"
    FORECAST = "forecast"
    UNSUPPORTED = "unsupported"
    NEEDS = "needs"


class Reason(Struct, frozen=True, omit_defaults=True):
    """Why a Remediation is withheld. `after`: seconds after which looking again makes sense without anybody's doing."""

    gate: Gate
    text: str
    after: float | None = None


class Withheld(Struct, frozen=True):
    remediation: Remediation
    reasons: tuple[Reason, ...]


def unmended(resource: str, policy: str, requirements: tuple[str, ...], reason: Reason) -> Withheld:
    """What is wrong with a resource and has no step that mends it in; how people are told of it out."""
    nothing = digest(policy, requirements, resource, ())
    return Withheld(Remediation(resource, policy, requirements, (), reason.text, ("none",), nothing), (reason,))


class Plan(Struct, frozen=True):
    remediations: tuple[Remediation, ...] = ()
    withheld: tuple[Withheld, ...] = ()

    @property
    def steps(self) -> tuple[tuple[Remediation, Step], ...]:
        return tuple((remediation, step) for remediation in self.remediations for step in remediation.steps)

    @property
    def digests(self) -> frozenset[str]:
        """The digests of all Remediations, withheld ones included."""
        return frozenset(r.digest for r in (*self.remediations, *(w.remediation for w in self.withheld)))

    @property
    def digest(self) -> str:
        return fingerprint(sorted(r.digest for r in self.remediations))


def digest(policy: str, requirements: tuple[str, ...], resource: str, steps: tuple[Step, ...]) -> str:
    """What an approval stands for in: policy, requirements, resource and steps; 16 hex digits out.

    Never time, etag, evidence, order of the requirements, or the case in which Azure happens to write an id.
    """
    return fingerprint([policy, sorted(requirements), ids.key(resource), _folded(msgspec.to_builtins(steps))])


def _folded(value: Any) -> Any:
    """Members of steps in, the same with every id as its key out."""
    match value:
        case str():
            return ids.key(value) if ids.kind(value) else value
        case dict():
            return {name: _folded(inner) for name, inner in value.items()}
        case list() | tuple():
            return [_folded(inner) for inner in value]
        case _:
            return value


def fingerprint(value: object) -> str:
    """Any value in, the first 16 hex digits of the SHA-256 of its canonical JSON out."""
    return hashlib.sha256(msgspec.json.encode(value, order="deterministic")).hexdigest()[:16]
