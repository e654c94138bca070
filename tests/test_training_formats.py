"""Files of training data become records: every usual shape is known by itself, and one bad row costs no other."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import openpyxl
import pytest

from playground.tables.rows import NeedsChoice, Reading
from playground.tables.table import TableLimits
from playground.training import formats
from playground.training.formats import Records, Talk
from playground.training.text_pieces import MOST, TARGET, pieces
from playground.types import InvalidRequest, Turn


def read(folder: Path, name: str, content: Any, **more: Any) -> Records:
    place = folder / name
    if isinstance(content, list):
        content = "\n".join(json.dumps(one, ensure_ascii=False) for one in content)
    place.write_bytes(content if isinstance(content, bytes) else content.encode())
    found = formats.read(place, **more)
    for reason in found.refused.values():
        assert reason.en != reason.zh and reason.en.endswith(".") and reason.zh.endswith("。")
    return found


def refused(folder: Path, name: str, content: Any, **more: Any) -> str:
    with pytest.raises(InvalidRequest) as caught:
        read(folder, name, content, **more)
    assert caught.value.message.zh != caught.value.message.en and "\n" not in caught.value.say("en")
    return caught.value.say("en")


def talks(found: Records) -> list[Talk]:
    assert found.kind == "chat"
    return [row for row in found.rows if isinstance(row, Talk)]


@pytest.mark.parametrize(("name", "delimiter"), [("a.csv", ","), ("a.csv", ";"), ("a.tsv", "\t")])
def test_a_table_has_rows_by_column(tmp_path: Path, name: str, delimiter: str) -> None:
    found = read(tmp_path, name, f"product{delimiter}slogan\nTea{delimiter}Warm\n")
    assert found == Records("columns", ("product", "slogan"), ({"product": "Tea", "slogan": "Warm"},))


def test_so_has_a_sheet(tmp_path: Path) -> None:
    book = openpyxl.Workbook()
    book.active.append(["product", "price"])
    book.active.append(["Tea", 3.5])
    book.save(tmp_path / "a.xlsx")
    assert formats.read(tmp_path / "a.xlsx").rows == ({"product": "Tea", "price": "3.5"},)


def test_plain_objects_are_rows_and_numbers_stay_as_they_are_written(tmp_path: Path) -> None:
    found = read(tmp_path, "a.jsonl", '{"product": "Tea", "price": 3.10}\n{"product": "Oil", "price": "4"}\n')
    assert found.kind == "columns" and [row["price"] for row in found.rows if isinstance(row, dict)] == ["3.10", "4"]


SAID = [{"role": "user", "content": "Hi"}, {"role": "assistant", "content": "Yes"}]
TALK = Talk("", (("user", "Hi"), ("assistant", "Yes")), (1,))
SHAPES: dict[str, Any] = {
    "messages": {"messages": SAID},
    "ShareGPT": {"conversations": [{"from": "human", "value": "Hi"}, {"from": "gpt", "value": "Yes"}]},
    "parts": {"messages": [{"role": "user", "content": [{"type": "text", "text": "Hi"}]}, SAID[1]]},
    "a prompt and a completion of messages": {"prompt": SAID[:1], "completion": SAID[1:]},
    "a question behind the last answer": {"messages": [*SAID, {"role": "user", "content": "Why?"}]},
    "other names": {"conversation": [{"role": "User", "content": "Hi"}, {"role": "model", "content": "Yes"}]},
}


@pytest.mark.parametrize("shape", SHAPES.values(), ids=SHAPES)
def test_every_usual_shape_of_a_conversation_is_the_same_conversation(tmp_path: Path, shape: Any) -> None:
    assert talks(read(tmp_path, "a.jsonl", [shape])) == [TALK]
    assert talks(read(tmp_path, "a.json", json.dumps([shape, shape], indent=2))) == [TALK, TALK]


@pytest.mark.parametrize("system", [{"system": "Be brief."}, {}])
def test_a_system_prompt_stands_before_the_turns(tmp_path: Path, system: dict[str, str]) -> None:
    first = [] if system else [{"role": "developer", "content": "Be brief."}]
    (talk,) = talks(read(tmp_path, "a.jsonl", [{**system, "messages": [*first, *SAID]}]))
    assert talk == Talk("Be brief.", TALK.turns, (1,))


def test_messages_of_one_speaker_are_one_turn_and_a_weight_of_nothing_is_not_learned(tmp_path: Path) -> None:
    said = [
        SAID[0], {"role": "user", "content": "There?"}, {**SAID[1], "weight": 0},
        {"role": "user", "content": "Why?"}, {"role": "assistant", "content": "So."},
    ]  # fmt: skip
    (talk,) = talks(read(tmp_path, "a.jsonl", [{"messages": said}]))
    turns: tuple[Turn, ...] = (("user", "Hi\n\nThere?"), ("assistant", "Yes"), ("user", "Why?"), ("assistant", "So."))
    assert talk == Talk("", turns, (3,))


BAD: dict[str, Any] = {
    "nobody here speaks as 'tool'": {"messages": [*SAID, {"role": "tool", "content": "5"}]},
    "calls a tool": {"messages": [SAID[0], {"role": "assistant", "content": "", "tool_calls": [{}]}]},
    "does not begin with a message of the user": {"messages": SAID[1:]},
    "no answer to learn": {"messages": SAID[:1]},
    "a message has no text": {"messages": [SAID[0], {"role": "assistant", "content": None}]},
    "a message is no JSON object": {"messages": ["Hi", "Yes"]},
    "this is no conversation": {"text": "Hi"},
    "between other messages": {"messages": [*SAID, {"role": "system", "content": "x"}, *SAID]},
    "more than 400 turns": {"messages": SAID * 201},
    "a message is too long": {"messages": [{"role": "user", "content": "a" * 600_000}, SAID[1]]},
}


@pytest.mark.parametrize("reason", BAD)
def test_one_bad_conversation_is_refused_by_its_line_and_the_others_go_on(tmp_path: Path, reason: str) -> None:
    found = read(tmp_path, "a.jsonl", [{"messages": SAID}, BAD[reason], {"messages": SAID}])
    assert talks(found)[0] == TALK == talks(found)[2] and list(found.refused) == [2]
    assert found.refused[2].en.startswith("Line 2: ") and reason in found.refused[2].en
    listed = read(tmp_path, "a.json", json.dumps([{"messages": SAID}, BAD[reason]]))
    assert listed.refused[2].en.startswith("Entry 2: ")


def test_a_line_that_is_no_json_is_refused_alone(tmp_path: Path) -> None:
    found = read(tmp_path, "a.jsonl", json.dumps({"messages": SAID}) + "\n{broken\n")
    assert list(found.refused) == [2] and len(found.rows) == 2
    found = read(tmp_path, "a.jsonl", '{"a": "1"}\n{broken\n')
    assert list(found.refused) == [2] and "is no JSON object" in found.refused[2].en


@pytest.mark.parametrize(
    ("columns", "asked", "answer"),
    [
        (("instruction", "input", "output"), ("instruction", "input"), "output"),
        (("Prompt", "Completion"), ("Prompt",), "Completion"),
        (("id", "question", "answer"), ("question",), "answer"),
    ],
)
def test_columns_of_a_known_meaning_are_pairs_in_every_format(
    tmp_path: Path, columns: tuple[str, ...], asked: tuple[str, ...], answer: str
) -> None:
    row = dict.fromkeys(columns, "x")
    for found in (
        read(tmp_path, "a.jsonl", [row]),
        read(tmp_path, "a.json", json.dumps([row])),
        read(tmp_path, "a.csv", ",".join(columns) + "\n" + ",".join("x" for _ in columns)),
    ):
        assert found.kind == "pairs" and found.rows == (row,)
        assert formats.pair_of(found.columns) == (asked, answer)


def test_results_of_a_batch_are_columns_with_their_text(tmp_path: Path) -> None:
    line = {"row": 1, "input": {"product": "Tea"}, "state": "done", "texts": ["Warm.", "Hot."], "seed": 1}
    failed = {"row": 2, "input": {"product": "Oil"}, "state": "failed", "texts": []}
    found = read(tmp_path, "a.jsonl", [line, failed])
    assert found.rows == ({"product": "Tea", "result": "Warm."}, {"product": "Oil", "result": ""})


# --- texts ---------------------------------------------------------------------------------------------------------

TEXT = "\n".join(["# One", "", *["A line of some words that goes on and on."] * 60, "", "## Two", "", "Short.", "", ""])


@pytest.mark.parametrize("name", ["a.txt", "a.md", "a.markdown"])
def test_a_text_is_its_pieces(tmp_path: Path, name: str) -> None:
    found = read(tmp_path, name, TEXT.replace("\n", "\r\n"))
    assert found.kind == "text" and "".join(map(str, found.rows)) == TEXT
    assert str(found.rows[-1]).startswith("## Two")


@pytest.mark.parametrize(
    "text",
    [
        TEXT, "word " * 5000, "字" * 9000, "一句话。" * 3000, "\n\n\nx\n\n\n", "x", "a\n \n\t\nb",
        "第一回 开篇\n\n正文\n\n第二回 续\n\n正文",
        "\n".join(f"paragraph {n} of many words" for n in range(900)),
    ],
)  # fmt: skip
def test_pieces_join_to_the_text_and_none_is_long_or_blank(text: str) -> None:
    found = pieces(text)
    assert "".join(found) == text and all(piece.strip() for piece in found)
    assert all(len(piece) <= MOST + TARGET for piece in found)


def test_a_heading_begins_a_piece() -> None:
    text = "Front matter.\n\nCHAPTER II\n\nIt rained.\n\nChapter 3\n\nIt snowed.\n\n第四章 雪\n\n下雪了。\n"
    assert [piece.split("\n")[0] for piece in pieces(text)] == ["Front matter.", "CHAPTER II", "Chapter 3", "第四章 雪"]


def test_a_text_in_another_encoding_is_asked_for(tmp_path: Path) -> None:
    place = tmp_path / "a.txt"
    place.write_bytes("杯子很好看。\n".encode("gb18030") * 4)
    with pytest.raises(NeedsChoice) as caught:
        formats.read(place)
    assert caught.value.option == "encoding" and "gb18030" in [one.value for one in caught.value.choices]
    assert "".join(map(str, formats.read(place, Reading(encoding="gb18030")).rows)) == "杯子很好看。\n" * 4


# --- what cannot be read -------------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", ["a.csv", "a.jsonl", "a.json"])
def test_a_file_without_rows_is_one_sentence(tmp_path: Path, name: str) -> None:
    content = {"a.csv": "product,slogan\n", "a.jsonl": "\n\n", "a.json": "[]"}[name]
    assert refused(tmp_path, name, content).startswith("The file has no rows.")


@pytest.mark.parametrize("name", ["a.txt", "a.md"])
def test_a_file_without_text_is_one_sentence(tmp_path: Path, name: str) -> None:
    assert refused(tmp_path, name, " \n\n").startswith("The file has no text.")


def test_other_files_and_files_that_are_not_there_are_one_sentence(tmp_path: Path) -> None:
    assert refused(tmp_path, "a.pdf", "x").startswith("'a.pdf' is no CSV, XLSX, JSONL, JSON, TXT or Markdown file.")
    assert refused(tmp_path, "a.json", '"text"').startswith("The file is no list of JSON objects.")
    assert refused(tmp_path, "a.json", "[1,").startswith("The file is no list of JSON objects.")
    with pytest.raises(InvalidRequest, match=r"'b\.csv' cannot be read"):
        formats.read(tmp_path / "b.csv")


def test_bounds_are_said_with_their_numbers(tmp_path: Path) -> None:
    small = TableLimits(rows=2, size=200, cell=100)
    assert "at most 200 B" in refused(tmp_path, "a.txt", "x" * 201, most=small)
    rows = [{"messages": SAID}] * 3
    assert refused(tmp_path, "a.json", json.dumps(rows), most=TableLimits(2, 10**6, 100)).startswith("Row 3 is one too")


def test_a_list_of_one_object_a_line_is_read_whatever_its_name_says(tmp_path: Path) -> None:
    lines = json.dumps({"messages": SAID}) + "\n" + json.dumps({"messages": SAID})
    assert talks(read(tmp_path, "a.json", lines)) == [TALK, TALK]
