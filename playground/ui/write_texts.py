"""The words of the tab Write, in both languages. Knows no element; page_texts.py hands them on with all the others."""

from __future__ import annotations

from collections.abc import Mapping

from playground.types import Text

WRITE_TEXTS: Mapping[str, Text] = {
    "write_heading": Text("Write a long text", "长文写作"),
    "write_about": Text(
        "The model proposes one section after the other; you choose and edit. "
        "What you accept is saved at once, and this browser finds it again.",
        "模型逐节给出候选，由你挑选和修改。采用的内容会立即保存，此浏览器之后能再次找到它。",
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
    "write_form": Text("Kind of text", "体裁"),
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
        "Nothing is written yet. Give it a title or an outline, press Write, and accept the beginning you like best.",
        "还没有内容。填写标题或设定，按“写作”，然后采用最喜欢的开头。",
    ),
    "write_edit": Text("Edit", "编辑"),
    "write_remove": Text("Remove", "删除"),
    "write_removed": Text("Removed: “{what}”", "已删除：“{what}”"),
    "write_bring_back": Text("Bring back", "恢复"),
    "write_section_heading": Text("Heading", "小标题"),
    "write_section_text": Text("Text", "正文"),
    "write_gist": Text("The section in one sentence, for the model", "用一句话概括本节（供模型参考）"),
    # The next section
    "write_next": Text("The next section", "下一节"),
    "write_next_heading_hint": Text("may stay empty", "可以留空"),
    "write_length": Text("Length, max tokens", "长度上限（词元）"),
    "write_candidates": Text("Candidates", "候选数"),
    "write_room": Text("Earlier text the model reads, max tokens", "前文上限（词元）"),
    "write_seed": Text("Seed", "种子"),
    "write_same_seed": Text("Again with the same seed", "用同一种子重新生成"),
    "write_knobs": Text("Apply my knob settings from Play", "沿用“体验”页的参数设置"),
    "write_knobs_hint": Text("Otherwise settings made for long texts apply.", "否则使用适合长文的参数。"),
    "write_go": Text("Write", "写作"),
    "write_carried": Text("What the model reads first", "模型先读到的内容"),
    "write_carried_about": Text(
        "The outline, one sentence about each earlier section, and the end of the text so far. "
        "You can change it; your version is used for the next section only.",
        "大纲、前面每节的一句话，以及已写内容的结尾。可以修改，修改只用于下一节。",
    ),
    "write_carried_own": Text("changed by you", "已由你修改"),
    "write_carried_reset": Text("Undo my changes", "撤销我的修改"),
    "write_carried_empty": Text("Nothing yet: no title, no outline, no section.", "暂无：没有标题、大纲或章节。"),
    "write_over": Text(
        "Together with the length you asked for, this is too long for the model's context window.",
        "加上要求的长度，已超出模型的上下文窗口。",
    ),
    "write_accept": Text("Accept", "采用"),
    "write_accepted": Text("Accepted and saved.", "已采用并保存。"),
    "write_own": Text("Write it yourself", "自己写"),
    "write_own_hint": Text("Your own text for this section.", "在此写下你自己的内容。"),
    # Export
    "write_export": Text("Export", "导出"),
    "write_md": Text("Markdown", "Markdown"),
    "write_docx": Text("Word (DOCX)", "Word（DOCX）"),
    "write_txt": Text("Plain text", "纯文本"),
    "write_words": Text("sections: {sections} · words: {count}", "{sections} 节，{count} 字"),
}
