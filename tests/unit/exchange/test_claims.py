"""What a node believes of the credentials that another one shows (DCP 1.0), and each attack on that by its name."""

from __future__ import annotations

import base64
import json
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import httpx
import jwt
import pytest
from pydantic import ValidationError

from dmi_exchange.dcp import messages
from dmi_exchange.dcp.credentials import ENVELOPE, Judge
from dmi_exchange.dcp.did import LARGEST_DOCUMENT, Resolver, address_of, of_address
from dmi_exchange.dcp.holder import Holder
from dmi_exchange.dcp.proof import ByClaims
from dmi_exchange.dcp.selfissued import SelfIssued
from dmi_exchange.dsp.client import Client, Unreachable
from dmi_exchange.dsp.door import Speaker
from dmi_exchange.errors import StepRefused
from dmi_exchange.settings import ExchangeSettings
from dmi_infra import claims, jose
from dmi_infra.errors import InputRefused, Unauthenticated, Unavailable
from tests.unit.exchange.issuing import BITS, Membership, Party, Site

MEMBER = "urn:dmi:participant:gemeente"
NODE = "https://a.example/exchange"
ASKED = ("POST", f"{NODE}/dsp/catalog/request", b"{}")
QUERY = "/a/dcp/presentations/query"


class Uses:
    """Remembers what was used, as the store does."""

    def __init__(self) -> None:
        self._used: set[str] = set()

    def __call__(self, what: str, _expires: int) -> bool:
        fresh = what not in self._used
        self._used.add(what)
        return fresh


class Meeting:
    """A shows its credential to B, over a transport in memory."""

    def __init__(self, folder: Path) -> None:
        self.site = Site("http://127.0.0.1:1")
        self.issuer = Membership(self.site, "issuer")
        self.second = Membership(self.site, "second")
        self.a = Party(self.site, "a", CredentialService=f"{self.site.url}/a/dcp")
        self.b, self.other = Party(self.site, "b"), Party(self.site, "other")
        self.folder = folder
        self.keep(self.issuer.issue(self.a.did, MEMBER))
        client = Client(lambda *_: None, False, httpx.MockTransport(self._answer))
        resolver = Resolver(client, client.check, secure=False)
        used = Uses()
        self.holder = self._holder(self.a, folder, used)
        self.shown: Callable[[str], list[str]] | None = None
        self._tokens = SelfIssued(resolver, self.a.did, {self.b.did, self.other.did}.__contains__, used)
        self.proof = ByClaims(
            SelfIssued(resolver, self.b.did, {self.a.did}.__contains__, Uses()),
            self._holder(self.b, None, used),
            Judge(resolver, self.b.did, [self.issuer.did, self.second.did]),
            resolver,
            client,
            {self.a.did: NODE}.get,
        )

    @staticmethod
    def _holder(party: Party, folder: Path | None, used: Uses) -> Holder:
        return Holder(party.key, party.did, folder, lambda: [party.key.public], used)

    def keep(self, *credentials: str) -> None:
        for file in self.folder.glob("*.jwt"):
            file.unlink()
        for place, credential in enumerate(credentials):
            (self.folder / f"{place}.jwt").write_text(credential)

    def _answer(self, request: httpx.Request) -> httpx.Response:
        if request.url.path != QUERY:
            page = self.site.page(request.url.path)
            return httpx.Response(404 if page is None else 200, content=page or b"")
        try:
            sender = self._tokens.judge(request.headers["authorization"].removeprefix("Bearer "))
            scopes = messages.read_query(json.loads(request.content))
            did = sender.document.did
            found = self.shown(did) if self.shown else self.holder.present(did, sender.token, scopes)
        except InputRefused as exc:
            return httpx.Response(exc.status, json={"detail": str(exc)})
        return httpx.Response(200, json=messages.response(found))

    def introduce(self) -> str:
        return self.holder.introduce(MEMBER, self.b.did)

    def prove(self, token: str | None = None) -> Speaker:
        return self.proof.prove(token or self.introduce(), ASKED)

    def present(self, *credentials: str, by: Party | None = None, to: str = "", **changes: Any) -> None:
        """Have A's credential service show these, in a presentation of its own making."""
        party = by or self.a

        def made(audience: str) -> list[str]:
            says = {
                "@context": [messages.VC_CONTEXT],
                "type": ["VerifiablePresentation"],
                "holder": party.did,
                "verifiableCredential": [
                    {"id": ENVELOPE + each, "type": "EnvelopedVerifiableCredential"} for each in credentials
                ],
            } | changes
            return [claims.sign_presentation(party.key, party.did, to or audience, int(time.time()), says)]

        self.shown = made

    def refuses(self, rule: str, token: str | None = None) -> None:
        with pytest.raises(Unauthenticated, match=rule):
            self.prove(token)

    def said(self, **changes: Any) -> dict[str, Any]:
        """The claims of a token that A could send."""
        return jwt.decode(self.introduce(), options={"verify_signature": False}) | changes


