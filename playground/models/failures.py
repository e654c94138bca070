"""What can go wrong with a model, each as one sentence in two languages with what to do.

Knows exceptions by type and words, nothing of how models are found or loaded.
"""

from __future__ import annotations

import os
import pickle
import re
from collections.abc import Iterator, Sequence
from contextlib import contextmanager

from huggingface_hub.errors import (
    GatedRepoError,
    HfHubHTTPError,
    HFValidationError,
    OfflineModeIsEnabled,
    RepositoryNotFoundError,
)

from playground.types import ModelError, Text

_NAME_HINT = Text(
    "Check the spelling: a hub id looks like gpt2 or EleutherAI/gpt-j-6B; a local folder or a .gguf file works too.",
    "请检查拼写：模型库 id 形如 gpt2 或 EleutherAI/gpt-j-6B，也可以用本地文件夹或 .gguf 文件。",
)
_MEMORY_HINT = Text(
    "Take a smaller model, try --weights bf16, or give more with --max-memory (what does not fit goes to disk).",
    "请换用更小的模型，试试 --weights bf16，或用 --max-memory 提高上限（放不下的部分会放到磁盘）。",
)
_OTHER_HINT = Text(
    "Choose a causal language model (one that continues text).", "请选择因果语言模型（能续写文本的模型）。"
)
_AGAIN_HINT = Text("Download or copy it again.", "请重新下载或复制。")


def no_model(name: str) -> ModelError:
    return ModelError(Text(f"There is no model {name!r} on the hub.", f"模型库中没有 {name!r}。"), _NAME_HINT)


def no_file(name: str) -> ModelError:
    return ModelError(Text(f"There is no file or folder {name!r}.", f"没有文件或文件夹 {name!r}。"), _NAME_HINT)


def no_network(name: str) -> ModelError:
    return ModelError(
        Text(
            f"{name!r} is not on this machine, and the model hub cannot be reached.",
            f"本机没有 {name!r}，也无法连接模型库。",
        ),
        Text(
            "Connect to the network, check the spelling, or use the embedded model, a local folder or a .gguf file.",
            "请连接网络、检查拼写，或使用内置模型、本地文件夹或 .gguf 文件。",
        ),
    )


def no_weights(name: str) -> ModelError:
    return ModelError(
        Text(f"{name!r} holds no weights that can be loaded.", f"{name!r} 中没有可加载的权重。"),
        Text(
            "It needs model.safetensors, pytorch_model.bin or a .gguf file.",
            "需要 model.safetensors、pytorch_model.bin 或 .gguf 文件。",
        ),
    )


def no_memory(name: str, needed: int = 0, allowed: int = 0) -> ModelError:
    """With the bytes of the largest part and the bytes allowed, where they are known."""
    en = f": its largest part needs {needed / 1e6:,.0f} MB, and {allowed / 1e6:,.0f} MB are allowed" if needed else ""
    zh = f"：最大的部分需要 {needed / 1e6:,.0f} MB，而上限为 {allowed / 1e6:,.0f} MB" if needed else ""
    return ModelError(
        Text(f"There is too little memory for {name!r}{en}.", f"内存不足，无法加载 {name!r}{zh}。"), _MEMORY_HINT
    )


def no_device(number: int, count: int) -> ModelError:
    return ModelError(
        Text(
            f"--max-memory names GPU {number}, but this machine has {count}.",
            f"--max-memory 提到了 {number} 号显卡，但本机只有 {count} 张。",
        ),
        Text("GPUs are counted from 0; cpu=8GiB limits the main memory.", "显卡从 0 开始编号；cpu=8GiB 限制内存。"),
    )


def no_packer(weights: str, packages: Sequence[str]) -> ModelError:
    """With what could pack weights like this on a GPU."""
    first, second = packages
    return ModelError(
        Text(
            f"--weights {weights} on a GPU needs the package {first} or {second}, and neither is installed.",
            f"在显卡上使用 --weights {weights} 需要软件包 {first} 或 {second}，目前都没有安装。",
        ),
        Text(
            f"Install one (pip install {first}), or use --weights bf16.",
            f"请安装其中之一（pip install {first}），或使用 --weights bf16。",
        ),
    )


def packed_already(name: str, weights: str) -> ModelError:
    return ModelError(
        Text(
            f"{name!r} is a GGUF file, and --weights {weights} does not pack those again on a GPU.",
            f"{name!r} 是 GGUF 文件，在显卡上 --weights {weights} 不会再次压缩这类文件。",
        ),
        Text("Use --weights bf16, or the model's safetensors.", "请使用 --weights bf16，或该模型的 safetensors 版本。"),
    )


