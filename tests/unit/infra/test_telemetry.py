"""Logs are one JSON object a line, also those of libraries; traces continue."""

from __future__ import annotations

import io
import json
import logging
from collections.abc import Iterator

import pytest
import structlog

from dmi_infra.telemetry import Metrics, configure_logs, continue_trace, current_trace

PARENT = f"00-{'a' * 32}-{'b' * 16}-01"


@pytest.fixture
def stream() -> Iterator[io.StringIO]:
    before = logging.root.handlers[:], logging.root.level
    out = io.StringIO()
    configure_logs("info", out)
    yield out
    logging.root.handlers[:], level = before
    logging.root.setLevel(level)
    structlog.reset_defaults()
    current_trace.set("")


def _lines(stream: io.StringIO) -> list[dict[str, object]]:
    return [json.loads(line) for line in stream.getvalue().splitlines()]


def test_our_logs_and_those_of_libraries_are_json_with_level_and_time(stream: io.StringIO) -> None:
    structlog.get_logger("test").info("ours", count=1)
    structlog.get_logger("test").debug("too detailed")
    logging.getLogger("library").warning("theirs %d", 2)
    logging.getLogger("library").info("not asked for")
    ours, theirs = _lines(stream)
    assert (ours["event"], ours["count"], ours["level"]) == ("ours", 1, "info")
    assert (theirs["event"], theirs["level"], theirs["logger"]) == ("theirs 2", "warning", "library")
    assert "timestamp" in ours
    assert "timestamp" in theirs


def test_an_exception_stays_on_one_line(stream: io.StringIO) -> None:
    try:
        raise ValueError("broken\nin two")
    except ValueError as exc:
        structlog.get_logger("test").error("failed", exc_info=exc)
        logging.getLogger("library").exception("failed too")
    assert all("ValueError" in str(line["exception"]) for line in _lines(stream))


def test_a_log_line_names_the_trace_that_it_belongs_to(stream: io.StringIO) -> None:
    trace = continue_trace(PARENT)
    structlog.get_logger("test").info("within")
    assert _lines(stream)[0]["trace"] == trace


def test_a_trace_continues_under_a_span_of_its_own() -> None:
    trace = continue_trace(PARENT)
    assert trace[:36] == PARENT[:36]
    assert trace[36:52] != PARENT[36:52]
    assert current_trace.get() == trace


@pytest.mark.parametrize(
    "parent",
    [None, "", "x" * 55, PARENT.upper(), f"{PARENT}-x", f"00-{'0' * 32}-{'b' * 16}-01", f"00-{'a' * 32}-{'0' * 16}-01"],
)  # fmt: skip
def test_a_trace_that_cannot_be_read_begins_anew(parent: str | None) -> None:
    trace = continue_trace(parent)
    assert trace[3:35] not in ("a" * 32, "0" * 32)
    assert len(trace) == 55


def test_two_services_in_one_process_keep_their_metrics_apart() -> None:
    first, second = Metrics("support-centre"), Metrics("platform")
    first.decisions.labels("query", "true").inc()
    labels = {"crossing": "query", "allowed": "true"}
    assert first.registry.get_sample_value("dmi_support_centre_decisions_total", labels) == 1
    assert second.registry.get_sample_value("dmi_platform_decisions_total", labels) is None
