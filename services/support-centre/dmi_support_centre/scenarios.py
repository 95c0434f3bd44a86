"""Scenarios: branched from a pinned baseline, changed by typed edits, every change a new version."""

from __future__ import annotations

import secrets
import threading
import time
import uuid
from collections import OrderedDict
from collections.abc import Sequence
from typing import Any

import msgspec

from dmi_agreements.decision import Reason
from dmi_infra import clock
from dmi_infra.clock import to_text
from dmi_infra.errors import Conflict, NotFound, Refused
from dmi_infra.gate import Gate, Permit
from dmi_infra.http.access import Opening
from dmi_infra.identity import Identity
from dmi_support_centre.baseline import KINDS, Snapshot, snapshot
from dmi_support_centre.errors import ModelRefused
from dmi_support_centre.grounds import Book, joined, undutied
from dmi_support_centre.model import SCENARIO, Result
from dmi_support_centre.models.scenario import MODEL, Edit, ScenarioRefused, run
from dmi_support_centre.store import Store
from dmi_support_centre.store.scenarios import ScenarioRow, VersionRow

MOST_EDITS = 200
MOST_VERSIONS = 1000
REMEMBERED = 3
"""Baselines that are kept unpacked in memory."""


class Scenarios:
    """What analysts can do with scenarios. Each dataset's part of the baseline passes the gate for each run."""

    def __init__(self, store: Store, gate: Gate, book: Book) -> None:
        self._store = store
        self._gate = gate
        self._book = book
        self._lock = threading.Lock()
        self._snapshots: OrderedDict[str, Snapshot] = OrderedDict()

    # -- scenarios ----------------------------------------------------------

    def create(self, title: str, person: Identity) -> ScenarioRow:
        """A scenario without edits, pinned to the city as it is known now."""
        found = snapshot(self._store.observations.features(*KINDS))
        if not found.parts:
            raise Conflict("there are no neighbourhoods yet, so there is nothing to branch from")
        self._store.scenarios.keep_baseline(found, clock.now())
        return self._new(title, person, None, found.version, [])

    def branch(self, identifier: str, title: str, person: Identity) -> ScenarioRow:
        """A scenario that begins where another one stands, on the same baseline."""
        parent = self.get(identifier, person)
        edits = self.version(parent, parent.current).edits
        return self._new(title, person, parent.id, parent.baseline, edits)

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
            baseline=baseline,
            current=1,
            share=f"share-{secrets.token_urlsafe(24)}",
        )
        self._store.scenarios.create(row, VersionRow(row.id, 1, None, edits, now, person.name))
        return row

    def get(self, identifier: str, person: Identity) -> ScenarioRow:
        """A scenario of the same participant, or of anyone by its share id; raises ``NotFound``."""
        row = self._store.scenarios.get(identifier)
        if row is None or (row.owner != person.participant and identifier != row.share):
            raise NotFound("no scenario of yours has this id, and none is shared under it")
        return row

    def of(self, person: Identity) -> list[ScenarioRow]:
        """The scenarios of the caller's participant, newest first."""
        return self._store.scenarios.of(person.participant)

    def version(self, row: ScenarioRow, number: int) -> VersionRow:
        """One version; raises ``NotFound``."""
        found = next((v for v in self._store.scenarios.versions(row.id) if v.number == number), None)
        if found is None:
            raise NotFound("this scenario has no such version")
        return found

    def edit(self, identifier: str, edit: Edit, opening: Opening) -> ScenarioRow:
        """Add an edit as a new version; it is run at once, so that one that cannot be is refused."""
        row = self._own(identifier, opening.identity)
        before = self.version(row, row.current)
        if len(before.edits) >= MOST_EDITS:
            raise Conflict(f"a scenario holds at most {MOST_EDITS} edits; branch from it")
        versions = self._store.scenarios.versions(row.id)
        if len(versions) >= MOST_VERSIONS:
            raise Conflict(f"a scenario holds at most {MOST_VERSIONS} versions; branch from it")
        number = versions[-1].number + 1
        made = VersionRow(
            row.id, number, before.number, [*before.edits, edit], clock.now(), opening.identity.name
        )
        self._run(row, made, opening)
        if not self._store.scenarios.append(made, row.current):
            raise Conflict("someone else has changed this scenario just now; look again")
        return msgspec.structs.replace(row, current=number)

    def undo(self, identifier: str, person: Identity) -> ScenarioRow:
        """Go back to the version that the current one was made from; nothing is lost."""
        row = self._own(identifier, person)
        parent = self.version(row, row.current).parent
        if parent is None:
            raise Conflict("this is the first version; there is nothing to undo")
        if not self._store.scenarios.point(row.id, parent, row.current):
            raise Conflict("someone else has changed this scenario just now; look again")
        return msgspec.structs.replace(row, current=parent)

    def _own(self, identifier: str, person: Identity) -> ScenarioRow:
        row = self.get(identifier, person)
        if row.owner != person.participant:
            detail = "this scenario is shared to be read; branch from it to change it"
            raise Refused([Reason("not_yours", detail)])
        return row

    # -- results ------------------------------------------------------------

    def result(self, row: ScenarioRow, number: int | None, opening: Opening) -> Result:
        """The outcome of a version (default the current one): the kept one, or run now under the caller's rights."""
        version = self.version(row, number or row.current)
        kept = self._store.results.get(_result_id(row, version))
        # Whoever looks at a shared scenario may have fewer rights: what comes of those is for its eyes alone.
        return kept or self._run(row, version, opening, keep=row.owner == opening.identity.participant)

    def kept_result(self, row: ScenarioRow) -> Result | None:
        """The outcome of the current version, if it has been run."""
        return self._store.results.get(f"scenario:{row.id}:{row.current}")

    def recompute(self, identifier: str, opening: Opening) -> Result:
        """Run the current version again with what is still allowed; raises ``Refused`` when that is nothing."""
        row = self._own(identifier, opening.identity)
        return self._run(row, self.version(row, row.current), opening)

    def areas(self, opening: Opening) -> tuple[list[dict[str, Any]], list[Refused]]:
        """Neighbourhoods, buildings and named areas to choose from, as GeoJSON features; and what was refused."""
        features = self._store.observations.features("neighbourhood", "building", "area")
        permits, refused = self._permits(sorted({dataset for dataset, _ in features}), opening)
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

    def _run(self, row: ScenarioRow, version: VersionRow, opening: Opening, *, keep: bool = True) -> Result:
        begun = time.perf_counter()
        pinned = self._snapshot(row.baseline)
        permits, refused = self._permits([part.dataset for part in pinned.parts], opening)
        if not permits:
            raise refused[0]
        allowed = {permit.dataset for permit in permits}
        baseline = pinned.of(allowed)
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
                "inputs": [
                    {"dataset": part.dataset, "version": part.version}
                    for part in pinned.parts
                    if part.dataset in allowed
                ],
                "left_out": sorted({part.dataset for part in pinned.parts} - allowed),
                "model": MODEL,
                "parameters": outcome.record.parameters,
                "duration_ms": round((time.perf_counter() - begun) * 1000, 1),
                "by": opening.identity.participant,
                "by_name": opening.identity.name,
                "at": to_text(clock.now()),
            },
            "scenario": row.id,
            "version": version.number,
        }
        result = Result(_result_id(row, version), SCENARIO, row.title, row.id, clock.now(), grounds, body)
        if keep:
            self._store.results.save([result])
            self._book.tell(result, SCENARIO, _transformations(baseline.version, version.edits))
        return result

    def _permits(self, datasets: Sequence[str], opening: Opening) -> tuple[list[Permit], list[Refused]]:
        permits: list[Permit] = []
        refused: list[Refused] = []
        for dataset in datasets:
            try:
                permits.append(
                    undutied(
                        self._gate.permit(
                            "scenario-input",
                            "dmi:analyse",
                            dataset,
                            opening.purpose,
                            recipient=opening.identity.participant,
                        )
                    )
                )
            except Refused as exc:
                refused.append(exc)
        return permits, refused

    def _snapshot(self, version: str) -> Snapshot:
        with self._lock:
            known = self._snapshots.get(version)
            if known is not None:
                self._snapshots.move_to_end(version)
                return known
        found = self._store.scenarios.baseline(version)
        if found is None:
            raise NotFound("the baseline of this scenario is not kept any more")
        with self._lock:
            self._snapshots[version] = found
            while len(self._snapshots) > REMEMBERED:
                self._snapshots.popitem(last=False)
        return found

    def geometries(self, row: ScenarioRow) -> dict[str, dict[str, Any]]:
        """The geometry of each neighbourhood of a scenario's baseline, by id."""
        return {area.id: area.geometry for part in self._snapshot(row.baseline).parts for area in part.areas}


def _result_id(row: ScenarioRow, version: VersionRow) -> str:
    return f"scenario:{row.id}:{version.number}"


def _transformations(baseline: str, edits: Sequence[Edit]) -> list[str]:
    steps = [f"baseline of neighbourhoods and buildings, version {baseline[:12]}"]
    steps += [
        f"edit {number + 1}: {msgspec.json.encode(edit).decode()[:200]}" for number, edit in enumerate(edits)
    ]
    return [
        *steps,
        f"scenario model {MODEL}, coefficients at their values, swings added as independent errors",
    ]
