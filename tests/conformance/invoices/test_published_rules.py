"""Invoices and credit notes, as the interface gives them, against the published schemas and rules."""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, Final
from xml.etree import ElementTree

import pytest
from lxml import etree

from dmi_command.servers import ServerMissing
from dmi_exchange.transactions import billing
from tests.conformance.invoices import rules
from tests.servers_plugin import ROOT, require
from tests.unit.exchange.fakes import OFFICER, SELLING, Node, furnish, running
from tests.unit.exchange.test_transactions import CITY, SHOP, once_billable, priced, used
from tests.unit.infra.fakes import VENDOR, pay

MADE: Final = ("standard", "credit", "reduced", "exempt", "outside")
CAC, CBC = f"{{{rules.UBL}CommonAggregateComponents-2}}", f"{{{rules.UBL}CommonBasicComponents-2}}"
SUPPLIER: Final = f"{CAC}AccountingSupplierParty/{CAC}Party/"
Change = Callable[[ElementTree.Element], None]


def without(path: str) -> Change:
    """Takes an element out."""

    def change(root: ElementTree.Element) -> None:
        parent = root.find(path.rpartition("/")[0] or ".")
        found = root.find(path)
        assert parent is not None
        assert found is not None
        parent.remove(found)

    return change


def saying(path: str, text: str, **attributes: str) -> Change:
    """Writes something else into an element."""

    def change(root: ElementTree.Element) -> None:
        found = root.find(path)
        assert found is not None
        found.text = text
        found.attrib.update(attributes)

    return change


LINE: Final = f"{CAC}InvoiceLine/"
BROKEN: Final[Mapping[str, tuple[str, Change, str]]] = {
    "reference": ("standard", without(f"{CBC}BuyerReference"), "PEPPOL-EN16931-R003"),
    "postcode": ("standard", without(f"{SUPPLIER}{CAC}PostalAddress/{CBC}PostalZone"), "NL-R-002"),
    "register": (
        "standard",
        saying(f"{SUPPLIER}{CAC}PartyLegalEntity/{CBC}CompanyID", "5790000436101", schemeID="0088"),
        "NL-R-003",
    ),
    "means": ("standard", without(f"{CAC}PaymentMeans"), "NL-R-007"),
    "cash": ("standard", saying(f"{CAC}PaymentMeans/{CBC}PaymentMeansCode", "10"), "NL-R-008"),
    "which": ("credit", without(f"{CAC}BillingReference"), "NL-R-001"),
    "line": ("standard", saying(f"{LINE}{CBC}LineExtensionAmount", "0.50"), "PEPPOL-EN16931-R120"),
    "payable": ("standard", saying(f"{CAC}LegalMonetaryTotal/{CBC}PayableAmount", "1.00"), "BR-CO-16"),
    "rate": ("standard", saying(f"{CAC}TaxTotal/{CBC}TaxAmount", "0.01"), "BR-CO-14"),
    "unit": ("standard", saying(f"{LINE}{CBC}InvoicedQuantity", "10", unitCode="XYZ"), "PEPPOL-EN16931-R130"),
    "number": ("exempt", without(f"{SUPPLIER}{CAC}PartyTaxScheme"), "BR-E-02"),
    "reason": (
        "exempt",
        without(f"{CAC}TaxTotal/{CAC}TaxSubtotal/{CAC}TaxCategory/{CBC}TaxExemptionReason"),
        "BR-E-10",
    ),
    "empty": ("standard", saying(f"{SUPPLIER}{CAC}PartyName/{CBC}Name", "  "), "PEPPOL-EN16931-R008"),
}


@pytest.fixture(scope="module")
def libs() -> Path:
    """The folder of the published rules."""
    found = ROOT / ".tools" / "invoice-rules"
    try:
        # As with the broker's jars, a usual run never needs the network.
        if os.environ.get("DMI_REQUIRE"):
            rules.fetch(found)
        elif not rules.present(found):
            raise ServerMissing("The rules for invoices", rules.REMEDY)
    except ServerMissing as missing:
        require("invoices", str(missing))
    return found


def details(node: Node, supplier: Mapping[str, Any]) -> None:
    for who, body in ((OFFICER, supplier), (SELLING, {**SHOP, "name": "Łódź & Zn. <B.V.>"})):
        assert node.ask("PUT", "/v1/transactions/details", who, json=body).status_code == 200


@pytest.fixture(scope="module")
def documents(tmp_path_factory: pytest.TempPathFactory) -> dict[str, bytes]:
    """One of each kind: several lines and prices, one of them of nothing; a credit note; every category of VAT."""
    with running(tmp_path_factory.mktemp("exchange")) as node, pytest.MonkeyPatch.context() as patch:
        furnish(node)
        agreement = priced(node, pay(7, 3, "use"), pay(5000, 1, "once"), pay(700, 1, "month"))
        patch.setattr(billing, "clock", once_billable(node, agreement))
        nearly_free = priced(node, pay(1, 1000, "use"))
        found: dict[str, bytes] = {}

        def issue(name: str, **supplier: Any) -> Any:
            details(node, {**CITY, **supplier})
            used(node, agreement, 10, name)
            used(node, nearly_free, 1, f"{name} nearly free")
            made = node.post("/v1/transactions/invoices", {"customer": VENDOR})
            found[name] = file(made)
            return made

        def file(made: Any) -> bytes:
            return node.ask("GET", f"/v1/transactions/invoices/{made['id']}/ubl", SELLING).content

        first = issue("standard")
        assert sorted(line["net"] for line in first["lines"]) == [0, 23, 700, 5000]
        found["credit"] = file(node.post(f"/v1/transactions/invoices/{first['id']}/credit", {}))
        issue("reduced", vat_percent=9)
        issue("exempt", vat_percent=0, exemption="Vrijgesteld: artikel 11 Wet op de omzetbelasting 1968")
        issue("outside", vat_percent=0, vat_id="", exemption="Overheid: geen ondernemer voor de btw")
        return found


@pytest.fixture(scope="module")
def told(
    libs: Path, documents: Mapping[str, bytes], tmp_path_factory: pytest.TempPathFactory
) -> dict[str, list[str]]:
    """The rules that each document breaks, those that were spoiled for it too."""
    asked = dict(documents)
    for name, (base, change, _) in BROKEN.items():
        root = ElementTree.fromstring(documents[base])
        change(root)
        asked[name] = ElementTree.tostring(root, encoding="utf-8")
    return rules.broken(libs, tmp_path_factory.mktemp("rules"), asked)


@pytest.mark.parametrize("name", MADE)
def test_what_the_exchange_issues_breaks_no_rule_and_brings_no_warning(
    name: str, told: Mapping[str, list[str]]
) -> None:
    assert told[name] == []


@pytest.mark.parametrize("name", sorted(BROKEN))
def test_the_rules_refuse_what_is_wrong(name: str, told: Mapping[str, list[str]]) -> None:
    assert BROKEN[name][2] in {each.split()[1].rstrip(":") for each in told[name]}, told[name]


def test_documents_follow_the_schemas_of_ubl(
    libs: Path, documents: Mapping[str, bytes], tmp_path: Path
) -> None:
    schema = rules.schema(libs, tmp_path)
    for content in documents.values():
        schema.assertValid(etree.fromstring(content))
    upside_down = etree.fromstring(documents["standard"])
    upside_down.append(upside_down[0])
    assert not schema.validate(upside_down)
