"""How a server is told to run: flags, environment, limits, and a password that never shows."""

import getpass
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from playground.models.model_choice import ModelChoice
from playground.settings import (
    PUBLIC_LIMITS,
    ROWS,
    Limits,
    Setting,
    Settings,
    from_arguments,
    parse_bytes,
    parse_max_memory,
    records,
)
from playground.types import InvalidRequest, PlaygroundError
from playground.ui import model_form


def test_a_plain_start_listens_on_this_machine_only() -> None:
    settings = from_arguments([], {})
    assert (settings.host, settings.port, settings.public) == ("127.0.0.1", 7860, False)
    assert settings.limits == Limits()


def test_a_host_for_gradio_apps_tells_address_and_port_through_the_environment() -> None:
    environment = {"GRADIO_SERVER_NAME": "0.0.0.0", "GRADIO_SERVER_PORT": "8080"}
    settings = from_arguments([], environment)
    assert (settings.host, settings.port, settings.limits) == ("0.0.0.0", 8080, PUBLIC_LIMITS)
    assert from_arguments(["--host", "127.0.0.1", "--port", "0"], environment).port == 0
    with pytest.raises(PlaygroundError, match="port is lots"):
        from_arguments([], {"GRADIO_SERVER_PORT": "lots"})


@pytest.mark.parametrize("argv", [["--share"], ["--host", "0.0.0.0"]])
def test_whatever_others_can_reach_is_capped(argv: list[str]) -> None:
    settings = from_arguments(argv, {})
    assert settings.public
    assert settings.limits == PUBLIC_LIMITS


def test_the_owner_may_move_a_cap() -> None:
    limits = from_arguments(["--share", "--limit-tokens", "64", "--limit-waiting", "2"], {}).limits
    assert (limits.max_new_tokens, limits.waiting) == (64, 2)
    assert limits.candidates == PUBLIC_LIMITS.candidates


def test_files_of_rows_are_bounded_as_the_owner_says_and_kept_where_he_says() -> None:
    assert from_arguments([], {}).data_folder is None
    settings = from_arguments(["--limit-batch-rows", "7", "--limit-batch-size", "2MB", "--data-folder", "x"], {})
    assert (settings.limits.batch_rows, settings.limits.batch_bytes, settings.data_folder) == (7, 2_000_000, "x")
    assert PUBLIC_LIMITS.batch_rows < Limits().batch_rows


def test_what_all_share_is_bounded_as_the_owner_says() -> None:
    flags = ["--limit-drafts", "9", "--limit-batches", "8", "--limit-store", "1GB", "--limit-session", "10",
             "--limit-address", "20"]  # fmt: skip
    limits = from_arguments(["--share", *flags], {}).limits
    assert (limits.drafts, limits.batches, limits.store_bytes) == (9, 8, 10**9)
    assert limits.share(100) == (10, 20)
    assert PUBLIC_LIMITS.session_share < PUBLIC_LIMITS.address_share < 100 == Limits().session_share


def test_the_running_batch_and_a_newcomers_path_are_the_owners_choice() -> None:
    plain = from_arguments([], {})
    assert (plain.path, plain.rows, plain.kv_memory) == ("fast", ROWS, None)
    chosen = from_arguments(["--path", "exact", "--rows", "8", "--kv-memory", "1GiB"], {})
    assert (chosen.path, chosen.rows, chosen.kv_memory) == ("exact", 8, 2**30)


@pytest.mark.parametrize(
    "argv",
    [
        ["--limit-tokens", "0"],
        ["--limit-session", "101"],
        ["--limit-store", "much"],
        ["--allowed-host", "two words"],
        ["--port", "70000"],
        ["--max-memory", "cpu=lots"],
        ["--max-memory", "tpu=1GiB"],
        ["--kept-memory", "much"],
        ["--kv-memory", "much"],
        ["--rows", "0"],
    ],
)
def test_a_senseless_flag_is_one_sentence_in_both_languages(argv: list[str]) -> None:
    with pytest.raises(PlaygroundError) as caught:
        from_arguments(argv, {})
    for language in ("en", "zh"):
        assert caught.value.say(language) and "\n" not in caught.value.say(language)


