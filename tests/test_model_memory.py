"""Promises of memory: what a model takes is known before, and given back after; measured on real models."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from playground.models import embedded
from playground.models.model_choice import ModelChoice
from playground.types import ModelError
from tests.model_process import write_model

pytestmark = pytest.mark.model
KINDS = ("llama", "qwen2", "gpt2", "gemma3_text", "mistral", "gptj")


def told(*arguments: str) -> Any:
    """What the process answers."""
    done = subprocess.run(
        [sys.executable, "-m", "tests.model_process", *arguments],
        capture_output=True, text=True, check=False, cwd=Path(__file__).parent.parent,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr[-2000:]
    return json.loads(done.stdout.splitlines()[-1])


def models(kinds: tuple[str, ...], place: Path) -> list[str]:
    """The first is small, and only loaded so that the process has what every model needs."""
    small = place / "small"
    write_model("llama", small, num_hidden_layers=1, hidden_size=64, intermediate_size=64)
    for kind in kinds:
        write_model(kind, place / kind)
    return [str(small), *(str(place / kind) for kind in kinds)]


def check(found: list[dict[str, float]], kinds: tuple[str, ...]) -> None:
    assert len(found) == len(kinds)
    for kind, one in zip(kinds, found, strict=True):
        assert one["exactly"] == pytest.approx(one["tensors"], rel=0.01), kind
        assert one["held"] == pytest.approx(one["grown"], rel=0.15), kind
        assert one["kv_cache"] == pytest.approx(one["slots"], rel=0.15), kind


def test_an_estimate_is_right_for_two_architectures(tmp_path: Path) -> None:
    kinds = ("llama", "gpt2")
    check(told("estimate", *models(kinds, tmp_path)), kinds)


@pytest.mark.long
def test_an_estimate_is_right_for_all_families(tmp_path: Path) -> None:
    check(told("estimate", *models(KINDS, tmp_path)), KINDS)


def check_given_back(found: list[int]) -> None:
    """`found` begins with the process that has loaded and used its first model and switched to no other yet."""
    first, *later = found
    assert len(later) == 5, "five ways there and back are ten switches"
    assert max(later) <= 1.1 * first, [size // 10**6 for size in found]


def test_ten_switches_give_the_memory_back(tmp_path: Path) -> None:
    sizes = {"num_hidden_layers": 8, "hidden_size": 512, "intermediate_size": 1024}
    write_model("llama", tmp_path / "a", **sizes)
    write_model("qwen2", tmp_path / "b", **sizes)
    check_given_back(told("switches", str(tmp_path / "a"), str(tmp_path / "b"), "5"))


@pytest.mark.long
def test_ten_switches_from_the_embedded_model_give_the_memory_back(tmp_path: Path) -> None:
    write_model("gpt2", tmp_path / "other")
    check_given_back(told("switches", embedded.ID, str(tmp_path / "other"), "5"))


def test_a_chat_template_is_tried_before_it_is_taken() -> None:
    from playground.generators.opening import check_template

    check_template("{% for one in messages %}<{{ one.role }}>{{ one.content }}{% endfor %}")
    for broken, why in (
        ("{% for one in messages %}", "TemplateSyntaxError"),
        ("{{ messages[0].content.nothing.more }}", "Undefined"),
        ("Always the same.", "it leaves out what the user says"),
        ("{{ raise_exception('Only for dogs.') }}", "Only for dogs"),
        ("{% for a in range(99999999) %}{% for b in range(99999999) %}{% endfor %}{% endfor %}", ""),
    ):
        with pytest.raises(ModelError, match="This chat template does not work") as caught:
            check_template(broken)
        assert why in caught.value.say("en") and "\n" not in caught.value.say("zh")


def test_context_and_template_of_a_choice_are_the_card_s(folder: Path) -> None:
    from playground.generators import opening
    from playground.models.loading import quiet

    template = "{% for one in messages %}[{{ one.content }}]{% endfor %}"
    choice = ModelChoice(str(folder), context=32, chat_template=template)
    made = opening.open_local(choice, opening.Bounds(), quiet)
    assert made.card.context == 32 and made.card.has_chat_template
    assert made._prompts._tokenizer.chat_template == template
    wide = opening.open_local(ModelChoice(str(folder), context=10**6), opening.Bounds(), quiet)
    assert wide.card.context < 10**6
