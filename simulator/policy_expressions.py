"""Template expressions of policy rules (`[parameters('effect')]`): a text in, what it means out; and its value."""

import re
from collections.abc import Callable, Iterator
from typing import TypeAlias

import msgspec

from simulator import errors
from simulator.wire import Body

_TOKEN = re.compile(r"\s*(?:(?P<name>[A-Za-z_]\w*)|'(?P<text>(?:[^']|'')*)'|(?P<number>-?\d+)|(?P<mark>[().,\[\]]))")


class Literal(msgspec.Struct, frozen=True):
    """A value that stands there as it is."""

    value: object


class Call(msgspec.Struct, frozen=True):
    """A function and its arguments."""

    function: str
    arguments: tuple["Expression", ...]


class Member(msgspec.Struct, frozen=True):
    """A member of what another expression gives: `.name` or `['name']`."""

    of: "Expression"
    name: "Expression"


Expression: TypeAlias = Literal | Call | Member


class Surroundings(msgspec.Struct, frozen=True):
    """What expressions can ask for: the parameters (names in lower case), the group, the subscription, fields."""

    parameters: Body
    group: Body
    subscription: Body
    field: Callable[[str], object]


def parsed(value: object) -> Expression:
    """A value of a rule in, its meaning out: a text in brackets is an expression, `[[` is a bracket."""
    if not isinstance(value, str) or not value.startswith("[") or not value.endswith("]"):
        return Literal(value)
    if value.startswith("[["):
        return Literal(value[1:])
    tokens = _tokens(value[1:-1])
    expression = _expression(tokens)
    if tokens:
        raise invalid_rule(f"The language expression '{value}' is not valid.")
    return expression


def valued(expression: Expression, around: Surroundings) -> object:
    """An expression in, its value out; None is what is not there."""
    match expression:
        case Literal(value):
            return value
        case Member(of, name):
            return member(valued(of, around), valued(name, around))
        case Call(function, arguments):
            return _FUNCTIONS[function](around, [valued(argument, around) for argument in arguments])


def fields_in(expression: Expression) -> Iterator[Expression]:
    """An expression in, what it asks fields by out."""
    match expression:
        case Call("field", arguments):
            yield from arguments
        case Call(_, arguments):
            for argument in arguments:
                yield from fields_in(argument)
        case Member(of, name):
            yield from fields_in(of)
            yield from fields_in(name)


def parameters_in(value: object) -> Iterator[str]:
    """Any JSON value of a rule in, the parameters that its expressions name out, in lower case."""
    match value:
        case dict():
            for inner in value.values():
                yield from parameters_in(inner)
        case list():
            for inner in value:
                yield from parameters_in(inner)
        case str() if value.startswith("[") and not value.startswith("[["):
            for found in re.findall(r"parameters\(\s*'([^']*)'\s*\)", value, re.IGNORECASE):
                yield found.lower()


def member(value: object, name: object) -> object:
    """A value and the name of a member in, in any case; the member out, None when there is none."""
    if not isinstance(value, dict) or not isinstance(name, str):
        return None
    if name in value:
        return value[name]
    wanted = name.casefold()
    return next((inner for key, inner in value.items() if key.casefold() == wanted), None)


def as_text(value: object) -> str:
    """A value in, the text that conditions compare out."""
    if isinstance(value, bool):
        return "true" if value else "false"
    return value if isinstance(value, str) else msgspec.json.encode(value).decode()


def invalid_rule(why: str) -> errors.ArmError:
    """A rule that Azure could not read."""
    return errors.gateway(400, "InvalidPolicyRule", f"Failed to parse policy rule: '{why}'.")


_FUNCTIONS: dict[str, Callable[[Surroundings, list[object]], object]] = {
    "parameters": lambda around, given: around.parameters.get(str(given[0]).lower()),
    "field": lambda around, given: around.field(str(given[0])),
    "resourcegroup": lambda around, _: around.group,
    "subscription": lambda around, _: around.subscription,
    "concat": lambda _, given: "".join(as_text(part) for part in given if part is not None),
    "empty": lambda _, given: not given[0],
}
_COUNTS = {"parameters": 1, "field": 1, "resourcegroup": 0, "subscription": 0, "empty": 1}


def _tokens(text: str) -> list[tuple[str, str]]:
    tokens: list[tuple[str, str]] = []
    at = 0
    while text[at:].strip():
        match = _TOKEN.match(text, at)
        if match is None or match.lastgroup is None:
            raise invalid_rule(f"The language expression '[{text}]' is not valid.")
        tokens.append((match.lastgroup, match[match.lastgroup]))
        at = match.end()
    return tokens[::-1]  # the next one is the last


def _expression(tokens: list[tuple[str, str]]) -> Expression:
    """The tokens of one expression in, last first; they are taken away."""
    kind, found = tokens.pop() if tokens else ("", "")
    expression: Expression
    match kind:
        case "text":
            expression = Literal(found.replace("''", "'"))
        case "number":
            expression = Literal(int(found))
        case "name":
            expression = _call(found, tokens)
        case _:
            raise invalid_rule("The language expression is not valid: a value is missing")
    while tokens and tokens[-1] in (("mark", "."), ("mark", "[")):
        if tokens.pop()[1] == ".":
            expression = Member(expression, Literal(_expect(tokens, "name")))
        else:
            expression = Member(expression, _expression(tokens))
            _expect(tokens, "mark", "]")
    return expression


def _call(function: str, tokens: list[tuple[str, str]]) -> Call:
    name = function.lower()
    if name not in _FUNCTIONS:
        raise errors.not_modelled(f"the function '{function}' in policy rules")
    _expect(tokens, "mark", "(")
    arguments: list[Expression] = []
    while tokens and tokens[-1] != ("mark", ")"):
        if arguments:
            _expect(tokens, "mark", ",")
        arguments.append(_expression(tokens))
    _expect(tokens, "mark", ")")
    if len(arguments) != _COUNTS.get(name, len(arguments)):
        raise invalid_rule(f"The function '{function}' does not take {len(arguments)} arguments")
    return Call(name, tuple(arguments))


def _expect(tokens: list[tuple[str, str]], kind: str, text: str | None = None) -> str:
    found = tokens.pop() if tokens else ("", "")
    if found[0] != kind or (text is not None and found[1] != text):
        raise invalid_rule(f"The language expression is not valid: '{text or kind}' is missing")
    return found[1]
