"""Access to routes: every route is public by the short list, for signed-in identities, or gated."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field, replace
from functools import partial
from typing import Annotated, Final

from fastapi import Depends, Header, Query, Request
from starlette.types import Scope

from dmi_agreements.decision import Reason
from dmi_agreements.persons import RESIDENT, represents
from dmi_agreements.policy.terms import PERSON
from dmi_agreements.table import LawTable
from dmi_agreements.uses import Key, Keys
from dmi_infra import clock
from dmi_infra.errors import InputRefused, Refused, Unauthenticated
from dmi_infra.gate import Gate, Permit
from dmi_infra.http.shares import Shares
from dmi_infra.identity import Identity, LawBehind
from dmi_infra.jose import LEEWAY_SECONDS, Acting
from dmi_infra.lanes import Asker
from dmi_infra.room import whose_share
from dmi_infra.runtime import Runtime

PURPOSE_HEADER = "DMI-Purpose"
_ASKER: Final = "dmi.asker"
"""In the scope of a request: who asks, as its door found."""
_READS: Final = frozenset({"GET", "HEAD"})
_NOBODY_AGREED: Final = frozenset({"no_agreement", "unknown_dataset"})
AWAITED_SECONDS: Final = 1.0
"""How long a token that is newer than the law known here is kept waiting; the law takes milliseconds."""
AWAIT_STEP_SECONDS: Final = 0.05


def runtime_of(request: Request) -> Runtime:
    """The runtime of the service that answers this request."""
    runtime: Runtime = request.app.state.runtime
    return runtime


# The doors are coroutines, since each only looks into memory: a thread for each would cost more than the look.
async def _service_runtime(request: Request) -> Runtime:
    return runtime_of(request)


async def identify(request: Request) -> Identity:
    """The identity of the bearer token; 401 without one that holds, 503 while no token can be judged."""
    header = request.headers.get("authorization", "")
    scheme, _, token = header.partition(" ")
    if scheme.lower() != "bearer" or not token:
        raise Unauthenticated("this needs an access token in the header Authorization: Bearer …")
    runtime = runtime_of(request)
    # From before the token is judged: the law may be read to its end meanwhile.
    stale = runtime.law.table.stale(clock.now())
    try:
        return await _authenticated(runtime, token.strip())
    except Unauthenticated:
        stale = stale or runtime.law.table.stale(clock.now())
        if stale is not None:
            # A process that has not read the law yet knows no keys: that is no fault of the token.
            raise Refused([stale]) from None
        raise


async def placed(request: Request, identity: Annotated[Identity, Depends(identify)]) -> Identity:
    """The identity of the bearer token, once there is a place in the share of who asks; 503 where there is none.

    A machine has its place among those of its participant, who acts by a mandate among its own.
    """
    await place(request, asker_of(request, identity))
    return identity


def asker_of(request: Request, identity: Identity) -> Asker:
    """In whose name a request stands in line that the token of an identity let in, as long as its keys count."""
    runtime = runtime_of(request)
    return Asker(whose_share(runtime.law.table, identity), partial(_still, runtime, identity))


def _still(runtime: Runtime, identity: Identity) -> None:
    stale = runtime.law.table.stale(clock.now())
    if stale is not None:
        raise Refused([stale])
    runtime.authenticate.check_keys(identity)


async def place(request: Request, asker: Asker) -> None:
    """Wait for a place of who asks for this request, see ``Shares.take``; in further lines it stands as the same."""
    request.scope[_ASKER] = asker
    shares: Shares = request.app.state.shares
    await shares.take(request.scope, asker)


def let_in(request: Request) -> Asker:
    """In whose name a request stands in line that a door has let in."""
    found: Asker = request.scope[_ASKER]
    return found


def let_in_already(scope: Scope) -> Asker | None:
    """The same of a request whose body is about to be read; ``None`` where that is before any door."""
    found: Asker | None = scope.get(_ASKER)
    return found


# Behind the door of its route: it stands after that among the parameters.
async def _let_in(request: Request) -> Asker:
    return let_in(request)


async def _authenticated(runtime: Runtime, token: str) -> Identity:
    """The identity of a token. One that is newer than the law known here waits for it, no longer than a moment."""
    until = time.monotonic() + AWAITED_SECONDS
    while True:
        try:
            return runtime.authenticate(token)
        except LawBehind:
            if time.monotonic() >= until or runtime.law.table.stale(clock.now()) is not None:
                raise
        await asyncio.sleep(AWAIT_STEP_SECONDS)


async def law_known(request: Request) -> None:
    """A dependency of what everybody is told as long as its ground holds: 503 while nobody can tell what has ended."""
    stale = runtime_of(request).law.table.stale(clock.now())
    if stale is not None:
        raise Refused([stale])


async def mandated(request: Request, identity: Annotated[Identity, Depends(placed)]) -> Identity:
    """As ``member``, also for somebody who acts for the participant by a mandate: for gated routes alone."""
    return _standing(request, identity, lawful=request.method in _READS)


def _standing(request: Request, identity: Identity, lawful: bool) -> Identity:
    """The identity, when its participant is active and has signed.

    ``lawful``: what the law gives a natural person about its data, before it signs and as long as any is kept; it has
    no other role then.
    """
    runtime = runtime_of(request)
    stale = runtime.law.table.stale(clock.now())
    if stale is not None:
        raise Refused([stale])
    participant = runtime.law.table.participants.get(identity.participant)
    spared = lawful and identity.participant.startswith(PERSON)
    if participant is None or not (participant.active or spared):
        raise Refused([Reason("inactive_participant", "this participant is not, or no longer, a member")])
    if participant.active and participant.rulebook in runtime.rulebook.accepted:
        return identity
    if not spared:
        raise Refused(
            [Reason("rulebook_not_signed", "sign the rulebook first: until then nothing else is allowed")]
        )
    return replace(identity, roles=frozenset({RESIDENT}))


async def member(request: Request, identity: Annotated[Identity, Depends(placed)]) -> Identity:
    """An identity whose participant is active and has signed the rulebook; 403 before that.

    A natural person may look before it signs anything, and after it has left: the gate and each route show it what is
    its own. A mandate opens data by the gate, and nothing else of the mandator's.
    """
    return _standing(request, _itself(identity), lawful=request.method in _READS)


async def rightholder(request: Request, identity: Annotated[Identity, Depends(placed)]) -> Identity:
    """As ``member``, for what a natural person may ask about its own data: those rights wait for no signature.

    They end with the data, not with the membership (GDPR art. 12 and 15 to 21), and who works for a body has them too:
    whatever other roles a person has, it has the one that holds nothing but these rights.
    """
    found = _standing(request, _itself(identity), lawful=True)
    return replace(found, roles=found.roles | {RESIDENT}) if found.participant.startswith(PERSON) else found


def _itself(identity: Identity) -> Identity:
    if identity.acting is not None:
        raise Refused([Reason("outside_mandate", "a mandate gives data by the gate; act as yourself here")])
    return identity


Caller = Annotated[Identity, Depends(member)]
RightHolder = Annotated[Identity, Depends(rightholder)]
Asking = Annotated[Asker, Depends(_let_in)]
"""In whose name a request stands in line; among the parameters of a route it stands behind its door."""
ServiceRuntime = Annotated[Runtime, Depends(_service_runtime)]


@dataclass(frozen=True, slots=True)
class Opening:
    """A gated route's door: it asks the gate with the caller's identity and purpose."""

    gate: Gate
    identity: Identity
    crossing: str
    action: str
    purpose: str | None
    """``None``: the purpose that each dataset is collected for."""
    check_keys: Callable[[Identity], None]
    """Raises ``Unauthenticated`` once a key under the token of an identity has ended."""
    used: list[Key] = field(default_factory=list)
    """The rules whose uses were counted for what it asked, or that it went on with."""

    def going_on(self, used: Keys) -> Opening:
        """The same door, for what is part of a use that was decided before, and counted of these rules."""
        return replace(self, identity=replace(self.identity, goes_on=used), used=[*used])

    def expired(self) -> Unauthenticated | None:
        """The problem of a token that has expired since it opened the door: for what lasts longer than a request."""
        if time.time() < self.identity.expires + LEEWAY_SECONDS:
            return None
        return Unauthenticated("the token has expired: go on with a fresh one")

    def distrusted(self) -> Unauthenticated | None:
        """Why the keys under the token that opened the door prove nothing any more; ``None`` while they do."""
        try:
            self.check_keys(self.identity)
        except Unauthenticated as exc:
            return exc
        return None

    def asker(self) -> Asker:
        """In whose name what was asked at the door stands in a line behind it."""
        return Asker(whose_share(self.gate.law, self.identity), partial(self.check_keys, self.identity))

    def permit(self, dataset: str, rows: int = 0, again: Keys | None = None) -> Permit:
        """Pass for one dataset, or raise ``Refused``; always recorded. ``again``: as for ``Gate.permit``."""
        again = self.identity.goes_on if again is None else again
        permit = self.gate.permit(
            self.crossing, self.action, dataset, self.purpose, recipient=self.identity.participant, rows=rows,
            acting=self.identity.acting, again=again,
        )  # fmt: skip
        self.used.extend(key for key in permit.counted if key not in self.used)
        return permit

    def preview(self, dataset: str) -> tuple[Reason, ...]:
        """Why ``permit`` would refuse, empty when it would not; not recorded."""
        who = self.identity
        return self.gate.allows(
            self.crossing, self.action, dataset, self.purpose, who.participant, who.acting, who.goes_on
        )

    def hides(self, dataset: str) -> bool:
        """Whether not even what there is in a dataset is told: it is of persons, and nobody agreed to anything."""
        entry, who = self.gate.law.datasets.get(dataset), self.identity
        if entry is not None and (not entry.personal or entry.owner == who.participant):
            return False
        against = self.gate.entitled(
            self.crossing, self.action, dataset, who.participant, self.purpose, who.acting
        )
        return bool(against) and all(reason.code in _NOBODY_AGREED for reason in against)

    def foreseen(self, dataset: str) -> Permit | None:
        """The permit that ``permit`` would give; not recorded, so to tell about data, never to give it."""
        who = self.identity
        return self.gate.foreseen(
            self.crossing, self.action, dataset, self.purpose, who.participant, who.acting, who.goes_on
        )


async def _represented(
    whom: Annotated[
        str | None,
        Query(alias="for", max_length=200, description="a person whom you represent; left out: yourself"),
    ] = None,
) -> str | None:
    return whom


async def _nobody() -> None:
    return None


def _acting_for(whom: str, identity: Identity, law: LawTable) -> Identity:
    """Somebody in the place of a person that it represents; whether it still does, the law says at each decision."""
    if identity.acting is not None:
        raise Refused(
            [Reason("outside_mandate", "a mandate is not for the persons whom its mandator represents")]
        )
    if not represents(law.participants.get(identity.participant), law.participants.get(whom), clock.now()):
        # Before any decision is recorded: names that somebody made up do not belong in the log.
        raise Refused([Reason("no_mandate", "you represent no person with this id")])
    return replace(identity, participant=whom, roles=frozenset(), acting=Acting(identity.participant))


def gated(crossing: str, action: str, mandates: bool = False) -> Callable[..., Awaitable[Opening]]:
    """A dependency that opens ``crossing`` for ``action``; the purpose comes from the header.

    ``mandates``: also to who acts for a participant by a mandate, or for a person that it represents (``for``). Only
    for routes that ask the ``Opening`` for all they give.
    """
    caller, represented = (mandated, _represented) if mandates else (member, _nobody)

    async def open_gate(
        request: Request,
        purpose: Annotated[
            str | None,
            Header(
                alias=PURPOSE_HEADER,
                max_length=200,
                description="a purpose of the rulebook; left out: the one that the dataset is collected for",
            ),
        ] = None,
        # Which door it is, is known here alone: an annotation could not name it.
        identity: Identity = Depends(caller),  # noqa: B008
        whom: str | None = Depends(represented),
    ) -> Opening:
        runtime = runtime_of(request)
        if purpose is not None and purpose not in runtime.law.table.requestable:
            raise InputRefused.of(PURPOSE_HEADER, "must be a purpose of the rulebook", purpose)
        if whom is not None and whom != identity.participant:
            identity = _acting_for(whom, identity, runtime.law.table)
        return Opening(runtime.gate, identity, crossing, action, purpose, runtime.authenticate.check_keys)

    open_gate.dmi_crossing = crossing  # type: ignore[attr-defined]
    return open_gate


def roles(
    *wanted: str, door: Callable[..., Awaitable[Identity]] = member
) -> Callable[..., Awaitable[Identity]]:
    """A dependency that lets identities with one of these roles through ``door``; none named: any signed-in one."""

    # Which door it is, is known here alone: an annotation could not name it.
    async def check(identity: Identity = Depends(door)) -> Identity:  # noqa: B008
        if wanted and not identity.has(*wanted):
            needed = " or ".join(wanted)
            raise Refused([Reason("wrong_role", f"this needs the role {needed}")])
        return identity

    check.dmi_roles = wanted  # type: ignore[attr-defined]
    return check
