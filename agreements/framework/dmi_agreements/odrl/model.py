"""The information model of ODRL 2.2 as immutable values (W3C Recommendation of 15 February 2018, section 2).

Reading a document accounts for every statement in it and spells every name out as an absolute IRI; so these values
are the same whatever syntax, prefix or context order a document was written in. Properties that a policy states
for all its rules (section 2.7.1) stand in each rule here.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Final, Literal

ODRL: Final = "http://www.w3.org/ns/odrl/2/"
XSD: Final = "http://www.w3.org/2001/XMLSchema#"

PolicyKind = Literal["Set", "Offer", "Request", "Agreement"]
"""``Policy`` itself counts as ``Set``, which section 2.1 makes its equal."""
RuleKind = Literal["permission", "prohibition", "obligation", "duty", "consequence", "remedy"]
"""Where a rule stands: in a policy (the first three), or as duty of a permission, consequence of a duty or
obligation, remedy of a prohibition."""
Strategy = Literal["perm", "prohibit", "invalid"]
"""What settles a permission and a prohibition that both apply (section 2.10)."""
Connective = Literal["and", "or", "xone", "andSequence"]


@dataclass(frozen=True, slots=True)
class Typed:
    """A literal: its text as written and its datatype (IRI); ``language`` for a text that names one."""

    text: str
    datatype: str = XSD + "string"
    language: str | None = None


Value = str | Typed
"""An absolute IRI, or a literal."""


@dataclass(frozen=True, slots=True)
class Constraint:
    """One comparison (section 2.5.1); all IRIs absolute.

    ``right`` has more than one value only for the set operators. ``reference`` says that ``right`` are IRIs where
    the value is found (``rightOperandReference``), not the value. ``path`` is the place in the document.
    ``anchor`` is the moment from which a ``timeInterval`` repeats; ODRL has no term for it, profiles do.
    """

    left: str
    operator: str
    right: tuple[Value, ...]
    path: str
    uid: str | None = None
    unit: str | None = None
    datatype: str | None = None
    status: Value | None = None
    reference: bool = False
    anchor: Value | None = None


@dataclass(frozen=True, slots=True)
class Logical:
    """Constraints joined by a connective (section 2.5.2), in document order, which ``andSequence`` needs."""

    connective: Connective
    operands: tuple[Test, ...]
    path: str
    uid: str | None = None


Test = Constraint | Logical
"""What is satisfied, not satisfied, or not known."""


@dataclass(frozen=True, slots=True)
class Action:
    """An action (IRI) and what narrows it (section 2.4.1); all refinements must hold.

    ``uid`` is the IRI of the narrowed action itself, which reports name, when the document gives it one.
    """

    iri: str
    refinements: tuple[Test, ...] = ()
    uid: str | None = None


@dataclass(frozen=True, slots=True)
class Thing:
    """An asset or party (sections 2.2, 2.3): by ``uid``, as a member of collections, or as a collection.

    ``source`` is what a collection that is refined takes its members from; a refined thing needs no ``uid``.
    """

    uid: str | None = None
    collection: bool = False
    part_of: tuple[str, ...] = ()
    source: str | None = None
    refinements: tuple[Test, ...] = ()


@dataclass(frozen=True, slots=True)
class Rule:
    """A permission, prohibition, obligation or duty (section 2.6).

    ``targets``, ``assigners`` and ``assignees`` empty: the rule does not say, so it speaks of all. More than one:
    section 2.7.1's shorthand for a rule each. ``functions`` holds the other parties by the property that names
    them (IRI), ``relations`` the other assets. ``duties`` of a permission must be fulfilled for it to be used;
    ``consequences`` are due when a duty or obligation is not fulfilled, ``remedies`` when a prohibition is broken.
    """

    kind: RuleKind
    path: str
    actions: tuple[Action, ...]
    uid: str | None = None
    targets: tuple[Thing, ...] = ()
    assigners: tuple[Thing, ...] = ()
    assignees: tuple[Thing, ...] = ()
    functions: tuple[tuple[str, Thing], ...] = ()
    relations: tuple[tuple[str, Thing], ...] = ()
    constraints: tuple[Test, ...] = ()
    duties: tuple[Rule, ...] = ()
    consequences: tuple[Rule, ...] = ()
    remedies: tuple[Rule, ...] = ()


@dataclass(frozen=True, slots=True)
class Policy:
    """A policy (section 2.1); ``conflict`` is ``None`` when unsaid: ``invalid`` then (2.10)."""

    kind: PolicyKind
    uid: str
    permissions: tuple[Rule, ...] = ()
    prohibitions: tuple[Rule, ...] = ()
    obligations: tuple[Rule, ...] = ()
    profiles: tuple[str, ...] = ()
    inherits: tuple[str, ...] = ()
    conflict: Strategy | None = None
    things: tuple[Thing, ...] = field(default=())
    """Collections and members that the document describes beside its rules."""
    about: tuple[tuple[str, Value], ...] = ()
    """What a profile says of the policy as a whole, by the property (IRI): rulebook and legal basis in ours."""

    @property
    def rules(self) -> tuple[Rule, ...]:
        """Its own rules: permissions, prohibitions, obligations."""
        return self.permissions + self.prohibitions + self.obligations
