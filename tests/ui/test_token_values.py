"""What the values of the token views hold."""

from __future__ import annotations

import json
import re
from dataclasses import replace
from typing import Any

import pytest

from playground.inspection.inspect_api import Divergence, Reading, ReadToken, Token
from playground.token_views import TokenChance
from playground.types import InvalidRequest, Step, Text
from playground.ui import read_tab, tokens, waterfall
from playground.ui.element import ASSETS
from playground.ui.page_files import SCRIPTS
from tests.ui.tokens_page import fall, made, replayed


def plain(position: int, text: str, token_id: int | None = 7, **more: Any) -> Step:
    return Step(0, position, token_id, text, **more)


def merged(held: list[dict[str, Any]], part: dict[str, Any]) -> list[dict[str, Any]]:
    """What the browser makes of a piece: it goes to its place, and what stood behind it goes away."""
    assert part["from"] <= len(held), "a gap"
    return [*held[: part["from"]], *part["tokens"]]


def shown(value: list[dict[str, Any]]) -> str:
    return "".join(token["text"] for token in value if not token["special"])


def test_the_tokens_of_a_row_are_its_visible_text() -> None:
    steps = [plain(0, "caf"), plain(1, ""), plain(2, "é!"), plain(3, " end", None, finish="stop")]
    assert shown(tokens.token_values(steps)) == "café! end"


def test_an_end_of_text_is_shown_as_a_special_token_and_half_a_character_is_not() -> None:
    ending = plain(1, "", 2, top=(TokenChance(2, "<|im_end|>", 0.5, 0.5),), finish="end")
    half = plain(0, "", 9, top=(TokenChance(9, "\ufffd", 0.5, 0.5),))
    first, last = tokens.token_values([half, ending])
    assert (first["text"], first["special"]) == ("", False)
    assert (last["text"], last["special"]) == ("<|im_end|>", True)


def test_an_end_of_text_outside_the_likeliest_gets_its_name_from_the_vocabulary() -> None:
    def name(token_id: int) -> Token:
        return Token(token_id, "</s>", special=True)

    assert tokens.token_values([plain(0, "", 2, finish="end")], name)[0]["text"] == "</s>"


def test_what_a_generator_does_not_know_stays_unknown() -> None:
    value = tokens.token_values([plain(0, "a")])[0]
    assert [value[key] for key in ("logprob", "p", "rank", "entropy")] == [None] * 4
    assert tokens.token_values([plain(0, "a", logprob=float("-inf"))])[0]["logprob"] is None


def test_entropy_is_told_in_bits() -> None:
    assert tokens.token_values([plain(0, "a", entropy_nats=0.693147)])[0]["entropy"] == pytest.approx(1.0, abs=1e-4)


def test_a_growing_row_is_sent_once() -> None:
    row, feed = made(1, 300), tokens.TokenFeed("run")
    held: list[dict[str, Any]] = []
    sent = 0
    for end in range(10, 310, 10):
        (part,) = feed.update([row[:end]], [end >= 300])["rows"]
        held = merged(held, part)
        sent += len(part["tokens"])
    assert held == tokens.token_values(row) and sent == len(held)
    assert feed.update([row], [True])["rows"] == []


def test_a_row_is_told_of_when_it_grows_or_ends_and_its_figures_once() -> None:
    rows, feed = [made(0, 30), made(1, 30)], tokens.TokenFeed("run")
    asked: list[int] = []

    def numbers(row: int) -> tokens.Numbers:
        asked.append(row)
        return [(Text("a", "甲"), "1", None)]

    assert [part["row"] for part in feed.update([rows[0][:9], []], [False, False], numbers)["rows"]] == [0, 1]
    assert [part["row"] for part in feed.update([rows[0][:9], rows[1][:5]], [False, False], numbers)["rows"]] == [1]
    assert [part["row"] for part in feed.update([rows[0][:9], rows[1][:5]], [True, False], numbers)["rows"]] == [0]
    (last,) = feed.update([rows[0][:9], rows[1]], [True, True], numbers)["rows"]
    assert last["numbers"][0]["value"] == "1" and asked == [0, 1]


def test_a_packed_token_is_short_and_holds_all() -> None:
    value: Any = tokens.whole("run", [tokens.token_values(made(0, 30))])
    told = tokens.piece(value, status={})["value"]
    packed = json.dumps(told, ensure_ascii=False, separators=(",", ":"))
    assert len(packed) < 0.6 * len(json.dumps(value, ensure_ascii=False, separators=(",", ":")))
    first, own = value["rows"][0]["tokens"][0], told["rows"][0]["tokens"][0]
    assert own[:6] == [first[name] for name in ("id", "text", "logprob", "p", "rank", "entropy")]
    assert own[6] == [[one["id"], one["text"], one["p"]] for one in first["top"]] and own[7] == 0


