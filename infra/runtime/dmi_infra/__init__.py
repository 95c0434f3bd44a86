"""Shared machinery of every service: settings, sql, bus, identity, gate, http, telemetry."""
