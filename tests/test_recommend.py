"""What is said where a model falls short of a task: facts only, two models by name, and nothing that is not known."""

from __future__ import annotations

import re
from dataclasses import replace

import pytest

from playground import generate, parameters
from playground.cli import main as cli
from playground.evaluation import fitness, recommend
from playground.evaluation.reports import Review
from playground.generators.scripted import ScriptedGenerator
from playground.models import catalogue, embedded
from playground.run import Run
from playground.tasks import loader
from playground.types import LANGUAGES, Language, Mode, ModelCard, Request, Text

SLOGANS = loader.find("slogans")
SMALL = ModelCard(embedded.ID, embedded.TITLE, "", 134_515_008, "bfloat16", 269_030_016, 8192, True)
STRANGER = replace(SMALL, id="somebody/model", title="Somebody's")
ENGLISH = "A small coffee shop by the harbour, open from dawn until the last ferry."
CHINESE = "港口边的小咖啡馆，从清晨一直开到末班渡轮。"


def before(task: str, language: Language, card: ModelCard = SMALL) -> Text | None:
    return recommend.beforehand(loader.find(task), language, card)


def test_where_the_makers_name_no_chinese_it_is_said_with_two_models_their_size_and_memory() -> None:
    said = before("summary", "zh")
    assert said is not None
    assert "SmolLM2-135M-Instruct is not made for Chinese" in said.en
    assert "qwen2.5-coder-0.5b (988 MB, about 1.2 GB of memory; needs no hub)" in said.en
    assert "qwen2.5-coder-1.5b (3.1 GB, about 3.7 GB of memory; needs no hub)" in said.en
    assert "并非为中文" in said.zh and "qwen2.5-coder-1.5b（3.1 GB，约需 3.7 GB 内存；无需模型库）" in said.zh


def test_what_was_counted_is_said_in_its_numbers() -> None:
    said = before("reply", "zh")
    assert said is not None
    assert re.search(r"Measured: \d+ of \d+ ", said.en) and re.search(r"实测：\d+ ", said.zh)


def test_nothing_is_said_where_the_counts_are_good_or_nobody_counted() -> None:
    assert before("summary", "en") is None
    assert [before(task.id, language, STRANGER) for task in loader.load_all() for language in ("en", "zh")] == [
        None for _ in range(2 * len(loader.load_all()))
    ]
    assert before("summary", "zh", replace(SMALL, id="Qwen/Qwen2.5-0.5B-Instruct")) is None


def test_the_hubs_copy_of_the_embedded_model_is_known_by_its_card_but_was_not_measured() -> None:
    said = before("reply", "zh", replace(SMALL, id=embedded.HUB_ID))
    assert said is not None and "not made for Chinese" in said.en and "Measured" not in said.en


@pytest.mark.parametrize("language", ["en", "zh"])
def test_the_models_that_are_named_are_made_for_it_and_larger_than_one_that_is_too(language: Language) -> None:
    for entry in catalogue.KNOWN:
        card = replace(SMALL, id=entry.id, parameters=entry.parameters or 0)
        named = catalogue.abler(language, card)
        assert all(language in one.languages and one.id != entry.id and one.memory for one in named)
        if language in entry.languages:
            assert all((one.parameters or 0) > card.parameters for one in named)
        else:
            assert len(named) == 2


def test_a_text_in_another_language_is_told_once_with_the_models_and_then_in_short() -> None:
    found = recommend.afterwards(SLOGANS, "zh", {}, [CHINESE, ENGLISH, ENGLISH, "OK"], SMALL)
    assert found[0] is None and found[3] is None
    assert found[1] is not None and found[2] is not None
    assert "not in Chinese" in found[1].en and "qwen2.5-coder-0.5b" in found[1].en
    assert found[2].en == "This text is not in Chinese, which was asked for."


def test_a_row_among_many_has_its_remark_in_a_few_words() -> None:
    def of_row(*texts: str) -> str | None:
        found = recommend.of_row(SLOGANS, "zh", {}, texts)
        return None if found is None else found.en

    assert of_row(CHINESE) is None and of_row("") is None and of_row() is None
    assert of_row(ENGLISH) == "not in Chinese"
    assert of_row(CHINESE, ENGLISH, ENGLISH) == "texts not in Chinese: 2, 3"
    assert recommend.of_rows(0, "zh") is None
    counted = recommend.of_rows(3, "zh")
    assert counted is not None and (counted.en, counted.zh) == ("3 not in Chinese", "3 行不是中文")


def test_what_was_measured_of_a_preset_is_not_said_of_an_own_task_of_its_name() -> None:
    shipped, own = (recommend.beforehand(SLOGANS, "zh", SMALL, own=own) for own in (False, True))
    assert shipped is not None and own is not None
    assert "Measured" in shipped.en and "Measured" not in own.en
    assert "not made for Chinese" in own.en


