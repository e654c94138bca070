"""Small tokenizers of each kind, and a model that writes what it is told to. Imported, not collected."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import torch
from tokenizers import AddedToken, Tokenizer, decoders, models, normalizers, pre_tokenizers, processors
from transformers import ByT5Tokenizer, GPT2Config, GPT2LMHeadModel, PreTrainedTokenizerFast

from playground.models import Loaded
from playground.types import ModelCard

CHATML = (
    "{% for m in messages %}<|im_start|>{{ m.role }}\n{{ m.content }}<|im_end|>\n{% endfor %}"
    "{% if add_generation_prompt %}<|im_start|>assistant\n{% endif %}"
)
TURN = ("<|im_start|>", "<|im_end|>")
_WORDS = ("the", "cat", "sat", "light", "house", "good", "day")
PLACES = 160


def _finished(made: Tokenizer, special: Sequence[str], added: Sequence[str], template: str | None, **named: Any) -> Any:
    tokenizer = PreTrainedTokenizerFast(tokenizer_object=made, clean_up_tokenization_spaces=False, **named)
    tokenizer.add_special_tokens({"additional_special_tokens": list(special)})
    tokenizer.add_tokens([AddedToken(text, special=False, normalized=False) for text in added])
    tokenizer.chat_template = template
    return tokenizer


def _merges(words: Sequence[str], vocab: dict[str, int]) -> list[tuple[str, str]]:
    """What joins the letters of these words from the left."""
    found: dict[tuple[str, str], None] = {}
    for word in words:
        for size in range(1, len(word)):
            found[word[:size], word[size]] = None
            vocab.setdefault(word[: size + 1], len(vocab))
    return list(found)


def byte_level(special: Sequence[str] = TURN, added: Sequence[str] = (), template: str | None = CHATML) -> Any:
    """Every byte a token, some words too; `<|endoftext|>` ends a text."""
    vocab = {sign: number for number, sign in enumerate(sorted(pre_tokenizers.ByteLevel.alphabet()))}
    merges = _merges([*(f"Ġ{word}" for word in _WORDS), *_WORDS], vocab)
    made = Tokenizer(models.BPE(vocab=vocab, merges=merges))
    made.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    made.decoder = decoders.ByteLevel()
    return _finished(made, special, added, template, eos_token="<|endoftext|>")


def sentence_piece(
    special: Sequence[str] = TURN, added: Sequence[str] = (), template: str | None = CHATML, *, ends: bool = False
) -> Any:
    """As Llama 2: ▁ for a space and one before every text, bytes for what it does not know. With `ends` the tokenizer
    puts `</s>` behind a text, as well as `<s>` before it."""
    vocab = {piece: number for number, piece in enumerate(["<unk>", "<s>", "</s>"])}
    for piece in (*(f"<0x{byte:02X}>" for byte in range(256)), *"▁abcdefghijklmnopqrstuvwxyzABCDEFGHI.,:?!'"):
        vocab[piece] = len(vocab)
    merges = _merges([*(f"▁{word}" for word in _WORDS), *_WORDS], vocab)
    made = Tokenizer(models.BPE(vocab=vocab, merges=merges, unk_token="<unk>", fuse_unk=True, byte_fallback=True))
    made.normalizer = normalizers.Sequence([normalizers.Prepend("▁"), normalizers.Replace(" ", "▁")])
    made.decoder = decoders.Sequence(
        [decoders.Replace("▁", " "), decoders.ByteFallback(), decoders.Fuse(), decoders.Strip(" ", 1, 0)]
    )
    made.post_processor = processors.TemplateProcessing(
        single="<s> $A </s>" if ends else "<s> $A", special_tokens=[("<s>", 1), ("</s>", 2)]
    )
    named = {"bos_token": "<s>", "eos_token": "</s>", "unk_token": "<unk>"}
    return _finished(made, special, added, template, **named)


def unigram(special: Sequence[str] = TURN, template: str | None = CHATML) -> Any:
    """As T5: the pieces of a text are those that are likeliest together, and `</s>` is a piece like any other."""
    words = [(f"▁{word}", -2.0) for word in _WORDS]
    letters = [(letter, -5.0) for letter in (*map(chr, range(0x21, 0x7F)), "▁", "\n")]
    pieces = [("<unk>", 0.0), ("</s>", 0.0), *words, *letters]
    made = Tokenizer(models.Unigram(pieces, unk_id=0))
    made.pre_tokenizer = pre_tokenizers.Metaspace(prepend_scheme="first")
    made.decoder = decoders.Metaspace(prepend_scheme="first")
    return _finished(made, special, (), template, eos_token="</s>", unk_token="<unk>")


def in_python(special: Sequence[str] = TURN, template: str | None = CHATML) -> Any:
    """A tokenizer that is no Rust: bytes again, and it puts `</s>` behind a text."""
    tokenizer = ByT5Tokenizer()
    tokenizer.add_special_tokens({"additional_special_tokens": list(special)})
    tokenizer.chat_template = template
    return tokenizer


def speaker(tokenizer: Any, *, rows: int | None = None, ends: Any = None, places: int = PLACES) -> Loaded:
    """A model that writes whatever `says` has told it; it has `rows` embeddings, and `ends` are its own end tokens.

    It reads `places` tokens at most.
    """
    config = GPT2Config(
        vocab_size=rows or len(tokenizer),
        n_positions=places,
        n_embd=places,
        n_layer=1,
        n_head=1,
        n_inner=4,
        tie_word_embeddings=False,
        bos_token_id=None,
        eos_token_id=ends,
    )
    model = GPT2LMHeadModel(config).eval()
    with torch.no_grad():
        for weights in model.parameters():
            weights.zero_()
        model.transformer.wpe.weight.copy_(torch.eye(places))  # what it hears is its own place and nothing else
        model.transformer.ln_f.weight.fill_(1.0)
    model.generation_config.eos_token_id = ends
    card = ModelCard("speaker", "Speaker", "built", 1, "fp32", 4, places, bool(tokenizer.chat_template))
    return Loaded(model, tokenizer, card)


def says(loaded: Loaded, start: int, ids: Sequence[int]) -> None:
    """Behind a prompt of `start` tokens it writes exactly these, and anything after them."""
    with torch.no_grad():
        loaded.model.lm_head.weight.zero_()
        for place, token in enumerate(ids, start - 1):
            loaded.model.lm_head.weight[token, place] = 8.0
