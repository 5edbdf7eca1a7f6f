"""Lists of what is kept in Azure Policy, and of what that finds: what is listed and of what in, its elements out."""

from typing import Final

import msgspec
from msgspec import Raw

from governor.cloud import versions
from governor.cloud.arm import Arm
from governor.cloud.graph import Graph, quoted
from governor.core import ids
from governor.core.cause import KEPT_NAMES
from governor.ports import Terminal

_PROVIDER: Final = "/providers/Microsoft.Authorization"
_STATES: Final = """
policyresources | where type =~ 'microsoft.policyinsights/policystates'
| extend assignment = tostring(properties.policyAssignmentId)
| where assignment startswith {ours}
| project id, assignment, resource = tostring(properties.resourceId), state = tostring(properties.complianceState),
  at = tostring(properties.timestamp)
| order by id asc"""


async def read(arm: Arm, graph: Graph, what: str, where: str) -> tuple[Raw, ...]:
    """One of REQUEST_LISTS and the key of its subscription in, its elements out. Raises the five words."""
    path = f"{where}{_PROVIDER}/{what}"
    match what:
        case "policyAssignments":  # of what is above as well: somebody may have assigned what is built in there
            return await arm.elements(path, versions.POLICY, filter="atScope()")
        case "policyDefinitions":
            return await arm.elements(path, versions.POLICY, filter="atExactScope()")
        case "policyExemptions":
            return await arm.elements(path, versions.POLICY_EXEMPTIONS)
        case "policyStates":
            ours = quoted(f"{where}{_PROVIDER}/policyAssignments/{KEPT_NAMES}")
            rows = await graph.rows(_STATES.format(ours=ours), [ids.name(where)])
            return (Raw(msgspec.json.encode({"id": ids.policy_states(ids.name(where)), "value": rows})),)
        case _:
            raise Terminal(f"there is no list {what}")
