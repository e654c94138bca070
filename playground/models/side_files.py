"""Whether the files beside a model's weights can be read: its configuration, its tokenizer.

Knows no torch and no tokenizer; every failure is one sentence that names the file.
"""

from __future__ import annotations

import json
from pathlib import Path

from playground.models import file_failures, hub_cache

POINTER = b"version https://git-lfs"
_OBJECTS = ("config.json", "generation_config.json", "tokenizer_config.json", "special_tokens_map.json")
_TOKENIZER = "tokenizer.json"
# Of these one is there wherever a tokenizer is; names of single models are not among them.
_TOKENIZERS = (_TOKENIZER, "vocab.json", "vocab.txt", "vocab.bpe")
_TOKENIZER_ENDS = (".model", ".tiktoken", ".vocab")


def check(name: str, folder: Path) -> None:
    """Raises ModelError for a pointer to a file that was not fetched, and a configuration that is no JSON object."""
    for file in hub_cache.choose([path.name for path in folder.iterdir()]):
        if not hub_cache.is_weights(file) and is_pointer(folder / file):
            raise file_failures.only_a_pointer(name, file)
    for file in _OBJECTS:
        _check_object(name, folder / file)


def check_tokenizer(name: str, folder: Path) -> None:
    """For a tokenizer that could not be loaded: raises ModelError where its files are broken or missing."""
    names = [path.name for path in folder.iterdir()]
    _check_object(name, folder / _TOKENIZER)
    if not any(one in _TOKENIZERS or one.endswith(_TOKENIZER_ENDS) for one in names):
        raise file_failures.no_tokenizer(name)


def is_pointer(file: Path) -> bool:
    """Whether it only says where Git LFS has the file."""
    with file.open("rb") as opened:
        return opened.read(len(POINTER)) == POINTER


def _check_object(name: str, file: Path) -> None:
    if not file.is_file():
        return
    try:
        found = json.loads(file.read_text(encoding="utf-8"))
    except (OSError, ValueError, RecursionError):
        raise file_failures.unreadable_file(name, file.name) from None
    if not isinstance(found, dict):
        raise file_failures.unreadable_file(name, file.name)
