"""What would repair what is wrong: judged subnets in, Remediations out, and what must be read to know them.

A subnet whose repair is known but cannot be built comes out withheld, with the reason. Permission to do what is
proposed is somebody else's question (guard).
"""

from collections.abc import Iterable
from typing import Final

from msgspec import UNSET, Struct
from msgspec.structs import replace

from governor.core import facts, ids
from governor.core.egress import Method, addresses, gateway_holders, nat_gateway_of, unsettled_state
from governor.core.estate import ABSENT, Estate
from governor.core.judged import Judged
from governor.core.occupancy import SPECIAL
from governor.core.plan import Gate, Plan, Reason, Remediation, Withheld, digest
from governor.core.policy import Disruption, NatGatewayPolicy, PathKind, Policy, Requirement, fill
from governor.core.step import (
    Attachment,
    CreateNatGateway,
    CreatePublicIp,
    CreatePublicIpPrefix,
    CreateResourceGroup,
    CreateRouteTable,
    Step,
    WriteSubnet,
)
from governor.core.verdict import Result

# facts/azure.md 2.1, 2026-07.
WITHOUT_STANDARD_V2: Final = frozenset(
    {"canadaeast", "indonesiacentral", "israelnorthwest", "qatarcentral", "swedensouth", "westindia"}
)
OWNER_TAG: Final = "egress-governor-policy"


class Proposal(Struct, frozen=True):
    """A Plan before any gate, the subnets it repairs by key, and the ids that must be read to complete it."""

    plan: Plan
    judged: dict[str, Judged]
    missing: tuple[str, ...] = ()


class _Means(Struct, frozen=True):
    """What a subnet is to be attached to. shared: Remediations that make it; holders: its public addresses."""

    attach: Attachment
    shared: tuple[Remediation, ...] = ()
    holders: tuple[str, ...] = ()
    sku: str = ""
    missing: tuple[str, ...] = ()
    reason: Reason | None = None


def propose(estate: Estate, looked: Iterable[Judged]) -> Proposal:
    """An Estate and its subnets as they are judged in, the Plan that would make them compliant out."""
    shared: dict[str, Remediation] = {}
    repairs: list[Remediation] = []
    withheld: list[Withheld] = []
    judged_by_key: dict[str, Judged] = {}
    missing: dict[str, None] = {}
    for judged in looked:
        missing.update(dict.fromkeys(judged.missing))
        violated = tuple(v.requirement for v in judged.verdicts if v.result is Result.VIOLATION)
        if judged.policy is None or not violated:
            continue
        proposed = _repair(judged, judged.policy, violated, estate)
        if proposed is None:
            continue
        remediation, means = proposed
        missing.update(dict.fromkeys(means.missing))
        judged_by_key[ids.key(remediation.resource)] = judged
        if means.missing:
            tried = [one for one in means.missing if any(gap.about == ids.key(one) for gap in estate.gaps)]
            if tried:
                why = "; ".join(f"{ids.name(one)} could not be read: {estate.why(ids.key(one))}" for one in tried[:3])
                withheld.append(Withheld(remediation, (Reason(Gate.UNSEEN, why),)))
            continue
        if means.reason is not None:
            withheld.append(Withheld(remediation, (means.reason,)))
            continue
        shared.update({one.digest: one for one in means.shared})
        repairs.append(remediation)
    return Proposal(Plan((*shared.values(), *repairs), tuple(withheld)), judged_by_key, tuple(missing))


def _repair(
    judged: Judged, policy: Policy, violated: tuple[str, ...], estate: Estate
) -> tuple[Remediation, _Means] | None:
    private: bool | object = UNSET
    if Requirement.SUBNET_PRIVATE in violated and policy.egress.default_outbound_access == "deny":
        private = False
    if Requirement.SUBNET_EGRESS in violated:
        if policy.builds is None:
            return None
        means = _means(judged, policy, policy.builds, estate)
        if means.reason is None and not judged.occupants.empty and judged.path is not None:
            # Whoever approves must see the old addresses, too.
            unread = _unread(addresses(judged.path, estate)[1], estate)
            means = replace(means, missing=(*means.missing, *unread))
    elif private is False and judged.verdicts[0].result in (Result.COMPLIANT, Result.EXEMPT):
        means = _Means(Attachment(), reason=_breaks(judged, estate))
        violated = (Requirement.SUBNET_PRIVATE,)
    else:
        # A subnet whose way out is not known is not made private either: that could be its only one.
        return None
    return _remediation(judged, policy, violated, means, private is False, estate), means


