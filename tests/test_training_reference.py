"""A training is right by reference: losses, accuracy and perplexity equal what is written out by hand."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import pytest
import safetensors.torch
import torch
from torch.nn import functional

from playground.generators.local import LocalGenerator
from playground.inspection import reading
from playground.models import load
from playground.training import checkpoint_store
from playground.training.example import Encoded
from playground.training.packing_check import check_packing
from playground.training.process import train
from playground.training.row_batches import IGNORED, Collator, order_of_epoch, rows_of
from playground.training.token_scores import batch_scores, summed
from playground.training.training_data import prepared_data
from playground.training.training_folder import TrainingFolder, find_folder
from playground.training.trainings import Trainings
from playground.types import InvalidRequest
from tests.small_training import made, small_folder

pytestmark = pytest.mark.model  # peft and transformers are loaded, which takes seconds


@pytest.fixture(scope="module")
def base(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return small_folder(tmp_path_factory.mktemp("small"))


@pytest.fixture
def trainings(tmp_path: Path) -> Trainings:
    return Trainings(tmp_path / "trainings")


def trained(trainings: Trainings, base: Path, **settings: Any) -> TrainingFolder:
    """A training that ran to its end in this process."""
    folder = find_folder(trainings.root, made(trainings, base, **settings))
    train(folder)
    state = folder.written_state()
    assert state.phase == "done", state.trouble
    return folder


def losses(folder: TrainingFolder) -> list[float]:
    return [one["loss"] for one in folder.lines("metrics.jsonl") if "loss" in one]


def batches(rows: tuple[Encoded, ...], size: int, seed: int, steps: int) -> Iterator[list[Encoded]]:
    """The rows in the order of each epoch, so many at a time."""
    epoch = given = 0
    while True:
        order = order_of_epoch(len(rows), seed, epoch)
        for at in range(0, len(order), size):
            yield [rows[place] for place in order[at : at + size]]
            given += 1
            if given == steps:
                return
        epoch += 1


@pytest.mark.parametrize("schedule", ["constant", "linear"])
def test_the_losses_of_20_steps_equal_those_of_a_plain_loop(trainings: Trainings, base: Path, schedule: str) -> None:
    settings = {
        "method": "full", "steps": 20, "batch": 4, "accumulation": 1, "learning_rate": 1e-3, "schedule": schedule,
        "weight_decay": 0.01, "clip": 1.0, "seed": 5, "validation_share": 0.0,
    }  # fmt: skip
    folder = trained(trainings, base, **settings)

    loaded = load(str(base), weights="fp32")
    data = prepared_data(folder.data, folder.plan(), loaded)
    model = loaded.model.train()
    matrices = [one for one in model.parameters() if one.dim() > 1]
    others = [one for one in model.parameters() if one.dim() == 1]  # of norms, which are not pulled towards 0
    groups = [{"params": matrices, "weight_decay": 0.01}, {"params": others, "weight_decay": 0.0}]
    optimizer = torch.optim.AdamW(groups, lr=1e-3)
    expected = []
    for step, batch in enumerate(batches(data.train, 4, 5, 20)):
        length = max(len(one.ids) for one in batch)
        ids = torch.tensor([[*one.ids, *[0] * (length - len(one.ids))] for one in batch])
        seen = torch.tensor([[1] * len(one.ids) + [0] * (length - len(one.ids)) for one in batch])
        learned = torch.tensor([[*one.learned, *[False] * (length - len(one.ids))] for one in batch])
        scores = model(input_ids=ids, attention_mask=seen).logits
        picked = learned[:, 1:]
        loss = functional.cross_entropy(scores[:, :-1][picked], ids[:, 1:][picked])
        loss.backward()
        torch.nn.utils.clip_grad_norm_(model.parameters(), 1.0)
        for group in optimizer.param_groups:
            group["lr"] = 1e-3 * (1 if schedule == "constant" else (20 - step) / 20)
        optimizer.step()
        optimizer.zero_grad()
        expected.append(float(loss.detach()))
    assert losses(folder) == pytest.approx(expected, abs=1e-5)
    assert expected[-1] < expected[0] - 0.5  # it does learn
    learned_weights = safetensors.torch.load_file(folder.learned / "model.safetensors")
    for name, weights in model.state_dict().items():
        assert torch.allclose(learned_weights.get(name, weights), weights, atol=1e-5), name
    assert json.loads((folder.learned / "config.json").read_text())["use_cache"] is True


def test_the_loss_of_a_step_is_the_mean_over_its_tokens_however_they_are_accumulated(
    trainings: Trainings, base: Path
) -> None:
    alone = trained(trainings, base, batch=4, accumulation=1, method="full", learning_rate=1e-3)
    in_parts = trained(trainings, base, batch=1, accumulation=4, method="full", learning_rate=1e-3)
    assert losses(alone) == pytest.approx(losses(in_parts), abs=1e-5)


def test_validation_equals_a_count_by_hand(trainings: Trainings, base: Path) -> None:
    folder = trained(trainings, base, method="full", batch=3)
    told = [one for one in folder.lines("metrics.jsonl") if "validation_loss" in one]
    assert [one["step"] for one in told] == [0, 4, 8, 12]
    data = prepared_data(folder.data, folder.plan(), load(str(base), weights="fp32"))
    assert len(data.validation) >= 12
    last = checkpoint_store.newest_checkpoint(folder.checkpoints)
    assert last is not None
    model = load(str(base), weights="fp32").model.eval()
    check_validation(told[0], model, data.validation)  # of the base, before anything is learned
    assert folder.written_state().base_loss == told[0]["validation_loss"]
    safetensors.torch.load_model(model, str(last / "weights.safetensors"))
    check_validation(told[-1], model, data.validation)


def check_validation(told: Mapping[str, Any], model: Any, rows: Sequence[Encoded]) -> None:
    nats, right, count = 0.0, 0, 0
    for one in rows:
        with torch.no_grad():
            chances = torch.log_softmax(model(torch.tensor([one.ids])).logits[0], dim=-1)
        for place in range(1, len(one.ids)):
            if one.learned[place]:
                nats -= float(chances[place - 1, one.ids[place]])
                right += int(chances[place - 1].argmax()) == one.ids[place]
                count += 1
    assert told["validation_tokens"] == count
    assert told["validation_loss"] == pytest.approx(nats / count, abs=1e-5)
    assert told["token_accuracy"] == right / count


def test_perplexity_equals_what_read_says_of_the_same_text(base: Path) -> None:
    loaded = load(str(base), weights="fp32")
    text = "The lamp and the boat, and the bird on the hill. " * 3
    *_, read = reading.read(LocalGenerator(loaded), "", text, None, lambda: False, False)
    ids = tuple(one.token.token_id for one in read.tokens)
    row = Encoded(ids, (True,) * len(ids), 0, 1)
    batch = Collator(0, packed=False)([(row,)])
    assert summed(batch_scores(loaded.model, batch)).perplexity == pytest.approx(read.perplexity, rel=1e-5)


def test_packed_texts_do_not_see_one_another(trainings: Trainings, base: Path) -> None:
    loaded = load(str(base), weights="fp32")
    folder = find_folder(trainings.root, made(trainings, base))
    data = prepared_data(folder.data, folder.plan(), loaded)
    packed = rows_of(data.train, 128, packed=True)
    assert len(packed) < len(data.train) / 1.5
    assert sorted(one.row for row in packed for one in row) == sorted(one.row for one in data.train)
    together = summed(batch_scores(loaded.model, Collator(0, packed=True)(packed)))
    alone = summed(batch_scores(loaded.model, Collator(0, packed=False)(rows_of(data.train, 64, packed=False))))
    assert (together.tokens, together.right) == (alone.tokens, alone.right)
    assert together.loss == pytest.approx(alone.loss, abs=1e-5)
    check_packing(loaded, data.train)


def test_a_model_that_mixes_packed_texts_is_refused(base: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    loaded = load(str(base), weights="fp32")
    rows = [Encoded((5, 6, 7, 8), (True,) * 4, 0, 1), Encoded((9, 10, 11), (True,) * 3, 0, 2)]
    forward = loaded.model.forward
    monkeypatch.setattr(
        loaded.model, "forward", lambda input_ids, position_ids=None, **more: forward(input_ids, **more)
    )
    with pytest.raises(InvalidRequest, match="packing"):
        check_packing(loaded, rows)


def test_the_first_token_of_each_packed_text_is_not_learned() -> None:
    rows = [Encoded((5, 6), (True, True), 0, 1), Encoded((7, 8, 9), (True, False, True), 0, 2)]
    batch = Collator(0, packed=True)([tuple(rows), (rows[0],)])
    assert batch["labels"].tolist() == [[IGNORED, 6, IGNORED, IGNORED, 9], [IGNORED, 6, IGNORED, IGNORED, IGNORED]]
    assert batch["position_ids"].tolist() == [[0, 1, 0, 1, 2], [0, 1, 0, 1, 2]]
