"""A furnished exchange for each module of tests: what they change, they name themselves."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.unit.exchange.fakes import Node, furnish, running


@pytest.fixture(scope="module")
def node(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Node]:
    with running(tmp_path_factory.mktemp("exchange")) as made:
        furnish(made)
        yield made
