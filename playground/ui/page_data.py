"""What the page's scripts know of Python's facts: each entry becomes a module `playground/data/<name>.js`.

Rules that both languages need stand in Python and go there as data.
"""

from __future__ import annotations

from functools import cache

from playground.ui.knobs import knob_data
from playground.ui.page_files import PageFiles
from playground.ui.page_texts import text_table


@cache
def page_files() -> PageFiles:
    """The files of the page, made once: they are the same for every server of this process."""
    return PageFiles({"knobs": knob_data(), "words": text_table()})
