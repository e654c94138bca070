"""Where an engine is and how it is spoken to: its address, its key, its certificate, its patience. No network here."""

from __future__ import annotations

import ipaddress
import ssl
from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import urlsplit, urlunsplit

from playground.generators.remote import failures
from playground.types import Text


@dataclass(frozen=True, slots=True)
class Timeouts:
    """Seconds: until a connection stands, until the first byte of an answer, and between two pieces of it."""

    connect: float = 5.0
    first: float = 120.0
    between: float = 60.0
    patience: float = 120.0  # for an engine that has no room: all tries together
    restart: float = 5.0  # for one that does not answer any more, before its first token


@dataclass(frozen=True, slots=True)
class Address:
    """One engine. `base` has no /v1 at its end. The key is never shown: not by repr, not in a sentence."""

    base: str
    key: str | None = field(default=None, repr=False)
    ca_file: Path | None = None
    timeouts: Timeouts = Timeouts()

    @property
    def host(self) -> str:
        """Host and port, as messages name the engine."""
        return urlsplit(self.base).netloc

    @property
    def is_near(self) -> bool:
        """Whether the engine runs on this machine."""
        return is_loopback(urlsplit(self.base).hostname or "")

    def tls(self) -> ssl.SSLContext | bool:
        """What certificates are checked with; they are always checked. Raises EngineError where the file is none."""
        if self.ca_file is None:
            return True
        try:
            return ssl.create_default_context(cafile=str(self.ca_file))
        except OSError:  # an SSLError is one too
            raise failures.EngineError(
                Text(f"{self.ca_file} holds no certificate.", f"{self.ca_file} 不含证书。"),
                Text("Name a PEM file.", "请指定 PEM 文件。"),
            ) from None

    def headers(self) -> dict[str, str]:
        return {} if self.key is None else {"Authorization": f"Bearer {self.key}"}


def address_of(
    url: str,
    *,
    key: str | None = None,
    ca_file: Path | None = None,
    plain_http: bool = False,
    timeouts: Timeouts | None = None,
) -> Address:
    """A checked address. Raises EngineError for what is no URL, holds a key, or would go unencrypted over a network."""
    try:
        parts = urlsplit(url.strip())
        host, _ = parts.hostname, parts.port
    except ValueError:
        raise failures.no_address(url) from None
    if parts.username or parts.password:
        raise failures.key_in_address()
    if parts.scheme not in ("http", "https") or not host or parts.query or parts.fragment:
        raise failures.no_address(url)
    if parts.scheme == "http" and not plain_http and not is_loopback(host):
        raise failures.not_encrypted(host)
    path = parts.path.rstrip("/").removesuffix("/v1")
    base = urlunsplit((parts.scheme, parts.netloc, path, "", ""))
    return Address(base, _checked(key), ca_file, timeouts or Timeouts())


def is_loopback(host: str) -> bool:
    """Whether this host is this machine, without asking anybody."""
    if host == "localhost":
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


def read_key(file: Path) -> str:
    """The key that a file holds. Raises EngineError, which does not quote it."""
    try:
        return file.read_text(encoding="utf-8").strip()
    except (OSError, UnicodeDecodeError):
        raise failures.EngineError(
            Text(f"The key file {file} cannot be read.", f"无法读取密钥文件 {file}。"),
            Text("Name a text file that holds the key alone.", "请指定只含密钥的文本文件。"),
        ) from None


def _checked(key: str | None) -> str | None:
    if not key:
        return None
    if not key.isascii() or not key.isprintable() or " " in key:
        raise failures.EngineError(
            Text("The engine's key holds signs that no key has.", "引擎密钥含有不允许的字符。"),
            Text("Look at the file or the variable that it comes from.", "请检查密钥所在的文件或变量。"),
        )
    return key
