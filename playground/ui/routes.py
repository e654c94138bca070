"""Which requests reach Gradio's app at all: a list of what the page, `gradio_client` and curl need, nothing else.

Knows no handler. What is not listed is answered with 404, so a route that a new version of Gradio adds is off.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

_READ = frozenset({"GET", "HEAD"})
_NAME = r"(?!\.)[A-Za-z0-9_.-]+"  # no ".." among them
_FILE = rf"{_NAME}(?:/{_NAME})*"  # below one of Gradio's own folders, which checks that it stays there
API = "/gradio_api"


@dataclass(frozen=True, slots=True)
class Route:
    """Requests by their methods and the whole path behind the root path. `starts` marks what begins new work."""

    methods: frozenset[str]
    path: re.Pattern[str]
    starts: bool = False

    def matches(self, method: str, path: str) -> bool:
        return method in self.methods and self.path.fullmatch(path) is not None


def _reads(*paths: str) -> Iterator[Route]:
    return (Route(_READ, re.compile(path)) for path in paths)


def _posts(*paths: str, starts: bool = False) -> Iterator[Route]:
    return (Route(frozenset({"POST"}), re.compile(path), starts) for path in paths)


JOIN = f"{API}/queue/join"
MCP = "/mcp"
ALLOWED: tuple[Route, ...] = (
    *_reads("/", "/config", r"/theme\.css", r"/favicon\.ico", r"/robots\.txt"),
    *_reads(f"/assets/{_FILE}", f"/static/{_FILE}", f"/page/{_FILE}"),
    *_reads(f"{API}/info", f"{API}/app_id", f"{API}/queue/data", f"{API}/heartbeat/{_NAME}"),
    *_reads(f"{API}/call/(?:v2/)?{_NAME}/{_NAME}"),
    # mcp_endpoint.py answers these, with a key in place of the login.
    *_reads(MCP),
    Route(frozenset({"DELETE"}), re.compile(MCP)),
    *_posts(MCP, starts=True),
    *_posts(JOIN, f"{API}/call/(?:v2/)?{_NAME}", starts=True),
    # Stop and its like go past the queue, so they are taken while the server stops.
    *_posts(f"{API}/run/predict", f"{API}/cancel", f"{API}/reset"),
)


def find(method: str, path: str, allowed: Iterable[Route] = ALLOWED) -> Route | None:
    """The route that this request is for; None where there is none."""
    return next((route for route in allowed if route.matches(method, path)), None)


def path_of(root_path: str) -> str:
    """The path of GRADIO_ROOT_PATH, which may be a whole URL."""
    path = root_path if root_path.startswith("/") else "/".join(["", *root_path.split("/")[3:]])
    return path.rstrip("/")
