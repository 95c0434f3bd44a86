"""Keys in the course of time: announced, in overlap, ended, revoked; a key is one owner's for ever."""

from __future__ import annotations

import os
import time
from functools import partial
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import httpx
import msgspec
import pytest

from dmi_agreements.contracts.law import Participant
from dmi_agreements.keys import HEARD_SECONDS, living
from dmi_exchange.custody import Custody
from dmi_exchange.keyring import MOST_KEPT, MOST_LIVING, Keyring, announcement
from dmi_exchange.owned_keys import living_key
from dmi_infra import clock, jose, passes
from dmi_infra.errors import Unauthenticated
from dmi_infra.identity import EXCHANGE_PARTICIPANT
from dmi_infra.keyfile import KeyUnprotected, is_sealed
from tests.unit.exchange.fakes import OFFICER, OPERATING, SELLER, SELLING, Node, Who, running
from tests.unit.infra.fakes import GARAGES, OWNER, STACK, VENDOR, document

COUNT = iter(range(1000))


def always(_participant: str, _kid: str) -> bool:
    return True


def member(node: Node) -> Who:
    who = Who(f"urn:dmi:participant:rotates-{next(COUNT)}", (SELLER,))
    node.admit(who.participant, SELLER)
    return who


def body(node: Node, who: Who, new: jose.SigningKey, overlap: int = 3600, **change: Any) -> dict[str, Any]:
    statement = announcement(who.participant, new.kid, overlap)
    signed = {
        "jws": node.keys[who.participant].sign_document(statement),
        "proof": new.sign_document(statement),
    }
    return {"key": new.public, "overlap_seconds": overlap, **signed, **change} | change


def path(who: Who, suffix: str = "") -> str:
    return f"/v1/participants/{who.participant}/keys{suffix}"


def token(node: Node, who: Who, key: jose.SigningKey) -> httpx.Response:
    assertion = jose.make_assertion(key, who.participant, f"{node.settings.issuer}/token", int(time.time()))
    form = {
        "grant_type": "client_credentials",
        "client_assertion_type": jose.ASSERTION_TYPE,
        "client_assertion": assertion,
    }
    return node.ask("POST", "/token", data=form)


def me(node: Node, access: str) -> int:
    answer = node.runner.run(node.client.get("/v1/me", headers={"Authorization": f"Bearer {access}"}))
    return answer.status_code


def test_both_keys_count_in_the_overlap_and_the_new_one_alone_after_it(node: Node) -> None:
    who, new = member(node), jose.SigningKey.generate()
    old = node.keys[who.participant]
    before = token(node, who, old).json()["access_token"]
    node.post(path(who), body(node, who, new, 2), who)
    for key in (old, new):
        assert token(node, who, key).status_code == 200
    assert me(node, before) == 200
    time.sleep(2.1)
    assert token(node, who, new).status_code == 200
    node.refused(token(node, who, old), 401, "unauthenticated")
    assert me(node, before) == 401


def test_a_revoked_key_and_the_tokens_that_it_proved_are_dead_at_once(node: Node) -> None:
    who, new = member(node), jose.SigningKey.generate()
    old = node.keys[who.participant]
    node.post(path(who), body(node, who, new), who)
    stolen, own = (token(node, who, key).json()["access_token"] for key in (old, new))
    assert (me(node, stolen), me(node, own)) == (200, 200)
    begun = time.monotonic()
    node.post(path(who, f"/{old.kid}/revocation"), {"reason": "compromised"}, who)
    assert (me(node, stolen), me(node, own)) == (401, 200)
    assert time.monotonic() - begun < 1
    node.refused(token(node, who, old), 401, "unauthenticated")
    # It comes back neither as a new key nor a second time as a revocation.
    signed = body(node, who, old)
    signed["jws"] = new.sign_document(announcement(who.participant, old.kid, 3600))
    node.refused(node.ask("POST", path(who), who, json=signed), 409, "conflict")
    again = node.ask("POST", path(who, f"/{old.kid}/revocation"), who, json={})
    node.refused(again, 409, "conflict")


def test_a_revoked_key_signs_nothing_any_more(node: Node) -> None:
    who = member(node)
    key = node.keys[who.participant]
    node.post(path(who, f"/{key.kid}/revocation"), {}, who)
    statement = node.get(f"/v1/participants/{who.participant}/statement", who)
    signed = {"jws": key.sign_document(statement)}
    answer = node.ask("POST", f"/v1/participants/{who.participant}/signature", who, json=signed)
    node.refused(answer, 400, "invalid-input")


