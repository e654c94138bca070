"""Promises of the waiting line, the stop switches, the pace of updates and the word list; no browser needed."""

from __future__ import annotations

import re

import pytest

from playground import parameters
from playground.settings import Limits
from playground.types import Busy, Candidate, Request, Run
from playground.ui import answer
from playground.ui.element import ASSETS
from playground.ui.line import Line, Switches
from playground.ui.words import WORDS, word_list


def test_who_comes_first_runs_first_and_the_rest_move_up() -> None:
    line = Line(Limits(running=1, waiting=2))
    first, second, third = line.join(), line.join(), line.join()
    assert [line.ahead(ticket) for ticket in (first, second, third)] == [0, 1, 2]
    line.leave(second)
    assert [line.ahead(ticket) for ticket in (first, third)] == [0, 1]
    line.leave(first)
    assert line.ahead(third) == 0


def test_a_full_line_says_so_and_has_room_again_once_somebody_leaves() -> None:
    line = Line(Limits(running=1, waiting=1))
    first, _ = line.join(), line.join()
    with pytest.raises(Busy):
        line.join()
    line.leave(first)
    line.leave(first)  # leaving twice takes nobody else's place
    line.join()
    with pytest.raises(Busy):
        line.join()


def test_a_switch_stops_only_its_own_session_and_a_new_run_stops_the_one_before() -> None:
    switches = Switches()
    mine, yours = switches.begin("me"), switches.begin("you")
    again = switches.begin("me")
    assert mine.is_set() and not again.is_set()
    switches.end("me", mine)  # the old run's end must not take the new run's switch away
    switches.stop("me")
    assert again.is_set() and not yours.is_set()


def test_updates_keep_their_pace_and_the_last_state_is_never_lost() -> None:
    run = Run(Request("x", parameters.validate({})), "m", "fp32", 1, [Candidate(seed=0)])
    shown = list(answer.paced(run for _ in range(10_000)))
    assert 2 <= len(shown) < 1_000


def test_every_word_that_a_script_or_template_asks_for_exists_in_both_languages() -> None:
    known = word_list()
    asked = set()
    for path in (*ASSETS.glob("*.js"), *ASSETS.glob("*.html")):
        source = path.read_text(encoding="utf-8")
        asked |= set(re.findall(r'pg\.t\(\s*"(\w+)"', source))
        asked |= set(re.findall(r'data-t(?:-\w+)?="(\w+)"', source))
    assert asked and asked <= set(known)
    for words in known.values():
        assert words["en"].strip() and words["zh"].strip()


def test_no_word_is_left_over() -> None:
    sources = "".join(path.read_text(encoding="utf-8") for path in (*ASSETS.glob("*.js"), *ASSETS.glob("*.html")))
    built = {"as_chat", "as_complete", "share_open", "share_guarded"}
    # What was done to a card is named by its deed alone: did_edit as "edit".
    unused = [key for key in WORDS if f'"{key.removeprefix("did_")}"' not in sources and key not in built]
    assert unused == [], "nobody asks for these words"
