"""Azure Policy that the governor makes and keeps: watched first, counted, enforced by a person, kept, and removed."""

from datetime import date, timedelta
from pathlib import Path
from typing import Any, Final

import msgspec

from governor import decisions
from governor.core import ids
from governor.core.plan import Gate
from governor.core.policy import (
    AllowedAddress,
    Clusters,
    Exemption,
    Mode,
    Policies,
    Policy,
    PublicIps,
    Requirement,
    Select,
)
from governor.core.request_kept import BUILT_IN
from governor.core.standing import Ruling
from governor.core.verdict import Result, Verdict
from governor.loop import Rules
from governor.ports import Offered
from tests.scenarios.cluster_world import FREE, create, there, verdicts
from tests.scenarios.world import GROUP, REGION, SUB, World, nat_policy, network, subnet, vnet, vnet_body

SCOPE: Final = f"/subscriptions/{SUB}"
PROVIDER: Final = "/providers/Microsoft.Authorization"
POLICY_API: Final = "2024-05-01"
ADDRESS: Final = network("publicIPAddresses/edge")
DENY: Final = PublicIps(at_request_time="deny")
A_DAY: Final = timedelta(days=1)


def policy(**changes: Any) -> Policy:
    """Everything in the subscription is governed; new public addresses are denied at the request."""
    return nat_policy(**{"select": Select(), "public_ips": DENY, **changes})


def change(world: World, *policies: Policy, ceiling: Mode = Mode.ENFORCE) -> None:
    """The policy files are other ones from now on."""
    world.rules = Rules(Policies(policies=policies), ceiling)


def kept(world: World, what: str = "policyAssignments") -> dict[str, Any]:
    """What is in Azure Policy at the subscription: properties by kind of request."""
    answer = world.ask("GET", f"{SCOPE}{PROVIDER}/{what}", version=POLICY_API)
    found = msgspec.json.decode(answer.body)["value"]
    return {one["name"].split("-")[1]: one["properties"] for one in found if one["name"].startswith("eg-")}


def modes(world: World) -> dict[str, str]:
    return {kind: one["enforcementMode"] for kind, one in kept(world).items()}


def assignment(world: World, kind: str = "interface") -> str:
    answer = world.ask("GET", f"{SCOPE}{PROVIDER}/policyAssignments", version=POLICY_API)
    found = msgspec.json.decode(answer.body)["value"]
    return next(str(one["id"]) for one in found if one["name"].startswith(f"eg-{kind}-"))


def rewrite(world: World, target: str, **properties: Any) -> None:
    """Somebody else changes members of something in Azure Policy; their event is on its way."""
    body = msgspec.json.decode(world.ask("GET", target, version=POLICY_API).body)
    world.put_now(target, {"properties": {**body["properties"], **properties}}, POLICY_API)


def interface(name: str = "nic", public: bool = True) -> tuple[str, dict[str, Any]]:
    inner: dict[str, Any] = {"subnet": {"id": subnet("spoke-1", "app")}}
    if public:
        inner["publicIPAddress"] = {"id": ADDRESS}
    configuration = {"name": "c", "properties": inner}
    return network(f"networkInterfaces/{name}"), {
        "location": REGION,
        "properties": {"ipConfigurations": [configuration]},
    }


def is_refused(world: World, path: str, body: object, version: str = "2025-05-01") -> str:
    """A request of somebody in; what Azure Policy says when it refuses, "" when it does not, out.

    What a provider says afterwards is its own business.
    """
    answer = world.ask("PUT", path, body, version)
    error = msgspec.json.decode(answer.body).get("error", {})
    return str(error["message"]) if error.get("code") == "RequestDisallowedByPolicy" else ""


def network_of(world: World) -> None:
    world.put_now(vnet("spoke-1"), vnet_body(("app", "10.0.0.0/24"), ("nodes", "10.0.1.0/24")))
    address = {"location": REGION, "sku": {"name": "Standard"}, "properties": {"publicIPAllocationMethod": "Static"}}
    world.put_now(ADDRESS, address)


async def about(world: World, requirement: str = Requirement.PUBLIC_IP_DENIED_AT_REQUEST) -> dict[str, Verdict]:
    """By kind of request, what stands about it."""
    every = [v for v in await world.ports.ledger.verdicts() if v.requirement == requirement]
    return {ids.name(v.resource).split("-")[1]: v for v in every if "/policyAssignments/" in v.resource}


