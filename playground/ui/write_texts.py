"""The words of the tab Write, in both languages. Knows no element; page_texts.py hands them on with all the others."""

from __future__ import annotations

from collections.abc import Mapping

from playground.types import Text

WRITE_TEXTS: Mapping[str, Text] = {
    "write_heading": Text("A long text", "长文写作"),
    "write_about": Text(
        "It grows section by section. What you accept is kept at once, and this browser finds it again.",
        "文本一节一节地写成。采用的内容会立即保存，此浏览器会再次找到它。",
    ),
    "write_fleeting": Text(
        "This server keeps drafts only while it runs: export what you want to keep.",
        "此服务器只在运行期间保存草稿，需要保留的内容请导出。",
    ),
    "write_draft": Text("Draft", "草稿"),
    "write_new": Text("New draft", "新建草稿"),
    "write_untitled": Text("Untitled", "无标题"),
    "write_forget": Text("Delete this draft", "删除此草稿"),
    "write_forget_sure": Text("Delete it for good?", "确定永久删除？"),
    # Head
    "write_title": Text("Title", "标题"),
    "write_title_hint": Text("The lighthouse keeper's cat", "灯塔看守人的猫"),
    "write_author": Text("Author", "作者"),
    "write_date": Text("Date", "日期"),
    "write_form": Text("Form", "体裁"),
    "write_form_hint": Text("short story, essay, report …", "短篇小说、散文、报告……"),
    "write_language": Text("Language of the text", "文本语言"),
    "write_plan": Text("Outline or premise", "大纲或设定"),
    "write_plan_hint": Text(
        "What happens, in order; or where it begins and who is in it. The model reads it before every section.",
        "依次发生什么，或故事从哪里开始、有哪些人物。模型在写每一节之前都会读到。",
    ),
    "write_style": Text("Style", "风格"),
    "write_style_hint": Text("calm, plain words, past tense", "平静、朴素、第三人称"),
    # Document
    "write_document": Text("What is written", "已写的内容"),
    "write_empty": Text(
        "Nothing is written yet. Give it a title or a premise, press Write, and accept the beginning you like best.",
        "还没有内容。填写标题或设定，按“写作”，然后采用最喜欢的开头。",
    ),
    "write_edit": Text("Edit", "编辑"),
    "write_remove": Text("Remove", "删除"),
    "write_removed": Text("A section was removed.", "已删除一节。"),
    "write_bring_back": Text("Bring back", "恢复"),
    "write_section_heading": Text("Heading", "小标题"),
    "write_section_text": Text("Text", "正文"),
    "write_gist": Text("In the running summary", "在前文提要中"),
    # The next section
    "write_next": Text("The next section", "下一节"),
    "write_next_heading_hint": Text("may stay empty", "可以留空"),
    "write_length": Text("Length, tokens at most", "长度上限（词元）"),
    "write_candidates": Text("Candidates", "候选数"),
    "write_room": Text("Carried, tokens at most", "带入上限（词元）"),
    "write_seed": Text("Seed", "种子"),
    "write_same_seed": Text("Again with the same seed", "用同一种子重新生成"),
    "write_knobs": Text("Use the knobs of the tab Play", "使用“生成”页的参数"),
    "write_go": Text("Write", "写作"),
    "write_carried": Text("What the model reads before it", "模型在此之前读到的内容"),
    "write_carried_about": Text(
        "The plan, a sentence of each earlier section, and the last passages. Change it as you like: "
        "your version holds for the next section.",
        "大纲、前面每节的一句话，以及最后的段落。可以随意修改，修改只用于下一节。",
    ),
    "write_carried_own": Text("changed by you", "已由你修改"),
    "write_carried_reset": Text("As it was", "恢复原样"),
    "write_carried_empty": Text("Nothing yet: no title, no plan, no section.", "暂无：没有标题、大纲或章节。"),
    "write_over": Text(
        "With the length asked for this does not fit into the window.", "加上要求的长度，已超出上下文窗口。"
    ),
    "write_accept": Text("Accept", "采用"),
    "write_accepted": Text("Accepted and kept.", "已采用并保存。"),
    "write_own": Text("Write it yourself", "自己写"),
    # Export
    "write_export": Text("Export", "导出"),
    "write_md": Text("Markdown", "Markdown"),
    "write_docx": Text("Word (DOCX)", "Word（DOCX）"),
    "write_txt": Text("Plain text", "纯文本"),
    "write_words": Text("sections: {sections} · words: {count}", "{sections} 节，{count} 字"),
}
