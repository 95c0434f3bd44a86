"""Agreements damaged at random, never into another agreement that is understood and permits more.

What would be one is left out: another known term in the place of a term, another number or moment, an identifier of
somebody else, a duty or prohibition taken away. What is left must be refused, or permit no more than before.
"""

from __future__ import annotations

import copy
import random
import re
from collections import Counter
from collections.abc import Iterator
from typing import Any, Final

from dmi_agreements.decide import decide
from dmi_agreements.decision import Request
from dmi_agreements.errors import PolicyRefused
from dmi_agreements.policy.compiled import compile_agreement
from dmi_agreements.policy.context import odrl_names
from dmi_agreements.policy.document import read_agreement
from dmi_agreements.policy.situation import NEVER, Situation, Use
from dmi_agreements.rulebook import Rulebook
from tests.unit.agreements.gate_policies import (
    COARSEN,
    CONTEXT,
    DELETE,
    EVERYONE,
    GARAGES,
    LAMPS,
    OTHER,
    OWNER,
    STACK,
    situation,
)

_ID: Final = re.compile(r"urn:(dmi:(participant|person|dataset|party)|uuid):|https?:")
_TERM: Final = re.compile(r"[A-Za-z:-]+")
_ODD: Final[tuple[Any, ...]] = (
    None,
    True,
    False,
    0,
    -1,
    3.5,
    10**30,
    "",
    "x",
    " ",
    "\u0000",
    {},
    {"@id": "urn:x"},
    {"a": 1},
    [None],
    [[]],
)
_FOREIGN: Final = " éа\u200b\n<>"
# Without these an agreement says less, and may be understood: what it says less could be a limit.
_LIMITS: Final = frozenset(
    "duty refinement prohibition constraint inheritFrom obligation assignee consequence remedy".split()  # noqa: SIM905
)
_CONTEXTS: Final = (
    {"permission": "odrl:prohibition"},
    {"dmi": "urn:other:"},
    {"lt": "odrl:gt"},
    {"@vocab": "http://example.org/"},
    {"prohibition": None},
    {"constraint": {"@id": "odrl:constraint", "@type": "@json"}},
    {"@base": "urn:x:"},
    {"purpose": {"@reverse": "odrl:purpose"}},
    "https://example.org/context.jsonld",
    {"@import": "http://www.w3.org/ns/odrl.jsonld"},
    {"@language": "nl"},
    7,
)


def test(left: str, operator: str, right: object) -> dict[str, Any]:
    return {"leftOperand": left, "operator": operator, "rightOperand": right}


test.__test__ = False  # type: ignore[attr-defined]
MOBILITY: Final = test("purpose", "isA", "dmi:purpose:mobility")
ANY: Final = test("purpose", "isA", "dmi:purpose:any")
MOMENT: Final = {"@value": "2027-01-15T00:00:00Z", "@type": "xsd:dateTime"}
AREA: Final = test("spatial", "isPartOf", {"dmi:bbox": [4, 52, 5, 53]})


def _agreement(assignee: str = STACK, **members: Any) -> dict[str, Any]:
    return {
        "@context": CONTEXT,
        "@type": "Agreement",
        "uid": "urn:uuid:00000000-0000-4000-8000-000000000001",
        "profile": "urn:dmi:profile:1",
        "dmi:rulebook": "1.0.0",
        "dmi:legalBasis": "dmi:basis:public-task",
        "assigner": OWNER,
        "assignee": assignee,
        **members,
    }


