"""Promises about thoughts: split from the answer however the text is cut, and nothing shown is taken back."""

from __future__ import annotations

import random
import threading
from collections.abc import Sequence
from typing import Any

import pytest

from playground import generate, parameters
from playground.batch import Batch, Plan
from playground.generators.local import LocalGenerator
from playground.generators.scripted import ScriptedGenerator
from playground.rendering.detokenize import Detokenizer
from playground.run import Run
from playground.tasks import loader
from playground.thinking import TAGS, ParsedReasoning, answer_alone, frame, opened_after, opens, split_reasoning
from playground.types import Mode, Request
from playground.ui import card_updates
from tests import built

ANSWERED = "<think>\nThe ferry < late?\n</think>\n\nIt is late."


def test_a_thought_and_its_answer_are_told_apart() -> None:
    assert split_reasoning(ANSWERED) == ParsedReasoning("The ferry < late?", "It is late.")


def test_a_thought_that_the_template_began_ends_at_its_closing_tag() -> None:
    assert split_reasoning("Late?\n</think>\nYes.", opened=True) == ParsedReasoning("Late?", "Yes.")
    assert split_reasoning(ANSWERED, opened=True) == split_reasoning(ANSWERED)


def test_a_thought_without_an_end_is_no_answer() -> None:
    assert split_reasoning("<think>Late, or") == ParsedReasoning("Late, or", "", thinks=True)
    assert split_reasoning("Late, or", opened=True) == ParsedReasoning("Late, or", "", thinks=True)


@pytest.mark.parametrize("text", ["", "Plain.", "Write <think> first.", "<thinking>Late?", "</think>", "<thi"])
def test_a_text_that_begins_otherwise_is_the_answer_as_it_stands(text: str) -> None:
    assert split_reasoning(text) == ParsedReasoning("", text)


@pytest.mark.parametrize(
    ("text", "opened"),
    [(ANSWERED, False), (ANSWERED, True), ("a </th b</think>c", True), ("<thinner> and </think>", False)],
)
def test_while_it_grows_no_part_of_a_tag_is_shown_and_nothing_is_taken_back(text: str, opened: bool) -> None:
    last = split_reasoning(text, opened=opened)
    before = ParsedReasoning("", "")
    for end in range(len(text) + 1):
        grown = split_reasoning(text[:end], opened=opened, whole=False)
        assert last.thought.startswith(grown.thought) and last.answer.startswith(grown.answer), text[:end]
        assert grown.thought.startswith(before.thought) and grown.answer.startswith(before.answer), text[:end]
        before = grown
    assert (before.thought, before.answer) == (last.thought, last.answer)


CHANNELS = "<|channel|>analysis<|message|>Late?<|end|><|start|>assistant<|channel|>final<|message|>It is."
FAMILIES = [
    *(f"{begins}\nLate?\n{ends}\n\nIt is." for begins, ends in TAGS.items()),
    "<|channel>thought\nLate?\n<channel|>It is.",
    "<unused94>thought\nLate?<unused95>It is.",
    "<|begin_of_thought|>\nLate?\n<|end_of_thought|>\n\n<|begin_of_solution|>\nIt is.<|end_of_solution|>",
    "<think>Late?</think><answer>It is.</answer>",
    CHANNELS,
    CHANNELS + "<|end|>",
    "<|start|>assistant" + CHANNELS + "<|return|>",
]


@pytest.mark.parametrize("text", FAMILIES)
def test_each_family_marks_its_thoughts_in_its_own_way_and_none_is_shown_in_half(text: str) -> None:
    assert split_reasoning(text) == ParsedReasoning("Late?", "It is.")
    before = ParsedReasoning("", "")
    for end in range(len(text) + 1):
        grown = split_reasoning(text[:end], whole=False)
        assert "Late?".startswith(grown.thought) and "It is.".startswith(grown.answer), text[:end]
        assert grown.thought.startswith(before.thought) and grown.answer.startswith(before.answer), text[:end]
        before = grown
    assert answer_alone(text) == "It is."


ANALYSIS, FINAL = "<|channel|>analysis<|message|>", "<|channel|>final<|message|>"
SEVERAL = [
    "<think>s1</think><think>s2</think>b",
    "\n<think>s1</think>\n\n<think>\ns2\n</think>\n b",
    "<think>s1</think>[THINK]s2[/THINK]b",
    f"<think>s1</think>{ANALYSIS}s2<|end|><|start|>assistant{FINAL}b",
    f"{ANALYSIS}s1<|end|><think>s2</think>b",
    f"{ANALYSIS}s1<|end|><|start|>assistant{FINAL}<think>s2</think>b",
    "<think>s1</think><answer><think>s2</think>b</answer>",
    "<|channel>thought\ns1<channel|><|channel>thought\ns2<channel|>b",
]


