"""Which tokens end a text, and which end an answer in a conversation. Knows no request."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

from playground import thinking
from playground.rendering.chat import ChatTemplate
from playground.rendering.control import ControlTokens
from playground.types import Refused

# Tokens that end a turn and nothing else, by the names that the families give them.
_TURN_ENDS = (
    "<|im_end|>", "<|eot_id|>", "<|eom_id|>", "<|eot|>", "<|eom|>", "<|end|>", "<end_of_turn>", "<turn|>",
    "<|end_of_turn|>", "<|endofturn|>", "<|END_OF_TURN_TOKEN|>", "<|turn_end|>", "<|return|>", "<|call|>",
    "<|assistant_end|>", "<|role_end|>", "<|message_end|>", "<end_of_utterance>", "<eot>", "<EOT>", "[EOT]", "<eoa>",
)  # fmt: skip
_NAMES = ("eos", "eot", "eom", "end_of_turn", "end_of_message")  # in the names of a tokenizer's own attributes


def text_ends(model: Any, tokenizer: Any, rows: int) -> list[int]:
    """Every token that ends a text, as `generate()` has them; a model may have several.

    What its files name beside token ids is left out: words, fractions, numbers below 0 or from `rows` on.
    """
    named = (getattr(model.generation_config, "eos_token_id", None), tokenizer.eos_token_id)
    each = (_token_ids(given, rows) for given in named)
    return next((found for found in each if found), [])


def turn_ends(tokenizer: Any, template: ChatTemplate, control: ControlTokens, declared: Iterable[int]) -> list[int]:
    """Every token that ends an answer in a chat beside those: what the tokenizer, the template and the file name.

    `declared` are the ids that a GGUF file names. A token that only ends a thought does not end the answer behind it.
    """
    named = [str(name) for key, name in _attributes(tokenizer) if any(part in key for part in _NAMES)]
    names = dict.fromkeys((*named, *_written_behind(template, control), *_TURN_ENDS))
    within = {thinking.END, thinking.START} if _on_channels(control) else set()
    within.update(thinking.marks())
    ids = [control.id_of(name) for name in names if name not in within]
    return list(dict.fromkeys([*(one for one in ids if one is not None), *declared]))


def _attributes(tokenizer: Any) -> list[tuple[str, Any]]:
    return [(key, value) for key, value in tokenizer.special_tokens_map.items() if not isinstance(value, list | tuple)]


def _written_behind(template: ChatTemplate, control: ControlTokens) -> Sequence[str]:
    """The first control token behind an answer, where the template can be rendered."""
    try:
        behind = template.abilities.behind
    except Refused:
        return ()
    spans = [(text, control.find(text)[:1]) for text in behind]
    return [text[begins:ends] for text, found in spans for begins, ends in found]


def _token_ids(given: Any, rows: int) -> list[int]:
    listed = given if isinstance(given, list | tuple) else [given]
    return list(dict.fromkeys(one for one in listed if type(one) is int and 0 <= one < rows))


def _on_channels(control: ControlTokens) -> bool:
    return control.id_of(thinking.CHANNEL) is not None and control.id_of(thinking.MESSAGE) is not None
