"""No change of a rule is lost: its version as entity tag, and the condition that a change states (RFC 9110)."""

from __future__ import annotations

import re
from typing import Annotated, Any

from fastapi import Header

from dmi_infra.errors import InputRefused
from dmi_support_centre.errors import MovedOn, VersionNotStated

HEADER = "If-Match"
IfMatch = Annotated[
    str | None,
    Header(alias=HEADER, max_length=500, description="the ETag of the version that the change is about"),
]
RESPONSES: dict[int | str, dict[str, Any]] = {
    412: {"description": "It no longer stands in the version that If-Match names"},
    428: {"description": "If-Match is missing: a change names the version that it is about"},
}

_LIST = re.compile(r'\s*(?:W/)?"[^"\x00-\x20]*"\s*(?:,\s*(?:W/)?"[^"\x00-\x20]*"\s*)*')
_STRONG = re.compile(r'(?<!W/)"([^"]*)"')


def tag_of(version: int) -> str:
    """The entity tag of a version: of what was decided, not of what follows from it with the clock."""
    return f'"{version}"'


def check(given: str | None, version: int) -> None:
    """Raise unless a change names the version that the rule stands in; 0: there is none yet.

    Without a condition only what is new may be written. A weak tag names no version, as the standard has it.
    """
    if given is None:
        if version:
            rule = f"must name the version that the change is about; the rule stands in {tag_of(version)}"
            raise VersionNotStated.of(HEADER, rule)
        return
    if given.strip() == "*" and version:
        return
    if given.strip() != "*" and _LIST.fullmatch(given) is None:
        raise InputRefused.of(HEADER, 'must be entity tags between quotes, as in "3", or *', given)
    if not version or tag_of(version) not in (f'"{tag}"' for tag in _STRONG.findall(given)):
        stands = f"stands in {tag_of(version)} now" if version else "is not there"
        raise MovedOn.of(HEADER, f"names another version: the rule {stands}; read it again", given)
