"""Tables of strangers: read as they were meant, or refused row by row with the true reason; no row ever vanishes."""

from __future__ import annotations

import codecs
import csv
import io
import json

import openpyxl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from playground.tables.number_formats import BUILT_IN, shown
from playground.tables.sheet_rows import column_name, column_number
from playground.tables.table import NeedsChoice, Table, TableLimits
from playground.tables.table_reader import Reading, parse
from playground.types import InvalidRequest
from tests.workbooks import HEAD, MAIN, number, row, sheet, text, workbook

LIMITS = TableLimits(rows=100, size=200_000, cell=150_000)


def table(data: bytes | str, kind: str = ".csv", **reading: str) -> Table:
    written = data.encode() if isinstance(data, str) else data
    found = parse(kind, written, Reading(**reading), LIMITS)
    assert set(found.refused) <= set(range(1, len(found.rows) + 1))
    for reason in found.refused.values():
        assert "\n" not in reason.en and reason.en != reason.zh
    return found


def cells(found: Table) -> list[list[str]]:
    return [list(found.columns), *([*one.values()] for one in found.rows)]


def question(data: bytes | str, kind: str = ".csv") -> NeedsChoice:
    with pytest.raises(NeedsChoice) as caught:
        table(data, kind)
    return caught.value


# CSV


@pytest.mark.parametrize(
    ("written", "wanted"),
    [
        ("sep=;\na;b\n1;2\n", [["a", "b"], ["1", "2"]]),
        ('"sep=;"\r\na;b\r\n1,5;2\r\n', [["a", "b"], ["1,5", "2"]]),
        ("SEP=|;;\na|b\n1|2\n", [["a", "b"], ["1", "2"]]),
        ("\ufeffsep=\t\na,b\tc\n1,2\t3\n", [["a,b", "c"], ["1,2", "3"]]),
        ('a, b\n"Lamp", "warm, soft"\n', [["a", "b"], ["Lamp", "warm, soft"]]),
        ('a , b\n"Lamp" , "say ""hi"", twice" \n', [["a", "b"], ["Lamp", 'say "hi", twice']]),
        ("a,b\n x, y\n", [["a", "b"], [" x", " y"]]),
        ('a,b\n7" screen,x\n', [["a", "b"], ['7" screen', "x"]]),
        ('a,b\n"two\nlines","c\r\nd"\ne,f\n', [["a", "b"], ["two\nlines", "c\r\nd"], ["e", "f"]]),
        ("a;b\r1;2\r3;4", [["a", "b"], ["1", "2"], ["3", "4"]]),
        ('"a","b"\n"1","2"', [["a", "b"], ["1", "2"]]),
        ("\n\na,b\n,\n1,\n", [["a", "b"], ["1", ""]]),
        ("line\nHello, world\nOne; two\n", [["line"], ["Hello, world"], ["One; two"]]),
        ("name|price\nLamp, big|3\n", [["name", "price"], ["Lamp, big", "3"]]),
        ("a\tb, c\n1\t2\n", [["a", "b, c"], ["1", "2"]]),  # rows without a comma tell that it divides nothing
        ("a,b;c\n1;2\n3;4\n", [["a,b", "c"], ["1", "2"], ["3", "4"]]),
        ('a,b\n"",""\n"","x"\n', [["a", "b"], ["", "x"]]),
    ],
)
def test_a_csv_is_read_as_it_was_meant(written: str, wanted: list[list[str]]) -> None:
    found = table(written)
    assert cells(found) == wanted and not found.refused


def test_a_tab_is_meant_where_the_ending_says_so_and_whatever_is_said_comes_first() -> None:
    assert table("a,x\tb\n1,2\t3\n", ".tsv").columns == ("a,x", "b")
    for said in ("semicolon", ";"):
        assert table("a,b;c\n1,2;3\n", delimiter=said).columns == ("a,b", "c")
    assert table("sep=;\na,b;c\n1,2;3\n", delimiter="comma").columns == ("a", "b;c")
    assert table("a,b\n1,2\n", delimiter="none").columns == ("a,b",)
    with pytest.raises(InvalidRequest, match="not one character"):
        table("a,b\n1,2\n", delimiter="both")


