"""The named endpoint `/generate`: every parameter of the registry by name; it streams what is new, and ends as `--json`
does.

With a task, its own parameters are the defaults: a value that is the registry's default counts as not given. Without a
mode, a task is a chat where the model knows how to, and a prompt is continued. Knows no element. Gradio's type hints
check nothing, so every value goes through the registry here.
"""

from __future__ import annotations

import asyncio
import difflib
import inspect
import logging
import threading
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import aclosing
from functools import partial
from typing import Any

import gradio as gr

from playground import generate, parameters
from playground.evaluation import recommend
from playground.parameters.token_constraints import check_no_ids
from playground.run import Run
from playground.tasks import loader
from playground.tasks.task import Task
from playground.types import InvalidRequest, Language, ModelCard, PlaygroundError, Request, Text
from playground.ui.blocks import Blocks
from playground.ui.element import decode, encode
from playground.ui.model_host import ModelHost
from playground.ui.page_texts import UNEXPECTED
from playground.ui.request_queue import RequestQueue
from playground.ui.run_stream import WaitState, stream_run
from playground.ui.server_texts import STOPPING
from playground.ui.updates import common

NAME = "generate"
_EVERY = 1 / 8  # seconds between updates: a program reads them, and each takes processor time from the model
log = logging.getLogger(__name__)
_TEXTS = {"prompt": "", "mode": "", "system": "", "prefill": "", "path": "exact"}
# Behind the parameters, so that no argument changes its place.
_LAST: dict[str, Any] = {"turns": [], "task": "", "fields": {}, "language": "en", "special_tokens": False}
_LAST_HINTS = {"turns": list[list[str]], "fields": dict[str, str], "special_tokens": bool}
_HINTS: dict[str, Any] = {
    "float": float,
    "int": int,
    "bool": bool,
    "choice": str,
    "text": str,
    "texts": list[str],
    "ids": list[int],
    "id_lists": list[list[int]],
    "bias": dict[str, float],
    "id_bias": dict[str, float],
    "order": str,
}


def add(blocks: Blocks, host: ModelHost, queue: RequestQueue) -> None:
    """Adds the endpoint to the Blocks that is being built."""
    blocks.defaults[NAME] = list(_defaults().values())
    gr.api(
        endpoint(host, queue),
        api_name=NAME,
        api_description="Continues or answers a text. Updates bring what is new; the last is the complete object.",
        concurrency_limit=None,
    )


def endpoint(host: ModelHost, queue: RequestQueue) -> Callable[..., AsyncIterator[dict[str, Any]]]:
    names = list(_defaults())

    async def generate_text(*given: Any) -> AsyncIterator[dict[str, Any]]:
        values = dict(zip(names, given, strict=True))
        texts = {name: values.pop(name) for name in (*_TEXTS, *_LAST)}
        if isinstance(texts["fields"], str):
            texts["fields"] = decode(texts["fields"] or "{}")
        ask = partial(request_of, texts, values)
        cancelled = threading.Event()

        try:
            await asyncio.to_thread(ask_early, ask)
            task = await asyncio.to_thread(loader.find, texts["task"]) if texts["task"] else None
            deltas, run = RunDeltas(), None
            async with aclosing(stream_run(ask, host, queue, cancelled, every=_EVERY)) as states:
                async for state in states:
                    if isinstance(state, Run):
                        run = state
                        if not run.finished and (update := deltas.of(run)) is not None:
                            yield update
                    else:
                        yield waiting_update(state, int(values["n"]), texts["language"])
            if run is not None and run.card is not None:
                await _add_values_and_remarks(run, run.card, task, texts)
                if host.stopping.is_set():
                    run.remarks = [*run.remarks, (None, STOPPING)]
                yield _object(run)
        except PlaygroundError as error:
            raise gr.Error(error.say("en"), print_exception=False) from None
        except Exception:  # the last edge before the caller: the terminal gets the traceback, the caller a sentence
            log.exception("A run failed")
            raise gr.Error(UNEXPECTED.en, print_exception=False) from None
        finally:
            cancelled.set()

    shape = signature()
    vars(generate_text)["__signature__"] = shape
    generate_text.__annotations__ = {name: parameter.annotation for name, parameter in shape.parameters.items()}
    return generate_text


