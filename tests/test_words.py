"""The visible text: stop strings and banned phrases are found however they are cut into tokens, and never show."""

from __future__ import annotations

import itertools
import random
from collections.abc import Sequence
from typing import Any

import pytest

from playground.decoding.words import Matcher, Writer
from playground.rendering.detokenize import Detokenizer


class Letters:
    """A tokenizer whose token ids are numbers into a list of pieces that grows as they are asked for."""

    def __init__(self) -> None:
        self.pieces: list[str] = []

    def ids(self, pieces: Sequence[str]) -> list[int]:
        for piece in pieces:
            if piece not in self.pieces:
                self.pieces.append(piece)
        return [self.pieces.index(piece) for piece in pieces]

    def decode(self, ids: Sequence[int], **_: Any) -> str:
        return "".join(self.pieces[one] for one in ids)


def write(
    pieces: Sequence[str], stop: Sequence[str] = (), banned: Sequence[str] = (), thinks: str | None = None
) -> tuple[str, bool, list[str]]:
    """The text shown, whether it was stopped, and what was shown token by token."""
    tokenizer = Letters()
    writer = Writer(Detokenizer(tokenizer), stop, banned, thinks)
    shown = []
    for token_id in tokenizer.ids(pieces):
        written = writer.push(token_id)
        shown.append(written.text)
        if written.stopped:
            return "".join(shown), True, shown
    return "".join([*shown, writer.finish()]), False, shown


def cuts(text: str) -> list[list[str]]:
    """Every way to cut a short text into pieces."""
    found = []
    for places in itertools.product([False, True], repeat=len(text) - 1):
        pieces = [text[0]]
        for letter, cut in zip(text[1:], places, strict=True):
            if cut:
                pieces.append(letter)
            else:
                pieces[-1] += letter
        found.append(pieces)
    return found


def test_a_stop_string_ends_the_text_however_it_is_cut() -> None:
    for pieces in cuts("ab##cd#e"):
        text, stopped, _ = write(pieces, stop=["#cd"])
        assert (text, stopped) == ("ab#", True)


def test_text_that_could_become_a_stop_string_waits_and_is_released() -> None:
    text, stopped, shown = write(["one ", "EN", "D", "ING"], stop=["END!"])
    assert (text, stopped) == ("one ENDING", False)
    assert shown == ["one ", "", "", "ENDING"]


def test_what_is_held_at_the_end_is_shown() -> None:
    assert write(["a", "EN"], stop=["END"])[:2] == ("aEN", False)


def test_the_stop_string_that_is_complete_first_ends_the_text() -> None:
    assert write(["x", "a", "b", "c"], stop=["abc", "b"])[:2] == ("xa", True)


def test_a_stop_string_counts_case_and_a_banned_phrase_does_not() -> None:
    assert write(["the end"], stop=["END"])[1] is False
    assert Matcher(["Straße"], fold=True).first("die STRAßE") == (4, "Straße")


def test_a_banned_phrase_is_found_at_the_token_where_it_began_however_it_is_cut() -> None:
    for pieces in cuts("so Good day"):
        tokenizer = Letters()
        writer = Writer(Detokenizer(tokenizer), banned=["good d"])
        shown = ""
        for token_id in tokenizer.ids(pieces):
            written = writer.push(token_id)
            shown += written.text
            if written.phrase:
                break
        assert written.phrase == "good d"
        lengths = [len("".join(pieces[:count])) for count in range(len(pieces) + 1)]
        assert lengths[written.began] <= 3 < lengths[written.began + 1]
        assert "g" not in shown.lower(), "nothing of the phrase was seen"


def test_taking_tokens_back_restores_what_was_shown_and_what_waits() -> None:
    tokenizer = Letters()
    ids = tokenizer.ids(["he is ", "a ba", "d", " man", "ndy"])
    writer = Writer(Detokenizer(tokenizer), banned=["bad man"])
    assert [writer.push(token_id).text for token_id in ids[:3]] == ["he is ", "a ", ""]
    assert writer.push(ids[3])[1:] == (False, "bad man", 1)
    writer.truncate(1)
    assert writer.push(ids[4]).text == "ndy"
    assert writer.finish() == ""


