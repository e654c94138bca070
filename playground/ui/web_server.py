"""The web server: Gradio's app behind the Guard, on one socket, in a thread of uvicorn's own.

Knows no element and no model. Gradio's `launch()` is not used: it leaves no place in front of its app, writes into the
working folder and asks itself over the network whether it is there.
"""

from __future__ import annotations

import asyncio
import errno
import logging
import os
import socket
import threading
import time
from functools import partial
from pathlib import Path
from typing import Any

import gradio as gr
import uvicorn
from fastapi import FastAPI
from starlette.types import ASGIApp

from playground.openai_api.server import OpenAIServer
from playground.settings import Settings
from playground.types import PlaygroundError, Text
from playground.ui import gradio_workarounds
from playground.ui.allowed_hosts import AllowedHosts
from playground.ui.blocks import Blocks
from playground.ui.call_arguments import CallArguments
from playground.ui.connections import BACKLOG, BoundedProtocol, Connections, raise_descriptors
from playground.ui.guard import Guard
from playground.ui.mcp_endpoint import HostRunner, McpEndpoint
from playground.ui.page_data import page_files
from playground.ui.page_files import ServedFiles
from playground.ui.request_queue import READ_PLACES
from playground.ui.sessions import Presence
from playground.ui.static_pages import StaticPages
from playground.ui.theme import HEAD, THEME, page_css

_LIGHT = 64  # events that neither run nor wait in a line, at a time
_CLOSES = 2  # seconds for answers that are on their way once everything else has ended
_LOOK = 0.01


def listen(settings: Settings) -> socket.socket:
    """The socket to serve on, at a free port for port 0. A port that is taken is named before anything is built."""
    place = f"{settings.host}:{settings.port}"
    try:
        family, kind, protocol, _, address = socket.getaddrinfo(
            settings.host, settings.port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE
        )[0]
        opened = socket.socket(family, kind, protocol)
        try:
            if os.name == "posix":  # elsewhere it would take the port from the program that has it
                opened.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            opened.bind(address)
            opened.listen()
        except OSError:
            opened.close()
            raise
        return opened
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


def gradio_folder() -> Path | None:
    """The folder where somebody wants Gradio to write."""
    named = os.environ.get(gradio_workarounds.FOLDER)
    return Path(named).expanduser() if named else None


def gradio_app(blocks: Blocks, settings: Settings) -> FastAPI:
    """Gradio's app with all of its routes; the Guard lets only some be reached."""
    limits = settings.limits
    # Gradio takes no more events at a time than this, threads or not; a run holds none. So there is a place for all who
    # run or wait on either path, for all who wait for a reading, and for all the light ones beside.
    places = settings.rows + limits.running + 2 * limits.waiting + 2 * READ_PLACES + _LIGHT
    blocks.max_threads = blocks._queue.max_thread_count = places
    app = gr.mount_gradio_app(
        FastAPI(docs_url=None, redoc_url=None, openapi_url=None),
        blocks,
        path="/",
        root_path=settings.root_path or None,
        max_file_size=limits.batch_bytes,
        blocked_paths=[Path.cwd().anchor],  # no element of ours is made of files: none is copied, none is served
        show_error=False,
        enable_monitoring=False,
        pwa=False,
        ssr_mode=False,
        mcp_server=False,
        run_history=False,
        footer_links=[],
        theme=THEME,
        css=page_css(),
        head=HEAD,
    )
    blocks.app = blocks.server_app = app.routes[-1].app
    blocks.has_launched = True  # otherwise Gradio does not ask whether a file may be read
    return app


class Server:
    """One server of a page; `stopping` is set once nothing new may begin. Agents reach the model by `runner`."""

    def __init__(
        self,
        blocks: Blocks,
        settings: Settings,
        hosts: AllowedHosts,
        stopping: threading.Event,
        api: OpenAIServer | None = None,
        runner: HostRunner | None = None,
    ) -> None:
        self._blocks = blocks
        self._api = api
        files = page_files()
        app: ASGIApp = CallArguments(gradio_app(blocks, settings))
        app = StaticPages(app, settings.root_path, files.head(), kept=settings.password is None)
        app = ServedFiles(app, files, settings.root_path)
        self._mcp = McpEndpoint(Presence(app, blocks.sessions), settings, runner)
        guard = Guard(self._mcp, settings, hosts, stopping, api)
        protocol: Any = partial(BoundedProtocol, bounds=Connections.within(raise_descriptors()))
        self._uvicorn = uvicorn.Server(
            uvicorn.Config(
                guard,
                http=protocol,
                backlog=BACKLOG,
                proxy_headers=settings.share,  # of the tunnel, which adds the address; others could name any
                log_config=None,
                access_log=False,
                server_header=False,
                ws="none",
                lifespan="on",
                timeout_graceful_shutdown=_CLOSES,
            )
        )

    def start(self, opened: socket.socket) -> None:
        """Returns once requests are answered."""
        self._thread = threading.Thread(target=asyncio.run, args=(self._serve(opened),), name="web server", daemon=True)
        self._thread.start()
        while not self._uvicorn.started and self._thread.is_alive():
            time.sleep(_LOOK)
        if not self._uvicorn.started:
            raise PlaygroundError(Text("The web server did not start.", "网页服务器没有启动。"))

    def is_alive(self) -> bool:
        return self._thread.is_alive()

    @property
    def busy(self) -> bool:
        """Whether an event of the page, of a script or of an agent is still being answered."""
        others = self._mcp.busy or (self._api is not None and self._api.busy)
        return bool(self._blocks._queue.event_ids_to_events) or others

    async def _serve(self, opened: socket.socket) -> None:
        self._loop = asyncio.get_running_loop()
        await self._uvicorn.serve([opened])

    def stop(self) -> None:
        """Answers that are on their way go out, streams of who only listens end; takes some seconds at most."""
        self._blocks._queue.close()
        self._blocks.is_running = False
        logging.getLogger("uvicorn.error").disabled = True  # it would tell of every stream that is cut off
        self._loop.call_soon_threadsafe(self._blocks.app.stop_event.set)
        self._uvicorn.should_exit = True
        self._thread.join(_CLOSES + 1)
