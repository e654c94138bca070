"""The words of the tab Batch, in both languages. Knows no element; page_texts.py hands them on with all the others."""

from __future__ import annotations

from collections.abc import Mapping

from playground.types import Text

BATCH_TEXTS: Mapping[str, Text] = {
    "batch_heading": Text("Many at once", "批量生成"),
    "batch_about": Text(
        "Every row of a file goes through one task. You may leave meanwhile: this browser finds the batch again.",
        "文件的每一行都用同一个任务生成。其间可以离开，此浏览器会再次找到它。",
    ),
    "batch_choose": Text("Choose or drop a CSV, XLSX or JSONL file", "选择或拖入 CSV、XLSX 或 JSONL 文件"),
    "batch_limits": Text("at most {rows:row|rows}, {size}", "最多 {rows} 行，{size}"),
    "batch_too_large": Text(
        "The file has {size}; at most {most} are allowed. Split it.", "文件大小为 {size}，最多允许 {most}。请拆分文件。"
    ),
    "batch_unreadable": Text("Your browser cannot read this file.", "浏览器无法读取此文件。"),
    "batch_texts": Text("texts a row", "每行条数"),
    "batch_knobs": Text("Use the knobs of the tab Play", "使用“生成”页的参数"),
    "batch_column": Text("column", "列"),
    "batch_choose_column": Text("Choose a column", "选择一列"),
    "batch_empty": Text("Leave empty", "留空"),
    "batch_usual": Text("As usual: {value}", "默认：{value}"),
    "batch_same": Text("The same for all rows", "所有行相同"),
    "batch_look": Text("Try the first row", "试写第一行"),
    "batch_run": Text("Run {count:row|rows}", "运行 {count} 行"),
    "batch_run_again": Text("Run all again", "全部重新运行"),
    "batch_resume": Text("Resume", "继续"),
    "batch_on_fast": Text("on the fast path, as chosen on Play", "走快速路径（在“生成”页选择）"),
    "batch_on_exact": Text(
        "on the exact path, row by row, as chosen on Play", "走精确路径，逐行生成（在“生成”页选择）"
    ),
    "batch_pause": Text("Pause", "暂停"),
    "batch_pausing": Text("pausing: rows that have begun end first", "正在暂停：先完成已开始的行"),
    "batch_retry": Text("Retry failed rows", "重试失败的行"),
    "batch_csv": Text("Download CSV", "下载 CSV"),
    "batch_jsonl": Text("Download JSONL", "下载 JSONL"),
    "batch_progress": Text("Rows done", "已完成的行"),
    "batch_done": Text("{done} of {all:row|rows}", "{done} / {all} 行"),
    "batch_refused": Text("{count} of {all} in the file refused", "文件共 {all} 行，其中 {count} 行被拒"),
    "batch_refused_rows": Text("Rows that cannot be used:", "无法使用的行："),
    "batch_refused_more": Text("and {count} more", "以及另外 {count} 行"),
    "batch_is_refused": Text("refused", "被拒"),
    "batch_several": Text("Choose: {columns}", "请选择：{columns}"),
    "batch_failed": Text("{count} failed", "{count} 行失败"),
    "batch_left": Text("about {time} left", "约剩 {time}"),
    "batch_seconds": Text("{count} s", "{count} 秒"),
    "batch_minutes": Text("{count} min", "{count} 分钟"),
    "batch_row": Text("Row", "数据行"),
    "batch_input": Text("Input", "输入"),
    "batch_state": Text("State", "状态"),
    "batch_text": Text("Text or reason", "文本或原因"),
    "batch_is_waiting": Text("waits", "等待"),
    "batch_is_done": Text("done", "完成"),
    "batch_is_failed": Text("failed", "失败"),
    "batch_earlier": Text("Earlier rows", "前面的行"),
    "batch_later": Text("Later rows", "后面的行"),
    "batch_page": Text("{from}–{to} of {all}", "{from}–{to} / {all}"),
}
