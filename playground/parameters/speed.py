"""Speed: how a text is computed, not which. Knows no engine; these have no stage."""

from playground.parameters.parameter import Parameter
from playground.types import Text

PARAMETERS: tuple[Parameter, ...] = (
    Parameter(
        name="prompt_lookup_num_tokens",
        kind="int",
        group="speed",
        label=Text("Prompt lookup", "提示词查找"),
        help=Text(
            "Guesses up to this many tokens ahead by copying from an earlier place that reads alike, and keeps "
            "only those that would be chosen anyway with this seed: faster where an answer repeats its prompt.",
            "从前文相似处复制最多这么多个词元作为猜测，只保留按种子本来就会选中的；回答大量重复提示词的内容时更快。",
        ),
        formula=Text("keep the guess g_i while argmax p_i / E_i = g_i", "当 argmax p_i / E_i = g_i 时保留猜测 g_i"),
        source="Saxena 2023, prompt-lookup-decoding",
        neutral=0,
        default=0,
        low=0,
        high=10,
        step=1,
        hard_low=0,
        hard_high=10,
        elsewhere={"transformers": "prompt_lookup_num_tokens"},
    ),
)
