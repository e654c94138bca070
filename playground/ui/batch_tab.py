"""The tab Batch: a file of rows through one task, with what becomes of each row; and the events of its one element.

Knows no layout of the other tabs. A job is its key, which the visitor's browser keeps; who has none sees no job.
"""

from __future__ import annotations

import hashlib
import logging
import threading
from collections.abc import AsyncGenerator, Callable, Iterable, Mapping
from contextlib import aclosing, suppress
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any

import gradio as gr

from playground import parameters, visitor
from playground.batch import Plan, candidates, failed, guess
from playground.evaluation import recommend
from playground.jobs import Jobs, Progress
from playground.run import Run
from playground.storage.database import StoredJob
from playground.tables import rows
from playground.tables.rows import REFUSED, NeedsChoice
from playground.tasks import user_task
from playground.tasks.schema import SchemaError
from playground.tasks.task import Task
from playground.types import InvalidRequest, Language, ModelCard, PlaygroundError, Request, Text
from playground.ui import compose_form, written_by
from playground.ui.batch_upload import AGAIN, asked, refusals, taken
from playground.ui.element import Element, data_of, element, encode
from playground.ui.model_host import ModelHost
from playground.ui.page_texts import UNEXPECTED, bilingual
from playground.ui.request_queue import RequestQueue
from playground.ui.run_stream import WaitState, stream_run
from playground.ui.shared_store import SharedStore, key_of
from playground.ui.updates import Updates
from playground.ui.uploads import Uploads, as_file
from playground.ui.user_tasks import record_of

PAGE = 50  # rows of the table at a time
_GONE = Text("This batch is not kept any more.", "此批量任务已不再保留。")
_NO_ROW = Text("No row of the file can be used.", "文件中没有可用的行。")
_NOT_RUN = Text("This batch has not been run yet.", "此批量任务还没有运行过。")
_RUN = Text("Choose a task and run it.", "请选择任务并运行。")
_TEXTS = Text("Texts per row", "每行生成条数")
_MOST = 1 << 53  # numbers of a browser; SQLite's are not much larger
log = logging.getLogger(__name__)


