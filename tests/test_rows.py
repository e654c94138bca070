"""Tables of texts: a file is read within its bounds, hostile or not, and exports do no harm."""

import csv
import io
import json
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from playground.settings import Limits
from playground.tables.rows import FORMULA, NeedsChoice, Reading, Result, Table, as_csv, as_jsonl, read
from playground.types import InvalidRequest, Text
from tests.workbooks import HEAD, row, text, workbook

LIMITS = replace(Limits(), batch_rows=100, batch_bytes=200_000, batch_cell=1_000)


def read_bytes(folder: Path, name: str, data: bytes, reading: Reading | None = None) -> Table:
    (folder / name).write_bytes(data)
    return read(folder / name, LIMITS, reading)


def test_a_file_is_read_with_the_rows_that_are_refused(tmp_path: Path) -> None:
    table = read_bytes(
        tmp_path, "rows.csv", "名称;note\nBlue Moon;x\n月亮;a;b\n".encode() + b"y" * 1_001 + b";\nlast;\n"
    )
    assert table.columns == ("名称", "note")
    assert [one["名称"] for one in table.rows] == ["Blue Moon", "月亮", "y" * 200, "last"]
    assert {number: reason.say("zh")[:10] for number, reason in table.refused.items()} == {
        2: "文件第 3 行的单元",
        3: "文件第 4 行：'名",
    }


def test_what_can_be_read_in_several_ways_is_asked_and_read_as_said(tmp_path: Path) -> None:
    sheets = workbook(HEAD, row(2, text("A2", "x")), sheets={"One": "visible", "Two": "visible"})
    for name, data, option, choice in (
        ("rows.xlsx", sheets, "sheet", "Two"),
        ("rows.csv", b"a,b;c\n1,2;3\n", "delimiter", ";"),
        ("rows.csv", "a,b\nCafé,1\n".encode("cp1252"), "encoding", "windows-1252"),
    ):
        with pytest.raises(NeedsChoice) as caught:
            read_bytes(tmp_path, name, data)
        assert caught.value.option == option and choice in [one.value for one in caught.value.choices]
        assert read_bytes(tmp_path, name, data, replace(Reading(), **{option: choice})).rows


@pytest.mark.parametrize(
    ("name", "data", "said"),
    [
        ("rows.pdf", b"%PDF", "no CSV, XLSX or JSONL"),
        ("rows.csv", b"", "no rows"),
        ("rows.csv", b"product\n\n \n", "no rows"),
        ("rows.csv", b"product\nab\nc\xff\n", "Line 3 is not UTF-8"),
        ("rows.csv", b"a\n" + b"x\n" * 101, "Row 101 is one too many"),
        ("rows.csv", b"a\n" + b"x" * 200_000, "200 kB are allowed"),
        ("rows.xlsx", b"PK but no archive", "no valid XLSX"),
        ("none.csv", None, "cannot be read"),
    ],
)
def test_what_cannot_be_read_is_one_sentence(tmp_path: Path, name: str, data: bytes | None, said: str) -> None:
    if data is not None:
        (tmp_path / name).write_bytes(data)
    with pytest.raises(InvalidRequest, match=said) as caught:
        read(tmp_path / name, LIMITS)
    assert "\n" not in caught.value.say("en") and caught.value.say("zh") != caught.value.say("en")


def exported(results: list[Result], columns: tuple[str, ...], candidates: int = 1) -> list[list[str]]:
    text = "".join(as_csv(columns, results, candidates))
    assert text.startswith("\ufeff")
    return list(csv.reader(io.StringIO(text[1:], newline="")))


@given(st.sampled_from(FORMULA), st.text(alphabet=st.characters(exclude_categories=["Cs"]), max_size=12))
def test_no_exported_cell_begins_like_a_formula(first: str, rest: str) -> None:
    cell = first + rest
    result = Result(1, {cell: cell}, "failed", (cell, cell), Text(cell, cell), 5, None, cell, cell)
    lines = exported([result], (cell,), candidates=2)
    assert all(not found.startswith(FORMULA) for line in lines for found in line)
    assert lines[1][0] == f"'{cell}"
    assert json.loads("".join(as_jsonl([result])))["texts"] == [cell, cell]


def test_results_stand_beside_the_inputs_under_names_of_their_own() -> None:
    result = Result(
        1, {"product": "Tea", "result": "mine"}, "done", ("theirs",), None, 4, Text("not in Chinese", "不是中文"),
        "ann/tea", "r2",
    )  # fmt: skip
    lines = exported([result], ("product", "result"))
    assert lines == [
        ["product", "result", "result (2)", "state", "reason", "seed", "model", "revision", "remark"],
        ["Tea", "mine", "theirs", "done", "", "4", "ann/tea", "r2", "not in Chinese"],
    ]
