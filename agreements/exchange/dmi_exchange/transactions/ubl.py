"""An invoice as data: UBL 2.1 after Peppol BIS Billing 3.0 (EN 16931), with the rules for the Netherlands.

Sources: https://docs.peppol.eu/poacc/billing/3.0/ and OASIS UBL 2.1. Amounts are euros with two decimals, made from
whole cents; a quantity and the number that its price is for say how a line came about. The tests hand what comes out
to the published rules (``tests/conformance/invoices``).
"""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Final
from xml.etree import ElementTree

from dmi_agreements.contracts.observations import Micros
from dmi_exchange.transactions.model import Invoice, Line, Party

MEDIA_TYPE: Final = "application/xml"
_UBL: Final = "urn:oasis:names:specification:ubl:schema:xsd:"
_CAC: Final = _UBL + "CommonAggregateComponents-2"
_CBC: Final = _UBL + "CommonBasicComponents-2"
_CUSTOMIZATION: Final = "urn:cen.eu:en16931:2017#compliant#urn:fdc:peppol.eu:2017:poacc:billing:3.0"
_PROFILE: Final = "urn:fdc:peppol.eu:2017:poacc:billing:01:1.0"
_TRANSFER: Final = "58"
"""UNCL 4461: a SEPA credit transfer, one of the means that NL-R-008 allows."""
_OUTSIDE: Final = "VATEX-EU-O"
"""CEF VATEX: not subject to VAT."""
_CODES: Final = {"use": "C62", "once": "C62", "month": "MON"}
"""UN/ECE Recommendation 20: one, and a month."""
_WORDS: Final = {"use": "keren gebruikt", "once": "eenmalig", "month": "maand"}


def document(made: Invoice) -> bytes:
    """The XML document of an invoice or credit note."""
    credit = made.kind == "credit"
    kind = "CreditNote" if credit else "Invoice"
    ElementTree.register_namespace("cac", _CAC)
    ElementTree.register_namespace("cbc", _CBC)
    root = ElementTree.Element(f"{{{_UBL}{kind}-2}}{kind}")
    _text(root, "CustomizationID", _CUSTOMIZATION)
    _text(root, "ProfileID", _PROFILE)
    _text(root, "ID", made.number)
    _text(root, "IssueDate", _day(made.issued_at))
    if not credit:
        _text(root, "DueDate", _day(made.due_at))
    _text(root, f"{kind}TypeCode", "381" if credit else "380")
    _text(root, "DocumentCurrencyCode", "EUR")
    _text(root, "BuyerReference", made.lines[0].agreement)
    period = _part(root, "InvoicePeriod")
    _text(period, "StartDate", _day(made.start))
    _text(period, "EndDate", _day(max(made.start, made.end - 1)))
    if credit:
        reference = _part(_part(root, "BillingReference"), "InvoiceDocumentReference")
        _text(reference, "ID", made.credits_number)
    # Outside VAT neither party's number may stand there (BR-O-02).
    taxed = made.seller.vat_category != "O"
    _party(_part(root, "AccountingSupplierParty"), made.seller, taxed)
    _party(_part(root, "AccountingCustomerParty"), made.buyer, taxed)
    if not credit:
        # What a credit note gives back is not paid to the supplier's account.
        means = _part(root, "PaymentMeans")
        _text(means, "PaymentMeansCode", _TRANSFER)
        _text(means, "PaymentID", made.number)
        _text(_part(means, "PayeeFinancialAccount"), "ID", made.seller.iban)
    sign = -1 if credit else 1
    _totals(root, made, sign)
    for number, each in enumerate(made.lines, 1):
        _line(root, number, each, made.seller, sign)
    ElementTree.indent(root)
    data: bytes = ElementTree.tostring(root, encoding="utf-8", xml_declaration=True)
    return data


