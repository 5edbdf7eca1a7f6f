"""What was seen: an Estate holds facts, when they were seen, and what could not be.

Three answers to "what is this resource?": its fact, ABSENT (Azure says there is none), or None (not read: a gap).
Missing facts never look like violations, nor like compliance (docs/architecture.md, rule 2).
"""

from collections.abc import Iterable
from datetime import datetime
from enum import Enum
from typing import Final, TypeVar

import msgspec
from msgspec import Struct
from msgspec.structs import replace

from governor.core import address_facts, app_facts, facts, front_door_facts, ids, ingress_facts, request_facts
from governor.core.cluster import Cluster
from governor.core.dependencies import OutboundDependencies
from governor.core.secret import Concealed, Secret, of_list

EVERYTHING: Final = "*"
NOT_READ: Final = "not read"
# Lists of what has to do with public addresses, by what they are of: a subscription, and one of a scale set.
ADDRESS_LISTS: Final = (
    "publicIpAddresses",
    "publicIpPrefixes",
    "loadBalancers",
    "natGateways",
    "apiManagement",
    "creationTimes",
    "instanceAddresses",
)
# Lists of a subscription that nothing but audits looks at.
AUDIT_LISTS: Final = ("applicationGateways", "sites", "privateLinkServices", "frontDoors")
# What is kept in Azure Policy, and what that finds; of a subscription.
REQUEST_LISTS: Final = ("policyAssignments", "policyDefinitions", "policyExemptions", "policyStates")
BY_NAME: Final = (*ADDRESS_LISTS, *AUDIT_LISTS, *REQUEST_LISTS)
# What only one resource can be asked for.
_ASKED_OF: Final = {
    "learnedRoutes": ids.VIRTUAL_NETWORK_GATEWAY,
    "effectiveRoutes": ids.NETWORK_INTERFACE,
    "outboundDependencies": ids.CLUSTER,
}
_ASKED: Final = frozenset({*_ASKED_OF, "secret", *BY_NAME})


class Absent(Enum):
    ABSENT = "absent"


ABSENT: Final = Absent.ABSENT
AnyFact = (
    facts.VirtualNetwork
    | facts.NatGateway
    | facts.PublicIp
    | facts.PublicIpPrefix
    | facts.RouteTable
    | facts.NetworkInterface
    | facts.LoadBalancer
    | facts.Firewall
    | facts.LearnedRoutes
    | facts.EffectiveRoutes
    | facts.Permissions
    | Cluster
    | facts.Deployment
    | facts.ResourceGroup
    | facts.Subscription
    | facts.Entity
    | address_facts.ScaleSet
    | address_facts.InstanceAddresses
    | address_facts.CreationTimes
    | address_facts.ApiManagement
    | ingress_facts.SecurityGroup
    | ingress_facts.ApplicationGateway
    | ingress_facts.WafPolicy
    | app_facts.Site
    | front_door_facts.PrivateLinkService
    | front_door_facts.FrontDoors
    | front_door_facts.FrontDoorWaf
    | request_facts.PolicyDefinition
    | request_facts.PolicyAssignment
    | request_facts.PolicyExemption
    | request_facts.PolicyStates
    | OutboundDependencies
)
F = TypeVar("F", bound=AnyFact)

_KINDS: Final[dict[str, type[AnyFact]]] = {
    ids.VIRTUAL_NETWORK: facts.VirtualNetwork,
    ids.NAT_GATEWAY: facts.NatGateway,
    ids.PUBLIC_IP: facts.PublicIp,
    ids.PUBLIC_IP_PREFIX: facts.PublicIpPrefix,
    ids.ROUTE_TABLE: facts.RouteTable,
    ids.NETWORK_INTERFACE: facts.NetworkInterface,
    ids.LOAD_BALANCER: facts.LoadBalancer,
    ids.FIREWALL: facts.Firewall,
    ids.LEARNED_ROUTES: facts.LearnedRoutes,
    ids.EFFECTIVE_ROUTES: facts.EffectiveRoutes,
    ids.PERMISSIONS: facts.Permissions,
    ids.CLUSTER: Cluster,
    ids.DEPLOYMENT: facts.Deployment,
    ids.RESOURCE_GROUP: facts.ResourceGroup,
    ids.SUBSCRIPTION: facts.Subscription,
    ids.ENTITY: facts.Entity,
    ids.SCALE_SET: address_facts.ScaleSet,
    ids.INSTANCE_ADDRESSES: address_facts.InstanceAddresses,
    ids.CREATION_TIMES: address_facts.CreationTimes,
    ids.API_MANAGEMENT: address_facts.ApiManagement,
    ids.SECURITY_GROUP: ingress_facts.SecurityGroup,
    ids.APPLICATION_GATEWAY: ingress_facts.ApplicationGateway,
    ids.WAF_POLICY: ingress_facts.WafPolicy,
    ids.SITE: app_facts.Site,
    ids.PRIVATE_LINK_SERVICE: front_door_facts.PrivateLinkService,
    ids.FRONT_DOORS: front_door_facts.FrontDoors,
    ids.FRONT_DOOR_WAF: front_door_facts.FrontDoorWaf,
    ids.POLICY_DEFINITION: request_facts.PolicyDefinition,
    ids.POLICY_ASSIGNMENT: request_facts.PolicyAssignment,
    ids.POLICY_EXEMPTION: request_facts.PolicyExemption,
    ids.POLICY_STATES: request_facts.PolicyStates,
    ids.OUTBOUND_DEPENDENCIES: OutboundDependencies,
}


