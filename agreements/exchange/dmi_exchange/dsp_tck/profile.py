"""The node of the test profile: datasets and agreements from the configuration file, steps from the scripts."""

from __future__ import annotations

import time
from collections.abc import Mapping
from typing import Any

import structlog
from fastapi import Request

from dmi_exchange.dsp.build import Parts
from dmi_exchange.dsp.courier import Behaviour
from dmi_exchange.dsp.negotiation import Negotiations
from dmi_exchange.dsp.offers import Entry, Offer, Page
from dmi_exchange.dsp.plane import HTTP
from dmi_exchange.dsp.process import Process
from dmi_exchange.dsp.steps import new_id
from dmi_exchange.dsp.transfer import Grant, Transfers
from dmi_exchange.dsp_tck.configuration import Ids, read_ids
from dmi_exchange.dsp_tck.scripts import SCRIPTS
from dmi_exchange.settings import ExchangeSettings
from dmi_infra import clock
from dmi_infra.errors import Conflict
from dmi_infra.http.access import place
from dmi_infra.lanes import Asker

log = structlog.get_logger("exchange")

PEER = "TCK_PARTICIPANT"
"""Whoever asks: the kit's header proves no participant."""
RULES: Mapping[str, Any] = {"permission": [{"action": "use"}]}
PAUSE_SECONDS = 0.4
"""Before each scripted step: the kit registers what it expects next only after it saw the step before."""
ABSENT = "CAT_01_03"
"""The scenario that asks for a dataset that is not there."""


async def kit_door(request: Request) -> str:
    """Everybody is the kit."""
    await place(request, Asker.by_nothing(PEER))
    return PEER


class ScriptedShelf:
    """A dataset with one offer for each scenario."""

    def __init__(self, ids: Ids, owner: str) -> None:
        self._owner = owner
        known = {
            dataset: ids.offers.get(case, f"offer{dataset}")
            for case, dataset in ids.datasets.items()
            if not case.startswith("CN_C") and case != ABSENT
        }
        self._offers = {
            dataset: Offer(identifier, dataset, owner, RULES) for dataset, identifier in known.items()
        }

    def page(self, after: str, before: str | None, limit: int, wanted: Mapping[str, str]) -> Page:
        """See ``offers.Shelf``."""
        names = [
            name
            for name in sorted(self._offers)
            if all(text in (name, self._owner) for text in wanted.values())
        ]
        if before is not None:
            found = [name for name in names if name < before][-limit:]
        else:
            found = [name for name in names if name > after][:limit]
        entries = [self._entry(self._offers[name]) for name in found]
        first, last = (found[0], found[-1]) if found else ("", "")
        is_before, is_after = any(name < first for name in names), any(name > last for name in names)
        return Page(entries, first if is_before else None, last if is_after else None)

    def entry(self, dataset: str) -> Entry | None:
        """See ``offers.Shelf``."""
        return self._entry(self._offers[dataset]) if dataset in self._offers else None

    @staticmethod
    def _entry(offer: Offer) -> Entry:
        return Entry(offer.dataset, offer.owner, {"en": offer.dataset}, {}, [offer], ("HttpData-PULL",))

    def offer(self, identifier: str) -> Offer | None:
        """See ``offers.Shelf``."""
        return next((offer for offer in self._offers.values() if offer.id == identifier), None)

    def useless(self, _dataset: str, _peer: str) -> str | None:
        """See ``offers.Shelf``."""
        return None

    def signs(self, _participant: str) -> bool:
        """See ``offers.Shelf``."""
        return True

    def draft(self, _process: Process) -> dict[str, Any]:
        """See ``offers.Shelf``."""
        return {}

    def agreement(self, process: Process, _jws: str | None) -> tuple[dict[str, Any], dict[str, str]]:
        """See ``offers.Shelf``."""
        return {
            "@id": new_id(),
            "@type": "Agreement",
            "target": process.dataset,
            "assigner": process.owner,
            "assignee": process.peer,
            "timestamp": clock.to_text(clock.now()),
            **RULES,
        }, {}

    def document(self, _process: Process) -> dict[str, Any] | None:
        """See ``offers.Shelf``."""
        return None

    def verification(self, _process: Process, _jws: str | None) -> dict[str, Any]:
        """See ``offers.Shelf``."""
        return {}

    def verified(self, process: Process, _body: Mapping[str, Any]) -> Process:
        """See ``offers.Shelf``."""
        return process

    def conclude(self, _process: Process) -> dict[str, Any]:
        """See ``offers.Shelf``."""
        return {}

    def undo(self, _process: Process) -> None:
        """See ``offers.Shelf``."""

    def keep(self, _process: Process) -> None:
        """See ``offers.Shelf``."""


