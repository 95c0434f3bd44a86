"""Keys: a new one in place of an old one, a stolen one ended, and all that lie here sealed."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any

import typer

from dmi_command.blueprints import SERVICES, read_settings
from dmi_command.client import Client
from dmi_command.commands.participants import participant_app
from dmi_command.console import DEFAULT_URL, As, AsJson, KeyFile, Url, connect, out, own_key, show, whole_name
from dmi_command.errors import UsageWrong
from dmi_command.holding import own_folder, own_services
from dmi_infra import clock, keyfile
from dmi_infra.jose import SigningKey
from dmi_infra.settings import SHORTEST

ParticipantId = Annotated[str, typer.Argument(help="Id of the participant", callback=whole_name)]


def register(app: typer.Typer) -> None:
    """Add the commands of this subject; two of them stand under ``participant``."""
    participant_app.command("rotate")(rotate)
    # One thumbprint in 64 begins with a hyphen: it is the name of a key, not an option.
    participant_app.command("revoke-key", context_settings={"ignore_unknown_options": True})(revoke_key)
    app.add_typer(keys_app, name="keys", help="Private keys in the data folder.")


keys_app = typer.Typer(no_args_is_help=True)


@keys_app.callback()
def _group() -> None:
    """Private keys in the data folder."""


def rotate(
    participant: ParticipantId,
    key: KeyFile = None,
    overlap: Annotated[
        int, typer.Option(min=0, max=30 * 86_400, help="Seconds for which the old key still counts")
    ] = 3600,
    url: Url = DEFAULT_URL,
    who: As = None,
    as_json: AsJson = False,
) -> None:
    """Put a new key in the place of an old one, without a break: both count for the overlap.

    With --key the file holds the new key afterwards; without it the node renews a key that it keeps, for its
    operator (DMI_TOKEN: dmi token).
    """
    if key is None:
        with connect(url, who) as client:
            body: dict[str, Any] = {"hosted": True, "overlap_seconds": overlap}
            answer = client.post(f"/exchange/v1/participants/{participant}/keys", body)
    else:
        answer = _rotate_own(url, participant, key, overlap)
    newest = answer["keys"][-1]["kid"]
    ending = [f"{each['kid']} at {_moment(each['exp'])}" for each in answer["keys"] if "exp" in each]
    show(answer if as_json else {"id": participant, "key": newest, "ending": ending}, as_json)


def _moment(seconds: int) -> str:
    return clock.to_text(seconds * 1_000_000)


def _rotate_own(url: str, participant: str, key: Path, overlap: int) -> Any:
    if not key.exists():
        raise UsageWrong(f"--key: there is no file {key}")
    old = own_key(key)
    # A file that an interrupted rotation left is gone on with: its key may have been announced already.
    coming = key.with_name(f"{key.name}.new")
    new = own_key(coming)
    path = f"/exchange/v1/participants/{participant}/keys"
    with Client(url, participant=participant, key=old) as client:
        statement = client.get(f"{path}/announcement", kid=new.kid, overlap_seconds=overlap)
        body = {
            "key": new.public,
            "jws": old.sign_document(statement),
            "proof": new.sign_document(statement),
            "overlap_seconds": overlap,
        }
        answer = client.post(path, body)
    coming.replace(key)
    return answer


def revoke_key(
    participant: ParticipantId,
    kid: Annotated[
        str, typer.Argument(help="Name of the key (kid), as dmi participant list --json shows it")
    ],
    reason: Annotated[str, typer.Option(help="unspecified, compromised or superseded")] = "compromised",
    key: KeyFile = None,
    url: Url = DEFAULT_URL,
    who: As = None,
    as_json: AsJson = False,
) -> None:
    """End a key at once and for good, with every access token that it proved.

    --key is one of the participant's own; the operator fills DMI_TOKEN (dmi token).
    """
    with connect(url, who, key, participant if key else None) as client:
        path = f"/exchange/v1/participants/{participant}/keys/{kid}/revocation"
        answer = client.post(path, {"reason": reason})
    alive = [each["kid"] for each in answer["keys"] if "revoked" not in each]
    show(answer if as_json else {"id": participant, "revoked": kid, "left": alive}, as_json)


@keys_app.command("protect")
def protect(
    new_passphrase_file: Annotated[
        Path | None,
        typer.Option(help="File with the passphrase to seal with from now on, in place of the present one"),
    ] = None,
) -> None:
    """Seal every private key of the data folder with the passphrase of the settings; the stack must be stopped."""
    settings = read_settings()
    present = settings.passphrase()
    wanted = present if new_passphrase_file is None else _passphrase(new_passphrase_file)
    if wanted is None:
        raise UsageWrong("set DMI_KEY_PASSPHRASE or DMI_KEY_PASSPHRASE_FILE, or give --new-passphrase-file")
    with own_folder(settings), own_services(settings, tuple(SERVICES)):
        files = sorted((settings.data_dir / "keys").glob("*.json"))
        # All are read before the first is written: one that another passphrase sealed stops before anything changed.
        try:
            opened = [(file, SigningKey(keyfile.read(file, present))) for file in files]
        except keyfile.KeyFault as exc:
            raise UsageWrong(str(exc)) from exc
        for file, key in opened:
            key.keep(file, wanted, replace=True)
    out.print(f"{len(files)} keys sealed")


def _passphrase(file: Path) -> str:
    if not file.is_file():
        raise UsageWrong(f"--new-passphrase-file: there is no file {file}")
    found = file.read_text().strip()
    if len(found) < SHORTEST:
        raise UsageWrong(f"--new-passphrase-file must hold at least {SHORTEST} characters")
    return found
