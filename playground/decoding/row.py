"""One candidate: its luck, its chain, its text, and how it steps back from a banned phrase.

Knows no model: it is handed the scores of each position and answers with a Step.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Collection, Mapping
from concurrent.futures import Executor, Future
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import torch
from torch import Tensor

from playground import parameters
from playground.decoding import notes
from playground.decoding.alike import twins
from playground.decoding.chain import Chain, Context, Processor
from playground.decoding.describe import Seen, Sight, describe
from playground.decoding.detokenize import Detokenizer, Labels
from playground.decoding.failures import why
from playground.decoding.field import Field, Unsure
from playground.decoding.lane import guide
from playground.decoding.noise import Noise
from playground.decoding.pick import Luck
from playground.decoding.quick import quickly
from playground.decoding.trace import Trace
from playground.decoding.words import Writer, Written
from playground.parameters.inert import effective
from playground.token_views import StageView
from playground.types import FinishReason, Path, Step

MEMORY = 128  # positions whose scores are kept for stepping back; only those of text that is held count
TRIES_PER_POSITION = 20
TRIES_PER_RUN = 200


@dataclass(slots=True)
class Moment:
    """A position as it was before its token was picked: enough to pick again under the same noise."""

    raw: Tensor
    unconditional: Tensor | None
    luck: Tensor | None
    chain: list[object]


@dataclass(frozen=True, slots=True)
class Pick:
    """A token that was chosen, and what there is to say of it; `left` is False where no stage left a candidate."""

    token: int
    sight: Sight
    left: bool = True
    stages: tuple[StageView, ...] | None = None


Choice = Pick | Future[Pick] | Exception


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
    """The values that a chain is built from, and whether the best token is taken from what it leaves.

    At temperature 0 nothing is divided by it: the stage is left out.
    """
    found = effective(values, has_eos=has_eos, path=path)
    greedy = found["temperature"] == 0
    if greedy:
        found["temperature"] = parameters.by_name()["temperature"].neutral
    return found, greedy


def build_chain(setting: Setting, coin: Callable[[], float], guided: Processor) -> Chain:
    """One row's chain; `coin` is the present step's draw from the second source, `guided` its stage of guidance."""
    context = Context(
        device=setting.prompt.device,
        eos_token_id=setting.eos,
        prompt_ids=setting.prompt,
        tokenizer=setting.tokenizer,
        vocab_size=setting.vocab_size,
        min_tokens_to_keep=setting.values["min_tokens_to_keep"],
        coin=coin,
        written=setting.written,
        links={"guidance": guided},
    )
    return Chain.build(setting.values, context)


class History:
    """The ids of prompt and answer, growing in place: no copy a token."""

    def __init__(self, prompt: Tensor) -> None:
        self._start = self._length = prompt.shape[1]
        self._settle(torch.empty(2 * self._length + 64, dtype=torch.long, device=prompt.device))
        self._room[: self._length] = prompt[0]

    def ids(self) -> Tensor:
        """[1, length], to be used before the next change."""
        return self._room[None, : self._length]

    def array(self) -> np.ndarray:
        """The same [length] for numpy, on a CPU."""
        ids: np.ndarray = self._written[: self._length]
        return ids

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

    `forbidden` holds what stepping back has ruled out: a position's tokens, each with the phrase it began. Rows whose
    `alike` are equal may go through their chains as one; where it is None, only the row itself can choose.
    """

    def __init__(self, index: int, seed: int, setting: Setting, *, quick: bool = True) -> None:
        """Without `quick` the chain itself decides everywhere: the measure of the quick way, and no other text."""
        values = setting.values
        self.index = index
        self.tokens: list[int] = []
        self.finish: FinishReason | None = None
        self._setting = setting
        self.luck = Luck(seed, setting.prompt.device, greedy=setting.greedy, portable=setting.portable)
        self._unconditional: Tensor | None = None
        self._chain = build_chain(setting, lambda: self.luck.coin(len(self.tokens)), self._guided)
        self._trace = Trace() if setting.traced else None
        self._quick = quick and not setting.traced and setting.prompt.device.type == "cpu"
        self._slow, self._twins = quickly(self._chain)
        self._history = History(setting.prompt)
        self._writer = Writer(setting.detokenizer(), values["stop"], values["banned_phrases"], setting.thinks)
        self._watching = bool(values["banned_phrases"])
        self.alike = twins(self._chain) if quick and not setting.traced and not self._watching else None
        self._moments: dict[int, Moment] = {}
        self.forbidden: dict[int, dict[int, str]] = {}
        self._tries = 0

    def prepare(self, size: int, beside: Executor) -> None:
        """Begin to draw the noise of the next token over a vocabulary of this size, in another thread."""
        if self._quick:
            self.luck.prepare(size, beside)

    @property
    def ids(self) -> Tensor:
        """Prompt and answer so far [length], to be used before the next change."""
        return self._history.ids()[0]

    @property
    def links(self) -> list[Processor]:
        """The samplers of its chain, in their order."""
        return [link for _, link in self._chain.links]

    @property
    def labels(self) -> Labels:
        return self._setting.labels

    def advance(self, raw: Tensor, unconditional: Tensor | None = None) -> Step:
        """The next token, from the scores [1, vocab] that follow the prompt and `tokens`."""
        return self.settle(self.choose(raw, unconditional))

    def choose(
        self,
        raw: Tensor,
        unconditional: Tensor | None = None,
        beside: Executor | None = None,
        seen: Seen | None = None,
    ) -> Choice:
        """The first half of `advance`: a token. What takes long is left to `beside`, and goes on meanwhile; `seen` is
        what a survey of many rows said of these scores."""
        try:
            moment = Moment(raw, unconditional, None, [])
            if self._watching:
                moment = Moment(raw.clone(), unconditional, self.luck.state(), self._chain.snapshot())
                self._remember(moment)
            return self._pick(moment, beside, seen)
        except Exception as error:  # noqa: BLE001 - told by `settle`
            return error

    def settle(self, choice: Choice) -> Step:
        """The second half: the token's text, and whether the row ends or steps back."""
        start = len(self.tokens)
        try:
            return self._settle(choice)
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

    def _settle(self, choice: Choice) -> Step:
        start, note = len(self.tokens), ""
        while True:
            if isinstance(choice, Exception):
                raise choice
            pick = choice.result() if isinstance(choice, Future) else choice
            written = self._write(pick.token)
            if not written.phrase:
                break
            place = written.began
            if not self._may_try(place):
                note = notes.note(notes.LET_THROUGH, written.phrase)
                written = self._writer.let_through()
                break
            note = notes.note(notes.STEPPED_BACK, written.phrase)
            choice = self._pick(self._step_back(place, written.phrase), None)
        # No later match can begin before the text that is held, so older scores are not needed any more.
        self._moments = {place: kept for place, kept in self._moments.items() if place >= self._writer.first_held}
        position = len(self.tokens) - 1
        text = self._ended(pick.token, written)
        sight = pick.sight
        cut = self.finish not in (None, "end") and self._chain.unfinished(self._history.ids())
        note = notes.join(note, "" if pick.left else notes.KEPT_BEST, notes.CUT_SHORT if cut else "")
        return Step(
            row=self.index,
            position=position,
            token_id=pick.token,
            text=text,
            logprob=sight.logprob,
            chosen_prob=sight.chosen_prob,
            rank=sight.rank,
            entropy_nats=sight.entropy_nats,
            top=sight.top,
            stages=pick.stages,
            retract=start - position,
            finish=self.finish,
            note=note,
            end_token=self._setting.labels[pick.token] if self.finish == "end" else None,
        )

    def _pick(self, moment: Moment, beside: Executor | None, seen: Seen | None = None) -> Choice:
        """A token for the current position, without what is forbidden there."""
        raw, field = moment.raw, None
        self._unconditional = moment.unconditional
        forbidden = self.forbidden.get(len(self.tokens), {})
        if self._quick and not forbidden:
            with suppress(Unsure):
                field = self._field(raw)
        noise = self.luck.draw(raw.shape[-1]) if self._quick else None
        if field is not None:
            with suppress(Unsure):
                return self._from_field(field, raw, noise, seen)
        if beside is not None:
            return beside.submit(self._from_chain, raw, forbidden, noise, seen)
        return self._from_chain(raw, forbidden, noise, seen)

    @torch.inference_mode()
    def _from_chain(self, raw: Tensor, forbidden: Collection[int], noise: Noise | None, seen: Seen | None) -> Pick:
        """The pick as transformers makes it: every sampler over the whole vocabulary."""
        scores = without(raw, forbidden) if forbidden else raw
        scores, left = self._chain.apply(self._history.ids(), scores, self._trace)
        token, probabilities = self.luck.pick(scores, noise)
        sight = describe(raw, token, lambda ids: probabilities[0, list(ids)].tolist(), self._setting.labels, seen)
        return Pick(token, sight, left, self._trace.views() if self._trace is not None else None)

    def _field(self, raw: Tensor) -> Field:
        """What the chain leaves of the scores, as far as it can be told from the best few. Raises Unsure."""
        scores, left = self._slow.apply(self._history.ids(), raw) if self._slow.links else (raw, True)
        if not left or scores.dtype != torch.float32:
            raise Unsure
        field, written = Field(scores.numpy()[0]), self._history.array()
        for twin in self._twins:
            twin(field, written)
        return field

    def _from_field(self, field: Field, raw: Tensor, noise: Noise | None, seen: Seen | None) -> Pick:
        """The pick, which only the chain itself can make where this raises Unsure."""
        labels = self._setting.labels
        if noise is None:
            token = field.greedy()
            return Pick(token, describe(raw, token, lambda ids: [float(one == token) for one in ids], labels, seen))
        token = field.race(noise)
        return Pick(token, describe(raw, token, field.chances, labels, seen))

    def _write(self, token: int) -> Written:
        self._chain.chosen(token)
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

    def _remember(self, moment: Moment) -> None:
        self._moments[len(self.tokens)] = moment
        self._moments.pop(len(self.tokens) - MEMORY, None)

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
        self.luck.rewind(moment.luck)
        self._chain.restore(moment.chain)
        return moment

    def _guided(self, ids: Tensor, scores: Tensor) -> Tensor:
        if self._unconditional is None:
            raise LookupError("guidance needs the unconditional scores")
        return guide(scores, self._unconditional, self._setting.values["guidance_scale"])


def without(scores: Tensor, forbidden: Collection[int]) -> Tensor:
    """The scores with these tokens ruled out."""
    scores = scores.clone()
    scores[:, list(forbidden)] = -torch.inf
    return scores
