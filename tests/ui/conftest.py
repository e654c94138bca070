"""Fixtures of the browser tests: the app as a subprocess, a Chromium, and visitors whose every request is watched."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from pathlib import Path
from typing import Any, Literal

import pytest
from playwright.sync_api import Browser, BrowserContext, ConsoleMessage, Page, expect, sync_playwright

from tests.ui.served import SCRIPTED, forked, started

PATIENCE = 60_000  # milliseconds: generous, since nothing here is about speed

Visit = Callable[..., Page]
Site = Callable[..., str]


def heard(told: AsyncIterator[Any]) -> list[Any]:
    """All that an asynchronous handler tells, to its end."""

    async def listen() -> list[Any]:
        return [one async for one in told]

    # In a thread of its own: the one of a browser test has a loop running already.
    with ThreadPoolExecutor(1) as own:
        return own.submit(asyncio.run, listen()).result()


class Held:
    """Seeds whose texts go no further than their first words, told by a file, so that nothing is a matter of speed."""

    def __init__(self, file: Path) -> None:
        self.file = file
        self()

    def __call__(self, *seeds: int | Literal["all"]) -> None:
        """These and no others."""
        written = self.file.with_suffix(".new")
        written.write_text(" ".join(map(str, seeds)))
        written.replace(self.file)  # at once: a text looks at it at any moment


@pytest.fixture(scope="session")
def _held(tmp_path_factory: pytest.TempPathFactory) -> Held:
    return Held(tmp_path_factory.mktemp("held") / "seeds")


@pytest.fixture
def hold(_held: Held) -> Iterator[Held]:
    """`hold(0, 3)` holds these seeds, `hold("all")` whatever is drawn; `hold()` and the test's end let all go on."""
    yield _held
    _held()


@pytest.fixture(scope="session")
def scripted(_held: Held) -> Iterator[str]:
    """The page over a replayed generator."""
    with forked(SCRIPTED, "--hold", str(_held.file)) as url:
        yield url


@pytest.fixture(scope="session")
def embedded_page(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The page as a visitor gets it, with the embedded model; nothing is compiled, to spare the tests."""
    folder = str(tmp_path_factory.mktemp("data"))
    with started("app.py", "--data-folder", folder, TORCH_COMPILE_DISABLE="1") as url:
        yield url


@pytest.fixture(scope="session")
def browser(chromium: str) -> Iterator[Browser]:
    expect.set_options(timeout=PATIENCE)
    with sync_playwright() as driver:
        opened = driver.chromium.launch(executable_path=chromium, args=["--no-sandbox", "--disable-gpu"])
        yield opened
        opened.close()


@pytest.fixture
def serve() -> Iterator[Site]:
    """Starts the scripted page with flags of a test's own; it ends after the visitors have left."""
    with ExitStack() as running:

        def serve(*flags: str) -> str:
            # What opens a link to the outside reads where to find it at import.
            opened = started("-m", SCRIPTED, *flags) if "--share" in flags else forked(SCRIPTED, *flags)
            return running.enter_context(opened)

        yield serve


@pytest.fixture
def visit(browser: Browser, serve: Site) -> Iterator[Visit]:
    """Opens a page as a new visitor; in the end none of them may have failed or asked another host for anything."""
    contexts: list[BrowserContext] = []
    trouble: list[str] = []

    def open_page(url: str, *, wait: bool = True, **options: Any) -> Page:
        options = {"locale": "en-US", "viewport": {"width": 1440, "height": 900}, **options}
        own = (url, "data:", "blob:")
        context = browser.new_context(**options)
        context.set_default_timeout(PATIENCE)
        contexts.append(context)
        page = context.new_page()
        page.on("pageerror", lambda error: trouble.append(f"page error: {error}"))
        page.on("console", Console(page, trouble).hear)
        page.on("request", lambda asked: None if asked.url.startswith(own) else trouble.append(asked.url))
        page.goto(url)
        if wait:
            expect(page.locator(".chip.ready")).to_be_visible()
            expect(page.locator(".seen-count")).not_to_be_empty()
        return page

    yield open_page
    for context in contexts:
        context.close()
    assert trouble == []


class Console:
    """Collects what a page reports as an error, but not what Gradio says when it is left in the middle of an answer.

    On leaving, Gradio closes its connections, and then calls each of them broken.
    """

    LEAVING = "the page is left"

    def __init__(self, page: Page, trouble: list[str]) -> None:
        self._trouble = trouble
        self._leaving = False
        page.add_init_script(f"addEventListener('beforeunload', () => console.debug({self.LEAVING!r}))")
        page.on("domcontentloaded", self._arrived)

    def hear(self, line: ConsoleMessage) -> None:
        if line.text == self.LEAVING:
            self._leaving = True
        broken = self._leaving and line.text.startswith("Unexpected error Connection errored out")
        if line.type == "error" and not broken and not line.text.startswith("AbortError: signal is aborted"):
            self._trouble.append(line.text)

    def _arrived(self, _: Page) -> None:
        self._leaving = False


def generate(page: Page, patience: float = PATIENCE) -> None:
    """Presses Generate, which marks the page as running at once, and waits for the end of every card."""
    page.locator("button[name=generate]").click()
    expect(page.locator(".act.running")).to_have_count(0, timeout=patience)


def card(page: Page, number: int = 1) -> Any:
    return page.locator(".card").nth(number - 1)


def body(page: Page, number: int = 1) -> Any:
    return card(page, number).locator(".card-body")
