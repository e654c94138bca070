"""What one Playground asks another: a run with all its Steps, and every question of `inspection/inspect_api.py`.

A body is `{"version": 2, …}` with the function's arguments by name, an answer `{"version": 2, "answer": …}`. Knows no
transport.
"""

from __future__ import annotations

import inspect
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from typing import Any

from playground import generate, parameters, visitor, wire_format
from playground.inspection import inspect_api
from playground.openai_api.api_error import ApiError, bad, not_found
from playground.openai_api.model_list import model_name
from playground.run import Run
from playground.settings import Limits
from playground.types import Generator, ModelCard, Request, Step, Text

PREFIX = "/v1/playground"
_MOST_ID = 100
_FIELDS = (
    "prompt",
    "system",
    "prefill",
    "mode",
    "path",
    "turns",
    "special_tokens",
    "written",
    "watched",
    "trace",
    "keep",
)
_TYPES: Mapping[str, tuple[type, ...]] = {
    "run_id": (str,), "row": (int,), "position": (int,), "start": (int,), "stop": (int,), "count": (int,),
    "token_id": (int,), "prompt": (str,), "text": (str,), "acts": (bool,), "session": (str,),
    "search": (int, str, type(None)), "values": (dict, type(None)), "request": (dict,), "known": (list,),
}  # fmt: skip


def request_of(body: object) -> Request:
    """The Request that a run is asked for with. Raises ApiError or InvalidRequest."""
    given = _versioned(body)
    _no_others(given, ("request",))
    return _request(given.get("request"))


def model_of(body: object) -> tuple[str, object]:
    """Which loaded model a body asks, "" for the current one, and the body without it. Raises ApiError."""
    if not isinstance(body, dict) or "model" not in body:
        return "", body
    if not isinstance(body["model"], str):
        raise bad(Text("model is of a wrong type.", "model 的类型不正确。"), "model")
    return body["model"], {name: value for name, value in body.items() if name != "model"}


def begun(run: Run) -> dict[str, Any]:
    """The first event of a run: what was known before its first token."""
    return {
        "version": wire_format.VERSION,
        "run": run.request.keep,
        "seed": run.request.values["seed"],
        "prompt_tokens": run.prompt_tokens,
        "weights": run.weights,
        "notice": wire_format.encode(run.notice),
    }


class SentSteps:
    """Which Steps of a run were sent. A Step that takes others back is sent with what it takes back."""

    def __init__(self) -> None:
        self.began = False
        self._sent: list[list[Step]] = []  # by row, those that the other side has

    def news(self, run: Run) -> list[dict[str, Any]]:
        """Those of all candidates that are new, as JSON."""
        self._sent = self._sent or [[] for _ in run.candidates]
        return [one for row in range(len(run.candidates)) for one in self._row(run, row)]

    def _row(self, run: Run, row: int) -> list[dict[str, Any]]:
        sent, steps = self._sent[row], run.candidates[row].steps
        least = min(len(sent), len(steps))
        same = next((at for at in range(least) if sent[at] is not steps[at]), least)
        gone = len(sent) - same
        found = [replace(step, retract=0) for step in steps[same:]]
        if gone and found:
            found[0] = replace(found[0], retract=gone)
        elif gone:
            return []  # the Step that took them back comes with the next look
        self._sent[row] = list(steps)
        return [wire_format.encode(step) for step in found]


def question(
    path: str,
    body: object,
    generator: Generator,
    limits: Limits,
    halted: Callable[[], bool],
    *,
    public: bool,
) -> Callable[[], dict[str, Any]]:
    """What answers the question at this path, in a thread. Raises ApiError for a body that is none."""
    name = path.removeprefix(f"{PREFIX}/")
    function = _QUESTIONS.get(name)
    if function is None:
        raise not_found(path)
    given = _versioned(body)
    wanted = [one for one in inspect.signature(function).parameters if one not in _SERVERS]
    _no_others(given, wanted)
    for argument in wanted:
        if argument in given and not _is_of(given[argument], _TYPES[argument]):
            raise bad(Text(f"{argument} is of a wrong type.", f"{argument} 的类型不正确。"), argument)
    own = {"generator": generator, "limits": limits, "halted": halted, "public": public}
    needed = inspect.signature(function).parameters
    missing = [one for one in wanted if one not in given and needed[one].default is inspect.Parameter.empty]
    if missing:
        raise bad(Text(f"{missing[0]} is missing.", f"缺少 {missing[0]}。"), missing[0], "missing_required_parameter")

    def ask() -> dict[str, Any]:
        arguments = {one: own[one] if one in own else given[one] for one in needed if one in own or one in given}
        return {"version": wire_format.VERSION, "answer": wire_format.encode(function(**arguments))}

    return ask


_SERVERS = ("generator", "limits", "halted", "public")


def _card(generator: Generator, public: bool) -> dict[str, Any]:
    """Where the owner keeps files is nobody else's business."""
    card: ModelCard = generator.card
    if public:
        card = replace(card, folder=None, id=model_name(card))
    return {
        "name": generator.name,
        "parameters": generator.parameters,
        "paths": generator.paths,
        "fast": generator.fast,
        "traces": generator.traces,
        "tells_vocabulary": inspect_api.tells_vocabulary(generator),
        "card": card,
    }


def _render(generator: Generator, limits: Limits, request: Any) -> object:
    asked = _request(request)
    generate.check_limits(asked, limits)
    return generator.render(asked)


def _breakdown(run_id: str, row: int, position: int, values: Any = None, search: Any = None) -> object:
    return inspect_api.stage_breakdown(run_id, row, position, _values(values), search=search)


