/** The ground of a result and all that rests on it: a picture to see it, and a list that says the same. */
import { useState } from 'react';
import { Heading2, Heading3 } from '@utrecht/component-library-react';
import type { Dependent, Lineage } from '../api';
import { useNames } from '../app/names';
import { RouteLink } from '../app/router';
import { useBrought } from '../app/useBrought';
import { useI18n } from '../i18n';
import { shortId } from '../i18n/format';
import { Badge } from '../ui/Badge';

export interface Node {
  id: string;
  over: string;
  /** When it was made, in words. */
  at?: string;
  title: string;
  withdrawn: boolean;
  to: string | null;
}

const kinds = ['measure', 'scenario', 'forecast', 'crowd'];
const box = { width: 264, height: 86, gap: 12 };
/** As many as the picture draws; the list below holds them all. */
const most = 8;
const column = { up: 4, centre: 316, down: 628 };

/** The top of a box. All columns begin at the top, so that what the picture is of stands on the first screen. */
const place = (index: number) => 8 + index * (box.height + box.gap);
const half = box.height / 2;

export function LineageGraph({ centre, up, down }: { centre: Node; up: Node[]; down: Node[] }) {
  const { t } = useI18n();
  const shownDown = down.slice(0, most);
  const left = down.length - shownDown.length;
  const height = place(Math.max(up.length, shownDown.length, 1));
  const edge = (x1: number, y1: number, x2: number, y2: number) =>
    `M${x1} ${y1}C${(x1 + x2) / 2} ${y1} ${(x1 + x2) / 2} ${y2} ${x2} ${y2}`;
  return (
    // The picture scrolls sideways on a narrow screen, so the keyboard must reach it.
    // eslint-disable-next-line jsx-a11y/no-noninteractive-tabindex
    <div className="dmi-graph" tabIndex={0} role="region" aria-label={t.lineage.picture}>
      <svg viewBox={`0 0 896 ${left > 0 ? height + 24 : height}`} role="group" aria-label={t.lineage.picture}>
        {up.map((node, index) => (
          <path key={node.id} d={edge(column.up + box.width, place(index) + half, column.centre, place(0) + half)} />
        ))}
        {shownDown.map((node, index) => (
          <path key={node.id} d={edge(column.centre + box.width, place(0) + half, column.down, place(index) + half)} />
        ))}
        {up.map((node, index) => <GraphNode key={node.id} node={node} x={column.up} y={place(index)} />)}
        <GraphNode node={centre} x={column.centre} y={place(0)} centre />
        {left > 0 ? <text className="is-over" x={column.down + 12} y={height + 14}>{t.lineage.andMore(left)}</text> : null}
        {shownDown.map((node, index) => <GraphNode key={node.id} node={node} x={column.down} y={place(index)} />)}
      </svg>
    </div>
  );
}

function GraphNode({ node, x, y, centre }: { node: Node; x: number; y: number; centre?: boolean }) {
  const { t } = useI18n();
  const classes = [centre ? 'is-centre' : '', node.withdrawn ? 'is-withdrawn' : ''].join(' ');
  const over = [node.over, node.withdrawn ? t.states.withdrawn : ''].filter(Boolean).join(' · ');
  const words = [`${over}: ${node.title}`, node.at].filter(Boolean).join(', ');
  const inside = (
    <>
      <rect x={x} y={y} width={box.width} height={box.height} rx={4} />
      {/* As HTML, so that a title takes two lines and is cut where it would leave the box, whatever the letters are. */}
      <foreignObject x={x + 12} y={y} width={box.width - 24} height={box.height}>
        <div className="dmi-graph__lines">
          <span className="is-over">{over}</span>
          <span className="is-title">{node.title}</span>
          {node.at ? <span className="is-over">{node.at}</span> : null}
        </div>
      </foreignObject>
      <title>{words}</title>
    </>
  );
  return node.to && !centre ? (
    <a href={node.to} className={classes} aria-label={words}>{inside}</a>
  ) : (
    <g className={classes}>{inside}</g>
  );
}

