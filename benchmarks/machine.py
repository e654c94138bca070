"""What the figures were measured on: processor, memory, versions, commit. No name of a machine and no path."""

from __future__ import annotations

import os
import platform
import subprocess
from importlib.metadata import version
from pathlib import Path
from typing import Any

import psutil
import torch

ROOT = Path(__file__).parent.parent
PACKAGES = ("torch", "transformers", "accelerate", "gradio", "gradio_client")
_SIMD = ("amx_bf16", "avx512_bf16", "avx512f", "avx2", "asimd")


def machine() -> dict[str, Any]:
    return {
        "processor": _processor(),
        "simd": [one for one in _SIMD if one in _flags()],
        "cores": os.cpu_count(),
        "threads": torch.get_num_threads(),
        "memory_gib": round(psutil.virtual_memory().total / 2**30, 1),
        "gpu": torch.cuda.get_device_name() if torch.cuda.is_available() else None,
        "system": f"{platform.system()} {platform.machine()}",
        "load_before": round(os.getloadavg()[0], 1),
    }


def versions() -> dict[str, str]:
    return {"python": platform.python_version(), "commit": commit(), **{name: version(name) for name in PACKAGES}}


def commit() -> str:
    """The commit that was measured, with a + where files differ from it; empty outside a repository."""
    done = subprocess.run(
        ["git", "describe", "--always", "--dirty=+", "--exclude=*"], cwd=ROOT, capture_output=True, text=True,
        check=False,
    )  # fmt: skip
    return done.stdout.strip()


def _flags() -> set[str]:
    return set(_line("flags").split() + _line("Features").split())


def _processor() -> str:
    return _line("model name") or platform.processor() or platform.machine()


def _line(name: str) -> str:
    """A line of the first processor in /proc/cpuinfo; empty where there is none."""
    try:
        lines = Path("/proc/cpuinfo").read_text(encoding="utf-8").splitlines()
    except OSError:
        return ""
    found = (line.partition(":")[2].strip() for line in lines if line.partition(":")[0].strip() == name)
    return next(found, "")
