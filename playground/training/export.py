"""What was learned as files for others: an adapter that peft loads, or whole weights that plain transformers loads.

A target is written beside its place and moved there when it is whole: nothing half written is taken for a model.
"""

from __future__ import annotations

import json
import secrets
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from playground.machine.disk import DiskError
from playground.models import adapters, load
from playground.models.loading import quiet
from playground.models.model_choice import ModelChoice
from playground.training.model_card import public_name
from playground.types import InvalidRequest, ProgressReport, Text


def export_adapter(adapter: str, target: Path, base: str, texts: dict[str, str] | None = None) -> Path:
    """The adapter of a folder as peft itself wrote it, with the base's public name in it and `texts` (a model card, its
    curves) by their file names. Raises ModelError for what is no adapter, InvalidRequest where the target is there
    already, DiskError."""
    found = adapters.read(adapter)
    with whole_folder(target) as part:
        for name in (adapters.WEIGHTS, adapters.BASE):
            if (found.folder / name).is_file():
                shutil.copyfile(found.folder / name, part / name)
        config = json.loads((found.folder / adapters.CONFIG).read_text(encoding="utf-8"))
        config["base_model_name_or_path"] = public_name(base)
        (part / adapters.CONFIG).write_text(json.dumps(config, indent=2, sort_keys=True), encoding="utf-8")
        write_texts(part, texts)
    return target


def export_merged(
    choice: ModelChoice, target: Path, texts: dict[str, str] | None = None, report: ProgressReport = quiet
) -> Path:
    """The weights of base and adapter as one model in safetensors, with tokenizer and chat template.

    The number format is that of the choice: bf16, or fp32 where that is asked for. Raises ModelError, InvalidRequest
    where the target is there already, DiskError."""
    check_free(target)
    loaded = load(
        choice.name,
        weights="fp32" if choice.weights == "fp32" else "bf16",
        max_memory=dict(choice.max_memory) or None,
        trust_remote_code=choice.trust_remote_code,
        adapter=choice.adapter,
        adapter_share=choice.adapter_share,
        report=report,
    )
    model = loaded.model
    if loaded.turn_ends:  # of a GGUF file: other programs read them from here
        own = model.generation_config.eos_token_id
        own = own if isinstance(own, list) else [] if own is None else [own]
        model.generation_config.eos_token_id = list(dict.fromkeys([*own, *loaded.turn_ends]))
    if choice.chat_template is not None:
        loaded.tokenizer.chat_template = choice.chat_template
    with whole_folder(target) as part:
        model.save_pretrained(part)
        loaded.tokenizer.save_pretrained(part)
        write_texts(part, texts)
    return target


def check_free(target: Path) -> None:
    """Raises InvalidRequest where something is there already."""
    if target.exists():
        raise InvalidRequest(
            Text(f"There is something at {str(target)[-200:]!r} already.", f"{str(target)[-200:]!r} 已存在。"),
            Text("Name a folder or file that is not there yet.", "请指定尚不存在的文件夹或文件。"),
            parameter="target",
        )


@contextmanager
def whole_folder(target: Path) -> Iterator[Path]:
    """An empty folder beside the target, which takes its place once all is written. Raises InvalidRequest and
    DiskError."""
    check_free(target)
    part = target.with_name(f"{target.name}.{secrets.token_hex(4)}.part")
    try:
        part.mkdir(parents=True)
        yield part
        part.rename(target)
    except OSError as error:
        raise DiskError(error) from error
    finally:
        shutil.rmtree(part, ignore_errors=True)


def write_texts(folder: Path, texts: dict[str, str] | None) -> None:
    """Small files beside the weights, by name."""
    for name, text in (texts or {}).items():
        (folder / name).write_text(text, encoding="utf-8")
