"""Numbers of too many digits in JSON, found before anything reads them: what one costs grows with its square."""

from __future__ import annotations

from typing import Final

DIGITS: Final = 400
"""In a row. The largest number that a store can keep (a double) has 309 when it is written out."""
LONG_NUMBER: Final = f"a number may hold at most {DIGITS} digits in a row"

_TOO_MANY: Final = b"9" * (DIGITS + 1)
_DIGITS: Final = b"0123456789"
_MARKED: Final = bytes(ord("9") if code in _DIGITS else ord(" ") for code in range(256))


class Numbers:
    """The numbers of one body, in the pieces in which it comes in.

    A text of digits alone is no number. Digits in a row elsewhere in a text are taken for one: to know, one has to
    read it.
    """

    def __init__(self) -> None:
        self._run = 0
        """Digits at the end of what has come in."""
        self._text = False
        """Whether a quote stands before them, or, without any, at the end."""

    def too_long(self, part: bytes) -> bool:
        """Whether one ends in or reaches into this piece that is longer than may be; looks at each byte twice."""
        if not part:
            return False
        marks = part.translate(_MARKED)
        ahead = _run_at(marks, 0)
        if not self._text and self._run + ahead > DIGITS:
            return True
        at = marks.find(_TOO_MANY, ahead)
        while at >= 0:
            if part[at - 1] != ord('"'):
                return True
            at = marks.find(_TOO_MANY, at + _run_at(marks, at))
        if ahead == len(part):
            self._run += ahead
        else:
            self._run = len(marks) - len(marks.rstrip(b"9"))
            self._text = part[-self._run - 1] == ord('"')
        return False


def _run_at(marks: bytes, start: int) -> int:
    """How many digits stand at a place."""
    end = marks.find(b" ", start)
    return (len(marks) if end < 0 else end) - start