def _remediation(
    judged: Judged, policy: Policy, violated: tuple[str, ...], means: _Means, private: bool, estate: Estate
) -> Remediation:
    subnet = judged.subnet
    requirements = tuple(r for r in violated if r != Requirement.SUBNET_PRIVATE or private)
    to = means.attach
    if private:
        to = Attachment(to.nat_gateway, to.route_table, default_outbound_access=False)
    steps: tuple[Step, ...] = ()
    if to != Attachment():
        steps = (WriteSubnet(subnet.id, to=to, was=_present(subnet, to)),)
    old = addresses(judged.path, estate)[0] if judged.path else ()
    new = tuple(_shown(holder, estate) for holder in means.holders)
    return Remediation(
        resource=subnet.id,
        policy=policy.name,
        requirements=requirements,
        steps=steps,
        reason="; ".join(f"{v.seen}, expected {v.expected}" for v in judged.verdicts if v.requirement in requirements),
        disruptions=_disruptions(judged, means, private, old, new),
        digest=digest(policy.name, requirements, subnet.id, steps),
        old_addresses=old,
        new_addresses=new,
        needs=tuple(one.digest for one in means.shared),
    )


def _disruptions(
    judged: Judged, means: _Means, private: bool, old: tuple[str, ...], new: tuple[str, ...]
) -> tuple[Disruption, ...]:
    if judged.occupants.empty:
        return (Disruption.NONE,)
    classes: list[Disruption] = []
    if isinstance(means.attach.nat_gateway, str):
        if not old or set(old) != set(new):
            classes.append(Disruption.ADDRESS)
        if means.sku == "StandardV2":
            classes.append(Disruption.BRIEF)
    if isinstance(means.attach.route_table, str):
        classes.append(Disruption.OUTAGE)
    if private:
        classes.append(Disruption.BRIEF)
    return tuple(dict.fromkeys(classes)) or (Disruption.NONE,)


def _means(judged: Judged, policy: Policy, builds: PathKind, estate: Estate) -> _Means:
    if reason := _something_else_there(judged, builds):
        return _Means(Attachment(), reason=reason)
    match builds:
        case PathKind.NAT_GATEWAY if policy.egress.nat_gateway is not None:
            return _nat_gateway(judged, policy, policy.egress.nat_gateway, estate)
        case PathKind.ISOLATED if policy.egress.isolated is not None:
            if policy.egress.isolated.route == "off":
                return _Means(Attachment())
            return _closed_table(judged, policy, estate)
        case _:
            text = f"repairs by {builds.value} are not built in this version: it is judged only"
            return _Means(Attachment(), reason=Reason(Gate.UNSUPPORTED, text))


def _something_else_there(judged: Judged, builds: PathKind) -> Reason | None:
    """Another default route or NAT gateway is never replaced by itself (policy-language.md, `replace`)."""
    path, subnet = judged.path, judged.subnet
    routed = path is not None and any(
        way.method in (Method.APPLIANCE, Method.GATEWAY) or (way.method is Method.NONE and way.via == "route")
        for way in path.ways
    )
    if builds is PathKind.NAT_GATEWAY and routed:
        text = "its route table has another default route, which would win over a NAT gateway; take it out by hand"
        return Reason(Gate.REPLACE, text)
    if builds is PathKind.NAT_GATEWAY and subnet.properties.nat_gateway is not None:
        gateway = ids.name(subnet.properties.nat_gateway.id)
        return Reason(Gate.REPLACE, f"NAT gateway {gateway} is attached but has no public address; give it one")
    if builds is PathKind.ISOLATED:
        if subnet.properties.nat_gateway is not None:
            return Reason(Gate.REPLACE, f"NAT gateway {ids.name(subnet.properties.nat_gateway.id)} is attached")
        if subnet.properties.route_table is not None:
            table = ids.name(subnet.properties.route_table.id)
            return Reason(
                Gate.REPLACE, f"route table {table} is attached, and this version writes into no other's table"
            )
    return None


