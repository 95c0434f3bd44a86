"""Making forecasts again on request, without what is no longer allowed."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from dmi_infra.errors import NotFound, Refused
from dmi_infra.gate import Gate
from dmi_infra.http.access import Opening
from dmi_infra.http.problems import refusal
from dmi_support_centre.consumer import ANALYSE
from dmi_support_centre.handlers import Views


class Recompute:
    """Asks the gate for each dataset at once, and has those that pass made again in the background."""

    def __init__(self, gate: Gate, views: Views, hurry: Callable[[], None]) -> None:
        self._gate = gate
        self._views = views
        self._hurry = hurry

    def __call__(self, opening: Opening, dataset: str | None) -> dict[str, Any]:
        """Which datasets are forecast again; raises ``Refused`` when none may be (it names the agreement)."""
        wanted = [one for one in self._views.forecast_datasets() if dataset in (None, one)]
        if not wanted:
            raise NotFound("no dataset with places to forecast has this id")
        recomputed: list[str] = []
        refused: list[Refused] = []
        for one in wanted:
            try:
                self._gate.permit("indicators", ANALYSE, one)
                opening.permit(one)
                recomputed.append(one)
            except Refused as exc:
                refused.append(exc)
        if not recomputed:
            raise refused[0]
        self._hurry()
        return {"recomputed": recomputed, "refused": [refusal(one).body() for one in refused]}
