"""The catalogue as DCAT-AP-NL 3.0: a graph of the entries of a page, in any form of RDF, and as CSV."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Final
from urllib.parse import quote

from rdflib import BNode, Graph, Literal, Namespace, URIRef
from rdflib.namespace import DCAT, DCTERMS, FOAF, PROV, RDF, SKOS, XSD
from rdflib.term import Node

from dmi_agreements.contracts.record import Quality
from dmi_exchange.catalogue.licences import address_of, is_address
from dmi_exchange.catalogue.model import DATA, DEMAND, OPEN, SERVICE, THEMES, Item, told_in
from dmi_infra.clock import to_text

VCARD: Final = Namespace("http://www.w3.org/2006/vcard/ns#")
DQV: Final = Namespace("http://www.w3.org/ns/dqv#")
HYDRA: Final = Namespace("http://www.w3.org/ns/hydra/core#")
LOCN: Final = Namespace("http://www.opengis.net/ont/geosparql#")
DMI: Final = Namespace("urn:dmi:")
_EU: Final = "http://publications.europa.eu/resource/authority"
_LANGUAGES: Final = {"nl": "NLD", "en": "ENG", "fy": "FRY", "de": "DEU", "fr": "FRA"}
TYPES: Final = {
    "data": ("gegevens", "data"),
    "service": ("dienst", "service"),
    "application": ("toepassing", "application"),
    "knowledge": ("kennis", "knowledge"),
}
"""What an entry is, in Dutch and English."""
MEASURES: Final = {
    "completeness": {"nl": "Aandeel rijen met een waarde", "en": "Share of rows with a value"},
    "plausible": {"nl": "Aandeel rijen zonder aanmerking", "en": "Share of rows that no test flagged"},
    "delivering": {"nl": "Aandeel meetreeksen dat levert", "en": "Share of datastreams that deliver"},
}
"""What the platform measures; each a number from 0 to 1."""


@dataclass(frozen=True, slots=True)
class Site:
    """Where the node stands, and what a graph needs to know beside the entries."""

    base: str
    operator: str
    names: Mapping[str, str]
    """Of participants by their ids; one that is not among them goes by its id."""

    @property
    def catalogue(self) -> str:
        """The catalogue's own address."""
        return f"{self.base}/exchange/v1/catalogue"

    def name_of(self, participant: str) -> str:
        """What a participant is called."""
        return self.names.get(participant, participant)

    def page_of(self, identifier: str) -> str:
        """The page for people about an entry."""
        return f"{self.base}/catalogue/{identifier}"


def graph(site: Site, items: Sequence[Item], measured: Mapping[str, Quality], following: str | None) -> Graph:
    """The graph of a page of the catalogue; ``following`` is the address of the next."""
    made = Graph()
    for prefix, space in (("dcat", DCAT), ("dct", DCTERMS), ("foaf", FOAF), ("vcard", VCARD), ("dqv", DQV),
                          ("skos", SKOS), ("hydra", HYDRA), ("prov", PROV)):  # fmt: skip
        made.bind(prefix, space)
    writer = _Writer(site, made)
    writer.catalogue(items, following)
    for item in items:
        writer.item(item, measured.get(item.id))
    return made


