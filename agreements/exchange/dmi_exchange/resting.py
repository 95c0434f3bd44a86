"""What a result rests on, read from its own lineage."""

from __future__ import annotations

from collections.abc import Callable, Iterator

from dmi_agreements.contracts.results import Lineage

Find = Callable[[str], Lineage | None]


def bearers(item: Lineage, find: Find) -> Iterator[Lineage]:
    """The lineages that name the ground under a result: its own, or when that names none, those of results under it.

    A result under it may have been made anew since, under other rights, with the same id. So what a result names
    itself is all of its ground.
    """
    waiting, seen = [item], {item.result}
    while waiting:
        one = waiting.pop()
        grounds = one.grounds
        if grounds.datasets or grounds.agreements or grounds.consents:
            yield one
        else:
            waiting.extend(_under(one, find, seen))


def rests_on(item: Lineage, identifier: str, find: Find) -> bool:
    """Whether a result rests on this dataset, agreement, consent or result."""
    for one in bearers(item, find):
        if identifier in (*one.grounds.datasets, *one.grounds.agreements, *one.grounds.consents):
            return True
    waiting, seen = [item], {item.result}
    while waiting:
        one = waiting.pop()
        if identifier in one.grounds.results:
            return True
        waiting.extend(_under(one, find, seen))
    return False


def _under(item: Lineage, find: Find, seen: set[str]) -> Iterator[Lineage]:
    for identifier in item.grounds.results:
        # A result whose own lineage is still on its way says nothing yet.
        below = find(identifier) if identifier not in seen else None
        seen.add(identifier)
        if below is not None:
            yield below
