"""Settings of a training: records with ranges and words in both languages, presets, and the flags drawn from them."""

from __future__ import annotations

import subprocess
import sys

import pytest

from playground.cli import main as cli
from playground.training.train_presets import PRESETS, find_preset
from playground.training.train_setting import TRAIN_GROUPS, TrainSetting
from playground.training.train_settings import (
    SETTINGS,
    changed_settings,
    train_settings_by_group,
    train_settings_by_name,
    validate_settings,
)
from playground.types import InvalidRequest

DEFAULTS = validate_settings({})


@pytest.mark.parametrize("one", SETTINGS, ids=lambda one: one.name)
def test_a_setting_says_what_it_is_in_both_languages_and_takes_its_default(one: TrainSetting) -> None:
    for text in (one.label, one.help, one.range_text):
        assert text.en and text.zh
    assert one.help.en.endswith(".") and one.help.zh.endswith("。") and one.source and one.group in TRAIN_GROUPS
    assert one.accept(one.default) == one.default == DEFAULTS[one.name]
    assert one.needs is None or one.needs[0] in DEFAULTS
    record = one.as_record()
    assert record["flag"] == one.flag and set(record["label"]) == {"en", "zh"}
    if one.low is not None and not one.above_low:
        assert one.accept(one.low) == one.low
        with pytest.raises(InvalidRequest) as excinfo:
            one.accept(one.low - 1)
        assert excinfo.value.parameter == one.name and one.range_text.en in excinfo.value.say("en")


def test_what_is_wrong_is_said_by_name() -> None:
    for given, name in (({"rank": "many"}, "rank"), ({"epochs": 0}, "epochs"), ({"packing": "maybe"}, "packing")):
        with pytest.raises(InvalidRequest) as excinfo:
            validate_settings(given)
        assert excinfo.value.parameter == name
    with pytest.raises(InvalidRequest, match="Did you mean learning_rate"):
        validate_settings({"learning_rat": 1})


def test_texts_of_a_form_become_values() -> None:
    found = validate_settings({"rank": "8", "rslora": "true", "learning_rate": "1e-4", "method": "full"})
    assert (found["rank"], found["rslora"], found["learning_rate"]) == (8, True, 1e-4)


def test_a_difference_holds_what_acts_alone() -> None:
    assert changed_settings(DEFAULTS) == {}
    assert changed_settings(validate_settings({"method": "full", "rank": 8})) == {"method": "full"}
    assert changed_settings(validate_settings({"rank": 8, "steps": 5})) == {"rank": 8, "steps": 5}


def test_three_presets_become_stronger() -> None:
    assert [one.name for one in PRESETS] == ["try", "good", "thorough"]
    ranks = [one.settings["rank"] for one in PRESETS]
    assert ranks == sorted(ranks) and find_preset("try").settings["steps"] == 60
    with pytest.raises(InvalidRequest):
        find_preset("best")


def test_groups_hold_every_setting_once() -> None:
    grouped = [one for members in train_settings_by_group().values() for one in members]
    assert sorted(one.name for one in grouped) == sorted(train_settings_by_name())


def test_every_setting_is_a_flag_of_the_terminal() -> None:
    given = cli._parser().parse_args(["train", "start", "rows.csv", "--rank", "8", "--packing", "--seed", "-1"])
    assert (given.train_rank, given.train_packing, given.train_seed) == ("8", "true", "-1")
    assert all(hasattr(given, f"train_{one.name}") for one in SETTINGS)


def test_the_help_of_train_needs_no_torch() -> None:
    code = (
        "import sys\nfrom playground.cli import main\n"
        "try:\n    main.main(['train', 'start', '--help'])\nexcept SystemExit:\n    pass\n"
        "sys.exit(bool({'torch', 'transformers', 'peft'} & set(sys.modules)))"
    )
    assert subprocess.run([sys.executable, "-c", code], check=False, stdout=subprocess.DEVNULL).returncode == 0
