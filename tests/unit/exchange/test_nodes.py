"""Other nodes: their members as they tell of them, and what the log tells of them."""

from __future__ import annotations

import time
from collections.abc import Sequence
from types import SimpleNamespace
from typing import Any, cast

import httpx
import msgspec
import pytest
from structlog.testing import capture_logs

from dmi_agreements.contracts.law import Participant
from dmi_agreements.keys import counts, ended, revoked
from dmi_exchange.dsp import members as member_taking
from dmi_exchange.dsp.client import Client
from dmi_exchange.dsp.members import GONE_SECONDS, Member, Taken, Told
from dmi_exchange.dsp.nodes import UNHEARD_SECONDS, Nodes
from dmi_exchange.handlers import Exchange
from dmi_exchange.keyring import MOST_EVER, Keyring
from dmi_exchange.settings import KnownNode
from dmi_infra import clock, jose
from dmi_infra.errors import Conflict, InputRefused
from dmi_infra.jose import SigningKey
from tests.unit.exchange.fakes import OFFICER, OPERATING, SELLER, VENDOR, Node

OTHER = KnownNode(url="http://b.example")
BUURSTAD, KEEPER = "urn:dmi:participant:buurstad", "urn:dmi:participant:buurstad-stack"
BARRED, ROBBED, NAMED = (f"urn:dmi:participant:{name}" for name in ("barred", "robbed", "named"))


@pytest.fixture
def exchange(node: Node) -> Exchange:
    return cast(Exchange, node.service.app.state.exchange)


@pytest.fixture
def nodes(exchange: Exchange) -> Nodes:
    return Nodes([OTHER], exchange, cast(Client, None), "urn:x")


def told(*members: str, keys: Sequence[dict[str, Any]] = (), active: bool = True) -> Told:
    roles = ["dmi:role:municipality"]
    all_of = [Member(one, one, roles, list(keys), "1.0.0", active) for one in members]
    return Told(OTHER.issuer, OTHER.address, KEEPER, all_of)


