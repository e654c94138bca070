"""The process that renders chat templates, started on the first use and again whenever one had to be ended.

Knows no tokenizer: text and plain data go in, text or a reason comes out.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import threading
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from playground.rendering import template_worker
from playground.types import Text

PATIENCE = 30.0  # seconds: only where the system does not count processor time is this what ends a loop
# What Python itself and a date in a template need; keys and passwords are not among it.
_ENVIRONMENT = ("PATH", "PYTHONHOME", "PYTHONPATH", "SYSTEMROOT", "TEMP", "TZ")
_SCRIPT = Path(template_worker.__file__)
_ENDLESS = Text(
    f"it does not come to an end within {template_worker.SECONDS} seconds",
    f"它在 {template_worker.SECONDS} 秒内没有结束",
)


@dataclass(frozen=True, slots=True)
class Failure:
    """Why a template gave no text. `own` is whether the reason is the template's own words."""

    reason: Text
    own: bool = False


class TemplateWorker:
    """One process for all templates of this one; calls take turns. A fork starts its own."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._process: subprocess.Popen[bytes] | None = None
        if hasattr(os, "register_at_fork"):
            os.register_at_fork(after_in_child=self._forget)

    def render(
        self, template: str, each: Sequence[Mapping[str, Any]], shared: Mapping[str, Any]
    ) -> list[str | Failure]:
        """The template once for each of these variables, beside those that all share; a failure tells its reason."""
        if not template:
            return ["" for _ in each]
        asked = json.dumps({"template": template, "shared": shared, "each": list(each)}).encode() + b"\n"
        with self._lock:
            line = self._exchange(asked)
        if line is None:
            return [Failure(_ENDLESS) for _ in each]
        return [_read(answer) for answer in json.loads(line)]

    def close(self) -> None:
        with self._lock:
            self._end()

    def _exchange(self, asked: bytes) -> bytes | None:
        """The answer's line; None where the process was ended before it came."""
        process = self._running()
        clock = threading.Timer(PATIENCE, process.kill)
        clock.daemon = True
        clock.start()
        line = b""
        with suppress(OSError):  # it ended while it was being asked
            assert process.stdin is not None
            assert process.stdout is not None
            process.stdin.write(asked)
            process.stdin.flush()
            line = process.stdout.readline()
        clock.cancel()
        if line.endswith(b"\n"):
            return line
        self._end()
        return None

    def _running(self) -> subprocess.Popen[bytes]:
        if self._process is not None and self._process.poll() is not None:
            self._end()
        if self._process is None:
            # -P: the folder of the script is no place to import from. A session of its own: Ctrl-C is not for it.
            self._process = subprocess.Popen(
                [sys.executable, "-P", str(_SCRIPT)],
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=subprocess.DEVNULL,
                start_new_session=True,
                env={name: os.environ[name] for name in _ENVIRONMENT if name in os.environ},
            )
        return self._process

    def _end(self) -> None:
        process, self._process = self._process, None
        if process is None:
            return
        process.kill()
        process.wait()
        for pipe in (process.stdin, process.stdout):
            if pipe is not None:
                with suppress(OSError):  # what could not be written any more
                    pipe.close()

    def _forget(self) -> None:
        """In a fork: the process belongs to the parent, and so does whatever call was under way."""
        self._lock = threading.Lock()
        if self._process is not None:
            self._process.returncode = 0  # nobody here waits for it
            self._process = None


def _read(answer: Mapping[str, str]) -> str | Failure:
    if "text" in answer:
        return answer["text"]
    kind, reason = answer["kind"], answer["reason"].rstrip(".。 ")
    if kind == template_worker.RAISED:
        return Failure(Text(reason, reason), own=True)
    told = f"{kind}: {reason}" if reason else kind
    return Failure(Text(told, told))


WORKER = TemplateWorker()
