import { useState } from 'react';
import { PrimaryActionButton } from '@utrecht/component-library-react';
import type { ImportReport } from '../api';
import { useNames } from '../app/names';
import { useApi, useSession } from '../app/session';
import { useAction } from '../app/useAction';
import { useResource } from '../app/useResource';
import { useI18n } from '../i18n';
import { Field, SelectField, TextField } from '../ui/fields';
import { Page } from '../ui/Page';
import { focusFirstError } from '../ui/problems';
import { Empty, Failure, Loaded, Section } from '../ui/State';
import { Conditions } from './intake/Conditions';
import { ImportReportView } from './intake/ImportReport';
import { Rejects } from './intake/Rejects';
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
  const { t, say, bytes } = useI18n();
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
  const send = useAction(async () => {
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
              if (complete) void send.run();
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
          {report ? <ImportReportView key={report.import_id} first={report} /> : null}
          </>
        );
      }}
    </Loaded>
  );
}
