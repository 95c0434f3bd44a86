"""Scenarios: typed edits on a pinned baseline and their effects per neighbourhood."""

from dmi_support_centre.models.scenario.edits import (
    Area,
    Edit,
    Mix,
    Redevelop,
    ScenarioRefused,
    SetCoefficient,
)
from dmi_support_centre.models.scenario.places import AreaState, Baseline, BuildingState
from dmi_support_centre.models.scenario.result import (
    INDICATORS,
    UNITS,
    AreaResult,
    Change,
    Figures,
    Range,
    RunRecord,
    ScenarioResult,
    Swing,
    Totals,
    Touched,
    UsedCoefficient,
)
from dmi_support_centre.models.scenario.run import MODEL, check, run

__all__ = [
    "INDICATORS",
    "MODEL",
    "UNITS",
    "Area",
    "AreaResult",
    "AreaState",
    "Baseline",
    "BuildingState",
    "Change",
    "Edit",
    "Figures",
    "Mix",
    "Range",
    "Redevelop",
    "RunRecord",
    "ScenarioRefused",
    "ScenarioResult",
    "SetCoefficient",
    "Swing",
    "Totals",
    "Touched",
    "UsedCoefficient",
    "check",
    "run",
]
