"""An answer ends where its turn does, whoever names the token; a continued text ends as `generate()` ends it."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import gguf
import pytest

from playground import generate
from playground.generators.local import LocalGenerator
from playground.generators.scripted import ScriptedGenerator
from playground.models import Loaded, gguf_ends
from playground.run import Run
from playground.types import Mode
from playground.ui import card_updates
from tests import built

PLAIN = "{% for m in messages %}{{ m.role }}: {{ m.content }}\n{% endfor %}assistant:"


def speaking(end: str, template: str = PLAIN, *, special: bool = True, **named: Any) -> Loaded:
    """A model whose tokenizer has a token `end`, special or added, and whose configuration names none."""
    more = {"special": (*built.TURN, end)} if special else {"added": (end,)}
    tokenizer = built.byte_level(template=template, **more)
    for name, value in named.items():
        setattr(tokenizer, name, value)
    return built.speaker(tokenizer, ends=tokenizer.eos_token_id)


def run(loaded: Loaded, written: str, *, mode: Mode = "chat", **values: Any) -> Run:
    generator = LocalGenerator(loaded)
    given = {"max_new_tokens": 24, "temperature": 0, "seed": 0, **values}
    request = generate.build("Hi", given, mode=mode)
    ids = loaded.tokenizer(written, add_special_tokens=False).input_ids
    built.says(loaded, len(generator.render(request).token_ids), ids)
    *_, found = generate.run(request, generator)
    return found


def ended(found: Run) -> tuple[str, str | None, str | None]:
    one = found.candidates[0]
    return one.text, one.finish_reason, one.end_token


NAMED_BY_TEMPLATE = "{% for m in messages %}[{{ m.role }}] {{ m.content }}!<stop>\n{% endfor %}[assistant] "
FAMILIES = ["<|im_end|>", "<end_of_turn>", "<|eot_id|>", "<|eom_id|>", "<|end|>", "<turn|>", "<|return|>"]


@pytest.mark.parametrize("special", [True, False])
@pytest.mark.parametrize("end", FAMILIES)
def test_an_answer_ends_at_the_end_of_a_turn_that_only_the_vocabulary_names(end: str, special: bool) -> None:
    found = run(speaking(end, special=special), f"day{end}the cat")
    assert ended(found) == ("day", "end", end)
    assert found.as_json()["candidates"][0]["end_token"] == end
    row = card_updates.run_update("a", found, ScriptedGenerator([""]).card, {})["rows"][0]
    assert (row["finish"], row["end_token"]) == ("end", end)


@pytest.mark.parametrize("special", [True, False])
def test_it_ends_at_the_token_that_only_the_template_writes_behind_an_answer(special: bool) -> None:
    loaded = speaking("<stop>", NAMED_BY_TEMPLATE, special=special)
    assert ended(run(loaded, "day<stop>the cat")) == ("day", "end", "<stop>")
    told = run(loaded, "day<stop>the cat<|endoftext|>", mode="complete")
    assert ended(told) == (f"day{'' if special else '<stop>'}the cat", "end", "<|endoftext|>")
    row = card_updates.run_update("a", told, ScriptedGenerator([""]).card, {})["rows"][0]
    assert row["end_token"] is None, "in a chat alone"


def test_it_ends_at_the_next_turn_where_the_template_writes_no_end() -> None:
    template = "{% for m in messages %}<{{ m.role }}_turn>{{ m.content }}{% endfor %}<assistant_turn>"
    tokenizer = built.byte_level(special=("<user_turn>", "<assistant_turn>"), template=template)
    assert ended(run(built.speaker(tokenizer), "day<user_turn>the")) == ("day", "end", "<user_turn>")


def test_it_ends_at_the_end_of_text_that_only_the_tokenizer_names() -> None:
    loaded = speaking("<fin>", eos_token="<fin>")
    loaded.model.generation_config.eos_token_id = loaded.tokenizer.convert_tokens_to_ids("<|endoftext|>")
    assert ended(run(loaded, "day<fin>the cat")) == ("day", "end", "<fin>")


def test_ignoring_the_end_and_a_least_length_hold_for_all_of_them() -> None:
    loaded = speaking("<stop>", NAMED_BY_TEMPLATE)
    text = "day<stop>the cat<|im_end|>day"
    assert ended(run(loaded, text, ignore_eos=True, max_new_tokens=9))[1:] == ("length", None)
    held = run(loaded, text, min_new_tokens=7)
    stop = loaded.tokenizer.convert_tokens_to_ids("<stop>")
    assert stop not in held.candidates[0].token_ids[:7]
    ends = LocalGenerator(loaded)._prompts.ends(generate.build("Hi", {}, mode="chat"))
    assert {stop, loaded.tokenizer.convert_tokens_to_ids("<|im_end|>"), loaded.tokenizer.eos_token_id} == set(ends)


def test_the_token_between_two_messages_of_one_answer_does_not_end_it() -> None:
    names = ("<|channel|>", "<|message|>", "<|start|>", "<|end|>", "<|return|>")
    template = (
        "{% for m in messages %}<|start|>{{ m.role }}{% if m.role == 'assistant' %}<|channel|>final{% endif %}"
        "<|message|>{{ m.content }}<|end|>{% endfor %}<|start|>assistant"
    )
    loaded = built.speaker(built.byte_level(special=names, template=template))
    said = "<|channel|>analysis<|message|>a<|end|><|start|>assistant<|channel|>final<|message|>day"
    found = run(loaded, said + "<|return|>the", max_new_tokens=80)
    assert ended(found) == (said, "end", "<|return|>") and found.answers == ["day"]


def written(path: Path, **numbers: int) -> Path:
    """A GGUF file with these numbers in its header, among other things, and without a tensor."""
    writer = gguf.GGUFWriter(path, "llama")
    writer.add_array("tokenizer.ggml.tokens", ["<unk>", "a", "<stop>"])
    writer.add_array("tokenizer.ggml.scores", [0.5, 1.0, 2.0])
    writer.add_string("general.name", "x" * 300)
    writer.add_bool("tokenizer.ggml.add_bos_token", False)
    for name, number in numbers.items():
        writer.add_uint32(f"tokenizer.ggml.{name}_token_id", number)
    writer.add_float32("last", 1.5)
    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.close()
    return path


def test_a_gguf_file_names_ends_of_its_own(tmp_path: Path) -> None:
    path = written(tmp_path / "a.gguf", eos=2, eot=7, eom=9)
    assert gguf_ends.turn_ends(path) == (7, 9, 2)
    assert gguf_ends.turn_ends(written(tmp_path / "b.gguf")) == ()
    whole = path.read_bytes()
    for cut in (0, 3, 24, 60, len(whole) - 30):
        (tmp_path / "cut.gguf").write_bytes(whole[:cut])
        assert gguf_ends.turn_ends(tmp_path / "cut.gguf") == ()
    (tmp_path / "huge.gguf").write_bytes(whole[:24] + b"\xff" * 64)
    assert gguf_ends.turn_ends(tmp_path / "huge.gguf") == () and gguf_ends.turn_ends(tmp_path / "none.gguf") == ()


def test_an_answer_ends_there_too() -> None:
    loaded = speaking("<stop>")
    stop = loaded.tokenizer.convert_tokens_to_ids("<stop>")
    assert ended(run(loaded, "day<stop>the<|endoftext|>"))[0] == "daythe"
    assert ended(run(replace(loaded, turn_ends=(stop,)), "day<stop>the")) == ("day", "end", "<stop>")
