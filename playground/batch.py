"""One task over many rows: which column fills which field, and the rows written many at a time.

Knows no file, no store and no page: rows come in one by one, and results go out as each row ends.
"""

from __future__ import annotations

import functools
import logging
import re
import secrets
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from collections.abc import Generator as Stream
from dataclasses import asdict, dataclass, field, replace
from typing import Any

from playground.evaluation import recommend
from playground.field_titles import field_title
from playground.generate import FRESH_SEED, Gathering, check_text
from playground.parameters.inert import check_seeds
from playground.rendering.control import Unreadable
from playground.run import Candidate, Run
from playground.settings import Limits
from playground.tables.rows import DONE, FAILED, Result
from playground.tasks import loader, user_task
from playground.tasks.task import Task
from playground.types import Generator, InvalidRequest, Language, Mode, ModelCard, Path, PlaygroundError, Request, Text

Numbered = tuple[int, Mapping[str, str]]
log = logging.getLogger(__name__)
_LOOK = 0.02  # seconds between looks at the rows in play: less than a step of many rows takes
_SEED_BITS = 31
_SHOWN = 60  # characters of a name in a sentence
_LATER = ("own", "model", "revision")  # fields of a plan that are left out where they are empty


@dataclass(frozen=True, slots=True)
class Plan:
    """What is done with every row. `mapping` names the column of a field, `fixed` holds what is the same in all rows.

    `values` replace the task's own parameters; of n there is one unless they say otherwise. Row i, counted from 1,
    draws from seed + (i − 1) · n, so that no two texts share random draws and a row can be written again alone.
    `mode` None is a chat where the model knows how to. `own` is the YAML of a person's own task; "" where a preset is
    meant. `model` and `revision` are of the card of the model that writes all of it, where that matters. A plan holds
    all that a job needs to go on after a restart.
    """

    task: str
    language: Language = "en"
    mapping: Mapping[str, str] = field(default_factory=dict)
    fixed: Mapping[str, str] = field(default_factory=dict)
    values: Mapping[str, Any] = field(default_factory=dict)
    seed: int = FRESH_SEED
    path: Path = "fast"
    mode: Mode | None = None
    own: str = ""
    model: str = ""
    revision: str = ""

    @property
    def candidates(self) -> int:
        return int(self.values.get("n", 1))

    def seeded(self) -> Plan:
        """The plan with a seed of its own, so that a row is the same after a pause."""
        return replace(self, seed=secrets.randbits(_SEED_BITS)) if self.seed == FRESH_SEED else self

    def read_task(self) -> Task:
        """The task that is meant. Raises SchemaError with the line, or InvalidRequest where there is no such preset."""
        return _read_task(self.task, self.own)

    def fields(self, row: Mapping[str, str]) -> dict[str, str]:
        """What a row fills in; an empty cell leaves a field as if it had not been given."""
        filled = {name: row.get(column, "") for name, column in self.mapping.items()}
        return {**self.fixed, **{name: text for name, text in filled.items() if text.strip()}}

    def request(self, task: Task, number: int, row: Mapping[str, str], generator: Generator) -> Request:
        """The Request of one row; `task` is that of the plan, read once. Raises InvalidRequest naming the field."""
        mode = self.mode or ("chat" if generator.card.has_chat_template else "complete")
        values = {"n": 1, **self.values, "seed": self.seed + (number - 1) * self.candidates}
        request = task.request(self.fields(row), self.language, mode, values)
        fast = self.is_fast(generator) and request.values["num_beams"] == 1
        return replace(request, path="fast" if fast else "exact", watched=False)

    def is_fast(self, generator: Generator) -> bool:
        """Whether its rows share the steps of the fast path."""
        return self.path == "fast" and "fast" in generator.paths

    def as_json(self) -> dict[str, Any]:
        """As it was before there were own tasks, or several models: files of results from then still belong to it."""
        return {name: value for name, value in asdict(self).items() if name not in _LATER or value}

    def of_model(self, card: ModelCard) -> Plan:
        """The plan for this model alone, where it is not for one already."""
        return self if self.model else replace(self, model=card.id, revision=card.revision)

    def is_for(self, card: ModelCard) -> bool:
        """Whether this model may write its rows."""
        return not self.model or (self.model, self.revision) == (card.id, card.revision)

    def check(self, columns: Sequence[str], count: int = 1) -> None:
        """What would fail in every row, or in the last of `count`, is said before any is written; raises
        InvalidRequest naming the field."""
        check_seeds(self.seed, count * self.candidates)
        task = self.read_task()
        known = {one.name: one for one in task.fields}
        for name in (*self.mapping, *self.fixed):
            if name not in known:
                raise _no_field(task, name)
        for name, column in self.mapping.items():
            if column not in columns:
                shown = column[:_SHOWN]
                raise InvalidRequest(
                    Text(f"The file has no column {shown!r}.", f"文件中没有 {shown!r} 列。"),
                    Text(f"Its columns are {_listed(columns)}.", f"文件的列有 {_listed(columns)}。"),
                    parameter=name,
                )
        for name, one in known.items():
            if one.required and not one.choices and name not in self.mapping and not self.fixed.get(name, "").strip():
                raise InvalidRequest(
                    Text(f"No column fills {one.label.en}.", f"没有列对应“{one.label.zh}”。"),
                    Text(
                        f"Choose one of its columns ({_listed(columns)}), or give it a text for all rows.",
                        f"请选择一列（{_listed(columns)}），或为所有行填写同样的内容。",
                    ),
                    parameter=name,
                )
            if self.fixed.get(name, "").strip() or (name in self.fixed and name not in self.mapping):
                one.checked(self.fixed[name], self.language)


