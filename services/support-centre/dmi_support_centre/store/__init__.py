"""The support centre's store: SQLite or PostgreSQL, in six parts over one engine."""

from __future__ import annotations

import sqlalchemy as sa

from dmi_support_centre.store.marks import MarkStore
from dmi_support_centre.store.measures import MeasureStore
from dmi_support_centre.store.observations import ObservationStore
from dmi_support_centre.store.results import ResultStore
from dmi_support_centre.store.scenarios import ScenarioStore
from dmi_support_centre.store.seen import SeenStore


class Store:
    """All reads and writes of the support centre."""

    def __init__(self, engine: sa.Engine) -> None:
        self.engine = engine
        self.observations = ObservationStore(engine)
        self.results = ResultStore(engine)
        self.scenarios = ScenarioStore(engine)
        self.measures = MeasureStore(engine)
        self.marks = MarkStore(engine)
        self.seen = SeenStore(engine)


__all__ = ["Store"]
