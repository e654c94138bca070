"""OpenAI's own client before a server of the tests, and plain requests beside it."""

from __future__ import annotations

import json
import time
import urllib.error
import urllib.request
from typing import Any

from openai import InternalServerError, OpenAI

SAID: Any = [{"role": "user", "content": "Say something about ferries."}]
KEY = "sk-playground-0123456789abcdef"


def client_of(url: str, key: str = "none") -> OpenAI:
    return OpenAI(base_url=f"{url}/v1", api_key=key, max_retries=0, timeout=60)


def ready(url: str) -> OpenAI:
    """The same once the model is loaded; until then the server says 503 and when to come again."""
    client = client_of(url)
    for _ in range(600):
        try:
            client.models.list()
        except InternalServerError as error:
            if error.status_code != 503 or error.response.headers["Retry-After"] != "5":
                raise
            time.sleep(0.1)
        else:
            break
    return client


def post(url: str, path: str, body: Any, patience: float = 60, **headers: str) -> tuple[int, Any, Any]:
    """Status, body and headers of an answer, refusals too; TimeoutError where none comes."""
    data = body if isinstance(body, bytes) else json.dumps(body).encode()
    request = urllib.request.Request(url + path, data, {"Content-Type": "application/json", **headers})
    try:
        with urllib.request.urlopen(request, timeout=patience) as answer:
            return answer.status, json.load(answer), answer.headers
    except urllib.error.HTTPError as error:
        return error.code, json.loads(error.read()), error.headers
