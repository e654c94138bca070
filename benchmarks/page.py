"""What a visit weighs and how long the page takes in Chromium: `python -m benchmarks.page`, beside another checkout of
the project with `--against FOLDER`.

Each round is a browser of its own for each page, in turns: a first visit, with nothing kept, and later ones, for which
the browser has kept what it may. A visit ends once the page is usable: Generate and the form that the page begins with
stand, no request is open, and nothing has come for a second. Bytes are those on the wire, heads included; script is the
time in JavaScript, work all that of the page's main thread, as DevTools count them. Of what is measured beside another
checkout, only the ratio carries to another machine.
"""

from __future__ import annotations

import argparse
import tempfile
import time
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from statistics import median
from typing import Any
from urllib.parse import urlsplit

from playwright.sync_api import BrowserContext, CDPSession, Playwright, sync_playwright

from benchmarks.figure import Figure
from benchmarks.machine import ROOT
from benchmarks.server import App, app
from tests import chromium

USABLE = ("#act [name=generate]", "#compose .fields :is(input, textarea, select)")
HEARTBEAT = "/heartbeat/"  # is open for as long as the page is
STREAM = "/queue/data"  # the answers to events
GRADIO = "/assets/"  # where Gradio serves its own files
QUIET = 1.0  # seconds in which nothing comes and nothing is asked for
PATIENCE = 30.0
ROUNDS, LATER = 5, 3
_ARGUMENTS = ["--no-sandbox", "--disable-gpu"]


@dataclass(frozen=True, slots=True)
class Visit:
    """Bytes on the wire, requests that reached the server, and seconds."""

    gradio: int
    ours: int
    requests: int
    script: float
    work: float


@dataclass(frozen=True, slots=True)
class Round:
    """The first visit of a browser, and those after it."""

    first: Visit
    later: Sequence[Visit]


@dataclass  # without slots: playwright sets attributes on whoever listens
class Traffic:
    """The requests of one visit, as DevTools tell of them; what a browser has kept does not reach the server."""

    urls: dict[str, str] = field(default_factory=dict)
    kept: set[str] = field(default_factory=set)
    ended: set[str] = field(default_factory=set)
    weights: Counter[str] = field(default_factory=Counter)
    changed: float = 0.0

    def begun(self, event: Mapping[str, Any]) -> None:
        url = event["request"]["url"]
        if url.startswith("http") and HEARTBEAT not in url:
            self.urls[event["requestId"]] = url
            self.changed = time.monotonic()

    def answered(self, event: Mapping[str, Any]) -> None:
        """The head of an answer is there."""
        if event["response"].get("fromDiskCache"):
            self.kept.add(event["requestId"])
        self.weights[event["requestId"]] = int(event["response"]["encodedDataLength"])

    def remembered(self, event: Mapping[str, Any]) -> None:
        self.kept.add(event["requestId"])

    def received(self, event: Mapping[str, Any]) -> None:
        if event["requestId"] in self.urls:
            self.weights[event["requestId"]] += int(event["encodedDataLength"])
            self.changed = time.monotonic()

    def finished(self, event: Mapping[str, Any]) -> None:
        """Also a stream that the page has read enough of, which DevTools take for a failure without a length."""
        name = event["requestId"]
        self.ended.add(name)
        self.weights[name] = max(self.weights[name], int(event.get("encodedDataLength", 0)))
        self.changed = time.monotonic()

    @property
    def open(self) -> list[str]:
        """Gradio's page may open a stream for what has been answered already, which then stays open for long."""
        return [url for name, url in self.urls.items() if name not in self.ended and STREAM not in url]

    @property
    def quiet(self) -> bool:
        return not self.open and time.monotonic() - self.changed > QUIET

    def visit(self, script: float, work: float) -> Visit:
        """What all of it came to."""
        sent = self.urls.keys() - self.kept
        gradio = {name for name in sent if urlsplit(self.urls[name]).path.startswith(GRADIO)}
        ours = sum(self.weights[name] for name in sent - gradio)
        return Visit(sum(self.weights[name] for name in gradio), ours, len(sent), script, work)


