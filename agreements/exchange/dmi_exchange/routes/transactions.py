"""Transactions: what invoices say of a participant, invoices, payments, balances, and the commons."""

from __future__ import annotations

from typing import Annotated, Any, Literal

import msgspec
from fastapi import APIRouter, Depends, Query, Response
from pydantic import BaseModel, ConfigDict, Field, StringConstraints, model_validator

from dmi_agreements.contracts.observations import Micros
from dmi_exchange import model
from dmi_exchange.transactions import ubl
from dmi_exchange.transactions.billing import Billing
from dmi_exchange.transactions.commons import Share
from dmi_exchange.transactions.ledger import ACCOUNTS
from dmi_exchange.transactions.model import Invoice, Party, Scheme, VatRate
from dmi_infra.clock import from_text, to_text
from dmi_infra.errors import InputRefused, NotFound
from dmi_infra.http.access import Caller, roles
from dmi_infra.http.wording import pattern
from dmi_infra.identity import Identity

Signatory = Annotated[Identity, Depends(roles(*model.SIGNATORY_ROLES))]
# XML has no element for control characters, and an invoice no element that holds spaces alone (PEPPOL-EN16931-R008).
ONE_LINE = pattern(r"^[^\x00-\x1f\x7f\ufffe\uffff]*$", "must be one line")
Line = Annotated[
    str, StringConstraints(strip_whitespace=True, min_length=1, max_length=120, pattern=ONE_LINE)
]


class Details(BaseModel):
    """What an invoice must say of a participant (EN 16931, and the rules for the Netherlands)."""

    model_config = ConfigDict(extra="forbid")
    name: Line
    scheme: Scheme = Field("0106", description="0106: Chamber of Commerce; 0190: OIN of a public body")
    registration: str = Field(
        pattern=pattern("^([0-9]{8}|[0-9]{20})$", "must be the 8 digits of the register, or the 20 of an OIN")
    )
    street: Line
    city: Line
    postcode: Line
    country: Literal["NL"] = Field("NL", description="the registers that invoices name are Dutch ones")
    vat_id: str = Field(
        "", pattern=pattern("^(NL[0-9]{9}B[0-9]{2})?$", "must be a VAT number such as NL123456789B01")
    )
    vat_percent: VatRate = Field(
        21,
        description="what you charge; 0 needs `exemption`: exempt with a `vat_id`, not subject to VAT without",
    )
    exemption: Annotated[str, StringConstraints(strip_whitespace=True, max_length=200, pattern=ONE_LINE)] = (
        Field("", description="why no VAT is charged")
    )
    iban: str = Field(
        "", pattern=pattern("^([A-Z]{2}[0-9]{2}[0-9A-Z]{11,30})?$", "must be an IBAN without spaces")
    )

    @model_validator(mode="after")
    def _whole(self) -> Details:
        if (len(self.registration) == 20) != (self.scheme == "0190"):
            raise ValueError("registration: must have 8 digits for 0106 and 20 for 0190")
        if self.vat_percent == 0 and not self.exemption:
            raise ValueError("exemption: says why no VAT is charged")
        if self.vat_percent and not self.vat_id:
            raise ValueError("vat_id: is needed to charge VAT")
        if self.iban and int("".join(str(int(c, 36)) for c in self.iban[4:] + self.iban[:4])) % 97 != 1:
            raise ValueError("iban: its check digits do not hold")
        return self


class Issue(BaseModel):
    """Which use is billed: all that ``customer`` used before ``until``, in whole hours."""

    model_config = ConfigDict(extra="forbid")
    customer: str = Field(max_length=200)
    until: str | None = Field(None, max_length=40, description="RFC 3339; now, when left out")


class Credit(BaseModel):
    """``bill_again``: what was billed is open again, for an invoice that is right."""

    model_config = ConfigDict(extra="forbid")
    bill_again: bool = False


class Payment(BaseModel):
    """Money that was received, in cents."""

    model_config = ConfigDict(extra="forbid")
    cents: int = Field(ge=1, le=10**12)
    reference: Annotated[str, StringConstraints(strip_whitespace=True, max_length=120, pattern=ONE_LINE)] = (
        Field(
            "",
            description="a name of yours for this payment, such as that of the bank: sent again, it is recorded once",
        )
    )


