"""Whether a training on the embedded model really learns: `python -m benchmarks.training [slogans.en …]`.

Before and after, on texts that were kept apart: validation loss, token accuracy, perplexity, and the share of texts in
the form that is taught. And the speed beside a plain Trainer on the same rows. Writes nothing but what it prints.
"""

from __future__ import annotations

import argparse
import re
import sys
import tempfile
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from transformers import Trainer

from playground.generators.local import LocalGenerator
from playground.models import Loaded, embedded, load
from playground.tasks.loader import FOLDER
from playground.training import mapping
from playground.training.adapter_weights import with_adapter
from playground.training.base_model import load_base
from playground.training.plan import TrainPlan
from playground.training.process import train
from playground.training.row_batches import Collator, Row, rows_of
from playground.training.token_scores import TokenScores, batch_scores, summed
from playground.training.train_settings import validate_settings
from playground.training.trainer_arguments import trainer_arguments
from playground.training.training_data import PreparedData, prepared_data
from playground.training.training_folder import TrainingFolder, find_folder
from playground.training.trainings import Trainings

DATA = FOLDER / "training"
SETTINGS: Mapping[str, Any] = {"rank": 16, "learning_rate": 5e-4, "epochs": 4.0, "cut_length": 512, "evaluate_every": 0}
_STEPS = 8  # of the comparison with a plain Trainer


@dataclass(frozen=True, slots=True)
class Taught:
    """A data set, how it is mapped, its settings, and the form of its texts, where it has one."""

    mapping: Mapping[str, Any]
    settings: Mapping[str, Any]
    form: str = ""
    validation: str = ""


def _slogans(language: Any, form: str) -> Taught:
    columns = {"product": "product", "about": "about"}
    wanted = mapping.TaskMapping("slogans", language, "chat", columns, "slogan")
    return Taught(mapping.as_record(wanted), SETTINGS, form)


SETS: Mapping[str, Taught] = {
    "slogans.en.jsonl": _slogans("en", r".+: less ([^,.]+), more ([^,.]+)\."),
    "slogans.zh.jsonl": _slogans("zh", r".+：少一点([^，。]+)，多一点([^，。]+)。"),
    "alice.txt": Taught({}, {**SETTINGS, "epochs": 2.0}, validation="alice.unseen.txt"),
}


def scores(model: Any, loaded: Loaded, data: PreparedData) -> TokenScores:
    """Of the texts that are kept apart."""
    collate = Collator(loaded.tokenizer.pad_token_id or 0, packed=False)
    model.eval()
    return sum((summed(batch_scores(model, collate([(one,)]))) for one in data.validation), TokenScores(0.0, 0, 0))


def share_in_form(loaded: Loaded, data: PreparedData, form: str) -> float:
    """Of the texts kept apart, how many prompts are answered in this form, at the task's own settings."""
    generator = LocalGenerator(loaded)
    try:
        asked = [replace(one.request, values={**one.request.values, "seed": 0}) for one in data.samples]
        texts = ["".join(step.text for step in generator.stream(request)).strip() for request in asked]
    finally:
        generator.close()
    return sum(bool(re.fullmatch(form, text)) for text in texts) / len(texts)


def rates(loaded: Loaded, rows: Sequence[Row], settings: Mapping[str, Any]) -> float:
    """Tokens a second of a plain Trainer over these rows."""
    model = with_adapter(loaded, settings)
    with tempfile.TemporaryDirectory() as place:
        arguments = trainer_arguments(Path(place), settings, _STEPS)
        trainer = Trainer(model, arguments, Collator(0, packed=False), train_dataset=list(rows))
        trainer.train(resume_from_checkpoint=None)
        began = time.perf_counter()
        trainer.train(resume_from_checkpoint=None)
        seconds = time.perf_counter() - began
    count = sum(len(one.ids) for row in rows for one in row) / len(rows)
    return _STEPS * settings["batch"] * settings["accumulation"] * count / seconds


def measured(name: str, taught: Taught) -> list[str]:
    """One training from start to end, and what it changed."""
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
        return _table(name, taught, folder, seconds)


def _table(name: str, taught: Taught, folder: TrainingFolder, seconds: float) -> list[str]:
    plan = folder.plan()
    base = load_base(plan.choice, "fp32", lambda *_: None)
    data = prepared_data(folder.data, plan, base)
    before = scores(base.model, base, data)
    form = [share_in_form(base, data, taught.form)] if taught.form else []
    plain = rates(base, rows_of(data.train, data.longest, packed=False), plan.settings)
    tuned = load(weights="fp32", adapter=str(folder.learned))
    after = scores(tuned.model, tuned, data)
    if taught.form:
        form.append(share_in_form(tuned, data, taught.form))
    own = [line["tokens_per_second"] for line in folder.lines("metrics.jsonl") if "tokens_per_second" in line]
    rate = sorted(own)[len(own) // 2]
    lines = [
        f"{name}: {len(data.train)} rows learned, {len(data.validation)} kept apart, {len(own)} steps, {seconds:.0f} s",
        f"  validation loss {before.loss:.3f} -> {after.loss:.3f}, token accuracy {before.accuracy:.1%} -> "
        f"{after.accuracy:.1%}, perplexity {before.perplexity:.2f} -> {after.perplexity:.2f} "
        f"({after.perplexity / before.perplexity - 1:+.1%})",
        f"  tokens/s {rate:.0f}, a plain Trainer {plain:.0f}: {rate / plain:.2f}",
    ]
    if form:
        lines.append(f"  texts in the form {form[0]:.0%} -> {form[1]:.0%}")
    return lines


def _main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, allow_abbrev=False)
    parser.add_argument("sets", nargs="*", metavar="SET", help=f"one of {', '.join(SETS)}; all of them by default")
    wanted = parser.parse_args().sets or list(SETS)
    unknown = [name for name in wanted if name not in SETS]
    if unknown:
        parser.error(f"no such set: {', '.join(unknown)}")
    for name in wanted:
        print("\n".join(measured(name, SETS[name])), flush=True)
    return 0


if __name__ == "__main__":
    sys.exit(_main())
