"""What writes to Azure Policy do to the facts: `known` is changed as Azure would, or it is said why not."""

from governor.core import ids
from governor.core.estate import AnyFact
from governor.core.request_facts import PolicyAssignment, PolicyDefinition, PolicyExemption, RequestFact
from governor.core.request_step import WriteAzurePolicy, merged

Known = dict[str, AnyFact]


def write(step: WriteAzurePolicy, known: Known, absent: set[str]) -> str | None:
    """A step in; what changed is in `known`, and what is gone in `absent`."""
    key = ids.key(step.target)
    there = known.get(key)
    if step.to is None:
        if using := next((one for one in known.values() if _names(one, key)), None):
            return f"{ids.name(step.target)} is still used by {ids.name(using.id)}"
        known.pop(key, None)
        absent.add(key)
        return None
    properties = there.properties if isinstance(there, RequestFact) else {}
    made = (step.target, ids.name(step.target), merged(properties, step.to))
    match ids.kind(step.target):
        case ids.POLICY_DEFINITION:
            known[key] = PolicyDefinition(*made)
        case ids.POLICY_ASSIGNMENT:
            known[key] = PolicyAssignment(*made)
        case _:
            known[key] = PolicyExemption(*made)
    absent.discard(key)
    return None


def _names(one: AnyFact, definition: str) -> bool:
    """Whether something is an assignment of a definition, which Azure does not delete then."""
    return isinstance(one, PolicyAssignment) and ids.key(one.definition) == definition
