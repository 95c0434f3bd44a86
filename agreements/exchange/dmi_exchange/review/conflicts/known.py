"""The hierarchies that come with the project: purposes of the rulebook, and countries of Europe."""

from __future__ import annotations

import json
from collections.abc import Mapping
from importlib import resources
from typing import Final

from dmi_agreements.odrl.vocabulary import DMI
from dmi_agreements.rulebook import Rulebook

Hierarchy = Mapping[str, frozenset[str]]
_SHORT: Final = "dmi:"


def places() -> Hierarchy:
    """The countries of the European Economic Area, Switzerland and the United Kingdom, by GeoNames' IRIs."""
    text = resources.files("dmi_exchange.review.conflicts").joinpath("places.json").read_text("utf-8")
    return {place: frozenset(above) for place, above in json.loads(text).items()}


def purposes(rulebook: Rulebook) -> Hierarchy:
    """The tree of purposes, each also below the term of the Data Privacy Vocabulary that it falls under."""
    return {
        _iri(purpose.id): frozenset(
            {each for each in (purpose.dpv,) if each} | {_iri(purpose.parent)} if purpose.parent else set()
        )
        for purpose in rulebook.purposes.values()
    }


def _iri(name: str) -> str:
    return DMI + name.removeprefix(_SHORT)
