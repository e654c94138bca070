"""The report of the long tests can be made in parts."""

from __future__ import annotations

from pathlib import Path
from types import SimpleNamespace
from typing import Any

from tests.report import Report


def run(target: Path, collected: list[str], outcomes: dict[str, str]) -> None:
    """One run of pytest as the report sees it: what was collected, and what came of what ran."""
    report = Report(target)
    items: Any = [SimpleNamespace(nodeid=one) for one in collected]
    report.pytest_collection_modifyitems(items)
    for nodeid, outcome in outcomes.items():
        told: Any = SimpleNamespace(nodeid=nodeid, when="call", outcome=outcome, duration=2.0)
        told.failed, told.skipped, told.user_properties = outcome == "failed", False, [("figure", f"of {nodeid}")]
        report.pytest_runtest_logreport(told)
    report.pytest_sessionfinish()


def test_a_run_in_parts_keeps_what_earlier_parts_showed(tmp_path: Path) -> None:
    target = tmp_path / "report.md"
    run(target, ["a.py::one", "a.py::two"], {"a.py::one": "passed", "a.py::two": "failed"})
    assert "2 tests, 1 failed" in target.read_text(encoding="utf-8")
    run(target, ["a.py::two", "b.py::new"], {"a.py::two": "passed", "b.py::new": "passed"})
    text = target.read_text(encoding="utf-8")
    assert "2 tests, 0 failed; 2 of them in the last run" in text and "a.py::one" not in text  # it is gone
    run(target, ["b.py::new", "b.py::other"], {"b.py::other": "passed"})
    text = target.read_text(encoding="utf-8")
    assert "3 tests, 0 failed; 1 of them in the last run" in text and text.count("| `b.py::new` | passed | 2 |") == 1
    run(target, ["c.py::x"], {})
    assert target.read_text(encoding="utf-8") == text
