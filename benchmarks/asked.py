"""What the sessions of a benchmark ask for: sixteen beginnings and sixteen settings, all different.

A round asks under its own number, so that no prompt was read before. Knows no page.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from playground import parameters
from playground.types import Path, Request

WARM = 900  # the round of what is not counted
ONE: dict[str, Any] = {"temperature": 0.8, "top_p": 0.9, "repetition_penalty": 1.1}
BEGINNINGS = (
    "The old lighthouse keeper climbed the stairs",
    "In the spring of that year the river rose and",
    "A good recipe for bread begins with",
    "Dear Ada, thank you for your letter about",
    "The first thing a sailor learns is",
    "Once there was a village at the foot of a mountain where",
    "Scientists have long wondered why birds",
    "The train to the coast leaves at noon, and",
    "Nobody in the office had ever seen",
    "To plant a tree you need",
    "My grandmother used to say that",
    "The museum opened its doors to",
    "Between the two houses stood",
    "On the last day of the expedition we found",
    "The city council has decided that",
    "There are three reasons to learn a language:",
)
SETTINGS: tuple[dict[str, Any], ...] = (
    ONE,
    {"temperature": 0.7, "top_p": 0.8},
    {"temperature": 1.0, "top_p": 0.95},
    {"temperature": 1.2, "top_p": 0.9, "repetition_penalty": 1.2},
    {"temperature": 0.9, "min_p": 0.05},
    {"temperature": 1.3, "min_p": 0.1},
    {"temperature": 0.6, "top_k": 20},
    {"temperature": 1.0, "top_k": 100, "top_p": 0.9},
    {"temperature": 0.8, "typical_p": 0.9},
    {"temperature": 0.5, "repetition_penalty": 1.3},
    {"temperature": 1.1, "top_p": 0.7},
    {"temperature": 0.9, "top_k": 40, "repetition_penalty": 1.15},
    {"temperature": 0.75, "top_p": 0.85, "min_p": 0.02},
    {"temperature": 1.4, "top_p": 0.6},
    {"temperature": 0.65, "top_p": 0.99},
    {"temperature": 1.0, "top_p": 0.92, "repetition_penalty": 1.05},
)


def arguments(number: int, tokens: int, round_number: int = 0, **values: Any) -> dict[str, Any]:
    """What session `number` asks for in this round, as the API takes it."""
    place = number % len(SETTINGS)
    own = values or SETTINGS[place]
    prompt = f"{round_number + 1}.{number + 1}. {BEGINNINGS[place]}"
    seed = 1000 * round_number + number
    return {"prompt": prompt, "seed": seed, "max_new_tokens": tokens, "ignore_eos": True, **own}


def request(given: Mapping[str, Any], path: Path = "fast") -> Request:
    """The same for a generator."""
    values = {name: value for name, value in given.items() if name != "prompt"}
    return Request(prompt=given["prompt"], values=parameters.validate(values), path=path)
