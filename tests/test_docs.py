"""Documents stay true: paths, links, commands, flags, limits and the file tree are checked against the project."""

from __future__ import annotations

import argparse
import ast
import functools
import importlib.util
import json
import re
import shlex
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from benchmarks import page as page_benchmark
from playground import parameters, settings
from playground.cli import main as cli
from playground.deploy import scale
from tests.test_layers import FLOORS, TREES, imports, room

ROOT = Path(__file__).parent.parent
GENERATED = {"docs/parameters.md", "docs/settings.md", "docs/test-long.md", "docs/engines-report.md"}
PAGES = {f"docs/{page.name}" for page in (ROOT / "docs").glob("*.md")}
WRITTEN = ["README.md", "CONTRIBUTING.md", *sorted(PAGES - GENERATED)]
DOCUMENTS = [*WRITTEN, "CHANGELOG.md", *sorted(GENERATED & PAGES)]
DESIGN = "docs/design.md"
# Flags of other programs that a document shows.
FOREIGN_FLAGS = {
    "--no-deps",
    "--record",
    "--max-logprobs",
    "--logprobs-mode",
    "--enforce-eager",
    "--generation-config",
    "--enable-deterministic-inference",
    "--continuous-batching",
    "--model-path",
    "--parallel",
    "--head",
    "--port",
    "--tensor-parallel-size",
    "--pipeline-parallel-size",
    "--distributed-executor-backend",
}
# Words with too many meanings, or older names of things.
UNCLEAR = re.compile(r"\b(whoever|whomever|told|luck|twins?|wish(es|ed)?)\b", re.IGNORECASE)
FILE = r"[\w./-]*\w\.(?:py|js|cpp|css|html|json|md|toml|txt|yaml)\b"
# What looks like a file of ours and is none.
EXAMPLES = {
    "my_task.yaml", "tokenizer.json", "llama.cpp", "adapter_config.json", "convert_hf_to_gguf.py", "plan.json",
    "state.json", "metrics.jsonl", "samples.jsonl", "log.txt",
}  # fmt: skip


@functools.cache
def read(document: str) -> str:
    return (ROOT / document).read_text(encoding="utf-8")


def blocks(document: str, language: str) -> list[str]:
    return re.findall(rf"^```{language}\n(.*?)^```", read(document), flags=re.MULTILINE | re.DOTALL)


def spans(document: str) -> list[str]:
    """What stands between single backticks, outside of blocks."""
    prose = re.sub(r"^```.*?^```", "", read(document), flags=re.MULTILINE | re.DOTALL)
    return re.findall(r"`([^`\n]+)`", prose)


def commands(document: str) -> list[str]:
    """Each line of a document's shell blocks; continuations joined, comments cut."""
    lines = "\n".join(blocks(document, "bash")).replace("\\\n", " ").splitlines()
    return [line.split("  #")[0].strip() for line in lines if line.strip() and not line.startswith("#")]


def tracked() -> list[str]:
    done = subprocess.run(["git", "ls-files"], cwd=ROOT, capture_output=True, text=True, check=False)
    if done.returncode or not done.stdout:
        pytest.fail("git ls-files says nothing: the tests need the repository")
    return [line for line in done.stdout.splitlines() if (ROOT / line).exists()]


def tree() -> dict[str, str]:
    """Path -> purpose, read from the file tree (two spaces a level, folders end with a slash)."""
    block = next(block for block in blocks(DESIGN, "text") if "app.py" in block)
    found: dict[str, str] = {}
    folders: list[str] = []
    for line in block.splitlines():
        name, _, purpose = line.strip().partition(" ")
        depth = (len(line) - len(line.lstrip())) // 2
        folders = folders[:depth]
        found["".join(folders) + name] = purpose.strip()
        if name.endswith("/"):
            folders.append(name)
    return found


def leaves(listed: dict[str, str]) -> set[str]:
    """Folders that the tree names without naming what is in them: their one line speaks for all of it."""
    return {path for path in listed if path.endswith("/") and not any(o != path and o.startswith(path) for o in listed)}


