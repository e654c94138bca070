"""A text that is held to a form has it: by every seed, on every path, through steps back, and never by chance."""

from __future__ import annotations

import json
import re
import time
from collections.abc import Callable, Iterator
from typing import Any

import pytest
import torch

from playground import models, parameters
from playground.decoding.row import Row, Setting, effect
from playground.decoding.run_store import RUN_STORE
from playground.generators.local import LocalGenerator
from playground.inspection import inspect_api
from playground.isolation import LimitExceeded
from playground.parameters import grammar
from playground.parameters.inert import check_combination
from playground.rendering.detokenize import Labels
from playground.sampling.form import Form, _compiled, form
from playground.types import InvalidRequest, Refused, Step
from tests import reference

SCHEMA = json.dumps(
    {
        "type": "object",
        "properties": {
            "name": {"type": "string", "maxLength": 12},
            "stars": {"type": "integer", "minimum": 1, "maximum": 5},
            "tags": {"type": "array", "items": {"enum": ["new", "old", 'it\'s "odd"']}, "minItems": 1, "maxItems": 3},
        },
        "required": ["name", "stars", "tags"],
        "additionalProperties": False,
    }
)
ODD = ["yes", 'no, "never"', "也许/不", "two\nlines"]


def is_item(text: str) -> bool:
    found = json.loads(text)
    return (
        set(found) == {"name", "stars", "tags"}
        and len(found["name"]) <= 12
        and found["stars"] in range(1, 6)
        and {*found["tags"]} <= {"new", "old", 'it\'s "odd"'}
        and 1 <= len(found["tags"]) <= 3
    )


FORMS: list[tuple[str, dict[str, Any], Callable[[str], object]]] = [
    ("json_schema", {"json_schema": SCHEMA}, is_item),
    ("regex", {"regex": r"[A-Z][a-z]{2,6}/\d{4}"}, re.compile(r"[A-Z][a-z]{2,6}/[0-9]{4}").fullmatch),
    ("one_of", {"one_of": ODD}, ODD.__contains__),
    ("grammar", {"grammar": 'start: line{2,3}\nline: "- " /[a-z ]{3,12}/ "\\n"'},
     re.compile(r"(- [a-z ]{3,12}\n){2,3}").fullmatch),
]  # fmt: skip
each_form = pytest.mark.parametrize(("given", "fits"), [one[1:] for one in FORMS], ids=[one[0] for one in FORMS])


@pytest.fixture(autouse=True)
def _empty() -> Iterator[None]:
    yield
    RUN_STORE.forget("form")


def write(loaded: models.Loaded, path: str = "exact", **values: Any) -> list[tuple[str, Step]]:
    """Each row's text and its last Step."""
    asked = reference.request("Tell me:", {"max_new_tokens": 90, "seed": 3, **values}, path=path, keep="form")
    steps: dict[int, list[Step]] = {}
    for step in LocalGenerator(loaded).stream(asked):
        row = steps.setdefault(step.row, [])
        if step.retract:
            del row[-step.retract :]
        row.append(step)
    texts = {row: "".join(step.text for step in found) for row, found in steps.items()}
    return [(texts[row], steps[row][-1]) for row in sorted(texts)]


@each_form
def test_every_seed_of_two_hundred_keeps_the_form(
    tiny: models.Loaded, given: dict[str, Any], fits: Callable[[str], object]
) -> None:
    written = [one for block in range(4) for one in write(tiny, **given, n=50, seed=1000 * block, temperature=1.3)]
    assert len(written) == 200
    for text, last in written:
        assert last.finish == "end" and fits(text), text
        assert "cut-short" not in last.note


@pytest.mark.model
@each_form
def test_ten_seeds_of_the_real_model_keep_the_form(
    load_embedded: Callable[[str], models.Loaded], given: dict[str, Any], fits: Callable[[str], object]
) -> None:
    for text, last in write(load_embedded("fp32"), **given, n=10, temperature=0.9, top_p=0.95):
        assert last.finish == "end" and fits(text), text


