"""A report told to people: the verdict, each rule, and what it rests on, in plain Dutch or English."""

from __future__ import annotations

from dmi_agreements.odrl.model import ODRL, Constraint, Logical
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


def explain(report: PolicyReport, language: Language) -> tuple[str, ...]:
    """The proof, a line each; what belongs to a line stands below it, two spaces further in."""
    lines = [_verdict(report, language)]
    for position, rule in enumerate(report.rules, 1):
        lines += _rule(rule, position, language)
    return tuple(lines)


def _verdict(report: PolicyReport, language: Language) -> str:
    if report.proposal:
        said: Words = (
            "Nee, dit mag nog niet: het is een voorstel, en nog geen afspraak.",
            "No, this is not allowed yet: it is a proposal, and not an agreement so far.",
        )
        return pick(said, language)
    active = {rule.rule.kind for rule in report.rules if rule.active}
    if report.verdict == "deny" and "permission" in active and report.strategy != "prohibit":
        torn = (
            "Nee, dit mag niet: de afspraak spreekt zichzelf tegen.",
            "No, this is not allowed: the agreement contradicts itself.",
        )
        return pick(torn, language)
    return pick(_VERDICTS[report.verdict], language)


def _rule(report: RuleReport, position: int, language: Language) -> list[str]:
    applies = pick(("geldt", "applies") if report.active else ("geldt niet", "does not apply"), language)
    lines = [f"{pick(RULES[report.rule.kind], language)} {position} {applies}."]
    for premise in report.premises:
        lines += _premise(premise, language, 1)
    if report.duty is not None:
        lines += _duty(report.duty, language, 1, premises=False)
    for duty in report.conditions:
        lines += _duty(duty, language, 1)
    return lines


def _duty(duty: DutyReport, language: Language, depth: int, premises: bool = True) -> list[str]:
    what = ", ".join(worded(action.iri, ACTIONS, language) for action in duty.rule.actions)
    state = _STATES[duty.deontic]
    if not duty.active:
        state = ("hoeft nu niet", "is not asked for now")
    elif duty.deontic == "NonSet" and duty.performance == "Unknown":
        state = ("kan nog op tijd worden gedaan", "can still be done in time")
    lines = [f"{'  ' * depth}{pick(RULES[duty.rule.kind], language)}: {what}; {pick(state, language)}."]
    for premise in duty.premises if premises else ():
        lines += _premise(premise, language, depth + 1)
    for each in duty.further:
        lines += _duty(each, language, depth + 1)
    return lines


def _premise(premise: Premise, language: Language, depth: int) -> list[str]:
    lines = [f"{'  ' * depth}{_sentence(premise, language)} {pick(_TRUTHS[premise.holds], language)}"]
    for part in premise.parts:
        lines += _premise(part, language, depth + 1)
    return lines


def _sentence(premise: Premise, language: Language) -> str:
    said: Words
    if isinstance(premise.test, Logical):
        return pick(_JOINED[premise.test.connective], language)
    if isinstance(premise.test, Constraint):
        return _constraint(premise.test, premise, language)
    if premise.kind == "Action":
        asked, wanted = (
            _listed([worded(str(each), ACTIONS, language) for each in values], language)
            for values in (premise.expected, premise.found)
        )
        said = (
            f"De regel gaat over {asked}; gevraagd is {wanted}.",
            f"The rule is about: {asked}; asked is: {wanted}.",
        )
        return pick(said, language)
    names, found = (
        _listed([last_part(str(each)) for each in values], language)
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
    return pick(said, language)


def _constraint(test: Constraint, premise: Premise, language: Language) -> str:
    moments = test.left == ODRL + "dateTime"
    name = worded(test.left, LEFTS, language)
    asked = _listed([told(value, language) for value in premise.expected], language)
    found = _listed([told(value, language) for value in premise.found], language)
    it_is = pick(("het is", "it is") if premise.found else ("dit is", "this is"), language)
    unit = f" {last_part(test.unit)}" if test.unit else ""
    sentence = f"{name} {comparison(test.operator, moments, language)} {asked}{unit}; {it_is} {found}."
    return sentence[0].upper() + sentence[1:]


def _listed(words: list[str], language: Language) -> str:
    if not words:
        return pick(("niet bekend", "not known"), language)
    if len(words) == 1:
        return words[0]
    return f"{', '.join(words[:-1])} {pick(('of', 'or'), language)} {words[-1]}"
