"""What documents tell people to type exists: every `egress-governor ...` in code is a command."""

import re
import subprocess
import sys
from functools import cache
from pathlib import Path

CHECKOUT = Path(__file__).parents[2]
DOCUMENTS = [
    CHECKOUT / "README.md",
    CHECKOUT / "CONTRIBUTING.md",
    CHECKOUT / "SECURITY.md",
    *CHECKOUT.glob("docs/*.md"),
    *CHECKOUT.glob("docs/stories/*.md"),
]
GROUPS = ("records", "notices", "policies", "simulator")


@cache
def commands(*group: str) -> set[str]:
    """The commands that `--help` lists, of everything or of one group."""
    shown = subprocess.run(
        [sys.executable, "-c", "from governor.cli import main; main()", *group, "--help"],
        cwd=CHECKOUT,
        capture_output=True,
        text=True,
        timeout=60,
    )
    assert shown.returncode == 0, shown.stderr
    return set(re.findall(r"^[│|\s]*([a-z]+)\s{2,}\S", shown.stdout, re.MULTILINE))


def typed() -> set[tuple[str, ...]]:
    """Commands in code, inline or in a block: ("plan",) or ("records", "verify")."""
    code = [part for file in DOCUMENTS for part in re.findall(r"```.*?```|`[^`\n]+`", file.read_text(), re.DOTALL)]
    found = {
        (first, *second.split())
        for part in code
        for first, second in re.findall(r"egress-governor ([a-z]+)( [a-z]+)?", part)
    }
    return {words if words[0] in GROUPS else words[:1] for words in found}


def test_commands_exist() -> None:
    missing = [" ".join(words) for words in sorted(typed()) if words[-1] not in commands(*words[:-1])]
    assert missing == []


def test_documents_name_the_commands_of_daily_work() -> None:
    assert typed() >= {("plan",), ("explain",), ("addresses",), ("approve",), ("undo",), ("records", "verify")}
