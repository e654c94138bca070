"""Search: several beginnings of one answer carried along at once. Knows no engine; these have no stage."""

from playground.parameters.parameter import Parameter, symbols
from playground.types import Text

PARAMETERS: tuple[Parameter, ...] = (
    Parameter(
        name="num_beams",
        kind="int",
        group="search",
        label=Text("Beams", "束数"),
        help=Text(
            "Carries this many beginnings along at once and keeps those that are likeliest as a whole.",
            "同时推进这么多个开头，保留整体概率最高的几个。",
        ),
        formula=Text("keep the B beginnings of greatest Σ log p", "保留 Σ log p 最大的 B 个开头"),
        source="arXiv 1409.3215",
        neutral=1,
        default=1,
        low=1,
        high=8,
        step=1,
        hard_low=1,
        hard_high=64,
        elsewhere={"transformers": "num_beams"},
    ),
    Parameter(
        name="length_penalty",
        kind="float",
        group="search",
        label=Text("Length penalty", "长度惩罚"),
        help=Text(
            "Above 0 beams that grew longer are preferred, below 0 shorter ones.",
            "大于 0 时偏好更长的束，小于 0 时偏好更短的束。",
        ),
        formula=symbols("score = Σ log p / length^λ"),
        source="arXiv 1609.08144",
        neutral=1.0,
        default=1.0,
        low=-2.0,
        high=2.0,
        step=0.05,
        hard_low=-10.0,
        hard_high=10.0,
        needs="num_beams",
        elsewhere={"transformers": "length_penalty"},
    ),
    Parameter(
        name="early_stopping",
        kind="choice",
        group="search",
        label=Text("Early stopping", "提前停止"),
        help=Text(
            "When beams are finished: as soon as there are enough of them, when a better one is unlikely, or only when "
            "none can become better.",
            "何时结束束搜索：完成的束已足够时、不太可能出现更好的束时，或只在不可能出现更好的束时。",
        ),
        formula=Text(
            "true: B finished; false: heuristic bound; never: exact bound",
            "true：已有 B 个结束；false：启发式界；never：精确界",
        ),
        source="transformers GenerationConfig",
        neutral="false",
        default="false",
        choices=("false", "true", "never"),
        choice_labels={
            "false": Text("when better is unlikely", "不太可能更好时"),
            "true": Text("when enough are finished", "数量足够时"),
            "never": Text("when better is impossible", "不可能更好时"),
        },
        needs="num_beams",
        elsewhere={"transformers": "early_stopping"},
    ),
)
