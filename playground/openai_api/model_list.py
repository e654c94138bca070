"""`/v1/models`: the model that is loaded, as OpenAI's API lists models, with what its card says beside it.

Knows no server.
"""

from __future__ import annotations

from typing import Any

from playground import wire_format
from playground.openai_api.api_error import unknown_model
from playground.types import ModelCard


def model_name(card: ModelCard) -> str:
    """What the model goes by: its id, or its title where the id is a path, which is nobody's business."""
    is_path = card.id.startswith(("/", ".", "~")) or "\\" in card.id or card.id.count("/") > 1
    return card.title if is_path else card.id


def model_list(card: ModelCard) -> dict[str, Any]:
    """The list with its one entry."""
    return {"object": "list", "data": [_entry(card)]}


def one_model(card: ModelCard, name: str) -> dict[str, Any]:
    """Raises ApiError with 404 for the name of another model."""
    if name not in (card.id, card.title, "default"):
        raise unknown_model(name, model_name(card))
    return _entry(card)


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
