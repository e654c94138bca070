"""Whether a knob acts on an engine: few tokens are drawn with fixed seeds, and each end of it must change them.

Engines answer 200 to fields that they ignore, so that a knob is honoured only where its effect is seen.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from playground import generate, parameters
from playground.types import Generator, Request

AGAIN = "The cat sat on the mat. The cat sat on the"
LISTED = "Name:\nThe red fox\nName:\nThe red"
ROWS = 8
END = {"logit_bias_ids": {"2": 100}}
"""The embedded model's end of text is what it wants most."""
MAT, CAT, BED, NEWLINE = 1171, 2644, 4463, 198
SCHEMAS = ('{"type": "integer"}', '{"type": "boolean"}')
HOT = {"temperature": 2.0}
DRY = {"dry_multiplier": 1.0}
XTC = {"xtc_probability": 1.0}
GREEDY = {"temperature": 0.0}


@dataclass(frozen=True, slots=True)
class Probe:
    """`low` and `high` are compared with the neutral value, each beside the values of `beside`."""

    low: Any
    high: Any
    beside: Mapping[str, Any] = field(default_factory=dict)
    tokens: int = 1
    rows: int = ROWS
    prompt: str = AGAIN

    @property
    def ends(self) -> tuple[Any, Any]:
        return self.low, self.high


def _watermark(low: Any, high: Any, **more: Any) -> Probe:
    return Probe(low, high, {"watermark": True, "watermark_bias": 6.0, **more})


PROBES: Mapping[str, Probe] = {
    "temperature": Probe(0.0, 2.0),
    "dynatemp_high": Probe(0.1, 2.0, {"dynatemp_low": 0.0}),
    "dynatemp_low": Probe(0.0, 1.9, {"dynatemp_high": 2.0}),
    "dynatemp_exponent": Probe(0.1, 5.0, {"dynatemp_high": 2.0, "dynatemp_low": 0.1}),
    "top_k": Probe(1, 200, HOT),
    "top_p": Probe(0.01, 0.6, HOT),
    "min_p": Probe(0.005, 1.0, HOT),
    "top_h": Probe(0.05, 1.0, HOT),
    "typical_p": Probe(0.05, 0.8, HOT),
    "epsilon_cutoff": Probe(1e-5, 1e-2, {"temperature": 3.0}),
    "eta_cutoff": Probe(1e-3, 0.5),
    "top_n_sigma": Probe(0.05, 3.0, HOT),
    "xtc_probability": Probe(0.5, 1.0, {"xtc_threshold": 0.02}),
    "xtc_threshold": Probe(0.02, 0.5, XTC),
    "min_tokens_to_keep": Probe(3, 20, {"top_p": 0.01}),
    "mirostat_tau": Probe(0.1, 10.0),
    "mirostat_eta": Probe(0.0, 1.0, {"mirostat_tau": 3.0}, tokens=12, rows=4),
    "adaptive_target": Probe(0.01, 1.0),
    "adaptive_decay": Probe(0.0, 0.99, {"adaptive_target": 0.3}, tokens=12, rows=4),
    "repetition_penalty": Probe(0.8, 2.0, {"repetition_penalty_scope": "all"}, tokens=8, rows=4),
    "repetition_penalty_range": Probe(2, 5, {"repetition_penalty": 2.0}),
    "presence_penalty": Probe(-2.0, 2.0, tokens=12, rows=4),
    "frequency_penalty": Probe(-2.0, 2.0, tokens=12, rows=4),
    "no_repeat_ngram_size": Probe(1, 5),
    "encoder_repetition_penalty": Probe(0.8, 1.5),
    "encoder_no_repeat_ngram_size": Probe(1, 5),
    "dry_multiplier": Probe(0.5, 5.0),
    "dry_base": Probe(1.0, 4.0, {"dry_multiplier": 0.3}),
    "dry_allowed_length": Probe(1, 20, DRY),
    "dry_range": Probe(2, 5, DRY),
    "dry_breakers": Probe([], ["Name"], DRY, prompt=LISTED),
    "bad_words_ids": Probe([[MAT]], [[MAT], [CAT], [BED]], {"top_k": 3}),
    "logit_bias_ids": Probe({str(MAT): -100}, {str(NEWLINE): 100}),
    "suppress_tokens": Probe([MAT], [MAT, CAT, BED], GREEDY, rows=1),
    "begin_suppress_tokens": Probe([MAT], [MAT, CAT, BED], GREEDY, rows=1),
    "ignore_eos": Probe(True, True, END, tokens=4, rows=2),
    "json_schema": Probe(*SCHEMAS, tokens=3, rows=4),
    "regex": Probe("[0-9]{3}", "[A-Z]+", tokens=3, rows=4),
    "one_of": Probe(["red"], ["blue", "green"], tokens=3, rows=4),
    "grammar": Probe('start: "yes"', 'start: "no" | "perhaps"', tokens=3, rows=4),
    "max_new_tokens": Probe(1, 9, GREEDY, tokens=4, rows=1),
    "min_new_tokens": Probe(1, 4, END, tokens=5, rows=2),
    "stop": Probe([" cat"], [" mat"], GREEDY, tokens=12, rows=1),
    "max_time": Probe(1e-4, 1e-3, tokens=64, rows=1),
    "exponential_decay_factor": Probe(1.1, 5.0, GREEDY, tokens=48, rows=1),
    "exponential_decay_start": Probe(3, 20, {"exponential_decay_factor": 5.0, **GREEDY}, tokens=48, rows=1),
    "guidance_scale": Probe(0.5, 3.0),
    "watermark": _watermark(True, True),
    "watermark_ratio": _watermark(0.05, 0.95),
    "watermark_bias": Probe(0.0, 10.0, {"watermark": True}),
    "watermark_context_width": _watermark(2, 8, watermark_seeding="selfhash"),
    "watermark_seeding": _watermark("selfhash", "selfhash"),
    "n": Probe(2, 8, rows=1),
    "seed": Probe(5, 2**53 - 17),
    "order": Probe("llama.cpp", "top_p,temperature", {"temperature": 2.0, "top_p": 0.5}),
}


