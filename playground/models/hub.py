"""The model hub: whether it can be reached, and downloading from it into its cache on this machine.

With download.py and hub_details.py the only modules that ask it, and only for a model that somebody asks for by its hub
id and that is not here yet.
"""

from __future__ import annotations

import socket
import threading
import urllib.request
from pathlib import Path
from urllib.parse import urlsplit

from huggingface_hub import constants, get_token

from playground.amounts import bytes_text
from playground.models.download import fetch
from playground.models.download_progress import DownloadProgress
from playground.types import ProgressReport, Text

_PROBE_SECONDS = 3.0


def reachable() -> bool:
    """One short try to connect, instead of the 23 s of retries that each missing file costs without a network."""
    if constants.HF_HUB_OFFLINE:
        return False
    address = urlsplit(constants.ENDPOINT)
    if not urllib.request.proxy_bypass(address.hostname or ""):
        proxy = urllib.request.getproxies().get(address.scheme)
        address = urlsplit(proxy) if proxy else address
    answered = threading.Event()

    def connect() -> None:
        port = address.port or (80 if address.scheme == "http" else 443)
        try:
            with socket.create_connection((address.hostname or "", port), timeout=_PROBE_SECONDS):
                answered.set()
        except OSError:
            pass  # no answer is the answer

    # Looking a name up has no time limit of its own, so it may be left behind.
    probe = threading.Thread(target=connect, daemon=True)
    probe.start()
    probe.join(_PROBE_SECONDS)
    return answered.is_set()


def download(name: str, report: ProgressReport, *, code: bool = False) -> Path:
    """Downloads a model's files into the hub's cache and returns their folder. HF_TOKEN is used if it is set.

    Raises ModelError, also for what the hub or the network refuses.
    """
    report(Text(f"Asking the model hub for {name}", f"正在向模型库查询 {name}"), None)

    def told(now: DownloadProgress) -> None:
        size = bytes_text(now.total)
        stage = Text(f"Downloading {name} ({size})", f"正在下载 {name}（{size}）")
        report(stage, now.done / now.total if now.total else None)

    return fetch(name, told, code=code)


def address() -> str:
    """Where models are downloaded from and looked at in a browser: HF_ENDPOINT, or the hub itself."""
    return str(constants.ENDPOINT)


def has_token() -> bool:
    """Whether a token goes with each request, from HF_TOKEN or a login; it is never told."""
    return get_token() is not None
