"""The tasks there are: `presets/*.yaml` read and checked, each mistake named with file, line and key.

A task is data: adding one needs no code. Knows no model and no page.
"""

from __future__ import annotations

import difflib
import re
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any, cast, get_args

from playground import parameters
from playground.tasks import schema
from playground.tasks.listing import Split
from playground.tasks.output import Column, Output, OutputKind, is_record
from playground.tasks.schema import Node, SchemaError
from playground.tasks.task import MAX_LENGTH, NAME, PLACE, Example, Field, FieldType, Override, Prompts, Task
from playground.types import LANGUAGES, InvalidRequest, Language, Mode, Text

__all__ = ["FOLDER", "GROUPS", "Example", "Field", "Task", "build", "find", "load", "load_all"]

FOLDER = Path(__file__).parents[2] / "presets"
GROUPS: dict[str, Text] = {
    "marketing": Text("Marketing", "营销"),
    "understand": Text("Understand", "理解"),
    "recommend": Text("Recommend", "推荐"),
    "write": Text("Write", "写作"),
    "office": Text("Office", "办公"),
}
MODES: tuple[Mode, ...] = get_args(Mode)
SHOTS = "shots"  # the place in a template where the language's worked inputs and outputs go
# What belongs to each kind of output: keys that must be there, and keys that may.
_OUTPUTS: Mapping[OutputKind, tuple[tuple[str, ...], tuple[str, ...]]] = {
    "text": ((), ("lines",)),
    "list": ((), ("split", "within", "items")),
    "table": (("columns",), ("rows", "each")),
    "json": (("schema",), ("within", "labels")),
}
_NAME = re.compile(r"[a-z][a-z0-9_]{0,39}")


def load_all(folder: Path | None = None) -> list[Task]:
    """Every task of a folder, by group and then by id."""
    found = [load(path) for path in sorted((folder or FOLDER).glob("*.yaml"))]
    return sorted(found, key=lambda task: (list(GROUPS).index(task.group), task.id))


def find(id: str, folder: Path | None = None) -> Task:
    """The task of that id, the only file that is read. Raises InvalidRequest for an unknown id."""
    known = {path.stem: path for path in sorted((folder or FOLDER).glob("*.yaml"))}
    if id not in known:
        near = difflib.get_close_matches(id, known, n=1)
        listed = Text(f"Tasks are {', '.join(known)}.", f"可用的任务有 {'、'.join(known)}。")
        hint = Text(f"Did you mean {near[0]}?", f"你是想用 {near[0]} 吗？") if near else listed
        shown = id[:60]
        raise InvalidRequest(
            Text(f"There is no task {shown!r}.", f"没有名为 {shown!r} 的任务。"), hint, parameter="task"
        )
    return load(known[id])


def load(path: Path) -> Task:
    """The task in a file named after its id. Raises SchemaError with file, line and key."""
    task = build(schema.read(path))
    if task.id != path.stem:
        reason = Text(
            f"the id is {task.id}; the file must be named {task.id}.yaml.",
            f"id 为 {task.id}，文件名应为 {task.id}.yaml。",
        )
        raise SchemaError(reason, file=path.name, key="id")
    return task


def build(document: Node) -> Task:
    """The task that a document describes. Raises SchemaError with file, line and key of the first wrong part."""
    top = document.mapping(
        required=("id", "group", "title", "description", "output", "fields", "prompts", "parameters"),
        optional=("overrides", "examples"),
    )
    fields = tuple(_field(node) for node in top["fields"].items())
    names = [field.name for field in fields]
    if not fields or len({*names, SHOTS}) != len(names) + 1:
        raise top["fields"].wrong("there must be fields, each with its own name.", "至少要有一个字段，且名称不能重复。")
    spoken = top["prompts"].mapping(required=LANGUAGES)
    task = Task(
        id=_name(top["id"]),
        group=top["group"].one_of(tuple(GROUPS)),
        title=top["title"].both_languages(),
        description=top["description"].both_languages(),
        fields=fields,
        prompts={language: _prompts(spoken[language], names) for language in LANGUAGES},
        parameters=_parameters(top["parameters"]),
        overrides=tuple(_override(node) for node in top["overrides"].items()) if "overrides" in top else (),
        output=_output(top["output"], fields),
        examples=tuple(_example(node) for node in top["examples"].items()) if "examples" in top else (),
    )
    for number, example in enumerate(task.examples):
        _accepted(top["examples"].items()[number], task.checked_fields, example.fields, example.language)
    return task


