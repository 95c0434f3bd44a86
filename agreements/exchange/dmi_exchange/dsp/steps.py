"""A step of a process: a message that came in, or one that this node sends; stored before it is answered or sent."""

from __future__ import annotations

import uuid
from collections.abc import Callable, Mapping
from typing import Any

import msgspec

from dmi_agreements.dsp import states
from dmi_agreements.dsp.messages import Message, message
from dmi_agreements.dsp.states import IllegalStep, Kind, Side
from dmi_exchange.dsp.process import Outgoing, Process, other
from dmi_exchange.dsp.store import Change, Processes
from dmi_exchange.errors import StepRefused
from dmi_infra import clock
from dmi_infra.errors import Conflict, NotFound

AGREEMENT_END = "urn:dmi:AgreementEnd"
"""Our own message beside the protocol, which has none for it: a party has ended the agreement of a negotiation."""
PATHS: Mapping[str, str] = {
    states.REQUEST: "negotiations/{pid}/request",
    states.OFFER: "negotiations/{pid}/offers",
    states.EVENT_ACCEPTED: "negotiations/{pid}/events",
    states.AGREEMENT: "negotiations/{pid}/agreement",
    states.VERIFICATION: "negotiations/{pid}/agreement/verification",
    states.EVENT_FINALIZED: "negotiations/{pid}/events",
    states.NEGOTIATION_TERMINATION: "negotiations/{pid}/termination",
    AGREEMENT_END: "negotiations/{pid}/end",
    states.START: "transfers/{pid}/start",
    states.SUSPENSION: "transfers/{pid}/suspension",
    states.COMPLETION: "transfers/{pid}/completion",
    states.TRANSFER_TERMINATION: "transfers/{pid}/termination",
}
"""Where a message goes under the other side's address; ``pid`` is the other side's id of the process."""
BEGINNINGS: Mapping[str, str] = {
    states.REQUEST: "negotiations/request",
    states.OFFER: "negotiations/offers",
    states.TRANSFER_REQUEST: "transfers/request",
}
TERMINATIONS: Mapping[Kind, str] = {
    "negotiation": states.NEGOTIATION_TERMINATION,
    "transfer": states.TRANSFER_TERMINATION,
}

Accept = Callable[[Process], Process]
"""What a message says about the process, checked; raises ``StepRefused``."""


def new_id() -> str:
    """An id of a process or message."""
    return f"urn:uuid:{uuid.uuid4()}"


def outgoing(process: Process, name: str, **members: Any) -> Outgoing:
    """A message of this process to its other side."""
    body = message(
        name,
        new_id(),
        consumerPid=process.consumer_pid or None,
        providerPid=process.provider_pid or None,
        **members,
    )
    path = BEGINNINGS[name] if process.peer_pid is None else PATHS[name].format(pid=process.peer_pid)
    return Outgoing(name, path, body)


def moved(process: Process, state: str, **changes: Any) -> Process:
    """The process in its new state; what it waited for is past."""
    changes = {"reason": "", **changes}
    return msgspec.structs.replace(
        process, state=state, changed_at=clock.now(), steps=process.steps + 1, **changes
    )


