"""The tables of the exchange: law, log with its tree, lineage, used assertions, outbox, positions, dataspace."""

from __future__ import annotations

import sqlalchemy as sa

from dmi_infra import outbox
from dmi_infra.cursors import secret_table
from dmi_infra.sql import positions_table

metadata = sa.MetaData()
positions = positions_table(metadata)
outgoing = outbox.outbox_table(metadata)
secret = secret_table(metadata)

law = sa.Table(
    "law",
    metadata,
    sa.Column("id", sa.Text, primary_key=True),
    sa.Column("type", sa.Text, nullable=False, index=True),
    sa.Column("party_a", sa.Text, nullable=False, default="", index=True),
    sa.Column("party_b", sa.Text, nullable=False, default="", index=True),
    sa.Column("changed_at", sa.BigInteger, nullable=False),
    sa.Column("body", sa.Text, nullable=False),
)
log = sa.Table(
    "log",
    metadata,
    sa.Column("sequence", sa.BigInteger, primary_key=True, autoincrement=False),
    sa.Column("record_id", sa.Text, nullable=False, unique=True),
    sa.Column("hash", sa.Text, nullable=False),
    sa.Column("dataset", sa.Text, nullable=False, index=True),
    sa.Column("payload", sa.LargeBinary, nullable=False),
)
log_end = sa.Table(
    "log_end",
    metadata,
    sa.Column("id", sa.Integer, primary_key=True, autoincrement=False),
    sa.Column("sequence", sa.BigInteger, nullable=False),
)
"""One row, made by the migration: where the log ends, so that entries cut off at its end are missed."""
log_opening = sa.Table(
    "log_opening",
    metadata,
    sa.Column("sequence", sa.BigInteger, primary_key=True, autoincrement=False),
    sa.Column("body", sa.Text, nullable=False),
)
"""What is sealed in an entry, as a JSON list of pairs of salt (hexadecimal) and value: personal data, which can be
erased here without touching the log."""
log_node = sa.Table(
    "log_node",
    metadata,
    sa.Column("stratum", sa.Integer, primary_key=True, autoincrement=False),
    sa.Column("place", sa.BigInteger, primary_key=True, autoincrement=False),
    sa.Column("hash", sa.Text, nullable=False),
)
"""Hashes of perfect subtrees of 256, 256², … entries, from which proofs are put together."""
log_tree_head = sa.Table(
    "log_tree_head",
    metadata,
    sa.Column("tree_size", sa.BigInteger, primary_key=True, autoincrement=False),
    sa.Column("root_hash", sa.Text, nullable=False),
    sa.Column("signed_at", sa.BigInteger, nullable=False),
    sa.Column("origin", sa.Text, nullable=False),
    sa.Column("signature", sa.Text, nullable=False),
)
"""Heads that the exchange signed: of each hour the last."""
log_party = sa.Table(
    "log_party",
    metadata,
    sa.Column("party", sa.Text, primary_key=True),
    sa.Column("sequence", sa.BigInteger, primary_key=True, autoincrement=False),
)
lineage = sa.Table(
    "lineage",
    metadata,
    sa.Column("result", sa.Text, primary_key=True),
    sa.Column("made_at", sa.BigInteger, nullable=False),
    sa.Column("body", sa.Text, nullable=False),
)
ground = sa.Table(
    "ground",
    metadata,
    sa.Column("ground", sa.Text, primary_key=True),
    sa.Column("result", sa.Text, primary_key=True, index=True),
)
assertion = sa.Table(
    "assertion",
    metadata,
    sa.Column("digest", sa.Text, primary_key=True),
    sa.Column("expires_at", sa.BigInteger, nullable=False),
)
"""Assertions and sign-in tickets that have been used, until they have expired anyway."""

