"""A backup of the stack in one file, and the way back."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from dmi_command.blueprints import SERVICES, read_settings
from dmi_command.console import AsJson, show
from dmi_command.errors import CannotStart
from dmi_command.holding import own_folder, own_services


def register(app: typer.Typer) -> None:
    """Add the commands of this subject."""
    app.command("backup")(backup)
    app.command("restore")(restore)


def backup(
    file: Annotated[Path, typer.Argument(help="File to write; it must not exist")], as_json: AsJson = False
) -> None:
    """Write stores, bus, keys and files of the data folder (or database) to one file, also while the stack runs.

    Beside make up-server it must run: what PostgreSQL holds is asked from it.
    Keys are in it as they lie in the folder: sealed, where DMI_KEY_PASSPHRASE is set. Keep the passphrase apart.
    """
    from dmi_command import backups  # it opens stores, which few commands need

    try:
        manifest = backups.backup(read_settings(), file)
    except OSError as exc:
        raise CannotStart(f"{file} cannot be written: {exc.strerror}") from exc
    show({"file": str(file), "at": manifest["at"], "files": len(manifest["files"])}, as_json)


def restore(
    file: Annotated[Path, typer.Argument(help="A backup that dmi backup wrote")],
    servers: Annotated[
        bool, typer.Option("--servers", help="Into PostgreSQL in the data folder, as make up-server has it.")
    ] = False,
    as_json: AsJson = False,
) -> None:
    """Bring a backup back into an empty data folder (and database), and verify its log from the first entry."""
    from dmi_command import backups  # as above

    settings = read_settings()
    with own_folder(settings), own_services(settings, tuple(SERVICES)):
        state = backups.restore(settings, file, servers=servers)
    restored = {"data_dir": str(settings.data_dir), "log_entries": state.count, "log_head": state.head}
    show(restored, as_json)
