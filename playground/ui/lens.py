"""The X-ray of the run that a session looks at: its tokens, how one came about, what other knobs would have chosen.

Knows no layout. A session is only a name here, and each sees its own run alone.
"""

from __future__ import annotations

import itertools
import sys
import time
from collections.abc import Callable, Mapping
from typing import Any

from playground import parameters
from playground.evaluation import text_statistics
from playground.inspection import diagnose, inspect_api
from playground.types import Candidate, PlaygroundError, Run, Step, Text
from playground.ui import tokens, waterfall
from playground.ui.form import held, language_of, task_asked
from playground.ui.tokens import Feed, Numbers, Value
from playground.ui.watched import Watched, Watching
from playground.ui.words import BY_HAND, NOT_KEPT, said

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
    "single": (
        Text("one candidate", "单一候选"),
        Text("Share of tokens where the chain left a single candidate.", "采样链只留下一个候选的词元所占比例。"),
    ),
    "single_unknown": (
        Text("one candidate", "单一候选"),
        Text(
            "Not known: only the kept numbers of a run tell how many candidates were left.",
            "未知：只有保留了数据的运行才知道剩余候选的数量。",
        ),
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


# Gradio tells the last state of a run again when it ends, so a browser must know what is old: also after a restart.
_numbers = itertools.count(time.time_ns() // 1_000_000)


class Lens:
    """All sessions' runs. Methods may be called from any thread."""

    def __init__(self) -> None:
        self._watching = Watching()

    def watch(self, session: str, name: str, run: Run, asked: Mapping[str, Any], target: Any, base: str) -> None:
        """A run of this session grew. A new one is looked at; those before can be opened again."""
        if self._watching.find(session, name) is None:
            feed = Feed(name, _namer(run.request.keep))
            self._watching.add(session, Watched(name, run, asked, target, base, feed))

    def leave(self, session: str) -> None:
        self._watching.leave(session)

    def look(self, session: str, where: Mapping[str, Any]) -> Value:
        """Opens one row of any of this session's runs: its tokens, or a sentence why there is nothing to look into."""
        name, row = where.get("run"), where.get("row")
        watched = self._watching.find(session, name)
        self._watching.turn(session, None if watched is None else watched.name)
        if watched is None:
            reason = BY_HAND if where.get("hand") is True else NOT_KEPT
            return {"run": str(name)[:40], "rows": [], "number": next(_numbers), "reason": said(reason)}
        watched.row = row if type(row) is int and 0 <= row < len(watched.run.candidates) else 0
        with watched.telling:
            watched.feed = Feed(watched.name, _namer(watched.keep))
        return {**self._told(session, watched), "show": watched.row}

    def turn(self, session: str, where: Mapping[str, Any]) -> bool:
        """Another row of the run that is open; False where the page speaks of another run."""
        watched, row = self._watching.open(session), where.get("row")
        if watched is None or where.get("run") != watched.name:
            return False
        if type(row) is not int or not 0 <= row < len(watched.run.candidates):
            return False
        watched.row = row
        return True

    def looking(self, session: str) -> tuple[str, int] | None:
        """The run and the row that this session looks at."""
        watched = self._watching.open(session)
        return None if watched is None else (watched.name, watched.row)

    def tokens(self, session: str, name: str) -> Value | None:
        """What is new of this run's tokens, as long as it is the one that is looked at."""
        watched = self._watching.open(session)
        return None if watched is None or watched.name != name else self._told(session, watched)

    def _told(self, session: str, watched: Watched) -> Value:
        """What the browser lacks; the figures of each row come with its end."""
        candidates = watched.run.candidates
        with watched.telling:
            done = [candidate.finish_reason is not None for candidate in candidates]
            steps = [list(candidate.steps) for candidate in candidates]
            value = watched.feed.news(steps, done, lambda row: numbers(candidates[row]))
            number = next(_numbers)
        if not all(done):
            return {**value, "number": number, "reason": None}
        self._watching.shrink(session)
        return {**value, "number": number, "reason": said(_gone(watched))}

    def pick(self, session: str, where: Mapping[str, Any], search: str | None = None) -> Value:
        """How one token came about; a question that cannot be answered is said in the panel."""
        watched, row, position = self._place(session, where)
        if watched is None:
            return {}
        if watched is self._watching.open(session):
            watched.row = row
        steps = [step for step in watched.run.candidates[row].steps if step.token_id is not None]
        try:
            found = inspect_api.waterfall(watched.keep, row, position, search=search)
        except PlaygroundError as error:
            if search is not None and position in watched.shown:
                return waterfall.with_error(watched.shown[position], error)
            gone = _gone(watched)
            return waterfall.refused_value(watched.name, row, position, PlaygroundError(gone) if gone else error)
        asked = next((fate.token.token_id for fate in found.fates if fate.token.text == search), None)
        value = waterfall.waterfall_value(watched.name, row, found, length=len(steps), asked=asked)
        watched.shown = {position: value}
        return value

    def replay(self, session: str, knobs: Mapping[str, Any]) -> Value:
        """What these knobs would have chosen with the same luck, over the row that is looked at; {} for nothing."""
        watched = self._watching.open(session)
        if watched is None or not watched.run.finished:
            return {}
        try:
            values = {**held(parameters.validate(knobs), watched.asked), "seed": watched.run.request.values["seed"]}
            own = watched.run.request.values
            if {**values, "n": own["n"]} == own:
                return {}
            gone = _gone(watched)
            if gone is not None:
                raise PlaygroundError(gone)
            if not inspect_api.available(watched.keep):
                return {}
            told = inspect_api.replay(watched.keep, watched.row, {**values, "n": own["n"]})
        except PlaygroundError as error:
            sentence = {"en": error.say("en"), "zh": error.say("zh")}
            return {"run": watched.name, "row": watched.row, "first": None, "would": {}, "sentence": sentence}
        return tokens.replay_value(watched.name, watched.row, told, _namer(watched.keep))

    def badges(self, session: str) -> dict[str, Text]:
        """What each active knob did in the row that is looked at."""
        watched = self._watching.open(session)
        if watched is None or not watched.run.finished or not inspect_api.available(watched.keep):
            return {}
        try:
            return inspect_api.badges(watched.keep, watched.row)
        except PlaygroundError:
            return {}  # a beam search has no chain to speak of

    def findings(self, session: str) -> list[Value]:
        """The run doctor's sentences about the row that is looked at, each with its remedy."""
        watched = self._watching.open(session)
        if watched is None or not watched.run.finished:
            return []
        task = task_asked(watched.asked)
        mode = watched.run.request.mode
        wanted = task.parameters_for(language_of(watched.asked), mode) if task else {}
        found = diagnose.examine(watched.run, watched.row, watched.keep, wanted)
        return [{"sentence": said(one.sentence), "preview": said(one.preview), "fix": dict(one.fix)} for one in found]

    def figures(self, session: str) -> Value | None:
        """The figures of the row that is looked at, with what only its kept numbers tell; None where they do not."""
        watched = self._watching.open(session)
        if watched is None or not watched.run.finished or not inspect_api.available(watched.keep):
            return None
        candidate = watched.run.candidates[watched.row]
        count = len(candidate.token_ids)
        try:
            told = inspect_api.replay(watched.keep, watched.row, watched.run.request.values)
        except PlaygroundError:
            return None
        share = told.singles / count if count else None
        part = {"row": watched.row, "from": count, "tokens": [], "done": True}
        numbers_ = tokens.numbers_value(numbers(candidate, share))
        return {"run": watched.name, "rows": [{**part, "numbers": numbers_}], "number": next(_numbers), "reason": None}

    def branch(self, session: str, where: Mapping[str, Any]) -> dict[str, Any] | None:
        """A card's wish to go on from one token with another one in its place; None where the run is gone."""
        watched, row, position = self._place(session, where)
        token_id = where.get("token_id")
        if watched is None:
            return None
        candidate = watched.run.candidates[row]
        text = watched.base + "".join(step.text for step in before(candidate, position))
        parted = {"kind": "branch", "parent": f"{watched.name}:{row}", "position": position, "offset": _utf16(text)}
        was = at(candidate, position)
        if was is not None:
            parted["was"] = tokens.token_values([was], _namer(watched.keep), top=0)[0]["text"]
        if type(token_id) is int:
            token = _named(watched.keep, was, token_id)
            if token is None:
                return None
            text += "" if token.special else token.text
            parted["became"] = token.text
        target = watched.target or {"run": watched.name, "card": row}
        return {"wish": "continue", "text": text, "request": watched.asked, "target": target, "parted": parted}

    def _place(self, session: str, where: Mapping[str, Any]) -> tuple[Watched | None, int, int]:
        """The run, row and position that an event of the page names; all of it comes from a browser."""
        watched = self._watching.find(session, where.get("run"))
        row, position = where.get("row"), where.get("position")
        if watched is None or type(row) is not int or type(position) is not int:
            return None, 0, 0
        if not 0 <= row < len(watched.run.candidates) or position < 0:
            return None, 0, 0
        return watched, row, position


def _gone(watched: Watched) -> Text | None:
    """Why a run that told its chances cannot be asked any more; None where it can, or where it never told any."""
    told = any(step.logprob is not None for candidate in watched.run.candidates for step in candidate.steps[:1])
    beams = watched.run.request.values["num_beams"] > 1
    if inspect_api.available(watched.keep) or not (told or beams):
        return None
    return inspect_api.unavailable(watched.run.request.values)


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


def at(candidate: Candidate, position: int) -> Step | None:
    """The step of the token at this position."""
    steps = [step for step in candidate.steps if step.token_id is not None]
    return steps[position] if position < len(steps) else None


def _named(keep: str, step: Step | None, token_id: int) -> inspect_api.Token | None:
    """A token by its number, also where only the likeliest ones of a step are still known."""
    if inspect_api.available(keep):
        return _namer(keep)(token_id)
    top = (step.top or ()) if step is not None else ()
    return next((inspect_api.Token(token_id, one.text) for one in top if one.token_id == token_id), None)


def _utf16(text: str) -> int:
    """The length of a text as a browser counts it."""
    return len(text.encode("utf-16-le")) // 2


def numbers(candidate: Candidate, single: float | None = None) -> Numbers:
    """The figures of a finished row; those that cannot be told are left out.

    `single` is the share of tokens with one candidate, where the steps themselves do not tell.
    """
    varied = text_statistics.variety(candidate.token_ids)
    distinct = [varied.distinct_1, varied.distinct_2, varied.distinct_3]
    chinese = text_statistics.is_chinese(candidate.text)
    traced = text_statistics.share_of_singles(_alive(step) for step in candidate.steps if step.token_id is not None)
    single = single if traced is None else traced
    unknown = "–" if single is None and candidate.token_ids else None
    found: dict[str, str | None] = {
        "perplexity": _figure(text_statistics.perplexity(step.logprob for step in candidate.steps), "{:.1f}"),
        "entropy": _figure(text_statistics.mean_entropy_bits(step.entropy_nats for step in candidate.steps), "{:.2f}"),
        "single": _figure(single, "{:.0%}"),
        "single_unknown": unknown,
        "distinct": " / ".join(f"{share:.2f}" for share in distinct if share is not None) or None,
        "repetition": _figure(varied.repetition, "{:.0%}"),
        "characters": _figure(
            text_statistics.distinct(text_statistics.characters(candidate.text), 1) if chinese else None, "{:.0%}"
        ),
    }
    return [(FIGURES[name][0], figure, FIGURES[name][1]) for name, figure in found.items() if figure is not None]


def _alive(step: Step) -> int | None:
    """How many candidates the chain left, as a traced step tells; all of them where no stage acted."""
    if step.stages is None:
        return None
    return step.stages[-1].alive_after if step.stages else sys.maxsize


def _figure(value: float | None, form: str) -> str | None:
    return None if value is None else form.format(value)


def _namer(keep: str) -> Callable[[int], inspect_api.Token]:
    """Names of tokens as the run's own vocabulary has them; their number where the run is not kept any more."""

    def name(token_id: int) -> inspect_api.Token:
        try:
            return inspect_api.named(keep, token_id)
        except PlaygroundError:
            return inspect_api.Token(token_id, f"#{token_id}")

    return name