@each_form
@pytest.mark.parametrize(
    "beside",
    [
        {"top_k": 1},
        {"top_k": 2, "order": "llama.cpp"},
        {"top_k": 2, "order": "top_k,form"},
        {"mirostat_tau": 3.0},
        {"min_new_tokens": 60},
        {"xtc_probability": 1.0, "xtc_threshold": 0.05},
        {"exponential_decay_factor": 1.2, "exponential_decay_start": 1},
        {"guidance_scale": -2.0},
        {"logit_bias": {"x": 100.0}},
        {"watermark": True},
        {"banned_phrases": ["a", "e", "n", "1"]},
    ],
    ids=lambda beside: "+".join(beside),
)
def test_no_other_stage_breaks_it(
    tiny: models.Loaded, given: dict[str, Any], fits: Callable[[str], object], beside: dict[str, Any]
) -> None:
    for text, last in write(tiny, **given, **beside, n=3):
        assert last.finish == "end" and fits(text), text


@each_form
def test_the_fast_path_keeps_it_too(
    load_embedded: Callable[[str], models.Loaded], given: dict[str, Any], fits: Callable[[str], object]
) -> None:
    for text, last in write(load_embedded("bf16"), "fast", **given, n=3):
        assert last.finish == "end" and fits(text), text


def stage(loaded: models.Loaded, prompt_length: int = 0, written: str = "", **given: Any) -> Form:
    forms = {"json_schema": "", "regex": "", "one_of": [], "grammar": "", **given}
    size = len(loaded.tokenizer)
    made = form(**forms, tokenizer=loaded.tokenizer, eos_token_id=[2], vocab_size=size,
                prompt_length=prompt_length, written=written)  # fmt: skip
    assert made is not None
    return made


def test_exactly_those_tokens_are_allowed_that_begin_an_allowed_text(tiny: models.Loaded) -> None:
    """Against a plain list: every prefix of every text that the form allows."""
    texts = ["cat", "cathedral", "dog", "do it", "é"]
    held = stage(tiny, one_of=texts)
    labels = [tiny.tokenizer.decode([token]) for token in range(len(tiny.tokenizer))]
    prefixes = {text[:end] for text in texts for end in range(1, len(text) + 1)}
    for begun in ([], ["c"], ["cat"], ["do"], ["d", "o", "g"]):
        ids = [token for piece in begun for token in tiny.tokenizer(piece).input_ids]
        before = "".join(begun)
        after = held.processor(torch.tensor([ids], dtype=torch.long), torch.zeros(1, len(labels)))[0]
        allowed = {token for token in after.isfinite().nonzero()[:, 0].tolist() if "�" not in labels[token]}
        wanted = {token for token, label in enumerate(labels) if before + label in prefixes}
        assert allowed == wanted - {0, 1, 2} | ({2} if before in texts else set())


def test_it_can_be_asked_about_any_position_in_any_order(tiny: models.Loaded) -> None:
    ids = torch.tensor([tiny.tokenizer('{"name": "Ada", "stars": 5, "tags": ["new"]}').input_ids])
    scores = torch.zeros(1, len(tiny.tokenizer))
    fresh = [stage(tiny, json_schema=SCHEMA).processor(ids[:, :at], scores) for at in range(ids.shape[1])]
    one = stage(tiny, json_schema=SCHEMA)
    for at in (*range(ids.shape[1]), 3, 9, 0, *reversed(range(ids.shape[1]))):
        assert torch.equal(one.processor(ids[:, :at], scores), fresh[at])
    other = torch.cat([ids[:, :4], ids[:, :9]], dim=1)  # has left the form: nothing is said of it
    assert torch.equal(one.processor(other, scores), scores) and not one.whole(other)
    assert torch.equal(one.processor(ids[:, :5], scores), fresh[5]) and one.whole(ids)


