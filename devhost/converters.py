"""Binding type in, the converter that the Python worker would use out: azure-functions' own where it has one."""

import json
from collections.abc import Callable, Mapping
from typing import Protocol, cast

import azure.functions as func
from azure.functions.meta import Datum


class Input(Protocol):
    """Makes a function's argument of a trigger's data."""

    def check_input_type_annotation(self, pytype: object) -> bool: ...

    def decode(self, data: Datum, *, trigger_metadata: Mapping[str, Datum]) -> object: ...


class Output(Protocol):
    """Makes data for the host of what a function gave."""

    def check_output_type_annotation(self, pytype: object) -> bool: ...

    def encode(self, obj: object, *, expected_type: object) -> Datum: ...


class _Registry(Protocol):
    def get(self, binding_name: str) -> object | None: ...


class Generic:
    """What the worker does with arguments annotated str or bytes, and with bindings it has no converter for."""

    def check_input_type_annotation(self, pytype: object) -> bool:
        return isinstance(pytype, type) and issubclass(pytype, str | bytes)

    def check_output_type_annotation(self, pytype: object) -> bool:
        return isinstance(pytype, type) and issubclass(pytype, str | bytes | bytearray)

    def decode(self, data: Datum, *, trigger_metadata: Mapping[str, Datum]) -> object:
        if data.type in ("string", "bytes", "json", None):
            return cast(object, data.value)
        raise ValueError(f"data of type {data.type!r} does not fit a parameter annotated str or bytes")

    def encode(self, obj: object, *, expected_type: object) -> Datum:
        match obj:
            case None:
                return Datum(None, None)
            case str():
                return Datum(obj, "string")
            case bytes() | bytearray():
                return Datum(bytes(obj), "bytes")
            case dict() | list():
                return Datum(json.dumps(obj), "json")
            case int():
                return Datum(int(obj), "int")
            case float():
                return Datum(obj, "double")
            case _:
                raise NotImplementedError


_GENERIC = Generic()
_registry = cast(Callable[[], _Registry], func.get_binding_registry)


def converter_of_input(binding: str) -> Input:
    """The converter for a trigger's data; `generic` for what Microsoft's registry does not name."""
    return cast(Input, _registry().get(binding) or _GENERIC)


def converter_of_output(binding: str) -> Output:
    """The converter for an output's value."""
    return cast(Output, _registry().get(binding) or _GENERIC)


def decode(binding: str, data: Datum, metadata: Mapping[str, Datum]) -> object:
    """A trigger's data as the argument a function gets."""
    try:
        return converter_of_input(binding).decode(data, trigger_metadata=metadata)
    except NotImplementedError as error:
        raise TypeError(f"unable to decode {data.type} for a binding of type {binding}") from error


def encode(binding: str, value: object, pytype: object) -> Datum:
    """What a function gave, as data for the host."""
    try:
        return converter_of_output(binding).encode(value, expected_type=pytype)
    except NotImplementedError as error:
        kind = type(value).__name__
        raise TypeError(f"unable to encode a value of type {kind} for a binding of type {binding}") from error
