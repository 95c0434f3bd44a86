"""Scenarios: branched from a pinned baseline, changed by typed edits, every change a new version."""

from __future__ import annotations

import secrets
import threading
import uuid
from collections.abc import Sequence
from typing import Any

import msgspec

from dmi_agreements.decision import Reason
from dmi_infra import clock
from dmi_infra.errors import Conflict, NotFound, Refused
from dmi_infra.gate import Gate
from dmi_infra.http.access import Opening
from dmi_infra.identity import Identity
from dmi_support_centre.atlas import about_persons
from dmi_support_centre.baseline import Part
from dmi_support_centre.baselines import Baselines
from dmi_support_centre.desk import Inputs
from dmi_support_centre.model import Result, standing
from dmi_support_centre.models.scenario import MODEL, Edit
from dmi_support_centre.runs import Runs, result_id
from dmi_support_centre.store import Store
from dmi_support_centre.store.scenarios import After, ScenarioRow, VersionRow, length_of

MOST_EDITS = 200
MOST_VERSIONS = 1000
LONGEST_EDITS = 512 * 1024
"""Characters that the edits of one version take: each version keeps all of them, and each look at one reads them."""
MOST_CHARACTERS = 64 * 1024 * 1024
"""Characters that the edits of all versions of all scenarios of one participant take."""
MOST_SCENARIOS = 1000
"""Scenarios of one participant."""
MOST_BASELINES = 1000
"""States of the city that the scenarios of one participant rest on: each is kept whole."""
OVERTAKEN = "someone else has changed this scenario just now; look again"


