"""Texts that the model only reads: any text, the prompt it will see, and whether a text carries the watermark.

Knows no layout. A session is only a name here; what was read stays in its browser alone.
"""

from __future__ import annotations

import logging
import math
import threading
import uuid
from collections.abc import Callable, Iterator, Mapping
from contextlib import suppress
from typing import Any

from playground import parameters
from playground.inspection import inspect_api
from playground.inspection.inspect_api import Detection, Reading
from playground.parameters import Parameter
from playground.types import PlaygroundError, Stopped, Text
from playground.ui import tokens
from playground.ui.model_host import ModelHost
from playground.ui.next_token_preview import checked_request
from playground.ui.page_texts import (
    GREEN,
    P_VALUE,
    READ_PART,
    READ_STARTS,
    READ_STOPPED,
    READ_STOPPED_AT,
    UNEXPECTED,
    Z_SCORE,
    bilingual,
)
from playground.ui.request_queue import ReadPlace, ReadQueue
from playground.ui.run_view import FIGURES
from playground.ui.tokens import Numbers, Value

SHORT = 2_000  # tokens up to which each brings all its alternatives; a long text brings fewer, to reach a browser soon
_ALL, _FEW = 10, 5
_UNUSED = "watermark_bias"  # shapes the text, and is not asked for by the detector
log = logging.getLogger(__name__)
Form = Mapping[str, Any]
Halted = Callable[[], bool]
Update = dict[str, Any]

_SHARES: Mapping[str, tuple[Text, Text]] = {
    "tokens": (Text("tokens", "词元"), Text("Tokens of the text, without the prompt.", "文本的词元数，不含提示词。")),
    "bits": (
        Text("bits a character", "每字符比特"),
        Text(
            "Surprise of the whole text by its characters: comparable between models.",
            "整段文本的意外度除以字符数，可在不同模型间比较。",
        ),
    ),
    "first": (
        Text("first choice", "首选"),
        Text("Share of tokens that were the model's likeliest.", "恰为模型最可能选择的词元所占比例。"),
    ),
    "ten": (
        Text("in the first ten", "前十之内"),
        Text("Share of tokens among the model's ten likeliest.", "位于模型最可能的十个之内的词元所占比例。"),
    ),
}


def either(halted: Halted, ends: threading.Event) -> Halted:
    """Whether nobody waits any more, or the model is to make room for another."""
    return lambda: halted() or ends.is_set()


class Reader:
    """All sessions' readings. Methods may be called from any thread; updates are props of a token view."""

    def __init__(self, host: ModelHost) -> None:
        self._host = host
        self._queue = ReadQueue()

    def read(self, asked: Any, session: str) -> Iterator[Update]:
        """The text in the form, behind its prompt, as it is being read."""
        prompt, text = (_text(asked, name) for name in ("prompt", "text"))
        limits, acts = self._host.settings.limits, _acts(asked)

        def begin(halted: Halted) -> Iterator[Reading]:
            with self._host.in_use() as (generator, ends):
                yield from inspect_api.read_on(generator, prompt, text, limits, either(halted, ends), acts=acts)

        yield from self._updates(begin, session)

    def seen(self, form: Form, knobs: Form, session: str) -> Iterator[Update]:
        """The rendered prompt of what is filled in, as it is being read."""

        def begin(halted: Halted) -> Iterator[Reading]:
            request = checked_request(form, knobs, self._host)
            with self._host.in_use() as (generator, ends):
                limits = self._host.settings.limits
                yield from inspect_api.seen_on(generator, request, limits, either(halted, ends))

        yield from self._updates(begin, session)

    def detect(self, asked: Any, knobs: Form, session: str) -> Value:
        """Whether the text in the form carries the watermark of these knobs."""
        try:
            values = parameters.validate(knobs)
            with self._queue.place(session) as place:
                if place.over:
                    return _wrong(READ_STOPPED)
                limits, text, acts = self._host.settings.limits, _text(asked, "text"), _acts(asked)
                with self._host.in_use() as (generator, ends):
                    halted = either(self._over(place), ends)
                    found = inspect_api.detect_watermark(generator, text, values, limits, halted, acts=acts)
        except Stopped:
            return _wrong(READ_STOPPED)
        except PlaygroundError as error:
            return _wrong(_both(error))
        except Exception:  # the last edge before the browser: the terminal gets the traceback, the visitor a sentence
            log.exception("The watermark detector failed")
            return _wrong(UNEXPECTED)
        return detection_value(found, values)

    def stop(self, session: str) -> None:
        self._queue.stop(session)

    def _over(self, place: ReadPlace) -> Halted:
        """Asks whether nobody waits any more, or the server ends."""
        return lambda: place.over or self._host.stopping.is_set()

    def _updates(self, begin: Callable[[Halted], Iterator[Reading]], session: str) -> Iterator[Update]:
        """What is new with every piece; whatever goes wrong is said where the tokens would stand. What was read before
        is taken away first, so that no text stands below what is said of another."""
        name, found = uuid.uuid4().hex[:12], None
        nothing = {"row": 0, "from": 0, "tokens": [], "done": False}
        yield {"value": {"run": name, "rows": [nothing]}, "status": tokens.status_value(READ_STARTS, stop=True)}
        start = 0  # of what was not sent yet
        try:
            with self._queue.place(session) as place, suppress(Stopped):
                over = self._over(place)
                for found in () if over() else begin(over):
                    if over() or len(found.tokens) == found.length:
                        break
                    yield _piece(name, found, start)
                    start = len(found.tokens)
        except PlaygroundError as error:
            yield {"status": tokens.status_value(_both(error), error=True)}
        except Exception:  # the last edge before the browser: the terminal gets the traceback, the visitor a sentence
            log.exception("A reading failed")
            yield {"status": tokens.status_value(UNEXPECTED, error=True)}
        else:
            yield _end(name, found, start)


