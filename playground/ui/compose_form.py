"""What a visitor filled in, as a Request: a task with its fields, a free prompt, a chat, a turn of a
conversation, or more of a card's text.

Knows the shapes that compose.js, talk.js and cards.js send, and nothing of how they look. All of it is untrusted.
"""

from __future__ import annotations

import functools
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from playground import parameters
from playground.conversation import turns_of
from playground.evaluation import reports
from playground.tasks import knob_presets, loader, user_task
from playground.tasks.task import Task, set_form
from playground.types import (
    LANGUAGES,
    Generator,
    InvalidRequest,
    Language,
    Mode,
    ModelCard,
    Path,
    Refused,
    Request,
    Text,
)
from playground.ui.page_texts import NO_CHAT, OR_AS_IT_STANDS, USE_COMPLETE, bilingual

FIRST_TASK = "slogans"  # what a first visit finds filled in
START = "balanced"  # the knob preset that a free prompt and a chat begin with
_EMPTY = Text("There is nothing to send.", "没有可发送的内容。")


def language_of(form: Mapping[str, Any]) -> Language:
    return "zh" if form.get("language") == "zh" else "en"


def mode_of(form: Mapping[str, Any], card: ModelCard) -> Mode:
    """A task is asked as a chat where the model knows how to chat; the rest as its visitor chose."""
    if form.get("kind") == "task":
        return "chat" if card.has_chat_template else "complete"
    return "chat" if form.get("kind") in ("chat", "talk") else "complete"


@functools.cache
def all_tasks() -> Mapping[str, Task]:
    """Read once: presets do not change while the page runs."""
    return {task.id: task for task in loader.load_all()}


def task_named(name: object) -> Task | None:
    """The task that a request came from, where there is one of that name."""
    return all_tasks().get(name) if isinstance(name, str) else None


def task_of(form: Mapping[str, Any]) -> Task | None:
    """The chosen task. A visitor's own comes along with the form, as YAML: the server keeps none."""
    if form.get("kind") != "task":
        return None
    if form.get("own"):
        return user_task.read(form["own"])
    return task_named(form.get("task")) or loader.find(str(form.get("task")))  # find says what there is instead


def typed(form: Mapping[str, Any]) -> str:
    """The words of a visitor that the model is to answer or to continue, where no task is chosen."""
    talk = form.get("talk")
    said = talk if form.get("kind") == "talk" and isinstance(talk, Mapping) else form
    given = said.get("prompt" if form.get("kind") == "complete" else "message")
    if isinstance(given, str) and given.strip():
        return given
    try:
        turns = turns_of(said.get("turns") or []) if said is talk else ()
    except InvalidRequest:
        return ""
    return next((text for role, text in reversed(turns) if role == "user"), "")


def preset_values(form: Mapping[str, Any], card: ModelCard | None) -> dict[str, Any]:
    """The knobs as the chosen task wants them; a good start for any text where no task is chosen."""
    task = task_of(form)
    if task is None:
        return _start()
    mode = mode_of(form, card) if card else "chat"
    return parameters.validate(task.parameters_for(language_of(form), mode))


def _start() -> dict[str, Any]:
    """All-neutral knobs draw from the whole vocabulary, and a small model then writes nonsense."""
    return parameters.validate(knob_presets.values(START))


def task_values_of_all_forms(form: Mapping[str, Any]) -> list[dict[str, Any]]:
    """The knobs as the chosen task wants them, in each language and mode."""
    task = task_of(form)
    if task is None:
        return [_start()]
    modes: tuple[Mode, ...] = ("chat", "complete")
    return [parameters.validate(task.parameters_for(language, mode)) for language in LANGUAGES for mode in modes]


def first_form() -> dict[str, Any]:
    """A first visit finds a task filled in."""
    known = all_tasks()
    first = FIRST_TASK if FIRST_TASK in known else next(iter(known))
    return {
        "language": "en",
        "kind": "task",
        "task": first,
        "own": "",
        "fields": known[first].defaults("en"),
        "prompt": "",
        "variables": {},
        "fill": True,
        "system": "",
        "message": "",
        "prefill": "",
        "special_tokens": False,
        "drafts": {},
    }


