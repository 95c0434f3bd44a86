"""A client of the stack as the command and the demonstration use it: tokens renewed, problems raised."""

from __future__ import annotations

import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any, Self

import httpx

from dmi_command.errors import AnswerRefused, NotReached
from dmi_infra import jose
from dmi_infra.authorities import trusted

OWN_KEY = (
    "act in your own name with --key FILE --participant ID, or for any command with "
    "export DMI_TOKEN=$(dmi token --key FILE --participant ID)"
)

RENEW_SECONDS = 60
"""A token is renewed when it has less than this left."""


class Client:
    """Requests in the name of one identity: a demonstration identity, a participant's key, or a token.

    With a key and a ``mandate`` they are made for whoever gave that.
    """

    def __init__(
        self,
        url: str,
        *,
        demo: str | None = None,
        participant: str | None = None,
        key: jose.SigningKey | None = None,
        token: str | None = None,
        purpose: str | None = None,
        mandate: str | None = None,
        timeout: float = 60.0,
    ) -> None:
        self.url = url.rstrip("/")
        self._demo = demo
        self._participant = participant
        self._key = key
        self._mandate = mandate
        self._token = token
        self._expires = float("inf") if token else 0.0
        self._http = httpx.Client(
            base_url=self.url,
            timeout=timeout,
            headers={"DMI-Purpose": purpose} if purpose else {},
            verify=trusted(),
        )

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """Close its connections."""
        self._http.close()

    def token(self) -> str:
        """A fresh access token, for requests that are made elsewhere; empty for who asks in nobody's name."""
        self._bearer()
        return self._token or ""

    def get(self, path: str, **query: Any) -> Any:
        """The JSON answer of a GET."""
        return self._ask("GET", path, params=_given(query)).json()

    def every(self, path: str, by: str = "cursor", **query: Any) -> list[Any]:
        """The items of all pages of a list, whose ``next`` is asked for as ``by``."""
        page = self.get(path, **query)
        found: list[Any] = page["items"]
        while page["next"] is not None:
            page = self.get(path, **{**query, by: page["next"]})
            found += page["items"]
        return found

    def get_bytes(self, path: str, **query: Any) -> bytes:
        """The raw answer of a GET."""
        return self._ask("GET", path, params=_given(query)).content

    def post(self, path: str, body: Any = None, **options: Any) -> Any:
        """The JSON answer of a POST; ``options`` as in httpx (``params``, ``files``, ``headers``)."""
        return self._ask("POST", path, json=body, **options).json()

    def post_for_bytes(self, path: str, body: Any) -> bytes:
        """The raw answer of a POST."""
        return self._ask("POST", path, json=body).content

    def put(self, path: str, body: Any) -> Any:
        """Put JSON in place of what is there; the answer's JSON."""
        return self._ask("PUT", path, json=body).json()

    def delete(self, path: str) -> None:
        """Delete what is there."""
        self._ask("DELETE", path)

    def post_bytes(self, path: str, content: bytes) -> Any:
        """The JSON answer of a POST with JSON text that is written already."""
        return self._ask("POST", path, content=content, headers={"Content-Type": "application/json"}).json()

    @contextmanager
    def stream(self, path: str, **query: Any) -> Iterator[httpx.Response]:
        """An answer that is read while it arrives."""
        with (
            _reached(self.url),
            self._http.stream("GET", path, params=_given(query), headers=self._bearer()) as answer,
        ):
            if answer.status_code >= 400:
                answer.read()
                raise AnswerRefused(_problem(answer))
            yield answer

    def _ask(
        self, method: str, path: str, headers: Mapping[str, str] | None = None, **options: Any
    ) -> httpx.Response:
        with _reached(self.url):
            answer = self._http.request(
                method, path, headers={**self._bearer(), **(headers or {})}, **options
            )
        if answer.status_code >= 400:
            raise AnswerRefused(_problem(answer))
        return answer

    def _bearer(self) -> dict[str, str]:
        if time.monotonic() > self._expires - RENEW_SECONDS:
            self._renew()
        return {"Authorization": f"Bearer {self._token}"} if self._token else {}

    def _renew(self) -> None:
        with _reached(self.url):
            if self._demo:
                answer = self._http.post("/exchange/v1/demo/token", json={"identity": self._demo})
                if answer.status_code == 404:
                    raise AnswerRefused(_with_own_key(_problem(answer)))
            elif self._participant and self._key:
                assertion = jose.make_assertion(
                    self._key, self._participant, f"{self.url}/exchange/token", int(time.time())
                )
                answer = self._http.post(
                    "/exchange/token",
                    data={
                        "grant_type": "client_credentials",
                        "client_assertion_type": jose.ASSERTION_TYPE,
                        "client_assertion": assertion,
                        **({"mandate": self._mandate} if self._mandate else {}),
                    },
                )
            else:
                return
        if answer.status_code >= 400:
            raise AnswerRefused(_problem(answer))
        issued = answer.json()
        self._token = issued["access_token"]
        self._expires = time.monotonic() + issued["expires_in"]


def _given(query: Mapping[str, Any]) -> dict[str, Any] | None:
    """Query parameters that have a value; ``None`` when none has, so that a path keeps its own query."""
    return {name: value for name, value in query.items() if value is not None} or None


def _with_own_key(problem: Mapping[str, Any]) -> dict[str, Any]:
    """Why nobody is lent an identity here, and how to act in one's own name instead."""
    return {**problem, "detail": f"{problem['detail']}: {OWN_KEY}"}


@contextmanager
def _reached(url: str) -> Iterator[None]:
    try:
        yield
    except httpx.TransportError as exc:
        raise NotReached(
            f"{url} does not answer ({type(exc).__name__}); is the stack up? try: dmi up"
        ) from exc


def _problem(answer: httpx.Response) -> dict[str, Any]:
    try:
        found = answer.json()
    except ValueError:
        found = None
    if isinstance(found, dict) and "detail" in found:
        return found
    return {"status": answer.status_code, "detail": f"the stack answered {answer.status_code}"}
