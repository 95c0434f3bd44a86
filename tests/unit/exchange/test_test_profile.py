"""The profile for the test kit: only where it is set, never in production."""

from __future__ import annotations

import ast
from pathlib import Path

import pytest
from pydantic import ValidationError

import dmi_exchange
from dmi_exchange.dsp_tck.configuration import read_ids
from dmi_exchange.dsp_tck.scripts import SCRIPTS
from dmi_exchange.settings import ExchangeSettings
from tests.unit.exchange.fakes import Node


def test_the_profile_is_refused_in_production(tmp_path: Path) -> None:
    with pytest.raises(ValidationError, match="refused in production"):
        ExchangeSettings(data_dir=tmp_path, env="production", test_profile="dsp-tck")


def test_no_module_outside_the_profile_imports_it() -> None:
    folder = Path(dmi_exchange.__file__).parent
    for file in folder.rglob("*.py"):
        if file.parent.name == "dsp_tck":
            continue
        for part in ast.walk(ast.parse(file.read_text(encoding="utf-8"))):
            names = [part.module or ""] if isinstance(part, ast.ImportFrom) else []
            names += [alias.name for alias in part.names] if isinstance(part, ast.Import) else []
            assert not any(name.startswith("dmi_exchange.dsp_tck") for name in names), file


def test_without_the_profile_there_are_no_triggers(node: Node) -> None:
    for path in ("/tck/negotiations", "/tck/transfers"):
        assert node.ask("POST", path, None, json={}).status_code == 404


def test_every_script_belongs_to_a_scenario_that_has_ids() -> None:
    ids = read_ids(None)
    assert SCRIPTS.keys() <= {*ids.datasets, *ids.agreements}


def test_ids_are_read_from_a_configuration_file_of_the_kit(tmp_path: Path) -> None:
    file = tmp_path / "tck.properties"
    file.write_text(
        "dataspacetck.debug=true\n# CN_01_02_DATASETID=no\n"
        "CN_01_01_DATASETID=mine\nCN_01_01_OFFERID=a:b:c\nTP_C_01_01_AGREEMENTID=deal\nTP_C_01_01_FORMAT=X\n"
    )
    ids = read_ids(file)
    assert ids.cases("CN") == {"mine": "CN_01_01"}
    assert ids.offers == {"CN_01_01": "a:b:c"}
    assert ids.cases("TP_C") == {"deal": "TP_C_01_01"}
    assert ids.cases("CN_C") == ids.cases("TP") == {}
    assert ids.formats == {"TP_C_01_01": "X"}
