"""Starts the server: opens the page, then the model in a thread, says where all of it is, and ends it in order.

Knows no element. The page is up before the model is loaded.
"""

from __future__ import annotations

import socket
import sys
import threading
import time
from collections.abc import Sequence
from dataclasses import replace

from playground.machine.run_folder import RunFolder
from playground.openai_api.server import OpenAIServer
from playground.settings import Settings, from_arguments
from playground.types import PlaygroundError
from playground.ui import error_log, gradio_workarounds, public_link
from playground.ui.allowed_hosts import AllowedHosts
from playground.ui.mcp_endpoint import HostRunner
from playground.ui.model_host import ModelHost, OpenGenerator, open_local
from playground.ui.owner import Owner
from playground.ui.page import Page
from playground.ui.run_stream import api_runs
from playground.ui.shutdown import Shutdown
from playground.ui.web_server import Server, gradio_folder, listen

_PAUSE, _ANSWERS = 15.0, 8.0  # seconds at most for rows in play, and for answers that are on their way
_LOOK = 0.05


def main(argv: Sequence[str] | None = None, opener: OpenGenerator = open_local) -> int:
    """Serves until it is interrupted: 0 then, 2 with one sentence where it cannot start."""
    error_log.log_briefly()
    try:
        settings = from_arguments(argv)
        opened = listen(settings)
        folder = RunFolder(gradio_folder())
        with Shutdown(folder) as ending:
            settings = replace(settings, port=opened.getsockname()[1], run_folder=folder.path)
            gradio_workarounds.write_below(folder.path)
            serve(settings, opener, opened, ending)
    except PlaygroundError as error:
        print(f"app.py: {error.say('en')}", file=sys.stderr)
        return 2
    except KeyboardInterrupt:
        return 0
    return 0


def serve(settings: Settings, opener: OpenGenerator, opened: socket.socket, ending: Shutdown) -> None:
    """From the first request to the last."""
    host, hosts = ModelHost(settings, opener), AllowedHosts(settings)
    owner = Owner(settings)
    page = Page(host, owner)
    api = OpenAIServer(host, api_runs(host, page.queue))
    runner = HostRunner(host, page.queue)
    server = Server(page.blocks, settings, hosts, host.stopping, owner, page.news, api=api, runner=runner)
    if settings.public and settings.password is None:
        say("Warning: other people can reach this page and no password guards it; see --ask-password.")
    server.start(opened)
    say(f"Playground is ready: {address(settings)}")
    if owner.needs_link:
        say(f"Owner link, for you alone: whoever opens it may change the model: {owner.link(public_address(settings))}")
    host.start()
    if settings.share:
        threading.Thread(target=open_link, args=(settings, host, hosts), name="public link", daemon=True).start()
    ending.wait(server.is_alive)
    say("Stopping: what is written ends here, batches pause. Once more to stop at once.")
    stop(host, page, server)


def stop(host: ModelHost, page: Page, server: Server) -> None:
    """Open streams get a notice, batches keep what is done; each of the two gets its share of the time."""
    host.stopping.set()
    page.stop(_PAUSE)
    until = time.monotonic() + _ANSWERS
    while server.busy and time.monotonic() < until:
        time.sleep(_LOOK)
    public_link.close()
    server.stop()
    page.close()


def open_link(settings: Settings, host: ModelHost, hosts: AllowedHosts) -> None:
    """Opens the public link, by which this server answers from then on, and says what became of it."""
    link = public_link.open_link(settings)
    if link is not None:
        hosts.shared(link)
    host.shared(link, address(settings))
    say(public_link.sentence(link, settings.password is not None))


def address(settings: Settings) -> str:
    """Where the owner's own browser finds the page."""
    shown = "127.0.0.1" if settings.host in ("0.0.0.0", "::", "") else settings.host
    return f"http://{f'[{shown}]' if ':' in shown else shown}:{settings.port}"


def public_address(settings: Settings) -> str:
    """Where a proxy shows the page, if its whole address is known; else where this machine finds it."""
    return settings.root_path if "://" in settings.root_path else address(settings)


def say(sentence: str) -> None:
    print(sentence, flush=True)
