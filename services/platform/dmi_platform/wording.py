"""What was done to rows under a duty, in words for who receives them."""

from __future__ import annotations

from dmi_agreements.decision import (
    Aggregate,
    Coarsen,
    CutEnds,
    Delay,
    DeleteAfter,
    Duty,
    LeaveOut,
    OwnRows,
    RestrictArea,
    Suppress,
)


def in_words(duty: Duty) -> str:
    """One duty as a phrase that says which rows or properties it touches."""
    match duty:
        case LeaveOut(properties):
            return f"left out: {', '.join(properties)}"
        case Coarsen(grid_m):
            return f"positions moved to the centre of cells of {grid_m} metres"
        case Aggregate():
            area = duty.area_level if duty.grid_m is None else f"cell of {duty.grid_m} metres"
            return f"means per {duty.window_s} seconds and {area}"
        case Suppress(minimum):
            return f"groups of fewer than {minimum} persons left out"
        case CutEnds(metres):
            return f"{metres} metres at begin and end of each trip left out"
        case Delay(seconds):
            return f"rows withheld until {seconds} seconds old"
        case DeleteAfter(days):
            return f"rows older than {days} days left out"
        case RestrictArea(bbox):
            return (
                "rows outside west, south, east, north " + ", ".join(str(edge) for edge in bbox) + " left out"
            )
        case OwnRows(person):
            return f"only the own rows of {person}"
