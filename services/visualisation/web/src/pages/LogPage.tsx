import { useState } from 'react';
import { SecondaryActionButton } from '@utrecht/component-library-react';
import type { Evidence, LogEntry, LogVerification } from '../api';
import { useNames } from '../app/names';
import { useQueryState } from '../app/router';
import { useApi, useSession } from '../app/session';
import { useAction } from '../app/useAction';
import { useBrought } from '../app/useBrought';
import { useResource } from '../app/useResource';
import { useI18n } from '../i18n';
import { AgreementLink } from '../ui/AgreementLink';
import { CodeExample } from '../ui/CopyButton';
import { FileField, SelectField } from '../ui/fields';
import { Page } from '../ui/Page';
import { Empty, Failure, Loaded, Notice } from '../ui/State';
import { saveBlob } from './dataset/save';
import { LogTable } from './log/LogTable';
import { sizeIn } from './log/proof';
import { useProof } from './log/useProof';

const size = 50;

/** Empty texts are not asked for. */
interface Wanted {
  participant: string;
  dataset: string;
  outcome: string;
  agreement: string;
}

export default function LogPage() {
  const { t, say, number } = useI18n();
  const names = useNames();
  const api = useApi();
  const [query, change] = useQueryState();
  const dataset = query.get('dataset') ?? '';
  const outcome = query.get('outcome') ?? '';
  const agreement = query.get('agreement') ?? '';
  const participant = query.get('participant') ?? '';
  const wanted = { participant, dataset, outcome, agreement };
  const { identity } = useSession();
  // Every entry here concerns who reads it; persons are looked up by nobody.
  const others = names.participants.filter((one) => one.id !== identity?.participant && one.id.startsWith('urn:dmi:participant:'));
  const { there, go } = useBrought<HTMLDivElement>();
  const [chain, setChain] = useState<LogVerification | null>(null);
  const verify = useAction(async () => setChain(await api.exchange.verifyLog()));
  const [kept, setKept] = useState<Evidence | null>(null);
  const [earlier, setEarlier] = useState<number | null>(null);
  const [unreadable, setUnreadable] = useState(false);
  const read = async (file: File | undefined) => {
    const size = file ? sizeIn(await file.text()) : null;
    setEarlier(size);
    setUnreadable(file !== undefined && size === null);
  };
  const keep = useAction(async () => {
    const evidence = await api.exchange.evidence(earlier === null ? {} : { since: earlier });
    saveBlob(new Blob([JSON.stringify(evidence)], { type: 'application/json' }), `log-${evidence.head.tree_size}.json`);
    setKept(evidence);
  });
  return (
    <Page
      title={t.log.title} lead={t.log.lead} wide
      actions={(
        <>
          <SecondaryActionButton busy={verify.busy} disabled={verify.busy} onClick={() => void verify.run()}>{verify.busy ? t.log.verifying : t.log.verify}</SecondaryActionButton>
          <SecondaryActionButton busy={keep.busy} disabled={keep.busy || unreadable} onClick={() => void keep.run()}>{t.log.keep}</SecondaryActionButton>
        </>
      )}
    >
      <div role="status">
        {chain ? (
          chain.ok ? <Notice tone="good"><p>{t.log.verified(number(chain.count))}</p></Notice>
            : <Notice tone="bad" title={t.log.broken}><p>{chain.reason}</p></Notice>
        ) : null}
        {kept ? <Notice tone="good"><p>{t.log.kept(number(kept.entries.length), number(kept.head.tree_size))}</p></Notice> : null}
      </div>
      <details className="dmi-details">
        <summary>{t.log.aboutProof}</summary>
        <div className="dmi-form">
          <p>{t.proof.checkText}</p>
          <CodeExample title={t.proof.program} code={kept ? `dmi log check log-${kept.head.tree_size}.json` : 'dmi log check log.json'} />
          <FileField label={t.log.earlier} help={t.log.earlierHelp} accept="application/json,.json" error={unreadable ? t.log.earlierWrong : null} onChange={(file) => void read(file)} />
        </div>
      </details>
      {keep.error ? <Failure error={keep.error} /> : null}
      {verify.error ? <Failure error={verify.error} /> : null}
      <div className="dmi-form__row">
        <SelectField
          label={t.log.filterWho} help={t.log.filterWhoHelp} value={participant} onChange={(value) => change({ participant: value || null })}
          choices={[{ value: '', label: t.common.all }, ...others.map((one) => ({ value: one.id, label: names.participant(one.id) }))]}
        />
        <SelectField
          label={t.log.filterDataset} value={dataset} onChange={(value) => change({ dataset: value || null })}
          choices={[{ value: '', label: t.common.all }, ...names.datasets.map((one) => ({ value: one.id, label: say(one.title) }))]}
        />
        <SelectField
          label={t.log.filterOutcome} value={outcome} onChange={(value) => change({ outcome: value || null })}
          choices={[{ value: '', label: t.common.all }, { value: 'refused', label: t.log.onlyRefused }, { value: 'allowed', label: t.log.onlyAllowed }]}
        />
      </div>
      {agreement ? (
        <p>
          {t.log.onlyAgreement} <AgreementLink id={agreement} />.{' '}
          <button
            type="button" className="dmi-link-button"
            onClick={() => {
              change({ agreement: null });
              go();
            }}
          >
            {t.log.everyAgreement}
          </button>
        </p>
      ) : null}
      <div ref={there} tabIndex={-1} role="group" aria-label={t.log.title}>
        <Entries key={JSON.stringify(wanted)} wanted={wanted} onLast={go} />
      </div>
    </Page>
  );
}

/** The entries that one choice of filters gives; another choice begins anew, however it was made. */
function Entries({ wanted, onLast }: { wanted: Wanted; onLast: () => void }) {
  const { t } = useI18n();
  const api = useApi();
  const [more, setMore] = useState<LogEntry[]>([]);
  const [next, setNext] = useState<string | null | undefined>(undefined);
  const proof = useProof('h2');
  const query = { ...wanted, limit: size, newest: true };
  const first = useResource(`log ${JSON.stringify(wanted)}`, (signal) => api.exchange.log(query, signal));
  const load = useAction(async (before: string) => {
    const page = await api.exchange.log({ ...query, before });
    setMore((old) => [...old, ...page.items]);
    setNext(page.next);
    if (page.next === null) onLast();
  });
  const anything = Object.values(wanted).every((one) => one === '');
  return (
    <Loaded resource={first} height={480} isEmpty={(page) => page.items.length === 0 && page.next === null} empty={<Empty title={anything ? t.log.empty : t.log.none} />}>
      {(page) => {
        const all = [...new Map([...page.items, ...more].map((entry) => [entry.sequence, entry])).values()];
        const cursor = next === undefined ? page.next : next;
        return (
          <>
            <LogTable caption={t.log.title} entries={all} onWhy={proof.ask} />
            {load.error ? <Failure error={load.error} /> : null}
            {cursor ? <SecondaryActionButton busy={load.busy} onClick={() => void load.run(cursor)}>{t.common.more}</SecondaryActionButton> : null}
            {proof.shown}
          </>
        );
      }}
    </Loaded>
  );
}