def _replay(run_id: str, row: int, values: Any) -> object:
    return inspect_api.replay(run_id, row, parameters.validate(values or {}))


def _alive(run_id: str, row: int, values: Any) -> object:
    return inspect_api.alive(run_id, row, parameters.validate(values or {}))


def _badges(run_id: str, row: int, values: Any = None) -> object:
    return inspect_api.badges(run_id, row, _values(values))


def _next_token(
    generator: Generator,
    limits: Limits,
    halted: Callable[[], bool],
    request: Any,
    values: Any = None,
    session: str = "",
    search: Any = None,
) -> object:
    asked = _request(request)
    generate.check_limits(asked, limits)
    return inspect_api.next_token(
        generator, asked, _values(values), session=_session(session), search=search, limits=limits, halted=halted
    )


def _session(name: str) -> str:
    """Of the other Playground's sessions, each in the name of who asks here: nobody looks into another's."""
    who = visitor.current()
    return f"api {who.session or who.address} {name[:_MOST_ID]}" if name else ""


def _read(
    generator: Generator, limits: Limits, halted: Callable[[], bool], prompt: str, text: str, acts: bool = False
) -> object:
    return list(inspect_api.read_on(generator, prompt, text, limits, halted, acts=acts))[-1]


def _seen(generator: Generator, limits: Limits, halted: Callable[[], bool], request: Any) -> object:
    return list(inspect_api.seen_on(generator, _request(request), limits, halted))[-1]


def _watermark(
    generator: Generator,
    limits: Limits,
    halted: Callable[[], bool],
    text: str,
    values: Any,
    acts: bool = False,
) -> object:
    return inspect_api.detect_watermark(generator, text, parameters.validate(values or {}), limits, halted, acts=acts)


def _token_logprobs(
    limits: Limits, run_id: str, row: int, start: int, stop: int, count: int, known: Sequence[str] = ()
) -> object:
    found = inspect_api.token_logprobs(run_id, row, max(0, start), stop, _count(count, limits))
    return wire_format.whole_logprobs(found, known) or found


def _prompt_logprobs(
    generator: Generator,
    limits: Limits,
    halted: Callable[[], bool],
    request: Any,
    count: int,
    known: Sequence[str] = (),
) -> object:
    found = inspect_api.prompt_logprobs(generator, _request(request), _count(count, limits), limits, halted)
    return wire_format.whole_logprobs(found, known) or found


def _forget_next(session: str) -> None:
    inspect_api.forget_next(_session(session))


def _forget(run_id: str) -> None:
    inspect_api.forget(run_id)


def _biased(generator: Generator, values: Any) -> object:
    return inspect_api.biased(generator, parameters.validate(values or {}))


def _count(count: int, limits: Limits) -> int:
    return max(0, min(count, limits.top_logprobs))


_QUESTIONS: Mapping[str, Callable[..., object]] = {
    "card": _card,
    "render": _render,
    "stage_breakdown": _breakdown,
    "replay": _replay,
    "alive": _alive,
    "badges": _badges,
    "named": lambda run_id, token_id: inspect_api.named(run_id, token_id),
    "favourites": lambda run_id, row: inspect_api.favourites(run_id, row),
    "available": lambda run_id: inspect_api.available(run_id),
    "forget": _forget,
    "next_token": _next_token,
    "forget_next": _forget_next,
    "written": lambda generator, token_id: inspect_api.written(generator, token_id),
    "biased": _biased,
    "read": _read,
    "seen": _seen,
    "detect_watermark": _watermark,
    "token_logprobs": _token_logprobs,
    "prompt_logprobs": _prompt_logprobs,
}


def _versioned(body: object) -> dict[str, Any]:
    if not isinstance(body, dict):
        raise bad(Text("The body must be a JSON object.", "请求体应为 JSON 对象。"))
    given = dict(body)
    version = given.pop("version", None)
    if version != wire_format.VERSION:
        shown = str(version)[:20]
        raise ApiError(
            400,
            Text(f"This server speaks version {wire_format.VERSION} of these questions, not {shown}.",
                 f"本服务器使用这些接口的版本 {wire_format.VERSION}，而不是 {shown}。"),
            param="version", code="unsupported_version",
        )  # fmt: skip
    return given


def _no_others(given: Mapping[str, Any], wanted: Any) -> None:
    for name in given:
        if name not in wanted:
            shown = name[:60]
            raise bad(
                Text(f"There is no field {shown!r} here.", f"此处没有名为 {shown!r} 的字段。"),
                shown,
                "unknown_parameter",
            )


def _is_of(value: object, kinds: tuple[type, ...]) -> bool:
    return isinstance(value, kinds) and not (isinstance(value, bool) and bool not in kinds)


def _values(given: Any) -> dict[str, Any] | None:
    return None if given is None else parameters.validate(given)


def _request(given: Any) -> Request:
    """A Request that another Playground has made, checked as any other."""
    if not isinstance(given, dict):
        raise bad(Text("request must be an object.", "request 应为对象。"), "request")
    _no_others(given, (*_FIELDS, "values", "task"))
    fields = {name: given[name] for name in _FIELDS if name in given}
    prompt = fields.pop("prompt", "")
    plain = {"written": str, "watched": bool, "trace": bool, "keep": bool}
    for name, kind in plain.items():
        if name in fields and type(fields[name]) is not kind:
            raise bad(Text(f"{name} is of a wrong type.", f"{name} 的类型不正确。"), name)
    fields["keep"] = inspect_api.new_run_id() if fields.pop("keep", False) else ""
    return generate.build(prompt, given.get("values") or {}, **fields)