class Scenarios:
    """What analysts can do with scenarios."""

    def __init__(self, store: Store, gate: Gate, baselines: Baselines, runs: Runs) -> None:
        self._store = store
        self._gate = gate
        self._baselines = baselines
        self.runs = runs
        # A baseline goes with the last scenario on it, so who begins on one and who deletes take turns.
        self._turns = threading.Lock()

    # -- scenarios ----------------------------------------------------------

    def create(self, title: str, person: Identity) -> ScenarioRow:
        """A scenario without edits, pinned to the city as it is known now; ``Conflict`` for too many."""
        self._check_room(person.participant)
        return self._new(title, person, None, self._pin(person.participant), [])

    def branch(self, identifier: str, title: str, person: Identity) -> ScenarioRow:
        """A scenario that begins where another one stands, on the same baseline; ``Conflict`` for too many."""
        parent = self.get(identifier, person)
        self._check_room(person.participant)
        found = self.version(parent, parent.current)
        self._check_size(person.participant, found.edits)
        return self._new(title, person, parent.id, found.baseline, found.edits)

    def _check_room(self, owner: str) -> None:
        if self._store.scenarios.count(owner) >= MOST_SCENARIOS:
            rule = f"you have {MOST_SCENARIOS} scenarios already: delete one, or go on in one from any of its versions"
            raise Conflict.of("title", rule)

    def _check_size(self, owner: str, edits: Sequence[Edit]) -> None:
        """Raise ``Conflict`` where one more version with these edits would be too much to keep."""
        length = length_of(edits)
        if length > LONGEST_EDITS:
            rule = (
                f"the edits of a version take at most {LONGEST_EDITS} characters together, these take {length}: "
                "draw areas with fewer corners, or choose neighbourhoods"
            )
            raise Conflict.of("edits", rule)
        if self._store.scenarios.size(owner) + length > MOST_CHARACTERS:
            rule = f"the versions of your scenarios hold {MOST_CHARACTERS} characters of edits, as many as are kept"
            raise Conflict.of("edits", rule)

    def _pin(self, owner: str) -> str:
        """Keep the city as it is known now; raises ``Conflict`` where scenarios rest on too many others already."""
        present, kept = self._baselines.present(), self._store.scenarios.baselines_of(owner)
        if present.version not in kept and len(kept) >= MOST_BASELINES:
            rule = (
                f"your scenarios rest on {MOST_BASELINES} states of the city already: branch from one of them"
            )
            raise Conflict.of("baseline", rule)
        return self._baselines.pin()

    def _new(
        self, title: str, person: Identity, parent: str | None, baseline: str, edits: list[Edit]
    ) -> ScenarioRow:
        now = clock.now()
        row = ScenarioRow(
            id=str(uuid.uuid4()),
            title=title,
            parent=parent,
            owner=person.participant,
            owner_name=person.name,
            created_at=now,
            current=1,
            share=f"share-{secrets.token_urlsafe(24)}",
        )
        with self._turns:
            self._baselines.keep(baseline)
            first = VersionRow(row.id, 1, None, edits, now, person.name, baseline)
            self._store.scenarios.create(row, first)
        return row

    def delete(self, identifier: str, person: Identity) -> None:
        """Delete an own scenario with all its versions and their outcomes; who has its link finds nothing more.

        Branches of it, and scenarios that it was merged into, hold edits of their own and stay. Raises ``NotFound`` or
        ``Refused``.
        """
        row = self.own(identifier, person)
        with self._turns:
            self.runs.drop(row.id)

    def get(self, identifier: str, person: Identity) -> ScenarioRow:
        """A scenario of the same participant, or of anyone by its share id; raises ``NotFound``."""
        row = self._store.scenarios.get(identifier)
        if row is None or (row.owner != person.participant and identifier != row.share):
            raise NotFound("no scenario of yours has this id, and none is shared under it")
        return row

    def of(self, person: Identity, limit: int, after: After | None = None) -> list[ScenarioRow]:
        """So many scenarios of the caller's participant, the newest first, behind ``after``."""
        return self._store.scenarios.of(person.participant, limit, after)

    def version(self, row: ScenarioRow, number: int) -> VersionRow:
        """One version; raises ``NotFound``."""
        found = self._store.scenarios.version(row.id, number)
        if found is None:
            raise NotFound("this scenario has no such version")
        return found

    def edit(self, identifier: str, edit: Edit, opening: Opening) -> ScenarioRow:
        """Add an edit as a new version; it is run at once, so that one that cannot be is refused."""
        row = self.own(identifier, opening.identity)
        before = self.version(row, row.current)
        return self.add(row, Inputs(opening), before.baseline, [*before.edits, edit])

    def renew(self, identifier: str, opening: Opening) -> ScenarioRow:
        """Run the same edits on the city as it is known now, as a new version; the old ones stay as they were."""
        row = self.own(identifier, opening.identity)
        before = self.version(row, row.current)
        return self.add(row, Inputs(opening), self._pin(row.owner), before.edits)

    def add(
        self,
        row: ScenarioRow,
        inputs: Inputs,
        baseline: str,
        edits: list[Edit],
        merged: tuple[str, int] | None = None,
    ) -> ScenarioRow:
        """A new version of an own scenario, once it has been run; raises ``Conflict`` when there are too many."""
        if len(edits) > MOST_EDITS:
            raise Conflict(f"a scenario holds at most {MOST_EDITS} edits; branch from it")
        number = self._store.scenarios.newest(row.id) + 1
        if number > MOST_VERSIONS:
            raise Conflict(f"a scenario holds at most {MOST_VERSIONS} versions; branch from it")
        self._check_size(row.owner, edits)
        made = VersionRow(
            row.id,
            number,
            row.current,
            edits,
            clock.now(),
            inputs.identity.name,
            baseline,
            *(merged or (None, None)),
        )
        outcome = self.runs.outcome(row, made, inputs)
        with self._turns:
            if not self._store.scenarios.append(made, row.current):
                raise Conflict(OVERTAKEN)
            self._baselines.keep(baseline)
        # Only now: what another version of this number came to must not be written over.
        self.runs.keep(outcome)
        return msgspec.structs.replace(row, current=number)

    def undo(self, identifier: str, person: Identity) -> ScenarioRow:
        """Go back to the version that the current one was made from; nothing is lost."""
        row = self.own(identifier, person)
        parent = self.version(row, row.current).parent
        if parent is None:
            raise Conflict("this is the first version; there is nothing to undo")
        return self._point(row, parent)

    def restore(self, identifier: str, number: int, person: Identity) -> ScenarioRow:
        """Go on from any version, also from one that was undone."""
        row = self.own(identifier, person)
        return self._point(row, self.version(row, number).number)

    def _point(self, row: ScenarioRow, number: int) -> ScenarioRow:
        if not self._store.scenarios.point(row.id, number, row.current):
            raise Conflict(OVERTAKEN)
        return msgspec.structs.replace(row, current=number)

    def own(self, identifier: str, person: Identity) -> ScenarioRow:
        """A scenario that the caller's participant may change; raises ``NotFound`` or ``Refused``."""
        row = self.get(identifier, person)
        if row.owner != person.participant:
            detail = "this scenario is shared to be read; branch from it to change it"
            raise Refused([Reason("not_yours", detail)])
        return row

    # -- results ------------------------------------------------------------

    def result(self, row: ScenarioRow, number: int | None, inputs: Inputs) -> Result:
        """The outcome of a version (default the current one): the kept one, or run now under the caller's rights."""
        version = self.version(row, number or row.current)
        kept = self._store.results.get(result_id(row, version.number))
        # Whoever looks at a shared scenario may have fewer rights: what comes of those is for its eyes alone.
        return kept or self._run(row, version, inputs, keep=row.owner == inputs.identity.participant)

    def worked_out(self, identifiers: Sequence[str], number: int | None, person: Identity) -> bool:
        """Whether the outcomes of these versions (default the current ones) are kept; raises ``NotFound``."""
        rows = [self.get(identifier, person) for identifier in identifiers]
        wanted = {result_id(row, number or row.current) for row in rows}
        return len(self._store.results.heads(sorted(wanted))) == len(wanted)

    def kept(self, rows: Sequence[ScenarioRow]) -> dict[str, Result]:
        """The outcomes of current versions that have been run, by scenario; without figures."""
        found = self._store.results.heads([result_id(row, row.current) for row in rows])
        return {result.place: result for result in found}

    def stale(self, baseline: str, result: Result | None) -> list[str]:
        """Why a version is no longer of today: ``baseline`` (the city changed), ``model`` (it computes otherwise)."""
        present = self._baselines.present()
        reasons = ["baseline"] if present.parts and present.version != baseline else []
        return [*reasons, "model"] if result and result.body["record"]["model"] != MODEL else reasons

    def _run(self, row: ScenarioRow, version: VersionRow, inputs: Inputs, *, keep: bool = True) -> Result:
        outcome = self.runs.outcome(row, version, inputs)
        if keep:
            self.runs.keep(outcome)
        return outcome.result

    def recompute(self, identifier: str, inputs: Inputs) -> Result:
        """Run the current version again with what is still allowed; raises ``Refused`` when that is nothing."""
        row = self.own(identifier, inputs.identity)
        return self._run(row, self.version(row, row.current), inputs)

    def areas(self, opening: Opening) -> tuple[list[dict[str, Any]], list[Refused]]:
        """Neighbourhoods, buildings and named areas to choose from, as GeoJSON features; and what was refused."""
        law = self._gate.law
        kept = self._store.observations.features("neighbourhood", "building", "area")
        found, _ = standing(kept, clock.now())
        features = [pair for pair in found if not about_persons(law, pair[0])]
        permits, refused = Inputs(opening).permits(sorted({dataset for dataset, _ in features}))
        if refused and not permits:
            raise refused[0]
        allowed = {permit.dataset: permit for permit in permits}
        wanted = (
            "use",
            "floor_m2",
            "neighbourhood",
            "inhabitants",
            "jobs",
            "dwellings",
            "green_m2",
            "area_m2",
        )
        return [
            {
                "type": "Feature",
                "id": feature.id,
                "geometry": feature.geometry,
                "properties": {
                    "id": feature.id,
                    "name": feature.name,
                    "kind": feature.kind,
                    **{name: feature.properties.get(name) for name in wanted if name in feature.properties},
                },
            }
            for dataset, feature in features
            if dataset in allowed and feature.geometry
        ], refused

    def parts(self, baseline: str) -> list[Part]:
        """The parts of a kept baseline that a scenario may show."""
        kept = self._baselines.pinned(baseline).parts
        return [part for part in kept if not about_persons(self._gate.law, part.dataset)]
