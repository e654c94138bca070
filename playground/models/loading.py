"""Loads a model and its tokenizer from files, over GPUs, memory and disk, and describes what was loaded.

Knows nothing of sampling. Every failure leaves as one ModelError, in words for a person.
"""

from __future__ import annotations

import logging
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import psutil
import torch
import transformers
from transformers import AutoConfig, AutoModelForCausalLM, AutoTokenizer, GgufConfig
from transformers.models.auto.modeling_auto import MODEL_FOR_CAUSAL_LM_MAPPING_NAMES

from playground.machine import mapped_weights
from playground.machine.cache_folder import cache_root
from playground.models import (
    adapter_base,
    adapter_failures,
    adapter_merge,
    adapters,
    capabilities,
    context,
    convert,
    device_map,
    embedded,
    failures,
    file_failures,
    gguf_copies,
    gguf_ends,
    load_progress,
    packing,
    side_files,
    sources,
    weight_files,
    weight_grids,
)
from playground.models.adapters import Adapter
from playground.models.sources import Source
from playground.one_state import GLOBAL_STATE
from playground.types import ModelCard, ModelError, ProgressReport, Text

# bf16 is what most weights are stored in; on a CPU it is half the bytes to read, and reading is what a token costs.
# What is packed further, on a CPU for the fast path and on a GPU while it is loaded, is packed from bf16.
_NUMBER = re.compile(r"(?<![^.])\d+(?![^.])")  # in a tensor's name, of a layer or an expert
DTYPES = {
    "auto": torch.bfloat16,
    "bf16": torch.bfloat16,
    "fp32": torch.float32,
    "int8": torch.bfloat16,
    "int4": torch.bfloat16,
}
_DTYPE_NAMES = {torch.bfloat16: "bf16", torch.float32: "fp32", torch.float16: "fp16"}
_WEIGHTS_FROM = 0.3  # of a load: what comes before its weights
_BOOKKEEPING = ("_", "output_", "return_", "use_cache", "transformers_version")

# It says on every load that parts are on disk; the card says so in our own words.
logging.getLogger("accelerate").setLevel(logging.ERROR)


@dataclass(frozen=True, slots=True)
class Loaded:
    """A model in memory with its tokenizer, both transformers' own objects; `weights` as they were asked for.

    `turn_ends` are the ids of tokens that end a turn, where its file names any that transformers does not read.
    """

    model: Any
    tokenizer: Any
    card: ModelCard
    weights: str = "auto"
    turn_ends: tuple[int, ...] = ()


def quiet(stage: Text, share: float | None) -> None:
    """A progress report that nobody reads."""


def load(
    model: str | None = None,
    *,
    weights: str = "auto",
    max_memory: Mapping[str | int, int] | None = None,
    offload_folder: str | Path | None = None,
    trust_remote_code: bool = False,
    adapter: str | None = None,
    adapter_share: float = 1.0,
    report: ProgressReport = quiet,
) -> Loaded:
    """Load `model`: None for the embedded one, else a hub id, a folder or a GGUF file. Raises ModelError.

    `max_memory` maps "cpu" or a GPU's number to bytes; what does not fit is read from disk while running. `adapter` is
    the folder of one that is merged into the weights, by `adapter_share` from 0 to 1.
    """
    _check_devices(max_memory)
    packer = packing.maker(weights, packing.target(max_memory))
    tuned = None if adapter is None else _adapter(adapter, weights, packed=packer is not None)
    source = sources.find(model, report, code=trust_remote_code)
    options: dict[str, Any] = {"trust_remote_code": trust_remote_code, "local_files_only": True}
    if source.gguf is not None:
        options["gguf_file"] = source.gguf
        if packer is not None:
            raise failures.packed_already(source.id, weights)
    held: convert.Unpacked | None = None
    with failures.explained(source.id):
        weight_files.check(source.id, source.folder, source.gguf)
        if source.gguf is None:
            side_files.check(source.id, source.folder)
        elif DTYPES[weights] != torch.bfloat16:
            held = convert.unpacked(source.folder / source.gguf, report)
        else:
            source = gguf_copies.kept(source, report)
            if source.gguf is None:
                del options["gguf_file"]
        config = AutoConfig.from_pretrained(source.folder, **options) if held is None else held.config
        _check_causal(source, config)
        report(Text(f"Loading {source.title}: tokenizer", f"正在加载 {source.title}：分词器"), 0.1)
        tokenizer = _without_copies(_tokenizer(source, options) if held is None else held.tokenizer)
        report(Text(f"Loading {source.title}: weights", f"正在加载 {source.title}：权重"), _WEIGHTS_FROM)
        if packer is not None:
            options["quantization_config"] = packing.config(packer, weights)
        net = _weights(source, held, options, DTYPES[weights], max_memory, offload_folder, report)
        told = None if tuned is None else _merge(net, source, tuned, adapter_share)
        able = capabilities.of(net, source.id)
        card = _card(source, net, tokenizer, told, able.notice)
        _check_room(source, card, max_memory)
    if adapter is not None and tuned is not None:
        card = _tuned(card, tuned, adapter, adapter_share)
    report(Text(f"{card.title} is loaded", f"{card.title} 已加载"), 1.0)
    named = source.turn_ends if source.gguf is None else gguf_ends.turn_ends(source.folder / source.gguf)
    return Loaded(net, tokenizer, card, weights, named)


