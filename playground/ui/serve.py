"""Starts the server: looks at the port, opens the page, then the model in a thread, and says where all of it is.

Knows no element. The page is up before the model is loaded.
"""

from __future__ import annotations

import errno
import socket
import sys
from collections.abc import Sequence
from dataclasses import replace

import gradio as gr

from playground.settings import Settings, from_arguments
from playground.types import PlaygroundError, Text
from playground.ui import share
from playground.ui.host import Host, OpenGenerator, open_local
from playground.ui.page import Page, head
from playground.ui.theme import HEAD, THEME, page_css

_LIGHT = 32  # readings and light events at a time, beside everybody who runs or waits


def main(argv: Sequence[str] | None = None, opener: OpenGenerator = open_local) -> int:
    """Serves until it is interrupted: 0 then, 2 with one sentence where it cannot start."""
    try:
        settings = from_arguments(argv)
        serve(replace(settings, port=free_port(settings)), opener)
    except PlaygroundError as error:
        print(f"app.py: {error.say('en')}", file=sys.stderr)
        return 2
    except KeyboardInterrupt:
        return 0
    return 0


def free_port(settings: Settings) -> int:
    """The port to open, a free one for port 0. One that somebody else holds is named before anything is built."""
    family = socket.AF_INET6 if ":" in settings.host else socket.AF_INET
    place = f"{settings.host}:{settings.port}"
    try:
        with socket.socket(family, socket.SOCK_STREAM) as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            probe.bind((settings.host, settings.port))
            return int(probe.getsockname()[1])
    except OSError as error:
        if error.errno == errno.EADDRINUSE:
            raise PlaygroundError(
                Text(f"{place} cannot be opened: the port is taken.", f"无法打开 {place}：端口已被占用。"),
                Text("Choose another with PORT= or --port.", "请用 PORT= 或 --port 换一个。"),
            ) from None
        why = error.strerror or type(error).__name__
        raise PlaygroundError(
            Text(f"{place} cannot be opened: {why}.", f"无法打开 {place}：{why}。"),
            Text("Choose another with HOST= or PORT=.", "请用 HOST= 或 PORT= 换一个。"),
        ) from None


def serve(settings: Settings, opener: OpenGenerator) -> None:
    host = Host(settings, opener)
    blocks = Page(host).blocks
    if settings.public and settings.password is None:
        say("Warning: other people can reach this page and no password guards it; see --ask-password.")
    launch(blocks, settings)
    local = address(settings)
    say(f"Playground is ready: {local}")
    host.start()
    if settings.share:
        link = share.open_link(settings)
        host.shared(link, local)
        say(share.sentence(link, settings.password is not None))
    blocks.block_thread()


def launch(blocks: gr.Blocks, settings: Settings) -> None:
    limits = settings.limits
    blocks.launch(
        server_name=settings.host,
        server_port=settings.port,
        auth=(settings.user, settings.password) if settings.password else None,
        # Gradio takes no more events at a time than this, threads or not; a run holds none.
        max_threads=settings.rows + limits.running + 2 * limits.waiting + _LIGHT,
        max_file_size=limits.batch_bytes,
        prevent_thread_lock=True,
        quiet=True,
        share=False,  # share.py opens the link: with share=True Gradio's page fetches its script from another host
        run_history=False,
        footer_links=[],
        theme=THEME,
        css=page_css(),
        head=HEAD + head(),
    )


def address(settings: Settings) -> str:
    """Where the owner's own browser finds the page."""
    shown = "127.0.0.1" if settings.host in ("0.0.0.0", "::", "") else settings.host
    return f"http://{f'[{shown}]' if ':' in shown else shown}:{settings.port}"


def say(sentence: str) -> None:
    print(sentence, flush=True)
