"""Rules for every test: where recordings lie, how Hypothesis draws, and that nothing is left out where CI runs."""

import os
import shutil
import tempfile
from collections.abc import Generator
from pathlib import Path

import pytest
from hypothesis import HealthCheck, settings

CI = os.environ.get("CI", "").casefold() == "true"
CHECKOUT = Path(__file__).parent.parent
NO_SHARED = (
    "no folder with recordings and samples; to run it, put it beside the checkout as ../shared "
    "or name it in EGRESS_GOVERNOR_SHARED"
)

# Where CI runs, the same examples every time: a failure there is one that everybody can repeat.
settings.register_profile(
    "ci", max_examples=50, derandomize=True, deadline=None, suppress_health_check=[HealthCheck.too_slow]
)
settings.register_profile("local", max_examples=50, deadline=None)
settings.load_profile("ci" if CI else "local")


# Ledgers are synced to their disk at every step, and that is half the time of all tests; memory has nothing to sync.
_MEMORY = Path("/dev/shm")
_ROOM = 4 << 30
if "TMPDIR" not in os.environ and os.access(_MEMORY, os.W_OK) and shutil.disk_usage(_MEMORY).free > _ROOM:
    tempfile.tempdir = str(_MEMORY)


@pytest.fixture(scope="session")
def shared() -> Path:
    """The folder with recordings and samples of Azure; without it the test is left out, and fails where CI runs."""
    folder = Path(os.environ.get("EGRESS_GOVERNOR_SHARED") or CHECKOUT.parent / "shared")
    if not (folder / "recordings").is_dir():
        pytest.skip(f"{NO_SHARED} (looked in {folder})")
    return folder.resolve()


@pytest.fixture(scope="session")
def checkout() -> Path:
    """The folder that holds pyproject.toml."""
    return CHECKOUT


def _nothing_is_left_out(report: pytest.CollectReport | pytest.TestReport) -> None:
    """A skip counts as a failure where CI runs; an expected failure (strict) does not."""
    if CI and report.skipped and not hasattr(report, "wasxfail"):
        why = report.longrepr[2] if isinstance(report.longrepr, tuple) else str(report.longrepr)
        report.outcome = "failed"
        report.longrepr = f"{report.nodeid} was left out, and CI=true leaves nothing out: {why}"


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport() -> Generator[None, pytest.TestReport, pytest.TestReport]:
    report = yield
    _nothing_is_left_out(report)
    return report


@pytest.hookimpl(wrapper=True)
def pytest_make_collect_report() -> Generator[None, pytest.CollectReport, pytest.CollectReport]:
    report = yield
    _nothing_is_left_out(report)
    return report


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """Says how many tests were left out; -rs names each of them, with its reason."""
    skipped = [report for report in terminalreporter.getreports("skipped") if not hasattr(report, "wasxfail")]
    if skipped:
        count = len(skipped)
        terminalreporter.write_line(
            f"{count} test{'s were' if count > 1 else ' was'} left out; the summary below says why and how to get "
            f"{'them' if count > 1 else 'it'} (CONTRIBUTING.md, Tests). Where CI=true this is a failure."
        )
