"""A model with an adapter beside its base: two models of one server, of which neither ever answers for the other."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from playground import generate
from playground.batch import Plan
from playground.cli.main import main
from playground.generators.local import LocalGenerator
from playground.models import embedded
from playground.models.model_choice import ModelChoice
from playground.openai_api.model_list import find, model_list
from playground.settings import Settings
from playground.types import Generator, ModelError
from playground.ui.model_host import ModelHost
from tests.made_adapter import make_adapter

pytestmark = [pytest.mark.model, pytest.mark.usefixtures("uncompiled")]
WAIT = 300.0
PROMPTS = ("The ferry is late", "A slogan for tea:", "Once upon a time")


@pytest.fixture
def adapter(folder: Path, tmp_path: Path) -> Path:
    return make_adapter(folder, tmp_path / "tuned")


def asked(prompt: str, path: str, n: int = 1) -> Any:
    values = {"n": n, "max_new_tokens": 24, "seed": 7, "temperature": 1.0, "ignore_eos": True}
    return generate.build(prompt, values, mode="complete", path=path)


def written(generator: Generator, path: str = "exact", n: int = 1) -> list[list[int]]:
    """The token ids of all prompts, one after the other."""
    found = []
    for prompt in PROMPTS:
        *_, run = generate.run(asked(prompt, path, n), generator)
        found += [one.token_ids for one in run.candidates]
    return found


@pytest.fixture
def host(folder: Path) -> Iterator[ModelHost]:
    """A server that begins with the base, in fp32, where a text does not depend on what is written beside it."""
    made = ModelHost(Settings(model=str(folder), weights="fp32"))
    made.start()
    assert made.pool.wait(WAIT), made.pool.state()
    yield made
    for one in made.generators:
        one.close()  # type: ignore[attr-defined]


def tuned(host: ModelHost, adapter: Path, share: float = 1.0) -> Generator:
    choice = ModelChoice(host.settings.model or "", "fp32", adapter=str(adapter), adapter_share=share)
    host.pool.switch(choice)
    assert host.pool.wait(WAIT) and host.pool.choice == choice, host.pool.state().reason
    return host.generator


def test_base_and_tuned_in_turn_and_the_base_stays_the_base(host: ModelHost, adapter: Path) -> None:
    base = host.generator
    before = {path: written(base, path) for path in ("exact", "fast")}
    learned = tuned(host, adapter)
    after = {path: written(learned, path) for path in ("exact", "fast")}
    assert before["exact"] == before["fast"] and after["exact"] == after["fast"]
    assert all(one != other for one, other in zip(before["exact"], after["exact"], strict=True))
    for _ in range(2):
        host.pool.switch(ModelChoice(host.settings.model or "", "fp32"))
        assert host.generator is base, "it is loaded still"
        assert {path: written(base, path) for path in ("exact", "fast")} == before
        assert {path: written(tuned(host, adapter), path) for path in ("exact", "fast")} == after
    none = tuned(host, adapter, 0.0)
    assert none is not base and written(none) == before["exact"]
    assert len({one.card.id for one in host.generators}) == 3 == len(host.pool.entries())


@pytest.mark.parametrize("path", ["exact", "fast"])
def test_base_and_tuned_write_at_the_same_time_as_if_alone(host: ModelHost, adapter: Path, path: str) -> None:
    models = {"base": host.generator, "tuned": tuned(host, adapter)}
    alone = {name: written(one, path, 2) for name, one in models.items()}
    assert alone["base"] != alone["tuned"]
    found: dict[tuple[str, int], list[list[int]]] = {}
    begin = threading.Barrier(4)

    def write(name: str, turn: int) -> None:
        begin.wait()
        with host.pool.using(models[name]):
            found[name, turn] = written(models[name], path, 2)

    threads = [threading.Thread(target=write, args=(name, turn)) for name in models for turn in range(2)]
    for one in threads:
        one.start()
    for one in threads:
        one.join(WAIT)
    assert found == {(name, turn): alone[name] for name in models for turn in range(2)}


def test_rows_of_both_interleave_token_by_token(host: ModelHost, adapter: Path) -> None:
    """Each step of one stands between two of the other, so that whatever they shared would show."""
    base, learned = host.generator, tuned(host, adapter)
    alone = [written(base)[0], written(learned)[0]]
    streams = [one.stream(asked(PROMPTS[0], "exact")) for one in (base, learned)]
    ids: list[list[int | None]] = [[], []]
    for pair in zip(*streams, strict=True):
        for place, step in enumerate(pair):
            ids[place].append(step.token_id)
    assert ids == alone


def test_the_api_and_batches_tell_base_and_tuned_apart(host: ModelHost, adapter: Path) -> None:
    base, learned = host.generator, tuned(host, adapter)
    names = [one["id"] for one in model_list([one.card for one in host.generators])["data"]]
    assert names == [learned.card.title, base.card.title], "ids that are paths are nobody's business"
    assert find(host.generators, base.card.title) is base and find(host.generators, learned.card.title) is learned
    plan = Plan("slogans", mapping={"product": "p"}, values={}, seed=1)
    assert plan.of_model(base.card).is_for(base.card) and not plan.of_model(base.card).is_for(learned.card)
    host.pool.switch(ModelChoice(host.settings.model or "", "fp32"))
    host.pool.unload(ModelChoice(host.settings.model or "", "fp32", adapter=str(adapter)))
    assert [one.card.id for one in host.generators] == [base.card.id]


def test_an_adapter_that_does_not_fit_leaves_the_base_writing(host: ModelHost, adapter: Path) -> None:
    before, other = written(host.generator), adapter.with_name("nothing")
    host.pool.switch(ModelChoice(host.settings.model or "", "fp32", adapter=str(other)))
    assert host.pool.wait(WAIT)
    state = host.pool.state()
    assert state.phase == "failed" and state.reason is not None and "There is no folder" in state.reason.en
    assert written(host.generator) == before


def test_a_server_starts_with_an_adapter_or_says_why_not(folder: Path, adapter: Path) -> None:
    started = ModelHost(Settings(model=str(folder), weights="fp32", adapter=str(adapter), adapter_share=0.5))
    started.start()
    assert started.pool.wait(WAIT) and started.generator.card.title == "tiny-model + tuned (0.5)"
    assert started.pool.choice == ModelChoice(str(folder), "fp32", adapter=str(adapter), adapter_share=0.5)
    (adapter / "adapter_config.json").unlink()
    broken = ModelHost(Settings(model=str(folder), weights="fp32", adapter=str(adapter)))
    broken.start()
    assert broken.pool.wait(WAIT) and broken.generator.card.id == embedded.ID
    assert broken.pool.choice == ModelChoice(embedded.ID, "fp32")
    assert broken.generator.card.notice is not None and "adapter_config.json" in broken.generator.card.notice.en
    engine = ModelHost(Settings(engine=("http://127.0.0.1:9",), adapter=str(adapter)))
    engine.start()
    assert engine.pool.wait(WAIT) and engine.error is not None and "An engine holds its own model" in engine.error.en
    for one in (started, broken):
        one.generator.close()  # type: ignore[attr-defined]


def test_commands_of_the_terminal_take_an_adapter(
    folder: Path, adapter: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    flags = ["--prompt", PROMPTS[0], "--max-new-tokens", "24", "--seed", "7", "--weights", "fp32"]
    flags += ["--model", str(folder)]
    texts = []
    for more in ([], ["--adapter", str(adapter)], ["--adapter", str(adapter), "--adapter-share", "0"]):
        assert main(["generate", *flags, *more]) == 0
        texts.append(capsys.readouterr().out)
    assert texts[0] == texts[2] != texts[1]
    assert main(["generate", *flags, "--adapter", str(adapter / "a/b")]) == 2
    assert "There is no folder" in capsys.readouterr().err
    with pytest.raises(SystemExit):
        main(["generate", *flags, "--adapter", str(adapter), "--adapter-share", "2"])
    assert "no number from 0 to 1" in capsys.readouterr().err


@pytest.mark.long
def test_the_embedded_model_on_the_fast_path_writes_with_what_was_learned(tmp_path: Path) -> None:
    """Its weights lie on the grid of their file, by whose codes the fast path packs them; not those that changed."""
    from playground.generators import opening
    from playground.models.loading import quiet

    place = embedded.ensure(quiet)
    adapter = make_adapter(place, tmp_path / "tuned", size=0.05, target_modules=["q_proj", "v_proj"])
    found: list[list[list[int]]] = []
    for choice in (ModelChoice(embedded.ID), ModelChoice(embedded.ID, adapter=str(adapter))):
        made = opening.open_local(choice, opening.Bounds(), quiet)
        assert isinstance(made, LocalGenerator)
        found.append(written(made, "fast"))
        made.close()
    assert found[0] != found[1]


def test_a_missing_folder_is_said_before_anything_is_loaded(adapter: Path) -> None:
    from playground import models

    with pytest.raises(ModelError, match="There is no folder"):
        models.load("no/such-model-anywhere", adapter=str(adapter / "x"))
