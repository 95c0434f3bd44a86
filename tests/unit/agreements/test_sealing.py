"""What names a person stands in the log as a commitment, which holds without the name and proves it with it."""

from __future__ import annotations

from dataclasses import replace

import msgspec
import pytest

from dmi_agreements.contracts.envelope import encode
from dmi_agreements.contracts.record import DecisionRecord
from dmi_agreements.sealing import Opening, commitment, is_sealed, needs_sealing, seal, unseal

NOOR, PIET = "urn:dmi:person:noor", "urn:dmi:person:piet"
PLAIN = DecisionRecord(
    "d", 1, "platform", "query", "urn:dmi:participant:v", "dmi:read", "urn:x", "p", True, ["a: b"]
)


def about(**changes: object) -> DecisionRecord:
    return msgspec.structs.replace(PLAIN, **changes)


def test_a_record_without_persons_is_kept_as_it_is() -> None:
    assert seal(PLAIN) == (PLAIN, [])
    assert not needs_sealing(encode(PLAIN))


@pytest.mark.parametrize(
    "changes",
    [
        {"assignee": NOOR},
        {"asked_by": PIET},
        dict.fromkeys(("assignee", "actor", "mandate", "asked_by", "action", "dataset", "purpose"), NOOR),
        {"subjects": [NOOR, PIET]},
        {"subjects": ["anything", ""]},
        {"counted": [("urn:uuid:1", "/permission/0", NOOR)]},
        {"reasons": ["allowed: x", f"own_data: {NOOR} asks for its own data"]},
        {
            "dataset": "URN:DMI:Person:Noor",
            "purpose": "sealed:x",
            "agreements": [f"urn:x:{PIET}"],
            "action": NOOR,
        },
    ],
)
def test_what_names_a_person_is_sealed_and_comes_back_with_its_openings(changes: dict[str, object]) -> None:
    record = about(**changes)
    kept, openings = seal(record)
    assert needs_sealing(encode(record))
    text = encode(kept).decode().casefold()
    assert "person" not in text
    assert "anything" not in text
    assert unseal(kept, openings) == record
    assert seal(record)[0] != kept
    assert unseal(kept, []) == kept


def test_what_is_erased_stays_sealed_beside_what_is_not() -> None:
    kept, openings = seal(about(subjects=[NOOR, PIET]))
    found = unseal(kept, [opening for opening in openings if opening.value != NOOR])
    assert is_sealed(found.subjects[0])
    assert found.subjects[1] == PIET


def test_an_opening_fits_its_own_commitment_alone() -> None:
    opening = Opening(bytes(16), NOOR)
    assert opening.sealed == commitment(bytes(16), NOOR)
    others = {replace(opening, value=PIET).sealed, replace(opening, salt=bytes(15) + b"\1").sealed}
    assert opening.sealed not in others
    with pytest.raises(ValueError, match="16 bytes"):
        commitment(b"short", NOOR)
