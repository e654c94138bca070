"""What the tools say of themselves and of what they cannot do.

Descriptions are for agents and stand in English; sentences about a call exist in both languages, as everywhere.
"""

from __future__ import annotations

from playground.types import Text

INSTRUCTIONS = (
    "Texts written by a language model that runs on this server, with control over how each token is sampled. Call "
    "list_tasks before write_with_task: it names the fields of each task. A written text has the name of its run, with "
    "which what_if tells what other settings would have written instead. Everything is refused with one sentence that "
    "says what to change; nothing is dropped silently."
)
LIST_TASKS = (
    "The tasks that write_with_task knows, in a few words each; or, with `task`, everything about one of them: its "
    "fields with their meaning, length and choices, the parameters it starts from, and texts that it has written."
)
DESCRIBE_PARAMETERS = (
    "What sampling parameters do: meaning, formula, range, and the neutral value that changes nothing. Name the ones "
    "that matter; without names all are told."
)
WRITE = (
    "Writes with a task: fills the fields into a prompt that was tuned for its kind of text (slogans, summaries, "
    "replies to customers, extracted records …) and returns the texts, and the value each stands for: a list of "
    "items, rows of a table, a record. list_tasks names the fields. Parameters replace the task's own one by one."
)
GENERATE = (
    "Continues a prompt, or answers a message (mode chat), under any sampling parameters. Use write_with_task where a "
    "task fits."
)
WHAT_IF = (
    "What would another setting have written? Takes a run that this server wrote and decides each of its tokens again "
    "under other parameters, with the same random draws: the first token that would be another, and how many. With "
    "`write` the whole other text is written too, with the same seed. Parameters that are not given stay as they were."
)
READ = (
    "Reads a text without writing: how probable the model finds each token, its rank, what it expected instead, and "
    "the perplexity of the whole."
)
TASK_OF_LIST = "Tell everything about this task."
FIELDS = "The fields of the task by name. list_tasks tells which there are."
LANGUAGE = "The language of the prompt, and of what is said about it."
MODE = "chat answers, complete continues. Without it: chat where the model knows how to."
MODE_OF_PROMPT = "complete continues the prompt; chat answers it as a message."
MODEL = "The id or title of a model that is loaded, where there are several; without it the current one."
PROMPT = "The text to continue, or the message to answer."
SYSTEM = "What the model should keep to (chat only)."
PREFILL = "The beginning of the answer; the model writes on right behind it."
TURNS = "What was said before, as pairs: [message, answer, message, answer …] without the prompt itself (chat only)."
PARAMETERS = "Sampling parameters by name; those not given keep their defaults. describe_parameters explains them."
CHANGED = "The parameters that should have been others."
RUN = "The name of the run, as write_with_task and generate return it."
CANDIDATE = "Which text of the run, counted from 0."
ALSO_WRITE = "Also write the whole text under the other parameters."
TEXT = "The text to read."
BEFORE = "What stands before it; its own tokens are not told."
ALTERNATIVES = "How many of the likeliest tokens to tell at each place."
NAMES = "Names of parameters."

NO_TOOL = Text("There is no tool {name}.", "没有名为 {name} 的工具。")
NO_ARGUMENT = Text("{tool} has no argument {name}.", "{tool} 没有参数 {name}。")
DID_YOU_MEAN = Text("Did you mean {near}?", "你是想用 {near} 吗？")
THERE_ARE = Text("There are {names}.", "可用的有 {names}。")
MISSING = Text("{tool} needs the argument {name}.", "{tool} 需要参数 {name}。")
WRONG_KIND = Text("The argument {name} must be {kind}.", "参数 {name} 应为{kind}。")
KINDS = {
    "text": Text("a text", "文本"),
    "texts": Text("a list of texts", "文本列表"),
    "object": Text("an object", "对象"),
    "switch": Text("true or false", "true 或 false"),
    "whole": Text("a whole number from {low} to {high}", "{low} 到 {high} 之间的整数"),
}
RUN_GONE = Text("This run is not known here any more.", "此处已没有这次运行的记录。")
WRITE_AGAIN = Text("Write the text again to ask about it.", "请重新生成文本后再询问。")
COMPARED = Text("The two texts were compared as they were written.", "这里比较的是两次实际生成的文本。")
FAST = Text(
    "On the fast path the same seed need not give the same text.", "在 fast 路径上，相同的种子不一定给出相同的文本。"
)
FAILED = Text("Something went wrong on the server; its terminal shows the details.", "服务器出了问题，详情见其终端。")
