"""Guessing ahead changes how long a text takes and never what it says; what was guessed and right is counted."""

from __future__ import annotations

import itertools
import random
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from benchmarks import lookup
from playground import generate
from playground.cli import main as cli
from playground.decoding.keep import KeptRun
from playground.decoding.row import Row
from playground.fast import job as jobs
from playground.fast.job import Job
from playground.fast.lookup import guess
from playground.fast.net import Net
from playground.fast.running import Running
from playground.generators.local import LocalGenerator
from playground.parameters import by_name
from playground.types import Request
from playground.ui import news
from tests.test_fast_running import settled, told

PROMPT = "one two three four one two three four one two"
FEW = {" one": 100.0, " two": 100.0, " three": 97.0}  # a text of three words comes back to what it has said
SETTINGS: tuple[dict[str, Any], ...] = (
    {},
    {"temperature": 0},
    {"temperature": 1.5, "top_p": 0.9},
    {"top_k": 3, "typical_p": 0.9},
    {"repetition_penalty": 1.05, "temperature": 0.5},
    {"dry_multiplier": 0.8, "min_p": 0.1},
    {"mirostat_tau": 1.0},
    {"banned_phrases": ("two two", "one one one")},
    {"stop": ("two two two",)},
    {"order": "llama.cpp", "temperature": 1.5},
    {"xtc_probability": 0.5, "xtc_threshold": 0.1, "temperature": 2},
)
SEEDS = 6
LENGTH = 24


@pytest.fixture(scope="module")
def generator(tiny: Any) -> LocalGenerator:
    """Its steps stay eager: a compilation in the background would go on into other tests."""
    found = LocalGenerator(tiny)
    found._engine._running = running_of(found)
    return found


@pytest.fixture
def running(generator: LocalGenerator) -> Running:
    return running_of(generator)


def running_of(generator: LocalGenerator) -> Running:
    net = Net(generator._model, compiles=False)
    return Running(net, net, generator._turns, rows=4, memory=2**26)


def asked(prompt: str = PROMPT, **values: Any) -> Request:
    given = {"max_new_tokens": LENGTH, "seed": 3, "prompt_lookup_num_tokens": 5, **values}
    return generate.checked(generate.build(prompt, given, path="fast"))


def job(generator: LocalGenerator, request: Request, *, kept: bool = False) -> Job:
    setting = generator._setting(request, generator.render(request))
    seed = setting.values["seed"]
    keeper = KeptRun(None, "", request.values, setting, [seed]) if kept else None
    return Job(setting, [Row(0, seed, setting)], None, keeper)


def written(generator: LocalGenerator, running: Running, **values: Any) -> list[int]:
    return told(running.stream(job(generator, asked(**values))))[0]


def count_checks(running: Running, monkeypatch: pytest.MonkeyPatch) -> list[list[int]]:
    """Every guess that is checked from now on."""
    checked: list[list[int]] = []
    check = running._step.check

    def counted(slots: Any, slot: int, tokens: Any, start: int) -> Any:
        checked.append(tokens.tolist()[1:])
        return check(slots, slot, tokens, start)

    monkeypatch.setattr(running._step, "check", counted)
    return checked


@pytest.mark.parametrize(
    ("ids", "most", "wanted"),
    [
        ([1, 2, 3, 9, 1, 2, 3], 8, [9, 1, 2]),  # three agree, so three are guessed
        ([1, 2, 3, 9, 1, 2, 3], 2, [9, 1]),
        ([1, 2, 7, 8, 1, 2, 9, 6, 1, 2], 8, [9, 6]),  # of two equal places the later one
        ([5, 1, 2, 7, 4, 1, 2, 9, 5, 1, 2], 8, [7, 4, 1]),  # and before that the one that agrees longer
        ([4, 4, 4, 4], 5, [4, 4, 4]),  # a copy that comes to the end goes on with itself
        ([8, 1, 2, 1, 2, 1, 2], 3, [1, 2, 1]),
        ([1, 2, 3, 2], 5, []),  # one token agrees: that is chance
        ([1, 2, 3, 9, 1, 2, 3], 0, []),
        ([1, 2, 1, 2], 1, [1]),
        ([1, 2, 3], 5, []),
        ([1], 5, []),
        ([], 5, []),
    ],
)
def test_a_guess_is_what_followed_the_longest_ending_before(ids: list[int], most: int, wanted: list[int]) -> None:
    assert guess(np.array(ids, dtype=np.int64), most) == wanted


