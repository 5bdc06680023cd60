"""One throw-away data folder for the whole run, chosen before the settings are read; and skips that may not be."""

from __future__ import annotations

import atexit
import contextlib
import os
import shutil
import tempfile
from typing import Literal, cast

import pytest
from _pytest.runner import runtestprotocol
from django.conf import settings

NO_SKIPS = os.environ.get("PLAYGROUND_NO_SKIPS", "") == "1"
_DATA_DIR = tempfile.mkdtemp(prefix="playground-tests-")
atexit.register(shutil.rmtree, _DATA_DIR, ignore_errors=True)

for name in [name for name in os.environ if name.startswith(("PLAYGROUND_", "CLARIFAI_"))]:
    if name != "PLAYGROUND_NO_SKIPS":  # the workers of this run read it after us
        del os.environ[name]
os.environ["PLAYGROUND_DATA_DIR"] = _DATA_DIR
os.environ.pop("DATABASE_URL", None)  # not the database of who runs the tests: SQLite, unless another is for them
if _url := os.environ.get("TEST_DATABASE_URL"):
    os.environ["DATABASE_URL"] = _url


TOGETHER = ("tests/browser", "tests/stack", "tests/access")  # folders whose tests share one product


@pytest.hookimpl(optionalhook=True, tryfirst=True)
def pytest_xdist_make_scheduler(config: pytest.Config, log: object) -> object:
    """Tests that share what is dear to start run one after another, in one process; others by the file."""
    from xdist.scheduler import LoadScopeScheduling

    class ByProduct(LoadScopeScheduling):
        def _split_scope(self, nodeid: str) -> str:
            file = nodeid.partition("::")[0]
            return next((name for name in TOGETHER if file.startswith(name)), file)

    return ByProduct(config, log)


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption("--tries", type=int, default=3, help="how often a test is tried until it passes")


@pytest.hookimpl(tryfirst=True)
def pytest_runtest_protocol(item: pytest.Item, nextitem: pytest.Item | None) -> bool:
    """Tries what a busy machine was too slow for again, with all that tests share made anew.

    That is why no plug-in does it: theirs keep what is shared, where the first try has left its deployments and files.
    """
    item.ihook.pytest_runtest_logstart(nodeid=item.nodeid, location=item.location)
    for left in reversed(range(item.config.getoption("tries"))):
        reports = runtestprotocol(item, log=False, nextitem=nextitem)
        is_over = not left or not any(report.failed for report in reports)
        for report in reports:
            if is_over or report.failed:
                report.outcome = report.outcome if is_over else cast("Literal['failed']", "rerun")
                item.ihook.pytest_runtest_logreport(report=report)
        if is_over:
            break
        with contextlib.suppress(Exception, pytest.fail.Exception):  # what is left of it is not what is tried
            item.session._setupstate.teardown_exact(cast("pytest.Item", item.session))
    item.ihook.pytest_runtest_logfinish(nodeid=item.nodeid, location=item.location)
    return True


def pytest_report_teststatus(report: pytest.TestReport) -> tuple[str, str, str] | None:
    return ("rerun", "R", "RERUN") if cast("str", report.outcome) == "rerun" else None


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item: pytest.Item, call: pytest.CallInfo[None]) -> object:
    """Where nothing may be skipped, a skip is a failure."""
    report = yield
    if NO_SKIPS and report.skipped and not hasattr(report, "wasxfail"):
        report.outcome = "failed"
        report.longrepr = f"skipped, where nothing may be: {report.longrepr}"
    return report


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """What was tried again is told of in full: what made it fail at first may be a fault of ours."""
    for report in terminalreporter.stats.get("rerun", []):
        terminalreporter.write_sep("_", f"tried again: {report.nodeid} ({report.when})")
        terminalreporter.write_line(report.longreprtext)


@pytest.fixture(scope="session")
def django_db_modify_db_settings() -> None:
    """Tests share a file, as the product's threads and processes do: memory shared between threads locks otherwise."""
    if "TEST_DATABASE_URL" not in os.environ:
        settings.DATABASES["default"]["TEST"]["NAME"] = f"{_DATA_DIR}/test.sqlite3"
