"""Tests of policies that an owner writes: `*.cases.yaml` in; Cases, or all that is wrong with them, out."""

import typing
from functools import cache
from pathlib import Path as Folder
from typing import Any, Literal

import msgspec
from msgspec import Struct, field

from governor.core.policy import Requirement
from governor.core.selection import matcher
from governor.core.step import Step
from governor.core.verdict import Result
from governor.policy_files.documents import Document, read
from governor.policy_files.errors import PolicyError, PolicyErrors
from governor.policy_files.shape import DIALECT, REF, Schema, misfits, nearest

STEPS = tuple(kind.__name__ for kind in typing.get_args(Step))


class Expected(Struct, frozen=True, rename="camel", forbid_unknown_fields=True):
    """A verdict that must be there. resource: an id, a glob, or the end of an id after `...`."""

    resource: str
    requirement: Requirement
    verdict: Result
    policy: str | None = None

    def about(self, resource_id: str) -> bool:
        """An id in, whether this is about it out."""
        glob = f"*{self.resource[3:]}" if self.resource.startswith("...") else self.resource
        return matcher((glob,))(resource_id)


class CaseEstate(Struct, frozen=True, rename="camel", forbid_unknown_fields=True):
    """What there is: a file of an estate, bodies as Azure Resource Manager sends them, or both."""

    include: str | None = None
    bodies: tuple[dict[str, Any], ...] = field(name="with", default=())


class Case(Struct, frozen=True, rename="camel", forbid_unknown_fields=True):
    """One story. plan: names of the steps, in order; after: what is found when they have been applied."""

    name: str
    estate: CaseEstate
    expect: tuple[Expected, ...] = ()
    plan: tuple[str, ...] | None = None
    after: Literal["compliant", "violation", "withheld"] | None = None
    source: str = ""


@cache
def case_schema() -> Schema:
    """The JSON Schema of a file of cases out."""
    (_,), parts = msgspec.json.schema_components((Case,), ref_template=REF + "{name}")
    parts["Case"]["properties"].pop("source")
    return {"$schema": DIALECT, "type": "array", "items": {"$ref": REF + "Case"}, "$defs": parts}


def load_cases(folder: Folder) -> tuple[Case, ...]:
    """A folder in, the cases of all its `*.cases.yaml` out, in the order in which they are written."""
    cases: list[Case] = []
    errors: list[PolicyError] = []
    for file in sorted(folder.glob("*.cases.yaml")):
        documents, wrong = read(file.name, file.read_bytes())
        errors += wrong
        for document in documents:
            wrong = tuple(document.error(one.path, one.message) for one in misfits(document.value, case_schema()))
            wrong = wrong or tuple(_contradictions(document, folder))
            errors += wrong
            cases += () if wrong else _cases(document, folder)
    if errors:
        raise PolicyErrors(errors)
    return tuple(cases)


def _cases(document: Document, folder: Folder) -> typing.Iterator[Case]:
    for index, value in enumerate(document.value):
        case = msgspec.convert(value, Case)
        included = case.estate.include and str(_included(case.estate.include, folder))
        yield msgspec.structs.replace(
            case,
            source=f"{document.file}:{document.lines[(index,)]}",
            estate=msgspec.structs.replace(case.estate, include=included),
        )


def _contradictions(document: Document, folder: Folder) -> typing.Iterator[PolicyError]:
    for index, value in enumerate(document.value):
        include = value["estate"].get("include")
        if include is not None and _included(include, folder) is None:
            message = f"there is no file {include!r} beside the folder of the cases or above it"
            yield document.error((index, "estate", "include"), message)
        for at, body in enumerate(value["estate"].get("with", ())):
            if not isinstance(body.get("id"), str):
                yield document.error((index, "estate", "with", at), "a body needs its `id`")
        for at, step in enumerate(value.get("plan") or ()):
            if step not in STEPS:
                yield document.error((index, "plan", at), f"there is no step {step!r}; {nearest(step, STEPS)}")


def _included(name: str, folder: Folder) -> Folder | None:
    """The file that a case includes: found from the folder of the cases upwards."""
    here = folder.resolve()
    return next((above / name for above in (here, *here.parents) if (above / name).is_file()), None)
