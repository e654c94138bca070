"""An adapter merged into a model's weights: W + share · (W' - W), with the W' that peft's merge would make of them.

So the exact and the fast path work as with any other model, and nothing of it costs time while it writes. Knows no
path and no file format of a model.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import torch
from safetensors import safe_open
from torch import Tensor, nn
from transformers.pytorch_utils import Conv1D

from playground.models import adapter_failures
from playground.models.adapters import Adapter, Low
from playground.types import ModelError, Text

_KINDS = (nn.Linear, Conv1D, nn.Embedding)


def merge(net: Any, adapter: Adapter, share: float, title: str) -> None:
    """Changes the weights of `net` [out, in] by a share from 0 to 1. Raises ModelError where the adapter does not fit
    it, before anything is changed, or where it holds numbers that are none.

    Each changed weight becomes a parameter of its own: the file that it was mapped from, a matrix that was tied to it
    and whatever is known of the old one (the grid of its values) stay with the old one.
    """
    modules = dict(net.named_modules())
    _check(net, modules, adapter, title)
    if share == 0:
        return
    tied = _is_tied(net)
    with torch.no_grad(), safe_open(adapter.file, framework="pt") as stored:
        for path, low in adapter.low.items():
            module = modules[path]
            changed = _changed(module, low, adapter.scale(path, adapter.shapes[low.down][0]), stored)
            _put(adapter, module, f"{path}.weight", changed, share)
        for name, key in adapter.whole.items():
            _put(adapter, modules[name.rpartition(".")[0]], name, stored.get_tensor(key), share)
    if tied and not _is_tied(net):
        net.config.get_text_config(decoder=True).tie_word_embeddings = net.config.tie_word_embeddings = False
        if getattr(net, "all_tied_weights_keys", None):
            net.all_tied_weights_keys = {}  # or saving would leave one of the two matrices out


def _check(net: Any, modules: Mapping[str, Any], adapter: Adapter, title: str) -> None:
    """Every tensor has its place in the model, which is in memory."""
    for path, low in adapter.low.items():
        module = modules.get(path)
        if not isinstance(module, _KINDS) or isinstance(module, nn.Embedding) is not low.embedding:
            raise _other(adapter, title, adapter_failures.no_module(path))
        (_, inner), (outer, _) = adapter.shapes[low.down], adapter.shapes[low.up]
        given = (inner, outer) if low.embedding or isinstance(module, Conv1D) else (outer, inner)
        wanted = tuple(module.weight.shape)
        if given != wanted:
            raise _other(adapter, title, adapter_failures.other_shape(path, given, wanted))
        if low.magnitude is not None and adapter.shapes[low.magnitude] != (outer,):
            raise _other(adapter, title, adapter_failures.other_shape(path, adapter.shapes[low.magnitude], (outer,)))
    for name, key in adapter.whole.items():
        path, _, part = name.rpartition(".")
        weight = getattr(modules.get(path), part, None)
        if not isinstance(weight, nn.Parameter):
            raise _other(adapter, title, adapter_failures.no_module(name))
        if tuple(weight.shape) != adapter.shapes[key]:
            raise _other(adapter, title, adapter_failures.other_shape(name, adapter.shapes[key], tuple(weight.shape)))
    named = [f"{path}.weight" for path in adapter.low] + list(adapter.whole)
    if any(net.get_parameter(name).device.type == "meta" for name in named):
        raise adapter_failures.on_disk(adapter.name, title)


def _changed(module: Any, low: Low, scale: float, stored: Any) -> Tensor:
    """W' [as W], in fp32: what the adapter makes of one matrix, in the order of arithmetic of peft's merge."""
    weight = module.weight.detach()
    down, up = (stored.get_tensor(one).to(weight.device, torch.float32) for one in (low.down, low.up))
    turned = low.embedding or isinstance(module, Conv1D)
    product = (up @ down) * scale
    changed = weight.float() + (product.T if turned else product)
    if low.magnitude is None:
        return changed
    magnitude = stored.get_tensor(low.magnitude).to(weight.device, torch.float32)
    lengths = torch.linalg.norm(changed.T if turned else changed, dim=1)
    factor = (magnitude / lengths).view(-1, 1)
    return changed * (factor.T if turned else factor)


def _put(adapter: Adapter, module: Any, name: str, changed: Tensor, share: float) -> None:
    part = name.rpartition(".")[2]
    old = getattr(module, part)
    found = changed.to(old.device, torch.float32)
    if share != 1:
        weight = old.detach().float()
        found = weight + share * (found - weight)
    found = found.to(old.dtype)
    if not bool(torch.isfinite(found).all()):
        raise adapter_failures.not_finite(adapter.name, name)
    setattr(module, part, nn.Parameter(found, requires_grad=old.requires_grad))


def _is_tied(net: Any) -> bool:
    """Whether one matrix is both its input's and its output's."""
    inner, outer = net.get_input_embeddings(), net.get_output_embeddings()
    return inner is not None and outer is not None and inner.weight is outer.weight


def _other(adapter: Adapter, title: str, detail: Text) -> ModelError:
    return adapter_failures.other_base(adapter.name, title, adapter.base, detail)
