"""Conflicts between policies, and within one, before anybody signs."""

from __future__ import annotations

import itertools
import json
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer
from rich.text import Text

from dmi_agreements.errors import PolicyRefused
from dmi_agreements.odrl.model import ODRL, XSD, Policy, Typed, Value
from dmi_agreements.odrl.vocabulary import ValueType, Vocabulary
from dmi_command.commands.policy import policy_app, read_file
from dmi_command.console import AsJson, out
from dmi_command.errors import UsageWrong

if TYPE_CHECKING:
    from dmi_exchange.review.conflicts import Checker

_TYPES: dict[ValueType, str] = {
    "dateTime": "dateTime", "duration": "duration", "integer": "integer", "number": "decimal",
    "structure": "decimal",
}  # fmt: skip
_COLOURS = {"Conflict": "red", "Beyond": "red", "Undecidable": "yellow"}


def register(app: typer.Typer) -> None:
    """Add the command to the group of policies."""
    policy_app.command()(conflicts)


def conflicts(
    file: Annotated[Path, typer.Argument(help="One or more policies: Turtle or JSON-LD")],
    other: Annotated[Path | None, typer.Argument(help="More policies")] = None,
    resource: Annotated[
        list[Path] | None,
        typer.Option(
            help="Hierarchy in Turtle: skos:broader, rdfs:subClassOf, gn:parentFeature; what it does not say may "
            "still be so; may stand repeatedly."
        ),
    ] = None,
    fact: Annotated[
        list[str] | None,
        typer.Option(
            help="A value that the request is known to have: meteredTime=P9D; may stand repeatedly."
        ),
    ] = None,
    profile: Annotated[
        list[Path] | None,
        typer.Option(help="Profile with further actions and left operands; may stand repeatedly."),
    ] = None,
    within: Annotated[
        bool,
        typer.Option("--within", help="Ask whether the second policy allows all that the first one does."),
    ] = False,
    as_json: AsJson = False,
) -> None:
    """Check policies against each other and each by itself; nothing is fetched, no stack is needed.

    Two policies are Compatible when one request can satisfy both; the answer then also tells what --within says of
    them, and for which values (--fact) of a request it may be another.

    Exit code 0 whatever the verdict; 2 when a file cannot be read or holds what is not understood.
    """
    # Imported here: they bring the RDF library and the solver, which no other command needs to wait for.
    from dmi_exchange.rdf import profiling, reading

    terms = profiling.known_profiles()
    for each in profile or []:
        terms = read_file(each, partial(profiling.with_profile, terms))
    files = [each for each in (file, other) if each is not None]
    read = partial(reading.read_policies, vocabulary=terms)
    policies = [policy for each in files for policy in read_file(each, read)]
    if not policies:
        raise UsageWrong(f"{file} holds no policy")
    if within and len(policies) != 2:
        raise UsageWrong(f"--within compares two policies; here are {len(policies)}")
    checker = _checker(policies, resource or [], terms)
    try:
        answer = _check(checker, policies, _facts(fact or [], terms), within)
    except PolicyRefused as exc:
        raise UsageWrong(
            "\n".join(["a policy is refused:", *(f"  {finding}" for finding in exc.findings)])
        ) from exc
    if as_json:
        typer.echo(json.dumps(answer, indent=2, ensure_ascii=False))
    else:
        _print(answer)


def _checker(policies: list[Policy], files: list[Path], terms: Vocabulary) -> Checker:
    from dmi_exchange.rdf.world import read_world
    from dmi_exchange.review.conflicts import Checker, known
    from dmi_infra.runtime import load_rulebook
    from dmi_infra.settings import Settings

    worlds = [read_file(file, read_world) for file in files]
    return Checker(
        (known.places(), known.purposes(load_rulebook(Settings()))),
        terms,
        others={policy.uid: policy for policy in policies},
        foreign=tuple(hierarchy for world in worlds for hierarchy in (world.kinds, world.part_of)),
    )


