"""The body of a request to `/v1/completions` or `/v1/chat/completions`: each field checked, and what it asks for.

What is not known is refused by name, and so is what cannot be honoured. Knows no server and no model's tokenizer.
"""

from __future__ import annotations

import difflib
import json
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

from playground import generate, parameters
from playground.openai_api import fields
from playground.openai_api.api_error import ApiError, bad
from playground.openai_api.chat_messages import messages_of
from playground.openai_api.fields import Endpoint
from playground.parameters.inert import ignored
from playground.settings import Settings
from playground.types import InvalidRequest, Path, Request, Text

_COMPLETION_TOKENS = 16  # OpenAI's own default
# Their names for parameters of the registry; all others are called alike.
_RENAMED = {"max_tokens": "max_new_tokens", "max_completion_tokens": "max_new_tokens"}


@dataclass(frozen=True, slots=True)
class Details:
    """What of a run is asked for beside the text: what each stage did, its name to ask about it later, and the
    log-probabilities of all tokens as numbers, of which a position may have `most`."""

    trace: bool = False
    keep: bool = False
    scores: bool = False
    most: int = 0


@dataclass(frozen=True, slots=True)
class Asked:
    """One request, read. `prompts` are several only in completions; `top` is how many tokens' log-probabilities are
    told at each position, None for none at all. `names` are the body's fields by the parameters that they set."""

    endpoint: Endpoint
    model: str
    request: Request
    prompts: tuple[str, ...]
    stream: bool
    usage: bool
    top: int | None
    echo: bool
    token_ids: bool
    details: Details | None
    path: Path | None
    given: tuple[str, ...]
    names: Mapping[str, str]
    only_reads: bool = False

    @property
    def chat(self) -> bool:
        return self.endpoint == "chat"

    @property
    def looks_inside(self) -> bool:
        """Whether the answer tells what only the kept logits of its runs know."""
        return self.top is not None or (self.details is not None and (self.details.keep or self.details.scores))

    @property
    def honoured(self) -> tuple[str, ...]:
        """The fields of the body that act, in its order."""
        known = fields.known(self.endpoint)
        inert = ignored(self.request.values, path=self.request.path)
        return tuple(
            name
            for name in self.given
            if _RENAMED.get(name, name) not in inert and (name not in known or known[name].state == "acts")
        )


def read_body(body: object, endpoint: Endpoint, settings: Settings) -> Asked:
    """Raises ApiError or InvalidRequest for the first field that is wrong. May take long, for a form is compiled."""
    if not isinstance(body, Mapping):
        raise bad(Text("The body must be a JSON object.", "请求体应为 JSON 对象。"))
    given = _accepted(body, endpoint)
    chat = endpoint == "chat"
    values, names = _values(given, endpoint, settings)
    echo = not chat and _flag(given, "echo")
    only_reads = echo and values.get("max_new_tokens") == 0
    if only_reads:
        values["max_new_tokens"] = 1
    details = _details(given.get("playground"), settings.limits.top_logprobs)
    common: dict[str, Any] = {
        "path": given.get("path", "exact"),
        "special_tokens": given.get("special_tokens", False),
        "trace": details is not None and details.trace,
    }
    try:
        if chat:
            said = messages_of(given.get("messages"), continues=_flag(given, "continue_final_message"))
            request = generate.build(
                said.prompt, values, mode="chat", system=said.system, prefill=said.begun, turns=said.turns, **common
            )
            prompts: tuple[str, ...] = (request.prompt,)
        else:
            prompts = _prompts(given.get("prompt"), settings, int(values.get("n", 1) or 1))
            request = generate.build(prompts[0], values, **common)
            for one in prompts[1:]:
                generate.checked(replace(request, prompt=one))
    except InvalidRequest as error:
        error.parameter = names.get(error.parameter or "", error.parameter)
        raise
    return Asked(
        endpoint=endpoint,
        model=_text(given, "model"),
        request=request,
        prompts=prompts,
        stream=_flag(given, "stream"),
        usage=_usage(given),
        top=_top(given, chat, settings.limits.top_logprobs),
        echo=echo,
        token_ids=_flag(given, "return_tokens_as_token_ids"),
        details=details,
        path=common["path"] if "path" in given else None,
        given=tuple(given),
        names=names,
        only_reads=only_reads,
    )


