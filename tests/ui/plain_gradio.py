"""Gradio as it comes, with nothing of ours around it: `python -m tests.ui.plain_gradio FOLDER` prints what it does.

Each function shows one thing that gradio_workarounds.py lists; what it returns says whether Gradio still does it. Names
behind the folder choose among them; with --changed, what `gradio_workarounds.apply` changes has been changed.
`python -m tests.ui.plain_gradio --port PORT` serves a page, for what only a browser shows.
"""

from __future__ import annotations

import contextlib
import importlib.util
import io
import json
import logging
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import gradio as gr
from fastapi import FastAPI
from gradio_client import utils as client_utils
from starlette.testclient import TestClient

API = "/gradio_api"
RAN: list[str] = []


def ends(word: str) -> str:
    RAN.append(word)
    if word == "fails":
        raise ValueError("of the inside")
    return word


def page() -> gr.Blocks:
    with gr.Blocks() as blocks:
        word, file = gr.Textbox(), gr.HTML()
        word.submit(ends, word, word, api_name="ends")
        word.change(lambda path: {"path": path, "meta": {"_type": "gradio.FileData"}}, word, file, api_name="names")
    return blocks


@contextlib.contextmanager
def served(**more: Any) -> Iterator[tuple[gr.Blocks, TestClient]]:
    blocks = page()
    app = gr.mount_gradio_app(FastAPI(), blocks, path="/", **more)
    with TestClient(app, raise_server_exceptions=False) as client:
        yield blocks, client


def answers(client: TestClient, number: int, *values: Any, times: int = 1) -> list[dict[str, Any]]:
    """What an event tells in the end, as often as it was wished for before anybody listened."""
    for _ in range(times):
        wish = {"fn_index": number, "data": list(values), "session_hash": "one"}
        assert client.post(f"{API}/queue/join", json=wish).status_code == 200
    told = client.get(f"{API}/queue/data?session_hash=one").text
    messages = [json.loads(line.removeprefix("data: ")) for line in told.split("\n\n") if line]
    return [one["output"] for one in messages if one["msg"] == "process_completed"]


def writes_a_stub_beside_a_component(folder: Path) -> bool:
    source = folder / "own.py"
    source.with_suffix(".pyi").unlink(missing_ok=True)
    source.write_text('import gradio as gr\n\n\nclass Own(gr.HTML):\n    """Own."""\n')
    spec = importlib.util.spec_from_file_location("own", source)
    assert spec is not None and spec.loader is not None
    module = sys.modules["own"] = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return source.with_suffix(".pyi").exists()


def copies_the_page_for_each_session(_: Path) -> bool:
    with served() as (blocks, client):
        answers(client, 0, "a")
        holder = blocks.state_holder
        return holder["one"] is not holder["two"]


def prints_a_traceback_of_what_cannot_be_read(_: Path) -> bool:
    printed = io.StringIO()
    with contextlib.redirect_stderr(printed), served() as (_blocks, client):
        answers(client, 0, "too", "many", {"path": 1})
        answers(client, 0)
    return "Traceback" in printed.getvalue()


def serves_any_file_that_a_value_names(folder: Path) -> bool:
    secret = folder / "secret.txt"
    secret.write_text("secret")
    with served() as (_blocks, client):
        path = answers(client, 1, str(secret))[0]["data"][0]["path"]
        return client.get(f"{API}/file={path}").text == "secret"


def leaves_has_launched_unset(_: Path) -> bool:
    with served() as (blocks, _client):
        return not blocks.has_launched


def lets_clients_take_every_path_for_a_file(_: Path) -> bool:
    protocol = page().get_config_file()["protocol"]
    value = {"path": "a word"}
    return protocol != "sse_v2.1" and client_utils.is_file_obj(value) and not client_utils.is_file_obj_with_meta(value)


def runs_what_nobody_reads_without_bound(_: Path) -> bool:
    RAN.clear()
    with served() as (_blocks, client):
        for _wish in range(150):
            wish = {"fn_index": 0, "data": ["a"], "session_hash": "nobody"}
            if client.post(f"{API}/queue/join", json=wish).status_code != 200:
                return False
        end = time.monotonic() + 20
        while len(RAN) < 150 and time.monotonic() < end:
            time.sleep(0.05)
        return len(RAN) == 150


def keeps_a_table_of_all_events(_: Path) -> bool:
    with served() as (blocks, client):
        answers(client, 0, "a")
        return len(blocks._queue.event_analytics) > 0


def takes_forty_events_at_a_time(_: Path) -> bool:
    return page().max_threads == 40


def says_nothing_of_what_a_handler_raises(_: Path) -> bool:
    with contextlib.redirect_stderr(io.StringIO()), served(show_error=False) as (_blocks, client):
        return answers(client, 0, "fails")[0].get("error") is None


