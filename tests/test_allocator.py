"""The C library keeps few arenas, whatever threads there are."""

from __future__ import annotations

import ctypes
import subprocess
import sys

import pytest

CODE = """
import ctypes, sys, threading
import playground
libc = ctypes.CDLL(None)
barrier = threading.Barrier(12)
def work():
    libc.malloc.restype = ctypes.c_void_p
    held = [libc.malloc(5000) for _ in range(50)]
    barrier.wait()
threads = [threading.Thread(target=work) for _ in range(12)]
[one.start() for one in threads]; [one.join() for one in threads]
libc.fdopen.restype = ctypes.c_void_p
out = libc.fdopen(1, b"w")
libc.malloc_info(0, ctypes.c_void_p(out)); libc.fflush(ctypes.c_void_p(out))
"""
GLIBC = sys.platform == "linux" and hasattr(ctypes.CDLL(None), "malloc_info")


@pytest.mark.skipif(not GLIBC, reason="no glibc here")
def test_threads_share_few_arenas() -> None:
    told = subprocess.run([sys.executable, "-c", CODE], capture_output=True, text=True, check=True).stdout
    assert 1 <= told.count("<heap nr=") <= 2
