"""An adapter merged into a model's weights: W + share · (W' - W), with the W' that peft's merge would make of them.

So the exact and the fast path work as with any other model, and nothing of it costs time while it writes. Knows no
path and no file format of a model.
"""

from __future__ import annotations

from typing import Any

import torch
from safetensors import safe_open
from torch import Tensor, nn
from transformers.pytorch_utils import Conv1D

from playground.models import adapter_failures
from playground.models.adapters import Adapter, Low
from playground.types import ModelError, Text

_KINDS = (nn.Linear, Conv1D, nn.Embedding)


def merge(net: Any, adapter: Adapter, share: float) -> None:
    """Changes the weights of `net` [out, in] by a share from 0 to 1, once `check` has found that the adapter fits it.
    Raises ModelError where a changed weight is not finite.

    Each changed weight becomes a parameter of its own: the file that it was mapped from, a matrix that was tied to it
    and whatever is known of the old one (the grid of its values) stay with the old one.
    """
    if share == 0:
        return
    modules = dict(net.named_modules())
    tied = _is_tied(net)
    with torch.no_grad(), safe_open(adapter.file, framework="pt") as stored:
        for path, low in adapter.low.items():
            module = modules[path]
            name, scale = f"{path}.weight", adapter.scale(path, adapter.shapes[low.down][0])
            # peft may keep an embedding's own weights too, beside the matrices that change them.
            begun = stored.get_tensor(adapter.whole[name]) if name in adapter.whole else module.weight.detach()
            turned = low.embedding or isinstance(module, Conv1D)
            changed = _changed(begun.to(module.weight.device, torch.float32), low, scale, stored, turned=turned)
            _put(adapter, module, name, changed, share)
        for name, key in adapter.whole.items():
            path, _, part = name.rpartition(".")
            if part != "weight" or path not in adapter.low:
                _put(adapter, modules[path], name, stored.get_tensor(key), share)
    if tied and not _is_tied(net):
        net.config.get_text_config(decoder=True).tie_word_embeddings = net.config.tie_word_embeddings = False
        if getattr(net, "all_tied_weights_keys", None):
            net.all_tied_weights_keys = {}  # or saving would leave one of the two matrices out


def check(net: Any, adapter: Adapter, title: str) -> None:
    """Raises ModelError unless every tensor of the adapter has its place in the model, and that is in memory."""
    modules = dict(net.named_modules())
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


def _changed(weight: Tensor, low: Low, scale: float, stored: Any, *, turned: bool) -> Tensor:
    """W' in fp32, of a W [out, in], or [in, out] where it is `turned`: in the order of arithmetic of peft's merge."""
    down, up = (stored.get_tensor(one).to(weight.device, torch.float32) for one in (low.down, low.up))
    product = (up @ down) * scale
    changed = weight + (product.T if turned else product)
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
    return adapter_failures.another_base(adapter.name, title, adapter.base, detail)