class BatchTab:
    """The element of the tab, and the events it sends. The path is that of Play, and so are the knobs where wanted."""

    def __init__(self, host: ModelHost, queue: RequestQueue, store: SharedStore) -> None:
        self._host = host
        self._queue = queue
        self._shared = store
        self._opening = threading.Lock()
        self._opened: Jobs | None = None
        self._uploads = Uploads(host.settings.limits)
        host.pool.on_switch(self._wake)

    def layout(self) -> None:
        limits = self._host.settings.limits
        with gr.Column(elem_id="many"):
            self.form = element(
                "batch",
                {},
                folder="batch",
                tab="batch",
                first_task=compose_form.FIRST_TASK,
                most={"rows": limits.batch_rows, "bytes": limits.batch_bytes, "candidates": limits.candidates},
                taken=None,
                job=None,
                about=None,
                status=None,
                file=None,
            )

    def wire(self, panel: Element, act: Element, feed: Element, options: Mapping[str, Any]) -> None:
        """`act` holds the path that was chosen, `feed` takes the updates while a row is tried; `options` are those
        of an event that brings data of its own and waits behind no run."""
        self.form.opened(self._open, None, self.form, **options)
        self.form.piece(self._piece, None, self.form, **options)
        self.form.about(self._about, None, self.form, **options)
        self.form.look(self._look, [panel, act], feed, **options)
        self.form.go(self._go, [panel, act], self.form, **options)
        self.form.follow(self._follow, None, self.form, **options)
        self.form.pause(self._pause, None, None, **options)
        self.form.halt(self._halt, None, None, **options)
        self.form.save(self._save, None, self.form, **options)

    def stop(self, seconds: float) -> None:
        """The server ends: all jobs pause."""
        with self._opening:
            jobs = self._opened
        if jobs is not None:
            jobs.pause_all(seconds)

    def _wake(self) -> None:
        """Batches that waited for their model when the server ended go on once it is loaded; nobody opens the tab."""
        if self._opened is None and self._shared.holds_something:
            with suppress(PlaygroundError):  # the folder cannot be read, which the tab says to who opens it
                self._jobs.resume()

    def left(self, session: str) -> None:
        """The tab was closed: a file that it was sending is given up."""
        self._uploads.drop(session)

    @property
    def _jobs(self) -> Jobs:
        with self._opening:
            if self._opened is None:
                settings = self._host.settings
                self._opened = Jobs(self._shared.store, settings.limits, settings.rows, self._host.pool)
            return self._opened

    def _open(self, event: gr.EventData) -> Any:
        """A key finds its own job again."""
        return self._opened_with(lambda: self._known(data_of(event)), known=False)

    def _piece(self, event: gr.EventData, request: gr.Request) -> Any:
        """A piece of a file arrives; with the last one the file becomes a job, unless something has to be asked."""
        sent = data_of(event)
        try:
            content = self._uploads.add(request.session_hash or "", sent)
        except PlaygroundError as error:
            return gr.update(job={"error": _error(error), "known": True})
        if content is None:
            return gr.update(taken={"at": _whole(sent, "at"), "from": _whole(sent, "from")})

        def found() -> StoredJob:
            with as_file(content, sent.get("name"), self._host.settings.run_folder) as file:
                return self._known({"key": self._taken(file, sent)})

        return self._opened_with(found, known=True)

    def _opened_with(self, find: Callable[[], StoredJob], *, known: bool) -> Any:
        try:
            return gr.update(job=self._job_value(find()), status=None)
        except NeedsChoice as question:
            return gr.update(job={"error": _error(question), "known": True, "ask": asked(question)})
        except PlaygroundError as error:
            return gr.update(job={"error": _error(error), "known": known})

    def _taken(self, file: Path, sent: Mapping[str, Any]) -> str:
        """The key of a new job from a file, which itself is not kept."""
        table = taken(file, sent, self._host.settings.limits)
        return self._jobs.store.add_job(table.columns, table.rows, visitor.current(), table.refused)

    def _job_value(self, job: StoredJob) -> dict[str, Any]:
        store = self._jobs.store
        first, refused = store.first_row(job.key), store.results(job.key, state=REFUSED)
        return {
            "key": job.key,
            "columns": list(job.columns),
            "first": dict(first.input) if first else {},
            "refused": refusals({one.number: one.reason for one in refused}),
            "plan": dict(job.plan),
            "own": _own_record(job.plan),
        }

    def _about(self, event: gr.EventData) -> Any:
        """What there is to say of the chosen task: the columns that its fields would take, and where the model falls
        short of it."""
        sent, generator = data_of(event), self._host.loaded
        place = {"at": _whole(sent, "at")}
        try:
            columns, task = self._known(sent).columns, _task(sent)
        except PlaygroundError as error:
            return gr.update(about={**place, "error": _error(error)})
        own, language = bool(sent.get("own")), compose_form.language_of(sent)
        remark = recommend.beforehand(task, language, generator.card, own=own) if generator else None
        several = {name: found for name, found in candidates(task, columns).items() if len(found) > 1}
        return gr.update(
            about={**place, "guess": guess(task, columns), "several": several, "remark": bilingual(remark)}
        )

    async def _look(self, knobs: Any, act: Any, event: gr.EventData) -> AsyncGenerator[Any, None]:
        """The first row's prompt, then its texts as they grow."""
        sent, cancelled = data_of(event), threading.Event()
        shown: dict[str, Any] = {}
        updates = Updates()
        task: Task | None = None

        def ask(card: ModelCard) -> Request:
            nonlocal task
            generator = self._host.with_card(card)
            job, plan = self._planned(sent, knobs, act)
            task = plan.read_task()
            row = self._jobs.store.first_row(job.key)
            if row is None:
                raise InvalidRequest(_NO_ROW, AGAIN, parameter="file")
            request = replace(plan.request(task, row.number, row.input, generator), watched=True)
            shown["prompt"] = generator.render(request).text
            return request

        try:
            async with aclosing(stream_run(ask, self._host, self._queue, cancelled)) as states:
                async for state in states:
                    if isinstance(state, WaitState):
                        yield updates.of({"batch-preview": {"waits": bilingual(state.reason)}})
                    elif isinstance(state, Run):
                        texts = [_readable(task, text) for text in state.answers]
                        preview = {**shown, "texts": texts, "error": bilingual(failed(state.candidates))}
                        yield updates.of({"batch-preview": preview})
        except PlaygroundError as error:
            yield updates.of({"batch-preview": {"error": _error(error)}})
        except Exception:  # the last edge before the browser: the terminal gets the traceback, the visitor a sentence
            log.exception("The first row failed")
            yield updates.of({"batch-preview": {"error": bilingual(UNEXPECTED)}})
        finally:
            cancelled.set()

    def _go(self, knobs: Any, act: Any, event: gr.EventData) -> Any:
        """Runs all rows, or with `resume` those that wait, or with `retry` those that failed. Results are replaced only
        with `anew`; without it the answer `asks` whether they may be."""
        sent = data_of(event)
        try:
            asks = self._begin(sent, knobs, act)
        except PlaygroundError as error:
            return gr.update(status={**self._status(sent), "error": _error(error)})
        except Exception:  # as above
            log.exception("A batch did not begin")
            return gr.update(status={**self._status(sent), "error": bilingual(UNEXPECTED)})
        return gr.update(status={**self._status(sent), "asks": asks})

    def _begin(self, sent: Mapping[str, Any], knobs: Any, act: Any) -> bool:
        """Whether nothing was begun, since there are results which nobody has given up."""
        generator, store = self._host.generator, self._jobs.store
        if sent.get("resume") or sent.get("retry"):
            job = self._known(sent)
            if not job.plan:
                raise InvalidRequest(_NOT_RUN, _RUN, parameter="task")
            plan = Plan(**job.plan)
            change = partial(store.retry, job.key) if sent.get("retry") else _nothing
        else:
            job, plan = self._planned(sent, knobs, act)
            plan = plan.of_model(generator.card)
            progress = self._jobs.progress(job.key)
            if not sent.get("anew") and (progress.running or progress.counts.ended):
                return True
            self._jobs.stop(job.key)
            change = partial(store.plan, job.key, plan.as_json())
        self._jobs.start(job.key, plan, generator, visitor.current(), change)
        return False

    def _planned(self, sent: Mapping[str, Any], knobs: Any, act: Any) -> tuple[StoredJob, Plan]:
        """The plan that the form asks for, checked as far as no row is needed; all of it is untrusted."""
        job = self._known(sent)
        turned = knobs if sent.get("knobs") and isinstance(knobs, Mapping) else {}
        turned = parameters.current_names(turned)
        own = {name: turned[name] for name in parameters.by_name() if name in turned}
        values = {**own, "n": self._texts_a_row(sent)}
        values.pop("seed", None)
        checked = parameters.validate({**values, "seed": sent.get("seed", -1)})
        plan = Plan(
            task=_task(sent).id,
            language=compose_form.language_of(sent),
            mapping=_texts(sent.get("mapping")),
            fixed=_texts(sent.get("fixed")),
            values={name: checked[name] for name in values},
            seed=checked["seed"],
            path=compose_form.path_of(checked, act, self._host.loaded),
            own=sent.get("own") or "",
        ).seeded()
        plan.check(job.columns, self._jobs.store.counts(job.key).all)
        return job, plan

    def _texts_a_row(self, sent: Mapping[str, Any]) -> int:
        given, most = sent.get("n", 1), self._host.settings.limits.candidates
        if type(given) is int and 1 <= given <= most:
            return given
        raise InvalidRequest(
            Text(f"{_TEXTS.en}: a whole number from 1 to {most}.", f"{_TEXTS.zh}：请输入 1 到 {most} 的整数。"),
            parameter="n",
        )

    def _known(self, sent: Mapping[str, Any]) -> StoredJob:
        """The job whose key was sent; InvalidRequest where there is none."""
        job = self._jobs.store.job(key_of(sent))
        if job is None:
            raise InvalidRequest(_GONE, AGAIN, parameter="file")
        return job

    def _follow(self, event: gr.EventData) -> Any:
        """The job's state, for a script that asks again as long as it runs; little where it has `seen` that already."""
        sent = data_of(event)
        status = self._status(sent)
        if sent.get("seen") == status["seen"]:
            status = {name: status[name] for name in ("key", "first", "number", "seen")} | {"same": True}
        return gr.update(status=status)

    def _status(self, sent: Mapping[str, Any]) -> dict[str, Any]:
        """`number` tells the script which of its askings this answers; `seen` stands for all of the state."""
        key, first = key_of(sent), _whole(sent, "first", 1)
        job = self._jobs.store.job(key)
        language, task = _plan_of(job)
        progress: Progress = self._jobs.progress(key)
        page = self._jobs.store.results(key, first=first, most=PAGE)
        counts = progress.counts
        state = {
            "key": key, "first": first,
            "strayed": bilingual(recommend.of_rows(counts.remarked, language)),
            "waiting": counts.waiting, "done": counts.done, "failed": counts.failed, "all": counts.all,
            "refused": counts.refused,
            "error": bilingual(progress.trouble),
            "planned": job is not None and bool(job.plan), "model": written_by.writer_of(job.plan if job else {}),
            "running": progress.running, "pausing": progress.pausing,
            "speed": progress.tokens_per_second, "left": progress.seconds_left,
            "rows": [
                {"number": one.number, "input": list(one.input.values())[:3], "state": one.state,
                 "texts": [_readable(task, text) for text in one.texts],
                 "reason": bilingual(one.reason), "remark": bilingual(one.remark)}
                for one in page
            ],
        }  # fmt: skip
        seen = hashlib.blake2b(encode(state).encode(errors="replace"), digest_size=8).hexdigest()
        return {**state, "number": _whole(sent, "number"), "seen": seen}

    def _pause(self, event: gr.EventData) -> None:
        self._jobs.pause(key_of(data_of(event)))

    def _halt(self, event: gr.EventData) -> None:
        self._jobs.stop(key_of(data_of(event)))

    def _save(self, event: gr.EventData) -> Any:
        """The results as a text that the browser makes a file of: so none of it lies on the server to be fetched."""
        sent = data_of(event)
        language = compose_form.language_of(sent)
        try:
            job = self._known(sent)
        except PlaygroundError as error:
            return gr.update(job={"error": _error(error), "known": True})
        found = [written_by.of_job(one, job.plan) for one in self._jobs.store.results(job.key)]
        candidates = Plan(**job.plan).candidates if job.plan else 1
        kind = "jsonl" if sent.get("kind") == "jsonl" else "csv"
        write: Mapping[str, Callable[[], Iterable[str]]] = {
            "csv": lambda: rows.as_csv(job.columns, found, candidates, language),
            "jsonl": lambda: rows.as_jsonl(found, language),
        }
        return gr.update(file={"name": f"results.{kind}", "text": "".join(write[kind]()), "at": _whole(sent, "at")})


