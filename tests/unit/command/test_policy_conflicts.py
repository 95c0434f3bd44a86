"""``dmi policy conflicts``: verdict, witness or clash, for a person and for a machine."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from dmi_command.cli import app
from dmi_command.errors import UsageWrong

HEAD = "@prefix odrl: <http://www.w3.org/ns/odrl/2/> . @prefix xsd: <http://www.w3.org/2001/XMLSchema#> ."


def policy(uid: str, operator: str, count: int) -> str:
    return (
        f"<urn:{uid}> a odrl:Set ; odrl:permission [ odrl:action odrl:use ; odrl:constraint ["
        f" odrl:leftOperand odrl:count ; odrl:operator odrl:{operator} ; odrl:rightOperand {count} ] ] ."
    )


@pytest.fixture
def files(tmp_path: Path) -> dict[str, str]:
    texts = {
        "few": policy("few", "lteq", 3),
        "many": policy("many", "gteq", 5),
        "some": policy("some", "gteq", 2),
    }
    paths = {}
    for name, text in {**texts, "both": texts["few"] + texts["many"], "all": "".join(texts.values())}.items():
        (tmp_path / f"{name}.ttl").write_text(HEAD + text)
        paths[name] = str(tmp_path / f"{name}.ttl")
    (tmp_path / "broken.ttl").write_text(HEAD + texts["few"].replace("odrl:count", "odrl:cuont"))
    return {**paths, "broken": str(tmp_path / "broken.ttl")}


def answer(*arguments: str) -> Any:
    done = CliRunner().invoke(app, ["policy", "conflicts", *arguments, "--json"])
    assert done.exit_code == 0, done.output
    return json.loads(done.stdout)


def test_two_policies_that_clash_name_the_terms(files: dict[str, str]) -> None:
    found = answer(files["few"], files["many"])
    assert found["verdict"] == "Conflict"
    assert found["policies"] == ["urn:few", "urn:many"]
    assert found["clash"] == [
        {"policy": "urn:few", "path": "/permission/0/constraint/0", "term": "count lteq 3"},
        {"policy": "urn:many", "path": "/permission/0/constraint/0", "term": "count gteq 5"},
    ]
    assert answer(files["both"])["verdict"] == "Conflict"


def test_a_policy_that_allows_nothing_is_the_clash_where_no_term_is(
    files: dict[str, str], tmp_path: Path
) -> None:
    (tmp_path / "none.ttl").write_text(
        f"{HEAD} <urn:none> a odrl:Set ; odrl:prohibition [ a odrl:Prohibition ] ."
    )
    found = answer(files["few"], str(tmp_path / "none.ttl"))
    assert found["verdict"] == "Conflict"
    assert found["clash"] == [{"policy": "urn:none", "path": "", "term": "allows nothing"}]


def test_ids_are_told_as_they_stand(tmp_path: Path) -> None:
    file = tmp_path / "x.ttl"
    file.write_text(HEAD + policy("x:1", "lteq", 3))
    assert "urn:x:1" in CliRunner().invoke(app, ["policy", "conflicts", str(file)]).stdout


def test_two_policies_that_agree_show_a_request(files: dict[str, str]) -> None:
    found = answer(files["few"], files["some"])
    assert found["verdict"] == "Compatible"
    (value,) = found["witness"]["request"]["values"]["http://www.w3.org/ns/odrl/2/count"]["values"]
    assert value["@value"] in ("2", "3")


def test_more_than_two_are_checked_pair_by_pair(files: dict[str, str]) -> None:
    found = answer(files["all"])
    assert found["verdict"] == "Conflict"
    assert [pair["verdict"] for pair in found["pairs"]] == ["Conflict", "Compatible", "Compatible"]


def test_one_policy_is_checked_by_itself(files: dict[str, str]) -> None:
    assert answer(files["few"])["verdict"] == "Compatible"
    assert answer(files["few"])["findings"] == []


def test_what_is_known_and_what_lies_within_can_be_asked(files: dict[str, str]) -> None:
    assert answer(files["few"], files["some"], "--fact", "count=1")["verdict"] == "Conflict"
    assert answer(files["many"], files["some"], "--within")["verdict"] == "Within"
    assert answer(files["some"], files["many"], "--within")["verdict"] == "Beyond"


def test_two_policies_that_agree_tell_what_another_question_would_be_answered_by(
    files: dict[str, str],
) -> None:
    assert answer(files["few"], files["some"])["otherwise"] == {"--within": "Beyond", "--fact": ["count"]}
    assert answer(files["many"], files["some"])["otherwise"] == {"--within": "Within", "--fact": ["count"]}
    known = answer(files["few"], files["some"], "--fact", "count=2")
    assert known["otherwise"] == {"--within": "Beyond", "--fact": []}
    lines = CliRunner().invoke(app, ["policy", "conflicts", files["few"], files["some"]]).stdout.splitlines()
    assert lines[-2:] == [
        "  asked with --within, whether the second allows all that the first does: Beyond",
        "  of a request of which these are known (--fact), it may be Conflict: count",
    ]


def test_only_two_policies_that_agree_are_asked_otherwise(files: dict[str, str]) -> None:
    assert not any("otherwise" in answer(files[name]) for name in ("few", "both", "all"))


def test_a_person_reads_the_same_in_lines(files: dict[str, str]) -> None:
    lines = CliRunner().invoke(app, ["policy", "conflicts", files["both"]]).stdout.splitlines()
    assert lines == [
        "Conflict: urn:few and urn:many",
        "  urn:few /0/permission/0/constraint/0: count lteq 3",
        "  urn:many /1/permission/0/constraint/0: count gteq 5",
    ]


def test_siblings_of_a_hierarchy_that_is_given_along_may_have_something_in_common(tmp_path: Path) -> None:
    texts = "".join(
        policy(name, operator, 0).replace("odrl:count", "odrl:purpose").replace(" 0 ", f" <urn:{name}> ")
        for name, operator in (("science", "eq"), ("good-cause", "isA"))
    )
    (tmp_path / "both.ttl").write_text(HEAD + texts)
    tree = "".join(f"<urn:{name}> skos:broader <urn:purpose> ." for name in ("science", "good-cause"))
    (tmp_path / "tree.ttl").write_text(f"@prefix skos: <http://www.w3.org/2004/02/skos/core#> . {tree}")
    found = answer(str(tmp_path / "both.ttl"), "--resource", str(tmp_path / "tree.ttl"))
    assert found["verdict"] == "Undecidable"


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        (["broken"], "count"),
        (["few", "--within"], "--within compares two policies; here are 1"),
        (["both", "--fact", "cuont=1"], "--fact cuont=1"),
    ],
)
def test_what_is_not_understood_is_refused(files: dict[str, str], arguments: list[str], told: str) -> None:
    done = CliRunner().invoke(app, ["policy", "conflicts", *(files.get(each, each) for each in arguments)])
    assert isinstance(done.exception, UsageWrong)
    assert told in str(done.exception)
