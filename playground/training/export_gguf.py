"""A folder of safetensors as one GGUF file for llama.cpp, for the kinds of models whose tensors are one to one.

What is not sure to be read as it was trained is refused with what else to run. The format is llama.cpp's:
https://github.com/ggml-org/ggml/blob/master/docs/gguf.md
"""

from __future__ import annotations

import json
import secrets
from collections.abc import Iterator, Mapping
from contextlib import ExitStack
from dataclasses import dataclass
from math import prod
from pathlib import Path
from typing import Any

import gguf
import numpy as np
from gguf import MODEL_ARCH, GGMLQuantizationType
from safetensors import safe_open
from tokenizers import Tokenizer

from playground.machine.disk import DiskError
from playground.training import pre_tokenizers
from playground.training.export import check_free
from playground.types import ModelError, Text

ARCHITECTURES = {"llama": MODEL_ARCH.LLAMA, "qwen2": MODEL_ARCH.QWEN2, "qwen3": MODEL_ARCH.QWEN3}
FORMATS = {
    "bf16": GGMLQuantizationType.BF16,
    "fp32": GGMLQuantizationType.F32,
    "q8_0": GGMLQuantizationType.Q8_0,
}
_FILE_TYPES = {
    "bf16": gguf.LlamaFileType.MOSTLY_BF16,
    "fp32": gguf.LlamaFileType.ALL_F32,
    "q8_0": gguf.LlamaFileType.MOSTLY_Q8_0,
}
_OTHERWISE = Text(
    "Export it merged, and run llama.cpp's convert_hf_to_gguf.py on that folder.",
    "请先合并导出，再对该文件夹运行 llama.cpp 的 convert_hf_to_gguf.py。",
)


