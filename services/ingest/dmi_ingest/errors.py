"""Failures particular to ingest, on top of ``dmi_infra.errors``.

InputRefused
├── RowsRefused       every row of a batch breaks a rule; each is named by its index
├── TooLarge          the files of an import exceed the limit (413)
├── TooMany           more imports of one participant are open than the setting allows (429)
└── Conflict
    ├── IdTaken       the chosen id names something already
    └── InUse         what observations rest on cannot be deleted, nor what others use be changed
"""

from __future__ import annotations

from dmi_infra.errors import Conflict, InputRefused


class RowsRefused(InputRefused):
    """No row of the batch can be taken."""

    code = "rows-refused"


class TooLarge(InputRefused):
    """More bytes than the setting allows."""

    status = 413
    code = "too-large"


class TooMany(InputRefused):
    """More at the same time than the setting allows."""

    status = 429
    code = "too-many"


class IdTaken(Conflict):
    """An id that names something already."""

    code = "id-taken"


class InUse(Conflict):
    """The change or deletion would take the ground from stored observations, or alter what others measure."""

    code = "in-use"
