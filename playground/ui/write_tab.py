"""The tab Write: a long text that grows section by section; the events of its one element.

Knows no layout of the other tabs. A draft is its key, which the visitor's browser keeps; who has none sees no draft.
"""

from __future__ import annotations

import asyncio
import base64
import logging
import uuid
from collections.abc import AsyncGenerator, Callable, Mapping
from contextlib import aclosing
from dataclasses import replace
from typing import Any

import gradio as gr

from playground import generate, parameters, visitor
from playground.evaluation import fitness, recommend
from playground.run import Run
from playground.storage import document_export
from playground.storage import draft as drafts
from playground.storage.draft import Count, Draft
from playground.tasks import knob_presets
from playground.types import Generator, InvalidRequest, Language, ModelCard, PlaygroundError, Request, Text
from playground.ui import card_updates, compose_form, written_by
from playground.ui.element import Element, data_of, element
from playground.ui.model_host import ModelHost
from playground.ui.page_texts import UNCOUNTED, UNEXPECTED, bilingual
from playground.ui.request_queue import RequestQueue, StopSwitches
from playground.ui.run_stream import WaitState, stream_run
from playground.ui.shared_store import SharedStore, key_of
from playground.ui.updates import Updates, pieces_only
from playground.ui.write_texts import WRITE_TEXTS

KNOBS = "long-text"  # the knob preset with which sections are written
STOP = ("\n#",)  # where a model would begin the next section by itself
CANDIDATES, LENGTH, CARRIED = 2, 200, 1_500  # what a new draft begins with; the last two in tokens
_SLACK = 16  # tokens: a heading and the gaps around it may join differently than they were counted
_BYTES = 3  # of a token, where its tokens are not known: English has four, Chinese three
_UNCOUNTED = {"tokens": None, "context": None}
_MOST = 1 << 53  # numbers of a browser; SQLite's are not much larger
_GONE = Text("This draft is not kept any more.", "此草稿已不再保留。")
_NEW = Text("Copy what you need and begin a new one.", "请复制需要的内容，然后新建一份。")
_NOTHING = Text("There is nothing to begin with yet.", "还没有可以起头的内容。")
_BEGIN = Text("Write a title, an outline or a heading.", "请写下标题、大纲或小标题。")
_NO_ROOM = Text(
    "None of your text fits into the tokens that are left for it, so the model would have nothing to begin with.",
    "留给前文的词元太少，放不下任何内容，模型无从起头。",
)
_MAKE_ROOM = Text(
    f"Raise “{WRITE_TEXTS['write_room'].en}”, or lower “{WRITE_TEXTS['write_length'].en}”.",
    f"请调高“{WRITE_TEXTS['write_room'].zh}”，或调低“{WRITE_TEXTS['write_length'].zh}”。",
)
_NUMBERS = {"n": "write_candidates", "length": "write_length", "room": "write_room"}  # and the keys of their names
log = logging.getLogger(__name__)
Sent = Mapping[str, Any]