def _accepted(body: Mapping[str, Any], endpoint: Endpoint) -> dict[str, Any]:
    """The fields that say something. Raises ApiError for one that is not known or refused."""
    known, all_names = fields.known(endpoint), fields.names(endpoint)
    found: dict[str, Any] = {}
    for name, value in body.items():
        if name not in all_names:
            near = difflib.get_close_matches(name, all_names, n=1)
            hint = (f" Did you mean {near[0]}?", f"你是想用 {near[0]} 吗？") if near else ("", "")
            shown = name[:60]
            raise ApiError(
                400,
                Text(f"There is no field {shown!r}.{hint[0]}", f"没有名为 {shown!r} 的字段。{hint[1]}"),
                param=shown,
                code="unknown_parameter",
            )
        record = known.get(name)
        if record is not None and record.state == "refused" and not _harmless(record, value, body):
            raise ApiError(
                400,
                Text(f"{name} is not supported here: {record.words}.", f"此处不支持 {name}。"),
                param=name,
                code="unsupported_parameter",
            )
        if value is not None and (record is None or record.state != "refused"):
            found[name] = value
    return found


def _harmless(record: fields.Field, value: object, body: Mapping[str, Any]) -> bool:
    """Whether a field that is refused asks for nothing here; as many of the best as there are texts is all of them."""
    if record.name == "best_of" and value == (body.get("n") or 1):
        return True
    return any(type(one) is type(value) and one == value for one in record.harmless)


def _values(given: Mapping[str, Any], endpoint: Endpoint, settings: Settings) -> tuple[dict[str, Any], dict[str, str]]:
    """The parameters that a body sets, and the body's field for each."""
    known = parameters.by_name()
    values: dict[str, Any] = {}
    names: dict[str, str] = {}
    for name, value in given.items():
        own = _RENAMED.get(name, name)
        if own not in known:
            continue
        if own in names and values[own] != value:
            raise bad(
                Text(
                    f"{names[own]} and {name} say the same; give one.",
                    f"{names[own]} 与 {name} 含义相同，只需给出一个。",
                ),
                name,
            )
        values[own], names[own] = value, name
    if isinstance(values.get("stop"), str):
        values["stop"] = [values["stop"]]
    if "logit_bias" in values:
        _biases(values, names)
    if "response_format" in given:
        schema = _schema(given["response_format"])
        if schema is not None and values.get("json_schema"):
            raise bad(Text("response_format and json_schema say the same; give one.",
                           "response_format 与 json_schema 含义相同，只需给出一个。"), "json_schema")  # fmt: skip
        if schema is not None:
            values["json_schema"], names["json_schema"] = schema, "response_format"
    if "max_new_tokens" not in values:
        most = settings.limits.max_new_tokens
        values["max_new_tokens"] = most if endpoint == "chat" else min(most, _COMPLETION_TOKENS)
    names.setdefault("prompt", "messages" if endpoint == "chat" else "prompt")
    if endpoint == "chat":
        names |= dict.fromkeys(("prompt", "system", "turns", "prefill", "mode"), "messages")
    return values, names


def _biases(values: dict[str, Any], names: dict[str, str]) -> None:
    """Keys that are numbers are token ids, as in OpenAI's API; others are texts, as in ours."""
    both = values["logit_bias"]
    if not isinstance(both, Mapping):
        return  # the registry says so
    ids = {key: bias for key, bias in both.items() if key.isascii() and key.isdigit()}
    texts = {key: bias for key, bias in both.items() if key not in ids}
    if ids and "logit_bias_ids" in names:
        raise bad(Text("logit_bias and logit_bias_ids both name token ids; give one.",
                       "logit_bias 与 logit_bias_ids 都含词元编号，只需给出一个。"), "logit_bias_ids")  # fmt: skip
    values["logit_bias"] = texts
    if ids:
        values["logit_bias_ids"], names["logit_bias_ids"] = ids, "logit_bias"


