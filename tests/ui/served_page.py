"""Serves a page of a test as ours is served: with our modules in its head, behind our guard."""

from __future__ import annotations

import argparse
import threading

from playground.settings import Settings
from playground.ui.allowed_hosts import AllowedHosts
from playground.ui.blocks import Blocks
from playground.ui.web_server import Server, listen


def serve(blocks: Blocks) -> None:
    """At the port behind `--port`, until the process ends."""
    parser = argparse.ArgumentParser(allow_abbrev=False)
    parser.add_argument("--port", type=int, required=True)
    settings = Settings(port=parser.parse_args().port)
    server = Server(blocks, settings, AllowedHosts(settings), threading.Event())
    server.start(listen(settings))
    threading.Event().wait()
