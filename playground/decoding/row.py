"""One candidate: its random numbers, its sampler pipeline, its text, and how it steps back from a banned phrase.

Knows no model: it is handed the scores of each position and answers with a Step.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import torch
from torch import Tensor

from playground import parameters
from playground.decoding import notes
from playground.decoding.failures import why
from playground.decoding.words import Writer, Written
from playground.parameters.inert import effective
from playground.rendering.detokenize import Detokenizer, Labels
from playground.sampling.draw import RowRNG
from playground.sampling.pipeline import Context, SamplerPipeline
from playground.sampling.step import Sampled, sample
from playground.sampling.trace import Trace
from playground.types import FinishReason, Path, Step

MEMORY = 128  # positions whose scores are kept for stepping back; only those of text that is held count
TRIES_PER_POSITION = 20
TRIES_PER_RUN = 200


@dataclass(slots=True)
class Moment:
    """A position as it was before its token was drawn: enough to draw again under the same noise."""

    raw: Tensor
    unconditional: Tensor | None
    noise: Tensor | None
    samplers: list[object]


@dataclass(frozen=True, slots=True)
class Setting:
    """What all rows of one request share. `values` are those that have an effect; `greedy` takes the best token.

    `written` is the end of the prompt that an earlier answer wrote: what holds a text to a form goes on behind it.
    `expired` tells whether the request's time is up, which runs from `begin`; `cancelled` is set by whoever wants no
    more of it.
    `visible` are special tokens that the text shows all the same, each with its text. `thinks` is what a chat's answer
    begins a thought with ("" for none); None where nothing is a thought.
    """

    values: Mapping[str, Any]
    greedy: bool
    prompt: Tensor
    tokenizer: Any
    labels: Labels
    eos: list[int]
    vocab_size: int
    context: int
    traced: bool
    expired: Callable[[], bool]
    written: str = ""
    cancelled: threading.Event = field(default_factory=threading.Event)
    begin: Callable[[], None] = lambda: None
    visible: Mapping[int, str] = field(default_factory=dict)
    thinks: str | None = None

    def detokenizer(self) -> Detokenizer:
        """What turns the tokens behind the prompt into text."""
        return Detokenizer(self.tokenizer, self.prompt[0].tolist(), self.visible)

    @property
    def portable(self) -> bool:
        """Whether the noise is drawn on the CPU wherever the model runs."""
        return bool(self.values["portable_luck"])


def effect(values: Mapping[str, Any], *, has_eos: bool, path: Path = "exact") -> tuple[dict[str, Any], bool]:
    """The values that a pipeline is built from, and whether the best token is taken from what it leaves.

    At temperature 0 nothing is divided by it: the stage is left out.
    """
    found = effective(values, has_eos=has_eos, path=path)
    greedy = found["temperature"] == 0
    if greedy:
        found["temperature"] = parameters.by_name()["temperature"].neutral
    return found, greedy


def build_pipeline(setting: Setting) -> SamplerPipeline:
    """One row's samplers."""
    context = Context(
        device=setting.prompt.device,
        eos_token_id=setting.eos,
        prompt_ids=setting.prompt,
        tokenizer=setting.tokenizer,
        vocab_size=setting.vocab_size,
        min_tokens_to_keep=setting.values["min_tokens_to_keep"],
        written=setting.written,
    )
    return SamplerPipeline.build(setting.values, context)


class History:
    """The ids of prompt and answer, growing in place: no copy a token."""

    def __init__(self, prompt: Tensor) -> None:
        self._start = self._length = prompt.shape[1]
        self._settle(torch.empty(2 * self._length + 64, dtype=torch.long, device=prompt.device))
        self._room[: self._length] = prompt[0]

    def ids(self) -> Tensor:
        """[1, length], to be used before the next change."""
        return self._room[None, : self._length]

    def push(self, token: int) -> None:
        if self._length == len(self._room):
            self._settle(torch.cat([self._room, torch.empty_like(self._room)]))
        self._written[self._length] = token
        self._length += 1

    def truncate(self, count: int) -> None:
        """Forget all but the first `count` tokens of the answer."""
        self._length = min(self._length, self._start + count)

    def _settle(self, room: Tensor) -> None:
        self._room = room
        # One number is written ten times as fast by numpy.
        self._written: Any = room.numpy() if room.device.type == "cpu" else room


