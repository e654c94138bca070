"""From what the tab's form holds to a ModelChoice; each error names the field it stands beside. Asks no network."""

from __future__ import annotations

import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from playground.models import adapters, failures, sources
from playground.models.model_choice import LEAST_CONTEXT, MOST_CONTEXT, ModelChoice
from playground.rendering import templates
from playground.settings import is_address
from playground.settings.kinds import MemoryKind, NotAllowed
from playground.types import InvalidRequest, ModelError, PlaygroundError, Text

FIELDS = ("name", "weights", "max_memory", "context", "chat_template", "adapter", "adapter_share")
_SHOWN = 100  # characters of a name in a sentence
_NO_NAME = Text("Type or choose a model first.", "请先输入或选择模型。")
_NO_URL = Text(
    "This is no address of an engine; one looks like http://127.0.0.1:8080.",
    "这不是引擎地址；地址形如 http://127.0.0.1:8080。",
)
_NO_CONTEXT = Text(
    f"The context length is a whole number from {LEAST_CONTEXT} to {MOST_CONTEXT:,}; empty takes the model's own.",
    f"上下文长度应为 {LEAST_CONTEXT} 到 {MOST_CONTEXT:,} 之间的整数；留空则使用模型自带的长度。",
)
_NO_MEMORY = Text("Write {allowed}.", "请写成：{allowed}。")
_NOT_ITS_OWN = Text(
    "An engine loads its own model, and this is chosen where the engine is started. Leave it as it was.",
    "引擎自行加载模型，此项应在启动引擎时设定，请保持默认。",
)
_NO_TEMPLATE = Text("The chat template cannot be used: {reason}.", "无法使用此对话模板：{reason}。")
# A conversation that any template should be able to write.
_TRIED = {"messages": [{"role": "user", "content": "Hello"}], "add_generation_prompt": True}


def choice_of(sent: Mapping[str, Any]) -> ModelChoice:
    """What the fields ask for. Raises InvalidRequest, or ModelError for a name that is none."""
    name = _checked_name(_text(sent, "name"))
    found = ModelChoice.of_record(
        {
            "name": name,
            "weights": _text(sent, "weights") or "auto",
            "max_memory": _memory(_text(sent, "max_memory")),
            "context": _context(_text(sent, "context")),
            "chat_template": _template(sent.get("chat_template")),
            "trust_remote_code": sent.get("trust_remote_code") is True,
            "adapter": _adapter(_text(sent, "adapter")),
            "adapter_share": sent.get("adapter_share", 1.0),
        }
    )
    if found.is_engine:
        given = {field for field in ("max_memory", "context", "chat_template") if getattr(found, field)}
        given |= {"weights"} if found.weights != "auto" else set()
        if given:
            raise InvalidRequest(_NOT_ITS_OWN, parameter=next(field for field in FIELDS if field in given))
    return found


def field_error(error: PlaygroundError) -> dict[str, Any]:
    """The sentence, and the field that it belongs to: what is wrong with the model itself belongs to its name."""
    place = error.parameter if isinstance(error, InvalidRequest) else None
    return {"field": place if place in FIELDS else "name", "text": {"en": error.say("en"), "zh": error.say("zh")}}


def is_hub_id(name: str) -> bool:
    """Whether it has the form of one, as short names have too."""
    return sources.HUB_ID.fullmatch(name) is not None


def _text(sent: Mapping[str, Any], name: str) -> str:
    given = sent.get(name)
    return given.strip() if isinstance(given, str) else ""


def _checked_name(name: str) -> str:
    if not name:
        raise InvalidRequest(_NO_NAME, parameter="name")
    if is_address(name):
        return name
    if "://" in name:
        raise InvalidRequest(_NO_URL, parameter="name")
    try:
        here = Path(name).expanduser().exists()
    except (OSError, RuntimeError, ValueError):  # too long, nobody's home, a zero character
        here = False
    if not here and (name.lower().endswith(".gguf") or not is_hub_id(name)):
        raise failures.no_file(name[:_SHOWN])
    return name


def _adapter(folder: str) -> str | None:
    """Read once, so that what is wrong with it is said beside its field; whether it fits the model shows while that is
    loaded."""
    if not folder:
        return None
    try:
        adapters.read(folder)
    except ModelError as wrong:
        raise InvalidRequest(wrong.message, wrong.hint, parameter="adapter") from None
    return folder


def _memory(text: str) -> dict[str | int, int]:
    try:
        return MemoryKind().read(text) if text else {}
    except NotAllowed as wrong:
        raise InvalidRequest(_NO_MEMORY.filled(allowed=wrong.allowed), parameter="max_memory") from None


def _context(text: str) -> int | None:
    digits = re.sub(r"[,，_\s]", "", text)
    if not digits:
        return None
    if not (
        digits.isascii() and digits.isdigit() and len(digits) < 16 and LEAST_CONTEXT <= int(digits) <= MOST_CONTEXT
    ):
        raise InvalidRequest(_NO_CONTEXT, parameter="context")
    return int(digits)


def _template(given: object) -> str | None:
    """Tried once, in the worker process in which it would be used."""
    if not isinstance(given, str) or not given.strip():
        return None
    [tried] = templates.render(given, [_TRIED], {"bos_token": "", "eos_token": ""})
    if isinstance(tried, templates.Failure) and not tried.own:
        raise InvalidRequest(_NO_TEMPLATE.filled(reason=tried.reason), parameter="chat_template")
    return given
