/** A proposal for an agreement in plain words: for what, to do what, until when. */
import { useState } from 'react';
import { PrimaryActionButton } from '@utrecht/component-library-react';
import type { Dataset, OdrlDocument } from '../../api';
import { useNames } from '../../app/names';
import { useApi, useSession } from '../../app/session';
import { useAction } from '../../app/useAction';
import { useI18n } from '../../i18n';
import { fromCityInput, toCityInput } from '../../i18n/cityTime';
import { agreementOf } from '../../rights/templates';
import { CheckboxList, SelectField, TextField } from '../../ui/fields';
import { focusFirstError } from '../../ui/problems';
import { ReviewVerdict } from '../../ui/ReviewVerdict';
import { Failure, Notice, Section } from '../../ui/State';

const offered = ['dmi:read', 'dmi:display', 'dmi:analyse', 'dmi:export', 'dmi:contribute'];

export function AskForUse({ dataset }: { dataset: Dataset }) {
  const { t, term, say } = useI18n();
  const names = useNames();
  const api = useApi();
  const { identity, purpose: current } = useSession();
  const [chosen, setPurpose] = useState(current);
  // No purpose chosen at the top: then what the data is collected for is the likely one.
  const purpose = chosen || (dataset.purpose ?? names.rulebook?.purposes?.[0]?.id ?? '');
  const [actions, setActions] = useState<string[]>(['dmi:read']);
  const [until, setUntil] = useState('');
  const [tried, setTried] = useState(false);
  const [sent, setSent] = useState(false);
  const [today] = useState(() => toCityInput(Date.now()).slice(0, 10));
  const wrongEnd = until !== '' && until < today ? t.catalogue.askPast : null;
  const wanted = agreementOf({
    assigner: dataset.owner, assignee: identity?.participant ?? '', dataset: dataset.id, actions, purpose,
    until: until && wrongEnd === null ? endOfDay(until) : null, rulebook: names.rulebook?.version ?? '1.0.0',
    // Persons are in it: then it stays with the basis on which it was collected.
    basis: dataset.personal ? dataset.basis || 'dmi:basis:consent' : undefined,
  });
  const send = useAction(async (document: OdrlDocument) => {
    await api.exchange.propose(document);
    setSent(true);
  });
  return (
    <Section title={t.catalogue.ask} id="ask" lead={t.catalogue.askText}>
      {sent ? <Notice tone="good"><p role="status">{t.catalogue.askSent}</p></Notice> : (
        <form
          className="dmi-form" noValidate
          onSubmit={(event) => {
            event.preventDefault();
            setTried(true);
            if (actions.length > 0 && wrongEnd === null) void send.run(wanted);
            else focusFirstError(event.currentTarget);
          }}
        >
          <SelectField
            label={t.catalogue.askFor} value={purpose} onChange={setPurpose}
            choices={(names.rulebook?.purposes ?? [{ id: current, label: term(current) }]).map((one) => ({ value: one.id, label: say(one.label) }))}
          />
          <CheckboxList
            label={t.catalogue.askActions} values={actions} onChange={setActions} error={tried && actions.length === 0 ? t.catalogue.askOne : null}
            choices={offered.map((value) => ({ value, label: term(value) }))}
          />
          <TextField type="date" label={t.catalogue.askUntil} value={until} onChange={setUntil} error={tried ? wrongEnd : null} />
          {actions.length > 0 && purpose ? (
            <ReviewVerdict documents={[wanted]} mend={t.review.sendMended} busy={send.busy} onMend={([one]) => one && void send.run(one)} />
          ) : null}
          {send.error ? <Failure error={send.error} /> : null}
          <div><PrimaryActionButton type="submit" busy={send.busy} disabled={send.busy}>{t.catalogue.askSend}</PrimaryActionButton></div>
        </form>
      )}
    </Section>
  );
}

/** The last second of a day of the city. */
export function endOfDay(day: string): string {
  return new Date(fromCityInput(`${day}T23:59:59`)).toISOString().replace(/\.\d+Z$/, 'Z');
}