class Row:
    """Grows by `advance`. `tokens` are the generated ones; after a Step with `retract` some of them are gone.

    `forbidden` holds what stepping back has ruled out: a position's tokens, each with the phrase it began.
    """

    def __init__(self, index: int, seed: int, setting: Setting, *, by_reference: bool = False) -> None:
        """`by_reference`, transformers' processors and torch's draw alone decide: the measure, and no other text."""
        values = setting.values
        self.index = index
        self.tokens: list[int] = []
        self.finish: FinishReason | None = None
        self.by_reference = by_reference
        self.pipeline = build_pipeline(setting)
        self.rng = RowRNG(seed, setting.prompt.device, greedy=setting.greedy, portable=setting.portable)
        self.trace = Trace() if setting.traced else None
        self.forbidden: dict[int, dict[int, str]] = {}
        self._setting = setting
        self._history = History(setting.prompt)
        self._writer = Writer(setting.detokenizer(), values["stop"], values["banned_phrases"], setting.thinks)
        self._watching = bool(values["banned_phrases"])
        self._moments: dict[int, Moment] = {}
        self._tries = 0

    @property
    def ids(self) -> Tensor:
        """Prompt and answer so far [length], to be used before the next change."""
        return self._history.ids()[0]

    @property
    def position(self) -> int:
        return len(self.tokens)

    @property
    def forbidden_here(self) -> Collection[int]:
        return self.forbidden.get(len(self.tokens), {})

    @property
    def labels(self) -> Labels:
        return self._setting.labels

    def advance(self, raw: Tensor, unconditional: Tensor | None = None) -> Step:
        """The next token, from the scores [1, vocab] that follow the prompt and `tokens`."""
        self.remember(raw, unconditional)
        return self.settle(sample([self], raw, unconditional)[0])

    def remember(self, raw: Tensor, unconditional: Tensor | None = None) -> None:
        """To be called before a token is drawn from these scores [1, vocab]: the row may have to step back there."""
        if self._watching:
            moment = Moment(raw.clone(), unconditional, self.rng.state(), self.pipeline.snapshot())
            self._moments[len(self.tokens)] = moment
            self._moments.pop(len(self.tokens) - MEMORY, None)

    def settle(self, sampled: Sampled | Exception) -> Step:
        """The token's text, and whether the row ends or steps back."""
        start = len(self.tokens)
        try:
            return self._settle(sampled)
        except Exception as error:  # noqa: BLE001 - whatever fails in one row's samplers must not end its neighbours
            return self.fail(error, start)

    def fail(self, error: Exception, start: int | None = None) -> Step:
        """Ends the row with what went wrong; its reader has `start` tokens of it, where those are not all."""
        start = len(self.tokens) if start is None else start
        kept = min(start, len(self.tokens))
        self.finish = "error"
        try:
            self._writer.truncate(kept)
            rest = self._writer.finish()
        except Exception:  # noqa: BLE001 - where the text itself is what fails, what is held of it is lost
            rest = ""
        retract, reason = start - kept, why(error)
        return Step(self.index, kept, None, rest, retract=retract, finish="error", reason=reason)

    def time_is_up(self) -> Step:
        """Ends the row between two tokens, with the text that was held back."""
        self.finish = "time"
        return Step(self.index, len(self.tokens), None, self._writer.finish(), finish="time")

    def _settle(self, sampled: Sampled | Exception) -> Step:
        start, note = len(self.tokens), ""
        while True:
            if isinstance(sampled, Exception):
                raise sampled
            written = self._write(sampled.token)
            if not written.phrase:
                break
            place = written.began
            if not self._may_try(place):
                note = notes.note(notes.LET_THROUGH, written.phrase)
                written = self._writer.let_through()
                break
            note = notes.note(notes.STEPPED_BACK, written.phrase)
            moment = self._step_back(place, written.phrase)
            sampled = sample([self], moment.raw, moment.unconditional)[0]
        # No later match can begin before the text that is held, so older scores are not needed any more.
        self._moments = {place: kept for place, kept in self._moments.items() if place >= self._writer.first_held}
        position = len(self.tokens) - 1
        text = self._ended(sampled.token, written)
        stats = sampled.stats
        cut = self.finish not in (None, "end") and self.pipeline.unfinished(self.ids)
        note = notes.join(note, "" if sampled.left else notes.KEPT_BEST, notes.CUT_SHORT if cut else "")
        return Step(
            row=self.index,
            position=position,
            token_id=sampled.token,
            text=text,
            logprob=stats.logprob,
            chosen_prob=stats.chosen_prob,
            rank=stats.rank,
            entropy_nats=stats.entropy_nats,
            top=stats.top,
            stages=sampled.stages,
            retract=start - position,
            finish=self.finish,
            note=note,
            end_token=self._setting.labels[sampled.token] if self.finish == "end" else None,
        )

    def _write(self, token: int) -> Written:
        self.pipeline.chosen(token)
        self.tokens.append(token)
        self._history.push(token)
        return Written("") if token in self._setting.eos else self._writer.push(token)

    def _ended(self, token: int, written: Written) -> str:
        """Whether the row ends with this token, and the text to show."""
        setting, count = self._setting, len(self.tokens)
        if token in setting.eos:
            self.finish = "end"
        elif written.stopped:
            self.finish = "stop"
        elif count >= setting.values["max_new_tokens"]:
            self.finish = "length"
        elif setting.prompt.shape[1] + count >= setting.context:
            self.finish = "context"
        elif setting.expired():
            self.finish = "time"
        if self.finish is not None and not written.stopped:
            return written.text + self._writer.finish()
        return written.text

    def _may_try(self, place: int) -> bool:
        tried = self.forbidden.get(place, {})
        if self.tokens[place] in tried:  # a form leaves nothing else
            return False
        return place in self._moments and len(tried) < TRIES_PER_POSITION and self._tries < TRIES_PER_RUN

    def _step_back(self, place: int, phrase: str) -> Moment:
        """Return to `place` with its token forbidden there, and everything later forgotten."""
        self._tries += 1
        self.forbidden = {at: tokens for at, tokens in self.forbidden.items() if at <= place}
        self.forbidden.setdefault(place, {})[self.tokens[place]] = phrase
        self._moments = {at: moment for at, moment in self._moments.items() if at <= place}
        moment = self._moments[place]
        del self.tokens[place:]
        self._history.truncate(place)
        self._writer.truncate(place)
        self.rng.rewind(moment.noise)
        self.pipeline.restore(moment.samplers)
        return moment


def advance(rows: Sequence[Row], raw: Tensor, unconditional: Tensor | None = None) -> list[Step]:
    """One Step a row, from scores [rows, vocab]; exactly what each row's own `advance` gives."""
    for place, row in enumerate(rows):
        one = slice(place, place + 1)
        row.remember(raw[one], None if unconditional is None else unconditional[one])
    return [row.settle(one) for row, one in zip(rows, sample(rows, raw, unconditional), strict=True)]