@pytest.mark.parametrize("text", SEVERAL)
def test_all_thoughts_at_the_beginning_are_thoughts_and_none_is_sent_back(text: str) -> None:
    assert split_reasoning(text) == ParsedReasoning("s1\n\ns2", "b")
    assert answer_alone(text) == "b" and answer_alone("s0</think>" + text, "<think>") == "b"
    one = LocalGenerator(built.speaker(built.byte_level()))
    sent = one.render(chat(turns=(("user", "Hi"), ("assistant", text)))).text
    assert "assistant\nb<|im_end|>" in sent and "s1" not in sent and "s2" not in sent
    assert split_reasoning("<think>s1</think>b<think>c</think>") == ParsedReasoning("s1", "b<think>c</think>")


PIECES = [
    "a", "b ", " ", "\n", "<", "[THI", "thought\n", "<|end|>", "<|start|>assistant", ANALYSIS, FINAL, *TAGS,
    "</think>", "[/THINK]", "<channel|>", "<answer>", "</answer>", "<|begin_of_solution|>",
]  # fmt: skip


@pytest.mark.parametrize("opened", ["", "<think>", "[THINK]", "<|channel>", ANALYSIS])
def test_nothing_shown_is_ever_taken_back_whatever_a_model_writes(opened: str) -> None:
    chance = random.Random(opened)
    texts = ["[THINK]a[/THINK]b", " \n<think>a</think>b", *("".join(chance.choices(PIECES, k=6)) for _ in range(300))]
    for text in texts:
        last, before = split_reasoning(text, opened=opened), ParsedReasoning("", "")
        for end in range(len(text) + 1):
            grown = split_reasoning(text[:end], opened=opened, whole=False)
            for later in (last, split_reasoning(text[:end], opened=opened)):
                assert later.thought.startswith(grown.thought) and later.answer.startswith(grown.answer), text[:end]
            assert grown.thought.startswith(before.thought) and grown.answer.startswith(before.answer), text[:end]
            before = grown


def test_a_beginning_with_several_thoughts_keeps_the_tags_of_each() -> None:
    text = "<think>a</think>\n<think>b</think>c</think>"
    assert [text[begins:ends] for begins, ends in frame(text)] == ["<think>", "</think>"] * 2


@pytest.mark.parametrize("tag", TAGS)
def test_what_a_template_opens_is_closed_by_its_own_tag(tag: str) -> None:
    opened = opens(f"<|assistant|>{tag}\n")
    assert opened == tag and not opens(f"{tag} and more")
    text = f"Late?\n{TAGS[tag]}\nIt is."
    assert (
        split_reasoning(text, opened=opened)
        == split_reasoning(tag + text, opened=opened)
        == ParsedReasoning("Late?", "It is.")
    )
    assert split_reasoning("Late?", opened=opened).close == TAGS[tag]
    assert answer_alone(text, opened) == "It is." and answer_alone("It is.", opened) == "It is."


def test_an_answer_on_channels_has_as_many_thoughts_as_it_has_other_messages() -> None:
    two = "<|channel|>analysis<|message|>One.<|end|><|start|>assistant<|channel|>commentary to=a<|message|>Two.<|end|>"
    assert split_reasoning(two + "<|start|>assistant") == ParsedReasoning("One.\n\nTwo.", "", thinks=True)
    final = "<|start|>assistant<|channel|>final<|message|>Three."
    assert split_reasoning(two + final) == ParsedReasoning("One.\n\nTwo.", "Three.")
    assert opens("<|start|>assistant<|channel|>analysis<|message|>") == "<|channel|>analysis<|message|>"
    assert not opens("<|start|>assistant<|channel|>final<|message|>")
    assert split_reasoning("Late?<|end|>" + final, opened="<|channel|>analysis<|message|>") == ParsedReasoning(
        "Late?", "Three."
    )
    assert split_reasoning("<|start|> here").answer == "<|start|> here"


@pytest.mark.parametrize(
    ("begun", "opened", "left"),
    [
        ("", "[THINK]", "[THINK]"),
        ("Well,", "", ""),
        ("<think>\nLate", "", "<think>"),
        ("Late?[/THINK]It", "[THINK]", ""),
        ("<|channel|>analysis<|message|>Hm", "", "<|channel|>analysis<|message|>"),
    ],
)
def test_what_is_open_behind_the_beginning_of_an_answer(begun: str, opened: str, left: str) -> None:
    assert opened_after(begun, opened) == left


