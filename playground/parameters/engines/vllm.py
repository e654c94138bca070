"""vLLM's completions and chat: what its OpenAI-compatible server takes of our parameters. Read and tried in 0.32."""

from playground.parameters.engines.field import OMIT, Engine, Field, if_set, parsed, same
from playground.parameters.engines.token_bans import BAN_NOTE, banned_by_bias, single_ids_by_bias
from playground.types import Text

_FORM_NOTE = Text(
    "what the form forbids is gone from the log-probabilities too", "格式所禁止的词元也不再出现在对数概率中"
)

VLLM = Engine(
    name="vLLM",
    title=Text("vLLM", "vLLM"),
    fields={
        "temperature": Field(name="temperature", high=2.0),
        **same("top_k", "min_p"),
        "top_p": Field(name="top_p", low=0.0, above_low=True),
        "repetition_penalty": Field(name="repetition_penalty"),
        "presence_penalty": Field(name="presence_penalty", low=-2.0, high=2.0),
        "frequency_penalty": Field(name="frequency_penalty", low=-2.0, high=2.0),
        "bad_words_ids": Field(name="logit_bias", write=single_ids_by_bias("vLLM"), note=BAN_NOTE),
        "logit_bias_ids": Field(name="logit_bias", write=lambda value, _: dict(value)),
        "suppress_tokens": Field(name="logit_bias", write=banned_by_bias, note=BAN_NOTE),
        "ignore_eos": Field(name="ignore_eos"),
        "json_schema": Field(name="structured_outputs.json", write=parsed, note=_FORM_NOTE),
        "regex": Field(name="structured_outputs.regex", write=if_set, note=_FORM_NOTE),
        "one_of": Field(name="structured_outputs.choice", write=if_set, note=_FORM_NOTE),
        "grammar": Field(name="structured_outputs.grammar", write=if_set, note=_FORM_NOTE),
        "max_new_tokens": Field(name="max_tokens"),
        "min_new_tokens": Field(name="min_tokens"),
        "stop": Field(name="stop"),
        "seed": Field(name="seed", write=lambda value, _: OMIT if value < 0 else value),
    },
    reasons={
        "order": Text(
            "vLLM has an order of its own: penalties, temperature, min_p, then top_k and top_p.",
            "vLLM 按自己的顺序执行：惩罚，温度，min_p，再 top_k 与 top_p。",
        ),
        "begin_suppress_tokens": Text(
            "vLLM bans a token for the whole text, not for its beginning only.",
            "vLLM 只能在整段文字中禁用词元，不能只在开头禁用。",
        ),
        "banned_phrases": Text(
            "vLLM bans words token by token (bad_words) and never steps back.",
            "vLLM 只按词元禁用词语（bad_words），不会回退。",
        ),
        "num_beams": Text("vLLM does not stream a beam search.", "vLLM 的束搜索不支持流式输出。"),
    },
)
