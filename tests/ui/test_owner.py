"""Only the owner changes the model, and only the link with this start's token says who that is; no address does."""

from __future__ import annotations

import json
import re
import time
from collections.abc import Iterator
from typing import Any

import gradio as gr
import pytest
from playwright.sync_api import expect
from starlette.datastructures import Headers
from starlette.requests import Request

from playground.settings import Settings
from playground.types import PlaygroundError
from playground.ui.allowed_hosts import AllowedHosts
from playground.ui.owner import PATH, Owner, cookie_name
from tests.ui.conftest import Visit
from tests.ui.events import PageClient, outputs
from tests.ui.served import SCRIPTED, Forked, free_port
from tests.ui.test_login import PASSWORD, Answer, ask, cookie, log_in

ANSWERED = {"at": 7}
LOAD = {
    "name": "gpt2",
    "weights": "auto",
    "max_memory": "",
    "context": "",
    "trust_remote_code": False,
    "running": "wait",
}
TUNNELLED = {"x-forwarded-for": "203.0.113.7", "x-forwarded-proto": "https"}


def request(host: str = "127.0.0.1:7860", client: str = "127.0.0.1", **headers: str) -> Request:
    named = {"host": host, **{name.replace("_", "-"): value for name, value in headers.items()}}
    raw = [(name.encode(), value.encode()) for name, value in named.items()]
    return Request({"type": "http", "headers": raw, "client": (client, 5)})


def opened(owner: Owner, token: str, host: str = "127.0.0.1:7860", **headers: str) -> Any:
    """What opening the link with this token is answered with."""
    scope = {**request(host, **headers).scope, "scheme": "http", "query_string": f"token={token}".encode()}
    return owner.answer(scope, Headers(scope=scope), AllowedHosts(Settings()))


def cookie_of(answer: Any) -> str:
    return str(answer.headers["set-cookie"]).partition(";")[0]


@pytest.mark.parametrize(
    "settings",
    [
        Settings(share=True),
        Settings(host="0.0.0.0"),
        Settings(allowed_hosts=("play.example.org",)),
        Settings(root_path="/play"),
    ],
    ids=("tunnel", "network", "named", "behind a proxy"),
)
def test_where_others_can_come_no_address_makes_an_owner(settings: Settings) -> None:
    owner = Owner(settings)
    assert owner.needs_link
    forged = {"x_forwarded_for": "127.0.0.1", "x_real_ip": "127.0.0.1", "forwarded": "for=127.0.0.1"}
    for asked in (request(), request(**forged), request(client="::1"), request(host="localhost")):
        assert not owner.is_owner(asked)
        with pytest.raises(PlaygroundError, match="Only the owner"):
            owner.check(asked)


def test_on_a_page_of_ones_own_everybody_is_the_owner_but_who_comes_through_a_proxy() -> None:
    owner = Owner(Settings())
    assert not owner.needs_link and owner.is_owner(request()) and owner.is_owner(gr.Request(request=request()))
    for name, value in TUNNELLED.items():
        assert not owner.is_owner(request(**{name: value}))
    assert not owner.is_owner(gr.Request(session_hash="x")) and not owner.is_owner(None)


def test_the_link_makes_an_owner_and_its_cookie_is_for_this_server_alone() -> None:
    owner, other = Owner(Settings(share=True)), Owner(Settings(share=True))
    assert len(owner.token) >= 43 and owner.token != other.token  # 256 bits
    answer = opened(owner, owner.token)
    assert answer.status_code == 303 and answer.headers["location"] == "./"
    assert answer.headers["referrer-policy"] == "no-referrer" and answer.headers["cache-control"] == "no-store"
    flags = {flag.strip().lower() for flag in answer.headers["set-cookie"].split(";")[1:]}
    assert {"httponly", "samesite=strict", "path=/"} <= flags and "secure" not in flags
    assert "secure" in opened(owner, owner.token, **TUNNELLED).headers["set-cookie"].lower()
    mine = cookie_of(answer)
    assert owner.token not in mine, "the cookie can be closed without another link"
    assert owner.is_owner(request(cookie=mine)) and owner.is_owner(request(cookie=f"a=b; {mine}", **TUNNELLED))
    assert owner.is_owner(gr.Request(request=request(cookie=mine)))
    name, _, value = mine.partition("=")
    for wrong in ("", f"{name}=", f"{name}={owner.token}", f"{name}={value}x", f"{name}é={value}"):
        assert not owner.is_owner(request(cookie=wrong.encode().decode("latin-1"))), wrong
    assert not other.is_owner(request(cookie=mine))
    assert cookie_name(Headers({"host": "127.0.0.1:1"})) != cookie_name(Headers({"host": "127.0.0.1:2"}))


