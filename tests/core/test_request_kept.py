"""Azure Policy in one subscription: what is wanted there, what is made of what is there, and each step back."""

import copy
from datetime import timedelta
from typing import Any

import msgspec
import pytest
from msgspec.structs import replace

from governor.core import guard, ids, step
from governor.core.estate import EVERYTHING, Estate, Gap, Reading, add, list_of
from governor.core.forecast import Refusal, forecast
from governor.core.judged import judge
from governor.core.needs import for_evidence
from governor.core.plan import Plan
from governor.core.policy import Clusters, Exemption, Mode, Policies, Policy, PublicIps, Requirement, Select
from governor.core.propose import proposal
from governor.core.request_kept import BUILT_IN, Unkept, Wanted, asked, holding, kept
from governor.core.request_step import WriteAzurePolicy
from governor.core.verdict import Result, Verdict
from tests.core.world import AT, SUB, Body, around, nat_policy

SCOPE = f"/subscriptions/{SUB}"
PROVIDER = "/providers/Microsoft.Authorization"
LISTS = ("policyAssignments", "policyDefinitions", "policyExemptions")
STATES = list_of("policyStates", SCOPE)
OLD = (AT - timedelta(days=2)).isoformat()
NIC = f"{SCOPE}/resourceGroups/rg/providers/Microsoft.Network/networkInterfaces/n"
CLUSTER = f"{SCOPE}/resourceGroups/rg/providers/Microsoft.ContainerService/managedClusters/c"


def policy(**given: Any) -> Policy:
    """What denies new public addresses on interfaces and scale sets: within networks, so that balancers are untold."""
    chosen = {"select": Select(virtual_networks=("spoke-*",)), "public_ips": PublicIps(at_request_time="deny"), **given}
    return nat_policy(**chosen)


def wanted_by(*policies: Policy) -> dict[str, Wanted | Unkept]:
    """By kind of request, what is wanted in the subscription."""
    estate = Estate(AT, remainders=(SUB,))
    found = holding(Policies(policies), SUB, estate)
    made = kept(tuple(one for one in found if isinstance(one, Policy)), SUB, estate)
    return {_kind(one.assignment.id if isinstance(one, Wanted) else one.assignment): one for one in made}


def _kind(assignment: str) -> str:
    return ids.name(assignment).split("-")[1]


def there(one: Wanted, *, mode: str = "Default", sealed: bool = True, **changes: Any) -> tuple[Body, ...]:
    """What is wanted in, the bodies of it as Azure shows them out; `changes` are to the assignment."""
    written = {"createdOn": OLD, "updatedOn": None}
    properties = {k: v for k, v in one.assignment.properties.items() if v is not None} | {"enforcementMode": mode}
    metadata = {**properties["metadata"], **written, **({"enforced": one.seal} if sealed else {})}
    bodies: list[Body] = [{"id": one.assignment.id, "properties": {**properties, "metadata": metadata, **changes}}]
    if one.definition is not None:
        said = one.definition.properties
        bodies.append(
            {"id": one.definition.id, "properties": {**said, "metadata": {**said["metadata"], **written}}},
        )
    return tuple(bodies)


def seen(*bodies: Body, states: list[Body] | None = None, gaps: tuple[Gap, ...] = ()) -> Estate:
    listed = [EVERYTHING, *(list_of(what, SCOPE) for what in LISTS)]
    every = [*bodies]
    if states is not None:
        listed.append(STATES)
        every.append({"id": ids.policy_states(SUB), "value": states})
    raw = tuple(msgspec.json.encode(body) for body in every)
    return add(Estate(AT, remainders=(SUB,)), Reading(raw, listed=tuple(listed), gaps=gaps))


def state(one: Wanted, resource: str = NIC, found: str = "NonCompliant", at: str = AT.isoformat()) -> Body:
    return {"resource": resource, "assignment": one.assignment.id.upper(), "state": found, "at": at}


def planned(estate: Estate, *policies: Policy) -> Plan:
    every = Policies(policies)
    return guard.withhold(proposal(estate, every), around(estate, every))


def verdicts(estate: Estate, *policies: Policy) -> dict[str, Verdict]:
    """By kind of request."""
    about = judge(estate, Policies(policies))
    return {_kind(v.resource): v for v in about if "/policyAssignments/" in v.resource}