def _schema(given: Any) -> str | None:
    """The JSON schema of a response_format; None for plain text."""
    kind = given.get("type") if isinstance(given, Mapping) else None
    if kind == "text":
        return None
    if kind == "json_object":
        return '{"type": "object"}'
    inner = given.get("json_schema") if kind == "json_schema" else None
    if not isinstance(inner, Mapping) or not isinstance(inner.get("schema"), Mapping):
        raise bad(
            Text("response_format must be {type: text}, {type: json_object}, or {type: json_schema} with a "
                 "json_schema that holds a schema.",
                 "response_format 应为 {type: text}、{type: json_object}，或带有 json_schema.schema 的 "
                 "{type: json_schema}。"),
            "response_format",
        )  # fmt: skip
    return json.dumps(inner["schema"], ensure_ascii=False)


def _prompts(given: object, settings: Settings, count: int) -> tuple[str, ...]:
    several = given if isinstance(given, list) else [given]
    if not several or not all(isinstance(one, str) for one in several):
        raise bad(
            Text("prompt must be a text or a list of texts; token ids are not taken, since they are another model's.",
                 "prompt 应为文本或文本列表；不接受词元编号，因为编号因模型而异。"), "prompt",
        )  # fmt: skip
    most = settings.limits.candidates
    if len(several) > 1 and len(several) * count > most:
        raise bad(
            Text(f"{len(several)} prompts with {count} texts each are too many; at most {most} are allowed in one "
                 "request.", f"{len(several)} 条提示词、每条 {count} 个文本过多，单个请求最多 {most} 个。"), "prompt",
        )  # fmt: skip
    return tuple(several)


def _top(given: Mapping[str, Any], chat: bool, most: int) -> int | None:
    name = "top_logprobs" if chat else "logprobs"
    wanted = _flag(given, "logprobs") if chat else name in given
    if not wanted:
        if chat and "top_logprobs" in given:
            raise bad(Text("top_logprobs needs logprobs: true.", "使用 top_logprobs 需要 logprobs: true。"), name)
        return None
    count = given.get(name, 0)
    if isinstance(count, bool) or not isinstance(count, int) or not -1 <= count <= most:
        raise bad(
            Text(f"{name} must be a whole number from 0 to {most:,}, or -1 for as many as that.",
                 f"{name} 应为 0 到 {most:,} 的整数，或用 -1 表示该上限。"), name,
        )  # fmt: skip
    return most if count == -1 else count


def _usage(given: Mapping[str, Any]) -> bool:
    options = given.get("stream_options", {})
    allowed = {"include_usage", "include_obfuscation"}
    if not isinstance(options, Mapping) or set(options) - allowed or options.get("include_obfuscation"):
        raise bad(
            Text(
                "stream_options takes include_usage, true or false.",
                "stream_options 只接受 include_usage（true 或 false）。",
            ),
            "stream_options",
        )
    return _flag(options, "include_usage")


def _details(given: Any, most: int) -> Details | None:
    if given is None:
        return None
    if not isinstance(given, Mapping) or set(given) - {"trace", "keep", "scores"}:
        raise bad(
            Text(
                "playground takes trace, keep and scores, true or false.",
                "playground 只接受 trace、keep 与 scores（true 或 false）。",
            ),
            "playground",
        )
    return Details(_flag(given, "trace"), _flag(given, "keep"), _flag(given, "scores"), most)


def _flag(given: Mapping[str, Any], name: str) -> bool:
    value = given.get(name, False)
    if value is None:
        return False
    if not isinstance(value, bool):
        raise bad(Text(f"{name} must be true or false.", f"{name} 应为 true 或 false。"), name)
    return value


def _text(given: Mapping[str, Any], name: str) -> str:
    value = given.get(name, "")
    if not isinstance(value, str):
        raise bad(Text(f"{name} must be a text.", f"{name} 应为文本。"), name)
    return value
