"""What can be told of a run after it, in plain values: probabilities lie in [0, 1], entropies are in bits.

Filled by playground/inspection, read by the page. Needs no torch.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, overload

from playground.types import Text

NEW_SEED = Text("Again with a new seed", "换种子重新生成")
"""What the button of a card is called that findings speak of."""


@dataclass(frozen=True, slots=True)
class Token:
    """One entry of the vocabulary. `text` shows it by itself; `special` means that it is never shown in a text."""

    token_id: int
    text: str
    special: bool = False


@dataclass(frozen=True, slots=True)
class Chance:
    """One token's probability before and after something; `after` is 0.0 where it was removed."""

    token: Token
    before: float
    after: float


@dataclass(frozen=True, slots=True)
class StageChange:
    """What one stage of the pipeline did at one position.

    `mass_cut` is the share of probability it removed, under the distribution that entered it. `top` holds the ten
    likeliest that entered and the ten likeliest that left (ten to twenty tokens, by `before`, then by `after`).
    `formula` is the registry's, `filled` the same with this position's numbers, where there is anything to reckon;
    `settings` are the values of the stage's parameters.
    """

    stage: str
    label: Text
    alive_before: int
    alive_after: int
    mass_cut: float
    entropy_before: float
    entropy_after: float
    top: tuple[Chance, ...]
    formula: Text
    settings: Mapping[str, Any]
    filled: Text | None = None


@dataclass(frozen=True, slots=True)
class TokenOutcome:
    """What became of one token: its rank (from 1) and probability under the model, its probability after the samplers.

    `stage` names the stage that removed it and `reason` says by what margin; both None where it survived.
    """

    token: Token
    rank: int
    p_model: float
    p_after: float
    stage: str | None = None
    reason: Text | None = None


@dataclass(frozen=True, slots=True)
class OwnFigures:
    """What the model thought of a token that was written: its natural log-probability (None where it is −∞), its rank
    from 1, and the entropy of all candidates there in nats."""

    logprob: float | None
    rank: int
    entropy_nats: float


@dataclass(frozen=True, slots=True)
class RunnerUp:
    """The token that came second under this noise; with `lead` nats more of log-probability it would have won."""

    token: Token
    probability: float
    lead: float


@dataclass(frozen=True, slots=True)
class Draw:
    """The draw. `rank` counts from 1 under the final distribution; `race` is p / E with this position's noise E.

    At temperature 0 there is no noise: `race` is None and the lead is in nats of the final scores.
    """

    token: Token
    probability: float
    rank: int
    race: float | None
    runner_up: RunnerUp | None
    sentence: Text


@dataclass(frozen=True, slots=True)
class StageBreakdown:
    """One position from the model's scores to the draw. `position` counts the new tokens from 0.

    `outcomes` are those of the model's likeliest tokens, the chosen one, and others asked for. `forbidden` are the
    tokens that stepping back from a banned phrase ruled out here. `kept_best` is True where no candidate was left and
    the best one stayed. `draw` is None where no noise is known (a next token without a seed). `asked` is the id of the
    token that was asked for, of a text its first.
    """

    position: int
    alive: int
    entropy: float
    stages: tuple[StageChange, ...]
    outcomes: tuple[TokenOutcome, ...]
    forbidden: tuple[Token, ...]
    kept_best: bool
    greedy: bool
    draw: Draw | None
    asked: int | None = None


@dataclass(frozen=True, slots=True)
class Divergence:
    """The first position that differs. `would_be` is None where the text would end there instead."""

    index: int
    was: Token
    would_be: Token | None


@dataclass(frozen=True, slots=True)
class Replayed:
    """Every position decided again from its own history, with the same random draws and other values.

    `tokens` are the ids that would be chosen, one for each of the run's own; `differs` the positions where they are not
    the run's. `first` is the first divergence: behind it the real text would go its own way. `logprob` is the natural
    log-probability of the run's own text under these values, summed over the tokens that are possible under them;
    `impossible` counts the others. `own_logprob` is the same under the run's own values. `alive` tells how many
    candidates each position would have, `singles` at how many there is only one. `ending` is a sentence where these
    values would end the text elsewhere. `milliseconds` is what it took.
    """

    tokens: tuple[int, ...]
    differs: tuple[int, ...]
    first: Divergence | None
    logprob: float
    impossible: int
    own_logprob: float
    own_impossible: int
    alive: tuple[int, ...]
    singles: int
    ending: Text | None
    milliseconds: float


