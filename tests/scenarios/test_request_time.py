"""What is exported as Azure Policy, put into the simulator, denies exactly what policies deny, and nothing else."""

from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec import Struct

from governor.core.occupancy import SPECIAL
from governor.core.policy import Mode, Policies, Policy
from governor.core.request_modify import companions
from governor.core.request_rules import TITLES, Kind, outbound_types
from governor.core.request_time import Assigned, Assignment, AtRequest, Definition, Exempted, at_request
from governor.core.selection import Selected, Subject, matcher, select
from simulator.arm import Arm, ManualClock, Request, bearer

ONE = "11111111-1111-4111-8111-111111111111"
CORP = "/providers/Microsoft.Management/managementGroups/corp"
NODES = "rg-any-name"
GROUPS = ("rg-net", "rg-app", NODES)
NETWORKS = ("spoke-1", "spoke-lab", "a-lab-2", "hub")
SUBNETS = ("apps", "data-x", "GatewaySubnet")
ADDRESSES = ("edge-1", "other")
REGION = "eastus"
Body = dict[str, Any]


def group_id(group: str) -> str:
    return f"/subscriptions/{ONE}/resourceGroups/{group}"


def network_id(group: str, name: str) -> str:
    return f"{group_id(group)}/providers/Microsoft.Network/{name}"


class Asked(Struct, frozen=True):
    """A request: what is asked for, in which group, network and subnet, and what it says there."""

    kind: Kind
    group: str = "rg-net"
    network: str = "spoke-1"
    subnet: str = "apps"
    address: str = ""
    private: bool | None = None
    delegated: bool = False
    outbound: str | None = None
    region: str = REGION

    @property
    def subnet_id(self) -> str:
        return network_id(self.group, f"virtualNetworks/{self.network}/subnets/{self.subnet}")

    def request(self) -> tuple[str, Body]:
        """The path of its PUT and the body."""
        inside: Body = {"subnet": {"id": self.subnet_id}}
        subnet: Body = {"addressPrefix": "10.0.0.0/24"}
        if self.private is not None:
            subnet["defaultOutboundAccess"] = not self.private
        if self.delegated:
            subnet["delegations"] = [{"name": "d", "properties": {"serviceName": "Microsoft.Web/serverFarms"}}]
        address = {"id": network_id(self.group, f"publicIPAddresses/{self.address}")}
        match self.kind:
            case Kind.INTERFACE:
                inner = inside | ({"publicIPAddress": address} if self.address else {})
                properties: Body = {"ipConfigurations": [{"name": "c", "properties": inner}]}
                path = network_id(self.group, "networkInterfaces/n")
            case Kind.SCALE_SET:
                inner = inside | ({"publicIPAddressConfiguration": {"name": self.address}} if self.address else {})
                interface = {"name": "i", "properties": {"ipConfigurations": [{"name": "c", "properties": inner}]}}
                profile = {"networkProfile": {"networkInterfaceConfigurations": [interface]}}
                properties = {"virtualMachineProfile": profile}
                path = f"{group_id(self.group)}/providers/Microsoft.Compute/virtualMachineScaleSets/s"
            case Kind.BALANCER:
                frontend = {"publicIPAddress": address} if self.address else inside
                properties = {"frontendIPConfigurations": [{"name": "f", "properties": frontend}]}
                path = network_id(self.group, "loadBalancers/l")
            case Kind.NETWORK:
                space = {"addressPrefixes": ["10.0.0.0/16"]}
                properties = {"addressSpace": space, "subnets": [{"name": self.subnet, "properties": subnet}]}
                path = network_id(self.group, f"virtualNetworks/{self.network}")
            case Kind.SUBNET:
                return self.subnet_id, {"properties": subnet}
            case Kind.CLUSTER:
                pool = {"name": "p", "mode": "System", "count": 1, "vnetSubnetID": self.subnet_id}
                network: Body = {"outboundType": self.outbound} if self.outbound is not None else {}
                properties = {"dnsPrefix": "d", "agentPoolProfiles": [pool], "networkProfile": network}
                path = f"{group_id(self.group)}/providers/Microsoft.ContainerService/managedClusters/c"
        return path, {"location": self.region, "properties": properties}


