"""What an outsider keeps of the log and checks alone; the log in the forms of standards; erasure."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import msgspec
import pytest

from dmi_agreements.evidence import Examination, examine, read
from dmi_exchange.logbook import tree
from dmi_infra import jose
from dmi_infra.identity import EXCHANGE_PARTICIPANT
from dmi_infra.sql import answering
from tests.unit.exchange.fakes import LIVING, OFFICER, OPERATING, SELLING, Node, Who, furnish, running
from tests.unit.exchange.test_log import decision, report, signed
from tests.unit.infra.fakes import BICYCLES, GARAGES, NOOR, OWNER, STACK, VENDOR, document, eventually

PIET = "urn:dmi:person:piet"


@pytest.fixture
def node(tmp_path: Path) -> Iterator[Node]:
    with running(tmp_path) as made:
        furnish(made)
        yield made


def kept(node: Node, who: Who, query: str = "") -> dict[str, Any]:
    found: dict[str, Any] = node.get(f"/v1/log/evidence{query}", who)
    return found


def examined(*documents: dict[str, Any], keys: list[dict[str, Any]] | None = None) -> Examination:
    read_again = [read(json.dumps(each).encode()) for each in documents]
    trusted = read_again[0].keys if keys is None else keys
    return examine(read_again, trusted, jose.verify_document)


def test_each_keeps_its_own_entries_with_proof_and_checks_them_alone(node: Node) -> None:
    report(node, *(decision(n) for n in range(1, 4)), decision(4, "urn:dmi:participant:x", "urn:x"))
    signed(node, 4)
    early = kept(node, SELLING)
    report(node, *(decision(n) for n in range(5, 9)))
    signed(node, 8)
    late = kept(node, SELLING, "?since=4&after=3")
    found = examined(early, late)
    assert found.faults == []
    assert (found.heads, sorted(found.records)) == (2, [1, 2, 3, 5, 6, 7, 8])
    assert found.records[8].id == "d8"
    assert (found.newest and found.newest.tree_size) == 8
    assert late["next"] is None
    assert kept(node, SELLING, "?limit=2")["next"] == "2"
    one = node.get("/v1/log/entries/2/proof?tree_size=4", SELLING)
    assert one["path"] == early["entries"][1]["path"]
    node.refused(node.ask("GET", "/v1/log/entries/4/proof", SELLING), 404, "not-found")
    assert node.get("/v1/log/entries/4/proof", OPERATING)["sequence"] == 4


def test_what_happened_under_an_agreement_is_proven_from_its_signatures_to_its_end(node: Node) -> None:
    text = document(OWNER, VENDOR, GARAGES, ["dmi:read"])
    node.propose(text)
    node.countersign(text, SELLING)
    signed(node, 1)
    uid = text["uid"]
    refusal = msgspec.structs.replace(decision(3, agreements=[uid]), allowed=False)
    told = (
        msgspec.structs.replace(decision(n, agreements=[uid], rows=n), reasons=[reason])
        for n, reason in (
            (4, "given: 4 rows"),
            (6, "delivered: 6 rows of 2 persons"),
            (8, f"delivered: 8 rows given to {VENDOR}"),
            (0, "goes_on: a use that was counted before goes on"),
            (9, "given: 9 rows again"),
        )
    )
    report(node, decision(1, agreements=[uid], rows=5), decision(2), refusal, *told)
    node.post(f"/v1/agreements/{uid}/end", {"reason": "x"})
    signed(node, 10)
    first = kept(node, SELLING, f"?agreement={uid}&limit=2")
    assert first["next"] == "2"
    rest = kept(node, SELLING, f"?agreement={uid}&after=2")
    whole = {**rest, "entries": [*first["entries"], *rest["entries"]]}
    found = examined(whole)
    assert (found.faults, sorted(found.records)) == ([], [1, 2, 4, 5, 6, 7, 8, 9, 10])
    course = found.courses[uid]
    assert (course.concluded, course.stopped, course.stopped_by) == (1, 10, OWNER)
    assert (course.uses, course.rows, course.refused) == (1, 26, 1), "rows of the use, and those given later"
    assert (course.again, course.crossings) == (9, {"query": 26})
    assert set(course.signed) == {OWNER, VENDOR}
    # Neither what follows from a use, nor one that goes on, is another one.
    (used,) = node.get("/v1/log/usage/agreements", SELLING)["items"]
    assert used["times"] == 1
    assert len(node.get("/v1/log/authorization-decisions", SELLING)["items"]) == 4
    node.refused(node.ask("GET", f"/v1/log/evidence?agreement={uid}x", SELLING), 404, "not-found")

    (bond,) = whole["agreements"]
    other = {**bond, "document": {**bond["document"], "dmi:legalBasis": "dmi:basis:contract"}}
    faults = examined({**whole, "agreements": [other]}).faults
    assert [fault.partition(": ")[0] for fault in faults] == [
        f"{uid} is not signed by {name}" for name in (OWNER, VENDOR)
    ]
    # The same text signed again is not what was concluded.
    again = {**bond, "signatures": {**bond["signatures"], VENDOR: bond["signatures"][OWNER]}}
    assert (
        f"entry 1 concludes {uid} under other signatures" in examined({**whole, "agreements": [again]}).faults
    )


def test_a_page_is_proven_in_one_reading_which_reads_each_span_of_the_tree_once(
    node: Node, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Each of 500 paths worked out from nothing took a connection for seconds, and 20 such requests took them all."""
    monkeypatch.setattr(tree, "WIDTH", 2)
    monkeypatch.setattr(tree, "SPAN", 4)
    report(node, *(decision(n) for n in range(1, 23)))
    signed(node, 22)
    spans: list[tuple[int, int]] = []
    readings: list[object] = []
    rows, reading = tree._rows, tree.reading

    def read(connection: Any, stratum: int, start: int, count: int) -> Any:
        if answering.get():
            spans.append((stratum, start))
        return rows(connection, stratum, start, count)

    def opened(engine: Any) -> Any:
        if answering.get():
            readings.append(engine)
        return reading(engine)

    monkeypatch.setattr(tree, "_rows", read)
    monkeypatch.setattr(tree, "reading", opened)
    page = kept(node, SELLING, "?limit=500")
    monkeypatch.undo()
    found = examined(page)
    assert (found.faults, sorted(found.records)) == ([], list(range(1, 23)))
    assert sorted(spans) == [*((0, start) for start in range(0, 22, 4)), (1, 0), (1, 4), (2, 0)]
    assert len(readings) == 2, "the head, and all paths"