def first_request(card: ModelCard) -> Request:
    """What a first visitor sends who only presses Generate."""
    form = first_form()
    return request_of(form, preset_values(form, card), card)


def request_of(form: Mapping[str, Any], knobs: Mapping[str, Any], card: ModelCard) -> Request:
    """The Request that Generate stands for. Raises InvalidRequest naming the field."""
    values = parameters.validate(knobs)
    task = task_of(form)
    mode = mode_of(form, card)
    if task is not None:
        return task.request(_fields(form), language_of(form), mode, values)
    acts = _acts(form)
    if mode == "complete":
        return Request(_filled(form, "prompt")["prompt"], values, special_tokens=acts)
    if form.get("kind") == "talk":
        return turn_request(form.get("talk"), knobs, card)
    _check_chat(mode, card)
    texts = _filled(form, "system", "message", "prefill")
    return Request(
        texts["message"], values, "chat", system=texts["system"], prefill=texts["prefill"], special_tokens=acts
    )


def turn_request(given: object, knobs: Mapping[str, Any], card: ModelCard) -> Request:
    """One answer in a conversation, as talk.js sends it: a turn has one answer at a time, and may be answered anew."""
    sent = given if isinstance(given, Mapping) else {}
    values = {**parameters.validate(knobs), "n": 1}
    _check_chat("chat", card)
    request = Request(
        _text(sent, "message"),
        {**values, "seed": -1} if sent.get("again") is True else values,
        "chat",
        system=_text(sent, "system"),
        prefill=_text(sent, "prefill"),
        turns=turns_of(sent.get("turns") or []),
    )
    return replace(request, written=request.prefill) if sent.get("goes_on") is True else request


def path_of(values: Mapping[str, Any], act: object, generator: Generator | None) -> Path:
    """The path that act.js names, where the model has it and these values can take it."""
    wanted = isinstance(act, Mapping) and act.get("path") == "fast"
    offered = generator is None or "fast" in generator.paths
    return "fast" if wanted and offered and values["num_beams"] == 1 else "exact"


def on_path(request: Request, act: object, generator: Generator) -> Request:
    """The request on the path that was chosen. Raises InvalidRequest where a chat says nothing."""
    if request.mode == "chat" and not (str(request.prompt).strip() or str(request.prefill).strip()):
        raise InvalidRequest(
            Text("The message is empty.", "消息为空。"),
            Text("Write something for the model to answer.", "请写一些内容让模型回答。"),
            parameter="message",
        )
    return replace(request, path=path_of(request.values, act, generator))


def rerun_request(sent: Mapping[str, Any], knobs: Mapping[str, Any], card: ModelCard) -> Request:
    """A card's request once more: with a fresh seed, or going on behind the text that the card shows.

    Raises InvalidRequest where there is no such card any more, or its words are not allowed.
    """
    before = sent.get("request")
    if not isinstance(before, Mapping):
        raise InvalidRequest(_EMPTY)
    values = {**parameters.validate(knobs), "n": 1}
    mode: Mode = "chat" if before.get("mode") == "chat" else "complete"
    _check_chat(mode, card)
    request = Request(
        _text(before, "prompt"),
        values,
        mode,
        system=_text(before, "system"),
        prefill=_text(before, "prefill"),
        task=_text(before, "task") or None,
        turns=turns_of(before.get("turns") or []),
        special_tokens=_acts(before),
    )
    request = in_task_form(request, before)
    if sent.get("action") == "continue":
        text = _text(sent, "text")
        return replace(request, prefill=request.prefill + text, written=text)
    return replace(request, values={**request.values, "seed": -1})


def in_task_form(request: Request, asked: Mapping[str, Any]) -> Request:
    """The request in the form of the task that these words were asked for."""
    values = with_task_form(dict(request.values), asked)
    return replace(request, values=values, of_task=set_form(request.values, values))


