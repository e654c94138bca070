"""A GGUF model that came in several files (`name-00001-of-00003.gguf`): found, and joined into one in the cache.

transformers reads one file only, and in several places, so its parts are put together on the disk, once. Knows nothing
of what is done with the file.
"""

from __future__ import annotations

import hashlib
import re
import shutil
import struct
from collections.abc import Sequence
from pathlib import Path

from filelock import FileLock

from playground.amounts import bytes_text
from playground.machine.cache_folder import CACHE_VARIABLE, cache_root
from playground.models import file_failures, gguf_header
from playground.models.gguf_header import MAGIC, Head, aligned
from playground.types import ModelError, ProgressReport, Text

_NAME = re.compile(r"(?P<stem>.+)-(?P<number>\d{5})-of-(?P<count>\d{5})\.gguf", re.IGNORECASE)
_SPLIT = "split."  # begins the keys that say which part a file is
_CHUNK = 1 << 24


def stem(path: Path) -> str:
    """The model's name without the number of the part, and without the ending."""
    found = _NAME.fullmatch(path.name)
    return found["stem"] if found else path.stem


def parts(path: Path) -> list[Path]:
    """All the files of the model to which this one belongs, whether they are there or not; only itself for a whole."""
    found = _NAME.fullmatch(path.name)
    if found is None:
        return [path]
    count = int(found["count"])
    width, ending = len(found["number"]), path.name[-5:]
    return [path.with_name(f"{found['stem']}-{at:0{width}}-of-{found['count']}{ending}") for at in range(1, count + 1)]


def whole(path: Path, report: ProgressReport) -> Path:
    """One file that holds all of the model: itself, or its parts joined. Raises ModelError naming parts that are not
    there."""
    every = parts(path)
    missing = [one.name for one in every if not one.is_file()]
    if missing:
        raise file_failures.parts_missing(path.name, len(every), missing)
    return path if len(every) == 1 else _joined(every, report)


def is_one_model(files: Sequence[Path]) -> bool:
    """Whether these are the files of one model, or some of them."""
    return bool(files) and set(files) <= set(parts(files[0]))


def _joined(every: Sequence[Path], report: ProgressReport) -> Path:
    """The file in the cache, made where it is not there yet: whole or not at all, however many starts there are."""
    described = [(one.name, one.stat().st_size, one.stat().st_mtime_ns) for one in map(Path.resolve, every)]
    name = hashlib.sha256(repr(described).encode()).hexdigest()[:16]
    target = cache_root() / "models" / f"joined-{name}" / f"{stem(every[0])}.gguf"
    if target.is_file():
        return target
    needed = sum(size for _, size, _ in described)
    try:
        target.parent.mkdir(parents=True, exist_ok=True)
        with FileLock(target.with_suffix(".lock")):
            if not target.is_file():
                if shutil.disk_usage(target.parent).free < needed:
                    raise file_failures.no_room_to_join(stem(every[0]), needed, str(target.parent.parent))
                beside = target.with_suffix(".part")
                _write(every, beside, report)
                beside.replace(target)
    except OSError as error:
        raise ModelError(
            Text(
                f"The parts of {stem(every[0])!r} cannot be joined in {target.parent.parent}: "
                f"{error.strerror or type(error).__name__}.",
                f"无法在 {target.parent.parent} 中合并 {stem(every[0])!r} 的各部分："
                f"{error.strerror or type(error).__name__}。",
            ),
            Text(
                f"Free {bytes_text(needed)} there, or set {CACHE_VARIABLE} to another folder.",
                f"请在那里腾出 {bytes_text(needed)}，或用 {CACHE_VARIABLE} 指定其他文件夹。",
            ),
        ) from error
    return target


def _write(every: Sequence[Path], target: Path, report: ProgressReport) -> None:
    """The first part's keys, the lines of all parts' tables, and all parts' data one behind the other."""
    shown = stem(every[0])
    stage = Text(f"Joining the {len(every)} files of {shown}", f"正在合并 {shown} 的 {len(every)} 个文件")
    report(stage, 0.0)
    heads = [_head(path, number, len(every)) for number, path in enumerate(every, start=1)]
    first = heads[0]
    wanted = first.numbers.get("split.tensors.count")
    alike = {(one.order, one.version) for one in heads}
    if "general.architecture" not in first.keys or len(alike) > 1 or wanted not in (None, sum(map(_count, heads))):
        raise file_failures.other_part(every[0].name)
    lengths = [path.stat().st_size - head.start for path, head in zip(every, heads, strict=True)]
    begins = [0]
    for length in lengths[:-1]:
        begins.append(aligned(begins[-1] + length, first.alignment))
    keys = [value for name, value in first.keys.items() if not name.startswith(_SPLIT)]
    table = [
        one.line + struct.pack(f"{first.order}Q", begin + one.offset)
        for head, begin in zip(heads, begins, strict=True)
        for one in head.tensors
    ]
    counts = struct.pack(f"{first.order}IQQ", first.version, len(table), len(keys))
    with target.open("wb") as file:
        file.write(b"".join([MAGIC, counts, *keys, *table]))
        start = aligned(file.tell(), first.alignment)
        for path, head, begin in zip(every, heads, begins, strict=True):
            file.write(b"\0" * (start + begin - file.tell()))
            with path.open("rb") as part:
                part.seek(head.start)
                while chunk := part.read(_CHUNK):
                    file.write(chunk)
                    report(stage, min(1.0, (file.tell() - start) / max(1, sum(lengths))))


def _head(path: Path, number: int, count: int) -> Head:
    """The head of a file that must be this part."""
    try:
        head = gguf_header.read(path)
    except ValueError:
        raise file_failures.unreadable_file(path.name, path.name) from None
    if head is None or head.part != (number, count):
        raise file_failures.other_part(path.name)
    if path.stat().st_size < head.size:
        raise file_failures.cut_off(path.name, path.name, path.stat().st_size, head.size)
    return head


def _count(head: Head) -> int:
    return len(head.tensors)