def load_or_embedded(
    model: str | None, *, weights: str = "auto", report: ProgressReport = quiet, **options: Any
) -> Loaded:
    """`load`; where that fails, the embedded model without limits, and a notice on its card that says why.

    On a GPU the embedded model is small enough to need no packing, which may be the very thing that failed.
    """
    try:
        return load(model, weights=weights, report=report, **options)
    except ModelError as error:
        if model is None and not options.get("max_memory") and options.get("adapter") is None:
            raise
        spared = weights in ("int8", "int4") and packing.target(None) == "cuda"
        loaded = load(None, weights="auto" if spared else weights, report=report)
        notice = Text(f"{error.say('en')} The embedded model is used instead.", f"{error.say('zh')}现改用内置模型。")
        return replace(loaded, card=replace(loaded.card, notice=notice))


def _adapter(given: str, weights: str, *, packed: bool) -> Adapter:
    found = adapters.read(given)
    if packed:
        raise adapter_failures.packed(found.name, weights)
    return found


def _merge(net: Any, source: Source, adapter: Adapter, share: float) -> Text | None:
    """What is to be said of base and adapter, once the one holds the other."""
    names = [source.id, source.title, *([embedded.HUB_ID] if source.id == embedded.ID else [])]
    adapter_merge.check(net, adapter, source.title)
    told = adapter_base.check(adapter, net, source.title, names)
    adapter_merge.merge(net, adapter, share)
    return told


def _tuned(card: ModelCard, adapter: Adapter, given: str, share: float) -> ModelCard:
    return replace(
        card,
        id=adapters.tuned_id(card.id, given, share),
        title=adapters.tuned_title(card.title, given, share),
        revision=f"{card.revision} + {adapter.digest}",
        adapter=str(adapter.folder),
    )


def _check_devices(max_memory: Mapping[str | int, int] | None) -> None:
    for device in max_memory or {}:
        if isinstance(device, int) and device >= torch.cuda.device_count():
            raise failures.no_device(device, torch.cuda.device_count())


def _check_room(source: Source, card: ModelCard, max_memory: Mapping[str | int, int] | None) -> None:
    """The largest part must fit somewhere to be computed with, even where all of them wait on disk."""
    largest = max(place.size for place in card.placements)
    allowed = max(max_memory.values(), default=0) if max_memory else psutil.virtual_memory().available
    if any(place.device == "disk" for place in card.placements) and allowed < largest:
        raise failures.no_memory(source.id, largest, allowed)


def _check_causal(source: Source, config: Any) -> None:
    """Refuse what transformers would load all the same, as an encoder that answers nonsense."""
    if config.model_type in failures.LACKING:
        raise failures.lacking(source.id, config.model_type)
    classes = list(getattr(config, "architectures", None) or [])
    causal: set[str] = set()
    for name in MODEL_FOR_CAUSAL_LM_MAPPING_NAMES.values():
        causal.update([name] if isinstance(name, str) else name)
    own = "AutoModelForCausalLM" in (getattr(config, "auto_map", None) or {})
    if not classes or own or causal.intersection(classes):
        return
    if getattr(config, "is_encoder_decoder", False):
        raise failures.needs_encoder(source.id, ", ".join(classes))
    # Of a model that reads pictures or sounds as well and writes text, the part that reads text is taken.
    whole = getattr(transformers, classes[0], None) if classes[0].endswith("ForConditionalGeneration") else None
    writes = getattr(whole, "output_modalities", None) == ("text",)
    if not writes or config.model_type not in MODEL_FOR_CAUSAL_LM_MAPPING_NAMES:
        raise failures.not_causal(source.id, ", ".join(classes))


def _tokenizer(source: Source, options: Mapping[str, Any]) -> Any:
    try:
        return AutoTokenizer.from_pretrained(source.folder, **options)
    except Exception:
        if source.gguf is None:
            side_files.check_tokenizer(source.id, source.folder)
        raise


