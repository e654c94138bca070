"""The settings that say which weights are trained, and how LoRA's matrices are made. Knows no other setting."""

from playground.training.train_setting import TrainSetting
from playground.types import Text

_LORA = ("method", "lora")
ALL_LINEAR = "all-linear"

METHOD_SETTINGS: tuple[TrainSetting, ...] = (
    TrainSetting(
        name="method",
        kind="choice",
        group="method",
        label=Text("Method", "方法"),
        help=Text(
            "LoRA trains small matrices beside the weights, which fit into a few megabytes; full trains every weight.",
            "LoRA 只训练权重旁的小矩阵，仅占几兆字节；全参数训练会更新每个权重。",
        ),
        source="arXiv 2106.09685",
        default="lora",
        choices=("lora", "full"),
        choice_labels={"lora": Text("LoRA", "LoRA"), "full": Text("full", "全参数")},
        basic=True,
    ),
    TrainSetting(
        name="rank",
        kind="int",
        group="method",
        label=Text("LoRA rank", "LoRA 秩"),
        help=Text(
            "How wide the trained matrices are: more can hold more, and takes more memory.",
            "所训练矩阵的宽度：越大能容纳越多内容，也越占内存。",
        ),
        source="arXiv 2106.09685",
        default=16,
        low=1,
        high=1024,
        scale="log",
        needs=_LORA,
        basic=True,
    ),
    TrainSetting(
        name="alpha",
        kind="float",
        group="method",
        label=Text("LoRA alpha", "LoRA alpha"),
        help=Text(
            "The trained part is scaled by alpha / rank; twice the rank is usual.",
            "训练部分按 alpha / rank 缩放；通常取秩的两倍。",
        ),
        source="arXiv 2106.09685",
        default=32.0,
        low=0.0,
        high=4096.0,
        above_low=True,
        scale="log",
        needs=_LORA,
    ),
    TrainSetting(
        name="dropout",
        kind="float",
        group="method",
        label=Text("LoRA dropout", "LoRA dropout"),
        help=Text(
            "Share of the inputs of the trained matrices that is set to zero at each step, against learning by heart.",
            "每一步中被置零的训练矩阵输入的比例，用来防止死记硬背。",
        ),
        source="arXiv 2106.09685",
        default=0.0,
        low=0.0,
        high=0.9,
        off=0.0,
        needs=_LORA,
    ),
    TrainSetting(
        name="target_modules",
        kind="text",
        group="method",
        label=Text("Target modules", "目标模块"),
        help=Text(
            f"Which weights get LoRA matrices: {ALL_LINEAR}, or names of modules separated by commas, as in "
            "q_proj,v_proj.",
            f"为哪些权重添加 LoRA 矩阵：{ALL_LINEAR}，或用逗号分隔的模块名，如 q_proj,v_proj。",
        ),
        source="peft.LoraConfig.target_modules",
        default=ALL_LINEAR,
        needs=_LORA,
    ),
    TrainSetting(
        name="rslora",
        kind="bool",
        group="method",
        label=Text("Rank-stabilized LoRA", "秩稳定 LoRA"),
        help=Text(
            "Scales by alpha / √rank, so that a high rank learns as fast as a low one.",
            "按 alpha / √rank 缩放，使高秩与低秩学得一样快。",
        ),
        source="arXiv 2312.03732",
        default=False,
        needs=_LORA,
    ),
    TrainSetting(
        name="dora",
        kind="bool",
        group="method",
        label=Text("DoRA", "DoRA"),
        help=Text(
            "Trains the length of each column of weights apart from its direction; slower, better at low ranks.",
            "将每列权重的长度与方向分开训练；更慢，但在低秩时效果更好。",
        ),
        source="arXiv 2402.09353",
        default=False,
        needs=_LORA,
    ),
)
