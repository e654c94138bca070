"""Every kind of causal language model writes what `generate()` writes, to the end of its context, or is refused while
it is loaded, with a sentence that says what it lacks."""

from __future__ import annotations

import itertools
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import torch

from playground import models, xray
from playground.decoding.lane import Lane, can_guide
from playground.generators.local import LocalGenerator
from playground.models import capabilities
from playground.models.verified import CACHED
from playground.types import ModelError, Refused, Step
from tests import families, reference
from tests.test_models import CHINESE
from tests.test_parity import taken_in_turns

PROMPT = "The old lighthouse"
TOKENS = 12
SETTINGS: list[dict[str, Any]] = [{"temperature": 0.0}, {"top_p": 0.95, "repetition_penalty": 1.2}]

# What cannot be had here, and the words that say so.
REFUSED = {
    "gemma3n": "needs a package that is not installed: timm",
    "gemma4_assistant": "drafts tokens",
    "gemma4_unified_assistant": "drafts tokens",
    "musicgen": "writes sound",
    "musicgen_melody": "writes sound",
    "reformer": "random numbers",
}
# How those go on that do not keep transformers' own cache.
OTHERWISE = {
    "blt": "nothing",
    "cpmant": "state",
    "minimax": "state",
    "openai-gpt": "nothing",
    "recurrent_gemma": "nothing",
    "rwkv": "state",
    "xlm": "nothing",
    "xlnet": "state",
    "xlstm": "state",
}
# A few of the most different: nothing kept, a state of its own, one inside its modules, padding before the positions,
# layers of several kinds, an encoder's code, and a refusal.
FEW = ("openai-gpt", "rwkv", "recurrent_gemma", "xlnet", "roberta", "qwen3_5", "musicgen")

_walked: dict[str, str] = {}


@pytest.fixture(autouse=True, scope="module")
def one_thread() -> Iterator[None]:
    """Models this small are slower with several threads, and a walk over all of them beside other work far slower."""
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(before)


def asked(values: dict[str, Any], **fields: Any) -> Any:
    return reference.request(PROMPT, {"seed": 5, "max_new_tokens": TOKENS, **values}, **fields)


def steps(generator: LocalGenerator, values: dict[str, Any]) -> list[Step]:
    return list(generator.stream(asked(values)))


def assert_equal(loaded: models.Loaded, generator: LocalGenerator, values: dict[str, Any]) -> None:
    request = asked(values)
    ours = reference.written(generator, request)
    assert ours == reference.generated(loaded, request, generator.render(request).token_ids), values


def assert_rows_keep_apart(loaded: models.Loaded, generator: LocalGenerator, monkeypatch: pytest.MonkeyPatch) -> None:
    """Candidates in company, rows that step back, and requests in turns write what each writes alone."""
    texts = [loaded.tokenizer.decode(token) for token in reference.written(generator, asked({}))[0]]
    pairs = [first + second for first, second in itertools.pairwise(texts) if first and second]
    phrases = [pair for pair in pairs if re.fullmatch(r"[!-~]{2,4}", pair)][:1]
    assert not phrases or any(step.retract for step in steps(generator, {"n": 2, "banned_phrases": phrases}))
    for values in ({}, {"banned_phrases": phrases}):
        together = reference.written(generator, asked({**values, "n": 2}))
        alone = [reference.written(generator, asked({**values, "seed": 5 + row}))[0] for row in range(2)]
        assert together == alone
    with monkeypatch.context() as patch:
        patch.setattr(Lane, "_croppable", lambda _: False)  # read anew instead of cut back
        assert reference.written(generator, asked({"banned_phrases": phrases, "n": 2})) == together
    two = [asked({"seed": 1}), reference.request("Three fruits are", {"seed": 2, "max_new_tokens": 6})]
    each = [[step.token_id for step in generator.stream(one)] for one in two]
    assert taken_in_turns([generator.stream(one) for one in two]) == each


