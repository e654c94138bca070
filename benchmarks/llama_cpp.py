"""The peer to beat: llama.cpp's own llama-bench on the embedded model's weights in BF16.

`LLAMA_BENCH=` names the binary. Its figure is bare steps: it samples nothing, and starts with an empty context.
"""

from __future__ import annotations

import json
import os
import subprocess
from pathlib import Path

import numpy as np
import torch
from gguf import GGMLQuantizationType, GGUFReader, GGUFValueType, GGUFWriter, LlamaFileType, quants

from playground.machine.cache_folder import cache_root
from playground.models import embedded

VARIABLE = "LLAMA_BENCH"
ABSENT = f"{VARIABLE}= does not name a llama-bench."
_SPINNING = ("OMP_WAIT_POLICY", "GOMP_SPINCOUNT")  # our choices for torch, which would slow the peer down


def binary() -> Path | None:
    chosen = Path(os.environ.get(VARIABLE) or "llama-bench-is-not-set").expanduser()
    return chosen if chosen.is_file() else None


def rate(bench: Path, weights: Path, tokens: int) -> float:
    """Tokens/s of one stream, after llama-bench's own warm-up, with as many threads as torch has."""
    flags = ("-p", "0", "-n", str(tokens), "-t", str(torch.get_num_threads()), "-r", "1", "-o", "json")
    environment = {name: value for name, value in os.environ.items() if name not in _SPINNING}
    done = subprocess.run(
        [str(bench), "-m", str(weights), *flags], capture_output=True, text=True, env=environment, check=True
    )
    return float(json.loads(done.stdout)[0]["avg_ts"])


def bf16_file() -> Path:
    """The embedded GGUF file's own tensors in BF16, written once into the cache folder."""
    source = embedded.gguf_file()
    if source is None:
        raise embedded.missing()
    target = cache_root() / "benchmarks" / f"{source.stem}.BF16.gguf"
    if not target.is_file():
        target.parent.mkdir(parents=True, exist_ok=True)
        part = target.with_suffix(".part")
        _write(source, part)
        part.rename(target)
    return target


def _write(source: Path, target: Path) -> None:
    """Vectors stay in F32, as llama.cpp's own converter leaves them."""
    reader = GGUFReader(source)
    writer = GGUFWriter(target, str(reader.fields["general.architecture"].contents()))
    for name, field in reader.fields.items():
        if not name.startswith(("GGUF.", "general.architecture", "general.file_type")):
            inner = field.types[-1] if field.types[0] == GGUFValueType.ARRAY else None
            writer.add_key_value(name, field.contents(), field.types[0], inner)
    writer.add_file_type(LlamaFileType.MOSTLY_BF16)
    for tensor in reader.tensors:
        values = quants.dequantize(tensor.data, tensor.tensor_type).astype(np.float32)
        kind = GGMLQuantizationType.BF16 if values.ndim > 1 else GGMLQuantizationType.F32
        writer.add_tensor(tensor.name, quants.quantize(values, kind), raw_dtype=kind)
    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.write_tensors_to_file()
    writer.close()