class _Writer:
    def __init__(self, site: Site, made: Graph) -> None:
        self._site = site
        self._graph = made
        self._catalogue = URIRef(site.catalogue)

    def catalogue(self, items: Sequence[Item], following: str | None) -> None:
        """The catalogue itself and, where there is more, the way to the next page."""
        me = self._catalogue
        self._add(me, RDF.type, DCAT.Catalog)
        self._texts(me, DCTERMS.title, {"nl": "DMI-catalogus", "en": "DMI catalogue"})
        told = {
            "nl": "Vraag en aanbod van gegevens, diensten, toepassingen en kennis van deze node.",
            "en": "Supply and demand of data, services, applications and knowledge of this node.",
        }
        self._texts(me, DCTERMS.description, told)
        self._add(me, DCTERMS.publisher, self._agent(self._site.operator))
        self._add(me, DCTERMS.creator, self._agent(self._site.operator))
        self._add(me, DCAT.contactPoint, self._contact(self._site.operator, "", self._site.base))
        for language in ("nl", "en"):
            self._add(me, DCTERMS.language, self._language(language))
        if following is not None:
            view = BNode()
            self._add(me, HYDRA.view, view)
            self._add(view, RDF.type, HYDRA.PartialCollectionView)
            self._add(view, HYDRA.next, URIRef(following))
        service = self._service()
        self._add(me, DCAT.service, service)

    def item(self, item: Item, measured: Quality | None) -> None:
        """One entry with what belongs to it."""
        me = URIRef(item.id)
        if item.kind == DATA and item.direction != DEMAND:
            self._dataset(me, item)
            if measured is not None:
                self._quality(me, measured, item.personal)
        elif item.kind == SERVICE and item.direction != DEMAND:
            self._add(self._catalogue, DCAT.service, me)
            self._add(me, RDF.type, DCAT.DataService)
            address = URIRef(item.address or self._site.page_of(item.id))
            self._add(me, DCAT.endpointURL, address)
            self._add(me, DCAT.endpointDescription, URIRef(self._site.page_of(item.id)))
            self._resource(DCAT.endpointURL, address)
            self._resource(DCAT.endpointDescription, URIRef(self._site.page_of(item.id)))
            self._add(me, DCTERMS.license, self._licence(item))
        else:
            # DCAT has no class for applications, knowledge and what is asked for: resources of a type of ours.
            self._add(self._catalogue, URIRef(f"{DCAT}resource"), me)
            self._add(me, RDF.type, DCAT.Resource)
        self._add(me, DCTERMS.type, self._type(item))
        self._described(me, item)

    def _described(self, me: URIRef, item: Item) -> None:
        self._texts(me, DCTERMS.title, item.title)
        self._texts(me, DCTERMS.description, item.description or item.title)
        self._add(me, DCTERMS.identifier, Literal(item.id))
        self._add(me, DCTERMS.publisher, self._agent(item.owner))
        self._add(me, DCTERMS.creator, self._agent(item.owner))
        rights = "PUBLIC" if item.access == OPEN else "NON_PUBLIC" if item.personal else "RESTRICTED"
        self._add(me, DCTERMS.accessRights, self._rights(rights))
        about = item.about
        page = (about.page if about else "") or self._site.page_of(item.id)
        self._add(me, DCAT.contactPoint, self._contact(item.owner, about.contact if about else "", page))
        for relation in (DCAT.landingPage, FOAF.page):
            document = URIRef(page if relation == FOAF.page else self._site.page_of(item.id))
            self._add(me, relation, document)
            self._add(document, RDF.type, FOAF.Document)
        for theme in about.themes if about else ["GOVE"]:
            self._add(me, DCAT.theme, self._theme(theme))
        for language in (about.languages if about else []) or told_in(item.title, item.description):
            if language in _LANGUAGES:
                self._add(me, DCTERMS.language, self._language(language))
        keywords = (about.keywords if about else {}) or _themes_as_keywords(
            about.themes if about else ["GOVE"]
        )
        for language, texts in keywords.items():
            for text in texts:
                self._add(me, DCAT.keyword, Literal(text, lang=language))
        if about is None:
            return
        if about.modified_at:
            self._add(me, DCTERMS.modified, Literal(to_text(about.modified_at), datatype=XSD.dateTime))
        west, south, east, north = about.place.bbox
        place = BNode()
        corners = f"{west} {south}, {east} {south}, {east} {north}, {west} {north}, {west} {south}"
        self._add(me, DCTERMS.spatial, place)
        self._add(place, RDF.type, DCTERMS.Location)
        self._add(place, DCAT.bbox, Literal(f"POLYGON(({corners}))", datatype=LOCN.wktLiteral))
        self._texts(place, SKOS.prefLabel, about.place.name)
        for code in about.place.codes:
            self._add(place, DCTERMS.identifier, Literal(code))

    def _dataset(self, me: URIRef, item: Item) -> None:
        self._add(self._catalogue, DCAT.dataset, me)
        self._add(me, RDF.type, DCAT.Dataset)
        standard = URIRef("https://docs.ogc.org/is/18-088/18-088.html")
        self._add(me, DCTERMS.conformsTo, standard)
        self._add(standard, RDF.type, DCTERMS.Standard)
        data = f"{self._site.base}/platform/v1"
        for name, media, address in (
            ("JSON", "application/json", f"{data}/latest?dataset={quote(item.id)}"),
            ("CSV", "application/zip", f"{data}/export?dataset={quote(item.id)}&format=csv"),
        ):
            part = URIRef(f"{self._site.catalogue}/{quote(item.id)}#{name.lower()}")
            self._add(me, DCAT.distribution, part)
            self._add(part, RDF.type, DCAT.Distribution)
            self._texts(part, DCTERMS.title, {"nl": name, "en": name})
            self._add(part, DCAT.accessURL, URIRef(address))
            self._add(part, DCAT.downloadURL, URIRef(address))
            self._resource(DCAT.accessURL, URIRef(address))
            self._add(part, DCTERMS.license, self._licence(item))
            self._add(part, DCAT.accessService, self._service())
            self._add(part, DCTERMS.conformsTo, standard)
            kind = URIRef(f"{_EU}/file-type/{name}")
            self._add(part, DCTERMS["format"], kind)
            self._add(kind, RDF.type, DCTERMS.MediaTypeOrExtent)
            form = URIRef(f"https://www.iana.org/assignments/media-types/{media}")
            self._add(part, DCAT.mediaType, form)
            self._add(form, RDF.type, DCTERMS.MediaType)
            for language in sorted(set(item.title) & set(_LANGUAGES)):
                self._add(part, DCTERMS.language, self._language(language))

    def _quality(self, me: URIRef, measured: Quality, personal: bool) -> None:
        for name, value in told(measured, personal).items():
            metric = DMI[f"quality:{name}"]
            self._add(metric, RDF.type, DQV.Metric)
            self._texts(metric, SKOS.prefLabel, MEASURES[name])
            figure = BNode()
            self._add(me, DQV.hasQualityMeasurement, figure)
            self._add(figure, RDF.type, DQV.QualityMeasurement)
            self._add(figure, DQV.isMeasurementOf, metric)
            self._add(figure, DQV.value, Literal(f"{value:.4f}", datatype=XSD.decimal))
            self._add(figure, PROV.generatedAtTime, Literal(to_text(measured.at), datatype=XSD.dateTime))

    def _service(self) -> URIRef:
        """The node's own interface, by which all its data is reached."""
        me = URIRef(f"{self._site.base}/platform/v1")
        if (me, RDF.type, DCAT.DataService) in self._graph:
            return me
        self._add(me, RDF.type, DCAT.DataService)
        self._texts(me, DCTERMS.title, {"nl": "Gegevens van deze node", "en": "Data of this node"})
        told = {"nl": "Laatste waarden, historie en export.", "en": "Last values, history and export."}
        self._texts(me, DCTERMS.description, told)
        self._add(me, DCTERMS.identifier, Literal(str(me)))
        for relation in (DCTERMS.publisher, DCTERMS.creator):
            self._add(me, relation, self._agent(self._site.operator))
        self._add(me, DCAT.contactPoint, self._contact(self._site.operator, "", self._site.base))
        self._add(me, DCTERMS.accessRights, self._rights("RESTRICTED"))
        self._add(me, DCAT.theme, self._theme("REGI"))
        self._add(me, DCAT.endpointURL, me)
        described = URIRef(f"{self._site.base}/platform/docs")
        self._add(me, DCAT.endpointDescription, described)
        for relation in (DCAT.endpointURL, DCAT.endpointDescription):
            self._resource(relation, me if relation == DCAT.endpointURL else described)
        terms = URIRef(f"{self._site.base}/exchange/v1/rulebook")
        self._add(terms, RDF.type, DCTERMS.LicenseDocument)
        self._add(me, DCTERMS.license, terms)
        self._add(me, DCAT.keyword, Literal("sensordata", lang="nl"))
        for language in ("nl", "en"):
            self._add(me, DCTERMS.language, self._language(language))
        return me

    # -- things that several entries name -------------------------------------------------------------

    def _agent(self, participant: str) -> URIRef:
        me = URIRef(participant)
        self._add(me, RDF.type, FOAF.Agent)
        self._add(me, FOAF.name, Literal(self._site.name_of(participant)))
        return me

    def _contact(self, participant: str, contact: str, page: str) -> Node:
        me = BNode()
        self._add(me, RDF.type, VCARD.Organization)
        self._add(me, RDF.type, VCARD.Kind)
        self._add(me, VCARD.fn, Literal(self._site.name_of(participant)))
        if contact.startswith("mailto:"):
            self._add(me, VCARD.hasEmail, URIRef(contact))
        else:
            self._add(me, VCARD.hasURL, URIRef(contact or page))
        return me

    def _theme(self, code: str) -> URIRef:
        me, scheme = URIRef(f"{_EU}/data-theme/{code}"), URIRef(f"{_EU}/data-theme")
        self._add(me, RDF.type, SKOS.Concept)
        self._texts(me, SKOS.prefLabel, THEMES[code])
        self._add(me, SKOS.inScheme, scheme)
        self._add(scheme, RDF.type, SKOS.ConceptScheme)
        self._texts(scheme, DCTERMS.title, {"nl": "Thema's", "en": "Data themes"})
        return me

    def _type(self, item: Item) -> URIRef:
        me = DMI[f"{item.direction}:{item.kind}"]
        self._add(me, RDF.type, SKOS.Concept)
        nl, en = TYPES[item.kind]
        way = (
            {"nl": "Vraag", "en": "Demand"} if item.direction == DEMAND else {"nl": "Aanbod", "en": "Supply"}
        )
        self._texts(me, SKOS.prefLabel, {"nl": f"{way['nl']}: {nl}", "en": f"{way['en']}: {en}"})
        return me

    def _language(self, code: str) -> URIRef:
        me = URIRef(f"{_EU}/language/{_LANGUAGES[code]}")
        self._add(me, RDF.type, DCTERMS.LinguisticSystem)
        return me

    def _rights(self, code: str) -> URIRef:
        me = URIRef(f"{_EU}/access-right/{code}")
        self._add(me, RDF.type, DCTERMS.RightsStatement)
        return me

    def _licence(self, item: Item) -> URIRef:
        stated = address_of(item.licence)
        # Without one the conditions are those of an agreement, which the page about it tells.
        me = URIRef(stated if is_address(stated) else f"{self._site.page_of(item.id)}#conditions")
        self._add(me, RDF.type, DCTERMS.LicenseDocument)
        return me

    def _resource(self, _relation: URIRef, address: URIRef) -> None:
        self._add(address, RDF.type, URIRef("http://www.w3.org/2000/01/rdf-schema#Resource"))

    def _texts(self, me: Node, relation: URIRef, texts: Mapping[str, str]) -> None:
        for language, text in texts.items():
            self._add(me, relation, Literal(text, lang=language))

    def _add(self, subject: Node, relation: URIRef, value: Node) -> None:
        self._graph.add((subject, relation, value))