class RunDeltas:
    """What one call was sent of its run, so that each update holds only what is new."""

    def __init__(self) -> None:
        self._sent: list[tuple[str, list[int]]] = []

    def of(self, run: Run) -> dict[str, Any] | None:
        """For each candidate the text it has more and its token ids; how many characters and ids are taken back before
        (of a candidate that steps back for a banned phrase) is 0 nearly always. None where nothing is new.
        """
        before = self._sent or [("", [])] * len(run.candidates)
        self._sent = [(candidate.text, candidate.token_ids) for candidate in run.candidates]
        grown = [_grown(*old, *new) for old, new in zip(before, self._sent, strict=True)]
        return {"candidates": grown} if any(any(one.values()) for one in grown) else None


def waiting_update(state: WaitState, count: int, language: Language) -> dict[str, Any]:
    """The update of a run that has not begun: nothing of any candidate, and why."""
    return {"candidates": [_grown("", [], "", []) for _ in range(count)], "waiting": state.reason.say(language)}


def _grown(old: str, old_ids: list[int], new: str, new_ids: list[int]) -> dict[str, Any]:
    store, kept_ids = common(old, new), common(old_ids, new_ids)
    return {
        "delta": new[store:],
        "retract": len(old) - store,
        "token_ids": new_ids[kept_ids:],
        "retract_ids": len(old_ids) - kept_ids,
    }


def _object(run: Run) -> dict[str, Any]:
    """What `--json` prints, but `value` as JSON text: Gradio and its clients take some objects for files."""
    value = run.as_json()
    for candidate in value["candidates"]:
        if "value" in candidate:
            candidate["value"] = encode(candidate["value"])
    return value


def request_of(texts: Mapping[str, Any], values: Mapping[str, Any], card: ModelCard | None) -> Request:
    """The Request that a call asks for. While no card is known, it is only checked."""
    check_no_ids(values.get("logit_bias"))
    given = dict(texts)
    task, fields, language = (given.pop(name) for name in ("task", "fields", "language"))
    if not task:
        if fields:
            raise InvalidRequest(Text("fields go with a task.", "fields 要与 task 一起用。"), parameter="fields")
        return generate.build(**{**given, "mode": given["mode"] or "complete", "given": values})
    mode = given.pop("mode") or ("chat" if card is not None and card.has_chat_template else "complete")
    own = {name: value for name, value in values.items() if not _is_default(name, value)}
    return generate.of_task(task, fields, language, mode, own, **given)


def _is_default(name: str, value: Any) -> bool:
    record = parameters.by_name()[name]
    return record.accept(value) == record.default


async def _add_values_and_remarks(run: Run, card: ModelCard, task: Task | None, texts: Mapping[str, Any]) -> None:
    """What the texts of a finished run stand for, and what is to be known of it."""
    if task is not None:
        run.value_of = partial(task.value, fields=texts["fields"])
    run.remarks = await asyncio.to_thread(recommend.remarks, run, card, task, texts["language"], texts["fields"])


def ask_early(ask: Callable[[ModelCard | None], Request]) -> None:
    """What is wrong with the request itself is said at once, even while the model loads."""
    ask(None)


def check_call(endpoint: str, given: Mapping[str, Any]) -> None:
    """Raises InvalidRequest where there is no such endpoint, or where it has no argument of one of these names."""
    if endpoint != NAME:
        raise InvalidRequest(
            Text(f"There is no endpoint {endpoint[:60]!r}.", f"没有名为 {endpoint[:60]!r} 的接口。"),
            Text(f"There is {NAME}.", f"可用的接口是 {NAME}。"),
        )
    known = _defaults()
    for name in given:
        if name not in known:
            near = difflib.get_close_matches(name, known, n=1)
            raise InvalidRequest(
                Text(f"There is no argument {name[:60]!r}.", f"没有名为 {name[:60]!r} 的参数。"),
                Text(f"Did you mean {near[0]}?", f"你是想用 {near[0]} 吗？") if near else None,
                parameter=name[:60],
            )


def _defaults() -> dict[str, Any]:
    """Every argument of the endpoint in its order, with the default as JSON has it."""
    knobs = {p.name: list(p.default) if isinstance(p.default, tuple) else p.default for p in parameters.REGISTRY}
    return {**_TEXTS, **knobs, **_LAST}


def signature() -> inspect.Signature:
    """The endpoint's arguments as Gradio reads them: whatever is not given keeps its default."""
    hints = {p.name: _HINTS[p.kind] for p in parameters.REGISTRY} | _LAST_HINTS
    arguments = [
        inspect.Parameter(
            name,
            inspect.Parameter.POSITIONAL_OR_KEYWORD,
            default=default,
            annotation=hints.get(name, str),
        )
        for name, default in _defaults().items()
    ]
    return inspect.Signature(arguments, return_annotation=dict)
