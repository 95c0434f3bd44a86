"""Whatever is sent, the answer is a problem document: never a trace, never a 500 for bad input."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Iterator
from pathlib import Path
from typing import Annotated, Any, cast

import httpx
import pytest
from fastapi import APIRouter, Query, Request
from fastapi import Path as InPath
from fastapi.responses import StreamingResponse
from pydantic import BaseModel, ConfigDict, Field

from dmi_agreements.decision import Reason
from dmi_exchange.dsp.room import Full
from dmi_exchange.errors import NeverUsable
from dmi_infra.bus.errors import BusTimeout, BusUnavailable
from dmi_infra.errors import (
    Conflict,
    FieldError,
    InputRefused,
    NotFound,
    Refused,
    Unauthenticated,
    Unavailable,
)
from dmi_infra.health import Well
from dmi_infra.http import dutch, problems, wording
from dmi_infra.http.app import build_app
from dmi_infra.http.dutch import words
from dmi_infra.http.language import current_language, preferred
from dmi_infra.http.problems import problem_of
from dmi_infra.http.stories import story
from dmi_infra.http.wording import pattern
from dmi_infra.recorder import RecorderFull
from dmi_infra.runtime import Runtime, build_runtime
from dmi_infra.settings import Settings
from dmi_infra.sql import StoreUnavailable, answering
from dmi_ingest.errors import TooMany
from dmi_ingest.room import FULL
from tests.unit.infra.fakes import FakeBus, as_bus

LIMIT = 10_000


class Body(BaseModel):
    model_config = ConfigDict(extra="forbid")
    name: str
    more: dict[str, Any] = {}
    code: str = Field("123", pattern=pattern("^[0-9]{3}$", "must be three digits"))


FAILURES: dict[str, Exception] = {
    "input": InputRefused("bad", [FieldError("a.b", "must be more", "1")]),
    "login": Unauthenticated("who"),
    "conflict": Conflict.of("id", "is taken", "x"),
    "nothing": NotFound("nothing"),
    "refused": Refused([Reason("ended", "has been ended", "urn:uuid:1", moment=0)], "urn:dmi:dataset:a:b"),
    "stale": Refused([Reason("law_stale", "the law is 9.0 s old")]),
    "away": Unavailable("the bus cannot be reached"),
    "bus": BusUnavailable("broker 10.0.0.7:9092 refused"),
    "timeout": BusTimeout("no answer from 10.0.0.7"),
    "store": StoreUnavailable("could not connect to 10.0.0.8"),
    "full": RecorderFull("decisions cannot be recorded"),
    "fault": RuntimeError("secret: SELECT * FROM passwords"),
    "half": InputRefused("text \ud800", [FieldError("\ud800", "rule", "\ud800")]),
}


def _router() -> APIRouter:
    routes = APIRouter()

    @routes.post("/bodies")
    def take(body: Body) -> dict[str, str]:
        return {"name": body.name}

    @routes.post("/raw")
    async def raw(request: Request) -> dict[str, int]:
        return {"size": len(await request.body())}

    @routes.get("/numbers/{number}")
    def number(number: Annotated[int, InPath(ge=0, le=9)], q: Annotated[float, Query(le=1)] = 0) -> int:
        return number

    @routes.get("/failures/{name}")
    def fail(name: str) -> None:
        raise FAILURES[name]

    @routes.get("/request")
    def asked() -> bool:
        return answering.get()

    @routes.get("/broken")
    async def broken() -> StreamingResponse:
        async def parts() -> AsyncIterator[bytes]:
            yield b"half"
            raise RuntimeError("midway")

        return StreamingResponse(parts())

    return routes


class Service:
    """An application on fakes, asked one request after another."""

    def __init__(self, runtime: Runtime) -> None:
        self.runtime = runtime
        self.app = build_app(runtime, "Test", "A test.", [_router()])
        self.runner = asyncio.Runner()
        transport = httpx.ASGITransport(cast(Any, self.app))
        self.client = httpx.AsyncClient(transport=transport, base_url="http://node")

    def ask(self, method: str, path: str, **options: Any) -> httpx.Response:
        return self.runner.run(self.client.request(method, path, **options))

    def close(self) -> None:
        self.runner.run(self.client.aclose())
        self.runner.close()


@pytest.fixture
def service(tmp_path: Path) -> Iterator[Service]:
    settings = Settings(data_dir=tmp_path, body_limit=LIMIT)
    made = Service(build_runtime("platform", settings, as_bus(FakeBus())))
    yield made
    made.close()


def problem(answer: httpx.Response, status: int, code: str) -> dict[str, Any]:
    assert answer.status_code == status, answer.text
    assert answer.headers["content-type"] == "application/problem+json"
    found: dict[str, Any] = answer.json()
    assert found["type"] == f"urn:dmi:problem:{code}"
    assert found["status"] == status
    assert found["title"]
    assert found["detail"]
    return found


def post(service: Service, content: bytes, **headers: str) -> httpx.Response:
    return service.ask(
        "POST", "/bodies", content=content, headers={"Content-Type": "application/json", **headers}
    )


def test_the_first_request_finds_all_routes_worked_out(
    service: Service, monkeypatch: pytest.MonkeyPatch
) -> None:
    def too_late(**_: Any) -> None:
        raise AssertionError("a route is worked out while a request waits")

    monkeypatch.setattr("fastapi.routing.get_dependant", too_late)
    assert service.ask("GET", "/numbers/3").json() == 3


def test_the_store_knows_what_answers_a_request(service: Service) -> None:
    assert service.ask("GET", "/request").json() is True
    assert not answering.get()


def test_an_unknown_address_is_a_problem(service: Service) -> None:
    problem(service.ask("GET", "/nowhere"), 404, "not-found")


def test_a_wrong_method_is_a_problem_that_names_the_right_ones(service: Service) -> None:
    answer = service.ask("DELETE", "/bodies")
    problem(answer, 405, "method-not-allowed")
    assert answer.headers["allow"] == "POST"


@pytest.mark.parametrize("content", [b"{", b"", b"{'name': 1}", b"\xff\xfe", b'{"name": "x"} x', b"nul"])
def test_wrong_json_is_a_problem(service: Service, content: bytes) -> None:
    answer = post(service, content)
    assert problem(answer, 400, answer.json()["type"].rsplit(":", 1)[1])[
        "errors" if content == b"{" else "detail"
    ]


@pytest.mark.parametrize("opening", [b"[", b'{"a":'])
@pytest.mark.parametrize(
    ("levels", "status", "kind"), [(999, 400, "invalid-json"), (10_000, 413, "too-large")]
)
def test_thousands_of_levels_are_a_problem(
    service: Service, opening: bytes, levels: int, status: int, kind: str
) -> None:
    service.app.user_middleware[1].kwargs["limit"] = 10**7
    closing = b"]" if opening == b"[" else b"}"
    problem(post(service, opening * levels + b"1" + closing * levels), status, kind)


@pytest.mark.parametrize(
    "content",
    [
        b'{"name": null}', b"[]", b'{"name": "x", "other": 1}', b'{"name": 5}', b'{"name": "x", "more": []}',
    ],
)  # fmt: skip
def test_json_that_breaks_a_rule_names_field_and_rule(service: Service, content: bytes) -> None:
    found = problem(post(service, content), 400, "invalid-input")
    assert found["errors"][0]["field"]
    assert found["errors"][0]["rule"]


@pytest.mark.parametrize(
    ("content", "field", "rule", "value"),
    [
        (b'{"name": null}', "name", "must be text", "null"),
        (b'{"name": true}', "name", "must be text", "true"),
        (b'{"name": 5}', "name", "must be text", "a number"),
        (b'{"name": {"a": 1, "b": 2}}', "name", "must be text", "an object of 2 members"),
        (b'{"name": ["a"]}', "name", "must be text", "a list of 1 item"),
        (b'{"name": "x", "more": "abc"}', "more", "must be an object", "text of 3 characters"),
        (b'{"name": "x", "other": "y"}', "other", "is not a field of this request", "text of 1 character"),
        (b'{"name": "x", "code": "secret"}', "code", "must be three digits", "text of 6 characters"),
        (b"{}", "name", "is required", None),
    ],
)
def test_a_broken_rule_is_told_in_words_with_the_form_of_the_value(
    service: Service, content: bytes, field: str, rule: str, value: str | None
) -> None:
    (error,) = problem(post(service, content), 400, "invalid-input")["errors"]
    assert (error["field"], error["rule"], error.get("value")) == (field, rule, value)


def test_a_pattern_without_words_is_not_shown_as_an_expression() -> None:
    error = {"type": "string_pattern_mismatch", "msg": "String should match pattern '^x$'", "input": "y"}
    assert "^" not in wording.rule({**error, "ctx": {"pattern": "^x$"}})


@pytest.mark.parametrize(
    "content",
    [
        b'{"name": NaN}', b'{"name": "x", "more": {"a": [1e999]}}', b"-Infinity", b'{"name": "\\ud800"}',
        b'{"name": "x", "\\udfff": 1}', b'{"name": "\xed\xa0\x80"}',
    ],
)  # fmt: skip
def test_what_only_resembles_json_is_refused_as_such(service: Service, content: bytes) -> None:
    found = problem(post(service, content), 400, "invalid-json")
    assert found["errors"][0]["field"] == "body"


def test_text_outside_the_basic_plane_is_fine(service: Service) -> None:
    assert post(service, b'{"name": "\\ud83d\\ude80"}').json() == {"name": "🚀"}


def test_a_body_of_another_type_is_a_problem(service: Service) -> None:
    answer = service.ask("POST", "/bodies", content=b"<a/>", headers={"Content-Type": "application/xml"})
    problem(answer, 400, "invalid-input")


def test_thousands_of_mistakes_do_not_make_a_thousand_lines(service: Service) -> None:
    fields = ",".join(f'"f{n}": 1' for n in range(700))
    found = problem(post(service, f"{{{fields}}}".encode()), 400, "invalid-input")
    assert len(found["errors"]) == 100


def test_a_very_long_name_is_not_echoed_whole(service: Service) -> None:
    found = problem(post(service, b'{"name": "x", "' + b"y" * 9000 + b'": 1}'), 400, "invalid-input")
    assert len(found["errors"][0]["field"]) == 500
    assert len(found["detail"]) <= 500


@pytest.mark.parametrize(
    "path", ["/numbers/x", "/numbers/99", "/numbers/1?q=2", "/numbers/1?q=x", "/numbers/1?q=nan"]
)
def test_wrong_parameters_are_problems(service: Service, path: str) -> None:
    problem(service.ask("GET", path), 400, "invalid-input")


def test_a_body_over_the_limit_is_refused_by_its_announced_length(service: Service) -> None:
    for path in ("/bodies", "/raw"):
        problem(service.ask("POST", path, content=b"x" * (LIMIT + 1)), 413, "too-large")
    assert service.ask("POST", "/raw", content=b"x" * LIMIT).json() == {"size": LIMIT}


@pytest.mark.parametrize("path", ["/bodies", "/raw", "/numbers/1"])
def test_a_body_over_the_limit_is_refused_while_it_streams_in(service: Service, path: str) -> None:
    async def chunks() -> AsyncIterator[bytes]:
        for _ in range(LIMIT // 1000 + 1):
            yield b"x" * 1000

    answer = service.ask("POST", path, content=chunks(), headers={"Content-Type": "application/json"})
    if path == "/numbers/1":  # nobody reads that body
        problem(answer, 405, "method-not-allowed")
    else:
        problem(answer, 413, "too-large")
        assert answer.headers["api-version"]


@pytest.mark.parametrize(
    ("name", "status", "code"),
    [
        ("input", 400, "invalid-input"), ("login", 401, "unauthenticated"), ("conflict", 409, "conflict"),
        ("nothing", 404, "not-found"), ("refused", 403, "ended"), ("stale", 503, "law-stale"),
        ("away", 503, "unavailable"), ("bus", 503, "unavailable"), ("timeout", 503, "unavailable"),
        ("store", 503, "unavailable"), ("full", 503, "unavailable"), ("fault", 500, "internal"),
        ("half", 400, "invalid-input"),
    ],
)  # fmt: skip
def test_every_failure_has_its_problem(service: Service, name: str, status: int, code: str) -> None:
    answer = service.ask("GET", f"/failures/{name}")
    problem(answer, status, code)
    assert answer.headers["api-version"] == "1.0.0"
    assert answer.headers["traceparent"]
    assert ("retry-after" in answer.headers) == (status == 503)
    assert ("www-authenticate" in answer.headers) == (status == 401)
    for inside in ("SELECT", "10.0.0", "Traceback", str(Path.cwd())):
        assert inside not in answer.text


def test_a_refusal_names_agreement_and_moment(service: Service) -> None:
    found = service.ask("GET", "/failures/refused").json()
    assert found["agreement"] == "urn:uuid:1"
    assert found["moment"] == "1970-01-01T00:00:00Z"
    assert found["reasons"][0]["code"] == "ended"
    assert found["dataset"] == "urn:dmi:dataset:a:b"


def test_an_answer_that_fails_midway_is_broken_off_not_completed(service: Service) -> None:
    with pytest.raises(RuntimeError, match="midway"):
        service.ask("GET", "/broken")


def test_requests_are_counted_by_route_not_by_address(service: Service) -> None:
    service.ask("GET", "/numbers/1")
    service.ask("GET", "/numbers/2")
    service.ask("GET", "/nowhere")
    text = service.ask("GET", "/metrics").text
    assert 'dmi_platform_requests_total{route="/numbers/{number}",status="200"} 2.0' in text
    assert 'route="other",status="404"' in text
    assert "/nowhere" not in text


@pytest.mark.parametrize(
    ("settings", "given", "whole"),
    [
        ({}, "", True),
        ({"env": "production"}, "", False),
        ({"env": "production"}, "Bearer ", False),
        ({"env": "production", "metrics_token": "collector"}, "Bearer collector", True),
        ({"env": "production", "metrics_token": "collector"}, "Bearer collectos", False),
        ({"metrics_token": "collector"}, "", False),
    ],
)
def test_counts_that_tell_of_data_and_persons_are_for_who_collects_them(
    tmp_path: Path, settings: dict[str, Any], given: str, whole: bool
) -> None:
    service = Service(build_runtime("platform", Settings(data_dir=tmp_path, **settings), as_bus(FakeBus())))
    service.runtime.metrics.rows.labels("accepted").inc(3)
    service.runtime.metrics.lag.labels("dmi.x").set(2)
    service.ask("GET", "/numbers/1")
    text = service.ask("GET", "/metrics", headers={"Authorization": given} if given else {}).text
    service.close()
    assert 'dmi_platform_lag{topic="dmi.x"} 2.0' in text
    assert ("dmi_platform_rows" in text, "dmi_platform_requests" in text) == (whole, whole)


def test_readiness_says_what_is_missing(service: Service) -> None:
    answer = service.ask("GET", "/health/ready")
    assert answer.status_code == 503
    assert answer.headers["retry-after"]
    assert answer.json()["checks"] == {"bus": "ok", "law": "no law has been received"}
    assert service.ask("GET", "/health/live").json()["status"] == "live"


def test_readiness_says_what_is_remarkable_and_yet_well(service: Service) -> None:
    service.runtime.checks = {"bus": lambda: None, "consumer": lambda: Well("the others read all")}
    answer = service.ask("GET", "/health/ready")
    assert (answer.status_code, answer.json()["status"]) == (200, "ready")
    assert answer.json()["checks"] == {"bus": "ok", "consumer": "ok: the others read all"}


def test_the_interface_describes_problems_in_place_of_the_frameworks_errors(service: Service) -> None:
    document = service.ask("GET", "/openapi.json").json()
    assert "HTTPValidationError" not in document["components"]["schemas"]
    responses = document["paths"]["/bodies"]["post"]["responses"]
    assert "422" not in responses
    assert "application/problem+json" in responses["503"]["content"]


def test_nosniff_and_trace_stand_on_every_answer(service: Service) -> None:
    parent = f"00-{'a' * 32}-{'b' * 16}-01"
    answer = service.ask("GET", "/health/live", headers={"traceparent": parent})
    assert answer.headers["x-content-type-options"] == "nosniff"
    assert answer.headers["traceparent"][:36] == parent[:36]


DUTCH = {"accept-language": "nl-NL,nl;q=0.9,en;q=0.8"}


def test_a_problem_is_told_in_dutch_to_who_asks_for_it_and_in_english_to_all_others(service: Service) -> None:
    told = service.ask("GET", "/failures/refused", headers=DUTCH)
    assert (told.headers["content-language"], told.headers["vary"]) == ("nl", "Accept-Language")
    body = problem(told, 403, "ended")
    assert (body["title"], body["detail"]) == ("Geweigerd", "De afspraak is gestopt.")
    assert [one["detail"] for one in body["reasons"]] == ["De afspraak is gestopt."]
    assert (body["agreement"], body["reasons"][0]["code"]) == ("urn:uuid:1", "ended")
    found = problem(service.ask("POST", "/bodies", json={"code": "x"}, headers=DUTCH), 400, "invalid-input")
    assert found["title"] == "Deze vraag klopt niet"
    assert found["detail"] == "name: is verplicht"
    assert {one["field"]: one["rule"] for one in found["errors"]} == {
        "name": "is verplicht", "code": "must be three digits",
    }, "a rule without words in Dutch is told all the same"  # fmt: skip
    numbers = problem(service.ask("GET", "/numbers/12?q=3", headers=DUTCH), 400, "invalid-input")
    assert [one["rule"] for one in numbers["errors"]] == ["moet 9 of minder zijn", "moet 1 of minder zijn"]
    assert problem(service.ask("GET", "/nowhere", headers=DUTCH), 404, "not-found")["detail"] == (
        "Op dit adres staat niets."
    )
    assert problem(service.ask("GET", "/failures/fault", headers=DUTCH), 500, "internal")["title"] == (
        "Er ging hier iets mis"
    )
    for other in (
        {},
        {"accept-language": "en,nl;q=0.5"},
        {"accept-language": "fr"},
        {"accept-language": "nl;q=0"},
    ):
        answer = service.ask("GET", "/failures/refused", headers=other)
        assert problem(answer, 403, "ended")["title"] == "Refused"
        assert answer.headers["content-language"] == "en"


@pytest.mark.parametrize(
    ("header", "language"),
    [
        ("", "en"), ("nl", "nl"), ("NL-be", "nl"), ("en;q=0.3, nl;q=0.4", "nl"), ("*", "en"), ("*;q=0.1,nl", "nl"),
        ("nl;q=x", "en"), ("nl,en", "en"), ("," * 5000 + "nl", "en"), ("de, nl;q=0.2", "nl"), ("nl;q=-1", "en"),
    ],
)  # fmt: skip
def test_the_language_that_is_liked_best_is_chosen(header: str, language: str) -> None:
    assert preferred(header) == language


@pytest.mark.parametrize(
    ("english", "dutch"),
    [
        ("must be at most 250, what is open of this invoice", "mag hooguit 250 cent zijn, wat nog open staat"),
        ("you have 1000 machines already, stopped ones among them", "u hebt al 1000 apparaten, gestopte meegeteld"),
        ("must be at most 20 files", "hooguit 20 bestanden tegelijk"),
        ("no transfer of yours has this id", "Bij u staat niets onder dit nummer."),
        ("nothing in the catalogue has this id", "Hier staat niets onder dit nummer."),
        ("no participant has this id", "Er is geen deelnemer met deze naam."),
        ("must have at most 5 characters", "mag hooguit 5 tekens hebben"),
        ("neighbourhoods are laid down in datasets that the catalogue has as areas (layer: areas) alone",
         "buurten horen in gegevens die in de catalogus als gebieden staan (layer: areas)"),
        ("you have 40 live streams open, as many as one participant may have here; close one or try again shortly",
         "u hebt 40 stromen open, zoveel als één deelnemer hier mag; sluit er een of probeer het zo weer"),
        ("all 200 live streams of this service are in use; try again shortly",
         "alle 200 stromen van deze dienst zijn bezet; probeer het zo weer"),
        ("only a failed import that is resumable has files to delete",
         "alleen een afgebroken import heeft nog bestanden"),
        ("a participant may have at most 20 imports that wait, run or can be resumed, those that it began for others "
         "too: let them end, resume or delete them",
         "u kunt hooguit 20 imports hebben die wachten, lopen of zijn afgebroken: ga daarmee verder of wis ze"),
        ("the files of imports that one participant began, also for others, and that wait, run or can be resumed may "
         "hold at most 4096 bytes together: let them end, resume or delete them",
         "uw imports die wachten, lopen of zijn afgebroken, zijn samen te groot: hooguit 4096 bytes; rond ze af of wis "
         "ze"),
        ("the files of one import may hold at most 10 bytes together", "samen te groot: hooguit 10 bytes"),
        (FULL, "er is nu geen plaats voor bestanden; probeer het later weer"),
        ("/: you have 500 negotiations that are not over: end some",
         "u hebt er al 500 die nog lopen; rond er eerst een af"),
        ("/agreementId: has 50 transfers that are not over: end some",
         "onder deze afspraak lopen al 50 leveringen; rond er eerst een af"),
        ("/: you had 5000 transfers in the last day: try again later",
         "u had er 5000 in de laatste 24 uur; probeer het later weer"),
        ("must be three digits", None),
    ],
)  # fmt: skip
def test_a_rule_is_told_with_its_own_numbers_by_the_most_exact_words(english: str, dutch: str | None) -> None:
    assert words(english) == dutch


def test_every_status_of_a_refused_input_has_a_title_of_its_own_in_both_languages() -> None:
    assert problems._TITLES.keys() == dutch.TITLES.keys()
    statuses, waiting = set(), [InputRefused, TooMany, Full, NeverUsable]
    while waiting:
        kind = waiting.pop()
        statuses.add(kind.status)
        waiting += kind.__subclasses__()
    assert {422, 429} <= statuses
    assert statuses <= dutch.TITLES.keys(), "one without is told as 403"


def test_what_whoever_refused_knew_in_dutch_goes_before_the_table() -> None:
    token = current_language.set("nl")
    try:
        known = InputRefused(
            "a: must be text", [FieldError("a", "must be text", nl="eigen woorden")], "Zo niet."
        )
        body = problem_of(known)
        assert body is not None
        assert body.body()["detail"] == "Zo niet."
        assert body.body()["errors"][0]["rule"] == "eigen woorden"
    finally:
        current_language.reset(token)


@pytest.mark.parametrize(
    ("english", "dutch"),
    [
        (
            "this node does not take the data in: urn:dmi:participant:stack has no agreement for dmi:process of "
            "urn:dmi:dataset:a:b; tried 3 times, goes on trying",
            "Dit platform neemt de gegevens niet aan. urn:dmi:participant:stack heeft geen afspraak voor dit gebruik: "
            "dmi:process van urn:dmi:dataset:a:b. 3 keer geprobeerd; we gaan door.",
        ),
        ("urn:uuid:1 is for another purpose than dmi:purpose:x", "De afspraak geldt niet voor het doel dmi:purpose:x."),
        ("the provider ended the stream: no words", "De andere stad brak de levering af. no words"),
        (
            "urn:uuid:6c6b1367-0000-4000-8000-000000000000 has been ended; tried 7 times, goes on trying",
            "De afspraak is gestopt. 7 keer geprobeerd; we gaan door.",
        ),
        ("the provider answered 403: urn:uuid:1 has expired", "De andere stad weigert. De afspraak is verlopen."),
        ("the other node refuses: 401: no such key", "De andere stad weigert. no such key"),
        ("no reason given", "Er is geen reden gegeven."),
        ("the consumer: no reason given", "De afnemer: Er is geen reden gegeven."),
        ("the agreement was ended: te duur", "De afspraak is gestopt. te duur"),
        ("the agreement was ended", "De afspraak is gestopt."),
        ("b.example did not answer (ConnectError)", "b.example antwoordt niet."),
        ("must be text", "moet tekst zijn"),
        ("", ""),
    ],
)  # fmt: skip
def test_why_something_waits_is_told_part_by_part_with_its_ids(english: str, dutch: str) -> None:
    assert story(english) == english
    token = current_language.set("nl")
    try:
        assert story(english) == dutch
    finally:
        current_language.reset(token)
