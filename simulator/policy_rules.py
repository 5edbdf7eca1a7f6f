"""Rules of Azure Policy: the JSON of a definition in, a rule out; a rule and a request in, the effect out."""

from collections.abc import Mapping
from typing import Any, TypeAlias, assert_never

import msgspec

from simulator import errors
from simulator.policy_aliases import is_many, path_of, values_at
from simulator.policy_expressions import (
    Expression,
    Literal,
    Surroundings,
    as_text,
    fields_in,
    invalid_rule,
    parsed,
    valued,
)
from simulator.policy_operators import OPERATORS, UNMODELLED, holds
from simulator.wire import Body, members, text


class AllOf(msgspec.Struct, frozen=True):
    """Every one of these conditions holds."""

    conditions: tuple["Condition", ...]


class AnyOf(msgspec.Struct, frozen=True):
    """One of these conditions holds."""

    conditions: tuple["Condition", ...]


class Not(msgspec.Struct, frozen=True):
    """This condition does not hold."""

    condition: "Condition"


class Field(msgspec.Struct, frozen=True):
    """What a request says in a field, compared; in an array every element has to pass."""

    name: str
    path: str
    operator: str
    target: Expression


class Value(msgspec.Struct, frozen=True):
    """The value of an expression, compared."""

    shown: object
    value: Expression
    operator: str
    target: Expression


class Count(msgspec.Struct, frozen=True):
    """How many elements of an array meet a condition, compared."""

    name: str
    path: str
    where: "Condition | None"
    operator: str
    target: Expression


Condition: TypeAlias = AllOf | AnyOf | Not | Field | Value | Count


class Rule(msgspec.Struct, frozen=True):
    """When a definition applies, and what it does then."""

    condition: Condition
    effect: Expression


class Asked(msgspec.Struct, frozen=True):
    """A resource as a request would have it, and where."""

    body: Body
    group: Body
    subscription: Body

    def around(self, parameters: Body, bound: Mapping[str, object]) -> Surroundings:
        """What an expression can ask for, with parameters in lower case."""

        def field(name: str) -> object:
            path = path_of(name)
            found = values_at(self.body, path, bound)
            return found if is_many(path, bound) else found[0]

        return Surroundings(parameters, self.group, self.subscription, field)


class Question(msgspec.Struct, frozen=True):
    """A request with the parameters of one assignment; what was compared is written down."""

    asked: Asked
    parameters: Body
    evaluated: list[Body]


def rule_of(policy_rule: object) -> Rule:
    """The `policyRule` of a definition in, the rule out; InvalidPolicyRule, or 501 for what is not modelled."""
    content = members(policy_rule)
    if set(content) != {"if", "then"}:
        extra = sorted(set(content) - {"if", "then"})
        raise invalid_rule(
            f"Could not find member '{extra[0]}' on object of type 'PolicyRuleDefinition'. Path '{extra[0]}'."
            if extra
            else "Required property 'if' or 'then' not found in JSON. Path ''."
        )
    effect = members(content["then"]).get("effect")
    if not isinstance(effect, str):
        raise invalid_rule("Required property 'effect' not found in JSON. Path 'then'.")
    return Rule(_condition(content["if"], "if"), parsed(effect))


def matches(condition: Condition, question: Question, bound: Mapping[str, object]) -> bool:
    """A condition and a question in, whether it holds out."""
    around = question.asked.around(question.parameters, bound)
    match condition:
        case AllOf(conditions):
            return all(matches(inner, question, bound) for inner in conditions)
        case AnyOf(conditions):
            return any(matches(inner, question, bound) for inner in conditions)
        case Not(inner):
            return not matches(inner, question, bound)
        case Field(name, path, operator, expression):
            target = valued(expression, around)
            found = values_at(question.asked.body, path, bound)
            answer = all(holds(operator, value, target) for value in found)
            shown: Any = found if is_many(path, bound) else found[0]
            _note(question, bound, ("Field", name, path), (answer, shown, target, operator))
            return answer
        case Value(written, expression, operator, wanted):
            value, target = valued(expression, around), valued(wanted, around)
            answer = holds(operator, value, target)
            _note(question, bound, ("Value", written, ""), (answer, value, target, operator))
            return answer
        case Count(name, path, where, operator, wanted):
            elements = values_at(question.asked.body, path, bound)
            many = [each for each in elements if where is None or matches(where, question, {**bound, path: each})]
            target = valued(wanted, around)
            answer = holds(operator, len(many), target)
            _note(question, bound, ("Count", name, path), (answer, len(many), target, operator))
            return answer
        case _:
            assert_never(condition)


