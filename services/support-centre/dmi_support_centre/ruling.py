"""What each rule looks at: its places, their forecasts or levels of service, and its earlier measures."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import msgspec

from dmi_agreements.contracts.observations import Micros
from dmi_agreements.contracts.results import Measure
from dmi_infra import clock
from dmi_support_centre.atlas import Atlas
from dmi_support_centre.grounds import Book, joined
from dmi_support_centre.model import CROWD, CROWD_COUNT, FORECAST, OCCUPANCY, Place, Result
from dmi_support_centre.models.crowd import Level
from dmi_support_centre.models.measures import (
    CrowdRule,
    CrowdState,
    ForecastAt,
    GarageRule,
    GarageState,
    Rule,
    State,
)
from dmi_support_centre.store import Store
from dmi_support_centre.store.measures import RuleRow

EVERYWHERE = "*"
"""A rule for this place holds at every place of its kind."""
SEED = "default"
"""Who changed the rules that come with the software."""

Releases = dict[tuple[str, str], Micros]


class Ruling:
    """The rules, and for each of its places the state that it is to be evaluated on."""

    def __init__(self, store: Store, atlas: Atlas, book: Book, zone: str) -> None:
        self._store = store
        self._atlas = atlas
        self._book = book
        self._zone = zone

    def seed(self) -> None:
        """The rules that come with the software, where the city has what they are about."""
        known = {row.rule.id for row in self._store.measures.rules()}
        hubs = [p for p in self._atlas.places(OCCUPANCY) if p.properties.get("use") == "park-and-ride"]
        seeds: list[RuleRow] = []
        if hubs:
            rule = GarageRule("garage-full", EVERYWHERE, hubs[0].id, zone=self._zone)
            seeds.append(RuleRow(rule, _garage_title(hubs[0].name), SEED, clock.now()))
        if self._atlas.places(CROWD_COUNT):
            crowd = CrowdRule("crowd-busy", EVERYWHERE, threshold=Level.E, zone=self._zone)
            seeds.append(RuleRow(crowd, _CROWD_TITLE, SEED, clock.now()))
        for seed in seeds:
            if seed.rule.id not in known:
                self._store.measures.put_rule(seed)

    def places(self, rule: Rule) -> list[Place]:
        """The places that a rule is about."""
        return self._garages(rule) if isinstance(rule, GarageRule) else self._counters(rule)

    def states(self) -> Iterator[tuple[Rule, State]]:
        """Every rule at every place that it is about, as far as there is a standing result."""
        forecasts = {one.place: one for one in self._store.results.of_kind(FORECAST)}
        crowds = {one.place: one for one in self._store.results.of_kind(CROWD)}
        releases = self._store.measures.releases()
        running = [row.measure for row in self._store.measures.measures(limit=1000)]
        for row in self._store.measures.rules():
            if isinstance(row.rule, GarageRule):
                for place in self._garages(row.rule):
                    garage = self._garage_state(row.rule, place, forecasts, running, releases)
                    if garage is not None:
                        yield msgspec.structs.replace(row.rule, place=place.id), garage
            else:
                for place in self._counters(row.rule):
                    crowd = self._crowd_state(row.rule, place, crowds.get(place.id), running, releases)
                    if crowd is not None:
                        yield msgspec.structs.replace(row.rule, place=place.id), crowd

    def _garages(self, rule: GarageRule) -> list[Place]:
        found = [place for place in self._atlas.places(OCCUPANCY) if place.id != rule.hub]
        if rule.place == EVERYWHERE:
            return [place for place in found if place.properties.get("use") != "park-and-ride"]
        return [place for place in found if place.id == rule.place]

    def _counters(self, rule: CrowdRule) -> list[Place]:
        places = {place.id: place for place in self._atlas.places(CROWD_COUNT)}
        return [place for place in places.values() if rule.place in (EVERYWHERE, place.id)]

    def _garage_state(
        self,
        rule: GarageRule,
        place: Place,
        forecasts: dict[str, Result],
        running: Sequence[Measure],
        releases: Releases,
    ) -> GarageState | None:
        own, hub = forecasts.get(place.id), forecasts.get(rule.hub)
        if own is None or self._book.withdrawal(own) is not None:
            return None
        standing = hub if hub is not None and self._book.withdrawal(hub) is None else None
        grounds = own.grounds
        if standing:
            grounds = joined([own.grounds, msgspec.structs.replace(standing.grounds, results=[standing.id])])
        return GarageState(
            name=place.name,
            capacity=place.capacity,
            forecasts=_forecasts(own),
            hub_name=str(standing.body["name"]) if standing else rule.hub,
            hub_capacity=standing.body["capacity"] if standing else None,
            hub_forecasts=_forecasts(standing) if standing else (),
            measures=[m for m in running if m.rule == rule.id and m.place == place.id],
            released_at=releases.get((rule.id, place.id)),
            grounds=grounds,
            geometry=place.geometry,
        )

    def _crowd_state(
        self,
        rule: CrowdRule,
        place: Place,
        result: Result | None,
        running: Sequence[Measure],
        releases: Releases,
    ) -> CrowdState | None:
        if result is None or self._book.withdrawal(result) is not None or not result.body["levels"]:
            return None
        return CrowdState(
            name=place.name,
            levels=[Level(level) for level in result.body["levels"]],
            at=result.made_at,
            flow=result.body["flow"],
            measures=[m for m in running if m.rule == rule.id and m.place == place.id],
            released_at=releases.get((rule.id, place.id)),
            grounds=msgspec.structs.replace(result.grounds, results=[result.id]),
            geometry=place.geometry,
        )


def _forecasts(result: Result) -> list[ForecastAt]:
    return [
        ForecastAt(result.id, result.made_at, one["valid_at"], one["p10"], one["p50"], one["p90"])
        for one in result.body["items"]
    ]


def _garage_title(hub: str) -> dict[str, str]:
    return {
        "nl": f"Garage over een half uur vol: verwijs naar {hub}",
        "en": f"Garage full in half an hour: advise {hub}",
    }


_CROWD_TITLE = {
    "nl": "Zeer druk: adviseer een andere route",
    "en": "Very crowded: advise another way",
}