def test_a_text_that_ends_too_early_says_so(tiny: models.Loaded) -> None:
    assert all("cut-short" in last.note for _, last in write(tiny, json_schema=SCHEMA, max_new_tokens=5, n=3))
    assert all("cut-short" in last.note for _, last in write(tiny, json_schema=SCHEMA, stop=[", "], n=3))
    assert all("cut-short" not in last.note for _, last in write(tiny, max_new_tokens=5, n=3))


def test_a_continued_text_goes_on_inside_its_form(tiny: models.Loaded) -> None:
    begun = '{"name": "Ad'
    asked = reference.request("Tell me:", {"max_new_tokens": 90, "json_schema": SCHEMA}, prefill=begun, written=begun)
    text = "".join(step.text for step in LocalGenerator(tiny).stream(asked))
    assert is_item(begun + text)
    astray = reference.request("Tell me:", {"json_schema": SCHEMA}, prefill="Sure!", written="Sure!")
    with pytest.raises(InvalidRequest, match="does not have this form"):
        LocalGenerator(tiny).stream(astray)


@each_form
def test_it_writes_what_transformers_and_torch_write(
    tiny: models.Loaded, given: dict[str, Any], fits: Callable[[str], object]
) -> None:
    values, greedy = effect(parameters.validate({**given, "top_p": 0.9, "temperature": 1.1}), has_eos=True)
    prompt = torch.tensor([[5, 9, 7]])
    labels = Labels(tiny.tokenizer)
    size = len(tiny.tokenizer)
    setting = Setting(values, greedy, prompt, tiny.tokenizer, labels, [2], size, 512, False, lambda: False)
    for seed in range(4):
        rows = [Row(0, seed, setting, by_reference=on) for on in (False, True)]
        noise = torch.Generator().manual_seed(seed)
        for _ in range(25):
            raw = torch.randn(1, size, generator=noise) * 4
            steps = [row.advance(raw) for row in rows]
            assert rows[0].tokens == rows[1].tokens
            if steps[0].finish is not None:
                break


@each_form
def test_a_replay_under_unchanged_settings_differs_nowhere(
    tiny: models.Loaded, given: dict[str, Any], fits: Callable[[str], object]
) -> None:
    values = {**given, "temperature": 0.9, "top_p": 0.95, "seed": 3, "max_new_tokens": 90}
    write(tiny, **values)
    asked = parameters.validate(values)
    assert inspect_api.replay("form", 0, asked).differs == ()
    freed = inspect_api.replay("form", 0, {**asked, **{name: parameters.by_name()[name].neutral for name in given}})
    assert freed.differs  # without the form the same random draws would have written something else


def test_the_stage_stands_in_the_waterfall_with_what_it_cut(tiny: models.Loaded) -> None:
    write(tiny, json_schema=SCHEMA, temperature=0.9)
    stages = {stage.stage: stage for stage in inspect_api.stage_breakdown("form", 0, 0).stages}
    assert next(iter(stages)) == "form"
    cut = stages["form"]
    assert cut.alive_after < cut.alive_before == len(tiny.tokenizer)
    assert cut.mass_cut > 0 and cut.label.en == "JSON schema"


HOSTILE: list[dict[str, Any]] = [
    {"json_schema": '{"type":'},
    {"json_schema": "[]"},
    {"json_schema": '{"$ref": "https://example.com/x.json"}'},
    {"json_schema": '{"$ref": "file:///etc/passwd"}'},
    {"json_schema": '{"type": "strin"}'},
    {"json_schema": '{"a":' * 3000},
    {"json_schema": json.dumps({"type": "string", "pattern": "(a)\\1"})},
    {"json_schema": json.dumps({"type": "array", "items": {"not": {}}})},
    {"json_schema": json.dumps(
        {"allOf": [{"anyOf": [{"properties": {f"a{i}{j}": {"type": "string"}}} for j in range(5)]} for i in range(20)]}
    )},
    {"json_schema": " " * 20_001},
    {"regex": "("},
    {"regex": "(?=a)b"},
    {"regex": "(" * 9000 + "a" + ")" * 9000},
    {"grammar": 'start: "a'},
    {"grammar": "start: " + "(" * 9000 + '"a"' + ")" * 9000},
    {"grammar": "start: missing"},
    {"grammar": "\n".join(f"A{i}: A{i + 1} A{i + 1}" for i in range(40)) + '\nA40: "x"\nstart: A0'},
    {"regex": ".*" * 9000},  # in the server it took 10 s and 1.4 GB
    {"grammar": "start: A\nA: " + " & ".join(f"/.*{i}.*/" for i in range(300))},  # and this did not end in minutes
]  # fmt: skip


