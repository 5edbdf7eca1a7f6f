"""What is drafted beside subnets: who has public addresses and what of ours nobody uses in, their repairs out."""

from governor.core import ids
from governor.core.address_means import Lodging, address_means
from governor.core.address_verdict import addresses_of
from governor.core.draft import Draft
from governor.core.estate import Estate
from governor.core.idle import idle
from governor.core.idle_means import idle_means
from governor.core.judged import Judged
from governor.core.plan import Remediation
from governor.core.policy import Policies, Requirement

_OUT = (Requirement.SUBNET_EGRESS, Requirement.SUBNET_ROUTE_DEFAULT)


def gather_addresses(looked: tuple[Judged, ...], estate: Estate, policies: Policies, draft: Draft) -> None:
    """The judged subnets and what is drafted for them in; what is done about public addresses is drafted, too."""
    by_key = {ids.key(one.subnet.id): one for one in looked}
    for seen in addresses_of(estate, policies).values():
        draft.missing.update(dict.fromkeys(seen.missing))
        for one in seen.judged:
            judged = by_key.get(one.holder.subnet)
            found = address_means(one, Lodging(judged, _ways_out(judged, draft)), estate)
            draft.missing.update(dict.fromkeys(found.missing))
            if found.withheld is not None:
                draft.withheld.append(found.withheld)
            elif found.repair is not None:
                draft.repairs[found.repair.digest] = found.repair
                draft.subjects[found.repair.digest] = (judged,) if judged is not None else ()
    for unused in idle(estate, policies).values():
        draft.missing.update(dict.fromkeys(unused.missing))
        for gateway in unused.found:
            if (repair := idle_means(gateway, estate)) is not None:
                draft.repairs[repair.digest] = repair
                draft.subjects[repair.digest] = ()


def _ways_out(judged: Judged | None, draft: Draft) -> tuple[Remediation, ...]:
    """A subnet in, the repairs that would give it its way out, out."""
    if judged is None:
        return ()
    return tuple(
        repair
        for digest, repair in draft.repairs.items()
        if any(one.subnet.id == judged.subnet.id for one in draft.subjects[digest])
        and (not set(repair.requirements).isdisjoint(_OUT) or ids.kind(repair.resource) == ids.CLUSTER)
    )
