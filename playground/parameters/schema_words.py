"""What is said of a JSON schema or pattern that llguidance does not take: plain sentences in place of its own words.

llguidance's messages name its own parts (retrievers, options, expressions of its regex engine), which mean nothing to
the author of a schema. Knows no grammar.
"""

from __future__ import annotations

import re

from playground.types import Text

_LONGEST = 120  # characters of what is quoted
_RULES: tuple[tuple[str, Text], ...] = (
    (
        r"Resource '(?:json-schema:///)?(.*?)' is not present in a registry.*",
        Text("{0} stands outside of the schema, and references are followed only inside of it.",
             "{0} 在此模式之外，而引用只能指向模式内部。"),
    ),
    (
        r"Pointer '(.*)' does not exist",
        Text("$ref: there is nothing at #{0} in this schema.", "$ref：此模式中没有 #{0}。"),
    ),
    (
        r"Unimplemented keys: \[(.*)\]",
        Text("a text cannot be held to these keywords: {0}.", "无法按这些关键字生成：{0}。"),
    ),
    (
        r"oneOf constraints are not supported.*",
        Text("oneOf is not supported where more than one of its options may fit; use anyOf.",
             "当 oneOf 的多个选项可能同时成立时不受支持，请改用 anyOf。"),
    ),
    (
        r"patternProperty regexes (.*) and (.*) are not disjoint",
        Text("patternProperties: {0} and {1} may fit the same key, which is not supported.",
             "patternProperties：{0} 和 {1} 可能匹配同一个键，这不受支持。"),
    ),
    (
        r"(?:Unsatisfiable schema: )?Unable to determine if regex is empty.*",
        Text("its patterns and bounds together are too complicated; write a simpler pattern.",
             "其中的正则式与限制合起来过于复杂，请写得简单一些。"),
    ),
    (
        r"(?:Unsatisfiable schema: )?Regex is empty.*",
        Text("no text fits all of its patterns and bounds.", "没有文本能同时符合其中的正则式与限制。"),
    ),
    (r"Unsatisfiable schema: (.*)", Text("nothing fits this schema: {0}.", "没有内容能符合此模式：{0}。")),
    (r"Expected f64 for (.*), got .*", Text("{0} must be a number.", "{0} 应为数。")),
    (r"Expected (?:positive integer|u64|usize) for (.*), got .*",
     Text("{0} must be a whole number, 0 or more.", "{0} 应为非负整数。")),
    (
        r"(?:lookarounds not supported|look-around).*",
        Text("look-around and word boundaries are not supported in a pattern.", "正则式中不支持环视和单词边界。"),
    ),
)  # fmt: skip
_PLAIN = tuple((re.compile(rule, re.DOTALL), text) for rule, text in _RULES)
_INTERNAL = re.compile(r"\((?:And|Or|Not|Concat|Repeat|\w*Regex|\w*Lookahead)\b|\b[fiu](?:32|64)\b|\w::\w|\bregistry\b")
_NOT_TAKEN = Text(
    "something in it is not supported; write it in a simpler way.", "其中有不受支持的内容，请写得简单一些。"
)


def plain(reason: str) -> Text | None:
    """The sentence in place of this reason; None where the library's own words can be understood."""
    for rule, text in _PLAIN:
        found = rule.fullmatch(reason)
        if found is not None:
            quoted = [part.replace('"', "")[:_LONGEST] for part in found.groups()]
            if not any(map(_INTERNAL.search, quoted)):
                return Text(text.en.format(*quoted), text.zh.format(*quoted))
    return _NOT_TAKEN if _INTERNAL.search(reason) else None
