"""What a policy says against itself: a policy and the plain values it came from in, Complaints out.

The shape has been checked before; here are the rules that stand between keys, and texts that mean something.
"""

import ipaddress
import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import Any

from governor.core import ids, outbound_type, window
from governor.core.policy import NAME_FIELDS, HubPolicy, NatGatewayPolicy, PathKind, Policies, Policy, fields
from governor.policy_files.errors import Complaint, Path
from governor.policy_files.proxies import of_proxy

# Keys of which a policy gives one; it does not inherit the others of a set when it gives one itself.
ALTERNATIVES: Mapping[Path, tuple[str, ...]] = {
    ("egress",): ("natGateway", "hub", "proxy", "isolated"),
    ("egress", "natGateway"): ("publicIps", "publicIpPrefixLength", "existing"),
}
_REGION = re.compile(r"[a-z0-9]+")
_TAG = re.compile(r"[A-Za-z][A-Za-z0-9.]*")
_GLOB = re.compile(r"[*?\[]")
# What Kubernetes takes as name of an annotation or label, and as value of a label. An object with another is refused.
_PREFIX = r"(?=.{1,253}/)[a-z0-9]([a-z0-9-]*[a-z0-9])?(\.[a-z0-9]([a-z0-9-]*[a-z0-9])?)*/"
_LABEL = r"[A-Za-z0-9]([A-Za-z0-9_.-]{0,61}[A-Za-z0-9])?"
_QUALIFIED = re.compile(rf"({_PREFIX})?{_LABEL}")
_LABEL_VALUE = re.compile(rf"({_LABEL})?")


def of_policy(policy: Policy, given: Mapping[str, Any]) -> Iterator[Complaint]:
    """A policy and what was given, defaults included, in; everything it says against itself out."""
    yield from _alternatives(given)
    yield from _allowed(policy)
    yield from _outbound_type(policy)
    if policy.egress.nat_gateway is not None:
        yield from _nat_gateway(policy.egress.nat_gateway)
    if policy.egress.hub is not None:
        yield from _hub(policy.egress.hub, policy.select.regions)
    if policy.egress.proxy is not None:
        yield from of_proxy(policy.egress.proxy)
    yield from _windows(policy)
    yield from _services(policy)
    for index, exemption in enumerate(policy.exemptions):
        if not exemption.resource.startswith(("/", "*")):
            expected = "expected an id that starts with / or a glob that starts with *"
            yield Complaint(("exemptions", index, "resource"), f"{expected}, found {exemption.resource!r}")
    for index, entry in enumerate(policy.public_ips.allow):
        if not (entry.attached_to or entry.names or entry.tags):
            message = "an entry that names nothing would allow every address"
            yield Complaint(("publicIps", "allow", index), message)


def of_tenant(policies: Policies) -> Iterator[Complaint]:
    """What defaults.yaml says for the tenant in, everything it says against itself out."""
    for index, ring in enumerate(policies.rings):
        named = bool(ring.subscriptions or ring.management_groups)
        if ring.rest == named:
            yield Complaint(("rings", index), "a ring names subscriptions or managementGroups, or is the `rest`")
        if ring.rest and index + 1 < len(policies.rings):
            yield Complaint(("rings", index, "rest"), "the ring of the rest must be the last one")


def namesakes(policies: Policies) -> Iterator[str]:
    """Policies in; names under which several networks would meet, a line each for people, out."""
    for policy in policies:
        gateway, hub = policy.egress.nat_gateway, policy.egress.hub
        for key, name, group in (
            *((("natGateway", gateway.name, gateway.resource_group),) if gateway else ()),
            *((("hub.routeTable", hub.route_table.name, hub.route_table.resource_group),) if hub else ()),
        ):
            apart = {"virtualNetwork", "resourceGroup"}.intersection((*fields(name), *fields(group)))
            chosen = policy.select.virtual_networks
            if not apart and not (len(chosen) == 1 and not _GLOB.search(chosen[0])):
                yield (
                    f"{policy.name}: egress.{key}.name {name!r} is the same for every network of a region: "
                    "the first one gets it, and the others are withheld; put {virtualNetwork} into it"
                )


def _alternatives(given: Mapping[str, Any]) -> Iterator[Complaint]:
    for path, keys in ALTERNATIVES.items():
        part: Any = given
        for key in path:
            part = part.get(key) or {}
        found = [key for key in keys if part.get(key) is not None]
        if len(found) > 1:
            yield Complaint(
                (*path, found[1]), f"only one of {', '.join(keys)} can be given, found {' and '.join(found)}"
            )


def _allowed(policy: Policy) -> Iterator[Complaint]:
    if policy.builds is not None and policy.builds not in policy.allowed:
        yield Complaint(
            ("egress", "allow"), f"a repair would build {policy.builds}, which is not among what is allowed"
        )


def _outbound_type(policy: Policy) -> Iterator[Complaint]:
    """A type that takes an address or a route of its own has to belong to a way out that its subnets may have."""
    wanted, ways = policy.clusters.outbound_type, policy.allowed
    types = [one for way in ways for managed in (False, True) for one in outbound_type.of_path(way, managed=managed)]
    if wanted in ("match", "ignore", "none", "block") or wanted in types or not ways or PathKind.PROXY in ways:
        return
    yield Complaint(
        ("clusters", "outboundType"),
        f"{wanted} belongs to none of the ways out that egress allows ({', '.join(ways)}); "
        f"expected match{''.join(f' or {one}' for one in dict.fromkeys(types))}",
    )


