"""What is worked around is there in Gradio as it comes. Where a test here fails, a workaround may have had its time:
see playground/ui/gradio_workarounds.py, or scripts/page/gradio.js for what a browser shows."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page, expect

from playground.ui import gradio_workarounds
from tests.ui import plain_gradio
from tests.ui.conftest import PATIENCE
from tests.ui.served import ROOT, free_port, wait_for

PLAIN = "tests.ui.plain_gradio"
UI = ROOT / "playground" / "ui"
CHANGED = (
    plain_gradio.writes_a_stub_beside_a_component,
    plain_gradio.copies_the_page_for_each_session,
    plain_gradio.prints_a_traceback_of_what_cannot_be_read,
    plain_gradio.writes_a_certificate_into_the_working_folder,
)
NAMED = [fault.__name__ for fault in plain_gradio.FAULTS]


def found(folder: Path, *flags: str) -> dict[str, str]:
    """What a Gradio of its own does: here ours has been changed already."""
    command = [sys.executable, "-m", PLAIN, str(folder), *flags]
    environment = {**os.environ, "GRADIO_TEMP_DIR": str(folder / "gradio"), "GRADIO_ANALYTICS_ENABLED": "False"}
    told = subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True, check=True)
    answer: dict[str, str] = json.loads(told.stdout.splitlines()[-1])
    return answer


@pytest.fixture(scope="module")
def plain(starts_server: None, tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    return found(tmp_path_factory.mktemp("plain"))


@pytest.mark.parametrize("fault", NAMED)
def test_gradio_needs_each_workaround(plain: dict[str, str], fault: str) -> None:
    assert plain[fault] == "True", f"Gradio changed: look at what stands for “{fault}” in gradio_workarounds.py"


def test_what_is_changed_in_gradio_is_gone(starts_server: None, tmp_path: Path) -> None:
    names = [fault.__name__ for fault in CHANGED]
    assert found(tmp_path, "--changed", *names) == dict.fromkeys(names, "False")


def test_the_protocol_of_agents_is_imported_by_gradio_and_not_by_a_page_that_nobody_asks(starts_server: None) -> None:
    def imports_it(module: str) -> str:
        command = [sys.executable, "-c", f"import sys, {module}; print('mcp.server' in sys.modules)"]
        return subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True).stdout.strip()

    assert (imports_it("gradio"), imports_it("playground.ui.serve")) == ("True", "False")


def test_the_lists_name_files_that_are_there() -> None:
    lists = f"{gradio_workarounds.__doc__}\n{(UI / 'scripts/page/gradio.js').read_text(encoding='utf-8')}"
    listed = set(re.findall(r"[\w/]+\.(?:py|js|css)\b", lists))
    assert {"blocks.py", "guard.py", "static_pages.py", "connection.js", "page.css"} <= listed
    places = (ROOT, UI, UI / "scripts", UI / "scripts" / "page", UI / "assets")
    assert [name for name in listed if not any((place / name).is_file() for place in places)] == []


def test_only_this_module_changes_gradios_own() -> None:
    sets = re.compile(
        r"^\s*(?:gradio\.[\w.]+|component_meta\.\w+|routes\.[A-Z]\w+|\w+\.traceback|networking\.\w+|tunneling\.[A-Z_]+)"
        r" = |setattr\(", re.MULTILINE
    )  # fmt: skip
    sources = {path.name for path in UI.glob("*.py") if sets.search(path.read_text(encoding="utf-8"))}
    assert sources == {"gradio_workarounds.py"}


@contextmanager
def plain_server(port: int) -> Iterator[None]:
    command = [sys.executable, "-m", PLAIN, "--port", str(port)]
    quiet = {**os.environ, "GRADIO_ANALYTICS_ENABLED": "False"}
    with subprocess.Popen(command, cwd=ROOT, env=quiet, stderr=subprocess.DEVNULL) as process:
        try:
            wait_for(f"http://127.0.0.1:{port}", lambda: process.poll() is not None)
            yield
        finally:
            process.kill()


@pytest.fixture(scope="module")
def port() -> int:
    return free_port()


@pytest.fixture
def visitor(browser: Browser, starts_server: None, port: int) -> Iterator[Page]:
    context = browser.new_context(locale="en-US")
    context.set_default_timeout(PATIENCE)
    yield context.new_page()
    context.close()


@pytest.mark.browser
def test_gradios_page_needs_what_our_scripts_do(visitor: Page, port: int) -> None:
    page = visitor
    with plain_server(port):
        page.goto(f"http://127.0.0.1:{port}")
        expect(page.locator("#element")).to_contain_text("came")  # address.js: the title comes last
        expect(page).to_have_title("Of Gradio")
        page.evaluate("window.tell('say')")  # path_choice.js: what the script set has been set back
        expect(page.locator("#said textarea")).to_have_value("The value is came.")
        page.evaluate("window.tell('fail')")  # page.css: whatever fails is a toast
        expect(page.locator(".toast-wrap")).to_contain_text("A sentence.")
        page.evaluate("window.stayed = true")
    page.evaluate("window.tell('say')")  # connection.js: a server that is gone, in words of Gradio's
    expect(page.locator(".toast-wrap")).to_contain_text("Connection to the server was lost.")
    with plain_server(port):
        page.wait_for_function("window.stayed === undefined")  # connection.js: and the page is loaded anew
