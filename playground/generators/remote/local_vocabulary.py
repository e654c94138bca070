"""The vocabulary and chat template of an engine's model, where the same model's files lie on this machine too.

Only files that are here are read; that the engine really has this vocabulary is asked of it.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

from playground.generators.remote.failures import EngineError
from playground.generators.remote.http_client import EngineClient
from playground.models import hub_cache, vocabulary
from playground.rendering.prompt import Prompts
from playground.types import Rendered, Request

_PROBE = "Ünïcödé 中文 😀 <|endoftext|>\n\tfunction(x) { return 12345; }"
"""Two vocabularies that write this with the same tokens are taken for one."""


class LocalVocabulary:
    """`folder` holds the files; `context` is the engine's, in tokens. Raises what transformers raises for bad files."""

    def __init__(self, folder: Path, title: str, context: int) -> None:
        tokenizer, model = vocabulary.load(folder)
        ids = tokenizer.all_special_ids
        tokenizer.special = dict(zip(ids, tokenizer.convert_ids_to_tokens(ids), strict=True))
        self.tokenizer: Any = tokenizer
        self._prompts = Prompts(model, tokenizer, title, context)

    def __len__(self) -> int:
        return len(self.tokenizer)

    def render(self, request: Request) -> Rendered:
        return self._prompts.render(request)

    def alone(self, text: str, *, begins: bool, acts: bool, parameter: str) -> list[int]:
        """The ids of a text that stands alone; `acts` as the encoder has it."""
        return self._prompts.encoder.alone(text, begins=begins, acts=acts, parameter=parameter)

    def ends(self, request: Request) -> list[int]:
        """The tokens that end this request's text."""
        return self._prompts.ends(request)


def find(client: EngineClient, model: str, root: str, context: int) -> LocalVocabulary | None:
    """The vocabulary of the model that an engine calls `model` and says to have read from `root`; None where its files
    are not on this machine, cannot be read or are of another one. A folder counts on the engine's own machine only."""
    folder = _folder(client, root)
    if folder is None:
        return None
    try:
        found = LocalVocabulary(folder, model, context)
        answer = client.post("/tokenize", {"model": model, "prompt": _PROBE, "add_special_tokens": False})
    except (EngineError, OSError, ValueError, KeyError, TypeError, AttributeError):
        return None
    here = found.tokenizer.encode(_PROBE, add_special_tokens=False)
    return found if answer.get("tokens") == here else None


def _folder(client: EngineClient, root: str) -> Path | None:
    if not root:
        return None
    path = Path(root)
    if path.is_absolute():
        return path if client.address.is_near and (path / "config.json").is_file() else None
    return hub_cache.configured(root)
