"""The data modules of the page: what the scripts load by the name of a task; no browser needed."""

from __future__ import annotations

import json
import re

from playground.types import LANGUAGES
from playground.ui import compose_form
from playground.ui.page_data import page_files


def test_each_task_has_a_module_with_its_worked_examples_which_is_loaded_when_it_is_shown() -> None:
    files = page_files()
    folder = re.findall(r'"playground/": "\./(page/[0-9a-f]{16})/"', files.head())[0]
    start = files.find(f"/{folder}/start.js")
    assert start is not None and '"data/words.js"' in start.plain.decode() and "/data/examples/" not in files.head()
    shown = 0
    for name, task in compose_form.all_tasks().items():
        file = files.find(f"/{folder}/data/examples/{name}.js")
        assert file is not None, name
        text = file.plain.decode().removeprefix("export default JSON.parse(").removesuffix(");\n")
        examples = json.loads(json.loads(text))
        assert examples.keys() == set(LANGUAGES)
        for language in LANGUAGES:
            example = task.example(language)
            rows = examples[language]["rows"] if example else []
            assert [row["text"] for row in rows] == list(example.texts if example else [])
            shown += len(rows)
    assert shown > 0


def test_the_address_of_the_files_is_the_same_with_every_start() -> None:
    first = page_files().head()
    page_files.cache_clear()
    assert page_files().head() == first