def test_what_a_revoked_key_proposed_is_not_concluded_before_its_owner_signs_again(node: Node) -> None:
    new = jose.SigningKey.generate()
    text, other = (document(OWNER, VENDOR, GARAGES, ["dmi:read"]) for _each in range(2))
    node.propose(text)
    node.post(path(OFFICER), body(node, OFFICER, new, 0), OFFICER)
    node.keys[OWNER] = new
    assert node.countersign(text, SELLING)["state"] == "active", "replaced, not revoked"
    node.keys[OWNER] = newest = jose.SigningKey.generate()
    signed = body(node, OFFICER, newest)
    signed["jws"] = new.sign_document(announcement(OWNER, newest.kid, 3600))
    node.post(path(OFFICER), signed, OFFICER)
    node.post("/v1/agreements", {"document": other, "jws": new.sign_document(other)}, OFFICER)
    node.post(path(OFFICER, f"/{new.kid}/revocation"), {"reason": "compromised"}, OFFICER)
    agree = {"jws": node.keys[VENDOR].sign_document(other)}
    sign = f"/v1/agreements/{other['uid']}/signature"
    problem = node.refused(node.ask("POST", sign, SELLING, json=agree), 409, "conflict")
    assert "revoked" in problem["detail"]
    assert node.get(f"/v1/agreements/{other['uid']}")["state"] == "proposed"
    assert node.countersign(other, OFFICER)["state"] == "proposed"
    assert node.countersign(other, SELLING)["state"] == "active"


def test_who_lost_all_keys_gets_a_new_one_through_the_operator_alone(node: Node) -> None:
    who, new = member(node), jose.SigningKey.generate()
    unsigned = body(node, who, new)
    del unsigned["jws"]
    node.refused(node.ask("POST", path(who), OPERATING, json=unsigned), 400, "invalid-input")
    node.post(path(who, f"/{node.keys[who.participant].kid}/revocation"), {}, who)
    node.refused(node.ask("POST", path(who), who, json=unsigned), 400, "invalid-input")
    node.post(path(who), unsigned, OPERATING)
    assert token(node, who, new).status_code == 200


@pytest.mark.parametrize(
    ("change", "field"),
    [
        ({"jws": None}, "jws"),
        ({"proof": None}, "proof"),
        ({"jws": "a..b"}, "jws"),
        ({"proof": "a..b"}, "proof"),
        ({"overlap_seconds": 7200}, "jws"),
        ({"overlap_seconds": -1}, "overlap_seconds"),
        ({"key": {"kty": "EC"}}, "key"),
        ({"key": None}, ""),
        ({"hosted": True}, ""),
        ({"hosted": True, "key": None}, "hosted"),
    ],
)
def test_a_key_is_announced_by_who_has_it_and_the_one_before(
    node: Node, change: dict[str, Any], field: str
) -> None:
    who = member(node)
    before = node.store.get(Participant, who.participant)
    answer = node.ask("POST", path(who), who, json=body(node, who, jose.SigningKey.generate(), **change))
    problem = node.refused(answer, 400, "invalid-input")
    assert problem["errors"][0]["field"].endswith(field)
    assert node.store.get(Participant, who.participant) == before


def test_a_key_is_its_owners_for_ever(node: Node) -> None:
    first, second = member(node), member(node)
    theirs = node.keys[first.participant]
    node.refused(node.ask("POST", path(second), second, json=body(node, second, theirs)), 409, "conflict")
    node.post(path(first, f"/{theirs.kid}/revocation"), {}, first)
    node.refused(node.ask("POST", path(second), second, json=body(node, second, theirs)), 409, "conflict")
    newcomer = {"id": "urn:dmi:participant:taker", "name": "x", "roles": [], "keys": [theirs.public]}
    node.refused(node.ask("POST", "/v1/participants", OPERATING, json=newcomer), 409, "conflict")


def test_the_operator_renews_the_key_of_a_participant_alone(node: Node) -> None:
    for unknown in ("urn:dmi:participant:nobody", f"urn:dmi:participant:{'x' * 300}"):
        answer = node.ask("POST", path(Who(unknown)), OPERATING, json={"hosted": True})
        node.refused(answer, 404, "not-found")


def test_nobody_changes_the_keys_of_another(node: Node) -> None:
    first, second = member(node), member(node)
    answer = node.ask("POST", path(first), second, json=body(node, first, jose.SigningKey.generate()))
    node.refused(answer, 403, "not-a-party")
    kid = node.keys[first.participant].kid
    node.refused(node.ask("POST", path(first, f"/{kid}/revocation"), second, json={}), 403, "not-a-party")
    nobody = Who("urn:dmi:person:nobody")
    for suffix, sent in (("", body(node, first, jose.SigningKey.generate())), (f"/{kid}/revocation", {})):
        # As for somebody who takes part: else ids could be tried.
        node.refused(node.ask("POST", path(nobody, suffix), second, json=sent), 403, "not-a-party")
        node.refused(node.ask("POST", path(nobody, suffix), OPERATING, json=sent), 404, "not-found")
    analyst = Who(first.participant, ("dmi:role:analyst",))
    node.refused(node.ask("POST", path(first, f"/{kid}/revocation"), analyst, json={}), 403, "not-a-party")


