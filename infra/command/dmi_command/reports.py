"""What people read in place of JSON: an import, an agreement in short, who was admitted or has signed, figures."""

from __future__ import annotations

import math
import shlex
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from rich.console import Console

from dmi_command.layout import print_members, print_rows

LINES_SHOWN = 3
"""Rejected lines that a report shows for each reason."""


def print_import(console: Console, report: Mapping[str, Any], unit: str, url: str) -> None:
    """The counts of an import, then its rejections by reason; ``unit`` says in words what ``read`` counts."""
    counts = {name: f"{report[name]:,}" for name in ("read", "accepted", "duplicate", "rejected")}
    width = max(map(len, counts.values()))
    shown = {name: f"{count:>{width}}" for name, count in counts.items()}
    shown["read"] += f"  ({unit})"
    heading = {"import": report["import_id"], "dataset": report["dataset"], "state": report["state"]}
    print_members(console, {**heading, **shown})
    if report["reasons"]:
        console.print()
        files = {row["file"] for reason in report["reasons"] for row in reason.get("rows", ())}
        columns = ["reason", "count", *(["file"] if len(files) > 1 else []), "line", "field", "value"]
        print_rows(console, list(_rejections(report["reasons"])), columns)
        console.print()
        for line in _where(report, url):
            console.print(line, soft_wrap=True)


def _rejections(reasons: Sequence[Mapping[str, Any]]) -> Iterator[dict[str, Any]]:
    """A row for each of the first rejected lines; reason and count stand at the first of them."""
    for reason in reasons:
        named = {"reason": reason["reason"], "count": f"{reason['count']:,}"}
        # One faulty field of a line can cost several of its values, each a record of its own.
        rows = {
            (row["file"], row["line"], row["field"], row.get("value")): row for row in reason.get("rows", ())
        }
        for row in list(rows.values())[:LINES_SHOWN] or [{}]:
            value = {"value": row["value"] or "(empty)"} if "value" in row else {}
            yield {**row, **named, **value}
            named = {"reason": "", "count": ""}


def _where(report: Mapping[str, Any], url: str) -> Iterator[str]:
    """Where all rejections are. Reasons of the platform come without lines: it refuses rows, not files."""
    told = [reason for reason in report["reasons"] if "rows" in reason]
    kept = [reason for reason in told if any("value" in row for row in reason["rows"])]
    at_intake = sum(reason["count"] for reason in kept)
    not_kept = sum(reason["count"] for reason in told) - at_intake
    at_platform = sum(reason["count"] for reason in report["reasons"] if "rows" not in reason)
    everything = at_intake + not_kept + at_platform
    yield f"All {everything:,} rejected: page Bronnen en uitval (Sources and rejects), {url}/sources"
    if at_intake:
        yield f"  {at_intake:,} at the intake: GET {url}/ingest/v1/imports/{report['import_id']}/rejects"
    if not_kept:
        yield f"  {not_kept:,} at the intake whose contents are not kept: about persons, or past their term"
    if at_platform:
        yield f"  {at_platform:,} at the platform: GET {url}/platform/v1/rejects?dataset={report['dataset']}"


def agreement_in_short(agreement: Mapping[str, Any]) -> dict[str, Any]:
    """An agreement or consent without its document: id, state, datasets, parties, and the moments that it has."""
    names = ("id", "state", "datasets", "assigner", "assignee")
    later = ("waiting_for", "concluded_at", "ended_at", "ended_by", "end_reason")
    shown = {name: agreement[name] for name in names}
    if agreement.get("consent"):
        # It is to everyone by its form, and for whom its condition names.
        del shown["assignee"]
        shown |= {"purposes": compared(agreement, "purpose"), "recipients": recipients(agreement)}
    return {**shown, **{name: agreement[name] for name in later if agreement.get(name)}}


def consent_in_brief(consent: Mapping[str, Any]) -> dict[str, Any]:
    """A row of the list of consents: without purpose and recipient all of one person look alike."""
    return {**consent, "purposes": compared(consent, "purpose"), "recipients": recipients(consent)}


def recipients(consent: Mapping[str, Any]) -> list[str]:
    """Whom a consent lets use the data."""
    return compared(consent, "recipient") or [str(consent["assignee"])]


def compared(agreement: Mapping[str, Any], operand: str) -> list[str]:
    """What the permissions of an agreement compare a left operand with, each once."""
    found: list[str] = []
    for permission in agreement["document"].get("permission", []):
        for constraint in permission.get("constraint", []):
            if constraint.get("leftOperand") == operand:
                named = constraint["rightOperand"]
                found += named if isinstance(named, list) else [named]
    return list(dict.fromkeys(map(str, found)))


@dataclass(frozen=True, slots=True)
class KeyKept:
    """A private key by its file; nothing of the key itself but its public thumbprint."""

    file: Path
    kid: str
    made: bool = False

    def options(self, participant: str) -> str:
        """How a command is told who signs, and with what."""
        return f"--key {shlex.quote(str(self.file))} --participant {participant}"


def counted(number: int, one: str, many: str = "") -> str:
    """A number with what it counts, in the singular for one; ``many`` where that is not ``one`` and an s."""
    return f"{number} {one if number == 1 else many or f'{one}s'}"


def admission(participant: Mapping[str, Any], key: KeyKept, where: str) -> dict[str, Any]:
    """Who was admitted, where the private key is, and what to do next; ``where`` names another address."""
    kept = "made now, readable by you alone" if key.made else "was there already"
    persons = participant.get("representatives") or []
    of_age = participant.get("of_age_on")
    return {
        "admitted": f"{participant['id']} ({participant['name']})",
        "roles": participant["roles"],
        **({"represented by": persons} if persons else {}),
        **({"decides for itself from": of_age} if of_age else {}),
        "private key": f"{key.file.resolve()} ({kept}; it has not left this machine)",
        "public key": f"{key.kid} (known to the exchange)",
        "next": f"sign the rulebook: dmi sign {key.options(participant['id'])}{where}",
    }


def signature(participant: Mapping[str, Any], key: KeyKept, where: str) -> dict[str, Any]:
    """Who signed which rulebook with which key, and what to do next; ``where`` names another address."""
    options = key.options(participant["id"]) + where
    return {
        "signed": f"rulebook {participant['rulebook']}",
        "by": f"{participant['id']} ({participant['name']})",
        "with": f"{key.file.resolve()} (public key {key.kid})",
        "next": [
            f"hand in files: dmi import KIND FILE {options}",
            f"or propose an agreement: dmi agreement propose FILE {options}",
        ],
    }


def three_digits(value: float | None) -> str:
    """A figure in three significant digits without an exponent; counts stay whole, ``None`` is a dash."""
    if value is None:
        return "-"
    if isinstance(value, int):
        return f"{value:,}"
    if not math.isfinite(value):
        return str(value)
    exponent = int(f"{value:.2e}".partition("e")[2])
    return f"{round(value, 2 - exponent):,.{max(0, 2 - exponent)}f}"
