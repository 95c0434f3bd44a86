"""The review in a running stack, in both deployments: nothing against the rules is concluded, and what ran out ends."""

from __future__ import annotations

import time
import uuid
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from dmi_command.client import Client
from dmi_command.errors import AnswerRefused
from dmi_infra import clock
from dmi_infra.jose import SigningKey
from tests.stack_plugin import Stack

GARAGES = "urn:dmi:dataset:gemeente:garages"
CITY = "urn:dmi:participant:gemeente"


def wait(holds: Callable[[], bool], seconds: float = 10) -> None:
    limit = time.monotonic() + seconds
    while not holds():
        assert time.monotonic() < limit, "it did not happen in time"
        time.sleep(0.05)


@pytest.fixture
def guest(stack: Stack, tmp_path: Path) -> Iterator[Client]:
    """A vendor of this test's own, which has signed the rulebook."""
    me = f"urn:dmi:participant:gast-{uuid.uuid4().hex[:8]}"
    key = SigningKey.load_or_create(tmp_path / "key.json")
    with stack.demo("operator") as operator:
        body = {"id": me, "name": "Gast", "roles": ["dmi:role:vendor"], "keys": [key.public]}
        operator.post("/exchange/v1/participants", body)
    client = Client(stack.url, participant=me, key=key)
    path = f"/exchange/v1/participants/{me}"
    wait(lambda: _answers(client, f"{path}/statement"))
    client.post(f"{path}/signature", {"jws": key.sign_document(client.get(f"{path}/statement"))})
    wait(lambda: _answers(client, "/exchange/v1/agreements"))
    client.me, client.signer = me, key  # type: ignore[attr-defined]
    yield client
    client.close()


def _answers(client: Client, path: str) -> bool:
    try:
        client.get(path)
    except AnswerRefused:
        return False
    return True


def agree(stack: Stack, guest: Any, seconds: int = 3600) -> str:
    """An agreement of the city with the guest, about the garages, for so long."""
    with stack.demo("officer") as officer:
        parameters = {
            "assigner": CITY, "assignee": guest.me, "datasets": [GARAGES], "actions": ["dmi:read"],
            "purpose": "dmi:purpose:parking-guidance", "until": clock.to_text(clock.now() + seconds * 1_000_000),
        }  # fmt: skip
        draft = {"template": "dmi:template:sensor-data", "parameters": parameters}
        document = officer.post("/exchange/v1/agreements/draft", draft)
        assert officer.post("/exchange/v1/review", {"document": document})["passes"]
        officer.post("/exchange/v1/agreements", {"document": document, "hosted": True})
    path = f"/exchange/v1/agreements/{document['uid']}"
    assert guest.post(f"{path}/signature", {"jws": guest.signer.sign_document(document)})["state"] == "active"
    return str(path)


def test_the_agreements_of_a_participant_that_leaves_end_and_it_is_refused(stack: Stack, guest: Any) -> None:
    path = agree(stack, guest)
    wait(lambda: _answers(guest, f"/platform/v1/latest?dataset={GARAGES}"))
    with stack.demo("operator") as operator, stack.demo("officer") as officer:
        operator.post(f"/exchange/v1/participants/{guest.me}/end")
        wait(lambda: officer.get(path)["state"] == "ended")
        found = officer.get(path)
    assert found["ended_by"] == "urn:dmi:participant:exchange"
    assert "takes part no more" in found["end_reason"]
    wait(lambda: not _answers(guest, f"/platform/v1/latest?dataset={GARAGES}"), 2)


def test_an_agreement_that_runs_out_ends_in_the_law_itself(stack: Stack, guest: Any) -> None:
    path = agree(stack, guest, seconds=3)
    with stack.demo("officer") as officer:
        wait(lambda: officer.get(path)["state"] == "ended")
        assert "Expired" in officer.get(path)["end_reason"]


def test_personal_data_without_an_end_becomes_no_agreement_but_its_smallest_change_does(
    stack: Stack, guest: Any
) -> None:
    document = {
        "@context": ["http://www.w3.org/ns/odrl.jsonld", {"dmi": "urn:dmi:"}], "@type": "Agreement",
        "uid": f"urn:uuid:{uuid.uuid4()}", "profile": "urn:dmi:profile:1", "dmi:rulebook": "1.0.0",
        "dmi:legalBasis": "dmi:basis:public-task", "assigner": CITY, "assignee": guest.me,
        "permission": [{
            "target": "urn:dmi:dataset:gemeente:bicycle-air", "action": ["dmi:read"],
            "constraint": [{"leftOperand": "purpose", "operator": "isA", "rightOperand": "dmi:purpose:any"}],
        }],
    }  # fmt: skip
    with stack.demo("officer") as officer:
        with pytest.raises(AnswerRefused) as refused:
            officer.post("/exchange/v1/agreements", {"document": document, "hosted": True})
        assert refused.value.problem["type"] == "urn:dmi:problem:review-refused"
        verdict = officer.post("/exchange/v1/review", {"document": document})
        assert len(verdict["change"]["patch"]) == 4
        mended = {"document": verdict["change"]["document"], "hosted": True}
        assert officer.post("/exchange/v1/agreements", mended)["state"] == "proposed"
        officer.post(f"/exchange/v1/agreements/{document['uid']}/end", {})
