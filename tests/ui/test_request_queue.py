"""Promises of the waiting line, the stop switches, the pace of updates and the word list; no browser needed."""

from __future__ import annotations

import re
import threading
from collections.abc import AsyncIterator
from contextlib import aclosing
from typing import Any

import pytest

from playground import parameters
from playground.generators.scripted import ScriptedGenerator
from playground.run import Candidate, Run
from playground.settings import Limits, Settings
from playground.types import Busy, Path, Request, Step, Wait
from playground.ui import api
from playground.ui.element import ASSETS
from playground.ui.model_host import ModelHost
from playground.ui.page_files import SCRIPTS
from playground.ui.page_texts import WORDS, text_table
from playground.ui.request_queue import RequestQueue, StopSwitches, Ticket
from playground.ui.run_stream import WaitState, pace, queue_position, stream_run
from playground.ui.server_texts import STOPPING
from playground.visitor import Visitor, address_of
from tests.failing import REASON, Failing
from tests.own_loop import in_own_loop
from tests.ui.conftest import heard


def asked(path: Path = "exact", tokens: int = 100) -> Request:
    return Request("Once", parameters.validate({"max_new_tokens": tokens}), path=path)


def ahead(queue: RequestQueue, ticket: Ticket) -> int:
    wait = queue.wait(ticket)
    return 0 if wait is None else wait.ahead


def running(ticket: Ticket, tokens: int, seconds: float) -> None:
    """Gives a ticket a run that has written so many tokens, evenly over these seconds."""
    run = Run(asked(), "m", "fp32", 1, [Candidate(seed=0)])
    for at in range(tokens):
        run.add(Step(0, at, at, "x"), run.started + seconds * at / (tokens - 1))
    ticket.run = run


def test_who_comes_first_runs_first_and_the_rest_move_up() -> None:
    queue = RequestQueue(Limits(running=1, waiting=2))
    first, second, third = queue.join(), queue.join(), queue.join()
    assert [ahead(queue, ticket) for ticket in (first, second, third)] == [0, 1, 2]
    queue.leave(second)
    assert [ahead(queue, ticket) for ticket in (first, third)] == [0, 1]
    queue.leave(first)
    assert ahead(queue, third) == 0


def test_a_full_line_says_so_and_has_room_again_once_somebody_leaves() -> None:
    queue = RequestQueue(Limits(running=1, waiting=1))
    first, _ = queue.join(), queue.join()
    with pytest.raises(Busy):
        queue.join()
    queue.leave(first)
    queue.leave(first)  # leaving twice takes nobody else's place
    queue.join()
    with pytest.raises(Busy):
        queue.join()


def test_a_visitor_takes_his_share_of_the_line_and_no_more() -> None:
    queue = RequestQueue(Limits(running=2, waiting=6, session_share=25, address_share=50))
    mine = Visitor("me", "10.0.0.1")
    places = [queue.join(None, mine), queue.join(None, mine)]
    with pytest.raises(Busy, match="one visitor"):
        queue.join(None, mine)
    places += [queue.join(None, Visitor("other tab", "10.0.0.1")) for _ in range(2)]
    with pytest.raises(Busy, match="one visitor"):
        queue.join(None, Visitor("third tab", "10.0.0.1"))
    queue.join(None, Visitor("you", "10.0.0.2"))
    queue.leave(places[0])
    queue.join(None, mine)
    assert Visitor().fits([Visitor()] * 9, (1, 1)), "what is not known is nobody's"
    assert address_of("2001:db8:1:2:3::9") == address_of("2001:db8:1:2::1") != address_of("2001:db8:1:3::1")
    assert address_of("::ffff:10.0.0.1") == "10.0.0.1" and address_of(None) == ""


