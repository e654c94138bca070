"""What the page says of a visitor's own tasks, in both languages."""

from __future__ import annotations

from collections.abc import Mapping

from playground.types import Text

USER_TASK_TEXTS: Mapping[str, Text] = {
    "user_tasks": Text("My tasks", "我的任务"),
    "user_task_keep": Text("Save as my task", "保存为我的任务"),
    "user_task_title": Text("Title", "标题"),
    "user_task_new": Text("Save", "保存"),
    "user_task_change": Text("Save changes", "保存修改"),
    "user_task_copy": Text("Save as a new task", "另存为新任务"),
    "user_task_close": Text("Cancel", "取消"),
    "user_task_start": Text("Start my own from this", "以此为模板新建提示词"),
    "user_task_edit": Text("Edit", "编辑"),
    "user_task_export": Text("Export YAML", "导出 YAML"),
    "user_task_delete": Text("Delete", "删除"),
    "user_task_import": Text("Import a task", "导入任务"),
    "user_task_import_hint": Text(
        "Choose a YAML file or paste its text. It is checked here, and kept in this browser only.",
        "选择 YAML 文件，或粘贴其内容。检查后只保存在此浏览器中。",
    ),
    "user_task_edit_hint": Text(
        "The task as YAML. It is kept in this browser only.", "以 YAML 表示的任务，只保存在此浏览器中。"
    ),
    "user_task_file": Text("Choose a file", "选择文件"),
    "user_task_saved": Text("“{title}” is saved in this browser.", "“{title}”已保存在此浏览器中。"),
    "user_task_already": Text("Already here: “{title}”.", "已经有了：“{title}”。"),
    "user_task_alike": Text(
        "“{title}” has the same id, {id}, and another text. Replace it?",
        "“{title}”的 id 同为 {id}，但内容不同。要替换它吗？",
    ),
    "user_task_replace": Text("Replace it", "替换"),
    "user_task_both": Text("Keep both", "两个都保留"),
    "user_task_deleted": Text("“{title}” is deleted.", "“{title}”已删除。"),
    "user_task_full": Text("This browser has no room for it, or keeps nothing.", "此浏览器空间不足，或不允许保存。"),
    "user_task_too_large": Text(
        "The file has {size}; at most {most} are allowed.", "文件大小为 {size}，最多允许 {most}。"
    ),
    "user_task_not_text": Text("The file is not UTF-8 text.", "该文件不是 UTF-8 文本。"),
}
