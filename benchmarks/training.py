"""Whether a training on the embedded model really learns: `python -m benchmarks.training [slogans.en …]`.

Before and after, on texts that were kept apart: validation loss, token accuracy, perplexity, and the share of texts in
the form that is taught. And the speed beside a plain Trainer on the same rows. Writes nothing but what it prints.
"""

from __future__ import annotations

import argparse
import re
import statistics
import sys
import tempfile
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from torch import Tensor
from transformers import PrinterCallback, Trainer

from playground.generators.local import LocalGenerator
from playground.models import Loaded, embedded, load
from playground.tasks.loader import FOLDER
from playground.training import mapping
from playground.training.adapter_weights import with_adapter
from playground.training.base_model import load_base
from playground.training.plan import TrainPlan
from playground.training.process import train
from playground.training.row_batches import Collator, Row, rows_of
from playground.training.run_trainer import RunTrainer
from playground.training.token_scores import TokenScores, batch_scores, summed
from playground.training.train_settings import validate_settings
from playground.training.trainer_arguments import trainer_arguments
from playground.training.training_data import PreparedData, prepared_data
from playground.training.training_folder import TrainingFolder, find_folder
from playground.training.trainings import Trainings

DATA = FOLDER / "training"
SETTINGS: Mapping[str, Any] = {"rank": 16, "learning_rate": 5e-4, "epochs": 4.0, "cut_length": 512, "evaluate_every": 0}
_SAMPLED = {"seed": 0, "max_new_tokens": 60}
_STEPS, _ROUNDS = 4, 5  # of the comparison with a plain Trainer


@dataclass(frozen=True, slots=True)
class Taught:
    """A data set, how it is mapped, its settings, and the form of its texts, where it has one."""

    mapping: Mapping[str, Any]
    settings: Mapping[str, Any]
    form: str = ""
    validation: str = ""


def _slogans(prompt: str, form: str) -> Taught:
    """By a prompt of one line: the task's own has 300 tokens for the dozen that are learned of each row."""
    return Taught(mapping.as_record(mapping.FreeMapping(prompt, "slogan")), SETTINGS, form)


SETS: Mapping[str, Taught] = {
    "slogans.en.jsonl": _slogans("Write a slogan for {{product}}, {{about}}.", r".+: less ([^,.]+), more ([^,.]+)\."),
    "slogans.zh.jsonl": _slogans("为{{about}}“{{product}}”写一句广告语。", r".+：少一点([^，。]+)，多一点([^，。]+)。"),
    "alice.txt": Taught({}, {**SETTINGS, "epochs": 2.0}, validation="alice.unseen.txt"),
}


def scores(model: Any, loaded: Loaded, data: PreparedData) -> TokenScores:
    """Of the texts that are kept apart."""
    collate = Collator(loaded.tokenizer.pad_token_id or 0, packed=False)
    model.eval()
    return sum((summed(batch_scores(model, collate([(one,)]))) for one in data.validation), TokenScores(0.0, 0, 0))


def share_in_form(loaded: Loaded, data: PreparedData, form: str) -> float:
    """Of the texts kept apart, how many prompts are answered in this form, sampled at the neutral settings."""
    generator = LocalGenerator(loaded)
    try:
        asked = [replace(one.request, values={**one.request.values, **_SAMPLED}) for one in data.samples]
        texts = ["".join(step.text for step in generator.stream(request)).strip() for request in asked]
    finally:
        generator.close()
    return sum(bool(re.fullmatch(form, text)) for text in texts) / len(texts)


class Counting(Collator):
    """Counts the tokens that it hands out."""

    tokens = 0

    def __call__(self, rows: Sequence[Row]) -> dict[str, Tensor]:
        found = super().__call__(rows)
        self.tokens += int(found["attention_mask"].sum())
        return found


class Unwatched:
    """Nobody is told, and nobody asks for a pause."""

    def wished(self) -> bool:
        return False

    def evaluated(self, trainer: RunTrainer, scores: TokenScores) -> None:
        pass


