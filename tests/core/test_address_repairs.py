"""What is done about public addresses: bodies edited and nothing else, and every reason for which it is not done."""

import copy
from datetime import timedelta
from typing import Any

import msgspec
import pytest

from governor.core import guard, ids
from governor.core.address_step import QUARANTINE, DeleteAddress, WriteInterface, WriteTag
from governor.core.estate import EVERYTHING, Estate
from governor.core.forecast import Refusal, forecast
from governor.core.judged import judge
from governor.core.plan import Gate, Plan
from governor.core.policy import (
    AddressRepair,
    AllowedAddress,
    Approvals,
    Disruption,
    Egress,
    Mode,
    PathKind,
    Policies,
    Policy,
    PublicIps,
)
from governor.core.propose import proposal
from governor.core.step import Reversibility, Step, conflict, edit, intended, inverse, reversibility
from tests.core.test_addresses import OLD, attached, made, remainder
from tests.core.world import (
    ADDRESSES,
    AT,
    Azure,
    Body,
    address,
    address_id,
    around,
    config_id,
    estate,
    group,
    nat,
    nat_id,
    nat_policy,
    nic,
    nic_id,
    refs,
    route,
    subnet,
    subscription,
    table,
    vnet,
)

PIP = address_id()
OUT = nat("ng", address_id("ng"))
THERE = vnet(subnet(ipConfigurations=refs(config_id()), natGateway=nat_id(), defaultOutboundAccess=False))
TAKE = WriteInterface(nic_id(), {"ipconfig1": None}, {"ipconfig1": PIP})
TODAY = AT.date().isoformat()


def freely(**public: Any) -> Policy:
    return nat_policy(approvals=Approvals(needed=()), public_ips=PublicIps(**public))


def planned(seen: Estate, one: Policy) -> Plan:
    policies = Policies((one,))
    return guard.withhold(proposal(seen, policies), around(seen, policies))


def reason(plan: Plan, name: str) -> tuple[Gate, str]:
    (held,) = [w for w in plan.withheld if ids.name(w.remediation.resource) == name]
    return held.reasons[0].gate, held.reasons[0].text


def tagged(body: Body, **tags: str) -> Body:
    return {**body, "tags": tags}


# ---- steps -----------------------------------------------------------------------------------------------------------


def body_of_interface() -> Body:
    body = nic(public=PIP)
    body["properties"]["ipConfigurations"].append(
        {
            "id": f"{nic_id()}/ipConfigurations/second",
            "name": "second",
            "properties": {"publicIPAddress": {"id": "other"}},
        }
    )
    return {**body, "tags": {"owner": "x"}, "futureMember": [1]}


def test_only_the_named_address_comes_off() -> None:
    body = body_of_interface()
    wanted = edit(TAKE, body)
    expected = copy.deepcopy(body)
    del expected["properties"]["ipConfigurations"][0]["properties"]["publicIPAddress"]
    assert wanted == expected
    assert edit(TAKE, wanted) == wanted
    back = inverse(TAKE)
    assert back is not None
    assert edit(back, wanted) == body


STEPS: list[tuple[Step, Body | None, str | None]] = [
    (TAKE, nic(public=PIP), None),
    (TAKE, nic(public=PIP.upper()), None),
    (TAKE, nic(), None),
    (TAKE, None, "the network interface is gone"),
    (TAKE, nic(public=address_id("other")), "the address of ipconfig1 was pip when the plan was made and is other now"),
    (WriteInterface(nic_id(), {"gone": None}, {"gone": PIP}), nic(public=PIP), "ip configuration gone is gone"),
    (WriteTag(PIP, QUARANTINE, TODAY), address(), None),
    (WriteTag(PIP, QUARANTINE, TODAY), attached(address()), "somebody uses the address again"),
    (WriteTag(PIP, QUARANTINE, TODAY), None, "the address is gone"),
    (
        WriteTag(PIP, QUARANTINE, TODAY),
        tagged(address(), **{QUARANTINE: "never"}),
        f"tag {QUARANTINE} was None and is never now",
    ),
    # Out of quarantine comes also what somebody uses.
    (WriteTag(PIP, QUARANTINE, None, TODAY), attached(tagged(address(), **{QUARANTINE: TODAY})), None),
    (DeleteAddress(PIP), tagged(address(), **{QUARANTINE: TODAY}), None),
    (DeleteAddress(PIP), None, None),
    # The case of a tag's name is whoever wrote it first's.
    (DeleteAddress(PIP), tagged(address(), **{QUARANTINE.title(): TODAY}), None),
    (WriteTag(PIP, QUARANTINE, TODAY, "never"), tagged(address(), **{QUARANTINE.title(): "never"}), None),
    (DeleteAddress(PIP), address(), "somebody has ended its quarantine"),
    (DeleteAddress(PIP), attached(tagged(address(), **{QUARANTINE: TODAY})), "somebody uses the address again"),
]


