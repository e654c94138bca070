"""One candidate: its luck, its chain, its text, and how it steps back from a banned phrase.

Knows no model: it is handed the scores of each position and answers with a Step.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass, replace
from typing import Any

import torch
from torch import Tensor

from playground import parameters
from playground.decoding import notes
from playground.decoding.chain import Chain, Context, Processor
from playground.decoding.detokenize import Detokenizer, Labels
from playground.decoding.lane import guide
from playground.decoding.pick import Luck
from playground.decoding.trace import Trace, entropy
from playground.decoding.words import Writer, Written
from playground.parameters.inert import effective
from playground.types import FinishReason, Step, TokenChance

TOP = 10
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
class Setting:
    """What all rows of one request share. `values` are those that have an effect; `greedy` takes the best token."""

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


def effect(values: Mapping[str, Any], *, has_eos: bool) -> tuple[dict[str, Any], bool]:
    """The values that a chain is built from, and whether the best token is taken from what it leaves.

    At temperature 0 nothing is divided by it: the stage is left out.
    """
    found = effective(values, has_eos=has_eos)
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
        links={"guidance": guided},
    )
    return Chain.build(setting.values, context)


class Row:
    """Grows by `advance`. `tokens` are the generated ones; after a Step with `retract` some of them are gone.

    `forbidden` holds what stepping back has ruled out: a position's tokens, each with the phrase it began.
    """

    def __init__(self, index: int, seed: int, setting: Setting) -> None:
        values = setting.values
        self.index = index
        self.tokens: list[int] = []
        self.finish: FinishReason | None = None
        self._setting = setting
        self.luck = Luck(seed, setting.prompt.device, greedy=setting.greedy)
        self._unconditional: Tensor | None = None
        self._chain = build_chain(setting, lambda: self.luck.coin(len(self.tokens)), self._guided)
        self._trace = Trace() if setting.traced else None
        prompt = setting.prompt[0].tolist()
        self._writer = Writer(Detokenizer(setting.tokenizer, prompt), values["stop"], values["banned_phrases"])
        self._watching = bool(values["banned_phrases"])
        self._moments: dict[int, Moment] = {}
        self.forbidden: dict[int, dict[int, str]] = {}
        self._tries = 0

    def advance(self, ids: Tensor, raw: Tensor, unconditional: Tensor | None) -> Step:
        """The next token, from scores [1, vocab]; `ids` [1, length] is everything before it."""
        start = len(self.tokens)
        try:
            return self._advance(ids, raw, unconditional)
        except Exception as error:  # noqa: BLE001 - whatever fails in one row's samplers must not end its neighbours
            self.finish = "error"
            reason = f"{type(error).__name__}: {error}".splitlines()[0]
            kept = min(start, len(self.tokens))
            self._writer.truncate(kept)
            return Step(
                row=self.index,
                position=kept,
                token_id=None,
                text=self._writer.finish(),
                retract=start - kept,
                finish="error",
                note=notes.note(notes.FAILED, reason),
            )

    def _advance(self, ids: Tensor, raw: Tensor, unconditional: Tensor | None) -> Step:
        start, note = len(self.tokens), ""
        moment = Moment(raw, unconditional, None, [])
        if self._watching:
            moment = Moment(raw.clone(), unconditional, self.luck.state(), self._chain.snapshot())
            self._remember(moment)
        while True:
            step, written = self._pick(ids[:, : self._setting.prompt.shape[1] + len(self.tokens)], moment)
            if not written.phrase:
                break
            place = written.began
            if not self._may_try(place):
                note = notes.note(notes.LET_THROUGH, written.phrase)
                written = self._writer.let_through()
                break
            note = notes.note(notes.STEPPED_BACK, written.phrase)
            moment = self._step_back(place, written.phrase)
        # No later match can begin before the text that is held, so older scores are not needed any more.
        self._moments = {place: kept for place, kept in self._moments.items() if place >= self._writer.first_held}
        step = replace(step, retract=start - step.position, note=notes.join(note, step.note))
        return self._ended(step, written)

    def _pick(self, ids: Tensor, moment: Moment) -> tuple[Step, Written]:
        """Pick at the current position, without what is forbidden there, and write the token."""
        position = len(self.tokens)
        self._unconditional = moment.unconditional
        scores = moment.raw
        forbidden = self.forbidden.get(position)
        if forbidden:
            scores = without(scores, forbidden)
        scores, left = self._chain.apply(ids, scores, self._trace)
        token, probabilities = self.luck.pick(scores)
        self._chain.chosen(token)
        self.tokens.append(token)
        written = Written("") if token in self._setting.eos else self._writer.push(token)
        step = describe(moment.raw, probabilities, token, self._setting.labels)
        stages = self._trace.views() if self._trace is not None else None
        note = "" if left else notes.KEPT_BEST
        return replace(step, row=self.index, position=position, stages=stages, note=note), written

    def _ended(self, step: Step, written: Written) -> Step:
        setting, count = self._setting, len(self.tokens)
        if step.token_id in setting.eos:
            self.finish = "end"
        elif written.stopped:
            self.finish = "stop"
        elif count >= setting.values["max_new_tokens"]:
            self.finish = "length"
        elif setting.prompt.shape[1] + count >= setting.context:
            self.finish = "context"
        elif setting.expired():
            self.finish = "time"
        text = written.text
        if self.finish is not None and not written.stopped:
            text += self._writer.finish()
        return replace(step, text=text, finish=self.finish)

    def _remember(self, moment: Moment) -> None:
        self._moments[len(self.tokens)] = moment
        self._moments.pop(len(self.tokens) - MEMORY, None)

    def _may_try(self, place: int) -> bool:
        tried = len(self.forbidden.get(place, ()))
        return place in self._moments and tried < TRIES_PER_POSITION and self._tries < TRIES_PER_RUN

    def _step_back(self, place: int, phrase: str) -> Moment:
        """Return to `place` with its token forbidden there, and everything later forgotten."""
        self._tries += 1
        self.forbidden = {at: tokens for at, tokens in self.forbidden.items() if at <= place}
        self.forbidden.setdefault(place, {})[self.tokens[place]] = phrase
        self._moments = {at: moment for at, moment in self._moments.items() if at <= place}
        moment = self._moments[place]
        del self.tokens[place:]
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


def describe(raw: Tensor, probabilities: Tensor, token: int, labels: Labels) -> Step:
    """What there is to say of a pick: the model's own view of it, and the chain's. No sorting of the vocabulary."""
    likely = torch.log_softmax(raw, dim=-1)[0]
    chain = probabilities[0]
    values, ids = likely.topk(min(TOP, likely.shape[0]))
    logprob, chance, *after = torch.cat([likely[token][None], chain[token][None], chain[ids]]).tolist()
    top = tuple(
        TokenChance(token_id, labels[token_id], p_model, p_chain)
        for token_id, p_model, p_chain in zip(ids.tolist(), values.exp().tolist(), after, strict=True)
    )
    rank = int((likely > likely[token]).sum()) + 1
    return Step(
        row=0,
        position=0,
        token_id=token,
        text="",
        logprob=logprob,
        chosen_prob=chance,
        rank=rank,
        entropy_nats=entropy(likely),
        top=top,
    )
