"""The proxy that a policy names: the policy and what was read in, what clusters are to be told and how they differ out.

Addresses may hold a password. They are compared in memory; what people see is SCHEME://HOST:PORT.
"""

import base64
import binascii
import re
from typing import Final

from msgspec import Struct
from msgspec.structs import replace

from governor.core import evidence
from governor.core.cluster import HttpProxy
from governor.core.estate import Estate
from governor.core.policy import ProxyPolicy
from governor.core.secret import Concealed, Secret, is_reference, of_list, reference

_SHOWN: Final = 3
_HTTP: Final = re.compile(r"http://\S+")
_EITHER: Final = re.compile(r"https?://\S+")
_PEM: Final = "-----BEGIN CERTIFICATE-----"


class Value(Struct, frozen=True):
    """named: as a step may say it, an address or a reference with its version. text: what it stands for."""

    named: str
    text: Concealed

    @property
    def shown(self) -> str:
        return evidence.masked(self.text.reveal())


class Wanted(Struct, frozen=True):
    """What a policy asks of a cluster. missing: secrets that were not read. wrong: one that is no proxy, in words."""

    http: Value | None = None
    https: Value | None = None
    trusted_ca: Value | None = None
    no_proxy: tuple[str, ...] = ()
    missing: tuple[str, ...] = ()
    wrong: str = ""

    @property
    def shown(self) -> str:
        """The proxy for people: that for https, which carries most."""
        return next((one.shown for one in (self.https, self.http) if one), "")

    @property
    def known(self) -> bool:
        return not (self.missing or self.wrong)


def wanted(asked: ProxyPolicy, estate: Estate) -> Wanted:
    """A policy's proxy and what was read in, what it stands for now out."""
    missing: list[str] = []
    wrong: list[str] = []
    found: dict[str, Value | None] = {}
    for name, given in (("http", asked.http), ("https", asked.https), ("trusted_ca", asked.trusted_ca)):
        one = _value(given, estate) if given else None
        if isinstance(one, str):
            missing.append(one)
            continue
        found[name] = one
        if one is None or given is None:
            continue
        if name == "trusted_ca":
            one = found[name] = certificate(one)
        if why := _unfit(name, one):
            named = reference(given)
            wrong.append(f"{named.shown if named else given} {why}")
    return Wanted(**found, no_proxy=asked.no_proxy, missing=tuple(missing), wrong="; ".join(wrong))


def _value(given: str, estate: Estate) -> Value | str:
    """What a policy says in; what it stands for, or the list that must be read to know it, out."""
    named = reference(given)
    if named is None:
        # A reference that is none is refused where policies are read.
        return given if is_reference(given) else Value(given, Concealed(given))
    secret = estate.secrets.get(named.list_name)
    return named.list_name if secret is None else value_of(secret)


def value_of(secret: Secret) -> Value:
    """A secret that was read in, what it stands for, named with its version, out."""
    named = of_list(secret.about)
    if named is None:
        raise ValueError(f"{secret.about} is no list of a secret")
    return Value(replace(named, version=secret.version).named, Concealed(secret.value.reveal().strip()))


def certificate(value: Value) -> Value:
    """A certificate as people keep it in, as AKS takes it out: PEM in base64."""
    said = value.text.reveal()
    return Value(value.named, Concealed(base64.b64encode(said.encode()).decode())) if said.startswith(_PEM) else value


def _unfit(name: str, value: Value) -> str:
    """Why a value is not what AKS takes there, "" when it is."""
    said = value.text.reveal()
    match name:
        case "trusted_ca":
            try:
                fits = _PEM.encode() in base64.b64decode(said, validate=True)
            except (ValueError, binascii.Error):
                fits = False
            return "" if fits else "is no certificate (PEM, or PEM in base64)"
        case "http":
            return "" if _HTTP.fullmatch(said) and value.shown != evidence.HIDDEN else "is no address http://HOST:PORT"
        case _:
            fits = bool(_EITHER.fullmatch(said)) and value.shown != evidence.HIDDEN
            return "" if fits else "is no address http://HOST:PORT or https://HOST:PORT"


def differs(there: HttpProxy | None, to: Wanted) -> tuple[str, ...]:
    """The proxy of a cluster, if it has one, and the wanted one in; what is other than it should be out."""
    if there is None or not there.is_on:
        return ("no proxy is configured" if there is None else "its proxy is turned off",)
    lacking = [one for one in to.no_proxy if one.casefold() not in there.past]
    more = f" and {len(lacking) - _SHOWN} more" if len(lacking) > _SHOWN else ""
    return (
        *_other("httpProxy", there.http_proxy, to.http),
        *_other("httpsProxy", there.https_proxy, to.https),
        *_ca(there.trusted_ca, to.trusted_ca),
        *((f"noProxy lacks {', '.join(lacking[:_SHOWN])}{more}",) if lacking else ()),
    )


def holds(there: HttpProxy | None, to: Wanted) -> bool:
    """Whether a cluster has the wanted proxy."""
    return to.known and not differs(there, to)


def _other(name: str, now: Concealed | None, to: Value | None) -> tuple[str, ...]:
    if to is None or (now is not None and now.reveal().rstrip("/") == to.text.reveal().rstrip("/")):
        return ()
    if now is None:
        return (f"{name} is not set",)
    shown = evidence.masked(now.reveal())
    return (f"{name} is {shown}{' with other credentials' if shown == to.shown else ''}",)


def _ca(now: Concealed | None, to: Value | None) -> tuple[str, ...]:
    if to is None or now == to.text:
        return ()
    return (f"trustedCa is {'not set' if now is None else 'another'}",)
