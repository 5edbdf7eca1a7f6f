"""Values of the policy language: orders, templates, defaults, and a digest that only the meaning decides."""

import random
from datetime import date

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from governor.core import policy_terms, policy_words
from governor.core.policy import (
    Disruption,
    Egress,
    Exemption,
    ExemptionTags,
    HubPolicy,
    IsolatedPolicy,
    Mode,
    NatGatewayPolicy,
    PathKind,
    Policies,
    Policy,
    ProxyPolicy,
    Publishing,
    Requirement,
    Ring,
    Select,
    fill,
    weakest,
)


def policy(name: str, **given_: object) -> Policy:
    return msgspec.convert({"name": name, **given_}, Policy)


@pytest.mark.parametrize(
    ("modes", "expected"),
    [
        ((Mode.ENFORCE,), Mode.ENFORCE),
        ((Mode.ENFORCE, Mode.PROPOSE), Mode.PROPOSE),
        ((Mode.PROPOSE, Mode.AUDIT, Mode.ENFORCE), Mode.AUDIT),
    ],
)
def test_weakest(modes: tuple[Mode, ...], expected: Mode) -> None:
    assert weakest(*modes) is expected


@pytest.mark.parametrize(
    ("mode", "occupied", "new", "carrying"),
    [
        ("audit", "enforce", Mode.AUDIT, Mode.AUDIT),
        ("enforce", "propose", Mode.ENFORCE, Mode.PROPOSE),
        ("enforce", "enforce", Mode.ENFORCE, Mode.ENFORCE),
        ("propose", "audit", Mode.PROPOSE, Mode.AUDIT),
    ],
)
def test_what_is_occupied_is_never_treated_more_strongly(mode: str, occupied: str, new: Mode, carrying: Mode) -> None:
    one = policy("one", mode=mode, occupied=occupied)
    assert (one.mode_for(False), one.mode_for(True)) == (new, carrying)


@pytest.mark.parametrize(
    ("egress", "builds", "allowed"),
    [
        (Egress(), None, ()),
        (Egress(nat_gateway=NatGatewayPolicy()), PathKind.NAT_GATEWAY, (PathKind.NAT_GATEWAY,)),
        (Egress(hub=HubPolicy()), PathKind.HUB, (PathKind.HUB,)),
        (Egress(proxy=ProxyPolicy()), PathKind.PROXY, (PathKind.PROXY,)),
        (Egress(isolated=IsolatedPolicy()), PathKind.ISOLATED, (PathKind.ISOLATED,)),
        (Egress(allow=(PathKind.LOAD_BALANCER,)), None, (PathKind.LOAD_BALANCER,)),
        (
            Egress(allow=(PathKind.HUB, PathKind.VIRTUAL_WAN), hub=HubPolicy()),
            PathKind.HUB,
            (PathKind.HUB, PathKind.VIRTUAL_WAN),
        ),
    ],
)
def test_the_path_of_the_block_is_what_is_allowed(
    egress: Egress, builds: PathKind | None, allowed: tuple[PathKind, ...]
) -> None:
    one = Policy("one", egress=egress)
    assert (one.builds, one.allowed) == (builds, allowed)


@pytest.mark.parametrize(
    ("gateway", "addresses"),
    [({}, 1), ({"publicIps": 3}, 3), ({"publicIpPrefixLength": 30}, 0), ({"existing": ["/subscriptions/s"]}, 0)],
)
def test_the_ways_to_give_addresses_exclude_each_other(gateway: dict[str, object], addresses: int) -> None:
    assert msgspec.convert(gateway, NatGatewayPolicy).public_ips == addresses


def test_templates() -> None:
    assert fill("ng-{virtualNetwork}-{subnet}", virtualNetwork="spoke", subnet="app", region="x") == "ng-spoke-app"
    assert fill("plain") == "plain"
    with pytest.raises(ValueError, match="asks for subnet"):
        fill("ng-{subnet}", virtualNetwork="spoke")


def test_the_documented_defaults() -> None:
    one = Policy("one")
    assert (one.mode, one.occupied, one.priority) == (Mode.AUDIT, Mode.PROPOSE, 100)
    assert one.egress.default_outbound_access == "deny"
    assert one.egress.delegations["Microsoft.Web/serverFarms"] == (PathKind.NAT_GATEWAY, PathKind.HUB)
    assert one.limits.percent_of_subscription == policy_terms.Share(limit=25, first_free=10)
    assert one.approvals.needed == (Disruption.ADDRESS, Disruption.OUTAGE, Disruption.IRREVERSIBLE)
    assert one.public_ips.allow[0].attached_to == policy_terms.PLATFORM
    assert (Policies().tenant.per_hour, Policies().arrival_days, Policies().exemption_tags) == (300, 7, None)


