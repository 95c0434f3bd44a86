"""The test profile for the official kit of the Dataspace Protocol: refused in production, imported only when set."""

from __future__ import annotations

from dmi_exchange.dsp_tck.profile import behaviour, parts
from dmi_exchange.dsp_tck.triggers import triggers

__all__ = ["behaviour", "parts", "triggers"]
