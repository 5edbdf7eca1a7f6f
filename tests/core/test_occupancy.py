"""Who lives in a subnet, and whether anybody has looked at what a change would do to them."""

from typing import Any

import pytest

from governor.core import facts, ids
from governor.core.estate import Estate, Gap, clusters
from governor.core.occupancy import (
    NOBODY,
    Occupants,
    clusters_by_subnet,
    clusters_known,
    hazards_unread,
    occupants,
)
from tests.core.world import (
    GROUP,
    SUB,
    Body,
    balancer_id,
    cluster,
    config_id,
    delegated,
    estate,
    network,
    nic,
    nic_id,
    peering,
    pool_id,
    refs,
    subnet,
    subnet_id,
    vnet,
)

SCALE_SET = (
    f"{GROUP}/providers/Microsoft.Compute/virtualMachineScaleSets/vmss/virtualMachines/0/networkInterfaces/n"
    "/ipConfigurations/c"
)


def lodgers(seen: Estate, using: list[str] | None = None) -> Occupants:
    (one,) = seen.networks[0].properties.subnets or ()
    return occupants(one, using, seen)


def who(*context: Body, **properties: Any) -> Occupants:
    return lodgers(estate(vnet(subnet(**properties)), *context))


def test_an_empty_subnet_has_nobody() -> None:
    assert who() == NOBODY
    assert who(ipConfigurations=[], privateEndpoints=[], delegations=[]) == NOBODY
    assert NOBODY.empty
    assert NOBODY.kinds == {"empty"}


OTHERS = [
    ({"ipConfigurations": refs(SCALE_SET)}, "virtualMachine", "scale set vmss"),
    ({"ipConfigurations": refs(f"{balancer_id()}/frontendIPConfigurations/fe")}, "app", "load balancer lb"),
    ({"ipConfigurations": refs(f"{balancer_id()}/FRONTENDIPCONFIGURATIONS/fe")}, "app", "load balancer lb"),
    (
        {"ipConfigurations": refs(f"{network('applicationGateways', 'agw')}/gatewayIPConfigurations/c")},
        "app",
        "applicationgateways agw",
    ),
    ({"ipConfigurations": refs("x/loadBalancers/y/z/w")}, "app", "something y"),
    ({"ipConfigurations": refs("nonsense")}, "app", "something nonsense"),
    ({"delegations": delegated("Microsoft.Web/serverFarms")}, "app", "delegated to Microsoft.Web/serverFarms"),
    ({"delegations": [{"name": "d"}]}, "app", "delegated to ?"),
    (
        {
            "serviceAssociationLinks": [
                {"name": "l", "properties": {"linkedResourceType": "Microsoft.App/environments"}}
            ]
        },
        "app",
        "linked to Microsoft.App/environments",
    ),
    ({"resourceNavigationLinks": [{"name": "redis"}]}, "app", "linked to redis"),
    ({"resourceNavigationLinks": [{}]}, "app", "linked to a service"),
    ({"ipConfigurationProfiles": refs("/x/profiles/p")}, "app", "container network p"),
    ({"ipConfigurations": refs(config_id("n", "MC_rg_aks_we"))}, "cluster", "cluster node n"),
    ({"ipConfigurations": refs(config_id("unread"))}, "virtualMachine", "network interface unread"),
]


@pytest.mark.parametrize(("properties", "kind", "name"), OTHERS)
def test_whoever_is_not_a_plain_machine_holds_repairs_back(properties: dict[str, Any], kind: str, name: str) -> None:
    found = who(**properties)
    assert found.kinds == {kind}
    assert found.names == (name,)
    assert not found.plain
    assert not found.empty


PUBLIC_IP = network("publicIPAddresses", "pip")
MACHINES = [
    (nic(), "virtual machine vm", True, ()),
    (nic(machine=None), "network interface nic", True, ()),
    (nic(enableIPForwarding=True), "virtual machine vm", False, ()),
    (nic(public=PUBLIC_IP), "virtual machine vm", False, (PUBLIC_IP,)),
    (nic("nic", pool_id()), "virtual machine vm", False, (balancer_id(),)),
]


@pytest.mark.parametrize(("body", "name", "plain", "unread"), MACHINES)
@pytest.mark.parametrize("spelled", [config_id(), config_id().lower()])
def test_a_machine_is_plain_when_nothing_about_it_is_public(
    body: Body, name: str, plain: bool, unread: tuple[str, ...], spelled: str
) -> None:
    found = who(body, ipConfigurations=refs(spelled))
    assert found.kinds == {"virtualMachine"}
    assert found.names == (name,)
    assert found.plain is plain
    assert found.unread == unread  # is it Basic?


def test_a_private_endpoint_is_named_by_itself_and_by_its_interface() -> None:
    endpoint = network("privateEndpoints", "pe")
    body = nic("n", machine=None, privateEndpoint={"id": endpoint})
    found = who(body, ipConfigurations=refs(config_id("n")), privateEndpoints=refs(endpoint))
    assert found.names == ("private endpoint pe",)
    assert found.kinds == {"privateEndpoint"}
    assert found.plain


