"""Gradio's Blocks without what this page does not need: files among the values, state of its sessions, waiting without
bounds.

Gradio searches all that comes in and goes out for objects that name files, copies what they name and serves it; and it
keeps each session's last value of every element. Here values go as they are: elements turn them into texts, and
nothing of them stays.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any

from gradio.components.base import _Keywords
from gradio.state_holder import SessionState
from gradio.utils import is_prop_update

from playground.settings import Limits
from playground.types import PlaygroundError, Text
from playground.ui.element import Element, decode, encode
from playground.ui.event_queue import EventQueue
from playground.ui.events import fitting
from playground.ui.gradio_workarounds import PROTOCOL
from playground.ui.handler_errors import TellingBlocks
from playground.ui.sessions import Sessions

_COUNT = Text("{wanted} values are needed here, not {given}.", "此处需要 {wanted} 个值，而不是 {given} 个。")
_SKIPPED: dict[str, Any] = {"__type__": "update"}
_TOLD = ("data", "is_generating", "iterator")  # what clients read of an answer
USUAL = Limits()


def _nobody(_: str) -> None:
    """For a page that keeps nothing for its sessions."""


class Blocks(TellingBlocks):
    """gr.Blocks whose values are sent as they are, and which speaks the protocol in which a path alone is no file.

    Answers of our endpoint have the key `path`, as `--json` has it. With the newest protocol gradio_client takes every
    such object for a file to be fetched; with this one only what is marked as a file. For streams the two are alike.
    """

    def __init__(
        self,
        *,
        limits: Limits = USUAL,
        left: Callable[[str], None] = _nobody,
        unheard: Callable[[str], None] = _nobody,
        **given: Any,
    ) -> None:
        """`left` gets a session that has gone for good, `unheard` one that nobody listens for any more."""
        self.defaults: dict[str, list[Any]] = {}  # by endpoint, of all its arguments
        self.sessions = Sessions(left)
        self._make_queue = partial(EventQueue, limits=limits, sessions=self.sessions, unheard=unheard)
        super().__init__(**given)

    def queue(self, *given: Any, **more: Any) -> Any:
        """With ours in place of Gradio's. What is not read over the queue is not run: nobody would end it."""
        super().queue(*given, **{**more, "api_open": False})
        plain: Any = self._queue
        rules = (plain.live_updates, self.max_threads, plain.update_intervals, plain.max_size)
        self._queue: Any = self._make_queue(*rules, self, plain.default_concurrency_limit)
        return self

    def get_config_file(self) -> Any:
        return {**super().get_config_file(), "protocol": PROTOCOL}

    async def process_api(self, *given: Any, **more: Any) -> dict[str, Any]:
        event = more.get("event_data")
        if event is not None:
            # As a text: Gradio would look in an object for files, and for each on the disk.
            sent = decode(event._data) if isinstance(event._data, str) else event._data
            event._data = encode(self._fitting(given[0] if given else more["block_fn"], sent))
        answer = await super().process_api(*given, **more)
        return {name: answer[name] for name in _TOLD}

    def _fitting(self, block_fn: Any, sent: Any) -> Any:
        """Of what came with an event of one of our elements, what its row of EVENTS lets through."""
        for number, name in block_fn.targets:
            sender = self.blocks.get(number)
            if isinstance(sender, Element) and name in sender.sends:
                return fitting(sent, sender.sends[name])
        return sent

    async def preprocess_data(
        self, block_fn: Any, inputs: list[Any], state: SessionState | None, explicit_call: bool = False
    ) -> list[Any]:
        inputs.extend(self.defaults.get(block_fn.api_name, [])[len(inputs) :])  # a plain list may end early
        if len(inputs) != len(block_fn.inputs):
            raise PlaygroundError(_COUNT.filled(wanted=len(block_fn.inputs), given=len(inputs)))
        return [block.preprocess(value) for block, value in zip(block_fn.inputs, inputs, strict=True)]

    async def postprocess_data(self, block_fn: Any, predictions: Any, state: SessionState | None) -> list[Any]:
        outputs = block_fn.outputs
        given = [predictions] if len(outputs) == 1 else predictions
        self.validate_outputs(block_fn, given)
        return [_sent(block, value) for block, value in zip(outputs, given or (), strict=False)]

    def handle_streaming_diffs(
        self,
        block_fn: Any,
        data: list[Any],
        session_hash: str | None,
        run: str | None,
        final: bool,
        simple_format: bool = False,
    ) -> list[Any]:
        """Updates go out whole, in the form that Gradio has for differences: ours hold nothing twice. The end of an
        event tells a program its last update once more, and the page nothing."""
        if session_hash is None or run is None:
            return data
        runs = self.pending_diff_streams[session_hash]
        first, last = run not in runs, runs.get(run, data)
        if final:
            self._pop_run_diffs(session_hash, run)
            return last
        runs[run] = data if block_fn.api_name in self.defaults else [_SKIPPED] * len(data)
        return data if first or simple_format else [[["replace", [], one]] for one in data]


def _sent(block: Any, value: Any) -> Any:
    """What the browser gets for this output: a value, or an update of some props."""
    if value is _Keywords.FINISHED_ITERATING:
        return dict(_SKIPPED)
    if not is_prop_update(value):
        return block.postprocess(value)
    if not isinstance(block, Element):
        return value
    props = {name: encode(one) for name, one in value.items() if name not in ("__type__", "value")}
    update = dict(_SKIPPED) | ({"props": props} if props else {})
    return update | ({"value": block.postprocess(value["value"])} if "value" in value else {})
