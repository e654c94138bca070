"""The only way in: a Request is checked, streamed from a generator, and gathered into a Run.

Page, terminal and API all come through here. Knows no page and no model library.
"""

from __future__ import annotations

import secrets
import threading
import time
from collections.abc import Iterator, Mapping
from dataclasses import replace
from functools import partial
from typing import Any

from playground import parameters
from playground.conversation import characters, turns_of
from playground.decoding.failures import why
from playground.field_titles import field_title
from playground.generators.checks import check_request, check_room, lacking, without_lacking
from playground.parameters.inert import check_combination, effective, ignored
from playground.run import Candidate, Run
from playground.settings import Limits
from playground.tasks import loader
from playground.tasks.output import value_of
from playground.thinking import opened_after, split_reasoning
from playground.types import LANGUAGES, FinishReason, Generator, InvalidRequest, Refused, Request, Step, Text, Wait

FRESH_SEED = -1
_LOOK = 0.005  # seconds between looks for new Steps
_SEED_BITS = 31  # small enough to read aloud and to survive JavaScript's numbers

_GUESSES = "prompt_lookup_num_tokens"  # shapes no text, so nobody would see that it did nothing
_UNREADABLE = {chr(code) for code in (*range(0x20), 0x7F)} - {"\n", "\t", "\r"}


def build(prompt: str, given: Mapping[str, Any] | None = None, **fields: Any) -> Request:
    """A Request from whatever a terminal, a link or a client sent: every value checked, every text readable."""
    turns = turns_of(fields.pop("turns", ()))
    request = Request(prompt=prompt, values=parameters.validate(given or {}), turns=turns, **fields)
    return checked(request)


def of_task(
    task: str,
    fields: Mapping[str, str],
    language: Any,
    mode: Any,
    given: Mapping[str, Any],
    path: Any = "exact",
    **others: Any,
) -> Request:
    """A Request for a task; `given` replaces its own parameters one by one.

    Raises InvalidRequest for an unknown task, field or language, and where one of `others` (what belongs to a prompt
    only) is set.
    """
    for name, value in others.items():
        if value:
            raise InvalidRequest(
                _about(name, "{title}: this does not go with a task.", "{title}：不能与任务一起用。"),
                Text("Leave out one of the two.", "请去掉其中之一。"),
                parameter=name,
            )
    if language not in LANGUAGES:
        raise InvalidRequest(Text("language must be en or zh.", "language 应为 en 或 zh。"), parameter="language")
    if not isinstance(task, str) or not isinstance(fields, Mapping):
        raise InvalidRequest(
            Text("task must be a text, and fields texts by name.", "task 应为文本，fields 应为“名称: 文本”。"),
            parameter="task",
        )
    _check_mode(mode)
    return checked(replace(loader.find(task).request(fields, language, mode, given), path=path))


def checked(request: Request) -> Request:
    """The request with a seed of its own, or InvalidRequest. Texts are taken as they are or not at all."""
    check_texts(request)
    if not isinstance(request.special_tokens, bool):
        raise InvalidRequest(
            _about("special_tokens", "{title}: this must be true or false.", "{title}：此处应为 true 或 false。"),
            parameter="special_tokens",
        )
    _check_mode(request.mode)
    if request.path not in ("exact", "fast"):
        raise InvalidRequest(Text("path must be exact or fast.", "path 应为 exact 或 fast。"), parameter="path")
    if not (request.prompt.strip() or request.prefill.strip()):
        raise InvalidRequest(
            Text("The prompt is empty.", "提示词为空。"),
            Text("Write something for the model to continue.", "请写一些内容让模型接着写。"),
            parameter="prompt",
        )
    check_combination(request.values)
    if request.values["seed"] != FRESH_SEED:
        return request
    return replace(request, values={**request.values, "seed": secrets.randbits(_SEED_BITS)})


def _check_mode(mode: object) -> None:
    if mode not in ("chat", "complete"):
        raise InvalidRequest(Text("mode must be chat or complete.", "mode 应为 chat 或 complete。"), parameter="mode")


def check_texts(request: Request) -> None:
    """Checks prompt, system, prefill and turns as `check_text` does."""
    for name in ("prompt", "system", "prefill"):
        check_text(name, getattr(request, name))
    for _, text in turns_of(request.turns):
        check_text("turns", text)


