"""A small Azure of raw bodies: what tests of core tell their stories with.

azure = Azure(vnet(subnet("app")), nat("ng"))      # what exists
seen = azure.observe(POLICIES)                     # an Estate, read as a run reads it
azure.apply(step)                                  # what a write does to the bodies
"""

import copy
from collections.abc import Callable, Iterable
from datetime import UTC, datetime
from typing import Any, Final

import msgspec

from governor.core import estate as estates
from governor.core import ids, needs, step
from governor.core.circumstances import Circumstances
from governor.core.estate import BY_NAME, EVERYTHING, Estate, Gap, Reading, list_of
from governor.core.judged import judge
from governor.core.needs import Needs
from governor.core.policy import (
    Approvals,
    Egress,
    HubPolicy,
    IsolatedPolicy,
    Mode,
    NatGatewayPolicy,
    PathKind,
    Policies,
    Policy,
)
from governor.core.standing import Standing
from governor.core.step import DeleteNatGateway, Step, WriteSubnet
from governor.core.verdict import Result, Verdict

Body = dict[str, Any]
SUB: Final = "00000000-0000-0000-0000-00000000000a"
AT: Final = datetime(2026, 7, 1, 12, 0, tzinfo=UTC)
REGION: Final = "westeurope"
OWN: Final = "rg-egress-westeurope"
GROUP: Final = f"/subscriptions/{SUB}/resourceGroups/rg-net"
ADDRESSES: Final = tuple(list_of(what, f"/subscriptions/{SUB}") for what in BY_NAME)
OWN_GROUP: Final = f"/subscriptions/{SUB}/resourceGroups/{OWN}"


# ---- ids ------------------------------------------------------------------------------------------------------------


def network(kind: str, name: str, group: str = "rg-net") -> str:
    """`natGateways` and a name in, an id out."""
    return f"/subscriptions/{SUB}/resourceGroups/{group}/providers/Microsoft.Network/{kind}/{name}"


def vnet_id(name: str = "spoke") -> str:
    return network("virtualNetworks", name)


def subnet_id(name: str = "app", vnet: str = "spoke") -> str:
    return f"{vnet_id(vnet)}/subnets/{name}"


def nat_id(name: str = "ng", group: str = "rg-net") -> str:
    return network("natGateways", name, group)


def address_id(name: str = "pip", group: str = "rg-net") -> str:
    return network("publicIPAddresses", name, group)


def table_id(name: str = "rt") -> str:
    return network("routeTables", name)


def nic_id(name: str = "nic", group: str = "rg-net") -> str:
    return network("networkInterfaces", name, group)


def config_id(nic: str = "nic", group: str = "rg-net") -> str:
    return f"{nic_id(nic, group)}/ipConfigurations/ipconfig1"


def balancer_id(name: str = "lb") -> str:
    return network("loadBalancers", name)


def pool_id(balancer: str = "lb") -> str:
    return f"{balancer_id(balancer)}/backendAddressPools/pool"


def refs(*targets: str) -> list[Body]:
    return [{"id": target} for target in targets]


# ---- bodies ---------------------------------------------------------------------------------------------------------


def subnet(name: str = "app", vnet: str = "spoke", **properties: Any) -> Body:
    """Members of `properties` as Azure spells them; a text for natGateway and routeTable is an id."""
    for member in ("natGateway", "routeTable"):
        if isinstance(properties.get(member), str):
            properties[member] = {"id": properties[member]}
    found = {"provisioningState": "Succeeded", "addressPrefix": "10.0.0.0/24", **properties}
    return {"id": subnet_id(name, vnet), "name": name, "properties": found}


def vnet(*subnets: Body, name: str = "spoke", location: str = REGION, **properties: Any) -> Body:
    body = {
        "id": vnet_id(name),
        "name": name,
        "type": "Microsoft.Network/virtualNetworks",
        "location": location,
        "properties": {"provisioningState": "Succeeded", "subnets": list(subnets), **properties},
    }
    for one in subnets:
        one["id"] = subnet_id(one["name"], name)
    return body


