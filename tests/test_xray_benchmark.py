"""What is said to be measured of looking inside is measured: rounds that agree, for every kind of knob."""

from __future__ import annotations

from benchmarks import xray
from playground import models, parameters


def test_overhead_is_measured_in_rounds_of_the_same_text(tiny: models.Loaded) -> None:
    rounds = xray.overhead(tiny, rounds=2, length=4)
    assert len(rounds) == 2
    assert all(seconds > 0 for one in rounds for seconds in (one.plain, one.kept, one.told))
    assert all(name in xray.overhead_table(rounds, 4) for name in ("plain", "kept", "told"))


def test_replay_is_measured_for_every_knob_that_acts_on_the_scores(tiny: models.Loaded) -> None:
    rounds = xray.replay(tiny, length=6, rounds=1)
    assert {one.knob for one in rounds} == xray.KNOBS.keys()
    assert [one.first for one in rounds if one.knob == "top_k"] == [True, False]
    assert all(one.milliseconds > 0 for one in rounds)
    assert "top_k" in xray.replay_table(rounds, 6)
    turned = {name for change in xray.KNOBS.values() for name in change}
    stages = {p.stage for p in parameters.REGISTRY if p.stage is not None} - {"guidance"}  # which needs the model
    assert stages <= {parameters.by_name()[name].stage for name in turned}
