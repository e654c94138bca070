"""Which runs of words of a text may be a keyword. Knows no task and no grammar.

Chinese is written without gaps, so a dictionary says where its words end. Where words have gaps, English words that
only hold a sentence together end a run: "quieter and cause" is no keyword, though it stands in the text.
"""

from __future__ import annotations

import re
from itertools import pairwise

LONGEST = 8  # characters of a Chinese keyword; a word of Latin letters or of digits in it may be longer
LONGEST_LATIN = 40
CHINESE = rf"[\p{{L}}\p{{N}}]{{2,{LONGEST}}}|[a-zA-Z0-9]{{2,{LONGEST_LATIN}}}"  # as llguidance reads it
_CHINESE = re.compile(rf"[^\W_]{{2,{LONGEST}}}|[a-zA-Z0-9]{{2,{LONGEST_LATIN}}}")

_WORD = re.compile(r"[^\W_](?:['’-]?[^\W_])*")
# Articles, pronouns, auxiliaries, prepositions, conjunctions. "of" is none of them: it stands in names.
_WORDS_BETWEEN = """
    a an the this that these those i you he she it we they me him her us them my your his its our their who whom whose
    which what when where why how is are was were be been being am has have had having do does did done can could will
    would shall should may might must to as than at by for from in into on onto with without within between among
    before after during against about until since though although because while if and or but nor not no so also only
    just too very then there here each some any all both such
"""
_LINKING = frozenset(_WORDS_BETWEEN.split())
_ALSO_NAMES = frozenset({"may", "will"})  # with a capital letter


def words(text: str) -> list[str]:
    """A Chinese text in pieces: words, and between them marks and spaces. A name that no dictionary has is left in
    characters; so is a longer word than a keyword may be."""
    import rjieba  # reads its dictionary, for a fifth of a second

    pieces = rjieba.cut(text, hmm=False)  # hmm=True joins characters that it only takes for a word: "考试|周将|开放"
    return [part for piece in pieces for part in ([piece] if piece.isascii() or len(piece) <= LONGEST else piece)]


def has_words(text: str) -> bool:
    """Whether a run of words of a Chinese text is a keyword."""
    found = words(text)
    return any(_CHINESE.fullmatch(run) for run in (*found, *(one + other for one, other in pairwise(found))))


def content(text: str) -> str:
    """The text with a line break in the place of each linking word; the whole text where nothing else is in it."""
    left = _WORD.sub(lambda found: "\n" if _links(found[0]) else found[0], text)
    return left if _WORD.search(left) else text


def _links(word: str) -> bool:
    plain = word.replace("’", "'").removesuffix("'s")
    small = plain.lower()
    if small.endswith("n't"):
        return True
    return small in _LINKING and (plain == small or (plain == small.capitalize() and small not in _ALSO_NAMES))
