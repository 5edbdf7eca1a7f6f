"""What a policy says besides ways out: selection, clusters, public addresses, limits, approvals, exemptions, rings.

In: plain values of a policy file. Out: frozen values, every key that was not given at its documented default.
"""

from datetime import date
from typing import Annotated, Literal

from msgspec import Meta, field
from msgspec.structs import force_setattr

from governor.core.policy_words import Denial, Disruption, Look, Occupant, Requirement, Stance, Term, says

# No instant that is so many days, hours or seconds away lies beyond what a date can hold.
Count = Annotated[int, Meta(ge=0, le=1_000_000)]
Text = Annotated[str, Meta(min_length=1)]


def _as_lists(tags: dict[str, tuple[str, ...] | str]) -> dict[str, tuple[str, ...] | str]:
    return {name: (wanted,) if isinstance(wanted, str) else wanted for name, wanted in tags.items()}


class Conditions(Term, frozen=True):
    """Conditions on a resource; names take globs, lists are any-of, case does not matter."""

    management_groups: Annotated[tuple[str, ...], says("Management groups above the subscription.")] = ()
    subscriptions: Annotated[tuple[str, ...], says("Display names or ids.")] = ()
    resource_groups: Annotated[tuple[str, ...], says("Names of resource groups.")] = ()
    regions: Annotated[tuple[str, ...], says("Azure regions, like westeurope.")] = ()
    virtual_networks: Annotated[tuple[str, ...], says("Names of VNets.")] = ()
    subnets: Annotated[tuple[str, ...], says("Names of subnets.")] = ()
    occupants: Annotated[tuple[Occupant, ...], says("What lives in the subnet.")] = ()
    tags: Annotated[
        dict[str, tuple[str, ...] | str],
        says("Tag -> value or values; falls back to the VNet, the resource group and the subscription."),
    ] = field(default_factory=dict)

    def __post_init__(self) -> None:
        force_setattr(self, "tags", _as_lists(self.tags))


class Select(Conditions, frozen=True):
    """What a policy governs: all given conditions must hold, and none of `except`."""

    except_: Annotated[Conditions, says("Not what meets any one of these.")] = field(
        name="except", default=Conditions()
    )


class ServiceAnnotations(Term, frozen=True):
    """Annotations that the admission webhook puts on Services of type LoadBalancer."""

    annotations: Annotated[dict[str, str], says("What is added.")]
    selector: Annotated[dict[str, str], says("Labels the Service must have; none: every Service.")] = field(
        default_factory=dict
    )


class Clusters(Term, frozen=True):
    """AKS clusters, which follow the way out of their subnets."""

    outbound_type: Annotated[
        Literal[
            "match",
            "ignore",
            "loadBalancer",
            "managedNATGateway",
            "userAssignedNATGateway",
            "userDefinedRouting",
            "none",
            "block",
        ],
        says("match: the type that belongs to the egress path."),
    ] = "match"
    at_request_time: Annotated[
        Denial | None, says("Azure Policy on outboundType when a cluster is created; left out: not looked at.")
    ] = None
    node_public_ips: Annotated[Stance, says("Public addresses on nodes.")] = "deny"
    private_api_server: Annotated[Denial, says("API servers with a public endpoint.")] = "audit"
    internal_load_balancers: Annotated[
        Denial | None, says("The built-in policy; needs the Azure Policy add-on; left out: not looked at.")
    ] = None
    services_failure: Annotated[
        Literal["ignore", "fail"], says("What the API server does when the webhook does not answer.")
    ] = "ignore"
    services: Annotated[tuple[ServiceAnnotations, ...], says("Annotations for Services of type LoadBalancer.")] = ()


Attachment = Literal[
    "natGateway",
    "azureFirewall",
    "bastion",
    "applicationGateway",
    "vpnGateway",
    "expressRouteGateway",
    "routeServer",
    "virtualHub",
    "apiManagement",
    "staticEgressGateway",
]
PLATFORM: tuple[Attachment, ...] = (
    "natGateway",
    "azureFirewall",
    "bastion",
    "applicationGateway",
    "vpnGateway",
    "expressRouteGateway",
    "routeServer",
    "virtualHub",
    "apiManagement",
    "staticEgressGateway",
)


class AllowedAddress(Term, frozen=True):
    """Public addresses that are allowed: all given conditions of one entry must hold."""

    attached_to: Annotated[tuple[Attachment, ...], says("What the address belongs to.")] = ()
    names: Annotated[tuple[str, ...], says("Names of public IP addresses.")] = ()
    tags: Annotated[dict[str, tuple[str, ...] | str], says("Tag -> value or values.")] = field(default_factory=dict)

    def __post_init__(self) -> None:
        force_setattr(self, "tags", _as_lists(self.tags))


class AddressRepair(Term, frozen=True):
    """What is done about an address that is not allowed, by what holds it."""

    network_interface: Annotated[Literal["flag", "propose", "detach"], says("On a network interface.")] = "detach"
    scale_set: Annotated[Literal["flag", "propose", "detach"], says("On a scale set.")] = "propose"
    frontend: Annotated[Literal["flag", "propose"], says("Frontends cannot live without their address.")] = "flag"
    unattached: Annotated[Literal["flag", "propose", "quarantine"], says("Attached to nothing.")] = "quarantine"


