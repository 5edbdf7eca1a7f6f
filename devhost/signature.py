"""A Python function and its bindings in, how to call it out; or why the worker would not load it."""

import inspect
import types
import typing
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import azure.functions as func

from devhost.converters import converter_of_input, converter_of_output
from devhost.settings import StartError


@dataclass(frozen=True)
class Param:
    """One argument: which converter makes it, and the annotated type."""

    binding: str
    pytype: object


@dataclass(frozen=True)
class Signature:
    """How the worker calls a function."""

    trigger: str
    takes: Param
    outputs: Mapping[str, Param]
    returns: Param | None
    wants_context: bool
    is_async: bool


def read(name: str, function: Callable[..., Any], bindings: list[dict[str, Any]]) -> Signature:
    """Checks parameters, annotations and bindings against each other as the worker does when it loads a function."""
    try:
        hints = typing.get_type_hints(function)
    except NameError as error:
        raise _refused(name, f"an annotation cannot be resolved: {error}") from error
    params = set(inspect.signature(function).parameters)
    bound = {str(binding["name"]): binding for binding in bindings if binding["name"] != "$return"}
    wants_context = "context" in params and "context" not in bound
    if wants_context:
        params.discard("context")
        annotation = hints.get("context", func.Context)
        if getattr(annotation, "__name__", "") != "Context":
            raise _refused(name, f"'context' must be azure.functions.Context, not {annotation!r}")
    if params - set(bound):
        raise _refused(name, f"parameters without a binding: {', '.join(sorted(params - set(bound)))}")
    if set(bound) - params:
        raise _refused(name, f"bindings without a parameter: {', '.join(sorted(set(bound) - params))}")
    taken = {key: binding for key, binding in bound.items() if binding["direction"] != "OUT"}
    if len(taken) != 1:
        raise _refused(name, f"expected one trigger and no other input binding, found {len(taken)}")
    trigger, binding = taken.popitem()
    returned = next((str(each["type"]) for each in bindings if each["name"] == "$return"), None)
    return Signature(
        trigger=trigger,
        takes=_input(name, trigger, str(binding["type"]), hints),
        outputs={key: _output(name, key, str(bound[key]["type"]), hints) for key in bound if key != trigger},
        returns=None if returned is None else Param(returned, _return_type(name, returned, hints)),
        wants_context=wants_context,
        is_async=inspect.iscoroutinefunction(function),
    )


def _input(name: str, key: str, binding: str, hints: dict[str, Any]) -> Param:
    if key not in hints:
        return Param(binding, None)
    annotation = hints[key]
    if typing.get_origin(annotation) is func.Out:
        raise _refused(name, f"'{key}' is an input, but annotated azure.functions.Out")
    if not isinstance(annotation, type):
        raise _refused(name, f"'{key}' is annotated {annotation!r}, which is not a type")
    kind = "generic" if annotation in (str, bytes) else binding
    if not converter_of_input(kind).check_input_type_annotation(annotation):
        raise _refused(name, f"'{key}' is annotated {annotation.__name__}, which does not fit {binding}")
    return Param(kind, annotation)


def _output(name: str, key: str, binding: str, hints: dict[str, Any]) -> Param:
    if key not in hints:
        return Param(binding, None)
    arguments = typing.get_args(hints[key])
    if typing.get_origin(hints[key]) is not func.Out or len(arguments) != 1:
        raise _refused(name, f"'{key}' is an output, so its annotation must be azure.functions.Out[...]")
    if isinstance(arguments[0], types.GenericAlias):
        raise _refused(name, f"'{key}' is annotated {hints[key]!r}; the worker knows typing.List[...], not list[...]")
    kind = "generic" if arguments[0] in (str, bytes) else binding
    if not converter_of_output(kind).check_output_type_annotation(arguments[0]):
        raise _refused(name, f"'{key}' is annotated {arguments[0]!r}, which does not fit {binding}")
    return Param(kind, arguments[0])


def _return_type(name: str, binding: str, hints: dict[str, Any]) -> object:
    if "return" not in hints:
        return None
    annotation = hints["return"]
    if not isinstance(annotation, type) or not converter_of_output(binding).check_output_type_annotation(annotation):
        raise _refused(name, f"the return annotation {annotation!r} does not fit {binding}")
    return annotation


def _refused(name: str, why: str) -> StartError:
    return StartError(f"cannot load the {name} function: {why}")
