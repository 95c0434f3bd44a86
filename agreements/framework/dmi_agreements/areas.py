"""Whose neighbourhoods count for everybody: by them the rows of all datasets are labelled and counted."""

from __future__ import annotations

from collections.abc import Collection
from typing import Final

from dmi_agreements.table import LawTable

NEIGHBOURHOOD: Final = "neighbourhood"
"""The kind of feature that rows are labelled by."""

AREAS: Final = "areas"
"""What a dataset of areas says of itself in the catalogue (``layer``), where the owner alone writes."""

DELIMIT: Final = "delimit"
"""The act of the rulebook that lets an owner lay down areas for everybody."""


def not_laid_down(law: LawTable, identifier: str, named: Collection[str] = ()) -> str | None:
    """The rule that keeps neighbourhoods of this dataset from counting for others; ``None`` when they count.

    The dataset says in the catalogue that it is one of areas, and its owner has a role that the rulebook lets lay them
    down. ``named`` narrows that to some datasets, on a node with several such owners. What is not known does not count.
    """
    dataset = law.datasets.get(identifier)
    if dataset is None or dataset.withdrawn:
        return "neighbourhoods are laid down in datasets that the catalogue has"
    if dataset.layer != AREAS:
        return (
            f"neighbourhoods are laid down in datasets that the catalogue has as areas (layer: {AREAS}) alone"
        )
    owner = law.participants.get(dataset.owner)
    roles = sorted(role.id for role in law.rulebook.roles.values() if DELIMIT in role.may)
    if owner is None or not owner.active or not set(roles).intersection(owner.roles):
        told = " or ".join(roles) or "that may delimit, which no role does now"
        return f"neighbourhoods are laid down in datasets of an owner with the role {told} alone"
    if named and identifier not in named:
        return (
            "neighbourhoods are laid down in the datasets that the operator names (DMI_AREA_DATASETS) alone"
        )
    return None
