"""`plan`: an exported file or live networks in; what would be done, what is withheld and why, out. Changes nothing."""

from pathlib import Path
from typing import Annotated, Final, Literal

from cyclopts import Parameter

from governor.commands import estate_file, plan_view, planning, screen
from governor.commands.deployment import policies_of
from governor.commands.errors import CommandError

TO_DO: Final = 2


def plan(
    *,
    estate: Path | None = None,
    scope: Annotated[list[str] | None, Parameter(consume_multiple=True, negative=())] = None,
    policies: Path | None = None,
    format: Literal["table", "json", "markdown"] = "table",  # noqa: A002 - the name of the option
    out: Path | None = None,
) -> int:
    """Show what would be done and what is withheld, and change nothing.

    Exit code 2 when there is something to do: a repair would be made, or waits only for a person's approval.

    Parameters
    ----------
    estate: Path
        A file that Azure exported: az graph query -q "resourcecontainers | union resources" --first 1000 > estate.json
    scope: list[str]
        Ids of virtual networks, of subnets or clusters (the networks that they live in), or of subscriptions,
        management groups, or all: read now from Azure or the simulator.
    policies: Path
        Folder of policy files; without it, the one of the deployment.
    format: str
        For people, for programs, for a pull request.
    out: Path
        A file to write the answer into.
    """
    if (estate is None) == (not scope):
        raise CommandError("plan needs either --estate FILE or --scope ID...")
    if estate is not None:
        answer = planning.from_file(estate_file.read(estate), policies_of(policies))
    else:
        answer = planning.from_azure(scope or [], policies)
    with screen.written(out) as console:
        match format:
            case "json":
                console.file.write(plan_view.as_json(answer))
            case "markdown":
                console.file.write(plan_view.as_markdown(answer))
            case "table":
                plan_view.show(answer, console)
    return TO_DO if answer.to_do else 0
