"""The shape of files: plain values and a JSON Schema in, what does not fit, in plain words, out."""

import difflib
from collections.abc import Iterable, Iterator
from functools import cache
from typing import Any

import msgspec

from governor.core.policy import Policies, Policy
from governor.policy_files.errors import Complaint, Path

Schema = dict[str, Any]
DIALECT = "https://json-schema.org/draft/2020-12/schema"
REF = "#/$defs/"
_WORDS = {
    "object": "keys with values",
    "array": "a list",
    "string": "text",
    "integer": "a whole number",
    "number": "a number",
    "boolean": "true or false",
}
_NOT_TEXT = frozenset(_WORDS.values()) - {_WORDS["string"]}


@cache
def schema() -> Schema:
    """The JSON Schema of policy files out: a policy's keys and, for defaults.yaml, the tenant's."""
    (_, _), parts = msgspec.json.schema_components((Policy, Policies), ref_template=REF + "{name}")
    policy, tenant = parts.pop("Policy"), parts.pop("Policies")
    own = {key: value for key, value in tenant["properties"].items() if key not in {"policies", "digest"}}
    policy["properties"]["controls"]["propertyNames"] = {"$ref": REF + "Requirement"}
    # Defaults of whole blocks only repeat those of their keys.
    for part in (policy, tenant, *parts.values()):
        for key in part.get("properties", {}).values():
            if isinstance(key.get("default"), dict):
                del key["default"]
    whole = {
        "$schema": DIALECT,
        "title": "A policy of Egress Governor, or the defaults that all of them inherit",
        "type": "object",
        "properties": policy["properties"] | own,
        "additionalProperties": False,
        "$defs": dict(sorted(parts.items())),
    }
    plain: Schema = msgspec.json.decode(msgspec.json.encode(whole))  # tuples become lists
    return plain


def misfits(value: object, against: Schema) -> tuple[Complaint, ...]:
    """Plain values and a JSON Schema in, everything that does not fit out."""
    from jsonschema import Draft202012Validator, FormatChecker

    validator = Draft202012Validator(against, format_checker=FormatChecker(("date",)))
    return tuple(complaint for error in validator.iter_errors(value) for complaint in _said(error, against))


def _said(error: Any, root: Schema) -> Iterator[Complaint]:
    path: Path = tuple(error.absolute_path)
    wanted, found = error.validator_value, error.instance
    match error.validator:
        case "additionalProperties":
            known = error.schema.get("properties", {})
            for key in (key for key in found if key not in known):
                yield Complaint((*path, key), f"unknown key; {nearest(key, known)}")
        case "required":
            missing = next((key for key in wanted if f"'{key}' is a required" in error.message), "")
            yield Complaint(path, f"the key {missing!r} is missing")
        case "enum" if "propertyNames" in error.absolute_schema_path:
            yield Complaint((*path, found), f"unknown name; {nearest(found, wanted)}")
        case "enum" if isinstance(found, str):
            yield Complaint(path, f"found {found!r}; {nearest(found, wanted)}")
        case "anyOf":
            yield from _closest(error, root)
        case "pattern":
            yield Complaint(path, f"expected kebab-case like corp-spokes, found {found!r}")
        case "minLength":
            yield Complaint(path, "must not be empty")
        case "maxLength":
            yield Complaint(path, f"expected at most {wanted} characters, found {len(found)}")
        case "minimum":
            yield Complaint(path, f"expected at least {wanted}, found {found}")
        case "maximum":
            yield Complaint(path, f"expected at most {wanted}, found {found}")
        case "format":
            yield Complaint(path, f"expected a date like 2027-03-31, found {found!r}")
        case _:
            yield Complaint(path, _instead(_expected(error.schema, root), found))


def _closest(error: Any, root: Schema) -> Iterator[Complaint]:
    """What is wrong with the one alternative that is of the right kind, or that none is."""
    by_branch: dict[int, list[Any]] = {}
    for inner in error.context:
        by_branch.setdefault(inner.relative_schema_path[0], []).append(inner)
    meant = [inner for inner in by_branch.values() if not _of_another_kind(inner, len(error.absolute_path))]
    if len(meant) == 1:
        for inner in meant[0]:
            yield from _said(inner, root)
    else:
        yield Complaint(tuple(error.absolute_path), _instead(_expected(error.schema, root), error.instance))


def _of_another_kind(errors: Iterable[Any], depth: int) -> bool:
    return any(
        len(inner.absolute_path) == depth
        and (inner.validator == "type" or (inner.validator == "enum" and not isinstance(inner.instance, str)))
        for inner in errors
    )


def _expected(part: Schema, root: Schema) -> str:
    if "$ref" in part:
        return _expected(root["$defs"][part["$ref"].removeprefix(REF)], root)
    if "anyOf" in part:
        words = [_expected(one, root) for one in part["anyOf"] if one.get("type") != "null"]
        return " or ".join(dict.fromkeys(words))
    if "enum" in part:
        return _any_of(part["enum"])
    return _WORDS.get(part.get("type", ""), "something else")


def _any_of(names: Iterable[object]) -> str:
    *others, last = [str(name) for name in names]
    return f"{', '.join(others)} or {last}" if others else last


def nearest(name: str, known: Iterable[str]) -> str:
    """A name that nobody knows in, the known one that was probably meant, or all of them, out."""
    known = sorted(known)
    lower = {one.casefold(): one for one in known}
    close = difflib.get_close_matches(name.casefold(), lower, n=1)
    return f"did you mean {lower[close[0]]}?" if close else f"expected {_any_of(known)}"


def _instead(expected: str, found: object) -> str:
    match found:
        case None:
            shown = "nothing"
        case dict():
            shown = _WORDS["object"]
        case list():
            shown = _WORDS["array"]
        case str():
            shown = repr(found)
        case _:
            # 1234 and true are no text in YAML, and people who write a tag's value do not see that.
            hint = "" if expected in _NOT_TEXT else " (text needs quotes)"
            shown = f"{found}".lower() + hint
    return f"expected {expected}, found {shown}"