@pytest.mark.parametrize("written", ["a,b;c\n1,2;3\n", "a;b,c\n1;2,3\n4;5\n6,7\n", "x,m;y,m\n1,5;2,5\n"])
def test_a_tie_between_two_delimiters_is_asked_with_what_each_makes_of_it(written: str) -> None:
    asked = question(written)
    assert asked.option == "delimiter" and {one.value for one in asked.choices} == {",", ";"}
    for one in asked.choices:
        found = table(written, delimiter=one.value)
        assert one.label.en.split(": ", 1)[1].startswith(" | ".join(found.columns))
    assert "comma" in asked.say("en") and "分号" in asked.say("zh")


def test_a_cell_may_be_longer_than_python_s_own_bound_and_has_one_of_ours() -> None:
    assert len("x" * 140_000) > csv.field_size_limit()
    found = table("a,b\n" + "x" * 140_000 + ",1\nshort,2\n" + "y" * 150_001 + ",3\nlast,4\n")
    assert [len(one["a"]) for one in found.rows] == [140_000, 5, 200, 4]
    assert list(found.refused) == [3] and "150,000 characters" in found.refused[3].en


@pytest.mark.parametrize(
    ("written", "read", "refused"),
    [
        ('a,b\n1,2\n"1,2\n3,4\n', [1, 3], {2: "Line 3"}),  # a quotation mark that never closes
        ('a,b\n"x"y,1\n3,4\n', [2], {1: "Line 2"}),
        ('a,b\n"x,1\n3,4\n"y",2\nz,3\n', [2, 3, 4], {1: "Line 2"}),  # closed by a later row's mark
        ('a,b\n"one\ntwo"x,y\n3,4\n', [3], {1: "Line 2", 2: "Line 3"}),  # no half of it is taken for a row
        ("a,b\n1,2,3\n1,2,,\n", [2], {1: "Line 2 has more cells"}),
        ("a,b\n1,2\n" + "\n\n\n1,2,3\n", [1], {2: "Line 6"}),
        ('a,b\n"p\nq",2\n1,2,3\n', [1], {2: "Line 4"}),  # lines are counted within cells too
    ],
)
def test_a_bad_row_of_a_csv_is_refused_alone_with_its_line(
    written: str, read: list[int], refused: dict[int, str]
) -> None:
    found = table(written)
    assert [place for place in range(1, len(found.rows) + 1) if place not in found.refused] == read
    assert found.refused.keys() == refused.keys()
    assert all(found.refused[place].en.startswith(said) for place, said in refused.items())


plain_cells = st.text(alphabet=st.characters(exclude_categories=["Cs"], exclude_characters="\0"), max_size=8)


@given(st.lists(st.tuples(plain_cells, plain_cells), max_size=6), st.sampled_from(",;\t"))
def test_what_python_s_csv_writes_is_read_back(lines: list[tuple[str, str]], delimiter: str) -> None:
    written = io.StringIO()
    csv.writer(written, delimiter=delimiter, quoting=csv.QUOTE_ALL).writerows([("one", "two"), *lines, ("last", "row")])
    wanted = [list(line) for line in lines if any(cell.strip() for cell in line)]
    assert cells(table(written.getvalue())) == [["one", "two"], *wanted, ["last", "row"]]


@given(st.text(alphabet='ab ",;\n\r\t', max_size=60))
def test_no_row_of_any_csv_vanishes(written: str) -> None:
    """Every sign that is no delimiter, blank or quotation mark comes out in some row, read or refused."""
    try:
        found = table("one,two\n" + written, delimiter=",")
    except InvalidRequest:  # there are no rows
        assert not set("ab;") & set(written)
        return
    shown = "".join("".join(one.values()) for one in found.rows)
    if all("more cells" not in reason.en for reason in found.refused.values()):
        assert sorted(sign for sign in shown if sign in "ab;") == sorted(sign for sign in written if sign in "ab;")


# Encodings

CHINESE = "产品,语气\n蓝月咖啡,大胆\n清晨的渡轮,平静\n"