async def offers(world: World) -> dict[str, Offered]:
    """By kind of request, what waits for somebody."""
    every = [o for o in await world.ports.ledger.offered() if PROVIDER in o.withheld.remediation.resource]
    return {ids.name(o.withheld.remediation.resource).split("-")[1]: o for o in every}


async def approve(world: World, kind: str) -> None:
    digest = (await offers(world))[kind].withheld.remediation.digest
    await decisions.rule(digest, Ruling.APPROVE, ("ann", "counted"), world.ports, world.rules.policies)
    await world.quiet()


async def enforced(folder: Path, *policies: Policy) -> World:
    """A World where all that denies acts already, and the day after."""
    world = World(folder, *(policies or (policy(),)))
    await world.sweep(SUB)
    world.clock.advance(A_DAY.total_seconds() + 3600)
    await world.sweep(SUB)
    for kind in await offers(world):
        await approve(world, kind)
    return world


# ---- seed C and B ---------------------------------------------------------------------------------------------------


async def test_seed_c_public_addresses_are_forbidden_once_counted_and_approved(tmp_path: Path) -> None:
    world = World(tmp_path, policy())
    network_of(world)
    world.put_now(*interface("old"))
    await world.sweep(SUB)
    # First it is there and refuses nothing, and what it would refuse is not known.
    assert modes(world) == dict.fromkeys(("interface", "scaleset", "balancer"), "DoNotEnforce")
    assert set(kept(world, "policyDefinitions")) == set(modes(world))
    assert "not counted yet" in (await about(world))["interface"].seen
    waiting = (await offers(world))["interface"].withheld
    assert (waiting.remediation.steps, waiting.reasons[0].gate) == ((), Gate.UNSEEN)
    # Later Azure has counted.
    world.clock.advance(3600)
    await world.sweep(SUB)
    offered = (await offers(world))["interface"].withheld
    (waits,) = offered.reasons
    assert waits.text == (
        "waits for approval: class outage: network interfaces have no public address: assigned, not enforced yet; "
        "1 of what is there today would be refused: old in rg-net"
    )
    assert modes(world)["interface"] == "DoNotEnforce"
    await approve(world, "interface")
    assert modes(world)["interface"] == "Default"
    assert (await about(world))["interface"].result is Result.COMPLIANT
    assert "leave publicIPAddress out of its ip configurations" in is_refused(world, *interface("new"))
    assert not is_refused(world, *interface("new", public=False))
    # Of scale sets there are none: a day later Azure has found nothing of them, and that is a count as well.
    assert modes(world)["scaleset"] == "DoNotEnforce"
    world.clock.advance(A_DAY.total_seconds())
    await world.sweep(SUB)
    assert "in a day Azure has found nothing there that it concerns" in (await about(world))["scaleset"].seen
    await approve(world, "scaleset")
    assert modes(world) == {"interface": "Default", "scaleset": "Default", "balancer": "DoNotEnforce"}


async def test_seed_b_only_internal_load_balancers_by_the_built_in_policy_which_is_kept(tmp_path: Path) -> None:
    wanted = policy(public_ips=PublicIps(), clusters=Clusters(internal_load_balancers="deny"), approvals=FREE)
    world = World(tmp_path, wanted)
    network_of(world)
    await world.quiet()
    create(world, subnet("spoke-1", "nodes"), outbound="userAssignedNATGateway")
    await world.quiet()
    seen = (await verdicts(world))["cluster-internal-load-balancers"]
    assert seen[0] is Result.VIOLATION
    assert "az aks enable-addons --addons azure-policy --resource-group rg-net --name k1" in seen[1]
    await world.sweep(SUB)
    assert kept(world)["internal"]["policyDefinitionId"] == BUILT_IN
    assert kept(world)["internal"]["parameters"] == {"effect": {"value": "deny"}}
    assert modes(world) == {"internal": "DoNotEnforce"}
    world.clock.advance(3600)
    await world.sweep(SUB)
    assert modes(world) == {"internal": "Default"}
    rewrite(world, assignment(world, "internal"), parameters={"effect": {"value": "audit"}})
    await world.quiet()
    assert kept(world)["internal"]["parameters"] == {"effect": {"value": "deny"}}
    body = there(world)
    body["properties"]["addonProfiles"] = {"azurePolicy": {"enabled": True}}
    world.put_now(body["id"], body, "2025-05-01")
    await world.quiet()
    assert (await verdicts(world))["cluster-internal-load-balancers"][0] is Result.COMPLIANT


