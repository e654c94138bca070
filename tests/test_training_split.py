"""Which rows measure and which are learned from: by a seed, in stated numbers, no text on both sides."""

from __future__ import annotations

import random
from dataclasses import replace

import pytest

from playground import parameters
from playground.training.example import Example
from playground.training.split import LEAST, MOST, Split, duplicates, key, shared, split
from playground.types import InvalidRequest, Request, Turn

VALUES = parameters.validate({})


def example(row: int, prompt: str = "", answer: str = "", turns: tuple[Turn, ...] = ()) -> Example:
    return Example(Request(prompt or f"question {row}", VALUES, "chat", turns=turns), answer or f"answer {row}", row)


def some(count: int) -> list[Example]:
    return [example(row) for row in range(1, count + 1)]


def refused(*given: object) -> InvalidRequest:
    with pytest.raises(InvalidRequest) as caught:
        split(*given)  # type: ignore[arg-type]
    assert caught.value.message.zh != caught.value.message.en
    return caught.value


@pytest.mark.parametrize(
    ("rows", "share", "validation"),
    [
        (1000, 0.1, 100), (100, 0.1, LEAST), (32, 0.1, LEAST), (9000, 0.1, MOST), (200, 0.0, 0), (40, 0.9, 36),
        (31, 0.1, 7), (20, 0.5, 5), (4, 0.1, 1), (2, 0.1, 1),
    ],
)  # fmt: skip
def test_so_many_rows_are_for_validation(rows: int, share: float, validation: int) -> None:
    found = split(some(rows), share, 1)
    assert (len(found.train), len(found.validation)) == (rows - validation, validation)
    assert sorted(one.row for one in (*found.train, *found.validation)) == list(range(1, rows + 1))
    assert (found.notice is not None) == (validation < LEAST)
    if 0 < validation < LEAST:
        assert found.notice is not None and f"Only {validation} row" in found.notice.en and "验证" in found.notice.zh


def test_a_seed_decides_and_nothing_else() -> None:
    rows = some(200)
    assert split(rows, 0.1, 7) == split(rows, 0.1, 7)
    assert split(rows, 0.1, 7).validation != split(rows, 0.1, 8).validation
    found = split(rows, 0.1, 7)
    assert [one.row for one in found.train] == sorted(one.row for one in found.train)


def test_what_is_equal_up_to_blanks_and_accents_is_equal() -> None:
    one = example(1, "Caf\u00e9 au  lait", "Yes.\n")
    assert key(one) == key(example(2, "Cafe\u0301 au lait", "Yes.")) != key(example(1, "Cafe au lait", "Yes."))
    assert key(replace(one, request=replace(one.request, system="S"))) != key(one)
    assert key(example(1, "a", "b", (("user", "x"), ("assistant", "y")))) != key(example(1, "a", "b"))
    assert duplicates([one, example(2), replace(one, row=3)]) == 1


@pytest.mark.parametrize("seed", range(20))
def test_no_text_and_no_conversation_stands_on_both_sides(seed: int) -> None:
    chance = random.Random(seed)
    rows = [
        example(row, f"question {chance.randint(1, 90)}", f"answer {chance.randint(1, 2)}")
        for row in range(1, 121)
        for _ in range(chance.randint(1, 3))
    ]
    found = split(rows, 0.2, seed)
    sides = [{key(one) for one in side} for side in (found.train, found.validation)]
    numbers = [{one.row for one in side} for side in (found.train, found.validation)]
    assert sides[0] & sides[1] == set() and numbers[0] & numbers[1] == set()
    assert len(found.train) + len(found.validation) == len(rows) and all(sides)


def test_a_file_of_validation_takes_its_rows_out_of_what_is_trained() -> None:
    rows = some(30)
    found = split(rows, 0.5, 1, [*some(3), example(99)])
    assert found.validation == (*some(3), example(99)) and found.train == tuple(rows[3:]) and found.left_out == 3
    assert found.notice is not None and found.notice.en.startswith("3 rows stand in the file of validation too")
    assert "Only 4 rows are for validation" in found.notice.en
    assert split(rows, 0.5, 1, [example(row) for row in range(100, 140)]).notice is None
    assert shared(rows, some(3)) == 3


def test_too_little_is_one_sentence() -> None:
    assert refused([], 0.1, 1).message.en == "There are no rows to learn from."
    assert refused(some(1), 0.1, 1).message.en.startswith("There is only one row")
    assert refused([example(1), replace(example(1), row=2)], 0.1, 1).message.en.startswith("There is only one row")
    piece = Example(Request("", VALUES), "A short text.", 1, piece=True)
    assert refused([piece], 0.1, 1).message.en.startswith("The text is too short")
    assert refused(some(4), 0.1, 1, []).parameter == "validation"
    assert refused(some(4), 0.1, 1, some(9)).message.en == "All rows stand in the file of validation too."


def test_a_split_of_its_own_has_nothing_to_say() -> None:
    assert Split((), ()).notice is None and split(some(400), 0.1, 1).left_out == 0
