"""What transformers' generate() also takes and the registry does not offer, each with its reason.

A test walks the real GenerationConfig and generate(): whatever is new there must come into the registry or in here.
"""

from __future__ import annotations

from playground import parameters
from playground.types import Text

COVERED: dict[str, str] = {
    "do_sample": "temperature",
    "max_length": "max_new_tokens",
    "min_length": "min_new_tokens",
    "negative_prompt_attention_mask": "negative_prompt",
}
"""Fields whose work a parameter of another name does. A parameter's own name in transformers is in its record."""

_HUB = Text(
    "transformers 5 moved this method out of the library into code on the hub, which is not run here.",
    "transformers 5 已把这一方法移出库、放到 hub 上的代码中，此处不运行它。",
)
_SPEED = Text(
    "It changes how fast a text is computed, not which; the engine decides it.",
    "它只影响计算速度，不影响生成什么文本，由引擎决定。",
)
_MEMORY = Text(
    "It changes where the memory of the pass is kept, not the text; the engine decides it.",
    "它只影响缓存放在哪里，不影响文本，由引擎决定。",
)
_DRAFT = Text(
    "Assisted decoding guesses ahead to save time; it belongs to speed and needs a second model or the model's own "
    "drafting head.",
    "辅助解码通过提前猜测来节省时间，属于加速手段，并且需要第二个模型或模型自带的草稿头。",
)
_LOOKUP = Text(
    "Prompt lookup goes by the longest ending that stood before, and guesses no more tokens than agree there.",
    "提示词查找以前文中出现过的最长结尾为准，猜测的词元数不超过相同的词元数。",
)
_MODEL = Text("It belongs to the model, which brings it along.", "它属于模型本身，由模型自带。")
_SEQ2SEQ = Text(
    "It serves models with an encoder or forced language tokens; here a beginning of the answer does that.",
    "它用于带编码器或强制语言词元的模型；此处由“回答开头”代替。",
)
_RETURN = Text(
    "It chooses what generate() returns; here every step is shown anyway.",
    "它决定 generate() 返回什么；此处每一步都会显示。",
)
_CODE = Text(
    "It takes a Python object, which no page, terminal or preset can send; a sampler of one's own goes into the "
    "registry.",
    "它接收 Python 对象，网页、终端与预设都无法传送；自己的采样器应加入注册表。",
)
_BOOKKEEPING = Text("It is bookkeeping, not a setting.", "它是内部记录，不是设置。")
_SAFETY = Text(
    "The chain always leaves a candidate, and repairing broken scores in silence would hide what broke them.",
    "处理链始终会留下候选；悄悄修补损坏的分数只会掩盖原因。",
)
_LAST = Text(
    "It rescales scores just before the choice, which changes no choice unless beams are compared.",
    "它只在选择之前重新归一化分数，除束搜索外不会改变任何选择。",
)
_PROMPT = Text("It is the prompt itself.", "它就是提示本身。")
_HEALING = Text(
    "It rewrites the end of the prompt before the first token, so the text would no longer continue what was typed.",
    "它会在第一个词元之前改写提示的结尾，文本便不再接着输入的内容。",
)

NOT_OFFERED: dict[str, Text] = {
    **dict.fromkeys(
        ("penalty_alpha", "dola_layers", "diversity_penalty", "num_beam_groups", "constraints", "force_words_ids"), _HUB
    ),
    **dict.fromkeys(("compile_config", "disable_compile", "prefill_chunk_size", "synced_gpus"), _SPEED),
    **dict.fromkeys(
        (
            "use_cache",
            "cache_implementation",
            "cache_config",
            "max_cache_len",
            "low_memory",
            "continuous_batching_config",
        ),
        _MEMORY,
    ),
    **dict.fromkeys(
        (
            "is_assistant",
            "assistant_model",
            "num_assistant_tokens",
            "num_assistant_tokens_schedule",
            "assistant_confidence_threshold",
            "assistant_early_exit",
            "assistant_lookbehind",
            "target_lookbehind",
            "assistant_ensemble_weight",
            "speculation_type",
            "use_mtp",
        ),
        _DRAFT,
    ),
    **dict.fromkeys(("pad_token_id", "bos_token_id", "eos_token_id"), _MODEL),
    **dict.fromkeys(("decoder_start_token_id", "forced_bos_token_id", "forced_eos_token_id"), _SEQ2SEQ),
    **dict.fromkeys(
        ("output_attentions", "output_hidden_states", "output_scores", "output_logits", "return_dict_in_generate"),
        _RETURN,
    ),
    **dict.fromkeys(
        (
            "logits_processor",
            "stopping_criteria",
            "prefix_allowed_tokens_fn",
            "streamer",
            "custom_generate",
        ),
        _CODE,
    ),
    **dict.fromkeys(("transformers_version", "generation_config"), _BOOKKEEPING),
    "max_matching_ngram_size": _LOOKUP,
    "inputs": _PROMPT,
    "remove_invalid_values": _SAFETY,
    "renormalize_logits": _LAST,
    "token_healing": _HEALING,
}


def offered() -> dict[str, list[str]]:
    """Each field of transformers that is offered, and the parameters that set it."""
    fields: dict[str, list[str]] = {}
    for parameter in parameters.REGISTRY:
        if "transformers" in parameter.elsewhere:
            fields.setdefault(parameter.elsewhere["transformers"], []).append(parameter.name)
    for field, name in COVERED.items():
        fields.setdefault(field, []).append(name)
    return fields
