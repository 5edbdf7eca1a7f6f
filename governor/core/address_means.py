"""What is done about public addresses that policy does not allow: judged holders in, reasons for people out."""

from governor.core.address_verdict import JudgedAddress
from governor.core.plan import Gate, Reason, Withheld, unmended
from governor.core.policy import Policy, Requirement
from governor.core.verdict import Result


def told(judged: JudgedAddress) -> Withheld | None:
    """A holder as it is judged in, what people are told of a violation that has no step out."""
    holder, policy = judged.holder, judged.policy
    if judged.verdict.result is not Result.VIOLATION or policy is None:
        return None
    return unmended(holder.id, policy.name, (holder.requirement,), _reason(judged, policy))


def _reason(judged: JudgedAddress, policy: Policy) -> Reason:
    if policy.public_ips.default == "audit":
        return Reason(Gate.MODE, f"policy {policy.name} only audits public addresses: reported, not repaired")
    match judged.holder.requirement:
        case Requirement.NIC_PUBLIC_IP:
            text = "take it off by hand once the machine has another way out, or allow it (publicIps.allow)"
        case Requirement.VMSS_PUBLIC_IP:
            text = "take publicIPAddressConfiguration out of its model and upgrade its instances by hand, or allow it"
        case Requirement.LOAD_BALANCER_PUBLIC_FRONTEND:
            text = "a frontend cannot live without its address: remove it with its rules by hand, or allow it"
        case _:
            text = "delete it by hand if nobody needs it, or allow it (publicIps.allow)"
    return Reason(Gate.UNSUPPORTED, text)