def interface(*policies: Policy) -> Wanted:
    found = wanted_by(*(policies or (policy(),)))["interface"]
    assert isinstance(found, Wanted)
    return found


def everything_but(kind: str, *policies: Policy) -> tuple[Body, ...]:
    """All that is wanted but one is there and acts."""
    found = [one for name, one in wanted_by(*policies).items() if name != kind and isinstance(one, Wanted)]
    return tuple(body for one in found for body in there(one))


# ---- what is wanted -------------------------------------------------------------------------------------------------

BOTH = Clusters(at_request_time="audit", internal_load_balancers="audit")
WANTED: list[tuple[Policy, set[str], set[str]]] = [
    (policy(), {"interface", "scaleset"}, {"balancer"}),
    (policy(select=Select()), {"interface", "scaleset", "balancer"}, set()),
    (policy(select=Select(), clusters=BOTH), {"interface", "scaleset", "balancer", "cluster", "internal"}, set()),
    (policy(clusters=BOTH), {"interface", "scaleset", "cluster"}, {"balancer", "internal"}),
    (policy(select=Select(tags={"egress": "hub"})), set(), {"interface", "scaleset", "balancer"}),
    (policy(public_ips=PublicIps(default="allow", at_request_time="deny")), set(), set()),
    (policy(public_ips=PublicIps(at_request_time="off")), set(), set()),
    (policy(public_ips=PublicIps()), set(), set()),
    (policy(mode=Mode.AUDIT, clusters=BOTH), set(), set()),
]


@pytest.mark.parametrize(("given", "told", "untold"), WANTED)
def test_what_a_policy_wants_in_azure_policy(given: Policy, told: set[str], untold: set[str]) -> None:
    found = wanted_by(given)
    assert {kind for kind, one in found.items() if isinstance(one, Wanted)} == told
    assert {kind for kind, one in found.items() if isinstance(one, Unkept)} == untold


def test_nothing_is_asked_where_no_policy_speaks_of_it() -> None:
    quiet = Policies((policy(public_ips=PublicIps()),))
    assert asked(quiet) == ()
    about = {v.requirement for v in judge(Estate(AT, remainders=(SUB,)), quiet)}
    assert about.isdisjoint({"public-ip-denied-at-request", "cluster-denied-at-request"})
    loud = Policies((policy(public_ips=PublicIps(at_request_time="off")),))
    assert for_evidence(Estate(AT, remainders=(SUB,)), loud).lists[-3:] == tuple(list_of(w, SCOPE) for w in LISTS)


INTERNAL = policy(select=Select(), public_ips=PublicIps(), clusters=Clusters(internal_load_balancers="deny"))
SOME = Select(virtual_networks=("x",))
EARLIER: list[tuple[Policy, bool]] = [
    (policy(name="a", select=SOME, clusters=Clusters(internal_load_balancers="deny")), True),
    (policy(name="a", select=SOME, clusters=Clusters(internal_load_balancers="audit")), False),
    (policy(name="a", select=SOME), False),
    (policy(name="a", select=Select(subscriptions=("other",))), True),
    (policy(name="a", mode=Mode.AUDIT, clusters=Clusters(internal_load_balancers="deny")), False),
]


@pytest.mark.parametrize(("earlier", "told"), EARLIER)
def test_the_built_in_policy_is_for_all_clusters_or_none(earlier: Policy, told: bool) -> None:
    named = {"id": SCOPE, "displayName": "One"}
    estate = add(Estate(AT, remainders=(SUB,)), Reading((msgspec.json.encode(named),)))
    held = holding(Policies((earlier, replace(INTERNAL, name="z"))), SUB, estate)
    made = kept(tuple(p for p in held if isinstance(p, Policy)), SUB, estate)
    (mine,) = [one for one in made if one.policy.name == "z"]
    assert isinstance(mine, Wanted) is told


