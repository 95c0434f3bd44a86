"""Settings of a service: typed, from ``DMI_`` environment variables, checked when the process starts."""

from __future__ import annotations

import difflib
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Literal

from pydantic import Field, SecretStr, ValidationInfo, field_validator
from pydantic_settings import BaseSettings, SettingsConfigDict

PREFIX = "DMI_"

TOOL_VARIABLES = frozenset(
    {"DMI_REQUIRE", "DMI_TEST_DATA", "DMI_TEST_CONFORMANCE", "DMI_KAFKA_LIBS", "DMI_TOKEN"}
)
"""Variables that tests and the command line read, not a service."""


SHORTEST = 12
"""Characters of a passphrase."""


class UnknownSetting(ValueError):
    """An environment variable with our prefix that no settings class knows."""


class Settings(BaseSettings):
    """What every service needs. A service adds its own in a subclass."""

    model_config = SettingsConfigDict(env_prefix=PREFIX, frozen=True, extra="ignore", env_ignore_empty=True)

    env: Literal["development", "production"] = Field(
        "development",
        description=(
            "production refuses demonstration identities, hosted demonstration keys, plain private keys, and webhooks "
            "to private addresses"
        ),
    )
    data_dir: Path = Field(
        Path(".dmi"), description="folder of the embedded stores, the embedded bus and the keys"
    )
    bus_url: str = Field("", description="kafka://host:port; empty is the embedded log in the data folder")
    database_url: str = Field("", description="postgresql+psycopg://…; empty is SQLite in the data folder")
    host: str = Field("127.0.0.1", description="address that the service listens on")
    port: int = Field(
        8080, ge=1, le=65535, description="port that the service, or the whole stack, listens on"
    )
    public_url: str = Field(
        "http://127.0.0.1:8080", description="address under which people and programs reach the stack"
    )
    body_limit: int = Field(
        32 * 1024 * 1024,
        gt=0,
        description="largest request body in bytes, of observations and features, which hold at most 1,000,000 values "
        "too: commas and brackets of the JSON, which cost more than its bytes; above either 413. Others hold at most "
        "1 MiB and 10,000 values (100,000 values where a route reads its body by itself: between nodes, and "
        "SensorThings), 128 KiB and 1,000 values without a token, and 20 KiB as a form, "
        "of which each % counts as a value. A number has at most 400 digits in a row. All bodies over 128 KiB that one "
        "participant has under way at a service hold twice this together, above it 503. Files have their own limit",
    )
    rulebook_dir: Path | None = Field(
        None, description="folder of the rulebook; empty is the one that comes with the software"
    )
    stack_participant: str = Field(
        "urn:dmi:participant:stack",
        description="participant that operates the layers and holds the rights that they work under",
    )
    area_datasets: tuple[str, ...] = Field(
        (),
        description="ids, as a JSON list, of the only datasets whose neighbourhoods everybody's rows are labelled by; "
        "empty: each dataset of areas whose owner has a role that the rulebook lets lay them down",
    )
    retention_seconds: float = Field(
        600.0, gt=0, description="seconds between two rounds that delete what an agreement's term has passed"
    )
    key_passphrase: SecretStr = Field(
        SecretStr(""),
        description="passphrase of at least 12 characters that seals private keys in files; the exchange needs it, or "
        "the file below, in production",
    )
    key_passphrase_file: Path | None = Field(
        None, description="file that holds this passphrase, in place of the variable"
    )
    metrics_token: SecretStr = Field(
        SecretStr(""),
        description="bearer token of who collects `/metrics`; without it these tell, in production, what waits to be "
        "read alone: counts of rows, decisions and requests tell of data and persons",
    )
    log_level: Literal["debug", "info", "warning", "error"] = Field(
        "info", description="least severe log line that is written"
    )

    # Checked field by field, so that a refusal names the variable.

    @field_validator("key_passphrase")
    @classmethod
    def _long_enough(cls, value: SecretStr) -> SecretStr:
        if value.get_secret_value() and len(value.get_secret_value()) < SHORTEST:
            raise ValueError(f"must have at least {SHORTEST} characters")
        return value

    @field_validator("key_passphrase_file")
    @classmethod
    def _readable(cls, value: Path | None, info: ValidationInfo) -> Path | None:
        given = info.data.get("key_passphrase")
        if value is not None and given is not None and given.get_secret_value():
            raise ValueError("is set beside DMI_KEY_PASSPHRASE; set one of them")
        if value is not None and not value.is_file():
            raise ValueError("must be a file")
        if value is not None and len(value.read_text().strip()) < SHORTEST:
            raise ValueError(f"must hold at least {SHORTEST} characters")
        return value

    def passphrase(self) -> str | None:
        """The passphrase of private keys in files; ``None`` when they are kept plain."""
        if self.key_passphrase_file is not None:
            return self.key_passphrase_file.read_text().strip()
        return self.key_passphrase.get_secret_value() or None

    @property
    def issuer(self) -> str:
        """Issuer of access tokens: the exchange's public address."""
        return f"{self.public_url.rstrip('/')}/exchange"

    def bus_address(self) -> str:
        """Address of the bus; the embedded log when none is set."""
        return self.bus_url or f"embedded:///{(self.data_dir / 'bus.db').absolute()}"

    def store_address(self, schema: str) -> str:
        """Address of the store of one service's schema."""
        return self.database_url or f"sqlite:///{(self.data_dir / f'{schema}.db').absolute()}"


def variable_names(classes: Iterable[type[BaseSettings]]) -> frozenset[str]:
    """The environment variables that these settings classes read."""
    return frozenset(PREFIX + name.upper() for cls in classes for name in cls.model_fields)


def check_environment(classes: Iterable[type[BaseSettings]], environ: Mapping[str, str]) -> None:
    """Raise ``UnknownSetting`` for a ``DMI_`` variable that nothing reads, naming the nearest known one."""
    known = variable_names(classes) | TOOL_VARIABLES
    for name in sorted(environ):
        # Settings are read whatever the case of their names, so they are checked that way too.
        if name.upper().startswith(PREFIX) and name.upper() not in known:
            near = difflib.get_close_matches(name.upper(), sorted(known), n=1)
            hint = f"; did you mean {near[0]}?" if near else ""
            raise UnknownSetting(f"unknown setting {name}{hint}")
