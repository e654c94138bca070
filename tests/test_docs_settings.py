"""docs/settings.md says what the records say, and names every variable that the code reads."""

import re
from pathlib import Path

from playground.machine.cache_folder import CACHE_VARIABLE
from playground.settings import Settings, document, records

ROOT = Path(__file__).parent.parent
RECORDS = (*records(Settings), *records(Settings().limits))


def test_the_document_is_fresh() -> None:
    written = document.FILE.read_text(encoding="utf-8")
    assert written == document.render(), "run: python -m playground.settings.document"


def test_every_setting_is_there_with_both_languages_its_names_and_its_range() -> None:
    rows = [line for line in document.render().splitlines() if line.startswith("| ")]
    for one in RECORDS:
        names = "<br>".join(f"`{name}`" for name in (one.flag, one.variable) if name)
        (row,) = (line for line in rows if line.startswith(f"| {names} |"))
        for said in (one.help.en, one.help.zh, one.kind.allowed.en, one.kind.allowed.zh):
            assert said in row


def test_every_variable_of_ours_that_the_code_names_is_in_the_document() -> None:
    sources = [path.read_text(encoding="utf-8") for path in (ROOT / "playground").rglob("*.py")]
    named = {found for text in sources for found in re.findall(r"\bPLAYGROUND_[A-Z_]*[A-Z]\b", text)}
    assert CACHE_VARIABLE in named
    written = document.render()
    assert [variable for variable in sorted(named) if f"`{variable}`" not in written] == []