def test_the_last_place_on_the_exact_path_is_for_who_has_none() -> None:
    queue = RequestQueue(Limits(running=3, waiting=8, session_share=50, address_share=75))
    mine = [queue.join(None, Visitor(f"tab {number}", "10.0.0.1")) for number in range(4)]
    assert [queue.wait(one) is None for one in mine] == [True, True, False, False]
    yours = queue.join(None, Visitor("you", "10.0.0.2"))
    assert queue.wait(yours) is None
    queue.leave(mine[0])
    assert queue.wait(mine[2]) is None and queue.wait(mine[3]) is not None
    alone = RequestQueue(Limits(running=3, waiting=8))
    assert [alone.wait(alone.join(None, Visitor("tab", "10.0.0.1"))) for _ in range(3)] == [None] * 3


def test_where_the_server_ends_a_run_ends_with_its_text_and_who_waits_is_told() -> None:
    host = ModelHost(Settings(), lambda _settings, _report: ScriptedGenerator(["One two three " * 50], delay=0.02))
    queue = RequestQueue(Limits(running=1, waiting=1))
    host.start()

    async def stopped() -> list[Any]:
        states: list[Any] = []
        async with aclosing(stream_run(lambda _: asked(), host, queue, threading.Event())) as told:
            async for state in told:
                states.append(state)
                if isinstance(state, Run) and state.candidates[0].generated > 2:
                    host.stopping.set()
        return states

    last = in_own_loop(stopped)[-1]
    assert last.candidates[0].finish_reason == "stopped" and last.notice == STOPPING
    assert last.candidates[0].text.startswith("One two")
    queue.join()
    with pytest.raises(Busy, match="being stopped"):
        heard(stream_run(lambda _: asked(), host, queue, threading.Event()))


def test_a_switch_stops_only_its_own_session_and_a_new_run_stops_the_one_before() -> None:
    switches = StopSwitches()
    mine, yours = switches.begin("me"), switches.begin("you")
    again = switches.begin("me")
    assert mine.is_set() and not again.is_set()
    switches.end("me", mine)  # the old run's end must not take the new run's switch away
    switches.stop("me")
    assert again.is_set() and not yours.is_set()


def test_the_time_in_line_comes_from_what_runs_and_is_not_told_where_nothing_is_known() -> None:
    queue = RequestQueue(Limits(running=2, waiting=3))
    first, second, third, fourth = (queue.join(asked()) for _ in range(4))
    assert queue.wait(third) == Wait(1, None)
    running(first, tokens=41, seconds=4.0)  # 59 left, a tenth of a second each
    running(second, tokens=21, seconds=2.0)  # 79 left
    assert queue.wait(second) is None
    assert [queue_position(wait).en for wait in (queue.wait(third), queue.wait(fourth)) if wait] == [
        "In line: 1 ahead of you, about 6 s",
        "In line: 2 ahead of you, about 8 s",
    ]
    assert queue_position(Wait(2, 12.3)).en == "In line: 2 ahead of you, about 12 s"
    assert queue_position(Wait(2, 600.0)).zh == "排队中：前面还有 2 个，约 10 分钟"
    assert queue_position(Wait(1, None)).en == "In line: 1 ahead of you"


def test_fast_runs_share_a_batch_and_only_those_it_has_no_room_for_wait_in_line() -> None:
    queue = RequestQueue(Limits(running=1, waiting=2), rows=8)
    fast = [queue.join(asked("fast")) for _ in range(8)]
    assert all(queue.wait(one) is None for one in fast)
    assert queue.wait(queue.join(asked())) is None, "an exact run does not wait for fast ones"
    fast[6].waits = fast[7].waits = True
    with pytest.raises(Busy):
        queue.join(asked("fast"))
    fast[7].waits = False
    queue.join(asked("fast"))


def heard_once_free(queue: RequestQueue, before: Ticket, told: AsyncIterator[Any]) -> list[Any]:
    """All that is told to somebody who waits until `before` has left: which it does once he was told so."""

    async def listen() -> list[Any]:
        found = []
        async for one in told:
            if "ahead of you" in str(one) or "前面" in str(one):
                queue.leave(before)
            found.append(one)
        return found

    return in_own_loop(listen)


