"""Chance by position."""

from __future__ import annotations

import numpy as np

from dmi_command.demo import noise


def test_a_value_does_not_depend_on_what_else_is_asked() -> None:
    key = noise.key(5, "anything")
    together = noise.normal(key, np.arange(1000))
    assert noise.normal(key, np.array([412]))[0] == together[412]
    assert noise.drifting(key, np.array([412]))[0] == noise.drifting(key, np.arange(1000))[412]


def test_uniform_values_are_even_and_do_not_follow_each_other() -> None:
    values = noise.uniform(noise.key(5, "even"), np.arange(200_000))
    assert 0 <= values.min() < values.max() < 1
    assert abs(values.mean() - 0.5) < 0.005
    assert abs(np.histogram(values, 10, (0, 1))[0] / 20_000 - 1).max() < 0.03
    assert abs(np.corrcoef(values[1:], values[:-1])[0, 1]) < 0.01


def test_normal_values_have_unit_variance_and_keys_are_independent() -> None:
    first = noise.normal(noise.key(5, "a"), np.arange(100_000))
    second = noise.normal(noise.key(6, "a"), np.arange(100_000))
    assert abs(first.mean()) < 0.02
    assert abs(first.std() - 1) < 0.02
    assert abs(np.corrcoef(first, second)[0, 1]) < 0.02


def test_day_effects_resemble_those_of_the_day_before() -> None:
    effects = noise.drifting(noise.key(5, "days"), np.arange(5000))
    assert abs(np.corrcoef(effects[1:], effects[:-1])[0, 1] - 0.6) < 0.05
    assert abs(effects.std() - 1) < 0.05


def test_smooth_noise_has_no_jumps() -> None:
    values = noise.smooth(noise.key(5, "smooth"), np.linspace(0, 100, 100_001))
    assert np.abs(np.diff(values)).max() < 0.02
    assert values.std() > 0.5