def not_causal(name: str, kind: str) -> ModelError:
    return ModelError(
        Text(f"{name!r} does not write text: it is a {kind}.", f"{name!r} 不是用来续写文本的：它是 {kind}。"),
        _OTHER_HINT,
    )


_DRAFTS = Text(
    "it drafts tokens for a Gemma 4 model and cannot write without that model's keys and values",
    "它只为 Gemma 4 模型起草词元，没有该模型的键和值就无法写作",
)
_SOUND = Text("it writes sound, not text", "它生成的是声音，而不是文本")
# Kinds that are counted among causal language models and cannot write a text, and why.
LACKING: dict[str, Text] = {
    "gemma4_assistant": _DRAFTS,
    "gemma4_unified_assistant": _DRAFTS,
    "musicgen": _SOUND,
    "musicgen_melody": _SOUND,
    "reformer": Text(
        "its hashing attention draws random numbers of its own, so no seed would write the same text twice",
        "它的哈希注意力会自行抽取随机数，因此同一种子无法写出相同的文本",
    ),
}


def lacking(name: str, kind: str) -> ModelError:
    """Of a kind in LACKING."""
    why = LACKING[kind]
    return ModelError(
        Text(f"{name!r} is a {kind} model: {why.en}.", f"{name!r} 属于 {kind} 类模型：{why.zh}。"), _OTHER_HINT
    )


def reads_both_ways(name: str) -> ModelError:
    return ModelError(
        Text(
            f"{name!r} cannot continue a text: it reads in both directions, as an encoder.",
            f"{name!r} 不能续写文本：它是双向阅读的编码器。",
        ),
        Text(
            "Choose a causal language model; a decoder of this kind has is_decoder set in its config.json.",
            "请选择因果语言模型；此类模型若是解码器，其 config.json 中 is_decoder 为 true。",
        ),
    )


def cannot_write(name: str, error: Exception) -> ModelError:
    """With what its own code says when it is to write."""
    words = scrub(str(error)) or type(error).__name__
    return ModelError(
        Text(
            f"{name!r} was loaded, but cannot continue a text: {words}",
            f"{name!r} 已加载，但无法续写文本：{words}",
        ),
        _OTHER_HINT,
    )


def needs_encoder(name: str, kind: str) -> ModelError:
    return ModelError(
        Text(
            f"{name!r} continues no text of its own: it is a {kind}, which answers what an encoder has read.",
            f"{name!r} 不能独立续写文本：它是 {kind}，需要编码器先读取输入。",
        ),
        _OTHER_HINT,
    )


def unsupported(name: str, kind: str) -> ModelError:
    return ModelError(
        Text(
            f"{name!r} has an architecture that this version of transformers does not know: {kind}.",
            f"当前版本的 transformers 不支持 {name!r} 的架构：{kind}。",
        ),
        _OTHER_HINT,
    )


def own_code(name: str) -> ModelError:
    return ModelError(
        Text(f"{name!r} brings its own program code, which is not run.", f"{name!r} 自带程序代码，默认不会运行。"),
        Text(
            "If you trust its authors, start with --trust-remote-code.",
            "如果信任其作者，请加上 --trust-remote-code 启动。",
        ),
    )


def pickled(name: str) -> ModelError:
    return ModelError(
        Text(
            f"The weights of {name!r} are a pickle that holds more than tensors and could run code: not read.",
            f"{name!r} 的权重是含有非张量内容的 pickle 文件，可能执行代码，因此不予读取。",
        ),
        Text("Use a safetensors copy of the model.", "请使用该模型的 safetensors 版本。"),
    )


def broken(name: str, detail: str) -> ModelError:
    return ModelError(
        Text(f"The files of {name!r} are damaged or incomplete: {detail}", f"{name!r} 的文件已损坏或不完整：{detail}"),
        _AGAIN_HINT,
    )


def several_models(name: str, files: Sequence[str]) -> ModelError:
    listed = ", ".join(files[:10]) + (" …" if len(files) > 10 else "")
    return ModelError(
        Text(f"{name!r} holds several GGUF files: {listed}.", f"{name!r} 中有多个 GGUF 文件：{listed}。"),
        Text("Name the one that is meant.", "请指明要用哪一个文件。"),
    )


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
            f"Joining the files of {name!r} needs {needed / 1e9:,.1f} GB in {folder}, which has less free.",
            f"合并 {name!r} 的文件需要在 {folder} 中有 {needed / 1e9:,.1f} GB 可用空间，目前不足。",
        ),
        Text(
            "Free it, set PLAYGROUND_CACHE to another folder, or join them with llama.cpp's gguf-split --merge.",
            "请腾出空间，用 PLAYGROUND_CACHE 指定其他文件夹，或用 llama.cpp 的 gguf-split --merge 合并。",
        ),
    )


