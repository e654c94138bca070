"""From a URL to a generator: what answers there is asked, never guessed by the address."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, cast

from playground.generators.remote import failures, kinds, llama_cpp, openai_server, playground
from playground.generators.remote.adapter import Adapter, EngineFacts
from playground.generators.remote.address import Timeouts, address_of, read_key
from playground.generators.remote.generator import Figures, RemoteGenerator
from playground.generators.remote.http_client import EngineClient
from playground.generators.remote.playground import RemotePlayground
from playground.generators.remote.served import chosen, served
from playground.models import adapter_failures
from playground.settings import ModelSettings
from playground.types import ModelCard

_MOST_TOP = 5  # candidates that any server with log-probabilities gives

Recogniser = Callable[[EngineClient, Mapping[str, Any], str | None], Adapter | None]
"""Looks at the answers {path: object} of a server and gives the adapter of its kind, for the model that is named."""

ASKED = ("/props", "/version", "/v1/models", kinds.ROUTES)
"""What a server is asked, the last only where it has not told its kind; which it answers, and how, tells it."""


def open_engine(
    url: str,
    *,
    key: str | None = None,
    key_file: Path | None = None,
    model: str | None = None,
    verify: bool | Path = True,
    plain_http: bool = False,
    timeouts: Timeouts | None = None,
    sample_here: bool = False,
    figures: Figures = "later",
) -> RemoteGenerator:
    """The generator of the engine at this URL. Raises EngineError where there is none, ValueError for `verify` False.

    The key comes from `key`, else from `key_file`, and goes to this address only. `verify` is a file
    of certificates that are trusted instead of the system's; certificates are always checked.
    """
    client = _client(url, key, key_file, verify, plain_http, timeouts)
    try:
        return RemoteGenerator(client, recognised(client, model), sample_here=sample_here, figures=figures)
    except BaseException:
        client.close()
        raise


def open_playground(
    url: str,
    *,
    key: str | None = None,
    key_file: Path | None = None,
    model: str | None = None,
    verify: bool | Path = True,
    plain_http: bool = False,
    timeouts: Timeouts | None = None,
) -> RemotePlayground | None:
    """The same where another Playground answers, whose runs lose nothing on the way; None where something else does.

    Raises as `open_engine`.
    """
    client = _client(url, key, key_file, verify, plain_http, timeouts)
    found = None
    try:
        found = playground.recognised(client, model)
    finally:
        if found is None:
            client.close()
    return found


def _client(
    url: str,
    key: str | None,
    key_file: Path | None,
    verify: bool | Path,
    plain_http: bool,
    timeouts: Timeouts | None,
) -> EngineClient:
    if verify is False:
        raise ValueError("certificates are always checked")
    key = read_key(key_file) if key is None and key_file is not None else key
    ca_file = verify if isinstance(verify, Path) else None
    return EngineClient(address_of(url, key=key, ca_file=ca_file, plain_http=plain_http, timeouts=timeouts))


def open_chosen(settings: ModelSettings, url: str | None = None) -> RemoteGenerator | RemotePlayground:
    """The engine or other Playground at this URL, by default the first of the settings, spoken to as they say.

    Raises EngineError, and ModelError where the settings also name an adapter, which nothing could be put into.

    The key is for the engines of the settings: one that is named elsewhere does not get it.
    """
    if url is None and settings.adapter is not None:
        raise adapter_failures.on_an_engine()
    url = settings.engine[0] if url is None else url
    ours = url in settings.engine
    spoken: dict[str, Any] = {
        "key": settings.engine_key if ours else None,
        "key_file": Path(settings.engine_key_file) if ours and settings.engine_key_file is not None else None,
        "model": settings.engine_model,
        "verify": True if settings.engine_ca_file is None else Path(settings.engine_ca_file),
        "plain_http": settings.engine_plain_http,
        "timeouts": Timeouts(first=settings.engine_timeout),
    }
    if (other := open_playground(url, **spoken)) is not None:
        return other
    sample_here, figures = settings.engine_draws == "here", cast(Figures, settings.engine_figures)
    return open_engine(url, **spoken, sample_here=sample_here, figures=figures)


def recognised(client: EngineClient, model: str | None) -> Adapter:
    """The adapter of the kind that answers. Raises EngineError where nothing does, or no engine."""
    answers: dict[str, Mapping[str, Any]] = {}
    last: failures.EngineRefusal | None = None
    for path in ASKED:
        if path == kinds.ROUTES and ("/props" in answers or "/version" in answers):
            break
        try:
            answers[path] = client.get(path)
        except failures.EngineRefusal as error:
            last = error
    if not answers:
        raise failures.no_engine(client.host) if last is None or last.unknown else last
    for recognise in RECOGNISERS:
        adapter = recognise(client, answers, model)
        if adapter is not None:
            return adapter
    raise failures.no_engine(client.host)


def llama_cpp_adapter(
    client: EngineClient, answers: Mapping[str, Mapping[str, Any]], model: str | None
) -> Adapter | None:
    """For llama.cpp's own server, which tells its settings under /props."""
    props = answers.get("/props")
    if props is None or "default_generation_settings" not in props:
        return None
    chosen(client, answers, model)
    return llama_cpp.recognise(client, props, answers.get("/v1/models", {}))


def openai_adapter(client: EngineClient, answers: Mapping[str, Mapping[str, Any]], model: str | None) -> Adapter | None:
    """For a server that says nothing of itself but its models: each way of asking is tried with one token.

    Raises EngineError where it takes neither.
    """
    if not served(answers):
        return None
    name = chosen(client, answers, model)
    listed = answers["/v1/models"]["data"]
    record = next(one for one in listed if one.get("id") == name)
    window = record.get("max_model_len") or record.get("context_length") or record.get("context_window")
    question = {"model": name, "max_tokens": 1, "temperature": 0}
    chat = question | {"messages": [{"role": "user", "content": "A"}]}
    completes = _answers(client, "/v1/completions", question | {"prompt": "A"})
    chats = _answers(client, "/v1/chat/completions", chat)
    if not (completes or chats):
        raise failures.no_engine(client.host)
    card = ModelCard(
        id=name, title=name.rpartition("/")[2] or name, revision="unknown", parameters=0, dtype="unknown", size=0,
        context=int(window or openai_server.UNKNOWN_CONTEXT), has_chat_template=chats, limited=bool(window),
    )  # fmt: skip
    facts = EngineFacts(openai_server.KIND, openai_server.TITLE, "unknown", card, model=name)
    more = {"logprobs": True, "top_logprobs": _MOST_TOP} if chats else {"logprobs": _MOST_TOP}
    path, body = ("/v1/chat/completions", chat) if chats else ("/v1/completions", question | {"prompt": "A"})
    figures = _answers(client, path, body | more)
    return openai_server.OpenAIServer(
        client.host, facts, completes=completes, chats=chats, top=_MOST_TOP if figures else 0
    )


def _answers(client: EngineClient, path: str, body: Mapping[str, Any]) -> bool:
    """Whether a server takes this request."""
    try:
        return bool(client.post(path, body).get("choices"))
    except failures.EngineRefusal:
        return False


RECOGNISERS: tuple[Recogniser, ...] = (
    llama_cpp_adapter,
    kinds.vllm,
    kinds.sglang,
    kinds.transformers_serve,
    openai_adapter,
)
"""One for each kind, special ones before general ones."""
