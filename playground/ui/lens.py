"""The X-ray of every session's newest run: its tokens, how one came about, and what other knobs would have chosen.

Knows no layout. A session is only a name here, and each sees its own run alone.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from playground import doctor, parameters, statistics, xray
from playground.types import Candidate, PlaygroundError, Run, Text
from playground.ui import tokens, waterfall
from playground.ui.tokens import Feed, Numbers, Value
from playground.ui.words import said

_MOST_SESSIONS = 200  # whoever is pushed out can still read his cards; only the look inside is gone

FIGURES: Mapping[str, tuple[Text, Text]] = {
    "perplexity": (
        Text("perplexity", "困惑度"),
        Text(
            "How many equally likely tokens the model wavered between, on average.",
            "模型平均在多少个同样可能的词元间犹豫。",
        ),
    ),
    "entropy": (
        Text("mean entropy", "平均熵"),
        Text("How open the choices were, in bits a token.", "选择的开放程度，以每词元比特计。"),
    ),
    "distinct": (
        Text("distinct-1 / 2 / 3", "distinct-1 / 2 / 3"),
        Text("Share of tokens, pairs and triples that differ.", "互不相同的词元、二元组、三元组所占比例。"),
    ),
    "repetition": (
        Text("repetition", "重复率"),
        Text("Share of the text inside four tokens that occurred before.", "处于已出现过的四元组中的文本比例。"),
    ),
    "characters": (
        Text("distinct characters", "不同汉字"),
        Text("Share of characters that differ.", "互不相同的字所占比例。"),
    ),
}


@dataclass(slots=True)
class _Watched:
    """A session's newest run, what a card needs to be asked again, and what its browser has of the tokens."""

    name: str
    run: Run
    asked: Mapping[str, Any]
    target: Any
    base: str
    feed: Feed
    row: int = 0
    shown: dict[int, Value] = field(default_factory=dict)

    @property
    def keep(self) -> str:
        return self.run.request.keep


