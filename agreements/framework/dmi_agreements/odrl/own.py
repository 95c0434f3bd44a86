"""What the rulebook knows of the world: its tree of purposes, and the duties that the gate carries out."""

from __future__ import annotations

from dmi_agreements.odrl.model import Typed
from dmi_agreements.odrl.vocabulary import DMI
from dmi_agreements.odrl.world import World
from dmi_agreements.rulebook import Rulebook


def world_of(rulebook: Rulebook, now: Typed | None = None) -> World:
    """The state of the world as far as the rulebook tells it, at a moment."""
    kinds = {
        _iri(purpose.id): frozenset({_iri(purpose.parent)} if purpose.parent else ())
        for purpose in rulebook.purposes.values()
    }
    return World(now=now, kinds=kinds, carried_out=frozenset(_iri(duty) for duty in rulebook.duties))


def _iri(term: str) -> str:
    return DMI + term.removeprefix("dmi:")