@pytest.fixture
def meeting(tmp_path: Path) -> Meeting:
    return Meeting(tmp_path)


def test_the_sender_is_the_participant_that_its_credential_names(meeting: Meeting) -> None:
    assert meeting.proof.takes(meeting.introduce())
    assert meeting.prove() == Speaker(NODE, MEMBER)


# -- the token --------------------------------------------------------------


def test_wrong_audience(meeting: Meeting) -> None:
    meeting.refuses("another audience", meeting.holder.introduce(MEMBER, meeting.other.did))


def test_replayed_jti(meeting: Meeting) -> None:
    token = meeting.introduce()
    meeting.prove(token)
    meeting.refuses("used before", token)


def test_alg_none(meeting: Meeting) -> None:
    parts = [{"alg": "none", "typ": "JWT", "kid": f"{meeting.a.did}#{meeting.a.key.kid}"}, meeting.said()]
    head, body = (base64.urlsafe_b64encode(json.dumps(p).encode()).rstrip(b"=").decode() for p in parts)
    meeting.refuses("algorithm", f"{head}.{body}.")


@pytest.mark.parametrize("member", ["jwk", "jku", "x5c", "x5u"])
def test_key_from_the_header(meeting: Meeting, member: str) -> None:
    mine = jose.SigningKey.generate()
    headers = {"kid": f"{meeting.a.did}#{mine.kid}", member: mine.public}
    meeting.refuses("header", jwt.encode(meeting.said(), mine._key, "ES256", headers))


def test_key_that_is_not_in_the_document_or_of_another_did(meeting: Meeting) -> None:
    other = meeting.other
    meeting.refuses("DID document", other.key.sign_token(meeting.said(), "JWT", meeting.a.did))
    meeting.refuses("another DID", other.key.sign_token(meeting.said(), "JWT", other.did))


def test_key_that_its_document_has_for_another_use(meeting: Meeting) -> None:
    meeting.a.publish(capabilityInvocation=[])
    meeting.refuses("for this use")


@pytest.mark.parametrize(
    ("changes", "rule"),
    [
        ({"sub": MEMBER}, "same DID"),
        ({"exp": 10}, "expired"),
        ({"exp": 9_999_999_999}, "at most 300 seconds"),
        ({"exp": "9999999999"}, "at most 300 seconds"),
        ({"exp": "soon"}, "does not hold"),
        ({"nbf": 9_999_999_999}, "does not hold"),
        ({"token": None}, "access token"),
        ({"jti": None}, "identifier|does not hold"),
    ],
)
def test_claims_of_a_token_that_do_not_hold(meeting: Meeting, changes: dict[str, Any], rule: str) -> None:
    said = {name: value for name, value in meeting.said(**changes).items() if value is not None}
    meeting.refuses(rule, meeting.a.key.sign_token(said, "JWT", meeting.a.did))


def test_did_that_is_not_known_is_not_even_asked_for_its_document(meeting: Meeting) -> None:
    other = meeting.other
    said = meeting.said(iss=other.did, sub=other.did)
    meeting.site.asked.clear()
    meeting.refuses("does not know", other.key.sign_token(said, "JWT", other.did))
    assert meeting.site.asked == []


# -- the document -----------------------------------------------------------


def test_key_that_another_did_controls(meeting: Meeting) -> None:
    name = f"{meeting.a.did}#{meeting.a.key.kid}"
    entry = {"id": name, "controller": meeting.other.did, "publicKeyJwk": meeting.a.key.public}
    meeting.a.publish(verificationMethod=[entry])
    meeting.refuses("DID document")


@pytest.mark.parametrize("host", ["10.0.0.1", "127.0.0.1", "169.254.169.254", "localhost"])
def test_did_document_of_a_private_address_in_production(host: str) -> None:
    asked: list[httpx.Request] = []

    def answer(request: httpx.Request) -> httpx.Response:
        asked.append(request)
        return httpx.Response(200)

    client = Client(lambda *_: None, True, httpx.MockTransport(answer))
    with pytest.raises(Unauthenticated, match="does not ask"):
        Resolver(client, client.check, secure=True).document(f"did:web:{host}")
    assert asked == []


def test_huge_document(meeting: Meeting) -> None:
    meeting.a.publish(more="x" * LARGEST_DOCUMENT)
    with pytest.raises(Unavailable):
        meeting.prove()


