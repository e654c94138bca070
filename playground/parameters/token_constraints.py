"""Words: particular phrases and tokens that are forbidden, favoured or disfavoured. Knows no tokenizer."""

from collections.abc import Mapping
from typing import Any

from playground.parameters.parameter import Parameter, symbols
from playground.types import InvalidRequest, Text

_BY_TEXT, _BY_ID = Text("Bias by text", "按文本加偏置"), Text("Bias by token id", "按词元编号加偏置")


def check_no_ids(given: Any) -> None:
    """Raises InvalidRequest where a key of logit_bias is a number: other engines take token ids there, and we texts."""
    name = "logit_bias"
    keys = [key for key in given if isinstance(key, str)] if isinstance(given, Mapping) else []
    wrong = next((key for key in keys if key.isascii() and key.isdigit()), None)
    if wrong is not None:
        shown = wrong[:20]
        raise InvalidRequest(
            Text(
                f"{_BY_TEXT.en} ({name}) takes texts, and {shown!r} looks like a token id.",
                f"{_BY_TEXT.zh}（{name}）的键是文本，而 {shown!r} 看起来是词元编号。",
            ),
            Text(
                f"Write the text that the token stands for, a number with a space before it (' {shown}'), or give "
                f"token ids in {_BY_ID.en} ({name}_ids).",
                f"请写出该词元代表的文本（数字前请加空格：' {shown}'），或用{_BY_ID.zh}（{name}_ids）给出词元编号。",
            ),
            parameter=name,
        )


# Places are those of transformers' own processors. ignore_eos is one more list of suppressed tokens, so it stands
# beside suppress_tokens. llama.cpp changes single logits before every sampler, so there all of them come first.
PARAMETERS: tuple[Parameter, ...] = (
    # No stage: the engine matches the text and steps back.
    Parameter(
        name="banned_phrases",
        kind="texts",
        group="words",
        level="basic",
        label=Text("Banned phrases", "禁用短语"),
        help=Text(
            "The engine tries to keep these out: when one is about to appear, it steps back and takes another "
            "way; after too many tries it lets it through.",
            "文本中不得出现这些短语：一旦即将出现，就回退并改写成别的内容。",
        ),
        formula=Text(
            "on a match in the text: step back and set the z of the token that began it to −∞",
            "文本中出现匹配时：退回，并将开始该匹配的词元的 z 设为 −∞",
        ),
        source="koboldcpp issue #1141",
        neutral=[],
        default=[],
        elsewhere={"koboldcpp": "banned_tokens"},
    ),
    Parameter(
        name="bad_words_ids",
        kind="id_lists",
        group="words",
        label=Text("Bad words by token ids", "按词元编号禁用"),
        help=Text(
            "Sequences of token ids that may not be completed: the last token of each is forbidden once the others "
            "stand before it.",
            "不允许完整出现的词元编号序列：前面的词元都已出现时，禁止其最后一个词元。",
        ),
        formula=Text(
            "z_last = −∞ where the sequence's beginning was just written",
            "若刚写出该序列的开头，则 z_last = −∞",
        ),
        source="transformers GenerationConfig",
        neutral=[],
        default=[],
        stage="bad_words",
        order={"transformers": 160, "llama.cpp": 30},
        sampler="BadWords",
        argument="bad_words_ids",
        elsewhere={"transformers": "bad_words_ids"},
    ),
    Parameter(
        name="logit_bias",
        kind="bias",
        group="words",
        label=_BY_TEXT,
        help=Text(
            "Makes a text likelier (up to 100) or less likely (down to −100) in every way the vocabulary writes "
            "it, with and without a space before it; a text of several tokens is made likelier token by token, and a "
            "negative number only acts on its last token.",
            "让某段文本更可能（最高 100）或更不可能（最低 −100）出现，涵盖词表中写出它的所有方式（前面带或不带空"
            "格）；由多个词元组成时，正数从第一个词元起逐个提高，负数只压低最后一个词元。",
        ),
        formula=Text(
            'z_i += b for each token i that is "x" or " x"; several: each behind the others, the last if b < 0',
            '对写作 "x" 或 " x" 的每个词元 i：z_i += b；由多个词元组成时：每个都接在前面之后才加，b < 0 时只加最后一个',
        ),
        source="OpenAI API reference; transformers sequence_bias",
        neutral={},
        default={},
        stage="logit_bias",
        order={"transformers": 110, "llama.cpp": 20},
        sampler="LogitBias",
        argument="logit_bias",
        elsewhere={"transformers": "sequence_bias"},
    ),
    Parameter(
        name="logit_bias_ids",
        kind="id_bias",
        group="words",
        label=_BY_ID,
        help=Text(
            "Adds a number (−100 to 100) to the score of each of these token ids; where “Bias by text” sets the "
            "same token, this number is used instead.",
            "给这些词元编号各加一个数（−100 至 100）；若加偏置的文本恰是同一词元，以此处的数为准。",
        ),
        formula=symbols("z_i += b"),
        source="OpenAI API reference",
        neutral={},
        default={},
        stage="logit_bias",
        sampler="LogitBias",
        argument="logit_bias_ids",
        elsewhere={"transformers": "sequence_bias"},
    ),
    Parameter(
        name="suppress_tokens",
        kind="ids",
        group="words",
        label=Text("Suppressed tokens", "屏蔽词元"),
        help=Text("Token ids that may never be chosen.", "永远不得选择的词元编号。"),
        formula=symbols("z_i = −∞"),
        source="transformers GenerationConfig",
        neutral=[],
        default=[],
        stage="suppress_tokens",
        order={"transformers": 230, "llama.cpp": 40},
        sampler="SuppressTokens",
        argument="suppress_tokens",
        elsewhere={"transformers": "suppress_tokens"},
    ),
    Parameter(
        name="begin_suppress_tokens",
        kind="ids",
        group="words",
        label=Text("Suppressed at the beginning", "开头屏蔽词元"),
        help=Text("Token ids that may not be the first token of the answer.", "不得作为回答第一个词元的编号。"),
        formula=Text("z_i = −∞ at t = 0", "t = 0 时 z_i = −∞"),
        source="transformers GenerationConfig",
        neutral=[],
        default=[],
        stage="begin_suppress_tokens",
        order={"transformers": 240, "llama.cpp": 50},
        sampler="SuppressTokensAtBegin",
        argument="begin_suppress_tokens",
        elsewhere={"transformers": "begin_suppress_tokens"},
    ),
    Parameter(
        name="ignore_eos",
        kind="bool",
        group="words",
        label=Text("Ignore end of text", "忽略结束符"),
        help=Text(
            "Forbids the end-of-text token, so that the text goes on until another stop.",
            "禁止结束词元，使文本一直写到其他停止条件为止。",
        ),
        formula=symbols("z_eos = −∞"),
        source="vLLM SamplingParams",
        neutral=False,
        default=False,
        stage="ignore_eos",
        order={"transformers": 235, "llama.cpp": 60},
        sampler="IgnoreEos",
        elsewhere={"transformers": "suppress_tokens"},
    ),
)
