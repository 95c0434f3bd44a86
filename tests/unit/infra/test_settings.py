"""Settings: read from the environment, checked at the start, unknown ones refused."""

from __future__ import annotations

from pathlib import Path

import pytest
from pydantic import ValidationError

from dmi_infra.settings import Settings, UnknownSetting, check_environment, variable_names


@pytest.fixture(autouse=True)
def _bare(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in variable_names([Settings]):
        monkeypatch.delenv(name, raising=False)


def test_the_defaults_are_the_embedded_deployment() -> None:
    settings = Settings(data_dir=Path("/data"))
    assert settings.bus_address() == "embedded:////data/bus.db"
    assert settings.store_address("exchange") == "sqlite:////data/exchange.db"
    assert settings.issuer == "http://127.0.0.1:8080/exchange"


def test_a_server_address_takes_the_place_of_the_files(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DMI_BUS_URL", "kafka://broker:9092")
    monkeypatch.setenv("DMI_DATABASE_URL", "postgresql+psycopg://db/dmi")
    assert Settings().bus_address() == "kafka://broker:9092"
    assert Settings().store_address("exchange") == "postgresql+psycopg://db/dmi"


def test_an_empty_variable_counts_as_not_set(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DMI_RULEBOOK_DIR", "")
    monkeypatch.setenv("DMI_PORT", "")
    assert Settings().rulebook_dir is None
    assert Settings().port == 8080


@pytest.mark.parametrize(
    ("name", "value"),
    [("DMI_PORT", "0"), ("DMI_PORT", "http"), ("DMI_ENV", "prod"), ("DMI_BODY_LIMIT", "-1"), ("DMI_LOG_LEVEL", "x")],
)  # fmt: skip
def test_a_value_that_breaks_its_rule_is_refused(
    monkeypatch: pytest.MonkeyPatch, name: str, value: str
) -> None:
    monkeypatch.setenv(name, value)
    with pytest.raises(ValidationError):
        Settings()


@pytest.mark.parametrize("name", ["DMI_PROT", "dmi_prot", "Dmi_Prot"])
def test_an_unknown_variable_is_refused_with_the_nearest_known_one(name: str) -> None:
    with pytest.raises(UnknownSetting, match="did you mean DMI_PORT"):
        check_environment([Settings], {name: "1"})


def test_known_variables_and_foreign_ones_pass() -> None:
    check_environment(
        [Settings], {"DMI_PORT": "1", "dmi_port": "1", "DMI_TEST_DATA": "x", "DMINOT": "", "PATH": ""}
    )


def test_settings_do_not_change_once_read() -> None:
    with pytest.raises(ValidationError):
        Settings().port = 1