def visit(browser: BrowserContext, url: str) -> Visit:
    """One visit in a tab of its own, up to where the page is usable."""
    tab = browser.new_page()
    tools = browser.new_cdp_session(tab)
    traffic = Traffic()
    heard: dict[str, Callable[[Any], None]] = {
        "Network.requestWillBeSent": traffic.begun,
        "Network.responseReceived": traffic.answered,
        "Network.requestServedFromCache": traffic.remembered,
        "Network.dataReceived": traffic.received,
        "Network.loadingFinished": traffic.finished,
        "Network.loadingFailed": traffic.finished,
    }
    for name, listener in heard.items():
        tools.on(name, listener)
    tools.send("Network.enable")
    tools.send("Performance.enable")
    tab.goto(url)
    for selector in USABLE:
        tab.locator(selector).first.wait_for(timeout=PATIENCE * 1000)
    until = time.monotonic() + PATIENCE
    while not traffic.quiet:
        if time.monotonic() > until:
            raise TimeoutError(f"These requests do not end: {' '.join(traffic.open)}")
        tab.wait_for_timeout(50)
    found = traffic.visit(*_seconds(tools))
    tab.close()
    return found


def _seconds(tools: CDPSession) -> tuple[float, float]:
    metrics = {one["name"]: one["value"] for one in tools.send("Performance.getMetrics")["metrics"]}
    return metrics["ScriptDuration"], metrics["TaskDuration"]


@contextmanager
def _browser(driver: Playwright, executable: str) -> Iterator[BrowserContext]:
    """One that has never been here, with a folder in which it keeps what it may."""
    with tempfile.TemporaryDirectory() as folder:
        opened = driver.chromium.launch_persistent_context(folder, executable_path=executable, args=_ARGUMENTS)
        try:
            yield opened
        finally:
            opened.close()


def rounds(pages: Sequence[App], count: int = ROUNDS, later: int = LATER) -> list[list[Round]]:
    """For each page its rounds; a round goes through all pages. One before them is not counted.

    Raises RuntimeError without a Chromium.
    """
    executable = chromium.find()
    if executable is None:
        raise RuntimeError("There is no Chromium on this machine: make chromium")
    found: list[list[Round]] = [[] for _ in pages]
    with sync_playwright() as driver:
        for _ in range(count + 1):
            for page, its in zip(pages, found, strict=True):
                with _browser(driver, executable) as browser:
                    visits = [visit(browser, page.url) for _ in range(later + 1)]
                its.append(Round(visits[0], visits[1:]))
    return [its[1:] for its in found]


FIGURES: Mapping[str, Callable[[Round], float]] = {
    "first visit, kB of Gradio's": lambda one: one.first.gradio / 1000,
    "first visit, kB of ours": lambda one: one.first.ours / 1000,
    "first visit, requests": lambda one: one.first.requests,
    "second visit, kB of Gradio's": lambda one: one.later[0].gradio / 1000,
    "second visit, kB of ours": lambda one: one.later[0].ours / 1000,
    "second visit, requests": lambda one: one.later[0].requests,
    "first visit, script, ms": lambda one: one.first.script * 1000,
    "first visit, work, ms": lambda one: one.first.work * 1000,
    "later visits, script, ms": lambda one: median(visit.script for visit in one.later) * 1000,
    "later visits, work, ms": lambda one: median(visit.work for visit in one.later) * 1000,
}


def table(here: Sequence[Round], other: Sequence[Round] | None = None) -> list[str]:
    """A line a figure; with another page, its own and how much of it this one's is, round by round."""
    names = ("this", "the other", "ratio") if other is not None else ("this",)
    lines = [
        f"median of {len(here)} rounds (lowest, highest), {len(here[0].later)} later visits each",
        " " * 30 + "".join(f"{name:<26}" for name in names).rstrip(),
    ]
    for name, of in FIGURES.items():
        figures = [Figure.of(of(one) for one in here)]
        if other is not None:
            pairs = [(of(one), of(two)) for one, two in zip(here, other, strict=True)]
            figures.append(Figure.of(two for _, two in pairs))
            if all(two for _, two in pairs):
                figures.append(Figure.of(one / two for one, two in pairs))
        lines.append(f"{name:<30}" + "".join(f"{one!s:<26}" for one in figures).rstrip())
    return lines


def parser() -> argparse.ArgumentParser:
    """What the command understands."""
    made = argparse.ArgumentParser(prog="python -m benchmarks.page", description=__doc__, allow_abbrev=False)
    made.add_argument("--against", metavar="FOLDER", type=Path, help="another checkout, such as the commit before")
    made.add_argument("--rounds", type=int, default=ROUNDS)
    return made


def _main() -> None:
    given = parser().parse_args()
    folders = [ROOT] if given.against is None else [ROOT, given.against]
    with ExitStack() as stack:
        pages = [stack.enter_context(app(folder=folder)) for folder in folders]
        for page in pages:
            page.rest()
        found = rounds(pages, given.rounds)
    print("\n".join(table(*found)))


if __name__ == "__main__":
    _main()
