"""Each setting stands in docs/operations.md and in local.settings.sample.json, and host.json says how queues wait."""

import json
import re
from pathlib import Path
from typing import Any

import pytest

from governor.settings import Settings

CHECKOUT = Path(__file__).parents[2]
PREFIX = "EGRESS_GOVERNOR_"


def read(name: str) -> Any:
    return json.loads((CHECKOUT / name).read_text())


def documented() -> set[str]:
    """The first column of the table of settings."""
    text = (CHECKOUT / "docs" / "operations.md").read_text()
    return set(re.findall(rf"^\| `({PREFIX}[A-Z_]+)` \|", text, re.MULTILINE))


def test_every_documented_setting_is_in_the_sample_and_the_other_way_round() -> None:
    sample = {name for name in read("local.settings.sample.json")["Values"] if name.startswith(PREFIX)}
    assert sample == documented()


def resolved_by_the_host() -> set[str]:
    """The settings that stand in bindings."""
    texts = (path.read_text() for path in (CHECKOUT / "functions").glob("*.py"))
    return {name for text in texts for name in re.findall(rf"%({PREFIX}[A-Z_]+)%", text)}


class Asked(dict[str, str]):
    """An environment that remembers what it was asked for."""

    def __init__(self, values: dict[str, str]) -> None:
        super().__init__(values)
        self.names: set[str] = set()

    def __getitem__(self, name: str) -> str:
        self.names.add(name)
        return super().__getitem__(name)

    def get(self, name: str, default: Any = None) -> Any:
        self.names.add(name)
        return super().get(name, default)


def test_the_sample_is_valid_and_what_is_read_is_what_is_documented(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "policies").mkdir()
    (tmp_path / ".egress-governor").mkdir()
    (tmp_path / ".egress-governor" / "ca.pem").touch()
    monkeypatch.chdir(tmp_path)
    environment = Asked(read("local.settings.sample.json")["Values"])
    assert Settings.read(environment).loopback
    # App Service sets this one itself.
    assert environment.names | resolved_by_the_host() == documented() | {"WEBSITE_AUTH_ENABLED"}


def test_the_sample_holds_what_a_local_host_needs_and_only_text() -> None:
    values = read("local.settings.sample.json")["Values"]
    assert values["FUNCTIONS_WORKER_RUNTIME"] == "python"
    assert values["AzureWebJobsStorage"] == "UseDevelopmentStorage=true"
    assert all(isinstance(value, str) for value in values.values())


def test_the_sample_begins_with_looking() -> None:
    """Whoever copies the sample gets reports, not repairs."""
    assert read("local.settings.sample.json")["Values"][f"{PREFIX}MODE_CEILING"] == "audit"


def test_queues_wait_as_the_ledger_expects() -> None:
    assert read("host.json")["extensions"]["queues"] == {
        "batchSize": 8,
        "newBatchThreshold": 4,
        "maxDequeueCount": 5,
        "visibilityTimeout": "00:00:30",
        "maxPollingInterval": "00:00:05",
        "messageEncoding": "base64",
    }
