"""What a run leaves behind: its raw logits, whole and in the model's own type, within a bound, and only when asked."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
import torch

from playground import models
from playground.decoding import request_rows, run_store
from playground.decoding.row import Row
from playground.decoding.run_store import BLOCK, RunStore, StoredRun, default_limit
from playground.generators.local import LocalGenerator
from playground.types import Step
from tests import reference

PROMPT = "Three words about the morning:"


@pytest.fixture
def store(monkeypatch: pytest.MonkeyPatch) -> RunStore:
    """A store of this test's own, large enough for all it does."""
    own = RunStore(2**30)
    monkeypatch.setattr("playground.generators.local.RUN_STORE", own)
    return own


def write(loaded: models.Loaded, keep_as: str, **values: Any) -> list[list[int]]:
    asked = reference.request(PROMPT, {"seed": 5, "max_new_tokens": 20, **values}, keep=keep_as)
    return reference.written(LocalGenerator(loaded), asked)


def stored(store: RunStore, run_id: str) -> StoredRun:
    run = store.get(run_id)
    assert run is not None
    return run


def test_a_run_without_an_id_keeps_nothing(tiny: models.Loaded, store: RunStore) -> None:
    write(tiny, "")
    assert store.size == 0


def test_the_kept_history_is_that_of_the_final_text(tiny: models.Loaded, store: RunStore) -> None:
    rows = write(tiny, "a", n=3, banned_phrases=["e", "th"], temperature=1.3)
    run = stored(store, "a")
    assert [row.tokens for row in run.rows] == rows
    assert run.closed
    forbidden = [row.forbidden for row in run.rows]
    assert any(forbidden)
    for row in run.rows:
        assert all(place < len(row.tokens) for place in row.forbidden)
        assert all(row.tokens[place] not in tokens for place, tokens in row.forbidden.items())


@pytest.mark.model
@pytest.mark.parametrize("loaded", ["fp32", "bf16"], indirect=True)
def test_the_scores_are_those_that_the_row_was_given(
    loaded: models.Loaded, store: RunStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    given: list[tuple[torch.Tensor, torch.Tensor | None]] = []
    advance = request_rows.advance

    def spy(rows: list[Row], raw: torch.Tensor, unconditional: torch.Tensor | None) -> list[Step]:
        given.append((raw.clone(), None if unconditional is None else unconditional.clone()))
        return advance(rows, raw, unconditional)

    monkeypatch.setattr(request_rows, "advance", spy)
    write(loaded, "a", max_new_tokens=6, guidance_scale=1.5)
    row = stored(store, "a").rows[0]
    assert len(given) == len(row.tokens)
    for position, (raw, unconditional) in enumerate(given):
        found, second = row.scores(position)
        assert torch.equal(found, raw)
        assert second is not None and unconditional is not None and torch.equal(second, unconditional)


@pytest.mark.model
def test_bf16_scores_take_two_bytes_each(loaded: models.Loaded, load_embedded: Any, store: RunStore) -> None:
    write(load_embedded("bf16"), "a", max_new_tokens=2)
    vocabulary = load_embedded("bf16").model.config.vocab_size
    assert BLOCK * vocabulary * 2 <= stored(store, "a").size < BLOCK * vocabulary * 2.2


def test_the_oldest_run_gives_its_logits_up_first(tiny: models.Loaded, store: RunStore) -> None:
    write(tiny, "first")
    store.set_limit(int(store.size * 2.5))
    write(tiny, "second")
    assert store.get("first") is not None
    write(tiny, "third")
    assert store.get("first") is None
    assert store.get("second") is not None and store.get("third") is not None
    assert store.size <= store.limit


def test_a_run_too_large_for_the_bound_is_written_all_the_same(tiny: models.Loaded, store: RunStore) -> None:
    store.set_limit(1000)
    assert len(write(tiny, "large")[0]) > 0
    assert store.get("large") is None
    assert store.size == 0


def test_a_stopped_run_is_closed_and_keeps_what_it_wrote(tiny: models.Loaded, store: RunStore) -> None:
    asked = reference.request(PROMPT, {"seed": 5, "ignore_eos": True}, keep="a")
    steps = LocalGenerator(tiny).stream(asked)
    tokens = [next(steps).token_id for _ in range(5)]
    assert not stored(store, "a").closed
    assert isinstance(steps, Iterator)
    steps.close()  # type: ignore[attr-defined]
    assert stored(store, "a").closed
    assert stored(store, "a").rows[0].tokens == tokens


def test_keeping_changes_no_token(tiny: models.Loaded, store: RunStore) -> None:
    values = {"n": 2, "xtc_probability": 0.5, "mirostat_tau": 3.0, "banned_phrases": ["a"]}
    assert write(tiny, "a", **values) == write(tiny, "", **values)


def test_beams_keep_nothing(tiny: models.Loaded, store: RunStore) -> None:
    write(tiny, "a", num_beams=2, max_new_tokens=4)
    assert store.get("a") is None


def test_the_bound_is_a_tenth_of_the_memory_and_at_most_2_gib(monkeypatch: pytest.MonkeyPatch) -> None:
    assert 0 < default_limit() <= run_store.LARGEST
    monkeypatch.setattr(run_store.os, "sysconf", lambda name: {"SC_PAGE_SIZE": 4096, "SC_PHYS_PAGES": 2**18}[name])
    assert default_limit() == int(2**30 * 0.1)