def cut_off(name: str, file: str, size: int, wanted: int) -> ModelError:
    """With the bytes that are there and those that the file says it has, where they are known."""
    en = f": {size / 1e6:,.1f} of {wanted / 1e6:,.1f} MB are there" if wanted else ""
    zh = f"：共 {wanted / 1e6:,.1f} MB，只有 {size / 1e6:,.1f} MB" if wanted else ""
    return ModelError(
        Text(f"{file} of {name!r} is cut off{en}.", f"{name!r} 的 {file} 不完整{zh}。"),
        Text("Its download or copy was interrupted: fetch it again.", "下载或复制被中断，请重新获取该文件。"),
    )


def unreadable_file(name: str, file: str) -> ModelError:
    return ModelError(
        Text(
            f"{file} of {name!r} is damaged, or not what its name says.", f"{name!r} 的 {file} 已损坏，或与文件名不符。"
        ),
        _AGAIN_HINT,
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


def scrub(text: str) -> str:
    """One line of an error, without any access token."""
    line = " ".join(text.split())
    for variable in ("HF_TOKEN", "HUGGING_FACE_HUB_TOKEN"):
        token = os.environ.get(variable)
        if token:
            line = line.replace(token, "…")
    line = re.sub(r"\bhf_\w{6,}", "…", line)
    return line if len(line) <= 300 else line[:299] + "…"


@contextmanager
def explained(name: str) -> Iterator[None]:
    """Whatever fails inside leaves as one ModelError about the model `name`."""
    try:
        yield
    except ModelError:
        raise
    except Exception as error:  # noqa: BLE001 - loaders raise anything, and the server must go on with the embedded model
        # `from None`: the original could carry a token in its request headers into a log.
        raise _explain(name, error) from None


def _explain(name: str, error: Exception) -> ModelError:
    words = scrub(str(error))
    return (
        _about_the_hub(name, error)
        or _about_the_loader(name, error, words)
        or ModelError(
            Text(f"{name!r} could not be loaded: {words}", f"无法加载 {name!r}：{words}"),
            Text("Try another model.", "请换一个模型。"),
        )
    )


def _about_the_hub(name: str, error: Exception) -> ModelError | None:
    if isinstance(error, GatedRepoError):
        return ModelError(
            Text(f"{name!r} asks for its licence to be accepted first.", f"{name!r} 需要先接受许可协议。"),
            Text(
                "Accept it on the model's page of the hub, then set HF_TOKEN.",
                "请在模型库页面接受许可，然后设置 HF_TOKEN。",
            ),
        )
    if isinstance(error, RepositoryNotFoundError | HFValidationError):
        return no_model(name)
    if isinstance(error, OfflineModeIsEnabled | ConnectionError | TimeoutError):
        return no_network(name)
    if isinstance(error, HfHubHTTPError):
        status = error.response.status_code if error.response is not None else "?"
        return ModelError(
            Text(f"The model hub answered {status} for {name!r}.", f"模型库对 {name!r} 返回了 {status}。"),
            Text("Try again later, or check HF_TOKEN.", "请稍后再试，或检查 HF_TOKEN。"),
        )
    if type(error).__module__.startswith("httpx"):
        return no_network(name)
    return None


def _about_the_loader(name: str, error: Exception, words: str) -> ModelError | None:
    full = isinstance(error, MemoryError) or type(error).__name__ == "OutOfMemoryError"  # torch's, without importing it
    if full or re.search(r"out of memory|can't allocate|not enough memory", words, re.I):
        return no_memory(name)
    if re.search(r"weights.only|UnpicklingError", words, re.I) or isinstance(error, pickle.UnpicklingError):
        return pickled(name)
    if re.search(r"custom code|trust_remote_code", words):
        return own_code(name)
    kind = re.search(r"model type `([^`]*)`|architecture (\S+) is not supported", words)
    if kind:
        return unsupported(name, kind[1] or kind[2])
    if "Unrecognized configuration class" in words:
        return not_causal(name, "different kind of model")
    if isinstance(error, ImportError):
        asked = re.search(r"requires (?:the )?([\w.-]+) (?:library|package)", words)
        package = getattr(error, "name", None) or (asked[1] if asked else words)
        return ModelError(
            Text(
                f"{name!r} needs a package that is not installed: {package}.",
                f"{name!r} 需要尚未安装的软件包：{package}。",
            ),
            Text("Install it into Playground's environment.", "请把它安装到 Playground 的环境中。"),
        )
    if type(error).__name__ == "SafetensorError" or isinstance(error, OSError | EOFError | ValueError | KeyError):
        return broken(name, words)
    return None
