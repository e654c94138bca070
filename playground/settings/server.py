"""How one server runs: address, access, memory, storage and limits. Knows no model and no page."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import get_args

from playground.settings.kinds import ChoiceKind, HostNamesKind, SecondsKind, SizeKind, SwitchKind, TextKind, WholeKind
from playground.settings.limits import Limits
from playground.settings.model import ModelSettings
from playground.settings.setting import APP, Setting
from playground.types import Path as RunPath
from playground.types import Text

ROWS = 32  # of one step of the fast path: with more of them a step on a CPU takes longer than a reader waits
PATHS: tuple[RunPath, ...] = get_args(RunPath)
LOCAL = ("127.0.0.1", "localhost", "::1")  # addresses that only this machine can reach


@dataclass(frozen=True, slots=True)
class Settings(ModelSettings):
    """One server's settings; those of memory in bytes, None leaves them to the machine's memory.

    `framed_by` are origins that may show the page in a frame, `api_keys` those of file and variable. `run_folder` is
    for what ends with this run. None of the three is chosen by itself.
    """

    # These three have Gradio's variables, which hosts for Gradio apps set. Kubernetes sets NAME_PORT to a URL for a
    # service of any name, so a variable of our own name for the port could be another thing's.
    host: str = Setting(
        kind=TextKind("ADDRESS"),
        group="address",
        help=Text("address to listen on; 0.0.0.0 for all of this machine", "监听的地址；0.0.0.0 表示本机所有地址"),
        default="127.0.0.1",
        variable="GRADIO_SERVER_NAME",
    ).value()
    port: int = Setting(
        kind=WholeKind(low=0, high=65535),
        group="address",
        help=Text("port to listen on; 0 for any free one", "监听的端口；0 表示任意空闲端口"),
        default=7860,
        variable="GRADIO_SERVER_PORT",
    ).value()
    root_path: str = Setting(
        kind=TextKind("PATH"),
        group="address",
        help=Text("path, or whole URL, at which a proxy shows the page", "代理展示本页所用的路径或完整网址"),
        default="",
        variable="GRADIO_ROOT_PATH",
        unset=Text("the page is at /", "页面位于 /"),
    ).value()
    allowed_hosts: tuple[str, ...] = Setting(
        kind=HostNamesKind(),
        group="address",
        flag="--allowed-host",
        help=Text(
            "a name that the page is reached by, behind a proxy for example; .example.org for all that end so; "
            "may be repeated",
            "访问本页所用的主机名，例如在代理之后；.example.org 表示所有以此结尾的名称；可多次给出",
        ),
        default=(),
        unset=Text("names of this machine only", "仅本机的名称"),
    ).value()
    share: bool = Setting(
        kind=SwitchKind(),
        group="access",
        help=Text("open a public link through Gradio's tunnel", "通过 Gradio 的隧道打开公开链接"),
        default=False,
    ).value()
    user: str = Setting(
        kind=TextKind("NAME"),
        group="access",
        help=Text("user name that goes with the password", "与密码对应的用户名"),
        default="guest",
        needs="password",
    ).value()
    password_file: str | None = Setting(
        kind=TextKind("FILE"),
        group="access",
        help=Text("file whose first line is the password of the page", "第一行为页面密码的文件"),
        unset=Text("no file", "无文件"),
    ).optional()
    ask_password: bool = Setting(
        kind=SwitchKind(),
        group="access",
        help=Text("ask for the page's password in the terminal", "在终端中询问页面密码"),
        default=False,
        variable=None,  # who can set a variable can set the password itself
    ).value()
    password: str | None = Setting(
        kind=TextKind(),
        group="access",
        flag=None,  # other users of a machine can read the arguments of a program
        help=Text("the password of the page", "页面密码"),
        unset=Text("no password", "无密码"),
        secret=True,
    ).optional()
    api_key_file: str | None = Setting(
        kind=TextKind("FILE"),
        group="access",
        help=Text("file with a key of the API on each line", "每行一个 API 密钥的文件"),
        unset=Text("no file", "无文件"),
    ).optional()
    api_key: str | None = Setting(
        kind=TextKind(),
        group="access",
        flag=None,  # other users of a machine can read the arguments of a program
        help=Text("a key of the API, beside those of the file", "一个 API 密钥，与文件中的密钥并用"),
        unset=Text("no key: the API answers only on a page that is not public", "无密钥：API 仅在非公开页面上可用"),
        secret=True,
    ).optional()
    mcp: bool | None = Setting(
        kind=SwitchKind(),
        group="access",
        help=Text(
            "let agents use this server over MCP, at /mcp; where others could come, with a key",
            "允许智能体通过 MCP（位于 /mcp）使用本服务器；他人可访问时须用密钥",
        ),
        unset=Text("on, but off on a page that is public or has a password", "开启；公开或有密码的页面则关闭"),
    ).optional()
    path: RunPath = Setting(  # noqa: RUF009 - a frozen record
        kind=ChoiceKind(PATHS),
        group="engine",
        help=Text("path that a new visitor's page starts with", "新访客的页面起初使用的路径"),
        default="fast",
    ).value()
    rows: int = Setting(
        kind=WholeKind(),
        group="engine",
        help=Text("rows of a step on the fast path", "fast 路径每步的行数"),
        default=ROWS,
    ).value()
    kv_memory: int | None = Setting(
        kind=SizeKind(low=1, example="4GiB"),
        group="engine",
        help=Text("memory for the KV cache of the fast path", "fast 路径 KV 缓存可用的内存"),
        unset=Text("15 % of the memory, on a GPU half of what is free", "内存的 15 %，在显卡上为空闲内存的一半"),
    ).optional()
    model_memory: int | None = Setting(
        kind=SizeKind(low=1, example="16GiB"),
        group="engine",
        help=Text(
            "memory for all models that stay loaded, so that switching back takes no time",
            "所有保持加载的模型可用的内存，使切换回来无需等待",
        ),
        unset=Text("what is free, but for 5 %", "空闲内存，保留 5 %"),
    ).optional()
    model_idle: float = Setting(
        kind=SecondsKind(),
        group="engine",
        help=Text(
            "seconds after which a model that nobody uses is unloaded, unless it is the current one; 0: never",
            "无人使用的模型在多少秒后被卸载（当前模型除外）；0 表示从不",
        ),
        default=900.0,
    ).value()
    kept_memory: int | None = Setting(
        kind=SizeKind(),
        group="engine",
        help=Text(
            "memory for the logits of earlier runs, which “Inside a token” reads",
            "用于保留先前运行的 logits 的内存",
        ),
        unset=Text("a tenth of the memory, at most 2 GiB", "内存的十分之一，最多 2 GiB"),
    ).optional()
    data_folder: str | None = Setting(
        kind=TextKind("FOLDER"),
        group="storage",
        help=Text("folder that keeps batches, drafts and trainings", "保存批量任务、草稿和训练的文件夹"),
        unset=Text(
            "your data folder; on a public page a folder that is removed when it stops",
            "你的数据文件夹；公开页面则使用停止时删除的文件夹",
        ),
        programs=(APP, "train", "train start"),
    ).optional()
    limits: Limits = field(default_factory=Limits)
    framed_by: tuple[str, ...] = ()
    api_keys: tuple[str, ...] = field(default=(), repr=False)
    run_folder: Path | None = None

    @property
    def guarded(self) -> bool:
        """True where others could find the server, or not everybody who finds it may use it."""
        return self.public or self.password is not None

    @property
    def serves_mcp(self) -> bool:
        """Whether agents may use it over MCP."""
        return not self.guarded if self.mcp is None else self.mcp

    @property
    def local(self) -> bool:
        """True where only this machine can connect to the server itself."""
        return self.host in LOCAL

    @property
    def public(self) -> bool:
        """True where people other than the owner can reach the page."""
        return self.share or not self.local
