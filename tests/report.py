"""`--report FILE` writes what a run of the tests showed as a Markdown table; `make test-long` keeps its last one.

A test adds a figure to its line with `record_property("figure", "60 of 60 equal")`. Lines of tests that are still there
and did not run this time stay, so that a long run may be made in parts.
"""

from __future__ import annotations

import platform
import re
import time
from importlib.metadata import version
from pathlib import Path

import pytest


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption("--report", metavar="FILE", help="write the results as a Markdown table")


def pytest_configure(config: pytest.Config) -> None:
    target = config.getoption("--report")
    if target:
        config.pluginmanager.register(Report(Path(target)), "playground-report")


class Report:
    """Collects one line per test and writes the file when the run ends."""

    def __init__(self, target: Path) -> None:
        self.target = target
        self.lines: dict[str, str] = {}
        self.there: set[str] = set()

    @pytest.hookimpl(tryfirst=True)
    def pytest_collection_modifyitems(self, items: list[pytest.Item]) -> None:
        """All that was collected, before any is left out."""
        self.there = {item.nodeid for item in items}

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        if report.when == "call" or report.failed or report.skipped:
            figures = "; ".join(str(value) for name, value in report.user_properties if name == "figure")
            self.lines[report.nodeid] = (
                f"| `{report.nodeid}` | {report.outcome} | {report.duration:.0f} | {figures} |"
            )

    def _earlier(self) -> dict[str, str]:
        """Lines of the file as it is, without those of tests that are gone from a file that was collected."""
        text = self.target.read_text(encoding="utf-8") if self.target.is_file() else ""
        lines = {found[1]: found[0] for found in re.finditer(r"^\| `([^`]+)` \|.*$", text, re.MULTILINE)}
        files = {one.partition("::")[0] for one in self.there}
        return {one: line for one, line in lines.items() if one in self.there or one.partition("::")[0] not in files}

    def pytest_sessionfinish(self) -> None:
        if not self.lines:
            return
        lines = self._earlier() | self.lines
        failed = sum("| failed |" in line for line in lines.values())
        packages = ", ".join(f"{name} {version(name)}" for name in ("torch", "transformers", "accelerate"))
        head = [
            "# The full numbers on the embedded model",
            "",
            f"Written by `make test-long` on {time.strftime('%Y-%m-%d')}: Python {platform.python_version()}, "
            f"{packages}, {platform.system()} {platform.machine()}. {len(lines)} tests, {failed} failed; "
            f"{len(self.lines)} of them in the last run, the others earlier.",
            "",
            "| test | outcome | seconds | figures |",
            "|---|---|---|---|",
        ]
        self.target.parent.mkdir(parents=True, exist_ok=True)
        self.target.write_text("\n".join([*head, *lines.values()]) + "\n", encoding="utf-8")
