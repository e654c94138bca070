"""Promises of the house: modules import downwards only, heavy libraries stay in their rooms, files stay readable."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
# A room is a folder of the package, or a module beside the folders. A module imports only from its own room and from
# rooms with a lower number; so rooms with the same number do not import each other.
FLOORS: dict[str, int] = {
    "playground.amounts": 0,
    "playground.leave": 0,
    "playground.one_state": 0,
    "playground.thinking": 0,
    "playground.token_rate": 0,
    "playground.token_views": 0,
    "playground.visitor": 0,
    "playground.waiting": 0,
    "playground.types": 1,
    "playground.conversation": 2,
    "playground.field_titles": 2,
    "playground.inspection_results": 2,
    "playground.isolation": 2,
    "playground.machine": 2,
    "playground.run": 2,
    "playground.settings": 2,
    "playground": 3,
    "playground.kernels": 3,
    "playground.models": 3,
    "playground.parameters": 3,
    "playground.rendering": 3,
    "playground.tables": 3,
    "playground.wire_format": 3,
    "playground.sampling": 4,
    "playground.storage": 4,
    "playground.tasks": 4,
    "playground.decoding": 5,
    "playground.evaluation": 5,
    "playground.fast": 6,
    "playground.generators": 7,
    "playground.generate": 8,
    "playground.inspection": 8,
    "playground.batch": 9,
    "playground.serving": 9,
    "playground.training": 9,
    "playground.jobs": 10,
    "playground.mcp_server": 10,
    "playground.openai_api": 10,
    "playground.cli": 11,
    "playground.ui": 11,
    "playground.__main__": 12,
    "playground.deploy": 12,
    "app": 12,
}
# The rooms that import a heavy library. Nothing of ours imports accelerate: transformers does, where a model is spread.
HEAVY: dict[str, set[str]] = {
    "torch": {
        "playground.decoding",
        "playground.fast",
        "playground.generators",
        "playground.inspection",
        "playground.kernels",
        "playground.models",
        "playground.sampling",
        "playground.training",
    },
    "transformers": {
        "playground.decoding",
        "playground.fast",
        "playground.inspection",
        "playground.models",
        "playground.rendering",
        "playground.sampling",
        "playground.training",
    },
    "accelerate": set(),
    "gradio": {"playground.ui"},
    "peft": {"playground.training"},
}
FORBIDDEN = {"utils", "helpers", "common", "manager", "misc", "core", "shared"}
# Imports inside a function, as (module, what it imports): each has its reason.
LAZY = {
    ("playground.models.embedded", "playground.models.convert"): "torch, only when there is something to convert",
    ("playground.models.recipe_files", "playground.models.convert"): "torch, only when there is something to convert",
    ("playground.tasks.keyword_runs", "rjieba"): "a dictionary, only for a text in Chinese",
    ("playground.kernels.build", "torch.utils"): "torch's own compiler, only when there is something to build",
    ("playground.cli.export_command", "playground.training.learned_export"): "torch, when there is something to write",
    ("playground.cli.main", "playground.generators.local"): "torch, only when a command needs a model",
    ("playground.cli.main", "playground.generators.remote.opening"): "torch, only when a command needs an engine",
    ("playground.inspection.inspect_api", "playground.inspection.reading"): "torch, only when something is asked",
    ("playground.inspection.inspect_api", "playground.inspection.run_queries"): "torch, only when something is asked",
    ("playground.inspection.inspect_api", "playground.inspection.token_logprobs"): "torch, only when asked",
    ("playground.inspection.inspect_api", "playground.inspection.trace_file"): "torch, only when something is asked",
    ("playground.serving.local_tools", "playground.generators.estimate"): "torch, only when something is asked",
    ("playground.serving.local_tools", "playground.models.download"): "the hub's client, when a model is fetched",
    ("playground.serving.local_tools", "playground.models.free_memory"): "torch, only when something is asked",
    ("playground.serving.local_tools", "playground.models.hub"): "beside the download",
    ("playground.serving.local_tools", "playground.models.recipe_files"): "beside the download",
    ("playground.serving.local_tools", "playground.models.recipes"): "beside the download",
    ("playground.serving.local_tools", "playground.models.whereabouts"): "beside the download",
    ("playground.training.__main__", "playground.training.estimate"): "torch, once there is something to measure",
    ("playground.training.__main__", "playground.training.process"): "torch, once it is a training's turn",
    ("playground.training.adapter_weights", "peft"): "optional: without it the rest works",
    ("playground.ui.mcp_endpoint", "playground.mcp_server.server"): "MCP's SDK, with the first request of an agent",
    ("playground.ui.model_host", "playground.generators.opening"): "torch, while the page is already there",
    ("playground.ui.model_host", "playground.generators.remote.opening"): "torch, while the page is already there",
    ("playground.ui.model_host", "playground.kernels.build"): "torch, while the page is already there",
    ("playground.ui.model_host", "playground.models"): "torch, while the page is already there",
}


def modules() -> dict[str, Path]:
    paths = [ROOT / "app.py", *sorted((ROOT / "playground").rglob("*.py"))]
    names = [".".join(path.relative_to(ROOT).with_suffix("").parts).removesuffix(".__init__") for path in paths]
    return {name: path for name, path in zip(names, paths, strict=True) if path.exists()}


MODULES = modules()
TREES = {name: ast.parse(path.read_text(encoding="utf-8")) for name, path in MODULES.items()}


def room(name: str) -> str:
    return ".".join(name.split(".")[:2])


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


def test_every_room_has_a_floor_and_every_floor_is_of_a_room_that_exists() -> None:
    assert FLOORS.keys() == {room(name) for name in MODULES}


@pytest.mark.parametrize("name", MODULES)
def test_a_module_imports_downwards_only(name: str) -> None:
    here = room(name)
    for found in imports(TREES[name]):
        if found in MODULES and room(found) != here:
            assert FLOORS[room(found)] < FLOORS[here], f"{name} imports {found}, which is not below it"


def test_heavy_libraries_are_imported_in_their_rooms_only_and_the_list_is_not_stale() -> None:
    found: dict[str, set[str]] = {library: set() for library in HEAVY}
    for name, tree in TREES.items():
        for library in {one.partition(".")[0] for one in imports(tree)} & HEAVY.keys():
            found[library].add(room(name))
    assert found == HEAVY


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
