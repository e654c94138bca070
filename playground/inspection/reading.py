"""The model reads and writes nothing: the next token before any run, a text as it is, the prompt it would see.

Knows no page. Refuses, with a sentence, a generator that has no whole vocabulary to look at.
"""

from __future__ import annotations

import threading
import time
from collections import OrderedDict
from collections.abc import Callable, Iterator, Mapping
from dataclasses import replace
from typing import Any

from playground import parameters
from playground.amounts import counted
from playground.decoding.run_store import StoredRow
from playground.evaluation.text_statistics import perplexity
from playground.generators import vocabulary_reader
from playground.generators.vocabulary_reader import VocabularyReader
from playground.inspection import token_logprobs
from playground.inspection.replay_context import FRESH_SEED, ReplayContext
from playground.inspection.run_queries import check, searched
from playground.inspection.stage_breakdown import breakdown
from playground.inspection_results import Detection, PositionLogprobs, Reading, ReadToken, StageBreakdown
from playground.settings import Limits
from playground.types import Generator, InvalidRequest, Refused, Request, Text

Halted = Callable[[], bool]
"""Whether nobody waits for the answer any more."""
SESSIONS = 64  # last prompts that are remembered, one a session


class _Looks:
    """The scores behind the last prompt of each session, so that moving a slider makes no model pass."""

    def __init__(self) -> None:
        self._guard = threading.Lock()
        self._kept: OrderedDict[str, tuple[object, StoredRow]] = OrderedDict()

    def get(self, session: str, wanted: object) -> StoredRow | None:
        with self._guard:
            found = self._kept.get(session)
            return found[1] if found is not None and found[0] == wanted else None

    def put(self, session: str, wanted: object, row: StoredRow) -> None:
        with self._guard:
            self._kept[session] = wanted, row
            self._kept.move_to_end(session)
            while len(self._kept) > SESSIONS:
                self._kept.popitem(last=False)

    def drop(self, session: str) -> None:
        with self._guard:
            self._kept.pop(session, None)


_LOOKS = _Looks()


def next_token(
    generator: Generator,
    request: Request,
    values: Mapping[str, Any] | None,
    session: str,
    search: int | str | None,
    limits: Limits | None,
    halted: Halted,
) -> StageBreakdown:
    """The next token before any run, stage by stage; a slider that moves needs no model pass."""
    reader = vocabulary_reader.needed(generator)
    values = request.values if values is None else values
    request = replace(request, values=values)
    guided = not parameters.by_name()["guidance_scale"].is_neutral(values["guidance_scale"])
    second = values["negative_prompt"] if guided else None
    prompt = (request.prompt, request.system, request.prefill, request.mode, request.path, request.turns)
    wanted = (id(reader), reader.card.id, reader.card.dtype, *prompt, request.special_tokens, guided, second)
    row = _LOOKS.get(session, wanted) if session else None
    if row is None:
        row = reader.look(replace(request, values={**values, "num_beams": 1}), _within(limits, halted))
        if session:
            _LOOKS.put(session, wanted, row)
    values = {**values, "num_beams": 1, "n": 1}
    check(row, values)
    asked = searched(row.run.setting, search)
    with_draw = _drawn(values) and row.run.draws_known(values)
    return breakdown(ReplayContext(row, values), 0, asked=asked, with_draw=with_draw)


def _drawn(values: Mapping[str, Any]) -> bool:
    """Without a seed the noise is not known; at temperature 0 it is not needed."""
    return bool(values["seed"] != FRESH_SEED or values["temperature"] == 0)


def forget_next(session: str) -> None:
    """Drops the prompt that this session looked at last."""
    _LOOKS.drop(session)


def written(generator: Generator, token_id: int) -> str | None:
    """The text of a token id; None where the vocabulary has none."""
    return vocabulary_reader.needed(generator).written(token_id)


def biased(generator: Generator, values: Mapping[str, Any]) -> dict[str, Any]:
    """Which tokens each text and id of logit_bias means."""
    biased_of = getattr(generator, "biased", None)  # a script knows no vocabulary
    return {} if biased_of is None else dict(biased_of(values))


