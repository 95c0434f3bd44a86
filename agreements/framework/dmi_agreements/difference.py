"""What changes between two versions of the rulebook, told so that people can judge it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Final

from dmi_agreements.rulebook import Rulebook
from dmi_agreements.rulebook_terms import Weight

WEIGHTS: Final[tuple[Weight, ...]] = ("patch", "minor", "major")

_KINDS: Final = {
    "rulebook.json": {"nl": "afsprakenstelsel", "en": "rulebook"},
    "roles.json": {"nl": "rol", "en": "role"},
    "purposes.json": {"nl": "doel", "en": "purpose"},
    "legal-bases.json": {"nl": "grondslag", "en": "legal basis"},
    "categories.json": {"nl": "soort gegevens", "en": "kind of data"},
    "actions.json": {"nl": "handeling", "en": "action"},
    "duties.json": {"nl": "plicht", "en": "duty"},
    "limits.json": {"nl": "grens", "en": "limit"},
    "rules.json": {"nl": "regel", "en": "rule"},
    "countries.json": {"nl": "land", "en": "country"},
    "templates.json": {"nl": "sjabloon", "en": "template"},
}
_WORDING: Final = frozenset({"label", "description", "title", "reason"})
"""Members that hold text for people: another wording decides nothing."""
_BINDING: Final = frozenset({"limits.json", "rules.json"})
"""Files in which also an addition takes something away."""
_GRANTING: Final = frozenset({"roles.json", "legal-bases.json", "countries.json"})
"""Files in which an addition gives somebody a power: to act, to rest on a basis, to receive."""
_GOVERNANCE: Final = "rulebook.json#/governance"
"""Who decides on the rulebook: a body that could add itself by a lighter change would decide on all of them."""
_RELEASE: Final = frozenset({"version", "date"})
"""Members that every version changes."""


@dataclass(frozen=True, slots=True)
class Change:
    """One change: what was there ``before`` and what comes ``after`` (``None``: nothing), and its weight.

    ``path`` is ``<file>#<JSON pointer>``, with the id of a term in place of its number. ``text`` tells it in
    Dutch and English.
    """

    path: str
    weight: Weight
    before: Any
    after: Any
    text: Mapping[str, str]


def difference(before: Rulebook, after: Rulebook) -> list[Change]:
    """Every change from one version to another, file by file."""
    found: list[Change] = []
    for name in before.files:
        old, new = before.files[name], after.files[name]
        if isinstance(old, list):
            found += _terms(name, old, new)
        else:
            found += _members(name, name, f"{name}#", old, new)
    return found


def weight(changes: list[Change]) -> Weight:
    """How much these changes do together: as much as the heaviest."""
    return max((change.weight for change in changes), key=WEIGHTS.index, default="patch")


def _terms(name: str, old: list[dict[str, Any]], new: list[dict[str, Any]]) -> Iterator[Change]:
    before, after = ({term["id"]: term for term in terms} for terms in (old, new))
    for identifier in before.keys() - after.keys():
        yield _told(f"{name}#/{identifier}", "major", name, before[identifier]["label"], "", identifier, None)
    for identifier, term in after.items():
        if identifier in before:
            path = f"{name}#/{identifier}"
            yield from _members(name, term["label"], path, before[identifier], term)
        else:
            heavy: Weight = "major" if name in _BINDING | _GRANTING else "minor"
            yield _told(f"{name}#/{identifier}", heavy, name, term["label"], "", None, identifier)


def _members(
    name: str, of: Mapping[str, str] | str, path: str, old: Mapping[str, Any], new: Mapping[str, Any]
) -> Iterator[Change]:
    for key in dict.fromkeys((*old, *new)):
        if old.get(key) == new.get(key):
            continue
        if path == "rulebook.json#" and key in _RELEASE:
            continue
        was, now = old.get(key), new.get(key)
        if isinstance(was, Mapping) and isinstance(now, Mapping) and key not in _WORDING:
            yield from _members(name, of, f"{path}/{key}", was, now)
            continue
        yield _told(f"{path}/{key}", _weight(name, path, key, was, now), name, of, key, was, now)


def _weight(name: str, path: str, key: str, was: Any, now: Any) -> Weight:
    if key in _WORDING:
        return "patch"
    if name in _BINDING | _GRANTING or f"{path}/{key}".startswith(_GOVERNANCE):
        return "major"
    if isinstance(was, list) and isinstance(now, list) and all(item in now for item in was):
        return "minor"
    return "major"


def _told(
    path: str, heavy: Weight, name: str, of: Mapping[str, str] | str, key: str, was: Any, now: Any
) -> Change:
    verbs = {"nl": ("verdwijnt", "komt erbij", "nieuw", "was"), "en": ("goes", "is added", "new", "was")}
    text: dict[str, str] = {}
    for language, (goes, comes, new, old) in verbs.items():
        title = of if isinstance(of, str) else of.get(language, "")
        subject = _KINDS[name][language] + (f" “{title}”" if title != name else "")
        if key:
            text[language] = f"{subject}, {key}: {new} {_short(now, language)}; {old} {_short(was, language)}"
        else:
            text[language] = f"{subject} {comes if was is None else goes}"
    return Change(path, heavy, was, now, text)


def _short(value: Any, language: str) -> str:
    if value is None:
        return {"nl": "niets", "en": "nothing"}[language]
    if isinstance(value, Mapping):
        return f"“{value[language]}”" if language in value else f"({len(value)})"
    if isinstance(value, list):
        return ", ".join(_short(item, language) for item in value) or {"nl": "geen", "en": "none"}[language]
    if isinstance(value, bool):
        return {"nl": ("nee", "ja"), "en": ("no", "yes")}[language][value]
    return str(value)
