"""Our own page elements: a `gr.HTML` whose markup and script are files in `assets/`, spoken to in JSON texts.

Gradio, its JavaScript and gradio_client search every value for objects that name files, and copy and serve what those
name. So nothing that a visitor or a model wrote leaves as an object: values, props and the data of events travel as one
text each, which element.js reads. Knows no element by name. Gradio compiles the markup as a template, so it stays
static: scripts fill it in.
"""

from __future__ import annotations

import json
import math
import re
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, NoReturn

import gradio as gr

from playground.ui import gradio_workarounds
from playground.ui.events import EVENTS
from playground.ui.json_size import is_heavy

gradio_workarounds.apply()

ASSETS = Path(__file__).parent / "assets"
MOST = 8_000_000  # characters of one value from a browser: several times the longest text that any of them may hold
MOST_VALUES, DEEPEST = 100_000, 500  # numbers, texts and lists in it, and how deep they stand
_PART = re.compile(r"^ *<!-- (\w+) -->\n", re.MULTILINE)  # markup of another file, where several elements have the same


def asset(name: str) -> str:
    return (ASSETS / name).read_text(encoding="utf-8")


def encode(value: Any) -> str:
    """Plain data as JSON that a browser can read and that UTF-8 can hold."""
    try:
        text = json.dumps(value, ensure_ascii=False, allow_nan=False, separators=(",", ":"))
    except ValueError:  # a number that JSON does not have
        return encode(_finite(value))
    try:
        text.encode()
    except UnicodeEncodeError:  # half a character
        return json.dumps(value, separators=(",", ":"))
    return text


def _finite(value: Any) -> Any:
    if isinstance(value, Mapping):
        return {name: _finite(one) for name, one in value.items()}
    if isinstance(value, list | tuple):
        return [_finite(one) for one in value]
    return None if isinstance(value, float) and not math.isfinite(value) else value


def decode(text: object) -> Any:
    """What a script sent; None for anything that is not JSON in a text, or larger than any script's."""
    if not isinstance(text, str) or len(text) > MOST or is_heavy(text, MOST_VALUES, DEEPEST):
        return None
    try:
        return json.loads(text, parse_constant=_refuse)
    except (ValueError, RecursionError):
        return None


def _refuse(name: str) -> NoReturn:
    raise ValueError(name)


class Element(gr.HTML):
    """A part of the page. `props` are plain data like its value; what its script sends comes back as plain data."""

    def __init__(
        self,
        value: Any,
        *,
        html_template: str,
        elem_id: str,
        module: str = "",
        sends: str = "",
        tab: str = "",
        **more: Any,
    ) -> None:
        """`module` is its script below scripts/, `sends` the row of EVENTS with what it tells the server; `tab` is the
        only one on which it is seen, so that it begins when that is shown."""
        self.sends = EVENTS.get(sends, {})
        named = {name: more.pop(name) for name in ("elem_classes", "render", "visible") if name in more}
        self._is_form = isinstance(value, Mapping)
        super().__init__(
            value,  # Gradio puts it through postprocess
            html_template=html_template,
            js_on_load=_start(module, elem_id, tuple(self.sends), tab) if module else "",
            apply_default_css=False,
            elem_id=elem_id,
            **named,
            **{name: encode(one) for name, one in more.items()},
        )

    def preprocess(self, payload: Any) -> Any:
        """What the script set; of a form, which always is a mapping, nothing where it is none."""
        value = decode(payload)
        return value if isinstance(value, Mapping) or not self._is_form else {}

    def postprocess(self, value: Any) -> str:
        return encode(value)


def _start(module: str, name: str, events: Sequence[str], tab: str) -> str:
    """Gradio takes every quoted word in this for the name of an event that may be listened to."""
    given = ", ".join(json.dumps(one) for one in (module, name, list(events)))
    late = f", {json.dumps(tab)}" if tab else ""
    call = f"page.start({given}, {{ element, trigger, props, watch }}{late})"
    return f'import("playground/page/element.js").then((page) => {call});'


def data_of(event: gr.EventData) -> Mapping[str, Any]:
    """What a script sent with an event; anything but a mapping is nothing."""
    data = decode(event._data) if isinstance(event._data, str) else event._data
    return data if isinstance(data, Mapping) else {}


def element(name: str, value: Any, folder: str, **fixed: Any) -> Element:
    """`assets/<name>.html`, and `scripts/<folder>/<name>.js` that gives it life.

    `fixed` is data that the script reads once, when it starts, or that updates of its props replace.
    """
    template = _PART.sub(lambda part: asset(f"{part[1]}.html"), asset(f"{name}.html"))
    module = f"{folder}/{name}.js"
    return Element(value, html_template=template, module=module, sends=name, elem_id=name, **fixed)