def peering(name: str = "to-hub", vnet: str = "spoke", **properties: Any) -> Body:
    return {"id": f"{vnet_id(vnet)}/virtualNetworkPeerings/{name}", "name": name, "properties": properties}


def space(*prefixes: str) -> Body:
    return {"addressPrefixes": list(prefixes)}


def nat(
    name: str = "ng",
    *holders: str,
    group: str = "rg-net",
    sku: str = "Standard",
    location: str = REGION,
    **properties: Any,
) -> Body:
    prefixes = [h for h in holders if "/publicIPPrefixes/" in h]
    return {
        "id": nat_id(name, group),
        "type": "Microsoft.Network/natGateways",
        "location": location,
        "sku": {"name": sku},
        "properties": {
            "provisioningState": "Succeeded",
            "publicIpAddresses": refs(*(h for h in holders if h not in prefixes)),
            "publicIpPrefixes": refs(*prefixes),
            **properties,
        },
    }


def address(name: str = "pip", ip: str | None = "203.0.113.1", sku: str = "Standard", **properties: Any) -> Body:
    found = {"provisioningState": "Succeeded", **({"ipAddress": ip} if ip else {}), **properties}
    return {
        "id": address_id(name),
        "type": "Microsoft.Network/publicIPAddresses",
        "location": REGION,
        "sku": {"name": sku},
        "properties": found,
    }


def prefix(name: str = "ippre", range_: str | None = "203.0.113.0/30", sku: str = "Standard") -> Body:
    return {
        "id": network("publicIPPrefixes", name),
        "type": "Microsoft.Network/publicIPPrefixes",
        "location": REGION,
        "sku": {"name": sku},
        "properties": {"ipPrefix": range_} if range_ else {},
    }


def route(where: str, kind: str | None, hop: str | None = None) -> Body:
    properties: Body = {"addressPrefix": where}
    if kind is not None:
        properties["nextHopType"] = kind
    if hop is not None:
        properties["nextHopIpAddress"] = hop
    return {"name": f"to-{where.replace('/', '-')}", "properties": properties}


def table(name: str = "rt", *routes: Body, **properties: Any) -> Body:
    return {
        "id": table_id(name),
        "type": "Microsoft.Network/routeTables",
        "location": REGION,
        "properties": {"provisioningState": "Succeeded", "routes": list(routes), **properties},
    }


def nic(
    name: str = "nic",
    *pools: str,
    public: str | None = None,
    group: str = "rg-net",
    machine: str | None = "vm",
    **properties: Any,
) -> Body:
    inner: Body = {"privateIPAddress": "10.0.0.4"}
    if public:
        inner["publicIPAddress"] = {"id": public}
    if pools:
        inner["loadBalancerBackendAddressPools"] = refs(*pools)
    found: Body = {"provisioningState": "Succeeded", "ipConfigurations": []}
    found["ipConfigurations"] = [{"id": config_id(name, group), "name": "ipconfig1", "properties": inner}]
    if machine:
        found["virtualMachine"] = {"id": f"{GROUP}/providers/Microsoft.Compute/virtualMachines/{machine}"}
    return {
        "id": nic_id(name, group),
        "type": "Microsoft.Network/networkInterfaces",
        "location": REGION,
        "properties": {**found, **properties},
    }


def balancer(
    name: str = "lb",
    public: str | None = None,
    *,
    sku: str = "Standard",
    outbound: bool = False,
    rule: bool = False,
    snat_off: bool = False,
) -> Body:
    """A load balancer with one frontend and one pool; `outbound` and `rule` say which rules join them."""
    frontend = f"{balancer_id(name)}/frontendIPConfigurations/fe"
    inner: Body = {"publicIPAddress": {"id": public}} if public else {"privateIPAddress": "10.0.0.9"}
    properties: Body = {
        "provisioningState": "Succeeded",
        "frontendIPConfigurations": [{"id": frontend, "name": "fe", "properties": inner}],
        "backendAddressPools": [{"id": pool_id(name), "properties": {}}],
    }
    if outbound:
        said = {"backendAddressPool": {"id": pool_id(name)}, "frontendIPConfigurations": refs(frontend)}
        properties["outboundRules"] = [{"id": f"{balancer_id(name)}/outboundRules/out", "properties": said}]
    if rule:
        says = {
            "backendAddressPool": {"id": pool_id(name)},
            "frontendIPConfiguration": {"id": frontend},
            "disableOutboundSnat": snat_off,
        }
        properties["loadBalancingRules"] = [{"id": f"{balancer_id(name)}/loadBalancingRules/in", "properties": says}]
    return {
        "id": balancer_id(name),
        "type": "Microsoft.Network/loadBalancers",
        "location": REGION,
        "sku": {"name": sku},
        "properties": properties,
    }


