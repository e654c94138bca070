"""Texts worth trying for each kind of prompt without a form of its own; the page offers them while nothing is written.

Chosen so that a small model has something to say, and so that there is something to see in its tokens.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from playground.types import Text

TRIES: Mapping[str, Sequence[Text]] = {
    "complete": (
        Text("Once upon a time, in the last house of the street,", "从前，在街道尽头的那座房子里，"),
        Text("The capital of France is", "中国的首都是"),
        Text("Five reasons to learn how to cook:\n1.", "学做饭的五个理由：\n1."),
        Text("def fibonacci(n):\n", "def fibonacci(n):\n"),
    ),
    "chat": (
        Text("Explain to a child why the sky is blue.", "请给小朋友解释天空为什么是蓝色的。"),
        Text("Suggest five names for a small bakery.", "请为一家小面包店起五个名字。"),
        Text("What can I cook with rice, eggs and an onion?", "用米饭、鸡蛋和洋葱可以做什么菜？"),
        Text("Write a short poem about rain.", "写一首关于雨的短诗。"),
    ),
    "talk": (
        Text("I want to learn a language. Where do I begin?", "我想学一门外语，应该从哪里开始？"),
        Text("Let us write a story together. You begin.", "我们一起写个故事吧，你先开头。"),
        Text("Ask me three questions about my day.", "请问我三个关于今天的问题。"),
    ),
}
