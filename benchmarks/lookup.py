"""What guessing ahead is worth to one stream: `python -m benchmarks.lookup`.

The fast path with and without prompt lookup, in turns, on prompts whose answer repeats them and on one whose answer
does not. Only the ratio carries to another machine, and only with the share of guesses that were right beside it.
"""

from __future__ import annotations

import statistics
import time
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from playground import generate, models
from playground.generators.local import LocalGenerator
from playground.run import Run
from playground.types import Mode

NAME = "prompt_lookup_num_tokens"
ROUNDS = 5
LENGTH = 96  # tokens a round, at most
OWN: dict[str, Any] = {"temperature": 0.7, "top_p": 0.9, "seed": 7}
GUESSES = 10
_DOCUMENT = (
    "The harbour of Wells was dredged in 1859. The port was then used by 60 ships a year, most of them carrying grain "
    "and coal. In 1880 a railway was built along the quay, and a lifeboat house was opened beside the customs office."
)
PROMPTS: dict[str, tuple[Mode, str]] = {
    "repeat a document": ("chat", f"Repeat this text word for word:\n\n{_DOCUMENT}"),
    "summarise a document": ("chat", f"Summarise this text in two sentences:\n\n{_DOCUMENT}"),
    "write freely": ("chat", "Write a story about a cat and a dog."),
}


@dataclass(frozen=True, slots=True)
class Figure:
    """Tokens a second with and without guesses, one of each a round; `proposed` and `accepted` are of one round."""

    prompt: str
    guessed: tuple[float, ...]
    plain: tuple[float, ...]
    proposed: int
    accepted: int

    @property
    def ratios(self) -> list[float]:
        return [one / other for one, other in zip(self.guessed, self.plain, strict=True)]


def _run(generator: LocalGenerator, prompt: str, guesses: int, length: int) -> Run:
    mode, text = PROMPTS[prompt]
    values = {**OWN, "max_new_tokens": length, NAME: guesses}
    return list(generate.run(generate.build(text, values, mode=mode, path="fast"), generator))[-1]


def _warm(generator: LocalGenerator, prompt: str, length: int, patience: float) -> None:
    """Once each way, and until the steps run compiled, if they ever will."""
    _run(generator, prompt, GUESSES, length)
    _run(generator, prompt, 0, length)
    compiler, until = generator._engine.running._decode_net.compiler, time.monotonic() + patience
    while compiler is not None and not compiler.settled and time.monotonic() < until:
        time.sleep(0.1)


def measure(generator: LocalGenerator, prompt: str, *, rounds: int, length: int, patience: float) -> Figure:
    """Alternating rounds of one prompt, whoever is first changing with the round."""
    _warm(generator, prompt, length, patience)
    speeds: dict[int, list[float]] = {GUESSES: [], 0: []}
    last: dict[int, Run] = {}
    for number in range(rounds):
        for guesses in (GUESSES, 0) if number % 2 else (0, GUESSES):
            last[guesses] = _run(generator, prompt, guesses, length)
            speeds[guesses].append(last[guesses].candidates[0].tokens_per_second or 0.0)
    one = last[GUESSES].candidates[0]
    return Figure(prompt, tuple(speeds[GUESSES]), tuple(speeds[0]), one.proposed, one.accepted)


def figures(
    generator: LocalGenerator, *, rounds: int = ROUNDS, length: int = LENGTH, patience: float = 20.0
) -> list[Figure]:
    return [measure(generator, prompt, rounds=rounds, length=length, patience=patience) for prompt in PROMPTS]


def table(found: Sequence[Figure]) -> str:
    lines = [f"{'prompt':<24}{'guessed':>9}{'plain':>8}{'ratio':>8}{'low':>7}{'high':>7}{'right':>14}"]
    for one in found:
        ratios = one.ratios
        right = f"{one.accepted} of {one.proposed}"
        lines.append(
            f"{one.prompt:<24}{statistics.median(one.guessed):>9.1f}{statistics.median(one.plain):>8.1f}"
            f"{statistics.median(ratios):>7.2f}x{min(ratios):>6.2f}x{max(ratios):>6.2f}x{right:>14}"
        )
    return "\n".join([*lines, f"tokens/s of one stream, at most {GUESSES} guesses a pass; ratio of each round: median"])


if __name__ == "__main__":
    print(table(figures(LocalGenerator(models.load()))))
