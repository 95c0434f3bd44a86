"""People sign in with an OpenID Connect provider: the whole way, and every way in which it must fail."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

import httpx
import pytest
from pydantic import SecretStr, ValidationError

from dmi_exchange.settings import ExchangeSettings, Membership
from dmi_infra import jose, tickets
from tests.integration.oidc_provider import CLIENT, SECRET, Provider
from tests.integration.oidc_provider import running as provider_running
from tests.unit.exchange.fakes import Node, furnish, running
from tests.unit.infra.fakes import NOOR, OWNER

MEMBERS = (
    Membership(claim="email", value="Fatima@waterstad.example", participant=OWNER, roles=("dmi:role:municipality",)),
    Membership(claim="role", value="analysts", participant=OWNER, roles=("dmi:role:analyst",)),
    Membership(claim="sub", value="noor", participant=NOOR, roles=("dmi:role:resident",)),
    Membership(claim="sub", value="left", participant="urn:dmi:participant:gone", roles=("dmi:role:vendor",)),
)  # fmt: skip
FATIMA = {"sub": "u1", "name": "Fatima", "email": "fatima@WATERSTAD.example", "email_verified": True}


@pytest.fixture(scope="module")
def provider() -> Iterator[Provider]:
    made = Provider()
    with provider_running(made):
        yield made


@pytest.fixture(scope="module")
def shared(provider: Provider, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Node]:
    with running(
        tmp_path_factory.mktemp("oidc"), public_url="http://node", oidc_issuer=provider.issuer, oidc_client_id=CLIENT,
        oidc_client_secret=SecretStr(SECRET), oidc_members=MEMBERS,
    ) as made:  # fmt: skip
        furnish(made)
        yield made


@pytest.fixture
def node(shared: Node, provider: Provider) -> Iterator[Node]:
    """A browser that has not been here, and a provider that does what it should."""
    shared.client.cookies.clear()
    provider.claims, provider.change = dict(FATIMA), {}
    provider.algorithm, provider.broken, provider.kid = "RS256", "", provider.kid
    yield shared
    shared.client.cookies.clear()


def begin(node: Node) -> str:
    """The address of the provider that the browser is sent to; its cookie is kept."""
    answer = node.ask("GET", "/v1/oidc/login")
    assert answer.status_code == 303, answer.text
    cookie = answer.headers["set-cookie"].lower()
    assert "httponly" in cookie
    assert "samesite=lax" in cookie
    assert "path=/exchange/v1/oidc" in cookie
    assert answer.headers["cache-control"] == "no-store"
    # The application stands under /exchange; here it is asked directly, so its cookies are carried by hand.
    node.client.cookies.clear()
    node.client.cookies.set("dmi_sign_in", _cookie(answer, "dmi_sign_in"))
    return str(answer.headers["location"])


def _cookie(answer: httpx.Response, name: str) -> str:
    for line in answer.headers.get_list("set-cookie"):
        key, _, rest = line.partition("=")
        if key == name:
            return rest.partition(";")[0].strip('"')
    return ""


def at_provider(address: str) -> dict[str, str]:
    """What the provider sends the browser back with."""
    answer = httpx.get(address, follow_redirects=False)
    assert answer.headers["location"].startswith("http://node/exchange/v1/oidc/callback?")
    return {name: values[0] for name, values in parse_qs(urlsplit(answer.headers["location"]).query).items()}


def back(node: Node, given: dict[str, str]) -> httpx.Response:
    answer = node.ask("GET", "/v1/oidc/callback", params=given)
    if answer.status_code == 303:
        node.client.cookies.clear()
        node.client.cookies.set("dmi_signed_in", _cookie(answer, "dmi_signed_in"))
    return answer


def sign_in(node: Node) -> httpx.Response:
    return back(node, at_provider(begin(node)))


def whoami(node: Node, token: str) -> Any:
    return node.runner.run(node.client.get("/v1/me", headers={"Authorization": f"Bearer {token}"})).json()


def test_a_person_signs_in_and_gets_a_token_that_never_stood_in_an_address(node: Node) -> None:
    answer = sign_in(node)
    assert answer.status_code == 303, answer.text
    assert answer.headers["location"] == "http://node/#signed-in"
    assert "samesite=strict" in answer.headers["set-cookie"].lower()
    issued = node.ask("POST", "/v1/oidc/token")
    assert issued.status_code == 200, issued.text
    assert issued.headers["cache-control"] == "no-store"
    me = whoami(node, issued.json()["access_token"])
    assert (me["participant"], me["name"], me["roles"]) == (OWNER, "Fatima", ["dmi:role:municipality"])


def test_an_ec_key_and_a_key_that_the_provider_changed_are_found(node: Node, provider: Provider) -> None:
    assert sign_in(node).status_code == 303
    provider.algorithm, provider.kid = "ES256", f"{provider.kid}-new"
    oidc_again = pytest.MonkeyPatch()
    oidc_again.setattr("dmi_exchange.oidc.AGAIN_SECONDS", 0.0)
    try:
        assert sign_in(node).status_code == 303
    finally:
        provider.algorithm, provider.kid = "RS256", f"{provider.kid}-newer"
        assert sign_in(node).status_code == 303
        oidc_again.undo()


def test_groups_join_their_roles(node: Node, provider: Provider) -> None:
    provider.claims = FATIMA | {"roles": ["analysts", "cyclists"]}
    sign_in(node)
    token = node.ask("POST", "/v1/oidc/token").json()["access_token"]
    assert whoami(node, token)["roles"] == ["dmi:role:analyst", "dmi:role:municipality"]


def test_who_is_not_admitted_is_refused(node: Node, provider: Provider) -> None:
    for claims in ({"sub": "u9"}, FATIMA | {"email_verified": False}, FATIMA | {"email_verified": "true"}):
        provider.claims = claims
        node.client.cookies.clear()
        node.refused(sign_in(node), 403, "unknown-participant")
    provider.claims = {"sub": "left"}
    assert sign_in(node).status_code == 303
    node.refused(node.ask("POST", "/v1/oidc/token"), 403, "inactive-participant")


BAD: dict[str, dict[str, Any]] = {
    "another nonce": {"nonce": "x"},
    "no nonce": {"nonce": None},
    "another audience": {"aud": "other"},
    "two audiences and no authorised party": {"aud": [CLIENT, "other"]},
    "issued to another party": {"azp": "other"},
    "another issuer": {"iss": "https://evil.example"},
    "expired": {"exp": 1},
    "without expiry": {"exp": None},
    "issued in the future": {"iat": 2**40},
    "without subject": {"sub": None},
}


@pytest.mark.parametrize("name", BAD)
def test_an_id_token_is_refused_for(node: Node, provider: Provider, name: str) -> None:
    provider.change = BAD[name]
    node.refused(sign_in(node), 401, "unauthenticated")


@pytest.mark.parametrize("algorithm", ["none", "HS256"])
def test_an_id_token_with_another_algorithm_than_its_key_is_refused(
    node: Node, provider: Provider, algorithm: str
) -> None:
    provider.algorithm = algorithm
    node.refused(sign_in(node), 401, "unauthenticated")


def test_an_id_token_signed_by_another_key_of_the_same_name_is_refused(
    node: Node, provider: Provider
) -> None:
    assert sign_in(node).status_code == 303
    kept, provider.rsa_key = provider.rsa_key, Provider().rsa_key
    try:
        node.refused(sign_in(node), 401, "unauthenticated")
    finally:
        provider.rsa_key = kept


def test_another_state_or_another_browser_is_refused(node: Node) -> None:
    given = at_provider(begin(node))
    node.refused(back(node, given | {"state": "x"}), 401, "unauthenticated")
    given = at_provider(begin(node))
    node.client.cookies.clear()
    node.refused(back(node, given), 401, "unauthenticated")
    first = at_provider(begin(node))
    begin(node)
    node.refused(back(node, first), 401, "unauthenticated")


def test_a_cookie_that_somebody_made_up_is_refused(node: Node) -> None:
    given = at_provider(begin(node))
    forged = tickets.sign_ticket(
        jose.SigningKey.generate(), "dmi-sign-in", {"state": given["state"]}, 2**31, 60
    )
    for cookie in (forged, "x", "a.b.c"):
        node.client.cookies.clear()
        node.client.cookies.set("dmi_sign_in", cookie)
        node.refused(back(node, given), 401, "unauthenticated")


def test_a_code_and_a_sign_in_work_once(node: Node, provider: Provider) -> None:
    given = at_provider(begin(node))
    cookie = node.client.cookies["dmi_sign_in"]
    assert back(node, given).status_code == 303
    node.client.cookies.clear()
    node.client.cookies.set("dmi_sign_in", cookie)
    node.refused(back(node, given), 401, "unauthenticated")
    begin(node)
    state = at_provider(begin(node))["state"]
    node.refused(back(node, {"state": state, "code": given["code"]}), 401, "unauthenticated")


def test_a_token_is_handed_out_once(node: Node) -> None:
    sign_in(node)
    cookie = node.client.cookies["dmi_signed_in"]
    assert node.ask("POST", "/v1/oidc/token").status_code == 200
    node.client.cookies.clear()
    node.client.cookies.set("dmi_signed_in", cookie)
    node.refused(node.ask("POST", "/v1/oidc/token"), 401, "unauthenticated")
    node.client.cookies.clear()
    node.refused(node.ask("POST", "/v1/oidc/token"), 401, "unauthenticated")


def test_one_kind_of_cookie_does_not_pass_for_the_other(node: Node) -> None:
    begin(node)
    cookie = node.client.cookies["dmi_sign_in"]
    node.client.cookies.set("dmi_signed_in", cookie)
    node.refused(node.ask("POST", "/v1/oidc/token"), 401, "unauthenticated")


def test_a_refusal_by_the_provider_or_a_missing_code_is_a_problem(node: Node) -> None:
    state = at_provider(begin(node))["state"]
    node.refused(back(node, {"state": state, "error": "access_denied"}), 401, "unauthenticated")
    state = at_provider(begin(node))["state"]
    node.refused(back(node, {"state": state}), 400, "invalid-input")
    given = at_provider(begin(node))
    node.refused(back(node, given | {"iss": "https://evil.example"}), 401, "unauthenticated")
    node.refused(node.ask("GET", "/v1/oidc/callback"), 400, "invalid-input")


@pytest.mark.parametrize("broken", ["discovery", "issuer", "jwks", "token"])
def test_a_provider_that_answers_nonsense_is_unavailable(
    provider: Provider, tmp_path: Path, broken: str
) -> None:
    with running(
        tmp_path, public_url="http://node", oidc_issuer=provider.issuer, oidc_client_id=CLIENT,
        oidc_client_secret=SecretStr(SECRET), oidc_members=MEMBERS,
    ) as fresh:  # fmt: skip
        provider.broken = broken
        try:
            answer = (
                fresh.ask("GET", "/v1/oidc/login") if broken in ("discovery", "issuer") else sign_in(fresh)
            )
        finally:
            provider.broken = ""
        fresh.refused(answer, 503, "unavailable")
        assert answer.headers["retry-after"]


def test_a_provider_that_is_away_is_unavailable_and_everything_else_goes_on(tmp_path: Path) -> None:
    with running(tmp_path, oidc_issuer="http://127.0.0.1:9", oidc_client_id=CLIENT) as fresh:
        fresh.refused(fresh.ask("GET", "/v1/oidc/login"), 503, "unavailable")
        assert fresh.get("/v1/oidc", None) == {"enabled": True}
        assert fresh.ask("GET", "/health/live").status_code == 200


def test_without_a_provider_nobody_signs_in_that_way(tmp_path: Path) -> None:
    with running(tmp_path) as fresh:
        assert fresh.get("/v1/oidc", None) == {"enabled": False}
        fresh.refused(fresh.ask("GET", "/v1/oidc/login"), 404, "not-found")
        fresh.refused(fresh.ask("GET", "/v1/oidc/callback?state=x&code=y"), 404, "not-found")
        fresh.refused(fresh.ask("POST", "/v1/oidc/token"), 404, "not-found")


def test_behind_https_cookies_are_secure(provider: Provider, tmp_path: Path) -> None:
    with running(
        tmp_path, public_url="https://city.example/dmi", oidc_issuer=provider.issuer, oidc_client_id=CLIENT
    ) as fresh:
        cookie = fresh.ask("GET", "/v1/oidc/login").headers["set-cookie"].lower()
        assert "secure" in cookie
        assert "path=/dmi/exchange/v1/oidc" in cookie


@pytest.mark.parametrize(
    ("change", "field"),
    [
        ({"oidc_issuer": "https://a.example"}, "oidc_client_id"), ({"oidc_client_id": "x"}, "oidc_client_id"),
        ({"oidc_issuer": "a.example", "oidc_client_id": "x"}, "oidc_issuer"), ({"oidc_scope": "email"}, "oidc_scope"),
        ({"env": "production", "oidc_issuer": "http://a.example", "oidc_client_id": "x"}, "oidc_issuer"),
        ({"oidc_members": "{"}, "oidc_members"), ({"oidc_members": '[{"claim": "age"}]'}, "oidc_members"),
    ],
)  # fmt: skip
def test_settings_that_do_not_fit_together_are_named(change: dict[str, Any], field: str) -> None:
    with pytest.raises(ValidationError) as refused:
        ExchangeSettings(**change)
    assert refused.value.errors()[0]["loc"][0] == field


def test_memberships_come_from_the_environment_as_json(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(
        "DMI_OIDC_MEMBERS",
        '[{"claim": "sub", "value": "a", "participant": "urn:dmi:participant:x", "roles": ["r"]}]',
    )
    monkeypatch.setenv("DMI_OIDC_CLIENT_SECRET", "hidden")
    settings = ExchangeSettings()
    assert settings.oidc_members[0].participant == "urn:dmi:participant:x"
    assert "hidden" not in repr(settings)
