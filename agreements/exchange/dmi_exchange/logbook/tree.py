"""The Merkle tree over the log: grown in batches behind the entries, its heads signed, its proofs given."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, Final, TypeVar

import sqlalchemy as sa

from dmi_agreements import merkle
from dmi_exchange.tables import log, log_end, log_node, log_tree_head
from dmi_infra import clock
from dmi_infra.clock import to_text
from dmi_infra.errors import Unavailable
from dmi_infra.jose import SigningKey
from dmi_infra.sql import reading, transaction, upsert

T = TypeVar("T")

WIDTH: Final = 8
"""Levels of the tree between two that are stored: a stored node stands for 256 of the stratum below."""
SPAN: Final = 1 << WIDTH
NODES_AT_ONCE: Final = 64
HOUR: Final = 3_600_000_000
"""Microseconds."""


class TreeBroken(Unavailable):
    """The log is no longer the one that was signed. The text is for logs; callers see ``public`` alone."""

    def __init__(self, detail: str) -> None:
        Exception.__init__(self, detail)
        self.public = "the log of this node is broken; its verification tells where"


@dataclass(frozen=True, slots=True)
class TreeHead:
    """What the exchange signed: that its log held ``tree_size`` entries under ``root_hash`` (hexadecimal)."""

    origin: str
    tree_size: int
    root_hash: str
    signed_at: int
    signature: str = ""

    def document(self) -> dict[str, Any]:
        """What is signed (JWS over the form of RFC 8785)."""
        return {
            "log": self.origin,
            "tree_size": self.tree_size,
            "root_hash": self.root_hash,
            "timestamp": to_text(self.signed_at),
        }


class Tree:
    """The tree over the entries of one store."""

    def __init__(self, engine: sa.Engine, origin: str, key: SigningKey, now: clock.Clock = clock.now) -> None:
        self._engine = engine
        self._origin = origin
        self._key = key
        self._now = now

    def head(self) -> TreeHead | None:
        """The newest signed head; ``None`` before the first."""
        query = sa.select(log_tree_head).order_by(log_tree_head.c.tree_size.desc()).limit(1)
        with reading(self._engine) as connection:
            row = connection.execute(query).first()
        return (
            None
            if row is None
            else TreeHead(row.origin, row.tree_size, row.root_hash, row.signed_at, row.signature)
        )

    def advance(self) -> TreeHead | None:
        """Sign a head over all entries; ``None`` when there is nothing new.

        Raises ``TreeBroken`` when the log does not go on from the head that was signed before: then no
        head is signed any more.
        """
        with reading(self._engine) as connection:
            size = connection.execute(sa.select(log_end.c.sequence)).scalar_one_or_none()
        last = self.head()
        if size is None or (last is not None and size < last.tree_size):
            raise TreeBroken("the log ends before the head that was signed")
        if last is not None and size == last.tree_size:
            return None
        self._grow(size)
        with reading(self._engine) as connection:
            perfect = _perfect(connection)
            if last is not None and merkle.root(last.tree_size, perfect).hex() != last.root_hash:
                raise TreeBroken("entries have changed below the head that was signed")
            root = merkle.root(size, perfect).hex()
        return self._sign(TreeHead(self._origin, size, root, self._now()))

    def inclusion(self, index: int, size: int) -> list[bytes]:
        """The path from leaf ``index`` to the root over ``size`` leaves, which a signed head must cover."""
        return self.inclusions([index], size)[0]

    def inclusions(self, indexes: Sequence[int], size: int) -> list[list[bytes]]:
        """The path of each of these leaves (see ``inclusion``): what several of them share is read and folded once."""
        return self._asked(lambda perfect: [merkle.inclusion_path(each, size, perfect) for each in indexes])

    def consistency(self, first: int, second: int) -> list[bytes]:
        """The path that shows the tree over ``first`` leaves to be the beginning of that over ``second``."""
        return self._asked(lambda perfect: merkle.consistency_path(first, second, perfect))

    def root(self, size: int) -> bytes:
        """The root over ``size`` leaves, which a signed head must cover."""
        return self._asked(lambda perfect: merkle.root(size, perfect))

    def wrong_nodes(self, size: int) -> int:
        """How many nodes over the first ``size`` entries are not those of what lies below them."""
        wrong, stratum, wanted = 0, 1, size >> WIDTH
        while wanted:
            with reading(self._engine) as connection:
                for place in range(wanted):
                    try:
                        [stored] = _stratum(connection, stratum, place, 1)
                        below = _stratum(connection, stratum - 1, place * SPAN, SPAN)
                        wrong += merkle.fold(below) != stored
                    except TreeBroken:
                        wrong += 1
            stratum, wanted = stratum + 1, wanted >> WIDTH
        return wrong

    def _asked(self, answer: Callable[[merkle.Perfect], T]) -> T:
        with reading(self._engine) as connection:
            return answer(_perfect(connection))

    def _grow(self, size: int) -> None:
        """Store the nodes of all full spans, stratum by stratum."""
        stratum, wanted = 1, size >> WIDTH
        while wanted:
            query = sa.select(sa.func.max(log_node.c.place)).where(log_node.c.stratum == stratum)
            with reading(self._engine) as connection:
                highest = connection.execute(query).scalar_one()
            begin = 0 if highest is None else highest + 1
            for start in range(begin, wanted, NODES_AT_ONCE):
                self._store(stratum, start, min(NODES_AT_ONCE, wanted - start))
            stratum, wanted = stratum + 1, wanted >> WIDTH

    def _store(self, stratum: int, start: int, count: int) -> None:
        with reading(self._engine) as connection:
            below = _stratum(connection, stratum - 1, start * SPAN, count * SPAN)
        rows = [
            {
                "stratum": stratum,
                "place": start + n,
                "hash": merkle.fold(below[n * SPAN : (n + 1) * SPAN]).hex(),
            }
            for n in range(count)
        ]
        with transaction(self._engine) as connection:
            # Of several processes each makes the same nodes.
            upsert(connection, log_node, rows, ["stratum", "place"])

    def _sign(self, head: TreeHead) -> TreeHead:
        signature = self._key.sign_document(head.document())
        row = {
            "tree_size": head.tree_size,
            "root_hash": head.root_hash,
            "signed_at": head.signed_at,
            "origin": head.origin,
            "signature": signature,
        }
        with transaction(self._engine) as connection:
            hour = head.signed_at - head.signed_at % HOUR
            older = sa.and_(log_tree_head.c.signed_at >= hour, log_tree_head.c.tree_size < head.tree_size)
            connection.execute(sa.delete(log_tree_head).where(older))
            upsert(connection, log_tree_head, [row], ["tree_size"])
        return TreeHead(head.origin, head.tree_size, head.root_hash, head.signed_at, signature)


def _perfect(connection: sa.Connection) -> merkle.Perfect:
    """Subtrees as they are stored: each span is read once, each subtree folded once."""
    known: dict[tuple[int, int], bytes] = {}

    def perfect(height: int, place: int) -> bytes:
        if (height, place) not in known:
            stratum, rest = divmod(height, WIDTH)
            if rest:
                halves = (perfect(height - 1, half) for half in (2 * place, 2 * place + 1))
                known[height, place] = merkle.node_hash(*halves)
            else:
                rows = _rows(connection, stratum, place - place % SPAN, SPAN)
                known.update(((height, row.place), bytes.fromhex(row.hash)) for row in rows)
                if (height, place) not in known:
                    raise TreeBroken(f"node {place} of stratum {stratum} is missing")
        return known[height, place]

    return perfect


def _stratum(connection: sa.Connection, stratum: int, start: int, count: int) -> list[bytes]:
    """Stored hashes of one stratum; 0 are the leaves. Raises ``TreeBroken`` when one is missing."""
    rows = _rows(connection, stratum, start, count)
    if len(rows) != count:
        missing = next((start + n for n, row in enumerate(rows) if row.place != start + n), start + len(rows))
        raise TreeBroken(f"node {missing} of stratum {stratum} is missing")
    return [bytes.fromhex(row.hash) for row in rows]


def _rows(connection: sa.Connection, stratum: int, start: int, count: int) -> Sequence[Any]:
    """Those of ``count`` hashes from ``start`` on that are stored, in order."""
    if stratum == 0:
        place, found = log.c.sequence - 1, log.c.hash
        within: sa.ColumnElement[bool] = log.c.sequence.between(start + 1, start + count)
        query = sa.select(place.label("place"), found).where(within).order_by(log.c.sequence)
    else:
        within = sa.and_(log_node.c.stratum == stratum, log_node.c.place.between(start, start + count - 1))
        query = sa.select(log_node.c.place, log_node.c.hash).where(within).order_by(log_node.c.place)
    return connection.execute(query).all()
