"""What is wrong with scenarios and their edits, in Dutch (B1): rules by their English text, as in ``dutch``."""

from __future__ import annotations

from typing import Final

SCENARIOS: Final[tuple[tuple[str, str], ...]] = (
    ("must be another scenario", "moet een ander scenario zijn"),
    ("rests on another baseline.*", "rust op een andere uitgangssituatie; reken beide opnieuw uit en voeg dan samen"),
    ("the baseline of this scenario is not kept any more", "de uitgangssituatie is niet bewaard"),
    ("is no clash between these two as they stand now", "is nu geen verschil meer tussen deze twee"),
    ("you have (\\d+) scenarios already: .*", "u hebt al {0} scenario’s: verwijder er een, of ga verder in een ervan"),
    ("your scenarios rest on (\\d+) states of the city already: .*",
     "uw scenario’s staan al op {0} momenten van de stad: begin vanaf een ervan"),
    ("holds no edits that this scenario does not have already", "bevat niets wat dit scenario nog niet heeft"),
    ("the edits of a version take at most (\\d+) characters together, .*",
     "de stappen van een versie passen samen in {0} tekens: teken gebieden met minder hoeken, of kies buurten"),
    ("the versions of your scenarios hold (\\d+) characters of edits, as many as are kept",
     "de versies van uw scenario’s zijn samen {0} tekens lang, meer bewaren wij niet"),
    ("all edits together take from more than (\\d+) buildings, counted once an edit",
     "alle stappen samen raken meer dan {0} gebouwen, per stap geteld"),
    ("is not known: a geometry has a type and coordinates, and nothing else",
     "is onbekend: een gebied heeft een type en coördinaten, en verder niets"),
    ("earlier edits left no office here", "hier zijn geen kantoren meer: een eerdere stap nam ze al weg"),
    ("there is no office of known floor area to redevelop here",
     "hier zijn geen kantoren waarvan wij de oppervlakte kennen"),
    ("with share 1 nothing changes", "er verandert niets als alles kantoor blijft"),
    ("shares must sum to 1, they sum to (.*)", "de delen moeten samen 1 zijn, ze zijn samen {0}"),
    ("must be a GeoJSON Polygon or MultiPolygon", "moet een GeoJSON Polygon of MultiPolygon zijn"),
    ("coordinates do not form closed rings of at least four positions",
     "de punten vormen geen gesloten ringen van minstens vier punten"),
    ("has more than (\\d+) positions", "heeft meer dan {0} punten"),
    ("positions must be longitude and latitude in degrees", "de punten moeten lengte en breedte in graden zijn"),
    ("ring crosses or touches itself: .*", "de rand kruist of raakt zichzelf: teken het gebied opnieuw"),
    ("lies outside the area where RD New holds", "ligt buiten Nederland"),
    ("give either a neighbourhood or a geometry", "kies een buurt, of teken een gebied"),
    ("is not an area of the baseline", "is geen gebied van de uitgangssituatie"),
    ("its neighbourhood is not in the baseline", "de buurt ervan is niet in de uitgangssituatie"),
    ("cannot be worked out: figures of the baseline.*",
     "is niet te berekenen: cijfers waar het op rust zijn te groot, of te dicht bij nul"),
)  # fmt: skip
