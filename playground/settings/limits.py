"""What one visitor may ask of a server, and what all of them together: one record each, two defaults.

The first default is for a page that only this machine reaches, `public` for one that other people reach.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Self

from playground.settings.kinds import SecondsKind, SizeKind, WholeKind
from playground.settings.setting import APP, Setting, records
from playground.types import Text

_BATCH = (APP, "batch")
_NO_BOUND = Text("no bound", "不限")


@dataclass(frozen=True, slots=True)
class Limits:
    """What one visitor may ask for, in tokens, rows, characters, bytes, seconds and percent.

    `running` requests run at a time on the exact path; on the fast path they share a batch. What a file of the tab
    Batch takes to be read is CPU time and memory of a worker process. `max_seconds` and `store_bytes` are 0 where
    nothing bounds them. A page has three or four events open at a time.
    """

    max_new_tokens: int = Setting(
        kind=WholeKind(),
        group="limits",
        flag="--limit-tokens",
        help=Text("most new tokens of one request", "单个请求最多生成的新词元数"),
        default=4096,
        public=512,
    ).value()
    candidates: int = Setting(
        kind=WholeKind(),
        group="limits",
        flag="--limit-candidates",
        help=Text("most candidates of one request", "单个请求最多的候选数"),
        default=16,
        public=4,
    ).value()
    num_beams: int = Setting(
        kind=WholeKind(),
        group="limits",
        flag="--limit-beams",
        help=Text("most beams of one request", "单个请求最多的束数"),
        default=8,
        public=4,
    ).value()
    prompt_characters: int = Setting(
        kind=WholeKind(unit="CHARS"),
        group="limits",
        flag="--limit-prompt",
        help=Text("most characters of one prompt", "单条提示词最多的字符数"),
        default=200_000,
        public=20_000,
    ).value()
    max_seconds: float = Setting(
        kind=SecondsKind(),
        group="limits",
        flag="--limit-seconds",
        help=Text("longest time of one request; 0: no bound", "单个请求最长的时间；0 表示不限"),
        default=0.0,
        public=120.0,
        unset=_NO_BOUND,
    ).value()
    running: int = Setting(
        kind=WholeKind(),
        group="limits",
        flag="--limit-running",
        help=Text("requests that run at the same time on the exact path", "exact 路径上同时运行的请求数"),
        default=4,
        public=3,
    ).value()
    waiting: int = Setting(
        kind=WholeKind(),
        group="limits",
        flag="--limit-waiting",
        help=Text("requests that may wait in line", "可以排队等待的请求数"),
        default=64,
        public=32,
    ).value()
    top_logprobs: int = Setting(
        kind=WholeKind(low=0),
        group="limits",
        flag="--limit-logprobs",
        help=Text(
            "most tokens whose log-probabilities the API tells at each position",
            "API 在每个位置最多给出多少个词元的对数概率",
        ),
        default=1_000_000,
        public=20,
    ).value()
    batch_rows: int = Setting(
        kind=WholeKind(),
        group="limits",
        flag="--limit-batch-rows",
        help=Text("most rows of a file on the tab Batch, or of `batch`", "“批量”标签页或 batch 命令的文件最多的行数"),
        default=10_000,
        public=500,
        programs=_BATCH,
    ).value()
    batch_bytes: int = Setting(
        kind=SizeKind(low=1, example="20MB"),
        group="limits",
        flag="--limit-batch-size",
        help=Text("most bytes of such a file on the page", "页面上此类文件的最大大小"),
        default=20_000_000,
        public=2_000_000,
    ).value()
    batch_cell: int = Setting(
        kind=WholeKind(unit="CHARS"),
        group="limits",
        flag="--limit-batch-cell",
        help=Text("most characters of one of its cells", "此类文件单元格最多的字符数"),
        default=500_000,
        public=100_000,
        programs=_BATCH,
    ).value()
    reading_seconds: float = Setting(
        kind=SecondsKind(low=0.1),
        group="limits",
        flag="--limit-reading-seconds",
        help=Text("CPU time that reading such a file may take", "读取此类文件可用的 CPU 时间"),
        default=20.0,
        public=5.0,
    ).value()
    reading_memory: int = Setting(
        kind=SizeKind(low=10**8, example="1GB"),
        group="limits",
        flag="--limit-reading-memory",
        help=Text("memory that reading such a file may take", "读取此类文件可用的内存"),
        default=10**9,
        public=5 * 10**8,
    ).value()
    batches: int = Setting(
        kind=WholeKind(),
        group="limits",
        flag="--limit-batches",
        help=Text("files of the tab Batch that are kept", "“批量”标签页保留的文件数"),
        default=1_000,
    ).value()
    drafts: int = Setting(
        kind=WholeKind(),
        group="limits",
        flag="--limit-drafts",
        help=Text("long texts of the tab Write that are kept", "“写作”标签页保留的长文本数"),
        default=2_000,
    ).value()
    store_bytes: int = Setting(
        kind=SizeKind(example="2GB"),
        group="limits",
        flag="--limit-store",
        help=Text("disk that both may take together; 0: no bound", "两者合计可用的磁盘空间；0 表示不限"),
        default=0,
        public=2_000_000_000,
        unset=_NO_BOUND,
    ).value()
    session_share: int = Setting(
        kind=WholeKind(high=100, unit="PERCENT"),
        group="limits",
        flag="--limit-session",
        help=Text("percent that one session may take of what all share", "单个会话可占用共享资源的百分比"),
        default=100,
        public=25,
    ).value()
    address_share: int = Setting(
        kind=WholeKind(high=100, unit="PERCENT"),
        group="limits",
        flag="--limit-address",
        help=Text("percent that all sessions of one address may take", "同一地址的所有会话可占用的百分比"),
        default=100,
        public=50,  # more than a session's, since a school or an office has one address
    ).value()
    session_events: int = Setting(
        kind=WholeKind(low=4),
        group="limits",
        flag="--limit-session-events",
        help=Text("events of one session that are open at a time", "单个会话同时打开的事件数"),
        default=32,
        public=24,
    ).value()
    address_events: int = Setting(
        kind=WholeKind(low=4),
        group="limits",
        flag="--limit-address-events",
        help=Text("events of one address that are open at a time", "单个地址同时打开的事件数"),
        default=256,
        public=64,
    ).value()

    @classmethod
    def for_public(cls) -> Self:
        """The limits of a page that other people reach."""
        public: dict[str, Any] = {one.name: one.public for one in records(cls)}
        return cls(**public)

    def share(self, all_of_it: int) -> tuple[int, int]:
        """How much of what all share a session may take, and an address; at least one."""
        session, address = (all_of_it * part // 100 for part in (self.session_share, self.address_share))
        return max(1, session), max(1, address)


PUBLIC_LIMITS = Limits.for_public()
