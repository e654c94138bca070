"""Where the words of a Chinese text end: Chinese is written without gaps. Knows no task."""

from __future__ import annotations

import re
from itertools import pairwise

LONGEST = 8  # characters of a keyword; a word of Latin letters or of digits may be longer
LONGEST_LATIN = 40
KEYWORD = rf"[\p{{L}}\p{{N}}]{{2,{LONGEST}}}|[a-zA-Z0-9]{{2,{LONGEST_LATIN}}}"  # as llguidance reads it
_KEYWORD = re.compile(rf"[^\W_]{{2,{LONGEST}}}|[a-zA-Z0-9]{{2,{LONGEST_LATIN}}}")


def words(text: str) -> list[str]:
    """The text in pieces: words, and between them marks and spaces. A name that no dictionary has is left in
    characters; so is a longer word than a keyword may be."""
    import rjieba  # reads its dictionary, for a fifth of a second

    pieces = rjieba.cut(text, hmm=False)  # hmm=True joins characters that it only takes for a word: "考试|周将|开放"
    return [part for piece in pieces for part in ([piece] if piece.isascii() or len(piece) <= LONGEST else piece)]


def has_keyword(text: str) -> bool:
    """Whether a run of words of the text is a keyword."""
    found = words(text)
    return any(_KEYWORD.fullmatch(run) for run in (*found, *(one + other for one, other in pairwise(found))))
