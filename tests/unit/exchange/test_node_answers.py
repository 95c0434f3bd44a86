"""What other nodes answer may be anything: it is kept and shown as far as it can be, and told what it is not."""

from __future__ import annotations

import json
from typing import Any, cast

import httpx
import pytest

from dmi_agreements.dsp.terms import DATASET
from dmi_exchange.dcp.did import read_document
from dmi_exchange.dsp.client import Answer, Client, Unreachable
from dmi_exchange.dsp.nodes import Nodes
from dmi_exchange.dsp.offered import offered, texts
from dmi_exchange.handlers import Exchange
from dmi_exchange.settings import KnownNode
from dmi_infra.errors import Unauthenticated, Unavailable

OTHER = KnownNode(url="http://b.example")
HALF = r"\ud800"
"""Half of a surrogate pair, as JSON writes it: text that has no form in UTF-8."""


def answering(raw: str, status: int = 200) -> Client:
    """A client that gets this answer to all but the question for keys."""

    def answer(request: httpx.Request) -> httpx.Response:
        if request.url.path.endswith("jwks.json"):
            return httpx.Response(200, json={"keys": []})
        return httpx.Response(status, content=raw.encode())

    return Client(lambda *_of: None, False, httpx.MockTransport(answer))


@pytest.mark.parametrize(
    ("status", "raw", "reason"),
    [
        (200, f'{{"issuer": "{OTHER.issuer}", "address": "{OTHER.address}", "operator": "{HALF}", "members": []}}',
         "tells nothing that can be read"),
        (200, f'{{"issuer": "{HALF}", "address": "x", "operator": "y", "members": []}}', "tells nothing"),
        (400, f'{{"reason": ["{HALF}"]}}', "answered 400"),
        (400, f'{{"code": "{HALF}"}}', "answered 400"),
        (400, '{"reason": NaN}', "answered 400"),
    ],
)  # fmt: skip
def test_a_node_whose_answer_is_no_valid_text_is_away_for_a_reason_that_can_be_shown(
    status: int, raw: str, reason: str
) -> None:
    nodes = Nodes([OTHER], cast(Exchange, None), answering(raw, status), "urn:x")
    with pytest.raises(Unreachable, match=reason) as refused:
        nodes.refresh(OTHER.issuer)
    str(refused.value).encode()
    assert nodes.seen[OTHER.issuer].operator == ""


@pytest.mark.parametrize("part", ["5", '{"a": 1}', "[" * 900 + "]" * 900, "9" * 4200])
def test_a_reason_in_any_form_is_told_in_a_line(part: str) -> None:
    for member in ("reason", "detail", "code"):
        answer = answering(f'{{"{member}": {part}}}', 400).get(OTHER.url)
        assert answer.why.startswith("400: ")
        assert len(answer.why) <= 500


def test_a_reason_deeper_than_can_be_written_is_told_by_its_form() -> None:
    deep: list[object] = []
    for _ in range(100_000):
        deep = [deep]
    assert Answer(400, {"reason": [deep]}, {}).why == "400: a list of 1 items"


def test_a_did_document_with_text_that_is_none_is_refused() -> None:
    with pytest.raises(Unauthenticated, match="no JSON"):
        read_document("did:web:x", f'{{"id": "did:web:x", "name": "{HALF}"}}'.encode())


GOOD: dict[str, Any] = {
    "@id": "urn:dmi:dataset:b:garages", "@type": "Dataset", "dct:publisher": {"@id": "urn:dmi:participant:b"},
    "hasPolicy": [{"@id": "urn:uuid:1", "@type": "Offer", "permission": [{"action": "use"}]}],
    "distribution": [{"format": "HttpData-PULL", "accessService": {}}], "dct:title": "Garages", "x:more": [[5]],
}  # fmt: skip
DEEP: Any = "[" * 900 + "]" * 900


def catalogue(raw: str, link: str = "") -> Answer:
    def answer(_request: httpx.Request) -> httpx.Response:
        return httpx.Response(200, content=raw.encode(), headers={"Link": link} if link else {})

    http = Client(lambda *_of: None, False, httpx.MockTransport(answer))
    return http.ask("POST", OTHER.address, f"{OTHER.address}/catalog/request", b"{}", "urn:x")


@pytest.mark.parametrize(
    "item",
    [
        "5", "null", "{}", '{"@id": 5}', '{"@id": ""}', f'{{"@id": "{"x" * 501}"}}',
        '{"@id": "x", "dct:publisher": "y"}', '{"@id": "x", "distribution": 5}', '{"@id": "x", "distribution": ["y"]}',
        '{"@id": "x", "hasPolicy": {}}', '{"@id": "x", "hasPolicy": [{}]}', '{"@id": "x", "hasPolicy": [5]}',
        f'{{"@id": "x", "hasPolicy": {DEEP}}}', f'{{"@id": "x", "hasPolicy": [{{"@id": "y", "permission": {DEEP}}}]}}',
        '{"@id": "x", "hasPolicy": [{"@id": "y", "permission": ["use"]}]}',
        f'{{"@id": "x", "{DATASET}": {{"a": {DEEP}}}}}',
    ],
)  # fmt: skip
def test_an_entry_of_another_catalogue_that_cannot_be_read_is_left_out_and_counted(item: str) -> None:
    page = offered(catalogue(f'{{"dataset": [{item}, {json.dumps(GOOD)}]}}'), OTHER.address)
    (shown,) = page.items
    assert (page.left_out, page.after) == (1, None)
    assert (shown["dataset"], shown["owner"]) == (GOOD["@id"], "urn:dmi:participant:b")
    assert (shown["offers"], shown["formats"]) == (GOOD["hasPolicy"], ["HttpData-PULL"])


@pytest.mark.parametrize("raw", ['{"dataset": 5}', "[1]", "", '{"dataset": [NaN]}'])
def test_what_is_no_catalogue_is_told_as_such(raw: str) -> None:
    with pytest.raises(Unavailable, match="cannot be read"):
        offered(catalogue(raw), OTHER.address)


@pytest.mark.parametrize(
    ("link", "after"),
    [
        ('<http://b.example/dsp/catalog/request?after=x>; rel="next"', "x"),
        ('<http://[::>; rel="next"', None),
        ('<?after=>; rel="next"', None),
        (f'<?after={"x" * 501}>; rel="next"', None),
        ("<<<>>>; rel=next;;;,,,", None),
    ],
)
def test_the_next_page_of_another_catalogue_is_where_its_link_can_be_read(
    link: str, after: str | None
) -> None:
    assert offered(catalogue('{"@type": "Catalog"}', link), OTHER.address).after == after


@pytest.mark.parametrize(
    ("given", "told"),
    [
        ("Parkeren", {"und": "Parkeren"}),
        ([{"@value": "Parkeren", "@language": "nl"}, "Parking"], {"nl": "Parkeren", "und": "Parking"}),
        ({"@value": "Parking"}, {"und": "Parking"}),
        (None, {}),
        ({"@value": "Parking", "@language": [[]]}, {"und": "Parking"}),
        ([7, {"@language": "nl"}], {}),
    ],
)
def test_titles_of_a_foreign_catalogue_are_read_in_any_form(given: object, told: dict[str, str]) -> None:
    assert texts(given) == told
