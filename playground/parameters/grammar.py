"""From a form as a person writes it to a grammar of llguidance, within bounds that no visitor can stretch.

A worker process compiles it first and takes a few steps of it; only what was cheap there is ever compiled in the
server. Knows no model's tokenizer, no model and no page.
"""

from __future__ import annotations

import json
import re
import time
from collections.abc import Mapping
from functools import lru_cache
from typing import Any

from llguidance import LLMatcher, LLParserLimits, LLTokenizer, regex_to_lark

from playground.field_titles import with_name
from playground.isolation import LimitExceeded, ResourceLimits, run_isolated
from playground.parameters.form_messages import json_problem, plain
from playground.parameters.form_messages import quoted as in_its_words
from playground.types import InvalidRequest, Text

LABELS = {
    "json_schema": Text("JSON schema", "JSON Schema"),
    "regex": Text("Regular expression", "正则表达式"),
    "one_of": Text("One of these", "限定选项"),
    "grammar": Text("Grammar", "语法"),
}
FORMS = tuple(LABELS)
"""Parameters that hold a text to a form; one at a time."""

LIMITS = LLParserLimits(
    initial_lexer_fuel=1_000_000,
    step_lexer_fuel=100_000,
    step_max_items=10_000,
    max_lexer_states=20_000,
    max_grammar_size=50_000,
    verbose_errors=False,
)
"""What a token may cost in the server, in steps of work and in sizes; of the forms tried, 60 ms at most. Every preset's
form takes 2 ms. A step's cost grows with the size of the expressions, and that is what `_COMPILING` bounds."""

_CHECKING = ResourceLimits(seconds=1.0, memory=3 * 10**8, output=10**5)  # for the worker process
_COMPILING = 0.25  # seconds of CPU time to compile a form; the presets' take a hundredth of one
_MASK = 0.1  # and for each of the steps that are tried
_STEPS = 48

_HEAVY = Text(
    "to hold a text to this takes too much work; write it in a simpler way.",
    "按此形式生成需要的计算太多，请写得简单一些。",
)
DEEPEST = 40  # brackets within brackets: the parser of grammars goes down by recursion
_OPENING = re.compile(r"[(\[{~]")
_CLOSING = re.compile(r"[)\]}]")
_PLACE = re.compile(r"(?:at )?(?P<line>\d+)\((?P<column>\d+)\): (?P<reason>.*)", re.DOTALL)
_LONGEST = 200  # characters of a reason: it may quote the whole form

# As Python's json and most of what models have read; free white space would let a small model write nothing else.
_SPACING: Any = {"whitespace_flexible": False, "item_separator": ", ", "key_separator": ": "}


def grammar_of(values: Mapping[str, Any]) -> str | None:
    """The grammar of what these values ask for; None where they ask for none."""
    return next((_written(name, values[name]) for name in FORMS if values[name]), None)


def problem_isolated(options: Mapping[str, Any], _: bytes) -> list[str] | None:
    """What is wrong with a form, or that it takes too much work; for a worker process, which may die of it."""
    name, value = options["name"], options["value"]
    rules = _written(name, value)
    message = LLMatcher.validate_grammar(rules, None, limits=LIMITS)
    if message and not message.startswith("WARNING"):
        problem = _refusal(name, message)
        return [problem.en, problem.zh]
    return None if _is_cheap(rules) else [_HEAVY.en, _HEAVY.zh]


def _is_cheap(rules: str) -> bool:
    """Compiles the grammar over single bytes, and follows it for some steps down one path."""
    tokens = LLTokenizer("byte")
    before = time.process_time()
    matcher = LLMatcher(tokens, rules, log_level=0, limits=LIMITS)
    now = time.process_time()
    if now - before > _COMPILING:
        return False
    for step in range(_STEPS):
        if matcher.is_error():  # a text that comes here ends here, alone
            return True
        before = now
        mask = int.from_bytes(matcher.compute_bitmask(), "little")
        now = time.process_time()
        if now - before > _MASK:
            return False
        allowed = [token for token in range(256) if mask >> token & 1]
        if not allowed:
            return True
        matcher.consume_tokens([allowed[step * 7919 % len(allowed)]])
    return True


