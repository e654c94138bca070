"""Runs asynchronous code of a test in a thread of its own: that of a browser test has an event loop running already."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine
from concurrent.futures import ThreadPoolExecutor
from typing import Any, TypeVar

T = TypeVar("T")


def in_own_loop(begin: Callable[[], Coroutine[Any, Any, T]]) -> T:
    """What the coroutine that `begin` makes returns."""
    with ThreadPoolExecutor(1) as own:
        return own.submit(lambda: asyncio.run(begin())).result()
