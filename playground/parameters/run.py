"""Run: how many texts, with which random draws and in which order of the stages. These parameters have no stage."""

from playground.parameters.parameter import Parameter, symbols
from playground.types import Text

# Seeds travel through JSON and a browser, whose numbers are exact up to here.
LARGEST_SEED = 2**53 - 1

PARAMETERS: tuple[Parameter, ...] = (
    Parameter(
        name="n",
        kind="int",
        group="run",
        level="basic",
        label=Text("Candidates", "候选数"),
        help=Text(
            "How many answers to write at once, each with its own seed.",
            "同时写出多少个回答，每个有自己的种子。",
        ),
        formula=Text("row k uses seed + k", "第 k 个候选使用 seed + k"),
        source="OpenAI API reference",
        neutral=1,
        default=1,
        low=1,
        high=8,
        step=1,
        hard_low=1,
        hard_high=64,
        elsewhere={"transformers": "num_return_sequences"},
    ),
    Parameter(
        name="seed",
        kind="int",
        group="run",
        level="basic",
        label=Text("Seed", "种子"),
        help=Text(
            "On the exact path of the same machine, the same seed and settings write the same text again; −1 "
            "draws a new seed each run.",
            "在精确路径上，相同的种子与设置会再次写出相同的文字；−1 表示每次重新抽取。",
        ),
        formula=Text("initial state of the row's random generator", "该候选的随机数生成器的初始状态"),
        source="torch.Generator.manual_seed",
        neutral=-1,
        default=-1,
        hard_low=-1,
        hard_high=LARGEST_SEED,
    ),
    Parameter(
        name="order",
        kind="order",
        group="run",
        level="basic",
        label=Text("Order of the stages", "阶段顺序"),
        help=Text(
            "The order in which the stages change the scores: transformers applies temperature before the cut-offs, "
            "llama.cpp after them, and your own list of stages decides what comes last.",
            "各阶段改变分数的顺序：transformers 先温度后截断，llama.cpp 先截断后温度；也可自行排列，决定哪个阶段"
            "排在最后。",
        ),
        formula=symbols("z ← stage_m(… stage_2(stage_1(z)))"),
        source="transformers generate(), llama.cpp --samplers",
        neutral="transformers",
        default="transformers",
    ),
    Parameter(
        name="portable_noise",
        kind="bool",
        group="run",
        label=Text("Portable random numbers", "跨设备一致的随机数"),
        help=Text(
            "Draws the noise on the CPU also where the model runs on a GPU, so that in fp32 a seed writes the same "
            "text on every device, up to rounding, for about 3 ms a token at a vocabulary of 128,000.",
            "即使模型在显卡上运行，也在 CPU 上抽取随机数，使同一种子在 fp32 下于任何设备写出相同的文字"
            "（舍入误差除外），词表为 128,000 时每个词元约多花 3 毫秒。",
        ),
        formula=Text(
            "E_i ~ Exp(1) from the CPU's generator; token = argmax p_i / E_i",
            "E_i ~ Exp(1)，取自 CPU 的生成器；词元 = argmax p_i / E_i",
        ),
        source="torch.Generator: every kind of device draws its own numbers",
        neutral=False,
        default=False,
    ),
)