class Steps:
    """Receives and takes steps."""

    def __init__(self, processes: Processes, wake: Callable[[], None]) -> None:
        self.processes = processes
        self.wake = wake

    def visible(self, kind: Kind, identifier: str, peer: str) -> Process:
        """A process for the party on its other side; raises ``NotFound`` for everybody else."""
        found = self.processes.get(identifier)
        if found.kind != kind or found.peer != peer:
            raise NotFound(f"no {kind} of yours has this id")
        return found

    def receive(self, kind: Kind, identifier: str, came: Message, peer: str, accept: Accept) -> Process:
        """Take a message of the other side. One that was taken before changes nothing."""

        def decide(known: Process, was_received: Callable[[str], bool]) -> Change | None:
            if known.kind != kind or known.peer != peer:
                raise NotFound(f"no {kind} of yours has this id")
            known = _with_pids(known, came)
            if was_received(came.digest) and (came.id is not None or _is_after(known, came.type)):
                return None
            try:
                state = states.after(kind, known.state, came.type, other(known.role), known.suspended_by)
            except IllegalStep as exc:
                raise StepRefused(exc.rule, process=known) from exc
            after = _ended(moved(accept(known), state), came, other(known.role))
            more = not after.over or _unfinished(after)
            return Change(after, advance=more, silence=state == states.TERMINATED)

        return self.processes.change(identifier, decide, came.digest)

    def take(
        self,
        identifier: str,
        name: str,
        members: Callable[[Process], Mapping[str, Any]] | None = None,
        **changes: Any,
    ) -> Process:
        """Move a process by a message of this node, which is sent as soon as the step is stored."""

        def decide(known: Process, _received: Callable[[str], bool]) -> Change:
            try:
                state = states.after(known.kind, known.state, name, known.role, known.suspended_by)
            except IllegalStep as exc:
                raise Conflict.of("state", exc.rule, known.state) from exc
            if known.peer_pid is None and state != states.TERMINATED:
                raise Conflict.of("state", "the other side has not answered yet", known.state)
            ended: dict[str, Any] = {"ended_by": known.role} if state == states.TERMINATED else {}
            after = moved(known, state, **ended, **changes)
            if known.peer_pid is None:
                # The other side gave it no id yet, so nothing can be told about it; its request is taken back.
                return Change(after, silence=True)
            said = outgoing(after, name, **(members(after) if members else {}))
            return Change(after, said, advance=state == states.TERMINATED and _unfinished(after))

        after = self.processes.change(identifier, decide)
        self.wake()
        return after

    def terminate(self, identifier: str, reason: str, code: str = "ended") -> Process:
        """End a process from this side, at any moment before it has ended."""
        name = TERMINATIONS[self.processes.get(identifier).kind]
        return self.take(identifier, name, lambda _process: {"code": code, "reason": [reason]}, reason=reason)

    def wait(self, process: Process, reason: str) -> Process:
        """Note why a process does not go on by itself, unless it has gone on since it was looked at."""

        def decide(known: Process, _received: Callable[[str], bool]) -> Change | None:
            if known.over or known.reason == reason or known.steps != process.steps:
                return None
            return Change(msgspec.structs.replace(known, reason=reason[:1000]))

        return self.processes.change(process.id, decide)


def _unfinished(process: Process) -> bool:
    """Whether this node has something to do at the end of a negotiation.

    A consumer keeps the agreement. A provider ends one that it had begun to conclude.
    """
    if process.kind != "negotiation":
        return False
    if process.state == states.FINALIZED:
        return process.role == "consumer"
    return process.role == "provider" and bool(process.agreement_id)


def _with_pids(known: Process, came: Message) -> Process:
    """The process with the other side's id of it, which its first message may tell before its answer does."""
    theirs: Side = other(known.role)
    if came.pid(known.role) != known.id:
        raise StepRefused(f"/{known.role}Pid: must be the id in the address", process=known)
    given = came.pid(theirs)
    if known.peer_pid is None:
        return msgspec.structs.replace(known, peer_pid=given)
    if given is not None and given != known.peer_pid:
        raise StepRefused(f"/{theirs}Pid: belongs to another process", process=known)
    return known


def _is_after(known: Process, name: str) -> bool:
    step = states.STEPS[known.kind].get(name)
    return step is not None and step.after == known.state


def _ended(process: Process, came: Message, by: Side) -> Process:
    if process.state == states.SUSPENDED:
        return msgspec.structs.replace(process, suspended_by=by, reason=_told(by, came))
    if process.state != states.TERMINATED:
        return process
    return msgspec.structs.replace(process, ended_by=by, reason=_told(by, came))


def _told(by: Side, came: Message) -> str:
    code = came.body.get("code", "")
    said = "; ".join(came.reasons) or (f"code {code}" if code else "no reason given")
    return f"the {by}: {said}"[:1000]