@pytest.mark.parametrize("written", ["a,b\nCafé,1\n", CHINESE, "产品\n月亮\n", "a\tb\nпривет\tмир\n"])
@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "utf-16-le", "utf-16-be", "utf-32"])
def test_utf_8_and_utf_16_are_read_with_and_without_a_mark(written: str, encoding: str) -> None:
    assert cells(table(written.encode(encoding))) == cells(table(written))


def test_utf_16_of_the_other_order_with_its_mark_is_read() -> None:
    assert cells(table(codecs.BOM_UTF16_BE + CHINESE.encode("utf-16-be"))) == cells(table(CHINESE))


@pytest.mark.parametrize(
    ("written", "encoding", "first"),
    [
        (CHINESE, "gb18030", True),
        ("产品,价格\n镕基牌茶叶,3 €\n", "gb18030", False),
        ("product,tone\nCafé crème,warm\n", "cp1252", True),
        ("product,tone\nProm “best” – naïve,warm\n", "cp1252", True),
        ("товар,тон\nЛампа настольная,тёплый\n", "cp1251", False),
        ("商品,口調\nランプ,暖かい\n", "cp932", False),
        ("產品,語氣\n燈,溫暖\n", "big5", False),
    ],
)
def test_another_encoding_is_asked_with_what_each_makes_of_it_and_read_as_said(
    written: str, encoding: str, first: bool
) -> None:
    data = written.encode(encoding)
    asked = question(data)
    assert asked.option == "encoding" and "Line " in asked.say("en") and "not UTF-8" in asked.say("en")
    right = [one.value for one in asked.choices if cells(table(data, encoding=one.value)) == cells(table(written))]
    assert right
    assert any(written.split("\n")[1][:4] in one.label.en or written[:2] in one.label.en for one in asked.choices)
    if first:
        assert asked.choices[0].value in right


def test_bytes_that_are_no_text_are_refused_with_their_row_or_with_the_true_reason() -> None:
    found = table(CHINESE.encode() + "坏".encode()[:2] + ",x\n末,y\n".encode())
    assert list(found.refused) == [3] and "Line 4: the cell under '产品' holds bytes" in found.refused[3].en
    assert found.rows[3]["产品"] == "末"
    for data, said in (
        (b"a\0b\x01\xff" * 9, "is no text"), (b"%PDF-1.7", "is a PDF file"), (b"\x1f\x8b\x08 x", "is a gzip file"),
        (bytes.fromhex("d0cf11e0a1b11ae1") + b"x" * 600, "an old XLS, or an XLSX with a password"),
    ):  # fmt: skip
        with pytest.raises(InvalidRequest, match=said):
            table(data)
    with pytest.raises(InvalidRequest, match="is not known"):
        table("a\n1\n", encoding="idna")
    with pytest.raises(InvalidRequest, match="Line 1 is not gb18030 text"):
        table(b"caf\xe9,\n1\n", encoding="gb18030")


# JSONL


def test_a_bad_line_of_jsonl_is_refused_alone_by_its_number() -> None:
    lines = [
        '{"a": "x", "n": 3.10}', "", '{"a": ', "[1]", '{"a": {"b": 1}}', '{"a": "\\ud800"}', '{"a": 1, "a": 2}',
        '{"a": ' * 5000, '{"b": true, "a": null, "big": 123456789012345678901234567890}', '"text"',
        json.dumps({f"k{at}": at for at in range(300)}), '{"\\udc80": 1}', '{"a": "last"}',
    ]  # fmt: skip
    found = table("\r\n".join(lines) + "\n", ".jsonl")
    assert found.columns == ("a", "n", "b", "big")
    assert len(found.rows) == 12
    assert {place: reason.en.split(":")[0].split(" is")[0].split(" holds")[0].split(" brings")[0]
            for place, reason in found.refused.items()} == {
        2: "Line 3", 3: "Line 4", 4: "Line 5", 5: "Line 6", 6: "Line 7", 7: "Line 8", 9: "Line 10", 10: "Line 11",
        11: "Line 12",
    }  # fmt: skip
    assert found.rows[0] == {"a": "x", "n": "3.10", "b": "", "big": ""}
    assert found.rows[7] == {"a": "", "n": "", "b": "true", "big": "123456789012345678901234567890"}
    assert found.rows[11]["a"] == "last"


# XLSX


