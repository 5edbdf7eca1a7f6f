"""`policies export azure-policy`: a folder of policy files in; what denies the same at the request, as JSON, out."""

import sys
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated

from cyclopts import Parameter

from governor.commands import screen, words
from governor.commands.errors import CommandError
from governor.commands.policies import folder_of
from governor.core.request_modify import companions
from governor.core.request_time import Assigned, Untold, at_request
from governor.policy_files import load

SCOPES = ("/subscriptions/", "/providers/Microsoft.Management/managementGroups/")


def azure_policy(
    folder: Path | None = None,
    *,
    scope: str | None = None,
    enforce: Annotated[bool, Parameter(negative=())] = False,
    modify: Annotated[bool, Parameter(negative=())] = False,
    out: Path | None = None,
) -> int:
    """Write Azure Policy definitions, assignments and exemptions that deny at the request what policies deny.

    Parameters
    ----------
    folder: Path
        Folder of policy files; without it, the one of the deployment.
    scope: str
        Id of a management group or subscription: where policies that name none are assigned.
    enforce: bool
        The assignments act; without it they only tell what they would deny.
    modify: bool
        Definitions as well that make subnets private and give them their route table.
    out: Path
        A file to write instead of standard output.
    """
    if scope is not None and not scope.startswith(SCOPES):
        raise CommandError(f"--scope {scope}: expected an id that starts with {' or '.join(SCOPES)}")
    policies = load(folder_of(folder))
    made = at_request(policies, Assigned(datetime.now(UTC), scope, enforce))
    changing, unsaid = companions(policies, scope) if modify else ((), ())
    untold = (*made.untold, *unsaid)
    text = screen.json_text(
        {
            "definitions": [*made.definitions, *changing],
            "assignments": made.assignments,
            "exemptions": made.exemptions,
            "untold": untold,
        }
    )
    _write(text, out)
    console = screen.err()
    if not made.assignments:
        console.print(f"nothing is assigned: {_why_nothing(untold)}", style="red", markup=False, soft_wrap=True)
    else:
        count = words.count(len(made.assignments), "assignment")
        console.print(f"{count}, {words.count(len(untold), 'rule')} that Azure Policy cannot be told", style="dim")
    for line in _lines(untold):
        console.print(line, style="yellow", markup=False, soft_wrap=True)
    return 0 if made.assignments or not untold else 1


def _write(text: str, out: Path | None) -> None:
    if out is None:
        sys.stdout.write(text)
        return
    try:
        out.write_text(text, encoding="utf-8")
    except OSError as error:
        raise CommandError(f"--out {out}: cannot be written: {error.strerror or error}") from error


def _why_nothing(untold: tuple[Untold, ...]) -> str:
    if untold:
        return f"{words.count(len(untold), 'rule')}, none of which Azure Policy can be told"
    return (
        "no policy in mode propose or enforce asks for it (publicIps.atRequestTime, clusters.atRequestTime, "
        "egress.defaultOutboundAccess: deny)"
    )


def _lines(untold: tuple[Untold, ...]) -> Iterator[str]:
    """Of several rules that one policy has one reason for, one line; which they are is in the JSON."""
    whats: dict[tuple[str, str], list[str]] = {}
    for one in untold:
        whats.setdefault((one.policy, one.why), []).append(one.what)
    for (policy, why), rules in whats.items():
        yield f"{policy}: {rules[0] if len(rules) == 1 else words.count(len(rules), 'rule')}: {why}"
