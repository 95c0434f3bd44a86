"""Outcomes of scenarios as files: every row or file says from which run, source and licence it is."""

from __future__ import annotations

import csv
import io
import json
from typing import Any

from dmi_support_centre.models.scenario import INDICATORS, UNITS

HEAD = (
    "run", "scenario", "version", "area", "name", "indicator", "unit", "baseline", "value", "change",
    "change_low", "change_high", "change_percent", "source", "licence", "computed_at",
)  # fmt: skip
_FORMULA = ("=", "+", "-", "@", "\t", "\r")


def csv_of(shown: dict[str, Any]) -> str:
    """One row an area and indicator (UTF-8, RFC 4180), the city as a whole last; what is not known is empty."""
    out = io.StringIO()
    writer = csv.writer(out)
    writer.writerow(HEAD)
    source = "; ".join(filter(None, (one["source"] or one["title"]["nl"] for one in shown["credits"])))
    licence = "; ".join(dict.fromkeys(one["licence"] for one in shown["credits"] if one["licence"]))
    whole = [] if shown["totals"] is None else [{"id": "", "name": "", **shown["totals"]}]
    for area in [*shown["areas"], *whole]:
        for name in INDICATORS:
            span = area["change_range"][name] or {}
            writer.writerow(
                [
                    shown["record"].get("run", shown["id"]),
                    shown["scenario"],
                    shown["version"],
                    area["id"],
                    _plain(area["name"]),
                    name,
                    UNITS[name]["en"],
                    area["baseline"][name],
                    area["scenario"][name],
                    area["change"][name],
                    span.get("low"),
                    span.get("high"),
                    area["change_percent"][name],
                    _plain(source),
                    _plain(licence),
                    shown["computed_at"],
                ]
            )
    return out.getvalue()


def _plain(text: str) -> str:
    """A text that no spreadsheet takes for a formula."""
    return f"'{text}" if text.startswith(_FORMULA) else text


def geojson_of(shown: dict[str, Any], geometries: dict[str, dict[str, Any]]) -> dict[str, Any]:
    """A feature a neighbourhood (WGS84) with ``baseline_…``, ``scenario_…`` and ``change_…``."""
    features = []
    for area in shown["areas"]:
        flat = {
            f"{part}_{name}": value
            for part in ("baseline", "scenario", "change")
            for name, value in area[part].items()
        }
        about = {name: area[name] for name in ("id", "name", "edits", "suppressed")}
        geometry = geometries.get(area["id"])
        features.append(
            {"type": "Feature", "id": area["id"], "geometry": geometry, "properties": {**about, **flat}}
        )
    names = ("id", "scenario", "version", "computed_at", "withdrawn", "withdrawal", "grounds", "record")
    return {
        "type": "FeatureCollection",
        "features": features,
        **{name: shown[name] for name in names},
        "sources": shown["credits"],
    }


def json_text(content: dict[str, Any]) -> str:
    """A document as UTF-8 text."""
    return json.dumps(content, ensure_ascii=False)
