"""Changes of the rulebook: proposed with a difference that people can read, adopted by the body that may."""

from __future__ import annotations

import threading
from collections.abc import Collection, Mapping
from typing import Any

import msgspec

from dmi_agreements.contracts.law import Participant, RulebookVersion
from dmi_agreements.decision import Reason
from dmi_agreements.difference import Change, difference, weight
from dmi_agreements.errors import RulebookInvalid
from dmi_agreements.rulebook import Rulebook, rulebook_of
from dmi_agreements.versions import number
from dmi_exchange.handlers import Exchange
from dmi_infra import clock
from dmi_infra.errors import Conflict, FieldError, InputRefused, NotFound, Refused
from dmi_infra.identity import EXCHANGE_PARTICIPANT

RULEBOOK = "urn:dmi:rulebook:"
_RAISED = {"major": 1, "minor": 2, "patch": 3}
"""Among how many of the first numbers of a version one must be raised by a change of this weight."""


class Revisions:
    """Proposals of new versions, and what became of them."""

    def __init__(self, exchange: Exchange) -> None:
        self._exchange = exchange
        self._books = exchange.rulebooks
        self._adopting = threading.Lock()

    def load(self) -> None:
        """Take in every version that was adopted before this start."""
        for known in self._exchange.store.find(RulebookVersion):
            if known.state == "adopted":
                self._books.adopt(rulebook_of(known.files))

    @property
    def current(self) -> Rulebook:
        """The version in force."""
        return self._books.current

    def versions(self) -> list[RulebookVersion]:
        """Every version that was proposed, oldest change first; the one that came with the software is none."""
        return self._exchange.store.find(RulebookVersion)

    def version(self, version: str) -> RulebookVersion:
        """One version that was proposed; raises ``NotFound``."""
        found = self._exchange.store.get(RulebookVersion, RULEBOOK + version)
        if found is None:
            raise NotFound("no version of the rulebook was proposed under this number")
        return found

    def content(self, version: str) -> Rulebook:
        """What a version holds, adopted or not; raises ``NotFound``."""
        known = self._books.get(version)
        return known if known is not None else rulebook_of(self.version(version).files)

    def difference(self, version: str, since: str | None = None) -> list[Change]:
        """What a version changes, beside ``since`` or the version that it was proposed as a change of."""
        return difference(self.content(since or self.version(version).base), self.content(version))

    def preview(self, roles: Collection[str], files: Mapping[str, Any]) -> list[Change]:
        """What these files would change in the current version, for who may propose them."""
        _may(roles, self.current.governance.propose, "look at a change of the rulebook before it is proposed")
        return difference(self.current, self.read(files))

    def statement(self, version: RulebookVersion, act: str) -> dict[str, Any]:
        """What is signed to propose, adopt or reject a version: ``act`` is ``proposes``, ``adopts`` or ``rejects``."""
        return statement(version.version, version.base, rulebook_of(version.files).digest, act)

    def propose(
        self, party: str, roles: Collection[str], files: Mapping[str, Any], reason: str, jws: str | None
    ) -> RulebookVersion:
        """Propose a new version of the rulebook as a change of the current one."""
        current = self._books.current
        _may(roles, current.governance.propose, "propose a change of the rulebook")
        proposed = self.read(files)
        self._check_number(current, proposed)
        digest = proposed.digest
        signed = self._sign(party, statement(proposed.version, current.version, digest, "proposes"), jws)
        made = RulebookVersion(
            RULEBOOK + proposed.version, proposed.version, current.version, "proposed", dict(proposed.files),
            reason, party, clock.now(), signatures={"proposes": signed},
        )  # fmt: skip

        def decide(known: RulebookVersion | None) -> RulebookVersion:
            if known is not None and known.state != "rejected":
                raise Conflict.of("version", f"was {known.state} already: take another number", known.version)
            return made

        return self._exchange.settle(RulebookVersion, made.id, decide)

    def adopt(
        self, party: str, roles: Collection[str], version: str, why: str, jws: str | None
    ) -> RulebookVersion:
        """Let a proposed version come into force: every process decides by it from then on."""
        # Of two changes of one version only the first may be adopted: the other one would undo it.
        with self._adopting:
            made = self._decide(party, roles, version, "adopts", why, jws)
            self._books.adopt(rulebook_of(made.files))
        self.sign_for_node()
        return made

    def sign_for_node(self) -> None:
        """Let the node's own participants sign the current version, without which everything would stand still."""
        for identifier in (EXCHANGE_PARTICIPANT, *sorted(self._exchange.layers)):
            known = self._exchange.store.get(Participant, identifier)
            if known is not None and known.rulebook != self.current.version:
                key = self._exchange.custody.own(identifier)
                signature = key.sign_document(self._exchange.statement(identifier))
                self._exchange.sign_rulebook(identifier, signature)

    def reject(
        self, party: str, roles: Collection[str], version: str, why: str, jws: str | None
    ) -> RulebookVersion:
        """Turn a proposal down; its number is free again."""
        return self._decide(party, roles, version, "rejects", why, jws)

    def _decide(
        self, party: str, roles: Collection[str], version: str, act: str, why: str, jws: str | None
    ) -> RulebookVersion:
        proposal = self.version(version)
        heavy = weight(self.difference(version))
        bodies = self._books.current.governance.adopt[heavy]
        _may(roles, bodies, f"decide on a {heavy} change of the rulebook")
        signed = self._sign(party, self.statement(proposal, act), jws)

        def decide(known: RulebookVersion | None) -> RulebookVersion:
            if known is None or known != proposal or known.state != "proposed":
                raise Conflict.of("version", "is no proposal any more", version)
            if act == "adopts" and known.base != self._books.current.version:
                rule = f"changes {known.base}, but {self._books.current.version} is current: propose it anew"
                raise Conflict.of("version", rule, version)
            return msgspec.structs.replace(
                known, state=f"{act[:-1]}ed", decided_by=party, decided_at=clock.now(), decision=why,
                signatures={**known.signatures, act: signed},
            )  # fmt: skip

        return self._exchange.settle(RulebookVersion, proposal.id, decide)

    @staticmethod
    def read(files: Mapping[str, Any]) -> Rulebook:
        """The rulebook that these files hold; raises ``InputRefused`` with every finding."""
        try:
            return rulebook_of(files)
        except RulebookInvalid as exc:
            errors = [FieldError(f"files/{f.path}", f.rule, f.value[:100]) for f in exc.findings]
            raise InputRefused(f"{errors[0].field}: {errors[0].rule}", errors) from exc

    def _check_number(self, current: Rulebook, proposed: Rulebook) -> None:
        if number(proposed.version) <= number(current.version):
            rule = f"must come after {current.version}, which is current"
            raise InputRefused.of("files/rulebook.json#/version", rule, proposed.version)
        changes = difference(current, proposed)
        if not changes:
            raise InputRefused.of("files", "must change something")
        heavy = weight(changes)
        kept = _RAISED[heavy]
        if number(proposed.version)[:kept] == number(current.version)[:kept]:
            rule = f"must be raised by a {heavy} step: this changes {current.version} that much"
            raise InputRefused.of("files/rulebook.json#/version", rule, proposed.version)
        for version in sorted(proposed.accepted - {proposed.version}):
            if self._books.get(version) is None:
                raise InputRefused.of(
                    "files/rulebook.json#/accepted", "names versions that were adopted", version
                )

    def _sign(self, party: str, text: Mapping[str, Any], jws: str | None) -> str:
        signed = jws or self._exchange.custody.sign(party, text)
        self._exchange.check_signature(party, text, signed)
        return signed


def statement(version: str, base: str, digest: str, act: str) -> dict[str, Any]:
    """What is signed about a version of the rulebook."""
    return {"rulebook": version, "base": base, "digest": digest, "statement": act}


def _may(roles: Collection[str], wanted: Collection[str], what: str) -> None:
    if not set(roles) & set(wanted):
        raise Refused([Reason("wrong_role", f"to {what} takes the role {' or '.join(wanted)}")])