def test_heads_and_what_links_them_are_for_everyone(node: Node) -> None:
    report(node, *(decision(n) for n in range(1, 8)))
    head = signed(node, 7)
    assert set(head) == {"log", "tree_size", "root_hash", "timestamp", "signature"}
    assert head["log"].endswith("/exchange/v1/log")
    answer = node.ask("GET", "/v1/log/consistency?first=3")
    assert (answer.status_code, answer.json()["second"]) == (200, 7)
    for wrong in ("first=8", "first=0", "first=1&second=8", "first=3&second=2", "first=x", ""):
        node.refused(node.ask("GET", f"/v1/log/consistency?{wrong}"), 400, "invalid-input")
    for path in (
        "entries/3/proof?tree_size=2",
        "entries/3/proof?tree_size=8",
        "evidence?since=8",
        "evidence?limit=501",
    ):
        node.refused(node.ask("GET", f"/v1/log/{path}", OFFICER), 400, "invalid-input")


def _entry(document: dict[str, Any], **changes: Any) -> None:
    document["entries"][0] |= changes


def _head(document: dict[str, Any], **changes: Any) -> None:
    document["head"] |= changes


FORGED: dict[str, tuple[Callable[[dict[str, Any]], None], str]] = {
    "content": (lambda d: _entry(d, leaf=d["entries"][0]["leaf"].replace("d1", "d9")), "is not in the tree"),
    "number": (lambda d: _entry(d, sequence=2), "is not in the tree"),
    "path": (lambda d: _entry(d, path=[]), "is not in the tree"),
    "leaf": (lambda d: _entry(d, leaf="x"), "cannot be read"),
    "opening": (lambda d: _entry(d, openings=[{"salt": "00" * 16, "value": PIET}]), "is said to be sealed"),
    "short salt": (lambda d: _entry(d, openings=[{"salt": "00", "value": PIET}]), "is said to be sealed"),
    "root": (lambda d: _head(d, root_hash="0" * 64), "not signed by a trusted key"),
    "time": (lambda d: _head(d, timestamp="2020-01-01T00:00:00Z"), "not signed by a trusted key"),
    "log": (lambda d: _head(d, log="https://other.example"), "is another log"),
    "link": (lambda d: d.update(consistency=[{"first": 3, "second": 6, "path": []}]), "was rewritten"),
    "no link": (lambda d: d.update(consistency=[]), "a file saved with --earlier would"),
    "unreadable link": (
        lambda d: d.update(consistency=[{"first": 3, "second": 6, "path": ["x"]}]), "cannot be read"
    ),
}  # fmt: skip


