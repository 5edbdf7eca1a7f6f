"""An app's folder and the environment in, the settings a host runs with out; or why it cannot start."""

import json
import re
from collections.abc import Mapping, MutableMapping
from pathlib import Path

_EXPRESSION = re.compile(r"%([^%\s]+)%")


class StartError(Exception):
    """Why the host does not start, in one line."""


def read(root: Path, environment: Mapping[str, str]) -> dict[str, str]:
    """The environment, completed (never overridden) by the Values of local.settings.json."""
    path = root / "local.settings.json"
    if not path.exists():
        return dict(environment)
    try:
        document = json.loads(path.read_text(encoding="utf-8"))
        values = document.get("Values", {})
        local = {str(name): _text(value) for name, value in values.items()}
    except (ValueError, AttributeError) as error:
        raise StartError(f"{path}: not an object with a member Values: {error}") from error
    return {**local, **environment}


def scrub(environment: MutableMapping[str, str]) -> None:
    """Takes out what makes the Python worker believe that it runs in Azure."""
    for name in [name for name in environment if name == "CONTAINER_NAME" or name.startswith("WEBSITE_")]:
        del environment[name]


def resolve(text: str, settings: Mapping[str, str], function: str) -> str:
    """`text` with every %NAME% replaced by that setting; a name without a value stops the start."""

    def value(match: re.Match[str]) -> str:
        found = settings.get(match[1])
        if found is None:
            raise StartError(f"Error indexing function '{function}': '{match[0]}' does not resolve to a value.")
        return found

    return _EXPRESSION.sub(value, text)


def _text(value: object) -> str:
    return value if isinstance(value, str) else json.dumps(value)