def test_what_selects_the_subscription_is_read_and_then_forgotten() -> None:
    by_place = policy(select=Select(management_groups=("co*",), subscriptions=("One",)))
    away = policy(name="away", select=Select(except_=replace(Select().except_, subscriptions=("one",))))
    empty = Estate(AT, remainders=(SUB,))
    assert set(holding(Policies((by_place, away)), SUB, empty)) == {ids.entity(SUB), SCOPE}
    bodies = ({"id": SCOPE, "displayName": "One"}, {"id": ids.entity(SUB), "properties": {"parentNameChain": ["corp"]}})
    known = add(empty, Reading(tuple(map(msgspec.json.encode, bodies))))
    assert holding(Policies((by_place, away)), SUB, known) == (replace(by_place, select=Select()),)


# ---- what is made of what is there ----------------------------------------------------------------------------------


def test_without_its_lists_nothing_is_known_and_nothing_done() -> None:
    estate = Estate(AT, remainders=(SUB,), gaps=(Gap(list_of("policyAssignments", SCOPE), "403"),))
    found = judge(estate, Policies((policy(),)))
    assert [(v.resource, v.result, v.seen) for v in found if v.requirement == "public-ip-denied-at-request"] == [
        (SCOPE, Result.UNKNOWN, "policyAssignments not seen: 403")
    ]
    assert planned(estate, policy()).remediations == ()


AUDITING = policy(public_ips=PublicIps(at_request_time="audit"))
TARGET = interface()
# What stands of the assignment on interfaces, what is done, and how it ends: (mode, effect) and the disruption.
DRIFT: list[tuple[Policy, tuple[Body, ...], str, tuple[str, str, str] | None]] = [
    (policy(), (), "Azure Policy does not have it", ("DoNotEnforce", "Deny", "none")),
    (AUDITING, (), "Azure Policy does not have it", ("Default", "Audit", "none")),
    (policy(), there(TARGET), "assigned, denies", None),
    (AUDITING, there(interface(AUDITING)), "assigned, audits", None),
    # Somebody changes what has acted just as it is wanted: it is put back.
    (policy(), there(TARGET, mode="DoNotEnforce"), "turned its enforcement off", ("Default", "Deny", "none")),
    (
        policy(),
        there(TARGET, notScopes=[f"{SCOPE}/resourceGroups/rg"]),
        "notScopes of the assignment other than",
        ("Default", "Deny", "none"),
    ),
    (
        policy(),
        there(TARGET, parameters={"effect": {"value": "Audit"}}),
        "parameters of the assignment other than",
        ("Default", "Deny", "none"),
    ),
    (policy(), there(TARGET)[:1], "policyRule, parameters", ("Default", "Deny", "none")),
    # What has never acted so is no more than watched, or asked about where something else acts.
    (
        policy(),
        there(interface(AUDITING), sealed=False),
        "parameters of the assignment other than",
        ("DoNotEnforce", "Deny", "none"),
    ),
    (
        policy(),
        there(TARGET, sealed=False, description="x"),
        "description of the assignment",
        ("Default", "Deny", "outage"),
    ),
    (AUDITING, there(TARGET), "parameters of the assignment other than", ("Default", "Audit", "none")),
]


@pytest.mark.parametrize(("given", "bodies", "told", "ends"), DRIFT)
def test_what_is_there_and_what_is_done_about_it(
    given: Policy, bodies: tuple[Body, ...], told: str, ends: tuple[str, str, str] | None
) -> None:
    estate = seen(*bodies, *everything_but("interface", given))
    assert told.split(",")[0] in verdicts(estate, given)["interface"].seen
    every = [*planned(estate, given).remediations, *(w.remediation for w in planned(estate, given).withheld)]
    repairs = [one for one in every if one.requirements and one.steps]
    if ends is None:
        assert repairs == []
        return
    (repair,) = repairs
    after = forecast(estate, repair.steps)
    assert isinstance(after, Estate)
    found = after.known[ids.key(TARGET.assignment.id)]
    effect = found.properties["parameters"]["effect"]["value"]  # type: ignore[union-attr, index]
    assert (found.properties["enforcementMode"], effect, *repair.disruptions) == ends  # type: ignore[union-attr, index]
    # Given what it leaves, there is nothing more to do about these contents.
    left = verdicts(after, given)["interface"]
    assert left.result is (Result.VIOLATION if ends[0] == "DoNotEnforce" else Result.COMPLIANT)


