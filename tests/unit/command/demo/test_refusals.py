"""What the demonstration makes of a refusal: it waits for law of a moment ago, and one sender stops no other."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from dmi_agreements.contracts.observations import ObservationBatch
from dmi_command.client import Client
from dmi_command.commands import running
from dmi_command.demo import build_city
from dmi_command.demo.neighbour import Neighbour
from dmi_command.demo.publish import DemoCity
from dmi_command.demo.story import BUS, CROWD, GARAGES, datasets
from dmi_command.errors import AnswerRefused, CannotStart
from dmi_command.two import Node, Pair, two_nodes
from dmi_infra.jose import SigningKey
from dmi_infra.settings import Settings

ADDRESS = "http://127.0.0.1:9"


def refusal(status: int, code: str) -> AnswerRefused:
    return AnswerRefused({"status": status, "type": f"urn:dmi:problem:{code}", "detail": f"no: {code}"})


def answers(*refusals: AnswerRefused) -> tuple[Callable[..., Any], list[str]]:
    """Refuses with each in turn, then answers; and the paths that were asked."""
    left, asked = list(refusals), []

    def answer(path: str, *_: Any) -> Any:
        asked.append(path)
        if left:
            raise left.pop(0)
        return {}

    return answer, asked


@pytest.mark.parametrize("code", ["no-agreement", "unknown-dataset"])
def test_the_places_of_the_second_city_wait_for_the_law_of_its_agreement(
    code: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    second = Neighbour(ADDRESS, tmp_path)
    answer, asked = answers(refusal(403, code), refusal(503, "law-stale"), refusal(403, code))
    monkeypatch.setattr(second.city, "post", answer)
    second.place()
    assert asked == ["/ingest/v1/features"] * 4


def test_a_second_city_whose_agreement_was_stopped_starts_all_the_same(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    second = Neighbour(ADDRESS, tmp_path)
    answer, asked = answers(refusal(403, "ended"))
    monkeypatch.setattr(second.city, "post", answer)
    second.place()
    assert len(asked) == 1


class Loading:
    """A process that has ended."""

    pid = 1

    def __init__(self, code: int) -> None:
        self._code = code

    def wait(self) -> int:
        return self._code


@pytest.mark.parametrize("failing", ["load-neighbour", "load"])
def test_two_cities_of_which_one_could_not_be_loaded_do_not_look_started(
    failing: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    ran = []

    def run(_pair: Pair, _node: Node, action: str) -> Loading:
        ran.append(action)
        return Loading(5 if action == failing else 0)

    monkeypatch.setattr(Node, "start", lambda *_: None)
    monkeypatch.setattr(Node, "await_ready", lambda _: None)
    monkeypatch.setattr(Pair, "_run", run)
    pair = Pair(two_nodes(tmp_path, 1, 2))
    try:
        with pytest.raises(CannotStart, match="could not be loaded"):
            pair.start()
        assert "run" not in ran
        assert ("run-neighbour" in ran) == (failing == "load")
    finally:
        pair.stop()


def batches() -> list[ObservationBatch]:
    return [ObservationBatch(dataset, ["x"], [0], [1.0]) for dataset in (GARAGES, BUS, CROWD)]


def sending(
    folder: Path, monkeypatch: pytest.MonkeyPatch, refused: AnswerRefused
) -> tuple[DemoCity, list[str], list[str]]:
    """A city of which the sender of the line is refused, who asked, and who was taken."""
    city = DemoCity(build_city(), ADDRESS, folder)
    asked: list[str] = []
    taken: list[str] = []

    def client(self: DemoCity, participant: str) -> Any:
        class Sender:
            def post_bytes(self, _path: str, _body: bytes) -> Any:
                asked.append(participant)
                if participant == sender(BUS):
                    raise refused
                taken.append(participant)

        return Sender()

    monkeypatch.setattr(DemoCity, "_client", client)
    return city, asked, taken


def sender(dataset: str) -> str:
    return next(each.owner for each in datasets() if each.id == dataset)


def test_a_sender_whose_key_was_revoked_stops_alone_and_is_told_once(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    city, asked, taken = sending(tmp_path, monkeypatch, refusal(401, "unauthenticated"))
    for _ in range(3):
        assert city._send(batches())
    assert asked.count(sender(BUS)) == 2  # once more with the key as it is kept now
    assert taken == [sender(GARAGES), sender(CROWD)] * 3
    told = capsys.readouterr().err.splitlines()
    assert told == [f"demonstration: {sender(BUS)} sends nothing any more: no: unauthenticated"]


@pytest.mark.parametrize(
    ("status", "code"),
    [(403, "ended"), (403, "no-agreement"), (403, "inactive-participant"), (400, "rows-refused")],
)
def test_a_sender_without_an_agreement_or_membership_or_of_nobodys_rows_keeps_nobody_waiting_and_asks_on(
    status: int,
    code: str,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    city, asked, taken = sending(tmp_path, monkeypatch, refusal(status, code))
    assert city._send(batches())
    assert city._send(batches())
    assert asked.count(sender(BUS)) == 2
    assert taken == [sender(GARAGES), sender(CROWD)] * 2
    assert capsys.readouterr().err == ""


@pytest.mark.parametrize(("code", "started"), [(0, ["load", "run"]), (5, ["load"])])
def test_sensors_run_in_a_city_that_was_loaded_alone(
    code: int, started: list[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    ran = []

    def start(_beside: running.Beside, action: str, *_: str) -> Loading:
        ran.append(action)
        return Loading(code)

    monkeypatch.setattr(running, "_await_ready", lambda _: True)
    monkeypatch.setattr(running.Beside, "_start", start)
    beside = running.Beside(Settings(data_dir=tmp_path), ADDRESS, 1.0, as_json=True)
    beside.run()
    beside.stop()
    assert ran == started


def test_a_sender_goes_on_with_the_key_that_the_node_put_in_place_of_the_refused_one(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    city = DemoCity(build_city(), ADDRESS, tmp_path)
    line = sender(BUS)
    old = city._client(line)._key
    (kept,) = (tmp_path / "keys").glob("*.json")
    new = SigningKey.generate()
    new.keep(kept, None, replace=True)
    used = []

    def post(self: Client, _path: str, _body: bytes) -> Any:
        assert self._key is not None
        used.append(self._key.kid)
        if old is not None and self._key.kid == old.kid:
            raise refusal(401, "unauthenticated")

    monkeypatch.setattr(Client, "post_bytes", post)
    assert city._send([ObservationBatch(BUS, ["x"], [0], [1.0])] * 2)
    assert used == [old and old.kid, new.kid, new.kid]
    assert capsys.readouterr().err == ""
