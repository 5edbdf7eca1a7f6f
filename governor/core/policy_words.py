"""The words of the policy language: closed sets of names, and the templates of names that a policy gives.

In: a template and its fields. Out: the name.
"""

import re
from enum import StrEnum
from typing import Final, Literal

from msgspec import Meta, Struct


class Term(Struct, frozen=True, rename="camel", forbid_unknown_fields=True):
    """Base of everything a policy file may say: camelCase keys, none of them unknown."""


def says(description: str) -> Meta:
    """A sentence for people in, the annotation that carries it into the JSON Schema out."""
    return Meta(description=description)


class Mode(StrEnum):
    """How far a policy may go; in this order, the first is the weakest."""

    AUDIT = "audit"
    PROPOSE = "propose"
    ENFORCE = "enforce"


def weakest(*modes: Mode) -> Mode:
    """Modes in, the one that allows least out."""
    order = tuple(Mode)
    return min(modes, key=order.index)


class Disruption(StrEnum):
    """What a step does to those who use the thing; in this order, the last is the worst."""

    NONE = "none"
    ADDRESS = "address"
    BRIEF = "brief"
    OUTAGE = "outage"
    IRREVERSIBLE = "irreversible"


class PathKind(StrEnum):
    """The ways out that a policy may allow."""

    NAT_GATEWAY = "natGateway"
    HUB = "hub"
    VIRTUAL_WAN = "virtualWan"
    ON_PREMISES = "onPremises"
    LOAD_BALANCER = "loadBalancer"
    ISOLATED = "isolated"
    PROXY = "proxy"


class Requirement(StrEnum):
    """What is judged. The names are stable: verdicts, reports, exemptions and controls use them."""

    SUBNET_EGRESS = "subnet-egress"
    SUBNET_PRIVATE = "subnet-private"
    SUBNET_ROUTE_DEFAULT = "subnet-route-default"
    SUBNET_ROUTE_BYPASS = "subnet-route-bypass"
    SUBNET_SERVICE_ENDPOINTS = "subnet-service-endpoints"
    APP_ROUTE_ALL = "app-route-all"
    HUB_PEERING = "hub-peering"
    HUB_FIREWALL_NAT = "hub-firewall-nat"
    HUB_FIREWALL_RULES = "hub-firewall-rules"
    HUB_NEXT_HOP = "hub-next-hop"
    HUB_VIRTUAL_WAN = "hub-virtual-wan"
    ROUTE_ASYMMETRY = "route-asymmetry"
    SNAT_CAPACITY = "snat-capacity"
    NAT_GATEWAY_UNUSED = "nat-gateway-unused"
    CLUSTER_OUTBOUND_TYPE = "cluster-outbound-type"
    CLUSTER_DENIED_AT_REQUEST = "cluster-denied-at-request"
    CLUSTER_NODE_PUBLIC_IP = "cluster-node-public-ip"
    CLUSTER_PRIVATE_API = "cluster-private-api"
    CLUSTER_PROXY = "cluster-proxy"
    CLUSTER_INTERNAL_LOAD_BALANCERS = "cluster-internal-load-balancers"
    NIC_PUBLIC_IP = "nic-public-ip"
    VMSS_PUBLIC_IP = "vmss-public-ip"
    LOAD_BALANCER_PUBLIC_FRONTEND = "load-balancer-public-frontend"
    PUBLIC_IP_UNATTACHED = "public-ip-unattached"
    PUBLIC_IP_DENIED_AT_REQUEST = "public-ip-denied-at-request"
    PUBLIC_IP_DDOS = "public-ip-ddos"
    INGRESS_PATH = "ingress-path"
    INGRESS_WAF = "ingress-waf"
    INGRESS_NSG = "ingress-nsg"


Occupant = Literal["virtualMachine", "cluster", "app", "privateEndpoint", "empty"]
Stance = Literal["deny", "audit", "allow"]
Denial = Literal["off", "audit", "deny"]
Look = Literal["off", "audit"]

# On what the governor makes: the policy that wanted it.
OWNER_TAG: Final = "egress-governor-policy"
NAME_FIELDS: Final = ("subscription", "resourceGroup", "region", "virtualNetwork", "subnet", "cluster")
_FIELD: Final = re.compile(r"\{([^{}]*)\}")


def fields(template: str) -> tuple[str, ...]:
    """A template of a name in, the fields it asks for out, known or not."""
    return tuple(_FIELD.findall(template))


def fill(template: str, **values: str) -> str:
    """`ng-{virtualNetwork}` and `virtualNetwork="spoke-1"` in, `ng-spoke-1` out; ValueError names a missing field."""
    missing = [field for field in fields(template) if field not in values]
    if missing:
        raise ValueError(f"{template!r} asks for {', '.join(missing)}, which is not known here")
    return _FIELD.sub(lambda match: values[match[1]], template)