def anchors(document: str) -> set[str]:
    """The anchors of a document's headings, made as GitHub makes them."""
    headings = re.findall(r"^#+ (.+)$", read(document), flags=re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-") for heading in headings}


def test_the_readme_is_short() -> None:
    assert len(read("README.md").splitlines()) <= 120


def test_the_readme_counts_the_tasks_right() -> None:
    count = len(list((ROOT / "presets").glob("*.yaml")))
    assert count == 22 and "twenty-two tasks" in " ".join(read("README.md").split())


def test_everything_in_the_tree_exists_and_has_a_purpose() -> None:
    listed = tree()
    assert [path for path in listed if not (ROOT / path).exists()] == []
    assert [path for path, purpose in listed.items() if not purpose] == []


def test_every_top_level_entry_and_every_module_is_in_the_tree() -> None:
    listed = tree()
    top = {line.split("/")[0] + ("/" if "/" in line else "") for line in tracked()}
    assert sorted(path for path in top - set(listed) if not path.startswith(".")) == []
    modules = {line for line in tracked() if re.fullmatch(r"playground/[a-z_/]+\.py", line)}
    uncovered = [
        path
        for path in modules
        if path not in listed and not path.endswith("__init__.py") and not path.startswith(tuple(leaves(listed)))
    ]
    assert uncovered == []


def test_the_table_of_floors_is_what_the_layers_are_held_to() -> None:
    rows = re.findall(r"^\| (\d+) \| ([^|]+) \|", read("CONTRIBUTING.md"), flags=re.MULTILINE)
    named = {name: int(floor) for floor, rooms in rows for name in re.findall(r"`([^`]+)`", rooms)}
    shown = {re.sub(r"\.py$|/$", "", name): floor for name, floor in named.items()}
    assert shown == {name.removeprefix("playground."): floor for name, floor in FLOORS.items() if name != "playground"}


@pytest.mark.parametrize("document", DOCUMENTS)
def test_every_link_inside_the_repository_leads_somewhere(document: str) -> None:
    lost = []
    for link in re.findall(r"\]\(([^)\s]+)\)", read(document)):
        if "://" in link:
            continue
        path, _, anchor = link.partition("#")
        target = (ROOT / document).parent / path if path else ROOT / document
        page = target.resolve().relative_to(ROOT.resolve()).as_posix()
        if not target.exists() or (anchor and anchor not in anchors(page)):
            lost.append(link)
    assert lost == []


@pytest.mark.parametrize("document", WRITTEN)
def test_every_file_and_folder_that_a_document_names_exists(document: str) -> None:
    """In prose and in drawings; a path may leave out the folders in front."""
    files = [f"/{path}" for path in tracked()]
    named = [span for span in spans(document) if re.fullmatch(rf"{FILE}|[\w./-]+/", span)]
    for drawing in blocks(document, "mermaid"):
        named += re.findall(rf"{FILE}|\b[a-z_]+/(?=[\"<])", drawing)
    lost = [
        name
        for name in named
        if name not in EXAMPLES
        and not any(f"/{name}" in path if name.endswith("/") else path.endswith(f"/{name}") for path in files)
    ]
    assert lost == []


def test_the_drawing_of_a_request_names_the_modules_on_its_way() -> None:
    drawn = "".join(blocks(DESIGN, "mermaid"))
    assert "generate.py" in drawn and "ui/play.py" in drawn and "generators/local.py" in drawn


def test_an_arrow_between_two_rooms_is_an_import() -> None:
    drawing = next(one for one in blocks(DESIGN, "mermaid") if one.startswith("flowchart"))
    labels = dict(re.findall(r'(\w+)\["([^"]+)"\]', drawing))
    rooms = {node: set(re.findall(r"\b([a-z_]+)(?:/|\.py)", label)) for node, label in labels.items()}
    arrows = re.findall(r"^ +(\w+)(?:\[[^\]]*\])? --> (\w+)", drawing, flags=re.MULTILINE)
    assert len(arrows) > 10
    used = {(room(name), room(target)) for name, tree in TREES.items() for target in imports(tree)}
    used = {(here.removeprefix("playground."), there.removeprefix("playground.")) for here, there in used}
    assert [arrow for arrow in arrows if not used & {(a, b) for a in rooms[arrow[0]] for b in rooms[arrow[1]]}] == []


@pytest.mark.parametrize("document", DOCUMENTS)
def test_every_make_target_that_a_document_names_exists(document: str) -> None:
    targets = set(re.findall(r"^([a-z-]+):", (ROOT / "Makefile").read_text(encoding="utf-8"), flags=re.MULTILINE))
    code = [*commands(document), *spans(document)]
    named = {found for line in code for found in re.findall(r"^make ([a-z][a-z-]*)", line)}
    assert named - targets == set()


@pytest.mark.parametrize("document", WRITTEN)
def test_every_terminal_command_in_a_document_is_understood(document: str) -> None:
    for line in commands(document):
        if "python -m playground " not in line:
            continue
        words = shlex.split(line.split("python -m playground ", 1)[1].split(" | ")[0])
        try:
            given = cli._parser().parse_args(words)
        except SystemExit:
            pytest.fail(f"{document} shows a command that is refused: {line}")
        if words[0] == "generate":
            parameters.validate(cli.given_values(given))


def test_the_documents_show_every_terminal_command_and_no_other() -> None:
    shown = [line for document in WRITTEN for line in (*commands(document), *spans(document))]
    named = {found for line in shown for found in re.findall(r"python -m playground ([a-z]+)", line)}
    assert named == set(subcommands())


@pytest.mark.parametrize("document", WRITTEN)
def test_every_module_that_a_document_runs_exists(document: str) -> None:
    for module in re.findall(r"python -m ([a-z_]+(?:\.[a-z_]+)*)", read(document)):
        assert importlib.util.find_spec(module) is not None, module


@pytest.mark.parametrize("document", WRITTEN)
def test_every_flag_in_a_document_exists(document: str) -> None:
    named = set(re.findall(r"(?<![\w-])--[a-z][a-z-]+", read(document)))
    assert named - known_flags() == set()


def subcommands() -> dict[str, argparse.ArgumentParser]:
    actions = cli._parser()._actions
    return next(dict(one.choices) for one in actions if isinstance(one, argparse._SubParsersAction))


def inner(parser: argparse.ArgumentParser) -> list[argparse.ArgumentParser]:
    """The parser, and those of its own commands."""
    found = [one for one in parser._actions if isinstance(one, argparse._SubParsersAction)]
    return [parser, *(each for one in found for choice in one.choices.values() for each in inner(choice))]


def known_flags() -> set[str]:
    commands = [each for one in subcommands().values() for each in inner(one)]
    parsers = [settings.server_parser(), scale.parser(), page_benchmark.parser(), *commands]
    return FOREIGN_FLAGS | {option for one in parsers for action in one._actions for option in action.option_strings}


def test_server_arguments_in_commands_are_the_servers() -> None:
    known = {option for action in settings.server_parser()._actions for option in action.option_strings}
    for document in WRITTEN:
        for arguments in re.findall(r'make run.*ARGS="([^"]*)"', read(document)):
            assert {word for word in arguments.split() if word.startswith("--")} <= known, document


def test_the_api_page_calls_the_endpoint_with_arguments_that_it_has() -> None:
    from playground.openai_api import fields
    from playground.ui import api

    known = {*api.signature().parameters, "api_name"}
    code = "".join(blocks("docs/api.md", "python"))
    calls = [node for node in ast.walk(ast.parse(code)) if isinstance(node, ast.Call)]
    calls = [call for call in calls if ast.unparse(call.func) in ("client.submit", "client.predict")]
    assert len(calls) >= 2
    assert {keyword.arg for call in calls for keyword in call.keywords} <= known
    to_openai, sent = [json.loads(body) for body in re.findall(r"-d '(\{.*?\})'", read("docs/api.md"))]
    assert set(sent) <= known and set(to_openai) <= fields.names("completions")
    rows = re.findall(r"^\| (`.+?) \|", read("docs/api.md"), flags=re.MULTILINE)
    listed = {name for row in rows for name in re.findall(r"`(\w+)`", row)}
    others = set(api.signature().parameters) - set(parameters.by_name())
    assert others <= listed


def words_of(document: str) -> Iterator[tuple[int, str]]:
    for place, line in enumerate(read(document).splitlines(), start=1):
        yield from ((place, found.group()) for found in UNCLEAR.finditer(line))


@pytest.mark.parametrize("document", WRITTEN)
def test_documents_use_plain_words(document: str) -> None:
    assert list(words_of(document)) == []
