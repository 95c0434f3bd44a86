"""Rules of law about personal data: its basis, its purpose, where it goes, who consents."""

from __future__ import annotations

from collections.abc import Iterator

import msgspec

from dmi_agreements.contracts.law import Dataset
from dmi_agreements.decision import EVERYONE
from dmi_agreements.policy.terms import PERSON
from dmi_exchange.review.case import COUNTRY, LESS, UNKNOWN_PARTY, Case
from dmi_exchange.review.claims import Claim
from dmi_exchange.review.edits import Repair, at

CONSENT = "dmi:basis:consent"
SAVING_LIVES = "dmi:basis:vital-interests"
SPECIAL = "dmi:data:special"
CANDIDATES = 6
"""Other purposes that are tried in place of a wrong one."""
MOST_RULES = 10
"""Permissions and prohibitions of one consent: who is asked reads them all, and every service holds them."""
MOST_BYTES = 32 * 1024
"""Of a consent as JSON: a page is what one reads before saying yes, and all that stand are gone through at each."""
_ONCE = {"nl": "zeg dit één keer", "en": "say this once"}
_APART = {"nl": "vraag dit apart", "en": "ask for this apart"}


def basis_of(dataset: Dataset) -> str:
    """The legal basis that a dataset of personal data was collected on."""
    return dataset.basis or CONSENT


def basis(case: Case) -> None:
    """The document's basis is the one that the data was collected on."""
    for claim in case.claims.permissions:
        for dataset in case.personal(claim):
            wanted = basis_of(dataset)
            if wanted == case.claims.basis:
                continue
            text = case.label(wanted)
            case.find(
                "basis", "/dmi:legalBasis",
                f"“{dataset.title.get('nl', dataset.id)}” is verzameld op de grondslag {text['nl'].lower()}",
                f"“{dataset.title.get('en', dataset.id)}” was collected on the basis {text['en'].lower()}",
                [
                    None if case.claims.consent else case.use_basis(wanted),
                    case.leave_out(claim, dataset.id),
                    _groups(case, claim),
                ],
            )  # fmt: skip


def purpose_basis(case: Case) -> None:
    """The basis may carry each purpose."""
    for claim in case.claims.permissions:
        personal = case.personal(claim)
        wrong = [p for p in claim.roots if not case.book.carries(case.claims.basis, p)]
        if not personal or not wrong:
            continue
        purpose, ground = case.label(wrong[0]), case.label(case.claims.basis)
        case.find(
            "purpose-basis", f"{claim.path}/constraint",
            f"de grondslag {ground['nl'].lower()} draagt het doel {purpose['nl'].lower()} niet",
            f"the basis {ground['en'].lower()} does not carry the purpose {purpose['en'].lower()}",
            [*_other_purposes(case, claim, personal), _groups(case, claim)],
        )  # fmt: skip


def basis_role(case: Case) -> None:
    """The recipient may rely on the basis."""
    found = case.book.legal_bases.get(case.claims.basis)
    party = case.claims.assignee
    if found is None or case.claims.consent or party in (EVERYONE, UNKNOWN_PARTY):
        return
    roles = case.roles(party)
    if (not found.roles or roles & set(found.roles)) and not roles & set(found.not_roles):
        return
    for claim in case.claims.permissions:
        if case.personal(claim):
            text = case.label(found.id)
            case.find(
                "basis-role", "/assignee",
                f"{case.name(party)} mag zich niet beroepen op {text['nl'].lower()}",
                f"{case.name(party)} may not rely on {text['en'].lower()}",
                [_groups(case, claim)], claim.path,
            )  # fmt: skip


def broad_purpose(case: Case) -> None:
    """Personal data has a purpose that says what it is for."""
    for claim in case.claims.permissions:
        personal = case.personal(claim)
        broad = [p for p in case.book.purposes if p in claim.purposes and case.book.purposes[p].broad]
        if not personal or not broad:
            continue
        text = case.label(broad[0])
        case.find(
            "broad-purpose", f"{claim.path}/constraint",
            f"het doel {text['nl'].lower()} zegt niet precies waarvoor",
            f"the purpose {text['en'].lower()} does not say exactly what for",
            [*_other_purposes(case, claim, personal), _groups(case, claim)],
        )  # fmt: skip


def purpose_collection(case: Case) -> None:
    """Without a consent, personal data keeps to the purpose that it was collected for."""
    if case.claims.basis == CONSENT:
        return
    for claim in case.claims.permissions:
        for dataset in case.personal(claim):
            strange = [
                p
                for p in claim.roots
                if not case.book.is_a(p, dataset.purpose) and not case.book.purposes[p].compatible
            ]
            if strange:
                meant, named = case.label(dataset.purpose), case.label(strange[0])
                case.find(
                    "purpose-collection", f"{claim.path}/constraint",
                    f"verzameld voor {meant['nl'].lower()}, gevraagd voor {named['nl'].lower()}",
                    f"collected for {meant['en'].lower()}, asked for {named['en'].lower()}",
                    [*_other_purposes(case, claim, [dataset]), case.leave_out(claim, dataset.id), _groups(case, claim)],
                )  # fmt: skip


def special(case: Case) -> None:
    """Special personal data takes consent, or a life to be saved."""
    if case.claims.basis in (CONSENT, SAVING_LIVES):
        return
    for claim in case.claims.permissions:
        for dataset in case.personal(claim):
            if case.book.in_category(dataset.data_category, SPECIAL):
                case.find(
                    "special", "/dmi:legalBasis",
                    f"“{dataset.title.get('nl', dataset.id)}” is heel gevoelig",
                    f"“{dataset.title.get('en', dataset.id)}” is very sensitive",
                    [case.use_basis(CONSENT), case.leave_out(claim, dataset.id), _groups(case, claim)],
                )  # fmt: skip


