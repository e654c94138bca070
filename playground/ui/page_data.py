"""What the page's scripts know of Python's facts: each entry becomes a module `playground/data/<name>.js`.

Rules that both languages need stand in Python and go there as data.
"""

from __future__ import annotations

from functools import cache

from playground.ui import compose_form
from playground.ui.page_files import PageFiles
from playground.ui.page_texts import text_table


LATE_TABS = ("batch", "model", "read", "write")  # each has a folder of scripts that nothing but its elements need


@cache
def page_files() -> PageFiles:
    """The files of the page, made once: they are the same for every server of this process."""
    return PageFiles({"words": text_table(), "tasks": compose_form.task_records()}, late=LATE_TABS)
