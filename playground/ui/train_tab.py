"""The tab Train: data and settings become a training, which is followed while it runs; and the trainings before it.

Its owner's alone: every handler asks on the server. A training is a process with a folder of its own, so nothing here
has to stay open for it. Knows no torch.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from functools import cached_property
from importlib.util import find_spec
from typing import Any

import gradio as gr

from playground.batch import guess
from playground.models.model_choice import ModelChoice
from playground.tables.rows import NeedsChoice
from playground.tasks import loader
from playground.training import formats, mapping
from playground.training.trainings import FOLDER, Trainings
from playground.types import InvalidRequest, PlaygroundError, Text
from playground.ui import compose_form
from playground.ui.batch_upload import asked, refusals
from playground.ui.element import data_of, element
from playground.ui.model_host import ModelHost
from playground.ui.owner import Owner
from playground.ui.page_texts import bilingual
from playground.ui.shared_store import SharedStore
from playground.ui.train_data import MOST_LINES, curve_points, plan_data, view_data
from playground.ui.train_files import StagedFile, StagedFiles
from playground.ui.train_form import CheckedForm, bases, checked_form, previewed
from playground.ui.uploads import Uploads

_EXAMPLES = loader.FOLDER / "training"
_SIDES = ("data", "validation")
_MOST_COMPARED = 8  # trainings whose curves are laid over one another
_CELL = 300  # characters of a cell that are shown
_NOTHING = Text("This training has learned nothing yet.", "此训练还没有学到任何内容。")
Sent = Mapping[str, Any]


class TrainTab:
    """The element of the tab and the events it sends."""

    def __init__(self, host: ModelHost, owner: Owner, store: SharedStore) -> None:
        settings = host.settings
        self._host = host
        self._owner = owner
        self._store = store
        self._uploads = Uploads(replace(settings.limits, batch_bytes=formats.MOST.size))
        self._files = StagedFiles(settings.run_folder)
        self._drafts: dict[str, tuple[Any, ...]] = {}  # by id: the forms of trainings that were only measured

    def layout(self) -> None:
        """The column that is shown in place of Play."""
        with gr.Column(elem_id="teach"):
            self.form = element(
                "train",
                None,
                folder="train",
                tab="train",
                most=formats.MOST.size,
                kinds=list(formats.KINDS),
                first_task=compose_form.FIRST_TASK,
                opened=None,
                taken=None,
                file=None,
                guess=None,
                answer=None,
                follow=None,
                curves=None,
            )

    def wire(self, options: Mapping[str, Any]) -> None:
        """`options` are those of an event with data of its own."""
        form = self.form
        form.opened(self._opened, None, form, **options)
        form.piece(self._piece, None, form, **options)
        form.example(self._example, None, form, **options)
        form.known(self._known, None, form, **options)
        form.guess(self._guess, None, form, **options)
        form.check(self._check, None, form, **options)
        form.measure(self._measure, None, form, **options)
        form.begin(self._begin, None, form, **options)
        form.follow(self._follow, None, form, **options)
        form.curves(self._curves, None, form, **options)
        form.resume(self._resume, None, form, **options)
        form.pause(self._pause, None, form, **options)
        form.halt(self._halt, None, form, **options)
        form.remove(self._remove, None, form, **options)
        form.describe(self._describe, None, form, **options)
        form.use(self._use, None, form, **options)

    @cached_property
    def _trainings(self) -> Trainings:
        return Trainings(self._store.folder / FOLDER)

    def left(self, session: str) -> None:
        """The tab was closed: a file that it was sending is given up."""
        self._uploads.drop(session)

    def close(self) -> None:
        """Files of forms that began no training go; trainings stay."""
        self._files.close()

    def _opened(self, event: gr.EventData, request: gr.Request) -> Any:
        """What the tab begins with: the models that can be trained, whether peft is there, and all trainings."""
        if not self._owner.is_owner(request):
            return gr.update(opened={"owner": False})
        return gr.update(opened={"owner": True, "at": data_of(event).get("at"), **self._all()})

    def _all(self) -> dict[str, Any]:
        return {
            "bases": bases(self._host.pool),
            "peft": find_spec("peft") is not None,
            "trainings": [view_data(one) for one in self._trainings.views()],
        }

    def _piece(self, event: gr.EventData, request: gr.Request) -> Any:
        """A piece of a file arrives; with the last one the file is read."""
        self._owner.check(request)
        sent = data_of(event)
        place = {"at": sent.get("at"), "side": _side(sent)}
        try:
            content = self._uploads.add(f"{request.session_hash or ''} {_side(sent)}", sent)
            if content is None:
                return gr.update(taken={**place, "from": sent.get("from")})
            name = sent.get("name")
            staged = self._files.keep(content, name if isinstance(name, str) else "", sent)
        except NeedsChoice as question:
            return gr.update(file={**place, "error": _error(question), "ask": asked(question)})
        except PlaygroundError as error:
            return gr.update(file={**place, "error": _error(error)})
        return gr.update(file={**place, **self._file(staged)})

    def _example(self, event: gr.EventData, request: gr.Request) -> Any:
        """Rows that come with Playground, to see a training with."""
        self._owner.check(request)
        sent = data_of(event)
        place = {"at": sent.get("at"), "side": _SIDES[0]}
        rows = _EXAMPLES / f"slogans.{compose_form.language_of(sent)}.jsonl"
        try:
            return gr.update(file={**place, **self._file(self._files.keep(rows.read_bytes(), rows.name, {}))})
        except PlaygroundError as error:
            return gr.update(file={**place, "error": _error(error)})

    def _known(self, event: gr.EventData, request: gr.Request) -> Any:
        """A file that was sent before the page was loaded anew."""
        self._owner.check(request)
        sent = data_of(event)
        place = {"at": sent.get("at"), "side": _side(sent)}
        try:
            return gr.update(file={**place, **self._file(self._files.find(sent.get("key")))})
        except PlaygroundError as error:
            return gr.update(file={**place, "error": _error(error)})

    def _file(self, staged: StagedFile) -> dict[str, Any]:
        records = staged.records
        first = records.rows[0] if records.rows else {}
        generator = self._host.loaded
        chat = generator is None or generator.card.has_chat_template
        suggested = mapping.suggested(records, "chat" if chat else "complete")
        return {
            "key": staged.key,
            "name": staged.name,
            "size": staged.size,
            "kind": records.kind,
            "rows": len(records.rows),
            "columns": list(records.columns),
            "first": {name: text[:_CELL] for name, text in first.items()} if isinstance(first, Mapping) else {},
            "refused": refusals(records.refused),
            "refused_count": len(records.refused),
            "suggested": None if suggested is None else mapping.as_record(suggested),
        }

    def _guess(self, event: gr.EventData, request: gr.Request) -> Any:
        """The columns that the fields of a task would take by their names."""
        self._owner.check(request)
        sent = data_of(event)
        try:
            columns = self._files.find(sent.get("key")).records.columns
            task = compose_form.task_of({**sent, "kind": "task"})
            found = {} if task is None else guess(task, columns)
        except PlaygroundError as error:
            return gr.update(guess={"at": sent.get("at"), "columns": {}, "error": _error(error)})
        return gr.update(guess={"at": sent.get("at"), "columns": found})

    def _check(self, event: gr.EventData, request: gr.Request) -> Any:
        """The report on the data and its first rows, before anything runs."""

        def look(sent: Sent) -> dict[str, Any]:
            return {"data": previewed(self._form(sent)).as_record()}

        return self._answered(event, request, look)

    def _measure(self, event: gr.EventData, request: gr.Request) -> Any:
        """Memory and time from three real steps, by a training that has not begun."""

        def measure(sent: Sent) -> dict[str, Any]:
            made = self._made(sent)
            self._drafts[made] = self._form(sent).mark
            self._trainings.measure(made)
            return {"id": made, **self._all()}

        return self._answered(event, request, measure)

    def _begin(self, event: gr.EventData, request: gr.Request) -> Any:
        def begin(sent: Sent) -> dict[str, Any]:
            made = self._made(sent)
            self._trainings.start(made)
            return {"id": made, "begun": True, **self._all()}

        return self._answered(event, request, begin)

    def _form(self, sent: Sent) -> CheckedForm:
        return checked_form(sent, self._files, self._host.pool)

    def _made(self, sent: Sent) -> str:
        """The training of this form: the one that was only measured, where it was of the same form, else a new one."""
        form = self._form(sent)
        draft = str(sent.get("draft") or "")
        is_draft = draft in self._drafts and self._is_new(draft)
        if is_draft and self._drafts[draft] == form.mark:
            return draft
        previewed(form)  # what cannot be trained is said here, and no folder is left behind
        files = (form.data.name, form.data.path)
        validation = None if form.validation is None else (form.validation.name, form.validation.path)
        if is_draft:
            self._trainings.delete(draft)
            del self._drafts[draft]
        return self._trainings.create(form.plan, files, validation)

    def _is_new(self, id: str) -> bool:
        try:
            return self._trainings.state(id).phase == "new"
        except InvalidRequest:
            return False

    def _follow(self, event: gr.EventData, request: gr.Request) -> Any:
        """How far a training is, with what its curves and its samples have got since."""
        self._owner.check(request)
        sent = data_of(event)
        told: dict[str, Any] = {"at": sent.get("at"), "id": sent.get("id")}
        try:
            told |= self._progress(str(sent.get("id")), sent)
        except PlaygroundError as error:
            told["gone"] = _error(error)
        return gr.update(follow=told)

    def _progress(self, id: str, sent: Sent) -> dict[str, Any]:
        view = self._trainings.view(id)
        resumed = sent.get("starts") != view.state.starts  # its lines may be fewer than they were
        since = {name: 0 if resumed else _count(sent, name) for name in ("metrics", "samples")}
        learned = self._trainings.learned(id)
        metrics = self._trainings.metrics(id, since["metrics"])
        return {
            "view": view_data(view),
            "plan": plan_data(self._trainings.plan(id)) if resumed else None,
            "estimate": self._trainings.estimate(id),
            "since": since,
            "metrics": metrics[:MOST_LINES],
            "more": len(metrics) > MOST_LINES,
            "samples": self._trainings.samples(id, since["samples"]),
            "learned": learned is not None,
            "folder": None if learned is None else str(learned),
            "log": self._trainings.log(id, 4000) if view.state.phase == "failed" else "",
        }

    def _curves(self, event: gr.EventData, request: gr.Request) -> Any:
        """The curves of several trainings, to be laid over one another."""
        self._owner.check(request)
        sent = data_of(event)
        found: dict[str, Any] = {}
        ids = sent.get("ids")
        for id in [one for one in (ids if isinstance(ids, list) else []) if isinstance(one, str)][:_MOST_COMPARED]:
            try:
                found[id] = curve_points(self._trainings.metrics(id))
            except InvalidRequest:
                continue  # deleted meanwhile
        return gr.update(curves={"at": sent.get("at"), "of": found})

    def _resume(self, event: gr.EventData, request: gr.Request) -> Any:
        return self._done(event, request, self._trainings.resume)

    def _pause(self, event: gr.EventData, request: gr.Request) -> Any:
        return self._done(event, request, self._trainings.pause)

    def _halt(self, event: gr.EventData, request: gr.Request) -> Any:
        return self._done(event, request, self._trainings.stop)

    def _remove(self, event: gr.EventData, request: gr.Request) -> Any:
        return self._done(event, request, self._trainings.delete)

    def _describe(self, event: gr.EventData, request: gr.Request) -> Any:
        """Another name or another note."""

        def describe(sent: Sent) -> dict[str, Any]:
            id = str(sent.get("id"))
            if isinstance(name := sent.get("name"), str):
                self._trainings.rename(id, name)
            if isinstance(note := sent.get("note"), str):
                self._trainings.note(id, note)
            return {"id": id, **self._all()}

        return self._answered(event, request, describe)

    def _use(self, event: gr.EventData, request: gr.Request) -> Any:
        """What was learned becomes the current model: the base with the adapter, or the weights of a full training."""

        def use(sent: Sent) -> dict[str, Any]:
            id = str(sent.get("id"))
            plan, place = self._trainings.plan(id), self._trainings.learned(id)
            if place is None:
                raise InvalidRequest(_NOTHING, parameter="training")
            if plan.settings["method"] == "lora":
                choice = replace(plan.choice, adapter=str(place))
            else:
                choice = ModelChoice(str(place))
            self._host.pool.switch(choice)
            return {"id": id, "used": True}

        return self._answered(event, request, use)

    def _done(self, event: gr.EventData, request: gr.Request, act: Callable[[str], None]) -> Any:
        def do(sent: Sent) -> dict[str, Any]:
            act(str(sent.get("id")))
            return {"id": sent.get("id"), **self._all()}

        return self._answered(event, request, do)

    def _answered(self, event: gr.EventData, request: gr.Request, find: Callable[[Sent], dict[str, Any]]) -> Any:
        """What came of it, or the sentence that says why nothing did, with the field that it belongs to."""
        self._owner.check(request)
        sent = data_of(event)
        place = {"at": sent.get("at")}
        try:
            return gr.update(answer={**place, **find(sent)})
        except PlaygroundError as error:
            field = error.parameter if isinstance(error, InvalidRequest) else "base"
            return gr.update(answer={**place, "error": {"field": field, "text": _error(error)}})


def _side(sent: Sent) -> str:
    side = sent.get("side")
    return side if side in _SIDES else _SIDES[0]


def _count(sent: Sent, name: str) -> int:
    given = sent.get(name)
    return given if type(given) is int and given > 0 else 0


def _error(error: PlaygroundError) -> dict[str, str] | None:
    return bilingual(Text(error.say("en"), error.say("zh")))
