"""Who may see a result: the caller's own right to each dataset under it, and the will of the persons behind it."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any

from dmi_agreements.contracts.observations import ObservationBatch
from dmi_agreements.contracts.results import Grounds
from dmi_agreements.decision import Coarsen, CutEnds, Duty, LeaveOut, Reason, Request
from dmi_agreements.persons import own_data
from dmi_agreements.policy.terms import PERSON
from dmi_agreements.table import LawTable
from dmi_agreements.uses import Keys
from dmi_infra import clock
from dmi_infra.errors import Refused
from dmi_infra.gate import Gate, Permit
from dmi_infra.http.access import Opening
from dmi_infra.http.problems import refusal
from dmi_infra.identity import Identity
from dmi_support_centre.grounds import Withdrawal


def undutied(permit: Permit) -> Permit:
    """The permit, when it asks for nothing: a duty is about observations and cannot be done to a conclusion."""
    if permit.duties:
        agreement = next(iter(permit.agreements), None)
        raise Refused([_not_possible("the agreement asks", permit.duties[0], agreement)], permit.dataset)
    if permit.personal and own_data(permit.requests[-1]):
        detail = "a right to one's own rows is none to a result that is made of others' too"
        raise Refused([Reason("no_agreement", detail)], permit.dataset)
    return permit


def consented(gate: Gate, permit: Permit, grounds: Grounds) -> None:
    """Raise ``Refused`` unless every person whose rows a result was made of consents to what ``permit`` opens.

    The gate lets rows pass one by one; of a result nothing can be left out, so one person's no is a no to all of it.
    Which person that is stays untold.
    """
    Will(gate, permit).check(persons(gate.law, grounds, permit.dataset))


class Will:
    """Who consents to what a permit opens, and what their consents ask, as of one moment."""

    def __init__(self, gate: Gate, permit: Permit) -> None:
        self._permit = permit
        now, requests = clock.now(), permit.requests if permit.personal else ()
        self._willing = gate.subjects(permit) or {}
        self._asked = {one.assignee: gate.law.consent_duties(one, now) for one in requests}
        self._layer = self._asked.get(gate.holder, {})

    def check(self, found: Iterable[str]) -> None:
        """As ``consented``, for the persons behind one result."""
        for person in found if self._permit.personal else ():
            if person not in self._willing:
                detail = "not everyone whose data this result was made of consents to this use of it"
                raise Refused([Reason("no_consent", detail)], self._permit.dataset)
            # What a consent to the layer asks for at the source was done before anything was kept.
            layer = self._layer.get(person, ())
            done = [duty for duty in layer if isinstance(duty, CutEnds | Coarsen | LeaveOut)]
            open_ = [duty for own in self._asked.values() for duty in own.get(person, ()) if duty not in done]
            if open_:
                raise Refused([_not_possible("a person's consent asks", open_[0])], self._permit.dataset)


def persons(law: LawTable, grounds: Grounds, dataset: str) -> Iterator[str]:
    """Whose rows of a dataset a result was made of, by their consents; empty for one that tells no person."""
    for consent in grounds.consents:
        held = law.held(consent)
        if held is None or held.assigner is None:
            yield ""
        elif dataset in held.datasets:
            yield held.assigner


def _not_possible(who: str, duty: Duty, agreement: str | None = None) -> Reason:
    detail = f"{who} for a duty ({type(duty).__name__}) that cannot be carried out on a result"
    return Reason("duty_not_possible", detail, agreement)


def check_places(law: LawTable, datasets: Iterable[str]) -> None:
    """Raise ``Refused`` for places of data about persons: the platform tells those to their owner alone."""
    for dataset in datasets:
        entry = law.datasets.get(dataset)
        if entry is not None and entry.personal:
            raise Refused([Reason("no_agreement", "no scenario shows places of data about persons")], dataset)


class Inputs:
    """What one caller may analyse in one request: each dataset is asked for once, since the request is one use."""

    def __init__(self, opening: Opening) -> None:
        self._opening = opening
        self._asked: dict[str, Permit | Refused] = {}

    @property
    def identity(self) -> Identity:
        """Who analyses."""
        return self._opening.identity

    def permits(self, datasets: Iterable[str]) -> tuple[list[Permit], list[Refused]]:
        """The permits for these datasets, and why there is none for the others."""
        found = [self._ask(dataset) for dataset in datasets]
        permits = [one for one in found if isinstance(one, Permit)]
        return permits, [one for one in found if isinstance(one, Refused)]

    def counted(self, dataset: str) -> Keys | None:
        """The rules that counted the use of a dataset, for what goes on with it; ``None``: nothing was counted."""
        known = self._asked.get(dataset)
        return known.counted or None if isinstance(known, Permit) else None

    def _ask(self, dataset: str) -> Permit | Refused:
        if dataset not in self._asked:
            try:
                self._asked[dataset] = self._permit(dataset)
            except Refused as exc:
                self._asked[dataset] = exc
        return self._asked[dataset]

    def _permit(self, dataset: str) -> Permit:
        gate, who = self._opening.gate, self.identity.participant
        check_places(gate.law, [dataset])
        return undutied(
            gate.permit("scenario-input", "dmi:analyse", dataset, self._opening.purpose, recipient=who)
        )


class Desk:
    """One caller's view in one request: asks the gate once per dataset and remembers what was refused."""

    def __init__(self, opening: Opening, inputs: Inputs | None = None) -> None:
        """``inputs``: what the same request has analysed, to show what came of it."""
        self._opening = opening
        self._inputs = inputs
        self._gate = opening.gate
        self._asked: dict[str, Permit | Refused] = {}
        self._refused: dict[str, Refused] = {}
        self._shown: dict[str, list[str]] = {}
        self._wills: dict[tuple[tuple[Request, ...], bool], Will] = {}

    @property
    def participant(self) -> str:
        """Who looks."""
        return self._opening.identity.participant

    @property
    def law(self) -> LawTable:
        """The law that decides."""
        return self._gate.law

    def may(self, grounds: Grounds) -> bool:
        """Whether the caller may see what rests on these grounds; what it may see it is taken to be shown."""
        allowed = True
        theirs = {dataset: list(persons(self._gate.law, grounds, dataset)) for dataset in grounds.datasets}
        for dataset, found in theirs.items():
            try:
                self._will(self._permit(dataset, found)).check(found)
            except Refused as exc:
                self._refused.setdefault(dataset, exc)
                allowed = False
        for dataset, found in theirs.items() if allowed else ():
            self._shown.setdefault(dataset, []).extend(found)
        return allowed

    def _will(self, permit: Permit) -> Will:
        """Worked out once for all results of the request: it is a walk over all who consent."""
        key = (permit.requests, permit.personal)
        if key not in self._wills:
            self._wills[key] = Will(self._gate, permit)
        return self._wills[key]

    def told(self, grounds: Grounds, withdrawal: Withdrawal | None) -> bool:
        """Whether the caller may be shown a result, and of one that fell that it did and why.

        That is for parties to what ended, for the owners of the data, and for who has a right of its own to all of
        it: that the layer may work on it no more is no reason to keep this from them.
        """
        if withdrawal is None:
            return self.may(grounds)
        held = self._gate.law.held(withdrawal.ground)
        if held is not None and self.participant in (held.assigner, held.assignee):
            return True
        # Who has none is told so, as of a result that stands.
        return all(map(self._entitled, grounds.datasets)) or self.may(grounds)

    def _entitled(self, dataset: str) -> bool:
        entry = self._gate.law.datasets.get(dataset)
        if entry is not None and entry.owner == self.participant:
            return True
        if entry is None or entry.needs_consent or (entry.personal and self.participant.startswith(PERSON)):
            # To the rows of a person there is a right with its consent, and to one's own; to no others'.
            return False
        door = self._opening
        return not self._gate.entitled(door.crossing, door.action, dataset, self.participant, door.purpose)

    def _permit(self, dataset: str, theirs: Iterable[str]) -> Permit:
        known = self._asked.get(dataset)
        if isinstance(known, Refused):
            raise known
        if known is not None:
            return known
        # Looked at ahead: a result that cannot be shown is no use of the data, and must count as none.
        ahead = self._opening.foreseen(dataset)
        if ahead is not None:
            self._will(undutied(ahead)).check(theirs)
        try:
            again = self._inputs.counted(dataset) if self._inputs else None
            permit = undutied(self._opening.permit(dataset, again=again))
        except Refused as exc:
            self._asked[dataset] = exc
            raise
        self._asked[dataset] = permit
        return permit

    def problems(self) -> list[dict[str, Any]]:
        """What was refused, as problem documents."""
        return [refusal(self._refused[dataset]).body() for dataset in sorted(self._refused)]

    def insist(self, grounds: Grounds, withdrawal: Withdrawal | None = None) -> None:
        """Raise the first refusal among these grounds; else tell the persons behind the result, which is shown."""
        if not self.told(grounds, withdrawal):
            raise next(self._refused[dataset] for dataset in grounds.datasets if dataset in self._refused)
        self.deliver()

    def deliver(self) -> None:
        """Record, for each person to read, how many of the results shown were made of its rows."""
        for dataset, found in self._shown.items():
            permit = self._asked.get(dataset)
            if found and isinstance(permit, Permit):
                self._gate.deliver(permit, _of_persons(dataset, found))
        self._shown.clear()


def _of_persons(dataset: str, found: list[str]) -> ObservationBatch:
    """One row for each person and result, since a result does not tell how many rows it was made of."""
    count = len(found)
    none: list[float | None] = [None] * count
    return ObservationBatch(dataset, [""] * count, [0] * count, none, subject=list(found))