async def test_what_somebody_else_has_assigned_above_is_enough_if_it_is_as_strict(tmp_path: Path) -> None:
    group = "/providers/Microsoft.Management/managementGroups/corp"
    world = World(tmp_path, policy(public_ips=PublicIps(), clusters=Clusters(internal_load_balancers="deny")))
    world.arm.load(
        [
            {"id": group, "type": "Microsoft.Management/managementGroups"},
            {"id": f"{group}/subscriptions/{SUB}", "type": "Microsoft.Management/managementGroups/subscriptions"},
        ]
    )
    theirs = f"{group}{PROVIDER}/policyAssignments/internal-only"
    said = {"policyDefinitionId": BUILT_IN, "parameters": {"effect": {"value": "deny"}}}
    world.put_now(theirs, {"properties": said}, POLICY_API)
    await world.sweep(SUB)
    verdict = (await about(world, "cluster-internal-load-balancers"))["internal"]
    assert (verdict.result, kept(world)) == (Result.COMPLIANT, {})
    assert f"assigned by somebody else: {theirs}" in verdict.seen
    world.clock.advance(60)
    world.put_now(theirs, {"properties": {**said, "enforcementMode": "DoNotEnforce"}}, POLICY_API)
    await world.sweep(SUB)
    assert modes(world) == {"internal": "DoNotEnforce"}


async def test_what_a_cluster_needs_in_its_node_group_is_not_refused(tmp_path: Path) -> None:
    world = await enforced(tmp_path)
    assert set(modes(world).values()) == {"Default"}
    network_of(world)
    create(world, subnet("spoke-1", "nodes"), outbound="loadBalancer")
    group = there(world)["properties"]["nodeResourceGroup"]
    inside = f"{SCOPE}/resourceGroups/{group}/providers/Microsoft.Network"
    frontends = [{"name": "f", "properties": {"publicIPAddress": {"id": ADDRESS}}}]
    balancer = {"location": REGION, "sku": {"name": "Standard"}, "properties": {"frontendIPConfigurations": frontends}}
    assert not is_refused(world, f"{inside}/loadBalancers/kubernetes", balancer)
    assert is_refused(world, network("loadBalancers/mine"), balancer)


# ---- kept -----------------------------------------------------------------------------------------------------------


async def test_what_is_as_it_should_be_costs_no_write(tmp_path: Path) -> None:
    world = await enforced(tmp_path)
    before = len(world.writes())
    await world.sweep(SUB)
    assert world.writes()[before:] == []


async def test_what_somebody_changes_or_deletes_is_put_back_at_once(tmp_path: Path) -> None:
    world = await enforced(tmp_path)
    target = assignment(world)
    world.clock.advance(60)
    rewrite(world, target, enforcementMode="DoNotEnforce", notScopes=[GROUP])
    rewrite(world, target.replace("policyAssignments", "policyDefinitions"), displayName="mine")
    await world.quiet()
    assert (modes(world)["interface"], kept(world)["interface"].get("notScopes")) == ("Default", None)
    assert kept(world, "policyDefinitions")["interface"]["displayName"].startswith("Egress Governor")
    # What is deleted comes back, and acts when it was counted and approved again.
    world.clock.advance(60)
    world.ask("DELETE", target, version=POLICY_API)
    await world.quiet()
    assert modes(world)["interface"] == "DoNotEnforce"


async def test_what_others_do_in_azure_policy_wakes_nobody(tmp_path: Path) -> None:
    world = World(tmp_path, policy())
    theirs = f"{SCOPE}{PROVIDER}/policyAssignments/theirs"
    nics = f"{PROVIDER}/policyDefinitions/83a86a26-fd1f-447c-b59d-e51f44264114"
    world.put_now(theirs, {"properties": {"policyDefinitionId": nics, "enforcementMode": "DoNotEnforce"}}, POLICY_API)
    await world.sweep(SUB)
    assert kept(world)
    asked = len(world.transport.requests)
    world.clock.advance(60)
    rewrite(world, theirs, displayName="again")
    await world.quiet()
    assert len(world.transport.requests) == asked


