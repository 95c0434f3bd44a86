"""The attack list of the law's issue, each by its name, on a running stack.

| attack | test here | more of it |
|---|---|---|
| token for another audience | `test_token_for_another_audience` | `unit/infra/test_jose.py` |
| `alg` none and confusion | `test_alg_none_and_confusion` | `unit/infra/test_jose.py` |
| `kid` of another issuer | `test_kid_of_another_issuer` | `unit/exchange/test_keyring.py` |
| key injection by `jku`, `jwk`, `x5u` | `test_key_injection_by_header` | `unit/infra/test_certificates.py` |
| replayed assertion and proof | `test_replayed_assertion_and_proof` | `unit/exchange/test_tokens.py` |
| expired and not-yet-valid with skew | `test_expired_and_not_yet_valid_with_skew` | `unit/infra/test_jose.py` |
| tampered agreement after signing | `test_tampered_agreement_after_signing` | `unit/exchange/test_agreements.py` |
| downgraded rulebook | `test_downgraded_rulebook` | `unit/agreements/test_versions.py` |
| agreement of another assignee | `test_agreement_of_another_assignee` | `integration/test_attacks.py` |
| purpose swapped in the header | `test_purpose_swapped_in_the_header` | `integration/test_attacks.py` |
| dataset id with path tricks | `test_dataset_id_with_path_tricks` | `integration/test_bad_addresses.py` |
| SSRF by callback address | `test_ssrf_by_callback_address` | `unit/support_centre/test_webhooks.py` |
| huge and deeply nested JSON-LD | `test_huge_and_deeply_nested_json_ld` | `integration/test_bad_bodies.py` |
| JSON-LD with remote contexts | `test_json_ld_with_remote_contexts` | `unit/exchange/rdf/test_forms.py` |
| XML entities | `test_xml_entities` | |
| log record injection | `test_log_record_injection` | `unit/exchange/test_log.py` |
| race between revoke and deliver | `test_race_between_revoke_and_deliver` | `integration/test_stop.py` |

Attacks on credentials between nodes stand by their names in `unit/exchange/test_claims.py`, those of who may only
contribute on what others made in `unit/ingest/test_makers.py`, and terms that another node hides in its document in
`unit/agreements/test_dsp_agreed.py`, `unit/exchange/test_imports.py` and `conformance/dsp/test_two_nodes.py`.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
import re
import socket
import threading
import time
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import quote

import httpx
import pytest

from dmi_agreements.errors import PolicyRefused
from dmi_exchange.dsp.addresses import allowing
from dmi_exchange.dsp.client import Client
from dmi_exchange.errors import StepRefused
from dmi_exchange.keyring import announcement
from dmi_exchange.rdf.documents import read_text
from dmi_infra import jose
from dmi_infra.identity import AUDIENCE
from dmi_infra.jose import SigningKey
from tests.integration.newcomer import Newcomer, agree, join, publish
from tests.stack_plugin import ROOT, EmbeddedStack

MOBILITY, RESEARCH = "dmi:purpose:mobility", "dmi:purpose:research"
DOORS = (
    "/exchange/v1/agreements", "/ingest/v1/imports", "/platform/v1/rejects", "/visualisation/v1/background",
    "/support-centre/v1/rules",
)  # fmt: skip


@dataclass(frozen=True)
class Scene:
    """Who has something, somebody that it was agreed with, and who wants it without."""

    stack: EmbeddedStack
    owner: Newcomer
    friend: Newcomer
    thief: Newcomer
    dataset: str
    agreement: str

    @property
    def issuer(self) -> str:
        """Of the node's access tokens."""
        return f"{self.stack.url}/exchange"


@pytest.fixture(scope="module")
def scene(embedded_stack: EmbeddedStack) -> Scene:
    owner = join(embedded_stack, "listed-owner", ["dmi:role:provider"])
    friend = join(embedded_stack, "listed-friend", ["dmi:role:vendor"])
    thief = join(embedded_stack, "listed-thief", ["dmi:role:vendor"])
    dataset = publish(embedded_stack, owner, "secret")
    return Scene(
        embedded_stack, owner, friend, thief, dataset, shared(embedded_stack, owner, friend, dataset)
    )


