"""What uses cost: counted by the gates' own records, billed once, balanced in both books, told as UBL."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from types import SimpleNamespace
from typing import Any, cast
from xml.etree import ElementTree

import pytest
import sqlalchemy as sa

from dmi_agreements.contracts.law import AgreementState, Participant
from dmi_agreements.contracts.record import DecisionRecord
from dmi_agreements.errors import Finding, PolicyRefused
from dmi_agreements.policy.document import read_agreement
from dmi_agreements.prices import Price, charge, due
from dmi_exchange.review.facts import facts_of
from dmi_exchange.review.watch import facts_in
from dmi_exchange.transactions import billing, ledger, meter, tables
from dmi_exchange.transactions.commons import FIRST_WEEKS, shares
from dmi_exchange.transactions.fixed import Priced, fixed, tariff
from dmi_exchange.transactions.model import vat_of
from dmi_exchange.transactions.store import Transactions
from dmi_exchange.transactions.tables import charged
from dmi_infra import clock
from dmi_infra.errors import Conflict
from dmi_infra.sql import open_engine
from tests.unit.exchange.fakes import LIVING, OFFICER, OPERATING, SELLING, Node, Who, furnish, running
from tests.unit.exchange.test_log import report
from tests.unit.infra.fakes import GARAGES, OWNER, VENDOR, document, eventually, pay, until

CITY = {
    "name": "Gemeente Waterstad", "scheme": "0190", "registration": "00000001234567890000",
    "street": "Stadsplein 1", "city": "Waterstad", "postcode": "1000 AA", "vat_id": "NL001234567B01",
    "iban": "NL91ABNA0417164300",
}  # fmt: skip
SHOP = {
    "name": "Leverancier BV", "registration": "12345678", "street": "Kade 2", "city": "Waterstad",
    "postcode": "1000 BB", "vat_id": "NL123456789B01",
}  # fmt: skip
HOUR = 3_600_000_000
ONCE, MONTHLY = Priced(Price(5000, 1, "once")), Priced(Price(700, 1, "month"))
CBC = "{urn:oasis:names:specification:ubl:schema:xsd:CommonBasicComponents-2}"


@pytest.fixture
def node(tmp_path: Path) -> Iterator[Node]:
    with running(tmp_path) as made:
        furnish(made)
        yield made


def priced(node: Node, *duties: dict[str, Any], constraints: Sequence[dict[str, Any]] = ()) -> str:
    """A concluded agreement of the vendor with the city, a permission for each price."""
    text = document(OWNER, VENDOR, GARAGES, ["dmi:read"], constraints=constraints)
    first = text["permission"][0]
    text["permission"] = [{**first, "duty": [*first.get("duty", []), duty]} for duty in duties]
    node.propose(text)
    node.countersign(text, SELLING)
    return str(text["uid"])


def hour_over(moment: int) -> int:
    """The end of the hour of a moment: what is agreed in it is billed then, for one month also at the end of one."""
    return (moment // HOUR + 1) * HOUR


def once_billable(node: Node, agreement: str) -> SimpleNamespace:
    """A clock that stands at the first moment at which an agreement itself is billed."""
    concluded = node.service.app.state.exchange.agreement(agreement).concluded_at
    return SimpleNamespace(now=lambda: hour_over(concluded), to_text=clock.to_text)


def used(node: Node, agreement: str, number: int, name: str, at: int | None = None) -> None:
    """So many allowed uses, as a gate records them, and one that was refused."""
    moment = clock.now() - 2 * HOUR if at is None else at
    records = [
        DecisionRecord(
            f"{name}-{each}", moment, "platform", "query", VENDOR, "dmi:read", GARAGES, "p", each < number, ["x"],
            [agreement], counted=[(agreement, "/permission/0", VENDOR)],
        )
        for each in range(number + 1)
    ]  # fmt: skip
    report(node, *records)


def counted(node: Node, agreement: str) -> int:
    items = node.get("/v1/transactions/use")["items"]
    return sum(item["uses"] for item in items if item["agreement"] == agreement)


def details(node: Node) -> None:
    for who, body in ((OFFICER, CITY), (SELLING, SHOP)):
        assert node.ask("PUT", "/v1/transactions/details", who, json=body).status_code == 200


def balances(node: Node, who: Who) -> dict[str, int]:
    return {item["account"]: item["cents"] for item in node.get("/v1/transactions/accounts", who)["items"]}


@pytest.mark.parametrize(
    ("price", "count", "cents"),
    [(Price(1, 1, "use"), 3, 3), (Price(5, 10, "use"), 1000, 500), (Price(1, 2, "use"), 1, 1),
     (Price(1, 3, "use"), 1, 0), (Price(1, 3, "use"), 2, 1), (Price(25, 1000, "use"), 10**9, 25_000_000)],
)  # fmt: skip
def test_a_count_is_charged_as_a_whole(price: Price, count: int, cents: int) -> None:
    assert charge(price, count) == cents


@pytest.mark.parametrize(
    ("price", "counts"),
    [(Price(1, 2, "use"), [1] * 100), (Price(1, 1000, "use"), [499] * 21), (Price(7, 3, "use"), [1, 2, 5, 1, 9])],
)  # fmt: skip
def test_all_that_was_billed_is_what_the_whole_costs(price: Price, counts: list[int]) -> None:
    before = billed = 0
    for count in counts:
        asked = due(price, count, before, billed)
        assert abs(asked - price.cents * count / price.per) < 1, "an invoice adds up by itself"
        before, billed = before + count, billed + asked
    assert billed == charge(price, before)


def test_what_was_asked_too_much_before_is_made_good_by_less_than_a_cent_at_a_time() -> None:
    assert due(Price(1, 2, "use"), 3, 100, 100) == 1
    assert due(Price(1, 1, "use"), 3, 100, 140) == 3


@pytest.mark.parametrize(
    ("net", "percent", "vat"), [(100, 21, 21), (3, 21, 1), (2, 21, 0), (-3, 21, -1), (50, 9, 5), (7, 0, 0)]
)
def test_vat_is_counted_over_the_whole(net: int, percent: int, vat: int) -> None:
    assert vat_of(net, percent) == vat


def test_an_entry_that_does_not_balance_is_no_entry() -> None:
    whole = ledger.billed("a", "b", 100, 21)
    ledger.check(whole)
    with pytest.raises(ValueError, match="does not balance in the book of a"):
        ledger.check(whole[1:])


def test_uses_are_billed_once_and_stand_in_both_books(node: Node) -> None:
    agreement = priced(node, pay(5, 10, "use"))
    used(node, agreement, 30, "first")
    used(node, agreement, 30, "first")
    assert counted(node, agreement) == 30, (
        "a record that comes twice counts once; a refused use costs nothing"
    )
    answer = node.ask("POST", "/v1/transactions/invoices", OFFICER, json={"customer": VENDOR})
    assert "has not given yet" in node.refused(answer, 409, "conflict")["detail"]
    details(node)
    made = node.post("/v1/transactions/invoices", {"customer": VENDOR})
    assert [(line["count"], line["net"]) for line in made["lines"]] == [(30, 15)]
    assert (made["net"], made["vat"], made["gross"], made["open"], made["number"][-5:]) == (
        15,
        3,
        18,
        18,
        "00001",
    )
    node.refused(
        node.ask("POST", "/v1/transactions/invoices", OFFICER, json={"customer": VENDOR}), 409, "conflict"
    )
    used(node, agreement, 4, "late")
    assert node.post("/v1/transactions/invoices", {"customer": VENDOR})["net"] == 2, (
        "a late count is billed next"
    )
    assert balances(node, OFFICER) == {"debtors": 20, "revenue": -17, "vat-due": -3}
    assert balances(node, SELLING) == {"creditors": -20, "costs": 17, "vat-paid": 3}
    path = f"/v1/transactions/invoices/{made['id']}"
    node.refused(node.ask("POST", f"{path}/payments", OFFICER, json={"cents": 19}), 400, "invalid-input")
    assert node.post(f"{path}/payments", {"cents": 10})["open"] == 8
    assert balances(node, OFFICER) == {"bank": 10, "debtors": 10, "revenue": -17, "vat-due": -3}
    entries = node.get("/v1/transactions/entries?account=debtors")["items"]
    assert sum(entry["cents"] for entry in entries) == 10, "a balance is the sum of its entries"


def test_details_are_nothing_before_they_were_given(node: Node) -> None:
    assert node.get("/v1/transactions/details") is None
    details(node)
    assert node.get("/v1/transactions/details")["iban"] == CITY["iban"]


def test_an_invoice_is_seen_by_its_parties_alone(node: Node) -> None:
    agreement = priced(node, pay(100, 1, "use"))
    details(node)
    used(node, agreement, 1, "one")
    made = node.post("/v1/transactions/invoices", {"customer": VENDOR})
    path = f"/v1/transactions/invoices/{made['id']}"
    for who in (OFFICER, SELLING, OPERATING):
        assert node.get(path, who)["net"] == 100
    for ask in (node.ask("GET", path, LIVING), node.ask("GET", f"{path}/ubl", LIVING)):
        node.refused(ask, 404, "not-found")
    node.refused(node.ask("POST", f"{path}/credit", SELLING, json={}), 404, "not-found")
    node.refused(node.ask("POST", f"{path}/payments", SELLING, json={"cents": 1}), 404, "not-found")


def test_invoices_come_page_by_page_newest_first(node: Node) -> None:
    agreement = priced(node, pay(100, 1, "use"))
    details(node)
    made = []
    for name in ("first", "second", "third"):
        used(node, agreement, 1, name)
        made.append(node.post("/v1/transactions/invoices", {"customer": VENDOR})["id"])
    first = node.get("/v1/transactions/invoices?limit=2")
    rest = node.get(f"/v1/transactions/invoices?limit=2&cursor={first['next']}")
    assert [one["id"] for one in first["items"] + rest["items"]] == made[::-1]
    assert rest["next"] is None
    path = f"/v1/transactions/invoices?cursor={made[0]}"
    problem = node.refused(node.ask("GET", path, LIVING), 400, "invalid-input")
    assert problem["errors"][0]["field"] == "cursor", (
        "nor does a cursor tell that an invoice of others is there"
    )


def test_a_credit_note_takes_an_invoice_back_once_and_opens_its_uses_when_asked(node: Node) -> None:
    agreement = priced(node, pay(100, 1, "use"))
    details(node)
    used(node, agreement, 2, "two")
    made = node.post("/v1/transactions/invoices", {"customer": VENDOR})
    note = node.post(f"/v1/transactions/invoices/{made['id']}/credit", {"bill_again": True})
    assert (note["kind"], note["gross"], note["credits_number"]) == ("credit", -242, made["number"])
    assert balances(node, OFFICER) == {"debtors": 0, "revenue": 0, "vat-due": 0}
    again = node.ask("POST", f"/v1/transactions/invoices/{made['id']}/credit", OFFICER, json={})
    node.refused(again, 409, "conflict")
    assert node.post("/v1/transactions/invoices", {"customer": VENDOR})["net"] == 200


def test_what_was_paid_of_a_credited_invoice_is_given_back_and_each_balance_is_the_sum_of_its_entries(
    node: Node,
) -> None:
    agreement = priced(node, pay(100, 1, "use"))
    details(node)
    used(node, agreement, 2, "two")
    made = node.post("/v1/transactions/invoices", {"customer": VENDOR})
    node.post(f"/v1/transactions/invoices/{made['id']}/payments", {"cents": 200})
    note = node.post(f"/v1/transactions/invoices/{made['id']}/credit", {})
    assert (note["open"], node.get(f"/v1/transactions/invoices/{made['id']}")["open"]) == (200, 0)
    path = f"/v1/transactions/invoices/{note['id']}/payments"
    node.refused(node.ask("POST", path, OFFICER, json={"cents": 201}), 400, "invalid-input")
    assert node.post(path, {"cents": 200})["open"] == 0
    for who in (OFFICER, SELLING):
        found = node.get("/v1/transactions/accounts", who)["items"]
        assert {item["cents"] for item in found} == {0}, "all was taken back"
        for item in found:
            query = f"account={item['account']}&other={item['other']}"
            entries = node.get(f"/v1/transactions/entries?{query}", who)["items"]
            assert sum(entry["cents"] for entry in entries) == item["cents"]
            assert {entry["number"] for entry in entries} <= {made["number"], note["number"]}
    assert node.get("/v1/transactions/entries?other=urn:dmi:participant:nobody")["items"] == []


def test_a_payment_that_is_sent_again_under_its_reference_is_recorded_once(node: Node) -> None:
    agreement = priced(node, pay(100, 1, "use"))
    details(node)
    used(node, agreement, 2, "two")
    made = node.post("/v1/transactions/invoices", {"customer": VENDOR})
    path = f"/v1/transactions/invoices/{made['id']}/payments"
    half = {"cents": 121, "reference": "NL-2026-1"}
    assert [node.post(path, half)["open"] for _ in range(2)] == [121, 121]
    other = node.ask("POST", path, OFFICER, json={**half, "cents": 120})
    node.refused(other, 409, "conflict")
    assert node.post(path, {**half, "reference": "NL-2026-2"})["open"] == 0
    # Also when nothing is open any more: it was recorded.
    assert node.post(path, half)["open"] == 0
    note = node.post(f"/v1/transactions/invoices/{made['id']}/credit", {})
    back = f"/v1/transactions/invoices/{note['id']}/payments"
    assert [node.post(back, {"cents": 242, "reference": "NL-2026-1"})["open"] for _ in range(2)] == [0, 0]
    assert balances(node, OFFICER)["bank"] == 0


def test_a_count_that_comes_while_an_invoice_is_taken_back_joins_it(node: Node) -> None:
    """Another process makes the row between the look for it and its making."""
    key = ("urn:uuid:a", "/permission/0", HOUR)
    engine = node.store._engine
    with engine.begin() as connection:
        meter.add(connection, key, 2)
        execute, first = connection.execute, []

        def late(*given: Any) -> Any:
            if not first:
                first.append(given)
                return SimpleNamespace(rowcount=0)
            return execute(*given)

        racing = SimpleNamespace(execute=late, dialect=connection.dialect)
        meter.add(cast("sa.Connection", racing), key, 3)
        total = execute(sa.select(sa.func.sum(tables.meter.c.uses))).scalar_one()
    assert total == 5


def test_two_payments_at_once_never_come_to_more_than_is_open(node: Node) -> None:
    agreement = priced(node, pay(100, 1, "use"))
    details(node)
    used(node, agreement, 2, "two")
    made = node.post("/v1/transactions/invoices", {"customer": VENDOR})
    engine = open_engine(node.settings.store_address("exchange"), "exchange")
    transactions = Transactions(engine)
    invoice = transactions.invoice(made["id"])
    assert invoice is not None
    with ThreadPoolExecutor(8) as pool:
        left = list(pool.map(lambda each: transactions.pay(invoice, 200, clock.now() + each), range(8)))
    engine.dispose()
    assert sorted(left) == [42] * 7 + [242]
    assert balances(node, OFFICER)["debtors"] == 42


def test_no_rounding_adds_up_over_invoices_and_what_one_takes_back_is_billed_as_it_was(node: Node) -> None:
    agreement = priced(node, pay(1, 2, "use"))
    details(node)
    invoices = []
    for number in range(5):
        used(node, agreement, 1, f"use-{number}")
        [open_still] = node.get("/v1/transactions/use")["items"]
        invoices.append(node.post("/v1/transactions/invoices", {"customer": VENDOR}))
        assert invoices[-1]["net"] == open_still["net"], "what is told before is what is billed"
    assert [made["net"] for made in invoices] == [1, 0, 1, 0, 1], "five uses at half a cent cost three cents"
    node.post(f"/v1/transactions/invoices/{invoices[0]['id']}/credit", {"bill_again": True})
    assert node.post("/v1/transactions/invoices", {"customer": VENDOR})["net"] == 1
    node.post(f"/v1/transactions/invoices/{invoices[2]['id']}/credit", {"bill_again": False})
    used(node, agreement, 1, "after")
    assert node.post("/v1/transactions/invoices", {"customer": VENDOR})["net"] == 0
    assert balances(node, OFFICER)["revenue"] == -2, "three cents for six uses, one of which was given away"


def test_an_invoice_that_cannot_be_issued_leaves_its_uses_open(node: Node) -> None:
    agreement = priced(node, pay(5, 1, "use"))
    details(node)
    used(node, agreement, 2, "two")
    exchange = node.service.app.state.exchange

    def failing(*_found: object) -> object:
        raise Conflict.of("customer", "cannot be billed")

    transactions = Transactions(exchange.store._engine)
    with pytest.raises(Conflict):
        transactions.issue([agreement], clock.now(), failing, OWNER)
    assert [(one.uses, one.before, one.billed) for one in transactions.counted([agreement])] == [(2, 0, 0)]


def test_what_is_not_yet_billed_is_told_with_its_price_before_and_nothing_of_it_after(
    node: Node, monkeypatch: pytest.MonkeyPatch
) -> None:
    agreement = priced(node, pay(7, 3, "use"), pay(5000, 1, "once"), pay(700, 1, "month"))
    details(node)
    used(node, agreement, 10, "ten")
    monkeypatch.setattr(billing, "clock", once_billable(node, agreement))
    items = node.get("/v1/transactions/use")["items"]
    assert sorted((item["price"]["unit"], item["uses"], item["net"]) for item in items) == [
        ("month", 1, 700), ("once", 1, 5000), ("use", 10, 23),
    ]  # fmt: skip
    assert {item["customer"] for item in items} == {VENDOR}
    made = node.post("/v1/transactions/invoices", {"customer": VENDOR})
    assert made["net"] == sum(item["net"] for item in items)
    assert node.get("/v1/transactions/use")["items"] == []


def test_a_moment_to_come_is_not_billed(node: Node) -> None:
    details(node)
    hour = clock.to_text(clock.now() + HOUR)
    answer = node.ask("POST", "/v1/transactions/invoices", OFFICER, json={"customer": VENDOR, "until": hour})
    node.refused(answer, 400, "invalid-input")


@pytest.mark.parametrize(
    ("until", "ended", "months"),
    [
        ("2026-01-15T10:00:00Z", None, []),
        ("2026-01-15T11:00:00Z", None, ["2026-01"]),
        ("2026-02-01T00:00:00Z", None, ["2026-01"]),
        ("2026-03-01T01:00:00Z", None, ["2026-01", "2026-02", "2026-03"]),
        ("2027-01-01T00:00:00Z", "2026-02-03T00:00:00Z", ["2026-01", "2026-02"]),
    ],
)
def test_an_agreement_costs_once_and_for_each_month_that_it_began_in(
    until: str, ended: str | None, months: list[str]
) -> None:
    state = AgreementState(
        "urn:uuid:a", {}, "ended" if ended else "active", concluded_at=clock.from_text("2026-01-15T10:30:00Z"),
        ended_at=clock.from_text(ended) if ended else None,
    )  # fmt: skip
    found = fixed(state, {"/permission/0": ONCE, "/permission/1": MONTHLY}, clock.from_text(until))
    assert [each.line.month for each in found if each.line.price.unit == "month"] == months
    assert [each.line.net for each in found if each.line.price.unit == "once"] == ([5000] if months else [])
    assert len({each.item for each in found}) == len(found), "each is told apart from the others"


def test_what_is_agreed_in_the_last_hour_of_a_month_is_first_billed_for_that_month_alone() -> None:
    begun = clock.from_text("2026-11-30T23:59:59Z")
    state = AgreementState("urn:uuid:a", {}, "active", concluded_at=begun)
    months = [each.line.month for each in fixed(state, {"/permission/0": MONTHLY}, hour_over(begun))]
    assert months == ["2026-11"]


def test_permissions_that_cost_the_same_are_charged_each() -> None:
    state = AgreementState("urn:uuid:a", {}, "active", concluded_at=clock.from_text("2026-01-15T10:30:00Z"))
    until = clock.from_text("2026-01-16T00:00:00Z")
    for price in (ONCE, MONTHLY):
        found = fixed(state, {"/permission/0": price, "/permission/1": price}, until)
        assert [each.line.rule for each in found] == ["/permission/0", "/permission/1"]
        assert len({each.item for each in found}) == 2
        assert len({each.items[1] for each in found}) == 1, "earlier versions charged them together"


@pytest.mark.parametrize(
    ("begin", "end", "months", "start"),
    [
        ("2026-03-01T00:00:00Z", "2026-04-01T00:00:00Z", ["2026-03"], "2026-03-01T00:00:00Z"),
        ("2026-01-01T00:00:00Z", "2026-02-01T00:00:01Z", ["2026-01", "2026-02"], "2026-01-15T10:30:00Z"),
        ("2026-01-01T00:00:00Z", "2026-01-10T00:00:00Z", [], None),
        ("2027-01-01T00:00:00Z", "2027-02-01T00:00:00Z", [], None),
    ],
)
def test_a_month_in_which_its_permission_does_not_hold_costs_nothing(
    begin: str, end: str, months: list[str], start: str | None
) -> None:
    state = AgreementState("urn:uuid:a", {}, "active", concluded_at=clock.from_text("2026-01-15T10:30:00Z"))
    monthly = Priced(MONTHLY.price, clock.from_text(begin), clock.from_text(end))
    found = fixed(state, {"/permission/0": monthly}, clock.from_text("2026-06-01T00:00:00Z"))
    assert [each.line.month for each in found] == months
    assert [clock.to_text(each.start) for each in found[:1]] == ([start] if start else [])


@pytest.mark.parametrize(
    ("begin", "end", "starts"),
    [
        ("2026-01-01T00:00:00Z", "2027-01-01T00:00:00Z", ["2026-01-15T10:30:00Z"]),
        ("2026-02-01T00:00:00Z", "2027-01-01T00:00:00Z", ["2026-02-01T00:00:00Z"]),
        ("2026-01-01T00:00:00Z", "2026-01-10T00:00:00Z", []),
        ("2026-03-01T00:00:00Z", "2027-01-01T00:00:00Z", []),
    ],
)
def test_a_permission_that_never_held_costs_nothing_once(begin: str, end: str, starts: list[str]) -> None:
    state = AgreementState(
        "urn:uuid:a", {}, "ended", concluded_at=clock.from_text("2026-01-15T10:30:00Z"),
        ended_at=clock.from_text("2026-02-20T00:00:00Z"),
    )  # fmt: skip
    once = Priced(ONCE.price, clock.from_text(begin), clock.from_text(end))
    found = fixed(state, {"/permission/0": once}, clock.from_text("2026-06-01T00:00:00Z"))
    assert [clock.to_text(each.start) for each in found] == starts


@pytest.mark.parametrize(("cents", "per"), [(2, 3), (1, 3), (700, 3), (10_000, 12)])
def test_months_cost_together_what_their_price_says(cents: int, per: int) -> None:
    state = AgreementState("urn:uuid:a", {}, "active", concluded_at=clock.from_text("2026-01-01T00:00:00Z"))
    price = Price(cents, per, "month")
    for months in range(1, 13):
        until = clock.from_text(f"2026-{months:02}-02T00:00:00Z")
        found = fixed(state, {"/permission/0": Priced(price)}, until)
        assert sum(each.line.net for each in found) == charge(price, months)


def test_the_term_of_a_priced_permission_is_that_of_its_text(node: Node) -> None:
    agreement = priced(node, pay(700, 1, "month"), constraints=[until(40)])
    found = node.service.app.state.exchange.agreement(agreement)
    terms = read_agreement(found.document, node.service.app.state.exchange.rulebook)
    ((path, each),) = tariff(terms).items()
    assert path == "/permission/0"
    assert clock.to_text(each.end - 1) == until(40)["rightOperand"]["@value"]
    assert each.begin == 0


def test_equal_prices_are_billed_each_and_an_invoice_of_before_is_not_billed_again(
    node: Node, monkeypatch: pytest.MonkeyPatch
) -> None:
    agreement = priced(node, pay(700, 1, "month"), pay(700, 1, "month"))
    details(node)
    monkeypatch.setattr(billing, "clock", once_billable(node, agreement))
    made = node.post("/v1/transactions/invoices", {"customer": VENDOR})
    assert made["net"] == 1400
    assert [line["rule"] for line in made["lines"]] == ["/permission/0", "/permission/1"]
    node.post(f"/v1/transactions/invoices/{made['id']}/credit", {"bill_again": True})
    months = {line["month"] for line in made["lines"]}
    with node.store._engine.begin() as connection:
        rows = [{"agreement": agreement, "item": f"{month} 700/1", "invoice": "old"} for month in months]
        connection.execute(sa.insert(charged), rows)
    answer = node.ask("POST", "/v1/transactions/invoices", OFFICER, json={"customer": VENDOR})
    node.refused(answer, 409, "conflict")


def test_an_invoice_is_of_the_time_from_the_first_hour_that_it_bills(node: Node) -> None:
    agreement = priced(node, pay(100, 1, "use"))
    details(node)
    hour = clock.now() // HOUR * HOUR
    for name, ago in (("early", 30), ("late", 3)):
        used(node, agreement, 1, name, hour - ago * HOUR)
        made = node.post("/v1/transactions/invoices", {"customer": VENDOR})
        assert made["start"] == clock.to_text(hour - ago * HOUR)


def test_one_agreement_that_cannot_be_read_any_more_holds_up_no_other_invoice(
    node: Node, monkeypatch: pytest.MonkeyPatch
) -> None:
    lost, kept = priced(node, pay(100, 1, "use")), priced(node, pay(100, 1, "use"))
    details(node)
    used(node, kept, 1, "kept")
    exchange = node.service.app.state.exchange
    under = exchange.rulebooks.under

    def without(document: Any) -> Any:
        if document["uid"] == lost:
            raise PolicyRefused((Finding("/permission/0", "is not understood"),))
        return under(document)

    monkeypatch.setattr(exchange.rulebooks, "under", without)
    assert node.post("/v1/transactions/invoices", {"customer": VENDOR})["net"] == 100
    used(node, lost, 1, "lost")
    assert counted(node, lost) == 0
    # Once somebody can tell again what they cost, its uses are billed as well.
    monkeypatch.undo()
    used(node, lost, 1, "found")
    assert node.post("/v1/transactions/invoices", {"customer": VENDOR})["net"] == 200


def test_the_ubl_of_an_invoice_adds_up(node: Node) -> None:
    agreement = priced(node, pay(7, 3, "use"))
    details(node)
    used(node, agreement, 10, "ten")
    made = node.post("/v1/transactions/invoices", {"customer": VENDOR})
    answer = node.ask("GET", f"/v1/transactions/invoices/{made['id']}/ubl", SELLING)
    assert answer.headers["content-type"] == "application/xml"
    root = ElementTree.fromstring(answer.content)
    text = {name: [each.text for each in root.iter(CBC + name)] for name in ("LineExtensionAmount", "PayableAmount",
            "TaxAmount", "InvoicedQuantity", "BaseQuantity", "PriceAmount", "TaxInclusiveAmount")}  # fmt: skip
    assert text["LineExtensionAmount"] == ["0.23", "0.23"], "the total, and ten uses at seven cents for three"
    assert (text["InvoicedQuantity"], text["PriceAmount"], text["BaseQuantity"]) == (["10"], ["0.07"], ["3"])
    assert (text["TaxAmount"], text["PayableAmount"], text["TaxInclusiveAmount"]) == (
        ["0.05"] * 2,
        ["0.28"],
        ["0.28"],
    )


@pytest.mark.parametrize(
    ("change", "rule"),
    [({"vat_percent": 0}, "exemption"), ({"vat_id": ""}, "vat_id"), ({"registration": "123"}, "registration"),
     ({"iban": "NL91ABNA0417164301"}, "iban"), ({"scheme": "0106"}, "registration"), ({"name": "a\nb"}, "name"),
     ({"street": " \u00a0"}, "street"), ({"city": "a\ufffe"}, "city"), ({"exemption": "a\x00"}, "exemption"),
     ({"vat_id": "BE0123456789"}, "vat_id"), ({"country": "BE"}, "country")],
)  # fmt: skip
def test_details_that_no_invoice_could_hold_are_refused(
    node: Node, change: dict[str, Any], rule: str
) -> None:
    answer = node.ask("PUT", "/v1/transactions/details", OFFICER, json={**CITY, **change})
    assert rule in str(node.refused(answer, 400, "invalid-input"))


def test_a_price_for_everyone_or_in_an_obligation_is_refused(node: Node) -> None:
    text = document(OWNER, "urn:dmi:party:everyone", GARAGES, ["dmi:read"])
    text["permission"][0]["duty"] = [pay(1, 1, "use")]
    jws = node.keys[OWNER].sign_document(text)
    answer = node.ask("POST", "/v1/agreements", OFFICER, json={"document": text, "jws": jws})
    assert (answer.status_code, "a price has one payer" in answer.text) == (400, True)


def test_the_commons_tell_who_offers_and_who_takes(node: Node) -> None:
    node.publish(GARAGES, commons_cents=40_000)
    node.propose(text := document(OWNER, VENDOR, GARAGES, ["dmi:read"]))
    node.countersign(text, SELLING)
    found = {item["participant"]: item for item in node.get("/v1/transactions/commons")["items"]}
    assert (found[OWNER]["offered"], found[OWNER]["short"]) == (40_000, 210_000)
    assert found[OWNER]["early"], "it signed just now"
    assert found[VENDOR]["rides_free"]
    assert found[VENDOR]["taken"] == [{"from": OWNER, "cents": 40_000}]


def test_the_commons_count_a_dataset_once_for_a_pair_and_leave_out_what_is_paid_for(node: Node) -> None:
    bought = "urn:dmi:dataset:gemeente:duur"
    node.publish(GARAGES, commons_cents=40_000)
    node.publish(bought, commons_cents=90_000)
    text = document(OWNER, VENDOR, bought, ["dmi:read"])
    text["permission"][0]["duty"] = [pay(5, 1, "use")]
    for each in (text, *(document(OWNER, VENDOR, GARAGES, ["dmi:read"]) for _ in range(2))):
        node.propose(each)
        node.countersign(each, SELLING)
    found = {item["participant"]: item for item in node.get("/v1/transactions/commons")["items"]}
    assert found[VENDOR]["taken"] == [{"from": OWNER, "cents": 40_000}]
    exchange = node.service.app.state.exchange
    last = each["uid"]
    table = node.service.runtime.law.table
    eventually(lambda: table.agreements.get(last) is not None and table.agreements[last].state == "active")
    for facts in (facts_of(exchange.store), facts_in(table)):
        for but in ("", last):
            assert facts.taken(OWNER, VENDOR, but) == {GARAGES: 40_000}
        assert facts.taken(VENDOR, OWNER, "") == {}


def test_a_member_is_said_to_offer_too_little_from_its_second_quarter_on() -> None:
    def early(since: int | None, now: int) -> tuple[bool, int]:
        (share,) = shares([Participant(OWNER, "", [], member_since=since)], [], [], 250_000, now)
        return share.early, share.short

    signed = clock.now()
    assert early(signed, signed + FIRST_WEEKS - 1) == (True, 250_000)
    assert early(signed, signed + FIRST_WEEKS) == (False, 250_000)
    assert early(None, signed) == (False, 250_000), "who signed before that was kept is no newcomer"
