"""Every sentence of the page, in both languages, under one key each.

Knows no element: scripts and handlers ask for a key. What comes from the registry or from tasks brings its own words.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from playground.conversation import LEFT_OUT
from playground.inspection_results import NEW_SEED
from playground.types import FINISH_WORDS, Text
from playground.ui.batch_texts import BATCH_TEXTS
from playground.ui.card_texts import CARD_TEXTS
from playground.ui.connection_texts import CONNECTION_TEXTS
from playground.ui.key_texts import KEY_TEXTS
from playground.ui.model_texts import MODEL_TEXTS
from playground.ui.read_texts import READ_TEXTS
from playground.ui.train_texts import TRAIN_TEXTS
from playground.ui.user_task_texts import USER_TASK_TEXTS
from playground.ui.write_texts import WRITE_TEXTS

WORDS: Mapping[str, Text] = {
    "title": Text("Playground", "Playground"),
    # Header
    "tab_play": Text("Play", "体验"),
    "tab_write": Text("Write", "写作"),
    "tab_read": Text("Read", "阅读"),
    "tab_batch": Text("Batch", "批量"),
    "tab_train": Text("Train", "训练"),
    "tab_model": Text("Model", "模型"),
    "sections": Text("Sections", "栏目"),
    "to_dark": Text("Dark theme", "深色主题"),
    "to_light": Text("Light theme", "浅色主题"),
    "switch_language": Text("切换到中文", "Switch to English"),
    "log_out": Text("Log out", "退出登录"),
    "model_details": Text("What is loaded", "已加载的模型"),
    "model_failed": Text("No model", "没有模型"),
    # Share
    "share_public": Text(
        "Public link. Anyone who has it can use this page, for up to a week or until you stop the app.",
        "公开链接。任何拿到它的人都能使用本页，最长一周，或直到你停止程序。",
    ),
    "share_guarded": Text("A password guards it.", "有密码保护。"),
    "share_open": Text("No password guards it.", "没有密码保护。"),
    "share_failed": Text(
        "The public link could not be opened: Gradio's tunnel was not reached. This page goes on at {address}.",
        "公开链接没有建立：无法连接 Gradio 的隧道服务。本页仍可在 {address} 使用。",
    ),
    "share_opening": Text("Opening the public link…", "正在建立公开链接……"),
    "copy_link": Text("Copy link", "复制链接"),
    "copied": Text("Copied", "已复制"),
    # Composer
    "prompt_kind": Text("What to write", "写什么"),
    "kind_task": Text("Task", "任务"),
    "kind_complete": Text("Free prompt", "自由提示词"),
    "kind_chat": Text("Single question", "单次提问"),
    "kind_talk": Text("Conversation", "多轮对话"),
    "choose_task": Text("Choose a task", "选择任务"),
    "measured": Text(
        "Tested with {title}: {form} of {texts:text|texts} had the right form, {loops} repeated themselves.",
        "在 {title} 上统计：{texts} 篇中 {form} 篇格式合规，{loops} 篇循环重复。",
    ),
    "measured_kept": Text("Read and kept: {kept} of {read}.", "人工阅读：{read} 篇中 {kept} 篇可用。"),
    "measured_unread": Text("Whether they are any good nobody has read yet.", "内容好坏尚无人读过。"),
    "see_models": Text("See the models", "查看模型"),
    "hide_remark": Text("Hide", "不再显示"),
    "optional": Text("optional", "可选"),
    "prompt": Text("Prompt", "提示词"),
    "try_it": Text("Try it", "试一试"),
    "prompt_hint": Text("Write the beginning of a text; the model continues it.", "写下一段文字的开头，模型会接着写。"),
    "variables": Text("Variables of the prompt", "提示词中的变量"),
    "variables_hint": Text(
        "Write {{product}} for what changes each time: it becomes a field.",
        "会变的内容写成 {{产品}}，就会成为可填写的字段。",
    ),
    "fill_in": Text("Fill in {{variables}}", "填写 {{变量}}"),
    "fill_off": Text("What stands in {{ }} is sent as it is written.", "{{ }} 中的内容会原样发送。"),
    "fill_many": Text(
        "The text has {count:variable|variables}. With more than {most} it is sent as it stands.",
        "文字中有 {count} 个变量。超过 {most} 个时会原样发送。",
    ),
    "system": Text("System prompt", "系统提示词"),
    "system_hint": Text("Who the model should be, and how it should answer.", "模型应扮演谁、如何回答。"),
    "message": Text("Message", "消息"),
    "message_hint": Text("What you say to the model.", "你对模型说的话。"),
    "prefill": Text("Beginning of the answer", "回答的开头"),
    "prefill_hint": Text("The answer starts with exactly these words.", "回答会从这些字开始。"),
    "special_tokens": Text("Control tokens take effect", "控制词元生效"),
    "special_tokens_hint": Text(
        "Control tokens that you type, like <|im_end|>, steer the model; off, they are text like any other.",
        "你输入的控制词元（如 <|im_end|>）会控制模型；关闭时它们只是普通文本。",
    ),
    "no_chat": Text(
        "{model} has no chat template, so chat is not available; tasks are sent as a text to continue.",
        "{model} 没有对话模板，因此不能对话；任务会使用续写形式。",
    ),
    # Conversation
    "talk_empty": Text(
        "Nothing was said yet. Every turn can later be edited, answered anew or left for another branch.",
        "还没有对话。之后每一轮都可以修改、重新回答，或另开分支。",
    ),
    "talk_you": Text("You", "你"),
    "talk_model": Text("Model", "模型"),
    "talk_edit": Text("Edit and get a new answer", "修改并重新回答"),
    "talk_branch": Text("Branch from here", "从这里另开分支"),
    "talk_send": Text("Send", "发送"),
    "talk_followed": Text("Back to the turns that followed", "回到后续对话"),
    "talk_new": Text("New conversation", "新对话"),
    "talk_window": Text("Context window in use", "上下文窗口用量"),
    "talk_left_out": LEFT_OUT,
    "talk_gone": Text("will be left out", "将被省略"),
    "thought": Text("Thought", "思考过程"),
    "thinking": Text("Thinking…", "正在思考……"),
    "seen": Text("What the model will see", "模型将看到的内容"),
    "seen_waits": Text("Shown once the model is loaded.", "模型加载后显示。"),
    "seen_cut": Text("… {count:character|characters} not shown …", "……此处省略 {count} 个字符……"),
    "seen_as": Text("Show the prompt as", "提示词的显示方式"),
    "seen_text": Text("Text", "文本"),
    "seen_tokens": Text("Tokens", "词元"),
    "seen_tokens_hint": Text(
        "With their ids, coloured by what the model expected; it reads the prompt once.",
        "附编号，按模型的预期着色；模型会读一遍提示词。",
    ),
    "seen_control": Text("Acts as a control token", "作为控制词元生效"),
    "seen_as_plain": Text("Read as text, not as control tokens: {tokens}", "按普通文本读取，不作为控制词元：{tokens}"),
    "seen_changed": Text(
        "The text has changed: these are the tokens of the one before.", "文字已经改动：下面仍是之前的词元。"
    ),
    "seen_again": Text("Read it again", "重新阅读"),
    "as_chat": Text("chat", "对话"),
    "as_complete": Text("completion", "续写"),
    "count": Text("{used} / {context} tokens", "{used} / {context} 词元"),
    "counting": Text("counting tokens…", "正在计数……"),
    "generate": Text("Generate", "生成"),
    "stop": Text("Stop", "停止"),
    "look_next": Text("Look at the next token", "查看下一个词元"),
    "look_next_hint": Text(
        "What the model would choose from, and what the knobs make of it; nothing is generated.",
        "模型会从哪些词元中选择、参数如何改变它们；不会生成文本。",
    ),
    "path": Text("Path", "路径"),
    "path_exact": Text("Exact", "精确"),
    "path_fast": Text("Fast", "快速"),
    "path_exact_means": Text(
        "Slower: the weights as they are stored. One candidate equals model.generate() with the same seed.",
        "较慢：使用原样存储的权重。单个候选与同一种子的 model.generate() 写出相同的文本。",
    ),
    "path_fast_means": Text(
        "Faster: {weights} weights, all requests computed together. Other words than exact; a seed's text may change.",
        "较快：{weights} 权重，所有请求合并计算。用词与精确路径不同；同一种子的文本也可能改变。",
    ),
    "path_fast_measured": Text(
        "Faster: {weights} weights, all requests computed together. Perplexity {change} against exact; other words, "
        "and a seed's text may change.",
        "较快：{weights} 权重，所有请求合并计算。困惑度与精确路径相比 {change}；用词不同，同一种子的文本可能改变。",
    ),
    "path_beams": Text("A beam search runs on the exact path.", "束搜索只能走精确路径。"),
    "path_close": Text("How close?", "有多接近？"),
    "seed": Text("seed", "种子"),
    "fresh": Text("new each run", "每次更换"),
    "seed_needs": Text("The seed was not taken: it must be {range}.", "未采用该种子：应为{range}。"),
    "seed_hint": Text(
        "On the exact path the same seed and settings write the same text again; empty or −1 is a new one each run.",
        "在精确路径上，相同的种子与设置会再次写出相同的文字；留空或 −1 表示每次更换。",
    ),
    "lock_seed": Text("Keep this seed", "固定这个种子"),
    "unlock_seed": Text("Use a new seed for each run", "每次运行用新的种子"),
    "candidates": Text("candidates", "候选数"),
    "fewer": Text("One candidate fewer", "减少一个候选"),
    "more": Text("One candidate more", "增加一个候选"),
    "knobs": Text("Knobs", "参数"),
    "close": Text("Close", "关闭"),
    # Cards
    "results": Text("Results", "结果"),
    "no_results": Text("Pick a task, or write a prompt. {key} generates.", "选择任务，或写一段提示词。按 {key} 生成。"),
    "example": Text(
        "Example, made by {model} with seed {seed}. Press Generate to write a text whose words you can open.",
        "示例：由 {model} 以种子 {seed} 生成。点击“生成”写出自己的文本，其中的词才能点开查看。",
    ),
    "run_of": Text("Run {at} of {all}", "第 {at} 次，共 {all} 次"),
    "previous_run": Text("Earlier run", "上一次运行"),
    "next_run": Text("Later run", "下一次运行"),
    "previous_version": Text("Earlier version", "上一个版本"),
    "next_version": Text("Later version", "下一个版本"),
    "versions": Text("Tree of the versions", "版本树"),
    "version_n": Text("Version {n}", "版本 {n}"),
    "version_first": Text("first version", "最初版本"),
    "version_seed": Text("from the beginning, seed {seed}", "从头生成，种子 {seed}"),
    "version_on": Text("goes on from its end", "从末尾继续"),
    "version_hand": Text("by hand: “{was}” → “{became}”", "手动：“{was}” → “{became}”"),
    "version_token": Text("from token {n}: “{was}” → “{became}”", "从词元 {n}：“{was}” → “{became}”"),
    "version_token_open": Text("from token {n}, instead of “{was}”", "从词元 {n}，取代“{was}”"),
    "compare": Text("Compare", "比较"),
    "compare_close": Text("Close the comparison", "关闭比较"),
    "compare_one": Text("Compare this version", "比较此版本"),
    "compare_with": Text("with this one", "与此版本比较"),
    "compare_same": Text("The two texts are the same.", "两段文本相同。"),
    "compare_shared": Text("The beginning they share", "共同的开头"),
    "compare_ends": Text("ends here", "到此结束"),
    "prune": Text("Delete", "删除"),
    "prune_hint": Text("Delete this version and all that were made from it", "删除此版本，以及由它产生的所有版本"),
    "pruned": Text("{count} deleted", "已删除 {count} 个"),
    "bring_back": Text("Bring back", "恢复"),
    "undo": Text("Undo", "撤销"),
    "redo": Text("Redo", "重做"),
    "undo_what": Text("Undo: {what}", "撤销：{what}"),
    "redo_what": Text("Redo: {what}", "重做：{what}"),
    "did_walk": Text("other version chosen", "选择其他版本"),
    "did_prune": Text("version deleted", "删除版本"),
    "did_restore": Text("version brought back", "恢复版本"),
    "did_edit": Text("edit by hand", "手动编辑"),
    "did_continue": Text("continuation", "继续生成"),
    "did_regenerate": Text("new seed", "换种子重新生成"),
    "did_branch": Text("branch", "分支"),
    "looked_at": Text("The panel below is about this text", "下方面板显示的是这条文本"),
    "copy": Text("Copy", "复制"),
    "copy_all": Text("Copy all", "全部复制"),
    "unchecked": Text(
        "Written by a language model. Nothing said here was checked for truth.", "由语言模型生成，内容未经核实。"
    ),
    "intro": Text(
        "A language model writes here. Press Generate, click a word of the text to see why it was chosen, then turn a "
        "knob and watch what it would change.",
        "语言模型在此写作。点击“生成”，再点文本中的任意一个词，看它为何被选中；调节参数，观察变化。",
    ),
    "edit": Text("Edit by hand", "手动编辑"),
    "continue": Text("Continue from here", "从这里继续"),
    "regenerate": NEW_SEED,
    "save": Text("Keep", "保留"),
    "discard": Text("Discard", "放弃"),
    "edited": Text("edited by hand", "手动编辑"),
    "as_text": Text("Show as text", "显示原文"),
    "as_list": Text("Show as list", "显示列表"),
    "as_table": Text("Show as table", "显示表格"),
    "cut_short": Text("ended before its form was complete", "格式尚未完整就结束了"),
    "run_number": Text("Run {n}", "运行 {n}"),
    "quoted": Text("“{text}”", "“{text}”"),
    "some_texts": Text("{count:text|texts}", "{count} 条文本"),
    "show_run": Text("Show its texts", "显示它的文本"),
    "fold_run": Text("Hide its texts", "收起"),
    "restore_run": Text("Restore these settings", "恢复这些设置"),
    "restore_run_hint": Text(
        "Put the prompt and the knobs of this run back into the form", "把这次运行的提示词和参数放回表单"
    ),
    "show_as": Text("Show the texts as", "文本的显示方式"),
    "show_text": Text("Text", "文本"),
    "show_tokens": Text("Tokens", "词元"),
    "dock": Text("How the text was made", "生成过程"),
    "dock_inside": Text("Inside a token", "词元内部"),
    "dock_run": Text("Curve and figures", "曲线与数字"),
    "dock_hint": Text("Click a word of a text to see why it was chosen.", "点击文本中的一个词，查看它的由来。"),
    "dock_larger": Text("Larger", "放大"),
    "dock_smaller": Text("Smaller", "缩小"),
    "dock_close": Text("Close", "关闭"),
    "dock_resize": Text("Height of this part", "此部分的高度"),
    "diagnosis": Text("Noticed in this text", "值得注意"),
    "diagnosis_apply": Text("Set {remedy}", "设置：{remedy}"),
    "diagnosis_followed": Text("{remedy} is set. The next run uses it.", "已设置{remedy}，下次运行时生效。"),
    "empty_text": Text("The model ended without writing anything.", "模型没有写任何内容就结束了。"),
    "emptied": Text("This text was emptied by hand.", "此文本已被手动清空。"),
    "nothing_written": Text("Nothing was written.", "没有写出任何内容。"),
    "tokens": Text("{count:token|tokens}", "{count} 词元"),
    "speed": Text("{count} tok/s", "{count} 词元/秒"),
    "first_token": Text("first after {count} s", "首词元 {count} 秒"),
    "guesses": Text("prompt lookup: {right} of {all:guess|guesses} right", "{all} 个猜测中 {right} 个正确"),
    "card_fast": Text("fast · {weights}", "快速 · {weights}"),
    "card_exact": Text("exact", "精确"),
    "card_seed": Text("seed {count}", "种子 {count}"),
    "lock_this_seed": Text("Keep seed {count} for the next run", "下次运行使用种子 {count}"),
    "writing": Text("writing…", "正在生成……"),
    "reading": Text("reading the prompt…", "正在读取提示词……"),
    "starting": Text("starting…", "正在开始……"),
    "done": Text("Done.", "已完成。"),
    "lost": Text(
        "The connection to the server was lost; what was written is kept.", "与服务器的连接已断开；已生成的内容保留。"
    ),
    "open_many": Text(
        "Too many of your requests are still open. Try again once some of them have ended.",
        "你还有太多请求没有结束，请等其中一些结束后再试。",
    ),
    "open_many_in_all": Text(
        "Too many people are using this page right now. Try again in a minute.",
        "现在使用本页的人太多，请过一分钟再试。",
    ),
    **CARD_TEXTS,
    **USER_TASK_TEXTS,
    **CONNECTION_TEXTS,
    **KEY_TEXTS,
    **READ_TEXTS,
    **BATCH_TEXTS,
    **WRITE_TEXTS,
    **TRAIN_TEXTS,
    **MODEL_TEXTS,
}

BY_HAND = Text(
    "This text was written by hand, so there are no tokens to look into.", "这段文字是手动写的，因此没有词元可供查看。"
)
NOT_KEPT = Text(
    "The tokens of this version are not kept any more. Generate again to look inside.",
    "此版本的词元已不再保留。请重新生成后再查看。",
)
TEXT_ONLY = Text(
    "This engine tells the text only; its tokens are unknown here.", "此引擎只给出文本，这里不知道它的词元。"
)
UNCOUNTED = Text("tokens: unknown here", "词元数：在此未知")
UNEXPECTED = Text(
    "Something went wrong on the server; the terminal shows the details. Your text is kept.",
    "服务器出了问题，详情见终端。你的文字都还在。",
)
LOADING = Text("The model is being loaded", "正在加载模型")
WAITS = Text("Waiting for the model: {stage}", "等待模型：{stage}")
IN_QUEUE = Text("In line: {ahead} ahead of you", "排队中：前面还有 {ahead} 个")
IN_QUEUE_ABOUT = Text("In line: {ahead} ahead of you, about {time}", "排队中：前面还有 {ahead} 个，约 {time}")
SECONDS = Text("{count} s", "{count} 秒")
MINUTES = Text("{count} min", "{count} 分钟")
LOADING_LEFT = Text("{stage}, about {seconds} s left", "{stage}，大约还需 {seconds} 秒")
LOADING_SO_FAR = Text("{stage}, {seconds} s so far", "{stage}，已用 {seconds} 秒")
NOT_YET = Text(
    "The model is still being loaded ({stage}); try again when it is ready.",
    "模型仍在加载（{stage}），请等加载完成后再试。",
)
READ_QUEUE_FULL = Text("Too many people are asking the model right now.", "现在使用模型的人太多。")
NO_SEED = Text(
    "Every run draws a new seed, so it is not known yet which of these it will be. Keep a seed to see the draw.",
    "每次运行都换新种子，因此还不知道会抽中哪一个。固定种子即可看到抽取结果。",
)
ENGINE_DRAWS = Text(
    "The engine draws with random numbers of its own, so it is not known yet which of these it will be.",
    "引擎用自己的随机数抽取，因此还不知道会抽中哪一个。",
)
BEAMS_NEXT = Text("A beam search draws nothing: it compares whole continuations.", "束搜索不做抽取，而是比较整段续写。")
NEXT_EXACT = Text(
    "This is the exact path's draw; on the fast path the numbers, and so the token, may differ a little.",
    "这是精确路径的抽取；快速路径上的数值略有不同，词元也可能因此不同。",
)
FIRST_OF_MANY = Text(
    "This is candidate 1; the others have random draws of their own.", "这是候选 1，其他候选使用各自的随机数。"
)
READ_STARTS = Text("Reading…", "正在阅读……")
READ_PART = Text("Read {done} of {all:token|tokens}.", "已读 {done} / {all} 个词元。")
READ_STOPPED = Text("Stopped before anything was read.", "尚未开始阅读就已停止。")
READ_STOPPED_AT = Text("Stopped: {done} of {all:token|tokens} were read.", "已停止：读了 {done} / {all} 个词元。")
Z_SCORE = Text("z-score", "z 分数")
P_VALUE = Text("p-value", "p 值")
GREEN = Text("green tokens", "绿名单词元")
NOT_READ = Text("Nobody read this for a while, so it was ended.", "一直没有人读取，因此已结束。")
QUEUE_FULL = Text("Too many people are generating right now.", "现在生成的人太多。")
QUEUE_SHARE = Text("As many of your runs are open as one visitor may have.", "你进行中的生成已达单个访客的上限。")
QUEUE_SHARE_HINT = Text("Try again once one has ended; your text stays here.", "请等一个结束后再试，你的文字都在。")
TRY_AGAIN = Text("Try again in a minute; your text stays here.", "请过一分钟再试，你的文字都在。")
NO_CHAT = Text("This model has no chat template.", "这个模型没有对话模板。")
USE_COMPLETE = Text("Use a free prompt or a task.", "请用自由提示词或任务。")

_FILL = WORDS["fill_in"]
OR_AS_IT_STANDS = Text(f"To send the text as it stands, switch off “{_FILL.en}”.", f"要原样发送，请关闭“{_FILL.zh}”。")


def bilingual(text: Text | None) -> dict[str, str] | None:
    """A Text as the page's scripts take it: both languages, so that a switch needs no server."""
    return None if text is None else {"en": text.en, "zh": text.zh}


def table_of(words: Mapping[str, Text]) -> dict[str, Any]:
    return {key: bilingual(text) for key, text in words.items()}


def text_table() -> dict[str, Any]:
    """All words for the page's scripts, finish reasons under `finish_<reason>`."""
    return table_of(WORDS) | {f"finish_{reason}": bilingual(text) for reason, text in FINISH_WORDS.items()}
