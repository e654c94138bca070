"""How this server runs: flags and environment, read in one place.

Knows no model and no page; a password never comes from an argument and is never shown.
"""

from __future__ import annotations

import argparse
import getpass
import os
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

from playground.types import Path as RunPath
from playground.types import PlaygroundError, Text

WEIGHTS = ("auto", "fp32", "bf16", "int8", "int4")
ROWS = 32  # of one step of the fast path: beyond that a step takes a reader's patience on a CPU
PASSWORD_VARIABLE = "PLAYGROUND_PASSWORD"
_UNITS = {"": 1, "B": 1, "KB": 10**3, "MB": 10**6, "GB": 10**9, "KIB": 2**10, "MIB": 2**20, "GIB": 2**30}


@dataclass(frozen=True, slots=True)
class Limits:
    """What one visitor may ask for: tokens and rows per request, characters of prompt.

    `running` requests run at a time on the exact path (on the fast path they share a batch); `waiting` wait in line.
    A file of the tab Batch may have `batch_rows` rows, `batch_bytes` bytes and `batch_cell` characters in one cell;
    reading it may take `reading_seconds` of CPU time and `reading_memory` bytes, in a process of its own. The server
    keeps `batches` of them, `drafts` long texts, both in `store_bytes` (0: as much as the disk holds). Of whatever all
    share, one session may take `session_share` and one address `address_share`, in percent. A session may have
    `session_events` open at a time, where a page has three or four, and all those of one address `address_events`.
    """

    max_new_tokens: int = 4096
    candidates: int = 16
    num_beams: int = 8
    prompt_characters: int = 200_000
    max_seconds: float = 0.0
    running: int = 4
    waiting: int = 64
    batch_rows: int = 10_000
    batch_bytes: int = 20_000_000
    batch_cell: int = 500_000
    reading_seconds: float = 20.0
    reading_memory: int = 10**9
    batches: int = 1_000
    drafts: int = 2_000
    store_bytes: int = 0
    session_share: int = 100
    address_share: int = 100
    session_events: int = 32
    address_events: int = 256

    def share(self, all_of_it: int) -> tuple[int, int]:
        """How much of what all share a session may take, and an address; at least one."""
        session, address = (all_of_it * part // 100 for part in (self.session_share, self.address_share))
        return max(1, session), max(1, address)


PUBLIC_LIMITS = Limits(
    max_new_tokens=512,
    candidates=4,
    num_beams=4,
    prompt_characters=20_000,
    max_seconds=120.0,
    running=3,
    waiting=32,
    batch_rows=500,
    batch_bytes=2_000_000,
    store_bytes=2_000_000_000,
    session_share=25,
    address_share=50,  # more than a session's, since a school or an office has one address
    batch_cell=100_000,
    reading_seconds=5.0,
    reading_memory=5 * 10**8,
    session_events=24,
    address_events=64,
)
LOCAL = ("127.0.0.1", "localhost", "::1")  # addresses that only this machine can reach


@dataclass(frozen=True, slots=True)
class Settings:
    """One server's settings. `max_memory` maps a device ("cpu" or a GPU's number) to bytes.

    `kept_memory` is how many bytes the logits of earlier runs may take, `kv_memory` how many the keys and values of the
    fast path's running batch; None leaves it to the machine's memory. `path` is what a newcomer's page starts with.
    `data_folder` keeps batch jobs and drafts; None is the user's own, or on a public page one for this run alone.
    `allowed_hosts` are names, or endings of names with a dot in front, at which a proxy or a name server shows the
    page; `root_path` is the path, or the whole URL, at which it does; `framed_by` may show it in a frame.
    `run_folder` is for whatever ends with this run.
    """

    host: str = "127.0.0.1"
    port: int = 7860
    model: str | None = None
    weights: str = "auto"
    max_memory: Mapping[str | int, int] | None = None
    offload_folder: str | None = None
    kept_memory: int | None = None
    path: RunPath = "fast"
    rows: int = ROWS
    kv_memory: int | None = None
    data_folder: str | None = None
    trust_remote_code: bool = False
    share: bool = False
    user: str = "guest"
    password: str | None = field(default=None, repr=False)
    limits: Limits = Limits()
    allowed_hosts: tuple[str, ...] = ()
    root_path: str = ""
    framed_by: tuple[str, ...] = ()
    run_folder: Path | None = None

    @property
    def local(self) -> bool:
        """True where only this machine can connect to the server itself."""
        return self.host in LOCAL

    @property
    def public(self) -> bool:
        """True where people other than the owner can reach the page."""
        return self.share or not self.local


def parse_bytes(text: str, name: str = "max-memory") -> int:
    """`8GiB`, `150MB` or a plain number of bytes, as accelerate's max_memory means them."""
    match = re.fullmatch(r"\s*(\d+(?:\.\d+)?)\s*([A-Za-z]*)\s*", text)
    if match is None or match[2].upper() not in _UNITS:
        raise PlaygroundError(
            Text(f"{name}: {text[:40]!r} is not a size.", f"{name}：{text[:40]!r} 不是有效的大小。"),
            Text("Write it like 8GiB or 500MB.", "请写成 8GiB 或 500MB 这样的形式。"),
        )
    return int(float(match[1]) * _UNITS[match[2].upper()])


def parse_max_memory(text: str | None) -> dict[str | int, int] | None:
    """`cpu=8GiB,0=20GiB` as {"cpu": 8589934592, 0: 21474836480}."""
    if not text:
        return None
    budget: dict[str | int, int] = {}
    for part in text.split(","):
        device, _, size = part.partition("=")
        device = device.strip()
        if not (device == "cpu" or device.isdigit()):
            raise PlaygroundError(
                Text(f"max-memory: {device[:40]!r} is no device.", f"max-memory：{device[:40]!r} 不是设备。"),
                Text("Use cpu or a GPU's number: cpu=8GiB,0=20GiB.", "请用 cpu 或显卡编号：cpu=8GiB,0=20GiB。"),
            )
        budget[int(device) if device.isdigit() else device] = parse_bytes(size)
    return budget


def add_model_flags(parser: argparse.ArgumentParser) -> None:
    """The flags that choose and place a model; the app and the terminal share them."""
    parser.add_argument(
        "--model", help="hub id, local folder or GGUF file (default: the embedded SmolLM2-135M-Instruct)"
    )
    parser.add_argument("--weights", choices=WEIGHTS, default="auto", help="number format of the weights")
    parser.add_argument(
        "--max-memory", metavar="cpu=8GiB,0=20GiB", help="memory each device may use; the rest goes to disk"
    )
    parser.add_argument("--offload-folder", help="folder for weights that fit no device")
    parser.add_argument(
        "--trust-remote-code", action="store_true", help="run code that comes with a model (off: safer)"
    )


def server_parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="app.py", description="Playground: see what every sampling knob does.", allow_abbrev=False
    )
    parser.add_argument("--host", help="address to listen on (default: GRADIO_SERVER_NAME, else 127.0.0.1)")
    parser.add_argument("--port", type=int, help="default: GRADIO_SERVER_PORT, else 7860")
    add_model_flags(parser)
    parser.add_argument("--share", action="store_true", help="open a public link through Gradio's tunnel")
    parser.add_argument("--user", default="guest", help="user name that goes with the password")
    parser.add_argument("--password-file", help=f"first line is the password of the page; or set {PASSWORD_VARIABLE}")
    parser.add_argument("--ask-password", action="store_true", help="ask for the page's password in the terminal")
    parser.add_argument(
        "--kept-memory", metavar="2GiB", help="memory for looking into earlier runs (default: a tenth, at most 2 GiB)"
    )
    parser.add_argument("--path", choices=("exact", "fast"), default="fast", help="what a newcomer's page starts with")
    parser.add_argument(
        "--rows", type=int, default=ROWS, metavar="N", help=f"rows of a step on the fast path (default: {ROWS})"
    )
    parser.add_argument(
        "--kv-memory", metavar="4GiB", help="memory for its keys and values (default: 15 %% of it all; on a GPU half)"
    )
    parser.add_argument(
        "--data-folder", metavar="FOLDER", help="keeps batches and drafts (default: yours; a public page keeps none)"
    )
    parser.add_argument(
        "--allowed-host",
        action="append",
        metavar="NAME",
        help="a name that the page is reached by, behind a proxy for example; .example.org for all that end so",
    )
    _add_limits(parser)
    return parser


