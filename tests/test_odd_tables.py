"""Files with a fault in one place: that row is refused by its place, and the others are read as they were meant."""

from __future__ import annotations

import codecs

import pytest

from playground.tables.encodings import ENCODINGS
from playground.tables.number_formats import shown
from playground.tables.table import NeedsChoice, Table, TableLimits
from playground.tables.table_reader import Reading, parse
from playground.types import InvalidRequest
from tests.workbooks import HEAD, number, row, text, workbook

LIMITS = TableLimits(rows=100, size=400_000, cell=1_000)


def table(data: bytes | str, kind: str = ".csv", **reading: str) -> Table:
    return parse(kind, data.encode() if isinstance(data, str) else data, Reading(**reading), LIMITS)


WRITTEN = "product,about\nTea,X\nMilk,white\n"


@pytest.mark.parametrize("name", ["utf-16-le", "utf-16-be", "utf-32-le", "utf-32-be"])
@pytest.mark.parametrize("marked", [True, False])
def test_half_a_character_of_utf_16_or_32_refuses_its_row_alone(name: str, marked: bool) -> None:
    mark = "\ufeff".encode(name) if marked else b""
    if not marked and "32" in name:
        return  # without a mark only UTF-16 is told
    width = 2 if "16" in name else 4
    for half in (0xD800, 0xDC00):
        broken = WRITTEN.encode(name).replace(
            "X".encode(name), half.to_bytes(width, "little" if "le" in name else "big")
        )
        found = table(mark + broken)
        assert list(found.refused) == [1] and "Line 2: the cell under 'about' holds bytes" in found.refused[1].en
        assert found.rows[1] == {"product": "Milk", "about": "white"}
    found = table(mark + WRITTEN.encode(name) + b"\0")  # cut off within a character
    assert list(found.refused) == [3] and found.refused[3].en.startswith("Line 4")
    assert [one["product"] for one in found.rows[:2]] == ["Tea", "Milk"]


@pytest.mark.parametrize(
    "written",
    [
        "product,about\nTea,a\0dark\nMilk,white\n", "product,about\nTea,a\0dar\nMilk,white\n",
        "product,about\r\nTea,\0x\r\nMilk,white\r\n", "product;about\nTea;\0\nMilk;white",
        "product,about\nTéa,茶\0\nMilk,white\n",
    ],
)  # fmt: skip
def test_a_zero_byte_refuses_its_row_alone_and_names_the_cell(written: str) -> None:
    found = table(written)
    assert list(found.refused) == [1] and "Line 2: the cell under 'about' holds" in found.refused[1].en
    assert "\0" not in found.rows[0]["about"] and found.rows[1] == {"product": "Milk", "about": "white"}


def test_a_zero_byte_in_jsonl_or_a_sheet_refuses_its_row_alone() -> None:
    found = table('{"product": "T\0"}\n{"product": "x\\u0000"}\n{"product": "Milk"}\n', ".jsonl")
    assert sorted(found.refused) == [1, 2] and found.rows[2]["product"] == "Milk"
    assert (
        "Line 1 is no JSON object" in found.refused[1].en and "Line 2: the cell under 'product'" in found.refused[2].en
    )
    found = table(workbook(HEAD, row(2, text("A2", "a_x0000_b")), row(3, text("A3", "ok"))), ".xlsx")
    assert list(found.refused) == [1] and "Row 2: the cell under 'product'" in found.refused[1].en


def test_a_delimiter_that_breaks_the_line_of_names_is_not_meant() -> None:
    for written in ('"Product, name";about\nTea;good, hot\nMilk;white, cold;extra\n',
                    '"Product; name",about\nTea,good; hot\nMilk,white; cold,extra\n'):  # fmt: skip
        found = table(written)
        assert found.columns == (written.split('"')[1], "about")
        assert found.rows[0]["about"][:4] == "good" and list(found.refused) == [2]
    assert table('a,b;c\n"1,5";2\n"2,5";3\n').columns == ("a,b", "c")  # rows may tell it too
    with pytest.raises(InvalidRequest, match="Line 1, the line of names"):
        table('product,"about\nTea,x\n')
    with pytest.raises(NeedsChoice) as asked:
        table('a;b,c\n"x,1\n1;2,3\n')
    assert [one.label.en for one in asked.value.choices] == ["comma: a;b | c / 1;2 | 3", "semicolon: a | b,c / 1 | 2,3"]


@pytest.mark.parametrize(
    ("said", "meant"),
    [
        ("gbk", "gb18030"), ("GB2312", "gb18030"), ("cp936", "gb18030"), ("gb-2312", "gb18030"), ("x-gbk", "gb18030"),
        ("windows-936", "gb18030"), ("cp1252", "cp1252"), ("windows 1252", "cp1252"), ("latin-1", "latin-1"),
        ("Latin1", "latin-1"), ("l1", "latin-1"), ("ISO_8859-1", "latin-1"), ("iso8859_15", "iso8859-15"),
        ("shift_jis", "cp932"), ("sjis", "cp932"), ("Shift-JIS", "cp932"), ("ms932", "cp932"), ("euc_jp", "euc_jp"),
        ("ujis", "euc_jp"), ("euckr", "cp949"), ("ks_c_5601-1987", "cp949"), ("uhc", "cp949"), ("big5", "big5hkscs"),
        ("cp950", "big5hkscs"), ("cp1251", "cp1251"), ("koi8_r", "koi8_r"), ("macroman", "mac_roman"),
        ("utf8", "utf-8"), ("UTF-8-SIG", "utf-8"), ("utf16", "utf-16"), ("ibm850", "cp850"),
    ],
)  # fmt: skip
def test_an_encoding_goes_by_any_usual_name(said: str, meant: str) -> None:
    signs = {"cp936": "茶", "gb18030": "茶", "big5hkscs": "茶", "cp932": "茶", "euc_jp": "茶", "cp949": "차"}
    sign = signs.get(meant, "я" if meant in ("cp1251", "koi8_r") else "é")
    assert table(f"a,b\n{sign},1\n".encode(meant), encoding=said).rows[0]["a"] == sign


