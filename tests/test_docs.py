"""Documents that cannot rot: the README's tree, commands, links and names are checked against the project itself."""

import re
import shlex
import subprocess
from pathlib import Path

import pytest

from playground import parameters, settings
from playground.cli import main as cli

ROOT = Path(__file__).parent.parent
README = (ROOT / "README.md").read_text(encoding="utf-8")
DOCUMENTS = ("README.md", "CONTRIBUTING.md", "CHANGELOG.md")


def tracked() -> list[str]:
    done = subprocess.run(["git", "ls-files"], cwd=ROOT, capture_output=True, text=True, check=False)
    if done.returncode or not done.stdout:
        pytest.fail("git ls-files says nothing: the tests need the repository")
    return [line for line in done.stdout.splitlines() if (ROOT / line).exists()]


def code_blocks() -> list[str]:
    return re.findall(r"^```(?:bash|sh)?\n(.*?)^```", README, flags=re.MULTILINE | re.DOTALL)


def commands() -> list[str]:
    """Each line of the README's shell blocks, continuations joined, comments cut."""
    lines = "\n".join(code_blocks()).replace("\\\n", " ").splitlines()
    return [line.split("  #")[0].strip() for line in lines if line.strip() and not line.startswith("#")]


def tree() -> dict[str, str]:
    """Path -> purpose, read from the README's file tree (two spaces a level, folders end with a slash)."""
    block = next(block for block in re.findall(r"^```text\n(.*?)^```", README, flags=re.M | re.S) if "app.py" in block)
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


def test_everything_in_the_tree_exists_and_has_a_purpose() -> None:
    listed = tree()
    assert [path for path in listed if not (ROOT / path).exists()] == []
    assert [path for path, purpose in listed.items() if not purpose] == []


def test_every_top_level_entry_and_every_module_is_in_the_tree() -> None:
    listed = tree()
    top = {line.split("/")[0] + ("/" if "/" in line else "") for line in tracked()}
    assert sorted(name for name in top - set(listed) if not name.startswith(".")) == []
    modules = {line for line in tracked() if re.fullmatch(r"playground/[a-z_/]+\.py", line)}
    uncovered = [
        path
        for path in modules
        if path not in listed and not path.endswith("__init__.py") and f"{Path(path).parent}/" not in leaves(listed)
    ]
    assert uncovered == []


def leaves(listed: dict[str, str]) -> set[str]:
    """Folders that the tree names without naming what is in them: their one line speaks for all of it."""
    return {path for path in listed if path.endswith("/") and not any(o != path and o.startswith(path) for o in listed)}


def test_every_make_target_that_documents_name_exists() -> None:
    targets = set(re.findall(r"^([a-z-]+):", (ROOT / "Makefile").read_text(encoding="utf-8"), flags=re.MULTILINE))
    for document in DOCUMENTS:
        named = set(re.findall(r"\bmake ([a-z][a-z-]+)", (ROOT / document).read_text(encoding="utf-8")))
        assert named & {"run", "test", "test-long", "lint", "clean", "bench"} <= targets, document


def test_every_terminal_command_in_the_readme_is_understood() -> None:
    lines = [line for line in commands() if "python -m playground " in line]
    assert len(lines) >= 4
    for line in lines:
        words = shlex.split(line.split("python -m playground ", 1)[1].split(" | ")[0])
        try:
            given = cli._parser().parse_args(words)
        except SystemExit:
            pytest.fail(f"the README shows a command that is refused: {line}")
        if words[0] == "generate":
            parameters.validate(cli.given_values(given))


def test_every_server_flag_in_the_readme_exists() -> None:
    known = {option for action in settings.server_parser()._actions for option in action.option_strings}
    for arguments in re.findall(r'ARGS="([^"]*)"', README):
        assert {word for word in arguments.split() if word.startswith("--")} <= known


@pytest.mark.parametrize("document", DOCUMENTS)
def test_every_link_inside_the_repository_leads_somewhere(document: str) -> None:
    text = (ROOT / document).read_text(encoding="utf-8")
    links = [link.split("#")[0] for link in re.findall(r"\]\(([^)]+)\)", text) if "://" not in link]
    assert [link for link in links if link and not (ROOT / link).exists()] == []


def test_every_file_named_in_contributing_exists() -> None:
    text = (ROOT / "CONTRIBUTING.md").read_text(encoding="utf-8")
    named = re.findall(r"`((?:playground|tests|presets|docs)/[\w./]+)`", text)
    assert named
    assert [path for path in named if not (ROOT / path).exists()] == []