def test_a_phrase_that_is_let_through_is_not_found_again() -> None:
    tokenizer = Letters()
    ids = tokenizer.ids(["a", "b", "!", "ab"])
    writer = Writer(Detokenizer(tokenizer), banned=["ab"])
    assert writer.push(ids[0]).text == ""
    assert writer.push(ids[1]).phrase == "ab"
    assert writer.let_through().text == "ab"
    assert writer.push(ids[2]).text == "!"
    assert writer.push(ids[3]).phrase == "ab"


@pytest.mark.parametrize("seed", range(40))
def test_what_is_shown_is_the_text_up_to_the_first_stop_string(seed: int) -> None:
    chance = random.Random(seed)
    text = "".join(chance.choice("aab ") for _ in range(60))
    stops = ["".join(chance.choice("ab ") for _ in range(chance.randint(2, 6))) for _ in range(3)]
    shown, stopped, _ = write(list(text), stop=stops)
    ends = [(text.find(stop) + len(stop), text.find(stop)) for stop in stops if stop in text]
    expected = text[: min(place for end, place in ends if end == min(ends)[0])] if ends else text
    assert (shown, stopped) == (expected, bool(ends))


def test_what_waits_is_never_more_than_what_could_still_match() -> None:
    matcher = Matcher(["aab", "b c"])
    assert matcher.held("xxaa") == 2
    assert matcher.held("xxaaa") == 3
    assert matcher.held("xxb ") == 2
    assert matcher.held("xxc") == 3


CHANNELS = "<|channel|>analysis<|message|>a\nb<|end|><|start|>assistant<|channel|>final<|message|>"


@pytest.mark.parametrize(
    ("text", "thinks", "shown"),
    [
        ("<think>a\nb</think>\n\nc d\ne", "", "<think>a\nb</think>\n\nc d"),
        ("a\nb</think>c\nd", "<think>", "a\nb</think>c"),
        ("<think>a\n</think>[THINK]\n[/THINK]c\nd", "", "<think>a\n</think>[THINK]\n[/THINK]c"),
        (CHANNELS + "c\nd", "", CHANNELS + "c"),
        ("c\nd", "", "c"),
        ("\n\nc", "", ""),
        ("<thin\nd", "", "<thin"),
        ("<think>a\nb</think>c\nd", None, "<think>a"),
    ],
)
def test_in_a_chat_a_stop_string_ends_the_answer_and_no_thought(text: str, thinks: str | None, shown: str) -> None:
    chance = random.Random(text)
    for count in [1, 2, 5, len(text), *[6] * 20]:
        places = sorted({0, len(text), *(chance.randrange(len(text)) for _ in range(count))})
        pieces = list(text) if count == len(text) else [text[a:b] for a, b in itertools.pairwise(places)]
        assert write(pieces, ["\n"], thinks=thinks)[:2] == (shown, True), pieces
    assert write(list("<think>a\nb"), ["\n"], thinks="")[:2] == ("<think>a\nb", False)


def test_where_the_answer_begins_is_found_again_behind_what_was_taken_back() -> None:
    tokenizer = Letters()
    writer = Writer(Detokenizer(tokenizer), ["\n"], thinks="")
    *kept, wrong = tokenizer.ids(["<think>", "a\n", "</think>"])
    for token_id in (*kept, wrong, *tokenizer.ids(["b"])):
        assert not writer.push(token_id).stopped
    writer.truncate(2)
    for token_id in tokenizer.ids(["c\n", "</think>", "d"]):
        assert not writer.push(token_id).stopped
    assert writer.push(tokenizer.ids(["e\n"])[0]).stopped
