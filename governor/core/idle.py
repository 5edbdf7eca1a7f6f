"""NAT gateways that the governor made and nobody uses: an Estate and policies in, Verdicts and what reclaims them out.

Since when nobody uses one stands in a tag on it: Azure does not tell. Its addresses stay, and are nobody's then.
"""

from datetime import date, timedelta
from typing import Final

from msgspec import Struct

from governor.core import facts, ids
from governor.core.estate import Estate, list_of
from governor.core.policy import Policies, Policy, Requirement
from governor.core.policy_words import OWNER_TAG
from governor.core.verdict import Result, Verdict

UNUSED: Final = "egress-governor-unused"
_EXPECTED: Final = "used, or gone"


class Idle(Struct, frozen=True):
    """A gateway of ours that nobody uses, or that is still marked so. since: what its tag says."""

    gateway: facts.NatGateway
    policy: Policy
    verdict: Verdict
    since: date | None = None


class SeenIdle(Struct, frozen=True):
    """What was seen of the gateways of one subscription. missing: the list that must be read."""

    found: tuple[Idle, ...] = ()
    missing: tuple[str, ...] = ()
    unseen: tuple[Verdict, ...] = ()

    @property
    def verdicts(self) -> tuple[Verdict, ...]:
        return (*(one.verdict for one in self.found), *self.unseen)


def idle(estate: Estate, policies: Policies) -> dict[str, SeenIdle]:
    """An Estate and policies in; by key of each remainder, its gateways of ours that nobody uses, out."""
    if not any(policy.egress.nat_gateway for policy in policies):
        return {}
    found: dict[str, SeenIdle] = {}
    for subscription in estate.remainders:
        scope = f"/subscriptions/{subscription}"
        if any(gap.about == ids.key(scope) for gap in estate.gaps):
            continue  # the subscription itself is not seen, which says it all
        name = list_of("natGateways", scope)
        if not estate.has_listed(name):
            unseen = Verdict(
                scope, Requirement.NAT_GATEWAY_UNUSED, Result.UNKNOWN, seen=f"not seen: {estate.why(name)}"
            )
            found[ids.key(scope)] = SeenIdle(missing=(name,), unseen=(unseen,))
            continue
        here = f"{ids.key(scope)}/"
        gateways = (one for one in estate.all(facts.NatGateway) if ids.key(one.id).startswith(here))
        judged = tuple(one for gateway in gateways if (one := _idle(gateway, policies, estate)) is not None)
        unclear = (ids.group_of(one.gateway.id) for one in judged if one.verdict.result is Result.UNKNOWN)
        found[ids.key(scope)] = SeenIdle(judged, tuple(dict.fromkeys(unclear)))
    return found


def _idle(gateway: facts.NatGateway, policies: Policies, estate: Estate) -> Idle | None:
    """A gateway in; None for one of others, and for one that is used and not marked.

    AKS puts the tags of a cluster on all that it makes, so a tag alone does not tell whose a gateway is.
    """
    tags = {name.casefold(): value for name, value in (gateway.tags or {}).items()}
    policy = policies.find(tags.get(OWNER_TAG, ""))
    wanted = policy.egress.nat_gateway if policy else None
    where = ids.group_of(gateway.id)
    group = estate.find(where, facts.ResourceGroup)
    managed = isinstance(group, facts.ResourceGroup) and bool(group.managed_by)
    if policy is None or wanted is None or managed or ids.in_node_group(gateway.id):
        return None
    since = _date(tags.get(UNUSED, ""))
    used = bool(gateway.properties.subnets or gateway.properties.source_virtual_network)
    if used and UNUSED not in tags:
        return None
    result = Result.VIOLATION
    if used:
        seen = "it is used again, and still marked as unused"
    elif since is None:
        seen = "no subnet uses it"
    elif since + timedelta(days=max(1, wanted.reclaim_unused_days)) <= estate.observed_at.date():
        seen = f"no subnet has used it since {since}, and its {wanted.reclaim_unused_days} days are over"
    else:
        result, seen = Result.COMPLIANT, f"no subnet uses it; marked since {since}"
    if result is Result.VIOLATION and group is None:
        result = Result.UNKNOWN
        seen += f"; whether a service manages its group is not known: {estate.why(ids.key(where))}"
    verdict = Verdict(gateway.id, Requirement.NAT_GATEWAY_UNUSED, result, policy.name, seen, _EXPECTED)
    return Idle(gateway, policy, verdict, None if used else since)


def _date(text: str) -> date | None:
    try:
        return date.fromisoformat(text)
    except ValueError:
        return None
