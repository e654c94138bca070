"""The bundled texts, both in the public domain; README.md beside them names their sources."""

from __future__ import annotations

from pathlib import Path

TEXTS = ("alice", "guxiang")
_FOLDER = Path(__file__).parent


def text(name: str) -> str:
    return (_FOLDER / f"{name}.txt").read_text(encoding="utf-8")


def words() -> list[str]:
    return text("alice").split()
