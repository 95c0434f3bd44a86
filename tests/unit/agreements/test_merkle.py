"""The Merkle tree of RFC 9162, against its definition, published vectors, and every single change."""

from __future__ import annotations

from collections.abc import Sequence

import pytest

from dmi_agreements.merkle import (
    EMPTY,
    Frontier,
    consistency_path,
    continues,
    fold,
    holds_leaf,
    inclusion_path,
    leaf_hash,
    may_continue,
    node_hash,
    root,
)

MOST = 40
LEAVES = [leaf_hash(bytes([number])) for number in range(MOST)]
VECTORS = {
    "": "6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d",
    "00": "fac54203e7cc696cf0dfcb42c92a1d9dbaf70ad9e621f4bd8d98662f00e3c125",
    "10": "aeb6bcfe274b70a14fb067a5e5578264db0fa9b51af5e0ba159158f329e06e77",
    "2021": "d37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7",
    "3031": "4e3bbb1f7b478dcfe71fb631631519a3bca12c9aefca1612bfce4c13a86264d4",
    "40414243": "76e67dadbcdf1e10e1b74ddc608abd2f98dfb16fbce75277b5232a127f2087ef",
    "5051525354555657": "ddb89be403809e325750d3d263cd78929c2942b7942a34b77e122c9594a74c8c",
    "606162636465666768696a6b6c6d6e6f": "5dc9da79a70659a9ad559cb701ded9a2ab9d823aad2f4960cfe370eff4604328",
}
"""Leaf data (hexadecimal) and the root after each, of the tests of Certificate Transparency."""


def perfect(height: int, place: int) -> bytes:
    return fold(LEAVES[place << height : (place + 1) << height])


def defined(leaves: Sequence[bytes]) -> bytes:
    """The definition of section 2.1.1, word for word."""
    if not leaves:
        return EMPTY
    if len(leaves) == 1:
        return leaves[0]
    split = 1
    while split * 2 < len(leaves):
        split *= 2
    return node_hash(defined(leaves[:split]), defined(leaves[split:]))


ROOTS = [defined(LEAVES[:size]) for size in range(MOST + 1)]


def test_roots_are_the_published_ones() -> None:
    frontier = Frontier()
    roots = []
    for data in VECTORS:
        frontier.add(leaf_hash(bytes.fromhex(data)))
        roots.append(frontier.root().hex())
    assert (roots[0], roots[1], roots[-1]) == (VECTORS[""], VECTORS["00"], list(VECTORS.values())[-1])
    assert roots == list(VECTORS.values())


def test_roots_follow_the_definition_at_every_size() -> None:
    frontier = Frontier()
    for size in range(MOST + 1):
        assert frontier.root() == root(size, perfect) == ROOTS[size]
        if size < MOST:
            frontier.add(LEAVES[size])


def test_the_example_of_the_standard() -> None:
    # Section 2.1.5: PROOF(3, D[7]) is [c, d, g, l], PATH(0, D[7]) is [b, h, l].
    c, d, l = LEAVES[2], LEAVES[3], defined(LEAVES[4:7])  # noqa: E741 - the names of the standard
    g, h = defined(LEAVES[0:2]), defined(LEAVES[2:4])
    assert consistency_path(3, 7, perfect) == [c, d, g, l]
    assert inclusion_path(0, 7, perfect) == [LEAVES[1], h, l]
    assert consistency_path(4, 7, perfect) == [l]


def test_every_leaf_of_every_tree_is_proven_and_no_other() -> None:
    for size in range(1, MOST + 1):
        for index in range(size):
            path = inclusion_path(index, size, perfect)
            assert holds_leaf(LEAVES[index], index, size, path, ROOTS[size])
            assert not holds_leaf(EMPTY, index, size, path, ROOTS[size])
            assert not holds_leaf(LEAVES[index], index, size, [*path, EMPTY], ROOTS[size])
            assert not holds_leaf(LEAVES[index], index, size, path, ROOTS[size - 1])
            assert not holds_leaf(LEAVES[index], -1, size, path, ROOTS[size])
            assert not holds_leaf(LEAVES[index], size, size, path, ROOTS[size])
            if path:
                assert not holds_leaf(LEAVES[index], (index + 1) % size, size, path, ROOTS[size])
                assert not holds_leaf(LEAVES[index], index, size, path[:-1], ROOTS[size])
                assert not holds_leaf(LEAVES[index], index, size, [EMPTY, *path[1:]], ROOTS[size])


def test_a_proof_is_checked_as_far_as_it_can_be_without_the_root_that_it_begins_at() -> None:
    for second in range(1, MOST + 1):
        for first in range(1, second + 1):
            path = consistency_path(first, second, perfect)
            assert may_continue(first, second, ROOTS[second], path)
            assert not may_continue(first, second, ROOTS[second], [*path, EMPTY])
            if path:
                assert not may_continue(first, second, ROOTS[second], path[:-1])
            # The root of a perfect tree is no part of the path: hashes alone do not tell a wrong one.
            if path and first & (first - 1):
                assert not may_continue(first, second, EMPTY, path)
                assert not may_continue(first, second, ROOTS[second], [*path[:-1], EMPTY])
    assert may_continue(0, 5, ROOTS[5], [])
    assert not may_continue(0, 5, ROOTS[5], [EMPTY])
    assert not may_continue(5, 4, ROOTS[4], [])
    assert not may_continue(-1, 4, ROOTS[4], [])


def test_every_tree_goes_on_from_every_smaller_one_and_from_no_other() -> None:
    for second in range(1, MOST + 1):
        for first in range(1, second + 1):
            path = consistency_path(first, second, perfect)
            assert continues(first, second, ROOTS[first], ROOTS[second], path)
            assert not continues(first, second, EMPTY, ROOTS[second], path)
            assert not continues(first, second, ROOTS[first], EMPTY, path)
            assert not continues(first, second, ROOTS[first], ROOTS[second], [*path, EMPTY])
            if path:
                assert not continues(first, second, ROOTS[first], ROOTS[second], path[:-1])
                assert not continues(first, second, ROOTS[first], ROOTS[second], [EMPTY, *path[1:]])
    assert continues(0, 5, EMPTY, ROOTS[5], [])
    assert not continues(0, 5, ROOTS[1], ROOTS[5], [])
    assert not continues(5, 4, ROOTS[5], ROOTS[4], [])


@pytest.mark.parametrize(("index", "size"), [(-1, 3), (3, 3), (0, 0)])
def test_a_leaf_that_is_not_there_has_no_path(index: int, size: int) -> None:
    with pytest.raises(ValueError, match="leaf"):
        inclusion_path(index, size, perfect)


@pytest.mark.parametrize(("first", "second"), [(0, 3), (4, 3), (-1, 3)])
def test_no_proof_leads_from_nothing_or_backwards(first: int, second: int) -> None:
    with pytest.raises(ValueError, match="tree"):
        consistency_path(first, second, perfect)
