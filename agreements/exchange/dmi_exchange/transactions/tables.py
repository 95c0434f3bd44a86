"""Tables of the transaction module. Amounts are whole euro cents, moments microseconds UTC."""

from __future__ import annotations

import sqlalchemy as sa

from dmi_exchange.tables import metadata

meter = sa.Table(
    "meter",
    metadata,
    sa.Column("agreement", sa.Text, primary_key=True),
    sa.Column("rule", sa.Text, primary_key=True),
    sa.Column("hour", sa.BigInteger, primary_key=True, autoincrement=False),
    sa.Column("invoice", sa.Text, primary_key=True, default=""),
    sa.Column("uses", sa.BigInteger, nullable=False),
)
"""Uses that the gates counted under priced permissions (``rule``: their path), by the hour.

``invoice`` is empty until they have been billed. A count that arrives for an hour that was billed already makes a new
row, which the next invoice takes.
"""
billing_party = sa.Table(
    "billing_party",
    metadata,
    sa.Column("participant", sa.Text, primary_key=True),
    sa.Column("body", sa.Text, nullable=False),
)
"""What an invoice must say of a participant: legal name, registration, address, account."""
invoice = sa.Table(
    "invoice",
    metadata,
    sa.Column("id", sa.Text, primary_key=True),
    sa.Column("supplier", sa.Text, nullable=False, index=True),
    sa.Column("customer", sa.Text, nullable=False, index=True),
    sa.Column("number", sa.Text, nullable=False),
    sa.Column("issued_at", sa.BigInteger, nullable=False),
    sa.Column("body", sa.Text, nullable=False),
    sa.UniqueConstraint("supplier", "number", name="invoice_number"),
)
"""Invoices and credit notes as they were issued; they are never changed."""
charged = sa.Table(
    "charged",
    metadata,
    sa.Column("agreement", sa.Text, primary_key=True),
    sa.Column("item", sa.Text, primary_key=True),
    sa.Column("invoice", sa.Text, nullable=False),
)
"""What is charged once only: a permission of an agreement (``once /permission/0``), or a calendar month of it
(``2026-11 /permission/0``); earlier versions kept the price in place of the permission (``2026-11 700/1``)."""
posting = sa.Table(
    "posting",
    metadata,
    sa.Column("id", sa.BigInteger().with_variant(sa.Integer, "sqlite"), primary_key=True, autoincrement=True),
    sa.Column("entry", sa.Text, nullable=False, index=True),
    sa.Column("owner", sa.Text, nullable=False, index=True),
    sa.Column("account", sa.Text, nullable=False),
    sa.Column("other", sa.Text, nullable=False),
    sa.Column("cents", sa.BigInteger, nullable=False),
    sa.Column("at", sa.BigInteger, nullable=False),
    sa.Column("invoice", sa.Text, nullable=False),
    sa.Column("kind", sa.Text, nullable=False),
)
"""Double entry: debit above zero, credit below; the postings of an entry add up to zero for each owner."""
