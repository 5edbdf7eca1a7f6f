"""Values of core in, short words for people out: the same in every command."""

from collections.abc import Iterable
from datetime import datetime
from typing import Final, assert_never

from msgspec import UNSET

from governor.core import ids
from governor.core.address_step import QUARANTINE
from governor.core.cause import Cause, Remainder, Scope, Source
from governor.core.idle import UNUSED
from governor.core.peering import Flags
from governor.core.plan import Remediation
from governor.core.policy import Disruption
from governor.core.record import Record
from governor.core.request_time import title
from governor.core.routing import NOWHERE
from governor.core.secret import PREFIX
from governor.core.step import (
    CreateNatGateway,
    CreatePublicIp,
    CreatePublicIpPrefix,
    CreateResourceGroup,
    CreateRouteTable,
    DeleteAddress,
    DeleteNatGateway,
    DeletePeering,
    DeleteRoute,
    Reversibility,
    Step,
    WriteAzurePolicy,
    WriteCluster,
    WriteInterface,
    WritePeering,
    WritePropagation,
    WriteProxy,
    WriteRoute,
    WriteSubnet,
    WriteTag,
    name,
    reversibility,
)
from governor.core.verdict import Result

STYLES: Final = {
    Result.COMPLIANT: "green",
    Result.VIOLATION: "red",
    Result.EXEMPT: "cyan",
    Result.UNKNOWN: "yellow",
    Result.NOT_APPLICABLE: "dim",
    Result.UNGOVERNED: "dim",
}
_TYPES: Final = {
    ids.VIRTUAL_NETWORK: "virtual network",
    ids.SUBNET: "subnet",
    ids.NAT_GATEWAY: "NAT gateway",
    ids.PUBLIC_IP: "public IP address",
    ids.PUBLIC_IP_PREFIX: "public IP prefix",
    ids.PEERING: "peering",
    ids.ROUTE_TABLE: "route table",
    ids.ROUTE: "route",
    ids.NETWORK_INTERFACE: "network interface",
    ids.LOAD_BALANCER: "load balancer",
    ids.FRONTEND: "frontend",
    ids.SCALE_SET: "scale set",
    ids.FIREWALL: "Azure Firewall",
    ids.CLUSTER: "AKS cluster",
    ids.RESOURCE_GROUP: "resource group",
    ids.SUBSCRIPTION: "subscription",
    ids.POLICY_DEFINITION: "policy definition",
    ids.POLICY_ASSIGNMENT: "policy assignment",
    ids.POLICY_EXEMPTION: "policy exemption",
}


def short(resource_id: str) -> str:
    """A resource id in, the name people know it by out: `network/subnet` for a subnet, else the last name."""
    if ids.kind(resource_id) in (ids.SUBNET, ids.FRONTEND):
        return "/".join(ids.parse(resource_id).names)
    return ids.name(resource_id)


def type_of(resource_id: str) -> str:
    """A resource id in, what kind of thing it is out."""
    kind = ids.kind(resource_id)
    return _TYPES.get(kind, kind or "something")


def place(scope: Scope) -> str:
    """A Scope in, its name out."""
    return f"subscription {scope.subscription_id}" if isinstance(scope, Remainder) else short(scope.id)


def say(step: Step) -> str:
    """A step in, its name and what it does out."""
    return f"{name(step)}: {does(step)}"


