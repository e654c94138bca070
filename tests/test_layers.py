"""Promises of the house: modules import downwards only, heavy libraries stay in their rooms, files stay readable."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
# A module imports only from a lower number or from its own room; the whole number is the floor. The longest name that
# fits counts.
FLOORS = {
    "playground.token_views": 0.0,
    "playground.types": 0.02,
    "playground.leave": 0.0,
    "playground.visitor": 0.0,
    "playground.isolation": 0.05,
    "playground.settings": 0.1,
    "playground.parameters": 0.1,
    "playground": 0.2,
    "playground.conversation": 1.0,
    "playground.thinking": 1.0,
    "playground.export": 1.2,
    "playground.sweep": 1.2,
    "playground.waiting": 1.0,
    "playground.one_state": 1.0,
    "playground.models": 2.0,
    "playground.kernels": 2.05,
    "playground.decoding": 2.1,
    "playground.fast": 2.15,
    "playground.rendering": 2.05,
    "playground.generators": 2.2,
    "playground.generate": 3.0,
    "playground.xray": 3.0,
    "playground.doctor": 3.1,
    "playground.batch": 3.15,
    "playground.jobs": 3.2,
    "playground.batch_files": 3.8,
    "playground.__main__": 4.1,
    "playground.ui": 4.0,
    "app": 5.0,
    "playground.machine": 0.1,
    "playground.tables": 0.15,
    "playground.tasks": 1.2,
    "playground.evaluation": 2.02,
    "playground.storage": 1.2,
    "playground.cli": 4.0,
}
HEAVY = {"torch": 2, "transformers": 2, "accelerate": 2, "gradio": 4}
PAGE = ("playground.ui", "app")
FORBIDDEN = {"utils", "helpers", "common", "manager", "misc", "core", "shared"}
# Imports inside a function, as (module, what it imports): each has its reason.
LAZY = {
    ("playground.models.embedded", "playground.models.convert"): "torch, only when there is something to convert",
    ("playground.kernels.build", "torch.utils"): "torch's own compiler, only when there is something to build",
    ("playground.cli.main", "playground.generators.local"): "torch, only when a command needs a model",
    ("playground.xray", "playground.generators.reading"): "torch, only when something is asked",
    ("playground.xray", "playground.decoding.answers"): "torch, only when something is asked",
    ("playground.xray", "playground.decoding.trace_file"): "torch, only when something is asked",
    ("playground.ui.host", "playground.generators.local"): "torch, while the page is already there",
    ("playground.ui.host", "playground.kernels.build"): "torch, while the page is already there",
    ("playground.ui.host", "playground.models"): "torch, while the page is already there",
}


def modules() -> dict[str, Path]:
    paths = [ROOT / "app.py", *sorted((ROOT / "playground").rglob("*.py"))]
    names = [".".join(path.relative_to(ROOT).with_suffix("").parts).removesuffix(".__init__") for path in paths]
    return {name: path for name, path in zip(names, paths, strict=True) if path.exists()}


MODULES = modules()
TREES = {name: ast.parse(path.read_text(encoding="utf-8")) for name, path in MODULES.items()}


def room(name: str) -> str:
    known = [one for one in FLOORS if name == one or (one != "playground" and name.startswith(f"{one}."))]
    return max(known, key=len, default="")


def imports(tree: ast.AST) -> Iterator[str]:
    """Full names of what is imported, a submodule by its own name; type-checking blocks are not run, so not counted."""
    for node in ast.iter_child_nodes(tree):
        if isinstance(node, ast.If) and ast.unparse(node.test) == "TYPE_CHECKING":
            continue
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0 and node.module, "imports name the whole path"
            for alias in node.names:
                inner = f"{node.module}.{alias.name}"
                yield inner if inner in MODULES else node.module
        else:
            yield from imports(node)


def lazy_imports(tree: ast.AST) -> set[str]:
    functions = [node for node in ast.walk(tree) if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)]
    return {found for function in functions for found in imports(function)}


@pytest.mark.parametrize("name", MODULES)
def test_a_module_imports_downwards_only(name: str) -> None:
    here = room(name)
    assert here, f"{name} stands on no floor: add it to FLOORS"
    for found in imports(TREES[name]):
        heavy = found.partition(".")[0]
        if heavy in HEAVY:
            allowed = name.startswith(PAGE) if heavy == "gradio" else int(FLOORS[here]) == HEAVY[heavy]
            assert allowed, f"{name} imports {heavy}"
        if room(found) not in ("", here):
            assert FLOORS[room(found)] < FLOORS[here], f"{name} imports {found}, which is not below it"


def test_no_imports_run_in_a_circle() -> None:
    edges = {name: {found for found in imports(tree) if found in MODULES} for name, tree in TREES.items()}
    done: set[str] = set()

    def walk(name: str, path: tuple[str, ...]) -> None:
        assert name not in path, " -> ".join((*path[path.index(name) :], name))
        if name not in done:
            for found in edges[name]:
                walk(found, (*path, name))
            done.add(name)

    for name in edges:
        walk(name, ())


def test_imports_inside_functions_are_on_the_list_and_the_list_is_not_stale() -> None:
    found = {(name, target) for name, tree in TREES.items() for target in lazy_imports(tree)}
    assert found - LAZY.keys() == set()
    assert LAZY.keys() - found == set()


@pytest.mark.parametrize("name", MODULES)
def test_files_functions_and_names_stay_readable(name: str) -> None:
    lines = MODULES[name].read_text(encoding="utf-8").splitlines()
    assert len(lines) <= 400, f"{name}: {len(lines)} lines"
    assert not lines or ast.get_docstring(TREES[name]), f"{name} does not say what it is for"
    assert FORBIDDEN.isdisjoint(name.split(".")), f"{name} says nothing about what is in it"
    for node in ast.walk(TREES[name]):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            length = (node.end_lineno or 0) - node.lineno + 1
            assert length <= 60, f"{name}.{node.name}: {length} lines"
        assert not isinstance(node, ast.Global), f"{name} keeps state in a global"


@pytest.mark.parametrize("path", sorted((ROOT / "tests").rglob("*.py")), ids=lambda path: path.name)
def test_test_files_stay_readable(path: Path) -> None:
    assert len(path.read_text(encoding="utf-8").splitlines()) <= 400
