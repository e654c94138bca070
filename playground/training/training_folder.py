"""One folder for each training: its plan, its state, its curves and what was asked of it. Knows no model.

A process that trains and servers and terminals that look at it share nothing but these files. Each is replaced whole,
or grows by whole lines, so that whoever reads at any moment, or after a crash, finds nothing half written.
"""

from __future__ import annotations

import json
import re
import secrets
import shutil
import time
from collections.abc import Iterable, Mapping
from contextlib import suppress
from dataclasses import asdict, dataclass, fields, replace
from pathlib import Path
from typing import Any, Literal, get_args

from filelock import FileLock, Timeout

from playground.machine.disk import DiskError
from playground.training.plan import LONGEST_NOTE, TrainPlan, checked_name
from playground.types import InvalidRequest, Text

Phase = Literal["new", "measuring", "waiting", "preparing", "running", "paused", "stopped", "done", "failed"]
Wish = Literal["pause", "stop"]

ALIVE: tuple[Phase, ...] = ("measuring", "waiting", "preparing", "running")  # phases in which a process is at work
_ON_ITS_WAY = 60.0  # seconds that a process may take until it holds its lock
_ID = re.compile(r"\d{8}-\d{6}-[0-9a-f]{6}")
_VANISHED = Text(
    "The training's process ended without a word, as it does when the system ends it because memory ran out, or when "
    "the machine is switched off. Everything up to the last checkpoint is kept.",
    "训练进程意外终止，内存耗尽被系统结束或关机时会这样。最后一个检查点之前的内容都在。",
)
_AGAIN = Text(
    "Resume it; if it ends so again, a smaller batch or a smaller longest text takes less memory.",
    "请继续训练；若再次这样结束，减小批大小或最长文本可降低内存占用。",
)


@dataclass(frozen=True, slots=True)
class TrainState:
    """How far a training is. `seconds_left`, `memory` (bytes of its process) and `tokens_per_second` are None until
    they are known. `doing` says what is being prepared, `trouble` why it failed. `best_step` is the step with the
    lowest validation loss, `base_loss` that of the base. `starts` counts how often a process has begun to work at it,
    `queued` is when it was last asked to (seconds since 1970), `ahead` how many are before it. One that is not `begun`
    has been started, and its process is on its way."""

    phase: Phase = "new"
    step: int = 0
    steps: int = 0
    epoch: float = 0.0
    seconds_left: float | None = None
    memory: int | None = None
    tokens_per_second: float | None = None
    doing: Text | None = None
    trouble: Text | None = None
    notice: Text | None = None
    best_step: int | None = None
    best_loss: float | None = None
    base_loss: float | None = None
    starts: int = 0
    queued: float = 0.0
    ahead: int = 0
    begun: bool = True

    def as_record(self) -> dict[str, Any]:
        """Plain data, texts in both languages."""
        return asdict(self)

    @classmethod
    def of_record(cls, record: Mapping[str, Any]) -> TrainState:
        """What `as_record` gave. Raises ValueError where it did not."""
        known = {one.name for one in fields(cls)}
        found = {name: value for name, value in record.items() if name in known}
        for name in ("doing", "trouble", "notice"):
            if isinstance(found.get(name), Mapping):
                found[name] = Text(str(found[name].get("en", "")), str(found[name].get("zh", "")))
        if found.get("phase") not in get_args(Phase):
            raise ValueError("no phase of a training")
        return cls(**found)