@pytest.mark.parametrize("given", HOSTILE, ids=lambda given: f"{next(iter(given))} {str(*given.values())[:30]}")
def test_what_cannot_be_kept_is_refused_by_name_in_one_sentence(given: dict[str, Any]) -> None:
    with pytest.raises(InvalidRequest) as caught:
        parameters.validate(given)
    (name,) = given
    assert caught.value.parameter == name
    for language in ("en", "zh"):
        assert caught.value.say(language).startswith(parameters.title_of(name).say(language))
        assert "\n" not in caught.value.say(language)
        assert len(caught.value.say(language)) < 300


PLAIN = {
    '{"$ref": "https://example.com/x.json"}': "https://example.com/x.json stands outside of the schema",
    '{"$schema": "http://nope"}': "http://nope stands outside of the schema",
    '{"$ref": "#/$defs/a"}': "there is nothing at #/$defs/a",
    '{"uniqueItems": true, "not": {}}': "cannot be held to these keywords: ",
    '{"type": "string", "allOf": [{"pattern": "^a"}, {"pattern": "^b"}]}': "no text fits all of its patterns",
    '{"minimum": "a"}': "'minimum' must be a number.",
    '{"patternProperties": {"^a": {"type": "string"}, "a$": {"type": "number"}}}': "may fit the same key",
}


@pytest.mark.parametrize("schema", PLAIN)
def test_a_schema_that_is_not_taken_is_told_so_in_plain_words(schema: str) -> None:
    with pytest.raises(InvalidRequest) as caught:
        grammar.check("json_schema", schema)
    assert PLAIN[schema] in caught.value.say("en")
    assert not re.search("registry|retriev|Regex|Unimplemented|f64", caught.value.say("zh") + caught.value.say("en"))


@pytest.mark.parametrize("told", [
    "Unable to determine if regex is empty: (And (SearchRegex /a/) (Regex /b/))",
    "Unsatisfiable schema: Unable to determine if regex is empty: (And (SearchRegex /a/) (Regex /b/))",
    "Something new: (Or (Regex /a/))",
    "Unsatisfiable schema: (And (Regex /a/))",
])  # fmt: skip
def test_expressions_of_the_library_itself_are_shown_to_nobody(told: str) -> None:
    sentence = grammar._refusal("json_schema", told)
    assert "Regex" not in sentence.en + sentence.zh and len(sentence.en) > 20