dsp_process = sa.Table(
    "dsp_process",
    metadata,
    sa.Column("id", sa.Text, primary_key=True),
    sa.Column("kind", sa.Text, nullable=False),
    sa.Column("role", sa.Text, nullable=False),
    sa.Column("owner", sa.Text, nullable=False, index=True),
    sa.Column("peer", sa.Text, nullable=False),
    sa.Column("peer_pid", sa.Text, nullable=True),
    sa.Column("state", sa.Text, nullable=False),
    sa.Column("changed_at", sa.BigInteger, nullable=False),
    sa.Column("advance_at", sa.BigInteger, nullable=True, index=True),
    sa.Column("agreement", sa.Text, nullable=True, index=True),
    sa.Column("body", sa.Text, nullable=False),
    sa.UniqueConstraint("kind", "role", "peer", "peer_pid", name="dsp_process_once"),
)
"""Negotiations and transfers with other nodes; ``advance_at`` is when this node has something to do by itself."""
dsp_received = sa.Table(
    "dsp_received",
    metadata,
    sa.Column("process", sa.Text, primary_key=True),
    sa.Column("digest", sa.Text, primary_key=True),
)
"""Messages that were taken, so that one that is sent again changes nothing."""
dsp_message = sa.Table(
    "dsp_message",
    metadata,
    sa.Column("id", sa.BigInteger().with_variant(sa.Integer, "sqlite"), primary_key=True, autoincrement=True),
    sa.Column("process", sa.Text, nullable=False, index=True),
    sa.Column("type", sa.Text, nullable=False),
    sa.Column("path", sa.Text, nullable=False),
    sa.Column("body", sa.Text, nullable=False),
    sa.Column("made_at", sa.BigInteger, nullable=False),
    sa.Column("attempts", sa.Integer, nullable=False),
    sa.Column("next_at", sa.BigInteger, nullable=False),
)
"""Messages to other nodes, until they have acknowledged them."""
dsp_flow = sa.Table(
    "dsp_flow",
    metadata,
    sa.Column("process", sa.Text, primary_key=True),
    sa.Column("cursor", sa.Text, nullable=False),
    sa.Column("rows", sa.BigInteger, nullable=False),
    sa.Column("refused", sa.BigInteger, nullable=False),
    sa.Column("changed_at", sa.BigInteger, nullable=False),
)
"""How far the data of a transfer has come: into this node, or by push to the other one."""
dsp_delivery = sa.Table(
    "dsp_delivery",
    metadata,
    sa.Column("process", sa.Text, primary_key=True),
    sa.Column("piece", sa.Text, primary_key=True),
    sa.Column("record", sa.Text, nullable=False),
    sa.Column("rows", sa.BigInteger, nullable=False),
    sa.Column("at", sa.BigInteger, nullable=False),
    sa.Column("times", sa.Integer, nullable=False),
)
"""What was given under a transfer, piece by piece, with the log's record of the decision that let it pass."""
offer = sa.Table(
    "offer",
    metadata,
    sa.Column("id", sa.Text, primary_key=True),
    sa.Column("dataset", sa.Text, nullable=False, index=True),
    sa.Column("owner", sa.Text, nullable=False, index=True),
    sa.Column("made_at", sa.BigInteger, nullable=False),
    sa.Column("ended_at", sa.BigInteger, nullable=True),
    sa.Column("body", sa.Text, nullable=False),
)
"""Conditions under which owners offer their datasets to whoever accepts them."""
catalogue_entry = sa.Table(
    "catalogue_entry",
    metadata,
    sa.Column("id", sa.Text, primary_key=True),
    sa.Column("owner", sa.Text, nullable=False, index=True),
    sa.Column("west", sa.Double, nullable=True),
    sa.Column("south", sa.Double, nullable=True),
    sa.Column("east", sa.Double, nullable=True),
    sa.Column("north", sa.Double, nullable=True),
    sa.Column("modified_at", sa.BigInteger, nullable=False, index=True),
    sa.Column("body", sa.Text, nullable=False),
)
"""Everything that can be found: datasets as the law has them, and listings, which stand here alone."""
_WORD = sa.Text().with_variant(sa.Text(collation="C"), "postgresql")
"""In the order of code points on both databases, so that the words that begin alike lie together."""
catalogue_word = sa.Table(
    "catalogue_word",
    metadata,
    sa.Column("word", _WORD, primary_key=True),
    sa.Column("entry", sa.Text, primary_key=True, index=True),
    sa.Column("weight", sa.Integer, nullable=False),
)
catalogue_facet = sa.Table(
    "catalogue_facet",
    metadata,
    sa.Column("name", sa.Text, primary_key=True),
    sa.Column("value", sa.Text, primary_key=True),
    sa.Column("entry", sa.Text, primary_key=True, index=True),
)
quality = sa.Table(
    "quality",
    metadata,
    sa.Column("dataset", sa.Text, primary_key=True),
    sa.Column("at", sa.BigInteger, nullable=False),
    sa.Column("body", sa.Text, nullable=False),
)
"""What the platform measured last of each dataset."""
paper_code = sa.Table(
    "paper_code",
    metadata,
    sa.Column("digest", sa.Text, primary_key=True),
    sa.Column("person", sa.Text, nullable=False, index=True),
    sa.Column("expires_at", sa.BigInteger, nullable=False),
    sa.Column("made_by", sa.Text, nullable=False, server_default=sa.text("''")),
)
"""Codes in letters to persons, as digests: who holds one acts for the person, as ``made_by`` may."""
exercised = sa.Table(
    "exercised",
    metadata,
    sa.Column("request", sa.Text, primary_key=True),
    sa.Column("service", sa.Text, primary_key=True),
    sa.Column("rows", sa.BigInteger, nullable=False),
    sa.Column("at", sa.BigInteger, nullable=False),
    sa.Column("taken_back", sa.BigInteger, nullable=False, server_default=sa.text("0")),
)
"""What each layer did about the request of a person, summed up from the log; up to when it took results back."""
notice = sa.Table(
    "notice",
    metadata,
    sa.Column("id", sa.Text, primary_key=True),
    sa.Column("person", sa.Text, nullable=False, index=True),
    sa.Column("recipient", sa.Text, nullable=False, index=True),
    sa.Column("made_at", sa.BigInteger, nullable=False),
    sa.Column("next_at", sa.BigInteger, nullable=True, index=True),
    sa.Column("body", sa.Text, nullable=False),
)
"""Who received a person's data and is told what that person asked; ``next_at`` is when another node is asked again."""