def test_the_exchange_rotates_its_own_key_without_a_break(tmp_path: Path) -> None:
    with running(tmp_path, key_passphrase="a horse and a battery") as node:
        who = Who(EXCHANGE_PARTICIPANT)
        old = node.service.app.state.exchange.custody.own(EXCHANGE_PARTICIPANT)
        held = node.post("/v1/demo/token", {"identity": "operator"}, None)["access_token"]
        answer = node.post(path(who), {"hosted": True, "overlap_seconds": 3600}, OPERATING)
        assert len(node.get("/.well-known/jwks.json", None)["keys"]) == 2
        # Until everyone has heard of the new one the old one signs; a token of either opens doors.
        custody = node.service.app.state.exchange.custody
        assert custody.own(EXCHANGE_PARTICIPANT).kid == old.kid
        (waiting,) = (tmp_path / "keys").glob("*@*.json")
        waiting.rename(
            waiting.with_name(f"participant_exchange@000000000001@{answer['keys'][-1]['kid']}.json")
        )
        assert custody.own(EXCHANGE_PARTICIPANT).kid == answer["keys"][-1]["kid"] != old.kid
        fresh = node.post("/v1/demo/token", {"identity": "operator"}, None)["access_token"]
        assert (me(node, held), me(node, fresh)) == (200, 200)
        problem = node.refused(
            node.ask("POST", path(who, f"/{answer['keys'][-1]['kid']}/revocation"), OPERATING, json={}),
            409, "conflict",
        )  # fmt: skip
        assert "rotate" in problem["detail"]
        node.post(path(who, f"/{old.kid}/revocation"), {"reason": "superseded"}, OPERATING)
        assert (me(node, held), me(node, fresh)) == (401, 200)
        node.refused(node.ask("POST", path(who), who, json={"hosted": True}), 403, "not-a-party")


def test_a_node_whose_own_key_was_revoked_starts_with_a_new_one(tmp_path: Path) -> None:
    with running(tmp_path) as node:
        exchange = node.service.app.state.exchange
        key = exchange.custody.own(STACK)
        exchange.settle(
            Participant, STACK, lambda known: type(known)(**{**_members(known), "keys": [
                {**each, "revoked": {"revoked_at": 1, "reason": "compromised"}} for each in known.keys
            ]}),
        )  # fmt: skip
    with running(tmp_path) as node:
        found = node.store.get(Participant, STACK)
        assert found is not None
        assert [each["kid"] for each in living(found.keys, time.time())] != [key.kid]
        assert found.rulebook == "1.0.0"


def _members(known: Any) -> dict[str, Any]:
    return {name: getattr(known, name) for name in known.__struct_fields__}


def test_production_keeps_no_plain_key(tmp_path: Path) -> None:
    with pytest.raises(KeyUnprotected, match="DMI_KEY_PASSPHRASE"), running(tmp_path, env="production"):
        pass
    with running(tmp_path, env="production", key_passphrase="a horse and a battery"):
        assert all(map(is_sealed, (tmp_path / "keys").iterdir()))
    with running(tmp_path / "other"):
        pass
    settings: dict[str, Any] = {"env": "production", "key_passphrase": "a horse and a battery"}
    with pytest.raises(KeyUnprotected, match="dmi keys protect"), running(tmp_path / "other", **settings):
        pass


def later(monkeypatch: pytest.MonkeyPatch, seconds: float) -> None:
    """Let so much time pass for who asks which key signs."""
    moved = SimpleNamespace(seconds=lambda: clock.seconds() + seconds)
    monkeypatch.setattr("dmi_exchange.custody.clock", moved)


