import { Heading2 } from '@utrecht/component-library-react';
import type { PageProps } from '../app/pages';
import { useApi } from '../app/session';
import { useResource } from '../app/useResource';
import { useI18n } from '../i18n';
import { LineageGraph, NodeList, useLineageNodes } from '../rights/Lineage';
import { Page } from '../ui/Page';
import { Loaded, Withdrawn } from '../ui/State';

export default function LineagePage({ params }: PageProps) {
  const id = params['id'] ?? '';
  const { t, term, moment } = useI18n();
  const api = useApi();
  const nodes = useLineageNodes();
  const lineage = useResource(`lineage ${id}`, (signal) => api.exchange.lineage(id, signal));
  const dependents = useResource(`dependents ${id}`, (signal) => api.exchange.dependents(id, signal));
  return (
    <Page title={t.lineage.title}>
      <Loaded resource={lineage} height={400}>
        {(ground) => {
          const up = nodes.grounds(ground);
          const down = nodes.dependents(dependents.data ?? []);
          return (
            <>
              {ground.withdrawn ? <Withdrawn /> : null}
              <dl className="dmi-facts">
                <dt className="dmi-cap">{term(ground.kind)}</dt><dd>{ground.title}</dd>
                <dt>{t.lineage.madeAt}</dt><dd>{moment(ground.made_at, true)}</dd>
                <dt>{t.lineage.code}</dt><dd><code>{ground.code}</code></dd>
              </dl>
              <LineageGraph centre={{ id, over: term(ground.kind), title: ground.title, withdrawn: ground.withdrawn, to: null }} up={up} down={down} />
              <div className="dmi-two">
                <NodeList title={t.lineage.upTitle} level={2} nodes={up} empty={t.lineage.unknown} />
                <Loaded resource={dependents} height={160}>{() => <NodeList title={t.lineage.downTitle} level={2} nodes={down} empty={t.lineage.none} />}</Loaded>
              </div>
              {ground.transformations.length > 0 ? (
                <>
                  <Heading2>{t.lineage.transformations}</Heading2>
                  <ol className="dmi-edits">{ground.transformations.map((step) => <li key={step}>{t.lineage.step(step)}</li>)}</ol>
                </>
              ) : null}
            </>
          );
        }}
      </Loaded>
    </Page>
  );
}
