"""The log and lineage as people see them: each its own part, the whole verifiable, grounds that fell away."""

from __future__ import annotations

import asyncio
import sqlite3
import time
from collections.abc import Iterable, Iterator, Sequence
from contextlib import closing
from pathlib import Path
from types import SimpleNamespace
from typing import Any, cast
from unittest.mock import Mock

import msgspec
import pytest
import sqlalchemy as sa

from dmi_agreements.contracts.envelope import encode
from dmi_agreements.contracts.law import Dataset, Mandate, Usage
from dmi_agreements.contracts.record import GOES_ON, DecisionRecord, RecordBatch
from dmi_agreements.contracts.results import Grounds, Lineage
from dmi_agreements.merkle import EMPTY
from dmi_agreements.policy.situation import Use
from dmi_exchange import store
from dmi_exchange.consumer import TOPICS
from dmi_exchange.counting import usage_id
from dmi_exchange.logbook import entries as logged
from dmi_exchange.logbook import verifier
from dmi_exchange.logbook.check import Verification, check
from dmi_exchange.logbook.tree import Tree
from dmi_exchange.logbook.verifier import Verifier
from dmi_exchange.model import may_own
from dmi_exchange.proving import UsesBefore
from dmi_infra import clock
from dmi_infra.jose import SigningKey
from dmi_infra.lanes import Asker
from tests.unit.exchange.fakes import LIVING, OFFICER, OPERATING, SELLING, Node, Who, furnish, running
from tests.unit.infra.fakes import (
    BICYCLES,
    GARAGES,
    MOBILITY,
    NOOR,
    NOW,
    OWNER,
    VENDOR,
    document,
    eventually,
    message,
    until,
)


def decision(number: int, assignee: str = VENDOR, dataset: str = GARAGES, **more: Any) -> DecisionRecord:
    return DecisionRecord(
        f"d{number}", NOW + number, "platform", "query", assignee, "dmi:read", dataset, "p", True, ["x"], **more
    )  # fmt: skip


def result(name: str, **grounds: Any) -> Lineage:
    return Lineage(name, "forecast", name, NOW, Grounds(**grounds), ["mean"], "test 1.0")


def report(node: Node, *decisions: DecisionRecord, lineage: tuple[Lineage, ...] = ()) -> None:
    node.bus.publish(TOPICS[0], [message(encode(RecordBatch("platform", list(decisions), list(lineage))))])
    end = len(node.bus.topics[TOPICS[0]])
    eventually(lambda: node.store.positions().get((TOPICS[0], 0)) == end)


@pytest.fixture
def node(tmp_path: Path) -> Iterator[Node]:
    with running(tmp_path) as made:
        furnish(made)
        yield made


def signed(node: Node, size: int) -> dict[str, Any]:
    """The newest head, once it covers so many entries; more than these is an entry nobody counted on."""
    found: dict[str, Any] = {}

    def covered() -> bool:
        answer = node.ask("GET", "/v1/log/head")
        found.update(answer.json())
        if answer.status_code != 200:
            return False
        assert found["tree_size"] <= size, f"the head covers {found['tree_size']} entries, not {size}"
        return bool(found["tree_size"] == size)

    eventually(covered)
    return found


def seen(node: Node, who: Who, query: str = "") -> list[str]:
    return [item["id"] for item in node.get(f"/v1/log{query}", who)["items"]]


