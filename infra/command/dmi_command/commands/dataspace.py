"""Exchange with other nodes: their catalogues, negotiations with their participants, and the data of agreements."""

from __future__ import annotations

import json
import time
from typing import Annotated, Any

import typer

from dmi_command.client import Client
from dmi_command.console import (
    DEFAULT_URL,
    As,
    AsJson,
    KeyFile,
    Participant,
    Url,
    Wide,
    connect,
    err,
    own_key,
    show,
    show_papers,
)
from dmi_command.errors import CommandFailed, UsageWrong
from dmi_command.naming import whole_id
from dmi_infra.jose import SigningKey

dataspace_app = typer.Typer(no_args_is_help=True)

NegotiationId = Annotated[str, typer.Argument(help="Id of the negotiation, or its first 8 characters")]
TransferId = Annotated[str, typer.Argument(help="Id of the transfer, or its first 8 characters")]
Reason = Annotated[str, typer.Option("--reason", help="Why; the other side is told.")]
ENDED = ("FINALIZED", "TERMINATED")
WAIT_SECONDS = 30.0


def register(app: typer.Typer) -> None:
    """Add the commands of this subject."""
    app.add_typer(
        dataspace_app, name="dataspace", help="Negotiate with other nodes and exchange data with them."
    )


def _post(client: Client, path: str, body: Any = None) -> Any:
    return client.post(f"/exchange/v1/{path}", {} if body is None else body)


@dataspace_app.command("nodes")
def nodes(
    url: Url = DEFAULT_URL,
    who: As = None,
    key: KeyFile = None,
    participant: Participant = None,
    as_json: AsJson = False,
) -> None:
    """List the nodes that this one knows, and whether they answer."""
    with connect(url, who, key, participant) as client:
        show(client.get("/exchange/v1/nodes"), as_json, ["url", "operator", "reachable", "reason"])


@dataspace_app.command("catalogue")
def catalogue(
    node: Annotated[str, typer.Argument(help="Address of a node that dmi dataspace nodes lists")],
    text: Annotated[str | None, typer.Option("--text", help="Words of the title or description.")] = None,
    url: Url = DEFAULT_URL,
    who: As = None,
    key: KeyFile = None,
    participant: Participant = None,
    as_json: AsJson = False,
) -> None:
    """Show what another node offers."""
    with connect(url, who, key, participant) as client:
        found = client.get("/exchange/v1/nodes/catalogue", node=node, text=text)
    if not as_json:
        for item in found["items"]:
            item["title"] = next(iter(item["title"].values()), "")
            item["offers"] = [_in_short(offer) for offer in item["offers"]]
    show(found, as_json, ["dataset", "owner", "title", "offers"])
    if found["left_out"] and not as_json:
        typer.echo(f"entries that cannot be read, left out: {found['left_out']}", err=True)


def _in_short(offer: dict[str, Any]) -> str:
    actions = [str(rule.get("action", "")).rpartition(":")[2] for rule in offer.get("permission", ())]
    return f"{offer['@id'].rpartition(':')[2][:8]} {', '.join(dict.fromkeys(actions))}"


@dataspace_app.command("offer")
def offer(
    dataset: Annotated[str, typer.Argument(help="Dataset of yours")],
    template: Annotated[str, typer.Argument(help="Template of the rulebook, for example sensor-data")],
    parameters: Annotated[str, typer.Option("--parameters", help="Its parameters as a JSON object")] = "{}",
    url: Url = DEFAULT_URL,
    who: As = None,
    key: KeyFile = None,
    participant: Participant = None,
    as_json: AsJson = False,
) -> None:
    """Offer a dataset of yours to whoever accepts the conditions."""
    try:
        filled = json.loads(parameters)
    except ValueError as exc:
        raise UsageWrong(f"--parameters: not JSON ({exc})") from exc
    with connect(url, who, key, participant, default="officer") as client:
        body = {"dataset": dataset, "template": template, "parameters": filled}
        show(_post(client, "offers", body), as_json)


@dataspace_app.command("negotiate")
def negotiate(
    node: Annotated[str, typer.Argument(help="Address of the node that offers it")],
    dataset: Annotated[str, typer.Argument(help="The dataset")],
    wanted: Annotated[
        str, typer.Option("--offer", help="Beginning of the offer's id; left out: the first")
    ] = "",
    wait: Annotated[bool, typer.Option("--wait/--no-wait", help="Wait until it is final.")] = True,
    url: Url = DEFAULT_URL,
    who: As = None,
    key: KeyFile = None,
    participant: Participant = None,
    as_json: AsJson = False,
) -> None:
    """Ask another node's participant for an agreement about an offer of its catalogue."""
    with connect(url, who, key, participant) as client:
        found = client.get("/exchange/v1/nodes/catalogue", node=node, dataset=dataset)["items"]
        offers = [
            (item, each)
            for item in found
            for each in item["offers"]
            if str(each["@id"]).rpartition(":")[2].startswith(wanted)
        ]
        if not offers:
            raise UsageWrong(f"{node} has no such offer of {dataset}")
        item, chosen = offers[0]
        body = {"provider": item["owner"], "address": item["address"], "dataset": dataset, "offer": chosen}
        begun = _post(client, "negotiations", body)
        until = time.monotonic() + WAIT_SECONDS
        signer = own_key(key) if key else None
        while wait and begun["state"] not in ENDED and time.monotonic() < until:
            time.sleep(0.1)
            if signer is not None and begun["state"] == "AGREED":
                begun = _signed(client, begun["id"], signer)
            begun = client.get(f"/exchange/v1/negotiations/{begun['id']}")
        show(begun, as_json)
        if wait and begun["state"] != "FINALIZED":
            raise CommandFailed(
                f"the negotiation is {begun['state']}: {begun['reason'] or 'no reason given'}"
            )


