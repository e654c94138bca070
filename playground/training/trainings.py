"""All trainings below one folder: made, started, asked to pause or to stop, looked at, deleted. Knows no page.

Each runs in a process of its own that outlives whoever started it, and waits for its turn by itself; so nothing here
has to be running. May be used from any thread and from several programs at once. Imports no torch.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Protocol

from playground.machine.data_folder import TRAININGS
from playground.machine.disk import DiskError
from playground.training.plan import TrainPlan
from playground.training.train_settings import changed_settings
from playground.training.trainable import check_trainable
from playground.training.training_folder import ALIVE, TrainingFolder, TrainState, all_folders, find_folder, read_json
from playground.types import Busy, InvalidRequest, Text

FOLDER = TRAININGS  # below the data folder
_ROOT = Path(__file__).parents[2]
_LOOK = 0.05  # seconds between looks of somebody who waits


Lines = list[dict[str, Any]]


@dataclass(frozen=True, slots=True)
class TrainingView:
    """One line of a list of trainings; `changed` are the settings that differ from the defaults."""

    id: str
    name: str
    note: str
    created: float
    base: str
    files: tuple[str, ...]
    changed: Mapping[str, Any]
    state: TrainState


class Begun(Protocol):
    """A process that was started."""

    def poll(self) -> int | None:
        """Its exit code; None while it runs."""


class Trainings:
    """The trainings in the folder `root`, which need not exist. `begin` starts the process of one, with flags."""

    def __init__(self, root: Path, begin: Callable[[TrainingFolder, Sequence[str]], Begun] | None = None) -> None:
        self.root = root.expanduser().absolute()
        self._begin = begin or own_process
        self._guard = threading.Lock()
        self._begun: dict[str, Begun] = {}  # polled, so that none stays behind as a zombie

    def create(
        self, plan: TrainPlan, data: tuple[str, bytes | Path], validation: tuple[str, bytes | Path] | None = None
    ) -> str:
        """A new training, not started yet, with its files (their own names, and what they hold) copied; its id.

        Raises ModelError where the base cannot be trained, InvalidRequest, and DiskError.
        """
        check_trainable(plan.choice)
        plan = plan.with_files(data[0], "" if validation is None else validation[0])
        base = dict(plan.base)
        if Path(base["name"]).expanduser().exists():  # the process may be started again from elsewhere
            base["name"] = str(Path(base["name"]).expanduser().absolute())
        folder, plan = TrainingFolder.make(self.root, replace(plan, base=base))
        try:
            _copy(data[1], folder.data / plan.data)
            if validation is not None:
                _copy(validation[1], folder.data / plan.validation)
        except OSError as error:
            shutil.rmtree(folder.path, ignore_errors=True)
            raise DiskError(error) from error
        return folder.id

    def start(self, id: str) -> None:
        """Starts it, or goes on behind its last checkpoint; it waits while another runs. Raises Busy where it is at
        work already, InvalidRequest where there is none or nothing is left to do, and DiskError."""
        self._launch(id, "waiting")

    resume = start

    def measure(self, id: str) -> None:
        """Finds out, beside whatever runs, what memory and time it will take; `estimate` tells. Raises as `start`."""
        self._launch(id, "measuring", "--estimate")

    def estimate(self, id: str) -> dict[str, Any] | None:
        """What `measure` found, as plain data; None where it has not. Raises InvalidRequest where there is no such
        training."""
        found = read_json(find_folder(self.root, id).path / "estimate.json")
        return dict(found) if isinstance(found, Mapping) else None

    def pause(self, id: str) -> None:
        """Asks it to end behind its step, in a checkpoint. Raises InvalidRequest, and DiskError."""
        self._ask(id, "pause")

    def stop(self, id: str) -> None:
        """Asks it to end behind its step and to keep what is learned. Raises InvalidRequest, and DiskError."""
        self._ask(id, "stop")

    def delete(self, id: str) -> None:
        """Removes all of it. Raises Busy while it is at work, InvalidRequest where there is none, and DiskError."""
        with self._guard:
            folder = find_folder(self.root, id)
            if self._state(folder).phase in ALIVE:
                raise Busy(
                    Text("This training is running.", "此训练正在运行。"),
                    Text("Stop it first.", "请先停止它。"),
                )
            # Renamed first, so that nobody finds half of it.
            gone = folder.path.with_name(f".deleted-{folder.id}")
            try:
                folder.path.rename(gone)
            except OSError as error:
                raise DiskError(error) from error
            shutil.rmtree(gone, ignore_errors=True)

    def rename(self, id: str, name: str) -> None:
        """Calls it otherwise. Raises InvalidRequest, and DiskError."""
        find_folder(self.root, id).write_about(name=name)

    def note(self, id: str, note: str) -> None:
        """Keeps what its owner notes of it. Raises InvalidRequest, and DiskError."""
        find_folder(self.root, id).write_about(note=note)

    def views(self) -> list[TrainingView]:
        """All of them, the newest first; a folder whose plan cannot be read is left out."""
        found = []
        for folder in all_folders(self.root):
            try:
                found.append(view_of(folder))
            except InvalidRequest:
                continue
        return found

    def view(self, id: str) -> TrainingView:
        """One of them. Raises InvalidRequest where there is none."""
        return view_of(find_folder(self.root, id))

    def plan(self, id: str) -> TrainPlan:
        """Raises InvalidRequest where there is none."""
        return find_folder(self.root, id).plan()

    def state(self, id: str) -> TrainState:
        """How far it is. Raises InvalidRequest where there is none."""
        return self._state(find_folder(self.root, id))

    def metrics(self, id: str, since: int = 0) -> Lines:
        """Its figures step by step, without the first `since` lines. Lines are only added, but for a resumed run, which
        begins again behind its checkpoint: the state's `starts` has changed then. Raises InvalidRequest."""
        return find_folder(self.root, id).lines("metrics.jsonl", since)

    def samples(self, id: str, since: int = 0) -> Lines:
        """What was written at each evaluation, in the same way as `metrics`. Raises InvalidRequest."""
        return find_folder(self.root, id).lines("samples.jsonl", since)

    def learned(self, id: str) -> Path | None:
        """The folder of what is learned, best by validation; None where nothing is yet. Raises InvalidRequest."""
        place = find_folder(self.root, id).learned
        return place if place.is_dir() else None

    def log(self, id: str, most: int = 20_000) -> str:
        """The end of what its process printed, at most so many characters. Raises InvalidRequest."""
        try:
            return find_folder(self.root, id).log.read_bytes()[-most:].decode("utf-8", "replace")
        except OSError:
            return ""

    def wait(self, id: str, seconds: float = float("inf")) -> TrainState:
        """Its state once no process works at it any more, or after so many seconds. Raises InvalidRequest."""
        folder, ends = find_folder(self.root, id), time.monotonic() + seconds
        while (state := self._state(folder)).phase in ALIVE and time.monotonic() < ends:
            time.sleep(_LOOK)
        return state

    def _ask(self, id: str, wish: Any) -> None:
        folder = find_folder(self.root, id)
        if self._state(folder).phase not in ALIVE:
            raise InvalidRequest(Text("This training is not running.", "此训练没有在运行。"), parameter="training")
        folder.ask(wish)

    def _launch(self, id: str, phase: Any, *flags: str) -> None:
        with self._guard:
            folder = find_folder(self.root, id)
            state = self._state(folder)
            if state.phase in ALIVE:
                raise Busy(Text("This training is at work already.", "此训练已在进行。"))
            if state.phase == "done":
                raise InvalidRequest(
                    Text("This training is done.", "此训练已完成。"),
                    Text("Start a new one with other settings.", "请用其他设置新建训练。"),
                    parameter="training",
                )
            folder.ask(None)
            try:
                folder.write_state(
                    replace(state, phase=phase, queued=time.time(), begun=False, trouble=None, doing=None)
                )
                self._begun[id] = self._begin(folder, flags)
            except OSError as error:
                raise DiskError(error) from error

    def _state(self, folder: TrainingFolder) -> TrainState:
        """The folder's state; of a process that was started here it is known whether it is still on its way."""
        begun, state = self._begun.get(folder.id), folder.written_state()
        if begun is not None and not state.begun:
            if begun.poll() is None:
                return state
            folder.write_state(replace(state, begun=True))
        if begun is not None and begun.poll() is not None:
            del self._begun[folder.id]
        return folder.state()


def view_of(folder: TrainingFolder) -> TrainingView:
    """The line of a list. Raises InvalidRequest where its plan cannot be read."""
    plan, about = folder.plan(), folder.about()
    return TrainingView(
        id=folder.id,
        name=about["name"] or plan.name,
        note=about["note"],
        created=plan.created,
        base=str(plan.base["name"]),
        files=tuple(plan.files.values()),
        changed=changed_settings(plan.settings),
        state=folder.state(),
    )


def own_process(folder: TrainingFolder, flags: Sequence[str]) -> Begun:
    """In a session of its own, so that Ctrl+C in the server's terminal does not reach it. Raises OSError."""
    paths = [str(_ROOT), *filter(None, [os.environ.get("PYTHONPATH")])]
    with folder.log.open("ab") as log:
        return subprocess.Popen(
            [sys.executable, "-m", "playground.training", str(folder.path), *flags],
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=log,
            start_new_session=True,
            env={**os.environ, "PYTHONPATH": os.pathsep.join(paths), "PYTHONUNBUFFERED": "1"},
        )


def _copy(source: bytes | Path, place: Path) -> None:
    if isinstance(source, bytes):
        place.write_bytes(source)
    else:
        shutil.copyfile(source, place)
