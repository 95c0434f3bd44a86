"""What an outsider needs to check the log: signed heads, proofs, and the entries that concern the caller."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial
from typing import Annotated, Any

import msgspec
from fastapi import APIRouter, Query
from fastapi import Path as InPath
from pydantic import Field

from dmi_agreements.contracts.law import AgreementState
from dmi_agreements.contracts.record import DecisionRecord
from dmi_exchange.handlers import Exchange
from dmi_exchange.logbook.entries import Entry
from dmi_exchange.logbook.tree import Tree, TreeHead
from dmi_exchange.sight import sight
from dmi_infra.aside import ANYBODY, Aside, for_anybody
from dmi_infra.errors import InputRefused, NotFound, Unavailable
from dmi_infra.http.access import Asking, Caller
from dmi_infra.identity import EXCHANGE_PARTICIPANT, Identity

Number = Annotated[int, Field(ge=1, le=2**62)]
PAGE = 1000
MOST_PAGES = 10
"""Entries under one agreement are looked for this far in one request; ``next`` goes on from there."""
Size = Annotated[int | None, Query(ge=1, le=2**62, description="entries of the tree; left out: newest head")]


def router(exchange: Exchange, tree: Tree, aside: Aside) -> APIRouter:
    """Routes under ``/v1/log``. Heads and proofs between heads say nothing about anyone: they are public.

    Many entries are read and proven ``aside``.
    """
    routes = APIRouter(prefix="/v1/log", tags=["log"])
    entries = exchange.store.log
    line = for_anybody()

    def newest() -> TreeHead:
        head = tree.head()
        if head is None:
            raise Unavailable("no head of the log has been signed yet")
        return head

    def pages(
        after: int, limit: int, viewer: str | None, size: int, about: AgreementState | None
    ) -> tuple[list[Entry], str | None]:
        """Entries of the tree of ``size``, and behind which one the next page begins."""
        if not limit:
            return [], None
        if about is None:
            page = entries.read(after, limit, viewer, None, before=size + 1)
            return page, str(page[-1].sequence) if len(page) == limit else None
        found: list[Entry] = []
        for _ in range(MOST_PAGES):
            page = entries.read(after, PAGE, viewer, None, before=size + 1)
            for entry in page:
                after = entry.sequence
                if about.id in entry.record().agreements:
                    found.append(entry)
                    if len(found) == limit:
                        return found, str(after)
            if len(page) < PAGE:
                return found, None
        return found, str(after)

    def proven(page: Sequence[Entry], size: int, viewer: str) -> list[dict[str, Any]]:
        paths = tree.inclusions([entry.index for entry in page], size)
        return [
            {
                "sequence": entry.sequence,
                "leaf": entry.payload.decode(),
                "path": [each.hex() for each in path],
                "openings": _openings(entry, viewer),
            }
            for entry, path in zip(page, paths, strict=True)
        ]

    def between(first: int, second: int | None) -> dict[str, Any]:
        size = _covered(second, newest())
        if first > size:
            raise InputRefused.of("first", "must be no larger than second", str(first))
        path = [each.hex() for each in tree.consistency(first, size)]
        return {"first": first, "second": size, "path": path}

    @routes.get("/head", summary="The newest signed head of the log's Merkle tree (RFC 9162)")
    def head() -> dict[str, Any]:
        return shown(newest())

    @routes.get("/consistency", summary="Proof that the tree of one size is the beginning of that of another")
    async def consistency(
        first: Annotated[int, Query(ge=1, le=2**62)], second: Size = None
    ) -> dict[str, Any]:
        return await line.run(ANYBODY, partial(between, first, second))

    @routes.get("/entries/{sequence}/proof", summary="Proof that an entry that concerns you is in the tree")
    def inclusion(
        identity: Caller, sequence: Annotated[int, InPath(ge=1, le=2**62)], tree_size: Size = None
    ) -> dict[str, Any]:
        size = _covered(tree_size, newest())
        seen = sight(exchange, identity)
        entry = entries.one(sequence, seen.party)
        if entry is None:
            raise NotFound("no entry that concerns you has this number")
        if sequence > size:
            raise InputRefused.of("tree_size", "must hold the entry", str(size))
        (found,) = proven([seen.of(entry)], size, identity.participant)
        return {"tree_size": size, **found}

    def document(
        identity: Identity,
        after: int,
        limit: int,
        since: int | None,
        tree_size: int | None,
        wanted: list[int] | None,
        agreement: str | None,
    ) -> dict[str, Any]:
        signed = newest()
        size = _covered(tree_size, signed)
        if since is not None and since > size:
            raise InputRefused.of("since", "must be no larger than the newest head", str(since))
        seen = sight(exchange, identity)
        about = None if agreement is None else exchange.agreement(agreement, seen.party)
        if wanted:
            page, following = entries.some(wanted, seen.party, size), None
        else:
            page, following = pages(after, limit, seen.party, size, about)
        links = []
        if since is not None:
            path = [each.hex() for each in tree.consistency(since, size)]
            links.append({"first": since, "second": size, "path": path})
        return {
            "head": shown(signed),
            "keys": exchange.participant(EXCHANGE_PARTICIPANT).keys,
            "consistency": links,
            "entries": proven([seen.of(each) for each in page], size, identity.participant),
            "agreements": [] if about is None else [_bond(exchange, about)],
            "next": following,
        }

    @routes.get(
        "/evidence", summary="Head, proofs and your entries in one document, to keep and check elsewhere"
    )
    async def evidence(
        identity: Caller,
        asker: Asking,
        after: Annotated[int, Query(ge=0, le=2**62)] = 0,
        limit: Annotated[int, Query(ge=0, le=500)] = 100,
        since: Annotated[
            int | None, Query(ge=1, le=2**62, description="tree_size of a head that you kept")
        ] = None,
        tree_size: Annotated[
            int | None, Query(ge=1, le=2**62, description="further pages: of the head on the first")
        ] = None,
        entry: Annotated[
            list[Number] | None, Query(max_length=500, description="these entries alone, by their numbers")
        ] = None,
        agreement: Annotated[
            str | None, Query(max_length=200, description="only entries under it, and its text as signed")
        ] = None,
    ) -> dict[str, Any]:
        made = partial(document, identity, after, limit, since, tree_size, entry, agreement)
        return await aside.run(asker, made)

    return routes


def _bond(exchange: Exchange, state: AgreementState) -> dict[str, Any]:
    """An agreement as it was signed, with the public keys of who signed."""
    keys = {name: exchange.participant(name).keys for name in state.signatures}
    return {"document": state.document, "signatures": state.signatures, "keys": keys}


def shown(head: TreeHead) -> dict[str, Any]:
    """A head with its signature: a detached JWS over the other members (RFC 8785)."""
    return {**head.document(), "signature": head.signature}


def _covered(size: int | None, head: TreeHead) -> int:
    if size is not None and size > head.tree_size:
        raise InputRefused.of(
            "tree_size", f"must be no larger than the newest head, {head.tree_size}", str(size)
        )
    return size or head.tree_size


def _openings(entry: Entry, viewer: str) -> list[dict[str, str]]:
    """What the viewer may see opened: what the list of the log shows it, and of data subjects itself."""
    leaf = msgspec.json.decode(entry.payload, type=DecisionRecord)
    others = {each.sealed for each in entry.openings if each.value != viewer}.intersection(leaf.subjects)
    # The hash of an earlier version covers all names at once: only who sees all of them may have it.
    chain = _Chained.of(entry.payload) if others else ""
    return [
        {"salt": each.salt.hex(), "value": each.value}
        for each in entry.openings
        if each.sealed not in others and each.sealed != chain
    ]


class _Chained(msgspec.Struct):
    """The member that entries have which come from an earlier version."""

    chain: str = ""

    @classmethod
    def of(cls, payload: bytes) -> str:
        """The sealed hash of an entry, empty when it has none."""
        return msgspec.json.decode(payload, type=cls).chain
