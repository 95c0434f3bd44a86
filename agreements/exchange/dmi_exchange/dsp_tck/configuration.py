"""Reads the kit's configuration file: which dataset, offer and agreement belongs to which scenario."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from pathlib import Path

_LINE = re.compile(r"(?P<case>(?:CN|CN_C|TP|TP_C|CAT)_\d\d_\d\d)_(?P<what>[A-Z]+)\s*[=:]\s*(?P<value>\S+)")
DEFAULT = Path(__file__).with_name("ids.properties")


@dataclass(frozen=True, slots=True)
class Ids:
    """By scenario: its dataset, its offer, its agreement, the format of its transfer."""

    datasets: dict[str, str] = field(default_factory=dict)
    offers: dict[str, str] = field(default_factory=dict)
    agreements: dict[str, str] = field(default_factory=dict)
    formats: dict[str, str] = field(default_factory=dict)

    def cases(self, kind: str) -> dict[str, str]:
        """Scenarios by dataset (``CN``, ``CN_C``) or by agreement (``TP``, ``TP_C``); the first of equal ones."""
        named = self.agreements if kind.startswith("TP") else self.datasets
        found: dict[str, str] = {}
        for case, value in named.items():
            if re.fullmatch(rf"{kind}_\d\d_\d\d", case):
                found.setdefault(value, case)
        return found


def read_ids(file: Path | None) -> Ids:
    """The ids in ``file`` (``None``: those that come along); other settings of the kit are passed over."""
    ids = Ids()
    places = {
        "DATASETID": ids.datasets,
        "OFFERID": ids.offers,
        "AGREEMENTID": ids.agreements,
        "FORMAT": ids.formats,
    }
    for line in (file or DEFAULT).read_text(encoding="utf-8").splitlines():
        found = _LINE.fullmatch(line.strip())
        if found and found["what"] in places:
            places[found["what"]][found["case"]] = found["value"]
    return ids
