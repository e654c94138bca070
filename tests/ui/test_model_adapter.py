"""The tab Model with an adapter: chosen from what trainings have learned, by its share, beside the base that stays."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
from playwright.sync_api import expect
from safetensors.numpy import save_file

from playground.models import adapters
from tests.ui.conftest import Visit, generate
from tests.ui.served import SCRIPTED, forked
from tests.ui.test_accessibility import faults
from tests.ui.test_model_tab import NARROW, model_tab

pytestmark = pytest.mark.browser
ID = "20261129-170000-abcdef"


def write_adapter(place: Path) -> Path:
    """The smallest folder that is one."""
    place.mkdir(parents=True)
    (place / adapters.CONFIG).write_text(json.dumps({"peft_type": "LORA", "r": 1, "lora_alpha": 1}))
    path = "base_model.model.model.layers.0.self_attn.q_proj"
    down, up = np.ones((1, 4), np.float32), np.ones((4, 1), np.float32)
    save_file({f"{path}.lora_A.weight": down, f"{path}.lora_B.weight": up}, place / adapters.WEIGHTS)
    return place


@pytest.fixture(scope="module")
def data(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A data folder with one training that has learned something, and one that has not yet."""
    root = tmp_path_factory.mktemp("data")
    write_adapter(root / "trainings" / ID / adapters.BEST)
    (root / "trainings" / ID / "plan.json").write_text(json.dumps({"name": "Slogans <b>"}))
    (root / "trainings" / "20261129-180000-abcdef").mkdir()
    return root


@pytest.fixture(scope="module")
def tuned_page(starts_server: None, data: Path) -> Iterator[str]:
    with forked(SCRIPTED, "--data-folder", str(data)) as url:
        yield url


def test_an_adapter_is_chosen_checked_loaded_by_its_share_and_the_base_stays(
    tuned_page: str, data: Path, visit: Visit
) -> None:
    page = model_tab(visit(tuned_page))
    form, chip = page.locator(".model-form"), page.locator(".chip-text")
    place = str(data / "trainings" / ID / adapters.BEST)
    option = form.locator("#model-adapters option")
    expect(option).to_have_count(1)
    expect(option).to_have_attribute("value", place)
    expect(option).to_have_text("Slogans <b>")
    share = form.locator(".model-share")
    expect(share).to_be_hidden()
    form.locator("[name=model]").fill("org/ferry")
    form.locator("[name=adapter]").fill(str(data))
    form.locator("[name=load]").click()
    error = form.locator("[data-field=adapter] .field-error")
    expect(error).to_contain_text("is not the folder of an adapter: it has no adapter_config.json.")
    expect(form.locator("[name=adapter]")).to_have_value(str(data))

    form.locator("[name=adapter]").fill(place)
    expect(error).to_be_hidden()
    expect(share).to_be_visible()
    expect(share.locator("output")).to_have_text("1.00")
    share.locator("input").focus()
    for _ in range(10):
        page.keyboard.press("ArrowLeft")
    expect(share.locator("output")).to_have_text("0.50")
    assert faults(page) == []
    form.locator("[name=load]").click()
    expect(chip).to_contain_text("ferry + Slogans <b> (0.5)")
    expect(page.locator(".model-facts")).to_contain_text(place)
    expect(page.locator(".model-others li")).to_contain_text("Scripted")
    page.locator("nav [data-tab=play]").click()
    generate(page)
    expect(page.locator(".run-name")).to_contain_text("ferry + Slogans <b> (0.5)")

    model_tab(page)
    form.locator("[name=adapter]").fill("")
    expect(share).to_be_hidden()
    form.locator("[name=load]").click()
    expect(chip).to_contain_text("ferry ·")
    expect(page.locator(".model-others li")).to_have_count(2)
    page.locator(".model-others li", has_text="Slogans").locator("[name=use]").click()
    expect(chip).to_contain_text("Slogans")


def test_in_chinese_on_a_phone_nothing_is_cut_off(tuned_page: str, visit: Visit) -> None:
    page = model_tab(visit(tuned_page, **NARROW))
    page.locator("[name=model]").fill("org/ferry")
    page.locator("[name=adapter]").fill("/no/where/" + "long" * 30)
    expect(page.locator(".model-share")).to_contain_text("使用比例")
    page.locator(".model-form [name=load]").click()
    expect(page.locator("[data-field=adapter] .field-error")).to_contain_text("没有适配器文件夹")
    assert faults(page) == []
    assert page.evaluate("document.documentElement.scrollWidth") <= 390
