"""Causes and Scopes: where a subject makes us look."""

from governor.core import cause, ids
from governor.core.cause import Remainder, VirtualNetwork
from tests.core.world import GROUP, SUB, nat_id, subnet_id, vnet_id


def test_what_lies_in_a_network_leads_to_it() -> None:
    here = (VirtualNetwork(vnet_id()),)
    elsewhere = [VirtualNetwork(vnet_id("other"))]
    assert cause.scopes(vnet_id(), ()) == here
    assert cause.scopes(subnet_id(), elsewhere) == here


def test_a_network_leads_to_itself_and_to_those_whose_hub_it_is() -> None:
    hub, spoke = VirtualNetwork(vnet_id("hub")), VirtualNetwork(vnet_id("spoke"))
    assert cause.scopes(vnet_id("hub"), [spoke, hub]) == (hub, spoke)
    # By the subnet of its firewall all spokes leave; the others of its subnets concern itself alone.
    assert cause.scopes(subnet_id("AzureFirewallSubnet", "hub"), [spoke, hub]) == (hub, spoke)
    assert cause.scopes(subnet_id("shared", "hub"), [spoke, hub]) == (hub,)


def test_a_peering_leads_to_its_network_and_to_whoever_named_it() -> None:
    peering = f"{vnet_id('hub')}/virtualNetworkPeerings/spoke"
    hub, spoke = VirtualNetwork(vnet_id("hub")), VirtualNetwork(vnet_id("spoke"))
    assert cause.scopes(peering, []) == (hub,)
    assert cause.scopes(peering, [spoke, hub]) == (hub, spoke)


def test_a_group_or_subscription_leads_to_those_that_lie_in_it() -> None:
    here, away = VirtualNetwork(vnet_id()), VirtualNetwork(vnet_id().replace("rg-net", "rg-net-2"))
    assert cause.scopes(GROUP.upper(), [here, away]) == (here,)
    assert cause.scopes(f"/subscriptions/{SUB}", [here, away, Remainder(SUB)]) == (Remainder(SUB), away, here)
    assert cause.scopes(GROUP, []) == ()


def test_what_is_a_part_of_something_shared_is_named_as_the_whole() -> None:
    table = f"{GROUP}/providers/Microsoft.Network/routeTables/rt"
    rules = f"{GROUP}/providers/Microsoft.Network/firewallPolicies/fp"
    peering = f"{vnet_id('hub')}/virtualNetworkPeerings/spoke"
    for subject, name in (
        (f"{table}/routes/default", table),
        (f"{rules}/ruleCollectionGroups/g", rules),
        (nat_id(), nat_id()),
        (subnet_id(), vnet_id()),
        (peering, peering),
        (peering.upper(), peering),
    ):
        assert cause.named_as(subject) == ids.key(name)


def test_the_case_of_a_subject_does_not_make_another_scope() -> None:
    (scope,) = cause.scopes(subnet_id().upper(), [])
    assert scope.key == VirtualNetwork(vnet_id()).key
    assert scope.subscription == SUB


def test_what_is_shared_or_gone_leads_to_the_networks_that_name_it() -> None:
    named_by = [VirtualNetwork(vnet_id("b")), VirtualNetwork(vnet_id("a"))]
    assert cause.scopes(nat_id(), named_by) == (named_by[1], named_by[0])
    assert cause.scopes(nat_id(), []) == ()


def test_a_lock_on_a_network_leads_nowhere_by_itself() -> None:
    assert cause.scopes(f"{vnet_id()}/providers/Microsoft.Authorization/locks/l", []) == ()


def test_only_what_can_change_egress_is_watched() -> None:
    for subject in (
        vnet_id(),
        subnet_id(),
        nat_id(),
        f"{GROUP}/providers/Microsoft.ContainerService/managedClusters/c",
        f"{GROUP}/providers/Microsoft.Web/sites/shop",
        f"{GROUP}/providers/Microsoft.Web/sites/shop/config/web",
        # Tags of those select policies for what lies in them.
        GROUP,
        f"/subscriptions/{SUB}",
    ):
        assert cause.watched(subject)
        assert cause.watched(subject.upper())
    storage = f"{GROUP}/providers/Microsoft.Storage/storageAccounts/s"
    plan = f"{GROUP}/providers/Microsoft.Web/serverfarms/p"
    for subject in (storage, plan, f"{GROUP}/providers/Microsoft.Resources/deployments/d", "", "nonsense"):
        assert not cause.watched(subject)


def test_scopes_never_overlap() -> None:
    remainder = Remainder(SUB.upper())
    assert remainder.subscription == SUB
    assert remainder.key == f"/subscriptions/{SUB}"
    assert remainder.key != VirtualNetwork(vnet_id()).key
    assert ids.kind(remainder.key) == ids.SUBSCRIPTION


def test_what_is_kept_in_azure_policy_leads_to_what_lives_in_no_network() -> None:
    scope, provider = f"/subscriptions/{SUB}", "providers/Microsoft.Authorization"
    rest = Remainder(SUB)
    nic = f"{GROUP}/providers/Microsoft.Network/networkInterfaces/n"
    for ours in (
        f"{scope}/{provider}/policyAssignments/eg-interface-01234567",
        f"{scope}/{provider}/policyDefinitions/EG-interface-01234567",
        f"{nic}/{provider}/policyExemptions/eg-interface-01234567",
    ):
        assert cause.watched(ours)
        assert cause.scopes(ours, []) == (rest,)
    theirs = f"{scope}/{provider}/policyAssignments/internal-only"
    assert cause.scopes(theirs, []) == ()
    assert cause.scopes(theirs, [rest]) == (rest,)
    assert not cause.watched(f"{scope}/{provider}/roleAssignments/eg-x")