def test_sizes_read_as_they_are_written() -> None:
    assert parse_bytes("8GiB") == 8 * 2**30
    assert parse_bytes("150MB") == 150_000_000
    assert parse_bytes(" 1.5 KiB ") == 1536
    assert parse_max_memory("cpu=8GiB, 0=20GiB") == {"cpu": 8 * 2**30, 0: 20 * 2**30}
    assert parse_max_memory(None) is None
    assert from_arguments(["--kept-memory", "500MB"], {}).kept_memory == 500_000_000
    assert from_arguments([], {}).kept_memory is None


def test_a_password_comes_from_a_file_or_the_environment_and_is_never_shown(tmp_path: Path) -> None:
    file = tmp_path / "password"
    file.write_text("swordfish\nnot this line\n", encoding="utf-8")
    from_file = from_arguments(["--password-file", str(file)], {"PLAYGROUND_PASSWORD": "other"})
    assert from_file.password == "swordfish"
    assert "swordfish" not in repr(from_file)
    assert from_arguments([], {"PLAYGROUND_PASSWORD": "halibut"}).password == "halibut"
    assert from_arguments([], {}).password is None


def test_a_password_file_that_is_missing_or_empty_is_said(tmp_path: Path) -> None:
    empty = tmp_path / "empty"
    empty.write_text("\n", encoding="utf-8")
    for path in (empty, tmp_path / "missing"):
        with pytest.raises(PlaygroundError, match="password file"):
            from_arguments(["--password-file", str(path)], {})


@pytest.mark.parametrize("written", ["", "swordfish", "with spaces in between it"])
def test_keys_of_the_api_that_could_be_guessed_are_refused(tmp_path: Path, written: str) -> None:
    file = tmp_path / "keys"
    file.write_text(written, encoding="utf-8")
    with pytest.raises(PlaygroundError, match="API key") as caught:
        from_arguments(["--api-key-file", str(file)], {})
    assert not written or written not in caught.value.say("en")
    with pytest.raises(SystemExit):
        from_arguments(["--api-key", "0123456789abcdef"], {})


def test_a_password_is_never_an_argument() -> None:
    with pytest.raises(SystemExit):
        from_arguments(["--password", "swordfish"], {})


@pytest.mark.parametrize("one", [*records(Settings), *records(Limits)], ids=lambda one: one.name)
def test_a_default_is_allowed_and_reads_as_it_is_shown(one: Setting[Any]) -> None:
    for default in (one.default, one.public):
        if default not in (None, "", ()):
            assert one.read(one.kind.show(default)) == default
    assert one.needs is None or one.needs in {other.name for other in records(Settings)}


def test_no_two_settings_share_a_flag_or_a_variable() -> None:
    every = (*records(Settings), *records(Limits))
    for names in ([one.flag for one in every], [one.variable for one in every], [one.key for one in every]):
        given = [name for name in names if name is not None]
        assert len(given) == len(set(given))


def test_every_setting_is_read_from_its_variable_and_a_flag_comes_first(tmp_path: Path) -> None:
    file = tmp_path / "password"
    file.write_text("swordfish", encoding="utf-8")
    keys = tmp_path / "keys"
    keys.write_text("0123456789abcdef\n", encoding="utf-8")
    texts = {"password_file": str(file), "api_key_file": str(keys), "api_key": "fedcba9876543210",
             "max_memory": "cpu=1GiB", "allowed_hosts": "a.test,b.test", "weights": "int8", "mcp": "off",
             "path": "exact", "share": "yes", "reading_memory": "300MB", "trust_remote_code": "on",
             "engine": "http://a.test:1,https://b.test", "engine_plain_http": "on", "engine_draws": "here",
             "engine_figures": "top", "adapter_share": "0.5"}  # fmt: skip
    other = "97"  # within every range, and nobody's default
    every = (*records(Settings), *records(Limits))
    environment = {one.variable: texts.get(one.name, other) for one in every if one.variable is not None}
    found = from_arguments([], environment)
    for one in every:
        holder = found if one in records(Settings) else found.limits
        if one.variable is not None and one.name != "password":
            assert getattr(holder, one.name) == one.read(texts.get(one.name, other)), one.name
    assert found.password == "swordfish" and found.api_keys == ("0123456789abcdef", "fedcba9876543210")
    flags = from_arguments(
        ["--share", "false", "--rows", "5", "--allowed-host", "c.test", "--limit-store="], environment
    )
    assert (flags.share, flags.rows, flags.allowed_hosts, flags.limits.store_bytes) == (False, 5, ("c.test",), 97)


