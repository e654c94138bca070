"""The list of models to choose from: the embedded one, those of recipes.yaml, well-known ones, and the hub's cache.

Any other causal language model can be named as well. Knows no torch, and never asks the network.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

from playground.models import embedded, hub_cache, recipes
from playground.types import LANGUAGES, Language, ModelCard, ProgressReport, Text

BESIDE_WEIGHTS = 1.2
"""Memory for writing, by the bytes of the weights: EleutherAI, "Transformer Math 101" (2023)."""


@dataclass(frozen=True, slots=True)
class Entry:
    """A model. `parameters` is a count; `size` is bytes of weights, in bf16 for one that is not here yet.

    `languages` are those of ours that its makers name on its card; none where we know no card.
    """

    id: str
    title: str
    parameters: int | None
    licence: str | None
    note: Text
    languages: tuple[Language, ...] = ()
    size: int | None = None
    folder: str | None = None

    @property
    def memory(self) -> int | None:
        """About how many bytes of memory it takes to write with it."""
        return None if self.size is None else round(BESIDE_WEIGHTS * self.size)

    @property
    def needs_no_hub(self) -> bool:
        """Whether the package index has it too, so that it can be had where no hub is reached."""
        return recipes.find(self.id) is not None

    def as_json(self) -> dict[str, Any]:
        """Without `folder` where the model is not on this machine."""
        record = {**asdict(self), "languages": list(self.languages), "memory": self.memory}
        if self.folder is None:
            del record["folder"]
        return record


_ENGLISH = Text("Continues English text; no chat.", "续写英文文本，不支持对话。")
_CHAT = Text("Chat, mostly English.", "对话，以英文为主。")
_CHINESE = Text("Chat in Chinese, English and many other languages.", "中文、英文及多语言对话。")
_GATED = Text("Chat, many languages; accept its licence on the hub first.", "多语言对话；需先在模型库接受许可。")

_EN: tuple[Language, ...] = ("en",)

KNOWN = (
    Entry(embedded.ID, embedded.TITLE, 134_515_008, "Apache-2.0", _CHAT, _EN),
    *(Entry(one.id, one.title, one.parameters, one.licence, one.note, one.languages) for one in recipes.all_recipes()),
    Entry("distilgpt2", "DistilGPT-2", 81_912_576, "Apache-2.0", _ENGLISH, _EN),
    Entry("gpt2", "GPT-2", 124_439_808, "MIT", _ENGLISH, _EN),
    Entry("gpt2-medium", "GPT-2 medium", 354_823_168, "MIT", _ENGLISH, _EN),
    Entry("gpt2-large", "GPT-2 large", 774_030_080, "MIT", _ENGLISH, _EN),
    Entry("EleutherAI/gpt-j-6B", "GPT-J 6B", 6_050_882_784, "Apache-2.0", _ENGLISH, _EN),
    Entry("HuggingFaceTB/SmolLM2-360M-Instruct", "SmolLM2 360M Instruct", 361_821_120, "Apache-2.0", _CHAT, _EN),
    Entry("HuggingFaceTB/SmolLM2-1.7B-Instruct", "SmolLM2 1.7B Instruct", 1_711_376_384, "Apache-2.0", _CHAT, _EN),
    Entry("HuggingFaceTB/SmolLM3-3B", "SmolLM3 3B", 3_075_098_624, "Apache-2.0", _CHAT, _EN),
    Entry("Qwen/Qwen2.5-0.5B-Instruct", "Qwen2.5 0.5B Instruct", 494_032_768, "Apache-2.0", _CHINESE, LANGUAGES),
    Entry("Qwen/Qwen2.5-1.5B-Instruct", "Qwen2.5 1.5B Instruct", 1_543_714_304, "Apache-2.0", _CHINESE, LANGUAGES),
    Entry("Qwen/Qwen3-0.6B", "Qwen3 0.6B", 596_049_920, "Apache-2.0", _CHINESE, LANGUAGES),
    Entry("Qwen/Qwen3-1.7B", "Qwen3 1.7B", 1_720_574_976, "Apache-2.0", _CHINESE, LANGUAGES),
    Entry("Qwen/Qwen3-4B-Instruct-2507", "Qwen3 4B Instruct", 4_022_468_096, "Apache-2.0", _CHINESE, LANGUAGES),
    Entry("google/gemma-3-270m-it", "Gemma 3 270M", 268_098_176, "Gemma", _GATED, LANGUAGES),
    Entry("microsoft/Phi-4-mini-instruct", "Phi-4 mini", 3_836_021_760, "MIT", _CHINESE, LANGUAGES),
)
# Named where another model falls short, besides those that need no hub and come first, the smallest first: they chat,
# answer at once instead of thinking first, and nobody need accept a licence.
_NAMED = (
    "HuggingFaceTB/SmolLM2-360M-Instruct",
    "Qwen/Qwen2.5-0.5B-Instruct",
    "Qwen/Qwen2.5-1.5B-Instruct",
    "Qwen/Qwen3-4B-Instruct-2507",
)
_CLEARLY = 1.5  # times the parameters: less of a difference is not worth another download


def entries(report: ProgressReport | None = None) -> list[Entry]:
    """The embedded model first. With `report` it is converted if need be, so that its folder is there to be named."""
    if report is not None and embedded.gguf_file() is not None:
        embedded.ensure(report)
    cached = dict(_cached())
    listed = []
    for entry in KNOWN:
        place = _own_folder(entry.id) or cached.pop(entry.id, None)
        here = place is not None and (place / "config.json").is_file()
        listed.append(_with_size(entry, place if here else None))
    note = Text("Already on this machine.", "已在本机。")
    for name, place in sorted(cached.items()):
        listed.append(Entry(name, name, None, None, note, size=hub_cache.weight_bytes(place), folder=str(place)))
    return listed


def find(id: str) -> Entry | None:
    """What is known of a model under this id; None of one that is not on the list."""
    recipe = recipes.find(id)
    known = embedded.ID if id == embedded.HUB_ID else recipe.id if recipe is not None else id
    return next((entry for entry in KNOWN if entry.id == known), None)


def abler(language: Language, loaded: ModelCard) -> list[Entry]:
    """At most two models that are made for a language, each clearly larger than the one before.

    The first is larger than the loaded model too, unless that is not made for the language.
    """
    own = find(loaded.id)
    size = 0 if own is not None and language not in own.languages else loaded.parameters
    found: list[Entry] = []
    for entry in KNOWN:
        count = entry.parameters or 0
        if (entry.id in _NAMED or entry.needs_no_hub) and language in entry.languages and count >= _CLEARLY * size:
            found.append(_with_size(entry, None))
            size = count
    return found[:2]


def _with_size(entry: Entry, place: Path | None) -> Entry:
    """The entry with its bytes: of the files in `place`, or in bf16 where it is not here."""
    if place is None:
        return replace(entry, size=2 * (entry.parameters or 0))
    return replace(entry, size=hub_cache.weight_bytes(place), folder=str(place))


def _own_folder(id: str) -> Path | None:
    """Where the converted copy of a model is or will be that has a short name; None for any other."""
    recipe = recipes.find(id)
    return embedded.folder() if id == embedded.ID else recipe.folder if recipe is not None else None


def records(report: ProgressReport | None = None) -> list[dict[str, Any]]:
    """The same list as plain data, as `models --json` prints it."""
    return [entry.as_json() for entry in entries(report)]


def _cached() -> Iterator[tuple[str, Path]]:
    """Complete causal language models in the hub's cache, by id."""
    for name in hub_cache.names():
        place = hub_cache.cached(name)
        if place is not None and _writes_text(place):
            yield name, place


def _writes_text(place: Path) -> bool:
    try:
        classes = json.loads((place / "config.json").read_text(encoding="utf-8")).get("architectures") or []
    except (OSError, ValueError, AttributeError, RecursionError):
        return False
    return any(str(name).endswith(("ForCausalLM", "LMHeadModel")) for name in classes)
