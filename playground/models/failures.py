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

from playground.amounts import bytes_text
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
AGAIN_HINT = Text("Download or copy it again.", "请重新下载或复制。")


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
    en = f": its largest part needs {bytes_text(needed)}, and {bytes_text(allowed)} are allowed" if needed else ""
    zh = f"：最大的部分需要 {bytes_text(needed)}，而上限为 {bytes_text(allowed)}" if needed else ""
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
        Text(
            f"The files of {name!r} are damaged or incomplete: {detail.rstrip('. ')}.",
            f"{name!r} 的文件已损坏或不完整：{detail.rstrip('. 。')}。",
        ),
        AGAIN_HINT,
    )


def odd_configuration(name: str, detail: str) -> ModelError:
    said = detail.rstrip(". 。")
    return ModelError(
        Text(
            f"{name!r} cannot be built as its configuration says: {said}.", f"无法按 {name!r} 的配置构建模型：{said}。"
        ),
        Text(
            "Take config.json from where the weights come from, or update transformers.",
            "请从权重的来源处获取 config.json，或更新 transformers。",
        ),
    )


def several_models(name: str, files: Sequence[str]) -> ModelError:
    listed = ", ".join(files[:10]) + (" …" if len(files) > 10 else "")
    return ModelError(
        Text(f"{name!r} holds several GGUF files: {listed}.", f"{name!r} 中有多个 GGUF 文件：{listed}。"),
        Text("Name the one that is meant.", "请指明要用哪一个文件。"),
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
            Text(
                f"{name!r} could not be loaded: {words.rstrip('. ')}.", f"无法加载 {name!r}：{words.rstrip('. 。')}。"
            ),
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
    if type(error).__name__ == "SafetensorError" or isinstance(error, OSError | EOFError):
        return broken(name, words)
    if isinstance(error, ValueError | LookupError | AttributeError | TypeError | ArithmeticError):
        return odd_configuration(name, words)
    return None
