"""Facts that only ways in by Front Door need: private link services, profiles with origins, their firewall policies."""

from governor.core.facts import Fact, IpConfiguration, Ref, Sku, Tags


class PrivateLinkServiceProperties(Fact, frozen=True):
    provisioning_state: str | None = None
    ip_configurations: tuple[IpConfiguration, ...] | None = None
    load_balancer_frontend_ip_configurations: tuple[Ref, ...] | None = None


class PrivateLinkService(Fact, frozen=True):
    """What others reach a load balancer of a network by, without an address of it being public."""

    id: str
    properties: PrivateLinkServiceProperties = PrivateLinkServiceProperties()


class SharedPrivateLink(Fact, frozen=True):
    private_link: Ref | None = None
    status: str | None = None


class OriginProperties(Fact, frozen=True):
    enabled_state: str | None = None
    shared_private_link_resource: SharedPrivateLink | None = None


class Origin(Fact, frozen=True):
    id: str
    properties: OriginProperties = OriginProperties()


class SecurityParameters(Fact, frozen=True):
    waf_policy: Ref | None = None


class SecurityPolicyProperties(Fact, frozen=True):
    parameters: SecurityParameters = SecurityParameters()


class SecurityPolicy(Fact, frozen=True):
    """What firewall policy stands before domains of a profile."""

    id: str
    properties: SecurityPolicyProperties = SecurityPolicyProperties()


class FrontDoor(Fact, frozen=True):
    """A profile of Front Door (Standard or Premium), with all origins and security policies that it has."""

    id: str
    sku: Sku = Sku()
    tags: Tags | None = None
    origins: tuple[Origin, ...] = ()
    security_policies: tuple[SecurityPolicy, ...] = ()


class FrontDoors(Fact, frozen=True):
    """The profiles of a subscription; no single list of Azure's holds them with their parts."""

    id: str
    value: tuple[FrontDoor, ...] = ()


class FrontDoorPolicySettings(Fact, frozen=True):
    enabled_state: str | None = None
    mode: str | None = None


class FrontDoorWafProperties(Fact, frozen=True):
    policy_settings: FrontDoorPolicySettings | None = None


class FrontDoorWaf(Fact, frozen=True):
    id: str
    properties: FrontDoorWafProperties = FrontDoorWafProperties()
