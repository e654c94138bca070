"""How a loaded model goes on from one token to the next, found out by trying it: with a cache, a state, or neither.

The classes of CACHED are not tried, since the long test has; nor are weights on a disk, where a try takes minutes.
"""

from __future__ import annotations

import logging
import weakref
from dataclasses import dataclass
from typing import Any, Literal

import torch
from torch import Tensor
from transformers import DynamicCache

from playground.models import failures
from playground.models.generate_loop import GenerateLoop
from playground.models.verified import CACHED
from playground.types import Text

Keeps = Literal["cache", "state", "nothing"]

_PROMPT, _STEPS = 4, 2  # tokens of a trial
# Distances from what one pass says, by that of what the last token alone says: two ways of reading the same in bf16,
# and a cache that forgets what stood before.
_SAME, _FORGOTTEN = 0.1, 0.75
_MIXED = 0.01  # the same passes give the same scores, unless another text is in them
# Fields of a configuration that make an encoder of a decoder's class, and what they are in a decoder.
_FLAGS: dict[str, Any] = {"use_bidirectional_attention": None, "is_causal": True}

_NO_CACHE = Text("Models of this kind keep no cache", "此类模型没有缓存")
_MIXED_UP = Text(
    "The cache of this kind of model would mix up the texts of several runs", "此类模型的缓存会混淆同时进行的多段文本"
)
_BROKEN = Text("The cache of this model does not work here", "此模型的缓存在此无法使用")
log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Capabilities:
    """What is kept between two tokens: transformers' own cache, a state of another kind, or nothing.

    With nothing (`why` says the reason) every token reads the whole text again, with `use_cache` where the model is
    called as `generate()` calls it. `reads` is whether one pass over a text judges each token by those before it,
    `guides` whether transformers' guidance can keep a second text, `beams` whether its beam search can.
    """

    keeps: Keeps = "cache"
    use_cache: bool = True
    reads: bool = True
    guides: bool = True
    beams: bool = True
    why: Text | None = None

    @property
    def notice(self) -> Text | None:
        """What a person should know of it."""
        if self.why is None:
            return None
        return Text(
            f"{self.why.en}: each token reads all of the text again, which is slow, and slower the longer the text.",
            f"{self.why.zh}：每生成一个词元都要重读全文，因此速度较慢，且文本越长越慢。",
        )


@dataclass(frozen=True, slots=True)
class _Trial:
    """What `generate()`'s own way gave: the scores [vocab] behind the last token, how many tokens of a row the last
    pass was given, what was kept, and whether it was given back."""

    scores: Tensor
    read: int
    state: Any
    returned: bool


_KNOWN: weakref.WeakKeyDictionary[Any, Capabilities] = weakref.WeakKeyDictionary()


def of(model: Any, name: str = "") -> Capabilities:
    """What this model can do, found out once. Raises ModelError, which calls it `name`, where it cannot write."""
    if model not in _KNOWN:
        _KNOWN[model] = _untried(model) or tried(model, name)
    return _KNOWN[model]


def _untried(model: Any) -> Capabilities | None:
    """What can be said of a model without a try; None where it takes one."""
    kind, config = type(model), model.config.get_text_config(decoder=True)
    verified = kind.__module__.startswith("transformers.") and kind.__name__ in CACHED
    if verified and not any(getattr(config, flag, usual) != usual for flag, usual in _FLAGS.items()):
        return Capabilities()
    if any(parameter.device.type == "meta" for parameter in model.parameters()):
        if model._supports_default_dynamic_cache():
            return Capabilities()
        return Capabilities("state", reads=False, guides=False, beams=False)
    return None