def azure(found: AtRequest) -> Arm:
    """What is exported in, an Azure that has it out; each of it has to be taken."""
    arm = Arm(ManualClock(datetime(2026, 11, 21, 12, tzinfo=UTC)), throttle="off")
    estate: list[Body] = [
        {"id": CORP, "type": "Microsoft.Management/managementGroups"},
        {"id": f"{CORP}/subscriptions/{ONE}", "type": "Microsoft.Management/managementGroups/subscriptions"},
    ]
    for group in GROUPS:
        managed = {"managedBy": network_id("rg-app", "anything/x")} if group == NODES else {}
        estate.append(
            {"id": group_id(group), "type": "Microsoft.Resources/resourceGroups", "location": REGION, **managed}
        )
    arm.load(estate)
    exported: list[Definition | Assignment | Exempted] = [*found.definitions, *found.assignments, *found.exemptions]
    for one in exported:
        body = {"properties": one.properties}
        assert put(arm, one.id, body).status in (200, 201), put(arm, one.id, body).body
    return arm


def put(arm: Arm, path: str, body: Body) -> Any:
    return arm.handle(Request("PUT", f"{path}?api-version=2024-05-01", bearer(), msgspec.json.encode(body)))


def is_denied(arm: Arm, asked: Asked) -> bool:
    """Whether Azure Policy refuses; what a provider says afterwards is its own business."""
    response = put(arm, *asked.request())
    return bool(response.status == 403 and response.json()["error"]["code"] == "RequestDisallowedByPolicy")


def governing(policies: Policies, asked: Asked) -> Policy | None:
    """The policy that governs what is asked for, as the governor would say of it once it is there."""
    subject = Subject(
        resource_id=asked.subnet_id,
        kind="",
        subscription=ONE,
        resource_group=asked.group,
        region=asked.region,
        subscription_name="One",
        management_groups=("corp",),
        virtual_network=asked.network,
        subnet=asked.subnet,
        occupants=frozenset(),
        tags={},
    )
    answer = select(policies, subject)
    return answer.policy if isinstance(answer, Selected) else None


def denies(policy: Policy, asked: Asked) -> bool:
    """Whether a policy that governs it denies what is asked for, at the request."""
    if policy.mode is Mode.AUDIT or asked.group == NODES:
        return False
    addresses = policy.public_ips
    match asked.kind:
        case Kind.INTERFACE | Kind.SCALE_SET | Kind.BALANCER:
            allowed = any(
                matcher(entry.names)(asked.address)
                for entry in addresses.allow
                if entry.names and not entry.attached_to and asked.kind is not Kind.SCALE_SET
            )
            asks = addresses.default == "deny" and addresses.at_request_time == "deny"
            return asks and bool(asked.address) and not allowed
        case Kind.NETWORK | Kind.SUBNET:
            ordinary = asked.subnet.casefold() not in SPECIAL and not asked.delegated
            return policy.egress.default_outbound_access == "deny" and ordinary and asked.private is not True
        case Kind.CLUSTER:
            types = {one.casefold() for one in outbound_types(policy)}
            if not types or policy.clusters.at_request_time != "deny":
                return False
            return (asked.outbound or "loadBalancer").casefold() not in types or asked.outbound is None


# --- tables ---------------------------------------------------------------------------------------

DENY: Body = {"publicIps": {"atRequestTime": "deny"}, "clusters": {"atRequestTime": "deny"}}


def policies(*given: Body) -> Policies:
    defaults: Body = {"mode": "enforce", "egress": {"natGateway": {}}}
    return Policies(
        policies=tuple(msgspec.convert({"name": f"p{n}", **defaults, **one}, Policy) for n, one in enumerate(given))
    )


def exported(all_of_them: Policies, scope: str = CORP) -> AtRequest:
    return at_request(all_of_them, Assigned(datetime(2026, 11, 21, 12, tzinfo=UTC), scope, enforce=True))


