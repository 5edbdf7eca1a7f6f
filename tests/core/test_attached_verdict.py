"""Addresses of services are allowed by what `attachedTo` names, and by nothing else unless their name or tags are."""

from datetime import date
from typing import Any, Final

import pytest

from governor.core import ids
from governor.core.estate import EVERYTHING, Gap, list_of
from governor.core.judged import judge
from governor.core.policy import AllowedAddress, Exemption, Policies, Policy, PublicIps, Requirement
from governor.core.policy_terms import PLATFORM, Attachment
from governor.core.verdict import Result
from tests.core.world import SUB, Azure, Body, address, address_id, estate, nat_policy, network, refs, subnet, vnet

PIPS: Final = list_of("publicIpAddresses", f"/subscriptions/{SUB}")
LISTED: Final = (EVERYTHING, PIPS, list_of("loadBalancers", f"/subscriptions/{SUB}"))
# By subnet: what lives there, its ip configurations, and the words that allow its address.
SERVICES: Final[dict[str, tuple[str, str, tuple[Attachment, ...]]]] = {
    "AzureBastionSubnet": ("bastionHosts", "bastionHostIpConfigurations", ("bastion",)),
    "AzureFirewallSubnet": ("azureFirewalls", "azureFirewallIpConfigurations", ("azureFirewall",)),
    "GatewaySubnet": ("virtualNetworkGateways", "ipConfigurations", ("vpnGateway", "expressRouteGateway")),
    "RouteServerSubnet": ("virtualHubs", "ipConfigurations", ("routeServer", "virtualHub")),
    "agw": ("applicationGateways", "gatewayIPConfigurations", ("applicationGateway",)),
}


def service(where: str, **tags: str) -> tuple[Body, Body]:
    """A network with a service in a subnet of it, and the service's address."""
    kind, configurations, _ = SERVICES[where]
    configuration = f"{network(kind, 'svc')}/{configurations}/c"
    there = subnet(where, ipConfigurations=refs(configuration))
    held = address("pip-svc", ip="203.0.113.9", ipConfiguration={"id": configuration})
    return vnet(subnet("app"), there), {**held, "tags": tags}


def policy(*allow: AllowedAddress, **changes: Any) -> Policy:
    return nat_policy(**{"public_ips": PublicIps(allow=allow), **changes})


def told(one: Policy, *bodies: Body) -> dict[str, tuple[Result, str]]:
    found = judge(estate(*bodies, listed=LISTED), Policies((one,)))
    return {ids.name(v.resource): (v.result, v.seen) for v in found if v.requirement == "ingress-path"}


@pytest.mark.parametrize("where", SERVICES)
def test_a_service_whose_kind_is_left_out_is_told(where: str) -> None:
    words = SERVICES[where][2]
    assert told(policy(AllowedAddress(attached_to=PLATFORM)), *service(where)) == {}
    others = tuple(one for one in PLATFORM if one not in words)
    seen = f"203.0.113.9 (pip-svc) on svc; no entry allows it as {' or '.join(words)}"
    assert told(policy(AllowedAddress(attached_to=others)), *service(where)) == {"pip-svc": (Result.VIOLATION, seen)}
    # Either word is enough where a list does not tell which it is.
    for word in words:
        assert told(policy(AllowedAddress(attached_to=(*others, word))), *service(where)) == {}


BASTION: Final = "AzureBastionSubnet"
ALLOWING: list[tuple[AllowedAddress, bool]] = [
    (AllowedAddress(names=("pip-*",)), True),
    (AllowedAddress(names=("other",)), False),
    (AllowedAddress(tags={"egress-public": "approved"}), True),
    (AllowedAddress(tags={"egress-public": "no"}), False),
    # All that one entry says must hold.
    (AllowedAddress(attached_to=("bastion",), names=("pip-svc",)), True),
    (AllowedAddress(attached_to=("bastion",), names=("other",)), False),
    (AllowedAddress(attached_to=("azureFirewall",), names=("pip-svc",)), False),
    (AllowedAddress(), False),
]


@pytest.mark.parametrize(("entry", "allowed"), ALLOWING)
def test_a_name_or_tags_allow_it_too(entry: AllowedAddress, allowed: bool) -> None:
    assert (told(policy(entry), *service(BASTION, **{"egress-public": "approved"})) == {}) is allowed


def test_who_allows_all_addresses_asks_for_none() -> None:
    assert told(policy(public_ips=PublicIps(default="allow", allow=())), *service(BASTION)) == {}


def test_an_exemption_holds_for_the_address() -> None:
    given = Exemption(address_id("pip-svc"), Requirement.INGRESS_PATH, "team", "until it is moved", date(2030, 1, 1))
    ((result, seen),) = told(policy(exemptions=(given,)), *service(BASTION)).values()
    assert result is Result.EXEMPT
    assert "until it is moved" in seen


def test_the_addresses_are_listed_only_where_a_policy_leaves_somebody_out() -> None:
    everybody, nobody = policy(AllowedAddress(attached_to=PLATFORM)), policy()
    for one, asks in ((everybody, False), (nobody, True)):
        azure = Azure(*service(BASTION))
        azure.observe(Policies((one,)))
        assert (PIPS in azure.asked) is asks


def test_addresses_that_cannot_be_listed_are_unknown() -> None:
    seen = estate(service(BASTION)[0], listed=(EVERYTHING,), gaps=[Gap(PIPS, "no permission")])
    (verdict,) = [v for v in judge(seen, Policies((policy(),))) if v.requirement == "ingress-path"]
    assert (verdict.result, verdict.seen) == (Result.UNKNOWN, "public addresses of svc: no permission")
