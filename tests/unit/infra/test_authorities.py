"""The authorities that requests trust: read once, and anew when the environment names others."""

from __future__ import annotations

import ssl
from pathlib import Path

import pytest

from dmi_infra.authorities import trusted


def test_authorities_are_read_once_and_certificates_are_checked() -> None:
    found = trusted()
    assert found is trusted()
    assert found.verify_mode is ssl.CERT_REQUIRED
    assert found.check_hostname
    assert found.get_ca_certs()


def test_other_authorities_that_the_environment_names_count_at_once_but_where_it_is_left_out(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    before, alone = trusted(), trusted(environment=False)
    one = tmp_path / "one.pem"
    first = ssl.DER_cert_to_PEM_cert(alone.get_ca_certs(binary_form=True)[0])
    one.write_text(first)
    monkeypatch.setenv("SSL_CERT_FILE", str(one))
    assert trusted() is not before
    assert len(trusted().get_ca_certs()) == 1
    assert trusted(environment=False) is alone
