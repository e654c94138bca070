"""Where Playground keeps on this machine what its owner would miss: batches, drafts, trainings. Knows none of them."""

from __future__ import annotations

from pathlib import Path

import platformdirs

TRAININGS = "trainings"  # a folder in it


def data_folder(chosen: str | None) -> Path:
    """The folder that is `chosen`, or the user's own data folder."""
    return Path(chosen).expanduser() if chosen else Path(platformdirs.user_data_dir("playground", appauthor=False))