def _field_name(node: Node) -> str:
    name = node.text()
    if not re.fullmatch(NAME, name):
        raise node.wrong("it must be 1 to 40 letters, digits and _.", "应由 1 到 40 个文字、数字或 _ 组成。")
    return name


def _name(node: Node) -> str:
    name = node.text()
    if not _NAME.fullmatch(name):
        raise node.wrong(
            "it must be lower-case letters, digits and _, beginning with a letter.",
            "应由小写字母、数字和 _ 组成，并以字母开头。",
        )
    return name


def _field(node: Node) -> Field:
    entries = node.mapping(
        required=("name", "type", "label", "default"), optional=("required", "max_length", "placeholder", "choices")
    )
    kind = cast(FieldType, entries["type"].one_of(get_args(FieldType)))
    choices = None
    if (kind == "choice") != ("choices" in entries):
        raise node.wrong(
            "choices belong to a field of type choice, and only there.",
            "choices 只用于（且必须用于）choice 类型的字段。",
        )
    if "choices" in entries:
        choices = _choices(entries["choices"])
    default = entries["default"].mapping(required=LANGUAGES)
    field = Field(
        name=_field_name(entries["name"]),
        type=kind,
        label=entries["label"].both_languages(),
        default=Text(default["en"].text(empty=True), default["zh"].text(empty=True)),
        required=entries["required"].truth() if "required" in entries else True,
        max_length=entries["max_length"].whole_number(1, 100_000) if "max_length" in entries else MAX_LENGTH[kind],
        placeholder=entries["placeholder"].both_languages() if "placeholder" in entries else None,
        choices=choices,
    )
    for language in LANGUAGES:
        if field.default.say(language) or field.choices:
            _accepted(default[language], field.checked, field.default.say(language), language)
    return field


def _choices(node: Node) -> dict[Language, tuple[str, ...]]:
    listed = node.mapping(required=LANGUAGES)
    choices = {language: listed[language].texts() for language in LANGUAGES}
    if not choices["en"] or len(choices["en"]) != len(choices["zh"]):
        raise node.wrong("each language needs the same number of choices.", "两种语言的选项数量应相同。")
    return choices


def _prompts(node: Node, names: list[str]) -> Prompts:
    entries = node.mapping(required=("complete",), optional=("chat", "shots"))
    chat = entries["chat"].mapping(required=("user",), optional=("system", "prefill")) if "chat" in entries else {}
    shots = entries["shots"].text() if "shots" in entries else ""
    if PLACE.search(shots):
        raise entries["shots"].wrong("shots are plain text, without fields.", "shots 应为纯文本，不能含有字段。")
    return Prompts(
        shots=shots,
        system=_template(chat["system"], names, shots) if "system" in chat else "",
        user=_template(chat["user"], names, shots) if "user" in chat else "",
        prefill=_template(chat["prefill"], names, shots) if "prefill" in chat else "",
        complete=_template(entries["complete"], names, shots),
    )


def _template(node: Node, names: list[str], shots: str) -> str:
    template = node.text()
    for name in PLACE.findall(template):
        if name not in names and not (name == SHOTS and shots):
            raise node.wrong(f"there is no field {name} for {{{{{name}}}}}.", f"{{{{{name}}}}} 没有对应的字段 {name}。")
    if "{{" in PLACE.sub("", template):
        raise node.wrong("{{ must be followed by a field's name and }}.", "{{ 后面应为字段名和 }}。")
    return PLACE.sub(lambda place: shots if place[1] == SHOTS else place[0], template)


def _parameters(node: Node) -> dict[str, Any]:
    known = parameters.by_name()
    entries = parameters.current_names(node.mapping(optional=(*known, *parameters.RENAMED)))
    return {name: _accepted(entry, known[name].accept, entry.value()) for name, entry in entries.items()}


def _accepted(node: Node, check: Callable[..., Any], *given: Any) -> Any:
    """The result of `check`; its InvalidRequest becomes a SchemaError with the place in the file."""
    try:
        return check(*given)
    except InvalidRequest as error:
        raise node.wrong(error.say("en"), error.say("zh")) from None