def _about(name: str, en: str, zh: str, title: Text | None = None) -> Text:
    """A sentence about a field of a request, by its title."""
    return Text(en, zh).filled(title=title or field_title(name))


def check_text(name: str, text: object, title: Text | None = None) -> None:
    """Raises InvalidRequest where the parameter `name` is no text, or holds a lone surrogate or control characters;
    it is called `title`, where that is given."""
    said = partial(_about, name, title=title)
    if not isinstance(text, str):
        raise InvalidRequest(said("{title} must be a text.", "{title}应为文本。"), parameter=name)
    try:
        text.encode("utf-8")
    except UnicodeEncodeError:
        raise InvalidRequest(
            said("{title} holds half a character (a lone surrogate).", "{title}含有不完整的字符（孤立代理项）。"),
            Text("Paste the text again, or type that place anew.", "请重新粘贴文本，或重新输入该处。"),
            parameter=name,
        ) from None
    found = next((character for character in text if character in _UNREADABLE), None)
    if found is not None:
        place = text.index(found)
        raise InvalidRequest(
            said(
                f"{{title}} holds the control character U+{ord(found):04X} at position {place + 1}.",
                f"{{title}}的第 {place + 1} 个字符是控制字符 U+{ord(found):04X}。",
            ),
            Text("Remove it.", "请删除它。"),
            parameter=name,
        )


def check_limits(request: Request, limits: Limits) -> None:
    """What this server allows one visitor; raises Refused naming the parameter and the cap."""
    values = request.values
    for name, cap in (
        ("max_new_tokens", limits.max_new_tokens),
        ("n", limits.candidates),
        ("num_beams", limits.num_beams),
    ):
        if values[name] > cap:
            raise Refused(
                Text(
                    f"{parameters.title_of(name).en} is {values[name]:,}; this server allows at most {cap:,}.",
                    f"{parameters.title_of(name).zh}为 {values[name]:,}，本服务器最多允许 {cap:,}。",
                ),
                parameter=name,
            )
    length = characters(request)
    if length > limits.prompt_characters:
        raise Refused(
            Text(
                f"The prompt has {length:,} characters; this server allows at most {limits.prompt_characters:,}.",
                f"提示词有 {length:,} 个字符，本服务器最多允许 {limits.prompt_characters:,} 个。",
            ),
            Text("Shorten it.", "请缩短它。"),
            parameter="prompt",
        )


def within_time(request: Request, limits: Limits) -> Request:
    """A public server ends every run after `max_seconds`, whatever max_time asks for."""
    asked = request.values["max_time"]
    if not limits.max_seconds or 0 < asked <= limits.max_seconds:
        return request
    return replace(request, values={**request.values, "max_time": limits.max_seconds})


def check_generator(request: Request, generator: Generator) -> None:
    """Raises Refused, with the parameter's name, for whatever this generator does not honour; nothing is dropped."""
    foreign = [name for name in parameters.changed(request.values) if name not in generator.parameters]
    if foreign:
        raise Refused(
            lacking(generator)[foreign[0]], Text("Set it back to neutral.", "请把它调回中性值。"), parameter=foreign[0]
        )
    check_request(request, generator.card, generator.paths)


def prepare(request: Request, generator: Generator, limits: Limits | None = None) -> Run:
    """Everything that can be refused is refused here, before the model runs."""
    check_texts(request)
    if limits is not None:
        check_limits(request, limits)
        request = within_time(request, limits)
    request, lacking_of_task = without_lacking(checked(request), generator)
    check_generator(request, generator)
    rendered = generator.render(request)
    used, asked = len(rendered.token_ids), request.values["max_new_tokens"]
    check_room(rendered, generator.card.title)
    run = Run(
        request=request,
        model=generator.card.id,
        dtype=generator.card.dtype,
        prompt_tokens=used,
        candidates=[
            Candidate(seed=request.values["seed"] + row, at_once=request.values["num_beams"] > 1)
            for row in range(request.values["n"])
        ],
        guesses=effective(request.values, path=request.path)[_GUESSES] > 0,
        thinks=rendered.thinks,
        split=partial(_split, opened_after(request.prefill, rendered.thinks)) if request.mode == "chat" else None,
        value_of=value_of if request.values["json_schema"] else None,
        card=generator.card,
    )
    if request.path == "fast":
        run.weights = generator.fast.weights
    run.notice = _joined(rendered.notice, lacking_of_task, _in_vain(request), _cut(asked, rendered.context - used))
    return run


