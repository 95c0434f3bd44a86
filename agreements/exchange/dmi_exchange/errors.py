"""Failures particular to the exchange, on top of ``dmi_infra.errors``."""

from __future__ import annotations

from dmi_agreements.errors import PolicyRefused, TemplateRefused
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