@functools.lru_cache(maxsize=64)
def _read_task(task: str, own: str) -> Task:
    """Read once for the many who ask: a preset does not change while a program runs, and YAML is slow to read."""
    return user_task.read(own) if own else loader.find(task)


def guess(task: Task, columns: Sequence[str]) -> dict[str, str]:
    """The column of each field where their names leave no doubt."""
    found = candidates(task, columns)
    claims = [column for several in found.values() for column in several]
    return {name: one[0] for name, one in found.items() if len(one) == 1 and claims.count(one[0]) == 1}


def candidates(task: Task, columns: Sequence[str]) -> dict[str, list[str]]:
    """The columns that may be meant for each field: those of its name or label; else those that have all of its words,
    or whose words it has, side by side. A word counts whole: no ID stands in "did"."""
    names = {one.name: (one.name, one.label.en, one.label.zh) for one in task.fields}
    found = {name: [one for one in columns if _plain(one) in map(_plain, own)] for name, own in names.items()}
    taken = {column for several in found.values() for column in several}
    free = [column for column in columns if column not in taken]
    for name, own in names.items():
        if not found[name]:
            found[name] = [one for one in free if any(_share_words(one, text) for text in own)]
    return found


def _share_words(column: str, name: str) -> bool:
    """Whether the words of one stand side by side in the other, and say something.

    Not where the column's other words make it a number of the thing (`Product ID`).
    """
    these, those = _words(column), _words(name)
    short, long = sorted((these, those), key=len)
    if all(word in _EMPTY or word.isdecimal() for word in short) or _NUMBERS & {*these} - {*those}:
        return False
    return any(long[at : at + len(short)] == short for at in range(len(long) - len(short) + 1))


_WORD = re.compile(r"[\u3040-\u30ff\u4e00-\u9fff]+|[^\W_\u3040-\u30ff\u4e00-\u9fff]+(?:['’][^\W_]+)*")
_HUMP = re.compile(r"(?<=[a-z0-9])(?=[A-Z])")  # as in productName
# Words that name nothing by themselves, and words that make a number of what is named beside them.
_EMPTY = frozenset(
    [
        "a",
        "an",
        "and",
        "are",
        "as",
        "at",
        "be",
        "by",
        "did",
        "do",
        "for",
        "from",
        "have",
        "i",
        "in",
        "is",
        "it",
        "not",
        "of",
        "on",
        "or",
        "than",
        "that",
        "the",
        "this",
        "to",
        "was",
        "what",
        "when",
        "where",
        "which",
        "who",
        "with",
        "you",
        "your",
    ]
)
_NUMBERS = frozenset(["code", "guid", "id", "ids", "key", "no", "nr", "number", "sku", "uuid"])


def _words(name: str) -> tuple[str, ...]:
    """Its words in lower case; signs of Chinese or Japanese that stand together are one."""
    return tuple(word.casefold() for word in _WORD.findall(_HUMP.sub(" ", name)))


@dataclass(slots=True)
class _RunningRow:
    """One row being written."""

    number: int
    row: Mapping[str, str]
    gathering: Gathering

    @property
    def tokens(self) -> int:
        return sum(one.generated for one in self.gathering.run.candidates)


