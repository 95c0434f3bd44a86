/** Who acts for a person now, and the form by which the desk changes that. */
import { useState } from 'react';
import { SecondaryActionButton } from '@utrecht/component-library-react';
import type { Representation } from '../../api';
import { useLive } from '../../app/live';
import { useApi } from '../../app/session';
import { useAction } from '../../app/useAction';
import { useI18n } from '../../i18n';
import { ConfirmDialog } from '../../ui/Dialog';
import { TextField } from '../../ui/fields';
import { fieldError, focusFirstError } from '../../ui/problems';
import { isPersonId } from './persons';

/** As many as the exchange takes. */
const most = 4;

export function Representatives({ person, changed }: { person: Representation; changed: () => void }) {
  const { t, date } = useI18n();
  const api = useApi();
  const live = useLive();
  const [names, setNames] = useState(() => [...person.representatives.map((one) => one.id), ''].slice(0, most));
  const [ofAge, setOfAge] = useState(person.of_age_on ?? '');
  const [tried, setTried] = useState(false);
  const [asking, setAsking] = useState(false);
  const given = names.map((one) => one.trim()).filter((one) => one !== '');
  const wrongName = (name: string) => (name.trim() === '' || isPersonId(name.trim()) ? null : t.desk.wrongPerson);
  const wrongDay = given.length === 0 && ofAge !== '' ? t.desk.dayAlone : null;
  const enter = useAction(async () => {
    await api.exchange.represent(person.id, { representatives: given, of_age_on: ofAge === '' ? null : ofAge });
    live(t.desk.changed);
    changed();
  });
  const known = (id: string) => person.representatives.find((one) => one.id === id)?.name ?? id;
  return (
    <div className="dmi-stack">
      <dl className="dmi-facts">
        <dt>{t.desk.now}</dt><dd>{person.representatives.map((one) => one.name).join(', ') || t.desk.nobody}</dd>
        <dt>{t.desk.ofAge}</dt><dd>{person.of_age_on === null ? t.desk.noDay : date(person.of_age_on)}</dd>
      </dl>
      <form
        className="dmi-form" noValidate
        onSubmit={(event) => {
          event.preventDefault();
          setTried(true);
          if (names.every((one) => wrongName(one) === null) && wrongDay === null) setAsking(true);
          else focusFirstError(event.currentTarget);
        }}
      >
        {names.map((name, index) => (
          <TextField
            key={index} label={t.desk.who(index + 1)} help={index === 0 ? t.desk.whoHelp : undefined} value={name}
            error={tried ? wrongName(name) ?? fieldError(enter.error, `representatives.${given.indexOf(name.trim())}`) : null}
            onChange={(value) => setNames((all) => {
              const next = all.map((one, place) => (place === index ? value : one));
              return next.at(-1) !== '' && next.length < most ? [...next, ''] : next;
            })}
          />
        ))}
        <TextField
          type="date" label={t.desk.ofAge} help={t.desk.ofAgeHelp} value={ofAge} onChange={setOfAge}
          error={tried ? wrongDay ?? fieldError(enter.error, 'of_age_on') : null}
        />
        <div><SecondaryActionButton type="submit">{t.desk.change}</SecondaryActionButton></div>
      </form>
      <ConfirmDialog
        open={asking} title={t.desk.changeTitle} confirm={t.desk.changeConfirm} busy={enter.busy} error={enter.error}
        onClose={() => setAsking(false)} onConfirm={() => void enter.run().then((done) => done && setAsking(false))}
      >
        <p>{given.length === 0 ? t.desk.changeToNobody(person.name) : t.desk.changeTo(given.map(known).join(', '), person.name)}</p>
        <p>{t.desk.changeText}</p>
      </ConfirmDialog>
    </div>
  );
}