class TrainingFolder:
    """The files of one training. What cannot be read counts as not there, but for the plan."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.id = path.name

    @classmethod
    def make(cls, root: Path, plan: TrainPlan) -> tuple[TrainingFolder, TrainPlan]:
        """A new folder below `root` with the plan in it, which now has an id. Raises DiskError."""
        now = time.time()
        id = f"{time.strftime('%Y%m%d-%H%M%S', time.localtime(now))}-{secrets.token_hex(3)}"
        plan = replace(plan, id=id, created=now)
        folder = cls(root / id)
        try:
            folder.data.mkdir(parents=True)
            folder.write_plan(plan)
            folder.write_state(TrainState())
        except OSError as error:
            shutil.rmtree(folder.path, ignore_errors=True)
            raise DiskError(error) from error
        return folder, plan

    @property
    def data(self) -> Path:
        return self.path / "data"

    @property
    def checkpoints(self) -> Path:
        return self.path / "checkpoints"

    @property
    def learned(self) -> Path:
        """What has been learned, best by validation: an adapter in peft's own format, or the weights of a full one."""
        return self.path / "adapter"

    @property
    def log(self) -> Path:
        return self.path / "log.txt"

    @property
    def lock(self) -> Path:
        """Held by the process that works at this training, for as long as it lives."""
        return self.path / "running.lock"

    def plan(self) -> TrainPlan:
        """Raises InvalidRequest where it cannot be read."""
        found = read_json(self.path / "plan.json")
        if not isinstance(found, Mapping):
            raise InvalidRequest(
                Text("The plan of this training cannot be read.", "无法读取此训练的计划。"), parameter="training"
            )
        return TrainPlan.of_record(found)

    def write_plan(self, plan: TrainPlan) -> None:
        """Raises OSError."""
        write_json(self.path / "plan.json", plan.as_record())

    def state(self) -> TrainState:
        """As it was written last; failed where a process should be at work and none is."""
        state = self.written_state()
        if not state.begun and time.time() - state.queued < _ON_ITS_WAY:
            return state
        if state.phase in ALIVE and not self.is_alive() and (state := self.written_state()).phase in ALIVE:
            trouble = Text(f"{_VANISHED.en} {_AGAIN.en}", _VANISHED.zh + _AGAIN.zh)
            return replace(state, phase="failed", trouble=trouble, seconds_left=None, doing=None)
        return state

    def written_state(self) -> TrainState:
        """As it was written last, whether its process lives or not."""
        found = read_json(self.path / "state.json")
        try:
            return TrainState.of_record(found) if isinstance(found, Mapping) else TrainState()
        except (ValueError, TypeError):
            return TrainState()

    def write_state(self, state: TrainState) -> None:
        """Raises OSError."""
        write_json(self.path / "state.json", state.as_record())

    def is_alive(self) -> bool:
        """Whether a process works at it; the system lets go of the lock of one that ends, however it ends."""
        if not self.lock.exists():
            return False
        with suppress(OSError, Timeout), FileLock(self.lock, timeout=0):
            return False
        return True

    def about(self) -> dict[str, str]:
        """What its owner calls it and has noted of it."""
        found = read_json(self.path / "about.json")
        found = found if isinstance(found, Mapping) else {}
        return {key: str(found.get(key, "")) for key in ("name", "note")}

    def write_about(self, name: str | None = None, note: str | None = None) -> None:
        """Changes what is given. Raises InvalidRequest where it is no name or no note, and DiskError."""
        about = self.about()
        if name is not None:
            about["name"] = checked_name(name)
        if note is not None:
            if not isinstance(note, str) or len(note) > LONGEST_NOTE:
                raise InvalidRequest(
                    Text(
                        f"A note is a text of at most {LONGEST_NOTE:,} characters.",
                        f"备注应为最多 {LONGEST_NOTE:,} 个字符的文本。",
                    ),
                    parameter="note",
                )
            about["note"] = note
        try:
            write_json(self.path / "about.json", about)
        except OSError as error:
            raise DiskError(error) from error

    def wish(self) -> Wish | None:
        """What was asked of the process that works at it."""
        try:
            said = (self.path / "control").read_text(encoding="utf-8").strip()
        except (OSError, UnicodeDecodeError):
            return None
        return "pause" if said == "pause" else "stop" if said == "stop" else None

    def ask(self, wish: Wish | None) -> None:
        """Asks it to pause, or to stop and keep what is learned; None takes that back. Raises DiskError."""
        try:
            if wish is None:
                (self.path / "control").unlink(missing_ok=True)
            else:
                _replace(self.path / "control", wish)
        except OSError as error:
            raise DiskError(error) from error

    def add_line(self, name: str, record: Mapping[str, Any]) -> None:
        """One more line of `metrics.jsonl` or `samples.jsonl`. Raises OSError."""
        with (self.path / name).open("a", encoding="utf-8") as file:
            file.write(json.dumps(record, ensure_ascii=False) + "\n")

    def lines(self, name: str, since: int = 0) -> list[dict[str, Any]]:
        """The whole lines of such a file but the first `since`."""
        try:
            text = (self.path / name).read_bytes().decode("utf-8", "replace")
        except OSError:
            return []
        found = []
        for line in text.split("\n")[:-1][since:]:
            with suppress(ValueError):
                found.append(json.loads(line))
        return found

    def cut_lines(self, name: str, step: int) -> None:
        """Leaves out what was written of later steps than this one, which are done again. Raises OSError."""
        kept = [one for one in self.lines(name) if one.get("step", 0) <= step]
        _replace(self.path / name, "".join(json.dumps(one, ensure_ascii=False) + "\n" for one in kept))


def find_folder(root: Path, id: object) -> TrainingFolder:
    """The folder of a training. Raises InvalidRequest where there is none; nothing but an id ever becomes a path."""
    if isinstance(id, str) and _ID.fullmatch(id) and (root / id / "plan.json").is_file():
        return TrainingFolder(root / id)
    raise InvalidRequest(
        Text(f"There is no training {str(id)[:60]!r}.", f"没有编号为 {str(id)[:60]!r} 的训练。"), parameter="training"
    )


def all_folders(root: Path) -> list[TrainingFolder]:
    """Every training, the newest first."""
    try:
        names = sorted((path.name for path in root.iterdir() if _ID.fullmatch(path.name)), reverse=True)
    except OSError:
        return []
    return [TrainingFolder(root / name) for name in names if (root / name / "plan.json").is_file()]


def read_json(path: Path) -> Any:
    """What a JSON file holds; None where it cannot be read."""
    try:
        return json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError, RecursionError):
        return None


def write_json(path: Path, record: Mapping[str, Any] | Iterable[Any]) -> None:
    """Replaces the file whole. Raises OSError."""
    _replace(path, json.dumps(record, ensure_ascii=False, indent=1))


def _replace(path: Path, text: str) -> None:
    part = path.with_name(f"{path.name}.{secrets.token_hex(4)}.part")
    try:
        part.write_text(text, encoding="utf-8")
        part.replace(path)
    except OSError:
        part.unlink(missing_ok=True)
        raise