TABLE: list[tuple[Body, Asked, bool]] = [
    ({}, Asked(Kind.INTERFACE), False),
    ({}, Asked(Kind.INTERFACE, address="other"), True),
    ({}, Asked(Kind.INTERFACE, address="other", group=NODES), False),
    ({"mode": "audit"}, Asked(Kind.INTERFACE, address="other"), False),
    ({"publicIps": {"atRequestTime": "audit"}}, Asked(Kind.INTERFACE, address="other"), False),
    (
        {"publicIps": {"atRequestTime": "deny", "allow": [{"names": ["edge-*"]}]}},
        Asked(Kind.INTERFACE, address="edge-1"),
        False,
    ),
    (
        {"publicIps": {"atRequestTime": "deny", "allow": [{"names": ["edge-*"]}]}},
        Asked(Kind.INTERFACE, address="other"),
        True,
    ),
    ({"select": {"virtualNetworks": ["spoke-*"]}}, Asked(Kind.INTERFACE, address="other", network="hub"), False),
    ({"select": {"virtualNetworks": ["spoke-*"]}}, Asked(Kind.INTERFACE, address="other"), True),
    ({"select": {"resourceGroups": ["*-app"]}}, Asked(Kind.INTERFACE, address="other"), False),
    ({"select": {"resourceGroups": ["*-app"]}}, Asked(Kind.INTERFACE, address="other", group="rg-app"), True),
    ({"select": {"except": {"subnets": ["data-*"]}}}, Asked(Kind.INTERFACE, address="other", subnet="data-x"), False),
    ({"select": {"regions": ["westus"]}}, Asked(Kind.INTERFACE, address="other"), False),
    ({}, Asked(Kind.SCALE_SET), False),
    ({}, Asked(Kind.SCALE_SET, address="pub"), True),
    ({}, Asked(Kind.SCALE_SET, address="pub", group=NODES), False),
    ({}, Asked(Kind.BALANCER), False),
    ({}, Asked(Kind.BALANCER, address="other"), True),
    ({}, Asked(Kind.NETWORK), True),
    ({}, Asked(Kind.NETWORK, private=False), True),
    ({}, Asked(Kind.NETWORK, private=True), False),
    ({}, Asked(Kind.NETWORK, delegated=True), False),
    ({}, Asked(Kind.NETWORK, subnet="AzureBastionSubnet"), False),
    ({"select": {"subnets": ["apps"]}}, Asked(Kind.NETWORK, subnet="data-x"), False),
    ({}, Asked(Kind.SUBNET), True),
    ({}, Asked(Kind.SUBNET, private=True), False),
    ({}, Asked(Kind.SUBNET, delegated=True), False),
    ({}, Asked(Kind.SUBNET, subnet="GatewaySubnet"), False),
    ({"egress": {"natGateway": {}, "defaultOutboundAccess": "audit"}}, Asked(Kind.SUBNET), False),
    ({"select": {"virtualNetworks": ["*-lab"]}}, Asked(Kind.SUBNET), False),
    ({"select": {"virtualNetworks": ["*-lab"]}}, Asked(Kind.SUBNET, network="spoke-lab"), True),
    ({}, Asked(Kind.CLUSTER), True),
    ({}, Asked(Kind.CLUSTER, outbound="loadBalancer"), True),
    ({}, Asked(Kind.CLUSTER, outbound="userAssignedNATGateway"), False),
    ({"egress": {"allow": ["hub"]}}, Asked(Kind.CLUSTER, outbound="userAssignedNATGateway"), True),
    ({"egress": {"allow": ["hub"]}}, Asked(Kind.CLUSTER, outbound="userDefinedRouting"), False),
    ({"clusters": {"atRequestTime": "audit"}}, Asked(Kind.CLUSTER), False),
    ({"select": {"virtualNetworks": ["hub"]}}, Asked(Kind.CLUSTER), False),
]


@pytest.mark.parametrize(("given", "asked", "denied"), TABLE)
def test_what_is_denied(given: Body, asked: Asked, denied: bool) -> None:
    mine = policies(DENY | given)
    arm = azure(exported(mine))
    for scope in ("virtualNetworks/v", "natGateways/n", "routeTables/t"):  # nobody speaks of these
        made = put(arm, network_id("rg-app", scope), {"location": REGION, "properties": {}})
        assert made.status != 403
    assert is_denied(arm, asked) is denied
    governed = governing(mine, asked)
    assert (governed is not None and denies(governed, asked)) is denied


def test_nothing_is_denied_before_it_is_enforced() -> None:
    found = at_request(policies(DENY), Assigned(datetime(2026, 11, 21, tzinfo=UTC), CORP))
    assert not is_denied(azure(found), Asked(Kind.INTERFACE, address="other"))


def test_a_cluster_whose_pools_two_policies_govern_is_denied_by_neither() -> None:
    mine = policies(
        DENY | {"select": {"subnets": ["apps"]}},
        DENY | {"priority": 1, "egress": {"allow": ["hub"]}},
    )
    path, body = Asked(Kind.CLUSTER, outbound="loadBalancer").request()
    arm = azure(exported(mine))
    assert put(arm, path, body).status == 403
    elsewhere = Asked(Kind.CLUSTER, subnet="data-x").subnet_id
    body["properties"]["agentPoolProfiles"].append({"name": "q", "count": 1, "vnetSubnetID": elsewhere})
    assert put(arm, path, body).status != 403