def transfer(case: Case) -> None:
    """Personal data stays where it is protected well enough."""
    for claim in case.claims.permissions:
        personal = case.personal(claim)
        if not personal:
            continue
        for party in sorted(case.claims.recipients(claim) - {UNKNOWN_PARTY}):
            if party == EVERYONE:
                nl, en = (
                    "iedereen is ook wie buiten de EU is gevestigd",
                    "everyone includes who is based outside the EU",
                )
            else:
                known = case.participant(party)
                if (
                    known is None
                    or party.startswith(PERSON)
                    or COUNTRY + known.country.lower() in case.book.countries
                ):
                    continue
                nl, en = (
                    f"{known.name} is gevestigd in {known.country}",
                    f"{known.name} is based in {known.country}",
                )
            mending = [_groups(case, claim), _without(case, claim, personal)]
            case.find("transfer", "/assignee", nl, en, mending, claim.path)


def bundled(case: Case) -> None:
    """A consent is for one purpose and one recipient, in a few rules of which each says something else."""
    if not case.claims.consent or _overfull(case):
        return
    for claim in case.claims.permissions:
        recipients = sorted(case.claims.recipients(claim))
        if len(recipients) != 1:
            case.find(
                "bundled", f"{claim.path}/constraint",
                f"deze toestemming noemt {len(recipients)} ontvangers",
                f"this consent names {len(recipients)} recipients",
                [_to(case, claim, party) for party in recipients if party != EVERYONE],
            )  # fmt: skip
        if len(claim.roots) != 1:
            case.find(
                "bundled", f"{claim.path}/constraint",
                f"deze toestemming noemt {len(claim.roots)} doelen", f"this consent names {len(claim.roots)} purposes",
                [case.use_purpose(claim, purpose) for purpose in claim.roots[:CANDIDATES]],
            )  # fmt: skip
    first = case.claims.permissions[0] if case.claims.permissions else None
    for claim in case.claims.permissions[1:]:
        same = first is not None and claim.roots == first.roots
        if not same or case.claims.recipients(claim) != case.claims.recipients(case.claims.permissions[0]):
            case.find(
                "bundled", claim.path, "hier staat nog een doel of ontvanger",
                "here stands another purpose or recipient",
                [Repair(({"op": "remove", "path": claim.path},), _APART, LESS)],
            )  # fmt: skip


def _overfull(case: Case) -> bool:
    """Whether a consent holds more than one can oversee; notes that, and each rule that stands there twice."""
    size = len(msgspec.json.encode(case.document))
    if size > MOST_BYTES:
        case.find(
            "bundled", "", f"deze toestemming is {size} bytes lang; {MOST_BYTES} is het meeste",
            f"this consent is {size} bytes long; {MOST_BYTES} is the most",
        )  # fmt: skip
        return True
    rules = (*case.claims.permissions, *case.claims.prohibitions)
    if len(rules) > MOST_RULES:
        case.find(
            "bundled", rules[MOST_RULES].path,
            f"deze toestemming heeft {len(rules)} regels; {MOST_RULES} is het meeste",
            f"this consent has {len(rules)} rules; {MOST_RULES} is the most",
        )  # fmt: skip
        return True
    seen: list[object] = []
    for rule in rules:
        try:
            written = at(case.document, rule.path)
        except (LookupError, TypeError, ValueError):
            continue  # The only one of its policy, written without a list.
        if written in seen:
            case.find(
                "bundled", rule.path, "deze regel staat er al", "this rule stands there already",
                [Repair(({"op": "remove", "path": rule.path},), _ONCE)],
            )  # fmt: skip
        seen.append(written)
    return False


def child(case: Case) -> None:
    """For a child a representative consents."""
    if not case.claims.consent:
        return
    person = case.participant(case.claims.assigner)
    if person is None or person.of_age_at is None or person.of_age_at <= case.now:
        return
    if not case.signers & set(person.representatives):
        case.find(
            "child",
            "/assigner",
            "een ouder of voogd heeft dit niet ondertekend",
            "no parent or guardian signed this",
        )


def _to(case: Case, claim: Claim, party: str) -> Repair | None:
    name = case.name(party)
    return case.repair(
        claim, lambda place: place.recipient(party), f"alleen voor {name}", f"for {name} alone"
    )


def _groups(case: Case, claim: Claim) -> Repair | None:
    """Figures about groups; a consent carries no duties."""
    return None if case.claims.consent else case.only_groups(claim)


def _without(case: Case, claim: Claim, personal: list[Dataset]) -> Repair | None:
    return case.leave_out(claim, personal[0].id)


def _other_purposes(case: Case, claim: Claim, personal: list[Dataset]) -> Iterator[Repair | None]:
    """Purposes that would do: what the data was collected for, what lies within what was asked, what else may be."""
    book = case.book
    wanted = [dataset.purpose for dataset in personal]
    wanted += [p for p in book.purposes if p in claim.purposes]
    wanted += [p for dataset in personal for p in book.purposes if book.is_a(p, dataset.purpose)]
    fitting = (
        p
        for p in dict.fromkeys(wanted)
        if p in book.requestable and not book.purposes[p].broad and book.carries(case.claims.basis, p)
    )
    for count, purpose in enumerate(fitting):
        if count == CANDIDATES:
            return
        yield case.use_purpose(claim, purpose)
