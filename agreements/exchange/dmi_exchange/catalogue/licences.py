"""Licences by their own address, however somebody spells them: by name, over http, without the last slash."""

from __future__ import annotations

import re
from typing import Final

_NAMES: Final = {
    "cc0 1 0": "https://creativecommons.org/publicdomain/zero/1.0/",
    "cc0": "https://creativecommons.org/publicdomain/zero/1.0/",
    "cc by 4 0": "https://creativecommons.org/licenses/by/4.0/",
    "cc by sa 4 0": "https://creativecommons.org/licenses/by-sa/4.0/",
    "odbl 1 0": "https://opendatacommons.org/licenses/odbl/1-0/",
}
_WORD: Final = re.compile(r"[^\W_]+")
_ADDRESS: Final = re.compile(r"^https?://(?:www\.)?", re.IGNORECASE)
_READ_AS: Final = re.compile(r"/(?:deed(?:\.[a-z-]+)?|legalcode(?:\.[a-z-]+)?)?$")
"""How the address of a licence ends for those who read it, in a language."""


def _bare(address: str) -> str:
    return _READ_AS.sub("", _ADDRESS.sub("", address).lower())


_ADDRESSES: Final = {_bare(address): address for address in _NAMES.values()}


def is_address(licence: str) -> bool:
    """Whether a licence is stated by an address."""
    return _ADDRESS.match(licence) is not None


def address_of(licence: str) -> str:
    """The address of a known licence; another text as it is, without space around it."""
    stated = licence.strip()
    if is_address(stated):
        return _ADDRESSES.get(_bare(stated), stated)
    return _NAMES.get(" ".join(_WORD.findall(stated.casefold())), stated)
