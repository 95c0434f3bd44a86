"""Documentation that is made from the code: crossings, settings, commands, routes, and AsyncAPI.

A Markdown file keeps a generated part between ``<!-- generated: NAME -->`` and ``<!-- end: NAME -->``.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import msgspec
import typer
from pydantic_settings import BaseSettings

from dmi_agreements.contracts import delivery, features, law, observations, record, results
from dmi_agreements.contracts.envelope import Envelope
from dmi_agreements.crossings import CROSSINGS, Crossing
from dmi_agreements.odrl.model import ODRL
from dmi_agreements.odrl.vocabulary import AXIS, CORE, DMI
from dmi_agreements.policy.operands import OPERANDS, iri, lacking
from dmi_agreements.rulebook import Rulebook
from dmi_command.blueprints import SERVICES
from dmi_command.examples import examples
from dmi_infra.runtime import load_rulebook
from dmi_infra.settings import PREFIX, Settings

ROOT = Path(__file__).resolve().parents[3]
ASYNCAPI = ROOT / "infra" / "deploy" / "asyncapi.json"
PROFILE = ROOT / "agreements" / "rulebook" / "profile.ttl"
PAGES = (ROOT / "ARCHITECTURE.md", ROOT / "infra" / "REFERENCE.md")

PAYLOADS: dict[str, Any] = {
    "raw": observations.ObservationBatch,
    "harmonised": observations.ObservationBatch,
    "features": features.FeatureBatch,
    "indicators": results.Indicator,
    "measures": results.Measure,
    "law": law.LawEvent,
    "record": record.RecordBatch,
    "delivery": delivery.Delivered,
}
DELIVERY = "a piece of a transfer in the format Kafka-PULL, after the duties of its agreement, for its assignee alone"


def crossings_table() -> str:
    """The crossings with their topics, parties and action."""
    lines = ["| crossing | from | to | topic | action | what |", "|---|---|---|---|---|---|"]
    for c in CROSSINGS:
        source = ", ".join(c.publishers) or "a source"
        topic = f"`{c.topic}`{' (compacted)' if c.compacted else ''}" if c.topic else "-"
        lines.append(
            f"| {c.name} | {source} | {', '.join(c.subscribers)} | {topic} | `{c.action}` | {c.about} |"
        )
    return "\n".join(lines)


def settings_table() -> str:
    """Every setting with its default and meaning; first the shared ones, then each service's own."""
    lines = ["| variable | of | default | meaning |", "|---|---|---|---|"]
    lines += list(_settings_rows(Settings, "all", frozenset()))
    shared = frozenset(Settings.model_fields)
    for name, blueprint in SERVICES.items():
        lines += list(_settings_rows(blueprint.settings, name, shared))
    return "\n".join(lines)


def _settings_rows(cls: type[BaseSettings], owner: str, without: frozenset[str]) -> Iterator[str]:
    for name, field in cls.model_fields.items():
        if name not in without:
            default = "-" if field.default in ("", None) else f"`{field.default}`"
            yield f"| `{PREFIX}{name.upper()}` | {owner} | {default} | {field.description} |"


def commands_table() -> str:
    """Every command of ``dmi`` with its first sentence."""
    from dmi_command.cli import app

    lines = ["| command | what it does |", "|---|---|"]
    lines += [f"| `dmi {name}` | {text} |" for name, text in _commands(typer.main.get_command(app), "")]
    return "\n".join(lines)


def _commands(command: Any, prefix: str) -> Iterator[tuple[str, str]]:
    for name, sub in sorted(command.commands.items()):
        whole = f"{prefix}{name}"
        if hasattr(sub, "commands"):
            yield from _commands(sub, f"{whole} ")
        else:
            yield whole, (sub.help or "").strip().split("\n")[0]


def operands_table() -> str:
    """Every left operand that policies may use: its type, unit, source of truth, and whether it may be signed here."""
    lines = ["| left operand | type | unit | source of truth | may be signed |", "|---|---|---|---|---|"]
    prefixes = {ODRL: "odrl:", DMI: "dmi:", AXIS: "oax:"}
    rulebook = load_rulebook(Settings())
    for left in CORE.lefts.values():
        namespace = next(each for each in prefixes if left.iri.startswith(each))
        name = prefixes[namespace] + left.iri.removeprefix(namespace)
        unit = f"`{left.unit}`" if left.unit else "-"
        lines.append(
            f"| `{name}` | {left.type} | {unit} | {left.source} | {_signed(name, left.iri, rulebook)} |"
        )
    return "\n".join(lines)


def _signed(name: str, identifier: str, rulebook: Rulebook) -> str:
    """Whether a document that is signed may compare this, as the reader of such documents has it, or why not."""
    if identifier in map(iri, OPERANDS):
        return "yes"
    duties = [
        f"`{duty.id}`"
        for duty in rulebook.duties.values()
        if any(iri(parameter.id) == identifier for parameter in duty.parameters)
    ]
    if duties:
        return f"in {', '.join(duties)}"
    return f"no: {lacking(name.removeprefix('odrl:'))}"


PARTS: dict[str, Callable[[], str]] = {
    "crossings": crossings_table,
    "settings": settings_table,
    "commands": commands_table,
    "operands": operands_table,
}


