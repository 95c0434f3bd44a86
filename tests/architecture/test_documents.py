"""Documentation says what the code says, in both directions."""

from __future__ import annotations

import re
from pathlib import Path

from dmi_agreements.crossings import CROSSINGS
from dmi_agreements.decision import REFUSING
from dmi_agreements.errors import Finding, PolicyRefused
from dmi_agreements.odrl.vocabulary import AXIS
from dmi_agreements.policy.document import read_agreement
from dmi_command import documents
from dmi_command.blueprints import SETTINGS
from dmi_exchange.dsp.transfer import KAFKA
from dmi_exchange.routes.dataspace import NewTransfer
from dmi_infra.http import problems
from dmi_infra.runtime import load_rulebook
from dmi_infra.settings import TOOL_VARIABLES, Settings, variable_names
from dmi_ingest.sources import SOURCES
from tests.unit.infra.fakes import GARAGES, OWNER, VENDOR, document

ROOT = Path(__file__).resolve().parents[2]
PAGES = [ROOT / name for name in ("README.md", "ARCHITECTURE.md", "CONTRIBUTING.md", "infra/REFERENCE.md")]


def _text() -> str:
    return "\n".join(page.read_text(encoding="utf-8") for page in PAGES)


def test_the_generated_parts_are_up_to_date() -> None:
    assert documents.outdated() == []


def _refused(name: str, duty: str | None) -> list[Finding]:
    """What the reader of agreements says of this left operand, in a constraint or as the parameter of a duty."""
    rulebook = load_rulebook(Settings())
    test = {"leftOperand": name.replace("oax:", AXIS), "operator": "eq", "rightOperand": 1}
    duties = [{"action": duty, "constraint": [test]}] if duty else []
    tests = [] if duty else [test]
    text = document(
        OWNER, VENDOR, GARAGES, ["dmi:read"], "dmi:purpose:mobility", duties, tests, rulebook.version
    )
    try:
        read_agreement(text, rulebook)
    except PolicyRefused as exc:
        return [finding for finding in exc.findings if finding.path.endswith("/leftOperand")]
    return []


def test_the_table_of_left_operands_tells_what_the_reader_of_agreements_takes() -> None:
    answers = set()
    for line in documents.operands_table().splitlines()[2:]:
        cells = [cell.strip() for cell in line.strip("| ").split(" | ")]
        name, (kind, _, told) = cells[0].strip("`"), cells[-1].partition(" ")
        answers.add(kind.rstrip(":"))
        findings = _refused(name, None)
        assert (findings == []) is (kind == "yes"), name
        if kind == "in":
            assert [_refused(name, duty) for duty in re.findall("`(.+?)`", told)] == [[]] * len(
                told.split(", ")
            )
        if kind == "no:":
            assert told in str(findings[0])
    assert answers == {"yes", "no", "in"}


def test_every_setting_named_in_the_documentation_exists_and_the_other_way_round() -> None:
    named = set(re.findall(r"\bDMI_[A-Z_]+[A-Z]\b", _text()))
    assert named == variable_names(SETTINGS) | TOOL_VARIABLES


def test_every_topic_named_in_the_documentation_exists_and_the_other_way_round() -> None:
    named = {topic.removesuffix(".rejected") for topic in re.findall(r"dmi\.[a-z.]+\.v\d+", _text())}
    assert named == {crossing.topic for crossing in CROSSINGS if crossing.topic}


def test_every_kind_of_file_that_can_be_imported_is_named_in_the_readme() -> None:
    readme = (ROOT / "README.md").read_text(encoding="utf-8")
    assert [kind for kind in SOURCES if f"`{kind}`" not in readme] == []


def test_every_dmi_command_in_the_documentation_exists() -> None:
    known = {line.split("`")[1] for line in documents.commands_table().splitlines()[2:]}
    groups = {" ".join(name.split()[:2]) for name in known}
    used = set(re.findall(r"^\s*(?:\$ )?\.?(?:\.venv/bin/)?(dmi [a-z]+)", _text(), flags=re.MULTILINE))
    assert used <= groups


def test_a_transfer_that_the_page_of_kafka_shows_is_one_that_the_exchange_takes() -> None:
    text = (ROOT / "infra" / "deploy" / "kafka" / "README.md").read_text(encoding="utf-8")
    (shown,) = re.findall(r"```json\n(.*?)```", text, re.DOTALL)
    asked = NewTransfer.model_validate_json(shown)
    assert (asked.format, asked.own) == (KAFKA, True)


def test_every_page_that_a_page_links_to_exists() -> None:
    missing = [
        f"{page.name}: {target}"
        for page in PAGES
        for target in re.findall(r"\]\(([^)#]+)\)", page.read_text(encoding="utf-8"))
        if not target.startswith("http") and not (page.parent / target).exists()
    ]
    assert missing == []


def test_the_index_of_decisions_names_every_record_once() -> None:
    folder = ROOT / "infra" / "decisions"
    named = re.findall(r"\]\(([^)]+\.md)\)", (folder / "README.md").read_text(encoding="utf-8"))
    assert sorted(named) == sorted(record.name for record in folder.glob("2*.md"))


def test_every_code_of_a_problem_stands_in_the_reference_and_the_other_way_round() -> None:
    source = "\n".join(
        path.read_text(encoding="utf-8")
        for folder in ("agreements", "infra/runtime", "services")
        for path in (ROOT / folder).glob("**/dmi_*/**/*.py")
    )
    codes = set(re.findall(r'^    code = "([a-z-]+)"', source, re.MULTILINE))
    codes |= set(re.findall(r'Problem\(\s*[0-9]+,\s*"([a-z-]+)"', source))
    codes |= {*problems.CODES.values(), problems.ANY_OTHER}
    codes |= {code.replace("_", "-") for code in REFUSING}
    table = (ROOT / "infra" / "REFERENCE.md").read_text(encoding="utf-8").partition("\n## Problems\n")[2]
    cells = re.findall(r"^\| (`[^|]+) \|", table.partition("\n## ")[0], re.MULTILINE)
    assert {code for cell in cells for code in re.findall(r"`([a-z-]+)`", cell)} == codes


def test_no_file_names_a_host_of_a_package_registry() -> None:
    hosts = re.compile(r"(pypi\.org|pythonhosted\.org|registry\.npmjs|repo1?\.maven|crates\.io|deb\.debian)")
    found = [
        str(path.relative_to(ROOT))
        for path in [
            ROOT / "requirements.lock",
            ROOT / "services/visualisation/web/package-lock.json",
            *PAGES,
        ]
        if hosts.search(path.read_text(encoding="utf-8"))
    ]
    assert found == []