COUNTS: list[tuple[list[Body] | None, str, bool]] = [
    (None, "what it would refuse is not counted yet", False),
    ([], "in a day Azure has found nothing there that it concerns", True),  # it was written two days ago
    ([state(TARGET, found="Compliant")], "nothing that is there today would be refused", True),
    (
        [state(TARGET), state(TARGET, NIC.upper())],
        f"1 of what is there today would be refused: {ids.placed(NIC.upper())}",
        True,
    ),
    (
        [state(TARGET, f"{NIC}{n}") for n in range(5)],
        f"5 of what is there today would be refused: {', '.join(ids.placed(f'{NIC}{n}') for n in range(3))} and 2 more",
        True,
    ),
    # What Azure found before the last write says nothing of what was written.
    ([state(TARGET, at=(AT - timedelta(days=3)).isoformat())], "in a day Azure has found nothing there that", True),
]


@pytest.mark.parametrize(("states", "told", "offered"), COUNTS)
def test_what_would_be_refused_is_counted_before_it_can_be_approved(
    states: list[Body] | None, told: str, offered: bool
) -> None:
    watched = there(TARGET, mode="DoNotEnforce", sealed=False)
    estate = seen(*watched, *everything_but("interface", policy()), states=states)
    assert told in verdicts(estate, policy())["interface"].seen
    (held,) = [w for w in planned(estate, policy()).withheld if w.remediation.requirements]
    assert bool(held.remediation.steps) is offered
    assert (held.remediation.disruptions == ("outage",)) is offered


def test_what_was_written_today_is_not_counted_before_azure_has_looked() -> None:
    watched = copy.deepcopy(there(TARGET, mode="DoNotEnforce", sealed=False))
    watched[0]["properties"]["metadata"]["updatedOn"] = (AT - timedelta(hours=23)).isoformat()
    before = [state(TARGET, at=(AT - timedelta(hours=23, minutes=1)).isoformat())]
    for states in ([], before):
        estate = seen(*watched, *everything_but("interface", policy()), states=states)
        assert "not counted yet" in verdicts(estate, policy())["interface"].seen


def test_who_is_exempt_is_so_before_it_acts_and_nothing_waits_for_an_exemption_that_goes() -> None:
    exempt = Exemption(NIC, Requirement.NIC_PUBLIC_IP, "team-x", "because", AT.date() + timedelta(days=30))
    given = policy(exemptions=(exempt,))
    target = interface(given)
    watched = there(target, mode="DoNotEnforce", sealed=False)
    estate = seen(*watched, *everything_but("interface", given), states=[state(target)])
    plan = planned(estate, given)
    (made,) = plan.remediations
    assert made.resource == target.exemptions[0].id
    (held,) = plan.withheld
    assert held.remediation.needs == (made.digest,)
    # It is in the file no more, and the assignment was changed: it is put back while the exemption waits for a person.
    there_still = {"id": target.exemptions[0].id, "properties": target.exemptions[0].properties}
    estate = seen(*there(TARGET, notScopes=["/x"]), there_still, *everything_but("interface", policy()))
    plan = planned(estate, policy())
    assert [one.resource for one in plan.remediations] == [TARGET.assignment.id]
    assert [(w.remediation.resource, w.remediation.disruptions) for w in plan.withheld] == [
        (target.exemptions[0].id, ("outage",))
    ]


def test_an_exemption_that_goes_bites_only_where_something_is_denied_without_it() -> None:
    left = Exemption(NIC, Requirement.NIC_PUBLIC_IP, "team-x", "because", AT.date())
    (one,) = interface(policy(exemptions=(left,))).exemptions
    over = {**one.properties, "expiresOn": (AT - timedelta(days=1)).isoformat()}
    for given, properties, disruption in (
        (policy(), one.properties, "outage"),
        (policy(), over, "none"),
        (AUDITING, one.properties, "none"),
    ):
        estate = seen(
            *there(interface(given)), {"id": one.id, "properties": properties}, *everything_but("interface", given)
        )
        plan = planned(estate, given)
        found = [*plan.remediations, *(w.remediation for w in plan.withheld)]
        assert [(r.resource, *r.disruptions) for r in found] == [(one.id, disruption)]


