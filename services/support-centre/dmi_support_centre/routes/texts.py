"""Texts as the stores can keep them."""

from __future__ import annotations

from typing import Annotated

from pydantic import AfterValidator

NO_NUL = "must not hold the character NUL, which no database keeps"


def _without_nul(text: str) -> str:
    if "\0" in text:
        raise ValueError(NO_NUL)
    return text


Plain = Annotated[str, AfterValidator(_without_nul)]