def check(name: str, value: Any) -> None:
    """Raises InvalidRequest with the place where a form cannot be read, or takes too much."""
    try:
        problem = _problem(name, value if isinstance(value, str) else tuple(value))
    except LimitExceeded:  # not remembered: a machine may have been very busy
        problem = _HEAVY
    if problem is not None:
        label = with_name(LABELS[name], name)
        raise InvalidRequest(Text(f"{label.en}: {problem.en}", f"{label.zh}：{problem.zh}"), parameter=name)


def lark(name: str, value: Any) -> str:
    """A form in the library's dialect of Lark."""
    match name:
        case "json_schema":
            return f"start: %json {json.dumps({**json.loads(value), 'x-guidance': _SPACING})}"
        case "regex":
            return f"start: /{regex_to_lark(value, 'd')}/"
        case "one_of":
            return "start: " + " | ".join(map(quoted, dict.fromkeys(value)))
        case _:
            return str(value)


def _written(name: str, value: Any) -> str:
    """As it is compiled. Nothing is forced: spelling out what must follow has no bound on its work."""
    return LLMatcher.grammar_from_lark(f'{lark(name, value)}\n%llguidance {{"no_forcing": true}}\n')


def quoted(text: str) -> str:
    """A text as a grammar writes it."""
    return json.dumps(text, ensure_ascii=False)


@lru_cache(maxsize=64)
def _problem(name: str, value: str | tuple[str, ...]) -> Text | None:
    """What is wrong with a form; remembered, for every turn of a knob asks again. Raises LimitExceeded."""
    if name == "json_schema":
        problem = _broken_json(str(value))
        if problem is not None:
            return problem
    if name == "grammar" and _depth(str(value)) > DEEPEST:
        return Text(f"brackets stand more than {DEEPEST} deep within each other.", f"括号的嵌套超过了 {DEEPEST} 层。")
    found = run_isolated("form", {"name": name, "value": value}, b"", _CHECKING)
    return None if found is None else Text(*found)


def _broken_json(written: str) -> Text | None:
    try:
        found = json.loads(written)
    except json.JSONDecodeError as error:
        return json_problem(error.msg, error.lineno, error.colno)
    except (ValueError, RecursionError):
        return Text("this is not JSON that can be read.", "无法读取这段 JSON。")
    if not isinstance(found, dict):
        return Text("a schema is an object, in braces.", "模式应为花括号括起的对象。")
    return None


def _depth(written: str) -> int:
    """How deep brackets and negations stand within each other; those in quotes count too, so it may be less."""
    deepest = depth = 0
    for character in written:
        if _OPENING.match(character):
            depth += 1
            deepest = max(deepest, depth)
        elif _CLOSING.match(character) and depth:
            depth -= 1
    return deepest


def _refusal(name: str, message: str) -> Text:
    """In plain words, or the library's own in one line. Its place counts in the grammar around."""
    found = _PLACE.match(message)
    line, column, reason = (found["line"], found["column"], found["reason"]) if found else ("1", "1", message)
    lines = reason.splitlines()
    broken = next((one for one in lines if one.startswith("error: ")), None)
    marks = next((one for one in lines if one.strip() and not one.strip(" ^")), None)
    if name == "regex" and broken is not None and marks is not None:
        place = marks.index("^") - 3  # the pattern is shown four spaces in; counted from 1
        reason = broken.removeprefix("error: ")
        said = plain(reason) or in_its_words(reason)
        return Text(f"at character {place}: {said.en}", f"第 {place} 个字符：{said.zh}")
    reason = (broken or lines[0]).removeprefix("error: ").removeprefix("failed to compile JSON schema: ").rstrip(".")
    said = plain(reason) or in_its_words(reason[:_LONGEST])
    if name == "grammar":
        return Text(f"line {line}, column {column}: {said.en}", f"第 {line} 行第 {column} 列：{said.zh}")
    return said
