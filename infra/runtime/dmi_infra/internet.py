"""What outsiders name: whether an address is of the public internet (SSRF); where a name leads, under a deadline."""

from __future__ import annotations

import ipaddress
import socket
import threading
import time
from collections import Counter
from collections.abc import Iterable
from concurrent.futures import Future
from dataclasses import dataclass, field
from typing import Final

LOOKUPS: Final = 64
"""Names that are looked up at a time."""
KEPT: Final = 16
"""Of these, for the sites that are known: who chooses names of many others fills the rest."""
NAMES_OF_ONE: Final = 4
"""Of these, names of one site: they may all have a server that never answers."""
WAITING_OF_ONE: Final = 16
"""Callers that wait for names of one site."""

_CARRIERS: Final = (ipaddress.IPv6Network("64:ff9b::/96"), ipaddress.IPv6Network("::/96"))
"""Networks whose addresses end in an IPv4 address: NAT64 (RFC 6052), IPv4-compatible (RFC 4291)."""


def is_public(text: str) -> bool:
    """Whether an IP address is one of the public internet, also where it carries an IPv4 address inside."""
    found = ipaddress.ip_address(text.partition("%")[0])
    if isinstance(found, ipaddress.IPv6Address):
        inner = found.ipv4_mapped or found.sixtofour or (found.teredo or (None, None))[1]
        if any(found in net for net in _CARRIERS):
            inner = ipaddress.IPv4Address(int(found) & 0xFFFF_FFFF)
        if found.is_site_local or (inner is not None and not is_public(str(inner))):
            return False
        if inner is not None and found.ipv4_mapped:
            return True
    return found.is_global and not found.is_multicast


@dataclass(frozen=True, slots=True)
class _Lookup:
    """A name that is being looked up, for all who ask for it meanwhile."""

    found: Future[list[str]] = field(default_factory=Future)
    begun: float = field(default_factory=time.monotonic)


class Lookups:
    """Looks host names up. The system's own call knows no deadline, and the server of a name may be silent.

    So each name has a thread of its own, which outlives who waited for it; how many there are is limited, and how
    many of one site (the last two labels of a name), so that its owner leaves some to others; a few are kept for
    names that the node itself was given, such as those of nodes it knows.
    """

    def __init__(self, known: Iterable[str] = ()) -> None:
        """``known``: host names of sites that places are kept for."""
        self._sites = frozenset(map(_site, known))
        self._lookups: dict[tuple[str, int], _Lookup] = {}
        self._waiting: Counter[str] = Counter()
        self._lock = threading.Lock()

    def addresses(self, host: str, port: int, seconds: float) -> list[str]:
        """The IP addresses of a host, within ``seconds``; raises ``OSError``, ``TimeoutError`` when that is too short.

        At once for a name that others have waited for that long, and beyond what there may be of one site.
        """
        site = _site(host)
        with self._lock:
            lookup = self._begin(host.lower(), port, site, seconds)
            self._waiting[site] += 1
        try:
            return lookup.found.result(max(0.0, lookup.begun + seconds - time.monotonic()))
        finally:
            with self._lock:
                self._waiting[site] -= 1
                if not self._waiting[site]:
                    del self._waiting[site]

    def _begin(self, host: str, port: int, site: str, seconds: float) -> _Lookup:
        known = self._lookups.get((host, port))
        if known is not None:
            if time.monotonic() >= known.begun + seconds or self._waiting[site] >= WAITING_OF_ONE:
                raise TimeoutError(f"{host} is being looked up for long already")
            return known
        names = sum(_site(other) == site for other, _ in self._lookups)
        room = LOOKUPS if site in self._sites else LOOKUPS - KEPT
        if names >= NAMES_OF_ONE or len(self._lookups) >= room:
            raise TimeoutError("too many names are being looked up")
        made = self._lookups[host, port] = _Lookup()
        try:
            threading.Thread(target=self._look, args=(host, port, made), name="lookup", daemon=True).start()
        except RuntimeError as exc:
            del self._lookups[host, port]
            raise TimeoutError("no thread can look names up at the moment") from exc
        return made

    def _look(self, host: str, port: int, lookup: _Lookup) -> None:
        try:
            found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
            result: list[str] | Exception = [str(entry[4][0]) for entry in found]
        except OSError as exc:
            result = exc
        except ValueError:
            result = OSError("is no host name")
        with self._lock:
            del self._lookups[host, port]
        if isinstance(result, list):
            lookup.found.set_result(result)
        else:
            lookup.found.set_exception(result)


def _site(host: str) -> str:
    return ".".join(host.lower().rstrip(".").split(".")[-2:])
