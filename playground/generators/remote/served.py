"""Which models a server says that it has, and which of them is meant."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from playground.generators.remote import failures
from playground.generators.remote.http_client import EngineClient

Answers = Mapping[str, Mapping[str, Any]]
"""What a server answered, by path."""


def served(answers: Answers) -> list[str]:
    """The models that /v1/models lists."""
    return [str(one["id"]) for one in records(answers)]


def records(answers: Answers) -> list[Mapping[str, Any]]:
    """What /v1/models says of each."""
    listed = answers.get("/v1/models", {}).get("data")
    found = listed if isinstance(listed, list) else []
    return [one for one in found if isinstance(one, Mapping) and one.get("id")]


def chosen(client: EngineClient, answers: Answers, model: str | None) -> str:
    """The model's id there: the one that is named, else the first. Raises EngineError where it is not served."""
    return among(client, served(answers), model)


def among(client: EngineClient, has: list[str], model: str | None) -> str:
    """The same for models that were told in another way. Raises EngineError as `chosen`."""
    if model is None:
        return has[0] if has else ""
    short = [
        one for one in has if one == model or one.replace("\\", "/").rpartition("/")[2] in (model, f"{model}.gguf")
    ]
    if not short:
        raise failures.other_model(client.host, model, has)
    return short[0]
