"""An adapter's folder as peft writes it: what it says of itself, checked, and what a model with it is called.

Reads JSON and the head of a safetensors file, and neither a pickle nor code. Knows no torch and no model.
"""

from __future__ import annotations

import hashlib
import json
import math
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from safetensors import SafetensorError, safe_open

from playground.machine.data_folder import TRAININGS, data_folder
from playground.models import adapter_failures, side_files
from playground.models.converted import sha256
from playground.types import ModelError

CONFIG = "adapter_config.json"
WEIGHTS = "adapter_model.safetensors"
PICKLE = "adapter_model.bin"
BASE = "base_model.json"
BEST = "adapter"  # the folder in a training's own that holds the best of what was learned

_NAMES = ("about.json", "plan.json")  # beside it, what a training is called
_MOST = 1_000_000  # bytes of a configuration
_LONGEST = 60  # characters of a name
_PREFIX = "base_model.model."
_LORA = re.compile(r"(.+)\.(lora_A|lora_B|lora_magnitude_vector)(?:\.weight)?")
_EMBEDDING = re.compile(r"(.+)\.lora_embedding_(A|B)")
_WHOLE = re.compile(r"(.+?)(?:\.base_layer)?\.(weight|bias)")
_ID = re.compile(r"\d{8}-\d{6}-[0-9a-f]{6}")  # of a training
_PLAIN = re.compile(r"[\w.]+")
_FLOATS = frozenset({"F64", "F32", "F16", "BF16"})
# How LoRA's matrices may have begun: the others change the base's own weights as well.
_BEGUN = frozenset({True, False, "gaussian", "eva", "orthogonal"})
# What a configuration may say beside: it changes nothing of what is computed, or is read here.
_KNOWN = frozenset({
    "alpha_pattern", "arrow_config", "auto_mapping", "base_model_name_or_path", "bias", "corda_config",
    "eva_config", "exclude_modules", "fan_in_fan_out", "inference_mode", "init_lora_weights",
    "layers_pattern", "layers_to_transform", "loftq_config", "lora_alpha", "lora_dropout", "lora_ga_config",
    "megatron_config", "megatron_core", "modules_to_save", "parent_library", "peft_type", "peft_version",
    "qalora_group_size", "r", "rank_pattern", "revision", "runtime_config", "target_modules", "task_type",
    "use_dora", "use_rslora",
})  # fmt: skip


@dataclass(frozen=True, slots=True)
class Low:
    """The names of the tensors that change one matrix W [out, in]: by `up` [out, r] · `down` [r, in], and with
    `magnitude` [out] (DoRA) the length of each row. Of an embedding W [vocab, size], `up` is [size, r] and `down`
    [r, vocab]."""

    down: str
    up: str
    magnitude: str | None = None
    embedding: bool = False


@dataclass(frozen=True, slots=True)
class Adapter:
    """What a folder holds. `low` are changed matrices by the path of their module, `whole` the names of tensors that
    take the place of the base's by these. `shapes` are those of all tensors by their names in the file, `size` their
    bytes; `base` is what its configuration calls its base model, a hub id or the name of a folder."""

    folder: Path
    name: str
    base: str
    alpha: float
    alphas: Mapping[str, float]
    rank_stabilised: bool
    low: Mapping[str, Low]
    whole: Mapping[str, str]
    shapes: Mapping[str, tuple[int, ...]] = field(repr=False)
    size: int
    digest: str

    @property
    def file(self) -> Path:
        return self.folder / WEIGHTS

    def scale(self, path: str, rank: int) -> float:
        """By which up · down of this module, of so many ranks, is multiplied."""
        alpha = next((one for end, one in self.alphas.items() if f".{path}".endswith(f".{end}")), self.alpha)
        return alpha / (math.sqrt(rank) if self.rank_stabilised else rank)


def place(given: str) -> Path:
    """The folder that a person means: an adapter's, or that of a training, whose best one is taken. A training in the
    user's own data folder may go by its id alone."""
    folder = Path(given).expanduser()
    if _ID.fullmatch(given) and not folder.exists():
        folder = data_folder(None) / TRAININGS / given
    inner = folder / BEST
    return inner if not (folder / CONFIG).is_file() and (inner / CONFIG).is_file() else folder


