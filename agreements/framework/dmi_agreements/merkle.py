"""Merkle trees as RFC 9162 (section 2.1) has them: hashes, proofs, and how anyone checks them. SHA-256.

A tree over ``size`` leaves is made of perfect subtrees. Whoever keeps the tree answers for those alone: a
``Perfect`` gives the hash of the subtree of ``2**height`` leaves that begins at leaf ``place * 2**height``.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Sequence
from typing import Final

EMPTY: Final = hashlib.sha256(b"").digest()
"""The root of a tree without leaves (section 2.1.1)."""

Perfect = Callable[[int, int], bytes]
"""From height and place to the hash of a perfect subtree, 32 bytes."""


def leaf_hash(data: bytes) -> bytes:
    """The hash of a leaf; the first byte keeps leaves and nodes apart."""
    return hashlib.sha256(b"\x00" + data).digest()


def node_hash(left: bytes, right: bytes) -> bytes:
    """The hash of a node over its two children."""
    return hashlib.sha256(b"\x01" + left + right).digest()


def fold(hashes: Sequence[bytes]) -> bytes:
    """The hash of the perfect subtree over ``hashes``, whose number is a power of two."""
    level = list(hashes)
    while len(level) > 1:
        level = [node_hash(level[n], level[n + 1]) for n in range(0, len(level), 2)]
    return level[0]


def root(size: int, perfect: Perfect) -> bytes:
    """The root over the first ``size`` leaves."""
    return _subtree(0, size, perfect) if size else EMPTY


def inclusion_path(index: int, size: int, perfect: Perfect) -> list[bytes]:
    """The hashes that lead from leaf ``index`` (from 0) to the root over ``size`` leaves (section 2.1.3.1).

    Raises ``ValueError`` when there is no such leaf.
    """
    if not 0 <= index < size:
        raise ValueError("the leaf must be in the tree")
    path: list[bytes] = []
    start, end = 0, size
    while end - start > 1:
        middle = start + _split(end - start)
        if index < middle:
            path.append(_subtree(middle, end, perfect))
            end = middle
        else:
            path.append(_subtree(start, middle, perfect))
            start = middle
    return path[::-1]


def consistency_path(first: int, second: int, perfect: Perfect) -> list[bytes]:
    """The hashes that show the tree over ``first`` leaves to be the beginning of that over ``second`` (2.1.4.1).

    Raises ``ValueError`` unless 0 < first <= second.
    """
    if not 0 < first <= second:
        raise ValueError("the first tree must hold a leaf and be no larger than the second")
    path: list[bytes] = []
    start, end, whole = 0, second, True
    while first < end:
        middle = start + _split(end - start)
        if first <= middle:
            path.append(_subtree(middle, end, perfect))
            end = middle
        else:
            path.append(_subtree(start, middle, perfect))
            start, whole = middle, False
    if not whole:
        path.append(_subtree(start, end, perfect))
    return path[::-1]


def holds_leaf(leaf: bytes, index: int, size: int, path: Sequence[bytes], expected: bytes) -> bool:
    """Whether ``path`` leads from the hash ``leaf`` at ``index`` to the root ``expected`` (section 2.1.3.2)."""
    if not 0 <= index < size:
        return False
    place, last, found = index, size - 1, leaf
    for step in path:
        if last == 0:
            return False
        if place & 1 or place == last:
            found = node_hash(step, found)
            while not place & 1 and place:
                place, last = place >> 1, last >> 1
        else:
            found = node_hash(found, step)
        place, last = place >> 1, last >> 1
    return last == 0 and found == expected


def continues(first: int, second: int, before: bytes, after: bytes, path: Sequence[bytes]) -> bool:
    """Whether ``path`` shows root ``after`` over ``second`` leaves to go on from ``before`` (section 2.1.4.2).

    Of an empty tree every tree is the continuation, without a path.
    """
    if first == 0:
        return second >= 0 and not path and before == EMPTY
    if not 0 < first <= second:
        return False
    if first == second:
        return not path and before == after
    steps = [before, *path] if _perfect(first) else path
    return _led(first, second, steps) == (before, after)


def may_continue(first: int, second: int, after: bytes, path: Sequence[bytes]) -> bool:
    """Whether ``path`` shows root ``after`` over ``second`` leaves to go on from some tree over ``first``.

    This is what can be checked without the root of that tree. Where it is perfect the path leaves it out: then only
    the number of hashes is checked.
    """
    if first in (0, second):
        return 0 <= first <= second and not path
    if not 0 < first < second:
        return False
    if _perfect(first):
        return _led(first, second, [EMPTY, *path]) is not None
    led = _led(first, second, path)
    return led is not None and led[1] == after


def _perfect(size: int) -> bool:
    """Whether a tree of ``size`` leaves, at least one, is perfect."""
    return size & (size - 1) == 0


def _led(first: int, second: int, steps: Sequence[bytes]) -> tuple[bytes, bytes] | None:
    """The roots over ``first`` and over the more ``second`` leaves that ``steps`` lead to; ``None`` for none."""
    if not steps:
        return None
    place, last = first - 1, second - 1
    while place & 1:
        place, last = place >> 1, last >> 1
    old = new = steps[0]
    for step in steps[1:]:
        if last == 0:
            return None
        if place & 1 or place == last:
            old, new = node_hash(step, old), node_hash(step, new)
            while not place & 1 and place:
                place, last = place >> 1, last >> 1
        else:
            new = node_hash(new, step)
        place, last = place >> 1, last >> 1
    return (old, new) if last == 0 else None


class Frontier:
    """A tree that grows leaf by leaf and keeps only what its root needs: one hash a set bit of its size."""

    def __init__(self) -> None:
        self.size = 0
        self._peaks: list[bytes] = []

    def add(self, leaf: bytes) -> None:
        """One more leaf, by its hash."""
        self.size += 1
        carried, peak = self.size, leaf
        while not carried & 1:
            peak = node_hash(self._peaks.pop(), peak)
            carried >>= 1
        self._peaks.append(peak)

    def root(self) -> bytes:
        """The root over the leaves so far."""
        if not self._peaks:
            return EMPTY
        found = self._peaks[-1]
        for peak in reversed(self._peaks[:-1]):
            found = node_hash(peak, found)
        return found


def _split(count: int) -> int:
    """The largest power of two below ``count``, which is 2 or more."""
    return 1 << ((count - 1).bit_length() - 1)


def _subtree(start: int, end: int, perfect: Perfect) -> bytes:
    """The root over leaves ``start`` … ``end``; they begin on a multiple of a power of two that holds them."""
    count = end - start
    if count & (count - 1) == 0:
        height = count.bit_length() - 1
        return perfect(height, start >> height)
    middle = start + _split(count)
    return node_hash(_subtree(start, middle, perfect), _subtree(middle, end, perfect))
