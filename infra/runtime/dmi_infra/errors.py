"""The exceptions that every service shares; ``http.problems`` turns them into answers.

Failure
├── InputRefused      what came in breaks a rule (400, or the status it names)
│   ├── Unauthenticated   401
│   └── Conflict          409
├── NotFound          an id that names nothing (404)
├── Refused           a gate said no (403, or 503 when the law is missing)
└── Unavailable       bus or store is away (503, Retry-After)
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from dmi_agreements.decision import Reason


@dataclass(frozen=True, slots=True)
class FieldError:
    """One broken rule: where (dotted path), which rule (``nl``: in Dutch, if known), and the form of what was given."""

    field: str
    rule: str
    value: str = ""
    nl: str = ""


class Failure(Exception):
    """Root of the expected failures."""


class InputRefused(Failure):
    """Input that breaks a rule; names the field and the rule."""

    status = 400
    code = "invalid-input"

    def __init__(self, detail: str, errors: Sequence[FieldError] = (), nl: str = "") -> None:
        super().__init__(detail)
        self.errors = tuple(errors)
        self.nl = nl
        """The detail in Dutch, where it is known."""

    @classmethod
    def of(cls, field: str, rule: str, value: str = "") -> InputRefused:
        """A refusal of one field."""
        return cls(f"{field}: {rule}", [FieldError(field, rule, value[:100])])


class Unauthenticated(InputRefused):
    """No token, or one that does not hold."""

    status = 401
    code = "unauthenticated"


class Conflict(InputRefused):
    """The request does not fit the present state."""

    status = 409
    code = "conflict"


class NotFound(Failure):
    """An identifier that names nothing that the caller may see."""


class Refused(Failure):
    """A gate's refusal."""

    def __init__(self, reasons: Sequence[Reason], dataset: str = "") -> None:
        super().__init__(reasons[0].detail)
        self.reasons = tuple(reasons)
        self.dataset = dataset


class Unavailable(Failure):
    """A bus or store that cannot be reached; nothing was acknowledged."""

    def __init__(self, public: str) -> None:
        super().__init__(public)
        self.public = public
