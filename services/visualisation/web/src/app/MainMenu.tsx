import { useI18n } from '../i18n';
import { Icon, type IconName } from '../ui/Icon';
import { RouteLink, useRouter } from './router';
import { isPerson, useSession } from './session';
import { useSupervises } from './supervises';

export function MainMenu() {
  const { t } = useI18n();
  const { path } = useRouter();
  const { identity } = useSession();
  const s = t.shell;
  const person = isPerson(identity?.participant);
  const supervises = useSupervises();
  const groups: { title: string; items: [string, string, IconName][] }[] = [
    {
      title: s.groupCity,
      items: [
        ['/', s.start, 'home'],
        ['/map', s.map, 'map'],
        ['/forecasts', s.forecasts, 'forecast'],
        ['/scenarios', s.scenarios, 'scenario'],
        ['/measures', s.measures, 'measure'],
      ],
    },
    {
      title: s.groupData,
      items: [
        ['/catalogue', s.catalogue, 'catalogue'],
        ['/agreements', s.agreements, 'agreement'],
        ...(person ? [] : ([['/nodes', s.nodes, 'exchange']] as [string, string, IconName][])),
        ...(person ? ([['/my-data', s.mydata, 'person']] as [string, string, IconName][]) : []),
        ['/log', s.log, 'log'],
        ...(supervises ? ([['/inspection', s.inspection, 'inspection']] as [string, string, IconName][]) : []),
      ],
    },
  ];
  if (!person) {
    groups.push({
      title: s.groupWork,
      items: [
        ['/publish/dataset', s.offer, 'offer'],
        ['/publish', s.publish, 'sensor'],
        ['/sources', s.sources, 'source'],
        ['/mandates', s.mandates, 'mandate'],
        ['/transactions', s.transactions, 'transaction'],
        ...(identity?.role === 'operator' ? ([['/desk', s.desk, 'desk']] as [string, string, IconName][]) : []),
        ['/operations', s.operations, 'operations'],
      ],
    });
  }
  const targets = groups.flatMap((group) => group.items.map(([to]) => to));
  // Of two that fit, such as a page and one below it, the longer is where one is.
  const fits = (to: string) => (to === '/' ? path === '/' : path === to || path.startsWith(`${to}/`));
  const current = targets.filter(fits).sort((a, b) => b.length - a.length)[0];
  const here = (to: string) => to === current;
  return (
    <>
      {groups.map((group) => (
        <div key={group.title} className="dmi-nav__group">
          <p className="dmi-nav__title">{group.title}</p>
          <ul>
            {group.items.map(([to, label, icon]) => (
              <li key={to}>
                <RouteLink to={to} className="dmi-nav__link" aria-current={here(to) ? 'page' : undefined}>
                  <Icon name={icon} /> {label}
                </RouteLink>
              </li>
            ))}
          </ul>
        </div>
      ))}
    </>
  );
}
