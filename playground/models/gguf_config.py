"""The configuration in a GGUF file's head, as transformers reads it, without its vocabulary.

transformers' reader makes objects of every token and every merge before it looks for anything: 20 s and 500 MB for the
150 thousand tokens of Qwen. Here it is given a copy of the head that has none of them. Knows no tensor's values.
"""

from __future__ import annotations

import os
import struct
import tempfile
from pathlib import Path
from typing import Any

from transformers import AutoConfig
from transformers.integrations.gguf import GGUF_CONFIG_ARCHS

from playground.models import gguf_header

_VOCABULARY = tuple(f"tokenizer.ggml.{name}" for name in ("tokens", "merges", "scores", "token_type"))
_U32 = 4


def read(file: Path) -> tuple[str, Any] | None:
    """The architecture's name in the file and transformers' configuration; None for what is not read in this way."""
    head = gguf_header.read(file)
    if head is None or head.order != "<":
        return None
    architecture = _text(head.keys["general.architecture"])
    embedding = next((one for one in head.tensors if one.name == "token_embd.weight"), None)
    if architecture in GGUF_CONFIG_ARCHS or embedding is None:
        return None
    keys = [value for name, value in head.keys.items() if not name.startswith(_VOCABULARY)]
    counted = f"{architecture}.vocab_size"
    if counted not in head.keys:
        keys.append(_string(counted) + struct.pack("<II", _U32, embedding.shape[0]))
    with tempfile.TemporaryDirectory() as folder:
        copy = Path(folder) / "head.gguf"
        with copy.open("wb") as opened:
            opened.write(gguf_header.MAGIC + struct.pack("<IQQ", head.version, len(head.tensors), len(keys)))
            opened.write(b"".join(keys))
            opened.write(b"".join(one.line + struct.pack("<Q", one.offset) for one in head.tensors))
            start = gguf_header.aligned(opened.tell(), head.alignment)
        os.truncate(copy, start + head.size - head.start)  # nothing but a hole: no values are asked for
        config = AutoConfig.from_pretrained(folder, gguf_file=copy.name)
    settings = config.to_dict()
    settings.pop("_name_or_path", None)
    return architecture, type(config).from_dict(settings)


def _text(entry: bytes) -> str:
    """The value of a key that is a string, behind the key's own name and the number of its type."""
    (length,) = struct.unpack_from("<Q", entry)
    return entry[8 + length + 4 + 8 :].decode("utf-8")


def _string(text: str) -> bytes:
    return struct.pack("<Q", len(text.encode())) + text.encode()