@dataspace_app.command("negotiations")
def negotiations(
    url: Url = DEFAULT_URL,
    who: As = None,
    key: KeyFile = None,
    participant: Participant = None,
    wide: Wide = False,
    as_json: AsJson = False,
) -> None:
    """List your negotiations (operator: all)."""
    with connect(url, who, key, participant) as client:
        columns = ["id", "role", "state", "other", "dataset", "reason"]
        show_papers(client.get("/exchange/v1/negotiations"), as_json, columns, wide)


@dataspace_app.command("sign")
def sign(
    negotiation: NegotiationId,
    url: Url = DEFAULT_URL,
    who: As = None,
    key: KeyFile = None,
    participant: Participant = None,
    as_json: AsJson = False,
) -> None:
    """Sign the agreement that a negotiation waits for; what you sign with a key of your own is printed."""
    with connect(url, who, key, participant, default="officer") as client:
        identifier = whole_id(client, negotiation, "negotiations")
        show(_signed(client, identifier, own_key(key) if key else None), as_json)


def _signed(client: Client, identifier: str, signer: SigningKey | None) -> Any:
    path = f"negotiations/{identifier}"
    if signer is None:
        return _post(client, f"{path}/signature", {"hosted": True})
    document = client.get(f"/exchange/v1/{path}/document")
    # Nobody puts a name under what it has not been shown.
    err.print("You sign:")
    err.print_json(data=document)
    return _post(client, f"{path}/signature", {"jws": signer.sign_document(document)})


@dataspace_app.command("end")
def end(
    negotiation: NegotiationId,
    reason: Reason = "ended by hand",
    url: Url = DEFAULT_URL,
    who: As = None,
    key: KeyFile = None,
    participant: Participant = None,
    as_json: AsJson = False,
) -> None:
    """End a negotiation."""
    with connect(url, who, key, participant) as client:
        identifier = whole_id(client, negotiation, "negotiations")
        show(_post(client, f"negotiations/{identifier}/end", {"reason": reason}), as_json)


@dataspace_app.command("transfer")
def transfer(
    negotiation: NegotiationId,
    form: Annotated[
        str,
        typer.Option(
            "--format", help="ServerSentEvents-PULL, HttpData-PULL, HttpData-PUSH, or (with --own) Kafka-PULL"
        ),
    ] = "ServerSentEvents-PULL",
    own: Annotated[
        bool, typer.Option("--own", help="For a program of yours, which fetches the data itself.")
    ] = False,
    url: Url = DEFAULT_URL,
    who: As = None,
    key: KeyFile = None,
    participant: Participant = None,
    as_json: AsJson = False,
) -> None:
    """Let the data of a negotiated agreement flow, into this node or to a program of yours."""
    with connect(url, who, key, participant) as client:
        identifier = whole_id(client, negotiation, "negotiations")
        found = client.get(f"/exchange/v1/negotiations/{identifier}")
        body = {
            "provider": found["other"], "address": found["address"], "agreement": found["agreement"],
            "format": form, "own": own,
        }  # fmt: skip
        show(_post(client, "transfers", body), as_json)


@dataspace_app.command("transfers")
def transfers(
    url: Url = DEFAULT_URL,
    who: As = None,
    key: KeyFile = None,
    participant: Participant = None,
    wide: Wide = False,
    as_json: AsJson = False,
) -> None:
    """List your transfers (operator: all)."""
    with connect(url, who, key, participant) as client:
        columns = ["id", "role", "state", "format", "other", "dataset", "data", "reason"]
        show_papers(client.get("/exchange/v1/transfers"), as_json, columns, wide)


def _step(asking: Client, name: str, transfer: str, as_json: bool, reason: str | None = None) -> None:
    with asking as client:
        identifier = whole_id(client, transfer, "transfers")
        body = {} if reason is None else {"reason": reason}
        show(_post(client, f"transfers/{identifier}/{name}", body), as_json)


@dataspace_app.command("suspend")
def suspend(
    transfer: TransferId,
    reason: Reason = "suspended by hand",
    url: Url = DEFAULT_URL,
    who: As = None,
    key: KeyFile = None,
    participant: Participant = None,
    as_json: AsJson = False,
) -> None:
    """Let the data of a transfer wait."""
    _step(connect(url, who, key, participant), "suspend", transfer, as_json, reason)


@dataspace_app.command("resume")
def resume(
    transfer: TransferId,
    url: Url = DEFAULT_URL,
    who: As = None,
    key: KeyFile = None,
    participant: Participant = None,
    as_json: AsJson = False,
) -> None:
    """Let the data of a transfer that you suspended flow again."""
    _step(connect(url, who, key, participant), "start", transfer, as_json)


@dataspace_app.command("stop")
def stop(
    transfer: TransferId,
    reason: Reason = "stopped by hand",
    url: Url = DEFAULT_URL,
    who: As = None,
    key: KeyFile = None,
    participant: Participant = None,
    as_json: AsJson = False,
) -> None:
    """End a transfer."""
    _step(connect(url, who, key, participant), "end", transfer, as_json, reason)


@dataspace_app.command("deliveries")
def deliveries(
    transfer: TransferId,
    url: Url = DEFAULT_URL,
    who: As = None,
    key: KeyFile = None,
    participant: Participant = None,
    as_json: AsJson = False,
) -> None:
    """Show what was given under a transfer, piece by piece, with its entry in the log."""
    with connect(url, who, key, participant) as client:
        identifier = whole_id(client, transfer, "transfers")
        found = client.get(f"/exchange/v1/transfers/{identifier}/deliveries")
        show(found, as_json, ["at", "rows", "log", "record"])
