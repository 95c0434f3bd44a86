"""Ids in lists can be copied at any width, whole or as the short form that names an agreement or consent."""

from __future__ import annotations

import json
from io import StringIO
from typing import Any

import pytest
from rich.console import Console
from typer.testing import CliRunner

from dmi_command.cli import app
from dmi_command.console import out
from dmi_command.errors import AnswerRefused, UsageWrong
from dmi_command.layout import print_rows
from tests.unit.command.answering import Answering

FIRST = "urn:uuid:24d37312-4f0e-4c53-9a55-5d0d0c7f5f01"
SECOND = "urn:uuid:24d37312-aaaa-4c53-9a55-5d0d0c7f5f02"
OTHER = "urn:uuid:9b1c0d2e-4f0e-4c53-9a55-5d0d0c7f5f03"
CONSENT = "urn:uuid:77777777-4f0e-4c53-9a55-5d0d0c7f5f04"
GARAGES, BICYCLES = "urn:dmi:dataset:gemeente:garages", "urn:dmi:dataset:provincie:snuffelfietsen-utrecht"
OFFICER, STACK = "urn:dmi:participant:gemeente", "urn:dmi:participant:stack"
RESULT = "urn:dmi:forecast:gemeente.garages.centrum:2026-11-21T10:15:00Z"
DEPENDENTS = {
    "items": [
        {
            "result": RESULT,
            "kind": "forecast",
            "title": "Verwachting van de bezetting van garage Centrum voor de komende twee uur [p10–p90]",
            "made_at": "2026-11-21T10:15:00Z",
            "withdrawn": False,
        }
    ],
    "next": None,
}


def _agreement(identifier: str) -> dict[str, Any]:
    return {
        "id": identifier, "assigner": OFFICER, "assignee": STACK, "datasets": [GARAGES, BICYCLES],
        "state": "active", "consent": identifier == CONSENT, "concluded_at": "2026-11-21T10:00:00Z",
        "ended_at": None, "ended_by": None, "end_reason": None, "waiting_for": [], "document": {}, "signatures": {},
    }  # fmt: skip


@pytest.fixture
def stack(answering: Answering) -> Answering:
    """A stack with three agreements, of which two begin alike, and one consent."""
    items = [_agreement(each) for each in (FIRST, SECOND, OTHER)]
    answering.on("GET", "/exchange/v1/agreements", {"items": items, "next": None})
    answering.on("GET", "/exchange/v1/consents", {"items": [_agreement(CONSENT)], "next": None})
    for each in (FIRST, SECOND, OTHER, CONSENT):
        answering.on("GET", f"/exchange/v1/agreements/{each}", _agreement(each))
        answering.on("GET", f"/exchange/v1/lineage/{each}/dependents", DEPENDENTS)
        answering.on("POST", f"/exchange/v1/agreements/{each}/end", _agreement(each))
        answering.on("POST", f"/exchange/v1/agreements/{each}/signature", _agreement(each))
    answering.on("POST", f"/exchange/v1/consents/{CONSENT}/withdraw", _agreement(CONSENT))
    entry = {
        "sequence": 123456, "at": "2026-11-21T10:15:00.123456Z", "crossing": "harmonised", "assignee": STACK,
        "action": "dmi:process", "dataset": BICYCLES, "allowed": True,
    }  # fmt: skip
    answering.on("GET", "/exchange/v1/log", {"items": [entry], "next": None})
    return answering


