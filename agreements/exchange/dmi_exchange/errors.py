"""Failures particular to the exchange, on top of ``dmi_infra.errors``."""

from __future__ import annotations

from collections.abc import Sequence

from dmi_agreements.errors import PolicyRefused, TemplateRefused
from dmi_agreements.rulebook import Rulebook
from dmi_exchange.dsp.process import Process
from dmi_exchange.review.case import Fault
from dmi_exchange.review.edits import Repair
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


class NodeRefuses(InputRefused):
    """Another node that says no to who asks through this one: to ask again changes nothing."""

    status = 403
    code = "refused-by-other-node"


class ReviewRefused(InputRefused):
    """A document that the language knows but law or rulebook do not allow; names each rule and place."""

    code = "review-refused"

    @classmethod
    def of_faults(
        cls, faults: Sequence[Fault], book: Rulebook, steps: Sequence[Repair] = (), root: str = "document"
    ) -> ReviewRefused:
        """The faults as field errors, and in the detail what would mend them (``steps``)."""
        errors = [
            FieldError(
                f"{root}{fault.path}",
                f"{book.rules[fault.rule].description['en']} ({fault.detail['en']}; {fault.rule}, "
                f"{book.rules[fault.rule].law})",
                nl=f"{book.rules[fault.rule].description['nl']} ({fault.detail['nl']})",
            )
            for fault in faults
        ]
        hints = {"en": "", "nl": ""}
        if steps:
            told = {name: "; ".join(step.text[name] for step in steps) for name in hints}
            hints["en"] = f" Smallest change that would do: {told['en']}."
            hints["nl"] = f" Dit moet minstens veranderen: {told['nl']}."
        detail = f"{errors[0].field}: {errors[0].rule}{hints['en']}"
        return cls(detail, errors, f"{errors[0].nl}{hints['nl']}")


class NeverUsable(InputRefused):
    """A document that is understood, and that nobody could ever use; names the rules and the terms that clash."""

    status = 422
    code = "never-usable"


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
