"""How complete and plausible the rows of a dataset are."""

from __future__ import annotations

import sqlalchemy as sa

from dmi_agreements.contracts.observations import FLAG_FAIL, FLAG_SUSPECT, Micros
from dmi_agreements.contracts.record import Quality
from dmi_platform.model import NEVER
from dmi_platform.quality import BITS, TESTS
from dmi_platform.store.tables import datastream, last_value, observation


def quality(connection: sa.Connection, dataset: str, at: Micros, seconds: int) -> Quality:
    """What there is of a dataset over ``seconds`` up to ``at``."""
    keys = sa.select(datastream.c.key).where(datastream.c.dataset == dataset)
    begin = at - seconds * 1_000_000
    within = sa.and_(observation.c.datastream.in_(keys), observation.c.time > begin, observation.c.time <= at)
    valued = observation.c.result.is_not(None)
    flags = [observation.c.flags.bitwise_rshift(BITS * n).bitwise_and(2**BITS - 1) for n in range(len(TESTS))]
    good = sa.and_(valued, *(flag.not_in([FLAG_SUSPECT, FLAG_FAIL]) for flag in flags))
    query = sa.select(
        sa.func.count().label("rows"),
        sa.func.coalesce(sa.func.sum(sa.case((valued, 0), else_=1)), 0).label("missing"),
        sa.func.coalesce(sa.func.sum(sa.case((good, 1), else_=0)), 0).label("good"),
        sa.func.count(observation.c.datastream.distinct()).label("delivering"),
    ).where(within)
    row = connection.execute(query).one()
    streams = connection.execute(sa.select(sa.func.count()).select_from(keys.subquery())).scalar_one()
    last = sa.select(sa.func.max(last_value.c.time)).where(last_value.c.datastream.in_(keys))
    newest = connection.execute(last).scalar_one()
    return Quality(
        dataset,
        at,
        seconds,
        streams,
        None if newest is None or newest <= NEVER else newest,
        row.rows,
        int(row.missing),
        int(row.good),
        row.delivering,
    )
