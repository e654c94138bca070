"""What a Step's `note` may say: one word for machines, a sentence in two languages for people.

Knows no torch, so that a page can read notes without loading a model library.
"""

from __future__ import annotations

from playground.types import Text

KEPT_BEST = "kept-best"
STEPPED_BACK = "stepped-back"
LET_THROUGH = "let-through"
CUT_SHORT = "cut-short"

_SENTENCES = {
    KEPT_BEST: Text("No candidate was left, so the best token stayed.", "没有剩下候选，因此保留了最佳词元。"),
    STEPPED_BACK: Text("Stepped back to avoid “{detail}”.", "为避开“{detail}”而退回。"),
    LET_THROUGH: Text(
        "“{detail}” was let through after too many attempts to avoid it.", "多次尝试仍无法避开，“{detail}”被放行。"
    ),
    CUT_SHORT: Text("The text ended before its form was complete.", "文本的格式尚未完整就结束了。"),
}


def note(kind: str, detail: str = "") -> str:
    """One note; several are joined by `join`."""
    return f"{kind}:{detail}" if detail else kind


def join(*notes: str) -> str:
    return "\n".join(part for part in notes if part)


def say(text: str) -> list[Text]:
    """The sentences behind a Step's note."""
    sentences = []
    for line in text.splitlines():
        kind, _, detail = line.partition(":")
        if kind in _SENTENCES:
            sentence = _SENTENCES[kind]
            sentences.append(
                Text(sentence.en.replace("{detail}", detail), sentence.zh.replace("{detail}", detail))
            )
    return sentences