def test_wrong_links_get_a_sentence_and_must_wait() -> None:
    owner = Owner(Settings(share=True), clock=lambda: 0.0)
    answers = [opened(owner, token) for token in ("", "x", owner.token[:-1], owner.token.swapcase(), "é")]
    assert [answer.status_code for answer in answers] == [403] * 5
    assert all("set-cookie" not in answer.headers for answer in answers)
    late = opened(owner, owner.token)
    assert late.status_code == 429 and int(late.headers["retry-after"]) >= 1


@pytest.fixture(scope="module")
def public(starts_server: None, tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[str, str]]:
    """A page that others can reach, with a password; and the address and the path of its owner link."""
    folder = tmp_path_factory.mktemp("public")
    (folder / "password").write_text(f"{PASSWORD}\n")
    log = folder / "log"
    flags = ("--host", "0.0.0.0", "--password-file", str(folder / "password"), "--data-folder", str(folder))
    server = Forked(SCRIPTED, free_port(), *flags, log=log)
    try:
        for _ in range(600):
            found = re.search(rf"http://127\.0\.0\.1:\d+({PATH}\?token=\S+)", log.read_text())
            if found:
                break
            time.sleep(0.05)
        assert found, log.read_text()
        yield server.url, found[1]
        assert log.read_text().count(found[1].partition("=")[2]) == 1, "the token was logged"
    finally:
        server.end()


def status_of(url: str, **headers: str) -> dict[str, Any]:
    (end,) = (one for one in PageClient(url, **headers).ask("header", "ask") if one["msg"] == "process_completed")
    told: dict[str, Any] = json.loads(outputs(end)[0])
    return told


def refused(url: str, event: str, sent: Any, **headers: str) -> str:
    """The sentence with which an event of the tab is refused; "" where it is answered."""
    (end,) = (one for one in PageClient(url, **headers).ask("model", event, sent) if one["msg"] == "process_completed")
    return "" if end["success"] else str(end["output"]["error"])


def test_a_visitor_with_the_password_changes_nothing_and_the_owner_does(public: tuple[str, str]) -> None:
    url, link = public
    visitor = cookie(log_in(url))
    events: list[tuple[str, Any]] = [("switch", LOAD), ("estimate", LOAD), ("use", {"key": "x", "running": "wait"}),
                                     ("unload", {"key": "x"}), ("cancel", {}), ("halt", {}),
                                     ("template", {})]  # fmt: skip
    for event, sent in events:
        for more in ({}, {"X-Forwarded-For": "127.0.0.1"}, {"Cookie": f"{visitor}; playground-owner-{url[-5:]}=x"}):
            told = refused(url, event, {**sent, **ANSWERED}, **{"Cookie": visitor, **more})
            assert told.startswith("Only the owner of this server can do this"), (event, more, told)
    seen = status_of(url, Cookie=visitor)
    assert seen["owner"] is False and seen["model"]["folder"] is None
    assert "name" not in seen["pool"]["entries"][0] and "choice" not in seen["pool"]["entries"][0]

    answer: Answer = ask(url, link, Accept="text/html")
    assert answer[0] == 303 and "token" not in answer[2]["location"]
    assert ask(url, "/", Cookie=cookie(answer), Accept="text/html")[1].count('name="password"') == 1
    both = f"{visitor}; {cookie(answer)}"
    assert status_of(url, Cookie=both)["owner"] is True
    assert refused(url, "estimate", {**LOAD, **ANSWERED}, Cookie=both) == ""
    assert ask(url, "/logout", Cookie=both)[0] == 303
    assert status_of(url, Cookie=f"{cookie(log_in(url))}; {cookie(answer)}")["owner"] is False


def test_a_visitor_sees_the_list_and_a_sentence_until_the_owner_link_is_opened(
    public: tuple[str, str], visit: Visit
) -> None:
    url, link = public
    page = visit(url, wait=False)
    page.get_by_label("User name").fill("guest")
    page.get_by_label("Password").fill(PASSWORD)
    page.get_by_role("button", name="Log in").click()
    page.locator("nav [data-tab=model]").click()
    expect(page.locator(".models-help")).to_contain_text("Only the owner of this server switches models")
    expect(page.locator(".model-form")).to_be_hidden()
    expect(page.locator(".known button")).to_have_count(0)
    expect(page.locator(".server-notice")).to_be_hidden()
    page.goto(url + link)
    page.locator("nav [data-tab=model]").click()
    expect(page.locator(".model-form")).to_be_visible()
    assert "token" not in page.url


def test_a_wrong_link_is_a_plain_page_of_one_sentence(public: tuple[str, str]) -> None:
    url, _ = public
    status, text, headers = ask(url, f"{PATH}?token=wrong", Accept="text/html", Accept_Language="zh-CN")
    assert status == 403 and "<p>这不是此服务器当前的所有者链接" in text and "<script" not in text
    assert "set-cookie" not in headers and headers["referrer-policy"] == "no-referrer"
    assert ask(url, PATH, b"{}")[0] in (401, 404)
