"""What is said of a JSON schema, pattern or grammar that cannot be read: plain sentences in both languages.

The messages of llguidance and of Python's json are in English and name their own parts, which mean nothing to the
author of a form. What is not known here is quoted. Knows no grammar.
"""

from __future__ import annotations

import re
from collections.abc import Mapping

from playground.types import Text

_LONGEST = 120  # characters of what is quoted
_NOTHING_FITS_SCHEMA = Text("nothing fits this schema: {0}.", "没有内容能符合此模式：{0}。")
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
    (r"Unsatisfiable schema: (.*)", _NOTHING_FITS_SCHEMA),
    (r"Expected f64 for (.*), got .*", Text("{0} must be a number.", "{0} 应为数。")),
    (r"Expected (?:positive integer|u64|usize) for (.*), got .*",
     Text("{0} must be a whole number, 0 or more.", "{0} 应为非负整数。")),
    (
        r".*(?:lookarounds not supported|look-around,).*",
        Text("look-around and word boundaries are not supported in a pattern.", "正则式中不支持环视和单词边界。"),
    ),
    # Of patterns: the words of Rust's regex-syntax.
    (r"unclosed character class", Text("a [ has no ].", "[ 没有对应的 ]。")),
    (r"unclosed group", Text("a ( has no ).", "( 没有对应的 )。")),
    (r"unopened group", Text("a ) has no (.", ") 没有对应的 (。")),
    (r"(?:unclosed|empty|invalid) capture group (?:name|character)",
     Text("the name of this group is not whole; write (?P<name>…).", "此分组的名称不完整，应写作 (?P<名称>…)。")),
    (r"duplicate capture group name", Text("two groups have this name.", "有两个分组使用此名称。")),
    (r"repetition operator missing expression",
     Text("*, +, ? or {{ has nothing before it to repeat.", "*、+、? 或 {{ 前面没有可以重复的内容。")),
    (r"unclosed counted repetition", Text("a {{ has no }}.", "{{ 没有对应的 }}。")),
    (r"repetition quantifier expects a valid decimal|decimal literal (?:empty|invalid)",
     Text("in {{ }} there must be whole numbers.", "{{ }} 中应为整数。")),
    (r"invalid repetition count range.*",
     Text("in {{a,b}} the first number must not be the larger one.", "{{a,b}} 中第一个数不能大于第二个。")),
    (r"invalid character class range.*",
     Text("in [a-z] the first character must not come after the last.", "[a-z] 中第一个字符不能排在最后一个之后。")),
    (r"invalid range boundary.*", Text("a range in [ ] needs a single character at each end.",
                                       "[ ] 中的范围两端应各为一个字符。")),
    (r"backreferences are not supported", Text("backreferences are not supported.", "不支持反向引用。")),
    (r"Unicode (?:property|property value|class) not found|invalid Unicode character class",
     Text("there is no such class of characters.", "没有这样的字符类别。")),
    (r"(?:unrecognized flag|expected flag.*|.*flag negation operator.*|duplicate flag)",
     Text("behind (? there is no flag that is known.", "(? 之后不是已知的标志。")),
    (r"(?:unrecognized|incomplete|invalid) escape sequence.*|hexadecimal literal.*|invalid hexadecimal digit",
     Text("this is no escape that is known; a backslash itself is written \\\\.",
          "这不是已知的转义；反斜杠本身应写作 \\\\。")),
    (r"exceed(?:ed)? the maximum .*", Text("it is nested too deep.", "嵌套层数过多。")),
    # Of schemas.
    (r"Invalid type: (.*)", Text("there is no type “{0}”.", "没有名为“{0}”的类型。")),
    (r"Unknown format: (.*)", Text("there is no format “{0}”.", "没有名为“{0}”的格式（format）。")),
    (r"type must be a string or array of strings",
     Text("type must be a text or a list of texts.", "type 应为文本，或由文本组成的列表。")),
    (r"(\S+) must be an object", Text("{0} must be an object, in braces.", "{0} 应为花括号括起的对象。")),
    (r"(\S+) must be an array", Text("{0} must be a list, in brackets.", "{0} 应为方括号括起的列表。")),
    (r"schema must be an object or boolean",
     Text("a schema inside of it is neither an object in braces nor true or false.",
          "其中有一个模式既不是花括号括起的对象，也不是 true 或 false。")),
    (r"Expected array for (.*), got .*", Text("{0} must be a list, in brackets.", "{0} 应为方括号括起的列表。")),
    (r"Expected string for (.*), got .*", Text("{0} must be a text.", "{0} 应为文本。")),
    (r"Expected (?:object|map) for (.*), got .*",
     Text("{0} must be an object, in braces.", "{0} 应为花括号括起的对象。")),
    (r"Expected bool(?:ean)? for (.*), got .*", Text("{0} must be true or false.", "{0} 应为 true 或 false。")),
    (r"invalid multiple of", Text("multipleOf must be a number above 0.", "multipleOf 应为大于 0 的数。")),
    # Of grammars in Lark's way of writing.
    (r"Expected token (.+?), found (.+?)(?: \(at .*)?", Text("{0} was expected here, and {1} stands there.",
                                                            "此处应为 {0}，写的却是 {1}。")),
    (r"lexer error", Text("this cannot be read: a quote that does not end, or a sign that means nothing here.",
                          "无法读懂此处：引号没有结束，或此处不能用这个符号。")),
    (r"no start rule found", Text("there is no rule called start.", "没有名为 start 的规则。")),
    (r"unknown name: (.*)", Text("there is no rule called {0}.", "没有名为 {0} 的规则。")),
    (r"duplicate rule: (.*)", Text("there are two rules called {0}.", "有两条名为 {0} 的规则。")),
    (r"unknown grammar (.*)", Text("there is no grammar called {0}.", "没有名为 {0} 的语法。")),
    (r"Unknown common regex: (.*?); following are available: (.*)",
     Text("there is nothing called {0}; there is {1}.", "没有名为 {0} 的内容；可用的有 {1}。")),
)  # fmt: skip
_NOTHING_FITS: tuple[tuple[str, Text], ...] = (
    (r"(.*) is greater than (.*)", Text("{0} is greater than {1}", "{0} 大于 {1}")),
    (r"incompatible types", Text("its types exclude one another", "其中的类型互相排斥")),
    (r"anyOf is empty", Text("it leaves no option", "没有任何选项")),
)
_JSON: Mapping[str, Text] = {
    "Expecting value": Text("a value is missing", "缺少值"),
    "Expecting property name enclosed in double quotes": Text(
        "a name in double quotes is missing", "缺少用双引号括起的名称"
    ),
    "Expecting ',' delimiter": Text("a comma or a closing bracket is missing", "缺少逗号或右括号"),
    "Expecting ':' delimiter": Text("a colon is missing", "缺少冒号"),
    "Unterminated string starting at": Text("this text has no closing quote", "此文本没有结束的引号"),
    "Invalid control character at": Text(
        "a line break or tab stands inside of a text; write \\n or \\t", "文本中有换行或制表符，应写作 \\n 或 \\t"
    ),
    "Invalid \\escape": Text("behind a backslash stands no known letter", "反斜杠之后不是已知的字母"),
    "Invalid \\uXXXX escape": Text("behind \\u there must be four digits", "\\u 之后应有四位数字"),
    "Extra data": Text("more stands behind the end", "结尾之后还有内容"),
    "Illegal trailing comma before end of object": Text(
        "behind the last entry there must be no comma", "最后一项之后不能有逗号"
    ),
    "Illegal trailing comma before end of array": Text(
        "behind the last entry there must be no comma", "最后一项之后不能有逗号"
    ),
}
_PLAIN = tuple((re.compile(rule, re.DOTALL), text) for rule, text in _RULES)
_INTERNAL = re.compile(r"\((?:And|Or|Not|Concat|Repeat|\w*Regex|\w*Lookahead)\b|\b[fiu](?:32|64)\b|\w::\w|\bregistry\b")
_NOT_TAKEN = Text(
    "something in it is not supported; write it in a simpler way.", "其中有不受支持的内容，请写得简单一些。"
)


