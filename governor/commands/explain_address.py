"""What is judged of something that is neither network nor subnet: its id and the circumstances in, verdicts out.

Of a load balancer its frontends are judged, of a public address whoever has it, of a subscription what is kept in its
Azure Policy.
"""

from typing import Final

from msgspec import Struct

from governor.core import guard, ids, soak
from governor.core.address_verdict import addresses_of
from governor.core.circumstances import Circumstances
from governor.core.dependencies import OutboundDependencies, rows
from governor.core.estate import Estate, outbound_dependencies
from governor.core.judged import judge
from governor.core.plan import Remediation, Withheld
from governor.core.propose import proposal
from governor.core.verdict import Verdict

# What may live in no network at all.
MAY_BE_ALONE: Final = frozenset({ids.PUBLIC_IP, ids.PUBLIC_IP_PREFIX, ids.LOAD_BALANCER})
KEPT: Final = frozenset({ids.POLICY_ASSIGNMENT, ids.POLICY_DEFINITION, ids.POLICY_EXEMPTION})
HOLDERS: Final = MAY_BE_ALONE | {ids.NETWORK_INTERFACE, ids.SCALE_SET, ids.FRONTEND}


class Own(Struct):
    """Verdicts on a resource itself, and what would be done about it, or why it would not be.

    needed: of a cluster, what it has to reach, by category.
    """

    verdicts: list[Verdict] = []
    repairs: list[Remediation] = []
    withheld: list[Withheld] = []
    needed: list[tuple[str, str]] = []

    def add(self, other: "Own") -> None:
        self.verdicts += other.verdicts
        self.repairs += other.repairs
        self.withheld += other.withheld
        self.needed += other.needed


def own(resource_id: str, around: Circumstances) -> Own:
    """A resource in, what is judged of it itself out; of a network or subnet nothing, which are told in full."""
    if ids.kind(resource_id) in (ids.SUBNET, ids.VIRTUAL_NETWORK):
        return Own()
    estate, policies = around.estate, around.policies
    # A definition is judged with what assigns it.
    wanted = ids.key(resource_id).replace("/policydefinitions/", "/policyassignments/")
    whole = ids.kind(resource_id) == ids.SUBSCRIPTION
    about = {wanted} | {
        ids.key(one.holder.id)
        for seen in addresses_of(estate, policies).values()
        for one in seen.judged
        if any(ids.same(address.id, wanted) for address in one.holder.addresses)
    }

    def concerns(resource: str) -> bool:
        if ids.kind(resource) in KEPT:
            return ids.key(resource) == wanted or (whole and ids.key(resource).startswith(f"{wanted}/"))
        return ids.key(resource) in about or ids.key(ids.top_level(resource)) == wanted

    plan, verdicts = guard.withhold(proposal(estate, policies), around), judge(estate, policies)
    told = soak.told(soak.known(around.standing.clusters, (), estate, policies), verdicts, estate)
    return Own(
        [verdict for verdict in verdicts if concerns(verdict.resource)],
        [one for one in plan.remediations if concerns(one.resource)],
        [one for one in (*plan.withheld, *told) if concerns(one.remediation.resource)],
        _needed(resource_id, estate),
    )


def _needed(resource_id: str, estate: Estate) -> list[tuple[str, str]]:
    """What a cluster says it has to reach, or that this is not known."""
    if ids.kind(resource_id) != ids.CLUSTER:
        return []
    told = estate.find(ids.outbound_dependencies(resource_id), OutboundDependencies)
    if isinstance(told, OutboundDependencies):
        return [*rows(told)]
    return [("not known", estate.why(outbound_dependencies(resource_id)))]
