"""Who may see a page with a password: one pair of name and password, a token for each browser, and a brake on guesses.

Knows no route and no page. Time is monotonic, in seconds, and comes from outside. Called from the event loop alone, so
that no two guesses are looked at at once.
"""

from __future__ import annotations

import hashlib
import hmac
import ipaddress
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
_RESERVE, _RESERVE_PER_SECOND = 200.0, 1.0  # the same for first guesses of addresses, once those are used up
_NETWORK = 48  # bits of an IPv6 address that one may have for nothing: more than a connection has for itself
_MOST_ADDRESSES = 10_000
_MOST_TOKENS = 10_000
_TOKEN_LASTS = 7 * 86_400.0  # seconds without a request; a public link lives no longer


@dataclass(slots=True)
class _FailedLogins:
    """Wrong guesses of one address in a row, and when the next is looked at."""

    wrong: int = 0
    free_at: float = 0.0
    last: float = 0.0


class _Bucket:
    """How many guesses may be wrong now: at most `most`, and `rate` more each second."""

    def __init__(self, most: float, rate: float, now: float) -> None:
        self._most, self._rate, self._left, self._filled = most, rate, most, now

    def wait(self, now: float) -> float:
        """Seconds until there is one; 0 where there is."""
        self._left = min(self._most, self._left + (now - self._filled) * self._rate)
        self._filled = now
        return 0.0 if self._left >= 1 else (1 - self._left) / self._rate

    def take(self) -> None:
        self._left -= 1


class LoginRateLimiter:
    """Slows down guesses: of an address twice as long each time, of all together to one in two seconds.

    Who has not guessed wrongly does not wait for those who have: first guesses have a reserve of their own, which
    only many networks together can use up.
    """

    def __init__(self, clock: Clock = time.monotonic) -> None:
        self._clock = clock
        self._by_address: OrderedDict[str, _FailedLogins] = OrderedDict()
        self._of_all = _Bucket(_BURST, _PER_SECOND, clock())
        self._of_first = _Bucket(_RESERVE, _RESERVE_PER_SECOND, clock())

    def wait(self, address: str) -> float:
        """Seconds until this address may guess again; 0 where it may now."""
        now = self._clock()
        guesses = self._known(_network(address), now)
        if guesses is None:
            return min(self._of_all.wait(now), self._of_first.wait(now))
        return max(self._of_all.wait(now), guesses.free_at - now)

    def wrong(self, address: str) -> None:
        network, now = _network(address), self._clock()
        (self._of_first if self._of_all.wait(now) else self._of_all).take()
        guesses = self._known(network, now) or _FailedLogins()
        self._by_address.pop(network, None)
        guesses.wrong, guesses.last = guesses.wrong + 1, now
        if guesses.wrong >= _FREE:
            guesses.free_at = now + min(_LONGEST, 2.0 ** min(10, guesses.wrong - _FREE))
        self._by_address[network] = guesses
        while len(self._by_address) > _MOST_ADDRESSES:
            self._by_address.popitem(last=False)

    def _known(self, network: str, now: float) -> _FailedLogins | None:
        guesses = self._by_address.get(network)
        return None if guesses is None or now - guesses.last > _FORGET else guesses

    def right(self, address: str) -> None:
        self._by_address.pop(_network(address), None)


def _network(address: str) -> str:
    """What guesses are counted by."""
    try:
        network = ipaddress.ip_network(address)
    except ValueError:
        return address
    return str(network.supernet(new_prefix=_NETWORK)) if network.version == 6 else address


class TooManyGuesses(Exception):
    """`seconds` must pass before the next."""

    def __init__(self, seconds: float) -> None:
        self.seconds = max(1, math.ceil(seconds))
        super().__init__(f"wait {self.seconds} s")


class LoginSessions:
    """The tokens of those who gave the password. Only their digests are kept."""

    def __init__(self, user: str, password: str, clock: Clock = time.monotonic) -> None:
        self._key = secrets.token_bytes(32)
        self._wanted = self._digest(user) + self._digest(password)
        self._clock = clock
        self._brake = LoginRateLimiter(clock)
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
