"""Our own page elements: a `gr.HTML` whose markup and script are files in `assets/`, spoken to through its value.

Knows no element by name. Gradio compiles the markup as a template, so it stays static: scripts fill it in.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import gradio as gr

ASSETS = Path(__file__).parent / "assets"
_PART = re.compile(r"^ *<!-- (\w+) -->\n", re.MULTILINE)  # markup of another file, where several elements have the same


def asset(name: str) -> str:
    return (ASSETS / name).read_text(encoding="utf-8")


def element(name: str, value: Any, scripts: Sequence[str] = (), **fixed: Any) -> gr.HTML:
    """`assets/<name>.html` and `assets/<name>.js`, in one function behind the files that `scripts` names.

    `fixed` is data that the script reads once, when it starts.
    """
    return gr.HTML(
        value,
        html_template=_PART.sub(lambda part: asset(f"{part[1]}.html"), asset(f"{name}.html")),
        js_on_load="\n".join(asset(f"{part}.js") for part in (*scripts, name)),
        apply_default_css=False,
        elem_id=name,
        **fixed,
    )