class ScriptedPlane:
    """An agreement for each scenario, and no data."""

    def __init__(self, ids: Ids, owner: str) -> None:
        self._grants = {
            agreement: Grant(agreement, owner, (ids.formats.get(case, "HttpData-PULL"),))
            for agreement, case in ids.cases("TP").items()
        }

    def grant(self, agreement: str, _peer: str) -> Grant | None:
        """See ``transfer.DataPlane``."""
        return self._grants.get(agreement)

    def agreed(self, _agreement: str, _owner: str, _peer: str) -> str:
        """See ``transfer.DataPlane``."""
        return ""

    def foreseen(self, _process: Process) -> str | None:
        """See ``transfer.DataPlane``."""
        return None

    def target(self, _process: Process) -> dict[str, Any]:
        """See ``transfer.DataPlane``."""
        return {"@type": "DataAddress", "endpointType": HTTP, "endpoint": "http://127.0.0.1/nothing"}

    def start(self, _process: Process) -> dict[str, Any] | None:
        """See ``transfer.DataPlane``."""
        return {"@type": "DataAddress", "endpointType": HTTP, "endpoint": "http://127.0.0.1/nothing"}


class Scripted:
    """Takes the steps that the scripts tell."""

    def __init__(self, ids: Ids, negotiations: Negotiations, transfers: Transfers) -> None:
        self._negotiations = negotiations
        self._transfers = transfers
        self._cases = {
            ("negotiation", "provider"): ids.cases("CN"),
            ("negotiation", "consumer"): ids.cases("CN_C"),
            ("transfer", "provider"): ids.cases("TP"),
            ("transfer", "consumer"): ids.cases("TP_C"),
        }

    def __call__(self, process: Process) -> None:
        """See ``courier.Behaviour``."""
        about = process.dataset if process.kind == "negotiation" else process.agreement_id
        script = SCRIPTS.get(self._cases[process.kind, process.role].get(about, ""), ())
        action = script[process.steps - 1] if process.steps <= len(script) else None
        if action is None or process.over:
            return
        time.sleep(PAUSE_SECONDS)
        if self._negotiations.steps.processes.get(process.id).steps != process.steps:
            return
        log.info("a step of the test profile", process=process.id, about=about, action=action)
        try:
            self._act(process, action)
        except Conflict as exc:
            log.info("a step of the test profile has no place any more", process=process.id, reason=str(exc))

    def _act(self, process: Process, action: str) -> None:
        transfers, negotiations, identifier = self._transfers, self._negotiations, process.id
        match action:
            case "offer" | "request":
                negotiations.counter(identifier, {"@id": str(process.offer["@id"]), **RULES})
            case "accept":
                negotiations.accept(identifier)
            case "agree":
                negotiations.agree(identifier)
            case "verify":
                negotiations.verify(identifier)
            case "finalize":
                negotiations.finalize(identifier)
            case "start":
                transfers.start(identifier)
            case "suspend":
                transfers.suspend(identifier, "scripted")
            case "complete":
                transfers.complete(identifier)
            case "terminate":
                negotiations.steps.terminate(identifier, "scripted")
            case _:
                raise AssertionError(f"no such step: {action}")


def parts(settings: ExchangeSettings) -> Parts:
    """What stands in place of the node's own."""
    log.warning("this node runs the test profile dsp-tck: it lets every request in and keeps to scripts")
    ids = read_ids(settings.test_profile_file)
    owner = settings.stack_participant
    return Parts(ScriptedShelf(ids, owner), ScriptedPlane(ids, owner), kit_door, kit_door)


def behaviour(settings: ExchangeSettings, negotiations: Negotiations, transfers: Transfers) -> Behaviour:
    """The scripts, in place of what the node does by itself."""
    return Scripted(read_ids(settings.test_profile_file), negotiations, transfers)