def _plan_of(job: StoredJob | None) -> tuple[Language, Task | None]:
    """The language and the task of a job that was run; no task where it is not among the presets any more."""
    if job is None or not job.plan:
        return "en", None
    try:
        return compose_form.language_of(job.plan), Plan(**job.plan).read_task()
    except PlaygroundError:
        return compose_form.language_of(job.plan), None


def _readable(task: Task | None, text: str) -> str | dict[str, str]:
    """A JSON object as lines of heading and value in both languages; any other text as it is."""
    pairs = task.output.record(text) if task is not None and task.output.kind == "json" else []
    if not pairs:
        return text
    return {
        "en": "\n".join(f"{name.en}: {value.en}" for name, value in pairs),
        "zh": "\n".join(f"{name.zh}：{value.zh}" for name, value in pairs),
    }


def _nothing() -> None:
    """A job goes on: none of its rows is changed before."""


def _whole(sent: Mapping[str, Any], name: str, usual: int = 0) -> int:
    given = sent.get(name)
    return given if type(given) is int and 0 < given < _MOST else usual


def _task(sent: Mapping[str, Any]) -> Task:
    """The chosen task; a visitor's own comes along as YAML. Raises SchemaError with the line."""
    found = compose_form.task_of({**sent, "kind": "task"})
    assert found is not None  # there is one of this kind, or an error
    return found


def _own_record(plan: Mapping[str, Any]) -> dict[str, Any] | None:
    """The own task that a job was run with, which its browser may have changed or deleted since."""
    try:
        return record_of(user_task.read(plan["own"])) if plan.get("own") else None
    except SchemaError:  # it was read by another version of this program
        return None


def _texts(given: object) -> dict[str, str]:
    """The texts of a mapping by their names; whatever else is in it is left out."""
    found = given.items() if isinstance(given, Mapping) else ()
    return {name: text for name, text in found if isinstance(name, str) and isinstance(text, str) and text.strip()}


def _error(error: PlaygroundError) -> dict[str, str]:
    return {"en": error.say("en"), "zh": error.say("zh")}