def test_whatever_is_changed_in_what_was_kept_is_found(node: Node) -> None:
    report(node, *(decision(n) for n in range(1, 4)))
    signed(node, 3)
    early = kept(node, SELLING)
    report(node, *(decision(n) for n in range(4, 7)))
    signed(node, 6)
    late = kept(node, SELLING, "?since=3")
    assert examined(early, late).faults == []
    for name, (forge, fault) in FORGED.items():
        forged = json.loads(json.dumps(late))
        forge(forged)
        faults = examined(early, forged).faults
        assert any(fault in each for each in faults), (name, faults)
    stranger = jose.SigningKey.generate().public
    assert len(examined(early, late, keys=[stranger]).faults) == 2
    with pytest.raises(ValueError, match="not evidence"):
        read(b"{}")


def test_a_node_that_shows_two_logs_is_found(node: Node) -> None:
    report(node, decision(1))
    signed(node, 1)
    mine = kept(node, SELLING)
    theirs = json.loads(json.dumps(mine))
    theirs["head"]["root_hash"] = "0" * 64
    assert any("there are two logs" in fault for fault in examined(mine, theirs).faults)


def test_a_data_subject_proves_its_own_part_and_nobody_sees_another(node: Node) -> None:
    report(node, decision(1, VENDOR, BICYCLES, subjects=[NOOR, PIET], rows=4))
    signed(node, 1)
    found = examined(kept(node, LIVING))
    assert found.faults == []
    assert NOOR in found.records[1].subjects
    assert PIET not in found.records[1].subjects
    for who in (OFFICER, SELLING, OPERATING):
        answer = node.ask("GET", "/v1/log/evidence", who)
        assert "urn:dmi:person" not in answer.text
        assert examined(answer.json()).faults == []


def test_an_erased_person_is_gone_and_the_proofs_hold(node: Node) -> None:
    report(node, decision(1, VENDOR, BICYCLES, subjects=[NOOR, PIET]), decision(2, NOOR, BICYCLES))
    signed(node, 2)
    before = kept(node, OFFICER)
    node.refused(node.ask("POST", "/v1/log/erasure", SELLING, json={"person": NOOR}), 403, "wrong-role")
    node.refused(
        node.ask("POST", "/v1/log/erasure", OPERATING, json={"person": VENDOR}), 400, "invalid-input"
    )
    assert node.post("/v1/log/erasure", {"person": NOOR}, LIVING) == {"person": NOOR, "entries": 2}
    assert node.get("/v1/log", LIVING)["items"] == []
    [first, second] = node.get("/v1/log", OFFICER)["items"]
    assert (first["persons"], second["assignee"]) == (2, None)
    assert node.get("/v1/log/verify")["ok"]
    signed(node, 3)  # the act of erasing has an entry too, which comes when it comes
    report(node, decision(3))
    signed(node, 4)
    after = kept(node, OFFICER, "?since=2")
    assert NOOR not in json.dumps(after)
    assert examined(before, after).faults == []


