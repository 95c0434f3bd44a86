"""Checks what somebody kept of a log, without asking the node: signed heads, proofs, own entries. Pure.

A document of evidence is what ``/exchange/v1/log/evidence`` gives. Several, kept at different moments, show
together that the log only grew. One about an agreement also holds its text with the signatures of both sides, which
the entry of its conclusion names.
"""

from __future__ import annotations

import hashlib
import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from itertools import pairwise
from types import MappingProxyType
from typing import Any

import msgspec

from dmi_agreements.contracts.record import CONCLUDED, LAW, STOPPED, DecisionRecord
from dmi_agreements.keys import counted
from dmi_agreements.merkle import continues, holds_leaf, leaf_hash, may_continue
from dmi_agreements.sealing import SALT_BYTES, Opening, unseal

Signed = Callable[[Mapping[str, Any], str, Sequence[Mapping[str, Any]]], str]
"""From document, detached JWS and public keys to the ``kid`` that signed; raises ``ValueError`` when none did."""


class Head(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A signed head; ``log`` names the log, ``root_hash`` is hexadecimal, ``timestamp`` RFC 3339."""

    log: str
    tree_size: int
    root_hash: str
    timestamp: str
    signature: str

    def document(self) -> dict[str, Any]:
        """What the signature is over."""
        return {
            "log": self.log,
            "tree_size": self.tree_size,
            "root_hash": self.root_hash,
            "timestamp": self.timestamp,
        }


class Link(msgspec.Struct, frozen=True):
    """Proof that the tree of ``first`` entries is the beginning of that of ``second``."""

    first: int
    second: int
    path: list[str]


class Opened(msgspec.Struct, frozen=True):
    """The salt (hexadecimal) and value of something sealed."""

    salt: str
    value: str


class Proven(msgspec.Struct, frozen=True):
    """An entry with its path to the root."""

    sequence: int
    leaf: str
    path: list[str]
    openings: list[Opened] = []


class Bond(msgspec.Struct, frozen=True):
    """An agreement: its document, a detached JWS over it of each party, and each party's public keys."""

    document: dict[str, Any]
    signatures: dict[str, str]
    keys: dict[str, list[dict[str, Any]]]

    @property
    def id(self) -> str:
        """Its ``uid``."""
        return str(self.document.get("uid", ""))


class Evidence(msgspec.Struct, frozen=True):
    """One document."""

    head: Head
    keys: list[dict[str, Any]] = []
    consistency: list[Link] = []
    entries: list[Proven] = []
    agreements: list[Bond] = []
    next: str | None = None


@dataclass(slots=True)
class Course:
    """What the proven entries tell of an agreement; ``signed`` is the ``kid`` of each party's signature."""

    agreement: str
    signed: dict[str, str] = field(default_factory=dict)
    trusted: list[str] = field(default_factory=list)
    """The parties whose keys whoever checks has from elsewhere; of the others the node has told them."""
    concluded: int | None = None
    """The entry that concluded it, like ``stopped`` its number in the log."""
    stopped: int | None = None
    stopped_by: str = ""
    uses: int = 0
    rows: int = 0
    """Rows that gates of this log let through under it: at how many crossings, so many times."""
    crossings: dict[str, int] = field(default_factory=dict)
    """These rows by crossing."""
    again: int = 0
    """Those of them that were sent again after a connection that broke."""
    refused: int = 0


@dataclass(slots=True)
class Examination:
    """What holds, and every fault found."""

    heads: int = 0
    kid: str = ""
    newest: Head | None = None
    records: dict[int, DecisionRecord] = field(default_factory=dict)
    courses: dict[str, Course] = field(default_factory=dict)
    """By agreement that the documents hold the text of."""
    links: int = 0
    """Pairs of heads of which the later, larger one was shown to go on from the earlier; of an empty log each does."""
    faults: list[str] = field(default_factory=list)


def read(text: bytes) -> Evidence:
    """A document of evidence; raises ``ValueError`` when it is none."""
    try:
        return msgspec.json.decode(text, type=Evidence)
    except msgspec.MsgspecError as exc:
        raise ValueError(f"not evidence of a log: {exc}") from exc


def examine(
    documents: Sequence[Evidence],
    keys: Sequence[Mapping[str, Any]],
    signed: Signed,
    parties: Mapping[str, Sequence[Mapping[str, Any]]] = MappingProxyType({}),
) -> Examination:
    """Check documents of one log against ``keys`` of it and those of ``parties``, which whoever checks trusts.

    Of a party that is not among them the keys are those that the document itself tells.
    """
    found = Examination()
    ordered = sorted(documents, key=lambda each: each.head.tree_size)
    for document in ordered:
        _head(document.head, keys, signed, found)
        if document.head.log != ordered[0].head.log:
            found.faults.append(f"{document.head.log} is another log than {ordered[0].head.log}")
        for entry in document.entries:
            _entry(entry, document.head, found)
    links = {(link.first, link.second): link for document in documents for link in document.consistency}
    for before, after in pairwise(ordered):
        _link(before.head, after.head, links, found)
    beside = {(before.head.tree_size, after.head.tree_size) for before, after in pairwise(ordered)}
    for document in ordered:
        for link in document.consistency:
            if (link.first, link.second) not in beside:
                _alone(link, document.head, found)
    if ordered:
        found.newest = ordered[-1].head
    for bond in {bond.id: bond for document in ordered for bond in document.agreements}.values():
        found.courses[bond.id] = _course(bond, signed, parties, found)
    return found


def signature_reason(party: str, jws: str) -> str:
    """How the entry of a conclusion names a party's signature."""
    return f"signed: {party} {hashlib.sha256(jws.encode()).hexdigest()}"


def _course(
    bond: Bond, signed: Signed, parties: Mapping[str, Sequence[Mapping[str, Any]]], found: Examination
) -> Course:
    course = Course(bond.id, trusted=sorted(parties.keys() & bond.signatures.keys()))
    for party, jws in sorted(bond.signatures.items()):
        try:
            known = parties[party] if party in parties else bond.keys.get(party, [])
            course.signed[party] = signed(bond.document, jws, known)
        except ValueError as exc:
            found.faults.append(f"{bond.id} is not signed by {party}: {exc}")
    for sequence, record in sorted(found.records.items()):
        if bond.id not in record.agreements:
            continue
        if record.crossing != LAW:
            course.uses += record.allowed and record.begins
            course.rows += record.left
            course.again += record.left_again
            if record.left:
                course.crossings[record.crossing] = course.crossings.get(record.crossing, 0) + record.left
            course.refused += not record.allowed
        elif record.action == CONCLUDED:
            course.concluded = sequence
            if record.reasons != [signature_reason(*each) for each in sorted(bond.signatures.items())]:
                found.faults.append(f"entry {sequence} concludes {bond.id} under other signatures")
        elif record.action == STOPPED:
            course.stopped = sequence
            course.stopped_by = record.reasons[0].removeprefix("stopped: ") if record.reasons else ""
    return course


def _head(head: Head, keys: Sequence[Mapping[str, Any]], signed: Signed, found: Examination) -> None:
    try:
        found.kid = signed(head.document(), head.signature, keys)
    except ValueError as exc:
        found.faults.append(f"the head of {head.tree_size} entries is not signed by a trusted key: {exc}")
        return
    found.heads += 1
    if not all(counted(key, _seconds(head.timestamp)) for key in keys if key.get("kid") == found.kid):
        found.faults.append(
            f"the head of {head.tree_size} entries is dated {head.timestamp}, when its key {found.kid} had ended"
        )


def _seconds(timestamp: str) -> float:
    """A moment in seconds since 1970; what is none lies behind the end of every key."""
    try:
        moment = datetime.fromisoformat(timestamp)
    except ValueError:
        return math.inf
    return moment.timestamp() if moment.tzinfo is not None else math.inf


def _entry(entry: Proven, head: Head, found: Examination) -> None:
    leaf = entry.leaf.encode()
    try:
        path = [bytes.fromhex(each) for each in entry.path]
        root = bytes.fromhex(head.root_hash)
        openings = [Opening(bytes.fromhex(each.salt), each.value) for each in entry.openings]
        record = msgspec.json.decode(leaf, type=DecisionRecord)
    except (ValueError, msgspec.MsgspecError) as exc:
        found.faults.append(f"entry {entry.sequence} cannot be read: {exc}")
        return
    if not holds_leaf(leaf_hash(leaf), entry.sequence - 1, head.tree_size, path, root):
        found.faults.append(f"entry {entry.sequence} is not in the tree of {head.tree_size} entries")
        return
    for opening in openings:
        if len(opening.salt) != SALT_BYTES or opening.sealed not in entry.leaf:
            found.faults.append(f"entry {entry.sequence} does not hold what is said to be sealed in it")
            return
    found.records[entry.sequence] = unseal(record, openings)


def _link(before: Head, after: Head, links: Mapping[tuple[int, int], Link], found: Examination) -> None:
    sizes = (before.tree_size, after.tree_size)
    if before.tree_size == after.tree_size:
        if before.root_hash != after.root_hash:
            found.faults.append(f"two heads of {before.tree_size} entries differ: there are two logs")
        return
    link = links.get(sizes)
    if link is None and before.tree_size > 0:
        found.faults.append(
            f"nothing shows that the tree of {sizes[1]} entries goes on from that of {sizes[0]}: "
            "a file saved with --earlier would"
        )
        return
    try:
        path = [bytes.fromhex(each) for each in (link.path if link else [])]
        roots = bytes.fromhex(before.root_hash), bytes.fromhex(after.root_hash)
    except ValueError as exc:
        found.faults.append(f"the proof from {sizes[0]} to {sizes[1]} entries cannot be read: {exc}")
        return
    if not continues(*sizes, *roots, path):
        found.faults.append(
            f"the tree of {sizes[1]} entries does not go on from that of {sizes[0]}: the log was rewritten"
        )
    elif before.tree_size > 0:
        found.links += 1


def _alone(link: Link, head: Head, found: Examination) -> None:
    """Check a proof without the head that it begins at; nothing can be said of one that ends at another head."""
    if link.second != head.tree_size:
        return
    try:
        path = [bytes.fromhex(each) for each in link.path]
        root = bytes.fromhex(head.root_hash)
    except ValueError as exc:
        found.faults.append(f"the proof from {link.first} to {link.second} entries cannot be read: {exc}")
        return
    if not may_continue(link.first, link.second, root, path):
        found.faults.append(
            f"the proof from {link.first} to {link.second} entries does not lead to the head of the file"
        )
