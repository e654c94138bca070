"""Chat templates of every kind: what they forbid is found out and gone around, what they break is one sentence."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from playground import generate
from playground.generators.local import LocalGenerator
from playground.rendering import templates
from playground.tasks import loader
from playground.types import Refused, Request, Text, Turn
from tests import built

SYSTEM, PROMPT = "Answer in verse.", "Why does it rain?"
TURNS: tuple[Turn, ...] = (("user", "Hello."), ("assistant", "Good day."))
OPENS = "{% if add_generation_prompt %}<|im_start|>model\n{% endif %}"
EACH = "{% for m in messages %}<|im_start|>{{ m.role }}\n{{ m.content | trim }}<|im_end|>\n{% endfor %}" + OPENS
ALTERNATES = (
    "{% for m in messages %}{% if (m.role == 'user') != (loop.index0 % 2 == 0) %}"
    "{{ raise_exception('Conversation roles must alternate user/assistant/user/assistant/...') }}{% endif %}"
    "{% if m.role == 'user' %}[INST] {{ m.content }} [/INST]{% else %}{{ m.content }}<|im_end|>{% endif %}{% endfor %}"
)
# Templates that take no system prompt: they forbid it, break the order with it, or leave it out.
WITHOUT_SYSTEM = {
    "forbids": "{% if messages[0].role == 'system' %}{{ raise_exception('System role not supported') }}{% endif %}"
    + EACH,
    "alternates": ALTERNATES,
    "leaves out": "{% for m in messages if m.role != 'system' %}" + EACH.removeprefix("{% for m in messages %}"),
    "breaks": "{% for m in messages %}{{ {'user': 'U: ', 'assistant': 'A: '}[m.role] + m.content }}\n{% endfor %}",
}  # fmt: skip


def generator(template: Any) -> LocalGenerator:
    return LocalGenerator(built.speaker(built.byte_level(template=template)))


def chat(prompt: str = PROMPT, **more: Any) -> Request:
    return generate.build(prompt, {"max_new_tokens": 4, "seed": 1}, mode="chat", **more)


def plain(one: LocalGenerator, *said: tuple[str, str]) -> str:
    messages = [{"role": role, "content": text} for role, text in said]
    text: str = one._tokenizer.apply_chat_template(messages, tokenize=False, add_generation_prompt=True)
    return text


@pytest.mark.parametrize("template", WITHOUT_SYSTEM.values(), ids=WITHOUT_SYSTEM)
def test_a_template_without_a_system_prompt_gets_it_in_front_of_the_first_message(template: str) -> None:
    one = generator(template)
    rendered = one.render(chat(system=SYSTEM, turns=TURNS))
    joined = ("user", f"{SYSTEM}\n\n{TURNS[0][1]}")
    assert rendered.text == plain(one, joined, TURNS[1], ("user", PROMPT))
    assert rendered.notice is not None and "no system prompt" in rendered.notice.en and "系统提示" in rendered.notice.zh
    assert one.render(chat(turns=TURNS)).notice is None
    run = generate.prepare(chat(system=SYSTEM), one)
    assert run.notice is not None and run.as_json()["remarks"][0]["en"] == run.notice.en


@pytest.mark.parametrize("template", WITHOUT_SYSTEM.values(), ids=WITHOUT_SYSTEM)
def test_every_task_works_on_such_a_template(template: str) -> None:
    one = generator(template)
    for task in loader.load_all():
        request = task.request(task.defaults("en"), "en", "chat")
        rendered = one.render(request)
        if request.mode == "chat":
            assert request.system in rendered.text and request.prompt in rendered.text, task.id
            assert rendered.text.endswith(request.prefill)


def test_a_template_that_wants_a_list_of_parts_is_given_parts() -> None:
    parts = "{% for m in messages %}<|im_start|>{{ m.role }}\n{% for part in m.content %}{% if part.type == 'text' %}"
    template = parts + "{{ part.text }}{% endif %}{% endfor %}<|im_end|>\n{% endfor %}" + OPENS
    one = generator(template)
    rendered = one.render(chat(system=SYSTEM, turns=TURNS))
    for text in (SYSTEM, TURNS[0][1], TURNS[1][1], PROMPT):
        assert text in rendered.text
    mixed = "{% for m in messages %}{{ m.content[0].text if m.role == 'user' else m.content }}|{% endfor %}"
    assert generator(mixed).render(chat(turns=TURNS)).text == f"{TURNS[0][1]}|{TURNS[1][1]}|{PROMPT}|"


FAILING = {
    "TypeError": "{{ messages[0].content + 1 }}",
    "ZeroDivisionError": "{{ messages[0].content }}{{ 1 / 0 }}",
    "UndefinedError": "{{ nothing.at.all }}",
    "TemplateSyntaxError": "{% if %}",
    "RecursionError": "{% macro again() %}{{ again() }}{% endmacro %}{{ again() }}",
    "OverflowError": "{% for one in range(10 ** 9) %}x{% endfor %}",
    "too much memory": "{{ 'x' * (10 ** 11) }}",
    "more than": "{% for one in range(99999) %}{{ 'x' * 999 }}{% endfor %}",
    "No such thing": "{{ raise_exception('No such thing') }}",
    "leaves out": "Once upon a time",
    "SecurityError": "{{ ''.__class__.__mro__ }}",
}


@pytest.mark.parametrize("reason", FAILING)
def test_whatever_fails_in_a_template_is_one_sentence_with_the_models_name(reason: str) -> None:
    one = generator(FAILING[reason])
    for request in (chat(), chat(system=SYSTEM, turns=TURNS)):
        with pytest.raises(Refused) as caught:
            one.render(request)
        assert "Speaker's chat template" in caught.value.say("en") and reason in caught.value.say("en")
        assert "Speaker 的对话模板" in caught.value.say("zh") and "\n" not in caught.value.say("en")


CUTS = ["[:2]", "[::-1]", "[1:]", "[:2] | string | lower", "[:2] | string | e", "[:2] | tojson", "[::-1] | tojson"]


@pytest.mark.parametrize("cut", CUTS)
def test_the_source_of_a_list_of_parts_is_never_taken_for_what_was_written(cut: str) -> None:
    one = generator("{% for m in messages %}{{ m['content']" + cut + " }}{% endfor %}")
    for request in (chat("Hello there friend"), chat("Hello there friend", system=SYSTEM, turns=TURNS)):
        with pytest.raises(Refused, match="leaves out what was written"):
            one.render(request)
    for role in ("system", "assistant"):
        chosen = f"m.content{cut} if m.role == '{role}' else m.content"
        written = "{% for m in messages %}{{ " + chosen + " }}{% endfor %}"
        assert "type" not in generator(written).render(chat(system=SYSTEM, turns=TURNS)).text


def test_a_template_that_writes_its_parts_as_json_on_purpose_may() -> None:
    each = "{% for m in messages %}{% for part in m.content %}{{ part | tojson }}{% endfor %}{% endfor %}"
    assert generator(each).render(chat()).text == '{"type": "text", "text": "Why does it rain?"}'
    wants = "{% for m in messages %}{% if m.content is string %}{{ raise_exception('parts') }}{% endif %}"
    whole = wants + "{{ m.content | tojson }}{% endfor %}"
    assert generator(whole).render(chat()).text == '[{"type": "text", "text": "Why does it rain?"}]'


ENDLESS = "{% for a in range(99999) %}{% for b in range(99999) %}{% endfor %}{% endfor %}"


@pytest.mark.parametrize(
    ("template", "most"),
    [(ENDLESS, 1), (EACH + "{% if messages | length > 2 %}" + ENDLESS + "{% endif %}", 4)],
)
def test_a_template_that_ran_into_its_limit_is_not_tried_again(
    template: str, most: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Only the worker's wait is cut out: which conversations run into the limit is the template's own matter."""
    runs: list[list[bool]] = []

    def limited(source: str, each: Any, shared: Any, now: float | None) -> list[str | templates.Failure]:
        slow = [source == ENDLESS or len(one["messages"]) > 2 for one in each]
        runs.append(slow)
        late = templates.Failure(Text("it does not come to an end", "它没有结束"), limit=True)
        found = templates.render(EACH, each, shared, now)
        return [late if any(slow) else text for text in found]

    monkeypatch.setattr("playground.rendering.chat.render", limited)
    with pytest.raises(Refused, match="does not come to an end"):
        generator(template).render(chat(system=SYSTEM, turns=TURNS))
    assert sum(any(slow) for slow in runs) == 1 and len(runs) <= most


