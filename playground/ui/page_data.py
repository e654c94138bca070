"""What the page's scripts know of Python's facts: each entry becomes a module `playground/data/<name>.js`.

Rules that both languages need stand in Python and go there as data.
"""

from __future__ import annotations

import re
from functools import cache
from typing import Any

from playground.tasks import task, user_task
from playground.types import LANGUAGES
from playground.ui import card_updates, compose_form, tokens, waterfall
from playground.ui.knobs import knob_data
from playground.ui.page_files import PageFiles
from playground.ui.page_texts import bilingual, table_of, text_table
from playground.ui.train_data import setting_records
from playground.ui.try_texts import TRIES

_OTHER = re.compile(r"\\[dDsSWbBAZ]|\(\?|\[[^\]]*\\w")  # what the two languages read in different ways
LATE_TABS = (
    "batch",
    "model",
    "read",
    "train",
    "write",
)  # each has a folder of scripts that nothing but its elements need


@cache
def page_files() -> PageFiles:
    """The files of the page, made once: they are the same for every server of this process."""
    token_words = {"tokens": table_of(tokens.WORDS), "waterfall": table_of(waterfall.WORDS)}
    records = {
        "knobs": knob_data(),
        "tasks": compose_form.task_records(),
        "tries": {kind: [bilingual(text) for text in texts] for kind, texts in TRIES.items()},
        "rules": script_rules(),
        "train": setting_records(),
    }
    return PageFiles({"words": text_table(), "token_words": token_words} | records | _examples(), late=LATE_TABS)


def _examples() -> dict[str, Any]:
    """The worked example of each task in each language, which the cards load when it is to be shown."""
    return {
        f"examples/{name}": {language: card_updates.worked_example(one, language) for language in LANGUAGES}
        for name, one in compose_form.all_tasks().items()
    }


def script_rules() -> dict[str, Any]:
    """The rules by which a script judges what is typed before the server does."""
    return {
        "place": script_pattern(task.PLACE),
        "most_variables": user_task.MAX_FIELDS,
        "most_task_bytes": user_task.MAX_BYTES,
        "most_task_title": user_task.MAX_TITLE,
    }


def script_pattern(pattern: re.Pattern[str]) -> str:
    r"""As JavaScript writes it, for the flag `u`: its own \w knows no letters but those of English.

    Raises ValueError for what is not known to be read alike.
    """
    if _OTHER.search(pattern.pattern) or pattern.flags != re.UNICODE:
        raise ValueError(f"{pattern.pattern} may find other places in JavaScript.")
    return pattern.pattern.replace(r"\w", r"[\p{L}\p{N}_]")
