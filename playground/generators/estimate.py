"""What a model would take here, from its files or from what the hub says of them: weights, packed copy, keys, values.

Nothing of it is loaded, and of the hub only a configuration and names with sizes are asked for.
"""

from __future__ import annotations

import logging
from dataclasses import replace
from pathlib import Path

import torch

from playground.fast import packed_size
from playground.models import adapters, catalogue, hub_details, packing, recipes, skeleton, whereabouts
from playground.models.loading import DTYPES
from playground.models.memory_estimate import Basis, MemoryEstimate
from playground.models.model_choice import ModelChoice
from playground.models.skeleton import Skeleton

log = logging.getLogger(__name__)
_FIXED = 8_000_000  # bytes: modules, templates, compiled layers
_TOKEN_BYTES = 75  # of a tokenizer's files for each token of its vocabulary
_TOKENIZER = 4  # bytes in memory for each byte of its files
_GPU_BYTES = {"int8": 1.0, "int4": 0.5625}  # of a packed weight, with its scales
_CONTEXT = 2048  # tokens, where nobody says


def estimate(choice: ModelChoice, *, fast: bool, free: int, loaded_now: int) -> MemoryEstimate:
    """`fast` is whether the fast path packs it. `free` and `loaded_now` in bytes. Raises ModelError where the hub knows
    no such model or does not give it; where the hub is not reached, what the catalogue knows counts."""
    source = whereabouts.here(choice.name)
    if source is not None:
        return _of_folder(choice, source.folder, source.gguf, "files", 0, fast, free, loaded_now)
    with hub_details.details(choice.name, code=choice.trust_remote_code) as found:
        if found is not None and found.folder is not None:
            return _of_folder(choice, found.folder, None, "hub", found.download, fast, free, loaded_now)
    known, recipe = catalogue.find(choice.name), recipes.find(choice.name)
    if recipe is not None and recipe.config:
        side = recipe.config["vocab_size"] * _TOKEN_BYTES
        net = replace(skeleton.of_config(recipe.config, DTYPES[choice.weights]), side_bytes=side)
        return _of_net(choice, net, "recipe", recipe.size, fast, free, loaded_now, joined=False)
    count = recipe.parameters if recipe is not None else known.parameters if known is not None else None
    download = recipe.size if recipe is not None else 2 * (count or 0)
    if count is None:
        return MemoryEstimate(0, 0, 0, 0, 0, 0, choice.context or _CONTEXT, 0, loaded_now, free, "unknown")
    weights = count * DTYPES[choice.weights].itemsize
    packed = round(count * _packed_share(choice, fast))
    return MemoryEstimate(
        weights, packed, 0, 0, _FIXED, weights // 10, choice.context or _CONTEXT, download, loaded_now, free,
        "catalogue", count,
    )  # fmt: skip


def _of_folder(
    choice: ModelChoice, folder: Path, gguf: str | None, basis: Basis, download: int, fast: bool, free: int, now: int
) -> MemoryEstimate:
    dtype = DTYPES[choice.weights]
    try:
        found = skeleton.of_folder(folder, gguf, dtype, code=choice.trust_remote_code)
    except Exception as error:  # noqa: BLE001 - what is wrong with the files is said when they are loaded
        log.info("The memory of %s is not known: %s", choice.name, type(error).__name__)
        size = max(download, whereabouts.weight_bytes(folder, gguf))
        basis = basis if size else "unknown"
        return MemoryEstimate(size, 0, 0, 0, _FIXED, 0, choice.context or _CONTEXT, download, now, free, basis)
    return _of_net(choice, found, basis, download, fast, free, now, joined=gguf is not None)


def _of_net(
    choice: ModelChoice,
    found: Skeleton,
    basis: Basis,
    download: int,
    fast: bool,
    free: int,
    now: int,
    *,
    joined: bool,
) -> MemoryEstimate:
    """`joined` is whether its weights come out of one GGUF file, which are made anew in memory."""
    net, dtype = found.net, DTYPES[choice.weights]
    config = net.config.get_text_config(decoder=True)
    tensors = {id(one): one for one in (*net.parameters(), *net.buffers())}
    weights, count = sum(one.numel() * one.element_size() for one in tensors.values()), net.num_parameters()
    largest = max((one.numel() * one.element_size() for one in tensors.values()), default=0)
    on_gpu = packing.target(dict(choice.max_memory) or None) == "cuda"
    limit = sum(size for _, size in choice.max_memory)
    packed = moment = 0
    if on_gpu and choice.weights in _GPU_BYTES:
        linear = sum(one.weight.numel() for one in net.modules() if type(one) is torch.nn.Linear)
        weights -= round(linear * (dtype.itemsize - _GPU_BYTES[choice.weights]))
    elif fast and not on_gpu and packed_size.runs(config) and not (limit and limit < weights):
        # A changed weight lies on no grid any more, so that "auto" packs it in 8 bits.
        sample = None if choice.adapter is not None and choice.adapter_share > 0 else found.sample
        packed, moment = packed_size.packed_bytes(net, choice.weights, sample)
    if limit:
        weights = min(weights, limit)  # the rest waits on disk
    own = _declared(config)
    context = min(choice.context or own, own)
    kv_cache, kv_token = packed_size.kv_bytes_of(net, context)
    beside = _FIXED + _TOKENIZER * found.side_bytes
    peak = max(moment, 2 * largest, weights if joined else 0, _merging(choice, largest // dtype.itemsize))
    return MemoryEstimate(
        weights, packed, kv_cache, kv_token, beside, peak, context, download, now, free, basis, count, config.model_type
    )


def _merging(choice: ModelChoice, largest: int) -> int:
    """Bytes for a moment while an adapter is merged into a matrix of so many weights: its own, and the matrix in fp32
    four times (as it was, the change, their sum, and what is taken of it)."""
    return 0 if choice.adapter is None else adapters.size_of(choice.adapter) + 16 * largest


def _declared(config: object) -> int:
    """The context length that a configuration names."""
    for name in ("max_position_embeddings", "n_positions", "n_ctx", "max_seq_len", "seq_length"):
        found = getattr(config, name, None)
        if isinstance(found, int) and 0 < found < 10**8:
            return found
    return _CONTEXT


def _packed_share(choice: ModelChoice, fast: bool) -> float:
    """Bytes of the packed copy for each weight, where only their count is known."""
    if not fast:
        return 0.0
    return {"auto": 1.0, "int8": 1.0, "int4": 0.65}.get(choice.weights, 0.0)
