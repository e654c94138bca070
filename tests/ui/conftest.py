"""Fixtures of the browser tests: the app as a subprocess, a Chromium, and visitors whose every request is watched."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Callable, Generator, Iterator
from contextlib import AbstractContextManager, ExitStack, contextmanager
from pathlib import Path
from typing import Any, Literal, TypeVar

import pytest
from playwright.sync_api import Browser, ConsoleMessage, Page, expect, sync_playwright

from tests.own_loop import in_own_loop
from tests.ui.events import Stream
from tests.ui.served import SCRIPTED, forked, started

PATIENCE = 60_000  # milliseconds: generous, since nothing here is about speed
# Chromium loads the suggestions of its own address bar for each visitor, which takes the processor a third of the time
# that our page takes. Only the last such list counts, so what playwright switches off follows where it matters here.
SWITCHED_OFF = (
    "WebUIOmniboxPopup,WebUIOmniboxAimPopup,WebUIOmniboxFullPopup,AimEnabled,PreconnectToSearch,OptimizationHints,"
    "NetworkTimeServiceQuerying,MediaRouter,LensOverlay,HttpsUpgrades,HttpsFirstBalancedModeAutoEnable,PaintHolding,"
    "ThirdPartyStoragePartitioning,AvoidUnnecessaryBeforeUnloadCheckSync,DestroyProfileOnBrowserClose"
)

STAYING: set[str] = set()  # servers that are there for all files
FORGET = "localStorage.clear(); sessionStorage.clear();"

FAILED = pytest.StashKey[bool]()  # whether a test has failed
SERVED = pytest.StashKey[list[str]]()  # the servers that are its own

T = TypeVar("T")
Visit = Callable[..., Page]
Site = Callable[..., str]
Open = Callable[..., Stream]


@contextmanager
def staying(server: AbstractContextManager[str]) -> Iterator[str]:
    """A server whose tabs are kept from one file to the next."""
    with server as url:
        STAYING.add(url)
        yield url


def heard(told: AsyncIterator[Any]) -> list[Any]:
    """All that an asynchronous handler tells, to its end."""

    async def listen() -> list[Any]:
        return [one async for one in told]

    return in_own_loop(listen)


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


@pytest.fixture(scope="session", autouse=True)
def _no_loops() -> Iterator[None]:
    """Where no loop runs, Gradio makes one for each of its locks and never closes it; a lock has long needed none."""
    from gradio import queueing, utils

    with pytest.MonkeyPatch.context() as patch:
        for owner in (utils, queueing):
            patch.setattr(owner, "safe_get_lock", asyncio.Lock)
        patch.setattr(utils, "safe_get_stop_event", asyncio.Event)
        yield


@pytest.fixture(scope="session")
def _held(tmp_path_factory: pytest.TempPathFactory) -> Held:
    return Held(tmp_path_factory.mktemp("held") / "seeds")


@pytest.fixture
def hold(_held: Held) -> Iterator[Held]:
    """`hold(0, 3)` holds these seeds, `hold("all")` whatever is drawn; `hold()` and the test's end let all go on."""
    yield _held
    _held()


@pytest.fixture
def stream() -> Iterator[Open]:
    """Opens streams; all are closed in the end."""
    opened: list[Stream] = []

    def open_stream(url: str, **values: object) -> Stream:
        opened.append(Stream(url, **values))
        return opened[-1]

    yield open_stream
    for one in opened:
        one.close()


@pytest.fixture(scope="session")
def starts_server() -> None:
    """Whoever starts a server of ours takes this, which marks his tests as slower than what `make check` runs."""


@pytest.fixture(scope="session")
def scripted(starts_server: None, _held: Held) -> Iterator[str]:
    """The page over a replayed generator."""
    with staying(forked(SCRIPTED, "--hold", str(_held.file))) as url:
        yield url


@pytest.fixture(scope="session")
def tiny_site(tiny_page: str) -> Iterator[str]:
    """The page over the tiny model as a visitor finds it, with both paths."""
    with staying(forked(tiny_page)) as url:
        yield url


@pytest.fixture(scope="session")
def tiny_page(starts_server: None) -> str:
    """The module of the page over the tiny model, to be started with a test's own flags."""
    return "tests.ui.tiny_page"


