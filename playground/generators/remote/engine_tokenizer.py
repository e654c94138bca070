"""An engine's own vocabulary, asked of it: what the rest of the program needs of a tokenizer, without its files.

Encoding is a question to the engine; decoding joins the bytes of its tokens here. Knows no kind of engine.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any

from playground.rendering.detokenize import BROKEN, BYTE_SIGNS


class Encoding(dict[str, Any]):
    """What a tokenizer's call gives: `input_ids`, as an item and as an attribute."""

    @property
    def input_ids(self) -> Any:
        return self["input_ids"]


class EngineTokenizer:
    """`pieces` holds the bytes of every token, `special` the names of those that write nothing.

    `encode` asks the engine for the ids of a text; its second argument is whether control tokens in it act.
    """

    is_fast = False

    def __init__(
        self,
        pieces: Sequence[bytes],
        special: Mapping[int, str],
        encode: Callable[[str, bool], list[int]],
        *,
        begins: str = "",
        ends: str = "",
    ) -> None:
        self.pieces = list(pieces)
        self.special = dict(special)
        self._encode = encode
        self.begins, self.ends = begins, ends
        numbers = {name: number for number, name in self.special.items()}
        self.bos_token_id = numbers.get(begins)
        self.eos_token_id = numbers.get(ends)
        self.all_special_ids = sorted(self.special)
        self._by_bytes: dict[bytes, int] = {}
        for number, piece in enumerate(self.pieces):
            if piece:
                self._by_bytes.setdefault(piece, number)
        self._by_name = {self.convert_ids_to_tokens(number): number for number in range(len(self.pieces))}

    def __len__(self) -> int:
        return len(self.pieces)

    def __call__(self, text: str, **_: object) -> Encoding:
        """Control tokens in the text are text like any other."""
        return Encoding(input_ids=self.encode(text))

    def encode(self, text: str, *, acts: bool = False) -> list[int]:
        """The ids of a text; control tokens in it act where asked to. One question to the engine."""
        return self._encode(text, acts) if text else []

    def asking(self, encode: Callable[[str, bool], list[int]]) -> EngineTokenizer:
        """The same vocabulary with another way to encode."""
        return EngineTokenizer(self.pieces, self.special, encode, begins=self.begins, ends=self.ends)

    def decode(self, ids: int | Sequence[int], skip_special_tokens: bool = False, **_: object) -> str:
        """The text of these tokens; bytes that are half a character are shown as broken."""
        several = [ids] if isinstance(ids, int) else ids
        return b"".join(self._piece(one, skip_special_tokens) for one in several).decode("utf-8", "replace")

    def batch_decode(self, several: Iterable[Sequence[int]], **more: Any) -> list[str]:
        return [self.decode(ids, **more) for ids in several]

    def convert_ids_to_tokens(self, token_id: int) -> str:
        """A name for every token: a special one's own, else its bytes as byte-level vocabularies write them."""
        name = self.special.get(token_id)
        return name or "".join(BYTE_SIGNS[byte] for byte in self.pieces[token_id]) or f"<{token_id}>"

    def convert_tokens_to_ids(self, name: str) -> int | None:
        return self._by_name.get(name)

    def written_as(self, data: bytes, count: int) -> list[int] | None:
        """`count` tokens that write these bytes together; None where no tokens do."""
        if count == 0:
            return [] if not data else None
        for length in range(len(data) - count + 1, 0, -1):
            first = self._by_bytes.get(data[:length])
            if first is not None and (rest := self.written_as(data[length:], count - 1)) is not None:
                return [first, *rest]
        return None

    def _piece(self, token_id: int, skip: bool) -> bytes:
        if token_id in self.special:
            return b"" if skip else self.special[token_id].encode()
        return self.pieces[token_id] if 0 <= token_id < len(self.pieces) else BROKEN.encode()


class WrittenPieces:
    """Numbers pieces of text as they come: looks like a tokenizer as far as a detokenizer asks."""

    def __init__(self) -> None:
        self._pieces: list[str] = []

    def add(self, text: str) -> int:
        """The number of a piece of text that has come."""
        self._pieces.append(text)
        return len(self._pieces) - 1

    def decode(self, ids: Sequence[int], **_: object) -> str:
        return "".join(self._pieces[one] for one in ids)
