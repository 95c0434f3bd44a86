"""Reading the part of a bus address behind the question mark."""

from __future__ import annotations

from collections.abc import Mapping

from dmi_infra.bus.errors import BusAddressError


def whole_numbers(options: Mapping[str, str], defaults: Mapping[str, int]) -> dict[str, int]:
    """``defaults`` with those of ``options``, all at least 1; another name or value is refused."""
    values = dict(defaults)
    for name, text in options.items():
        if name not in defaults:
            raise BusAddressError(
                f"bus address: unknown option {name!r}; known: {', '.join(sorted(defaults))}"
            )
        if not (text.isascii() and text.isdigit() and int(text) >= 1):
            raise BusAddressError(f"bus address: {name}={text!r} must be a whole number of at least 1")
        values[name] = int(text)
    return values
