"""Errors of the bus.

::

    BusError
    ├── BusUnavailable          the bus is away or cannot store; nothing was acknowledged
    │   └── BusTimeout          no answer in time; the messages may still have been stored
    ├── BusClosed               used after close()
    ├── BusStoreTooNew          the file was written by a newer version
    ├── BusStoreForeign         the file is no bus file
    ├── BusAddressError         the address (DMI_BUS_URL) cannot be read
    └── MessageTooLarge         a value above ``port.MAX_VALUE_BYTES``

A topic or party that the table of crossings does not name raises
``dmi_agreements.crossings.UnknownCrossing``.
"""

from __future__ import annotations

from dmi_infra.errors import Unavailable


class BusError(Exception):
    """Root of the errors of the bus."""


class BusUnavailable(BusError, Unavailable):
    """The bus is away or cannot store. Nothing was acknowledged; the caller may try again.

    The message is for logs; the caller of an interface sees ``public`` alone (503, ``Retry-After``).
    """

    def __init__(self, detail: str = "the bus cannot be reached") -> None:
        Exception.__init__(self, detail)
        self.public = "the bus cannot be reached at the moment; nothing was acknowledged"


class BusTimeout(BusUnavailable):
    """No answer in time. Not acknowledged, but it may still be stored: repeat with the same envelope id."""


class BusClosed(BusError):
    """A publisher, subscription or bus was used after it was closed."""


class BusStoreTooNew(BusError):
    """The file of the embedded log was written by a newer version of this software."""


class BusStoreForeign(BusError):
    """The file at the address is not a file of the embedded log."""


class BusAddressError(BusError):
    """The address of the bus cannot be read; the text names the part and the form it should have."""


class MessageTooLarge(BusError):
    """A value is larger than any adapter carries; the caller divides the batch."""
