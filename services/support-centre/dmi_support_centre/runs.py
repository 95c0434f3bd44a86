"""Runs of scenarios: under the caller's rights and in its share of the room, kept with their grounds."""

from __future__ import annotations

import hashlib
import threading
import time
import uuid
from collections.abc import Callable, Mapping, Sequence
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass
from typing import TypeVar

import msgspec

from dmi_infra import clock
from dmi_infra.aside import PATIENCE, Aside
from dmi_infra.clock import to_text
from dmi_infra.errors import Refused
from dmi_infra.gate import Gate, Permit
from dmi_infra.lanes import Asker
from dmi_support_centre.baselines import Baselines
from dmi_support_centre.desk import Inputs
from dmi_support_centre.errors import ModelRefused
from dmi_support_centre.forgetting import Forgotten
from dmi_support_centre.grounds import Book, joined
from dmi_support_centre.model import SCENARIO, Result
from dmi_support_centre.models.scenario import MODEL, Baseline, Edit, ScenarioRefused, run
from dmi_support_centre.store import Store
from dmi_support_centre.store.scenarios import ScenarioRow, VersionRow

T = TypeVar("T")

RUNS, RUNS_OF_ONE = 12, 3
"""Runs of scenarios and plans of merges at a time, and those of one participant; more stand in line."""


@dataclass(frozen=True, slots=True)
class Outcome:
    """What came of a version, and how often each dataset under it had been forgotten before it was run."""

    result: Result
    version: VersionRow
    forgotten: Mapping[str, int]


class Runs:
    """Works out versions of scenarios; each dataset's part of the baseline passes the gate for each run."""

    def __init__(
        self, store: Store, gate: Gate, book: Book, baselines: Baselines, forgotten: Forgotten
    ) -> None:
        self._store = store
        self._gate = gate
        self._book = book
        self._baselines = baselines
        self._forgotten = forgotten
        self._keeping = threading.Lock()
        self._aside = Aside(RUNS, RUNS_OF_ONE, patience=PATIENCE)

    async def in_turn(
        self, asker: Asker, work: Callable[[], T], waiting: AbstractAsyncContextManager[None]
    ) -> T:
        """What ``work`` gives, which runs scenarios or plans a merge: in the line of who asks. As ``Aside.run``."""
        return await self._aside.run(asker, work, waiting)

    def known(self, baseline: str, inputs: Inputs) -> Baseline:
        """The part of a kept baseline that the caller may analyse; raises ``Refused`` when that is nothing."""
        return self._allowed(baseline, inputs)[0]

    def _allowed(self, version: str, inputs: Inputs) -> tuple[Baseline, list[Permit], list[Refused]]:
        pinned = self._baselines.pinned(version)
        permits, refused = inputs.permits(part.dataset for part in pinned.parts)
        if not permits:
            raise refused[0]
        known = self._baselines.part(version, {permit.dataset for permit in permits})
        return known, permits, refused

    def outcome(self, row: ScenarioRow, version: VersionRow, inputs: Inputs) -> Outcome:
        """The outcome of a version, run now. Raises ``Refused`` and ``ModelRefused``."""
        begun = time.perf_counter()
        parts = self._baselines.pinned(version.baseline).parts
        forgotten = self._forgotten.times_of(part.dataset for part in parts)
        baseline, permits, refused = self._allowed(version.baseline, inputs)
        allowed = {permit.dataset for permit in permits}
        try:
            outcome = run(baseline, version.edits)
        except ScenarioRefused as exc:
            if refused:
                raise refused[0] from exc
            raise ModelRefused.from_model(exc) from exc
        grounds = joined([self._book.ground_of(permit) for permit in permits])
        body = {
            "outcome": msgspec.to_builtins(outcome),
            "record": {
                "run": str(uuid.uuid4()),
                "inputs": [
                    {"dataset": part.dataset, "version": part.version}
                    for part in parts
                    if part.dataset in allowed
                ],
                "left_out": sorted({part.dataset for part in parts} - allowed),
                "model": MODEL,
                "parameters": outcome.record.parameters,
                # The model draws nothing: the same input gives the same figures on every machine.
                "seed": None,
                "duration_ms": round((time.perf_counter() - begun) * 1000, 1),
                "by": inputs.identity.participant,
                "by_name": inputs.identity.name,
                "at": to_text(clock.now()),
            },
            "scenario": row.id,
            "version": version.number,
        }
        found = result_id(row, version.number)
        result = Result(found, SCENARIO, row.title, row.id, clock.now(), grounds, body)
        times = {dataset: forgotten[dataset] for dataset in grounds.datasets}
        return Outcome(result, version, times)

    def keep(self, outcome: Outcome) -> None:
        """Keep the outcome of a version for whoever looks next, and tell what it was made of.

        Not where rows that it was made of have gone meanwhile, or its ground: whoever looks next has it run anew. Nor
        where the scenario itself has.
        """
        result, version = outcome.result, outcome.version
        with self._keeping, self._forgotten.keeping_all(outcome.forgotten) as whole:
            if not whole or self._book.fallen(result.grounds) is not None:
                return
            if self._store.scenarios.get(version.scenario) is None:
                return
            self._store.results.save([result])
        told = msgspec.structs.replace(result, id=told_id(result))
        baseline = result.body["outcome"]["record"]["baseline_version"]
        self._book.tell(told, SCENARIO, _transformations(baseline, version.edits))

    def drop(self, scenario: str) -> None:
        """Delete a scenario; no outcome of it is kept after this."""
        with self._keeping:
            self._store.scenarios.delete(scenario)


def told_id(result: Result) -> str:
    """The id of an outcome for everyone, under which its lineage is told too.

    Who may see that the outcome rests on its data, or reads it by a share, need not know the scenario's own id.
    """
    return f"scenario:{hashlib.sha256(result.id.encode()).hexdigest()[:32]}"


def result_id(row: ScenarioRow, number: int) -> str:
    """The id of the outcome of a version."""
    return f"scenario:{row.id}:{number}"


def _transformations(baseline: str, edits: Sequence[Edit]) -> list[str]:
    steps = [f"baseline of neighbourhoods and buildings, version {baseline[:12]}"]
    steps += [
        f"edit {number + 1}: {msgspec.json.encode(edit).decode()[:200]}" for number, edit in enumerate(edits)
    ]
    return [
        *steps,
        f"scenario model {MODEL}, coefficients at their values, swings added as independent errors",
    ]
