"""Where the command looks for the stack: ``--url``, else the settings of the environment."""

from __future__ import annotations

import httpx
import pytest
from typer.testing import CliRunner

from dmi_command.cli import app
from dmi_command.errors import UsageWrong
from tests.unit.command.answering import Answering


@pytest.fixture(autouse=True)
def no_settings(monkeypatch: pytest.MonkeyPatch) -> None:
    """The machine's own settings stay out."""
    for name in ("DMI_PUBLIC_URL", "DMI_HOST", "DMI_PORT", "DMI_TOKEN"):
        monkeypatch.delenv(name, raising=False)


@pytest.fixture
def asked(answering: Answering) -> list[httpx.Request]:
    """The requests that a list of participants makes."""
    answering.on("GET", "/exchange/v1/participants", {"items": [], "next": None})
    return answering.requests


@pytest.mark.parametrize(
    ("settings", "options", "address"),
    [
        ({}, [], "http://127.0.0.1:8080"),
        ({"DMI_PORT": "8123"}, [], "http://127.0.0.1:8123"),
        ({"DMI_PORT": "8123", "DMI_HOST": "10.0.0.7"}, [], "http://10.0.0.7:8123"),
        ({"DMI_PORT": "8123", "DMI_HOST": "0.0.0.0"}, [], "http://127.0.0.1:8123"),
        ({"DMI_HOST": "::1"}, [], "http://[::1]:8080"),
        ({"DMI_PORT": "8123", "DMI_PUBLIC_URL": "https://dmi.city.example"}, [], "https://dmi.city.example"),
        ({"DMI_PUBLIC_URL": "https://dmi.city.example"}, ["--url", "http://h:1"], "http://h:1"),
    ],
)
def test_the_address_comes_from_the_option_else_the_public_address_else_host_and_port(
    settings: dict[str, str],
    options: list[str],
    address: str,
    asked: list[httpx.Request],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    for name, value in settings.items():
        monkeypatch.setenv(name, value)
    done = CliRunner().invoke(app, ["participant", "list", *options])
    assert done.exit_code == 0, done.exception
    assert {str(request.url).partition("/exchange")[0] for request in asked} == {address}


@pytest.mark.parametrize(
    ("settings", "options", "line"),
    [
        ({"DMI_PORT": "many"}, [], "setting DMI_PORT"),
        ({"DMI_PUBLIC_URL": "dmi.city.example"}, [], "setting DMI_PUBLIC_URL must begin with http://"),
        ({}, ["--url", "dmi.city.example"], "--url must begin with http://"),
    ],
)
def test_an_address_or_setting_that_is_none_is_named_before_anything_is_asked(
    settings: dict[str, str],
    options: list[str],
    line: str,
    asked: list[httpx.Request],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    for name, value in settings.items():
        monkeypatch.setenv(name, value)
    done = CliRunner().invoke(app, ["participant", "list", *options])
    assert isinstance(done.exception, UsageWrong)
    assert line in str(done.exception)
    assert asked == []
