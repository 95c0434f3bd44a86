"""Every line of requests judges anew who stood in it, so that nothing is carried out after a key has ended."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

import pytest

HERE = Path(__file__).resolve().parents[2]
WAITING = re.compile(
    r"\b(?:asyncio|anyio)\.(?:Semaphore|BoundedSemaphore|Lock|Condition|Queue|CapacityLimiter)\("
)
JUDGE = {"dmi_infra/lanes.py", "dmi_infra/aside.py"}
"""The lines: ``Lanes`` and what stands on them. Every other one is made of these."""
OTHERS = {
    "dmi_infra/together.py",
    "dmi_exchange/dsp/door.py",
    "dmi_exchange/dcp/routes.py",
    "dmi_exchange/flow/routes.py",
    "dmi_infra/http/downloads.py",
}
"""What else waits: for what nobody needs a token for, before a proof is judged at all, and for the next piece of a
stream or a download, before each of which gate and token are asked. Adding one is a decision."""
ASKERS = {
    "dmi_infra/http/access.py", "dmi_ingest/reading_turns.py", "dmi_exchange/dsp/door.py",
}  # fmt: skip
"""Where it is said how who stands in line is judged again."""
UNJUDGED = {
    "dmi_infra/aside.py",
    "dmi_infra/http/downloads.py",
    "dmi_exchange/dsp/routes.py",
    "dmi_exchange/dsp_tck/profile.py",
}
"""Who has no key that could end: anybody, the node where it goes on of itself, and the kit that tests the protocol; and
the next piece of a download, which is judged when it is made. Adding one is a decision."""


def _sources() -> Iterator[tuple[str, str]]:
    for part in ("infra/runtime", "agreements/exchange", "agreements/framework", "services"):
        for file in sorted((HERE / part).rglob("dmi_*/**/*.py")):
            path = file.relative_to(HERE / part).as_posix()
            yield path[path.index("dmi_") :], file.read_text()


@pytest.mark.parametrize(
    ("what", "where"),
    [
        (WAITING, JUDGE | OTHERS),
        (re.compile(r"\bAsker\("), ASKERS),
        (re.compile(r"\bAsker\.by_nothing\("), UNJUDGED),
    ],
    ids=["waiting", "judged again", "not judged"],
)
def test_what_makes_a_line_or_says_who_stands_in_it_is_in_these_files_alone(
    what: re.Pattern[str], where: set[str]
) -> None:
    assert {path for path, text in _sources() if what.search(text)} == where