def test_names_that_are_no_encoding_of_a_text_on_offer_are_refused() -> None:
    for said in ("klingon", "idna", "rot13", "hex", "utf-7", "cp", "a\0b", "..", "é", "mbcs"):
        with pytest.raises(InvalidRequest, match="is not known"):
            table("a\n1\n", encoding=said)
    assert all(codecs.lookup(one) for one in ENCODINGS.values())


def test_errors_and_lost_texts_of_a_sheet_refuse_their_rows_by_the_cell_s_name() -> None:
    found = table(workbook(
        HEAD, row(2, '<c r="A2" t="e"><v>#N/A</v></c>', text("B2", "x")),
        row(3, '<c r="A3" t="e"><f>1/0</f><v>#DIV/0!</v></c>'), row(4, '<c r="A4" t="s"><v>99</v></c>'),
        row(5, '<c r="A5" t="s"><v>-1</v></c>'), row(6, '<c r="A6" t="s"><v>x</v></c>'),
        row(7, text("A7", "#N/A is a text here")), row(8, '<c r="A8" t="s"><v>0</v></c>'),
        row(9, '<c r="A9" t="s"><v>99999999999999999999</v></c>'),
        strings="<si><t>Tea</t></si>",
    ), ".xlsx")  # fmt: skip
    assert {place: one.en.split(". ")[0] for place, one in found.refused.items()} == {
        1: "The sheet shows an error in A2 (#N/A)", 2: "The sheet shows an error in A3 (#DIV/0!)",
        3: "The text of A4 is not in the file", 4: "The text of A5 is not in the file",
        5: "The text of A6 is not in the file", 8: "The text of A9 is not in the file",
    }  # fmt: skip
    assert [one["product"] for one in found.rows] == ["", "", "", "", "", "#N/A is a text here", "Tea", ""]
    with pytest.raises(InvalidRequest, match=r"error in B1 \(#REF!\)"):
        table(workbook(row(1, text("A1", "a"), '<c r="B1" t="e"><v>#REF!</v></c>'), row(2, text("A2", "x"))), ".xlsx")


ACCOUNTS = '_("$"* #,##0.00_);_("$"* \\(#,##0.00\\);_("$"* "-"??_);_(@_)'


@pytest.mark.parametrize(
    ("code", "value", "wanted"),
    [
        ('"$"#,##0.00', "1234.5", "$1,234.50"), ('"$"#,##0.00', "-1234.5", "-$1,234.50"), ("$0.00", "3", "$3.00"),
        ("[$€-407]\\ #,##0", "1234.5", "€ 1,235"), ('#,##0.00\\ "€"', "1234567.005", "1,234,567.01 €"),
        ("[$USD-409] #,##0.00", "5", "USD 5.00"), ("¥#,##0;[Red]¥-#,##0", "-70", "¥-70"), ("£0.##", "2.50", "£2.5"),
        ("£0.##", "2", "£2"), (ACCOUNTS, "1234.5", "$1,234.50"), (ACCOUNTS, "-2", "$(2.00)"), (ACCOUNTS, "0", "$-"),
        ('#,##0.0,,"M€"', "2500000", "2500000"), ("[>100]$0;0", "5", "5"),
        ("[$-409]mmmm d, yyyy", "45413", "2024-05-01"),
        ('0" days"', "3", "3"), ("#,##0.00", "1234.5", "1234.5"), ('"$"General', "2", "2"),
        ("$0." + "0" * 99, "2", "2"),
        ('"$"0', "0.5", "$1"), ('"$"0', "-0.2", "$0"), ('"$"0.00', "1e300", "1E+300"),
    ],
)  # fmt: skip
def test_money_is_shown_with_its_currency(code: str, value: str, wanted: str) -> None:
    assert shown(value, code) == wanted


def test_a_format_longer_than_any_program_writes_shows_a_number_plainly() -> None:
    assert shown("45413", '"[h' * 100_000) == "45413"
    found = table(workbook(HEAD, row(2, number("A2", "45413", 1)), formats=['"[h' * 100_000]), ".xlsx")
    assert found.rows[0]["product"] == "45413"


def test_a_column_without_a_name_never_takes_another_s() -> None:
    assert table(",column 1,column 1 (2)\nTea,x,y\n").columns == ("column 1 (3)", "column 1", "column 1 (2)")
    with pytest.raises(InvalidRequest, match="Two columns are named 'column 2'"):
        table("column 2,,column 2\nTea,x,y\n")


def test_what_is_said_of_a_file_that_has_no_such_thing_is_told() -> None:
    with pytest.raises(InvalidRequest, match="only an XLSX has sheets"):
        table(WRITTEN, sheet="Sheet1")
    with pytest.raises(InvalidRequest, match="only a CSV has one"):
        table('{"a": 1}', ".jsonl", delimiter=";")