def does(step: Step) -> str:
    """A step in, what it does out."""
    target = ids.name(step.target)
    match step:
        case CreateResourceGroup():
            return f"create resource group {target} in {step.location}"
        case CreatePublicIp():
            return f"create public address {target} ({step.sku})"
        case CreatePublicIpPrefix():
            return f"create a /{step.length} of public addresses, {target} ({step.sku})"
        case CreateNatGateway():
            return f"create NAT gateway {target} ({step.sku})"
        case CreateRouteTable():
            if step.routes == (NOWHERE,):
                return f"create route table {target}: 0.0.0.0/0 goes nowhere"
            return f"create route table {target} with {count(len(step.routes), 'route')}"
        case WriteRoute():
            was = "" if step.was is None else f" (was {step.was})"
            return f"write route {step.to} into table {_above(step)}{was}"
        case DeleteRoute():
            return f"take route {step.was} out of table {_above(step)}"
        case WritePropagation():
            return f"let table {target} {'ignore' if step.disabled else 'take'} routes that gateways have learned"
        case WritePeering():
            return f"write peering {_above(step)} -> {ids.name(step.remote)} ({', '.join(_what_of(step))})"
        case DeletePeering():
            return f"delete peering {_above(step)} -> {ids.name(step.remote)}"
        case WriteCluster():
            return ", ".join(_tells(step))
        case WriteProxy():
            return _proxy(step)
        case WriteInterface():
            return ", ".join(_addressed(step))
        case WriteTag() if step.name == QUARANTINE:
            return f"put address {target} into quarantine" if step.to else f"take address {target} out of quarantine"
        case WriteTag() if step.name == UNUSED:
            return f"mark {target} as unused" if step.to else f"mark {target} as used again"
        case WriteTag():
            return f"set tag {step.name} of {target} to {step.to}"
        case DeleteAddress():
            return f"delete address {target} for good"
        case WriteAzurePolicy():
            return _kept(step)
        case DeleteNatGateway():
            return f"delete NAT gateway {target}"
        case WriteSubnet():
            return ", ".join(_writes(step)) or "nothing"
    assert_never(step)


def _proxy(step: WriteProxy) -> str:
    cluster = ids.name(step.target)
    if not step.to.enabled:
        return f"turn the proxy of {cluster} off, which reimages all its nodes"
    shown = " and ".join(dict.fromkeys(step.to.shown)) or "its proxy"
    secrets = "".join(f", {one.removeprefix(PREFIX)}" for one in dict.fromkeys(step.to.named))
    return f"let {cluster} leave by proxy {shown}{secrets and f' (secrets{secrets[1:]})'}, which reimages all its nodes"


def _addressed(step: WriteInterface) -> Iterable[str]:
    for configuration, to in step.to.items():
        was = step.was.get(configuration)
        if to is None:
            yield f"take address {ids.name(was or 'none')} off {ids.name(step.target)}"
        else:
            yield f"give {ids.name(step.target)} address {ids.name(to)}"


def _writes(step: WriteSubnet) -> Iterable[str]:
    for what, to, was in (
        ("NAT gateway", step.to.nat_gateway, step.was.nat_gateway),
        ("route table", step.to.route_table, step.was.route_table),
    ):
        if isinstance(to, str):
            yield f"attach {what} {ids.name(to)}"
        elif to is None:
            yield f"take {what} {ids.name(was) if isinstance(was, str) else ''} off".replace("  ", " ")
    if step.to.default_outbound_access is not UNSET:
        yield "set private" if step.to.default_outbound_access is False else "set no longer private"


def _tells(step: WriteCluster) -> Iterable[str]:
    if step.authorize:
        yield f"let {', '.join(step.authorize)} reach the API server of cluster {ids.name(step.target)}"
    if step.to is not UNSET:
        yield f"change outboundType of cluster {ids.name(step.target)} from {step.was} to {step.to}"


def _kept(step: WriteAzurePolicy) -> str:
    kind, said = ids.kind(step.target), title(step.to or step.was or {})
    what = f"{type_of(step.target)} {ids.name(step.target)}"
    match kind:
        case ids.POLICY_EXEMPTION:
            what += f" of {ids.name(step.target.rpartition('/providers/')[0])}"
        case ids.POLICY_ASSIGNMENT if said:
            what += f" ({said})"
    if step.to is None:
        return f"delete {what}"
    mode = step.to.get("enforcementMode")
    acts = {None: "", "Default": ", enforced", "DoNotEnforce": ", not enforced"}.get(mode, "")
    return f"{'create' if step.was is None else 'write'} {what}{acts}"


