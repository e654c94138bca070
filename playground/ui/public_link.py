"""The public link: Gradio's tunnel to this server, for people elsewhere. Knows no page."""

from __future__ import annotations

import logging
import os
import secrets
from contextlib import suppress
from urllib.parse import urlparse

from gradio import networking, tunneling

from playground.settings import Settings
from playground.ui import gradio_workarounds

log = logging.getLogger(__name__)


def open_link(settings: Settings) -> str | None:
    """Opens the tunnel and gives its address; None where Gradio's servers were not reached. Takes up to 30 s."""
    own_server = os.environ.get("GRADIO_SHARE_SERVER_ADDRESS")
    if settings.run_folder is not None:
        gradio_workarounds.certificate_below(settings.run_folder)
    try:
        link = networking.setup_tunnel(
            local_host=settings.host,
            local_port=settings.port,
            share_token=secrets.token_urlsafe(32),
            share_server_address=own_server,
            share_server_tls_certificate=None,
        )
    except Exception:  # whatever is wrong with the network, the program or its certificate: the local page goes on
        log.debug("The public link was not opened", exc_info=True)
        return None
    return urlparse(link)._replace(scheme="http" if own_server else "https").geturl()


def close() -> None:
    """Ends the tunnel's program, which would go on without this one."""
    for tunnel in tunneling.CURRENT_TUNNELS:
        if tunnel.proc is not None:
            with suppress(OSError):
                tunnel.proc.terminate()
            tunnel.proc = None


def sentence(link: str | None, guarded: bool) -> str:
    """What the terminal says of it."""
    if link is None:
        return "The public link could not be opened: Gradio's tunnel was not reached. The local page goes on."
    guard = "A password guards it." if guarded else "No password guards it."
    return f"Public link, for up to a week or until you stop the app: {link} {guard}"