def test_an_answer_is_the_growing_run_and_always_its_last_state() -> None:
    host = ModelHost(
        Settings(), lambda _settings, _report: ScriptedGenerator(["One two three four five."], delay=0.005)
    )
    queue = RequestQueue(Limits(running=1, waiting=1))
    before, cancelled = queue.join(), threading.Event()
    host.start()
    states = heard_once_free(queue, before, stream_run(lambda _: asked(), host, queue, cancelled))
    assert any(isinstance(state, WaitState) and "ahead of you" in state.reason.en for state in states)
    assert isinstance(states[-1], Run) and states[-1].candidates[0].text == "One two three four five."
    assert states[-1].candidates[0].finish_reason == "end" and len(queue) == 0 and cancelled.is_set()


def test_many_streams_are_told_less_often_each() -> None:
    assert pace(1) == pace(4) < pace(16) < 1


IMPORTS_T = re.compile(r'import \{[^}]*\bt\b[^}]*\} from "[./\w]*/words\.js"')  # another t is that of a token view


def test_every_word_that_a_script_or_template_asks_for_exists_in_both_languages() -> None:
    known = text_table()
    asked = set()
    for path in (*SCRIPTS.rglob("*.js"), *ASSETS.glob("*.js"), *ASSETS.glob("*.html")):
        source = path.read_text(encoding="utf-8")
        if IMPORTS_T.search(source):
            asked |= set(re.findall(r'[^\w.]t\(\s*"(\w+)"', source))
        asked |= set(re.findall(r'(?:pg\.t\(\s*|data-t(?:-\w+)?=)"(\w+)"', source))
    assert asked and asked <= set(known)
    for words in known.values():
        assert words["en"].strip() and words["zh"].strip()


def test_no_word_is_left_over() -> None:
    paths = (*SCRIPTS.rglob("*.js"), *ASSETS.glob("*.js"), *ASSETS.glob("*.html"))
    sources = "".join(path.read_text(encoding="utf-8") for path in paths)
    built = re.findall(r"\bt\(`(\w*)\$\{[^}]*\}(\w*)`", sources)  # named by what stands in a variable
    # What was done to a card is named by its deed alone: did_edit as "edit".
    unused = [key for key in WORDS if f'"{key.removeprefix("did_")}"' not in sources]
    unused = [key for key in unused if not any(key.startswith(first) and key.endswith(last) for first, last in built)]
    assert unused == [], "nobody asks for these words"


def test_the_endpoint_tells_a_text_that_failed_beside_the_others_with_its_reason() -> None:
    host = ModelHost(Settings(), lambda _settings, _report: Failing(["an old ferry", "a lamp at night"], fails_at=1))
    host.start()
    assert host.wait(10)
    given = {**api._defaults(), "prompt": "A harbour", "n": 2, "seed": 0}
    last = heard(api.endpoint(host, RequestQueue(Limits()))(*given.values()))[-1]
    assert [one["text"] for one in last["candidates"]] == ["an old ferry", "a lamp"]
    assert [one["reason"] for one in last["candidates"]] == [None, {"en": REASON.en, "zh": REASON.zh}]


def test_the_endpoint_says_what_a_run_waits_for() -> None:
    host = ModelHost(Settings(), lambda _settings, _report: ScriptedGenerator(["One two", "Three"]))
    queue = RequestQueue(Limits(running=1, waiting=2))
    before = queue.join()
    host.start()
    assert host.wait(10)
    given = {**api._defaults(), "prompt": "A harbour", "n": 2, "seed": 0, "language": "zh"}
    first, *_, last = heard_once_free(queue, before, api.endpoint(host, queue)(*given.values()))
    assert "前面" in first["waiting"] and [one["delta"] for one in first["candidates"]] == ["", ""]
    assert "waiting" not in last and last["candidates"][0]["text"] == "One two"
