"""The tab Model: what is loaded, what would fit, and switching to another model while the page is in use.

What changes something asks on the server whether the owner wants it, whatever the page showed. Knows no torch: the pool
of the server loads and unloads.
"""

from __future__ import annotations

from collections.abc import Callable, Hashable, Mapping
from pathlib import Path
from typing import Any, Literal

import gradio as gr

from playground.models.model_choice import ModelChoice
from playground.types import InvalidRequest, PlaygroundError, Text
from playground.ui.element import Element, data_of, element
from playground.ui.model_data import entry_key, estimate_data, hub_data, pool_data
from playground.ui.model_form import choice_of, field_error, is_hub_id
from playground.ui.model_host import ModelHost, known_adapters, known_models
from playground.ui.owner import Owner

_GONE = Text("This model is not loaded any more.", "此模型已不再加载。")
Sent = Mapping[str, Any]


class ModelTab:
    """The element of the tab and the events it sends; the header shows the same status on every page."""

    def __init__(self, host: ModelHost, owner: Owner, trainings: Callable[[], Path]) -> None:
        """`trainings` is the folder of what this server's owner has trained."""
        self._host = host
        self._trainings = trainings
        self._owner = owner

    def layout(self) -> None:
        """The column that is shown in place of Play."""
        with gr.Column(elem_id="loaded"):
            self.form = element(
                "model",
                None,
                folder="model",
                tab="model",
                models=known_models(() if self._owner.needs_link else self._host.settings.engine),
                public=self._owner.needs_link,
                hub=None,
                adapters=[],
                answer=None,
            )

    def wire(self, header: Element, options: Mapping[str, Any]) -> None:
        """`header` shows what became of an event at once; `options` are those of an event with data of its own."""
        told = [self.form, header]
        self.form.opened(self._opened, None, self.form, **options)
        self.form.estimate(self._estimate, None, self.form, **options)
        self.form.switch(self._load, None, told, **options)
        self.form.use(self._use, None, told, **options)
        self.form.unload(self._unload, None, told, **options)
        self.form.template(self._template, None, self.form, **options)
        self.form.cancel(self._cancel, None, told, **options)
        self.form.halt(self._halt, None, told, **options)

    def status(self, request: gr.Request) -> dict[str, Any]:
        """What the header and this tab show this visitor."""
        owner, told = self._owner.is_owner(request), self._host.status()
        if told["model"] and not owner and not is_hub_id(told["model"]["id"]):
            told["model"]["id"] = told["model"]["title"]  # the name of a folder or a file says where it lies
        return {**told, "owner": owner, "pool": pool_data(self._host.pool, owner=owner)}

    def news(self) -> Hashable:
        """Differs once open pages should ask for their status again. Cheap."""
        state, models = self._host.pool.state(), self._host.pool.models
        current = models.current
        return state.phase, state.choice, current and current.choice, frozenset(one.choice for one in models.all)

    def _opened(self, request: gr.Request) -> Any:
        """The list as it is now: models have come since the server started."""
        if not self._owner.is_owner(request):
            return gr.update(models=known_models(), hub=None, adapters=[])
        learned = known_adapters(self._trainings())
        return gr.update(models=known_models(self._host.settings.engine), hub=hub_data(), adapters=learned)

    def _estimate(self, event: gr.EventData, request: gr.Request) -> Any:
        """What the choice would take; asks the hub where its files are not here, which is why it has a button."""
        self._owner.check(request)
        sent = data_of(event)
        return gr.update(answer=_answered(sent, lambda: self._estimated(choice_of(sent))))

    def _estimated(self, choice: ModelChoice) -> dict[str, Any]:
        return {"estimate": estimate_data(self._host.pool.estimate(choice))}

    def _load(self, event: gr.EventData, request: gr.Request) -> Any:
        sent = data_of(event)
        return self._done(request, sent, lambda: self._switch(choice_of(sent), sent))

    def _use(self, event: gr.EventData, request: gr.Request) -> Any:
        """A model that is loaded takes over new runs, or one that was unloaded is asked for again."""
        sent = data_of(event)
        return self._done(request, sent, lambda: self._switch(self._choice(sent), sent))

    def _unload(self, event: gr.EventData, request: gr.Request) -> Any:
        sent = data_of(event)
        return self._done(request, sent, lambda: self._host.pool.unload(self._choice(sent)))

    def _cancel(self, event: gr.EventData, request: gr.Request) -> Any:
        return self._done(request, data_of(event), self._host.pool.cancel)

    def _halt(self, event: gr.EventData, request: gr.Request) -> Any:
        """The texts that a switch waits for are stopped, and the switch goes on."""
        return self._done(request, data_of(event), self._host.pool.stop_waiting)

    def _template(self, event: gr.EventData, request: gr.Request) -> Any:
        """The chat template in use, to be read or changed."""
        self._owner.check(request)
        generator = self._host.loaded
        found = generator.card.chat_template if generator is not None else None
        return gr.update(answer={"at": data_of(event).get("at"), "template": found or ""})

    def _switch(self, choice: ModelChoice, sent: Sent) -> None:
        running: Literal["wait", "stop"] = "stop" if sent.get("running") == "stop" else "wait"
        self._host.pool.switch(choice, running=running)

    def _choice(self, sent: Sent) -> ModelChoice:
        """With which the named entry was loaded."""
        for entry in self._host.pool.entries():
            if entry_key(entry.choice) == sent.get("key"):
                return entry.choice
        raise InvalidRequest(_GONE)

    def _done(self, request: gr.Request, sent: Sent, act: Callable[[], None]) -> Any:
        """The answer to an event of the owner's, and the status after it."""
        self._owner.check(request)
        return gr.update(answer=_answered(sent, act)), self.status(request)


def _answered(sent: Sent, act: Callable[[], Any]) -> dict[str, Any]:
    """What came of it, or the sentence that says why nothing did; `at` is which time of asking it answers."""
    try:
        found = act() or {}
    except PlaygroundError as error:
        found = {"error": field_error(error)}
    return {"at": sent.get("at"), "error": None, "estimate": None, **found}
