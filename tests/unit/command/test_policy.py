"""``dmi policy evaluate``: files in, a compliance report out; what cannot be read is said in one place."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from typer.testing import CliRunner

from dmi_command.cli import app
from dmi_command.errors import UsageWrong
from dmi_exchange.rdf.documents import read_text

POLICY = """@prefix odrl: <http://www.w3.org/ns/odrl/2/> .
<urn:policy> a odrl:Set ; odrl:permission <urn:may> ; odrl:prohibition <urn:not> .
<urn:may> odrl:action odrl:read ; odrl:assignee <urn:alice> .
<urn:not> odrl:action odrl:play .
"""
REQUEST = {
    "@context": "http://www.w3.org/ns/odrl.jsonld",
    "@type": "Request",
    "uid": "urn:request",
    "permission": [{"@id": "urn:wish", "action": "read", "assignee": "urn:alice"}],
}


@pytest.fixture
def files(tmp_path: Path) -> list[str]:
    """A policy in Turtle and a request in JSON-LD, under names that tell nothing of it."""
    (tmp_path / "policy").write_text(POLICY)
    (tmp_path / "request").write_text(json.dumps(REQUEST))
    return [str(tmp_path / "policy"), str(tmp_path / "request")]


def run(*arguments: str) -> str:
    """What the command prints; an expected failure is raised."""
    result = CliRunner().invoke(app, ["policy", "evaluate", *arguments])
    if result.exception is not None:
        raise result.exception
    return result.stdout


def test_json_tells_of_every_rule_whether_it_is_active_and_why(files: list[str]) -> None:
    answer = json.loads(run(*files, "--json"))
    assert answer["verdict"] == "permit"
    states = [(each["rule"], each["activationState"]) for each in answer["ruleReport"]]
    assert states == [("urn:may", "Active"), ("urn:not", "Inactive")]
    assert [each["satisfactionState"] for each in answer["ruleReport"][0]["premiseReport"]] == [
        "Satisfied"
    ] * 2
    assert answer["proof"]["nl"][0] == "Ja, dit mag."


def test_the_report_is_the_same_in_both_syntaxes_of_rdf(files: list[str]) -> None:
    turtle, json_ld = (read_text(run(*files, "--form", form)) for form in ("turtle", "json-ld"))
    assert set(turtle) == set(json_ld)
    assert len(turtle) > 10


def test_a_person_reads_a_table_or_the_proof(files: list[str]) -> None:
    assert "permission urn:may: active" in run(*files)
    assert run(*files, "--proof", "en").startswith("Yes, this is allowed.\nPermission 1 applies.\n")


def test_the_proof_calls_the_terms_of_the_rulebook_by_their_names(files: list[str]) -> None:
    file = Path(files[0])
    file.write_text(file.read_text().replace("urn:alice", "urn:dmi:party:everyone"))
    assert "  De regel is voor iedereen; " in run(*files, "--proof", "nl")


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (None, "cannot be read"),
        (b"\xff\xfe", "not a text in UTF-8"),
        (b"{", "this is not JSON"),
        (b"hello", "neither Turtle nor JSON-LD"),
        (
            POLICY.replace("odrl:play", "odrl:plai").encode(),
            "nearest known: http://www.w3.org/ns/odrl/2/play",
        ),
        (POLICY.replace("odrl:Set", "odrl:Request").encode(), ""),
    ],
)
def test_a_file_that_cannot_be_used_ends_with_code_2_and_says_why(
    content: bytes | None, message: str, files: list[str]
) -> None:
    Path(files[0]).unlink() if content is None else Path(files[0]).write_bytes(content)
    if not message:
        assert json.loads(run(*files, "--json"))["verdict"] == "undecided"
        return
    with pytest.raises(UsageWrong, match=message) as failed:
        run(*files)
    assert failed.value.exit_code == 2
    assert files[0] in str(failed.value)


def test_a_request_that_is_no_request_is_refused(files: list[str]) -> None:
    with pytest.raises(UsageWrong, match="policy of kind Request"):
        run(files[0], files[0])


def test_a_profile_file_adds_terms(files: list[str], tmp_path: Path) -> None:
    Path(files[1]).write_text(json.dumps(REQUEST).replace('"read"', '"urn:peek"'))
    with pytest.raises(UsageWrong, match="action is not known"):
        run(*files)
    profile = tmp_path / "profile"
    profile.write_text(
        "@prefix odrl: <http://www.w3.org/ns/odrl/2/> . <urn:peek> a odrl:Action ; odrl:includedIn odrl:read ."
    )
    assert json.loads(run(*files, "--json", "--profile", str(profile)))["allowed"]