async def test_a_stricter_policy_waits_for_a_person_where_it_would_refuse_more(tmp_path: Path) -> None:
    edge = AllowedAddress(names=("edge",))
    world = await enforced(tmp_path, policy(public_ips=PublicIps(at_request_time="deny", allow=(edge,))))
    network_of(world)
    assert not is_refused(world, *interface("one"))
    change(world, policy())
    await world.sweep(SUB)
    (waits,) = (await offers(world))["interface"].withheld.reasons
    assert waits.text.startswith("waits for approval: class outage: network interfaces have no public address: ")
    assert not is_refused(world, *interface("two"))
    await approve(world, "interface")
    assert is_refused(world, *interface("three"))


async def test_what_only_audits_acts_at_once_and_refuses_nothing(tmp_path: Path) -> None:
    world = World(tmp_path, policy(public_ips=PublicIps(at_request_time="audit")))
    network_of(world)
    await world.sweep(SUB)
    assert set(modes(world).values()) == {"Default"}
    assert {v.result for v in (await about(world)).values()} == {Result.COMPLIANT}
    assert not is_refused(world, *interface())


async def test_who_is_exempt_is_exempt_in_azure_policy_until_the_file_says_otherwise(tmp_path: Path) -> None:
    nic, body = interface("jump")
    until = date(2027, 12, 31)
    exempt = Exemption(nic, Requirement.NIC_PUBLIC_IP, "team-x", "a jump host", until)
    world = World(tmp_path, policy(exemptions=(exempt,)))
    network_of(world)
    await world.sweep(SUB)
    world.clock.advance(2 * A_DAY.total_seconds())
    await world.sweep(SUB)
    await approve(world, "interface")
    assert not is_refused(world, nic, body)
    assert is_refused(world, *interface("other"))
    # Without it in the file it goes, when a person has agreed: what went through is refused then.
    change(world, policy())
    await world.sweep(SUB)
    assert not is_refused(world, nic, body)
    await approve(world, "interface")
    assert is_refused(world, nic, body)


# ---- how far it may go ----------------------------------------------------------------------------------------------


async def test_nothing_is_written_for_a_policy_or_a_deployment_that_only_reports(tmp_path: Path) -> None:
    world = World(tmp_path, policy(mode=Mode.AUDIT))
    await world.sweep(SUB)
    assert (kept(world), world.writes()) == ({}, [])
    change(world, policy(), ceiling=Mode.AUDIT)
    await world.sweep(SUB)
    assert (kept(world), world.writes()) == ({}, [])
    assert (await about(world))["interface"].result is Result.VIOLATION


async def test_what_is_only_proposed_waits_for_a_person(tmp_path: Path) -> None:
    world = World(tmp_path, policy(mode=Mode.PROPOSE))
    await world.sweep(SUB)
    assert kept(world) == {}
    await approve(world, "interface")
    assert modes(world) == {"interface": "DoNotEnforce"}


async def test_nobody_is_asked_about_azure_policy_where_no_policy_speaks_of_it(tmp_path: Path) -> None:
    world = World(tmp_path, policy(public_ips=PublicIps()))
    await world.sweep(SUB)
    assert [one for one in world.transport.of("GET") if "policy" in one.casefold()] == []


async def test_a_policy_holds_where_names_and_management_groups_say(tmp_path: Path) -> None:
    group = "/providers/Microsoft.Management/managementGroups/corp"
    wanted = policy(select=Select(management_groups=("co*",), subscriptions=("*",)))
    world = World(tmp_path, wanted, policy(name="elsewhere", select=Select(management_groups=("other",))))
    world.arm.load(
        [
            {"id": group, "type": "Microsoft.Management/managementGroups"},
            {"id": f"{group}/subscriptions/{SUB}", "type": "Microsoft.Management/managementGroups/subscriptions"},
        ]
    )
    await world.sweep(SUB)
    assert {one["metadata"]["policy"] for one in kept(world).values()} == {"nat-per-vnet"}
    assert set(kept(world)) == {"interface", "scaleset", "balancer"}


