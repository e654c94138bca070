"""A GGUF file that somebody named: its converted copy in the cache, where one can be kept, and its tied matrices.

A copy is kept for a file that convert.py reads tensor by tensor, where the disk has twice the room that it takes, and
for weights in bf16 and below: in fp32 the file's own values are asked for. A copy whose file is gone or has changed is
removed when the next one is made.
"""

from __future__ import annotations

import hashlib
import shutil
from dataclasses import replace
from math import prod
from pathlib import Path
from typing import Any

from playground.machine.cache_folder import cache_root
from playground.models import convert, converted, gguf_ends, gguf_header
from playground.models.gguf_tensors import GgufTensors
from playground.models.sources import Source
from playground.types import ModelError, ProgressReport

_PREFIX = "gguf-"
_ORIGIN = "origin.txt"


def kept(source: Source, report: ProgressReport) -> Source:
    """The source with the folder of its copy in the place of its file; itself where no copy is kept."""
    assert source.gguf is not None
    file = source.folder / source.gguf
    mark = _mark(file)
    copy = converted.folder(f"{_PREFIX}{file.stem}", mark)
    size = _copy_size(file)
    if not converted.is_there(copy) and (not size or _free() < 2 * size or not convert.reads(file)):
        return source

    def make(target: Path, report: ProgressReport) -> None:
        _remove_outdated()
        convert.convert(file, target, report)
        (target / _ORIGIN).write_text(f"{mark}\n{file}", encoding="utf-8")

    try:
        folder = converted.ensure(copy, mark, make, report, size)
    except ModelError:  # a cache folder that cannot be written
        return source
    return replace(source, folder=folder, gguf=None, turn_ends=gguf_ends.turn_ends(file))


def tie(model: Any, file: Path) -> None:
    """One matrix for input and output where the file holds two roundings of one: the finer of them."""
    try:
        with file.open("rb") as opened:
            tensors = GgufTensors(opened, file)
            finer = convert.shared_matrix(tensors)
    except (OSError, ValueError, NotImplementedError):
        return
    inner, outer = model.get_input_embeddings(), model.get_output_embeddings()
    if finer is None or inner is None or outer is None or inner.weight.device != outer.weight.device:
        return
    if inner.weight.device.type == "meta":  # on disk, or spread by hooks
        return
    if finer == convert.OUTPUT:
        inner.weight = outer.weight
    else:
        outer.weight = inner.weight
    model.config.tie_word_embeddings = True


def _mark(file: Path) -> str:
    """What changes with the file; hashing tens of gigabytes at each start would take minutes."""
    status = file.stat()
    return hashlib.sha256(repr((str(file.resolve()), status.st_size, status.st_mtime_ns)).encode()).hexdigest()


def _copy_size(file: Path) -> int:
    """Bytes of the weights in bf16; 0 where the head cannot be read."""
    try:
        head = gguf_header.read(file)
    except ValueError:
        return 0
    return sum(convert.STORED.itemsize * prod(one.shape) for one in head.tensors) if head is not None else 0


def _free() -> int:
    place = cache_root()
    while not place.exists():
        place = place.parent
    return shutil.disk_usage(place).free


def _remove_outdated() -> None:
    for copy in (cache_root() / "models").glob(f"{_PREFIX}*"):
        try:
            mark, _, file = (copy / _ORIGIN).read_text(encoding="utf-8").partition("\n")
            outdated = not Path(file).is_file() or _mark(Path(file)) != mark
        except OSError:
            continue
        if outdated:
            shutil.rmtree(copy, ignore_errors=True)
