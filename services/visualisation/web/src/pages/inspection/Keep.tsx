/** Keeps decisions as a file that anyone can check; linked to a file of before when one is given. */
import { useState } from 'react';
import { SecondaryActionButton } from '@utrecht/component-library-react';
import type { Evidence } from '../../api';
import { useApi } from '../../app/session';
import { useAction } from '../../app/useAction';
import { useI18n } from '../../i18n';
import { FileField } from '../../ui/fields';
import { Failure, Notice } from '../../ui/State';
import { saveBlob } from '../dataset/save';
import { sizeIn } from '../log/proof';

/** The most decisions that the exchange gives in one document. */
const most = 500;

export function Keep({ sequences }: { sequences: number[] }) {
  const { t, number } = useI18n();
  const api = useApi();
  const [earlier, setEarlier] = useState<File | null>(null);
  const [wrong, setWrong] = useState(false);
  const [kept, setKept] = useState<Evidence | null>(null);
  const keep = useAction(async () => {
    setKept(null);
    const since = earlier ? sizeIn(await earlier.text()) : null;
    setWrong(earlier !== null && since === null);
    if (earlier !== null && since === null) return;
    const evidence = await api.inspection.evidence(sequences.slice(0, most), since);
    saveBlob(new Blob([JSON.stringify(evidence)], { type: 'application/json' }), `log-${evidence.head.tree_size}.json`);
    setKept(evidence);
  });
  return (
    <div className="dmi-form">
      <p>{t.inspection.keepText}</p>
      <FileField label={t.inspection.earlier} help={t.inspection.earlierHelp} error={wrong ? t.inspection.earlierWrong : null} accept=".json,application/json" onChange={(file) => { setWrong(false); setEarlier(file ?? null); }} />
      <div><SecondaryActionButton busy={keep.busy} disabled={keep.busy} onClick={() => void keep.run()}>{t.inspection.keep}</SecondaryActionButton></div>
      <div role="status">{kept ? <Notice tone="good"><p>{t.inspection.kept(number(kept.entries.length), number(kept.head.tree_size))}</p></Notice> : null}</div>
      {keep.error ? <Failure error={keep.error} /> : null}
    </div>
  );
}
