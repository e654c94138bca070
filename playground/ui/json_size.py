"""How many values a JSON text holds and how deep they stand, counted before anything parses it.

A few megabytes of `[],` become a million objects, which take seconds and hundreds of megabytes; texts of that length
are cheap. Knows no request and no element.
"""

from __future__ import annotations

import re

MOST_VALUES = 20_000  # of a request's body: lists of token ids are the largest that anybody sends
DEEPEST = 60  # lists and objects within each other: Gradio goes down by recursion
_SIGN = r'"[^"\\]*+(?:\\.[^"\\]*+)*+(?:"|\\?\Z)|[\[{,\]}]'  # a string, which may lack its end, counts as one sign
_SIGNS = re.compile(_SIGN, re.DOTALL)
_SIGNS_IN_BYTES = re.compile(_SIGN.encode(), re.DOTALL)


def is_heavy(text: str | bytes, most: int = MOST_VALUES, deepest: int = DEEPEST) -> bool:
    """Whether there are more values than `most`, or deeper ones than `deepest`. Looks at no more than it has to."""
    if isinstance(text, bytes):
        openings, commas = text.count(b"[") + text.count(b"{"), text.count(b",")
    else:
        openings, commas = text.count("[") + text.count("{"), text.count(",")
    if openings <= deepest and openings + commas <= most:
        return False
    signs = _SIGNS_IN_BYTES.finditer(text) if isinstance(text, bytes) else _SIGNS.finditer(text)
    values = texts = depth = 0
    for sign in signs:
        first = sign[0][:1]
        if first in (b"[", b"{", "[", "{"):
            depth += 1
            values += 1
        elif first in (b"]", b"}", "]", "}"):
            depth -= 1
            if depth < 0:  # no parser goes on behind the end of the whole
                return False
        elif first in (b",", ","):
            values += 1
        else:
            texts += 1  # between two of them JSON has another sign: more of them are no JSON
        if depth > deepest or values > most or texts > 2 * most + 1:
            return True
    return False
