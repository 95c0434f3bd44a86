"""What stands in the catalogue is found by words, on the map and by facets, and taken along whole."""

from __future__ import annotations

import csv
import io
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import msgspec
import pytest
import sqlalchemy as sa
from rdflib import DCAT, DCTERMS, RDF, Graph, URIRef

from dmi_agreements.contracts.envelope import encode
from dmi_agreements.contracts.law import Dataset
from dmi_agreements.contracts.record import Quality, RecordBatch
from dmi_exchange.catalogue.index import Catalogue
from dmi_exchange.consumer import TOPICS
from dmi_exchange.handlers import Exchange
from dmi_exchange.routes import catalogue
from dmi_exchange.sight import Sight, sight
from dmi_exchange.store import Store
from dmi_infra import clock
from dmi_infra.clock import to_text
from dmi_infra.identity import Identity
from tests.unit.exchange.fakes import HERE, LIVING, OFFICER, OPERATING, SELLING, Node, Who, furnish, running
from tests.unit.infra.fakes import BICYCLES, GARAGES, OWNER, VENDOR, document, eventually, message

ELSEWHERE = {"bbox": [4.7, 52.3, 5.0, 52.4], "codes": ["GM0363"]}
NOISE, TREES = "urn:dmi:dataset:gemeente:geluid", "urn:dmi:dataset:gemeente:bomen"
ROUTES, WISH = "urn:dmi:listing:sensorbedrijf:routes", "urn:dmi:listing:gemeente:gezocht"


@contextmanager
def furnished(folder: Path) -> Iterator[Node]:
    with running(folder) as made:
        furnish(made)
        made.publish(
            NOISE,
            title={"nl": "Geluid in de straat", "en": "Noise in the street"},
            description={"nl": "Decibel per minuut, gemeten bij cafés"},
            keywords={"nl": ["overlast"], "en": ["nuisance"]},
            themes=["ENVI", "HEAL"],
        )
        made.publish(TREES, title={"nl": "Bomen", "en": "Trees"}, spatial=ELSEWHERE, category="environment")
        offer(made)
        yield made


@pytest.fixture
def node(tmp_path: Path) -> Iterator[Node]:
    with furnished(tmp_path) as made:
        yield made


@pytest.fixture(scope="module")
def shared(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Node]:
    """One catalogue for all that only look into it."""
    with furnished(tmp_path_factory.mktemp("catalogue")) as made:
        yield made


def offer(node: Node) -> None:
    shared = {"spatial": HERE, "description": {"nl": "Geluid vermijden"}}
    service = {
        "id": ROUTES,
        "kind": "service",
        "direction": "supply",
        "address": "https://routes.example/api",
    }
    node.post("/v1/listings", {**shared, **service, "title": {"nl": "Stille routes"}}, SELLING)
    wish = {"id": WISH, "kind": "data", "direction": "demand", "title": {"nl": "Gezocht: fietstellingen"}}
    node.post("/v1/listings", {**shared, **wish}, OFFICER)


def found(node: Node, query: str) -> list[str]:
    return [item["id"] for item in node.get(f"/v1/catalogue/search?{query}", LIVING)["items"]]


@pytest.mark.parametrize(
    ("query", "expected"),
    [
        ("q=bomen", [TREES]),
        ("q=Trees", [TREES]),
        ("q=CAFES", [NOISE]),
        ("q=caf%C3%A9", [NOISE]),
        ("q=nuis", [NOISE]),
        ("q=transport%20nothing", []),
        ("q=geluid", [NOISE, WISH, ROUTES]),
        ("q=geluid%20straat", [NOISE]),
        ("q=GM0363", [TREES]),
        ("q=milieu", [NOISE, TREES]),
        ("q=%25_%27", None),
        ("bbox=4.6,52.2,4.8,52.5", [TREES]),
        ("bbox=5.2,52.2,6,53&q=geluid", [NOISE, WISH, ROUTES]),
        ("bbox=6,53,7,54", []),
        ("facet=kind:service", [ROUTES]),
        ("facet=direction:demand", [WISH]),
        ("facet=theme:ENVI&facet=theme:HEAL", [NOISE, TREES]),
        ("facet=theme:ENVI&facet=area:GM0363", [TREES]),
        (f"facet=owner:{VENDOR}", [ROUTES]),
        ("facet=personal:yes", [BICYCLES]),
    ],
)
def test_entries_are_found(shared: Node, query: str, expected: list[str] | None) -> None:
    ids = found(shared, query)
    if expected is None:
        assert len(ids) == 6
    elif "q=geluid" in query:
        assert (ids[0], sorted(ids)) == (expected[0], sorted(expected))
    else:
        assert sorted(ids) == sorted(expected)


