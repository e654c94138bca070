"""One visitor uses up his share of a public page, over real HTTP, and another still finds room for everything."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.ui.served import SCRIPTED, forked
from tests.ui.visitor import Visitor

GREEDY, OTHER = "127.0.0.7", "127.0.0.9"


@pytest.fixture(scope="module")
def public(starts_server: None, tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[str, Path]]:
    held = tmp_path_factory.mktemp("held") / "seeds"
    held.write_text("all")
    flags = ("--hold", str(held), "--limit-drafts", "8", "--limit-batches", "8", "--limit-waiting", "5", "--rows", "16")
    with forked(SCRIPTED, "--host", "0.0.0.0", *flags) as url:
        yield url, held


def keep(visitor: Visitor) -> dict[str, Any]:
    return visitor.props("write", "keep", {"head": {"title": "Harbour", "language": "en"}})


def test_drafts(public: tuple[str, Path]) -> None:
    greedy = [Visitor(public[0], GREEDY) for _ in range(3)]
    told = [keep(one) for one in greedy for _ in range(4)]
    refused = [one["complaint"]["text"] for one in told if one.get("complaint")]
    assert len(told) - len(refused) == 4, "half of all for an address, a quarter for each session"
    assert all("one visitor may" in text["en"] and "上限" in text["zh"] for text in refused)
    other = keep(Visitor(public[0], OTHER))
    assert not other.get("complaint") and other["draft"]["key"]


def test_places_in_line(public: tuple[str, Path]) -> None:
    greedy = Visitor(public[0], GREEDY)
    streams = [greedy.call(prompt="Once", path="exact") for _ in range(8)]
    firsts = [one.readline() for one in streams]
    refused = [one.readline() for one, first in zip(streams, firsts, strict=True) if first == b"event: error\n"]
    assert len(refused) == 4 and all(b"one visitor" in text for text in refused), "half of three and five places"
    other = Visitor(public[0], OTHER).call(prompt="Once", path="exact", seed=1)
    public[1].write_text("")
    for one in streams:
        one.close()
    assert b"event: complete" in other.read()
    other.close()
