"""LoRA matrices beside a model's weights, by peft: made, kept as files, and read again. Knows no data and no run.

peft is optional: what is missing is said in one sentence. Nothing here asks the hub.
"""

from __future__ import annotations

import importlib.util
import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import safetensors.torch
import torch

from playground.models import Loaded, adapter_base
from playground.training.method_settings import ALL_LINEAR
from playground.types import InvalidRequest, ModelError, Text

INSTALL = "pip install -r requirements-train.txt -c constraints.txt"
WEIGHTS = "adapter_model.safetensors"
CONFIG = "adapter_config.json"


def check_peft() -> None:
    """Raises ModelError, with how to get it, where peft is not installed."""
    if importlib.util.find_spec("peft") is None:
        raise ModelError(
            Text(
                "Training with LoRA needs the package peft, which is not installed.",
                "LoRA 训练需要软件包 peft，尚未安装。",
            ),
            Text(f"Get it with: {INSTALL}", f"请运行：{INSTALL}"),
        )


def with_adapter(loaded: Loaded, settings: Mapping[str, Any]) -> Any:
    """The model with fresh LoRA matrices, which alone are trained; before the first step it writes as its base does.

    Raises ModelError without peft, and InvalidRequest where the target modules are none of this model's.
    """
    check_peft()
    import peft

    wanted = settings["target_modules"].strip() or ALL_LINEAR
    alpha = settings["alpha"]
    config = peft.LoraConfig(
        task_type="CAUSAL_LM",
        r=settings["rank"],
        lora_alpha=int(alpha) if float(alpha).is_integer() else alpha,
        lora_dropout=settings["dropout"],
        target_modules=ALL_LINEAR
        if wanted == ALL_LINEAR
        else [one.strip() for one in wanted.split(",") if one.strip()],
        use_rslora=settings["rslora"],
        use_dora=settings["dora"],
        base_model_name_or_path=loaded.card.id,
    )
    torch.manual_seed(settings["seed"])
    try:
        return peft.get_peft_model(loaded.model, config)
    except (ValueError, NotImplementedError) as error:
        raise InvalidRequest(
            Text(
                f"target_modules: {loaded.card.title} has no weights {wanted[:200]!r} that LoRA can be put beside.",
                f"target_modules：{loaded.card.title} 没有可添加 LoRA 的 {wanted[:200]!r} 权重。",
            ),
            Text(
                f"Write {ALL_LINEAR}, or names like {', '.join(linear_names(loaded.model)[:4])}.",
                f"请填写 {ALL_LINEAR}，或如 {'、'.join(linear_names(loaded.model)[:4])} 的名称。",
            ),
            parameter="target_modules",
        ) from error


def linear_names(model: Any) -> list[str]:
    """What matrices of a model are called, each name once."""
    names = [name.rpartition(".")[2] for name, module in model.named_modules() if type(module) is torch.nn.Linear]
    return sorted(set(names))


def is_adapted(model: Any) -> bool:
    """Whether peft has put matrices beside its weights."""
    return hasattr(model, "peft_config")


def save_adapter(model: Any, folder: Path, state: Any = None) -> None:
    """Writes weights and configuration in peft's own format; `state` holds the weights where the model itself does not.
    Raises OSError, or safetensors' own error."""
    from peft import get_peft_model_state_dict

    folder.mkdir(parents=True, exist_ok=True)
    found = get_peft_model_state_dict(model, state_dict=state, save_embedding_layers=False)
    tensors = {name: tensor.detach().cpu().contiguous() for name, tensor in found.items()}
    safetensors.torch.save_file(tensors, folder / WEIGHTS, metadata={"format": "pt"})
    config = model.peft_config["default"].to_dict()
    plain = {name: sorted(value) if isinstance(value, set) else value for name, value in config.items()}
    plain["inference_mode"] = True
    (folder / CONFIG).write_text(json.dumps(plain, indent=2, sort_keys=True, default=str), encoding="utf-8")
    if state is None:  # where the weights are spread, no process has enough of them
        adapter_base.write(folder, model.get_base_model(), str(plain["base_model_name_or_path"]))


def load_adapter(model: Any, folder: Path) -> None:
    """Puts the kept matrices into the model. Raises OSError, or safetensors' own error."""
    from peft import set_peft_model_state_dict

    set_peft_model_state_dict(model, safetensors.torch.load_file(folder / WEIGHTS))
