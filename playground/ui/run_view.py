"""The inside of the run that a session looks at: its tokens, how one came about, what other knobs would have chosen.

Knows no layout. A session is only a name here, and each sees its own run alone.
"""

from __future__ import annotations

import itertools
import sys
import time
from collections.abc import Callable, Iterator, Mapping
from typing import Any

from playground import parameters
from playground.evaluation import text_statistics
from playground.inspection import diagnose, inspect_api
from playground.run import Candidate, Run
from playground.types import PlaygroundError, Step, Text
from playground.ui import engine_figures, tokens, waterfall
from playground.ui.compose_form import language_of, task_asked, with_task_form
from playground.ui.page_texts import BY_HAND, NOT_KEPT, bilingual
from playground.ui.tokens import Numbers, TokenFeed, Value
from playground.ui.viewed_runs import ViewedRun, ViewedRuns, gone

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
        Text("How open the choices were, in bits a token.", "选择余地的大小，单位为比特/词元。"),
    ),
    "single": (
        Text("only one choice", "单一候选"),
        Text("Share of places where the knobs left only one token to choose.", "采样器只留下一个候选的词元所占比例。"),
    ),
    "single_unknown": (
        Text("only one choice", "单一候选"),
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
        Text(
            "Share of the text in sequences of four tokens that occurred before.",
            "处于已出现过的四元组中的文本比例。",
        ),
    ),
    "characters": (
        Text("distinct characters", "不同汉字"),
        Text("Share of characters that differ.", "互不相同的字所占比例。"),
    ),
}


