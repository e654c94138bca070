"""The one way in: what is refused before anything runs, limits of a public server, Stop, errors in the middle."""

import threading
import time
from collections.abc import Iterator, Mapping
from dataclasses import replace
from itertools import islice

import pytest

from playground import generate
from playground.decoding.step_stream import from_iterator
from playground.run import Run
from playground.settings import Limits
from playground.types import (
    FAILED,
    FastPath,
    InvalidRequest,
    ModelCard,
    Path,
    PlaygroundError,
    Refused,
    Rendered,
    Request,
    Source,
    Step,
    Text,
)

CARD = ModelCard("echo", "Echo", "1", 0, "fp32", 0, context=16, has_chat_template=False)


class Echo:
    """Says the prompt's characters, one a step; fails at a '!' . Small enough to see through."""

    name = "Echo"
    parameters = frozenset({"temperature", "max_new_tokens", "n", "seed", "max_time"})
    paths: frozenset[Path] = frozenset({"exact"})
    fast = FastPath(why_not=Text("No.", "没有。"))
    traces = False
    knows_tokens = True
    own_draws = True
    slots = 1
    lacks: Mapping[str, Text] = {}
    card = CARD

    def __init__(self) -> None:
        self.closed = False

    def render(self, request: Request) -> Rendered:
        return Rendered(request.prompt, tuple(map(ord, request.prompt)), CARD.context)

    def stream(self, request: Request) -> Iterator[Step]:
        try:
            for position, character in enumerate(request.prompt):
                if character == "!":
                    raise PlaygroundError(Text("It broke.", "坏了。"))
                for row in range(request.values["n"]):
                    yield Step(row, position, ord(character), character)
            for row in range(request.values["n"]):
                yield Step(row, len(request.prompt), None, "", finish="end")
        finally:
            self.closed = True

    def open(self, request: Request, cancelled: threading.Event) -> Source:
        return from_iterator(self.stream(request), cancelled)


def last(runs: Iterator[Run]) -> Run:
    return list(runs)[-1]


def test_a_run_gathers_every_row() -> None:
    run = last(generate.run(generate.build("abc", {"n": 2, "seed": 7}), Echo()))
    assert [(c.text, c.seed, c.finish_reason) for c in run.candidates] == [("abc", 7, "end"), ("abc", 8, "end")]
    assert run.as_json()["candidates"][1]["token_ids"] == [97, 98, 99]


def test_a_fresh_seed_is_drawn_and_told() -> None:
    seeds = {generate.build("a").values["seed"] for _ in range(8)}
    assert len(seeds) > 1 and min(seeds) >= 0


@pytest.mark.parametrize(
    ("prompt", "word"),
    [("", "empty"), (" \n\t", "empty"), ("a\x00b", "U+0000"), ("a\ud800b", "surrogate"), ("bell\x07", "U+0007")],
)
def test_an_unreadable_prompt_is_one_sentence(prompt: str, word: str) -> None:
    with pytest.raises(InvalidRequest, match=word.replace("+", r"\+")) as caught:
        generate.build(prompt)
    assert caught.value.parameter == "prompt"
    assert caught.value.say("zh") != caught.value.say("en")


def test_what_a_generator_does_not_honour_is_refused_by_name() -> None:
    with pytest.raises(Refused, match="top_p") as caught:
        list(generate.run(generate.build("abc", {"top_p": 0.5}), Echo()))
    assert caught.value.parameter == "top_p"
    with pytest.raises(Refused, match="fast"):
        list(generate.run(generate.build("abc", path="fast"), Echo()))


def test_a_prompt_beyond_the_context_is_refused_with_both_numbers() -> None:
    echo = Echo()
    with pytest.raises(Refused, match=r"17.*16"):
        list(generate.run(generate.build("x" * 17), echo))
    assert not echo.closed, "nothing may have run"


def test_a_context_that_will_fill_up_is_announced_before_the_run() -> None:
    first = next(generate.run(generate.build("abcdefgh", {"max_new_tokens": 100}), Echo()))
    assert first.notice is not None and "8" in first.notice.en and "100" in first.notice.en


