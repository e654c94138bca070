"""A biased text counts in every way the vocabulary writes it, and whoever means token ids says so."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from playground import generate, parameters
from playground.cli import main as cli
from playground.cli.flags import given_values
from playground.generators.local import LocalGenerator
from playground.generators.scripted import ScriptedGenerator
from playground.inspection import inspect_api
from playground.rendering.spellings import Spellings, forms, sequence_bias
from playground.types import InvalidRequest
from playground.ui import api
from tests import built

KINDS: dict[str, Callable[..., Any]] = {
    "byte level": built.byte_level,
    "sentence piece": built.sentence_piece,
    "unigram": built.unigram,
}


@pytest.fixture(scope="module", params=KINDS)
def tokenizer(request: pytest.FixtureRequest) -> Any:
    return KINDS[request.param]()


def named(tokenizer: Any, text: str) -> list[list[str]]:
    spellings = Spellings(tokenizer)
    return [tokenizer.convert_ids_to_tokens(list(way)) for form in forms(text) for way in spellings.ways(form)]


def test_a_word_is_found_with_and_without_a_space_however_the_vocabulary_writes_that() -> None:
    assert named(built.byte_level(), "cat") == [["cat"], ["Ġcat"]]
    assert named(built.byte_level(), " cat") == [["Ġcat"]]
    assert named(built.sentence_piece(), "cat") == [["cat"], ["▁cat"]]
    assert ["▁cat"] in named(built.unigram(), "cat") and ["c", "a", "t"] in named(built.unigram(), "cat")


def test_a_line_break_and_other_bytes_are_found_as_bytes_and_as_letters() -> None:
    assert named(built.byte_level(), "\n") == [["Ċ"]]
    assert named(built.sentence_piece(), "\n") == [["<0x0A>"]]
    both = named(built.sentence_piece(), "A")
    assert ["A"] in both and ["<0x41>"] in both and ["▁", "A"] in both
    assert ["<0xE4>", "<0xB8>", "<0xAD>"] in named(built.sentence_piece(), "中")
    assert len(named(built.byte_level(), "中")[0]) == 3


def test_a_control_token_can_be_named(tokenizer: Any) -> None:
    assert ["<|im_end|>"] in named(tokenizer, "<|im_end|>")


@pytest.mark.parametrize("text", ["cat", " the", "lighthouse", "\n", "cat\nsat", "中", "Good day.", "<|im_end|>", "  "])
def test_every_way_writes_the_text_and_the_tokenizers_own_is_among_them(tokenizer: Any, text: str) -> None:
    spellings = Spellings(tokenizer)
    before = tokenizer("(", add_special_tokens=False).input_ids
    ways = spellings.ways(text)
    for way in ways:
        assert tokenizer.decode([*before, *way]) == tokenizer.decode(before) + text
    own = tuple(tokenizer("(" + text, add_special_tokens=False).input_ids[len(before) :])
    assert own in ways or tokenizer.unk_token_id in own


def test_ids_that_the_model_does_not_have_are_left_out() -> None:
    tokenizer = built.byte_level()
    cat = tokenizer.convert_tokens_to_ids("Ġcat")
    assert set(sequence_bias({"cat": 1.0}, {}, Spellings(tokenizer), cat)) == {
        (one,) for one in [tokenizer.convert_tokens_to_ids("cat")] if one < cat
    }


def test_a_number_of_the_api_is_no_text_and_says_how_to_write_either(capsys: pytest.CaptureFixture[str]) -> None:
    texts: dict[str, Any] = {"prompt": "a", "mode": "", "system": "", "prefill": "", "path": "exact", "turns": []}
    texts |= {"task": "", "fields": {}, "language": "en", "special_tokens": False}
    with pytest.raises(InvalidRequest, match=r"looks like a token id.*logit_bias_ids") as caught:
        api.request_of(texts, {"logit_bias": {" a": 1, "198": -100}}, None)
    assert caught.value.parameter == "logit_bias" and "词元编号" in caught.value.say("zh")
    request = api.request_of(texts, {"logit_bias": {" 198": 1}, "logit_bias_ids": {"198": -100}}, None)
    assert request.values["logit_bias_ids"] == {"198": -100.0} and request.values["logit_bias"] == {" 198": 1.0}
    elsewhere = generate.build("a", {"logit_bias": {"198": 1}})
    assert elsewhere.values["logit_bias"] == {"198": 1.0}, "on the page and in a terminal it is a text"
    given = cli._parser().parse_args(["generate", "--logit-bias-ids", "198=-100", "--logit-bias-ids", "5=2"])
    assert given_values(given) == {"logit_bias_ids": {"198": "-100", "5": "2"}}


@pytest.mark.parametrize(
    "wrong", [{"x": 1}, {"-1": 1}, {"1.5": 1}, {"3": 101}, {"1": 1, "01": 2}, {str(2**31): 1}, [1]]
)
def test_what_is_no_id_is_refused(wrong: Any) -> None:
    with pytest.raises(InvalidRequest, match="token ids") as caught:
        parameters.validate({"logit_bias_ids": wrong})
    assert caught.value.parameter == "logit_bias_ids"


def test_ids_act_count_before_texts_and_must_be_the_models() -> None:
    tokenizer = built.byte_level()
    one = LocalGenerator(built.speaker(tokenizer))
    cat, spaced = tokenizer.convert_tokens_to_ids(["cat", "Ġcat"])
    for values, wanted in (
        ({"logit_bias_ids": {str(cat): 100}}, cat),
        ({"logit_bias_ids": {spaced: 100}, "logit_bias": {"day": 50}}, spaced),
        ({"logit_bias_ids": {str(cat): -100}, "logit_bias": {"cat": 100}}, spaced),
    ):
        request = generate.build("a", {"max_new_tokens": 1, "temperature": 0, **values})
        *_, run = generate.run(request, one)
        assert run.candidates[0].token_ids == [wanted]
    with pytest.raises(InvalidRequest, match=r"Bias by token id \(logit_bias_ids\) names token 9999"):
        list(one.stream(generate.build("a", {"logit_bias_ids": {"9999": 1}})))


def test_a_favoured_text_of_several_tokens_is_written() -> None:
    tokenizer = built.sentence_piece()
    one = LocalGenerator(built.speaker(tokenizer))
    request = generate.build("a", {"max_new_tokens": 3, "temperature": 0, "logit_bias": {"中": 30}})
    *_, run = generate.run(request, one)
    assert run.candidates[0].text == "中"


def test_the_page_is_told_the_tokens_of_each_bias() -> None:
    tokenizer = built.byte_level()
    one = LocalGenerator(built.speaker(tokenizer))
    cat, spaced = tokenizer.convert_tokens_to_ids(["cat", "Ġcat"])
    values = parameters.validate({"logit_bias": {"cat": 1, "\n": 2}, "logit_bias_ids": {str(cat): 3, "9999": 1}})
    found = inspect_api.biased(one, values)
    assert found["logit_bias"]["cat"] == [[(cat, "cat")], [(spaced, " cat")]]
    assert found["logit_bias"]["\n"] == [[(tokenizer.convert_tokens_to_ids("Ċ"), "\n")]]
    assert found["logit_bias_ids"] == {str(cat): [[(cat, "cat")]], "9999": []}
    assert inspect_api.biased(one, parameters.validate({})) == {}
    assert inspect_api.biased(ScriptedGenerator(["a"]), values) == {}