def asyncapi() -> dict[str, Any]:
    """AsyncAPI 3.0 of every topic: channels, the operations of each service, and the payload schemas."""
    schemas, components = msgspec.json.schema_components(
        list(PAYLOADS.values()), ref_template="#/components/schemas/{name}"
    )
    payloads = dict(zip(PAYLOADS, schemas, strict=True))
    return {
        "asyncapi": "3.0.0",
        "info": {
            "title": "DMI topics",
            "version": "1.0.0",
            "description": "CloudEvents 1.0 in binary mode: attributes as headers, the payload as JSON.",
        },
        "defaultContentType": "application/json",
        "servers": _SERVERS,
        "channels": {c.name: _channel(c) for c in CROSSINGS if c.topic} | {"delivery": _DELIVERY_CHANNEL},
        "operations": {name: operation for c in CROSSINGS if c.topic for name, operation in _operations(c)}
        | {
            "exchange-send-delivery": {
                "action": "send",
                "channel": {"$ref": "#/channels/delivery"},
                "summary": f"exchange: {DELIVERY}",
            }
        },
        "components": {
            "schemas": {name: _plain(schema) for name, schema in components.items()},
            "messages": {
                name: {
                    "name": name,
                    "title": about,
                    "contentType": "application/json",
                    "headers": _HEADERS,
                    "payload": _plain(payloads[name]),
                    "examples": examples(name),
                }
                for name, about in [
                    *((c.name, c.about) for c in CROSSINGS if c.topic),
                    ("delivery", DELIVERY),
                ]
            },
            "securitySchemes": {
                "transfer": {
                    "type": "http",
                    "scheme": "bearer",
                    "bearerFormat": "JWT",
                    "description": "SASL/OAUTHBEARER with a token of the transfer, which lives a minute",
                }
            },
        },
    }


_SERVERS = {
    "services": {
        "host": "{brokers}",
        "protocol": "kafka",
        "variables": {"brokers": {"description": "the cluster of DMI_BUS_URL; for the services alone"}},
    },
    "readers": {
        "host": "{brokers}",
        "protocol": "kafka-secure",
        "variables": {"brokers": {"description": "the endpoint in the data address of a transfer"}},
        "security": [{"$ref": "#/components/securitySchemes/transfer"}],
    },
}
_DELIVERY_CHANNEL = {
    "address": "dmi.delivery.v1.{agreement}.{transfer}",
    "description": DELIVERY,
    "parameters": {
        "agreement": {"description": "the agreement that it rests on"},
        "transfer": {"description": "the provider's id of the transfer"},
    },
    "servers": [{"$ref": "#/servers/readers"}],
    "messages": {"delivery": {"$ref": "#/components/messages/delivery"}},
}


def _plain(schema: Any) -> Any:
    """A schema in the words of AsyncAPI, where a discriminator is the name of a property (in OpenAPI an object)."""
    if isinstance(schema, list):
        return [_plain(item) for item in schema]
    if not isinstance(schema, dict):
        return schema
    plain = {key: _plain(value) for key, value in schema.items()}
    if isinstance(named := plain.get("discriminator"), dict) and "propertyName" in named:
        plain["discriminator"] = named["propertyName"]
    return plain


_HEADERS = {
    "type": "object",
    "required": ["ce_id", "ce_source", "ce_type", "ce_time", "ce_specversion"],
    "properties": {
        name: {"type": "string"}
        for name in (
            "ce_specversion",
            *(
                "traceparent" if name == "traceparent" else f"ce_{name}"
                for name in Envelope.__struct_fields__
            ),
        )
    },
}


def _channel(crossing: Crossing) -> dict[str, Any]:
    return {
        "address": crossing.topic,
        "description": crossing.about,
        "servers": [{"$ref": "#/servers/services"}],
        "messages": {crossing.name: {"$ref": f"#/components/messages/{crossing.name}"}},
    }


def _operations(crossing: Crossing) -> Iterator[tuple[str, dict[str, Any]]]:
    for action, services in (("send", crossing.publishers), ("receive", crossing.subscribers)):
        for service in services:
            yield (
                f"{service}-{action}-{crossing.name}",
                {
                    "action": action,
                    "channel": {"$ref": f"#/channels/{crossing.name}"},
                    "summary": f"{service}: {crossing.about}",
                },
            )


def rendered() -> dict[Path, str]:
    """Every generated file with the content that it should have."""
    found = {page: _fill(page.read_text(encoding="utf-8")) for page in PAGES}
    # Imported here: it brings the RDF library, which no command but these needs to wait for.
    from dmi_exchange.rdf.profiling import published

    found[PROFILE] = published(load_rulebook(Settings()))
    found[ASYNCAPI] = json.dumps(asyncapi(), indent=2, ensure_ascii=False) + "\n"
    return found


def _fill(text: str) -> str:
    def part(match: re.Match[str]) -> str:
        name = match.group(1)
        return f"<!-- generated: {name} -->\n{PARTS[name]()}\n<!-- end: {name} -->"

    return re.sub(r"<!-- generated: (\w+) -->.*?<!-- end: \1 -->", part, text, flags=re.DOTALL)


def outdated() -> list[Path]:
    """Generated files whose content is not what the code says."""
    return [
        path
        for path, text in rendered().items()
        if not path.exists() or path.read_text(encoding="utf-8") != text
    ]


def write() -> list[Path]:
    """Write what is outdated; returns what was written."""
    changed = outdated()
    for path in changed:
        path.write_text(rendered()[path], encoding="utf-8")
    return changed
