"""An engine's vocabulary in a trace: the bytes of its tokens, and how it writes the few texts that were asked about.

It comes from a stranger's file: bytes and JSON only, each checked. Knows no engine and no run.
"""

from __future__ import annotations

import json
from dataclasses import replace
from typing import Any

from playground.decoding.row import Setting, build_pipeline
from playground.generators.remote.engine_tokenizer import EngineTokenizer
from playground.types import PlaygroundError, Text

TENSORS = ("engine_vocabulary.tokens", "engine_vocabulary.facts")
NAMES = frozenset(TENSORS)
LONGEST = 255  # bytes of one token


def written(tokenizer: EngineTokenizer, setting: Setting) -> tuple[bytes, bytes]:
    """Every token as its length in one byte and its bytes; and the rest as JSON, with the ids of the texts that the
    samplers of this setting ask about. A longer token is cut off."""
    encoded: dict[str, list[int]] = {}

    def encode(text: str, acts: bool) -> list[int]:
        return encoded.setdefault(text, tokenizer.encode(text, acts=acts))

    build_pipeline(replace(setting, tokenizer=tokenizer.asking(encode)))
    pieces = [piece[:LONGEST] for piece in tokenizer.pieces]
    facts = {
        "special": {str(number): name for number, name in tokenizer.special.items()},
        "begins": tokenizer.begins,
        "ends": tokenizer.ends,
        "encoded": encoded,
    }
    return b"".join(bytes([len(piece)]) + piece for piece in pieces), json.dumps(facts).encode()


def opened(tokens: bytes, told: bytes) -> EngineTokenizer:
    """The vocabulary again; it knows of other texts than those it was asked about that it does not know them.

    Raises ValueError, or its like, for what is damaged.
    """
    pieces, place = [], 0
    while place < len(tokens):
        length = tokens[place]
        pieces.append(tokens[place + 1 : place + 1 + length])
        place += 1 + length
    if place != len(tokens):
        raise ValueError("the vocabulary is cut off")
    facts = json.loads(told)
    special = {_id(int(number), pieces): str(name) for number, name in facts["special"].items()}
    known = {str(text): [_id(one, pieces) for one in ids] for text, ids in facts["encoded"].items()}

    def encode(text: str, acts: bool) -> list[int]:
        if acts or text not in known:
            shown = text if len(text) <= 40 else text[:39] + "…"
            raise PlaygroundError(
                Text(
                    f"This trace does not tell how its engine writes “{shown}” in tokens.",
                    f"此记录未说明引擎如何用词元写出“{shown}”。",
                ),
                Text("Replay it with the texts of the run itself.", "请使用该次运行自己的文本重放。"),
            )
        return known[text]

    return EngineTokenizer(pieces, special, encode, begins=str(facts["begins"]), ends=str(facts["ends"]))


def _id(number: Any, pieces: list[bytes]) -> int:
    if type(number) is not int or not 0 <= number < len(pieces):
        raise ValueError("a token is out of range")
    return number
