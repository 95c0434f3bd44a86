"""A person stops, objects and has data erased by the page itself."""

from __future__ import annotations

import uuid
from typing import Any

import pytest
from playwright.sync_api import Page, expect

from dmi_command.client import Client
from dmi_infra import clock
from dmi_infra.clock import to_text
from dmi_infra.jose import SigningKey
from tests.e2e.conftest import Visit, Visitor
from tests.e2e.keyboard import push
from tests.e2e.test_my_data import opened
from tests.integration.test_own_copy import BICYCLES, LAYER
from tests.integration.test_rights_of_persons import AIR, OWNER, within
from tests.stack_plugin import EmbeddedStack


class Child:
    """Somebody whom Noor decides for, of whom nothing else in this stack knows."""

    def __init__(self, noor: Client) -> None:
        unique = uuid.uuid4().hex[:8]
        self.name, self.id = f"Kim {unique}", f"urn:dmi:person:kim-{unique}"
        self.stream = f"bicycle-air.kim-{unique}.temperature"
        self._noor, self._mine = noor, {"for": self.id}

    def enter(self, operator: Client) -> None:
        body = {
            "id": self.id, "name": self.name, "roles": ["dmi:role:resident"], "keys": [SigningKey.generate().public],
            "representatives": ["urn:dmi:person:noor"], "of_age_on": "2035-05-01",
        }  # fmt: skip
        operator.post("/exchange/v1/participants", body)

    def consent(self) -> None:
        wish = {"dataset": BICYCLES, "purpose": AIR, "recipients": [LAYER, OWNER], **self._mine}
        within(lambda: self._noor.post("/exchange/v1/consents", wish)["items"])

    def measure(self, officer: Client) -> None:
        """One value comes in, and is there to be read."""
        thing = self.stream.rpartition(".")[0]
        about = {"thing": thing, "observed_property": "temperature", "unit": "Cel"}
        features = [
            {"id": thing, "kind": "thing", "name": self.name, "properties": {"mobile": True}},
            {"id": self.stream, "kind": "datastream", "name": self.name, "properties": about},
        ]
        officer.post("/ingest/v1/features", {"dataset": BICYCLES, "features": features})
        batch = {
            "dataset": BICYCLES, "datastream": [self.stream], "result": [10.0], "subject": [self.id],
            "phenomenon_time": [to_text(clock.now() - 60_000_000)],
        }  # fmt: skip
        within(lambda: officer.post("/ingest/v1/batches", batch)["accepted"] == 1)
        assert within(self.rows)

    def consents(self) -> set[str]:
        """In which states its consents are."""
        return {one["state"] for one in self._noor.get("/exchange/v1/consents", **self._mine)["items"]}

    def rows(self) -> list[Any]:
        found = self._noor.get(f"/platform/v1/datastreams/{self.stream}/observations", **self._mine)
        return list(found["items"])

    def requests(self) -> set[tuple[str, str]]:
        items = self._noor.get("/exchange/v1/my-data/requests", **self._mine)["items"]
        return {(one["right"], one["dataset"]) for one in items}

    def page(self, visitor: Visitor) -> Page:
        """The page of the own data, for this child."""
        page = visitor.go("/my-data")
        page.get_by_role("radio", name=self.name).check()
        visitor.settle()
        return page


def published(officer: Client) -> tuple[str, str]:
    """Data about persons that rests on a public task, to which one can object; its id and title."""
    unique = uuid.uuid4().hex[:8]
    dataset, title = f"urn:dmi:dataset:gemeente:counts-{unique}", f"Tellingen {unique}"
    entry = {
        "id": dataset, "title": {"nl": title, "en": title}, "purpose": "dmi:purpose:mobility",
        "personal": True, "basis": "dmi:basis:public-task", "layer": "points",
        "spatial": {"bbox": [5.05, 52.07, 5.15, 52.13], "name": {"nl": "Waterstad"}},
    }  # fmt: skip
    officer.post("/exchange/v1/datasets", entry)
    return dataset, title


@pytest.mark.chromium
def test_who_stops_objects_and_erases_by_the_page_has_it_done(
    embedded_stack: EmbeddedStack, visit: Visit
) -> None:
    stack = embedded_stack
    with stack.demo("operator") as operator, stack.demo("officer") as officer, stack.demo("resident") as noor:
        child = Child(noor)
        child.enter(operator)
        child.consent()
        counts, title = published(officer)
        visitor = visit(stack.url, "resident", 360)
        page = child.page(visitor)

        stop = opened(page, "Stop het gebruik")
        push(page, stop.get_by_role("button", name="Stop dit gebruik"))
        push(page, page.get_by_role("dialog").get_by_role("button", name="Ja, stop"))
        expect(page.get_by_role("dialog")).to_have_count(0)
        within(lambda: child.consents() == {"ended"})

        objection = opened(page, "Maak bezwaar")
        objection.get_by_role("combobox").select_option(counts)
        push(page, objection.get_by_role("button", name="Maak bezwaar"))
        expect(page.locator(".dmi-card", has_text=f"Bezwaar: {title}").get_by_text("geldt")).to_be_visible()
        assert child.requests() == {("objection", counts)}

        child.consent()
        child.measure(officer)
        erasure = opened(child.page(visitor), "Laat gegevens wissen")
        erasure.get_by_role("combobox").select_option(BICYCLES)
        push(page, erasure.get_by_role("button", name="Laat wissen"))
        push(page, page.get_by_role("dialog").get_by_role("button", name="Ja, wis"))
        expect(page.locator(".dmi-card", has_text="Wissen: Meetfietsen: lucht").first).to_be_visible()
        within(lambda: child.rows() == [])
        assert child.requests() == {("objection", counts), ("erasure", BICYCLES)}
        assert child.consents() == {"ended"}
        assert visitor.unexpected() == []