@pytest.mark.parametrize(
    ("query", "field"),
    [
        ("bbox=1,2,3", "bbox"), ("bbox=1,2,3,x", "bbox"), ("bbox=3,2,1,4", "bbox"), ("bbox=1,2,3,nan", "bbox"),
        ("facet=x:y", "facet"), ("facet=kind", "facet"), ("facet=kind:", "facet"), ("cursor=x", "cursor"),
        ("cursor=-1~x", "cursor"), ("limit=0", "limit"), (f"q={'x' * 201}", "q"),
    ],
)  # fmt: skip
def test_a_question_that_breaks_a_rule_is_refused(shared: Node, query: str, field: str) -> None:
    problem = shared.refused(shared.ask("GET", f"/v1/catalogue/search?{query}", LIVING), 400, "invalid-input")
    assert problem["errors"][0]["field"] == field


def test_pages_hold_each_entry_once_and_facets_count_all(shared: Node) -> None:
    seen, cursor = [], ""
    while True:
        page = shared.get(f"/v1/catalogue/search?q=e&limit=2{cursor}", LIVING)
        seen += [item["id"] for item in page["items"]]
        if page["next"] is None:
            break
        cursor = f"&cursor={page['next'].replace('~', '%7E')}"
    assert len(seen) == len(set(seen)) == page["total"]
    answer = shared.get("/v1/catalogue/search?facet=theme:HEAL", LIVING)
    counted = {one["name"]: {v["value"]: v["count"] for v in one["values"]} for one in answer["facets"]}
    assert counted["kind"] == {"data": 1}
    # Of the facet that is narrowed down the other values are told too.
    assert counted["theme"]["ENVI"] == 2
    assert "facets" not in shared.get("/v1/catalogue/search?facets=false", LIVING)


def test_a_language_counts_only_where_something_is_told_in_it(node: Node) -> None:
    def languages() -> dict[str, int]:
        answer = node.get(f"/v1/catalogue/search?facet=owner:{OWNER}", OFFICER)
        (values,) = (each["values"] for each in answer["facets"] if each["name"] == "language")
        return {each["value"]: each["count"] for each in values}

    before = languages()
    node.publish(NOISE, title={"nl": "Geluid", "en": "Geluid"}, description={"nl": "Decibel"})
    node.publish(TREES, title={"nl": "Bomen", "en": "bomen "})
    # The noise was described in Dutch alone before, too.
    assert (before["en"], languages()) == (1, {"nl": before["nl"]})


ZERO = "https://creativecommons.org/publicdomain/zero/1.0/"


def test_a_licence_is_one_however_it_is_spelled(node: Node) -> None:
    node.publish(NOISE, licence="CC0-1.0")
    node.publish(TREES, licence="http://creativecommons.org/publicdomain/zero/1.0")
    answer = node.get("/v1/catalogue/search", OFFICER)
    (values,) = (each["values"] for each in answer["facets"] if each["name"] == "licence")
    assert {each["value"]: each["count"] for each in values} == {ZERO: 4}
    for spelling in ("CC0-1.0", ZERO, "https://www.creativecommons.org/publicdomain/zero/1.0/deed.nl"):
        assert {NOISE, TREES} <= set(found(node, f"facet=licence:{spelling}"))
    # An address is kept in its own form, a name as its owner wrote it.
    assert [node.get(f"/v1/datasets/{one}", OFFICER)["licence"] for one in (NOISE, TREES)] == [
        "CC0-1.0",
        ZERO,
    ]
    node.publish(NOISE, licence="http://example.org/terms")
    assert found(node, "facet=licence:http://example.org/terms") == [NOISE]


def test_an_entry_tells_what_is_open_from_the_agreement_on(node: Node) -> None:
    everyone = document(OWNER, "urn:dmi:party:everyone", TREES, ["dmi:read"])
    assert found(node, "facet=access:open") == []
    written: list[str] = []

    def note(_connection: object, _cursor: object, statement: str, *_more: object) -> None:
        written.append(statement)

    sa.event.listen(sa.Engine, "before_cursor_execute", note)
    try:
        node.propose(everyone)
        assert found(node, "facet=access:open") == [TREES]
        node.post(f"/v1/agreements/{everyone['uid']}/end", {"reason": ""})
        assert found(node, "facet=access:open") == []
    finally:
        sa.event.remove(sa.Engine, "before_cursor_execute", note)
    # Its words are as they were: of many datasets with long texts nobody else could write meanwhile.
    assert any("catalogue_facet" in each for each in written)
    assert not any("catalogue_word" in each for each in written)


