"""A visitor without a browser: sends the events that the page's scripts send, over real HTTP, and reads the answers."""

from __future__ import annotations

import http.client
import json
import urllib.request
import uuid
from functools import partial
from typing import Any


class _From(urllib.request.HTTPHandler):
    """Connects from this address, where one is given."""

    def __init__(self, address: str) -> None:
        super().__init__()
        self._source = (address, 0) if address else None

    def http_open(self, req: urllib.request.Request) -> http.client.HTTPResponse:
        return self.do_open(partial(http.client.HTTPConnection, source_address=self._source), req)


class Visitor:
    """One session; `address` is where it comes from: of 127.0.0.0/8 a test may take any, each counts as its own."""

    def __init__(self, url: str, address: str = "") -> None:
        self._url = url
        self._opener = urllib.request.build_opener(_From(address))
        self.session = uuid.uuid4().hex[:12]
        config = json.loads(self._get("/config"))
        names = {one["id"]: one["props"].get("elem_id") for one in config["components"]}
        self._events = {
            (names.get(block), event): (one["id"], one["inputs"])
            for one in config["dependencies"]
            for block, event in one["targets"]
        }

    def send(self, element: str, event: str, data: Any = None, *values: Any) -> dict[str, Any]:
        """The last message about this event; `values` are those of its inputs."""
        number, inputs = self._events[element, event]
        wish = {
            "data": [*values, *[None] * (len(inputs) - len(values))],
            "event_data": data,
            "fn_index": number,
            "session_hash": self.session,
            "trigger_id": None,
        }
        name = json.loads(self.post("/gradio_api/queue/join", wish))["event_id"]
        with self._open(f"/gradio_api/queue/data?session_hash={self.session}") as stream:
            for line in stream:
                told = json.loads(line.decode().removeprefix("data:")) if line.startswith(b"data:") else {}
                if told.get("event_id") == name and told["msg"] == "process_completed":
                    return dict(told["output"])
        raise AssertionError("the stream ended without an answer")

    def props(self, element: str, event: str, data: Any = None, *values: Any) -> dict[str, Any]:
        """The props that the event's element is told, as its script reads them."""
        (told,) = self.send(element, event, data, *values)["data"]
        return {name: json.loads(text) for name, text in told["props"].items()}

    def call(self, **given: Any) -> Any:
        """A stream of `/generate`, open."""
        name = json.loads(self.post("/gradio_api/call/v2/generate", given))["event_id"]
        return self._open(f"/gradio_api/call/generate/{name}")

    def post(self, path: str, wish: Any) -> bytes:
        with self._open(path, json.dumps(wish).encode()) as answer:
            return bytes(answer.read())

    def _get(self, path: str) -> bytes:
        with self._open(path) as answer:
            return bytes(answer.read())

    def _open(self, path: str, body: bytes | None = None) -> Any:
        headers = {"Content-Type": "application/json"} if body is not None else {}
        return self._opener.open(urllib.request.Request(self._url + path, body, headers))
