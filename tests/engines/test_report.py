"""The page of knobs × engines is drawn from the records and from what was seen; nothing honoured was left unseen."""

import pytest

from playground.parameters import engines
from tests import test_generators
from tests.engines import report


def test_the_page_is_what_the_records_and_the_runs_say() -> None:
    assert report.PAGE.read_text(encoding="utf-8") == report.render(), "run python -m tests.engines.report"


@pytest.mark.parametrize("engine", ["llama.cpp", "transformers serve", "vLLM", "OpenAI"])
def test_every_honoured_knob_was_seen_to_act_at_both_ends(engine: str) -> None:
    kept = report.seen_before()[engine]["seen"]
    assert kept == {name: [True, True] for name in engines.honoured(engine)}


def test_every_generator_has_kept_its_contract() -> None:
    assert set(report.PEERS) == test_generators.PEERS.keys() | test_generators.STARTED.keys()
    kept = report.contract_before()
    assert kept.keys() == set(report.PEERS)
    for peer, ends in kept.items():
        assert ends["passed"] >= 18 and ends.keys() <= {"passed", "skipped"}, peer
