"""What people and programs see of results: figures where they may, and always why where they may not."""

from __future__ import annotations

from typing import Any

import msgspec

from dmi_agreements.contracts.results import Grounds
from dmi_infra.clock import to_text
from dmi_infra.http.access import Opening
from dmi_support_centre.atlas import Atlas
from dmi_support_centre.desk import Desk
from dmi_support_centre.grounds import Book, grounds_shown
from dmi_support_centre.measuring import public_measure
from dmi_support_centre.model import CROWD, FORECAST, OCCUPANCY, Result
from dmi_support_centre.models.measures import PUBLISHED
from dmi_support_centre.store import Store
from dmi_support_centre.store.measures import MeasureRow

Shown = dict[str, Any]


def _page(items: list[Shown], desk: Desk) -> Shown:
    desk.deliver()
    return {"items": items, "next": None, "refused": desk.problems()}


class Views:
    """Presents results to one caller at a time."""

    def __init__(self, store: Store, atlas: Atlas, book: Book) -> None:
        self._store = store
        self._atlas = atlas
        self._book = book

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
        if not desk.told(result.grounds, withdrawal):
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
            # An earlier version kept none, so nothing tells whose rows those scores are of; the next ones do.
            grounds = msgspec.convert(body["grounds"], type=Grounds) if "grounds" in body else None
            if grounds and self._book.fallen(grounds) is None and desk.may(grounds):
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
            if not desk.told(result.grounds, withdrawal):
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
            desk.insist(row.measure.grounds)
        desk.deliver()
        return shown or {}

    def _measure(self, row: MeasureRow, desk: Desk) -> Shown | None:
        measure = row.measure
        fallen = self._book.withdrawal(row)
        if not desk.told(measure.grounds, fallen):
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
            "place_name": self._atlas.name(measure.place),
            "properties": {} if fallen else _texts(measure.properties),
            "grounds": grounds_shown(measure.grounds),
            "withdrawn": fallen is not None or measure.state == "withdrawn",
            "withdrawal": fallen.shown() if fallen else None,
            "look_back": None if fallen or row.look_back is None else _seen(row.look_back),
        }

    def feed(self) -> Shown:
        """What is advised in the city now: published, not over, with its ground; for everyone."""
        items = [
            public_measure(row.measure)
            for row in self._store.measures.measures(PUBLISHED)
            if self._book.withdrawal(row) is None
        ]
        return {"items": items, "next": None}


def _seen(look_back: Shown) -> Shown:
    """A look back with its times as text."""

    def timed(part: Shown | None) -> Shown | None:
        if part is None:
            return None
        moments = [{**one, "at": to_text(one["at"])} for one in part.get("moments", [])]
        return {**part, "moments": moments}

    if look_back.get("kind") == "crowd":
        parts = {name: _lasting(look_back[name]) for name in ("before", "during", "after")}
        return {**(timed(look_back) or {}), **parts}
    # A look back of an earlier version does not say what it is about: then it is a garage.
    seen = {"destination": timed(look_back["destination"]), "hub": timed(look_back["hub"])}
    return {"kind": "garage", **look_back, **seen}


def _lasting(period: Shown) -> Shown:
    return {**period, "start": to_text(period["start"]), "end": to_text(period["end"])}


_MOMENTS = ("valid_at", "automatic_until", "ended_at")


def _texts(properties: dict[str, Any]) -> dict[str, Any]:
    return {
        name: to_text(value) if name in _MOMENTS and isinstance(value, int) else value
        for name, value in properties.items()
    }
