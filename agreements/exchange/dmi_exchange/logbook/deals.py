"""What becomes of agreements, as entries of the log: concluded, under which signatures, and stopped, and by whom.

An entry of a gate names the agreement that it judged by; these say from when to when there was one, so that what
happened under it can be proved from the log alone. Consents have records and receipts of their own.
"""

from __future__ import annotations

import uuid

from dmi_agreements.contracts.law import AgreementState
from dmi_agreements.contracts.record import CONCLUDED, LAW, STOPPED, DecisionRecord
from dmi_agreements.evidence import signature_reason
from dmi_exchange import model
from dmi_exchange.logbook.own import SERVICE
from dmi_infra import clock


def told(before: AgreementState | None, after: AgreementState) -> list[DecisionRecord]:
    """The entries, one a dataset, for a change of an agreement; none for a consent, or when nothing began or ended."""
    ran, runs = before is not None and before.state == "active", after.state == "active"
    if ran == runs or model.is_consent(after):
        return []
    if runs:
        action, at = CONCLUDED, after.concluded_at
        reasons = [signature_reason(party, jws) for party, jws in sorted(after.signatures.items())]
    else:
        action, at = STOPPED, after.ended_at
        reasons = [f"stopped: {after.ended_by or SERVICE}"]
    moment = clock.now() if at is None else at
    return [
        DecisionRecord(
            str(uuid.uuid4()), moment, SERVICE, LAW, model.assignee(after.document), action, dataset, "",
            True, reasons, [after.id],
        )
        for dataset in model.targets(after.document)
    ]  # fmt: skip
