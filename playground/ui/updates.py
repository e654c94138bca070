"""What an event sends to the elements of the page while it runs: each thing once.

Gradio's page shows only the last of two updates that reach it together, and none while its tab is hidden, so what
holds only news would be lost there. These go past it: stream.js reads them off the stream itself, in their order.
Knows no element by name.
"""

from __future__ import annotations

import uuid
from collections.abc import Mapping, Sequence
from typing import Any

_SHORT = 8  # characters that two texts have in common, up to which it is not worth saying
Entry = tuple[str, str, Any]
"""Which element's listener, of which event ("" for what stands by itself), and how its value changes: see `changes`."""


class Updates:
    """One event's. A state is sent whole at first and then by what has changed in it, a piece as it is."""

    def __init__(self) -> None:
        self._event = uuid.uuid4().hex[:8]
        self._sent: dict[str, Any] = {}

    def of(self, states: Mapping[str, Any], pieces: Mapping[str, Any] | None = None) -> dict[str, list[Entry]]:
        """The next update: states and pieces by whom they are for."""
        entries: list[Entry] = []
        for to, state in states.items():
            how = changes(self._sent[to], state) if to in self._sent else [state]
            self._sent[to] = state
            if how is not None:
                entries.append((to, self._event, how))
        return {"feed": [*entries, *(pieces_only(pieces or {})["feed"])]}


def pieces_only(pieces: Mapping[str, Any]) -> dict[str, list[Entry]]:
    """An update of an event that tells nothing else."""
    return {"feed": [(to, "", [piece]) for to, piece in pieces.items()]}


def changes(old: Any, new: Any) -> Any:
    """How one comes of the other: [new] instead of it, [kept, added] for a text that keeps its beginning (counted as a
    browser does, in UTF-16), {name or place: …} for what changed or came in a mapping or a list; None for nothing.
    """
    if old is new or (type(old) is type(new) and old == new):
        return None
    if isinstance(old, dict) and isinstance(new, dict) and old.keys() <= new.keys():
        return _parts((name, old.get(name, _NOTHING), value) for name, value in new.items())
    if isinstance(old, list) and isinstance(new, list) and len(old) <= len(new):
        return _parts((str(at), old[at] if at < len(old) else _NOTHING, value) for at, value in enumerate(new))
    if isinstance(old, str) and isinstance(new, str):
        kept = common(old, new)
        if kept > _SHORT:
            return [len(new[:kept].encode("utf-16-le", "surrogatepass")) // 2, new[kept:]]
    return [new]


def common(old: Sequence[Any], new: Sequence[Any]) -> int:
    """How many characters, or parts of a list, both begin with."""
    least, most = 0, min(len(old), len(new))
    while least < most:
        middle = (least + most + 1) // 2
        if old[least:middle] == new[least:middle]:
            least = middle
        else:
            most = middle - 1
    return least


_NOTHING: Any = object()


def _parts(all_parts: Any) -> dict[str, Any]:
    found = ((name, [new] if old is _NOTHING else changes(old, new)) for name, old, new in all_parts)
    return {name: how for name, how in found if how is not None}
