"""Edits of what is kept in Azure Policy, as values: raw bodies in, wanted bodies out."""

import copy
from typing import Any

from msgspec import Struct

from governor.core import ids

Body = dict[str, Any]
_METADATA = "metadata"
_COUNTED = (
    "metadata",
    "version",
    "versions",
    "instanceId",
    "definitionVersion",
    "latestDefinitionVersion",
    "effectiveDefinitionVersion",
)


class WriteAzurePolicy(Struct, frozen=True, tag="WriteAzurePolicy", tag_field="step"):
    """Members of the properties of a definition, assignment or exemption; None: it is not there.

    was: what the plan saw of those members; anything else there makes the step stale.
    """

    target: str
    to: Body | None
    was: Body | None = None


def edited(step: WriteAzurePolicy, body: Body | None) -> Body | None:
    """A step and the raw body of its target in, the wanted body out (None: absent)."""
    if step.to is None:
        return None
    if body is None:
        return {"properties": merged({}, step.to)}
    if holds(step.to, properties_of(body)):
        return body
    wanted = copy.deepcopy(body)
    wanted["properties"] = merged(properties_of(wanted), step.to)
    return wanted


def conflict(step: WriteAzurePolicy, body: Body | None) -> str | None:
    """A step and the raw body of its target in; why it no longer fits what is there, in words, or None."""
    if body is None:
        return None if step.was is None or step.to is None else f"{ids.name(step.target)} is gone"
    there = properties_of(body)
    if step.to is not None and holds(step.to, there):
        return None
    if step.was is None:
        return f"somebody has made {ids.name(step.target)} meanwhile" if step.to is not None else None
    if holds(step.was, there):
        return None
    return f"{', '.join(differing(step.was, there))} of {ids.name(step.target)} changed since the plan was made"


def inverse(step: WriteAzurePolicy) -> WriteAzurePolicy:
    """A step in, the step that takes it back out."""
    return WriteAzurePolicy(step.target, step.was, step.to)


def intended(step: WriteAzurePolicy) -> frozenset[tuple[str, ...]]:
    """A step in, the paths of members it means to change out; who wrote last, and the version, Azure counts itself."""
    return frozenset(("properties", name) for name in (*(step.to or {}), *_COUNTED))


def merged(properties: Body, to: Body) -> Body:
    """Properties and the members to write in, the properties afterwards out; metadata of others stays."""
    kept = properties.get(_METADATA)
    metadata = {**(kept if isinstance(kept, dict) else {}), **to.get(_METADATA, {})}
    found = {**properties, **{name: value for name, value in to.items() if name != _METADATA}}
    if metadata:
        found[_METADATA] = {name: value for name, value in metadata.items() if value is not None}
    return {name: value for name, value in found.items() if value is not None}


def holds(to: Body, properties: Body) -> bool:
    return not differing(to, properties)


def differing(to: Body, properties: Body) -> tuple[str, ...]:
    """Wanted members and properties in, the names of the members that are other than wanted out."""
    return tuple(name for name, value in to.items() if not _same(name, value, properties.get(name)))


def seen_of(to: Body, properties: Body) -> Body:
    """Wanted members and properties in, what stands there of those members now out."""
    found = {name: properties.get(name) for name in to}
    if isinstance(wanted := to.get(_METADATA), dict):
        there = properties.get(_METADATA)
        found[_METADATA] = {name: (there if isinstance(there, dict) else {}).get(name) for name in wanted}
    return found


def properties_of(body: Body) -> Body:
    found = body.get("properties")
    return found if isinstance(found, dict) else {}


def _same(name: str, wanted: Any, there: Any) -> bool:
    if name == _METADATA and isinstance(wanted, dict):
        shown = there if isinstance(there, dict) else {}
        return all(shown.get(one) == value for one, value in wanted.items())
    if isinstance(wanted, str) and isinstance(there, str) and wanted.startswith("/"):
        return ids.same(wanted, there)
    return bool(wanted == there) or (wanted in (None, [], {}) and there in (None, [], {}))