@pytest.mark.parametrize(
    ("limits", "name"),
    [
        (Limits(max_new_tokens=10), "max_new_tokens"),
        (Limits(candidates=1), "n"),
        (Limits(prompt_characters=2), "prompt"),
    ],
)
def test_a_public_server_refuses_what_goes_beyond_its_caps(limits: Limits, name: str) -> None:
    request = generate.build("abc", {"n": 2, "max_new_tokens": 20})
    with pytest.raises(Refused) as caught:
        list(generate.run(request, Echo(), limits))
    assert caught.value.parameter == name


def test_a_public_server_bounds_the_time_of_every_run() -> None:
    request = generate.build("abc")
    assert generate.within_time(request, Limits(max_seconds=30)).values["max_time"] == 30
    brief = replace(request, values={**request.values, "max_time": 5.0})
    assert generate.within_time(brief, Limits(max_seconds=30)).values["max_time"] == 5.0


def test_stop_keeps_the_text_and_closes_the_generator() -> None:
    echo, cancelled = Echo(), threading.Event()
    runs = generate.run(generate.build("abcdef"), echo, cancelled=cancelled)
    next(runs), next(runs), next(runs), next(runs)
    cancelled.set()
    run = list(runs)[-1]
    assert (run.candidates[0].text, run.candidates[0].finish_reason) == ("abc", "stopped")
    assert echo.closed


def test_closing_the_run_closes_the_generator() -> None:
    echo = Echo()
    runs = generate.run(generate.build("abcdef"), echo)
    next(runs), next(runs)
    runs.close()  # type: ignore[attr-defined]
    assert echo.closed


def test_an_error_in_the_middle_keeps_what_was_written() -> None:
    run = last(generate.run(generate.build("ab!c"), Echo()))
    assert (run.candidates[0].text, run.candidates[0].finish_reason) == ("ab", "error")
    assert run.error is not None and run.error.zh == "坏了。"
    assert run.as_json()["candidates"][0]["reason"] == {"en": run.error.en, "zh": "坏了。"}


def test_what_nobody_foresaw_is_one_calm_sentence_and_keeps_what_was_written(
    caplog: pytest.LogCaptureFixture,
) -> None:
    class Bad(Echo):
        def stream(self, request: Request) -> Iterator[Step]:
            yield from islice(super().stream(request), 2)
            raise ZeroDivisionError("/secret/path")

    told = gathered(generate.Gathering(generate.build("abcd"), Bad(), Limits(), threading.Event()))
    waited = last(generate.run(generate.build("abcd"), Bad()))
    for run in (told, waited):
        assert (run.candidates[0].text, run.candidates[0].finish_reason) == ("ab", "error")
        assert run.candidates[0].reason == run.error == FAILED
    assert caplog.text.count("ZeroDivisionError") == 2


def test_stop_while_the_prompt_is_read_ends_the_run() -> None:
    class Reading(Echo):
        """Yields nothing until it is cancelled."""

        def open(self, request: Request, cancelled: threading.Event) -> Source:
            def read() -> Iterator[Step]:
                cancelled.wait()
                yield from ()

            return from_iterator(read(), cancelled)

    cancelled = threading.Event()
    runs = generate.run(generate.build("abcd"), Reading(), cancelled=cancelled)
    next(runs)
    threading.Timer(0.05, cancelled.set).start()
    assert last(runs).candidates[0].finish_reason == "stopped"


def gathered(gathering: generate.Gathering) -> Run:
    while not gathering.over:
        gathering.poll()
        time.sleep(0.002)
    return gathering.run


@pytest.mark.parametrize("prompt", ["abc", "ab!c"])
def test_a_reader_who_never_waits_gathers_the_same_run(prompt: str) -> None:
    request = generate.build(prompt, {"n": 2, "seed": 7})
    told = gathered(generate.Gathering(request, Echo(), Limits(), threading.Event()))
    waited = last(generate.run(request, Echo()))
    assert told.as_json()["candidates"] == waited.as_json()["candidates"]
    assert told.error == waited.error and told.finished


def test_a_cancelled_run_keeps_its_text_and_closes_the_generator() -> None:
    echo, cancelled = Echo(), threading.Event()
    cancelled.set()
    run = gathered(generate.Gathering(generate.build("abcdef"), echo, Limits(), cancelled))
    assert (run.candidates[0].text, run.candidates[0].finish_reason) == ("a", "stopped")
    assert echo.closed
