"""The models that this server holds, for the page: loaded in a thread while the page is already usable.

Knows no page element; it says in words how far loading has come. Opening a generator is handed in, so that a test can
bring its own.
"""

from __future__ import annotations

import dataclasses
import logging
import math
import sys
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from playground.inspection import inspect_api
from playground.machine import load_times
from playground.models import adapters, catalogue
from playground.models.memory_estimate import MemoryEstimate
from playground.models.model_choice import ModelChoice
from playground.serving.loaded_models import LoadedModels, named
from playground.serving.local_tools import local_tools
from playground.serving.model_pool import ModelPool
from playground.serving.model_switch import Tools
from playground.serving.pool_texts import LOADED_ARE, NOT_LOADED
from playground.settings import Settings
from playground.types import Generator, InvalidRequest, ModelCard, ModelError, ProgressReport, Text
from playground.ui import compose_form
from playground.ui.fast_path_report import path_data
from playground.ui.model_texts import ENGINE
from playground.ui.page_texts import LOADING, LOADING_LEFT, LOADING_SO_FAR, NOT_YET, bilingual

_SHOWN = 100  # characters of a name that somebody sent
OpenGenerator = Callable[[Settings, ProgressReport], Generator]
log = logging.getLogger(__name__)


def open_local(settings: Settings, report: ProgressReport) -> Generator:
    """The model that the settings ask for, or the embedded one with a notice in its card that says why."""
    # Imported here: this brings in torch, which takes seconds, and the page is up before.
    from playground.generators import opening
    from playground.generators.remote.opening import open_chosen

    if settings.engine:
        return open_chosen(settings)
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
        adapter=settings.adapter,
        adapter_share=settings.adapter_share,
        report=report,
    )
    if settings.kept_memory is not None:
        inspect_api.limit(settings.kept_memory)
    return prepared(opening.generator(loaded, _bounds(settings), report), settings)


def open_choice(settings: Settings, choice: ModelChoice, report: ProgressReport) -> Generator:
    """Another model while the server runs. Raises ModelError where it cannot be loaded: nothing takes its place."""
    from playground.generators import opening
    from playground.generators.remote.opening import open_chosen

    if choice.is_engine:
        return open_chosen(settings, choice.name)
    return prepared(opening.open_local(choice, _bounds(settings), report), settings)


def _bounds(settings: Settings) -> Any:
    from playground.generators.opening import Bounds

    shares = (settings.limits.session_share, settings.limits.address_share)
    fast = settings.path == "fast"
    return Bounds(settings.rows, settings.kv_memory, shares, fast, settings.offload_folder)


def prepared(generator: Any, settings: Settings) -> Generator:
    """With the steps being compiled that the first visitor's first request will take."""
    if settings.path == "fast" and "fast" in generator.paths:
        try:
            generator.expect(compose_form.first_request(generator.card))
        except Exception as error:  # noqa: BLE001 - a preparation: what fails here is said when the button is pressed
            log.info("Nothing was prepared for the first visitor: %s", type(error).__name__)
    made: Generator = generator
    return made


