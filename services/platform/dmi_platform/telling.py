"""Which things are told, and to whom: names, places and properties of things lead to persons as their rows do."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Final

from dmi_agreements.contracts.features import Feature
from dmi_agreements.contracts.observations import Micros
from dmi_agreements.decision import Delay
from dmi_agreements.duties import together
from dmi_agreements.rights import ALL_ROWS
from dmi_infra import clock
from dmi_infra.gate import Gate, Permit
from dmi_platform.model import Area, Datastream, Whose
from dmi_platform.registry import Registry, position_of
from dmi_platform.rows import Rows
from dmi_platform.store import PIECE, Store

EVERYBODY: Final = Whose((), but=True)


class Telling:
    """Tells datastreams of persons to who gets a row of them, and of what an area keeps apart those inside it."""

    def __init__(self, store: Store, registry: Registry, gate: Gate, rows: Rows) -> None:
        self._store = store
        self._registry = registry
        self._gate = gate
        self._rows = rows

    def streams(
        self, permits: Mapping[str, Permit], observed_property: str | None, after: str, limit: int
    ) -> list[Datastream]:
        """At most ``limit`` datastreams of these datasets that may be told, by id, after an id."""
        whose = {name: self._whose(permit) for name, permit in permits.items()}
        asked = {name: who for name, who in whose.items() if who is not None}
        size = max(limit, PIECE) if any(self._chooses(permit) for permit in permits.values()) else limit
        told: list[Datastream] = []
        while len(told) < limit:
            names = self._store.datastream_ids(sorted(permits), observed_property, after, size, asked)
            found = [stream for name in names if (stream := self._registry.stream(name)) is not None]
            shown = {
                name
                for dataset, permit in permits.items()
                for name in self._shown(
                    permit, [one for one in found if one.dataset == dataset], whose[dataset]
                )
            }
            told += [stream for stream in found if stream.id in shown]
            if len(names) < size:
                break
            after = names[-1]
        return told[:limit]

    def features(self, permit: Permit) -> Callable[[Sequence[Feature]], list[Feature]] | None:
        """Which of some features may be told; ``None``: all. Of persons those alone that a told row belongs to.

        Their owner is told also of those that no datastream is of: nothing says that they are a person's.
        """
        if not self._chooses(permit):
            return None
        whose = self._whose(permit)
        areas = () if self._gate.about_persons(permit) else self._areas(permit)

        def told(features: Sequence[Feature]) -> list[Feature]:
            inside = {one.id for one in features if areas and _inside(areas, position_of(one.geometry))}
            others = [one.id for one in features if one.id not in inside]
            theirs = inside | self._with_streams(permit, others, whose)
            return [one for one in features if one.id in theirs]

        return told

    def _with_streams(self, permit: Permit, features: Sequence[str], whose: Whose | None) -> set[str]:
        """Those of these features that are datastreams that may be told, or have one."""
        streams = {
            one.id: one for name in features for one in self._registry.streams_of(permit.dataset, name)
        }
        asked = {} if whose is None else {permit.dataset: whose}
        names = self._store.datastream_ids([permit.dataset], None, "", len(streams), asked, list(streams))
        shown = self._shown(permit, [streams[name] for name in names], whose)
        found = {name for each in shown for name in (each, streams[each].thing)}
        if self._own(permit):
            described = {name for one in streams.values() for name in (one.id, one.thing)}
            found.update(name for name in features if name not in described)
        return found

    def _chooses(self, permit: Permit) -> bool:
        return self._of_persons(permit) or bool(self._areas(permit))

    def _of_persons(self, permit: Permit) -> bool:
        entry = self._gate.law.datasets.get(permit.dataset)
        return entry is None or entry.personal

    def _own(self, permit: Permit) -> bool:
        entry = self._gate.law.datasets.get(permit.dataset)
        return entry is not None and entry.owner == permit.requests[-1].assignee

    def _areas(self, permit: Permit) -> Sequence[Area]:
        return () if self._own(permit) else self._gate.bounds(permit).areas

    def _whose(self, permit: Permit) -> Whose | None:
        """Whose sensors may be told at all, whatever becomes of their rows. ``None``: everybody's.

        Who gets means of many gets no row of a person, so no sensor either; and of who objects, or had all erased,
        nothing more is told than of its rows.
        """
        if not self._gate.about_persons(permit):
            return None
        if together(permit.duties):
            return Whose(())
        return self._standing(permit)

    def _standing(self, permit: Permit) -> Whose:
        """Who consents where that is asked, or does not object."""
        if permit.personal:
            return Whose(tuple(self._gate.subjects(permit) or ()))
        return Whose(
            tuple(who for who, until in self._gate.left_out(permit).items() if until == ALL_ROWS), but=True
        )

    def _shown(self, permit: Permit, streams: Sequence[Datastream], whose: Whose | None) -> Iterator[str]:
        """The ids of those streams that may be told."""
        if not streams or not self._chooses(permit):
            yield from (stream.id for stream in streams)
        elif whose is None and self._of_persons(permit):
            yield from self._to_owner(permit, streams)
        elif whose is None:
            areas = self._areas(permit)
            places = self._places(permit.dataset, streams)
            yield from (
                stream.id for stream in streams if _inside(areas, places.get(stream.id, stream.position))
            )
        else:
            hidden = {stream.key: stream.id for stream in streams}
            for moment in self._moments(permit):
                table = self._store.newest(list(hidden), moment, whose)
                passed = self._gate.judge(permit, self._rows.batch(permit.dataset, table)).batch
                seen = frozenset(passed.datastream)
                yield from seen
                hidden = {key: name for key, name in hidden.items() if name not in seen}

    def _to_owner(self, permit: Permit, streams: Sequence[Datastream]) -> Iterator[str]:
        """Those of which the owner of data about persons is told: of who withdrew or objects no more than others are.

        It is told of what has said nothing yet, as long as nothing of the same thing is kept back.
        """
        beside = {
            one.key: one
            for stream in streams
            for one in (stream, *self._registry.streams_of(permit.dataset, stream.thing))
        }
        spoken, standing = self._of_whom(permit, list(beside), EVERYBODY)
        if silenced := spoken - standing:
            # Somebody else's row before it is given still.
            keys = [key for key, one in beside.items() if one.id in silenced]
            standing |= self._of_whom(permit, keys, self._standing(permit))[1]
        hidden = {one.thing for one in beside.values() if one.id in spoken - standing}
        told = {one.thing for one in beside.values() if one.id in standing}
        for stream in streams:
            silent = stream.id not in spoken
            if stream.id in standing or (silent and stream.thing not in hidden - told):
                yield stream.id

    def _of_whom(self, permit: Permit, keys: Sequence[int], whose: Whose) -> tuple[set[str], set[str]]:
        """The ids of those of these datastreams that have a row of such persons; and whose newest one may be given.

        A row of nobody tells of nobody.
        """
        batch = self._rows.batch(permit.dataset, self._store.newest(keys, None, whose))
        rows = set(self._gate.standing(permit, batch))
        nobody = {row for row, subject in enumerate(batch.subject or ()) if not subject}
        return set(batch.datastream), {batch.datastream[row] for row in rows | nobody}

    def _moments(self, permit: Permit) -> list[Micros]:
        """Up to when rows pass, by the agreements' delays; and by those of persons' own consents, where there are any.

        What is delayed is told by a row that has waited long enough: the newest one has not.
        """
        newest = self._gate.bounds(permit).newest
        delays = [duty.seconds for duty in self._gate.asked(permit) if isinstance(duty, Delay)]
        if not delays:
            return [newest]
        return [newest, min(newest, clock.now() - max(delays) * 1_000_000)]

    def _places(self, dataset: str, streams: Sequence[Datastream]) -> dict[str, tuple[float, float] | None]:
        """Where those streams that have a row were last."""
        batch = self._rows.batch(dataset, self._store.newest([one.key for one in streams], None, EVERYBODY))
        places = zip(batch.longitude or (), batch.latitude or (), strict=True)
        return {
            name: None if lon is None or lat is None else (lon, lat)
            for name, (lon, lat) in zip(batch.datastream, places, strict=True)
        }


def _inside(areas: Sequence[Area], place: tuple[float, float] | None) -> bool:
    return place is not None and all(
        west <= place[0] <= east and south <= place[1] <= north for west, south, east, north in areas
    )