def inside(root: Path) -> list[Path]:
    """The folders of adapters that trainings below `root` have learned, the newest first."""
    try:
        found = [one.parent for one in root.glob(f"*/{BEST}/{CONFIG}")]
        return sorted(found, key=lambda one: one.stat().st_mtime, reverse=True)
    except OSError:
        return []


def name_of(given: str) -> str:
    """What an adapter is called, by its folder alone: the id of the training where the folder is inside of one."""
    try:
        folder = Path(given.strip()).expanduser().absolute()
    except RuntimeError:  # nobody's home
        folder = Path(given.strip())
    parts = [part for part in re.split(r"[/\\]+", str(folder)) if part not in ("", ".", BEST)]
    plain = "".join(sign if sign.isprintable() else "_" for sign in (parts[-1] if parts else BEST))
    return plain[:_LONGEST]


def title_of(given: str) -> str:
    """The name that a person gave the training, where the folder is inside of one; else its own."""
    for file in _NAMES:
        try:
            folder = place(given).resolve()
            path = folder.parent / file
            found = json.loads(path.read_text(encoding="utf-8")) if path.stat().st_size <= _MOST else None
        except (OSError, ValueError, RuntimeError, RecursionError):
            continue
        name = found.get("name") if isinstance(found, dict) and folder.name == BEST else None
        if isinstance(name, str) and name.strip() and name.isprintable():
            return name.strip()[:_LONGEST]
    return name_of(given)


def tuned_id(base: str, given: str, share: float) -> str:
    """The id of a model with an adapter: another one than that of its base, so that neither answers for the other."""
    return f"{base}+{name_of(given)}" + ("" if share == 1 else f"@{share:g}")


def tuned_title(base: str, given: str, share: float) -> str:
    """As `tuned_id`, for a person."""
    return f"{base} + {title_of(given)}" + ("" if share == 1 else f" ({share:g})")


def read(given: str) -> Adapter:
    """The adapter of a folder. Raises ModelError where there is none, or none that can be put into a model's weights
    exactly as peft would."""
    name = name_of(given)
    try:
        folder = place(given).resolve()
        _check_files(given, folder)
        config = _configuration(name, folder / CONFIG)
        shapes, size = _head(name, folder / WEIGHTS)
        low, whole = _parts(name, shapes)
        digest = hashlib.sha256((sha256(folder / WEIGHTS) + sha256(folder / CONFIG)).encode()).hexdigest()[:12]
    except (OSError, ValueError, RuntimeError) as error:  # no right to read, a zero character, nobody's home
        raise adapter_failures.unreadable_adapter(name, str(error)) from None
    return Adapter(
        folder=folder,
        name=name,
        base=short_base(config.get("base_model_name_or_path")),
        alpha=_number(name, config.get("lora_alpha", 8)),
        alphas=_alphas(name, config.get("alpha_pattern")),
        rank_stabilised=bool(config.get("use_rslora")),
        low=low,
        whole=whole,
        shapes=shapes,
        size=size,
        digest=digest,
    )


def short_base(name: object) -> str:
    """What a base model is called, without the way to its folder on whatever machine; "" for what is no name."""
    if not isinstance(name, str):
        return ""
    return name if re.fullmatch(r"[\w.-]+/[\w.-]+", name) else re.split(r"[/\\]", name.rstrip("/\\"))[-1]


def size_of(given: str) -> int:
    """Bytes of an adapter's tensors; 0 where they are not known before it is loaded."""
    try:
        return read(given).size
    except ModelError:
        return 0


def _check_files(given: str, folder: Path) -> None:
    if not folder.is_dir():
        raise adapter_failures.no_folder(given)
    if not (folder / CONFIG).is_file():
        raise adapter_failures.no_adapter(given)
    if not (folder / WEIGHTS).is_file():
        raise adapter_failures.pickled(given) if (folder / PICKLE).exists() else adapter_failures.no_weights(given)
    if side_files.is_pointer(folder / WEIGHTS):
        raise adapter_failures.unreadable_adapter(name_of(given), f"{WEIGHTS} is a pointer of Git LFS")