def _concealed(kind: type, value: object) -> object:
    """A value where no plain JSON is expected in: a text that must not be seen, or whatever it is, out."""
    if kind is not Concealed:
        return value
    if not isinstance(value, str):
        raise ValueError("expected a text")
    return Concealed(value)


_DECODERS: Final = {kind: msgspec.json.Decoder(fact, dec_hook=_concealed) for kind, fact in _KINDS.items()}


class Gap(Struct, frozen=True, order=True):
    """What could not be read, and why; `about` is the key of a resource or the name of a list."""

    about: str
    why: str


class Estate(Struct, frozen=True):
    """Facts by key. `networks` are judged, and what lives in no network of `remainders`; everything else is context.

    remainders: ids of subscriptions. listed: names of lists that were read whole (`clusters(SUBSCRIPTION)`, ...), or
    EVERYTHING. secrets: by name of their list; an Estate is never stored.
    """

    observed_at: datetime
    networks: tuple[facts.VirtualNetwork, ...] = ()
    known: dict[str, AnyFact] = {}
    absent: frozenset[str] = frozenset()
    listed: frozenset[str] = frozenset()
    gaps: tuple[Gap, ...] = ()
    remainders: tuple[str, ...] = ()
    secrets: dict[str, Secret] = {}

    def find(self, resource_id: str, kind: type[F]) -> F | Absent | None:
        """A resource id and its kind in; the fact, ABSENT, or None when it was not read, or is both, out."""
        resource_key = ids.key(resource_id)
        fact = self.known.get(resource_key)
        if resource_key in self.absent:
            return ABSENT if fact is None else None
        return fact if isinstance(fact, kind) else None

    def all(self, kind: type[F]) -> list[F]:
        """Every known fact of a kind, sorted by key."""
        return [fact for _, fact in sorted(self.known.items()) if isinstance(fact, kind)]

    def has_listed(self, name: str) -> bool:
        """Whether a list was read. An export holds EVERYTHING but what is asked of it list by list."""
        return name in self.listed or (EVERYTHING in self.listed and name.partition("(")[0] not in _ASKED)

    def why(self, about: str) -> str:
        """Why a resource or list is missing, in words."""
        return next((gap.why for gap in self.gaps if gap.about == about), NOT_READ)


def clusters(subscription: str) -> str:
    """The name of the list of a subscription's clusters."""
    return f"clusters({subscription.casefold()})"


def deployments(group_id: str) -> str:
    """The name of the list of the deployments that run in a resource group."""
    return f"deployments({ids.key(group_id)})"


def networks(group_id: str) -> str:
    """The name of the list of the virtual networks in a resource group."""
    return f"networks({ids.key(group_id)})"


def learned_routes(gateway_id: str) -> str:
    """The name of the list of what a virtual network gateway has learned; it holds one LearnedRoutes."""
    return f"learnedRoutes({ids.key(gateway_id)})"


def outbound_dependencies(cluster_id: str) -> str:
    """The name of the list of what a cluster has to reach; it holds one OutboundDependencies."""
    return f"outboundDependencies({ids.key(cluster_id)})"


def effective_routes(nic_id: str) -> str:
    """The name of the list of how a network interface routes; it holds one EffectiveRoutes."""
    return f"effectiveRoutes({ids.key(nic_id)})"


def permissions(scope: str) -> str:
    """The name of the list of what we may do at a scope; it holds one Permissions."""
    return f"permissions({ids.key(scope)})"


def list_of(what: str, where: str) -> str:
    """What is listed (BY_NAME) and where in, the list's name out.

    Where: the subscription, and of `instanceAddresses` the scale set.
    """
    return f"{what}({ids.key(where)})"


def is_list(text: str) -> bool:
    """What is missing in, whether it is the name of a list that can be read out."""
    what, _, where = text.removesuffix(")").partition("(")
    if what == "secret":
        return of_list(text) is not None
    if (asked := _ASKED_OF.get(what)) is not None:
        return ids.kind(where) == asked
    return what in ("clusters", "deployments", "networks", "permissions", *BY_NAME)


