"""What people and programs see of scenarios: edits and versions, and outcomes where they may."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import msgspec

from dmi_agreements.contracts.results import Grounds
from dmi_agreements.decision import Reason
from dmi_agreements.policy.terms import PERSON
from dmi_infra.clock import from_text, to_text
from dmi_infra.errors import Refused
from dmi_infra.http.access import Opening
from dmi_infra.http.problems import refusal
from dmi_infra.identity import Identity
from dmi_support_centre.baselines import Baselines
from dmi_support_centre.desk import Desk, Inputs, check_places
from dmi_support_centre.exporting import csv_of, geojson_of
from dmi_support_centre.grounds import Book, grounds_shown
from dmi_support_centre.merging import Merge
from dmi_support_centre.model import Result
from dmi_support_centre.models.coefficients import COEFFICIENTS
from dmi_support_centre.models.scenario import (
    SMALLEST_GROUP,
    AreaResult,
    Edit,
    Redevelop,
    ScenarioResult,
    small,
    split,
    veiled,
)
from dmi_support_centre.runs import told_id
from dmi_support_centre.scenarios import Scenarios
from dmi_support_centre.store import Store
from dmi_support_centre.store.scenarios import ScenarioRow, VersionHead, VersionRow

Shown = dict[str, Any]
DELETED = {"nl": "een verwijderd scenario", "en": "a deleted scenario"}
PRIVATE = {"nl": "een privéscenario", "en": "a private scenario"}


class ScenarioViews:
    """Presents scenarios to one caller at a time."""

    def __init__(self, store: Store, book: Book, scenarios: Scenarios, baselines: Baselines) -> None:
        self._store = store
        self._book = book
        self._scenarios = scenarios
        self._baselines = baselines

    def scenario(self, row: ScenarioRow, person: Identity) -> Shown:
        """A scenario with its edits and versions, without figures."""
        versions = self._store.scenarios.heads(row.id)
        current = self._scenarios.version(row, row.current)
        result = self._scenarios.kept([row]).get(row.id)
        withdrawal = self._book.withdrawal(result) if result else None
        mine = row.owner == person.participant
        others = {merged for version in versions if (merged := version.merged_from) is not None}
        known = self._store.scenarios.among([*others, *([row.parent] if row.parent else [])])
        return {
            **self._head(row, current.baseline, result, person, known),
            "versions": [self._version(v, row, person, known) for v in versions],
            "edits": _edits(current.edits),
            **self._base(current),
            # To whom it is shared, the outcome tells as much as that one may know.
            "withdrawal": withdrawal.shown() if withdrawal and mine else None,
        }

    def scenarios(self, rows: Sequence[ScenarioRow], person: Identity) -> list[Shown]:
        """Scenarios for a list, each with the number of its edits, and no version but how it stands."""
        standing = self._store.scenarios.standing([row.id for row in rows])
        known = self._store.scenarios.among([row.parent for row in rows if row.parent])
        kept = self._scenarios.kept(rows)
        return [
            {
                **self._head(row, found.baseline, kept.get(row.id), person, known),
                "edits": found.edits,
                "changed_at": to_text(found.changed_at),
            }
            for row in rows
            if (found := standing.get(row.id)) is not None
        ]

    def _head(
        self,
        row: ScenarioRow,
        baseline: str,
        result: Result | None,
        person: Identity,
        known: Mapping[str, ScenarioRow],
    ) -> Shown:
        """What a list tells of a scenario as well; ``known`` are the others that it may name."""
        mine = row.owner == person.participant
        owner, owner_name = _named(row.owner, row.owner_name, person.participant)
        return {
            "id": row.id if mine else row.share,
            "title": row.title,
            "parent": None if row.parent is None else _other(known.get(row.parent), row, person),
            "version": row.current,
            "owner": owner,
            "owner_name": owner_name,
            "created_at": to_text(row.created_at),
            "baseline": baseline,
            "withdrawn": result is not None and self._book.withdrawal(result) is not None,
            "stale": self._scenarios.stale(baseline, result),
            "share": row.share,
            "may_edit": mine,
        }

    @staticmethod
    def _version(
        version: VersionHead, row: ScenarioRow, person: Identity, known: Mapping[str, ScenarioRow]
    ) -> Shown:
        merged = None
        if version.merged_from is not None:
            other = _other(known.get(version.merged_from), row, person)
            merged = {**other, "version": version.merged_version if other["id"] else None}
        return {
            "version": version.number,
            "parent": version.parent,
            "created_at": to_text(version.made_at),
            "by": _named(row.owner, version.made_by, person.participant)[1],
            "edits": version.edits,
            "baseline": version.baseline,
            "merged": merged,
        }

    def _base(self, version: VersionRow) -> Shown:
        at = self._store.scenarios.baseline_at(version.baseline)
        return {"baseline": version.baseline, "baseline_at": None if at is None else to_text(at)}

    def result(self, row: ScenarioRow, version: int | None, opening: Opening) -> Shown:
        """The outcome of a version; withdrawn: without figures and with the reason. Raises ``Refused``."""
        inputs = Inputs(opening)
        return self._result(row, version, inputs, Desk(opening, inputs))

    def recompute(self, identifier: str, opening: Opening, looking: Opening) -> Shown:
        """The outcome of the current version, run again with what may be analysed now; raises ``Refused``."""
        inputs = Inputs(opening)
        result = self._scenarios.recompute(identifier, inputs)
        return self._outcome(self._scenarios.get(identifier, opening.identity), result, Desk(looking, inputs))

    def _result(self, row: ScenarioRow, version: int | None, inputs: Inputs, desk: Desk) -> Shown:
        return self._outcome(row, self._scenarios.result(row, version, inputs), desk)

    def _outcome(self, row: ScenarioRow, result: Result, desk: Desk) -> Shown:
        """One outcome for one caller; neighbourhoods with few inhabitants keep their figures to themselves."""
        withdrawal = self._book.withdrawal(result)
        mine = row.owner == desk.participant
        if withdrawal is None:
            check_places(desk.law, result.grounds.datasets)
        if withdrawal is None or not mine:
            desk.insist(result.grounds, withdrawal)
        found = msgspec.convert(result.body["outcome"], type=ScenarioResult)
        record = result.body["record"]
        by, by_name = _named(record["by"], record["by_name"], desk.participant)
        version = self._scenarios.version(row, result.body["version"])
        base = self._base(version)
        shown: Shown = {
            "id": told_id(result),
            "scenario": row.id if mine else row.share,
            "title": row.title,
            "version": version.number,
            "edits": _edits(version.edits),
            "baseline_version": version.baseline,
            "baseline_at": base["baseline_at"],
            "computed_at": to_text(result.made_at),
            "grounds": grounds_shown(result.grounds),
            "credits": self._book.credits(result.grounds),
            "record": {**record, "by": by, "by_name": by_name},
            "stale": self._scenarios.stale(version.baseline, result),
            "withdrawn": withdrawal is not None,
            "withdrawal": withdrawal.shown() if withdrawal else None,
            "coefficients": [{**msgspec.to_builtins(one), "title": one.label} for one in found.coefficients],
            "notes": found.notes,
            "smallest_group": SMALLEST_GROUP,
        }
        if withdrawal is not None:
            return {**shown, "areas": [], "totals": None, "touched": [], "sensitivity": [], "split": []}
        hidden = small(found.areas)
        return {
            **shown,
            "areas": [_area(area, area.id in hidden) for area in found.areas],
            "totals": _with_flat_change(msgspec.to_builtins(found.totals)),
            "touched": msgspec.to_builtins(found.touched),
            "sensitivity": msgspec.to_builtins(found.sensitivity),
            "split": msgspec.to_builtins(split(found.areas, hidden)),
        }

    def compare(self, rows: Sequence[ScenarioRow], opening: Opening) -> Shown:
        """The current versions of several scenarios side by side, one entry each."""
        inputs = Inputs(opening)
        desk = Desk(opening, inputs)
        items = [self._result(row, None, inputs, desk) for row in rows]
        same = len({item["baseline_version"] for item in items}) == 1
        return {"items": items, "next": None, "same_baseline": same}

    def geojson(self, row: ScenarioRow, version: int | None, opening: Opening) -> Shown:
        """The outcome as GeoJSON, with its source, licence and run."""
        shown = self._standing(row, version, opening)
        return geojson_of(shown, self._baselines.geometries(shown["baseline_version"]))

    def csv(self, row: ScenarioRow, version: int | None, opening: Opening) -> str:
        """The outcome as CSV, with its source, licence and run in every row."""
        return csv_of(self._standing(row, version, opening))

    def _standing(self, row: ScenarioRow, version: int | None, opening: Opening) -> Shown:
        shown = self.result(row, version, opening)
        if shown["withdrawn"]:
            # A file outlives its mark, so none is made of what no longer stands.
            gone = shown["withdrawal"]
            moment = None if gone["moment"] is None else from_text(gone["moment"])
            raise Refused([Reason("ended", gone["detail"], gone["agreement"], moment=moment)])
        return shown

    def outlines(self, row: ScenarioRow, version: int | None, opening: Opening) -> Shown:
        """The neighbourhoods of a version's baseline, for a map of its outcome: what one may see, no more."""
        found = self._scenarios.version(row, version or row.current)
        parts = self._scenarios.parts(found.baseline)
        desk = Desk(opening)
        shown = [part for part in parts if desk.may(Grounds([part.dataset]))]
        if not shown:
            desk.insist(Grounds([part.dataset for part in parts]))
        features = [
            {
                "type": "Feature",
                "id": area.id,
                "geometry": area.geometry,
                "properties": {"id": area.id, "name": area.name, "kind": "neighbourhood"},
            }
            for part in shown
            for area in part.areas
        ]
        return {"type": "FeatureCollection", "features": features, "refused": desk.problems()}

    def merge(self, merge: Merge, person: Identity) -> Shown:
        """What a merge would do, for a person to decide on."""
        planned = merge.plan
        return {
            "into": {"id": merge.into.id, "title": merge.into.title, "version": merge.mine.number},
            "with": {
                "id": merge.other.id if merge.other.owner == person.participant else merge.other.share,
                "title": merge.other.title,
                "version": merge.theirs.number,
            },
            "shared": _edits(planned.shared),
            "ours": [{"edit": _edit(one.edit), "both": one.both} for one in planned.ours],
            "theirs": [{"edit": _edit(one.edit), "both": one.both} for one in planned.theirs],
            "clashes": [
                {
                    **msgspec.to_builtins(clash),
                    "ours": _edits(clash.ours),
                    "theirs": _edits(clash.theirs),
                }
                for clash in planned.clashes
            ],
        }

    def areas(self, opening: Opening) -> Shown:
        """GeoJSON to choose an area from."""
        features, refused = self._scenarios.areas(opening)
        problems = [refusal(one).body() for one in refused]
        return {"type": "FeatureCollection", "features": features, "refused": problems}

    @staticmethod
    def coefficients() -> Shown:
        """Every coefficient of the model with its range, unit and source."""
        items = [
            {**msgspec.to_builtins(one), "value": one.default, "title": one.label}
            for one in COEFFICIENTS.values()
        ]
        return {"items": items, "next": None}


