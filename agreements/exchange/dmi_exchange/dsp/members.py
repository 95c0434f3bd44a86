"""Members of other nodes as these tell of them, taken into the law as members of theirs."""

from __future__ import annotations

import re
import time
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Annotated, Any, Final

import msgspec
import structlog

from dmi_agreements.contracts.law import Participant
from dmi_exchange import foreign, model
from dmi_exchange.handlers import Exchange
from dmi_exchange.keyring import MOST_EVER, MOST_LIVING
from dmi_exchange.settings import KnownNode
from dmi_infra.errors import Conflict, InputRefused

log = structlog.get_logger("exchange")

GONE_SECONDS = 300.0
GONE_ANSWERS = 3
"""A member that its node names no more may do nothing from then on: after so long, and so many answers without it."""
PINNED_AT_ONCE = 50
"""Members with a new key that are taken in one turn of the lock under which keys get their owners."""
PAUSE_SECONDS = 0.002
MOST_MEMBERS: Final = 2000
"""Of one node that are taken, where the settings name no other number."""
LONGEST_ID: Final = 200
"""Characters of the id of a participant."""
LONGEST_RULEBOOK: Final = 50
"""Characters of the version that a member signed."""
_COUNTRY: Final = re.compile("[A-Z]{2}", re.ASCII)


class Member(msgspec.Struct, frozen=True):
    """A member of another node as that node tells of it."""

    id: str
    name: str
    roles: list[str]
    keys: list[Any]
    rulebook: str | None = None
    active: bool = True
    country: str = "NL"


_FIELDS: Final = msgspec.structs.fields(Member)
"""Looked up once: that takes longer than to read a member."""


class Heard(Member, frozen=True, kw_only=True):
    """A member of which something could not be read: by field, which rule that breaks. The field itself is empty."""

    unread: dict[str, str]


class Told(msgspec.Struct, frozen=True):
    """What a node tells another one about itself."""

    issuer: str
    address: str
    operator: Annotated[str, msgspec.Meta(max_length=LONGEST_ID)]
    members: list[Member]


@dataclass(frozen=True, slots=True)
class Taken:
    """Of how many members that a node named not all was taken."""

    left_out: int = 0
    """They are too many."""
    unread: int = 0
    """Something that it tells of them cannot be read."""


class _Answer(msgspec.Struct, frozen=True):
    """``Told`` as it comes in: what is wrong with one member is no reason to take in none."""

    issuer: str
    address: str
    operator: Annotated[str, msgspec.Meta(max_length=LONGEST_ID)]
    members: list[Any]


def heard(body: object) -> tuple[Told, int]:
    """What another node tells, and how many of its members name no id, by which alone they could be known.

    Raises ``msgspec.ValidationError`` for what no node tells.
    """
    answer = msgspec.convert(body, _Answer)
    members = [member for given in answer.members if (member := _member(given)) is not None]
    told = Told(answer.issuer, answer.address, answer.operator, members)
    return told, len(answer.members) - len(members)


def _member(given: object) -> Member | None:
    """One member, as far as it can be read; ``None`` without an id."""
    try:
        return msgspec.convert(given, Member)
    except msgspec.ValidationError:
        if not isinstance(given, dict) or not isinstance(given.get("id"), str):
            return None
    found: dict[str, Any] = {"name": "", "roles": [], "keys": []}
    unread: dict[str, str] = {}
    for field in _FIELDS:
        if field.name in given:
            try:
                found[field.name] = msgspec.convert(given[field.name], field.type)
            except msgspec.ValidationError as exc:
                unread[field.name] = str(exc)
        elif field.required:
            unread[field.name] = "must be given"
    return Heard(**found, unread=unread)


def may_name(node: KnownNode, participant: str) -> bool:
    """Whether a node may speak for a participant, whether that is a member of it or not."""
    return not node.participants or participant in node.participants


