"""The model that this server holds: loaded in a thread while the page is already usable.

Knows no page element; it says in words how far loading has come. Opening a generator is handed in, so that a test can
bring its own.
"""

from __future__ import annotations

import logging
import math
import threading
import time
from collections.abc import Callable
from typing import Any

from playground.inspection import inspect_api
from playground.machine import load_times
from playground.models import catalogue
from playground.settings import Settings
from playground.types import Generator, ModelCard, ModelError, PlaygroundError, ProgressReport, Text
from playground.ui import compose_form
from playground.ui.fast_path_report import path_data
from playground.ui.page_texts import LOADING, LOADING_LEFT, LOADING_SO_FAR, NOT_YET, PACKING, UNEXPECTED, bilingual

OpenGenerator = Callable[[Settings, ProgressReport], Generator]
log = logging.getLogger(__name__)


def open_local(settings: Settings, report: ProgressReport) -> Generator:
    """The model that the settings ask for, or the embedded one with a notice in its card that says why."""
    # Imported here: this brings in torch, which takes seconds, and the page is up before.
    from playground.generators.remote.opening import open_chosen

    if settings.engine:
        return open_chosen(settings)
    from playground.generators.local import LocalGenerator
    from playground.kernels import build
    from playground.models import load_or_embedded

    # A first start compiles for some ten seconds, beside what else there is to load.
    threading.Thread(target=build.available, name="build-kernels", daemon=True).start()
    loaded = load_or_embedded(
        settings.model,
        weights=settings.weights,
        max_memory=settings.max_memory,
        offload_folder=settings.offload_folder,
        trust_remote_code=settings.trust_remote_code,
        report=report,
    )
    if settings.kept_memory is not None:
        inspect_api.limit(settings.kept_memory)
    shares = (settings.limits.session_share, settings.limits.address_share)
    generator = LocalGenerator(loaded, rows=settings.rows, kv_memory=settings.kv_memory, shares=shares)
    if settings.path == "fast" and "fast" in generator.paths:
        report(PACKING, None)
        generator.pack()
        try:
            generator.expect(compose_form.first_request(generator.card))
        except Exception as error:  # noqa: BLE001 - a preparation: what fails here is said when the button is pressed
            log.info("Nothing was prepared for the first visitor: %s", type(error).__name__)
    return generator


class ModelHost:
    """One generator, or the state of its loading. All methods may be called from any thread."""

    def __init__(self, settings: Settings, opener: OpenGenerator = open_local) -> None:
        self.settings = settings
        self.stopping = threading.Event()  # set once the server ends: what runs ends too, nothing new begins
        self._opener = opener
        self._ready = threading.Event()
        self._generator: Generator | None = None
        self._error: Text | None = None
        self._stage: tuple[Text, float | None] = (LOADING, None)
        self._began = time.monotonic()
        self._expected = load_times.expected(self._load_name)
        self._share: dict[str, Any] | None = None
        if settings.share:
            self._share = {"state": "opening", "guarded": settings.password is not None}

    def start(self) -> None:
        threading.Thread(target=self._load, name="load-model", daemon=True).start()

    @property
    def _load_name(self) -> str:
        """Of what takes equally long to load from start to start."""
        return f"{self.settings.model or ''} {self.settings.weights} {self.settings.path}".strip()

    def _load(self) -> None:
        self._began = time.monotonic()
        try:
            self._generator = self._opener(self.settings, self._report)
            load_times.remember(self._load_name, time.monotonic() - self._began)
        except PlaygroundError as error:
            self._error = Text(error.say("en"), error.say("zh"))
        except Exception:  # a thread of its own: what is not caught here would leave the page waiting for ever
            log.exception("Loading the model failed")
            self._error = UNEXPECTED
        finally:
            self._ready.set()

    def _report(self, stage: Text, share: float | None) -> None:
        self._stage = (stage, share)

    def wait(self, seconds: float) -> bool:
        """True once loading has ended, one way or the other."""
        return self._ready.wait(seconds)

    @property
    def settled(self) -> bool:
        return self._ready.is_set() and (self._share is None or self._share["state"] != "opening")

    @property
    def loaded(self) -> Generator | None:
        return self._generator

    @property
    def generator(self) -> Generator:
        """The generator; ModelError with the reason where there is none, or none yet."""
        if self._generator is None:
            stage = self.stage()
            loading = Text(NOT_YET.en.replace("{stage}", stage.en), NOT_YET.zh.replace("{stage}", stage.zh))
            raise ModelError(self._error or loading)
        return self._generator

    def stage(self) -> Text:
        """What loading is doing now, with the share done where it is known, and how long it takes."""
        stage, share = self._stage
        if share is not None:
            stage = Text(f"{stage.en} {share:.0%}", f"{stage.zh} {share:.0%}")
        spent = time.monotonic() - self._began
        left = None if self._expected is None else self._expected - spent
        if left is not None and left > 0:
            return LOADING_LEFT.filled(stage=stage, seconds=math.ceil(left))
        return LOADING_SO_FAR.filled(stage=stage, seconds=int(spent))

    def shared(self, url: str | None, local: str) -> None:
        """What became of the public link; `url` is None where the tunnel was not reached."""
        guarded = self.settings.password is not None
        self._share = {"state": "open" if url else "failed", "url": url, "guarded": guarded, "local": local}

    def status(self) -> dict[str, Any]:
        """Everything that the header shows, as plain data."""
        model = card_data(self._generator.card) if self._generator else None
        if model and self.settings.public:
            model["folder"] = None  # where the owner keeps files is nobody else's business
        return {
            "model": model,
            "fast": path_data(self._generator) if self._generator else None,
            "loading": None if self._ready.is_set() else bilingual(self.stage()),
            "progress": None if self._ready.is_set() else self._stage[1],
            "error": bilingual(self._error),
            "share": self._share,
            "guarded": self.settings.password is not None,
        }


def known_models() -> list[dict[str, Any]]:
    """The models that a server can be started with; where their files lie is not said."""
    return [
        {
            "id": entry.id,
            "title": entry.title,
            "note": bilingual(entry.note),
            "size": entry.size,
            "memory": entry.memory,
            "here": entry.folder is not None,
        }
        for entry in catalogue.entries()
    ]


def card_data(card: ModelCard) -> dict[str, Any]:
    return {
        "id": card.id,
        "title": card.title,
        "revision": card.revision,
        "parameters": card.parameters,
        "dtype": card.dtype,
        "size": card.size,
        "context": card.context,
        "limited": card.limited,
        "has_chat_template": card.has_chat_template,
        "placements": [{"module": p.module, "device": p.device, "size": p.size} for p in card.placements],
        "folder": card.folder,
        "notice": bilingual(card.notice),
    }
