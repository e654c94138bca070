"""The end of a program: at once, whatever still goes on in the background.

A compilation that nobody waits for any more would hold a terminal for seconds, and torch aborts a program that ends
while one of its threads computes. Knows nothing of what is left behind: all of it is to be written by then.
"""

import os
import sys
from contextlib import suppress
from typing import NoReturn


def leave(code: int) -> NoReturn:
    """Ends the process with this exit code."""
    for stream in (sys.stdout, sys.stderr):
        with suppress(OSError):  # the reader has gone
            stream.flush()
    os._exit(code)
