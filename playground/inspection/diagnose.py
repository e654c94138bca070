"""The run doctor: at most three plain sentences about a finished candidate, each with a remedy tried out by replay.

Knows no model; where a run's logits are not kept it says only what the text itself shows.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from types import MappingProxyType
from typing import Any

from playground import parameters
from playground.evaluation.text_statistics import cycle
from playground.inspection import inspect_api
from playground.inspection_results import Finding, Replayed
from playground.parameters.inert import effective
from playground.types import Candidate, Run, Text

MOST = 3
SINGLE_SHARE = 0.9
_ENDINGS = ".!?…。！？\"”’'」』）)]】*`"
_AGAINST_LOOPS: tuple[dict[str, Any], ...] = (
    {"dry_multiplier": 0.8},
    {"repetition_penalty": 1.15},
    {"no_repeat_ngram_size": 3},
)
_LIVELY = {"temperature": 0.8}
_COLD = 0.5
_TOOTHLESS = 5.0  # times as many candidates as with the temperature last
_PASSED_OVER = 3  # words of the prompt


class _Patient:
    """One candidate, and replays of it."""

    def __init__(self, run: Run, row: int, run_id: str, wanted: Mapping[str, Any]) -> None:
        self.wanted = wanted
        self.values: Mapping[str, Any] = run.request.values
        self.acting = effective(self.values)
        self.candidate: Candidate = run.candidates[row]
        self.run_id, self.row = run_id, row
        self.kept = bool(run_id) and inspect_api.available(run_id)

    def replay(self, **changes: Any) -> Replayed | None:
        if not self.kept:
            return None
        return inspect_api.replay(self.run_id, self.row, {**self.values, **changes})


def examine(
    run: Run, row: int, run_id: str = "", wanted: Mapping[str, Any] = MappingProxyType({})
) -> tuple[Finding, ...]:
    """What there is to say of a candidate that has ended; the gravest first. `wanted` is what its task asks for."""
    patient = _Patient(run, row, run_id, wanted)
    if run.candidates[row].finish_reason in (None, "error") or not patient.candidate.token_ids:
        return ()
    looks: tuple[Callable[[_Patient], Iterator[Finding]], ...] = (_loops, _cut_off, _order, _prompt_words, _singles)
    found = [finding for look in looks for finding in look(patient)]
    return tuple(found[:MOST])


def _cut_off(patient: _Patient) -> Iterator[Finding]:
    text = patient.candidate.text.rstrip()
    if patient.candidate.finish_reason != "length" or not text or text[-1] in _ENDINGS:
        return
    now = patient.values["max_new_tokens"]
    fix = {"max_new_tokens": now * 2}
    replayed = patient.replay(**fix)
    yield Finding(
        "cut-off",
        Text(
            f"Cut off in the middle of a sentence after {now} tokens.",
            f"在第 {now} 个词元处被截断，句子没有写完。",
        ),
        fix,
        None if replayed is None else replayed.ending,
    )


def _loops(patient: _Patient) -> Iterator[Finding]:
    loop = cycle(patient.candidate.token_ids)
    if loop is None:
        return
    sentence = Text(
        f"It loops from token {loop.start} on: the same {loop.period} tokens, {loop.times} times.",
        f"从第 {loop.start} 个词元起陷入循环：同样的 {loop.period} 个词元重复了 {loop.times} 次。",
    )
    remedies = [*_AGAINST_LOOPS, *([_LIVELY] if patient.values["temperature"] < _COLD else [])]
    remedies = [fix for fix in remedies if all(patient.values[name] < value for name, value in fix.items())]
    tried = [(fix, replayed) for fix in remedies if (replayed := patient.replay(**fix)) is not None]
    breaking = [(fix, replayed, _first(replayed, loop.start)) for fix, replayed in tried]
    helpful = [(fix, replayed, at) for fix, replayed, at in breaking if at is not None]
    if not helpful:
        yield Finding("loop", sentence, remedies[0] if remedies and not tried else {})
        return
    # Rather one that leaves the text before the loop as it is.
    fix, replayed, at = min(helpful, key=lambda one: 0 if one[1].differs[0] >= loop.start else 1)
    name, value = next(iter(fix.items()))
    earlier = sum(place < loop.start for place in replayed.differs)
    preview = Text(
        f"With the same random draws, {name} {value:g} breaks the loop at token {at}.",
        f"在同样的随机数下，{name} {value:g} 会在第 {at} 个词元处打破循环。",
    )
    if earlier:
        preview = Text(
            f"{preview.en} It changes {earlier} tokens before it too.",
            f"{preview.zh}它也会改变此前的 {earlier} 个词元。",
        )
    yield Finding("loop", sentence, fix, preview)


def _first(replayed: Replayed, start: int) -> int | None:
    return next((place for place in replayed.differs if place >= start), None)


def _singles(patient: _Patient) -> Iterator[Finding]:
    if patient.values["temperature"] == 0:
        if patient.wanted.get("temperature") == 0:
            return  # the one best answer is what such a task is for
        yield Finding(
            "single",
            Text(
                "Temperature 0 always takes the most likely token, so Regenerate will repeat this text.",
                "温度为 0 时总是取概率最高的词元，因此重新生成会得到相同的文本。",
            ),
            dict(_LIVELY),
        )
        return
    own = patient.replay()
    count = len(patient.candidate.token_ids)
    if own is None or own.singles < SINGLE_SHARE * count:
        return
    cutting = [p for p in parameters.REGISTRY if p.group == "cutoffs" and p.stage and p.needs is None]
    active = [p for p in cutting if not p.is_neutral(patient.acting[p.name])]
    tried = [(p, replayed) for p in active if (replayed := patient.replay(**{p.name: p.neutral})) is not None]
    sentence = Text(
        f"{own.singles / count:.0%} of the tokens had a single candidate, so Regenerate will nearly repeat this text.",
        f"{own.singles / count:.0%} 的词元只有一个候选，因此重新生成几乎会得到相同的文本。",
    )
    best = min(tried, key=lambda one: one[1].singles, default=None)
    if best is None or best[1].singles >= own.singles:
        yield Finding("single", sentence, {"temperature": max(1.0, patient.values["temperature"] * 2)})
        return
    record, replayed = best
    yield Finding(
        "single",
        sentence,
        {record.name: record.neutral},
        Text(
            f"Without {record.name}, {replayed.singles / count:.0%} would have a single candidate, and "
            f"{len(replayed.differs)} of {count} tokens would be others.",
            f"不用 {record.name} 时，{replayed.singles / count:.0%} 只有一个候选，{count} 个词元中有 "
            f"{len(replayed.differs)} 个会不同。",
        ),
    )


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
            f"重复惩罚有 {len(hit)} 次阻止了模型使用你提示中的词。",
        ),
        fix,
        Text(
            f"Counting only the answer, {back} of these would come back.",
            f"只计算回答时，其中 {back} 个会恢复。",
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
    own, last = patient.replay(), patient.replay(**fix)
    if own is None or last is None:
        return
    count = len(own.alive)
    before, after = sum(own.alive) / count, sum(last.alive) / count
    if before < _TOOTHLESS * after:
        return
    temperature = f"{values['temperature']:g}"
    yield Finding(
        "order",
        Text(
            f"Temperature {temperature} acts before min_p here and takes its teeth: {before:,.0f} candidates a token.",
            f"温度 {temperature} 在 min_p 之前起作用，使它失去效力：每个词元平均 {before:,.0f} 个候选。",
        ),
        fix,
        Text(
            f"With the temperature last, {after:,.1f} candidates a token would be left.",
            f"若温度最后起作用，每个词元平均剩 {after:,.1f} 个候选。",
        ),
    )
