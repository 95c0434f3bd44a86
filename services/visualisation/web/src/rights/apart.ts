/** Names for several offers of the same data: by what differs between them, and by a number when nothing does. */
import type { OdrlDocument } from '../api';
import type { Names } from '../app/names';
import type { I18n } from '../i18n';
import { dutyInWords, limitsInWords, outline, recipientsOf } from './words';

/** Each title, with what tells its document apart from the others of the same title. */
export function toldApart(titles: string[], documents: OdrlDocument[], i18n: I18n, names: Names): string[] {
  const told = documents.map((one) => features(one, i18n, names));
  const named = titles.map((title, index) => {
    const same = told.filter((_, other) => titles[other] === title);
    const differing = (told[index] ?? []).filter((feature, kind) => same.some((one) => one[kind] !== feature));
    return differing.length > 0 ? `${title}: ${differing.join(', ')}` : title;
  });
  return named.map((name, index) => {
    if (named.filter((one) => one === name).length === 1) return name;
    return i18n.t.offer.numbered(name, named.slice(0, index).filter((one) => one === name).length + 1);
  });
}

/** What people choose by, the most important first; every document has as many. */
function features(document: OdrlDocument, i18n: I18n, names: Names): string[] {
  const { t, term, moment } = i18n;
  const { purposes, actions, until } = outline(document);
  const duties = (document.permission ?? []).flatMap((rule) => rule.duty ?? []);
  const prices = duties.filter((one) => one.action === 'dmi:pay').map((one) => dutyInWords(one.action, one.constraint ?? [], i18n, false));
  const recipients = recipientsOf(document).map((one) => names.participant(one));
  const shown = [...prices, ...(until ? [t.agreements.onlyUntil(moment(until))] : []), t.agreements.onlyRecipients(recipients.join(', '))];
  const rest = limitsInWords(document, i18n, names).filter((line) => !shown.includes(line));
  return [
    purposes.length > 0 ? t.offer.apartPurpose(purposes.map((one) => names.purpose(one)).join(', ')) : t.offer.apartAny,
    prices.length > 0 ? prices.map(phrase).join(', ') : t.offer.apartFree,
    until ? t.offer.apartUntil(moment(until)) : t.agreements.noEnd,
    recipients.length > 0 ? t.offer.apartWho(recipients.join(', ')) : t.offer.apartAnybody,
    actions.map((one) => term(one)).join(', '),
    rest.length > 0 ? rest.map(phrase).join(', ') : t.offer.apartNothing,
  ];
}

/** A sentence as a part of another one. */
function phrase(line: string): string {
  return line.charAt(0).toLocaleLowerCase() + line.slice(1).replace(/\.$/, '');
}
