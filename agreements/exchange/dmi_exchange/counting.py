"""Uses of rules that count them: summed up as the log grows, and told to all gates as part of the law."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from hashlib import sha256
from typing import Final

import msgspec
import sqlalchemy as sa

from dmi_agreements.contracts.envelope import encode
from dmi_agreements.contracts.law import Usage
from dmi_agreements.contracts.record import DecisionRecord
from dmi_exchange.tables import law
from dmi_infra import clock
from dmi_infra.sql import upsert

Key = tuple[str, str, str]
KIND: Final = "usage"
"""Of the rows of the law that hold sums."""
_LONGEST_ID: Final = 2_000
"""In bytes: a key of PostgreSQL's holds some 2,700, and a longer one would stop the log for all that came with it."""


def usage_id(agreement: str, rule: str, party: str) -> str:
    """Under which id the law tells the uses of a rule by a party; what is too long for one by its digest."""
    whole = f"urn:dmi:usage:{agreement}{rule}:{party}"
    if len(whole.encode()) <= _LONGEST_ID:
        return whole
    return f"urn:dmi:usage:sha256:{sha256(whole.encode()).hexdigest()}"


def sum_up(connection: sa.Connection, decisions: Iterable[DecisionRecord]) -> Sequence[Usage]:
    """Add the uses of new decisions to what was counted before; the sums that changed.

    In the transaction that chains the decisions to the log: what is counted once there is counted once here.
    """
    found: dict[Key, Counter[str]] = {}
    first: dict[Key, int] = {}
    last: dict[Key, int] = {}
    for decision in decisions:
        for key in decision.counted if decision.allowed else ():
            found.setdefault(key, Counter())[decision.service] += 1
            first[key] = min(first.get(key, decision.at), decision.at)
            last[key] = max(last.get(key, decision.at), decision.at)
    changed = []
    for (agreement, rule, assignee), counts in sorted(found.items()):
        identifier = usage_id(agreement, rule, assignee)
        # Of a row of another kind under this id nothing is known here; the sum takes its place.
        query = sa.select(law.c.body).where(law.c.id == identifier, law.c.type == KIND).with_for_update()
        body = connection.execute(query).scalar_one_or_none()
        known = None if body is None else msgspec.json.decode(body, type=Usage)
        total = Counter(known.counts if known else {}) + counts
        began = first[agreement, rule, assignee]
        began = min(known.first, began) if known else began
        latest = max(last[agreement, rule, assignee], (known.last or 0) if known else 0)
        usage = Usage(identifier, agreement, rule, assignee, dict(total), began, latest)
        row = {
            "id": identifier,
            "type": KIND,
            "party_a": assignee,
            "party_b": "",
            "changed_at": clock.now(),
            "body": encode(usage).decode(),
        }
        upsert(connection, law, [row], ["id"], ["type", "party_a", "party_b", "changed_at", "body"])
        changed.append(usage)
    return changed
