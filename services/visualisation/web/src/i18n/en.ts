/** All English texts, with the same keys as the Dutch ones. */
import { common, reasons, rejects, states, terms } from './en/common';
import { desk } from './en/desk';
import { figures, placeTerms } from './en/figures';
import { shell, signin, home } from './en/shell';
import { map } from './en/map';
import { catalogue, catalogueKinds, facets, themes, agreements, lineage, review, awaited } from './en/rights';
import { negotiate, running } from './en/negotiate';
import { notices } from './en/notices';
import { delivery, nodes, proof } from './en/nodes';
import { offer } from './en/offer';
import { scenarios } from './en/scenarios';
import { forecasts, measures } from './en/advice';
import { rights } from './en/myrights';
import { mydata, log } from './en/record';
import { mandates, transactions } from './en/dealings';
import { inspection } from './en/inspection';
import { sources, publish, operations } from './en/intake';
import type { Messages } from './nl';

export const en: Messages = {
  common, reasons, rejects, states, terms, figures, placeTerms, shell, signin, home, map, catalogue, catalogueKinds,
  facets, themes, agreements, negotiate, running, nodes, notices, offer, lineage, delivery, proof, review, scenarios,
  forecasts, measures, mydata, rights, log, sources, publish, operations, mandates, transactions, inspection, awaited,
  desk,
};
