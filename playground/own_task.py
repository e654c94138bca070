"""A person's own task: a prompt with `{{variables}}`, filled in, and written down as the YAML that `presets/` holds.

Knows no page and keeps nothing. Whatever comes from outside is read as strictly as a shipped task, and is smaller.
"""

from __future__ import annotations

import functools
import re
from collections.abc import Mapping
from typing import Any

import yaml

from playground import parameters, schema, tasks
from playground.schema import SchemaError
from playground.task import MAX_LENGTH, PLACE, Field, Task, fill
from playground.types import InvalidRequest, Language, PlaygroundError, Text

MAX_BYTES = 64 * 1024
MAX_FIELDS = 12
MAX_TITLE = 60  # characters
_KEPT = 64  # tasks that are not parsed again, since a page asks for one with every event
FILE = "task.yaml"  # what errors call a text that came without a name
_GROUP = "write"
_OTHER_BREAKS = re.compile("[\x85\u2028\u2029]")  # as lines YAML would read them as line feeds
_ABOUT = Text("Made from a prompt of my own.", "由我自己的提示词制成。")


class _Dumper(yaml.SafeDumper):
    """SafeDumper that writes a prompt as the lines it has, and never an alias, which our reader refuses."""

    def ignore_aliases(self, data: Any) -> bool:
        return True


def _text_node(dumper: yaml.SafeDumper, text: str) -> yaml.Node:
    lines = "\n" in text and not _OTHER_BREAKS.search(text)
    return dumper.represent_scalar("tag:yaml.org,2002:str", text, style="|" if lines else None)


_Dumper.add_representer(str, _text_node)


def variables(prompt: str) -> list[str]:
    """The names between double braces, each once, in the order in which they come."""
    return list(dict.fromkeys(PLACE.findall(prompt)))


def filled(prompt: str, values: Mapping[str, Any], language: Language) -> str:
    """The prompt with its variables filled. Raises InvalidRequest naming the place, as `{{name}}`, or the prompt."""
    names = variables(prompt)
    if not names:
        return prompt
    _check_names(names)
    return fill(prompt, {name: _field(name).checked(values.get(name, ""), language) for name in names})


def read(text: object, file: str = FILE) -> Task:
    """The task that this YAML describes, parsed once while it is in use. Raises SchemaError with the line."""
    if not isinstance(text, str):
        raise SchemaError(Text("it is not a text.", "不是文本。"), file=file)
    try:
        size = len(text.encode("utf-8"))
    except UnicodeEncodeError:
        raise SchemaError(Text("it holds characters that are no text.", "含有无效字符。"), file=file) from None
    if size > MAX_BYTES:
        most = MAX_BYTES // 1024
        raise SchemaError(Text(f"it is larger than {most} KB.", f"超过 {most} KB。"), file=file)
    return _built(text, file)


@functools.lru_cache(_KEPT)
def _built(text: str, file: str) -> Task:
    return tasks.build(schema.parse(text, file))


def write(title: object, prompt: str, values: Mapping[str, Any], knobs: Mapping[str, Any], language: Language) -> str:
    """The YAML of a task that sends what this free prompt sends: with these knobs, and these values as the defaults."""
    named = " ".join(title.split()) if isinstance(title, str) else ""
    if not named or len(named) > MAX_TITLE:
        en, zh = f"The title needs 1 to {MAX_TITLE} characters.", f"标题需要 1 到 {MAX_TITLE} 个字符。"
        raise InvalidRequest(Text(en, zh), parameter="title")
    names = variables(prompt)
    if not names:
        what = Text("A task needs something to fill in.", "任务需要可以填写的内容。")
        hint = Text("Write {{name}} where the prompt changes.", "请在提示词会变的地方写上 {{名称}}。")
        raise InvalidRequest(what, hint, parameter="prompt")
    if tasks.SHOTS in names or "{{" in PLACE.sub("", prompt):
        what = Text("A task cannot hold this prompt.", "任务无法保存这个提示词。")
        hint = Text(
            "Behind {{ there must be a name of letters, digits or _, and }}; the name shots is taken.",
            "{{ 之后应为由文字、数字或 _ 组成的名称和 }}；名称 shots 已被占用。",
        )
        raise InvalidRequest(what, hint, parameter="prompt")
    _check_names(names)
    defaults = {name: _field(name, required=False).checked(values.get(name, ""), language) for name in names}
    chosen = parameters.changed(parameters.validate(knobs))
    record = {
        "id": _id(named),
        "group": _GROUP,
        "title": _both(named),
        "description": {"en": _ABOUT.en, "zh": _ABOUT.zh},
        "output": {"kind": "text"},
        "fields": [_record(name, value) for name, value in defaults.items()],
        "prompts": {"en": {"complete": prompt}, "zh": {"complete": prompt}},
        "parameters": {name: value for name, value in chosen.items() if name != "seed"},
    }
    text: str = yaml.dump(record, Dumper=_Dumper, allow_unicode=True, sort_keys=False, width=100)
    read(text)  # what could not be read again is not handed out
    return text


def prompt_of(task: Task, language: Language) -> str:
    """A task's document to be continued, its worked inputs and outputs included, as a free prompt to begin with."""
    return task.prompts[language].complete


def is_prompt(task: Task) -> bool:
    """Whether its prompt, written down again, is all there is to this task, so that it may be edited as a prompt."""
    try:
        again = write(task.title.en, prompt_of(task, "en"), task.defaults("en"), task.parameters, "en")
    except PlaygroundError:
        return False
    return read(again) == task


def _check_names(names: list[str]) -> None:
    if len(names) > MAX_FIELDS:
        en = f"The prompt has {len(names)} variables; at most {MAX_FIELDS} are allowed."
        zh = f"提示词有 {len(names)} 个变量，最多 {MAX_FIELDS} 个。"
        raise InvalidRequest(Text(en, zh), parameter="prompt")


def _field(name: str, *, required: bool = True) -> Field:
    """A variable while it is part of a prompt; errors name its place, so that no other field is meant."""
    place, most = f"{{{{{name}}}}}", MAX_LENGTH["long_text"]
    return Field(place, "long_text", Text(name, name), Text("", ""), required=required, max_length=most)


def _record(name: str, value: str) -> dict[str, Any]:
    """A field that takes a value like this one again."""
    long = "\n" in value or len(value) > MAX_LENGTH["text"]
    return {"name": name, "type": "long_text" if long else "text", "label": _both(name), "default": _both(value)}


def _both(text: str) -> dict[str, str]:
    return {"en": text, "zh": text}


def _id(title: str) -> str:
    """A name for the file, of the letters that the title has for it."""
    plain = re.sub(r"[^a-z0-9]+", "_", title.lower()).strip("_")
    return (plain if plain[:1].isalpha() else f"task_{plain}")[:40].strip("_")