def test_a_rotation_that_is_refused_leaves_the_node_with_a_key_that_counts(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with running(tmp_path) as node:
        rotate = {"hosted": True, "overlap_seconds": 3600}
        for _more in range(MOST_LIVING - 1):
            node.post(path(Who(EXCHANGE_PARTICIPANT)), rotate, OPERATING)
        refused = node.ask("POST", path(Who(EXCHANGE_PARTICIPANT)), OPERATING, json=rotate)
        node.refused(refused, 409, "conflict")
        later(monkeypatch, 10)
        custody = node.service.app.state.exchange.custody
        assert len(list((tmp_path / "keys").glob("participant_exchange@*"))) == MOST_LIVING
        assert custody.own(EXCHANGE_PARTICIPANT).kid in {
            each["kid"] for each in node.store.get(Participant, EXCHANGE_PARTICIPANT).keys
        }
        token = node.post("/v1/demo/token", {"identity": "operator"}, None)["access_token"]
        assert me(node, token) == 200
        later(monkeypatch, 2 * 3600)
        assert custody.own(EXCHANGE_PARTICIPANT).kid
        assert not list((tmp_path / "keys").glob("participant_exchange@*")), "it is not waited for any more"


def test_a_key_that_was_revoked_before_it_signs_never_does(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with running(tmp_path) as node:
        custody, who = node.service.app.state.exchange.custody, Who(STACK)
        old = custody.own(STACK).kid
        answer = node.post(path(who), {"hosted": True, "overlap_seconds": 3600}, OPERATING)
        node.post(path(who, f"/{answer['keys'][-1]['kid']}/revocation"), {}, OPERATING)
        later(monkeypatch, 10)
        assert custody.own(STACK).kid == old


def test_a_revoked_key_is_never_forgotten_however_many_follow(tmp_path: Path) -> None:
    with running(tmp_path) as node:
        who = member(node)
        old = node.keys[who.participant]
        node.post(path(who, f"/{old.kid}/revocation"), {"reason": "compromised"}, who)
        ended = [
            {**jose.SigningKey.generate().public, "exp": 1_700_000_000 + number}
            for number in range(MOST_KEPT + 5)
        ]
        node.service.app.state.exchange.settle(
            Participant,
            who.participant,
            lambda known: msgspec.structs.replace(known, keys=[*known.keys, *ended]),
        )
        unsigned = body(node, who, jose.SigningKey.generate())
        del unsigned["jws"]
        kept = [each["kid"] for each in node.post(path(who), unsigned, OPERATING)["keys"]]
        assert (len(kept), kept[0]) == (MOST_KEPT + 1, old.kid)
        assert ended[0]["kid"] not in kept
        assert ended[-1]["kid"] in kept
        newcomer = {"id": "urn:dmi:participant:taker", "name": "x", "roles": [], "keys": [old.public]}
        node.refused(node.ask("POST", "/v1/participants", OPERATING, json=newcomer), 409, "conflict")


def test_data_tokens_outlive_a_rotation_of_the_key_under_them(tmp_path: Path) -> None:
    with running(tmp_path) as node:
        exchange = node.service.app.state.exchange
        old = exchange.custody.own(EXCHANGE_PARTICIPANT)
        Keyring(exchange).renew(EXCHANGE_PARTICIPANT, HEARD_SECONDS)
        assert exchange.custody.own(EXCHANGE_PARTICIPANT).kid != old.kid
        signed = passes.sign_data(old, "http://x", STACK, "urn:a", "urn:t", int(clock.seconds()))
        own = partial(living_key, exchange.store, EXCHANGE_PARTICIPANT)
        assert passes.verify_data(signed, "http://x", own)["transfer"] == "urn:t"
        Keyring(exchange).revoke(EXCHANGE_PARTICIPANT, old.kid, "compromised")
        with pytest.raises(Unauthenticated):
            passes.verify_data(signed, "http://x", own)


def test_a_key_that_another_process_let_take_over_is_the_one_that_signs(tmp_path: Path) -> None:
    # Who has no law at hand, such as a command, lets none take over.
    here, beside, command = (Custody(tmp_path, hosting=True, announced=law) for law in (always, always, None))
    old = here.own("urn:dmi:participant:a").kid
    new = here.renew("urn:dmi:participant:a", int(clock.seconds())).kid
    assert new != old
    assert command.own("urn:dmi:participant:a").kid == old
    assert beside.own("urn:dmi:participant:a").kid == new
    assert here.own("urn:dmi:participant:a").kid == new
    assert command.own("urn:dmi:participant:a").kid == new


def test_a_key_that_was_made_earlier_takes_the_place_of_no_later_one(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    custody, now = Custody(tmp_path, hosting=True, announced=always), int(clock.seconds())
    name = "urn:dmi:participant:a"
    custody.own(name)
    custody.renew(name, now + HEARD_SECONDS)
    (waiting,) = tmp_path.glob("*@*.json")
    os.utime(waiting, (now - 1, now - 1))
    newer = custody.renew(name, now).kid
    assert custody.own(name).kid == newer
    monkeypatch.setattr(clock, "seconds", lambda: now + 2.0 * HEARD_SECONDS)
    assert custody.own(name).kid == newer
    assert not list(tmp_path.glob("*@*.json"))
