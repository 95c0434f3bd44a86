"""Policies from files: evaluate one for a request in a state of the world, and prove the verdict."""

from __future__ import annotations

import json
from collections.abc import Callable
from enum import StrEnum
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, TypeVar

import typer
from rich.text import Text

from dmi_agreements.errors import PolicyRefused
from dmi_command.console import AsJson, out
from dmi_command.errors import UsageWrong

if TYPE_CHECKING:
    from dmi_agreements.odrl.report import PolicyReport

T = TypeVar("T")


class Form(StrEnum):
    """How a machine gets the compliance report."""

    json = "json"
    turtle = "turtle"
    jsonld = "json-ld"


class Tongue(StrEnum):
    """In which language the proof is told."""

    nl = "nl"
    en = "en"


policy_app = typer.Typer(no_args_is_help=True)


def register(app: typer.Typer) -> None:
    """Add the commands of this subject."""
    app.add_typer(policy_app, name="policy", help="Judge ODRL policies from files.")


@policy_app.command()
def evaluate(
    policy: Annotated[
        Path, typer.Argument(help="Policy, with those that it inherits from: Turtle or JSON-LD")
    ],
    request: Annotated[
        Path, typer.Argument(help="Request: a policy of kind Request, or an EvaluationRequest")
    ],
    state: Annotated[
        Path | None, typer.Argument(help="State of the world; left out: nothing is known")
    ] = None,
    as_json: AsJson = False,
    profile: Annotated[
        list[Path] | None,
        typer.Option(help="Profile with further actions and left operands; may stand repeatedly."),
    ] = None,
    form: Annotated[Form | None, typer.Option(help="Print the compliance report in this form.")] = None,
    proof: Annotated[Tongue | None, typer.Option(help="Tell people why, in this language.")] = None,
) -> None:
    """Judge a request by a policy: which rules apply, and why; nothing is fetched, no stack is needed.

    Exit code 0 whatever the verdict; 2 when a file cannot be read or holds what is not understood.
    """
    # Imported here: they bring the RDF library, which no other command needs to wait for.
    from dmi_agreements.odrl.evaluate import evaluate as judge
    from dmi_agreements.odrl.own import name_of
    from dmi_agreements.odrl.proof import explain
    from dmi_exchange.rdf import profiling, reading, reports, world
    from dmi_infra.runtime import load_rulebook
    from dmi_infra.settings import Settings

    terms = profiling.known_profiles()
    for each in profile or []:
        terms = read_file(each, partial(profiling.with_profile, terms))
    law = read_file(policy, partial(reading.read_with_parents, vocabulary=terms))
    wanted, moment = read_file(request, partial(world.read_request, vocabulary=terms))
    situation = (
        read_file(state, partial(world.read_world, vocabulary=terms)) if state else world.read_world(None)
    )
    report = judge(law, wanted, world.with_stray_report(world.at(situation, moment), law), terms)
    if form is Form.turtle:
        typer.echo(reports.turtle(report))
    elif form is Form.jsonld:
        typer.echo(json.dumps(reports.json_ld(report), indent=2, ensure_ascii=False))
    elif as_json or form is Form.json:
        typer.echo(json.dumps(reports.plain(report), indent=2, ensure_ascii=False))
    elif proof:
        for line in explain(report, proof.value, partial(name_of, load_rulebook(Settings()))):
            typer.echo(line)
    else:
        _print(report)


def read_file(file: Path, read: Callable[[str], T]) -> T:
    """What ``read`` makes of a file; what breaks a rule is told with the file's name."""
    try:
        return read(file.read_text("utf-8"))
    except PolicyRefused as exc:
        broken = "\n".join(f"  {finding}" for finding in exc.findings)
        raise UsageWrong(f"{file} is refused:\n{broken}") from exc
    except UnicodeDecodeError as exc:
        raise UsageWrong(f"{file} is not a text in UTF-8") from exc
    except OSError as exc:
        raise UsageWrong(f"{file} cannot be read: {exc.strerror}") from exc


def _print(report: PolicyReport) -> None:
    colours = {True: "green", False: "red", None: "yellow"}
    words = {True: "satisfied", False: "not satisfied", None: "not known"}
    out.print(Text.assemble("verdict: ", (report.verdict, "green" if report.allowed else "red")))
    for rule in report.rules:
        state = ("active", "green") if rule.active else ("inactive", "dim")
        name = rule.rule.uid or rule.rule.path
        out.print(Text.assemble(f"{rule.rule.kind} ", (name, "bold"), ": ", state), soft_wrap=True)
        todo = [(premise, 1) for premise in reversed(rule.premises)]
        while todo:
            premise, depth = todo.pop()
            test = premise.test
            told = premise.kind if test is None else f"{premise.kind} {test.uid or test.path}"
            truth = (words[premise.holds], colours[premise.holds])
            out.print(Text.assemble("  " * depth, told, ": ", truth), soft_wrap=True)
            todo += [(part, depth + 1) for part in reversed(premise.parts)]
        for duty in rule.conditions:
            told = duty.rule.uid or duty.rule.path
            out.print(f"  duty {told}: {duty.deontic}, {duty.performance}", soft_wrap=True)
