"""Promises of MCP at /mcp, with the SDK's own client over HTTP, in today's version of the protocol and the last."""

from __future__ import annotations

import asyncio
import json
import urllib.error
import urllib.request
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import httpx2
import pytest
from mcp import Client
from mcp.client.streamable_http import streamable_http_client
from mcp.types import CallToolResult, TextContent

from playground.settings import from_arguments
from playground.types import PlaygroundError
from playground.ui.page_texts import QUEUE_FULL
from tests.own_loop import in_own_loop
from tests.ui.conftest import Site

VERSIONS = ("auto", "legacy")  # the second has sessions and says goodbye
KEY = "a-key-of-thirty-two-characters-0"
SHORT = {"seed": 3, "max_new_tokens": 12}
PATIENCE = 60  # seconds in which a promise that is broken is noticed


def told(url: str, use: Callable[[Client], Awaitable[Any]], mode: str = "auto", key: str = "") -> Any:
    """What `use` returns, of a client that is connected. What fails is raised as it is, not within groups of groups."""
    failed: list[BaseException] = []

    async def main() -> Any:
        async with asyncio.timeout(PATIENCE), connected(url, mode, key) as client:
            try:
                return await use(client)
            except Exception as error:  # noqa: BLE001 - raised again below
                failed.append(error)

    found = in_own_loop(main)
    if failed:
        raise failed[0]
    return found


@asynccontextmanager
async def connected(url: str, mode: str, key: str) -> AsyncIterator[Client]:
    headers = {"Authorization": f"Bearer {key}"} if key else {}
    async with (
        httpx2.AsyncClient(headers=headers, timeout=PATIENCE) as http,
        Client(streamable_http_client(f"{url}/mcp", http_client=http), mode=mode) as client,
    ):
        yield client


async def call(client: Client, name: str, **given: Any) -> dict[str, Any]:
    """The result as data; it is the same as the text that clients get who read no data."""
    found = await client.call_tool(name, given)
    assert not found.is_error, said(found)
    assert json.loads(said(found)) == found.structured_content
    return dict(found.structured_content)


async def refusal(client: Client, name: str, **given: Any) -> str:
    found = await client.call_tool(name, given)
    assert found.is_error and found.structured_content is None
    sentence = said(found)
    assert "\n" not in sentence and "Traceback" not in sentence
    return sentence


def said(found: CallToolResult) -> str:
    (content,) = found.content
    assert isinstance(content, TextContent)
    return content.text


def status(url: str, **headers: str) -> tuple[int, str]:
    """What a plain POST is answered, and the sentence with it."""
    body = {"jsonrpc": "2.0", "id": 1, "method": "ping"}
    sent = {"Content-Type": "application/json", "Accept": "application/json, text/event-stream", **headers}
    try:
        with urllib.request.urlopen(urllib.request.Request(f"{url}/mcp", json.dumps(body).encode(), sent)) as answer:
            return answer.status, ""
    except urllib.error.HTTPError as error:
        with error:
            return error.code, json.loads(error.read()).get("detail", "")


@pytest.mark.parametrize("mode", VERSIONS)
def test_an_agent_writes_and_learns_what_another_setting_would_have_written(tiny_site: str, mode: str) -> None:
    async def use(client: Client) -> None:
        run = await call(client, "generate", prompt="The old", parameters=SHORT)
        text = run["texts"][0]["text"]
        same = await call(client, "what_if", run=run["run"], parameters={})
        assert same["same"] and same["first_difference"] is None and same["written"]["texts"][0]["text"] == text
        hot = await call(client, "what_if", run=run["run"], parameters={"temperature": 2.5, "top_k": 0})
        first, other = hot["first_difference"], hot["written"]["texts"][0]["text"]
        # The replay told it before the model wrote it.
        assert not hot["same"] and text.startswith(first["text_before"]) and other.startswith(first["text_before"])
        behind = len(first["text_before"])
        assert text[behind:].startswith(first["was"]) and other[behind:].startswith(first["would_be"])
        told = await call(client, "what_if", run=run["run"], parameters={"temperature": 2.5, "top_k": 0}, write=False)
        assert told == {**hot, "written": None}

    told(tiny_site, use, mode)


def test_an_agent_reads_a_texts_probabilities(tiny_site: str) -> None:
    async def use(client: Client) -> None:
        read = await call(client, "read_probabilities", text=" lamp and harbour", before="The old", alternatives=2)
        assert "".join(one["text"] for one in read["tokens"]) == " lamp and harbour"
        for one in read["tokens"]:
            assert 0 < one["probability"] < 1 and one["rank"] >= 1 and len(one["alternatives"]) == 2
            assert one["alternatives"][0]["probability"] >= one["probability"]
        bare = await call(client, "read_probabilities", text="The old", alternatives=0)
        assert bare["tokens"][0]["probability"] is None and bare["tokens"][1]["alternatives"] == []

    told(tiny_site, use)


@pytest.mark.parametrize("mode", VERSIONS)
def test_an_agent_finds_a_task_fills_it_and_gets_what_the_text_stands_for(scripted: str, mode: str) -> None:
    async def use(client: Client) -> None:
        listed = (await call(client, "list_tasks"))["tasks"]
        assert {"id", "title", "description", "output", "fields"} == set(listed[0])
        task = (await call(client, "list_tasks", task="slogans", language="zh"))["task"]
        fields = {field["name"]: field["default"] for field in task["fields"]}
        counts: list[float] = []

        async def note(progress: float, total: float | None, message: str | None) -> None:
            counts.append(progress)

        asked = {"task": "slogans", "fields": fields, "language": "zh", "parameters": {"seed": 0, "n": 2}}
        found = await client.call_tool("write_with_task", asked, progress_callback=note)
        texts = found.structured_content["texts"]
        assert [one["seed"] for one in texts] == [0, 1] and texts[0]["text"].startswith("Night Ferry")
        assert texts[0]["value"] == texts[0]["text"].strip() and counts[-1] > 0
        assert any("不是中文" in one or "中文" in one for one in found.structured_content["remarks"])

    told(scripted, use, mode)


