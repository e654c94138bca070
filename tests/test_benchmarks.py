"""What `make bench` says is there: every figure with its spread, or null with a reason; and its measures measure."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
import torch
from gguf import GGUFReader, quants

from benchmarks import __main__ as bench
from benchmarks import asked, changes, llama_cpp, long, quality
from benchmarks.figure import Figure, Findings, share
from benchmarks.goals import GOALS
from benchmarks.readers import read, warm
from benchmarks.scale import QUICK
from benchmarks.speed import fast
from playground import models
from playground.models import embedded
from tests.test_fast_net import HERE

KEYS = {
    "one_stream_vs_generate", "one_stream_vs_llama_cpp", "sixteen_vs_generate", "newcomer_steps", "client_share_1",
    "client_share_16", "sampling_share", "second_start_s", "auto_kl_ratio", "auto_perplexity_ratio", "trace_overhead",
    "replay_256_ms", "beside_heavy_s", "stop_heavy_s", "first_start_share", "second_start_share", "memory_ready_mb",
    "memory_loaded_mb", "memory_after_ratio",
}  # fmt: skip
OVER_HTTP = {
    "client_share_1", "client_share_16", "second_start_s", "first_start_share", "second_start_share", "memory_ready_mb",
    "memory_loaded_mb", "memory_after_ratio",
}  # fmt: skip


@pytest.fixture
def eager(monkeypatch: pytest.MonkeyPatch) -> None:
    """Nothing is compiled: a figure of a few tokens does not need it."""
    monkeypatch.setattr("playground.fast.net.Net.want", lambda *_: None)


def broken() -> Findings:
    raise OSError("the port is taken")


@pytest.mark.usefixtures("eager")
def test_every_figure_has_its_spread_or_a_reason(tiny: models.Loaded, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv(llama_cpp.VARIABLE, raising=False)
    monkeypatch.setattr(quality, "reference", lambda: tiny)
    told: list[str] = []
    parts = [(names, broken if OVER_HTTP & set(names) else work) for names, work in bench.sections(tiny, QUICK)]
    found = bench.measure(parts, told.append)
    document = json.loads(json.dumps(bench.document(found, bench.machine(), 1.0)))
    assert GOALS.keys() == KEYS and document.keys() >= KEYS | {"machine", "versions", "notes"}
    for name in found.figures:
        figure = document[name]
        if figure is None:
            assert document["notes"][name]
        else:
            assert figure.keys() == {"median", "low", "high"} and figure["low"] <= figure["high"], name
    absent = {name for name in KEYS if document[name] is None}
    assert absent == OVER_HTTP | {"one_stream_vs_llama_cpp"}
    assert "the port is taken" in document["notes"]["second_start_s"], "a part that fails leaves the others alone"
    assert document["one_stream_vs_generate"]["low"] > 0 and document["sixteen_vs_generate"]["low"] > 0
    assert 0 < document["sampling_share"]["median"] < 1
    assert len(told) == len(parts)


def test_what_was_left_out_is_null_and_says_so() -> None:
    parts = [(("newcomer_steps",), broken), (("sampling_share",), broken)]
    assert [names for names, _ in bench.chosen(parts, "sampling_share")] == [("sampling_share",)]
    assert bench.chosen(parts, "") == parts
    document = bench.document(Findings(), bench.machine(), 0.0)
    assert all(document[name] is None and document["notes"][name] for name in KEYS)


def test_the_newest_entry_stands_above_those_before_it(tmp_path: Path) -> None:
    target = tmp_path / "results.md"
    target.write_text("# Title\n\nHead.\n\n## before\n\ntext\n", encoding="utf-8")
    found = Findings({"newcomer_steps": Figure(4.0, 2.0, 5.0)}, {}, ["a table"])
    bench.record(found, bench.machine(), target)
    title, first, second = target.read_text(encoding="utf-8").split("\n## ")
    assert title == "# Title\n\nHead.\n" and second == "before\n\ntext\n"
    assert "4 (2, 5) | <= 3, missed" in first and "a table" in first and "torch" in first


def test_a_net_over_the_measures_own_weights_costs_nothing_and_eight_bits_cost_something(
    tiny: models.Loaded, eager: None
) -> None:
    found = quality.losses(tiny, tiny, quality.MAIN, QUICK)
    assert found.keys() == set(quality.FORMATS)
    assert abs(found["bf16"].kl) < 1e-5 and found["bf16"].perplexity_ratio == pytest.approx(1, abs=1e-4)
    assert found["int4"].kl > found["int8"].kl > 10 * abs(found["bf16"].kl)
    parts = found["int8"].parts()
    assert sum(part.kl for part in parts) / len(parts) == pytest.approx(found["int8"].kl, rel=1e-4)


def test_windows_cover_a_text_one_after_the_other(tiny: models.Loaded) -> None:
    ids = quality.windows(tiny.tokenizer, quality.MAIN)
    whole = tiny.tokenizer(quality.text(quality.MAIN))["input_ids"]
    assert ids.shape[0] == 4 and ids.flatten().tolist() == whole[: ids.numel()]
    assert ids.numel() == 4 * 256


@pytest.mark.long
@pytest.mark.usefixtures("compiling")
def test_work_is_warm_when_every_shape_it_steps_in_is_compiled(tiny: models.Loaded) -> None:
    generator = fast(tiny)
    given = [asked.request(asked.arguments(session, 3)) for session in range(2)]
    warm(lambda: read(generator, given))
    net = generator._engine.running._decode_net
    assert net.compiler is not None and net.compiler.settled and net.compiler.ready((2, 128)) == HERE


def test_in_fp32_no_text_changes_beside_others(tiny: models.Loaded, eager: None) -> None:
    found = changes.changes(tiny, texts=3, tokens=5)
    assert list(found.alone) == [changes.SAME] * 3 and list(found.company) == [changes.SAME] * 3
    assert found.share([changes.SAME, 4]) == 0.5


def test_texts_part_where_they_first_differ() -> None:
    assert changes.parting([1, 2, 3], [1, 2, 3]) == changes.SAME
    assert changes.parting([1, 2, 3], [1, 5, 3]) == 1
    assert changes.parting([1, 2], [1, 2, 3]) == 2


def test_what_the_page_shows_has_its_shape(tiny: models.Loaded, eager: None, tmp_path: Path) -> None:
    found = quality.losses(tiny, tiny, quality.MAIN, QUICK)
    long.write(long.document(found, changes.Changes(5, [changes.SAME, 2], [3, 4])), tmp_path / "measured.json")
    shown = json.loads((tmp_path / "measured.json").read_text(encoding="utf-8"))
    assert shown["model"] == embedded.TITLE and shown["measured"]
    assert shown["changes"] == {"texts": 2, "tokens": 5, "alone": 0.5, "in_company": 1.0}
    assert shown["weights"].keys() == {"auto", "int8", "int4", "bf16"}
    assert all(one.keys() == {"kl_ratio", "perplexity_ratio"} for one in shown["weights"].values())


def test_what_is_measured_already_has_the_shape_that_is_written_next() -> None:
    shown = json.loads(long.TARGET.read_text(encoding="utf-8"))
    assert shown.keys() == {"model", "weights", "changes", "measured"}
    assert shown["weights"].keys() == set(quality.FORMATS)


@pytest.mark.long
@pytest.mark.usefixtures("own_cache")
def test_the_peer_gets_the_same_weights_in_bf16() -> None:
    source = embedded.gguf_file()
    assert source is not None
    written = GGUFReader(llama_cpp.bf16_file())
    original = GGUFReader(source)
    assert [tensor.name for tensor in written.tensors] == [tensor.name for tensor in original.tensors]
    assert {str(tensor.tensor_type.name) for tensor in written.tensors} == {"BF16", "F32"}
    keys = {name for name in original.fields if not name.startswith(("GGUF.", "general.file_type"))}
    assert keys <= written.fields.keys()
    assert all(written.fields[key].contents() == original.fields[key].contents() for key in keys)
    one, other = written.tensors[1], original.tensors[1]
    values = quants.dequantize(other.data, other.tensor_type).astype(np.float32)
    rounded = torch.from_numpy(values).bfloat16().float().numpy()
    assert np.array_equal(quants.dequantize(one.data, one.tensor_type).reshape(values.shape), rounded)


def test_a_share_is_the_number_that_so_many_do_not_exceed() -> None:
    assert share(list(range(100)), 0.95) == 95 and share([3.0], 0.99) == 3.0 and share([], 0.5) == 0.0
