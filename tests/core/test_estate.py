"""Bodies as Azure sends them, decoded into facts, and what happens to those that cannot be."""

from pathlib import Path
from typing import Any

import msgspec
import pytest

from governor.core import estate as estates
from governor.core import facts, ids
from governor.core.cluster import Cluster
from governor.core.estate import ABSENT, EVERYTHING, Estate, Gap, Reading
from tests.core.world import (
    AT,
    SUB,
    cluster,
    deployment,
    encoded,
    estate,
    group,
    nat,
    nat_id,
    peering,
    route,
    subnet,
    subnet_id,
    subscription,
    table,
    vnet,
    vnet_id,
)


def test_absent_not_read_and_known_are_three_answers() -> None:
    seen = estate(nat("there"), absent=[nat_id("gone")])
    assert isinstance(seen.find(nat_id("there").upper(), facts.NatGateway), facts.NatGateway)
    assert seen.find(nat_id("gone").lower(), facts.NatGateway) is ABSENT
    assert seen.find(nat_id("unread"), facts.NatGateway) is None


def test_a_fact_of_another_kind_is_no_answer() -> None:
    assert estate(nat("there")).find(nat_id("there"), facts.RouteTable) is None


def test_what_is_said_to_be_there_and_gone_is_not_known() -> None:
    seen = estate(nat("ng"), absent=[nat_id("ng")])
    assert seen.find(nat_id("ng"), facts.NatGateway) is None


def test_two_bodies_that_contradict_each_other_are_not_believed() -> None:
    seen = estate(nat("ng"), nat("ng", location="eastus"))
    assert seen.find(nat_id("ng"), facts.NatGateway) is None
    assert "contradict" in seen.why(ids.key(nat_id("ng")))
    twice = estate(nat("ng"), nat("ng"))
    assert isinstance(twice.find(nat_id("ng"), facts.NatGateway), facts.NatGateway)
    assert twice.gaps == ()


def test_two_bodies_of_one_network_that_contradict_each_other_judge_nothing() -> None:
    assert estate(vnet(subnet()), vnet(subnet(), subnet("db"))).networks == ()


@pytest.mark.parametrize(
    ("body", "about"),
    [
        (nat() | {"properties": {"publicIpAddresses": "none"}}, ids.key(nat_id())),
        (vnet() | {"properties": {"subnets": [{"name": "no id"}]}}, ids.key(vnet_id())),
        (vnet() | {"properties": {"subnets": [subnet() | {"properties": {"natGateway": 7}}]}}, ids.key(vnet_id())),
        (vnet() | {"tags": ["a"]}, ids.key(vnet_id())),
    ],
)
def test_a_body_that_cannot_be_understood_is_a_gap(body: dict[str, Any], about: str) -> None:
    seen = estate(body)
    assert seen.known == {}
    assert seen.networks == ()
    (gap,) = seen.gaps
    assert gap.about == about
    assert seen.why(about).startswith("its body cannot be understood")


@pytest.mark.parametrize(
    "raw",
    [
        b"{}",
        b"[]",
        b"null",
        b"not json",
        b'{"id": 5}',
        b'{"id": "x", "type": "Microsoft.Network/virtualNetworks", "name": "x"}',
    ],
)
def test_a_body_that_names_no_resource_is_a_gap(raw: bytes) -> None:
    seen = estates.build(AT, Reading((raw,)))
    assert seen.known == {}
    assert len(seen.gaps) == 1


def test_why_something_is_missing() -> None:
    seen = estate(gaps=[Gap("clusters(s)", "no permission")])
    assert seen.why("clusters(s)") == "no permission"
    assert seen.why("something else") == "not read"


def test_types_nobody_asks_about_are_left_out() -> None:
    storage = {"id": f"/subscriptions/{SUB}/resourceGroups/g/providers/Microsoft.Storage/storageAccounts/s"}
    assert estate(storage).known == {}
    assert estate(storage).gaps == ()


def test_the_type_may_be_missing_or_spelled_otherwise() -> None:
    body = cluster(subnet_id()) | {"type": "Microsoft.ContainerService/MANAGEDCLUSTERS"}
    untyped = {member: value for member, value in nat().items() if member != "type"}
    seen = estate(body, untyped, group(), subscription(), deployment())
    kinds = {type(fact) for fact in seen.known.values()}
    assert kinds == {Cluster, facts.NatGateway, facts.ResourceGroup, facts.Subscription, facts.Deployment}