@torch.inference_mode()
def tried(model: Any, name: str = "") -> Capabilities:
    """The same by a few passes over six tokens. Raises ModelError."""
    name = name or type(model).__name__
    rows = model.config.get_text_config(decoder=True).vocab_size
    device = next(parameter.device for parameter in model.parameters())
    ids = torch.linspace(rows * 0.1, rows * 0.6, _PROMPT + _STEPS, device=device).long()[None]
    try:
        whole = _pass(model, ids)
        alone = _pass(model, ids[:, -1:])[-1]
        start = _pass(model, ids[:, :_PROMPT])
    except Exception as error:  # noqa: BLE001 - an architecture's own code fails in any way
        raise failures.cannot_write(name, error) from None
    cached, why = _with_cache(model, ids, alone)
    if len(whole) != ids.shape[1]:  # it reads or answers something else than the text, so nothing can be compared
        return _as_generate(model, cached, reads=False) if cached else _without_cache(why, reads=False)
    causal = _off(start[-1], whole[_PROMPT - 1], alone) < _SAME
    # A cache that was not written into, of a model that was given the last token only, has forgotten the rest.
    keeps = cached is not None and (cached.read > 1 or _filled(cached.state))
    if cached and keeps and (not causal or _off(cached.scores, whole[-1], alone) < _FORGOTTEN):
        return _as_generate(model, cached, reads=causal)
    if not causal:
        raise failures.reads_both_ways(name)
    return _without_cache(why, reads=True)


def _pass(model: Any, ids: Tensor) -> Tensor:
    """The scores [count, vocab] behind each token, in one pass that keeps nothing."""
    return GenerateLoop(model, use_cache=False).all(ids)[0].float()


def _with_cache(model: Any, ids: Tensor, alone: Tensor) -> tuple[_Trial | None, Text]:
    """What `generate()` would do; None, and why, where that fails or where another text beside it changes it."""
    try:
        found, beside = _loop(model, ids), _loop(model, ids, between=ids.flip(1))
    except Exception as error:  # noqa: BLE001 - as above; it can do without
        log.info("%s writes without a cache: %s: %s", type(model).__name__, type(error).__name__, error)
        return None, _BROKEN
    if _off(beside.scores, found.scores, alone) > _MIXED:
        return None, _MIXED_UP
    return found, _BROKEN


def _loop(model: Any, ids: Tensor, between: Tensor | None = None) -> _Trial:
    loop = GenerateLoop(model, use_cache=True)
    for length in range(_PROMPT, ids.shape[1] + 1):
        scores = loop(ids[:, :length])
        if between is not None:
            GenerateLoop(model, use_cache=True)(between)
    return _Trial(scores[0].float(), loop.read, loop.state, loop.returned)


def _off(found: Tensor, wanted: Tensor, alone: Tensor) -> float:
    """How far scores are from those wanted, by how far those are which follow the last token alone."""
    return float((found - wanted).norm() / (alone - wanted).norm().clamp(min=1e-4 * wanted.norm()))


def _as_generate(model: Any, trial: _Trial, *, reads: bool) -> Capabilities:
    """As `generate()` goes on: with the common cache, which rows can share, cut and reorder, with another, or none."""
    if type(trial.state) is DynamicCache and trial.read == 1:
        return Capabilities("cache", reads=reads, guides=trial.returned)
    if not _filled(trial.state):
        return Capabilities("nothing", reads=reads, guides=False, why=_NO_CACHE)
    reorders = type(trial.state) is DynamicCache or hasattr(model, "_reorder_cache")
    return Capabilities("state", reads=reads, guides=False, beams=reorders)


def _without_cache(why: Text, *, reads: bool) -> Capabilities:
    return Capabilities("nothing", use_cache=False, reads=reads, guides=False, why=why)


def _filled(state: Any) -> bool:
    """Whether anything is kept in it: a model that keeps nothing leaves the cache it is handed empty."""
    if not isinstance(state, DynamicCache):
        return state is not None
    return any(_begun(layer) for layer in state.layers)


def _begun(layer: Any) -> bool:
    states = getattr(layer, "has_previous_state", None) or {}
    return bool(getattr(layer, "is_initialized", False)) or any(states.values())