def test_a_template_that_begins_a_thought_is_noticed() -> None:
    assert opens("<|im_start|>assistant\n<think>\n")
    assert not opens("<|im_start|>assistant\n<think>\n\n</think>\n\n")
    assert not opens("<|im_start|>assistant\n")


@pytest.mark.parametrize("typed", ["<think>", "x <think>\n", "<|channel|>analysis<|message|>", "[THINK]"])
def test_a_thought_that_the_visitor_opens_is_none(typed: str) -> None:
    headless = "{% for m in messages %}{{ m.content }}{% endfor %}"
    cutting = "{% for m in messages %}{{ m.content[:3] }}{{ m.content }}{% endfor %}"
    for template in (headless, cutting, built.CHATML.replace("assistant\n", ""), headless + "\n"):
        for special in ((), ("<think>", "<|channel|>", "<|message|>")):
            tokenizer = built.byte_level(special=(*built.TURN, *special), template=template)
            one = LocalGenerator(built.speaker(tokenizer))
            if template is cutting and special:
                continue
            assert one.render(chat(f"When? {typed}")).thinks == ""
    opened = headless + "<think>\n"
    assert LocalGenerator(built.speaker(built.byte_level(template=opened))).render(chat(typed)).thinks == "<think>"


@pytest.mark.parametrize(
    ("text", "prefill", "base", "mode", "thinks", "shown"),
    [
        ("<think>Late?</think>It is.", "", "", "chat", False, ("Late?", "It is.")),
        ("<think>Late?</think>It is.", "", "", "complete", False, ("", "<think>Late?</think>It is.")),
        ("Late?</think>It is.", "", "", "chat", True, ("Late?", "It is.")),  # the template began the thought
        ("It is.", "</think>\n", "", "chat", True, ("", "It is.")),  # and the beginning of the answer ended it
        ("Or not.", "Late?</think>It is. ", "Late?</think>It is. ", "chat", True, ("Late?", "It is. Or not.")),
        ("It is.", "Well, ", "", "chat", False, ("", "It is.")),
    ],
)
def test_a_card_tells_them_apart_wherever_the_answer_began(
    text: str, prefill: str, base: str, mode: Mode, thinks: bool, shown: tuple[str, str]
) -> None:
    generator = ScriptedGenerator([text])
    request = Request("When?", parameters.validate({"seed": 0}), mode, prefill=prefill)
    *_, run = generate.run(request, generator)
    run.thinks = thinks
    row = card_updates.run_update("a", run, generator.card, {}, base=base)["rows"][0]
    assert (row["thought"], row["text"] if row["answer"] is None else row["answer"]) == shown
    assert row["text"] == base + text


def test_a_list_is_made_of_the_answer_alone() -> None:
    generator = ScriptedGenerator(["<think>\n1. no\n</think>\n1. tea\n2. coffee\n"])
    task = loader.find("recommendations")
    request = Request("Which?", parameters.validate({"seed": 0}), "chat")
    *_, run = generate.run(request, generator)
    assert card_updates.run_update("a", run, generator.card, {}, task=task)["rows"][0]["items"] == ["tea", "coffee"]


def chat(prompt: str = "When?", values: dict[str, Any] | None = None, **more: Any) -> Request:
    given = {"max_new_tokens": 100, "temperature": 0, "seed": 0, **(values or {})}
    return generate.build(prompt, given, mode="chat", **more)


def turn_request(special: Sequence[str], text: str, template: str = built.CHATML, **asked: Any) -> Run:
    """A run of a model whose tokenizer has these special tokens, and which answers with this text."""
    tokenizer = built.byte_level(special=(*built.TURN, *special), template=template)
    loaded = built.speaker(tokenizer)
    generator = LocalGenerator(loaded)
    request = chat(**asked)
    ids = tokenizer(text + "<|im_end|>", add_special_tokens=False).input_ids
    built.says(loaded, len(generator.render(request).token_ids), ids)
    *_, run = generate.run(request, generator)
    return run


SPECIAL = {
    "<think>Late?</think>It is.": ("<think>", "</think>"),
    "[THINK]Late?[/THINK]It is.": ("[THINK]", "[/THINK]"),
    CHANNELS: ("<|channel|>", "<|message|>", "<|start|>", "<|end|>"),
}


