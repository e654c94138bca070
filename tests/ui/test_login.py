"""A page with a password: guesses are slow, each session ends its own, and no other site acts in a visitor's name.

And any page: it answers to its own names alone, whoever points another one at it.
"""

from __future__ import annotations

import http.client
import json
import re
import threading
import time
from collections.abc import Iterator
from contextlib import suppress
from urllib.parse import urlencode, urlsplit

import pytest
from gradio_client import Client
from playwright.sync_api import expect

from playground.settings import Settings, from_arguments
from playground.types import PlaygroundError
from playground.ui.allowed_hosts import AllowedHosts
from playground.ui.blocks import Blocks
from playground.ui.login import (
    _BURST,
    _FREE,
    _LONGEST,
    _PER_SECOND,
    _RESERVE,
    _RESERVE_PER_SECOND,
    LoginSessions,
    TooManyGuesses,
)
from playground.ui.web_server import Server
from tests.ui.conftest import Visit
from tests.ui.served import SCRIPTED, forked

PASSWORD = "harbour-lamp"
JOIN = "/gradio_api/queue/join"
Answer = tuple[int, str, dict[str, str]]


@pytest.fixture(scope="module")
def guarded(starts_server: None, tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    secret = tmp_path_factory.mktemp("secret") / "password"
    secret.write_text(f"{PASSWORD}\n")
    with forked(SCRIPTED, "--password-file", str(secret), "--allowed-host", ".example.org") as url:
        yield url


def ask(url: str, path: str, form: dict[str, str] | bytes | None = None, **headers: str) -> Answer:
    """Status, text and headers; a form is posted, and `Host` or `Origin` go as they are given."""
    place = urlsplit(url)
    connection = http.client.HTTPConnection(place.hostname or "", place.port, timeout=30)
    try:
        body = urlencode(form).encode() if isinstance(form, dict) else form
        named = {name.replace("_", "-"): value for name, value in headers.items()}
        kind = {"Content-Type": "application/x-www-form-urlencoded"} if isinstance(form, dict) else {}
        connection.request("GET" if form is None else "POST", path, body, kind | named)
        answer = connection.getresponse()
        return answer.status, answer.read().decode(), {name.lower(): value for name, value in answer.getheaders()}
    finally:
        connection.close()


def log_in(url: str, password: str = PASSWORD, **headers: str) -> Answer:
    return ask(url, "/login", {"username": "guest", "password": password}, **headers)


def cookie(answer: Answer) -> str:
    return answer[2]["set-cookie"].partition(";")[0]


def test_without_a_token_there_is_the_form_and_nothing_else(guarded: str) -> None:
    status, text, headers = ask(guarded, "/", Accept="text/html", Accept_Language="zh-CN")
    assert status == 200 and 'name="password"' in text and "登录" in text and "gradio" not in text
    scripts = re.findall("script-src ([^;]*)", headers["content-security-policy"])
    assert headers["cache-control"] == "no-store" and len(scripts) == 1
    assert re.fullmatch("'sha256-[^']+'", scripts[0]), "the page's own script, and no other"
    for path in ("/config", "/theme.css", "/gradio_api/info", "/gradio_api/queue/data?session_hash=x",
                 "/gradio_api/heartbeat/x", "/gradio_api/call/generate/x", "/gradio_api/app_id"):  # fmt: skip
        assert ask(guarded, path)[0] == 401, path
    assert ask(guarded, JOIN, b"{}")[0] == 401
    assert ask(guarded, "/config", Cookie=f"playground-{urlsplit(guarded).port}=x")[0] == 401


def test_a_logout_ends_ones_own_session_and_nobody_elses(guarded: str) -> None:
    mine, yours = cookie(log_in(guarded)), cookie(log_in(guarded))
    assert mine != yours
    assert ask(guarded, "/logout", Cookie=mine, Sec_Fetch_Site="cross-site")[0] == 403
    assert ask(guarded, "/logout", Cookie=mine, Referer="http://evil.test/x")[0] == 403
    assert ask(guarded, "/config", Cookie=mine)[0] == ask(guarded, "/config", Cookie=yours)[0] == 200
    assert ask(guarded, "/logout", Cookie=mine)[0] == 303
    assert ask(guarded, "/config", Cookie=mine)[0] == 401
    assert ask(guarded, "/config", Cookie=yours)[0] == 200
    assert ask(guarded, "/gradio_api/token", Cookie=yours)[0] == 404
    for path in ("/", "/config", "/theme.css?v=x"):
        assert ask(guarded, path, Cookie=yours)[2]["cache-control"] == "no-store", path


def test_the_token_is_out_of_reach_of_scripts_and_other_sites(guarded: str) -> None:
    plain = log_in(guarded)
    flags = {flag.strip().lower() for flag in plain[2]["set-cookie"].split(";")[1:]}
    assert plain[0] == 200 and {"httponly", "samesite=lax", "path=/"} <= flags and "secure" not in flags
    assert "secure" in log_in(guarded, X_Forwarded_Proto="https")[2]["set-cookie"].lower()
    page = log_in(guarded, Accept="text/html")
    assert page[0] == 303 and page[2]["location"] == "./"


def test_gradio_client_logs_in_and_streams(guarded: str) -> None:
    client = Client(guarded, auth=("guest", PASSWORD), verbose=False)
    states = list(client.submit(prompt="Once", seed=0, api_name="/generate"))
    assert states[-1]["candidates"][0]["finish_reason"] == "end"
    client.close()
    with pytest.raises(ValueError, match="login"):
        Client(guarded, auth=("guest", "wrong"), verbose=False)


@pytest.mark.parametrize("origin", ["http://evil.test", "null", "http://127.0.0.1:1", "https://example.org.evil.test"])
def test_another_sites_page_can_do_nothing(guarded: str, origin: str) -> None:
    token = cookie(log_in(guarded))
    for path, form in (("/login", {"username": "guest", "password": PASSWORD}), ("/logout", {}), (JOIN, b"{}"),
                       ("/gradio_api/call/generate", b"{}"), ("/gradio_api/cancel", b"{}"),
                       ("/config", None)):  # fmt: skip
        status, _, headers = ask(guarded, path, form, Cookie=token, Origin=origin)
        assert status == 403 and not [name for name in headers if name.startswith("access-control")], path
    assert ask(guarded, JOIN, b"{}", Cookie=token, Sec_Fetch_Site="cross-site")[0] == 403
    assert ask(guarded, "/config", Cookie=token)[0] == 200, "its logout was not heard"


def test_ones_own_page_is_known_behind_a_proxy_too(guarded: str) -> None:
    token, own = cookie(log_in(guarded)), urlsplit(guarded).netloc
    for host, origin in ((own, f"http://{own}"), ("play.example.org", "https://play.example.org"),
                         (own, "https://play.example.org"), ("localhost:9", "http://localhost:9")):  # fmt: skip
        status, _, headers = ask(guarded, "/config", None, Cookie=token, Host=host, Origin=origin)
        assert status == 200 and not [name for name in headers if name.startswith("access-control")], (host, origin)
    root = json.loads(ask(guarded, "/config", Cookie=token, X_Forwarded_Host="evil.test")[1])["root"]
    assert "evil" not in root
    root = json.loads(ask(guarded, "/config", Cookie=token, X_Forwarded_Host="play.example.org")[1])["root"]
    assert root == "http://play.example.org"


def test_a_name_that_is_not_the_servers_is_refused_with_the_flag_that_allows_it(scripted: str) -> None:
    for host in ("evil.test", "evil.test:7860", "127.0.0.1.evil.test", "localhost.evil.test", "10.1.2.3", "a b", "",
                 "user@localhost", "localhost/x", "[::1", "127.0.0.1:7860:1"):  # fmt: skip
        status, text, _ = ask(scripted, "/config", Host=host)
        assert status in (400, 421), host
        assert status == 400 or "--allowed-host" in text
    for host in ("127.0.0.1", "localhost:7860", "LOCALHOST", "[::1]:9", "127.0.0.2"):
        assert ask(scripted, "/config", Host=host)[0] == 200, host


def test_names_come_from_the_settings_and_the_open_link() -> None:
    local, open_to_all = AllowedHosts(Settings()), AllowedHosts(Settings(host="0.0.0.0"))
    for address in ("192.168.1.7:7860", "[fe80::1]:7860", "203.0.113.9"):
        assert open_to_all.accepts(address) and not local.accepts(address)
    assert not open_to_all.accepts("rebound.evil.test:7860") and not local.accepts("a.gradio.live")
    local.shared("https://a.gradio.live")
    assert local.accepts("a.gradio.live") and local.trusts("https://a.gradio.live", "a.gradio.live")
    assert not local.accepts("b.gradio.live")
    assert local.encrypted("A.gradio.live") and not local.encrypted("127.0.0.1:7860")
    flags = [f"--allowed-host={name}" for name in ("https://Play.example.org/", ".example.com", "box:80")]
    named = AllowedHosts(
        from_arguments(flags, {"GRADIO_ROOT_PATH": "https://root.test/play", "SPACE_HOST": "a.hf.space"})
    )
    for host in ("play.example.org", "a.example.com", "a.b.example.com:8", "box", "root.test", "a.hf.space"):
        assert named.accepts(host), host
    for host in ("example.org", "xplay.example.org", "example.com.test", "aexample.com"):
        assert not named.accepts(host), host
    with pytest.raises(PlaygroundError, match="not a name"):
        from_arguments(["--allowed-host", "two words"], {})


def test_guesses_of_one_address_wait_longer_each_time_and_all_together_are_slow() -> None:
    now = 0.0
    logins = LoginSessions("guest", PASSWORD, lambda: now)
    for _ in range(_FREE):
        assert logins.open("guest", "wrong", "1.1.1.1") is None
    with pytest.raises(TooManyGuesses) as caught:
        logins.open("guest", PASSWORD, "1.1.1.1")  # not even looked at
    assert caught.value.seconds == 1
    assert logins.open("guest", PASSWORD, "2.2.2.2"), "others are not kept waiting by one"
    looked_at = 0
    for second in range(3_600):
        now = float(second)
        for _ in range(10):
            with suppress(TooManyGuesses):
                looked_at += logins.open("guest", "wrong", "1.1.1.1") is None
    assert looked_at <= 3_600 / _LONGEST + 10
    now += 10_000
    for number in range(100_000):
        now += 0.01
        with suppress(TooManyGuesses):
            looked_at += logins.open("guest", "wrong", f"10.0.{number >> 8}.{number & 255}") is None
    assert looked_at <= 3_600 / _LONGEST + 10 + _BURST + _RESERVE + 1_000 * (_PER_SECOND + _RESERVE_PER_SECOND) + 1


def test_wrong_guesses_of_others_keep_nobody_from_logging_in() -> None:
    now = 0.0
    logins = LoginSessions("guest", PASSWORD, lambda: now)
    for number in range(60):
        with suppress(TooManyGuesses):
            logins.open("guest", "wrong", f"10.0.0.{number // 3}")
    with pytest.raises(TooManyGuesses):
        logins.open("guest", "wrong", "10.0.0.1")  # who has guessed wrongly waits
    for number in range(300):
        assert logins.open("guest", PASSWORD, f"10.0.1.{number % 200}"), "who has not, does not, and uses nothing up"
    assert logins.open("guest", "wrong", "10.0.2.1") is None, "one guess is free"
    with pytest.raises(TooManyGuesses):
        logins.open("guest", PASSWORD, "10.0.2.1")
    for number in range(400):  # a network that one has for nothing is one address
        with suppress(TooManyGuesses):
            logins.open("guest", "wrong", f"2001:db8:7:{number:x}::/64")
    assert logins.open("guest", PASSWORD, "2001:db8:8:1::/64")


@pytest.mark.browser
def test_a_visitor_logs_in_uses_the_page_and_logs_out(guarded: str, visit: Visit) -> None:
    page = visit(guarded, wait=False)
    page.evaluate("location.hash = '#write'")  # a link to a place, which only the browser knows
    page.get_by_label("User name").fill("guest")
    page.get_by_label("Password").fill(PASSWORD)
    page.get_by_role("button", name="Log in").click()
    expect(page.locator(".chip.ready")).to_be_visible()
    expect(page.locator("nav [data-tab=write]")).to_have_attribute("aria-current", "page")
    expect(page.locator(".seen-count")).not_to_be_empty()  # a request that a logout overtakes would be refused
    page.get_by_role("button", name="Log out").click()
    expect(page.get_by_label("Password")).to_be_visible()


def test_an_address_that_is_only_told_is_not_believed(guarded: str) -> None:
    answers = [log_in(guarded, "wrong", X_Forwarded_For=f"10.0.0.{number}")[0] for number in range(_FREE + 1)]
    assert answers == [400] * _FREE + [429]


def test_of_the_open_links_tunnel_it_is() -> None:
    for share in (False, True):
        settings = Settings(share=share)
        with Blocks() as blocks:
            pass
        server = Server(blocks, settings, AllowedHosts(settings), threading.Event())
        assert server._uvicorn.config.proxy_headers is share


def test_a_flood_of_guesses_is_not_looked_at(guarded: str) -> None:
    """Last in this file: nobody logs in right after it."""
    began = time.monotonic()
    answers = [log_in(guarded, "wrong", X_Forwarded_For=f"10.0.0.{number % 100}") for number in range(200)]
    seconds = time.monotonic() - began
    assert {status for status, _, _ in answers} <= {400, 429}
    assert sum(status == 400 for status, _, _ in answers) <= _BURST + _FREE + seconds * _PER_SECOND + 1
    status, text, headers = log_in(guarded, "wrong", X_Forwarded_For="10.0.0.1")
    assert status == 429 and "Try again in" in text and int(headers["retry-after"]) >= 1
    assert 'role="alert"' in log_in(guarded, "wrong", X_Forwarded_For="10.0.0.1", Accept="text/html")[1]
