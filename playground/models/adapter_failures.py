"""What can be wrong with an adapter, each as one sentence in two languages with what to do.

Knows nothing of how adapters are read or put into weights.
"""

from __future__ import annotations

from collections.abc import Sequence

from playground.models.failures import scrub
from playground.types import ModelError, Text

_SHOWN = 100  # characters of what somebody typed
_FOLDER_HINT = Text(
    "Name a folder that peft's save_pretrained wrote, with adapter_config.json and adapter_model.safetensors.",
    "请指定由 peft 的 save_pretrained 写出的文件夹，其中有 adapter_config.json 和 adapter_model.safetensors。",
)
_MERGE_HINT = Text(
    "Merge it in peft (merge_and_unload, save_pretrained) and load the folder as a model.",
    "请在 peft 中合并（merge_and_unload、save_pretrained），再把该文件夹作为模型加载。",
)
_BASE_HINT = Text("Load the model that it was trained on.", "请加载训练它时所用的模型。")


def no_folder(given: str) -> ModelError:
    shown = given[:_SHOWN]
    return ModelError(
        Text(f"There is no folder {shown!r} of an adapter.", f"没有适配器文件夹 {shown!r}。"), _FOLDER_HINT
    )


def no_adapter(given: str) -> ModelError:
    shown = given[:_SHOWN]
    return ModelError(
        Text(
            f"{shown!r} is not the folder of an adapter: it has no adapter_config.json.",
            f"{shown!r} 不是适配器文件夹：其中没有 adapter_config.json。",
        ),
        _FOLDER_HINT,
    )


def no_weights(given: str) -> ModelError:
    shown = given[:_SHOWN]
    return ModelError(
        Text(
            f"The adapter {shown!r} has no adapter_model.safetensors.",
            f"适配器 {shown!r} 中没有 adapter_model.safetensors。",
        ),
        _FOLDER_HINT,
    )


def pickled(given: str) -> ModelError:
    shown = given[:_SHOWN]
    return ModelError(
        Text(
            f"The weights of the adapter {shown!r} are a pickle (adapter_model.bin), which could run code: not read.",
            f"适配器 {shown!r} 的权重是 pickle 文件（adapter_model.bin），可能执行代码，因此不予读取。",
        ),
        Text(
            "Load it in peft once and save it again, which writes safetensors.",
            "请在 peft 中加载一次并重新保存，这样会写成 safetensors。",
        ),
    )


def unreadable_adapter(name: str, detail: str) -> ModelError:
    said = scrub(detail).rstrip(". 。")
    return ModelError(
        Text(f"The adapter {name!r} cannot be read: {said}.", f"无法读取适配器 {name!r}：{said}。"),
        Text("Save or copy it again.", "请重新保存或复制。"),
    )


def other_kind(name: str, kind: str) -> ModelError:
    return ModelError(
        Text(
            f"The adapter {name!r} is of peft's kind {kind}; only LoRA can be put into a model's weights here.",
            f"适配器 {name!r} 属于 peft 的 {kind} 类型；这里只能把 LoRA 合入模型权重。",
        ),
        _MERGE_HINT,
    )


def beyond(name: str, what: str) -> ModelError:
    """With what of its configuration or its tensors is not known here."""
    return ModelError(
        Text(
            f"The adapter {name!r} uses what is not known here: {what}.",
            f"适配器 {name!r} 用到了这里不支持的内容：{what}。",
        ),
        _MERGE_HINT,
    )


def another_base(name: str, title: str, trained: str, detail: Text) -> ModelError:
    """With what the adapter calls its base, "" where it says nothing, and what does not fit."""
    on_en = f", which was trained on {trained[:_SHOWN]}," if trained else ""
    on_zh = f"（训练自 {trained[:_SHOWN]}）" if trained else ""
    return ModelError(
        Text(
            f"The adapter {name!r}{on_en} does not belong to {title}: {detail.en}.",
            f"适配器 {name!r}{on_zh}不属于 {title}：{detail.zh}。",
        ),
        _BASE_HINT,
    )


def no_module(path: str) -> Text:
    """Why an adapter does not fit: the base has no such matrix."""
    return Text(f"{title_of(path)} is not a matrix of that model", f"该模型中没有矩阵 {title_of(path)}")


def other_shape(path: str, stored: Sequence[int], wanted: Sequence[int]) -> Text:
    """Why an adapter does not fit: the base's matrix has another shape."""
    has, needs = (" × ".join(map(str, sizes)) for sizes in (stored, wanted))
    return Text(
        f"{title_of(path)} is {needs} there, and the adapter's is {has}",
        f"{title_of(path)} 在模型中为 {needs}，而适配器中为 {has}",
    )


OTHER_WEIGHTS = Text(
    "its matrices have the same sizes but hold other weights", "矩阵大小相同，但权重并非同一模型的权重"
)


def title_of(path: str) -> str:
    """The end of a long path, which says which matrix it is."""
    return path if len(path) <= _SHOWN else "…" + path[1 - _SHOWN :]


def not_finite(name: str, path: str) -> ModelError:
    return ModelError(
        Text(
            f"The adapter {name!r} is broken: with it, {title_of(path)} holds numbers that are not finite.",
            f"适配器 {name!r} 已损坏：合入后 {title_of(path)} 中出现非有限的数。",
        ),
        Text("Take an earlier checkpoint of its training.", "请使用其训练中较早的检查点。"),
    )


def on_disk(name: str, title: str) -> ModelError:
    return ModelError(
        Text(
            f"The adapter {name!r} cannot be put into {title}, part of which stays on disk.",
            f"{title} 的部分权重留在磁盘上，无法合入适配器 {name!r}。",
        ),
        Text("Give it more memory with --max-memory.", "请用 --max-memory 提供更多内存。"),
    )


def packed(name: str, weights: str) -> ModelError:
    return ModelError(
        Text(
            f"The adapter {name!r} cannot be put into weights that are packed while they load (--weights {weights}).",
            f"--weights {weights} 会在加载时压缩权重，无法合入适配器 {name!r}。",
        ),
        Text("Use --weights bf16.", "请使用 --weights bf16。"),
    )


def on_an_engine() -> ModelError:
    return ModelError(
        Text(
            "An engine holds its own model; an adapter is put into a model on this machine.",
            "引擎自行持有模型；适配器只能合入本机上的模型。",
        ),
        Text(
            "Load a model on this machine, or give the engine the adapter.",
            "请在本机加载模型，或让引擎加载该适配器。",
        ),
    )


def other_revision(name: str, trained: str, title: str) -> Text:
    """A notice: it fits, and was trained on other weights of the kind."""
    said = trained[:_SHOWN]
    return Text(
        f"The adapter {name!r} was trained on {said}, and not on these very weights of {title}.",
        f"适配器 {name!r} 训练自 {said}，而不是 {title} 的这份权重。",
    )
