"""Where the two cities listen: at ``--port`` or DMI_PORT, and ten further."""

from __future__ import annotations

from pathlib import Path

import pytest
from typer.testing import CliRunner

from dmi_command import stack
from dmi_command.cli import app
from dmi_command.errors import CannotStart, UsageWrong


@pytest.fixture(autouse=True)
def checked(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """The ports that were looked at; the second one is taken, so that nothing starts."""
    found: list[int] = []

    def check_port(_host: str, port: int) -> None:
        found.append(port)
        if len(found) == 2:
            raise CannotStart("taken")

    monkeypatch.setattr(stack, "check_port", check_port)
    monkeypatch.setenv("DMI_DATA_DIR", str(tmp_path))
    monkeypatch.delenv("DMI_PORT", raising=False)
    return found


@pytest.mark.parametrize(
    ("setting", "options", "ports"),
    [
        (None, [], [8080, 8090]),
        ("18680", [], [18680, 18690]),
        ("18680", ["--port", "9000"], [9000, 9010]),
    ],
)
def test_the_ports_follow_the_option_else_the_setting(
    setting: str | None,
    options: list[str],
    ports: list[int],
    checked: list[int],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    if setting:
        monkeypatch.setenv("DMI_PORT", setting)
    CliRunner().invoke(app, ["up-two", *options])
    assert checked == ports


@pytest.mark.parametrize(
    ("setting", "options", "named"),
    [("65530", [], "setting DMI_PORT"), (None, ["--port", "65530"], "--port")],
)
def test_a_port_behind_which_the_second_has_no_room_is_named(
    setting: str | None, options: list[str], named: str, checked: list[int], monkeypatch: pytest.MonkeyPatch
) -> None:
    if setting:
        monkeypatch.setenv("DMI_PORT", setting)
    refused = CliRunner().invoke(app, ["up-two", *options]).exception
    assert isinstance(refused, UsageWrong)
    assert str(refused).startswith(f"{named} must be at most 65525")
    assert checked == []