def _nat_gateway(wanted: NatGatewayPolicy) -> Iterator[Complaint]:
    here: Path = ("egress", "natGateway")
    yield from _template((*here, "name"), wanted.name)
    yield from _template((*here, "resourceGroup"), wanted.resource_group)
    if wanted.sku == "StandardV2" and wanted.zones != "none":
        yield Complaint((*here, "zones"), "StandardV2 is zone-redundant by itself; zones need `sku: Standard`")
    if not (wanted.public_ips or wanted.existing or wanted.public_ip_prefix_length):
        yield Complaint((*here, "publicIps"), "a NAT gateway needs at least one public address")
    for index, existing in enumerate(wanted.existing):
        if ids.kind(existing) not in {ids.PUBLIC_IP, ids.PUBLIC_IP_PREFIX}:
            yield Complaint((*here, "existing", index), _not_an_id(existing, "a public IP address or prefix"))


def _hub(hub: HubPolicy, regions: tuple[str, ...]) -> Iterator[Complaint]:
    here: Path = ("egress", "hub")
    yield from _template((*here, "routeTable", "name"), hub.route_table.name)
    yield from _template((*here, "routeTable", "resourceGroup"), hub.route_table.resource_group)
    known = {**hub.next_hop, **hub.firewall}
    if not known and hub.virtual_wan != "connect":
        yield Complaint(here, "the hub needs a nextHop or a firewall in at least one region")
    elif hub.virtual_wan != "connect":
        for index, region in enumerate(regions):
            if not _GLOB.search(region) and region.casefold() not in known:
                message = f"the region {region} has neither a nextHop nor a firewall in egress.hub"
                yield Complaint(("select", "regions", index), message)
    for key, by_region, right, what in (
        ("nextHop", hub.next_hop, _is_address, "a private address like 10.0.0.4"),
        ("hubVirtualNetwork", hub.hub_virtual_network, _is(ids.VIRTUAL_NETWORK), "the id of a VNet"),
        ("firewall", hub.firewall, _is(ids.FIREWALL), "the id of an Azure Firewall"),
    ):
        for region, value in by_region.items():
            if not _REGION.fullmatch(region):
                yield Complaint((*here, key, region), f"expected a region like westeurope, found {region!r}")
            if not right(value):
                yield Complaint((*here, key, region), f"expected {what}, found {value!r}")
    named: list[tuple[Path, str]] = [
        (("routes", index, "prefix"), route.prefix) for index, route in enumerate(hub.routes)
    ]
    named += [(("bypass", "allow", index), prefix) for index, prefix in enumerate(hub.bypass.allow)]
    for path, prefix in named:
        if prefix in {"0.0.0.0/0", "::/0"}:
            yield Complaint((*here, *path), "the default route is what the hub itself is about")
        elif not (_is_prefix(prefix) or _TAG.fullmatch(prefix)):
            yield Complaint((*here, *path), f"expected a prefix like 10.0.0.0/8 or a service tag, found {prefix!r}")


def _windows(policy: Policy) -> Iterator[Complaint]:
    texts: list[tuple[Path, str]] = [
        (("limits", "freeze", index), text) for index, text in enumerate(policy.limits.freeze)
    ]
    if policy.approvals.window is not None:
        texts.append((("approvals", "window"), policy.approvals.window))
    for path, text in texts:
        try:
            window.parse(text)
        except ValueError as error:
            yield Complaint(path, str(error))


def _services(policy: Policy) -> Iterator[Complaint]:
    for index, rule in enumerate(policy.clusters.services):
        here: Path = ("clusters", "services", index)
        if not rule.annotations:
            yield Complaint((*here, "annotations"), "a rule without annotations puts nothing")
        for part, names in (("annotations", rule.annotations), ("selector", rule.selector)):
            for name in names:
                if not _QUALIFIED.fullmatch(name):
                    expected = "expected a name as Kubernetes takes it, like example.com/name"
                    yield Complaint((*here, part, name), f"{expected}, found {name!r}")
        for name, value in rule.selector.items():
            if not _LABEL_VALUE.fullmatch(value):
                yield Complaint((*here, "selector", name), f"no Service can have this label: {value!r}")


def _template(path: Path, template: str) -> Iterator[Complaint]:
    unknown = [field for field in fields(template) if field not in NAME_FIELDS]
    if unknown:
        known = ", ".join(f"{{{field}}}" for field in NAME_FIELDS)
        yield Complaint(path, f"there is no field {_listed(unknown)}; expected {known}")
    elif set("{}") & set(re.sub(r"\{[^{}]*\}", "", template)):
        yield Complaint(path, f"a brace without its other half in {template!r}")


def _listed(names: Iterable[str]) -> str:
    return " and ".join(f"{{{name}}}" for name in names)


def _not_an_id(text: str, what: str) -> str:
    return f"expected the id of {what}, found {text!r}"


def _is(kind: str) -> Callable[[str], bool]:
    return lambda text: ids.kind(text) == kind


def _is_address(text: str) -> bool:
    try:
        return isinstance(ipaddress.ip_address(text), ipaddress.IPv4Address)
    except ValueError:
        return False


def _is_prefix(text: str) -> bool:
    try:
        ipaddress.ip_network(text)
    except ValueError:
        return False
    return "/" in text
