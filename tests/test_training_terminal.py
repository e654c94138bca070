"""Trainings from a terminal, and what one will take before it begins."""

from __future__ import annotations

import json
import threading
import time
from pathlib import Path
from typing import Any

import pytest
import torch

from playground.cli import train_command
from playground.cli.main import main
from playground.models import load
from playground.training import adapter_weights, trainings
from playground.training.estimate import estimated
from playground.training.row_batches import rows_of
from playground.training.train_settings import validate_settings
from playground.training.training_data import prepared_data
from playground.training.training_folder import find_folder
from playground.training.trainings import Trainings
from tests.small_training import SETTINGS, Forked, lines, made, small_folder

pytestmark = pytest.mark.model  # peft and transformers are loaded, which takes seconds


@pytest.fixture(scope="module")
def base(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return small_folder(tmp_path_factory.mktemp("small"))


@pytest.fixture(autouse=True)
def _forked(monkeypatch: pytest.MonkeyPatch) -> None:
    """Processes begin without their imports."""
    monkeypatch.setattr(trainings, "own_process", Forked)


def run(data: Path, *words: str) -> int:
    return main(["train", *words, "--data-folder", str(data)])


def flags(**settings: Any) -> list[str]:
    return [
        word for name, value in {**SETTINGS, **settings}.items() for word in (f"--{name.replace('_', '-')}", f"{value}")
    ]


def test_a_training_from_start_to_end(tmp_path: Path, base: Path, capsys: pytest.CaptureFixture[str]) -> None:
    file = tmp_path / "rows.jsonl"
    file.write_bytes(lines())
    assert run(tmp_path, "start", str(file), "--model", str(base), "--name", "Lamps", *flags()) == 0
    said = capsys.readouterr().out.splitlines()
    id = said[0]
    assert [line.partition(":")[0] for line in said[1:5]] == ["base", "step 4", "step 8", "step 12"]
    assert said[5].startswith("done, step 12 of 12, lowest validation loss") and "(base " in said[5]
    assert Path(said[6]).is_dir()
    assert run(tmp_path, "list", "--json") == 0
    (listed,) = json.loads(capsys.readouterr().out)
    assert (listed["id"], listed["name"], listed["state"]["phase"]) == (id, "Lamps", "done")
    assert run(tmp_path, "show", id) == 0 and "Lamps: done" in capsys.readouterr().out
    for words in (["resume", id], ["pause", id], ["show", "../x"]):
        assert run(tmp_path, *words) == 2
        assert capsys.readouterr().err.count("\n") == 1
    assert run(tmp_path, "delete", id) == 0 and run(tmp_path, "list") == 0
    assert capsys.readouterr().out == ""


def test_a_training_is_paused_from_another_terminal(
    tmp_path: Path, base: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    file = tmp_path / "rows.jsonl"
    file.write_bytes(lines())
    begins = ["start", str(file), "--model", str(base), "--detach", *flags(steps=5000, evaluate_every=20)]
    assert run(tmp_path, *begins) == 0
    id = capsys.readouterr().out.split()[0]
    other = Trainings(tmp_path / trainings.FOLDER)
    following = threading.Thread(target=run, args=(tmp_path, "show", id))
    following.start()
    ends = time.monotonic() + 600
    while not other.metrics(id) and time.monotonic() < ends:
        time.sleep(0.05)
    assert run(tmp_path, "pause", id) == 0
    following.join(600)
    assert not following.is_alive() and "paused" in capsys.readouterr().out
    assert other.state(id).phase == "paused"


@pytest.mark.parametrize(
    ("words", "says"),
    [
        (["--rank", "0"], "LoRA rank is '0'"),
        (["--task", "slogans", "--prompt", "x"], "Give one of --task, --prompt and --text"),
        (["--answer", "completion"], "go with --task or --prompt"),
        (["--model", "http://127.0.0.1:1"], "behind an engine"),
        (["--validation", "nowhere.csv"], "There is no file 'nowhere.csv'"),
    ],
)
def test_what_is_wrong_is_said_before_anything_begins(
    tmp_path: Path, base: Path, words: list[str], says: str, capsys: pytest.CaptureFixture[str]
) -> None:
    file = tmp_path / "rows.jsonl"
    file.write_bytes(lines())
    assert run(tmp_path, "start", str(file), *([] if "--model" in words else ["--model", str(base)]), *words) == 2
    assert says in capsys.readouterr().err and not (tmp_path / trainings.FOLDER).exists()


def test_what_a_training_will_take_is_measured_by_three_steps(
    tmp_path: Path, base: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    file = tmp_path / "rows.jsonl"
    file.write_bytes(lines())
    assert run(tmp_path, "start", str(file), "--model", str(base), "--estimate", *flags()) == 0
    said = capsys.readouterr().out
    assert "free memory" in said and "for 12 steps" in said
    assert Trainings(tmp_path / trainings.FOLDER).views() == []


def test_where_it_does_not_fit_it_is_said_what_would(
    tmp_path: Path, base: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    settings = validate_settings({**SETTINGS, "batch": 16})
    folder = find_folder(tmp_path, made(Trainings(tmp_path), base))
    loaded = load(str(base), weights="fp32")
    data = prepared_data(folder.data, folder.plan(), loaded)
    model = adapter_weights.with_adapter(loaded, settings)
    before = {name: one.clone() for name, one in model.state_dict().items()}
    rows, validation = rows_of(data.train, 64, packed=False), rows_of(data.validation, 64, packed=False)
    # So much is measured whatever else this process holds: what stays, and a megabyte for each token.
    taken: list[int] = []

    def take(self: Any, chosen: Any) -> tuple[int, int, float]:
        tokens = max(sum(len(one.ids) for one in row) for row in chosen) * len(chosen)
        taken.append(len(chosen))
        return 10**9, 10**9 + tokens * 10**6, 0.5

    fits = estimated(model, rows, validation, settings, 64)
    assert fits.fits and fits.notice is None and fits.steps == 12 and fits.seconds > 0
    assert fits.trained == sum(one.numel() for one in model.parameters() if one.requires_grad)
    assert all(torch.equal(one, before[name]) for name, one in model.state_dict().items())  # nothing was learned
    longest = max(len(one.ids) for one in data.train)
    monkeypatch.setattr("playground.training.estimate._Steps.take", take)
    monkeypatch.setattr(
        "playground.training.estimate._free_bytes", lambda model: int((1e9 + 8.5 * longest * 1e6) / 0.9)
    )
    found = estimated(model, rows, validation, settings, 64)
    assert taken == [1, 1, 1] and not found.fits  # a whole batch was not even tried
    assert found.batch == 8 and found.length == int(8.5 * longest / 16)
    assert found.notice is not None and "Batch 8 would fit" in found.notice.en and "批大小 8" in found.notice.zh


def test_durations() -> None:
    assert [train_command.duration(one) for one in (5, 120, 7200)] == ["5 s", "2 min", "2.0 h"]