@dataclass(frozen=True, slots=True)
class ReadToken:
    """One token of a text that was only read. The numbers are None where nothing stands before it.

    `logprob` is natural, `entropy` that of the distribution it was read under, `rank` counts from 1.
    """

    token: Token
    logprob: float | None = None
    rank: int | None = None
    entropy: float | None = None
    top: tuple[tuple[Token, float], ...] = ()


@dataclass(frozen=True, slots=True)
class Reading:
    """A text as the model reads it. The first `prompt_tokens` are context; perplexity counts the others.

    Where no token of the text has a number (a single first token), `perplexity` is None. `length` is how many tokens
    there are in all: more than `tokens` while the text is still being read.
    """

    tokens: tuple[ReadToken, ...]
    prompt_tokens: int
    perplexity: float | None
    mean_entropy: float | None
    length: int = 0


@dataclass(frozen=True, slots=True)
class TokenLogprob:
    """A token with its natural log-probability under the model; `data` are its bytes, a part of a character perhaps.

    `logprob` is None for a first token, which nothing stands before.
    """

    token_id: int
    data: bytes
    logprob: float | None


class TokenData:
    """The bytes that each token of one vocabulary writes. Remembered, since a whole vocabulary is named at every token;
    `prepared` is for what others make of them, to be remembered as long."""

    def __init__(self, find: Callable[[int], bytes]) -> None:
        self._find = find
        self._known: dict[int, bytes] = {}
        self.prepared: dict[Any, Any] = {}

    def __getitem__(self, token_id: int) -> bytes:
        found = self._known.get(token_id)
        if found is None:
            found = self._known[token_id] = self._find(token_id)
        return found


class TopTokens(Sequence[TokenLogprob]):
    """The likeliest tokens of a position, in their order, as columns: a whole vocabulary may be tens of thousands, and
    an object for each of them would take longer than the model. `whole` is whether these are all tokens there are."""

    __slots__ = ("data", "logprobs", "token_ids", "whole")

    def __init__(self, token_ids: list[int], logprobs: list[float], data: TokenData, *, whole: bool) -> None:
        self.token_ids = token_ids
        self.logprobs = logprobs
        self.data = data
        self.whole = whole

    def __len__(self) -> int:
        return len(self.token_ids)

    @overload
    def __getitem__(self, place: int) -> TokenLogprob: ...

    @overload
    def __getitem__(self, place: slice) -> TopTokens: ...

    def __getitem__(self, place: int | slice) -> TokenLogprob | TopTokens:
        if isinstance(place, slice):
            return TopTokens(self.token_ids[place], self.logprobs[place], self.data, whole=False)
        token_id, logprob = self.token_ids[place], self.logprobs[place]
        return TokenLogprob(token_id, self.data[token_id], None if math.isnan(logprob) else logprob)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Sequence) and tuple(self) == tuple(other)

    __hash__ = None  # type: ignore[assignment]


@dataclass(frozen=True, slots=True)
class PositionLogprobs:
    """One position of a text: the token that stands there, and the likeliest ones, in their order."""

    chosen: TokenLogprob
    top: Sequence[TokenLogprob] = ()


@dataclass(frozen=True, slots=True)
class Detection:
    """What the watermark detector says. `p_value` is the chance of such a z-score in a text without the watermark."""

    tokens_scored: int
    green: int
    green_share: float
    z_score: float
    p_value: float
    prediction: bool
    sentence: Text


@dataclass(frozen=True, slots=True)
class Finding:
    """One sentence of the run doctor: what was seen, the values that mend it, and what replay says they would do."""

    kind: str
    sentence: Text
    fix: Mapping[str, Any] = field(default_factory=dict)
    preview: Text | None = None
