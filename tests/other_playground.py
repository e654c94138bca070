"""A Playground over the tiny model in a process of its own, for another one to stand before it."""

from __future__ import annotations

import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager

from tests.ui.served import forked

PAGE = "tests.ui.tiny_page"


@contextmanager
def served(*flags: str) -> Iterator[str]:
    """Its URL, once its model is loaded."""
    with forked(PAGE, *flags) as url:
        for _ in range(600):
            try:
                urllib.request.urlopen(f"{url}/v1/models").close()
            except urllib.error.HTTPError as error:
                if error.code != 503:
                    raise
                time.sleep(0.1)
            else:
                break
        yield url
