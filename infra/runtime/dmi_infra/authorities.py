"""The certificate authorities that requests trust, read once a process."""

from __future__ import annotations

import os
import ssl
from functools import cache

import httpx

NAMED_BY = ("SSL_CERT_FILE", "SSL_CERT_DIR")


def trusted(*, environment: bool = True) -> ssl.SSLContext:
    """What httpx trusts by itself; with ``environment`` false whatever the variables of OpenSSL name is left out.

    A client of httpx that is told of nothing reads all authorities anew, which takes it 35 ms: longer than most
    requests, and each readiness probe is a client of its own.
    """
    return _read(environment, tuple(os.environ.get(name) for name in NAMED_BY) if environment else ())


@cache
def _read(environment: bool, _named: tuple[str | None, ...]) -> ssl.SSLContext:
    return httpx.create_ssl_context(trust_env=environment)
