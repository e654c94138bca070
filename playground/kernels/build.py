"""The C++ of this folder as one library of torch operators, built with this machine's compiler and kept on disk.

Knows no operator. torch's own compiler, which takes seconds and 70 MB to import, is asked only while building.
"""

from __future__ import annotations

import functools
import hashlib
import logging
import os
import shutil
import subprocess
import sys
import tempfile
import threading
from pathlib import Path

import torch

from playground.machine.cache_folder import cache_root

_SOURCES = sorted(Path(__file__).parent.glob("*.cpp"))
_HEADERS = sorted(Path(__file__).parent.glob("*.h"))
_MACHINE = ["-mavx512f", "-mavx512bw", "-mavx512dq", "-mavx512vl", "-mavx512bf16"]
_FLAGS = ["-std=c++20", "-O3", *_MACHINE, "-fopenmp", "-fPIC", "-shared"]
_SECONDS = 180
_BUILDING = threading.Lock()
log = logging.getLogger(__name__)


def compiler() -> str | None:
    """This machine's C++ compiler, as torch would find it; None where there is none."""
    names = (os.environ.get("CXX", ""), *(("cl",) if sys.platform == "win32" else ("g++", "clang++")))
    return next((found for name in names if name and (found := shutil.which(name))), None)


def available() -> bool:
    """Whether the operators can be called here. The first question on a machine takes the compiler some 10 s."""
    with _BUILDING:
        return _supported() and _built() and _loaded()


def ready() -> bool:
    """Whether the operators are built and can be called; never builds them."""
    return _supported() and _library().exists() and _loaded()


@functools.cache
def _supported() -> bool:
    return bool(torch.cpu._is_avx512_bf16_supported())


@functools.cache
def _loaded() -> bool:
    try:
        torch.ops.load_library(str(_library()))
    except (OSError, RuntimeError) as error:
        log.warning("The kernels cannot be loaded, the slower way is taken: %s", str(error).splitlines()[0])
        return False
    return True


@functools.cache
def _library() -> Path:
    """Named by all that it depends on; whole or not there."""
    given = "\n".join(
        [*(source.read_text(encoding="utf-8") for source in (*_HEADERS, *_SOURCES)), torch.__version__, *_FLAGS]
    )
    return cache_root() / "kernels" / f"{hashlib.sha256(given.encode()).hexdigest()[:16]}.so"


@functools.cache
def _built() -> bool:
    library = _library()
    if library.exists():
        return True
    try:
        _build(library)
    except (OSError, RuntimeError, subprocess.SubprocessError) as error:
        why = getattr(error, "stderr", None) or str(error)
        log.warning("The kernels were not built, the slower way is taken: %s", why.strip().splitlines()[0])
        return False
    return True


def _build(library: Path) -> None:
    from torch.utils import cpp_extension

    found = compiler()
    if found is None:
        raise OSError("no C++ compiler was found")
    library.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    handle, name = tempfile.mkstemp(suffix=".so", dir=library.parent)
    os.close(handle)
    command = [found, *_FLAGS, *(f"-I{path}" for path in cpp_extension.include_paths())]
    command += [*map(str, _SOURCES), *(f"-L{path}" for path in cpp_extension.library_paths())]
    try:
        subprocess.run(
            [*command, "-ltorch_cpu", "-lc10", "-o", name], check=True, capture_output=True, text=True, timeout=_SECONDS
        )
        Path(name).replace(library)
    finally:
        Path(name).unlink(missing_ok=True)
