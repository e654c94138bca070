"""The words of the tab Train, in both languages. Knows no element; page_texts.py hands them on with all the others."""

from __future__ import annotations

from collections.abc import Mapping

from playground.types import Text

TRAIN_TEXTS: Mapping[str, Text] = {
    "train_heading": Text("Teach the model your texts", "用你的文本训练模型"),
    "train_about": Text(
        "A file with examples becomes a training. It is a process of its own: you may close the page, and find it here "
        "again. Nothing leaves this machine.",
        "含有示例的文件即可用于训练。训练是独立的进程：可以关闭页面，之后仍能在这里找到。所有内容都不会离开本机。",
    ),
    "train_visitor": Text(
        "Only the owner of this server trains models; the owner is who opened the page with the owner link that the "
        "terminal printed.",
        "只有此服务器的所有者可以训练模型；所有者是用终端打印的所有者链接打开本页的人。",
    ),
    "train_no_peft": Text(
        "LoRA needs the package peft, which is not installed; a full training works without it. Get it with:",
        "LoRA 需要软件包 peft，尚未安装；全参数训练不需要它。安装命令：",
    ),
    # Data
    "train_new": Text("New training", "新建训练"),
    "train_data": Text("Data", "数据"),
    "train_choose": Text("Choose or drop a file with examples", "选择或拖入含示例的文件"),
    "train_choose_validation": Text(
        "A file of its own for validation, instead of a share", "改用单独的验证文件，而不是按比例划分"
    ),
    "train_limits": Text(
        "CSV, XLSX, JSONL, TXT or Markdown, at most {size}", "CSV、XLSX、JSONL、TXT 或 Markdown，最大 {size}"
    ),
    "train_example": Text("Take an example: products and their slogans", "使用示例：产品与广告语"),
    "train_favourites": Text(
        "Take the favourites of this browser: {count:text|texts}", "使用此浏览器中的收藏：{count} 条文本"
    ),
    "train_favourites_file": Text("favourites.jsonl", "收藏.jsonl"),
    "train_sending": Text("Reading {name}… {percent} %", "正在读取 {name}……{percent}%"),
    "train_too_large": Text(
        "The file has {size}; at most {most} are read. Split it.", "文件大小为 {size}，最多读取 {most}。请拆分文件。"
    ),
    "train_unreadable": Text("Your browser cannot read this file.", "浏览器无法读取此文件。"),
    "train_kind_pairs": Text("prompts and answers", "提示词与回答"),
    "train_kind_chat": Text("conversations", "对话"),
    "train_kind_text": Text("continued text", "续写文本"),
    "train_found": Text("{rows:row|rows}, {kind}", "{rows} 行，{kind}"),
    "train_found_rows": Text("{rows:row|rows}", "{rows} 行"),
    "train_found_text": Text("{rows:piece|pieces} of continued text", "{rows} 段续写文本"),
    "train_found_columns": Text("columns: {names}", "列：{names}"),
    "train_forget_file": Text("Remove", "移除"),
    "train_refused": Text("Rows that cannot be used: {count}", "无法使用的行：{count}"),
    "train_row": Text("row {row}", "第 {row} 行"),
    # What is learned from which column
    "train_mapping": Text("What is learned", "学习什么"),
    "train_way_task": Text("A task", "任务"),
    "train_way_free": Text("A prompt", "提示词"),
    "train_way_text": Text("Text to continue", "续写文本"),
    "train_way_task_help": Text(
        "Columns fill the fields of a task, so that what is trained is exactly what Play sends.",
        "用各列填写任务的字段，训练内容与“体验”页发送的完全一致。",
    ),
    "train_way_free_help": Text(
        "A prompt of your own; {{column}} stands for the text of a column in each row.",
        "自己写提示词；{{列名}} 代表每一行中该列的文本。",
    ),
    "train_way_text_help": Text(
        "The texts of one column are continued; all of them is learned, and no prompt stands before them.",
        "续写某一列的文本；全部内容都会学习，前面没有提示词。",
    ),
    "train_way_chat_help": Text(
        "Each answer of a conversation is learned, with the turns before it as Play sends them.",
        "学习对话中的每个回答，之前的轮次与“体验”页发送的一致。",
    ),
    "train_way_pieces_help": Text(
        "The text is learned as it stands, in blocks of the longest text.", "按原文学习，切成最长文本大小的块。"
    ),
    "train_answer": Text("The text that is wanted", "目标文本"),
    "train_column": Text("Column with the texts", "文本所在的列"),
    "train_language": Text("Language of the task", "任务语言"),
    "train_asked_as": Text("Asked as", "提问方式"),
    "train_as_chat": Text("a question in a chat", "对话中的提问"),
    "train_as_complete": Text("a beginning that is continued", "续写开头"),
    "train_insert": Text("Insert:", "插入："),
    "train_system": Text("System prompt", "系统提示词"),
    # The report
    "train_report": Text("What the model will see", "模型会看到什么"),
    "train_checking": Text("Reading all rows…", "正在读取所有行……"),
    "train_rows": Text("Rows", "行数"),
    "train_examples": Text("Examples", "示例数"),
    "train_split": Text("Trained / validation", "训练 / 验证"),
    "train_tokens": Text("Tokens", "词元数"),
    "train_learned_tokens": Text("Learned tokens", "学习的词元"),
    "train_longest": Text("Longest row", "最长的行"),
    "train_cut": Text("Cut", "截断"),
    "train_duplicates": Text("Duplicates", "重复"),
    "train_empty": Text("Empty", "空"),
    "train_languages": Text("Languages", "语言"),
    "train_shared": Text("Also in validation", "也在验证集中"),
    "train_other_language": Text("other", "其他"),
    "train_cut_row": Text(
        "Row {row}: {tokens:token|tokens} cut off ({part})", "第 {row} 行：截去 {tokens} 词元（{part}）"
    ),
    "train_part_turns": Text("the oldest turns", "最早的轮次"),
    "train_part_prompt": Text("the prompt's end and the whole answer", "提示词末尾和整个回答"),
    "train_part_answer": Text("the answer's end", "回答末尾"),
    "train_unlearned": Text(
        "{count:row|rows} cut before the answer begins: nothing of it is learned.",
        "{count} 行在回答开始前就被截断：其中没有可学习的内容。",
    ),
    "train_first": Text("The first rows, token by token", "前几行，逐词元"),
    "train_is_learned": Text("learned", "学习"),
    "train_is_masked": Text("read, not learned (masked)", "只读不学（遮盖）"),
    "train_row_head": Text(
        "Row {row}: {count:token|tokens}, {learned} learned", "第 {row} 行：{count} 词元，学习 {learned}"
    ),
    "train_row_more": Text("and {count} more", "以及另外 {count} 个"),
    # Settings
    "train_settings": Text("Settings", "设置"),
    "train_base": Text("Base", "基础模型"),
    "train_base_help": Text(
        "One of the loaded models. Load another one on the tab Model.", "已加载的模型之一。可在“模型”页加载其他模型。"
    ),
    "train_name": Text("Name", "名称"),
    "train_presets": Text("Presets", "预设"),
    "train_preset_changed": Text("changed", "已修改"),
    "train_all_settings": Text("All settings", "全部设置"),
    "train_off": Text("{value} is off.", "{value} 为关。"),
    "train_idle": Text("It has no effect while {name} is {value}.", "“{name}”为 {value} 时不起作用。"),
    "train_allowed": Text("Allowed: {range}", "允许：{range}"),
    "train_source": Text("Source: {source}", "出处：{source}"),
    "train_yes": Text("on", "开"),
    "train_measure": Text("Estimate time and memory", "估计时间和内存"),
    "train_begin": Text("Start training", "开始训练"),
    "train_asking": Text("One moment…", "请稍候……"),
    # The estimate
    "train_estimate_time": Text("About {time} and {memory} of memory", "约需 {time}，内存约 {memory}"),
    "train_estimate_fits": Text("It fits: {free} are free.", "放得下：空闲 {free}。"),
    "train_estimate_for": Text(" for {steps:step|steps}.", "，共 {steps} 步。"),
    # A training
    "train_run": Text("The training", "训练"),
    "train_rename": Text("Rename", "重命名"),
    "train_keep": Text("Keep", "保存"),
    "train_shut": Text("Close", "关闭"),
    "train_what": Text("{base} learns from {files}", "{base} 学习 {files}"),
    "train_phase_new": Text("Not started yet", "尚未开始"),
    "train_phase_measuring": Text("Measuring three steps", "正在实测三步"),
    "train_phase_waiting": Text("Waiting until another training has ended", "等待其他训练结束"),
    "train_phase_preparing": Text("Preparing", "准备中"),
    "train_phase_running": Text("Learning", "学习中"),
    "train_phase_paused": Text("Paused", "已暂停"),
    "train_phase_stopped": Text("Stopped; what was learned is kept", "已停止；已学内容保留"),
    "train_phase_stopped_early": Text(
        "Stopped before the first step; nothing is learned yet", "在第一步之前停止；尚未学到内容"
    ),
    "train_phase_done": Text("Done", "已完成"),
    "train_phase_failed": Text("Ended with an error", "因错误结束"),
    "train_pausing": Text("Pausing after this step…", "这一步后暂停……"),
    "train_halting": Text("Stopping after this step…", "这一步后停止……"),
    "train_progress": Text("Steps done", "已完成的步数"),
    "train_step": Text("Step", "步"),
    "train_step_of": Text("{step} of {steps}", "{step} / {steps}"),
    "train_epoch": Text("Epoch", "轮"),
    "train_left": Text("Time left", "剩余时间"),
    "train_memory": Text("Memory", "内存"),
    "train_speed": Text("Tokens/s", "词元/秒"),
    "train_best_at": Text("Best validation loss", "最佳验证损失"),
    "train_best_value": Text("{loss} at step {step}", "{loss}（第 {step} 步）"),
    "train_base_at": Text("Base's validation loss", "基础模型的验证损失"),
    "train_no_better": Text(
        "No step came below the base's validation loss: a lower learning rate or more texts may help.",
        "没有任何一步低于基础模型的验证损失：可尝试降低学习率或增加文本。",
    ),
    "train_roughly": Text("about {time}", "约 {time}"),
    "train_time_s": Text("{count} s", "{count} 秒"),
    "train_time_min": Text("{count} min", "{count} 分钟"),
    "train_time_h": Text("{count} h", "{count} 小时"),
    "train_folder": Text("What was learned lies in {folder}", "所学内容在 {folder}"),
    "train_log": Text("What its process printed", "进程的输出"),
    "train_pause": Text("Pause", "暂停"),
    "train_resume": Text("Resume", "继续"),
    "train_halt": Text("Stop and keep", "停止并保留"),
    "train_use": Text("Use it", "使用它"),
    "train_again": Text("New training with these settings", "用这些设置新建训练"),
    "train_using": Text("It is being loaded; every tab goes on with it.", "正在加载；之后所有页面都会使用它。"),
    "train_used": Text("{title} is in use now.", "现在使用 {title}。"),
    "train_see_model": Text("See the tab Model", "查看“模型”页"),
    "train_note": Text("Note", "备注"),
    "train_note_hint": Text("What you want to remember of this training", "关于此训练想记下的内容"),
    # Curves
    "train_curves": Text("Curves", "曲线"),
    "train_csv": Text("Download CSV", "下载 CSV"),
    "train_svg": Text("Download SVG", "下载 SVG"),
    "train_svg_of": Text("Download {title} as SVG", "下载 SVG：{title}"),
    "train_plot_loss": Text("Loss", "损失"),
    "train_plot_accuracy": Text("Token accuracy on validation", "验证集词元准确率"),
    "train_plot_rate": Text("Learning rate", "学习率"),
    "train_plot_gradient": Text("Gradient norm", "梯度范数"),
    "train_plot_speed": Text("Tokens per second", "每秒词元数"),
    "train_series_loss": Text("training", "训练"),
    "train_series_smooth": Text("training, smoothed", "训练（平滑）"),
    "train_series_validation_loss": Text("validation", "验证"),
    "train_series_token_accuracy": Text("accuracy", "准确率"),
    "train_series_learning_rate": Text("learning rate", "学习率"),
    "train_series_gradient_norm": Text("gradient norm", "梯度范数"),
    "train_series_tokens_per_second": Text("tokens/s", "词元/秒"),
    "train_plot_empty": Text("No values yet", "还没有数值"),
    "train_at_step": Text("step {step}", "第 {step} 步"),
    "train_plot_label": Text("{title}: move over it, or use the arrow keys", "{title}：移动指针或使用方向键"),
    "train_plot_validation": Text("Validation loss", "验证损失"),
    "train_plot_training": Text("Training loss, smoothed", "训练损失（平滑）"),
    # Samples
    "train_samples": Text("The same prompts, written again and again", "同样的提示词，反复生成"),
    "train_samples_help": Text(
        "Base and tuned model write with the same random draws, so only what was learned differs.",
        "基础模型与训练后的模型使用相同的随机数，差别只来自所学内容。",
    ),
    "train_sample_at": Text("step {step} ({at} of {all})", "第 {step} 步（{at} / {all}）"),
    "train_earlier": Text("The evaluation before", "上一次评估"),
    "train_later": Text("The next evaluation", "下一次评估"),
    "train_prompt": Text("Prompt", "提示词"),
    "train_wanted": Text("Wanted", "目标"),
    "train_text_base": Text("Base", "基础模型"),
    "train_text_learned": Text("Tuned, step {step}", "训练后，第 {step} 步"),
    "train_text_none": Text("(empty)", "（空）"),
    # The list
    "train_list": Text("Trainings", "训练列表"),
    "train_none": Text(
        "None yet. Choose a file above, or take the example: some minutes of training teach its form.",
        "还没有训练。请在上面选择文件或使用示例：训练几分钟即可学会其格式。",
    ),
    "train_compare": Text("Compare", "比较"),
    "train_compare_named": Text("Compare {name}", "比较 {name}"),
    "train_state": Text("State", "状态"),
    "train_best": Text("Best loss", "最佳损失"),
    "train_changed": Text("Settings that differ from the defaults", "与默认不同的设置"),
    "train_defaults": Text("the defaults", "默认"),
    "train_open": Text("Open", "打开"),
    "train_open_named": Text("Open {name}", "打开 {name}"),
    "train_remove": Text("Delete", "删除"),
    "train_remove_named": Text("Delete {name}", "删除 {name}"),
    "train_doubt": Text(
        "{name} is deleted with its checkpoints and what it learned. This cannot be undone.",
        "{name} 会连同检查点和所学内容一起删除，无法撤销。",
    ),
    "train_sure": Text("Delete it", "删除"),
    "train_unsure": Text("Keep it", "保留"),
    "train_compared": Text("Curves over one another", "曲线叠加"),
    "train_differences": Text("Settings in which they differ", "不同的设置"),
    "train_no_differences": Text("All settings are the same.", "设置全部相同。"),
}