def test_a_definition_says_something_new_after_its_assignment_has_its_new_effect() -> None:
    loose = policy(select=Select(virtual_networks=("lab-*",)), public_ips=PublicIps(at_request_time="audit"))
    estate = seen(*there(TARGET), *everything_but("interface", loose))
    (repair,) = [one for one in planned(estate, loose).remediations if one.resource == TARGET.assignment.id]
    assert [ids.kind(one.target) for one in repair.steps] == [ids.POLICY_ASSIGNMENT, ids.POLICY_DEFINITION]


LEFT = there(TARGET)
OTHERS = policy(name="other", public_ips=PublicIps(at_request_time="off"))


def test_what_nobody_wants_is_removed_by_the_policy_that_made_it_alone() -> None:
    off = policy(public_ips=PublicIps(at_request_time="off"))
    (gone,) = planned(seen(*LEFT), off).remediations
    assert [(s.target, s.to) for s in gone.steps if isinstance(s, WriteAzurePolicy)] == [
        (TARGET.assignment.id, None),
        (TARGET.definition.id if TARGET.definition else "", None),
    ]
    (told,) = planned(seen(*LEFT), OTHERS).withheld
    assert (told.remediation.steps, "az policy assignment delete" in told.reasons[0].text) == ((), True)


def test_what_the_export_made_and_what_others_made_is_nobodys_to_remove() -> None:
    exported = copy.deepcopy(LEFT)
    for body in exported:
        body["id"] = body["id"].replace("eg-interface-", "eg-subnet-")
    foreign = copy.deepcopy(LEFT)
    foreign[0]["properties"]["metadata"] = {"source": "terraform"}
    foreign[1]["properties"]["metadata"] = {}
    for bodies in (exported, foreign):
        assert planned(seen(*bodies), policy(public_ips=PublicIps(at_request_time="off"))) == Plan()


STRICT: list[tuple[Body, bool]] = [
    ({"parameters": {"effect": {"value": "Deny"}}}, True),
    ({}, True),
    ({"parameters": {"effect": {"value": "audit"}}}, False),
    ({"enforcementMode": "DoNotEnforce"}, False),
    ({"notScopes": [f"{SCOPE}/resourceGroups/rg"]}, False),
    ({"resourceSelectors": [{"name": "x"}]}, False),
    ({"parameters": {"namespaces": {"value": ["web"]}}}, False),
    ({"parameters": {"labelSelector": {"value": {"matchLabels": {"a": "b"}}}}}, False),
    ({"parameters": {"excludedNamespaces": {"value": ["kube-system"]}}}, True),
    ({"parameters": {"excludedNamespaces": {"value": ["kube-system", "web"]}}}, False),
    ({"policyDefinitionId": f"{PROVIDER}/policyDefinitions/another"}, False),
]


@pytest.mark.parametrize(("said", "enough"), STRICT)
def test_what_of_others_is_as_strict(said: Body, enough: bool) -> None:
    above = "/providers/Microsoft.Management/managementGroups/corp"
    theirs = {
        "id": f"{above}{PROVIDER}/policyAssignments/theirs",
        "type": "Microsoft.Authorization/policyAssignments",
        "properties": {"policyDefinitionId": BUILT_IN.upper(), **said},
    }
    assert (verdicts(seen(theirs), INTERNAL)["internal"].result is Result.COMPLIANT) is enough


# ---- steps ----------------------------------------------------------------------------------------------------------

BODY: Body = {
    "id": TARGET.assignment.id,
    "systemData": {"x": 1},
    "properties": {
        "enforcementMode": "DoNotEnforce",
        "notScopes": [],
        "somethingNew": {"deep": [1]},
        "metadata": {"source": "egress-governor", "createdBy": "x"},
    },
}
ENFORCE = WriteAzurePolicy(
    TARGET.assignment.id,
    {"enforcementMode": "Default", "notScopes": None, "metadata": {"enforced": "0123"}},
    {"enforcementMode": "DoNotEnforce", "notScopes": [], "metadata": {"enforced": None}},
)


