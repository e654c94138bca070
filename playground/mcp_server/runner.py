"""What the tools need of the server that serves them: the model, the waiting line before it, places for readings.

Knows no tool; the page's own server is the one that there is (playground/ui/mcp_endpoint.py).
"""

from __future__ import annotations

import threading
from collections.abc import AsyncGenerator, Callable
from typing import Any, Protocol

from playground.run import Run
from playground.settings import Limits
from playground.types import Generator, ModelCard, Request, Text

Ask = Callable[[ModelCard | None], Request]
"""Makes the request once the model is known; called with None before, to find what is wrong without it."""
Look = Callable[[Generator, Callable[[], bool]], Any]
"""Reads with the model, in a worker thread; the second argument tells whether nobody waits any more."""


class Runner(Protocol):
    """One server's way to its model."""

    @property
    def limits(self) -> Limits:
        """What this server allows one visitor."""

    def run(self, ask: Ask, cancelled: threading.Event, model: str = "") -> AsyncGenerator[Text | Run, None]:
        """Yields why nothing runs yet, as a sentence, and then the one growing Run, on the loaded model of this name or
        the current one. Raises PlaygroundError."""

    async def look(self, look: Look, cancelled: threading.Event, model: str = "") -> Any:
        """What `look` returns of such a model, once it has a place. Raises PlaygroundError."""
