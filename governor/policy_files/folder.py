"""A folder of policy files in, the Policies out, or everything that is wrong with them at once."""

import copy
from pathlib import Path as Folder
from typing import Any

import msgspec
from msgspec import Struct

from governor.core.policy import Policies, Policy
from governor.policy_files import contradictions
from governor.policy_files.documents import Document, read
from governor.policy_files.errors import Path, PolicyError, PolicyErrors
from governor.policy_files.shape import misfits, schema

DEFAULTS = "defaults.yaml"
CASES = ".cases.yaml"
_TENANT = frozenset({"tenant", "rings", "arrivalDays", "exemptionTags"})
# What the language itself gives for mappings that are inherited key by key, beneath defaults.yaml.
_BUILT_IN: dict[str, Any] = {"egress": {"delegations": msgspec.to_builtins(Policy("nameless").egress.delegations)}}


class _Read(Struct):
    """All documents of a folder with a right shape, and what is wrong so far."""

    policies: list[Document]
    defaults: Document | None
    errors: list[PolicyError]


def load(folder: Folder) -> Policies:
    """A folder in, its Policies out; PolicyErrors holds everything that is wrong."""
    found = _read(folder)
    defaults = found.defaults.value if found.defaults else {}
    own, shared = _parted(defaults)
    inherited = merged(_BUILT_IN, shared)
    policies = []
    for document in found.policies:
        given = merged(inherited, {"name": "nameless", **_parted(document.value)[1]})
        if policy := _converted(given, Policy, document, found):
            policies.append(policy)
            for complaint in contradictions.of_policy(policy, given):
                found.errors.append(_placed(complaint.path, complaint.message, document, found.defaults))
    tenant = _converted(own, Policies, found.defaults, found) if found.defaults else Policies()
    if tenant and found.defaults:
        found.errors += [found.defaults.error(one.path, one.message) for one in contradictions.of_tenant(tenant)]
    if found.errors or tenant is None:
        raise PolicyErrors(found.errors)
    return msgspec.structs.replace(tenant, policies=tuple(policies))


def merged(below: dict[str, Any], above: dict[str, Any], path: Path = ()) -> dict[str, Any]:
    """What is inherited and what is given in, both out: mappings key by key, everything else as given."""
    exclusive = contradictions.ALTERNATIVES.get(path, ())
    chosen = any(above.get(key) is not None for key in exclusive)
    result = {
        key: copy.deepcopy(value)
        for key, value in below.items()
        if not (chosen and key in exclusive and key not in above)
    }
    for key, value in above.items():
        inner = result.get(key)
        both = isinstance(value, dict) and isinstance(inner, dict)
        result[key] = merged(inner or {}, value, (*path, key)) if both else value
    return result


def _parted(value: dict[str, Any]) -> tuple[dict[str, Any], dict[str, Any]]:
    """A document in, the keys about the tenant and those about policies out."""
    own = {key: part for key, part in value.items() if key in _TENANT}
    return own, {key: part for key, part in value.items() if key not in _TENANT}


def _read(folder: Folder) -> _Read:
    found = _Read([], None, [])
    if not folder.is_dir():
        raise PolicyErrors([PolicyError(str(folder), 1, "", "expected a folder of policy files")])
    for file in sorted(folder.iterdir()):
        if file.name.endswith(CASES) or not file.is_file():
            continue
        if file.suffix == ".yml":
            found.errors.append(PolicyError(file.name, 1, "", "only files that end in .yaml are policies"))
        if file.suffix != ".yaml":
            continue
        documents, errors = read(file.name, file.read_bytes())
        found.errors += errors
        for document in documents:
            _sort_in(document, found)
    if not (found.policies or found.errors):
        raise PolicyErrors([PolicyError(str(folder), 1, "", "there is no policy in this folder")])
    return found


def _sort_in(document: Document, found: _Read) -> None:
    """One document in, put where it belongs if its shape is right; what is wrong about it is noted."""
    wrong = _misfits(document)
    value = document.value
    if wrong or not isinstance(value, dict):
        found.errors += wrong
    elif document.file != DEFAULTS:
        found.errors += [document.error((key,), f"belongs into {DEFAULTS}") for key in sorted(_TENANT & value.keys())]
        found.errors += _name(document, found)
        found.policies.append(document)
    elif found.defaults is not None:
        found.errors.append(document.error((), "there can be only one document of defaults"))
    else:
        if "name" in value:
            found.errors.append(document.error(("name",), "defaults have no name; every policy inherits them"))
        found.defaults = document


def _name(document: Document, found: _Read) -> list[PolicyError]:
    name = document.value.get("name")
    if name is None:
        return [document.error((), "the key 'name' is missing")]
    for other in found.policies:
        if other.value.get("name") == name:
            where = f"{other.file}:{other.lines[('name',)]}"
            return [document.error(("name",), f"another policy has the name {name!r}: {where}")]
    return []


def _misfits(document: Document) -> list[PolicyError]:
    """The shape of one document. The model is asked first: it is quick, and files are right most of the time."""
    value = document.value
    if isinstance(value, dict):
        own, rest = _parted(value)
        try:
            msgspec.convert(own, Policies)
            msgspec.convert({"name": "nameless", **rest}, Policy)
        except msgspec.ValidationError:
            pass
        else:
            return []
    return [document.error(one.path, one.message) for one in misfits(value, schema())]


def _converted(value: dict[str, Any], kind: Any, document: Document, found: _Read) -> Any:
    try:
        return msgspec.convert(value, kind)
    except msgspec.ValidationError as error:
        found.errors.append(document.error((), str(error)))
        return None


def _placed(path: Path, message: str, document: Document, defaults: Document | None) -> PolicyError:
    """Where a contradiction stands: in the policy if it wrote that key, else in the defaults if they did."""
    if path not in document.lines and defaults is not None and path in defaults.lines:
        return defaults.error(path, message)
    return document.error(path, message)
