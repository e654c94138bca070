"""The models that a server holds, as OpenAI's API lists and names them, with what their cards say beside it.

Knows no server.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from playground import wire_format
from playground.openai_api.api_error import unknown_model
from playground.serving.loaded_models import named
from playground.types import Generator, ModelCard

CURRENT = ("", "default")
"""What a request calls the model that new texts are written with."""


def model_name(card: ModelCard) -> str:
    """What the model goes by: its id, or its title where the id is a path, which is nobody's business."""
    is_path = card.id.startswith(("/", ".", "~")) or "\\" in card.id or card.id.count("/") > 1
    return card.title if is_path else card.id


def model_list(cards: Sequence[ModelCard]) -> dict[str, Any]:
    """One entry for each, the current one first. Of those with one name only the one that the name stands for."""
    by_name: dict[str, ModelCard] = {}
    for card in cards:
        by_name.setdefault(model_name(card), card)
    return {"object": "list", "data": [_entry(card) for card in by_name.values()]}


def one_model(generators: Sequence[Generator], name: str) -> dict[str, Any]:
    """The entry of the loaded model that goes by this name. Raises ApiError with 404 where none does."""
    return _entry(find(generators, name).card)


def find(generators: Sequence[Generator], name: str) -> Generator:
    """Which of them a request means by the id or the title, the first where several have it; the first of all where it
    names none. Raises ApiError with 404 for the name of another model. There must be one at least."""
    if name in CURRENT:
        return generators[0]
    found = named(generators, name)
    if found is not None:
        return found
    raise unknown_model(name, list(dict.fromkeys(model_name(one.card) for one in generators)))


def _entry(card: ModelCard) -> dict[str, Any]:
    """`created` is 0: nobody here knows when a model was made."""
    name = model_name(card)
    return {
        "id": name,
        "object": "model",
        "created": 0,
        "owned_by": name.partition("/")[0] if "/" in name else "playground",
        "root": name,
        "max_model_len": card.context,
        "title": card.title,
        "revision": card.revision,
        "parameters": card.parameters,
        "dtype": card.dtype,
        "has_chat_template": card.has_chat_template,
        "playground": {"version": wire_format.VERSION},
    }