def test_a_changed_entry_is_found_by_what_it_says_now(node: Node) -> None:
    node.publish(TREES, title={"nl": "Struiken"})
    assert found(node, "q=bomen") == [TREES]  # its id still says so
    assert found(node, "q=trees") == []
    assert found(node, "q=struiken") == [TREES]


def test_a_listing_is_its_owners_and_in_its_own_name(node: Node) -> None:
    body = {"id": WISH, "kind": "data", "direction": "demand", "title": {"nl": "x"}, "spatial": HERE}
    node.refused(node.ask("POST", "/v1/listings", SELLING, json=body), 400, "invalid-input")
    body["direction"] = "supply"
    problem = node.refused(node.ask("POST", "/v1/listings", OFFICER, json=body), 400, "invalid-input")
    assert problem["errors"][0]["field"] == "kind"
    node.refused(node.ask("GET", "/v1/catalogue/entries/urn:x", LIVING), 404, "not-found")
    assert node.get(f"/v1/catalogue/entries/{ROUTES}", LIVING)["address"] == "https://routes.example/api"


def test_what_the_platform_measured_stands_beside_a_dataset(node: Node) -> None:
    now = clock.now()
    measured = Quality(GARAGES, now, 3600, 4, now - 5, 200, 10, 180, 3)
    older = msgspec.structs.replace(measured, at=now - 1, rows=1)
    batch = RecordBatch("platform", quality=[measured, older])
    node.bus.publish(TOPICS[0], [message(encode(batch)), message(encode(RecordBatch("x", quality=[older])))])
    eventually(lambda: node.store.positions().get((TOPICS[0], 0)) == 2)
    shown = node.get(f"/v1/datasets/{GARAGES}")["quality"]
    assert (shown["completeness"], shown["plausible"], shown["delivering"]) == (0.95, 0.9, 0.75)
    assert node.get(f"/v1/datasets/{NOISE}")["quality"] is None
    assert "dqv:hasQualityMeasurement" in taken(node, "text/turtle").text