class Clock:
    """Time that a test lets pass."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.now = 0.0
        monkeypatch.setattr(time, "monotonic", lambda: self.now)


def test_a_member_is_dropped_when_its_node_has_not_named_it_for_minutes(
    exchange: Exchange, nodes: Nodes, monkeypatch: pytest.MonkeyPatch
) -> None:
    passing = Clock(monkeypatch)
    nodes._take(OTHER, told(BUURSTAD, KEEPER))

    def heard(*members: str, after: float = 0.0) -> bool:
        passing.now += after
        nodes._take(OTHER, told(*members))
        return exchange.participant(BUURSTAD).active

    # One that began on an empty store, and has its members again a moment later.
    assert heard(KEEPER)
    assert all(heard(KEEPER) for _ in range(10))
    assert heard(BUURSTAD, KEEPER, after=GONE_SECONDS)
    # Nobody at all: never, however long.
    assert heard()
    assert heard(after=10 * GONE_SECONDS)
    assert heard(KEEPER)
    assert heard(KEEPER, after=GONE_SECONDS)
    assert not heard(KEEPER)
    assert heard(BUURSTAD, KEEPER)


def test_a_member_that_the_operator_lets_its_node_name_no_more_is_dropped(
    exchange: Exchange, nodes: Nodes, monkeypatch: pytest.MonkeyPatch
) -> None:
    nodes._take(OTHER, told(BUURSTAD, KEEPER))
    narrowed = KnownNode(url=OTHER.url, participants=(KEEPER,))
    later, passing = Nodes([narrowed], exchange, cast(Client, None), "urn:x"), Clock(monkeypatch)
    assert [later.speaks_for(narrowed.issuer, one) for one in (BUURSTAD, KEEPER)] == [False, True]
    for _ in range(3):
        later._take(narrowed, told(BUURSTAD, KEEPER))
        passing.now += GONE_SECONDS
    assert [exchange.participant(one).active for one in (BUURSTAD, KEEPER)] == [False, True]


def test_a_large_node_holds_the_keys_of_others_in_short_turns_and_only_for_new_ones(
    exchange: Exchange, nodes: Nodes, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(member_taking, "PINNED_AT_ONCE", 2)
    held: list[int] = []
    settled: list[str] = []
    lock, settle = exchange.keys_settle, exchange.settle

    def settling(kind: Any, identifier: str, decide: Any) -> Any:
        settled.append(identifier)
        if lock.locked():
            held[-1] += 1
        return settle(kind, identifier, decide)

    class Counted:
        def __enter__(self) -> None:
            lock.acquire()
            held.append(0)

        def __exit__(self, *_of: object) -> None:
            lock.release()

    monkeypatch.setattr(exchange, "keys_settle", Counted())
    monkeypatch.setattr(exchange, "settle", settling)
    names = [f"urn:dmi:participant:one-of-{number}" for number in range(5)]
    keys = [SigningKey.generate().public for _ in names]

    def say(name: str) -> None:
        of_all = [
            Member(one, name, ["dmi:role:municipality"], [key], "1.0.0")
            for one, key in zip(names, keys, strict=True)
        ]
        nodes._take(OTHER, Told(OTHER.issuer, OTHER.address, KEEPER, of_all))

    say("a")
    assert held == [2, 2, 1]
    say("a")
    assert (len(held), len(settled)) == (3, 5)
    # Without a new key nobody has to wait.
    say("b")
    assert (held, len(settled)) == ([2, 2, 1], 10)


def test_a_member_that_the_store_refuses_keeps_none_told_behind_it_away(
    exchange: Exchange, nodes: Nodes, monkeypatch: pytest.MonkeyPatch
) -> None:
    first, second = "urn:dmi:participant:first", "urn:dmi:participant:second"
    settle = exchange.settle

    def settling(kind: Any, identifier: str, decide: Any) -> Any:
        if identifier == first:
            raise InputRefused("a value in the request cannot be stored or looked up")
        return settle(kind, identifier, decide)

    monkeypatch.setattr(exchange, "settle", settling)
    told = [
        Member(name, "x", ["dmi:role:municipality"], [SigningKey.generate().public], "1.0.0")
        for name in (first, second)
    ]
    nodes._take(OTHER, Told(OTHER.issuer, OTHER.address, KEEPER, told))
    assert [exchange.store.get(Participant, name) is not None for name in (first, second)] == [False, True]


def test_members_beyond_all_bounds_are_not_taken_and_those_behind_them_are(
    exchange: Exchange, nodes: Nodes
) -> None:
    bad, good = told("urn:dmi:participant:beyond", "urn:dmi:participant:behind").members
    beyond: list[dict[str, Any]] = [
        {"id": "urn:dmi:participant:" + "e" * 600_000}, {"id": "urn:dmi:participant:beyond\x00"},
        {"country": "N" * 2_000_000}, {"country": "nl"}, {"rulebook": "1" * 51}, {"keys": [{}] * 101},
    ]  # fmt: skip
    each = ({"id": f"{bad.id}-{number}", **changes} for number, changes in enumerate(beyond))
    members = [*(msgspec.structs.replace(bad, **changes) for changes in each), good]
    with capture_logs() as logged:
        nodes._take(OTHER, Told(OTHER.issuer, OTHER.address, KEEPER, members))
    refused = [line for line in logged if line["event"] == "a member of another node is not taken"]
    assert len(refused) == len(beyond)
    assert max(len(str(line)) for line in refused) < 1_000
    known = {one.id[:30] for one in exchange.store.find(Participant)}
    assert good.id in known
    assert not any(one.startswith(bad.id) for one in known)
    assert bad.id[:20] + "e" * 10 not in known


HALF_READ: list[dict[str, Any]] = [
    {"country": "NLD"}, {"rulebook": "1" * 51}, {"keys": [{}]}, {"keys": ["a key"]},
    {"keys": [{**SigningKey.generate().public, "exp": "soon"}]},
    {"keys": [SigningKey.generate().public] * (MOST_EVER + 1)},
]  # fmt: skip


@pytest.mark.parametrize("changes", HALF_READ, ids=lambda changes: next(iter(changes)))
def test_of_a_member_that_is_known_what_ended_is_taken_whatever_else_cannot_be_read(
    exchange: Exchange, nodes: Nodes, changes: dict[str, Any]
) -> None:
    stolen, moment = SigningKey.generate().public, int(clock.seconds())
    name = f"urn:dmi:participant:half-read-{stolen['kid'].lower().replace('_', '')}"

    def hear(*keys: Any, **more: Any) -> Participant:
        (member,) = told(name, keys=[*more.pop("keys", ()), *keys]).members
        member = msgspec.structs.replace(member, **more)
        nodes._take(OTHER, Told(OTHER.issuer, OTHER.address, KEEPER, [member]))
        return exchange.participant(name)

    before = hear(stolen)
    assert counts(before.keys[0], moment)
    after = hear(revoked(stolen, moment, "compromised"), **changes)
    assert not any(counts(key, moment) for key in after.keys if key["kid"] == stolen["kid"])
    assert (after.country, after.rulebook, after.active) == (before.country, before.rulebook, True)
    with capture_logs() as logged:
        assert not hear(**changes, active=False).active
    assert "what a node tells of a member is taken in part" in [line["event"] for line in logged]


WRONG_FORMS: list[dict[str, Any]] = [
    {"name": 5}, {"name": None}, {"roles": "dmi:role:municipality"}, {"roles": [1]}, {"rulebook": 1},
    {"active": "yes"}, {"country": ["NL"]},
]  # fmt: skip


def tells(monkeypatch: pytest.MonkeyPatch, exchange: Exchange) -> tuple[Nodes, list[Any]]:
    """The other node, and the members that it will tell of: what it has of them comes as JSON."""
    members: list[Any] = []
    said = {"issuer": OTHER.issuer, "address": OTHER.address, "operator": KEEPER, "members": members}
    client = SimpleNamespace(ask=lambda *_of: SimpleNamespace(well=True, body=said))
    nodes = Nodes([OTHER], exchange, cast(Client, client), "urn:x")
    monkeypatch.setattr(nodes, "_fetch_keys", lambda *_of, **_more: None)
    return nodes, members


@pytest.mark.parametrize("form", [5, [], {}, {"id": 5}, *WRONG_FORMS], ids=str)
def test_a_member_of_another_form_is_left_out_and_counted_and_the_others_are_taken(
    exchange: Exchange, monkeypatch: pytest.MonkeyPatch, form: Any
) -> None:
    nodes, members = tells(monkeypatch, exchange)
    number = len(list(exchange.store.find(Participant)))
    broken, whole = (f"urn:dmi:participant:form-{number}-{each}" for each in ("broken", "whole"))
    one, other = (msgspec.to_builtins(each) for each in told(broken, whole).members)
    members += [{**one, **form} if isinstance(form, dict) and form else form, other]
    nodes.refresh(OTHER.issuer)
    assert nodes.seen[OTHER.issuer].reachable
    assert nodes.seen[OTHER.issuer].taken == Taken(unread=1)
    assert exchange.store.get(Participant, broken) is None
    assert exchange.participant(whole).active
    members[:] = [other]
    nodes.refresh(OTHER.issuer)
    assert nodes.seen[OTHER.issuer].taken == Taken()


@pytest.mark.parametrize("form", WRONG_FORMS, ids=str)
def test_of_a_known_member_with_a_field_of_another_form_the_rest_is_taken(
    exchange: Exchange, monkeypatch: pytest.MonkeyPatch, form: dict[str, Any]
) -> None:
    nodes, members = tells(monkeypatch, exchange)
    stolen, moment = SigningKey.generate().public, int(clock.seconds())
    name = f"urn:dmi:participant:formed-{stolen['kid'].lower().replace('_', '')}"
    (one,) = (msgspec.to_builtins(each) for each in told(name, keys=[stolen]).members)
    members.append(one)
    nodes.refresh(OTHER.issuer)
    before = exchange.participant(name)
    members[:] = [{**one, "keys": [revoked(stolen, moment, "compromised")], **form}]
    nodes.refresh(OTHER.issuer)
    after = exchange.participant(name)
    assert not any(counts(key, moment) for key in after.keys)
    assert msgspec.structs.replace(after, keys=before.keys) == before
    assert nodes.seen[OTHER.issuer].taken == Taken(unread=1)
    # It may have left, whatever else cannot be read; and keys of another form count no more.
    members[:] = [{**one, "active": False, "keys": "none", "country": 5}]
    nodes.refresh(OTHER.issuer)
    assert (exchange.participant(name).active, exchange.participant(name).keys) == (False, [])


@pytest.mark.parametrize("twice", [False, True])
def test_a_key_that_is_told_twice_ends_at_the_earlier_end_and_counts_once(
    exchange: Exchange, nodes: Nodes, twice: bool
) -> None:
    moment, key = int(clock.seconds()), SigningKey.generate().public
    name = f"urn:dmi:participant:twice-{twice}".lower()
    said = [ended(key, moment + 99), revoked(key, moment, "compromised"), ended(key, moment + 50)]
    nodes._take(OTHER, told(name, keys=said[:: -1 if twice else 1]))
    (kept,) = exchange.participant(name).keys
    assert (kept["exp"], kept["revoked"]["reason"]) == (moment, "compromised")
    again = SigningKey.generate().public
    nodes._take(OTHER, told(name, keys=[again]))
    Keyring(exchange).revoke(name, again["kid"], "compromised")
    nodes._take(OTHER, told(name, keys=[again, again]))
    assert [counts(each, moment) for each in exchange.participant(name).keys] == [False]


def test_a_member_that_is_named_twice_is_taken_once_with_whatever_ends_by_either(
    exchange: Exchange, nodes: Nodes, monkeypatch: pytest.MonkeyPatch
) -> None:
    moment, name = int(clock.seconds()), "urn:dmi:participant:named-twice"
    key, other = SigningKey.generate().public, SigningKey.generate().public
    nodes._take(OTHER, told(name, keys=[key]))
    settled: list[str] = []
    settle = exchange.settle

    def counted(kind: Any, identifier: str, decide: Any) -> Any:
        settled.append(identifier)
        return settle(kind, identifier, decide)

    monkeypatch.setattr(exchange, "settle", counted)
    entries = [
        *told(name, keys=[revoked(key, moment, "stolen")]).members,
        *told(name, keys=[key, other]).members,
        *told(name, keys=[key], active=False).members,
    ]
    for said in (entries, entries[::-1]):
        with capture_logs() as logged:
            nodes._take(OTHER, msgspec.structs.replace(told(name), members=said))
        after = exchange.participant(name)
        assert (after.active, [each["kid"] for each in after.keys]) == (False, [key["kid"]])
        assert not counts(after.keys[0], moment)
        assert [
            line["repeats"] for line in logged if line["event"] == "a node names members more than once"
        ] == [2]
    assert settled == [name]


def test_what_ends_is_settled_before_all_that_begins(
    exchange: Exchange, nodes: Nodes, monkeypatch: pytest.MonkeyPatch
) -> None:
    first, second, third = (f"urn:dmi:participant:order-{number}" for number in range(3))
    key = SigningKey.generate().public
    nodes._take(OTHER, told(second, keys=[key]))
    nodes._take(OTHER, told(third))
    settled: list[str] = []
    settle = exchange.settle

    def counted(kind: Any, identifier: str, decide: Any) -> Any:
        settled.append(identifier)
        return settle(kind, identifier, decide)

    monkeypatch.setattr(exchange, "settle", counted)
    said = [
        *told(first).members,
        *told(second, keys=[revoked(key, 5, "stolen")]).members,
        *told(third, active=False).members,
    ]
    nodes._take(OTHER, msgspec.structs.replace(told(first), members=said))
    assert settled == [second, third, first]


def test_the_keys_of_a_node_have_a_bound_together_and_those_that_are_known_go_first(
    exchange: Exchange, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(member_taking, "MOST_EVER", 4)
    monkeypatch.setattr(member_taking, "MOST_LIVING", 1)
    full = KnownNode(url="http://full.example")
    taking = member_taking.Members(exchange, most=2)
    first, second = "urn:dmi:participant:full-first", "urn:dmi:participant:full-second"
    keys = [SigningKey.generate().public for _ in range(8)]

    def hear(**of: list[dict[str, Any]]) -> list[int]:
        members = [
            told(f"urn:dmi:participant:full-{name}", keys=some).members[0] for name, some in of.items()
        ]
        taking.take(full, Told(full.issuer, full.address, KEEPER, members))
        return [len(exchange.participant(one).keys) for one in (first, second)]

    with capture_logs() as logged:
        assert hear(first=keys[:4], second=keys[4:]) == [4, 2]
    assert [
        line["left_out"] for line in logged if line["event"] == "a node tells more keys than are taken"
    ] == [2]
    # What is known is told of on, and makes room by going; another one takes it only then.
    ending = [*keys[4:], revoked(keys[0], 5, "stolen"), *keys[1:4]]
    assert hear(first=ending, second=keys[4:6]) == [4, 2]
    assert "revoked" in exchange.participant(first).keys[0]
    assert hear(first=keys[:1], second=keys[4:]) == [1, 4]


def test_of_one_node_so_many_members_are_taken_and_those_beyond_are_counted(
    exchange: Exchange, monkeypatch: pytest.MonkeyPatch
) -> None:
    many = KnownNode(url="http://many.example")
    crowd = [f"urn:dmi:participant:crowd-{number}" for number in range(5)]
    nodes = Nodes([many], exchange, cast(Client, None), "urn:x", most=3)

    def hear(*names: str) -> int:
        nodes._take(many, msgspec.structs.replace(told(*names), issuer=many.issuer))
        return nodes.seen[many.issuer].taken.left_out

    def kept() -> list[str]:
        return sorted(one.id for one in exchange.store.find(Participant) if one.home == many.issuer)

    assert hear(*crowd[:3]) == 0
    assert hear(*crowd, crowd[0]) == 2
    assert kept() == crowd[:3]
    # Who has left takes up its place: what was told of it is in the law for ever.
    passing = Clock(monkeypatch)
    for _ in range(3):
        assert hear(*crowd[2:]) == 2
        passing.now += GONE_SECONDS
    assert not exchange.participant(crowd[0]).active
    assert kept() == crowd[:3]
    # Of those that are in, all that is told goes on to be taken.
    assert hear(crowd[0]) == 0
    assert exchange.participant(crowd[0]).active


def test_a_node_whose_answer_cannot_be_taken_in_keeps_nobody_from_those_behind_it(
    exchange: Exchange, monkeypatch: pytest.MonkeyPatch
) -> None:
    further, joined = KnownNode(url="http://c.example"), "urn:dmi:participant:joined-behind"
    both = Nodes([OTHER, further], exchange, cast(Client, None), "urn:x")

    def hear(issuer: str) -> None:
        if issuer == OTHER.issuer:
            raise UnicodeEncodeError("utf-8", "\ud800", 0, 1, "surrogates not allowed")
        both._take(further, told(joined))

    monkeypatch.setattr(both, "_hear", hear)
    with capture_logs() as logged:
        assert both.address_of(joined, "https://here") == f"{further.issuer}/dsp"
    assert [line["log_level"] for line in logged if line["event"] == "a node could not be asked"] == ["error"]
    assert both.seen[OTHER.issuer].reason == "a fault of this node; it has been logged"


def test_a_member_of_a_node_that_was_away_is_found_as_soon_as_it_is_back(
    nodes: Nodes, monkeypatch: pytest.MonkeyPatch
) -> None:
    nodes._note(OTHER.issuer, "it did not answer")
    monkeypatch.setattr(nodes, "ask_again", lambda _issuer: nodes._take(OTHER, told(BUURSTAD)))
    assert nodes.address_of(BUURSTAD, "https://here") == f"{OTHER.issuer}/dsp"


def test_a_node_with_thousands_of_members_is_heard(monkeypatch: pytest.MonkeyPatch) -> None:
    heard: list[Told] = []
    members = [f"urn:dmi:participant:member-{number}" for number in range(5000)]
    telling = msgspec.json.encode(told(*members, keys=[SigningKey.generate().public]))

    def answer(request: httpx.Request) -> httpx.Response:
        return httpx.Response(200, content=telling if request.url.path.endswith("/node") else b'{"keys": []}')

    client = Client(lambda *_of: None, False, httpx.MockTransport(answer))
    passing = Clock(monkeypatch)
    nodes = Nodes([OTHER], cast(Exchange, None), client, "urn:x")
    monkeypatch.setattr(nodes, "_take", lambda _node, said, _nameless: heard.append(said))
    passing.now = UNHEARD_SECONDS + 1
    assert nodes.unheard(OTHER.issuer)
    nodes.refresh(OTHER.issuer)
    assert not nodes.unheard(OTHER.issuer)
    assert len(heard[0].members) == 5000
    assert nodes.seen[OTHER.issuer].reachable


def test_a_member_that_left_is_told_as_such_and_counts_no_more_at_once(
    exchange: Exchange, nodes: Nodes
) -> None:
    nodes._take(OTHER, told(BUURSTAD))
    nodes._take(OTHER, told(BUURSTAD, active=False))
    assert not exchange.participant(BUURSTAD).active


def test_a_member_that_the_operator_excluded_stays_out_whatever_its_node_tells(
    node: Node, exchange: Exchange, nodes: Nodes
) -> None:
    nodes._take(OTHER, told(BARRED))
    assert node.post(f"/v1/participants/{BARRED}/end", None, OPERATING)["excluded"]
    for said in (told(BARRED), told(BARRED, active=False), told(BARRED)):
        nodes._take(OTHER, said)
        assert not exchange.participant(BARRED).active
    # Admitted again it takes part once its node says that it does, and not before.
    path = f"/v1/participants/{BARRED}/readmission"
    node.refused(node.ask("POST", path, OFFICER), 403, "wrong-role")
    assert exchange.participant(BARRED).excluded
    assert not node.post(path, None, OPERATING)["active"]
    nodes._take(OTHER, told(BARRED, active=False))
    assert not exchange.participant(BARRED).active
    nodes._take(OTHER, told(BARRED))
    assert exchange.participant(BARRED).active
    for other in (BARRED, VENDOR):
        node.refused(node.ask("POST", f"/v1/participants/{other}/readmission", OPERATING), 409, "conflict")


def test_a_key_that_was_revoked_here_counts_no_more_whatever_its_node_tells(
    exchange: Exchange, nodes: Nodes
) -> None:
    stolen, further, moment = SigningKey.generate().public, SigningKey.generate().public, clock.seconds()

    def living_after(*keys: dict[str, Any]) -> set[str]:
        nodes._take(OTHER, told(ROBBED, keys=keys))
        return {key["kid"] for key in exchange.participant(ROBBED).keys if counts(key, moment)}

    assert living_after(stolen) == {stolen["kid"]}
    # A revocation that its node told of, it can take back; not one that was made here.
    assert living_after(revoked(stolen, int(moment) - 10, "")) == set()
    Keyring(exchange).revoke(ROBBED, stolen["kid"], "compromised")
    with pytest.raises(Conflict, match="already"):
        Keyring(exchange).revoke(ROBBED, stolen["kid"], "compromised")
    assert living_after(stolen) == set()
    assert living_after(stolen, further) == {further["kid"]}
    assert living_after() == set()
    assert living_after(stolen) == set()
    assert living_after(ended(stolen, int(moment) - 99)) == set()
    (kept,) = exchange.participant(ROBBED).keys
    assert (kept["exp"], kept["revoked"]["reason"]) == (int(moment) - 99, "compromised")


def test_names_in_certificates_that_the_operator_gave_stay(exchange: Exchange, nodes: Nodes) -> None:
    nodes._take(OTHER, told(NAMED))
    Keyring(exchange).bind(NAMED, ["EU.EORI.NL123456789"])
    nodes._take(OTHER, told(NAMED))
    assert exchange.participant(NAMED).identifiers == ["EU.EORI.NL123456789"]


def test_what_a_node_tells_of_a_member_ends_no_letter_that_was_made_here(
    exchange: Exchange, nodes: Nodes
) -> None:
    nodes._take(OTHER, told(NAMED))

    def lettered(known: Participant | None) -> Participant:
        return msgspec.structs.replace(cast(Participant, known), letter_at=7)

    exchange.settle(Participant, NAMED, lettered)
    nodes._take(OTHER, told(NAMED, active=False))
    assert (exchange.participant(NAMED).active, exchange.participant(NAMED).letter_at) == (False, 7)


def test_a_node_gives_its_members_no_keys_of_somebody_else(
    node: Node, exchange: Exchange, nodes: Nodes
) -> None:
    own, foreign = SigningKey.generate().public, node.keys[VENDOR].public
    nodes._take(OTHER, told(BUURSTAD, keys=[foreign, own]))
    assert [key["kid"] for key in exchange.participant(BUURSTAD).keys] == [own["kid"]]
    # Nor does the second of two members have the key of the first.
    nodes._take(OTHER, told(BUURSTAD, KEEPER, keys=[own]))
    assert exchange.participant(KEEPER).keys == []
    before = exchange.participant(VENDOR)
    assert foreign["kid"] in [key["kid"] for key in before.keys]


def test_the_log_tells_that_a_node_answers_or_is_away_when_that_changes() -> None:
    nodes = Nodes([OTHER], cast(Exchange, None), cast(Client, None), "urn:x")
    with capture_logs() as logged:
        for reason in ("", "", "", "b did not answer", "b did not answer", "b answered 401", "", ""):
            nodes._note(OTHER.issuer, reason)
    lines: list[tuple[Any, Any]] = [(line["event"], line["reason"]) for line in logged]
    assert lines == [
        ("a node answers", ""),
        ("a node is away", "b did not answer"),
        ("a node is away", "b answered 401"),
        ("a node answers", ""),
    ]


def tell(node: Node, key: dict[str, Any]) -> list[dict[str, Any]]:
    """What is kept of the key of a member when its node tells this."""
    far = f"urn:dmi:participant:far-{key['kid']}"
    nodes = Nodes([OTHER], node.service.app.state.exchange, cast(Client, None), "urn:x")
    members = [Member(far, "Far", [SELLER], [key], "1.0.0")]
    nodes._take(OTHER, Told(OTHER.issuer, OTHER.address, "Far", members))
    found = node.store.get(Participant, far)
    return [] if found is None else found.keys


def test_a_key_of_a_member_elsewhere_ends_here_when_it_ends_there(node: Node) -> None:
    now = int(clock.seconds())
    key = jose.SigningKey.generate().public
    assert counts(tell(node, key)[0], now)
    for told in (revoked(key, now - 10, "stolen"), ended(key, now - 10), ended(key, now + 10)):
        assert tell(node, told) == [told]
    assert not counts(tell(node, revoked(key, now - 10, "stolen"))[0], now)


@pytest.mark.parametrize("form", [True, None, {}, "stolen", {"revoked_at": "now", "reason": 5}])
def test_a_revocation_counts_in_whatever_form_another_node_tells_it(node: Node, form: Any) -> None:
    (kept,) = tell(node, {**jose.SigningKey.generate().public, "revoked": form})
    assert not counts(kept, 0)
    assert kept["revoked"] == {"revoked_at": 0, "reason": ""}


@pytest.mark.parametrize("ends", ["soon", 1.5, True, {}])
def test_a_member_whose_key_ends_at_no_moment_is_not_taken(node: Node, ends: Any) -> None:
    assert tell(node, {**jose.SigningKey.generate().public, "exp": ends}) == []