def shared(stack: EmbeddedStack, owner: Newcomer, other: Newcomer, dataset: str) -> str:
    """An agreement to read, signed by both."""
    identifier = agree(stack, owner, other.id, dataset, ["dmi:read"], purpose=MOBILITY)
    document = owner.ask("GET", f"/exchange/v1/agreements/{identifier}").json()["document"]
    body = {"jws": other.key.sign_document(document)}
    answer = other.ask("POST", f"/exchange/v1/agreements/{identifier}/signature", json=body)
    assert answer.json()["state"] == "active"
    time.sleep(0.5)
    return identifier


def b64(value: bytes | Mapping[str, Any]) -> str:
    data = value if isinstance(value, bytes) else json.dumps(value).encode()
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()


def opened(token: str) -> tuple[dict[str, Any], dict[str, Any]]:
    head, claims, _ = token.split(".")
    return json.loads(base64.urlsafe_b64decode(head + "==")), json.loads(
        base64.urlsafe_b64decode(claims + "==")
    )


def signed(header: Mapping[str, Any], claims: Mapping[str, Any], key: SigningKey) -> str:
    """A token with exactly this header, signed rightly."""
    text = f"{b64(header)}.{b64(claims)}"
    algorithm = jose.jwt.api_jws.get_algorithm_by_name(key.algorithm)  # type: ignore[attr-defined]
    return f"{text}.{b64(algorithm.sign(text.encode(), key._key))}"


def statuses(scene: Scene, token: str) -> set[int]:
    headers = {"Authorization": f"Bearer {token}"}
    return {httpx.get(f"{scene.stack.url}{door}", headers=headers, timeout=30).status_code for door in DOORS}


def exchange_key(scene: Scene) -> SigningKey:
    """The node's own key: what an attacker would do who could have tokens signed for elsewhere."""
    return SigningKey.load_or_create(scene.stack.data_dir / "keys" / "participant_exchange.json")


def access(scene: Scene, **change: Any) -> dict[str, Any]:
    now = int(time.time())
    claims = jose.access_claims(scene.issuer, AUDIENCE, scene.owner.id, "x", ["dmi:role:provider"], now)
    return {**claims, **change}


def hand_in(scene: Scene, assertion: str) -> httpx.Response:
    form = {
        "grant_type": "client_credentials",
        "client_assertion_type": jose.ASSERTION_TYPE,
        "client_assertion": assertion,
    }
    return httpx.post(f"{scene.issuer}/token", data=form, timeout=30)


def assertion(scene: Scene, who: Newcomer, key: SigningKey | None = None, **change: Any) -> str:
    made = jose.make_assertion(key or who.key, who.id, f"{scene.issuer}/token", int(time.time()))
    header, claims = opened(made)
    return signed(header, claims | change, key or who.key)


def test_token_for_another_audience(scene: Scene) -> None:
    key = exchange_key(scene)
    assert statuses(scene, key.sign_token(access(scene))) <= {200, 403}
    for audience in ("urn:dmi:other", [AUDIENCE, "urn:dmi:other"], scene.issuer, ""):
        assert statuses(scene, key.sign_token(access(scene, aud=audience))) == {401}
    other_node = assertion(scene, scene.thief, aud="https://other.example/exchange/token")
    assert hand_in(scene, other_node).status_code == 401


def test_alg_none_and_confusion(scene: Scene) -> None:
    header, claims = opened(scene.owner.token)
    for algorithm in ("none", "None", "NONE", ""):
        assert statuses(scene, f"{b64({**header, 'alg': algorithm})}.{b64(claims)}.") == {401}
    (public, *_) = httpx.get(f"{scene.issuer}/.well-known/jwks.json").json()["keys"]
    text = f"{b64({**header, 'alg': 'HS256'})}.{b64(claims)}"
    for secret in (json.dumps(public).encode(), public["x"].encode(), b""):
        mac = hmac.new(secret, text.encode(), hashlib.sha256).digest()
        assert statuses(scene, f"{text}.{b64(mac)}") == {401}


