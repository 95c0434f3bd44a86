"""A resident takes the own measurements along, whatever the owner of the dataset has agreed with the layer."""

from __future__ import annotations

import io
import json
import zipfile
from pathlib import Path
from typing import Any

import pytest

from dmi_agreements.contracts.features import Feature
from dmi_agreements.contracts.law import AgreementState, Correction, Dataset, Participant, SubjectRequest
from dmi_agreements.contracts.observations import ObservationBatch
from dmi_agreements.contracts.record import DecisionRecord
from dmi_agreements.rights import RECTIFICATION
from dmi_infra import clock
from dmi_infra.clock import to_text
from dmi_infra.exercising import Exercising
from dmi_infra.identity import Identity
from dmi_platform import paging
from dmi_platform.app import build
from dmi_platform.settings import PlatformSettings
from dmi_platform.store import Store, Table

from .conftest import BICYCLES, MINUTE, NOON, NOOR, OWNER, SAM, VENDOR, City, stream


def resident(person: str) -> Identity:
    return Identity(person, "Resident", frozenset({"dmi:role:resident"}))


@pytest.fixture
def layer(city: City) -> AgreementState:
    """The owner lets the platform process and read, not export; two residents ride, and each has measured."""
    agreement = city.agree(BICYCLES, "dmi:process", "dmi:read", basis="consent")
    for person in (NOOR, SAM):
        city.agree(BICYCLES, "dmi:process", "dmi:read", assigner=person, basis="consent")
    city.tell(BICYCLES, *(stream(f"bike.{n}.pm2_5", "pm2_5", "ug/m3") for n in (1, 2)))
    names = ["bike.1.pm2_5", "bike.2.pm2_5", "bike.2.pm2_5"]
    times = [NOON + minute * MINUTE for minute in range(3)]
    rows = ObservationBatch(BICYCLES, names, times, [1.0, 2.0, 3.0], [5.1] * 3, [52.1] * 3, [NOOR, SAM, NOOR])
    city.hand_in(rows)
    return agreement


def exported(city: City) -> list[str]:
    """The lines of the resident's own file, without its head."""
    answer = city.get("/v1/export", "dmi:purpose:public-task", dataset=BICYCLES)
    assert answer.status_code == 200, answer.text
    with zipfile.ZipFile(io.BytesIO(answer.content)) as archive:
        assert "ended.json" not in archive.namelist()
        return archive.read("observations.csv").decode().splitlines()[1:]


def test_a_resident_exports_own_rows_and_no_one_elses(city: City, layer: AgreementState) -> None:
    city.identity = resident(NOOR)
    assert [line.split(",")[0:4:3] for line in exported(city)] == [
        ["bike.1.pm2_5", "1.0"],
        ["bike.2.pm2_5", "3.0"],
    ]
    city.identity = resident(SAM)
    assert [line.split(",")[0:4:3] for line in exported(city)] == [["bike.2.pm2_5", "2.0"]]