class WriteTab:
    """The element of the tab, and the events it sends."""

    def __init__(self, host: ModelHost, queue: RequestQueue, store: SharedStore) -> None:
        self._host = host
        self._queue = queue
        self._shared = store
        self._switches = StopSwitches()

    def layout(self) -> None:
        limits = self._host.settings.limits
        with gr.Column(elem_id="writing"):
            self.form = element(
                "write",
                {},
                folder="write",
                tab="write",
                heads=dict(drafts.HEAD),
                most={"section": drafts.MOST_CHARACTERS, "gist": drafts.GIST,
                      "candidates": limits.candidates, "length": limits.max_new_tokens},
                usual={"candidates": min(CANDIDATES, limits.candidates),
                       "length": min(LENGTH, limits.max_new_tokens), "room": CARRIED},
                fleeting=self._shared.fleeting,
                draft=None,
                complaint=None,
                file=None,
            )  # fmt: skip

    def wire(self, panel: Element, act: Element, feed: Element, options: Sent, run: Sent, stop: Sent) -> None:
        """`feed` takes the updates while a section is written; `options` are those of an event that brings data of
        its own, `run` of a run, `stop` of its end."""
        self.form.go(self._go, [panel, act], feed, **run)
        self.form.halt(self._halt, None, None, **stop)
        for listen, change in (
            (self.form.opened, self._open),
            (self.form.keep, self._keep),
            (self.form.accept, self._accept),
            (self.form.mend, self._mend),
            (self.form.remove, self._remove),
            (self.form.restore, self._restore),
            (self.form.forget, self._forget),
            (self.form.save, self._save),
        ):
            listen(_complaining(change), None, self.form, **options)

    def stop(self, session: str) -> None:
        """Nobody listens for this session any more: what it has written for itself ends."""
        self._switches.stop(session)

    def _open(self, sent: Sent) -> dict[str, Any]:
        return {"draft": self._draft_value(self._known(sent), sent, opened=True)}

    def _keep(self, sent: Sent) -> dict[str, Any]:
        return {"draft": self._draft_value(self._headed(sent), sent)}

    def _accept(self, sent: Sent) -> dict[str, Any]:
        """The section is on the disk before anybody is shown so; what was prepared for it alone is cleared."""
        section = drafts.checked_section(sent)
        key = self._headed(sent, begins=True)
        self._shared.store.accept_section(key, section)
        head = self._draft(key).head
        self._shared.store.keep_head(key, {**head, "heading": "", "carried": ""})
        return {"draft": self._draft_value(key, sent, accepted=sent.get("card"))}

    def _mend(self, sent: Sent) -> dict[str, Any]:
        key = self._known(sent)
        self._shared.store.edit_section(key, drafts.checked_section(sent, _number(sent)))
        return {"draft": self._draft_value(key, sent)}

    def _remove(self, sent: Sent) -> dict[str, Any]:
        key = self._known(sent)
        self._shared.store.remove_section(key, _number(sent))
        return {"draft": self._draft_value(key, sent)}

    def _restore(self, sent: Sent) -> dict[str, Any]:
        key = self._known(sent)
        self._shared.store.bring_back(key, drafts.checked_section(sent, _number(sent)))
        return {"draft": self._draft_value(key, sent)}

    def _forget(self, sent: Sent) -> dict[str, Any]:
        self._shared.store.drop_draft(key_of(sent))
        return {}

    def _save(self, sent: Sent) -> dict[str, Any]:
        """The document as data that the browser makes a file of: so none of it lies on the server to be fetched."""
        draft, kind = self._draft(self._known(sent)), sent.get("kind")
        if kind not in document_export.KINDS:
            kind = document_export.KINDS[0]
        file = {"name": document_export.file_name(draft, kind), "at": sent.get("at")}
        if kind == "docx":
            return {"file": {**file, "base64": base64.b64encode(document_export.as_docx(draft)).decode("ascii")}}
        text_of = document_export.as_text if kind == "txt" else document_export.as_markdown
        return {"file": {**file, "text": text_of(draft)}}

    def _known(self, sent: Sent) -> str:
        """The key that was sent, where there is a draft of it."""
        key = key_of(sent)
        self._draft(key)
        return key

    def _draft(self, key: str) -> Draft:
        found = self._shared.store.draft(key)
        if found is None:
            raise InvalidRequest(_GONE, _NEW, parameter="draft")
        return found

    def _headed(self, sent: Sent, *, begins: bool = False) -> str:
        """The key of the draft, with those texts of its head that were sent. A new draft begins with its first words,
        or where it `begins` with a section; InvalidRequest where it has neither."""
        given = sent.get("head")
        head = drafts.checked_head(given)
        if not sent.get("key"):
            if not begins and not any(head[name].strip() for name in drafts.HEAD):
                raise InvalidRequest(_NOTHING, _BEGIN, parameter="title")
            return self._shared.store.add_draft(head, visitor.current())
        key = self._known(sent)
        changed = {name: text for name, text in head.items() if isinstance(given, Mapping) and name in given}
        self._shared.store.keep_head(key, {**self._draft(key).head, **changed})
        return key

    def _check_numbers(self, sent: Sent) -> None:
        """Raises InvalidRequest that names the field where a number of the form cannot be used."""
        limits = self._host.settings.limits
        most = {"n": limits.candidates, "length": limits.max_new_tokens}
        for name, key in _NUMBERS.items():
            given, label = sent.get(name, 1), WRITE_TEXTS[key]
            if type(given) is int and 1 <= given <= most.get(name, _MOST):
                continue
            span = f"from 1 to {most[name]:,}" if name in most else "of 1 or more"
            zh = f"1 到 {most[name]:,} 的整数" if name in most else "大于 0 的整数"
            raise InvalidRequest(
                Text(f"{label.en}: a whole number {span}.", f"{label.zh}：请输入{zh}。"), parameter=name
            )

    def _draft_value(self, key: str, sent: Sent, **more: Any) -> dict[str, Any]:
        draft = self._draft(key)
        sections = [
            {
                "number": one.number, "heading": one.heading, "text": one.text, "gist": one.gist,
                "sentence": one.sentence, "model": one.model, "revision": one.revision,
            }
            for one in draft.sections
        ]  # fmt: skip
        value = {"key": key, "head": dict(draft.head), "sections": sections, "carried": self._carried(draft, sent)}
        return {**value, "remark": bilingual(self._remark(draft)), "at": sent.get("at"), **more}

    def _remark(self, draft: Draft) -> Text | None:
        """Said before a section is written, of a model that falls short of such texts."""
        generator = self._host.loaded
        return None if generator is None else recommend.in_general(_language(draft), generator.card)

    def _carried(self, draft: Draft, sent: Sent) -> dict[str, Any]:
        """What the next section would follow, and its share of the window; no figures before a model is loaded."""
        generator, own = self._host.loaded, draft.says("carried")
        if generator is None:
            return {"text": own, **_UNCOUNTED, "own": bool(own), "over": False}
        count = _counting(generator)
        text = own or self._usual(draft, sent, generator, count)
        if not generator.knows_tokens:
            told = {**_UNCOUNTED, "uncounted": bilingual(UNCOUNTED)}
            return {"text": text, **told, "own": bool(own), "over": False}
        used, context = count(drafts.prompt(draft, text)), generator.card.context
        over = used + _length(sent) > context
        return {"text": text, "tokens": used, "context": context, "own": bool(own), "over": over}

    def _usual(self, draft: Draft, sent: Sent, generator: Generator, count: Count) -> str:
        """What is carried where the author has not said so: as much as was asked for and the window holds."""
        heading = count(draft.says("heading")) + _SLACK
        room = generator.card.context - _length(sent) - heading
        return drafts.carry(draft, max(0, min(_whole(sent, "room", CARRIED), room)), count)

    async def _go(
        self, knobs: dict[str, Any], act: Any, event: gr.EventData, request: gr.Request
    ) -> AsyncGenerator[Any, None]:
        """The updates of several candidates for the next section, or of one that is written again or goes on."""
        sent, name, session = data_of(event), uuid.uuid4().hex[:12], request.session_hash or ""
        switch, updates = self._switches.begin(session), Updates()
        base = _text(sent, "text") if sent.get("action") == "continue" else ""
        target = sent.get("target")
        run: Run | None = None
        try:
            self._check_numbers(sent)
            key = await asyncio.to_thread(self._headed, sent)
            yield pieces_only({"write": {"draft": await asyncio.to_thread(self._draft_value, key, sent)}})
            asked = self._asked(key, sent, knobs, act)
            async with aclosing(stream_run(asked, self._host, self._queue, switch)) as states:
                async for state in states:
                    if isinstance(state, WaitState):
                        yield updates.of({"write-news": card_updates.waiting_update(name, state.reason)})
                        continue
                    run = state
                    card = run.card or self._host.generator.card
                    update = card_updates.run_update(name, run, card, written_by.signed(run, {}, ""), target, base)
                    yield updates.of({"write-news": await asyncio.to_thread(self._remarked, update, key, card)})
            if run is None:  # stopped before its turn came
                yield updates.of({"write-news": card_updates.card_update("done", name)})
        except PlaygroundError as error:
            yield updates.of({"write-news": card_updates.refused_update(name, error)})
        except Exception:  # the last edge before the browser: the terminal gets the traceback, the visitor a sentence
            log.exception("A section failed")
            yield updates.of({"write-news": card_updates.refused_update(name, PlaygroundError(UNEXPECTED))})
        finally:
            self._switches.end(session, switch)

    def _remarked(self, update: card_updates.CardUpdate, key: str, card: ModelCard) -> card_updates.CardUpdate:
        """With a remark on each section that ended as a list of words."""
        if update["phase"] != "done":
            return update
        draft, rows = self._draft(key), update["rows"]
        before = draft.sections[-1].text if draft.sections else ""
        remarks = recommend.of_draft([row["text"] for row in rows], before, _language(draft), card)
        found = [row["remark"] if said is None else bilingual(said) for row, said in zip(rows, remarks, strict=True)]
        return {**update, "rows": [{**row, "remark": one} for row, one in zip(rows, found, strict=True)]}

    def _asked(self, key: str, sent: Sent, knobs: Sent, act: Any) -> Callable[[ModelCard], Request]:
        def ask(card: ModelCard) -> Request:
            generator, draft = self._host.with_card(card), self._draft(key)
            carried = draft.says("carried") or self._usual(draft, sent, generator, _counting(generator))
            request = self._section(drafts.prompt(draft, carried), sent, knobs)
            if not (request.prompt or request.prefill):
                typed = any(draft.says(name) for name in drafts.HEAD) or draft.sections
                why, how = (_NO_ROOM, _MAKE_ROOM) if typed else (_NOTHING, _BEGIN)
                raise InvalidRequest(why, how, parameter="room" if typed else "title")
            return compose_form.on_path(request, act, generator)

        return ask

    def _section(self, prompt: str, sent: Sent, knobs: Sent) -> Request:
        alone = sent.get("action") in ("continue", "regenerate")
        own = {name: knobs[name] for name in parameters.by_name() if name in knobs}
        usual = {} if sent.get("knobs") else knob_presets.values(KNOBS)
        asked = {
            "n": 1 if alone else _whole(sent, "n", CANDIDATES),
            "max_new_tokens": _length(sent),
            "stop": list(STOP),
            "seed": _seed(sent),
        }
        values = parameters.validate({**(usual or own), **asked})
        request = Request(prompt, values, of_task=frozenset(usual).difference(asked))
        if sent.get("action") != "continue":
            return request
        return replace(request, prefill=_text(sent, "text"), written=_text(sent, "text"))

    def _halt(self, request: gr.Request) -> None:
        self.stop(request.session_hash or "")


