"""The `$filter` of lists of roles and assignments: a call in, the values of its clauses out."""

import re

from simulator import errors
from simulator.calls import Call

_EQUALS = re.compile(r"^(?P<name>\w+)\s+eq\s+'?(?P<value>[^']*?)'?$", re.IGNORECASE)
_FUNCTION = re.compile(r"^(?P<name>\w+)\(\s*'?(?P<value>[^')]*)'?\s*\)$")


def clauses(call: Call, *known: str) -> dict[str, str]:
    """A call and the names (in lower case) that it may ask for in, what it asks for out; anything else is refused.

    `atScope() and principalId eq 'x'` gives {"atscope": "", "principalid": "x"}.
    """
    condition = call.request.query.get("$filter", "").strip()
    found: dict[str, str] = {}
    for clause in re.split(r"\s+and\s+", condition, flags=re.IGNORECASE) if condition else ():
        match = _EQUALS.match(clause.strip()) or _FUNCTION.match(clause.strip())
        if match is None or match["name"].lower() not in known:
            raise errors.gateway(
                400, "BadRequest", f"The filter '{condition}' is not supported. Supported are {', '.join(known)}."
            )
        found[match["name"].lower()] = match["value"]
    return found