def test_a_wrong_variable_is_named() -> None:
    with pytest.raises(PlaygroundError, match="not true or false") as caught:
        from_arguments([], {"PLAYGROUND_SHARE": "perhaps"})
    assert "PLAYGROUND_SHARE" in caught.value.say("en") and "PLAYGROUND_SHARE" in caught.value.say("zh")


@pytest.mark.parametrize(
    "text", ["9" * 5_000, "1e999", "nan", "-1", "٣²", "x\n" * 99, "cpu=" + "9" * 400 + "GiB", "²=1GiB", "[", "\0"]
)
def test_no_text_of_a_flag_or_a_variable_ends_in_anything_but_a_sentence(text: str) -> None:
    refused = []
    for one in (*records(Settings), *records(Limits)):
        try:
            one.read(text, one.variable)
        except PlaygroundError as error:
            refused.append(error.say("en"))
    assert len(refused) > 20
    assert [said for said in refused if "\n" in said or len(said) > 300] == []


@pytest.mark.parametrize(
    ("name", "is_one"),
    [
        ("http://127.0.0.1:8080", True),
        ("HTTPS://engine.test/v1", True),
        ("http://[::1]:8080/", True),
        ("http://", False),
        ("http:///v1", False),
        ("http://a.test/v 1", False),
        ("ftp://a.test", False),
        ("org/http", False),
    ],
)
def test_a_flag_the_form_and_a_choice_agree_on_what_the_address_of_an_engine_is(name: str, is_one: bool) -> None:
    def taken(read: Callable[[], object]) -> bool:
        try:
            read()
        except PlaygroundError:
            return False
        return True

    assert ModelChoice(name).is_engine is is_one
    assert taken(lambda: from_arguments(["--engine", name], {})) is is_one
    assert taken(lambda: model_form.choice_of({"name": name})) is (is_one or name == "org/http")  # that is a hub's id


def test_an_unknown_flag_is_one_line(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit):
        from_arguments(["--prot", "1"], {})
    assert capsys.readouterr().err == "app.py: unrecognized arguments: --prot 1. See app.py --help.\n"


def test_a_password_that_is_asked_for_comes_before_a_file_and_a_variable(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(getpass, "getpass", lambda _: "typed")
    environment = {"PLAYGROUND_PASSWORD_FILE": "missing", "PLAYGROUND_PASSWORD": "other"}
    assert from_arguments(["--ask-password"], environment).password == "typed"
    with pytest.raises(PlaygroundError, match="rows is 0"):  # found before anybody is asked
        from_arguments(["--ask-password", "--rows", "0"], environment)


@pytest.mark.parametrize(
    ("field", "value"),
    [("weights", "int8"), ("max_memory", "cpu=1GB"), ("context", "512"), ("chat_template", "{{ 1 }}")],
)
def test_what_an_engine_decides_is_refused_beside_its_field(field: str, value: str) -> None:
    url = "http://127.0.0.1:8080"
    assert model_form.choice_of({"name": url, "weights": "auto", "context": ""}).is_engine
    with pytest.raises(InvalidRequest, match="An engine loads its own model") as caught:
        model_form.choice_of({"name": url, field: value})
    assert caught.value.parameter == field
