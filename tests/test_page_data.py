"""What the page's scripts are given: rules that find in JavaScript what they find here."""

from __future__ import annotations

import json
import re
import sys
import unicodedata
from pathlib import Path

import pytest

from playground.tasks import user_task
from playground.ui.page_data import LATE_TABS, page_files, script_pattern, script_rules
from playground.ui.page_files import scripts

# tests/scripts/variables.test.js holds the scripts to the same table.
PLACES = json.loads((Path(__file__).parent / "scripts" / "places.json").read_text(encoding="utf-8"))


def test_the_table_of_places_is_for_the_pattern_that_scripts_are_given() -> None:
    assert PLACES["place"] == script_rules()["place"]


@pytest.mark.parametrize("case", PLACES["texts"], ids=lambda case: case["text"][:30])
def test_a_text_has_the_places_that_the_table_says(case: dict[str, str]) -> None:
    assert user_task.variables(case["text"]) == case["names"]


def test_a_letter_of_a_name_is_what_scripts_take_for_one() -> None:
    def is_letter(one: str) -> bool:
        return one == "_" or unicodedata.category(one)[0] in "LN"  # [\p{L}\p{N}_]

    everything = "".join(map(chr, range(sys.maxunicode + 1)))
    assert re.findall(r"\w", everything) == [one for one in everything if is_letter(one)]


@pytest.mark.parametrize(
    "pattern",
    [re.compile(r"\d+"), re.compile(r"a\b"), re.compile(r"(?P<a>b)"), re.compile(r"[\w-]"), re.compile("a", re.I)],
)
def test_a_pattern_that_javascript_may_read_otherwise_is_refused(pattern: re.Pattern[str]) -> None:
    with pytest.raises(ValueError, match="JavaScript"):
        script_pattern(pattern)


def test_what_only_one_tab_needs_is_fetched_once_the_page_has_begun_and_nothing_else_imports_it() -> None:
    head = page_files().head()
    assert set(re.findall(r'<link rel="prefetch" href="./page/\w+/(\w+).js">', head)) == set(LATE_TABS)
    assert re.findall(r'<script type="module" src="./page/\w+/(\w+).js">', head) == ["start"]
    for path, text in scripts().items():
        imported = set(re.findall(r'from "(?:\.\./|playground/)(\w+)/', text))
        assert imported.isdisjoint(LATE_TABS), path  # a module of such a tab names its neighbours with "./"
