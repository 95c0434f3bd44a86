"""Sets a template of Typst with what it tells, as PDF/UA-1, so that it can be read aloud too."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final

import typst

FONTS: Final = Path(__file__).with_name("fonts")
ROOT: Final = Path(__file__).parent.parent
"""What templates may read: the look that they share (``printing/house.typ``)."""


def typeset(template: Path, told: Mapping[str, Any]) -> bytes:
    """The PDF; ``told`` comes to the template as JSON in ``sys.inputs.told``, never as markup.

    A letter that no font has is drawn as a box, and the document then does not claim PDF/UA.
    """
    content = json.dumps(_printable(told), ensure_ascii=False)
    options: dict[str, Any] = {
        "root": ROOT, "font_paths": [FONTS], "ignore_system_fonts": True, "sys_inputs": {"told": content},
    }  # fmt: skip
    try:
        made: bytes = typst.compile(template, **options, pdf_standards="ua-1")
    except typst.TypstError:
        made = typst.compile(template, **options)
    return made


def _printable(told: Any) -> Any:
    """The same without letters that direct or hide others."""
    if isinstance(told, str):
        return "".join(letter if letter.isprintable() else " " for letter in told)
    if isinstance(told, Mapping):
        return {name: _printable(each) for name, each in told.items()}
    return [_printable(each) for each in told] if isinstance(told, list) else told