def test_a_search_asks_once_whom_it_tells_how_much_and_only_of_persons_data(
    node: Node, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked: list[str] = []

    def counted(exchange: Exchange, identity: Identity) -> Sight:
        asked.append(identity.participant)
        return sight(exchange, identity)

    def search(personal: bool) -> int:
        measured = [Quality(item["id"], clock.now(), 3600, 4, 1, 2, 1, 2, 3) for item in items]
        monkeypatch.setattr(
            Catalogue,
            "quality",
            lambda *_: {one.dataset: one for one in measured if personal or one.dataset != BICYCLES},
        )
        asked.clear()
        shown = node.get("/v1/catalogue/search?limit=200", LIVING)["items"]
        assert sum(one["quality"] is not None for one in shown) > 1
        return len(asked)

    items = node.get("/v1/catalogue/search?limit=200", LIVING)["items"]
    monkeypatch.setattr(catalogue, "sight", counted)
    assert (search(True), search(False)) == (1, 0)


DQV_MEASUREMENT = URIRef("http://www.w3.org/ns/dqv#hasQualityMeasurement")


def test_of_persons_data_nobody_learns_how_many_measure_nor_when(node: Node) -> None:
    now = clock.now()

    def measured(delivering: int) -> Quality:
        return Quality(BICYCLES, now + delivering, 3600, 2 * delivering, now - 5, 207, 11, 183, delivering)

    def tell(one: Quality) -> None:
        node.bus.publish(TOPICS[0], [message(encode(RecordBatch("platform", quality=[one])))])
        eventually(lambda: (seen(OFFICER)[1] or {}).get("at") == to_text(one.at))

    def seen(who: Who) -> list[dict[str, Any]]:
        items = node.get("/v1/catalogue/search?limit=200", who)["items"]
        listed = next(item for item in items if item["id"] == BICYCLES)
        return [listed["quality"], node.get(f"/v1/datasets/{BICYCLES}", who)["quality"]]

    shares, counts = ("completeness", "plausible", "delivering"), ("rows", "datastreams", "newest")
    tell(measured(3))
    for one in seen(LIVING):
        assert [one[name] for name in (*shares, *counts)] == [None] * 6
    harvested = parsed(taken(node, "text/turtle").text, "turtle")
    assert not list(harvested.objects(URIRef(BICYCLES), DQV_MEASUREMENT))
    tell(measured(12))
    for one in seen(LIVING):
        assert [one[name] for name in (*shares, *counts)] == [0.9, 0.9, 0.5, None, None, None]
    for who in (OFFICER, OPERATING):
        assert {(one["rows"], one["datastreams"], one["newest"]) for one in seen(who)} == {
            (207, 24, to_text(now - 5))
        }


def parsed(text: str, form: str) -> Graph:
    """The statements of a text."""
    with warnings.catch_warnings():
        # rdflib's own reader of JSON-LD makes a graph of a kind that rdflib calls deprecated.
        warnings.filterwarnings("ignore", "ConjunctiveGraph", DeprecationWarning)
        return Graph().parse(data=text, format=form)


def taken(node: Node, accept: str, query: str = "") -> Any:
    request = node.client.get(f"/v1/catalogue{query}", headers={"Accept": accept})
    return node.runner.run(request)


@pytest.mark.parametrize(
    ("accept", "media", "form"),
    [
        ("", "application/ld+json", "json-ld"),
        ("*/*", "application/ld+json", "json-ld"),
        ("application/json", "application/ld+json", "json-ld"),
        ("text/turtle", "text/turtle", "turtle"),
        ("text/html, application/rdf+xml;q=0.5, text/turtle;q=0.9", "text/turtle", "turtle"),
        ("application/rdf+xml", "application/rdf+xml", "xml"),
        ("text/turtle;q=x, application/ld+json;q=0", "application/ld+json", "json-ld"),
    ],
)
def test_the_catalogue_is_public_linked_data_in_the_form_that_is_asked_for(
    shared: Node, accept: str, media: str, form: str
) -> None:
    answer = taken(shared, accept)
    assert answer.headers["content-type"].split(";")[0] == media
    graph = parsed(answer.text, form)
    datasets = {str(each) for each in graph.subjects(RDF.type, DCAT.Dataset)}
    assert datasets == {GARAGES, BICYCLES, NOISE, TREES}
    assert (URIRef(ROUTES), RDF.type, DCAT.DataService) in graph
    assert (URIRef(WISH), DCTERMS.type, URIRef("urn:dmi:demand:data")) in graph


def test_a_harvester_follows_the_pages_to_the_end(shared: Node) -> None:
    seen: set[str] = set()
    query = "?limit=2"
    while query:
        answer = taken(shared, "text/turtle", query)
        seen |= {
            str(each)
            for each in Graph().parse(data=answer.text, format="turtle").objects(None, DCTERMS.identifier)
        }
        link = answer.headers.get("link", "")
        assert ("hydra:next" in answer.text) == bool(link)
        query = f"?{link.partition('?')[2].partition('>')[0]}" if link else ""
    assert {GARAGES, BICYCLES, NOISE, TREES, ROUTES, WISH} <= seen


def test_the_catalogue_is_a_table_too_that_no_spreadsheet_carries_out(node: Node) -> None:
    node.publish(TREES, title={"nl": "=HYPERLINK(1)", "en": "Bo, men\n"})
    answer = taken(node, "text/csv")
    assert answer.headers["content-type"] == "text/csv; charset=utf-8"
    rows = {row["id"]: row for row in csv.DictReader(io.StringIO(answer.text))}
    assert set(rows) == {GARAGES, BICYCLES, NOISE, TREES, ROUTES, WISH}
    assert (rows[TREES]["title_nl"], rows[TREES]["title_en"]) == ("'=HYPERLINK(1)", "Bo, men\n")
    assert (rows[NOISE]["west"], rows[NOISE]["themes"], rows[WISH]["direction"]) == (
        "5.0",
        "ENVI HEAL",
        "demand",
    )


def test_datasets_of_before_are_entered_at_the_next_start(node: Node) -> None:
    store: Store = node.store
    before = Dataset("urn:dmi:dataset:gemeente:oud", OWNER, {"nl": "Oud"})
    store.settle(Dataset, before.id, lambda _known: before)
    with store._engine.begin() as connection:
        for table in ("catalogue_entry", "catalogue_word", "catalogue_facet"):
            connection.exec_driver_sql(f"DELETE FROM {table}")  # noqa: S608 - the names are ours
    assert found(node, "q=oud") == []
    assert store.enter_all() == 5
    assert found(node, "q=oud") == [before.id]
    assert store.enter_all() == 0