def test_an_exempt_interface_passes() -> None:
    nic = network_id("rg-net", "networkInterfaces/n")
    exemption = {"requirement": "nic-public-ip", "owner": "x", "reason": "y", "until": "2026-11-21"}
    mine = policies(DENY | {"exemptions": [{"resource": nic, **exemption}]})
    found = exported(mine)
    arm = azure(msgspec.structs.replace(found, exemptions=()))
    asked = Asked(Kind.INTERFACE, address="other")
    assert is_denied(arm, asked)
    arm = azure(found)
    assert not is_denied(arm, asked)


def test_companions_are_definitions_that_azure_takes() -> None:
    hub = {"nextHop": {REGION: "10.0.0.4"}, "routeTable": {"name": "rt-{virtualNetwork}", "resourceGroup": "rg"}}
    found, untold = companions(policies({"egress": {"hub": hub}}), CORP)
    assert (len(found), untold) == (2, ())
    azure(AtRequest(definitions=found))


# --- the property ---------------------------------------------------------------------------------

# Mostly what Azure Policy can be told; now and then what it cannot.
PATTERNS = st.sampled_from([["spoke-*"], ["*-lab"], ["hub"], ["hub", "*-lab"], ["SPOKE-1"], ["none"], ["sp?ke-*"]])
NAMES = st.sampled_from([["apps"], ["data-*"], ["*x"], ["GatewaySubnet"]])
CONDITIONS: st.SearchStrategy[Body] = st.one_of(
    st.just({}),
    st.fixed_dictionaries({"virtualNetworks": PATTERNS}),
    st.fixed_dictionaries({"subnets": NAMES}),
    st.fixed_dictionaries({"resourceGroups": st.sampled_from([["rg-net"], ["rg-*"], ["*app"]])}),
    st.fixed_dictionaries({"virtualNetworks": PATTERNS, "subnets": NAMES}),
    st.fixed_dictionaries({"regions": st.sampled_from([[REGION], ["west*"]])}),
)


@st.composite
def policy_files(draw: st.DrawFn) -> Body:
    """What a policy file may say of this."""
    chosen: Body = dict(draw(CONDITIONS))
    if draw(st.booleans()):
        chosen |= {"except": draw(CONDITIONS)}
    chosen |= draw(st.sampled_from([{}, {}, {"subscriptions": [ONE]}, {"managementGroups": ["corp"]}]))
    some = [[], [{"names": ["edge-*"]}], [{"names": ["none", "*1"]}], [{"attachedTo": ["bastion"], "tags": {"a": "b"}}]]
    allow = draw(st.sampled_from([*some, [{"tags": {"a": "b"}}]]))
    return {
        "mode": draw(st.sampled_from(["audit", "propose", "enforce", "enforce"])),
        "priority": draw(st.integers(1, 3)),
        "select": chosen,
        "egress": {
            "allow": draw(st.sampled_from([["natGateway"], ["hub", "isolated"], ["loadBalancer"], []])),
            "defaultOutboundAccess": draw(st.sampled_from(["deny", "audit", "allow"])),
        },
        "publicIps": {
            "default": draw(st.sampled_from(["deny", "deny", "audit", "allow"])),
            "atRequestTime": draw(st.sampled_from(["deny", "deny", "audit", "off"])),
            "allow": allow,
        },
        "clusters": {"atRequestTime": draw(st.sampled_from(["deny", "audit", "off"]))},
    }


REQUESTS = st.builds(
    Asked,
    kind=st.sampled_from([kind for kind in Kind if kind is not Kind.BALANCER]),
    group=st.sampled_from(GROUPS),
    network=st.sampled_from(NETWORKS),
    subnet=st.sampled_from(SUBNETS),
    address=st.sampled_from(("", *ADDRESSES)),
    private=st.sampled_from([None, True, False]),
    delegated=st.booleans(),
    outbound=st.sampled_from([None, "loadBalancer", "userDefinedRouting", "userAssignedNATGateway", "none"]),
    region=st.sampled_from([REGION, "westus"]),
)


def untold(found: AtRequest) -> Iterator[tuple[str, str]]:
    return ((one.policy, one.what) for one in found.untold)


@given(st.lists(policy_files(), min_size=1, max_size=4), st.lists(REQUESTS, min_size=10, max_size=30))
def test_azure_policy_denies_what_policies_deny_and_nothing_else(files: list[Body], requests: list[Asked]) -> None:
    mine = policies(*files)
    found = exported(mine)
    arm = azure(found)
    passed = set(untold(found))
    for asked in requests:
        policy = governing(mine, asked)
        expected = policy is not None and denies(policy, asked)
        if policy is not None and (policy.name, TITLES[asked.kind]) in passed:
            expected = False  # it was said that Azure Policy cannot be told this
        assert is_denied(arm, asked) is expected, (asked, policy)
