"""Structured logs and metrics. Traces continue through the ``traceparent`` of messages and requests."""

from __future__ import annotations

import logging
import random
import re
import sys
from contextvars import ContextVar
from typing import TextIO

import structlog
from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram

_TRACEPARENT = re.compile(r"00-(?!0{32})[0-9a-f]{32}-(?!0{16})[0-9a-f]{16}-[0-9a-f]{2}")

current_trace: ContextVar[str] = ContextVar("current_trace", default="")


def configure_logs(level: str, stream: TextIO = sys.stderr) -> None:
    """One JSON object a line on ``stream``; the libraries' own logs join from warning on."""
    number = logging.getLevelNamesMapping()[level.upper()]
    shared: list[structlog.typing.Processor] = [
        structlog.contextvars.merge_contextvars,
        structlog.processors.add_log_level,
        structlog.processors.TimeStamper(fmt="iso", utc=True),
        _add_trace,
    ]
    structlog.configure(
        processors=[*shared, structlog.processors.format_exc_info, structlog.processors.JSONRenderer()],
        wrapper_class=structlog.make_filtering_bound_logger(number),
        logger_factory=structlog.PrintLoggerFactory(stream),
        cache_logger_on_first_use=True,
    )
    handler = logging.StreamHandler(stream)
    handler.setFormatter(
        structlog.stdlib.ProcessorFormatter(
            processors=[
                structlog.stdlib.ProcessorFormatter.remove_processors_meta,
                structlog.processors.format_exc_info,
                structlog.processors.JSONRenderer(),
            ],
            foreign_pre_chain=[*shared, structlog.stdlib.add_logger_name],
        )
    )
    logging.basicConfig(level=max(number, logging.WARNING), handlers=[handler], force=True)


def _add_trace(
    _logger: object, _method: str, event: structlog.typing.EventDict
) -> structlog.typing.EventDict:
    if trace := current_trace.get():
        event["trace"] = trace
    return event


def continue_trace(traceparent: str | None) -> str:
    """The trace that a request or message belongs to (W3C Trace Context); a new one when it has none."""
    # Ids need to differ, not to be secret: the system's generator costs a call that gives up the interpreter's lock.
    if traceparent and _TRACEPARENT.fullmatch(traceparent):
        trace = f"{traceparent[:36]}{random.getrandbits(64):016x}-01"
    else:
        trace = f"00-{random.getrandbits(128):032x}-{random.getrandbits(64):016x}-01"
    current_trace.set(trace)
    return trace


class Metrics:
    """The Prometheus metrics of one service, in a registry of its own."""

    def __init__(self, service: str) -> None:
        self.registry = CollectorRegistry()
        prefix = f"dmi_{service.replace('-', '_')}"
        self.requests = Counter(
            f"{prefix}_requests",
            "HTTP requests by route and status",
            ["route", "status"],
            registry=self.registry,
        )
        self.seconds = Histogram(
            f"{prefix}_request_seconds", "Time to answer", ["route"], registry=self.registry
        )
        self.decisions = Counter(
            f"{prefix}_decisions", "Gate decisions", ["crossing", "allowed"], registry=self.registry
        )
        self.rows = Counter(f"{prefix}_rows", "Rows handled, by outcome", ["outcome"], registry=self.registry)
        self.lag_name = f"{prefix}_lag"
        self.lag = Gauge(self.lag_name, "Messages not yet read", ["topic"], registry=self.registry)
