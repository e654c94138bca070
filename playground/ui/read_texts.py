"""The words of the tab Read, in both languages. Knows no element; page_texts.py hands them on with all the others."""

from __future__ import annotations

from collections.abc import Mapping

from playground.types import Text

READ_TEXTS: Mapping[str, Text] = {
    "read_heading": Text("Read a text", "阅读文本"),
    "read_about": Text(
        "The model reads the text once and writes nothing. For every token you see how likely it was for the model.",
        "模型只读一遍，不写任何内容。每个词元都会显示模型认为它出现的概率。",
    ),
    "read_before": Text("Text before it", "前文"),
    "read_before_hint": Text(
        "The model reads it first; it does not count in the figures.", "模型会先读它，但不计入数值。"
    ),
    "read_text": Text("Text", "文本"),
    "read_text_hint": Text("Paste any text, your own or a model's.", "粘贴任意文本，无论是你写的还是模型写的。"),
    "read": Text("Read", "阅读"),
    "read_example": Text("Try an example", "试一个示例"),
    "read_example_text": Text(
        "Once upon a time there was a little girl who lived in a small house near the forest. "
        "Every morning she walked to school with her accordion.",
        "床前明月光，疑是地上霜。举头望明月，低头买西瓜。",
    ),
    "read_joined": Text(
        "The two texts are joined without a space: “{joined}”.", "前文与文本之间没有空格：“{joined}”。"
    ),
    "read_space": Text("Add a space", "加一个空格"),
    "read_changed": Text("The text has changed. Below is what was read before.", "文本已改动。下面是之前读过的内容。"),
    "read_again": Text("Read it again", "重新阅读"),
    "read_special_hint": Text(
        "Off, a typed <|im_end|> is text like any other. On, it is read as the control token.",
        "关闭时，输入的 <|im_end|> 只是普通文本；打开时，会按控制词元读取。",
    ),
    "detect": Text("Look for a watermark", "检测水印"),
    "detect_change": Text("Change", "修改"),
    "detect_pointer": Text("Look for this watermark in a text", "在文本中检测此水印"),
    "detect_used": Text("Settings that were looked for:", "检测所用设置："),
    "detect_figures": Text(
        "z: how many standard deviations the number of green tokens (those the watermark favours) lies above "
        "chance. p: how likely a text without the watermark is to have at least as many.",
        "z：绿名单词元比偶然情况多出多少个标准差。p：没有水印的文本中，达到同样程度的比例。",
    ),
    "detect_note": Text(
        "Only a text of the same model and the same watermark settings can be recognized.",
        "只有同一模型、同样水印设置生成的文本才能被识别。",
    ),
}
