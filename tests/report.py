"""`--report FILE` writes what a run of the tests showed as a Markdown table; `make test-long` keeps its last one.

A test adds a figure to its line with `record_property("figure", "60 of 60 equal")`.
"""

from __future__ import annotations

import platform
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
        self.lines: list[str] = []
        self.failed = 0

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        if report.when == "call" or report.failed or report.skipped:
            self.failed += report.failed
            figures = "; ".join(str(value) for name, value in report.user_properties if name == "figure")
            self.lines.append(f"| `{report.nodeid}` | {report.outcome} | {report.duration:.0f} | {figures} |")

    def pytest_sessionfinish(self) -> None:
        packages = ", ".join(f"{name} {version(name)}" for name in ("torch", "transformers", "accelerate"))
        head = [
            "# The full numbers on the embedded model",
            "",
            f"Written by `make test-long` on {time.strftime('%Y-%m-%d')}: Python {platform.python_version()}, "
            f"{packages}, {platform.system()} {platform.machine()}. {len(self.lines)} tests, {self.failed} failed.",
            "",
            "| test | outcome | seconds | figures |",
            "|---|---|---|---|",
        ]
        self.target.parent.mkdir(parents=True, exist_ok=True)
        self.target.write_text("\n".join([*head, *self.lines]) + "\n", encoding="utf-8")
