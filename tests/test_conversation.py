"""Promises about several turns: the template's own prompt, a bound on what is sent, and nothing left out unsaid."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import Any

import pytest

from playground import conversation, generate, models, parameters
from playground.cli import main as cli
from playground.generators.local import LocalGenerator
from playground.settings import Limits
from playground.types import InvalidRequest, Refused, Rendered, Request, Turn
from tests.reference import request

TURNS: tuple[Turn, ...] = (
    ("user", "My name is Ada."),
    ("assistant", "Hello, Ada."),
    ("user", "I keep a lighthouse."),
    ("assistant", "A fine trade."),
)
PLENTY = 100_000
SYSTEM = "Answer in one sentence."


def talk(turns: tuple[Turn, ...] = TURNS, prompt: str = "What is my name?", **more: Any) -> Request:
    values = {"seed": 3, "max_new_tokens": 8, **more.pop("values", {})}
    return generate.build(prompt, values, mode="chat", system=SYSTEM, turns=turns, **more)


def messages(asked: Request) -> list[dict[str, str]]:
    said = [("system", asked.system), *asked.turns, ("user", asked.prompt)]
    return [{"role": role, "content": text} for role, text in said]


def test_the_prompt_of_several_turns_is_what_the_chat_template_makes_of_them(tiny: models.Loaded) -> None:
    rendered = LocalGenerator(tiny).render(talk())
    wanted: Any = tiny.tokenizer.apply_chat_template(messages(talk()), add_generation_prompt=True, return_dict=False)
    assert list(rendered.token_ids) == list(wanted)
    assert rendered.text == tiny.tokenizer.decode(wanted)


def test_a_beginning_of_the_answer_is_gone_on_with_and_not_ended(tiny: models.Loaded) -> None:
    asked = talk(prefill="Your name is")
    rendered = LocalGenerator(tiny).render(asked)
    begun = [*messages(asked), {"role": "assistant", "content": "Your name is"}]
    assert rendered.text == tiny.tokenizer.apply_chat_template(begun, continue_final_message=True, tokenize=False)


def test_what_is_written_goes_on_behind_that_prompt(tiny: models.Loaded) -> None:
    generator = LocalGenerator(tiny)
    asked = talk(prefill="Your name is")
    plain = generate.build(generator.render(asked).text, dict(asked.values), special_tokens=True)
    runs = [list(generate.run(one, generator))[-1] for one in (asked, plain)]
    assert runs[0].candidates[0].token_ids == runs[1].candidates[0].token_ids
    assert runs[0].prompt_tokens == runs[1].prompt_tokens


def test_a_template_that_begins_a_thought_says_so(tiny: models.Loaded, monkeypatch: pytest.MonkeyPatch) -> None:
    assert not LocalGenerator(tiny).render(talk()).thinks
    monkeypatch.setattr(tiny.tokenizer, "chat_template", "{{ messages[-1].content }}\n<think>\n")
    generator = LocalGenerator(tiny)
    assert generator.render(talk(prefill="Well")).thinks
    assert next(iter(generate.run(talk(), generator))).thinks
    assert not generator.render(request("Say <think>", {})).thinks


@pytest.mark.parametrize(
    "given",
    [
        "text", {"user": "Hi"}, [["user", "Hi"]], [["assistant", "Hi"], ["user", "Ho"]],
        [["user", "Hi"], ["user", "Ho"]],
        [["user", "Hi"], ["system", "Ho"]], [["user", "Hi"], ["assistant", 5]], [["user", "Hi"], ["assistant"]],
        [["user", "Hi"], ["assistant", "Ho"]] * 201, [["user", "\ud800"], ["assistant", "Ho"]],
        [["user", "\x07"], ["assistant", "Ho"]],
    ],
)  # fmt: skip
def test_what_is_no_conversation_is_refused_by_name(given: Any) -> None:
    with pytest.raises(InvalidRequest) as caught:
        generate.build("Hi", {}, mode="chat", turns=given)
    assert caught.value.parameter == "turns"


def test_turns_belong_to_a_chat_and_count_as_part_of_the_prompt(tiny: models.Loaded) -> None:
    with pytest.raises(Refused, match="chat mode") as caught:
        LocalGenerator(tiny).render(replace(talk(), mode="complete", system=""))
    assert caught.value.parameter == "turns"
    bare = LocalGenerator(replace(tiny, card=replace(tiny.card, has_chat_template=False)))
    with pytest.raises(Refused, match="no chat template"):
        bare.render(talk())
    with pytest.raises(Refused, match="characters"):
        generate.check_limits(talk(), Limits(prompt_characters=60))


def long_talk(exchanges: int, words: int = 20, **more: Any) -> Request:
    turns: list[Turn] = []
    for number in range(exchanges):
        turns += [("user", f"Question {number} " + "word " * words), ("assistant", f"Answer {number}.")]
    return talk(tuple(turns), **more)


@pytest.mark.parametrize("exchanges", [1, 2, 3, 30, 31])
def test_as_many_of_the_newest_turns_stay_as_fit_and_the_system_prompt_always(
    tiny: models.Loaded, exchanges: int
) -> None:
    generator = LocalGenerator(tiny)
    asked = long_talk(exchanges, values={"max_new_tokens": 100})
    found = conversation.fitted(asked, generator.render, PLENTY)
    assert found.request.turns == asked.turns[found.left_out :] and found.left_out % 2 == 0
    rendered = generator.render(found.request)
    assert len(rendered.token_ids) + 100 <= rendered.context
    assert SYSTEM in rendered.text and "What is my name?" in rendered.text
    if found.left_out:
        one_more = generator.render(replace(asked, turns=asked.turns[found.left_out - 2 :]))
        assert len(one_more.token_ids) + 100 > one_more.context
    assert (found.left_out > 0) == (exchanges >= 30)


def test_a_generous_limit_of_the_answer_costs_half_of_the_window_at_most(tiny: models.Loaded) -> None:
    generator = LocalGenerator(tiny)
    found = conversation.fitted(long_talk(30, values={"max_new_tokens": 5000}), generator.render, PLENTY)
    rendered = generator.render(found.request)
    assert found.request.turns and len(rendered.token_ids) <= rendered.context // 2


def test_a_message_that_is_too_long_by_itself_leaves_every_turn_out(tiny: models.Loaded) -> None:
    for exchanges in (1, 3):
        found = conversation.fitted(long_talk(exchanges, prompt="word " * 600), LocalGenerator(tiny).render, PLENTY)
        assert found.request.turns == () and found.left_out == 2 * exchanges


def test_more_characters_than_a_server_allows_are_left_out_before_anything_is_rendered(tiny: models.Loaded) -> None:
    read: list[int] = []

    def render(asked: Request) -> Rendered:
        read.append(conversation.characters(asked))
        return LocalGenerator(tiny).render(asked)

    found = conversation.fitted(long_talk(9), render, 500)
    assert found.left_out and found.request.turns and max(read) <= 500
    assert conversation.characters(replace(found.request, turns=long_talk(9).turns[found.left_out - 2 :])) > 500


def test_nothing_is_left_out_that_was_not_said_before(tiny: models.Loaded) -> None:
    found = conversation.fitted(long_talk(30), LocalGenerator(tiny).render, PLENTY)
    conversation.check_left_out(found, found.left_out)
    with pytest.raises(Refused, match=f"first {found.left_out} turns no longer fit") as caught:
        conversation.check_left_out(found, found.left_out - 2)
    assert caught.value.parameter == "turns" and f"最早的 {found.left_out} 轮" in caught.value.say("zh")


def test_the_terminal_takes_turns_as_json(capsys: pytest.CaptureFixture[str]) -> None:
    given = cli._parser().parse_args(["generate", "--prompt", "Hi", "--mode", "chat", "--turns", json.dumps(TURNS)])
    assert cli._draft(given, parameters.validate({})).turns == TURNS
    for wrong, said in (("[", "no JSON"), ('[["user", "Hi"]]', "must be a list")):
        assert cli.main(["generate", "--prompt", "Hi", "--mode", "chat", "--turns", wrong]) == 2
        assert said in capsys.readouterr().err
    assert cli.main(["generate", "--task", "slogans", "--turns", "[]"]) == 2
    assert "goes with --prompt" in capsys.readouterr().err
