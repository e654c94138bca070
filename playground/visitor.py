"""Who asks, as far as a server can tell: a session and an address. Neither says who the owner is."""

from __future__ import annotations

import ipaddress
from collections.abc import Iterable
from contextvars import ContextVar
from dataclasses import dataclass

_OWN = ("127.0.0.1", "::/64")  # as address_of() has ::1; of 127.0.0.0/8 tunnels and proxies use no other
_NETWORK = 64  # bits of an IPv6 address that one connection has for itself


@dataclass(frozen=True, slots=True)
class Visitor:
    """A part that is not known is "", and counts as nobody's."""

    session: str = ""
    address: str = ""

    def fits(self, others: Iterable[Visitor], most: tuple[int, int]) -> bool:
        """Whether this visitor may take one more place beside `others`, who hold one each.

        `most` is how many one session may hold, and one address.
        """
        held = list(others)
        session = sum(one.session == self.session for one in held) if self.session else 0
        address = sum(one.address == self.address for one in held) if self.address else 0
        return session < most[0] and address < most[1]


_NOBODY = Visitor()
_CURRENT: ContextVar[Visitor] = ContextVar("visitor", default=_NOBODY)


def current() -> Visitor:
    """Whose request this is, in the task or the thread that answers it; nobody's outside of one."""
    return _CURRENT.get()


def answer_to(visitor: Visitor) -> None:
    """From now on this task answers to `visitor`, and so do the threads that it sends out."""
    _CURRENT.set(visitor)


def address_of(host: str | None) -> str:
    """The address that a share is counted by: of IPv6 the network, since one visitor has all of it."""
    try:
        address = ipaddress.ip_address((host or "").partition("%")[0])
    except ValueError:
        return (host or "")[:64]
    if isinstance(address, ipaddress.IPv6Address):
        if address.ipv4_mapped is not None:
            return str(address.ipv4_mapped)
        return str(ipaddress.ip_network((address, _NETWORK), strict=False))
    return str(address)


def is_own(host: str) -> bool:
    """Whether this is the address of this machine itself, from which visitors of a tunnel come as well."""
    return address_of(host) in _OWN