def firewall(private: str = "10.1.0.4", name: str = "fw", **properties: Any) -> Body:
    inner = [{"id": f"{network('azureFirewalls', name)}/c", "properties": {"privateIPAddress": private}}]
    return {
        "id": network("azureFirewalls", name),
        "type": "Microsoft.Network/azureFirewalls",
        "location": REGION,
        "properties": {"provisioningState": "Succeeded", "ipConfigurations": inner, **properties},
    }


def cluster(*subnets: str, name: str = "aks", **properties: Any) -> Body:
    pools = [{"name": f"pool{i}", "vnetSubnetID": one} for i, one in enumerate(subnets)]
    return {
        "id": f"{GROUP}/providers/Microsoft.ContainerService/managedClusters/{name}",
        "type": "Microsoft.ContainerService/ManagedClusters",
        "location": REGION,
        "properties": {"provisioningState": "Succeeded", "agentPoolProfiles": pools, **properties},
    }


def deployment(name: str = "d", group: str = GROUP) -> Body:
    found = {"provisioningState": "Running"}
    return {"id": f"{group}/providers/Microsoft.Resources/deployments/{name}", "properties": found}


def group(name: str = "rg-net", **tags: str) -> Body:
    return {"id": f"/subscriptions/{SUB}/resourceGroups/{name}", "location": REGION, "tags": tags}


def subscription(name: str = "corp", **tags: str) -> Body:
    return {"id": f"/subscriptions/{SUB}", "displayName": name, "tags": tags}


def permissions(scope: str, *denied: str) -> Body:
    """A scope in; that everything may be done there, but for what is denied, out."""
    return {"id": ids.permissions(scope), "value": [{"actions": ["*"], "notActions": list(denied)}]}


def delegated(service: str) -> list[Body]:
    return [{"name": "d", "properties": {"serviceName": service}}]


def encoded(*bodies: Body) -> tuple[bytes, ...]:
    return tuple(msgspec.json.encode(body) for body in bodies)


def estate(
    *bodies: Body,
    absent: Iterable[str] = (),
    listed: Iterable[str] = (EVERYTHING, *ADDRESSES),
    gaps: Iterable[Gap] = (),
    at: datetime = AT,
) -> Estate:
    """Exactly these facts."""
    return estates.build(at, Reading(encoded(*bodies), tuple(absent), tuple(listed), tuple(gaps)))


# ---- policies -------------------------------------------------------------------------------------------------------


def nat_policy(**changes: Any) -> Policy:
    given: dict[str, Any] = {"name": "nat", "mode": Mode.ENFORCE, "occupied": Mode.ENFORCE}
    given["egress"] = Egress(nat_gateway=NatGatewayPolicy(sku="Standard"))
    return Policy(**{**given, **changes})


def with_nat(**wanted: Any) -> Policy:
    return nat_policy(egress=Egress(nat_gateway=NatGatewayPolicy(**{"sku": "Standard", **wanted})))


def isolated_policy(route: str = "none", **changes: Any) -> Policy:
    egress = Egress(isolated=IsolatedPolicy(route=route))  # type: ignore[arg-type]
    return nat_policy(**{"name": "isolated", "egress": egress, **changes})


def hub_policy(**hub: Any) -> Policy:
    return nat_policy(name="hub", egress=Egress(hub=HubPolicy(**hub)))


def allowing(*paths: PathKind, **changes: Any) -> Policy:
    """A policy that only judges."""
    return nat_policy(name="judge", egress=Egress(allow=paths), **changes)


def freely(policy: Policy) -> Policy:
    """The same policy, needing nobody's approval."""
    return msgspec.structs.replace(policy, approvals=Approvals(needed=()))


