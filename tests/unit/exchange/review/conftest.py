"""The furnished exchange of the tests around it."""

from tests.unit.exchange.conftest import node

__all__ = ["node"]