async def test_what_azure_policy_cannot_be_told_is_said_and_not_made(tmp_path: Path) -> None:
    world = World(tmp_path, nat_policy(public_ips=DENY, clusters=Clusters(internal_load_balancers="audit")))
    await world.sweep(SUB)
    assert set(kept(world)) == {"interface", "scaleset"}
    verdict = (await about(world))["balancer"]
    assert verdict.result is Result.NOT_APPLICABLE
    assert "virtual networks: those behind it are not in its request" in verdict.seen
    internal = (await about(world, "cluster-internal-load-balancers"))["internal"]
    assert "holds for every cluster of a subscription" in internal.seen


async def test_what_has_the_name_of_ours_and_is_somebody_elses_is_left_alone(tmp_path: Path) -> None:
    world = World(tmp_path, policy(public_ips=PublicIps(at_request_time="audit")))
    await world.sweep(SUB)
    target = assignment(world)
    rewrite(world, target, metadata={"source": "terraform"}, displayName="theirs")
    await world.quiet()
    assert kept(world)["interface"]["displayName"] == "theirs"
    assert "is somebody else's" in (await about(world))["interface"].seen


async def test_without_the_right_to_write_it_is_said_what_is_missing(tmp_path: Path) -> None:
    world = World(tmp_path, policy(), limited=True)
    world.roles.give("", "*/read")
    await world.sweep(SUB)
    assert kept(world) == {}
    reasons = (await offers(world))["interface"].withheld.reasons
    assert "may not Microsoft.Authorization/policyDefinitions/write" in " ".join(reason.text for reason in reasons)


async def test_lists_that_cannot_be_read_are_unknown_and_nothing_is_written(tmp_path: Path) -> None:
    world = World(tmp_path, policy(), limited=True)
    world.roles.give("", "*", less=("Microsoft.Authorization/policyExemptions/read",))
    await world.sweep(SUB)
    found = [v for v in await world.ports.ledger.verdicts() if v.requirement == Requirement.PUBLIC_IP_DENIED_AT_REQUEST]
    assert [(v.resource.casefold(), v.result) for v in found] == [(SCOPE.casefold(), Result.UNKNOWN)]
    assert "policyExemptions not seen" in found[0].seen
    assert world.writes() == []


# ---- taken back and removed -----------------------------------------------------------------------------------------


async def test_an_undo_takes_the_enforcement_back_and_then_all_of_it(tmp_path: Path) -> None:
    world = await enforced(tmp_path)
    written = [record for record in await world.records() if record.outcomes]
    for record in reversed(written):
        await decisions.undo(record.id, 7, ("ann", ""), world.ports)
        await world.quiet()
        if record is not written[0]:
            assert "DoNotEnforce" in modes(world).values()
    assert (kept(world), kept(world, "policyDefinitions")) == ({}, {})
    await world.sweep(SUB)
    assert kept(world) == {}
    world.clock.advance(8 * A_DAY.total_seconds())
    await world.sweep(SUB)
    assert set(modes(world).values()) == {"DoNotEnforce"}


async def test_what_a_policy_wants_no_more_is_removed(tmp_path: Path) -> None:
    world = await enforced(tmp_path)
    change(world, policy(public_ips=PublicIps(at_request_time="off")))
    await world.sweep(SUB)
    assert (kept(world), kept(world, "policyDefinitions")) == ({}, {})
    assert await about(world) == {}


async def test_what_is_left_of_a_policy_that_is_gone_or_only_reports_is_said_and_not_removed(tmp_path: Path) -> None:
    world = await enforced(tmp_path)
    before = len(world.writes())
    for left in (policy(name="another", public_ips=PublicIps(at_request_time="off")), policy(mode=Mode.AUDIT)):
        change(world, left)
        await world.sweep(SUB)
        verdict = (await about(world))["interface"]
        name = ids.name(assignment(world))
        command = f"az policy definition delete --name {name} --subscription {SUB}"
        first = f"az policy assignment delete --name {name} --scope {SCOPE}"
        assert verdict.seen.endswith(f"no policy wants it any more; remove it: {first} && {command}")
    assert world.writes()[before:] == []
    world.ask("DELETE", assignment(world), version=POLICY_API)
    await world.sweep(SUB)
    assert (await about(world))["interface"].seen.endswith(f"no policy wants it any more; remove it: {command}")
