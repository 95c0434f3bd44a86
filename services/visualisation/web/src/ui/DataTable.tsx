/** A table that sorts by its column heads and scrolls inside itself on a narrow screen. */
import { useMemo, useState, type ReactNode } from 'react';
import { Table, TableBody, TableCaption, TableCell, TableHeader, TableHeaderCell, TableRow } from '@utrecht/component-library-react';
import { useI18n } from '../i18n';

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

export function DataTable<T>({ caption, captionHidden, columns, rows, rowKey, initialSort, current }: Props<T>) {
  const { t } = useI18n();
  const [sort, setSort] = useState<{ key: string; descending?: boolean } | null>(initialSort ?? null);
  const sorted = useMemo(() => {
    const by = columns.find((column) => column.key === sort?.key)?.sort;
    if (!by) return rows;
    return [...rows].sort((a, b) => compare(by(a), by(b), sort?.descending ?? false));
  }, [rows, columns, sort]);
  const turn = (key: string) =>
    setSort((old) => (old?.key === key ? { key, descending: !old.descending } : { key, descending: false }));

  return (
    // The region scrolls sideways, so the keyboard must be able to reach it.
    // eslint-disable-next-line jsx-a11y/no-noninteractive-tabindex
    <div className={columns.length > 6 ? 'dmi-table dmi-table--many' : 'dmi-table'} role="region" aria-label={caption} tabIndex={0}>
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
                    <span aria-hidden="true">{sort?.key === column.key ? (sort.descending ? ' ↓' : ' ↑') : ' ↕'}</span>
                  </button>
                ) : (
                  <span>{column.head}</span>
                )}
              </TableHeaderCell>
            ))}
          </TableRow>
        </TableHeader>
        <TableBody>
          {sorted.map((row) => (
            <TableRow key={rowKey(row)} aria-current={current === rowKey(row) || undefined}>
              {columns.map((column) => (
                <TableCell key={column.key} className={column.numeric ? 'dmi-numeric' : ''}>
                  {column.cell(row)}
                </TableCell>
              ))}
            </TableRow>
          ))}
        </TableBody>
      </Table>
    </div>
  );
}
