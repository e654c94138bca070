"""What can be wrong with the files of a model's weights, each as one sentence in two languages with what to do.

Knows nothing of how files are found or read.
"""

from __future__ import annotations

from collections.abc import Sequence

from playground.amounts import bytes_text
from playground.models.failures import AGAIN_HINT
from playground.types import ModelError, Text


def parts_missing(name: str, count: int, missing: Sequence[str]) -> ModelError:
    listed = ", ".join(missing[:5]) + (" …" if len(missing) > 5 else "")
    return ModelError(
        Text(
            f"The weights of {name!r} are {count} files, and {len(missing)} of them are not there: {listed}.",
            f"{name!r} 的权重共有 {count} 个文件，缺少其中 {len(missing)} 个：{listed}。",
        ),
        Text(
            "Download the missing ones into the same folder, under these names.",
            "请把缺少的文件下载到同一文件夹，并保持这些文件名。",
        ),
    )


def half_split(name: str, number: int, count: int) -> ModelError:
    last = f"-{number:05}-of-{count:05}.gguf"
    return ModelError(
        Text(
            f"{name!r} is only part {number} of the {count} files of a model.",
            f"{name!r} 只是一个模型 {count} 个文件中的第 {number} 个。",
        ),
        Text(
            f"Put all of them into one folder under names that end in {last} and so on, and name any of them.",
            f"请把全部文件放在同一文件夹，文件名以 {last} 这样的编号结尾，然后指定其中任意一个。",
        ),
    )


def other_part(file: str) -> ModelError:
    return ModelError(
        Text(
            f"{file!r} is not the part that its name says, or belongs to another model.",
            f"{file!r} 与其文件名所示的部分不符，或属于另一个模型。",
        ),
        Text("Download all parts of the same model again.", "请重新下载同一模型的全部文件。"),
    )


def no_room_to_join(name: str, needed: int, folder: str) -> ModelError:
    return ModelError(
        Text(
            f"Joining the files of {name!r} needs {bytes_text(needed)} in {folder}, which has less free.",
            f"合并 {name!r} 的文件需要在 {folder} 中有 {bytes_text(needed)} 可用空间，目前不足。",
        ),
        Text(
            "Free it, set PLAYGROUND_CACHE to another folder, or join them with llama.cpp's gguf-split --merge.",
            "请腾出空间，用 PLAYGROUND_CACHE 指定其他文件夹，或用 llama.cpp 的 gguf-split --merge 合并。",
        ),
    )


def cut_off(name: str, file: str, size: int, wanted: int) -> ModelError:
    """With the bytes that are there and those that the file says it has, where they are known."""
    each, unit = (1e6, "MB") if wanted >= 1e8 else (1, "bytes")
    en = f": {size / each:,.0f} of {wanted / each:,.0f} {unit} are there" if wanted else ""
    unit = unit.replace("bytes", "字节")
    zh = f"：共 {wanted / each:,.0f} {unit}，只有 {size / each:,.0f} {unit}" if wanted else ""
    return ModelError(
        Text(f"{file} of {name!r} is cut off{en}.", f"{name!r} 的 {file} 不完整{zh}。"),
        Text("Its download or copy was interrupted: fetch it again.", "下载或复制被中断，请重新获取该文件。"),
    )


def unreadable_file(name: str, file: str) -> ModelError:
    return ModelError(
        Text(
            f"{file} of {name!r} is damaged, or not what its name says.", f"{name!r} 的 {file} 已损坏，或与文件名不符。"
        ),
        AGAIN_HINT,
    )


def only_a_pointer(name: str, file: str) -> ModelError:
    return ModelError(
        Text(
            f"{file} of {name!r} is a pointer of Git LFS and not the file itself.",
            f"{name!r} 的 {file} 只是 Git LFS 指针，不是文件本身。",
        ),
        Text(
            "Run git lfs pull in its folder, or download the file.", "请在其文件夹中运行 git lfs pull，或下载该文件。"
        ),
    )


def mismatched(name: str, tensor: str, stored: Sequence[int], wanted: Sequence[int], count: int) -> ModelError:
    """With one tensor's size in the weights and by the configuration, and how many differ."""
    has, needs = (" × ".join(map(str, sizes)) for sizes in (stored, wanted))
    more_en, more_zh = (f", and {count - 1} more differ", f"，另有 {count - 1} 个不同") if count > 1 else ("", "")
    return ModelError(
        Text(
            f"The weights of {name!r} do not fit its configuration: {tensor} is {has} in the files, and the "
            f"configuration asks for {needs}{more_en}.",
            f"{name!r} 的权重与其配置不符：{tensor} 在文件中为 {has}，而配置要求 {needs}{more_zh}。",
        ),
        Text(
            "Take config.json and the weights from the same model and version.",
            "请使用同一模型、同一版本的 config.json 和权重。",
        ),
    )


def more_layers(name: str, tensor: str, count: int) -> ModelError:
    """With one tensor that the configuration has no layer for, and how many there are."""
    more_en, more_zh = (f", and {count - 1} more", f"等 {count} 个张量") if count > 1 else ("", "")
    return ModelError(
        Text(
            f"The weights of {name!r} do not fit its configuration: they hold {tensor}{more_en}, for which it has no "
            "layer.",
            f"{name!r} 的权重与其配置不符：其中有 {tensor}{more_zh}，而配置中没有对应的层。",
        ),
        Text(
            "Take config.json and the weights from the same model and version.",
            "请使用同一模型、同一版本的 config.json 和权重。",
        ),
    )


def no_configuration(name: str) -> ModelError:
    return ModelError(
        Text(f"{name!r} has weights and no config.json.", f"{name!r} 有权重，但没有 config.json。"),
        Text("Take it from where the weights come from.", "请从权重的来源处获取该文件。"),
    )


def no_tokenizer(name: str) -> ModelError:
    return ModelError(
        Text(f"{name!r} has no tokenizer.", f"{name!r} 没有分词器。"),
        Text(
            "Take tokenizer.json and tokenizer_config.json from where the weights come from.",
            "请从权重的来源处获取 tokenizer.json 和 tokenizer_config.json。",
        ),
    )
