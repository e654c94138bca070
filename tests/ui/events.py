"""The page's events and the endpoint without a browser: what scripts and programs send, and what comes back."""

from __future__ import annotations

import itertools
import json
import select
import socket
import time
import urllib.error
import urllib.request
from collections.abc import Iterable, Iterator, Mapping
from typing import Any
from urllib.parse import urlparse

import pytest

PATIENCE = 120.0  # seconds; generous, since nothing here is about speed
_sessions = itertools.count(1)


class PageClient:
    """One session of a page. Values of elements are those of a newcomer's page, with what a call changes."""

    def __init__(self, url: str, config: Any = None, **headers: str) -> None:
        """`headers` go with every request."""
        self.url = url
        self.headers = headers
        self.session = f"session{next(_sessions)}"
        self.config = config or _config(url, headers)
        self.elements = {one["props"].get("elem_id"): one for one in self.config["components"]}
        self._names = {one["id"]: name for name, one in self.elements.items()}

    def other(self) -> PageClient:
        """Another session of the same page."""
        return PageClient(self.url, self.config)

    def events(self) -> list[tuple[str, str]]:
        """Every event of every element that Python answers."""
        found = {
            (self._names[target], event)
            for one in self.config["dependencies"]
            for target, event in one["targets"]
            if one["backend_fn"] and target in self._names
        }
        return sorted(found)

    def body(self, element: str, event: str, sent: Any = None, **values: Any) -> list[dict[str, Any]]:
        """What the browser posts for each listener of the event; `values` are those of elements, or change them."""
        target = self.elements[element]["id"]
        listeners = [one for one in self.config["dependencies"] if [target, event] in map(list, one["targets"])]
        assert listeners, f"{element} has no event {event}"
        return [
            {
                "data": [self._value(self._names[place], values) for place in one["inputs"]],
                "event_data": json.dumps(sent),
                "fn_index": one["id"],
                "trigger_id": target,
                "session_hash": self.session,
            }
            for one in listeners
        ]

    def program(self, *values: Any) -> dict[str, Any]:
        """What gradio_client posts for the endpoint `/generate`, with the first of its arguments."""
        (one,) = (one for one in self.config["dependencies"] if one["api_name"] == "generate")
        return {"data": list(values), "fn_index": one["id"], "session_hash": self.session}

    def ask(self, element: str, event: str, sent: Any = None, **values: Any) -> list[dict[str, Any]]:
        """All messages that answer the event, to the end of its listeners."""
        waits = False
        for body in self.body(element, event, sent, **values):
            waits = self.post(body) or waits
        return list(self.read()) if waits else []

    def seen(self, prompt: str = "One two three") -> Any:
        """What a visitor is told of a prompt; nothing while the model loads."""
        messages = self.ask("compose", "look", compose={"kind": "complete", "prompt": prompt})
        (end,) = (one for one in messages if one["msg"] == "process_completed")
        return json.loads(outputs(end)[0])

    def wait(self) -> PageClient:
        """Until the model is loaded."""
        while self.seen().keys() <= {"number"}:
            time.sleep(0.1)
        return self

    def post(self, body: Mapping[str, Any]) -> bool:
        """Whether the answer will come over the stream; those beside the queue answer at once."""
        one = next(one for one in self.config["dependencies"] if one["id"] == body["fn_index"])
        path = "queue/join" if one["queue"] is not False else "run/predict"
        headers = {"Content-Type": "application/json", **self.headers}
        post = urllib.request.Request(f"{self.url}/gradio_api/{path}", json.dumps(body).encode(), headers)
        with urllib.request.urlopen(post) as answer:
            return "event_id" in json.load(answer)

    def stream(self) -> Any:
        """The answers of this session, to be read or not."""
        asked = f"{self.url}/gradio_api/queue/data?session_hash={self.session}"
        return urllib.request.urlopen(urllib.request.Request(asked, headers=self.headers), timeout=PATIENCE)

    def read(self) -> Iterator[dict[str, Any]]:
        with self.stream() as stream:
            for line in stream:
                if line.startswith(b"data: "):
                    yield json.loads(line[6:])

    def _value(self, name: str, values: Mapping[str, Any]) -> Any:
        own = self.elements[name]["props"].get("value")
        if name not in values:
            return own
        given, known = values[name], json.loads(own)
        return json.dumps(known | given if isinstance(known, dict) and isinstance(given, dict) else given)


