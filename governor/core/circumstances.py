"""What every gate looks at besides the Remediation itself."""

from msgspec import Struct

from governor.core.estate import Estate
from governor.core.plan import Remediation
from governor.core.policy import Mode, Policies, Policy
from governor.core.standing import Standing


class Circumstances(Struct, frozen=True):
    """What the gates look at besides the Remediation itself. ceiling: the deployment's own mode."""

    estate: Estate
    standing: Standing
    policies: Policies
    ceiling: Mode


def policy_of(remediation: Remediation, policies: Policies) -> Policy:
    """A Remediation in, the policy that wants it out."""
    policy = policies.find(remediation.policy)
    if policy is None:
        raise LookupError(f"a Remediation names policy {remediation.policy}, which this set does not hold")
    return policy
