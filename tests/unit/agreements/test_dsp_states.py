"""Both state machines, every message in every state from either side."""

from __future__ import annotations

from itertools import product

import pytest

from dmi_agreements.dsp import states
from dmi_agreements.dsp.states import IllegalStep, Kind, Side, after

C: Side = "consumer"
P: Side = "provider"

NEGOTIATION: dict[tuple[str, str, Side], str] = {
    ("", states.REQUEST, C): "REQUESTED",
    ("", states.OFFER, P): "OFFERED",
    ("REQUESTED", states.OFFER, P): "OFFERED",
    ("REQUESTED", states.AGREEMENT, P): "AGREED",
    ("OFFERED", states.REQUEST, C): "REQUESTED",
    ("OFFERED", states.EVENT_ACCEPTED, C): "ACCEPTED",
    ("ACCEPTED", states.AGREEMENT, P): "AGREED",
    ("AGREED", states.VERIFICATION, C): "VERIFIED",
    ("VERIFIED", states.EVENT_FINALIZED, P): "FINALIZED",
    **{
        (state, states.NEGOTIATION_TERMINATION, side): "TERMINATED"
        for state in ("REQUESTED", "OFFERED", "ACCEPTED", "AGREED", "VERIFIED")
        for side in (C, P)
    },
}
TRANSFER: dict[tuple[str, str, Side], str] = {
    ("", states.TRANSFER_REQUEST, C): "REQUESTED",
    ("REQUESTED", states.START, P): "STARTED",
    **{
        (state, message, side): reached
        for side in (C, P)
        for state, message, reached in (
            ("SUSPENDED", states.START, "STARTED"),
            ("STARTED", states.SUSPENSION, "SUSPENDED"),
            ("STARTED", states.COMPLETION, "COMPLETED"),
            ("REQUESTED", states.TRANSFER_TERMINATION, "TERMINATED"),
            ("STARTED", states.TRANSFER_TERMINATION, "TERMINATED"),
            ("SUSPENDED", states.TRANSFER_TERMINATION, "TERMINATED"),
        )
    },
}
MESSAGES = {*states.STEPS["negotiation"], *states.STEPS["transfer"], "", "CatalogRequestMessage"}


@pytest.mark.parametrize(("kind", "allowed"), [("negotiation", NEGOTIATION), ("transfer", TRANSFER)])
def test_what_the_standard_allows_leads_on_and_everything_else_is_illegal(
    kind: Kind, allowed: dict[tuple[str, str, Side], str]
) -> None:
    for state, message, side in product({"", *states.STATES[kind]}, MESSAGES, (C, P)):
        wanted = allowed.get((state, message, side))
        if wanted is not None:
            assert after(kind, state, message, side) == wanted
        else:
            with pytest.raises(IllegalStep) as refused:
                after(kind, state, message, side)
            assert refused.value.rule


@pytest.mark.parametrize("side", [C, P])
def test_a_suspended_transfer_is_started_again_by_whoever_suspended_it(side: Side) -> None:
    assert after("transfer", "SUSPENDED", states.START, side, suspended_by=side) == "STARTED"
    with pytest.raises(IllegalStep, match="suspended this transfer"):
        after("transfer", "SUSPENDED", states.START, P if side == C else C, suspended_by=side)