def _without_copies(tokenizer: Any) -> Any:
    """Lets go of the vocabulary and merges that transformers' classes read into Python objects to build the tokenizer
    and never read again: 16 MB for 49,000 tokens."""
    if type(tokenizer).__module__.startswith("transformers.models."):
        for name in ("_vocab", "_merges"):
            vars(tokenizer).pop(name, None)
    return tokenizer


def _weights(
    source: Source,
    held: convert.Unpacked | None,
    options: dict[str, Any],
    dtype: torch.dtype,
    max_memory: Mapping[str | int, int] | None,
    offload_folder: str | Path | None,
    report: ProgressReport,
) -> Any:
    """The module, spread by accelerate. Pickled weights go through torch's weights-only reader."""
    kind: Any = AutoModelForCausalLM
    folder: Path | None = source.folder
    if held is not None:
        kind, folder, options = held.kind, None, {"config": held.config, "state_dict": held.values}
    elif source.gguf is not None:
        options = {**options, "quantization_config": GgufConfig(dequantize=True)}
    stage = Text(f"Loading {source.title}: weights", f"正在加载 {source.title}：权重")
    with GLOBAL_STATE, load_progress.told(stage, _WEIGHTS_FROM, 1.0, report):
        net, seen = kind.from_pretrained(
            folder,
            dtype=dtype,
            device_map="auto",
            max_memory=dict(max_memory) if max_memory else None,
            offload_folder=str(offload_folder or cache_root() / "offload"),
            weights_only=True,
            output_loading_info=True,
            ignore_mismatched_sizes=True,  # reported below, in our own words
            **options,
        )
    mapped_weights.note(source.folder)
    if seen["mismatched_keys"]:
        tensor, stored, wanted = min(seen["mismatched_keys"], key=lambda one: str(one[0]))
        raise file_failures.mismatched(source.id, tensor, stored, wanted, len(seen["mismatched_keys"]))
    if more := _of_more_layers(net, seen["unexpected_keys"]):
        raise file_failures.more_layers(source.id, more[0], len(more))
    if source.gguf is not None and held is None:
        gguf_copies.tie(net, source.folder / source.gguf)
    weight_grids.attach(net, source.folder)
    absent = sorted(seen["missing_keys"])
    if absent:  # transformers would fill them with random numbers and go on
        raise failures.broken(source.id, f"{len(absent)} tensors are missing, {absent[0]} among them.")
    return net.eval()


def _of_more_layers(net: Any, unexpected: Iterable[str]) -> list[str]:
    """Tensors that nothing takes, and that are named as others are but for a number: layers which the configuration
    does not count. What models bring along for other uses has names of its own."""
    known = {_NUMBER.sub("#", name) for name, _ in net.named_parameters()}
    known |= {name.removeprefix(f"{net.base_model_prefix}.") for name in known}  # as some files have them
    return sorted(name for name in unexpected if _NUMBER.search(name) and _NUMBER.sub("#", name) in known)


def _card(source: Source, net: Any, tokenizer: Any, *told: Text | None) -> ModelCard:
    places = device_map.placements(net)
    length, limited = context.limit(net, tokenizer)
    on_disk = sum(place.device == "disk" for place in places)
    disk = Text(
        f"{on_disk} of {len(places)} parts are read from disk for every token; expect it to be slow.",
        f"{len(places)} 个部分中有 {on_disk} 个每生成一个词元都要从磁盘读取，速度会很慢。",
    )
    return ModelCard(
        id=source.id,
        title=source.title,
        revision=source.revision,
        parameters=sum(parameter.numel() for parameter in net.parameters()),
        dtype=_DTYPE_NAMES.get(net.dtype, str(net.dtype).removeprefix("torch.")),
        size=sum(place.size for place in places),
        context=length,
        limited=limited,
        has_chat_template=bool(getattr(tokenizer, "chat_template", None)),
        chat_template=tokenizer.chat_template if isinstance(getattr(tokenizer, "chat_template", None), str) else None,
        placements=places,
        folder=str(source.folder),
        generation_defaults=_defaults(net),
        notice=_joined(*told, disk if on_disk else None),
    )


def _joined(*said: Text | None) -> Text | None:
    """Several notices as one."""
    texts = [one for one in said if one is not None]
    return Text(" ".join(one.en for one in texts), "".join(one.zh for one in texts)) if texts else None


def _defaults(net: Any) -> dict[str, Any]:
    """What the model's authors chose for sampling: its generation_config without ids and bookkeeping."""
    chosen = net.generation_config.to_diff_dict() if net.generation_config is not None else {}
    return {
        name: value
        for name, value in chosen.items()
        if not name.startswith(_BOOKKEEPING) and not name.endswith("_token_id")
    }
