"""What this page works around in Gradio 6.31: the one list, and the only place that changes Gradio's own modules.

tests/ui/test_gradio_workarounds.py shows on Gradio as it comes that each fault is there; where such a test fails,
Gradio may need the workaround no more. `apply` changes, once for a process:

- A stub `.pyi` is written beside the source of every class of a component, also in a folder that is somebody else's.
- Each session gets a configuration of its own: of all elements, with the last values of its visitor.
- An event that cannot be read prints its traceback to the terminal, as often as a visitor likes.

While Gradio is imported here, for the first time in a process (serve.py imports this module before the others):

- Where MCP's SDK is installed, Gradio imports it for a server of its own, which is off here: more than half a second of
  each start.

Elsewhere, since a method of ours or a layer in front of Gradio does it:

- blocks.py: values are searched for objects that name files, which are copied and served (`preprocess_data`,
  `postprocess_data`, `process_api`). Each update is compared with the one before, though ours hold nothing twice
  (`handle_streaming_diffs`). In the newest PROTOCOL gradio_client takes every object with the key `path` for a file
  (`get_config_file`).
- event_queue.py: events run to their end whether or not anybody reads them, with no bound on what is open; a table of
  all events is kept, and gone through at the end of each (`compute_analytics_summary`).
- web_server.py: `mount_gradio_app` leaves `has_launched` unset, and then any file that a value names is read; no more
  than 40 events go on at a time, those that only wait included.
- page.py: an event that came again while its listener with always_last was busy is sent to all its listeners, so that
  two such would set each other off for ever; no event has two (`tests/ui/test_routes.py`).
- element.py: only events that stand as words in the script of an element can be listened to.
- handler_errors.py: of what a handler raises nothing is told, or all.
- routes.py, guard.py: some ninety routes are open, where the page needs twenty.
- call_arguments.py: an argument that does not exist is a fault of the server.
- static_pages.py, document.py: the document and the configuration are made for each request and kept by no browser;
  the document loads a script for frames of Hugging Face and names Gradio to other sites.
- login_routes.py: a logout ends everybody's session. uploads.py: who uploads the same gets the same file.
- scripts/page/gradio.js lists what the page's scripts and style sheets work around.
"""

from __future__ import annotations

import logging
import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path


@contextmanager
def _not_installed(name: str) -> Iterator[None]:
    """Meanwhile an import of this module fails, as if it were not there, unless it was imported before."""
    absent = name not in sys.modules
    if absent:
        sys.modules[name] = None  # type: ignore[assignment]
    try:
        yield
    finally:
        if absent:
            del sys.modules[name]


with _not_installed("mcp"):
    import gradio.queueing
    import gradio.route_utils
    import gradio.routes
    from gradio import component_meta, networking, tunneling
    from gradio.state_holder import SessionState, StateHolder

log = logging.getLogger(__name__)
PROTOCOL = "sse_v2.1"  # in which only what is marked as a file is one; for streams it is like the newest
FOLDER = "GRADIO_TEMP_DIR"


class OneState(StateHolder):
    """One state for all sessions, since none of ours is kept in Gradio."""

    def __init__(self) -> None:
        super().__init__()
        self._shared: SessionState | None = None

    def __getitem__(self, session_id: str) -> SessionState:
        if self._shared is None:
            self._shared = SessionState(self.blocks)
        return self._shared


class _Logged:
    """Stands for the module `traceback` in Gradio's own."""

    @staticmethod
    def print_exc() -> None:
        log.error("An event failed", exc_info=True)


def apply() -> None:
    """To be called before a class of a component is defined, and before a page is made."""
    component_meta.create_or_modify_pyi = lambda *_: None
    gradio.routes.StateHolder = OneState
    for module in (gradio.queueing, gradio.routes, gradio.route_utils):
        module.traceback = _Logged


def write_below(folder: Path) -> None:
    """From now on Gradio writes there, and not for all users of this machine; to be called before a page is made, since
    it writes then already."""
    os.environ[FOLDER] = gradio.routes.DEFAULT_TEMP_DIR = str(folder / "gradio")


def certificate_below(folder: Path) -> None:
    """From now on the certificate of a tunnel is written there, and not into the working folder."""
    for module in (networking, tunneling):
        module.CERTIFICATE_PATH = str(folder / "tunnel" / "certificate.pem")
