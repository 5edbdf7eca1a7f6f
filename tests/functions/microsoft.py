"""A function app and invocations in, what Microsoft's Python runtime made of them, in a process of its own, out."""

import importlib.util
import json
import os
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

from tests.functions.contract_site import HERE

NAMED = os.environ.get("EGRESS_GOVERNOR_RUNTIME_PYTHON")
# The interpreter that has Microsoft's runtime library, if there is one.
RUNTIME = NAMED or (sys.executable if importlib.util.find_spec("azure_functions_runtime") else None)
REQUIRED = os.environ.get("EGRESS_GOVERNOR_RUNTIME") == "required"
WITHOUT_RUNTIME = (
    "Microsoft's runtime is not here; to have it, run `pip install azure-functions-runtime azure-functions` in an"
    " environment of Python 3.13 and name its interpreter in EGRESS_GOVERNOR_RUNTIME_PYTHON"
)
# Where CI runs, such tests are there if the runtime is, or if it is required.
ASKED_FOR = RUNTIME is not None or REQUIRED or os.environ.get("CI", "").casefold() != "true"


def driven(folder: Path, invocations: list[dict[str, Any]], settings: Mapping[str, str] | None = None) -> Any:
    """The folder of an app, invocations and settings in; why it was not loaded, or how each of them ended, out."""
    if RUNTIME is None:
        if REQUIRED:
            pytest.fail(WITHOUT_RUNTIME)
        pytest.skip(WITHOUT_RUNTIME)
    given = settings or {"TICK": "0 0 0 1 1 *", "STORE": "sqlite:none"}
    environment = {"PATH": os.environ.get("PATH", ""), **given}
    command = [RUNTIME, "-W", "ignore", str(HERE / "contract_runtime.py"), str(folder)]
    ended = subprocess.run(
        command, input=json.dumps(invocations), capture_output=True, text=True, env=environment, timeout=60, check=False
    )
    assert ended.returncode == 0, ended.stderr
    return json.loads(ended.stdout.splitlines()[-1])
