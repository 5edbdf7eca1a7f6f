"""Where audits look: a network with who governs each of its subnets and what lives in them, for one reading of it."""

from collections.abc import Iterable, Iterator
from typing import Final

from msgspec import Struct

from governor.core import facts, ids
from governor.core.estate import Estate
from governor.core.occupancy import clusters_known, occupants
from governor.core.policy import Policies, Policy, Requirement
from governor.core.selection import Selected, Subject, Undecided, Ungoverned, by_network, select
from governor.core.subject import of_subnet, read_for, subject_of, within
from governor.core.verdict import Result, Verdict


class Audited(Struct, frozen=True):
    """What an audit found. missing: what must be read to know more, lists by name and resources by id."""

    verdicts: tuple[Verdict, ...] = ()
    missing: tuple[str, ...] = ()


NOTHING: Final = Audited()


class Ground(Struct, frozen=True):
    """A network. subjects: what each subnet is selected by, by its key, and the network itself under ""."""

    network: facts.VirtualNetwork
    estate: Estate
    policies: Policies
    subjects: dict[str, Subject]

    @property
    def subnets(self) -> tuple[facts.Subnet, ...]:
        return self.network.properties.subnets or ()

    def governs(self, subnet: str) -> Policy | None:
        """The key of a subnet in, the policy that governs it out, where it is known that one does."""
        answer = select(self.policies, self.subjects.get(subnet, self.subjects[""]))
        return answer.policy if isinstance(answer, Selected) else None

    def ask(self, resource: str, tags: facts.Tags | None, subnet: str) -> Selected | Undecided | Ungoverned:
        """Something that lives in a subnet, and its tags, in; who governs it out."""
        around = self.subjects.get(subnet, self.subjects[""])
        return select(self.policies, within(resource, tags, around))


def ground(network: facts.VirtualNetwork, using: dict[str, list[str]], estate: Estate, policies: Policies) -> Ground:
    """A network and the clusters that use subnets in, what audits need to know of it and its subnets out."""
    about = subject_of(network, estate)
    subjects = {"": about}
    if not by_network(policies):
        listed = clusters_known(network, estate)
        for subnet in network.properties.subnets or ():
            key = ids.key(subnet.id)
            kinds = occupants(subnet, using.get(key), estate).kinds if listed else None
            subjects[key] = of_subnet(subnet, kinds, about)
    return Ground(network, estate, policies, subjects)


def undecided(answer: Undecided, resource: str, requirement: Requirement) -> Audited:
    """Something of which it is not known who governs it in, what is to be said and read out."""
    why = f"policy {answer.policy.name} may govern it; not read: {', '.join(answer.missing)}"
    told = Verdict(resource, requirement, Result.UNKNOWN, seen=why)
    return Audited((told,), read_for(answer.missing, resource))


def together(parts: Iterable[Audited]) -> Audited:
    """What several audits found in, all of it out."""
    verdicts: list[Verdict] = []
    missing: dict[str, None] = {}
    for part in parts:
        verdicts += part.verdicts
        missing.update(dict.fromkeys(part.missing))
    return Audited(tuple(verdicts), tuple(missing))


def configurations(subnet: facts.Subnet) -> tuple[facts.Ref, ...]:
    """A subnet in, all ip configurations in it out, those of application gateways too."""
    properties = subnet.properties
    return (*(properties.ip_configurations or ()), *(properties.application_gateway_ip_configurations or ()))


def lodgers(subnet: facts.Subnet) -> Iterator[str]:
    """A subnet in, the ids of the resources that have an ip configuration in it out."""
    return (ids.top_level(ref.id) for ref in configurations(subnet) if ids.kind(ref.id))
