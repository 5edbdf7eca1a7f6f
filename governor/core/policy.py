"""A policy and the set of all policies: plain values of the files in, frozen values with a digest out.

The parts of a policy are in policy_egress and policy_terms, its words in policy_words; all of them are named here.
"""

import hashlib
from collections.abc import Iterator
from typing import Annotated

import msgspec
from msgspec import Meta, field
from msgspec.structs import force_setattr

from governor.core.policy_egress import (
    Bypass,
    Egress,
    HubPolicy,
    IsolatedPolicy,
    NamedRoute,
    NamedTable,
    NatGatewayPolicy,
    ProxyPolicy,
    Publishing,
)
from governor.core.policy_terms import (
    AddressRepair,
    AllowedAddress,
    Approvals,
    AutoDecision,
    Clusters,
    Conditions,
    Exemption,
    ExemptionTags,
    Ingress,
    Limits,
    PublicIps,
    Ring,
    Select,
    ServiceAnnotations,
    Share,
    Tenant,
)
from governor.core.policy_words import (
    NAME_FIELDS,
    Disruption,
    Mode,
    PathKind,
    Requirement,
    Stance,
    Term,
    fields,
    fill,
    says,
    weakest,
)

__all__ = [
    "NAME_FIELDS",
    "AddressRepair",
    "AllowedAddress",
    "Approvals",
    "AutoDecision",
    "Bypass",
    "Clusters",
    "Conditions",
    "Disruption",
    "Egress",
    "Exemption",
    "ExemptionTags",
    "HubPolicy",
    "Ingress",
    "IsolatedPolicy",
    "Limits",
    "Mode",
    "NamedRoute",
    "NamedTable",
    "NatGatewayPolicy",
    "PathKind",
    "Policies",
    "Policy",
    "ProxyPolicy",
    "PublicIps",
    "Publishing",
    "Requirement",
    "Ring",
    "Select",
    "ServiceAnnotations",
    "Share",
    "Stance",
    "Tenant",
    "Term",
    "digest",
    "fields",
    "fill",
    "weakest",
]


class Policy(Term, frozen=True):
    """Which resources, which ways out are allowed, which repair, and how far it may go."""

    name: Annotated[
        str,
        Meta(
            pattern="^[a-z0-9]+(-[a-z0-9]+)*$",
            max_length=63,
            description="Unique, kebab-case; every record shows it. Each policy needs one; defaults.yaml has none.",
        ),
    ]
    description: Annotated[str, says("One sentence for people.")] = ""
    mode: Annotated[
        Mode,
        says("audit: report only. propose: every repair waits for a person. enforce: repair."),
    ] = Mode.AUDIT
    occupied: Annotated[
        Mode, says("The mode for what carries machines, apps or clusters already; never stronger than `mode`.")
    ] = Mode.PROPOSE
    priority: Annotated[int, says("Higher first; of two policies that select a thing, the first governs it.")] = 100
    select: Annotated[Select, says("What it governs; all given conditions must hold.")] = Select()
    egress: Annotated[Egress, says("Ways out.")] = Egress()
    clusters: Annotated[Clusters, says("AKS clusters.")] = Clusters()
    public_ips: Annotated[PublicIps, says("Public IP addresses.")] = PublicIps()
    ingress: Annotated[Ingress, says("Ways in; judged only.")] = Ingress()
    limits: Annotated[Limits, says("Brakes.")] = Limits()
    approvals: Annotated[Approvals, says("Which repairs wait for a person.")] = Approvals()
    exemptions: Annotated[tuple[Exemption, ...], says("What need not meet a requirement, until when and why.")] = ()
    controls: Annotated[
        dict[Requirement, tuple[str, ...]], says("Requirement -> controls of a standard, added in reports.")
    ] = field(default_factory=dict)

    @property
    def builds(self) -> PathKind | None:
        """The path a repair builds; None where the policy only judges."""
        return self.egress.builds

    @property
    def allowed(self) -> tuple[PathKind, ...]:
        """The paths that count as compliant; empty where the policy says nothing about them."""
        return self.egress.allowed

    def mode_for(self, occupied: bool) -> Mode:
        """Whether something carries machines, apps or clusters in, how far this policy may go there out."""
        return weakest(self.mode, self.occupied) if occupied else self.mode


def digest(value: Policy | tuple[object, ...]) -> str:
    """A policy or several values in, the SHA-256 of their canonical JSON out: formatting and order of keys are gone."""
    return hashlib.sha256(msgspec.json.encode(value, order="sorted")).hexdigest()


def _idle_of(hub: HubPolicy) -> Iterator[str]:
    """What a hub policy sets that does not act in this version, for people."""
    if hub.firewall_rules is not Mode.AUDIT:
        yield f"firewallRules {hub.firewall_rules}: the firewall's rules are neither read nor written"
    if hub.nat_gateway_on_firewall == "propose":
        yield "natGatewayOnFirewall propose: no NAT gateway is put on the firewall's subnet"
    if hub.publish.mode != "off":
        yield f"publish {hub.publish.mode}: nothing is published on the firewall"
    if hub.virtual_wan == "connect":
        yield "virtualWan connect: no network is connected to a virtual hub"


class Policies(Term, frozen=True):
    """Every policy, in the order in which they are asked, with what holds for the tenant."""

    policies: tuple[Policy, ...] = ()
    tenant: Annotated[Tenant, says("Brakes of all policies together; defaults.yaml only.")] = Tenant()
    rings: Annotated[tuple[Ring, ...], says("The order in which a changed policy arrives; defaults.yaml only.")] = ()
    arrival_days: Annotated[
        int, Meta(ge=0, description="A new subscription is only proposed to for so long; defaults.yaml only.")
    ] = 7
    exemption_tags: Annotated[
        ExemptionTags | None, says("Exemptions by tag, off when left out; defaults.yaml only.")
    ] = None
    digest: str = ""

    def __post_init__(self) -> None:
        ordered = tuple(sorted(self.policies, key=lambda policy: (-policy.priority, policy.name)))
        force_setattr(self, "policies", ordered)
        force_setattr(
            self, "digest", digest((ordered, self.tenant, self.rings, self.arrival_days, self.exemption_tags))
        )

    def __hash__(self) -> int:
        return hash(self.digest)

    def __iter__(self) -> Iterator[Policy]:
        return iter(self.policies)

    @property
    def idle(self) -> tuple[str, ...]:
        """What these policies set that does not act in this version, a line each for people."""
        tenant = (
            (bool(self.rings), "rings: a changed policy reaches every subscription at once"),
            (self.exemption_tags is not None, "exemptionTags: a tag exempts nothing"),
        )
        hubs = ((p.name, what) for p in self.policies if p.egress.hub for what in _idle_of(p.egress.hub))
        asked = (p for p in self.policies if p.approvals.approvers)
        return (
            *(text for given, text in tenant if given),
            *(f"{name}: egress.hub.{what}" for name, what in hubs),
            *(f"{p.name}: approvals.approvers: whoever reaches the ledger or holds a key may approve" for p in asked),
        )

    def find(self, name: str) -> Policy | None:
        """A name in, the policy of that name out."""
        return next((policy for policy in self.policies if policy.name == name), None)