def test_of_persons_sensors_the_names_and_properties_are_told_to_who_may_see_their_rows_alone(
    city: City, layer: AgreementState
) -> None:
    city.tell(
        BICYCLES,
        *(Feature(f"bike.{who}", "thing", f"Fiets van {who}", None, {"owner": who}) for who in ("noor", "sam")),
        *(
            Feature(f"bike.{who}.pm2_5", "datastream", f"Fijnstof van {who}", None,
                    {"thing": f"bike.{who}", "observed_property": "pm2_5", "unit": "ug/m3", "owner": who})
            for who in ("noor", "sam")
        ),
        Feature("bike.area", "area", "Bij de sporthal"),
    )  # fmt: skip
    names = ["bike.noor.pm2_5", "bike.sam.pm2_5"]
    city.hand_in(ObservationBatch(BICYCLES, names, [NOON] * 2, [1.0, 2.0], subject=[NOOR, SAM]))

    def told() -> list[str]:
        def asked(path: str, **query: Any) -> Any:
            answer = city.get(path, "dmi:purpose:public-task", **query)
            assert answer.status_code == 200, answer.text
            return answer.json()

        streams = asked("/v1/datastreams", dataset=BICYCLES)["items"]
        assert asked("/v1/datastreams")["items"] == streams
        kinds = ("thing", "datastream", "area")
        pages = [asked("/v1/features", dataset=BICYCLES, kind=kind, limit=1)["features"] for kind in kinds]
        text = json.dumps([streams, pages])
        return [who for who in ("van noor", "van sam", "sporthal") if who in text]

    city.identity = resident(NOOR)
    assert told() == ["van noor"]
    city.identity = resident("urn:dmi:person:nobody")
    city.law(Participant("urn:dmi:person:nobody", "x", ["dmi:role:resident"], rulebook="1.0.0"))
    assert told() == []
    # A recipient learns of whom it may see rows; the owner of these too, and of what has no rows, since it named that.
    city.agree(BICYCLES, "dmi:read", assignee=VENDOR, basis="consent")
    city.identity = Identity(VENDOR, "Vendor", frozenset({"dmi:role:vendor"}))
    for recipient in (VENDOR, OWNER):
        city.agree(BICYCLES, "dmi:read", assigner=SAM, assignee=recipient, basis="consent")
    assert told() == ["van sam"]
    city.identity = Identity(OWNER, "Officer", frozenset({"dmi:role:municipality"}))
    assert told() == ["van sam", "sporthal"]


def test_own_rows_come_as_they_were_measured(city: City, layer: AgreementState) -> None:
    city.identity = resident(NOOR)
    assert all(",5.1,52.1," in line for line in exported(city))


def test_the_export_goes_on_after_the_layers_agreement_and_the_own_consent_have_ended(
    city: City, layer: AgreementState
) -> None:
    city.end(layer)
    for state in list(city.runtime.law.table.agreements.values()):
        city.end(state)
    city.identity = resident(NOOR)
    assert len(exported(city)) == 2
    refused = city.get("/v1/latest", "dmi:purpose:public-task", dataset=BICYCLES)
    assert refused.status_code == 403, "the views of the layer have ended"


def test_who_withdrew_its_consent_still_reads_what_is_kept_of_it_and_nobody_else_does(
    city: City, layer: AgreementState
) -> None:
    for state in list(city.runtime.law.table.agreements.values()):
        if state.document["assigner"] == NOOR:
            city.end(state)

    def rows() -> list[str]:
        latest = city.get("/v1/latest", "dmi:purpose:public-task", dataset=BICYCLES)
        streams = city.get("/v1/datastreams", "dmi:purpose:public-task", dataset=BICYCLES)
        assert (latest.status_code, streams.status_code) == (200, 200), (latest.text, streams.text)
        told = [one["datastream"] for one in latest.json()["items"]]
        assert sorted(told) == sorted(one["id"] for one in streams.json()["items"])
        return told

    def history() -> list[float]:
        path, span = "/v1/datastreams/bike.2.pm2_5/observations", {"from": to_text(NOON)}
        page = city.get(path, "dmi:purpose:public-task", **span).json()
        return [one["result"] for one in page["items"]]

    city.identity = resident(NOOR)
    assert sorted(rows()) == ["bike.1.pm2_5", "bike.2.pm2_5"]
    assert history() == [3.0]
    city.identity = resident(SAM)
    assert history() == [2.0]
    city.identity = resident("urn:dmi:person:nobody")
    city.law(Participant("urn:dmi:person:nobody", "x", ["dmi:role:resident"], rulebook="1.0.0"))
    assert rows() == []


