"""A verdict is told to a resident: what was asked, what was the case, what follows."""

from __future__ import annotations

import pytest

from dmi_agreements.odrl.model import ODRL, XSD, Typed
from dmi_agreements.odrl.proof import explain
from dmi_agreements.odrl.vocabulary import CORE
from dmi_agreements.odrl.wording import ACTIONS, LEFTS, OPERATORS, Language, last_part, told
from tests.unit.exchange.rdf.test_meaning import DUTY, report

POLICY = (
    DUTY.replace("odrl:duty ex:duty", "odrl:duty ex:duty ; odrl:constraint ex:when , ex:often")
    + """. ex:when odrl:leftOperand odrl:dateTime ; odrl:operator odrl:lt ;
        odrl:rightOperand "2025-06-01T00:00:00Z"^^xsd:dateTime .
    ex:often odrl:leftOperand odrl:count ; odrl:operator odrl:lteq ; odrl:rightOperand 3"""
)


@pytest.mark.parametrize(
    ("language", "lines"),
    [
        (
            "nl",
            (
                "Nee, dit mag niet: er is geen toestemming die hierbij past.",
                "Toestemming 1 geldt niet.",
                "  De regel is voor alice; het verzoek komt van alice. Dat klopt.",
                "  De regel gaat over lezen; gevraagd is lezen. Dat klopt.",
                "  Het tijdstip moet liggen vóór 1 juni 2025, 00:00 UTC; het is 15 juni 2025, 12:00 UTC. "
                "Dat klopt niet.",
                "  Het aantal keren dat het is gebruikt mag niet meer zijn dan 3; dit is niet bekend. "
                "Of dat klopt, is niet bekend.",
                "  Voorwaarde: betalen; is nog niet gedaan.",
            ),
        ),
        (
            "en",
            (
                "No, this is not allowed: there is no permission that fits.",
                "Permission 1 does not apply.",
                "  The rule is for alice; the request is by alice. That holds.",
                "  The rule is about: read; asked is: read. That holds.",
                "  The moment must be before 1 June 2025, 00:00 UTC; it is 15 June 2025, 12:00 UTC. "
                "That does not hold.",
                "  The number of times it was used must not be more than 3; this is not known. "
                "Whether that holds is not known.",
                "  Condition: pay; was not done yet.",
            ),
        ),
    ],
)
def test_the_proof_names_what_was_asked_and_what_was_the_case(
    language: Language, lines: tuple[str, ...]
) -> None:
    assert explain(report(POLICY), language) == lines


def test_an_agreement_that_contradicts_itself_is_said_to() -> None:
    torn = report("odrl:permission [ odrl:action odrl:use ] ; odrl:prohibition [ odrl:action odrl:read ]")
    assert explain(torn, "en")[0] == "No, this is not allowed: the agreement contradicts itself."


def test_every_left_operand_and_operator_has_words() -> None:
    axes = ("Width", "Height", "Depth", "X", "Y", "Z", "Longitude", "Latitude", "Altitude")
    names = {last_part(iri).rpartition(":")[2] for iri in CORE.lefts}
    assert {name for name in names if not name.endswith(axes)} <= LEFTS.keys()
    assert {ODRL + name for name in OPERATORS} >= {ODRL + "eq", ODRL + "isNoneOf"}
    assert {last_part(iri).rpartition(":")[2] for iri in CORE.actions} >= ACTIONS.keys()


@pytest.mark.parametrize(
    ("text", "datatype", "expected"),
    [
        ("2024-02-12T24:00:00Z", "dateTime", "13 februari 2024, 00:00 UTC"),
        ("2024-02-12T01:00:00+02:00", "dateTime", "11 februari 2024, 23:00 UTC"),
        ("2024-02-12+14:00", "date", "12 februari 2024"),
        ("0001-01-01T00:00:00+14:00", "dateTime", "0001-01-01T00:00:00+14:00"),
        ("never", "dateTime", "never"),
        ("1", "boolean", "ja"),
    ],
)
def test_values_are_told_as_people_write_them(text: str, datatype: str, expected: str) -> None:
    assert told(Typed(text, XSD + datatype), "nl") == expected
