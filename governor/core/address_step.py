"""Edits of what holds or is a public address, as values: raw bodies in, wanted bodies out."""

import copy
from typing import Any, Final

from msgspec import Struct

from governor.core import ids

Body = dict[str, Any]
# Since when an address is in quarantine, as an ISO date: nobody uses it, and nobody has missed it so far.
QUARANTINE: Final = "egress-governor-quarantine"
_HOLDERS: Final = ("ipConfiguration", "natGateway", "loadBalancerFrontendIpConfiguration", "publicIPAddresses")


class WriteInterface(Struct, frozen=True, omit_defaults=True, tag="WriteInterface", tag_field="step"):
    """The public addresses of an interface, by name of its ip configuration; None is none. The machine keeps running.

    was: what the plan saw; anything else there makes the step stale. lost: numbers that Azure takes back when a dynamic
    address comes off, so that an undo may bring others.
    """

    target: str
    to: dict[str, str | None]
    was: dict[str, str | None]
    lost: tuple[str, ...] = ()


class WriteTag(Struct, frozen=True, tag="WriteTag", tag_field="step"):
    """One tag of an address or prefix; None is none."""

    target: str
    name: str
    to: str | None
    was: str | None = None


class DeleteAddress(Struct, frozen=True, tag="DeleteAddress", tag_field="step"):
    """An address or prefix that has been in quarantine for its time goes for good."""

    target: str


AddressStep = WriteInterface | WriteTag | DeleteAddress


def edited(step: AddressStep, body: Body | None) -> Body | None:
    """A step and the raw body of its target in, the wanted body out (None: absent)."""
    if body is None or isinstance(step, DeleteAddress):
        return None
    wanted = copy.deepcopy(body)
    if isinstance(step, WriteTag):
        tags = {name: value for name, value in (wanted.get("tags") or {}).items() if not _is(name, step.name)}
        if step.to is not None:
            tags[step.name] = step.to
        if tags != (wanted.get("tags") or {}):
            wanted["tags"] = tags
        return wanted
    for configuration in _configurations(wanted):
        name = configuration.get("name", "")
        if name not in step.to or _same(_address(configuration), step.to[name]):
            continue
        properties = configuration.setdefault("properties", {})
        address = step.to[name]
        if address is None:
            properties.pop("publicIPAddress", None)
        else:
            properties["publicIPAddress"] = {"id": address}
    return wanted


def conflict(step: AddressStep, body: Body | None) -> str | None:
    """A step and the raw body of its target in; why it no longer fits what is there, in words, or None."""
    match step:
        case WriteInterface():
            return "the network interface is gone" if body is None else _other_address(step, body)
        case WriteTag():
            if body is None:
                return "the address is gone"
            now = _tag(body, step.name)
            if step.to is not None and _held(body):
                return "somebody uses the address again"
            return None if now in (step.was, step.to) else f"tag {step.name} was {step.was} and is {now} now"
        case DeleteAddress():
            if body is None:
                return None
            if _held(body):
                return "somebody uses the address again"
            return "somebody has ended its quarantine" if _tag(body, QUARANTINE) is None else None


def inverse(step: AddressStep) -> AddressStep | None:
    """A step in, the step that takes it back out; what is deleted is lost."""
    match step:
        case WriteInterface():
            return WriteInterface(step.target, step.was, step.to)
        case WriteTag():
            return WriteTag(step.target, step.name, step.was, step.to)
        case DeleteAddress():
            return None


def intended(step: AddressStep) -> frozenset[tuple[str, ...]]:
    """A step in, the paths of members it means to change out."""
    match step:
        case WriteInterface():
            return frozenset({("properties", "ipConfigurations", "*", "properties", "publicIPAddress")})
        case WriteTag():
            return frozenset({("tags",)})
        case DeleteAddress():
            return frozenset()


def _other_address(step: WriteInterface, body: Body) -> str | None:
    now = {one.get("name", ""): _address(one) for one in _configurations(body)}
    for name, to in step.to.items():
        if name not in now:
            return f"ip configuration {name} is gone"
        was, found = step.was.get(name), now[name]
        if not _same(found, was) and not _same(found, to):
            return f"the address of {name} was {_show(was)} when the plan was made and is {_show(found)} now"
    return None


def _configurations(body: Body) -> list[Body]:
    return (body.get("properties") or {}).get("ipConfigurations") or []


def _address(configuration: Body) -> str | None:
    given = (configuration.get("properties") or {}).get("publicIPAddress")
    return given.get("id") if given else None


def _tag(body: Body, name: str) -> str | None:
    return next((value for key, value in (body.get("tags") or {}).items() if _is(key, name)), None)


def _is(name: str, other: str) -> bool:
    """Azure keeps the case of a tag's name, and looks for it without."""
    return name.casefold() == other.casefold()


def _held(body: Body) -> bool:
    properties = body.get("properties") or {}
    return any(properties.get(member) for member in _HOLDERS)


def _same(one: str | None, other: str | None) -> bool:
    return one == other or (one is not None and other is not None and ids.same(one, other))


def _show(address: str | None) -> str:
    return ids.name(address) if address else "absent"
