"""Which rows pass under a permit, and how: consents and objections, what was erased, and the duties.

And whether a permit holds still, where the law that it was given under has changed.
"""

from __future__ import annotations

from collections.abc import Collection, Hashable, Sequence
from typing import Final

from msgspec.structs import replace

from dmi_agreements.contracts.observations import Micros, ObservationBatch
from dmi_agreements.decision import Decision, Duty, Reason, Request
from dmi_agreements.duties import Carried, Projection, carried, series_of
from dmi_agreements.own_duties import CutFrom, Wanted
from dmi_agreements.persons import own_data, own_look
from dmi_agreements.rights import ALL_ROWS
from dmi_agreements.table import LawTable
from dmi_infra.permit import EVER, Passed, Permit

SOURCE: Final = "intake"
"""The crossing nearest to the source, where the duties of consents are carried out first."""


class Judging:
    """Judges rows and permits for the gate of ``holder``. It records nothing: that is the gate's."""

    def __init__(self, holder: str, law: LawTable, projection: Projection) -> None:
        self._holder = holder
        self._law = law
        self._projection = projection

    def passed(self, permit: Permit, batch: ObservationBatch, now: Micros) -> Passed:
        """What of a batch passes at a moment, as it passes."""
        consents = self.subjects(permit, now)
        rows = self._standing(permit, batch, consents)
        if permit.personal:
            rows, kept, blurred, more = self._as_consented(permit, batch, rows, now)
        else:
            kept, more = batch if len(rows) == len(batch) else batch.take(rows), ()
            blurred = kept
        passed = carried(blurred, (*permit.duties, *more), now, self._projection)
        # Whose rows they are is told to each of them, also where the recipient does not learn it.
        used = (_made_of(kept, passed),) if permit.personal or any(kept.subject or ()) else ()
        rests_on = frozenset[str]()
        if consents:
            subjects = {subject for each in used for subject in each.subject or ()}
            rests_on = frozenset(
                one for subject in subjects for one in consents.get(subject or "", ()) if one
            )
        chosen = set(rows) if len(kept) < len(batch) else None
        left = () if chosen is None else tuple(row for row in range(len(batch)) if row not in chosen)
        return Passed(passed.batch, rests_on, len(left), left, used)

    def as_given(self, permit: Permit, asked: tuple[Request, ...], decision: Decision, now: Micros) -> bool:
        """Whether a permit that would be given otherwise now may be used on as it is."""
        if (decision.duties, decision.personal) != (permit.duties, permit.personal):
            return False
        if decision.agreements == permit.agreements:
            return set(decision.counted) == set(permit.counted)
        # One that asks as little may come before it in order: that ends nothing while its own agreements permit.
        return all(any(self._permits(each, request, now) for request in asked) for each in permit.agreements)

    def _permits(self, agreement: str, request: Request, now: Micros) -> bool:
        held = self._law.held(agreement)
        if held is None or not held.active or held.compiled is None:
            return False
        known = self._law.situation(held.state, request, now)
        rules = held.compiled.permissions.get((request.action, request.dataset), ())
        return any(rule.failing(request.assignee, request.purpose, now, known) is None for rule in rules)

    def changed(self, permit: Permit, now: Micros) -> Reason:
        """Why a permit may not be used on, whose terms have changed."""
        detail = "the terms have changed since this was opened; open it again"
        for identifier in permit.agreements:
            state = self._law.agreement(identifier)
            if state is not None and state.ended_at is not None:
                return Reason("ended", detail, identifier, moment=state.ended_at)
        return Reason("ended", detail, moment=now)

    def series(self, permit: Permit, batch: ObservationBatch) -> frozenset[str]:
        """The ids of the means, under a permit that gives means, to which rows of ``batch`` contribute."""
        return series_of(batch, permit.duties, self._projection)

    def subjects(self, permit: Permit, now: Micros) -> dict[str, frozenset[str]] | None:
        """Data subjects that may be served under ``permit`` with their consents; ``None``: not personal data."""
        if not permit.personal:
            return None
        entry = self._law.datasets.get(permit.dataset)
        # Data on another basis waits for nobody's consent: there only who looks at its own rows is kept to them.
        without = entry is not None and not entry.needs_consent
        # Nor does reading what is kept of oneself wait for the consent that lets the layer work on it.
        alone = own_data if without else own_look
        asked = tuple(filter(alone, permit.requests)) or permit.requests
        tables = [self._law.consenting_subjects(request, now) for request in asked]
        shared = set(tables[0]).intersection(*tables[1:])
        shared -= {who for who, until in self.left_out(permit).items() if until == ALL_ROWS}
        return {subject: frozenset(table[subject] for table in tables) for subject in shared}

    def left_out(self, permit: Permit) -> dict[str, Micros]:
        """Subject -> the moment up to which its rows do not pass: who objects, and what was erased.

        Who looks at its own rows is asked for alone: what the layer may do with them while it objects does not matter.
        """
        found: dict[str, Micros] = {}
        for request in tuple(filter(own_data, permit.requests)) or permit.requests:
            for subject, until in self._law.rights.left_out(request).items():
                found[subject] = max(found.get(subject, until), until)
        return found

    def asked(self, permit: Permit, now: Micros) -> frozenset[Duty]:
        """What consents ask beside the permit's duties, of the rows of one person or another."""
        asking = [one for one in permit.requests if permit.personal and not own_data(one)]
        return frozenset[Duty]().union(*(self._law.consents.asked(request, now) for request in asking))

    def turn(self, permit: Permit, now: Micros) -> Hashable:
        """Stays the same as long as ``subjects``, ``left_out`` and ``asked`` do, and is the same for who shares them.

        It goes through no persons, however many there are.
        """
        requests = permit.requests
        entry = self._law.datasets.get(permit.dataset)
        # First: an answer that is asked for after it is no older.
        rights = self._law.rights.turn(permit.dataset)
        consents = tuple(
            (one.assignee, one.action, one.purpose, self._law.consents.turn(one, now))
            for one in (requests if permit.personal else ())
        )
        # Who asks matters only where somebody is left out: else all who look share what is kept.
        left = tuple(
            (one.assignee, one.action, one.purpose) for one in requests if self._law.rights.left_out(one)
        )
        return entry is None or entry.needs_consent, consents, left, rights

    def standing(self, permit: Permit, batch: ObservationBatch, now: Micros) -> Sequence[int]:
        """The rows of nobody who objects or has not consented where that is asked, without what was erased."""
        return self._standing(permit, batch, self.subjects(permit, now))

    def _standing(
        self, permit: Permit, batch: ObservationBatch, consents: Collection[str] | None
    ) -> Sequence[int]:
        rows: Sequence[int] = range(len(batch))
        out = self.left_out(permit) if batch.subject is not None else {}
        if out and batch.subject is not None:
            told = enumerate(zip(batch.subject, batch.phenomenon_time, strict=True))
            rows = [row for row, (who, time) in told if who is None or time > out.get(who, -EVER)]
        if consents is not None:
            whose = batch.subject or [None] * len(batch)
            rows = [row for row in rows if whose[row] in consents]
        return rows

    def _as_consented(
        self, permit: Permit, batch: ObservationBatch, rows: Sequence[int], now: Micros
    ) -> tuple[Sequence[int], ObservationBatch, ObservationBatch, tuple[Duty, ...]]:
        """The rows that their subjects' own consents leave, as they are and as these have them; the duties of all."""
        given = {request.assignee: self._law.consent_duties(request, now) for request in permit.requests}
        if not any(given.values()):
            kept = batch.take(rows)
            return rows, kept, kept, ()

        def cut_from(subject: str, metres: int) -> CutFrom:
            return self._law.consents.cut_from(permit.dataset, subject, self._holder, metres)

        wanted = Wanted.of(given, self._holder, permit.crossing == SOURCE, cut_from)
        rows = wanted.left(batch, rows, now, self._projection)
        kept = batch.take(rows)
        return rows, kept, wanted.blurred(kept, now, self._projection), wanted.together(kept)


def _made_of(kept: ObservationBatch, passed: Carried) -> ObservationBatch:
    """The rows of ``kept`` that passed, each as one of what it went into."""
    if passed.rows == range(len(kept)):
        return kept
    return replace(
        kept.take(passed.rows),
        datastream=[passed.batch.datastream[row] for row in passed.into],
        phenomenon_time=[passed.batch.phenomenon_time[row] for row in passed.into],
    )