def test_the_copy_says_that_it_is_one_and_on_what_right_it_rests(city: City, layer: AgreementState) -> None:
    city.identity = resident(NOOR)
    answer = city.get("/v1/export", "dmi:purpose:public-task", dataset=BICYCLES)
    with zipfile.ZipFile(io.BytesIO(answer.content)) as archive:
        said = dict(line.split(": ", 1) for line in archive.read("licence.txt").decode().splitlines())
    assert (said["Dataset"], said["Given to"]) == (BICYCLES, NOOR)
    assert said["What this is"].startswith(f"a copy of the own data of {NOOR}")
    assert "GDPR art. 15 and 20" in said["Under"]
    assert not {"For the purpose", "Duty carried out"} & said.keys()
    with zipfile.ZipFile(io.BytesIO(answer.content)) as archive:
        done = json.loads(archive.read("lineage.json"))["transformations"]
    assert f"duty: only the own rows of {NOOR}" in done
    assert not any(
        untrue in answer for answer in said.values() for untrue in ("ownership", "agreement below")
    )


def test_the_owner_cannot_take_along_what_was_not_agreed(city: City, layer: AgreementState) -> None:
    answer = city.get("/v1/export", "dmi:purpose:public-task", dataset=BICYCLES)
    assert (answer.status_code, answer.json()["type"]) == (403, "urn:dmi:problem:no-agreement")


def test_each_export_is_in_the_log_of_the_person(city: City, layer: AgreementState) -> None:
    city.identity = resident(NOOR)
    city.records.clear()
    exported(city)
    written = [record for record in city.records if isinstance(record, DecisionRecord)]
    assert {(one.crossing, one.assignee, one.action, one.allowed) for one in written} == {
        ("export", NOOR, "dmi:export", True)
    }
    assert sum(one.rows for one in written if one.subjects == [NOOR]) == 2


CAMERAS = "urn:dmi:dataset:gemeente:cameras"
PUBLIC_TASK = "dmi:purpose:public-task"


@pytest.fixture
def cameras(city: City) -> City:
    """Data about persons on the basis of a public task, which a vendor may read: of two persons, and of nobody."""
    city.law(Dataset(CAMERAS, OWNER, {"nl": "Camera's"}, personal=True, basis="dmi:basis:public-task"))
    city.agree(CAMERAS, "dmi:process", "dmi:read")
    city.agree(CAMERAS, "dmi:read", assignee=VENDOR)
    for name in ("noor", "sam", "none", "new"):
        about = {"thing": f"cam.{name}", "observed_property": "count", "unit": "1"}
        city.tell(
            CAMERAS,
            Feature(f"cam.{name}", "thing", f"Bij {name}"),
            Feature(f"cam.{name}.count", "datastream", f"Telling {name}", None, about),
        )
    names = [f"cam.{name}.count" for name in ("noor", "sam", "none")]
    city.hand_in(ObservationBatch(CAMERAS, names, [NOON] * 3, [1.0, 2.0, 3.0], subject=[NOOR, SAM, None]))
    return city


def named(city: City) -> list[list[str]]:
    """Whose streams, things and last values are told."""
    found = []
    for path, member, more in (
        ("/v1/datastreams", "items", {}),
        ("/v1/features", "features", {"kind": "thing"}),
        ("/v1/latest", "items", {}),
    ):
        body = city.get(path, PUBLIC_TASK, dataset=CAMERAS, **more).json()
        text = json.dumps(body[member])
        found.append([name for name in ("noor", "sam", "none", "new") if f"cam.{name}" in text])
    return found


def test_of_who_objects_no_more_is_told_than_of_its_rows_on_whatever_basis(cameras: City) -> None:
    cameras.identity = Identity(VENDOR, "Vendor", frozenset({"dmi:role:vendor"}))
    assert named(cameras) == [["noor", "sam", "none"]] * 3
    cameras.law(SubjectRequest("urn:uuid:1", NOOR, "objection", CAMERAS, clock.now()))
    assert named(cameras) == [["sam", "none"]] * 3
    # A stream with a row of somebody else stays, for that row is given.
    names = ["cam.noor.count"] * 2
    cameras.hand_in(
        ObservationBatch(CAMERAS, names, [NOON - MINUTE, NOON + MINUTE], [4.0, 5.0], subject=[SAM, NOOR])
    )
    assert named(cameras)[:2] == [["noor", "sam", "none"]] * 2
    cameras.identity = Identity(OWNER, "Officer", frozenset({"dmi:role:municipality"}))
    assert named(cameras)[:2] == [["noor", "sam", "none", "new"]] * 2


