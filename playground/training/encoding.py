"""Examples as token ids, and which of them are learned: the prompt to the id as Play sends it, the answer behind it.

Knows no file and no weights. Nothing is padded here.
"""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import groupby
from typing import Literal

from playground.rendering.prompt import Answered, Prompts
from playground.training.example import CutPart, Encoded, Example
from playground.types import InvalidRequest, PlaygroundError, Text

Learn = Literal["answers", "all"]
LEAST = 8  # tokens that a row may be long at least: fewer hold no prompt and no answer
_EXCHANGE = 2  # a message and its answer


@dataclass(frozen=True, slots=True)
class EncodedRows:
    """The rows of a training; `unlearned` are those that are cut before their answer begins, so that nothing of them
    is learned, and `refused` those that this model's tokenizer or template cannot take, with the reason."""

    rows: tuple[Encoded, ...]
    refused: Mapping[int, Text]
    unlearned: tuple[Encoded, ...] = ()


def encode(example: Example, prompts: Prompts, longest: int, learn: Learn = "answers") -> Encoded:
    """One prompt with its answer and the token that ends it, at most `longest` tokens.

    What is too long loses the oldest exchanges of its conversation first, as on the tab Play, and then its end. Raises
    Refused where the template or the vocabulary cannot take a text, and ValueError for continued text, which `blocks`
    encodes.
    """
    if example.continued:
        raise ValueError("continued text is encoded by blocks()")
    whole = prompts.answered(example.request, example.answer)
    size = len(whole.prompt) + len(whole.answer)
    part: CutPart = ""
    if size > longest and example.request.turns:
        whole = _fitting(example, prompts, longest)
        part = "turns"
    ids = (*whole.prompt, *whole.answer)
    if len(ids) > longest:
        part = "answer" if len(whole.prompt) < longest else "prompt"
    learned = (learn == "all",) * len(whole.prompt) + (True,) * len(whole.answer)
    return Encoded(ids[:longest], learned[:longest], size - min(len(ids), longest), example.row, part)


def _fitting(example: Example, prompts: Prompts, longest: int) -> Answered:
    """With as few of the oldest exchanges left out as it takes; without all of them where nothing helps."""
    turns = example.request.turns
    known: dict[int, Answered] = {}

    def without(count: int) -> Answered:
        if count not in known:
            request = replace(example.request, turns=turns[count * _EXCHANGE :])
            known[count] = prompts.answered(request, example.answer)
        return known[count]

    def fits(count: int) -> bool:
        return len(without(count).prompt) + len(without(count).answer) <= longest

    exchanges = len(turns) // _EXCHANGE
    return without(bisect_left(range(exchanges), True, lo=1, key=fits))


def blocks(examples: Sequence[Example], prompts: Prompts, longest: int) -> Iterator[Encoded]:
    """Continued text in blocks of `longest` tokens, all of them learned, each with what the tokenizer puts before a
    text. Pieces that stand side by side in the file are one text here; a text that is no piece gets its end behind it.

    Nothing is cut off. `row` of a block is that of the piece in which it begins. Raises Refused where the vocabulary
    cannot take a text.
    """
    for text in _texts(examples):
        ends = [] if text[0].piece else prompts.ends(text[0].request)[:1]
        yield from _blocks_of(text, prompts, longest, ends)


def _texts(examples: Sequence[Example]) -> Iterator[list[Example]]:
    numbered = enumerate(sorted(examples, key=lambda one: one.row))
    for _, run in groupby(numbered, lambda one: (one[1].piece, one[1].row - one[0] if one[1].piece else one[1].row)):
        yield [example for _, example in run]


def _blocks_of(text: list[Example], prompts: Prompts, longest: int, ends: list[int]) -> Iterator[Encoded]:
    whole = "".join(example.answer for example in text)
    before = prompts.encoder.before
    own = [*prompts.encoder.alone(whole, begins=False, parameter="answer"), *ends]
    room = longest - len(before)
    share = len(own) / max(1, len(whole))  # tokens of a character, to tell in which piece a block begins
    starts, place = [], 0
    for example in text:
        starts.append((place * share, example.row))
        place += len(example.answer)
    for begin in range(0, len(own), room):
        ids = own[begin : begin + room]
        row = next((row for start, row in reversed(starts) if start <= begin), text[0].row)
        yield Encoded((*before, *ids), (False,) * len(before) + (True,) * len(ids), 0, row)


def encode_all(
    examples: Sequence[Example],
    prompts: Prompts,
    longest: int,
    learn: Learn = "answers",
    told: Callable[[int], None] = lambda done: None,
) -> EncodedRows:
    """All examples encoded, in their order; `told` hears how many are done.

    Raises InvalidRequest where `longest` is less than LEAST.
    """
    if longest < LEAST:
        raise InvalidRequest(
            Text(f"A row needs at least {LEAST} tokens.", f"每行至少需要 {LEAST} 个词元。"), parameter="longest"
        )
    found: list[Encoded] = []
    refused: dict[int, Text] = {}
    asked = [one for one in examples if not one.continued]
    for done, example in enumerate(asked, 1):
        try:
            found.append(encode(example, prompts, longest, learn))
        except PlaygroundError as error:
            refused.setdefault(example.row, error.message)
        told(done)
    for text in _texts([one for one in examples if one.continued]):
        try:
            found += blocks(text, prompts, longest)
        except PlaygroundError as error:
            refused.setdefault(text[0].row, error.message)
        told(len(asked))
    learned = tuple(one for one in found if one.count)
    return EncodedRows(learned, refused, tuple(one for one in found if not one.count))


def check_learns(found: EncodedRows, longest: int) -> None:
    """Raises InvalidRequest, with the reason, where there is nothing to learn in any row."""
    if found.rows:
        return
    if found.unlearned and all(one.cut for one in found.unlearned):
        raise InvalidRequest(
            Text(
                f"All rows are too long: their prompts alone fill the {longest:,} tokens that a row may have.",
                f"所有行都过长：仅提示词就已占满每行允许的 {longest:,} 个词元。",
            ),
            Text("Allow longer rows, or shorten the prompts.", "请允许更长的行，或缩短提示词。"),
            parameter="longest",
        )
    if found.unlearned:
        raise InvalidRequest(
            Text("Nothing is learned: every token is masked.", "没有可学习的内容：所有词元都被遮盖。"),
            Text("Choose the column of the text that is wanted.", "请选择目标文本所在的列。"),
            parameter="answer",
        )
    row, reason = next(iter(found.refused.items()), (0, Text("The file has no rows.", "文件中没有数据行。")))
    place = Text(f"Row {row:,}: ", f"第 {row:,} 行：") if row else Text("", "")
    raise InvalidRequest(
        Text(f"{place.en}{reason.en}", f"{place.zh}{reason.zh}"),
        parameter="file",
    )
