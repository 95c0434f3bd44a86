/** How results are made: the steps that the services write in English, in Dutch. */
export const steps: [RegExp, string][] = [
  [/^harmonised (observations|counts) through the gate; rows that failed a quality test left out$/, 'geharmoniseerde metingen door de poort; rijen die een kwaliteitstoets niet haalden, zijn weggelaten'],
  [/^means of quarters of an hour, at their mean time; the newest reading as it is$/, 'gemiddelden per kwartier, op hun gemiddelde tijd; de nieuwste meting zoals zij is'],
  [/^forecast model (\S+): one linear model a stretch over weekly profiles, deviation and recent change$/, 'voorspelmodel $1: voor elk stuk vooruit een lineair model over weekprofielen, afwijking en verandering van kort geleden'],
  [/^80 % interval from what the model missed, by place, hour and situation$/, 'interval van 80 % uit wat het model eerder miste, naar plaats, uur en situatie'],
  [/^persons a minute, both directions together; without one direction there is no figure$/, 'personen per minuut, beide richtingen samen; zonder een van de richtingen is er geen cijfer'],
  [/^level of service (\S+) from flow, effective width and capacities of the place$/, 'mate van drukte $1 uit doorstroming, bruikbare breedte en capaciteit van de plek'],
  [/^units to UCUM canonical units$/, 'eenheden naar die van UCUM'],
  [/^times to UTC, positions to WGS84$/, 'tijden naar UTC, plaatsen naar WGS84'],
  [/^quality tests: range, rate, missing, place$/, 'kwaliteitstoetsen: bereik, snelheid, ontbrekend, plaats'],
  [/^repeats dropped by datastream, time and source id$/, 'dubbele rijen weggelaten, naar meetreeks, tijd en kenmerk van de bron'],
  [/^neighbourhood by position and validity$/, 'buurt naar plaats en geldigheid'],
  [/^baseline of neighbourhoods and buildings, version (\S+)$/, 'uitgangssituatie van buurten en gebouwen, versie $1'],
  [/^edit (\d+): /, 'wijziging $1: '],
  [/^scenario model (\S+), coefficients at their values, swings added as independent errors$/, 'scenariomodel $1, coëfficiënten op hun waarde, schommelingen opgeteld als onafhankelijke fouten'],
  [/^rule (\S+) at (\S+): /, 'regel $1 bij $2: '],
  [/^decided by /, 'besloten door '],
  [/^proposed; a person decides$/, 'voorgesteld; een mens beslist'],
];

/** One step in Dutch; a step that is not known stays as it was written. */
export function stepInDutch(step: string): string {
  for (const [pattern, words] of steps) if (pattern.test(step)) return step.replace(pattern, words);
  return step;
}
