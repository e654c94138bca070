"""docs/settings.md, drawn from the records: `python -m playground.settings.settings_page` writes it.

Knows settings only; a test compares the file with what this module says.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from playground.settings.arguments import SPACE
from playground.settings.server import Settings
from playground.settings.setting import APP, GROUPS, Setting, records
from playground.types import Text

FILE = Path(__file__).parent.parent.parent / "docs" / "settings.md"

OTHER_VARIABLES: Mapping[str, Text] = {
    "PLAYGROUND_CACHE": Text(
        "Folder for what can be made again: converted models, kernels, compiled layers. By default your cache folder.",
        "存放可重新生成内容的文件夹：转换后的模型、内核和编译后的层。默认为你的缓存文件夹。",
    ),
    "HF_TOKEN": Text("Your token of the Hugging Face hub, for private models.", "Hugging Face 令牌，用于私有模型。"),
    SPACE: Text(
        "Set by Hugging Face's hosting: the name of the page there, which is then allowed, as is its frame.",
        "由 Hugging Face 托管服务设置：页面在那里的主机名；该名称和它的框架随之被允许。",
    ),
    "GRADIO_SHARE_SERVER_ADDRESS": Text(
        "Your own server for the public link, instead of Gradio's.",
        "用你自己的服务器代替 Gradio 的服务器来打开公开链接。",
    ),
    "GRADIO_TEMP_DIR": Text("Folder for temporary files of the page.", "页面临时文件所在的文件夹。"),
    "CXX": Text("C++ compiler for kernels and compiled layers.", "用于内核和编译层的 C++ 编译器。"),
    "TORCH_COMPILE_DISABLE": Text(
        "With 1, layers are not compiled; those compiled before are used.", "设为 1 时不编译层；以前编译好的仍会使用。"
    ),
}

_HEAD = """# Settings

<!-- Written by `python -m playground.settings.settings_page`; change the records in `playground/settings/` instead. -->

Every setting of `app.py`, and of the terminal's commands where it says so. Each can be given as a flag or, for
containers and services, as an environment variable; a flag comes before a variable, a variable before the default, and
an empty text counts as not given. Sizes are written like `8GiB` or `500MB`. A page is public where other people can
reach it: with `--share`, or with a `--host` that is not this machine alone. Sampling parameters are in
[parameters.md](parameters.md).

此处列出 `app.py` 的所有设置，以及终端命令可用的设置。每项设置可以用命令行参数给出，也可以用环境变量给出（适合容器和
服务）：参数优先于变量，变量优先于默认值，空文本视为未给出。大小写成 `8GiB` 或 `500MB` 的形式。其他人能访问的页面是公开
页面：使用了 `--share`，或 `--host` 不只限于本机。采样参数见 [parameters.md](parameters.md)。
"""


def render(settings: type[Settings] = Settings) -> str:
    """The whole document, for the records as they are now."""
    own = settings()
    every = (*records(own), *records(own.limits))
    parts = [_HEAD]
    for group, title in GROUPS.items():
        rows = [_row(one, every) for one in every if one.group == group]
        head = "| Flag, variable | Meaning | Allowed | Default |\n|---|---|---|---|"
        parts.append("\n".join((f"## {title.en} · {title.zh}\n", head, *rows, "")))
    return "\n".join((*parts, _others()))


def _row(setting: Setting[Any], every: tuple[Setting[Any], ...]) -> str:
    names = "<br>".join(f"`{name}`" for name in (setting.flag, setting.variable) if name is not None)
    meaning = [_both(setting.help)]
    if setting.programs != (APP,):
        meaning.append(
            _both(
                Text("For {names}.", "适用于 {names}。").filled(
                    names=", ".join(f"`{name}`" for name in setting.programs)
                )
            )
        )
    if setting.needs is not None:
        needed = next(one for one in every if one.name == setting.needs)
        meaning.append(_both(Text("Only with {needed}.", "仅在设置{needed}时有效。").filled(needed=needed.help)))
    return f"| {names} | {'<br>'.join(meaning)} | {_both(setting.kind.allowed)} | {_defaults(setting)} |"


def _defaults(setting: Setting[Any]) -> str:
    default, public = (_value(setting, value) for value in (setting.default, setting.public))
    return default if public == default else f"{default}<br>public · 公开：{public}"


def _value(setting: Setting[Any], value: Any) -> str:
    said = setting.default_text(value)
    return f"`{said.en}`" if said.en == said.zh else _both(said)


def _both(text: Text) -> str:
    said = dict.fromkeys(one.replace("|", "\\|") for one in (text.en, text.zh))
    return " · ".join(said)


def _others() -> str:
    lines = ["## Other variables · 其他环境变量\n", "| Variable | Meaning |", "|---|---|"]
    lines += [f"| `{name}` | {_both(text)} |" for name, text in OTHER_VARIABLES.items()]
    return "\n".join(lines) + "\n"


def main() -> None:
    """Writes the document to FILE."""
    FILE.parent.mkdir(exist_ok=True)
    FILE.write_text(render(), encoding="utf-8", newline="\n")


if __name__ == "__main__":
    main()