class Lens:
    """All sessions' newest runs. Methods may be called from any thread."""

    def __init__(self) -> None:
        self._newest: dict[str, _Watched] = {}
        self._lock = threading.Lock()

    def watch(self, session: str, name: str, run: Run, asked: Mapping[str, Any], target: Any, base: str) -> None:
        """A run of this session grew. A new one takes the place of the one before, which gives up its logits."""
        with self._lock:
            watched = self._newest.get(session)
            if watched is not None and watched.name == name:
                return
            keep = run.request.keep
            self._newest.pop(session, None)
            self._newest[session] = _Watched(name, run, asked, target, base, Feed(name, _namer(keep)))
            while len(self._newest) > _MOST_SESSIONS:
                self._give_up(self._newest.pop(next(iter(self._newest))))
        if watched is not None:
            self._give_up(watched)

    def leave(self, session: str) -> None:
        with self._lock:
            watched = self._newest.pop(session, None)
        if watched is not None:
            self._give_up(watched)

    def tokens(self, session: str) -> Value | None:
        """What is new of the run's tokens; the figures of each row come with its end."""
        watched = self._newest.get(session)
        if watched is None:
            return None
        candidates = watched.run.candidates
        done = [candidate.finish_reason is not None for candidate in candidates]
        figures = {row: numbers(candidate) for row, candidate in enumerate(candidates) if done[row]}
        return watched.feed.news([list(candidate.steps) for candidate in candidates], done, figures)

    def pick(self, session: str, where: Mapping[str, Any], search: str | None = None) -> Value:
        """How one token came about; a question that cannot be answered is said in the panel."""
        watched, row, position = self._place(session, where)
        if watched is None:
            return {}
        watched.row = row
        steps = [step for step in watched.run.candidates[row].steps if step.token_id is not None]
        try:
            found = xray.waterfall(watched.keep, row, position, search=search)
        except PlaygroundError as error:
            if search is not None and position in watched.shown:
                return waterfall.with_error(watched.shown[position], error)
            return waterfall.refused_value(watched.name, row, position, error)
        asked = next((fate.token.token_id for fate in found.fates if fate.token.text == search), None)
        value = waterfall.waterfall_value(watched.name, row, found, length=len(steps), asked=asked)
        watched.shown = {position: value}
        return value

    def replay(self, session: str, knobs: Mapping[str, Any]) -> Value:
        """What these knobs would have chosen with the same luck, over the row that is looked at; {} for nothing."""
        watched = self._newest.get(session)
        if watched is None or not watched.run.finished or not xray.available(watched.keep):
            return {}
        try:
            values = {**parameters.validate(knobs), "seed": watched.run.request.values["seed"]}
            own = watched.run.request.values
            if {**values, "n": own["n"]} == own:
                return {}
            told = xray.replay(watched.keep, watched.row, {**values, "n": own["n"]})
        except PlaygroundError as error:
            return {
                "run": watched.name,
                "row": watched.row,
                "first": None,
                "would": {},
                "sentence": {"en": error.say("en"), "zh": error.say("zh")},
            }
        return tokens.replay_value(watched.name, watched.row, told, _namer(watched.keep))

    def badges(self, session: str) -> dict[str, Text]:
        """What each active knob did in the row that is looked at."""
        watched = self._newest.get(session)
        if watched is None or not watched.run.finished or not xray.available(watched.keep):
            return {}
        try:
            return xray.badges(watched.keep, watched.row)
        except PlaygroundError:
            return {}  # a beam search has no chain to speak of

    def findings(self, session: str) -> list[Value]:
        """The run doctor's sentences about the row that is looked at, each with its remedy."""
        watched = self._newest.get(session)
        if watched is None or not watched.run.finished:
            return []
        found = doctor.examine(watched.run, watched.row, watched.keep)
        return [{"sentence": said(one.sentence), "preview": said(one.preview), "fix": dict(one.fix)} for one in found]

    def branch(self, session: str, where: Mapping[str, Any]) -> dict[str, Any] | None:
        """A card's wish to go on from one token with another one in its place; None where the run is gone."""
        watched, row, position = self._place(session, where)
        token_id = where.get("token_id")
        if watched is None:
            return None
        candidate = watched.run.candidates[row]
        text = watched.base + "".join(step.text for step in before(candidate, position))
        if isinstance(token_id, int):
            token = _namer(watched.keep)(token_id)
            text += "" if token.special else token.text
        target = watched.target or {"run": watched.name, "card": row}
        return {"wish": "continue", "text": text, "request": watched.asked, "target": target}

    def _place(self, session: str, where: Mapping[str, Any]) -> tuple[_Watched | None, int, int]:
        """The run, row and position that an event of the page names; all of it comes from a browser."""
        watched = self._newest.get(session)
        row, position = where.get("row"), where.get("position")
        if watched is None or where.get("run") != watched.name or type(row) is not int or type(position) is not int:
            return None, 0, 0
        if not 0 <= row < len(watched.run.candidates) or position < 0:
            return None, 0, 0
        return watched, row, position

    @staticmethod
    def _give_up(watched: _Watched) -> None:
        if watched.keep:
            xray.forget(watched.keep)


def before(candidate: Candidate, position: int) -> list[Any]:
    """The steps in front of the token at this position (counted from 0 among the tokens)."""
    steps, count = [], 0
    for step in candidate.steps:
        if step.token_id is not None:
            if count == position:
                break
            count += 1
        steps.append(step)
    return steps


def numbers(candidate: Candidate) -> Numbers:
    """The figures of a finished row; those that cannot be told are left out."""
    varied = statistics.variety(candidate.token_ids)
    distinct = [varied.distinct_1, varied.distinct_2, varied.distinct_3]
    chinese = statistics.is_chinese(candidate.text)
    found: dict[str, str | None] = {
        "perplexity": _figure(statistics.perplexity(step.logprob for step in candidate.steps), "{:.1f}"),
        "entropy": _figure(statistics.mean_entropy_bits(step.entropy_nats for step in candidate.steps), "{:.2f}"),
        "distinct": " / ".join(f"{share:.2f}" for share in distinct if share is not None) or None,
        "repetition": _figure(varied.repetition, "{:.0%}"),
        "characters": _figure(
            statistics.distinct(statistics.characters(candidate.text), 1) if chinese else None, "{:.0%}"
        ),
    }
    return [(FIGURES[name][0], figure, FIGURES[name][1]) for name, figure in found.items() if figure is not None]


def _figure(value: float | None, form: str) -> str | None:
    return None if value is None else form.format(value)


def _namer(keep: str) -> Callable[[int], xray.Token]:
    """Names of tokens as the run's own vocabulary has them; their number where the run is not kept any more."""

    def name(token_id: int) -> xray.Token:
        try:
            return xray.named(keep, token_id)
        except PlaygroundError:
            return xray.Token(token_id, f"#{token_id}")

    return name