def test_the_use_of_data_is_summed_up_for_whom_it_concerns(node: Node) -> None:
    now = clock.now()
    report(
        node,
        msgspec.structs.replace(decision(1, rows=3), at=now),
        msgspec.structs.replace(decision(2), at=now + 1),
        msgspec.structs.replace(decision(12, rows=4), at=now + 1, reasons=["given: 4 rows"]),
        msgspec.structs.replace(decision(22, rows=9), at=now + 1, reasons=["delivered: 9 rows of 1 persons"]),
        msgspec.structs.replace(decision(3), at=now + 2, reasons=["ended"], allowed=False),
        msgspec.structs.replace(decision(4), at=now - 30 * 3_600_000_000),
        msgspec.structs.replace(decision(5, OWNER, BICYCLES), at=now + 3),
    )
    [own] = node.get("/v1/log/usage", SELLING)["items"]
    assert (own["dataset"], own["allowed"], own["refused"], own["rows"]) == (GARAGES, 2, 1, 7)
    assert (own["last_allowed"], own["last_reasons"]) == (clock.to_text(now + 1), ["ended"])
    assert node.get("/v1/log/usage?hours=48", SELLING)["items"][0]["allowed"] == 3
    text = document(OWNER, VENDOR, GARAGES, ["dmi:read"])
    node.propose(text)
    under = [text["uid"], "urn:uuid:of-others"]
    report(
        node,
        *(
            msgspec.structs.replace(decision(n), at=now + n, rows=5, agreements=under, allowed=n < 8)
            for n in (6, 7, 8)
        ),
        msgspec.structs.replace(
            decision(13, rows=1), at=now + 7, agreements=under, reasons=["given: 1 rows"]
        ),
    )
    [used] = node.get("/v1/log/usage/agreements", SELLING)["items"]
    assert used == {"agreement": text["uid"], "times": 2, "rows": 11, "last": clock.to_text(now + 7)}
    assert node.get("/v1/log/usage/agreements", LIVING)["items"] == []
    everything = node.get("/v1/log/usage", OPERATING)
    assert {one["dataset"] for one in everything["items"]} == {GARAGES, BICYCLES}
    assert everything["complete"]
    assert node.get(f"/v1/log/usage?dataset={BICYCLES}", OFFICER)["items"][0]["assignee"] == OWNER


def test_the_log_is_read_back_from_its_newest_entry_and_by_outcome(node: Node) -> None:
    refused = {"allowed": False, "reasons": ["ended"]}
    report(
        node, *(msgspec.structs.replace(decision(n), **(refused if n % 3 == 0 else {})) for n in range(1, 8))
    )
    page = node.get("/v1/log?newest=true&limit=3", OPERATING)
    assert [one["id"] for one in page["items"]] == ["d7", "d6", "d5"]
    assert seen(node, OPERATING, f"?newest=true&limit=9&before={page['next']}") == ["d4", "d3", "d2", "d1"]
    assert seen(node, OPERATING, "?newest=true&outcome=refused") == ["d6", "d3"]
    first = node.get("/v1/log?newest=true&outcome=allowed&limit=2", OPERATING)
    assert [one["id"] for one in first["items"]] == ["d7", "d5"]
    rest = node.get(f"/v1/log?newest=true&outcome=allowed&before={first['next']}", OPERATING)
    assert ([one["id"] for one in rest["items"]], rest["next"]) == (["d4", "d2", "d1"], None)
    assert seen(node, OPERATING, "?outcome=refused") == ["d3", "d6"]


def test_each_sees_its_own_part_and_the_operator_all(node: Node) -> None:
    stranger = "urn:dmi:dataset:sensorbedrijf:own"
    node.publish(stranger, SELLING)
    report(node, decision(1), decision(2, OWNER), decision(3, OWNER, BICYCLES, subjects=[NOOR], rows=4))
    report(
        node, decision(4, "urn:dmi:participant:x", stranger), decision(5, VENDOR, "urn:dmi:dataset:none:none")
    )
    assert seen(node, OPERATING) == ["d1", "d2", "d3", "d4", "d5"]
    assert seen(node, OFFICER) == ["d1", "d2", "d3"]
    assert seen(node, SELLING) == ["d1", "d4", "d5"]
    assert seen(node, LIVING) == ["d3"]
    assert seen(node, OFFICER, f"?dataset={BICYCLES}") == ["d3"]
    assert seen(node, LIVING, f"?dataset={GARAGES}") == []


