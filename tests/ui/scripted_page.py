"""The real page over a generator that replays texts: `python -m tests.ui.scripted_page --port 7900`.

Everything but the model is the product's own. `--plain` makes it a model without a chat template, `--until FILE` one
that loads until that file is there, `--broken` one that cannot be loaded, `--list` one that writes a numbered list,
`--think` one that thinks first and reads only 60 tokens, `--small` one that goes by the embedded model's name,
`--slow` one without a fast path (the others' is the same script), `--hold FILE` one that goes no further than some
words with requests whose seeds, or "all", stand in that file, nor with a download while "download" does; `--pause` is
the time between tokens in seconds. A model whose name holds "fails" cannot be switched to.
"""

from __future__ import annotations

import argparse
import re
import sys
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from functools import partial
from pathlib import Path

from playground import parameters
from playground.decoding.step_stream import StepStream, from_iterator
from playground.generators.scripted import CONTEXT, ScriptedGenerator
from playground.leave import leave
from playground.models import adapters, embedded
from playground.models.download_progress import DownloadProgress
from playground.models.memory_estimate import MemoryEstimate
from playground.models.model_choice import ModelChoice
from playground.settings import Settings
from playground.types import (
    FastPath,
    Generator,
    ModelCard,
    ModelError,
    Placement,
    ProgressReport,
    Request,
    Step,
    Text,
)
from playground.ui import model_host
from playground.ui.serve import main
from tests.failing import broken

HOSTILE = "<img src=x onerror=\"document.title='hacked'\"> {{value}} ${value} <b>bold</b>"
# None begins like a worked example of the tasks, which stands on the page before the first run.
TEXTS = [
    "Night Ferry: morning magic in every cup, poured slowly and told well, for all who read before the day begins.",
    HOSTILE,
    "A harbour, a lamp, a cup of coffee. 港口的清晨，一杯咖啡。 And then another one, since the ferry is late again.",
]
LIST = ['1. tea\n2. coffee\n3. tea\n4. "ferry tickets"\n']
THOUGHTS = [
    "<think>\nWhich ferry? <b>The late one.</b>\n</think>\n\nThe ferry is late.",
    "<think>Another one?</think>It is quite late.",
]
# What a prompt in Arabic or Hebrew is answered with: mixed with Latin, as a text, a list, a record, behind a thought.
ARABIC = (
    "قهوة Blue Moon: سحر الصباح في كل كوب، منذ 2024.\n\nA line in English with שלום in it.\n\nوهذا سطر آخر (iPhone 15)."
)
HEBREW = "ירח כחול, קסם הבוקר בכל כוס: Blue Moon ו-3 כוסות.\nOnce more in English."
TURNED = [
    ARABIC,
    HEBREW,
    "1. شاي بالنعناع\n2. قهوة Blue Moon\n3. תה עם 2 עוגיות\n",
    '{"name": "أحمد Smith", "when": "السبت 9:30", "quantity": 12, "wants": "לחמניות עם פרג"}',
    f"<think>{HEBREW}</think>{ARABIC}",
]
RIGHT_TO_LEFT = re.compile("[\u0590-\u06ff]")
HELD_AT = 3
HUGE = "huge"  # in the name of a model that fits beside no other
FAILING = "fails"  # in the name of a model that cannot be loaded
OWN = {"do_sample": True, "temperature": 0.7, "top_k": 20, "sway": 3}  # of every model that is switched to
MB, GB = 10**6, 10**9
LISTS = "[lists]"  # in a prompt: it is answered with a list
FAILS = "[fails]"  # in a prompt: its second text, or the only one, fails after two tokens
PLACES = tuple(Placement(f"model.layers.{layer}", "cpu" if layer < 20 else "disk", 7_080_000) for layer in range(30))


