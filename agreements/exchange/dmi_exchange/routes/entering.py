"""What owners enter into the catalogue; geography is always part of it."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field, field_validator

from dmi_agreements.contracts.law import About, Dataset, Place
from dmi_exchange.catalogue.licences import address_of, is_address
from dmi_exchange.catalogue.model import THEMES, Item, theme_of, told_in
from dmi_infra.http.wording import pattern

Language = Annotated[
    str, Field(pattern=pattern("^[a-z]{2,3}$", "must be a code of a language: two or three small letters"))
]
Text = Annotated[dict[Language, Annotated[str, Field(max_length=2000)]], Field(max_length=10)]
Keyword = Annotated[str, Field(min_length=1, max_length=60)]
Degrees = Annotated[float, Field(allow_inf_nan=False)]
AreaCode = Annotated[
    str,
    Field(
        pattern=pattern(
            "^(GM[0-9]{4}|WK[0-9]{6}|BU[0-9]{8}|PV[0-9]{2})$",
            "must be a code of Statistics Netherlands: GM0344, WK034401, BU03440111 or PV26",
        )
    ),
]
Address = Annotated[
    str, Field(max_length=300, pattern=pattern(r"^(https?://[^\s<>\"{}|\\^`]+)?$", "must be a web address"))
]


class Spatial(BaseModel):
    """Where it is about."""

    model_config = ConfigDict(extra="forbid")
    bbox: tuple[Degrees, Degrees, Degrees, Degrees] = Field(
        description="west, south, east, north in degrees (WGS84)"
    )
    name: Text = {}
    codes: list[AreaCode] = Field(
        [], max_length=100, description="of municipalities, districts, neighbourhoods"
    )

    @field_validator("bbox")
    @classmethod
    def _on_earth(cls, value: tuple[float, float, float, float]) -> tuple[float, float, float, float]:
        west, south, east, north = value
        if not (-180 <= west <= east <= 180 and -90 <= south <= north <= 90):
            raise ValueError(
                "must be west, south, east, north in degrees: west before east, south before north"
            )
        return value


class Described(BaseModel):
    """What every entry tells; texts by language."""

    model_config = ConfigDict(extra="forbid")
    title: Text = Field(min_length=1)
    description: Text = {}
    licence: str = Field("", max_length=300)
    spatial: Spatial = Field(description="where it is about; no entry goes without")
    themes: list[str] = Field(
        [], max_length=13, description="codes of the data themes of the EU, such as TRAN"
    )
    keywords: Annotated[
        dict[Language, Annotated[list[Keyword], Field(max_length=30)]], Field(max_length=10)
    ] = {}
    contact: str = Field(
        "",
        max_length=300,
        pattern=pattern(
            r"^(mailto:[^@\s<>]+@[^@\s<>]+|https://[^\s<>]+)?$", "must begin with mailto: or https://"
        ),
        description="where questions can be asked",
    )
    page: Address = Field("", description="a page of yours about it")
    languages: list[Language] = Field([], max_length=10)

    @field_validator("licence")
    @classmethod
    def _one_address(cls, value: str) -> str:
        return address_of(value) if is_address(value) else value

    @field_validator("themes")
    @classmethod
    def _known(cls, value: list[str]) -> list[str]:
        if set(value) - set(THEMES):
            raise ValueError(f"must be among {', '.join(THEMES)}")
        return list(dict.fromkeys(value))

    def about(self, at: int, theme: str) -> About:
        """What the catalogue tells beside title, description and conditions; ``theme`` where none is given."""
        place = Place(self.spatial.bbox, dict(self.spatial.name), list(self.spatial.codes))
        return About(
            place, self.themes or [theme], {k: list(v) for k, v in self.keywords.items()}, self.contact, self.page,
            self.languages or told_in(self.title, self.description), at,
        )  # fmt: skip


class NewDataset(Described):
    """A dataset as its owner enters it."""

    id: str = Field(
        pattern=pattern(
            r"^urn:dmi:dataset:[a-z0-9-]{1,60}:[a-z0-9-]{1,60}$",
            "must be urn:dmi:dataset:, your own name, a colon and a name: small letters, digits, dashes",
        )
    )
    personal: bool = False
    data: str = Field(
        "", max_length=100, description="category of the data, dmi:data:…; left out: as `personal` says"
    )
    commons_cents: int = Field(
        0,
        ge=0,
        le=100_000_000,
        description="what a year of its use is worth as your part of the commons, in cents",
    )
    basis: str = Field(
        "", max_length=100, description="legal basis of personal data; left out: consent of each person"
    )
    purpose: str = Field(
        "dmi:purpose:public-task", max_length=200, description="what the data is collected for"
    )
    category: str = Field("", max_length=100)
    source: str = Field("", max_length=300)
    layer: str = Field(
        "", pattern=pattern("^(points|areas|vehicles|)$", "must be points, areas, vehicles or empty")
    )

    def entry(self, owner: str, at: int) -> Dataset:
        """The entry of the law."""
        return Dataset(
            self.id, owner, self.title, self.description, self.personal, self.basis, self.purpose, self.category,
            self.licence, self.source, self.layer, about=self.about(at, theme_of(self.category)), data=self.data,
            commons_cents=self.commons_cents,
        )  # fmt: skip


class NewListing(Described):
    """A service, an application or knowledge on offer, or anything that is asked for."""

    id: str = Field(
        pattern=pattern(
            r"^urn:dmi:listing:[a-z0-9-]{1,60}:[a-z0-9-]{1,60}$",
            "must be urn:dmi:listing:, your own name, a colon and a name: small letters, digits, dashes",
        )
    )
    kind: Literal["data", "service", "application", "knowledge"]
    direction: Literal["supply", "demand"]
    address: Address = Field("", description="where it answers or is read")
    withdrawn: bool = False

    def item(self, owner: str, at: int) -> Item:
        """The entry of the catalogue."""
        return Item(
            self.id, self.kind, self.direction, owner, self.title, self.description, self.licence,
            address=self.address, about=self.about(at, "GOVE"), withdrawn=self.withdrawn,
        )  # fmt: skip
