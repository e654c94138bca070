"""Which of llama.cpp's ways to cut a text into words a tokenizer has, found by what it does with texts.

llama.cpp knows them by name and not by rule; a wrong one would give other tokens and no error. Knows no model.
"""

from __future__ import annotations

from typing import Any

from tokenizers import Regex
from tokenizers.pre_tokenizers import ByteLevel, Digits, Sequence, Split

# As llama.cpp's llama-vocab.cpp has them.
_QWEN2 = (
    r"(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}| ?[^\s\p{L}\p{N}]+[\r\n]*|\s*[\r\n]+|\s+(?!\S)|\s+"
)
_LLAMA3 = (
    r"(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}{1,3}| ?[^\s\p{L}\p{N}]+[\r\n]*|\s*[\r\n]+|\s+(?!\S)"
    r"|\s+"
)
_BYTES = {"add_prefix_space": False}
KNOWN: dict[str, Any] = {
    "gpt-2": ByteLevel(**_BYTES),
    "smollm": Sequence([Digits(individual_digits=True), ByteLevel(**_BYTES)]),
    "qwen2": Sequence([Split(Regex(_QWEN2), "isolated"), ByteLevel(**_BYTES, use_regex=False)]),
    "llama-bpe": Sequence([Split(Regex(_LLAMA3), "isolated"), ByteLevel(**_BYTES, use_regex=False)]),
}
_PROBES = (
    "Hello, it's 2026! We'VE 12345 items (3.14), don't we?",
    "  two spaces\n\n\tand a tab \r\n  end  ",
    "你好，世界123 — “quoted”…\n一二三",
    "x=1;y+=22;/* 中文 */ if(a<b){return a[0];}\n\n\n    pass",
    "état naïve Ünïcode ١٢٣ العربية 🙂🙂 e\u0301",
    "a1b22c333 $9.99 100% #tag @me _under_score CamelCase",
)


def name_of(tokenizer: Any) -> str | None:
    """llama.cpp's name for the pre-tokenizer of a `tokenizers.Tokenizer`; None where it is none that is known here."""
    own = tokenizer.pre_tokenizer
    normalizer = tokenizer.normalizer
    if own is None or (normalizer is not None and type(normalizer).__name__ != "NFC"):
        return None  # NFC changes nothing that a person types; llama.cpp does without
    for name, known in KNOWN.items():
        if all(_cut(own, text) == _cut(known, text) for text in _PROBES):
            return name
    return None


def _cut(rule: Any, text: str) -> list[str]:
    return [piece for piece, _ in rule.pre_tokenize_str(text)]
