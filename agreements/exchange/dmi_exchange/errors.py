"""Failures particular to the exchange, on top of ``dmi_infra.errors``."""

from __future__ import annotations

from collections.abc import Sequence

from dmi_agreements.errors import PolicyRefused, TemplateRefused
from dmi_exchange.dsp.process import Process
from dmi_infra.errors import FieldError, InputRefused


class DocumentRefused(InputRefused):
    """An ODRL document that holds something outside the language; names each place."""

    code = "policy-refused"

    @classmethod
    def from_findings(cls, refused: PolicyRefused | TemplateRefused, root: str) -> DocumentRefused:
        """The findings as field errors, each with its JSON pointer and the nearest known term."""
        errors = [
            FieldError(
                f"{root}{finding.path}",
                finding.rule + (f"; the nearest known term is {finding.nearest}" if finding.nearest else ""),
                str(finding.value)[:100],
            )
            for finding in refused.findings
        ]
        return cls(f"{errors[0].field}: {errors[0].rule}", errors)


class StepRefused(InputRefused):
    """A message of another node that is of no good form or has no place now; ``process`` as far as it is known."""

    code = "protocol"

    def __init__(
        self, detail: str, errors: Sequence[FieldError] = (), process: Process | None = None
    ) -> None:
        super().__init__(detail, errors)
        self.process = process

    @classmethod
    def from_findings(cls, refused: PolicyRefused) -> StepRefused:
        """The findings as field errors, each with its JSON pointer."""
        errors = [FieldError(f.path, f.rule, f.value[:100]) for f in refused.findings]
        return cls(f"{errors[0].field or '/'}: {errors[0].rule}", errors)