@pytest.mark.parametrize("values", SETTINGS, ids=lambda values: ",".join(values) or "temperature 1")
def test_a_text_that_is_guessed_is_the_text_that_is_not(
    generator: LocalGenerator, running: Running, values: dict[str, Any]
) -> None:
    accepted = 0
    for seed in range(SEEDS):
        given = {"logit_bias": FEW, "seed": seed, **values}
        steps = list(running.stream(job(generator, asked(**given))))
        assert told(iter(steps))[0] == written(generator, running, prompt_lookup_num_tokens=0, **given)
        accepted += sum(step.accepted for step in steps)
    assert accepted > SEEDS, "guesses were right, so passes were saved"
    settled(running)


def lucky(answers: dict[int, list[int]], dice: random.Random) -> Callable[[Any, int], list[int]]:
    """Some right tokens and then any; `answers` are what comes next, by the length of prompt and answer so far."""

    def guessed(ids: np.ndarray, most: int) -> list[int]:
        right = answers[len(ids)][: dice.randint(0, most)] if len(ids) in answers else []
        return (right + [dice.randrange(1000, 40_000) for _ in range(most)])[:most]

    return guessed


@pytest.mark.parametrize("values", SETTINGS, ids=lambda values: ",".join(values) or "temperature 1")
def test_whatever_is_guessed_the_text_stays(
    generator: LocalGenerator, running: Running, values: dict[str, Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Right guesses, wrong ones and those that turn wrong in the middle, over the whole vocabulary."""
    start = len(generator.render(asked()).token_ids)
    for seed in range(4):
        given = {"seed": seed, **values}
        plain = written(generator, running, prompt_lookup_num_tokens=0, **given)
        answers = {start + at: plain[at:] for at in range(len(plain))}
        monkeypatch.setattr(jobs, "guess", lucky(answers, random.Random(seed)))
        assert written(generator, running, **given) == plain
    settled(running)


def test_what_is_told_of_guesses_is_what_was_checked(
    generator: LocalGenerator, running: Running, monkeypatch: pytest.MonkeyPatch
) -> None:
    checked = count_checks(running, monkeypatch)
    steps = list(running.stream(job(generator, asked(logit_bias=FEW))))
    ids = [step.token_id for step in steps]
    right, place = 0, 0
    for guessed in checked:
        place = next(at for at in range(place, len(steps)) if steps[at].proposed)
        assert steps[place].proposed == len(guessed) <= 5
        same = (one == other for one, other in zip(guessed, ids[place:], strict=False))
        right += sum(itertools.takewhile(bool, same))
        place += 1
    assert sum(step.proposed for step in steps) == sum(map(len, checked)) > 0
    assert sum(step.accepted for step in steps) == right > 0


def test_guesses_that_are_all_right_save_their_passes(
    generator: LocalGenerator, running: Running, monkeypatch: pytest.MonkeyPatch
) -> None:
    start = len(generator.render(asked()).token_ids)
    plain = written(generator, running, prompt_lookup_num_tokens=0)
    monkeypatch.setattr(jobs, "guess", lambda ids, most: plain[len(ids) - start :][:most])
    checked = count_checks(running, monkeypatch)
    steps = list(running.stream(job(generator, asked())))
    assert [step.token_id for step in steps] == plain
    assert len(checked) == LENGTH // 6, "five guesses and the token that comes after them"
    assert all(step.accepted == (at % 6 < 5) for at, step in enumerate(steps))


def test_an_end_in_the_middle_of_right_guesses_ends_the_text(
    generator: LocalGenerator, running: Running, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The end-of-text token, a stop string and the longest length: what was guessed behind them is dropped."""
    plain = written(generator, running, prompt_lookup_num_tokens=0)
    start = len(generator.render(asked()).token_ids)
    monkeypatch.setattr(jobs, "guess", lambda ids, most: (plain[len(ids) - start :] + [7] * 9)[:9])
    ending = generator._tokenizer.decode(plain[2:4])
    request = asked(stop=[ending])
    run = list(generate.run(request, generator))[-1].candidates[0]
    own = job(generator, asked())
    own.setting.eos[:] = [plain[3]]
    steps = list(running.stream(own))
    assert [step.token_id for step in steps] == plain[:4] and steps[-1].finish == "end"
    assert run.finish_reason == "stop" and run.token_ids == plain[: len(run.token_ids)]
    short = list(running.stream(job(generator, asked(max_new_tokens=4))))
    assert [step.token_id for step in short] == plain[:4] and short[-1].finish == "length"
    settled(running)


def test_guesses_never_reach_beyond_what_may_be_written(
    generator: LocalGenerator, running: Running, monkeypatch: pytest.MonkeyPatch
) -> None:
    checked = count_checks(running, monkeypatch)
    assert len(written(generator, running, logit_bias=FEW, max_new_tokens=3)) == 3
    assert written(generator, running, logit_bias=FEW, max_new_tokens=1)
    assert all(len(guessed) <= 2 for guessed in checked)


def test_what_is_kept_for_looking_inside_is_kept_of_every_token(generator: LocalGenerator, running: Running) -> None:
    rows = []
    for wanted in (5, 0):
        one = job(generator, asked(logit_bias=FEW, prompt_lookup_num_tokens=wanted), kept=True)
        steps = list(running.stream(one))
        assert (sum(step.accepted for step in steps) > 0) == (wanted > 0)
        assert one.kept is not None and one.kept.closed
        rows.append(one.kept.rows[0])
    guessed, plain = rows
    assert guessed.tokens == plain.tokens and guessed.finish == plain.finish == "length"
    for position in range(LENGTH):
        assert (guessed.scores(position)[0] - plain.scores(position)[0]).abs().max() < 1e-3
        noise, wanted_noise = guessed.noise(position), plain.noise(position)
        assert noise is not None and wanted_noise is not None and bool((noise == wanted_noise).all())


def test_closing_in_the_middle_leaves_nothing_behind(generator: LocalGenerator, running: Running) -> None:
    plain = written(generator, running, logit_bias=FEW, prompt_lookup_num_tokens=0)
    for most in range(1, 12):
        assert told(running.stream(job(generator, asked(logit_bias=FEW))), most)[0] == plain[:most]
    settled(running)
    assert written(generator, running, logit_bias=FEW) == plain, "what was guessed and dropped is never read"


def test_who_joins_in_the_middle_gets_what_it_gets_alone_and_nobody_guesses_meanwhile(
    generator: LocalGenerator, running: Running, monkeypatch: pytest.MonkeyPatch
) -> None:
    other: dict[str, Any] = {"logit_bias": FEW, "seed": 9, "max_new_tokens": 10}
    alone = [written(generator, running, logit_bias=FEW), written(generator, running, **other)]
    check = running._step.check

    def alone_only(*given: Any) -> Any:
        assert sum(live.ready for each in running._jobs for live in each.lives) == 1
        return check(*given)

    monkeypatch.setattr(running._step, "check", alone_only)
    first = running.stream(job(generator, asked(logit_bias=FEW)))
    beginning = next(first)
    second = told(running.stream(job(generator, asked(**other))))[0]
    assert [[beginning.token_id, *told(first)[0]], second] == alone
    settled(running)


@pytest.mark.parametrize("values", [{"n": 2}, {"guidance_scale": 1.5}])
def test_where_it_has_no_effect_nothing_is_guessed_and_the_reason_is_said(
    generator: LocalGenerator, values: dict[str, Any]
) -> None:
    request = asked(logit_bias=FEW, max_new_tokens=8, **values)
    run = list(generate.run(request, generator))[-1]
    assert run.notice is not None and by_name()["prompt_lookup_num_tokens"].label.en in run.notice.en
    assert "lookup" not in run.as_json()["timing"] and all(one.proposed == 0 for one in run.candidates)


def test_terminal_api_and_card_say_how_many_guesses_were_right(
    generator: LocalGenerator, capsys: pytest.CaptureFixture[str]
) -> None:
    runs = list(generate.run(asked(logit_bias=FEW), generator))
    run = cli._follow(iter(runs), quiet=False)
    found = run.as_json()["timing"]["lookup"]
    assert found["proposed"] >= found["accepted"] > 0
    assert f"{found['accepted']} of {found['proposed']} guesses right" in capsys.readouterr().err
    row = news.of_run("a", run, generator.card, {})["rows"][0]
    assert (row["accepted"], row["proposed"]) == (found["accepted"], found["proposed"])
    exact = list(generate.run(generate.build(PROMPT, {"max_new_tokens": 3}), generator))[-1]
    assert "lookup" not in exact.as_json()["timing"] and exact.notice is None


def test_what_it_is_worth_is_measured_in_rounds_of_both_kinds(generator: LocalGenerator) -> None:
    found = lookup.figures(generator, rounds=2, length=4, patience=0)
    assert [one.prompt for one in found] == list(lookup.PROMPTS)
    assert all(len(one.ratios) == 2 and min(one.ratios) > 0 and one.accepted <= one.proposed for one in found)
    assert all(one.prompt in lookup.table(found) for one in found)


@pytest.mark.model
def test_the_embedded_model_copies_quicker_and_writes_the_same(loaded: Any) -> None:
    generator = LocalGenerator(loaded)
    running = running_of(generator)
    prompt = "Names: Ada Lovelace, Alan Turing, Grace Hopper, Kurt Gödel.\nNames: Ada Lovelace, Alan"
    given: dict[str, Any] = {"temperature": 0.7, "max_new_tokens": 14}
    guessed = list(running.stream(job(generator, asked(prompt, **given, prompt_lookup_num_tokens=8))))
    plain = list(running.stream(job(generator, asked(prompt, **given, prompt_lookup_num_tokens=0))))
    assert [step.token_id for step in guessed] == [step.token_id for step in plain]
    assert sum(step.accepted for step in guessed) > 4
    settled(running)