def test_kid_of_another_issuer(scene: Scene) -> None:
    key, own = exchange_key(scene), scene.thief.key
    claims = access(scene)
    for header in ({"kid": own.kid}, {"kid": key.kid}):
        token = signed({"alg": own.algorithm, "typ": "at+jwt", **header}, claims, own)
        assert statuses(scene, token) == {401}
    assert statuses(scene, own.sign_token(access(scene, iss=scene.thief.id))) == {401}
    assert hand_in(scene, assertion(scene, scene.owner, own)).status_code == 401
    # The key of another is not registered either, so it can never speak for two.
    taken = {
        "id": "urn:dmi:participant:listed-two",
        "name": "x",
        "roles": [],
        "keys": [scene.owner.key.public],
    }
    with scene.stack.demo("operator") as operator:
        headers = operator._bearer()
    answer = httpx.post(f"{scene.issuer}/v1/participants", json=taken, headers=headers)
    assert answer.status_code == 409


def test_key_injection_by_header(scene: Scene) -> None:
    own = SigningKey.generate()
    for extra in (
        {"jwk": own.public}, {"jku": "https://evil.example/keys"}, {"x5u": "https://evil.example/cert"},
        {"x5c": ["AAAA"]}, {"crit": ["exp"], "exp": 1},
    ):  # fmt: skip
        header = {"alg": own.algorithm, "typ": "at+jwt", "kid": own.kid, **extra}
        assert statuses(scene, signed(header, access(scene), own)) == {401}
        claims = opened(assertion(scene, scene.owner))[1]
        assert hand_in(scene, signed({**header, "typ": "JWT"}, claims, own)).status_code == 401


def test_replayed_assertion_and_proof(scene: Scene) -> None:
    once = assertion(scene, scene.owner)
    assert [hand_in(scene, once).status_code for _ in range(3)] == [200, 401, 401]
    victim = join(scene.stack, "listed-replayed", ["dmi:role:vendor"])
    path, new = f"/exchange/v1/participants/{victim.id}/keys", SigningKey.generate()
    statement = announcement(victim.id, new.kid, 60)
    body = {
        "key": new.public, "jws": victim.key.sign_document(statement), "proof": new.sign_document(statement),
        "overlap_seconds": 60,
    }  # fmt: skip
    first = victim.ask("POST", path, json=body)
    assert first.status_code == 201
    again = victim.ask("POST", path, json=body)
    assert again.json()["keys"] == first.json()["keys"]
    assert scene.thief.ask("POST", path, json=body).status_code == 403
    assert victim.ask("POST", f"{path}/{new.kid}/revocation", json={}).status_code == 200
    assert victim.ask("POST", path, json=body).status_code == 409


def test_expired_and_not_yet_valid_with_skew(scene: Scene) -> None:
    """Five seconds of difference between clocks are allowed, no more, and no token gets longer by it."""
    key, now = exchange_key(scene), int(time.time())
    for change, wanted in (
        ({"iat": now - 600, "exp": now - 20}, {401}),
        ({"iat": now - 600, "exp": now - 2}, {200, 403}),
        ({"iat": now + 60, "exp": now + 600}, {401}),
        ({"iat": now + 2, "exp": now + 600}, {200, 403}),
    ):
        token = key.sign_token(access(scene, **change))
        headers = {"Authorization": f"Bearer {token}"}
        assert httpx.get(f"{scene.stack.url}{DOORS[2]}", headers=headers).status_code in wanted, change
    for change, status in (
        ({"iat": now - 90, "exp": now - 30}, 401), ({"iat": now + 60, "exp": now + 120}, 401),
        ({"nbf": now + 60}, 401), ({"exp": now + 3600}, 401), ({"nbf": now - 1}, 200),
    ):  # fmt: skip
        assert hand_in(scene, assertion(scene, scene.owner, **change)).status_code == status, change


def _draft(scene: Scene) -> dict[str, Any]:
    parameters = {
        "assigner": scene.owner.id, "assignee": scene.friend.id, "datasets": [scene.dataset],
        "purpose": MOBILITY, "actions": ["dmi:read"],
    }  # fmt: skip
    draft = {"template": "sensor-data", "parameters": parameters}
    found: dict[str, Any] = scene.owner.ask("POST", "/exchange/v1/agreements/draft", json=draft).json()
    return found