def _override(node: Node) -> Override:
    entries = node.mapping(required=("parameters",), optional=("language", "mode"))
    return Override(
        language=cast(Language, entries["language"].one_of(LANGUAGES)) if "language" in entries else None,
        mode=cast(Mode, entries["mode"].one_of(MODES)) if "mode" in entries else None,
        parameters=_parameters(entries["parameters"]),
    )


def _output(node: Node, fields: Sequence[Field]) -> Output:
    names = [field.name for field in fields]
    kind = cast(OutputKind, node.mapping(anything=True)["kind"].one_of(get_args(OutputKind)))
    required, optional = _OUTPUTS[kind]
    entries = node.mapping(required=("kind", *required), optional=optional)
    count = next((entries[name] for name in ("items", "rows") if name in entries), None)
    output = Output(
        kind=kind,
        split=cast(Split, entries["split"].one_of(get_args(Split))) if "split" in entries else "lines",
        within=entries["within"].one_of(tuple(names)) if "within" in entries else None,
        count=_count(count) if count is not None else None,
        columns=tuple(map(_column, entries["columns"].items())) if "columns" in entries else (),
        schema=entries["schema"].value() if "schema" in entries else None,
        each=entries["each"].one_of(tuple(names)) if "each" in entries else None,
        labels=_labels(entries["labels"], entries["schema"].value()) if "labels" in entries else {},
        lines=_verses(entries["lines"], fields) if "lines" in entries else {},
    )
    if kind == "table" and ("rows" in entries) == ("each" in entries):
        raise node.wrong("a table has either rows or each.", "表格应有 rows 或 each 之一。")
    if kind == "table" and len({column.name for column in output.columns}) != max(len(output.columns), 1):
        raise entries["columns"].wrong(
            "there must be columns, each with its own name.", "至少要有一列，且名称不能重复。"
        )
    if kind == "json" and output.within is not None and not is_record(output.schema):
        raise entries["schema"].wrong(
            "with within, it must be an object with properties; a maxLength goes from 2 to 160.",
            "有 within 时应为带 properties 的对象，maxLength 为 2 到 160。",
        )
    for name, value in output.form(dict.fromkeys(names, "words")).items():
        _accepted(entries.get("schema", node), parameters.by_name()[name].accept, value)
    return output


def _count(node: Node) -> tuple[int, int]:
    entries = node.mapping(required=("min", "max"))
    most = entries["max"].whole_number(1, 50)
    return entries["min"].whole_number(1, most), most


def _verses(node: Node, fields: Sequence[Field]) -> dict[str, dict[str, int]]:
    """Lines of verse by choice: of one field, and all that can be chosen there."""
    chosen = {field.name: [one for said in field.choices.values() for one in said] for field in fields if field.choices}
    entries = node.mapping(optional=tuple(chosen))
    if len(entries) != 1:
        raise node.wrong("it names one field of the type choice.", "应写明一个 choice 类型的字段。")
    return {
        name: {choice: count.whole_number(1, 20) for choice, count in one.mapping(required=chosen[name]).items()}
        for name, one in entries.items()
    }


def _column(node: Node) -> Column:
    entries = node.mapping(required=("name", "label"), optional=("choices",))
    choices = _choices(entries["choices"]) if "choices" in entries else None
    return Column(_name(entries["name"]), entries["label"].both_languages(), choices)


def _labels(node: Node, document: Any) -> dict[str, Text]:
    """Headings for properties that the schema has."""
    known = document.get("properties") if isinstance(document, dict) else None
    entries = node.mapping(optional=tuple(known) if isinstance(known, dict) else ())
    return {name: entry.both_languages() for name, entry in entries.items()}


def _example(node: Node) -> Example:
    entries = node.mapping(required=("language", "fields", "seed", "mode", "model", "texts"))
    return Example(
        language=cast(Language, entries["language"].one_of(LANGUAGES)),
        fields={name: entry.text(empty=True) for name, entry in entries["fields"].mapping(anything=True).items()},
        seed=entries["seed"].whole_number(0, 2**32 - 1),
        mode=cast(Mode, entries["mode"].one_of(MODES)),
        model=entries["model"].text(),
        texts=entries["texts"].texts(),
    )
