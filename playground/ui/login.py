"""Who may see a page with a password: one pair of name and password, a token for each browser, and a brake on guesses.

Knows no route and no page. Time is monotonic, in seconds, and comes from outside. Called from the event loop alone, so
that no two guesses are looked at at once.
"""

from __future__ import annotations

import hashlib
import hmac
import math
import secrets
import time
from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass

Clock = Callable[[], float]

_FREE = 5  # wrong guesses of one address before it must wait
_LONGEST = 60.0  # seconds of such a wait
_FORGET = 900.0  # seconds after which an address has guessed nothing
_BURST = 20.0  # wrong guesses of all addresses together, and
_PER_SECOND = 0.5  # how many of them are given back
_MOST_ADDRESSES = 10_000
_MOST_TOKENS = 10_000
_TOKEN_LASTS = 7 * 86_400.0  # seconds without a request; a public link lives no longer


@dataclass(slots=True)
class _Guesses:
    """Wrong guesses of one address in a row, and when the next is looked at."""

    wrong: int = 0
    free_at: float = 0.0
    last: float = 0.0


class Brake:
    """Slows down guesses: of an address twice as long each time, of all together to one in two seconds."""

    def __init__(self, clock: Clock = time.monotonic) -> None:
        self._clock = clock
        self._by_address: OrderedDict[str, _Guesses] = OrderedDict()
        self._left, self._filled = _BURST, clock()

    def wait(self, address: str) -> float:
        """Seconds until this address may guess again; 0 where it may now."""
        now = self._clock()
        self._left = min(_BURST, self._left + (now - self._filled) * _PER_SECOND)
        self._filled = now
        of_all = 0.0 if self._left >= 1 else (1 - self._left) / _PER_SECOND
        guesses = self._by_address.get(address)
        return max(of_all, 0.0 if guesses is None else guesses.free_at - now)

    def wrong(self, address: str) -> None:
        now = self._clock()
        self._left -= 1
        guesses = self._by_address.pop(address, None) or _Guesses()
        if now - guesses.last > _FORGET:
            guesses = _Guesses()
        guesses.wrong, guesses.last = guesses.wrong + 1, now
        if guesses.wrong >= _FREE:
            guesses.free_at = now + min(_LONGEST, 2.0 ** min(10, guesses.wrong - _FREE))
        self._by_address[address] = guesses
        while len(self._by_address) > _MOST_ADDRESSES:
            self._by_address.popitem(last=False)

    def right(self, address: str) -> None:
        self._by_address.pop(address, None)


class TooManyGuesses(Exception):
    """`seconds` must pass before the next."""

    def __init__(self, seconds: float) -> None:
        self.seconds = max(1, math.ceil(seconds))
        super().__init__(f"wait {self.seconds} s")


class Logins:
    """The tokens of those who gave the password. Only their digests are kept."""

    def __init__(self, user: str, password: str, clock: Clock = time.monotonic) -> None:
        self._key = secrets.token_bytes(32)
        self._wanted = self._digest(user) + self._digest(password)
        self._clock = clock
        self._brake = Brake(clock)
        self._seen: OrderedDict[bytes, float] = OrderedDict()

    def open(self, user: str, password: str, address: str) -> str | None:
        """A new token for the right pair, None for a wrong one. Raises TooManyGuesses without looking at it."""
        seconds = self._brake.wait(address)
        if seconds > 0:
            raise TooManyGuesses(seconds)
        # Digests are of one length, and both are compared whatever came of the first.
        if not hmac.compare_digest(self._digest(user.strip()) + self._digest(password), self._wanted):
            self._brake.wrong(address)
            return None
        self._brake.right(address)
        token = secrets.token_urlsafe(32)
        self._seen[self._digest(token)] = self._clock()
        while len(self._seen) > _MOST_TOKENS:
            self._seen.popitem(last=False)
        return token

    def holds(self, token: str) -> bool:
        """Whether this token was given out and neither closed nor forgotten since."""
        digest, now = self._digest(token), self._clock()
        seen = self._seen.pop(digest, None)
        if seen is None or now - seen > _TOKEN_LASTS:
            return False
        self._seen[digest] = now  # at the end: the first are those that were not seen for longest
        return True

    def close(self, token: str) -> None:
        """This token holds no more; nobody else's is touched."""
        self._seen.pop(self._digest(token), None)

    def _digest(self, text: str) -> bytes:
        return hmac.digest(self._key, text.encode("utf-8", "surrogatepass"), hashlib.sha256)
