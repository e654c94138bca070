"""What goes wrong, in the form that OpenAI's clients read: a status, and an `error` with message, type, param and code.

Our own errors carry beside it what another Playground needs to say the same in both languages.
"""

from __future__ import annotations

import json
import logging
from collections.abc import Mapping, Sequence
from typing import Any

from starlette.responses import JSONResponse, Response

from playground.types import (
    Busy,
    InvalidRequest,
    ModelError,
    PlaygroundError,
    Refused,
    ShareTaken,
    Stopped,
    Text,
)

log = logging.getLogger(__name__)
RETRY_S = 5  # seconds after which a busy server may be asked again
FAILED = Text("Something went wrong on the server; its log says what.", "服务器出错；详情见其日志。")
INVALID = "invalid_request_error"
# In this order: the first that fits. Status, type, code, and whether to try again.
_KINDS: tuple[tuple[type[PlaygroundError], int, str, str | None], ...] = (
    (ShareTaken, 429, "rate_limit_error", "rate_limit_exceeded"),
    (Busy, 503, "server_error", "overloaded"),
    (ModelError, 503, "server_error", "model_not_loaded"),
    (Stopped, 503, "server_error", "stopped"),
    (Refused, 400, INVALID, "unsupported_value"),
    (InvalidRequest, 400, INVALID, "invalid_value"),
    (PlaygroundError, 400, INVALID, None),
)
KINDS: Mapping[str, type[PlaygroundError]] = {kind.__name__: kind for kind, *_ in _KINDS}
"""Our errors by the name that travels with them."""


class ApiError(Exception):
    """An answer that is an error; `body` is the whole of it."""

    def __init__(
        self,
        status: int,
        message: Text,
        *,
        kind: str = INVALID,
        param: str | None = None,
        code: str | None = None,
        retry: int | None = None,
        own: Mapping[str, Any] | None = None,
    ) -> None:
        super().__init__(message.en)
        self.status = status
        self.headers = {} if retry is None else {"Retry-After": str(retry)}
        error = {"message": message.en, "type": kind, "param": param, "code": code, "message_zh": message.zh}
        self.body: dict[str, Any] = {"error": error | ({"playground": own} if own else {})}

    def response(self) -> Response:
        return JSONResponse(self.body, self.status, self.headers)

    def event(self) -> bytes:
        """The same in the midst of a stream."""
        return b"data: " + json.dumps(self.body, ensure_ascii=False).encode() + b"\n\n"


def error_of(error: BaseException, names: Mapping[str, str] | None = None) -> ApiError:
    """What to answer for this error. `names` are the fields of the body by the parameters that they set."""
    if isinstance(error, ApiError):
        return error
    if not isinstance(error, PlaygroundError):
        log.error("An answer of the API failed", exc_info=error)
        return ApiError(500, FAILED, kind="server_error")
    own = next(kind for kind, *_ in _KINDS if isinstance(error, kind))
    _, status, kind, code = next(one for one in _KINDS if one[0] is own)
    parameter = error.parameter if isinstance(error, InvalidRequest) else None
    return ApiError(
        status,
        Text(error.say("en"), error.say("zh")),
        kind=kind,
        param=None if parameter is None else (names or {}).get(parameter, parameter),
        code=code,
        retry=RETRY_S if status in (429, 503) else None,
        own={
            "kind": own.__name__,
            "message": {"en": error.message.en, "zh": error.message.zh},
            "hint": None if error.hint is None else {"en": error.hint.en, "zh": error.hint.zh},
            "parameter": parameter,
        },
    )


def bad(message: Text, param: str | None = None, code: str = "invalid_value") -> ApiError:
    """A request that cannot be taken."""
    return ApiError(400, message, param=param, code=code)


def unknown_model(name: str, known: Sequence[str]) -> ApiError:
    """Another model than those that are loaded, which are known by these names."""
    shown, loaded = name[:100], [repr(one) for one in known]
    are = "are" if len(loaded) > 1 else "is"
    return ApiError(
        404,
        Text(
            f"The model {shown!r} is not loaded here; {', '.join(loaded)} {are}. "
            "Leave the field out, or write default.",
            f"此处没有加载模型 {shown!r}，已加载的是 {'、'.join(loaded)}。可省略该字段，或写 default。",
        ),
        param="model",
        code="model_not_found",
    )


def not_found(path: str) -> ApiError:
    """Nothing is at this path."""
    shown = path[:100]
    return ApiError(
        404,
        Text(
            f"There is nothing at {shown!r}; docs/api.md lists the paths.",
            f"路径 {shown!r} 不存在；路径列表见 docs/api.md。",
        ),
        code="unknown_url",
    )
