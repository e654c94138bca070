"""Drawing here from an engine's scores: one step at a time it is asked for the whole vocabulary, and our chain decides.

Slow, since each token is a request of its own; but every sampler works that needs no raw scores and no second model
pass, and a run can be replayed like one of this machine's.
"""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import torch

from playground import parameters
from playground.decoding.deadline import Deadline
from playground.decoding.row import Row, Setting
from playground.decoding.step_stream import StepStream
from playground.generators.remote.adapter import Adapter
from playground.generators.remote.http_client import EngineClient
from playground.rendering.detokenize import Labels
from playground.types import Rendered, Request, Text

if TYPE_CHECKING:
    from playground.generators.remote.generator import Prepared

_RAW = Text(
    "Drawing here has the engine's log-probabilities, and this divides the model's raw scores.",
    "在此处抽取只有引擎给出的对数概率，而此项要对模型的原始分数做除法。",
)
_SECOND = Text("Drawing here asks for one text's scores only.", "在此处抽取只获取一段文本的分数。")
_SEARCH = Text("A beam search runs in a model on this machine only.", "束搜索只能在本机的模型上进行。")
_FORM = Text(
    "Drawing here knows the engine's tokens, but not enough of its tokenizer to hold a text to a form.",
    "在此处抽取知道引擎的词元，但对其分词器了解不足，无法限定文本形式。",
)
_NOISE = Text("Drawing here draws its noise on the CPU anyway.", "在此处抽取时随机数本来就在 CPU 上生成。")
_STEPS = Text("Drawing here takes one token at a time.", "在此处抽取时逐个词元进行。")

LACKS: Mapping[str, Text] = {
    **dict.fromkeys(("repetition_penalty", "repetition_penalty_range", "repetition_penalty_scope"), _RAW),
    "encoder_repetition_penalty": _RAW,
    **dict.fromkeys(("guidance_scale", "negative_prompt"), _SECOND),
    **dict.fromkeys(("num_beams", "length_penalty", "early_stopping"), _SEARCH),
    **dict.fromkeys(("json_schema", "regex", "one_of", "grammar"), _FORM),
    "portable_noise": _NOISE,
    "prompt_lookup_num_tokens": _STEPS,
}
"""What needs more than the log-probabilities of one step."""
HONOURED = frozenset(parameters.by_name()) - LACKS.keys()


def setting(
    request: Request,
    values: Mapping[str, Any],
    greedy: bool,
    rendered: Rendered,
    tokenizer: Any,
    labels: Labels,
    cancelled: threading.Event,
    thinks: str | None,
) -> Setting:
    """What all rows of a request share, as a model of this machine has it."""
    deadline = Deadline(values["max_time"])
    return Setting(
        values=values,
        greedy=greedy,
        prompt=torch.tensor([rendered.token_ids], dtype=torch.long),
        tokenizer=tokenizer,
        labels=labels,
        eos=ends(request, tokenizer),
        vocab_size=len(tokenizer),
        context=rendered.context,
        traced=False,
        expired=deadline.expired,
        written=request.written,
        cancelled=cancelled,
        begin=deadline.begin,
        thinks=thinks,
    )


def ends(request: Request, tokenizer: Any) -> list[int]:
    """The tokens that end a text: the engine's own, and those that end a turn by their names."""
    found = [] if tokenizer.eos_token_id is None else [tokenizer.eos_token_id]
    special: Mapping[int, str] = getattr(tokenizer, "special", {})
    names = ("<|endoftext|>", "</s>", "<eos>", "<|im_end|>", "<|eot_id|>", "<|end|>", "<end_of_turn>", "<|endofturn|>")
    return list(dict.fromkeys([*found, *(number for number, name in special.items() if name in names)]))


async def run(client: EngineClient, adapter: Adapter, prepared: Prepared, row: int, stream: StepStream) -> None:
    """One row to its end. Its Steps are put into the stream."""
    found = prepared.setting
    assert found is not None  # checked when the generator was made
    # Samplers may ask the engine how it writes a text, and wait for it: never on the loop that brings the answer.
    one = await asyncio.to_thread(Row, row, prepared.seeds[row], found)
    kept = None if prepared.stored is None else prepared.stored.rows[row]
    found.begin()
    while one.finish is None:
        if found.cancelled.is_set():
            return
        try:
            path, body = adapter.score_call([*prepared.rendered.token_ids, *one.tokens])
            scores = adapter.scores(await client.ask_until_room(path, body))
            if bool(scores.isnan().any()):
                raise FloatingPointError
            if kept is not None:
                kept.put(len(one.tokens), scores, None, torch.float32, one.rng.state())
            step = await asyncio.to_thread(one.advance, scores)
        except Exception as error:  # noqa: BLE001 - one row's failure is its own; its text stays
            step = one.fail(error)
        if kept is not None:
            kept.record(step, one.forbidden)
        stream.put(step)
        if one.finish is None and found.expired():
            stream.put(one.end_by_time())
