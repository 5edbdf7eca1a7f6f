"""What there is in Azure Policy of one thing that the governor keeps: its id and an Estate in, how it compares out."""

from collections.abc import Iterable
from typing import Final, TypeVar

from msgspec import Struct

from governor.core import ids
from governor.core.estate import Estate
from governor.core.policy import Requirement
from governor.core.request_facts import PolicyAssignment, PolicyDefinition, PolicyExemption, RequestFact
from governor.core.request_kept import BUILT_IN, INTERNAL, KINDS, Wanted
from governor.core.request_step import differing
from governor.core.request_time import SOURCE

F = TypeVar("F", bound=RequestFact)
_SYSTEM: Final = frozenset({"kube-system", "gatekeeper-system", "azure-arc", "azure-extensions-usage-system"})


class There(Struct, frozen=True):
    """What there is of one thing that is wanted, or was. seal: whether these very contents have acted before."""

    assignment: PolicyAssignment | None = None
    definition: PolicyDefinition | None = None
    sealed: bool = False


def there_of(assignment: str, wanted: Wanted | None, estate: Estate) -> There:
    """The id of an assignment in, what there is of it and of its definition out."""
    found = estate.known.get(ids.key(assignment))
    definition = estate.known.get(ids.key(assignment.replace("/policyAssignments/", "/policyDefinitions/")))
    there = found if isinstance(found, PolicyAssignment) else None
    sealed = wanted is not None and there is not None and there.metadata.get("enforced") == wanted.seal
    return There(there, definition if isinstance(definition, PolicyDefinition) else None, sealed)


def wrong_with(wanted: Wanted, there: There) -> tuple[str, ...]:
    """Members of definition and assignment that are other than wanted, but for whether it acts."""
    assignment = there.assignment.properties if there.assignment else {}
    said = {name: value for name, value in wanted.assignment.properties.items() if name != "enforcementMode"}
    wrong = [f"{one} of the assignment" for one in differing(said, assignment)]
    if wanted.definition is not None:
        properties = there.definition.properties if there.definition else {}
        wrong += [f"{one} of the definition" for one in differing(wanted.definition.properties, properties)]
    return tuple(wrong)


def foreign(there: There) -> str:
    """The id of what has the name of ours and is somebody else's, or ""."""
    found = (one for one in (there.assignment, there.definition) if one is not None)
    return next((one.id for one in found if one.metadata.get("source") != SOURCE), "")


def of_others(wanted: Wanted, estate: Estate) -> str:
    """The id of an assignment of the built-in policy that somebody else made and that is as strict, or ""."""
    if wanted.definition is not None:
        return ""
    for one in estate.all(PolicyAssignment):
        strict = one.effect in ("", "deny") or (not wanted.denies and one.effect == "audit")
        # What a parameter leaves out is not looked at there.
        narrow = one.parameter("namespaces") or one.parameter("labelSelector")
        excluded = {str(name) for name in one.parameter("excludedNamespaces") or ()}
        whole = not one.properties.get("notScopes") and not one.properties.get("resourceSelectors")
        if ids.same(one.definition, BUILT_IN) and one.acts and strict and whole and not narrow and excluded <= _SYSTEM:
            return one.id
    return ""


def strangers(estate: Estate) -> frozenset[str]:
    """An Estate in; the keys of what is in Azure Policy and concerns nobody here out."""
    every: list[RequestFact] = [*estate.all(PolicyAssignment), *estate.all(PolicyDefinition)]
    every += estate.all(PolicyExemption)
    of_others = (one for one in every if one.metadata.get("source") != SOURCE)
    built_in = (one for one in estate.all(PolicyAssignment) if ids.same(one.definition, BUILT_IN))
    return frozenset(ids.key(one.id) for one in of_others) - {ids.key(one.id) for one in built_in}


def ours(found: Iterable[F]) -> list[F]:
    """Facts in, those that the governor has made out."""
    return [one for one in found if one.metadata.get("source") == SOURCE]


def requirement_of(name: str) -> Requirement | None:
    """The name of an assignment of ours in, what it is about out; None for what only the export writes."""
    kind = name.split("-")[1] if name.count("-") > 1 else ""
    if kind == INTERNAL:
        return Requirement.CLUSTER_INTERNAL_LOAD_BALANCERS
    return {one.value: requirement for one, requirement in KINDS.items()}.get(kind)
