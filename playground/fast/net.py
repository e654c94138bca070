"""A model that steps over slots: its weights packed as a format says, its layers compiled where they can be.

Everything else is transformers' own module, so a family needs no code of its own here, only a test that its output is
the same. Knows no row, no sampler and no request.
"""

from __future__ import annotations

import copy
import inspect
from collections.abc import Callable, Sequence
from math import inf
from typing import Any

import torch
from torch import Tensor, nn
from transformers.modeling_utils import ALL_ATTENTION_FUNCTIONS

from playground.decoding.prefill import scaled_from
from playground.fast.attention import attend
from playground.fast.formats import Make
from playground.fast.fp32_products import multiply_in_fp32
from playground.fast.fuse import pack
from playground.fast.graphs import Graphs
from playground.fast.kv_slots import KVSlots, Shape, padded_length
from playground.fast.layer_compilers import AheadOfTime, Compiler, InProcess
from playground.fast.layer_groups import BatchCache, LayerWrapper, wrap_layers
from playground.fast.output_head import OutputHead
from playground.fast.tracing import confine
from playground.models import capabilities
from playground.types import Text

FAMILIES = frozenset({"llama", "mistral", "qwen2", "qwen3", "gemma", "gemma2", "gemma3_text", "gpt2", "gptj"})
_ATTENTION = "playground_slots"

ALL_ATTENTION_FUNCTIONS.register(_ATTENTION, attend)
confine()


class Net:
    """`step` gives every row its next scores, `verify` one row several; `prefill` reads a piece of a prompt.

    One thread at a time.

    `make` packs the weights; without it they are the model's own, shared and not copied, and with `in_fp32` bf16 ones
    multiply many rows in fp32; such a net is not compiled. `quiet_s` tells for how many
    seconds no step was taken: only then is anything compiled.
    """

    def __init__(
        self,
        model: Any,
        make: Make | None = None,
        *,
        compiles: bool = True,
        in_fp32: bool = False,
        quiet_s: Callable[[], float] = lambda: inf,
    ) -> None:
        shared = {id(tensor): tensor for tensor in (*model.parameters(), *model.buffers())}
        self._model = copy.deepcopy(model, memo=shared).eval()
        config = self._model.config.get_text_config(decoder=True)
        self._model.config._attn_implementation = config._attn_implementation = _ATTENTION
        self._windows = _windows(config)
        self._keeps = "logits_to_keep" in inspect.signature(type(self._model).forward).parameters
        if make is not None:
            pack(self._model, make)
        elif in_fp32:
            multiply_in_fp32(self._model)
        layers = _layers(self._model, config.num_hidden_layers)
        groups = wrap_layers(layers, getattr(config, "layer_types", None) or [""] * len(layers))
        self.shape = shape_of(config, self._model)
        # What the scores are before they are widened: a trace keeps them so, and loses nothing.
        heads = (module.dtype for module in self._model.modules() if isinstance(module, OutputHead))
        self.dtype: torch.dtype = next(heads, self.shape.dtype)
        self._graphs = Graphs(self._stepped) if self.shape.device.type == "cuda" else None
        self.compiler: Compiler | None = None
        if compiles and self.shape.device.type == "cpu":
            self.compiler = AheadOfTime(groups, config, self._called, quiet_s)
        elif compiles:
            self.compiler = self._in_process(groups)

    @property
    def model(self) -> nn.Module:
        """Its modules, with the weights as they were packed."""
        model: nn.Module = self._model
        return model

    def step(self, slots: KVSlots, tokens: Tensor, positions: Tensor) -> Tensor:
        """The scores [rows, vocab] after one more token a row; the rows are the first slots, in their order."""
        shape = (len(tokens), slots.length)
        self.want(shape)
        step = self._stepped if self._graphs is None else self._graphs.step
        return step(slots, tokens, positions, self.compiler is not None and self.compiler.ready(shape))

    def want(self, *shapes: tuple[int, int]) -> None:
        """Gets steps of so many rows and positions compiled; until then they run eager."""
        if self.compiler is not None:
            self.compiler.want(*shapes)

    def _stepped(self, slots: KVSlots, tokens: Tensor, positions: Tensor, compiled: bool) -> Tensor:
        return self._run(slots, 0, tokens[:, None], positions[:, None], compiled)[:, -1].float()

    def prefill(self, slots: KVSlots, first: int, tokens: Tensor, positions: Tensor) -> None:
        """Read pieces of prompts [rows, count] into the slots from `first` on, at these positions [rows, count].

        What lies behind the last of them is not looked at, and takes no time.
        """
        length = min(padded_length(int(positions.max()) + 1), slots.length)
        self._run(slots, first, tokens, positions, False, model=self._model.base_model, length=length)

    def verify(self, slots: KVSlots, slot: int, tokens: Tensor, start: int) -> Tensor:
        """The scores [count, vocab] after each of these tokens [count], read into one slot from `start` on.

        Never compiled: over packed weights on a CPU that gained nothing once a pass read more than one token.
        """
        positions = torch.arange(start, start + len(tokens), device=tokens.device)[None]
        return self._run(slots, slot, tokens[None], positions, False, keep=0)[0].float()

    def _run(
        self,
        slots: KVSlots,
        first: int,
        tokens: Tensor,
        positions: Tensor,
        compiled: bool,
        *,
        model: Any = None,
        keep: int = 1,
        length: int | None = None,
        captures: bool = False,
    ) -> Tensor:
        """Scores [rows, `keep` or more, vocab], all where `keep` is 0; what the layers give if `model` has no head."""
        rows = torch.arange(len(tokens), device=tokens.device)[:, None]
        model = self._model if model is None else model
        given: dict[str, Any] = {"logits_to_keep": keep} if self._keeps and model is not self._model.base_model else {}
        found = model(
            input_ids=tokens,
            position_ids=positions,
            attention_mask=self._mask(positions, slots.length if length is None else length),
            past_key_values=BatchCache(slots.layers(first, len(tokens), length), rows, positions, compiled, captures),
            use_cache=True,
            return_dict=True,
            **given,
        )
        scores: Tensor = found.logits if hasattr(found, "logits") else found.last_hidden_state
        return scores

    def _mask(self, positions: Tensor, length: int) -> Any:
        """What is added to the scores [rows, 1, tokens, length]; several where layers differ in their window."""
        places = torch.arange(length, device=positions.device)
        behind = positions[:, None, :, None] - places
        masks = {
            kind: torch.where((behind >= 0) & (behind < (window or length + 1)), 0.0, -torch.inf)
            for kind, window in self._windows.items()
        }
        return next(iter(masks.values())) if len(masks) == 1 else masks

    @torch.inference_mode()
    def _called(self, shape: tuple[int, int]) -> Tensor:
        """One step of this shape over slots of its own; every wrapper remembers how its layer was called.
        Gives a hidden state as layers take it."""
        slots = KVSlots(self.shape)
        slots.fit(*shape)
        zeros = torch.zeros((shape[0], 1), dtype=torch.long, device=self.shape.device)
        return self._run(slots, 0, zeros, zeros, False, model=self._model.base_model, captures=True)

    def _in_process(self, groups: Sequence[list[LayerWrapper]]) -> InProcess:
        """What compiles must not meet what steps in a module of both; they share the weights, and what was compiled."""

        def call(shape: tuple[int, int], compiled: bool) -> None:
            slots = KVSlots(self.shape)
            slots.fit(*shape)
            zeros = torch.zeros((shape[0], 1), dtype=torch.long, device=self.shape.device)
            self._run(slots, 0, zeros, zeros, compiled, model=rehearsal.base_model)

        made = InProcess(groups, call)
        kept = {id(tensor): tensor for tensor in (*self._model.parameters(), *self._model.buffers())}
        rehearsal = copy.deepcopy(self._model, memo=kept)
        return made


