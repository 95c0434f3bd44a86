"""What another node's catalogue offers, as far as it can be read: whoever wrote it may have written anything."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Annotated, Any, Final
from urllib.parse import parse_qs, urlsplit

import msgspec

from dmi_agreements.dsp.terms import DATASET
from dmi_agreements.policy.jsonld import bounds
from dmi_exchange.dsp.client import Answer
from dmi_infra.errors import Unavailable

LONGEST_ID: Final = 500
"""Characters of an id or of a position in a catalogue."""
LEVELS: Final = 24
"""Of an entry; what is deeper could not be shown."""
_RULES: Final = ("permission", "prohibition", "obligation")

Id = Annotated[str, msgspec.Meta(min_length=1, max_length=LONGEST_ID)]


class _Named(msgspec.Struct, frozen=True):
    id: Id = msgspec.field(name="@id")


class _Distribution(msgspec.Struct, frozen=True):
    format: str | None = None


class _Item(msgspec.Struct, frozen=True):
    """A dataset of a catalogue; what else it holds is passed over."""

    id: Id = msgspec.field(name="@id")
    publisher: _Named | None = msgspec.field(name="dct:publisher", default=None)
    title: Any = msgspec.field(name="dct:title", default=None)
    description: Any = msgspec.field(name="dct:description", default=None)
    offers: list[dict[str, Any]] = msgspec.field(name="hasPolicy", default_factory=list)
    distribution: list[_Distribution] = []
    entry: dict[str, Any] | None = msgspec.field(name=DATASET, default=None)


@dataclass(frozen=True, slots=True)
class Offered:
    """A page of another node's catalogue. ``left_out`` items of it cannot be read."""

    items: list[dict[str, Any]]
    after: str | None
    """Behind which the next page begins, where there is one."""
    left_out: int


def offered(answer: Answer, where: str) -> Offered:
    """A page of the catalogue of the node at ``where``; raises ``Unavailable`` for what is no catalogue."""
    found = answer.body.get("dataset", [])
    if not answer.body or not isinstance(found, list):
        raise Unavailable("the other node's catalogue cannot be read")
    read = [_item(item) for item in found]
    items = [_shown(item, where) for item in read if item is not None]
    return Offered(items, _after(answer), len(read) - len(items))


def _item(given: object) -> _Item | None:
    try:
        item = msgspec.convert(given, _Item)
    except (msgspec.ValidationError, RecursionError):
        return None
    return item if _shallow(item.entry) and all(map(_usable, item.offers)) else None


def _usable(offer: Mapping[str, Any]) -> bool:
    """Whether an offer could be asked for: one that is beyond the bounds of a message could not be sent."""
    identifier = offer.get("@id")
    if not isinstance(identifier, str) or not identifier or bounds(offer) is not None:
        return False
    rules = [offer.get(name, []) for name in _RULES]
    return all(isinstance(each, list) and all(isinstance(rule, dict) for rule in each) for each in rules)


def _shallow(value: object, levels: int = LEVELS) -> bool:
    inside = value.values() if isinstance(value, dict) else value if isinstance(value, list) else ()
    return levels > 0 and all(_shallow(each, levels - 1) for each in inside)


def _after(answer: Answer) -> str | None:
    try:
        query = urlsplit(str(answer.links.get("next", {}).get("url", ""))).query
    except ValueError:  # no address, such as half an IPv6 one
        return None
    after = parse_qs(query).get("after", [""])[0]
    return after if 0 < len(after) <= LONGEST_ID else None


def _shown(item: _Item, where: str) -> dict[str, Any]:
    return {
        "dataset": item.id,
        "owner": None if item.publisher is None else item.publisher.id,
        "title": texts(item.title),
        "description": texts(item.description),
        "address": where,
        "offers": item.offers,
        "formats": [each.format for each in item.distribution],
        "entry": item.entry,
    }


def texts(given: Any) -> dict[str, str]:
    """Texts by language, as other connectors tell them too: one text or several, with a language or without."""
    found: dict[str, str] = {}
    for text in given if isinstance(given, list) else [given]:
        if isinstance(text, str):
            found.setdefault("und", text)
        elif isinstance(text, dict) and isinstance(text.get("@value"), str):
            language = text.get("@language")
            found[language if isinstance(language, str) else "und"] = text["@value"]
    return found
