"""The named endpoint `/generate`: every parameter of the registry by name; it streams, and ends as `--json` does.

Knows no element. Gradio's type hints check nothing, so every value goes through the registry here.
"""

from __future__ import annotations

import asyncio
import inspect
import logging
import threading
from collections.abc import AsyncIterator, Callable
from contextlib import aclosing
from typing import Any

import gradio as gr

from playground import generate, parameters
from playground.types import ModelCard, PlaygroundError, Request, Run
from playground.ui.answer import answer
from playground.ui.host import Host
from playground.ui.line import Line
from playground.ui.words import UNEXPECTED

NAME = "generate"
_EVERY = 1 / 8  # seconds between updates: a program reads them, and each takes processor time from the model
log = logging.getLogger(__name__)
_TEXTS = {"prompt": "", "mode": "complete", "system": "", "prefill": "", "path": "exact"}
_LAST: dict[str, Any] = {"turns": []}  # behind the parameters, so that no argument changes its place
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
    "order": str,
}


class Blocks(gr.Blocks):
    """gr.Blocks that speaks the protocol in which an object with the key `path` is no file.

    Our answers have that key, as `--json` has it. With the newest protocol gradio_client takes every such object for a
    file to be fetched; with this one only what is marked as a file. For streams the two are alike.
    """

    def get_config_file(self) -> Any:
        return {**super().get_config_file(), "protocol": "sse_v2.1"}

    def validate_inputs(self, block_fn: Any, inputs: list[Any]) -> None:
        """A plain list of values may end early: what is missing keeps its default. Gradio would answer with null."""
        if block_fn.api_name == NAME:
            inputs.extend(list(_defaults().values())[len(inputs) :])
        super().validate_inputs(block_fn, inputs)


def add(host: Host, line: Line) -> None:
    """Adds the endpoint to the Blocks that is being built."""
    gr.api(
        endpoint(host, line),
        api_name=NAME,
        api_description="Continues or answers a text. Streams the growing result; the last one is complete.",
        concurrency_limit=None,
    )


def endpoint(host: Host, line: Line) -> Callable[..., AsyncIterator[dict[str, Any]]]:
    names = list(_defaults())

    async def generate_text(*given: Any) -> AsyncIterator[dict[str, Any]]:
        values = dict(zip(names, given, strict=True))
        texts = {name: values.pop(name) for name in (*_TEXTS, *_LAST)}
        cancelled = threading.Event()

        def ask(_: ModelCard) -> Request:
            return generate.build(**{**texts, "given": values})

        try:
            await asyncio.to_thread(ask_early, ask)
            async with aclosing(answer(ask, host, line, cancelled, every=_EVERY)) as states:
                async for state in states:
                    if isinstance(state, Run):
                        if state.error is not None:
                            raise PlaygroundError(state.error)
                        yield state.as_json()
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


def ask_early(ask: Callable[[Any], Request]) -> None:
    """What is wrong with the request itself is said at once, even while the model loads."""
    ask(None)


def _defaults() -> dict[str, Any]:
    """Every argument of the endpoint in its order, with the default as JSON has it."""
    knobs = {p.name: list(p.default) if isinstance(p.default, tuple) else p.default for p in parameters.REGISTRY}
    return {**_TEXTS, **knobs, **_LAST}


def signature() -> inspect.Signature:
    """The endpoint's arguments as Gradio reads them: the prompt must be given, the rest may."""
    hints = {p.name: _HINTS[p.kind] for p in parameters.REGISTRY} | {"turns": list[list[str]]}
    arguments = [
        inspect.Parameter(
            name,
            inspect.Parameter.POSITIONAL_OR_KEYWORD,
            default=inspect.Parameter.empty if name == "prompt" else default,
            annotation=hints.get(name, str),
        )
        for name, default in _defaults().items()
    ]
    return inspect.Signature(arguments, return_annotation=dict)