def router(billing: Billing) -> APIRouter:
    """Routes under ``/v1/transactions``."""
    routes = APIRouter(prefix="/v1/transactions", tags=["transactions"])

    @routes.get("/details", summary="What invoices say of you; null before it was given")
    def details(identity: Caller) -> dict[str, Any] | None:
        party = billing.transactions.party(identity.participant)
        return None if party is None else msgspec.to_builtins(party)

    @routes.put("/details", summary="Say what invoices from now on say of you")
    def keep(identity: Signatory, body: Details) -> dict[str, Any]:
        party = Party(**body.model_dump())
        billing.transactions.keep_party(identity.participant, party)
        return msgspec.to_builtins(party)  # type: ignore[no-any-return]

    @routes.get("/use", summary="What is not yet billed under your priced agreements: uses, months, once")
    def use(identity: Caller) -> dict[str, Any]:
        items = [
            {"customer": customer, "agreement": each.agreement, "rule": each.rule, "month": each.month,
             "uses": each.count, "price": msgspec.to_builtins(each.price), "net": each.net}
            for customer, each in billing.unbilled(identity.participant)
        ]  # fmt: skip
        return {"items": items, "next": None}

    @routes.get("/invoices", summary="Invoices that you gave or got (operator: all), newest first")
    def invoices(
        identity: Caller,
        cursor: Annotated[
            str | None, Query(max_length=200, description="the next of an earlier page")
        ] = None,
        limit: Annotated[int, Query(ge=1, le=200)] = 100,
    ) -> dict[str, Any]:
        party = _who(identity)
        found = billing.transactions.invoices(party, limit, _place(billing, cursor, party))
        return {
            "items": [_shown(billing, each) for each in found],
            "next": found[-1].id if len(found) == limit else None,
        }

    @routes.post("/invoices", status_code=201, summary="Bill what a customer has used")
    def issue(identity: Signatory, body: Issue) -> dict[str, Any]:
        until = None if body.until is None else _moment(body.until)
        return _shown(billing, billing.issue(identity.participant, body.customer, until))

    @routes.get("/invoices/{invoice}", summary="One invoice")
    def one(identity: Caller, invoice: str) -> dict[str, Any]:
        return _shown(billing, billing.invoice(invoice, _who(identity)))

    @routes.get(
        "/invoices/{invoice}/ubl",
        summary="One invoice as UBL (Peppol BIS Billing 3.0)",
        response_class=Response,
    )
    def xml(identity: Caller, invoice: str) -> Response:
        found = billing.invoice(invoice, _who(identity))
        name = f'attachment; filename="{found.number}.xml"'
        return Response(ubl.document(found), media_type=ubl.MEDIA_TYPE, headers={"content-disposition": name})

    @routes.post("/invoices/{invoice}/credit", status_code=201, summary="Take an invoice of yours back")
    def credit(identity: Signatory, invoice: str, body: Credit) -> dict[str, Any]:
        return _shown(billing, billing.credit(identity.participant, invoice, body.bill_again))

    @routes.post(
        "/invoices/{invoice}/payments",
        summary="Record money that you received for an invoice, or gave back for a credit note",
    )
    def pay(identity: Signatory, invoice: str, body: Payment) -> dict[str, Any]:
        return _shown(billing, billing.pay(identity.participant, invoice, body.cents, body.reference))

    @routes.get("/accounts", summary="The balances of your book, by account and by the other party")
    def accounts(identity: Caller) -> dict[str, Any]:
        found = billing.transactions.balances(identity.participant)
        items = [{"account": account, "other": other, "cents": cents} for account, other, cents in found]
        return {"items": items, "next": None}

    @routes.get("/entries", summary="The entries of your book, oldest first: what each balance is the sum of")
    def entries(
        identity: Caller,
        account: Annotated[str | None, Query(max_length=20)] = None,
        other: Annotated[str | None, Query(max_length=200)] = None,
        after: Annotated[int, Query(ge=0, le=2**62)] = 0,
        limit: Annotated[int, Query(ge=1, le=1000)] = 100,
    ) -> dict[str, Any]:
        if account is not None and account not in ACCOUNTS:
            raise InputRefused.of("account", f"must be one of {', '.join(ACCOUNTS)}", account)
        found = billing.transactions.entries(identity.participant, account, other, after, limit)
        items = [{**msgspec.to_builtins(each), "at": to_text(each.at)} for each in found]
        return {"items": items, "next": str(found[-1].id) if len(found) == limit else None}

    @routes.get(
        "/commons", summary="What each participant offers the others for free in a year, and what it takes"
    )
    def commons(_identity: Caller) -> dict[str, Any]:
        return {"items": [_share(each) for each in billing.commons()], "next": None}

    return routes


def _moment(text: str) -> Micros:
    try:
        return from_text(text)
    except ValueError as exc:
        raise InputRefused.of(
            "until", "must be RFC 3339 with its offset, between 1900 and 2100", text
        ) from exc


def _place(billing: Billing, cursor: str | None, party: str | None) -> Invoice | None:
    if not cursor:
        return None
    try:
        return billing.invoice(cursor, party)
    except NotFound as exc:
        raise InputRefused.of("cursor", "must be one that a page gave", cursor) from exc


def _who(identity: Identity) -> str | None:
    return None if identity.has(model.OPERATOR) else identity.participant


def _shown(billing: Billing, made: Invoice) -> dict[str, Any]:
    shown: dict[str, Any] = msgspec.to_builtins(made)
    moments = {name: to_text(shown[name]) for name in ("issued_at", "due_at", "start", "end")}
    return {**shown, **moments, "gross": made.gross, "open": billing.transactions.open_cents(made)}


def _share(share: Share) -> dict[str, Any]:
    return {
        "participant": share.participant, "name": share.name, "offered": share.offered, "asked": share.asked,
        "short": share.short, "early": share.early, "rides_free": share.rides_free, "datasets": list(share.datasets),
        "taken": [{"from": giver, "cents": cents} for giver, cents in sorted(share.taken.items())],
    }  # fmt: skip