POLICIES: Final = Policies((nat_policy(),))


def around(
    seen: Estate,
    policies: Policies = POLICIES,
    standing: Standing | None = None,
    ceiling: Mode = Mode.ENFORCE,
) -> Circumstances:
    return Circumstances(seen, standing or Standing(), policies, ceiling)


def found(verdicts: Iterable[Verdict]) -> dict[tuple[str, str], Result]:
    """Verdicts in; by name of the subnet and requirement, the Result out."""
    return {(ids.name(v.resource), v.requirement): v.result for v in verdicts}


def egress_of(seen: Estate, *policies: Policy) -> Verdict:
    """The first subnet-egress Verdict of an Estate."""
    return next(v for v in judge(seen, Policies(policies)) if v.requirement == "subnet-egress")


# ---- a world that is read and written -------------------------------------------------------------------------------


_LISTS: Final = {
    ids.PUBLIC_IP: "publicipaddresses(",
    ids.PUBLIC_IP_PREFIX: "publicipprefixes(",
    ids.LOAD_BALANCER: "loadbalancers(",
    ids.API_MANAGEMENT: "apimanagement(",
    ids.NAT_GATEWAY: "natgateways(",
    ids.APPLICATION_GATEWAY: "applicationgateways(",
    ids.SITE: "sites(",
}


def _is_listed(resource_id: str, name: str) -> bool:
    """A resource and the name of a list in, whether it stands in that list out."""
    match ids.kind(resource_id):
        case ids.CLUSTER:
            return name.startswith("clusters(")
        case ids.DEPLOYMENT:
            return name.startswith("deployments(")
        case ids.PERMISSIONS:
            return name == estates.permissions(resource_id.partition("/providers/Microsoft.Authorization/")[0])
        case ids.OUTBOUND_DEPENDENCIES:
            return name == estates.outbound_dependencies(ids.top_level(resource_id))
        case kind if kind in _LISTS:
            return name.casefold().startswith(_LISTS[kind])
        case ids.LEARNED_ROUTES:
            return name == estates.learned_routes(ids.top_level(resource_id))
        case _:
            return False


_ARRAYS: Final = {ids.ROUTE: "routes", ids.PEERING: "virtualNetworkPeerings"}
_SERVING: Final = {ids.NAT_GATEWAY: "natGateway", ids.ROUTE_TABLE: "routeTable"}


