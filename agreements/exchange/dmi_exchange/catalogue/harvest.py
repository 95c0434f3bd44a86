"""The catalogue as text for who takes all of it, without a token: made in one line, and what was made last is kept."""

from __future__ import annotations

import hashlib
import threading
from collections import OrderedDict
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from functools import partial
from typing import Final

import msgspec

from dmi_exchange.catalogue import dcat
from dmi_exchange.catalogue.model import Item
from dmi_exchange.store import Store
from dmi_infra.aside import ANYBODY, PATIENCE, Aside, for_anybody

KEPT_TEXTS: Final = 64
KEPT_BYTES: Final = 32 * 1024 * 1024
"""Of all kept texts together; a page of 1,000 entries has some ten million."""
LOOKING: Final = 2000
"""Requests that may wait to see whether their text is kept, which takes milliseconds: nobody's fill the line of what is
made, and keep no text from who asks for one that is there."""


@dataclass(frozen=True, slots=True)
class Page:
    """A page in one form, and the address of the next; ``None``: this is the last."""

    text: bytes
    following: str | None


class Harvest:
    """Pages of the catalogue in forms of RDF, and all of it as CSV.

    A graph costs two milliseconds an entry, so one text is made at a time, and not again as long as nothing of what
    it tells has changed. What it tells is read each time: other processes write to the same store.
    """

    def __init__(self, store: Store, base: str, operator: str) -> None:
        """``base`` is the node's own address, ``operator`` the participant whose catalogue it is."""
        self._store = store
        self._base = base
        self._operator = operator
        self._looks = Aside(threads=1, each=1, waiting=LOOKING, patience=PATIENCE)
        self._line = for_anybody()
        self._kept = Texts()

    async def page(self, form: str, after: str, limit: int) -> Page:
        """So many entries behind the id ``after`` in a form of rdflib; raises ``Unavailable`` as ``Aside``."""
        wanted = await self._looks.run(ANYBODY, partial(self._page, form, after, limit))
        return Page(await self._text(wanted), wanted.following)

    async def table(self) -> bytes:
        """All entries as CSV in UTF-8; raises as ``page``."""
        return await self._text(await self._looks.run(ANYBODY, self._table))

    async def _text(self, wanted: _Wanted) -> bytes:
        text = self._kept.get(wanted.told)
        return text if text is not None else await self._line.run(ANYBODY, partial(self._made, wanted))

    def _made(self, wanted: _Wanted) -> bytes:
        # Made for another one meanwhile, perhaps: all who ask for it the first time stand in line.
        text = self._kept.get(wanted.told)
        if text is None:
            text = wanted.make()
            self._kept.keep(wanted.told, text)
        return text

    def _page(self, form: str, after: str, limit: int) -> _Wanted:
        items = self._store.catalogue.listed(after, limit)
        measured = self._store.catalogue.quality([item.id for item in items])
        site = self._site(self._store.names({self._operator, *(item.owner for item in items)}))
        more = len(items) == limit
        following = f"{site.catalogue}?after={items[-1].id}&limit={limit}" if more else None
        told = _digest(form, [sorted(site.names.items()), sorted(measured.items()), following], items)

        def make() -> bytes:
            graph = dcat.graph(site, items, measured, following)
            return graph.serialize(format=form, encoding="utf-8")

        return _Wanted(told, make, following)

    def _table(self) -> _Wanted:
        # Read again to be made: all of a city's is not kept in memory for who waits.
        def make() -> bytes:
            return dcat.as_csv(self._site({}), self._store.catalogue.all()).encode()

        return _Wanted(_digest("csv", [], self._store.catalogue.all()), make)

    def _site(self, names: Mapping[str, str]) -> dcat.Site:
        return dcat.Site(self._base, self._operator, names)


@dataclass(frozen=True, slots=True)
class _Wanted:
    """A text that is asked for: the digest of what it tells, and what makes it."""

    told: bytes
    make: Callable[[], bytes]
    following: str | None = None


class Texts:
    """The texts that were asked for last: so many, and so many bytes."""

    def __init__(self, most: int = KEPT_TEXTS, size: int = KEPT_BYTES) -> None:
        self._most = most
        self._size = size
        self._held = 0
        self._lock = threading.Lock()
        self._texts: OrderedDict[bytes, bytes] = OrderedDict()

    def get(self, told: bytes) -> bytes | None:
        """The text of what has this digest; ``None`` when it is not kept."""
        with self._lock:
            text = self._texts.get(told)
            if text is not None:
                self._texts.move_to_end(told)
            return text

    def keep(self, told: bytes, text: bytes) -> None:
        """Keep a text; those that were asked for longest ago make room for it."""
        if len(text) > self._size:
            return
        with self._lock:
            self._held += len(text) - len(self._texts.pop(told, b""))
            self._texts[told] = text
            while len(self._texts) > self._most or self._held > self._size:
                _, gone = self._texts.popitem(last=False)
                self._held -= len(gone)


def _digest(form: str, about: object, items: Iterable[Item]) -> bytes:
    """Of all that a text is made of: equal ones make equal texts."""
    told = hashlib.sha256(msgspec.json.encode((form, about)))
    for item in items:
        told.update(b"\n" + msgspec.json.encode(item))
    return told.digest()
