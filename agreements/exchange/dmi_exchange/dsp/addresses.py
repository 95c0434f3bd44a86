"""Which other nodes this one speaks to: all that can be reached from outside, or those of a list alone."""

from __future__ import annotations

from collections.abc import Callable, Collection
from urllib.parse import urlsplit

from dmi_exchange.errors import StepRefused


def allowing(check: Callable[[str], None], hosts: Collection[str]) -> Callable[[str], None]:
    """``check`` that also refuses addresses of hosts that are not listed; an empty list allows all."""
    listed = frozenset(host.lower() for host in hosts)
    if not listed:
        return check

    def checked(address: str) -> None:
        try:
            host = (urlsplit(address).hostname or "").lower()
        except ValueError as exc:
            raise StepRefused("/callbackAddress: is no address") from exc
        # First: a name that is not listed is not looked up either.
        if host not in listed:
            raise StepRefused("/callbackAddress: its host is not one that this node is allowed to speak to")
        check(address)

    return checked
