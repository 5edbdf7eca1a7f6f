"""How conditions of policy rules compare: an operator, a value and its target in, whether it holds out."""

import re

from simulator.policy_expressions import as_text, member

OPERATORS = {
    name.lower(): name
    for name in (
        "Equals",
        "NotEquals",
        "In",
        "NotIn",
        "Like",
        "NotLike",
        "Contains",
        "NotContains",
        "ContainsKey",
        "NotContainsKey",
        "Exists",
        "Greater",
        "GreaterOrEquals",
        "Less",
        "LessOrEquals",
    )
}
"""The modelled operators, as a refusal writes them."""
UNMODELLED = ("match", "notmatch", "matchinsensitively", "notmatchinsensitively")


def holds(operator: str, value: object, target: object) -> bool:
    """Texts compare without regard to case, truth values and numbers as their texts; what is missing equals nothing."""
    match operator:
        case "equals":
            return _same(value, target)
        case "in":
            return isinstance(target, list) and any(_same(value, each) for each in target)
        case "like":
            return isinstance(value, str) and _like(value, as_text(target))
        case "contains":
            return _contains(value, target)
        case "containskey":
            return isinstance(value, dict) and member(value, target) is not None
        case "exists":
            return (value is not None) == (as_text(target).lower() == "true")
        case "greater" | "greaterorequals" | "less" | "lessorequals":
            return _ordered(operator, value, target)
        case _:
            return not holds(operator.removeprefix("not"), value, target)


def _same(value: object, target: object) -> bool:
    if value is None or target is None or isinstance(value, dict | list) or isinstance(target, dict | list):
        return value is not None and value == target
    return as_text(value).casefold() == as_text(target).casefold()


def _like(value: str, pattern: str) -> bool:
    parts = (re.escape(part) for part in pattern.casefold().split("*"))
    return re.fullmatch(".*".join(parts), value.casefold(), re.DOTALL) is not None


def _contains(value: object, target: object) -> bool:
    if isinstance(value, list):
        return any(_same(each, target) for each in value)
    return isinstance(value, str) and as_text(target).casefold() in value.casefold()


def _ordered(operator: str, value: object, target: object) -> bool:
    if not isinstance(value, int | float) or not isinstance(target, int | float):
        return False
    match operator:
        case "greater":
            return value > target
        case "greaterorequals":
            return value >= target
        case "less":
            return value < target
        case _:
            return value <= target