def test_policies_are_asked_by_priority_and_then_by_name() -> None:
    several = Policies((policy("b"), policy("z", priority=200), policy("a"), policy("low", priority=-1)))
    assert [one.name for one in several] == ["z", "a", "b", "low"]
    assert several.find("a") == policy("a")
    assert several.find("nobody") is None


NAMES = st.lists(st.from_regex(r"[a-z]{1,6}", fullmatch=True), min_size=1, max_size=6, unique=True)


@given(NAMES, st.lists(st.integers(-3, 3), min_size=6, max_size=6), st.randoms(use_true_random=False))
def test_the_digest_does_not_depend_on_order(names: list[str], priorities: list[int], chance: random.Random) -> None:
    several = [policy(name, priority=p) for name, p in zip(names, priorities, strict=False)]
    shuffled = list(several)
    chance.shuffle(shuffled)
    one, other = Policies(tuple(several)), Policies(tuple(shuffled))
    assert one == other
    assert one.digest == other.digest
    assert hash(one) == hash(other)


def test_the_digest_does_not_depend_on_how_it_is_written() -> None:
    short = policy("a", select={"tags": {"egress": "hub", "team": ["x"]}}, limits={"monthlyCost": 500})
    long = policy("a", mode="audit", limits={"monthlyCost": 500.0}, select={"tags": {"team": "x", "egress": ["hub"]}})
    assert Policies((short,)).digest == Policies((long,)).digest


@pytest.mark.parametrize(
    "changed",
    [
        Policies((policy("a", mode="enforce"),)),
        Policies((policy("a"), policy("b"))),
        Policies((policy("a"),), arrival_days=8),
        Policies((policy("a"),), rings=(policy_terms.Ring(rest=True),)),
        Policies((policy("a"),), exemption_tags=policy_terms.ExemptionTags()),
        Policies((policy("a"),), tenant=policy_terms.Tenant(per_hour=1)),
    ],
)
def test_the_digest_changes_with_the_meaning(changed: Policies) -> None:
    assert changed.digest != Policies((policy("a"),)).digest


def test_the_digest_follows_a_replacement() -> None:
    one = Policies((policy("a"),))
    other = msgspec.structs.replace(one, arrival_days=1)
    assert other.digest == Policies((policy("a"),), arrival_days=1).digest


def test_policies_survive_json() -> None:
    exemption = Exemption("*", Requirement.SUBNET_EGRESS, "team", "why", date(2027, 3, 31))
    one = Policies(
        (
            Policy(
                "a",
                select=Select(tags={"egress": "hub"}),
                egress=Egress(nat_gateway=NatGatewayPolicy(public_ip_prefix_length=30)),
                exemptions=(exemption,),
                controls={Requirement.SUBNET_EGRESS: ("MCSB NS-3",)},
            ),
        )
    )
    assert msgspec.json.decode(msgspec.json.encode(one), type=Policies) == one


def test_every_word_is_stable() -> None:
    """Renaming one breaks files, exemptions and records of others: add, never rename."""
    assert {one.value for one in Requirement} >= {"subnet-egress", "subnet-private", "hub-next-hop", "ingress-nsg"}
    assert len(Requirement) == 29
    assert [one.value for one in policy_words.Mode] == ["audit", "propose", "enforce"]
    assert [one.value for one in Disruption] == ["none", "address", "brief", "outage", "irreversible"]


def test_what_is_set_and_does_not_act_is_said() -> None:
    hub = Policy(name="hub", egress=Egress(hub=HubPolicy()))
    more = HubPolicy(
        firewall_rules=Mode.PROPOSE,
        nat_gateway_on_firewall="propose",
        publish=Publishing(mode="propose"),
        virtual_wan="connect",
    )
    eager = Policy(name="eager", egress=Egress(hub=more))
    proxy = Policy(name="proxy", egress=Egress(proxy=ProxyPolicy()))
    nat = Policy(name="nat", egress=Egress(nat_gateway=NatGatewayPolicy()))
    assert Policies(policies=(nat, hub, proxy)).idle == ()
    said = Policies(policies=(eager, nat), rings=(Ring(rest=True),), exemption_tags=ExemptionTags()).idle
    assert [line.partition(":")[0] for line in said] == ["rings", "exemptionTags", *["eager"] * 4]
    assert [line.split()[1] for line in said[2:]] == [
        f"egress.hub.{what}" for what in ("firewallRules", "natGatewayOnFirewall", "publish", "virtualWan")
    ]
