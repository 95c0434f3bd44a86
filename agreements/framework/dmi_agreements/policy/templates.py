"""Filling in a template of the rulebook: parameters in, an ODRL document out, checked by reading it.

In a template a whole text ``${name}`` stands for the value of a parameter; an object with ``"$if": name`` is
left out when that optional parameter is not given.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from datetime import UTC, datetime, timedelta
from typing import Any, Final

from dmi_agreements.errors import Finding, TemplateRefused
from dmi_agreements.policy.document import read_agreement
from dmi_agreements.rulebook import PLACEHOLDER, Rulebook

_OMIT: Final = object()


def from_template(
    rulebook: Rulebook, name: str, layers: Collection[str] = (), /, **parameters: object
) -> dict[str, Any]:
    """The document of template ``name`` (``dmi:template:…``; the prefix may be left out).

    A ``None`` parameter counts as not given; ``rulebook`` in the document is the current version; ``layers``
    as in ``read_agreement``. Moments are RFC 3339 texts, aware datetimes, or integers in microseconds UTC; an
    area is [west, south, east, north]. Raises ``TemplateRefused`` when the template or a parameter is unknown
    or missing, and ``PolicyRefused`` when the filled-in document is outside the language.
    """
    template = rulebook.templates.get(name) or rulebook.templates.get(f"dmi:template:{name}")
    if template is None:
        names = ", ".join(sorted(known.removeprefix("dmi:template:") for known in rulebook.templates))
        raise TemplateRefused((Finding("", f"must be a template of the rulebook: {names}", name[:60]),))
    given = {key: value for key, value in parameters.items() if value is not None}
    kinds = {parameter.name: parameter.kind for parameter in template.parameters}
    if "rulebook" in kinds:
        given.setdefault("rulebook", rulebook.version)
    findings = [
        Finding(f"/{parameter.name}", f"the template asks: {parameter.label['en']}")
        for parameter in template.parameters
        if parameter.required and parameter.name not in given
    ]
    findings += [
        Finding(f"/{key}", "the template has no such parameter") for key in given.keys() - kinds.keys()
    ]
    if findings:
        raise TemplateRefused(tuple(findings))
    values = {key: _written(value, kinds[key]) for key, value in given.items()}
    document: dict[str, Any] = _fill(template.document, values)
    read_agreement(document, rulebook, layers)
    return document


def _written(value: object, kind: str) -> object:
    """A parameter's value as JSON."""
    if kind == "number":
        return str(value)
    if kind == "moment":
        if isinstance(value, int) and not isinstance(value, bool):
            value = datetime(1970, 1, 1, tzinfo=UTC) + timedelta(microseconds=value)
        if isinstance(value, datetime) and value.tzinfo is not None:
            return value.astimezone(UTC).isoformat().replace("+00:00", "Z")
    return list(value) if isinstance(value, (tuple, set, frozenset)) else value


def _fill(value: object, values: Mapping[str, object]) -> Any:
    """``value`` with its placeholders replaced and what is left out gone from lists and objects."""
    if isinstance(value, Mapping):
        if "$if" in value and value["$if"] not in values:
            return _OMIT
        members = {key: _fill(item, values) for key, item in value.items() if key != "$if"}
        return {key: item for key, item in members.items() if item is not _OMIT and item != []}
    if isinstance(value, list):
        return [filled for item in value if (filled := _fill(item, values)) is not _OMIT]
    if isinstance(value, str) and (match := PLACEHOLDER.fullmatch(value)):
        return values[match["name"]]
    return value