def test_a_sheet_is_read_as_it_is_shown() -> None:
    formats: list[str | int] = ["yyyy-mm-dd", "d/m/yyyy h:mm", 14, "[h]:mm", "0%", "00000", '"€"#,##0.00',
               "mmm yyyy", 31, "mm:ss",
               'yyyy"年"m"月"d"日"', "General", 20, "[Red]0.0%;[Blue]-0.0%", "h:mm AM/PM", "e/m/d"]  # fmt: skip
    shown_as = [
        (1, "45413", "2024-05-01"), (1, "45413.75", "2024-05-01"), (2, "45413.5208333333", "2024-05-01 12:30"),
        (3, "45413", "2024-05-01"), (4, "1.1458333333333333", "27:30"), (5, "0.15", "15%"), (5, "0.155", "15.5%"),
        (6, "1234", "01234"), (7, "1234.5", "€1,234.50"), (8, "45413", "2024-05"), (9, "45413", "2024-05-01"),
        (10, "0.5006944444", "12:01:00"), (11, "45413", "2024-05-01"), (12, "0.30000000000000004", "0.3"),
        (12, "3.0", "3"), (12, "1E+20", "100000000000000000000"), (12, "1.5E-7", "0.00000015"),
        (12, "1E+300", "1E+300"),
        (12, "12345678901234567890", "12345678901234567890"), (13, "0.5", "12:00"), (14, "0.07", "7%"),
        (15, "0.75", "18:00"),
        (16, "45413", "2024-05-01"), (1, "-5", "-5"), (1, "99999999", "99999999"), (0, "-0.5", "-0.5"),
        (2, "0.25", "06:00"),
        (1, "59", "1900-02-28"), (1, "61", "1900-03-01"), (0, "nonsense", "nonsense"), (77, "2.5", "2.5"),
    ]  # fmt: skip
    rows = [row(at, number(f"A{at}", value, style)) for at, (style, value, _) in enumerate(shown_as, start=2)]
    found = table(workbook(row(1, text("A1", "value")), *rows, formats=formats), ".xlsx")
    assert [one["value"] for one in found.rows] == [wanted for *_, wanted in shown_as]


def test_dates_count_from_1904_where_the_file_says_so_and_may_be_written_out() -> None:
    written = '<c r="A3" t="d" s="1"><v>2024-05-01T00:00:00</v></c>'
    rows = (HEAD, row(2, number("A2", "43951", 1)), row(3, written))
    found = table(workbook(*rows, formats=["yyyy-mm-dd"], about='<workbookPr date1904="1"/>'), ".xlsx")
    assert found.rows[0]["product"] == "2024-05-01"
    assert table(workbook(*rows, formats=["yyyy-mm-dd"]), ".xlsx").rows[1]["product"] == "2024-05-01"


def test_what_openpyxl_writes_is_read_as_its_cells_are_shown() -> None:
    from datetime import date, datetime, time

    book = openpyxl.Workbook()
    for line in (["product", "price", None, "since"], ["蓝月", 3.0, "x", date(2024, 5, 1)], [],
                 ["b", 2.5, True, datetime(2024, 5, 1, 9, 30)], ["c", 0.1 + 0.2, None, time(9, 30)]):  # fmt: skip
        book.active.append(line)
    packed = io.BytesIO()
    book.save(packed)
    assert cells(table(packed.getvalue(), ".xlsx")) == [
        ["product", "price", "column 3", "since"], ["蓝月", "3", "x", "2024-05-01"],
        ["b", "2.5", "TRUE", "2024-05-01 09:30:00"], ["c", "0.3", "", "09:30:00"],
    ]  # fmt: skip


def test_the_built_in_date_formats_of_every_number_show_a_date_or_a_time() -> None:
    assert {at for at, code in BUILT_IN.items() if shown("45413.5", code) != shown("45413.5", "General")} == {
        1, 2, 3, 4, 9, 10, *range(14, 23), *range(27, 37), 45, 46, 47, *range(50, 59),
    } - {1, 2, 3, 4}  # fmt: skip


