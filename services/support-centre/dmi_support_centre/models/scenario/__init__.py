"""Scenarios: typed edits on a pinned baseline and their effects per neighbourhood."""

from dmi_support_centre.models.scenario.edits import (
    Area,
    Edit,
    Mix,
    Redevelop,
    ScenarioRefused,
    SetCoefficient,
    check_geometry,
)
from dmi_support_centre.models.scenario.equity import SMALLEST_GROUP, Side, Split, small, split, veiled
from dmi_support_centre.models.scenario.merge import Choice, Clash, Contested, Plan, Step, plan
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
    "SMALLEST_GROUP",
    "UNITS",
    "Area",
    "AreaResult",
    "AreaState",
    "Baseline",
    "BuildingState",
    "Change",
    "Choice",
    "Clash",
    "Contested",
    "Edit",
    "Figures",
    "Mix",
    "Plan",
    "Range",
    "Redevelop",
    "RunRecord",
    "ScenarioRefused",
    "ScenarioResult",
    "SetCoefficient",
    "Side",
    "Split",
    "Step",
    "Swing",
    "Totals",
    "Touched",
    "UsedCoefficient",
    "check",
    "check_geometry",
    "plan",
    "run",
    "small",
    "split",
    "veiled",
]
