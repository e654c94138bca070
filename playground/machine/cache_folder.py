"""Where Playground keeps on this machine what it can make again: converted models, kernels, compiled layers.

Knows nothing of what is kept.
"""

import os
from pathlib import Path

import platformdirs

CACHE_VARIABLE = "PLAYGROUND_CACHE"


def cache_root() -> Path:
    """The user's own cache folder; the environment's PLAYGROUND_CACHE comes first."""
    chosen = os.environ.get(CACHE_VARIABLE)
    return Path(chosen).expanduser() if chosen else Path(platformdirs.user_cache_dir("playground", appauthor=False))
