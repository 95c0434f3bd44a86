"""What the kit expects of this node in each scenario, by the kit's number of the scenario.

An entry stands for each state that the process comes to, in order: what this node then does by itself, ``None`` for
nothing. Scenarios that are not listed need nothing of it.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

Script = tuple[str | None, ...]

SCRIPTS: Final[Mapping[str, Script]] = {
    # Negotiations, this node as provider.
    "CN_01_01": ("offer",),
    "CN_01_02": ("offer", None, "terminate"),
    "CN_01_03": ("offer", None, "agree", None, "finalize"),
    "CN_01_04": ("agree", None, "finalize"),
    "CN_02_01": ("terminate",),
    "CN_02_03": ("agree",),
    "CN_02_04": ("offer",),
    "CN_02_05": ("offer", "terminate"),
    "CN_02_06": ("offer", None, "terminate"),
    "CN_02_07": ("agree", None, "terminate"),
    "CN_03_01": ("agree", None, "finalize"),
    "CN_03_02": ("offer",),
    "CN_03_03": ("offer",),
    "CN_03_04": ("offer",),
    # Negotiations, this node as consumer; the request that begins them is the first state.
    "CN_C_01_01": (None, "accept", None, "verify"),
    "CN_C_01_02": (None, "request"),
    "CN_C_01_03": (None, "terminate"),
    "CN_C_01_04": (None, "verify"),
    "CN_C_02_02": ("terminate",),
    "CN_C_02_03": (None, "terminate"),
    "CN_C_02_05": (None, "accept"),
    "CN_C_02_06": (None, "verify"),
    "CN_C_03_04": (None, "accept"),
    "CN_C_03_05": (None, "accept"),
    "CN_C_03_06": (None, "accept"),
    # Transfers, this node as provider.
    "TP_01_01": ("start", "terminate"),
    "TP_01_02": ("start", "complete"),
    "TP_01_03": ("start", "suspend", "terminate"),
    "TP_01_04": ("start", "suspend", "start", "complete"),
    "TP_01_05": ("terminate",),
    "TP_02_01": ("start",),
    "TP_02_02": ("start",),
    "TP_02_03": ("start",),
    "TP_02_04": ("start",),
    "TP_03_03": ("start",),
    "TP_03_04": ("start",),
    "TP_03_05": ("start",),
    "TP_03_06": ("start",),
    # Transfers, this node as consumer.
    "TP_C_02_01": (None, "terminate"),
    "TP_C_02_02": (None, "complete"),
    "TP_C_02_03": (None, "suspend", "terminate"),
    "TP_C_02_04": (None, "suspend", "start", "complete"),
    "TP_C_02_05": ("terminate",),
}