def test_tampered_agreement_after_signing(scene: Scene) -> None:
    document = _draft(scene)
    jws = scene.owner.key.sign_document(document)
    for change in (
        {"assignee": scene.thief.id},
        {"permission": document["permission"] * 2},
        {"prohibition": []},
    ):
        body = {"document": document | change, "jws": jws}
        assert scene.owner.ask("POST", "/exchange/v1/agreements", json=body).status_code == 400
    proposed = scene.owner.ask("POST", "/exchange/v1/agreements", json={"document": document, "jws": jws})
    assert proposed.status_code == 201
    wider = json.loads(json.dumps(document).replace("dmi:read", "dmi:export"))
    path = f"/exchange/v1/agreements/{proposed.json()['id']}/signature"
    answer = scene.friend.ask("POST", path, json={"jws": scene.friend.key.sign_document(wider)})
    assert answer.status_code == 400
    assert scene.owner.ask("GET", path.removesuffix("/signature")).json()["state"] == "proposed"


def test_downgraded_rulebook(scene: Scene) -> None:
    for version in ("0.9.0", "0.0.0", "9.9.9", "", None, 1):
        document = {**_draft(scene), "dmi:rulebook": version}
        body = {"document": document, "jws": scene.owner.key.sign_document(document)}
        assert scene.owner.ask("POST", "/exchange/v1/agreements", json=body).status_code == 400, version
    old = {"participant": scene.thief.id, "rulebook": "0.9.0", "statement": "accepts"}
    path = f"/exchange/v1/participants/{scene.thief.id}/signature"
    answer = scene.thief.ask("POST", path, json={"jws": scene.thief.key.sign_document(old)})
    assert answer.status_code == 400


def test_agreement_of_another_assignee(scene: Scene) -> None:
    door, headers = f"/platform/v1/latest?dataset={scene.dataset}", {"DMI-Purpose": MOBILITY}
    assert scene.friend.ask("GET", door, headers=headers).status_code == 200
    assert scene.thief.ask("GET", door, headers=headers).json()["type"] == "urn:dmi:problem:no-agreement"
    claimed = {**headers, "DMI-Agreement": scene.agreement, "DMI-Participant": scene.friend.id}
    for suffix in ("", f"&agreement={scene.agreement}", f"&assignee={scene.friend.id}"):
        assert scene.thief.ask("GET", door + suffix, headers=claimed).status_code in (400, 403)
    assert scene.thief.ask("GET", f"/exchange/v1/agreements/{scene.agreement}").status_code == 404


def test_purpose_swapped_in_the_header(scene: Scene) -> None:
    door = f"{scene.stack.url}/platform/v1/latest?dataset={scene.dataset}"
    bearer = ("Authorization", f"Bearer {scene.friend.token}")
    for values, wanted in (
        ([MOBILITY], {200}), ([RESEARCH], {403}), (["dmi:purpose:any"], {400}), ([f"{MOBILITY},{RESEARCH}"], {400}),
        ([MOBILITY.upper()], {400}), ([""], {400}), (["*"], {400}), ([RESEARCH, MOBILITY], {400, 403}),
    ):  # fmt: skip
        answer = httpx.get(door, headers=[bearer, *(("DMI-Purpose", value) for value in values)])
        assert answer.status_code in wanted, values


