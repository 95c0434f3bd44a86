"""Settings of the exchange."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Annotated, Literal
from urllib.parse import urlsplit

from pydantic import BaseModel, ConfigDict, Field, SecretStr, ValidationInfo, field_validator
from pydantic_settings import NoDecode

from dmi_infra.certificates import Trust
from dmi_infra.revocation import Revocations, files, read_list
from dmi_infra.settings import Settings

DID = r"did:web:[A-Za-z0-9.-]+(%3[Aa][0-9]{1,5})?(:[A-Za-z0-9_~-][A-Za-z0-9._~-]*)*"
"""A DID of the method ``did:web``."""


class Membership(BaseModel):
    """Whom a claim of the OpenID provider makes somebody: the participant to act for, and the roles."""

    model_config = ConfigDict(extra="forbid", frozen=True)
    claim: Literal["sub", "email", "role"]
    value: str = Field(min_length=1)
    participant: str = Field(pattern=r"^urn:dmi:(participant|person):[a-z0-9][a-z0-9-]{0,60}$")
    roles: tuple[str, ...] = Field(min_length=1)


class KnownNode(BaseModel):
    """Another node that this one exchanges with."""

    model_config = ConfigDict(extra="forbid", frozen=True)
    url: str = Field(pattern=r"^https?://[A-Za-z0-9.:\[\]-]+(/[A-Za-z0-9._~/-]*)?$", max_length=500)
    participants: tuple[str, ...] = ()
    """Whom it may speak for; empty: everybody that it admitted and nobody else has."""
    did: str = Field("", pattern=rf"^({DID})?$", max_length=500)
    """By which it proves with credentials whom it speaks for; empty: by its keys at ``url``."""

    @property
    def issuer(self) -> str:
        """Who its tokens are from: its exchange."""
        return f"{self.url.rstrip('/')}/exchange"

    @property
    def address(self) -> str:
        """Where it speaks the protocol."""
        return f"{self.issuer}/dsp"


class ExchangeSettings(Settings):
    """What the exchange needs beyond the shared settings."""

    heartbeat_seconds: float = Field(
        1.0,
        gt=0,
        le=2.0,
        description="seconds between two heartbeats of the law, well under the five after which gates refuse",
    )
    review_seconds: float = Field(
        60.0,
        gt=0,
        description="seconds between two reviews of all running agreements; what changes or ends is reviewed at once",
    )
    oidc_issuer: str = Field(
        "",
        description="issuer address of the OpenID Connect provider that people sign in with; empty is none. "
        "Register `<DMI_PUBLIC_URL>/exchange/v1/oidc/callback` there as the redirect address",
    )
    oidc_client_id: str = Field(
        "", validate_default=True, description="the id that the OpenID provider gave this stack"
    )
    oidc_client_secret: SecretStr = Field(
        SecretStr(""),
        description="the secret that goes with it; empty for a public client, which PKCE protects",
    )
    oidc_role_claim: str = Field(
        "roles", description="claim of the ID token that holds a person's groups: a text or a list of texts"
    )
    oidc_scope: str = Field(
        "openid profile email", description="what is asked of the OpenID provider; must hold openid"
    )
    oidc_members: Annotated[tuple[Membership, ...], NoDecode] = Field(
        (),
        description="who a person is here, as a JSON list: "
        '`[{"claim": "email", "value": "a@city.example", "participant": "urn:dmi:participant:city", '
        '"roles": ["dmi:role:municipality"]}]`. `claim` is `sub`, `email` (verified ones only) or `role` '
        "(one of the groups). The first that fits decides the participant; roles of all that fit and name "
        "that participant are joined. Nobody else is let in",
    )

    log_head_seconds: float = Field(
        2.0,
        gt=0,
        le=3600,
        description="seconds between two signed heads of the log, when it has grown: how long an entry may wait "
        "until it can be proven",
    )
    demo_municipality: str = Field(
        "urn:dmi:participant:gemeente",
        pattern=r"^urn:dmi:participant:[a-z0-9][a-z0-9-]{0,60}$",
        description="for whom the demonstration's officer and analyst act; the operator acts for "
        "DMI_STACK_PARTICIPANT",
    )
    trust_roots: Path | None = Field(
        None,
        description="PEM file of the certificates that lead to outside parties (iSHARE): client assertions with "
        "`x5c` are checked against them, and bound by the identifier that the operator noted at a participant; "
        "empty refuses such assertions",
    )
    trust_crls: Path | None = Field(
        None,
        description="folder of lists of revoked certificates (`.crl` or `.pem`), kept up to date from outside and read "
        "again when a file changes: each issuer below DMI_TRUST_ROOTS then needs one that holds; empty checks "
        "none",
    )
    dsp_hosts: Annotated[tuple[str, ...], NoDecode] = Field(
        (),
        description="hosts of the other nodes that this one speaks to, with commas between; empty is every host that "
        "is reached from outside, and in development every one",
    )
    dsp_give_up_seconds: float = Field(
        3600.0,
        gt=0,
        description="seconds for which a message to another node is tried; then its negotiation or transfer "
        "ends with the reason",
    )
    dcp_issuers: Annotated[tuple[str, ...], NoDecode] = Field(
        (),
        description="DIDs (did:web), with commas between, of those whose membership credentials count: switches on the "
        "Decentralized Claims Protocol for the nodes of DMI_DSP_NODES that have a `did`. This node's own DID follows "
        "from DMI_PUBLIC_URL; its document lies at `/exchange/did.json`. Where DMI_DSP_HOSTS is set, it must name "
        "the hosts of these DIDs and of their status lists too. Empty is off",
    )
    dcp_credentials: Path | None = Field(
        None,
        description="folder of the credentials (`.jwt`, type `vc+jwt`) that this node shows: each about its DID, and "
        "naming one of its participants; read each time",
    )
    dsp_nodes: Annotated[tuple[KnownNode, ...], NoDecode] = Field(
        (),
        description="the nodes that this one exchanges with, as a JSON list: "
        '`[{"url": "https://exchange.city.example", "participants": ["urn:dmi:participant:city"]}]`. `url` is '
        "their DMI_PUBLIC_URL; `participants` whom they may speak for, left out: everybody that they have admitted "
        "and that is known from nowhere else; `did`, when they prove that by credentials (DMI_DCP_ISSUERS) and not by "
        "their keys. No other node is let in",
    )
    dsp_node_members: int = Field(
        2000,
        ge=1,
        le=20_000,
        description="members of one other node that come into the law here at most, with those that left it, and with "
        "ten keys for each of them and a thousand more together; `GET /exchange/v1/nodes` tells how many more it names",
    )
    delivery_brokers: str = Field(
        "",
        description="host:port, with commas between, at which outside readers reach the Kafka cluster of DMI_BUS_URL: "
        "a listener with OAUTHBEARER beside the services' own; empty offers no transfers by topics",
    )
    delivery_security: Literal["SASL_SSL", "SASL_PLAINTEXT"] = Field(
        "SASL_SSL",
        validate_default=True,
        description="how outside readers connect there; SASL_PLAINTEXT is refused in production",
    )
    delivery_keys_file: Path | None = Field(
        None,
        description="file that the exchange keeps its public keys in (JWKS), for brokers that can read it; others get "
        "them from `/exchange/.well-known/jwks.json`",
    )
    test_profile: Literal["", "dsp-tck"] = Field(
        "",
        description="dsp-tck scripts this node for the test kit of the Dataspace Protocol and lets every request "
        "in; refused in production",
    )
    test_profile_file: Path | None = Field(
        None, description="configuration file of the test kit with its ids; empty is the one that comes along"
    )

    def trust(self) -> Trust:
        """The roots of outside parties' certificates; none where no file is set."""
        if self.trust_roots is None:
            return Trust([])
        return Trust.read(self.trust_roots.read_bytes(), Revocations(self.trust_crls))

    # Checked field by field, so that a refusal names the variable.

    @field_validator("trust_roots")
    @classmethod
    def _certificates(cls, value: Path | None) -> Path | None:
        try:
            if value is not None:
                Trust.read(value.read_bytes())
        except (OSError, ValueError) as exc:
            raise ValueError("must be a file of certificates in PEM") from exc
        return value

    @field_validator("trust_crls")
    @classmethod
    def _revoked(cls, value: Path | None) -> Path | None:
        try:
            for file in [] if value is None else files(value):
                read_list(file.read_bytes())
        except (OSError, ValueError) as exc:
            raise ValueError("must be a folder of lists of revoked certificates in PEM or DER") from exc
        return value

    @field_validator("delivery_brokers")
    @classmethod
    def _brokers(cls, value: str, info: ValidationInfo) -> str:
        if value and not all(re.fullmatch(r"[A-Za-z0-9._-]+:[0-9]{1,5}", part) for part in value.split(",")):
            raise ValueError("must be host:port, with commas between several")
        if value and not str(info.data.get("bus_url", "")).startswith("kafka://"):
            raise ValueError("needs a Kafka cluster in DMI_BUS_URL")
        return value

    @field_validator("delivery_security")
    @classmethod
    def _encrypted(cls, value: str, info: ValidationInfo) -> str:
        if value == "SASL_PLAINTEXT" and info.data.get("env") == "production":
            raise ValueError("is refused in production: tokens would be read on the way")
        return value

    @field_validator("test_profile")
    @classmethod
    def _not_in_production(cls, value: str, info: ValidationInfo) -> str:
        if value and info.data.get("env") == "production":
            raise ValueError("is refused in production")
        return value

    @field_validator("oidc_issuer")
    @classmethod
    def _address(cls, value: str, info: ValidationInfo) -> str:
        parts = urlsplit(value)
        if value and (
            parts.scheme not in ("https", "http") or not parts.netloc or parts.query or parts.fragment
        ):
            raise ValueError("must be an address without query or fragment")
        if value and info.data.get("env") == "production" and parts.scheme != "https":
            raise ValueError("must begin with https:// in production")
        return value

    @field_validator("oidc_client_id")
    @classmethod
    def _both(cls, value: str, info: ValidationInfo) -> str:
        if bool(value) != bool(info.data.get("oidc_issuer", value)):
            raise ValueError("is set together with DMI_OIDC_ISSUER or not at all")
        return value

    @field_validator("oidc_scope")
    @classmethod
    def _scope(cls, value: str) -> str:
        if "openid" not in value.split():
            raise ValueError("must hold openid")
        return value

    @field_validator("dcp_issuers")
    @classmethod
    def _dids(cls, value: tuple[str, ...], info: ValidationInfo) -> tuple[str, ...]:
        if not all(len(did) <= 500 and re.fullmatch(DID, did) for did in value):
            raise ValueError("must be DIDs of the method did:web")
        secure = str(info.data.get("public_url", "")).startswith("https://")
        if value and info.data.get("env") == "production" and not secure:
            raise ValueError("needs a DMI_PUBLIC_URL with https:// in production")
        return value

    @field_validator("dcp_credentials")
    @classmethod
    def _folder(cls, value: Path | None, info: ValidationInfo) -> Path | None:
        if value is not None and not value.is_dir():
            raise ValueError("must be a folder")
        if value is not None and not info.data.get("dcp_issuers"):
            raise ValueError("is shown to nodes that are known by a DID: set DMI_DCP_ISSUERS")
        return value

    @field_validator("dsp_nodes")
    @classmethod
    def _by_did(cls, value: tuple[KnownNode, ...], info: ValidationInfo) -> tuple[KnownNode, ...]:
        dids = [node.did for node in value if node.did]
        if dids and not info.data.get("dcp_issuers"):
            raise ValueError("names a did, whose credentials nobody here trusts: set DMI_DCP_ISSUERS")
        if len(dids) != len(set(dids)):
            raise ValueError("names one did for two nodes")
        return value

    @field_validator("dsp_nodes")
    @classmethod
    def _secure(cls, value: tuple[KnownNode, ...], info: ValidationInfo) -> tuple[KnownNode, ...]:
        if info.data.get("env") == "production" and any(not n.url.startswith("https://") for n in value):
            raise ValueError("must begin with https:// in production")
        return value

    @field_validator("dsp_hosts", "dcp_issuers", mode="before")
    @classmethod
    def _hosts(cls, value: object) -> object:
        return (
            [host.strip() for host in value.split(",") if host.strip()] if isinstance(value, str) else value
        )

    @field_validator("oidc_members", "dsp_nodes", mode="before")
    @classmethod
    def _json(cls, value: object) -> object:
        try:
            return json.loads(value) if isinstance(value, str) else value
        except (ValueError, RecursionError) as exc:
            raise ValueError("must be a list in JSON") from exc
