"""Files that a batch must not touch: what is not its own, what is read, and what cannot be written, told beforehand."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from playground.cli import result_files
from tests import scripted_batch

SETTINGS = ("--task", "slogans", "--seed", "1")


def run(folder: Path, *arguments: str, out: str | Path = "out.jsonl") -> int:
    (folder / "rows.csv").write_text("product\nTea\nMilk\n", encoding="utf-8")
    files = ("--in", str(folder / "rows.csv"), "--out", str(folder / out))
    return scripted_batch.run(["batch", *files, *SETTINGS, *arguments])


def refused(capsys: pytest.CaptureFixture[str], said: str) -> None:
    told = capsys.readouterr().err
    assert said in told and told.count("\n") == 1 and "begins" not in told


@pytest.mark.parametrize(
    "foreign",
    [
        b'{"my": "only data"}', b"one line of notes", b"{ ", b'{"row": 1}', b'{"row": 7, "input": {"product": "x"}}',
        b'{"row": "seven", "in', b'{"a": 1}\r{"a": 2}\r', b"[" * 100_000, b"[" * 100_000 + b"\n", b"[]\n", b"\n",
        b'{"row":-1,"state":"done","job":"x","input":{},"texts":[],"seed":1,"reason":null}\n',
        b'{"row":1,"state":"done","job":"x","input":{},"texts":[],"seed":"1","reason":null}\n', b"\x00" * 9,
        '{"row": 1, "in'.encode("utf-16"),
    ],
)  # fmt: skip
def test_a_file_that_is_not_a_batch_s_own_is_left_as_it_is(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], foreign: bytes
) -> None:
    (tmp_path / "out.jsonl").write_bytes(foreign)
    assert run(tmp_path) == 2
    refused(capsys, "Line 1 of 'out.jsonl' is no result of a batch.")
    assert (tmp_path / "out.jsonl").read_bytes() == foreign


def test_a_torn_line_is_cut_off_wherever_it_was_torn(tmp_path: Path) -> None:
    out = tmp_path / "out.jsonl"
    assert run(tmp_path) == 0
    whole = out.read_bytes()
    first, second = whole.splitlines(keepends=True)
    for torn in (first[:4], first[:8], first[:9], first[:14], first[:40], first[:-1], first + second[:-1],
                 first + b"\0" * 30):  # fmt: skip
        out.write_bytes(torn)
        assert run(tmp_path) == 0 and out.read_bytes() == whole
    out.write_bytes(whole + b'{"my": "line"}')  # behind results, but whole and of somebody else
    assert run(tmp_path) == 2 and out.read_bytes().endswith(b'{"my": "line"}')


def test_no_two_of_the_files_are_one_however_they_are_written(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "deep").mkdir()
    (tmp_path / "link.csv").symlink_to(tmp_path / "rows.csv")
    (tmp_path / "link.jsonl").symlink_to(tmp_path / "out.jsonl")  # of which neither exists yet
    os.link(tmp_path / "link.csv", tmp_path / "hard.csv", follow_symlinks=False)
    for sheet in ("out.jsonl", "deep/../out.jsonl", "link.jsonl", ".out.jsonl.lock"):
        assert run(tmp_path, "--csv", str(tmp_path / sheet)) == 2
        refused(capsys, "csv is the file that the results go to.")
    for sheet in ("rows.csv", "deep/../rows.csv", "link.csv", "hard.csv"):
        assert run(tmp_path, "--csv", str(tmp_path / sheet)) == 2
        refused(capsys, "csv is the file that is read.")
    assert not (tmp_path / "out.jsonl").exists()


def test_a_link_that_is_written_to_stays_a_link_and_a_file_keeps_its_rights(tmp_path: Path) -> None:
    (tmp_path / "deep").mkdir()
    (tmp_path / "out.jsonl").symlink_to("deep/results.jsonl")
    (tmp_path / "deep" / "results.jsonl").touch(mode=0o600)
    assert run(tmp_path, "--csv", str(tmp_path / "out.csv")) == 0
    assert (tmp_path / "out.jsonl").is_symlink()
    kept = tmp_path / "deep" / "results.jsonl"
    assert kept.read_bytes().count(b"\n") == 2 and kept.stat().st_mode & 0o777 == 0o600
    assert [one.name for one in (tmp_path / "deep").iterdir()] == ["results.jsonl"]


def test_a_place_that_cannot_be_written_is_told_before_any_row(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    long, closed = "x" * 245 + ".jsonl", "/proc/w.jsonl"  # its lock would have a name that is too long
    (tmp_path / "loop.jsonl").symlink_to("loop.jsonl")
    os.mkfifo(tmp_path / "pipe.jsonl")
    for out in (long, "x" * 300 + ".jsonl", closed, "loop.jsonl", "pipe.jsonl", "none/out.jsonl", "a\0.jsonl"):
        assert run(tmp_path, out=out) == 2
        refused(capsys, "out: ")
    for sheet in ("/proc/w.csv", str(tmp_path), str(tmp_path / "none/w.csv"), str(tmp_path / ("x" * 300))):
        assert run(tmp_path, "--csv", sheet) == 2
        refused(capsys, "csv: ")
    assert not (tmp_path / "out.jsonl").exists()


def test_a_sheet_that_can_no_longer_be_written_is_one_sentence_and_the_results_stay(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    write = result_files.write_sheet
    monkeypatch.setattr(result_files, "write_sheet", lambda place, *more: write(tmp_path / "gone" / "w.csv", *more))
    assert run(tmp_path, "--csv", str(tmp_path / "w.csv")) == 2
    assert "gone/w.csv' cannot be written." in capsys.readouterr().err
    assert (tmp_path / "out.jsonl").read_bytes().count(b"\n") == 2
