"""What a subnet is to be attached to: a judged subnet and its policy in, the Means of its repair out.

The gateway or table that is there already is used as it is; what several subnets need is a Remediation of its own,
which theirs name in `needs`.
"""

from typing import Final

from msgspec import Struct

from governor.core import facts, ids, proxy_hindrance
from governor.core.egress import gateway_holders, nat_gateway_of, unsettled_state
from governor.core.estate import ABSENT, Estate
from governor.core.judged import Judged
from governor.core.occupancy import SPECIAL
from governor.core.path import Method
from governor.core.plan import Gate, Reason, Remediation, digest
from governor.core.policy import Disruption, NatGatewayPolicy, PathKind, Policy, fill
from governor.core.policy_words import OWNER_TAG
from governor.core.step import (
    Attachment,
    CreateNatGateway,
    CreatePublicIp,
    CreatePublicIpPrefix,
    CreateResourceGroup,
    CreateRouteTable,
    Step,
)
from governor.core.tables import NO_WORK, TableWork, name_fields

# facts/azure.md 2.1, 2026-07.
WITHOUT_STANDARD_V2: Final = frozenset(
    {"canadaeast", "indonesiacentral", "israelnorthwest", "qatarcentral", "swedensouth", "westindia"}
)


class Means(Struct, frozen=True):
    """What a subnet is to be attached to. shared: Remediations that make it; holders: its public addresses.

    work: what must be done about its route table. replaces: what would go, for people.
    """

    attach: Attachment
    shared: tuple[Remediation, ...] = ()
    holders: tuple[str, ...] = ()
    sku: str = ""
    missing: tuple[str, ...] = ()
    reason: Reason | None = None
    work: TableWork = NO_WORK
    replaces: str = ""


def means(judged: Judged, policy: Policy, builds: PathKind, estate: Estate) -> Means:
    """A subnet, its policy and the path that policy builds in, what the subnet is to be attached to out."""
    if reason := _something_else_there(judged, builds):
        return Means(Attachment(), reason=reason)
    match builds:
        case PathKind.NAT_GATEWAY if policy.egress.nat_gateway is not None:
            return _nat_gateway(judged, policy, policy.egress.nat_gateway, estate)
        case PathKind.ISOLATED if policy.egress.isolated is not None:
            if policy.egress.isolated.route == "off":
                return Means(Attachment())
            return _closed_table(judged, policy, estate)
        case PathKind.PROXY:
            return Means(Attachment(), reason=proxy_hindrance.of_subnet(judged, policy, estate))
        case _:  # the hub has means of its own
            text = f"repairs by {builds.value} are not built in this version: it is judged only"
            return Means(Attachment(), reason=Reason(Gate.UNSUPPORTED, text))


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


def breaks(judged: Judged, estate: Estate) -> Reason | None:
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
    replies = judged.hub.replies if judged.hub else ()
    direct = sorted(
        r.name
        for r in table.properties.routes or ()
        if (r.properties.next_hop_type or "").casefold() == "internet" and r.properties.address_prefix not in replies
    )
    if not direct:
        return None
    return Reason(Gate.FORECAST, f"routes to the internet would break in a private subnet: {', '.join(direct[:3])}")


def _nat_gateway(judged: Judged, policy: Policy, wanted: NatGatewayPolicy, estate: Estate) -> Means:
    network, parts = judged.network, ids.parse(judged.subnet.id)
    region, fields = network.region, name_fields(judged)
    name, group_name = fill(wanted.name, **fields), fill(wanted.resource_group, **fields)
    own = ids.network(parts.subscription, group_name, "natGateways", name)
    for candidate in (*(_neighbours(network) if wanted.adopt and "{subnet}" not in wanted.name else ()), own):
        gateway = estate.find(candidate, facts.NatGateway)
        if gateway is None:
            return Means(Attachment(), missing=(candidate,))
        if isinstance(gateway, facts.NatGateway):
            return _existing(gateway)
    return _new_gateway(judged, policy, wanted, own, region, estate)


