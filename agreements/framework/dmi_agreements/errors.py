"""Errors of the agreements framework, as one tree.

AgreementsError
├── RulebookInvalid      the framework's own data breaks a rule
├── PolicyRefused        a document holds what the language does not know
├── TemplateRefused      a template does not exist or its parameters do not fit
└── DutyError
    ├── DutyUnknown      a duty that nobody can carry out
    └── DutiesConflict   duties that cannot hold together on one batch
"""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Finding:
    """One reason why a document was refused.

    ``path`` is a JSON pointer (RFC 6901) into the document as it was handed in, ``rule`` the rule that
    it breaks, ``value`` the form of the value found there (shortened), ``nearest`` the known term that
    resembles it most.
    """

    path: str
    rule: str
    value: str = ""
    nearest: str | None = None

    def __str__(self) -> str:
        hint = f" (nearest known: {self.nearest})" if self.nearest else ""
        found = f", found {self.value}" if self.value else ""
        return f"{self.path or '/'}: {self.rule}{found}{hint}"


class AgreementsError(Exception):
    """Any error that this package raises."""


class _Findings(AgreementsError):
    def __init__(self, findings: tuple[Finding, ...]) -> None:
        super().__init__("; ".join(str(finding) for finding in findings))
        self.findings = findings


class RulebookInvalid(_Findings):
    """The rulebook's data breaks its rules; a finding's path is ``<file name>#<JSON pointer>``."""


class PolicyRefused(_Findings):
    """A document was refused: every finding names its place and the rule."""


class TemplateRefused(_Findings):
    """A template is unknown, or a parameter of it is missing or unknown."""


class DutyError(AgreementsError):
    """Duties that cannot be carried out; the batch must not pass."""


class DutyUnknown(DutyError):
    """A duty that this version does not know: refuse the batch."""


class DutiesConflict(DutyError):
    """Duties of which each can be carried out, but not both on one batch."""