def test_a_form_is_tried_in_a_worker_and_not_in_the_server(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(grammar, "LLMatcher", None)
    grammar.check("regex", "tried elsewhere [a-z]+")
    with pytest.raises(InvalidRequest, match=r"a \( has no \)"):
        grammar.check("regex", "tried elsewhere (")
    asked: list[str] = []

    def exceeded(task: str, *_: object) -> None:
        asked.append(task)
        raise LimitExceeded("time")

    monkeypatch.setattr(grammar, "run_isolated", exceeded)
    for _ in range(2):  # it may have been the machine, so it is tried again
        with pytest.raises(InvalidRequest, match=r"\(regex\): to hold a text to this takes too much work"):
            grammar.check("regex", "tried elsewhere, again")
    assert asked == ["form", "form"]


def test_rows_of_one_form_share_its_compilation_and_nothing_else(tiny: models.Loaded) -> None:
    rows = [stage(tiny, regex="[ab]{3}c") for _ in range(2)]
    assert _compiled.cache_info().hits >= 1
    letters = [tiny.tokenizer(one).input_ids[0] for one in "abc"]
    scores = torch.zeros(1, len(tiny.tokenizer))
    first = rows[0].processor(torch.tensor([[letters[0]] * 3]), scores)[0].isfinite()
    second = rows[1].processor(torch.tensor([[letters[1]]]), scores)[0].isfinite()
    assert first[letters[2]] and not first[letters[0]]
    assert second[letters[0]] and not second[letters[2]]


HEAVY: list[dict[str, Any]] = [
    {"regex": "(a{1000}){1000}"},
    {"regex": "(a|aa)*b{5000}"},
    {"regex": ".*a.{30}"},
    {"regex": "((((a?){50}){50}){50}){50}"},
    {"regex": r"(\w{1,100} ){1,100}\w{1,100}"},
    {"json_schema": json.dumps({"type": "string", "pattern": "(a{1000}){1000}"})},
    {"json_schema": json.dumps({"type": "string", "minLength": 100_000_000})},
    {"grammar": "\n".join(f"a{i}: a{i + 1} a{i + 1}" for i in range(40)) + '\na40: "x"\nstart: a0'},
    {"grammar": 'start: start start | "a" |'},
]


@pytest.mark.parametrize("given", HEAVY, ids=lambda given: str(*given.values())[:30])
def test_a_heavy_form_costs_steps_that_are_bounded_and_fails_alone_at_worst(
    tiny: models.Loaded, given: dict[str, Any]
) -> None:
    """The bound is far above what any of them takes; without limits the first one never came back."""
    began = time.monotonic()
    try:
        ((_, last),) = write(tiny, **given, max_new_tokens=40)
    except InvalidRequest:  # before anything ran
        last = None
    if last is not None:
        assert last.finish in ("end", "length", "error")
    assert time.monotonic() - began < 60


def test_a_form_without_any_text_is_refused(tiny: models.Loaded) -> None:
    with pytest.raises(InvalidRequest, match="no text can have this form"):
        write(tiny, json_schema='{"$ref": "#"}')


@pytest.mark.parametrize(
    ("given", "named"),
    [
        ({"regex": "a", "json_schema": SCHEMA}, "regex"),
        ({"one_of": ["a"], "grammar": 'start: "a"'}, "grammar"),
        ({"regex": "a", "ignore_eos": True}, "ignore_eos"),
        ({"regex": "a", "num_beams": 2}, "regex"),
    ],
)
def test_one_form_at_a_time_and_never_with_what_would_break_it(given: dict[str, Any], named: str) -> None:
    with pytest.raises(Refused) as caught:
        check_combination(parameters.validate(given))
    assert caught.value.parameter == named


@pytest.mark.parametrize(
    ("name", "form", "said"),
    [
        ("regex", "[", "第 1 个字符：[ 没有对应的 ]"),
        ("regex", "*", "没有可以重复的内容"),
        ("regex", "a{2", "{ 没有对应的 }"),
        ("regex", "a{3,1}", "{a,b} 中第一个数"),
        ("json_schema", "{", "第 1 行第 2 列不是有效的 JSON：缺少用双引号括起的名称"),
        ("json_schema", '{"type":"foo"}', "没有名为“foo”的类型"),
        ("json_schema", '{"type": "integer", "minimum": 5, "maximum": 1}', "minimum (5) 大于 maximum (1)"),
        ("json_schema", '{"required": 1, "type": "object"}', "应为方括号括起的列表"),
        ("grammar", 'start = "a"', "此处应为 ':'，写的却是 '='"),
        ("grammar", "start: %regex {}", "英文说明是“no fields set on %regex”"),
    ],
)
def test_what_a_library_says_of_a_form_is_said_in_chinese_or_quoted(name: str, form: str, said: str) -> None:
    with pytest.raises(InvalidRequest) as caught:
        grammar.check(name, form)
    told = caught.value.say("zh")
    assert said in told
    plain = re.sub(r"“[^”]*”|（[a-z_]+）|\b(?:JSON|Schema|minimum|maximum|required)\b|'[^']*'|\{a,b\}", "", told)
    assert not re.search(r"[A-Za-z]{2,}", plain), told