def test_dataset_id_with_path_tricks(scene: Scene) -> None:
    open_ = "urn:dmi:dataset:gemeente:neighbourhoods"
    for trick in (
        f"{open_}/../{scene.dataset}", f"{open_}%2f..%2f{scene.dataset}", f"../{scene.dataset}", "../../etc/passwd",
        f"{scene.dataset}\0", f"{scene.dataset}%00", f"{scene.dataset};{open_}", f"{scene.dataset}#{open_}",
        scene.dataset.upper(), f" {scene.dataset}", f"{scene.dataset}/", "..", "%2e%2e%2f",
    ):  # fmt: skip
        for path in (
            f"/platform/v1/latest?dataset={quote(trick, safe='')}", f"/visualisation/v1/layers/{quote(trick)}/features",
            f"/visualisation/v1/layers/{quote(trick, safe='')}/tiles/1/0/0",
            f"/exchange/v1/datasets/{quote(trick, safe='')}", f"/platform/v1/export?dataset={quote(trick, safe='')}",
        ):  # fmt: skip
            answer = scene.thief.ask("GET", path)
            # A redirect leads to the same address without the slash at its end.
            assert answer.status_code in (307, 400, 403, 404), (path, answer.status_code)
            assert "Traceback" not in answer.text
            assert "root:" not in answer.text


@pytest.mark.parametrize(
    "address",
    [
        "https://127.0.0.1/dsp", "https://localhost/dsp", "https://[::1]/dsp", "https://10.0.0.1/", "https://192.168.1.1/",
        "https://169.254.169.254/latest/meta-data", "https://172.16.0.1/", "https://0.0.0.0/", "https://2130706433/",
        "https://0x7f.1/", "https://[::ffff:127.0.0.1]/", "https://100.64.0.1/", "https://[fe80::1]/", "https://[fc00::1]/",
        "http://93.184.216.34/dsp", "file:///etc/passwd", "gopher://93.184.216.34/", "https://user@93.184.216.34/",
        "https://93.184.216.34/?x=1", "https://93.184.216.34/#x", "https://93.184.216.34:0/", "https://nowhere.invalid/",
    ],
)  # fmt: skip
def test_ssrf_by_callback_address(address: str) -> None:
    """In production: no address inside, in no disguise; with an allow-list none but those."""
    client = Client(lambda _address, _sender: None, public_only=True)
    try:
        with pytest.raises(StepRefused):
            client.check(address)
        client.check("https://93.184.216.34/dsp")
        listed = allowing(client.check, ["node.example", "93.184.216.35"])
        with pytest.raises(StepRefused, match="allow"):
            listed("https://93.184.216.34/dsp")
        with pytest.raises(StepRefused):
            listed(address)
        listed("https://93.184.216.35/dsp")
    finally:
        client.close()


def test_huge_and_deeply_nested_json_ld(scene: Scene) -> None:
    deep: Any = "x"
    for _ in range(400):
        deep = {"odrl:and": [deep]}
    document = {**_draft(scene), "permission": deep}
    for text, status in (
        (json.dumps({"document": document, "hosted": True}), 400),
        ('{"document": ' + '{"a":' * 9_000 + "1" + "}" * 9_000 + ', "hosted": true}', 400),
        ('{"document": ' + '{"a":' * 20_000 + "1" + "}" * 20_000 + ', "hosted": true}', 413),
        ("[" * 9_000, 400),
        ("[" * 100_000, 413),
    ):
        headers = {"Content-Type": "application/json"}
        answer = scene.owner.ask("POST", "/exchange/v1/agreements", content=text, headers=headers)
        assert answer.status_code == status, text[:40]
    huge = {"document": {**_draft(scene), "description": "x" * (2 * 1024 * 1024)}, "hosted": True}
    assert scene.owner.ask("POST", "/exchange/v1/agreements", json=huge).status_code in (400, 413)
    begun = time.monotonic()
    for text in ("[" * 200_000 + "]" * 200_000, '{"a":' * 5_000 + "1" + "}" * 5_000, " " * (5 * 1024 * 1024)):
        with pytest.raises(PolicyRefused):
            read_text(text)
    assert time.monotonic() - begun < 5


