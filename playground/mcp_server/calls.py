"""What each tool does. Every text comes through `playground.generate`, so checks and limits are those of the page.

Knows no wire. Remembers the last runs it wrote, under names that nobody can guess.
"""

from __future__ import annotations

import asyncio
import threading
from collections import OrderedDict
from collections.abc import Awaitable, Callable, Mapping
from contextlib import aclosing
from dataclasses import dataclass, replace
from functools import partial
from typing import Any

from playground import generate, parameters
from playground.evaluation import recommend
from playground.inspection import inspect_api
from playground.inspection_results import Reading, Replayed
from playground.mcp_server import mcp_texts as said
from playground.mcp_server import results
from playground.mcp_server.arguments import Arguments, near
from playground.mcp_server.runner import Ask, Runner
from playground.mcp_server.tools import ALTERNATIVES, MOST_ALTERNATIVES
from playground.parameters.token_constraints import check_no_ids
from playground.run import Run
from playground.tasks import loader
from playground.types import Generator, InvalidRequest, Language, ModelCard, PlaygroundError, Request, Text

RUNS = 64  # last runs that can be asked about
_WORDS = 80  # characters of a text that shows how far it has come
Report = Callable[[float, float | None, str], Awaitable[None]]
"""Tells whoever waits how many tokens there are, of how many at most, and a few words."""
Result = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Call:
    """One call of a tool. Once `cancelled` is set, by anybody, what it began ends."""

    arguments: Arguments
    cancelled: threading.Event
    report: Report


class Calls:
    """The answers of one server, by the names of tools.py; each raises PlaygroundError, one sentence."""

    def __init__(self, runner: Runner) -> None:
        self._runner = runner
        self._runs: OrderedDict[str, Run] = OrderedDict()  # touched by the event loop alone
        self.by_name: Mapping[str, Callable[[Call], Awaitable[Result]]] = {
            "list_tasks": _tasks,
            "describe_parameters": _parameters,
            "write_with_task": self._write,
            "generate": self._generate,
            "what_if": self._what_if,
            "read_probabilities": self._read,
        }

    async def _write(self, call: Call) -> Result:
        given, language = call.arguments, call.arguments.raw("language", "en")
        name, fields = given.needed("task"), given.object("fields")
        values, mode = _values(given), given.raw("mode")
        path = given.raw("path", "exact")

        def ask(card: ModelCard | None) -> Request:
            chat = "chat" if card is not None and card.has_chat_template else "complete"
            return generate.of_task(name, fields, language, mode or chat, values, path)

        run = await self._run(call, ask, given.text("model"))
        task = await asyncio.to_thread(loader.find, name)
        run.value_of = partial(task.value, fields=fields)
        if run.card is not None:
            run.remarks = await asyncio.to_thread(recommend.remarks, run, run.card, task, language, fields)
        return results.of_run(run, given.language)

    async def _generate(self, call: Call) -> Result:
        given = call.arguments
        texts = {name: given.text(name) for name in ("system", "prefill")}
        prompt, turns, values = given.needed("prompt"), _turns(given.texts("turns")), _values(given)
        mode, path = given.raw("mode", "complete"), given.raw("path", "exact")

        def ask(card: ModelCard | None) -> Request:
            return generate.build(prompt, values, turns=turns, mode=mode, path=path, **texts)

        return results.of_run(await self._run(call, ask, given.text("model")), given.language)

    async def _run(self, call: Call, ask: Ask, model: str) -> Run:
        """A whole run of the loaded model of this name, "" for the current one, remembered under the run's name. What
        is wrong with the request itself is said before it waits."""
        await asyncio.to_thread(ask, None)
        name, run = inspect_api.new_run_id(), None

        def named(card: ModelCard | None) -> Request:
            return replace(ask(card), keep=name)

        async with aclosing(self._runner.run(named, call.cancelled, model)) as states:
            async for state in states:
                if isinstance(state, Run):
                    run = state
                    await call.report(*_progress(run))
                else:
                    await call.report(0.0, None, state.say(call.arguments.language))
        if run is None:
            raise PlaygroundError(Text("Stopped.", "已停止。"))
        self._runs[name] = run
        while len(self._runs) > RUNS:
            self._runs.popitem(last=False)
        return run

    async def _what_if(self, call: Call) -> Result:
        given = call.arguments
        run = self._runs.get(given.needed("run"))
        if run is None:
            raise InvalidRequest(said.RUN_GONE, said.WRITE_AGAIN, parameter="run")
        candidate = given.whole("candidate", 0, 0, len(run.candidates) - 1)
        values = parameters.validate({**run.request.values, **_values(given)})
        note, replayed = None, None
        try:
            replayed = await asyncio.to_thread(inspect_api.replay, run.request.keep, candidate, values)
        except PlaygroundError as error:
            if not given.switch("write", True):
                raise
            note = error.message
        written = None
        if given.switch("write", True):
            again = replace(run.request, values=values)
            try:
                other = await self._run(call, lambda card: generate.checked(again), run.model)
                written = results.of_run(other, given.language)
            except InvalidRequest as error:  # its model is not loaded any more; what the kept logits tell stays
                if replayed is None or error.parameter != "model":
                    raise
                note = _joined(note, error.message)
            if replayed is None:
                note = _joined(note, said.COMPARED)
            if run.request.path == "fast":
                note = _joined(note, said.FAST)
        return _told(run, candidate, replayed, written, note, given.language)

    async def _read(self, call: Call) -> Result:
        text, before = call.arguments.needed("text"), call.arguments.text("before")
        most = call.arguments.whole("alternatives", ALTERNATIVES, 0, MOST_ALTERNATIVES)
        limits = self._runner.limits

        def look(generator: Generator, halted: Callable[[], bool]) -> Reading:
            return list(inspect_api.read_on(generator, before, text, limits, halted))[-1]

        found = await self._runner.look(look, call.cancelled, call.arguments.text("model"))
        return results.of_reading(found, most)