def test_the_log_counts_persons_and_names_none(node: Node) -> None:
    report(node, decision(1, VENDOR, BICYCLES, subjects=[NOOR, "urn:dmi:person:piet"], rows=9))
    answer = node.ask("GET", "/v1/log", SELLING)
    (item,) = answer.json()["items"]
    assert (item["persons"], item["rows"]) == (2, 9)
    assert "urn:dmi:person" not in answer.text


def test_the_log_is_read_page_by_page_in_both_directions(node: Node) -> None:
    report(node, *(decision(n) for n in range(1, 8)))
    pages, cursor = [], "0"
    while cursor is not None:
        page = node.get(f"/v1/log?limit=3&after={cursor}", OPERATING)
        pages.append([item["sequence"] for item in page["items"]])
        cursor = page["next"]
    assert pages == [[1, 2, 3], [4, 5, 6], [7]]
    newest = node.get("/v1/log?limit=2&newest=true", OPERATING)["items"]
    assert [item["sequence"] for item in newest] == [7, 6]
    for query in ("after=-1", "limit=0", "limit=1001", f"after={2**63}", "after=x"):
        node.refused(node.ask("GET", f"/v1/log?{query}", OFFICER), 400, "invalid-input")


def test_an_empty_log_is_whole(node: Node) -> None:
    assert signed(node, 0)["root_hash"] == EMPTY.hex()
    assert node.get("/v1/log/verify")["ok"]


def test_verification_finds_what_was_done_to_the_log_and_to_its_heads(
    node: Node, monkeypatch: pytest.MonkeyPatch
) -> None:
    # On a busy machine a check of six entries may be a long one, whose answer holds for a while.
    monkeypatch.setattr(verifier, "SHARE", 0)
    report(node, *(decision(n) for n in range(1, 6)))
    noted = signed(node, 5)
    query = f"/v1/log/verify?tree_size={noted['tree_size']}&root_hash={noted['root_hash']}"
    report(node, decision(6))
    assert node.get(query)["ok"]
    signed(node, 6)
    with closing(sqlite3.connect(node.settings.data_dir / "exchange.db")) as raw, raw:
        raw.execute("DELETE FROM log WHERE sequence > 4")
    found = node.get("/v1/log/verify")
    assert (found["ok"], found["broken_at"], found["count"]) == (False, 5, 4)
    with closing(sqlite3.connect(node.settings.data_dir / "exchange.db")) as raw, raw:
        raw.execute("UPDATE log_end SET sequence = 4")
        raw.execute("DELETE FROM log_tree_head")
    assert node.get("/v1/log/verify")["ok"]
    found = node.get(query)
    assert (found["ok"], found["broken_at"]) == (False, 5)
    for wrong in (
        "tree_size=1",
        f"root_hash={'0' * 64}",
        "tree_size=1&root_hash=x",
        "tree_size=0&root_hash=0",
    ):
        node.refused(node.ask("GET", f"/v1/log/verify?{wrong}", OFFICER), 400, "invalid-input")


def test_an_unreadable_record_is_passed_over_and_the_next_is_kept(node: Node) -> None:
    node.bus.publish(TOPICS[0], [message(b"not json")])
    report(node, decision(1))
    assert seen(node, OPERATING) == ["d1"]


