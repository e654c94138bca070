"""Words of the cards in both languages, by key: what is hidden, what is kept, and what a card was made with."""

from __future__ import annotations

from collections.abc import Mapping

from playground.types import Text

CARD_TEXTS: Mapping[str, Text] = {
    "candidate_n": Text("Candidate {n}", "候选 {n}"),
    "prompt_end": Text("The end of the prompt, which this text continues", "提示词的结尾，下文由此接续"),
    # The short names of the buttons on a wide card; each is part of the long one.
    "tool_copy": Text("Copy", "复制"),
    "tool_edit": Text("Edit", "编辑"),
    "tool_continue": Text("Continue", "继续"),
    "tool_regenerate": Text("Again", "重新生成"),
    "with_run": Text(
        "{deed}: the prompt of this run, the knobs as they are now", "{deed}：使用本次运行的提示词和现在的参数"
    ),
    # Nearly the same
    "alike_hidden": Text(
        "{count:candidate that says nearly the same is|candidates that say nearly the same are} hidden",
        "已隐藏 {count} 个内容几乎相同的候选",
    ),
    "alike_shown": Text(
        "{count:candidate says|candidates say} nearly the same as an earlier one", "{count} 个候选与前面的内容几乎相同"
    ),
    "alike_show": Text("Show", "显示"),
    "alike_hide": Text("Hide", "隐藏"),
    # A version that was made with other knobs
    "made_regenerate": Text(
        "Again, with the prompt of this run and other knobs: {knobs}", "重新生成：提示词不变，参数改为 {knobs}"
    ),
    "made_continue": Text(
        "Continued, with the prompt of this run and other knobs: {knobs}", "继续生成：提示词不变，参数改为 {knobs}"
    ),
    "made_branch": Text(
        "Branched, with the prompt of this run and other knobs: {knobs}", "分支：提示词不变，参数改为 {knobs}"
    ),
    "made_nothing": Text("Nothing was added: the model ends the text here.", "没有续写内容：模型认为文本到此结束。"),
    "made_more": Text("{count} more", "另外 {count} 项"),
    # Favourites
    "favourite": Text("Favourite", "收藏"),
    "favourite_hint": Text("Keep this text in this browser", "把这条文本保存在此浏览器中"),
    "favourites": Text("Favourites ({count})", "收藏（{count}）"),
    "favourites_where": Text(
        "Kept in this browser only; the newest {most} stay.", "只保存在此浏览器中，最多保留最新的 {most} 条。"
    ),
    "favourite_remove": Text("Remove", "移除"),
}
