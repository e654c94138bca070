"""Tables of texts: what a spreadsheet saves is read as it was meant, hostile files are refused, exports do no harm."""

import csv
import io
import json
import zipfile
from datetime import date
from pathlib import Path

import openpyxl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from playground.rows import FORMULA, Result, Table, as_csv, as_jsonl, read
from playground.types import InvalidRequest, Text


def read_bytes(folder: Path, name: str, data: bytes, most_rows: int = 100, most_bytes: int = 200_000) -> Table:
    path = folder / name
    path.write_bytes(data)
    return read(path, most_rows=most_rows, most_bytes=most_bytes)


@pytest.mark.parametrize("delimiter", [",", ";", "\t"])
@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig"])
def test_a_csv_is_read_whatever_its_delimiter_and_mark(tmp_path: Path, delimiter: str, encoding: str) -> None:
    lines = [["名称", "note"], ["Blue Moon", 'says "hi", twice;\nthen\tleaves'], ["", ""], ["月亮", ""]]
    written = io.StringIO()
    csv.writer(written, delimiter=delimiter).writerows(lines)
    table = read_bytes(tmp_path, "rows.csv", written.getvalue().encode(encoding))
    assert table.columns == ("名称", "note")
    assert [tuple(row.values()) for row in table.rows] == [tuple(lines[1]), ("月亮", "")]


def test_a_sheet_is_read_as_it_is_shown_and_its_formulas_are_not_run(tmp_path: Path) -> None:
    book = openpyxl.Workbook()
    sheet = book.active
    for line in (["product", "price", None, "since"], ["Blue Moon", 3.0, "x", date(2024, 5, 1)], [], ["=1+1", 2.5]):
        sheet.append(line)
    book.save(tmp_path / "rows.xlsx")
    table = read(tmp_path / "rows.xlsx", most_rows=10, most_bytes=100_000)
    assert table.columns == ("product", "price", "column 3", "since")
    assert list(table.rows[0].values()) == ["Blue Moon", "3", "x", "2024-05-01T00:00:00"]
    assert list(table.rows[1].values()) == ["", "2.5", "", ""]


def test_jsonl_rows_may_differ_in_what_they_have(tmp_path: Path) -> None:
    data = b'{"a": "x", "n": 3}\n\n{"b": true, "a": null, "t": "two\\u2028lines"}\n'
    table = read_bytes(tmp_path, "rows.jsonl", data)
    assert table.columns == ("a", "n", "b", "t")
    assert [list(row.values()) for row in table.rows] == [["x", "3", "", ""], ["", "", "true", "two\u2028lines"]]


def bomb() -> bytes:
    """A sheet of some kilobytes that unpacks to thirty megabytes, as its own directory says."""
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w", zipfile.ZIP_DEFLATED) as file:
        file.writestr("xl/worksheets/sheet1.xml", b"0" * 30_000_000)
    return packed.getvalue()


@pytest.mark.parametrize(
    ("name", "data", "said"),
    [
        ("rows.pdf", b"%PDF", "no CSV, XLSX or JSONL"),
        ("rows.csv", b"", "no rows"),
        ("rows.csv", b"product\n\n \n", "no rows"),
        ("rows.csv", b"product\nab\nc\xff\n", "Line 3 is not UTF-8"),
        ("rows.csv", b"a,b\n1,2\n1,2,3\n", "Row 2 has more cells"),
        ("rows.csv", b"a,a\n1,2\n", "Two columns are named 'a'"),
        ("rows.csv", b'a,b\n1,2\n"1,2\n3,4\n', "Row 2 is no valid CSV"),
        ("rows.csv", b"a\n" + b"x\n" * 101, "Row 101 is one too many"),
        ("rows.csv", b"a\n" + b"x" * 200_000, "0.2 MB are allowed"),
        ("rows.csv", b"a" + b",a" * 300 + b"\n1\n", "more than 200 columns"),
        ("rows.jsonl", b'{"a": "x"}\n[1]\n', "Row 2 is no JSON object"),
        ("rows.jsonl", b'{"a": "x"}\n{"a": \n', "Row 2 is no JSON object"),
        ("rows.jsonl", b'{"a": ' * 5000, "Row 1 is no JSON object"),
        ("rows.jsonl", b'{"a": {"b": 1}}\n', "Row 1: 'a' holds a list or an object"),
        ("rows.jsonl", b'{"a": "\\ud800"}\n', "Row 1 holds half a character"),
        ("rows.xlsx", b"PK but no archive", "no valid XLSX"),
        ("rows.xlsx", bomb(), "unpacks to more than"),
    ],
)
def test_what_cannot_be_read_is_refused_with_a_sentence_that_says_where(
    tmp_path: Path, name: str, data: bytes, said: str
) -> None:
    with pytest.raises(InvalidRequest, match=said) as caught:
        read_bytes(tmp_path, name, data)
    assert "\n" not in caught.value.say("en") and caught.value.say("zh") != caught.value.say("en")


def test_entities_that_grow_end_the_reading_and_not_the_server(tmp_path: Path) -> None:
    book = openpyxl.Workbook()
    book.active.append(["product"])
    book.active.append(["x"])
    book.save(tmp_path / "plain.xlsx")
    names = "".join(f'<!ENTITY e{n} "{f"&e{n - 1};" * 10}">' for n in range(1, 12))
    dtd = f'<!DOCTYPE s [<!ENTITY e0 "0123456789">{names}]>'
    packed = io.BytesIO()
    with zipfile.ZipFile(tmp_path / "plain.xlsx") as plain, zipfile.ZipFile(packed, "w") as file:
        for part in plain.namelist():
            data = plain.read(part)
            if part.endswith("sheet1.xml"):
                data = dtd.encode() + data.replace(b"<sheetData>", b"<sheetData>&e11;")
            file.writestr(part, data)
    with pytest.raises(InvalidRequest, match="no valid XLSX"):
        read_bytes(tmp_path, "rows.xlsx", packed.getvalue())


def exported(results: list[Result], columns: tuple[str, ...], candidates: int = 1) -> list[list[str]]:
    text = "".join(as_csv(columns, results, candidates))
    assert text.startswith("\ufeff")
    return list(csv.reader(io.StringIO(text[1:], newline="")))


@given(st.sampled_from(FORMULA), st.text(alphabet=st.characters(exclude_categories=["Cs"]), max_size=12))
def test_no_exported_cell_begins_like_a_formula(first: str, rest: str) -> None:
    cell = first + rest
    result = Result(1, {cell: cell}, "failed", (cell, cell), Text(cell, cell), 5)
    lines = exported([result], (cell,), candidates=2)
    assert all(not found.startswith(FORMULA) for line in lines for found in line)
    assert lines[1][0] == f"'{cell}"
    assert json.loads("".join(as_jsonl([result])))["texts"] == [cell, cell]


def test_results_stand_beside_the_inputs_under_names_of_their_own() -> None:
    result = Result(
        1, {"product": "Tea", "result": "mine"}, "done", ("theirs",), seed=4, remark=Text("not in Chinese", "不是中文")
    )
    lines = exported([result], ("product", "result"))
    assert lines == [
        ["product", "result", "result (2)", "state", "reason", "seed", "remark"],
        ["Tea", "mine", "theirs", "done", "", "4", "not in Chinese"],
    ]
