/** All Dutch texts, one part a page. English has the same keys, checked by the compiler and by a test. */
import { common, reasons, rejects, states, terms } from './nl/common';
import { desk } from './nl/desk';
import { figures, placeTerms } from './nl/figures';
import { shell, signin, home } from './nl/shell';
import { map } from './nl/map';
import { catalogue, catalogueKinds, facets, themes, agreements, lineage, review, awaited } from './nl/rights';
import { negotiate, running } from './nl/negotiate';
import { notices } from './nl/notices';
import { delivery, nodes, proof } from './nl/nodes';
import { offer } from './nl/offer';
import { scenarios } from './nl/scenarios';
import { forecasts, measures } from './nl/advice';
import { rights } from './nl/myrights';
import { mydata, log } from './nl/record';
import { mandates, transactions } from './nl/dealings';
import { inspection } from './nl/inspection';
import { sources, publish, operations } from './nl/intake';

export const nl = {
  common, reasons, rejects, states, terms, figures, placeTerms, shell, signin, home, map, catalogue, catalogueKinds,
  facets, themes, agreements, negotiate, running, nodes, notices, offer, lineage, delivery, proof, review, scenarios,
  forecasts, measures, mydata, rights, log, sources, publish, operations, mandates, transactions, inspection, awaited,
  desk,
};

type Widen<T> = T extends string ? string : T extends (...args: infer A) => string ? (...args: A) => string
  : { [K in keyof T]: Widen<T[K]> };
export type Messages = Widen<typeof nl>;
/** One part of the texts, for the English files to follow. */
export type Part<K extends keyof typeof nl> = Widen<(typeof nl)[K]>;