def _complaining(change: Callable[[Sent], dict[str, Any]]) -> Callable[[gr.EventData], Any]:
    """An event's answer as props of the element; what cannot be done is said there too, and nothing typed is lost."""

    def answered(event: gr.EventData) -> Any:
        sent = data_of(event)
        try:
            return gr.update(**change(sent), complaint=None)
        except PlaygroundError as error:
            parameter = error.parameter if isinstance(error, InvalidRequest) else None
            text = Text(error.say("en"), error.say("zh"))
            return gr.update(complaint={"text": bilingual(text), "parameter": parameter, "at": sent.get("at")})

    return answered


def _language(draft: Draft) -> Language:
    return fitness.language_of(drafts.typed(draft)) or draft.language


def _counting(generator: Generator) -> Count:
    """Counts a text's tokens; where an engine does not tell them, about as many as most vocabularies make of it."""
    values = parameters.validate({})
    if not generator.knows_tokens:
        return lambda text: -(-len(text.encode()) // _BYTES)
    return lambda text: len(generator.render(Request(text, values)).token_ids) if text else 0


def _text(sent: Sent, name: str) -> str:
    given = sent.get(name)
    return drafts.readable(given) if isinstance(given, str) else ""


def _whole(sent: Sent, name: str, usual: int) -> int:
    given = sent.get(name)
    return given if type(given) is int and 0 < given < _MOST else usual


def _length(sent: Sent) -> int:
    return _whole(sent, "length", LENGTH)


def _seed(sent: Sent) -> Any:
    """A fresh one unless it is locked; of a locked one, a candidate that is written alone keeps its share."""
    seed, target = sent.get("seed", generate.FRESH_SEED), sent.get("target")
    locked = type(seed) is int and seed >= 0
    return seed + target if locked and type(target) is int and 0 < target < _MOST else seed


def _number(sent: Sent) -> int:
    return _whole(sent, "number", 0)