class PublicIps(Term, frozen=True):
    """Public IP addresses."""

    default: Annotated[Stance, says("What holds for addresses that no entry of `allow` names.")] = "deny"
    allow: Annotated[tuple[AllowedAddress, ...], says("Addresses that are allowed; any entry suffices.")] = (
        AllowedAddress(attached_to=PLATFORM),
    )
    repair: Annotated[AddressRepair, says("What is done about the others.")] = AddressRepair()
    quarantine_days: Annotated[
        int, Meta(ge=1, le=1_000_000, description="Days that an address is kept before it may be deleted.")
    ] = 14
    delete: Annotated[bool, says("Deleting an address is irreversible.")] = False
    at_request_time: Annotated[
        Denial | None, says("Azure Policy that refuses them at creation; left out: not looked at.")
    ] = None


class Ingress(Term, frozen=True):
    """Ways in; judged, never repaired."""

    allow: Annotated[
        tuple[
            Literal["applicationGateway", "frontDoorPrivateLink", "azureFirewall", "apiManagement", "loadBalancer"], ...
        ],
        says("Ways in that count as compliant."),
    ] = ("applicationGateway", "frontDoorPrivateLink")
    waf: Annotated[Look, says("A web application firewall in front.")] = "audit"
    nsg: Annotated[Look, says("A network security group on the subnet.")] = "audit"
    ddos: Annotated[Look, says("DDoS protection of public addresses.")] = "off"


class Share(Term, frozen=True):
    """A share of the resources a policy governs in a subscription, per hour."""

    limit: Annotated[float, Meta(ge=0, le=100, description="Percent.")] = 25.0
    first_free: Annotated[Count, says("So many repairs an hour always pass.")] = 10


class Limits(Term, frozen=True):
    """Brakes of one policy."""

    remediations_per_run: Annotated[Count, says("Repairs in one run; what they need is not counted.")] = 20
    per_hour: Annotated[Count, says("Repairs an hour, per subscription.")] = 200
    percent_of_subscription: Annotated[Share, says("Share of what the policy governs there, per hour.")] = Share()
    stop_after_failures: Annotated[
        int, Meta(ge=1, description="Failures in a row, per subscription, that open the breaker.")
    ] = 3
    monthly_cost: Annotated[
        float, Meta(ge=0, description="Of what the governor creates, per subscription, at list prices.")
    ] = 500.0
    settle_seconds: Annotated[Count, says("Wait until nobody else has written the VNet for so long.")] = 120
    freeze: Annotated[
        tuple[str, ...],
        says('No repairs then: "Fri 16:00 - Mon 07:00 Europe/Zurich" or "2026-12-20 - 2027-01-04".'),
    ] = ()


class AutoDecision(Term, frozen=True):
    """A decision that needs no person, for what it selects."""

    classes: Annotated[tuple[Disruption, ...], says("Classes of disruption it decides about.")]
    decision: Annotated[Literal["approve", "reject"], says("What is decided.")]
    select: Annotated[Select, says("What it is about.")] = Select()


class Approvals(Term, frozen=True):
    """Which repairs wait for a person, and for whom."""

    needed: Annotated[tuple[Disruption, ...], says("Classes of disruption that a person must approve.")] = (
        Disruption.ADDRESS,
        Disruption.OUTAGE,
        Disruption.IRREVERSIBLE,
    )
    window: Annotated[
        str | None, says('When approved work of class outage may run: "Sat 22:00-04:00 Europe/Zurich".')
    ] = None
    approvers: Annotated[tuple[str, ...], says("Entra group ids or roles.")] = ()
    expire_hours: Annotated[int, Meta(ge=1, description="After so many hours an approval is worth nothing.")] = 72
    auto: Annotated[tuple[AutoDecision, ...], says("Decisions that need no person.")] = ()


class Exemption(Term, frozen=True):
    """A resource that need not meet a requirement until a day, which still belongs to it (UTC)."""

    resource: Annotated[Text, says("Id or glob.")]
    requirement: Annotated[Requirement, says("Name of the requirement.")]
    owner: Annotated[Text, says("Who answers for it.")]
    reason: Annotated[Text, says("Why.")]
    until: Annotated[date, says("Last day, like 2027-03-31.")]


class Tenant(Term, frozen=True):
    """Brakes of all policies together."""

    per_hour: Annotated[Count, says("Repairs an hour in the whole tenant.")] = 300
    stop_after_failures: Annotated[int, Meta(ge=1, description="Failures in a row that stop everything.")] = 10
    monthly_cost: Annotated[float, Meta(ge=0, description="Of all that the governor creates.")] = 20000.0


class Ring(Term, frozen=True):
    """Subscriptions that a changed policy reaches after the ring before has been proven for its soak time."""

    subscriptions: Annotated[tuple[str, ...], says("Display names or ids.")] = ()
    management_groups: Annotated[tuple[str, ...], says("Management groups.")] = ()
    soak_hours: Annotated[Count, says("Hours without failures before the next ring.")] = 0
    rest: Annotated[bool, says("Everything that no ring before names.")] = False


class ExemptionTags(Term, frozen=True):
    """Exemptions that owners write as tags."""

    trust: Annotated[
        tuple[Literal["virtualNetwork", "resourceGroup", "subscription"], ...], says("Where such tags count.")
    ] = ("resourceGroup", "subscription")
    max_days: Annotated[int, Meta(ge=1, description="A longer one does not exempt.")] = 30
    needs_approval: Annotated[bool, says("A person approves each.")] = True
