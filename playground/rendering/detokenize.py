"""Token ids to text, piece by piece: pieces join to the whole text, and half a character is never shown.

Knows only `decode(ids, skip_special_tokens)`; nothing of models, stops or pages. Needs no torch.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from types import MappingProxyType
from typing import Any, NamedTuple

from playground.inspection_results import TokenData

BROKEN = "\ufffd"
_WINDOW = 12  # tokens decoded at once before the window slides: keeps the cost of a token constant
_PATIENCE = 8  # a character has at most four bytes; a longer wait means that the bytes are really broken
_HOPELESS = 64  # nothing but broken bytes for this long: start afresh, so that the window stays bounded
_CONTEXT = 8  # tokens of the prompt that stand before the first one


class _Mark(NamedTuple):
    """Where the window starts, how much of its text was handed out, and the last place between two characters."""

    start: int
    shown: int
    clean: int
    since: int


class Detokenizer:
    """Grows one text. `prompt` gives the first token its neighbours, which decide about a leading space.

    Special tokens write nothing, except those that are `visible`, each with its text.
    """

    def __init__(
        self, tokenizer: Any, prompt: Sequence[int] = (), visible: Mapping[int, str] = MappingProxyType({})
    ) -> None:
        self._tokenizer = tokenizer
        self._visible = visible
        self._ids = self._neighbours(prompt)
        self._offset = len(self._ids)
        shown = len(self._decode(0))
        self._marks = [_Mark(0, shown, self._offset, self._offset)]

    def push(self, token_id: int) -> str:
        """The text that this token completes; empty while a character is still in pieces."""
        self._ids.append(token_id)
        mark, end = self._marks[-1], len(self._ids)
        text = self._decode(mark.start)
        if token_id in self._visible:  # whatever was held is broken for good, and the window sees no text in the token
            piece, mark = text[mark.shown :] + self._visible[token_id], self._slid(mark, len(text), end)
        elif not text.endswith(BROKEN):
            piece, mark = text[mark.shown :], self._slid(mark, len(text), end)
        elif end - mark.start > _HOPELESS:
            piece, mark = text[mark.shown :], _Mark(end, 0, end, end)
        elif end - mark.since > _PATIENCE:
            # Really broken bytes: hand out all but the last sign, which the next token may still change.
            whole = max(mark.shown, len(text) - 1)
            piece, mark = text[mark.shown : whole], mark._replace(shown=whole, since=end)
        else:
            piece = ""
        self._marks.append(mark)
        return piece

    def flush(self) -> str:
        """What is still held when no token follows, without the half character that a text may have been cut off in."""
        mark = self._marks[-1]
        return self._decode(mark.start)[mark.shown :].rstrip(BROKEN)

    def truncate(self, count: int) -> None:
        """Forget all but the first `count` generated tokens."""
        del self._ids[self._offset + count :]
        del self._marks[count + 1 :]

    def _slid(self, mark: _Mark, shown: int, end: int) -> _Mark:
        """Between two characters the window may move up, to the last such place that it remembers."""
        length = end - mark.start
        if length > _WINDOW and mark.clean > mark.start:
            return _Mark(mark.clean, len(self._decode(mark.clean)), end, end)
        remembered = length > _WINDOW // 2 and mark.clean > mark.start
        return _Mark(mark.start, shown, mark.clean if remembered else end, end)

    def _decode(self, start: int) -> str:
        text: str = self._tokenizer.decode(
            self._ids[start:], skip_special_tokens=True, clean_up_tokenization_spaces=False
        )
        return text

    def _neighbours(self, prompt: Sequence[int]) -> list[int]:
        """The last tokens of the prompt, beginning between two characters where that can be seen."""
        for length in range(min(_CONTEXT, len(prompt)), 0, -1):
            tail = list(prompt[-length:])
            text = self._tokenizer.decode(tail, skip_special_tokens=True, clean_up_tokenization_spaces=False)
            if BROKEN not in text:
                return tail
        return []


class Labels:
    """The text of single tokens, for lists of candidates; remembered, since the same few come again and again."""

    def __init__(self, tokenizer: Any) -> None:
        self._tokenizer = tokenizer
        self._known: dict[int, str] = {}
        self.data = TokenData(lambda token_id: token_bytes(self._tokenizer, self, token_id))

    def __getitem__(self, token_id: int) -> str:
        if token_id not in self._known:
            self._known[token_id] = self._label(token_id)
        return self._known[token_id]

    def _label(self, token_id: int) -> str:
        text: str = self._tokenizer.decode([token_id], clean_up_tokenization_spaces=False)
        raw = self._tokenizer.convert_ids_to_tokens(token_id)
        if raw is None:
            return f"<{token_id}>"
        if BROKEN in text or not text:
            return _with_bytes(str(raw))
        return " " + text if raw.startswith("▁") and not text.startswith(" ") else text


def token_bytes(tokenizer: Any, labels: Labels, token_id: int) -> bytes:
    """The bytes that a token writes: of one that is only a part of a character, the part."""
    text: str = tokenizer.decode([token_id], clean_up_tokenization_spaces=False)
    if text and BROKEN not in text:
        return labels[token_id].encode("utf-8")
    raw = str(tokenizer.convert_ids_to_tokens(token_id) or "")
    if (single := re.fullmatch("<0x([0-9A-Fa-f]{2})>", raw)) is not None:
        return bytes.fromhex(single[1])
    if raw and all(sign in _BYTES for sign in raw):
        return bytes(_BYTES[sign] for sign in raw)
    return labels[token_id].encode("utf-8")


def _alphabet() -> dict[str, int]:
    """How byte-level vocabularies write each byte: printable ones as themselves, the others from U+0100 on."""
    plain = [*range(0x21, 0x7F), *range(0xA1, 0xAD), *range(0xAE, 0x100)]
    rest = [byte for byte in range(0x100) if byte not in plain]
    return {chr(byte): byte for byte in plain} | {chr(0x100 + at): byte for at, byte in enumerate(rest)}


_BYTES = _alphabet()
BYTE_SIGNS = {byte: sign for sign, byte in _BYTES.items()}
"""How byte-level vocabularies write each byte."""


def _with_bytes(raw: str) -> str:
    """A vocabulary entry that is no whole text: what can be read of it, and ⟨E8 A5⟩ for the bytes that cannot."""
    if not all(sign in _BYTES for sign in raw):
        return raw
    text = bytes(_BYTES[sign] for sign in raw).decode("utf-8", errors="surrogateescape")
    return re.sub(
        "[\udc80-\udcff]+", lambda found: f"⟨{found[0].encode('utf-8', 'surrogateescape').hex(' ').upper()}⟩", text
    )