class Body(Struct, frozen=True):
    """What every ARM body says of itself."""

    id: str
    type: str = ""


class Reading(Struct, frozen=True):
    """Raw facts on their way into an Estate: bodies as ARM sent them, and what was looked for in vain."""

    bodies: tuple[bytes | msgspec.Raw, ...] = ()
    absent: tuple[str, ...] = ()
    listed: tuple[str, ...] = ()
    gaps: tuple[Gap, ...] = ()
    secrets: tuple[Secret, ...] = ()


_BODY: Final = msgspec.json.Decoder(Body)


def decode(body: bytes | msgspec.Raw) -> AnyFact | Gap | None:
    """One ARM body in; its fact, a Gap that says why it cannot be understood, or None for a type nobody asks about."""
    try:
        head = _BODY.decode(body)
    except msgspec.DecodeError as error:
        return Gap("", f"a body that names no resource: {error}")
    # Bodies of resource groups and of lists say their type in several ways; the id says it too.
    decoder = _DECODERS.get(head.type.casefold()) or _DECODERS.get(ids.kind(head.id))
    if decoder is None:
        return None
    try:
        fact = decoder.decode(body)
    except msgspec.ValidationError as error:
        return Gap(ids.key(head.id), f"its body cannot be understood: {error}")
    if not ids.kind(head.id) and not isinstance(fact, request_facts.PolicyAssignment):  # which may hold from above
        return Gap(ids.key(head.id), "its body cannot be understood: its id is no resource id")
    match fact:
        case facts.VirtualNetwork():
            return _in_order(fact)
        case facts.RouteTable():
            routes = tuple(sorted(fact.properties.routes or (), key=lambda route: route.name.casefold()))
            subnets = tuple(sorted(fact.properties.subnets or (), key=lambda ref: ids.key(ref.id)))
            return replace(fact, properties=replace(fact.properties, routes=routes, subnets=subnets))
        case _:
            return fact


def _in_order(network: facts.VirtualNetwork) -> facts.VirtualNetwork | Gap:
    """A network in, the same with its subnets and peerings sorted out.

    Nothing depends on the order in which Azure names them.
    """
    by_key = {ids.key(subnet.id): subnet for subnet in network.properties.subnets or ()}
    inside = f"{ids.key(network.id)}/subnets/"
    if len(by_key) != len(network.properties.subnets or ()) or not all(key.startswith(inside) for key in by_key):
        return Gap(ids.key(network.id), "its body cannot be understood: its subnets are not its own, or named twice")
    order = sorted(by_key)
    if order == list(by_key) and len(network.peerings) < 2:
        return network
    properties = replace(
        network.properties,
        subnets=tuple(by_key[key] for key in order),
        virtual_network_peerings=tuple(sorted(network.peerings, key=lambda one: ids.key(one.id))),
    )
    return replace(network, properties=properties)


def build(
    observed_at: datetime, reading: Reading, judged: Iterable[str] | None = None, remainders: tuple[str, ...] = ()
) -> Estate:
    """Raw bodies in, an Estate out. `judged`: ids of the networks to judge; None judges every network that was read."""
    known: dict[str, AnyFact] = {}
    gaps = list(reading.gaps)
    for body in reading.bodies:
        fact = decode(body)
        if isinstance(fact, Gap):
            gaps.append(fact)
        elif fact is not None and known.setdefault(ids.key(fact.id), fact) != fact:
            gaps.append(Gap(ids.key(fact.id), "two bodies of it contradict each other"))
    for gap in gaps:
        known.pop(gap.about, None)
    wanted = None if judged is None else {ids.key(j) for j in judged}
    networks = [
        (key, fact)
        for key, fact in known.items()
        if isinstance(fact, facts.VirtualNetwork) and (wanted is None or key in wanted)
    ]
    return Estate(
        observed_at=observed_at,
        networks=tuple(fact for _, fact in sorted(networks, key=lambda pair: pair[0])),
        known=known,
        absent=frozenset(ids.key(a) for a in reading.absent),
        listed=frozenset(reading.listed),
        gaps=tuple(sorted(gaps)),
        remainders=remainders,
        secrets={one.about: one for one in reading.secrets},
    )


def add(estate: Estate, reading: Reading) -> Estate:
    """An Estate and more bodies in, the Estate that knows both out; what is judged stays."""
    more = build(estate.observed_at, reading, judged=())
    return msgspec.structs.replace(
        estate,
        known={**estate.known, **more.known},
        absent=estate.absent | more.absent,
        listed=estate.listed | more.listed,
        gaps=tuple(sorted({*estate.gaps, *more.gaps})),
        secrets={**estate.secrets, **more.secrets},
    )
