"""What the exchange's store must hold to, on SQLite and on PostgreSQL."""

from __future__ import annotations

import threading
import uuid
from collections.abc import Callable, Iterator
from contextlib import nullcontext
from pathlib import Path
from typing import Any

import msgspec
import pytest
import sqlalchemy as sa

from dmi_agreements.contracts.envelope import encode
from dmi_agreements.contracts.law import AgreementState, Correction, Dataset, Objection, Participant
from dmi_agreements.contracts.record import DecisionRecord, RecordBatch
from dmi_agreements.contracts.results import Grounds, Lineage
from dmi_agreements.decision import EVERYONE
from dmi_agreements.evidence import signature_reason
from dmi_agreements.policy.document import read_agreement
from dmi_agreements.policy.terms import AgreementTerms
from dmi_exchange.catalogue.model import OPEN
from dmi_exchange.notices.aliases import Aliases, is_alias
from dmi_exchange.notices.model import Notice, notice_id
from dmi_exchange.notices.store import Notices
from dmi_exchange.store import LARGEST, SIGNATURES, SIGNED, Store
from dmi_exchange.tables import ground as ground_links
from dmi_exchange.tables import law, log_party, outgoing
from dmi_infra.errors import InputRefused, NotFound
from dmi_infra.outbox import Relay
from dmi_infra.sql import migrate, open_engine, reading, transaction
from tests.unit.infra.fakes import FakeBus, document, rulebook

OWNER, VENDOR, NOOR = "urn:dmi:participant:gemeente", "urn:dmi:participant:vendor", "urn:dmi:person:noor"
GARAGES = "urn:dmi:dataset:gemeente:garages"
TOPIC = "dmi.decisions.v1"