def _breaks(judged: Judged, estate: Estate) -> Reason | None:
    """What a private subnet would break: the way out that an exemption lets it have, or routes to the internet.

    Those need an explicit way out in a private subnet (facts/azure.md 2.4).
    """
    if judged.path is not None and Method.DEFAULT_OUTBOUND in judged.path.methods:
        return Reason(Gate.FORECAST, "it is exempt, and leaves by default outbound access, which would end")
    named = judged.subnet.properties.route_table
    if named is None or nat_gateway_of(judged.subnet, judged.network):
        return None
    table = estate.find(named.id, facts.RouteTable)
    if not isinstance(table, facts.RouteTable):
        return None
    direct = sorted(
        r.name for r in table.properties.routes or () if (r.properties.next_hop_type or "").casefold() == "internet"
    )
    if not direct:
        return None
    return Reason(Gate.FORECAST, f"routes to the internet would break in a private subnet: {', '.join(direct[:3])}")


def _nat_gateway(judged: Judged, policy: Policy, wanted: NatGatewayPolicy, estate: Estate) -> _Means:
    network, parts = judged.network, ids.parse(judged.subnet.id)
    region = network.location.casefold().replace(" ", "")
    fields = {
        "subscription": parts.subscription,
        "resourceGroup": parts.resource_group,
        "region": region,
        "virtualNetwork": network.name,
        "subnet": judged.subnet.name,
    }
    name, group_name = fill(wanted.name, **fields), fill(wanted.resource_group, **fields)
    own = ids.network(parts.subscription, group_name, "natGateways", name)
    for candidate in (*(_neighbours(network) if wanted.adopt and "{subnet}" not in wanted.name else ()), own):
        gateway = estate.find(candidate, facts.NatGateway)
        if gateway is None:
            return _Means(Attachment(), missing=(candidate,))
        if isinstance(gateway, facts.NatGateway):
            return _existing(gateway, judged, estate)
    return _new_gateway(judged, policy, wanted, own, region, estate)


def _neighbours(network: facts.VirtualNetwork) -> list[str]:
    """The NAT gateways that serve subnets of a network, most used first; the firewall's is the firewall's own."""
    used: dict[str, int] = {}
    for subnet in network.properties.subnets or ():
        if subnet.properties.nat_gateway and subnet.name.casefold() not in SPECIAL:
            gateway = subnet.properties.nat_gateway.id
            used[gateway] = used.get(gateway, 0) + 1
    return sorted(used, key=lambda gateway: (-used[gateway], ids.key(gateway)))


def _existing(gateway: facts.NatGateway, judged: Judged, estate: Estate) -> _Means:
    holders = gateway_holders(gateway)
    attach = Attachment(nat_gateway=gateway.id)
    if unsettled := unsettled_state(gateway.id, gateway.properties.provisioning_state):
        return _Means(attach, reason=Reason(Gate.SETTLE, f"NAT gateway {unsettled[0]}", after=15.0))
    if not holders:
        return _Means(attach, reason=Reason(Gate.FORECAST, f"NAT gateway {ids.name(gateway.id)} has no public address"))
    unread: tuple[str, ...] = ()
    if not judged.occupants.empty:
        # Whoever approves must see the new addresses.
        unread = _unread(holders, estate)
    return _Means(attach, holders=holders, sku=gateway.sku.name or "Standard", missing=unread)