def _neighbours(network: facts.VirtualNetwork) -> list[str]:
    """The NAT gateways that serve subnets of a network, most used first; the firewall's is the firewall's own."""
    used: dict[str, int] = {}
    for subnet in network.properties.subnets or ():
        if subnet.properties.nat_gateway and subnet.name.casefold() not in SPECIAL:
            gateway = subnet.properties.nat_gateway.id
            used[gateway] = used.get(gateway, 0) + 1
    return sorted(used, key=lambda gateway: (-used[gateway], ids.key(gateway)))


def _existing(gateway: facts.NatGateway) -> Means:
    holders = gateway_holders(gateway)
    attach = Attachment(nat_gateway=gateway.id)
    if unsettled := unsettled_state(gateway.id, gateway.properties.provisioning_state):
        return Means(attach, reason=Reason(Gate.SETTLE, f"NAT gateway {unsettled[0]}", after=15.0))
    if not holders:
        return Means(attach, reason=Reason(Gate.FORECAST, f"NAT gateway {ids.name(gateway.id)} has no public address"))
    return Means(attach, holders=holders, sku=gateway.sku.name or "Standard")


def _new_gateway(
    judged: Judged, policy: Policy, wanted: NatGatewayPolicy, own: str, region: str, estate: Estate
) -> Means:
    attach = Attachment(nat_gateway=own)
    if wanted.zones == "perZone":
        text = "a NAT gateway for each zone is not built in this version; name one zone, or none"
        return Means(attach, reason=Reason(Gate.UNSUPPORTED, text))
    parts, group_id = ids.parse(own), ids.group_of(own)
    if estate.find(group_id, facts.ResourceGroup) is None:
        return Means(attach, missing=(group_id,))
    if missing := unread(wanted.existing, estate):
        return Means(attach, missing=missing)
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
        shared.append(group_missing(group_id, policy, region))
    steps = (*made, gateway)
    reason = f"subnets of {judged.network.name} leave by it"
    shared.append(common(own, policy, steps, reason, needs=tuple(one.digest for one in shared)))
    return Means(attach, tuple(shared), (*addresses_, *prefixes), sku)


def _closed_table(judged: Judged, policy: Policy, estate: Estate) -> Means:
    """The network's own route table to nowhere; a subnet without a way out needs no more."""
    parts = ids.parse(judged.subnet.id)
    table_id = ids.network(
        parts.subscription, parts.resource_group, "routeTables", f"rt-isolated-{judged.network.name}"
    )
    attach = Attachment(route_table=table_id)
    table = estate.find(table_id, facts.RouteTable)
    if table is None:
        return Means(attach, missing=(table_id,))
    steps = (CreateRouteTable(table_id, judged.network.location, {OWNER_TAG: policy.name}),)
    if table is not ABSENT:
        routes = {(r.properties.address_prefix, r.properties.next_hop_type) for r in table.properties.routes or ()}
        if routes != {("0.0.0.0/0", "None")}:
            text = f"route table {ids.name(table_id)} exists and says something else; it is never reused"
            return Means(attach, reason=Reason(Gate.REPLACE, text))
        return Means(attach)
    return Means(attach, (common(table_id, policy, steps, f"isolated subnets of {judged.network.name} use it"),))


def group_missing(group_id: str, policy: Policy, region: str) -> Remediation:
    """The id of a resource group that does not exist in, the Remediation that makes it out."""
    steps = (CreateResourceGroup(group_id, region, {OWNER_TAG: policy.name}),)
    return common(group_id, policy, steps, f"what the governor makes in {region} lives here")


def common(
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


def unread(holders: tuple[str, ...], estate: Estate) -> tuple[str, ...]:
    """Ids of addresses in, those of which it is not known whether they exist out."""
    return tuple(h for h in holders if ids.key(h) not in estate.known and ids.key(h) not in estate.absent)


def shown(holder: str, estate: Estate) -> str:
    """The id of an address or prefix in, its address for people out, or what it will be the address of."""
    fact = estate.known.get(ids.key(holder))
    if isinstance(fact, facts.PublicIp) and fact.properties.ip_address:
        return fact.properties.ip_address
    if isinstance(fact, facts.PublicIpPrefix) and fact.properties.ip_prefix:
        return fact.properties.ip_prefix
    return f"address of {ids.name(holder)}"