def test_a_long_check_of_the_log_is_made_once_for_all_who_ask_and_holds_what_each_noted(
    node: Node, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Each check reads the whole log: anybody could keep the node busy with nothing else."""
    report(node, *(decision(n) for n in range(1, 6)))
    noted = signed(node, 5)
    monkeypatch.setattr(verifier, "BRIEF_SECONDS", -1.0)
    monkeypatch.setattr(verifier, "SHARE", 100_000)
    made: list[Verification] = []

    def counted(*given: Any) -> Verification:
        made.append(check(*given))
        return made[-1]

    monkeypatch.setattr(verifier, "check", counted)
    whole = node.get("/v1/log/verify")
    query = f"/v1/log/verify?tree_size=5&root_hash={noted['root_hash']}"
    assert [node.get(path) for path in ("/v1/log/verify", query)] == [whole, whole]
    other = node.get(f"/v1/log/verify?tree_size=5&root_hash={'0' * 64}")
    assert (other["ok"], other["broken_at"], other["root_hash"]) == (False, 5, noted["root_hash"])
    missing = node.get(f"/v1/log/verify?tree_size=9&root_hash={'0' * 64}")
    assert (missing["ok"], missing["broken_at"]) == (False, 6)
    assert len(made) == 1


def test_what_somebody_noted_wrongly_is_not_told_to_others_and_one_check_is_made_at_a_time(
    node: Node, monkeypatch: pytest.MonkeyPatch
) -> None:
    report(node, *(decision(n) for n in range(1, 6)))
    signed(node, 5)
    monkeypatch.setattr(verifier, "BRIEF_SECONDS", -1.0)
    assert not node.get(f"/v1/log/verify?tree_size=5&root_hash={'0' * 64}")["ok"]
    assert node.get("/v1/log/verify")["ok"]
    exchange = node.service.app.state.exchange
    busy = Verifier(exchange.store.log, Tree(exchange.store._engine, "x", SigningKey.generate()))
    together: list[int] = []
    most: list[int] = []

    def watched(*given: Any) -> Verification:
        together.append(1)
        most.append(len(together))
        try:
            return check(*given)
        finally:
            together.pop()

    monkeypatch.setattr(verifier, "SHARE", 0)
    monkeypatch.setattr(verifier, "check", watched)

    async def asked() -> list[Verification]:
        return await asyncio.gather(*(busy.verify(Asker.by_nothing(f"urn:member:{n}")) for n in range(8)))

    assert [each.ok for each in asyncio.run(asked())] == [True] * 8
    assert most == [1] * 8


def test_records_of_a_message_that_fails_are_kept_one_by_one_and_one_that_cannot_be_summed_up_too(
    node: Node, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What one of 500 decisions asks for must not take any of them from the log."""
    sum_up = store.sum_up

    def failing(connection: sa.Connection, decisions: Iterable[DecisionRecord]) -> Sequence[Usage]:
        found = list(decisions)
        if any(each.id == "d2" for each in found):
            raise ValueError("cannot be summed up")
        return sum_up(connection, found)

    monkeypatch.setattr(store, "sum_up", failing)
    key = ("urn:uuid:agreed", "/permission/0", VENDOR)
    lineage = (result("r/1", datasets=[GARAGES]),)
    report(node, *(decision(number, counted=[key]) for number in (1, 2, 3)), lineage=lineage)
    assert seen(node, OPERATING) == ["d1", "d2", "d3"]
    assert node.store.result("r/1") is not None
    found = node.store.usage(*key)
    assert found is not None
    assert found.counts == {"platform": 2}


def test_a_mandate_cannot_have_the_id_of_a_count_and_a_count_takes_its_place_back(node: Node) -> None:
    """One that was stored so before would else stop every batch that counts a use, and make the use free."""
    key = ("urn:uuid:agreed", "/permission/0", VENDOR)
    name = usage_id(*key)
    node.store.settle(Mandate, name, lambda _: Mandate(name, {"mandator": VENDOR}, "a..b", "active", 0))
    assert node.store.usage(*key) is None
    report(node, decision(1, counted=[key]), decision(2))
    assert seen(node, OPERATING) == ["d1", "d2"]
    found = node.store.usage(*key)
    assert found is not None
    assert found.counts == {"platform": 1}
    assert node.store.get(Mandate, name) is None
    assert name not in {one.id for one in node.store.find(Mandate, VENDOR)}


def test_lineage_shows_grounds_and_hides_who_consented(node: Node) -> None:
    text = document(OWNER, "urn:dmi:party:everyone", GARAGES, ["dmi:read"])
    node.propose(text)
    report(
        node,
        lineage=(result("r/1", datasets=[GARAGES], agreements=[text["uid"]]), result("r/2", results=["r/1"])),
    )
    shown = node.get("/v1/lineage/r/1", SELLING)
    assert (shown["withdrawn"], shown["code"], shown["transformations"]) == (False, "test 1.0", ["mean"])
    assert shown["grounds"]["datasets"][0]["owner"] == OWNER
    assert shown["grounds"]["agreements"][0]["state"] == "active"
    dependents = node.get(f"/v1/lineage/{text['uid']}/dependents")["items"]
    assert {item["result"] for item in dependents} == {"r/1", "r/2"}
    node.post(f"/v1/agreements/{text['uid']}/end", {"reason": ""})
    assert node.get("/v1/lineage/r/1")["withdrawn"]
    # Its ground lies one step further down.
    assert node.get("/v1/lineage/r/2")["withdrawn"]
    assert all(item["withdrawn"] for item in node.get(f"/v1/lineage/{GARAGES}/dependents")["items"])


def test_of_an_unknown_result_nothing_of_the_law_is_looked_up(
    node: Node, monkeypatch: pytest.MonkeyPatch
) -> None:
    def looked_up(*_: object) -> None:
        raise AssertionError("the law was asked for")

    monkeypatch.setattr("dmi_exchange.routes.log.Insight", looked_up)
    assert node.ask("GET", "/v1/lineage/nothing", SELLING).status_code == 404


def test_a_proposal_that_was_never_concluded_opens_no_lineage(node: Node) -> None:
    held = document(OWNER, "urn:dmi:participant:stack", GARAGES, ["dmi:read"])
    node.propose(held)
    before = result("r/1", datasets=[GARAGES], agreements=[held["uid"]])
    report(node, lineage=(msgspec.structs.replace(before, made_at=clock.now()),))
    wanted = document(OWNER, VENDOR, GARAGES, ["dmi:read"])
    node.propose(wanted, SELLING)
    node.refused(node.ask("GET", "/v1/lineage/r/1", SELLING), 404, "not-found")
    node.post(f"/v1/agreements/{wanted['uid']}/end", {"reason": ""}, SELLING)
    node.refused(node.ask("GET", "/v1/lineage/r/1", SELLING), 404, "not-found")
    later = document(OWNER, VENDOR, GARAGES, ["dmi:read"])
    node.propose(later)
    node.countersign(later, SELLING)
    node.post(f"/v1/agreements/{later['uid']}/end", {"reason": ""})
    assert node.get("/v1/lineage/r/1", SELLING)["result"] == "r/1", "who had an agreement goes on seeing it"
    made = msgspec.structs.replace(result("r/2", datasets=[GARAGES]), made_at=clock.now() + 1)
    report(node, lineage=(made,))
    node.refused(node.ask("GET", "/v1/lineage/r/2", SELLING), 404, "not-found")
    open_ = document(OWNER, "urn:dmi:party:everyone", GARAGES, ["dmi:read"])
    node.propose(open_)
    assert node.get("/v1/lineage/r/2", SELLING)["result"] == "r/2", "what is open to all is seen by all"


def test_a_stopped_agreement_and_the_one_concluded_after_it_each_tell_what_rests_on_them(node: Node) -> None:
    first, second = (document(OWNER, "urn:dmi:party:everyone", GARAGES, ["dmi:read"]) for _ in range(2))
    under = {"datasets": [GARAGES], "agreements": [first["uid"]]}
    node.propose(first)
    report(node, lineage=(result("forecast", **under), result("old", results=["forecast"], **under)))
    node.post(f"/v1/agreements/{first['uid']}/end", {"reason": ""})
    node.propose(second)
    under = {"datasets": [GARAGES], "agreements": [second["uid"]]}
    report(node, lineage=(result("forecast", **under), result("new", results=["forecast"], **under)))

    def resting(ground: str) -> dict[str, bool]:
        items = node.get(f"/v1/lineage/{ground}/dependents")["items"]
        return {item["result"]: item["withdrawn"] for item in items}

    assert resting(first["uid"]) == {"old": True}
    assert resting(second["uid"]) == {"forecast": False, "new": False}
    for agreement in (first["uid"], second["uid"]):
        for name in resting(agreement):
            grounds = node.get(f"/v1/lineage/{name}")["grounds"]
            assert [one["id"] for one in grounds["agreements"]] == [agreement]
    # What the measure of before rested on fell away; the end of the second is none of its concern.
    node.post(f"/v1/agreements/{second['uid']}/end", {"reason": ""})
    assert resting(first["uid"]) == {"old": True}
    assert resting(second["uid"]) == {"forecast": True, "new": True}


def test_the_end_of_a_right_that_a_result_made_anew_has_does_not_mark_what_was_made_before(
    node: Node,
) -> None:
    first, second = (document(OWNER, "urn:dmi:party:everyone", GARAGES, ["dmi:read"]) for _ in range(2))
    node.propose(first)
    node.propose(second)
    under = {"datasets": [GARAGES], "agreements": [first["uid"]]}
    report(node, lineage=(result("forecast", **under), result("old", results=["forecast"], **under)))
    report(node, lineage=(result("forecast", datasets=[GARAGES], agreements=[second["uid"]]),))
    node.post(f"/v1/agreements/{second['uid']}/end", {"reason": ""})
    assert node.get("/v1/lineage/forecast")["withdrawn"]
    assert not node.get("/v1/lineage/old")["withdrawn"]


def test_a_withdrawn_consent_or_dataset_withdraws_the_ground(node: Node) -> None:
    test = {"leftOperand": "recipient", "operator": "isAnyOf", "rightOperand": [VENDOR]}
    text = document(NOOR, "urn:dmi:party:everyone", BICYCLES, ["dmi:read"], constraints=[test])
    node.propose(text, LIVING)
    rests = result("r1", datasets=[BICYCLES], consents=[text["uid"]])
    report(node, lineage=(rests, result("r2", datasets=[GARAGES])))
    for who, counted in ((OFFICER, None), (LIVING, {"active": 1, "withdrawn": 0})):
        answer = node.ask("GET", "/v1/lineage/r1", who)
        assert answer.json()["grounds"].get("consents") == counted
        assert text["uid"] not in answer.text
        assert NOOR not in answer.text
    node.post(f"/v1/consents/{text['uid']}/withdraw", {}, LIVING)
    assert "consents" not in node.get("/v1/lineage/r1")["grounds"]
    assert node.get("/v1/lineage/r1", LIVING)["grounds"]["consents"] == {"active": 0, "withdrawn": 1}
    assert node.get("/v1/lineage/r1")["withdrawn"]
    assert not node.get("/v1/lineage/r2")["withdrawn"]
    entry = node.store.get(Dataset, GARAGES)
    assert entry is not None
    node.store.settle(Dataset, GARAGES, lambda _known: msgspec.structs.replace(entry, withdrawn=True))
    assert node.get("/v1/lineage/r2")["withdrawn"]


def test_an_unknown_result_is_not_found_and_has_no_dependents(node: Node) -> None:
    node.refused(node.ask("GET", "/v1/lineage/nothing", OFFICER), 404, "not-found")
    assert node.get("/v1/lineage/nothing/dependents")["items"] == []


def test_the_heartbeat_stops_while_a_revocation_waits(node: Node, monkeypatch: pytest.MonkeyPatch) -> None:
    relay = node.service.app.state.exchange._relay
    monkeypatch.setattr(relay, "drain", lambda: 0)
    relay._well_at = time.monotonic() - 60
    told = node.bus.topics["dmi.agreements.v1"]

    def silent() -> bool:
        before = len(told)
        time.sleep(1.5)
        return len(told) == before

    # A batch under way when the relay was held counts as well for some seconds; then no beat follows.
    assert any(silent() for _again in range(6))


@pytest.mark.parametrize(
    ("participant", "dataset", "may"),
    [
        (OWNER, GARAGES, True), (VENDOR, GARAGES, False), (NOOR, "urn:dmi:dataset:noor:x", False),
        ("urn:dmi:participant:gem", GARAGES, False), ("gemeente", GARAGES, False),
    ],
)  # fmt: skip
def test_a_dataset_lies_in_the_name_space_of_its_owner(participant: str, dataset: str, may: bool) -> None:
    assert may_own(participant, dataset) == may


def test_counted_uses_become_part_of_the_law_once_each(node: Node) -> None:
    key = ("urn:uuid:agreed", "/permission/0", VENDOR)
    used = [decision(number, counted=[key]) for number in (1, 2)]
    refused = msgspec.structs.replace(decision(3, counted=[key]), allowed=False)
    report(node, *used, refused)
    uses = node.service.runtime.law.table.uses
    eventually(lambda: uses.of(key).count == 2)
    report(node, used[1], decision(4, counted=[key]), decision(5))
    eventually(lambda: uses.of(key).count == 3)
    assert uses.of(key).first == NOW + 1
    (usage,) = (event for event in node.store.whole_law() if isinstance(event, Usage))
    assert (usage.counts, usage.assignee) == ({"platform": 3}, VENDOR)


def test_a_decision_is_proven_to_whom_it_concerns(node: Node) -> None:
    text = document(OWNER, VENDOR, GARAGES, ["dmi:read"])
    node.propose(text)
    node.countersign(text, SELLING)
    eventually(lambda: [one["action"] for one in node.get("/v1/log", SELLING)["items"]] == ["dmi:conclude"])
    report(node, decision(1, agreements=[text["uid"]]), decision(2, assignee=OWNER))
    node.refused(node.ask("GET", "/v1/log/1/explanation", SELLING), 404, "not-found")
    (item,) = node.get("/v1/log/2/explanation", SELLING)["items"]
    assert (item["agreement"], item["state"]) == (text["uid"], "active")
    assert item["verdict"] == "undecided", "the record's purpose is none of the rulebook"
    assert "Nee" in item["told"]["nl"][0]
    node.refused(node.ask("GET", "/v1/log/3/explanation", SELLING), 404, "not-found")
    node.refused(node.ask("GET", "/v1/log/9/explanation", OFFICER), 404, "not-found")


def test_a_person_reads_by_which_consent_of_its_own_its_data_was_given_in_names_and_nobody_elses(
    node: Node,
) -> None:
    days = {"leftOperand": "dmi:days", "operator": "eq", "rightOperand": 30, "unit": "d"}
    delete = {"action": "dmi:deleteAfter", "constraint": [days]}
    text = document(OWNER, VENDOR, BICYCLES, ["dmi:read"], duties=[delete], constraints=[until(300)])
    text["dmi:legalBasis"] = "dmi:basis:consent"
    node.propose(text)
    node.countersign(text, SELLING)
    test = {"leftOperand": "recipient", "operator": "isAnyOf", "rightOperand": [VENDOR]}
    consent = document(NOOR, "urn:dmi:party:everyone", BICYCLES, ["dmi:read"], constraints=[test])
    node.propose(consent, LIVING)
    test = {**test, "rightOperand": [OWNER]}
    other = document(NOOR, "urn:dmi:party:everyone", BICYCLES, ["dmi:read"], constraints=[test])
    node.propose(other, LIVING)
    given = msgspec.structs.replace(
        decision(1, VENDOR, BICYCLES, subjects=[NOOR], agreements=[text["uid"]]),
        at=clock.now(), purpose=MOBILITY, reasons=["delivered: 1 rows of 1 persons under their consent"],
    )  # fmt: skip
    report(node, given, decision(2, VENDOR, BICYCLES))
    number = (node.store.log.end() or 0) - 1
    path = f"/v1/log/{number}/explanation"
    (item,) = node.get(path, LIVING)["items"]
    assert (item["agreement"], item["verdict"]) == (consent["uid"], "permit")
    for language in ("nl", "en"):
        lines = "\n".join(item["told"][language])
        purpose = node.service.app.state.exchange.rulebook.label(MOBILITY, language).lower()
        assert purpose in lines
        assert [name for name in (BICYCLES, NOOR, "urn:dmi:purpose", "urn:dmi:party") if name in lines] == []
    assert [one["agreement"] for one in node.get(path, SELLING)["items"]] == [text["uid"]]
    node.refused(node.ask("GET", f"/v1/log/{number + 1}/explanation", LIVING), 404, "not-found")
    node.post(f"/v1/consents/{consent['uid']}/withdraw", {}, LIVING)
    assert [one["state"] for one in node.get(path, LIVING)["items"]] == ["ended"]


def test_a_use_that_was_allowed_is_explained_by_the_uses_before_it(node: Node) -> None:
    once = {"leftOperand": "count", "operator": "lteq", "rightOperand": 1}
    text = document(OWNER, VENDOR, GARAGES, ["dmi:read"], constraints=[once])
    node.propose(text)
    node.countersign(text, SELLING)
    eventually(lambda: [one["action"] for one in node.get("/v1/log", SELLING)["items"]] == ["dmi:conclude"])
    key = (text["uid"], "/permission/0", VENDOR)
    before = node.store.log.end() or 0
    asked = {"agreements": [text["uid"]], "purpose": MOBILITY}
    goes_on = f"{GOES_ON}: a use that is in the log goes on"

    def asks(number: int, **more: Any) -> DecisionRecord:
        return msgspec.structs.replace(decision(number), **asked, at=clock.now(), **more)

    report(
        node,
        asks(11, counted=[key]),
        asks(12, reasons=[goes_on]),
        asks(13, allowed=False),
        asks(14, reasons=[goes_on]),
        decision(15, counted=[("urn:uuid:another", "/permission/0", VENDOR)]),
    )

    def verdict(sequence: int) -> str:
        (item,) = node.get(f"/v1/log/{before + sequence}/explanation", SELLING)["items"]
        return str(item["verdict"])

    assert [verdict(number) for number in (1, 2, 3, 4)] == ["permit", "permit", "undecided", "permit"]
    eventually(lambda: node.store.usage(*key) is not None)
    trial = {"action": "dmi:read", "dataset": GARAGES, "purpose": MOBILITY}
    assert node.post(f"/v1/agreements/{text['uid']}/trial", trial, SELLING)["verdict"] == "undecided"


def test_uses_of_who_has_more_entries_than_are_looked_through_are_not_known(
    node: Node, monkeypatch: pytest.MonkeyPatch
) -> None:
    key = ("urn:uuid:agreed", "/permission/0", NOOR)
    report(node, *(decision(number, assignee=NOOR, counted=[key]) for number in range(21, 24)))
    entries = node.store.log
    end = entries.end() or 0
    assert entries.counted(end, NOOR, 3) == {key[:2]: [NOW + 22, NOW + 21]}
    assert entries.counted(end + 1, VENDOR, 100) == {}
    entry = entries.one(end, None)
    assert entry is not None
    counts = Mock(wraps=entries.counted)
    with monkeypatch.context() as once:
        once.setattr(entries, "counted", counts)
        before = UsesBefore(cast(Any, SimpleNamespace(store=SimpleNamespace(log=entries))), entry)
        assert before.of(key[0]) == {key[1]: Use(2, NOW + 21, NOW + 22)}
        assert before.of("urn:uuid:another") == {}
    assert counts.call_count == 1, "for all agreements that a decision rests on"
    read: list[object] = []
    monkeypatch.setattr(logged, "_with_openings", lambda *of: read.append(of))
    assert entries.counted(end + 1, NOOR, 2) is None
    assert read == [], "they are counted before any is read"