def assert_features(loaded: models.Loaded, generator: LocalGenerator) -> None:
    """What a kind cannot do is refused by name before anything runs; the rest is as `generate()` does it."""
    able = capabilities.of(loaded.model)
    for name, value, can in (("guidance_scale", 1.5, can_guide(loaded.model)), ("num_beams", 2, able.beams)):
        values = {name: value, "temperature": 0.0, "max_new_tokens": 6}
        if can:
            assert_equal(loaded, generator, values)
        else:
            with pytest.raises(Refused, match=name):
                generator.stream(asked(values))
    assert xray.next_token(generator, asked({})).fates
    greedy = asked({"temperature": 0.0})
    ids = [*generator.render(greedy).token_ids, *reference.written(generator, greedy)[0]]
    ranks = [token.rank for piece in generator.read(ids) for token in piece][-TOKENS:]
    assert ranks == [1 if able.reads else None] * TOKENS
    assert len(xray.seen(generator, greedy).tokens) == len(ids) - TOKENS
    if able.reads:
        assert xray.read(generator, PROMPT, " stood.").tokens[-1].rank
    else:
        with pytest.raises(Refused, match="as a whole"):
            xray.read(generator, PROMPT, " stood.")
    assert generator.fast.why_not is None or "exact path" in generator.fast.why_not.en


def assert_context(loaded: models.Loaded, generator: LocalGenerator) -> None:
    """The context is filled to its end; a kind without a limit goes on where others end."""
    values = {"ignore_eos": True, "temperature": 0.0, "max_new_tokens": loaded.card.context}
    last = steps(generator, {**values, "max_new_tokens": min(loaded.card.context, families.CONTEXT + 20)})[-1]
    used = len(generator.render(asked(values)).token_ids)
    if last.finish == "context":
        assert used + last.position + 1 == loaded.card.context
    else:
        assert last.finish == "length" and loaded.card.context > families.CONTEXT


def walk(name: str, folder: Path, monkeypatch: pytest.MonkeyPatch, **changes: Any) -> str:
    """What came of this kind, in a few words."""
    families.save(name, folder, **changes)
    if name in REFUSED:
        with pytest.raises(ModelError, match=REFUSED[name]) as caught:
            models.load(str(folder), weights="fp32")
        error = caught.value
        assert error.hint is not None and CHINESE.search(error.message.zh) and "\n" not in error.say("en")
        return f"refused: {error.message.en.partition(' ')[2]}"
    loaded = models.load(str(folder), weights="fp32")
    able = capabilities.tried(loaded.model)
    assert able.keeps == OTHERWISE.get(name, "cache")
    assert (able.notice is not None) == (able.keeps == "nothing") and loaded.card.notice == able.notice
    generator = LocalGenerator(loaded)
    for values in SETTINGS:
        assert_equal(loaded, generator, values)
    assert_rows_keep_apart(loaded, generator, monkeypatch)
    assert_features(loaded, generator)
    assert_context(loaded, generator)
    common, listed = able == capabilities.Capabilities(), type(loaded.model).__name__ in CACHED
    assert common or not listed, "playground/models/verified.py is not true"
    assert listed or not common or name in families.BOTH_WAYS, "playground/models/verified.py is not whole"
    how = {"cache": "", "state": ", with a state of its own", "nothing": ", reading all again for each token"}
    return f"equal{how[able.keeps]}; context {loaded.card.context:,}"


@pytest.mark.parametrize("name", FEW)
def test_the_most_different_kinds_write_what_generate_writes(
    name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    walk(name, tmp_path, monkeypatch)


@pytest.mark.long
@pytest.mark.parametrize("name", families.ALL)
def test_every_kind_writes_what_generate_writes_or_says_what_it_lacks(
    name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, record_property: Any
) -> None:
    _walked[name] = walk(name, tmp_path, monkeypatch)
    record_property("figure", _walked[name])


@pytest.mark.long
@pytest.mark.parametrize("name", families.BOTH_WAYS)
def test_an_encoder_that_generate_lets_write_writes_the_same(
    name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, record_property: Any
) -> None:
    record_property("figure", walk(name, tmp_path, monkeypatch, is_decoder=False))


@pytest.mark.long
def test_so_many_kinds_were_walked(record_property: Any) -> None:
    if set(_walked) != set(families.ALL):
        pytest.skip("only after all of them")
    refused = sorted(name for name, told in _walked.items() if told.startswith("refused"))
    assert refused == sorted(REFUSED)
    slow = sorted(name for name, told in _walked.items() if "all again" in told)
    record_property(
        "figure",
        f"{len(_walked)} kinds: {len(_walked) - len(refused)} equal, {len(slow)} of them slowly ({', '.join(slow)}); "
        f"{len(refused)} refused ({', '.join(refused)})",
    )