Drawn = tuple[tuple[str, int, str | None], ...]


def asked(generator: Generator, probe: Probe, **given: Any) -> Request:
    """A person's request for this probe; what the engine lacks of `beside` is left out."""
    values = {"seed": 1, "n": probe.rows, "max_new_tokens": probe.tokens, **probe.beside, **given}
    if values.get("temperature") == 0:  # several rows would be equal, and are refused
        values["n"] = 1
    return generate.build(probe.prompt, {name: one for name, one in values.items() if name in generator.parameters})


def drawn(generator: Generator, request: Request, rows: int) -> Drawn:
    """Text, number of pieces and end of each row. A greedy text counts for all rows."""
    found: dict[int, tuple[str, int, str | None]] = {}
    for step in generator.stream(request):
        assert step.reason is None, step.reason
        text, count, _ = found.get(step.row, ("", 0, None))
        found[step.row] = (text + step.text, count + 1, step.finish)
    each = tuple(found[row] for row in sorted(found))
    return each * rows if request.values["temperature"] == 0 else each


class Effects:
    """What an engine does with each knob; what neutral values draw is kept."""

    def __init__(self, generator: Generator) -> None:
        self.generator = generator
        self._before: dict[str, Drawn] = {}

    def acts(self, name: str, at: Any) -> bool:
        """Whether this value of a knob changes what is drawn."""
        probe = PROBES[name]
        off = {"max_new_tokens": probe.tokens, "seed": 1}.get(name, parameters.by_name()[name].neutral)
        neutral = asked(self.generator, probe, **{name: off})
        key = f"{probe.prompt}{sorted(neutral.values.items())}"
        if key not in self._before:
            self._before[key] = drawn(self.generator, neutral, probe.rows)
        return self._before[key] != drawn(self.generator, asked(self.generator, probe, **{name: at}), probe.rows)

    def is_steady(self) -> bool:
        """Whether the same request is answered twice in the same way: else any two draws would differ."""
        return all(
            drawn(self.generator, asked(self.generator, one), one.rows)
            == drawn(self.generator, asked(self.generator, one), one.rows)
            for one in (PROBES["temperature"], PROBES["presence_penalty"])
        )