def _piece(name: str, found: Reading, start: int) -> Update:
    part = {"row": 0, "from": start, "tokens": _values(found, start), "done": False}
    status = tokens.status_value(READ_PART.filled(**_counts(found)), stop=True)
    return {"value": {"run": name, "rows": [part]}, "status": status}


def _end(name: str, found: Reading | None, start: int) -> Update:
    """The rest of the text, or of what was read before somebody stopped; and its figures."""
    if found is None:
        return {"status": tokens.status_value(READ_STOPPED)}
    stopped = len(found.tokens) < found.length
    status = tokens.status_value(READ_STOPPED_AT.filled(**_counts(found))) if stopped else {}
    part = {"row": 0, "from": start, "tokens": _values(found, start), "done": True}
    part["numbers"] = tokens.numbers_value(figures(found))
    return {"value": {"run": name, "rows": [part]}, "status": status}


def _counts(found: Reading) -> dict[str, str]:
    return {"done": f"{len(found.tokens):,}", "all": f"{found.length:,}"}


def _values(found: Reading, start: int = 0) -> list[Value]:
    return tokens.reading_values(found, _ALL if found.length <= SHORT else _FEW, start)


def figures(found: Reading) -> Numbers:
    """The figures of what was read, without its prompt; those that are not known are left out."""
    own = found.tokens[found.prompt_tokens :]
    ranks = [one.rank for one in own if one.rank is not None]
    surprise = -sum(one.logprob for one in own if one.logprob is not None) / math.log(2)
    characters = sum(len(one.token.text) for one in own if one.logprob is not None and not one.token.special)
    shown: list[tuple[tuple[Text, Text], str | None]] = [
        (_SHARES["tokens"], f"{len(own):,}"),
        (FIGURES["perplexity"], None if found.perplexity is None else f"{found.perplexity:,.1f}"),
        (FIGURES["entropy"], None if found.mean_entropy is None else f"{found.mean_entropy:.2f}"),
        (_SHARES["bits"], f"{surprise / characters:.2f}" if characters else None),
        (_SHARES["first"], f"{sum(rank == 1 for rank in ranks) / len(ranks):.0%}" if ranks else None),
        (_SHARES["ten"], f"{sum(rank <= 10 for rank in ranks) / len(ranks):.0%}" if ranks else None),
    ]
    return [(label, figure, hint) for (label, hint), figure in shown if figure is not None]


def detection_value(found: Detection, values: Mapping[str, Any]) -> Value:
    """A verdict as verdict.js draws it, with the knobs that it was reached with."""
    share = f"{found.green:,} / {found.tokens_scored:,} ({found.green_share:.0%})"
    numbers = [(Z_SCORE, f"{found.z_score:.2f}"), (P_VALUE, f"{found.p_value:.2g}"), (GREEN, share)]
    used = [(p.label, _choice(p, values[p.name])) for p in watermark_knobs()]
    return {
        "sentence": bilingual(found.sentence),
        "found": found.prediction,
        "numbers": [{"label": bilingual(label), "value": figure} for label, figure in numbers],
        "used": [{"label": bilingual(label), "value": figure} for label, figure in used],
        "error": None,
    }


def watermark_knobs() -> list[Parameter]:
    """What the detector must know of a watermark."""
    return [p for p in parameters.REGISTRY if p.stage == "watermark" and p.argument and p.name != _UNUSED]


def _choice(p: Parameter, value: Any) -> dict[str, str] | str | None:
    return bilingual(p.choice_labels[value]) if value in p.choice_labels else str(value)


def _wrong(error: Text) -> Value:
    return {"error": bilingual(error)}


def _both(error: PlaygroundError) -> Text:
    return Text(error.say("en"), error.say("zh"))


def _acts(asked: Any) -> bool:
    """Whether control tokens in the form's texts are to act; they are ordinary text unless that was chosen."""
    return isinstance(asked, Mapping) and asked.get("special_tokens") is True


def _text(asked: Any, name: str) -> str:
    """What stands in a field; anything but a text is nothing."""
    given = asked.get(name) if isinstance(asked, Mapping) else None
    return given if isinstance(given, str) else ""
