"""Two nodes that know each other by their DIDs alone (Decentralized Claims Protocol 1.0)."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import pytest

from dmi_agreements.contracts.law import AgreementState
from dmi_exchange.dcp.did import of_address
from tests.conformance.dsp.city import City
from tests.conformance.dsp.pair import CITY, KEEPER, OWNER, STACK, Pair, furnished, soon, state
from tests.unit.exchange.issuing import Membership, served


class ClaimsPair(Pair):
    """A and B, each with credentials of one issuer for its participants."""

    def __init__(self, folder: Path) -> None:
        super().__init__(folder)
        self._site = ExitStack()
        self.issuer = Membership(self._site.enter_context(served()), "issuer")
        for city, members in ((self.a, (STACK, CITY)), (self.b, (OWNER, KEEPER))):
            kept = city.folder / "credentials"
            kept.mkdir(parents=True)
            for index, member in enumerate(members):
                token = self.issuer.issue(self.did(city), member, index + 7)
                (kept / f"{index}.jwt").write_text(token)

    @staticmethod
    def did(city: City) -> str:
        return of_address(f"{city.url}/exchange")

    def knowing(self, me: City, other: City) -> dict[str, Any]:
        """By its DID, and by whose credentials count."""
        return {
            "dsp_nodes": ({"url": other.url, "did": self.did(other)},),
            "dcp_issuers": (self.issuer.did,),
            "dcp_credentials": me.folder / "credentials",
        }

    def close(self) -> None:
        super().close()
        self._site.close()


@pytest.fixture(scope="module")
def pair(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ClaimsPair]:
    with furnished(tmp_path_factory.mktemp("claims"), ClaimsPair) as made:
        assert isinstance(made, ClaimsPair)
        yield made


def test_nodes_negotiate_with_each_other_by_credentials_alone(pair: ClaimsPair) -> None:
    agreement = pair.agreed()
    ours, theirs = (city.law().get(AgreementState, agreement) for city in (pair.a, pair.b))
    assert ours is not None
    assert theirs is not None
    assert ours.signatures.keys() == theirs.signatures.keys() == {OWNER, STACK}
    pair.b.well("POST", f"/v1/agreements/{agreement}/end", OWNER, {"reason": "genoeg"})
    soon(lambda: state(pair.a, agreement) == "ended")
