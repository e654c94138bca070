"""Engines behind the page: where they are, and how they are spoken to. Knows no kind of engine."""

from __future__ import annotations

from dataclasses import dataclass

from playground.settings.kinds import AddressesKind, ChoiceKind, SecondsKind, SwitchKind, TextKind
from playground.settings.setting import APP, Setting
from playground.types import Text

DRAWS = ("engine", "here")
FIGURES = ("later", "all", "top")
_PROGRAMS = (APP, "generate", "batch", "measure")


@dataclass(frozen=True, slots=True)
class EngineSettings:
    """The engine that stands in for a model of this machine, where there is one; `engine_timeout` in seconds."""

    engine: tuple[str, ...] = Setting(
        kind=AddressesKind(),
        group="engines",
        help=Text(
            "URL of an engine that writes in place of a model on this machine, like http://127.0.0.1:8080; may be "
            "repeated, and the first one writes",
            "代替本机模型进行生成的引擎地址，例如 http://127.0.0.1:8080；可多次给出，由第一个生成",
        ),
        default=(),
        unset=Text("a model on this machine", "本机上的模型"),
        programs=_PROGRAMS,
    ).value()
    engine_model: str | None = Setting(
        kind=TextKind("NAME"),
        group="engines",
        help=Text("which of the engine's models writes", "使用引擎中的哪个模型"),
        unset=Text("the first that it names", "它列出的第一个"),
        programs=_PROGRAMS,
    ).optional()
    engine_key: str | None = Setting(
        kind=TextKind("KEY"),
        group="engines",
        flag=None,
        help=Text("key that engines want; it goes to them only", "引擎要求的密钥；只会发送给引擎"),
        unset=Text("none", "无"),
        programs=_PROGRAMS,
        secret=True,
    ).optional()
    engine_key_file: str | None = Setting(
        kind=TextKind("FILE"),
        group="engines",
        help=Text("file that holds this key", "存放该密钥的文件"),
        unset=Text("none", "无"),
        programs=_PROGRAMS,
    ).optional()
    engine_ca_file: str | None = Setting(
        kind=TextKind("FILE"),
        group="engines",
        help=Text(
            "certificates (PEM) that are trusted in place of the usual ones, for an engine with its own certificate",
            "用来代替常用证书的受信任证书（PEM），适用于使用自签证书的引擎",
        ),
        unset=Text("those of the Python installation", "Python 自带的证书"),
        programs=_PROGRAMS,
    ).optional()
    engine_plain_http: bool = Setting(
        kind=SwitchKind(),
        group="engines",
        help=Text(
            "let http:// reach other machines too, where everybody on the way can read texts and keys",
            "允许用 http:// 访问其他机器，此时途中任何人都能读取文本和密钥",
        ),
        default=False,
        programs=_PROGRAMS,
    ).value()
    engine_timeout: float = Setting(
        kind=SecondsKind(low=0.1),
        group="engines",
        help=Text("how long an engine may take to send its first token", "引擎发送第一个词元前最多等待的时间"),
        default=120.0,
        programs=_PROGRAMS,
    ).value()
    engine_draws: str = Setting(
        kind=ChoiceKind(DRAWS),
        group="engines",
        help=Text(
            "who draws the tokens: the engine, which is fast, or this program from the engine's probabilities, which "
            "is slow but has nearly every knob and can be replayed",
            "由谁抽取词元：引擎（快），或由本程序根据引擎给出的概率抽取（慢，但几乎支持所有参数并可重放）",
        ),
        default="engine",
        programs=_PROGRAMS,
    ).value()
    engine_figures: str = Setting(
        kind=ChoiceKind(FIGURES),
        group="engines",
        help=Text(
            "when an engine tells the probabilities of all tokens for a text that is looked into: once somebody looks "
            "(later), with each token, which makes it slower (all), or never, and what-if is not possible (top)",
            "对要查看的文本，引擎何时给出所有词元的概率：有人查看时再取（later），随每个词元给出，较慢（all），"
            "或从不给出，此时无法进行假设重放（top）",
        ),
        default="later",
        programs=_PROGRAMS,
    ).value()
