"""What the pool of models says, in both languages. Knows no model."""

from __future__ import annotations

from playground.types import Text

ESTIMATING = Text("Finding out how much memory {name} takes", "正在估算 {name} 所需的内存")
ASKING = Text("Looking for the files of {name}", "正在查找 {name} 的文件")
DOWNLOADING = Text("Downloading {name}", "正在下载 {name}")
WAITING = Text(
    "{name} does not fit beside {old}; waiting for {count:text|texts} to end",
    "{name} 无法与 {old} 同时放入内存；正在等待 {count} 段文本结束",
)
UNLOADING = Text("Unloading {name}", "正在卸载 {name}")
LOADING = Text("Loading {name}", "正在加载 {name}")
RESTORING = Text("{name} was not loaded; loading {old} again", "{name} 未能加载；正在重新加载 {old}")

LOADED = Text("{name} was loaded.", "已加载 {name}。")
SWITCHED = Text("New texts are written by {name}.", "新文本改由 {name} 生成。")
RESTORED = Text("{name} was loaded again.", "已重新加载 {name}。")
UNLOADED_IDLE = Text(
    "{name} was unloaded: nothing was written with it for {seconds:second|seconds}.",
    "已卸载 {name}：{seconds} 秒内没有用它生成过内容。",
)
UNLOADED_ROOM = Text(
    "{name} was unloaded to make room for {other}: of those that nobody was using it was used longest ago.",
    "已卸载 {name}，为 {other} 腾出内存：它是未在使用的模型中最久未用的。",
)
UNLOADED_CAP = Text(
    "{name} was unloaded: the loaded models held {held}, more than the {cap} that they may; it was used longest ago.",
    "已卸载 {name}：已加载的模型共占 {held}，超过上限 {cap}；它是最久未用的。",
)
UNLOADED_BEFORE = Text(
    "{name} was unloaded: {other} does not fit beside it.", "已卸载 {name}：{other} 无法与它同时放入内存。"
)
UNLOADED_ASKED = Text("{name} was unloaded, as you asked.", "已按要求卸载 {name}。")
FAILED = Text("{name} was not loaded: {reason}", "未能加载 {name}：{reason}")
CANCELLED = Text("The switch to {name} was cancelled.", "已取消切换到 {name}。")
BOTH_FAILED = Text("{reason} {old} could not be loaded again either: {other}", "{reason}{old} 也无法重新加载：{other}")

UNDER_WAY = Text("A switch to {name} is under way.", "正在切换到 {name}。")
UNDER_WAY_HINT = Text("Wait until it is done, or cancel it.", "请等它完成，或取消它。")
IS_CURRENT = Text("{name} is what new texts are written with.", "新文本正由 {name} 生成。")
IS_CURRENT_HINT = Text("Switch to another model first.", "请先切换到其他模型。")
IN_USE = Text("{count:text is|texts are} being written with {name}.", "有 {count} 段文本正由 {name} 生成。")
IN_USE_HINT = Text("Wait until they have ended, or stop them.", "请等它们结束，或停止它们。")
NOT_LOADED = Text("{name} is not loaded.", "{name} 未加载。")
NOT_LOADED_HINT = Text("Switch to it on the tab Model.", "请在“模型”标签页切换到它。")
LOADED_ARE = Text("Loaded now: {names}.", "目前已加载：{names}。")
NONE_LOADED = Text("No model is loaded.", "没有已加载的模型。")
UNEXPECTED = Text("Something went wrong while it was loaded.", "加载时出错。")
ENDED_BY_SWITCH = Text(
    "The model was changed, so this text ended here; what was written is kept.",
    "模型已更换，因此文本在此结束；已写出的内容仍保留。",
)
ENDED_WAITING = Text(
    "The model is being changed, so this did not begin. Ask again in a moment.",
    "正在更换模型，因此尚未开始。请稍后再试。",
)
