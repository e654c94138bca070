"""What can go wrong with an engine, each as one sentence in both languages. Knows no protocol."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from playground.types import ModelError, Text


class EngineError(ModelError):
    """An engine could not be reached, refused, or answered with something else than it should."""


class EngineOverloaded(EngineError):
    """The engine has no room now; `after` is how many seconds it asks to wait, None where it does not say."""

    def __init__(self, host: str, after: float | None) -> None:
        super().__init__(
            Text(f"The engine at {host} is overloaded.", f"{host} 上的引擎已过载。"),
            Text("Try again later.", "请稍后再试。"),
        )
        self.after = after


class EngineAway(EngineError):
    """Nothing answers at the address."""


class EngineRefusal(EngineError):
    """The engine answered and said no. `unknown`: it does not know what was asked at all. `answer` is its whole
    answer, where that was JSON."""

    def __init__(self, message: Text, hint: Text | None = None, *, unknown: bool = False) -> None:
        super().__init__(message, hint)
        self.unknown = unknown
        self.answer: Mapping[str, Any] | None = None


def no_address(url: str) -> EngineError:
    return EngineError(
        Text(f"{shortened(url)!r} is no address of an engine.", f"{shortened(url)!r} 不是引擎的地址。"),
        Text("Give a URL like http://127.0.0.1:8080.", "请给出类似 http://127.0.0.1:8080 的地址。"),
    )


def key_in_address() -> EngineError:
    return EngineError(
        Text("The engine's address holds a password or a key.", "引擎地址中含有密码或密钥。"),
        Text(
            "Leave it out, and name a file with --engine-key-file.", "请去掉它，并用 --engine-key-file 指定密钥文件。"
        ),
    )


def not_encrypted(host: str) -> EngineError:
    return EngineError(
        Text(
            f"{host} is another machine, and http:// is not encrypted: texts and keys could be read on the way.",
            f"{host} 是另一台机器，而 http:// 不加密：文本和密钥可能在途中被读取。",
        ),
        Text(
            "Use https://, or allow it with --engine-plain-http in a network that you trust.",
            "请使用 https://；若网络可信，可用 --engine-plain-http 允许。",
        ),
    )


def unreachable(host: str) -> EngineAway:
    return EngineAway(
        Text(f"Nothing answers at {host}.", f"{host} 没有响应。"),
        Text("Start the engine, or correct the address.", "请启动引擎，或更正地址。"),
    )


def bad_certificate(host: str) -> EngineError:
    return EngineError(
        Text(
            f"The certificate of {host} is not signed by anybody whom this machine trusts.",
            f"{host} 的证书未由本机信任的机构签发。",
        ),
        Text(
            "If it is your own, name its certificate with --engine-ca-file.",
            "若为自签证书，请用 --engine-ca-file 指定。",
        ),
    )


def too_slow(host: str, seconds: float) -> EngineError:
    return EngineError(
        Text(
            f"The engine at {host} sent nothing for {seconds:g} seconds.", f"{host} 上的引擎已 {seconds:g} 秒没有响应。"
        ),
        Text("Try again, or allow more time with --engine-timeout.", "请重试，或用 --engine-timeout 延长时间。"),
    )


def redirected(host: str) -> EngineError:
    return EngineError(
        Text(
            f"{host} sends requests on to another address, which is not followed.",
            f"{host} 将请求转到另一地址，程序不会跟随。",
        ),
        Text("Give the engine's own address.", "请给出引擎本身的地址。"),
    )


def needs_key(host: str) -> EngineError:
    return EngineError(
        Text(f"The engine at {host} wants another key, or any.", f"{host} 上的引擎需要密钥，或密钥不正确。"),
        Text(
            "Put it into PLAYGROUND_ENGINE_KEY, or into a file named by --engine-key-file.",
            "请放入 PLAYGROUND_ENGINE_KEY，或用 --engine-key-file 指定密钥文件。",
        ),
    )


_NO_ENGINE = Text(
    "What answers at {host} is no engine: it does not speak as an OpenAI-compatible server does.",
    "{host} 上的服务不是引擎：它不符合 OpenAI 兼容接口。",
)
_CORRECT = Text("Correct the address.", "请更正地址。")


def no_engine(host: str) -> EngineError:
    return EngineError(_NO_ENGINE.filled(host=host), _CORRECT)


def answers_otherwise(host: str) -> EngineRefusal:
    """An answer that is no JSON: HTML, mostly."""
    return EngineRefusal(_NO_ENGINE.filled(host=host), _CORRECT, unknown=True)


def other_model(host: str, wanted: str, has: list[str]) -> EngineError:
    named = ", ".join(has[:8])
    return EngineError(
        Text(f"The engine at {host} does not serve {wanted!r}.", f"{host} 上的引擎没有提供 {wanted!r}。"),
        Text(f"It serves {named}.", f"它提供：{named}。") if has else None,
    )


def refused(host: str, status: int, said: str) -> EngineRefusal:
    """`said` are the engine's own words, where it had any."""
    en = f"The engine at {host} refused the request (HTTP {status})"
    zh = f"{host} 上的引擎拒绝了请求（HTTP {status}）"
    text = Text(f"{en}: {said}", f"{zh}：{said}") if said else Text(f"{en}.", f"{zh}。")
    return EngineRefusal(text, unknown=status in (404, 405, 501))


def unreadable(host: str) -> EngineError:
    return EngineError(
        Text(
            f"The engine at {host} sent something that cannot be read; what was written is kept.",
            f"{host} 上的引擎发送了无法读取的内容；已写出的内容仍保留。",
        )
    )


def broke_off(host: str) -> EngineError:
    return EngineError(
        Text(
            f"The engine at {host} broke off in the middle of the text; what was written is kept.",
            f"{host} 上的引擎中途断开；已写出的内容仍保留。",
        ),
        Text("Look whether it still runs, then try again.", "请检查引擎是否仍在运行，然后重试。"),
    )


def shortened(text: str, most: int = 200) -> str:
    """A text from outside, on one line and no longer than `most` characters."""
    line = " ".join(text.split())
    return line if len(line) <= most else line[: most - 1] + "…"