def test_a_template_without_an_end_is_ended_and_others_go_on(monkeypatch: pytest.MonkeyPatch) -> None:
    endless = generator(ENDLESS)
    with monkeypatch.context() as patch:
        patch.setattr(templates, "_MOST", replace(templates._MOST, seconds=0.2))  # however long: it has no end
        for _ in range(2):
            with pytest.raises(Refused, match="does not come to an end"):
                endless.render(chat())
    assert PROMPT in generator(built.CHATML).render(chat()).text


def test_of_several_templates_the_default_is_taken_and_without_one_they_are_named() -> None:
    chosen = generator({"default": EACH, "tool_use": "no"}).render(chat())
    assert chosen.text == plain(generator(EACH), ("user", PROMPT))
    with pytest.raises(Refused, match="rag, tool_use"):
        generator({"rag": EACH, "tool_use": EACH}).render(chat())


def test_a_template_that_forgets_earlier_turns_says_so() -> None:
    one = generator("{{ messages[-1].content }}<|im_end|>" + OPENS)
    rendered = one.render(chat(system=SYSTEM, turns=TURNS))
    assert SYSTEM in rendered.text and PROMPT in rendered.text
    assert rendered.notice is not None and "leaves out earlier turns" in rendered.notice.en
    assert "省略之前的轮次" in rendered.notice.zh


