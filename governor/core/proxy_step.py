"""The write of an AKS cluster's proxy: raw bodies in and out.

A step names secrets and never holds one: who writes it reads them and fills them in (`filled`).
"""

import copy
from typing import Any, Final

from msgspec import Struct
from msgspec.structs import replace

from governor.core import evidence, ids
from governor.core.cluster_step import MOVING
from governor.core.secret import is_reference

Body = dict[str, Any]
_CONFIG: Final = ("properties", "httpProxyConfig")
_ADDRESSES: Final = ("httpProxy", "httpsProxy")


class Proxy(Struct, frozen=True, omit_defaults=True):
    """A proxy as a step may say it: addresses without credentials, and references with a version. None: untouched.

    shown: its addresses for people.
    """

    enabled: bool = True
    http: str | None = None
    https: str | None = None
    trusted_ca: str | None = None
    no_proxy: tuple[str, ...] = ()
    shown: tuple[str, ...] = ()

    @property
    def named(self) -> tuple[str, ...]:
        """The references in it."""
        return tuple(one for one in (self.http, self.https, self.trusted_ca) if one and is_reference(one))


OFF: Final = Proxy(enabled=False)


class WriteProxy(Struct, frozen=True, omit_defaults=True, tag="WriteProxy", tag_field="step"):
    """to, was: the proxy and the one that the plan saw. lost: what was there cannot be put back.

    without: entries of noProxy that are taken out; all others stay.
    """

    target: str
    to: Proxy
    was: Proxy = OFF
    lost: bool = False
    without: tuple[str, ...] = ()

    @property
    def inverse(self) -> "WriteProxy | None":
        """What takes it back; None where that would need what no record holds."""
        if self.lost:
            return None
        kept = {one.casefold() for one in self.was.no_proxy}
        added = tuple(one for one in self.to.no_proxy if one.casefold() not in kept)
        return WriteProxy(self.target, self.was, self.to, without=added)


def filled(step: WriteProxy, values: dict[str, str]) -> WriteProxy:
    """A write and what its references stand for in; the write to send, which is never stored, out."""
    to = step.to
    http, https, trusted_ca = (values.get(one, one) if one else one for one in (to.http, to.https, to.trusted_ca))
    return replace(step, to=replace(to, http=http, https=https, trusted_ca=trusted_ca))


def edited(step: WriteProxy, body: Body) -> Body:
    """A write that is filled in and the raw body of its cluster in, the wanted body out."""
    wanted = copy.deepcopy(body)
    properties: Body = wanted.setdefault("properties", {})
    config: Body = dict(properties.get("httpProxyConfig") or {})
    if step.to.enabled or _is_on(config):
        properties["httpProxyConfig"] = config
    if not step.to.enabled:
        if _is_on(config):
            config["enabled"] = False
        return wanted
    if config.get("enabled") is False:
        config["enabled"] = True
    for member, to in zip(("httpProxy", "httpsProxy", "trustedCa"), _given(step.to), strict=True):
        if to is not None and str(config.get(member) or "").rstrip("/") != to.rstrip("/"):
            config[member] = to
    gone = {one.casefold() for one in step.without}
    there = list(config.get("noProxy") or [])
    past = {str(one).casefold() for one in (*there, *(config.get("effectiveNoProxy") or []))} - gone
    kept = [one for one in there if str(one).casefold() not in gone]
    kept += [one for one in step.to.no_proxy if one.casefold() not in past]
    if kept != there:
        config["noProxy"] = kept
    return wanted


def _given(to: Proxy) -> tuple[str | None, ...]:
    if to.named:
        raise ValueError("a reference to a secret is never sent: it has to be filled in first")
    return to.http, to.https, to.trusted_ca


def conflict(step: WriteProxy, body: Body | None) -> str | None:
    """A write and the raw body of its cluster in; why it no longer fits what is there, in words, or None."""
    if body is None:
        return "the cluster is gone"
    now = shown(body)
    if now not in (step.was.shown, step.to.shown):
        return f"its proxy was {_say(step.was.shown)} when the plan was made and is {_say(now)} now"
    return None


def shown(body: Body) -> tuple[str, ...]:
    """The raw body of a cluster in, the addresses of its proxy for people out; none where it is turned off."""
    config = (body.get("properties") or {}).get("httpProxyConfig") or {}
    return tuple(evidence.masked(str(config[one])) for one in _ADDRESSES if config.get(one)) if _is_on(config) else ()


def gone(step: WriteProxy) -> str:
    """A write that cannot be taken back in, why, and what to do instead, out."""
    return (
        f"the proxy that {ids.name(step.target)} had ({_say(step.was.shown)}) cannot be put back: what it held is in "
        "no record; put it into the vault, and let the policy name that secret"
    )


def _is_on(config: Body) -> bool:
    return bool(config) and config.get("enabled") is not False


def _say(addresses: tuple[str, ...]) -> str:
    return " and ".join(dict.fromkeys(addresses)) or "none"


def intended(_: WriteProxy) -> frozenset[tuple[str, ...]]:
    """A write in, the paths of members that it, or AKS because of it, changes out."""
    return frozenset({_CONFIG}) | MOVING
