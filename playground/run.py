"""A Request that is being answered: its candidates, growing step by step, and what a terminal or the API says of them.

Knows no model, no page and no parameter by name but the seed.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any

from playground.token_rate import token_rate
from playground.types import FAILED, FinishReason, ModelCard, Request, Step, Text


@dataclass(slots=True)
class Candidate:
    """One row of a Run, streaming or `at_once`. Times are seconds since the run began; `reason` explains an error."""

    seed: int
    at_once: bool = False
    steps: list[Step] = field(default_factory=list)
    finish_reason: FinishReason | None = None
    reason: Text | None = None
    end_token: str | None = None
    first_token_s: float | None = None
    last_token_s: float | None = None
    generated: int = 0
    proposed: int = 0
    accepted: int = 0
    usage: tuple[int, int] | None = None

    @property
    def written(self) -> int | None:
        """How many tokens it wrote; None where an engine tells neither its tokens nor their number."""
        if self.usage is not None:
            return self.usage[1]
        return None if self.text and not self.generated and not self.at_once else self.generated

    @property
    def text(self) -> str:
        return "".join(step.text for step in self.steps)

    @property
    def token_ids(self) -> list[int]:
        return [step.token_id for step in self.steps if step.token_id is not None]

    @property
    def tokens_per_second(self) -> float | None:
        """None where no time has passed."""
        count = len(self.token_ids) if self.at_once else self.generated
        return token_rate(count, self.first_token_s, self.last_token_s, at_once=self.at_once)

    def add(self, step: Step, now: float) -> None:
        """Takes back what the Step retracts and appends it; `now` in seconds since the run began."""
        if step.retract:
            del self.steps[-step.retract :]
        self.steps.append(step)
        self.proposed += step.proposed
        self.accepted += step.accepted
        if step.token_id is not None:
            self.generated += 1
            self.first_token_s = now if self.first_token_s is None else self.first_token_s
            self.last_token_s = now
        if step.usage is not None:
            self.usage = step.usage
        if step.finish is not None:
            self.finish_reason, self.end_token = step.finish, step.end_token
            self.reason = (step.reason or FAILED) if step.finish == "error" else None


@dataclass(slots=True)
class Run:
    """A Request being answered: everything that a page, a terminal or a file shows of it.

    `guesses` is whether tokens may be guessed ahead; `weights` is the number format that its path reads, where that is
    not `dtype`; `thinks` is what the prompt has begun a thought with; `split` splits a text into thought and answer,
    where it may have both. `value_of` parses an answer, where it is more than text. `remarks` are notes on the texts,
    each with the index of its candidate, or None for all. `card` is of the model that writes it.
    """

    request: Request
    model: str
    dtype: str
    prompt_tokens: int
    candidates: list[Candidate]
    started: float = field(default_factory=time.perf_counter)
    notice: Text | None = None
    error: Text | None = None
    guesses: bool = False
    weights: str = ""
    thinks: bool | str = ""
    split: Callable[[str], tuple[str, str]] | None = None
    value_of: Callable[[str], Any] | None = None
    remarks: Sequence[tuple[int | None, Text]] = ()
    card: ModelCard | None = None

    @property
    def finished(self) -> bool:
        return all(candidate.finish_reason is not None for candidate in self.candidates)

    @property
    def answers(self) -> list[str]:
        """The texts without what was thought in them."""
        return [one.text if self.split is None else self.split(one.text)[1] for one in self.candidates]

    def add(self, step: Step, moment: float | None = None) -> None:
        """`moment` is when the Step was made, in seconds of `time.perf_counter`; now, where it is not given."""
        candidate = self.candidates[step.row]
        candidate.add(step, (time.perf_counter() if moment is None else moment) - self.started)
        if candidate.usage is not None:
            self.prompt_tokens = candidate.usage[0]

    def as_json(self) -> dict[str, Any]:
        """The object that `--json` prints and the API ends with."""
        firsts = [c.first_token_s for c in self.candidates if c.first_token_s is not None]
        lasts = [c.last_token_s for c in self.candidates if c.last_token_s is not None]
        at_once = any(c.at_once for c in self.candidates)
        count = sum(len(c.token_ids) if at_once else c.generated for c in self.candidates)
        rate = token_rate(count, min(firsts, default=None), max(lasts, default=None), rows=len(firsts), at_once=at_once)
        timing: dict[str, Any] = {
            "ttft_s": round(min(firsts), 4) if firsts else None,
            "tokens_per_second": None if rate is None else round(rate, 2),
        }
        if self.guesses:
            timing["lookup"] = {
                "proposed": sum(c.proposed for c in self.candidates),
                "accepted": sum(c.accepted for c in self.candidates),
            }
        remarks = [*([(None, self.notice)] if self.notice else []), *self.remarks]
        return {
            "model": self.model,
            "revision": "" if self.card is None else self.card.revision,
            "dtype": self.dtype,
            "weights": self.weights or self.dtype,
            "path": self.request.path,
            "prompt_tokens": self.prompt_tokens,
            "candidates": list(map(self._candidate, self.candidates, self.answers)),
            "timing": timing,
            "remarks": [{"candidate": place, "en": remark.en, "zh": remark.zh} for place, remark in remarks],
        }

    def _candidate(self, one: Candidate, answer: str) -> dict[str, Any]:
        """One text as plain data; a thought, a value and the token that ended it only where there are any."""
        found: dict[str, Any] = {
            "text": one.text,
            "token_ids": one.token_ids,
            "finish_reason": one.finish_reason,
            "reason": None if one.reason is None else {"en": one.reason.en, "zh": one.reason.zh},
            "seed": one.seed,
        }
        found |= {"end_token": one.end_token} if one.end_token is not None else {}
        if answer != one.text and self.split is not None:
            found |= {"thought": self.split(one.text)[0], "answer": answer}
        return found | ({"value": self.value_of(answer)} if self.value_of is not None else {})
