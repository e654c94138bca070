"""Which names this server answers to, and which pages may send it requests.

A page on another site that points its own name at this machine (DNS rebinding) still sends its own name as Host, so
only names that are known to be this server's are taken. Knows no route. All methods may be called from any thread.
"""

from __future__ import annotations

import ipaddress
import socket
from collections.abc import Sequence
from urllib.parse import urlsplit

from starlette.datastructures import Headers

from playground.settings import Settings

_DEFAULT_PORTS = {"http": 80, "https": 443}

Place = tuple[str, int | None]
"""A lower-case name or address without brackets, and a port where one is written."""


class AllowedHosts:
    """The names of one server.

    Accepted are this machine's own names, whatever `--allowed-host` and GRADIO_ROOT_PATH name, and the public link once
    it is open. An address written in digits is nobody's to point elsewhere: any is accepted where the server listens to
    other machines, those of the loopback where it does not. The port is not looked at: `ssh -L 9000:localhost:7860`
    and containers change it, and it says nothing about whose the name is.
    """

    def __init__(self, settings: Settings) -> None:
        self._listens_to_all = not settings.local
        self._own = {"localhost"} | ({*_machine_names(), settings.host.lower()} if self._listens_to_all else set())
        self._named = {*settings.allowed_hosts}
        self._shared = urlsplit("")
        root = place_of(urlsplit(settings.root_path).netloc)
        if root is not None:
            self._named.add(root[0])

    def shared(self, link: str) -> None:
        """The public link is open at this address."""
        self._shared = urlsplit(link)

    def accepts(self, host: str) -> bool:
        """Whether a request with this Host header is meant for this server."""
        place = place_of(host)
        return place is not None and self._is_own(place[0])

    def encrypted(self, host: str) -> bool:
        """Whether visitors of this Host come through the tunnel over https, which this server does not see."""
        place = place_of(host)
        return self._shared.scheme == "https" and place is not None and place[0] == self._shared.hostname

    def over_tls(self, scheme: str, headers: Headers) -> bool:
        """Whether the browser came over https; a lie about it only spoils the liar's own cookie."""
        forwarded = headers.get("x-forwarded-proto", "").split(",")[0].strip()
        return "https" in (scheme, forwarded) or self.encrypted(headers.get("host", ""))

    def _is_own(self, name: str) -> bool:
        if name in self._own or self._is_named(name):
            return True
        try:
            address = ipaddress.ip_address(name)
        except ValueError:
            return False
        return self._listens_to_all or address.is_loopback

    def _is_named(self, name: str) -> bool:
        """Whether the owner has named it; `.example.org` names all that ends so."""
        endings = {name[at:] for at, sign in enumerate(name) if sign == "."}
        return name == self._shared.hostname or not self._named.isdisjoint({name, *endings})

    def trusts(self, origin: str, host: str) -> bool:
        """Whether a page of this Origin may send requests to this Host, which was accepted: only the server's own.

        A proxy may send another Host on than its visitors see; their Origin is then one that the owner has named.
        """
        parts = urlsplit(origin)
        found, own = place_of(parts.netloc), place_of(host)
        if parts.scheme not in _DEFAULT_PORTS or found is None or own is None:
            return False  # "null" among them: a page of no site
        if self._is_named(found[0]):
            return True
        usual = _DEFAULT_PORTS[parts.scheme]
        return found[0] == own[0] and (found[1] or usual) == (own[1] or usual)


def place_of(host: str) -> Place | None:
    """Name and port of a Host header or of an URL's place; None where it is none."""
    try:
        parts = urlsplit(f"//{host}")
        name, port = (parts.hostname or "").rstrip("."), parts.port
    except ValueError:
        return None
    plain = parts.netloc == host and parts.username is None and not (parts.path or parts.query or parts.fragment)
    return (name, port) if plain and name and not any(sign.isspace() for sign in host) else None


def _machine_names() -> Sequence[str]:
    name = socket.gethostname().lower()  # getfqdn() would ask the network
    return (name, f"{name}.local")