class Members:
    """Takes in what nodes tell; one thread at a time for each of them."""

    def __init__(self, exchange: Exchange, most: int = MOST_MEMBERS) -> None:
        self._exchange = exchange
        self._most = most
        self._most_keys = MOST_EVER + most * MOST_LIVING
        """Of the members of one node together: as many as may count, and room for one that ended all it could."""
        self._missed: dict[str, tuple[float, int]] = {}
        """Since when members have not been named by their node, and by how many answers."""

    def take(self, node: KnownNode, told: Told) -> Taken:
        """Take in what a node tells of the members that it may speak for."""
        named = [member for member in told.members if may_name(node, member.id)]
        members = list(_once(named))
        if len(members) < len(named):
            repeats = len(named) - len(members)
            log.warning("a node names members more than once", node=node.issuer, repeats=repeats)
        taken = self._take_members(node, members)
        # Who has left is named as such. A node that names nobody has lost its store, not its members.
        if told.members:
            self._miss(node.issuer, {member.id for member in members})
        return taken

    def _take_members(self, node: KnownNode, members: Sequence[Member]) -> Taken:
        """Those with a new key in turns: whoever else has a key pinned to its owner meanwhile waits for one at most."""
        known = {one.id: one for one in self._exchange.store.find(Participant)}
        members, left_out = self._within(node, members, known)
        owners = _owners(known.values())
        room = _Room(
            self._most_keys - sum(len(one.keys) for one in known.values() if one.home == node.issuer)
        )
        new, unread = [], 0
        # First what ends: it must not wait for all that begins.
        for member in sorted(members, key=_ends, reverse=True):
            if not member.id.startswith(model.ORGANISATION):
                continue
            here = known.get(member.id)
            keys, faults = _read(member)
            unread += bool(faults)
            try:
                _check_home(here, node.issuer, member.id)
                told = _as_known(member, here, faults)
                wanted = room.within(self._wanted(node, told, keys), here)
                if any(key["kid"] not in owners for key in wanted.keys):
                    new.append(wanted)
                else:
                    self._settle_member(wanted, here, owners)
            except (Conflict, InputRefused) as exc:
                _not_taken(member.id, exc)
        if room.left_out:
            log.warning("a node tells more keys than are taken", node=node.issuer, left_out=room.left_out)
        for start in range(0, len(new), PINNED_AT_ONCE):
            with self._exchange.keys_settle:
                owners = _owners(self._exchange.store.find(Participant))
                for wanted in new[start : start + PINNED_AT_ONCE]:
                    try:
                        self._settle_member(wanted, known.get(wanted.id), owners)
                    except (Conflict, InputRefused) as exc:
                        _not_taken(wanted.id, exc)
            # A lock is not fair: without a pause who waits for it would wait for all.
            time.sleep(PAUSE_SECONDS)
        return Taken(left_out, unread)

    def _within(
        self, node: KnownNode, members: Sequence[Member], known: Mapping[str, Participant]
    ) -> tuple[list[Member], int]:
        """The members that are taken, and how many are not: all stay in the law for ever, also once they have left."""
        room = self._most - sum(one.home == node.issuer for one in known.values())
        taken, new = [], set[str]()
        for member in members:
            if member.id not in known and member.id not in new:
                if len(new) >= room:
                    continue
                new.add(member.id)
            taken.append(member)
        left_out = len(members) - len(taken)
        if left_out:
            log.warning("a node has more members than are taken", node=node.issuer, left_out=left_out)
        return taken, left_out

    def _wanted(self, node: KnownNode, told: Member, keys: list[dict[str, Any]]) -> Participant:
        """A member as its node tells of it, with those of its keys that can be read."""
        roles = [role for role in dict.fromkeys(told.roles) if role in self._exchange.rulebook.roles]
        return Participant(
            told.id, told.name[:200], roles, keys, told.rulebook, told.active, told.country, home=node.issuer
        )

    def _settle_member(self, told: Participant, known: Participant | None, owners: dict[str, str]) -> None:
        """Keep what is told of a member; raises ``Conflict`` when it is another's. ``known`` is as it was a moment ago.

        A key that somebody else has, or ever had, is left out: who has two names could sign as either.
        """
        for key in told.keys:
            if owners.setdefault(str(key["kid"]), told.id) != told.id:
                log.warning("a key that is somebody else's is not taken", member=told.id, kid=key["kid"])
        wanted = msgspec.structs.replace(
            told, keys=[key for key in told.keys if owners[str(key["kid"])] == told.id]
        )
        if known is not None and foreign.merged(wanted, known) == known:
            return

        def decide(found: Participant | None) -> Participant:
            _check_home(found, told.home, told.id)
            return wanted if found is None else foreign.merged(wanted, found)

        self._exchange.settle(Participant, told.id, decide)

    def _miss(self, home: str, named: Collection[str]) -> None:
        """Drop members that their node has not named for long: what ends with them never begins again."""
        now = time.monotonic()
        for member in self._exchange.store.find(Participant):
            if member.home != home or not member.active:
                continue
            if member.id in named:
                self._missed.pop(member.id, None)
                continue
            since, answers = self._missed.get(member.id, (now, 0))
            self._missed[member.id] = since, answers + 1
            if not answers:
                log.warning("a node does not name a member of it", node=home, member=member.id)
            if answers + 1 >= GONE_ANSWERS and now - since >= GONE_SECONDS:
                self._drop_member(home, member.id)

    def _drop_member(self, home: str, identifier: str) -> None:
        """A member that its node names no more: it may do nothing any more."""

        def decide(found: Participant | None) -> Participant:
            if found is None or found.home != home:
                raise Conflict.of("id", "is no member of this node any more", identifier)
            return msgspec.structs.replace(found, active=False)

        self._exchange.settle(Participant, identifier, decide)