def test_who_else_erased_a_person_from_the_log_stands_there_for_the_person(node: Node) -> None:
    child, mother = "urn:dmi:person:kind", Who("urn:dmi:person:moeder", ("dmi:role:resident",))
    node.admit(mother.participant, *mother.roles)
    body = {"id": child, "name": "Kind", "roles": ["dmi:role:resident"],
            "keys": [jose.SigningKey.generate().public], "representatives": [mother.participant],
            "of_age_on": "2035-05-01"}  # fmt: skip
    node.post("/v1/participants", body, OPERATING)
    own = Who(child, ("dmi:role:resident",))
    for number, (who, by) in enumerate(((mother, mother.participant), (OPERATING, STACK), (own, None)), 1):
        report(node, decision(100 + number, VENDOR, BICYCLES, subjects=[child]))
        assert node.post("/v1/log/erasure", {"person": child}, who)["entries"]

        def told() -> list[Any]:
            entries = node.get("/v1/log?limit=1000", OPERATING)["items"]
            return [one for one in entries if one["action"] == "dmi:log-erasure"]

        eventually(lambda number=number: len(told()) == number)  # type: ignore[misc]
        mine = [one["assignee"] for one in node.get("/v1/log", own)["items"]]
        assert mine == ([] if by is None else [by])
    assert told()[-1]["assignee"] == EXCHANGE_PARTICIPANT, "its own act names nobody"
    assert told()[1]["assignee"] == STACK, "who did it stays, also when the person was erased again"
    node.refused(node.ask("POST", "/v1/log/erasure", LIVING, json={"person": child}), 403, "wrong-role")


def test_decisions_stand_in_the_form_of_the_authorization_decision_log(node: Node) -> None:
    trace = f"00-{'a' * 32}-{'b' * 16}-01"
    report(
        node,
        msgspec.structs.replace(
            decision(1, trace=trace), agreements=["urn:uuid:1"], reasons=["allowed: by x"]
        ),
        msgspec.structs.replace(decision(2), allowed=False, reasons=["law_stale: the law is 9 s old"]),
        msgspec.structs.replace(decision(3), allowed=False, reasons=["no_agreement: none"]),
    )
    first, second, third = node.get("/v1/log/authorization-decisions", SELLING)["items"]
    assert (first["trace_id"], first["parent_span_id"]) == ("a" * 32, "b" * 16)
    assert first["span_id"] not in ("b" * 16, second["span_id"])
    assert (first["event_name"], first["timestamp"]) == ("adl.access_evaluation", decision(1).at // 1000)
    assert [each["status"] for each in (first, second, third)] == ["Unset", "Error", "Unset"]
    assert first["attributes"]["adl.core.policies"] == {"agreements": ["urn:uuid:1"]}
    asked, answered = first["body"]["adl.core.request"], first["body"]["adl.core.response"]
    assert asked["subject"] == {"type": "participant", "id": VENDOR}
    assert (asked["action"], asked["resource"]) == ({"name": "dmi:read"}, {"type": "dataset", "id": GARAGES})
    assert answered == {"decision": True, "context": {"reasons": [{"code": "allowed", "detail": "by x"}]}}
    assert "parent_span_id" not in second
    assert len(second["trace_id"]) == 32
    page = node.get("/v1/log/authorization-decisions?limit=1&after=1", SELLING)
    assert (page["items"], page["next"]) == ([second], "2")


def test_processing_of_personal_data_stands_in_the_form_of_the_logboek(node: Node) -> None:
    report(
        node,
        decision(1, VENDOR, BICYCLES, subjects=[NOOR, PIET]),
        decision(2),
        msgspec.structs.replace(decision(3, VENDOR, BICYCLES, subjects=[NOOR]), allowed=False),
    )

    def lines(who: Who) -> list[dict[str, str]]:
        items = node.get("/v1/log/processing-records", who)["items"]
        return [{each["key"]: each["value"] for each in item["attributes"]} for item in items]

    mine = lines(LIVING)
    assert [line["dpl.core.data_subject_id_type"] for line in mine] == ["urn:dmi:person", "urn:dmi:sealed"]
    assert mine[0]["dpl.core.data_subject_id"] == NOOR
    assert mine[0]["dpl.core.processing_activity_id"].endswith(f"/exchange/v1/datasets/{BICYCLES}")
    theirs = lines(OFFICER)
    assert len({line["dpl.core.data_subject_id"] for line in theirs}) == 2
    assert all(line["dpl.core.data_subject_id"].startswith("sealed:") for line in theirs)
    [one, _other] = node.get("/v1/log/processing-records", LIVING)["items"]
    wanted = {
        "trace_id",
        "span_id",
        "status_code",
        "name",
        "start_time",
        "end_time",
        "resource",
        "attributes",
    }
    assert wanted <= set(one)
