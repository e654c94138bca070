"""Guidance: a second forward pass that the first is pushed away from. Knows no sampler; the engine runs the pass."""

from playground.field_titles import LABELS
from playground.parameters.parameter import Parameter
from playground.types import Text

PARAMETERS: tuple[Parameter, ...] = (
    Parameter(
        name="guidance_scale",
        kind="float",
        group="guidance",
        label=Text("Guidance scale", "引导强度"),
        help=Text(
            "Above 1 the answer follows the prompt more closely, away from what the model would write without it; "
            "each token costs two passes.",
            "大于 1 时回答更紧扣提示词，远离模型在没有提示词时会写的内容；每个词元需要两次前向计算。",
        ),
        formula=Text(
            "log p' = g · (log p − log u) + log u; u: negative prompt, or the prompt's last token alone",
            "log p' = g · (log p − log u) + log u；u：反向提示词，或仅提示词的最后一个词元",
        ),
        source="arXiv 2306.17806",
        neutral=1.0,
        default=1.0,
        low=0.5,
        high=3.0,
        step=0.05,
        hard_low=-100.0,
        hard_high=100.0,
        stage="guidance",
        order={"transformers": 10, "llama.cpp": 10},
        sampler="Guidance",
        argument="scale",
        elsewhere={"transformers": "guidance_scale", "text-generation-webui": "guidance_scale"},
    ),
    Parameter(
        name="negative_prompt",
        kind="text",
        group="guidance",
        label=LABELS["negative_prompt"],
        help=Text(
            "What the answer is pushed away from when the guidance scale is above 1.",
            "引导强度大于 1 时，回答要远离的内容。",
        ),
        formula=Text("u in log p' = g · (log p − log u) + log u", "log p' = g · (log p − log u) + log u 中的 u"),
        source="arXiv 2306.17806",
        neutral="",
        default="",
        needs="guidance_scale",
        elsewhere={"transformers": "negative_prompt_ids", "text-generation-webui": "negative_prompt"},
    ),
)
