"""Who asks: access tokens verified with the keys that the law publishes."""

from __future__ import annotations

import time
from dataclasses import replace
from typing import Any

import pytest

from dmi_agreements.contracts.law import Participant
from dmi_agreements.keys import ended
from dmi_agreements.persons import LETTER_COUNTS
from dmi_agreements.table import LawTable
from dmi_infra import identity, jose
from dmi_infra.errors import Unauthenticated
from dmi_infra.identity import (
    AUDIENCE,
    EXCHANGE_PARTICIPANT,
    PAPER,
    Authenticator,
    Identity,
    LawBehind,
    UnknownHolder,
    UnknownKey,
)
from tests.unit.infra.fakes import OWNER, rulebook

ISSUER = "https://node.example/exchange"
NEWCOMER = "urn:dmi:participant:newcomer"
KEY, STRANGER = jose.SigningKey.generate(), jose.SigningKey.generate()


def token(key: jose.SigningKey, issuer: str = ISSUER, audience: str = AUDIENCE) -> str:
    now = int(time.time())
    return key.sign_token(jose.access_claims(issuer, audience, OWNER, "Ans", ["dmi:role:analyst"], now))


@pytest.fixture
def law() -> LawTable:
    table = LawTable(rulebook())
    table.apply(Participant(EXCHANGE_PARTICIPANT, "Exchange", [], [KEY.public], rulebook="1.0.0"))
    table.apply(Participant(OWNER, "Gemeente", [], [STRANGER.public], rulebook="1.0.0"))
    return table


def test_a_token_of_the_exchange_gives_an_identity(law: LawTable) -> None:
    found = Authenticator(ISSUER, law)(token(KEY))
    assert found == Identity(
        OWNER, "Ans", frozenset({"dmi:role:analyst"}), signed_with=KEY.kid, expires=found.expires
    )
    assert 0 < found.expires - time.time() <= 3600
    assert found.has("dmi:role:operator", "dmi:role:analyst")
    assert not found.has("dmi:role:operator")


def test_a_participant_cannot_issue_itself_a_token_with_its_own_key(law: LawTable) -> None:
    for issuer in (ISSUER, OWNER):
        with pytest.raises(Unauthenticated):
            Authenticator(ISSUER, law)(token(STRANGER, issuer))


def test_before_the_law_is_heard_no_token_holds() -> None:
    with pytest.raises(Unauthenticated, match="key"):
        Authenticator(ISSUER, LawTable(rulebook()))(token(KEY))


def test_a_token_of_another_node_with_the_same_key_is_refused(law: LawTable) -> None:
    with pytest.raises(Unauthenticated, match="issuer"):
        Authenticator(ISSUER, law)(token(KEY, "https://other.example/exchange"))
    with pytest.raises(Unauthenticated, match="audience"):
        Authenticator(ISSUER, law)(token(KEY, audience="urn:dmi:other"))


def test_when_the_exchange_changes_its_key_older_tokens_no_longer_hold(law: LawTable) -> None:
    old = token(KEY)
    law.apply(Participant(EXCHANGE_PARTICIPANT, "Exchange", [], [STRANGER.public], rulebook="1.0.0"))
    with pytest.raises(Unauthenticated, match="key"):
        Authenticator(ISSUER, law)(old)


def test_who_joined_before_the_law_tells_of_it_is_told_apart_from_a_key_that_ended(law: LawTable) -> None:
    mine = KEY.sign_token(
        jose.access_claims(ISSUER, AUDIENCE, NEWCOMER, "Bo", [], int(time.time()), client_kid=STRANGER.kid)
    )
    with pytest.raises(UnknownHolder) as refused:
        Authenticator(ISSUER, law)(mine)
    assert (refused.value.status, refused.value.code) == (401, "unknown-participant")
    law.apply(Participant(NEWCOMER, "Bo", [], [KEY.public], rulebook="1.0.0"))
    with pytest.raises(UnknownKey) as unheard:
        Authenticator(ISSUER, law)(mine)
    assert (unheard.value.status, unheard.value.code) == (401, "unknown-key")
    law.apply(Participant(NEWCOMER, "Bo", [], [ended(STRANGER.public, 1)], rulebook="1.0.0"))
    with pytest.raises(Unauthenticated, match="does not count any more") as over:
        Authenticator(ISSUER, law)(mine)
    assert not isinstance(over.value, LawBehind)
    law.apply(Participant(NEWCOMER, "Bo", [], [STRANGER.public], rulebook="1.0.0"))
    assert Authenticator(ISSUER, law)(mine).participant == NEWCOMER


class Moments:
    """The clocks that the authenticator reads, standing still until moved."""

    def __init__(self, patch: pytest.MonkeyPatch) -> None:
        self.now = time.time()
        patch.setattr(identity.time, "monotonic", lambda: self.now)
        patch.setattr(identity.time, "time", lambda: self.now)


def verifications(patch: pytest.MonkeyPatch) -> list[str]:
    """Tokens whose signature is checked from now on."""
    checked: list[str] = []
    verify = jose.verify_access

    def noting(given: str, *rest: Any) -> dict[str, Any]:
        checked.append(given)
        return verify(given, *rest)

    patch.setattr(jose, "verify_access", noting)
    return checked


def test_a_token_is_verified_once_a_second(law: LawTable, monkeypatch: pytest.MonkeyPatch) -> None:
    moments, checked = Moments(monkeypatch), verifications(monkeypatch)
    authenticate, mine = Authenticator(ISSUER, law), token(KEY)
    assert authenticate(mine) == authenticate(mine)
    assert checked == [mine]
    moments.now += identity.REMEMBERED_SECONDS
    authenticate(mine)
    assert checked == [mine, mine]