VALID: Final[tuple[dict[str, Any], ...]] = (
    _agreement(
        permission=[
            {
                "target": GARAGES,
                "action": ["dmi:read", "dmi:display"],
                "constraint": [
                    MOBILITY,
                    test("dateTime", "lteq", MOMENT),
                    test("recipient", "isAnyOf", [STACK, OTHER]),
                    AREA,
                ],
                "duty": [COARSEN],
            }
        ],
        prohibition=[
            {
                "target": GARAGES,
                "action": "dmi:display",
                "constraint": [test("purpose", "eq", "dmi:purpose:parking-guidance")],
            }
        ],
    ),
    _agreement(
        EVERYONE,
        conflict="perm",
        permission=[
            {
                "target": [GARAGES, LAMPS],
                "action": {
                    "rdf:value": {"@id": "odrl:use"},
                    "refinement": [
                        test("dmi:timeOfDay", "gteq", "07:00:00"),
                        test("dmi:dayOfWeek", "isNoneOf", ["Sunday"]),
                    ],
                },
                "constraint": [
                    ANY,
                    {"xone": [test("dmi:role", "isAnyOf", ["dmi:role:user"]), test("count", "lteq", 3)]},
                ],
                "duty": [
                    {
                        "action": "attribute",
                        "constraint": [test("dateTime", "lt", MOMENT)],
                        "consequence": [{"action": "inform"}],
                    }
                ],
            }
        ],
        prohibition=[
            {
                "target": LAMPS,
                "action": "odrl:read",
                "constraint": [test("purpose", "isNoneOf", ["dmi:purpose:noise"])],
                "remedy": [{"action": "inform"}],
            }
        ],
        obligation=[DELETE],
    ),
    _agreement(
        permission=[
            {
                "target": [{"@type": "AssetCollection", "source": GARAGES, "refinement": [AREA]}],
                "action": ["odrl:reproduce", "odrl:read"],
                "assignee": {
                    "@type": "PartyCollection",
                    "source": STACK,
                    "refinement": [test("dmi:role", "isAnyOf", ["dmi:role:user"])],
                },
                "constraint": [
                    {
                        "or": [
                            test("purpose", "isAnyOf", ["dmi:purpose:noise", "dmi:purpose:mobility"]),
                            MOBILITY,
                        ]
                    },
                    {
                        "andSequence": [
                            test(
                                "dateTime",
                                "gteq",
                                {"@value": "2027-01-02T00:00:00Z", "@type": "xsd:dateTime"},
                            ),
                            test("delayPeriod", "gteq", "P2D"),
                        ]
                    },
                    {
                        "and": [
                            test("elapsedTime", "lteq", "P30D"),
                            {"or": [test("dmi:dayOfWeek", "neq", "Friday"), test("count", "lt", 2)]},
                        ]
                    },
                ],
            }
        ],
        inheritFrom=[
            {
                "@type": "Set",
                "uid": "http://example.org/house-rules",
                "prohibition": [
                    {"target": GARAGES, "action": "use", "constraint": [test("recipient", "neq", STACK)]}
                ],
            }
        ],
    ),
)
"""Agreements that are understood, with every kind of term in them."""


