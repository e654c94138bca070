"""What a parameter cannot do in the present settings, and why: greyed knobs, warnings, and refusals by name.

The pipeline is built from `effective()`, so what is said here to have no effect really has none. Knows parameters only.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from playground import parameters
from playground.parameters.grammar import FORMS
from playground.parameters.parameter import Parameter, Value
from playground.parameters.run import LARGEST_SEED
from playground.types import Path, Refused, Text

__all__ = ["check_combination", "check_seeds", "effective", "ignored", "inert"]

# Temperature 0 takes the most likely token, as transformers does without sampling: what shapes the odds is dropped.
_SAMPLING_GROUPS = ("shape", "cutoffs", "controllers")
_ABOUT_THE_END = ("min_new_tokens", "ignore_eos", "exponential_decay_factor", "exponential_decay_start")
# Number of texts and random draws belong to every mode and to no stage.
_NEVER_NEUTRALISED = "run"

_GREEDY = Text(
    "No effect: temperature 0 always takes the most likely token.", "无效：温度为 0 时总是取概率最高的词元。"
)
_DYNAMIC = Text(
    "No effect: dynamic temperature sets it anew at every token.", "无效：动态温度会为每个词元重新设定温度。"
)
_MIROSTAT = Text("No effect: Mirostat takes the place of all cut-offs.", "无效：Mirostat 取代了所有截断。")
_NOTHING_CUT = Text("No effect while no cut-off is on.", "没有启用任何截断时无效。")
_ONE_PASSES = Text(
    "No effect: no two tokens can both reach an XTC threshold above 0.5.",
    "无效：XTC 阈值大于 0.5 时，不可能有两个词元同时达到。",
)
_ON_THE_CPU = Text(
    "No effect: the model runs on the CPU, and its noise is drawn there anyway.",
    "无效：模型在 CPU 上运行，随机数本来就在那里抽取。",
)
_NO_EOS = Text("No effect: this model has no end-of-text token.", "无效：此模型没有结束词元。")
_ENDLESS = Text("No effect: the text may not end by itself.", "无效：文本不得自行结束。")
_BEAMS = Text("Cannot be combined with several beams.", "不能与多束搜索同时使用。")
_STEP_BY_STEP = Text(
    "No effect on the exact path, which reads token by token as generate() does.",
    "无效：exact 路径与 generate() 一样逐个读取词元。",
)
_SEVERAL = Text(
    "No effect with several candidates: only one stream guesses ahead.", "多个候选时无效：只有单个文本才会提前猜测。"
)
_TWO_TEXTS = Text("No effect with guidance, which reads two texts at once.", "使用引导时无效：引导同时读取两段文本。")
_SWITCH_OFF = Text("Empty the one, or switch the other off.", "请清空前者，或关闭后者。")
_MASTER_NEUTRAL = Text("No effect while “{en}” is {value}.", "“{zh}”为 {value} 时无效。")
_MASTER_OFF = Text("No effect while “{en}” is off.", "“{zh}”关闭时无效。")


def inert(
    values: Mapping[str, Value], *, has_eos: bool = True, path: Path = "exact", on_gpu: bool = False
) -> dict[str, Text]:
    """The parameters that have no effect beside the other `values` (all of them, as `validate()` returns), and why."""
    reasons = _without_effect(values, has_eos, path, on_gpu)
    if values["num_beams"] > 1:
        for parameter in parameters.REGISTRY:
            if not _beams_can(parameter):
                reasons.setdefault(parameter.name, _BEAMS)
    return reasons


def ignored(values: Mapping[str, Value], *, has_eos: bool = True, path: Path = "exact") -> dict[str, Text]:
    """Of those, only what somebody has set: what must be explained rather than greyed."""
    reasons = inert(values, has_eos=has_eos, path=path)
    return {name: reasons[name] for name in parameters.changed(values) if name in reasons}


def effective(values: Mapping[str, Value], *, has_eos: bool = True, path: Path = "exact") -> dict[str, Value]:
    """The same settings with everything that has no effect at its neutral value: what the pipeline is built from."""
    reasons = inert(values, has_eos=has_eos, path=path)
    known = parameters.by_name()
    return {
        name: known[name].neutral if name in reasons and known[name].group != _NEVER_NEUTRALISED else value
        for name, value in values.items()
    }


def check_combination(values: Mapping[str, Value]) -> None:
    """Raises Refused, naming the parameter, where two settings cannot both be honoured."""
    _check_form(values)
    beams, n = values["num_beams"], values["n"]
    check_seeds(values["seed"], n)
    if beams > 1:
        _check_beams(values)
        if n > beams:
            raise Refused(
                Text(
                    f"{_title('n').en} is {n}, but {beams} beams give at most {beams} candidates.",
                    f"{_title('n').zh}为 {n}，但 {beams} 束最多给出 {beams} 个候选。",
                ),
                _advice("Raise {num_beams} or lower {n}.", "请增大{num_beams}或减小{n}。"),
                parameter="n",
            )
    elif values["temperature"] == 0 and n > 1:
        raise Refused(
            Text(
                f"{_title('n').en} is {n}, but at temperature 0 all candidates would be identical.",
                f"{_title('n').zh}为 {n}，但温度为 0 时所有候选都会相同。",
            ),
            _advice("Set {n} to 1, or {temperature} above 0.", "请将{n}设为 1，或将{temperature}设为大于 0。"),
            parameter="n",
        )


def _title(name: str) -> Text:
    return parameters.title_of(name)


def _advice(en: str, zh: str) -> Text:
    """With the labels of the parameters that the places name."""
    labels = {name: one.label for name, one in parameters.by_name().items()}
    return Text(en, zh).filled(**labels)


def check_seeds(seed: int, count: int) -> None:
    """Raises Refused where the last of so many texts, each of which draws from the seed behind the one before, would
    have a seed that is not taken again."""
    if seed >= 0 and seed + count - 1 > LARGEST_SEED:
        most = LARGEST_SEED - count + 1
        raise Refused(
            Text(
                f"{_title('seed').en} is {seed}; each text has its own, and the last of {count} would have "
                f"{seed + count - 1}.",
                f"{_title('seed').zh}为 {seed}；每条文字各用一个种子，"
                f"{count} 条中的最后一条会用到 {seed + count - 1}。",
            ),
            Text(f"Choose a seed up to {most}.", f"请选择不大于 {most} 的种子。"),
            parameter="seed",
        )


def _check_form(values: Mapping[str, Value]) -> None:
    """A text has one form at most, and may end where the form does."""
    wanted = [name for name in FORMS if values[name]]
    for name in (*wanted[1:], *(["ignore_eos"] if wanted and values["ignore_eos"] else [])):
        raise Refused(
            Text(
                f"{_title(name).en} cannot be combined with {_title(wanted[0]).en}.",
                f"{_title(name).zh}不能与{_title(wanted[0]).zh}同时使用。",
            ),
            _SWITCH_OFF if name == "ignore_eos" else Text("Empty one of them.", "请清空其中一个。"),
            parameter=name,
        )


def _check_beams(values: Mapping[str, Value]) -> None:
    known = parameters.by_name()
    without_effect = _without_effect(values, has_eos=True, path="exact", on_gpu=True)
    for name in parameters.changed(values):
        if name in without_effect or _beams_can(known[name]):
            continue
        raise Refused(
            Text(
                f"{_title(name).en} cannot be combined with {_title('num_beams').en} above 1.",
                f"{_title(name).zh}不能与大于 1 的{_title('num_beams').zh}同时使用。",
            ),
            Text(
                f"Set {known['num_beams'].label.en} to 1, or {known[name].label.en} back to neutral.",
                f"请将{known['num_beams'].label.zh}设为 1，或将{known[name].label.zh}调回中性值。",
            ),
            parameter=name,
        )


def _beams_can(parameter: Parameter) -> bool:
    """Beams run through transformers' generate(), so only with what it knows; the seed is set from outside.

    Guidance it accepts there and gets wrong: the memory of the second pass is not reordered with the beams.
    """
    if parameter.group == "guidance":
        return False
    return "transformers" in parameter.elsewhere or parameter.name == "seed"


def _without_effect(values: Mapping[str, Value], has_eos: bool, path: Path, on_gpu: bool) -> dict[str, Text]:
    """The first reason found counts; a dependent parameter shares its master's."""
    reasons: dict[str, Text] = {}
    for name, reason in _rules(values, has_eos, path, on_gpu):
        reasons.setdefault(name, reason)
    # A threshold that is the very reason must stay within reach.
    to_mend = ("xtc_threshold",) if reasons.get("xtc_probability") is _ONE_PASSES else ()
    known = parameters.by_name()
    for parameter in parameters.REGISTRY:
        if parameter.needs is None or parameter.name in reasons or parameter.name in to_mend:
            continue
        master = known[parameter.needs]
        if master.name in reasons:
            reasons[parameter.name] = reasons[master.name]
        elif master.is_neutral(values[master.name]):
            reasons[parameter.name] = _master_off(master)
    if "min_tokens_to_keep" not in reasons and not _cuts(values, reasons):
        reasons["min_tokens_to_keep"] = _NOTHING_CUT
    return reasons


