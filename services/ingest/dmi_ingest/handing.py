"""Handing over the batches of an import through the same door as everything else, and what is rejected there."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Final

import msgspec

from dmi_agreements.contracts.envelope import encode
from dmi_agreements.contracts.features import Feature, FeatureBatch
from dmi_agreements.contracts.observations import ObservationBatch
from dmi_infra.errors import InputRefused, Unavailable
from dmi_ingest.handlers import Ingest
from dmi_ingest.intake import Contributor, Intake
from dmi_ingest.rejects import FOREIGN, NATIVE, NO_CONSENT, OTHERS, foreign, kept_back, read_native
from dmi_ingest.sources.batching import Batch, DerivedBatch, batches
from dmi_ingest.sources.port import Rejected, Source, SourceError
from dmi_ingest.store.features import FeatureStore, Persons
from dmi_ingest.store.imports import Import

FEATURES_SECONDS: Final = 10.0
"""How long rows wait until the bus has the things that they need."""
Erased = Callable[[str], Mapping[str, int]]
"""From a dataset to the moments (microseconds UTC) up to which rows of persons were erased, by person."""


class HandingOver:
    """Takes batches and corrected rows of imports, each with its contributor's right of that moment."""

    def __init__(
        self, features: FeatureStore, ingest: Ingest, intake: Intake, erased: Erased, rows: int
    ) -> None:
        self._features = features
        self._ingest = ingest
        self._intake = intake
        self._erased = erased
        self._rows = rows

    def batch(
        self,
        item: Import,
        contributor: Contributor,
        batch: Batch,
        batch_id: str,
        about: Persons | None = None,
    ) -> tuple[dict[str, int], list[Rejected]]:
        """Hand over one batch; answers what is added to the counts of the import, and what was rejected."""
        if isinstance(batch, list):
            return {"read": len(batch), "rejected": len(batch)}, batch
        if isinstance(batch, FeatureBatch):
            counted = not isinstance(batch, DerivedBatch)
            return self._hand_over_features(contributor, batch, counted, about or {})
        good, rejected = self._known(item, batch)
        withheld: set[int] = set()
        if len(good):
            withheld = self._intake.take_now(contributor, msgspec.structs.replace(good, batch_id=batch_id))
        erased = self._erased(item.dataset) if withheld else {}
        rejected += [kept_back(good, row, erased) for row in sorted(withheld)]
        accepted = len(batch) - len(rejected)
        counts = {
            "read": len(batch), "accepted": accepted, "rejected": len(rejected), "batches": 1,
            "observations": accepted,
        }  # fmt: skip
        return counts, rejected

    def _hand_over_features(
        self, contributor: Contributor, batch: FeatureBatch, counted: bool, about: Persons
    ) -> tuple[dict[str, int], list[Rejected]]:
        permit = self._intake.permit(contributor, batch.dataset, len(batch.features))
        others = {item.id for item in batch.features if not self._ingest.may_have(item.id, batch.dataset)}
        mine = [item for item in batch.features if item.id not in others]
        borrowed = [item for item in batch.features if item.id in others]
        placed = self._ingest.placed(permit, mine, about)
        if not counted:
            # The rows need the thing, wherever it is.
            placed = [item or _nowhere(one) for item, one in zip(placed, mine, strict=True)]
        good = [item for item in placed if item is not None]
        stored = self._ingest.publish(contributor.participant, batch.dataset, good, about)
        if not self._features.wait_published(FEATURES_SECONDS):
            raise Unavailable("the bus did not take the features in time")
        if not counted:
            return {}, []
        reasons = dict.fromkeys(stored.foreign, FOREIGN) | dict.fromkeys(stored.others, OTHERS)
        rejected = [
            Rejected(NATIVE, None, reason, "id", good[at].id, encode(good[at]).decode())
            for at, reason in sorted(reasons.items())
        ]
        rejected += [
            Rejected(NATIVE, None, NO_CONSENT, "geometry", "", "") for item in placed if item is None
        ]
        rejected += [Rejected(NATIVE, None, FOREIGN, "id", one.id, encode(one).decode()) for one in borrowed]
        counts = {
            "read": len(batch.features), "accepted": stored.changed, "duplicate": stored.unchanged,
            "rejected": len(rejected),
        }  # fmt: skip
        return counts, rejected

    def _known(self, item: Import, batch: ObservationBatch) -> tuple[ObservationBatch, list[Rejected]]:
        """The rows whose datastream belongs to this dataset; another owner may have taken an id first."""
        registry = self._intake.registry
        streams = set(batch.datastream)
        if missing := registry.missing(streams):
            registry.look_up(missing)
        known = {stream: registry.get(stream) for stream in streams}
        mine = {
            stream for stream, found in known.items() if found is not None and found.dataset == item.dataset
        }
        subjects = {stream: found.subject for stream, found in known.items() if found is not None}
        rejected = [foreign(batch, row) for row, stream in enumerate(batch.datastream) if stream not in mine]
        good = batch.take([row for row, stream in enumerate(batch.datastream) if stream in mine])
        if good.subject is None and any(subjects[stream] for stream in mine):
            good = msgspec.structs.replace(good, subject=[subjects[stream] for stream in good.datastream])
        return good, rejected

    def again(
        self, item: Import, contributor: Contributor, source: Source, number: int, unit: Rejected
    ) -> Rejected | None:
        """Hand over one corrected unit; ``None`` when it was taken, else the unit as it is rejected anew."""
        about: Persons = {}
        try:
            if unit.file == NATIVE:
                native, about = read_native(unit, item.dataset)
                found: list[Batch] = [native]
            else:
                prefix = self._features.prefix(item.dataset)
                found = list(batches(source.replay([unit], prefix), item.dataset, prefix, self._rows))
        except SourceError as exc:
            return Rejected(unit.file, unit.line, exc.rule, unit.field, unit.value, unit.raw, unit.at)
        except (msgspec.DecodeError, ValueError, InputRefused):
            return Rejected(unit.file, unit.line, "unreadable", unit.field, unit.value, unit.raw, unit.at)
        faulty = next((batch[0] for batch in found if isinstance(batch, list) and batch), None)
        if faulty is not None:
            return faulty
        for batch in found:
            _, rejected = self.batch(item, contributor, batch, f"{item.id}/r{number}", about)
            if rejected:
                again = rejected[0]
                raw = "" if again.raw == "" else unit.raw
                return Rejected(unit.file, unit.line, again.reason, again.field, again.value, raw, unit.at)
        return None


def _nowhere(item: Feature) -> Feature:
    return msgspec.structs.replace(item, geometry=None)
