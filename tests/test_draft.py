"""A draft: what is carried to the next section stays within its budget, and says what matters most."""

from __future__ import annotations

import random

import pytest

from playground import models
from playground.evaluation import fitness
from playground.storage.draft import (
    HEAD,
    MOST_CHARACTERS,
    Count,
    Draft,
    Section,
    beginning,
    carry,
    checked_head,
    checked_section,
    prompt,
    tail,
    typed,
)
from playground.types import InvalidRequest

HEADS = {"title": "The Keeper", "author": "A. Bird", "form": "short story", "style": "calm",
         "plan": "He waits. She comes."}  # fmt: skip
ENGLISH = "The lamp went out at nine. “Who is there?” he asked. Nobody answered, and the sea was loud. He lit it again."
CHINESE = "灯在九点熄灭了。“谁在那里？”他问。没有人回答，海浪很响。他又把灯点亮。"
ODD = (ENGLISH, CHINESE, "word " * 300, "无标点" * 200, "https://a.b/" + "x" * 500, "…\n\n#\t  ")


@pytest.fixture(scope="module")
def count(tiny: models.Loaded) -> Count:
    """The tokens of the embedded model's own tokenizer."""
    return lambda text: len(tiny.tokenizer(text).input_ids) if text else 0


def sections(texts: int, sentence: str, times: int) -> tuple[Section, ...]:
    return tuple(
        Section(number, f"Part {number}", "\n\n".join([f"Opening {number}. {sentence}"] * times))
        for number in range(1, texts + 1)
    )


@pytest.mark.model
@pytest.mark.parametrize("language", ["en", "zh"])
def test_what_is_carried_stays_within_its_budget(count: Count, language: str) -> None:
    luck = random.Random(7)
    for _ in range(40):
        sentence = luck.choice(ODD)
        head = {**HEADS, "plan": sentence * luck.randrange(40), "title": sentence[: luck.randrange(200)]}
        written = sections(luck.randrange(12), sentence, luck.randrange(1, 6))
        draft = Draft("zh" if language == "zh" else "en", head, written)
        for budget in (0, 1, 7, 60, 400, 2_000):
            assert count(carry(draft, budget, count)) <= budget


@pytest.mark.model
def test_a_text_that_fits_is_carried_whole_and_without_a_summary(count: Count) -> None:
    written = sections(3, ENGLISH, 1)
    carried = carry(Draft("en", HEADS, written), 2_000, count)
    assert carried.startswith("Title: The Keeper\nAuthor: A. Bird\nForm: short story\nStyle: calm\nPlan: He waits.")
    assert all(f"## {one.heading}\n\n{one.text}" in carried for one in written)
    assert "So far" not in carried


@pytest.mark.model
def test_of_a_long_text_the_plan_a_summary_and_the_last_passages_are_carried(count: Count) -> None:
    written = list(sections(9, ENGLISH, 4))
    written[6] = Section(7, "Part 7", written[6].text, gist="Seven went by.")
    carried = carry(Draft("en", HEADS, written), 500, count)
    summary = next(line for line in carried.splitlines() if line.startswith("So far: "))
    assert "Plan: He waits. She comes." in carried
    assert "Opening 6." in summary and "Seven went by." in summary and "Opening 7." not in summary
    assert carried.endswith(written[-1].text) and f"## Part 9\n\n{written[-1].text}" in carried
    assert "## Part 1" not in carried


@pytest.mark.model
def test_a_chinese_text_is_carried_in_chinese(count: Count) -> None:
    written = [Section(number, "", f"第{number}天。" + CHINESE * 4) for number in range(1, 8)]
    carried = carry(Draft("zh", {"title": "守灯人", "plan": "他等。她来。"}, written), 700, count)
    assert carried.startswith("标题：守灯人\n大纲：他等。她来。\n前文提要：")
    assert "第4天。" in carried and "So far" not in carried and carried.endswith(CHINESE)


def test_a_cut_keeps_whole_sentences_where_one_fits() -> None:
    assert tail(ENGLISH, 60, len) == "Nobody answered, and the sea was loud. He lit it again."
    assert beginning(ENGLISH, 60, len) == "The lamp went out at nine. “Who is there?” he asked."
    assert tail(CHINESE, 12, len) == "他又把灯点亮。"
    assert tail("x" * 100, 10, len) == beginning("x" * 100, 10, len) == "x" * 10
    assert tail(ENGLISH, 0, len) == beginning(ENGLISH, 0, len) == ""


def test_the_prompt_ends_where_the_section_begins() -> None:
    assert prompt(Draft("en", {"heading": "Dawn"}), "Title: T\n") == "Title: T\n\n## Dawn\n\n"
    assert prompt(Draft("en", {}), "Title: T") == "Title: T\n\n"
    assert prompt(Draft("en", {}), "") == ""


def test_a_section_is_summed_up_by_its_first_sentence_unless_the_author_says_otherwise() -> None:
    assert Section(1, "", ENGLISH).sentence == "The lamp went out at nine."
    assert Section(1, "", CHINESE).sentence == "灯在九点熄灭了。"
    assert Section(1, "", ENGLISH, "Darkness.").sentence == "Darkness."
    assert Section(1, "", "no end at all").sentence == "no end at all"


def test_what_a_browser_sends_is_cleaned_and_bounded() -> None:
    head = checked_head({"title": "A\x00 title\nof two lines", "language": "fr", "plan": ["no text"], "extra": "x"})
    assert head["title"] == "A title of two lines" and head["language"] == "en" and head["plan"] == ""
    assert set(head) == {*HEAD, "language"}
    assert checked_head("nothing of use")["title"] == ""
    section = checked_section({"text": "a\r\nb\ud800\x1b", "heading": " x\ny "}, 3)
    assert section == Section(3, "x y", "a\nb")
    for given, parameter in (({"text": " \n"}, "text"), ({"text": "x" * (MOST_CHARACTERS + 1)}, "text"), ({}, "text")):
        with pytest.raises(InvalidRequest) as refused:
            checked_section(given)
        assert refused.value.parameter == parameter
    with pytest.raises(InvalidRequest, match="12,001 characters"):
        checked_head({"plan": "x" * 12_001})


@pytest.mark.parametrize(
    ("plan", "sections", "language"),
    [
        ("", (), None),
        (CHINESE, (), "zh"),
        (ENGLISH, (Section(1, "", CHINESE), Section(2, "", ENGLISH)), "en"),
        ("", (Section(1, "", ENGLISH), Section(2, "", CHINESE)), "zh"),
    ],
)
def test_what_was_typed_tells_its_language(plan: str, sections: tuple[Section, ...], language: str | None) -> None:
    assert fitness.language_of(typed(Draft("en", {"title": "灯", "plan": plan}, sections))) == language