def _party(parent: ElementTree.Element, party: Party, taxed: bool) -> None:
    whole = _part(parent, "Party")
    _text(whole, "EndpointID", party.registration, schemeID=party.scheme)
    _text(_part(whole, "PartyName"), "Name", party.name)
    address = _part(whole, "PostalAddress")
    _text(address, "StreetName", party.street)
    _text(address, "CityName", party.city)
    _text(address, "PostalZone", party.postcode)
    _text(_part(address, "Country"), "IdentificationCode", party.country)
    if party.vat_id and taxed:
        tax = _part(whole, "PartyTaxScheme")
        _text(tax, "CompanyID", party.vat_id)
        _text(_part(tax, "TaxScheme"), "ID", "VAT")
    legal = _part(whole, "PartyLegalEntity")
    _text(legal, "RegistrationName", party.name)
    _text(legal, "CompanyID", party.registration, schemeID=party.scheme)


def _totals(root: ElementTree.Element, made: Invoice, sign: int) -> None:
    tax = _part(root, "TaxTotal")
    _amount(tax, "TaxAmount", sign * made.vat)
    subtotal = _part(tax, "TaxSubtotal")
    _amount(subtotal, "TaxableAmount", sign * made.net)
    _amount(subtotal, "TaxAmount", sign * made.vat)
    _category(_part(subtotal, "TaxCategory"), made.seller, reason=True)
    total = _part(root, "LegalMonetaryTotal")
    _amount(total, "LineExtensionAmount", sign * made.net)
    _amount(total, "TaxExclusiveAmount", sign * made.net)
    _amount(total, "TaxInclusiveAmount", sign * made.gross)
    _amount(total, "PayableAmount", sign * made.gross)


def _category(category: ElementTree.Element, seller: Party, reason: bool = False) -> None:
    """The category of the seller with its rate; with the reason why no VAT is charged, once for the whole."""
    kind = seller.vat_category
    _text(category, "ID", kind)
    if kind != "O":
        _text(category, "Percent", str(seller.vat_percent))
    if reason and kind == "O":
        _text(category, "TaxExemptionReasonCode", _OUTSIDE)
    if reason and kind != "S":
        _text(category, "TaxExemptionReason", seller.exemption)
    _text(_part(category, "TaxScheme"), "ID", "VAT")


def _line(root: ElementTree.Element, number: int, line: Line, seller: Party, sign: int) -> None:
    kind = "CreditNote" if sign < 0 else "Invoice"
    part = _part(root, f"{kind}Line")
    code = _CODES[line.price.unit]
    _text(part, "ID", str(number))
    quantity = "CreditedQuantity" if sign < 0 else "InvoicedQuantity"
    _text(part, quantity, str(sign * line.count), unitCode=code)
    _amount(part, "LineExtensionAmount", sign * line.net)
    item = _part(part, "Item")
    _text(item, "Description", line.agreement)
    _text(item, "Name", _name(line))
    _category(_part(item, "ClassifiedTaxCategory"), seller)
    price = _part(part, "Price")
    _amount(price, "PriceAmount", line.price.cents)
    _text(price, "BaseQuantity", str(line.price.per), unitCode=code)


def _name(line: Line) -> str:
    what = _WORDS[line.price.unit]
    when = f"{what} {line.month}" if line.month else what
    return f"{when}, {line.rule}" if line.rule else when


def _part(parent: ElementTree.Element, name: str) -> ElementTree.Element:
    return ElementTree.SubElement(parent, f"{{{_CAC}}}{name}")


def _text(parent: ElementTree.Element, name: str, text: str, **attributes: str) -> None:
    ElementTree.SubElement(parent, f"{{{_CBC}}}{name}", attributes).text = text


def _amount(parent: ElementTree.Element, name: str, cents: int) -> None:
    whole, part = divmod(abs(cents), 100)
    _text(parent, name, f"{'-' if cents < 0 else ''}{whole}.{part:02}", currencyID="EUR")


def _day(at: Micros) -> str:
    return (datetime(1970, 1, 1, tzinfo=UTC) + timedelta(microseconds=at)).date().isoformat()
