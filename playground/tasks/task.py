"""A task: what a person fills in, and the prompt and parameters that come of it.

Knows no file, no model and no page. Templates are plain substitution.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal

from playground import parameters
from playground.amounts import counted
from playground.parameters.grammar import FORMS
from playground.tasks import listing
from playground.tasks.output import Output, value_of
from playground.types import InvalidRequest, Language, Mode, Request, Text

FieldType = Literal["text", "long_text", "choice", "number", "list"]

MAX_LENGTH: Mapping[FieldType, int] = {"text": 200, "long_text": 6000, "choice": 100, "number": 30, "list": 1000}

NAME = r"\w{1,40}"  # of a field: letters of any script, digits and _
PLACE = re.compile(rf"\{{\{{[ \t]*({NAME})[ \t]*\}}\}}")


@dataclass(frozen=True, slots=True)
class Field:
    """One thing that a person fills in. `choices` holds a tuple a language, of the same length in each."""

    name: str
    type: FieldType
    label: Text
    default: Text
    required: bool
    max_length: int
    placeholder: Text | None = None
    choices: Mapping[Language, tuple[str, ...]] | None = None

    def checked(self, given: str, language: Language) -> str:
        """What goes into the prompt for this field, or InvalidRequest that names it."""
        value = self._tidy(given, language)
        if not value and self.required:
            raise self._wrong("is empty; please fill it in", "不能为空，请填写", language)
        if len(value) > self.max_length:
            raise self._wrong(
                f"has {counted(len(value), 'character', 'characters')}; at most {self.max_length} are allowed",
                f"有 {len(value)} 个字符，最多 {self.max_length} 个",
                language,
            )
        if self.type == "number" and value and not re.fullmatch(r"[-+]?\d+(\.\d+)?", value):
            raise self._wrong("must be a number", "应为数字", language)
        if self.choices is not None and value and value not in self.choices[language]:
            allowed = self.choices[language]
            raise self._wrong(f"must be one of {', '.join(allowed)}", f"应为以下之一：{'、'.join(allowed)}", language)
        return value

    def _tidy(self, given: str, language: Language) -> str:
        if not isinstance(given, str):
            raise self._wrong("must be a text", "应为文本", language)
        try:
            given.encode("utf-8")
        except UnicodeEncodeError:
            raise self._wrong("holds characters that are no text", "含有无效字符", language) from None
        if self.type == "long_text":
            return "\n".join(line.rstrip() for line in given.splitlines()).strip()
        if self.type == "list":
            items = [item.strip() for item in re.split(r"[\n,，、;；]", given)]
            return ("、" if language == "zh" else ", ").join(item for item in items if item)
        return " ".join(given.split())  # one line: a line break would end the field in the middle of a prompt

    def _wrong(self, en: str, zh: str, language: Language) -> InvalidRequest:
        return InvalidRequest(Text(f"{self.label.en} {en}.", f"{self.label.zh}{zh}。"), parameter=self.name)


@dataclass(frozen=True, slots=True)
class Prompts:
    """The templates of one language: the three parts of a chat, and one document to be continued.

    Without a `user` there is no chat: such a task is a prompt to be continued, whatever the model knows.
    `shots` are worked inputs and outputs that show the model the form; the templates hold them already.
    """

    shots: str
    system: str
    user: str
    prefill: str
    complete: str


@dataclass(frozen=True, slots=True)
class Override:
    """Parameters that replace the task's own for one language, one mode, or one of both."""

    language: Language | None
    mode: Mode | None
    parameters: Mapping[str, Any]

    def applies(self, language: Language, mode: Mode) -> bool:
        return self.language in (None, language) and self.mode in (None, mode)


