"""What is said where a model falls short of a task, before it writes and after: the facts, and two models that can.

Knows no page and no terminal. Of a model that nobody measured and whose card nobody read it says nothing.
"""

from __future__ import annotations

import functools
from collections.abc import Mapping, Sequence
from typing import Any

from playground.amounts import bytes_text
from playground.evaluation import fitness, reports, review
from playground.evaluation.fitness import Fault
from playground.evaluation.reports import Review, TaskReport
from playground.evaluation.word_list import is_word_list
from playground.models import catalogue
from playground.parameters.grammar import FORMS
from playground.run import Run
from playground.tasks import loader
from playground.tasks.task import Task
from playground.types import Language, ModelCard, Text

_LANGUAGES: Mapping[Language, Text] = {"en": Text("English", "英文"), "zh": Text("Chinese", "中文")}
_GAP = Text(" ", "")
_MOST_FAULTS = 2  # more would not be read
_FAULTS: Mapping[Fault, Text] = {
    "kept": Text("{part} of {whole:text|texts} that were read not kept", "{whole} 篇人工阅读的文本中 {part} 篇不可用"),
    "form": Text("{part} of {whole:text|texts} without their form", "{whole} 篇文本中 {part} 篇不合格式"),
    "named": Text("{part} of {whole:text|texts} without their subject", "{whole} 篇文本中 {part} 篇没有提到主题"),
    "language": Text("{part} of {whole:text|texts} in another language", "{whole} 篇文本中 {part} 篇用了其他语言"),
    "empty": Text("{part} of {whole:text|texts} empty", "{whole} 篇文本中 {part} 篇是空的"),
    "loops": Text("{part} of {whole:text|texts} repeating themselves", "{whole} 篇文本中 {part} 篇循环重复"),
    "copied": Text("{part} of {whole:line|lines} copied from the prompt", "{whole} 行中 {part} 行抄自提示词"),
    "identical": Text(
        "{part} of {whole:pair|pairs} of texts that are identical", "{whole} 对文本中有 {part} 对完全相同"
    ),
}
_NOT_MADE = Text(
    "{title} is not made for {language}: what it writes may look right and mean nothing.",
    "{title} 并非为{language}而训练，写出的内容可能看似通顺，却没有意义。",
)
_FALLS_SHORT = Text("{title} falls short of this task.", "{title} 还不能做好这项任务。")
_KEEPS_LITTLE = Text(
    "{title} writes little that one would keep: of {read:text|texts} that were read, {kept}.",
    "{title} 写出的文字大多不可用：人工阅读 {read} 篇，可用 {kept} 篇。",
)
_WORD_LIST = Text("This has become a list of words instead of a text.", "这里写成了词语的罗列，而不是文章。")
_MEASURED = Text("Measured: {faults}.", "实测：{faults}。")
_STRAYED = Text("This text is not in {language}, which was asked for.", "要求的是{language}，这段文字却不是。")
_NOT_IN = Text("not in {language}", "不是{language}")
_TEXTS_NOT_IN = Text("texts not in {language}: {numbers}", "不是{language}的文本：{numbers}")
_ROWS_NOT_IN = Text("{count} not in {language}", "{count} 行不是{language}")
_UNLIKE = Text("The prompt is in {language}, this text is not.", "提示词是{language}，这段文字却不是。")
_MADE = Text("Made for {language}: {models}.", "适合{language}的模型：{models}。")
_LARGER = Text("Larger models: {models}.", "更大的模型：{models}。")
_MODEL = Text("{title} ({size}, about {memory} of memory)", "{title}（{size}，约需 {memory} 内存）")
_NO_HUB = Text(
    "{title} ({size}, about {memory} of memory; needs no hub)", "{title}（{size}，约需 {memory} 内存；无需模型库）"
)


def beforehand(task: Task, language: Language, card: ModelCard, *, own: bool = False, read: bool = True) -> Text | None:
    """What is to be known before the loaded model writes; None where nothing speaks against it.

    A person's `own` task nobody has measured, whatever its name. Without `read` it leaves out how many texts a reader
    kept, for a place where that stands beside it.
    """
    entry = catalogue.find(card.id)
    report = None if own else fitness.report_of(_measured(task.id), card.id, language)
    faults = fitness.shortfalls(report.metrics, report.review) if report is not None else ()
    made = entry is None or language in entry.languages
    if made and not faults:
        return None
    first = _FALLS_SHORT if made else _NOT_MADE
    said = [one for one in faults if read or one.fault != "kept"][:_MOST_FAULTS]
    named = [_FAULTS[one.fault].filled(part=one.part, whole=one.whole) for one in said]
    return _joined(
        first.filled(title=card.title, language=_LANGUAGES[language]),
        _MEASURED.filled(faults=_joined(*named, between=Text(", ", "，"))) if named else None,
        _models(_LARGER if made else _MADE, language, card),
    )


def not_made(language: Language, card: ModelCard) -> Text | None:
    """The same where no task is chosen and text is only continued: whether the model is made for the language."""
    entry = catalogue.find(card.id)
    if entry is None or language in entry.languages:
        return None
    said = _NOT_MADE.filled(title=card.title, language=_LANGUAGES[language])
    return _joined(said, _models(_MADE, language, card))


