"""Real clients of a real page, timed in a process of their own: what they ask for, what they get, what goes wrong."""

from __future__ import annotations

from benchmarks import load
from benchmarks.clients import Clients
from benchmarks.figure import share
from benchmarks.served import reached


def test_sessions_ask_again_until_the_time_is_up(scripted: str) -> None:
    found = load.load(scripted, 2, seconds=5.0, path="exact")
    assert found.errors == [] and found.growth is None
    assert {answer.session for answer in found.answers} == {0, 1} and len(found.answers) > 2
    assert found.rate > 0 and 0 < share(found.waits, 0.5) < 20 and min(found.gaps) > 0
    assert "tokens/s" in load.heading("sessions") and load.line("2", found).split()[0] == "2"


def test_tokens_are_those_that_arrive_and_a_refusal_is_an_error(scripted: str) -> None:
    request = {"prompt": "The harbour", "seed": 1, "max_new_tokens": 5}
    with Clients(scripted, 2) as clients:
        good, other = clients.ask([request, {**request, "n": 2}])
        bad = clients.ask([{**request, "top_p": 7}])[0]
    assert (good.error, other.error) == ("", "")
    assert good.tokens == 5 and other.tokens == 10 and reached([good, other]) > 0
    assert [tokens for _, tokens in good.updates] == sorted({tokens for _, tokens in good.updates})
    assert bad.error and bad.tokens == 0 and bad.wait is None
