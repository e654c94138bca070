"""Text comes out of token ids piece by piece: whole characters only, and nothing lost."""

from __future__ import annotations

import random
from typing import Any

import pytest
from tokenizers import Tokenizer, decoders, pre_tokenizers
from tokenizers.models import BPE
from transformers import PreTrainedTokenizerFast

from playground import models
from playground.rendering.detokenize import BROKEN, Detokenizer, Labels

TEXTS = [
    "Hello world, this is a test.",
    "日本語のテキスト、中文也可以。",
    "👩‍👩‍👧‍👦 family, 🇩🇪 flag, 🏳️‍🌈 and 😀😀😀",
    "naïve café — “quotes”\n\n\tcode  with  spaces ",
    "Ж𝄞Ω ௵ ﷽",
]


@pytest.fixture(scope="module")
def bytelevel(tiny: models.Loaded) -> Any:
    return tiny.tokenizer


@pytest.fixture(scope="module")
def sentencepiece() -> Any:
    """A tokenizer of the Llama 2 kind: ▁ for spaces, bytes as tokens, the first space of a text is dropped."""
    words = ["▁", "▁Hello", "▁world", "Hello", "!", "▁and"]
    pieces = ["<unk>", "<s>", "</s>", *(f"<0x{byte:02X}>" for byte in range(256)), *words]
    model = BPE(vocab={piece: number for number, piece in enumerate(pieces)}, merges=[], byte_fallback=True)
    made = Tokenizer(model)
    made.pre_tokenizer = pre_tokenizers.Metaspace()
    made.decoder = decoders.Sequence(
        [decoders.Replace("▁", " "), decoders.ByteFallback(), decoders.Fuse(), decoders.Strip(" ", 1, 0)]
    )
    return PreTrainedTokenizerFast(tokenizer_object=made, bos_token="<s>", eos_token="</s>", unk_token="<unk>")


def pushed(tokenizer: Any, ids: list[int], prompt: tuple[int, ...] = ()) -> list[str]:
    detokenizer = Detokenizer(tokenizer, prompt)
    return [*(detokenizer.push(token_id) for token_id in ids), detokenizer.flush()]


@pytest.mark.parametrize("text", TEXTS)
def test_pieces_join_to_the_text_and_never_show_half_a_character(bytelevel: Any, text: str) -> None:
    pieces = pushed(bytelevel, bytelevel(text).input_ids)
    assert "".join(pieces) == text
    assert not any(BROKEN in piece for piece in pieces)


@pytest.mark.parametrize("seed", range(30))
def test_pieces_join_to_what_the_whole_decodes_to_even_where_bytes_are_broken(bytelevel: Any, seed: int) -> None:
    chance = random.Random(seed)
    halves = [token_id for token_id in range(3, 1500) if bytelevel.decode([token_id]) == BROKEN]
    every = range(3, bytelevel.vocab_size)
    ids = [chance.choice(halves) if chance.random() < seed / 30 else chance.choice(every) for _ in range(120)]
    whole = bytelevel.decode(ids, skip_special_tokens=True, clean_up_tokenization_spaces=False)
    pieces = pushed(bytelevel, ids)
    assert "".join(pieces).rstrip(BROKEN) == whole.rstrip(BROKEN)
    assert not pieces[-1].endswith(BROKEN), "a text does not end in half a character"


def test_a_character_that_is_cut_off_never_shows(bytelevel: Any) -> None:
    assert "".join(pushed(bytelevel, bytelevel("好的😀").input_ids[:-1])) == "好的"


def test_special_tokens_are_not_shown(bytelevel: Any) -> None:
    assert "".join(pushed(bytelevel, bytelevel("a<|im_end|>b").input_ids)) == "ab"


def test_the_space_before_the_first_token_depends_on_the_prompt(sentencepiece: Any) -> None:
    hello, world = (sentencepiece.convert_tokens_to_ids(piece) for piece in ("▁Hello", "▁world"))
    assert "".join(pushed(sentencepiece, [hello, world])) == "Hello world"
    assert "".join(pushed(sentencepiece, [world], prompt=(hello,))) == " world"


def test_spaces_survive_in_a_long_text_of_sentencepiece(sentencepiece: Any) -> None:
    words = [sentencepiece.convert_tokens_to_ids(piece) for piece in ("▁Hello", "▁world", "!", "▁and")]
    assert "".join(pushed(sentencepiece, words * 20, prompt=(words[0],))) == " Hello world! and" * 20


def test_bytes_as_tokens_become_characters(sentencepiece: Any) -> None:
    ids = [sentencepiece.convert_tokens_to_ids(f"<0x{byte:02X}>") for byte in "中文😀".encode()]
    pieces = pushed(sentencepiece, ids * 5)
    assert "".join(pieces) == "中文😀" * 5
    assert not any(BROKEN in piece for piece in pieces)


@pytest.mark.parametrize("kept", range(0, 40, 3))
def test_tokens_can_be_taken_back(bytelevel: Any, kept: int) -> None:
    first = bytelevel("日本 Hello, some 😀 words and more of them " * 2).input_ids
    second = bytelevel("🇩🇪 flag").input_ids
    detokenizer = Detokenizer(bytelevel)
    before = [detokenizer.push(token_id) for token_id in first][:kept]
    detokenizer.truncate(kept)
    after = [detokenizer.push(token_id) for token_id in second]
    assert [*before, *after, detokenizer.flush()] == pushed(bytelevel, [*first[:kept], *second])


def test_a_long_text_decodes_few_tokens_a_step(bytelevel: Any) -> None:
    class Counting:
        decoded = 0

        def decode(self, ids: list[int], **options: Any) -> str:
            self.decoded += len(ids)
            return str(bytelevel.decode(ids, **options))

    counting = Counting()
    ids = bytelevel("Some words that go on and on. " * 200).input_ids
    assert "".join(pushed(counting, ids)).endswith("on and on. ")
    assert counting.decoded < 20 * len(ids)


def test_a_label_shows_the_space_and_the_bytes_of_a_single_token(bytelevel: Any, sentencepiece: Any) -> None:
    labels = Labels(bytelevel)
    assert labels[bytelevel(" the").input_ids[0]] == " the"
    assert BROKEN not in labels[bytelevel("😀").input_ids[0]]
    pieces = bytelevel("西", add_special_tokens=False).input_ids
    named = "".join(labels[one] for one in pieces)
    assert named.replace("⟩⟨", " ") == "⟨E8 A5 BF⟩"
    assert labels[bytelevel.convert_tokens_to_ids("<|im_end|>")] == "<|im_end|>"
    assert Labels(sentencepiece)[sentencepiece.convert_tokens_to_ids("▁world")] == " world"
