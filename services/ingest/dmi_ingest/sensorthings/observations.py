"""Observations in the SensorThings way, single (18-088 §10.2) and as dataArray (§14): read, gated, handed over."""

from __future__ import annotations

import asyncio
from collections.abc import Container, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final, NamedTuple

from dmi_agreements.contracts.observations import Micros
from dmi_agreements.decision import Reason
from dmi_infra import clock
from dmi_infra.errors import FieldError, InputRefused, NotFound, Refused
from dmi_infra.http.limits import heavy
from dmi_ingest import reading
from dmi_ingest.handlers import ROWS, refuse_all
from dmi_ingest.intake import NO_CONSENT, Contributor, Intake, Ready
from dmi_ingest.model import RowFault
from dmi_ingest.pieces import Pieces
from dmi_ingest.reading_turns import ReadingTurns
from dmi_ingest.sensorthings.bodies import as_id
from dmi_ingest.sensorthings.gathering import Gathering, Observation, batch_of
from dmi_ingest.sensorthings.interests import Place, Placing
from dmi_ingest.sensorthings.present import Addresses
from dmi_ingest.sensorthings.service import SensorThings
from dmi_ingest.store.features import KnownStream

MEMBERS: Final = frozenset(
    {
        "phenomenonTime", "result", "resultTime", "resultQuality", "validTime", "parameters", "Datastream",
        "FeatureOfInterest",
    }
)  # fmt: skip
FREE: Final = ("parameters", "resultQuality")
ROW_VALUES: Final = 50
"""That each of ``FREE`` may hold in a row: nothing keeps them, and a body has thousands of rows."""
INTEREST: Final = "FeatureOfInterest/id"
_INTEREST_ID = "FeatureOfInterest.@iot.id"
COMPONENTS: Final = frozenset((MEMBERS - {"Datastream", "FeatureOfInterest"}) | {INTEREST, "id"})
_BARE: Final = frozenset({"phenomenonTime", "result"})
"""What most rows have; nothing is checked but these."""
_ROW_MOST: Final = len(COMPONENTS) + len(FREE) * ROW_VALUES
_NO_STREAM = "must name a datastream that exists"


@dataclass(frozen=True, slots=True)
class Taken:
    """What became of a dataArray: an address or ``error`` for each row in order, and the faults."""

    links: list[str]
    faults: list[RowFault]


class _Group(NamedTuple):
    """Rows of one datastream."""

    rows: list[Any]
    stream: str
    components: list[str]


