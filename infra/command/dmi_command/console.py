"""What every command shares: who asks, how answers are shown, how failures end."""

from __future__ import annotations

import json
import os
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Annotated, Any

import typer
from rich.console import Console

from dmi_agreements.mandates import MOMENT_RULE
from dmi_command.blueprints import read_settings, stack_address
from dmi_command.client import Client
from dmi_command.errors import UsageWrong
from dmi_command.layout import print_members, print_rows
from dmi_command.naming import entries_in_brief, in_brief
from dmi_infra import clock
from dmi_infra.jose import SigningKey
from dmi_infra.keyfile import KeyFault

# Without emoji: ids have colons, and ``urn:x:1`` would be shown as a cross.
out = Console(highlight=False, emoji=False)
err = Console(stderr=True, highlight=False, emoji=False)


def _address(given: str) -> str:
    """The address that ``--url`` gives, else the one that the settings tell."""
    address = given or stack_address(read_settings())
    if not address.startswith(("http://", "https://")):
        named = "--url" if given else "setting DMI_PUBLIC_URL"
        raise UsageWrong(f"{named} must begin with http:// or https://, not {address}")
    return address


def named(url: str) -> str:
    """The option that names this address, for a command to copy; empty where the settings tell it."""
    return "" if url == _address("") else f" --url {url}"


def moment(option: typer.CallbackParam, given: str | None) -> str | None:
    """A moment that ``option`` gives; raises ``UsageWrong`` for what is none."""
    if given is not None:
        try:
            clock.from_text(given)
        except ValueError as exc:
            raise UsageWrong(f"{_said(option)} {MOMENT_RULE}, not {given}") from exc
    return given


def whole_name(option: typer.CallbackParam, given: str | None) -> str | None:
    """The id of a participant, person or machine that ``option`` gives; raises ``UsageWrong`` for a bare name.

    The stack would answer that the key of who bears it is not known.
    """
    if given is not None and not given.startswith("urn:"):
        rule = "must be a whole id, such as urn:dmi:participant:gemeente"
        raise UsageWrong(f"{_said(option)} {rule}, not {given}")
    return given


def _said(option: typer.CallbackParam) -> str:
    return str(option.name).upper() if option.param_type_name == "argument" else option.opts[0]


DEFAULT_URL = ""
"""Stands for what the settings tell; they are read when a command runs, not when it is imported."""

Url = Annotated[
    str,
    typer.Option(
        "--url",
        help="Address of the stack.",
        callback=_address,
        show_default="DMI_PUBLIC_URL, else DMI_HOST and DMI_PORT",
    ),
]
As = Annotated[
    str | None,
    typer.Option(
        "--as",
        help="Demonstration identity: officer, vendor, analyst, resident, operator, inspector. Without it, --key and "
        "DMI_TOKEN: the officer for agreements, import and export, the resident for consents, the inspector for "
        "supervision, the operator for the rest.",
    ),
]
KeyFile = Annotated[Path | None, typer.Option("--key", help="Private key (JWK) of your participant.")]
Participant = Annotated[
    str | None,
    typer.Option("--participant", help="Your participant's id, with --key.", callback=whole_name),
]
Purpose = Annotated[
    str | None,
    typer.Option("--purpose", help="A purpose of the rulebook; left out: what the dataset is collected for."),
]
AsJson = Annotated[bool, typer.Option("--json", help="Print JSON on standard output.")]
Wide = Annotated[bool, typer.Option("--wide", help="Print ids whole, however wide the terminal is.")]


def connect(
    url: str,
    demo: str | None,
    key: Path | None = None,
    participant: str | None = None,
    purpose: str | None = None,
    default: str = "operator",
) -> Client:
    """A client for the identity that the options name: a key, ``DMI_TOKEN``, else a demonstration identity."""
    if key is not None:
        if participant is None:
            raise UsageWrong("--key needs --participant, the id that the key belongs to")
        if not key.exists():
            raise UsageWrong(f"--key: there is no file {key}")
        return Client(url, participant=participant, key=own_key(key), purpose=purpose)
    token = os.environ.get("DMI_TOKEN")
    if token is not None and demo is None:
        if not token.strip():
            # What should have filled it has failed: whoever then acts must not be somebody else.
            raise UsageWrong("DMI_TOKEN is empty: fill it with a token, or unset it")
        return Client(url, token=token.strip(), purpose=purpose)
    return Client(url, demo=demo or default, purpose=purpose)


def own_key(path: Path) -> SigningKey:
    """The private key in a file, made when there is none; sealed ones open with the passphrase of the settings."""
    try:
        return SigningKey.load_or_create(path, read_settings().passphrase())
    except KeyFault as exc:
        raise UsageWrong(str(exc)) from exc
    except (ValueError, KeyError, OSError) as exc:
        raise UsageWrong(f"--key: {path} holds no private key (JWK)") from exc


def show(value: Any, as_json: bool, columns: Sequence[str] = ()) -> None:
    """Print an answer: JSON, a table of these columns for a list, or one line a member for an object."""
    if as_json:
        typer.echo(json.dumps(value, indent=2, ensure_ascii=False))
    elif isinstance(value, Mapping) and "items" in value and columns:
        print_rows(out, value["items"], columns)
    elif isinstance(value, Mapping):
        print_members(out, value)
    else:
        out.print(value)


def show_papers(answer: Mapping[str, Any], as_json: bool, columns: Sequence[str], wide: bool) -> None:
    """Print a list of agreements or consents; on a terminal too narrow for whole ids with the short ones."""
    note = "short ids, which the commands take; --wide or --json shows them whole"
    _show_brief(answer, as_json, columns, wide, in_brief, note)


def show_entries(answer: Mapping[str, Any], as_json: bool, columns: Sequence[str], wide: bool) -> None:
    """Print entries of the log; on a terminal too narrow for whole ids with the names that people say."""
    note = "names without urn:dmi:; --wide or --json shows the ids whole"
    _show_brief(answer, as_json, columns, wide, entries_in_brief, note)


def _show_brief(
    answer: Mapping[str, Any],
    as_json: bool,
    columns: Sequence[str],
    wide: bool,
    brief: Callable[[Sequence[Mapping[str, Any]]], list[dict[str, Any]]],
    note: str,
) -> None:
    if as_json:
        show(answer, True)
    elif print_rows(out, answer["items"], columns, brief(answer["items"]), wide):
        err.print(f"[dim]{note}[/dim]")
