"""A report told to people: the verdict, each rule, and what it rests on, in plain Dutch or English."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from dmi_agreements.odrl.model import ODRL, Constraint, Logical, Value
from dmi_agreements.odrl.report import DutyReport, PolicyReport, Premise, RuleReport
from dmi_agreements.odrl.values import Truth
from dmi_agreements.odrl.wording import (
    ACTIONS,
    LEFTS,
    RULES,
    Language,
    Words,
    comparison,
    last_part,
    pick,
    told,
    worded,
)

_VERDICTS: dict[str, Words] = {
    "permit": ("Ja, dit mag.", "Yes, this is allowed."),
    "deny": ("Nee, dit mag niet: er geldt een verbod.", "No, this is not allowed: a prohibition applies."),
    "undecided": (
        "Nee, dit mag niet: er is geen toestemming die hierbij past.",
        "No, this is not allowed: there is no permission that fits.",
    ),
}
_TRUTHS: dict[Truth, Words] = {
    True: ("Dat klopt.", "That holds."),
    False: ("Dat klopt niet.", "That does not hold."),
    None: ("Of dat klopt, is niet bekend.", "Whether that holds is not known."),
}
_JOINED: dict[str, Words] = {
    "and": ("Dit moet allemaal kloppen.", "All of this must hold."),
    "andSequence": ("Dit moet allemaal kloppen, op volgorde.", "All of this must hold, in this order."),
    "or": ("Ten minste één hiervan moet kloppen.", "At least one of these must hold."),
    "xone": ("Precies één hiervan moet kloppen.", "Exactly one of these must hold."),
}
_STATES: dict[str, Words] = {
    "Fulfilled": ("is gedaan", "was done"),
    "Violated": ("is niet of te laat gedaan", "was not done, or too late"),
    "NonSet": ("is nog niet gedaan", "was not done yet"),
}
_CARRIED: Words = ("daar zorgt het knooppunt zelf voor", "the node sees to that itself")

Named = Callable[[str, Language], str | None]
"""What people call the thing with this id; ``None`` where nobody has told."""


def _nameless(_identifier: str, _language: Language) -> None:
    return None


@dataclass(frozen=True, slots=True)
class _Speech:
    """The language that is spoken, and the names that are used in it."""

    language: Language
    named: Named

    def say(self, words: Words) -> str:
        return pick(words, self.language)

    def value(self, value: Value) -> str:
        name = self.named(value, self.language) if isinstance(value, str) else None
        return name or told(value, self.language)


def explain(report: PolicyReport, language: Language, named: Named = _nameless) -> tuple[str, ...]:
    """The proof, a line each; what belongs to a line stands below it, two spaces further in.

    Things are told by what ``named`` calls them, else by their ids.
    """
    speech = _Speech(language, named)
    lines = [_verdict(report, speech)]
    for position, rule in enumerate(report.rules, 1):
        lines += _rule(rule, position, speech)
    return tuple(lines)


def _verdict(report: PolicyReport, speech: _Speech) -> str:
    if report.proposal:
        said: Words = (
            "Nee, dit mag nog niet: het is een voorstel, en nog geen afspraak.",
            "No, this is not allowed yet: it is a proposal, and not an agreement so far.",
        )
        return speech.say(said)
    active = {rule.rule.kind for rule in report.rules if rule.active}
    if report.verdict == "deny" and "permission" in active and report.strategy != "prohibit":
        torn = (
            "Nee, dit mag niet: de afspraak spreekt zichzelf tegen.",
            "No, this is not allowed: the agreement contradicts itself.",
        )
        return speech.say(torn)
    return speech.say(_VERDICTS[report.verdict])


def _rule(report: RuleReport, position: int, speech: _Speech) -> list[str]:
    applies = speech.say(("geldt", "applies") if report.active else ("geldt niet", "does not apply"))
    lines = [f"{speech.say(RULES[report.rule.kind])} {position} {applies}."]
    for premise in report.premises:
        lines += _premise(premise, speech, 1)
    if report.duty is not None:
        lines += _duty(report.duty, speech, 1, premises=False)
    for duty in report.conditions:
        lines += _duty(duty, speech, 1)
    return lines


def _duty(duty: DutyReport, speech: _Speech, depth: int, premises: bool = True) -> list[str]:
    what = ", ".join(worded(action.iri, ACTIONS, speech.language) for action in duty.rule.actions)
    if duty.carried:
        # What it asks holds by the node's own work, so that there is nothing to find out.
        return [f"{'  ' * depth}{speech.say(RULES[duty.rule.kind])}: {what}; {speech.say(_CARRIED)}."]
    state = _STATES[duty.deontic]
    if not duty.active:
        state = ("hoeft nu niet", "is not asked for now")
    elif duty.deontic == "NonSet" and duty.performance == "Unknown":
        state = ("kan nog op tijd worden gedaan", "can still be done in time")
    lines = [f"{'  ' * depth}{speech.say(RULES[duty.rule.kind])}: {what}; {speech.say(state)}."]
    for premise in duty.premises if premises else ():
        lines += _premise(premise, speech, depth + 1)
    for each in duty.further:
        lines += _duty(each, speech, depth + 1)
    return lines


def _premise(premise: Premise, speech: _Speech, depth: int) -> list[str]:
    lines = [f"{'  ' * depth}{_sentence(premise, speech)} {speech.say(_TRUTHS[premise.holds])}"]
    for part in premise.parts:
        lines += _premise(part, speech, depth + 1)
    return lines


def _sentence(premise: Premise, speech: _Speech) -> str:
    said: Words
    if isinstance(premise.test, Logical):
        return speech.say(_JOINED[premise.test.connective])
    if isinstance(premise.test, Constraint):
        return _constraint(premise.test, premise, speech)
    if premise.kind == "Action":
        asked, wanted = (
            _listed([worded(str(each), ACTIONS, speech.language) for each in values], speech)
            for values in (premise.expected, premise.found)
        )
        said = (
            f"De regel gaat over {asked}; gevraagd is {wanted}.",
            f"The rule is about: {asked}; asked is: {wanted}.",
        )
        return speech.say(said)
    names, found = (
        _listed([speech.value(each) for each in values], speech)
        for values in (premise.expected, premise.found)
    )
    if premise.kind == "Target":
        said = (
            f"De regel gaat over {names}; het verzoek gaat over {found}.",
            f"The rule is about {names}; the request is about {found}.",
        )
    else:
        said = (
            f"De regel is voor {names}; het verzoek komt van {found}.",
            f"The rule is for {names}; the request is by {found}.",
        )
    return speech.say(said)


def _constraint(test: Constraint, premise: Premise, speech: _Speech) -> str:
    moments = test.left == ODRL + "dateTime"
    name = worded(test.left, LEFTS, speech.language)
    asked = _listed([speech.value(value) for value in premise.expected], speech)
    found = _listed([speech.value(value) for value in premise.found], speech)
    it_is = speech.say(("het is", "it is") if premise.found else ("dit is", "this is"))
    unit = f" {last_part(test.unit)}" if test.unit else ""
    sentence = f"{name} {comparison(test.operator, moments, speech.language)} {asked}{unit}; {it_is} {found}."
    return sentence[0].upper() + sentence[1:]


def _listed(words: list[str], speech: _Speech) -> str:
    if not words:
        return speech.say(("niet bekend", "not known"))
    if len(words) == 1:
        return words[0]
    return f"{', '.join(words[:-1])} {speech.say(('of', 'or'))} {words[-1]}"