# Gradio tells the last state of a run again when it ends, so a browser must know what is old: also after a restart.
_numbers = itertools.count(time.time_ns() // 1_000_000)


class RunView:
    """All sessions' runs; this server allows a text `longest` tokens. Methods may be called from any thread."""

    def __init__(self, longest: int | None = None) -> None:
        self._runs = ViewedRuns()
        self._longest = longest

    def add(self, session: str, name: str, run: Run, asked: Mapping[str, Any], target: Any, base: str) -> None:
        """A run of this session grew. A new one is looked at; those before can be opened again."""
        if self._runs.find(session, name) is None:
            feed = TokenFeed(name, _namer(run.request.keep))
            self._runs.add(session, ViewedRun(name, run, asked, target, base, feed))

    def leave(self, session: str) -> None:
        self._runs.leave(session)

    def open(self, session: str, where: Mapping[str, Any]) -> Value:
        """Opens one row of any of this session's runs: its tokens, or a sentence why there is nothing to look into.
        {} where the session looks elsewhere by now."""
        sent, viewed = where.get("sent"), self._runs.find(session, where.get("run"))
        if not self._runs.select(session, None if viewed is None else viewed.name, sent):
            return {}
        value = self._opened(session, viewed, where)
        return value if self._runs.is_newest(session, sent) else {}

    def _opened(self, session: str, viewed: ViewedRun | None, where: Mapping[str, Any]) -> Value:
        name, row = where.get("run"), where.get("row")
        if viewed is None:
            reason = BY_HAND if where.get("hand") is True else NOT_KEPT
            return {"run": str(name)[:40], "rows": [], "number": next(_numbers), "reason": bilingual(reason)}
        viewed.row = row if type(row) is int and 0 <= row < len(viewed.run.candidates) else 0
        with viewed.telling:
            viewed.feed = TokenFeed(viewed.name, _namer(viewed.keep))
        return {**self._new_tokens(session, viewed), "show": viewed.row}

    def select_row(self, session: str, where: Mapping[str, Any]) -> bool:
        """Another row of the run that is open; False where the page speaks of another run, or of an older look."""
        viewed, row = self._runs.open(session), where.get("row")
        if viewed is None or where.get("run") != viewed.name or type(row) is not int:
            return False
        if not 0 <= row < len(viewed.run.candidates) or not self._runs.select(session, viewed.name, where.get("sent")):
            return False
        viewed.row = row
        return True

    def viewed(self, session: str) -> tuple[str, int] | None:
        """The run and the row that this session looks at."""
        viewed = self._runs.open(session)
        return None if viewed is None else (viewed.name, viewed.row)

    def tokens(self, session: str, name: str) -> Value | None:
        """What is new of this run's tokens, as long as it is the one that is looked at."""
        viewed = self._runs.open(session)
        return None if viewed is None or viewed.name != name else self._new_tokens(session, viewed)

    def _new_tokens(self, session: str, viewed: ViewedRun) -> Value:
        """What the browser lacks; the figures of each row come with its end."""
        candidates = viewed.run.candidates
        with viewed.telling:
            done = [candidate.finish_reason is not None for candidate in candidates]
            steps = [list(candidate.steps) for candidate in candidates]
            value = viewed.feed.update(steps, done, lambda row: numbers(candidates[row]))
            number = next(_numbers)
        if not all(done):
            return {**value, "number": number, "reason": None}
        self._runs.shrink(session)
        return {**value, "number": number, "reason": bilingual(gone(viewed))}

    def asking(self, session: str) -> Iterator[tuple[Value, bool]]:
        """An engine tells what it did not send with this row; meanwhile what stands in the place of a replay, and
        whether the badges can tell of more tokens. Over as soon as the session looks elsewhere."""
        viewed = self._runs.open(session)
        if viewed is None or not viewed.run.finished:
            return
        row, viewed.turned = viewed.row, None
        yield from engine_figures.asked(viewed, lambda: self._runs.open(session) is not viewed or viewed.row != row)

    def turned(self, session: str) -> Mapping[str, Any] | None:
        """The knobs that were turned meanwhile."""
        viewed = self._runs.open(session)
        return None if viewed is None else viewed.turned

    def asks(self, session: str, where: Mapping[str, Any]) -> Value | None:
        """What the panel of a token says while its engine is asked; None where it need not be."""
        viewed, row, position = self._place(session, where)
        if viewed is None or not inspect_api.missing(viewed.keep, row, position):
            return None
        step = _tokens(viewed, row)[position : position + 1]
        return waterfall.refused_value(viewed.name, row, position, PlaygroundError(engine_figures.ASKING), *step)

    def breakdown(self, session: str, where: Mapping[str, Any], search: str | None = None) -> Value:
        """How one token came about; a question that cannot be answered is said in the panel."""
        viewed, row, position = self._place(session, where)
        if viewed is None:
            return {}
        if viewed is self._runs.open(session):
            viewed.row = row
        steps = _tokens(viewed, row)
        try:
            found = inspect_api.stage_breakdown(viewed.keep, row, position, search=search)
        except PlaygroundError as error:
            if search is not None and position in viewed.shown:
                return waterfall.with_error(viewed.shown[position], error)
            why = gone(viewed)
            failed = PlaygroundError(why) if why else error
            return waterfall.refused_value(viewed.name, row, position, failed, *steps[position : position + 1])
        own = steps[position].token_id if position < len(steps) else None
        chosen = None if found.draw else next((one.token for one in found.outcomes if one.token.token_id == own), None)
        value = waterfall.waterfall_value(viewed.name, row, found, chosen=chosen, length=len(steps), search=search)
        viewed.shown = {position: value}
        return value

    def follow(self, session: str, knobs: Mapping[str, Any]) -> Value | None:
        """How the token that is shown would come about under these knobs, after the same tokens and with the same draw.

        Under the knobs of its run: how it did. None where no token is shown, or where only the model could tell.
        """
        viewed = self._runs.open(session)
        if viewed is None or not viewed.shown or not viewed.run.finished:
            return None
        ((position, own),) = viewed.shown.items()
        if own["row"] != viewed.row:
            return None
        try:
            values = _of_row(viewed, knobs)
            if values == viewed.run.request.values:
                return own | {"live": True}
            found = inspect_api.stage_breakdown(viewed.keep, viewed.row, position, values, search=own["search"])
        except PlaygroundError:
            return None  # the replay beside the text says why
        value = waterfall.waterfall_value(viewed.name, viewed.row, found, length=own["length"], search=own["search"])
        return value | {"token": own["token"], "turned": True, "live": True}

    def close(self, session: str) -> None:
        """No token is shown any more."""
        viewed = self._runs.open(session)
        if viewed is not None:
            viewed.shown = {}

    def replay(self, session: str, knobs: Mapping[str, Any]) -> Value:
        """What these knobs would have chosen with the same random draws, over the viewed row; {} for nothing."""
        viewed = self._runs.open(session)
        if viewed is None or not viewed.run.finished:
            return {}
        viewed.turned = knobs
        try:
            values = _of_row(viewed, knobs)
            if values == viewed.run.request.values:
                return {}
            why = gone(viewed)
            if why is not None:
                raise PlaygroundError(why)
            if not inspect_api.available(viewed.keep):
                return {}
            lacking = engine_figures.lacking(viewed)
            if lacking is not None:
                raise PlaygroundError(lacking)
            replayed = inspect_api.replay(viewed.keep, viewed.row, values)
        except PlaygroundError as error:
            sentence = {"en": error.say("en"), "zh": error.say("zh")}
            return {"run": viewed.name, "row": viewed.row, "first": None, "would": {}, "sentence": sentence}
        return tokens.replay_value(viewed.name, viewed.row, replayed, _namer(viewed.keep))

    def badges(self, session: str, knobs: Mapping[str, Any]) -> dict[str, Text]:
        """What each active knob did in the row that is looked at, or as far as an engine has told of it; what it would
        do where these are not its run's."""
        viewed = self._runs.open(session)
        told = 0 if viewed is None else engine_figures.told(viewed)
        if viewed is None or told == 0:
            return {}
        try:
            return inspect_api.badges(viewed.keep, viewed.row, _of_row(viewed, knobs), told)
        except PlaygroundError:
            return {}  # a beam search has no samplers to speak of; the replay says why other knobs have none

    def findings(self, session: str) -> list[Value]:
        """What the diagnosis says about the row that is looked at, each with its remedy."""
        viewed = self._runs.open(session)
        if viewed is None or not viewed.run.finished:
            return []
        task = task_asked(viewed.asked)
        mode = viewed.run.request.mode
        wanted = task.parameters_for(language_of(viewed.asked), mode) if task else {}
        found = diagnose.examine(viewed.run, viewed.row, viewed.keep, wanted, self._longest)
        return [
            {
                "run": viewed.name,
                "sentence": bilingual(one.sentence),
                "preview": bilingual(one.preview),
                "fix": dict(one.fix),
                "remedy": bilingual(diagnose.remedy(one.fix)),
            }
            for one in found
        ]

    def figures(self, session: str) -> Value | None:
        """The figures of the row that is looked at, with what only its kept numbers tell; None where they do not."""
        viewed = self._runs.open(session)
        if viewed is None or not engine_figures.whole(viewed):
            return None
        candidate = viewed.run.candidates[viewed.row]
        try:
            alive = inspect_api.alive(viewed.keep, viewed.row, viewed.run.request.values)
        except PlaygroundError:
            return None
        single = text_statistics.share_of_singles(alive)
        part = {**engine_figures.told_later(viewed), "numbers": tokens.numbers_value(numbers(candidate, single))}
        return {"run": viewed.name, "rows": [part], "number": next(_numbers), "reason": None}

    def branch(self, session: str, where: Mapping[str, Any]) -> dict[str, Any] | None:
        """Continues a card from one token with another one in its place; None where the run is gone."""
        viewed, row, position = self._place(session, where)
        token_id = where.get("token_id")
        if viewed is None:
            return None
        candidate = viewed.run.candidates[row]
        text = viewed.base + "".join(step.text for step in before(candidate, position))
        parted = {"kind": "branch", "parent": f"{viewed.name}:{row}", "position": position, "offset": _utf16(text)}
        was = at(candidate, position)
        if was is not None:
            parted["was"] = tokens.token_values([was], _namer(viewed.keep), top=0)[0]["text"]
        if type(token_id) is int:
            token = _named(viewed.keep, was, token_id)
            if token is None:
                return None
            text += "" if token.special else token.text
            parted["became"] = token.text
        target = viewed.target or {"run": viewed.name, "card": row}
        return {"action": "continue", "text": text, "request": viewed.asked, "target": target, "parted": parted}

    def _place(self, session: str, where: Mapping[str, Any]) -> tuple[ViewedRun | None, int, int]:
        """The run, row and position that an event of the page names; all of it comes from a browser."""
        viewed = self._runs.find(session, where.get("run"))
        row, position = where.get("row"), where.get("position")
        if viewed is None or type(row) is not int or type(position) is not int:
            return None, 0, 0
        if not 0 <= row < len(viewed.run.candidates) or position < 0:
            return None, 0, 0
        return viewed, row, position


def _tokens(viewed: ViewedRun, row: int) -> list[Step]:
    """The row's Steps that are tokens, in the order of their places."""
    return [step for step in viewed.run.candidates[row].steps if step.token_id is not None]


def _of_row(viewed: ViewedRun, knobs: Mapping[str, Any]) -> dict[str, Any]:
    """These knobs as values for the row that is viewed, with the seed and the number of its run."""
    own = viewed.run.request.values
    return {**with_task_form(parameters.validate(knobs), viewed.asked), "seed": own["seed"], "n": own["n"]}


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
    """The figures of a finished row; those that are not known are left out.

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
    """How many candidates the samplers left, as a traced step tells; all of them where no stage acted."""
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