class ModelHost:
    """The server's models for the page: the current generator, or the state of its loading. `pool` holds them all.

    All methods may be called from any thread.
    """

    def __init__(self, settings: Settings, opener: OpenGenerator = open_local) -> None:
        self.settings = settings
        self.stopping = threading.Event()  # set once the server ends: what runs ends too, nothing new begins
        self._opener = opener
        models = LoadedModels()
        if opener is open_local:
            tools = local_tools(settings, models, self._open_choice)
        else:
            tools = Tools(self._open_choice, _unknown, _nothing, lambda _: sys.maxsize, settings.model_memory)
        self.pool = ModelPool(tools, idle=settings.model_idle, models=models)
        self._began = False
        self._share: dict[str, Any] | None = None
        if settings.share:
            self._share = {"state": "opening", "guarded": settings.password is not None}

    def start(self) -> None:
        """Begins to load what the settings ask for, and returns at once."""
        self._began = True
        self.pool.start(ModelChoice.of_settings(self.settings), self._open_first)

    def _open_first(self, choice: ModelChoice, report: ProgressReport) -> Generator:
        return self._timed(choice, lambda: self._opener(self.settings, report))

    def _open_choice(self, choice: ModelChoice, report: ProgressReport) -> Generator:
        if self._opener is open_local:
            return self._timed(choice, lambda: open_choice(self.settings, choice, report))
        asked = dataclasses.replace(
            self.settings,
            model=choice.name,
            weights=choice.weights,
            max_memory=dict(choice.max_memory) or None,
            trust_remote_code=choice.trust_remote_code,
            adapter=choice.adapter,
            adapter_share=choice.adapter_share,
        )
        return self._opener(asked, report)

    def _timed(self, choice: ModelChoice, load: Callable[[], Generator]) -> Generator:
        began = time.monotonic()
        generator = load()
        load_times.remember(self.load_name(choice), time.monotonic() - began)
        return generator

    def load_name(self, choice: ModelChoice) -> str:
        """Of what takes equally long to load from time to time."""
        return f"{choice.label} {choice.weights} {self.settings.path}"

    def wait(self, seconds: float) -> bool:
        """True once a run can begin, or none will: loading has ended one way or the other."""
        if not self._began:
            return False
        return self.pool.ready or self.pool.wait(seconds)

    @property
    def settled(self) -> bool:
        return self.wait(0) and (self._share is None or self._share["state"] != "opening")

    @property
    def loaded(self) -> Generator | None:
        return self.pool.current

    @property
    def generator(self) -> Generator:
        """The generator; ModelError with the reason where there is none, or none yet."""
        found = self.pool.current
        if found is None:
            raise ModelError(self.error or NOT_YET.filled(stage=self.stage()))
        return found

    @property
    def generators(self) -> Sequence[Generator]:
        """All that are loaded, the current one first."""
        return [one.generator for one in self.pool.entries()]

    def named(self, name: str) -> Generator | None:
        """The loaded one of this id or title, None for the current one where no name is given. InvalidRequest for any
        other name."""
        if not name:
            return None
        loaded = self.generators
        found = named(loaded, name)
        if found is None:
            ids = dict.fromkeys(one.card.title for one in loaded)
            said = NOT_LOADED.filled(name=name[:_SHOWN])
            raise InvalidRequest(said, LOADED_ARE.filled(names=Text(", ".join(ids), "、".join(ids))), parameter="model")
        return found

    def with_card(self, card: ModelCard) -> Generator:
        """The loaded generator whose card this is, else the current one: a run asks the model that it began with."""
        found = next((one.generator for one in self.pool.entries() if one.card is card), None)
        return self.generator if found is None else found

    @contextmanager
    def in_use(self, generator: Generator | None = None) -> Iterator[tuple[Generator, threading.Event]]:
        """This generator, or the current one, stays loaded while this lasts; the event is set once a run has to end
        early. ModelError with the reason where there is none, or none yet, or this one is not loaded any more."""
        if not self.pool.ready:
            raise ModelError(self.error or NOT_YET.filled(stage=self.stage()))
        if generator is not None:
            with self.pool.using(generator) as ends:
                yield generator, ends
        else:
            with self.pool.current_in_use() as found:
                yield found

    @property
    def error(self) -> Text | None:
        """Why no model is loaded."""
        state = self.pool.state()
        return state.reason if self.pool.current is None and state.phase == "failed" else None

    def stage(self) -> Text:
        """What loading is doing now, with the share done where it is known, and how long it takes."""
        state = self.pool.state()
        choice = state.choice or ModelChoice.of_settings(self.settings)
        stage, share = state.stage or LOADING, state.share
        if share is not None:
            stage = Text(f"{stage.en} {share:.0%}", f"{stage.zh} {share:.0%}")
        expected = load_times.expected(self.load_name(choice))
        left = None if expected is None else expected - state.seconds
        if left is not None and left > 0:
            return LOADING_LEFT.filled(stage=stage, seconds=math.ceil(left))
        return LOADING_SO_FAR.filled(stage=stage, seconds=int(state.seconds))

    def shared(self, url: str | None, local: str) -> None:
        """What became of the public link; `url` is None where the tunnel was not reached."""
        guarded = self.settings.password is not None
        self._share = {"state": "open" if url else "failed", "url": url, "guarded": guarded, "local": local}

    def status(self) -> dict[str, Any]:
        """Everything that the header shows, as plain data."""
        generator, loading = self.pool.current, not self.wait(0)
        model = card_data(generator.card) if generator else None
        if model and self.settings.public:
            model["folder"] = model["adapter"] = None  # where the owner keeps files is nobody else's business
        return {
            "model": model,
            "engine": _engine_name(generator),
            "fast": path_data(generator) if generator else None,
            "loading": bilingual(self.stage()) if loading else None,
            "progress": self.pool.state().share if loading else None,
            "error": bilingual(self.error),
            "share": self._share,
            "guarded": self.settings.password is not None,
        }


def _engine_name(generator: Generator | None) -> str | None:
    """What the engine behind a URL calls itself; None of a model on this machine."""
    facts = getattr(generator, "facts", None)
    if facts is None:
        return None
    known = [one for one in (facts.title, facts.version) if "unknown" not in one]
    return " ".join(known) or None


def _unknown(choice: ModelChoice) -> MemoryEstimate:
    """Of a generator that holds no memory here."""
    return MemoryEstimate(0, 0, 0, 0, 0, 0, 0, 0, 0, 0, "unknown")


def _nothing(choice: ModelChoice, progress: Callable[[Any], None]) -> None:
    """It has no files."""


def known_models(engines: Sequence[str] = ()) -> list[dict[str, Any]]:
    """These engines, and the models that a server can be started with; where files lie is not said."""
    ours = [
        {
            "id": url,
            "title": url,
            "note": bilingual(ENGINE),
            "licence": None,
            "size": None,
            "memory": None,
            "here": False,
        }
        for url in engines
    ]
    return ours + [
        {
            "id": entry.id,
            "title": entry.title,
            "note": bilingual(entry.note),
            "licence": entry.licence,
            "size": entry.size,
            "memory": entry.memory,
            "here": entry.folder is not None,
        }
        for entry in catalogue.entries()
    ]


def known_adapters(root: Path) -> list[dict[str, str]]:
    """What trainings in this folder have learned, the newest first."""
    return [{"folder": str(one), "title": adapters.title_of(str(one))} for one in adapters.inside(root)]


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
        "adapter": card.adapter,
        "notice": bilingual(card.notice),
    }
