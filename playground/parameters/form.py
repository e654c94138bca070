"""Form: what the whole text must look like, kept at every token. Knows no tokenizer."""

from playground.parameters import grammar
from playground.parameters.record import Parameter
from playground.types import Text

# One stage for four ways to say a form. It stands right behind guidance, which needs the scores whole, and before
# everything that cuts: so a cut chooses among what the form allows.
_FORMULA = "z_i = −∞ where no allowed text begins with the text so far and token i"
_LIBRARY = "llguidance; arXiv 2403.06988"
_ORDER = {"transformers": 15, "llama.cpp": 15}

PARAMETERS: tuple[Parameter, ...] = (
    Parameter(
        name="json_schema",
        kind="text",
        group="form",
        level="basic",
        label=Text("JSON schema", "JSON 模式"),
        help=Text(
            "The text becomes JSON that fits this schema, token by token; an example is "
            '{"type": "object", "properties": {"name": {"type": "string", "maxLength": 40}}, "required": ["name"]}.',
            "文本会逐个词元写成符合此模式的 JSON，例如 "
            '{"type": "object", "properties": {"name": {"type": "string", "maxLength": 40}}, "required": ["name"]}。',
        ),
        formula=_FORMULA,
        source=_LIBRARY,
        neutral="",
        default="",
        stage="form",
        order=_ORDER,
        processor="form",
        argument="json_schema",
        check=grammar.check,
        elsewhere={"OpenAI": "response_format", "vLLM": "structured_outputs.json", "llama.cpp": "json_schema"},
    ),
    Parameter(
        name="regex",
        kind="text",
        group="form",
        label=Text("Regular expression", "正则表达式"),
        help=Text(
            "The whole text matches this expression, written without lookarounds and backreferences; "
            "an example is [A-Z][a-z]+, [0-9]{4}.",
            "整段文本都匹配此表达式（不支持环视与反向引用），例如 [A-Z][a-z]+, [0-9]{4}。",
        ),
        formula=_FORMULA,
        source=_LIBRARY,
        neutral="",
        default="",
        stage="form",
        processor="form",
        argument="regex",
        check=grammar.check,
        elsewhere={"vLLM": "structured_outputs.regex"},
    ),
    Parameter(
        name="one_of",
        kind="texts",
        group="form",
        label=Text("One of these", "限定选项"),
        help=Text(
            "The text is exactly one of these, with its spaces.",
            "文本恰好是其中一项，空格也算在内。",
        ),
        formula=_FORMULA,
        source=_LIBRARY,
        neutral=[],
        default=[],
        stage="form",
        processor="form",
        argument="one_of",
        check=grammar.check,
        elsewhere={"vLLM": "structured_outputs.choice"},
    ),
    Parameter(
        name="grammar",
        kind="text",
        group="form",
        label=Text("Grammar", "语法"),
        help=Text(
            'The text follows this grammar in the Lark dialect of llguidance; an example is start: "yes" | "no".',
            '文本遵循此语法（llguidance 的 Lark 写法），例如 start: "yes" | "no"。',
        ),
        formula=_FORMULA,
        source=_LIBRARY,
        neutral="",
        default="",
        stage="form",
        processor="form",
        argument="grammar",
        check=grammar.check,
        elsewhere={"vLLM": "structured_outputs.grammar", "llama.cpp": "grammar"},
    ),
)