def test_a_key_that_was_removed_counts_no_longer_than_a_second(
    law: LawTable, monkeypatch: pytest.MonkeyPatch
) -> None:
    moments = Moments(monkeypatch)
    authenticate, mine = Authenticator(ISSUER, law), token(KEY)
    authenticate(mine)
    law.apply(Participant(EXCHANGE_PARTICIPANT, "Exchange", [], [STRANGER.public], rulebook="1.0.0"))
    moments.now += identity.REMEMBERED_SECONDS
    with pytest.raises(Unauthenticated, match="key"):
        authenticate(mine)


PERSON = "urn:dmi:person:brief"


def by_letter(made_at: int, now: float) -> str:
    """A token for the code of a letter that the person had made at a moment (microseconds)."""
    claims = jose.access_claims(
        ISSUER, AUDIENCE, PERSON, "Bo", [], int(now), method=PAPER, client=PERSON, letter=made_at
    )
    return KEY.sign_token(claims)


def lettered(law: LawTable, letter_at: int | None) -> None:
    law.apply(Participant(PERSON, "Bo", [], rulebook="1.0.0", letter_at=letter_at))


def test_a_token_for_the_code_of_a_letter_ends_with_that_code(
    law: LawTable, monkeypatch: pytest.MonkeyPatch
) -> None:
    moments, authenticate = Moments(monkeypatch), Authenticator(ISSUER, law)
    made = int(moments.now * 1_000_000)
    mine = by_letter(made, moments.now)
    for behind in (None, made - 1):
        lettered(law, behind)
        with pytest.raises(LawBehind, match="does not know the letter"):
            authenticate(mine)
    lettered(law, made)
    assert authenticate(mine).on_paper
    # Remembered for a second, it is asked of the law all the same.
    lettered(law, made + 1)
    with pytest.raises(Unauthenticated, match="after a new letter") as over:
        authenticate(mine)
    assert not isinstance(over.value, LawBehind), "nobody waits for what has ended"


def test_a_token_for_the_code_of_a_letter_ends_with_its_time(
    law: LawTable, monkeypatch: pytest.MonkeyPatch
) -> None:
    moments, authenticate = Moments(monkeypatch), Authenticator(ISSUER, law)
    made = int((moments.now + 60) * 1_000_000) - LETTER_COUNTS
    lettered(law, made)
    mine = by_letter(made, moments.now)
    assert authenticate(mine)
    moments.now += 61
    with pytest.raises(Unauthenticated, match="holds no more"):
        authenticate(mine)


def test_who_acts_for_a_child_by_the_code_of_a_letter_does_so_as_long_as_that_code_counts(
    law: LawTable, monkeypatch: pytest.MonkeyPatch
) -> None:
    moments, authenticate = Moments(monkeypatch), Authenticator(ISSUER, law)
    made = int(moments.now * 1_000_000)
    child = "urn:dmi:person:kind"
    lettered(law, made)
    law.apply(Participant(child, "Kim", [], representatives=[PERSON], letter_at=made - 1))
    # As the door of a route makes it of ``for``: the letter is its own, not the child's.
    found = replace(authenticate(by_letter(made, moments.now)), participant=child, acting=jose.Acting(PERSON))
    authenticate.check_keys(found)
    lettered(law, made + 1)
    with pytest.raises(Unauthenticated, match="after a new letter"):
        authenticate.check_keys(found)


def test_a_token_by_paper_that_names_no_letter_is_refused(law: LawTable) -> None:
    now = int(time.time())
    claims = jose.access_claims(ISSUER, AUDIENCE, PERSON, "Bo", [], now, method=PAPER, client=PERSON)
    for known in (None, now * 1_000_000):
        lettered(law, known)
        with pytest.raises(Unauthenticated, match="letter"):
            Authenticator(ISSUER, law)(KEY.sign_token(claims))
    for wrong in ("1", 1.5, True, None, [now]):
        with pytest.raises(Unauthenticated, match="not a moment"):
            Authenticator(ISSUER, law)(KEY.sign_token({**claims, "letter": wrong}))


def test_a_remembered_token_is_verified_again_once_it_has_expired(
    law: LawTable, monkeypatch: pytest.MonkeyPatch
) -> None:
    moments, checked = Moments(monkeypatch), verifications(monkeypatch)
    authenticate = Authenticator(ISSUER, law)
    claims = jose.access_claims(ISSUER, AUDIENCE, OWNER, "Ans", [], int(moments.now))
    mine = KEY.sign_token(claims)
    moments.now = claims["exp"] - 0.5
    authenticate(mine)
    moments.now = claims["exp"] + 0.1
    authenticate(mine)
    assert checked == [mine, mine]


def test_a_token_that_does_not_hold_is_not_remembered(law: LawTable, monkeypatch: pytest.MonkeyPatch) -> None:
    checked = verifications(monkeypatch)
    authenticate, forged = Authenticator(ISSUER, law), token(STRANGER)
    for _ in range(2):
        with pytest.raises(Unauthenticated):
            authenticate(forged)
    assert checked == [forged, forged]


def test_what_is_remembered_is_bounded(law: LawTable, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(identity, "REMEMBERED", 2)
    checked = verifications(monkeypatch)
    authenticate, first = Authenticator(ISSUER, law), token(KEY)
    for each in (first, token(KEY), token(KEY), first):
        authenticate(each)
    assert checked.count(first) == 2
