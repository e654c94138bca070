"""What every generator refuses in the same words, before anything runs. Knows no model library."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from playground import parameters
from playground.field_titles import field_title
from playground.parameters.parameter import Parameter
from playground.types import Generator, InvalidRequest, ModelCard, Refused, Rendered, Request, Text

if TYPE_CHECKING:
    from playground.models.capabilities import Capabilities

_ACTS = field_title("special_tokens")
_BEAMS = parameters.by_name()["num_beams"].label


def lacking(generator: Generator) -> dict[str, Text]:
    """The parameters that a generator does not honour, each with the reason."""
    found: dict[str, Text] = {}
    for name, record in parameters.by_name().items():
        if name not in generator.parameters:
            title = record.title
            other = Text(f"{generator.name} does not know {title.en}.", f"{generator.name} 不支持{title.zh}。")
            found[name] = generator.lacks.get(name, other)
    return found


def honoured(values: Mapping[str, Any], generator: Generator) -> dict[str, Any]:
    """Values that nobody chose, neutral where this generator would refuse them."""
    known = parameters.by_name()
    return {name: one if name in generator.parameters else known[name].neutral for name, one in values.items()}


def without_lacking(request: Request, generator: Generator) -> tuple[Request, Text | None]:
    """The request without what its task alone set and this generator does not honour, and what is to be said of it."""
    left = [name for name in parameters.changed(request.values) if name in request.of_task - generator.parameters]
    begins = bool(request.prefill) and request.mode == "chat" and "prefill" in request.of_task & generator.lacks.keys()
    if not left and not begins:
        return request, None
    titles = [*map(parameters.title_of, left), *([field_title("prefill")] if begins else [])]
    said = Text(
        "{engine} lacks {titles}: the text is written without.",
        "{engine} 不支持{titles}；生成时不使用。",
    ).filled(
        engine=generator.name,
        titles=Text(", ".join(title.en for title in titles), "、".join(title.zh for title in titles)),
    )
    values = {**request.values, **honoured({name: request.values[name] for name in left}, generator)}
    return replace(request, values=values, prefill="" if begins else request.prefill), said


def check_request(request: Request, card: ModelCard, paths: frozenset[str]) -> None:
    """The parts of a request that no rendering can mend. Raises InvalidRequest, or Refused for a path."""
    if not (request.prompt or request.prefill or request.turns):
        raise InvalidRequest(
            Text("The prompt is empty.", "提示词为空。"),
            Text("Write something for the model to continue.", "请写一些内容让模型接着写。"),
            parameter="prompt",
        )
    if request.path not in paths:
        raise Refused(
            Text(f"There is no {request.path} path here.", f"这里没有 {request.path} 路径。"),
            Text("Use " + " or ".join(sorted(paths)) + ".", "请用 " + "、".join(sorted(paths)) + "。"),
            parameter="path",
        )
    if request.path == "fast" and request.values["num_beams"] > 1:
        raise Refused(
            Text("A beam search runs on the exact path only.", "束搜索只能走精确路径。"),
            Text(f"Choose the exact path, or set {_BEAMS.en} to 1.", f"请选择精确路径，或把“{_BEAMS.zh}”设为 1。"),
            parameter="num_beams",
        )
    if request.mode == "complete" and request.system:
        raise Refused(
            Text(
                "A system prompt works only in “Single question” or “Conversation” (mode chat).",
                "系统提示词只用于对话模式。",
            ),
            Text("Empty it, or switch to chat.", "请清空它，或切换到对话模式。"),
            parameter="system",
        )
    if request.mode == "complete" and request.turns:
        raise Refused(
            Text("Several turns belong to chat mode.", "多轮对话只用于对话模式。"),
            Text("Leave them out, or switch to chat.", "请去掉它们，或切换到对话模式。"),
            parameter="turns",
        )
    if request.special_tokens and (request.turns or request.task is not None):
        raise Refused(
            Text(
                "Control tokens take effect in a free prompt or a single question only.",
                "控制词元只能在自由提示词或单次提问中生效。",
            ),
            Text(f"Leave out “{_ACTS.en}”.", f"请去掉“{_ACTS.zh}”。"),
            parameter="special_tokens",
        )
    if request.mode == "chat" and not card.has_chat_template:
        raise Refused(
            Text(f"{card.title} has no chat template.", f"{card.title} 没有对话模板。"),
            Text("Use “Free prompt” (mode complete).", "请用续写模式。"),
            parameter="mode",
        )


def check_able(values: Mapping[str, Any], able: Capabilities, title: str) -> None:
    """What this model's architecture cannot do, by name."""
    if values["num_beams"] > 1 and not able.beams:
        raise Refused(
            Text(
                f"{title} keeps a state that beams cannot share, so it does no beam search.",
                f"{title} 保留的状态无法由多个束共享，因此不能进行束搜索。",
            ),
            Text(f"Set {_BEAMS.en} to 1.", f"请把“{_BEAMS.zh}”设为 1。"),
            parameter="num_beams",
        )


def check_room(rendered: Rendered, title: str) -> None:
    """A prompt that fills the context leaves no room for a single token."""
    used = len(rendered.token_ids)
    if used >= rendered.context:
        raise Refused(
            Text(
                f"The prompt has {used:,} tokens; {title} reads at most {rendered.context:,}.",
                f"提示词有 {used:,} 个词元，{title} 最多读 {rendered.context:,} 个。",
            ),
            Text("Shorten it.", "请缩短它。"),
            parameter="prompt",
        )


def rows_seeds(seed: int, count: int) -> Sequence[int]:
    """Row k of a request draws from seed + k."""
    return range(seed, seed + count)


def check_ids(values: Mapping[str, Any], vocab_size: int) -> None:
    """Token ids must exist in this model's vocabulary: InvalidRequest before transformers fails within a run."""
    for record in parameters.REGISTRY:
        for token_id in _named(record, values[record.name]):
            if token_id >= vocab_size:
                last = vocab_size - 1
                raise InvalidRequest(
                    Text(
                        f"{record.title.en} names token {token_id}; this model's tokens go from 0 to {last}.",
                        f"{record.title.zh}含有词元 {token_id}；此模型的词元编号为 0 至 {last}。",
                    ),
                    parameter=record.name,
                )


def _named(record: Parameter, value: Any) -> Iterable[int]:
    """The token ids that a value names."""
    if record.kind == "id_lists":
        return (token_id for several in value for token_id in several)
    return map(int, value) if record.kind in ("ids", "id_bias") else ()