@dataclass(frozen=True, slots=True)
class Example:
    """A worked example: what `model` really wrote for these fields; candidate i was drawn with `seed` + i."""

    language: Language
    fields: Mapping[str, str]
    seed: int
    mode: Mode
    model: str
    texts: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Task:
    """One preset. `parameters` holds only what differs from neutral."""

    id: str
    group: str
    title: Text
    description: Text
    fields: tuple[Field, ...]
    prompts: Mapping[Language, Prompts]
    parameters: Mapping[str, Any]
    overrides: tuple[Override, ...]
    output: Output
    examples: tuple[Example, ...]

    def defaults(self, language: Language) -> dict[str, str]:
        return {field.name: field.default.say(language) for field in self.fields}

    def example(self, language: Language) -> Example | None:
        return next((example for example in self.examples if example.language == language), None)

    def parameters_for(self, language: Language, mode: Mode) -> dict[str, Any]:
        """The task's parameters as they are for this language and mode."""
        merged = dict(self.parameters)
        for override in self.overrides:
            if override.applies(language, mode):
                merged.update(override.parameters)
        return merged

    def checked_fields(self, fields: Mapping[str, str], language: Language) -> dict[str, str]:
        """Every field with what goes into the prompt; one that is not given is empty, or a choice's default.

        Raises InvalidRequest, with the field's name, for an unknown field or a value that is not allowed.
        """
        known = {field.name: field for field in self.fields}
        for name in fields:
            if name not in known:
                shown, listed = str(name)[:60], ", ".join(known)
                raise InvalidRequest(
                    Text(f"{self.id} has no field {shown!r}.", f"{self.id} 没有名为 {shown!r} 的字段。"),
                    Text(f"Its fields are {listed}.", f"它的字段有 {listed}。"),
                    parameter=shown,
                )
        unset = {name: field.default.say(language) if field.choices else "" for name, field in known.items()}
        return {name: field.checked(fields.get(name, unset[name]), language) for name, field in known.items()}

    def request(
        self, fields: Mapping[str, str], language: Language, mode: Mode, values: Mapping[str, Any] | None = None
    ) -> Request:
        """The Request for these fields; `values` replaces the task's own parameters one by one.

        Raises InvalidRequest for a field or a parameter whose value is not allowed.
        """
        filled = self.checked_fields(fields, language)
        given, own = values or {}, self.parameters_for(language, mode)
        free = parameters.validate({**own, **given})
        chosen = self.held(free, filled)
        of_task = frozenset(own).difference(given) | set_form(free, chosen)
        templates = self.prompts[language]
        if mode == "complete" or not templates.user:
            return Request(fill(templates.complete, filled), chosen, "complete", task=self.id, of_task=of_task)
        return Request(
            fill(templates.user, filled),
            chosen,
            "chat",
            system=fill(templates.system, filled),
            prefill=fill(templates.prefill, filled),
            task=self.id,
            of_task=of_task | {"prefill"},
        )

    def held(self, values: Mapping[str, Any], fields: Mapping[str, str]) -> dict[str, Any]:
        """Checked values with the form of the task's output, unless they ask for a form of their own.

        Raises InvalidRequest where words must be taken from a field that has none.
        """
        if any(values[name] for name in FORMS):
            return dict(values)
        if not self.output.finds_words(fields):
            source = next(field for field in self.fields if field.name == self.output.within)
            raise InvalidRequest(
                Text(f"{source.label.en} has no words to take.", f"{source.label.zh}中没有可以摘取的文字。"),
                parameter=source.name,
            )
        return parameters.validate({**values, **self.output.form(fields)})

    def value(self, text: str, fields: Mapping[str, str]) -> Any:
        """What a finished text says: items, rows by column, whatever the JSON stands for (None: not whole), or text."""
        if self.output.kind == "json":
            return value_of(text)
        if self.output.kind == "table":
            return self.output.table(text)
        return self.clean(text, fields) if self.output.kind == "list" else text.strip()

    def clean(self, text: str, fields: Mapping[str, str]) -> list[str]:
        """The items of a list, without bullets, quotes, repetitions or leftovers of the prompt; or the text itself.

        Of a table, each row with tabs between its cells.
        """
        if self.output.kind == "table":
            return ["\t".join(row.values()) for row in self.output.table(text)]
        if self.output.kind != "list":
            return [text.strip()] if text.strip() else []
        source = fields.get(self.output.within, "") if self.output.within else None
        lines = [line for p in self.prompts.values() for line in f"{p.user}\n{p.complete}".splitlines()]
        return listing.items(text, lines, self.output.split, source)

    @property
    def numbered(self) -> bool:
        """Whether the items of its lists are lines of their own, in an order that their numbers show."""
        return self.output.kind == "list" and self.output.split == "lines"

    def finished(self, text: str, fields: Mapping[str, str]) -> str:
        """What `clean` leaves of a text, as one text; the lines of a list are numbered again."""
        parts = self.clean(text, fields)
        return "\n".join(f"{at}. {part}" for at, part in enumerate(parts, 1)) if self.numbered else "\n".join(parts)

    def record(self) -> dict[str, Any]:
        """This task as plain data, for `tasks --json`."""
        return {
            "id": self.id,
            "group": self.group,
            "title": _said(self.title),
            "description": _said(self.description),
            "output": self.output.kind,
            "fields": [
                {
                    "name": field.name,
                    "type": field.type,
                    "label": _said(field.label),
                    "default": _said(field.default),
                    "required": field.required,
                    "max_length": field.max_length,
                    "choices": {key: list(said) for key, said in field.choices.items()} if field.choices else None,
                }
                for field in self.fields
            ],
            "parameters": dict(self.parameters),
            "examples": [
                {"language": e.language, "fields": dict(e.fields), "texts": list(e.texts)} for e in self.examples
            ],
        }


def set_form(before: Mapping[str, Any], after: Mapping[str, Any]) -> frozenset[str]:
    """The parameter that `Task.held` has set, if any."""
    return frozenset(name for name in FORMS if after[name] != before[name])


def fill(template: str, fields: Mapping[str, str]) -> str:
    """The template with its `{{places}}` filled in one pass: what a person typed is never looked at again.

    A line whose places are all empty is left out, so that an optional field leaves no bare label behind.
    """
    lines = []
    for line in template.split("\n"):
        names = PLACE.findall(line)
        if names and not any(fields[name] for name in names):
            continue
        lines.append(PLACE.sub(lambda place: fields[place[1]], line))
    return "\n".join(lines)


def _said(text: Text) -> dict[str, str]:
    return {"en": text.en, "zh": text.zh}
