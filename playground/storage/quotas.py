"""How much of a store one visitor may take: of its rows and of its bytes, by session and by address.

Knows no row's meaning. Sessions and addresses are known again by an alias, and are not written down.
"""

from __future__ import annotations

import hashlib
import sqlite3
from typing import Literal

from playground.settings import Limits
from playground.types import Busy, Text
from playground.visitor import Visitor

Table = Literal["job", "draft"]  # each with the columns session, address and size
Owner = tuple[str, str]
"""The aliases of a session and of an address; "" is nobody's."""

_TABLES: tuple[Table, ...] = ("job", "draft")
_COLUMNS = ("session", "address")
_FULL = Text("This server has no room for more.", "此服务器已没有空间保存更多内容。")
_SHARE = Text("You keep as much here as one visitor may.", "你在此保存的内容已达到单个访客的上限。")
_LATER = Text("Delete a draft that you do not need, or try again later.", "请删除不需要的草稿，或稍后再试。")


class Quotas:
    """Of one store. All methods run inside a transaction of the caller's."""

    def __init__(self, limits: Limits, salt: bytes) -> None:
        self._limits = limits
        self._salt = salt

    def room(self, read: sqlite3.Connection, table: Table, visitor: Visitor, most: int) -> Owner:
        """Whose a new row of the table is. Busy where there are `most`, or the visitor has his share of them."""
        if read.execute(f"SELECT count(*) FROM {table}").fetchone()[0] >= most:
            raise Busy(_FULL, _LATER)
        owner = self._alias(visitor.session), self._alias(visitor.address)
        for column, alias, share in zip(_COLUMNS, owner, self._limits.share(most), strict=True):
            held = read.execute(f"SELECT count(*) FROM {table} WHERE {column} = ?", (alias,)).fetchone()[0]
            if alias and held >= share:
                raise Busy(_SHARE, _LATER)
        return owner

    def weigh(self, read: sqlite3.Connection, owner: Owner) -> None:
        """Busy where all that this owner keeps is larger than his share of the file."""
        if not self._limits.store_bytes:
            return
        for column, alias, share in zip(_COLUMNS, owner, self._limits.share(self._limits.store_bytes), strict=True):
            sizes = (f"(SELECT coalesce(sum(size), 0) FROM {table} WHERE {column} = :owner)" for table in _TABLES)
            if alias and read.execute(f"SELECT {' + '.join(sizes)}", {"owner": alias}).fetchone()[0] > share:
                raise Busy(_SHARE, _LATER)

    def _alias(self, name: str) -> str:
        if not name:
            return ""
        return hashlib.blake2b(name.encode("utf-8", "surrogatepass"), digest_size=12, salt=self._salt).hexdigest()
