"""What people and programs see of results: figures where they may, and always why where they may not."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import msgspec

from dmi_agreements.contracts.results import Grounds
from dmi_infra.clock import to_text
from dmi_infra.http.access import Opening
from dmi_infra.http.problems import refusal
from dmi_infra.identity import Identity
from dmi_support_centre.atlas import Atlas
from dmi_support_centre.grounds import Book, Desk
from dmi_support_centre.measuring import public_measure
from dmi_support_centre.model import CROWD, FORECAST, OCCUPANCY, Result
from dmi_support_centre.models.coefficients import COEFFICIENTS
from dmi_support_centre.models.measures import PUBLISHED
from dmi_support_centre.scenarios import Scenarios
from dmi_support_centre.store import Store
from dmi_support_centre.store.measures import MeasureRow
from dmi_support_centre.store.scenarios import ScenarioRow

Shown = dict[str, Any]


def _page(items: list[Shown], desk: Desk) -> Shown:
    return {"items": items, "next": None, "refused": desk.problems()}


def grounds_shown(grounds: Grounds) -> Shown:
    """The ground of a result; consents are counted, since who measured is not for everyone to see."""
    return {
        "datasets": grounds.datasets,
        "agreements": grounds.agreements,
        "consents": len(grounds.consents),
        "results": grounds.results,
    }


class Views:
    """Presents results to one caller at a time."""

    def __init__(self, store: Store, atlas: Atlas, book: Book, scenarios: Scenarios) -> None:
        self._store = store
        self._atlas = atlas
        self._book = book
        self._scenarios = scenarios

    # -- forecasts ----------------------------------------------------------

    def forecasts(self, opening: Opening, place: str | None) -> Shown:
        """The newest forecasts; those of refused datasets are left out and named, withdrawn ones say why."""
        desk = Desk(opening)
        items: list[Shown] = []
        for result in self._store.results.of_kind(FORECAST):
            if place is None or place in (result.place, result.body["datastream"]):
                items += self._forecast(result, desk)
        return _page(items, desk)

    def _forecast(self, result: Result, desk: Desk) -> list[Shown]:
        withdrawal = self._book.withdrawal(result)
        if withdrawal is None and not desk.may(result.grounds.datasets):
            return []
        body = result.body
        gone = withdrawal is not None
        return [
            {
                "id": f"{result.id}:{item['horizon_min']}",
                "result": result.id,
                "place": result.place,
                "datastream": body["datastream"],
                "name": body["name"],
                "issued_at": to_text(result.made_at),
                "valid_at": to_text(item["valid_at"]),
                "horizon_min": item["horizon_min"],
                "p10": None if gone else item["p10"],
                "p50": None if gone else item["p50"],
                "p90": None if gone else item["p90"],
                "note": item["note"],
                "unit": body["unit"],
                "capacity": body["capacity"],
                "withdrawn": gone,
                "withdrawal": withdrawal.shown() if withdrawal else None,
                "grounds": grounds_shown(result.grounds),
            }
            for item in body["items"]
        ]

    def scores(self, opening: Opening) -> Shown:
        """How good past forecasts were, by dataset that the caller may see."""
        desk = Desk(opening)
        items: list[Shown] = []
        overall: list[Shown] = []
        for dataset, body in self._store.results.scores().items():
            if desk.may([dataset]):
                since, until = to_text(body["since"]), to_text(body["until"])
                items += [{**one, "dataset": dataset} for one in body["items"]]
                overall += [
                    {**one, "dataset": dataset, "since": since, "until": until} for one in body["overall"]
                ]
        return {**_page(items, desk), "overall": overall}

    def forecast_datasets(self) -> list[str]:
        """Datasets that forecasts are made of."""
        return self._atlas.datasets(OCCUPANCY)

    # -- crowd --------------------------------------------------------------

    def crowd(self, opening: Opening) -> Shown:
        """The newest level of service of each counted place."""
        desk = Desk(opening)
        items = []
        for result in self._store.results.of_kind(CROWD):
            withdrawal = self._book.withdrawal(result)
            if withdrawal is None and not desk.may(result.grounds.datasets):
                continue
            body = result.body
            figures = ("level", "flow", "flow_per_metre", "load", "reason")
            items.append(
                {
                    "id": result.id,
                    "place": result.place,
                    "name": body["name"],
                    **{name: None if withdrawal else body[name] for name in figures},
                    "effective_width": body["effective_width"],
                    "at": to_text(result.made_at),
                    "capacity": body["capacity"],
                    "capacities": body["capacities"],
                    "geometry": body["geometry"],
                    "withdrawn": withdrawal is not None,
                    "withdrawal": withdrawal.shown() if withdrawal else None,
                    "grounds": grounds_shown(result.grounds),
                }
            )
        return _page(items, desk)

    # -- scenarios ----------------------------------------------------------

    def scenario(self, row: ScenarioRow, person: Identity) -> Shown:
        """A scenario with its edits and versions, without figures."""
        versions = self._store.scenarios.versions(row.id)
        current = next(v for v in versions if v.number == row.current)
        result = self._scenarios.kept_result(row)
        withdrawal = self._book.withdrawal(result) if result else None
        mine = row.owner == person.participant
        return {
            "id": row.id if mine else row.share,
            "title": row.title,
            "parent": row.parent if mine else None,
            "version": row.current,
            "versions": [
                {
                    "version": v.number,
                    "parent": v.parent,
                    "created_at": to_text(v.made_at),
                    "by": v.made_by,
                    "edits": len(v.edits),
                }
                for v in versions
            ],
            "edits": msgspec.to_builtins(current.edits),
            "owner": row.owner,
            "owner_name": row.owner_name,
            "created_at": to_text(row.created_at),
            "baseline": row.baseline,
            "withdrawn": withdrawal is not None,
            "withdrawal": withdrawal.shown() if withdrawal else None,
            "share": row.share,
            "may_edit": mine,
        }

    def scenario_result(self, row: ScenarioRow, version: int | None, opening: Opening) -> Shown:
        """The outcome of a version; withdrawn: without figures and with the reason. Raises ``Refused``."""
        result = self._scenarios.result(row, version, opening)
        return self.outcome(row, result, opening)

    def outcome(self, row: ScenarioRow, result: Result, opening: Opening) -> Shown:
        """One outcome for one caller."""
        withdrawal = self._book.withdrawal(result)
        if withdrawal is None:
            Desk(opening).insist(result.grounds.datasets)
        found = result.body["outcome"]
        shown: Shown = {
            "id": result.id,
            "scenario": row.id if row.owner == opening.identity.participant else row.share,
            "title": row.title,
            "version": result.body["version"],
            "baseline_version": row.baseline,
            "computed_at": to_text(result.made_at),
            "grounds": grounds_shown(result.grounds),
            "record": result.body["record"],
            "withdrawn": withdrawal is not None,
            "withdrawal": withdrawal.shown() if withdrawal else None,
            "coefficients": [{**one, "title": one["label"]} for one in found["coefficients"]],
            "notes": found["notes"],
        }
        if withdrawal is not None:
            return {**shown, "areas": [], "totals": None, "touched": [], "sensitivity": []}
        return {
            **shown,
            "areas": [_with_flat_change(area) for area in found["areas"]],
            "totals": _with_flat_change(found["totals"]),
            "touched": found["touched"],
            "sensitivity": found["sensitivity"],
        }

    def result_geojson(self, row: ScenarioRow, version: int | None, opening: Opening) -> Shown:
        """The outcome as GeoJSON: each neighbourhood with ``baseline_…``, ``scenario_…`` and ``change_…``."""
        shown = self.scenario_result(row, version, opening)
        geometries = self._scenarios.geometries(row)
        features = []
        for area in shown["areas"]:
            flat = {
                f"{part}_{name}": value
                for part in ("baseline", "scenario", "change")
                for name, value in area[part].items()
            }
            features.append(
                {
                    "type": "Feature",
                    "id": area["id"],
                    "geometry": geometries.get(area["id"]),
                    "properties": {"id": area["id"], "name": area["name"], "edits": area["edits"], **flat},
                }
            )
        about = {name: shown[name] for name in ("id", "version", "withdrawn", "withdrawal", "grounds")}
        return {"type": "FeatureCollection", "features": features, **about}

    def compare(self, rows: Sequence[ScenarioRow], opening: Opening) -> Shown:
        """The current versions of several scenarios side by side, one entry each."""
        items = [self.scenario_result(row, None, opening) for row in rows]
        return {
            "items": items,
            "next": None,
            "same_baseline": len({item["baseline_version"] for item in items}) == 1,
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

    # -- measures -----------------------------------------------------------

    def measures(self, opening: Opening, state: str | None) -> Shown:
        """Measures, newest first; what rests on refused data is left out, what lost its ground says so."""
        desk = Desk(opening)
        rows = self._store.measures.measures(*([state] if state else []))
        items = []
        for row in rows:
            shown = self._measure(row, desk)
            if shown is not None:
                items.append(shown)
        return _page(items, desk)

    def measure(self, row: MeasureRow, opening: Opening) -> Shown:
        """One measure; raises ``Refused`` when the caller may not see what it rests on."""
        desk = Desk(opening)
        shown = self._measure(row, desk)
        if shown is None:
            desk.insist(row.measure.grounds.datasets)
        return shown or {}

    def _measure(self, row: MeasureRow, desk: Desk) -> Shown | None:
        measure = row.measure
        fallen = self._book.fallen(measure.grounds)
        if fallen is None and not desk.may(measure.grounds.datasets):
            return None
        open_state = measure.state in ("proposed", "published")
        decided = None if measure.decided_at is None else to_text(measure.decided_at)
        return {
            **public_measure(measure),
            "state": "withdrawn" if fallen and open_state else measure.state,
            "proposed_at": to_text(measure.proposed_at),
            "decided_by": row.decided_name or measure.decided_by,
            "decided_for": measure.decided_by,
            "decided_at": decided,
            "properties": {} if fallen else _texts(measure.properties),
            "grounds": grounds_shown(measure.grounds),
            "withdrawn": fallen is not None or measure.state == "withdrawn",
            "withdrawal": fallen.shown() if fallen else None,
            "look_back": None if fallen else row.look_back,
        }

    def feed(self) -> Shown:
        """What is advised in the city now: published, not over, with its ground; for everyone."""
        items = [
            public_measure(row.measure)
            for row in self._store.measures.measures(PUBLISHED)
            if self._book.fallen(row.measure.grounds) is None
        ]
        return {"items": items, "next": None}


def _with_flat_change(part: Shown) -> Shown:
    """A change as one number an indicator, with its percent and its range beside it."""
    change = part["change"]
    return {
        **part,
        "change": {name: one["absolute"] for name, one in change.items()},
        "change_percent": {name: one["percent"] for name, one in change.items()},
        "change_range": {name: one["range"] for name, one in change.items()},
    }


_MOMENTS = ("valid_at", "automatic_until", "ended_at")


def _texts(properties: dict[str, Any]) -> dict[str, Any]:
    return {
        name: to_text(value) if name in _MOMENTS and isinstance(value, int) else value
        for name, value in properties.items()
    }