@pytest.mark.parametrize("text", SPECIAL)
@pytest.mark.parametrize("special", [True, False])
def test_thoughts_are_folded_apart_whether_their_tags_are_special_tokens_or_not(text: str, special: bool) -> None:
    run = turn_request(SPECIAL[text] if special else (), text)
    candidate = run.as_json()["candidates"][0]
    assert candidate["text"] == text and (candidate["thought"], candidate["answer"]) == ("Late?", "It is.")
    row = card_updates.run_update("a", run, ScriptedGenerator([""]).card, {})["rows"][0]
    assert (row["thought"], row["answer"], row["end_token"]) == ("Late?", "It is.", "<|im_end|>")


@pytest.mark.parametrize("beams", [1, 2])
def test_a_stop_string_ends_no_thought(beams: int) -> None:
    text = "<think>Late?\nNo.</think>It is.\nMore."
    run = turn_request((), text, values={"stop": ["\n"], "num_beams": beams})
    candidate = run.as_json()["candidates"][0]
    assert (candidate["thought"], candidate["answer"]) == ("Late?\nNo.", "It is.")
    assert candidate["finish_reason"] == "stop"


def test_a_text_that_is_continued_shows_special_tokens_as_little_as_before() -> None:
    tokenizer = built.byte_level(special=("<think>",))
    loaded = built.speaker(tokenizer)
    request = generate.build("a", {"max_new_tokens": 2, "temperature": 0})
    built.says(loaded, 1, tokenizer("<think>a").input_ids)
    *_, run = generate.run(request, LocalGenerator(loaded))
    assert run.candidates[0].text == "a" and "thought" not in run.as_json()["candidates"][0]


@pytest.mark.parametrize("tags", [("<think>", "</think>"), ("[THINK]", "[/THINK]")])
def test_a_thought_is_never_sent_back(tags: tuple[str, str]) -> None:
    begins, ends = tags
    for template, turn in (
        (built.CHATML, f"{begins}Late?{ends}It is."),
        (built.CHATML.replace("assistant\n", f"assistant\n{begins}\n"), f"Late?\n{ends}\n\nIt is."),
    ):
        generator = LocalGenerator(built.speaker(built.byte_level(special=(*built.TURN, *tags), template=template)))
        rendered = generator.render(chat(turns=(("user", "Hi"), ("assistant", turn))))
        assert "It is." in rendered.text and "Late?" not in rendered.text and ends not in rendered.text


def test_a_thought_that_is_gone_on_with_keeps_its_tags_as_tokens_and_no_others() -> None:
    tokenizer = built.byte_level(special=(*built.TURN, "<think>", "</think>"))
    generator = LocalGenerator(built.speaker(tokenizer))
    rendered = generator.render(chat(prefill="<think>Hm <|im_end|></think>Well </think>"))
    acting = [rendered.text[begins:ends] for begins, ends in rendered.controls][-2:]
    assert acting == ["<think>", "</think>"] and set(rendered.as_text) == {"<|im_end|>", "</think>"}
    assert list(rendered.token_ids).count(tokenizer.convert_tokens_to_ids("</think>")) == 1


def test_the_marks_of_a_special_token_stand_where_it_stood_and_break_no_character() -> None:
    tokenizer = built.byte_level(special=("<think>", "</think>"))
    begins, ends = tokenizer.convert_tokens_to_ids(["<think>", "</think>"])
    detokenizer = Detokenizer(tokenizer, visible={begins: "<think>", ends: "</think>"})
    ids = tokenizer("<think> é 中</think> a", add_special_tokens=False).input_ids
    pieces = [detokenizer.push(one) for one in ids]
    assert "".join([*pieces, detokenizer.flush()]) == "<think> é 中</think> a"
    assert pieces[0] == "<think>" and not any("\ufffd" in piece for piece in pieces)


def test_rows_of_a_batch_are_made_of_the_answer_alone() -> None:
    known = frozenset(parameters.by_name())
    generator = ScriptedGenerator(["<think>\n1. no\n</think>\n1. tea\n2. coffee\n"], parameters=known)
    row = loader.find("recommendations").defaults("en")
    plan = Plan("recommendations", mapping={name: name for name in row}, seed=0, values={"max_new_tokens": 99})
    rows = iter([(1, row)])
    (found,) = Batch(plan, generator).results(lambda: next(rows, None), lambda: 1, threading.Event())
    assert found.texts == ("1. tea\n2. coffee",)