def test_a_template_that_takes_one_turn_refuses_a_conversation_with_its_reason() -> None:
    one = generator("{% if messages | length > 2 %}{{ raise_exception('one turn only') }}{% endif %}" + EACH)
    assert SYSTEM in one.render(chat(system=SYSTEM)).text
    with pytest.raises(Refused, match="one turn only"):
        one.render(chat(turns=TURNS))


TRANSFORMERS = [
    EACH,
    "{%- for m in messages -%}\n {%- if loop.first %}{{ bos_token }}{% endif -%}\n {{ m | tojson }}\n{% endfor %}",
    "{% set ns = namespace(n=0) %}{% for m in messages %}{% set ns.n = ns.n + 1 %}{{ ns.n }}{{ m['content'] }}"
    "{% generation %}{{ eos_token }}{% endgeneration %}{% if ns.n > 9 %}{% break %}{% endif %}{% endfor %}",
    "{{ strftime_now('%Y') }} {{ messages | map(attribute='content') | join(' / ') }}{{ tools is none }}",
    "{% for m in messages %}{{ m.get('role', '?') }}: {{ m.content.split('|')[-1].strip() }}{{ dict() }}{% endfor %}",
]


@pytest.mark.parametrize("template", TRANSFORMERS)
def test_what_is_rendered_is_what_transformers_renders(template: str) -> None:
    one = generator(template)
    said: list[tuple[Any, str]] = [("system", SYSTEM), *TURNS, ("user", f"  {PROMPT}\n")]
    assert one.render(chat(f"  {PROMPT}\n", system=SYSTEM, turns=TURNS)).text == plain(one, *said)


def test_the_beginning_of_an_answer_stands_where_the_template_would_write_it() -> None:
    one = generator(
        "{% for m in messages %}<|im_start|>{{ m.role }}\n"
        "{% if m.role == 'assistant' and loop.last %}<think>\n\n</think>\n\n{% endif %}{{ m.content }}<|im_end|>\n"
        "{% endfor %}{% if add_generation_prompt %}<|im_start|>assistant\n{% endif %}"
    )
    assert one.render(chat(prefill="Rain is")).text.endswith("assistant\n<think>\n\n</think>\n\nRain is")
    assert one.render(chat(prefill="<think>\nHm")).text.endswith("assistant\n<think>\nHm")


def test_a_marker_that_a_template_cuts_stands_for_nothing() -> None:
    one = generator("{% for m in messages %}{{ m.content[:19] }}{{ m.content }}{% endfor %}")
    assert one.render(chat("When?")).text == "When?When?"
