"""What steps on public addresses do to the facts: `known` is changed as Azure would, or it is said why not."""

from typing import assert_never

from msgspec.structs import replace

from governor.core import facts, ids
from governor.core.address_step import AddressStep, DeleteAddress, WriteInterface, WriteTag
from governor.core.estate import AnyFact
from governor.core.holder import is_unattached

Known = dict[str, AnyFact]


def write(step: AddressStep, known: Known, absent: set[str]) -> str | None:
    """A step in; what changed is in `known`, and what is gone in `absent`."""
    key = ids.key(step.target)
    fact = known.get(key)
    match step:
        case WriteInterface():
            return _interface(step, known)
        case WriteTag():
            if not isinstance(fact, facts.PublicIp | facts.PublicIpPrefix | facts.NatGateway):
                return f"{ids.name(step.target)} does not exist"
            tags = {n: value for n, value in (fact.tags or {}).items() if n.casefold() != step.name.casefold()}
            known[key] = replace(fact, tags=tags if step.to is None else {**tags, step.name: step.to})
            return None
        case DeleteAddress():
            if isinstance(fact, facts.PublicIp | facts.PublicIpPrefix) and not is_unattached(fact):
                return f"{ids.name(step.target)} is still attached"
            known.pop(key, None)
            absent.add(key)
            return None
        case _:
            assert_never(step)


def _interface(step: WriteInterface, known: Known) -> str | None:
    nic = known.get(ids.key(step.target))
    if not isinstance(nic, facts.NetworkInterface):
        return f"network interface {ids.name(step.target)} does not exist"
    configurations = []
    for one in nic.properties.ip_configurations or ():
        to = step.to.get(one.name, "")
        if to == "":
            configurations.append(one)
            continue
        if to is not None and (why := _taken(to, known)):
            return why
        old = one.properties.public_ip_address
        _attach(old.id if old else None, None, known)
        _attach(to, one.id, known)
        ref = facts.Ref(to) if to else None
        configurations.append(replace(one, properties=replace(one.properties, public_ip_address=ref)))
    properties = replace(nic.properties, ip_configurations=tuple(configurations))
    known[ids.key(step.target)] = replace(nic, properties=properties)
    return None


def _taken(address: str, known: Known) -> str | None:
    fact = known.get(ids.key(address))
    if not isinstance(fact, facts.PublicIp):
        return f"public IP address {ids.name(address)} does not exist"
    return None if is_unattached(fact) else f"public IP address {ids.name(address)} is in use"


def _attach(address: str | None, to: str | None, known: Known) -> None:
    """What an address shows of who has it."""
    fact = known.get(ids.key(address)) if address else None
    if isinstance(fact, facts.PublicIp):
        held = facts.Ref(to) if to else None
        known[ids.key(fact.id)] = replace(fact, properties=replace(fact.properties, ip_configuration=held))