def in_general(language: Language, card: ModelCard) -> Text | None:
    """The same where no task is chosen and the model is to answer or to write: besides, how much of what it wrote for
    tasks somebody kept."""
    counted = reviewed(language, card.id)
    if counted is None or not fitness.keeps_little(counted):
        return not_made(language, card)
    made = not_made(language, card) is None
    first = _KEEPS_LITTLE.filled(title=card.title, read=counted.read, kept=counted.kept)
    return _joined(first, _models(_LARGER if made else _MADE, language, card))


def reviewed(language: Language, model: str) -> Review | None:
    """How many texts of a model were read over all tasks, and how many kept; None where nobody has read any."""
    found = [report for task in _task_ids() for report in _measured(task)]
    return review.total(found, model, language)


def of_draft(texts: Sequence[str], before: str, language: Language, card: ModelCard) -> list[Text | None]:
    """A remark on each passage that is a list of words, where what stands `before` it is none; None for the others.

    The first remark names models that can, unless `in_general` does.
    """
    listed = [not is_word_list(before) and is_word_list(text) for text in texts]
    known = in_general(language, card) is not None  # then the models are named already
    return _remarks(_WORD_LIST, listed, language, None if known else _models(_LARGER, language, card))


def afterwards(
    task: Task, language: Language, fields: Mapping[str, str], texts: Sequence[str], card: ModelCard
) -> list[Text | None]:
    """A remark on each finished text that is not in the language asked for; None for the others.

    The first remark names models that can write it.
    """
    strays = [fitness.strays(task, language, fields, text) for text in texts]
    return _remarks(_STRAYED, strays, language, _models(_MADE, language, card))


def remarks(
    run: Run,
    card: ModelCard,
    task: Task | None = None,
    language: Language = "en",
    fields: Mapping[str, str] | None = None,
) -> list[tuple[int | None, Text]]:
    """The `remarks` of a Run, with a task or without; those on its texts only once it is finished."""
    texts = run.answers if run.finished else []
    if task is None:
        said = unlike(run.request.prompt, texts, card, has_form(run.request.values))
    else:
        said = afterwards(task, language, fields or {}, texts, card)
    first = beforehand(task, language, card) if task is not None else _of_prompt(run, card)
    return [(place, text) for place, text in ((None, first), *enumerate(said)) if text is not None]


def of_row(task: Task, language: Language, fields: Mapping[str, str], texts: Sequence[str]) -> Text | None:
    """The same in a few words, for a row among many: which of its texts are not in the language asked for."""
    strays = [str(number) for number, text in enumerate(texts, 1) if fitness.strays(task, language, fields, text)]
    if not strays:
        return None
    sentence = _NOT_IN if len(texts) == 1 else _TEXTS_NOT_IN
    return sentence.filled(language=_LANGUAGES[language], numbers=Text(", ".join(strays), "、".join(strays)))


def of_rows(count: int, language: Language) -> Text | None:
    """How many rows have such a remark; None where none has."""
    return _ROWS_NOT_IN.filled(count=count, language=_LANGUAGES[language]) if count else None


def has_form(values: Mapping[str, Any]) -> bool:
    """Whether these values hold a text to a form, which then decides its language too."""
    return any(values[name] for name in FORMS)


def unlike(prompt: str, texts: Sequence[str], card: ModelCard, formed: bool = False) -> list[Text | None]:
    """The same where no task says the language: a text in another script than its prompt is remarked on, unless it is
    `formed`."""
    language = fitness.language_of(prompt)
    if language is None:
        return [None for _ in texts]
    foreign = [not formed and fitness.is_foreign(text, language) for text in texts]
    return _remarks(_UNLIKE, foreign, language, _models(_MADE, language, card))


def _of_prompt(run: Run, card: ModelCard) -> Text | None:
    language = fitness.language_of(run.request.prompt)
    if language is None:
        return None
    return (in_general if run.request.mode == "chat" else not_made)(language, card)


def _remarks(sentence: Text, strays: Sequence[bool], language: Language, models: Text | None) -> list[Text | None]:
    said = sentence.filled(language=_LANGUAGES[language])
    first = strays.index(True) if True in strays else None
    return [(_joined(said, models) if at == first else said) if stray else None for at, stray in enumerate(strays)]


def _models(sentence: Text, language: Language, card: ModelCard) -> Text | None:
    """The models that can, where we know any; one that needs no hub by the short name that loads it."""
    able = [
        (_NO_HUB if one.needs_no_hub else _MODEL).filled(
            title=one.id if one.needs_no_hub else one.title,
            size=bytes_text(one.size or 0),
            memory=bytes_text(one.memory or 0),
        )
        for one in catalogue.abler(language, card)
        if not fitness.keeps_little(reviewed(language, one.id))
    ]
    if not able:
        return None
    return sentence.filled(language=_LANGUAGES[language], models=_joined(*able, between=Text(" and ", "和 ")))


def _joined(*texts: Text | None, between: Text = _GAP) -> Text:
    known = [text for text in texts if text is not None]
    return Text(between.en.join(text.en for text in known), between.zh.join(text.zh for text in known))


@functools.cache
def _task_ids() -> tuple[str, ...]:
    return tuple(task.id for task in loader.load_all())


@functools.cache
def _measured(task: str) -> tuple[TaskReport, ...]:
    """Read once: reports do not change while a program runs."""
    return reports.load(task)