def rates(loaded: Loaded, rows: Sequence[Row], settings: Mapping[str, Any]) -> tuple[float, float]:
    """Tokens a second of the trainer that trains here and of a plain Trainer, the medians of rounds in turn."""
    model = with_adapter(loaded, settings)
    counting = Counting(0, packed=False)
    with tempfile.TemporaryDirectory() as place:
        arguments = trainer_arguments(Path(place), settings, _STEPS)
        both = (
            RunTrainer(model, arguments, rows, [], counting, Unwatched(), []),
            Trainer(model, arguments, counting, train_dataset=list(rows)),
        )
        both[1].remove_callback(PrinterCallback)
        found = [[_rate(trainer, counting) for trainer in both] for _ in range(1 + _ROUNDS)][1:]
    own, plain = (statistics.median(one) for one in zip(*found, strict=True))
    return own, plain


def _rate(trainer: Trainer, counting: Counting) -> float:
    counting.tokens, began = 0, time.perf_counter()
    trainer.train(resume_from_checkpoint=None)
    return counting.tokens / (time.perf_counter() - began)


def measured(name: str, taught: Taught, *, paced: bool) -> list[str]:
    """One training and what it changed; where it is `paced`, its speed beside a plain Trainer too."""
    with tempfile.TemporaryDirectory() as place:
        trainings = Trainings(Path(place))
        settings = validate_settings(taught.settings)
        record = {"name": name, "base": {"name": embedded.ID}, "mapping": taught.mapping, "settings": settings}
        validation = (taught.validation, DATA / taught.validation) if taught.validation else None
        folder = find_folder(
            trainings.root, trainings.create(TrainPlan.of_record(record), (name, DATA / name), validation)
        )
        began = time.perf_counter()
        train(folder)
        seconds = time.perf_counter() - began
        state = folder.written_state()
        if state.phase != "done":
            return [f"{name}: {state.phase}: {state.trouble.en if state.trouble else ''}"]
        return _table(name, taught, folder, seconds, paced=paced)


def _table(name: str, taught: Taught, folder: TrainingFolder, seconds: float, *, paced: bool) -> list[str]:
    plan = folder.plan()
    base = load_base(plan.choice, "fp32", lambda *_: None)
    data = prepared_data(folder.data, plan, base)
    before = scores(base.model, base, data)
    form = [share_in_form(base, data, taught.form)] if taught.form else []
    rows = rows_of(data.train, data.longest, packed=False)
    own, plain = rates(base, rows, plan.settings) if paced else (0.0, 0.0)
    tuned = load(weights="fp32", adapter=str(folder.learned))
    after = scores(tuned.model, tuned, data)
    if taught.form:
        form.append(share_in_form(tuned, data, taught.form))
    steps = [line["tokens_per_second"] for line in folder.lines("metrics.jsonl") if "tokens_per_second" in line]
    lines = [
        f"{name}: {len(data.train)} rows learned, {len(data.validation)} kept apart, {len(steps)} steps, "
        f"{seconds:.0f} s",
        f"  validation loss {before.loss:.3f} -> {after.loss:.3f}, token accuracy {before.accuracy:.1%} -> "
        f"{after.accuracy:.1%}, perplexity {before.perplexity:.2f} -> {after.perplexity:.2f} "
        f"({after.perplexity / before.perplexity - 1:+.1%})",
        f"  tokens/s of the run {statistics.median(steps):.0f}",
    ]
    if paced:
        lines[-1] += f"; in turn with a plain Trainer {own:.0f} and {plain:.0f}: {own / plain:.2f}"
    if form:
        lines.append(f"  texts in the form {form[0]:.0%} -> {form[1]:.0%}")
    return lines


def _main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, allow_abbrev=False)
    parser.add_argument("sets", nargs="*", metavar="SET", help=f"one of {', '.join(SETS)}; all of them by default")
    parser.add_argument("--no-pace", action="store_true", help="leave out the speed beside a plain Trainer")
    given = parser.parse_args()
    wanted = given.sets or list(SETS)
    unknown = [name for name in wanted if name not in SETS]
    if unknown:
        parser.error(f"no such set: {', '.join(unknown)}")
    for name in wanted:
        print("\n".join(measured(name, SETS[name], paced=not given.no_pace)), flush=True)
    return 0


if __name__ == "__main__":
    sys.exit(_main())
