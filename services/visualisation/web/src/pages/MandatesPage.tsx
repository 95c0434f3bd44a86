import { useState } from 'react';
import { SecondaryActionButton } from '@utrecht/component-library-react';
import type { Mandate } from '../api/dealings';
import { useNames } from '../app/names';
import { isPerson, useApi, useSession } from '../app/session';
import { useAction } from '../app/useAction';
import { useResource } from '../app/useResource';
import { useI18n } from '../i18n';
import { MandateLink } from '../ui/AgreementLink';
import { Badge, stateTone } from '../ui/Badge';
import { ButtonLink } from '../ui/ButtonLink';
import { CodeExample } from '../ui/CopyButton';
import { DataTable } from '../ui/DataTable';
import { ConfirmDialog } from '../ui/Dialog';
import { Page } from '../ui/Page';
import { Empty, Loaded, Notice, Section } from '../ui/State';
import { GiveMandate } from './dealings/GiveMandate';
import { useHolder } from './dealings/holder';
import { Machines } from './dealings/Machines';

export default function MandatesPage() {
  const { t } = useI18n();
  const { identity } = useSession();
  if (!isPerson(identity?.participant)) return <Members />;
  return (
    <Page title={t.mandates.title}>
      <Empty title={t.mandates.onlyMembers} action={<ButtonLink to="/my-data">{t.shell.mydata}</ButtonLink>}>{t.mandates.onlyMembersText}</Empty>
    </Page>
  );
}

function Members() {
  const { t, term, date } = useI18n();
  const names = useNames();
  const api = useApi();
  const { identity } = useSession();
  const mandates = useResource('mandates', (signal) => api.dealings.mandates(signal), 15_000);
  const machines = useResource('machines', (signal) => api.dealings.machines(signal), 15_000);
  const [ending, setEnding] = useState<Mandate | null>(null);
  const [done, setDone] = useState<string | null>(null);
  const [given, setGiven] = useState<Mandate | null>(null);
  const end = useAction((id: string) => api.dealings.endMandate(id, ''));
  const holder = useHolder(machines.data ?? []);
  return (
    <Page title={t.mandates.title} lead={t.mandates.lead} wide>
      {done ? <Notice tone="good"><p role="status">{done}</p></Notice> : null}
      <Loaded resource={mandates} height={200} isEmpty={(all) => all.length === 0} empty={<Empty title={t.mandates.empty}>{t.mandates.emptyText}</Empty>}>
        {(all) => (
          <DataTable
            caption={t.mandates.title} captionHidden rows={all} rowKey={(one) => one.id} pageSize={20} initialSort={{ key: 'until', descending: true }}
            columns={[
              { key: 'one', head: t.mandates.one, cell: (one) => <span className="dmi-block dmi-cap dmi-nowrap"><MandateLink id={one.id} /></span> },
              { key: 'giver', head: t.mandates.giver, sort: (one) => names.participant(one.mandator), cell: (one) => names.participant(one.mandator) },
              { key: 'holder', head: t.mandates.holder, sort: (one) => holder(one.mandatary), cell: (one) => holder(one.mandatary) },
              {
                key: 'scope', head: t.mandates.scope,
                cell: (one) => (
                  <span className="dmi-block dmi-cap">
                    {one.actions.map((action) => term(action)).join(', ')}: {one.datasets.map((id) => names.dataset(id)).join(', ')}
                    <br /><span className="dmi-small dmi-soft">{one.purposes.map((id) => names.purpose(id)).join(', ')}</span>
                  </span>
                ),
              },
              { key: 'until', head: t.agreements.until, sort: (one) => one.until, cell: (one) => date(one.until) },
              { key: 'state', head: t.common.state, sort: (one) => one.state, cell: (one) => <Badge tone={stateTone(one.state)}>{term(one.state)}</Badge> },
              {
                key: 'stop', head: t.mandates.end,
                cell: (one) => (one.state === 'active' && one.mandator === identity?.participant
                  ? <SecondaryActionButton className="dmi-small-button" aria-label={`${t.mandates.end}: ${holder(one.mandatary)}`} onClick={() => setEnding(one)}>{t.mandates.end}</SecondaryActionButton>
                  : null),
              },
            ]}
          />
        )}
      </Loaded>
      <Section title={t.mandates.give} id="give" lead={t.mandates.giveText}>
        <GiveMandate
          machines={machines.data ?? []}
          onGiven={(made) => {
            setDone(t.mandates.given);
            setGiven(made);
            mandates.reload();
            machines.reload();
          }}
        />
      </Section>
      {given ? (
        <Section title={t.mandates.use} id="use" lead={t.mandates.useText}>
          <CodeExample title={t.mandates.useExample} code={`export DMI_TOKEN=$(dmi mandate token ${given.id} --participant ${given.mandatary} --key sleutel.jwk --url ${window.location.origin})`} />
        </Section>
      ) : null}
      <Section title={t.mandates.machines.title} id="machines" lead={t.mandates.machines.lead}>
        <Machines machines={machines} onStopped={mandates.reload} />
      </Section>
      <ConfirmDialog
        open={ending !== null} danger title={t.mandates.endTitle} confirm={t.mandates.endConfirm} busy={end.busy} error={end.error} onClose={() => setEnding(null)}
        onConfirm={() => {
          if (!ending) return;
          void end.run(ending.id).then((ok) => {
            if (!ok) return;
            setEnding(null);
            setDone(t.mandates.ended);
            mandates.reload();
          });
        }}
      >
        <p>{t.mandates.endText}</p>
      </ConfirmDialog>
    </Page>
  );
}