def plain(reason: str) -> Text | None:
    """The sentence in place of this reason; None where there is none, and the library's own words can be understood."""
    for rule, text in _PLAIN:
        found = rule.fullmatch(reason)
        if found is not None:
            quoted = [part.replace('"', "").replace(r"'\n'", "↵")[:_LONGEST] for part in found.groups()]
            if not any(map(_INTERNAL.search, quoted)):
                return _filled(text, quoted)
    return _NOT_TAKEN if _INTERNAL.search(reason) else None


def quoted(reason: str) -> Text:
    """The library's own words, which are in English."""
    reason = reason.rstrip(".")
    return Text(f"{reason}.", f"无法读懂，解析程序的英文说明是“{reason}”。")


def json_problem(reason: str, line: int, column: int) -> Text:
    """What is wrong with a text that is no JSON, and where; `reason` is Python's."""
    words = _JSON.get(reason, Text(reason, f"解析程序的英文说明是“{reason}”"))
    return Text(
        f"line {line}, column {column} is not valid JSON: {words.en}.",
        f"第 {line} 行第 {column} 列不是有效的 JSON：{words.zh}。",
    )


def _filled(text: Text, parts: list[str]) -> Text:
    if text is _NOTHING_FITS_SCHEMA:
        for rule, why in _NOTHING_FITS:
            found = re.fullmatch(rule, parts[0])
            if found is not None:
                return Text(
                    text.en.format(why.en.format(*found.groups())), text.zh.format(why.zh.format(*found.groups()))
                )
        return Text(text.en.format(parts[0]), text.zh.format(f"解析程序的英文说明是“{parts[0]}”"))
    return Text(text.en.format(*parts), text.zh.format(*parts))