class Azure:
    """Raw bodies by key. Reads what it is asked for, and writes what a step says; it knows nothing about egress.

    only: the one network that is judged; without it all are.
    """

    def __init__(self, *bodies: Body, unreadable: Iterable[str] = (), only: str | None = None) -> None:
        self.bodies: dict[str, Body] = {ids.key(body["id"]): copy.deepcopy(body) for body in bodies}
        self.unreadable = {ids.key(one) for one in unreadable}
        self.only = only
        self.asked: list[str] = []
        self._join()

    def observe(self, policies: Policies = POLICIES, standing: Standing | None = None, at: datetime = AT) -> Estate:
        """Reads every network, and what a run that repairs needs besides."""
        remembered = standing or Standing()
        return self.read(lambda seen: needs.for_repair(seen, policies, remembered), at)

    def read(self, wants: Callable[[Estate], Needs], at: datetime = AT) -> Estate:
        networks = [
            body
            for key, body in self.bodies.items()
            if ids.kind(key) == ids.VIRTUAL_NETWORK and key not in self.unreadable
        ]
        seen = estates.build(at, Reading(encoded(*networks)), judged=[self.only] if self.only else None)
        while (wanted := wants(seen)) != Needs():
            self.asked += [*wanted.resources, *wanted.lists]
            seen = estates.add(seen, self._answer(wanted))
        return seen

    def apply(self, one: Step) -> None:
        key = ids.key(one.target)
        if isinstance(one, WriteSubnet):
            subnets = self.bodies[ids.key(ids.parent(one.target))]["properties"]["subnets"]
            at = next(i for i, body in enumerate(subnets) if ids.same(body["id"], one.target))
            assert step.conflict(one, subnets[at]) is None
            subnets[at] = step.edit(one, subnets[at])
        elif isinstance(one, DeleteNatGateway):
            del self.bodies[key]
        elif (members := _ARRAYS.get(ids.kind(one.target))) is not None:
            self._apply_child(one, members)
        else:
            assert step.conflict(one, self.bodies.get(key)) is None
            body = step.edit(one, self.bodies.get(key))
            assert body is not None
            self.bodies[key] = {**body, "id": one.target}
        self._join()

    def _apply_child(self, one: Step, members: str) -> None:
        """A route or a peering, which lives in its parent's body."""
        children = self.bodies[ids.key(ids.parent(one.target))]["properties"].setdefault(members, [])
        name = ids.name(one.target)
        old = next((body for body in children if body["name"].casefold() == name.casefold()), None)
        assert step.conflict(one, old) is None
        new = step.edit(one, old)
        if old is not None:
            children.remove(old)
        if new is not None:
            children.append({**new, "id": one.target, "name": name})

    def _join(self) -> None:
        """What Azure fills in by itself: whom a gateway or a table serves, who has an address, how peerings are."""
        for _, body in sorted(self.bodies.items()):
            for one in body.get("properties", {}).get("ipConfigurations") or ():
                held = (one.get("properties") or {}).get("publicIPAddress") if isinstance(one, dict) else None
                address = self.bodies.get(ids.key(held["id"])) if held else None
                if address is not None:
                    address["properties"]["ipConfiguration"] = {"id": one["id"]}
        for key, body in self.bodies.items():
            if member := _SERVING.get(ids.kind(key)):
                served = [
                    one["id"]
                    for other in self.bodies.values()
                    for one in other.get("properties", {}).get("subnets") or ()
                    if ids.kind(other["id"]) == ids.VIRTUAL_NETWORK
                    and ids.key((one["properties"].get(member) or {"id": ""})["id"]) == key
                ]
                # Networks that this Azure does not hold are believed as they are given.
                given = [one["id"] for one in body["properties"].get("subnets") or ()]
                elsewhere = [one for one in given if ids.key(ids.parent(one)) not in self.bodies]
                body["properties"]["subnets"] = refs(*served, *elsewhere)
            for one in body.get("properties", {}).get("virtualNetworkPeerings") or ():
                there = self.bodies.get(ids.key(one["properties"].get("remoteVirtualNetwork", {}).get("id", "")))
                if there is not None:
                    self._show_peering(body, one["properties"], there)

    def _show_peering(self, local: Body, properties: Body, there: Body) -> None:
        back = any(
            ids.same(other["properties"].get("remoteVirtualNetwork", {}).get("id", ""), local["id"])
            for other in there["properties"].get("virtualNetworkPeerings") or ()
        )
        if properties.get("peeringState") != "Disconnected":  # as given; a write of it says Initiated
            properties["peeringState"] = "Connected" if back else "Initiated"
        properties["remoteAddressSpace"] = there["properties"].get("addressSpace") or {}

    def _answer(self, wanted: Needs) -> Reading:
        bodies: list[Body] = []
        absent: list[str] = []
        listed: list[str] = []
        gaps: list[Gap] = []
        for one in wanted.resources:
            if ids.key(one) in self.unreadable:
                gaps.append(Gap(ids.key(one), "no permission"))
            elif (body := self.bodies.get(ids.key(one))) is not None:
                bodies.append(body)
            else:
                absent.append(one)
        for name in wanted.lists:
            if ids.key(name) in self.unreadable:
                gaps.append(Gap(name, "no permission"))
                continue
            listed.append(name)
            if name.startswith("learnedRoutes("):
                gateway = name.removeprefix("learnedRoutes(").removesuffix(")")
                bodies.append({"id": ids.learned_routes(gateway), "value": []})
                continue
            found = [body for body in self.bodies.values() if _is_listed(body["id"], name)]
            if name.startswith("permissions(") and not found:
                scope = name.removeprefix("permissions(").removesuffix(")")
                found = [permissions(scope)]  # who is told nothing else may do everything
            bodies += found
        return Reading(encoded(*bodies), tuple(absent), tuple(listed), tuple(gaps))
