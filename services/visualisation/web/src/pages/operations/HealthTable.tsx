import { healthOf, services, type ServiceHealth } from '../../api/operations';
import { useResource } from '../../app/useResource';
import { useI18n } from '../../i18n';
import { Badge, type BadgeTone } from '../../ui/Badge';
import { DataTable } from '../../ui/DataTable';
import { Loaded, Notice } from '../../ui/State';

const tones: Record<ServiceHealth['state'], BadgeTone> = { ready: 'good', notReady: 'warn', unreachable: 'bad' };

/** The parts of a readiness answer in one line, whatever their form. */
function checksOf({ health }: ServiceHealth): string {
  const checks = health?.checks ?? health ?? {};
  return Object.entries(checks)
    .filter(([key]) => !['status', 'ready'].includes(key))
    .map(([key, value]) => `${key}: ${typeof value === 'string' ? value : JSON.stringify(value)}`)
    .join(', ');
}

export function HealthTable() {
  const { t, number } = useI18n();
  const health = useResource('health', (signal) => Promise.all(services.map((name) => healthOf(name, signal))), 10_000);
  return (
    <Loaded resource={health} height={320}>
      {(all) => {
        const down = all.filter((one) => one.state !== 'ready').length;
        return (
          <>
            <div role="status">
              <Notice tone={down === 0 ? 'good' : 'bad'}><p>{down === 0 ? t.operations.allReady : t.operations.someDown(down)}</p></Notice>
            </div>
            <DataTable
              caption={t.operations.health} captionHidden rows={all} rowKey={(one) => one.service}
              columns={[
                { key: 'service', head: t.operations.service, sort: (one) => one.service, cell: (one) => one.service },
                { key: 'state', head: t.common.state, sort: (one) => one.state, cell: (one) => <Badge tone={tones[one.state]}>{t.operations[one.state]}</Badge> },
                { key: 'time', head: t.operations.answered, numeric: true, sort: (one) => one.milliseconds, cell: (one) => `${number(one.milliseconds, 0)} ms` },
                { key: 'checks', head: t.operations.checks, cell: (one) => <span className="dmi-small">{checksOf(one)}</span> },
                { key: 'docs', head: t.operations.docs, cell: (one) => <a className="utrecht-link utrecht-link--html-a" href={`/${one.service}/docs`}>OpenAPI {one.service}</a> },
              ]}
            />
          </>
        );
      }}
    </Loaded>
  );
}