def _once(members: Iterable[Member]) -> Iterator[Member]:
    """Each member once: as it is told of first, or first so that it can be read, with what ends by any other entry.

    The last one would else undo a revocation of an earlier one, and each would be a change of the law.
    """
    by_id: dict[str, list[Member]] = {}
    for member in members:
        by_id.setdefault(member.id, []).append(member)
    for entries in by_id.values():
        first = min(entries, key=lambda entry: isinstance(entry, Heard))
        if len(entries) > 1:
            further = [key for entry in entries if entry is not first for key in entry.keys if _is_ended(key)]
            own = {key["kid"] for key in foreign.told_keys(first.keys)[0]}
            ends = [key for key in foreign.told_keys(further)[0] if key["kid"] in own]
            active = all(entry.active for entry in entries)
            first = msgspec.structs.replace(first, active=active, keys=[*first.keys, *ends])
        yield first


def _ends(told: Member) -> bool:
    return not told.active or any(isinstance(key, dict) and "revoked" in key for key in told.keys)


def _is_ended(key: object) -> bool:
    return isinstance(key, dict) and ("exp" in key or "revoked" in key)


def _owners(participants: Iterable[Participant]) -> dict[str, str]:
    """Whose each key is, by its ``kid``; of who has the same one, who is of this node."""
    owners: dict[str, str] = {}
    for known in sorted(participants, key=lambda one: one.home):
        for key in known.keys:
            owners.setdefault(str(key.get("kid")), known.id)
    return owners


def _check_home(known: Participant | None, home: str, identifier: str) -> None:
    """Raise ``Conflict`` for a participant that is another node's, or of this one."""
    if known is not None and known.home != home:
        raise Conflict.of("id", f"is a member of {known.home or 'this node'}", identifier)


def _read(told: Member) -> tuple[list[dict[str, Any]], dict[str, str]]:
    """The keys of a member that can be read, and of what cannot be which rule it breaks, by field."""
    faults = dict(_faults(told))
    keys, unread = foreign.told_keys(told.keys)
    return keys, faults | {"keys": unread} if unread else faults


def _as_known(told: Member, known: Participant | None, faults: Mapping[str, str]) -> Member:
    """A member of which some fields cannot be read; raises ``InputRefused`` for a new one.

    Of one that is known those alone are left out: that it takes part no more, and which keys ended, counts at once. A
    key that cannot be read counts no more either.
    """
    if not faults:
        return told
    if known is None:
        raise InputRefused.of(*next(iter(faults.items())))
    why = "; ".join(f"{name}: {rule}" for name, rule in faults.items())
    log.warning("what a node tells of a member is taken in part", member=told.id, reason=why)
    return msgspec.structs.replace(told, **{name: getattr(known, name) for name in faults if name != "keys"})


def _faults(told: Member) -> Iterator[tuple[str, str]]:
    """Which rule each field breaks that no member can have so: it would be in everybody's law."""
    if isinstance(told, Heard):
        yield from told.unread.items()
    if len(told.id) > LONGEST_ID or not told.id.isprintable():
        yield "id", f"must be at most {LONGEST_ID} characters that can be read"
    if not _COUNTRY.fullmatch(told.country):
        yield "country", "must be two capitals, as ISO 3166-1 has them"
    if told.rulebook is not None and len(told.rulebook) > LONGEST_RULEBOOK:
        yield "rulebook", f"must have at most {LONGEST_RULEBOOK} characters"
    if len(told.keys) > MOST_EVER:
        yield "keys", f"must be at most {MOST_EVER}"


class _Room:
    """How many keys of the members of one node still fit in the law."""

    def __init__(self, keys: int) -> None:
        self._free = keys
        self.left_out = 0

    def within(self, told: Participant, known: Participant | None) -> Participant:
        """A member with the keys that fit: those that are known here do always, so that each end of one is heard."""
        here = set() if known is None else {str(key["kid"]) for key in known.keys}
        further = [str(key["kid"]) for key in told.keys if key["kid"] not in here]
        room = min(self._free, MOST_EVER - (len(told.keys) - len(further)))
        taken = here | set(further[: max(room, 0)])
        fits = msgspec.structs.replace(told, keys=[key for key in told.keys if key["kid"] in taken])
        self.left_out += len(told.keys) - len(fits.keys)
        after = fits if known is None else foreign.merged(fits, known)
        self._free -= len(after.keys) - len(here)
        return fits


def _not_taken(member: str, exc: Exception) -> None:
    log.warning("a member of another node is not taken", member=member[:LONGEST_ID], reason=str(exc)[:500])
