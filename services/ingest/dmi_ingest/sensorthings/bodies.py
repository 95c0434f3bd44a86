"""What a body says of an entity (18-088 §8): its own properties, its id and its dataset, each checked."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from dmi_infra.errors import FieldError, InputRefused
from dmi_ingest import reading
from dmi_ingest.model import ID_RULE, valid_id, valid_subject
from dmi_ingest.sensorthings.kinds import Kind


def as_id(value: object, field: str) -> str:
    """An id that a client names: text, or a whole number."""
    text = str(value) if isinstance(value, int) and not isinstance(value, bool) else value
    if not isinstance(text, str) or not valid_id(text):
        raise InputRefused.of(field, ID_RULE, reading.form(value))
    return text


def refuse_unknown(kind: Kind, body: Mapping[str, Any], field: str) -> None:
    """Control information that a client library sends back is passed over; anything else must be known."""
    for name in body:
        if "@iot." in name or name in kind.properties or name in kind.navigations:
            continue
        if name == "Observations":
            raise InputRefused.of(f"{field}{name}", "must be handed in after the entity was created")
        raise InputRefused.of(f"{field}{name}"[:200], f"is no property of {kind.single}")


def read_properties(kind: Kind, body: Mapping[str, Any], field: str, partial: bool = False) -> dict[str, Any]:
    """The checked properties of a body; with ``partial`` required ones may be left out, not emptied."""
    found: dict[str, Any] = {}
    errors: list[FieldError] = []
    for name, property_ in kind.properties.items():
        value = body.get(name)
        if value is None and (property_.required if name in body or not partial else False):
            errors.append(FieldError(f"{field}{name}", "must be given"))
        elif value is not None:
            try:
                found[name] = property_.check(value, f"{field}{name}")
            except InputRefused as exc:
                errors += exc.errors
    if errors:
        raise InputRefused(f"{errors[0].field}: {errors[0].rule}", errors)
    return found


def check_subject(properties: Mapping[str, Any], field: str) -> None:
    """Whom a Thing is about, where its free properties say so."""
    subject = properties.get("properties", {}).get("subject")
    if subject is not None and not (isinstance(subject, str) and valid_subject(subject)):
        rule = "must be urn:dmi:person:<name>"
        raise InputRefused.of(f"{field}properties.subject", rule, reading.form(subject))


def named_dataset(properties: Mapping[str, Any], field: str) -> str:
    check_subject(properties, field)
    at = f"{field}properties.dataset"
    named = properties.get("properties", {}).get("dataset")
    if named is None:
        raise InputRefused.of(at, "must name the dataset of the catalogue that the thing belongs to")
    return reading.text(named, at, 200)