def test_interfaces_that_were_not_read_are_asked_for() -> None:
    found = who(ipConfigurations=refs(config_id("b"), config_id("a")))
    assert found.unread == (nic_id("a"), nic_id("b"))
    assert found == who(ipConfigurations=refs(config_id("a"), config_id("b")))


def test_a_cluster_lives_in_a_subnet_without_any_node() -> None:
    seen = estate(vnet(subnet()), cluster(subnet_id().upper()))
    using = clusters_by_subnet(seen)
    found = lodgers(seen, using[ids.key(subnet_id())])
    assert found.kinds == {"cluster"}
    assert found.names == ("cluster aks",)
    assert not found.plain
    assert found.clusters == (cluster()["id"],)


def test_clusters_are_known_when_they_were_listed_and_understood() -> None:
    spoke = vnet(subnet())
    listed = estate(spoke, listed=[clusters(SUB)])
    assert clusters_known(listed.networks[0], listed)
    never = estate(spoke, listed=[])
    assert not clusters_known(never.networks[0], never)
    garbled = estate(spoke, cluster() | {"properties": 7}, listed=[clusters(SUB)])
    assert not clusters_known(garbled.networks[0], garbled)
    nameless = estate(spoke, listed=[clusters(SUB)], gaps=[Gap("", "a body that names no resource")])
    assert not clusters_known(nameless.networks[0], nameless)


HAZARDS = [
    (vnet(subnet()), None),
    (vnet(subnet(), virtualNetworkPeerings=[peering(useRemoteGateways=True)]), None),
    (vnet(subnet(ipConfigurations=refs(config_id()))), None),
    (vnet(subnet(ipConfigurations=refs(SCALE_SET))), "hazards not read: scale set vmss may depend"),
    (
        vnet(subnet(ipConfigurations=refs(config_id())), virtualNetworkPeerings=[peering(useRemoteGateways=True)]),
        "hazards not read: peering to-hub uses remote gateways",
    ),
]


@pytest.mark.parametrize(("spoke", "why"), HAZARDS)
def test_hazards_are_read_or_not(spoke: Body, why: str | None) -> None:
    seen = estate(spoke, nic())
    (one,) = seen.networks[0].properties.subnets or ()
    answer = hazards_unread(occupants(one, None, seen), seen.networks[0], seen)
    assert answer is None if why is None else (answer or "").startswith(why)


def model(**interface: Any) -> Body:
    profile = {"networkProfile": {"networkInterfaceConfigurations": [{"name": "n", "properties": interface}]}}
    return {
        "id": ids.top_level(SCALE_SET),
        "type": "Microsoft.Compute/virtualMachineScaleSets",
        "properties": {"virtualMachineProfile": profile},
    }


FRONTEND = f"{balancer_id()}/frontendIPConfigurations/fe"
REACHED: list[tuple[str, tuple[Body, ...], bool]] = [
    (config_id(), (nic(public=PUBLIC_IP),), True),
    (config_id(), (nic("nic", pool_id()),), True),
    (config_id(), (nic(public=PUBLIC_IP, enableIPForwarding=True),), False),
    (config_id(), (), False),
    (SCALE_SET, (model(),), True),
    (SCALE_SET, (model(enableIPForwarding=True),), False),
    (SCALE_SET, (), False),
    (FRONTEND, (), True),
    (config_id("n", "MC_rg_aks_we"), (nic("n", public=PUBLIC_IP, group="MC_rg_aks_we"),), False),
    (f"{network('applicationGateways', 'agw')}/gatewayIPConfigurations/c", (), False),
]


@pytest.mark.parametrize(("lodger", "bodies", "harmless"), REACHED)
def test_who_is_only_asked_from_elsewhere_is_no_hazard_while_replies_go_back(
    lodger: str, bodies: tuple[Body, ...], harmless: bool
) -> None:
    seen = estate(vnet(subnet(ipConfigurations=refs(lodger))), *bodies)
    found = lodgers(seen)
    assert hazards_unread(found, seen.networks[0], seen)
    assert (hazards_unread(found, seen.networks[0], seen, replies=True) is None) is harmless


def test_what_forwards_at_one_of_its_addresses_is_a_hazard_at_all_of_them() -> None:
    second = nic("second", public=PUBLIC_IP)
    both = estate(
        vnet(subnet(ipConfigurations=refs(config_id(), config_id("second")))), nic(enableIPForwarding=True), second
    )
    assert hazards_unread(lodgers(both), both.networks[0], both, replies=True)


def test_facts_of_an_interface_of_another_kind_are_not_plain() -> None:
    seen = estate(vnet(subnet(ipConfigurations=refs(config_id()))), absent=[nic_id()])
    found = lodgers(seen)
    assert not found.plain
    assert not isinstance(seen.find(nic_id(), facts.NetworkInterface), facts.NetworkInterface)