class Mutator:
    """Damages agreements; a seed makes it repeatable."""

    def __init__(self, rulebook: Rulebook, seed: int) -> None:
        self.dice = random.Random(seed)
        terms = (rulebook.actions, rulebook.purposes, rulebook.duties, rulebook.roles, rulebook.legal_bases)
        self.known = {*odrl_names(), *(term for kind in terms for term in kind), "Monday", "Friday", "Sunday"}

    def mutated(self, document: dict[str, Any]) -> Any:
        """A copy with one to three damages."""
        damaged: Any = copy.deepcopy(document)
        for _ in range(self.dice.choice((1, 1, 2, 3))):
            damage = self.dice.choice(
                (self.misspelt, self.misspelt_key, self.odd, self.further, self.twice, self.less, self.wrapped,
                 self.unit, self.context, self.swapped, self.deep)
            )  # fmt: skip
            damaged = damage(damaged)
        return damaged

    def misspelt(self, document: Any) -> Any:
        """A text with a letter too many, too few, or in another case."""
        way = self._pick(document, lambda _way, value: isinstance(value, str) and value != "")
        return document if way is None else _put(document, way, self._slip(_at(document, way)))

    def misspelt_key(self, document: Any) -> Any:
        """A key that is spelled wrong."""
        way = self._pick(document, lambda _way, value: isinstance(value, dict) and bool(value))
        if way is None:
            return document
        key = self.dice.choice(sorted(_at(document, way)))
        members = {
            (self._slip(name) if name == key else name): value for name, value in _at(document, way).items()
        }
        return _put(document, way, members)

    def _slip(self, text: str) -> str:
        place = self.dice.randrange(len(text) + 1)
        if _ID.match(text) or not _TERM.fullmatch(text):
            return text[:place] + self.dice.choice(_FOREIGN) + text[place:]
        for _ in range(20):
            letter = self.dice.choice("xqzESl_:" + _FOREIGN)
            at = self.dice.randrange(len(text))
            tried = self.dice.choice(
                (
                    text[:place] + letter + text[place:],
                    text[:at] + text[at + 1 :],
                    text.swapcase(),
                    text + text,
                )
            )
            if tried not in self.known and tried.removeprefix("odrl:") not in self.known:
                return tried
        return text + "\u200b"

    def odd(self, document: Any) -> Any:
        """A value of another kind."""
        way = self._pick(document, lambda way, _value: bool(way) and way[-1] not in _LIMITS | {"count"})
        if way is None:
            return document
        value = self.dice.choice(_ODD)
        old = _at(document, way)
        same = isinstance(value, (int, float)) and isinstance(old, (int, float))
        return document if same else _put(document, way, copy.deepcopy(value))

    def further(self, document: Any) -> Any:
        """A member that does not stand there: an unknown one, or a known one with an odd value."""
        way = self._pick(document, lambda _way, value: isinstance(value, dict))
        if way is None:
            return document
        key = self.dice.choice(("foo", "dmi:foo", "odrl:foo", "http://example.org/x", *sorted(self.known)))
        spelled = {key, f"odrl:{key}"}
        members = _at(document, way)
        return (
            document
            if spelled & members.keys()
            else _put(document, way, {**members, key: copy.deepcopy(self.dice.choice(_ODD))})
        )

    def twice(self, document: Any) -> Any:
        """An item of a list twice; not a permission: two that each allow three uses allow six."""
        way = self._pick(
            document, lambda way, value: _several(value) and "xone" not in way and way[-1:] != ("permission",)
        )
        if way is None:
            return document
        items = _at(document, way)
        return _put(document, way, [*items, copy.deepcopy(self.dice.choice(items))])

    def less(self, document: Any) -> Any:
        """A member left out that is no limit."""
        way = self._pick(
            document, lambda way, value: isinstance(value, dict) and bool(value) and "xone" not in way
        )
        if way is None:
            return document
        keys = sorted(_at(document, way).keys() - _LIMITS)
        if not keys:
            return document
        gone = self.dice.choice(keys)
        return _put(document, way, {key: value for key, value in _at(document, way).items() if key != gone})

    def wrapped(self, document: Any) -> Any:
        """A value in a list, an object, or a list in a list."""
        way = self._pick(document, lambda way, _value: bool(way))
        if way is None:
            return document
        value = _at(document, way)
        shapes = (
            [value],
            [[value]],
            {"@value": value},
            {"@id": value},
            {"@list": [value]},
            {"@set": [value]},
            {"@graph": [value]},
        )
        return _put(document, way, self.dice.choice(shapes))

    def unit(self, document: Any) -> Any:
        """A constraint with a unit, a datatype or a status that it cannot have."""
        way = self._pick(document, lambda _way, value: isinstance(value, dict) and "leftOperand" in value)
        if way is None:
            return document
        name = self.dice.choice(("unit", "dataType", "status", "rightOperandReference", "odrl:unit"))
        return _put(
            document, way, {**_at(document, way), name: self.dice.choice(("km", "xsd:gYear", "urn:x", 5))}
        )

    def context(self, document: Any) -> Any:
        """A context that takes, gives or bends a meaning."""
        if not isinstance(document, dict):
            return document
        extra = copy.deepcopy(self.dice.choice(_CONTEXTS))
        own = document.get("@context", [])
        own = own if isinstance(own, list) else [own]
        return {**document, "@context": self.dice.choice(([*own, extra], [extra, *own], extra))}

    def swapped(self, document: Any) -> Any:
        """Two members of a constraint with each other's value."""
        way = self._pick(document, lambda _way, value: isinstance(value, dict) and "leftOperand" in value)
        if way is None:
            return document
        members = dict(_at(document, way))
        one, other = self.dice.sample(("leftOperand", "operator", "rightOperand"), 2)
        members[one], members[other] = members.get(other), members.get(one)
        return _put(document, way, members)

    def deep(self, document: Any) -> Any:
        """A value deep within lists."""
        way = self._pick(document, lambda way, _value: bool(way))
        if way is None:
            return document
        value = _at(document, way)
        for _ in range(self.dice.choice((3, 30, 90))):
            value = [value] if self.dice.random() < 0.5 else {"and": [value]}
        return _put(document, way, value)

    def _pick(self, document: Any, fits: Any) -> tuple[Any, ...] | None:
        ways = [way for way, value in _ways(document) if fits(way, value)]
        return self.dice.choice(ways) if ways else None