def _rules(values: Mapping[str, Value], has_eos: bool, path: Path, on_gpu: bool) -> Iterator[tuple[str, Text]]:
    greedy = values["temperature"] == 0
    dynamic = values["dynatemp_high"] != 0
    mirostat = values["mirostat_tau"] != 0
    for parameter in parameters.REGISTRY:
        if greedy and parameter.group in _SAMPLING_GROUPS and parameter.name != "temperature":
            yield parameter.name, _GREEDY
        elif mirostat and parameter.group == "cutoffs":
            yield parameter.name, _MIROSTAT
    if not on_gpu:
        yield "portable_noise", _ON_THE_CPU
    if greedy:
        yield "seed", _GREEDY
        yield "portable_noise", _GREEDY
    elif dynamic:
        yield "temperature", _DYNAMIC
    if values["xtc_threshold"] > 0.5:
        yield "xtc_probability", _ONE_PASSES
    for name in _ABOUT_THE_END:
        if not has_eos:
            yield name, _NO_EOS
        elif values["ignore_eos"] and name != "ignore_eos":
            yield name, _ENDLESS
    if path == "exact":
        yield "prompt_lookup_num_tokens", _STEP_BY_STEP
    elif values["n"] > 1:
        yield "prompt_lookup_num_tokens", _SEVERAL
    elif values["guidance_scale"] != 1:
        yield "prompt_lookup_num_tokens", _TWO_TEXTS


def _cuts(values: Mapping[str, Value], reasons: Mapping[str, Text]) -> bool:
    return any(
        parameter.stage is not None
        and parameter.group == "cutoffs"
        and parameter.name not in reasons
        and not parameter.is_neutral(values[parameter.name])
        for parameter in parameters.REGISTRY
    )


def _master_off(master: Parameter) -> Text:
    if master.kind == "bool":
        return _MASTER_OFF.filled(en=master.label.en, zh=master.label.zh)
    return _MASTER_NEUTRAL.filled(en=master.label.en, zh=master.label.zh, value=f"{master.neutral:g}")