def read(
    generator: Generator, prompt: str, text: str, limits: Limits | None, halted: Halted, acts: bool
) -> Iterator[Reading]:
    """A text as the model reads it, in growing pieces; control tokens in it are text unless it `acts`. Raises
    InvalidRequest where it is empty."""
    reader = vocabulary_reader.needed(generator, whole=False)
    if not text:
        raise InvalidRequest(
            Text("There is no text to read.", "没有可阅读的文本。"), Text("Paste one.", "请粘贴一段文本。")
        )
    _check_text(prompt + text, limits)
    reader.check_reads()
    before = reader.tokens(prompt, special=True, acts=acts, parameter="prompt")
    own = reader.tokens(text, special=not before, acts=acts)
    yield from _reading(reader, before, own, _within(limits, halted))


def seen(generator: Generator, request: Request, limits: Limits | None, halted: Halted) -> Iterator[Reading]:
    """The prompt of a request as the model sees it."""
    reader = vocabulary_reader.needed(generator, whole=False)
    said = "".join(text for _, text in request.turns)
    _check_text(said + request.prompt + request.system + request.prefill, limits)
    yield from _reading(reader, [], list(reader.render(request).token_ids), _within(limits, halted))


def tells_vocabulary(generator: Generator) -> bool:
    """Whether this generator has a whole vocabulary to look at."""
    return vocabulary_reader.tells_all(generator)


def prompt_logprobs(
    generator: Generator, request: Request, count: int, limits: Limits | None, halted: Halted
) -> list[PositionLogprobs]:
    """The prompt of a request token by token, with the `count` likeliest at each."""
    reader = vocabulary_reader.needed(generator)
    _check_text(request.prompt + request.prefill, limits)
    return token_logprobs.of_prompt(reader, request, count, _within(limits, halted))


def detect_watermark(
    generator: Generator, text: str, values: Mapping[str, Any], limits: Limits | None, halted: Halted, acts: bool
) -> Detection:
    """Whether a text carries the watermark of these values; control tokens in it are text unless it `acts`."""
    reader = vocabulary_reader.needed(generator, whole=False)
    _check_text(text, limits)
    stage = [p for p in parameters.REGISTRY if p.stage == "watermark" and p.argument is not None]
    watermark = {str(p.argument): values[p.name] for p in stage}
    return reader.detect(reader.tokens(text, special=False, acts=acts), watermark, _within(limits, halted))


def _within(limits: Limits | None, halted: Halted) -> Halted:
    """Whether a reading is over: given up by its reader, or as long as this server allows (raises Refused)."""
    most, began = 0.0 if limits is None else limits.max_seconds, time.monotonic()

    def over() -> bool:
        if 0 < most <= time.monotonic() - began:
            raise Refused(
                Text(
                    f"This was not read after {most:g} seconds, which is what this server allows.",
                    f"{most:g} 秒后仍未读完，这是本服务器允许的最长时间。",
                ),
                Text("Shorten it.", "请缩短它。"),
            )
        return halted()

    return over


def _reading(reader: VocabularyReader, before: list[int], ids: list[int], halted: Halted) -> Iterator[Reading]:
    used, most = len(before) + len(ids), reader.card.context
    if used > most:
        raise Refused(
            Text(
                f"This text has {counted(used, 'token', 'tokens')}; {reader.card.title} reads at most {most:,}.",
                f"此文本有 {used:,} 个词元，{reader.card.title} 最多读 {most:,} 个。",
            ),
            Text("Shorten it.", "请缩短它。"),
        )
    tokens: list[ReadToken] = []
    for piece in reader.read([*before, *ids], halted):
        tokens += piece
        own = tokens[len(before) :]
        entropies = [token.entropy for token in own if token.entropy is not None]
        mean = sum(entropies) / len(entropies) if entropies else None
        yield Reading(tuple(tokens), len(before), perplexity(token.logprob for token in own), mean, used)


def _check_text(text: str, limits: Limits | None) -> None:
    try:
        text.encode("utf-8")
    except UnicodeEncodeError:
        raise InvalidRequest(
            Text("The text holds half a character (a lone surrogate).", "文本含有不完整的字符（孤立代理项）。"),
            Text("Paste it again.", "请重新粘贴。"),
        ) from None
    if limits is not None and len(text) > limits.prompt_characters:
        raise Refused(
            Text(
                f"This text has {len(text):,} characters; this server allows at most {limits.prompt_characters:,}.",
                f"此文本有 {len(text):,} 个字符，本服务器最多允许 {limits.prompt_characters:,} 个。",
            ),
            Text("Shorten it.", "请缩短它。"),
        )