class Batch:
    """One plan's rows on one generator. `tokens` counts what was written, rows in play included."""

    def __init__(self, plan: Plan, generator: Generator, limits: Limits | None = None) -> None:
        self._plan = plan
        self._task = plan.read_task()
        self._generator = generator
        self._limits = limits
        self._running: list[_RunningRow] = []
        self._written = 0

    @property
    def tokens(self) -> int:
        return self._written + sum(running_row.tokens for running_row in list(self._running))

    def results(
        self, take: Callable[[], Numbered | None], at_once: Callable[[], int], cancelled: threading.Event
    ) -> Stream[Result, None, None]:
        """Each row's Result as it ends, `at_once` texts in play at most; ends when `take` has no row and none is left.

        A row that cannot be written is a Result too. Once `cancelled` is set, or when this is closed, rows in play end
        without one: they are as if they had never begun.
        """
        try:
            while True:
                while self._room(at_once()) and not cancelled.is_set() and (row := take()) is not None:
                    refused = self._begin(*row, cancelled)
                    if refused is not None:
                        yield refused
                if not self._running:
                    return
                time.sleep(_LOOK)
                for running_row in list(self._running):
                    ended = self._look(running_row)
                    if ended is not None:
                        yield ended
        finally:
            cancelled.set()
            self._running.clear()

    def _room(self, at_once: int) -> bool:
        return not self._running or (len(self._running) + 1) * self._plan.candidates <= at_once

    def _begin(self, number: int, row: Mapping[str, str], cancelled: threading.Event) -> Result | None:
        try:
            request = self._plan.request(self._task, number, row, self._generator)
            gathering = Gathering(request, self._generator, self._limits, cancelled)
        except Exception as error:  # noqa: BLE001 - whatever fails ends this row; the others go on
            return Result(number, row, FAILED, reason=self._why(number, row, error))
        self._running.append(_RunningRow(number, row, gathering))
        return None

    def _look(self, running_row: _RunningRow) -> Result | None:
        """What became of the row, once it has ended and was not stopped."""
        run = running_row.gathering.run
        running_row.gathering.poll()
        if not running_row.gathering.over:
            return None
        self._running.remove(running_row)
        self._written += running_row.tokens
        seed = int(run.request.values["seed"])
        if any(one.finish_reason == "stopped" for one in run.candidates):
            return None
        try:
            return self._result(running_row, run, seed)
        except Exception as error:  # noqa: BLE001 - as above
            reason = self._why(running_row.number, running_row.row, error)
            return Result(running_row.number, running_row.row, FAILED, reason=reason, seed=seed)

    def _why(self, number: int, row: Mapping[str, str], error: Exception) -> Text:
        """Why a row failed, by the field that holds what cannot be read, where one does."""
        reason = _why(number, error)
        if not isinstance(error, InvalidRequest) or error.parameter != "prompt":
            return reason
        given = self._plan.fields(row)
        if not isinstance(error, Unreadable):
            labels = {one.name: Text(f"“{one.label.en}”", f"“{one.label.zh}”") for one in self._task.fields}
            found = (_unreadable(name, text, labels.get(name)) for name, text in given.items())
            return next(filter(None, found), reason)
        fields = [one.label for one in self._task.fields if error.token in given.get(one.name, "")]
        if not fields:
            return reason
        en, zh = ", ".join(one.en for one in fields), "、".join(one.zh for one in fields)
        prompt = field_title("prompt")
        said = Text(reason.en.removeprefix(f"{prompt.en}: "), reason.zh.removeprefix(f"{prompt.zh}："))
        return Text(f"{en}: {said.en}", f"{zh}：{said.zh}")

    def _result(self, running_row: _RunningRow, run: Run, seed: int) -> Result:
        """The row's texts; one that failed says why, and hides none of the others."""
        fields = self._task.checked_fields(self._plan.fields(running_row.row), self._plan.language)
        texts = tuple(self._task.finished(text, fields) for text in run.answers)
        card, reason = self._generator.card, failed(run.candidates)
        by = (card.id, card.revision)
        if reason is not None:
            kept = texts if any(texts) else ()
            return Result(running_row.number, running_row.row, FAILED, kept, reason, seed, None, *(by if kept else ()))
        remark = recommend.of_row(self._task, self._plan.language, fields, run.answers)
        return Result(running_row.number, running_row.row, DONE, texts, None, seed, remark, *by)


def failed(candidates: Sequence[Candidate]) -> Text | None:
    """Why some of a row's texts failed, by their numbers where there are several; None where none did."""
    reasons = [(place, one.reason) for place, one in enumerate(candidates, start=1) if one.reason is not None]
    if len(candidates) == 1 or not reasons:
        return reasons[0][1] if reasons else None
    return Text(
        " ".join(f"Text {place}: {one.en}" for place, one in reasons),
        "".join(f"第 {place} 个文本：{one.zh}" for place, one in reasons),
    )


def _why(number: int, error: Exception) -> Text:
    """Why a row failed, for its reader; an unforeseen error goes to the terminal too."""
    if isinstance(error, PlaygroundError):
        return Text(error.say("en"), error.say("zh"))
    log.error("Row %d failed", number, exc_info=error)
    name = type(error).__name__
    return Text(f"The model failed on this row ({name}).", f"模型在此行出错（{name}）。")


def _unreadable(name: str, text: str, label: Text | None) -> Text | None:
    """What is wrong with the text of a field, if that cannot be read."""
    try:
        check_text(name, text, label)
    except InvalidRequest as error:
        return Text(error.say("en"), error.say("zh"))
    return None


def _no_field(task: Task, name: str) -> InvalidRequest:
    shown, listed = name[:_SHOWN], _listed([one.name for one in task.fields])
    return InvalidRequest(
        Text(f"{task.id} has no field {shown!r}.", f"{task.id} 没有名为 {shown!r} 的字段。"),
        Text(f"Its fields are {listed}.", f"它的字段有 {listed}。"),
        parameter=shown,
    )


def _listed(names: Sequence[str]) -> str:
    return ", ".join(name[:_SHOWN] for name in names[:20]) + (" …" if len(names) > 20 else "")


def _plain(name: str) -> str:
    return "".join(letter for letter in name.casefold() if letter.isalnum())