def test_the_owner_is_told_neither_name_nor_place_of_the_things_of_who_objects(cameras: City) -> None:
    cameras.identity = Identity(OWNER, "Officer", frozenset({"dmi:role:municipality"}))
    cameras.tell(CAMERAS, Feature("cam.alone", "thing", "Zonder reeks"))
    assert named(cameras)[:2] == [["noor", "sam", "none", "new"]] * 2
    cameras.law(SubjectRequest("urn:uuid:1", NOOR, "objection", CAMERAS, clock.now()))
    assert named(cameras) == [["sam", "none", "new"]] * 2 + [["sam", "none"]]
    # What says nothing yet of the same thing would tell it.
    about = {"thing": "cam.noor", "observed_property": "speed", "unit": "km/h"}
    cameras.tell(CAMERAS, Feature("cam.noor.speed", "datastream", "Snelheid", None, about))
    assert named(cameras)[:2] == [["sam", "none", "new"]] * 2
    features = cameras.get("/v1/features", PUBLIC_TASK, dataset=CAMERAS, kind="thing").json()["features"]
    assert "cam.alone" in {one["id"] for one in features}
    listed = cameras.get("/v1/datastreams", PUBLIC_TASK, limit=1).json()["items"]
    assert "cam.noor" not in json.dumps(listed), "nor in the list of all datasets"


def test_pages_do_not_tell_when_somebody_who_objects_was_measured(cameras: City) -> None:
    who = [SAM, NOOR, SAM, NOOR, SAM]
    times = [NOON + (1 + place) * MINUTE for place in range(len(who))]
    rows = ObservationBatch(
        CAMERAS, ["cam.new.count"] * 5, times, [float(place) for place in range(5)], subject=who
    )
    cameras.hand_in(rows)
    cameras.law(SubjectRequest("urn:uuid:1", NOOR, "objection", CAMERAS, clock.now()))
    cameras.identity = Identity(VENDOR, "Vendor", frozenset({"dmi:role:vendor"}))
    path = "/v1/datastreams/cam.new.count/observations"

    def page(**asked: Any) -> tuple[list[float], str | None]:
        answer = cameras.get(path, PUBLIC_TASK, **asked).json()
        return [one["result"] for one in answer["items"]], answer["next"]

    empty = page(limit=1, **{"from": to_text(NOON + 9 * MINUTE), "to": to_text(NOON + 10 * MINUTE)})
    for place, person in enumerate(who):
        span = {"from": to_text(times[place]), "to": to_text(times[place] + MINUTE)}
        if person == NOOR:
            assert page(limit=1, **span) == empty == ([], None)
        else:
            assert page(limit=1, **span)[0] == [float(place)]
    found: list[float] = []
    cursor: str | None = None
    for _ in range(9):
        given, cursor = page(limit=1, **({"cursor": cursor} if cursor else {}))
        assert given or cursor is None, "an empty page with a next one tells of a row that is left out"
        found += given
        if cursor is None:
            break
    assert found == [0.0, 2.0, 4.0]


def test_ids_of_persons_sensors_cannot_be_tried_by_who_may_read_nothing_of_them(cameras: City) -> None:
    before = len(cameras.records)
    cameras.law(Participant("urn:dmi:participant:other", "Other", [], rulebook="1.0.0"))
    cameras.identity = Identity("urn:dmi:participant:other", "Other", frozenset({"dmi:role:vendor"}))
    for name in ("cam.noor.count", "cam.nobody.count"):
        for path, asked in (
            (f"/v1/datastreams/{name}/observations", {}),
            ("/v1/latest", {"datastream": name}),
        ):
            answer = cameras.get(path, PUBLIC_TASK, **asked)
            assert (answer.status_code, answer.json()["detail"]) == (404, "no datastream has this id"), path
    assert len(cameras.records) == before, "the log would tell who asked which dataset the sensor is of"
    # Whoever has, or had, an agreement is told why it does not do.
    cameras.identity = Identity(VENDOR, "Vendor", frozenset({"dmi:role:vendor"}))
    path = "/v1/datastreams/cam.noor.count/observations"
    assert cameras.get(path, PUBLIC_TASK).status_code == 200
    assert cameras.get(path, "dmi:purpose:marketing").status_code == 403
    cameras.identity = Identity(OWNER, "Officer", frozenset({"dmi:role:municipality"}))
    assert cameras.get(path, "dmi:purpose:marketing").status_code == 403


