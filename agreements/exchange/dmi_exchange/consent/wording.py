"""A consent in plain words, level B1, in Dutch and English: what a person reads before and after saying yes."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date

from dmi_agreements.decision import Coarsen, CutEnds, Delay, DeleteAfter, Duty, LeaveOut, Suppress
from dmi_agreements.odrl.wording import Language, day
from dmi_agreements.rulebook import Rulebook


@dataclass(frozen=True, slots=True)
class Told:
    """What a consent is about, in words that people know."""

    person: str
    data: Mapping[str, str]
    recipient: str
    owner: str
    purpose: str
    actions: Sequence[str]
    until: date | None
    """The last day on which it holds; ``None`` where it has no end."""
    kept_days: int | None
    duties: Sequence[Duty] = ()
    given_by: str | None = None
    """Who gave it for the person; ``None`` when the person did."""
    ended: tuple[date, str] | None = None
    """When it ended, and why where that was said; ``None`` while it holds."""
    replaced: bool = False
    """Whether a newer consent to the same took its place."""


def in_words(told: Told, book: Rulebook, address: str) -> dict[str, list[str]]:
    """The sentences by language; ``address`` is where the person can withdraw."""
    return {"nl": _dutch(told, book, address), "en": _english(told, book, address)}


def _dutch(told: Told, book: Rulebook, address: str) -> list[str]:
    title = told.data.get("nl", "")
    lines = [
        f"{told.given_by} gaf deze toestemming voor {told.person}." if told.given_by
        else f"{told.person} gaf deze toestemming.",
        f"De gegevens: {title}.",
        f"Wie ze mag gebruiken: {told.recipient}. Verder niemand.",
        f"Waarvoor: {book.label(told.purpose, 'nl').lower()}. {_why(told, book, 'nl')}",
        f"Wat er mag: {', '.join(book.label(a, 'nl').lower() for a in told.actions)}.",
        f"Dit geldt tot en met {day(told.until, 'nl')}."
        if told.until else "Dit geldt tot u het intrekt.",
    ]  # fmt: skip
    lines += [text for duty in told.duties if (text := _done(duty)[0])]
    if told.kept_days is not None:
        lines.append(f"De gegevens worden na {told.kept_days} dagen verwijderd.")
    if told.ended:
        lines.append(f"Deze toestemming is gestopt op {_ended(told.ended, 'nl')}.")
        lines += ["Er kwam een nieuwe toestemming voor hetzelfde in de plaats."] if told.replaced else []
    else:
        lines.append(
            f"U kunt dit altijd intrekken. Dat kan met één knop op {address}. U hoeft niet te zeggen waarom."
        )
        lines.append("Intrekken werkt binnen een seconde. Wat eerder mocht, was toen in orde.")
    lines.append(f"{told.owner} is verantwoordelijk. Vraag daar wat er met uw gegevens gebeurt.")
    lines.append("Bent u het niet eens? Klaag dan bij de Autoriteit Persoonsgegevens.")
    return lines


def _english(told: Told, book: Rulebook, address: str) -> list[str]:
    title = told.data.get("en") or told.data.get("nl", "")
    lines = [
        f"{told.given_by} gave this consent for {told.person}." if told.given_by
        else f"{told.person} gave this consent.",
        f"The data: {title}.",
        f"Who may use it: {told.recipient}. Nobody else.",
        f"What for: {book.label(told.purpose, 'en').lower()}. {_why(told, book, 'en')}",
        f"What is allowed: {', '.join(book.label(a, 'en').lower() for a in told.actions)}.",
        f"This holds up to and including {day(told.until, 'en')}."
        if told.until else "This holds until you withdraw it.",
    ]  # fmt: skip
    lines += [text for duty in told.duties if (text := _done(duty)[1])]
    if told.kept_days is not None:
        lines.append(f"The data is deleted after {told.kept_days} days.")
    if told.ended:
        lines.append(f"This consent ended on {_ended(told.ended, 'en')}.")
        lines += ["A newer consent to the same took its place."] if told.replaced else []
    else:
        lines.append(f"You can always withdraw this. It takes one button at {address}. You need not say why.")
        lines.append("Withdrawing works within a second. What was allowed before was right at the time.")
    lines.append(f"{told.owner} is responsible. Ask there what happens to your data.")
    lines.append("Do you disagree? Then complain to the Dutch data protection authority.")
    return lines


def _ended(ended: tuple[date, str], language: Language) -> str:
    on, why = ended
    return day(on, language) + (f" ({why})" if why else "")


def _why(told: Told, book: Rulebook, language: str) -> str:
    return book.purposes[told.purpose].description[language]


def _done(duty: Duty) -> tuple[str, str]:
    """What is done to the person's rows, in Dutch and English."""
    match duty:
        case CutEnds(metres):
            return (
                f"Van het begin en het einde van elke rit bewaren we {metres} meter niet.",
                f"We do not keep {metres} metres at the begin and the end of each trip.",
            )
        case Coarsen(metres):
            return f"We ronden uw plaats af op {metres} meter.", f"We round your place to {metres} metres."
        case Suppress(minimum):
            return (
                f"Groepen van minder dan {minimum} personen laten we niet zien.",
                f"We do not show groups of fewer than {minimum} persons.",
            )
        case Delay(seconds):
            return f"We geven ze {seconds} seconden later.", f"We give it {seconds} seconds later."
        case LeaveOut(names):
            return f"We laten weg: {', '.join(names)}.", f"We leave out: {', '.join(names)}."
        case DeleteAfter(days):
            return f"Na {days} dagen geven we ze niet meer.", f"After {days} days we give it no more."
        case _:
            return "", ""