def _configuration(name: str, file: Path) -> dict[str, Any]:
    try:
        if file.stat().st_size > _MOST:
            raise ValueError
        config = json.loads(file.read_text(encoding="utf-8"))
    except (ValueError, RecursionError):
        config = None
    if not isinstance(config, dict):
        raise adapter_failures.unreadable_adapter(name, f"{CONFIG} is no JSON object")
    kind = config.get("peft_type")
    if kind != "LORA":
        raise adapter_failures.other_kind(name, str(kind)[:_LONGEST])
    begun = config.get("init_lora_weights", True)
    if not isinstance(begun, bool | str) or begun not in _BEGUN:
        raise adapter_failures.beyond(name, f"init_lora_weights {str(begun)[:_LONGEST]!r}")
    beyond = sorted(str(key)[:_LONGEST] for key, value in config.items() if key not in _KNOWN and value)
    if beyond:
        raise adapter_failures.beyond(name, ", ".join(beyond[:5]))
    return config


def _head(name: str, file: Path) -> tuple[dict[str, tuple[int, ...]], int]:
    """The shapes of all tensors by name, and the bytes of the file."""
    try:
        with safe_open(file, framework="np") as opened:
            slices = {one: opened.get_slice(one) for one in opened.keys()}  # noqa: SIM118 - no dict
            if not {one.get_dtype() for one in slices.values()} <= _FLOATS:
                raise adapter_failures.unreadable_adapter(name, f"{WEIGHTS} holds other numbers than weights")
            return {key: tuple(one.get_shape()) for key, one in slices.items()}, file.stat().st_size
    except (SafetensorError, ValueError, KeyError, TypeError) as error:
        raise adapter_failures.unreadable_adapter(name, f"{WEIGHTS}: {error}") from None


def _parts(name: str, shapes: Mapping[str, tuple[int, ...]]) -> tuple[dict[str, Low], dict[str, str]]:
    """The changed matrices by module, and the names of the tensors that take the place of the base's."""
    found: dict[str, dict[str, str]] = {}
    whole: dict[str, str] = {}
    for key in sorted(shapes):
        path = key.removeprefix(_PREFIX)
        if (match := _LORA.fullmatch(path)) or (match := _EMBEDDING.fullmatch(path)):
            found.setdefault(match[1], {})[match[2]] = key
        elif ".lora_" not in path and (match := _WHOLE.fullmatch(path)):
            whole[f"{match[1]}.{match[2]}"] = key
        else:
            raise adapter_failures.beyond(name, key[:_LONGEST])
    low = {path: _low(name, path, parts, shapes) for path, parts in found.items()}
    if not low and not whole:
        raise adapter_failures.unreadable_adapter(name, f"{WEIGHTS} holds nothing")
    return low, whole


def _low(name: str, path: str, parts: Mapping[str, str], shapes: Mapping[str, tuple[int, ...]]) -> Low:
    embedding = "A" in parts or "B" in parts
    down, up = (parts.get(one) for one in (("A", "B") if embedding else ("lora_A", "lora_B")))
    magnitude = parts.get("lora_magnitude_vector")
    if down is None or up is None or (embedding and (magnitude is not None or len(parts) > 2)):
        raise adapter_failures.unreadable_adapter(name, f"{path[:_LONGEST]} has not both of its matrices")
    first, second = shapes[down], shapes[up]
    if not (len(first) == len(second) == 2 and first[0] == second[1] > 0):
        raise adapter_failures.unreadable_adapter(name, f"the matrices of {path[:_LONGEST]} do not fit each other")
    return Low(down, up, magnitude, embedding)


def _number(name: str, given: object) -> float:
    if isinstance(given, bool) or not isinstance(given, int | float) or not math.isfinite(given):
        raise adapter_failures.unreadable_adapter(name, f"{CONFIG}: lora_alpha is no number")
    return float(given)


def _alphas(name: str, given: object) -> dict[str, float]:
    """By the end of a module's path; a pattern with signs of its own is not taken, since anybody may have written it
    and matching it could take for ever."""
    if not given:
        return {}
    if not isinstance(given, Mapping) or not all(isinstance(key, str) and _PLAIN.fullmatch(key) for key in given):
        raise adapter_failures.beyond(name, "alpha_pattern")
    return {key.lstrip("."): _number(name, value) for key, value in given.items()}