class Stream:
    """A client of `/generate` that reads what comes whenever it is asked, and holds its connection open."""

    def __init__(self, url: str, **values: object) -> None:
        post = urllib.request.Request(
            f"{url}/gradio_api/call/v2/generate",
            json.dumps({"prompt": "One two", "path": "fast", **values}).encode(),
            {"Content-Type": "application/json"},
        )
        with urllib.request.urlopen(post) as answer:
            event = json.load(answer)["event_id"]
        place = urlparse(url)
        self.heard = b""
        self._socket = socket.create_connection((place.hostname, place.port))
        self._socket.sendall(f"GET /gradio_api/call/generate/{event} HTTP/1.0\r\nHost: localhost\r\n\r\n".encode())

    def listen(self) -> bytes:
        while select.select([self._socket], [], [], 0)[0]:
            piece = self._socket.recv(1 << 16)
            if not piece:
                break
            self.heard += piece
        return self.heard

    def wait(self, event: bytes) -> None:
        for _ in range(1200):
            if b"event: " + event in self.listen():
                return
            time.sleep(0.05)
        pytest.fail(f"no {event!r} came: {self.heard[-500:]!r}")

    def close(self) -> None:
        self._socket.close()


def _config(url: str, headers: dict[str, str]) -> Any:
    with urllib.request.urlopen(urllib.request.Request(f"{url}/config", headers=headers)) as answer:
        return json.load(answer)


def outputs(message: Mapping[str, Any]) -> list[Any]:
    """What a message has for each output of its event; what replaces the update before it stands in a list."""
    data = message.get("output", {}).get("data") or []
    return [one[0][2] if isinstance(one, list) else one for one in data]


class Screen:
    """What the elements show while something runs, put together from the updates as page.js does."""

    def __init__(self) -> None:
        self.shown: dict[str, Any] = {}
        self.all: list[tuple[str, Any]] = []
        self._states: dict[tuple[str, str], Any] = {}

    def take(self, update: Mapping[str, Any]) -> None:
        for to, event, how in update["feed"]:
            value = changed(self._states.get((to, event)), how)
            if event:
                self._states[to, event] = value
            self.shown[to] = value
            self.all.append((to, value))


def changed(old: Any, how: Any) -> Any:
    """The state that a change makes of the one before it."""
    if isinstance(how, list | tuple):
        if len(how) == 1:
            return how[0]
        kept, added = how
        return old.encode("utf-16-le", "surrogatepass")[: 2 * kept].decode("utf-16-le", "surrogatepass") + added
    if isinstance(old, list):
        now = old + [None] * (max(map(int, how), default=0) + 1 - len(old))
        for place, part in how.items():
            now[int(place)] = changed(now[int(place)], part)
        return now
    return {**old, **{name: changed(old.get(name), part) for name, part in how.items()}}


def screen(messages: Iterable[Mapping[str, Any]]) -> Screen:
    """The page after these messages."""
    found = Screen()
    for message in messages:
        for told in outputs(message):
            update = json.loads(told) if isinstance(told, str) else None
            if isinstance(update, dict) and "feed" in update:
                found.take(update)
    return found


def status(url: str) -> int:
    """What a GET is answered with."""
    try:
        with urllib.request.urlopen(url) as answer:
            return int(answer.status)
    except urllib.error.HTTPError as error:
        error.close()
        return error.code