def _above(step: Step) -> str:
    """The name of what a step's target is a part of."""
    return ids.name(ids.parent(step.target))


def _what_of(step: WritePeering) -> Iterable[str]:
    for what, value in (
        ("access", step.to.allow_virtual_network_access),
        ("forwarded traffic", step.to.allow_forwarded_traffic),
        ("gateway transit", step.to.allow_gateway_transit),
    ):
        if value is not UNSET:
            yield f"{what} {'allowed' if value else 'not allowed'}"
    if step.to.use_remote_gateways is not UNSET:
        yield "remote gateways used" if step.to.use_remote_gateways else "remote gateways not used"
    if step.sync:
        yield "address space taken over"
    if step.to == Flags() and not step.sync:
        yield "as it is, so that a new other side may be made"


def disturbs(remediation: Remediation) -> str:
    """A Remediation in, the classes of disruption it has out, as people say them."""
    return ", ".join("nobody" if one == Disruption.NONE else one for one in remediation.disruptions)


def taken_back(remediation: Remediation) -> str:
    """A Remediation in, how far an undo can take it back out: as far as its least reversible step."""
    order = tuple(Reversibility)
    far = max((reversibility(step) for step in remediation.steps), key=order.index, default=Reversibility.REVERSIBLE)
    return far.value


def addresses(remediation: Remediation) -> str:
    """A Remediation in, its old and new public addresses out."""
    if not remediation.old_addresses and not remediation.new_addresses:
        return "-"
    old = ", ".join(remediation.old_addresses) or "no fixed address"
    return f"{old} -> {', '.join(remediation.new_addresses) or 'none'}"


def woken(cause: Cause) -> str:
    """A Cause in, why the run woke out."""
    subject = short(cause.subject) if cause.subject else "something"
    match cause.source:
        case Source.EVENT:
            return f"an event tells that {subject} has changed"
        case Source.SURVEY:
            return "a survey asks for a look"
        case Source.DECISION:
            return f"decision {cause.points_at}" if cause.points_at else "somebody resumed, or approved in advance"
        case Source.UNDO:
            return f"undo of record {_record(cause)}"
        case Source.MANUAL:
            return (
                f"a look after the undo of record {_record(cause)}" if cause.points_at else "somebody asked for a look"
            )
    assert_never(cause.source)


def _record(cause: Cause) -> str:
    """As much of a Record's id as lists show of it."""
    return (cause.points_at or "")[:12]


def came_of(record: Record) -> str:
    """A Record in, what came of its run in a few words out."""
    became: dict[str, int] = {}
    for outcome in record.outcomes:
        became[outcome.became.value] = became.get(outcome.became.value, 0) + 1
    parts = [f"{count(number, 'step')} {what}" for what, number in became.items()]
    if held := [offer for offer in record.withheld if offer.remediation.requirements]:
        parts.append(f"{len(held)} withheld")
    if record.changes and not record.outcomes:
        parts.append(f"{count(len(record.changes), 'verdict')} changed")
    if record.gone:
        parts.append(f"{len(record.gone)} gone")
    if record.note:
        parts.append(record.note)
    return ", ".join(parts) or "nothing to do"


def when(at: datetime) -> str:
    """A time in, its UTC text to the second out."""
    return f"{at:%Y-%m-%d %H:%M:%S}Z"


def count(number: int, one: str, many: str = "") -> str:
    """1 and `repair` in, `1 repair` out; 2 gives `2 repairs`."""
    return f"{number} {one}" if number == 1 else f"{number} {many or one + 's'}"


def tally(counts: dict[str, int]) -> str:
    """Verdicts by result in, one line with the style of each out."""
    there = [result for result in Result if counts.get(result.value)]
    return "   ".join(f"[{STYLES[result]}]{result.value} {counts[result.value]}[/]" for result in there) or "none"
