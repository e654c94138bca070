"""The words of the ways through the page by the keyboard, in both languages, under one key each."""

from __future__ import annotations

from collections.abc import Mapping

from playground.types import Text

KEY_TEXTS: Mapping[str, Text] = {
    "skip_links": Text("Skip to", "跳转到"),
    "skip_text": Text("Skip to the texts", "跳到文本"),
    "skip_knobs": Text("Skip to the knobs", "跳到参数"),
    "skip_dock": Text("Skip to the inside of a token", "跳到词元内部"),
    "key_find": Text("Find a knob", "查找参数"),
    "key_generate": Text("Generate", "生成"),
    "key_escape": Text("Stop, or close what is open", "停止，或关闭已打开的部分"),
    "keys_title": Text("Keys", "快捷键"),
    "keys_close": Text("Close", "关闭"),
}
