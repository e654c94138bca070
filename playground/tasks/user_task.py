"""A person's own task: a prompt or a chat with `{{variables}}`, filled in, and written down as the YAML of `presets/`.

Knows no page and keeps nothing. Whatever comes from outside is read as strictly as a shipped task, and is smaller.
"""

from __future__ import annotations

import functools
import re
import zlib
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import yaml

from playground import parameters
from playground.amounts import counted
from playground.tasks import loader, schema
from playground.tasks.schema import SchemaError
from playground.tasks.task import MAX_LENGTH, PLACE, Field, Prompts, Task, fill
from playground.types import InvalidRequest, Language, Mode, PlaygroundError, Text

MAX_BYTES = 64 * 1024
MAX_FIELDS = 60  # variables of a prompt; what has more is no form to fill in, and is sent as it stands
MAX_TITLE = 60  # characters
_LONGEST = 40  # characters of a variable's name
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


def free(prompt: str) -> Prompts:
    """A free prompt, as a task holds it."""
    return Prompts("", "", "", "", prompt)


def chat(system: str, message: str, prefill: str) -> Prompts:
    """A chat, as a task holds it; a model without a chat template continues its parts as one text."""
    return Prompts(
        "", system, message, prefill, "\n\n".join(part for part in (system, message, prefill) if part.strip())
    )


def variables(*texts: str) -> list[str]:
    """The names between double braces, each once, in the order in which they come."""
    return list(dict.fromkeys(name for text in texts for name in PLACE.findall(text)))


def in_words(prompt: str, values: Mapping[str, Any], task: Task, language: Language) -> tuple[str, dict[str, Any]]:
    """A task's prompt as one's own to go on with, and the values of its variables: they are called as the task's fields
    are in this language, as far as a name can say it, and not as its file calls them."""
    names: dict[str, str] = {}
    for field in task.fields:
        plain = re.sub(r"\W+", "_", re.sub(r"['’]", "", field.label.say(language))).strip("_")[:_LONGEST]
        free = plain and plain not in (*names.values(), loader.SHOTS)
        names[field.name] = plain if free else field.name
    text = PLACE.sub(lambda place: f"{{{{{names.get(place[1], place[1])}}}}}", prompt)
    return text, {names[name]: value for name, value in values.items() if name in names}


def filled(
    texts: Mapping[str, str], values: Mapping[str, Any], language: Language, *, required: bool = True
) -> dict[str, str]:
    """The texts of a prompt with their variables filled; as they stand where there are more than `MAX_FIELDS`.

    A line whose variables are all empty is left out, unless they are `required`. Raises InvalidRequest naming the
    place, as `{{name}}`.
    """
    names = variables(*texts.values())
    if len(names) > MAX_FIELDS:
        return dict(texts)
    known = {name: _field(name, required=required).checked(values.get(name, ""), language) for name in names}
    return {part: fill(text, known) for part, text in texts.items()}


def read(text: object, file: str = FILE) -> Task:
    """The task that this YAML describes, parsed once while it is in use. Raises SchemaError with the line."""
    if not isinstance(text, str):
        raise SchemaError(Text("it is not a text.", "不是文本。"), file=file)
    try:
        size = len(text.encode("utf-8"))
    except UnicodeEncodeError:
        raise SchemaError(Text("it holds characters that are no text.", "含有无效字符。"), file=file) from None
    if size > MAX_BYTES:
        raise _too_large(file)
    return _built(text, file)


@functools.lru_cache(_KEPT)
def _built(text: str, file: str) -> Task:
    return loader.build(schema.parse_untrusted(text, file))