def test_a_write_keeps_what_it_does_not_name_and_can_be_taken_back() -> None:
    after = step.edit(ENFORCE, BODY)
    assert after is not None
    assert after["systemData"] == {"x": 1}
    assert after["properties"] == {
        "enforcementMode": "Default",
        "somethingNew": {"deep": [1]},
        "metadata": {"source": "egress-governor", "createdBy": "x", "enforced": "0123"},
    }
    assert step.edit(ENFORCE, after) == after
    back = step.inverse(ENFORCE)
    assert back is not None
    assert step.edit(back, after) == BODY
    made = WriteAzurePolicy(ENFORCE.target, {"enforcementMode": "Default"})
    assert step.edit(made, None) == {"properties": {"enforcementMode": "Default"}}
    gone = step.inverse(made)
    assert gone is not None
    assert (step.edit(gone, BODY), step.inverse(gone)) == (None, made)


STALE: list[tuple[WriteAzurePolicy, Body | None, str | None]] = [
    (ENFORCE, BODY, None),
    (ENFORCE, step.edit(ENFORCE, BODY), None),
    (ENFORCE, None, f"{TARGET.assignment.name} is gone"),
    (ENFORCE, {"properties": {**BODY["properties"], "enforcementMode": "Enroll"}}, "changed since the plan was made"),
    (ENFORCE, {"properties": {**BODY["properties"], "somethingNew": 2}}, None),
    (WriteAzurePolicy(ENFORCE.target, {"mode": "All"}), None, None),
    (WriteAzurePolicy(ENFORCE.target, {"mode": "All"}), BODY, f"somebody has made {TARGET.assignment.name} meanwhile"),
    (WriteAzurePolicy(ENFORCE.target, None, {"enforcementMode": "DoNotEnforce"}), BODY, None),
    (WriteAzurePolicy(ENFORCE.target, None, {"enforcementMode": "DoNotEnforce"}), None, None),
    (WriteAzurePolicy(ENFORCE.target, None, {"enforcementMode": "Default"}), BODY, "enforcementMode of"),
]


@pytest.mark.parametrize(("one", "body", "why"), STALE)
def test_what_makes_a_step_stale(one: WriteAzurePolicy, body: Body | None, why: str | None) -> None:
    found = step.conflict(one, body)
    assert found is None if why is None else found is not None and why in found


def test_a_definition_that_is_assigned_is_not_deleted() -> None:
    assert TARGET.definition is not None
    assert isinstance(forecast(seen(*LEFT), (WriteAzurePolicy(TARGET.definition.id, None),)), Refusal)
    both = (WriteAzurePolicy(TARGET.assignment.id, None), WriteAzurePolicy(TARGET.definition.id, None))
    after = forecast(seen(*LEFT), both)
    assert isinstance(after, Estate)
    assert ids.key(TARGET.definition.id) in after.absent


def test_what_cannot_be_told_any_more_goes_and_says_why() -> None:
    acting = there(interface())
    every = Exemption("*/networkInterfaces/lab-*", Requirement.NIC_PUBLIC_IP, "lab", "until it moves", AT.date())
    told = verdicts(seen(*acting), policy(exemptions=(every,)))["interface"]
    assert told.seen == (
        "network interfaces have no public address: Azure Policy cannot be told it any more: "
        "the exemption of */networkInterfaces/lab-*: Azure exempts single resources"
    )
    # While it acts, somebody has to agree; nobody has said that it shall refuse no more.
    for mode, asked_for in (("Default", True), ("DoNotEnforce", False)):
        plan = planned(seen(*there(interface(), mode=mode)), policy(exemptions=(every,)))
        name = interface().assignment.id
        waits = [w.reasons[0] for w in plan.withheld if w.remediation.resource == name]
        assert [reason.text for reason in waits] == ([f"waits for approval: class outage: {told.seen}"] * asked_for)
        assert (name in {r.resource for r in plan.remediations}) is not asked_for


def test_why_something_is_not_told_names_the_policy_that_is_asked_first() -> None:
    hub = policy(name="hub", priority=200, select=Select(tags={"egress": ("hub",)}))
    found = [v for v in judge(seen(), Policies((hub, policy()))) if v.policy == "nat"]
    start = "not told: network interfaces have no public address: policy hub is asked first, and selects by tags: "
    assert any(v.seen.startswith(start) for v in found)
