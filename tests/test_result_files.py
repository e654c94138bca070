"""The terminal's `batch` over files as people have them: what is read is said first, and every row is told of."""

from __future__ import annotations

import csv
import json
from pathlib import Path
from typing import Any

import pytest

from playground import parameters
from playground.tasks import user_task
from tests import scripted_batch
from tests.workbooks import HEAD, row, text, workbook

SLOGANS = ("--task", "slogans", "--seed", "1")


def run(folder: Path, name: str, data: str | bytes, *arguments: str) -> int:
    (folder / name).write_bytes(data.encode() if isinstance(data, str) else data)
    return scripted_batch.run(["batch", "--in", str(folder / name), "--out", str(folder / "out.jsonl"), *arguments])


def results(folder: Path) -> list[dict[str, Any]]:
    return [json.loads(line) for line in (folder / "out.jsonl").read_text(encoding="utf-8").splitlines()]


def test_the_mapping_is_printed_before_the_first_row_and_a_column_can_be_left_out(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    written = "Product,About,What it is,Tone,note\nTea,a,b,bold,x\n"
    assert run(tmp_path, "rows.csv", written, *SLOGANS, "--set", "audience=everybody", "--map", "none=Tone") == 0
    told = capsys.readouterr().err.splitlines()
    assert told[:5] == [
        "  product        from the column 'Product'",
        "  about          left empty; --map may choose one of 'About', 'What it is'",
        "  audience       the same in all rows: 'everybody'",
        "  tone           left empty",
        "  not read: 'About', 'What it is', 'Tone', 'note'",
    ]
    assert told[5] == "begins 1" and told[-1] == "1 of 1 rows done, 0 failed."
    assert run(tmp_path, "rows.csv", written, *SLOGANS, "--map", "none=Colour") == 2
    assert "no column 'Colour'. Its columns are Product, About" in capsys.readouterr().err


def test_a_field_that_is_called_none_can_still_be_filled(tmp_path: Path) -> None:
    own = user_task.write("Odd", user_task.free("{{none}}:"), {}, parameters.validate({}), "en")
    (tmp_path / "task.yaml").write_text(own, encoding="utf-8")
    settings = ("--task-file", str(tmp_path / "task.yaml"), "--seed", "1", "--map", "none=b")
    assert run(tmp_path, "rows.csv", "a,b\n1,2\n", *settings) == 0


def test_rows_that_are_refused_stand_in_the_results_and_in_every_count(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    written = 'product,tone\nTea,bold\nCoffee,bold,more\n"Milk,bold\nCocoa,loud\nJuice,\n'
    settings = (*SLOGANS, "--csv", str(tmp_path / "out.csv"))
    assert run(tmp_path, "rows.csv", written, *settings) == 2
    told = capsys.readouterr().err
    assert "  row 2 is refused: Line 3 has more cells" in told and "  row 3 is refused: Line 4 has a quotation" in told
    assert told.endswith("2 of 5 rows done, 1 failed, 2 refused.\n")
    found = results(tmp_path)
    assert [one["row"] for one in found] == [1, 2, 3, 4, 5]
    assert [one["state"] for one in found] == ["done", "refused", "refused", "failed", "done"]
    assert found[1]["input"] == {"product": "Coffee", "tone": "bold"} and found[1]["reason"].startswith("Line 3")
    with (tmp_path / "out.csv").open(encoding="utf-8-sig", newline="") as file:
        assert [line["state"] for line in csv.DictReader(file)] == [one["state"] for one in found]
    assert run(tmp_path, "rows.csv", written, *settings, "--retry-failed") == 2
    assert results(tmp_path) == found  # what is refused is not tried again
    capsys.readouterr()
    mended = written.replace("bold,more", "bold").replace('"Milk', "Milk")
    assert run(tmp_path, "rows.csv", mended, *settings) == 2
    assert capsys.readouterr().err.endswith("4 of 5 rows done, 1 failed.\n")
    assert [one["state"] for one in results(tmp_path)] == ["done", "done", "done", "failed", "done"]
    assert results(tmp_path)[0] == found[0]


def test_a_file_of_refused_rows_alone_needs_no_model(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(tmp_path, "rows.jsonl", '{"product": ["a"]}\nno\n', *SLOGANS, "--map", "product=product") == 2
    assert capsys.readouterr().err == "0 of 2 rows done, 0 failed, 2 refused.\n"
    assert [one["state"] for one in results(tmp_path)] == ["refused", "refused"]


@pytest.mark.parametrize(
    ("name", "data", "flag", "choices", "said"),
    [
        ("rows.xlsx",
         workbook(HEAD, row(2, text("A2", "x")), sheets={"One": "visible", "Two": "visible", "Old": "hidden"}),
         "--sheet", ("Two", "Old"), "several sheets: One, Two. Say which with --sheet: One; Two."),
        ("rows.csv", "product;a,b\nx;1,2\n", "--delimiter", ("semicolon", ";"),
         "comma or semicolon. Say which with --delimiter: comma: product;a | b"),
        ("rows.csv", "product,b\nCafé,1\n".encode("cp1252"), "--encoding", ("windows-1252",),
         "Say which with --encoding: windows-1252: Café,1"),
    ],
)  # fmt: skip
def test_what_can_be_read_in_several_ways_names_its_flag(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], name: str, data: str | bytes, flag: str,
    choices: tuple[str, ...], said: str,
) -> None:  # fmt: skip
    assert run(tmp_path, name, data, *SLOGANS) == 2
    told = capsys.readouterr().err
    assert said in told and told.count("\n") == 1 and not (tmp_path / "out.jsonl").exists()
    for choice in choices:
        (tmp_path / "out.jsonl").unlink(missing_ok=True)
        assert run(tmp_path, name, data, *SLOGANS, flag, choice) == 0
        assert capsys.readouterr().err.endswith("1 of 1 rows done, 0 failed.\n")


def test_a_row_that_holds_a_control_character_names_the_field(tmp_path: Path) -> None:
    assert run(tmp_path, "rows.csv", "product,about\nTea,a\x1ab\nMilk,white\n", *SLOGANS) == 2
    first, second = results(tmp_path)
    assert first["reason"] == "“What it is” holds the control character U+001A at position 2. Remove it."
    assert (first["state"], second["state"]) == ("failed", "done")


def test_a_cell_that_is_too_long_refuses_its_row_by_the_limit(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    written = f"product,note\nTea,{'x' * 1_001}\nMilk,y\n"
    assert run(tmp_path, "rows.csv", written, *SLOGANS, "--limit-batch-cell", "1000") == 2
    assert "more than 1,000 characters" in capsys.readouterr().err
    assert [one["state"] for one in results(tmp_path)] == ["refused", "done"]
