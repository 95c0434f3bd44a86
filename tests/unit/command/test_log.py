"""What ``dmi log save`` keeps, ``dmi log check`` checks without a stack; every fault is one clear line."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner, Result

from dmi_agreements.contracts.envelope import encode
from dmi_agreements.contracts.record import DecisionRecord
from dmi_agreements.evidence import Course
from dmi_agreements.merkle import consistency_path, fold, inclusion_path, leaf_hash, root
from dmi_command.cli import app
from dmi_command.commands.log import NO_END, _words
from dmi_command.errors import CommandFailed, UsageWrong
from dmi_infra.jose import SigningKey
from tests.unit.command.answering import Answering

KEY = SigningKey.generate()
LEAVES = [
    encode(DecisionRecord(f"d{n}", n, "platform", "query", "urn:x", "dmi:read", "urn:y", "p", True, []))
    for n in range(7)
]
HASHES = [leaf_hash(leaf) for leaf in LEAVES]


def perfect(height: int, place: int) -> bytes:
    return fold(HASHES[place << height : (place + 1) << height])


def evidence(size: int, since: int | None = None) -> dict[str, Any]:
    head: dict[str, Any] = {
        "log": "https://node.example/log",
        "tree_size": size,
        "root_hash": root(size, perfect).hex(),
        "timestamp": "2026-11-21T10:00:00Z",
    }
    path = [] if since is None else [each.hex() for each in consistency_path(since, size, perfect)]
    entries = [
        {
            "sequence": n + 1,
            "leaf": LEAVES[n].decode(),
            "path": [each.hex() for each in inclusion_path(n, size, perfect)],
            "openings": [],
        }
        for n in range(size)
    ]
    return {
        "head": {**head, "signature": KEY.sign_document(head)},
        "keys": [KEY.public],
        "consistency": [] if since is None else [{"first": since, "second": size, "path": path}],
        "entries": entries,
        "next": None,
    }


def run(*arguments: object) -> Result:
    return CliRunner().invoke(app, ["log", *map(str, arguments)])


def test_what_was_saved_at_two_moments_shows_that_the_log_only_grew(
    answering: Answering, tmp_path: Path
) -> None:
    first, second = tmp_path / "first.json", tmp_path / "second.json"
    answering.on("GET", "/exchange/v1/log/evidence", evidence(3))
    assert "3 of 3 entries" in run("save", first).output
    answering.on("GET", "/exchange/v1/log/evidence", evidence(7, 3))
    assert run("save", second, "--earlier", first).exit_code == 0
    assert answering.requests[-1].url.params["since"] == "3"
    asked = len(answering.requests)
    told = run("check", first, second)
    assert (told.exit_code, told.output.count("\n")) == (0, 1)
    assert "2 heads" in told.output
    assert "7 entries proven in the log of 7; it only grew" in told.output
    assert json.loads(run("check", first, second, "--json").output)["entries"] == [1, 2, 3, 4, 5, 6, 7]
    assert len(answering.requests) == asked
    assert json.loads(run("check", first, second, "--json").output)["links"] == 1


@pytest.mark.usefixtures("answering")
@pytest.mark.parametrize(
    "saved",
    [(evidence(3),), (evidence(7, 3),), (evidence(3), evidence(3)), (evidence(0), evidence(3))],
    ids=["one", "one with a proof", "the same twice", "nothing and one"],
)
def test_nothing_is_said_of_growth_where_no_head_was_shown_to_go_on_from_another(
    tmp_path: Path, saved: tuple[dict[str, Any], ...]
) -> None:
    files = [tmp_path / f"{number}.json" for number in range(len(saved))]
    for file, document in zip(files, saved, strict=True):
        file.write_text(json.dumps(document))
    told = run("check", *files)
    assert told.exit_code == 0, told.exception
    assert told.output.startswith(f"{len(saved)} head")
    assert "; it only grew" not in told.output
    assert "whether it only grew" in " ".join(told.output.split())
    assert "saved with --earlier" in " ".join(told.output.split())
    assert json.loads(run("check", *files, "--json").output)["links"] == 0


@pytest.mark.usefixtures("answering")
@pytest.mark.parametrize("since", range(1, 8))
def test_a_proof_that_does_not_lead_to_its_head_is_a_fault_without_the_earlier_head_too(
    tmp_path: Path, since: int
) -> None:
    saved, file = evidence(7, since), tmp_path / "saved.json"
    path = saved["consistency"][0]["path"]
    file.write_text(json.dumps(saved))
    assert run("check", file).exit_code == 0
    broken = [[*path, HASHES[0].hex()], *([path[:-1]] if path else [])]
    # Where the earlier tree is perfect, its root is no part of the path, and hashes alone show nothing.
    if path and since & (since - 1):
        broken += [[*path[:n], HASHES[0].hex(), *path[n + 1 :]] for n in range(len(path))]
    for each in [*broken, ["no hash"]]:
        saved["consistency"][0]["path"] = each
        file.write_text(json.dumps(saved))
        assert str(run("check", file).exception).startswith(f"the proof from {since} to 7 entries")


def test_the_rows_of_an_agreement_are_told_by_crossing_with_those_that_were_sent_again() -> None:
    taker = Course("urn:a", uses=2, rows=11, crossings={"tile": 1, "stream": 10})
    assert "2 uses of 11 rows (stream 10, tile 1), 0 refused" in _words(taker)
    giver = Course("urn:a", uses=1, rows=49, crossings={"delivery": 49}, again=17)
    assert "1 use of 49 rows (delivery 49, 17 of them sent again), 0 refused" in _words(giver)
    assert "0 uses of 0 rows, 0 refused" in _words(Course("urn:a"))


@pytest.mark.usefixtures("answering")
def test_a_fault_ends_with_1_and_says_which(tmp_path: Path) -> None:
    saved = evidence(3)
    saved["entries"][1]["leaf"] = saved["entries"][1]["leaf"].replace("true", "false")
    file = tmp_path / "saved.json"
    file.write_text(json.dumps(saved))
    result = run("check", file)
    assert isinstance(result.exception, CommandFailed)
    assert str(result.exception) == "entry 2 is not in the tree of 3 entries"
    assert result.exception.exit_code == 1


@pytest.mark.usefixtures("answering")
def test_the_keys_may_come_from_elsewhere(tmp_path: Path) -> None:
    file, keys = tmp_path / "saved.json", tmp_path / "jwks.json"
    file.write_text(json.dumps(evidence(3)))
    keys.write_text(json.dumps({"keys": [KEY.public]}))
    assert run("check", file, "--keys", keys).exit_code == 0
    keys.write_text(json.dumps({"keys": [SigningKey.generate().public]}))
    result = run("check", file, "--keys", keys)
    assert isinstance(result.exception, CommandFailed)
    assert "not signed by a trusted key" in str(result.exception)


OWNER, VENDOR = "urn:dmi:participant:gemeente", "urn:dmi:participant:sensorbedrijf"
KEYS = {name: SigningKey.generate() for name in (OWNER, VENDOR)}


def bound() -> dict[str, Any]:
    """Evidence of an agreement, with the keys of its parties as the node tells them."""
    text = {"uid": "urn:uuid:1"}
    signatures = {name: key.sign_document(text) for name, key in KEYS.items()}
    told = {name: [key.public] for name, key in KEYS.items()}
    return {**evidence(3), "agreements": [{"document": text, "signatures": signatures, "keys": told}]}


@pytest.mark.usefixtures("answering")
def test_keys_of_parties_are_named_and_may_come_from_elsewhere(tmp_path: Path) -> None:
    file, keys = tmp_path / "saved.json", tmp_path / "jwks.json"
    file.write_text(json.dumps(bound()))
    told = run("check", file).output
    owner, vendor = (f"{name} with {KEYS[name].kid}" for name in (OWNER, VENDOR))
    by_node = "(a key that the node told)"
    assert f"signed by {KEY.kid} {by_node}" in told
    assert f"signed by {owner} {by_node} and {vendor} {by_node}" in told
    of_owner = {**KEYS[OWNER].public, "participant": OWNER}
    keys.write_text(json.dumps({"keys": [KEY.public, of_owner]}))
    told = run("check", file, "--keys", keys).output
    assert f"signed by {KEY.kid}, " in told
    assert f"signed by {owner} and {vendor} {by_node}" in told
    assert json.loads(run("check", file, "--keys", keys, "--json").output)["agreements"][0]["trusted"] == [
        OWNER
    ]
    # Who has keys of one party alone takes the log's from the file, and is told so.
    keys.write_text(json.dumps({"keys": [{**SigningKey.generate().public, "participant": OWNER}]}))
    fault = run("check", file, "--keys", keys).exception
    assert str(fault).startswith(f"urn:uuid:1 is not signed by {OWNER}")


@pytest.mark.usefixtures("answering")
@pytest.mark.parametrize(
    ("key", "fault"),
    [
        ({"exp": 1_795_255_201}, ""),
        ({"exp": 1_795_255_200}, "had ended"),
        ({"exp": 1_795_255_201, "revoked": {"revoked_at": 1_795_255_201}}, ""),
        ({"exp": 1_795_255_199, "revoked": {"revoked_at": 1_795_255_199}}, "had ended"),
        ({"revoked": {}}, "had ended"),
    ],
)
def test_a_head_is_dated_before_its_key_ended(tmp_path: Path, key: dict[str, Any], fault: str) -> None:
    """2026-11-21T10:00:00Z is 1,795,255,200 seconds after 1970."""
    file, keys = tmp_path / "saved.json", tmp_path / "jwks.json"
    file.write_text(json.dumps(evidence(3)))
    keys.write_text(json.dumps({"keys": [{**KEY.public, **key}]}))
    result = run("check", file, "--keys", keys)
    assert (result.exit_code == 0) == (not fault)
    assert fault in str(result.exception or "")


@pytest.mark.usefixtures("answering")
@pytest.mark.parametrize(
    ("saved", "keys"),
    [("{}", "{}"), ("x", "{}"), (None, "[]"), (None, '{"keys": [1]}'), (None, '{"keys": []}'), (None, "x")],
)
def test_a_file_of_another_kind_is_refused_by_name(tmp_path: Path, saved: str | None, keys: str) -> None:
    file, jwks = tmp_path / "saved.json", tmp_path / "jwks.json"
    file.write_text(json.dumps(evidence(3)) if saved is None else saved)
    jwks.write_text(keys)
    result = run("check", file, "--keys", jwks)
    assert isinstance(result.exception, UsageWrong)
    assert str(file if saved is not None else jwks) in str(result.exception)


def test_an_agreement_without_an_entry_of_its_end_is_not_said_to_run_on() -> None:
    """Proofs show what the log holds, and never that nothing was left out of what was handed over."""
    assert NO_END in _words(Course("urn:uuid:1"))
    assert NO_END not in _words(Course("urn:uuid:1", stopped=4, stopped_by="urn:dmi:participant:a"))


def test_a_whole_log_is_told_in_one_line_for_programs_too(answering: Answering) -> None:
    answer = {"ok": True, "count": 1_234_567, "root_hash": HASHES[0].hex()}
    answering.on("GET", "/exchange/v1/log/verify", answer)
    told = run("verify")
    assert (told.exit_code, told.output) == (0, f"1234567 entries, whole; root {HASHES[0].hex()}\n")