def with_task_form(values: dict[str, Any], asked: Mapping[str, Any]) -> dict[str, Any]:
    """The knobs with the form of the task that these words were asked for, which no knob shows."""
    task = task_asked(asked)
    if task is None:
        return values
    given = _fields(asked)
    texts = {field.name: str(given.get(field.name) or "") for field in task.fields}
    return task.held(values, texts)


def task_asked(asked: Mapping[str, Any]) -> Task | None:
    """The task that a request came from, by what was remembered of it."""
    return user_task.read(asked["own"]) if asked.get("own") else task_named(asked.get("task"))


def task_part(form: Mapping[str, Any]) -> dict[str, Any]:
    """What is to be remembered of a task beside its words: the fields, the language, and the YAML of one's own."""
    if form.get("kind") != "task":
        return {"fields": {}, "own": "", "language": language_of(form)}
    return {"fields": dict(_fields(form)), "own": form.get("own") or "", "language": language_of(form)}


def card_request(request: Request, part: Mapping[str, Any]) -> dict[str, Any]:
    """What a card needs to be asked again: the words of the request, not its knobs, and the part of its task."""
    return {
        "prompt": request.prompt,
        "mode": request.mode,
        "system": request.system,
        "prefill": request.prefill,
        "task": request.task,
        "special_tokens": request.special_tokens,
        **part,
        "turns": [list(turn) for turn in request.turns],
    }


def task_records() -> list[dict[str, Any]]:
    """The tasks as compose.js draws them, each with what was measured of it."""
    return [task_record(task) | {"measured": _measured(task)} for task in all_tasks().values()]


def task_record(task: Task) -> dict[str, Any]:
    return {
        "id": task.id,
        "group": bilingual(loader.GROUPS[task.group]),
        "title": bilingual(task.title),
        "description": bilingual(task.description),
        "fields": [
            {
                "name": field.name,
                "type": field.type,
                "label": bilingual(field.label),
                "default": bilingual(field.default),
                "placeholder": bilingual(field.placeholder),
                "required": field.required,
                "max_length": field.max_length,
                "choices": {name: list(words) for name, words in field.choices.items()} if field.choices else None,
            }
            for field in task.fields
        ],
        "measured": [],
    }


def _measured(task: Task) -> list[dict[str, Any]]:
    return [
        {
            "model": report.model,
            "title": report.title,
            "language": report.language,
            "texts": report.metrics.texts,
            "form": report.metrics.form,
            "loops": report.metrics.loops,
            "read": report.review.read if report.review else 0,
            "kept": report.review.kept if report.review else 0,
            "rule": report.review.rule if report.review else "",
        }
        for report in reports.load(task.id)
    ]


def _acts(form: Mapping[str, Any]) -> bool:
    """Whether control tokens that were typed are to act."""
    return form.get("special_tokens") is True


def _check_chat(mode: Mode, card: ModelCard) -> None:
    if mode == "chat" and not card.has_chat_template:
        raise Refused(NO_CHAT, USE_COMPLETE, parameter="mode")


def _fields(form: Mapping[str, Any]) -> Mapping[str, Any]:
    fields = form.get("fields")
    return fields if isinstance(fields, Mapping) else {}


def _filled(form: Mapping[str, Any], *names: str) -> dict[str, Any]:
    """The texts of these names with their variables filled in, or as they stand; what is no text goes on as it is."""
    given = {name: _text(form, name) for name in names}
    if form.get("fill") is False:
        return given
    texts = {name: text for name, text in given.items() if isinstance(text, str)}
    values = form.get("variables")
    try:
        filled = user_task.filled(texts, values if isinstance(values, Mapping) else {}, language_of(form))
    except InvalidRequest as error:
        raise InvalidRequest(error.message, OR_AS_IT_STANDS, parameter=error.parameter) from None
    return given | filled


def _text(form: Mapping[str, Any], name: str) -> str:
    """A text as it came; anything else goes on as it is, to be refused by name where requests are checked."""
    value = form.get(name)
    return "" if value is None else value
