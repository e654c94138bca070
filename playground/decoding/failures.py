"""Why a candidate ended that failed: whatever was raised, as a sentence for its reader. The server's log has the rest.

Knows no model library, so that all that shows a run may ask it.
"""

from __future__ import annotations

import logging
import traceback
from pathlib import Path

from playground.types import FAILED, PlaygroundError, Text

_SHOWN = 200  # characters of an error's own words in the log: many bad requests shall not fill it
_MEMORY = ("can't allocate memory", "not enough memory", "out of memory")
log = logging.getLogger(__name__)

NO_MEMORY = Text("The machine ran out of memory; what was written is kept.", "机器内存不足；已写出的内容仍保留。")
NO_NUMBERS = Text(
    "The model gave no usable scores (they are not numbers), so no token could be chosen.",
    "模型给出的分数不可用（不是数值），因此无法选出词元。",
)
NO_FILES = Text(
    "The model's files are gone from the disk, and parts of it are read from there; what was written is kept.",
    "磁盘上的模型文件已不在，而模型有一部分要从中读取；已写出的内容仍保留。",
)


def why(error: BaseException) -> Text:
    """The sentence. An unforeseen error is shown without its own message, which may name paths; the log has it."""
    if isinstance(error, PlaygroundError):
        return Text(error.say("en"), error.say("zh"))
    frames = traceback.extract_tb(error.__traceback__)
    place = f"{Path(frames[-1].filename).name}:{frames[-1].lineno}" if frames else "nowhere"
    # One kind of line for each kind and place of error: a log that shows each kind once shows all of them.
    log.error(f"A candidate failed, {type(error).__name__} in {place}: %s", str(error)[:_SHOWN])
    log.debug("The whole of it", exc_info=error)
    if isinstance(error, MemoryError) or any(words in str(error) for words in _MEMORY):
        return NO_MEMORY
    if isinstance(error, FileNotFoundError):
        return NO_FILES
    if isinstance(error, FloatingPointError):
        return NO_NUMBERS
    return FAILED
