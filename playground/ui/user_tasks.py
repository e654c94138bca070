"""A visitor's own tasks: written from a prompt or a chat, read from YAML. The browser keeps them; here they pass by.

Knows no layout. Every answer becomes `answer` of the element: a task, a prompt to begin with, or an error.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import gradio as gr

from playground.tasks import user_task
from playground.tasks.schema import SchemaError
from playground.tasks.task import Prompts, Task
from playground.types import PlaygroundError
from playground.ui import compose_form
from playground.ui.element import Element, data_of, element
from playground.ui.page_texts import WORDS, bilingual

_CHAT = ("system", "message", "prefill")  # the texts of a chat
_SHOWN = 80  # characters of a file's name


class UserTasks:
    """The element under the composer, and its events."""

    def layout(self) -> None:
        self.element = element("user_tasks", None, folder="compose", answer=None)

    def wire(self, compose: Element, panel: Element, options: Mapping[str, Any]) -> None:
        """`options` are those of an event that brings data of its own and waits behind no run."""
        self.element.keep(self._keep, [compose, panel], self.element, **options)
        self.element.check(self._check, None, self.element, **options)
        self.element.start(self._start, compose, self.element, **options)

    def _keep(self, filled: dict[str, Any], knobs: dict[str, Any], event: gr.EventData) -> Any:
        """The free prompt or the chat with its knobs, as a task."""
        return _answer(event, lambda sent: _task(_written(filled, knobs, sent.get("title")), user_task.FILE))

    def _check(self, event: gr.EventData) -> Any:
        """YAML from a file, or typed by hand, as a task."""
        return _answer(event, lambda sent: _task(sent.get("yaml"), str(sent.get("file") or user_task.FILE)[:_SHOWN]))

    def _start(self, filled: dict[str, Any], event: gr.EventData) -> Any:
        """The chosen task as a prompt to be edited, with what its fields hold."""
        return _answer(event, lambda _: _prompt(filled))


def _answer(event: gr.EventData, answer: Callable[[Mapping[str, Any]], dict[str, Any]]) -> Any:
    """What a script asked for, with the `at` and the `key` by which it knows its question again."""
    sent = data_of(event)
    question = {"at": sent.get("at"), "key": sent.get("key")}
    try:
        return gr.update(answer=question | answer(sent))
    except PlaygroundError as error:
        line = error.line if isinstance(error, SchemaError) else None
        return gr.update(answer=question | {"error": {"en": error.say("en"), "zh": error.say("zh")}, "line": line})


def _written(filled: Mapping[str, Any], knobs: Mapping[str, Any], title: object) -> str:
    values = filled.get("variables")
    given = values if isinstance(values, Mapping) else {}
    return user_task.write(title, _typed(filled), given, knobs, compose_form.language_of(filled))


def _typed(filled: Mapping[str, Any]) -> Prompts:
    text = {name: filled[name] if isinstance(filled.get(name), str) else "" for name in ("prompt", *_CHAT)}
    if filled.get("kind") == "chat":
        return user_task.chat(text["system"], text["message"], text["prefill"])
    return user_task.free(text["prompt"])


def _task(yaml: object, file: str) -> dict[str, Any]:
    """The YAML and what compose.js draws of it; `as_prompt` is the kind of prompt that can show all of it."""
    task = user_task.read(yaml, file)
    return {"yaml": yaml, "record": record_of(task) | {"as_prompt": user_task.kind_of(task)}}


def record_of(task: Task) -> dict[str, Any]:
    """A visitor's own task as the page draws it, among all others that are theirs."""
    return compose_form.task_record(task) | {"group": bilingual(WORDS["user_tasks"])}


def _prompt(filled: Mapping[str, Any]) -> dict[str, Any]:
    """What compose.js is to show: a chat where the task is one, else a free prompt."""
    task = compose_form.task_of(filled)
    if task is None:
        return {}
    language = compose_form.language_of(filled)
    parts = task.prompts[language]
    fields = filled.get("fields")
    values = fields if isinstance(fields, Mapping) else {}
    if not filled.get("own"):
        prompt, variables = user_task.in_words(parts.complete, values, task, language)
        return {"typed": {"kind": "complete", "prompt": prompt, "variables": variables}}
    if user_task.kind_of(task) == "chat":
        typed = {"kind": "chat", "system": parts.system, "message": parts.user, "prefill": parts.prefill}
    else:
        typed = {"kind": "complete", "prompt": parts.complete}
    return {"typed": typed | {"variables": values}}
