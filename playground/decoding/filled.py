"""A stage's formula with the numbers of one position filled in: sums that can be checked by hand.

The numbers are measured on the scores that entered the stage and on those that left it; what a parameter is set to is
quoted. A stage that moves scores is shown on one token, the likeliest of those that it moved.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor

from playground.decoding.margins import Passage, number
from playground.decoding.samplers import COLDEST
from playground.decoding.wrapped import COLDEST as COLDEST_PLAIN
from playground.types import Text

NAMED = 3  # tokens that are named before the rest is only counted


@dataclass(frozen=True, slots=True)
class Sum:
    """What a formula may be filled from: the passage, the sampler itself as it stood, how many tokens were written
    before, and how to name a token."""

    at: Passage
    sampler: Any
    written: int
    name: Callable[[int], str]

    def set(self, parameter: str) -> Any:
        return self.at.settings[parameter]

    @property
    def moved(self) -> Tensor:
        """Which tokens [vocab] have another score that is finite still."""
        at = self.at
        return (at.left != at.entered) & torch.isfinite(at.left) & torch.isfinite(at.entered)

    @property
    def example(self) -> int | None:
        """The likeliest of them."""
        moved = self.moved
        return int(self.at.likely.masked_fill(~moved, -torch.inf).argmax()) if bool(moved.any()) else None

    def shown(self, token: int, terms: str) -> Text:
        """“token”: its sum = its score behind the stage."""
        words = f"“{self.name(token)}”: {terms} = {score(self.at.left[token])}"
        return Text(words, words.replace("”: ", "”："))


def filled(one: Sum) -> Text | None:
    """None where the stage moved and removed nothing that a formula could show."""
    maker = _FILLED.get(one.at.stage)
    return maker(one) if maker is not None and one.at.count else None


def score(value: Any) -> str:
    """A score, with as many digits as can be reckoned with; negative ones in brackets when they follow a sign."""
    value = float(value)
    return (f"{value:.3f}" if abs(value) < 100 else f"{value:.5g}").replace("-", "−")


def _in(value: Any) -> str:
    """The same inside a sum."""
    text = score(value)
    return f"({text})" if text.startswith("−") else text


def _same(words: str) -> Text:
    return Text(words, words)


def _spread(one: Sum) -> int:
    """The token whose score is farthest from zero among the ten likeliest: a quotient is read off best there."""
    near = one.at.likely.topk(min(10, one.at.likely.shape[0])).indices.tolist()
    alive = [token for token in near if torch.isfinite(one.at.left[token])]
    return max(alive, key=lambda token: abs(float(one.at.entered[token])))


def _temperature(one: Sum) -> Text:
    token = _spread(one)
    return one.shown(token, f"{score(one.at.entered[token])} / {max(one.set('temperature'), COLDEST_PLAIN):g}")


def _dynamic(one: Sum) -> Text | None:
    alive = int(torch.isfinite(one.at.entered).sum())
    if alive < 2:
        return Text("a single candidate: nothing to divide", "只有一个候选：无需相除")
    high, low, power = (one.set(name) for name in ("dynatemp_high", "dynatemp_low", "dynatemp_exponent"))
    share = min(one.at.entropy / math.log(alive), 1.0)
    heat = low + (high - low) * share**power
    told = f"T = {low:g} + ({high:g} − {low:g}) · ({score(one.at.entropy)} / ln {alive})^{power:g} = {score(heat)}"
    if heat < COLDEST:
        told += f" → {COLDEST:g}"
    token = _spread(one)
    return _same(f"{told}; {score(one.at.entered[token])} / T = {score(one.at.left[token])}")


def _smoothing(one: Sum) -> Text | None:
    best = float(one.at.entered[torch.isfinite(one.at.entered)].max())
    token, factor, curve = one.example, one.set("smoothing_factor"), one.set("smoothing_curve")
    if token is None:
        return None
    below = score(float(one.at.entered[token]) - best)
    k, s = (3 - curve) / 2, (curve - 1) / 2
    square = f"{score(best)} − {_brief(k)} · {factor:g} · ({below})^2"
    return one.shown(token, square + (f" + {_brief(s)} · {factor:g} · ({below})^3" if s else ""))


def _brief(value: float) -> str:
    return f"(−{-value:g})" if value < 0 else f"{value:g}"


def _edge(one: Sum) -> tuple[int, float, float | None]:
    """How many are kept, the least likely of them, and the likeliest of the others that entered."""
    at = one.at
    out = ~at.kept & torch.isfinite(at.entered)
    rest = math.exp(float(at.likely[out].max())) if bool(out.any()) else None
    return at.count, at.least, rest


def _cut(one: Sum, limit: str, value: float) -> Text:
    """p ≥ limit, and the probabilities on either side of it."""
    _, least, rest = _edge(one)
    told = f"{limit}: {number(least)} {'≥' if least >= value * (1 - 1e-5) else '<'} {number(value)}"
    return _same(told if rest is None or rest >= value else f"{told} > {number(rest)}")


def _top_k(one: Sum) -> Text:
    k, entered = one.sampler.top_k, int(torch.isfinite(one.at.entered).sum())
    if entered <= k:
        return Text(f"only {entered} candidates: all among the {k} best", f"只有 {entered} 个候选，都在前 {k} 名之内")
    last = float(one.at.entered[one.at.kept].min())
    return Text(
        f"score number {k} is {score(last)}: keep z ≥ {score(last)}",
        f"第 {k} 高的分数为 {score(last)}：保留 z ≥ {score(last)}",
    )


def _top_p(one: Sum) -> Text:
    p, (count, least, _) = one.set("top_p"), _edge(one)
    mass = float(one.at.likely[one.at.kept].exp().sum())
    sign = "≥" if mass >= p - 1e-6 else "<"
    return Text(
        f"Σ p of the {count} kept = {mass:.4f} {sign} {p:g}; without the last one {mass - least:.4f}",
        f"所保留 {count} 个的 Σ p = {mass:.4f} {sign} {p:g}；不含最后一个为 {mass - least:.4f}",
    )


def _min_p(one: Sum) -> Text:
    share, best = one.set("min_p"), one.at.best
    return _cut(one, f"{share:g} · {number(best)} = {number(share * best)}", share * best)


def _top_a(one: Sum) -> Text:
    share, best = one.set("top_a"), one.at.best
    return _cut(one, f"{share:g} · {number(best)}^2 = {number(share * best**2)}", share * best**2)


def _epsilon(one: Sum) -> Text:
    limit = one.set("epsilon_cutoff")
    return _cut(one, f"ε = {limit:g}", limit)


def _eta(one: Sum) -> Text:
    eta, entropy = one.set("eta_cutoff"), one.at.entropy
    limit = min(eta, math.sqrt(eta) * math.exp(-entropy))
    return _cut(one, f"min({eta:g}, √{eta:g} · e^(−{score(entropy)})) = {number(limit)}", limit)


def _top_h(one: Sum) -> Text:
    """Over the likeliest hundred, as the sampler does it."""
    likely = one.at.likely.topk(min(100, one.at.likely.shape[0])).values
    p = (likely - likely.logsumexp(0)).exp().double()
    terms = -torch.xlogy(p, p)
    whole, count, h = float(terms.sum()), one.at.count, one.set("top_h")
    return Text(
        f"h · H = {h:g} · {score(whole)} = {score(h * whole)}; −Σ p ln p of the {count} kept: "
        f"{score(terms[:count].sum())}",
        f"h · H = {h:g} · {score(whole)} = {score(h * whole)}；所保留 {count} 个的 −Σ p ln p："
        f"{score(terms[:count].sum())}",
    )


def _typical(one: Sum) -> Text:
    at, mass = one.at, one.set("typical_p")
    far = float((-at.likely[at.kept] - at.entropy).abs().max())
    held = float(at.likely[at.kept].exp().sum())
    entropy, sign = score(at.entropy), "≥" if held >= mass - 1e-5 else "<"
    return Text(
        f"|−ln p − {entropy}| ≤ {score(far)} for the {at.count} kept; their Σ p = {held:.4f} {sign} {mass:g}",
        f"所保留的 {at.count} 个满足 |−ln p − {entropy}| ≤ {score(far)}；其 Σ p = {held:.4f} {sign} {mass:g}",
    )


def _tail_free(one: Sum) -> Text | None:
    z, count = one.set("tfs"), one.at.count
    p = one.at.likely[torch.isfinite(one.at.entered)].sort(descending=True).values.exp().double()
    bends = p.diff().diff().abs()
    if not len(bends) or not float(bends.sum()):
        return None
    running = bends.cumsum(0) / bends.sum()
    last = float(running[min(count, len(running)) - 2]) if count > 1 else 0.0
    told = f"Σ w = {last:.4f}", f"{'≤' if last <= z + 1e-5 else '>'} {z:g}"
    behind = "" if count - 1 >= len(running) else f"{float(running[count - 1]):.4f}"
    return Text(
        f"{told[0]} up to number {count} {told[1]}" + (f"; {behind} with the next" if behind else ""),
        f"到第 {count} 名为止 {told[0]} {told[1]}" + (f"；加上下一个为 {behind}" if behind else ""),
    )


def _sigma(one: Sum) -> Text:
    finite = one.at.entered[torch.isfinite(one.at.entered)].double()
    best, sigma, n = float(finite.max()), float(finite.std(correction=0)), one.set("top_n_sigma")
    gate = f"{score(best)} − {n:g} · {score(sigma)} = {score(best - n * sigma)}"
    return Text(f"keep z ≥ {gate}", f"保留 z ≥ {gate}")


def _xtc(one: Sum) -> Text:
    coin, q, t = one.sampler.coin(), one.set("xtc_probability"), one.set("xtc_threshold")
    if coin >= q:
        return Text(f"coin {coin:.3f} ≥ {q:g}: nothing is dropped", f"掷币 {coin:.3f} ≥ {q:g}：不丢弃任何词元")
    reach = int((one.at.likely.exp() >= t).sum())
    gone = int(torch.isfinite(one.at.entered).sum()) - one.at.count
    return Text(
        f"coin {coin:.3f} < {q:g}; tokens with p ≥ {t:g}: {reach}, of which {gone} dropped",
        f"掷币 {coin:.3f} < {q:g}；p ≥ {t:g} 的词元有 {reach} 个，其中丢弃 {gone} 个",
    )


def _mirostat(one: Sum) -> Text:
    most = -math.log2(max(one.at.least, 1e-300))
    limit = one.sampler.limit
    sign = "≤" if most <= limit + 1e-5 else ">"
    tau, eta = one.set("mirostat_tau"), one.set("mirostat_eta")
    told = f"−log₂ p = {score(most)} {sign} μ = {score(limit)}"
    return Text(
        f"{told} for the least likely kept; then μ ← {score(limit)} − {eta:g} · (s − {tau:g})",
        f"所保留的最低者 {told}；随后 μ ← {score(limit)} − {eta:g} · (s − {tau:g})",
    )


def _adaptive(one: Sum) -> Text | None:
    stage, target = one.sampler, one.set("adaptive_target")
    mean = stage.total / stage.weight
    aim = min(max(2 * target - mean, 0.0), 1.0)
    token = int(one.at.left.argmax())
    distance = abs(one.at.chance(token) - aim) / stage.WIDTH
    led = f"t' = 2 · {target:g} − {mean:.4f} = {2 * target - mean:.4f}" + ("" if 0 < aim < 1 else f" → {aim:g}")
    shown = one.shown(token, f"5 - 10 · {distance:.4f}^2 / (1 + {distance:.4f})")
    d = f"d = |{number(one.at.chance(token))} − {aim:.4f}| / {stage.WIDTH:g} = {distance:.4f}"
    return Text(f"{led}; {d}; {shown.en}", f"{led}；{d}；{shown.zh}")


def _repetition(one: Sum, parameter: str, *, raises: bool = False) -> Text | None:
    token, strength = one.example, one.set(parameter)
    if token is None:
        return None
    before = float(one.at.entered[token])
    return one.shown(token, f"{score(before)} {'/' if (before > 0) is not raises else '·'} {strength:g}")


def _counted(one: Sum, parameter: str, *, once: bool) -> Text | None:
    token, strength = one.example, one.set(parameter)
    if token is None:
        return None
    times = 1 if once else round(float(one.at.entered[token] - one.at.left[token]) / strength)
    count = "" if once else f" · {times}"
    return one.shown(token, f"{score(one.at.entered[token])} − {_brief(strength)}{count}")


def _dry(one: Sum) -> Text | None:
    token = one.example
    if token is None:
        return None
    m, b, a = one.set("dry_multiplier"), one.set("dry_base"), one.set("dry_allowed_length")
    loss = float(one.at.entered[token] - one.at.left[token])
    longer = 0 if b == 1 else max(round(math.log(max(loss / m, 1e-9)) / math.log(b)), 0)
    power = f" · {b:g}^({a + longer} − {a})"
    return one.shown(token, f"{score(one.at.entered[token])} − {m:g}{power}")


def _bias(one: Sum) -> Text | None:
    token = one.example
    if token is None:
        return None
    more = float(one.at.left[token] - one.at.entered[token])
    sign = "−" if more < 0 else "+"
    return one.shown(token, f"{score(one.at.entered[token])} {sign} {abs(more):.4g}")


def _decay(one: Sum) -> Text | None:
    start, factor = one.set("exponential_decay_start"), one.set("exponential_decay_factor")
    token = one.example
    if token is None:
        return Text(f"t = {one.written} ≤ {start}: not yet", f"t = {one.written} ≤ {start}：尚未开始")
    before = float(one.at.entered[token])
    return one.shown(token, f"{score(before)} + {score(abs(before))} · ({factor:g}^({one.written} − {start}) − 1)")


def _guidance(one: Sum) -> Text:
    """u follows from what left the stage: it is the only other unknown."""
    token, scale = int(one.at.left.argmax()), one.set("guidance_scale")
    likely, left = float(one.at.likely[token]), float(one.at.left[token])
    other = (left - scale * likely) / (1 - scale)
    return one.shown(token, f"{scale:g} · ({score(likely)} − {_in(other)}) + {_in(other)}")


def _watermark(one: Sum) -> Text | None:
    token, raised = one.example, int(one.moved.sum())
    if token is None:
        return None
    shown = one.shown(token, f"{score(one.at.entered[token])} + {_brief(one.set('watermark_bias'))}")
    return Text(f"{raised:,} green candidates; {shown.en}", f"{raised:,} 个绿色候选；{shown.zh}")


def _banned(one: Sum) -> Text | None:
    gone = (~one.at.kept & torch.isfinite(one.at.entered)).nonzero()[:, 0].tolist()
    if not gone:
        return None
    gone.sort(key=lambda token: -float(one.at.likely[token]))
    names = [f"“{one.name(token)}”" for token in gone[:NAMED]]
    more = len(gone) - len(names)
    return Text(
        f"z = −∞ for {', '.join(names)}" + (f" and {more:,} more" if more else ""),
        f"z = −∞：{'、'.join(names)}" + (f" 等共 {len(gone):,} 个" if more else ""),
    )


def _too_early(one: Sum) -> Text:
    least = one.set("min_new_tokens")
    if one.written >= least:
        return Text(
            f"t = {one.written} ≥ {least}: nothing is forbidden", f"t = {one.written} ≥ {least}：不禁止任何词元"
        )
    told = _banned(one)
    words = f"t = {one.written} < {least}"
    return Text(f"{words}: {told.en}", f"{words}：{told.zh}") if told else _same(words)


_FILLED: Mapping[str, Callable[[Sum], Text | None]] = {
    "guidance": _guidance,
    "temperature": _temperature,
    "dynatemp": _dynamic,
    "smoothing": _smoothing,
    "top_k": _top_k,
    "top_p": _top_p,
    "min_p": _min_p,
    "top_a": _top_a,
    "epsilon_cutoff": _epsilon,
    "eta_cutoff": _eta,
    "top_h": _top_h,
    "typical_p": _typical,
    "tfs": _tail_free,
    "top_n_sigma": _sigma,
    "xtc": _xtc,
    "mirostat": _mirostat,
    "adaptive_p": _adaptive,
    "repetition_penalty": lambda one: _repetition(one, "repetition_penalty"),
    "encoder_repetition_penalty": lambda one: _repetition(one, "encoder_repetition_penalty", raises=True),
    "presence_penalty": lambda one: _counted(one, "presence_penalty", once=True),
    "frequency_penalty": lambda one: _counted(one, "frequency_penalty", once=False),
    "dry": _dry,
    "logit_bias": _bias,
    "exponential_decay": _decay,
    "watermark": _watermark,
    "min_new_tokens": _too_early,
    "bad_words": _banned,
    "suppress_tokens": _banned,
    "begin_suppress_tokens": _banned,
    "ignore_eos": _banned,
    "no_repeat_ngram_size": _banned,
    "encoder_no_repeat_ngram_size": _banned,
}
