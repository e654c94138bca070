"""Which rows a model learns from, and which only measure it: by a seed, and what is equal stands on one side.

Knows no tokenizer.
"""

from __future__ import annotations

import random
import unicodedata
from collections.abc import Hashable, Iterable, Sequence
from dataclasses import dataclass

from playground.amounts import counted
from playground.training.example import Example
from playground.types import InvalidRequest, Text

LEAST, MOST = 16, 500  # rows of validation
_PART = 4  # of few rows, one in so many is for validation


@dataclass(frozen=True, slots=True)
class Split:
    """The two sides, each in the order of the file, and what is to be known of them.

    `left_out` counts the examples that were not trained because the file of validation has them too.
    """

    train: tuple[Example, ...]
    validation: tuple[Example, ...]
    notice: Text | None = None
    left_out: int = 0


def split(examples: Sequence[Example], share: float, seed: int, file: Sequence[Example] | None = None) -> Split:
    """`share` (0 to 1) of the rows for validation, at least LEAST and at most MOST of them; or those of a `file`.

    The answers of one conversation stay together, and so do rows that are equal. Raises InvalidRequest where there are
    not two rows that differ.
    """
    groups = _groups(examples)
    if not groups:
        raise InvalidRequest(Text("There are no rows to learn from.", "没有可供学习的数据行。"), parameter="file")
    if len(groups) == 1 and groups[0][0].piece:
        raise InvalidRequest(
            Text(
                "The text is too short: it is a single piece, and none is left to measure what was learned.",
                "文本太短：只有一段，没有剩余部分可用于衡量学习效果。",
            ),
            Text("Take a longer one.", "请使用更长的文本。"),
            parameter="file",
        )
    if len(groups) == 1:
        raise InvalidRequest(
            Text(
                "There is only one row, or all rows are the same: there is nothing general to learn.",
                "只有一行数据，或所有行都相同：学不到任何一般规律。",
            ),
            Text("Add more rows; some dozens are a good start.", "请添加更多行，几十行是不错的开始。"),
            parameter="file",
        )
    if file is not None:
        return _against(examples, file)
    if share <= 0:
        return Split(tuple(examples), (), _NONE)
    count, notice = _count(len(groups), share)
    drawn = set(random.Random(seed).sample(range(len(groups)), count))
    chosen = {id(example) for at in drawn for example in groups[at]}
    train = tuple(example for example in examples if id(example) not in chosen)
    validation = tuple(example for example in examples if id(example) in chosen)
    return Split(train, validation, notice)


_NONE = Text(
    "There is no validation: nobody will see when the model begins to learn the rows by heart.",
    "没有验证集：无法看出模型何时开始死记这些数据。",
)


def key(example: Example) -> Hashable:
    """What makes two examples equal: all that is sent and the answer, however blanks and accents are written."""
    request = example.request
    texts = (request.system, *(text for _, text in request.turns), request.prompt, request.prefill, example.answer)
    return (request.mode, *(" ".join(unicodedata.normalize("NFC", text).split()) for text in texts))


def duplicates(examples: Iterable[Example]) -> int:
    """How many examples say what an earlier one says."""
    keys = [key(example) for example in examples]
    return len(keys) - len(set(keys))


def shared(examples: Iterable[Example], others: Iterable[Example]) -> int:
    """How many of these examples stand among the others too."""
    known = {key(example) for example in others}
    return sum(key(example) in known for example in examples)


def _against(examples: Sequence[Example], file: Sequence[Example]) -> Split:
    if not file:
        raise InvalidRequest(
            Text("The file of validation has no rows.", "验证文件中没有数据行。"), parameter="validation"
        )
    known = {key(example) for example in file}
    train = tuple(example for example in examples if key(example) not in known)
    lost = len(examples) - len(train)
    if not train:
        raise InvalidRequest(
            Text("All rows stand in the file of validation too.", "所有数据行都出现在验证文件中。"),
            Text("Choose another file of validation.", "请选择另一个验证文件。"),
            parameter="validation",
        )
    said = _few(len(_groups(file))) if len(_groups(file)) < LEAST else None
    if lost:
        rows = counted(lost, "row stands", "rows stand")
        also = Text(
            f"{rows} in the file of validation too and will not be trained.",
            f"有 {lost} 行也出现在验证文件中，不参与训练。",
        )
        said = also if said is None else Text(f"{also.en} {said.en}", f"{also.zh}{said.zh}")
    return Split(train, tuple(file), said, lost)


def _count(rows: int, share: float) -> tuple[int, Text | None]:
    """How many of so many rows are for validation. Of few rows, one in `_PART` is."""
    if rows < 2 * LEAST:
        few = max(1, rows // _PART)
        return few, _few(few)
    return min(max(round(share * rows), LEAST), MOST, rows - 1), None


def _few(rows: int) -> Text:
    only = counted(rows, "row is", "rows are")
    return Text(
        f"Only {only} for validation, fewer than {LEAST}: what is measured on them says little.",
        f"只有 {rows} 行用于验证，少于 {LEAST} 行：据此得到的数值参考价值不大。",
    )


def _groups(examples: Sequence[Example]) -> list[list[Example]]:
    """Examples that belong to one side: those of one row, and those that are equal, whoever else these bring along."""
    lead: dict[Hashable, Hashable] = {}

    def first(name: Hashable) -> Hashable:
        while lead.setdefault(name, name) != name:
            lead[name] = lead[lead[name]]
            name = lead[name]
        return name

    for example in examples:
        lead[first(("row", example.row))] = first(("text", key(example)))
    found: dict[Hashable, list[Example]] = {}
    for example in examples:
        found.setdefault(first(("row", example.row)), []).append(example)
    return list(found.values())
