"""What a new agreement may ask of every gate, and that a long list of datasets is read and compiled once."""

from __future__ import annotations

from typing import Any

import pytest

from dmi_agreements.errors import PolicyRefused
from dmi_agreements.policy import rules
from dmi_agreements.policy.compiled import compile_agreement
from dmi_agreements.policy.document import read_agreement
from dmi_agreements.policy.measure import (
    LONGEST_PATH,
    MOST_COUNTED,
    MOST_DATASETS,
    MOST_PLACES,
    check_measure,
)
from dmi_agreements.rulebook import Rulebook

NEVER = {"leftOperand": "count", "operator": "gteq", "rightOperand": 10**9}
YEAR = {"leftOperand": "dateTime", "operator": "gt", "rightOperand": "2027-01-01T00:00:00Z"}


def wide(document: dict[str, Any], datasets: int, prohibitions: int, test: dict[str, Any]) -> dict[str, Any]:
    """A document whose prohibitions are all about a list of datasets, each for one action."""
    names = [f"urn:dmi:dataset:gemeente:d{number}" for number in range(datasets)]
    document["permission"][0].pop("target", None)
    forbidding = [{"action": "dmi:read", "constraint": [test]} for _ in range(prohibitions)]
    return {**document, "target": names, "prohibition": forbidding}


def refused(document: dict[str, Any], rulebook: Rulebook) -> tuple[str, str]:
    terms = read_agreement(document, rulebook)
    with pytest.raises(PolicyRefused) as caught:
        check_measure(terms)
    (finding,) = caught.value.findings
    return finding.path, finding.rule


def test_rules_for_many_datasets_are_bounded(document: dict[str, Any], rulebook: Rulebook) -> None:
    # The permission is for two actions, each prohibition for one.
    fitting = wide(document, 100, MOST_PLACES // 100 - 2, YEAR)
    check_measure(read_agreement(fitting, rulebook))
    fitting["prohibition"].append(fitting["prohibition"][0])
    path, rule = refused(fitting, rulebook)
    assert path == f"/prohibition/{MOST_PLACES // 100 - 2}"
    assert str(MOST_PLACES) in rule


def test_datasets_of_an_agreement_are_bounded(document: dict[str, Any], rulebook: Rulebook) -> None:
    check_measure(read_agreement(wide(document, MOST_DATASETS, 1, YEAR), rulebook))
    path, rule = refused(wide(document, MOST_DATASETS + 1, 1, YEAR), rulebook)
    assert path == "/permission/0"
    assert str(MOST_DATASETS) in rule


def test_rules_whose_uses_are_counted_are_bounded(document: dict[str, Any], rulebook: Rulebook) -> None:
    fitting = wide(document, 1, MOST_COUNTED, NEVER)
    check_measure(read_agreement(fitting, rulebook))
    fitting["prohibition"].append(fitting["prohibition"][0])
    path, rule = refused(fitting, rulebook)
    assert path == f"/prohibition/{MOST_COUNTED}"
    assert str(MOST_COUNTED) in rule


def test_names_that_make_paths_long_are_refused(document: dict[str, Any], rulebook: Rulebook) -> None:
    name = "x" * 250
    document["@context"].append({name: "odrl:inheritFrom"})
    parent: dict[str, Any] = {"@type": "Set", "uid": "urn:x:0", "prohibition": document.pop("prohibition")}
    for level in (1, 2):
        parent = {"@type": "Set", "uid": f"urn:x:{level}", name: [parent]}
    document[name] = [parent]
    path, rule = refused(document, rulebook)
    assert len(path) > LONGEST_PATH
    assert str(LONGEST_PATH) in rule


def test_a_list_of_datasets_for_many_rules_is_read_once(
    document: dict[str, Any], rulebook: Rulebook, monkeypatch: pytest.MonkeyPatch
) -> None:
    read = []
    target = rules._target
    monkeypatch.setattr(rules, "_target", lambda *given: read.append(given) or target(*given))
    terms = read_agreement(wide(document, 50, 40, YEAR), rulebook)
    # Once for permissions and once for prohibitions.
    assert len(read) == 100
    assert {len(rule.targets) for rule in (*terms.permissions, *terms.prohibitions)} == {50}
    compiled = compile_agreement(terms, rulebook)
    place = "dmi:read", "urn:dmi:dataset:gemeente:d49"
    assert [rule.path for rule in compiled.prohibitions[place]] == [f"/prohibition/{n}" for n in range(40)]


def test_what_a_policy_inherits_from_has_targets_of_its_own(
    document: dict[str, Any], rulebook: Rulebook
) -> None:
    inner = {
        "@type": "Set", "uid": "urn:x:0", "target": "urn:dmi:dataset:gemeente:bicycles",
        "prohibition": [{"action": "dmi:read", "constraint": [YEAR]}],
    }  # fmt: skip
    whole = wide(document, 2, 1, YEAR) | {"inheritFrom": [inner]}
    terms = read_agreement(whole, rulebook)
    assert {rule.path: len(rule.targets) for rule in terms.prohibitions} == {
        "/inheritFrom/0/prohibition/0": 1,
        "/prohibition/0": 2,
    }