def _check(checker: Checker, policies: list[Policy], facts: dict[str, Value], within: bool) -> dict[str, Any]:
    """The answer on one policy, on two, or on each pair of more."""
    from dmi_exchange.review.conflicts import present

    if within:
        one, other = policies
        return {"policies": [one.uid, other.uid], **present.verdict(checker.within(one, other))}
    findings = [finding for policy in policies for finding in checker.policy(policy)]
    pairs = [
        {"policies": [one.uid, other.uid], **present.verdict(checker.pair(one, other, facts))}
        for one, other in (
            itertools.combinations(policies, 2) if len(policies) > 1 else [(policies[0], policies[0])]
        )
    ]
    if len(pairs) == 1:
        return {
            **pairs[0],
            "policies": [policy.uid for policy in policies],
            "findings": present.findings(findings),
            **(_otherwise(checker, policies, facts) if pairs[0]["verdict"] == "Compatible" else {}),
        }
    verdicts = [pair["verdict"] for pair in pairs]
    worst = next((each for each in ("Conflict", "Undecidable") if each in verdicts), "Compatible")
    return {
        "verdict": worst,
        "policies": [policy.uid for policy in policies],
        "pairs": pairs,
        "findings": present.findings(findings),
    }


def _otherwise(checker: Checker, policies: list[Policy], facts: dict[str, Value]) -> dict[str, Any]:
    """What other questions about two compatible policies may be answered by, for who meant one of these."""
    from dmi_exchange.review.conflicts import present

    if len(policies) != 2:
        return {}
    one, other = policies
    open_still = [
        left.removeprefix(ODRL) for left in checker.asked_of_requests(one, other) if left not in facts
    ]
    return {
        "otherwise": {
            "--within": present.verdict(checker.within(one, other))["verdict"],
            "--fact": open_still,
        }
    }


def _facts(given: list[str], terms: Vocabulary) -> dict[str, Value]:
    found: dict[str, Value] = {}
    for each in given:
        name, equals, text = each.partition("=")
        iri = name if ":" in name else ODRL + name
        left = terms.lefts.get(iri)
        if not equals or left is None:
            near = terms.nearest(iri, "left")
            raise UsageWrong(f"--fact {each}: a known left operand and its value, as {near or 'count'}=VALUE")
        datatype = _TYPES.get(left.type)
        found[iri] = Typed(text, XSD + datatype) if datatype else text if ":" in text else Typed(text)
    return found


def _print(answer: dict[str, Any]) -> None:
    for pair in answer.get("pairs", [answer]):
        told = pair["verdict"]
        names = " and ".join(pair["policies"])
        out.print(Text.assemble((told, _COLOURS.get(told, "green")), f": {names}"), soft_wrap=True)
        _print_ground(pair)
    _print_otherwise(answer.get("otherwise", {}))
    for finding in answer.get("findings", []):
        where = f"{finding['policy']} {finding['path']}"
        out.print(
            Text.assemble((finding["kind"], "yellow"), f": {where}: {finding['message']}"), soft_wrap=True
        )
        _print_ground(finding)


def _print_otherwise(questions: dict[str, Any]) -> None:
    if not questions:
        return
    within, open_still = questions["--within"], questions["--fact"]
    out.print(
        f"  asked with --within, whether the second allows all that the first does: {within}", soft_wrap=True
    )
    if open_still:
        names = ", ".join(open_still)
        out.print(
            f"  of a request of which these are known (--fact), it may be Conflict: {names}",
            soft_wrap=True,
            markup=False,
        )


def _print_ground(ground: dict[str, Any]) -> None:
    for term in ground.get("clash", []):
        out.print(f"  {term['policy']} {term['path']}: {term['term']}", soft_wrap=True, markup=False)
    if "message" in ground and "terms" in ground:
        out.print(f"  {ground['message']}", soft_wrap=True, markup=False)
    if "witness" in ground:
        out.print(
            f"  for example {json.dumps(ground['witness'], ensure_ascii=False)}", soft_wrap=True, markup=False
        )
