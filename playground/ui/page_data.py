"""What the page's scripts know of Python's facts: each entry becomes a module `playground/data/<name>.js`.

Rules that both languages need stand in Python and go there as data.
"""

from __future__ import annotations

from functools import cache

from playground.ui import tokens, waterfall
from playground.ui.page_files import PageFiles
from playground.ui.page_texts import table_of, text_table


@cache
def page_files() -> PageFiles:
    """The files of the page, made once: they are the same for every server of this process."""
    token_words = {"tokens": table_of(tokens.WORDS), "waterfall": table_of(waterfall.WORDS)}
    return PageFiles({"words": text_table(), "token_words": token_words})
