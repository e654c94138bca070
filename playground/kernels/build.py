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
# What a processor has, as torch calls it, and the flags that let the compiler use it; the widest first.
_SETS = [
    (("avx512_f", "avx512_bw", "avx512_dq", "avx512_vl"), ["-mavx512f", "-mavx512bw", "-mavx512dq", "-mavx512vl"]),
    (("avx2", "fma3", "f16c"), ["-mavx2", "-mfma", "-mf16c"]),
]
_VNNI = ("avx512_vnni", "-mavx512vnni")  # products of whole numbers and their sum in one instruction
_FLAGS = ["-std=c++20", "-O3", "-fopenmp", "-fPIC", "-shared"]
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


def _supported() -> bool:
    return bool(_machine_flags())


@functools.cache
def _machine_flags() -> tuple[str, ...]:
    """For the widest instructions of this machine that the sources know; none where it has none of them."""
    has = torch.cpu.get_capabilities()
    for needed, flags in _SETS:
        if all(has.get(one) for one in needed):
            wide = [_VNNI[1]] if flags is _SETS[0][1] and has.get(_VNNI[0]) else []
            return (*flags, *wide)
    return ()


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
        [*(one.read_text(encoding="utf-8") for one in (*_HEADERS, *_SOURCES)), torch.__version__, *_flags()]
    )
    return cache_root() / "kernels" / f"{hashlib.sha256(given.encode()).hexdigest()[:16]}.so"


def _flags() -> list[str]:
    return [*_FLAGS, *_machine_flags()]


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
    command = [found, *_flags(), *(f"-I{path}" for path in cpp_extension.include_paths())]
    command += [f"-L{path}" for path in cpp_extension.library_paths()]
    command += ["-x", "c++", "-", "-ltorch_cpu", "-lc10", "-o", name]
    # As one source: reading torch's headers takes most of the time.
    whole = "".join(f'#include "{source}"\n' for source in _SOURCES)
    try:
        subprocess.run(command, input=whole, check=True, capture_output=True, text=True, timeout=_SECONDS)
        Path(name).replace(library)
    finally:
        Path(name).unlink(missing_ok=True)