def _several(value: Any) -> bool:
    return isinstance(value, list) and bool(value)


def _ways(value: Any, way: tuple[Any, ...] = ()) -> Iterator[tuple[tuple[Any, ...], Any]]:
    waiting = [(way, value)]
    while waiting:
        here, item = waiting.pop()
        yield here, item
        inner = item.items() if isinstance(item, dict) else enumerate(item) if isinstance(item, list) else ()
        waiting.extend(((*here, key), each) for key, each in inner)


def _at(document: Any, way: tuple[Any, ...]) -> Any:
    for key in way:
        document = document[key]
    return document


def _put(document: Any, way: tuple[Any, ...], value: Any) -> Any:
    if not way:
        return value
    _at(document, way[:-1])[way[-1]] = value
    return document


SITUATIONS: Final = 60
"""Requests that each agreement is tried with."""


class Alike:
    """The same uses of every rule."""

    def __init__(self, use: Use) -> None:
        self.use = use

    def get(self, _path: str, _default: Use, /) -> Use:
        return self.use


def asked(document: dict[str, Any], rulebook: Rulebook) -> list[Situation]:
    """Requests, with what is known of each, that an agreement is tried with: it permits half of them."""
    dice = random.Random(5)
    found = [situation(document, dice) for _ in range(1_000)]
    for each in found:
        # Damage moves rules to other places; as often as one was used, each was.
        each.uses = None if each.uses is None else Alike(each.uses.get("/permission/0", NEVER))
    answers = list(zip(allowed(document, rulebook, found), found, strict=True))
    return [
        each
        for wanted in (True, False)
        for each in [each for told, each in answers if told is wanted][: SITUATIONS // 2]
    ]


def allowed(document: object, rulebook: Rulebook, situations: list[Situation]) -> list[bool]:
    """Which of the requests the document permits; raises ``PolicyRefused`` when it is not understood."""
    compiled = compile_agreement(read_agreement(document, rulebook), rulebook)
    return [
        decide(
            compiled, Request(each.assignee, each.action, each.dataset, each.purpose), each.now, each
        ).allowed
        for each in situations
    ]


def damage(rulebook: Rulebook, count: int, seed: int) -> Counter[str]:
    """Damage agreements ``count`` times and judge each; raises on the first that permits more."""
    mutator = Mutator(rulebook, seed)
    tried = [(document, asked(document, rulebook)) for document in VALID]
    before = [allowed(document, rulebook, situations) for document, situations in tried]
    found: Counter[str] = Counter()
    for number in range(count):
        which = number % len(VALID)
        document, situations = tried[which]
        damaged = mutator.mutated(document)
        try:
            after = allowed(damaged, rulebook, situations)
        except PolicyRefused:
            found["refused"] += 1
            continue
        more = [new > old for new, old in zip(after, before[which], strict=True)]
        assert not any(more), f"seed {seed}, number {number}: {damaged}"
        found["the same" if after == before[which] else "less"] += 1
    return found
