"""Plans: their steps in order, and digests that say what is done and nothing else."""

from msgspec.structs import replace

from governor.core.plan import Gate as Gates
from governor.core.plan import Plan, Reason, Remediation, digest, fingerprint
from governor.core.step import Attachment, CreateResourceGroup, DeleteNatGateway, Step, WriteSubnet
from tests.core.world import OWN_GROUP, REGION, nat_id, subnet_id

WRITE = WriteSubnet(subnet_id(), to=Attachment(nat_gateway=nat_id()), was=Attachment(nat_gateway=None))
MAKE = CreateResourceGroup(OWN_GROUP, REGION)


def repair(*steps: Step, requirements: tuple[str, ...] = ("a", "b")) -> Remediation:
    made = digest("p", requirements, subnet_id(), steps)
    return Remediation(subnet_id(), "p", requirements, steps, "why", ("none",), made)


def test_steps_come_in_the_order_of_remediations() -> None:
    one, two = repair(MAKE), repair(WRITE, DeleteNatGateway(nat_id()))
    assert Plan((one, two)).steps == ((one, MAKE), (two, WRITE), (two, DeleteNatGateway(nat_id())))
    assert Plan().steps == ()


def test_a_digest_depends_on_policy_requirements_resource_and_steps() -> None:
    base = digest("p", ("a", "b"), subnet_id(), (MAKE, WRITE))
    assert base == digest("p", ("b", "a"), subnet_id().upper(), (MAKE, WRITE))
    others = {
        digest("q", ("a", "b"), subnet_id(), (MAKE, WRITE)),
        digest("p", ("a",), subnet_id(), (MAKE, WRITE)),
        digest("p", ("a", "b"), subnet_id("x"), (MAKE, WRITE)),
        digest("p", ("a", "b"), subnet_id(), (WRITE, MAKE)),
        digest("p", ("a", "b"), subnet_id(), (replace(WRITE, to=Attachment(nat_gateway=nat_id("x"))),)),
        digest("p", ("a", "b"), subnet_id(), (replace(MAKE, tags={"x": "y"}),)),
        base,
    }
    assert len(others) == 7
    assert all(len(one) == 16 for one in others)


def test_a_digest_does_not_depend_on_the_case_of_ids() -> None:
    """Azure writes one id in several ways, and a person has approved what is done, not how it is spelled."""
    spelled = WriteSubnet(
        subnet_id().upper(), to=Attachment(nat_gateway=nat_id().upper()), was=Attachment(nat_gateway=None)
    )
    assert digest("p", ("a",), subnet_id(), (WRITE,)) == digest("p", ("a",), subnet_id(), (spelled,))
    tagged = replace(MAKE, tags={"Team": "Red"})
    assert digest("p", ("a",), OWN_GROUP, (tagged,)) != digest(
        "p", ("a",), OWN_GROUP, (replace(MAKE, tags={"Team": "red"}),)
    )


def test_a_plans_digest_depends_neither_on_order_nor_on_what_is_withheld() -> None:
    one, two = repair(MAKE), repair(WRITE)
    assert Plan((one, two)).digest == Plan((two, one)).digest
    assert Plan((one,)).digest != Plan((two,)).digest
    assert Plan((one,)).digest == Plan((replace(one, reason="other", old_addresses=("192.0.2.1",)),)).digest


def test_fingerprints_ignore_the_order_of_keys() -> None:
    assert fingerprint({"a": 1, "b": 2}) == fingerprint({"b": 2, "a": 1})
    assert fingerprint([1, 2]) != fingerprint([2, 1])


def test_reasons_name_a_gate() -> None:
    assert Reason(Gates.MODE, "audit").after is None
    assert len(set(Gates)) == len(Gates)