@pytest.mark.parametrize(
    ("changes", "rule"),
    [
        ({"id": "did:web:elsewhere.example"}, "another DID"),
        ({"service": []}, "CredentialService"),
        ({"verificationMethod": [{}] * 101}, "at most 100"),
        ({"verificationMethod": "x"}, "list"),
    ],
)
def test_documents_that_say_nothing_of_use(meeting: Meeting, changes: dict[str, Any], rule: str) -> None:
    meeting.a.publish(**changes)
    meeting.refuses(rule)


def test_dids_lead_to_where_their_method_has_it() -> None:
    assert address_of("did:web:city.example", True) == "https://city.example/.well-known/did.json"
    did = of_address("https://city.example:8443/exchange")
    assert did == "did:web:city.example%3A8443:exchange"
    assert address_of(did, False) == "https://city.example:8443/exchange/did.json"
    assert address_of("did:web:127.0.0.1%3A80:x", False) == "http://127.0.0.1:80/x/did.json"
    assert address_of("did:web:127.0.0.1%3A80:x", True) == "https://127.0.0.1:80/x/did.json"


# -- the presentation and its credentials -----------------------------------


def test_credential_of_another_holder(meeting: Meeting) -> None:
    meeting.present(meeting.issuer.issue(meeting.other.did, MEMBER))
    meeting.refuses("another than its holder")


def test_presentation_of_another_holder(meeting: Meeting) -> None:
    good = meeting.issuer.issue(meeting.a.did, MEMBER)
    meeting.present(good, holder=meeting.other.did)
    meeting.refuses("another holder")
    meeting.present(good, by=meeting.other)
    meeting.refuses("another DID")
    meeting.present(good, to=meeting.other.did)
    meeting.refuses("another audience")


def test_untrusted_issuer(meeting: Meeting) -> None:
    meeting.present(Membership(meeting.site, "somebody").issue(meeting.a.did, MEMBER))
    meeting.refuses("not one that this node trusts")


def test_issuer_that_did_not_sign(meeting: Meeting) -> None:
    forged = Membership(meeting.site, "somebody")
    forged.did = meeting.issuer.did
    meeting.present(forged.issue(meeting.a.did, MEMBER))
    meeting.refuses("DID document")


@pytest.mark.parametrize(
    ("changes", "rule"),
    [
        ({"validUntil": "2020-01-01T00:00:00Z"}, "expired"),
        ({"validFrom": "2999-01-01T00:00:00Z"}, "not valid yet"),
        ({"validUntil": "2999-01-01T00:00:00"}, "time zone"),
        ({"validUntil": 5}, "moment"),
        ({"type": ["VerifiableCredential", "OtherCredential"]}, "MembershipCredential"),
        ({"@context": ["https://www.w3.org/2018/credentials/v1"]}, "2.0"),
        ({"credentialStatus": {"type": "StatusList2021Entry"}}, "BitstringStatusListEntry"),
        ({"credentialStatus": []}, "1 to"),
        ({"credentialStatus": {"type": "BitstringStatusListEntry", "statusPurpose": []}}, "one bit"),
        ({"credentialSubject": []}, "one subject"),
        ({"issuer": {}}, "trusts"),
        ({"iss": "did:web:elsewhere.example"}, "another issuer"),
    ],
)
def test_credentials_that_do_not_hold(meeting: Meeting, changes: dict[str, Any], rule: str) -> None:
    meeting.present(meeting.issuer.issue(meeting.a.did, MEMBER, **changes))
    meeting.refuses(rule)


def test_two_participants_in_one_presentation(meeting: Meeting) -> None:
    issue = meeting.issuer.issue
    meeting.present(issue(meeting.a.did, MEMBER), issue(meeting.a.did, "urn:dmi:participant:derde"))
    meeting.refuses("one participant")


def test_revoked_by_the_status_list(meeting: Meeting) -> None:
    meeting.issuer.withdraw(6, 8)
    assert meeting.prove().participant == MEMBER
    meeting.issuer.withdraw(7)
    meeting.refuses("withdrawn")


def test_status_list_that_cannot_be_had(meeting: Meeting) -> None:
    del meeting.site.pages["/issuer/list"]
    with pytest.raises(Unavailable):
        meeting.prove()


@pytest.mark.parametrize(
    ("changes", "rule"),
    [
        ({"validUntil": "2020-01-01T00:00:00Z"}, "expired"),
        ({"id": "https://elsewhere.example/list"}, "another than the credential names"),
        ({"credentialSubject": {"type": "BitstringStatusList", "statusPurpose": "suspension"}}, "purpose"),
        (
            {"credentialSubject": {
                "type": "BitstringStatusList", "statusPurpose": "revocation", "encodedList": "uH4sIAAAAAAAA",
            }},
            "cut off",
        ),
    ],
    ids=["expired", "other list", "other purpose", "cut off"],
)  # fmt: skip
def test_status_lists_that_tell_nothing(meeting: Meeting, changes: dict[str, Any], rule: str) -> None:
    meeting.issuer.withdraw(**changes)
    meeting.refuses(rule)


