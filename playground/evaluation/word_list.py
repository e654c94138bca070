"""Whether a text has turned into a list of words: short items in a row, nouns and names without a clause.

Told by punctuation, line breaks and some grammatical words, in English and in Chinese, without a tagger. Knows no model
and no draft.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

LEAST_ITEMS = 4  # in a row; prose that names a few things stays below
LEAST_IN_SENTENCE = 8  # items in a row whose sentence ends, as it does in prose and in verse
LEAST_LINES = 3  # with a number or a bullet before them
LONG_RUN = 12  # items in a row at the end of a text: a list, whatever stands before
MOST_SHARE = 0.5  # of a text's words (of Chinese: characters) that may stand in such items
_MOST_WORDS, _MOST_CHARACTERS = 4, 8  # of an item

_ITEM_ENDS = re.compile(r"[,;:/|\n，、；：]+|\s[-–—*•·]+\s")
_SENTENCE_ENDS = re.compile(r"(?<=[^\W\d_][.!?…])[\"'”’)\]]*(?:\s+|\Z)|[。！？…]+[”’」』）]*")
_LINE_ENDS = re.compile(r"[\s.!?…。！？；;]+\Z")
_BULLET = re.compile(
    r"\s*(?:[-–—*•·>]+\s|\(?\d{1,3}[.)、．]|[（(][\d一二三四五六七八九十]+[）)]|[一二三四五六七八九十]{1,3}、)\s*"
)
_MARKUP = re.compile(r"[*_`#]+")
_WORD = re.compile(r"[^\W\d_]+(?:['’-][^\W\d_]+)*")
_HAN = re.compile(r"[\u3400-\u4dbf\u4e00-\u9fff]")
# Words of clauses. Articles, "and", "or" and "of" are not among them: they stand in lists of nouns too.
_GRAMMAR = """
    i you he she it we they me him us them my your his her its our their mine myself himself herself itself themselves
    this that these those there here who whom whose which what when where why how if because although though while
    until since unless so but not no nor never is are was were be been being am has have had having do does did done
    can could will would shall should may might must let to as than then too very just only even also still already
    again in on at by from into onto over under through between among before after during without within against
    about around across along behind beyond upon off out up down away back i'm it's don't isn't can't didn't wasn't
    couldn't wouldn't said says say see saw go goes went come came get got make makes made take takes took like
"""
_CLAUSE = frozenset(_GRAMMAR.split())
_HAN_CLAUSE = frozenset(
    "的了是在不没有我你您他她它们这那谁什么怎么就也都还又再才却但而且因为所以如果虽然被把给让向往从到对跟着过得地会能可要"
    "想说看来去吗呢吧啊很太更最只将已曾与及之其以于则乃无此何"
)


@dataclass(slots=True)
class _Run:
    """Neighbouring items that are all bare, or all not: how many, their words or characters, and whether a sentence
    ends with the last one."""

    bare: bool
    items: int = 0
    size: int = 0
    ended: bool = False


def is_word_list(text: str) -> bool:
    """Whether most of a text, or a long end of it, is such items; a few things that prose or verse names are none."""
    plain, lines = _lines(text)
    runs = _runs(plain)
    whole = sum(run.size for run in runs)
    listed = sum(run.size for run in runs if _is_list(run))
    bare = [_length(line) for line in lines if all(map(_is_bare, _ITEM_ENDS.split(line)))]
    if len(bare) >= LEAST_LINES:
        listed = max(listed, sum(bare))
    return listed > MOST_SHARE * whole or (bool(runs) and runs[-1].bare and runs[-1].items >= LONG_RUN)


def _is_list(run: _Run) -> bool:
    return run.bare and run.items >= (LEAST_IN_SENTENCE if run.ended else LEAST_ITEMS)


def _lines(text: str) -> tuple[str, list[str]]:
    """The text without markup and bullets, and the lines that had a bullet, without a mark at their end."""
    plain, bulleted = [], []
    for line in _MARKUP.sub("", text).splitlines():
        bullet = _BULLET.match(line)
        if bullet is None:
            plain.append(line)
            continue
        rest = _LINE_ENDS.sub("", line[bullet.end() :])
        plain.append(rest)
        if _length(rest):
            bulleted.append(rest)
    return "\n".join(plain), bulleted


def _runs(text: str) -> list[_Run]:
    """The runs of a text in order. The end of a sentence ends a run of bare items."""
    found: list[_Run] = []
    sentences = _SENTENCE_ENDS.split(text)
    for number, sentence in enumerate(sentences):
        for item in _ITEM_ENDS.split(sentence):
            length = _length(item)
            if not length:
                continue
            bare = _is_bare(item)
            if not found or found[-1].bare != bare or (bare and found[-1].ended):
                found.append(_Run(bare))
            found[-1].items += 1
            found[-1].size += length
        if found and number < len(sentences) - 1:
            found[-1].ended = True
    return found


def _length(item: str) -> int:
    return len(_HAN.findall(item)) + len(_WORD.findall(_HAN.sub(" ", item)))


def _is_bare(item: str) -> bool:
    characters, words = _HAN.findall(item), _WORD.findall(_HAN.sub(" ", item))
    if len(characters) > _MOST_CHARACTERS or len(words) > _MOST_WORDS:
        return False
    return not (_HAN_CLAUSE.intersection(characters) or _CLAUSE.intersection(word.casefold() for word in words))
