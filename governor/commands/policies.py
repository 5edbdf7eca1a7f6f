"""`policies check | test | schema`: a folder of policy files in; every error, failed cases, or the JSON Schema out."""

import os
from pathlib import Path

from rich.markup import escape

from governor.commands import cases, screen, words
from governor.commands.errors import CommandError
from governor.policy_files import load, load_cases
from governor.policy_files import schema as schema_of
from governor.policy_files.contradictions import namesakes
from governor.settings import PREFIX


def folder_of(given: Path | None) -> Path:
    """A folder that somebody names, or None, in; the folder of policy files out."""
    return given or Path(os.environ.get(PREFIX + "POLICIES", "").strip() or "policies")


def check(folder: Path | None = None) -> int:
    """Check every policy file and every case of a folder.

    Parameters
    ----------
    folder: Path
        Folder of policy files; without it, the one of the deployment.
    """
    where = folder_of(folder)
    policies, stories = load(where), load_cases(where)
    names = words.count(len(policies.policies), "policy", "policies")
    screen.out().print(f"[green]OK[/] {escape(str(where))}: {names}, {words.count(len(stories), 'case')}")
    for line in policies.idle:
        screen.out().print(f"[yellow]note[/] not in this version: {escape(line)}")
    for line in namesakes(policies):
        screen.out().print(f"[yellow]note[/] {escape(line)}")
    return 0


def run_cases(folder: Path | None = None) -> int:
    """Run the cases of a folder against its policies.

    Parameters
    ----------
    folder: Path
        Folder of policy files and *.cases.yaml; without it, the one of the deployment.
    """
    where = folder_of(folder)
    policies, stories = load(where), load_cases(where)
    if not stories:
        raise CommandError(f"{where}: there is no case (*.cases.yaml) in this folder")
    ran = [(case, cases.run(case, policies)) for case in screen.track(stories, "running cases", len(stories))]
    console, failed = screen.out(), sum(bool(wrong) for _, wrong in ran)
    for case, wrong in ran:
        line = f"  [dim]({case.source})[/]" if wrong else ""
        console.print(f"{'[red]FAIL[/]' if wrong else '[green]ok[/]  '} {escape(case.name)}{line}")
        for difference in wrong:
            console.print(f"     {escape(difference.about)}")
            console.print(f"       [green]expected[/] {escape(difference.expected)}")
            console.print(f"       [red]found[/]    {escape(difference.found)}")
    console.print(f"{words.count(len(stories), 'case')}, {failed} failed")
    return 1 if failed else 0


def schema() -> int:
    """Print the JSON Schema of policy files."""
    screen.write_json(schema_of())
    return 0
