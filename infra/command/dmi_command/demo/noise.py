"""Random numbers by position instead of by turn: no value depends on what was drawn before it.

A live city must give the same value for a moment whether it is asked for alone, in a day of history or
after a restart. A generator with state cannot; a hash of (key, index) can. The mixing function is the
finaliser of SplitMix64 (Steele, Lea and Flood, 2014).
"""

from __future__ import annotations

from hashlib import blake2b

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]
Keys = NDArray[np.uint64]
Bools = NDArray[np.bool_]

_STEP = np.uint64(0x9E3779B97F4A7C15)
_FIRST = np.uint64(0xBF58476D1CE4E5B9)
_SECOND = np.uint64(0x94D049BB133111EB)
_OTHER = np.uint64(0xD6E8FEB86659FD93)


def key(seed: int, name: str) -> np.uint64:
    """The key of one named source of chance in the city of ``seed``."""
    return np.uint64(int.from_bytes(blake2b(f"{seed}/{name}".encode(), digest_size=8).digest(), "little"))


def keys(seed: int, names: list[str]) -> Keys:
    """One key a name, in the same order."""
    return np.array([key(seed, name) for name in names], dtype=np.uint64)


def uniform(stream: Keys | np.uint64, index: Ints) -> Floats:
    """Values in [0, 1), one an index; ``stream`` is one key or one key a row."""
    mixed = (np.atleast_1d(index).astype(np.uint64) * _STEP) ^ stream
    mixed = mixed + _STEP
    mixed = (mixed ^ (mixed >> np.uint64(30))) * _FIRST
    mixed = (mixed ^ (mixed >> np.uint64(27))) * _SECOND
    mixed = mixed ^ (mixed >> np.uint64(31))
    return (mixed >> np.uint64(11)).astype(np.float64) * 2.0**-53


def normal(stream: Keys | np.uint64, index: Ints) -> Floats:
    """Standard normal values by Box and Muller, one an index."""
    radius = np.sqrt(-2.0 * np.log1p(-uniform(stream, index)))
    return radius * np.cos(2.0 * np.pi * uniform(stream ^ _OTHER, index))


def smooth(stream: np.uint64, position: Floats) -> Floats:
    """Continuous noise of about unit variance at the whole positions, eased in between."""
    below = np.floor(position)
    index = below.astype(np.int64)
    rest = position - below
    weight = rest * rest * (3.0 - 2.0 * rest)
    return normal(stream, index) * (1.0 - weight) + normal(stream, index + 1) * weight


def drifting(stream: np.uint64, day: Ints, memory: float = 0.6, terms: int = 8) -> Floats:
    """Unit-variance day effects that resemble yesterday's: an autoregression of coefficient ``memory``.

    Written as its moving average cut off after ``terms`` days, so that no earlier day need be known.
    """
    distinct, where = np.unique(np.atleast_1d(day), return_inverse=True)
    total = np.zeros(len(distinct))
    for lag in range(terms):
        total += memory**lag * normal(stream, distinct - lag)
    return np.asarray((total * np.sqrt(1.0 - memory**2))[where])