def test_status_list_of_another_issuer_or_without_a_place_for_the_credential(meeting: Meeting) -> None:
    def status(index: int, address: str) -> dict[str, Any]:
        return {
            "type": "BitstringStatusListEntry", "statusPurpose": "revocation", "statusListIndex": str(index),
            "statusListCredential": address,
        }  # fmt: skip

    issue = meeting.issuer.issue
    meeting.present(issue(meeting.a.did, MEMBER, credentialStatus=status(7, meeting.second.list_url)))
    meeting.refuses("another issuer")
    meeting.present(issue(meeting.a.did, MEMBER, credentialStatus=status(BITS, meeting.issuer.list_url)))
    meeting.refuses("no place")


# -- the holder -------------------------------------------------------------


def test_an_access_token_opens_credentials_once_and_for_its_audience_alone(meeting: Meeting) -> None:
    token = meeting.said()["token"]
    scopes = [f"{messages.BY_TYPE}MembershipCredential"]
    with pytest.raises(Unauthenticated, match="given to another"):
        meeting.holder.present(meeting.other.did, token, scopes)
    assert len(meeting.holder.present(meeting.b.did, token, scopes)) == 1
    with pytest.raises(Unauthenticated, match="used before"):
        meeting.holder.present(meeting.b.did, token, scopes)
    with pytest.raises(Unauthenticated, match="not given by this node"):
        meeting.holder.present(meeting.b.did, meeting.introduce(), scopes)


def test_a_holder_shows_what_was_asked_of_one_participant_and_no_more(meeting: Meeting) -> None:
    def shown(scope: str) -> list[str]:
        return meeting.holder.present(meeting.b.did, meeting.said()["token"], [scope])

    assert shown(f"{messages.BY_TYPE}OtherCredential") == []
    assert len(shown(f"{messages.BY_ID}{meeting.issuer.url}/credentials/7")) == 1
    meeting.keep(meeting.issuer.issue(meeting.a.did, MEMBER, validUntil="2020-01-01T00:00:00Z"))
    with pytest.raises(Unreachable, match="no credential"):
        meeting.introduce()
    meeting.keep(meeting.issuer.issue(meeting.a.did, "urn:dmi:participant:derde"), "x")
    with pytest.raises(Unreachable, match="no credential"):
        meeting.introduce()


@pytest.mark.parametrize(
    ("changes", "field", "status"),
    [
        ({"@context": []}, "@context", 400),
        ({"type": "x"}, "type", 400),
        ({"scope": []}, "scope", 400),
        ({"scope": ["x"]}, "scope/0", 400),
        ({"presentationDefinition": {}}, "scope", 400),
        ({"presentationDefinition": {}, "scope": None}, "presentationDefinition", 501),
    ],
)
def test_queries_that_are_refused_tell_why(changes: dict[str, Any], field: str, status: int) -> None:
    body = messages.query([f"{messages.BY_TYPE}X"]) | changes
    with pytest.raises(InputRefused) as caught:
        messages.read_query({name: value for name, value in body.items() if value is not None})
    assert (caught.value.errors[0].field, caught.value.status) == (field, status)


@pytest.mark.parametrize(
    ("given", "rule"),
    [
        ({"env": "production", "dcp_issuers": "did:web:authority.example"}, "https://"),
        ({"dcp_issuers": "did:key:z6Mk"}, "did:web"),
        ({"dcp_credentials": "."}, "DMI_DCP_ISSUERS"),
        ({"dsp_nodes": '[{"url": "https://b.example", "did": "did:web:b.example"}]'}, "DMI_DCP_ISSUERS"),
        (
            {
                "dcp_issuers": "did:web:authority.example",
                "dsp_nodes": '[{"url": "https://b.example", "did": "did:web:b.example"},'
                ' {"url": "https://c.example", "did": "did:web:b.example"}]',
            },
            "two nodes",
        ),
    ],
)
def test_settings_by_which_nobody_could_be_let_in_safely_are_refused(
    given: dict[str, Any], rule: str
) -> None:
    with pytest.raises(ValidationError, match=rule):
        ExchangeSettings(**given)


def test_the_protocol_is_off_unless_issuers_are_trusted() -> None:
    assert ExchangeSettings().dcp_issuers == ()


@pytest.mark.parametrize("address", ["https://xn--/", "https://a..b/", "https://[64:ff9b::7f00:1]/"])
def test_an_address_that_is_no_name_or_leads_inside_is_refused(address: str) -> None:
    client = Client(lambda *_: None, True, httpx.MockTransport(lambda _: httpx.Response(200)))
    with pytest.raises(StepRefused):
        client.check(address)
    with pytest.raises(Unreachable):
        client.get(address)