def write(
    title: object, prompts: Prompts, values: Mapping[str, Any], knobs: Mapping[str, Any], language: Language
) -> str:
    """The YAML of a task that sends what these prompts send: with these knobs, and these values as the defaults.

    Raises InvalidRequest where the title, the message or a value is missing or not allowed, or where the variables
    cannot become fields, and SchemaError where the text is larger than `MAX_BYTES`.
    """
    named = " ".join(title.split()) if isinstance(title, str) else ""
    if not named or len(named) > MAX_TITLE:
        en, zh = f"The title needs 1 to {MAX_TITLE} characters.", f"标题需要 1 到 {MAX_TITLE} 个字符。"
        raise InvalidRequest(Text(en, zh), parameter="title")
    if len(prompts.complete) > MAX_BYTES:
        raise _too_large(FILE)
    names = variables(prompts.complete)  # of a chat, all its parts
    if not names:
        what = Text("A task needs something to fill in.", "任务需要可以填写的内容。")
        hint = Text("Write {{name}} where the prompt changes.", "请在提示词会变的地方写上 {{名称}}。")
        raise InvalidRequest(what, hint, parameter="prompt")
    if loader.SHOTS in names or "{{" in PLACE.sub("", prompts.complete):
        what = Text("A task cannot hold this prompt.", "任务无法保存这个提示词。")
        hint = Text(
            "Behind {{ there must be a name of letters, digits or _, and }}; the name shots is taken.",
            "{{ 之后应为由文字、数字或 _ 组成的名称和 }}；名称 shots 已被占用。",
        )
        raise InvalidRequest(what, hint, parameter="prompt")
    if len(names) > MAX_FIELDS:
        en = f"The prompt has {counted(len(names), 'variable', 'variables')}; a task has at most {MAX_FIELDS}."
        zh = f"提示词有 {len(names)} 个变量，任务最多 {MAX_FIELDS} 个。"
        raise InvalidRequest(Text(en, zh), parameter="prompt")
    if (prompts.system or prompts.prefill) and not prompts.user.strip():
        raise InvalidRequest(Text("The message is empty.", "消息不能为空。"), parameter="message")
    defaults = {name: _field(name, required=False).checked(values.get(name, ""), language) for name in names}
    chosen = parameters.changed(parameters.validate(knobs))
    asked = _prompts_record(prompts)
    record = {
        "id": _id(named),
        "group": _GROUP,
        "title": _both(named),
        "description": {"en": _ABOUT.en, "zh": _ABOUT.zh},
        "output": {"kind": "text"},
        "fields": [_record(name, value) for name, value in defaults.items()],
        "prompts": {"en": asked, "zh": asked},
        "parameters": {name: value for name, value in chosen.items() if name != "seed"},
    }
    text: str = yaml.dump(record, Dumper=_Dumper, allow_unicode=True, sort_keys=False, width=100)
    read(text)  # what could not be read again is not handed out
    return text


def kind_of(task: Task) -> Mode | None:
    """As what it may be edited: where a prompt or a chat, written down again, is all there is to it; None where not."""
    parts = task.prompts["en"]
    typed = chat(parts.system, parts.user, parts.prefill) if parts.user else free(parts.complete)
    try:
        again = write(task.title.en, typed, task.defaults("en"), task.parameters, "en")
    except PlaygroundError:
        return None
    if replace(read(again), id=task.id) != task:  # the id is only a name for its file
        return None
    return "chat" if parts.user else "complete"


def _too_large(file: str) -> SchemaError:
    most = MAX_BYTES // 1024
    return SchemaError(Text(f"it is larger than {most} KB.", f"超过 {most} KB。"), file=file)


def _field(name: str, *, required: bool = True) -> Field:
    """A variable while it is part of a prompt; errors name its place, so that no other field is meant."""
    place, most = f"{{{{{name}}}}}", MAX_LENGTH["long_text"]
    return Field(place, "long_text", Text(name, name), Text("", ""), required=required, max_length=most)


def _prompts_record(prompts: Prompts) -> dict[str, Any]:
    if not prompts.user:
        return {"complete": prompts.complete}
    parts = {"system": prompts.system, "user": prompts.user, "prefill": prompts.prefill}
    return {"chat": {name: text for name, text in parts.items() if text.strip()}, "complete": prompts.complete}


def _record(name: str, value: str) -> dict[str, Any]:
    """A field that takes a value like this one again."""
    long = "\n" in value or len(value) > MAX_LENGTH["text"]
    return {"name": name, "type": "long_text" if long else "text", "label": _both(name), "default": _both(value)}


def _both(text: str) -> dict[str, str]:
    return {"en": text, "zh": text}


def _id(title: str) -> str:
    """A name for the file, of the letters that the title has for it; and a number of it where some are lost."""
    plain = re.sub(r"[^a-z0-9]+", "_", title.lower()).strip("_")
    lost = any(letter.isalnum() and not letter.isascii() for letter in title)
    number = f"_{zlib.crc32(title.encode()):08x}" if lost else ""
    return (plain if plain[:1].isalpha() else f"task_{plain}")[: 40 - len(number)].strip("_") + number