export function useLineageNodes() {
  const { t, say, term, moment } = useI18n();
  const names = useNames();
  return {
    grounds(lineage: Lineage): Node[] {
      const { grounds } = lineage;
      const nodes: Node[] = (grounds.datasets ?? []).map((d) => ({
        id: d.id, over: t.common.dataset, title: say(d.title) || names.dataset(d.id), withdrawn: d.withdrawn ?? false, to: `/catalogue/${d.id}`,
      }));
      for (const a of grounds.agreements ?? []) {
        const title = say(a.title) || (a.assigner ? `${names.participant(a.assigner)} → ${names.participant(a.assignee)}` : shortId(a.id));
        nodes.push({ id: a.id, over: t.common.agreement, title, withdrawn: a.state === 'ended', to: `/agreements/${a.id}` });
      }
      const consents = grounds.consents;
      if (consents && consents.active + consents.withdrawn > 0) {
        nodes.push({ id: 'consents', over: t.lineage.consents, title: t.lineage.consentsCount(consents.active, consents.withdrawn), withdrawn: consents.withdrawn > 0, to: null });
      }
      for (const r of grounds.results ?? []) {
        const id = typeof r === 'string' ? r : r.id;
        nodes.push({ id, over: t.lineage.results, title: typeof r === 'string' ? shortId(r) : say(r.title) || shortId(id), withdrawn: false, to: `/lineage/${encodeURIComponent(id)}` });
      }
      return nodes;
    },
    dependents(items: Dependent[]): Node[] {
      // What people decide on and plan with comes before the single figures, of which there can be hundreds.
      const rank = (d: Dependent) => kinds.indexOf(d.kind) + 1 || kinds.length + 1;
      return [...items].sort((a, b) => rank(a) - rank(b)).map((d) => ({ id: d.result, over: term(d.kind), at: d.made_at ? moment(d.made_at) : undefined, title: d.title, withdrawn: d.withdrawn, to: `/lineage/${encodeURIComponent(d.result)}` }));
    },
  };
}

/** Nodes by kind, in the order in which the kinds first come. */
export function byKind(nodes: Node[]): [string, Node[]][] {
  const kinds = new Map<string, Node[]>();
  for (const node of nodes) kinds.set(node.over, [...(kinds.get(node.over) ?? []), node]);
  return [...kinds];
}

/** As many of a kind as are shown before somebody asks for all. */
const few = 6;

export function NodeList({ title, nodes, empty, level = 3 }: { title: string; nodes: Node[]; empty: string; level?: 2 | 3 }) {
  const Heading = level === 2 ? Heading2 : Heading3;
  return (
    <div className="dmi-stack">
      <Heading>{title}</Heading>
      {nodes.length === 0 ? <p className="dmi-soft">{empty}</p> : byKind(nodes).map(([kind, some]) => <OfKind key={kind} nodes={some} />)}
    </div>
  );
}

function OfKind({ nodes }: { nodes: Node[] }) {
  const { t } = useI18n();
  const [all, setAll] = useState(false);
  const { there, go } = useBrought<HTMLLIElement>();
  const shown = all ? nodes : nodes.slice(0, few);
  return (
    <div>
      <ul className="dmi-rows">
        {shown.map((node, index) => (
          <li key={node.id} ref={index === few ? there : undefined} tabIndex={index === few ? -1 : undefined}>
            <span>
              <span className="dmi-small dmi-soft dmi-cap">{node.over}: </span>
              {node.to ? <RouteLink to={node.to}>{node.title}</RouteLink> : node.title}
              {node.at ? <span className="dmi-small dmi-soft"> {node.at}</span> : null}
            </span>
            {node.withdrawn ? <Badge tone="bad">{t.states.withdrawn}</Badge> : null}
          </li>
        ))}
      </ul>
      {shown.length < nodes.length ? (
        <button
          type="button" className="dmi-link-button"
          onClick={() => {
            setAll(true);
            go();
          }}
        >
          {t.lineage.showAll(nodes.length, nodes[0]?.over ?? '')}
        </button>
      ) : null}
    </div>
  );
}
