"""Form: what the whole text must look like, kept at every token. Knows no tokenizer."""

from typing import Literal

from playground.parameters import grammar
from playground.parameters.parameter import Parameter, Value
from playground.types import Text

# One stage for four ways to say a form. It stands right behind guidance, which needs the scores whole, and before
# everything that cuts: so a cut chooses among what the form allows.
_FORMULA = Text(
    "z_i = −∞ where no allowed text begins with the text so far and token i",
    "若没有任何允许的文本以已有文本加词元 i 开头，则 z_i = −∞",
)
_LIBRARY = "llguidance; arXiv 2403.06988"
_ORDER = {"transformers": 15, "llama.cpp": 15}


def _way(
    name: str,
    text: Text,
    *,
    kind: Literal["text", "texts"] = "text",
    first: bool = False,
) -> Parameter:
    """One way to say a form, an argument of the stage that all share; the first of them says where that stands."""
    empty: Value = "" if kind == "text" else []
    return Parameter(
        name=name,
        kind=kind,
        group="form",
        label=grammar.LABELS[name],
        help=text,
        formula=_FORMULA,
        source=_LIBRARY,
        neutral=empty,
        default=empty,
        stage="form",
        order=_ORDER if first else {},
        sampler="form",
        argument=name,
        check=grammar.check,
    )


PARAMETERS: tuple[Parameter, ...] = (
    _way(
        "json_schema",
        Text(
            "The text becomes JSON that fits this schema, unless it is cut off first (by its length, say); an "
            'example is {"type": "object", "properties": {"name": {"type": "string", "maxLength": '
            '40}}, "required": ["name"]}.',
            '文本会逐个词元写成符合此 JSON Schema 的 JSON，例如 {"type": "object", "properties": {"name": '
            '{"type": "string", "maxLength": 40}}, "required": ["name"]}。',
        ),
        first=True,
    ),
    _way(
        "regex",
        Text(
            "The whole text matches this expression, written without lookarounds and backreferences; "
            "an example is [A-Z][a-z]+, [0-9]{4}.",
            "整段文本都匹配此表达式（不支持环视与反向引用），例如 [A-Z][a-z]+, [0-9]{4}。",
        ),
    ),
    _way(
        "one_of",
        Text(
            "The text is exactly one of these, with its spaces.",
            "文本恰好是其中一项，空格也算在内。",
        ),
        kind="texts",
    ),
    _way(
        "grammar",
        Text(
            'The text follows this grammar in the Lark dialect of llguidance; an example is start: "yes" | "no".',
            '文本遵循此语法（llguidance 的 Lark 写法），例如 start: "yes" | "no"。',
        ),
    ),
)
