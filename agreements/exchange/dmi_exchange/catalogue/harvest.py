"""The catalogue as text for who takes all of it, without a token: all in one line, and what was made last is kept."""

from __future__ import annotations

import hashlib
from collections import OrderedDict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Final

import msgspec

from dmi_agreements.contracts.record import Quality
from dmi_exchange.catalogue import dcat
from dmi_exchange.catalogue.model import Item
from dmi_exchange.store import Store
from dmi_infra.aside import ANYBODY, for_anybody

KEPT_TEXTS: Final = 64
KEPT_BYTES: Final = 32 * 1024 * 1024
"""Of all kept texts together; a page of 1,000 entries has some ten million."""


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
        self._line = for_anybody()
        self._kept = Texts()

    async def page(self, form: str, after: str, limit: int) -> Page:
        """So many entries behind the id ``after`` in a form of rdflib; raises ``Unavailable`` as ``Aside``."""
        return await self._line.run(ANYBODY, partial(self._page, form, after, limit))

    async def table(self) -> str:
        """All entries as CSV; raises as ``page``."""
        return await self._line.run(ANYBODY, self._table)

    def _page(self, form: str, after: str, limit: int) -> Page:
        items = self._store.catalogue.listed(after, limit)
        measured = self._store.catalogue.quality([item.id for item in items])
        site = self._site(self._store.names({self._operator, *(item.owner for item in items)}))
        more = len(items) == limit
        following = f"{site.catalogue}?after={items[-1].id}&limit={limit}" if more else None
        told = _digest(form, site.names, items, measured, following)
        text = self._kept.get(told)
        if text is None:
            text = dcat.graph(site, items, measured, following).serialize(format=form, encoding="utf-8")
            self._kept.keep(told, text)
        return Page(text, following)

    def _table(self) -> str:
        return dcat.as_csv(self._site({}), self._store.catalogue.all())

    def _site(self, names: Mapping[str, str]) -> dcat.Site:
        return dcat.Site(self._base, self._operator, names)


class Texts:
    """The texts that were asked for last: so many, and so many bytes. For one thread at a time."""

    def __init__(self, most: int = KEPT_TEXTS, size: int = KEPT_BYTES) -> None:
        self._most = most
        self._size = size
        self._held = 0
        self._texts: OrderedDict[bytes, bytes] = OrderedDict()

    def get(self, told: bytes) -> bytes | None:
        """The text of what has this digest; ``None`` when it is not kept."""
        text = self._texts.get(told)
        if text is not None:
            self._texts.move_to_end(told)
        return text

    def keep(self, told: bytes, text: bytes) -> None:
        """Keep a text; those that were asked for longest ago make room for it."""
        if len(text) > self._size:
            return
        self._texts[told] = text
        self._held += len(text)
        while len(self._texts) > self._most or self._held > self._size:
            _, gone = self._texts.popitem(last=False)
            self._held -= len(gone)


def _digest(
    form: str,
    names: Mapping[str, str],
    items: Sequence[Item],
    measured: Mapping[str, Quality],
    following: str | None,
) -> bytes:
    """Of all that a text is made of: equal ones make equal texts."""
    told = (form, sorted(names.items()), items, sorted(measured.items()), following)
    return hashlib.sha256(msgspec.json.encode(told)).digest()
