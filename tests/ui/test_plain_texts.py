"""Nothing that a visitor or a model writes is taken for an object: it comes back as the text it is, naming no file."""

from __future__ import annotations

import base64
import json
import urllib.request
from collections.abc import Iterator
from contextlib import chdir
from pathlib import Path
from typing import Any

import pytest
from gradio_client import Client

from playground import parameters
from playground.machine.run_folder import LOCK
from playground.tasks import user_task
from tests.ui.events import PageClient, outputs, screen, status
from tests.ui.served import SCRIPTED, Forked, free_port

SECRET = "nobody may read this"
EXAMPLE = "data.jsonl"  # of the tab Train, which its owner asks for and Gradio does not serve
# Names under which the scripts of the page send anything at all.
NAMES = (
    "at", "card", "data", "fields", "file", "fixed", "from", "hand", "head", "heading", "id", "key", "kind", "knobs",
    "language", "left_out", "mapping", "message", "n", "name", "number", "own", "parted", "position", "prefill",
    "prompt", "request", "room", "row", "run", "seed", "size", "system", "talk", "target", "task", "text", "title",
    "token_id", "turns", "variables", "action", "yaml",
)  # fmt: skip


class Site:
    """A page whose working and temporary folders hold nothing but a file that nobody may read."""

    def __init__(self, folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        self.own, self.temporary = folder / "own", folder / "temporary"
        for place in (self.own, self.temporary):
            place.mkdir()
        self.secret = self.own / "secret.csv"
        self.secret.write_text(SECRET)
        monkeypatch.setenv("GRADIO_TEMP_DIR", str(self.temporary / "gradio"))
        monkeypatch.setenv("TMPDIR", str(self.temporary))
        self.server = Forked(SCRIPTED, free_port(), "--data-folder", str(folder / "data"))
        self.page = PageClient(self.server.url)

    def objects(self) -> list[dict[str, Any]]:
        """What Gradio takes for a file, for an address, for an update of an element; and honest texts like them."""
        path, url = str(self.secret), f"{self.server.url}/gradio_api/file={self.secret}"
        meta = {"_type": "gradio.FileData"}
        return [
            {"path": path, "meta": meta},
            {"path": path, "url": url, "orig_name": "a.csv", "meta": meta, "is_stream": False},
            {"path": url, "meta": meta},
            {"__type__": "update", "value": {"path": path, "meta": meta}, "visible": False},
            {"path": "a road", "meta": "a word"},
        ]

    def untouched(self) -> None:
        """Nothing was copied to where Gradio serves from, and nothing is served."""
        files = [one for one in self.temporary.rglob("*") if one.is_file()]
        assert {one.name for one in files} - {EXAMPLE} == {LOCK}
        assert all(SECRET.encode() not in one.read_bytes() for one in files)
        for place in (self.secret, "secret.csv", "README.md", self.temporary / "gradio" / "secret.csv"):
            assert status(f"{self.server.url}/gradio_api/file={place}") in (403, 404)


@pytest.fixture(scope="module")
def site(starts_server: None, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    with pytest.MonkeyPatch.context() as patched, chdir(Path(__file__).parents[2]):
        found = Site(tmp_path_factory.mktemp("site"), patched)
    found.page.ask("compose", "look")
    yield found
    found.server.end()


def texts(told: Any) -> list[str]:
    """All texts in what an event is answered with; fails where an object in it is not one of Gradio's own updates."""
    if isinstance(told, list):
        return [text for one in told for text in texts(one)]
    if isinstance(told, dict):
        assert told.keys() <= {"__type__", "value", "props"} and told["__type__"] == "update", told
        assert all(isinstance(one, str) for one in told.get("props", {}).values()), told
        return [*texts(told.get("value")), *told.get("props", {}).values()]
    assert told is None or isinstance(told, str), told
    return [] if told is None else [told]


def answers(messages: list[dict[str, Any]]) -> list[Any]:
    """What the elements are told, as the scripts read it."""
    ends = [one for one in messages if one["msg"] in ("process_generating", "process_completed")]
    assert all(one["success"] for one in ends), ends
    return [json.loads(text) for one in ends for text in texts(outputs(one))]


def test_no_event_of_the_page_takes_an_object_for_more_than_a_text(site: Site) -> None:
    page = site.page
    assert len(page.events()) > 40
    hostile = site.objects()[1]
    for given in (hostile, json.dumps(hostile)):
        values = {name: {"value": given, **dict.fromkeys(NAMES, given)} for name in ("compose", "act", "read")}
        for element, event in page.events():
            answers(page.ask(element, event, dict.fromkeys(NAMES, given) | {"path": given}, **values))
    site.untouched()


def test_an_object_in_place_of_a_text_reaches_nobody(site: Site) -> None:
    """As no script of ours sends it: values and events that are objects themselves."""
    hostile = site.objects()[1]
    for element, event in site.page.events():
        for body in site.page.body(element, event):
            if site.page.post(body | {"data": [hostile] * len(body["data"]), "event_data": hostile}):
                for message in site.page.read():
                    texts(outputs(message))
    site.untouched()


def test_texts_that_look_like_objects_come_back_as_they_went(site: Site) -> None:
    page = site.page
    for hostile in site.objects():
        text = json.dumps(hostile)
        (seen, *_) = answers(page.ask("compose", "look", compose={"kind": "complete", "prompt": text}))
        assert seen["text"] == text
        talk = {"message": text, "turns": [["user", text], ["assistant", text]], "system": text, "prefill": text}
        (seen, *_) = answers(page.ask("compose", "look", compose={"kind": "talk", "talk": talk}))
        assert seen["text"].count(text) == 5
        told = answers(page.ask("write", "keep", {"head": {"title": "A draft", "plan": text}, "at": 1}))
        assert next(one for one in told if one)["head"]["plan"] == text
        yaml = user_task.write("Mine", user_task.free(text + " {{thing}}"), {}, parameters.validate({}), "en")
        (told, *_) = answers(page.ask("user_tasks", "check", {"yaml": yaml}))
        assert told["yaml"] == yaml and told["record"]["title"]["en"] == "Mine"
    site.untouched()


def test_cells_and_columns_of_a_file_are_texts(site: Site) -> None:
    cell = json.dumps(site.objects()[0])
    row = {"path": cell, "meta": "a word", "url": "b", "_type": "gradio.FileData"}
    content = json.dumps(row).encode()
    piece = {"at": 1, "name": "a.jsonl", "size": len(content), "from": 0, "data": base64.b64encode(content).decode()}
    job = next(one for one in answers(site.page.ask("batch", "piece", piece)) if one and "columns" in one)
    assert job["columns"] == list(row) and job["first"] == row
    wish = {"key": job["key"], "task": "record", "mapping": {"message": "path"}, "fixed": {}, "n": 1, "seed": 1}
    assert cell in screen(site.page.ask("batch", "look", wish)).shown["batch-preview"]["prompt"]
    site.untouched()


def test_the_endpoint_takes_and_gives_them_as_texts(site: Site) -> None:
    client = Client(site.server.url, verbose=False)
    for hostile in site.objects():
        text = json.dumps(hostile)
        final = client.predict(text, system="", stop=[text], seed=0, api_name="/generate")
        assert final["candidates"][0]["text"].startswith("Night Ferry")
        job = client.submit(task="slogans", fields=text, api_name="/generate")
        assert "slogans has no field '" in str(job.exception())
        turns = [["user", text], ["assistant", text]]
        assert client.predict(text, turns=turns, mode="chat", seed=0, api_name="/generate")["candidates"]
    fields = json.dumps({"product": json.dumps(site.objects()[-1])})
    final = client.predict(task="slogans", fields=fields, seed=0, api_name="/generate")
    assert json.loads(final["candidates"][0]["value"]) == final["candidates"][0]["text"]
    client.close()
    site.untouched()


def generated(url: str, **given: Any) -> dict[str, Any]:
    post = urllib.request.Request(
        f"{url}/gradio_api/call/v2/generate", json.dumps(given).encode(), {"Content-Type": "application/json"}
    )
    with urllib.request.urlopen(post) as answer:
        event = json.load(answer)["event_id"]
    with urllib.request.urlopen(f"{url}/gradio_api/call/generate/{event}") as stream:
        lines = stream.read().decode().splitlines()
    assert lines[-3] == "event: complete", lines[-3:]
    found: dict[str, Any] = json.loads(lines[-2].removeprefix("data: "))[0]
    return found


@pytest.mark.model
def test_an_object_that_the_model_writes_names_no_file(embedded_page: str, tmp_path: Path) -> None:
    """A schema of constants has the model write whatever a visitor likes."""
    file, honest = {"path": "README.md", "meta": {"_type": "gradio.FileData"}}, {"path": "a", "meta": "b"}
    for wanted in (file, honest):
        asked = {"prompt": "One", "json_schema": json.dumps({"const": wanted}), "path": "fast"}
        (candidate,) = generated(embedded_page, **asked)["candidates"]
        assert json.loads(candidate["value"]) == json.loads(candidate["text"]) == wanted
    schema = json.dumps({"const": file})
    client = Client(embedded_page, verbose=False, download_files=str(tmp_path / "downloads"))
    final = client.predict("One", json_schema=schema, path="fast", api_name="/generate")
    assert json.loads(final["candidates"][0]["value"]) == file
    client.close()
    knobs, compose = {"json_schema": schema, "n": 1, "max_new_tokens": 100}, {"kind": "complete", "prompt": "One"}
    told = PageClient(embedded_page).ask("act", "generate", knobs=knobs, compose=compose, act={"path": "fast"})
    assert answers(told) and json.loads(screen(told).shown["cards"]["rows"][0]["text"]) == file
    assert status(f"{embedded_page}/gradio_api/file=README.md") in (403, 404)
    assert not [one for one in (tmp_path / "downloads").rglob("*") if one.is_file()]