@pytest.fixture(scope="session")
def embedded_page(starts_server: None, tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The page as a visitor gets it, with the embedded model; nothing is compiled, to spare the tests."""
    folder = str(tmp_path_factory.mktemp("data"))
    with staying(started("app.py", "--data-folder", folder, TORCH_COMPILE_DISABLE="1")) as url:
        yield url


@pytest.fixture(scope="session")
def browser(chromium: str) -> Iterator[Browser]:
    expect.set_options(timeout=PATIENCE)
    with sync_playwright() as driver:
        args = ["--no-sandbox", "--disable-gpu", f"--disable-features={SWITCHED_OFF}"]
        opened = driver.chromium.launch(executable_path=chromium, args=args)
        yield opened
        opened.close()


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item: pytest.Item) -> Generator[None, pytest.TestReport, pytest.TestReport]:
    report = yield
    item.stash[FAILED] = item.stash.get(FAILED, False) or report.failed
    return report


@pytest.fixture
def serve(starts_server: None, request: pytest.FixtureRequest) -> Iterator[Site]:
    """Starts the scripted page with flags of a test's own; it ends after the visitors have left."""
    own = request.node.stash[SERVED] = list[str]()
    with ExitStack() as running:

        def serve(*flags: str) -> str:
            # What opens a link to the outside reads where to find it at import.
            opened = started("-m", SCRIPTED, *flags) if "--share" in flags else forked(SCRIPTED, *flags)
            own.append(running.enter_context(opened))
            return own[-1]

        yield serve


class Tab:
    """A browser's tab. One test after another may take it, each time as a newcomer's: nothing that was kept is left."""

    def __init__(self, browser: Browser, options: dict[str, Any]) -> None:
        self._viewport = options["viewport"]
        self.context = browser.new_context(**options)
        self.context.set_default_timeout(PATIENCE)
        self.page = self.context.new_page()
        self.trouble: list[str] = []
        self._own: tuple[str, ...] = ()
        self.page.on("pageerror", lambda error: self.trouble.append(f"page error: {error}"))
        self.page.on("console", Console(self.page, self._complain).hear)
        self.page.on("request", lambda asked: None if asked.url.startswith(self._own) else self._complain(asked.url))
        self._tools = self.context.new_cdp_session(self.page)
        self._tools.send("Page.enable")

    def _complain(self, trouble: str) -> None:
        self.trouble.append(trouble)

    def enter(self, url: str, trouble: list[str]) -> Page:
        self.trouble, self._own = trouble, (url, "data:", "blob:")
        self.page.set_viewport_size(self._viewport)
        forget = self._tools.send("Page.addScriptToEvaluateOnNewDocument", {"source": FORGET})
        self.page.goto(url)
        self._tools.send("Page.removeScriptToEvaluateOnNewDocument", forget)
        return self.page

    def leave(self) -> bool:
        """Whether somebody else may take it."""
        if self.page.is_closed():
            return False
        for other in self.context.pages:
            if other is not self.page:
                other.close()
        self.page.unroute_all()
        self.context.clear_permissions()
        self.context.clear_cookies()
        self.page.goto("about:blank")
        return True


@pytest.fixture(scope="session")
def _all_tabs(browser: Browser) -> dict[str, list[Tab]]:
    """Tabs that nobody is in, by where they were and how they were opened: a new one costs half as much as a page."""
    return {}


@pytest.fixture(scope="module")
def _tabs(_all_tabs: dict[str, list[Tab]]) -> Iterator[dict[str, list[Tab]]]:
    """The same; with a file go the tabs of its own servers."""
    yield _all_tabs
    for key in [key for key in _all_tabs if json.loads(key)[0] not in STAYING]:
        for tab in _all_tabs.pop(key):
            tab.context.close()


@pytest.fixture
def visit(
    browser: Browser, serve: Site, _tabs: dict[str, list[Tab]], request: pytest.FixtureRequest
) -> Iterator[Visit]:
    """Opens a page as a new visitor; in the end none of them may have failed or asked another host for anything."""
    taken: list[tuple[str, str, Tab]] = []
    trouble: list[str] = []

    def open_page(url: str, *, wait: bool = True, **options: Any) -> Page:
        options = {"locale": "en-US", "viewport": {"width": 1440, "height": 900}, **options}
        key = json.dumps([url, options], sort_keys=True)
        free = _tabs.get(key)
        tab = free.pop() if free else Tab(browser, options)
        taken.append((url, key, tab))
        page = tab.enter(url, trouble)
        if wait:
            expect(page.locator(".chip.ready")).to_be_visible()
            expect(page.locator(".seen-count")).not_to_be_empty()
        return page

    yield open_page
    passed = not request.node.stash.get(FAILED, False)
    for url, key, tab in taken:
        if passed and url not in request.node.stash[SERVED] and "permissions" not in key and tab.leave():
            _tabs.setdefault(key, []).append(tab)
        else:
            tab.context.close()
    assert trouble == []


# English, on Play, fast, with nothing looked for and no seed kept; what was asked of the server since is answered.
BEGIN = """async () => {
  const { on, tell } = await import("playground/page/board.js");
  const { language, setLanguage } = await import("playground/page/language.js");
  const { theme, setTheme } = await import("playground/page/theme.js");
  on("wishing", (now) => { window.wishing = now; }, "desk");
  if (language() !== "en") setLanguage("en");
  if (theme() !== "light") setTheme("light");
  document.querySelector("nav [data-tab=play]").click();
  document.querySelector("[data-path=fast]").click();
  document.querySelector(".seen details").open = false;
  const find = document.querySelector(".kn-find");
  find.value = "";
  find.dispatchEvent(new Event("input", { bubbles: true }));
  tell("knob", { name: "seed", value: -1 });
}"""


@pytest.fixture(scope="module")
def _desk(browser: Browser) -> Iterator[list[Tab]]:
    kept: list[Tab] = []
    yield kept
    for tab in kept:
        tab.context.close()


@pytest.fixture
def desk(browser: Browser, scripted: str, _desk: list[Tab], request: pytest.FixtureRequest) -> Iterator[Page]:
    """The scripted page with an empty free prompt, for promises that need no newcomer: one page for all of a file.

    The runs of the tests before are there behind the newest. After a test that failed a new page is opened.
    """
    trouble: list[str] = []
    if not _desk:
        _desk.append(Tab(browser, {"locale": "en-US", "viewport": {"width": 1440, "height": 900}}))
        _desk[0].enter(scripted, trouble)
    page = _desk[0].page
    _desk[0].trouble = trouble
    page.set_viewport_size({"width": 1440, "height": 900})
    expect(page.locator(".chip.ready")).to_be_visible()
    page.evaluate(BEGIN)
    page.locator(".task-picker").evaluate("picker => { picker.value = 'slogans'; }")
    page.locator("[data-kind=task]").click()
    page.locator("[data-kind=complete]").click()
    page.locator("#prompt").fill("")
    page.wait_for_function("window.wishing === false")
    expect(page.locator(".candidates")).to_have_text("1")
    yield page
    if request.node.stash.get(FAILED, False):
        _desk.pop().context.close()
    assert trouble == []


class Console:
    """Tells what a page reports as an error, but not what Gradio says when it is left in the middle of an answer.

    On leaving, Gradio closes its connections, and then calls each of them broken.
    """

    LEAVING = "the page is left"

    def __init__(self, page: Page, complain: Callable[[str], None]) -> None:
        self._complain = complain
        self._leaving = False
        page.add_init_script(f"addEventListener('beforeunload', () => console.debug({self.LEAVING!r}))")
        page.on("domcontentloaded", self._arrived)

    def hear(self, line: ConsoleMessage) -> None:
        if line.text == self.LEAVING:
            self._leaving = True
        broken = self._leaving and line.text.startswith("Unexpected error Connection errored out")
        if line.type == "error" and not broken and not line.text.startswith("AbortError: signal is aborted"):
            self._complain(line.text)

    def _arrived(self, _: Page) -> None:
        self._leaving = False


def generate(page: Page, patience: float = PATIENCE) -> None:
    """Presses Generate, which marks the page as running at once, and waits for the end of every card."""
    page.locator("button[name=generate]").click()
    expect(page.locator(".act.running")).to_have_count(0, timeout=patience)


def tokens_of(page: Page, number: int = 1) -> Any:
    """The tokens in a card, which shows them from here on."""
    page.locator("[name=as-tokens]").click()
    return card(page, number).locator(".tk-token")


def card(page: Page, number: int = 1) -> Any:
    return page.locator(".card").nth(number - 1)


def body(page: Page, number: int = 1) -> Any:
    return card(page, number).locator(".card-body")