def _new_gateway(
    judged: Judged, policy: Policy, wanted: NatGatewayPolicy, own: str, region: str, estate: Estate
) -> _Means:
    attach = Attachment(nat_gateway=own)
    if wanted.zones == "perZone":
        text = "a NAT gateway for each zone is not built in this version; name one zone, or none"
        return _Means(attach, reason=Reason(Gate.UNSUPPORTED, text))
    parts = ids.parse(own)
    group_id = ids.group(parts.subscription, parts.resource_group)
    if estate.find(group_id, facts.ResourceGroup) is None:
        return _Means(attach, missing=(group_id,))
    if unread := _unread(wanted.existing, estate):
        return _Means(attach, missing=unread)
    tags = {OWNER_TAG: policy.name}
    sku = "Standard" if region in WITHOUT_STANDARD_V2 else wanted.sku
    zones = tuple(wanted.zones) if sku == "Standard" and wanted.zones != "none" else ()
    made: list[Step] = []
    addresses_: list[str] = [i for i in wanted.existing if ids.kind(i) != ids.PUBLIC_IP_PREFIX]
    prefixes = [i for i in wanted.existing if ids.kind(i) == ids.PUBLIC_IP_PREFIX]
    if not wanted.existing and wanted.public_ip_prefix_length is not None:
        prefix = ids.network(parts.subscription, parts.resource_group, "publicIPPrefixes", f"ippre-{parts.name}")
        made.append(CreatePublicIpPrefix(prefix, region, sku, wanted.public_ip_prefix_length, zones, tags))
        prefixes.append(prefix)
    elif not wanted.existing:
        for number in range(1, wanted.public_ips + 1):
            one = ids.network(
                parts.subscription, parts.resource_group, "publicIPAddresses", f"pip-{parts.name}-{number}"
            )
            made.append(CreatePublicIp(one, region, sku, zones, tags))
            addresses_.append(one)
    gateway = CreateNatGateway(
        own, region, sku, tuple(addresses_), tuple(prefixes), wanted.idle_timeout_minutes, zones, tags
    )
    shared: list[Remediation] = []
    if estate.find(group_id, facts.ResourceGroup) is ABSENT:
        group_steps = (CreateResourceGroup(group_id, region, tags),)
        shared.append(_common(group_id, policy, group_steps, f"what the governor makes in {region} lives here"))
    steps = (*made, gateway)
    reason = f"subnets of {judged.network.name} leave by it"
    shared.append(_common(own, policy, steps, reason, needs=tuple(one.digest for one in shared)))
    return _Means(attach, tuple(shared), (*addresses_, *prefixes), sku)


def _closed_table(judged: Judged, policy: Policy, estate: Estate) -> _Means:
    """The network's own route table to nowhere; a subnet without a way out needs no more."""
    parts = ids.parse(judged.subnet.id)
    table_id = ids.network(
        parts.subscription, parts.resource_group, "routeTables", f"rt-isolated-{judged.network.name}"
    )
    attach = Attachment(route_table=table_id)
    table = estate.find(table_id, facts.RouteTable)
    if table is None:
        return _Means(attach, missing=(table_id,))
    steps = (CreateRouteTable(table_id, judged.network.location, {OWNER_TAG: policy.name}),)
    if table is not ABSENT:
        routes = {(r.properties.address_prefix, r.properties.next_hop_type) for r in table.properties.routes or ()}
        if routes != {("0.0.0.0/0", "None")}:
            text = f"route table {ids.name(table_id)} exists and says something else; it is never reused"
            return _Means(attach, reason=Reason(Gate.REPLACE, text))
        return _Means(attach)
    return _Means(attach, (_common(table_id, policy, steps, f"isolated subnets of {judged.network.name} use it"),))


def _common(
    resource: str, policy: Policy, steps: tuple[Step, ...], reason: str, needs: tuple[str, ...] = ()
) -> Remediation:
    """A Remediation that others need: it makes what they share, and disturbs nobody."""
    return Remediation(
        resource=resource,
        policy=policy.name,
        requirements=(),
        steps=steps,
        reason=reason,
        disruptions=(Disruption.NONE,),
        digest=digest(policy.name, (), resource, steps),
        needs=needs,
    )


def _present(subnet: facts.Subnet, to: Attachment) -> Attachment:
    """What a subnet has now of the members that a step will write."""
    properties = subnet.properties
    return Attachment(
        nat_gateway=UNSET if to.nat_gateway is UNSET else properties.nat_gateway.id if properties.nat_gateway else None,
        route_table=UNSET if to.route_table is UNSET else properties.route_table.id if properties.route_table else None,
        default_outbound_access=UNSET if to.default_outbound_access is UNSET else properties.default_outbound_access,
    )


def _unread(holders: tuple[str, ...], estate: Estate) -> tuple[str, ...]:
    """Ids of addresses in, those of which it is not known whether they exist out."""
    return tuple(h for h in holders if ids.key(h) not in estate.known and ids.key(h) not in estate.absent)


def _shown(holder: str, estate: Estate) -> str:
    fact = estate.known.get(ids.key(holder))
    if isinstance(fact, facts.PublicIp) and fact.properties.ip_address:
        return fact.properties.ip_address
    if isinstance(fact, facts.PublicIpPrefix) and fact.properties.ip_prefix:
        return fact.properties.ip_prefix
    return f"address of {ids.name(holder)}"
