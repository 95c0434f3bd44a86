"""Each duty is told in words: nothing of how it is written in the code is in a file that leaves."""

from __future__ import annotations

import io
import json
import zipfile

import pytest

from dmi_agreements.decision import (
    Aggregate,
    Coarsen,
    CutEnds,
    Delay,
    DeleteAfter,
    Duty,
    LeaveOut,
    OwnRows,
    RestrictArea,
    Suppress,
)
from dmi_platform.wording import in_words

from .conftest import GARAGES, City


@pytest.mark.parametrize(
    ("duty", "words"),
    [
        (LeaveOut(("longitude", "flags")), "left out: longitude, flags"),
        (Coarsen(100), "positions moved to the centre of cells of 100 metres"),
        (Aggregate(600, "neighbourhood"), "means per 600 seconds and neighbourhood"),
        (Aggregate(600, grid_m=250), "means per 600 seconds and cell of 250 metres"),
        (Suppress(3), "groups of fewer than 3 persons left out"),
        (CutEnds(200), "200 metres at begin and end of each trip left out"),
        (Delay(60), "rows withheld until 60 seconds old"),
        (DeleteAfter(30), "rows older than 30 days left out"),
        (
            RestrictArea((5.0, 52.123456789, 5.25, 52.5)),
            "rows outside west, south, east, north 5.0, 52.123456789, 5.25, 52.5 left out",
        ),
        (OwnRows("urn:dmi:person:noor"), "only the own rows of urn:dmi:person:noor"),
    ],
)
def test_a_duty_in_words(duty: Duty, words: str) -> None:
    assert in_words(duty) == words


def test_an_export_under_a_duty_tells_it_in_words(city: City) -> None:
    test = {"leftOperand": "dmi:gridSize", "operator": "eq", "rightOperand": 100}
    duty = [{"action": "dmi:coarsen", "constraint": [test]}]
    city.agree(GARAGES, "dmi:process", "dmi:read")
    city.agree(GARAGES, "dmi:export", duty=duty)
    answer = city.get("/v1/export", "dmi:purpose:public-task", dataset=GARAGES)
    with zipfile.ZipFile(io.BytesIO(answer.content)) as archive:
        terms = archive.read("licence.txt").decode().splitlines()
        done = json.loads(archive.read("lineage.json"))["transformations"]
    words = "positions moved to the centre of cells of 100 metres"
    assert f"Duty carried out: {words}" in terms
    assert f"duty: {words}" in done
