"""Private keys in files: sealed with a passphrase, never plain where that is refused."""

from __future__ import annotations

import base64
import json
import stat
from collections.abc import Callable
from pathlib import Path

import pytest

from dmi_infra import keyfile
from dmi_infra.jose import SigningKey
from dmi_infra.keyfile import KeyFault, KeyLocked, KeyUnprotected

PASSPHRASE = "a horse and a battery"


@pytest.fixture(scope="module")
def sealed(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, SigningKey]:
    path = tmp_path_factory.mktemp("keys") / "mine.json"
    return path, SigningKey.load_or_create(path, PASSPHRASE)


def test_a_sealed_key_opens_with_its_passphrase_and_shows_nothing(sealed: tuple[Path, SigningKey]) -> None:
    path, key = sealed
    assert SigningKey.load_or_create(path, PASSPHRASE, sealed_only=True).kid == key.kid
    text = path.read_text()
    assert key._private["d"] not in text
    assert key.public["x"] not in text
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert keyfile.is_sealed(path)


@pytest.mark.parametrize("passphrase", [None, "another passphrase", PASSPHRASE + " "])
def test_another_passphrase_or_none_opens_nothing(
    sealed: tuple[Path, SigningKey], passphrase: str | None
) -> None:
    with pytest.raises(KeyLocked, match=r"mine\.json") as caught:
        SigningKey.load_or_create(sealed[0], passphrase)
    assert PASSPHRASE not in str(caught.value)


def _header(change: dict[str, object]) -> Callable[[str], str]:
    def edit(text: str) -> str:
        first, _, rest = text.partition(".")
        header = json.loads(base64.urlsafe_b64decode(first + "=="))
        encoded = base64.urlsafe_b64encode(json.dumps({**header, **change}).encode()).rstrip(b"=").decode()
        return f"{encoded}.{rest}"

    return edit


@pytest.mark.parametrize(
    "edit",
    [
        lambda text: text[:-2] + ("AA" if not text.endswith("AA") else "BB"),
        lambda text: text.replace(".", "", 1),
        lambda _text: "",
        lambda _text: "a.b.c.d.e",
        _header({"p2c": 1}),
        _header({"p2c": 10**9}),
        _header({"p2c": "many"}),
        _header({"alg": "dir"}),
        _header({"enc": "none"}),
        _header({"zip": "DEF"}),
    ],
)
def test_a_changed_file_opens_nothing(
    sealed: tuple[Path, SigningKey], tmp_path: Path, edit: Callable[[str], str]
) -> None:
    path = tmp_path / "changed.json"
    path.write_text(edit(sealed[0].read_text()))
    with pytest.raises(KeyFault, match=r"changed\.json"):
        SigningKey.load_or_create(path, PASSPHRASE)


def test_a_plain_key_is_refused_where_keys_must_be_sealed_and_read_elsewhere(tmp_path: Path) -> None:
    path = tmp_path / "plain.json"
    key = SigningKey.load_or_create(path)
    assert SigningKey.load_or_create(path, PASSPHRASE).kid == key.kid
    with pytest.raises(KeyUnprotected, match="dmi keys protect"):
        SigningKey.load_or_create(path, PASSPHRASE, sealed_only=True)


def test_of_two_keys_for_one_file_the_first_stays_unless_it_is_to_be_replaced(tmp_path: Path) -> None:
    path = tmp_path / "one.json"
    first, second = SigningKey.generate(), SigningKey.generate()
    assert first.keep(path)
    assert not second.keep(path)
    assert SigningKey.load_or_create(path).kid == first.kid
    assert second.keep(path, PASSPHRASE, replace=True)
    assert SigningKey.load_or_create(path, PASSPHRASE).kid == second.kid
    assert [file.name for file in tmp_path.iterdir()] == ["one.json"]
