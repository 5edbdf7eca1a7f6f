"""What is done about a NAT gateway of ours that nobody uses: marked first, and deleted when its time is over."""

from governor.core.address_step import WriteTag
from governor.core.estate import Estate
from governor.core.idle import UNUSED, Idle
from governor.core.plan import Remediation, digest
from governor.core.policy import Disruption, Requirement
from governor.core.step import DeleteNatGateway, Step
from governor.core.verdict import Result


def idle_means(one: Idle, estate: Estate) -> Remediation | None:
    """A gateway in, what is done about it out; None where it waits for its time."""
    if one.verdict.result is not Result.VIOLATION:
        return None
    gateway, about = one.gateway, (Requirement.NAT_GATEWAY_UNUSED,)
    was = next((value for name, value in (gateway.tags or {}).items() if name.casefold() == UNUSED), None)
    step: Step = DeleteNatGateway(gateway.id)
    named: Step = step
    if one.since is None:
        used = bool(gateway.properties.subnets or gateway.properties.source_virtual_network)
        step = WriteTag(gateway.id, UNUSED, None if used else estate.observed_at.date().isoformat(), was)
        named = WriteTag(gateway.id, UNUSED, "")  # what is approved today is the same tomorrow
    return Remediation(
        resource=gateway.id,
        policy=one.policy.name,
        requirements=about,
        steps=(step,),
        reason=f"{one.verdict.seen}, expected {one.verdict.expected}",
        disruptions=(Disruption.NONE,),
        digest=digest(one.policy.name, about, gateway.id, (named,)),
    )
