"""What of Azure Policy is kept: definitions, assignments and exemptions as they are, and what Azure says of resources.

Their properties stay as Azure sent them: what is compared is what a policy says of them, whatever that is.
"""

from typing import Any

from msgspec import field

from governor.core.facts import Fact

Body = dict[str, Any]


class RequestFact(Fact, frozen=True):
    """A definition, assignment or exemption."""

    id: str
    name: str = ""
    properties: Body = field(default_factory=dict)

    @property
    def metadata(self) -> Body:
        found = self.properties.get("metadata")
        return found if isinstance(found, dict) else {}


class PolicyDefinition(RequestFact, frozen=True):
    """What is denied or audited."""


class PolicyAssignment(RequestFact, frozen=True):
    """Where it is, with which effect, and whether that acts."""

    @property
    def definition(self) -> str:
        return str(self.properties.get("policyDefinitionId") or "")

    @property
    def effect(self) -> str:
        """The value of its parameter `effect`, in lower case; "" where it leaves that to the definition."""
        return str(self.parameter("effect") or "").casefold()

    @property
    def acts(self) -> bool:
        """Whether its effect takes place at requests."""
        return str(self.properties.get("enforcementMode") or "Default").casefold() == "default"

    @property
    def denies(self) -> bool:
        return self.acts and self.effect == "deny"

    def parameter(self, name: str) -> Any:
        """The name of a parameter in, the value that it is given here out."""
        given = self.properties.get("parameters")
        one = given.get(name) if isinstance(given, dict) else None
        return one.get("value") if isinstance(one, dict) else None


class PolicyExemption(RequestFact, frozen=True):
    """What need not meet an assignment, until when."""

    @property
    def assignment(self) -> str:
        return str(self.properties.get("policyAssignmentId") or "")


class PolicyState(Fact, frozen=True):
    """What Azure found of one resource. at: when, as Azure writes times."""

    resource: str = ""
    assignment: str = ""
    state: str = ""
    at: str = ""


class PolicyStates(Fact, frozen=True):
    """What Azure found of the resources of one subscription."""

    id: str
    value: tuple[PolicyState, ...] = ()
