"""The run doctor: at most three plain sentences about a finished candidate, each with a remedy tried out by replay.

Knows no model; where a run's logits are not kept it says only what the text itself shows.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from types import MappingProxyType
from typing import Any, TypeVar

from playground import parameters
from playground.amounts import counted
from playground.evaluation.metrics import TOO_OFTEN, pieces
from playground.evaluation.text_statistics import Cycle, characters, is_chinese, longest_cycle, repetition_rate
from playground.inspection import inspect_api
from playground.inspection_results import NEW_SEED, Finding, Replayed
from playground.parameters.grammar import FORMS
from playground.parameters.inert import effective
from playground.run import Candidate, Run
from playground.types import PlaygroundError, Text

MOST = 3
T = TypeVar("T")
SINGLE_SHARE = 0.9
_ENDINGS = ".!?…。！？\"”’'」』）)]】*`"
_AGAINST_LOOPS: tuple[dict[str, Any], ...] = (
    {"dry_multiplier": 0.8},
    {"repetition_penalty": 1.15},
    {"no_repeat_ngram_size": 3},
)
_LIVELY = {"temperature": 0.8}
_COLD = 0.5
_CROWDED = 5.0  # times as many candidates as with the temperature last
_PASSED_OVER = 3  # words of the prompt
_LEAST_WORDS = 12  # of a text that may be said to repeat itself
_LEAST_CHARACTERS = 24  # of a loop whose tokens are not the same each time
_LETTERS = re.compile(r"[^\W\d_]+")  # numbers of a list and marks change from one round of a loop to the next
_QUOTED = 40  # characters


def remedy(fix: Mapping[str, Any]) -> Text:
    """The values of a fix with the names that the page gives their knobs."""
    known = parameters.by_name()
    parts = [(known[name].label, known[name].value_text(value)) for name, value in fix.items()]
    return Text(
        ", ".join(f"{label.en} {value.en}" for label, value in parts),
        "，".join(f"{label.zh} {value.zh}" for label, value in parts),
    )


class _Patient:
    """One candidate, and replays of it where its figures are here."""

    def __init__(self, run: Run, row: int, run_id: str, wanted: Mapping[str, Any], longest: int | None = None) -> None:
        self.wanted, self.longest = wanted, longest
        self.values: Mapping[str, Any] = run.request.values
        self.acting = effective(self.values)
        self.candidate: Candidate = run.candidates[row]
        self.run_id, self.row = run_id, row
        # An engine that has not told its figures yet is not asked here: it might take minutes.
        self.kept = bool(run_id) and inspect_api.available(run_id) and not inspect_api.missing(run_id, row)
        self.has_form = any(self.values[name] for name in FORMS)

    @property
    def own_tokens(self) -> list[int]:
        """Without the one that ended the text."""
        ids = self.candidate.token_ids
        return ids[:-1] if self.candidate.end_token is not None else ids

    def replay(self, **changes: Any) -> Replayed | None:
        """None where it is not known what would have been drawn: nothing is kept, or an engine drew."""
        return self._asked(inspect_api.replay, changes)

    def alive(self, **changes: Any) -> tuple[int, ...] | None:
        """How many candidates were left at each token; None where nothing is kept."""
        return self._asked(inspect_api.alive, changes)

    def _asked(self, question: Callable[[str, int, Mapping[str, Any]], T], changes: Mapping[str, Any]) -> T | None:
        if not self.kept:
            return None
        try:
            return question(self.run_id, self.row, {**self.values, **changes})
        except PlaygroundError:  # other random draws, or an engine that does not answer any more
            return None

    def breaks_at(self, replayed: Replayed, start: int) -> int | None:
        """The first position from `start` on at which other text would stand.

        Within a form another token may be another way to write the same: "xx" where "x" stood.
        """
        for place in replayed.differs:
            if place >= start and not (self.has_form and self._same_text(place, replayed.tokens[place])):
                return place
        return None

    def _same_text(self, place: int, token: int) -> bool:
        was, now = (inspect_api.named(self.run_id, one).text for one in (self.candidate.token_ids[place], token))
        return was.startswith(now) or now.startswith(was)


def examine(
    run: Run,
    row: int,
    run_id: str = "",
    wanted: Mapping[str, Any] = MappingProxyType({}),
    longest: int | None = None,
) -> tuple[Finding, ...]:
    """What there is to say of a candidate that has ended; the gravest first. `wanted` is what its task asks for,
    `longest` how many tokens this server allows a text. No remedy is named that cannot help."""
    patient = _Patient(run, row, run_id, wanted, longest)
    if run.candidates[row].finish_reason in (None, "error") or not patient.candidate.token_ids:
        return ()
    looks: tuple[Callable[[_Patient], Iterator[Finding]], ...] = (_loops, _cut_off, _order, _prompt_words, _singles)
    found = [finding for look in looks for finding in look(patient)]
    if any(one.kind == "loop" for one in found):  # more of a loop is no remedy
        found = [one for one in found if one.kind != "cut-off"]
    return tuple(found[:MOST])


def _cut_off(patient: _Patient) -> Iterator[Finding]:
    text = patient.candidate.text.rstrip()
    if patient.candidate.finish_reason != "length" or not text or (text[-1] in _ENDINGS and not patient.has_form):
        return
    now = patient.values["max_new_tokens"]
    more = now * 2 if patient.longest is None else min(now * 2, patient.longest)
    fix = {"max_new_tokens": more} if more > now else {}
    replayed = patient.replay(**fix) if fix else None
    sentence = Text(
        f"Cut off in the middle of a sentence after {_tokens(now).en}.",
        f"在第 {now} 个词元处被截断，句子没有写完。",
    )
    if patient.has_form:
        sentence = Text(
            f"Cut off after {_tokens(now).en}, before its form was complete.",
            f"在第 {now} 个词元处被截断，格式尚不完整。",
        )
    yield Finding("cut-off", sentence, fix, None if replayed is None else replayed.ending)


def _loops(patient: _Patient) -> Iterator[Finding]:
    loop = _token_loop(patient)
    sentence = _repeats(patient) if loop is None else _of_loop(loop)
    if sentence is None:
        return
    start = 0 if loop is None else loop.start
    remedies = [*_AGAINST_LOOPS, *([_LIVELY] if patient.values["temperature"] < _COLD else [])]
    remedies = [fix for fix in remedies if all(patient.values[name] < value for name, value in fix.items())]
    tried = [(fix, replayed) for fix in remedies if (replayed := patient.replay(**fix)) is not None]
    breaking = [(fix, replayed, patient.breaks_at(replayed, start)) for fix, replayed in tried]
    helpful = [(fix, replayed, at) for fix, replayed, at in breaking if at is not None]
    if not helpful:
        if patient.has_form:
            why = Text(
                "The form this text must have leaves the model little choice.",
                "规定的格式几乎没有留下其他写法。",
            )
            yield Finding("loop", _both(sentence, why))
            return
        yield Finding("loop", sentence, remedies[0] if remedies and not tried else {})
        return
    # Rather one that leaves the text before the loop as it is.
    fix, replayed, at = min(helpful, key=lambda one: 0 if one[1].differs[0] >= start else 1)
    earlier = sum(place < start for place in replayed.differs)
    named = remedy(fix)
    preview = Text(
        f"With the same random draws, {named.en} writes something else from token {at + 1} on.",
        f"在同样的随机数下，{named.zh} 会从第 {at + 1} 个词元起写出别的内容。",
    )
    if earlier:
        also = Text(f"It changes {_tokens(earlier).en} before it too.", f"它也会改变此前的 {earlier} 个词元。")
        preview = _both(preview, also)
    yield Finding("loop", sentence, fix, preview)


def _token_loop(patient: _Patient) -> Cycle | None:
    """The same tokens again and again, at the end of the text or over much of it."""
    ids = patient.own_tokens
    loop = longest_cycle(ids)
    if loop is None:
        return None
    size = loop.period * loop.times
    at_end = loop.start + size + loop.period >= len(ids)
    return loop if at_end or size >= TOO_OFTEN * len(ids) else None


def _of_loop(loop: Cycle) -> Text:
    same = "token" if loop.period == 1 else f"{loop.period} tokens"
    return Text(
        f"It loops from token {loop.start + 1} on: the same {same}, {loop.times} times.",
        f"从第 {loop.start + 1} 个词元起陷入循环：同样的 {loop.period} 个词元重复了 {loop.times} 次。",
    )


def _repeats(patient: _Patient) -> Text | None:
    """A text that a reader sees go round although its tokens are not the same each time: numbered lines, other marks or
    spaces, words cut into other tokens."""
    text = patient.candidate.text
    chinese = is_chinese(text)
    words = _LETTERS.findall(text.casefold())
    units = characters("".join(words)) if chinese else words
    share = repetition_rate(units) or 0.0
    letters = longest_cycle(text, length=_LEAST_CHARACTERS)
    covered = 0.0 if letters is None else letters.period * letters.times / len(text)
    if (len(units) < _LEAST_WORDS or share < TOO_OFTEN) and covered < TOO_OFTEN:
        return None
    told = max(share if len(units) >= _LEAST_WORDS else 0.0, covered)
    said = Text(
        f"It says the same again and again: {told:.0%} of it stands in passages that came before.",
        f"它反复说同样的话：{told:.0%} 的内容属于前面已出现过的片段。",
    )
    common, times = max(Counter(pieces(text)).items(), key=lambda one: one[1], default=("", 0))
    if times < 3 or len(common) > _QUOTED:
        return said
    return _both(said, Text(f"“{common}” stands in it {times} times.", f"“{common}”出现了 {times} 次。"))


def _tokens(count: int) -> Text:
    return Text(counted(count, "token", "tokens"), f"{count:,} 个词元")


def _both(first: Text, second: Text) -> Text:
    return Text(f"{first.en} {second.en}", f"{first.zh}{second.zh}")


def _singles(patient: _Patient) -> Iterator[Finding]:
    if patient.values["temperature"] == 0:
        if patient.wanted.get("temperature") == 0:
            return  # the one best answer is what such a task is for
        sentence = Text(
            f"Temperature 0 always takes the most likely token, so “{NEW_SEED.en}” writes this text again.",
            f"温度为 0 时总是取概率最高的词元，因此“{NEW_SEED.zh}”会写出相同的文本。",
        )
        lively = patient.replay(**_LIVELY)
        choice = not patient.has_form or (lively is not None and patient.breaks_at(lively, 0) is not None)
        yield Finding("single", sentence, dict(_LIVELY) if choice else {})
        return
    own = _single(patient.alive())
    count = len(patient.candidate.token_ids)
    if own is None or own < SINGLE_SHARE * count:
        return
    share = f"{own / count:.0%}"
    forms = {p.name: p.neutral for p in parameters.REGISTRY if p.name in FORMS}
    free = _single(patient.alive(**forms)) if patient.has_form else None
    if free is not None and free < SINGLE_SHARE * count:
        yield Finding(
            "single",
            Text(
                f"What it must look like left {share} of the tokens a single candidate, so “{NEW_SEED.en}” nearly "
                "repeats this text.",
                f"规定的形式使 {share} 的词元只有一个候选，因此“{NEW_SEED.zh}”几乎会得到相同的文本。",
            ),
        )
        return
    yield _cut_to_one(patient, own, share)


def _single(alive: tuple[int, ...] | None) -> int | None:
    """At how many tokens one candidate was left."""
    return None if alive is None else sum(one == 1 for one in alive)


def _cut_to_one(patient: _Patient, own: int, share: str) -> Finding:
    """Nearly every token had one candidate left: by which cut-off, or by a temperature that leaves no other."""
    count = len(patient.candidate.token_ids)
    cutting = [p for p in parameters.REGISTRY if p.group == "cutoffs" and p.stage and p.needs is None]
    active = [p for p in cutting if not p.is_neutral(patient.acting[p.name])]
    fixes: list[dict[str, Any]] = [{p.name: p.neutral} for p in active]
    tried = [(fix, single) for fix in fixes if (single := _single(patient.alive(**fix))) is not None]
    sentence = Text(
        f"{share} of the tokens had a single candidate, so “{NEW_SEED.en}” nearly repeats this text.",
        f"{share} 的词元只有一个候选，因此“{NEW_SEED.zh}”几乎会得到相同的文本。",
    )
    fix, best = min(tried, key=lambda one: one[1], default=({}, own))
    if best < own:
        label = parameters.by_name()[next(iter(fix))].label
        without = Text(f"Without {label.en}", f"不用{label.zh} 时")
    else:
        fix = {"temperature": max(1.0, patient.values["temperature"] * 2)}
        hotter = _single(patient.alive(**fix))
        if hotter is None or hotter >= own:
            return Finding("single", sentence)
        best, named = hotter, remedy(fix)
        without = Text(f"With {named.en}", f"用{named.zh} 时")
    preview = Text(
        f"{without.en}, {best / count:.0%} would have a single candidate.",
        f"{without.zh}，{best / count:.0%} 只有一个候选。",
    )
    replayed = patient.replay(**fix)
    if replayed is not None:
        others = len(replayed.differs)
        preview = Text(
            f"{without.en}, {best / count:.0%} would have a single candidate, and {others} of {_tokens(count).en} "
            "would be others.",
            f"{without.zh}，{best / count:.0%} 只有一个候选，{count} 个词元中有 {others} 个会不同。",
        )
    return Finding("single", sentence, fix, preview)


def _prompt_words(patient: _Patient) -> Iterator[Finding]:
    values = patient.acting
    if not patient.kept or values["repetition_penalty"] <= 1 or values["repetition_penalty_scope"] != "all":
        return
    off = patient.replay(repetition_penalty=1.0)
    fix = {"repetition_penalty_scope": "output"}
    mended = patient.replay(**fix)
    if off is None or mended is None:
        return
    best, prompt = inspect_api.favourites(patient.run_id, patient.row)
    hit = [at for at in off.differs if best[at] in prompt and off.tokens[at] == best[at]]
    if len(hit) < _PASSED_OVER:
        return
    back = sum(mended.tokens[at] == best[at] for at in hit)
    yield Finding(
        "prompt-words",
        Text(
            f"The repetition penalty kept the model {len(hit)} times from a word of your own prompt.",
            f"重复惩罚有 {len(hit)} 次使模型没有用你提示词中的词。",
        ),
        fix,
        Text(
            f"If only the answer's own words counted as repeated, {back} of these would come back.",
            f"若只把回答中的词算作重复，其中 {back} 个会恢复。",
        ),
    )


def _order(patient: _Patient) -> Iterator[Finding]:
    values = patient.acting
    if values["temperature"] <= 1 or values["min_p"] == 0 or not patient.kept:
        return
    stages = parameters.stages(values["order"])
    if stages.index("temperature") > stages.index("min_p"):
        return
    fix = {"order": "llama.cpp"}
    own, last = patient.alive(), patient.alive(**fix)
    if own is None or last is None:
        return
    before, after = sum(own) / len(own), sum(last) / len(last)
    if before < _CROWDED * after:
        return
    temperature = f"{values['temperature']:g}"
    yield Finding(
        "order",
        Text(
            f"Temperature {temperature} acts before min_p here, which then cuts less: {before:,.0f} "
            "candidates a token are left.",
            f"温度 {temperature} 先于 min_p 起作用，min_p 因此截去得更少：每个词元平均剩 {before:,.0f} 个候选。",
        ),
        fix,
        Text(
            f"With the temperature last, {after:,.1f} candidates a token would be left.",
            f"若温度最后起作用，每个词元平均剩 {after:,.1f} 个候选。",
        ),
    )
