"""Whether an address is of the public internet: what outsiders name must not lead inside (SSRF)."""

from __future__ import annotations

import ipaddress
from typing import Final

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