def _named(participant: str, name: str, reader: str) -> tuple[str | None, str]:
    """Who made something: a participant, and the name of who worked for it.

    To know what a scenario is worth a reader has to know which organisation made it, not which natural person.
    """
    hidden = participant.startswith(PERSON) and participant != reader
    return (None, "") if hidden else (participant, name)


def _other(other: ScenarioRow | None, row: ScenarioRow, person: Identity) -> Shown:
    """Another scenario that went into ``row``, as far as the caller may open it; ``None``: it has been deleted."""
    if other is None:
        return {"id": None, "title": DELETED}
    if other.owner == person.participant:
        return {"id": other.id, "title": other.title}
    if row.owner == person.participant:
        # It came in by its share id, for that is the only way to what others made.
        return {"id": other.share, "title": other.title}
    return {"id": None, "title": PRIVATE}


def _edit(edit: Edit) -> Shown:
    """An edit with everything that it means, also what it may leave out."""
    shown: Shown = msgspec.to_builtins(edit)
    return {**shown, "from": edit.source_use} if isinstance(edit, Redevelop) else shown


def _edits(edits: Sequence[Edit]) -> list[Shown]:
    return [_edit(edit) for edit in edits]


def _area(area: AreaResult, hidden: bool) -> Shown:
    shown = msgspec.to_builtins(veiled(area) if hidden else area)
    return {**_with_flat_change(shown), "suppressed": hidden}


def _with_flat_change(part: Shown) -> Shown:
    """A change as one number an indicator, with its percent and its range beside it."""
    change = part["change"]
    return {
        **part,
        "change": {name: one["absolute"] for name, one in change.items()},
        "change_percent": {name: one["percent"] for name, one in change.items()},
        "change_range": {name: one["range"] for name, one in change.items()},
    }