def test_stepping_back_takes_tokens_away() -> None:
    row, feed = made(1, 60), tokens.TokenFeed("run")
    held = merged([], feed.update([row[:40]], [False])["rows"][0])
    other = [*row[:25], *(replace(step, text="x", token_id=1) for step in row[25:30])]
    held = merged(held, feed.update([other], [False])["rows"][0])
    assert held == tokens.token_values(other)


def test_text_that_comes_without_a_token_joins_the_token_before_it() -> None:
    feed, row = tokens.TokenFeed("run"), [plain(at, f" {at}") for at in range(40)]
    held = merged([], feed.update([row], [False])["rows"][0])
    row.append(plain(40, "…", None, finish="length"))
    held = merged(held, feed.update([row], [True])["rows"][0])
    assert len(held) == 40 and held[-1]["text"] == " 39…"


def test_a_text_that_was_read_tells_its_prompt_from_its_own_tokens() -> None:
    reading = Reading((ReadToken(Token(1, "a")), ReadToken(Token(2, "b"), -1.0, 3, 2.0)), 1, 2.7, 2.0)
    first, second = tokens.reading_values(reading)
    assert first["context"] and first["logprob"] is None
    assert not second["context"] and (second["logprob"], second["rank"], second["entropy"]) == (-1.0, 3, 2.0)


def test_a_replay_marks_where_it_differs_and_what_would_stand_there() -> None:
    first = Divergence(1, Token(8, " was"), Token(2, " would"))
    value = tokens.replay_value("run", 0, replayed(tokens=(1, 2, 3), differs=(1, 2), first=first))
    assert value["first"] == 1 and value["sentence"] is None
    assert value["would"] == {
        "1": {"id": 2, "text": " would", "special": False},
        "2": {"id": 3, "text": "#3", "special": False},
    }


def test_a_replay_that_would_end_the_text_says_so() -> None:
    ending = Text("It would end later.", "它会更晚结束。")
    first = Divergence(1, Token(8, " was"), None)
    value = tokens.replay_value("run", 0, replayed(tokens=(1, 2, 3), differs=(1,), first=first, ending=ending))
    assert value["would"]["1"] == {"id": None, "text": "", "special": True}
    assert value["sentence"] == {"en": ending.en, "zh": ending.zh}
    assert tokens.replay_value("run", 0, replayed(differs=(), first=None, ending=ending))["sentence"] == {
        "en": ending.en,
        "zh": ending.zh,
    }


def test_every_value_is_json() -> None:
    values: list[Any] = [
        tokens.whole("run", [tokens.token_values(made(0, 20))], [[(Text("a", "甲"), "1", None)]]),
        tokens.replay_value("run", 0, replayed(differs=(), first=None)),
        waterfall.waterfall_value("run", 0, fall(0, 3), length=12),
        waterfall.refused_value("run", 0, 3, InvalidRequest(Text("No.", "不。"))),
    ]
    for value in values:
        assert json.loads(json.dumps(value, allow_nan=False)) == value


def test_a_panel_names_the_chosen_token_and_the_ten_likeliest_of_the_model() -> None:
    value = waterfall.waterfall_value("run", 2, fall(0, 4), length=12)
    assert (value["row"], value["position"], value["token"]["text"]) == (2, 4, " magic")
    assert [one["p"] for one in value["model"]] == sorted((one["p"] for one in value["model"]), reverse=True)
    assert len(value["model"]) == 10


def test_a_next_token_that_nobody_drew_has_no_draw() -> None:
    value = waterfall.waterfall_value("run", 0, replace(fall(0, 0), draw=None))
    assert value["token"] is None and value["draw"] is None


def test_a_question_without_an_answer_leaves_the_panel_as_it_is() -> None:
    before = waterfall.waterfall_value("run", 0, fall(0, 4))
    after = waterfall.with_error(before, InvalidRequest(Text("No such token.", "没有这个词元。")))
    assert after["error"]["en"] == "No such token."
    assert {**after, "error": None, "number": before["number"]} == before


@pytest.mark.parametrize("words", [tokens.WORDS, waterfall.WORDS])
def test_both_languages_fill_the_same_places(words: dict[str, Text]) -> None:
    for text in words.values():
        assert set(re.findall(r"\{(\w+)", text.en)) == set(re.findall(r"\{(\w+)", text.zh))


def test_every_word_that_a_token_view_asks_for_exists() -> None:
    scripts = (*(SCRIPTS / "tokens").glob("*.js"), SCRIPTS / "read" / "expected.js")
    asked = {key for path in scripts for key in re.findall(r'[^\w.]t\(\s*"(\w+)"', path.read_text(encoding="utf-8"))}
    for path in ASSETS.glob("*.html"):
        asked |= set(re.findall(r'data-w(?:-label)?="(\w+)"', path.read_text(encoding="utf-8")))
    assert asked and asked <= {*tokens.WORDS, *waterfall.WORDS, *read_tab.EXPECTED}
