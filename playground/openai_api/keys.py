"""Who may use the API: keys, compared without telling by the time how much of one was right. No key is ever logged."""

from __future__ import annotations

import hashlib
import hmac
from collections.abc import Sequence

from starlette.datastructures import Headers

from playground.openai_api.api_error import ApiError
from playground.settings import Settings
from playground.types import Text

NO_KEY = Text(
    "This API needs a key: send the header Authorization: Bearer KEY.",
    "此 API 需要密钥：请发送请求头 Authorization: Bearer KEY。",
)
WRONG_KEY = Text("This key is not one of this server's.", "此密钥不属于本服务器。")
OFF = Text(
    "The API is off on this page, which other people can reach: its owner can set --api-key-file.",
    "此页面可被他人访问，因此 API 已关闭：页面所有者可设置 --api-key-file。",
)
_SCHEME = "bearer "


class ApiKeys:
    """The keys of one server. Without any, only a page that is not public answers."""

    def __init__(self, keys: Sequence[str], *, public: bool) -> None:
        self._digests = [_digest(key) for key in keys]
        self._public = public

    @classmethod
    def of(cls, settings: Settings) -> ApiKeys:
        return cls(settings.api_keys, public=settings.public)

    @property
    def any(self) -> bool:
        return bool(self._digests)

    def name_of(self, headers: Headers) -> str | None:
        """A short name of the key that came with a request, which does not tell it; None where none of ours came."""
        given = headers.get("authorization", "")
        if not given.lower().startswith(_SCHEME):
            return None
        digest = _digest(given[len(_SCHEME) :].strip())
        found = [hmac.compare_digest(digest, own) for own in self._digests]  # all of them, whichever it is
        return f"key-{digest.hex()[:12]}" if any(found) else None

    def check(self, headers: Headers) -> None:
        """Raises ApiError with 401 or 403 where the request may not be answered."""
        if not self.any:
            if self._public:
                raise ApiError(403, OFF, kind="permission_error", code="api_disabled")
        elif self.name_of(headers) is None:
            given = bool(headers.get("authorization"))
            raise ApiError(401, WRONG_KEY if given else NO_KEY, kind="authentication_error", code="invalid_api_key")


def _digest(key: str) -> bytes:
    """Of one length, so that comparing tells no length either."""
    return hashlib.sha256(key.encode("utf-8", "surrogateescape")).digest()
