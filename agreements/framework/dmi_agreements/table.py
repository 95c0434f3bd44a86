"""The law table: all participants, datasets, agreements and consents, in memory, from the law topic.

One thread applies events; any number of threads read without a lock. Every value that readers see is
immutable and replaced in one step; an event costs the same however many agreements there are.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import replace
from typing import Final

from dmi_agreements.changes import Change, View
from dmi_agreements.consents import Consents, Given
from dmi_agreements.contracts.law import (
    AgreementState,
    Dataset,
    Heartbeat,
    LawEvent,
    Mandate,
    Participant,
    RulebookVersion,
    SubjectRequest,
    Usage,
)
from dmi_agreements.decide import counting, permission, prohibition, unfit, unknown_term
from dmi_agreements.decision import EVERYONE, Decision, Duty, OwnRows, Reason, Request, refused
from dmi_agreements.errors import RulebookInvalid
from dmi_agreements.held import Held, hold, no_news
from dmi_agreements.mandates import Mandates
from dmi_agreements.persons import COPY, not_represented, own_data
from dmi_agreements.policy.situation import Situation
from dmi_agreements.rights import Rights
from dmi_agreements.rulebook import Rulebook, rulebook_of
from dmi_agreements.slots import (
    EMPTY,
    PROCESS,
    Entry,
    Slot,
    days_kept,
    keys,
    purpose_under,
    slot_after,
    unreadable_keys,
    why_not,
)
from dmi_agreements.uses import Uses, UsesOf
from dmi_agreements.versions import Rulebooks

STALE_AFTER: Final = 5_000_000
"""A heartbeat older than this (microseconds) means that a revocation may have been missed."""

Known = dict[str, Situation]
"""What is known of one request, by agreement; gathered when the first rule of an agreement asks."""


class LawTable:
    """Decides requests by the law as it was last published; see the module for threads and speed."""

    def __init__(self, rulebook: Rulebook, layers: Collection[str] = ()) -> None:
        self.rulebooks = Rulebooks(rulebook)
        self._use(rulebook)
        self._layers = frozenset(layers)
        self._participants: dict[str, Participant] = {}
        self._datasets: dict[str, Dataset] = {}
        self._states: dict[str, AgreementState] = {}
        self._held: dict[str, Held] = {}
        self._slots: dict[tuple[str, str, str], Slot] = {}
        self._unreadable: dict[tuple[str, str], tuple[Held, ...]] = {}
        self.consents = Consents()
        self.mandates = Mandates()
        self.uses = Uses()
        self.rights = Rights(self.rulebooks)
        self._heartbeat: int | None = None
        self._poisoned: str | None = None
        self.participants: Mapping[str, Participant] = View(self._participants)
        self.datasets: Mapping[str, Dataset] = View(self._datasets)
        self.agreements: Mapping[str, AgreementState] = View(self._states)

    def age(self, now: int) -> int | None:
        """How old the law is, in microseconds; ``None`` before the first heartbeat."""
        return None if self._heartbeat is None else now - self._heartbeat

    def stale(self, now: int) -> Reason | None:
        """The reason to refuse everything: no law, or too old; ``None`` when it is fresh."""
        if self._poisoned is not None:
            return Reason("law_stale", f"an event of the law could not be read: {self._poisoned}")
        age = self.age(now)
        if age is None:
            return Reason("law_missing", "no law has been received")
        # A heartbeat from the future (a wrong clock) would hide that later ones fail to come.
        if not -STALE_AFTER <= age <= STALE_AFTER:
            return Reason("law_stale", f"the law is {age / 1e6:.1f} s old", moment=self._heartbeat)
        return None

    def poison(self, detail: str) -> None:
        """Refuse from here on: an event could not be read, and it may have been a stop.

        No later event lifts this; only a new table, filled from the first event, does.
        """
        self._poisoned = detail

    def agreement(self, id: str) -> AgreementState | None:
        """The state of one agreement or consent."""
        return self._states.get(id)

    def held(self, id: str) -> Held | None:
        """One agreement with its compiled document, or the findings why it cannot be read."""
        return self._held.get(id)

    def apply(self, event: LawEvent) -> Change:
        """Take in one event. Repeating one changes nothing; neither does an earlier state of an agreement."""
        if isinstance(event, Heartbeat):
            changed = self._heartbeat != event.at
            self._heartbeat = event.at
            return Change("heartbeat", event.id, changed)
        if isinstance(event, Participant):
            changed = self._participants.get(event.id) != event
            self._participants[event.id] = event
            return Change("participant", event.id, changed)
        if isinstance(event, Dataset):
            changed = self._datasets.get(event.id) != event
            self._datasets[event.id] = event
            return Change("dataset", event.id, changed, datasets=(event.id,) if changed else ())
        if isinstance(event, RulebookVersion):
            return self._apply_rulebook(event)
        if isinstance(event, Mandate):
            return self.mandates.apply(event)
        if isinstance(event, SubjectRequest):
            return self.rights.apply(event)
        if isinstance(event, Usage):
            return Change("usage", event.id, self.uses.tell(event))
        return self._apply_agreement(event)

    def _use(self, rulebook: Rulebook) -> None:
        """Decide by this version from here on."""
        self.rulebook = rulebook
        self._actions = self.rulebooks.actions()
        self.requestable = self.rulebooks.requestable()

    def _apply_rulebook(self, event: RulebookVersion) -> Change:
        """Take in an adopted version; read again what was made under it, and what prohibits."""
        known = self.rulebooks.get(event.version)
        if event.state != "adopted":
            return Change("rulebook", event.id, False)
        try:
            adopted = rulebook_of(event.files)
        except RulebookInvalid as exc:
            self.poison(str(exc))
            return Change("rulebook", event.id, False)
        if known is not None and known.digest == adopted.digest:
            return Change("rulebook", event.id, False)
        self.rulebooks.adopt(adopted)
        for held in list(self._held.values()):
            if held.state.document.get("dmi:rulebook") == event.version or held.forbids:
                self._take(held.state, held)
        self._use(self.rulebooks.current)  # Last: no request names a new term before prohibitions reach it.
        return Change("rulebook", event.id, True)

    def _apply_agreement(self, event: AgreementState) -> Change:
        before = self._held.get(event.id)
        if before is not None and no_news(before.state, event):
            return Change("agreement", event.id, False)
        after = self._take(event, before)
        was, now = before is not None and before.active, after.active
        datasets = set(after.datasets) | set(before.datasets if before is not None else ())
        return Change(
            "agreement",
            event.id,
            True,
            started=(event.id,) if now and not was else (),
            ended=(event.id,) if after.ended and (before is None or was) else (),
            datasets=tuple(sorted(datasets)),
        )

    def _take(self, event: AgreementState, before: Held | None) -> Held:
        """Hold a state of an agreement, read under the version of the rulebook that it names."""
        after = hold(event, self.rulebooks, self._layers)
        if before is not None and before.is_consent:
            self._forget_consent(before, after)
        if after.is_consent and after.once_active:
            self._index_consent(after)
        self._index(before, after)
        self._held[event.id] = after
        self._states[event.id] = event
        return after

    def _forget_consent(self, before: Held, after: Held) -> None:
        """Take a consent from the subject and datasets that its new state no longer names."""
        kept = after.datasets if before.assigner == after.assigner else ()
        for dataset in set(before.datasets) - set(kept):
            self.consents.remove(dataset, before.assigner or "", before.state.id)

    def _index_consent(self, after: Held) -> None:
        for dataset in after.datasets:
            given = Given(after.state, after.compiled, after.ended)
            self.consents.put(dataset, after.assigner or "", given)

    def _index(self, before: Held | None, after: Held) -> None:
        """Replace the slots that either state touches, each in one step."""
        ruled = keys(after)
        for key in keys(before) | ruled:
            slot = self._slots.get(key, EMPTY)
            self._slots[key] = slot_after(slot, key, before, after if key in ruled else None)
        refusing = unreadable_keys(after)
        for place in unreadable_keys(before) | refusing:
            others = tuple(held for held in self._unreadable.get(place, ()) if held is not before)
            kept = (*others, after) if place in refusing else others
            if kept:
                self._unreadable[place] = kept
            else:
                self._unreadable.pop(place, None)

    def decide(
        self, request: Request, now: int, *, open_data: bool = True, own_look: bool = False
    ) -> Decision:
        """The decision about ``request`` at ``now`` (microseconds UTC). Freshness is asked with ``stale``.

        Without ``open_data`` a permission to everyone does not count: a layer works under an agreement of its
        own, so that its owner can stop it. A person may read and take along its own rows of personal data; a layer
        that does it for that ``own_look`` alone waits for nobody's consent.
        """
        represented = bool(request.actor) and not request.mandate
        dataset = self._datasets.get(request.dataset)
        # What the law gives a person does not wait for its signature under the rulebook (GDPR art. 15 and 20).
        own = own_data(request) and dataset is not None and dataset.personal
        # Nor does a copy end with the membership: who has left takes along what is still kept.
        left = self.own_copy(request) and not represented
        party = request.actor if represented else request.assignee
        accepted = None if own else self.rulebook.accepted
        refusal = unfit(party, self._participants.get(party), accepted, must_be_active=not left)
        if refusal is None and represented:
            actor, person = map(self._participants.get, (request.actor, request.assignee))
            refusal = not_represented(request, actor, person, dataset, now)
        if refusal is None and request.mandate:
            refusal = self.mandates.failing(request, now, self._participants, self.rulebook)
        if refusal is not None:
            return refused(refusal)
        if dataset is None or (dataset.withdrawn and not self.own_copy(request)):
            state = "is not in the catalogue" if dataset is None else "has been withdrawn"
            return refused(Reason("unknown_dataset", f"{request.dataset} {state}"))
        if request.assignee == dataset.owner:
            return self._decide_owner(request, dataset, now, own_look)
        unknown = unknown_term(request, self._actions, self.requestable)
        if unknown is not None:
            return refused(unknown)
        if dataset.personal and own_data(request):
            detail = f"{request.assignee} asks for its own data"
            edge = (OwnRows(request.assignee),) if request.action == COPY else ()
            return Decision(True, (Reason("own_data", detail),), edge, personal=True)
        decision = self._decide_agreements(request, dataset.owner, now, open_data)
        return self._with_consent(decision, request, now, own_look) if dataset.needs_consent else decision

    def purpose_of(self, dataset: str) -> str:
        """For what the layers work on a dataset, and what a request is for that states no purpose; see the record.

        Their own city's: what it is collected for. Another node's: that or else what its owner agreed to with them.
        """
        entry = self._datasets.get(dataset)
        owner = self._participants.get(entry.owner) if entry is not None else None
        if entry is None or owner is None or not owner.home:
            return entry.purpose if entry is not None else ""
        slots = [self._slots.get((layer, PROCESS, dataset), EMPTY) for layer in self._layers]
        # To the second, in which the law says that it is there.
        return purpose_under(slots, entry, self.rulebook, self._heartbeat or 0)

    def days_kept(self, holder: str, action: str, dataset: str, now: int) -> int | None:
        """After how many days a layer deletes what it keeps by its right to ``action``; ``None``: no term is set."""
        entry = self._datasets.get(dataset)
        slot = self._slots.get((holder, action, dataset), EMPTY)
        return days_kept(slot, entry.owner, holder, self.purpose_of(dataset), now) if entry else None

    def own_copy(self, request: Request) -> bool:
        """Whether a person asks for a copy of what is kept of it (GDPR art. 15 and 20).

        That right lasts as long as the data is kept: neither the layer's agreement nor the owner's catalogue ends it.
        """
        dataset = self._datasets.get(request.dataset)
        return dataset is not None and dataset.personal and request.action == COPY and own_data(request)

    def consenting_subjects(self, request: Request, now: int) -> Mapping[str, str]:
        """Subject -> id of its consent, for everyone whose rows may pass under ``request`` at ``now``.

        For a person that asks for its own data this is the person alone, and the id is empty.
        """
        if own_data(request):
            return {request.assignee: ""}
        return self.consents.subjects(request, now)

    def consent_duties(self, request: Request, now: int) -> Mapping[str, tuple[Duty, ...]]:
        """Subject -> what its own consent asks to do to its rows; nothing for its own look at them."""
        return {} if own_data(request) else self.consents.duties(request, now)

    def _decide_owner(self, request: Request, dataset: Dataset, now: int, own_look: bool) -> Decision:
        """The owner needs no agreement and states no purpose; for personal data it needs consents."""
        stated = request.purpose or dataset.personal
        unknown = unknown_term(request, self._actions, self.requestable if stated else ("",))
        if unknown is not None:
            return refused(unknown)
        decision = Decision(True, (Reason("owner", f"{request.assignee} owns {request.dataset}"),))
        return self._with_consent(decision, request, now, own_look) if dataset.needs_consent else decision

    def _decide_agreements(self, request: Request, owner: str, now: int, open_data: bool) -> Decision:
        own = self._slots.get((request.assignee, request.action, request.dataset), EMPTY)
        open_ = self._slots.get((EVERYONE, request.action, request.dataset), EMPTY)
        if self._unreadable:
            unread = self._unread(request, owner)
            if unread is not None:
                return refused(unread)
        known: Known = {}
        for slot in (own, open_):
            for entry in slot.prohibitions:
                if entry.assigner != owner or not self._holds(entry, request, now, known):
                    continue
                # A permission to everyone that does not count here cannot win over a prohibition either.
                counts = open_data or slot is own
                if not (counts and self._overruled(entry, slot, request, now, known)):
                    return refused(prohibition(entry.held.state.id, entry.rule, request))
        best: Entry | None = None
        missed: list[tuple[Entry, str]] = []
        for slot in (own, open_) if open_data else (own,):
            for entry in slot.permissions:
                if entry.assigner != owner:
                    continue
                code = self._failing(entry, request, now, known)
                if code is not None:
                    missed.append((entry, code))
                    continue
                # Sorted by burden: the first of a slot asks least.
                if best is None or entry.rule.burden < best.rule.burden:
                    best = entry
                break
        if best is not None:
            beside = (each for each in (*own.prohibitions, *open_.prohibitions) if each.assigner == owner)
            told = ((each.held.state.id, each.rule) for each in beside)
            return counting(permission(best.held.state.id, best.rule, request), told, request)
        ended = [
            entry
            for entry in ((*own.ended, *open_.ended) if open_data else own.ended)
            if entry.assigner == owner and self._holds(entry, request, now, known)
        ]
        return refused(*why_not(ended, missed, request))

    def _overruled(self, forbidding: Entry, slot: Slot, request: Request, now: int, known: Known) -> bool:
        """Whether the same agreement permits it and says that its permissions win (conflict strategy ``perm``)."""
        compiled = forbidding.held.compiled
        if compiled is None or compiled.strategy != "perm":
            return False
        own = (entry for entry in slot.permissions if entry.held is forbidding.held)
        return any(self._holds(entry, request, now, known) for entry in own)

    def _holds(self, entry: Entry, request: Request, now: int, known: Known) -> bool:
        return self._failing(entry, request, now, known) is None

    def _failing(self, entry: Entry, request: Request, now: int, known: Known) -> str | None:
        rule = entry.rule
        if rule.simple:
            return rule.failing(request.assignee, request.purpose, now)
        state = entry.held.state
        situation = known.get(state.id)
        if situation is None:
            situation = known[state.id] = self.situation(state, request, now)
        return rule.failing(request.assignee, request.purpose, now, situation)

    def situation(self, state: AgreementState, request: Request, now: int) -> Situation:
        """What is known of ``request`` to the agreement of ``state``."""
        participant = self._participants.get(request.assignee)
        return Situation(
            request.assignee,
            request.action,
            request.dataset,
            request.purpose,
            now,
            None if participant is None else frozenset(participant.roles),
            state.concluded_at,
            tuple(state.performed),
            UsesOf(self.uses, state.id, request.assignee, request.again),
        )

    def _unread(self, request: Request, owner: str) -> Reason | None:
        """An agreement in force that cannot be read may hold a prohibition, so it refuses."""
        for assignee in (request.assignee, EVERYONE):
            for held in self._unreadable.get((assignee, request.dataset), ()):
                if held.assigner in (owner, None):
                    finding = held.findings[0]
                    return Reason("unknown_term", str(finding), held.state.id, finding.path)
        return None

    def _with_consent(self, decision: Decision, request: Request, now: int, own_look: bool) -> Decision:
        """The decision about personal data: allowed only while somebody consents, or to who looks at its own."""
        if not decision.allowed:
            return refused(*decision.reasons, personal=True)
        if own_look or self.consents.subjects(request, now):
            return replace(decision, personal=True)
        detail = f"nobody consents to {request.action} of {request.dataset} for {request.purpose}"
        reason = self.consents.lapsed(request, now) or Reason("no_consent", detail)
        return refused(reason, agreements=decision.agreements, personal=True)
