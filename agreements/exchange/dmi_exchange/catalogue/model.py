"""What stands in the catalogue, and by which words and facets it is found. Pure."""

from __future__ import annotations

import re
import unicodedata
from collections import Counter
from collections.abc import Iterable, Mapping
from typing import Final

import msgspec

from dmi_agreements.contracts.law import About, Dataset
from dmi_exchange.catalogue.licences import address_of

DATA, SERVICE, APPLICATION, KNOWLEDGE = "data", "service", "application", "knowledge"
KINDS: Final = (DATA, SERVICE, APPLICATION, KNOWLEDGE)
SUPPLY, DEMAND = "supply", "demand"
OPEN, BY_AGREEMENT = "open", "by-agreement"

THEMES: Final = {
    "AGRI": {"nl": "Landbouw en voedsel", "en": "Agriculture and food"},
    "ECON": {"nl": "Economie en financiën", "en": "Economy and finance"},
    "EDUC": {"nl": "Onderwijs, cultuur en sport", "en": "Education, culture and sport"},
    "ENER": {"nl": "Energie", "en": "Energy"},
    "ENVI": {"nl": "Milieu", "en": "Environment"},
    "GOVE": {"nl": "Overheid en publieke sector", "en": "Government and public sector"},
    "HEAL": {"nl": "Gezondheid", "en": "Health"},
    "INTR": {"nl": "Internationale zaken", "en": "International issues"},
    "JUST": {"nl": "Recht en veiligheid", "en": "Justice and public safety"},
    "REGI": {"nl": "Regio's en steden", "en": "Regions and cities"},
    "SOCI": {"nl": "Bevolking en samenleving", "en": "Population and society"},
    "TECH": {"nl": "Wetenschap en techniek", "en": "Science and technology"},
    "TRAN": {"nl": "Vervoer", "en": "Transport"},
}
"""The data themes of the EU (authority table ``data-theme``)."""
_OF_CATEGORY: Final = {
    "mobility": "TRAN",
    "crowd": "TRAN",
    "environment": "ENVI",
    "spatial-planning": "REGI",
    "energy": "ENER",
    "health": "HEAL",
}
_WORD: Final = re.compile(r"[^\W_]+")
LONGEST_WORD: Final = 60
_WEIGHTS: Final = {"title": 8, "keyword": 4, "place": 3, "description": 1}


class Item(msgspec.Struct, frozen=True, omit_defaults=True):
    """One entry of the catalogue: something offered (``supply``) or asked for (``demand``)."""

    id: str
    kind: str
    direction: str
    owner: str
    title: dict[str, str]
    description: dict[str, str] = {}
    licence: str = ""
    access: str = BY_AGREEMENT
    personal: bool = False
    address: str = ""
    """Where a service or application answers, or knowledge is read."""
    about: About | None = None
    withdrawn: bool = False
    layer: str = ""


def of_dataset(dataset: Dataset, opened: bool) -> Item:
    """A dataset of the law as an entry; ``opened``: everyone has an agreement to read it."""
    about = dataset.about
    if about is not None and not about.themes:
        about = msgspec.structs.replace(about, themes=[theme_of(dataset.category)])
    return Item(
        dataset.id, DATA, SUPPLY, dataset.owner, dataset.title, dataset.description, dataset.licence,
        OPEN if opened else BY_AGREEMENT, dataset.personal, "", about, dataset.withdrawn, dataset.layer,
    )  # fmt: skip


def told_in(title: Mapping[str, str], description: Mapping[str, str]) -> list[str]:
    """The languages in which an entry can be read.

    A name is often entered in several languages alike: that tells nothing in the others. So a description settles it
    where there is one, else a title counts in the languages in which it differs, the first of those that are alike.
    """
    described = [language for language, text in description.items() if text.strip()]
    if described:
        return sorted(described)
    first: dict[str, str] = {}
    for language in sorted(title, key=lambda each: (each != "nl", each)):
        first.setdefault(title[language].strip().casefold(), language)
    return sorted(first.values())


def theme_of(category: str) -> str:
    """The theme that goes with a category of ours; government where none does."""
    return _OF_CATEGORY.get(category, "GOVE")


def words(text: str) -> list[str]:
    """The words of a text as they are looked for: small letters, without accents."""
    plain = unicodedata.normalize("NFKD", text.casefold())
    folded = "".join(c for c in plain if not unicodedata.combining(c))
    return [word[:LONGEST_WORD] for word in _WORD.findall(folded)]


def weights(item: Item) -> dict[str, int]:
    """How much each word of an entry counts."""
    found: Counter[str] = Counter()

    def count(texts: Iterable[str], where: str) -> None:
        for word in {word for text in texts for word in words(text)}:
            found[word] += _WEIGHTS[where]

    count(item.title.values(), "title")
    count(item.description.values(), "description")
    count((item.id.rsplit(":", 1)[-1], item.owner.rsplit(":", 1)[-1]), "keyword")
    if item.about is not None:
        count((each for texts in item.about.keywords.values() for each in texts), "keyword")
        count((text for theme in item.about.themes for text in THEMES[theme].values()), "keyword")
        count((*item.about.place.name.values(), *item.about.place.codes), "place")
    return dict(found)


def worded_alike(one: Item, other: Item) -> bool:
    """Whether two states of an entry are found by the same words."""
    return (one.title, one.description, one.owner, one.about) == (
        other.title,
        other.description,
        other.owner,
        other.about,
    )


def facets(item: Item) -> set[tuple[str, str]]:
    """By what an entry can be narrowed down: pairs of name and value."""
    found = {
        ("kind", item.kind),
        ("direction", item.direction),
        ("owner", item.owner),
        ("access", item.access),
        ("personal", "yes" if item.personal else "no"),
    }
    if item.licence:
        # Two spellings of one licence count together.
        found.add(("licence", address_of(item.licence)))
    if item.about is not None:
        found |= {("theme", theme) for theme in item.about.themes}
        found |= {("area", code) for code in item.about.place.codes}
        found |= {("language", language) for language in item.about.languages}
    return found


FACETS: Final = ("kind", "direction", "theme", "access", "owner", "licence", "area", "language", "personal")