def _note(
    question: Question, bound: Mapping[str, object], what: tuple[str, object, str], found: tuple[bool, Any, Any, str]
) -> None:
    """A comparison is written down as a refusal shows it; those inside a count are not."""
    if bound:
        return
    (kind, expression, path), (answer, value, target, operator) = what, found
    line: Body = {"result": str(answer), "expressionKind": kind, "expression": expression}
    if path:
        line["path"] = path
    question.evaluated.append(line | {"expressionValue": value, "targetValue": target, "operator": OPERATORS[operator]})


def _condition(given: object, place: str) -> Condition:
    content = members(given)
    names = {name.lower(): name for name in content}
    for several, made in (("allof", AllOf), ("anyof", AnyOf)):
        if several in names:
            listed = content[names[several]]
            if len(content) > 1 or not isinstance(listed, list):
                raise invalid_rule(f"A list of conditions stands alone. Path '{place}.{names[several]}'.")
            return made(tuple(_condition(each, f"{place}.{several}[{n}]") for n, each in enumerate(listed)))
    if "not" in names:
        if len(content) > 1:
            raise invalid_rule(f"A 'not' stands alone. Path '{place}.not'.")
        return Not(_condition(content[names["not"]], f"{place}.not"))
    compared = [name for name in names if name in ("field", "value", "count")]
    others = [name for name in names if name not in compared]
    if len(compared) != 1 or len(others) != 1:
        raise invalid_rule(f"A condition compares one field, value or count with one operator. Path '{place}'.")
    operator = others[0]
    if operator in UNMODELLED:
        raise errors.not_modelled(f"the condition '{names[operator]}' in policy rules")
    if operator not in OPERATORS:
        raise invalid_rule(
            f"Could not find member '{names[operator]}' on object of type 'LeafConditionDefinition'. "
            f"Path '{place}.{names[operator]}'."
        )
    target = _target(operator, content[names[operator]], place)
    subject = content[names[compared[0]]]
    match compared[0]:
        case "field":
            return Field(text(subject), path_of(text(subject)), operator, target)
        case "value":
            return Value(subject, _expression(subject), operator, target)
        case _:
            return _count(members(subject), operator, target, f"{place}.count")


def _count(given: Body, operator: str, target: Expression, place: str) -> Count:
    if "value" in given:
        raise errors.not_modelled("a count of values in policy rules")
    if not set(given) <= {"field", "where"} or not text(given.get("field")).endswith("[*]"):
        raise invalid_rule(f"A count names an array by an alias that ends with [*]. Path '{place}'.")
    name = text(given["field"])
    where = _condition(given["where"], f"{place}.where") if "where" in given else None
    return Count(name, path_of(name), where, operator, target)


def _target(operator: str, given: object, place: str) -> Expression:
    target = _expression(given)
    if operator in ("like", "notlike") and isinstance(target, Literal) and as_text(target.value).count("*") > 1:
        raise invalid_rule(f"The condition '{operator}' takes one wildcard at most. Path '{place}'.")
    return target


def _expression(given: object) -> Expression:
    """A value of a condition in, its meaning out; the fields it asks for are known."""
    expression = parsed(given)
    for field in fields_in(expression):
        if not isinstance(field, Literal):
            raise errors.not_modelled("fields of policy rules whose names are expressions")
        path_of(as_text(field.value))
    return expression
