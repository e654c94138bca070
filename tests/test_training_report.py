"""What is known before anything runs: counts that add up, rows that are cut, each token as the model will see it."""

from __future__ import annotations

import json
from typing import Any

import pytest

from playground import parameters
from playground.rendering.prompt import Prompts
from playground.training.data_report import OTHER, language_of, mostly_prompt, preview, report
from playground.training.encoding import encode, encode_all
from playground.training.example import Encoded, Example
from playground.training.formats import Records
from playground.training.mapped import examples, mapped
from playground.training.mapping import FreeMapping
from playground.training.split import split
from playground.types import Request
from tests import built, chat_families

VALUES = parameters.validate({})
MAPPING = FreeMapping("About {{product}}", "slogan")


def prompts_of(tokenizer: Any) -> Prompts:
    return Prompts(built.speaker(tokenizer, ends=tokenizer.eos_token_id, places=4).model, tokenizer, "Speaker", 500)


def records(rows: list[tuple[str, str]]) -> Records:
    return Records("columns", ("product", "slogan"), tuple({"product": one, "slogan": said} for one, said in rows))


ROWS = [
    *((f"tea {number}", f"The tea of the day is number {number}.") for number in range(40)),
    ("tea 1", "The tea of  the day is number 1."),
    ("bread", ""),
    ("", "the the"),
    ("a very long slogan", "word " * 200),
    ("too long " * 60, "No."),
    ("茶", "一杯热茶，暖到心里。"),
]


def test_the_report_counts_what_there_is() -> None:
    found = mapped(records(ROWS), MAPPING)
    sides = split(found.examples, 0.4, 1)
    prompts = prompts_of(built.byte_level())
    train, validation = (encode_all(side, prompts, 120) for side in (sides.train, sides.validation))
    told = report(found, sides, train, validation, examples(records(ROWS[:2]), MAPPING))
    assert (told.rows, told.examples, told.empty, told.duplicates, told.refused) == (46, 44, 1, 1, 2)
    assert told.train + told.validation + told.unlearned == 44 and told.unlearned == 1
    assert told.longest == 120 and told.cut == 2
    assert [(one.row, one.part) for one in told.cut_rows] == [(44, "answer"), (45, "prompt")]
    rows = [*train.rows, *validation.rows]
    assert told.tokens == sum(len(one.ids) for one in rows) > told.learned == sum(one.count for one in rows) > 0
    assert told.languages == {"en": 42, "zh": 1, OTHER: 1} and told.shared == 3
    assert told.reasons[0][0] == 42
    assert json.loads(json.dumps(told.as_record()))["cut_rows"][0]["part"] == "answer"


@pytest.mark.parametrize(("prompt", "answer", "told"), [(400, 10, True), (400, 200, False), (20, 1, False)])
def test_a_long_prompt_for_a_short_answer_is_remarked(prompt: int, answer: int, told: bool) -> None:
    row = Encoded(tuple(range(prompt + answer)), (False,) * prompt + (True,) * answer, 0, 1)
    found = mostly_prompt([row] * 3)
    assert (found is not None) == told and mostly_prompt([]) is None
    if found is not None:
        assert "Of 410 tokens a row, 10 are learned" in found.en and "410" in found.zh


def test_a_row_without_a_prompt_is_refused_and_one_without_a_part_of_it_is_not() -> None:
    found = mapped(records(ROWS), MAPPING)
    assert found.refused[43].en == "The prompt is empty.", "the line goes with its only variable"
    beside = mapped(records(ROWS), FreeMapping("Write a slogan.\n{{product}}", "slogan"))
    assert list(beside.refused) == [42]


@pytest.mark.parametrize(
    ("text", "language"),
    [
        ("The cat sat on the mat and it was warm.", "en"), ("一杯热茶，暖到心里。", "zh"), ("お茶をどうぞ。", "ja"),
        ("Die Katze ist nicht auf dem Tisch.", "de"), ("Le chat est sur la table.", "fr"), ("Чай и хлеб.", "ru"),
        ("따뜻한 차 한 잔.", "ko"),
        ("شاي دافئ", "ar"), ("תה חם", "he"), ("12345", OTHER), ("", OTHER), ("Zxqv wkrt", OTHER),
        ("El gato está en la mesa y no se mueve.", "es"),
    ],
)  # fmt: skip
def test_the_language_of_a_text_is_told_by_its_script_and_its_commonest_words(text: str, language: str) -> None:
    assert language_of(text) == language


SIGNS = ["good day", "naïve 中文 🇩🇪", "中", "🇩🇪", "a\n\nb ", "the cat"]


@pytest.mark.parametrize("text", SIGNS)
@pytest.mark.parametrize("family", ["SmolLM2", "Qwen3", "Gemma 3"])
def test_the_preview_joins_to_what_the_model_sees_and_breaks_where_learning_begins(text: str, family: str) -> None:
    tokenizer = chat_families.bytes_tokenizer(chat_families.FAMILIES[family])
    found = encode(Example(Request(text, VALUES, "chat"), text, 1), prompts_of(tokenizer), 500)
    shown = preview(found, tokenizer)
    border = found.learned.index(True)
    masked = "".join(piece for piece, learned in shown if not learned)
    learned = "".join(piece for piece, learned in shown if learned)
    assert masked == tokenizer.decode(found.ids[:border]) and learned == tokenizer.decode(found.ids[border:])
    assert "\ufffd" not in masked + learned
    assert [one for _, one in shown] == sorted(one for _, one in shown)


@pytest.mark.parametrize("make", [built.sentence_piece, built.unigram, built.in_python])
def test_so_it_does_with_other_vocabularies(make: Any) -> None:
    tokenizer = make()
    found = encode(Example(Request("the cat sat", VALUES, "chat"), "good day", 1), prompts_of(tokenizer), 500)
    shown = preview(found, tokenizer)
    assert "".join(piece for piece, learned in shown if learned).strip() == "good day<|im_end|>"
    assert "the cat sat" in "".join(piece for piece, _ in shown)