def test_a_formula_without_a_saved_value_refuses_its_row_by_the_cell_s_name() -> None:
    rows = (
        row(2, '<c r="A2"><f>B2</f></c>', text("B2", "x")),
        row(3, text("A3", "fine"), '<c r="B3"><f>1+1</f><v>2</v></c>'),
        row(4, '<c r="A4"><f>C1</f><v></v></c>', '<c r="B4"><f>C2</f><v/></c>'),  # nothing else stands in this row
        row(5, '<c r="A5" t="str"><f>""</f><v></v></c>', text("B5", "an empty text was saved")),
        row(6, text("A6", "zero"), '<c r="B6"><f>1-1</f><v>0</v></c>'),
        row(7, text("A7", "shared"), '<c r="B7"><f t="shared" si="0"/></c>'),
    )
    found = table(workbook(HEAD, *rows), ".xlsx")
    assert {place: reason.en[:30] for place, reason in found.refused.items()} == {
        1: "The formula in A2 was saved wi", 3: "The formula in A4, B4 was save", 6: "The formula in B7 was saved wi",
    }  # fmt: skip
    assert [one["note"] for one in found.rows] == ["x", "2", "", "an empty text was saved", "0", ""]
    never = table(workbook(HEAD, *rows, about='<calcPr fullCalcOnLoad="1"/>'), ".xlsx")
    assert never.refused.keys() == {1, 3, 5, 6}  # a program that calculates nothing wrote that 0
    with pytest.raises(InvalidRequest, match=r"formula in B1 was saved without"):
        table(workbook(row(1, text("A1", "a"), '<c r="B1"><f>A1</f></c>'), *rows), ".xlsx")


def test_escapes_are_the_signs_that_they_stand_for_and_line_breaks_are_one() -> None:
    strings = (
        "<si><t>one_x000D_\ntwo_x000d_three_x000A_four</t></si>"
        "<si><r><t>_x005F_x000D_</t></r><r><t xml:space='preserve'> is written</t></r><rPh><t>reading</t></rPh></si>"
        "<si><t>_xD83D__xDE42_ _x12_</t></si>"
    )
    rows = [row(at + 2, f'<c r="A{at + 2}" t="s"><v>{at}</v></c>') for at in range(3)]
    more = row(5, text("A5", "in_x000D_line"), '<c r="B5" t="str"><f>A5</f><v>by_x000A_formula</v></c>')
    found = table(workbook(HEAD, *rows, more, strings=strings), ".xlsx")
    assert [one["product"] for one in found.rows] == [
        "one\ntwo\nthree\nfour", "_x000D_ is written", "🙂 _x12_", "in\nline",
    ]  # fmt: skip
    assert found.rows[3]["note"] == "by\nformula"


def test_hidden_sheets_are_not_taken_unless_named_and_several_are_asked() -> None:
    rows = (HEAD, row(2, text("A2", "x")))
    assert (
        len(table(workbook(*rows, sheets={"Old": "hidden", "New": "visible", "Deep": "veryHidden"}), ".xlsx").rows) == 1
    )
    several = workbook(*rows, sheets={"One": "visible", "Zwei ö": "visible", "Gone": "hidden"})
    asked = question(several, ".xlsx")
    assert asked.option == "sheet" and [one.value for one in asked.choices] == ["One", "Zwei ö"]
    assert "One, Zwei ö" in asked.say("en") and "Gone" not in asked.say("en")
    for name in ("Zwei ö", "zwei Ö ", "Gone"):
        assert len(table(several, ".xlsx", sheet=name).rows) == 1
    with pytest.raises(NeedsChoice, match="no sheet 'Three'; it has One, Zwei ö"):
        table(several, ".xlsx", sheet="Three")
    assert question(workbook(*rows, sheets={"A": "hidden"}), ".xlsx").choices[0].value == "A"


def test_rows_and_cells_that_stand_far_away_are_read_where_they_stand() -> None:
    rows = (row("999999999999", text("A999999999999", "far")), row("1048576", text("XFD1048576", "corner")),
            row("", text("", "unnumbered"), text("", "second")))  # fmt: skip
    found = table(workbook(HEAD, *rows), ".xlsx")
    assert [one["product"] for one in found.rows] == ["far", "", "unnumbered"] and found.rows[2]["note"] == "second"
    assert list(found.refused) == [2] and "The cell XFD1048576 stands beside the columns" in found.refused[2].en