class Observations:
    """Reads observations and hands them to the intake."""

    def __init__(
        self, intake: Intake, things: SensorThings, addresses: Addresses, turns: ReadingTurns
    ) -> None:
        self._intake = intake
        self._gathering = Gathering(intake)
        self._interests = things.interests
        self._turns = turns
        self.addresses = addresses

    async def take_one(
        self, document: object, contributor: Contributor, datastream: str | None = None
    ) -> tuple[str, dict[str, Any]]:
        """One observation; answers its address and its representation once it is durable."""
        body = reading.mapping(document, "body")
        for name in body:
            if name not in MEMBERS and "@iot." not in name:
                raise InputRefused.of(name[:200], "is no property of Observation")
        stream = datastream if datastream is not None else _reference(body.get("Datastream"), "Datastream")
        known = await self._known(stream)
        if known is None:
            if datastream is not None:
                raise NotFound("no Datastream has this id")
            raise InputRefused.of("Datastream.@iot.id", _NO_STREAM, stream)
        _check_extras(body)
        time = self._time(body)
        result = reading.quantity(body.get("result"), "result")
        source_id = None if body.get("@iot.id") is None else as_id(body["@iot.id"], "@iot.id")
        place, about = Place(None), body.get("FeatureOfInterest")
        if about is not None:
            self._intake.check(contributor, known.dataset, 1)
            place = await asyncio.to_thread(self._interests.of_one, about, contributor, known.dataset)
        item = Observation(stream, time, result, source_id, place.position, known)
        if await self._gathering.take(contributor, item):
            raise Refused([Reason("no_consent", NO_CONSENT.rule)], known.dataset)
        if place.new is not None and not self._intake.registry.of_person(known):
            await asyncio.to_thread(self._interests.keep, place, contributor, known.dataset)
        link = self.addresses.of("Observations", item.id)
        return link, self._shown(item, link, body)

    async def take_array(self, body: bytes, contributor: Contributor) -> Taken:
        """Groups of rows, each group of one datastream; the good rows are taken, the others answer ``error``."""
        good: dict[str, list[tuple[int, Observation]]] = {}
        faults: list[RowFault] = []
        async with self._turns.turn(contributor):
            groups = _groups(await self._read(body, contributor))
            known = await self._all_known({group.stream for group in groups})
            refused = self._refused(groups, known, contributor)
            positions = await self._positions(groups, known, refused, contributor)
            index, pieces = 0, Pieces()
            for group in groups:
                found = known.get(group.stream)
                closed = refused.get(found.dataset) if found is not None else None
                if found is None or closed is not None:
                    fault = _no_row(group.stream, closed)
                    faults += [RowFault(index + row, fault) for row in range(len(group.rows))]
                else:
                    taken, wrong = await _rows(group, found, positions, index, pieces)
                    good.setdefault(found.dataset, []).extend(taken)
                    faults += wrong
                index += len(group.rows)
            refusal = next(iter(refused.values()), None)
            ready, refusal = await self._ready(good, faults, refusal, contributor)
        handed = [row for dataset, one in ready for row in await self._sent(good[dataset], one, faults)]
        if refusal is not None and not handed:
            raise refusal
        refuse_all(handed, faults)
        links = ["error"] * index
        for at, item in handed:
            links[at] = self.addresses.of("Observations", item.id)
        return Taken(links, sorted(faults, key=lambda fault: fault.index))

    # -- parts ----------------------------------------------------------------

    async def _read(self, body: bytes, contributor: Contributor) -> Any:
        """The JSON of groups of rows; a heavy one is read only for who may hand in for something that it names."""
        if heavy(body):
            known = await self._all_known(reading.streams_of(body))
            if not known:
                raise InputRefused.of("Datastream.@iot.id", _NO_STREAM)
            datasets = sorted({found.dataset for found in known.values()})
            if not any(self._intake.opens(contributor, dataset) for dataset in datasets):
                self._intake.check(contributor, datasets[0], 0)
        return reading.read_json(body)

    async def _ready(
        self, good: Mapping[str, list[tuple[int, Observation]]], faults: list[RowFault], refusal: Refused | None,
        contributor: Contributor,
    ) -> tuple[list[tuple[str, Ready]], Refused | None]:  # fmt: skip
        """What the gate lets through, by dataset; the last refusal, which does not stop the others."""
        found: list[tuple[str, Ready]] = []
        for dataset, rows in good.items():
            batch = batch_of(dataset, [item for _, item in rows], self._intake.new_id())
            try:
                found.append((dataset, await self._intake.ready(contributor, [batch])))
            except Refused as exc:
                refusal = exc
                faults += [RowFault(at, _as_fault(exc, item.datastream).errors[0]) for at, item in rows]
        return found, refusal

    async def _sent(
        self, rows: Sequence[tuple[int, Observation]], ready: Ready, faults: list[RowFault]
    ) -> list[tuple[int, Observation]]:
        withheld = (await self._intake.send(ready))[0]
        faults += [RowFault(rows[row][0], NO_CONSENT) for row in withheld]
        return [row for number, row in enumerate(rows) if number not in withheld]

    async def _known(self, stream: str) -> KnownStream | None:
        return (await self._all_known({stream})).get(stream)

    async def _all_known(self, streams: set[str]) -> dict[str, KnownStream]:
        registry = self._intake.registry
        if missing := registry.missing(streams):
            await asyncio.to_thread(registry.look_up, missing)
        return {name: known for name in streams if (known := registry.get(name)) is not None}

    def _refused(
        self, groups: Sequence[_Group], known: Mapping[str, KnownStream], contributor: Contributor
    ) -> dict[str, Refused]:
        """The datasets into which the caller may not hand in, each with its refusal: for their rows nothing is done."""
        rows: dict[str, int] = {}
        for group in groups:
            if (found := known.get(group.stream)) is not None:
                rows[found.dataset] = rows.get(found.dataset, 0) + len(group.rows)
        refused: dict[str, Refused] = {}
        for dataset, number in rows.items():
            try:
                self._intake.check(contributor, dataset, number)
            except Refused as exc:
                refused[dataset] = exc
        return refused

    async def _positions(
        self, groups: Sequence[_Group], known: Mapping[str, KnownStream], refused: Container[str],
        contributor: Contributor,
    ) -> dict[str, Placing]:  # fmt: skip
        """Positions of the features of interest that rows of known, opened datastreams name; all looked up at once."""
        named: set[str] = set()
        for group in groups:
            found = known.get(group.stream)
            if found is not None and found.dataset not in refused and INTEREST in group.components:
                at = group.components.index(INTEREST)
                rows = [row for row in group.rows if isinstance(row, list) and len(row) > at]
                named |= {str(row[at]) for row in rows if isinstance(row[at], str | int)}
        return await asyncio.to_thread(self._interests.named, named, contributor) if named else {}

    @staticmethod
    def _time(body: Mapping[str, Any]) -> Micros:
        # 18-088 §8.2.7: without a phenomenonTime the service takes the time at which it came in.
        if body.get("phenomenonTime") is None:
            return clock.now()
        return _end(body["phenomenonTime"])

    def _shown(self, item: Observation, link: str, body: Mapping[str, Any]) -> dict[str, Any]:
        shown: dict[str, Any] = {
            "@iot.id": item.id, "@iot.selfLink": link,
            "phenomenonTime": body.get("phenomenonTime") or clock.to_text(item.time),
            "result": item.result, "resultTime": body.get("resultTime"),
        }  # fmt: skip
        if body.get("parameters") is not None:
            shown["parameters"] = body["parameters"]
        shown["Datastream@iot.navigationLink"] = self.addresses.of("Datastreams", item.datastream)
        return shown