def test_whatever_is_wrong_is_one_sentence_that_names_it(scripted: str) -> None:
    async def use(client: Client) -> None:
        slogan = {"task": "slogans", "fields": {"product": "x", "about": "y"}}
        for name, given, part in (
            ("generat", {}, "Did you mean generate?"),
            ("generate", {}, "generate needs the argument prompt."),
            ("generate", {"prompt": 5}, "The argument prompt must be a text."),
            ("generate", {"prompt": "  "}, "The prompt is empty."),
            ("generate", {"promt": "x"}, "Did you mean prompt?"),
            ("generate", {"prompt": "x", "parameters": {"top_kk": 1}}, "Did you mean top_k?"),
            ("generate", {"prompt": "x", "parameters": {"top_p": 2}}, "it must be a number from 0 to 1"),
            ("generate", {"prompt": "x", "parameters": []}, "must be an object"),
            ("generate", {"prompt": "x", "mode": "poem"}, "mode must be chat or complete."),
            ("generate", {"prompt": "x", "path": "quick"}, "path must be exact or fast."),
            ("generate", {"prompt": "x", "mode": "chat", "turns": ["only one"]}, "turns"),
            ("write_with_task", {**slogan, "task": "slogan"}, "Did you mean slogans?"),
            ("write_with_task", {**slogan, "fields": {"produkt": "x"}}, "Its fields are product, about"),
            ("write_with_task", {**slogan, "mode": "poem"}, "mode must be chat or complete."),
            ("write_with_task", {**slogan, "language": "fr"}, "language must be en or zh."),
            ("what_if", {"run": "never", "parameters": {}}, "This run is not known here any more."),
            ("read_probabilities", {"text": "x", "alternatives": 11}, "a whole number from 0 to 10"),
            ("describe_parameters", {"names": ["temp"]}, "There is no parameter 'temp'."),
        ):
            assert part in await refusal(client, name, **given), (name, given)
        assert "没有" in await refusal(client, "write_with_task", **{**slogan, "task": "slogan", "language": "zh"})
        assert "tells no probabilities" in await refusal(client, "read_probabilities", text="x")
        # What cannot be replayed is written again and compared, which the note says.
        run = await call(client, "generate", prompt="x", parameters={"seed": 0})
        again = await call(client, "what_if", run=run["run"], parameters={"seed": 1})
        assert again["same"] is False and again["first_difference"] is None and "compared" in again["note"]
        assert "kept" in await refusal(client, "what_if", run=run["run"], parameters={}, write=False)

    told(scripted, use)


def test_a_run_ends_with_its_client_and_the_line_moves_on(serve: Site, tmp_path: Path) -> None:
    held = tmp_path / "held"
    held.write_text("3 4")
    url = serve("--hold", str(held), "--limit-running", "1", "--limit-waiting", "1")

    async def use(client: Client) -> None:
        told_of: asyncio.Queue[str] = asyncio.Queue()

        async def note(progress: float, total: float | None, message: str | None) -> None:
            await told_of.put(message or "")

        def begin(seed: int) -> asyncio.Task[Any]:
            asked = {"prompt": "x", "parameters": {"seed": seed}}
            return asyncio.create_task(client.call_tool("generate", asked, progress_callback=note))

        running = begin(3)
        while not await told_of.get():
            pass  # until it has written something
        waiting = begin(4)
        while "1 ahead of you" not in await told_of.get():
            pass  # until it is told its place
        third = await client.call_tool("generate", {"prompt": "x"})  # one runs, one waits
        for task in (waiting, running):
            task.cancel()
        await asyncio.gather(waiting, running, return_exceptions=True)
        assert third.is_error and QUEUE_FULL.en in said(third)
        while (found := await client.call_tool("generate", {"prompt": "x", "parameters": {"seed": 0}})).is_error:
            await asyncio.sleep(0.05)  # the line is full until the server has heard that both are gone
        assert found.structured_content["texts"][0]["finish_reason"] == "end"

    for mode in VERSIONS:
        told(url, use, mode)


def test_a_public_page_takes_agents_only_where_asked_for_and_with_a_key(serve: Site, tmp_path: Path) -> None:
    keys = tmp_path / "keys"
    keys.write_text(f"another-key-of-somebody-else\n{KEY}\n")
    public = ("--host", "0.0.0.0", "--limit-tokens", "40")
    assert status(serve(*public))[0] == 403
    url = serve(*public, "--mcp", "--api-key-file", str(keys))
    assert status(url) == (401, "This needs a key of this server: send it as Authorization: Bearer KEY.")
    assert status(url, Authorization=f"Bearer {KEY}x")[0] == 401
    assert status(url, Authorization=f"Bearer {KEY}", Origin="https://elsewhere.example")[0] == 403
    assert status(url, Authorization=f"Bearer {KEY}", Host="elsewhere.example")[0] == 421

    async def use(client: Client) -> None:
        assert (await call(client, "generate", prompt="x", parameters=SHORT))["texts"]
        asked = {"max_new_tokens": 41}
        assert "allows at most 40" in await refusal(client, "generate", prompt="x", parameters=asked)

    told(url, use, key=KEY)
    with pytest.raises(PlaygroundError, match="needs a key"):
        from_arguments(["--host", "0.0.0.0", "--mcp"], {})
    with pytest.raises(PlaygroundError, match="needs a key"):
        from_arguments(["--mcp"], {"PLAYGROUND_PASSWORD": "secret"})