@pytest.mark.parametrize(("step", "body", "why"), STEPS)
def test_a_step_that_no_longer_fits_says_why(step: Step, body: Body | None, why: str | None) -> None:
    assert conflict(step, body) == why


def test_a_tag_is_written_beside_the_others_and_taken_back() -> None:
    step, body = WriteTag(PIP, QUARANTINE, TODAY), tagged(address(), owner="x")
    wanted = edit(step, body)
    assert wanted == tagged(address(), owner="x", **{QUARANTINE: TODAY})
    back = inverse(step)
    assert back is not None
    assert edit(back, wanted) == body
    assert (inverse(DeleteAddress(PIP)), edit(DeleteAddress(PIP), body)) == (None, None)
    assert intended(step) == {("tags",)}
    shouted = tagged(address(), owner="x", **{QUARANTINE.upper(): "never"})
    assert edit(step, shouted) == wanted


def test_how_far_each_can_be_taken_back() -> None:
    steps = (TAKE, WriteTag(PIP, QUARANTINE, TODAY), DeleteAddress(PIP))
    assert [reversibility(step).value for step in steps] == ["reversible", "reversible", "irreversible"]


# ---- network interfaces ----------------------------------------------------------------------------------------------


def exposed(*more: Body, interface: Body | None = None, network: Body = THERE) -> Estate:
    bodies = (network, OUT, interface or nic(public=PIP), attached(address()), group(), subscription())
    return estate(*bodies, *more)


@pytest.mark.parametrize(("method", "lost"), [("Dynamic", ("203.0.113.1",)), ("Static", ())])
def test_an_address_that_an_undo_would_not_bring_back_is_told_before(method: str, lost: tuple[str, ...]) -> None:
    given = attached(address(publicIPAllocationMethod=method))
    seen = estate(THERE, OUT, nic(public=PIP), given, group(), subscription())
    (repair,) = planned(seen, freely()).remediations
    (step,) = repair.steps
    assert isinstance(step, WriteInterface)
    assert step.lost == lost
    assert reversibility(step) is (Reversibility.LIMITED if lost else Reversibility.REVERSIBLE)
    assert repair.reason.endswith("203.0.113.1 is dynamic, and an undo may bring another") is bool(lost)
    back = inverse(step)
    assert isinstance(back, WriteInterface)
    assert (back.to, back.lost) == (step.was, ())


def test_a_machine_with_another_way_out_loses_its_address() -> None:
    plan = planned(exposed(), freely())
    assert [step for _, step in plan.steps] == [TAKE]
    (repair,) = plan.remediations
    assert (repair.disruptions, repair.old_addresses) == (("outage",), ("203.0.113.1",))
    after = forecast(exposed(), (TAKE,))
    assert not isinstance(after, Refusal)
    assert not [v for v in judge(after, Policies((freely(),))) if v.requirement == "nic-public-ip"]


def test_taking_it_back_gives_the_address_again_unless_somebody_else_has_it() -> None:
    after = forecast(exposed(), (TAKE,))
    back = inverse(TAKE)
    assert not isinstance(after, Refusal)
    assert back is not None
    assert forecast(after, (back,)) == exposed()
    taken = forecast(exposed(), (WriteInterface(nic_id(), {"ipconfig1": PIP}, {"ipconfig1": None}),))
    assert isinstance(taken, Refusal)
    assert taken.why == "public IP address pip is in use"