@pytest.fixture(params=["sqlite", pytest.param("postgresql", marks=pytest.mark.postgres)])
def engine(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[sa.Engine]:
    """An empty store with the newest schema."""
    if request.param == "sqlite":
        found = open_engine(f"sqlite:///{tmp_path / 'exchange.db'}", "exchange")
    else:
        server = request.getfixturevalue("postgres_server")
        server.create_database("exchange_store")
        found = open_engine(server.url("exchange_store"), f"t{uuid.uuid4().hex[:8]}")
    migrate(found, "dmi_exchange")
    yield found
    found.dispose()


@pytest.fixture
def store(engine: sa.Engine) -> Store:
    return Store(engine)


def put(store: Store, item: Participant | Dataset | AgreementState) -> None:
    store.settle(type(item), item.id, lambda _known: item)


def agreement(
    state: str = "proposed", giver: str = OWNER, taker: str = VENDOR, number: int = 1
) -> AgreementState:
    return AgreementState(f"urn:uuid:{number}", {"assigner": giver, "assignee": taker}, state)


def decision(number: int, assignee: str = VENDOR, dataset: str = GARAGES, **more: Any) -> DecisionRecord:
    return DecisionRecord(
        f"d{number}", number, "platform", "query", assignee, "dmi:read", dataset, "p", True, ["x"], **more
    )


def result(name: str, at: int = 1, **grounds: Any) -> Lineage:
    return Lineage(name, "forecast", name, at, Grounds(**grounds))


def together(*actions: Callable[[], object]) -> list[object]:
    """What each action gave or raised, all begun at the same moment."""
    outcome: list[object] = [None] * len(actions)
    start = threading.Barrier(len(actions))

    def run(place: int) -> None:
        start.wait()
        try:
            outcome[place] = actions[place]()
        except Exception as exc:  # handed to the test, which says what it expects
            outcome[place] = exc

    threads = [threading.Thread(target=run, args=(n,)) for n in range(len(actions))]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return outcome


def test_an_object_is_found_by_its_kind_and_by_its_parties(store: Store) -> None:
    put(store, Participant(OWNER, "Gemeente", ["r"]))
    put(store, Dataset(GARAGES, OWNER, {"nl": "é🚀\0"}))
    put(store, agreement())
    assert store.get(Dataset, GARAGES) == Dataset(GARAGES, OWNER, {"nl": "é🚀\0"})
    assert store.get(Participant, GARAGES) is None
    assert [d.id for d in store.find(Dataset, OWNER)] == [GARAGES]
    for party in (OWNER, VENDOR):
        assert store.find(AgreementState, party) == [agreement()]
    assert store.find(AgreementState, NOOR) == []


def test_every_change_goes_to_the_law_topic_in_order_and_nothing_else(
    store: Store, engine: sa.Engine
) -> None:
    put(store, agreement())
    put(store, agreement("active"))

    def fails(_known: AgreementState | None) -> AgreementState:
        raise LookupError

    with pytest.raises(LookupError):
        store.settle(AgreementState, "urn:uuid:1", fails)
    ended = {"urn:uuid:1": lambda _known: agreement("ended"), "urn:uuid:2": fails}
    with pytest.raises(LookupError):
        store.settle_all(AgreementState, ended)
    assert store.find(AgreementState) == [agreement("active")]
    bus = FakeBus()
    relay = Relay(engine, outgoing, bus)
    assert [relay.drain(), relay.drain()] == [2, 0]
    states = [msgspec.json.decode(m.value)["state"] for m in bus.topics["dmi.agreements.v1"]]
    assert states == ["proposed", "active"]
    assert {m.key for m in bus.topics["dmi.agreements.v1"]} == {"urn:uuid:1"}


def test_an_agreement_is_told_to_the_log_when_it_holds_and_when_it_ends_and_a_consent_never(
    store: Store, engine: sa.Engine
) -> None:
    rule = {"permission": [{"target": [GARAGES], "action": ["dmi:read"]}]}
    for giver, number in ((OWNER, 1), (NOOR, 2)):
        for state in ("proposed", "active", "active", "ended"):
            one = agreement(state, giver, number=number)
            signed = msgspec.structs.replace(one, signatures={giver: "a..b"}, ended_by=VENDOR)
            put(store, msgspec.structs.replace(signed, document={**one.document, **rule}))
    bus = FakeBus()
    Relay(engine, outgoing, bus).drain()
    told = [d for m in bus.topics[TOPIC] for d in msgspec.json.decode(m.value, type=RecordBatch).decisions]
    assert [(one.action, one.agreements, one.dataset, one.assignee) for one in told] == [
        (action, ["urn:uuid:1"], GARAGES, VENDOR) for action in ("dmi:conclude", "dmi:end")
    ]
    assert told[0].reasons == [signature_reason(OWNER, "a..b")]
    assert told[1].reasons == [f"stopped: {VENDOR}"]


def test_of_many_that_create_the_same_id_one_does(store: Store) -> None:
    def create(name: str) -> Callable[[], object]:
        def decide(known: Participant | None) -> Participant:
            if known is not None:
                raise LookupError
            return Participant(OWNER, name, [])

        return lambda: store.settle(Participant, OWNER, decide)

    outcome = together(*(create(str(n)) for n in range(6)))
    (made,) = [item for item in outcome if isinstance(item, Participant)]
    assert sum(isinstance(item, LookupError) for item in outcome) == 5
    assert store.get(Participant, OWNER) == made


def test_changes_at_the_same_moment_see_one_another(store: Store) -> None:
    put(store, agreement())

    def sign(who: str) -> Callable[[], object]:
        def decide(known: AgreementState | None) -> AgreementState:
            assert known is not None
            return msgspec.structs.replace(known, signatures={**known.signatures, who: "jws"})

        return lambda: store.settle(AgreementState, "urn:uuid:1", decide)

    together(*(sign(str(n)) for n in range(6)))
    found = store.get(AgreementState, "urn:uuid:1")
    assert found is not None
    assert sorted(found.signatures) == list("012345")


def test_an_id_of_one_kind_is_not_taken_by_another(store: Store) -> None:
    put(store, Participant("urn:x", "x", []))
    with pytest.raises(InputRefused, match="another kind"):
        put(store, Dataset("urn:x", OWNER, {}))


def test_an_object_that_the_bus_could_not_carry_is_refused(store: Store) -> None:
    with pytest.raises(InputRefused, match="at most"):
        put(store, Dataset(GARAGES, OWNER, {"nl": "x" * LARGEST}))
    assert store.get(Dataset, GARAGES) is None


def padded(one: AgreementState, size: int) -> AgreementState:
    """The same of so many bytes as JSON."""
    room = size - len(encode(one)) - len(',"pad":""')
    return msgspec.structs.replace(one, document={**one.document, "pad": "x" * room})


def test_an_agreement_ends_whatever_its_size_and_a_large_one_is_never_signed(
    store: Store, engine: sa.Engine
) -> None:
    """Who writes a proposal could else fill it up until nobody can end it."""
    full = padded(agreement("active"), LARGEST - 60)
    with pytest.raises(InputRefused, match="at most"):
        put(store, full)
    proposed = SIGNED - SIGNATURES
    for one in (padded(agreement(), proposed + 1), padded(agreement("active"), SIGNED + 1)):
        with pytest.raises(InputRefused, match="at most"):
            put(store, one)
    waiting = padded(agreement(number=2), proposed)
    put(store, waiting)
    for room, fits in ((SIGNATURES + 1, False), (SIGNATURES - 100, True)):
        signed = msgspec.structs.replace(waiting, state="active", signatures={VENDOR: "s" * room})
        with nullcontext() if fits else pytest.raises(InputRefused, match="at most"):
            put(store, signed)
    put(store, msgspec.structs.replace(signed, state="ended", end_reason="no"))
    # One that an earlier version took.
    row = {"id": full.id, "type": "agreement", "party_a": OWNER, "party_b": VENDOR, "changed_at": 1}
    with transaction(engine) as connection:
        connection.execute(sa.insert(law), [{**row, "body": encode(full).decode()}])
    put(
        store, msgspec.structs.replace(full, state="ended", ended_at=1, ended_by=VENDOR, end_reason="x" * 500)
    )
    found = store.get(AgreementState, full.id)
    assert found is not None
    assert found.state == "ended"


def test_what_everyone_may_have_is_told_of_every_dataset_by_reading_the_agreements_once(
    engine: sa.Engine,
) -> None:
    """While this is worked out nobody else can write, so it must not take datasets times agreements."""
    book, taken_in = rulebook(), []

    def read(state: AgreementState) -> AgreementTerms:
        taken_in.append(state.id)
        return read_agreement(state.document, book)

    store = Store(engine, read)
    names = [f"urn:dmi:dataset:gemeente:d{number}" for number in range(20)]
    for name in names:
        put(store, Dataset(name, OWNER, {"nl": "x"}, licence="CC0-1.0"))

    def openly(number: int, targets: list[str], state: str = "active") -> AgreementState:
        text = document(OWNER, EVERYONE, targets[0], ["dmi:read"])
        text["permission"][0]["target"] = targets
        return AgreementState(f"urn:uuid:{number}", text, state)

    def open_now() -> list[str]:
        found = (store.catalogue.one(name) for name in names)
        return [one.id for one in found if one is not None and one.access == OPEN]

    asked: list[str] = []

    def note(_c: Any, _cursor: Any, statement: str, *_: Any) -> None:
        if "party_b = " in statement:
            asked.append(statement)

    put(store, openly(1, names[:3]))
    assert open_now() == sorted(names[:3])
    sa.event.listen(engine, "before_cursor_execute", note)
    put(store, openly(2, names))
    assert len(asked) == 1
    assert open_now() == names
    # Nothing of it opens or closes anything: what was signed stays what it is.
    put(
        store,
        msgspec.structs.replace(openly(2, names), objections=[Objection("dmi:rule:left", "/assigner", 1)]),
    )
    assert len(asked) == 1
    put(store, openly(2, names, "ended"))
    assert len(asked) == 2
    assert open_now() == sorted(names[:3])
    put(store, openly(1, names[:3], "ended"))
    assert open_now() == []
    assert taken_in == ["urn:uuid:1", "urn:uuid:2"], "each once, since what is signed never changes"


def test_an_assertion_is_used_once_whoever_asks_at_the_same_moment(store: Store) -> None:
    outcome = together(*(lambda: store.use_once("me jti\0", 2**52) for _ in range(6)))
    assert sorted(outcome, key=bool) == [False] * 5 + [True]
    assert store.use_once("me other", 2**52)
    assert store.use_once("long ago", 1)
    assert store.use_once("x" * 100_000, 2**52)
    assert store.use_once("long ago", 1)  # forgotten: it has expired


def test_lineage_is_followed_both_ways_through_other_results(store: Store) -> None:
    store.append(
        [],
        [
            result("forecast", datasets=[GARAGES], agreements=["a1"], consents=["c1"]),
            result("measure", 2, results=["forecast"]),
            result("look back", 3, results=["measure"]),
            result("other", 4, agreements=["a2"]),
        ],
        {},
    )
    for ground in (GARAGES, "a1", "c1"):
        assert [r.result for r in store.dependents(ground, 10)] == ["look back", "measure", "forecast"]
    assert [r.result for r in store.dependents("measure", 10)] == ["look back"]
    assert [r.result for r in store.dependents("a1", 1)] == ["look back"]
    assert store.dependents("nothing", 10) == []
    found = store.result("measure")
    assert found is not None
    assert found.grounds.results == ["forecast"]
    assert store.result("nothing") is None


def test_on_an_agreement_rests_what_names_it_now_and_nothing_else(store: Store, engine: sa.Engine) -> None:
    under_first = {"datasets": [GARAGES], "agreements": ["first"]}
    under_second = {"datasets": [GARAGES], "agreements": ["second"]}
    # A look back that names no right of its own has those of the measure.
    store.append(
        [],
        [
            result("forecast", 1, **under_first),
            result("measure 1", 2, results=["forecast"], **under_first),
            result("look back", 3, results=["measure 1"]),
        ],
        {},
    )
    # The first is stopped and concluded again as the second, and the forecast is made anew with the same id.
    store.append([], [result("forecast", 4, **under_second)], {})
    store.append([], [result("measure 2", 5, results=["forecast"], **under_second)], {})
    late = result("forecast", 1, **under_first)
    store.append([], [late], {})

    def resting(ground: str, limit: int = 10) -> list[str]:
        return [r.result for r in store.dependents(ground, limit)]

    def told() -> None:
        assert resting("first") == ["look back", "measure 1"]
        assert resting("first", 1) == ["look back"]
        assert resting("second") == ["measure 2", "forecast"]
        assert resting("forecast") == ["measure 2", "look back", "measure 1"]

    told()
    # An earlier version left the links of before in the store.
    with transaction(engine) as connection:
        connection.execute(sa.insert(ground_links).values(ground="first", result="forecast"))
    told()


def test_results_that_rest_on_each_other_do_not_go_round_for_ever(store: Store) -> None:
    store.append([], [result("a", results=["b"]), result("b", results=["a"])], {})
    assert {r.result for r in store.dependents("a", 10)} == {"a", "b"}


def test_newer_lineage_replaces_older_and_never_the_other_way(store: Store) -> None:
    for at in (5, 9, 7):
        store.append([], [result("r", at, agreements=[f"a{at}"])], {})
    found = store.result("r")
    assert found is not None
    assert found.made_at == 9


def test_a_transaction_that_fails_leaves_nothing(store: Store, engine: sa.Engine) -> None:
    too_large = {(TOPIC, 0): 2**70}
    with pytest.raises(Exception, match=r"."):
        store.append([decision(1)], [result("r", agreements=["a"])], too_large)
    assert store.log.end() == 0
    assert store.result("r") is None
    with reading(engine) as connection:
        assert connection.execute(sa.select(log_party)).all() == []


@pytest.mark.parametrize("engine", ["postgresql"], indirect=True)  # the embedded store has one process
def test_of_two_relays_of_one_outbox_one_publishes_at_a_time(store: Store, engine: sa.Engine) -> None:
    put(store, agreement())
    slow, quick = FakeBus(), FakeBus()
    second = Relay(engine, outgoing, quick)
    drained: list[int] = []

    class Slow(FakeBus):
        def publish(self, topic: str, messages: Any, timeout: float = 10.0) -> None:
            drained.append(second.drain())
            slow.publish(topic, messages)

    assert Relay(engine, outgoing, Slow()).drain() == 1
    assert drained == [0]
    assert quick.topics == {}
    assert second.drain() == 0


def test_a_notice_is_kept_once_is_due_until_it_is_heard_and_goes_with_the_person_when_it_is(
    engine: sa.Engine,
) -> None:
    notices = Notices(engine)
    made = Notice(
        id=notice_id("urn:uuid:1", "active", GARAGES, VENDOR), cause="urn:uuid:1", person=NOOR, right="erasure",
        dataset=GARAGES, recipient=VENDOR, made_at=5, until=4,
    )  # fmt: skip
    assert notices.add(made, 10)
    assert not notices.add(msgspec.structs.replace(made, made_at=6), 11)
    assert notices.to(VENDOR) == notices.about(NOOR) == [made]
    assert (notices.due(9), notices.due(10)) == ([], [made])
    assert notices.forget(NOOR) == 0, "who has not heard it must hear it yet"
    heard = notices.change(made.id, lambda known: msgspec.structs.replace(known, told_at=12))
    assert (notices.due(99), notices.about(NOOR)) == ([], [heard])
    assert notices.forget(NOOR) == 0, "who has heard it and not answered must be able to read it yet"
    notices.change(made.id, lambda known: msgspec.structs.replace(known, outcome="done"))
    assert notices.forget(NOOR) == 1
    with pytest.raises(NotFound):
        notices.change(made.id, lambda known: known)


def test_of_corrections_of_rows_that_are_erased_nothing_is_told_and_what_is_due_stays_due(
    engine: sa.Engine,
) -> None:
    notices = Notices(engine)

    def put_in(number: int, dataset: str, *times: int) -> Notice:
        one = Notice(
            id=f"urn:uuid:{number}", cause="urn:uuid:1", person=NOOR, right="rectification", dataset=dataset,
            recipient=VENDOR, made_at=number, until=9, corrections=[Correction("a", time, 1.0) for time in times],
        )  # fmt: skip
        notices.add(one, 10)
        return one

    put_in(1, GARAGES, 4, 5)
    half, other = put_in(2, GARAGES, 5, 6), put_in(3, "urn:dmi:dataset:gemeente:x", 4)
    notices.erased(NOOR, GARAGES, 5)
    left = msgspec.structs.replace(half, corrections=half.corrections[1:])
    assert notices.about(NOOR) == [other, left]
    assert {one.id for one in notices.due(10)} == {other.id, left.id}


def test_participants_are_named_together_by_their_ids_alone(store: Store) -> None:
    for identifier in (OWNER, NOOR):
        put(store, Participant(identifier, f"name of {identifier}", []))
    put(store, Dataset(GARAGES, OWNER, {"nl": "x"}))
    assert store.names({OWNER, GARAGES, "urn:dmi:participant:nobody"}) == {OWNER: f"name of {OWNER}"}
    assert store.names([]) == {}


def test_a_person_has_one_name_on_each_other_node_and_another_on_every_one(engine: sa.Engine) -> None:
    store = Store(engine)
    for name, home in (("a", "https://one"), ("b", "https://one"), ("c", "https://two")):
        put(store, Participant(f"urn:dmi:participant:{name}", name, [], home=home))
    names = [Aliases(engine, store).of(f"urn:dmi:participant:{name}")(NOOR) for name in "abc"]
    assert names[0] == names[1] != names[2], "what one node keeps is shared by its members"
    assert all(is_alias(name) for name in names)
    assert not any(is_alias(name) for name in (NOOR, None, names[0] + "0", names[0].upper()))
    again = Aliases(engine, store).of("urn:dmi:participant:a")(NOOR)
    assert again == names[0], "also after a restart"


def test_open_data_is_found_without_reading_a_consent(store: Store, engine: sa.Engine) -> None:
    def given(by: str, to: str) -> str:
        text = document(by, to, GARAGES, ["dmi:read"])
        put(store, AgreementState(text["uid"], text, "active"))
        return str(text["uid"])

    opened, consent, _deal = given(OWNER, EVERYONE), given(NOOR, EVERYONE), given(OWNER, VENDOR)
    with transaction(engine) as connection:
        # What cannot be read shows who reads it.
        connection.execute(sa.update(law).where(law.c.id == consent).values(body="-"))
    assert [one.id for one in store.open_data()] == [opened]