@dataclass(frozen=True, slots=True)
class _Source:
    """A tensor by its name in the file and in the folder."""

    written: str
    stored: str
    opened: Any

    def values(self, heads: int) -> np.ndarray[Any, Any]:
        """In fp32; `heads` are those by which llama.cpp wants the rows in another order, 0 for none."""
        found: np.ndarray[Any, Any] = self.opened.get_tensor(self.stored).float().numpy()
        if not heads:
            return found
        # transformers turns the two halves of a head against each other, llama.cpp neighbours.
        rows = found.reshape(heads, 2, found.shape[0] // heads // 2, *found.shape[1:])
        return np.ascontiguousarray(rows.swapaxes(1, 2)).reshape(found.shape)


def export_gguf(folder: Path, target: Path, title: str, numbers: str = "bf16") -> Path:
    """Writes the model of a folder in safetensors, as `export_merged` makes it, into a GGUF file with these `numbers`.

    Raises ModelError where llama.cpp would not read it as it is, InvalidRequest where the target is there already, and
    DiskError."""
    check_free(target)
    config = json.loads((folder / "config.json").read_text(encoding="utf-8"))
    architecture = _architecture(config, title)
    part = target.with_name(f"{target.name}.{secrets.token_hex(4)}.part")
    try:
        with ExitStack() as opened:
            sources = list(_sources(folder, architecture, config["num_hidden_layers"], title, opened))
            writer = gguf.GGUFWriter(part, gguf.MODEL_ARCH_NAMES[architecture])
            _write_facts(writer, config, title, numbers)
            _write_vocabulary(writer, folder, config, title)
            _write_tensors(writer, sources, config, numbers)
        part.rename(target)
    except OSError as error:
        raise DiskError(error) from error
    finally:
        part.unlink(missing_ok=True)
    return target


def _architecture(config: Mapping[str, Any], title: str) -> MODEL_ARCH:
    kind = str(config.get("model_type"))
    if kind not in ARCHITECTURES:
        known = ", ".join(ARCHITECTURES)
        raise _refused(
            title,
            Text(f"it is of the kind {kind}, and GGUF is written for {known} here",
                 f"它属于 {kind} 类，而这里只能为 {known} 写 GGUF"),
        )  # fmt: skip
    rope = config.get("rope_parameters") or {}
    if rope.get("rope_type", "default") != "default" or config.get("use_sliding_window"):
        raise _refused(
            title, Text("its positions are stretched, or its window slides", "它使用了位置缩放或滑动窗口")
        )
    return ARCHITECTURES[kind]


def _sources(
    folder: Path, architecture: MODEL_ARCH, layers: int, title: str, opened: ExitStack
) -> Iterator[_Source]:
    names = gguf.get_tensor_name_map(architecture, layers)
    for file in sorted(folder.glob("*.safetensors")):
        stored = opened.enter_context(safe_open(file, framework="pt"))
        for name in stored.keys():  # noqa: SIM118 - no dict
            written = names.get_name(name, try_suffixes=(".weight", ".bias"))
            turned = architecture == MODEL_ARCH.LLAMA and name.endswith(".bias")
            if written is None or turned:
                raise _refused(
                    title,
                    Text(f"llama.cpp has no tensor for {name}", f"llama.cpp 中没有与 {name} 对应的张量"),
                )
            yield _Source(written, name, stored)


def _write_facts(writer: Any, config: Mapping[str, Any], title: str, numbers: str) -> None:
    heads = config["num_attention_heads"]
    head = config.get("head_dim") or config["hidden_size"] // heads
    theta = (config.get("rope_parameters") or {}).get("rope_theta") or config.get("rope_theta") or 10_000.0
    writer.add_name(title)
    writer.add_file_type(_FILE_TYPES[numbers])
    writer.add_block_count(config["num_hidden_layers"])
    writer.add_context_length(config["max_position_embeddings"])
    writer.add_embedding_length(config["hidden_size"])
    writer.add_feed_forward_length(config["intermediate_size"])
    writer.add_head_count(heads)
    writer.add_head_count_kv(config.get("num_key_value_heads") or heads)
    writer.add_key_length(head)
    writer.add_value_length(head)
    writer.add_rope_dimension_count(head)
    writer.add_rope_freq_base(theta)
    writer.add_layer_norm_rms_eps(config["rms_norm_eps"])
    writer.add_vocab_size(config["vocab_size"])


def _write_vocabulary(writer: Any, folder: Path, config: Mapping[str, Any], title: str) -> None:
    file = folder / "tokenizer.json"
    tokenizer = Tokenizer.from_file(str(file)) if file.is_file() else None
    pre = None if tokenizer is None else pre_tokenizers.name_of(tokenizer)
    if tokenizer is None or pre is None:
        raise _refused(
            title, Text("its tokenizer is none that is known by name here", "这里无法按名称识别它的分词器")
        )
    size = config["vocab_size"]
    by_id = {id: text for text, id in tokenizer.get_vocab(with_added_tokens=True).items()}
    added = tokenizer.get_added_tokens_decoder()
    kinds = gguf.TokenType
    texts, types = [], []
    for id in range(size):
        texts.append(by_id.get(id, f"[PAD{id}]"))
        if id not in by_id:
            types.append(kinds.UNUSED)
        elif id in added:
            types.append(kinds.CONTROL if added[id].special else kinds.USER_DEFINED)
        else:
            types.append(kinds.NORMAL)
    writer.add_tokenizer_model("gpt2")
    writer.add_tokenizer_pre(pre)
    writer.add_token_list(texts)
    writer.add_token_types(types)
    special = gguf.SpecialVocab(folder, load_merges=True, n_vocab=size)
    special.add_special_token = {"bos": False, **special.add_special_token}
    special.add_to_gguf(writer, quiet=True)


def _write_tensors(writer: Any, sources: list[_Source], config: Mapping[str, Any], numbers: str) -> None:
    """One at a time, so that no more than the largest is in memory."""
    kinds = {}
    for one in sources:
        shape = tuple(one.opened.get_slice(one.stored).get_shape())
        kind = kinds[one.written] = _kind(shape, FORMATS[numbers])
        # gguf's name for bytes is uint8, of which a row has as many as its blocks take.
        rows = shape if kind == GGMLQuantizationType.F32 else gguf.quants.quant_shape_to_byte_shape(shape, kind)
        stored = np.dtype(np.float32 if kind == GGMLQuantizationType.F32 else np.uint8)
        writer.add_tensor_info(one.written, rows, stored, prod(rows) * stored.itemsize, raw_dtype=kind)
    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.write_ti_data_to_file()
    for one in sources:
        writer.write_tensor_data(gguf.quants.quantize(one.values(_heads(one.written, config)), kinds[one.written]))
    writer.close()


def _kind(shape: tuple[int, ...], wanted: GGMLQuantizationType) -> GGMLQuantizationType:
    """llama.cpp wants vectors in fp32, and what cannot be cut into blocks stays in 16 bits."""
    if len(shape) < 2:
        return GGMLQuantizationType.F32
    block, _ = gguf.GGML_QUANT_SIZES[wanted]
    return wanted if shape[-1] % block == 0 else GGMLQuantizationType.BF16


def _heads(name: str, config: Mapping[str, Any]) -> int:
    """By how many heads the rows of a tensor are put into llama.cpp's order; 0 for a tensor whose rows stay."""
    if config["model_type"] != "llama":
        return 0
    part = name.split(".")[-2]
    heads = config["num_attention_heads"]
    return {"attn_q": heads, "attn_k": config.get("num_key_value_heads") or heads}.get(part, 0)


def _refused(title: str, why: Text) -> ModelError:
    return ModelError(
        Text(f"{title} cannot be written as GGUF here: {why.en}.", f"无法在这里把 {title} 写成 GGUF：{why.zh}。"),
        _OTHERWISE,
    )
