"""Scenarios: branched from a pinned baseline, changed by typed edits, every change a new version."""

from __future__ import annotations

import hashlib
import secrets
import time
import uuid
from collections.abc import Sequence
from contextlib import AbstractContextManager
from typing import Any

import msgspec

from dmi_agreements.decision import Reason
from dmi_infra import clock
from dmi_infra.clock import to_text
from dmi_infra.errors import Conflict, NotFound, Refused
from dmi_infra.gate import Gate, Permit
from dmi_infra.http.access import Opening
from dmi_infra.identity import Identity
from dmi_infra.room import Room, whose_share
from dmi_support_centre.atlas import about_persons
from dmi_support_centre.baseline import Part
from dmi_support_centre.baselines import Baselines
from dmi_support_centre.desk import Inputs
from dmi_support_centre.errors import ModelRefused, TooManyRuns
from dmi_support_centre.grounds import Book, joined
from dmi_support_centre.model import SCENARIO, Result, standing
from dmi_support_centre.models.scenario import MODEL, Baseline, Edit, ScenarioRefused, run
from dmi_support_centre.store import Store
from dmi_support_centre.store.scenarios import After, ScenarioRow, VersionRow, length_of

MOST_EDITS = 200
MOST_VERSIONS = 1000
LONGEST_EDITS = 512 * 1024
"""Characters that the edits of one version take: each version keeps all of them, and each look at one reads them."""
MOST_CHARACTERS = 64 * 1024 * 1024
"""Characters that the edits of all versions of all scenarios of one participant take."""
MOST_SCENARIOS = 1000
"""Scenarios of one participant. None is deleted, and any version of one can be restored to go on from."""
RUNS, RUNS_OF_ONE = 12, 4
"""Runs of scenarios at a time, and those of one participant: they take threads that all routes share."""
MOST_BASELINES = 1000
"""States of the city that the scenarios of one participant rest on: each is kept whole."""
OVERTAKEN = "someone else has changed this scenario just now; look again"


class Scenarios:
    """What analysts can do with scenarios. Each dataset's part of the baseline passes the gate for each run."""

    def __init__(self, store: Store, gate: Gate, book: Book, baselines: Baselines) -> None:
        self._store = store
        self._gate = gate
        self._book = book
        self._baselines = baselines
        self._room = Room(RUNS, RUNS_OF_ONE, "runs of scenarios", TooManyRuns)

    def running(self, person: Identity) -> AbstractContextManager[None]:
        """A place to work out scenarios in; raises ``TooManyRuns`` when there is none, or none for this participant."""
        return self._room.of(whose_share(self._gate.law, person))

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
            rule = (
                f"you have {MOST_SCENARIOS} scenarios already: go on in one of them, from any of its versions"
            )
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
        self._store.scenarios.create(row, VersionRow(row.id, 1, None, edits, now, person.name, baseline))
        return row

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
        self._run(row, made, inputs)
        if not self._store.scenarios.append(made, row.current):
            raise Conflict(OVERTAKEN)
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
        kept = self._store.results.get(_result_id(row, version.number))
        # Whoever looks at a shared scenario may have fewer rights: what comes of those is for its eyes alone.
        return kept or self._run(row, version, inputs, keep=row.owner == inputs.identity.participant)

    def kept(self, rows: Sequence[ScenarioRow]) -> dict[str, Result]:
        """The outcomes of current versions that have been run, by scenario; without figures."""
        found = self._store.results.heads([_result_id(row, row.current) for row in rows])
        return {result.place: result for result in found}

    def stale(self, baseline: str, result: Result | None) -> list[str]:
        """Why a version is no longer of today: ``baseline`` (the city changed), ``model`` (it computes otherwise)."""
        present = self._baselines.present()
        reasons = ["baseline"] if present.parts and present.version != baseline else []
        return [*reasons, "model"] if result and result.body["record"]["model"] != MODEL else reasons

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

    def known(self, baseline: str, inputs: Inputs) -> Baseline:
        """The part of a kept baseline that the caller may analyse; raises ``Refused`` when that is nothing."""
        return self._allowed(baseline, inputs)[0]

    def _allowed(self, version: str, inputs: Inputs) -> tuple[Baseline, list[Permit], list[Refused]]:
        pinned = self._baselines.pinned(version)
        permits, refused = inputs.permits(part.dataset for part in pinned.parts)
        if not permits:
            raise refused[0]
        known = self._baselines.part(version, {permit.dataset for permit in permits})
        return known, permits, refused

    def _run(self, row: ScenarioRow, version: VersionRow, inputs: Inputs, *, keep: bool = True) -> Result:
        with self.running(inputs.identity):
            return self._run_now(row, version, inputs, keep)

    def _run_now(self, row: ScenarioRow, version: VersionRow, inputs: Inputs, keep: bool) -> Result:
        begun = time.perf_counter()
        baseline, permits, refused = self._allowed(version.baseline, inputs)
        pinned = self._baselines.pinned(version.baseline)
        allowed = {permit.dataset for permit in permits}
        try:
            outcome = run(baseline, version.edits)
        except ScenarioRefused as exc:
            if refused:
                raise refused[0] from exc
            raise ModelRefused.from_model(exc) from exc
        grounds = joined([self._book.ground_of(permit) for permit in permits])
        body = {
            "outcome": msgspec.to_builtins(outcome),
            "record": {
                "run": str(uuid.uuid4()),
                "inputs": [
                    {"dataset": part.dataset, "version": part.version}
                    for part in pinned.parts
                    if part.dataset in allowed
                ],
                "left_out": sorted({part.dataset for part in pinned.parts} - allowed),
                "model": MODEL,
                "parameters": outcome.record.parameters,
                # The model draws nothing: the same input gives the same figures on every machine.
                "seed": None,
                "duration_ms": round((time.perf_counter() - begun) * 1000, 1),
                "by": inputs.identity.participant,
                "by_name": inputs.identity.name,
                "at": to_text(clock.now()),
            },
            "scenario": row.id,
            "version": version.number,
        }
        result = Result(
            _result_id(row, version.number), SCENARIO, row.title, row.id, clock.now(), grounds, body
        )
        if keep:
            self._store.results.save([result])
            told = msgspec.structs.replace(result, id=told_id(result))
            self._book.tell(told, SCENARIO, _transformations(baseline.version, version.edits))
        return result

    def parts(self, baseline: str) -> list[Part]:
        """The parts of a kept baseline that a scenario may show."""
        kept = self._baselines.pinned(baseline).parts
        return [part for part in kept if not about_persons(self._gate.law, part.dataset)]


def told_id(result: Result) -> str:
    """The id of an outcome for everyone, under which its lineage is told too.

    Who may see that the outcome rests on its data, or reads it by a share, need not know the scenario's own id.
    """
    return f"scenario:{hashlib.sha256(result.id.encode()).hexdigest()[:32]}"


def _result_id(row: ScenarioRow, number: int) -> str:
    return f"scenario:{row.id}:{number}"


def _transformations(baseline: str, edits: Sequence[Edit]) -> list[str]:
    steps = [f"baseline of neighbourhoods and buildings, version {baseline[:12]}"]
    steps += [
        f"edit {number + 1}: {msgspec.json.encode(edit).decode()[:200]}" for number, edit in enumerate(edits)
    ]
    return [
        *steps,
        f"scenario model {MODEL}, coefficients at their values, swings added as independent errors",
    ]