def _themes_as_keywords(themes: Sequence[str]) -> dict[str, list[str]]:
    """What stands for keywords where the owner gave none."""
    return {language: [THEMES[theme][language] for theme in themes] for language in ("nl", "en")}


LEAST_OF_PERSONS: Final = 10
"""Datastreams with a row: of fewer sensors of persons no share is told, and of more it is rounded."""


def told(measured: Quality, personal: bool) -> dict[str, float]:
    """The shares that everybody may read: of data about persons none from which rows or sensors could be counted."""
    found = figures(measured)
    if not personal:
        return found
    few = measured.delivering < LEAST_OF_PERSONS
    return {} if few else {name: round(value, 1) for name, value in found.items()}


def figures(measured: Quality) -> dict[str, float]:
    """Shares from 0 to 1, of what there is to measure."""
    found: dict[str, float] = {}
    if measured.rows:
        found["completeness"] = (measured.rows - measured.missing) / measured.rows
        found["plausible"] = measured.good / measured.rows
    if measured.datastreams:
        found["delivering"] = measured.delivering / measured.datastreams
    return found


COLUMNS: Final = (
    "id", "kind", "direction", "owner", "title_nl", "title_en", "description_nl", "description_en", "themes",
    "keywords", "access", "licence", "personal", "west", "south", "east", "north", "areas", "modified", "page",
)  # fmt: skip


def as_csv(site: Site, items: Iterable[Item]) -> str:
    """The same as a table, one entry a line; lists with spaces between. RFC 4180, UTF-8."""
    text = io.StringIO()
    table = csv.writer(text)
    table.writerow(COLUMNS)
    for item in items:
        about = item.about
        keywords = [each for texts in about.keywords.values() for each in texts] if about else []
        cells = (
            item.id, item.kind, item.direction, item.owner, item.title.get("nl", ""), item.title.get("en", ""),
            item.description.get("nl", ""), item.description.get("en", ""), " ".join(about.themes) if about else "",
            "; ".join(keywords), item.access, item.licence, "yes" if item.personal else "no",
            *(about.place.bbox if about else ("",) * 4), " ".join(about.place.codes) if about else "",
            to_text(about.modified_at) if about and about.modified_at else "", site.page_of(item.id),
        )  # fmt: skip
        table.writerow([_plain(str(cell)) for cell in cells])
    return text.getvalue()


def _plain(cell: str) -> str:
    """A cell that no spreadsheet takes for a formula."""
    numeric = cell.lstrip("-").replace(".", "", 1).isdigit()
    return f"'{cell}" if cell[:1] in ("=", "+", "-", "@", "\t", "\r") and not numeric else cell