def _split(opened: bool | str, text: str) -> tuple[str, str]:
    parsed = split_reasoning(text, opened=opened)
    return parsed.thought, parsed.answer


def _cut(asked: int, room: int) -> Text | None:
    if asked <= room:
        return None
    return Text(
        f"The prompt leaves room for {room:,} of the {asked:,} tokens asked for; the text ends there.",
        f"提示词之后只剩 {room:,} 个词元的空间（要求 {asked:,} 个），文本会在那里结束。",
    )


def _joined(*notices: Text | None) -> Text | None:
    said = [one for one in notices if one is not None]
    return Text(" ".join(one.en for one in said), "".join(one.zh for one in said)) if said else None


def _in_vain(request: Request) -> Text | None:
    reason = ignored(request.values, path=request.path).get(_GUESSES)
    if reason is None:
        return None
    label = parameters.by_name()[_GUESSES].label
    return Text(f"{label.en}: {reason.en}", f"{label.zh}：{reason.zh}")


def run(
    request: Request,
    generator: Generator,
    limits: Limits | None = None,
    cancelled: threading.Event | None = None,
) -> Iterator[Run]:
    """Yields the one growing Run, first before any token, then after each Step.

    Raises PlaygroundError before anything runs where the request cannot be honoured. When `cancelled` is set, the
    rows that still run end as "stopped" within one token and keep their text.
    """
    gathered = prepare(request, generator, limits)
    yield gathered
    steps = generator.stream(gathered.request) if cancelled is None else _steps(gathered.request, generator, cancelled)
    try:
        for step in steps:
            gathered.add(step)
            yield gathered
            if cancelled is not None and cancelled.is_set():
                break
    except Exception as error:  # noqa: BLE001 - reported with the texts so far, which must not be lost
        gathered.error = why(error)
    finally:
        close = getattr(steps, "close", None)
        if close is not None:
            close()
    if not gathered.finished:
        _end(gathered)
    yield gathered


def _steps(request: Request, generator: Generator, cancelled: threading.Event) -> Iterator[Step]:
    """Steps that end soon after they are cancelled, also while the prompt is read."""
    source, whole = generator.open(request, cancelled), False
    try:
        while not source.over:
            yield from (step for _, step in source.poll())
            time.sleep(_LOOK)
        whole = True
    finally:
        if not whole:
            cancelled.set()
            while not source.ended:  # what was being done is not left behind
                time.sleep(_LOOK)


class Gathering:
    """A Run that grows beside its reader, who looks from time to time and never waits.

    Whatever is refused is refused by making one, which reads the prompt and so takes a while. Once `cancelled` is set,
    by anybody, the rows that still run end as "stopped" within one token and keep their text.
    """

    def __init__(
        self, request: Request, generator: Generator, limits: Limits | None, cancelled: threading.Event
    ) -> None:
        self.run = prepare(request, generator, limits)
        self._source = generator.open(self.run.request, cancelled)

    @property
    def over(self) -> bool:
        """Whether nothing of the Run will change any more."""
        return self._source.over

    @property
    def ended(self) -> bool:
        """Whether the generator has sent everything, taken in or not."""
        return self._source.ended

    @property
    def begun(self) -> bool:
        """Whether anything was written yet."""
        return any(candidate.generated for candidate in self.run.candidates)

    def wait(self) -> Wait | None:
        """The place in the generator's own line; None once the run has begun."""
        return self._source.place()

    def poll(self) -> bool:
        """Takes in what has come; False where that is nothing."""
        try:
            steps = self._source.poll()
        except Exception as error:  # noqa: BLE001 - reported with the texts so far, which must not be lost
            steps, self.run.error = [], why(error)
        for moment, step in steps:
            self.run.add(step, moment)
        if self.over and not self.run.finished:
            _end(self.run)
        return bool(steps) or self.over


def _end(gathered: Run) -> None:
    """Rows without an end of their own were stopped, or ended with what went wrong for all."""
    finish: FinishReason = "stopped" if gathered.error is None else "error"
    for row, candidate in enumerate(gathered.candidates):
        if candidate.finish_reason is None:
            place = len(candidate.token_ids)
            gathered.add(Step(row, place, None, "", finish=finish, reason=gathered.error))
