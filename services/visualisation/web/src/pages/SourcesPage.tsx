import { useState } from 'react';
import { PrimaryActionButton } from '@utrecht/component-library-react';
import type { Datastream, ImportReport, Measured } from '../api';
import { useNames } from '../app/names';
import { useApi, useSession } from '../app/session';
import { useAction } from '../app/useAction';
import { useResource } from '../app/useResource';
import { useI18n } from '../i18n';
import { ConfirmDialog } from '../ui/Dialog';
import { Field, SelectField, TextField } from '../ui/fields';
import { Page } from '../ui/Page';
import { focusFirstError, noneWhenRefused } from '../ui/problems';
import { Empty, Failure, Loaded, Section } from '../ui/State';
import { Conditions } from './intake/Conditions';
import { ImportReportView } from './intake/ImportReport';
import { Rejects } from './intake/Rejects';
import { strange, type Strange } from './intake/strange';
import { firstTerms, useCreateDataset } from './intake/useDataset';

export default function SourcesPage() {
  const { t } = useI18n();
  return (
    <Page title={t.sources.title} lead={t.sources.lead}>
      <Section title={t.sources.importTitle} id="import"><ImportForm /></Section>
      <Section title={t.sources.rejects} id="rejects" lead={t.sources.rejectsText}>
        <Rejects every={15_000} />
      </Section>
    </Page>
  );
}

function ImportForm() {
  const { t, say, bytes, term, unit } = useI18n();
  const measured = (one: Measured) => { const words = unit(one.unit); return words === '' ? term(one.name) : `${term(one.name)} (${words})`; };
  const names = useNames();
  const api = useApi();
  const { identity } = useSession();
  const { create, areas } = useCreateDataset();
  const kinds = useResource('kinds', (signal) => api.ingest.kinds(signal));
  const [kind, setKind] = useState('');
  const [dataset, setDataset] = useState('');
  const [title, setTitle] = useState('');
  const [files, setFiles] = useState<File[]>([]);
  const [terms, setTerms] = useState(firstTerms);
  const [tried, setTried] = useState(false);
  const [report, setReport] = useState<ImportReport | null>(null);
  const fresh = dataset === 'new';
  // All kinds have one limit, the setting DMI_IMPORT_LIMIT of the service.
  const most = kinds.data?.[0]?.most_bytes ?? Infinity;
  const tooLarge = files.reduce((sum, file) => sum + file.size, 0) > most;
  const complete = kind !== '' && dataset !== '' && (!fresh || title.trim() !== '') && files.length > 0 && !tooLarge;
  const [strangers, setStrangers] = useState<Strange | null>(null);
  const send = useAction(async (sure: boolean) => {
    const found = fresh || sure ? null : strange(kinds.data?.find((one) => one.kind === kind)?.properties ?? [], await api.platform.datastreams(dataset).catch(noneWhenRefused<Datastream>));
    setStrangers(found);
    if (found) return;
    const id = fresh ? await create(title.trim(), terms) : dataset;
    setDataset(id);
    setReport(await api.ingest.importFiles(kind, id, files));
  });
  const missing = (wrong: boolean) => (tried && wrong ? t.common.required : null);
  const own = names.datasets.filter((one) => one.owner === identity?.participant);

  return (
    <Loaded resource={kinds} height={420} isEmpty={(list) => list.length === 0} empty={<Empty title={t.sources.noKinds}>{t.sources.noKindsText}</Empty>}>
      {(list) => {
        const chosen = list.find((one) => one.kind === kind);
        return (
          <>
          <form
            className="dmi-form" noValidate
            onSubmit={(event) => {
              event.preventDefault();
              setTried(true);
              if (complete) void send.run(false);
              else focusFirstError(event.currentTarget);
            }}
          >
            <SelectField
              label={t.sources.kind} help={chosen ? say(chosen.description) : t.sources.kindHelp} error={missing(kind === '')} value={kind} onChange={setKind}
              placeholder={t.common.chooseOne} choices={list.map((one) => ({ value: one.kind, label: say(one.title) || one.kind }))}
            />
            <SelectField
              label={t.sources.dataset} error={missing(dataset === '')} value={dataset} onChange={setDataset} placeholder={t.common.chooseOne}
              choices={[...own.map((one) => ({ value: one.id, label: say(one.title) })), { value: 'new', label: t.sources.newDataset }]}
            />
            {names.error ? <Failure error={names.error} retry={names.reload} /> : null}
            {fresh ? (
              <>
                <TextField label={t.sources.newDatasetName} error={missing(title.trim() === '')} value={title} onChange={setTitle} />
                <Conditions terms={terms} areas={areas} onChange={setTerms} />
              </>
            ) : null}
            <Field label={t.sources.file} help={t.sources.fileHelp(bytes(most))} error={tooLarge ? t.sources.tooLarge(bytes(most)) : tried && files.length === 0 ? t.sources.chooseFile : null}>
              {({ id, describedBy, invalid }) => (
                <span className="dmi-file">
                  <input id={id} type="file" multiple aria-describedby={describedBy} aria-invalid={invalid || undefined} onChange={(event) => setFiles([...(event.target.files ?? [])])} />
                </span>
              )}
            </Field>
            {send.error ? <Failure error={send.error} /> : null}
            <div><PrimaryActionButton type="submit" busy={send.busy} disabled={send.busy}>{send.busy ? t.common.working : t.sources.submit}</PrimaryActionButton></div>
          </form>
          <ConfirmDialog
            open={strangers !== null} read busy={send.busy} title={t.sources.strangeTitle} confirm={t.sources.strangeSure} cancel={t.sources.strangeOther}
            onConfirm={() => void send.run(true)} onClose={() => setStrangers(null)}
          >
            <p>{t.sources.strangeFresh(names.dataset(dataset))}</p>
            <ul className="dmi-edits">{strangers?.fresh.map((one) => <li key={one.name}>{measured(one)}</li>)}</ul>
            <p>{t.sources.strangeHeld(strangers?.held.map(measured).join(', ') ?? '')}</p>
          </ConfirmDialog>
          {report ? <ImportReportView key={report.import_id} first={report} /> : null}
          </>
        );
      }}
    </Loaded>
  );
}
