"""Two prompts written again and again while a model learns, with the same random draws: what it has learned so far.

They are written as Play writes them, on the exact path. Knows no trainer and no file.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from typing import Any

from playground import generate, parameters
from playground.generators.local import LocalGenerator
from playground.models import Loaded
from playground.training.example import Example
from playground.types import PlaygroundError, Request

COUNT = 2
_LENGTH = 48  # tokens
_BEGINNING = 200  # characters of a continued text that it is begun with


@dataclass(frozen=True, slots=True)
class SamplePrompt:
    """A request that is written, how a page shows it, and the text that its data wants."""

    request: Request
    shown: str
    wanted: str


def sample_prompts(examples: Sequence[Example], seed: int) -> list[SamplePrompt]:
    """Of the first examples with prompts of their own; each draws from the same seed at every time."""
    found: dict[str, SamplePrompt] = {}
    for one in examples:
        prompt = _continued(one, seed) if one.continued else _asked(one, seed)
        if prompt is not None and prompt.shown not in found:
            found[prompt.shown] = prompt
        if len(found) == COUNT:
            break
    return list(found.values())


def _asked(one: Example, seed: int) -> SamplePrompt:
    return SamplePrompt(_drawn(one.request, seed), one.request.prompt, one.answer)


def _continued(one: Example, seed: int) -> SamplePrompt | None:
    cut = one.answer.rfind(" ", _BEGINNING // 2, _BEGINNING)
    cut = cut if cut > 0 else min(_BEGINNING, len(one.answer) // 2)
    if not one.answer[:cut].strip():
        return None
    request = replace(one.request, prompt=one.answer[:cut])
    return SamplePrompt(_drawn(request, seed), one.answer[:cut], one.answer[cut : cut + 2 * _BEGINNING])


def _drawn(request: Request, seed: int) -> Request:
    values = parameters.validate(dict(request.values))
    length = min(values["max_new_tokens"], _LENGTH)
    values |= {"seed": seed, "n": 1, "num_beams": 1, "max_new_tokens": length}
    return replace(request, values=values, path="exact", keep="", trace=False)


def written_samples(loaded: Loaded, prompts: Sequence[SamplePrompt], ends: Callable[[], bool]) -> list[str] | None:
    """The texts of these prompts; None where `ends` says that nobody waits for them any more. A prompt that cannot be
    written has the reason in its place."""
    texts = []
    with _as_it_writes(loaded.model):
        generator = LocalGenerator(loaded)
        for prompt in prompts:
            text = ""
            try:
                for run in generate.run(prompt.request, generator):
                    if ends():
                        return None
                    text = run.candidates[0].text
            except PlaygroundError as error:
                text = f"({error.say('en')})"
            texts.append(text)
    return texts


@contextmanager
def _as_it_writes(model: Any) -> Iterator[None]:
    """The model without dropout, with its cache."""
    training, cached = model.training, getattr(model.config, "use_cache", True)
    model.eval()
    model.config.use_cache = True
    try:
        yield
    finally:
        model.config.use_cache = cached
        model.train(training)