def _told(
    run: Run, candidate: int, replayed: Replayed | None, written: Result | None, note: Text | None, language: Language
) -> Result:
    """The answer of what_if. Without a replay the two texts decide whether they are the same."""
    same = None if replayed is None else results.same(replayed)
    if replayed is None and written is not None and candidate < len(written["texts"]):
        same = written["texts"][candidate]["text"] == run.candidates[candidate].text
    if replayed is not None and replayed.ending is not None:
        note = _joined(replayed.ending, note)
    return {
        "same": same,
        "first_difference": None if replayed is None else results.difference(run, candidate, replayed.first),
        "tokens": len(run.candidates[candidate].token_ids),
        "tokens_that_differ": None if replayed is None else len(replayed.differs),
        "note": None if note is None else note.say(language),
        "written": written,
    }


def _joined(*sentences: Text | None) -> Text | None:
    said_of_it = [one for one in sentences if one is not None]
    if not said_of_it:
        return None
    return Text(" ".join(one.en for one in said_of_it), "".join(one.zh for one in said_of_it))


def _values(given: Arguments) -> dict[str, Any]:
    values = given.object("parameters")
    check_no_ids(values.get("logit_bias"))
    return values


def _turns(texts: list[str]) -> tuple[tuple[str, str], ...]:
    """Messages and answers by turns, as they were said."""
    return tuple(("user" if at % 2 == 0 else "assistant", text) for at, text in enumerate(texts))


def _progress(run: Run) -> tuple[float, float | None, str]:
    """Tokens so far, of how many at most, and the end of the first text."""
    count = sum(len(one.token_ids) for one in run.candidates)
    most = run.request.values["max_new_tokens"] * len(run.candidates)
    return float(count), float(most), run.candidates[0].text[-_WORDS:]


async def _tasks(call: Call) -> Result:
    """All tasks in a few words, or all of one."""
    language = call.arguments.language
    if call.arguments.raw("task") is not None:
        task = await asyncio.to_thread(loader.find, call.arguments.text("task"))
        record = _said(task.record(), language)
        record["examples"] = [one for one in record["examples"] if one["language"] == language]
        return {"task": record}
    tasks = await asyncio.to_thread(loader.load_all)
    listed = [_said(task.record(), language) for task in tasks]
    for record in listed:
        record["fields"] = [field["name"] for field in record["fields"]]
    kept = ("id", "title", "description", "output", "fields")
    return {"tasks": [{name: record[name] for name in kept} for record in listed]}


def _said(value: Any, language: Language) -> Any:
    """Plain data in which every pair of languages is one text."""
    if isinstance(value, dict):
        if value.keys() == {"en", "zh"}:
            return value[language]
        return {name: _said(one, language) for name, one in value.items()}
    return [_said(one, language) for one in value] if isinstance(value, list) else value


async def _parameters(call: Call) -> Result:
    """What the registry says of these parameters."""
    known, names = parameters.by_name(), call.arguments.texts("names")
    for name in names:
        if name not in known:
            title = Text(f"There is no parameter {name[:60]!r}.", f"没有名为 {name[:60]!r} 的参数。")
            raise InvalidRequest(title, near(name, known), parameter=name[:60])
    return {
        "parameters": [
            {
                "name": p.name,
                "title": p.label.en,
                "help": p.help.en,
                "formula": p.formula.en,
                "takes": p.range_text().en,
                "neutral": p.neutral,
                "default": p.default,
                "needs": p.needs,
            }
            for p in (known[name] for name in (names or known))
        ]
    }
