"""Secrets of Key Vault: a reference in a policy in, which secret it names out; texts that nobody may see.

`@keyvault:VAULT/NAME`, or the address of the secret after `@keyvault:`; either with `/VERSION`.
"""

import re
from collections.abc import Iterable
from typing import Final
from urllib.parse import unquote

from msgspec import Struct

from governor.core import evidence

PREFIX: Final = "@keyvault:"
SUFFIXES: Final = ("vault.azure.net", "vault.usgovcloudapi.net", "vault.azure.cn")
EXPECTED: Final = f"{PREFIX}VAULT/NAME or {PREFIX}https://VAULT.vault.azure.net/secrets/NAME, with /VERSION or without"
_VAULT: Final = r"(?P<vault>[A-Za-z](?:-?[A-Za-z0-9]){2,23})"
_SECRET: Final = r"(?P<name>[A-Za-z0-9-]{1,127})(?:/(?P<version>[0-9A-Fa-f]{32}))?"
_SHORT: Final = re.compile(rf"{_VAULT}/{_SECRET}")
_LONG: Final = re.compile(rf"https://{_VAULT}\.(?P<suffix>{'|'.join(map(re.escape, SUFFIXES))})/secrets/{_SECRET}")
_LIST: Final = "secret("


class Concealed:
    """A text that is compared and sent, never shown or stored: nothing prints it, and msgspec does not encode it."""

    __slots__ = ("_text",)

    def __init__(self, text: str) -> None:
        self._text = text

    def reveal(self) -> str:
        """The text itself, for whoever sends or compares it."""
        return self._text

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Concealed) and self._text == other._text

    def __hash__(self) -> int:
        return hash(self._text)

    def __repr__(self) -> str:
        return evidence.HIDDEN

    def __reduce__(self) -> str:
        raise TypeError("what is concealed is not stored")


class Reference(Struct, frozen=True):
    """A secret by name. version: "" is the newest. suffix: the cloud of its vault, "" where the policy names none."""

    vault: str
    name: str
    version: str = ""
    suffix: str = ""

    @property
    def named(self) -> str:
        """The text that a policy would say it with."""
        version = f"/{self.version}" if self.version else ""
        if self.suffix:
            return f"{PREFIX}https://{self.vault}.{self.suffix}/secrets/{self.name}{version}"
        return f"{PREFIX}{self.vault}/{self.name}{version}"

    @property
    def list_name(self) -> str:
        """The name of the list that holds nothing but this secret."""
        return f"{_LIST}{self.named.removeprefix(PREFIX)})"

    @property
    def shown(self) -> str:
        return f"secret {self.name} of vault {self.vault}"


class Secret(Struct, frozen=True):
    """A secret that was read: its version, and what it says. about: the name of its list."""

    about: str
    version: str
    value: Concealed


def is_reference(text: str) -> bool:
    """A value of a policy in, whether it is meant to name a secret out."""
    return text.startswith("@")


def reference(text: str) -> Reference | None:
    """A value of a policy in, the secret that it names out; None when it names none."""
    where = text.removeprefix(PREFIX)
    found = (_SHORT.fullmatch(where) or _LONG.fullmatch(where)) if text.startswith(PREFIX) else None
    if found is None:
        return None
    return Reference(**{name: part or "" for name, part in found.groupdict().items()})


def of_list(name: str) -> Reference | None:
    """The name of a list in, the secret that it holds out; None for every other list."""
    if not name.startswith(_LIST):
        return None
    return reference(f"{PREFIX}{name.removeprefix(_LIST).removesuffix(')')}")


def hide(text: str, values: Iterable[Concealed]) -> str:
    """What somebody says and what he must not say in; the same without that, or any part of it, out."""
    for value in values:
        whole = value.reveal()
        user_info = whole.rpartition("@")[0].rpartition("://")[2]
        password = user_info.partition(":")[2]
        for part in (whole, whole.rstrip("/"), user_info, unquote(user_info), password, unquote(password)):
            if part:
                text = text.replace(part, evidence.HIDDEN)
    return evidence.scrubbed(text)
