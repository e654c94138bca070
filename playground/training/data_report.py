"""What there is to know of training data before anything runs: counts, what is cut, what stands twice, what is learned.

Knows no weights. `preview` tells the rows as the model will see them.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any

from playground.evaluation.text_statistics import is_chinese
from playground.rendering.detokenize import Detokenizer
from playground.training.encoding import EncodedRows
from playground.training.example import Encoded, Example
from playground.training.mapped import EMPTY, Mapped
from playground.training.split import Split, duplicates, shared
from playground.types import Text

SHOWN = 20  # rows that are named, of those that are refused or cut
_SCRIPTS: tuple[tuple[str, str], ...] = (
    ("ja", r"[\u3040-\u30ff]"),
    ("ko", r"[\uac00-\ud7af]"),
    ("ru", r"[\u0400-\u04ff]"),
    ("ar", r"[\u0600-\u06ff]"),
    ("he", r"[\u0590-\u05ff]"),
    ("el", r"[\u0370-\u03ff]"),
    ("hi", r"[\u0900-\u097f]"),
    ("th", r"[\u0e00-\u0e7f]"),
)
_WORDS: Mapping[str, str] = {  # the commonest ones
    "en": "the of and to in is that for it with as was on are by this be not you your from have no so more less",
    "de": "der die das und ist nicht ein eine zu den mit von im für auf dem des sich auch wie",
    "fr": "le la les et est un une des du que pour dans qui sur pas avec au plus ce vous",
    "es": "el la los las y es un una de que en para por con no se su del al lo más como",
    "it": "il la e di che un una per non con del della sono come più ma le gli nel alla",
    "pt": "o a os as e é um uma de que em para com não do da no na se por mais como",
    "nl": "de het een en van is dat in op te niet met voor zijn aan er ook maar",
}
_WORD = re.compile(r"[^\W\d_]+")
_ENOUGH = 12  # words; of fewer the language is not told by one of them
_LONG, _LITTLE = 150, 0.1  # tokens of a row, and the share of them that is learned
OTHER = "other"
"""Of a text whose language cannot be told by its script or its commonest words."""


@dataclass(frozen=True, slots=True)
class CutRow:
    """A row that was too long: how many tokens were left out, and of which part (see `Encoded`)."""

    row: int
    tokens: int
    part: str


@dataclass(frozen=True, slots=True)
class DataReport:
    """Counts of `rows` are those of the file, of `examples` what is learned from (a conversation has one for each of
    its answers). `tokens` is all of both sides, `learned` what is learned of it, `longest` the longest row after
    cutting; `cut_rows` and `reasons` name the first SHOWN. `shared` counts examples of training that stand in the file
    of validation too, `languages` how many examples are in each language.
    """

    rows: int
    examples: int
    train: int
    validation: int
    tokens: int
    learned: int
    longest: int
    cut: int
    cut_rows: tuple[CutRow, ...]
    unlearned: int
    duplicates: int
    empty: int
    refused: int
    reasons: tuple[tuple[int, Text], ...]
    languages: Mapping[str, int]
    shared: int
    notice: Text | None

    def as_record(self) -> dict[str, Any]:
        """As plain data; sentences in both languages."""
        return asdict(self)


def report(
    found: Mapped, sides: Split, train: EncodedRows, validation: EncodedRows, file: Sequence[Example] = ()
) -> DataReport:
    """The report of one set of data; `file` are the examples of a file of validation, where there is one."""
    each = (*train.rows, *validation.rows)
    unlearned = (*train.unlearned, *validation.unlearned)
    cut = sorted((one for one in (*each, *unlearned) if one.cut), key=lambda one: one.row)
    refused = {**found.refused, **train.refused, **validation.refused}
    return DataReport(
        rows=found.rows,
        examples=len(found.examples),
        train=len(train.rows),
        validation=len(validation.rows),
        tokens=sum(len(one.ids) for one in each),
        learned=sum(one.count for one in each),
        longest=max((len(one.ids) for one in each), default=0),
        cut=len(cut),
        cut_rows=tuple(CutRow(one.row, one.cut, one.part) for one in cut[:SHOWN]),
        unlearned=len(unlearned),
        duplicates=duplicates(found.examples),
        empty=sum(reason == EMPTY for reason in found.refused.values()),
        refused=len(refused),
        reasons=tuple(sorted(refused.items())[:SHOWN]),
        languages=languages(example.answer for example in found.examples),
        shared=shared(found.examples, file),
        notice=_joined([sides.notice, mostly_prompt(each)]),
    )


def mostly_prompt(rows: Sequence[Encoded]) -> Text | None:
    """A sentence where a row is a long prompt for a short answer: reading the prompt takes nearly all of the time."""
    tokens, learned = sum(len(one.ids) for one in rows), sum(one.count for one in rows)
    if not rows or tokens < _LONG * len(rows) or learned >= _LITTLE * tokens:
        return None
    each, own = round(tokens / len(rows)), round(learned / len(rows))
    return Text(
        f"Of {each} tokens a row, {own} are learned: reading the prompt takes most of the time. A short prompt of your "
        "own is quicker, unless it is the task's own that you want answered so.",
        f"每行 {each} 个词元中只学习 {own} 个：大部分时间用于读提示词。"
        "若不必沿用任务自带的提示词，自己写一个短提示词会更快。",
    )


def _joined(notices: Sequence[Text | None]) -> Text | None:
    said = [one for one in notices if one is not None]
    return Text(" ".join(one.en for one in said), "".join(one.zh for one in said)) if said else None


def languages(texts: Iterable[str]) -> dict[str, int]:
    """How many of the texts are in each language, the commonest first; OTHER where that cannot be told.

    Short texts are judged together: a slogan alone may hold no common word, or one that two languages have.
    """
    found = list(texts)
    short = [text for text in found if len(_WORD.findall(text)) < _ENOUGH and _by_script(text) is None]
    counts = Counter(map(language_of, (Counter(found) - Counter(short)).elements()))
    if short:
        counts[language_of(" ".join(short))] += len(short)
    return dict(counts.most_common())


def _by_script(text: str) -> str | None:
    letters = sum(sign.isalpha() for sign in text) or 1
    for name, signs in _SCRIPTS:
        if len(re.findall(signs, text)) * 5 >= letters:
            return name
    return "zh" if is_chinese(text) else None


def language_of(text: str) -> str:
    """The language of a text, as two letters: by its script, and where that is Latin by its commonest words."""
    script = _by_script(text)
    if script is not None:
        return script
    words = _WORD.findall(text.lower())
    counts = {name: sum(f" {word} " in f" {known} " for word in words) for name, known in _WORDS.items()}
    best = max(counts, key=lambda name: counts[name])
    return best if counts[best] and counts[best] * 20 >= len(words) else OTHER


def preview(encoded: Encoded, tokenizer: Any) -> list[tuple[str, bool]]:
    """The row as the model will see it, token by token: its text, and whether it is learned.

    The texts join to the whole row, special tokens included. Tokens that are parts of one character stand together, and
    what is learned begins a new piece.
    """
    found: list[tuple[str, bool]] = []
    special = {number: str(token) for number, token in tokenizer.added_tokens_decoder.items()}
    grown = Detokenizer(tokenizer, visible=special)
    for place, (number, learned) in enumerate(zip(encoded.ids, encoded.learned, strict=True)):
        if place and encoded.learned[place - 1] != learned:
            rest = grown.flush()
            found += [(rest, not learned)] if rest else []
            grown = Detokenizer(tokenizer, encoded.ids[:place], special)
        piece = grown.push(number)
        if piece:
            found.append((piece, learned))
    rest = grown.flush()
    return [*found, (rest, encoded.learned[-1])] if rest else found