@pytest.mark.parametrize("width", [30, 40, 60, 80, 100, 120, 160, 200])
@pytest.mark.parametrize(
    ("command", "ids"),
    [
        (["agreement", "list", "--wide"], [FIRST, SECOND, OTHER, OFFICER, STACK, GARAGES, BICYCLES]),
        (["consent", "list", "--wide"], [CONSENT, GARAGES, BICYCLES]),
        (["log", "list", "--wide"], [STACK, BICYCLES]),
        (["lineage", FIRST, "--dependents"], [RESULT]),
    ],
)
def test_every_id_stands_whole_on_one_line_at_any_width(
    width: int, command: list[str], ids: list[str], stack: Answering, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(out, "width", width)
    done = CliRunner().invoke(app, command)
    assert done.exit_code == 0, done.exception
    words = {word for line in done.stdout.splitlines() for word in line.split()}
    assert words.issuperset(ids)
    assert "…" not in done.stdout


@pytest.mark.parametrize(
    ("command", "heading", "rows"),
    [
        (
            ["agreement", "list"],
            ["id", "assigner", "assignee", "datasets", "state"],
            [["9b1c0d2e", "gemeente", "stack", "gemeente:garages", "active"],
             ["77777777", "person:noor", "everyone", "gemeente:garages", "proposed"]],
        ),
        (
            ["consent", "list"],
            ["id", "datasets", "purposes", "recipients", "state"],
            [["77777777", "gemeente:garages", "[]", "stack", "active"]],
        ),
    ],
)  # fmt: skip
def test_eighty_columns_hold_a_table_with_short_ids(
    command: list[str],
    heading: list[str],
    rows: list[list[str]],
    stack: Answering,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    offer = {"assigner": "urn:dmi:person:noor", "assignee": "urn:dmi:party:everyone", "state": "proposed"}
    papers = [_agreement(OTHER), {**_agreement(CONSENT), **offer}]
    stack.on("GET", "/exchange/v1/agreements", {"items": papers, "next": None})
    ended = {**_agreement(CONSENT), "ended_at": "2026-11-21T10:15:00.123456Z"}
    stack.on("GET", "/exchange/v1/consents", {"items": [ended], "next": None})
    monkeypatch.setattr(out, "width", 80)
    done = CliRunner().invoke(app, command)
    lines = [line.split() for line in done.stdout.splitlines()]
    assert lines[0] == heading
    assert [line for line in lines[1:] if len(line) > 1] == rows
    assert [line for line in lines[1:] if len(line) == 1] == [["provincie:snuffelfietsen-utrecht"]] * len(
        rows
    )
    assert "--wide" in done.stderr


def test_a_hundred_columns_hold_a_table_of_the_log_with_names(
    stack: Answering, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(out, "width", 100)
    done = CliRunner().invoke(app, ["log", "list"])
    heading, *rows = [line.split() for line in done.stdout.splitlines()]
    assert heading == ["sequence", "at", "crossing", "assignee", "action", "dataset", "allowed"]
    first = ["123456", "2026-11-21T10:15:00.123456Z", "harmonised", "stack", "dmi:process"]
    assert rows[0][:5] == first
    assert (
        "".join(row[-2] if row[-1] == "True" else row[0] for row in rows)
        == "provincie:snuffelfietsen-utrecht"
    )
    assert "--wide" in done.stderr


def test_the_log_tells_why_it_refused(stack: Answering, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(out, "width", 200)
    entry = {
        "sequence": 1, "at": "2026-11-21T10:15:00Z", "crossing": "stream", "assignee": STACK,
        "action": "dmi:read", "dataset": GARAGES,
    }  # fmt: skip
    refused = {**entry, "allowed": False, "reasons": ["no_agreement: there is none"]}
    allowed = {**entry, "allowed": True, "reasons": ["allowed: permitted by urn:uuid:1"]}
    stack.on("GET", "/exchange/v1/log", {"items": [refused, allowed], "next": None})
    heading, first, second = CliRunner().invoke(app, ["log", "list", "--wide"]).stdout.splitlines()
    assert heading.split()[-2:] == ["why", "not"]
    assert first.endswith("no_agreement: there is none")
    assert "permitted" not in second


@pytest.mark.parametrize(
    ("options", "told"),
    [
        ([], ["meetlat", "gemeente", "9b1c0d2e"]),
        (["--wide"], ["urn:dmi:participant:meetlat", OFFICER, OTHER]),
    ],
)
def test_the_log_names_who_acted_and_for_whom_by_which_mandate(
    options: list[str], told: list[str], stack: Answering, monkeypatch: pytest.MonkeyPatch
) -> None:
    own = {
        "sequence": 7, "at": "2026-11-21T10:15:00.123456Z", "crossing": "export", "assignee": OFFICER,
        "actor": None, "mandate": None, "action": "dmi:export", "dataset": GARAGES, "allowed": True,
    }  # fmt: skip
    by_mandate = {**own, "sequence": 8, "actor": "urn:dmi:participant:meetlat", "mandate": OTHER}
    stack.on("GET", "/exchange/v1/log", {"items": [by_mandate, own], "next": None})
    monkeypatch.setattr(out, "width", 125)
    done = CliRunner().invoke(app, ["log", "list", *options])
    heading, *rows = [line.split() for line in done.stdout.splitlines()]
    assert heading[3:6] == ["actor", "assignee", "mandate"]
    assert rows[0][3:6] == told
    assert [row[3:6] for row in rows if row[0] == "7"] == [["-", told[1], "-"]]


def test_short_ids_that_begin_alike_are_long_enough_for_the_commands(
    stack: Answering, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(out, "width", 80)
    listed = CliRunner().invoke(app, ["agreement", "list"]).stdout.splitlines()[1:]
    ids = [line.split()[0] for line in listed if "active" in line]
    assert ids == ["24d37312-4", "24d37312-a", "9b1c0d2e-4"]
    for short in ids:
        assert CliRunner().invoke(app, ["revoke", short]).exit_code == 0, short
    assert stack.asked("POST") == [f"/exchange/v1/agreements/{each}/end" for each in (FIRST, SECOND, OTHER)]


@pytest.mark.parametrize(("width", "options"), [(200, []), (80, ["--json"]), (80, ["--wide"]), (30, [])])
def test_ids_are_whole_where_there_is_room_or_where_that_is_asked_for(
    width: int, options: list[str], stack: Answering, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(out, "width", width)
    done = CliRunner().invoke(app, ["agreement", "list", *options])
    for identifier in (FIRST, SECOND, OTHER, GARAGES, OFFICER):
        assert identifier in done.stdout
    assert done.stderr == ""


def test_no_width_cuts_an_id_or_a_heading() -> None:
    moment = "2026-11-21T10:15:00.123456Z"
    items = [{"id": FIRST, "at": moment, "title": "een lange titel die vouwt " * 4, "by": OFFICER}]
    columns = ["id", "at", "title", "by"]
    for width in range(20, 220):
        written = StringIO()
        print_rows(Console(file=written, width=width), items, columns)
        assert {FIRST, OFFICER, moment, *columns} <= set(written.getvalue().split()), width


def test_other_columns_fold_without_losing_a_word(stack: Answering, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(out, "width", 130)
    done = CliRunner().invoke(app, ["lineage", FIRST, "--dependents"])
    assert done.stdout.splitlines()[1].split() == ["result", "kind", "title", "made_at", "withdrawn"]
    assert {"Verwachting", "Centrum", "[p10–p90]"} <= set(done.stdout.split())


@pytest.mark.parametrize(
    ("command", "path"),
    [
        (["revoke", "9b1c0d2e"], f"/exchange/v1/agreements/{OTHER}/end"),
        (["revoke", "9B1C0D2E-4f"], f"/exchange/v1/agreements/{OTHER}/end"),
        (["revoke", OTHER], f"/exchange/v1/agreements/{OTHER}/end"),
        (["agreement", "sign", "9b1c0d2e"], f"/exchange/v1/agreements/{OTHER}/signature"),
        (["agreement", "sign", "24d37312-aaaa"], f"/exchange/v1/agreements/{SECOND}/signature"),
        (["consent", "withdraw", "77777777"], f"/exchange/v1/consents/{CONSENT}/withdraw"),
    ],
)
def test_a_short_id_stands_for_the_only_one_that_begins_with_it(
    command: list[str], path: str, stack: Answering
) -> None:
    done = CliRunner().invoke(app, command)
    assert done.exit_code == 0, done.exception
    assert stack.asked("POST") == [path]


@pytest.mark.parametrize(
    ("command", "parts"),
    [
        (["revoke", "24d37312"], ["the beginning of 2 ids", FIRST, SECOND]),
        (
            ["revoke", "00000000"],
            ["no agreement of this identity begins with 00000000", "dmi agreement list"],
        ),
        (["revoke", "77777777"], ["no agreement of this identity begins with 77777777"]),
        (["consent", "withdraw", "9b1c0d2e"], ["no consent of this identity begins with 9b1c0d2e"]),
        (["lineage", "00000000"], ["no agreement or consent of this identity begins with 00000000"]),
    ],
)
def test_a_short_id_that_fits_none_or_several_stops_nothing_and_says_so(
    command: list[str], parts: list[str], stack: Answering
) -> None:
    done = CliRunner().invoke(app, command)
    assert isinstance(done.exception, UsageWrong)
    assert [part for part in parts if part not in str(done.exception)] == []
    assert stack.asked("POST") == []


@pytest.mark.parametrize("given", ["9b1c0d2e", OTHER, "77777777", CONSENT])
def test_the_lineage_of_an_agreement_or_consent_is_what_rests_on_it(given: str, stack: Answering) -> None:
    done = CliRunner().invoke(app, ["lineage", given])
    assert done.exit_code == 0, done.exception
    assert f"on {CONSENT if given in ('77777777', CONSENT) else OTHER} rest:" in done.stdout
    assert RESULT in done.stdout


def test_an_agreement_on_which_nothing_rests_says_so(stack: Answering) -> None:
    stack.on("GET", f"/exchange/v1/lineage/{OTHER}/dependents", {"items": [], "next": None})
    assert CliRunner().invoke(app, ["lineage", OTHER]).stdout == f"nothing rests on {OTHER}\n"


def test_the_lineage_of_a_dataset_is_what_rests_on_it(stack: Answering) -> None:
    stack.on("GET", f"/exchange/v1/datasets/{GARAGES}", {"id": GARAGES})
    stack.on("GET", f"/exchange/v1/lineage/{GARAGES}/dependents", DEPENDENTS)
    assert RESULT in CliRunner().invoke(app, ["lineage", GARAGES]).stdout


def test_an_id_that_names_nothing_is_still_refused(stack: Answering) -> None:
    # The exchange answers with an empty list for what it has never heard of.
    stack.on("GET", "/exchange/v1/lineage/urn:dmi:forecast:none/dependents", {"items": [], "next": None})
    done = CliRunner().invoke(app, ["lineage", "urn:dmi:forecast:none"])
    assert isinstance(done.exception, AnswerRefused)
    assert done.exception.status == 404


def test_the_lineage_of_a_result_is_its_ground(stack: Answering) -> None:
    stack.on("GET", f"/exchange/v1/lineage/{RESULT}", {"result": RESULT, "title": "Garage [Centrum]"})
    done = CliRunner().invoke(app, ["lineage", RESULT])
    assert done.stdout.splitlines() == [f"result  {RESULT}", "title   Garage [Centrum]"]


@pytest.mark.parametrize("width", [20, 200])
@pytest.mark.parametrize(
    ("command", "path"),
    [
        (["agreement", "list"], "/exchange/v1/agreements"),
        (["consent", "list"], "/exchange/v1/consents"),
        (["mandate", "list"], "/exchange/v1/mandates"),
        (["machine", "list"], "/exchange/v1/machines"),
        (["log", "list"], "/exchange/v1/log"),
        (["dataspace", "nodes"], "/exchange/v1/nodes"),
    ],
)
def test_a_list_without_items_is_told_in_a_sentence(
    command: list[str], path: str, width: int, answering: Answering, monkeypatch: pytest.MonkeyPatch
) -> None:
    answering.on("GET", path, {"items": [], "next": None})
    monkeypatch.setattr(out, "width", width)
    told = " ".join(CliRunner().invoke(app, command).stdout.split())
    assert told == "there is nothing in this list"
    as_json = CliRunner().invoke(app, [*command, "--json"]).stdout
    assert json.loads(as_json)["items"] == []