def listens_to_no_event_that_the_script_does_not_name(_: Path) -> bool:
    with gr.Blocks():
        named, unnamed = gr.HTML(js_on_load='start("own", ["turned"])'), gr.HTML(js_on_load="start()")
        return hasattr(named, "turned") and not hasattr(unnamed, "turned")


def fails_at_an_argument_that_does_not_exist(_: Path) -> bool:
    with contextlib.redirect_stderr(io.StringIO()), served() as (_blocks, client):
        return client.post(f"{API}/call/v2/ends", json={"nothing": 1}).status_code >= 500


def makes_its_document_for_each_request_and_lets_nobody_keep_it(_: Path) -> bool:
    with served() as (_blocks, client):
        return not any({"etag", "last-modified"} & set(client.get(path).headers) for path in ("/", "/config"))


def loads_a_script_for_frames_and_names_itself(_: Path) -> bool:
    with served() as (_blocks, client):
        text = client.get("/").text
        return "iframeResizer.contentWindow" in text and 'content="Gradio"' in text and "/manifest.json" in text


def offers_routes_that_nobody_needs(_: Path) -> bool:
    with served() as (_blocks, client):
        return client.get("/manifest.json").status_code == 200 and client.get("/monitoring").status_code != 404


def ends_everybodys_session_at_a_logout(_: Path) -> bool:
    with served(auth=("guest", "word")) as (_blocks, mine):
        yours = TestClient(mine.app, raise_server_exceptions=False)
        for client in (mine, yours):
            client.post("/login", data={"username": "guest", "password": "word"})
        before = yours.get("/config").status_code
        mine.get("/logout")
        return before == 200 and yours.get("/config").status_code == 401


def gives_uploads_of_everybody_one_place(_: Path) -> bool:
    with served() as (_blocks, client):
        places = [client.post(f"{API}/upload", files={"files": ("a.txt", b"the same")}).json() for _who in range(2)]
        return places[0] == places[1]


def writes_a_certificate_into_the_working_folder(_: Path) -> bool:
    from gradio import networking, tunneling

    return not any(Path(module.CERTIFICATE_PATH).is_absolute() for module in (networking, tunneling))


FAULTS: tuple[Callable[[Path], bool], ...] = (
    writes_a_stub_beside_a_component,
    copies_the_page_for_each_session,
    prints_a_traceback_of_what_cannot_be_read,
    serves_any_file_that_a_value_names,
    leaves_has_launched_unset,
    lets_clients_take_every_path_for_a_file,
    runs_what_nobody_reads_without_bound,
    keeps_a_table_of_all_events,
    takes_forty_events_at_a_time,
    says_nothing_of_what_a_handler_raises,
    listens_to_no_event_that_the_script_does_not_name,
    fails_at_an_argument_that_does_not_exist,
    makes_its_document_for_each_request_and_lets_nobody_keep_it,
    loads_a_script_for_frames_and_names_itself,
    offers_routes_that_nobody_needs,
    ends_everybodys_session_at_a_logout,
    gives_uploads_of_everybody_one_place,
    writes_a_certificate_into_the_working_folder,
)


def main(folder: Path, names: list[str]) -> None:
    found = {}
    for fault in FAULTS:
        if names and fault.__name__ not in names:
            continue
        try:
            found[fault.__name__] = str(fault(folder))
        except (AssertionError, AttributeError, ImportError, LookupError, TypeError, ValueError) as error:
            found[fault.__name__] = repr(error)
    print(json.dumps(found))


def fail() -> None:
    raise gr.Error("A sentence.")


def serve(port: int) -> None:
    """A page with an element that sets its own value as it begins."""
    with gr.Blocks(title="Of Gradio") as blocks:
        script = 'props.value = "set"; window.tell = trigger; ["say", "fail"]'
        element = gr.HTML("came", js_on_load=script, elem_id="element")
        said = gr.Textbox("", elem_id="said")
        element.say(lambda value: f"The value is {value}.", element, said)
        element.fail(fail, None, None)
    blocks.queue().launch(
        server_port=port, quiet=True, head="<script>document.title = 'Of a script';</script>", ssr_mode=False
    )


if __name__ == "__main__":
    if sys.argv[1] == "--port":
        serve(int(sys.argv[2]))
    else:
        if "--changed" in sys.argv:
            from playground.ui import gradio_workarounds

            logging.disable()
            gradio_workarounds.apply()
            gradio_workarounds.certificate_below(Path(sys.argv[1]))
        main(Path(sys.argv[1]), [name for name in sys.argv[2:] if name != "--changed"])
