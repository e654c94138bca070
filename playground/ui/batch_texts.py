"""The words of the tab Batch, in both languages. Knows no element; page_texts.py hands them on with all the others."""

from __future__ import annotations

from collections.abc import Mapping

from playground.types import Text

BATCH_TEXTS: Mapping[str, Text] = {
    "batch_heading": Text("Many texts from a file", "用文件批量生成"),
    "batch_about": Text(
        "Each row of a file becomes one text or several, all with the same task. "
        "You may close the page meanwhile: the batch goes on, and this browser finds it again.",
        "文件的每一行用同一个任务生成一条或多条文本。其间可以关闭页面：批量任务会继续，此浏览器之后能再次找到它。",
    ),
    "batch_choose": Text("Choose or drop a CSV, XLSX or JSONL file", "选择或拖入 CSV、XLSX 或 JSONL 文件"),
    "batch_limits": Text("at most {rows:row|rows}, {size}", "最多 {rows} 行，{size}"),
    "batch_too_large": Text(
        "The file has {size}; at most {most} are allowed. Split it.", "文件大小为 {size}，最多允许 {most}。请拆分文件。"
    ),
    "batch_unreadable": Text("Your browser cannot read this file.", "浏览器无法读取此文件。"),
    "batch_example": Text("Fill in an example", "填入示例"),
    "batch_example_file": Text("example.csv", "示例.csv"),
    "batch_example_rows": Text(
        "Product,What it is,Audience,Tone\n"
        "Blue Moon,a coffee shop by the harbour,early risers,warm\n"
        "Trail One,a light hiking boot,weekend walkers,bold\n"
        "Paper Boat,a bookshop for children,young families,playful\n",
        "产品,是什么,面向人群,语气\n"
        "月亮咖啡,港口边的咖啡馆,早起的人,温暖\n"
        "山径,轻便的徒步鞋,周末爱走路的人,大胆\n"
        "纸船,儿童书店,年轻家庭,俏皮\n",
    ),
    "batch_sending": Text("Reading {name}…", "正在读取 {name}……"),
    "batch_back": Text("Back to {name}", "返回 {name}"),
    "batch_unnamed": Text("the earlier file", "之前的文件"),
    "batch_texts": Text("Texts per row", "每行生成条数"),
    "batch_seed": Text("Seed", "种子"),
    "batch_knobs": Text("Apply my knob settings from Play", "沿用“体验”页的参数设置"),
    "batch_knobs_hint": Text("Otherwise the settings of the task apply.", "否则使用任务自带的参数。"),
    "batch_column": Text("column", "列"),
    "batch_choose_column": Text("Choose a column", "选择一列"),
    "batch_empty": Text("Leave empty", "留空"),
    "batch_usual": Text("Default: {value}", "默认：{value}"),
    "batch_same": Text("The same for all rows", "所有行相同"),
    "batch_look": Text("Try the first row", "试写第一行"),
    "batch_run": Text("Run {count:row|rows}", "运行 {count} 行"),
    "batch_none": Text(
        "There is nothing to run: no row of this file can be used.", "没有可运行的内容：此文件中没有可用的行。"
    ),
    "batch_run_again": Text("Run all again…", "全部重新运行…"),
    "batch_resume": Text("Resume", "继续"),
    "batch_sure_anew": Text(
        "Results so far: {count}. They are deleted, and all rows are written again. "
        "Download them first if you want to keep them.",
        "已有结果：{count} 行。它们会被删除，所有行都重新生成。如需保留，请先下载。",
    ),
    "batch_do_anew": Text("Delete and run again", "删除并重新运行"),
    "batch_sure_file": Text(
        "Results of {name} that were not downloaded: {count}. Another file takes their place on this page.",
        "{name} 尚未下载的结果：{count} 行。换成另一个文件后，此页不再显示这些结果。",
    ),
    "batch_sure_running": Text(
        "{name} is still running. Another file stops it and takes its place on this page. Results so far: {count}.",
        "{name} 仍在运行。换成另一个文件会停止它，此页不再显示其结果。已有结果：{count} 行。",
    ),
    "batch_do_file": Text("Take the new file", "使用新文件"),
    "batch_keep": Text("Keep the results", "保留结果"),
    "batch_on_fast": Text("on the fast path, as chosen on Play", "走快速路径（在“体验”页选择）"),
    "batch_on_exact": Text(
        "on the exact path, row by row, as chosen on Play", "走精确路径，逐行生成（在“体验”页选择）"
    ),
    "batch_pause": Text("Pause", "暂停"),
    "batch_pausing": Text("Pausing: rows that have begun are finished first", "正在暂停：先完成已开始的行"),
    "batch_retry": Text("Retry failed rows", "重试失败的行"),
    "batch_csv": Text("Download CSV", "下载 CSV"),
    "batch_jsonl": Text("Download JSONL", "下载 JSONL"),
    "batch_progress": Text("Rows done", "已完成的行"),
    "batch_rows": Text("{count:row|rows}", "{count} 行"),
    "batch_columns": Text("columns: {names}", "列：{names}"),
    "batch_running": Text("{done} of {all:row|rows}", "{done} / {all} 行"),
    "batch_paused": Text("Paused: {done} of {all:row|rows} done", "已暂停：完成 {done} / {all} 行"),
    "batch_ended": Text("Finished: {done} of {all:row|rows}", "已完成：{done} / {all} 行"),
    "batch_refused": Text("{count} of {all} in the file cannot be used", "文件共 {all} 行，其中 {count} 行无法使用"),
    "batch_refused_rows": Text("Rows that cannot be used:", "无法使用的行："),
    "batch_refused_more": Text("and {count} more", "以及另外 {count} 行"),
    "batch_is_refused": Text("cannot be used", "无法使用"),
    "batch_several": Text("Choose: {columns}", "请选择：{columns}"),
    "batch_failed": Text("{count} failed", "{count} 行失败"),
    "batch_left": Text("about {time} left", "约剩 {time}"),
    "batch_seconds": Text("{count} s", "{count} 秒"),
    "batch_minutes": Text("{count} min", "{count} 分钟"),
    "batch_row": Text("Row", "数据行"),
    "batch_input": Text("Input", "输入"),
    "batch_state": Text("State", "状态"),
    "batch_text": Text("Text or reason", "文本或原因"),
    "batch_is_new": Text("not run yet", "未运行"),
    "batch_is_waiting": Text("waiting", "等待中"),
    "batch_is_done": Text("done", "完成"),
    "batch_is_failed": Text("failed", "失败"),
    "batch_earlier": Text("Earlier rows", "前面的行"),
    "batch_later": Text("Later rows", "后面的行"),
    "batch_page": Text("{from}–{to} of {all}", "{from}–{to} / {all}"),
}
