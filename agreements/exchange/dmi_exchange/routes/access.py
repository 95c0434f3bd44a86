"""The evaluation interface of AuthZEN (OpenID Authorization API 1.0): may this subject do that?"""

from __future__ import annotations

from typing import Annotated, Any, Literal

import msgspec
from fastapi import APIRouter, Header, Response
from pydantic import BaseModel, ConfigDict, Field

from dmi_agreements.decision import Decision, Reason, Request
from dmi_exchange import model
from dmi_exchange.sight import acquainted
from dmi_infra.errors import InputRefused, Refused
from dmi_infra.http.access import Caller, ServiceRuntime
from dmi_infra.identity import Identity
from dmi_infra.runtime import Runtime

Name = Annotated[str, Field(min_length=1, max_length=200)]
Properties = dict[str, Any]
MOST_AT_ONCE = 100
CROSSING = "evaluation"
RECORDED = (
    "The decision is recorded. One that is true is a use, which limits on how often count. Of a subject that is not "
    "the caller the record names who asked (`asked_by`), and the use is never billed. Of a person with whom the "
    "caller has no agreement, and who has not consented, the answer is the same whether it takes part or not."
)


class Subject(BaseModel):
    """Who: ``type`` participant or person, ``id`` as in the law."""

    model_config = ConfigDict(extra="ignore")
    type: Name
    id: Name
    properties: Properties = {}


class Action(BaseModel):
    """What: ``name`` is an action of the rulebook."""

    model_config = ConfigDict(extra="ignore")
    name: Name
    properties: Properties = {}


class Resource(BaseModel):
    """With what: ``type`` dataset, ``id`` as in the catalogue."""

    model_config = ConfigDict(extra="ignore")
    type: Name
    id: Name
    properties: Properties = {}


class Context(BaseModel):
    """``purpose`` of the rulebook (left out: the dataset's own); ``duties`` says that the caller carries them out."""

    model_config = ConfigDict(extra="ignore")
    purpose: str | None = Field(None, max_length=200)
    duties: bool = False


class Evaluation(BaseModel):
    """One request, or the part of it in which it differs from the others."""

    # The standard asks receivers to pass over members that they do not know.
    model_config = ConfigDict(extra="ignore")
    subject: Subject | None = None
    action: Action | None = None
    resource: Resource | None = None
    context: Context | None = None


class Options(BaseModel):
    """In which order and how far several requests are answered."""

    model_config = ConfigDict(extra="ignore")
    evaluations_semantic: Literal["execute_all", "deny_on_first_deny", "permit_on_first_permit"] = (
        "execute_all"
    )


class Evaluations(Evaluation):
    """Several requests; what stands outside of them holds for those that do not say otherwise."""

    evaluations: list[Evaluation] = Field([], max_length=MOST_AT_ONCE)
    options: Options = Options()


RequestId = Annotated[str | None, Header(alias="X-Request-ID", max_length=200)]


def router() -> APIRouter:
    """Routes under ``/access`` and ``/.well-known``."""
    routes = APIRouter(tags=["access"])

    @routes.get(
        "/.well-known/authzen-configuration", summary="Where the evaluation interface stands (AuthZEN)"
    )
    def configuration(runtime: ServiceRuntime) -> dict[str, str]:
        base = f"{runtime.settings.public_url.rstrip('/')}/exchange"
        return {
            "policy_decision_point": base,
            "access_evaluation_endpoint": f"{base}/access/v1/evaluation",
            "access_evaluations_endpoint": f"{base}/access/v1/evaluations",
        }

    @routes.post(
        "/access/v1/evaluation",
        summary="Whether a subject may do something (AuthZEN); it is recorded",
        description=RECORDED,
    )
    def evaluation(
        identity: Caller,
        runtime: ServiceRuntime,
        response: Response,
        body: Evaluation,
        asked: RequestId = None,
    ) -> dict[str, Any]:
        _echo(response, asked)
        return _answer(identity, runtime, body, "")

    @routes.post(
        "/access/v1/evaluations",
        summary="Several evaluations in one request (AuthZEN)",
        description=RECORDED,
    )
    def evaluations(
        identity: Caller,
        runtime: ServiceRuntime,
        response: Response,
        body: Evaluations,
        asked: RequestId = None,
    ) -> dict[str, Any]:
        _echo(response, asked)
        if not body.evaluations:
            return _answer(identity, runtime, body, "")
        whole = [_filled(each, body) for each in body.evaluations]
        for index, each in enumerate(whole):
            _checked(identity, runtime, each, f"evaluations.{index}.")
        stop = {"deny_on_first_deny": False, "permit_on_first_permit": True}.get(
            body.options.evaluations_semantic
        )
        answers: list[dict[str, Any]] = []
        for index, each in enumerate(whole):
            answers.append(_answer(identity, runtime, each, f"evaluations.{index}."))
            if answers[-1]["decision"] is stop:
                break
        return {"evaluations": answers}

    return routes


