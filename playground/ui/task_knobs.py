"""The knobs that go with a task, a kind of text, a preset or what was left there before, as updates for the panel.

Knows no element but the panel; which event asks for what is written in page.py.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import gradio as gr

from playground.tasks import knob_presets
from playground.types import PlaygroundError, Text
from playground.ui import compose_form
from playground.ui.element import data_of
from playground.ui.knobs import panel_update
from playground.ui.next_token_preview import NextTokenPreview
from playground.ui.play import NO_PRESETS, OWN_PRESET, LeftKnobs, Play


class TaskKnobs:
    """What the panel is set to. A next token that is looked at follows the knobs that are set here."""

    def __init__(self, play: Play, preview: NextTokenPreview) -> None:
        self._play, self._preview = play, preview
        self._shipped = [{"id": preset.id, "title": preset.title} for preset in knob_presets.load_all()]

    def presets(self, filled: Mapping[str, Any]) -> list[dict[str, Any]]:
        """The panel's list of presets: the task's own values first."""
        task = compose_form.task_of(filled)
        own = task.title if task else Text("Default", "默认")
        return [{"id": OWN_PRESET, "title": own}, *self._shipped]

    def pick(self, filled: dict[str, Any], knobs: dict[str, Any], act: Any, request: gr.Request) -> Any:
        """The knobs that the form asked for, and which time of asking this answers: a run waits for it."""
        asked = filled.get("asked")
        return *self._task_knobs(filled, knobs, act, request), gr.update(answered=asked if type(asked) is int else 0)

    def _task_knobs(
        self, filled: dict[str, Any], knobs: dict[str, Any], act: Any, request: gr.Request
    ) -> tuple[Any, Any]:
        """Another task or kind: its knobs, with the seed as it was.

        For another language, or a model just loaded, a task may set other knobs too. Then those that a visitor has
        turned stay; they are not even sent back, since a hand may be on them now. A task that cannot be read sets
        nothing; what is wrong with it is said where its prompt would be seen, and by Generate.
        """
        try:
            if left := self._play.left_values(filled):
                return self._own_preset(filled, left.values, act, left), self._next(left.values, request)
            values = {**self._play.task_values(filled), "seed": knobs.get("seed", -1)}
            if filled.get("picked"):  # the page hides what knobs did in a run of another task
                return self._own_preset(filled, values, act), self._next(values, request)
            if values != knobs and self._play.untouched(filled, knobs):
                return self._own_preset(filled, values, act, badges={}), self._next(values, request)
            presets, found = self.presets(filled), self._play.biased_tokens(knobs)
            return panel_update(presets=presets, found=found), gr.skip()
        except PlaygroundError:
            return gr.skip(), gr.skip()

    def _own_preset(
        self, filled: Mapping[str, Any], values: Mapping[str, Any], act: Any, left: LeftKnobs | None = None, **more: Any
    ) -> Any:
        return panel_update(
            values=values,
            inert=self._play.inert_reasons(values, act),
            found=self._play.biased_tokens(values),
            presets=self.presets(filled),
            active_preset=left.preset if left else OWN_PRESET,
            preset_values=left.preset_values if left else values,
            **more,
        )

    def preset(
        self, filled: dict[str, Any], knobs: dict[str, Any], act: Any, event: gr.EventData, request: gr.Request
    ) -> Any:
        """All knobs as the preset that was chosen sets them; Candidates and seed stay with any but the task's own."""
        chosen = str(data_of(event).get("id", ""))
        try:
            values = self._play.preset(chosen, filled)
        except PlaygroundError:  # of a task that cannot be read
            return gr.skip(), gr.skip()
        values = {**values, **{name: knobs[name] for name in NO_PRESETS if chosen != OWN_PRESET}}
        inert = self._play.inert_reasons(values, act)
        found = self._play.biased_tokens(values)
        panel = panel_update(
            values=values, badges={}, inert=inert, found=found, active_preset=chosen, preset_values=values
        )
        return panel, self._next(values, request)

    def turned(self, knobs: dict[str, Any], act: Any) -> Any:
        return panel_update(inert=self._play.inert_reasons(knobs, act), found=self._play.biased_tokens(knobs))

    def _next(self, knobs: Mapping[str, Any], request: gr.Request) -> Any:
        value = self._preview.update(dict(knobs), request.session_hash or "")
        return gr.skip() if value is None else value