def _end(value: object) -> Micros:
    """An interval counts at its end: before that nobody can know its result."""
    return reading.interval(value, "phenomenonTime")[1]


def _check_extras(body: Mapping[str, Any]) -> None:
    for name in ("resultTime", "validTime"):
        if body.get(name) is not None:
            reading.interval(body[name], name)
    for name in FREE:
        if body.get(name) is not None:
            reading.free(body[name], name)
    if body.get("parameters") is not None:
        reading.mapping(body["parameters"], "parameters")


def _reference(value: object, field: str) -> str:
    if value is None:
        raise InputRefused.of(f"{field}.@iot.id", _NO_STREAM)
    return as_id(reading.mapping(value, field).get("@iot.id"), f"{field}.@iot.id")


def _as_fault(refusal: Refused, stream: str) -> InputRefused:
    return InputRefused.of("Datastream", f"refused: {refusal}", stream)


def _no_row(stream: str, refusal: Refused | None) -> FieldError:
    """The fault of every row of a datastream that is refused, or that does not exist."""
    if refusal is not None:
        return _as_fault(refusal, stream).errors[0]
    return FieldError("Datastream.@iot.id", _NO_STREAM, stream)


async def _rows(
    group: _Group, known: KnownStream, positions: Mapping[str, Placing], first: int, pieces: Pieces
) -> tuple[list[tuple[int, Observation]], list[RowFault]]:
    """The good rows of a group with their places among all, which begin at ``first``, and the faults of the others."""
    good: list[tuple[int, Observation]] = []
    faults: list[RowFault] = []
    bare = _BARE.issuperset(group.components)
    for index, row in enumerate(group.rows):
        await pieces.took(2 if bare else reading.values_in(row, _ROW_MOST))
        try:
            good.append((first + index, _row(row, group.stream, known, group.components, positions, bare)))
        except InputRefused as exc:
            faults.append(RowFault(first + index, exc.errors[0]))
    return good, faults


def _groups(document: object) -> list[_Group]:
    found: list[_Group] = []
    rows = 0
    for number, group in enumerate(reading.sequence(document, "body", reading.GROUPS)):
        found.append(_group(group, number))
        rows += len(found[-1].rows)
        if rows > ROWS:
            raise InputRefused.of(f"{number}.dataArray", f"a request may hold at most {ROWS} rows")
    return found


def _group(group: object, number: int) -> _Group:
    body = reading.mapping(group, str(number))
    stream = _reference(body.get("Datastream"), f"{number}.Datastream")
    components = reading.sequence(body.get("components"), f"{number}.components", len(COMPONENTS))
    for name in components:
        if not isinstance(name, str) or name not in COMPONENTS:
            rule = f"must be one of {', '.join(sorted(COMPONENTS))}"
            raise InputRefused.of(f"{number}.components", rule, reading.form(name))
    if len(set(components)) != len(components):
        raise InputRefused.of(f"{number}.components", "must name each component once")
    if "result" not in components:
        raise InputRefused.of(f"{number}.components", "must name result")
    return _Group(reading.sequence(body.get("dataArray"), f"{number}.dataArray", ROWS), stream, components)


def _row(
    row: object, stream: str, known: KnownStream, components: Sequence[str],
    positions: Mapping[str, Placing], bare: bool,
) -> Observation:  # fmt: skip
    if not isinstance(row, list) or len(row) != len(components):
        raise InputRefused.of("dataArray", f"a row must have {len(components)} values, as the components say")
    values = dict(zip(components, row, strict=True))
    if not bare:
        for name in FREE:
            if reading.values_in(values.get(name), ROW_VALUES) > ROW_VALUES:
                raise InputRefused.of(name, f"may hold at most {ROW_VALUES} values in a row of a dataArray")
        _check_extras(values)
    at = values.get("phenomenonTime")
    time = clock.now() if at is None else _end(at)
    position = None
    if values.get(INTEREST) is not None:
        found = positions[as_id(values[INTEREST], _INTEREST_ID)]
        if isinstance(found, InputRefused):
            raise found
        position = found
    source_id = None if values.get("id") is None else as_id(values["id"], "id")
    return Observation(stream, time, reading.quantity(values["result"], "result"), source_id, position, known)
