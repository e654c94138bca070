"""What the page's scripts know of Python's facts: each entry becomes a module `playground/data/<name>.js`.

Rules that both languages need stand in Python and go there as data.
"""

from __future__ import annotations

from functools import cache
from typing import Any

from playground.types import LANGUAGES
from playground.ui import card_updates, compose_form, tokens, waterfall
from playground.ui.page_files import PageFiles
from playground.ui.page_texts import table_of, text_table


@cache
def page_files() -> PageFiles:
    """The files of the page, made once: they are the same for every server of this process."""
    token_words = {"tokens": table_of(tokens.WORDS), "waterfall": table_of(waterfall.WORDS)}
    return PageFiles({"words": text_table(), "token_words": token_words} | _examples())


def _examples() -> dict[str, Any]:
    """The worked example of each task in each language, which the cards load when it is to be shown."""
    return {
        f"examples/{name}": {language: card_updates.worked_example(task, language) for language in LANGUAGES}
        for name, task in compose_form.all_tasks().items()
    }