def test_networks_are_sorted_and_those_of_the_context_are_not_judged() -> None:
    bodies = encoded(vnet(name="b"), vnet(name="a"), vnet(name="hub"))
    seen = estates.build(AT, Reading(bodies), judged=[vnet_id("B"), vnet_id("a")])
    assert [network.name for network in seen.networks] == ["a", "b"]
    assert len(seen.all(facts.VirtualNetwork)) == 3
    assert [network.name for network in estates.build(AT, Reading(bodies)).networks] == ["a", "b", "hub"]


def test_a_network_with_subnets_that_are_not_its_own_is_not_believed() -> None:
    foreign = vnet(subnet("a")) | {"id": vnet_id("other")}
    twice = vnet(subnet("a"), subnet("a"))
    for body in (foreign, twice):
        seen = estate(body)
        assert seen.networks == ()
        assert "not its own, or named twice" in seen.gaps[0].why


def test_routes_and_peerings_are_sorted_whatever_order_azure_gives_them() -> None:
    routes = [route("10.0.0.0/8", "None"), route("0.0.0.0/0", "None")]
    sides = [peering("to-b"), peering("to-a")]
    one = estate(table("rt", *routes), vnet(virtualNetworkPeerings=sides))
    other = estate(table("rt", *reversed(routes)), vnet(virtualNetworkPeerings=sides[::-1]))
    assert one == other


def test_subnets_are_sorted_whatever_order_azure_gives_them() -> None:
    seen = estate(vnet(subnet("c"), subnet("A"), subnet("b")))
    assert [one.name for one in seen.networks[0].properties.subnets or ()] == ["A", "b", "c"]


def test_more_facts_join_without_being_judged() -> None:
    before = estate(vnet(), listed=["clusters(s)"], gaps=[Gap("a", "b")])
    more = Reading(encoded(vnet(name="hub"), nat()), (nat_id("gone"),), ("deployments(g)",), (Gap("a", "b"),))
    after = estates.add(before, more)
    assert [network.name for network in after.networks] == ["spoke"]
    assert after.find(nat_id(), facts.NatGateway)
    assert after.find(nat_id("gone"), facts.NatGateway) is ABSENT
    assert after.has_listed("clusters(s)")
    assert after.has_listed("deployments(g)")
    assert not after.has_listed("clusters(t)")
    assert after.gaps == (Gap("a", "b"),)


def test_an_export_lists_everything() -> None:
    assert Estate(AT, listed=frozenset({EVERYTHING})).has_listed(estates.clusters("ANY"))


def test_names_of_lists_do_not_depend_on_case() -> None:
    assert estates.clusters("ABC") == estates.clusters("abc")
    assert estates.deployments("/subscriptions/S/resourceGroups/RG/") == estates.deployments(
        "/subscriptions/s/resourcegroups/rg"
    )


def test_a_cluster_uses_the_subnets_of_its_nodes_pods_and_api_server() -> None:
    body = cluster(subnet_id("nodes"))
    body["properties"]["agentPoolProfiles"].append({"name": "p", "podSubnetID": subnet_id("pods")})
    body["properties"]["apiServerAccessProfile"] = {"subnetId": subnet_id("api")}
    (one,) = estate(body).all(Cluster)
    assert one.subnets == (subnet_id("nodes"), subnet_id("pods"), subnet_id("api"))
    assert estate(cluster()).all(Cluster)[0].subnets == ()


def test_a_subnet_has_one_prefix_or_several() -> None:
    subnets = (
        estate(vnet(subnet("a"), subnet("b", addressPrefixes=["10.0.0.0/25", "fd00::/64"]))).networks[0].properties
    )
    one, several = subnets.subnets or ()
    assert one.prefixes == ("10.0.0.0/24",)
    assert several.prefixes == ("10.0.0.0/25", "fd00::/64")
    assert facts.Subnet("i", "n").prefixes == ()


def test_the_estate_that_was_recorded_decodes_without_a_gap(shared: Path) -> None:
    bodies = msgspec.json.decode((shared / "samples" / "estate_recorded.json").read_bytes(), type=list[msgspec.Raw])
    seen = estates.build(AT, Reading(tuple(bodies)))
    assert seen.gaps == ()
    assert seen.networks
    assert seen.all(facts.NetworkInterface)
    assert seen.all(Cluster)
