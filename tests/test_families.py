"""Every kind of causal language model writes what `generate()` writes, to the end of its context, or is refused while
it is loaded, with a sentence that says what it lacks."""

from __future__ import annotations

import itertools
import json
import re
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import torch
import transformers

from playground import models, parameters
from playground.cli import main as cli
from playground.decoding.kv_sequence import KVSequence, can_guide
from playground.generators.local import LocalGenerator
from playground.inspection import inspect_api
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
# Those that `generate()` itself does not write with, unless it is told to do without a cache.
FAILING = {"blt"}
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
    if capabilities.of(loaded.model).reads:
        with monkeypatch.context() as patch:
            patch.setattr(KVSequence, "_croppable", lambda _: False)  # read anew instead of cut back
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
            with pytest.raises(Refused, match=parameters.by_name()[name].label.en):
                generator.stream(asked(values))
    assert inspect_api.next_token(generator, asked({})).outcomes
    greedy = asked({"temperature": 0.0})
    prompt, written = generator.render(greedy).token_ids, reference.written(generator, greedy)[0]
    ranks = [token.rank for piece in generator.read([*prompt, *written]) for token in piece][len(prompt) :]
    if able.reads:  # attention to the best few leaves out another one where two are alike
        assert 4 * ranks.count(1) >= 3 * len(written)
    else:
        assert ranks == [None] * len(written)
    assert len(inspect_api.seen(generator, greedy).tokens) == len(prompt)
    if able.reads:
        assert inspect_api.read(generator, PROMPT, " stood.").tokens[-1].rank
    else:
        with pytest.raises(Refused, match="as a whole"):
            inspect_api.read(generator, PROMPT, " stood.")
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
    if name in FAILING:
        loaded.model.generation_config.use_cache = False
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
@pytest.mark.parametrize("name", [name for name in families.BOTH_WAYS if name not in REFUSED])
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


def test_what_the_walk_has_found_right_is_not_tried_nor_is_what_is_on_a_disk(
    tiny: models.Loaded, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(capabilities, "tried", lambda *_: pytest.fail("tried"))
    fresh = families.model("llama")
    assert capabilities.of(fresh) == capabilities.Capabilities()
    with torch.device("meta"):
        absent = families.model("minimax"), families.model("gemma2")
    monkeypatch.setattr(capabilities, "CACHED", frozenset())
    assert [capabilities.of(model).keeps for model in absent] == ["state", "cache"]


def test_a_decoder_s_class_that_reads_both_ways_is_tried() -> None:
    model = families.model("gemma3_text", use_bidirectional_attention=True)
    able = capabilities.of(model)
    assert able.keeps == "cache" and not able.reads


class Failing(transformers.LlamaForCausalLM):
    """As code that came with a model and fits another version of transformers."""

    def forward(self, *given: Any, **named: Any) -> Any:
        raise KeyError("past_key_value")


class Forgetting(transformers.LlamaForCausalLM):
    """Its cache is handed through and never filled."""

    def forward(self, input_ids: Any = None, past_key_values: Any = None, **named: Any) -> Any:
        return super().forward(input_ids, **{**named, "use_cache": False, "position_ids": None})


class Refusing(transformers.LlamaForCausalLM):
    """It has no use for a cache of this kind."""

    def forward(self, input_ids: Any = None, past_key_values: Any = None, **named: Any) -> Any:
        if past_key_values is not None:
            raise TypeError("a tuple is wanted")
        return super().forward(input_ids, **named)


def test_code_that_cannot_write_is_refused_with_its_reason() -> None:
    with pytest.raises(ModelError, match="cannot continue a text: 'past_key_value'"):
        capabilities.of(Failing(families.config("llama")).eval(), "mine")


@pytest.mark.parametrize("kind", [Forgetting, Refusing])
def test_a_cache_that_does_not_work_is_done_without(kind: Any, tiny: models.Loaded) -> None:
    torch.manual_seed(0)
    model = kind(families.config("llama")).eval()
    able = capabilities.of(model)
    assert (able.keeps, able.use_cache, able.reads) == ("nothing", False, True)
    assert able.notice is not None and "does not work here" in able.notice.en and CHINESE.search(able.notice.zh)
    right = transformers.LlamaForCausalLM(model.config).eval()
    right.load_state_dict(model.state_dict())
    card = replace(tiny.card, context=families.CONTEXT)
    assert "fast" not in LocalGenerator(models.Loaded(model, families.tokenizer(), card)).paths
    ours, theirs = (LocalGenerator(models.Loaded(one, families.tokenizer(), card)) for one in (model, right))
    for values in ({"n": 2}, {"n": 2, "banned_phrases": ["e", "a"]}):
        assert reference.written(ours, asked(values)) == reference.written(theirs, asked(values))


def test_the_terminal_says_that_it_is_slow_and_why(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    families.save("openai-gpt", tmp_path)
    asked_for = ["generate", "--model", str(tmp_path), "--prompt", "Tea", "--max-new-tokens", "3", "--json"]
    assert cli.main(asked_for) == 0
    told = capsys.readouterr()
    assert "keep no cache: each token reads all of the text again" in told.err
    assert len(json.loads(told.out)["candidates"][0]["token_ids"]) == 3


def test_of_a_model_that_reads_pictures_too_the_part_for_text_is_taken(tmp_path: Path) -> None:
    whole = transformers.Qwen3_5ForConditionalGeneration(families.config("qwen3_5")).eval()
    whole.save_pretrained(tmp_path)
    families.tokenizer().save_pretrained(tmp_path)
    loaded = models.load(str(tmp_path), weights="fp32")
    assert type(loaded.model).__name__ == "Qwen3_5ForCausalLM"
    ours = reference.written(LocalGenerator(loaded), asked({"temperature": 0.0}))
    assert ours == reference.generated(
        replace(loaded, model=whole), asked({"temperature": 0.0}), LocalGenerator(loaded).render(asked({})).token_ids
    )


def test_what_answers_an_encoder_is_refused(tmp_path: Path) -> None:
    transformers.BartForConditionalGeneration(families.config("bart")).save_pretrained(tmp_path)
    families.tokenizer().save_pretrained(tmp_path)
    with pytest.raises(ModelError, match="BartForConditionalGeneration, which answers what an encoder has read"):
        models.load(str(tmp_path))