def test_only_what_is_not_allowed_comes_off() -> None:
    interface = body_of_interface()
    edge = address_id("pip-edge")
    interface["properties"]["ipConfigurations"][1]["properties"]["publicIPAddress"]["id"] = edge
    seen = exposed(
        attached(address("pip-edge", "203.0.113.9"), f"{nic_id()}/ipConfigurations/second"), interface=interface
    )
    plan = planned(seen, freely(allow=(AllowedAddress(names=("pip-edge",)),)))
    assert [step for _, step in plan.steps] == [TAKE]


HELD: list[tuple[Estate, Policy, Gate, str]] = [
    (exposed(), nat_policy(), Gate.APPROVAL, "waits for approval: class outage"),
    (exposed(), freely(default="audit"), Gate.MODE, "only audits public addresses"),
    (exposed(), freely(repair=AddressRepair(network_interface="flag")), Gate.UNSUPPORTED, "take it off by hand"),
    (
        exposed(),
        freely(repair=AddressRepair(network_interface="propose")),
        Gate.APPROVAL,
        "waits for approval: it would replace the public address of virtual machine vm",
    ),
    # Whoever routes.
    (
        exposed(interface=nic(public=PIP, enableIPForwarding=True)),
        freely(),
        Gate.UNSUPPORTED,
        "it forwards traffic of others: whoever routes is changed by hand only",
    ),
    (
        exposed(table("rt", route("10.0.0.0/8", "VirtualAppliance", "10.0.0.4"))),
        freely(),
        Gate.UNSUPPORTED,
        "route to-10.0.0.0-8 of table rt leads to it: whoever routes is changed by hand only",
    ),
    # Groups of services.
    (
        estate(
            THERE, OUT, nic(public=PIP), attached(address()), {**group(), "managedBy": "/subscriptions/x/databricks"}
        ),
        freely(),
        Gate.CLUSTER,
        "its group is managed by databricks and is never written",
    ),
]


@pytest.mark.parametrize(("seen", "one", "gate", "text"), HELD)
def test_an_address_stays_where_it_is_with_a_reason(seen: Estate, one: Policy, gate: Gate, text: str) -> None:
    plan = planned(seen, one)
    found = reason(plan, "nic")
    assert found[0] is gate
    assert text in found[1]
    assert not plan.steps


@pytest.mark.parametrize(
    ("private", "text"), [(True, "last way out away"), (False, "only have default outbound access")]
)
def test_a_machine_is_never_left_without_a_way_out(private: bool, text: str) -> None:
    # A policy that says nothing about ways out leaves it to the forecast.
    seen = exposed(
        network=vnet(subnet(ipConfigurations=refs(config_id()), defaultOutboundAccess=False if private else None))
    )
    one = nat_policy(egress=Egress(), approvals=Approvals(needed=()))
    gate, why = reason(planned(seen, one), "nic")
    assert gate is Gate.FORECAST
    assert text in why


def test_a_subnet_gets_its_way_out_first_or_the_address_stays() -> None:
    there = vnet(subnet(ipConfigurations=refs(config_id()), defaultOutboundAccess=False))
    azure = Azure(there, nic(public=PIP), attached(address()), group(), subscription())
    asking = nat_policy(approvals=Approvals(needed=(Disruption.ADDRESS,)))
    plan = planned(azure.observe(Policies((asking,))), asking)
    gate, text = reason(plan, "nic")
    assert (gate, text.partition(": ")[0]) == (Gate.NEEDS, "app must come first, and is withheld")
    judging = nat_policy(egress=Egress(allow=(PathKind.NAT_GATEWAY,)), approvals=Approvals(needed=()))
    gate, text = reason(planned(azure.observe(Policies((judging,))), judging), "nic")
    assert (gate, text.partition(": ")[0]) == (Gate.NEEDS, "its subnet must have another way out first")