class Replayed(ScriptedGenerator):
    """A scripted generator that looks like a model spread over memory and disk, and one that guesses where asked to."""

    plain = False
    small = False
    hold: Path | None = None
    named: str | None = None  # by whoever switched to it
    adapter: tuple[str, float] | None = None  # a folder, and the share of it

    def __init__(self, texts: Sequence[str], *, delay: float, slow: bool, context: int = CONTEXT) -> None:
        super().__init__(texts, delay=delay, parameters=frozenset(parameters.by_name()), context=context)
        self._listed = ScriptedGenerator(LIST, delay=delay, parameters=self.parameters, context=context)
        self._turned = ScriptedGenerator(TURNED, delay=delay, parameters=self.parameters, context=context)
        if not slow:
            self.paths = self._turned.paths = self._listed.paths = frozenset({"exact", "fast"})
            self.fast = FastPath("auto", "int4")

    @property
    def card(self) -> ModelCard:
        card = replace(super().card, has_chat_template=not self.plain, placements=PLACES, size=212_400_000)
        if self.named is not None:
            title = self.named.rpartition("/")[2]
            card = replace(card, id=self.named, title=title, revision="rev 2", generation_defaults=OWN)
            return card if self.adapter is None else self._tuned(card, *self.adapter)
        return replace(card, id=embedded.ID, title=embedded.TITLE) if self.small else card

    def _tuned(self, card: ModelCard, folder: str, share: float) -> ModelCard:
        title, id = adapters.tuned_title(card.title, folder, share), adapters.tuned_id(card.id, folder, share)
        return replace(card, id=id, title=title, adapter=folder)

    def open(self, request: Request, cancelled: threading.Event) -> StepStream:
        if self.hold is None:
            return super().open(request, cancelled)
        return from_iterator(
            self._held(self.stream(request), str(request.values["seed"]), self.hold, cancelled), cancelled
        )

    def _held(self, steps: Iterator[Step], seed: str, hold: Path, cancelled: threading.Event) -> Iterator[Step]:
        for step in steps:
            while step.position >= HELD_AT and {seed, "all"} & {*hold.read_text().split()} and not cancelled.is_set():
                time.sleep(0.02)
            yield step

    def stream(self, request: Request) -> Iterator[Step]:
        guessed = request.values["prompt_lookup_num_tokens"]
        asked = request.system + request.prompt + request.prefill
        other = self._turned if RIGHT_TO_LEFT.search(asked) else self._listed if LISTS in asked else None
        steps = (
            replace(step, proposed=guessed if step.position < 2 else 0, accepted=int(step.position < guessed))
            for step in (super().stream(request) if other is None else other.stream(request))
        )
        return broken(steps, min(1, request.values["n"] - 1)) if FAILS in request.prompt else steps


def estimated(choice: ModelChoice) -> MemoryEstimate:
    """What a model is said to take that is no file of this machine."""
    context = choice.context or CONTEXT
    weights = 2**64 if HUGE in choice.name else GB
    return MemoryEstimate(weights, GB // 2, GB // 10, 50_000, GB // 20, 0, context, 988 * MB, 212 * MB, 6 * GB, "hub")


def fetched(hold: Path | None, choice: ModelChoice, progress: Callable[[DownloadProgress], None]) -> None:
    """A download that goes no further while its word stands in the file."""
    progress(DownloadProgress(123 * MB, 988 * MB, 8.3 * MB, 104.0))
    while hold is not None and "download" in hold.read_text().split():
        time.sleep(0.02)
        progress(DownloadProgress(123 * MB, 988 * MB, 8.3 * MB, 104.0))


def run(argv: list[str]) -> int:
    parser = argparse.ArgumentParser(allow_abbrev=False)
    for flag in ("--plain", "--broken", "--list", "--think", "--slow", "--small"):
        parser.add_argument(flag, action="store_true")
    parser.add_argument("--until", type=Path)
    parser.add_argument("--hold", type=Path)
    parser.add_argument("--pause", type=float, default=0.01)
    wanted, rest = parser.parse_known_args(argv)

    def opened(settings: Settings, report: ProgressReport) -> Generator:
        if settings.model and FAILING in settings.model:
            raise ModelError(Text("The file is damaged.", "文件已损坏。"), Text("Download it again.", "请重新下载。"))
        while wanted.until and not wanted.until.exists():
            report(Text("Converting weights", "正在转换权重"), 0.42)
            time.sleep(0.05)
        if wanted.broken:
            raise ModelError(Text("No weights were found.", "没有找到权重。"), Text("Install them.", "请安装。"))
        texts = LIST if wanted.list else THOUGHTS if wanted.think else TEXTS
        context = 60 if wanted.think else CONTEXT
        generator = Replayed(texts, delay=wanted.pause, slow=wanted.slow, context=context)
        generator.plain, generator.small, generator.hold = wanted.plain, wanted.small, wanted.hold
        generator.named = settings.model
        generator.adapter = None if settings.adapter is None else (settings.adapter, settings.adapter_share)
        return generator

    vars(model_host).update(_unknown=estimated, _nothing=partial(fetched, wanted.hold))
    return main(rest, opened)


if __name__ == "__main__":
    leave(run(sys.argv[1:]))
