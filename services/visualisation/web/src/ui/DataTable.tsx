/** A table that sorts by its column heads, filters and pages where it is long, and scrolls inside itself. */
import { useEffect, useMemo, useRef, useState, type ReactNode } from 'react';
import { SecondaryActionButton, Table, TableBody, TableCaption, TableCell, TableHeader, TableHeaderCell, TableRow } from '@utrecht/component-library-react';
import { useI18n } from '../i18n';
import { TextField } from './fields';

export interface Column<T> {
  key: string;
  head: string;
  cell: (row: T) => ReactNode;
  /** What the column sorts by; without it the column does not sort. */
  sort?: (row: T) => number | string | null | undefined;
  numeric?: boolean;
}

interface Props<T> {
  caption: string;
  captionHidden?: boolean;
  columns: Column<T>[];
  rows: T[];
  rowKey: (row: T) => string;
  initialSort?: { key: string; descending?: boolean };
  current?: string | null;
  /** Rows that stay on top, whatever is sorted, filtered or paged. */
  first?: T[];
  /** Rows a page; without it all rows stand on one. */
  pageSize?: number;
  /** What is said when there are no rows at all. */
  none?: string;
  /** The text of a row that the filter looks in; without it there is no filter. */
  search?: (row: T) => string;
  /** What the filter looks through, where the caption names something else than the rows. */
  searched?: string;
}

type Sortable = number | string | null | undefined;

/** Missing values come last in both directions. */
export function compare(left: Sortable, right: Sortable, descending: boolean): number {
  const noLeft = left === null || left === undefined;
  const noRight = right === null || right === undefined;
  if (noLeft || noRight) return noLeft === noRight ? 0 : noLeft ? 1 : -1;
  const order =
    typeof left === 'number' && typeof right === 'number' ? left - right : String(left).localeCompare(String(right));
  return descending ? -order : order;
}

/** The rows whose text holds every word. */
export function filtered<T>(rows: T[], words: string, text: ((row: T) => string) | undefined): T[] {
  const wanted = words.toLocaleLowerCase().split(/\s+/).filter((word) => word !== '');
  if (!text || wanted.length === 0) return rows;
  return rows.filter((row) => {
    const all = text(row).toLocaleLowerCase();
    return wanted.every((word) => all.includes(word));
  });
}

/** Whether a region is narrower than what it holds, and whether some of that is still to its right; null: all fits. */
function useOverflow() {
  const region = useRef<HTMLDivElement>(null);
  const [more, setMore] = useState<boolean | null>(null);
  useEffect(() => {
    const one = region.current;
    if (!one) return;
    const look = () => setMore(one.scrollWidth <= one.clientWidth + 1 ? null : one.scrollLeft + one.clientWidth < one.scrollWidth - 1);
    const watcher = new ResizeObserver(look);
    watcher.observe(one);
    if (one.firstElementChild) watcher.observe(one.firstElementChild);
    one.addEventListener('scroll', look, { passive: true });
    return () => {
      watcher.disconnect();
      one.removeEventListener('scroll', look);
    };
  }, []);
  return { region, more };
}