def _add_limits(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--limit-tokens", type=int, metavar="N", help="most new tokens of one request")
    parser.add_argument("--limit-candidates", type=int, metavar="N", help="most candidates of one request")
    parser.add_argument("--limit-prompt", type=int, metavar="CHARS", help="most characters of one prompt")
    parser.add_argument("--limit-running", type=int, metavar="N", help="requests that run at the same time, exact path")
    parser.add_argument("--limit-waiting", type=int, metavar="N", help="requests that may wait in line")
    parser.add_argument("--limit-batch-rows", type=int, metavar="N", help="most rows of a file on the tab Batch")
    parser.add_argument("--limit-batch-size", metavar="20MB", help="most bytes of such a file")
    parser.add_argument("--limit-batch-cell", type=int, metavar="CHARS", help="most characters of one of its cells")
    parser.add_argument("--limit-batches", type=int, metavar="N", help="files of the tab Batch that are kept")
    parser.add_argument("--limit-drafts", type=int, metavar="N", help="long texts of the tab Write that are kept")
    parser.add_argument("--limit-store", metavar="2GB", help="disk that both may take together (default: no bound)")
    parser.add_argument(
        "--limit-session", type=int, metavar="PERCENT", help="what one session may take of what all share"
    )
    parser.add_argument("--limit-address", type=int, metavar="PERCENT", help="the same for all of one address")


def from_arguments(argv: Sequence[str] | None = None, environment: Mapping[str, str] | None = None) -> Settings:
    """Settings from a command line. Raises PlaygroundError for a value that parses but makes no sense."""
    environment = os.environ if environment is None else environment
    given = server_parser().parse_args(argv)
    space = environment.get("SPACE_HOST")  # Hugging Face's hosting: where it shows the page, in a frame of its own
    settings = Settings(
        host=given.host or environment.get("GRADIO_SERVER_NAME") or "127.0.0.1",
        port=_port(given.port, environment),
        model=given.model or None,
        weights=given.weights,
        max_memory=parse_max_memory(given.max_memory),
        offload_folder=given.offload_folder,
        kept_memory=parse_bytes(given.kept_memory, "kept-memory") if given.kept_memory else None,
        path=given.path,
        rows=_rows(given.rows),
        kv_memory=parse_bytes(given.kv_memory, "kv-memory") if given.kv_memory else None,
        data_folder=given.data_folder,
        trust_remote_code=given.trust_remote_code,
        share=given.share,
        user=given.user,
        password=_password(given, environment),
        allowed_hosts=tuple(map(_host_name, (*(given.allowed_host or ()), *filter(None, [space])))),
        root_path=environment.get("GRADIO_ROOT_PATH") or "",
        framed_by=("https://huggingface.co",) if space else (),
    )
    return replace(settings, limits=_limits(given, PUBLIC_LIMITS if settings.public else Limits()))


def _port(given: int | None, environment: Mapping[str, str]) -> int:
    """A host for Gradio apps tells the port, like the address, through the environment."""
    said = str(given) if given is not None else environment.get("GRADIO_SERVER_PORT") or "7860"
    if not said.isdecimal() or int(said) > 65535:
        raise PlaygroundError(
            Text(f"port is {said[:20]}; it must be from 0 to 65535.", f"port 为 {said[:20]}，应在 0 到 65535 之间。")
        )
    return int(said)


def _rows(given: int) -> int:
    if given < 1:
        raise PlaygroundError(Text(f"rows is {given}; it must be at least 1.", f"rows 为 {given}，至少应为 1。"))
    return given


def _host_name(given: str) -> str:
    """A name as browsers send it, without a port; a whole address is read too."""
    name = given.strip().lower().rpartition("://")[2].partition("/")[0].rpartition("@")[2].rstrip(".")
    name = re.sub(r":\d+$", "", name) if name.count(":") == 1 else name.strip("[]")
    if not re.fullmatch(r"\.?[a-z0-9_-]+(\.[a-z0-9_-]+)*|[0-9a-f:.]+", name):
        raise PlaygroundError(
            Text(f"allowed-host: {given[:60]!r} is not a name.", f"allowed-host：{given[:60]!r} 不是主机名。"),
            Text("Write it like play.example.org.", "请写成 play.example.org 这样的形式。"),
        )
    return name


def _limits(given: argparse.Namespace, limits: Limits) -> Limits:
    chosen = {
        "max_new_tokens": given.limit_tokens,
        "candidates": given.limit_candidates,
        "prompt_characters": given.limit_prompt,
        "running": given.limit_running,
        "waiting": given.limit_waiting,
        "batch_rows": given.limit_batch_rows,
        "batch_cell": given.limit_batch_cell,
        "batch_bytes": parse_bytes(given.limit_batch_size, "limit-batch-size") if given.limit_batch_size else None,
        "batches": given.limit_batches,
        "drafts": given.limit_drafts,
        "store_bytes": parse_bytes(given.limit_store, "limit-store") if given.limit_store else None,
        "session_share": given.limit_session,
        "address_share": given.limit_address,
    }
    for name, value in chosen.items():
        if value is not None and value < 1:
            raise PlaygroundError(
                Text(
                    f"The limit for {name} is {value}; it must be at least 1.", f"{name} 的上限为 {value}，至少应为 1。"
                )
            )
        if name in ("session_share", "address_share") and value is not None and value > 100:
            raise PlaygroundError(
                Text(f"{name} is {value}; it is a percentage.", f"{name} 为 {value}，应为百分比。"),
                Text("It must be from 1 to 100.", "应在 1 到 100 之间。"),
            )
    return replace(limits, **{name: value for name, value in chosen.items() if value is not None})


def _password(given: argparse.Namespace, environment: Mapping[str, str]) -> str | None:
    if given.password_file:
        try:
            lines = Path(given.password_file).read_text(encoding="utf-8").splitlines()
        except (OSError, UnicodeDecodeError):
            lines = []
        if not lines or not lines[0].strip():
            raise PlaygroundError(
                Text("The password file cannot be read or is empty.", "密码文件无法读取或为空。"),
                Text("Put the password on its first line.", "请把密码写在第一行。"),
            )
        return lines[0].strip()
    if given.ask_password:
        return getpass.getpass("Password for the page: ") or None
    return environment.get(PASSWORD_VARIABLE) or None
