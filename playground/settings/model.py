"""Which model is loaded, and where its weights go. app.py takes these settings, and so do commands of the terminal."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from playground.settings.engines import EngineSettings
from playground.settings.kinds import ChoiceKind, MemoryKind, ShareKind, SwitchKind, TextKind
from playground.settings.setting import APP, Setting
from playground.types import Text

WEIGHTS = ("auto", "fp32", "bf16", "int8", "int4")
_PROGRAMS = (APP, "generate", "batch", "measure")
_TRAIN = (*_PROGRAMS, "train start")


@dataclass(frozen=True, slots=True)
class ModelSettings(EngineSettings):
    """The model and its placement. `max_memory` maps a device ("cpu" or the number of a GPU) to bytes."""

    model: str | None = Setting(
        kind=TextKind("MODEL"),
        group="model",
        help=Text("short name, hub id, local folder or GGUF file", "短名称、模型库编号、本地文件夹或 GGUF 文件"),
        unset=Text("the embedded SmolLM2-135M-Instruct", "内置的 SmolLM2-135M-Instruct"),
        programs=_TRAIN,
    ).optional()
    weights: str = Setting(
        kind=ChoiceKind(WEIGHTS),
        group="model",
        help=Text("number format of the weights", "权重的数字格式"),
        default="auto",
        programs=_PROGRAMS,
    ).value()
    adapter: str | None = Setting(
        kind=TextKind("FOLDER"),
        group="model",
        help=Text(
            "folder of a LoRA adapter that is merged into the model's weights, or a training's folder or id",
            "要合入模型权重的 LoRA 适配器文件夹，或训练的文件夹或编号",
        ),
        unset=Text("none", "无"),
        programs=_PROGRAMS,
    ).optional()
    adapter_share: float = Setting(
        kind=ShareKind(),
        group="model",
        help=Text(
            "how much of the adapter: 0 is the model without it, 1 all of it",
            "适配器的比例：0 为不使用，1 为全部",
        ),
        default=1.0,
        programs=_PROGRAMS,
        needs="adapter",
    ).value()
    max_memory: Mapping[str | int, int] | None = Setting(
        kind=MemoryKind(),
        group="model",
        help=Text("memory that each device may use; the rest goes to disk", "每个设备可用的内存；其余部分放到磁盘"),
        unset=Text("as much as the device has", "设备的全部内存"),
        programs=_TRAIN,
    ).optional()
    offload_folder: str | None = Setting(
        kind=TextKind("FOLDER"),
        group="model",
        help=Text("folder for weights that fit no device", "放不进任何设备的权重所用的文件夹"),
        unset=Text("below the cache folder", "位于缓存文件夹中"),
        programs=_PROGRAMS,
    ).optional()
    trust_remote_code: bool = Setting(
        kind=SwitchKind(),
        group="model",
        help=Text(
            "run Python code that comes with a model, which can do whatever you can",
            "运行模型自带的 Python 代码，它拥有与你相同的权限",
        ),
        default=False,
        programs=_TRAIN,
    ).value()
