"""The kernels in C++ give what numpy and torch give, whatever the shape; and without a compiler all goes on."""

from __future__ import annotations

import itertools
from collections.abc import Iterator
from pathlib import Path

import pytest
import torch
from torch import nn

from playground.fast import formats
from playground.fast.output_head import NEAR, OutputHead
from playground.kernels import build, int4, int8_groups
from playground.sampling import token_stats

native = pytest.mark.skipif(not build.available(), reason="no compiler, or neither AVX2 nor AVX-512, on this machine")


@pytest.fixture
def without_kernels(monkeypatch: pytest.MonkeyPatch) -> None:
    for asked in ("available", "ready"):
        monkeypatch.setattr(build, asked, lambda: False)


def grid(out: int, inputs: int) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor]:
    codes = torch.randint(0, 16, (out, inputs), dtype=torch.int32)
    scale, zero = torch.rand(out, inputs // 32) * 0.02, torch.rand(out, inputs // 32) * 0.02 - 0.01
    return codes, scale.bfloat16().float(), zero.bfloat16().float()


def plain(codes: torch.Tensor, scale: torch.Tensor, zero: torch.Tensor) -> torch.Tensor:
    return (codes.float() - 8) * scale.repeat_interleave(32, 1) + zero.repeat_interleave(32, 1)


@native
@pytest.mark.parametrize("rows", [1, 2, 3, 4, 7, 8, 16, 19])
@pytest.mark.parametrize(("out", "inputs"), [(16, 32), (48, 96), (576, 1536)])
def test_a_product_is_that_of_the_weights_it_packs(rows: int, out: int, inputs: int) -> None:
    torch.manual_seed(rows)
    packed = grid(out, inputs)
    x = torch.randn(rows, inputs).bfloat16()
    wanted = x.double() @ plain(*packed).double().t()
    found = int4.product(x, int4.pack(*packed)).double()
    torch.testing.assert_close(found, wanted, rtol=2**-7, atol=1e-3 * float(wanted.abs().max()))


@native
def test_a_row_is_the_same_whoever_is_beside_it() -> None:
    torch.manual_seed(0)
    blocks = int4.pack(*grid(64, 256))
    x = torch.randn(16, 256).bfloat16()
    alone = torch.cat([int4.product(row[None], blocks) for row in x])
    for count in (2, 3, 5, 8, 16):
        assert torch.equal(int4.product(x[:count], blocks), alone[:count])
    weights = torch.randn(64, 256).bfloat16()
    every = int4.scores(x, blocks, weights, 5.0)
    assert torch.equal(every, torch.cat([int4.scores(row[None], blocks, weights, 5.0) for row in x]))


@native
@pytest.mark.parametrize("rows", [1, 2, 4, 7, 19])
@pytest.mark.parametrize(("out", "inputs"), [(16, 32), (48, 96)])
@pytest.mark.parametrize("zeros", [True, False])
def test_a_product_of_codes_of_eight_bits_is_that_of_its_weights(rows: int, out: int, inputs: int, zeros: bool) -> None:
    torch.manual_seed(rows)
    codes = torch.randint(-128, 128, (out, inputs), dtype=torch.int8)
    step, zero = torch.rand(out, inputs // 16).half() * 0.02, torch.rand(out, inputs // 32).half() if zeros else None
    weight = codes.double() * step.double().repeat_interleave(16, 1)
    weight += 0 if zero is None else zero.double().repeat_interleave(32, 1)
    x = torch.randn(rows, inputs).bfloat16()
    wanted, blocks = x.double() @ weight.t(), int8_groups.pack(codes, step, zero)
    found = int8_groups.product(x, blocks)
    torch.testing.assert_close(found.double(), wanted, rtol=2**-7, atol=1e-3 * float(wanted.abs().max()))
    alone = torch.cat([int8_groups.product(row[None], blocks) for row in x])
    assert torch.equal(found, alone), "whoever is beside a row"


@native
@pytest.mark.parametrize("rows", [1, 5, 40])
def test_the_best_scores_are_those_of_the_weights_and_the_others_stay_rough(rows: int) -> None:
    torch.manual_seed(rows)
    packed = grid(4096, 64)
    weights = (plain(*packed) + torch.randn(4096, 64) * 0.002).bfloat16()
    x = (torch.randn(rows, 64) * 20).bfloat16()
    rough, exact = x.float() @ plain(*packed).t(), x.float() @ weights.float().t()
    found = int4.scores(x, int4.pack(*packed), weights, 6.0)
    near = rough >= rough.amax(1, keepdim=True) - 6.0
    border = (rough - rough.amax(1, keepdim=True) + 6.0).abs() < 1e-3
    assert 0 < int(near.sum()) < near.numel()
    torch.testing.assert_close(found[near & ~border], exact[near & ~border], rtol=1e-5, atol=1e-3)
    # The others are sums over inputs of 16 bits, which were up to 90 here.
    torch.testing.assert_close(found, torch.where(near, exact, rough).where(~border, found), rtol=1e-5, atol=3e-3)


def products(x: torch.Tensor, out: int) -> Iterator[tuple[torch.Tensor, torch.Tensor]]:
    """What each kernel makes of these inputs [rows, in], and its weights [out, in]."""
    packed = grid(out, x.shape[1])
    yield int4.product(x, int4.pack(*packed)), plain(*packed)
    codes, step = torch.randint(-128, 128, (out, x.shape[1])), torch.rand(out, x.shape[1] // 16).half() * 0.02
    yield int8_groups.product(x, int8_groups.pack(codes, step, None)), codes * step.float().repeat_interleave(16, 1)


@native
@pytest.mark.parametrize("size", [1e-30, 1e-6, 1.0, 1e30])
def test_inputs_of_any_size_keep_their_bits_beside_much_larger_ones(size: float) -> None:
    torch.manual_seed(0)
    x = torch.randn(5, 256)
    x[1], x[2, 40], x[3, ::32] = 0.0, 128.0, -1000.0
    x = (x * size).bfloat16()
    for found, weights in products(x, 64):
        wanted = x.double() @ weights.double().t()
        most = wanted.abs().amax(1, keepdim=True)
        assert bool(((found.double() - wanted).abs() <= 2**-7 * wanted.abs() + 1e-3 * most).all())
        assert bool((found[1] == 0).all())


@native
def test_what_is_no_number_stays_in_its_row() -> None:
    torch.manual_seed(0)
    x = torch.randn(4, 64).bfloat16()
    x[1, 3], x[3, 40] = torch.nan, torch.inf
    for found, weights in products(x, 16):
        assert found[[1, 3]].isnan().all() and torch.isfinite(found[[0, 2]]).all()
        error = (found[0].float() - x[0].float() @ weights.t()).norm() / found[0].float().norm()
        assert float(error) < 0.01


@native
def test_the_product_refuses_what_does_not_fit() -> None:
    blocks = int4.pack(*grid(32, 64))
    for x in (torch.randn(1, 64), torch.randn(1, 32).bfloat16(), torch.randn(64).bfloat16()):
        with pytest.raises(RuntimeError):
            int4.product(x, blocks)
        with pytest.raises(RuntimeError):
            int8_groups.product(x, torch.zeros(2, 2, 608, dtype=torch.uint8))


@pytest.mark.parametrize("rows", [1, 16])
def test_a_head_gives_the_weights_own_scores_near_the_best(rows: int) -> None:
    torch.manual_seed(0)
    weights = torch.randn(4096, 64).bfloat16()
    x = torch.randn(rows, 64).bfloat16()
    exact = x.float() @ weights.float().t()
    found = OutputHead(weights)(x).float()
    near = exact >= exact.amax(1, keepdim=True) - NEAR / 2
    torch.testing.assert_close(found[near], exact[near], rtol=2**-7, atol=0.05)


@pytest.mark.usefixtures("without_kernels")
def test_without_a_compiler_the_head_and_the_layers_are_torchs_own() -> None:
    test_a_head_gives_the_weights_own_scores_near_the_best(2)
    packed = formats.int4(torch.randn(64, 128), None)
    assert isinstance(packed, formats.TorchInt4Linear)
    layer = nn.Linear(128, 64, bias=False)
    x = torch.randn(3, 128).bfloat16()
    want = nn.functional.linear(x.float(), layer.weight.detach())
    error = (formats.int4(layer.weight.detach(), None)(x).float() - want).norm() / want.norm()
    assert float(error) < 0.15


def rows_of_scores() -> Iterator[torch.Tensor]:
    torch.manual_seed(3)
    for size, spread in itertools.product((5, 16, 1000, 49152), (0.1, 3.0, 60.0)):
        yield torch.randn(3, size) * spread
    coarse = (torch.randn(2, 5000) * 4).round()
    coarse[0, ::3] = -torch.inf
    yield coarse
    only = torch.full((1, 300), -torch.inf)
    only[0, 7] = 2.0
    yield only


@native
def test_an_overview_is_numpys() -> None:
    for scores in rows_of_scores():
        for row, seen in zip(scores, token_stats.survey(scores), strict=True):
            wanted = token_stats._seen(row.numpy())
            assert seen is not None and seen.ids == wanted.ids
            assert (seen.size, seen.entropy) == pytest.approx((wanted.size, wanted.entropy), abs=2e-5)
            assert seen.shares == pytest.approx(wanted.shares, rel=2e-5, abs=1e-30)


@native
def test_of_a_row_without_a_best_there_is_nothing_to_say() -> None:
    scores = torch.stack([torch.full((40,), -torch.inf), torch.full((40,), torch.nan), torch.arange(40.0)])
    assert [seen is None for seen in token_stats.survey(scores)] == [True, True, False]


@pytest.mark.parametrize(
    ("has", "flags"),
    [
        ({"avx2", "fma3", "f16c"}, {"-mavx2", "-mfma", "-mf16c"}),
        ({"avx2", "fma3", "f16c", "avx512_f"}, {"-mavx2", "-mfma", "-mf16c"}),
        ({"avx2", "avx512_f", "avx512_bw", "avx512_dq", "avx512_vl"},
         {"-mavx512f", "-mavx512bw", "-mavx512dq", "-mavx512vl"}),
        ({"avx512_f", "avx512_bw", "avx512_dq", "avx512_vl", "avx512_vnni"},
         {"-mavx512f", "-mavx512bw", "-mavx512dq", "-mavx512vl", "-mavx512vnni"}),
        ({"avx"}, set()),
        (set(), set()),
    ],
)  # fmt: skip
def test_the_kernels_are_built_for_the_widest_instructions_there_are(
    has: set[str], flags: set[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(torch.cpu, "get_capabilities", lambda: dict.fromkeys(has, True))
    assert set(build._machine_flags.__wrapped__()) == flags


def test_a_compiler_that_fails_is_told_and_is_no_failure(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture, tmp_path: Path
) -> None:
    monkeypatch.setattr(build, "_supported", lambda: True)
    monkeypatch.setattr(build, "_library", lambda: tmp_path / "kernels.so")
    monkeypatch.setattr(build, "_built", build._built.__wrapped__)
    monkeypatch.setattr(build, "compiler", lambda: "false")
    assert not build.ready() and not build.available()
    assert "slower way" in caplog.text
    assert not list(tmp_path.iterdir())


def test_a_library_that_cannot_be_loaded_is_told_and_is_no_failure(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture, tmp_path: Path
) -> None:
    library = tmp_path / "kernels.so"
    library.write_bytes(b"no library")
    monkeypatch.setattr(build, "_supported", lambda: True)
    monkeypatch.setattr(build, "_library", lambda: library)
    monkeypatch.setattr(build, "_loaded", build._loaded.__wrapped__)
    assert not build.ready() and not build.available()
    assert "slower way" in caplog.text
