"""The kinds of file that ingest can read, one module a kind; the registry is all that a caller needs."""

from __future__ import annotations

from typing import Final

from dmi_ingest.sources.amsterdam_buurten import AmsterdamBuurten
from dmi_ingest.sources.amsterdam_garages import AmsterdamGarages
from dmi_ingest.sources.birmingham_parking import BirminghamParking
from dmi_ingest.sources.cbs_buurten import CbsBuurten
from dmi_ingest.sources.port import Source
from dmi_ingest.sources.rdw_parking import RdwParking
from dmi_ingest.sources.sail_crowd import SailCrowd
from dmi_ingest.sources.snuffelfiets import PERSON, Snuffelfiets

_ALL: Final[tuple[Source, ...]] = (
    Snuffelfiets(),
    SailCrowd(),
    AmsterdamGarages(),
    BirminghamParking(),
    RdwParking(),
    AmsterdamBuurten(),
    CbsBuurten(),
)

PERSONS: Final[dict[str, str]] = {Snuffelfiets.kind: PERSON}
"""How the ids of persons begin whom a kind of file names by itself; what follows stands in the file."""
SOURCES: Final[dict[str, Source]] = {source.kind: source for source in _ALL}
