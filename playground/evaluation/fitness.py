"""Whether a model is fit for a task, by what was measured of it; and whether a text is in the language asked for.

Thresholds and counting, nothing more: knows no file, no page, and of a model only its id.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

from playground.evaluation.metrics import TaskMetrics
from playground.evaluation.reports import Review, TaskReport
from playground.tasks.task import Task
from playground.types import LANGUAGES, Language

Fault = Literal["kept", "form", "named", "language", "empty", "loops", "copied", "identical"]
# The largest share of texts (of lines, of pairs) that may have a fault; the gravest fault first.
ALLOWED: Mapping[Fault, float] = {
    "language": 0.1,
    "kept": 1 / 3,
    "empty": 0.05,
    "form": 0.1,
    "loops": 0.05,
    "named": 0.2,
    "copied": 0.05,
    "identical": 0.05,
}
ENOUGH_READ = 10  # texts of all tasks: of fewer nobody can say how well a model writes
ENOUGH = 5  # words; fewer do not show the language
MOST_OTHERS = 0.5  # words of another script that a text may hold: names, titles, a quotation

_NO_WORDS = re.compile(r"```.*?(?:```|\Z)|`[^`\n]*`|https?://\S+|\S+@\S+", re.DOTALL)
_HAN = re.compile(r"[\u3400-\u4dbf\u4e00-\u9fff]")
_LATIN = re.compile(r"[A-Za-z\u00c0-\u024f]{2,}")
_OTHER = re.compile(r"[\u0370-\u1fff\u3040-\u30ff\uac00-\ud7af]{2,}")  # from Greek to Thai; kana; Hangul
_CHARACTERS_A_WORD = 2  # of Chinese


@dataclass(frozen=True, slots=True)
class Shortfall:
    """`part` of `whole` (texts; lines for copies, pairs for identical texts) had this fault, more than is allowed."""

    fault: Fault
    part: int
    whole: int


def report_of(reports: Sequence[TaskReport], model: str, language: Language) -> TaskReport | None:
    """What was measured of this very model in this language; None where nobody has."""
    return next((one for one in reports if (one.model, one.language) == (model, language)), None)


def shortfalls(found: TaskMetrics, review: Review | None = None) -> tuple[Shortfall, ...]:
    """Every fault that is too frequent, the gravest first; none where nothing was counted, nor of texts unread.

    That texts are alike is no fault where all that were read are kept: the keywords of a document are what they are.
    """
    wanted = review is not None and review.read > 0 and review.kept == review.read
    faults: Mapping[Fault, tuple[int, int]] = {
        "kept": (review.read - review.kept, review.read) if review is not None else (0, 0),
        "language": (found.texts - found.language, found.texts),
        "empty": (found.empty, found.texts),
        "form": (found.texts - found.form, found.texts),
        "loops": (found.loops, found.texts),
        "named": (found.texts - found.named, found.texts),
        "copied": (found.copied, found.lines),
        "identical": (0 if wanted else found.identical, found.pairs),
    }
    return tuple(
        Shortfall(fault, part, whole)
        for fault, allowed in ALLOWED.items()
        for part, whole in [faults[fault]]
        if part > allowed * whole
    )


def keeps_little(review: Review | None) -> bool:
    """Whether enough texts of a model were read, and too few of them kept."""
    return (
        review is not None and review.read >= ENOUGH_READ and review.read - review.kept > ALLOWED["kept"] * review.read
    )


def strays(task: Task, language: Language, fields: Mapping[str, str], text: str) -> bool:
    """Whether a finished text is not in the language that was asked for.

    False where the fields are filled in in another language: then neither of the two was asked for.
    """
    typed = [fields.get(field.name, "") for field in task.fields if field.choices is None]
    return is_foreign(task.output.prose(text), language) and not is_foreign(" ".join(typed), language)


def language_of(text: str) -> Language | None:
    """The language of most words, judged by their script; None where it is neither, or there are too few words."""
    foreign = {language: is_foreign(text, language) for language in LANGUAGES}
    if sum(foreign.values()) != 1:
        return None
    return next(language for language, strange in foreign.items() if not strange)


def is_foreign(text: str, language: Language) -> bool:
    """Whether most words of a text are in another script than the language's: French passes for English.

    False for fewer than `ENOUGH` words; code, addresses and numbers are no words.
    """
    plain = _NO_WORDS.sub(" ", text)
    han = len(_HAN.findall(plain)) / _CHARACTERS_A_WORD
    latin, other = len(_LATIN.findall(plain)), len(_OTHER.findall(plain))
    own = han if language == "zh" else latin
    whole = han + latin + other
    return whole >= ENOUGH and whole - own > MOST_OTHERS * whole