def test_json_ld_with_remote_contexts(scene: Scene) -> None:
    """Contexts come from the project: an unknown one is refused, and nobody is asked for it."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        listener.settimeout(0.5)
        url = f"http://127.0.0.1:{listener.getsockname()[1]}/context.jsonld"
        for context in (
            url,
            [url],
            {"@import": url},
            {"x": {"@id": "y", "@context": url}},
            {"@context": url},
        ):
            document = {**_draft(scene), "@context": context}
            body = {"document": document, "jws": scene.owner.key.sign_document(document)}
            assert scene.owner.ask("POST", "/exchange/v1/agreements", json=body).status_code == 400, context
            with pytest.raises(PolicyRefused):
                read_text(json.dumps({"@context": context, "@type": "Set", "uid": "urn:x"}))
        with pytest.raises(TimeoutError):
            listener.accept()


def test_xml_entities(scene: Scene) -> None:
    """No door reads XML: bodies of it are refused, and no code of ours holds a parser that could expand it."""
    bomb = '<?xml version="1.0"?><!DOCTYPE a [<!ENTITY x SYSTEM "file:///etc/passwd">]><a>&x;</a>'
    for media in ("application/xml", "text/xml", "application/rdf+xml", "application/json"):
        for path in ("/exchange/v1/agreements", "/exchange/dsp/negotiations/request", "/ingest/v1.1/Things"):
            answer = scene.owner.ask("POST", path, content=bomb, headers={"Content-Type": media})
            assert answer.status_code in (400, 404, 415), (path, media)
            assert "root:" not in answer.text
    files = {"file": ("a.csv", bomb)}
    params = {"kind": "birmingham-parking", "dataset": scene.dataset}
    answer = scene.owner.ask("POST", "/ingest/v1/imports", params=params, files=files)
    assert "root:" not in answer.text
    with pytest.raises(PolicyRefused):
        read_text(bomb)
    parsers = re.compile(
        r"fromstring\(|XMLParser|iterparse|ElementTree\.parse|minidom|expat|lxml|format=\"xml\""
    )
    found = [
        path for folder in ("agreements", "infra", "services") for path in (ROOT / folder).rglob("*.py")
        if "node_modules" not in path.parts and parsers.search(Path(path).read_text(encoding="utf-8"))
    ]  # fmt: skip
    assert found == []


def test_log_record_injection(scene: Scene) -> None:
    """What a caller names ends up in one record and one line, whatever it looks like."""
    forged = json.dumps({"event": "forged-by-thief", "level": "info"})
    names = (
        f"x\n{forged}", f"x\r\n{forged}\r\n", f"x\u2028{forged}", '","allowed":true,"x":"', "x\x1b[2Jx", "x" * 5000,
    )  # fmt: skip
    for name in names:
        answer = scene.thief.ask("GET", "/platform/v1/latest", params={"dataset": name})
        assert answer.status_code in (400, 403)
        scene.thief.ask("GET", f"/platform/v1/{quote(name)}")
    for header in ("traceparent", "User-Agent", "X-Request-Id"):
        scene.thief.ask("GET", "/platform/v1/rejects", headers={header: forged})
    time.sleep(1.5)
    for line in scene.stack.logs().splitlines():
        assert not line.startswith('{"event": "forged')
    items = scene.thief.ask("GET", "/exchange/v1/log?newest=true&limit=1000").json()["items"]
    assert items
    assert not [each for each in items if each["allowed"] and each["assignee"] != scene.thief.id]
    with scene.stack.demo("operator") as operator:
        assert operator.get("/exchange/v1/log/verify")["ok"]


def test_race_between_revoke_and_deliver(scene: Scene) -> None:
    """While several read as fast as they can, a revocation comes between: a second later nothing passes."""
    identifier = shared(scene.stack, scene.owner, scene.thief, scene.dataset)
    door, headers = f"/platform/v1/latest?dataset={scene.dataset}", {"DMI-Purpose": MOBILITY}
    stop, passed = threading.Event(), list[float]()

    def read() -> None:
        while not stop.is_set():
            begun = time.monotonic()
            if scene.thief.ask("GET", door, headers=headers).status_code == 200:
                passed.append(begun)

    with ThreadPoolExecutor(3) as pool:
        readers = [pool.submit(read) for _ in range(3)]
        time.sleep(0.7)
        ended = scene.owner.ask("POST", f"/exchange/v1/agreements/{identifier}/end", json={"reason": "race"})
        answered = time.monotonic()
        time.sleep(1.5)
        stop.set()
        for reader in readers:
            reader.result()
    assert ended.status_code == 200
    assert [at for at in passed if at < answered]
    assert [at for at in passed if at > answered + 1] == []