def test_who_manages_a_group_is_asked_and_must_be_known() -> None:
    azure = Azure(THERE, OUT, nic(public=PIP), attached(address()), address("ng"), unreadable=[group()["id"]])
    seen = azure.observe(Policies((freely(),)))
    assert group()["id"] in azure.asked
    gate, text = reason(planned(seen, freely()), "nic")
    assert gate is Gate.UNSEEN
    assert "whether a service manages group rg-net is not known" in text


# ---- addresses of nobody ---------------------------------------------------------------------------------------------


def alone(tags: dict[str, str] | None = None, above: Body | None = None) -> Estate:
    body = tagged(address(), **(tags or {}))
    return remainder(body, OLD, above or group(), subscription(), listed=(EVERYTHING, *ADDRESSES))


def test_an_address_of_nobody_goes_into_quarantine_and_is_in_order_then() -> None:
    plan = planned(alone(), nat_policy())
    step = WriteTag(PIP, QUARANTINE, TODAY)
    assert [one for _, one in plan.steps] == [step]
    assert plan.remediations[0].disruptions == ("none",)
    after = forecast(alone(), (step,))
    assert not isinstance(after, Refusal)
    assert [v.result.value for v in judge(after, Policies((nat_policy(),)))] == ["Compliant"]


def test_what_is_approved_today_is_the_same_tomorrow() -> None:
    one = freely(repair=AddressRepair(unattached="propose"))
    tomorrow = msgspec.structs.replace(alone(), observed_at=AT + timedelta(days=1))
    digests = {planned(seen, one).withheld[0].remediation.digest for seen in (alone(), tomorrow)}
    assert len(digests) == 1


DELETING: dict[str, Any] = {"delete": True, "quarantine_days": 14}
LONG_AGO = {QUARANTINE: (AT - timedelta(days=14)).date().isoformat()}
LATELY = {QUARANTINE: (AT - timedelta(days=13)).date().isoformat()}
LEFT: list[tuple[dict[str, Any], dict[str, str], list[Step]]] = [
    ({}, LONG_AGO, []),
    (DELETING, LATELY, []),
    (DELETING, LONG_AGO, [DeleteAddress(PIP)]),
    # A tag that says no date is none.
    ({}, {QUARANTINE: "soon"}, [WriteTag(PIP, QUARANTINE, TODAY, "soon")]),
    ({"repair": AddressRepair(unattached="flag")}, {}, []),
    ({"default": "audit"}, {}, []),
]


@pytest.mark.parametrize(("public", "tags", "steps"), LEFT)
def test_an_address_is_deleted_after_its_time_and_only_where_the_policy_says_so(
    public: dict[str, Any], tags: dict[str, str], steps: list[Step]
) -> None:
    assert [step for _, step in planned(alone(tags), freely(**public)).steps] == steps


def test_deleting_waits_for_a_person() -> None:
    plan = planned(alone(LONG_AGO), nat_policy(public_ips=PublicIps(**DELETING)))
    assert reason(plan, "pip") == (Gate.APPROVAL, "waits for approval: class irreversible")


@pytest.mark.parametrize(
    ("one", "above", "gate"),
    [
        (freely(), {**group(), "managedBy": "/subscriptions/x/y"}, Gate.CLUSTER),
        (nat_policy(mode=Mode.AUDIT), group(), Gate.MODE),
        (nat_policy(mode=Mode.PROPOSE), group(), Gate.APPROVAL),
    ],
)
def test_an_address_of_nobody_stays_as_it_is_with_a_reason(one: Policy, above: Body, gate: Gate) -> None:
    plan = planned(alone(above=above), one)
    assert reason(plan, "pip")[0] is gate


def test_an_address_that_was_attached_meanwhile_cannot_be_deleted() -> None:
    seen = remainder(attached(address()), made((PIP, None)))
    refusal = forecast(seen, (DeleteAddress(PIP),))
    assert isinstance(refusal, Refusal)
    assert refusal.why == "pip is still attached"
