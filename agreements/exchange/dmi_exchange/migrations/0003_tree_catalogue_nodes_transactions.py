"""The log becomes a Merkle tree, in which persons are sealed; the catalogue gets words, facets and measured quality.

Also: what flows between nodes, what is counted, billed and booked of priced agreements, and who is told of what
persons ask.
"""

import hashlib
import json
import re
import secrets
import time

import sqlalchemy as sa
from alembic import op

revision = "exchange_0003"
down_revision = "exchange_0002"

PAGE = 2000
NAMES_A_PERSON = re.compile(r"urn:dmi:person:|^sealed:", re.IGNORECASE)
SEALED_TEXTS = ("assignee", "action", "dataset", "purpose")
SEALED_LISTS = ("reasons", "agreements")


def upgrade() -> None:
    """Make the tables of the tree and write each entry anew; what is written out here follows no later code."""
    op.create_table(
        "log_opening",
        sa.Column("sequence", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("body", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("sequence"),
    )
    op.create_table(
        "secret",
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("key", sa.LargeBinary(), nullable=False),
        sa.PrimaryKeyConstraint("name"),
    )
    _notices()
    op.create_table(
        "paper_code",
        sa.Column("digest", sa.Text(), nullable=False),
        sa.Column("person", sa.Text(), nullable=False),
        sa.Column("expires_at", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("digest"),
    )
    op.create_index("ix_paper_code_person", "paper_code", ["person"])
    op.create_table(
        "exercised",
        sa.Column("request", sa.Text(), nullable=False),
        sa.Column("service", sa.Text(), nullable=False),
        sa.Column("rows", sa.BigInteger(), nullable=False),
        sa.Column("at", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("request", "service"),
    )
    op.create_table(
        "log_node",
        sa.Column("stratum", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("place", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("hash", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("stratum", "place"),
    )
    op.create_table(
        "log_tree_head",
        sa.Column("tree_size", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("root_hash", sa.Text(), nullable=False),
        sa.Column("signed_at", sa.BigInteger(), nullable=False),
        sa.Column("origin", sa.Text(), nullable=False),
        sa.Column("signature", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("tree_size"),
    )
    end = op.create_table(
        "log_end",
        sa.Column("id", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("sequence", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("id"),
    )
    last = _rewrite(op.get_bind())
    op.bulk_insert(end, [{"id": 1, "sequence": last}])
    op.drop_table("log_head")
    op.drop_column("log", "previous")
    _catalogue()
    _between_nodes()
    _transactions()


def _catalogue() -> None:
    """What can be found; the exchange enters the datasets of before at its next start."""
    op.create_table(
        "catalogue_entry",
        sa.Column("id", sa.Text(), nullable=False),
        sa.Column("owner", sa.Text(), nullable=False),
        sa.Column("west", sa.Double(), nullable=True),
        sa.Column("south", sa.Double(), nullable=True),
        sa.Column("east", sa.Double(), nullable=True),
        sa.Column("north", sa.Double(), nullable=True),
        sa.Column("modified_at", sa.BigInteger(), nullable=False),
        sa.Column("body", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("id"),
    )
    op.create_index(op.f("ix_catalogue_entry_owner"), "catalogue_entry", ["owner"], unique=False)
    op.create_index(op.f("ix_catalogue_entry_modified_at"), "catalogue_entry", ["modified_at"], unique=False)
    word = sa.Text().with_variant(sa.Text(collation="C"), "postgresql")
    op.create_table(
        "catalogue_word",
        sa.Column("word", word, nullable=False),
        sa.Column("entry", sa.Text(), nullable=False),
        sa.Column("weight", sa.Integer(), nullable=False),
        sa.PrimaryKeyConstraint("word", "entry"),
    )
    op.create_index(op.f("ix_catalogue_word_entry"), "catalogue_word", ["entry"], unique=False)
    op.create_table(
        "catalogue_facet",
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("value", sa.Text(), nullable=False),
        sa.Column("entry", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("name", "value", "entry"),
    )
    op.create_index(op.f("ix_catalogue_facet_entry"), "catalogue_facet", ["entry"], unique=False)
    op.create_table(
        "quality",
        sa.Column("dataset", sa.Text(), nullable=False),
        sa.Column("at", sa.BigInteger(), nullable=False),
        sa.Column("body", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("dataset"),
    )


def _between_nodes() -> None:
    """Agreements of negotiations and transfers by their id, how far data has flowed, and under which decisions."""
    op.add_column("dsp_process", sa.Column("agreement", sa.Text(), nullable=True))
    process = sa.table("dsp_process", sa.column("id"), sa.column("body"), sa.column("agreement"))
    connection = op.get_bind()
    for row in connection.execute(sa.select(process.c.id, process.c.body)).all():
        known = json.loads(row.body).get("agreement_id")
        if known:
            connection.execute(sa.update(process).where(process.c.id == row.id).values(agreement=known))
    op.create_index(op.f("ix_dsp_process_agreement"), "dsp_process", ["agreement"], unique=False)
    op.create_table(
        "dsp_flow",
        sa.Column("process", sa.Text(), nullable=False),
        sa.Column("cursor", sa.Text(), nullable=False),
        sa.Column("rows", sa.BigInteger(), nullable=False),
        sa.Column("refused", sa.BigInteger(), nullable=False),
        sa.Column("changed_at", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("process"),
    )
    op.create_table(
        "dsp_delivery",
        sa.Column("process", sa.Text(), nullable=False),
        sa.Column("piece", sa.Text(), nullable=False),
        sa.Column("record", sa.Text(), nullable=False),
        sa.Column("rows", sa.BigInteger(), nullable=False),
        sa.Column("at", sa.BigInteger(), nullable=False),
        sa.Column("times", sa.Integer(), nullable=False),
        sa.PrimaryKeyConstraint("process", "piece"),
    )


def _transactions() -> None:
    """Counted uses, billing parties, invoices, what is charged once, and postings."""
    op.create_table(
        "meter",
        sa.Column("agreement", sa.Text(), nullable=False),
        sa.Column("rule", sa.Text(), nullable=False),
        sa.Column("hour", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("invoice", sa.Text(), nullable=False),
        sa.Column("uses", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("agreement", "rule", "hour", "invoice"),
    )
    op.create_table(
        "billing_party",
        sa.Column("participant", sa.Text(), nullable=False),
        sa.Column("body", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("participant"),
    )
    op.create_table(
        "invoice",
        sa.Column("id", sa.Text(), nullable=False),
        sa.Column("supplier", sa.Text(), nullable=False),
        sa.Column("customer", sa.Text(), nullable=False),
        sa.Column("number", sa.Text(), nullable=False),
        sa.Column("issued_at", sa.BigInteger(), nullable=False),
        sa.Column("body", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("id"),
        sa.UniqueConstraint("supplier", "number", name="invoice_number"),
    )
    op.create_index(op.f("ix_invoice_supplier"), "invoice", ["supplier"], unique=False)
    op.create_index(op.f("ix_invoice_customer"), "invoice", ["customer"], unique=False)
    op.create_table(
        "charged",
        sa.Column("agreement", sa.Text(), nullable=False),
        sa.Column("item", sa.Text(), nullable=False),
        sa.Column("invoice", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("agreement", "item"),
    )
    op.create_table(
        "posting",
        sa.Column(
            "id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), autoincrement=True, nullable=False
        ),
        sa.Column("entry", sa.Text(), nullable=False),
        sa.Column("owner", sa.Text(), nullable=False),
        sa.Column("account", sa.Text(), nullable=False),
        sa.Column("other", sa.Text(), nullable=False),
        sa.Column("cents", sa.BigInteger(), nullable=False),
        sa.Column("at", sa.BigInteger(), nullable=False),
        sa.Column("invoice", sa.Text(), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("id"),
    )
    op.create_index(op.f("ix_posting_entry"), "posting", ["entry"], unique=False)
    op.create_index(op.f("ix_posting_owner"), "posting", ["owner"], unique=False)


def _rewrite(connection: sa.Connection) -> int:
    """Write all entries as leaves; returns the number of the last."""
    log = sa.Table("log", sa.MetaData(), autoload_with=connection)
    noted = connection.execute(sa.text("SELECT sequence, hash FROM log_head")).first()
    head, number, broken = "0" * 64, 0, "" if noted else "the note of where the chain ends had been removed"
    while True:
        query = sa.select(log).where(log.c.sequence > number).order_by(log.c.sequence).limit(PAGE)
        rows = connection.execute(query).all()
        for row in rows:
            while number + 1 < row.sequence:
                number += 1
                broken = broken or f"entry {number} was missing"
                _put(connection, log, number, {"id": f"missing-{number}", "reasons": ["removed before"]})
            number += 1
            payload = bytes(row.payload)
            if not broken and (row.previous != head or row.hash != _link(head, number, payload)):
                broken = f"entry {number} did not follow the one before it"
            head = row.hash
            _keep(connection, log, number, payload, head)
        if len(rows) < PAGE:
            break
    if noted and not broken and (noted.sequence, noted.hash) != (number, head):
        broken = f"it ended at entry {number} and not where it was noted to end, at {noted.sequence}"
    if number == 0 and not broken:
        return 0
    told = broken or "it was whole"
    reason = f"chain: goes on from a hash chain of {number} entries that ended in {head}; {told}"
    _put(connection, log, number + 1, {"id": "log-origin", "allowed": not broken, "reasons": [reason]})
    return number + 1


def _notices() -> None:
    op.create_table(
        "notice",
        sa.Column("id", sa.Text(), nullable=False),
        sa.Column("person", sa.Text(), nullable=False),
        sa.Column("recipient", sa.Text(), nullable=False),
        sa.Column("made_at", sa.BigInteger(), nullable=False),
        sa.Column("next_at", sa.BigInteger(), nullable=True),
        sa.Column("body", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("id"),
    )
    for column in ("person", "recipient", "next_at"):
        op.create_index(f"ix_notice_{column}", "notice", [column])


def _link(previous: str, sequence: int, payload: bytes) -> str:
    """The hash of an entry in the chain of before."""
    digest = hashlib.sha256(b"dmi-log-entry-v1\n")
    digest.update(bytes.fromhex(previous))
    digest.update(sequence.to_bytes(8, "big") + len(payload).to_bytes(8, "big") + payload)
    return digest.hexdigest()


def _keep(connection: sa.Connection, log: sa.Table, number: int, payload: bytes, link: str) -> None:
    record = json.loads(payload)
    openings: list[tuple[bytes, str]] = []

    def sealed(value: str, always: bool = False) -> str:
        if not always and not NAMES_A_PERSON.search(value):
            return value
        salt = secrets.token_bytes(16)
        openings.append((salt, value))
        return "sealed:" + hashlib.sha256(b"dmi-log-value-v1\n" + salt + value.encode()).hexdigest()

    for name in SEALED_TEXTS:
        record[name] = sealed(record[name])
    for name in SEALED_LISTS:
        record[name] = [sealed(each) for each in record.get(name, [])]
    if record.get("subjects"):
        record["subjects"] = [sealed(each, True) for each in record["subjects"]]
    if record.get("counted"):
        record["counted"] = [[sealed(each) for each in use] for use in record["counted"]]
    # The hash of before covers the names: whoever guessed one could check it there, so it is sealed with them.
    record["chain"] = sealed(link, always=bool(openings))
    leaf = json.dumps(record, ensure_ascii=False, separators=(",", ":")).encode()
    changed = {"payload": leaf, "hash": _leaf_hash(leaf), "dataset": _key(record["dataset"])}
    connection.execute(sa.update(log).where(log.c.sequence == number).values(changed))
    if openings:
        body = json.dumps([[salt.hex(), value] for salt, value in openings])
        connection.execute(
            sa.text("INSERT INTO log_opening (sequence, body) VALUES (:n, :body)"),
            {"n": number, "body": body},
        )


def _put(connection: sa.Connection, log: sa.Table, number: int, told: dict[str, object]) -> None:
    """An entry of the exchange's own."""
    record = {
        "at": time.time_ns() // 1000, "service": "exchange", "crossing": "record",
        "assignee": "urn:dmi:participant:exchange", "action": "dmi:process", "dataset": "", "purpose": "",
        "allowed": False, **told,
    }  # fmt: skip
    leaf = json.dumps(record, separators=(",", ":")).encode()
    row = {"sequence": number, "record_id": record["id"], "previous": "", "dataset": "", "payload": leaf}
    connection.execute(sa.insert(log).values(hash=_leaf_hash(leaf), **row))


def _leaf_hash(leaf: bytes) -> str:
    return hashlib.sha256(b"\x00" + leaf).hexdigest()


def _key(text: str) -> str:
    return text.replace("\0", "\N{REPLACEMENT CHARACTER}")[:200]