def _echo(response: Response, asked: str | None) -> None:
    if asked is not None:
        response.headers["X-Request-ID"] = asked


def _filled(one: Evaluation, shared: Evaluation) -> Evaluation:
    return Evaluation(
        subject=one.subject or shared.subject,
        action=one.action or shared.action,
        resource=one.resource or shared.resource,
        context=one.context or shared.context,
    )


def _checked(
    identity: Identity, runtime: Runtime, asked: Evaluation, at: str
) -> tuple[Subject, Action, Resource]:
    """The three members, complete and for the caller to ask about."""
    who, action, what = asked.subject, asked.action, asked.resource
    if who is None or action is None or what is None:
        missing = next(name for name in ("subject", "action", "resource") if getattr(asked, name) is None)
        raise InputRefused.of(f"{at}{missing}", "is missing")
    if what.type != "dataset":
        raise InputRefused.of(f"{at}resource.type", "must be dataset", what.type)
    if who.type not in ("participant", "person"):
        raise InputRefused.of(f"{at}subject.type", "must be participant or person", who.type)
    entry = runtime.law.table.datasets.get(what.id)
    owns = entry is not None and entry.owner == identity.participant
    if who.id != identity.participant and not owns and not identity.has(model.OPERATOR):
        raise Refused(
            [
                Reason(
                    "wrong_role", "you may ask about yourself and about data of yours; the operator about all"
                )
            ]
        )
    return who, action, what


def _answer(identity: Identity, runtime: Runtime, asked: Evaluation, at: str) -> dict[str, Any]:
    who, action, what = _checked(identity, runtime, asked, at)
    context = asked.context or Context()
    asking = Request(identity.participant, action.name, what.id, context.purpose or "")

    def told_as(found: Decision) -> Decision:
        named = [reason.agreement for reason in found.reasons if reason.agreement]
        known = identity.has(model.OPERATOR) or acquainted(asking, who.id, named, runtime.law.table)
        return _binding(found if known else _of_nobody(who.id), context)

    decision = runtime.gate.answer(
        CROSSING, action.name, what.id, context.purpose, who.id, told_as, identity.participant
    )
    told: dict[str, Any] = {
        "reasons": [
            {"code": reason.code, "detail": reason.detail, "agreement": reason.agreement}
            for reason in decision.reasons
        ]
    }
    if decision.duties:
        told["duties"] = [
            {"duty": type(duty).__name__, **msgspec.to_builtins(duty)} for duty in decision.duties
        ]
    if decision.personal:
        told["only_consenting_subjects"] = True
    return {"decision": decision.allowed, "context": told}


def _of_nobody(subject: str) -> Decision:
    """The answer about a person of whom nothing may be learned, not even whether there is one."""
    detail = f"{subject} has no agreement with you, and has given you no consent to this"
    return Decision(False, (Reason("no_agreement", detail),))


def _binding(found: Decision, context: Context) -> Decision:
    """A permission with duties is one only for whoever carries them out, and says so."""
    if not found.allowed or context.duties or not (found.duties or found.personal):
        return found
    detail = "this permission has duties: say in context.duties that you carry them out"
    return Decision(False, (Reason("duties", detail),), found.duties, found.agreements, found.personal)
