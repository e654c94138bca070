"""What a training has learned, from its folder to a folder for others, by the command of the terminal."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from playground import models
from playground.cli.main import main
from playground.machine.data_folder import TRAININGS
from playground.models import adapters
from playground.training.learned_export import DATA, learned_choice
from playground.training.plan import TrainPlan
from playground.training.train_settings import validate_settings
from playground.training.training_folder import TrainingFolder
from playground.types import InvalidRequest
from tests.made_adapter import make_adapter

pytestmark = pytest.mark.model


@pytest.fixture
def training(folder: Path, tmp_path: Path) -> TrainingFolder:
    """One that has learned an adapter."""
    plan = TrainPlan.of_record(
        {
            "name": "Tea / slogans",
            "base": {"name": str(folder)},
            "mapping": {"kind": "text"},
            "settings": validate_settings({}),
            "data": "data.txt",
        }
    )
    made, _ = TrainingFolder.make(tmp_path / "kept" / TRAININGS, plan)
    make_adapter(folder, made.learned)
    made.add_line("metrics.jsonl", {"step": 4, "validation_loss": 1.5, "token_accuracy": 0.5, "perplexity": 4.48})
    (made.path / DATA).write_text(json.dumps({"rows": 240, "languages": {"en": 240}}))
    return made


def exported(training: TrainingFolder, target: Path, *flags: str) -> int:
    where = ["--data-folder", str(training.path.parent.parent)]
    return main(["train", "export", training.id, str(target), *where, *flags])


def test_three_forms_are_written_with_a_card_and_load_again(
    training: TrainingFolder, tmp_path: Path, capsys: pytest.CaptureFixture[str], folder: Path
) -> None:
    for form, files in (
        ("adapter", {adapters.CONFIG, adapters.WEIGHTS}),
        ("merged", {"config.json", "model.safetensors", "tokenizer.json"}),
        ("gguf", {"gguf.gguf"}),
    ):
        target = tmp_path / form
        assert exported(training, target, "--form", form) == 0
        assert capsys.readouterr().out.strip() == str(target)
        names = {one.name for one in target.iterdir()}
        assert files | {"README.md", "curves.svg"} <= names
        card = (target / "README.md").read_text(encoding="utf-8")
        assert "# Tea / slogans" in card and "240" in card and "4.48" in card and str(tmp_path) not in card
    tuned = models.load(str(folder), adapter=str(tmp_path / "adapter"))
    assert tuned.card.parameters == models.load(str(tmp_path / "merged")).card.parameters
    assert models.load(str(tmp_path / "gguf" / "gguf.gguf")).card.parameters == tuned.card.parameters
    assert not [one for one in tmp_path.iterdir() if one.name.startswith(".") or ".part" in one.name]


def test_what_cannot_be_exported_is_one_sentence(
    training: TrainingFolder, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    target = tmp_path / "out"
    for flags, said in (
        (["--form", "merged", "--numbers", "q8_0"], "Merged safetensors are not written in q8_0."),
        (["--form", "adapter"], "There is something at"),
    ):
        if "adapter" in flags:
            target.mkdir()
        assert exported(training, target, *flags) == 2
        assert said in capsys.readouterr().err
    with pytest.raises(SystemExit):
        exported(training, target, "--share", "3")
    (training.learned / adapters.CONFIG).unlink()
    assert exported(training, tmp_path / "none") == 2
    assert "This training has learned nothing yet." in capsys.readouterr().err
    assert main(["train", "export", "../x", str(tmp_path / "none"), "--data-folder", str(tmp_path)]) == 2
    assert "There is no training" in capsys.readouterr().err


def test_what_was_learned_is_a_model_of_its_own(training: TrainingFolder, folder: Path) -> None:
    choice = learned_choice(training, 0.5)
    assert (choice.name, choice.adapter, choice.adapter_share) == (str(folder), str(training.learned), 0.5)
    assert choice.label == f"{folder} + Tea / slogans (0.5)"
    (training.learned / adapters.CONFIG).unlink()
    with pytest.raises(InvalidRequest, match="learned nothing yet"):
        learned_choice(training)
    (training.learned / "config.json").write_text("{}")
    assert learned_choice(training).name == str(training.learned) and learned_choice(training).adapter is None
