"""The worker process: reads one request after the other from its standard input, and answers each in JSON.

It is handed bytes of strangers and gives back plain data; it imports no torch, no transformers and no gradio. What it
may take is set anew for each request. A memory or CPU limit that the system enforces ends it, and the server notices.
"""

from __future__ import annotations

import importlib
import json
import math
import os
import signal
import sys
import time
from collections.abc import Callable, Mapping
from contextlib import suppress
from pathlib import Path
from typing import Any

from playground.types import PlaygroundError

if sys.platform != "win32":  # where there are no such limits, and the server watches alone
    import resource

READY = b"ready\n"
# What a worker can be asked for; a request names one of them, and nothing else is ever imported for it.
TASKS: Mapping[str, str] = {
    "table": "playground.tables.table_reader:read",
    "yaml": "playground.tasks.schema:read_isolated",
    "form": "playground.parameters.grammar:problem_isolated",
    "template": "playground.rendering.templates:render_isolated",
    "training": "playground.training.file_reader:read",
}
_HEAVY = 128 * 2**20  # bytes of memory at its peak after which a worker ends instead of waiting for the next request
_FILES = 64  # open files


def main() -> None:
    """Answers requests until the server closes the pipe."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl+C in a terminal is meant for the server, which then ends this
    sys.setrecursionlimit(1000)
    requests, answers = os.fdopen(os.dup(0), "rb"), os.fdopen(os.dup(1), "wb")
    nowhere = os.open(os.devnull, os.O_RDWR)
    for stream in (0, 1, 2):  # what a library prints must not stand among the answers
        os.dup2(nowhere, stream)
    functions = {name: _function(place) for name, place in TASKS.items()}
    answers.write(READY)
    answers.flush()
    while line := requests.readline():
        asked = json.loads(line)
        data = requests.read(asked["size"])
        answer, last = _answer(functions[asked["task"]], asked, data)
        del data
        answers.write(json.dumps({"size": len(answer), "last": last}).encode() + b"\n")
        answers.write(answer)
        answers.flush()
        if last:
            return


def _function(place: str) -> Callable[[Mapping[str, Any], bytes], Any]:
    module, _, name = place.partition(":")
    found: Callable[[Mapping[str, Any], bytes], Any] = getattr(importlib.import_module(module), name)
    return found


def _answer(
    function: Callable[[Mapping[str, Any], bytes], Any], asked: Mapping[str, Any], data: bytes
) -> tuple[bytes, bool]:
    """The JSON of what came of a request, and whether this worker ends with it."""
    answer: dict[str, Any]
    try:
        _limit(asked["seconds"], asked["memory"])
        answer = {"value": function(asked["options"], data)}
        packed = json.dumps(answer, ensure_ascii=False).encode("utf-8", "replace")
        if len(packed) > asked["output"]:
            packed = json.dumps({"exceeded": "output"}).encode()
        return packed, _peak() > _HEAVY
    except MemoryError:
        answer = {"exceeded": "memory"}
    except PlaygroundError as error:
        texts = [text and [text.en, text.zh] for text in (error.message, error.hint)]
        answer = {"refused": {"message_and_hint": texts, "parameter": getattr(error, "parameter", None)}}
        return json.dumps(answer).encode("ascii"), False
    except Exception as error:  # noqa: BLE001 - the input is a stranger's: whatever it breaks is said of the input
        answer = {"failed": type(error).__name__}
    return json.dumps(answer).encode("ascii"), True


def _limit(seconds: float, memory: int) -> None:
    """What the system is to enforce from here on: CPU time, address space (Linux), no file written, no core dump."""
    if sys.platform == "win32":
        return
    _lower(resource.RLIMIT_CPU, math.ceil(time.process_time() + seconds))
    _lower(resource.RLIMIT_CORE, 0)
    _lower(resource.RLIMIT_FSIZE, 0)
    _lower(resource.RLIMIT_NOFILE, _FILES)
    if sys.platform == "linux":  # elsewhere an address space says nothing of memory, and the server watches
        pages = int(Path("/proc/self/statm").read_text().split()[0])
        _lower(resource.RLIMIT_AS, pages * resource.getpagesize() + memory)


def _lower(kind: int, value: int) -> None:
    """The soft limit, which the next request may raise again; a system that lacks the limit has none."""
    if sys.platform == "win32":
        return
    with suppress(ValueError, OSError):
        hard = resource.getrlimit(kind)[1]
        resource.setrlimit(kind, (value if hard == resource.RLIM_INFINITY else min(value, hard), hard))


def _peak() -> int:
    """Bytes of memory that this program had at most; 0 where the system does not report it."""
    if sys.platform == "linux":  # where ru_maxrss is at least that of the program which started this one
        for line in Path("/proc/self/status").read_text().splitlines():
            if line.startswith("VmHWM:"):
                return int(line.split()[1]) * 1024
    if sys.platform == "win32":
        return 0
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return peak if sys.platform == "darwin" else peak * 1024


if __name__ == "__main__":
    main()