export function DataTable<T>({ caption, captionHidden, columns, rows, rowKey, initialSort, current, first = [], pageSize, none, search, searched = caption }: Props<T>) {
  const { t, number } = useI18n();
  const [words, setWords] = useState('');
  const [page, setPage] = useState(0);
  const [sort, setSort] = useState<{ key: string; descending?: boolean } | null>(initialSort ?? null);
  const sorted = useMemo(() => {
    const by = columns.find((column) => column.key === sort?.key)?.sort;
    const found = filtered(rows, words, search);
    if (!by) return found;
    return [...found].sort((a, b) => compare(by(a), by(b), sort?.descending ?? false));
  }, [rows, columns, sort, words, search]);
  const pages = pageSize ? Math.max(1, Math.ceil(sorted.length / pageSize)) : 1;
  // Fewer rows may have come in since: then the last page that there is.
  const at = Math.min(page, pages - 1);
  const shown = [...first, ...(pageSize ? sorted.slice(at * pageSize, (at + 1) * pageSize) : sorted)];
  const turn = (key: string) => {
    setPage(0);
    setSort((old) => (old?.key === key ? { key, descending: !old.descending } : { key, descending: false }));
  };

  const { region, more } = useOverflow();
  const classes = columns.length > 9 ? 'dmi-table dmi-table--many dmi-table--wide' : columns.length > 6 ? 'dmi-table dmi-table--many' : columns.length > 3 ? 'dmi-table dmi-table--some' : 'dmi-table';
  const table = (
    <div className="dmi-scrolls">
      {more === null ? null : <p className="dmi-table__hint">{t.common.scrolls}</p>}
      {/* The region scrolls sideways, so the keyboard must be able to reach it. */}
      {/* eslint-disable-next-line jsx-a11y/no-noninteractive-tabindex */}
      <div ref={region} className={more ? `${classes} dmi-table--more` : classes} role="region" aria-label={caption} tabIndex={0}>
        <Table>
          <TableCaption className={captionHidden ? 'dmi-sr-only' : ''}>{caption}</TableCaption>
          <TableHeader>
            <TableRow>
              {columns.map((column) => (
                <TableHeaderCell
                  key={column.key}
                  scope="col"
                  className={column.numeric ? 'dmi-numeric' : ''}
                  aria-sort={sort?.key === column.key ? (sort.descending ? 'descending' : 'ascending') : undefined}
                >
                  {column.sort ? (
                    <button type="button" className="dmi-sort" onClick={() => turn(column.key)} title={t.common.sortBy(column.head)}>
                      {column.head}
                      <span aria-hidden="true">{sort?.key === column.key ? (sort.descending ? '\u00a0↓' : '\u00a0↑') : '\u00a0↕'}</span>
                    </button>
                  ) : (
                    <span>{column.head}</span>
                  )}
                </TableHeaderCell>
              ))}
            </TableRow>
          </TableHeader>
          <TableBody>
            {shown.map((row) => (
              <TableRow key={rowKey(row)} aria-current={current === rowKey(row) || undefined}>
                {columns.map((column) => (
                  <TableCell key={column.key} className={column.numeric ? 'dmi-numeric' : ''}>
                    {column.cell(row)}
                  </TableCell>
                ))}
              </TableRow>
            ))}
            {shown.length === 0 ? <TableRow><TableCell colSpan={columns.length} className="dmi-soft">{words.trim() === '' ? (none ?? t.common.noRows) : t.common.noneFound(words.trim())}</TableCell></TableRow> : null}
          </TableBody>
        </Table>
      </div>
    </div>
  );
  if (!search && pages === 1) return table;
  return (
    <div className="dmi-stack">
      {search ? (
        <TextField
          type="search" label={t.common.filterIn(searched)} value={words}
          onChange={(next) => {
            setWords(next);
            setPage(0);
          }}
        />
      ) : null}
      {table}
      <div className="dmi-pager">
        <p className="dmi-small dmi-soft" role="status">{sorted.length === rows.length && pages > 1 ? t.common.pageOf(number(at + 1), number(pages), number(rows.length)) : t.common.rows(sorted.length, rows.length)}</p>
        {pages > 1 ? (
          <>
            <SecondaryActionButton className="dmi-small-button" disabled={at === 0} aria-label={`${t.common.previousPage}: ${caption}`} onClick={() => setPage(at - 1)}>{t.common.previousPage}</SecondaryActionButton>
            <SecondaryActionButton className="dmi-small-button" disabled={at === pages - 1} aria-label={`${t.common.nextPage}: ${caption}`} onClick={() => setPage(at + 1)}>{t.common.nextPage}</SecondaryActionButton>
          </>
        ) : null}
      </div>
    </div>
  );
}
