"""What is learned of a row: the prompt is to the id what Play sends, the answer what the family writes, and its end."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import datetime, tzinfo
from typing import Any

import pytest
from transformers import AutoTokenizer

from playground import models, parameters
from playground.generators.local import LocalGenerator
from playground.inspection import inspect_api
from playground.models import embedded
from playground.models.loading import quiet
from playground.rendering.prompt import Prompts
from playground.tasks import loader
from playground.training import encoding, formats, mapped, mapping
from playground.training.encoding import EncodedRows, blocks, check_learns, encode, encode_all
from playground.training.example import Encoded, Example
from playground.types import InvalidRequest, Request, Turn
from tests import built, chat_families
from tests.chat_families import ANSWER, FAMILIES, FIRST, PROMPT, SYSTEM, WANTED, Family

VALUES = parameters.validate({})
TURNS: tuple[Turn, ...] = (("user", FIRST), ("assistant", ANSWER))
LONG = 1000


class Then(datetime):
    @classmethod
    def now(cls, tz: tzinfo | None = None) -> Then:
        return cls.fromtimestamp(chat_families.NOW, tz)


def prompts_of(tokenizer: Any) -> Prompts:
    model = built.speaker(tokenizer, ends=tokenizer.eos_token_id, places=4).model  # its weights say nothing here
    return Prompts(model, tokenizer, "Speaker", LONG, now=chat_families.NOW)


def chat(prompt: str = PROMPT, answer: str = WANTED, **more: Any) -> Example:
    return Example(Request(prompt, VALUES, "chat", **more), answer, 1)


def continued(prompt: str, answer: str) -> Example:
    return Example(Request(prompt, VALUES), answer, 1)


def ids_of(tokenizer: Any, text: str) -> tuple[int, ...]:
    return tuple(tokenizer(text, add_special_tokens=False).input_ids)


def texts(tokenizer: Any, found: Encoded) -> tuple[str, str]:
    """What is masked and what is learned."""
    learned = found.learned.index(True)
    assert not any(found.learned[:learned]) and all(found.learned[learned:])
    return tokenizer.decode(found.ids[:learned]), tokenizer.decode(found.ids[learned:])


def check_family(family: Family, make: Callable[[Family], Any]) -> None:
    tokenizer = make(family)
    prompts = prompts_of(tokenizer)
    for example, sent in ((chat(), family.alone), (chat(system=SYSTEM, turns=TURNS), family.talk)):
        found = encode(example, prompts, LONG)
        prompt, learned = ids_of(tokenizer, sent), ids_of(tokenizer, family.learned)
        assert found.ids == (*prompt, *learned)
        assert found.learned == (False,) * len(prompt) + (True,) * len(learned)
        assert prompt == prompts.render(example.request).token_ids
        assert found.ids[-1] in prompts.ends(example.request)
        whole = encode(example, prompts, LONG, "all")
        assert whole.ids == found.ids and all(whole.learned)


@pytest.mark.parametrize("family", FAMILIES.values(), ids=FAMILIES)
def test_ids_and_mask_are_the_transcription_by_hand_of_every_family(family: Family) -> None:
    check_family(family, chat_families.bytes_tokenizer)


@pytest.mark.model
@pytest.mark.parametrize("family", FAMILIES.values(), ids=FAMILIES)
def test_so_they_are_with_a_vocabulary_whose_tokens_would_reach_over_the_border(family: Family) -> None:
    check_family(family, chat_families.real_tokenizer)


@pytest.mark.model
def test_the_embedded_model_s_own_template_is_the_one_that_was_transcribed() -> None:
    own = AutoTokenizer.from_pretrained(embedded.ensure(quiet))
    ours = chat_families.real_tokenizer(FAMILIES["SmolLM2"])
    for example in (chat(), chat(system=SYSTEM, turns=TURNS)):
        assert encode(example, prompts_of(own), LONG) == encode(example, prompts_of(ours), LONG)


@pytest.mark.model
@pytest.mark.parametrize("name", ["SmolLM2", "Qwen2.5", "Qwen3 2507", "Qwen3", "Gemma 3", "Phi-4 mini", "SmolLM3"])
def test_the_whole_is_the_conversation_that_transformers_writes_up_to_the_end_of_the_turn(
    name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    tokenizer = chat_families.real_tokenizer(FAMILIES[name])
    found = encode(chat(system=SYSTEM, turns=TURNS), prompts_of(tokenizer), LONG)
    said = [("system", SYSTEM), *TURNS, ("user", PROMPT), ("assistant", WANTED)]
    messages = [{"role": role, "content": text} for role, text in said]
    monkeypatch.setattr("transformers.utils.chat_template_utils.datetime", Then)
    whole = tokenizer.apply_chat_template(messages, return_dict=False)
    assert list(found.ids) == whole[: len(found.ids)]
    assert tokenizer.decode(whole[len(found.ids) :]).strip() in ("", tokenizer.eos_token)


def test_what_a_family_without_a_template_learns_ends_the_text() -> None:
    tokenizer = built.byte_level(template=None)  # as GPT-2 and GPT-J
    found = encode(continued("Product: Tea\nSlogan:", " Good day."), prompts_of(tokenizer), LONG)
    assert texts(tokenizer, found) == ("Product: Tea\nSlogan:", " Good day.<|endoftext|>")


KINDS = {"byte level": built.byte_level, "sentence piece": built.sentence_piece, "in Python": built.in_python}


@pytest.mark.parametrize("make", KINDS.values(), ids=KINDS)
@pytest.mark.parametrize(("before", "answer"), [("the ", "cat"), ("the", " cat"), ("good", "day"), ("a\n", "\nb")])
def test_no_token_grows_over_the_border_and_the_texts_join(make: Callable[[], Any], before: str, answer: str) -> None:
    tokenizer = make()
    prompts = prompts_of(tokenizer)
    example = continued(before, answer)
    found = encode(example, prompts, LONG)
    sent = prompts.render(example.request).token_ids
    assert found.ids[: len(sent)] == sent and not any(found.learned[: len(sent)])
    assert tokenizer.decode(found.ids, skip_special_tokens=True) == before + answer
    asked = replace(example.request, mode="chat", prefill=before)
    talk = encode(Example(asked, answer, 1), prompts, LONG)
    sent = prompts.render(asked).token_ids
    assert talk.ids[: len(sent)] == sent and not any(talk.learned[: len(sent)])
    assert tokenizer.decode(talk.ids).endswith(f"{before}{answer}<|im_end|>")


def test_a_control_token_in_a_text_of_the_data_is_text() -> None:
    tokenizer = built.byte_level()
    found = encode(chat("a<|im_end|>b", "c<|im_end|>\n<|im_start|>user\nd"), prompts_of(tokenizer), LONG)
    ends, begins = ids_of(tokenizer, "<|im_end|><|im_start|>")
    assert found.ids.count(ends) == 2 and found.ids[-1] == ends and found.ids.count(begins) == 2
    assert texts(tokenizer, found)[1] == "c<|im_end|>\n<|im_start|>user\nd<|im_end|>"


@pytest.mark.parametrize("name", ["Qwen3", "Qwen3 2507 thinking", "DeepSeek R1, a thought begun"])
def test_an_answer_with_a_thought_keeps_it_as_one(name: str) -> None:
    tokenizer = chat_families.bytes_tokenizer(FAMILIES[name])
    prompts = prompts_of(tokenizer)
    begun = "" if name == "Qwen3" else "<think>\n"
    thought = "<think>\nRain? Clouds.\n</think>\n\nClouds.".removeprefix(begun)
    found = encode(chat(answer=thought), prompts, LONG)
    assert texts(tokenizer, found)[1].startswith(thought)
    assert tokenizer.decode(found.ids).count("<think>") == 1
    assert tokenizer.convert_tokens_to_ids("</think>") in found.ids


def test_the_beginning_of_an_answer_is_sent_and_not_learned() -> None:
    tokenizer = chat_families.bytes_tokenizer(FAMILIES["Qwen3"])
    found = encode(chat(prefill="Slogan:", answer=" Rain."), prompts_of(tokenizer), LONG)
    asked, learned = texts(tokenizer, found)
    assert asked.endswith("assistant\n<think>\n\n</think>\n\nSlogan:") and learned == " Rain.<|im_end|>"


@pytest.mark.model
def test_every_task_is_trained_as_play_sends_it(tiny: models.Loaded) -> None:
    generator, prompts = LocalGenerator(tiny), prompts_of(tiny.tokenizer)
    for task in loader.load_all():
        for language in ("en", "zh"):
            for mode in ("chat", "complete"):
                request = task.request(task.defaults(language), language, mode)
                found = encode(Example(request, " text", 1), prompts, 8000)
                sent = generator._prompts.render(request).token_ids
                assert found.ids[: len(sent)] == sent and found.learned.index(True) == len(sent), task.id


# --- what is too long ---------------------------------------------------------------------------------------------


def test_a_long_conversation_loses_its_oldest_turns_and_keeps_its_answer() -> None:
    tokenizer = built.byte_level()
    prompts = prompts_of(tokenizer)
    turns: tuple[Turn, ...] = tuple(turn for n in range(4) for turn in (("user", f"q{n}"), ("assistant", f"a{n}")))
    whole = encode(chat("q4", "a4", turns=turns), prompts, LONG)
    longest = len(whole.ids) - 1
    found = encode(chat("q4", "a4", turns=turns), prompts, longest)
    assert found == replace(
        encode(chat("q4", "a4", turns=turns[2:]), prompts, LONG), cut=len(whole.ids) - len(found.ids), part="turns"
    )
    alone = encode(chat("q4", "a4"), prompts, LONG)
    least = encode(chat("q4", "a4", turns=turns), prompts, len(alone.ids))
    assert least.ids == alone.ids and least.part == "turns" and texts(tokenizer, least)[1] == "a4<|im_end|>"


def test_a_long_answer_loses_its_end_and_a_long_prompt_all_that_is_learned() -> None:
    tokenizer = built.byte_level()
    prompts = prompts_of(tokenizer)
    whole = encode(chat(), prompts, LONG)
    asked = whole.learned.index(True)
    found = encode(chat(), prompts, asked + 3)
    assert (found.ids, found.cut, found.part) == (whole.ids[: asked + 3], len(whole.ids) - asked - 3, "answer")
    assert found.count == 3
    found = encode(chat(), prompts, asked)
    assert (found.count, found.part, len(found.ids)) == (0, "prompt", asked)
    rows = encode_all([chat(), chat("Hi", "Yes")], prompts, asked)
    assert len(rows.rows) == 1 and len(rows.unlearned) == 1


# --- continued text -----------------------------------------------------------------------------------------------


def text_records(text: str) -> list[Example]:
    from playground.training.text_pieces import pieces

    return mapped.examples(formats.Records("text", (), tuple(pieces(text))), mapping.TextMapping())


BOOK = "".join(f"Chapter {number}\n\n" + f"The cat sat by house {number}. " * 60 + "\n\n" for number in range(1, 6))


@pytest.mark.parametrize("make", KINDS.values(), ids=KINDS)
def test_a_text_becomes_blocks_that_begin_as_the_tokenizer_begins_and_lose_nothing(make: Callable[[], Any]) -> None:
    tokenizer = make()
    prompts = prompts_of(tokenizer)
    found = list(blocks(text_records(BOOK), prompts, 64))
    before = prompts.encoder.before
    assert all(list(one.ids[: len(before)]) == before and len(one.ids) <= 64 for one in found)
    assert {len(one.ids) for one in found[:-1]} == {64}
    own = [number for one in found for number in one.ids[len(before) :]]
    assert own == prompts.encoder.alone(BOOK, begins=False, parameter="text")
    assert all(one.learned == (False,) * len(before) + (True,) * (len(one.ids) - len(before)) for one in found)
    rows = [one.row for one in found]
    assert rows == sorted(rows) and set(rows) == {example.row for example in text_records(BOOK)}


def test_pieces_that_do_not_stand_side_by_side_are_not_joined() -> None:
    tokenizer = built.byte_level()
    prompts = prompts_of(tokenizer)
    several = text_records(BOOK)
    found = list(blocks([*several[:2], *several[3:]], prompts, 10**6))
    joined = ["".join(one.answer for one in part) for part in (several[:2], several[3:])]
    assert [tokenizer.decode(one.ids) for one in found] == joined


def test_texts_of_a_column_end_and_pieces_of_one_text_do_not() -> None:
    tokenizer = built.byte_level()
    records = formats.Records("columns", ("text",), ({"text": "good day"}, {"text": "the cat"}))
    each = mapped.examples(records, mapping.TextMapping("text"))
    found = encode_all(each, prompts_of(tokenizer), LONG)
    assert [tokenizer.decode(one.ids) for one in found.rows] == ["good day<|endoftext|>", "the cat<|endoftext|>"]


@pytest.mark.model
def test_a_block_is_read_as_the_tab_read_reads_the_text(tiny: models.Loaded) -> None:
    generator = LocalGenerator(tiny)
    text = "The harbour was quiet that morning, and the boats lay still.\n\nNobody spoke."
    (found,) = blocks(text_records(text), prompts_of(tiny.tokenizer), LONG)
    reading = inspect_api.read(generator, "", text)
    assert [one.token.token_id for one in reading.tokens] == list(found.ids)


# --- nothing to learn ---------------------------------------------------------------------------------------------


def refused(found: EncodedRows) -> InvalidRequest:
    with pytest.raises(InvalidRequest) as caught:
        check_learns(found, 16)
    return caught.value


def test_rows_that_are_all_too_long_are_one_sentence() -> None:
    found = encode_all([chat(), chat("Hi" * 40)], prompts_of(built.byte_level()), 16)
    error = refused(found)
    assert error.say("en") == (
        "All rows are too long: their prompts alone fill the 16 tokens that a row may have. "
        "Allow longer rows, or shorten the prompts."
    )
    assert error.say("zh").startswith("所有行都过长") and error.parameter == "longest"


def test_rows_that_are_masked_everywhere_are_one_sentence() -> None:
    found = EncodedRows((), {}, (Encoded((1, 2), (False, False), 0, 1),))
    assert refused(found).message.en == "Nothing is learned: every token is masked."


def test_no_row_is_one_sentence_and_a_row_that_the_template_refuses_says_why() -> None:
    assert refused(EncodedRows((), {})).message.en == "The file has no rows."
    forbids = "{% if messages[0].content == 'Hi' %}{{ raise_exception('not that') }}{% endif %}" + built.CHATML
    prompts = prompts_of(built.byte_level(template=forbids))
    found = encode_all([chat("Hi"), replace(chat("Ho"), row=2)], prompts, LONG)
    assert len(found.rows) == 1 and "not that" in found.refused[1].en
    check_learns(found, LONG)
    alone = encode_all([chat("Hi")], prompts, LONG)
    assert refused(alone).message.en.startswith("Row 1: ") and "not that" in refused(alone).message.en


def test_a_length_that_holds_nothing_is_refused_and_continued_text_is_no_row() -> None:
    prompts = prompts_of(built.byte_level())
    with pytest.raises(InvalidRequest, match="at least 8 tokens"):
        encode_all([chat()], prompts, encoding.LEAST - 1)
    with pytest.raises(ValueError):
        encode(Example(Request("", VALUES), "text", 1, True), prompts, LONG)


def test_progress_is_told() -> None:
    heard: list[int] = []
    encode_all([chat("Hi", "a"), chat("Ho", "b")], prompts_of(built.byte_level()), LONG, told=heard.append)
    assert heard == [1, 2]


def test_the_first_token_of_a_row_is_nobody_s_to_learn() -> None:
    assert Encoded((1, 2, 3), (True, True, False), 0, 1).count == 1
