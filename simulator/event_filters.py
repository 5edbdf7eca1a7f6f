"""Advanced filters of event subscriptions: what Event Grid takes of them, and which events pass them."""

from collections.abc import Callable, Iterator
from typing import TypeAlias

import msgspec

from simulator import errors
from simulator.wire import Body, text

MOST_FILTERS = MOST_VALUES = 25
"""Of one event subscription; the values of all its filters are counted together."""
LONGEST_VALUE = 512

Test: TypeAlias = Callable[[str, str], bool]

_TEXTS: dict[str, Test] = {
    "stringcontains": lambda found, wanted: wanted in found,
    "stringbeginswith": lambda found, wanted: found.startswith(wanted),
    "stringendswith": lambda found, wanted: found.endswith(wanted),
    "stringin": lambda found, wanted: found == wanted,
}
_NUMBERS: dict[str, Callable[[float, float], bool]] = {
    "numberin": lambda found, wanted: found == wanted,
    "numberlessthan": lambda found, wanted: found < wanted,
    "numberlessthanorequals": lambda found, wanted: found <= wanted,
    "numbergreaterthan": lambda found, wanted: found > wanted,
    "numbergreaterthanorequals": lambda found, wanted: found >= wanted,
}
_NEGATIONS = {
    "stringnotcontains": "stringcontains",
    "stringnotbeginswith": "stringbeginswith",
    "stringnotendswith": "stringendswith",
    "stringnotin": "stringin",
    "numbernotin": "numberin",
    "numbernotinrange": "numberinrange",
}
_PASSES_WITHOUT_KEY = ("stringnotin", "numbernotin", "numbernotinrange", "isnullorundefined")
_OF_ONE_VALUE = ("boolequals", *(name for name in _NUMBERS if name != "numberin"))
_OF_NO_VALUE = ("isnullorundefined", "isnotnull")


class AdvancedFilter(msgspec.Struct, frozen=True):
    """One filter: an event passes when one of `values` fits what it has under `key`. Names are in lower case."""

    operator: str
    key: tuple[str, ...]
    values: tuple[object, ...]
    in_arrays: bool = False

    def passes(self, payload: Body) -> bool:
        """An event as it is delivered in, whether it passes out. What is missing passes no positive filter."""
        found = _under(payload, self.key)
        if self.operator == "isnotnull":
            return found is not None
        if found is None or self.operator == "isnullorundefined":
            return found is None and self.operator in _PASSES_WITHOUT_KEY
        several = found if self.in_arrays and isinstance(found, list) else [found]
        positive = _NEGATIONS.get(self.operator, self.operator)
        fits = any(_fits(positive, one, value) for one in several for value in self.values)
        if positive == self.operator:
            return fits
        kind = str if positive.startswith("string") else float
        return not fits and all(_is(kind, one) for one in several)


def advanced_filters(chosen: Body) -> tuple[AdvancedFilter, ...]:
    """What an event subscription says under `filter` in, its advanced filters out; refused beyond the limits."""
    said = chosen.get("advancedFilters")
    if said is None:
        return ()
    if not isinstance(said, list) or not all(isinstance(one, dict) for one in said):
        raise invalid("The advanced filters of an event subscription must be an array of JSON objects.")
    if len(said) > MOST_FILTERS:
        raise invalid(f"The maximum number of advanced filters allowed on an event subscription is {MOST_FILTERS}.")
    filters = tuple(_read(one, in_arrays=chosen.get("enableAdvancedFilteringOnArrays") is True) for one in said)
    if sum(len(one.values) for one in filters) > MOST_VALUES:
        raise invalid(f"The maximum number of values allowed on all advanced filters is {MOST_VALUES}.")
    return filters


def invalid(why: str) -> errors.ArmError:
    """What Event Grid says of a body it does not take."""
    return errors.ArmError(400, "InvalidRequest", why)


def _read(said: Body, *, in_arrays: bool) -> AdvancedFilter:
    name, key = text(said.get("operatorType")), text(said.get("key"))
    operator = name.lower()
    known = {*_TEXTS, *_NUMBERS, *_NEGATIONS, *_OF_ONE_VALUE, *_OF_NO_VALUE, "numberinrange"}
    if operator not in known:
        raise invalid(f"The operator type '{name}' of an advanced filter is not supported.")
    if not key or not all(key.split(".")):
        raise invalid(f"The key '{key}' of an advanced filter is not valid.")
    values = tuple(_values(operator, said))
    for value in values:
        if not _is_value(operator, value):
            raise invalid(f"The value {value!r} does not fit the operator type '{name}' of an advanced filter.")
        if isinstance(value, str) and len(value) > LONGEST_VALUE:
            raise invalid(f"The maximum length of a value of an advanced filter is {LONGEST_VALUE}.")
    if not values and operator not in _OF_NO_VALUE:
        raise invalid(f"The advanced filter on '{key}' has no values.")
    return AdvancedFilter(operator, tuple(key.lower().split(".")), values, in_arrays)


def _values(operator: str, said: Body) -> Iterator[object]:
    if operator in _OF_NO_VALUE:
        return
    if operator in _OF_ONE_VALUE:
        yield said.get("value")
        return
    values = said.get("values")
    if not isinstance(values, list):
        raise invalid("The values of an advanced filter must be an array.")
    yield from values


def _is_value(operator: str, value: object) -> bool:
    if operator == "boolequals":
        return isinstance(value, bool)
    if operator.endswith("inrange"):
        return isinstance(value, list) and len(value) == 2 and all(_is(float, bound) for bound in value)
    return _is(str if operator.startswith("string") else float, value)


def _is(kind: type, value: object) -> bool:
    """Whether a value is a text or a number; true and false are no numbers."""
    return isinstance(value, str) if kind is str else isinstance(value, int | float) and not isinstance(value, bool)


def _fits(operator: str, found: object, wanted: object) -> bool:
    """A positive operator on one value of an event and one of the filter; values of another kind never fit."""
    if operator == "boolequals":
        return isinstance(found, bool) and found is wanted
    if isinstance(found, str) and isinstance(wanted, str):
        return operator in _TEXTS and _TEXTS[operator](found.casefold(), wanted.casefold())
    if isinstance(found, int | float) and not isinstance(found, bool):
        if operator == "numberinrange" and isinstance(wanted, list):
            return bool(wanted[0] <= found <= wanted[1])
        return operator in _NUMBERS and isinstance(wanted, int | float) and _NUMBERS[operator](found, wanted)
    return False


def _under(payload: object, key: tuple[str, ...]) -> object:
    """What stands under a key; member names with dots in them cannot be reached."""
    for part in key:
        if not isinstance(payload, dict):
            return None
        payload = next((value for name, value in payload.items() if name.lower() == part), None)
    return payload
