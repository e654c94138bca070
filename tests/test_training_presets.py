"""The data sets that come along: as many rows as promised, all in the form that is taught, and none twice."""

from __future__ import annotations

import re
from collections import Counter
from pathlib import Path
from typing import Any

import pytest

from playground.rendering.prompt import Prompts
from playground.tasks import loader
from playground.training import formats
from playground.training.data_report import language_of, languages
from playground.training.encoding import encode_all
from playground.training.mapped import examples
from playground.training.mapping import TaskMapping, TextMapping
from playground.training.split import duplicates, shared, split
from playground.training.train_presets import PRESETS
from playground.types import Language

FOLDER = loader.FOLDER / "training"
SLOGANS: dict[Language, tuple[int, str]] = {
    "en": (240, r"{}: less ([^,.]+), more ([^,.]+)\."),
    "zh": (120, r"{}：少一点([^，。]+)，多一点([^，。]+)。"),
}


def rows(language: Language) -> list[dict[str, str]]:
    found = formats.read(FOLDER / f"slogans.{language}.jsonl")
    assert found.kind == "columns" and not found.refused and found.columns == ("product", "about", "slogan")
    return [dict(row) for row in found.rows if isinstance(row, dict)]


@pytest.mark.parametrize("language", SLOGANS)
def test_every_slogan_has_the_form_that_is_taught_and_none_stands_twice(language: Language) -> None:
    least, form = SLOGANS[language]
    said = rows(language)
    assert len(said) >= least
    assert languages(row["slogan"] for row in said) == {language: len(said)}
    halves = Counter[str]()
    for row in said:
        match = re.fullmatch(form.format(re.escape(row["product"])), row["slogan"])
        assert match is not None and match[1] != match[2], row
        assert row["about"].strip() == row["about"] and row["about"][-1] not in ".。"
        halves.update(match.groups())
    for column in ("product", "about", "slogan"):
        assert len({row[column].casefold() for row in said}) == len(said), column
    assert max(halves.values()) <= 3, "no half of a slogan is a habit"
    assert sum("\u4e00" <= sign <= "\u9fff" for row in said for sign in row["about"]) == (
        0 if language == "en" else sum(len(row["about"]) for row in said)
    )


@pytest.mark.parametrize("language", SLOGANS)
def test_they_are_examples_of_the_task_that_writes_slogans(language: Language) -> None:
    records = formats.read(FOLDER / f"slogans.{language}.jsonl")
    mapping = TaskMapping("slogans", language, "chat", {"product": "product", "about": "about"}, "slogan")
    found = examples(records, mapping)
    assert len(found) == len(records.rows) and duplicates(found) == 0
    sides = split(found, 0.1, 1)
    assert len(sides.validation) >= 16 and sides.notice is None


@pytest.mark.model
@pytest.mark.parametrize("language", SLOGANS)
def test_they_fit_whole_into_every_preset(language: Language, load_embedded: Any) -> None:
    records = formats.read(FOLDER / f"slogans.{language}.jsonl")
    mapping = TaskMapping("slogans", language, "chat", {"product": "product", "about": "about"}, "slogan")
    loaded = load_embedded("fp32")
    prompts = Prompts(loaded.model, loaded.tokenizer, loaded.card.title, loaded.card.context)
    for preset in PRESETS:
        longest = preset.settings["cut_length"]
        found = encode_all(examples(records, mapping), prompts, longest, preset.settings["learn"])
        assert len(found.rows) == len(records.rows) and not any(one.cut for one in found.rows), preset.name


def test_no_slogan_of_the_task_has_this_form_so_the_model_has_not_seen_it() -> None:
    task = loader.find("slogans")
    for language, (_, form) in SLOGANS.items():
        shots = task.prompts[language].shots + "".join(text for one in task.examples for text in one.texts)
        assert re.search(form.format(".+"), shots) is None


def test_the_book_is_whole_and_its_unseen_chapters_are_other_ones() -> None:
    texts = {name: (FOLDER / f"{name}.txt").read_text(encoding="utf-8") for name in ("alice", "alice.unseen")}
    chapters = [found for text in texts.values() for found in re.findall(r"^CHAPTER ([IVX]+)\. ", text, re.MULTILINE)]
    assert chapters == ["I", "II", "III", "IV", "V", "VI", "VII", "VIII", "IX", "X", "XI", "XII"]
    assert all("Gutenberg" not in text and "\r" not in text for text in texts.values())
    read = {name: examples(formats.read(FOLDER / f"{name}.txt"), TextMapping()) for name in texts}
    assert {name: "".join(one.answer for one in found) for name, found in read.items()} == texts
    assert shared(read["alice"], read["alice.unseen"]) == 0 and len(read["alice.unseen"]) >= 16
    assert all(language_of(one.answer) == "en" for found in read.values() for one in found)
    assert split(read["alice"], 0.1, 1, read["alice.unseen"]).left_out == 0


def test_every_file_is_described() -> None:
    described = (FOLDER / "README.md").read_text(encoding="utf-8")
    assert all(f"`{place.name}`" in described for place in Path(FOLDER).iterdir() if place.suffix != ".md")