def test_a_person_sees_its_own_rows_also_where_they_do_not_rest_on_consent(cameras: City) -> None:
    cameras.identity = resident(NOOR)
    assert named(cameras) == [["noor"]] * 3
    found = cameras.get("/v1/datastreams/cam.noor.count/observations", PUBLIC_TASK)
    assert [item["result"] for item in found.json()["items"]] == [1.0]
    assert cameras.get("/v1/datastreams/cam.sam.count/observations", PUBLIC_TASK).json()["items"] == []


def test_a_page_goes_on_among_the_rows_of_one_moment_also_when_somebody_objects_meanwhile(
    cameras: City,
) -> None:
    rows = ObservationBatch(
        CAMERAS, ["cam.new.count"] * 4, [NOON] * 4, [0.0, 1.0, 2.0, 3.0], subject=[SAM, SAM, NOOR, SAM],
        source_id=["a", "b", "c", "d"],
    )  # fmt: skip
    cameras.hand_in(rows)
    cameras.identity = Identity(VENDOR, "Vendor", frozenset({"dmi:role:vendor"}))
    path = "/v1/datastreams/cam.new.count/observations"
    first = cameras.get(path, PUBLIC_TASK, limit=2).json()
    cameras.law(SubjectRequest("urn:uuid:1", NOOR, "objection", CAMERAS, clock.now()))
    second = cameras.get(path, PUBLIC_TASK, limit=2, cursor=first["next"]).json()
    assert [one["result"] for one in (*first["items"], *second["items"])] == [0.0, 1.0, 3.0]


def test_a_page_does_not_read_through_all_rows_of_who_objects(
    cameras: City, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(paging, "PIECE_ROWS", 2)
    times = [NOON + minute * MINUTE for minute in range(1, 41)]
    whose = [*[NOOR] * 39, SAM]
    rows = ObservationBatch(
        CAMERAS, ["cam.new.count"] * 40, times, [float(n) for n in range(40)], subject=whose
    )
    cameras.hand_in(rows)
    cameras.law(SubjectRequest("urn:uuid:1", NOOR, "objection", CAMERAS, clock.now()))
    cameras.identity = Identity(VENDOR, "Vendor", frozenset({"dmi:role:vendor"}))
    read: list[object] = []

    def counted(store: Store, *arguments: Any) -> Table:
        read.append(arguments)
        return observations(store, *arguments)

    observations = Store.observations
    monkeypatch.setattr(Store, "observations", counted)
    answer = cameras.get("/v1/datastreams/cam.new.count/observations", PUBLIC_TASK, limit=2).json()
    assert [one["result"] for one in answer["items"]] == [39.0]
    assert len(read) == 1


def test_a_correction_that_waited_for_a_start_is_carried_out_before_anything_else_was_asked(
    city: City, layer: AgreementState, tmp_path: Path
) -> None:
    begun = build(PlatformSettings(data_dir=tmp_path), city.bus)
    exercising = next(part for part in begun.runtime.parts if isinstance(part, Exercising))
    assert exercising._correct is not None
    wrong = Correction("bike.1.pm2_5", NOON, 9.0)
    request = SubjectRequest("urn:r", NOOR, RECTIFICATION, BICYCLES, clock.now(), corrections=[wrong])
    assert exercising._correct(request) == 1
    begun.close()