def why_not(model: Any) -> Text | None:
    """Why this model cannot run here; None where it can."""
    config = model.config.get_text_config(decoder=True)
    if config.model_type not in FAMILIES:
        kind = config.model_type
        return Text(f"{kind} models run on the exact path only.", f"{kind} 类模型只能走精确路径。")
    if capabilities.of(model) != capabilities.Capabilities():
        return Text(
            "Its rows cannot share one pass over one cache, so it runs on the exact path only.",
            "它的各行无法共用一次前向计算和同一缓存，因此只能走精确路径。",
        )
    packed = getattr(getattr(model, "hf_quantizer", None), "quantization_config", None)
    if packed is not None and packed.quant_method in ("torchao", "bitsandbytes"):
        by = packed.quant_method.value
        return Text(f"Weights packed by {by} run on the exact path only.", f"由 {by} 量化的权重只能走精确路径。")
    if len({parameter.device for parameter in model.parameters()}) != 1:
        return Text(
            "The model is spread over several devices, so it runs on the exact path only.",
            "模型分布在多个设备上，只能走精确路径。",
        )
    if scaled_from(model) < inf:
        return Text(
            "It scales its positions by the length of a text, so it runs on the exact path only.",
            "它按文本长度缩放位置，因此只能走精确路径。",
        )
    if getattr(config, "scale_attn_by_inverse_layer_idx", False):
        return Text(
            "Its layers differ in more than their weights, so it runs on the exact path only.",
            "各层的差异不止于权重，因此只能走精确路径。",
        )
    return None


def _layers(model: nn.Module, count: int) -> nn.ModuleList:
    for module in model.modules():
        if isinstance(module, nn.ModuleList) and len(module) == count:
            return module
    raise LookupError("no list of layers was found")


def shape_of(config: Any, model: Any) -> Shape:
    """What one position of one row holds, by a text configuration and the type of the model's weights."""
    heads = config.num_attention_heads
    parameter = next(model.parameters())
    return Shape(
        layers=config.num_hidden_layers,
        heads=getattr(config, "num_key_value_heads", None) or heads,
        width=getattr(config, "head_dim", None) or config.hidden_size // heads,
        dtype=parameter.dtype,
        device=parameter.device,
    )


def _windows(config: Any) -> dict[str, int | None]:
    """How far each kind of layer looks back; None for all the way."""
    window = getattr(config, "sliding_window", None)
    kinds = set(getattr(config, "layer_types", None) or ())
    if not kinds:
        return {"full_attention": window if getattr(config, "use_sliding_window", True) else None}
    return {kind: window if kind == "sliding_attention" else None for kind in sorted(kinds)}
