"""How a server is told to run: flags, environment, limits, and a password that never shows."""

from pathlib import Path

import pytest

from playground.settings import PUBLIC_LIMITS, ROWS, Limits, from_arguments, parse_bytes, parse_max_memory
from playground.types import PlaygroundError


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


def test_a_password_is_never_an_argument() -> None:
    with pytest.raises(SystemExit):
        from_arguments(["--password", "swordfish"], {})
