"""What the terminal shows of errors: one line for a bad request, one traceback for a fault of ours.

An error that repeats is logged again only when its count has another digit, so that nobody fills a disk with nonsense.
Knows no request and no element.
"""

from __future__ import annotations

import logging
import sys
import threading
import traceback
from collections import OrderedDict
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from types import TracebackType

_OURS = str(Path(__file__).resolve().parent.parent)
_AROUND_GRADIO = (
    "guard.py", "request_bodies.py", "sessions.py", "static_pages.py", "call_arguments.py", "handler_errors.py",
    "blocks.py", "event_queue.py", "gradio_workarounds.py",
)  # fmt: skip
_AROUND = tuple(str(Path(__file__).with_name(name)) for name in _AROUND_GRADIO)
_MOST_KINDS = 1_000
_LINE = 300  # characters
Key = tuple[object, ...]


class BriefLogHandler(logging.Handler):
    """Writes each kind of record once, and how often it has come by then at 10, 100, 1000 …"""

    def __init__(self, write: Callable[[str], object]) -> None:
        super().__init__()
        self._write = write
        self._counts: OrderedDict[Key, int] = OrderedDict()

    def emit(self, record: logging.LogRecord) -> None:
        error = record.exc_info[1] if record.exc_info else None
        key: Key = (record.name, record.msg) if error is None else (type(error), *_place(error.__traceback__))
        count = self._counts.pop(key, 0) + 1
        self._counts[key] = count
        while len(self._counts) > _MOST_KINDS:
            self._counts.popitem(last=False)
        if str(count).strip("0") != "1":
            return
        line = one_line(record.getMessage())
        if error is not None:
            line += one_line(f": {type(error).__name__}: {error}")
        lines = [line + (f" ({count} times by now)" if count > 1 else "")]
        if error is not None and count == 1:
            lines += _our_frames(error.__traceback__)
        with suppress(OSError, ValueError):  # nobody reads it any more
            self._write("\n".join(lines) + "\n")


def one_line(text: str) -> str:
    """A text of a stranger's as it may stand in a log: short, and without signs that move a terminal's cursor."""
    shown = "".join(sign if sign.isprintable() else repr(sign)[1:-1] for sign in text[:_LINE])
    return shown + ("…" if len(text) > _LINE else "")


def is_ours(trace: TracebackType | None) -> bool:
    """Whether code of this program took part in an error; otherwise Gradio could not read what it was sent."""
    files = [frame.filename for frame in traceback.extract_tb(trace)]
    return any(file.startswith(_OURS) and file not in _AROUND for file in files)


def _place(trace: TracebackType | None) -> Key:
    """Where an error came from: the innermost line of ours, else the innermost of all."""
    frames = traceback.extract_tb(trace)
    ours = [frame for frame in frames if frame.filename.startswith(_OURS) and frame.filename not in _AROUND]
    last = (ours or frames)[-1:]
    return tuple((frame.filename, frame.lineno) for frame in last)


def _our_frames(trace: TracebackType | None) -> list[str]:
    """The lines of ours that lead to an error, and the one that raised it; none where there is none of ours."""
    if not is_ours(trace):
        return []
    frames = traceback.extract_tb(trace)
    shown = [frame for frame in frames[:-1] if frame.filename.startswith(_OURS)] + frames[-1:]
    return [f"  {frame.filename}:{frame.lineno} {frame.name}: {frame.line}"[:_LINE] for frame in shown]


def log_briefly() -> None:
    """From now on, for whatever is logged and whatever ends a thread."""
    root = logging.getLogger()
    root.handlers[:] = [BriefLogHandler(lambda text: (sys.stderr.write(text), sys.stderr.flush()))]
    root.setLevel(logging.WARNING)
    logging.getLogger("playground").setLevel(logging.INFO)
    threading.excepthook = _thread_ended


def _thread_ended(ended: threading.ExceptHookArgs) -> None:
    if ended.exc_value is not None and ended.exc_type is not SystemExit:
        name = ended.thread.name if ended.thread is not None else "?"
        given = (ended.exc_type, ended.exc_value, ended.exc_traceback)
        logging.getLogger(__name__).error("The thread %s ended", name, exc_info=given)