@pytest.mark.parametrize(
    ("data", "said"),
    [
        (b"PK\x03\x04 but no archive", "no valid XLSX"),
        (workbook(more={"xl/worksheets/sheet1.xml": b"<worksheet>"}), "no valid XLSX"),
        (workbook(more={"xl/worksheets/sheet1.xml": b'<!DOCTYPE s [<!ENTITY e "x">]><s>&e;</s>'}), "no valid XLSX"),
        (workbook(more={"_rels/.rels": b"<Relationships/>"}), "no valid XLSX"),
        (workbook(HEAD, row(2, text("A2", "y" * 6_000_000))), "unpacks to more than"),
        (workbook(HEAD), "no rows"),
        (workbook(row(1, *(text(f"{column_name(at)}1", f"c{at}") for at in range(1, 301)))), "more than 200 columns"),
        (workbook(row(1, text("A1", "a"), text("B1", "a")), row(2, text("A2", "x"))), "Two columns are named 'a'"),
        (workbook(HEAD, *(row(at, text(f"A{at}", "x")) for at in range(2, 103))), "Row 101 is one too many"),
        (workbook(HEAD, *(row(at, *[f'<c r="{c}{at}" t="s"><v>0</v></c>' for c in "AB"]) for at in range(2, 12)),
                  strings=f"<si><t>{'z' * 100_000}</t></si>"), "more than 600 kB of text"),
    ],
)  # fmt: skip
def test_a_sheet_that_cannot_be_read_is_one_sentence(data: bytes, said: str) -> None:
    with pytest.raises(InvalidRequest, match=said) as caught:
        table(data, ".xlsx")
    assert "\n" not in caught.value.say("en") and caught.value.say("zh") != caught.value.say("en")


def test_a_password_and_an_unknown_way_of_packing_are_told_apart() -> None:
    data = bytearray(workbook(HEAD, row(2, text("A2", "x"))))
    for flag, at, said in ((0x01, 6, "protected with a password"), (0x63, 8, "no valid XLSX")):
        spoiled = bytearray(data)
        for mark, place in ((b"PK\x01\x02", at + 2), (b"PK\x03\x04", at)):
            found = spoiled.find(mark)
            while found >= 0:
                spoiled[found + place] = flag
                found = spoiled.find(mark, found + 4)
        with pytest.raises(InvalidRequest, match=said):
            table(bytes(spoiled), ".xlsx")


def test_a_cell_of_many_megabytes_refuses_its_row_and_is_never_held_whole() -> None:
    strings = f"<si><t>{'x' * 1_500_000}</t></si><si><t>short</t></si>"
    rows = (
        row(2, '<c r="A2" t="s"><v>0</v></c>'),
        row(3, '<c r="A3" t="s"><v>1</v></c>'),
        row(4, text("A4", "y" * 1_500_000)),
    )
    found = table(workbook(HEAD, *rows, strings=strings), ".xlsx")
    assert found.refused.keys() == {1, 3} and "150,000 characters" in found.refused[3].en
    assert [len(one["product"]) for one in found.rows] == [200, 5, 200]


def test_other_namespaces_and_prefixes_of_the_same_format_are_read() -> None:
    strict = MAIN.replace("schemas.openxmlformats.org/spreadsheetml/2006", "purl.oclc.org/ooxml/spreadsheetml")
    plain = sheet(HEAD, row(2, text("A2", "x"))).replace(MAIN, strict)
    prefixed = plain.replace("<", "<x:").replace("<x:/", "</x:").replace("xmlns=", "xmlns:x=")
    for one in (plain, prefixed):
        assert table(workbook(more={"xl/worksheets/sheet1.xml": one.encode()}), ".xlsx").rows[0]["product"] == "x"


def test_a_column_s_letters_and_number_are_each_other_s() -> None:
    assert [column_number(one) for one in ("A", "Z", "AA", "XFD")] == [1, 26, 27, 16_384]
    assert all(column_number(column_name(at)) == at for at in range(1, 16_385, 7))


def test_a_sheet_named_csv_is_read_as_the_sheet_that_it_is() -> None:
    assert table(workbook(HEAD, row(2, text("A2", "x"))), ".csv").rows[0]["product"] == "x"