def test_the_terminal_says_both_beside_the_text(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(cli, "_load", lambda _: Scripted([ENGLISH, CHINESE]))
    words = ["generate", "--task", "slogans", "--language", "zh", "--set", "product=蓝月", "--set", "about=咖啡馆"]
    assert cli.main([*words, "--seed", "0", "--n", "2"]) == 0
    told = capsys.readouterr()
    assert "is not made for Chinese" in told.err
    assert "1: This text is not in Chinese" in told.err and "2: This text" not in told.err
    assert ENGLISH in told.out and "Chinese" not in told.out


@pytest.mark.parametrize(
    ("prompt", "language"), [(ENGLISH, "English"), (CHINESE, "Chinese"), ("Write a poem", None), ("42", None)]
)
def test_a_text_in_another_script_than_its_free_prompt_is_remarked_on(prompt: str, language: str | None) -> None:
    said = recommend.unlike(prompt, [ENGLISH, CHINESE, "", CHINESE], SMALL)
    if language is None:
        assert said == [None] * 4
        return
    strays = [text is not None for text in said]
    assert strays == ([False, True, False, True] if language == "English" else [True, False, False, False])
    first = next(text for text in said if text is not None)
    assert first.en.startswith(f"The prompt is in {language}, this text is not.")
    assert (language != "Chinese") or "qwen2.5-coder-0.5b" in first.en


def test_a_text_in_the_language_of_its_free_prompt_is_not_remarked_on() -> None:
    assert recommend.unlike(CHINESE, [CHINESE, " "], SMALL) == [None, None]
    assert recommend.unlike(ENGLISH, [ENGLISH], SMALL) == [None]
    assert recommend.unlike(ENGLISH, [CHINESE], SMALL)[0] is not None
    assert recommend.unlike(ENGLISH, [CHINESE], SMALL, formed=True) == [None]  # a form decides the language


class Scripted(ScriptedGenerator):
    """Writes what it is told, under the name of the embedded model."""

    def __init__(self, texts: list[str]) -> None:
        super().__init__(texts, parameters=frozenset(parameters.by_name()))

    @property
    def card(self) -> ModelCard:
        return replace(super().card, id=embedded.ID, title=embedded.TITLE)


def finished(mode: Mode, prompt: str, *texts: str) -> Run:
    request = Request(prompt, parameters.validate({"n": len(texts), "seed": 0}), mode)
    *_, run = generate.run(generate.checked(request), Scripted(list(texts)))
    return run


@pytest.mark.parametrize("mode", ["chat", "complete"])
def test_what_speaks_against_the_model_is_said_once_of_a_run_however_many_texts_it_has(mode: Mode) -> None:
    (place, said), *others = recommend.remarks(finished(mode, CHINESE, CHINESE, CHINESE), SMALL)
    assert place is None and not others
    assert "Made for Chinese" in said.en and "qwen2.5-coder-0.5b" in said.en
    assert recommend.remarks(finished(mode, CHINESE, CHINESE), STRANGER) == []


def reviewed_as(monkeypatch: pytest.MonkeyPatch, kept: int, read: int = 15) -> None:
    found = Review(read, kept, "rule")
    monkeypatch.setattr(recommend, "reviewed", lambda language, model: found if model == SMALL.id else None)


@pytest.mark.parametrize(("read", "kept", "said"), [(15, 4, True), (15, 9, True), (15, 10, False), (9, 0, False)])
def test_where_readers_kept_few_texts_it_is_said_to_whom_asks_or_writes_without_a_task(
    monkeypatch: pytest.MonkeyPatch, read: int, kept: int, said: bool
) -> None:
    reviewed_as(monkeypatch, kept, read)
    told = recommend.in_general("en", SMALL)
    assert (told is not None) == said
    if told is not None:
        assert f"of {read} texts that were read, {kept}" in told.en and "Larger models: qwen2.5-coder-0.5b" in told.en
        assert f"人工阅读 {read} 篇，可用 {kept} 篇" in told.zh
    assert recommend.in_general("en", STRANGER) is None
    answered = recommend.remarks(finished("chat", ENGLISH, ENGLISH), SMALL)
    assert [place for place, _ in answered] == [None] * said
    assert recommend.remarks(finished("complete", ENGLISH, ENGLISH), SMALL) == []  # a free prompt tries a knob, mostly


def test_the_embedded_model_was_read_in_both_languages_and_keeps_little() -> None:
    for language in LANGUAGES:
        counted = recommend.reviewed(language, SMALL.id)
        assert counted is not None and counted.read >= 15 and fitness.keeps_little(counted)


WORDS = "1. Cities\n2. Fuel\n3. Water\n4. Energy"


def test_a_section_that_is_a_list_of_words_is_remarked_on_unless_its_author_lists_too(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    reviewed_as(monkeypatch, 15)
    said = recommend.of_draft([ENGLISH, WORDS, WORDS], ENGLISH, "en", SMALL)
    assert said[0] is None and said[1] is not None and said[2] is not None
    assert said[1].en.startswith("This has become a list of words")
    assert "Larger models: qwen2.5-coder-0.5b" in said[1].en
    assert "models" not in said[2].en
    assert recommend.of_draft([WORDS], WORDS, "en", SMALL) == [None]
    reviewed_as(monkeypatch, 4)  # said above the sections already, with its models
    (told,) = recommend.of_draft([WORDS], "", "en", SMALL)
    assert told is not None and "models" not in told.en


def test_a_model_that_is_not_made_for_a_language_is_told_where_no_task_is_chosen() -> None:
    said = recommend.not_made("zh", SMALL)
    assert said is not None and "not made for Chinese" in said.en and "Measured" not in said.en
    assert "qwen2.5-coder-0.5b（988 MB，约需 1.2 GB 内存；无需模型库）和 qwen2.5-coder-1.5b" in said.zh
    assert recommend.not_made("en", SMALL) is None and recommend.not_made("zh", STRANGER) is None
