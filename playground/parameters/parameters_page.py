"""docs/parameters.md, drawn from the registry: `python -m playground.parameters.parameters_page` writes it.

Knows parameters only; a test compares the file with what this module says.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

from playground import parameters
from playground.parameters import engines, not_offered
from playground.parameters.parameter import Parameter, Value
from playground.types import Text

FILE = Path(__file__).parent.parent.parent / "docs" / "parameters.md"

_HEAD = """# Parameters

<!-- Written by `python -m playground.parameters.parameters_page`; change the records of `playground/parameters/`. -->

Every sampling parameter, once. **Neutral** is the value at which a parameter changes nothing; the page shows it as
"Off" where that is what it means. A **stage** is the sampler in the pipeline that a parameter belongs to.

每个采样参数在此出现一次。**中性值**（neutral）不改变任何结果；**阶段**（stage）是参数所属的处理环节。
"""


def render() -> str:
    """The whole document, for the registry as it is now."""
    parts = [_HEAD, _contents()]
    for group, members in parameters.grouped().items():
        title = parameters.GROUPS[group]
        parts.append(f"## {title.en} · {title.zh}\n")
        parts.extend(_section(parameter) for parameter in members)
    return "\n".join([*parts, _orders(), _left_out()])


def _contents() -> str:
    lines = ["| Group | Parameters |", "|---|---|"]
    for group, members in parameters.grouped().items():
        links = ", ".join(f"[{p.name}](#{p.name})" for p in members)
        lines.append(f"| {parameters.GROUPS[group].en} · {parameters.GROUPS[group].zh} | {links} |")
    return "\n".join(lines) + "\n"


def _formula(formula: Text) -> str:
    return f"`{formula.en}`" if formula.en == formula.zh else f"`{formula.en}` · `{formula.zh}`"


def _section(parameter: Parameter) -> str:
    level = "basic" if parameter.level == "basic" else "advanced"
    lines = [
        f"### {parameter.name}\n",
        f"**{parameter.label.en} · {parameter.label.zh}** ({level})\n",
        f"{parameter.help.en}\n",
        f"{parameter.help.zh}\n",
        f"- Formula: {_formula(parameter.formula)}",
        f"- Source: {parameter.source}",
        f"- Neutral: {_code(parameter.neutral)}; default: {_code(parameter.default)}",
    ]
    if parameter.low is not None and parameter.high is not None:
        scale = ", logarithmic" if parameter.scale == "log" else ""
        lines.append(f"- Slider: {parameter.low:g} to {parameter.high:g}, step {parameter.step:g}{scale}")
    lines.append(f"- Allowed: {_plain(parameter.range_text())}")
    lines.append(f"- Flag: `{parameter.flag}`")
    if parameter.stage:
        lines.append(f"- Stage: `{parameter.stage}`")
    if parameter.needs:
        lines.append(f"- Has no effect without: [{parameter.needs}](#{parameter.needs})")
    if elsewhere := engines.names(parameter):
        lines.append("- Elsewhere: " + ", ".join(f"{program} `{name}`" for program, name in elsewhere.items()))
        lines.extend(_differences(parameter))
    return "\n".join(lines) + "\n"


def _differences(parameter: Parameter) -> Iterator[str]:
    """In what an engine that can stand behind the page differs from what is said here."""
    neutral = parameters.validate({})
    for name, engine in engines.ENGINES.items():
        field = engine.fields.get(parameter.name)
        if field is None:
            continue
        written = field.written(parameter, parameter.neutral, neutral)
        parts = [field.range_text(), field.note]
        if written != parameter.neutral and isinstance(written, int | float):
            parts.insert(0, Text(f"neutral {_code(written)}", f"中性值 {_code(written)}"))
        told = [part for part in parts if part is not None]
        if told:
            yield f"  - {name}: {'; '.join(part.en for part in told)} · {'；'.join(part.zh for part in told)}"


def _orders() -> str:
    lines = [
        "## Orders of the stages · 阶段顺序\n",
        "`order` takes one of these names, or stage names separated by commas; stages that such a list leaves out come",
        "first, in transformers' order.\n",
    ]
    lines += [f"- **{order}**: {' → '.join(parameters.stages(order))}" for order in parameters.ORDERS]
    return "\n".join(lines) + "\n"


def _left_out() -> str:
    """What transformers takes beside these, a line for each reason."""
    by_reason: dict[Text, list[str]] = {}
    for field, reason in not_offered.NOT_OFFERED.items():
        by_reason.setdefault(reason, []).append(field)
    lines = ["## Not offered · 未提供\n", "What `generate()` of transformers also takes, and why it is not here.\n"]
    for reason, fields in by_reason.items():
        lines.append(f"- {', '.join(f'`{field}`' for field in fields)}: {reason.en} {reason.zh}")
    covered = ", ".join(f"`{field}` is [{name}](#{name})" for field, name in not_offered.COVERED.items())
    lines.append(f"- Under another name: {covered}.")
    return "\n".join(lines) + "\n"


def _code(value: Value) -> str:
    return f"`{value if isinstance(value, str) and value else json.dumps(value, ensure_ascii=False)}`"


def _plain(text: Text) -> str:
    return f"{text.en} · {text.zh}"


def main() -> None:
    """Writes the document to FILE."""
    FILE.parent.mkdir(exist_ok=True)
    FILE.write_text(render(), encoding="utf-8", newline="\n")


if __name__ == "__main__":
    main()
