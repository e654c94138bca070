"""What the fields of a request are called where a person reads of them. Knows neither parameters nor what is valid."""

from __future__ import annotations

import re
from collections.abc import Mapping

from playground.types import Text

LABELS: Mapping[str, Text] = {
    "prompt": Text("Prompt", "提示词"),
    "system": Text("System prompt", "系统提示词"),
    "prefill": Text("Beginning of the answer", "回答的开头"),
    "message": Text("Message", "消息"),
    "answer": Text("Answer", "回答"),
    "turns": Text("Earlier turns", "此前的对话"),
    "special_tokens": Text("Control tokens take effect", "控制词元生效"),
    "negative_prompt": Text("Negative prompt", "反向提示词"),
    "mode": Text("Mode", "模式"),
    "path": Text("Path", "路径"),
    "language": Text("Language", "语言"),
    "task": Text("Task", "任务"),
    "fields": Text("Fields", "字段"),
}


def with_name(label: Text, name: str) -> Text:
    """A label, with the name that the terminal and the API know behind it where the label does not show it."""
    shown = re.compile(rf"(?<![a-z]){re.escape(name)}(?![a-z])")
    spelled = label.en.casefold().replace(" ", "_") == name
    return Text(
        label.en if spelled or shown.search(label.en) else f"{label.en} ({name})",
        label.zh if shown.search(label.zh) else f"{label.zh}（{name}）",
    )


def field_title(name: str) -> Text:
    """What a message calls this field of a request; the name itself where it is nobody's field."""
    return with_name(LABELS[name], name) if name in LABELS else Text(name, name)
